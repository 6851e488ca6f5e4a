# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a real Podman service: calls, errors, exec, logs, and the service started for a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from podman_host import PodmanHost, listens

from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError, NameInUse, NotFound, PodmanError
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import client
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import program as podman_program
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import service as podman_service
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.client import Podman
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.container_output import last_lines
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.service import connect

pytestmark = pytest.mark.integration


@pytest.fixture
def api(in_host: PodmanHost) -> Iterator[Podman]:
    with connect() as podman:
        yield podman


@pytest.fixture
def container(api: Podman, in_host: PodmanHost) -> str:
    """A running container with one line on each of its outputs."""
    body = {"name": "web", "image": in_host.image, "command": ["sh", "-c", "echo out; echo err >&2; exec sleep 600"]}
    api.post("/containers/create", body=body)
    api.post("/containers/web/start")
    return "web"


class TestCalls:
    def test_api_version_is_that_of_the_service(self, api: Podman, in_host: PodmanHost) -> None:
        told = in_host.podman("version", "--format", "{{.Client.APIVersion}}").strip()
        assert ".".join(map(str, api.api_version)) == told

    def test_filters_are_encoded(self, api: Podman, container: str) -> None:
        assert len(api.get("/containers/json", {"all": True, "filters": {"name": ["web"]}})) == 1
        assert api.get("/containers/json", {"all": True, "filters": {"label": ["no.such"]}}) == []

    def test_already_so_is_none(self, api: Podman, container: str) -> None:
        assert api.post("/containers/web/start") is None
        api.post("/containers/web/kill", {"signal": "KILL"})
        api.post("/containers/web/wait")
        assert api.post("/containers/web/stop") is None

    def test_plain_text_answers_are_text(self, api: Podman) -> None:
        assert api.get("/_ping") == "OK"

    def test_upload_takes_bytes(self, api: Podman) -> None:
        assert api.upload("/secrets/create", {"name": "word"}, b"hush")["ID"]

    def test_clones_serve_threads(self, api: Podman, container: str) -> None:
        def run(number: int) -> bytes:
            with api.clone() as own:
                return own.exec(container, ["echo", str(number)], 20).output

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(run, range(8))) == [f"{number}\n".encode() for number in range(8)]


MISSING = ["containers/none", "images/none", "pods/none", "volumes/none", "secrets/none", "networks/none", "exec/none"]


