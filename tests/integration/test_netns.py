# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes and hooks on a real pod: from its network namespace, and by exec; and the way of a rootless user into one."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from podman_host import PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._declaration.spec import (
    ExecAction,
    Handler,
    HttpGetAction,
    Probe,
    TcpSocketAction,
)
from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError
from ansible_collections.podwright.pods.plugins.module_utils._host import hooks
from ansible_collections.podwright.pods.plugins.module_utils._host.kernel.netns import address_of, open_socket
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.client import Podman
from ansible_collections.podwright.pods.plugins.module_utils._host.probes import Outcome, Target, check

pytestmark = pytest.mark.integration

NOBODY = 65534

# A server at the pod's address and one at its loopback only; nothing here could make a request by itself.
SERVE = """\
mkdir -p /www/cgi-bin
echo fine > /www/index.html
printf '#!/bin/sh\\nsleep 5\\n' > /www/cgi-bin/slow
chmod 755 /www/cgi-bin/slow
httpd -p 127.0.0.1:8081 -h /www
exec httpd -f -p 8080 -h /www
"""


@pytest.fixture(scope="module")
def api(host: PodmanHost) -> Iterator[Podman]:
    with Podman(str(host.socket_path)) as podman:
        yield podman
    host.clean()


@pytest.fixture(scope="module")
def target(api: Podman, host: PodmanHost) -> Target:
    """The container of a running pod that serves HTTP; for tests that leave it as it is."""
    return start_pod(api, host, "web")


def start_pod(api: Podman, host: PodmanHost, name: str) -> Target:
    api.post("/pods/create", body={"name": name})
    body = {"name": f"{name}-httpd", "pod": name, "image": host.image, "command": ["sh", "-c", SERVE]}
    container_id = api.post("/containers/create", body=body)["Id"]
    api.post(f"/pods/{name}/start")
    infra = host.inspect(api.get(f"/pods/{name}/json")["InfraContainerID"])
    address = infra["NetworkSettings"]["Networks"]["podman"]["IPAddress"]
    target = Target(container_id, address, infra["State"]["Pid"], {"http": 8080})
    deadline = time.monotonic() + 10
    while not get(api, target).passed and time.monotonic() < deadline:
        time.sleep(0.02)
    return target


def get(api: Podman, target: Target, timeout_seconds: float = 5, **action: Any) -> Outcome:
    action.setdefault("port", "http")
    return check(Probe(http_get=HttpGetAction(**action)), timeout_seconds, target, api)


def execute(api: Podman, target: Target, *command: str, timeout_seconds: float = 20) -> Outcome:
    return check(Probe(exec=ExecAction(command)), timeout_seconds, target, api)


def network_namespace() -> str:
    return os.readlink("/proc/thread-self/ns/net")


class TestNetwork:
    def test_http_get_at_the_pods_address(self, api: Podman, target: Target) -> None:
        assert get(api, target) == Outcome("Success", f"http://{target.pod_ip}:8080/: HTTP status 200 OK")
        assert get(api, target, path="/none").message.endswith("/none: HTTP status 404 Not Found")

    def test_loopback_is_the_pods(self, api: Podman, target: Target) -> None:
        assert get(api, target, host="127.0.0.1", port=8081).result == "Success"
        assert get(api, target, port=8081).message.endswith("Connection refused")

    def test_a_stalling_server_is_a_failure_in_time(self, api: Podman, target: Target) -> None:
        began = time.monotonic()
        assert get(api, target, 0.3, path="/cgi-bin/slow").message.endswith("timed out after 0.3 s")
        assert time.monotonic() - began < 20

    def test_tcp_socket(self, api: Podman, target: Target) -> None:
        assert check(Probe(tcp_socket=TcpSocketAction(port="http")), 1, target, api).result == "Success"
        assert check(Probe(tcp_socket=TcpSocketAction(port=9)), 1, target, api).result == "Failure"

    def test_the_kernel_tells_the_address_that_podman_gave(self, target: Target) -> None:
        assert target.network_pid
        assert address_of(target.network_pid, "eth0") == target.pod_ip
        assert address_of(target.network_pid, "eth7") == ""

    def test_a_hook_over_the_network(self, api: Podman, target: Target) -> None:
        assert hooks.run(Handler(http_get=HttpGetAction(port="http", path="/none")), target, api, 5).passed
        assert not hooks.run(Handler(tcp_socket=TcpSocketAction(port=9)), target, api, 5).passed

    def test_a_pod_that_ended_is_unknown(self, api: Podman, host: PodmanHost) -> None:
        target = start_pod(api, host, "ended")
        api.post("/pods/ended/kill", {"signal": "KILL"})
        deadline = time.monotonic() + 10
        while os.path.exists(f"/proc/{target.network_pid}") and time.monotonic() < deadline:
            time.sleep(0.02)
        outcome = get(api, target)
        assert outcome.result == "Unknown"
        assert "start the pod again" in outcome.message

    def test_threads_stay_where_they_are(self, api: Podman, target: Target) -> None:
        home = network_namespace()

        def probe(_number: int) -> tuple[str, str]:
            return get(api, target).result, network_namespace()

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(probe, range(100))) == {("Success", home)}
        assert network_namespace() == home

    def test_neither_descriptors_nor_threads_are_left_behind(self, api: Podman, target: Target) -> None:
        def count() -> tuple[int, int]:
            return len(os.listdir("/proc/self/fd")), threading.active_count()

        before = count()
        for _turn in range(250):
            assert get(api, target).passed
            assert not get(api, target, port=9).passed
        assert count() == before


