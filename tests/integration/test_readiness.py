# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is ready: the same by a run that looks for itself and by one that the agent carries out and keeps."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from agent_process import AgentProcess
from pod_runs import SLEEP, Options, PodRuns, await_true, container, pod, server
from podman_host import PodmanHost
from stack_runs import StackRuns

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._host.kernel import processes
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run

pytestmark = pytest.mark.integration

ABSENT_IMAGE = "127.0.0.1:1/test/app:1"
CRASH = container(script="echo cannot open config; exit 1")


class Runs:
    """Runs of one way or the other, and what they left."""

    def __init__(self, host: PodmanHost, agent: AgentProcess | None) -> None:
        self.pods = PodRuns(host)
        self.agent = agent

    def apply(self, options: Options, **more: Any) -> Options:
        return self.agent.apply(options, **more) if self.agent else pod_run.run_pod({**options, **more}, False)

    def fail(self, options: Options, **more: Any) -> str:
        with pytest.raises(PodwrightError) as caught:
            self.apply(options, **more)
        return str(caught.value)

    def record(self, name: str = "web") -> Options:
        path = self.pods.host.state_directory / "pods" / name / "record.json"
        return dict(json.loads(path.read_text()))


@pytest.fixture(params=["agent", "run"])
def either(request: pytest.FixtureRequest, in_host: PodmanHost) -> Iterator[Runs]:
    if request.param == "run":
        yield Runs(in_host, None)
        return
    agent = AgentProcess(in_host)
    agent.start()
    try:
        yield Runs(in_host, agent)
    finally:
        agent.stop()


def test_an_update_that_ends_at_once_is_never_good(either: Runs) -> None:
    """Each is taken back, whatever the moment at which it is looked at; so is one whose image cannot be had."""
    served = pod(server())
    either.apply(served)
    for number in range(3):
        bad = {**CRASH, "env": [{"name": "ROUND", "value": str(number)}]}
        text = either.fail(pod(bad), wait_timeout=3)
        assert "cannot open config" in text
        assert "Rolled back to the state before, which is ready again" in text
        assert either.pods.get("web-main", 8080, "/hostname") == "web"
    assert "ErrImagePull" in either.fail(pod(container(image=ABSENT_IMAGE)), wait_timeout=3)
    assert either.pods.get("web-main", 8080, "/hostname") == "web"
    record = either.record()
    assert (record["is_verified"], record["applied"]["pod"]["containers"][0]["command"]) == (
        True,
        served["containers"][0]["command"],
    )


def test_a_first_creation_that_ends_at_once_is_never_good(either: Runs) -> None:
    for name in ("one", "two"):
        either.fail(pod(container(script="exit 3"), name=name), wait_timeout=3)
        assert not either.record(name)["is_verified"]


def test_another_readiness_probe_has_to_pass(either: Runs) -> None:
    """It costs no container, and what the old one has said of it counts no more; nor is it what one goes back to."""
    probe = {"http_get": {"path": "/hostname", "port": 8080}, "period_seconds": 1}
    either.apply(pod(server(readiness_probe=probe)))
    before = either.pods.identity("web-main")
    bad = {**probe, "http_get": {"path": "/absent", "port": 8080}}
    text = either.fail(pod(server(readiness_probe=bad)), wait_timeout=3)
    assert "HTTP status 404" in text
    assert "Rolled back to the state before, which is ready again" in text
    assert either.record()["applied"]["pod"]["containers"][0]["readiness_probe"]["http_get"]["path"] == "/hostname"
    text = either.fail(pod(server(readiness_probe=bad)), wait_timeout=2, on_failure="keep")
    assert not either.record()["is_verified"]
    assert either.record()["previous"]["pod"]["containers"][0]["readiness_probe"]["http_get"]["path"] == "/hostname"
    assert either.pods.identity("web-main") == before


def test_min_ready_seconds(either: Runs) -> None:
    """For as long a container has to run that has no probe to tell; a change of it costs nothing."""
    slow = container(script="sleep 2; exit 1")
    either.apply(pod(slow, min_ready_seconds=0))
    text = either.fail(pod(slow, min_ready_seconds=5), wait_timeout=7, on_failure="keep")
    assert "containers with unready status: [main]" in text


