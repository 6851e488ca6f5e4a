# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent and its keepers where all goes wrong around them: no Podman is needed for that."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.podwright.pods.plugins.module_utils import pod_keeper
from ansible_collections.podwright.pods.plugins.module_utils.agent import Agent
from ansible_collections.podwright.pods.plugins.module_utils.event_log import Event, EventLog
from ansible_collections.podwright.pods.plugins.module_utils.podman import Podman
from ansible_collections.podwright.pods.plugins.module_utils.store import Store


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


def test_a_thread_of_the_agent_that_fails_is_told_of_and_begun_anew(agent: Agent) -> None:
    calls = itertools.count()

    def work() -> None:
        if next(calls):
            agent.end()
            return
        raise OSError("no descriptor left")

    agent._go_on("events", work)
    (event,) = told(agent, "")
    assert (event.reason, event.type) == ("AgentThreadFailed", "Warning")
    assert "events" in event.message
    assert "no descriptor left" in event.message
    assert agent.thread_errors["events"]["failures"] == 1
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
