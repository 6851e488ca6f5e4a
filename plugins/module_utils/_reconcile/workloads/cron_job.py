# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CronJob: a Job at each of its times.

The name of a Job is its time, and so the lock: what was decided is on record before the Job is made, and is asked for
again until the Job is there. Source: Kubernetes 1.37, pkg/controller/cronjob. Different here: a Job that Replace takes
away is gone before the next one starts, and which of the missed times are made up for can be said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..._declaration.workloads import spec as w
from ..._declaration.workloads.spec import UNLIMITED
from ..operations import Operation
from .cron_times import Due
from .steps import AddJob, Event, RemoveWorkload, WorkloadStep

ON_TIME_SECONDS = 60
"""How late a Job may start to be on time, where missed times are not made up for."""
MOST_MISSED = 100
"""More missed times than this are told of, and no more than this are made up for."""
_CLOCK_ERROR_SECONDS = 86400
"""A time that is further ahead was dealt with by a clock that was wrong."""
_WINDOWS_SECONDS = (3600.0, 86400.0, 32 * 86400.0)


@dataclass(frozen=True)
class CronJobJob:
    """A Job of a CronJob. ``scheduled_at`` is when it was due; ``ended_at`` is None while it is not over."""

    name: str
    scheduled_at: float
    ended_at: float | None = None
    has_succeeded: bool = False
    is_ending: bool = False

    @property
    def is_active(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True)
class CronJobRecord:
    """``last_scheduled_at`` is the latest time that was dealt with, at first when the CronJob was declared.

    ``decided`` are times whose Jobs are to be made and have not been seen. ``last_schedule_time`` is the latest of
    which a Job was made.
    """

    last_scheduled_at: float | None = None
    decided: tuple[float, ...] = ()
    last_schedule_time: float | None = None
    last_successful_time: float | None = None


@dataclass(frozen=True)
class JobReference:
    """A Job as Kubernetes refers to it."""

    name: str
    api_version: str = w.Job.api_version
    kind: str = w.Job.kind


@dataclass(frozen=True)
class CronJobStatus:
    """``active`` are the Jobs that are not over."""

    active: tuple[JobReference, ...] = ()
    last_schedule_time: float | None = None
    last_successful_time: float | None = None


def job_name(cron_job: str, scheduled_at: float) -> str:
    """The name of the Job of a time, by its minutes since 1970. Source: Kubernetes' ``getJobName``."""
    return f"{cron_job}-{int(scheduled_at // 60)}"


def step(
    wanted: w.CronJob, record: CronJobRecord, jobs: Sequence[CronJobJob], now: float, due: Due
) -> WorkloadStep[CronJobRecord, CronJobStatus]:
    """Decide what is next for a CronJob. ``due`` has the times of its schedule; ``jobs`` are those that it has made."""
    names = {job.name for job in jobs}
    record = _seen(wanted, record, jobs, now)
    unmet = _unmet(wanted, record, now, due)
    record, events = _decided(wanted, record, jobs, now, unmet)
    additions = [
        AddJob(job_name(wanted.name, at), "it is due", "Job", at)
        for at in record.decided
        if job_name(wanted.name, at) not in names
    ]
    operations: list[Operation] = [*_too_old(wanted, jobs), *_replaced(wanted, record, jobs, unmet), *additions]
    names_of_active = {*(job.name for job in jobs if job.is_active), *(one.pod for one in additions)}
    active = tuple(JobReference(name) for name in sorted(names_of_active))
    return WorkloadStep(
        record,
        CronJobStatus(active, record.last_schedule_time, record.last_successful_time),
        tuple(operations),
        None if wanted.suspend else next(due(now), None),
        events,
    )


def _seen(wanted: w.CronJob, record: CronJobRecord, jobs: Sequence[CronJobJob], now: float) -> CronJobRecord:
    """The record with what the Jobs tell."""
    names, since = {job.name for job in jobs}, record.last_scheduled_at
    made = [at for at in record.decided if job_name(wanted.name, at) in names]
    ends = [job.ended_at for job in jobs if job.has_succeeded and job.ended_at is not None]
    return replace(
        record,
        last_scheduled_at=now if since is None or since > now + _CLOCK_ERROR_SECONDS else since,
        decided=tuple(at for at in record.decided if at not in made),
        last_schedule_time=_latest(record.last_schedule_time, *made),
        last_successful_time=_latest(record.last_successful_time, *ends),
    )


def _latest(*instants: float | None) -> float | None:
    return max((instant for instant in instants if instant is not None), default=None)


# --- which times -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Unmet:
    """Times that have come and are not dealt with: those that are made up for, in order, and the latest of all.

    ``missed`` is how many of them are left out, which is no more than `MOST_MISSED` and one where there are more.
    """

    wanted: tuple[float, ...] = ()
    latest: float | None = None
    missed: int = 0


