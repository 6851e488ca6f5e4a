# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: how many pods run, what their ends count for, and that the counts are exact whatever dies.

The tables are data/job.json. Numbers in brackets are issues of kubernetes/kubernetes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import job as jobs
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.facts import WorkloadPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.job_policies import (
    judge_failure,
    met_rule,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.job_record import Failures, JobRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.revisions import template_digest
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import (
    AddPod,
    EndPod,
    RemoveWorkload,
    WorkloadStep,
    find_condition,
    status_document,
)

TABLE = json.loads((Path(__file__).parent / "data" / "job.json").read_text(encoding="utf-8"))
JobStep = WorkloadStep[JobRecord, jobs.JobStatus]


def rows(name: str) -> list[Any]:
    return [pytest.param(row, id=row["name"].replace(" ", "-")) for row in TABLE[name]]


def indexes(text: str) -> frozenset[int]:
    return frozenset(n for first, last in w.indexes_of(text) or () for n in range(first, last + 1))


def declared(image: str = "v1", restart_policy: str = "Never", **fields: Any) -> w.Job:
    template = s.PodSpec("pi", (s.Container("main", image),), restart_policy=restart_policy)
    return w.Job("pi", template=template, **fields)


def indexed(completions: int, parallelism: int = 1, **fields: Any) -> w.Job:
    return declared(completions=completions, parallelism=parallelism, completion_mode="Indexed", **fields)


def failure_policy(*rules: Mapping[str, Any]) -> w.PodFailurePolicy:
    made = []
    for rule in rules:
        codes = rule.get("operator") and w.ExitCodes(rule["operator"], tuple(rule["values"]), rule.get("container"))
        patterns = tuple(w.PodConditionPattern(*pattern) for pattern in rule.get("conditions", ()))
        made.append(w.PodFailureRule(rule["action"], codes or None, patterns))
    return w.PodFailurePolicy(tuple(made))


# --- Kubernetes' tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", rows("success_policy"))
def test_success_policies(row: dict[str, Any]) -> None:
    rules = row["rules"]
    policy = None if rules is None else w.SuccessPolicy(tuple(w.SuccessRule(**rule) for rule in rules))
    assert met_rule(policy, row["completions"], indexes(row["succeeded"])) == row["rule"]


@pytest.mark.parametrize("row", rows("failure_policy"))
def test_failure_policies(row: dict[str, Any]) -> None:
    policy = None if row["rules"] is None else failure_policy(*row["rules"])
    conditions = frozenset((one[0], one[1]) for one in row["conditions"])
    pod = WorkloadPod("mypod", "", phase="Failed", exit_codes=row["exit_codes"], conditions=conditions)
    verdict = judge_failure(policy, pod)
    assert (verdict.action, verdict.message) == (row["action"], row["message"])


@pytest.mark.parametrize("row", rows("backoff"))
def test_how_long_the_next_pod_waits(row: dict[str, Any]) -> None:
    ready_at = Failures(row["failures"], START - row["seconds_since"]).ready_at()
    assert max((ready_at or START) - START, 0) == row["wait_seconds"]


class Run:
    """A Job on a host."""

    def __init__(self, wanted: w.Job) -> None:
        self.wanted = wanted
        self.is_removed = False
        self.host = Host(JobRecord(), done=self._remove)

    def _remove(self, operation: Operation) -> None:
        assert isinstance(operation, RemoveWorkload)
        self.is_removed = True

    def step(self, host: Host) -> JobStep:
        digest = template_digest(self.wanted)
        return jobs.step(self.wanted, digest, host.record, host.sequence(), host.now)

    def take(self) -> JobStep:
        return self.host.take(self.step)

    def active(self) -> list[str]:
        return [name for name, pod in self.host.pods.items() if pod.is_active]

    def at(self, index: int) -> str:
        return next(name for name, pod in self.host.pods.items() if pod.is_active and pod.index == index)

    def finish(self, *exit_codes: int) -> JobStep:
        """The first active pods end with these codes, one after another, and a step is taken."""
        for name, code in zip(self.active(), exit_codes, strict=False):
            self.host.finish(name, code)
        return self.take()

    def wait(self, seconds: float) -> JobStep:
        self.host.now += seconds
        return self.take()

    def play(self, code: Callable[[WorkloadPod], int], seconds: float = 1, most: int = 4000) -> JobStep:
        """Each pod runs for a second and ends with the code that it is given, until the Job is over."""
        for _round in range(most):
            step = self.take()
            if step.record.is_over:
                return step
            self.host.remove_all_ending()
            is_idle = not self.active() and step.look_at is not None
            for name in self.active():
                self.host.finish(name, code(self.host.pods[name]))
            self.host.now = max(self.host.now + seconds, step.look_at or 0 if is_idle else 0)
        raise AssertionError("the Job never ends")


@pytest.mark.parametrize("row", rows("failures_in_row"))
def test_failures_since_the_last_success(row: dict[str, Any]) -> None:
    run = Run(declared(completions=50, parallelism=10, backoff_limit=100))
    run.take()
    for name, (seconds, is_success) in zip(run.active(), row["ends"], strict=False):
        run.host.finish(name, 0 if is_success else 1)
        run.host.change(name, finished_at=START + seconds)
    failures = run.take().record.failures
    assert failures.in_row == row["in_row"]
    assert failures == Failures() or failures.last_at == START + row["last"]


def condition(step: JobStep, kind: str) -> tuple[str, str]:
    found = find_condition(step.status.conditions, kind)
    return (found.status, found.reason) if found else ("", "")


# --- how many pods ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "codes", "active", "counts"),
    [
        (declared(), [], 1, (0, 0)),
        (declared(), [0], 0, (1, 0)),
        (declared(completions=5, parallelism=2), [], 2, (0, 0)),
        (declared(completions=5, parallelism=2), [0], 2, (1, 0)),
        (declared(completions=2, parallelism=5), [], 2, (0, 0)),
        (declared(completions=3, parallelism=3), [0, 0], 1, (2, 0)),
        (declared(completions=3, parallelism=3), [1], 2, (0, 1)),
        (declared(completions=0), [], 0, (0, 0)),
        (declared(completions=None, parallelism=3), [], 3, (0, 0)),
        (declared(completions=None, parallelism=3), [0], 2, (1, 0)),
        (declared(completions=None, parallelism=3), [0, 1], 1, (1, 1)),
        (declared(parallelism=0), [], 0, (0, 0)),
        (indexed(3, 2), [], 2, (0, 0)),
        (indexed(3, 2), [0], 2, (1, 0)),
        (indexed(3, 5), [], 3, (0, 0)),
    ],
)
def test_how_many_pods(wanted: w.Job, codes: Sequence[int], active: int, counts: tuple[int, int]) -> None:
    run = Run(wanted)
    run.take()
    step = run.finish(*codes)
    assert (step.status.active, step.status.succeeded, step.status.failed) == (active, *counts)


