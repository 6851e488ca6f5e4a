# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`pod.step.step` is what the agent runs: the tables of Kubernetes hold for it, on a pod that is seen over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifecycle_tables import (
    BACKOFF,
    CRASH_LOOPS,
    EXPIRIES,
    INITIAL_DELAYS,
    KINDS,
    ROUNDS,
    SEQUENCES,
    START,
    restart_rows,
)

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.backoff import CONTAINER_BACKOFF, Backoff
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import ObservedContainer, ObservedPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod import step as pod_step
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod.step import DueProbe, Ending, Memory, Step
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.probe_worker import ProbeWorker

ALWAYS = s.Probe(period_seconds=10, failure_threshold=1)


def container(name: str = "main", **fields: Any) -> s.Container:
    return s.Container(name, "image", **fields)


def pod(*containers: s.Container, **fields: Any) -> s.PodSpec:
    return s.PodSpec("web", containers or (container(),), **fields)


@dataclass
class Kept:
    """A pod, what is seen of its containers, and a clock; its probes answer as they are told to."""

    pod: s.PodSpec
    backoff: Backoff = CONTAINER_BACKOFF
    now: float = START
    phase: str = "Running"
    is_there: bool = True
    containers: dict[str, ObservedContainer] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    """By kind of probe; Success where nothing is told."""
    memory: Memory = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        self.memory = Memory(self.pod, backoff=self.backoff).declared(self.pod)

    # --- what happens to the pod -------------------------------------------------------------------------------------

    def start(self, name: str = "main", digests: Mapping[str, str] | None = None) -> None:
        """A new container, which runs."""
        declared = self.pod.find(name)
        assert declared is not None
        self.made += 1
        self.containers[name] = ObservedContainer(
            id=f"id-{self.made}",
            podman_name=f"web-{name}",
            name=name,
            role=self.pod.role_of(declared),
            state="running",
            image="image",
            image_id="id of the image",
            digests=digests or {"spec": "one"},
            pid=1000 + self.made,
            started_at=self.now,
        )

    def change(self, name: str = "main", **fields: Any) -> None:
        self.containers[name] = replace(self.containers[name], **fields)

    def end(self, name: str = "main", exit_code: int = 1, **fields: Any) -> None:
        self.change(name, state="exited", pid=0, exit_code=exit_code, finished_at=self.now, **fields)

    def restart(self, name: str = "main", digests: Mapping[str, str] | None = None) -> None:
        """What the keeper does with a container whose time has come."""
        ended = self.containers[name]
        self.start(name, digests or ended.digests)
        self.memory = self.memory.restarted(ended, self.now)

    # --- what is made of it ------------------------------------------------------------------------------------------

    @property
    def observed(self) -> ObservedPod | None:
        if not self.is_there:
            return None
        containers = tuple(self.containers.values())
        return ObservedPod("id", "web", True, {}, "infra", 1, START, containers, seen_at=self.now)

    def look(self) -> Step:
        """One step; probes that are due are not run."""
        step = pod_step.step(self.memory, self.observed, self.phase, self.now)
        self.memory = step.memory
        return step

    def turn(self) -> tuple[Step, tuple[DueProbe, ...]]:
        """Steps until no probe is due: the last of them, and the probes that have run."""
        run: list[DueProbe] = []
        while True:
            step = self.look()
            if not step.probes:
                return step, tuple(run)
            run += step.probes
            for due in step.probes:
                self.memory = self.memory.recorded(due, self.answers.get(due.kind, "Success"))

    def turns(self, number: int, period_seconds: float = 10) -> Step:
        """So many turns, one each period; returns the last."""
        for _turn in range(number - 1):
            self.turn()
            self.now += period_seconds
        return self.turn()[0]

    def worker(self, kind: str, name: str = "main") -> ProbeWorker:
        return self.memory.workers[name, kind]  # type: ignore[index]


def probed(kind: str, probe: s.Probe, **fields: Any) -> Kept:
    """A pod of one container with one probe."""
    return Kept(pod(container(**{f"{kind}_probe": probe}), **fields))


