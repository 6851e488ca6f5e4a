# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A StatefulSet: pods with numbers, names and claims of their own, brought up and replaced in order.

Source: Kubernetes 1.37, pkg/controller/statefulset. Different here: a pod that is not available and of another revision
than is wanted is replaced at once, so that a broken revision can be corrected (kubernetes/kubernetes 67250); and an
update that makes no progress goes back by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..._declaration.workloads import spec as w
from ..operations import Operation
from .bounds import scaled
from .facts import WorkloadPod, next_available_at
from .progress import Rollout, RolloutRecord, begun, begun_anew, deadline, progressed, way_back
from .replica_set import ended
from .revisions import find, without_old
from .steps import AddPod, Conditions, EndPod, RemoveClaim, WorkloadStep, earliest


@dataclass(frozen=True)
class StatefulSetRecord(RolloutRecord):
    """``current`` is the digest of the revision that all pods have had last; those below a partition keep it.

    ``replicas`` are those of the step before, to tell that the set was scaled. ``claim_templates`` are the names of its
    claims, and ``deletes_claims`` whether they go with the set: once it is removed nothing else tells of them.
    """

    current: str = ""
    replicas: int | None = None
    claim_templates: tuple[str, ...] = ()
    deletes_claims: bool = False


@dataclass(frozen=True)
class StatefulSetStatus:
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    conditions: Conditions = ()


def step(
    wanted: w.StatefulSet,
    revision: str,
    record: StatefulSetRecord,
    pods: Sequence[WorkloadPod],
    now: float,
    claims: frozenset[str] = frozenset(),
) -> WorkloadStep[StatefulSetRecord, StatefulSetStatus]:
    """Decide what is next for a StatefulSet. ``revision`` is the `template_digest` of what is wanted.

    ``claims`` are the named volumes that there are; those of pods that are no longer wanted go where the set says so.
    """
    rollout = Rollout(wanted, revision, now)
    record = begun(rollout, record)
    if record.replicas not in (None, wanted.replicas):
        record = begun_anew(rollout, record)
    current = record.current if find(record.revisions, record.current) else revision
    view = _View(wanted, revision, current, pods, now)
    if view.is_up_to_date:
        current = revision
    has_proven = view.is_up_to_date and wanted.replicas > 0
    record = progressed(rollout, record, pods, view.is_rolled_out, has_proven)
    back = way_back(rollout, record)
    in_use = {revision, current, record.good, *(pod.revision for pod in pods)}
    after = replace(
        record,
        revisions=without_old(record.revisions, wanted.revision_history_limit, in_use),
        failed=back.failed,
        current=current,
        replicas=wanted.replicas,
        claim_templates=_claim_templates(wanted),
        deletes_claims=wanted.persistent_volume_claim_retention_policy.when_deleted == "Delete",
    )
    operations: list[Operation] = [*ended(pods), *_kept(view), *_released(view, claims), *back.operations]
    return WorkloadStep(
        after,
        replace(_status(view, current), conditions=after.conditions),
        tuple(operations),
        earliest(next_available_at(pods, wanted.min_ready_seconds, now), deadline(rollout, after.conditions)),
        back.events,
    )


@dataclass(frozen=True)
class _View:
    wanted: w.StatefulSet
    revision: str
    current: str
    pods: Sequence[WorkloadPod]
    now: float

    @cached_property
    def by_number(self) -> dict[int, WorkloadPod]:
        return {pod.number: pod for pod in self.pods}

    @property
    def is_ordered(self) -> bool:
        return self.wanted.pod_management_policy == "OrderedReady"

    @property
    def numbers(self) -> range:
        return self.wanted.ordinal_range

    @property
    def first_updated(self) -> int:
        """The lowest number whose pod a rollout replaces."""
        update = self.wanted.update_strategy.rolling_update
        return self.numbers.start + (update.partition if update else self.wanted.replicas)

    @property
    def most_unavailable(self) -> int:
        update = self.wanted.update_strategy.rolling_update
        share = scaled(update.max_unavailable, self.wanted.replicas, round_up=False) if update else 0
        return max(share, 1)

    def is_available(self, number: int) -> bool:
        pod = self.by_number.get(number)
        return pod is not None and pod.is_available(self.wanted.min_ready_seconds, self.now)

    def is_updated(self, number: int) -> bool:
        pod = self.by_number.get(number)
        return pod is not None and pod.revision == self.revision

    @cached_property
    def waits_for(self) -> int | None:
        """The first pod that is not available; where the order counts, those after it wait."""
        return next((number for number in self.numbers if not self.is_available(number)), None)

    @cached_property
    def missing(self) -> list[int]:
        """The numbers of the pods that come next."""
        missing = (number for number in self.numbers if number not in self.by_number)
        return [number for number in missing if not self.is_ordered or number == self.waits_for]

    @property
    def is_up_to_date(self) -> bool:
        """Whether all pods are there, of the wanted revision, and available."""
        return all(self.is_updated(number) and self.is_available(number) for number in self.numbers)

    @property
    def is_rolled_out(self) -> bool:
        """Whether all pods are there and available, those that a rollout replaces of the wanted revision."""
        is_on_delete = self.wanted.update_strategy.type == "OnDelete"
        return all(
            self.is_available(number) and (is_on_delete or number < self.first_updated or self.is_updated(number))
            for number in self.numbers
        ) and all(number in self.numbers for number in self.by_number)

    def revision_of_new(self, number: int) -> str:
        """What a pod is made from that is not there.

        What is wanted, where the rollout has come to it, or where no more pods are being replaced than may be: for it
        is down anyway. Else what it had before, so that a broken revision takes no others along.
        """
        if self.wanted.update_strategy.type == "OnDelete":
            return self.revision
        if number < self.first_updated:
            return self.current
        is_reached = not any(_is_old(self, other) for other in self.numbers if other > number)
        others = sum(_is_under_way(self, other) for other in self.numbers if other < number or other in self.by_number)
        return self.revision if is_reached or others < self.most_unavailable else self.current


