# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Deployment: pods of one template, replaced step by step by those of another.

Each revision has a size that is written down, as a ReplicaSet has in Kubernetes; a step moves the sizes and then the
pods towards them. Source: Kubernetes 1.37, pkg/controller/deployment. Different here: pods that are being removed
count, so that the bounds hold for what really runs; and an update that makes no progress goes back by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..._declaration.workloads import spec as w
from ..operations import Operation
from .bounds import Bounds, deployment_bounds, resolve
from .facts import WorkloadPod, next_available_at
from .progress import (
    PAUSED,
    PROGRESSING,
    RESUMED,
    TIMED_OUT,
    Rollout,
    RolloutRecord,
    WayBack,
    begun,
    begun_anew,
    deadline,
    progressed,
    way_back,
)
from .replica_set import converged
from .revisions import Revision, Revisions, find, without_old
from .steps import Conditions, WorkloadCondition, WorkloadStep, earliest, find_condition, with_condition

AVAILABLE = "Available"


@dataclass(frozen=True)
class DeploymentRecord(RolloutRecord):
    """``replicas`` and ``surge`` are those of the step before, to tell that the Deployment was scaled."""

    replicas: int | None = None
    surge: int = 0


@dataclass(frozen=True)
class DeploymentStatus:
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int = 0
    conditions: Conditions = ()


@dataclass(frozen=True)
class Options:
    """``reverts``: an update that exceeds its deadline goes back. ``room``: how many more pods the host can hold."""

    reverts: bool = True
    room: int | None = None


def step(
    wanted: w.Deployment,
    revision: str,
    record: DeploymentRecord,
    pods: Sequence[WorkloadPod],
    now: float,
    options: Options = Options(),
) -> WorkloadStep[DeploymentRecord, DeploymentStatus]:
    """Decide what is next for a Deployment. ``revision`` is the `template_digest` of what is wanted."""
    existing = sum(not pod.is_over for pod in pods)
    bounds = deployment_bounds(wanted, existing, options.room)
    view = _View(wanted, revision, bounds, pods, now)
    record = _settled(view, begun(view.rollout, _paused(view, record)))
    status = _status(view, record)
    is_done = is_complete(wanted, status)
    # With no pods wanted, none has shown that it is good.
    after = progressed(view.rollout, record, pods, is_done, has_proven=wanted.replicas > 0)
    after = replace(after, conditions=with_condition(after.conditions, _available(view, status), now))
    back = way_back(view.rollout, after) if options.reverts else WayBack(failed=after.failed)
    after = replace(after, failed=back.failed)
    return WorkloadStep(
        after,
        replace(status, conditions=after.conditions),
        (*_moved(view, after), *back.operations),
        earliest(next_available_at(pods, wanted.min_ready_seconds, now), deadline(view.rollout, after.conditions)),
        back.events,
    )


@dataclass(frozen=True)
class _View:
    """What a step goes by, and what follows from it at once."""

    wanted: w.Deployment
    revision: str
    bounds: Bounds
    pods: Sequence[WorkloadPod]
    now: float

    @property
    def rollout(self) -> Rollout:
        return Rollout(self.wanted, self.revision, self.now)

    @property
    def is_rolling(self) -> bool:
        return self.wanted.strategy.type == "RollingUpdate"

    @property
    def most(self) -> int:
        """How many pods there may be at a time."""
        return self.wanted.replicas + self.bounds.surge

    @property
    def least_available(self) -> int:
        return self.wanted.replicas - self.bounds.unavailable

    def available(self, *revisions: str) -> int:
        """The available pods of these revisions."""
        seconds = self.wanted.min_ready_seconds
        return sum(pod.revision in revisions and pod.is_available(seconds, self.now) for pod in self.pods)

    def existing(self, revision: str) -> int:
        """The pods of a revision, those that are being removed among them."""
        return sum(pod.revision == revision and not pod.is_over for pod in self.pods)


# --- revisions and their sizes ---------------------------------------------------------------------------------------


