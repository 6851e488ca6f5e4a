# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client: podman-py for transport and connection; request bodies are written by the callers.

Paths are those of the libpod REST API without its prefix (``/containers/json``). `service` finds the socket.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NoReturn
from urllib.parse import urlencode

from ..._errors import NameInUse, NotFound, PodmanError
from .program import import_podman_py, podman_program

CONNECT_TIMEOUT_SECONDS = 5
EXEC_GRACE_SECONDS = 5
EXEC_OUTPUT_BYTES = 1 << 20
PIECE_BYTES = 64 << 10
"""How much of what a container wrote is taken at a time, whatever length it is told to have."""

# Podman 4.3 answers most of these with 500; the root cause's wording is the same in every version since.
CAUSES: tuple[tuple[type[PodmanError], tuple[str, ...]], ...] = (
    (
        NameInUse,
        (
            "that name is already in use",
            "container already exists",
            "pod already exists",
            "volume already exists",
            "network already exists",
            "secret name in use",
        ),
    ),
    (
        NotFound,
        (
            "no such container",
            "no such pod",
            "no such volume",
            "no such image",
            "no such secret",
            "no such network",
            "no such exec session",
            "image not known",
            "network not found",
        ),
    ),
)


@dataclass(frozen=True)
class ExecResult:
    """The end of a command run in a container; ``output`` is standard output and error as they came."""

    exit_code: int
    output: bytes
    timed_out: bool = False