def _unmet(wanted: w.CronJob, record: CronJobRecord, now: float, due: Due) -> _Unmet:
    """The times since the last one that was dealt with; which of them are made up for, the CronJob says."""
    since = record.last_scheduled_at
    if wanted.suspend or since is None or since >= now:
        return _Unmet()
    # Of Jobs that replace one another only the last would be left.
    is_all = wanted.catch_up == "all" and wanted.concurrency_policy != "Replace"
    times = _last_times(due, since, now, MOST_MISSED if is_all else 1)
    chosen = tuple(at for at in times if _is_in_time(wanted, at, now))
    missed = len(_first_times(due, since, now, MOST_MISSED + 1)) - len(chosen)
    return _Unmet(chosen, times[-1] if times else None, missed)


def _is_in_time(wanted: w.CronJob, at: float, now: float) -> bool:
    limit = wanted.starting_deadline_seconds
    if wanted.catch_up == "none":
        limit = ON_TIME_SECONDS if limit is None else min(limit, ON_TIME_SECONDS)
    return limit is None or now - at <= limit


def _first_times(due: Due, after: float, until: float, most: int = UNLIMITED) -> list[float]:
    """The times of an interval, from its beginning on."""
    found: list[float] = []
    for at in due(after):
        if at > until or len(found) == most:
            break
        found.append(at)
    return found


def _last_times(due: Due, after: float, until: float, most: int) -> list[float]:
    """The last times of an interval, which may be long: so those near its end are looked for first."""
    for seconds in (*_WINDOWS_SECONDS, until - after):
        found = _first_times(due, max(after, until - seconds), until)
        if len(found) >= most:
            break
    return found[-most:]


# --- which Jobs ------------------------------------------------------------------------------------------------------


def _decided(
    wanted: w.CronJob, record: CronJobRecord, jobs: Sequence[CronJobJob], now: float, unmet: _Unmet
) -> tuple[CronJobRecord, tuple[Event, ...]]:
    """The record with the times whose Jobs are made now, and word of those that are not."""
    if unmet.latest is None:
        return record, ()
    names = {job.name for job in jobs}
    is_blocked = any(job.is_active for job in jobs) or bool(record.decided)
    if not unmet.wanted:
        message = f"Missed scheduled time to start a job: {unmet.missed} of them"
        return replace(record, last_scheduled_at=unmet.latest), (Event("MissSchedule", message, is_warning=True),)
    if wanted.concurrency_policy != "Allow" and is_blocked:
        # Its time stays unmet: it starts once the others are over, if that is soon enough.
        return record, ()
    count = len(unmet.wanted) if wanted.concurrency_policy == "Allow" else 1
    chosen = unmet.wanted[:count]
    new = tuple(at for at in chosen if job_name(wanted.name, at) not in names)
    met = unmet.latest if count == len(unmet.wanted) else chosen[-1]
    made = _latest(record.last_schedule_time, *(at for at in chosen if at not in new))
    after = replace(record, last_scheduled_at=met, decided=(*record.decided, *new), last_schedule_time=made)
    if unmet.missed >= MOST_MISSED:
        message = f"more than {MOST_MISSED} missed start times; set or decrease startingDeadlineSeconds"
        return after, (Event("TooManyMissedTimes", message, is_warning=True),)
    return after, ()


def _replaced(
    wanted: w.CronJob, record: CronJobRecord, jobs: Sequence[CronJobJob], unmet: _Unmet
) -> list[RemoveWorkload]:
    """The Jobs that give way to the next one, which starts when they are gone."""
    if wanted.concurrency_policy != "Replace" or not unmet.wanted:
        return []
    active = [job for job in jobs if job.is_active and not job.is_ending]
    return [RemoveWorkload(job.name, "the next Job replaces it", "Job") for job in active]


def _too_old(wanted: w.CronJob, jobs: Sequence[CronJobJob]) -> list[RemoveWorkload]:
    """The Jobs that are over, beyond those that are kept of either end."""
    removed = []
    for has_succeeded, limit in (
        (True, wanted.successful_jobs_history_limit),
        (False, wanted.failed_jobs_history_limit),
    ):
        over = [job for job in jobs if not job.is_active and job.has_succeeded == has_succeeded]
        over.sort(key=lambda job: (job.scheduled_at, job.name))
        old = over[: max(len(over) - limit, 0)]
        removed += [
            RemoveWorkload(job.name, f"{limit} Jobs that {'succeeded' if has_succeeded else 'failed'} are kept", "Job")
            for job in old
            if not job.is_ending
        ]
    return removed
