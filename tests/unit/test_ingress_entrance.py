# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entrance of a host: which route is for a request, what the proxy is told of it, and what results tell."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.ingresses import configuration
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.ingresses.description import describe
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.ingresses.entrance import (
    Entrance,
    Rewrite,
    Route,
    certificates_of,
    entrance_of,
    fronts_behind,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.configuration import (
    Surroundings,
    frame,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.configuration import (
    configuration as whole,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.fronts import PodStanding, fronts_of

POD = {"name": "web", "labels": {"app": "web"}, "containers": [{"name": "main", "image": "x"}]}
SERVICE = {"name": "web", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "target_port": 8080}]}
SECRETS = [{"name": "cert", "string_data": {"tls.crt": "A\n\nB\r\n", "tls.key": " C"}}]


def backend(name: str = "web") -> dict[str, Any]:
    return {"service": {"name": name, "port": {"number": 80}}}


def rule(host: str | None, *paths: str) -> dict[str, Any]:
    """Paths are ``Prefix /shop``; without any the rule is for the default backend."""
    items = [
        {"path_type": kind, "path": path, "backend": backend()} for kind, path in (item.split(" ", 1) for item in paths)
    ]
    return {"host": host, "http": {"paths": items} if items else None}


def stack(name: str = "shop", **ingresses: Any) -> StackSpec:
    """A stack with one Service, and Ingresses by their names."""
    given = [{"name": key, **fields} for key, fields in ingresses.items()]
    options = {"name": name, "pods": [POD], "services": [SERVICE], "secrets": SECRETS, "ingresses": given}
    return parse_options(options)


def met(route: Route, host: str, path: str) -> bool:
    """Whether a request meets a rule, as Kubernetes says it."""
    wildcard = "*." + host.partition(".")[2]
    if route.host not in ("", host, wildcard):
        return False
    if route.kind == "Exact":
        return path == route.path
    if route.kind == "pattern":
        return re.match(route.path, path, re.IGNORECASE) is not None
    elements, wanted = path.strip("/").split("/"), route.path.strip("/").split("/")
    return route.path in ("", "/") or elements[: len(wanted)] == wanted


def route_for(entrance: Entrance, host: str, path: str) -> str:
    found = next((route for route in entrance.routes if met(route, host, path)), None)
    return f"{found.host or '-'} {found.kind} {found.path}".strip() if found else ""


# The examples of Kubernetes' own page on Ingresses, and what several rules mean together.
@pytest.mark.parametrize(
    ("rules", "host", "path", "expected"),
    [
        ([rule("a.b", "Prefix /")], "a.b", "/any/path", "a.b Prefix /"),
        ([rule("a.b", "Exact /foo")], "a.b", "/foo", "a.b Exact /foo"),
        ([rule("a.b", "Exact /foo")], "a.b", "/bar", ""),
        ([rule("a.b", "Exact /foo")], "a.b", "/foo/", ""),
        ([rule("a.b", "Exact /foo/")], "a.b", "/foo", ""),
        ([rule("a.b", "Prefix /foo")], "a.b", "/foo/", "a.b Prefix /foo/"),
        ([rule("a.b", "Prefix /foo/")], "a.b", "/foo", "a.b Prefix /foo/"),
        ([rule("a.b", "Prefix /aaa/bb")], "a.b", "/aaa/bbb", ""),
        ([rule("a.b", "Prefix /aaa/bbb/")], "a.b", "/aaa/bbb/ccc", "a.b Prefix /aaa/bbb/"),
        ([rule("a.b", "Prefix /aaa/bbb")], "a.b", "/aaa/bbbxyz", ""),
        ([rule("a.b", "Prefix /", "Prefix /aaa")], "a.b", "/aaa/ccc", "a.b Prefix /aaa/"),
        ([rule("a.b", "Prefix /", "Prefix /aaa", "Prefix /aaa/bbb")], "a.b", "/aaa/bbb/c", "a.b Prefix /aaa/bbb/"),
        ([rule("a.b", "Prefix /foo", "Exact /foo")], "a.b", "/foo", "a.b Exact /foo"),
        ([rule("*.b.c", "Prefix /")], "a.b.c", "/", "*.b.c Prefix /"),
        ([rule("*.b.c", "Prefix /")], "x.a.b.c", "/", ""),
        ([rule("*.b.c", "Prefix /")], "b.c", "/", ""),
        ([rule("*.b.c", "Exact /long/path"), rule("a.b.c", "Prefix /")], "a.b.c", "/long/path", "a.b.c Prefix /"),
        ([rule(None, "Exact /long/path"), rule("*.b.c", "Prefix /")], "a.b.c", "/long/path", "*.b.c Prefix /"),
        ([rule(None, "Prefix /"), rule("a.b", "Prefix /foo")], "a.b", "/bar", "- Prefix /"),
        ([rule("a.b", "Prefix /foo")], "other", "/foo", ""),
    ],
)
def test_which_rule_counts(rules: list[Any], host: str, path: str, expected: str) -> None:
    assert route_for(entrance_of([stack(web={"rules": rules})], 80, 443), host, path) == expected


def test_default_backends_come_after_all_rules() -> None:
    first = stack("a", web={"rules": [rule("a.b", "Prefix /foo"), rule("c.d")], "default_backend": backend()})
    last = stack("b", web={"default_backend": backend()}, other={"rules": [rule(None, "Prefix /bar")]})
    entrance = entrance_of([last, first], 80, 443)
    assert [route_for(entrance, "a.b", path) for path in ("/foo", "/bar", "/")] == [
        "a.b Prefix /foo/",
        "- Prefix /bar/",
        "a.b default",
    ]
    assert route_for(entrance, "c.d", "/") == "c.d default"
    assert route_for(entrance, "e.f", "/") == "- default"
    assert [route.stack for route in entrance.routes] == ["a", "b", "a", "a", "b"]


@pytest.mark.parametrize(
    ("settings", "path", "expected"),
    [
        ({"rewrite_target": "/"}, "Prefix /", None),
        ({"rewrite_target": "/new"}, "Prefix /old", Rewrite("/new")),
        ({"rewrite_target": "/$2"}, "Prefix /api(/|$)(.*)", Rewrite("/$2", "/api(/|$)(.*)")),
        ({"rewrite_target": "/x/$2"}, "Prefix /old", Rewrite("/x/")),
        ({"rewrite_target": "/$1/$2"}, "Prefix /a(b)", Rewrite("/$1/", "/a(b)")),
        ({"use_regex": True}, "Prefix /a(b)", None),
    ],
)
def test_rewriting(settings: dict[str, Any], path: str, expected: Rewrite | None) -> None:
    (route,) = entrance_of([stack(web={"rules": [rule("a.b", path)], **settings})], 80, 443).routes
    assert route.rewrite == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"tls": [{"secret_name": "cert"}]}, ["a.b", "x.c.d"]),
        ({"tls": [{"secret_name": "cert", "hosts": ["a.b"]}]}, ["a.b"]),
        ({"tls": [{"secret_name": "cert", "hosts": ["*.c.d"]}]}, ["x.c.d"]),
        ({"tls": [{"secret_name": "cert"}], "ssl_redirect": False}, []),
        ({"force_ssl_redirect": True}, ["a.b", "x.c.d"]),
    ],
)
def test_who_is_redirected_to_https(settings: dict[str, Any], expected: list[str]) -> None:
    rules = [rule("a.b", "Prefix /"), rule("x.c.d", "Prefix /")]
    routes = entrance_of([stack(web={"rules": rules, **settings})], 80, 443).routes
    assert [route.host for route in routes if route.is_to_https] == expected


