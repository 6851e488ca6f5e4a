# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what runs of a Pod is ended: in which order, with which hook, and within what time."""

from __future__ import annotations

from dataclasses import replace

from ..._declaration import spec as s
from ..observed import STUCK, UNWATCHED, ObservedContainer, ObservedPod
from ..operations import INFRA, Operation, Plan, StopContainer
from ..probe_worker import termination_order

STOPPABLE = ("running", "paused", "stopping", UNWATCHED, STUCK)
INFRA_GRACE_SECONDS = 10


def stop_pod(name: str, spec: s.PodSpec | None, pod: ObservedPod, cause: str) -> list[Operation]:
    """Stop all containers, then the sandbox; a sandbox that strangers use stays as it is."""
    operations = stop_all(name, spec, pod, cause)
    others_run = any(c.is_running for c in pod.strangers)
    # Also one that runs without a monitor.
    has_sandbox = pod.infra_is_running or any(c.is_infra and c.state in STOPPABLE for c in pod.containers)
    if has_sandbox and not others_run:
        last = 1 + max((op.batch for op in operations if isinstance(op, StopContainer)), default=0)
        operations.append(
            StopContainer(name, cause, INFRA, id=pod.infra_id, grace_seconds=INFRA_GRACE_SECONDS, batch=last)
        )
    return operations


def stop_all(name: str, spec: s.PodSpec | None, pod: ObservedPod, cause: str) -> list[Operation]:
    """What still runs of a pod, in the order in which it ends (see `termination_order`)."""
    running = {c.id: c for c in pod.members if c.state in STOPPABLE}
    order = {c.name: number for number, c in enumerate(spec.init_containers)} if spec else {}
    sidecars = sorted(
        (c for c in running.values() if c.role == "sidecar"), key=lambda c: (order.get(c.name, 0), c.started_at or 0)
    )
    others = (c for c in running.values() if c.role != "sidecar")
    waves = termination_order([(c.id, c.role) for c in (*others, *sidecars)])
    return [stop_of(name, spec, running[one], cause, batch) for batch, wave in enumerate(waves) for one in wave]


def stop_of(name: str, spec: s.PodSpec | None, found: ObservedContainer, cause: str, batch: int = 0) -> StopContainer:
    """How a container of a pod is ended: with the hook and the grace period that ``spec`` has for it."""
    container = spec.find(found.name) if spec else None
    has_process = found.is_running or found.state == UNWATCHED
    hook = container.lifecycle.pre_stop if container and container.lifecycle and has_process else None
    if container and hook:
        hook = s.numbered(hook, container)
    grace = spec.termination_grace_period_seconds if spec else s.PodSpec.termination_grace_period_seconds
    return StopContainer(name, cause, found.name, id=found.id, grace_seconds=grace, batch=batch, pre_stop=hook)


def with_grace_period(plan: Plan, seconds: int | None) -> Plan:
    """The plan with a grace period for its stops in place of the declared one; 0 is at once, without hooks."""
    if seconds is None:
        return plan

    def hurried(operation: Operation) -> Operation:
        if not isinstance(operation, StopContainer):
            return operation
        longest = INFRA_GRACE_SECONDS if operation.container == INFRA else seconds
        minimum = min(seconds, operation.minimum_seconds)
        hook = operation.pre_stop if seconds else None
        return replace(operation, grace_seconds=min(seconds, longest), minimum_seconds=minimum, pre_stop=hook)

    return Plan(tuple(map(hurried, plan.operations)))
