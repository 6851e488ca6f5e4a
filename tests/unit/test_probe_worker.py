# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifecycle_tables import (
    INITIAL_DELAYS,
    KINDS,
    PROBES,
    ROUNDS,
    SEQUENCES,
    SETTINGS,
    START,
)

from ansible_collections.podwright.pods.plugins.module_utils._reconcile.probe_worker import (
    DEFAULT_GRACE_PERIOD_SECONDS,
    INITIAL_RESULTS,
    ContainerFacts,
    PodFacts,
    ProbeSettings,
    ProbeWorker,
    TerminationBudget,
    container_ready,
    container_started,
    grace_period_seconds,
    termination_order,
)

RUNNING_POD = PodFacts("Running")


def worker_for(kind, **settings):
    return ProbeWorker(kind, ProbeSettings(**settings))


def facts(container_id="one", state="running", **others):
    return ContainerFacts(container_id, state, **{"started_at_seconds": START, "started": True, **others})


def step(worker, outcome, now, container, pod=RUNNING_POD):
    """What the supervisor does: look, probe if told to, record. Gives the worker and whether it probed."""
    seen = worker.observe(pod, container, now)
    return (seen.worker.record(outcome, container.container_id) if seen.probe else seen.worker), seen.probe


# -- Probes: the tables


def test_defaults():
    assert ProbeSettings() == ProbeSettings(**{SETTINGS[name]: value for name, value in PROBES["defaults"].items()})
    assert PROBES["initial_result"] == INITIAL_RESULTS


@pytest.mark.parametrize("row", INITIAL_DELAYS)
def test_initial_delay(row):
    kind = row["probe_type"]
    worker = worker_for(kind, initial_delay_seconds=row["initialDelaySeconds"])
    container = facts(started=kind != "startup")
    worker, _counts = step(worker, "Success", START + row["elapsed"], container)
    assert worker.result == row["result"]
    worker, _counts = step(worker, "Success", START + row["then_elapsed"], container)
    assert worker.result == row["then_result"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ROUNDS)
def test_one_round(row, kind):
    given = row["given"]
    pod = None if "pod_status" in given else PodFacts(given.get("pod_phase", "Running"), given.get("deleting", False))
    container = None
    if given.get("container"):
        container = facts(state=given["container"], started=kind != "startup", restart_policy="Never")
    worker = worker_for(kind, initial_delay_seconds=given.get("initialDelaySeconds", 0))
    seen = worker.observe(pod, container, START)
    after = seen.worker.record(given.get("probe", "Success"), "one") if seen.probe else seen.worker
    assert (not after.stopped) is row["keep_going"][kind]
    assert (after.result is not None) is row["result_set"]
    assert after.result == row["result"]


@pytest.mark.parametrize("kind", KINDS)
@given(
    started_at=st.floats(1, 1e6),
    period=st.integers(1, 300),
    beat=st.sampled_from([0, 0.125, 0.5, 1, 2, 4, 32]),
    late=st.floats(0, 0.5),
)
def test_the_beat_is_never_later_than_the_period(kind, started_at, period, beat, late):
    """The first attempt comes as it would, and each that follows on the beat, a beat sooner at most and never later."""
    beat = beat if beat <= period / 5 else 0.125
    worker = worker_for(kind, period_seconds=period, failure_threshold=99, beat_seconds=beat)
    container = facts(started=kind != "startup", started_at_seconds=started_at)
    assert not worker.observe(RUNNING_POD, container, started_at - 0.001).probe
    due = started_at
    for _turn in range(5):
        worker, has_probed = step(worker, "Failure", due + late * min(period, 1), container)
        assert has_probed
        following = worker.due_at_seconds
        assert due + period - beat - 1e-6 <= following <= due + period + 1e-6
        assert not beat or (following / beat) % 1 == pytest.approx(0, abs=1e-6) or following == due + period
        due = following


@pytest.mark.parametrize("row", SEQUENCES)
def test_sequence(row):
    kind = row["probe_type"]
    worker = worker_for(kind, success_threshold=row["success_threshold"], failure_threshold=row["failure_threshold"])
    container = facts(started=kind != "startup")
    if "start_result" in row:
        assert worker.observe(RUNNING_POD, container, START).worker.result == row["start_result"]
    for number, expected in enumerate(row["steps"]):
        if expected.get("new_container_id_before"):
            container = replace(container, container_id="two")
        container = replace(container, started=expected.get("started_before", container.started))
        worker, probed = step(worker, expected["probe"], START + number * 10, container)
        assert probed is not expected.get("note", "").startswith("not run")
        assert worker.result == expected["result"]
        assert worker.on_hold is expected.get("on_hold_after", worker.on_hold)
        assert worker.outcome_run == expected.get("result_run_after", worker.outcome_run)


