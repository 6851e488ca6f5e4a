# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent and its keepers where all goes wrong around them: no Podman is needed for that."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._agent.agent import Agent
from ansible_collections.podwright.pods.plugins.module_utils._agent.event_log import Event, EventLog
from ansible_collections.podwright.pods.plugins.module_utils._agent.keeper import pod_keeper, pod_observer
from ansible_collections.podwright.pods.plugins.module_utils._agent.keeper.pod_actions import PodActions
from ansible_collections.podwright.pods.plugins.module_utils._agent.keeper.turn import Turn
from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._errors import Busy, PodmanError
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.client import Podman
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Applied, Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile import operations as op
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import (
    STUCK,
    ObservedContainer,
    ObservedPod,
)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """An agent whose threads are not begun, and that has no Podman."""
    made = Agent(Store(tmp_path))
    made.store.ensure()
    made.events = EventLog(tmp_path / "events.jsonl")
    try:
        yield made
    finally:
        made.end()
        made._end_keepers()


def await_true(condition: Callable[[], bool], timeout_seconds: float = 20) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def told(agent: Agent, pod: str = "web") -> list[Event]:
    return [event for event in agent.events.list() if event.pod == pod]


# --- whose turn it is ------------------------------------------------------------------------------------------------


def other_process(store: Store, pod: str = "web") -> Turn:
    """What another process has: locks of this one exclude each other just as well."""
    return Turn(Store(store.directory), pod)


def take(turn: Turn) -> None:
    """Wait for the turn, and give it back at once when it comes."""
    with turn.claimed(20):
        pass


def test_a_turn_is_that_of_one_among_all_processes(agent: Agent) -> None:
    ours, theirs = Turn(agent.store, "web"), other_process(agent.store)
    with theirs.claimed(0):
        with ours.if_free() as was_elsewhere:
            assert was_elsewhere is None
        with pytest.raises(Busy, match="another run is changing pod web"), ours.claimed(0):
            pass
        with Turn(agent.store, "db").if_free() as was_elsewhere:
            assert was_elsewhere is False
    with ours.if_free() as was_elsewhere:
        assert was_elsewhere is False
        with theirs.if_free() as other:
            assert other is None


def test_who_waits_for_a_turn_is_seen_and_comes_first(agent: Agent) -> None:
    """By a keeper in another process as well: it gives the turn up, and does not take it before who waits for it."""
    keeper, run = Turn(agent.store, "web"), other_process(agent.store)
    with ThreadPoolExecutor() as workers:
        with keeper.if_free():
            assert not keeper.is_wanted
            waiter = workers.submit(take, run)
            await_true(lambda: keeper.is_wanted)
            assert not Turn(agent.store, "we").is_wanted
            assert not waiter.done()
        waiter.result()
        assert not keeper.is_wanted
        assert not list((agent.store.directory / "locks").iterdir())
        with run.claimed(0):
            waiter = workers.submit(take, other_process(agent.store))
            await_true(lambda: keeper.is_wanted)
            # By the lock alone it would be its turn.
            agent.store.lock_if_free = lambda pod: contextlib.nullcontext(False)  # type: ignore[method-assign]
            with keeper.if_free() as was_elsewhere:
                assert was_elsewhere is None
        waiter.result()


def test_a_mark_of_a_killed_process_holds_nobody_up(agent: Agent) -> None:
    (agent.store.directory / "locks" / ".web.0123abcd").touch()
    assert not Turn(agent.store, "web").is_wanted


def test_who_has_the_turn_learns_that_another_process_had_it(agent: Agent) -> None:
    turn, file = Turn(agent.store, "web"), agent.store.directory / "locks" / "web"
    for had, told in ((None, False), ("1", True), (None, False)):
        if had:
            file.write_text(had)
        with turn.claimed(0) as was_elsewhere:
            assert was_elsewhere is told
            assert file.read_text() == str(os.getpid())
    before = agent.changes().get("web", 0)
    file.write_text("1")
    with agent.acting("web", 0, lambda: None):
        assert agent.changes()["web"] == before + 1
    # A run that has looked before, and waits, is told of it by the keeper that comes in between.
    before = agent.changes()["web"]
    file.write_text("1")
    with agent._turn_of("web").if_free() as was_elsewhere:
        assert was_elsewhere
        assert agent.changes()["web"] == before + 1