@pytest.mark.parametrize("parallelism", [1, 3, 10])
@pytest.mark.parametrize("limit", [0, 3, 6, 10])
def test_the_limit_is_exact(limit: int, parallelism: int) -> None:
    """(70251, 60735, 92245, 93559, 62382, 54870)"""
    run = Run(declared(completions=20, parallelism=parallelism, backoff_limit=limit))
    step = run.play(lambda pod: 1)
    assert condition(step, "Failed") == ("True", "BackoffLimitExceeded")
    assert limit < step.status.failed <= limit + parallelism
    assert len(run.host.pods) == step.status.failed
    if parallelism == 1:
        assert step.status.failed == limit + 1


def test_pods_that_run_when_the_limit_is_passed_are_ended_and_count_as_nothing() -> None:
    run = Run(declared(completions=5, parallelism=3, backoff_limit=0))
    run.take()
    step = run.finish(1)
    assert [type(operation) for operation in step.operations] == [EndPod, EndPod]
    assert (condition(step, "FailureTarget"), condition(step, "Failed")) == (
        ("True", "BackoffLimitExceeded"),
        ("", ""),
    )
    run.host.remove_all_ending()
    done = run.take()
    assert (condition(done, "Failed"), done.status.failed) == (("True", "BackoffLimitExceeded"), 1)
    assert done.events[0].is_warning


