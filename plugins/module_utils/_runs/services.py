# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Services of a stack, as its run sees them: why a host cannot have them, and what goes with the stack.

The agent serves them (`agent.Services`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from .._declaration import spec as s
from .._declaration.stack.spec import StackSpec
from .._errors import Fault
from .._host import proxy, service_addresses
from .._host.podman.client import Podman
from .._host.store import Store
from .._host.taken_ports import taken_ports
from .._reconcile.effective import host_ports, port_text
from .._reconcile.services.fronts import Front
from .agent import Agent

_NO_AGENT = "its endpoints are kept by the agent, which this host does not have: apply the role agent first"
_ROOTLESS = "Pods of a user without root have no addresses that the host reaches; apply the stack as root"
_NO_PROXY = "HAProxy is not on this host, and Services need it: install the package haproxy, as the role stack does"


def refuse_services(
    podman: Podman, store: Store, stack: StackSpec, own_pods: Collection[str], agent: Agent | None, is_check: bool
) -> list[Fault]:
    """Every reason, of Ingresses where they share it. ``own_pods`` are those that the stack has now: what they publish
    they may be about to give up.

    A prediction (``is_check``) does not ask for HAProxy, which the same playbook may be about to install.
    """
    needs = (
        (agent is not None, _NO_AGENT),
        (os.geteuid() == 0, _ROOTLESS),
        (is_check or bool(proxy.program()), _NO_PROXY),
    )
    for is_met, reason in needs:
        if not is_met:
            fronts = [f"Service {service.name}" for service in stack.services if not service.is_headless]
            return [Fault(name, reason) for name in (*fronts, *(f"Ingress {one.name}" for one in stack.ingresses))]
    return list(_taken_ports(podman, store, stack, own_pods, agent)) if agent else []


def forget_services(store: Store, stack: str) -> None:
    """Where no agent does it: take away the addresses of a stack that is gone, and the proxy after the last stack.

    While other stacks have Services, the proxy goes on with all its ports until the next agent. Raises HostError.
    """
    addresses = service_addresses.ServiceAddresses(store.directory / service_addresses.FILE)
    given = addresses.read()
    left = {(owner, service) for owner, service in given if owner != stack}
    if len(left) < len(given):
        addresses.settle(left, None)
        if not left:
            proxy.Proxy(store.directory / proxy.FOLDER).end()


def served_on_host(agent: Agent) -> dict[int, Front]:
    """The fronts of Services by the ports that they have at all addresses of the host."""
    return {port: front for front in agent.services.fronts() for address, port in front.binds if address == "*"}


def _taken_ports(
    podman: Podman, store: Store, stack: StackSpec, own_pods: Collection[str], agent: Agent
) -> Iterator[Fault]:
    served = served_on_host(agent)
    entrance = agent.services.entrance()
    by_ingresses, by_others = entrance.ports(), entrance.ports(but=stack.name)
    for service in stack.services:
        for _port, number in service.host_ports(stack.name):
            front = served.get(number)
            if front and front.stack != stack.name:
                reason = f"port {number} of the host is that of service {front.service} of stack {front.stack}"
                yield Fault(f"Service {service.name}", f"{reason}; give it another node_port or host_port")
            elif number in by_others:
                reason = f"port {number} of the host is that of the Ingresses"
                yield Fault(f"Service {service.name}", f"{reason}; give it another node_port or host_port")
            holder = "" if front or number in by_ingresses else holder_of(podman, store, number, own_pods)
            if holder:
                yield Fault(
                    f"Service {service.name}", f"port {number} of the host is already used by {holder}; free it"
                )


def holder_of(podman: Podman, store: Store, number: int, own_pods: Collection[str]) -> str:
    """Who has a port of the host that the proxy is to listen on; empty for nobody, or for pods that may give it up."""
    given_up = {(port, "tcp") for pod in own_pods for port in _published(store, pod)}
    probe = s.ContainerPort(number, host_port=number)
    pod = s.PodSpec("", (s.Container("", "", ports=(probe,)),))
    holder = taken_ports(podman, pod, given_up).get(port_text(probe))
    return str(holder) if holder else ""


def _published(store: Store, pod: str) -> Iterator[int]:
    record = store.read_record(pod)
    for port in host_ports(record.applied.pod) if record else ():
        if port.host_port:
            yield port.host_port
