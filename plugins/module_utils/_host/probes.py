# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes: one attempt of exec, httpGet, tcpSocket or grpc on a container; `probe_worker` decides when.

Connections are made from within the pod's network namespace; names are looked up by the host, as the kubelet does.
Hooks share these handlers. Source: Kubernetes 1.32 (``pkg/probe``, kubelet ``prober`` and ``lifecycle``).
"""

from __future__ import annotations

import errno
import http.client
import importlib
import importlib.util
import io
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from .._declaration import spec
from .._errors import HostError, PodwrightError
from .._printable import printable
from .kernel.netns import open_socket
from .podman.client import Podman

Purpose = Literal["probe", "lifecycle"]
"""What a handler runs for; servers see it in the User-Agent, as ``kube-probe/1.32``."""

KUBERNETES_VERSION = "1.32"
OUTPUT_LIMIT_BYTES = 1024
MESSAGE_LIMIT = 2048
"""In characters, of what a server or a command has said."""
BODY_LIMIT_BYTES = 10 * 1024
REQUEST_LIMIT = 10
DEFAULT_PORTS = {"http": 80, "https": 443}
REDIRECTS = (301, 302, 303, 307, 308)
INTERIM = range(102, 200)
"""Statuses before the final answer's; http.client itself passes over 100 only, and 101 would be the final one."""

# Go's HTTP client, which the kubelet uses, writes these itself and drops what a request brings along.
OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "trailer", "connection"})
PATH_CHARACTERS = "/%:@!$&'()*+,;=~"
QUERY_CHARACTERS = PATH_CHARACTERS + "?[]"
DNS_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)

GRPC_METHOD = "/grpc.health.v1.Health/Check"
GRPC_UNIMPLEMENTED = 12
SERVING_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended, and why in one line.

    Unknown: it could not be made, an error of ours that says nothing of the container. Warning counts as success and
    deserves an event.
    """

    result: Literal["Success", "Failure", "Unknown", "Warning"]
    message: str

    @property
    def passed(self) -> bool:
        return self.result in ("Success", "Warning")


@dataclass(frozen=True)
class Target:
    """The container that a handler is for. ``network_pid`` is a process in the pod's network, None for the host's own.

    ``ports`` are the container's ports by name; ``exec_prefix`` are words that go before an exec command.
    """

    container_id: str
    pod_ip: str
    network_pid: int | None
    ports: Mapping[str, int]
    exec_prefix: tuple[str, ...] = ()


class Deadline:
    """The moment by which a whole attempt, not each step of it, has to be over."""

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self._ends_at_seconds = time.monotonic() + timeout_seconds

    def remaining_seconds(self) -> float:
        """Return what is left; raise socket.timeout when nothing is."""
        left = self._ends_at_seconds - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left


@dataclass(frozen=True)
class Attempt:
    """One run of a handler."""

    purpose: Purpose
    target: Target
    podman: Podman
    deadline: Deadline

    @property
    def user_agent(self) -> str:
        return f"kube-{self.purpose}/{KUBERNETES_VERSION}"


def check(probe: spec.Handler, timeout_seconds: float, target: Target, podman: Podman) -> Outcome:
    """Make one attempt, over within ``timeout_seconds`` from connecting to the last byte; nothing is raised.

    A timeout is a Failure. So is, unlike in the kubelet, an httpGet answer whose body stalls or breaks off: there such
    a result is dropped. ``podman`` must be this thread's own.
    """
    return perform(probe, "probe", timeout_seconds, target, podman)


def perform(handler: spec.Handler, purpose: Purpose, timeout_seconds: float, target: Target, podman: Podman) -> Outcome:
    """Run a handler's exec, httpGet, tcpSocket or grpc once. An errors.PodwrightError becomes Unknown."""
    outcome = attempt_once(handler, Attempt(purpose, target, podman, Deadline(timeout_seconds)))
    # Much of it is what the container said.
    return Outcome(outcome.result, printable(outcome.message, MESSAGE_LIMIT))


def attempt_once(handler: spec.Handler, attempt: Attempt) -> Outcome:
    try:
        if handler.exec is not None:
            return run_command(handler.exec, attempt)
        for name, act in NETWORK_ACTIONS.items():
            action = getattr(handler, name)
            if action is not None:
                return reach(act, action, attempt)
    except (PodwrightError, RuntimeError) as error:  # RuntimeError: no thread can be started
        return Outcome("Unknown", f"{handler.kind}: {error}")
    return Outcome("Unknown", f"{handler.kind} is not for a {attempt.purpose} handler")


# -- exec -------------------------------------------------------------------------------------------------------------


