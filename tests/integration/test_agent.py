# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent on real Podman: what it keeps of a pod between runs, and through its own ends."""

from __future__ import annotations

import functools
import io
import itertools
import json
import os
import random
import signal
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from pod_runs import (
    PATIENCE_SECONDS,
    SLEEP,
    Options,
    await_true,
    container,
    pod,
    read_cgroup,
    server,
    write_memory_limit,
)
from podman_host import PodmanHost, busybox_archive
from test_stack_interrupted import apply_elsewhere, was_killed

from ansible_collections.podwright.pods.plugins.module_utils._agent import client as agent_client
from ansible_collections.podwright.pods.plugins.module_utils._agent import program as podwrightd
from ansible_collections.podwright.pods.plugins.module_utils._agent.moments import LIST_SECONDS
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import read_time
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
BACKOFF_STEPS = 4 if IS_FULL else 3
KILLS = 100 if IS_FULL else 12
BARE = "localhost/podwright-test/bare:1"


def run_of(host: PodmanHost, name: str) -> tuple[str, str]:
    """The id and the start of a container, empty while there is none."""
    try:
        inspected = host.inspect(name)
    except Exception:
        return "", ""
    return inspected["Id"], inspected["State"]["StartedAt"]


def await_new_run(
    host: PodmanHost, name: str, before: tuple[str, str], timeout_seconds: float = PATIENCE_SECONDS
) -> float:
    """Wait until another run of a container has begun; returns how long that took."""
    begin = time.monotonic()
    await_true(lambda: run_of(host, name)[1] not in ("", before[1]) and is_running(host, name), timeout_seconds)
    return time.monotonic() - begin


def is_running(host: PodmanHost, name: str) -> bool:
    try:
        return bool(host.inspect(name)["State"]["Running"])
    except Exception:
        return False


# --- probes ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bare_image(in_host: PodmanHost) -> str:
    """An image with a web server and nothing else: no shell, no curl, no nc."""
    busybox = Path("/bin/busybox").read_bytes()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as made:
        for name in ("bin/httpd", "bin/test", "bin/rm"):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(busybox), 0o755
            made.addfile(member, io.BytesIO(busybox))
        for name in ("site/alive", "site/ready"):
            made.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    in_host.podman("import", "-", BARE, input=archive.getvalue())
    return BARE


@pytest.mark.parametrize(
    ("probe", "breaks"),
    [
        ({"exec": {"command": ["test", "-e", "/site/alive"]}}, ["rm", "/site/alive"]),
        ({"http_get": {"path": "/alive", "port": 8080}}, ["rm", "/site/alive"]),
        ({"tcp_socket": {"port": "web"}}, None),
    ],
    ids=["exec", "http", "tcp"],
)
def test_liveness_restarts_what_has_failed(
    agent: AgentProcess, bare_image: str, probe: Options, breaks: list[str] | None
) -> None:
    """In an image that has nothing to probe with. How soon is for the tests of the probe worker."""
    liveness = {**probe, "period_seconds": 1, "failure_threshold": 2, "timeout_seconds": 1}
    # Started with a port of its own, a server that leaves the probed one alone fails the tcp probe.
    one = {
        "name": "main",
        "image": bare_image,
        "command": ["httpd", "-f", "-p", "8080" if breaks else "8081", "-h", "/site"],
        "ports": [{"name": "web", "container_port": 8080}],
        "liveness_probe": liveness,
    }
    agent.apply(pod(one, termination_grace_period_seconds=0), wait=bool(breaks))
    await_true(lambda: is_running(agent.host, "web-main"))
    before = run_of(agent.host, "web-main")
    if breaks:
        time.sleep(2.5)
        assert run_of(agent.host, "web-main") == before
        agent.host.podman("exec", "web-main", *breaks)
    await_new_run(agent.host, "web-main", before)
    status = agent.container("web")
    assert status["restartCount"] >= 1
    assert "Killing" in agent.reasons("web")
    assert "Unhealthy" in agent.reasons("web")


def test_readiness_flips_both_ways(agent: AgentProcess) -> None:
    ready = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "period_seconds": 1, "failure_threshold": 1}
    agent.apply(pod(container(readiness_probe=ready)), wait=False)
    agent.host.podman("exec", "web-main", "touch", "/tmp/ready")
    agent.await_ready("web")
    before = run_of(agent.host, "web-main")
    agent.host.podman("exec", "web-main", "rm", "/tmp/ready")
    agent.await_ready("web", is_ready=False, timeout_seconds=3)
    agent.host.podman("exec", "web-main", "touch", "/tmp/ready")
    agent.await_ready("web", timeout_seconds=3)
    assert run_of(agent.host, "web-main") == before


def test_startup_holds_liveness_back(agent: AgentProcess) -> None:
    """The liveness probe would fail from the start; it is not asked before the startup probe has passed."""
    started = {"exec": {"command": ["test", "-e", "/tmp/up"]}, "period_seconds": 1, "failure_threshold": 30}
    alive = {"exec": {"command": ["test", "-e", "/tmp/alive"]}, "period_seconds": 1, "failure_threshold": 1}
    agent.apply(pod(container(startup_probe=started, liveness_probe=alive)), wait=False)
    before = run_of(agent.host, "web-main")
    time.sleep(4)
    assert run_of(agent.host, "web-main") == before
    assert not agent.container("web")["started"]
    agent.host.podman("exec", "web-main", "touch", "/tmp/up")
    await_new_run(agent.host, "web-main", before, 8)


