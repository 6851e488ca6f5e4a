# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of a Service's endpoints: the servers that are wanted against those that the proxy has -> operations. Pure.

What takes connections in comes first, and what keeps them off afterwards: while a pod is ready, one always takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..operations import Operation
from .fronts import Front, Server

ServerState = Literal["ready", "drain", "maintenance"]
READY, LEAVING = "the pod is ready", "the pod is not ready, or about to end"
GONE = "the pod is gone"


@dataclass(frozen=True)
class FoundServer:
    """A server as the proxy has it. One in maintenance, as a new one is, takes no connections."""

    name: str
    state: ServerState


@dataclass(frozen=True)
class OnServer(Operation):
    """``front`` is the name of the front, ``server`` that of the pod behind it."""

    front: str
    server: str

    @property
    def target(self) -> str:
        return f"endpoint {self.server} of {self.front}"


@dataclass(frozen=True)
class AddServer(OnServer):
    """Make a pod known. It takes no connections yet."""

    address: str
    port: int
    verb = "add"


class ReadyServer(OnServer):
    """Let a pod take connections."""

    verb = "ready"


class DrainServer(OnServer):
    """Keep new connections and requests off a pod; those that it has go on."""

    verb = "drain"


class DeleteServer(OnServer):
    """Forget a pod. That is refused while it has sessions; it is then tried again by a later step."""

    verb = "del"


def plan_endpoints(front: Front, found: Sequence[FoundServer]) -> tuple[Operation, ...]:
    """The operations that make the servers of a front those that are wanted."""
    present = {server.name: server for server in found}
    wanted = {server.name: server for server in front.servers}
    gone = [server for server in found if server.name not in wanted]
    return (
        *(operation for server in front.servers for operation in _taking_in(front, server, present.get(server.name))),
        *(operation for server in front.servers for operation in _keeping_off(front, server, present.get(server.name))),
        *(DeleteServer(pod_of(server.name), GONE, front.name, server.name) for server in gone),
    )


def settled(front: Front, found: Sequence[FoundServer]) -> Front:
    """The front with servers of which nobody knows yet whether they are ready as the proxy has them."""
    ready = {server.name for server in found if server.state == "ready"}
    servers = (
        replace(server, is_ready=server.name in ready) if server.is_ready is None else server
        for server in front.servers
    )
    return replace(front, servers=tuple(servers))


def pod_of(server: str) -> str:
    """The pod of a server, by its name."""
    return server.partition(":")[0]


def _taking_in(front: Front, server: Server, found: FoundServer | None) -> Iterator[Operation]:
    if not server.is_ready:
        return
    if found is None:
        yield AddServer(server.pod, READY, front.name, server.name, server.address, server.port)
    if found is None or found.state != "ready":
        yield ReadyServer(server.pod, READY, front.name, server.name)


def _keeping_off(front: Front, server: Server, found: FoundServer | None) -> Iterator[Operation]:
    if server.is_ready is False and found is not None and found.state == "ready":
        yield DrainServer(server.pod, LEAVING, front.name, server.name)
