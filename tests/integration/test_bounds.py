# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a container writes, neither the agent nor Podman's service takes up more memory or time for it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from pod_runs import SLEEP, PodRuns, await_true, container, plan, pod
from podman_host import PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._agent.client import RemoteFailure
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.container_output import SHOWN_BYTES
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run, run_failure

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


# --- ends ------------------------------------------------------------------------------------------------------------

STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"


@pytest.mark.parametrize("hook", [None, {"sleep": {"seconds": 100}}], ids=["patience", "hook"])
def test_a_run_with_a_grace_period_hurries_another(pods: PodRuns, hook: dict[str, Any] | None) -> None:
    """Whether that waits for the process to end, or for its hook."""
    more = {"lifecycle": {"pre_stop": hook}} if hook else {}
    pods.create(pod(container(script=STUBBORN, **more), termination_grace_period_seconds=600))
    patient = threading.Thread(target=pod_run.run_pod, args=({"name": "web", "state": "stopped"}, False))
    began_at = time.monotonic()
    patient.start()
    mark = pods.host.state_directory / "pods/web/containers/main/stopped"
    await_true(lambda: mark.exists() if hook else pods.state("web-main") == "stopping", 60)
    result = pod_run.run_pod({"name": "web", "state": "absent", "grace_period_seconds": 0}, False)
    patient.join(60)
    assert not patient.is_alive()
    assert time.monotonic() - began_at < 90
    assert plan(result)[-1] == "forget pod web: state is absent"
    assert pods.names() == []


def test_at_once_is_without_hooks(pods: PodRuns) -> None:
    hook = {"exec": {"command": ["touch", "/data/hook"]}}
    mount = [{"name": "data", "mount_path": "/data"}]
    options = pod(
        container(script=STUBBORN, lifecycle={"pre_stop": hook}, volume_mounts=mount),
        termination_grace_period_seconds=600,
        volumes=[{"name": "data", "empty_dir": {}}],
    )
    pods.create(options)
    pods.apply({"name": "web", "state": "stopped", "grace_period_seconds": 0})
    assert pods.host.inspect("web-main")["State"]["ExitCode"] == 137
    assert not (pods.host.state_directory / "pods/web/empty/data/hook").exists()


# --- a full disk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(in_host: PodmanHost) -> Iterator[Callable[[], None]]:
    """The state directory on a file system of its own; the call fills that to the brim."""
    directory = in_host.state_directory
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(directory)], check=True)

    def fill() -> None:
        with open(directory / "ballast", "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    try:
        yield fill
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def test_a_full_disk_keeps_no_pod_from_its_end(small_disk: Callable[[], None], pods: PodRuns) -> None:
    pods.create(pod())
    pods.create(pod(name="other"))
    small_disk()
    pod_run.run_pod({"name": "web", "state": "stopped"}, False)
    assert pods.state("web-main") == "exited"
    # It stays so: the word that it was stopped on purpose had room of its own.
    assert json.loads((pods.host.state_directory / "pods/web/record.json").read_text())["is_stopped"]
    small_disk()
    for name in ("web", "other"):
        pod_run.run_pod({"name": name, "state": "absent"}, False)
    assert pods.names() == []
    assert [*(pods.host.state_directory / "pods").iterdir()] == []


def test_without_any_room_it_is_stopped_and_said(small_disk: Callable[[], None], pods: PodRuns) -> None:
    pods.create(pod())
    (pods.host.state_directory / "reserve").unlink()
    small_disk()
    with pytest.raises(run_failure.RunFailed, match="No space left on device"):
        pod_run.run_pod({"name": "web", "state": "stopped"}, False)
    assert pods.state("web-main") == "exited"
    (pods.host.state_directory / "ballast").unlink()
    pod_run.run_pod({"name": "web", "state": "stopped"}, False)
    assert (pods.host.state_directory / "reserve").stat().st_size > 0


def test_the_agent_on_a_full_disk(small_disk: Callable[[], None], agent: AgentProcess) -> None:
    """It begins, it stops and removes what it is told to, and what is stopped stays so."""
    for name in ("web", "other"):
        agent.apply(pod(name=name))
    agent.kill()
    small_disk()
    agent.start()
    agent.apply({"name": "web", "state": "stopped"})
    agent.apply({"name": "other", "state": "absent"})
    state = agent.host.inspect("web-main")["State"]
    assert (state["Status"], "other-main" in agent.host.containers()) == ("exited", False)
    agent.stop()
    agent.start()
    await_true(lambda: agent.status("web").get("phase") in ("Pending", "Failed", "Running", "Succeeded"))
    assert agent.host.inspect("web-main")["State"]["StartedAt"] == state["StartedAt"]
    small_disk()
    with pytest.raises(RemoteFailure, match="No space left on device"):
        agent.apply(pod(name="fresh"))


# --- the agent's process ---------------------------------------------------------------------------------------------

FEW_FILES = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (512, resource.getrlimit(7)[1])); "


def open_files(pid: int) -> tuple[str, str]:
    line = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if "open files" in line)
    return line.split()[3], line.split()[4]


def test_its_own_words_and_its_open_files(in_host: PodmanHost) -> None:
    """As many files as the host allows."""
    environment = {**in_host.environment_without_service, "PODWRIGHT_STATE_DIR": str(in_host.state_directory)}
    own = AgentProcess(in_host, environment, preamble=FEW_FILES)
    own.log_path = in_host.directory / "own.log"
    own.start()
    try:
        own.apply(pod(container(script=f"echo spoken; {SLEEP}")))
        soft, hard = open_files(own.pid)
        assert soft == hard
        service = next(
            int(entry.name)
            for entry in Path("/proc").glob("[0-9]*")
            if f"\nPPid:\t{own.pid}\n" in (entry / "status").read_text() and (entry / "comm").read_text() == "podman\n"
        )
        assert peak_mib(own.pid) < MEMORY_MIB
        assert peak_mib(service) < MEMORY_MIB
    finally:
        own.stop()
    begin, end = own.log().splitlines()
    assert begin.startswith("podwrightd: ")
    assert begin.endswith(f"keeps the pods of {in_host.state_directory}: 0 are there")
    assert end == "podwrightd: ends; containers go on"