# -- Probes: when


def probe_times(worker, container, instants, outcome="Success"):
    times = []
    for now in instants:
        worker, probed = step(worker, outcome, START + now, container)
        if probed:
            times.append(now)
    return times


@pytest.mark.parametrize(
    ("settings", "instants", "expected"),
    [
        pytest.param({"period_seconds": 3}, range(10), [0, 3, 6, 9], id="every period from the start"),
        pytest.param({"initial_delay_seconds": 5, "period_seconds": 3}, range(13), [5, 8, 11], id="after the delay"),
        pytest.param({"period_seconds": 3}, [4, 5, 6], [4, 6], id="a late look keeps the rhythm"),
        pytest.param({"period_seconds": 3}, [0, 20, 20.5, 21], [0, 20, 21], id="missed probes are not made up for"),
    ],
)
def test_rhythm(settings, instants, expected):
    assert probe_times(worker_for("readiness", **settings), facts(), instants) == expected


def test_due_time_follows_the_facts():
    worker = worker_for("readiness", initial_delay_seconds=5)
    worker = worker.observe(RUNNING_POD, facts(started=False), START).worker
    assert worker.due_at_seconds is None
    worker = worker.observe(RUNNING_POD, facts(), START + 1).worker
    assert worker.due_at_seconds == START + 5
    worker, probed = step(worker, "Success", START + 5, facts())
    assert probed
    assert worker.due_at_seconds == START + 15
    worker = worker.observe(RUNNING_POD, facts(state="terminated"), START + 6).worker
    assert worker.due_at_seconds is None


@pytest.mark.parametrize("kind", ["readiness", "liveness"])
def test_the_others_start_the_moment_startup_has_passed(kind):
    worker = worker_for(kind, period_seconds=10)
    assert probe_times(worker, facts(started=False), range(25)) == []
    worker = worker.observe(RUNNING_POD, facts(started=False), START + 24).worker
    assert worker.observe(RUNNING_POD, facts(), START + 24.5).probe


def test_a_clock_set_back_delays_a_probe_by_one_period_at_most():
    worker, _counts = step(worker_for("liveness", period_seconds=10), "Success", START + 3600, facts())
    worker = worker.observe(RUNNING_POD, facts(), START).worker
    assert worker.due_at_seconds == START + 10
    assert probe_times(worker, facts(), range(5, 31, 5)) == [10, 20, 30]


def test_a_container_that_seems_to_start_in_the_future_is_probed_all_the_same():
    worker = worker_for("liveness", initial_delay_seconds=30)
    assert probe_times(worker, facts(started_at_seconds=START + 9999), range(0, 61, 10)) == [30, 40, 50, 60]


# -- Probes: what counts


def test_unknown_changes_nothing():
    worker, _counts = step(worker_for("liveness", failure_threshold=2), "Failure", START, facts())
    assert worker.record("Unknown", "one") == worker
    assert worker.record("Failure", "one").result == "Failure"


def test_an_outcome_for_a_container_that_is_gone_is_dropped():
    worker = worker_for("liveness", failure_threshold=1).observe(RUNNING_POD, facts("two"), START).worker
    assert worker.record("Failure", "one") == worker


def test_an_outcome_that_comes_after_the_decision_is_dropped():
    worker, _counts = step(worker_for("liveness", failure_threshold=1), "Failure", START, facts())
    assert worker.record("Success", "one") == worker


def test_counters_start_anew_with_a_new_container():
    worker = worker_for("liveness", failure_threshold=3)
    for now in (0, 10):
        worker, _counts = step(worker, "Failure", START + now, facts("one"))
    worker, _counts = step(worker, "Failure", START + 20, facts("two", started_at_seconds=START + 20))
    assert (worker.result, worker.outcome_run) == ("Success", 1)


@pytest.mark.parametrize(("kind", "ends"), [("liveness", True), ("startup", True), ("readiness", False)])
def test_only_liveness_and_startup_end_the_container(kind, ends):
    container = facts(started=kind != "startup")
    worker, _counts = step(worker_for(kind, failure_threshold=1), "Failure", START, container)
    assert worker.result == "Failure"
    assert worker.ends_container is ends


def test_a_passed_startup_probe_rests_until_the_next_container():
    worker, _counts = step(worker_for("startup"), "Success", START, facts(started=False))
    assert worker.on_hold
    assert not worker.ends_container
    assert not worker.observe(RUNNING_POD, facts(), START + 60).probe
    assert worker.observe(RUNNING_POD, facts("two", started=False), START + 60).probe