def test_certificates() -> None:
    tls = [{"secret_name": "cert", "hosts": ["b.c", "a.b"]}]
    both = stack(
        web={"rules": [rule("a.b", "Prefix /")], "tls": tls}, all={"default_backend": backend(), "tls": tls[:1]}
    )
    (certificate,) = certificates_of(both)
    assert (certificate.name, certificate.hosts, certificate.pem) == ("shop:cert", ("b.c", "a.b"), "A\nB\nC\n")
    assert "A" not in repr(certificate).replace("Certificate", "")
    assert configuration.certificate_lines([certificate], "/d") == "/d/shop:cert.pem b.c a.b\n"
    without = stack(all={"default_backend": backend(), "tls": [{"secret_name": "cert"}]})
    assert configuration.certificate_lines(certificates_of(without), "/d") == "/d/shop:cert.pem\n"
    entrance = entrance_of([both], 80, 443)
    assert (entrance.ports(), entrance.ports(but="shop"), entrance_of([], 80, 443).ports()) == ((80, 443), (), ())


def test_the_proxys_own_words() -> None:
    fields = {
        "rules": [rule("a.b", "Exact /x", "Prefix /a(/|$)(.*)"), rule("*.c.d", "Prefix /%7Eme")],
        "tls": [{"secret_name": "cert", "hosts": ["a.b"]}],
        "rewrite_target": "/%7E/$2",
        "proxy_body_size": "8Mi",
        "proxy_connect_timeout": 5,
        "proxy_read_timeout": 60,
        "proxy_send_timeout": 90,
        "whitelist_source_range": ["10.0.0.0/8", "192.0.2.1"],
    }
    shop = stack(web=fields)
    entrance, pods = entrance_of([shop], 8080, 8443), [PodStanding(shop.pods[0], "10.88.0.5", True)]
    fronts = fronts_behind(shop, pods)
    around = Surroundings("/run/x.sock", has_ipv6=True, certificate_list="/d/list")
    lines = whole(fronts, around, entrance).partition("\nfrontend ingress\n")[2].splitlines()
    secure = "ssl crt-list /d/list alpn h2,http/1.1 ssl-min-ver TLSv1.2"
    assert [line.strip() for line in lines if line.strip().startswith("bind")] == [
        "bind *:8080",
        "bind :::8080 v6only",
        f"bind *:8443 {secure}",
        f"bind :::8443 v6only {secure}",
    ]
    rules = [line.strip() for line in lines if "txn.route" in line][1:]
    host = "if !routed { var(txn.host) -m str 'a.b' }"
    assert rules == [
        f"http-request set-var(txn.route) int(1) {host} {{ path -m str '/x' }}",
        f"http-request set-var(txn.route) int(2) {host} {{ path -m reg '(?i)^(?:/a(/|$)(.*))' }}",
        "http-request set-var(txn.route) int(3) if !routed { var(txn.domain) -m str '*.c.d' }"
        " { var(txn.path) -m beg '/%7Eme/' }",
        "http-request redirect prefix https://%[var(txn.host)]:8443 code 308 if !{ ssl_fc }"
        " { var(txn.route) -m int 1 2 }",
        "http-request set-path '/%%7E/' if { var(txn.route) -m int 1 }",
        r"http-request replace-path '(?i)^(?:/a(/|$)(.*)).*$' '/%%7E/\2' if { var(txn.route) -m int 2 }",
        "http-request set-path '/%%7E/' if { var(txn.route) -m int 3 }",
        "use_backend shop:web:80:web if { var(txn.route) -m int 1 2 3 }",
    ]
    behind = whole(fronts, around, entrance).partition("\nbackend shop:web:80:web\n")[2]
    assert behind == (
        "    mode http\n    retry-on conn-failure empty-response\n    http-request disable-l7-retry unless METH_GET\n"
        "    timeout connect 5s\n    timeout server 90s\n    acl is_let_in src 10.0.0.0/8\n"
        "    acl is_let_in src 192.0.2.1\n    http-request deny deny_status 403 unless is_let_in\n"
        "    http-request deny deny_status 413 if { req.body_size gt 8388608 }\n"
        "    server web:10.88.0.5:8080 10.88.0.5:8080 check inter 2s fall 3 rise 1\n"
    )
    assert frame(fronts, around, entrance) == frame(fronts_behind(shop, []), around, entrance)