def _paused(view: _View, record: DeploymentRecord) -> DeploymentRecord:
    """The deadline stands still while the Deployment is paused, and starts over afterwards."""
    before = find_condition(record.conditions, PROGRESSING)
    is_paused = before is not None and before.reason == PAUSED
    if view.wanted.paused == is_paused or (before and before.reason == TIMED_OUT and view.wanted.paused):
        return record
    reason, message = (PAUSED, "Deployment is paused") if view.wanted.paused else (RESUMED, "Deployment is resumed")
    condition = WorkloadCondition(PROGRESSING, "Unknown", reason, message)
    return replace(record, conditions=with_condition(record.conditions, condition, view.now))


def _settled(view: _View, record: DeploymentRecord) -> DeploymentRecord:
    """The record with the sizes that its revisions are to have next."""
    if record.replicas is not None and record.replicas != view.wanted.replicas:
        record = _rescaled(view, record)
    revisions = record.revisions if view.wanted.paused else _rolled(view, record.revisions)
    in_use = {view.revision, record.good, *(pod.revision for pod in view.pods)}
    return replace(
        record,
        revisions=without_old(revisions, view.wanted.revision_history_limit, in_use),
        replicas=view.wanted.replicas,
        surge=view.bounds.surge,
    )


def _rescaled(view: _View, record: DeploymentRecord) -> DeploymentRecord:
    latest = find(record.revisions, view.revision)
    revisions = _scaled(view, record.revisions, latest, (record.replicas or 0) + record.surge)
    return begun_anew(view.rollout, replace(record, revisions=revisions))


def _with_sizes(revisions: Revisions, sizes: dict[str, int]) -> Revisions:
    return tuple(replace(one, size=sizes.get(one.digest, one.size)) for one in revisions)


def _scaled(view: _View, revisions: Revisions, latest: Revision | None, most_before: int) -> Revisions:
    """The sizes after the Deployment was scaled. Source: Kubernetes' ``DeploymentController.scale``."""
    active = [one for one in revisions if one.size]
    alone = active[0] if len(active) == 1 else None if active else latest or (revisions[-1] if revisions else None)
    if alone:
        return _with_sizes(revisions, {alone.digest: view.wanted.replicas})
    if not active:
        return revisions
    is_full = latest is not None and latest.size == view.wanted.replicas == view.available(latest.digest)
    if latest and is_full:
        return _with_sizes(revisions, {one.digest: 0 for one in active if one is not latest})
    if not view.is_rolling:
        return revisions
    most = view.most if view.wanted.replicas else 0
    return _with_sizes(revisions, proportional(active, view.wanted.replicas, most, most_before))


def proportional(active: Sequence[Revision], replicas: int, most: int, most_before: int) -> dict[str, int]:
    """The sizes by digest of revisions that are to grow or shrink in proportion, ``most`` in all.

    ``active`` are in the order of their age, the oldest first; ``most_before`` is what ``most`` was before.
    Source: Kubernetes' ``GetReplicaSetProportion``; what is left over goes to the largest.
    """
    to_add = most - sum(one.size for one in active)
    # The newest of the largest grows first, the oldest of the largest shrinks first.
    ranked = sorted(active[::-1] if to_add > 0 else active, key=lambda one: -one.size)
    sizes = {one.digest: one.size for one in ranked}
    added = 0
    for one in ranked:
        share = _share(one.size, replicas, most, most_before)
        share = min(share, to_add - added) if to_add > 0 else max(share, to_add - added)
        sizes[one.digest] += share
        added += share
    first = ranked[0].digest
    sizes[first] = max(sizes[first] + to_add - added, 0)
    return sizes


def _share(size: int, replicas: int, most: int, most_before: int) -> int:
    if not replicas:
        return -size
    if not most_before:
        return 0
    return math.floor(size * most / most_before + 0.5) - size


def _rolled(view: _View, revisions: Revisions) -> Revisions:
    """The sizes as far towards the wanted revision as the pods that there are allow."""
    *old, latest = revisions
    if not view.is_rolling:
        return _recreated(view, latest, tuple(old))
    latest = replace(latest, size=_new_size(view, latest, tuple(old)))
    further = (*_old_sizes(view, latest, tuple(old)), latest)
    # The new size only grows and the others only shrink, so that it ends.
    return further if further == revisions else _rolled(view, further)


def _recreated(view: _View, latest: Revision, old: Revisions) -> Revisions:
    """Nothing of the new before all of the old is gone; what has ended and only waits for its removal runs no more."""
    are_gone = not any(view.existing(one.digest) for one in old)
    old = tuple(replace(one, size=0) for one in old)
    return (*old, replace(latest, size=view.wanted.replicas if are_gone else min(latest.size, view.wanted.replicas)))


