# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entrance of a host as a part of the proxy's configuration: HAProxy 2.6 or later. Pure.

Source: HAProxy 2.6, the configuration manual.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..._declaration.ingresses.spec import rule_in_words
from .entrance import Certificate, Entrance, Rewrite, Route

NAME = "ingress"
"""What the proxy calls the entrance. Fronts of Services have colons in their names."""
_HTTPS_PORT = 443
_WORDS = 40
"""How many words at most are listed on a line, which has room for 64."""

# What was sent by the client under these names is not believed. A client that is silent while it has to speak is not
# waited for as long as a pod is.
_RULES = """\
    mode http
    timeout client 1m
    timeout http-request 30s
    timeout http-keep-alive 75s
    http-request set-var(txn.host) req.hdr(host),host_only,lower
    http-request set-var(txn.domain) var(txn.host),regsub('^[^.]+','*')
    http-request set-var(txn.path) path,concat(/)
    acl routed var(txn.route) -m found
"""
_HEADERS = """\
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Port %[dst_port]
"""


def section(entrance: Entrance, certificate_list: str, has_ipv6: bool) -> str:
    """The entrance as text; ``certificate_list`` is the file that `certificate_lines` are in."""
    routes = dict(enumerate(entrance.routes, 1))
    lines = [f"\nfrontend {NAME}\n", _RULES, *_binds(entrance, certificate_list, has_ipv6)]
    for number, route in routes.items():
        condition = " ".join(["if !routed", *_conditions(route)])
        lines.append(f"    # {rule_in_words(*route.is_for)}, by ingress {route.ingress} of stack {route.stack}\n")
        lines.append(f"    http-request set-var(txn.route) int({number}) {condition}\n")
    told = "string 'No Ingress has a rule for this request.'"
    lines.append(f"    http-request return status 404 content-type text/plain {told} if !routed\n")
    port = "" if entrance.https_port == _HTTPS_PORT else f":{entrance.https_port}"
    for numbers in _lists([number for number, route in routes.items() if route.is_to_https]):
        redirect = f"http-request redirect prefix https://%[var(txn.host)]{port} code 308"
        lines.append(f"    {redirect} if !{{ ssl_fc }} {{ var(txn.route) -m int {numbers} }}\n")
    lines.append(_HEADERS)
    for number, route in routes.items():
        if route.rewrite:
            lines.append(f"    http-request {_rewriting(route.rewrite)} if {{ var(txn.route) -m int {number} }}\n")
    for front in dict.fromkeys(route.front for route in entrance.routes):
        lists = _lists([number for number, route in routes.items() if route.front == front])
        lines += [f"    use_backend {front} if {{ var(txn.route) -m int {numbers} }}\n" for numbers in lists]
    return "".join(lines)


def _binds(entrance: Entrance, certificate_list: str, has_ipv6: bool) -> Iterator[str]:
    secure = f" ssl crt-list {certificate_list} alpn h2,http/1.1 ssl-min-ver TLSv1.2"
    for port in entrance.ports():
        words = secure if port == entrance.https_port else ""
        yield f"    bind *:{port}{words}\n"
        if has_ipv6:
            yield f"    bind :::{port} v6only{words}\n"


def _conditions(route: Route) -> Iterator[str]:
    if route.host:
        name = "domain" if route.host.startswith("*.") else "host"
        yield f"{{ var(txn.{name}) -m str {_quoted(route.host)} }}"
    if route.kind == "Exact":
        yield f"{{ path -m str {_quoted(route.path)} }}"
    elif route.kind == "pattern":
        yield f"{{ path -m reg {_quoted(_from_the_start(route.path))} }}"
    elif route.path not in ("", "/"):
        yield f"{{ var(txn.path) -m beg {_quoted(route.path)} }}"


def _rewriting(rewrite: Rewrite) -> str:
    path = rewrite.path.replace("%", "%%")
    if not rewrite.pattern:
        return f"set-path {_quoted(path)}"
    groups = re.sub(r"\$([1-9])", r"\\\1", path)
    return f"replace-path {_quoted(_from_the_start(rewrite.pattern) + '.*$')} {_quoted(groups)}"


def _from_the_start(pattern: str) -> str:
    return f"(?i)^(?:{pattern})"


def _quoted(text: str) -> str:
    """Text in which nothing has a meaning. The parser lets no quote through."""
    return f"'{text}'"


def _lists(numbers: Sequence[int]) -> Iterator[str]:
    for first in range(0, len(numbers), _WORDS):
        yield " ".join(map(str, numbers[first : first + _WORDS]))


def certificate_lines(certificates: Sequence[Certificate], folder: str) -> str:
    """The list of certificates, by their files and the names that they are shown for.

    The first is shown to whoever asks by another name, or by none: that are those for all hosts, where there are any.
    """
    lines = [f"{path(one, folder)}\n" for one in certificates if "" in one.hosts]
    for one in certificates:
        hosts = [host for host in one.hosts if host]
        if hosts:
            lines.append(f"{path(one, folder)} {' '.join(hosts)}\n")
    return "".join(lines)


def path(certificate: Certificate, folder: str) -> str:
    """The file of a certificate, which is what the proxy calls it."""
    return f"{folder}/{certificate.name}.pem"
