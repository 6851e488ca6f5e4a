# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an update of a Deployment, StatefulSet or DaemonSet goes: its progress, its deadline, and the way back.

Source: Kubernetes 1.37, pkg/controller/deployment; StatefulSets and DaemonSets have no deadline there. Different here:
an update that makes no progress goes back by itself, to the last revision whose pods have all been available.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, Union

from ..._declaration.workloads import spec as w
from ..._declaration.workloads.spec import UNLIMITED
from ..operations import Operation
from .facts import WorkloadPod
from .revisions import Revisions, find, with_latest
from .steps import Conditions, Event, UndoRollout, WorkloadCondition, find_condition, with_condition

PROGRESSING = "Progressing"
NEW_AVAILABLE = "NewReplicaSetAvailable"
NEW_CREATED = "NewReplicaSetCreated"
FOUND_NEW = "FoundNewReplicaSet"
UPDATED = "ReplicaSetUpdated"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"


@dataclass(frozen=True)
class Progress:
    """How far a rollout has come: pods of the new template, of others, and of the new ones that are ready or available.

    It is the best of all steps since the rollout began. Kubernetes compares with the step before, so that a pod that
    crashes again and again is progress each time that it is ready (``DeploymentProgressing``).
    """

    updated: int = 0
    old: int = UNLIMITED
    ready: int = 0
    available: int = 0

    def with_best(self, other: Progress) -> Progress:
        return Progress(
            max(self.updated, other.updated),
            min(self.old, other.old),
            max(self.ready, other.ready),
            max(self.available, other.available),
        )


@dataclass(frozen=True)
class FailedRollout:
    """An update that went back by itself: the digest of its template, when, and why."""

    revision: str
    at: float
    message: str


@dataclass(frozen=True)
class RolloutRecord:
    """What is kept of a workload that has rollouts.

    ``good`` is the digest of the last revision whose pods have all been available. ``failed`` stands until another
    template is rolled out.
    """

    revisions: Revisions = ()
    progress: Progress = Progress()
    conditions: Conditions = ()
    good: str = ""
    failed: FailedRollout | None = None


Record = TypeVar("Record", bound=RolloutRecord)
Wanted = Union[w.Deployment, w.StatefulSet, w.DaemonSet]


@dataclass(frozen=True)
class Rollout:
    """A workload on its way to a template, at an instant. ``revision`` is the `template_digest` of what is wanted."""

    wanted: Wanted
    revision: str
    now: float

    @property
    def is_paused(self) -> bool:
        return isinstance(self.wanted, w.Deployment) and self.wanted.paused

    @property
    def deadline_seconds(self) -> int:
        """How long it may make no progress; that of a Deployment has ``min_ready_seconds`` in it."""
        seconds = self.wanted.progress_deadline_seconds
        return seconds if isinstance(self.wanted, w.Deployment) else seconds + self.wanted.min_ready_seconds

    def progress(self, pods: Sequence[WorkloadPod]) -> Progress:
        """How far it has come by the pods that there are."""
        active = [pod for pod in pods if pod.is_active]
        updated = [pod for pod in active if pod.revision == self.revision]
        available = sum(pod.is_available(self.wanted.min_ready_seconds, self.now) for pod in updated)
        return Progress(len(updated), len(active) - len(updated), sum(pod.is_ready for pod in updated), available)


def begun(rollout: Rollout, record: Record) -> Record:
    """The record with the wanted template as its latest revision; a paused workload takes no new one."""
    latest = record.revisions[-1] if record.revisions else None
    revisions = with_latest(record.revisions, rollout.revision, rollout.wanted.template)
    if latest and latest.digest == rollout.revision:
        return replace(record, revisions=revisions)
    if rollout.is_paused:
        return record
    is_known = find(record.revisions, rollout.revision) is not None
    reason = FOUND_NEW if is_known else NEW_CREATED
    message = f"{'Found' if is_known else 'Created'} revision {rollout.revision}."
    condition = WorkloadCondition(PROGRESSING, "True", reason, message)
    return replace(
        record,
        revisions=revisions,
        conditions=with_condition(record.conditions, condition, rollout.now, is_update=True),
        progress=Progress(),
        failed=record.failed if rollout.revision == record.good else None,
    )


