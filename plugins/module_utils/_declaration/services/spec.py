# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of Services: stable fronts before the pods of a stack that their selectors name. Frozen data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]
Affinity = Literal["None", "ClientIP"]

FIRST_NODE_PORT, LAST_NODE_PORT = 30000, 32767
NAMESPACE = "default"
"""The namespace that every Service has beside its own."""
HTTP_PORTS = (80, 8080)
"""Ports that carry HTTP where neither appProtocol nor a name says what they carry."""
_HTTP_PROTOCOLS = ("http", "kubernetes.io/ws")


@dataclass(frozen=True)
class ServicePort:
    """A port of a Service: ``target_port`` (by default ``port``) is a number or the name of a pod's port.

    ``host_port`` is where the host listens for it, whatever the type of the Service.
    """

    port: int
    name: str | None = None
    target_port: int | str | None = None
    node_port: int | None = None
    host_port: int | None = None
    protocol: str = "TCP"
    app_protocol: str | None = None

    @property
    def target(self) -> int | str:
        return self.port if self.target_port is None else self.target_port

    @property
    def is_http(self) -> bool:
        """Whether requests are told apart, so that those of one connection can go to different pods."""
        if self.app_protocol is not None:
            return self.app_protocol in _HTTP_PROTOCOLS
        if self.name is not None:
            return self.name == "http" or self.name.startswith("http-")
        return self.port in HTTP_PORTS


@dataclass(frozen=True)
class ClientIP:
    """For how long (seconds) a client that is silent is remembered."""

    timeout_seconds: int = 10800


@dataclass(frozen=True)
class SessionAffinityConfig:
    """The settings of session affinity."""

    client_ip: ClientIP = field(default_factory=ClientIP)


@dataclass(frozen=True)
class Service:
    """One Service. ``cluster_ip`` is ``None`` (the word) for a headless one, which has no front.

    ``namespace`` is one more that its names are found in.
    ``drain_seconds`` is how long a pod that is about to end may take for the sessions that it has.
    """

    name: str
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...] = ()
    type: ServiceType = "ClusterIP"
    cluster_ip: str | None = None
    session_affinity: Affinity = "None"
    session_affinity_config: SessionAffinityConfig = field(default_factory=SessionAffinityConfig)
    publish_not_ready_addresses: bool = False
    drain_seconds: int = 30
    namespace: str = NAMESPACE

    @property
    def is_headless(self) -> bool:
        return self.cluster_ip is not None

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether a pod of these labels stands behind the Service."""
        return all(labels.get(key) == value for key, value in self.selector.items())

    def host_ports(self, stack: str) -> tuple[tuple[ServicePort, int], ...]:
        """Each port with a port of the host where it is to be had, in the order of the declaration.

        A node port that is not declared is computed from the names, so that it is the same at each run.
        """
        found = []
        taken = {port.node_port for port in self.ports}
        for port in self.ports:
            if port.host_port:
                found.append((port, port.host_port))
            if self.type == "LoadBalancer":
                found.append((port, port.port))
            number = port.node_port
            if self.type == "NodePort" and number is None:
                number = _node_port(f"{stack}/{self.name}/{port.port}", taken)
                taken.add(number)
            if number is not None and self.type != "ClusterIP":
                found.append((port, number))
        return tuple(dict.fromkeys(found))


def _node_port(key: str, taken: set[int | None]) -> int:
    size = LAST_NODE_PORT - FIRST_NODE_PORT + 1
    first = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % size
    numbers = (FIRST_NODE_PORT + (first + step) % size for step in range(size))
    return next(number for number in numbers if number not in taken)