def _new_size(view: _View, latest: Revision, old: Revisions) -> int:
    """Source: Kubernetes' ``NewRSNewReplicas``, with the pods that are being removed among those that there are."""
    if latest.size >= view.wanted.replicas:
        return view.wanted.replicas
    total = sum(max(one.size, view.existing(one.digest)) for one in (*old, latest))
    return latest.size + max(min(view.most - total, view.wanted.replicas - latest.size), 0)


def _old_sizes(view: _View, latest: Revision, old: Revisions) -> Revisions:
    """Source: Kubernetes' ``reconcileOldReplicaSets``: first those that are not available, then the oldest."""
    total = latest.size + sum(one.size for one in old)
    new_unavailable = latest.size - view.available(latest.digest)
    spare = total - view.least_available - new_unavailable
    if spare <= 0:
        return old
    old = _without_unhealthy(view, old, spare)
    return _without_oldest(view, latest, old)


def _without_unhealthy(view: _View, old: Revisions, spare: int) -> Revisions:
    sizes: list[Revision] = []
    for one in old:
        count = min(spare, max(one.size - view.available(one.digest), 0))
        spare -= count
        sizes.append(replace(one, size=one.size - count))
    return tuple(sizes)


def _without_oldest(view: _View, latest: Revision, old: Revisions) -> Revisions:
    spare = view.available(latest.digest, *(one.digest for one in old)) - view.least_available
    sizes: list[Revision] = []
    for one in old:
        count = min(max(spare, 0), one.size)
        spare -= count
        sizes.append(replace(one, size=one.size - count))
    return tuple(sizes)


# --- pods ------------------------------------------------------------------------------------------------------------


def _moved(view: _View, record: DeploymentRecord) -> list[Operation]:
    sizes = {one.digest: one.size for one in record.revisions}
    return converged(
        view.wanted.name,
        sizes,
        view.pods,
        view.wanted.min_ready_seconds,
        view.now,
        at_most=view.most,
        at_least=view.least_available,
        causes={one.digest: _cause(view, one) for one in record.revisions},
    )


def _cause(view: _View, revision: Revision) -> str:
    """Why the number of a revision's pods changes."""
    if revision.digest == view.revision:
        count = view.existing(revision.digest)
        return f"revision {revision.number} has {count} pod{'s' * (count != 1)}, {revision.size} wanted now"
    bounds = f"{view.least_available} available at least, {view.most} pods at most"
    why = f", since {view.bounds.reason}" if view.bounds.reason else ""
    return f"revision {revision.number} gives way: {bounds}{why}"


# --- status ----------------------------------------------------------------------------------------------------------


def _status(view: _View, record: DeploymentRecord) -> DeploymentStatus:
    active = [pod for pod in view.pods if pod.is_active]
    available = sum(pod.is_available(view.wanted.min_ready_seconds, view.now) for pod in active)
    return DeploymentStatus(
        replicas=len(active),
        updated_replicas=sum(pod.revision == view.revision for pod in active),
        ready_replicas=sum(pod.is_ready for pod in active),
        available_replicas=available,
        unavailable_replicas=max(sum(one.size for one in record.revisions) - available, 0),
        terminating_replicas=sum(pod.is_ending for pod in view.pods),
    )


def is_complete(wanted: w.Deployment, status: DeploymentStatus) -> bool:
    """Whether all pods are of the wanted template and available, and no others are there.

    Source: Kubernetes' ``DeploymentComplete``.
    """
    return status.updated_replicas == status.replicas == status.available_replicas == wanted.replicas


def _available(view: _View, status: DeploymentStatus) -> WorkloadCondition:
    update = view.wanted.strategy.rolling_update
    declared = resolve(update.max_surge, update.max_unavailable, view.wanted.replicas).unavailable if update else 0
    if status.available_replicas >= view.wanted.replicas - declared:
        message = "Deployment has minimum availability."
        return WorkloadCondition(AVAILABLE, "True", "MinimumReplicasAvailable", message)
    message = "Deployment does not have minimum availability."
    return WorkloadCondition(AVAILABLE, "False", "MinimumReplicasUnavailable", message)
