# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names by which Pods find Services, as lines of their /etc/hosts. Pure.

Source: Kubernetes' specification of DNS-based service discovery, for names and for what is behind those of a headless
Service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..._declaration.services.spec import NAMESPACE, Service
from ..._declaration.stack.spec import StackSpec
from .fronts import PodStanding

DOMAIN = ".svc.cluster.local"
"""What the last name of each line ends with, and no name that anybody else writes."""


@dataclass(frozen=True)
class Named:
    """An address that has names: of a Service, or by ``hostname`` of one Pod behind a headless one."""

    stack: str
    service: str
    namespaces: tuple[str, ...]
    address: str
    hostname: str = ""

    @property
    def label(self) -> str:
        """What all its names begin with."""
        return f"{self.hostname}.{self.service}" if self.hostname else self.service

    def names(self, stack: str) -> Iterator[str]:
        """Its names as Pods of a stack see them: only those of its own know it without a namespace."""
        namespaces = [name for name in self.namespaces if name != NAMESPACE]
        if stack == self.stack:
            yield self.label
            namespaces.insert(0, NAMESPACE)
        for namespace in dict.fromkeys(namespaces):
            yield f"{self.label}.{namespace}"
            yield f"{self.label}.{namespace}.svc"
            yield f"{self.label}.{namespace}{DOMAIN}"


def named(stack: StackSpec, pods: Sequence[PodStanding], addresses: Mapping[str, str]) -> Iterator[Named]:
    """What has names in a stack. ``pods`` are all of its own; ``addresses`` those of the Services that have one."""
    for service in stack.services:
        # A stack's name is a namespace of its own: by it the Pods of other stacks find the Service.
        namespaces = tuple(dict.fromkeys((stack.name, service.namespace)))
        if service.is_headless:
            behind = (one for one in pods if _is_behind(service, one))
            for standing in sorted(behind, key=lambda one: one.pod.name):
                yield Named(stack.name, service.name, namespaces, standing.address)
                if standing.pod.subdomain == service.name:
                    hostname = standing.pod.hostname or standing.pod.name
                    yield Named(stack.name, service.name, namespaces, standing.address, hostname)
        elif addresses.get(service.name):
            yield Named(stack.name, service.name, namespaces, addresses[service.name])


def _is_behind(service: Service, standing: PodStanding) -> bool:
    """Whether the name of a headless Service leads to a Pod. One of which nothing is known yet counts as ready."""
    is_ready = standing.is_ready is not False and not standing.is_leaving
    is_shown = bool(standing.address) and (is_ready or service.publish_not_ready_addresses)
    return is_shown and service.selects(standing.pod.labels)


def host_lines(stack: str, present: Iterable[Named]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Addresses and their names for the Pods of a stack (empty: of none).

    A name is that of one Service: of its own stack's, else of the first that has it.
    """
    owners: dict[str, tuple[str, str]] = {}
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in sorted(present, key=lambda one: (one.stack != stack, one.stack)):
        owner = (one.stack, one.service)
        names = tuple(name for name in one.names(stack) if owners.setdefault(name, owner) == owner)
        if names:
            found[one.address, one.label] = names
    return tuple((address, names) for (address, _label), names in found.items())


def with_lines(text: str, wanted: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """A Pod's /etc/hosts with these lines in the place of those that it had.

    What others have written stays, and keeps its names: a Pod's own, those of hostAliases.
    """
    others = [line for line in text.splitlines() if not _is_ours(line)]
    taken = {name for line in others for name in _names(line)}
    lines = [f"{address}\t{' '.join(name for name in names if name not in taken)}" for address, names in wanted]
    return "".join(f"{line}\n" for line in (*others, *lines))


def _is_ours(line: str) -> bool:
    return any(name.endswith(DOMAIN) for name in _names(line))


def _names(line: str) -> list[str]:
    return line.partition("#")[0].split()[1:]
