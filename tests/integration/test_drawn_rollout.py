# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout of docs/rollout.svg: to another template, and to one that is broken and goes back.

PODWRIGHT_ROLLOUT_PICTURE names the file that the picture is written to.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from agent_process import AgentProcess
from pod_runs import SLEEP, Options, await_true, container, server
from rollout_picture import lives, picture, serving

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._host.proxy import FOLDER, Proxy
from ansible_collections.podwright.pods.plugins.module_utils._host.service_addresses import FILE, ServiceAddresses
from playbooks import free_port

pytestmark = [pytest.mark.integration, pytest.mark.long]

LABELS = {"app": "web"}


def test_a_rollout_and_one_that_goes_back(agent: AgentProcess) -> None:
    port, marks = free_port(), []

    def run(main: Options, text: str) -> None:
        marks.append((time.time(), text))
        template = {"labels": LABELS, "containers": [main], "termination_grace_period_seconds": 2}
        deployment = {"name": "web", "replicas": 3, "template": template, "progress_deadline_seconds": 8}
        service = {"name": "web", "selector": LABELS, "ports": [{"port": 80, "target_port": 8080, "host_port": port}]}
        options = {"name": "shop", "deployments": [deployment], "services": [service]}
        agent.client.post("/run", {"run": "run_stack", "options": options, "check": False})

    try:
        run(server(), "3 replicas")
        await_true(lambda: number(agent) == 3)
        run(server(root="/"), "another template")
        broken = container(script=f"echo broken; {SLEEP}", readiness_probe={"tcp_socket": {"port": 8080}})
        with pytest.raises(PodwrightError, match="made no progress"):
            run(broken, "a broken one, which goes back")
        await_true(lambda: all(one.end is not None for one in lives(agent.events(), "web") if one.serve is None))
        found = lives(agent.events(), "web")
        assert len(found) == 7
        since = marks[1][0]
        assert min(number for at, number in serving(found) if at > since) >= 3
        told = picture(found, "A Deployment of three Pods: maxSurge 1, maxUnavailable 0 (25 % of 3)", marks)
        if "PODWRIGHT_ROLLOUT_PICTURE" in os.environ:
            Path(os.environ["PODWRIGHT_ROLLOUT_PICTURE"]).write_text(told, encoding="utf-8")
    finally:
        agent.stop()
        Proxy(agent.host.state_directory / FOLDER).end()
        ServiceAddresses(agent.host.state_directory / FILE).settle((), None)


def number(agent: AgentProcess) -> int:
    """How many take connections now."""
    steps = serving(lives(agent.events(), "web"))
    return steps[-1][1] if steps else 0
