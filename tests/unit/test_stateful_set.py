# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StatefulSets: the order in which pods come, go and are replaced, and what holds whatever happens to them.

Numbers in brackets are issues of kubernetes/kubernetes. Other rows are Kubernetes' documentation of StatefulSets and
the cases of its pkg/controller/statefulset/stateful_set_control_test.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workload_model import START, Host

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.volume_spec import NamedVolume
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import Operation
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import stateful_set
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.facts import WorkloadPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.revisions import (
    Revision,
    template_digest,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import (
    AddPod,
    EndPod,
    RemoveClaim,
    UndoRollout,
    WorkloadStep,
    status_document,
)

KEY = b"key"
SetStep = WorkloadStep[stateful_set.StatefulSetRecord, stateful_set.StatefulSetStatus]
DELETE = w.ClaimRetention(when_scaled="Delete")


def declared(
    replicas: int = 3,
    image: str = "v1",
    partition: int = 0,
    unavailable: w.IntOrPercent = 1,
    policy: str = "OrderedReady",
    **fields: Any,
) -> w.StatefulSet:
    update = w.StatefulSetStrategy("RollingUpdate", w.RollingUpdateOfSet(partition, unavailable))
    fields = {"update_strategy": update, "volume_claim_templates": (NamedVolume("data"),), **fields}
    template = s.PodSpec("db", (s.Container("a", image),))
    return w.StatefulSet("db", template=template, replicas=replicas, pod_management_policy=policy, **fields)


ON_DELETE = w.StatefulSetStrategy("OnDelete", None)


def found(text: str) -> list[WorkloadPod]:
    """Pods by a letter each, from number 0 on: a dot for none.

    N is of the new revision and available, n not yet; C and c the same of the current one, B and b of another; - is
    a pod of the current revision that is being removed, ! one that has failed.
    """
    revisions = {"n": "new", "c": "current", "b": "other", "-": "current", "!": "current"}
    pods = []
    for number, letter in enumerate(text):
        if letter != ".":
            pod = WorkloadPod(f"db-{number}", revisions[letter.lower()], number, is_ending=letter == "-")
            ready = {"phase": "Running", "ready_since": START - 100} if letter.isupper() else {}
            failed = {"phase": "Failed"} if letter == "!" else {}
            pods.append(replace(pod, **ready, **failed))
    return pods


def told(operations: Sequence[Operation]) -> str:
    """Operations in short: +2n is another pod with number 2 of the new revision, -1 the end of number 1."""
    words = []
    for operation in operations:
        if isinstance(operation, AddPod):
            words.append(f"+{operation.number}{operation.revision[0]}")
        elif isinstance(operation, EndPod):
            words.append(f"-{operation.pod.rpartition('-')[2]}")
        else:
            words.append(f"claim {operation.pod}")
    return " ".join(words)


def taken(wanted: w.StatefulSet, pods: str, claims: Sequence[str] = ()) -> SetStep:
    old = tuple(Revision(n, name, wanted.template) for n, name in enumerate(("current", "other"), 1))
    record = stateful_set.StatefulSetRecord(old, current="current")
    return stateful_set.step(wanted, "new", record, found(pods), START, frozenset(claims))


@pytest.mark.parametrize(
    ("wanted", "pods", "expected"),
    [
        # One after another, each available before the next.
        (declared(), "", "+0n"),
        (declared(), "n", ""),
        (declared(), "N", "+1n"),
        (declared(), "NN", "+2n"),
        (declared(), "NNN", ""),
        (declared(), ".NN", "+0n"),
        (declared(), "n.N", ""),
        (declared(0), "", ""),
        (declared(policy="Parallel"), "", "+0n +1n +2n"),
        (declared(policy="Parallel"), "n", "+1n +2n"),
        (declared(2, ordinals=w.Ordinals(1)), "", "+1n"),
        (declared(2, ordinals=w.Ordinals(1)), "NNN", "-0"),
        # Down again: the highest first, alone, and only when the others are well.
        (declared(1), "NNN", "-2"),
        (declared(1), "NN-", ""),
        (declared(1), "NN", "-1"),
        (declared(1), "nNN", ""),
        (declared(0), "NN", "-1"),
        (declared(1, policy="Parallel"), "NNN", "-2 -1"),
        (declared(1, policy="Parallel"), "nNN", "-2 -1"),
        # Replaced from the top, each available before the next.
        (declared(), "CCC", "-2"),
        (declared(), "CC-", ""),
        (declared(), "CC", "+2n"),
        (declared(), "CCn", ""),
        (declared(), "CCN", "-1"),
        (declared(), "C.N", "+1n"),
        (declared(), "CNN", "-0"),
        (declared(policy="Parallel"), "CCC", "-2"),
        # What is missing is what it was before only where the bound is used up.
        (declared(), ".CC", "+0n"),
        (declared(), "C.C", "+1n"),
        (declared(), ".CN", "+0n"),
        (declared(), ".Cn", "+0c"),
        (declared(), ".C-", "+0c"),
        (declared(4, policy="Parallel"), "C..C", "+1n +2c"),
        (declared(4, unavailable=2, policy="Parallel"), "C..C", "+1n +2n"),
        # The partition.
        (declared(partition=2), "CCC", "-2"),
        (declared(partition=2), "CCN", ""),
        (declared(partition=2), ".CN", "+0c"),
        (declared(partition=2), "CC", "+2n"),
        (declared(partition=3), "CCC", ""),
        (declared(partition=5), "CC.", "+2c"),
        (declared(2, ordinals=w.Ordinals(1), partition=1), ".CC", "-2"),
        (declared(2, ordinals=w.Ordinals(1), partition=1), ".CN", ""),
        # By hand.
        (declared(update_strategy=ON_DELETE), "CCC", ""),
        (declared(update_strategy=ON_DELETE), "C.C", "+1n"),
        # More at a time.
        (declared(5, unavailable=2), "CCCCC", "-4 -3"),
        (declared(5, unavailable=2), "CCCC-", "-3"),
        (declared(5, unavailable=2), "CCC.n", "+3n"),
        (declared(5, unavailable="50%"), "CCCCC", "-4 -3"),
        (declared(5, unavailable="10%"), "CCCCC", "-4"),
        # (67250): a broken revision can be corrected, and what is down anyway holds nothing up.
        (declared(), "CCb", "-2"),
        (declared(), "CC.", "+2n"),
        (declared(), "cCC", "-0"),
        (declared(), "Cbb", "-2"),
        (declared(), "cc-", ""),
        (declared(), "cCn", ""),
        # What has ended is replaced.
        (declared(), "NN!", "-2"),
        (declared(), "!NN", "-0"),
    ],
)
def test_what_is_next(wanted: w.StatefulSet, pods: str, expected: str) -> None:
    assert told(taken(wanted, pods).operations) == expected


@pytest.mark.parametrize(
    ("wanted", "pods", "claims", "expected"),
    [
        (declared(1), "N", ["data-db-0", "data-db-1"], ""),
        (declared(1, persistent_volume_claim_retention_policy=DELETE), "N", ["data-db-0", "data-db-1"], "data-db-1"),
        (declared(1, persistent_volume_claim_retention_policy=DELETE), "N-", ["data-db-1"], ""),
        (declared(1, persistent_volume_claim_retention_policy=DELETE), "N", ["data-web-1", "logs-db-1", "db-1"], ""),
        (declared(1, persistent_volume_claim_retention_policy=DELETE), "N", ["data-db-01", "data-db-1-2"], ""),
        (
            declared(2, ordinals=w.Ordinals(1), persistent_volume_claim_retention_policy=DELETE),
            ".NN",
            ["data-db-0", "data-db-1"],
            "data-db-0",
        ),
    ],
)
def test_claims(wanted: w.StatefulSet, pods: str, claims: list[str], expected: str) -> None:
    operations = taken(wanted, pods, claims).operations
    assert [op.pod for op in operations if isinstance(op, RemoveClaim)] == expected.split()


def test_status_in_the_shape_of_kubernetes() -> None:
    told = status_document(taken(declared(), "CNn").status)
    (progressing,) = told.pop("conditions")
    assert (progressing["type"], progressing["status"]) == ("Progressing", "True")
    assert told == {
        "replicas": 3,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "currentReplicas": 1,
        "updatedReplicas": 2,
        "currentRevision": "db-current",
        "updateRevision": "db-new",
    }


def test_the_current_revision_is_that_of_all_pods() -> None:
    assert taken(declared(), "CNN").record.current == "current"
    assert taken(declared(), "NNn").record.current == "current"
    assert taken(declared(), "NNN").record.current == "new"
    assert [one.digest for one in taken(declared(revision_history_limit=0), "NNN").record.revisions] == ["new"]
    assert [one.digest for one in taken(declared(revision_history_limit=1), "NNN").record.revisions] == ["other", "new"]


# --- whatever happens ------------------------------------------------------------------------------------------------


class Declaration(NamedTuple):
    """What is drawn of a StatefulSet."""

    replicas: int
    image: str
    partition: int
    unavailable: w.IntOrPercent
    is_parallel: bool
    min_ready_seconds: int

    def stateful_set(self) -> w.StatefulSet:
        policy = "Parallel" if self.is_parallel else "OrderedReady"
        return declared(
            self.replicas,
            self.image,
            self.partition,
            self.unavailable,
            policy,
            min_ready_seconds=self.min_ready_seconds,
        )


declarations = st.builds(
    Declaration,
    replicas=st.integers(0, 4),
    image=st.sampled_from(["v1", "v2", "v3", "broken"]),
    partition=st.sampled_from([0, 0, 0, 1, 2]),
    unavailable=st.sampled_from([1, 1, 2, "50%"]),
    is_parallel=st.booleans(),
    min_ready_seconds=st.sampled_from([0, 5]),
)
WORDS = "step step cut ready ready unready fail gone gone wait declare"
happenings = st.lists(st.tuples(st.sampled_from(WORDS.split()), st.integers(0, 20), declarations), max_size=40)


class Watched:
    """A StatefulSet on a host. Each step keeps its bounds."""

    def __init__(self, wanted: w.StatefulSet) -> None:
        self.wanted = wanted
        self.host = Host(stateful_set.StatefulSetRecord())

    def digest(self) -> str:
        return template_digest(self.wanted)

    def is_broken(self, pod: WorkloadPod) -> bool:
        revision = next(one for one in self.host.record.revisions if one.digest == pod.revision)
        return revision.template.containers[0].image == "broken"

    def step(self, host: Host) -> SetStep:
        step = stateful_set.step(self.wanted, self.digest(), host.record, host.sequence(), host.now)
        seconds = self.wanted.min_ready_seconds
        numbers = self.wanted.ordinal_range
        available = {p.name for p in host.sequence() if p.is_available(seconds, host.now) and p.number in numbers}
        ended = {operation.pod for operation in step.operations if isinstance(operation, EndPod)}
        bound = stateful_set._View(self.wanted, "", "", (), host.now).most_unavailable
        if ended & available:
            assert len(available - ended) >= self.wanted.replicas - bound
        added = [operation for operation in step.operations if isinstance(operation, AddPod)]
        assert not {operation.pod for operation in added} & {*host.pods}
        if self.wanted.pod_management_policy == "OrderedReady":
            assert len(added) <= 1
            before = [number for operation in added for number in numbers if number < operation.number]
            assert {f"db-{number}" for number in before} <= available
        again = stateful_set.step(self.wanted, self.digest(), step.record, host.sequence(), host.now)
        assert (again.operations, again.record) == (step.operations, step.record)
        return step

    def live(self, host: Host) -> None:
        for name, pod in list(host.pods.items()):
            if not self.is_broken(pod):
                host.set_ready(name)


def happen(watched: Watched, what: str, number: int, wanted: Declaration) -> None:
    host = watched.host
    names = sorted(host.pods)
    name = names[number % len(names)] if names else ""
    if what == "step":
        host.take(watched.step)
    elif what == "cut":
        host.take(watched.step, cut_after=number % 3)
    elif what == "declare":
        watched.wanted = wanted.stateful_set()
    elif what == "wait":
        host.now += number
    elif name and what == "ready" and not watched.is_broken(host.pods[name]):
        host.set_ready(name)
    elif name and what == "unready":
        host.set_unready(name)
    elif name and what == "fail":
        host.finish(name, 1)
    elif name and what == "gone":
        host.remove(name)


def test_a_broken_update_goes_back_by_itself_once_and_is_corrected_in_one_run() -> None:
    watched = Watched(declared(min_ready_seconds=5))
    watched.host.settle(watched.step, watched.live)
    good = watched.digest()
    watched.wanted = declared(image="broken", progress_deadline_seconds=60, min_ready_seconds=5)
    broken, began = watched.digest(), watched.host.now
    back = None
    for _second in range(200):
        step = watched.host.take(watched.step)
        watched.host.remove_all_ending()
        watched.live(watched.host)
        watched.host.now += 1
        back = back or step.record.failed
        assert sum(pod.is_ready for pod in watched.host.sequence()) >= 2
        if back:
            # The tables of kinds go for the good revision from here on.
            watched.wanted = replace(watched.wanted, template=declared().template)
    assert back is not None
    assert (back.revision, watched.digest()) == (broken, good)
    assert 65 <= back.at - began < 75
    assert "made no progress for 65 s; going back to revision 1" in back.message
    assert [operation.number for operation in watched.host.log if isinstance(operation, UndoRollout)] == [1]
    assert {pod.revision for pod in watched.host.sequence()} == {good}
    watched.wanted = declared(image="v2")
    assert watched.host.settle(watched.step, watched.live).record.failed is None
    assert {pod.revision for pod in watched.host.sequence()} == {watched.digest()}


def test_the_first_pods_have_a_deadline_and_nothing_to_go_back_to() -> None:
    watched = Watched(declared(image="broken", progress_deadline_seconds=60))
    step = watched.host.settle(watched.step, watched.live)
    (progressing,) = step.status.conditions
    assert (progressing.reason, step.record.failed) == ("ProgressDeadlineExceeded", None)
    assert [operation for operation in watched.host.log if isinstance(operation, UndoRollout)] == []
    # More pods of what is good have a deadline of their own.
    watched.wanted = declared(1)
    watched.host.settle(watched.step, watched.live)
    watched.wanted = declared(2)
    assert watched.host.settle(watched.step, watched.live).record.good == watched.digest()


def test_what_a_partition_keeps_is_no_proof() -> None:
    watched = Watched(declared())
    watched.host.settle(watched.step, watched.live)
    good = watched.digest()
    watched.wanted = declared(image="v2", partition=3)
    step = watched.host.settle(watched.step, watched.live)
    assert step.status.conditions[0].reason == "NewReplicaSetAvailable"
    assert step.record.good == good


@given(first=declarations, story=happenings)
def test_whatever_happens_the_bounds_hold_and_a_good_revision_gets_through(
    first: Declaration, story: list[tuple[str, int, Declaration]]
) -> None:
    watched = Watched(first.stateful_set())
    for what, number, wanted in story:
        happen(watched, what, number, wanted)
    # Whatever it was, a correction in one run is enough.
    watched.wanted = replace(watched.wanted, template=replace(watched.wanted.template, hostname="corrected"))
    container = replace(watched.wanted.template.containers[0], image="good")
    watched.wanted = replace(watched.wanted, template=replace(watched.wanted.template, containers=(container,)))
    update = w.StatefulSetStrategy("RollingUpdate", w.RollingUpdateOfSet(0, 1))
    watched.wanted = replace(watched.wanted, update_strategy=update)
    done = watched.host.settle(watched.step, watched.live)
    assert sorted(watched.host.pods) == [f"db-{number}" for number in range(watched.wanted.replicas)]
    assert {pod.revision for pod in watched.host.sequence()} <= {watched.digest()}
    assert done.record.current == watched.digest()
