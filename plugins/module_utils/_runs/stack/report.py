# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack's plan as the result of the module `stack`: its operations, and the result of each object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._declaration.stack.options import to_options
from ..._declaration.stack.spec import StackSpec
from ..._reconcile.stack.observed import ObservedStack
from ..._reconcile.stack.request import StackRequest
from ..._reconcile.stack.steps import PodStep, StackPlan
from ..._reconcile.workloads.steps import StopWorkload
from .. import report

Statuses = Mapping[tuple[str, str], Any]
"""The last status of each workload in Kubernetes' shape, by its kind and name."""
_GROUPS = (
    ("ConfigMap", "config_maps"),
    ("Secret", "secrets"),
    ("Volume", "volumes"),
    ("Network", "networks"),
    ("Service", "services"),
    ("Ingress", "ingresses"),
)


def changes(
    plan: StackPlan, request: StackRequest, stack: StackSpec, found: ObservedStack, key: bytes, statuses: Statuses
) -> dict[str, Any]:
    """The result, without the warnings of the pods and without the values to mask."""
    result: dict[str, Any] = {
        "changed": bool(plan),
        "actions": plan.lines(),
        "objects": _objects(plan, request, stack, found.before, statuses),
        "stack": {"name": request.name, "revision": found.record.current},
    }
    if plan:
        after = None if request.state == "absent" else stack
        result["diff"] = {
            "before": report.shown_options(to_options(found.before) if found.before else None, key),
            "after": report.shown_options(to_options(after) if after else None, key),
            "prepared": "\n".join([*plan.lines(), ""]),
        }
    return result


def _objects(
    plan: StackPlan, request: StackRequest, stack: StackSpec, before: StackSpec | None, statuses: Statuses
) -> list[dict[str, Any]]:
    """One entry for each object, with its result."""
    pods: list[dict[str, Any]] = [
        {"kind": "Pod", "name": step.pod, "result": _result(step), "actions": [str(item) for item in step.operations]}
        for step in plan.pods()
    ]
    old = before or StackSpec(request.name)
    new = StackSpec(request.name) if request.state == "absent" else stack
    workloads = [*_workloads(plan, request, old, new, statuses)]
    return [*pods, *workloads] + [
        {"kind": kind, "name": name, "result": result}
        for kind, group in _GROUPS
        for name, result in _compared(
            getattr(old, group), getattr(new, group), kind == "Volume" and not request.prune_volumes
        )
    ]


def _workloads(
    plan: StackPlan, request: StackRequest, old: StackSpec, new: StackSpec, statuses: Statuses
) -> Iterator[dict[str, Any]]:
    """The declared workloads, then those that are declared no more."""
    rolled = {(step.kind, step.workload): [str(item) for item in step.operations] for step in plan.rollouts()}
    stopped = {(item.kind, item.pod) for item in plan.operations if isinstance(item, StopWorkload)}
    before, after = ({(item.kind, item.name): item for item in spec.workloads} for spec in (old, new))
    for key in {**after, **before}:
        actions, status = rolled.get(key, []), statuses.get(key)
        if key not in after:
            result, actions, status = "removed" if request.prune or not request.is_to_run else "kept", [], None
        elif key not in before:
            result = "created"
        elif key in stopped:
            result = "stopped"
        else:
            result = "changed" if actions or before[key] != after[key] else "unchanged"
        told = {"kind": key[0], "name": key[1], "result": result, "actions": actions}
        yield {**told, "status": status} if status else told


def _result(step: PodStep) -> str:
    if step.goal == "absent":
        return "removed"
    if not step.plan:
        return "unchanged"
    if step.goal == "stopped":
        return "stopped"
    return "changed" if step.view.observed.pod else "created"


def _compared(before: Any, after: Any, outlives: bool) -> Iterator[tuple[str, str]]:
    old, new = {item.name: item for item in before}, {item.name: item for item in after}
    for name, item in new.items():
        yield name, "created" if name not in old else "unchanged" if old[name] == item else "changed"
    for name in old:
        if name not in new:
            yield name, "kept" if outlives else "removed"
