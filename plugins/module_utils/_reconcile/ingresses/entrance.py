# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes to a host by HTTP, and where it is to go: the Ingresses of all stacks as one entrance. Pure.

Of the rules that a request meets the first counts, and they are in the order that Kubernetes has: a host by its name
before ``*``, that before all hosts; Exact before the others; the longer path before the shorter one. Default backends
come after all of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..._declaration import spec as s
from ..._declaration.ingresses.spec import CERTIFICATE, KEY, HttpPath, Ingress, IngressService, match_of
from ..._declaration.services.spec import Service, ServicePort
from ..._declaration.stack.spec import StackSpec
from ..rendering import materials as m
from ..services.fronts import Front, PodStanding, Policy, affinity_seconds, servers_of


@dataclass(frozen=True)
class Rewrite:
    """Another path for a request: ``pattern`` is what of its path is replaced, empty for all of it.

    In ``path`` stand ``$1`` to ``$9`` for the groups of the pattern.
    """

    path: str
    pattern: str = ""


@dataclass(frozen=True)
class Route:
    """One rule: requests for ``host`` (empty for all) whose path is matched by ``kind`` and ``path`` go to ``front``.

    ``kind`` is Exact, Prefix, pattern, or default for those that no other route of the host is for.
    """

    stack: str
    ingress: str
    host: str
    kind: str
    path: str
    front: str
    is_to_https: bool = False
    rewrite: Rewrite | None = None

    @property
    def is_for(self) -> tuple[str, str, str]:
        """What no two routes have in common."""
        return self.host, self.kind, self.path


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, and the hosts that it is shown to; an empty one is for those without their own."""

    stack: str
    secret: str
    hosts: tuple[str, ...]
    pem: str = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.stack}:{self.secret}"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.pem.encode()).hexdigest()


@dataclass(frozen=True)
class Entrance:
    """Where the host listens for HTTP and HTTPS, and the routes in their order. One without routes is not opened."""

    http_port: int
    https_port: int
    routes: tuple[Route, ...]
    certificates: tuple[Certificate, ...] = ()

    def ports(self, but: str = "") -> tuple[int, ...]:
        """The ports that it takes for all stacks ``but`` one: that for HTTPS where there are certificates."""
        has_routes = any(route.stack != but for route in self.routes)
        has_certificates = any(one.stack != but for one in self.certificates)
        return (*([self.http_port] if has_routes else []), *([self.https_port] if has_certificates else []))


def entrance_of(stacks: Sequence[StackSpec], http_port: int, https_port: int) -> Entrance:
    """The entrance for the Ingresses of these stacks."""
    certificates = tuple(one for stack in stacks for one in certificates_of(stack))
    secured = {host for one in certificates for host in one.hosts}
    routes = [route for stack in stacks for ingress in stack.ingresses for route in _routes(stack, ingress, secured)]
    return Entrance(http_port, https_port, tuple(sorted(routes, key=_precedence)), certificates)


def _precedence(route: Route) -> tuple[object, ...]:
    host = 2 if not route.host else int(route.host.startswith("*."))
    return route.kind == "default", host, route.kind != "Exact", -len(route.path), *route.is_for, route.stack


def _routes(stack: StackSpec, ingress: Ingress, secured: set[str]) -> Iterator[Route]:
    """The routes of an Ingress; ``secured`` are the hosts that have a certificate."""
    for rule in ingress.rules:
        host = rule.host or ""
        for path in rule.paths:
            front = _front_name(stack, ingress, path.backend.service)
            is_to_https = _is_to_https(ingress, host, secured)
            match = match_of(ingress, path)
            yield Route(stack.name, ingress.name, host, *match, front, is_to_https, _rewrite(ingress, path))
    if ingress.default_backend:
        front = _front_name(stack, ingress, ingress.default_backend.service)
        for host in (host or "" for host in ingress.hosts or (None,)):
            yield Route(stack.name, ingress.name, host, "default", "", front, _is_to_https(ingress, host, secured))


def _is_to_https(ingress: Ingress, host: str, secured: set[str]) -> bool:
    parent = host.partition(".")[2]
    has_certificate = host in secured or bool(parent and f"*.{parent}" in secured)
    return ingress.force_ssl_redirect or (ingress.ssl_redirect and has_certificate)


def _rewrite(ingress: Ingress, path: HttpPath) -> Rewrite | None:
    target = ingress.rewrite_target
    if target is None or target == path.path:
        return None
    groups = re.compile(path.path).groups if ingress.is_pattern(path) else 0
    # What was not matched is empty.
    target = re.sub(r"\$([1-9])", lambda found: found[0] if int(found[1]) <= groups else "", target)
    return Rewrite(target, path.path if "$" in target else "")


# --- backends --------------------------------------------------------------------------------------------------------


def fronts_behind(stack: StackSpec, pods: Sequence[PodStanding]) -> tuple[Front, ...]:
    """A front without listeners for each Service that an Ingress of the stack leads to."""
    return tuple(
        Front(
            stack.name,
            service.name,
            port.port,
            is_http=True,
            affinity_seconds=affinity_seconds(service),
            servers=servers_of(service, port, pods),
            ingress=ingress.name,
            policy=_policy(ingress),
        )
        for ingress in stack.ingresses
        for service, port in _ports_behind(stack, ingress)
    )


def _ports_behind(stack: StackSpec, ingress: Ingress) -> Iterable[tuple[Service, ServicePort]]:
    found = {}
    for backend in ingress.backends():
        service, port = port_behind(stack, backend.service)
        found[service.name, port.port] = service, port
    return found.values()


def port_behind(stack: StackSpec, wanted: IngressService) -> tuple[Service, ServicePort]:
    """The Service that a backend names, and its port; the parser has seen that there are such."""
    service = next(one for one in stack.services if one.name == wanted.name)
    return service, next(one for one in service.ports if wanted.port.is_of(one.port, one.name))


def _front_name(stack: StackSpec, ingress: Ingress, wanted: IngressService) -> str:
    service, port = port_behind(stack, wanted)
    return Front(stack.name, service.name, port.port, ingress=ingress.name).name


def _policy(ingress: Ingress) -> Policy:
    size = ingress.proxy_body_size
    # The proxy has one limit for both: nothing is cut off earlier than either says.
    silence = max(ingress.proxy_read_timeout or 0, ingress.proxy_send_timeout or 0)
    return Policy(
        ingress.proxy_connect_timeout,
        silence or None,
        int(size.value) if size and not size.is_zero() else None,
        ingress.whitelist_source_range,
    )


# --- certificates ----------------------------------------------------------------------------------------------------


def certificates_of(stack: StackSpec) -> tuple[Certificate, ...]:
    """The certificates of a stack's Ingresses, each once."""
    hosts: dict[str, dict[str, None]] = {}
    for ingress in stack.ingresses:
        for tls in ingress.tls:
            names = [host or "" for host in ingress.tls_hosts(tls)]
            hosts.setdefault(tls.secret_name, {}).update(dict.fromkeys(names))
    secrets = tuple(secret for secret in stack.secrets if secret.name in hosts)
    values = m.gather(s.PodSpec("", (), secrets=secrets), {}).secrets
    return tuple(
        Certificate(stack.name, name, tuple(hosts[name]), _pem(values[name]))
        for name in sorted(hosts)
        if name in values
    )


def _pem(values: Mapping[str, bytes]) -> str:
    """Both parts as one text without empty lines, which would end it for the proxy."""
    lines = b"\n".join((values[CERTIFICATE], values[KEY])).decode(errors="replace").splitlines()
    return "".join(f"{line.strip()}\n" for line in lines if line.strip())