def test_the_waits_double_and_a_success_ends_them() -> None:
    run = Run(declared(completions=2, backoff_limit=10))
    run.take()
    assert run.finish(1).look_at == START + 10
    assert run.wait(9).operations == ()
    assert [type(operation) for operation in run.wait(1).operations] == [AddPod]
    assert run.finish(1).look_at == START + 10 + 20
    run.wait(20)
    assert [type(operation) for operation in run.finish(0).operations] == [AddPod]


def test_restarts_of_containers_count_where_pods_start_again_by_themselves() -> None:
    run = Run(declared(restart_policy="OnFailure", backoff_limit=2))
    run.take()
    (name,) = run.active()
    run.host.change(name, restarts=1)
    assert condition(run.take(), "FailureTarget") == ("", "")
    run.host.change(name, restarts=2)
    step = run.take()
    assert condition(step, "FailureTarget") == ("True", "BackoffLimitExceeded")
    assert [operation.pod for operation in step.operations] == [name]


def test_the_deadline_ends_all() -> None:
    run = Run(declared(completions=5, parallelism=2, active_deadline_seconds=60))
    assert run.take().look_at == START + 60
    assert run.wait(59).operations == ()
    step = run.wait(1)
    assert [type(operation) for operation in step.operations] == [EndPod, EndPod]
    run.host.remove_all_ending()
    assert condition(run.take(), "Failed") == ("True", "DeadlineExceeded")


def test_suspended_and_resumed() -> None:
    run = Run(declared(completions=3, parallelism=2, active_deadline_seconds=60))
    run.take()
    run.finish(0)
    run.wanted = replace(run.wanted, suspend=True)
    step = run.wait(30)
    assert [type(operation) for operation in step.operations] == [EndPod, EndPod]
    assert (condition(step, "Suspended"), step.status.start_time) == (("True", "JobSuspended"), None)
    run.host.remove_all_ending()
    step = run.wait(1000)
    assert (step.status.succeeded, step.status.failed, step.status.active, step.look_at) == (1, 0, 0, None)
    run.wanted = replace(run.wanted, suspend=False)
    step = run.take()
    assert (condition(step, "Suspended"), step.look_at) == (("False", "JobResumed"), run.host.now + 60)
    assert [type(operation) for operation in step.operations] == [AddPod, AddPod]
    assert condition(run.play(lambda pod: 0), "Complete") == ("True", "CompletionsReached")


def test_a_job_that_is_declared_suspended_waits() -> None:
    run = Run(declared(suspend=True))
    step = run.take()
    assert (step.operations, condition(step, "Suspended")) == ((), ("True", "JobSuspended"))


def test_time_to_live() -> None:
    run = Run(declared(ttl_seconds_after_finished=100))
    done = run.play(lambda pod: 0)
    assert done.look_at == run.host.now + 100
    assert run.wait(99).operations == ()
    run.wait(1)
    assert run.is_removed
    at_once = Run(declared(ttl_seconds_after_finished=0))
    at_once.play(lambda pod: 0)
    assert at_once.is_removed
    kept = Run(declared())
    assert kept.play(lambda pod: 0).look_at is None


def test_a_changed_job_that_is_over_is_another_one() -> None:
    run = Run(declared())
    run.play(lambda pod: 0)
    first = {*run.host.pods}
    assert run.take().operations == ()
    run.wanted = declared(ttl_seconds_after_finished=9000, backoff_limit=2)
    assert run.take().operations == ()
    run.wanted = declared("v2")
    step = run.take()
    assert [type(operation) for operation in step.operations] == [EndPod, AddPod]
    assert step.status.succeeded == 0
    run.host.remove_all_ending()
    assert condition(run.play(lambda pod: 0), "Complete") == ("True", "CompletionsReached")
    assert not first & {*run.host.pods}