# -- The tables of probes


@pytest.mark.parametrize("row", INITIAL_DELAYS)
def test_initial_delay(row: dict[str, Any]) -> None:
    kind = row["probe_type"]
    kept = probed(kind, s.Probe(initial_delay_seconds=row["initialDelaySeconds"]))
    kept.start()
    for elapsed, result in ((row["elapsed"], row["result"]), (row["then_elapsed"], row["then_result"])):
        kept.now = START + elapsed
        kept.turn()
        assert kept.worker(kind).result == result


@pytest.mark.parametrize("kind", KINDS)
# A pod that is being removed is left to the run that removes it.
@pytest.mark.parametrize("row", [row for row in ROUNDS if "deleting" not in row.values[0]["given"]])
def test_one_round(row: dict[str, Any], kind: str) -> None:
    told = row["given"]
    probe = s.Probe(initial_delay_seconds=told.get("initialDelaySeconds", 0))
    kept = probed(kind, probe, restart_policy="Never")
    kept.is_there = "pod_status" not in told
    kept.phase = told.get("pod_phase", "Running")
    kept.answers[kind] = told.get("probe", "Success")
    if told.get("container"):
        kept.start()
    if told.get("container") == "waiting":
        kept.change(state="created", pid=0, started_at=None)
    if told.get("container") == "terminated":
        kept.end()
    kept.turn()
    assert (not kept.worker(kind).stopped) is row["keep_going"][kind]
    assert (kept.worker(kind).result is not None) is row["result_set"]
    assert kept.worker(kind).result == row["result"]


@pytest.mark.parametrize("row", SEQUENCES)
def test_sequence(row: dict[str, Any]) -> None:
    kind = row["probe_type"]
    probe = s.Probe(success_threshold=row["success_threshold"], failure_threshold=row["failure_threshold"])
    probes = {f"{kind}_probe": probe}
    if kind != "startup" and any("started_before" in expected for expected in row["steps"]):
        # Only a startup probe can say that a container that runs has not started.
        probes["startup_probe"] = s.Probe(failure_threshold=99)
    kept = Kept(pod(container(**probes)))
    kept.start()
    if "start_result" in row:
        assert kept.look().memory.workers["main", kind].result == row["start_result"]
        kept = Kept(kept.pod, containers=kept.containers)
    for number, expected in enumerate(row["steps"]):
        kept.now = START + number * 10
        if expected.get("new_container_id_before"):
            kept.start()
        if kind != "startup":
            kept.answers["startup"] = "Success" if expected.get("started_before", True) else "Failure"
        kept.answers[kind] = expected["probe"]
        _step, run = kept.turn()
        assert (kind in [due.kind for due in run]) is not expected.get("note", "").startswith("not run")
        worker = kept.worker(kind)
        assert worker.result == expected["result"]
        assert worker.on_hold is expected.get("on_hold_after", worker.on_hold)
        assert worker.outcome_run == expected.get("result_run_after", worker.outcome_run)


# -- The tables of restarts and back-off


@pytest.mark.parametrize(
    # What never ran, or nobody knows of, is the plan's to start.
    "row",
    [row for state in ("alive", "succeed", "failed") for row in restart_rows(latest_state=state, deleting=False)],
)
def test_should_restart(row: dict[str, Any]) -> None:
    kept = Kept(pod(restart_policy=row["policy"]))
    kept.start()
    if row["latest_state"] != "alive":
        kept.end(exit_code=0 if row["latest_state"] == "succeed" else 1)
    step = kept.look()
    assert ("main" in step.restarts) is row["restart"]
    assert not step.backing_off


def await_restart(kept: Kept) -> float:
    """How long a container that has just ended is held; afterwards it runs again."""
    ended_at = kept.now
    step = kept.look()
    if step.backing_off:
        assert step.restarts == ()
        assert step.next_at_seconds == step.backing_off["main"]
        kept.now = step.backing_off["main"] - 0.5
        assert kept.look().backing_off == step.backing_off
        kept.now = step.backing_off["main"]
        step = kept.look()
    assert (step.restarts, step.backing_off) == (("main",), {})
    kept.restart()
    return kept.now - ended_at


