# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fronts of a stack's Services are to be: where each listens, and which pods stand behind it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..._declaration import spec as s
from ..._declaration.services.parse import port_names
from ..._declaration.services.spec import Service, ServicePort
from ..._declaration.stack.spec import StackSpec


@dataclass(frozen=True)
class PodStanding:
    """A pod as it stands. ``is_ready`` counts what it has been for as long as is asked; None where nobody knows yet.

    ``address`` is empty for a pod that has none, as before it has started. ``is_leaving``: it is about to end.
    """

    pod: s.PodSpec
    address: str = ""
    is_ready: bool | None = None
    is_leaving: bool = False


@dataclass(frozen=True)
class Server:
    """A pod behind one port of a Service. ``is_ready`` None: it is left as it is."""

    pod: str
    address: str
    port: int
    is_ready: bool | None

    @property
    def name(self) -> str:
        """Another one for each sandbox, so that a pod of the same name is another server."""
        return f"{self.pod}:{self.address}:{self.port}"


@dataclass(frozen=True)
class Policy:
    """What an Ingress says of the requests that it leads to a Service; None and nothing: as of all others.

    ``silence_seconds`` is for how long a pod may say nothing, ``body_bytes`` how much a client may send, ``sources``
    who may ask (addresses and subnets).
    """

    connect_seconds: int | None = None
    silence_seconds: int | None = None
    body_bytes: int | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Front:
    """One port of a Service: ``binds`` are addresses (``*`` for all of the host's) and ports that it listens on.

    ``affinity_seconds``: for how long a client stays with a pod; 0 for not at all. One that an ``ingress`` leads to
    has servers of its own and no listener: its requests come by the entrance of the host.
    """

    stack: str
    service: str
    port: int
    binds: tuple[tuple[str, int], ...] = ()
    is_http: bool = False
    affinity_seconds: int = 0
    servers: tuple[Server, ...] = ()
    ingress: str = ""
    policy: Policy = Policy()

    @property
    def name(self) -> str:
        name = f"{self.stack}:{self.service}:{self.port}"
        return f"{name}:{self.ingress}" if self.ingress else name


def fronts_of(stack: StackSpec, pods: Sequence[PodStanding], addresses: Mapping[str, str]) -> tuple[Front, ...]:
    """The fronts of a stack. ``pods`` are all of its own; ``addresses`` those of the Services that have one."""
    return tuple(
        Front(
            stack.name,
            service.name,
            port.port,
            _binds(stack.name, service, port, addresses.get(service.name, "")),
            port.is_http,
            affinity_seconds(service),
            servers_of(service, port, pods),
        )
        for service in stack.services
        if not service.is_headless
        for port in service.ports
    )


def affinity_seconds(service: Service) -> int:
    """For how long a client stays with a pod of the Service; 0 for not at all."""
    return service.session_affinity_config.client_ip.timeout_seconds if service.session_affinity == "ClientIP" else 0


def _binds(stack: str, service: Service, port: ServicePort, address: str) -> tuple[tuple[str, int], ...]:
    own = ((address, port.port),) if address else ()
    return (*own, *(("*", number) for one, number in service.host_ports(stack) if one == port))


def servers_of(service: Service, port: ServicePort, pods: Sequence[PodStanding]) -> tuple[Server, ...]:
    """The pods behind a port of a Service: those with its labels, an address, and the port that it names."""
    found = []
    for standing in sorted(pods, key=lambda one: one.pod.name):
        number = target_number(standing.pod, port)
        if number is None or not service.selects(standing.pod.labels) or not _is_reachable(standing):
            continue
        is_ready = standing.is_ready
        if standing.is_leaving:
            is_ready = False
        elif service.publish_not_ready_addresses:
            is_ready = True
        found.append(Server(standing.pod.name, standing.address, number, is_ready))
    return tuple(found)


def target_number(pod: s.PodSpec, port: ServicePort) -> int | None:
    """The number of a pod's port that a Service's port leads to; None where the pod has none of its name."""
    return port.target if isinstance(port.target, int) else port_names(pod).get(port.target)


def _is_reachable(standing: PodStanding) -> bool:
    """Whether the pod has an address of its own, or that of its host."""
    if not standing.address:
        return False
    return standing.pod.host_network or not ipaddress.ip_address(standing.address).is_loopback