def run_command(action: spec.ExecAction, attempt: Attempt) -> Outcome:
    timeout_seconds = attempt.deadline.timeout_seconds
    command = [*attempt.target.exec_prefix, *action.command]
    done = attempt.podman.exec(attempt.target.container_id, command, timeout_seconds)
    # The command itself is not shown: $(VAR) in it may have become a password.
    output = done.output[-OUTPUT_LIMIT_BYTES:].decode(errors="replace").strip()
    if done.timed_out:
        return Outcome("Failure", f"exec: timed out after {timeout_seconds:g} s and was killed: {output}".rstrip(": "))
    if done.exit_code != 0:
        return Outcome("Failure", f"exec: exit code {done.exit_code}: {output}".rstrip(": "))
    return Outcome("Success", output)


# -- Connections ------------------------------------------------------------------------------------------------------


class Stream(io.RawIOBase):
    """A connection whose every operation ends by one deadline; as much of a socket as http.client asks for."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline

    def connect(self, address: Any, timeout_seconds: float) -> Stream:
        """Connect and return this stream, closed where that fails."""
        try:
            self._connection.settimeout(timeout_seconds)
            self._connection.connect(address)
            # A client on the server's own host may get the very port it asks for, and then reaches itself.
            if self._connection.getsockname() == self._connection.getpeername():
                raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        except OSError:
            self.close()
            raise
        return self

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._deadline.remaining_seconds())
        return self._connection.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(self._deadline.remaining_seconds())
        self._connection.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def start_tls(self, server_name: str | None) -> None:
        """Speak TLS from here on, to whoever it is: a probe asks whether a server answers, not who it is."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._connection.settimeout(self._deadline.remaining_seconds())
        self._connection = context.wrap_socket(self._connection, server_hostname=server_name)

    def close(self) -> None:
        self._connection.close()
        super().close()


def locate(action: Any, target: Target) -> SplitResult:
    """Return where a network action goes, as a URL; HostError where the pod has no such address or port."""
    host = getattr(action, "host", None) or target.pod_ip
    if not host:
        raise HostError("the pod has no IP address: look at its networks with podman pod inspect")
    port = target.ports.get(action.port) if isinstance(action.port, str) else action.port
    if port is None:
        raise HostError(f"the container has no port named {action.port}: name one of {sorted(target.ports)}")
    netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not isinstance(action, spec.HttpGetAction):
        return SplitResult("tcp" if isinstance(action, spec.TcpSocketAction) else "grpc", netloc, "", "", "")
    path, _separator, query = action.path.partition("#")[0].partition("?")
    return SplitResult(action.scheme.lower(), netloc, path if path.startswith("/") else f"/{path}", query, "")


def show(url: SplitResult) -> str:
    """Return a URL for messages: its query and user may hold a secret."""
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


def reach(act: Callable[[Any, SplitResult, Attempt], Outcome], action: Any, attempt: Attempt) -> Outcome:
    """Run a network action; what goes wrong on the way to an answer is a Failure."""
    url = locate(action, attempt.target)
    try:
        return act(action, url, attempt)
    except socket.timeout:
        return Outcome("Failure", f"{show(url)}: timed out after {attempt.deadline.timeout_seconds:g} s")
    except OSError as error:
        return Outcome("Failure", f"{show(url)}: {error.strerror or error}")
    except (http.client.HTTPException, ValueError) as error:
        return Outcome("Failure", f"{show(url)}: no proper answer: {type(error).__name__}: {error}")


def connect(url: SplitResult, attempt: Attempt) -> Stream:
    """Connect to the host and port of a URL, trying its addresses in turn, each with a fair part of the time left."""
    port = url.port or DEFAULT_PORTS[url.scheme]
    addresses = resolve(url.hostname or "", port, attempt.deadline)
    failure: Exception | None = None
    for untried, (family, address) in zip(range(len(addresses), 0, -1), addresses):
        share_seconds = attempt.deadline.remaining_seconds() / untried
        try:
            connection = open_socket(attempt.target.network_pid, family, socket.SOCK_STREAM)
            return Stream(connection, attempt.deadline).connect(address, share_seconds)
        except (OSError, HostError) as error:
            failure = failure or error
    raise failure or OSError("the host name has no address")