def test_a_sidecar_that_needs_a_second_start(either: Runs) -> None:
    """It ends before its startup probe has passed, and its restart policy holds meanwhile."""
    script = f"[ -e /data/once ] && touch /tmp/up && {{ {SLEEP}; }}; touch /data/once; exit 1"
    sidecar = container(
        "side",
        script,
        restart_policy="Always",
        startup_probe={"exec": {"command": ["test", "-e", "/tmp/up"]}, "period_seconds": 1, "failure_threshold": 60},
        volume_mounts=[{"name": "data", "mount_path": "/data"}],
    )
    options = pod(container(), init_containers=[sidecar], volumes=[{"name": "data", "empty_dir": {}}])
    result = either.apply(options, wait_timeout=90)
    assert result["pod"]["status"]["phase"] == "Running"
    if either.agent:
        assert either.agent.container("web", "side")["restartCount"] == 1
    assert either.apply(options)["actions"] == []


# --- by the agent ----------------------------------------------------------------------------------------------------


def test_a_startup_probe_is_counted_once(agent: AgentProcess) -> None:
    """By whoever keeps the pod, also while a run waits at the gate: the container is ended with its last failure."""
    started = {"exec": {"command": ["false"]}, "period_seconds": 1, "failure_threshold": 3}
    sidecar = container("side", restart_policy="Always", startup_probe=started)
    with pytest.raises(PodwrightError, match="its startup probe failed"):
        agent.apply(pod(container(), init_containers=[sidecar]), on_failure="keep")
    await_true(lambda: "Killing" in agent.reasons("web", "side"), 20)
    told = [(e["first_at"], e["reason"], e["count"]) for e in agent.events("web") if e["container"] == "side"]
    failures = [(at, count) for at, reason, count in told if reason == "Unhealthy"]
    assert sum(count for at, count in failures) == 3
    await_true(lambda: agent.container("web", "side")["restartCount"] >= 1, 30)


def lose(host: PodmanHost, name: str) -> None:
    """Neither the container's process nor what watches it for Podman is left, so that Podman is told of nothing."""
    told = host.inspect(name)["State"]
    # The monitor must not see the end, and nobody is to see the process without its monitor, not even while it ends.
    os.kill(told["ConmonPid"], signal.SIGSTOP)
    end(told["Pid"])
    end(told["ConmonPid"])


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    await_true(lambda: processes.find(pid) is None)


@pytest.mark.parametrize("name", ["web-main", "web-infra"])
def test_what_podman_goes_on_calling_running_is_made_anew(agent: AgentProcess, name: str) -> None:
    agent.apply(pod(server()))
    before = agent.host.inspect("web-main")["Id"]
    lose(agent.host, name)

    def is_new() -> bool:
        with contextlib.suppress(Exception):
            return bool(agent.host.inspect("web-main")["Id"] != before) and agent.is_ready("web")
        return False

    await_true(is_new, 60)
    told = [event for event in agent.events("web") if event["reason"] == "ContainerStatusUnknown"]
    assert "its process is gone, though Podman says that it runs" in told[0]["message"]
    if name == "web-main":
        status = agent.container("web")
        assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (1, 137)
    assert agent.apply(pod(server()))["actions"] == []


# --- revisions that nobody has waited for ----------------------------------------------------------------------------


def shop() -> Options:
    return {"name": "shop", "pods": [{**pod(server(), name="web")}, {**pod(container(), name="job")}]}


def test_what_no_run_has_waited_for_is_good_once_the_agent_has_seen_it(agent: AgentProcess) -> None:
    runs = StackRuns(agent.host)
    gated = {**server(), "readiness_probe": {"exec": {"command": ["test", "-e", "/tmp/go"]}, "period_seconds": 1}}
    agent.apply({"name": "shop", "pods": [pod(gated), pod(container(), name="job")]}, wait=False)
    assert not runs.info()["is_good"]
    agent.host.podman("exec", "web-main", "touch", "/tmp/go")
    await_true(lambda: bool(runs.info()["is_good"]), 60)
    assert [revision["is_good"] for revision in runs.info()["revisions"]] == [True]


def test_what_no_run_has_waited_for_is_good_by_the_next_one_that_does(runs: StackRuns) -> None:
    runs.apply(shop(), wait=False)
    assert not runs.info()["is_good"]
    assert runs.apply(shop())["changed"] is False
    assert runs.info()["is_good"]