def test_a_run_fails_with_the_startup_probe(agent: AgentProcess) -> None:
    started = {"exec": {"command": ["false"]}, "period_seconds": 1, "failure_threshold": 2}
    with pytest.raises(agent_client.RemoteFailure, match="its startup probe failed") as caught:
        agent.apply(pod(container(startup_probe=started)), on_failure="keep")
    assert vars(caught.value)["reason"] == "StartupProbeFailed"


# --- restarts --------------------------------------------------------------------------------------------------------


def test_restarts_wait_ever_longer(agent: AgentProcess) -> None:
    """0, 10, 20, 40 s after the end before; a container that succeeded under OnFailure is left alone."""
    agent.apply(pod(container(script="echo last words; exit 3"), name="crash"), wait=False)
    agent.apply(pod(container(script="exit 0"), name="done", restart_policy="OnFailure"), wait=False)
    # The first restart may be over before it can be seen.
    expected = (10, 20, 40)[: BACKOFF_STEPS - 1]
    await_true(lambda: agent.container("crash")["restartCount"] == 1)
    starts = [started_at(agent, "crash-main")]
    while len(starts) <= len(expected):
        await_true(lambda: started_at(agent, "crash-main") not in (0.0, starts[-1]), 60)
        starts.append(started_at(agent, "crash-main"))
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(pause - 0.5 <= measured < 2 * pause for pause, measured in zip(expected, pauses, strict=True)), pauses
    await_true(lambda: "lastState" in agent.container("crash") and "waiting" in agent.container("crash")["state"])
    status = agent.container("crash")
    assert status["restartCount"] == BACKOFF_STEPS
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert b"".join(agent.client.stream("/pods/crash/main/logs", previous=1)) == b"last words\n"
    assert "BackOff" in agent.reasons("crash")
    assert agent.status("done")["phase"] == "Succeeded"
    assert agent.container("done")["restartCount"] == 0


def started_at(agent: AgentProcess, name: str) -> float:
    with agent.host.api() as api:
        answer = api.get(f"/containers/{name}/json")
        if answer.status_code != 200:
            return 0.0
        text = answer.json()["State"]["StartedAt"]
    return read_time(text) or 0.0


