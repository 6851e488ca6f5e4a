# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CronJobs: when they are due, which missed times are made up for, and that each time has its Job exactly once.

The tables are data/cron.json. Numbers in brackets are issues of kubernetes/kubernetes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import cron
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import cron_job
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.cron_job import (
    CronJobJob,
    CronJobRecord,
    job_name,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.cron_times import due_times
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import (
    AddJob,
    RemoveWorkload,
    WorkloadStep,
    status_document,
)

TABLE = json.loads((Path(__file__).parent / "data" / "cron.json").read_text(encoding="utf-8"))
HOURLY = datetime(2016, 5, 19, 10, tzinfo=UTC).timestamp()
"""A time at which an hourly schedule is due."""
CronStep = WorkloadStep[CronJobRecord, cron_job.CronJobStatus]


def declared(schedule: str = "0 * * * ?", policy: str = "Allow", **fields: Any) -> w.CronJob:
    return w.CronJob("backup", schedule=schedule, concurrency_policy=policy, **fields)


def taken(wanted: w.CronJob, record: CronJobRecord, now: float, *jobs: CronJobJob) -> CronStep:
    return cron_job.step(wanted, record, jobs, now, due_times(cron.parse(wanted.schedule), UTC))


def added(step: CronStep) -> list[float]:
    return [operation.scheduled_at for operation in step.operations if isinstance(operation, AddJob)]


def removed(step: CronStep) -> list[str]:
    return [operation.pod for operation in step.operations if isinstance(operation, RemoveWorkload)]


def made(at: float, ended_at: float | None = None, has_succeeded: bool = True) -> CronJobJob:
    return CronJobJob(job_name("backup", at), at, ended_at, ended_at is not None and has_succeeded)


# --- when it is due --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "schedule", "expected"), TABLE["clock_changes"])
def test_clocks_that_change(after: str, schedule: str, expected: str) -> None:
    due = due_times(cron.parse(schedule), ZoneInfo("America/New_York"))
    instant = datetime.fromisoformat(after).timestamp()
    assert next(due(instant)) == datetime.fromisoformat(expected).timestamp()


@pytest.mark.parametrize(("after", "schedule", "expected"), TABLE["next"])
def test_the_next_time(after: str, schedule: str, expected: str) -> None:
    due = due_times(cron.parse(schedule), UTC)
    assert next(due(datetime.fromisoformat(after).timestamp())) == datetime.fromisoformat(expected).timestamp()


@given(
    st.sampled_from(["*/7 * * * *", "30 1,2 * * *", "0 0 * * sun", "15 2 28-31 * mon", "59 23 31 * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.integers(1_600_000_000, 1_800_000_000),
)
def test_times_are_those_at_which_the_clock_shows_them(schedule: str, zone: str, after: int) -> None:
    """Against all minutes of the days that follow."""
    parsed, where = cron.parse(schedule), ZoneInfo(zone)
    first, days = after // 60 * 60 + 60, 3
    shown = []
    for instant in range(first, first + days * 86400, 60):
        local = datetime.fromtimestamp(instant, where)
        is_day = parsed.has_day(local.month, local.day, local.isoweekday() % 7)
        if is_day and local.hour in parsed.hours and local.minute in parsed.minutes:
            shown.append(float(instant))
    found = []
    for at in due_times(parsed, where)(after):
        if at >= first + days * 86400:
            break
        found.append(at)
    assert found == shown


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"].replace(" ", "-")) for row in TABLE["unmet"]])
def test_missed_times(row: dict[str, Any]) -> None:
    last = row["created"] if row["last"] is None else row["last"]
    fields = {"starting_deadline_seconds": row.get("deadline"), "suspend": row.get("suspend", False)}
    wanted = declared(catch_up=row.get("catch_up", "latest"), **fields)
    now = HOURLY + row["now"]
    step = taken(wanted, CronJobRecord(HOURLY + last), now)
    assert added(step) == [HOURLY + at for at in row["expected"]]
    assert any(event.is_warning for event in step.events) is row.get(
        "warns", row.get("catch_up") == "none" and not row["expected"]
    )
    again = taken(wanted, step.record, now)
    assert (again.operations, again.events, again.record) == (step.operations, (), step.record)


def test_what_was_never_seen_begins_now() -> None:
    """A CronJob that is new makes up for nothing."""
    step = taken(declared(), CronJobRecord(), HOURLY + 600)
    assert (step.operations, step.look_at) == ((), HOURLY + 3600)
    assert added(taken(declared(), step.record, HOURLY + 3600)) == [HOURLY + 3600]
    assert taken(declared(suspend=True), step.record, HOURLY + 3600).look_at is None


def test_all_missed_times_are_no_more_than_a_hundred() -> None:
    step = taken(declared("* * * * *", catch_up="all"), CronJobRecord(HOURLY), HOURLY + 300 * 60)
    assert added(step) == [HOURLY + 60 * minute for minute in range(201, 301)]
    assert step.record.last_scheduled_at == HOURLY + 300 * 60
    forbidden = taken(declared("* * * * *", "Forbid", catch_up="all"), CronJobRecord(HOURLY), HOURLY + 180)
    assert (added(forbidden), forbidden.record.last_scheduled_at) == ([HOURLY + 60], HOURLY + 60)


def test_a_year_of_missed_minutes_is_no_work() -> None:
    """(more than 100 missed times gave up)"""
    step = taken(declared("* * * * *"), CronJobRecord(HOURLY), HOURLY + 366 * 86400)
    assert added(step) == [HOURLY + 366 * 86400]
    assert step.events[0].reason == "TooManyMissedTimes"


def test_a_clock_that_was_wrong_does_not_silence_it_for_long() -> None:
    step = taken(declared(), CronJobRecord(HOURLY + 366 * 86400), HOURLY + 1)
    assert step.record.last_scheduled_at == HOURLY + 1
    assert taken(declared(), CronJobRecord(HOURLY + 7200), HOURLY + 3601).operations == ()


# --- beside one another ----------------------------------------------------------------------------------------------


def test_forbid_waits_for_the_one_before() -> None:
    """Kubernetes' issue 107827."""
    wanted, record = declared(policy="Forbid"), CronJobRecord(HOURLY)
    blocked = taken(wanted, record, HOURLY + 3600, made(HOURLY))
    assert (blocked.operations, blocked.record.last_scheduled_at) == ((), HOURLY)
    # Once it is over the next one starts, if that is soon enough.
    assert added(taken(wanted, blocked.record, HOURLY + 3700, made(HOURLY, HOURLY + 3700))) == [HOURLY + 3600]
    strict = replace(wanted, starting_deadline_seconds=60)
    late = taken(strict, blocked.record, HOURLY + 3700, made(HOURLY, HOURLY + 3700))
    assert (added(late), late.events[0].reason) == ([], "MissSchedule")


def test_forbid_waits_for_one_that_is_still_to_be_made() -> None:
    wanted = declared(policy="Forbid")
    decided = taken(wanted, CronJobRecord(HOURLY), HOURLY + 3600).record
    # The run was killed before it made the Job, and the next time has come.
    step = taken(wanted, decided, HOURLY + 7200)
    assert (added(step), step.record.last_scheduled_at) == ([HOURLY + 3600], HOURLY + 3600)


def test_replace_waits_until_the_one_before_is_gone() -> None:
    wanted, record = declared(policy="Replace"), CronJobRecord(HOURLY)
    step = taken(wanted, record, HOURLY + 3600, made(HOURLY))
    assert (removed(step), added(step)) == ([job_name("backup", HOURLY)], [])
    going = replace(made(HOURLY), is_ending=True)
    assert taken(wanted, step.record, HOURLY + 3601, going).operations == ()
    assert added(taken(wanted, step.record, HOURLY + 3602)) == [HOURLY + 3600]


def test_allow_runs_beside() -> None:
    assert added(taken(declared(), CronJobRecord(HOURLY), HOURLY + 3600, made(HOURLY))) == [HOURLY + 3600]


def test_history() -> None:
    jobs = [made(HOURLY + n * 3600, HOURLY + n * 3600 + 60, has_succeeded=n % 2 == 0) for n in range(8)]
    wanted = declared(successful_jobs_history_limit=2, failed_jobs_history_limit=1)
    step = taken(wanted, CronJobRecord(HOURLY + 8 * 3600), HOURLY + 8 * 3600, *jobs)
    gone = [0, 2, 1, 3, 5]
    assert removed(step) == [job_name("backup", HOURLY + n * 3600) for n in gone]
    none = declared(successful_jobs_history_limit=0, failed_jobs_history_limit=0)
    assert len(removed(taken(none, CronJobRecord(HOURLY + 8 * 3600), HOURLY + 8 * 3600, *jobs))) == 8


def test_status_in_the_shape_of_kubernetes() -> None:
    record = CronJobRecord(HOURLY, (HOURLY,))
    step = taken(declared(), record, HOURLY + 60, made(HOURLY), made(HOURLY - 3600, HOURLY - 3000))
    assert status_document(step.status) == {
        "active": [{"apiVersion": "batch/v1", "kind": "Job", "name": job_name("backup", HOURLY)}],
        "lastScheduleTime": "2016-05-19T10:00:00Z",
        "lastSuccessfulTime": "2016-05-19T09:10:00Z",
    }


# --- whatever happens ------------------------------------------------------------------------------------------------


class Cron:
    """A CronJob on a host whose agent is killed now and then; its Jobs end when they are told to."""

    def __init__(self, wanted: w.CronJob) -> None:
        self.wanted = wanted
        self.record = CronJobRecord(HOURLY)
        self.now = HOURLY
        self.jobs: dict[str, CronJobJob] = {}
        self.made: list[float] = []

    def step(self, cut_after: int | None = None) -> None:
        step = taken(self.wanted, self.record, self.now, *self.jobs.values())
        if cut_after == 0:
            return
        self.record = step.record
        for operation in step.operations[: None if cut_after is None else cut_after - 1]:
            if isinstance(operation, AddJob):
                assert self.wanted.concurrency_policy == "Allow" or not [j for j in self.jobs.values() if j.is_active]
                self.made.append(operation.scheduled_at)
                self.jobs[operation.pod] = CronJobJob(operation.pod, operation.scheduled_at)
            else:
                self.jobs.pop(operation.pod, None)

    def end(self, number: int, has_succeeded: bool) -> None:
        active = sorted(name for name, job in self.jobs.items() if job.is_active)
        if active:
            name = active[number % len(active)]
            self.jobs[name] = replace(self.jobs[name], ended_at=self.now, has_succeeded=has_succeeded)


WORDS = "step step cut cut wait wait end fail"


@given(
    st.sampled_from(["Allow", "Forbid", "Replace"]),
    st.sampled_from(["latest", "all"]),
    st.lists(st.tuples(st.sampled_from(WORDS.split()), st.integers(0, 90)), max_size=50),
)
def test_each_time_has_its_job_once_and_none_is_lost(policy: str, catch_up: str, story: list[tuple[str, int]]) -> None:
    cron_ = Cron(declared("* * * * *", policy, catch_up=catch_up, successful_jobs_history_limit=1))
    for what, number in story:
        if what == "step":
            cron_.step()
        elif what == "cut":
            cron_.step(number % 3)
        elif what == "wait":
            cron_.now += number
        else:
            cron_.end(number, what == "end")
    for _round in range(200):
        before = cron_.record
        cron_.end(0, has_succeeded=True)
        cron_.step()
        if before == cron_.record and not any(job.is_active for job in cron_.jobs.values()):
            break
    assert len(cron_.made) == len({*cron_.made})
    minutes = list(range(int(HOURLY) + 60, int(cron_.now) + 1, 60))
    if catch_up == "all" and policy != "Replace":
        assert sorted(cron_.made) == minutes
    elif minutes:
        assert max(cron_.made) == minutes[-1]
