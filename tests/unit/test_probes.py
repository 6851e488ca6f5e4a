# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes and hooks over real sockets on the loopback; exec and other network namespaces need Podman: test_netns."""

from __future__ import annotations

import importlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration.spec import (
    GrpcAction,
    Handler,
    HttpGetAction,
    HttpHeader,
    Probe,
    SleepAction,
    TcpSocketAction,
)
from ansible_collections.podwright.pods.plugins.module_utils._host import hooks, probes
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.client import Podman
from ansible_collections.podwright.pods.plugins.module_utils._host.probes import Outcome, Target, check

TABLE = json.loads((Path(__file__).parent / "data" / "http_probe.json").read_text())
NO_PODMAN = cast(Podman, None)
LOOPBACK = "127.0.0.1"
# A loaded machine may be slow to give a thread its turn; what must not happen takes seconds longer still.
SLACK_SECONDS = 1.5

Answer = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request to a test server; it is noted down and handed to the server's ``answer``."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers))
        self.server.answer(self)

    def reply(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"the body") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_raw(self, data: bytes) -> None:
        """Send bytes in place of a proper answer."""
        self.wfile.write(data)
        self.close_connection = True

    def drip(self, data: bytes) -> None:
        """Send a byte every 50 ms, so that no single read waits for long, until the client or the test is gone."""
        with suppress(OSError):
            for byte in data:
                self.wfile.write(bytes([byte]))
                if self.server.stopping.wait(0.05):
                    break
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Answer, address: str = LOOPBACK) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.answer = answer
        self.seen: list[tuple[str, Message]] = []
        self.stopping = threading.Event()
        super().__init__((address, 0), Exchange)

    @property
    def headers(self) -> Message:
        """The headers of the last request."""
        return self.seen[-1][1]

    @property
    def paths(self) -> list[str]:
        return [path for path, _headers in self.seen]

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server that answers every GET with the given function."""
    with ExitStack() as stack:
        yield lambda answer, address=LOOPBACK: stack.enter_context(running(Server(answer, address)))


def target_of(server: Server | int) -> Target:
    port = server if isinstance(server, int) else server.server_port
    return Target("none", LOOPBACK, None, {"web": port})


def get(server: Server | int, timeout_seconds: float = 5, **action: Any) -> Outcome:
    """Probe a server by httpGet at its port named ``web``."""
    action.setdefault("port", "web")
    headers = tuple(HttpHeader(*pair) for pair in action.pop("headers", {}).items())
    probe = Probe(http_get=HttpGetAction(**action, http_headers=headers))
    return check(probe, timeout_seconds, target_of(server), NO_PODMAN)


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port where a connection is never made: its queue is full and nobody empties it."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        for _turn in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds + SLACK_SECONDS


class TestKubernetesTable:
    @pytest.mark.parametrize("row", TABLE["answers"], ids=str)
    def test_answers(self, serve: Callable[..., Server], row: dict[str, Any]) -> None:
        def answer(exchange: Exchange) -> None:
            if row["status"] < 0:
                return exchange.send_raw(b"HTTP/1.1 -1 \r\n\r\n")
            exchange.server.stopping.wait(row.get("sleep_seconds", 0))
            return exchange.reply(row["status"])

        server = serve(answer)
        timeout_seconds = row.get("timeout_seconds", 5)
        with ends_within(timeout_seconds):
            assert get(server, timeout_seconds, headers=row.get("headers", {})).result == row["result"]
        for name, value in row.get("sent", {}).items():
            assert server.headers.get_all(name) == ([value] if value else None)

    @pytest.mark.parametrize("row", TABLE["redirects"], ids=str)
    def test_redirects(self, serve: Callable[..., Server], row: dict[str, Any]) -> None:
        def answer(exchange: Exchange) -> None:
            if exchange.path == "/new":
                return exchange.reply(row["final_status"])
            return exchange.reply(row["status"], {"Location": "/new"})

        server = serve(answer)
        assert get(server).result == row["result"]
        assert server.paths == ["/", "/new"]

    @pytest.mark.parametrize("row", TABLE["non_local_redirects"], ids=lambda row: row["name"])
    def test_non_local_redirects(self, serve: Callable[..., Server], row: dict[str, Any]) -> None:
        def answer(exchange: Exchange) -> None:
            statuses = {"/success": 200, "/fail": 500}
            location = row["location"].format(other_port=other.server_port)
            exchange.reply(statuses.get(exchange.path, 302), {"Location": location})

        other, server = serve(answer), serve(answer)
        assert get(server).result == row["result"]
        if row["name"] == "redirect loop":
            assert len(server.seen) == TABLE["rules"]["request_limit"]
        if "other port" in row["name"]:
            assert len(other.seen) == 1

    @pytest.mark.parametrize("row", TABLE["host_header_after_redirect"], ids=str)
    def test_host_header_after_redirect(self, serve: Callable[..., Server], row: dict[str, Any]) -> None:
        def answer(exchange: Exchange) -> None:
            if exchange.path == "/redirect":
                return exchange.reply(302, {"Location": "/success"})
            return exchange.reply(200 if exchange.headers["Host"] == "www.success.com" else 400)

        server = serve(answer)
        assert get(server, path="/redirect", headers={"Host": row["host"]}).result == row["result"]
        assert server.headers.get_all("Host") == [row["host"]]


class TestHttpGet:
    def test_every_header_that_is_sent(self, serve: Callable[..., Server]) -> None:
        server = serve(lambda exchange: exchange.reply(200))
        dropped = {"Content-Length": "5", "Transfer-Encoding": "chunked", "Trailer": "X", "Connection": "keep-alive"}
        get(server, headers={"X-Name": "værdi", "host": "name.example", **dropped})
        assert {name: value.encode("latin-1").decode() for name, value in server.headers.items()} == {
            **TABLE["rules"]["default_headers"],
            "Host": "name.example",
            "X-Name": "værdi",
            "Connection": "close",
        }

    def test_host_header_names_the_address_and_port(self, serve: Callable[..., Server]) -> None:
        server = serve(lambda exchange: exchange.reply(200))
        get(server)
        assert server.headers["Host"] == f"{LOOPBACK}:{server.server_port}"

    def test_an_absolute_redirect_drops_the_host_header(self, serve: Callable[..., Server]) -> None:
        def answer(exchange: Exchange) -> None:
            location = f"http://{LOOPBACK}:{exchange.server.server_port}/new"
            exchange.reply(200 if exchange.path == "/new" else 302, {"Location": location})

        server = serve(answer)
        assert get(server, headers={"Host": "name.example"}).result == "Success"
        assert [headers["Host"] for _path, headers in server.seen] == [
            "name.example",
            f"{LOOPBACK}:{server.server_port}",
        ]

    @pytest.mark.parametrize(
        ("path", "sent"),
        [
            ("/", "/"),
            ("", "/"),
            ("healthz", "/healthz"),
            ("/a/b?c=d&e=f%20g#fragment", "/a/b?c=d&e=f%20g"),
            ("/with space?and space", "/with%20space?and%20space"),
            ("/smørrebrød", "/sm%C3%B8rrebr%C3%B8d"),
            ("//double", "//double"),
            ("/colon:x;p=1,2~", "/colon:x;p=1,2~"),
            ("/?a[0]=b?c", "/?a[0]=b?c"),
        ],
    )
    def test_path(self, serve: Callable[..., Server], path: str, sent: str) -> None:
        # BaseHTTPRequestHandler folds leading slashes of its path; the request line is as it came.
        lines: list[str] = []

        def answer(exchange: Exchange) -> None:
            lines.append(exchange.requestline)
            exchange.reply(200)

        assert get(serve(answer), path=path).result == "Success"
        assert lines == [f"GET {sent} HTTP/1.1"]

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
    def test_any_path_makes_one_valid_request_target(self, path: str) -> None:
        action = HttpGetAction(port=80, path=path)
        written = probes.request_target(probes.locate(action, target_of(80)))
        assert re.fullmatch(r"/[!-~]*", written)

    @pytest.mark.parametrize("status", [300, 304, 302])
    def test_a_redirect_to_nowhere_is_a_warning(self, serve: Callable[..., Server], status: int) -> None:
        server = serve(lambda exchange: exchange.reply(status, body=b""))
        outcome = get(server)
        assert outcome.result == "Warning"
        assert outcome.passed

    def test_a_redirect_that_is_not_http_is_a_failure(self, serve: Callable[..., Server]) -> None:
        server = serve(lambda exchange: exchange.reply(302, {"Location": f"ftp://{LOOPBACK}/x"}))
        assert get(server).result == "Failure"

    @pytest.mark.parametrize("location", ["http://[::1/", f"http://{LOOPBACK}:99999/", f"http://{LOOPBACK}:x/"])
    def test_a_redirect_that_is_no_url_is_a_failure(self, serve: Callable[..., Server], location: str) -> None:
        server = serve(lambda exchange: exchange.reply(302, {"Location": location}))
        assert get(server).result == "Failure"

    def test_messages_name_place_and_status_and_hide_query_and_body(self, serve: Callable[..., Server]) -> None:
        server = serve(lambda exchange: exchange.reply(503, body=b"hidden body"))
        place = f"http://{LOOPBACK}:{server.server_port}/healthz"
        assert get(server, path="/healthz?token=hidden") == Outcome(
            "Failure", f"{place}: HTTP status 503 Service Unavailable"
        )

    def test_a_refused_connection(self) -> None:
        port = free_port()
        assert get(port) == Outcome("Failure", f"http://{LOOPBACK}:{port}/: Connection refused")

    def test_a_connection_that_is_never_made(self) -> None:
        with deaf_port() as port, ends_within(0.3):
            assert get(port, 0.3) == Outcome("Failure", f"http://{LOOPBACK}:{port}/: timed out after 0.3 s")

    @pytest.mark.parametrize(
        "drip",
        [
            b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 50,
            b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"." * 200,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n.\r\n" * 50,
            b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50,
        ],
        ids=["headers", "body", "chunked body", "interim answers"],
    )
    def test_the_deadline_is_for_all_reads_together(self, serve: Callable[..., Server], drip: bytes) -> None:
        server = serve(lambda exchange: exchange.drip(drip))
        with ends_within(0.4):
            outcome = get(server, 0.4)
        assert outcome.result == "Failure"
        assert outcome.message.endswith("timed out after 0.4 s")

    def test_the_deadline_is_for_all_redirects_together(self, serve: Callable[..., Server]) -> None:
        def answer(exchange: Exchange) -> None:
            exchange.server.stopping.wait(0.15)
            exchange.reply(302, {"Location": "/"})

        with ends_within(0.4):
            assert "timed out" in get(serve(answer), 0.4).message

    def test_ten_kibibytes_of_the_body_are_enough(self, serve: Callable[..., Server]) -> None:
        written: list[int] = []

        def answer(exchange: Exchange) -> None:
            exchange.reply(200, {"Content-Length": str(1 << 40)}, b"")
            with suppress(OSError):
                while not exchange.server.stopping.is_set():
                    written.append(exchange.wfile.write(b"." * 65536))

        with ends_within(0):
            assert get(serve(answer), 10).result == "Success"
        assert sum(written) < 64 << 20

    @pytest.mark.parametrize(
        ("raw", "result"),
        [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "Failure"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort", "Failure"),
            (b"HTTP/1.1 200 OK\r\n\r\nuntil the connection ends", "Success"),
            (b"HTTP/1.0 204 No Content\r\n\r\n", "Success"),
            (b"HTTP/1.1 200\r\n\r\n", "Success"),
            (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "Success"),
            (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "Success"),
            (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "Failure"),
            (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "Failure"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "Failure"),
            (b"", "Failure"),
        ],
    )
    def test_raw_answers(self, serve: Callable[..., Server], raw: bytes, result: str) -> None:
        assert get(serve(lambda exchange: exchange.send_raw(raw))).result == result

    def test_no_proxy_is_used(self, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{free_port()}")
        assert get(serve(lambda exchange: exchange.reply(200))).result == "Success"

    def test_host_by_name_is_looked_up(self, serve: Callable[..., Server]) -> None:
        server = serve(lambda exchange: exchange.reply(200))
        assert get(server, host="localhost").result == "Success"
        assert server.headers["Host"] == f"localhost:{server.server_port}"

    @pytest.mark.parametrize("host", ["none.invalid", "a" * 70 + ".invalid", "two words", "."])
    def test_a_host_that_does_not_exist(self, host: str) -> None:
        with ends_within(1):
            assert get(80, 1, host=host).result == "Failure"

    def test_ipv6(self) -> None:
        try:
            server = Server(lambda exchange: exchange.reply(200), "::1")
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        with running(server):
            target = Target("none", "::1", None, {})
            probe = Probe(http_get=HttpGetAction(port=server.server_port))
            outcome = check(probe, 5, target, NO_PODMAN)
        assert outcome == Outcome("Success", f"http://[::1]:{server.server_port}/: HTTP status 200 OK")
        assert server.headers["Host"] == f"[::1]:{server.server_port}"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate, out of date, of another name, with its key."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    key = path.with_suffix(".key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other.invalid", "-days", "1"]
    subprocess.run([*command, "-keyout", key, "-out", path], check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


class TestHttps:
    @pytest.fixture
    def names(self) -> list[str | None]:
        """The server names that clients asked for."""
        return []

    @pytest.fixture
    def server(self, certificate: Path, names: list[str | None]) -> Iterator[Server]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        server = Server(lambda exchange: exchange.reply(200))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with running(server):
            yield server

    def test_the_certificate_is_not_verified(self, server: Server, names: list[str | None]) -> None:
        assert get(server, scheme="HTTPS").result == "Success"
        assert names == [None]

    @pytest.mark.parametrize(
        ("host", "asked_for"),
        [
            ("Name.example:8443", "name.example"),
            ("10.1.2.3", None),
            ("[::1]:80", None),
            ("two words", None),
            ("dot.", None),
        ],
    )
    def test_server_name_is_the_host_headers(
        self, server: Server, names: list[str | None], host: str, asked_for: str | None
    ) -> None:
        assert get(server, scheme="HTTPS", headers={"Host": host}).result == "Success"
        assert names == [asked_for]

    def test_a_redirect_from_http_to_https(self, serve: Callable[..., Server], server: Server) -> None:
        plain = serve(lambda e: e.reply(301, {"Location": f"https://{LOOPBACK}:{server.server_port}/secure"}))
        assert get(plain).result == "Success"
        assert server.paths == ["/secure"]

    def test_a_server_without_tls(self, serve: Callable[..., Server]) -> None:
        assert get(serve(lambda exchange: exchange.reply(200)), scheme="HTTPS").result == "Failure"

    def test_plain_http_to_a_tls_port(self, server: Server) -> None:
        assert get(server).result == "Failure"

    def test_a_handshake_that_stalls(self) -> None:
        with socket.create_server((LOOPBACK, 0)) as listener, ends_within(0.3):
            outcome = get(listener.getsockname()[1], 0.3, scheme="HTTPS")
        assert outcome.message.endswith("timed out after 0.3 s")


class TestTcpSocket:
    def test_a_listening_port(self) -> None:
        with socket.create_server((LOOPBACK, 0)) as listener:
            port = listener.getsockname()[1]
            probe = Probe(tcp_socket=TcpSocketAction(port="web"))
            outcome = check(probe, 1, target_of(port), NO_PODMAN)
        assert outcome == Outcome("Success", f"tcp://{LOOPBACK}:{port}: connected")

    def test_a_refused_connection(self) -> None:
        probe = Probe(tcp_socket=TcpSocketAction(port=free_port(), host="localhost"))
        assert check(probe, 1, target_of(1), NO_PODMAN).result == "Failure"

    def test_a_connection_that_is_never_made(self) -> None:
        with deaf_port() as port, ends_within(0.3):
            probe = Probe(tcp_socket=TcpSocketAction(port=port))
            assert check(probe, 0.3, target_of(1), NO_PODMAN).result == "Failure"


class TestErrorsOfOurs:
    @pytest.mark.parametrize(
        ("target", "reason"),
        [
            (Target("none", LOOPBACK, None, {"web": 80}), "no port named http"),
            (Target("none", "", None, {"http": 80}), "no IP address"),
            (Target("none", LOOPBACK, 2**22 + 1, {"http": 80}), "has ended"),
        ],
    )
    def test_what_cannot_be_tried_is_unknown(self, target: Target, reason: str) -> None:
        outcome = check(Probe(http_get=HttpGetAction(port="http")), 1, target, NO_PODMAN)
        assert outcome.result == "Unknown"
        assert reason in outcome.message
        assert not outcome.passed

    def test_a_probe_does_not_sleep(self) -> None:
        assert check(Handler(sleep=SleepAction(1)), 1, target_of(1), NO_PODMAN).result == "Unknown"

    def test_no_more_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        assert get(80, host="some.invalid") == Outcome("Unknown", "httpGet: can't start new thread")


class TestGrpc:
    @pytest.fixture
    def health(self) -> Iterator[tuple[Any, int]]:
        """A real gRPC health servicer and its port."""
        grpc = importlib.import_module("grpc")
        health = importlib.import_module("grpc_health.v1.health")
        service = importlib.import_module("grpc_health.v1.health_pb2_grpc")
        with ThreadPoolExecutor(2) as pool:
            server = grpc.server(pool)
            servicer = health.HealthServicer()
            service.add_HealthServicer_to_server(servicer, server)
            port = server.add_insecure_port(f"{LOOPBACK}:0")
            server.start()
            yield servicer, port
            server.stop(None).wait()

    def ask(self, port: int, service: str = "", timeout_seconds: float = 5) -> Outcome:
        return check(Probe(grpc=GrpcAction(port, service)), timeout_seconds, target_of(port), NO_PODMAN)

    @pytest.mark.parametrize(
        ("status", "result"),
        [(0, "Failure"), (1, "Success"), (2, "Failure"), (3, "Failure")],
    )
    def test_statuses(self, health: tuple[Any, int], status: int, result: str) -> None:
        servicer, port = health
        servicer.set("shop", status)
        outcome = self.ask(port, "shop")
        words = probes.SERVING_STATUSES[status]
        assert outcome == Outcome(result, f"grpc://{LOOPBACK}:{port} service 'shop': {words}")  # type: ignore[arg-type]

    def test_the_server_as_a_whole(self, health: tuple[Any, int]) -> None:
        servicer, port = health
        servicer.set("", 1)
        assert self.ask(port).result == "Success"

    def test_an_unknown_service(self, health: tuple[Any, int]) -> None:
        outcome = self.ask(health[1], "ø" * 100)
        assert outcome.result == "Failure"
        assert "gRPC status 5" in outcome.message

    def test_a_server_without_health_checking(self) -> None:
        grpc = importlib.import_module("grpc")
        with ThreadPoolExecutor(1) as pool:
            server = grpc.server(pool)
            port = server.add_insecure_port(f"{LOOPBACK}:0")
            server.start()
            outcome = self.ask(port)
            server.stop(None).wait()
        assert outcome.result == "Failure"
        assert outcome.message.endswith("does not implement grpc.health.v1.Health")

    def test_a_server_of_another_protocol(self, serve: Callable[..., Server]) -> None:
        outcome = self.ask(serve(lambda exchange: exchange.reply(200)).server_port)
        assert outcome.result == "Failure"

    def test_a_server_that_says_nothing(self) -> None:
        with socket.create_server((LOOPBACK, 0)) as listener, ends_within(0.3):
            outcome = self.ask(listener.getsockname()[1], timeout_seconds=0.3)
        assert outcome.message.endswith("timed out after 0.3 s")

    def test_a_refused_connection(self) -> None:
        assert self.ask(free_port()).message.endswith("Connection refused")

    def test_h2_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in sys.modules if name.split(".")[0] == "h2"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "h2", None)
        outcome = self.ask(80)
        assert outcome.result == "Unknown"
        assert "install python3-h2" in outcome.message

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"\0\0\0\0\0", "UNKNOWN"),
            (b"\0\0\0\0\x02\x08\x01", "SERVING"),
            (b"\0\0\0\0\x02\x08\x02", "NOT_SERVING"),
            (b"\0\0\0\0\x02\x08\x09", "status 9"),
            (b"\0\0\0\0\x02\x08", "UNKNOWN"),
            (b"", "UNKNOWN"),
        ],
    )
    def test_serving_status(self, body: bytes, status: str) -> None:
        assert probes.read_serving_status(body) == status

    @pytest.mark.parametrize(("number", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02")])
    def test_varint(self, number: int, encoded: str) -> None:
        assert probes.encode_varint(number).hex() == encoded

    def test_an_http_error_page(self) -> None:
        assert probes.judge_health(probes.GrpcAnswer({":status": "404"}, b""), "x").result == "Failure"


class TestHooks:
    def run(self, hook: Handler, port: int, timeout_seconds: float = 5) -> Outcome:
        return hooks.run(hook, target_of(port), NO_PODMAN, timeout_seconds)

    @pytest.mark.parametrize("status", [200, 404, 500])
    def test_any_http_answer_will_do(self, serve: Callable[..., Server], status: int) -> None:
        server = serve(lambda exchange: exchange.reply(status))
        hook = Handler(http_get=HttpGetAction(port="web"))
        assert self.run(hook, server.server_port).result == "Success"
        assert server.headers["User-Agent"] == "kube-lifecycle/1.32"

    def test_a_redirect_to_another_host_is_not_followed(self, serve: Callable[..., Server]) -> None:
        server = serve(lambda exchange: exchange.reply(302, {"Location": "http://0.0.0.0/"}))
        assert self.run(Handler(http_get=HttpGetAction(port="web")), server.server_port).result == "Success"

    def test_no_answer_fails(self) -> None:
        port = free_port()
        outcome = self.run(Handler(http_get=HttpGetAction(port="web")), port)
        assert outcome == Outcome("Failure", f"http://{LOOPBACK}:{port}/: Connection refused")

    def test_tcp_socket_connects(self) -> None:
        with socket.create_server((LOOPBACK, 0)) as listener:
            port = listener.getsockname()[1]
            assert self.run(Handler(tcp_socket=TcpSocketAction(port="web")), port).result == "Success"
        assert self.run(Handler(tcp_socket=TcpSocketAction(port="web")), port).result == "Failure"

    def test_an_error_of_ours_fails(self) -> None:
        assert self.run(Handler(tcp_socket=TcpSocketAction(port="none")), 80).result == "Failure"

    def test_sleep(self) -> None:
        began = time.monotonic()
        assert hooks.run(Handler(sleep=SleepAction(1)), target_of(1), NO_PODMAN, 5).result == "Success"
        assert time.monotonic() - began >= 1

    def test_sleep_ends_with_the_time_given(self) -> None:
        with ends_within(0.1):
            outcome = self.run(Handler(sleep=SleepAction(60)), 1, 0.1)
        assert outcome == Outcome("Failure", "sleep: 0.1 s of 60 s were left")


def count_descriptors_and_threads() -> tuple[int, int]:
    return len(os.listdir("/proc/self/fd")), threading.active_count()


def test_neither_descriptors_nor_threads_are_left_behind(serve: Callable[..., Server]) -> None:
    server = serve(lambda exchange: exchange.reply(302 if exchange.path == "/r" else 200, {"Location": "/"}))
    refused = free_port()
    with deaf_port() as deaf:
        before = count_descriptors_and_threads()
        for _turn in range(100):
            assert get(server).passed
            assert get(server, path="/r", host="localhost").passed
            assert not get(refused).passed
            assert not get(server, scheme="HTTPS").passed
            assert not get(deaf, 0.001).passed
        # The server's threads end shortly after their clients.
        deadline = time.monotonic() + 5
        while count_descriptors_and_threads() != before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert count_descriptors_and_threads() == before
