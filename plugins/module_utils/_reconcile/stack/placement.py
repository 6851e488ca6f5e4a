# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a declared stack is for this host: Pods and workloads whose placement its labels meet. Pure.

It is judged once, when a declaration is handed in. The revision holds what is for this host, so that going back or
scaling needs no labels, and what has been for it before is no longer declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..._declaration import spec as s
from ..._declaration.stack.spec import StackSpec, reference
from ..._declaration.workloads.spec import template_of
from ..placement import mismatch
from .request import StackRequest


@dataclass(frozen=True)
class Elsewhere:
    """A Pod or workload that is not for this host, and why."""

    kind: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name} is not for this host, and skipped: {self.reason}"


def placed(request: StackRequest, labels: Mapping[str, str]) -> tuple[StackRequest, tuple[Elsewhere, ...]]:
    """The request for what is for the host with these labels, and what is not.

    Nothing waits for what is elsewhere. A volume that only Pods elsewhere claim is none of this host's.
    """
    stack = request.stack
    if stack is None:
        return request, ()
    pods = [("Pod", pod.name, mismatch(pod, labels)) for pod in stack.pods]
    workloads = [(one.kind, one.name, mismatch(template_of(one), labels)) for one in stack.workloads]
    elsewhere = tuple(Elsewhere(*one) for one in (*pods, *workloads) if one[-1])
    if not elsewhere:
        return request, ()
    kept = _without(stack, {(one.kind, one.name) for one in elsewhere})
    # A declaration of what is all elsewhere is no empty one.
    return replace(request, stack=kept, allow_empty=True), elsewhere


def told(result: Mapping[str, Any], elsewhere: tuple[Elsewhere, ...]) -> dict[str, Any]:
    """The result of the run on the rest, with a note for each of these and, where it tells of objects, one of them."""
    if not elsewhere:
        return dict(result)
    skipped = [{"kind": one.kind, "name": one.name, "result": "skipped", "reason": one.reason} for one in elsewhere]
    # What is elsewhere now and was here before is told as removed.
    present = {(item["kind"], item["name"]) for item in result.get("objects", ())}
    objects = [*result.get("objects", ()), *(item for item in skipped if (item["kind"], item["name"]) not in present)]
    return {**result, "objects": objects, "notes": [*result.get("notes", ()), *map(str, elsewhere)]}


def _without(stack: StackSpec, gone: set[tuple[str, str]]) -> StackSpec:
    pods = tuple(pod for pod in stack.pods if ("Pod", pod.name) not in gone)
    workloads = tuple(one for one in stack.workloads if (one.kind, one.name) not in gone)
    here = {*(pod.name for pod in pods), *(reference(one.kind, one.name) for one in workloads)}
    depends_on = {
        name: tuple(one for one in dependencies if one.on in here)
        for name, dependencies in stack.depends_on.items()
        if name in here
    }
    before, after = _claims(stack.pods, stack.workloads), _claims(pods, workloads)
    return replace(
        stack,
        pods=pods,
        workloads=workloads,
        depends_on={name: dependencies for name, dependencies in depends_on.items() if dependencies},
        volumes=tuple(one for one in stack.volumes if one.name in after or one.name not in before),
    )


def _claims(pods: tuple[s.PodSpec, ...], workloads: tuple[Any, ...]) -> set[str]:
    templates = (*pods, *map(template_of, workloads))
    claims = (volume.persistent_volume_claim for pod in templates for volume in pod.volumes)
    return {claim.claim_name for claim in claims if claim}
