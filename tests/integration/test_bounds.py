# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a container writes, neither the agent nor Podman's service takes up more memory or time for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from pod_runs import SLEEP, PodRuns, await_true, container, pod

from ansible_collections.podwright.pods.plugins.module_utils.container_output import SHOWN_BYTES

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
LINE_BYTES = 300_000_000 if IS_FULL else 30_000_000
"""The service would take up fourteen times as much for a line of that length."""
MEMORY_MIB = 120


def peak_mib(pid: int) -> int:
    """The most memory that a process has had at a time."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def log_file(agent_or_pods: Any, name: str) -> Path:
    return Path(agent_or_pods.host.inspect(name)["HostConfig"]["LogConfig"]["Path"])


def test_a_line_without_an_end_and_a_huge_termination_message(agent: AgentProcess) -> None:
    script = (
        "truncate -s 3G /dev/termination-log; printf 'no\\033[31mreason' >> /dev/termination-log; "
        f"head -c {LINE_BYTES} /dev/zero | tr '\\0' x; exit 1"
    )
    options = pod(container(script=script), restart_policy="Never", log_size_max="0")
    agent.apply(options, wait=False)
    await_true(lambda: agent.status("web").get("phase") == "Failed", 240)
    assert agent.container("web")["state"]["terminated"]["message"] == "no\\x1b[31mreason"
    path = "/pods/web/main/logs"
    assert sum(map(len, agent.client.pieces(path, tail=1))) == LINE_BYTES
    assert sum(map(len, agent.client.pieces(path))) == LINE_BYTES
    # Made anew, with what the run before wrote last kept.
    agent.apply({**options, "restart_policy": "OnFailure"}, wait=False)
    await_true(lambda: len(b"".join(agent.client.pieces(path, previous=1))) == 1 << 20, 240)
    service = agent.host.service
    assert service is not None
    assert peak_mib(agent.pid) < MEMORY_MIB
    assert peak_mib(service.pid) < MEMORY_MIB


def test_a_failure_shows_the_end_of_the_log(pods: PodRuns) -> None:
    script = "head -c 100000 /dev/zero | tr '\\0' x; printf '\\033[2J the end\\n'; exit 1"
    error = pods.fail(pod(container(script=script), restart_policy="Never"), wait=True)
    assert error.logs.endswith("x\\x1b[2J the end")
    assert len(error.logs) < SHOWN_BYTES + 10
    assert error.logs in str(error)


def test_logs_are_capped(pods: PodRuns) -> None:
    """Each in a file of its own, whatever the host's default; another limit restarts nothing."""
    script = f"seq 100000; {SLEEP}"
    options = pod(container(script=script), log_size_max="64Ki")
    pods.create(options)
    path = log_file(pods, "web-main")
    await_true(lambda: path.read_bytes().endswith(b" F 100000\n"), 60)
    assert path.stat().st_size <= 64 << 10
    before = pods.identity("web-main")
    pods.change({**options, "log_size_max": "1Mi"}, ["record pod web: log_size_max changed"])
    assert pods.identity("web-main") == before
