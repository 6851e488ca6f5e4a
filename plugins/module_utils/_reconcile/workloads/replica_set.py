# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A number of pods, kept: ReplicaSet and ReplicationController, and what a Deployment does with each of its revisions.

Source: Kubernetes 1.37, pkg/controller/replicaset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from ..._declaration.workloads import spec as w
from ..operations import Operation
from .facts import WorkloadPod, by_worth, free_numbers, next_available_at
from .revisions import Revisions, pod_name, with_latest, without_old
from .steps import AddPod, EndPod, WorkloadStep

ReplicaWorkload = Union[w.ReplicaSet, w.ReplicationController]


@dataclass(frozen=True)
class ReplicaSetRecord:
    """The templates of pods that are still there. A changed one is for pods that are made from then on."""

    revisions: Revisions = ()


@dataclass(frozen=True)
class ReplicaSetStatus:
    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int = 0


def step(
    wanted: ReplicaWorkload, revision: str, record: ReplicaSetRecord, pods: Sequence[WorkloadPod], now: float
) -> WorkloadStep[ReplicaSetRecord, ReplicaSetStatus]:
    """Decide what is next for a ReplicaSet. ``revision`` is the `template_digest` of what is wanted."""
    active = by_worth(pods, wanted.min_ready_seconds, now)
    operations: list[Operation] = [*ended(pods)]
    if len(active) > wanted.replicas:
        surplus = active[: len(active) - wanted.replicas]
        operations += [EndPod(pod.name, f"{len(active)} pods, {wanted.replicas} wanted") for pod in surplus]
    elif len(active) < wanted.replicas:
        cause = f"{len(active)} pods, {wanted.replicas} wanted"
        operations += added(wanted.name, revision, pods, wanted.replicas - len(active), cause)
    revisions = with_latest(record.revisions, revision, wanted.template)
    in_use = {revision, *(pod.revision for pod in pods)}
    return WorkloadStep(
        ReplicaSetRecord(without_old(revisions, 0, in_use)),
        _status(wanted, pods, now),
        tuple(operations),
        next_available_at(pods, wanted.min_ready_seconds, now),
    )


def _status(wanted: ReplicaWorkload, pods: Sequence[WorkloadPod], now: float) -> ReplicaSetStatus:
    active = [pod for pod in pods if pod.is_active]
    return ReplicaSetStatus(
        replicas=len(active),
        fully_labeled_replicas=len(active),
        ready_replicas=sum(pod.is_ready for pod in active),
        available_replicas=sum(pod.is_available(wanted.min_ready_seconds, now) for pod in active),
        terminating_replicas=sum(pod.is_ending for pod in pods),
    )


def ended(pods: Sequence[WorkloadPod]) -> Iterator[EndPod]:
    """The removal of pods that have ended although they are to be kept: others come in their places."""
    for pod in pods:
        if pod.is_over and not pod.is_ending:
            yield EndPod(pod.name, f"it has ended: {pod.phase}")


def added(workload: str, revision: str, pods: Sequence[WorkloadPod], count: int, cause: str) -> list[AddPod]:
    """So many pods of a revision, with the lowest numbers that are free."""
    taken = [pod.number for pod in pods if pod.revision == revision]
    return [
        AddPod(pod_name(workload, revision, number), cause, revision, number) for number in free_numbers(taken, count)
    ]


def converged(
    workload: str,
    sizes: Mapping[str, int],
    pods: Sequence[WorkloadPod],
    min_ready_seconds: int,
    now: float,
    *,
    at_most: int,
    at_least: int,
    causes: Mapping[str, str],
) -> list[Operation]:
    """What brings each revision to its size, as far as the bounds allow.

    ``at_most`` pods are there at a time, those that are being removed among them, and ``at_least`` so many stay
    available. ``causes`` says of each revision why its size changes.
    """
    operations: list[Operation] = [*ended(pods)]
    available = sum(pod.is_available(min_ready_seconds, now) for pod in pods)
    budget = max(available - at_least, 0)
    room = at_most - sum(not pod.is_over for pod in pods)
    ranked = by_worth(pods, min_ready_seconds, now)
    surplus = {revision: -sizes.get(revision, 0) for revision in {pod.revision for pod in ranked}}
    for pod in ranked:
        surplus[pod.revision] += 1
    for pod in ranked:
        is_available = pod.is_available(min_ready_seconds, now)
        if surplus[pod.revision] <= 0 or (is_available and not budget):
            continue
        surplus[pod.revision] -= 1
        budget -= is_available
        operations.append(EndPod(pod.name, causes.get(pod.revision, "its revision is gone")))
    for revision, size in sizes.items():
        active = sum(pod.revision == revision for pod in ranked)
        count = min(size - active, room)
        if count > 0:
            room -= count
            operations += added(workload, revision, pods, count, causes[revision])
    return operations
