# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example batch: its parts are worked on once each, and the CronJob's report adds them up."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from agent_process import AgentProcess
from pod_runs import await_true
from podman_host import BUSYBOX

from playbooks import HERE, REPOSITORY, Playbook

pytestmark = pytest.mark.integration

EXAMPLES = REPOSITORY / "playbooks/examples"


def test_parts_of_a_job_and_the_report_of_them(agent: AgentProcess, tmp_path: Path) -> None:
    variables = yaml.safe_load((EXAMPLES / "batch.yml").read_text())
    example = Playbook(agent.host, tmp_path, HERE / "stack_role.yml", **variables)
    example.variables.update(batch_templates=str(EXAMPLES / "batch"), batch_image=BUSYBOX, batch_parts=3)
    example.play()
    (job,) = [one for one in agent.client.get("/workloads", brief=1) if one["name"] == "primes-3"]
    assert (job["status"]["succeeded"], job["status"]["completedIndexes"]) == (3, "0-2")
    agent.client.post(
        "/run",
        {
            "run": "run_workload_change",
            "options": {"kind": "CronJob", "name": "report", "change": "create_job", "job": "now"},
            "check": False,
        },
    )
    # There are 430 primes up to 3000.
    await_true(lambda: "3 of 3 parts are done: 430 primes" in reports(agent))
    assert example.play()["actions"] == []


def reports(agent: AgentProcess) -> str:
    """What all containers of the report have written."""
    names = [name for name in agent.host.containers() if name.endswith("-report")]
    return "".join(agent.host.podman("logs", name) for name in names)