def crash_loop_waits(kept: Kept, run_seconds: float, restarts: int) -> list[float]:
    waits = []
    kept.start()
    for _turn in range(restarts):
        kept.now += run_seconds
        kept.end()
        waits.append(await_restart(kept))
    return waits


def test_a_clock_set_back_holds_nothing() -> None:
    """Else a container that ended before would wait for as long as the clock went back."""
    kept = Kept(pod())
    crash_loop_waits(kept, 0, 3)
    kept.end()
    assert kept.look().backing_off
    kept.now -= 3600
    assert (kept.look().restarts, kept.look().backing_off) == (("main",), {})
    kept.restart()
    kept.now += 1
    kept.end()
    assert kept.look().backing_off == {"main": kept.now + 80}


@pytest.mark.parametrize("row", CRASH_LOOPS)
def test_crash_loop(row: dict[str, Any]) -> None:
    expected = row["waits_before_restart_s"]
    assert crash_loop_waits(Kept(pod()), row["run_seconds"], len(expected)) == expected


@pytest.mark.parametrize("run_seconds", [301, 450, 600])
def test_a_wait_is_no_quiet(run_seconds: int) -> None:
    """A key starts over after a run of 600 s; a run that was shorter, and the wait after it, do not add up to one."""
    assert crash_loop_waits(Kept(pod()), run_seconds, 8) == [0, 10, 20, 40, 80, 160, 300, 300]


def test_slow_backoff() -> None:
    row = BACKOFF["slow_backoff"]
    kept = Kept(pod(), Backoff(row["initial"], row["max"]))
    expected = row["get_before_each_next"]
    assert crash_loop_waits(kept, 0, len(expected)) == expected


def test_in_backoff_since_update() -> None:
    """A container that ends the moment it was started is held from its start on, as an image is from its pull."""
    row = BACKOFF["in_backoff_since_update"]
    kept = Kept(pod(), Backoff(row["initial"], row["max"]))
    kept.start()
    kept.end()
    started_at = START
    for tick in row["ticks"]:
        kept.now = START + tick["tick"]
        if kept.now - started_at > 2 * row["max"]:
            # The table falls silent for so long: that is a container that runs.
            kept.change(finished_at=kept.now)
        step = kept.look()
        assert bool(step.backing_off) is tick["in_backoff"], tick
        if tick["in_backoff"]:
            assert step.backing_off == {"main": started_at + tick["value"]}, tick
        else:
            assert step.restarts == ("main",)
            kept.restart()
            kept.end()
            started_at = kept.now


def test_high_water_mark() -> None:
    row = BACKOFF["high_water_mark"]
    kept = Kept(pod(), Backoff(row["initial"], row["max"]))
    crash_loop_waits(kept, 0, 6)
    kept.end()
    assert kept.look().backing_off == {"main": kept.now + row["max"]}
    kept.now += 6
    kept.end()
    assert await_restart(kept) == row["max"]
    kept.now += 11
    kept.end()
    assert await_restart(kept) == 0


@pytest.mark.parametrize(("row", "expire_after_seconds", "quiet_seconds"), EXPIRIES)
def test_has_expired(row: dict[str, Any], expire_after_seconds: float | None, quiet_seconds: int) -> None:
    kept = Kept(pod(), Backoff(row["initial"], row["max"], expire_after_seconds))
    crash_loop_waits(kept, 0, 1)
    kept.now += 5
    kept.end()
    await_restart(kept)
    kept.end()
    assert kept.look().backing_off["main"] - kept.now >= row["after_5s_next_at_least"]
    kept.now += quiet_seconds
    kept.end()
    assert await_restart(kept) == 0
    kept.end()
    assert await_restart(kept) == row[f"after_{quiet_seconds}s_more_next"]


# -- Probes


