# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Job: pods that run to their end, so many times, with each end counted once.

A number is handed out to each pod and never again; the record holds those whose end is not counted yet. So a name is
the lock: whatever dies, no pod is made twice and none is counted twice.

Source: Kubernetes 1.37, pkg/controller/job. Different here: at no time more pods can fail than backoffLimit and
parallelism together, and none starts once the limit is passed; pods that the Job itself ends count as nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..._declaration.workloads import spec as w
from ..operations import Operation
from .facts import FAILED, SUCCEEDED, WorkloadPod, by_worth
from .job_policies import judge_failure, met_rule
from .job_record import (
    COMPLETE,
    FAILED_CONDITION,
    FAILURE_TARGET,
    SUCCESS_CRITERIA,
    SUSPENDED,
    Failures,
    JobRecord,
    OpenPod,
)
from .revisions import pod_name
from .steps import (
    AddPod,
    Conditions,
    EndPod,
    Event,
    RemoveWorkload,
    WorkloadCondition,
    WorkloadStep,
    earliest,
    find_condition,
    is_true,
    with_condition,
)


@dataclass(frozen=True)
class JobStatus:
    active: int = 0
    ready: int = 0
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    completed_indexes: str = ""
    failed_indexes: str | None = None
    start_time: float | None = None
    completion_time: float | None = None
    conditions: Conditions = ()


def step(
    wanted: w.Job, digest: str, record: JobRecord, pods: Sequence[WorkloadPod], now: float
) -> WorkloadStep[JobRecord, JobStatus]:
    """Decide what is next for a Job. ``digest`` is the `template_digest` of what is wanted.

    A Job that is over and is wanted otherwise is another one, and starts over.
    """
    if record.digest != digest:
        record = JobRecord(digest) if record.is_over or not record.digest else replace(record, digest=digest)
    view = _View(wanted, {pod.name: pod for pod in pods}, now)
    before = record.conditions
    record, moves = _settled(view, record)
    operations = (*_strays(view, record), *moves, *_expired(view, record))
    return WorkloadStep(
        record, _status(view, record), operations, _look_at(view, record), _events(before, record, wanted)
    )


def _settled(view: _View, record: JobRecord) -> tuple[JobRecord, list[Operation]]:
    """The record as far on as the pods allow, and what they are to do. What was moved may decide more."""
    further = _decided(view, _counted(view, _started(view, record)))
    further, moves = _moved(view, further)
    further = _finished(view, further)
    return (further, moves) if further == record else _settled(view, further)


@dataclass(frozen=True)
class _View:
    wanted: w.Job
    by_name: Mapping[str, WorkloadPod]
    now: float

    def active(self, record: JobRecord) -> list[WorkloadPod]:
        """The pods that run or are to run."""
        found = (self.by_name.get(one.name) for one in record.open)
        return [pod for pod in found if pod is not None and pod.is_active]

    def going(self, record: JobRecord) -> list[WorkloadPod]:
        """The pods that are being removed and have not ended."""
        found = (self.by_name.get(one.name) for one in record.open)
        return [pod for pod in found if pod is not None and pod.is_ending and not pod.is_over]

    def unmade(self, record: JobRecord) -> list[OpenPod]:
        """The pods that were asked for and are not there yet."""
        return [one for one in record.open if one.name not in self.by_name]


# --- beginning, suspending -------------------------------------------------------------------------------------------


def _started(view: _View, record: JobRecord) -> JobRecord:
    """The clock runs from the start, and starts over when the Job is resumed."""
    is_suspended = is_true(record.conditions, SUSPENDED)
    if record.is_over or (view.wanted.suspend == is_suspended and (is_suspended or record.started_at is not None)):
        return record
    if view.wanted.suspend:
        condition = WorkloadCondition(SUSPENDED, "True", "JobSuspended", "Job suspended")
        return replace(record, started_at=None, conditions=with_condition(record.conditions, condition, view.now))
    conditions = record.conditions
    if find_condition(conditions, SUSPENDED):
        condition = WorkloadCondition(SUSPENDED, "False", "JobResumed", "Job resumed")
        conditions = with_condition(conditions, condition, view.now)
    return replace(record, started_at=view.now, conditions=conditions)


