# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ingresses: what the proxy makes of their rules, and a host whose Pods and certificates change while clients ask."""

from __future__ import annotations

import functools
import http.server
import json
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from certificate_making import make_certificate
from client_load import NamedConnection, load
from command_line import CommandLine
from pod_runs import Options, await_true, server

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._host.proxy import FOLDER, Proxy
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.ingresses.entrance import (
    entrance_of,
    fronts_behind,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.fronts import PodStanding
from playbooks import free_port

pytestmark = pytest.mark.integration

LABELS = {"app": "web"}


def backend(service: str) -> Options:
    return {"service": {"name": service, "port": {"number": 80}}}


def rule(host: str | None, *paths: str, service: str = "web") -> Options:
    items = [
        {"path_type": kind, "path": path, "backend": backend(service)}
        for kind, path in (item.split(" ", 1) for item in paths)
    ]
    return {"host": host, "http": {"paths": items}}


def secret(name: str, pair: tuple[str, str]) -> Options:
    return {"name": name, "string_data": dict(zip(("tls.crt", "tls.key"), pair, strict=True))}


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


def ask(port: int, url: str, tls: ssl.SSLContext | None = None, body: str | None = None, **headers: str) -> Answer:
    """The answer to ``shop.example.com/path``."""
    host, slash, path = url.partition("/")
    connection = NamedConnection(host, port, context=tls)
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request("POST" if body else "GET", slash + path, body, named)
    response = connection.getresponse()
    answer = Answer(response.status, dict(response.headers), response.read().decode().strip())
    connection.close()
    return answer


def trusting(*certificates: str) -> ssl.SSLContext:
    """A client that trusts these certificates, and checks names."""
    return ssl.create_default_context(cadata="".join(certificates))


# --- rules, by servers of the tests' own -----------------------------------------------------------------------------


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        headers = {key.lower(): value for key, value in self.headers.items() if key.lower().startswith("x-")}
        text = json.dumps({"port": self.server.server_port, "path": self.path, **headers}).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *words: Any) -> None:
        """Says nothing."""


@dataclass
class Served:
    """A proxy of the test's own before echoing servers, by the names of their Services."""

    proxy: Proxy
    servers: dict[str, http.server.ThreadingHTTPServer]
    http_port: int
    https_port: int

    def settle(self, *ingresses: Options, secrets: tuple[Options, ...] = ()) -> None:
        stack = self._stack(ingresses, secrets)
        standing = [PodStanding(pod, "127.0.0.1", True) for pod in stack.pods]
        self.proxy.settle(fronts_behind(stack, standing), entrance_of([stack], self.http_port, self.https_port))

    def _stack(self, ingresses: tuple[Options, ...], secrets: tuple[Options, ...]) -> StackSpec:
        pods, services = [], []
        for name, echo in self.servers.items():
            container = {"name": "main", "image": "x"}
            pods.append({"name": name, "labels": {"app": name}, "containers": [container], "host_network": True})
            ports = [{"port": 80, "target_port": echo.server_port}]
            services.append({"name": name, "selector": {"app": name}, "ports": ports})
        given = {"pods": pods, "services": services, "ingresses": ingresses, "secrets": secrets}
        return parse_options({"name": "shop", **given})

    def service_of(self, answer: Answer) -> str:
        port = json.loads(answer.text)["port"]
        return next(name for name, echo in self.servers.items() if echo.server_port == port)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    servers = {name: http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) for name in ("web", "api")}
    for echo in servers.values():
        threading.Thread(target=echo.serve_forever, daemon=True).start()
    proxy = Proxy(tmp_path / "p")
    try:
        yield Served(proxy, servers, free_port(), free_port())
    finally:
        proxy.end()
        for echo in servers.values():
            echo.shutdown()
            echo.server_close()