def test_startup_holds_the_others_back() -> None:
    patient = s.Probe(period_seconds=10, failure_threshold=99)
    kept = Kept(pod(container(startup_probe=patient, liveness_probe=ALWAYS, readiness_probe=ALWAYS)))
    kept.start()
    kept.answers["startup"] = "Failure"
    for _turn in range(5):
        step, run = kept.turn()
        assert [due.kind for due in run] == ["startup"]
        assert (step.started, step.ready) == ({"main": False}, {"main": False})
        kept.now += 10
    kept.answers["startup"] = "Success"
    step, run = kept.turn()
    assert [due.kind for due in run] == ["startup", "liveness", "readiness"]
    assert (step.started, step.ready) == ({"main": True}, {"main": True})
    kept.now += 10
    assert [due.kind for due in kept.turn()[1]] == ["liveness", "readiness"]


@pytest.mark.parametrize("kind", ["startup", "liveness"])
@pytest.mark.parametrize(("own", "grace"), [(None, 25), (7, 7), (0, 0)])
def test_what_fails_for_good_ends_its_container(kind: str, own: int | None, grace: int) -> None:
    probe = s.Probe(period_seconds=10, failure_threshold=3, termination_grace_period_seconds=own)
    kept = probed(kind, probe, termination_grace_period_seconds=25)
    kept.start()
    kept.answers[kind] = "Failure"
    assert kept.turns(2).endings == ()
    kept.now += 10
    step = kept.turn()[0]
    assert step.endings == (Ending("main", kind, grace),)  # type: ignore[arg-type]
    # Until it has ended it is to be ended, and is not asked any more.
    kept.now += 60
    assert kept.turn() == (step, ())
    kept.end(exit_code=137)
    step = kept.look()
    assert (step.endings, step.restarts) == ((), ("main",))


def test_one_ending_where_several_probes_fail() -> None:
    kept = Kept(pod(container(startup_probe=ALWAYS, liveness_probe=ALWAYS), container("other", liveness_probe=ALWAYS)))
    kept.start("main")
    kept.start("other")
    kept.answers = {"startup": "Failure", "liveness": "Failure"}
    step = kept.turn()[0]
    assert [(ending.container, ending.kind) for ending in step.endings] == [("main", "startup"), ("other", "liveness")]


def test_a_new_run_of_the_container_is_counted_anew() -> None:
    kept = probed("liveness", s.Probe(period_seconds=10, failure_threshold=3))
    kept.start()
    kept.answers["liveness"] = "Failure"
    kept.turns(2)
    kept.end()
    kept.turn()
    kept.restart()
    assert kept.turns(2).endings == ()
    kept.now += 10
    assert kept.turn()[0].endings != ()
    # Podman can start the same container again: then only its process is another.
    kept.end()
    kept.turn()
    kept.change(state="running", pid=4321, started_at=kept.now)
    assert kept.turns(2).endings == ()


def test_an_outcome_of_the_run_before_is_dropped() -> None:
    kept = probed("liveness", ALWAYS)
    kept.start()
    (late,) = kept.look().probes
    kept.end()
    kept.restart()
    kept.turn()
    assert kept.memory.recorded(late, "Failure") == kept.memory
    assert kept.memory.recorded(replace(late, container="other"), "Failure") == kept.memory


def test_readiness_flips_both_ways() -> None:
    kept = probed("readiness", s.Probe(period_seconds=10, success_threshold=2, failure_threshold=3))
    kept.start()
    seen = []
    for answer in ("Success", "Success", "Failure", "Failure", "Failure", "Success", "Success"):
        kept.answers["readiness"] = answer
        step = kept.turn()[0]
        assert step.endings == ()
        assert step.started == {"main": True}
        seen.append(step.ready["main"])
        kept.now += 10
    assert seen == [False, True, True, True, False, False, True]
    kept.end()
    assert kept.turn()[0].ready == {"main": False}


def test_without_probes_what_runs_is_ready() -> None:
    kept = Kept(pod())
    assert (kept.look().started, kept.look().ready) == ({"main": False}, {"main": False})
    kept.start()
    step = kept.look()
    assert (step.started, step.ready) == ({"main": True}, {"main": True})
    assert step.next_at_seconds is None