class TestExec:
    def test_success(self, api: Podman, target: Target) -> None:
        assert execute(api, target, "cat", "/www/index.html") == Outcome("Success", "fine")

    def test_failure_tells_code_and_output(self, api: Podman, target: Target) -> None:
        outcome = execute(api, target, "sh", "-c", "echo out; echo err >&2; exit 3")
        assert outcome.result == "Failure"
        assert outcome.message.startswith("exec: exit code 3: ")
        assert {"out", "err"} <= set(outcome.message.split())

    def test_the_last_kibibyte_of_the_output(self, api: Podman, target: Target) -> None:
        outcome = execute(api, target, "sh", "-c", "yes | head -n 5000; echo end; exit 1")
        assert outcome.message.endswith("end")
        assert len(outcome.message) < 1100

    def test_a_timeout_is_a_failure_and_ends_the_process(self, api: Podman, target: Target) -> None:
        command = ("sh", "-c", "echo begun; sleep 7654321 & sleep 7654321")
        outcome = execute(api, target, *command, timeout_seconds=1)
        assert outcome == Outcome("Failure", "exec: timed out after 1 s and was killed: begun")
        deadline = time.monotonic() + 5
        while running(b"7654321") and time.monotonic() < deadline:
            time.sleep(0.02)
        assert running(b"7654321") == []

    def test_a_command_that_is_not_there(self, api: Podman, target: Target) -> None:
        outcome = execute(api, target, "/no/such/command")
        assert outcome.result == "Failure"
        assert "/no/such/command" in outcome.message

    def test_prefix(self, api: Podman, target: Target) -> None:
        prefixed = Target(target.container_id, target.pod_ip, None, {}, ("env", "WORD=prefixed"))
        assert execute(api, prefixed, "sh", "-c", "echo $WORD") == Outcome("Success", "prefixed")

    def test_a_container_that_ended_is_unknown(self, api: Podman, host: PodmanHost) -> None:
        body = {"name": "over", "image": host.image, "command": ["true"]}
        over = Target(api.post("/containers/create", body=body)["Id"], "", None, {})
        api.post("/containers/over/start")
        api.post("/containers/over/wait")
        assert execute(api, over, "true").result == "Unknown"
        api.delete("/containers/over", {"force": True})
        assert execute(api, over, "true").result == "Unknown"

    def test_a_hook_by_exec(self, api: Podman, target: Target) -> None:
        assert hooks.run(Handler(exec=ExecAction(("true",))), target, api, 20).passed
        outcome = hooks.run(Handler(exec=ExecAction(("sh", "-c", "echo no; exit 1"))), target, api, 20)
        assert outcome == Outcome("Failure", "exec: exit code 1: no")


def running(word: bytes) -> list[str]:
    """The processes with that word in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def as_nobody(action: Callable[[], Any]) -> Any:
    """Run a function in a process without privileges and return what it returns."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(writer, pickle.dumps(action()))
        except BaseException as error:
            os.write(writer, pickle.dumps(repr(error)))
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        result = pickle.load(pipe)
    os.waitpid(child, 0)
    return result


