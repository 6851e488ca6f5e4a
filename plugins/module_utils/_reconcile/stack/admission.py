# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host refuses a stack, apart from its pods' own reasons; each fault has the path of its object. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..._declaration.stack.spec import StackSpec
from ..._errors import Fault
from .observed import ObservedStack, ObservedVolume
from .request import StackRequest

_REMEDY = "Podman cannot change it: give it another name, or remove it by hand"


def refuse_stack(
    request: StackRequest, stack: StackSpec, found: ObservedStack, leaving: tuple[str, ...]
) -> list[Fault]:
    """Every reason: a declaration without pods, pods of other stacks, objects that Podman cannot change."""
    return [
        *_emptied(request, stack, leaving),
        *_owned_by_others(request, stack, found),
        *_other_networks(stack, found),
        *_other_volumes(stack, found),
    ]


def refuse_circle(circle: tuple[str, ...]) -> list[Fault]:
    """The fault of pods that wait for each other in a circle, as `order.cycle` returns it; none if empty."""
    if not circle:
        return []
    return [
        Fault("pods", f"host ports go round among {', '.join(circle[:-1])}; free one of them in a run of its own"),
    ]


def place_fault(request: StackRequest, pod: str, fault: Fault) -> Fault:
    """A pod's fault with its path within the stack. Faults of pods with a known place have it already."""
    if pod in request.places or fault.path.partition("/")[0] == pod:
        return fault
    return Fault(f"{pod}.{fault.path}", fault.reason)


def _emptied(request: StackRequest, stack: StackSpec, leaving: tuple[str, ...]) -> Iterator[Fault]:
    """A declaration of neither pods nor workloads may be an empty file: unless that is allowed, it removes no pods."""
    is_empty = not stack.pods and not stack.workloads
    if request.state == "started" and leaving and is_empty and not request.allow_empty:
        yield Fault(
            "pods",
            f"the declaration has none, and stack {request.name} has {', '.join(sorted(leaving))}, which would all be "
            "removed; if that is meant, set allow_empty (podwright apply --prune-all), or state to absent",
        )


def _owned_by_others(request: StackRequest, stack: StackSpec, found: ObservedStack) -> Iterator[Fault]:
    for pod in stack.pods:
        owner = found.owners.get(pod.name, request.name)
        if owner != request.name:
            place = request.places.get(pod.name)
            path = place.name.path if place else pod.name
            yield Fault(path, f"the pod {pod.name} belongs to stack {owner}; remove it there, or choose another name")


def _other_networks(stack: StackSpec, found: ObservedStack) -> Iterator[Fault]:
    """Networks that exist with other settings."""
    for number, network in enumerate(stack.networks):
        present = found.networks.get(network.name)
        if present and present.is_internal != network.internal:
            yield Fault(f"networks[{number}].internal", f"network {network.name} is there with another one; {_REMEDY}")
        if present and network.subnet and network.subnet not in present.subnets:
            shown = ", ".join(present.subnets) or "none"
            yield Fault(f"networks[{number}].subnet", f"network {network.name} is there with {shown}; {_REMEDY}")


def _other_volumes(stack: StackSpec, found: ObservedStack) -> Iterator[Fault]:
    """Volumes that exist with other settings."""
    for number, volume in enumerate(stack.volumes):
        present = found.volumes.get(volume.name, ObservedVolume(volume.name, volume.driver, volume.options))
        if present.driver != volume.driver or (volume.options and dict(present.options) != dict(volume.options)):
            place = f"volumes[{number}].{'driver' if present.driver != volume.driver else 'options'}"
            yield Fault(place, f"volume {volume.name} is there with another one; {_REMEDY}")
