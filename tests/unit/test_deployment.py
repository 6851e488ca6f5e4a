# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts: the numbers of Kubernetes' own tests, its traps, and what holds whatever happens to the pods.

The tables are data/rollout.json. Numbers in brackets are issues of kubernetes/kubernetes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workload_model import START, Host

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import Operation
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import deployment, replica_set
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.bounds import (
    deployment_bounds,
    resolve,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.facts import WorkloadPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.progress import PROGRESSING
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.revisions import (
    Revision,
    pod_name,
    sure_beginning,
    template_digest,
    without_old,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import (
    AddPod,
    EndPod,
    UndoRollout,
    WorkloadStep,
    find_condition,
    status_document,
)

TABLE = json.loads((Path(__file__).parent / "data" / "rollout.json").read_text(encoding="utf-8"))
KEY = b"key"
DeploymentStep = WorkloadStep[deployment.DeploymentRecord, deployment.DeploymentStatus]


def rows(name: str) -> list[Any]:
    return [pytest.param(row, id=row.get("name", str(number))) for number, row in enumerate(TABLE[name])]


def template(image: str = "v1", **fields: Any) -> s.PodSpec:
    return s.PodSpec("web", (s.Container("a", image),), **fields)


def declared(
    replicas: int = 4, surge: w.IntOrPercent = 1, unavailable: w.IntOrPercent = 1, image: str = "v1", **fields: Any
) -> w.Deployment:
    strategy = w.DeploymentStrategy("RollingUpdate", w.RollingUpdate(surge, unavailable))
    fields = {"strategy": strategy, "template": template(image), **fields}
    return w.Deployment("web", selector=w.Selector({"app": "web"}), replicas=replicas, **fields)


def pods(revision: str, count: int, available: int | None = None, **fields: Any) -> dict[str, WorkloadPod]:
    """So many pods of a revision, of which some are available since long ago."""
    available = count if available is None else available
    made = {}
    for number in range(count):
        ready = {"phase": "Running", "ready_since": START - 1000} if number < available else {}
        name = pod_name("web", revision, number)
        made[name] = WorkloadPod(name, revision, number, **{**ready, **fields})
    return made


def taken(
    wanted: w.Deployment,
    old: Sequence[tuple[int, int]],
    new: tuple[int, int] | None,
    replicas_before: int | None = None,
    surge_before: int = 0,
) -> DeploymentStep:
    """The step where revisions have so many pods and available ones; ``new`` None where it has not begun."""
    revisions = [Revision(n, f"old{n}", template(f"old{n}"), size) for n, (size, _found) in enumerate(old, 1)]
    found = {name: pod for n, (size, up) in enumerate(old, 1) for name, pod in pods(f"old{n}", size, up).items()}
    if new is not None:
        revisions.append(Revision(len(old) + 1, "new", wanted.template, new[0]))
        found.update(pods("new", *new))
    record = deployment.DeploymentRecord(tuple(revisions), replicas=replicas_before, surge=surge_before)
    return deployment.step(wanted, "new", record, list(found.values()), START)


def sizes(step: DeploymentStep) -> dict[str, int]:
    return {one.digest: one.size for one in step.record.revisions}


# --- Kubernetes' tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows("resolve_fenceposts"))
def test_both_bounds(row: dict[str, Any]) -> None:
    if row["error"]:
        with pytest.raises(ValueError, match="neither a number nor a share"):
            resolve(row["maxSurge"], row["maxUnavailable"], row["desired"])
        return
    bounds = resolve(row["maxSurge"], row["maxUnavailable"], row["desired"])
    assert (bounds.surge, bounds.unavailable) == (row["surge"], row["unavailable"])


@pytest.mark.parametrize("row", [row for row in rows("max_unavailable") if row.values[0]["strategy"] != "Recreate"])
def test_max_unavailable(row: dict[str, Any]) -> None:
    assert deployment_bounds(declared(row["replicas"], 1, row["maxUnavailable"])).unavailable == row["expected"]


@pytest.mark.parametrize("row", [row for row in rows("new_size") if row.values[0]["strategy"] != "Recreate"])
def test_size_of_the_new_revision(row: dict[str, Any]) -> None:
    wanted = declared(row["replicas"], row["max_surge"], 0 if row["max_surge"] else 1)
    step = taken(wanted, [(row["old"], row["old"])], (row["new"], 0), row["replicas"])
    assert sizes(step)["new"] == row["expected"]


@pytest.mark.parametrize("row", rows("old_size"))
def test_size_of_the_old_revision(row: dict[str, Any]) -> None:
    wanted = declared(row["replicas"], 0, row["max_unavailable"])
    old, new = (row["old"], row["available_old"]), (row["new"], row["available_new"])
    assert sizes(taken(wanted, [old], new, row["replicas"]))["old1"] == row["expected_old"]


@pytest.mark.parametrize("row", rows("scale"))
def test_scaled_in_proportion(row: dict[str, Any]) -> None:
    # Paused, so that nothing but the scaling happens.
    wanted = declared(row["replicas"], row["surge"], 0 if row["surge"] else 1, paused=True)
    new = None if row["new"] is None else (row["new"], row["new"])
    step = taken(wanted, [(size, size) for size in row["old"]], new, row["replicas_before"] or 0, row["surge_before"])
    if row["replicas_before"] == row["replicas"]:
        # Kubernetes scales up from zero what never was; here it is the rollout that does.
        step = taken(replace(wanted, paused=False), [(0, 0) for _one in row["old"]], (0, 0), 6)
    found = sizes(step)
    assert [found.get(f"old{n}", 0) for n in range(1, len(row["old"]) + 1)] == row["expected_old"]
    assert found.get("new") == row["expected_new"]


@pytest.mark.parametrize("row", rows("history"))
def test_history(row: dict[str, Any]) -> None:
    revisions = tuple(Revision(n, f"r{n}", template(), size) for n, (size, _found) in enumerate(row["sizes"]))
    in_use = {f"r{n}" for n, (_size, found) in enumerate(row["sizes"]) if found}
    assert len(revisions) - len(without_old(revisions, row["limit"], in_use)) == row["removed"]


# --- a rollout as it goes --------------------------------------------------------------------------------------------


class Rollout:
    """A Deployment on a host. What is declared can change at any time; pods of broken images are never ready."""

    def __init__(self, wanted: w.Deployment, broken: Sequence[str] = (), reverts: bool = True) -> None:
        self.wanted = wanted
        self.broken = broken
        self.options = deployment.Options(reverts=reverts)
        self.host = Host(deployment.DeploymentRecord(), done=self._undo)

    def _undo(self, operation: Operation) -> None:
        assert isinstance(operation, UndoRollout)
        revision = next(one for one in self.host.record.revisions if one.number == operation.number)
        self.wanted = replace(self.wanted, template=revision.template)

    def digest(self) -> str:
        return template_digest(self.wanted)

    def step(self, host: Host) -> DeploymentStep:
        return deployment.step(self.wanted, self.digest(), host.record, host.sequence(), host.now, self.options)

    def image_of(self, pod: WorkloadPod) -> str:
        return str(next(r.template.containers[0].image for r in self.host.record.revisions if r.digest == pod.revision))

    def live(self, host: Host) -> None:
        """All pods come up that can."""
        for name, pod in list(host.pods.items()):
            if self.image_of(pod) not in self.broken:
                host.set_ready(name)

    def settle(self) -> DeploymentStep:
        return self.host.settle(self.step, self.live)

    def images(self) -> list[str]:
        return sorted(self.image_of(pod) for pod in self.host.sequence())


def progressing(step: DeploymentStep) -> tuple[str, str]:
    found = find_condition(step.status.conditions, PROGRESSING)
    assert found is not None
    return found.status, found.reason


def test_a_rollout_from_nothing_and_to_another_image() -> None:
    rollout = Rollout(declared(4))
    first = rollout.host.take(rollout.step)
    names = [pod_name("web", rollout.digest(), number) for number in range(4)]
    assert [operation.pod for operation in first.operations] == names
    assert progressing(first) == ("True", "ReplicaSetUpdated")
    done = rollout.settle()
    assert progressing(done) == ("True", "NewReplicaSetAvailable")
    rollout.wanted = declared(4, image="v2")
    second = rollout.host.take(rollout.step)
    assert [type(operation) for operation in second.operations] == [EndPod, EndPod, AddPod][1:]
    assert rollout.settle().status.updated_replicas == 4
    assert rollout.images() == ["v2"] * 4


def test_nothing_changed_is_nothing_to_do() -> None:
    rollout = Rollout(declared(4))
    done = rollout.settle()
    rollout.host.now += 10_000
    again = rollout.host.take(rollout.step)
    assert (again.operations, again.record, again.look_at) == ((), done.record, None)


def test_a_broken_update_goes_back_by_itself_while_the_old_pods_serve() -> None:
    rollout = Rollout(declared(4), broken=["v2"])
    rollout.settle()
    good = rollout.digest()
    rollout.wanted = declared(4, image="v2")
    broken, least = rollout.digest(), []
    began = rollout.host.now

    def live(host: Host) -> None:
        rollout.live(host)
        least.append(sum(pod.is_available(0, host.now) for pod in host.sequence()))

    done = rollout.host.settle(rollout.step, live)
    assert min(least) == 3
    assert rollout.images() == ["v1"] * 4
    assert done.record.failed is not None
    assert (done.record.failed.revision, done.record.good, rollout.digest()) == (broken, good, good)
    assert 600 <= done.record.failed.at - began < 620
    assert "going back to revision 1" in done.record.failed.message
    assert [one.number for one in done.record.revisions] == [2, 3]
    assert sum(isinstance(operation, UndoRollout) for operation in rollout.host.log) == 1
    # Asked for once more it is tried once more.
    rollout.wanted = declared(4, image="v2")
    assert rollout.host.take(rollout.step).record.failed is None


def test_a_broken_update_that_is_to_stay_is_reported() -> None:
    rollout = Rollout(declared(4), broken=["v2"], reverts=False)
    rollout.settle()
    rollout.wanted = declared(4, image="v2")
    done = rollout.settle()
    assert progressing(done) == ("False", "ProgressDeadlineExceeded")
    assert done.status.available_replicas == 3
    rollout.wanted = declared(4, image="v3")
    assert progressing(rollout.settle()) == ("True", "NewReplicaSetAvailable")
    assert rollout.images() == ["v3"] * 4


def test_no_pods_show_nothing() -> None:
    """What was wanted without pods is not known to be good, and its first pods have a deadline."""
    rollout = Rollout(declared(2))
    rollout.settle()
    good = rollout.digest()
    rollout.wanted, rollout.broken = declared(0, image="v2"), ["v2"]
    assert rollout.settle().record.good == good
    rollout.wanted = declared(2, image="v2")
    assert rollout.settle().record.failed is not None
    assert rollout.images() == ["v1", "v1"]


def test_the_first_rollout_has_nothing_to_go_back_to() -> None:
    rollout = Rollout(declared(2), broken=["v1"])
    done = rollout.settle()
    assert progressing(done) == ("False", "ProgressDeadlineExceeded")
    assert find_condition(done.status.conditions, "Available").status == "False"  # type: ignore[union-attr]
    rollout.broken = ()
    assert progressing(rollout.settle()) == ("True", "NewReplicaSetAvailable")


def test_a_pod_that_crashes_again_and_again_is_no_progress() -> None:
    rollout = Rollout(declared(1, 1, 0), broken=["v2"])
    rollout.settle()
    rollout.wanted = declared(1, 1, 0, image="v2", min_ready_seconds=30)

    def live(host: Host) -> None:
        for name, pod in list(host.pods.items()):
            if rollout.image_of(pod) == "v1" or int(host.now) % 20 < 10:
                host.set_ready(name)
            else:
                host.set_unready(name)

    for _second in range(700):
        rollout.host.take(rollout.step)
        rollout.host.remove_all_ending()
        live(rollout.host)
        rollout.host.now += 1
    assert rollout.host.record.failed is not None
    assert rollout.settle().status.updated_replicas == 1


def test_pods_that_are_being_removed_count() -> None:
    """(95498, 99513, 97227): a new pod comes when an old one is gone, not when it is told to go."""
    rollout = Rollout(declared(3, 0, 1))
    rollout.settle()
    rollout.wanted = declared(3, 0, 1, image="v2")
    for _step in range(5):
        step = rollout.host.take(rollout.step)
    assert step.operations == ()
    assert [pod.is_ending for pod in rollout.host.sequence()].count(True) == 1
    rollout.host.remove_all_ending()
    assert [type(operation) for operation in rollout.host.take(rollout.step).operations] == [AddPod]


def test_fifteen_pods_bring_four_new_ones_and_not_seven() -> None:
    """Kubernetes' issue 95498."""
    rollout = Rollout(declared(15, "25%", "25%"))
    rollout.settle()
    rollout.wanted = declared(15, "25%", "25%", image="v2")
    first = rollout.host.take(rollout.step)
    assert [type(operation) for operation in first.operations].count(AddPod) == 4
    assert [type(operation) for operation in first.operations].count(EndPod) == 3
    assert rollout.host.take(rollout.step).operations == ()
    rollout.host.remove_all_ending()
    assert [type(operation) for operation in rollout.host.take(rollout.step).operations] == [AddPod] * 3


def test_never_both_of_two() -> None:
    """Kubernetes' issue 70570."""
    rollout = Rollout(declared(2, "25%", "25%"))
    rollout.settle()
    rollout.wanted = declared(2, "25%", "25%", image="v2")
    step = rollout.host.take(rollout.step)
    assert [type(operation) for operation in step.operations] == [AddPod]
    # The new one is there and not ready: the old ones stay, however often one looks.
    for _look in range(5):
        assert rollout.host.take(rollout.step).operations == ()


def recreated(replicas: int = 2, image: str = "v1") -> w.Deployment:
    return declared(replicas, image=image, strategy=w.DeploymentStrategy("Recreate", None))


def test_recreate_waits_until_the_old_pods_are_gone() -> None:
    rollout = Rollout(recreated())
    rollout.settle()
    rollout.wanted = recreated(image="v2")
    step = rollout.host.take(rollout.step)
    assert [type(operation) for operation in step.operations] == [EndPod, EndPod]
    assert rollout.host.take(rollout.step).operations == ()
    rollout.host.remove_all_ending()
    assert [type(operation) for operation in rollout.host.take(rollout.step).operations] == [AddPod, AddPod]


def test_recreate_does_not_wait_for_pods_that_have_failed() -> None:
    """Kubernetes' issue 128798."""
    rollout = Rollout(recreated(1))
    rollout.settle()
    name = next(iter(rollout.host.pods))
    rollout.host.finish(name, 1)
    rollout.wanted = recreated(1, "v2")
    assert [type(operation) for operation in rollout.host.take(rollout.step).operations] == [EndPod, AddPod]


def test_what_is_gone_back_to_outlasts_a_history_of_none() -> None:
    rollout = Rollout(replace(recreated(2), revision_history_limit=0), broken=["v2"])
    rollout.settle()
    rollout.wanted = replace(recreated(2, "v2"), revision_history_limit=0)
    done = rollout.settle()
    assert (rollout.images(), done.record.failed is None) == (["v1", "v1"], False)


def test_paused_takes_no_new_template_but_is_scaled() -> None:
    rollout = Rollout(declared(2))
    rollout.settle()
    rollout.wanted = declared(2, image="v2", paused=True)
    paused = rollout.settle()
    assert progressing(paused) == ("Unknown", "DeploymentPaused")
    assert rollout.images() == ["v1", "v1"]
    rollout.wanted = declared(4, image="v2", paused=True)
    rollout.host.now += 10_000
    rollout.settle()
    assert rollout.images() == ["v1"] * 4
    rollout.wanted = declared(4, image="v2")
    assert progressing(rollout.host.take(rollout.step)) == ("True", "ReplicaSetUpdated")
    rollout.settle()
    assert rollout.images() == ["v2"] * 4


def test_the_deadline_stands_still_while_paused() -> None:
    rollout = Rollout(declared(2, progress_deadline_seconds=60), broken=["v2"])
    rollout.settle()
    rollout.wanted = declared(2, image="v2", progress_deadline_seconds=60)
    rollout.host.take(rollout.step)
    rollout.wanted = replace(rollout.wanted, paused=True)
    rollout.host.take(rollout.step)
    rollout.host.now += 1000
    assert rollout.host.take(rollout.step).record.failed is None
    rollout.wanted = replace(rollout.wanted, paused=False)
    assert progressing(rollout.host.take(rollout.step)) == ("Unknown", "DeploymentResumed")
    rollout.host.now += 59
    assert rollout.host.take(rollout.step).record.failed is None
    rollout.host.now += 1
    assert rollout.host.take(rollout.step).record.failed is not None


def test_the_deadline_starts_over_when_it_is_scaled() -> None:
    rollout = Rollout(declared(4, progress_deadline_seconds=60), broken=["v2"])
    rollout.settle()
    rollout.wanted = declared(4, image="v2", progress_deadline_seconds=60)
    for _step in range(3):
        rollout.host.take(rollout.step)
        rollout.host.remove_all_ending()
    rollout.host.now += 59
    rollout.wanted = replace(rollout.wanted, replicas=3)
    scaled_at = rollout.host.now
    rollout.host.take(rollout.step)
    assert rollout.settle().record.failed.at >= scaled_at + 60


def test_minimum_ready_seconds_say_when_to_look_again() -> None:
    rollout = Rollout(declared(1, min_ready_seconds=10))
    rollout.host.take(rollout.step)
    rollout.live(rollout.host)
    began = rollout.host.now
    rollout.host.now += 3
    step = rollout.host.take(rollout.step)
    assert (step.look_at, step.status.ready_replicas, step.status.available_replicas) == (began + 10, 1, 0)
    rollout.host.now += 7
    assert rollout.host.take(rollout.step).status.available_replicas == 1


def test_an_old_template_that_is_wanted_again_is_a_new_revision_of_the_same_pods() -> None:
    rollout = Rollout(declared(2))
    rollout.settle()
    first = {*rollout.host.pods}
    rollout.wanted = declared(2, image="v2")
    rollout.settle()
    rollout.wanted = declared(2)
    done = rollout.settle()
    assert [(one.number, one.size) for one in done.record.revisions] == [(2, 0), (3, 2)]
    assert {*rollout.host.pods} == first


# --- on one host -----------------------------------------------------------------------------------------------------

PORTS = (s.Container("a", "v1", ports=(s.ContainerPort(80, host_port=80),)),)
CLAIM = s.Volume("data", persistent_volume_claim=s.PersistentVolumeClaimVolume("data"))
READ_ONLY = s.Volume("data", persistent_volume_claim=s.PersistentVolumeClaimVolume("data", read_only=True))


@pytest.mark.parametrize(
    ("changes", "existing", "room", "expected"),
    [
        ({}, 4, None, (1, 1, "")),
        ({"template": s.PodSpec("web", PORTS)}, 1, None, (0, 1, "host port 80/tcp can be had once")),
        ({"template": s.PodSpec("web", PORTS, host_network=True)}, 1, None, (0, 1, "host port 80/tcp can be had once")),
        (
            {"template": template(volumes=(CLAIM,)), "replicas": 1},
            1,
            None,
            (0, 1, "volume data is for one pod at a time"),
        ),
        ({"template": template(volumes=(CLAIM,)), "replicas": 1, "shares_volumes": True}, 1, None, (1, 1, "")),
        ({"template": template(volumes=(CLAIM,)), "replicas": 2}, 2, None, (1, 1, "")),
        ({"template": template(volumes=(READ_ONLY,)), "replicas": 1}, 1, None, (1, 1, "")),
        ({}, 4, 0, (0, 1, "this host has no room for more pods at a time")),
        ({}, 4, 1, (1, 1, "")),
        ({}, 5, 0, (1, 1, "")),
        ({"strategy": w.DeploymentStrategy("RollingUpdate", w.RollingUpdate(2, 0))}, 4, 0, (0, 1, "this host has no")),
        ({"strategy": w.DeploymentStrategy("RollingUpdate", w.RollingUpdate(2, 0))}, 4, 1, (1, 0, "this host has no")),
        ({"strategy": w.DeploymentStrategy("Recreate", None)}, 4, None, (0, 4, "")),
    ],
)
def test_bounds_on_one_host(
    changes: dict[str, Any], existing: int, room: int | None, expected: tuple[int, int, str]
) -> None:
    bounds = deployment_bounds(replace(declared(4), **changes), existing, room)
    assert (bounds.surge, bounds.unavailable) == expected[:2]
    assert bounds.reason.startswith(expected[2])
    assert bool(bounds.reason) is bool(expected[2])


def test_a_host_port_is_given_up_before_it_is_taken_and_the_plan_says_why() -> None:
    rollout = Rollout(declared(1, template=s.PodSpec("web", PORTS)))
    rollout.settle()
    rollout.wanted = replace(rollout.wanted, template=replace(rollout.wanted.template, hostname="other"))
    step = rollout.host.take(rollout.step)
    assert [type(operation) for operation in step.operations] == [EndPod]
    assert "host port 80/tcp can be had once" in str(step.operations[0])
    rollout.settle()
    assert len(rollout.host.pods) == 1


def test_a_host_that_is_full_still_gets_its_update() -> None:
    rollout = Rollout(declared(2, 1, 0))
    rollout.settle()
    rollout.wanted = declared(2, 1, 0, image="v2")
    counts = []

    def live(host: Host) -> None:
        rollout.live(host)
        counts.append(len(host.pods))
        rollout.options = deployment.Options(room=2 - len(host.pods))

    rollout.options = deployment.Options(room=0)
    rollout.host.settle(rollout.step, live)
    assert (max(counts), rollout.images()) == (2, ["v2", "v2"])


# --- names and documents ---------------------------------------------------------------------------------------------


def test_names_are_foreseeable_and_never_too_long() -> None:
    digest = template_digest(declared())
    assert digest == template_digest(declared(9, paused=True))
    assert digest != template_digest(declared(image="v2"))
    assert digest != template_digest(declared(), "the configuration has changed")
    assert len(digest) == 8
    assert pod_name("web", digest, 3) == f"web-{digest}-3"
    long = pod_name("a" * 50 + ".b" * 6, digest, 12)
    assert (len(long) <= 63, long.endswith(f"a-{digest}-12")) == (True, True)


@pytest.mark.parametrize("workload", ["w", "web", "web.shop", "a" * 63, "ab-" * 20 + "c", "a" + "-" * 30 + "b"])
@pytest.mark.parametrize("numbers", [(0,), (2**31,), (2**31, 2**31)])
def test_every_pod_of_a_workload_is_found_by_its_name(workload: str, numbers: tuple[int, ...]) -> None:
    digest = template_digest(declared())
    assert pod_name(workload, digest, *numbers).startswith(sure_beginning(workload))
    assert not pod_name("other", digest, *numbers).startswith(sure_beginning(workload))


def test_status_in_the_shape_of_kubernetes() -> None:
    rollout = Rollout(declared(2))
    document = status_document(rollout.settle().status)
    assert {name: document[name] for name in document if name != "conditions"} == {
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "unavailableReplicas": 0,
        "terminatingReplicas": 0,
    }
    conditions = {condition["type"]: condition for condition in document["conditions"]}
    assert conditions["Available"]["reason"] == "MinimumReplicasAvailable"
    assert conditions["Progressing"]["lastUpdateTime"].endswith("Z")


def test_no_pod_is_added_while_others_go_that_take_its_place() -> None:
    """Whatever the sizes say."""
    going = pods("x", 3, is_ending=True)
    found = [*list(going.values())[:2], *pods("y", 1).values()]

    def operations(at_most: int) -> list[Operation]:
        limits: dict[str, Any] = {"at_most": at_most, "at_least": 0, "causes": {"y": ""}}
        return replica_set.converged("web", {"x": 0, "y": 3}, found, 0, START, **limits)

    assert [len(operations(at_most)) for at_most in (2, 3, 4, 5, 6)] == [0, 0, 1, 2, 2]


# --- ReplicaSets -----------------------------------------------------------------------------------------------------


def replica_step(replicas: int, found: dict[str, WorkloadPod], image: str = "v1") -> WorkloadStep[Any, Any]:
    wanted = w.ReplicaSet("web", template=template(image), replicas=replicas)
    digest = template_digest(wanted)
    return replica_set.step(wanted, digest, replica_set.ReplicaSetRecord(), list(found.values()), START)


def test_a_replica_set_keeps_its_number() -> None:
    assert [type(operation) for operation in replica_step(3, {}).operations] == [AddPod] * 3
    assert replica_step(3, pods("x", 3)).operations == ()
    assert [operation.pod for operation in replica_step(2, pods("x", 3, 2)).operations] == ["web-x-2"]
    assert [operation.pod for operation in replica_step(2, pods("x", 3)).operations] == ["web-x-2"]
    assert replica_step(2, {**pods("x", 2), **pods("y", 1, is_ending=True)}).operations == ()


def test_a_pod_that_has_ended_is_replaced() -> None:
    found = pods("x", 2)
    found["web-x-0"] = replace(found["web-x-0"], phase="Failed")
    step = replica_step(2, found)
    assert [type(operation) for operation in step.operations] == [EndPod, AddPod]
    assert (step.status.replicas, step.status.available_replicas) == (1, 1)


def test_a_changed_template_of_a_replica_set_is_for_new_pods_only() -> None:
    assert replica_step(2, pods("x", 2), "v2").operations == ()


# --- whatever happens ------------------------------------------------------------------------------------------------

IMAGES = ("v1", "v2", "v3", "broken")
counts_or_shares = st.integers(0, 4) | st.sampled_from(["0%", "25%", "50%", "100%"])


class Declaration(NamedTuple):
    """What is drawn of a Deployment; few words, for whoever reads a story that fails."""

    replicas: int
    image: str
    surge: w.IntOrPercent
    unavailable: w.IntOrPercent
    is_recreated: bool
    is_paused: bool
    min_ready_seconds: int
    history: int

    def deployment(self) -> w.Deployment:
        is_stuck = {self.surge, self.unavailable} <= {0, "0%"}
        update = w.RollingUpdate(self.surge, 1 if is_stuck else self.unavailable)
        recreate, rolling = w.DeploymentStrategy("Recreate", None), w.DeploymentStrategy("RollingUpdate", update)
        return declared(
            self.replicas,
            image=self.image,
            strategy=recreate if self.is_recreated else rolling,
            min_ready_seconds=self.min_ready_seconds,
            progress_deadline_seconds=60,
            paused=self.is_paused,
            revision_history_limit=self.history,
        )


seldom = st.sampled_from([False] * 7 + [True])
declarations = st.builds(
    Declaration,
    replicas=st.integers(0, 6),
    image=st.sampled_from(IMAGES),
    surge=counts_or_shares,
    unavailable=counts_or_shares,
    is_recreated=seldom,
    is_paused=seldom,
    min_ready_seconds=st.sampled_from([0, 5]),
    history=st.sampled_from([0, 1, 10]),
)

happenings = st.lists(
    st.tuples(
        st.sampled_from(
            ["step", "step", "cut", "ready", "ready", "unready", "fail", "gone", "gone", "vanish", "wait", "declare"]
        ),
        st.integers(0, 20),
        declarations,
    ),
    max_size=40,
)


class Watched(Rollout):
    """A rollout that is watched: each step keeps the bounds of what is declared when it is taken."""

    def step(self, host: Host) -> DeploymentStep:
        step = super().step(host)
        bounds = deployment_bounds(self.wanted)
        seconds = self.wanted.min_ready_seconds
        running = {name: pod for name, pod in host.pods.items() if not pod.is_over}
        available = {name for name, pod in running.items() if pod.is_available(seconds, host.now)}
        added = [operation.pod for operation in step.operations if isinstance(operation, AddPod)]
        ended = {operation.pod for operation in step.operations if isinstance(operation, EndPod)}
        assert len({*added}) == len(added)
        assert not {*added} & {*host.pods}
        if added:
            assert len(running) + len(added) <= self.wanted.replicas + bounds.surge
        if ended & available:
            assert len(available - ended) >= self.wanted.replicas - bounds.unavailable
        again = deployment.step(self.wanted, self.digest(), step.record, host.sequence(), host.now, self.options)
        assert (again.operations, again.record) == (step.operations, step.record)
        return step


def happen(rollout: Watched, what: str, number: int, wanted: Declaration) -> None:
    host = rollout.host
    names = sorted(host.pods)
    name = names[number % len(names)] if names else ""
    if what == "step":
        host.take(rollout.step)
    elif what == "cut":
        host.take(rollout.step, cut_after=number % 4)
    elif what == "declare":
        rollout.wanted = wanted.deployment()
    elif what == "wait":
        host.now += number
    elif name and what == "ready" and rollout.image_of(host.pods[name]) != "broken":
        host.set_ready(name)
    elif name and what == "unready":
        host.set_unready(name)
    elif name and what == "fail":
        host.finish(name, 1)
    elif name and what == "gone":
        host.remove(name)
    elif name and what == "vanish":
        del host.pods[name]


@given(first=declarations, story=happenings)
def test_whatever_happens_the_bounds_hold_and_it_ends(
    first: Declaration, story: list[tuple[str, int, Declaration]]
) -> None:
    rollout = Watched(first.deployment(), broken=["broken"])
    for what, number, wanted in story:
        happen(rollout, what, number, wanted)
    if rollout.wanted.paused:
        rollout.settle()
        rollout.wanted = replace(rollout.wanted, paused=False)
    done = rollout.settle()
    status, reason = progressing(done)
    if reason == "NewReplicaSetAvailable":
        assert deployment.is_complete(rollout.wanted, done.status)
        assert {pod.revision for pod in rollout.host.sequence()} <= {rollout.digest()}
    else:
        assert (status, reason) == ("False", "ProgressDeadlineExceeded")
        assert rollout.wanted.template.containers[0].image == "broken"
    limit = rollout.wanted.revision_history_limit
    assert len(done.record.revisions) <= limit + 1 + len({pod.revision for pod in rollout.host.sequence()}) + 1
