# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as runs know it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Callable, Protocol

from .._declaration import spec as s
from .._declaration.workloads.spec import AnyWorkload
from .._host.observe import Snapshot
from .._host.podman.client import Podman
from .._reconcile.context import Settings
from .._reconcile.operations import Operation
from .._reconcile.workloads.steps import Event
from .run_failure import RunFailed
from .wait import Watch


@dataclass(frozen=True)
class Sight:
    """A pod as its keeper saw it last: its status in Kubernetes' shape, and whether all containers are available."""

    status: Mapping[str, Any]
    is_available: bool


class Agent(Protocol):
    """Who keeps the pods of this host alive between runs, where that is this very process: the agent."""

    def reserved(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]
    ) -> AbstractContextManager[None]:
        """Be the only run on the pod that the agent makes. Raises Busy."""

    def acting(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]
    ) -> AbstractContextManager[None]:
        """Be the only one of all processes that changes the pod; its keeper looks again afterwards. Raises Busy."""

    def done(self, operation: Operation) -> None:
        """Told of each operation that was carried out."""

    def backing_off(self, pod: str, container: str) -> None:
        """Told of a container that has failed and waits for its next attempt."""

    def tell_of_workload(self, workload: AnyWorkload, event: Event) -> None:
        """Told of what has happened to a workload."""

    def failed(self, pod: str, error: RunFailed) -> None:
        """Told of a run that came to an end at one of its operations."""

    def changes(self) -> Mapping[str, int]:
        """How many operations were carried out on each pod, by whomever."""

    def snapshot(self, podman: Podman) -> Snapshot:
        """The host as it is now: an earlier snapshot serves where nothing has happened since."""

    def watch(self, podman: Podman, pod: s.PodSpec, deadline: float) -> Watch:
        """The pod as its keeper sees it; ``deadline`` is in monotonic seconds."""

    def keep(self, pod: s.PodSpec, settings: Settings) -> None:
        """Record a new pod and make it, in time; one of this name that is on record already is left as it is."""

    def sight(self, pod: str) -> Sight | None:
        """The pod on record as its keeper saw it last; None before the first look."""
