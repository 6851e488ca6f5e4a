# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads by the command, with the agent and real Podman behind it: shown, scaled, restarted, undone, removed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_process import AgentProcess
from command_line import CommandLine
from pod_runs import Options, await_true, container, server

pytestmark = pytest.mark.integration

LABELS = {"app": "web"}


@pytest.fixture
def command(agent: AgentProcess) -> CommandLine:
    return CommandLine(agent)


def deployment(*containers: Options, **fields: Any) -> Options:
    template = {"labels": LABELS, "containers": list(containers), "termination_grace_period_seconds": 1}
    return {"name": "web", "selector": {"match_labels": LABELS}, "template": template, "replicas": 2, **fields}


def run_stack(agent: AgentProcess, **options: Any) -> Options:
    sent = {"run": "run_stack", "options": {"name": "shop", **options}, "check": False}
    result: Options = agent.client.post("/run", sent)
    return result


def revision_of(agent: AgentProcess) -> Options:
    (stack,) = agent.client.run("run_stack_info", {"name": "shop"})["stacks"]
    return dict(stack["revisions"][-1])


def test_a_deployment_is_shown_and_changed(agent: AgentProcess, command: CommandLine) -> None:
    told = run_stack(agent, deployments=[deployment(server(root="/etc"))], change_cause="first")
    (web,) = [item for item in told["objects"] if item["kind"] == "Deployment"]
    assert (web["name"], web["result"], web["status"]["availableReplicas"]) == ("web", "created", 2)
    (row,) = command.table("get", "deploy")
    assert {**row, "AGE": ""} == {"NAME": "web", "READY": "2/2", "UP-TO-DATE": "2", "AVAILABLE": "2", "AGE": ""}
    (document,) = json.loads(command.shows("get", "deployments", "-o", "json"))["items"]
    assert (document["kind"], document["spec"]["replicas"]) == ("Deployment", 2)
    assert document["status"]["readyReplicas"] == 2
    names = command.shows("get", "all", "-o", "name").split()
    assert names[-1] == "deployment.apps/web"
    assert len(names) == 3
    # Its pods say whose they are.
    pod = names[0].partition("/")[2]
    assert "Owner:         Deployment/web" in command.shows("describe", "pod", pod)
    described = command.shows("describe", "deploy/web")
    for part in ("Replicas:      2 desired, 2 updated", "Revision:      1 (first)", f"  {pod}", "SuccessfulCreate"):
        assert part in described, described
    # One of its pods stands for it where one is looked into.
    assert "found 2 pods, using pod/web-" in command.run("logs", "deploy/web").stderr
    assert command.shows("exec", "deploy/web", "--", "hostname").strip() in names[0] + names[1]
    assert "there is no deployment wbe" in command.fails("logs", "deploy/wbe")
    # Every change is a revision of its stack.
    assert "deployment.apps/web scaled" in command.shows("scale", "deploy/web", "--replicas", "1")
    assert command.table("get", "deploy")[0]["READY"] == "1/1"
    assert revision_of(agent)["change_cause"] == "podwright scale deploy/web --replicas 1"
    assert "deployment.apps/web restarted" in command.shows("rollout", "restart", "deployment", "web")
    assert "successfully rolled out" in command.shows("rollout", "status", "deploy/web")
    history = command.table("rollout", "history", "deploy/web")
    causes = [(row["REVISION"], row["CHANGE-CAUSE"]) for row in history]
    assert causes == [("1", "first"), ("2", "podwright rollout restart deployment web")]
    assert "restartedAt" in command.shows("rollout", "history", "deploy/web", "--revision", "2")
    assert "restartedAt" not in command.shows("rollout", "history", "deploy/web", "--revision", "1")
    assert "has no revision 7; there is: 1, 2" in command.fails("rollout", "history", "deploy/web", "--revision", "7")
    assert "rolled back" in command.shows("rollout", "undo", "deploy/web")
    assert [row["REVISION"] for row in command.table("rollout", "history", "deploy/web")] == ["2", "3"]
    command.shows("rollout", "pause", "deploy/web")
    assert "is paused; resume it first" in command.fails("rollout", "restart", "deploy/web")
    command.shows("rollout", "resume", "deploy/web")
    assert "there is no deployment wbe" in command.fails("describe", "deploy/wbe")
    assert "deployment.apps/web deleted" in command.shows("delete", "deploy/web", "--yes")
    assert "nothing found" in command.run("get", "all").stderr
    # What is told of it goes with it.
    assert agent.events("Deployment/web") == []


def test_jobs_of_a_cron_job_by_hand(agent: AgentProcess, command: CommandLine) -> None:
    template = {"containers": [container(script="echo done")], "restart_policy": "Never"}
    cron_job = {"name": "tick", "schedule": "0 0 1 1 *", "job_template": {"template": template}}
    run_stack(agent, cron_jobs=[cron_job])
    (row,) = command.table("get", "cj")
    assert (row["NAME"], row["SCHEDULE"], row["SUSPEND"], row["ACTIVE"]) == ("tick", "0 0 1 1 *", "False", "0")
    assert "job.batch/now created" in command.shows("create", "job", "now", "--from", "cronjob/tick")
    await_true(lambda: [row["STATUS"] for row in command.table("get", "jobs")] == ["Complete"])
    assert "Owner:         CronJob/tick" in command.shows("describe", "job/now")
    assert "Reached expected number of succeeded pods" in command.shows("events", "job/now")
    assert "there is a Job now in stack shop already" in command.fails("create", "job", "now", "--from=cj/tick")
    assert "job.batch/now deleted" in command.shows("delete", "job/now", "--yes")
    await_true(lambda: command.shows("get", "all", "-o", "name").split() == ["cronjob.batch/tick"])