def test_hooks_at_every_start_and_stop(agent: AgentProcess, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    hooks = {
        "post_start": {"exec": {"command": ["sh", "-c", "echo start >> /notes/hooks"]}},
        "pre_stop": {"exec": {"command": ["sh", "-c", "echo stop >> /notes/hooks"]}},
    }
    alive = {"exec": {"command": ["test", "!", "-e", "/tmp/broken"]}, "period_seconds": 1, "failure_threshold": 1}
    mount = {"name": "notes", "mount_path": "/notes"}
    one = container(lifecycle=hooks, liveness_probe=alive, volume_mounts=[mount])
    agent.apply(pod(one, volumes=[{"name": "notes", "host_path": {"path": str(tmp_path)}}]))
    for _round in range(2):
        before = run_of(agent.host, "web-main")
        agent.host.podman("exec", "web-main", "touch", "/tmp/broken")
        await_new_run(agent.host, "web-main", before, 20)
        agent.await_ready("web")
    agent.apply({"name": "web", "state": "absent"})
    assert (tmp_path / "hooks").read_text().split() == ["start", "stop"] * 3


@pytest.mark.parametrize("policy", ["Always", "Never"])
def test_a_failed_post_start_ends_the_container(agent: AgentProcess, policy: str) -> None:
    """Its restart policy and back-off decide what follows; the others start nevertheless."""
    hooks = {"post_start": {"exec": {"command": ["sh", "-c", "echo no such luck; exit 5"]}}}
    options = pod(container(script="sleep 600", lifecycle=hooks), container("other"), restart_policy=policy)
    with pytest.raises(agent_client.RemoteFailure, match="FailedPostStartHook: exec: exit code 5") as caught:
        agent.apply(options, on_failure="keep")
    assert vars(caught.value)["container"] == "main"
    await_true(lambda: is_running(agent.host, "web-other"), 20)
    told = [event for event in agent.events("web") if event["reason"] == "FailedPostStartHook"]
    assert all(event["container"] == "main" and event["type"] == "Warning" for event in told)
    if policy == "Never":
        time.sleep(3)
        assert agent.container("web")["restartCount"] == 0
        assert agent.container("web")["state"]["terminated"]["exitCode"] != 0
        assert sum(event["count"] for event in told) == 1
        return
    # The first restart is at once, the next one after ten seconds, and both have their hook.
    await_true(lambda: agent.container("web")["restartCount"] >= 1)
    first = started_at(agent, "web-main")
    await_true(lambda: agent.container("web")["state"].get("waiting", {}).get("reason") == "PostStartHookError")
    await_true(lambda: started_at(agent, "web-main") > first, 30)
    assert 9 < started_at(agent, "web-main") - first < 18
    await_true(lambda: len(pulses(agent, "FailedPostStartHook")) >= 3)


def pulses(agent: AgentProcess, reason: str, pod_name: str = "web") -> list[str]:
    """The messages of the events with that reason, as often as they came."""
    events = [event for event in agent.events(pod_name) if event["reason"] == reason]
    return [event["message"] for event in events for _time in range(event["count"])]


def test_an_image_that_cannot_be_pulled_is_waited_with(agent: AgentProcess) -> None:
    """Ever longer: 10 and 20 s after the pull before. Once it can be had, the container is there again."""
    # Nothing listens there.
    name = "127.0.0.1:1/shop/main:1"

    def load() -> None:
        agent.host.podman("import", "-q", "-c", "ENV PATH=/bin", "-", name, input=busybox_archive())

    def reason() -> str:
        return str(agent.container("web")["state"].get("waiting", {}).get("reason", ""))

    load()
    agent.apply(pod({**container(), "image": name}, container("other")))
    agent.stop()
    agent.host.podman("rm", "-f", "-t", "0", "web-main")
    agent.host.podman("rmi", "-f", name)
    agent.start()
    await_true(lambda: reason() == "ErrImagePull", 20)
    await_true(lambda: reason() == "ImagePullBackOff")
    waiting = agent.container("web")["state"]["waiting"]
    assert waiting["message"].startswith(f'Back-off pulling image "{name}": ')
    assert agent.status("web")["phase"] == "Running"
    times = []
    for count in range(1, BACKOFF_STEPS):
        await_true(lambda count=count: len(pulses(agent, "ErrImagePull")) >= count, 60)  # type: ignore[misc]
        times.append(max(event["last_at"] for event in agent.events("web") if event["reason"] == "ErrImagePull"))
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    expected = (10, 20, 40)[: len(pauses)]
    assert all(pause <= seen <= pause + 4 for pause, seen in zip(expected, pauses, strict=True)), pauses
    assert set(pulses(agent, "BackOff")) == {f'Back-off pulling image "{name}"'}
    assert "Error: ImagePullBackOff" in pulses(agent, "Failed")
    assert is_running(agent.host, "web-other")
    load()
    await_true(lambda: is_running(agent.host, "web-main"), 60)
    agent.await_ready("web")


def test_sidecars_stop_last_and_in_reverse_before_the_host_goes_down(agent: AgentProcess, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    mount = {"name": "notes", "mount_path": "/notes"}

    def noting(name: str, **more: Any) -> Options:
        script = f"trap 'echo {name} >> /notes/ends; exit 0' TERM; sleep 600 & wait"
        return container(name, script, volume_mounts=[mount], **more)

    sidecars = [noting("first", restart_policy="Always"), noting("second", restart_policy="Always")]
    volumes = [{"name": "notes", "host_path": {"path": str(tmp_path)}}]
    agent.apply(pod(noting("main"), init_containers=sidecars, volumes=volumes))
    assert agent.stop(signal.SIGUSR1) == 0
    assert (tmp_path / "ends").read_text().split() == ["main", "second", "first"]
    # It was to run, and does so again with the next agent.
    agent.start()
    agent.await_ready("web")


# --- init containers -------------------------------------------------------------------------------------------------


def test_an_init_container_that_fails_is_final_under_never(agent: AgentProcess) -> None:
    """Its agent runs it no more, nor does another one, and what is left of the pod ends."""
    sidecar = container("log", restart_policy="Always")
    options = pod(init_containers=[sidecar, container("setup", "exit 3")], restart_policy="Never")
    with pytest.raises(agent_client.RemoteFailure, match="Init:Error: exited with code 3"):
        agent.apply(options)

    def is_over() -> bool:
        return not any(is_running(agent.host, f"web-{name}") for name in ("infra", "log", "setup"))

    await_true(is_over, 20)
    first = run_of(agent.host, "web-setup")
    agent.kill()
    agent.start()
    with pytest.raises(agent_client.RemoteFailure, match="which is final under restart policy Never"):
        agent.apply(options)
    await_true(lambda: agent.status("web")["phase"] == "Failed")
    assert is_over()
    assert (run_of(agent.host, "web-setup"), agent.container("web", "setup")["restartCount"]) == (first, 0)


def test_attempts_of_an_init_container_within_a_run_are_restarts(agent: AgentProcess) -> None:
    """Counted, told of, and with the log and the end of the attempt before."""
    script = "echo attempt $(wc -l < /notes/n); echo >> /notes/n; test $(wc -l < /notes/n) -ge 3 || exit 4"
    setup = container("setup", f"touch /notes/n; {script}", volume_mounts=[{"name": "notes", "mount_path": "/notes"}])
    agent.apply(pod(init_containers=[setup], volumes=[{"name": "notes", "empty_dir": {}}]), wait_timeout=60)
    await_true(lambda: agent.container("web", "setup")["ready"])
    status = agent.container("web", "setup")
    assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (2, 4)
    assert status["state"]["terminated"]["exitCode"] == 0
    assert b"".join(agent.client.stream("/pods/web/setup/logs", previous=1)) == b"attempt 1\n"
    reasons = agent.reasons("web", "setup")
    assert {"Created", "Started", "BackOff"} <= set(reasons)
    told = {(event["reason"], event["container"]): event["count"] for event in agent.events("web")}
    assert told["Started", "setup"] == 3


def test_what_a_run_replaces_is_neither_lost_nor_restarted(agent: AgentProcess) -> None:
    """One container, and the whole sandbox; of what is repaired the end is known, and it counts."""
    slow = "trap 'sleep 1; exit 9' TERM; sleep 600 & wait"
    first = pod(container(script=slow), container("other"))
    agent.apply(first)
    seen: set[str] = set()

    def watched(options: Options) -> None:
        with ThreadPoolExecutor() as workers:
            run = workers.submit(agent.apply, options)
            while not run.done():
                seen.update(json.dumps(kept(agent)["web"]["containerStatuses"]).split('"'))
            run.result()

    watched({**first, "containers": [container(script=f"true; {slow}"), container("other")]})
    watched({**first, "hostname": "another"})
    assert "ContainerStatusUnknown" not in seen
    for name in ("main", "other"):
        status = agent.container("web", name)
        assert (status["restartCount"], status["lastState"]) == (0, {}), status
    before = run_of(agent.host, "web-main")
    agent.host.pause("web-main")
    await_new_run(agent.host, "web-main", before, 30)
    await_true(lambda: agent.container("web")["restartCount"] == 1)
    assert agent.container("web")["lastState"]["terminated"]["exitCode"] == 9
    assert agent.container("web", "other")["restartCount"] == 0


# --- from the first moment to the last -------------------------------------------------------------------------------


def kept(agent: AgentProcess) -> dict[str, Any]:
    """The statuses of all pods as their keepers saw them last, by name; as many as health tells of."""
    counted = agent.client.get("/health")["pods"]
    found = {one["metadata"]["name"]: one["status"] for one in agent.client.get("/pods", kept=1)}
    assert counted == len(found)
    return found


def test_a_pod_is_seen_while_its_first_run_lasts(agent: AgentProcess) -> None:
    """From the moment that it is on record, with what its containers wait for."""
    options = pod(container(), init_containers=[container("setup", "sleep 3")])
    with ThreadPoolExecutor() as workers:
        run = workers.submit(agent.apply, options)
        record = agent.host.state_directory / "pods" / "web" / "record.json"
        await_true(record.exists)
        # What writes the record tells the agent right afterwards.
        await_true(lambda: "web" in kept(agent), 2)
        status = kept(agent)["web"]
        assert status["phase"] == "Pending"
        assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
        await_true(lambda: "running" in kept(agent)["web"]["initContainerStatuses"][0]["state"])
        assert agent.container("web")["state"]["waiting"]["reason"] == "PodInitializing"
        assert not run.done()
        run.result()
    assert kept(agent)["web"]["phase"] == "Running"


def test_a_pod_made_again_has_nothing_of_its_former_self(agent: AgentProcess) -> None:
    agent.apply(pod(container(script="exit 3")), wait=False)
    await_true(lambda: agent.container("web")["restartCount"] == 1)
    for _round in range(6):
        agent.apply({"name": "web", "state": "absent"})
        assert kept(agent) == {}
        assert agent.events("web") == []
        agent.apply(pod(container(readiness_probe={"exec": {"command": ["false"]}})), wait=False)
        (status,) = kept(agent)["web"]["containerStatuses"]
        found = agent.host.inspect("web-main")["Id"]
        assert (status["restartCount"], status["lastState"], status["ready"]) == (0, {}, False)
        assert status.get("containerID", f"podman://{found}") == f"podman://{found}"


# --- deadlines -------------------------------------------------------------------------------------------------------


def test_a_pod_past_its_deadline_is_ended_and_stays_so(agent: AgentProcess, tmp_path: Path) -> None:
    """With preStop and TERM, its crashing container as well as its sidecar, and through an end of the agent."""
    tmp_path.chmod(0o777)
    mount = {"name": "notes", "mount_path": "/notes"}

    def noting(name: str, **more: Any) -> Options:
        script = f"trap 'echo {name} ended >> /notes/ends; exit 0' TERM; sleep 600 & wait"
        hook = {"pre_stop": {"exec": {"command": ["sh", "-c", f"echo {name} hook >> /notes/ends"]}}}
        return container(name, script, volume_mounts=[mount], lifecycle=hook, **more)

    options = pod(
        noting("main"),
        container("crash", "exit 3"),
        init_containers=[noting("log", restart_policy="Always")],
        volumes=[{"name": "notes", "host_path": {"path": str(tmp_path)}}],
        active_deadline_seconds=20,
        termination_grace_period_seconds=5,
    )
    assert agent.apply(options, wait=False)["warnings"] == []
    agent.kill()
    time.sleep(2)
    agent.start()
    assert agent.status("web")["phase"] == "Running"
    began = read_time(agent.status("web")["startTime"])
    assert began is not None
    await_true(lambda: "log ended" in (tmp_path / "ends").read_text() if (tmp_path / "ends").exists() else False)
    (told,) = (event for event in agent.events("web") if event["reason"] == "DeadlineExceeded")
    assert told["first_at"] - began >= 20
    notes = (tmp_path / "ends").read_text().splitlines()
    assert notes == ["main hook", "main ended", "log hook", "log ended"]
    await_true(lambda: not any(is_running(agent.host, name) for name in agent.host.containers()))

    def assert_failed() -> None:
        status = agent.status("web")
        assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
        assert status["message"] == "Pod was active on the node longer than the specified deadline"
        assert not any(is_running(agent.host, name) for name in agent.host.containers())
        states = [one["state"] for one in (*status["containerStatuses"], *status["initContainerStatuses"])]
        assert all("terminated" in state for state in states), states

    assert_failed()
    # Another run, another agent and time bring nothing back.
    result = agent.apply(options, wait=False)
    assert (result["changed"], result["actions"]) == (False, [])
    assert result["pod"]["status"]["reason"] == "DeadlineExceeded"
    with pytest.raises(agent_client.RemoteFailure, match="web: DeadlineExceeded: Pod was active") as caught:
        agent.apply(options)
    assert vars(caught.value)["reason"] == "DeadlineExceeded"
    assert "Nothing was changed" in str(caught.value)
    agent.stop()
    agent.start()
    time.sleep(11)
    assert_failed()
    assert [event["count"] for event in agent.events("web") if event["reason"] == "DeadlineExceeded"] == [1]


def test_another_declaration_begins_a_failed_pod_anew(agent: AgentProcess) -> None:
    """With its whole time; and so does a start after a stop."""
    options = pod(active_deadline_seconds=6)
    agent.apply(options)
    await_deadline(agent)
    longer = {**options, "active_deadline_seconds": 10}
    for state in ("started", "stopped"):
        if state == "stopped":
            agent.apply({"name": "web", "state": "stopped"})
        before = time.time()
        result = agent.apply(longer)
        assert "create pod web" in " ".join(result["actions"])
        status = agent.status("web")
        assert (status["phase"], "reason" in status) == ("Running", False)
        assert (read_time(status["startTime"]) or 0) >= int(before)
        assert agent.apply(longer)["actions"] == []
        await_deadline(agent)
        assert time.time() - int(before) >= 10


def test_an_init_container_does_not_outlast_the_deadline(agent: AgentProcess) -> None:
    """Neither while a run waits for it nor while the keeper does."""
    options = pod(init_containers=[container("setup")], active_deadline_seconds=5)
    with pytest.raises(agent_client.RemoteFailure, match="the init container has not completed in time"):
        agent.apply(options)
    await_deadline(agent)
    agent.apply({"name": "web", "state": "stopped"})
    record = agent.host.state_directory / "pods" / "web" / "record.json"
    agent.stop()
    told = json.loads(record.read_text())
    record.write_text(json.dumps({**told, "is_stopped": False, "begun_at": int(time.time())}))
    agent.start()
    await_true(lambda: is_running(agent.host, "web-setup"), 20)
    await_deadline(agent)


def await_deadline(agent: AgentProcess) -> None:
    """Wait until the pod has failed by its deadline and nothing of it runs."""
    await_true(lambda: agent.status("web").get("reason") == "DeadlineExceeded", 30)
    await_true(lambda: not any(is_running(agent.host, name) for name in agent.host.containers()), 30)


@pytest.mark.parametrize("broken", ["an init container fails", "a program is not there"])
def test_an_update_that_fails_while_it_is_carried_out_is_taken_back(agent: AgentProcess, broken: str) -> None:
    agent.apply(pod(), wait=True)
    update = pod(init_containers=[container("first", "exit 4")])
    if broken == "a program is not there":
        update = pod({**container(), "command": ["no-such-program"]})
    body = {"run": "run_pod", "options": {**update, "wait_timeout": 5}, "check": False}
    with pytest.raises(agent_client.RemoteFailure, match="Rolled back to the state before, which is ready again"):
        agent.client.post("/run", body, timeout_seconds=120)
    agent.await_ready("web")
    assert agent.apply(pod())["actions"] == []


def test_an_update_is_taken_back_however_long_somebody_else_has_the_pod(agent: AgentProcess) -> None:
    """Its keeper, on a busy machine, or another process: longer than the update itself was to wait."""
    agent.apply(pod(), wait=True)
    body = {"run": "run_pod", "options": {**pod(container("main", "exit 3")), "wait_timeout": 3}, "check": False}
    with ThreadPoolExecutor(1) as client:
        update = client.submit(agent.client.post, "/run", body, timeout_seconds=120)
        await_true(lambda: agent.status("web").get("containerStatuses", [{}])[0].get("restartCount", 0) > 0, 30)
        with Store(agent.host.state_directory).lock("web", 60):
            time.sleep(6)
        with pytest.raises(agent_client.RemoteFailure, match="Rolled back to the state before, which is ready again"):
            update.result()
    agent.await_ready("web")
    assert agent.apply(pod())["actions"] == []


# --- drift -----------------------------------------------------------------------------------------------------------


def test_what_was_broken_by_hand_is_repaired_and_told(agent: AgentProcess) -> None:
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    agent.apply(pod(server(**limits), container("other"), name="web"))
    host = agent.host

    before = run_of(host, "web-main")
    host.podman("rm", "-f", "-t", "0", "web-main")
    await_new_run(host, "web-main", before, 10)

    pid = host.inspect("web-main")["State"]["Pid"]
    path = next(
        line.split(":")[2]
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        if "memory" in line.split(":")[1].split(",") or line.startswith("0::")
    )
    write_memory_limit(path, 96 << 20)
    await_true(lambda: read_cgroup(path)[0] == 64 << 20, 4 * LIST_SECONDS)

    before = run_of(host, "web-main")
    host.pause("web-main")
    await_new_run(host, "web-main", before, 15)

    others = {name: run_of(host, name) for name in ("web-main", "web-other")}
    host.podman("kill", "web-infra")
    for name, earlier in others.items():
        await_new_run(host, name, earlier, 30)
    agent.await_ready("web")
    messages = [event["message"] for event in agent.events("web")]
    for told in (
        "Created container main",
        "Resized container main: memory changed",
        "Removed container main: it is paused",
        "Removed the sandbox: its infra container is not running",
    ):
        assert told in messages, (told, messages)


def test_a_file_and_a_network_are_repaired_too(agent: AgentProcess) -> None:
    site = {"name": "site", "config_map": {"name": "site"}}
    main = server(root="/site", volume_mounts=[{"name": "site", "mount_path": "/site"}])
    stack = {
        "name": "shop",
        "pods": [pod(main, name="web", volumes=[site], networks=["shop"]), pod(name="worker", networks=["shop"])],
        "config_maps": [{"name": "site", "data": {"page": "declared"}}],
        "networks": [{"name": "shop", "dns": False}],
    }
    agent.apply(stack)
    page = agent.host.state_directory / "pods/web/files/site/page"
    page.write_text("changed")
    await_true(lambda: page.read_text() == "declared", 4 * LIST_SECONDS)

    agent.host.podman("network", "rm", "-f", "-t", "1", "shop")
    for name in ("web", "worker"):
        await_true(functools.partial(is_running, agent.host, f"{name}-main"), 30)
        agent.await_ready(name)
    assert agent.host.inspect("web-infra")["NetworkSettings"]["Networks"].keys() == {"shop"}
    reasons = [event["reason"] for event in agent.events()]
    assert {"VolumeWritten", "NetworkCreated"} <= set(reasons)
    assert agent.apply(stack)["actions"] == []


def test_a_stopped_pod_stays_stopped(agent: AgentProcess) -> None:
    agent.apply(pod())
    agent.apply({"name": "web", "state": "stopped"})
    time.sleep(2)
    assert not is_running(agent.host, "web-main")
    agent.stop()
    agent.start()
    time.sleep(2)
    assert not is_running(agent.host, "web-main")
    agent.apply(pod())
    assert is_running(agent.host, "web-main")


def test_changed_configuration_reaches_containers_that_run(agent: AgentProcess) -> None:
    """In place and all at once, also what somebody has removed by hand; the containers are not touched."""

    def options(value: str) -> Options:
        sources = [{"config_map": {"name": "settings"}}, {"secret": {"name": "login"}}]
        one = container(volume_mounts=[{"name": "all", "mount_path": "/all"}, {"name": "map", "mount_path": "/map"}])
        volumes = [
            {"name": "all", "projected": {"sources": sources}},
            {"name": "map", "config_map": {"name": "settings"}},
        ]
        return {
            "name": "shop",
            "config_maps": [{"name": "settings", "data": {"mode": value}}],
            "secrets": [{"name": "login", "string_data": {"password": f"secret {value}"}}],
            "pods": [pod(one, volumes=volumes)],
        }

    def seen() -> list[str]:
        return agent.host.podman("exec", "web-main", "sed", "", "/all/mode", "/all/password", "/map/mode").split("\n")

    agent.apply(options("one"))
    before = run_of(agent.host, "web-main")
    # The files have no line breaks of their own, and sed adds them.
    assert seen() == ["one", "secret one", "one"]
    actions = agent.apply(options("two"))["actions"]
    assert sum("write volume web/" in action for action in actions) == 2
    assert seen() == ["two", "secret two", "two"]
    assert agent.apply(options("two"))["actions"] == []
    assert run_of(agent.host, "web-main") == before
    digest = agent.host.state_directory / "pods" / "web" / "digests" / "map"
    digest.unlink()
    (agent.host.state_directory / "pods" / "web" / "files" / "map" / "mode").unlink()
    agent.host.podman("kill", "web-main")
    await_new_run(agent.host, "web-main", before, 10)
    assert seen() == ["two", "secret two", "two"]


def test_of_pods_that_have_ended_the_oldest_go(in_host: PodmanHost) -> None:
    """Beyond as many as are to be kept; not those that run, or that were stopped."""
    agent = AgentProcess(in_host, options=["--terminated-pods=2"])
    agent.start()
    try:
        assert agent.client.get("/health")["terminated_pods"] == 2
        agent.apply(pod(name="running"))
        agent.apply(pod(name="stopped"))
        agent.apply({"name": "stopped", "state": "stopped"})
        assert agent.status("stopped")["phase"] in ("Succeeded", "Failed")
        for number in range(4):
            script = f"exit {number % 2}"
            agent.apply(pod(container(script=script), name=f"job-{number}", restart_policy="Never"), wait=False)
            # Start times are whole seconds.
            time.sleep(1.1)
        kept = {"running", "stopped", "job-2", "job-3"}
        await_true(lambda: {found["metadata"]["name"] for found in agent.client.get("/pods")} == kept, 60)
        assert sorted(path.name for path in (in_host.state_directory / "pods").iterdir()) == sorted(kept)
        assert {name.rpartition("-")[0] for name in in_host.containers()} == kept
        time.sleep(11)
        assert {found["metadata"]["name"] for found in agent.client.get("/pods")} == kept
    finally:
        agent.stop()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["run", "--pods"],
        ["stop", "--terminated-pods=2"],
        ["status", "--pods"],
        *(["start", f"--terminated-pods={number}"] for number in ("", "-1", "two", "1.5", "\u0662", "9" * 10)),
        ["start", "--terminated-pods=1", "--terminated-pods=2"],
    ],
)
def test_words_that_the_program_does_not_know(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PODWRIGHT_STATE_DIR", str(tmp_path / "state"))
    assert podwrightd.main(words) == 2
    assert "usage: podwrightd" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


# --- the agent's own ends --------------------------------------------------------------------------------------------


def test_killed_again_and_again_it_loses_and_doubles_nothing(agent: AgentProcess) -> None:
    """Beside a pod that restarts all the time and one that must never restart, a healthy one is not touched."""
    agent.apply(pod(server(), name="healthy"))
    agent.apply(pod(container(script="exit 0"), name="once", restart_policy="Never"), wait=False)
    agent.apply(pod(container(script="sleep 0.3; exit 1"), name="crash"), wait=False)
    healthy, once = run_of(agent.host, "healthy-main"), run_of(agent.host, "once-main")
    chosen = random.Random(7)
    for _round in range(KILLS):
        time.sleep(chosen.random())
        agent.kill()
        agent.start()
    await_true(lambda: agent.status("once")["phase"] == "Succeeded")
    assert run_of(agent.host, "healthy-main") == healthy
    assert run_of(agent.host, "once-main") == once
    assert agent.is_ready("healthy")
    names = sorted(agent.host.containers())
    assert names == [f"{name}-{one}" for name in ("crash", "healthy", "once") for one in ("infra", "main")]
    assert agent.container("healthy")["restartCount"] == agent.container("once")["restartCount"] == 0


def test_a_killed_agent_loses_no_event(agent: AgentProcess) -> None:
    agent.apply(pod(container(liveness_probe={"exec": {"command": ["false"]}, "period_seconds": 1})), wait=False)
    await_true(lambda: "Unhealthy" in agent.reasons("web"))
    before = agent.events("web")
    agent.kill()
    agent.start()
    after = {(event["reason"], event["message"]): event["count"] for event in agent.events("web")}
    for event in before:
        assert after[event["reason"], event["message"]] >= event["count"], event


def test_a_run_that_began_without_the_agent_ends_as_if_there_were_none(in_host: PodmanHost, tmp_path: Path) -> None:
    """The keeper waits for its turn, without a word, and finds all as it should be."""
    hook = {"lifecycle": {"post_start": {"exec": {"command": ["sleep", "6"]}}}}
    options = pod(container(**hook), init_containers=[container("setup", "sleep 3")], restart_policy="Never")
    run = apply_elsewhere(in_host, tmp_path, options)
    await_true(lambda: is_running(in_host, "web-setup"), 30)
    process = AgentProcess(in_host)
    process.start()
    try:
        await_true(lambda: is_running(in_host, "web-main"), 30)
        before = {name: run_of(in_host, f"web-{name}") for name in ("infra", "setup", "main")}
        assert not was_killed(run)
        process.await_ready("web")
        assert {name: run_of(in_host, f"web-{name}") for name in before} == before
        assert process.events("web") == []
        assert process.apply(options)["actions"] == []
    finally:
        process.stop()


def test_an_agent_takes_pods_over_and_gives_them_back(in_host: PodmanHost) -> None:
    """A container that Podman restarts is made anew, as the plan says; one that nobody restarts stays."""
    lasting, once = pod(name="lasting"), pod(name="once", restart_policy="Never")
    for options in (lasting, once):
        pod_run.run_pod(options, False)
    before = {name: run_of(in_host, f"{name}-main") for name in ("lasting", "once")}
    process = AgentProcess(in_host)
    process.start()
    try:
        await_new_run(in_host, "lasting-main", before["lasting"], 15)
        assert run_of(in_host, "once-main") == before["once"]
        messages = [event["message"] for event in process.events("lasting")]
        assert any("the agent restarts it from now on" in message for message in messages)
        assert process.apply(lasting)["actions"] == process.apply(once)["actions"] == []
    finally:
        process.stop()
    told = pod_run.run_pod(lasting, True)
    assert any("Podman restarts it from now on" in line for line in told["actions"])
    assert pod_run.run_pod(once, True)["actions"] == []


def test_state_of_a_newer_release_is_refused(agent: AgentProcess) -> None:
    """As after an agent of an older release was put in the place of a newer one; what cannot be read is no reason."""
    agent.apply({"name": "shop", "pods": [pod(name="web"), pod(name="worker")]})
    before = run_of(agent.host, "web-main")
    agent.stop()
    state = agent.host.state_directory
    (state / "pods" / "worker" / "record.json").write_text("{")
    for path in (state / "pods" / "web" / "record.json", state / "stacks" / "shop" / "record.json"):
        content = path.read_text()
        record = json.loads(content)
        path.write_text(json.dumps({**record, "version": record["version"] + 1}))
        with pytest.raises(AssertionError, match=f"{path} was written by a newer podwright.pods"):
            agent.start()
        path.write_text(content)
    agent.start()
    await_true(lambda: any("record.json is damaged" in event["message"] for event in agent.events("worker")))
    assert run_of(agent.host, "web-main") == before


def test_state_of_an_older_release_is_taken_over(agent: AgentProcess) -> None:
    """With what it did not know of: a deadline counts from the status, as it did then."""
    options = pod(active_deadline_seconds=600)
    agent.apply(options)
    before, status = run_of(agent.host, "web-main"), agent.status("web")
    agent.stop()
    path = agent.host.state_directory / "pods" / "web" / "record.json"
    record = json.loads(path.read_text())
    del record["begun_at"]
    path.write_text(json.dumps({**record, "version": 1}))
    agent.start()
    agent.await_ready("web")
    assert agent.status("web")["startTime"] == status["startTime"]
    assert agent.apply(options)["actions"] == []
    assert run_of(agent.host, "web-main") == before


def test_podman_gone_and_hanging(agent: AgentProcess) -> None:
    """The agent goes on, says so, and recovers; nothing that ran is touched."""
    agent.apply(pod(server()))
    before = run_of(agent.host, "web-main")
    agent.host.stop_service()
    await_true(lambda: bool(agent.client.get("/health")["podman_error"]), 30)
    agent.host.start_service()
    await_true(lambda: not agent.client.get("/health")["podman_error"], 30)
    assert agent.host.service is not None
    agent.host.service.send_signal(signal.SIGSTOP)
    try:
        time.sleep(3)
        assert agent.client.get("/health")["pid"] == agent.pid
    finally:
        agent.host.service.send_signal(signal.SIGCONT)
    agent.host.podman("rm", "-f", "-t", "0", "web-main")
    await_new_run(agent.host, "web-main", before, 30)
    agent.await_ready("web")
    reasons = [event["reason"] for event in agent.events()]
    assert {"PodmanUnresponsive", "PodmanRecovered"} <= {*reasons}


def test_after_a_boot_pods_come_up_in_order(agent: AgentProcess) -> None:
    """All containers ended at once, infra containers among them, as a host leaves them that lost its power."""
    slow = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "period_seconds": 1}
    first = container(script="sleep 2; touch /tmp/ready; " + SLEEP, readiness_probe=slow)
    stack = {
        "name": "shop",
        "pods": [pod(container(), name="last"), pod(first, name="first")],
        "depends_on": {"last": [{"pod": "first"}]},
    }
    agent.apply(stack)
    agent.kill()
    agent.host.podman("kill", *agent.host.containers())
    await_true(lambda: not any(is_running(agent.host, name) for name in agent.host.containers()))
    agent.start()
    for name in ("first", "last"):
        agent.await_ready(name, timeout_seconds=40)
    assert (
        agent.host.inspect("first-main")["State"]["StartedAt"] < agent.host.inspect("last-main")["State"]["StartedAt"]
    )
    assert started_at(agent, "last-main") - started_at(agent, "first-main") > 2
    assert agent.apply(stack)["actions"] == []


