# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a Pod's plan is made from: what is wanted, what was applied before, what is observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._declaration import spec as s
from ..._declaration.parse import PodPlace, native_place
from ..context import Context
from ..observed import Observed
from ..rendering.materials import Facts
from ..status import Failure


@dataclass(frozen=True)
class Desired:
    """What a plan is made towards. ``recorded`` is what was applied last, whose hooks the running containers have."""

    context: Context
    recorded: s.PodSpec | None = None
    facts: Facts = field(default_factory=Facts)
    allocatable: Mapping[str, int] = field(default_factory=dict)
    """Overrides of what the host can hold: cpu (millicores), memory (bytes), pods."""
    pinned_images: Mapping[str, str] = field(default_factory=dict)
    """Image ids to use, by container, in place of what the names point to now; used to go back."""
    was_stopped: bool = False
    """Whether the pod was stopped on purpose when it was recorded last."""
    previous: s.PodSpec | None = None
    """The declaration before that one, for containers that an interrupted run has not removed."""
    backing_off: frozenset[str] = frozenset()
    """Containers that have ended and are not to be started again yet."""
    failure: Failure | None = None
    """Why the pod, as it is recorded, has failed for good."""
    place: PodPlace = field(default_factory=native_place)
    """Where it is declared."""

    @property
    def pod(self) -> s.PodSpec:
        return self.context.pod

    @property
    def is_failed(self) -> bool:
        """Whether it has failed for good: only another declaration starts it over."""
        return self.failure is not None and self.recorded == self.pod

    @property
    def all_applied(self) -> s.PodSpec | None:
        return all_applied(self.recorded, self.previous)


def all_applied(recorded: s.PodSpec | None, previous: s.PodSpec | None) -> s.PodSpec | None:
    """The recorded pod, with the containers that only the declaration before it had."""
    if recorded is None or previous is None:
        return recorded

    def missing(group: Sequence[s.Container]) -> tuple[s.Container, ...]:
        return tuple(c for c in group if recorded.find(c.name) is None)

    return replace(
        recorded,
        containers=recorded.containers + missing(previous.containers),
        init_containers=recorded.init_containers + missing(previous.init_containers),
    )


@dataclass(frozen=True)
class PodView:
    """All that a pod's plan is made from."""

    desired: Desired
    observed: Observed
    is_known: bool = False
    """Whether the state directory has anything of the pod."""
