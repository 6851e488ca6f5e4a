# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of workload as its controller sees it: its step, the templates that it goes by, and how far it has come.

Another kind gets a row in each table here. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable

from ..._declaration import spec as s
from ..._declaration.workloads import spec as w
from . import cron_job, daemon_set, deployment, job, replica_set, stateful_set
from .cron_job import CronJobJob
from .cron_times import Due
from .facts import WorkloadPod
from .job_record import COMPLETE, FAILED_CONDITION, JobRecord
from .progress import PROGRESSING, TIMED_OUT, Progress, RolloutRecord
from .records import RECORDS
from .revisions import find, template_digest
from .steps import AddPod, WorkloadStep, find_condition, is_true


@dataclass(frozen=True)
class Surroundings:
    """What steps go by beside the pods: the named volumes, and for a CronJob the Jobs that it made and its times."""

    claims: frozenset[str] = frozenset()
    jobs: tuple[CronJobJob, ...] = ()
    due: Due | None = None
    room: int | None = None
    """How many more pods the host can hold; None for any number."""


@dataclass(frozen=True)
class Wanted:
    """A workload as it is to be made, and the digest of its template; a CronJob has none."""

    workload: w.AnyWorkload
    digest: str

    def template(self, record: Any, revision: str) -> s.PodSpec:
        """The template of a revision, of which a pod is to be made."""
        kept = find(getattr(record, "revisions", ()), revision)
        return kept.template if kept else w.template_of(self.workload)


def wanted(workload: w.AnyWorkload, record: Any, materials: str = "") -> Wanted:
    """What a workload's controller goes for: what is declared, or the revision that a broken update has gone back to.

    ``materials`` is that of `template_digest`.
    """
    if isinstance(workload, w.CronJob):
        return Wanted(workload, "")
    digest = template_digest(workload, materials)
    if isinstance(record, RolloutRecord) and record.failed and record.failed.revision == digest:
        good = find(record.revisions, record.good)
        if good:
            return Wanted(replace(workload, template=good.template), good.digest)
    return Wanted(workload, digest)


def tried_again(record: Any) -> Any:
    """The record when the workload is applied anew: an update that went back or made no progress is tried again."""
    if not isinstance(record, RolloutRecord):
        return record
    progressing = find_condition(record.conditions, PROGRESSING)
    if not record.failed and not (progressing and progressing.reason == TIMED_OUT):
        return record
    # Its clock starts over as soon as it is seen that anything is there.
    return replace(record, failed=None, progress=Progress())


def stopped(record: Any) -> Any:
    """The record once all pods are taken away on purpose: what ends of a Job with that counts as nothing."""
    if not isinstance(record, JobRecord):
        return record
    known = (replace(one, is_dismissed=True) for one in record.open if one.is_known)
    return replace(record, open=tuple(known))


def is_going_back(record: Any) -> bool:
    """Whether an update has failed, and the revision before it is wanted again. No Job goes back."""
    return isinstance(record, RolloutRecord) and record.failed is not None


def first_record(workload: w.AnyWorkload) -> Any:
    """The record of a workload that has none yet."""
    return RECORDS[workload.kind]()


def take(
    aim: Wanted, record: Any, pods: Sequence[WorkloadPod], now: float, around: Surroundings
) -> WorkloadStep[Any, Any]:
    """The next step of a workload of any kind."""
    return _STEPS[aim.workload.kind](aim, record, pods, now, around)


def _step_deployment(
    aim: Wanted, record: Any, pods: Sequence[WorkloadPod], now: float, around: Surroundings
) -> WorkloadStep[Any, Any]:
    options = deployment.Options(room=around.room)
    return deployment.step(aim.workload, aim.digest, record, pods, now, options)  # type: ignore[arg-type]


def _step_replicas(
    aim: Wanted, record: Any, pods: Sequence[WorkloadPod], now: float, around: Surroundings
) -> WorkloadStep[Any, Any]:
    return replica_set.step(aim.workload, aim.digest, record, pods, now)  # type: ignore[arg-type]


def _step_stateful_set(
    aim: Wanted, record: Any, pods: Sequence[WorkloadPod], now: float, around: Surroundings
) -> WorkloadStep[Any, Any]:
    return stateful_set.step(aim.workload, aim.digest, record, pods, now, around.claims)  # type: ignore[arg-type]


def _step_daemon_set(
    aim: Wanted, record: Any, pods: Sequence[WorkloadPod], now: float, around: Surroundings
) -> WorkloadStep[Any, Any]:
    return daemon_set.step(aim.workload, aim.digest, record, pods, now)  # type: ignore[arg-type]


def _step_job(
    aim: Wanted, record: Any, pods: Sequence[WorkloadPod], now: float, around: Surroundings
) -> WorkloadStep[Any, Any]:
    return job.step(aim.workload, aim.digest, record, pods, now)  # type: ignore[arg-type]