def resolve(host: str, port: int, deadline: Deadline) -> Sequence[tuple[int, Any]]:
    """Return the addresses of a host as (family, address)."""
    try:
        return look_up(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    found: list[tuple[int, Any]] = []
    failures: list[Exception] = []

    def ask_resolver() -> None:
        try:
            found.extend(look_up(host, port, 0))
        except (OSError, ValueError) as error:
            failures.append(error)

    # The resolver takes no timeout: past the deadline its thread is left to end by itself.
    thread = threading.Thread(target=ask_resolver, daemon=True)
    thread.start()
    thread.join(deadline.remaining_seconds())
    deadline.remaining_seconds()
    if failures:
        raise failures[0]
    return found


def look_up(host: str, port: int, flags: int) -> Sequence[tuple[int, Any]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _kind, _protocol, _canonical, address in found]


# -- tcpSocket --------------------------------------------------------------------------------------------------------


def connect_and_close(action: spec.TcpSocketAction, url: SplitResult, attempt: Attempt) -> Outcome:
    connect(url, attempt).close()
    return Outcome("Success", f"{show(url)}: connected")


# -- httpGet ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    reason: str
    location: str


def get_following_redirects(action: spec.HttpGetAction, url: SplitResult, attempt: Attempt) -> Outcome:
    """GET, following redirects that stay on the host; the Host header goes along with those that name no host."""
    first = url
    host = next((header.value for header in action.http_headers if header.name.lower() == "host"), "")
    headers = list(request_headers(action.http_headers, attempt.user_agent))
    for _turn in range(REQUEST_LIMIT):
        answer = get(url, host, headers, attempt)
        if answer.status not in REDIRECTS or not answer.location:
            return judge(answer, url, attempt.purpose)
        following = urlsplit(urljoin(url.geturl(), answer.location))
        if following.hostname != first.hostname:
            return Outcome("Warning", f"{show(url)}: redirect to {show(following)} not followed: another host")
        if following.scheme not in DEFAULT_PORTS:
            return Outcome("Failure", f"{show(url)}: redirect to {show(following)}: neither http nor https")
        if urlsplit(answer.location).scheme:
            host = ""
        url = following
    return Outcome("Failure", f"{show(first)}: stopped after {REQUEST_LIMIT} redirects")


def judge(answer: HttpAnswer, url: SplitResult, purpose: Purpose) -> Outcome:
    """Return the outcome of a final answer. Its body is not shown: it may come from where the reader may not look."""
    message = f"{show(url)}: HTTP status {answer.status} {answer.reason}".rstrip()
    if purpose == "lifecycle" or 200 <= answer.status < 300:
        return Outcome("Success", message)
    if 300 <= answer.status < 400:
        return Outcome("Warning", f"{message}: a redirect to nowhere")
    return Outcome("Failure", message)


def request_headers(declared: Sequence[spec.HttpHeader], user_agent: str) -> Iterator[tuple[str, str]]:
    """Yield the headers to send beside Host: Accept and User-Agent have a default, and are left out where empty."""
    defaults = {"user-agent": ("User-Agent", user_agent), "accept": ("Accept", "*/*")}
    given = {header.name.lower() for header in declared}
    yield from (header for name, header in defaults.items() if name not in given)
    for header in declared:
        name = header.name.lower()
        if name not in OWN_HEADERS and (header.value or name not in defaults):
            yield header.name, header.value
    yield "Connection", "close"


def get(url: SplitResult, host: str, headers: Sequence[tuple[str, str]], attempt: Attempt) -> HttpAnswer:
    """Send one GET and read the answer, of its body 10 KiB at most."""
    netloc = url.netloc.rpartition("@")[2]
    with connect(url, attempt) as stream:
        if url.scheme == "https":
            stream.start_tls(server_name(host or netloc))
        request: Any = http.client.HTTPConnection(netloc)
        request.sock = stream
        request.putrequest("GET", request_target(url), skip_host=True, skip_accept_encoding=True)
        for name, value in [("Host", host or netloc), *headers]:
            request.putheader(name, value.encode())
        request.endheaders()
        with http.client.HTTPResponse(stream, method="GET") as response:  # type: ignore[arg-type]
            return read_http_answer(response)


def read_http_answer(response: http.client.HTTPResponse) -> HttpAnswer:
    response.begin()
    while response.status in INTERIM:
        response.headers = None  # type: ignore[assignment]
        response.begin()
    body = response.read(BODY_LIMIT_BYTES)
    if response.length and len(body) < BODY_LIMIT_BYTES:
        raise http.client.IncompleteRead(body, response.length)
    return HttpAnswer(response.status, response.reason, response.headers.get("Location", ""))


def request_target(url: SplitResult) -> str:
    path = quote(url.path or "/", safe=PATH_CHARACTERS)
    return f"{path}?{quote(url.query, safe=QUERY_CHARACTERS)}" if url.query else path


def server_name(host: str) -> str | None:
    """Return the name to ask for in the TLS handshake (SNI): that of the Host header, where it is a DNS name.

    The kubelet names only what it connects to, mostly an IP address and so nothing, which name-based servers refuse.
    """
    name = urlsplit(f"//{host}").hostname or ""
    return name if DNS_NAME.fullmatch(name) else None


# -- grpc -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GrpcAnswer:
    """The answer to a unary call: response headers with trailers, and the message's bytes."""

    headers: Mapping[str, str]
    body: bytes


def check_health(action: spec.GrpcAction, url: SplitResult, attempt: Attempt) -> Outcome:
    """Call grpc.health.v1.Health/Check without TLS; Success is SERVING. Needs the Python package h2."""
    h2 = import_h2()
    service = action.service.encode()
    request = b"\n" + encode_varint(len(service)) + service if service else b""
    try:
        answer = call_unary(h2, url, GRPC_METHOD, request, attempt)
    except h2.exceptions.H2Error as error:
        raise ConnectionError(f"the server does not speak HTTP/2 without TLS: {error}") from error
    return judge_health(answer, f"{show(url)} service {action.service!r}" if action.service else show(url))


def judge_health(answer: GrpcAnswer, place: str) -> Outcome:
    status = answer.headers.get(":status", "")
    code = answer.headers.get("grpc-status", "")
    if status != "200" or not code.isdigit():
        return Outcome("Failure", f"{place}: no gRPC answer (HTTP status {status or 'missing'})")
    if int(code) == GRPC_UNIMPLEMENTED:
        return Outcome("Failure", f"{place}: the server does not implement grpc.health.v1.Health")
    if int(code) != 0:
        words = unquote(answer.headers.get("grpc-message", ""))
        return Outcome("Failure", f"{place}: gRPC status {code}: {words}".rstrip(": "))
    serving = read_serving_status(answer.body)
    return Outcome("Success" if serving == "SERVING" else "Failure", f"{place}: {serving}")


def can_probe_grpc() -> bool:
    """Whether the Python package is there that grpc probes are made with."""
    return "h2" in sys.modules or importlib.util.find_spec("h2") is not None


def import_h2() -> Any:
    try:
        for name in ("config", "connection", "events", "exceptions"):
            importlib.import_module(f"h2.{name}")
    except ImportError as error:
        raise HostError(
            "grpc probes need the Python package h2 on the host: install python3-h2 (Debian, Fedora) or h2 with pip"
        ) from error
    return importlib.import_module("h2")


def call_unary(h2: Any, url: SplitResult, method: str, request: bytes, attempt: Attempt) -> GrpcAnswer:
    """Make one unary gRPC call over a connection of its own."""
    config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
    connection = h2.connection.H2Connection(config)
    milliseconds = min(max(int(attempt.deadline.remaining_seconds() * 1000), 1), 99999999)
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", method),
        (":authority", url.netloc),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", attempt.user_agent),
        ("grpc-timeout", f"{milliseconds}m"),
    ]
    connection.initiate_connection()
    connection.send_headers(1, headers)
    # A message goes behind one byte, 0 for uncompressed, and its length.
    connection.send_data(1, b"\0" + len(request).to_bytes(4, "big") + request, end_stream=True)
    with connect(url, attempt) as stream:
        return read_answer(h2, connection, stream)


