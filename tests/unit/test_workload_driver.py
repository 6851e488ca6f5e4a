# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver of a workload beside an agent that makes its pods: what fails is tried again later, and forgotten in time.

Nothing here reaches Podman; what does is in tests/integration/test_workloads.py.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.spec import AnyWorkload
from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError, WorkloadFailed
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Applied, Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._host.workload_store import members_of
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.context import Settings
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import Event
from ansible_collections.podwright.pods.plugins.module_utils._runs.agent import Sight
from ansible_collections.podwright.pods.plugins.module_utils._runs.workloads.driver import WorkloadDriver
from ansible_collections.podwright.pods.plugins.module_utils._runs.workloads.host import WorkloadHost

READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}


class NoPodman:
    """A session that nothing is asked of."""

    def clone(self) -> Any:
        return contextlib.nullcontext(self)


class RecordingAgent:
    """Records pods, and takes them for ready at once, unless it is to fail."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.failures = 0
        self.asked: list[str] = []
        self.told: list[Event] = []
        self.forgotten: list[str] = []
        self.status: dict[str, Any] = READY

    def tell_of_workload(self, workload: AnyWorkload, event: Event) -> None:
        self.told.append(event)

    def forget_workload(self, kind: str, name: str) -> None:
        self.forgotten.append(f"{kind}/{name}")

    @contextlib.contextmanager
    def reserved(self, pod: str, timeout_seconds: float, while_waiting: Any) -> Iterator[None]:
        yield

    def keep(self, pod: s.PodSpec, settings: Settings) -> None:
        self.asked.append(pod.name)
        if self.failures:
            self.failures -= 1
            raise HostError("the disk is full")
        self.store.write_record(pod.name, Record(Applied(pod), settings=settings, begun_at=time.time()))

    def sight(self, pod: str) -> Sight:
        return Sight(self.status, self.status is READY)


@pytest.fixture
def agent(tmp_path: Path) -> RecordingAgent:
    store = Store(tmp_path)
    store.ensure()
    return RecordingAgent(store)


def driver_of(agent: RecordingAgent, **fields: Any) -> WorkloadDriver:
    template = {"containers": [{"name": "main", "image": "x"}]}
    declared = {"name": "web", "replicas": 2, "template": template, **fields}
    stack = parse_options({"name": "shop", "deployments": [declared]})
    settings = Settings(stack="shop")
    host = WorkloadHost(NoPodman(), agent.store, stack, (), settings, 5, agent)  # type: ignore[arg-type]
    return WorkloadDriver(host, stack.workloads[0])


def members(agent: RecordingAgent) -> Any:
    return members_of(agent.store, "shop").get(("Deployment", "web"), {})


def test_a_rollout_runs_to_its_end(agent: RecordingAgent) -> None:
    driver = driver_of(agent)
    driver.run(is_to_wait=True, timeout_seconds=5)
    assert len(members(agent)) == 2
    assert driver.outcome().is_there
    driver_of(agent).run(is_to_wait=True, timeout_seconds=5)
    assert len(agent.asked) == 2


def test_a_pod_that_cannot_be_made_is_tried_again_later(agent: RecordingAgent) -> None:
    agent.failures = 2
    driver = driver_of(agent)
    driver.advance(members(agent), driver.found())
    driver.pods.finish()
    assert "the disk is full" in driver.outcome().missing
    assert [event.is_warning for event in agent.told if event.reason == "FailedSync"] == [True, True]
    driver.advance(members(agent), driver.found())
    driver.pods.finish()
    assert len(agent.asked) == 2, "the next attempt waits"
    driver.run(is_to_wait=True, timeout_seconds=5)
    assert len(agent.asked) == 4
    assert not driver.is_busy


def test_what_failed_and_is_wanted_no_more_is_forgotten(agent: RecordingAgent) -> None:
    agent.failures = 2
    driver = driver_of(agent)
    driver.advance(members(agent), driver.found())
    driver.pods.finish()
    assert driver.is_busy
    driver.workload = replace(driver.workload, replicas=0)  # type: ignore[call-arg]
    driver.advance(members(agent), driver.found())
    assert not driver.is_busy
    assert driver.outcome().is_there


def test_what_ends_after_the_look_at_the_records_is_still_being_done(agent: RecordingAgent) -> None:
    driver = driver_of(agent, replicas=1)
    before = members(agent)
    driver.advance(before, driver.found())
    while not members(agent):
        time.sleep(0.01)
    # The pod is on record by now, but not in what was read before.
    driver.advance(before, driver.found())
    driver.pods.finish()
    assert len(agent.asked) == 1


def test_a_run_that_waits_says_what_is_missing(agent: RecordingAgent) -> None:
    agent.status = {"phase": "Running"}
    with pytest.raises(WorkloadFailed, match=r"nothing came about for 0.5 s: 0 of 2 pods are available"):
        driver_of(agent).run(is_to_wait=True, timeout_seconds=0.5)
    driver_of(agent).run(is_to_wait=False, timeout_seconds=0.5)


def test_a_first_rollout_without_progress_fails_by_its_own_deadline(agent: RecordingAgent) -> None:
    agent.status = {"phase": "Running"}
    for _turn in range(2):
        began_at = time.monotonic()
        with pytest.raises(WorkloadFailed, match="timed out progressing"):
            driver_of(agent, progress_deadline_seconds=1).run(is_to_wait=True, timeout_seconds=9)
        # Also the second run, which tries again.
        assert time.monotonic() - began_at > 0.9
