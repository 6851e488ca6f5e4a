# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of kinds: what each goes for, how far it has come, and what a run that applies it anew tries again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from workload_model import Host

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import deployment, kinds
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.job_record import JobRecord, OpenPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.progress import FailedRollout
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.records import RECORDS
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import WorkloadStep

DEADLINE_SECONDS = 60


def template(image: str = "v1") -> s.PodSpec:
    return s.PodSpec("web", (s.Container("a", image),))


def declared(kind: type[Any], image: str = "v1", **fields: Any) -> Any:
    if kind is w.CronJob:
        return w.CronJob("web", schedule="0 3 * * *", job_template=w.Job("web", template=template(image)))
    if kind in (w.Deployment, w.StatefulSet, w.DaemonSet):
        fields = {"progress_deadline_seconds": DEADLINE_SECONDS, **fields}
    never = {"restart_policy": "Never"} if kind is w.Job else {}
    return kind("web", template=replace(template(image), **never), **fields)


class Kept:
    """A workload on the model of a host, stepped by the tables."""

    def __init__(self, workload: Any) -> None:
        self.workload = workload
        self.host = Host(kinds.first_record(workload))
        self.is_good = True

    def step(self, host: Host) -> WorkloadStep[Any, Any]:
        aim = kinds.wanted(self.workload, host.record)
        return kinds.take(aim, host.record, host.sequence(), host.now, kinds.Surroundings())

    def once(self) -> kinds.Outcome:
        return kinds.outcome(self.workload, self.host.take(self.step))

    def live(self, host: Host) -> None:
        """All pods become ready, or, of a Job, succeed; those of the second template only where it is good."""
        broken = {one.digest for one in getattr(host.record, "revisions", ()) if one.template == template("v2")}
        for name in list(host.pods):
            if isinstance(self.workload, w.Job):
                host.finish(name)
            elif self.is_good or host.pods[name].revision not in broken:
                host.set_ready(name)

    def to_the_end(self) -> kinds.Outcome:
        self.host.settle(self.step, self.live)
        return self.once()


@pytest.mark.parametrize("kind", w.KINDS)
def test_each_kind_has_a_row_in_each_table(kind: type[Any]) -> None:
    workload = declared(kind)
    assert isinstance(kinds.first_record(workload), RECORDS[workload.kind])
    assert kinds.wanted(workload, kinds.first_record(workload)).workload == workload
    assert kinds.tried_again(kinds.first_record(workload)) == kinds.first_record(workload)


@pytest.mark.parametrize("kind", [kind for kind in w.KINDS if kind is not w.CronJob])
def test_a_workload_is_there_once_its_pods_are(kind: type[Any]) -> None:
    kept = Kept(declared(kind))
    begun = kept.once()
    assert not begun.is_there
    assert not begun.failure
    assert begun.missing
    assert kept.to_the_end().is_there
    if kind is w.Job:
        return
    name = next(iter(kept.host.pods))
    kept.host.set_unready(name)
    assert not kept.once().is_there


@pytest.mark.parametrize("kind", [w.Deployment, w.StatefulSet, w.DaemonSet])
def test_a_workload_is_there_once_its_pods_are_of_the_wanted_template(kind: type[Any]) -> None:
    kept = Kept(declared(kind))
    kept.to_the_end()
    kept.workload = declared(kind, "v2")
    assert not kept.once().is_there
    assert kept.to_the_end().is_there
    assert [found.revision for found in kept.host.sequence()] == [kinds.wanted(kept.workload, kept.host.record).digest]


@pytest.mark.parametrize("kind", [w.ReplicaSet, w.ReplicationController])
def test_replicas_keep_the_template_that_they_have(kind: type[Any]) -> None:
    kept = Kept(declared(kind))
    kept.to_the_end()
    kept.workload = declared(kind, "v2")
    assert kept.once().is_there


def partitioned(start: int, partition: int) -> Any:
    update = w.StatefulSetStrategy(rolling_update=w.RollingUpdateOfSet(partition))
    return declared(w.StatefulSet, replicas=3, ordinals=w.Ordinals(start), update_strategy=update)


@pytest.mark.parametrize("start", [0, 5])
@pytest.mark.parametrize(("partition", "updated"), [(0, 3), (2, 1), (3, 0), (9, 0)])
def test_a_set_is_there_once_what_lies_above_the_partition_is_updated(start: int, partition: int, updated: int) -> None:
    kept = Kept(partitioned(start, partition))
    kept.to_the_end()
    kept.workload = replace(kept.workload, template=template("v2"))
    assert kept.once().is_there == (updated == 0)
    assert kept.to_the_end().is_there
    digest = kinds.wanted(kept.workload, kept.host.record).digest
    assert sum(found.revision == digest for found in kept.host.sequence()) == updated


@pytest.mark.parametrize(
    ("kind", "strategy"), [(w.StatefulSet, w.StatefulSetStrategy), (w.DaemonSet, w.DaemonSetStrategy)]
)
def test_what_is_updated_on_delete_is_there_as_it_is(kind: type[Any], strategy: type[Any]) -> None:
    kept = Kept(declared(kind, update_strategy=strategy("OnDelete", None)))
    kept.to_the_end()
    kept.workload = replace(kept.workload, template=template("v2"))
    assert kept.once().is_there


