# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each pod of a stack will find on the host when the run reaches it, made from what is observed now. Pure."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from ..._declaration.stack.spec import StackSpec, shared_volumes
from ..effective import host_ports
from ..observed import Observed, PortHolder, Usage
from ..rendering.limits import requested
from .observed import ObservedStack


@dataclass(frozen=True)
class Foresight:
    """By then the ``leaving`` pods are removed, shared objects exist, and the stack's other pods use their share."""

    stack: StackSpec
    found: ObservedStack
    leaving: tuple[str, ...]

    def of(self, name: str, observed: Observed) -> Observed:
        """What a pod will find; ``observed`` is what it would find now."""
        own, used = self._own_use(name), self._used_by_all
        return replace(
            observed,
            taken_ports={
                port: holder
                for port, holder in observed.taken_ports.items()
                if not (self._leaves(holder) or self._gives_up(name, port, holder))
            },
            usage=Usage(
                used.cpu_millicores - own.cpu_millicores, used.memory_bytes - own.memory_bytes, used.pods - own.pods
            ),
            volumes=observed.volumes | {volume.name for volume in shared_volumes(self.stack)},
            foreign_names={k: v for k, v in observed.foreign_names.items() if k not in self._names_to_go},
            networks=self._networks,
        )

    def _own_use(self, name: str) -> Usage:
        """What a pod has itself of what all have asked for; one that a workload has made has it where it is there."""
        declared = self.stack.find(name)
        if declared:
            return Usage(*requested(declared), 1)
        return Usage() if name in self.leaving else self.found.requests.get(name, Usage())

    def givers(self, name: str, observed: Observed) -> tuple[str, ...]:
        """The pods of the stack that have host ports which this pod needs and they no longer declare."""
        taken = observed.taken_ports.items()
        return tuple(dict.fromkeys(holder.name for port, holder in taken if self._gives_up(name, port, holder)))

    def _leaves(self, holder: PortHolder) -> bool:
        return holder.kind == "pod" and self.stack.find(holder.name) is None and holder.name in self.leaving

    def _gives_up(self, name: str, port: str, holder: PortHolder) -> bool:
        """Whether another pod of the stack has the port and no longer declares it."""
        pod = self.stack.find(holder.name) if holder.kind == "pod" and holder.name != name else None
        if pod is None:
            return False
        return port.rpartition(":")[2] not in {f"{own.host_port}/{own.protocol.lower()}" for own in host_ports(pod)}

    @functools.cached_property
    def _used_by_all(self) -> Usage:
        """The requests of all our pods: those of the stack, and all others on this host."""
        others = [name for name in self.found.pods if self.stack.find(name) is None and name not in self.leaving]
        theirs = [self.found.requests.get(name, Usage()) for name in others]
        own = [requested(pod) for pod in self.stack.pods]
        return Usage(
            sum(one.cpu_millicores for one in theirs) + sum(cpu for cpu, _memory in own),
            sum(one.memory_bytes for one in theirs) + sum(memory for _cpu, memory in own),
            len(theirs) + len(own),
        )

    @functools.cached_property
    def _networks(self) -> dict[str, bool] | None:
        """The networks that will exist, with whether each has IPv6; None if no pod depends on networks."""
        if not self.found.networks:
            return None
        present = {name: network.has_ipv6 for name, network in self.found.networks.items()}
        return {**{network.name: ":" in (network.subnet or "") for network in self.stack.networks}, **present}

    @functools.cached_property
    def _names_to_go(self) -> frozenset[str]:
        """The names in Podman that will be free: those of leaving pods and of their containers."""
        going = [self.found.pods[name] for name in self.leaving if name in self.found.pods]
        return frozenset({*self.leaving, *(name for pod in going for name in pod.containers)})