# --- counting --------------------------------------------------------------------------------------------------------


def _counted(view: _View, record: JobRecord) -> JobRecord:
    """The record with the ends of pods that it has not counted yet."""
    still_open: list[OpenPod] = []
    ends: list[tuple[float, OpenPod, WorkloadPod | None]] = []
    for one in record.open:
        pod = view.by_name.get(one.name)
        is_lost = pod is None and one.is_known
        if not is_lost and (pod is None or not pod.is_over):
            still_open.append(replace(one, is_known=pod is not None))
        elif not one.is_dismissed or (pod is not None and pod.phase == SUCCEEDED):
            at = view.now if pod is None or pod.finished_at is None else pod.finished_at
            ends.append((at, one, pod))
    record = replace(record, open=tuple(still_open))
    for at, one, pod in sorted(ends, key=lambda end: (end[0], end[1].number)):
        record = _with_end(view, record, at, one, pod)
    return record


def _with_end(view: _View, record: JobRecord, at: float, one: OpenPod, pod: WorkloadPod | None) -> JobRecord:
    if pod is not None and pod.phase == SUCCEEDED:
        return _with_success(record, one)
    verdict = judge_failure(view.wanted.pod_failure_policy, pod) if pod is not None else judge_failure(None, _LOST)
    # What is ignored waits as well, for else it would come again and again at once (kubernetes/kubernetes 119378).
    record = _with_wait(record, one, at)
    if verdict.action == "Ignore":
        return record
    record = replace(record, failed=record.failed + 1)
    if verdict.action == "FailJob":
        return _failing(view, record, "PodFailurePolicy", verdict.message)
    if one.index is None or view.wanted.backoff_limit_per_index is None:
        return record
    failures = record.index_failures.get(one.index, 0) + 1
    record = replace(record, index_failures={**record.index_failures, one.index: failures})
    if verdict.action == "FailIndex" or failures > view.wanted.backoff_limit_per_index:
        return replace(record, failed_indexes=record.failed_indexes | {one.index})
    return record


_LOST = WorkloadPod("", "", phase=FAILED)
"""A pod that somebody else has removed."""


def _with_success(record: JobRecord, one: OpenPod) -> JobRecord:
    if one.index is None:
        return replace(record, succeeded=record.succeeded + 1, failures=Failures())
    completed = record.completed_indexes | {one.index}
    waits = {index: waits for index, waits in record.index_waits.items() if index != one.index}
    return replace(
        record,
        succeeded=len(completed),
        failures=Failures(),
        completed_indexes=completed,
        index_waits=waits,
    )


def _with_wait(record: JobRecord, one: OpenPod, at: float) -> JobRecord:
    record = replace(record, failures=Failures(record.failures.in_row + 1, max(at, record.failures.last_at)))
    if one.index is None:
        return record
    before = record.index_waits.get(one.index, Failures())
    waits = Failures(before.in_row + 1, max(at, before.last_at))
    return replace(record, index_waits={**record.index_waits, one.index: waits})


# --- deciding --------------------------------------------------------------------------------------------------------