class TestRootless:
    """Without root a network namespace is entered by way of the user namespace that owns it."""

    @pytest.fixture
    def holder(self) -> Iterator[int]:
        """A process of nobody's in a user and a network namespace of its own, listening on its loopback at 8080."""
        serve = "ip link set lo up && exec busybox httpd -f -p 127.0.0.1:8080 -h /"
        command = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", serve]
        process = subprocess.Popen(command, user=NOBODY, group=NOBODY, extra_groups=[])
        try:
            deadline = time.monotonic() + 5
            while b"httpd" not in Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0", 2)[1:2]:
                assert process.poll() is None, "nobody may not make a user namespace on this machine"
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield process.pid
        finally:
            process.kill()
            process.wait()

    def probe(self, pid: int | None, times: int = 1) -> tuple[set[str], int]:
        """Probe from inside; return the results and by how many descriptors the process has grown."""
        target = Target("none", "127.0.0.1", pid, {})
        probe = Probe(tcp_socket=TcpSocketAction(port=8080))
        results = set()
        before = len(os.listdir("/proc/self/fd"))
        for _turn in range(times):
            outcome = check(probe, 5, target, None)  # type: ignore[arg-type]
            results.add(outcome.result if outcome.passed else outcome.message)
        return results, len(os.listdir("/proc/self/fd")) - before

    def test_the_owner_enters(self, holder: int) -> None:
        assert as_nobody(lambda: self.probe(holder, times=50)) == ({"Success"}, 0)

    def test_beside_other_threads(self, holder: int) -> None:
        def probe_in_threads() -> set[str]:
            with ThreadPoolExecutor(4) as pool:
                return {
                    result for found, _ids in pool.map(lambda turn: self.probe(holder), range(40)) for result in found
                }

        assert as_nobody(probe_in_threads) == {"Success"}

    def test_no_child_is_left(self, holder: int) -> None:
        def probe_and_wait() -> str:
            open_socket(holder, socket.AF_INET, socket.SOCK_STREAM).close()
            try:
                return f"a child {os.waitpid(-1, os.WNOHANG)}"
            except ChildProcessError:
                return "none"

        assert as_nobody(probe_and_wait) == "none"

    def test_root_enters_as_well(self, holder: int) -> None:
        assert self.probe(holder) == ({"Success"}, 0)

    def test_a_namespace_of_someone_else_is_refused(self) -> None:
        process = subprocess.Popen(["unshare", "--net", "sleep", "60"])
        try:
            while os.readlink(f"/proc/{process.pid}/ns/net") == network_namespace():
                time.sleep(0.01)
            found, grown = as_nobody(lambda: self.probe(process.pid))
        finally:
            process.kill()
            process.wait()
        assert "Permission denied: run as root, or as the user whose Podman runs the pod" in found.pop()
        assert grown == 0

    def test_the_hosts_own_network_needs_no_rights(self) -> None:
        def open_own() -> bool:
            with closing(open_socket(os.getpid(), socket.AF_INET, socket.SOCK_STREAM)) as opened:
                return opened.fileno() >= 0

        assert as_nobody(open_own) is True


def test_a_process_that_has_ended() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    with pytest.raises(HostError, match=rf"process {process.pid}: No such file or directory: the process has ended"):
        open_socket(process.pid, socket.AF_INET, socket.SOCK_STREAM)


def test_a_probe_does_not_take_itself_for_the_server() -> None:
    narrow = "ip link set lo up && echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range && exec sleep 60"
    process = subprocess.Popen(["unshare", "--net", "sh", "-c", narrow])
    try:
        while b"sleep\x0060" not in Path(f"/proc/{process.pid}/cmdline").read_bytes():
            assert process.poll() is None
            time.sleep(0.01)
        target = Target("none", "127.0.0.1", process.pid, {})
        probe = Probe(tcp_socket=TcpSocketAction(port=40000))
        outcomes = {check(probe, 5, target, None) for _turn in range(100)}  # type: ignore[arg-type]
    finally:
        process.kill()
        process.wait()
    assert outcomes == {Outcome("Failure", "tcp://127.0.0.1:40000: Connection refused")}


def test_sockets_are_not_handed_on_to_new_programs() -> None:
    process = subprocess.Popen(["unshare", "--net", "sleep", "60"])
    try:
        time.sleep(0.2)
        with closing(open_socket(process.pid, socket.AF_INET, socket.SOCK_STREAM)) as opened:
            assert not opened.get_inheritable()
    finally:
        process.kill()
        process.wait()