@pytest.mark.parametrize(("policy", "replacements"), [("TerminatingOrFailed", 1), ("Failed", 0)])
def test_pods_that_somebody_ends_are_replaced(policy: str, replacements: int) -> None:
    run = Run(declared(completions=5, parallelism=2, pod_replacement_policy=policy))
    run.take()
    run.host.carry_out(EndPod(run.active()[0], "somebody"))
    step = run.take()
    assert [type(operation) for operation in step.operations] == [AddPod] * replacements
    run.host.remove_all_ending()
    # What was removed by somebody has failed, and the next pod waits.
    assert (run.take().status.failed, len(run.wait(10).operations)) == (1, 1 - replacements)


def test_pods_that_somebody_ends_may_use_the_limit_up() -> None:
    """While such a pod goes, nobody knows yet whether it fails."""
    run = Run(declared(completions=5, backoff_limit=0))
    run.take()
    run.host.carry_out(EndPod(run.active()[0], "somebody"))
    assert run.take().operations == ()
    run.host.remove_all_ending()
    assert condition(run.take(), "Failed") == ("True", "BackoffLimitExceeded")


def test_what_was_to_end_ends_although_more_are_wanted_again() -> None:
    run = Run(declared(completions=9, parallelism=4))
    run.take()
    run.wanted = replace(run.wanted, parallelism=1)
    doomed = {operation.pod for operation in run.host.take(run.step, cut_after=1).operations}
    run.wanted = replace(run.wanted, parallelism=4)
    step = run.take()
    assert {operation.pod for operation in step.operations if isinstance(operation, EndPod)} == doomed
    assert len([operation for operation in step.operations if isinstance(operation, AddPod)]) == 3


def test_fewer_at_a_time() -> None:
    run = Run(declared(completions=9, parallelism=4))
    run.take()
    run.wanted = replace(run.wanted, parallelism=1)
    step = run.take()
    assert [type(operation) for operation in step.operations] == [EndPod] * 3
    run.host.remove_all_ending()
    step = run.take()
    assert (step.operations, step.status.active, step.status.failed) == ((), 1, 0)


# --- indexes ---------------------------------------------------------------------------------------------------------


def test_each_index_once() -> None:
    run = Run(indexed(5, 2))
    ran: list[int | None] = []

    def code(pod: WorkloadPod) -> int:
        ran.append(pod.index)
        return 0

    step = run.play(code)
    assert (ran, step.status.completed_indexes) == ([0, 1, 2, 3, 4], "0-4")
    names = sorted(run.host.pods)
    assert [name.split("-")[2] for name in names] == ["0", "1", "2", "3", "4"]


def test_limits_of_each_index() -> None:
    run = Run(indexed(4, 4, backoff_limit=w.UNLIMITED, backoff_limit_per_index=1))
    step = run.play(lambda pod: int((pod.index or 0) % 2 == 0))
    assert condition(step, "Failed") == ("True", "FailedIndexes")
    assert (step.status.failed, step.status.completed_indexes, step.status.failed_indexes) == (4, "1,3", "0,2")


def test_an_index_that_fails_holds_no_other_up() -> None:
    run = Run(indexed(3, 3, backoff_limit=w.UNLIMITED, backoff_limit_per_index=5))
    run.take()
    run.host.finish(run.at(0), 1)
    run.take()
    run.host.finish(run.at(1), 0)
    step = run.take()
    assert (step.operations, step.look_at) == ((), START + 10)
    assert [operation.index for operation in run.wait(10).operations if isinstance(operation, AddPod)] == [0]


def test_too_many_failed_indexes() -> None:
    run = Run(indexed(10, 1, backoff_limit=w.UNLIMITED, backoff_limit_per_index=0, max_failed_indexes=2))
    step = run.play(lambda pod: 1)
    assert condition(step, "Failed") == ("True", "MaxFailedIndexesExceeded")
    assert step.status.failed_indexes == "0-2"


def test_a_success_policy_ends_the_rest() -> None:
    policy = w.SuccessPolicy((w.SuccessRule("0", None), w.SuccessRule(None, 2)))
    run = Run(indexed(5, 3, success_policy=policy))
    run.take()
    run.host.finish(run.at(1), 0)
    assert condition(run.take(), "SuccessCriteriaMet") == ("", "")
    run.host.finish(run.at(2), 0)
    step = run.take()
    assert condition(step, "SuccessCriteriaMet") == ("True", "SuccessPolicy")
    assert {type(operation) for operation in step.operations} == {EndPod}
    run.host.remove_all_ending()
    done = run.take()
    assert condition(done, "Complete") == ("True", "SuccessPolicy")
    assert done.status.completion_time == START