def _decided(view: _View, record: JobRecord) -> JobRecord:
    """The record with what the counts come to: it fails, it has succeeded, or neither."""
    if _is_decided(record):
        return record
    wanted = view.wanted
    if record.failed > wanted.backoff_limit or _is_past_restarts(view, record):
        return _failing(view, record, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    deadline = _deadline(view, record)
    if deadline is not None and deadline <= view.now:
        message = "Job was active longer than specified deadline"
        return _failing(view, record, "DeadlineExceeded", message)
    if wanted.is_indexed:
        return _decided_by_indexes(view, record)
    if wanted.completions is None:
        is_done = record.succeeded > 0 and not record.open
        return _succeeding(view, record) if is_done else record
    return _succeeding(view, record) if record.succeeded >= wanted.completions else record


def _decided_by_indexes(view: _View, record: JobRecord) -> JobRecord:
    wanted, completions = view.wanted, view.wanted.completions or 0
    if wanted.max_failed_indexes is not None and len(record.failed_indexes) > wanted.max_failed_indexes:
        message = "Job has exceeded the specified maximal number of failed indexes"
        return _failing(view, record, "MaxFailedIndexesExceeded", message)
    rule = met_rule(wanted.success_policy, completions, record.completed_indexes)
    if rule is not None:
        return _succeeding(view, record, "SuccessPolicy", f"Matched rules at index {rule}")
    settled = {*record.completed_indexes, *record.failed_indexes}
    if not all(index in settled for index in range(completions)):
        return record
    if record.failed_indexes:
        return _failing(view, record, "FailedIndexes", "Job has failed indexes")
    return _succeeding(view, record)


def _is_past_restarts(view: _View, record: JobRecord) -> bool:
    """Whether the containers of pods that start again by themselves have done so too often.

    Source: Kubernetes' ``pastBackoffLimitOnFailure``.
    """
    if view.wanted.template.restart_policy != "OnFailure":
        return False
    restarts = sum(pod.restarts for pod in view.active(record))
    limit = view.wanted.backoff_limit
    return restarts > 0 if limit == 0 else restarts >= limit


def _deadline(view: _View, record: JobRecord) -> float | None:
    if view.wanted.active_deadline_seconds is None or record.started_at is None or view.wanted.suspend:
        return None
    return record.started_at + view.wanted.active_deadline_seconds


def _is_decided(record: JobRecord) -> bool:
    return is_true(record.conditions, FAILURE_TARGET) or is_true(record.conditions, SUCCESS_CRITERIA)


def _failing(view: _View, record: JobRecord, reason: str, message: str) -> JobRecord:
    if _is_decided(record):
        return record
    condition = WorkloadCondition(FAILURE_TARGET, "True", reason, message)
    return replace(record, conditions=with_condition(record.conditions, condition, view.now))


def _succeeding(
    view: _View,
    record: JobRecord,
    reason: str = "CompletionsReached",
    message: str = "Reached expected number of succeeded pods",
) -> JobRecord:
    condition = WorkloadCondition(SUCCESS_CRITERIA, "True", reason, message)
    return replace(record, conditions=with_condition(record.conditions, condition, view.now))


def _finished(view: _View, record: JobRecord) -> JobRecord:
    """Once it is decided and no pod is left of it, the Job is over."""
    if record.is_over or not _is_decided(record) or record.open:
        return record
    is_failure = is_true(record.conditions, FAILURE_TARGET)
    decision = find_condition(record.conditions, FAILURE_TARGET if is_failure else SUCCESS_CRITERIA)
    reason, message = (decision.reason, decision.message) if decision else ("", "")
    condition = WorkloadCondition(FAILED_CONDITION if is_failure else COMPLETE, "True", reason, message)
    return replace(record, ended_at=view.now, conditions=with_condition(record.conditions, condition, view.now))


# --- pods ------------------------------------------------------------------------------------------------------------


def _moved(view: _View, record: JobRecord) -> tuple[JobRecord, list[Operation]]:
    """Pods to end, and pods to make; what is to be made is in the record before it is."""
    if _is_decided(record):
        return _stopped(view, record, "the Job is over")
    if view.wanted.suspend:
        return _stopped(view, record, "the Job is suspended")
    surplus = _surplus(view, record)
    record = _dismissed(record, surplus)
    record = _handed_out(view, record)
    ends = [EndPod(pod.name, "more pods run than are wanted") for pod in surplus]
    return record, [*ends, *_made(view, record)]


def _stopped(view: _View, record: JobRecord, cause: str) -> tuple[JobRecord, list[Operation]]:
    """Ends all that runs, and forgets what was asked for and is not made yet."""
    active, unmade = view.active(record), {one.name for one in view.unmade(record)}
    record = replace(record, open=tuple(one for one in record.open if one.name not in unmade))
    return _dismissed(record, active), [EndPod(pod.name, cause) for pod in active]


def _dismissed(record: JobRecord, pods: Sequence[WorkloadPod]) -> JobRecord:
    names = {pod.name for pod in pods}
    marked = (replace(one, is_dismissed=True) if one.name in names else one for one in record.open)
    return replace(record, open=tuple(marked))


def _surplus(view: _View, record: JobRecord) -> list[WorkloadPod]:
    """The active pods that are too many: those whose index counts no more, the highest indexes, those least missed."""
    active = by_worth(view.active(record), 0, view.now)
    doomed = _doomed(view, record)
    idle = [pod for pod in active if pod in doomed or not _is_useful(view, record, pod)]
    useful = [pod for pod in active if pod not in idle]
    if view.wanted.is_indexed:
        useful.sort(key=lambda pod: -(pod.index or 0))
    return [*idle, *useful[: max(len(useful) - _most(view, record), 0)]]


def _is_useful(view: _View, record: JobRecord, pod: WorkloadPod) -> bool:
    return pod.index is None or _is_open_index(view, record, pod.index)


def _most(view: _View, record: JobRecord) -> int:
    """How many pods may be active. Source: Kubernetes' ``manageJob``."""
    wanted = view.wanted
    if wanted.is_indexed:
        remaining = sum(_is_open_index(view, record, index) for index in range(wanted.completions or 0))
        return min(wanted.parallelism, remaining)
    if wanted.completions is None:
        # A work queue: once a pod has succeeded, the others find out by themselves.
        return min(wanted.parallelism, len(view.active(record))) if record.succeeded else wanted.parallelism
    return min(wanted.parallelism, max(wanted.completions - record.succeeded, 0))


def _is_open_index(view: _View, record: JobRecord, index: int) -> bool:
    is_asked = index < (view.wanted.completions or 0)
    return is_asked and index not in record.completed_indexes and index not in record.failed_indexes


def _handed_out(view: _View, record: JobRecord) -> JobRecord:
    """The record with the pods that are to be made now."""
    count = _most(view, record) - _occupied(view, record)
    if count <= 0 or _has_to_wait(view, record):
        return record
    indexes: list[int | None] = [*_next_indexes(view, record)] if view.wanted.is_indexed else [None] * count
    for index in indexes[:count]:
        record = _with_open(view, record, index)
    return record


def _has_to_wait(view: _View, record: JobRecord) -> bool:
    """Whether no pod may start now: after a failure, or since pods that somebody else ends may use the limit up."""
    names = {one.name for one in record.open if one.is_dismissed}
    may_fail = sum(pod.name not in names for pod in view.going(record))
    if record.failed + may_fail > view.wanted.backoff_limit:
        return True
    ready_at = record.failures.ready_at()
    return view.wanted.backoff_limit_per_index is None and ready_at is not None and view.now < ready_at


def _occupied(view: _View, record: JobRecord) -> int:
    """How many pods count among those that may be active; those that end do where the Job waits for them."""
    unmade = len(view.unmade(record))
    if view.wanted.pod_replacement_policy == "Failed":
        return unmade + len(view.active(record)) + len(view.going(record))
    return unmade + len(view.active(record)) - len(_doomed(view, record))


def _doomed(view: _View, record: JobRecord) -> list[WorkloadPod]:
    """The active pods that the Job has ended already, or was about to when it was cut off."""
    names = {one.name for one in record.open if one.is_dismissed}
    return [pod for pod in view.active(record) if pod.name in names]


def _with_open(view: _View, record: JobRecord, index: int | None) -> JobRecord:
    number = record.handed_out
    numbers = (number,) if index is None else (index, number)
    one = OpenPod(pod_name(view.wanted.name, record.digest, *numbers), number, index)
    return replace(record, handed_out=number + 1, open=(*record.open, one))


def _next_indexes(view: _View, record: JobRecord) -> Iterator[int]:
    """The lowest indexes that have no pod and need not wait; an index has one pod at a time."""
    taken = {one.index for one in record.open}
    for index in range(view.wanted.completions or 0):
        waits_until = _index_ready_at(view, record, index)
        is_due = waits_until is None or waits_until <= view.now
        if index not in taken and is_due and _is_open_index(view, record, index):
            yield index


def _index_ready_at(view: _View, record: JobRecord, index: int) -> float | None:
    if view.wanted.backoff_limit_per_index is None:
        return None
    return record.index_waits.get(index, Failures()).ready_at()


def _made(view: _View, record: JobRecord) -> Iterator[AddPod]:
    most = _most(view, record)
    for one in view.unmade(record):
        which = f"index {one.index}" if one.index is not None else f"{record.succeeded} have succeeded"
        cause = f"{which}; {most} run at a time"
        yield AddPod(one.name, cause, record.digest, one.number, one.index)


def _strays(view: _View, record: JobRecord) -> Iterator[EndPod]:
    """What is left of a former definition, and pods that run although their end would count no more."""
    names = {one.name for one in record.open}
    for pod in view.by_name.values():
        is_former = pod.revision != record.digest
        if pod.name not in names and not pod.is_ending and (is_former or not pod.is_over):
            yield EndPod(pod.name, "it is of a former Job of this name" if is_former else "its end would not count")


def _expired(view: _View, record: JobRecord) -> Iterator[RemoveWorkload]:
    until = _expires_at(view, record)
    if until is not None and until <= view.now:
        seconds = view.wanted.ttl_seconds_after_finished
        yield RemoveWorkload(view.wanted.name, f"it ended {seconds} s ago", view.wanted.kind)


def _expires_at(view: _View, record: JobRecord) -> float | None:
    seconds = view.wanted.ttl_seconds_after_finished
    return None if seconds is None or record.ended_at is None else record.ended_at + seconds


# --- status ----------------------------------------------------------------------------------------------------------


def _status(view: _View, record: JobRecord) -> JobStatus:
    active = view.active(record)
    has_limits = view.wanted.backoff_limit_per_index is not None
    return JobStatus(
        active=len(active) + len(view.unmade(record)),
        ready=sum(pod.is_ready for pod in active),
        terminating=len(view.going(record)),
        succeeded=record.succeeded,
        failed=record.failed,
        completed_indexes=w.indexes_text(record.completed_indexes),
        failed_indexes=w.indexes_text(record.failed_indexes) if has_limits else None,
        start_time=record.started_at,
        completion_time=record.ended_at if is_true(record.conditions, COMPLETE) else None,
        conditions=record.conditions,
    )


def _look_at(view: _View, record: JobRecord) -> float | None:
    """When time alone changes something: the deadline, the end of a wait, the time to live."""
    if record.is_over:
        return _expires_at(view, record)
    if _is_decided(record) or view.wanted.suspend:
        return None
    waits = [record.failures.ready_at()]
    if view.wanted.backoff_limit_per_index is not None:
        indexes = range(view.wanted.completions or 0)
        waits = [_index_ready_at(view, record, n) for n in indexes if _is_open_index(view, record, n)]
    return earliest(_deadline(view, record), *(at for at in waits if at is not None and at > view.now))


def _events(before: Conditions, record: JobRecord, wanted: w.Job) -> tuple[Event, ...]:
    """Word of each condition that has come about."""
    told = (COMPLETE, FAILED_CONDITION, SUSPENDED)
    fresh = (one for one in record.conditions if one.type in told and one not in before)
    return tuple(
        Event(one.reason, f"Job {wanted.name}: {one.message}", is_warning=one.type == FAILED_CONDITION) for one in fresh
    )