def test_init_containers_are_left_to_the_plan() -> None:
    kept = Kept(pod(init_containers=(container("init"),)))
    kept.start("init")
    kept.end("init")
    step = kept.look()
    assert (step.restarts, step.backing_off, step.ready) == ((), {}, {"main": False})


def test_a_container_that_is_gone_is_not_waited_for() -> None:
    kept = probed("liveness", ALWAYS)
    kept.start()
    kept.turn()
    kept.containers.clear()
    kept.now += 3600
    assert kept.look().next_at_seconds is None


@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_a_pod_that_had_ended_is_probed_when_it_runs_again(phase: str) -> None:
    """Unlike Kubernetes' ours can run again, and the phase that is handed in is that of the look before."""
    kept = probed("readiness", ALWAYS, restart_policy="Never")
    kept.start()
    kept.turn()
    kept.end(exit_code=0)
    kept.turn()
    kept.phase = phase
    kept.turn()
    kept.start()
    kept.turn()
    kept.phase = "Running"
    assert kept.turn()[0].ready == {"main": True}


# -- Restarts


def test_another_spec_starts_over() -> None:
    kept = Kept(pod())
    crash_loop_waits(kept, 0, 4)
    kept.end()
    assert kept.look().backing_off == {"main": kept.now + 80}
    kept.start(digests={"spec": "two"})
    kept.end()
    assert await_restart(kept) == 0


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
@pytest.mark.parametrize("exit_code", [0, 1])
def test_sidecars_are_started_again_whatever_the_policy(policy: str, exit_code: int) -> None:
    kept = Kept(pod(init_containers=(container("log", restart_policy="Always"),), restart_policy=policy))
    kept.start("log")
    kept.start("main")
    kept.end("log", exit_code=exit_code)
    assert kept.look().restarts == ("log",)
    kept.restart("log")
    kept.end("log", exit_code=exit_code)
    step = kept.look()
    assert (step.restarts, step.backing_off) == ((), {"log": kept.now + 10})


def test_on_failure_counts_the_latest_end() -> None:
    kept = Kept(pod(restart_policy="OnFailure"))
    crash_loop_waits(kept, 0, 3)
    kept.end(exit_code=0)
    step = kept.look()
    assert (step.restarts, step.backing_off, step.next_at_seconds) == ((), {}, None)


def test_what_a_run_has_stopped_is_no_restart() -> None:
    kept = Kept(pod())
    kept.start()
    kept.end(exit_code=137, stopped_by_run=True)
    step = kept.look()
    assert (step.restarts, step.backing_off) == ((), {})


def test_each_container_waits_for_itself() -> None:
    kept = Kept(pod(container("main"), container("other")))
    crash_loop_waits(kept, 0, 3)
    kept.start("other")
    kept.now += 5
    kept.end("main")
    kept.end("other")
    step = kept.look()
    assert (step.restarts, step.backing_off) == (("other",), {"main": kept.now + 40})


def test_a_renamed_container_is_not_ours() -> None:
    kept = Kept(pod())
    kept.start()
    kept.end(podman_name="kept-for-later")
    assert kept.look().restarts == ()


def test_nothing_is_due_in_a_pod_that_has_failed() -> None:
    kept = Kept(pod(container("main", liveness_probe=ALWAYS), container("other")))
    kept.start("main")
    kept.start("other")
    kept.answers["liveness"] = "Failure"
    kept.turn()
    kept.end("other")
    assert (kept.look().endings, kept.look().restarts) != ((), ())
    step = pod_step.step(kept.memory, kept.observed, kept.phase, kept.now, has_failed=True)
    assert (step.probes, step.endings, step.restarts, step.backing_off, step.next_at_seconds) == ((), (), (), {}, None)
    assert step.ready == step.started == {"main": False, "other": False}
    assert step.memory == kept.memory


# -- The declaration changes