def test_requests_go_where_the_rules_say(served: Served, tmp_path: Path) -> None:
    shop, wild = (
        make_certificate(tmp_path, "shop", "shop.example.com"),
        make_certificate(tmp_path, "w", "*.example.org"),
    )
    served.settle(
        {
            "name": "shop",
            "rules": [rule("shop.example.com", "Prefix /"), rule("shop.example.com", "Exact /api", service="api")],
            "tls": [{"secret_name": "shop"}],
        },
        {
            "name": "wild",
            "rules": [rule("*.example.org", "Prefix /a", service="api")],
            "tls": [{"secret_name": "wild"}],
        },
        {
            "name": "plain",
            "rules": [rule("plain.example.com", "Prefix /v(\\d+)/(.*)", "Exact /x")],
            "rewrite_target": "/$2",
            "proxy_body_size": "1k",
        },
        {
            "name": "closed",
            "rules": [rule("closed.example.com", "Prefix /")],
            "whitelist_source_range": ["192.0.2.0/24"],
        },
        {"name": "rest", "rules": [rule(None, "Prefix /rest", service="api")]},
        secrets=(secret("shop", shop), secret("wild", wild)),
    )
    tls = trusting(shop[0], wild[0])

    def told(url: str, context: ssl.SSLContext | None = None, **headers: str) -> str:
        answer = ask(served.https_port if context else served.http_port, url, context, **headers)
        return (
            f"{served.service_of(answer)} {json.loads(answer.text)['path']}"
            if answer.status == 200
            else str(answer.status)
        )

    assert told("shop.example.com/a?b=c", tls) == "web /a?b=c"
    assert told("shop.example.com/api", tls) == "api /api"
    assert told("shop.example.com/api/", tls) == "web /api/"
    assert told("any.example.org/a", tls) == "api /a"
    assert told("any.example.org/ab", tls) == "404"
    assert told("plain.example.com/v2/list?x=%20") == "web /list?x=%20"
    assert told("plain.example.com/V10/") == "web /"
    assert told("plain.example.com/x") == "web /"
    assert told("plain.example.com/v/list") == "404"
    assert told("other.example.com/rest/1") == told("plain.example.com/rest/1") == "api /rest/1"
    assert told("other.example.com/") == "404"
    assert told("closed.example.com/") == "403"
    assert told("SHOP.example.com/a", tls) == "web /a"

    redirected = ask(served.http_port, "shop.example.com/a?b=c")
    assert (redirected.status, redirected.headers["location"]) == (
        308,
        f"https://shop.example.com:{served.https_port}/a?b=c",
    )
    sizes = [ask(served.http_port, "plain.example.com/x", body="b" * size).status for size in (1000, 1001)]
    assert sizes == [200, 413]
    spoofed = {"X_Forwarded_For": "192.0.2.1", "X_Real_IP": "192.0.2.1", "X_Forwarded_Proto": "http"}
    seen = json.loads(ask(served.https_port, "shop.example.com/", tls, **spoofed).text)
    assert (seen["x-forwarded-for"], seen["x-real-ip"], seen["x-forwarded-proto"]) == (
        "127.0.0.1",
        "127.0.0.1",
        "https",
    )
    assert seen["x-forwarded-host"] == f"shop.example.com:{served.https_port}"


def test_a_certificate_is_changed_under_load_without_a_failed_handshake(served: Served, tmp_path: Path) -> None:
    pairs = [make_certificate(tmp_path, f"number-{number}", "shop.example.com") for number in range(2)]
    ingress = {"name": "shop", "rules": [rule("shop.example.com", "Prefix /")], "tls": [{"secret_name": "shop"}]}

    served.settle(ingress, secrets=(secret("shop", pairs[0]),))
    tls = trusting(*(certificate for certificate, _key in pairs))
    process = served.proxy.ask_worker("show info").partition("Pid: ")[2].split()[0]
    connect = functools.partial(NamedConnection, context=tls)
    with load("shop.example.com", served.https_port, "/", pause_seconds=0.002, connect=connect) as answers:
        await_true(lambda: answers.number > 20)
        for number in range(1, 26):
            before = answers.number
            served.settle(ingress, secrets=(secret("shop", pairs[number % 2]),))
            connection = connect("shop.example.com", served.https_port)
            connection.connect()
            assert f"number-{number % 2}" in str(connection.sock.getpeercert())
            connection.close()
            await_true(lambda before=before: answers.number > before)
    assert answers.failures == []
    # It is the same process, that has loaded nothing anew.
    assert served.proxy.ask_worker("show info").partition("Pid: ")[2].split()[0] == process


# --- a host with Podman ----------------------------------------------------------------------------------------------