def test_an_attempt_that_has_failed_is_a_change_as_well(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a hook has failed and its container was ended: what a waiting run saw before holds no more."""

    def act(actions: PodActions, podman: Podman, record: Record) -> None:
        raise PodmanError("the hook failed")

    monkeypatch.setattr(PodActions, "act", act)
    pod_keeper.PodKeeper("web", agent, Turn(agent.store, "web"))._try_to_act(cast(Podman, None), cast(Record, None))
    after_the_keepers = agent.changes()["web"]
    with pytest.raises(PodmanError), agent.acting("web", 0, lambda: None):
        raise PodmanError("the hook failed")
    assert agent.changes()["web"] > after_the_keepers


def test_runs_by_the_agent_follow_each_other_and_leave_the_turn_to_the_keeper(agent: Agent) -> None:
    with agent.reserved("web", 0, lambda: None):
        with pytest.raises(Busy, match="another run is changing pod web"), agent.reserved("web", 0.1, lambda: None):
            pass
        with agent._turn_of("web").if_free() as was_elsewhere:
            assert was_elsewhere is False


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_thread_of_the_agent_that_fails_is_told_of_and_begun_anew(agent: Agent) -> None:
    calls = itertools.count()

    def work() -> None:
        if next(calls):
            agent.end()
            return
        raise OSError("no descriptor left")

    agent.threads.go_on("events", work)
    (event,) = told(agent, "")
    assert (event.reason, event.type) == ("AgentThreadFailed", "Warning")
    assert "events" in event.message
    assert "no descriptor left" in event.message
    assert agent.threads.errors["events"]["failures"] == 1
    assert next(calls) == 2


def test_a_keeper_that_cannot_reach_podman_says_so_once_for_each_attempt(agent: Agent) -> None:
    """The second one follows almost at once, the third one only ten seconds later, whatever happens meanwhile."""

    def connect() -> Podman:
        raise OSError("no descriptor left")

    agent.connect = connect  # type: ignore[method-assign]
    keeper = agent.keeper_of("web")
    await_true(lambda: sum(event.count for event in told(agent)) == 2)
    for _time in range(100):
        keeper.kick()
        time.sleep(0.01)
    assert [(event.reason, event.count) for event in told(agent)] == [("FailedSync", 2)]
    assert keeper.is_alive
    # A run on the pod may have put right what was in the way.
    keeper.changed()
    await_true(lambda: sum(event.count for event in told(agent)) == 3)


def test_a_probe_that_cannot_be_begun_is_begun_later(agent: Agent) -> None:
    calls, made = itertools.count(), threading.Event()

    def connect() -> Podman:
        if not next(calls):
            raise OSError("no descriptor left")
        return cast(Podman, object())

    agent.connect = connect  # type: ignore[method-assign]
    agent.probe_threads.submit(lambda podman: made.set())
    assert made.wait(20)
    (event,) = told(agent, "")
    assert (event.count, event.message) == (1, "probes have to wait: no descriptor left")


def test_a_keeper_without_a_thread_is_begun_later(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(keeper: pod_keeper.PodKeeper) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(pod_keeper.PodKeeper, "start", refuse)
        for _time in range(3):
            assert not agent.keeper_of("web").is_alive
    (event,) = told(agent)
    assert (event.count, event.type) == (1, "Warning")
    assert "can't start new thread" in event.message
    assert agent.keeper_of("web").is_alive


def test_one_pod_that_cannot_be_compared_does_not_stop_the_others(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where no file can be opened any more: the others are looked at, and the error is that pod's event."""

    def digests(pod: str) -> dict[str, str]:
        if pod == "a":
            raise OSError(errno.EMFILE, "Too many open files")
        compared.append(pod)
        return {}

    compared: list[str] = []
    for name in ("a", "b"):
        agent.store.write_record(name, Record(Applied(s.PodSpec(name, ()))))
    monkeypatch.setattr(pod_keeper.PodKeeper, "_keep", lambda keeper: keeper.recorder.has_ended.wait())
    monkeypatch.setattr(agent.podman_watch, "_list", list)
    monkeypatch.setattr(agent.store, "files_digests", digests)
    assert agent.podman_watch.compare()
    assert compared == ["b"]
    (event,) = told(agent, "a")
    assert event.message == "it cannot be compared with the last look: [Errno 24] Too many open files"


# --- the pod that is kept --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["by an operation", "by a run"])
def test_a_pod_made_again_has_another_keeper(agent: Agent, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """The one before ends with its pod, whatever it is about: what it has seen is told of no other pod."""
    monkeypatch.setattr(pod_keeper.PodKeeper, "_keep", lambda keeper: keeper.recorder.has_ended.wait())
    first = agent.keeper_of("web")
    assert agent.keeper_of("web") is first
    if how == "by an operation":
        agent.done(op.Forget("web", "state is absent"))
    else:
        with agent.acting("web", 0, lambda: None):
            pass
    assert agent.known_keeper("web") is None
    assert agent.keeper_of("web") is not first
    first.join(20)
    assert not first.is_alive


def test_a_stop_that_lasts_far_beyond_its_grace_period_was_given_up(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Podman says for ever that a container stops whose stop was cut off."""
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(pod_observer, "time", clock)
    web = s.Container("web", "image")
    record = Record(Applied(s.PodSpec("shop", (web,), termination_grace_period_seconds=30)))
    found = ObservedContainer("0123", "shop-web", "web", "app", "stopping", "image", "4567")
    pod = ObservedPod("89ab", "shop", True, {}, "", 0, None, (found,))
    observer, states = pod_observer.PodObserver(agent, "shop"), []
    for now in (100.0, 130.0, 140.0, 140.1):  # noqa: B007
        seen = observer.with_stuck(pod, record)
        states += [one.state for one in seen.containers] if seen else []
    assert states == ["stopping", "stopping", "stopping", STUCK]
    # Another one, or this one once more, begins anew.
    for other in (replace(found, id="cdef"), found):
        seen = observer.with_stuck(replace(pod, containers=(other,)), record)
        assert seen is not None
        assert seen.containers[0].state == "stopping"