def test_a_probe_that_is_as_it_was_goes_on() -> None:
    patient = s.Probe(period_seconds=10, failure_threshold=3)
    kept = Kept(pod(container(liveness_probe=patient, readiness_probe=patient)))
    kept.start()
    kept.answers = {"liveness": "Failure", "readiness": "Failure"}
    kept.turns(2)
    changed = replace(patient, period_seconds=5)
    own_grace = replace(patient, termination_grace_period_seconds=1)
    memory = kept.memory.declared(pod(container(liveness_probe=own_grace, readiness_probe=changed), container("other")))
    assert memory.workers["main", "liveness"] == kept.worker("liveness")
    assert memory.workers["main", "liveness"].outcome_run == 2
    assert memory.workers["main", "readiness"] == ProbeWorker("readiness", pod_step.settings_of(changed))
    assert memory.backoff == kept.memory.backoff
    assert memory.declared(pod(container("other"))).workers == {}


# -- What always holds

FULL = pod(
    container("main", startup_probe=s.Probe(period_seconds=3), liveness_probe=s.Probe(period_seconds=7)),
    container("other", readiness_probe=s.Probe(initial_delay_seconds=9, period_seconds=2), liveness_probe=ALWAYS),
    init_containers=(container("init"), container("log", restart_policy="Always", startup_probe=ALWAYS)),
)

moves = st.lists(
    st.tuples(
        st.sampled_from(["start", "end well", "end badly", "stop", "vanish", "nothing"]),
        st.sampled_from([each.name for each in FULL.all_containers]),
        st.one_of(st.integers(0, 20), st.floats(0, 1000)),
        st.sampled_from(["Success", "Failure", "Unknown"]),
    ),
    max_size=30,
)
policies = st.sampled_from(["Always", "OnFailure", "Never"])


def move(kept: Kept, what: str, name: str, seconds: float, answer: str) -> None:
    """One thing that may happen to a pod, and the time that goes by until it does."""
    kept.now += seconds
    kept.answers = dict.fromkeys(KINDS, answer)
    found = kept.containers.get(name)
    if what == "start" and found is not None and name in kept.look().restarts:
        kept.restart(name)
    elif what == "start":
        kept.start(name)
    elif what == "vanish":
        kept.containers.pop(name, None)
    elif found is not None and found.is_running and what != "nothing":
        kept.end(name, exit_code=int(what != "end well"), stopped_by_run=what == "stop")


@given(moves, policies)
def test_only_what_runs_is_probed_and_ended(history: list[tuple[Any, ...]], policy: str) -> None:
    kept = Kept(replace(FULL, restart_policy=policy))
    for each in history:
        move(kept, *each)
        runs = {name: found.run for name, found in kept.containers.items() if found.is_running}
        step = kept.look()
        assert {due.container: due.run for due in step.probes}.items() <= runs.items()
        assert {ending.container for ending in step.endings} <= set(runs)
        started = {name for name, is_started in step.started.items() if is_started}
        assert {name for name, is_ready in step.ready.items() if is_ready} <= started <= set(runs)
        kept.turn()


@given(moves, policies)
def test_a_container_is_held_or_started_again_or_neither(history: list[tuple[Any, ...]], policy: str) -> None:
    kept = Kept(replace(FULL, restart_policy=policy))
    for each in history:
        move(kept, *each)
        step, _run = kept.turn()
        ended = {name for name, found in kept.containers.items() if found.has_exited and not found.stopped_by_run}
        assert not set(step.restarts) & set(step.backing_off)
        assert set(step.restarts) | set(step.backing_off) <= ended - {"init"}
        assert all(kept.now < until <= kept.now + CONTAINER_BACKOFF.max_seconds for until in step.backing_off.values())


@given(moves, policies)
def test_the_next_look_lies_ahead(history: list[tuple[Any, ...]], policy: str) -> None:
    """Else the keeper would go round and round."""
    kept = Kept(replace(FULL, restart_policy=policy))
    for each in history:
        move(kept, *each)
        step, _run = kept.turn()
        assert step.next_at_seconds is None or step.next_at_seconds > kept.now


@given(moves, policies)
def test_the_same_seen_again_changes_nothing(history: list[tuple[Any, ...]], policy: str) -> None:
    kept = Kept(replace(FULL, restart_policy=policy))
    for each in history:
        move(kept, *each)
        first = kept.look()
        again = kept.look()
        assert again == replace(first, probes=())
        kept.turn()