def stack(version: str, pair: tuple[str, str], name: str = "shop", **ingress: Any) -> Options:
    main = server(env=[{"name": "VERSION", "value": version}])
    template = {"labels": LABELS, "containers": [main], "termination_grace_period_seconds": 2}
    fields = {"rules": [rule("shop.example.com", "Prefix /")], "tls": [{"secret_name": "tls"}], **ingress}
    return {
        "name": name,
        "deployments": [{"name": f"{name}-web", "template": template, "replicas": 2}],
        "services": [{"name": "web", "selector": LABELS, "ports": [{"port": 80, "target_port": 8080}]}],
        "ingresses": [{"name": "shop", **fields}],
        "secrets": [secret("tls", pair)],
    }


def run(agent: AgentProcess, options: Options) -> Options:
    result: Options = agent.client.post("/run", {"run": "run_stack", "options": options, "check": False})
    return result


def endpoints(agent: AgentProcess) -> list[str]:
    (told,) = agent.client.get("/ingresses")
    return [address for one in told["rules"] for address in one["endpoints"]]


def test_no_request_fails_while_pods_and_certificates_change(
    entrance: tuple[AgentProcess, int, int], tmp_path: Path
) -> None:
    agent, port, secure_port = entrance
    pairs = [make_certificate(tmp_path, f"number-{number}", "shop.example.com") for number in range(2)]
    tls = trusting(*(certificate for certificate, _key in pairs))
    with socket.socket() as held:
        held.bind(("", secure_port))
        held.listen()
        with pytest.raises(PodwrightError, match=f"Ingress shop: port {secure_port} of the host is already used by"):
            run(agent, stack("1", pairs[0]))
    result = run(agent, stack("1", pairs[0]))
    assert {"kind": "Ingress", "name": "shop", "result": "created"} in result["objects"]
    (told,) = result["stack"]["ingresses"]
    assert (told["hosts"], told["ports"]) == (["shop.example.com"], [port, secure_port])
    assert told["tls"] == [{"secret_name": "tls", "hosts": ["shop.example.com"]}]
    first = endpoints(agent)
    assert len(first) == 2
    command = CommandLine(agent)
    row = ["shop", "<none>", "shop.example.com", "*", f"{port},{secure_port}", "shop"]
    assert command.shows("get", "ingress").splitlines()[1].split() == row
    described = command.shows("describe", "ing/shop", COLUMNS="200")
    assert "tls terminates shop.example.com" in described
    assert ["shop.example.com", "/", "Prefix", "web:80", ",".join(first)] in map(str.split, described.splitlines())
    keys = Proxy(agent.host.state_directory / FOLDER).directory / "certificates"
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
    connect = functools.partial(NamedConnection, context=tls)
    with load("shop.example.com", secure_port, connect=connect) as answers:
        await_true(lambda: len(answers.texts) == 2)
        run(agent, stack("2", pairs[0]))
        second = endpoints(agent)
        assert len(second) == 2
        assert not {*first} & {*second}
        run(agent, stack("2", pairs[1]))
        connection = connect("shop.example.com", secure_port)
        connection.connect()
        assert "number-1" in str(connection.sock.getpeercert())
        connection.close()
        assert endpoints(agent) == second
        # Another rule is a reload of the proxy.
        run(agent, stack("2", pairs[1], rules=[rule("shop.example.com", "Prefix /"), rule("b.example.com", "Exact /")]))
        time.sleep(0.5)
    assert answers.failures == []
    assert answers.number > 100
    refused(agent, pairs, port)
    run(agent, {"name": "shop", "state": "absent"})
    assert not Proxy(agent.host.state_directory / FOLDER).is_there


def refused(agent: AgentProcess, pairs: list[tuple[str, str]], port: int) -> None:
    """Nothing of these is begun."""
    before = agent.host.containers()
    with pytest.raises(PodwrightError, match=r"Prefix / of .* is led elsewhere by ingress shop of stack shop"):
        run(agent, stack("1", pairs[0], name="twin"))
    other = stack("1", pairs[0], name="other", rules=[rule("other.example.com", "Prefix /")])
    other["services"][0]["ports"][0]["host_port"] = port
    with pytest.raises(PodwrightError, match=f"Service web: port {port} of the host is that of the Ingresses"):
        run(agent, other)
    with pytest.raises(PodwrightError, match=r"tls\[0\].secret_name: .* the key is not that of the certificate"):
        run(agent, stack("3", (pairs[0][0], pairs[1][1])))
    assert agent.host.containers() == before