def read_answer(h2: Any, connection: Any, stream: Stream) -> GrpcAnswer:
    """Exchange frames until the call's stream ends; one larger than HTTP/2's first window (64 KiB) times out."""
    headers: dict[str, str] = {}
    body = b""
    while True:
        stream.sendall(connection.data_to_send())
        received = stream.read(65536)
        if not received:
            raise ConnectionError("the server closed the connection before it answered")
        for event in connection.receive_data(received):
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                headers.update(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                body += event.data
            elif isinstance(event, h2.events.StreamEnded):
                return GrpcAnswer(headers, body)
            elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                raise ConnectionError(f"the server ended the call with HTTP/2 error {event.error_code}")


def encode_varint(number: int) -> bytes:
    """Encode an unsigned number as Protocol Buffers do: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def read_serving_status(body: bytes) -> str:
    """Return the status of a HealthCheckResponse: its field 1, an enumeration, which is left out when 0."""
    message = body[5:]
    number = message[1] if message[:1] == b"\x08" and len(message) > 1 else 0
    return SERVING_STATUSES[number] if number < len(SERVING_STATUSES) else f"status {number}"


NETWORK_ACTIONS: Mapping[str, Callable[[Any, SplitResult, Attempt], Outcome]] = {
    "http_get": get_following_redirects,
    "tcp_socket": connect_and_close,
    "grpc": check_health,
}