def begun_anew(rollout: Rollout, record: Record) -> Record:
    """The record after the workload was scaled: its deadline starts over."""
    record = replace(record, progress=Progress())
    if rollout.is_paused:
        return record
    condition = WorkloadCondition(PROGRESSING, "True", UPDATED, f"Revision {rollout.revision} is scaled.")
    conditions = with_condition(record.conditions, condition, rollout.now, is_update=True)
    return replace(record, conditions=conditions)


def progressed(
    rollout: Rollout, record: Record, pods: Sequence[WorkloadPod], is_complete: bool, has_proven: bool
) -> Record:
    """The record with what is known of the rollout's progress. Source: Kubernetes' ``syncRolloutStatus``.

    ``is_complete``: all is as it is to be. ``has_proven``: all pods that are wanted are then of the wanted template,
    and there are some.
    """
    progress = record.progress.with_best(rollout.progress(pods))
    before = find_condition(record.conditions, PROGRESSING)
    after = replace(record, progress=progress)
    if rollout.is_paused or before is None:
        return after
    if is_complete:
        message = f"Revision {rollout.revision} has successfully progressed."
        condition = WorkloadCondition(PROGRESSING, "True", NEW_AVAILABLE, message)
        conditions = with_condition(record.conditions, condition, rollout.now)
        failed = record.failed if record.failed and record.failed.revision != rollout.revision else None
        good = rollout.revision if has_proven else record.good
        return replace(after, conditions=conditions, good=good, failed=failed)
    if before.reason == NEW_AVAILABLE:
        # Pods that come and go after the rollout are none of its progress.
        return after
    if progress != record.progress:
        message = f"Revision {rollout.revision} is progressing."
        condition = WorkloadCondition(PROGRESSING, "True", UPDATED, message)
        return replace(after, conditions=with_condition(record.conditions, condition, rollout.now, is_update=True))
    due_at = deadline(rollout, record.conditions)
    if due_at is not None and due_at <= rollout.now:
        message = f"Revision {rollout.revision} has timed out progressing."
        condition = WorkloadCondition(PROGRESSING, "False", TIMED_OUT, message)
        return replace(after, conditions=with_condition(record.conditions, condition, rollout.now))
    return after


def deadline(rollout: Rollout, conditions: Conditions) -> float | None:
    """When the rollout has made no progress for too long; None where none is under way."""
    progressing = find_condition(conditions, PROGRESSING)
    if progressing is None or progressing.last_update_time is None or rollout.is_paused:
        return None
    if progressing.reason in (NEW_AVAILABLE, TIMED_OUT):
        return None
    return progressing.last_update_time + rollout.deadline_seconds


@dataclass(frozen=True)
class WayBack:
    """What takes an update back that has exceeded its deadline, word of it, and what is then remembered of it."""

    operations: tuple[Operation, ...] = ()
    events: tuple[Event, ...] = ()
    failed: FailedRollout | None = None


def way_back(rollout: Rollout, record: RolloutRecord) -> WayBack:
    """Empty where the update has not exceeded its deadline, or where there is nothing to go back to."""
    progressing = find_condition(record.conditions, PROGRESSING)
    good = find(record.revisions, record.good)
    if progressing is None or progressing.reason != TIMED_OUT or rollout.is_paused:
        return WayBack(failed=record.failed)
    if good is None or good.digest == rollout.revision:
        return WayBack(failed=record.failed)
    seconds, kind = rollout.deadline_seconds, rollout.wanted.kind
    message = f"revision {rollout.revision} made no progress for {seconds} s; going back to revision {good.number}"
    operation = UndoRollout(rollout.wanted.name, f"no progress for {seconds} s", kind, good.number)
    if record.failed and record.failed.revision == rollout.revision:
        return WayBack((operation,), failed=record.failed)
    failed = FailedRollout(rollout.revision, rollout.now, message)
    return WayBack((operation,), (Event(f"{kind}Rollback", message, is_warning=True),), failed)