def test_volumes_in_memory_after_a_boot(agent: AgentProcess) -> None:
    """They are empty, and hold again what init containers hand on, and what outlasts a container."""
    mount = {"name": "shared", "mount_path": "/shared"}
    hand_on = container("hand-on", "test ! -e /shared/handed; echo $? > /shared/handed", volume_mounts=[mount])
    take = container(script=f"cat /shared/handed && {SLEEP}", volume_mounts=[mount])
    volumes = [{"name": "shared", "empty_dir": {"medium": "Memory"}}]
    options = pod(take, init_containers=[hand_on], volumes=volumes, restart_policy="OnFailure")
    agent.apply(options)
    agent.kill()
    agent.host.reboot()
    agent.start()
    agent.await_ready("web", timeout_seconds=40)
    assert agent.host.podman("logs", "web-main").split() == ["0"]
    assert agent.container("web", "hand-on")["restartCount"] == 1
    assert agent.apply(options)["actions"] == []
    before = run_of(agent.host, "web-main")
    agent.host.podman("exec", "web-main", "sh", "-c", "echo kept > /shared/handed")
    agent.host.podman("kill", "web-main")
    await_new_run(agent.host, "web-main", before, 20)
    await_true(lambda: agent.host.podman("logs", "web-main").split() == ["kept"])


def test_stacks_by_the_agent(agent: AgentProcess) -> None:
    """As without it: predicted, unchanged, taken back when it does not become ready."""
    stack = {
        "name": "shop",
        "pods": [pod(server(), name="web"), pod(name="worker")],
        "depends_on": {"web": [{"pod": "worker"}]},
    }
    predicted = agent.apply(stack, check=True)
    assert agent.apply(stack)["actions"] == predicted["actions"] != []
    before = {name: run_of(agent.host, name) for name in ("web-main", "worker-main")}
    assert agent.apply(stack)["actions"] == []
    broken = {
        **stack,
        "pods": [pod(server(readiness_probe={"exec": {"command": ["false"]}}), name="web"), pod(name="worker")],
    }
    with pytest.raises(agent_client.RemoteFailure, match="Rolled back to revision 1, which is ready again"):
        agent.apply(broken, wait_timeout=4)
    assert agent.apply(stack)["actions"] == []
    assert {name: run_of(agent.host, name) for name in before}["worker-main"] == before["worker-main"]
    agent.apply({"name": "shop", "state": "absent", "pods": []})
    assert not agent.host.containers()
