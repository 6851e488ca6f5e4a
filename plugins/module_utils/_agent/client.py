# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks to the agent of this host by its socket, where there is one: HTTP with JSON, as `server` answers it.

It imports little on purpose: a module that hands its work over needs neither podman-py nor the engine.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote, urlencode

from .._delivery import host_code
from .._delivery.release import Release
from .._errors import Fault, HostError, PodwrightError
from .._host.state_directory import default_directory
from .._runs import kinds

API_VERSION = 1
_PIECE_BYTES = 64 << 10
CONNECT_SECONDS = 5
"""How long the agent may take to accept a connection, and to say how it is."""


class RemoteFailure(PodwrightError):
    """A failure in the agent, with the details of its error there. ``secrets`` must be shown nowhere."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        details = dict(told.get("details") or {})
        self.faults = [Fault(fault["path"], fault["reason"]) for fault in details.pop("faults", ())]
        vars(self).update(details)
        self.secrets = tuple(told.get("secrets") or ())
        super().__init__(str(told.get("message") or "the agent failed"))


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_seconds: float | None) -> None:
        super().__init__("localhost")
        self._path = path
        self._timeout_seconds = timeout_seconds

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(CONNECT_SECONDS)
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                self.sock.connect(str(self._path))
                break
            except BlockingIOError:
                # As many as may are waiting to be accepted; a Unix socket lets none wait for its turn to wait.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.sock.settimeout(self._timeout_seconds)


class AgentClient:
    """One agent. Every call raises HostError where it does not answer, RemoteFailure where it refuses."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or socket_path(default_directory())

    def get(self, path: str, timeout_seconds: float | None = 60, **parameters: Any) -> Any:
        return self._call("GET", path, None, timeout_seconds, parameters)

    def post(self, path: str, body: Any, timeout_seconds: float | None = None) -> Any:
        """``timeout_seconds`` None waits for as long as it takes: a run knows its own limits."""
        return self._call("POST", path, body, timeout_seconds, {})

    def run(
        self, kind: str, options: Mapping[str, Any], is_check: bool = False, is_diff: bool = False
    ) -> dict[str, Any]:
        """A run of a module. An agent whose release does not understand these options refuses it."""
        release = asdict(Release(code=host_code.running()))
        body = {"run": kind, "options": options, "check": is_check, "diff": is_diff, "release": release}
        result: dict[str, Any] = self.post("/run", body)
        return result

    def stream(self, path: str, **parameters: Any) -> Iterator[bytes]:
        """The lines of an answer as they come. An empty line says that the agent is still there."""
        response = self._ask("GET", path, None, None, parameters)
        with response:
            yield from response

    def pieces(self, path: str, **parameters: Any) -> Iterator[bytes]:
        """The bytes of an answer as they come, however long its lines are."""
        with self._ask("GET", path, None, None, parameters) as response:
            while piece := response.read1(_PIECE_BYTES):
                yield piece

    def _call(
        self, method: str, path: str, body: Any, timeout_seconds: float | None, parameters: Mapping[str, Any]
    ) -> Any:
        with self._ask(method, path, body, timeout_seconds, parameters) as response:
            try:
                return json.loads(response.read() or b"null")
            except (OSError, http.client.HTTPException) as error:
                raise self._silence(error) from error
            except ValueError as error:
                raise HostError(f"the agent at {self.path} does not answer in JSON: {error}") from error

    def _ask(
        self, method: str, path: str, body: Any, timeout_seconds: float | None, parameters: Mapping[str, Any]
    ) -> http.client.HTTPResponse:
        given = {
            name: value
            for name, value in parameters.items()
            if value is not None and value is not False and value != ""
        }
        target = f"/v{API_VERSION}{quote(path)}" + (f"?{urlencode(given)}" if given else "")
        data = None if body is None else json.dumps(body).encode()
        connection = _Connection(self.path, timeout_seconds)
        try:
            # The agent stops reading what it refuses. Its answer says why.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, data, {"Content-Type": "application/json"} if data else {})
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._silence(error) from error
        if response.status >= 400:
            with response:
                raise RemoteFailure(_told(response.read()))
        return response

    def _silence(self, error: Exception) -> HostError:
        return HostError(f"the agent at {self.path} does not answer: {error}")


def socket_path(directory: Path) -> Path:
    """Where the agent of a state directory listens."""
    return directory / "agent.sock"


def is_there() -> bool:
    """Whether an agent listens for this user on this host."""
    path = socket_path(default_directory())
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONNECT_SECONDS)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            # A busy agent counts as there: else two writers would change the same pods.
            return True
        except OSError:
            return False
    return True


def through(kind: str) -> Callable[[dict[str, Any], bool, bool], dict[str, Any]]:
    """A handler for `module.run_module`: the agent's work where one is there, else done in this process.

    A run that may change something keeps the collection's code on the host for the next one.
    """

    def handle(options: dict[str, Any], is_check: bool, is_diff: bool) -> dict[str, Any]:
        by_whom = AgentClient().run if is_there() else kinds.run
        result = by_whom(kind, options, is_check, is_diff)
        if not is_check and not kinds.KINDS[kind].only_reads:
            host_code.keep()
        return result

    return handle


def _told(content: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(content)
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {"message": content.decode(errors="replace")[:500]}