@pytest.mark.parametrize(
    ("period", "beat"), [(1, 0.125), (2, 0.25), (3, 0.5), (5, 1), (10, 2), (30, 4), (60, 8), (3600, 512)]
)
def test_network_probes_share_a_beat(period: int, beat: float) -> None:
    assert pod_step.beat_of(period) == beat
    network = s.Probe(tcp_socket=s.TcpSocketAction(port=80), period_seconds=period)
    assert pod_step.settings_of(network).beat_seconds == beat
    assert pod_step.settings_of(s.Probe(exec=s.ExecAction(("true",)), period_seconds=period)).beat_seconds == 0


# -- What is said of another declaration counts no more


def asking(path: str, **fields: Any) -> s.Probe:
    return s.Probe(http_get=s.HttpGetAction(port=80, path=path), **fields)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (asking("/"), asking("/missing")),
        (asking("/"), s.Probe(tcp_socket=s.TcpSocketAction(80))),
        (asking("/"), replace(asking("/"), http_get=s.HttpGetAction(port=81))),
        (s.Probe(exec=s.ExecAction(("true",))), s.Probe(exec=s.ExecAction(("false",)))),
        (asking("/"), asking("/", failure_threshold=9)),
    ],
    ids=["path", "kind", "port", "command", "threshold"],
)
def test_another_readiness_probe_has_to_pass_first(before: s.Probe, after: s.Probe) -> None:
    """Nothing is done to the container, which was ready by the old one."""
    kept = probed("readiness", before)
    kept.start()
    assert kept.turn()[0].ready == {"main": True}
    changed = pod(container(readiness_probe=after))
    kept.now += 1
    kept.pod, kept.memory = changed, kept.memory.declared(changed)
    assert (kept.look().ready, kept.look().available) == ({"main": False}, {"main": False})
    kept.answers["readiness"] = "Failure"
    assert kept.turn()[0].ready == {"main": False}
    kept.answers["readiness"] = "Success"
    kept.now += 10
    assert kept.turn()[0].available == {"main": True}


def test_another_number_behind_the_name_of_a_port_is_another_probe() -> None:
    named = s.Probe(tcp_socket=s.TcpSocketAction("web"))

    def declared(number: int) -> s.PodSpec:
        return pod(container(readiness_probe=named, ports=(s.ContainerPort(number, name="web"),)))

    kept = Kept(declared(80))
    kept.start()
    assert kept.turn()[0].ready == {"main": True}
    assert kept.memory.declared(declared(80)) == kept.memory
    kept.memory = kept.memory.declared(declared(81))
    (due,) = kept.look().probes
    assert due.probe.tcp_socket == s.TcpSocketAction(81)
    assert kept.look().ready == {"main": False}


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_old_probe_says_late_is_dropped(kind: str) -> None:
    """It was under way when the declaration changed, and the container is the same."""
    kept = probed(kind, asking("/", failure_threshold=1))
    kept.start()
    (late,) = kept.look().probes
    kept.memory = kept.memory.declared(pod(container(**{f"{kind}_probe": asking("/other", failure_threshold=1)})))
    step = kept.look()
    for outcome in ("Success", "Failure"):
        assert kept.memory.recorded(late, outcome) == step.memory  # type: ignore[arg-type]


# -- Available: ready, and seen to be for long enough


def seen(kept: Kept, after_seconds: float, **fields: Any) -> Step:
    """A look so long after the start, at which the process is as old."""
    kept.now = START + after_seconds
    kept.change(process_age_seconds=after_seconds, **fields)
    return kept.turn()[0]


def test_what_has_no_probe_has_to_run_for_a_second() -> None:
    kept = Kept(pod())
    kept.start()
    kept.change(started_at=START + 0.2)
    steps = [seen(kept, after) for after in (0.3, 1.1, 1.2)]
    assert [step.ready["main"] for step in steps] == [True, True, True]
    assert [step.available["main"] for step in steps] == [False, False, True]
    assert [step.look_at_seconds for step in steps] == [START + 1.2, START + 1.2, None]