class Podman:
    """One session with a Podman service; for one thread (``clone`` gives another thread its own)."""

    def __init__(self, socket_path: str, api_version: tuple[int, ...] = ()) -> None:
        """Raise PodmanError with status 0 when nothing answers at the socket."""
        podman_py = import_podman_py()
        self.socket_path = socket_path
        # The prefix of the URL decides the shape of answers; the service's own version gives its native one.
        version = ".".join(map(str, api_version)) if api_version else "4.0.0"
        self._version = version
        self._client = podman_py.PodmanClient(base_url=f"unix://{socket_path}", version=version)
        self._session = self._client.api
        # A socket of this host has no proxy and no password in ~/.netrc, where requests would look at every call.
        self._session.trust_env = False
        self._transport_errors = (OSError, importlib.import_module("urllib3").exceptions.HTTPError)
        self.api_version = api_version or self._read_api_version()

    def __enter__(self) -> Podman:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def clone(self) -> Podman:
        """Return a session of its own with the same service, for another thread; the caller closes it."""
        return Podman(self.socket_path, self.api_version)

    def get(self, path: str, params: Mapping[str, Any] | None = None, timeout_seconds: float = 60) -> Any:
        """Return the decoded answer of a GET."""
        return self._call("GET", path, params, timeout_seconds=timeout_seconds)

    def post(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        timeout_seconds: float = 60,
    ) -> Any:
        """Send ``body`` as JSON and return the decoded answer; None when it is empty or it was so already (304)."""
        data = None if body is None else json.dumps(body)
        return self._call("POST", path, params, data, {"Content-Type": "application/json"}, timeout_seconds)

    def delete(self, path: str, params: Mapping[str, Any] | None = None, timeout_seconds: float = 60) -> Any:
        """Return the decoded answer of a DELETE; what is already gone is NotFound."""
        return self._call("DELETE", path, params, timeout_seconds=timeout_seconds)

    def upload(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        stream: bytes | IO[bytes] | Iterator[bytes],
        timeout_seconds: float = 600,
    ) -> Any:
        """POST raw bytes (an archive, the value of a secret) and return the decoded answer."""
        return self._call("POST", path, params, stream, {"Content-Type": "application/octet-stream"}, timeout_seconds)

    def stream(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        upload: bytes | IO[bytes] | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        timeout_seconds: float = 600,
    ) -> Iterator[Any]:
        """Yield the JSON objects of an answer as they come (pull, build, events).

        An error inside the stream is an object like the others: Podman has already answered 200. ``timeout_seconds``
        is the longest silence borne.
        """
        response = self._request(method, path, params, upload, headers, timeout_seconds, stream=True)
        with contextlib.closing(response):
            try:
                for line in response.iter_lines():
                    if line:
                        yield json.loads(line)
            except self._transport_errors as error:
                self._raise_no_answer(f"{method} {path}", error)

    def exec(
        self,
        container: str,
        command: Sequence[str],
        timeout_seconds: float,
        env: Mapping[str, str] | None = None,
    ) -> ExecResult:
        """Run a command in a running container and wait for its end, ``timeout_seconds`` at most.

        At the timeout the process and its group are killed. A command that cannot be found is an ordinary result
        (126 or 127, Podman's words in ``output``). Output beyond 1 MiB is dropped.
        """
        body = {
            "AttachStdout": True,
            "AttachStderr": True,
            "Cmd": list(command),
            "Env": [f"{name}={value}" for name, value in (env or {}).items()],
        }
        session = str(self.post(f"/containers/{container}/exec", body=body)["Id"])
        watchdog = ExecWatchdog(self, session, timeout_seconds)
        with watchdog:
            output = self._exec_output(session, timeout_seconds + EXEC_GRACE_SECONDS)
        if watchdog.killed:
            return ExecResult(128 + signal.SIGKILL, output, timed_out=True)
        return ExecResult(self._exec_exit_code(session), output)

    def log_stream(
        self,
        container: str,
        tail: int,
        follow: bool,
        reader: socket.socket | None = None,
        timeout_seconds: float | None = None,
    ) -> Generator[bytes, None, None]:
        """Yield a container's log as the service tells it, piece by piece; with ``follow`` until it ends.

        The service takes up as much memory as a line is long: where the log is in a file, `container_output` reads
        it. Podman says nothing at all before a container does. So that nobody waits for a silent one in vain, it is
        over as well once the other end of ``reader`` is closed. ``timeout_seconds`` is the longest silence borne.
        """
        params = {"stdout": True, "stderr": True, "tail": tail, "follow": follow}
        path = f"/containers/{container}/logs"
        # Only here: requests shows nobody the socket of a call that has not been answered.
        connection = http.client.HTTPConnection("podman")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(timeout_seconds)
        try:
            connection.sock.connect(self.socket_path)
            with _ended_with(reader, connection.sock):
                connection.request("GET", f"/v{self._version}/libpod{path}?{urlencode(encode_params(params))}")
                response = connection.getresponse()
                if response.status >= 400:
                    raise_refusal(f"GET {path}", response.status, response.read(PIECE_BYTES))
                yield from read_frames(response)
        except (OSError, http.client.HTTPException) as error:
            self._raise_no_answer(f"GET {path}", error)
        finally:
            connection.close()

    def _read_api_version(self) -> tuple[int, ...]:
        # Never /version: it gathers the whole of `podman info`, half a second on a busy host.
        with contextlib.closing(self._request("GET", "/_ping", None, None, None, CONNECT_TIMEOUT_SECONDS)) as response:
            numbers = re.findall(r"\d+", response.headers.get("Libpod-API-Version", ""))
        if len(numbers) < 2:
            raise PodmanError(f"{self.socket_path} is not a Podman service's socket: it names no libpod API version")
        return tuple(int(number) for number in numbers[:3])

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 60,
    ) -> Any:
        response = self._request(method, path, params, data, headers, timeout_seconds)
        return decode(response.content)

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        data: Any,
        headers: Mapping[str, str] | None,
        timeout_seconds: float,
        stream: bool = False,
    ) -> Any:
        arguments: dict[str, Any] = {
            "params": encode_params(params),
            "headers": dict(headers or {}),
            "timeout": (CONNECT_TIMEOUT_SECONDS, timeout_seconds),
            "stream": stream,
        }
        if method == "POST":
            arguments["data"] = data
        try:
            response = getattr(self._session, method.lower())(path, **arguments)
            if response.status_code >= 400:
                raise_refusal(f"{method} {path}", response.status_code, response.content)
        except self._transport_errors as error:
            self._raise_no_answer(f"{method} {path}", error)
        return response

    def _raise_no_answer(self, call: str, error: BaseException) -> NoReturn:
        cause = root_cause(error)
        raise PodmanError(f"Podman did not answer {call} at {self.socket_path}: {cause}", 0, cause) from error

    def _exec_output(self, session: str, timeout_seconds: float) -> bytes:
        path = f"/exec/{session}/start"
        body = json.dumps({"Detach": False})
        headers = {"Content-Type": "application/json"}
        response = self._request("POST", path, None, body, headers, timeout_seconds, stream=True)
        with contextlib.closing(response):
            return self._read_frames(response, f"POST {path}", timeout_seconds)

    def _read_frames(self, response: Any, call: str, timeout_seconds: float) -> bytes:
        """The beginning of what a multiplexed stream holds, read to its end."""
        deadline = time.monotonic() + timeout_seconds
        kept = bytearray()
        try:
            for piece in read_frames(response.raw):
                kept += piece[: EXEC_OUTPUT_BYTES - len(kept)]
                if time.monotonic() >= deadline:
                    break
        except self._transport_errors as error:
            # A process that outlived the killed command still has its output open.
            if time.monotonic() < deadline:
                self._raise_no_answer(call, error)
        return bytes(kept)

    def _exec_exit_code(self, session: str) -> int:
        """Return the exit code of an exec session whose output has ended; the state follows within milliseconds.

        One that never began tells exit code 0, too: only one that can be removed has ended.
        """
        deadline = time.monotonic() + EXEC_GRACE_SECONDS
        while True:
            state = self.get(f"/exec/{session}/json")
            if state["CanRemove"]:
                return int(state["ExitCode"])
            if time.monotonic() > deadline:
                what = "has not ended: it may run on" if state["Running"] else "never began"
                raise PodmanError(f"exec session {session} closed its output and {what}")
            time.sleep(0.01)