def test_indexes_that_are_no_longer_wanted_end() -> None:
    run = Run(indexed(5, 5))
    run.take()
    run.wanted = replace(run.wanted, completions=3, parallelism=3)
    run.host.record = replace(run.host.record, digest=template_digest(run.wanted))
    assert sorted(run.host.pods[operation.pod].index or 0 for operation in run.take().operations) == [3, 4]


# --- failure policies ------------------------------------------------------------------------------------------------

COUNT_1 = {"action": "Count", "operator": "In", "values": [1]}


@pytest.mark.parametrize(
    ("rule", "failed", "reason"),
    [
        ({"action": "FailJob", "operator": "In", "values": [1]}, 1, "PodFailurePolicy"),
        ({"action": "Count", "operator": "In", "values": [1]}, 3, "BackoffLimitExceeded"),
    ],
)
def test_what_a_failure_counts_for(rule: dict[str, Any], failed: int, reason: str) -> None:
    policy = failure_policy(rule)
    run = Run(declared(backoff_limit=2, pod_failure_policy=policy, pod_replacement_policy="Failed"))
    step = run.play(lambda pod: 1)
    assert (condition(step, "Failed"), step.status.failed) == (("True", reason), failed)


def test_what_is_ignored_waits_all_the_same() -> None:
    """Kubernetes' issue 119378."""
    policy = failure_policy({"action": "Ignore", "operator": "In", "values": [1]})
    run = Run(declared(backoff_limit=0, pod_failure_policy=policy, pod_replacement_policy="Failed"))
    run.take()
    step = run.finish(1)
    assert (step.status.failed, step.operations, step.look_at) == (0, (), START + 10)
    run.wait(10)
    assert run.finish(1).look_at == START + 10 + 20
    run.wait(20)
    assert condition(run.finish(0), "Complete") == ("True", "CompletionsReached")


def test_an_index_that_is_not_worth_another_try() -> None:
    policy = failure_policy({"action": "FailIndex", "operator": "In", "values": [42]})
    limits = {"backoff_limit": w.UNLIMITED, "backoff_limit_per_index": 5}
    run = Run(indexed(2, 2, pod_failure_policy=policy, pod_replacement_policy="Failed", **limits))
    step = run.play(lambda pod: 42 if pod.index == 0 else 0)
    assert (step.status.failed_indexes, step.status.failed) == ("0", 1)
    assert condition(step, "Failed") == ("True", "FailedIndexes")


def test_status_in_the_shape_of_kubernetes() -> None:
    step = Run(indexed(2, 2)).play(lambda pod: 0)
    document = status_document(step.status)
    assert {name: value for name, value in document.items() if name not in ("conditions", "completionTime")} == {
        "active": 0,
        "ready": 0,
        "terminating": 0,
        "succeeded": 2,
        "failed": 0,
        "completedIndexes": "0,1",
        "startTime": "1970-01-12T13:46:40Z",
    }
    assert [one["type"] for one in document["conditions"]] == ["SuccessCriteriaMet", "Complete"]


# --- whatever happens ------------------------------------------------------------------------------------------------


class Declaration(NamedTuple):
    """What is drawn of a Job."""

    completions: int | None
    parallelism: int
    is_indexed: bool
    limit: int
    limit_per_index: int | None
    waits: bool

    def job(self) -> w.Job:
        policy = "Failed" if self.waits else "TerminatingOrFailed"
        fields: dict[str, Any] = {"parallelism": self.parallelism, "pod_replacement_policy": policy}
        if not self.is_indexed:
            return declared(completions=self.completions, backoff_limit=self.limit, **fields)
        per_index = self.limit_per_index
        limit = self.limit if per_index is None else w.UNLIMITED
        fields = {**fields, "backoff_limit": limit, "backoff_limit_per_index": per_index}
        return declared(completions=self.completions or 2, completion_mode="Indexed", **fields)


