# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to Podman: the socket that is named, the user's own one, or a service for the length of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from ..._errors import HostError, NotFound
from .. import state_files
from ..private_directory import private_directory
from .client import Podman
from .program import import_podman_py, podman_program, service_environment, user_runtime_directory

SERVICE_START_TIMEOUT_SECONDS = 20
SERVICE_STOP_TIMEOUT_SECONDS = 10
SERVICE_IDLE_SECONDS = 3600
SERVICE_PREFIX = "podwright-service-"


class EmptyHost(Podman):
    """An empty Podman, for predictions on a host that has none yet.

    ``reason`` is what the host lacks.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.api_version = ()

    def close(self) -> None:
        """Nothing was opened."""

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 60,
    ) -> Any:
        if method != "GET":
            raise HostError(self.reason)
        if path.count("/") > 2:
            raise NotFound(f"{path} is not there: {self.reason}", 404)
        return []


@contextlib.contextmanager
def connect_to_predict() -> Iterator[Podman]:
    """As `connect`, for runs in check mode: a host without Podman or podman-py counts as empty."""
    path = named_socket() or listening_default_socket()
    try:
        import_podman_py()
        if path is None:
            podman_program()
    except HostError as error:
        yield EmptyHost(str(error))
        return
    with connect(path) as podman:
        yield podman


@contextlib.contextmanager
def connect(socket_path: str | None = None) -> Iterator[Podman]:
    """Connect to Podman: the socket given, ``CONTAINER_HOST``, the user's own socket, or a service for this run.

    Within it SIGTERM ends the run as an exit does, so that temporary files and services are removed. Raises
    HostError where Podman or podman-py is missing, PodmanError with status 0 where a named socket does not answer.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(exit_on_sigterm())
        path = socket_path or named_socket() or listening_default_socket()
        if path is None:
            path = stack.enter_context(service_for_this_run())
        yield stack.enter_context(Podman(path))


def named_socket() -> str | None:
    """Return the socket that ``CONTAINER_HOST`` names, if it names one."""
    url = os.environ.get("CONTAINER_HOST", "")
    if not url:
        return None
    scheme, _separator, path = url.partition("://")
    if scheme not in ("unix", "http+unix") or not path.startswith("/"):
        raise HostError(
            f"CONTAINER_HOST is {url}: Podman must be reached by a socket of this host (unix:///run/podman/podman.sock)."
            " Other machines are reached by Ansible's inventory"
        )
    return path


def listening_default_socket() -> str | None:
    """Return the user's own socket if something listens there.

    With a configuration of its own (CONTAINERS_CONF, CONTAINERS_STORAGE_CONF) the caller means another store than the
    one behind that socket.
    """
    if os.environ.get("CONTAINERS_CONF") or os.environ.get("CONTAINERS_STORAGE_CONF"):
        return None
    path = "/run/podman/podman.sock" if os.geteuid() == 0 else f"{user_runtime_directory()}/podman/podman.sock"
    return path if listens(path) else None


def listens(path: str) -> bool:
    """Return whether a process accepts connections on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the run like an exit, unless the process handles it already or this is not its main thread."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def service_for_this_run() -> Iterator[str]:
    """Start ``podman system service`` on a private socket, yield the socket's path, and end the service."""
    with PodmanService() as service:
        yield str(service.socket_path)


class PodmanService:
    """``podman system service`` on a private socket, from entering the context to leaving it, in one thread.

    Containers started through it go on running: each is watched by a conmon of its own.
    """

    socket_path: Path

    def __init__(self) -> None:
        self._contexts = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PodmanService:
        """Raises HostError where it does not come up."""
        program, base = podman_program(), runtime_base()
        with contextlib.ExitStack() as stack:
            self._directory = stack.enter_context(private_directory(SERVICE_PREFIX, base))
            self.socket_path = self._directory / "podman.sock"
            stack.callback(self._end)
            self._start(program, base)
            self._contexts = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._contexts.close()

    def restart(self) -> None:
        """Restart the service on the same socket, even if it hangs. Raises HostError."""
        self._end()
        self.socket_path.unlink(missing_ok=True)
        self._start(podman_program(), runtime_base())

    def _start(self, program: str, base: str) -> None:
        log_path = self._directory / "log"
        log_path.unlink(missing_ok=True)
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(
                service_command(program, self.socket_path),
                # Containers' monitors inherit it and outlive the service; on cgroup v1 they leave a file "oom" in it.
                cwd=base,
                env=service_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # It takes as long as the service needs to start.
        import_podman_py()
        await_service(self._process, self.socket_path, log_path)

    def trim_log(self) -> None:
        """Empty its log once it is long: it is in memory, and nobody reads it after the start."""
        state_files.trim_log(self._directory / "log")

    def _end(self) -> None:
        if self._process is not None:
            end_process(self._process)


def service_command(program: str, path: Path) -> list[str]:
    """Return the command of a service that ends when the thread that started it is gone, even by SIGKILL."""
    setpriv = shutil.which("setpriv")
    idle_seconds = 0 if setpriv else SERVICE_IDLE_SECONDS
    bound = [setpriv, "--pdeathsig", "TERM"] if setpriv else []
    return [*bound, program, "system", "service", f"--time={idle_seconds}", f"unix://{path}"]


def runtime_base() -> str:
    """Return a directory for sockets: short (their paths end at 107 bytes) and emptied at boot, where there is one."""
    base = "/run" if os.geteuid() == 0 else user_runtime_directory()
    return base if os.access(base, os.W_OK) else tempfile.gettempdir()


def await_service(process: subprocess.Popen[bytes], path: Path, log_path: Path) -> None:
    deadline = time.monotonic() + SERVICE_START_TIMEOUT_SECONDS
    while not listens(str(path)):
        if process.poll() is not None or time.monotonic() > deadline:
            words = log_path.read_text(errors="replace").strip()[-2000:] or "it said nothing"
            raise HostError(f"podman system service did not start: {words}")
        time.sleep(0.005)


def end_process(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(SERVICE_STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