def read_frames(stream: Any) -> Iterator[bytes]:
    """Yield the payloads of a multiplexed stream in pieces: 1 byte stream, 3 bytes 0, 4 bytes length, the payload."""
    while len(header := stream.read(8)) == 8:
        left = struct.unpack(">I", header[4:])[0]
        while left and (piece := stream.read(min(left, PIECE_BYTES))):
            left -= len(piece)
            yield piece


@contextlib.contextmanager
def _ended_with(reader: socket.socket | None, connection: socket.socket) -> Iterator[None]:
    """Within it, shut a connection down once the other end of ``reader`` is closed."""
    is_over = threading.Event()

    def watch() -> None:
        hangups = select.poll()
        hangups.register(connection if reader is None else reader, 0)
        while not hangups.poll(500):
            if is_over.is_set():
                return
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    watcher = threading.Thread(target=watch, daemon=True)
    if reader is not None:
        watcher.start()
    try:
        yield
    finally:
        is_over.set()


class ExecWatchdog:
    """Kills the process of an exec session once its time is over; ``killed`` tells whether it had to."""

    def __init__(self, podman: Podman, session: str, timeout_seconds: float) -> None:
        self.killed = False
        self._podman = podman
        self._session = session
        self._timeout_seconds = timeout_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> ExecWatchdog:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        if self._ended.wait(self._timeout_seconds):
            return
        with contextlib.suppress(PodmanError), self._podman.clone() as podman:
            while not self._ended.is_set():
                state = podman.get(f"/exec/{self._session}/json")
                if state["Running"] and state["Pid"] and kill_exec_process(int(state["Pid"]), self._session):
                    self.killed = True
                self._ended.wait(0.05)


def kill_exec_process(pid: int, session: str) -> bool:
    """Kill a process and its group if it really is that of the exec session; return whether it was."""
    if session.encode() not in parent_command_line(pid):
        return False
    target = f"-{pid}" if os.getpgid(pid) == pid else str(pid)
    try:
        os.kill(int(target), signal.SIGKILL)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Rootless: the process runs as one of the user's subordinate ids, which only its user namespace may signal.
        subprocess.run([podman_program(), "unshare", "kill", "-KILL", "--", target], check=False, capture_output=True)
    return True


def parent_command_line(pid: int) -> bytes:
    """Return the command line of a process's parent; for an exec session that is conmon, which names the session."""
    try:
        # A container names its processes freely, text or not.
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        parent = int(stat.rpartition(b")")[2].split()[1])
        return Path(f"/proc/{parent}/cmdline").read_bytes()
    except (OSError, IndexError):
        return b""


def encode_params(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Write query parameters the way libpod reads them: true/false in lower case, filters and lists as JSON."""
    encoded: dict[str, Any] = {}
    for name, value in (params or {}).items():
        if value is None:
            continue
        if isinstance(value, bool):
            encoded[name] = "true" if value else "false"
        elif isinstance(value, Mapping):
            encoded[name] = json.dumps(value)
        else:
            encoded[name] = value
    return encoded


def decode(content: bytes) -> Any:
    """Decode an answer: JSON, or the text itself where Podman answers in plain words."""
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def raise_refusal(call: str, status: int, content: bytes) -> NoReturn:
    """Turn a refusal into the error that its status and cause stand for."""
    answer = decode(content)
    fields = answer if isinstance(answer, dict) else {"message": str(answer or "no reason given")}
    cause = str(fields.get("cause") or fields.get("message") or "")
    message = str(fields.get("message") or cause)
    text = message if cause in message else f"{message}: {cause}"
    raise error_class(status, cause)(f"Podman refused {call} ({status}): {text}", status, cause)


def error_class(status: int, cause: str) -> type[PodmanError]:
    for kind, phrases in CAUSES:
        if any(phrase in cause for phrase in phrases):
            return kind
    return NotFound if status == 404 else PodmanError


def root_cause(error: BaseException) -> str:
    """Return the innermost reason of a failed connection, without the layers of the HTTP libraries."""
    while True:
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