def test_many_routes_of_one_service_are_in_lines_that_the_proxy_takes() -> None:
    rules = [rule(f"h{number}.example.com", "Prefix /") for number in range(150)]
    entrance = entrance_of([stack(web={"rules": rules, "force_ssl_redirect": True})], 80, 443)
    lines = configuration.section(entrance, "/d/list", has_ipv6=False).splitlines()
    assert max(len(line.split()) for line in lines) < 64
    listed = [line.partition("-m int ")[2].split()[:-1] for line in lines if "use_backend" in line]
    assert [int(number) for numbers in listed for number in numbers] == [*range(1, 151)]


def test_an_ingress_as_it_is_told() -> None:
    fields = {
        "rules": [rule("a.b", "Prefix /")],
        "default_backend": backend(),
        "tls": [{"secret_name": "cert"}],
        "ingress_class_name": "nginx",
    }
    shop = stack(web=fields)
    pods = [PodStanding(shop.pods[0], "10.88.0.5", True)]
    fronts = (*fronts_of(shop, pods, {}), *fronts_behind(shop, pods))
    told = {"service": "web", "port": 80, "endpoints": ["10.88.0.5:8080"]}
    assert describe(shop, shop.ingresses[0], entrance_of([shop], 80, 443), fronts) == {
        "name": "web",
        "stack": "shop",
        "class": "nginx",
        "hosts": ["a.b"],
        "ports": [80, 443],
        "rules": [{"host": "a.b", "path": "/", "path_type": "Prefix", **told}],
        "default_backend": told,
        "tls": [{"secret_name": "cert", "hosts": ["a.b"]}],
    }