# --- pods that are missing, or too many ------------------------------------------------------------------------------


def _kept(view: _View) -> Iterator[Operation]:
    for number in view.missing:
        revision = view.revision_of_new(number)
        name = view.wanted.pod_name(number)
        yield AddPod(name, f"ordinal {number} of {view.wanted.replicas} pods has none", revision, number)
    if not view.is_ordered or view.waits_for is None:
        yield from _condemned(view)
    yield from _replaced(view)


def _condemned(view: _View) -> Iterator[EndPod]:
    """The pods beyond the wanted number: the highest goes first, and alone where the order counts."""
    surplus = sorted((pod for pod in view.pods if pod.number not in view.numbers and not pod.is_over), key=_number)
    for pod in reversed(surplus):
        if not pod.is_ending:
            yield EndPod(pod.name, f"{view.wanted.replicas} pods are wanted")
        if view.is_ordered:
            return


def _number(pod: WorkloadPod) -> int:
    return pod.number


def _replaced(view: _View) -> Iterator[EndPod]:
    """The pods of other revisions, from the highest number down to the partition, within the bound.

    Those that are not available come first, for nothing is lost with them; but not more at a time than the bound says,
    since they may be about to come back.
    """
    numbers = [number for number in reversed(view.numbers) if number >= view.first_updated]
    old = [view.by_number[number] for number in numbers if _is_old(view, number)]
    under_way = sum(_is_under_way(view, number) for number in view.numbers)
    for pod in old:
        if not view.is_available(pod.number) and under_way < view.most_unavailable:
            under_way += 1
            yield EndPod(pod.name, "it is not available, and of another revision than is wanted")
    unavailable = sum(not view.is_available(number) for number in view.numbers)
    for pod in old:
        if view.is_available(pod.number) and unavailable < view.most_unavailable:
            unavailable += 1
            yield EndPod(pod.name, f"its revision gives way: at most {view.most_unavailable} unavailable")


def _is_old(view: _View, number: int) -> bool:
    pod = view.by_number.get(number)
    return pod is not None and pod.is_active and pod.revision != view.revision


def _is_under_way(view: _View, number: int) -> bool:
    """Whether a pod is being replaced: it is going, new and not available yet, or missing and to come next."""
    if number not in view.by_number:
        return number in view.missing
    return not view.is_available(number) and not _is_old(view, number)


# --- claims ----------------------------------------------------------------------------------------------------------


def _released(view: _View, claims: frozenset[str]) -> Iterator[RemoveClaim]:
    """The claims of pods that are no longer wanted and are gone."""
    if view.wanted.persistent_volume_claim_retention_policy.when_scaled != "Delete":
        return
    for claim, number in claims_of(view.wanted.name, _claim_templates(view.wanted), claims):
        if number not in view.numbers and number not in view.by_number:
            yield RemoveClaim(claim, "whenScaled is Delete, and its pod is no longer wanted")


def _claim_templates(wanted: w.StatefulSet) -> tuple[str, ...]:
    return tuple(template.name for template in wanted.volume_claim_templates)


def claims_of(name: str, templates: Sequence[str], claims: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Those of the named volumes that are claims of the pods of a set of this name, each with the number of its pod."""
    alternatives = "|".join(map(re.escape, templates))
    pattern = re.compile(rf"(?:{alternatives})-{re.escape(name)}-(0|[1-9][0-9]*)")
    for claim in sorted(claims) if alternatives else ():
        match = pattern.fullmatch(claim)
        if match:
            yield claim, int(match[1])


# --- status ----------------------------------------------------------------------------------------------------------


def _status(view: _View, current: str) -> StatefulSetStatus:
    active = [pod for pod in view.pods if pod.is_active]
    return StatefulSetStatus(
        replicas=len(active),
        ready_replicas=sum(pod.is_ready for pod in active),
        available_replicas=sum(pod.is_available(view.wanted.min_ready_seconds, view.now) for pod in active),
        current_replicas=sum(pod.revision == current for pod in active),
        updated_replicas=sum(pod.revision == view.revision for pod in active),
        current_revision=f"{view.wanted.name}-{current}",
        update_revision=f"{view.wanted.name}-{view.revision}",
    )