def test_an_old_look_and_the_present_clock_make_nothing_available() -> None:
    """What was seen to run for a moment may have ended since."""
    kept = Kept(pod())
    kept.start()
    observed = replace(kept.observed, seen_at=START) if kept.observed else None
    for seconds in range(0, 60, 5):
        step = pod_step.step(kept.memory, observed, "Running", START + seconds)
        kept.memory = step.memory
        assert (step.ready, step.available) == ({"main": True}, {"main": False})


@pytest.mark.parametrize(
    ("started_at", "age", "available"),
    [
        (START - 1.01, 1.01, True),
        (START - 1.01, None, True),
        # A list of containers knows whole seconds, and it may have been the end of that one.
        (START - 1.0, 1.01, False),
        (START - 2.0, 2.0, True),
        # Its process is there before its program runs, as on a busy host.
        (START - 0.1, 5.0, False),
        # The clock was set forward, or back, since it began.
        (START - 3600.5, 0.5, False),
        (START + 3600.5, 0.5, False),
        (START + 3600.5, 1.5, True),
    ],
)
def test_both_clocks_have_to_agree_that_it_has_run(started_at: float, age: float | None, available: bool) -> None:
    """Else a first look at what has run for long enough would never do, as after a restart of the agent."""
    kept = Kept(pod())
    kept.start()
    kept.change(started_at=started_at, process_age_seconds=age)
    assert kept.look().available == {"main": available}


def test_each_run_has_to_prove_itself() -> None:
    kept = Kept(pod())
    kept.start()
    kept.now += 100
    assert kept.look().available == {"main": True}
    # Podman starts the same container again, or another process has got the number of the first.
    for change in ({"pid": 4321}, {"process_began_at": 77.0}):
        kept.change(started_at=kept.now + 0.5, **change)
        kept.now += 1
        assert (kept.look().ready, kept.look().available) == ({"main": True}, {"main": False})


@pytest.mark.parametrize("kind", ["startup", "readiness"])
def test_a_probe_that_has_passed_is_proof_enough(kind: str) -> None:
    kept = probed(kind, ALWAYS)
    kept.start()
    assert kept.turn()[0].available == {"main": True}


@pytest.mark.parametrize(("seconds", "probe"), [(0, None), (5, None), (5, ALWAYS), (0, ALWAYS)])
def test_min_ready_seconds(seconds: int, probe: s.Probe | None) -> None:
    kept = Kept(pod(container(readiness_probe=probe), min_ready_seconds=seconds))
    kept.start()
    kept.answers["readiness"] = "Success"
    available = [seen(kept, after, started_at=START).available["main"] for after in (0.0, 4.9, 5.9, 6.1)]
    assert available == ([True] * 4 if seconds == 0 else [False, False, bool(probe), True])


def test_ready_for_long_enough_is_without_a_break() -> None:
    kept = Kept(pod(container(readiness_probe=replace(ALWAYS, period_seconds=1)), min_ready_seconds=5))
    kept.start()
    available = []
    for answer in ("Success", "Success", "Failure", "Success", "Success", "Success"):
        kept.answers["readiness"] = answer
        available.append(kept.turn()[0].available["main"])
        kept.now += 2.5
    assert available == [False, False, False, False, False, True]


def test_a_clock_set_back_makes_nothing_wait_for_as_long_as_it_went() -> None:
    kept = Kept(pod(container(readiness_probe=ALWAYS), min_ready_seconds=5))
    kept.start()
    kept.turn()
    kept.now -= 3600
    kept.turn()
    kept.now += 5
    assert kept.turn()[0].available == {"main": True}


@pytest.mark.parametrize("state", ["lost", "unwatched", "ending"])
def test_what_runs_by_podmans_word_alone_is_not_ready(state: str) -> None:
    kept = probed("readiness", ALWAYS)
    kept.start()
    assert kept.turn()[0].ready == {"main": True}
    kept.change(state=state, pid=0)
    step = kept.look()
    assert (step.started, step.ready, step.available) == ({"main": False}, {"main": False}, {"main": False})