def _step_cron_job(
    aim: Wanted, record: Any, pods: Sequence[WorkloadPod], now: float, around: Surroundings
) -> WorkloadStep[Any, Any]:
    return cron_job.step(aim.workload, record, around.jobs, now, around.due or (lambda at: iter(())))  # type: ignore[arg-type]


TakeAny = Callable[[Wanted, Any, Sequence[WorkloadPod], float, Surroundings], WorkloadStep[Any, Any]]
_STEPS: Mapping[str, TakeAny] = {
    "Deployment": _step_deployment,
    "ReplicaSet": _step_replicas,
    "ReplicationController": _step_replicas,
    "StatefulSet": _step_stateful_set,
    "DaemonSet": _step_daemon_set,
    "Job": _step_job,
    "CronJob": _step_cron_job,
}


# --- how far it has come ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """``is_there``: all is as it is declared, or has ended well. ``failure``: why it will not come about, else empty.

    ``missing`` says what it still waits for. ``is_under_way``: it does what it is to do, and that may take long.
    ``is_back``: after an update that has failed, all is as it was before.
    """

    is_there: bool
    failure: str = ""
    missing: str = ""
    is_under_way: bool = False
    is_back: bool = False


def outcome(workload: w.AnyWorkload, step: WorkloadStep[Any, Any]) -> Outcome:
    """How far a workload has come, as of its last step. ``workload`` is as it is declared."""
    return _OUTCOMES[workload.kind](workload, step)


def _of_rollout(step: WorkloadStep[Any, Any], is_whole: bool, missing: str) -> Outcome:
    """The outcome of what can fail by its deadline. ``is_whole``: all is as its record wants it now."""
    if step.record.failed:
        return Outcome(False, step.record.failed.message, missing, is_back=is_whole)
    progressing = find_condition(step.status.conditions, PROGRESSING)
    if progressing and progressing.reason == TIMED_OUT:
        return Outcome(False, f"{progressing.reason}: {progressing.message}")
    return Outcome(is_whole, missing=missing)


def _of_deployment(workload: Any, step: WorkloadStep[Any, Any]) -> Outcome:
    status = step.status
    is_whole = deployment.is_complete(workload, status) and not status.terminating_replicas
    missing = f"{status.available_replicas} of {workload.replicas} pods are available"
    outcome = _of_rollout(step, is_whole, missing)
    if outcome.failure or outcome.is_there:
        return outcome
    if workload.paused:
        return Outcome(True)
    return replace(outcome, missing=f"{missing}, {status.updated_replicas} are of its present template")


def _of_replicas(workload: Any, step: WorkloadStep[Any, Any]) -> Outcome:
    status = step.status
    missing = f"{status.available_replicas} of {workload.replicas} pods are available"
    return Outcome(status.replicas == status.available_replicas == workload.replicas, missing=missing)


def _of_stateful_set(workload: Any, step: WorkloadStep[Any, Any]) -> Outcome:
    status, update = step.status, workload.update_strategy
    held_back = workload.replicas if update.type == "OnDelete" else 0
    if update.rolling_update:
        held_back = max(held_back, update.rolling_update.partition)
    updated = max(workload.replicas - held_back, 0)
    is_updated = status.update_revision == status.current_revision or status.updated_replicas >= updated
    is_there = status.replicas == status.available_replicas == workload.replicas and is_updated
    missing = f"{status.available_replicas} of {workload.replicas} pods are available, "
    return _of_rollout(step, is_there, f"{missing}{status.updated_replicas} are of its present template")


def _of_daemon_set(workload: Any, step: WorkloadStep[Any, Any]) -> Outcome:
    status = step.status
    is_updated = workload.update_strategy.type == "OnDelete" or (
        status.updated_number_scheduled == status.desired_number_scheduled
    )
    is_there = is_updated and status.number_available == status.desired_number_scheduled
    return _of_rollout(step, is_there, "its pod is not available")


def _of_job(workload: Any, step: WorkloadStep[Any, Any]) -> Outcome:
    status = step.status
    failed = find_condition(status.conditions, FAILED_CONDITION)
    if failed and failed.status == "True":
        return Outcome(False, f"{failed.reason}: {failed.message}")
    missing = f"{status.active} pods run, {status.succeeded} have succeeded, {status.failed} have failed"
    is_there = is_true(status.conditions, COMPLETE) or workload.suspend
    return Outcome(is_there, missing=missing, is_under_way=bool(status.active and not status.failed))


def _of_cron_job(workload: Any, step: WorkloadStep[Any, Any]) -> Outcome:
    return Outcome(True)


_OUTCOMES: Mapping[str, Callable[[Any, WorkloadStep[Any, Any]], Outcome]] = {
    "Deployment": _of_deployment,
    "ReplicaSet": _of_replicas,
    "ReplicationController": _of_replicas,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
    "Job": _of_job,
    "CronJob": _of_cron_job,
}


def pods_asked_for(step: WorkloadStep[Any, Any]) -> tuple[AddPod, ...]:
    """The pods that a step wants to be made."""
    return tuple(operation for operation in step.operations if isinstance(operation, AddPod))
