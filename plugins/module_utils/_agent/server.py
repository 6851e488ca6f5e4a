# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's API: HTTP with JSON on a Unix socket that only its owner may open.

| call | what it does |
|---|---|
| ``GET /v1/health`` | how the agent is |
| ``POST /v1/run`` | a run of a module: ``{"run": "run_stack", "options": {...}, "check": false, "diff": false}`` |
| ``GET /v1/pods``, ``/v1/pods/NAME`` | as `pod_info` tells them; all with ``kept=1`` as they were seen last |
| ``GET /v1/workloads`` | as `stack_info` tells them, of all stacks; with ``brief=1`` without what brought a revision |
| ``GET /v1/events`` | a JSON object on each line; ``pod``, ``since`` (a number), ``follow=1`` |
| ``GET /v1/pods/NAME/CONTAINER/logs`` | text; ``tail``, ``previous=1``, ``follow=1`` |
| ``POST /v1/pods/NAME/CONTAINER/exec`` | ``{"command": [...], "timeout_seconds": 60}`` |
| ``GET /v1/pods/NAME/CONTAINER/exec`` | for ``podman exec``: the container's name, and the words before a command |
| ``GET /v1/metrics`` | for Prometheus, where prometheus_client is installed |

A run may also hold ``"release": {"version": "0.1.0", "code": DIGEST}`` of whoever asks, and modules always say it: what
comes from another major or minor version is refused (409), for its options may mean something else there.

A refusal is ``{"message": ..., "details": {...}, "secrets": [...]}``. What is malformed, too large or too
slow is refused and hurts nobody else. 503 says that as many of the kind are being answered as can be, 507 that a disk
is full, 500 a mistake of ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import socketserver
import struct
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from .._delivery.release import Release
from .._errors import HostError, NotFound, PodwrightError, details_of, is_out_of_space
from . import client as agent_client
from .answers import Answers, Asked, BadRequest, find

if TYPE_CHECKING:
    from .agent import Agent

REQUEST_BYTES = 64 << 20
"""The largest request: a stack with its files."""
READ_SECONDS = 30
"""How long a request may take to arrive, and a piece of an answer to be taken."""
CONNECTIONS = 128
"""How many are answered at a time. One more takes the place of the one that is slowest to ask, if there is any."""
LASTING: Mapping[str, int] = {"follow": 32, "run": 64, "exec": 16}
"""How many of those are answered at a time that can take long. There are always places left for what is short."""
PROMPT_SECONDS = 0.1
"""A request that is younger than this keeps its place."""


_BUSY = json.dumps({"message": "the agent has as many requests to answer as it can; try again later"}).encode()


class AgentServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Listens once it is made; `serve` answers until `close`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = CONNECTIONS

    def __init__(self, path: Path, agent: Agent) -> None:
        self.agent = agent
        self._path = path
        self._has_served = False
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        self._lasting = {kind: threading.BoundedSemaphore(number) for kind, number in LASTING.items()}
        # When each connection began whose request has not arrived in full; the oldest first.
        self._arriving: dict[socket.socket, float] = {}
        self._arriving_lock = threading.Lock()
        path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            super().__init__(str(path), _Handler)
        finally:
            os.umask(mask)

    def serve(self) -> None:
        """Answer until `close`, or until an error; after an error it may be called again."""
        self._has_served = True
        self.serve_forever(poll_interval=0.5)

    def close(self) -> None:
        # shutdown() would wait for ever if `serve` has never run.
        if self._has_served:
            self.shutdown()
        self.server_close()
        self._path.unlink(missing_ok=True)

    def get_request(self) -> Any:
        """A connection. If this process has no descriptor left, it stays in the queue, and the server pauses."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(PROMPT_SECONDS)
            raise

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether root or the agent's own user asks; the socket's mode alone does not decide."""
        credentials = request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _pid, user, _group = struct.unpack("3i", credentials)
        return user in (0, os.geteuid())

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._has_room():
            with contextlib.suppress(OSError):
                request.sendall(b"HTTP/1.0 503 Busy\r\nContent-Length: %d\r\n\r\n%s" % (len(_BUSY), _BUSY))
            self.shutdown_request(request)
            return
        with self._arriving_lock:
            self._arriving[request] = time.monotonic()
        try:
            super().process_request(request, client_address)
        except RuntimeError:
            # The system has no thread left, so no thread will give its place back.
            self._leave(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._leave(request)

    @contextlib.contextmanager
    def place(self, kind: str) -> Iterator[None]:
        """Take one of the places for requests that can last. Raises BadRequest if all are taken."""
        places = self._lasting.get(kind)
        if places is None:
            yield
            return
        if not places.acquire(blocking=False):
            raise BadRequest(f"{LASTING[kind]} requests of this kind ({kind}) are being answered; try again later", 503)
        try:
            yield
        finally:
            places.release()

    def _leave(self, request: socket.socket) -> None:
        self.has_arrived(request)
        self._free.release()

    def has_arrived(self, request: socket.socket) -> None:
        """The request is complete: from now on the connection may last as long as its answer."""
        with self._arriving_lock:
            self._arriving.pop(request, None)

    def service_actions(self) -> None:
        """Cut off requests that take too long; the loop of `serve` calls this all the time."""
        while self._cut_off_slowest(READ_SECONDS):
            pass

    def _has_room(self) -> bool:
        """Take a place for a connection; if all are taken, that of the slowest request."""
        while not self._free.acquire(blocking=False):
            if not self._arriving:
                return False
            if self._cut_off_slowest(PROMPT_SECONDS):
                return self._free.acquire(timeout=1)
            time.sleep(PROMPT_SECONDS / 10)
        return True

    def _cut_off_slowest(self, minimum_seconds: float) -> bool:
        """End the connection whose request is the slowest to arrive, if it is too slow; returns whether it did."""
        with self._arriving_lock:
            slowest, since = next(iter(self._arriving.items()), (None, 0.0))
            if slowest is None or time.monotonic() - since < minimum_seconds:
                return False
            del self._arriving[slowest]
        with contextlib.suppress(OSError):
            # Its thread, which waits for more, sees the end and closes it.
            slowest.shutdown(socket.SHUT_RDWR)
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: AgentServer
    timeout = READ_SECONDS
    server_version = "podwrightd"

    def address_string(self) -> str:
        return "local"

    def log_message(self, *args: Any) -> None:
        """Requests are not logged: their paths and bodies are the user's."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        try:
            url = _url(self.path)
            parts = [unquote(part) for part in url.path.split("/") if part]
            if not parts or parts[0] != f"v{agent_client.API_VERSION}":
                known = f"version {agent_client.API_VERSION} of this API, that of podwright.pods {Release().version}"
                raise BadRequest(f"{url.path} is not part of {known}", 404)
            parameters = {name: values[-1] for name, values in parse_qs(url.query).items()}
            body = self._body() if method == "POST" else None
            self.server.has_arrived(self.request)
            route, names = find(method, parts[1:])
            asked = Asked(names.get("pod", ""), names.get("container", ""), parameters, body or {}, self.connection)
            with self.server.place(route.kind(parameters)):
                found = route.answer(Answers(self.server.agent), asked)
                if isinstance(found, Iterator):
                    self._send_lines(found)
                else:
                    self._send_found(found)
        except BadRequest as error:
            self._refuse(error.status, error)
        except RecursionError:
            self._refuse(400, BadRequest("the request is nested too deeply"))
        except NotFound as error:
            self._refuse(404, error)
        except PodwrightError as error:
            self._refuse(507 if is_out_of_space(error) else 422, error)
        except OSError as error:
            # An error of this host, or of the connection, which then carries no answer.
            with contextlib.suppress(OSError):
                self._refuse(507 if is_out_of_space(error) else 500, HostError(str(error)))
        except Exception as error:
            # A mistake of ours: the client gets it, as a module without an agent shows its traceback.
            traceback.print_exc()
            self._refuse(500, PodwrightError(f"{type(error).__name__}: {error}"))

    def _body(self) -> Mapping[str, Any]:
        try:
            length = int(self.headers.get("Content-Length") or "")
        except ValueError:
            raise BadRequest("a request needs a Content-Length", 411) from None
        if not 0 <= length <= REQUEST_BYTES:
            raise BadRequest(f"a request holds at most {REQUEST_BYTES} bytes", 413)
        content = self.rfile.read(length)
        if len(content) < length:
            raise BadRequest(f"the request ends before its {length} bytes are there")
        try:
            body = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"the request is not JSON: {error}") from None
        if not isinstance(body, dict):
            raise BadRequest("the request is not a JSON object")
        return body

    def _send_found(self, found: Any) -> None:
        content, kind = found if isinstance(found, tuple) else (json.dumps(found).encode(), "application/json")
        self._send(200, content, kind)

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status: int, error: PodwrightError) -> None:
        told = {"message": str(error), "details": details_of(error), "secrets": list(getattr(error, "secrets", ()))}
        self._send(status, json.dumps(told).encode(), "application/json")

    def _send_lines(self, lines: Iterator[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        # The answer has begun, so an error has no place in it any more.
        with contextlib.suppress(OSError, PodwrightError):
            for line in lines:
                self.wfile.write(line)
                self.wfile.flush()


def _url(path: str) -> SplitResult:
    try:
        return urlsplit(path)
    except ValueError as error:
        raise BadRequest(f"the path cannot be read: {error}") from None