class TestErrors:
    @pytest.mark.parametrize("thing", MISSING)
    def test_missing_things_are_not_found(self, api: Podman, thing: str) -> None:
        with pytest.raises(NotFound) as caught:
            api.get(f"/{thing}/json")
        assert f"GET /{thing}/json (404)" in str(caught.value)
        assert caught.value.cause

    def test_missing_image_of_a_new_container(self, api: Podman) -> None:
        with pytest.raises(NotFound, match=r"POST /containers/create .*image not known"):
            api.post("/containers/create", body={"image": "localhost/none:1", "name": "x"})

    def test_missing_pod_of_a_new_container(self, api: Podman, in_host: PodmanHost) -> None:
        with pytest.raises(NotFound, match="no such pod"):
            api.post("/containers/create", body={"image": in_host.image, "pod": "none"})

    def test_taken_names(self, api: Podman, container: str, in_host: PodmanHost) -> None:
        def secret() -> None:
            api.upload("/secrets/create", {"name": "s"}, b"x")

        creations = {
            "container": lambda: api.post("/containers/create", body={"image": in_host.image, "name": "web"}),
            "pod": lambda: api.post("/pods/create", body={"name": "p"}),
            "volume": lambda: api.post("/volumes/create", body={"Name": "v"}),
            "network": lambda: api.post("/networks/create", body={"name": "n"}),
            "secret": secret,
        }
        for kind, create in creations.items():
            if kind != "container":
                create()
            with pytest.raises(NameInUse) as caught:
                create()
            assert caught.value.status in (409, 500), kind

    def test_a_service_that_ended(self, in_host: PodmanHost) -> None:
        with connect() as podman:
            in_host.stop_service()
            try:
                with pytest.raises(PodmanError) as caught:
                    podman.get("/containers/json")
            finally:
                in_host.start_service()
            assert caught.value.status == 0
            assert "Podman did not answer GET /containers/json" in str(caught.value)
            assert str(in_host.socket_path) in str(caught.value)
            assert podman.get("/containers/json") == []

    def test_a_call_that_takes_too_long(self, api: Podman, container: str) -> None:
        with pytest.raises(PodmanError, match="timed out") as caught:
            api.post("/containers/web/wait", timeout_seconds=0.3)
        assert caught.value.status == 0

    def test_a_socket_that_is_not_podmans(self, tmp_path: Path) -> None:
        with pytest.raises(PodmanError, match=str(tmp_path)), connect(str(tmp_path / "none.sock")):
            pass

    def test_foreign_container_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONTAINER_HOST", "ssh://web1/run/podman/podman.sock")
        with pytest.raises(HostError, match=r"CONTAINER_HOST is ssh://web1.*unix://"), connect():
            pass

    def test_no_podman_program(self, in_host: PodmanHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CONTAINER_HOST")
        monkeypatch.setattr(podman_program.shutil, "which", lambda *names, **places: None)
        with pytest.raises(HostError, match=r"podman is not installed.*role podwright.pods.host"), connect():
            pass

    def test_no_podman_py(self) -> None:
        """An interpreter without podman-py, and nothing in the fallback directory."""
        names = f"from {podman_service.__package__} import program, service"
        code = f"{names}; program.FALLBACK_PYTHON = '/none'; service.connect().__enter__()"
        command = [sys.executable, "-S", "-c", code]
        done = subprocess.run(command, env={"PYTHONPATH": collections()}, capture_output=True, text=True, check=False)
        assert "HostError: podman-py cannot be imported by" in done.stderr
        assert "role podwright.pods.host" in done.stderr


class TestExec:
    def test_output_and_exit_code(self, api: Podman, container: str) -> None:
        result = api.exec(container, ["sh", "-c", "echo a; echo $WORD >&2; exit 3"], 20, env={"WORD": "b"})
        assert result == client.ExecResult(3, b"a\nb\n")

    def test_missing_command_is_a_result(self, api: Podman, container: str) -> None:
        result = api.exec(container, ["no-such-command"], 20)
        assert result.exit_code == 127
        assert b"no-such-command" in result.output

    def test_much_output_is_cut(self, api: Podman, container: str) -> None:
        result = api.exec(container, ["dd", "if=/dev/zero", "bs=64k", "count=40", "status=none"], 20)
        assert result == client.ExecResult(0, bytes(client.EXEC_OUTPUT_BYTES))

    @pytest.mark.parametrize(
        "script",
        [
            "echo start; exec sleep 611",
            "echo start; sleep 611; sleep 611",
            "echo start; while :; do usleep 1000; echo x; done",
        ],
        ids=["silent", "child", "talking"],
    )
    def test_timeout_kills_the_command_and_its_children(self, api: Podman, container: str, script: str) -> None:
        begin = time.monotonic()
        result = api.exec(container, ["sh", "-c", script], 0.6)
        assert time.monotonic() - begin < 3
        assert result.timed_out
        assert result.exit_code == 137
        assert result.output.startswith(b"start\n")
        processes = api.exec(container, ["ps"], 20).output.decode()
        assert "sleep 611" not in processes
        assert "usleep 1000" not in processes
        assert "sleep 600" in processes

    def test_a_daemon_left_by_the_command(self, api: Podman, container: str) -> None:
        result = api.exec(container, ["sh", "-c", "setsid sleep 5 & echo done"], 20)
        assert (result.exit_code, result.output) == (0, b"done\n")

    def test_a_session_that_never_began_did_not_succeed(
        self, api: Podman, container: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Podman tells exit code 0 for it, as where a connection breaks before the command began."""
        monkeypatch.setattr(client, "EXEC_GRACE_SECONDS", 0.2)
        monkeypatch.setattr(api, "_exec_output", lambda session, timeout_seconds: b"")
        with pytest.raises(PodmanError, match="never began"):
            api.exec(container, ["true"], 20)

    def test_stopped_container(self, api: Podman, container: str) -> None:
        api.post("/containers/web/kill", {"signal": "KILL"})
        api.post("/containers/web/wait")
        with pytest.raises(PodmanError, match=r"POST /containers/web/exec .*running"):
            api.exec(container, ["true"], 20)

    def test_only_the_process_of_the_session_is_killed(self) -> None:
        with subprocess.Popen(["sleep", "60"]) as process:
            assert client.kill_exec_process(process.pid, "0" * 64) is False
            assert process.poll() is None
            process.kill()


class TestStreams:
    def test_logs(self, api: Podman, container: str) -> None:
        wait_until(lambda: sorted(last_lines(api, container, 9, 999).splitlines()) == ["err", "out"])
        assert len(last_lines(api, container, 1, 999).splitlines()) == 1

    def test_pull_streams_its_error(self, api: Podman) -> None:
        objects = list(api.stream("/images/pull", {"reference": "127.0.0.1:1/none:1"}))
        assert "connection refused" in objects[-1]["error"]

    def test_a_stream_can_be_left(self, api: Podman) -> None:
        for _turn in api.stream("/images/pull", {"reference": "127.0.0.1:1/none:1"}):
            break
        assert api.get("/containers/json") == []


RUN = """\
    import sys, time
    from ansible_collections.podwright.pods.plugins.module_utils._host.podman.service import connect
    with connect() as podman:
        body = {{"name": "survivor", "image": "{image}", "command": ["sleep", "600"], "netns": {{"nsmode": "none"}}}}
        podman.post("/containers/create", body=body)
        podman.post("/containers/survivor/start")
        print(podman.socket_path, flush=True)
        {ending}
"""


class TestServiceForARun:
    """What `connect` starts where no socket listens."""

    def run(self, host: PodmanHost, ending: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(RUN).format(image=host.image, ending=ending)],
            env={**host.environment_without_service, "PYTHONPATH": collections()},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def socket_of(self, process: subprocess.Popen[str]) -> Path:
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        assert path.name == "podman.sock"
        return path

    def test_it_is_private_and_quick(self, in_host: PodmanHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CONTAINER_HOST")
        begin = time.monotonic()
        with connect() as podman:
            assert time.monotonic() - begin < 20
            directory = Path(podman.socket_path).parent
            assert directory.stat().st_mode & 0o777 == 0o700
            images = [name for image in podman.get("/images/json") for name in image["Names"]]
            assert in_host.image in images
        assert not directory.exists()

    @pytest.mark.parametrize(
        ("ending", "number", "code"),
        [
            ("pass", None, 0),
            ("raise ValueError", None, 1),
            ("time.sleep(60)", signal.SIGTERM, 143),
            ("time.sleep(60)", signal.SIGINT, -signal.SIGINT),
        ],
        ids=["end", "exception", "SIGTERM", "SIGINT"],
    )
    def test_it_ends_with_the_run_and_containers_go_on(
        self, clean_host: PodmanHost, ending: str, number: int | None, code: int
    ) -> None:
        with self.run(clean_host, ending) as process:
            path = self.socket_of(process)
            if number is not None:
                assert listens(path)
                process.send_signal(number)
            assert process.wait(60) == code
        assert not path.parent.exists()
        assert services_of(path) == []
        self.assert_survivor(clean_host)

    def test_it_does_not_outlive_a_killed_run(self, clean_host: PodmanHost) -> None:
        with self.run(clean_host, "time.sleep(60)") as process:
            path = self.socket_of(process)
            process.kill()
        wait_until(lambda: services_of(path) == [])
        self.assert_survivor(clean_host)
        with self.run(clean_host, "pass") as process:
            process.wait(60)
        assert not path.parent.exists(), "the next run removes the directory that the killed one left"

    def test_default_socket_is_not_used_with_a_store_of_ones_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(podman_service, "listens", lambda path: True)
        for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"):
            monkeypatch.delenv(name, raising=False)
        assert podman_service.listening_default_socket() is not None
        for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"):
            with monkeypatch.context() as patch:
                patch.setenv(name, "/etc/own.conf")
                assert podman_service.listening_default_socket() is None

    def test_handlers_of_the_process_are_left_alone(self, in_host: PodmanHost) -> None:
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            with connect():
                assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGTERM, before)
        with connect():
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    def test_in_a_thread(self, in_host: PodmanHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CONTAINER_HOST")
        found: list[object] = []

        def work() -> None:
            with connect() as podman:
                found.append(podman.get("/containers/json"))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert found == [[]]

    def assert_survivor(self, host: PodmanHost) -> None:
        state = host.inspect("survivor")["State"]
        assert state["Running"]
        os.kill(state["Pid"], 0)
        host.clean()


def collections() -> str:
    """The directory below which the collection can be imported."""
    return next(root for root in sys.path if root.endswith("collections"))


def services_of(path: Path) -> list[str]:
    """Processes that serve a socket."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(path).encode() in command.read_bytes():
                found.append(command.parent.name)
        except OSError:
            continue
    return found


def wait_until(condition: object, timeout_seconds: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_podman_py_is_imported_without_progress_bars() -> None:
    """rich, where the host has it, would be a quarter of the import; it stays what others can have."""
    script = f"""
import sys
from {podman_program.__name__} import import_podman_py
import_podman_py().PodmanClient
assert not [name for name in sys.modules if name.startswith("rich")]
import rich.progress
"""
    subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=True
    )
