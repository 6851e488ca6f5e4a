# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads on the host of `stack_model`: what a rollout does there, one write or one operation at a time.

A pod is available once it is up, and one of a Job has then done its work. What is decided anew at each look is all that
a run knows, but for the pods that it is just ending: so a run may be killed between any two of these moves.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from host_model import Host

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import (
    StackSpec,
    pod_with_configuration,
)
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._host.workload_store import KeptWorkload
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.context import Owner
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import Operation
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.steps import RolloutStep
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import kinds
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.facts import WorkloadPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.foresight import Rounds, foresee
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.made_pods import pod_of
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import (
    AddPod,
    EndPod,
    WorkloadStep,
)

if TYPE_CHECKING:
    from stack_model import StackHost, Wanted

NOW = 1_000_000.0
Move = Callable[[], "StackHost"]


@dataclass(frozen=True)
class UnderWay:
    """What a run is just doing to a pod of a workload, and has not done yet. ``is_end``: it is being removed."""

    pod: s.PodSpec
    operations: tuple[Operation, ...]
    owner: Owner
    is_end: bool = False


def known(host: StackHost, workload: w.AnyWorkload) -> dict[str, Owner]:
    """The pods of a workload that are on record, or are just being made."""
    owners = {**{name: one.owner for name, one in host.under_way.items()}, **host.members}
    key = workload.kind, workload.name
    return {name: owner for name, owner in owners.items() if (owner.kind, owner.workload) == key}


def is_up(host: StackHost, name: str) -> bool:
    """Whether all of a pod runs."""
    pod = host.pods.get(name, Host())
    found, recorded = pod.observed.pod, pod.recorded
    if found is None or recorded is None or not found.infra_is_running:
        return False
    members = {container.name: container for container in found.members}
    return all(c.name in members and members[c.name].is_running for c in recorded.containers)


def seen(host: StackHost, workload: w.AnyWorkload) -> list[WorkloadPod]:
    """The pods of a workload as its steps take them."""
    pods = []
    for name, owner in known(host, workload).items():
        phase = "Pending" if not is_up(host, name) else "Succeeded" if owner.kind == "Job" else "Running"
        pods.append(
            WorkloadPod(
                name,
                owner.revision,
                owner.number,
                phase,
                ready_since=NOW - 1 if phase == "Running" else None,
                is_ending=name in host.under_way and host.under_way[name].is_end,
                index=owner.index,
            )
        )
    return pods


def kept_of(host: StackHost, workload: w.AnyWorkload) -> KeptWorkload:
    first = KeptWorkload(workload.kind, workload.name, kinds.first_record(workload))
    return host.kept.get((workload.kind, workload.name), first)


def taken(host: StackHost, workload: w.AnyWorkload) -> tuple[kinds.Wanted, WorkloadStep[Any, Any]]:
    """The next step of a workload."""
    record = kept_of(host, workload).record
    aim = kinds.wanted(workload, record)
    return aim, kinds.take(aim, record, seen(host, workload), NOW, kinds.Surroundings())


def is_as_declared(host: StackHost, wanted: Wanted, reference: str) -> bool:
    """Whether a workload, such as ``Deployment/web``, is what those wait for that depend on it."""
    (workload,) = (one for one in wanted.stack.workloads if f"{one.kind}/{one.name}" == reference)
    _aim, step = taken(host, workload)
    return kinds.outcome(workload, step).is_there


def foreseen(host: StackHost, stack: StackSpec) -> dict[tuple[str, str], Rounds]:
    """What the steps of each workload come to, for the planner."""
    return {(workload.kind, workload.name): _foreseen(host, workload) for workload in stack.workloads}


