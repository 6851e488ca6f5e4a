# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ingresses of a stack, as its run sees them: why a host cannot have them.

The agent serves them (`agent.Services`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .._declaration.ingresses.spec import Ingress, rule_in_words
from .._declaration.stack.spec import StackSpec
from .._declaration.workloads.spec import template_of
from .._errors import Fault
from .._host.certificates import unfit
from .._host.podman.client import Podman
from .._host.store import Store
from .._reconcile.effective import host_ports
from .._reconcile.ingresses.entrance import Entrance, certificates_of, entrance_of
from .agent import Agent
from .services import holder_of, served_on_host

_OTHER_PORTS = "have the Ingresses at others by agent_ingress_http_port and agent_ingress_https_port of the role agent"


def refuse_ingresses(
    podman: Podman, store: Store, stack: StackSpec, own_pods: Collection[str], agent: Agent
) -> list[Fault]:
    """Every reason. ``own_pods`` are those that the stack has now: what they publish they may be about to give up."""
    if not stack.ingresses:
        return []
    present = agent.services.entrance()
    wanted = entrance_of([stack], present.http_port, present.https_port)
    return [
        *_unfit_certificates(stack),
        *_rules_of_others(wanted, present),
        *_taken_ports(podman, store, stack, own_pods, agent, wanted),
    ]


def _unfit_certificates(stack: StackSpec) -> Iterator[Fault]:
    reasons = {one.secret: unfit(one.pem) for one in certificates_of(stack)}
    for ingress in stack.ingresses:
        for number, tls in enumerate(ingress.tls):
            reason = reasons.get(tls.secret_name)
            if reason:
                path = f"{_words(ingress)}: tls[{number}].secret_name"
                yield Fault(path, f"the secret {tls.secret_name} is no certificate with its key: {reason}")


def _rules_of_others(wanted: Entrance, present: Entrance) -> Iterator[Fault]:
    own = {route.stack for route in wanted.routes}
    others = {route.is_for: route for route in present.routes if route.stack not in own}
    for route in wanted.routes:
        other = others.get(route.is_for)
        if other:
            twin = f"ingress {other.ingress} of stack {other.stack}"
            reason = f"{rule_in_words(*route.is_for)} is led elsewhere by {twin}"
            yield Fault(f"Ingress {route.ingress}", f"{reason}; give one of them another host or path")


def _taken_ports(
    podman: Podman, store: Store, stack: StackSpec, own_pods: Collection[str], agent: Agent, wanted: Entrance
) -> Iterator[Fault]:
    """The first Ingress tells of all: they have their ports together."""
    served = served_on_host(agent)
    declared = {number: f"service {one.name}" for one in stack.services for _port, number in one.host_ports(stack.name)}
    for pod in (*stack.pods, *map(template_of, stack.workloads)):
        ports = (port.host_port for port in host_ports(pod) if port.protocol == "TCP" and port.host_port)
        declared.update((number, f"pod {pod.name}") for number in ports)
    for port in wanted.ports():
        front = served.get(port)
        holder = declared.get(port, "")
        if not holder and front and front.stack != stack.name:
            holder = f"service {front.service} of stack {front.stack}"
        if not holder and not front and port not in agent.services.entrance().ports():
            holder = holder_of(podman, store, port, own_pods)
        if holder:
            reason = f"port {port} of the host is already used by {holder}; free it, or {_OTHER_PORTS}"
            yield Fault(_words(stack.ingresses[0]), reason)


def _words(ingress: Ingress) -> str:
    return f"Ingress {ingress.name}"