def failed_update(**fields: Any) -> Kept:
    """A Deployment of two whose second template never gets ready, at the step after its deadline."""
    strategy = w.DeploymentStrategy(rolling_update=w.RollingUpdate(1, 1))
    kept = Kept(declared(w.Deployment, replicas=2, strategy=strategy, **fields))
    kept.to_the_end()
    kept.workload, kept.is_good = replace(kept.workload, template=template("v2")), False
    for _turn in range(5):
        assert kept.once().failure == ""
        kept.host.remove_all_ending()
        kept.live(kept.host)
    kept.host.now += DEADLINE_SECONDS
    return kept


def test_an_update_that_has_failed_is_back_once_the_pods_of_before_are() -> None:
    kept = failed_update()
    found = kept.once()
    assert (found.is_there, found.is_back) == (False, False)
    assert "made no progress for 60 s" in found.failure
    declared_now = kinds.wanted(kept.workload, kept.host.record).workload
    assert declared_now.template == template("v1")  # type: ignore[union-attr]
    for _turn in range(20):
        if found.is_back:
            break
        # The pod that gave way to the update comes back, and is not ready at once.
        are_whole = len(kept.host.pods) == 2 and all(pod.is_ready for pod in kept.host.sequence())
        kept.host.remove_all_ending()
        found = kept.once()
        assert not found.is_there
        assert found.failure
        assert not found.is_back or are_whole
        kept.live(kept.host)
    assert {pod.revision for pod in kept.host.sequence()} == {kept.host.record.good}


@pytest.mark.parametrize("kind", [w.StatefulSet, w.DaemonSet])
def test_a_broken_update_of_a_set_goes_back_and_is_corrected(kind: type[Any]) -> None:
    kept = Kept(declared(kind))
    kept.to_the_end()
    kept.workload, kept.is_good = declared(kind, "v2"), False
    for _turn in range(5):
        assert kept.once().failure == ""
        kept.host.remove_all_ending()
    kept.host.now += DEADLINE_SECONDS
    assert "made no progress for 60 s; going back to revision 1" in kept.once().failure
    assert kinds.is_going_back(kept.host.record)
    kept.is_good = True
    kept.to_the_end()
    assert kept.once().is_back
    assert {pod.revision for pod in kept.host.sequence()} == {kept.host.record.good}
    kept.workload = declared(kind, "v3")
    assert kept.to_the_end().is_there


def test_an_update_that_has_failed_is_tried_again() -> None:
    kept = failed_update()
    kept.to_the_end()
    assert kept.once().failure
    assert kinds.tried_again(kept.host.record).failed is None
    kept.host.record, kept.is_good = kinds.tried_again(kept.host.record), True
    assert kept.once().failure == ""
    assert kept.to_the_end().is_there


def test_a_first_rollout_that_made_no_progress_gets_its_time_again() -> None:
    kept = Kept(declared(w.Deployment, replicas=2))
    kept.once()
    kept.host.now += DEADLINE_SECONDS
    assert kept.once().failure == ""
    kept.host.now += DEADLINE_SECONDS
    assert "timed out progressing" in kept.once().failure
    kept.host.record = kinds.tried_again(kept.host.record)
    kept.host.now += 5
    assert kept.once().failure == ""
    kept.host.now += DEADLINE_SECONDS
    assert "timed out progressing" in kept.once().failure
    for name in list(kept.host.pods):
        kept.host.set_ready(name)
    assert kept.once().is_there


def test_a_job_that_fails_says_why() -> None:
    kept = Kept(declared(w.Job, backoff_limit=0))
    kept.once()
    kept.host.finish(next(iter(kept.host.pods)), exit_code=3)
    kept.once()
    found = kept.once()
    assert not found.is_there
    assert found.failure == "BackoffLimitExceeded: Job has reached the specified backoff limit"


@pytest.mark.parametrize(("kind", "field"), [(w.Deployment, "paused"), (w.Job, "suspend")])
def test_what_is_paused_is_waited_for_no_longer(kind: type[Any], field: str) -> None:
    assert Kept(declared(kind, **{field: True})).once().is_there


def test_pods_of_a_job_that_are_taken_away_on_purpose_are_no_failures() -> None:
    kept = Kept(declared(w.Job, completions=2, parallelism=2, backoff_limit=0))
    kept.once()
    kept.once()
    kept.host.record = kinds.stopped(kept.host.record)
    kept.host.pods.clear()
    found = kept.once()
    assert not found.failure
    assert len(kept.host.pods) == 2
    assert kept.to_the_end().is_there
    assert kept.host.record.failed == 0


def test_what_a_stopped_job_has_not_made_yet_is_made_under_another_name() -> None:
    unmade = OpenPod("web-abc-0", 0)
    assert kinds.stopped(JobRecord("abc", 1, (unmade,))).open == ()


def test_only_a_deployment_goes_back() -> None:
    """A Job counts its failures in a field of the same name."""
    failed = deployment.DeploymentRecord(failed=FailedRollout("v2", 0, "no progress"))
    records = [failed, deployment.DeploymentRecord(), JobRecord(failed=2)]
    assert [kinds.is_going_back(record) for record in records] == [True, False, False]