def _foreseen(host: StackHost, workload: w.AnyWorkload) -> Rounds:
    record = kept_of(host, workload).record
    aim = kinds.wanted(workload, record)
    if workload.kind == "CronJob":
        return ()

    def take(record: Any, pods: Sequence[WorkloadPod], now: float) -> WorkloadStep[Any, Any]:
        return kinds.take(aim, record, pods, now, kinds.Surroundings())

    return foresee(take, record, seen(host, workload), NOW, runs_to_end=workload.kind == "Job")


def after_next_move(
    host: StackHost, wanted: Wanted, step: RolloutStep, chance: random.Random | None
) -> StackHost | None:
    """The host after the next thing that a rollout does; None where nothing is left to do."""
    (workload,) = (one for one in wanted.stack.workloads if (one.kind, one.name) == (step.kind, step.workload))
    assert host.before == wanted.stack, "what a workload is brought to is on record first"
    aim, further = taken(host, workload)
    kept = replace(kept_of(host, workload), record=further.record, is_stopped=False)
    if host.kept.get((workload.kind, workload.name)) != kept:
        # The record first, the operations afterwards.
        return replace(host, kept={**host.kept, (workload.kind, workload.name): kept})
    moves = [*_moves(host, wanted, workload, aim, further)]
    if moves:
        return (chance.choice(moves) if chance else moves[0])()
    assert kinds.outcome(workload, further).is_there, kinds.outcome(workload, further).missing
    return None


def _moves(
    host: StackHost, wanted: Wanted, workload: w.AnyWorkload, aim: kinds.Wanted, further: WorkloadStep[Any, Any]
) -> Iterator[Move]:
    """What was begun goes on; what is asked for, and what is not up, is begun."""
    own = known(host, workload)
    additions = {operation.pod: operation for operation in further.operations if isinstance(operation, AddPod)}
    ends = {operation.pod for operation in further.operations if isinstance(operation, EndPod)}
    for name in {**own, **additions}:
        found = host.find(name)
        if name in host.under_way:
            yield partial(_go_on, host, name)
        elif name in additions:
            template = aim.template(further.record, additions[name].revision)
            made = pod_of(aim.workload, template, additions[name])  # type: ignore[arg-type]
            pod = pod_with_configuration(wanted.stack_with_values, made)
            begun = UnderWay(pod, found.plan(pod).operations, _owner(workload, additions[name]))
            yield partial(_go_on, host.begin(name, begun), name)
        elif name in ends:
            begun = UnderWay(s.PodSpec(name, ()), found.plan_absent(name).operations, own[name], is_end=True)
            yield partial(_go_on, host.begin(name, begun), name)
        elif not is_up(host, name) and found.recorded:
            begun = UnderWay(found.recorded, found.plan(found.recorded).operations, own[name])
            yield partial(_go_on, host.begin(name, begun), name)


def _owner(workload: w.AnyWorkload, operation: AddPod) -> Owner:
    return Owner(workload.kind, workload.name, operation.revision, operation.number, operation.index)


def _go_on(host: StackHost, name: str) -> StackHost:
    """One operation further with a pod."""
    one = host.under_way[name]
    operation, *rest = one.operations
    host = host.begin(name, replace(one, operations=tuple(rest)) if rest else None).with_pod(one.pod, operation)
    is_on_record = host.find(name).recorded is not None
    return replace(host, members={**host.members, name: one.owner}) if is_on_record else host


def bounds_of(host: StackHost, workload: w.AnyWorkload) -> tuple[int, int]:
    """How many pods of a workload Podman has, and how many of them are available."""
    own = known(host, workload)
    present = [name for name in own if name in host.pods and host.pods[name].observed.pod]
    return len(present), sum(is_up(host, name) for name in present)


def forgotten(host: StackHost, wanted: Wanted) -> Mapping[tuple[str, str], KeptWorkload]:
    """What is kept of workloads once a run is concluded."""
    declared = {(workload.kind, workload.name) for workload in wanted.stack.workloads}
    return {
        key: kept
        for key, kept in host.kept.items()
        if key in declared or ("CronJob", kept.made_by) in declared or not wanted.request.prune
    }