declarations = st.builds(
    Declaration,
    completions=st.none() | st.integers(0, 6),
    parallelism=st.integers(1, 4),
    is_indexed=st.booleans(),
    limit=st.integers(0, 4),
    limit_per_index=st.none() | st.integers(0, 2),
    waits=st.booleans(),
)
WORDS = "step step step cut succeed succeed fail fail end gone vanish wait suspend"
happenings = st.lists(st.tuples(st.sampled_from(WORDS.split()), st.integers(0, 20)), max_size=60)


class Watched(Run):
    """A Job that is watched: what it counts is what has happened, and no pod starts that must not."""

    def __init__(self, wanted: w.Job) -> None:
        super().__init__(wanted)
        self.succeeded: set[str] = set()
        self.failed: set[str] = set()
        self.dismissed: set[str] = set()
        self.made: set[str] = set()

    def step(self, host: Host) -> JobStep:
        step = super().step(host)
        added = [operation for operation in step.operations if isinstance(operation, AddPod)]
        running = [pod for pod in host.sequence() if pod.is_active]
        ended = {operation.pod for operation in step.operations if isinstance(operation, EndPod)}
        if added:
            assert step.record.failed <= self.wanted.backoff_limit
            staying = [pod for pod in running if pod.name not in ended]
            assert len(staying) + len(added) <= self.wanted.parallelism
        open_indexes = [one.index for one in step.record.open if one.index is not None]
        assert len(open_indexes) == len({*open_indexes})
        digest = template_digest(self.wanted)
        again = jobs.step(self.wanted, digest, step.record, host.sequence(), host.now)
        assert (again.operations, again.record) == (step.operations, step.record)
        return step

    def happen(self, what: str, number: int) -> None:
        host = self.host
        if what == "step":
            self.carry(None)
        elif what == "cut":
            self.carry(number % 4)
        elif what == "wait":
            host.now += number
        elif what == "suspend":
            self.wanted = replace(self.wanted, suspend=not self.wanted.suspend)
        names = sorted(name for name, pod in host.pods.items() if not pod.is_over)
        if names:
            self._to_pod(what, names[number % len(names)])

    def carry(self, cut_after: int | None) -> None:
        before = {*self.host.pods}
        self.host.take(self.step, cut_after)
        self.dismissed |= {one.name for one in self.host.record.open if one.is_dismissed}
        # No name is made twice.
        assert not ({*self.host.pods} - before) & self.made
        self.made |= {*self.host.pods}

    def _to_pod(self, what: str, name: str) -> None:
        host = self.host
        # A pod that nobody has seen since it was asked for was never there, as far as the Job can tell.
        is_known = any(one.name == name and one.is_known for one in host.record.open)
        if what in ("succeed", "fail"):
            host.finish(name, int(what == "fail"))
            (self.failed if what == "fail" else self.succeeded).add(name)
        elif what == "end":
            host.carry_out(EndPod(name, "somebody"))
        elif is_known and (what == "vanish" or (what == "gone" and host.pods[name].is_ending)):
            del host.pods[name]
            self.failed.add(name)


@given(first=declarations, story=happenings)
def test_whatever_dies_the_counts_are_exact_and_it_ends(first: Declaration, story: list[tuple[str, int]]) -> None:
    run = Watched(first.job())
    for what, number in story:
        run.happen(what, number)
    run.wanted = replace(run.wanted, suspend=False)
    for _round in range(400):
        run.carry(None)
        if run.host.record.is_over:
            break
        for name, pod in list(run.host.pods.items()):
            if pod.is_ending and not pod.is_over:
                run._to_pod("gone", name)
            elif pod.is_active:
                run._to_pod("succeed", name)
        run.host.now += 700
    record = run.host.record
    assert record.is_over
    # Whatever the Job has ended itself may still have succeeded, and never counts as failed.
    assert record.failed == len(run.failed - run.dismissed)
    if first.job().is_indexed:
        assert record.succeeded == len(record.completed_indexes) <= (run.wanted.completions or 0)
    else:
        assert record.succeeded == len(run.succeeded)
    assert record.failed <= run.wanted.backoff_limit + run.wanted.parallelism
    assert {*run.host.pods} <= run.made