@pytest.mark.parametrize("kind", KINDS)
def test_an_ended_container_is_waited_for_unless_it_stays_ended(kind):
    ended = facts(state="terminated", restart_policy="Always")
    assert not worker_for(kind).observe(RUNNING_POD, ended, START).worker.stopped
    stays = replace(ended, restart_policy="Never")
    assert worker_for(kind).observe(RUNNING_POD, stays, START).worker.stopped


def test_an_outcome_that_comes_after_the_deletion_began_is_dropped():
    worker = worker_for("liveness", failure_threshold=1).observe(RUNNING_POD, facts(), START).worker
    worker = worker.observe(PodFacts("Running", deleting=True), facts(), START + 1).worker
    assert worker.stopped
    assert not worker.record("Failure", "one").ends_container


@pytest.mark.parametrize(
    ("state", "probe", "result", "started"),
    [
        ("running", False, None, True),
        ("running", True, "Unknown", False),
        ("running", True, "Success", True),
        ("running", True, "Failure", False),
        ("waiting", False, None, False),
        ("terminated", True, "Success", False),
    ],
)
def test_started_and_ready(state, probe, result, started):
    container = facts(state=state)
    startup = ProbeWorker("startup", container_id="one", result=result) if probe else None
    readiness = ProbeWorker("readiness", container_id="one", result=result) if probe else None
    assert container_started(container, startup) is started
    assert container_ready(container, readiness) is started
    assert not container_ready(replace(container, started=False), readiness)


def test_a_result_of_an_earlier_container_is_worth_nothing():
    worker = ProbeWorker("readiness", container_id="one", result="Success")
    assert not container_ready(facts("two"), worker)


outcomes = st.lists(st.sampled_from(["Success", "Failure", "Unknown"]), max_size=30)


@given(outcomes, st.sampled_from(KINDS), st.integers(1, 4), st.integers(1, 4))
def test_a_result_changes_only_after_its_threshold(sequence, kind, success_threshold, failure_threshold):
    thresholds = {"Success": success_threshold, "Failure": failure_threshold}
    worker = worker_for(kind, success_threshold=success_threshold, failure_threshold=failure_threshold)
    container = facts(started=kind != "startup")
    known = []
    for number, outcome in enumerate(sequence):
        before = worker.observe(RUNNING_POD, container, START + number * 10).worker.result
        worker, probed = step(worker, outcome, START + number * 10, container)
        known += [outcome] if probed and outcome != "Unknown" else []
        if worker.result != before:
            assert known[-thresholds[worker.result] :] == [worker.result] * thresholds[worker.result]


# -- Termination


@pytest.mark.parametrize(
    ("grace", "elapsed", "hook_seconds", "stop_seconds"),
    [
        (30, 0, 30, 30),
        (30, 12.7, 17.3, 18),
        (30, 28.5, 1.5, 2),
        (30, 30, 0, 2),
        (30, 99, 0, 2),
        (1, 0, 1, 2),
        (0, 0, 0, 2),
        (30, -5, 30, 30),
    ],
)
def test_termination_budget(grace, elapsed, hook_seconds, stop_seconds):
    budget = TerminationBudget(grace, START)
    assert budget.hook_seconds(START + elapsed) == pytest.approx(hook_seconds)
    assert budget.stop_seconds(START + elapsed) == stop_seconds


def test_less_than_the_least_is_had_by_asking_for_it():
    assert TerminationBudget(0, START, minimum_stop_seconds=0).stop_seconds(START) == 0
    assert TerminationBudget(1, START, minimum_stop_seconds=1).stop_seconds(START + 5) == 1


@pytest.mark.parametrize(
    ("pod", "deletion", "probe", "expected"),
    [
        (None, None, None, DEFAULT_GRACE_PERIOD_SECONDS),
        (60, None, None, 60),
        (60, None, 5, 5),
        (60, 0, 5, 0),
        (60, 10, None, 10),
        (0, None, None, 0),
    ],
)
def test_grace_period(pod, deletion, probe, expected):
    assert grace_period_seconds(pod, deletion, probe) == expected


@pytest.mark.parametrize(
    ("containers", "waves"),
    [
        pytest.param([], (), id="nothing runs"),
        pytest.param([("a", "app"), ("b", "app")], (("a", "b"),), id="apps in parallel"),
        pytest.param(
            [("log", "sidecar"), ("init", "init"), ("proxy", "sidecar"), ("web", "app"), ("php", "app")],
            (("init", "web", "php"), ("proxy",), ("log",)),
            id="then sidecars in reverse",
        ),
        pytest.param([("log", "sidecar"), ("proxy", "sidecar")], (("proxy",), ("log",)), id="sidecars alone"),
    ],
)
def test_termination_order(containers, waves):
    assert termination_order(containers) == waves
