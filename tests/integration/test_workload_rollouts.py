# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts by the agent on real Podman, while all pods are asked without pause at their own addresses."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from image_versions import images_of, make_version
from pod_runs import SLEEP, Options, await_true, container, server
from podman_host import BUSYBOX, PodmanHost
from rollout_watch import watched

from ansible_collections.podwright.pods.plugins.module_utils._agent import agent as agent_module
from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError

pytestmark = [pytest.mark.integration, pytest.mark.long]

KILL_STEP = 1 if os.environ.get("PODWRIGHT_TEST_FULL") else 20
LABELS = {"app": "web"}
NEW, BROKEN = "localhost/test/web:new", "localhost/test/web:broken"
KILLING = f"""
import itertools, os, signal
from {agent_module.__name__} import Agent
done, numbers = Agent.done, itertools.count(1)
def done_and_counted(agent, operation):
    done(agent, operation)
    if next(numbers) == %d:
        os.kill(os.getpid(), signal.SIGKILL)
Agent.done = done_and_counted
"""
"""What an agent runs first that is killed right after so many operations."""


def deployment(main: Options, replicas: int, **fields: Any) -> Options:
    template = {"labels": LABELS, "containers": [main], "termination_grace_period_seconds": 2}
    return {"name": "web", "template": template, "replicas": replicas, **fields}


def stack(*deployments: Options) -> Options:
    return {"name": "shop", "pods": [], "deployments": [*deployments]}


def run_stack(agent: AgentProcess, options: Options) -> Options:
    result: Options = agent.client.post("/run", {"run": "run_stack", "options": options, "check": False})
    return result


def images(host: PodmanHost) -> list[str]:
    """Those of the containers that are in pods of the Deployment."""
    return images_of(host, (BUSYBOX, NEW, BROKEN), (name for name in host.containers() if name.endswith("-main")))


def test_to_a_new_image_to_a_broken_one_and_back(agent: AgentProcess, tmp_path: Path) -> None:
    """Of four pods three always answer, and there are five at most, whatever becomes of the update."""
    for name in (NEW, BROKEN):
        make_version(agent.host, tmp_path, BUSYBOX, name)
    first = stack(deployment(server(), 4))
    run_stack(agent, first)
    with watched(agent.host, 8080) as served:
        run_stack(agent, stack(deployment(server(image=NEW), 4)))
        assert images(agent.host) == [NEW] * 4
        silent = container(script=SLEEP, image=BROKEN, readiness_probe={"tcp_socket": {"port": 8080}})
        with pytest.raises(PodwrightError, match=r"made no progress for 10 s; going back to revision 2"):
            run_stack(agent, stack(deployment(silent, 4, progress_deadline_seconds=10)))
        assert images(agent.host) == [NEW] * 4
        run_stack(agent, first)
    assert images(agent.host) == [BUSYBOX] * 4
    assert (min(served.answering), max(served.there)) == (3, 5)
    assert len(served.answering) > 20


def test_an_agent_that_is_killed_anywhere_goes_on_within_the_bounds(in_host: PodmanHost) -> None:
    """Three pods become three others; three always answer, of four at most. Killed after each operation, or some."""

    def declared(root: str) -> Options:
        return stack(deployment(server(root=root), 3))

    roots = itertools.cycle(("/etc", "/"))
    agent = AgentProcess(in_host)
    agent.start()
    run_stack(agent, declared(next(roots)))
    agent.stop()
    number, is_killed = 1, True
    while is_killed:
        wanted = declared(next(roots))
        armed = AgentProcess(in_host, preamble=KILLING % number)
        with watched(in_host, 8080) as served:
            armed.start()
            error: PodwrightError | None = None
            try:
                run_stack(armed, wanted)
            except PodwrightError as caught:
                error = caught
            is_killed = armed.stop() == -signal.SIGKILL
            assert is_killed or error is None, error
            go_on(in_host)
        assert (min(served.answering), max(served.there)) == (3, 4), f"after operation {number}"
        number += KILL_STEP
    assert number > 15


def go_on(host: PodmanHost) -> None:
    """An agent brings what it finds to its end by itself: nobody asks for it once more."""
    agent = AgentProcess(host)
    agent.start()
    try:
        await_true(lambda: is_rolled_out(agent), 120)
    finally:
        agent.stop()


def is_rolled_out(agent: AgentProcess) -> bool:
    (web,) = agent.client.get("/workloads", brief=1)
    status = web["status"]
    counts = {name: status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return counts == dict.fromkeys(counts, 3) and not status.get("terminatingReplicas")
