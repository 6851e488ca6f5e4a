# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the proxy, and what it says of its servers: HAProxy 2.6 or later. Pure.

Source: HAProxy 2.6, the configuration manual and the management guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..ingresses.configuration import section
from ..ingresses.entrance import Entrance
from .endpoints import FoundServer, ServerState
from .fronts import Front, Policy, Server

CHECKS = "check inter 2s fall 3 rise 1"
"""Finds a pod that is dead where nobody else is there to say so."""
_FORCED_MAINTENANCE, _FORCED_DRAIN = 0x01, 0x08
_MOST_AFFINITIES = "100k"


@dataclass(frozen=True)
class Surroundings:
    """Where the proxy's socket is, whose rights it has (empty: ours), and whether the host has IPv6.

    ``certificate_list`` is the file that lists its certificates.
    """

    socket: str
    user: str = ""
    has_ipv6: bool = False
    certificate_list: str = ""


def configuration(fronts: Sequence[Front], around: Surroundings, entrance: Entrance | None = None) -> str:
    """The configuration as text, with the servers that take connections."""
    parts = [_GLOBAL.format(socket=around.socket), *([f"    user {around.user}\n"] if around.user else []), _DEFAULTS]
    if entrance:
        parts.append(section(entrance, around.certificate_list, around.has_ipv6))
    return "".join([*parts, *(_section(front, around) for front in fronts)])


def frame(fronts: Sequence[Front], around: Surroundings, entrance: Entrance | None = None) -> str:
    """All of the configuration but the servers: only another one of these needs a reload."""
    return configuration([replace(front, servers=()) for front in fronts], around, entrance)


# A session that lasts is not cut, whatever it is silent for: the time-outs are an hour. What a client has sent is sent
# once more where the pod has closed the connection unused, and where that does no harm.
_GLOBAL = """\
# Written by podwrightd, for its own proxy: another file may be here in a moment.
global
    stats socket {socket} mode 600 level admin expose-fd listeners
    mworker-max-reloads 20
"""
_DEFAULTS = """
defaults
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    timeout tunnel 24h
    timeout http-request 1m
    timeout http-keep-alive 1h
    option redispatch 1
    option idle-close-on-response
    option dontlognull
    retries 3
    balance roundrobin
"""
_HTTP = """\
    mode http
    option forwardfor
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless METH_GET
"""
_BEHIND_INGRESS = _HTTP.replace("    option forwardfor\n", "")
_TCP = """\
    mode tcp
    option clitcpka
    option srvtcpka
"""


def _section(front: Front, around: Surroundings) -> str:
    if front.ingress:
        lines = [f"\nbackend {front.name}\n", _BEHIND_INGRESS, *_policy(front.policy)]
    else:
        lines = [f"\nlisten {front.name}\n", _HTTP if front.is_http else _TCP]
    for address, port in front.binds:
        lines.append(f"    bind {address}:{port}\n")
        if address == "*" and around.has_ipv6:
            lines.append(f"    bind :::{port} v6only\n")
    if front.affinity_seconds:
        lines.append(f"    stick-table type ip size {_MOST_AFFINITIES} expire {front.affinity_seconds}s\n")
        lines.append("    stick on src\n")
    lines += [f"    server {words(server)}\n" for server in front.servers if server.is_ready]
    return "".join(lines)


def _policy(policy: Policy) -> Iterator[str]:
    if policy.connect_seconds is not None:
        yield f"    timeout connect {policy.connect_seconds}s\n"
    if policy.silence_seconds is not None:
        yield f"    timeout server {policy.silence_seconds}s\n"
    yield from (f"    acl is_let_in src {source}\n" for source in policy.sources)
    if policy.sources:
        yield "    http-request deny deny_status 403 unless is_let_in\n"
    if policy.body_bytes is not None:
        yield f"    http-request deny deny_status 413 if {{ req.body_size gt {policy.body_bytes} }}\n"


def words(server: Server) -> str:
    """A server's name, address and checks, as the configuration and the socket have them."""
    return f"{server.name} {server.address}:{server.port} {CHECKS}"


def read_servers_state(text: str) -> dict[str, list[FoundServer]]:
    """The servers of each front by the answer to ``show servers state``."""
    found: dict[str, list[FoundServer]] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) > 6 and fields[0].isdigit():
            found.setdefault(fields[1], []).append(FoundServer(fields[3], _state(int(fields[6]))))
    return found


def _state(admin_state: int) -> ServerState:
    if admin_state & _FORCED_MAINTENANCE:
        return "maintenance"
    return "drain" if admin_state & _FORCED_DRAIN else "ready"


@dataclass(frozen=True)
class Traffic:
    """What a server has to do: its sessions now, all that it had, and its answers that were errors (5xx)."""

    sessions: int = 0
    sessions_total: int = 0
    errors: int = 0
    is_up: bool = True


def total(parts: Iterable[Traffic]) -> Traffic:
    """What comes to one pod by several fronts."""
    found = [*parts]
    return Traffic(
        sum(one.sessions for one in found),
        sum(one.sessions_total for one in found),
        sum(one.errors for one in found),
        all(one.is_up for one in found),
    )


def read_statistics(text: str) -> Mapping[tuple[str, str], Traffic]:
    """The traffic of each server, by front and server, by the answer to ``show stat``."""
    rows = [line.split(",") for line in text.splitlines() if line.strip()]
    if not rows:
        return {}
    names = [name.strip("# ") for name in rows[0]]
    found = {}
    for row in rows[1:]:
        fields = dict(zip(names, row))
        found[fields["pxname"], fields["svname"]] = Traffic(
            int(fields["scur"] or 0),
            int(fields["stot"] or 0),
            int(fields["hrsp_5xx"] or 0) + int(fields["eresp"] or 0),
            not fields["status"].startswith("DOWN"),
        )
    return found
