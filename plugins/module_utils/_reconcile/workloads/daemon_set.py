# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DaemonSet: one pod on this host, where this host is one of its own.

Source: Kubernetes 1.37, pkg/controller/daemon. Which hosts have it, and how many of them are updated at a time, is the
inventory's word. Different here: an update that makes no progress goes back by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..._declaration.workloads import spec as w
from ..operations import Operation
from .bounds import scaled
from .facts import WorkloadPod, by_worth, next_available_at
from .progress import Rollout, RolloutRecord, begun, deadline, progressed, way_back
from .replica_set import added, ended
from .revisions import without_old
from .steps import Conditions, EndPod, WorkloadStep, earliest

_ONE = "a host of a DaemonSet has one pod"


@dataclass(frozen=True)
class DaemonSetRecord(RolloutRecord):
    """Nothing but what is kept of any workload that has rollouts."""


@dataclass(frozen=True)
class DaemonSetStatus:
    current_number_scheduled: int = 0
    desired_number_scheduled: int = 0
    number_misscheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    number_unavailable: int = 0
    updated_number_scheduled: int = 0
    conditions: Conditions = ()


def step(
    wanted: w.DaemonSet,
    revision: str,
    record: DaemonSetRecord,
    pods: Sequence[WorkloadPod],
    now: float,
    is_here: bool = True,
) -> WorkloadStep[DaemonSetRecord, DaemonSetStatus]:
    """Decide what is next for a DaemonSet. ``revision`` is the `template_digest` of what is wanted.

    ``is_here``: this host is one that is to have it.
    """
    rollout = Rollout(wanted, revision, now)
    record = begun(rollout, record)
    record = progressed(rollout, record, pods, *_outcome(wanted, revision, pods, now, is_here))
    back = way_back(rollout, record)
    in_use = {revision, record.good, *(pod.revision for pod in pods)}
    revisions = without_old(record.revisions, wanted.revision_history_limit, in_use)
    after = replace(record, revisions=revisions, failed=back.failed)
    moves = _moved(wanted, revision, pods, now) if is_here else _gone(pods)
    return WorkloadStep(
        after,
        replace(_status(wanted, revision, pods, now, is_here), conditions=after.conditions),
        (*ended(pods), *moves, *back.operations),
        earliest(next_available_at(pods, wanted.min_ready_seconds, now), deadline(rollout, after.conditions)),
        back.events,
    )


def _outcome(
    wanted: w.DaemonSet, revision: str, pods: Sequence[WorkloadPod], now: float, is_here: bool
) -> tuple[bool, bool]:
    """Whether all is as it is to be, and whether an available pod of the wanted revision has shown that it is good."""
    if not is_here:
        return not any(pod.is_active for pod in pods), False
    available = [pod for pod in pods if pod.is_available(wanted.min_ready_seconds, now)]
    is_alone = len(available) == 1 == sum(not pod.is_over for pod in pods)
    has_proven = is_alone and available[0].revision == revision
    return is_alone and (has_proven or wanted.update_strategy.type == "OnDelete"), has_proven


def _gone(pods: Sequence[WorkloadPod]) -> Iterator[Operation]:
    for pod in pods:
        if pod.is_active:
            yield EndPod(pod.name, "this host is not one of those that its template selects")


def _moved(wanted: w.DaemonSet, revision: str, pods: Sequence[WorkloadPod], now: float) -> Iterator[Operation]:
    ranked = by_worth(pods, wanted.min_ready_seconds, now)
    is_updating = wanted.update_strategy.type == "RollingUpdate"
    new = [pod for pod in ranked if pod.revision == revision or not is_updating]
    old = [pod for pod in ranked if pod not in new]
    yield from (EndPod(pod.name, _ONE) for pod in new[:-1])
    is_served = bool(new) and new[-1].is_available(wanted.min_ready_seconds, now)
    surge = _surge(wanted)
    for pod in old:
        is_idle = not pod.is_available(wanted.min_ready_seconds, now)
        if not surge or is_served or (is_idle and new):
            yield EndPod(pod.name, "its revision gives way")
    # Pods that have ended hold nothing, and others only where there may be one more.
    present = sum(not pod.is_over for pod in pods)
    if not new and present <= (surge if old else 0):
        yield from added(wanted.name, revision, pods, 1, "this host has none" if not old else "it comes before the old")


def _surge(wanted: w.DaemonSet) -> int:
    update = wanted.update_strategy.rolling_update
    return min(scaled(update.max_surge, 1, round_up=True), 1) if update else 0


def _status(
    wanted: w.DaemonSet, revision: str, pods: Sequence[WorkloadPod], now: float, is_here: bool
) -> DaemonSetStatus:
    active = [pod for pod in pods if pod.is_active]
    if not is_here:
        return DaemonSetStatus(number_misscheduled=int(bool(active)))
    available = any(pod.is_available(wanted.min_ready_seconds, now) for pod in active)
    return DaemonSetStatus(
        current_number_scheduled=int(bool(active)),
        desired_number_scheduled=1,
        number_ready=int(any(pod.is_ready for pod in active)),
        number_available=int(available),
        number_unavailable=int(not available),
        updated_number_scheduled=int(any(pod.revision == revision for pod in active)),
    )
