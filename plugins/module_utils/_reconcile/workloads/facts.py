# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of workloads go by: the pods that there are, as far as a controller cares.

All instants are seconds on one clock, the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

PENDING = "Pending"
SUCCEEDED = "Succeeded"
FAILED = "Failed"


@dataclass(frozen=True)
class WorkloadPod:
    """A pod of a workload: one that is on record, or that Podman has, until nothing is left of it.

    ``revision`` is the digest of the template that it was made from, ``number`` the one at the end of its name.
    ``ready_since``: since when its condition Ready is True, None where it is not. ``is_ending``: it is being removed.
    ``exit_codes`` are those of its containers that have ended for good, by name. ``conditions`` are pairs of type and
    status. ``index`` is the one of an Indexed Job.
    """

    name: str
    revision: str
    number: int = 0
    phase: str = PENDING
    ready_since: float | None = None
    is_ending: bool = False
    created_at: float = 0
    finished_at: float | None = None
    restarts: int = 0
    exit_codes: Mapping[str, int] = field(default_factory=dict)
    conditions: frozenset[tuple[str, str]] = frozenset()
    index: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.phase in (SUCCEEDED, FAILED)

    @property
    def is_active(self) -> bool:
        """Whether it counts among those that a workload has: not over, and not being removed."""
        return not self.is_over and not self.is_ending

    @property
    def is_ready(self) -> bool:
        return self.is_active and self.ready_since is not None

    def available_at(self, min_ready_seconds: int) -> float | None:
        """When it is available, if it stays ready; None where it is not ready."""
        return self.ready_since + min_ready_seconds if self.is_ready and self.ready_since is not None else None

    def is_available(self, min_ready_seconds: int, now: float) -> bool:
        """Whether it has been ready for as long as its workload asks for."""
        at = self.available_at(min_ready_seconds)
        return at is not None and at <= now


def next_available_at(pods: Iterable[WorkloadPod], min_ready_seconds: int, now: float) -> float | None:
    """When the next pod becomes available that is only ready now."""
    instants = (pod.available_at(min_ready_seconds) for pod in pods)
    return min((at for at in instants if at is not None and at > now), default=None)


def free_numbers(taken: Iterable[int], count: int) -> list[int]:
    """The lowest numbers that are not taken."""
    used = {*taken}
    numbers: list[int] = []
    candidate = 0
    while len(numbers) < count:
        if candidate not in used:
            numbers.append(candidate)
        candidate += 1
    return numbers


def by_worth(pods: Sequence[WorkloadPod], min_ready_seconds: int, now: float) -> list[WorkloadPod]:
    """The active pods, those first that are missed least.

    Those that are not available come before those that are, those that do not run before those that do, those that are
    not ready, or not for long, before others, those that started again more often, and the higher numbers.
    Source: Kubernetes' controller package, ``ActivePodsWithRanks``.
    """

    def worth(pod: WorkloadPod) -> tuple[object, ...]:
        return (
            pod.is_available(min_ready_seconds, now),
            pod.phase == "Running",
            pod.is_ready,
            -(pod.ready_since or 0),
            -pod.restarts,
            -pod.created_at,
            -pod.number,
            pod.name,
        )

    return sorted((pod for pod in pods if pod.is_active), key=worth)
