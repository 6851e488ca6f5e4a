# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as runs know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Protocol

from .._declaration import spec as s
from .._host.observe import Snapshot
from .._host.podman.client import Podman
from .._reconcile.context import Settings
from .._reconcile.operations import Operation
from .run_failure import RunFailed
from .wait import Watch

if TYPE_CHECKING:
    # A run on a pod has no use for workloads and Services, and would wait for their code.
    from .._declaration.workloads.spec import AnyWorkload
    from .._reconcile.ingresses.entrance import Entrance
    from .._reconcile.services.fronts import Front
    from .._reconcile.workloads.steps import Event


@dataclass(frozen=True)
class Sight:
    """A pod as it was seen last: its status in Kubernetes' shape, and whether all containers are available."""

    status: Mapping[str, Any]
    is_available: bool


class Services(Protocol):
    """Who keeps the Services of this host, and tells the pods of them."""

    def leave(self, pod: str, pause: Callable[[float], None]) -> None:
        """Take a pod that is about to end out of its Services, and wait for its sessions, as ``pause`` lets it."""

    def introduce(self, pod: str, podman: Podman) -> None:
        """Tell a pod whose sandbox has just started the names of Services, before its first container starts."""

    def variables(self, stack: str) -> Mapping[str, str]:
        """What containers of a stack that are made now find its Services by, beside their names."""

    def serve(self) -> None:
        """Serve the Services of all stacks as they are on record now. Raises HostError where a port cannot be had."""

    def fronts(self) -> Sequence[Front]:
        """What is served of the Services of all stacks."""

    def entrance(self) -> Entrance:
        """Where the Ingresses of all stacks are served, and how; without routes where there are none."""

    def told(self, stack: str) -> list[dict[str, Any]]:
        """The Services of a stack with their addresses, ports and endpoints, as they are served."""

    def told_ingresses(self, stack: str) -> list[dict[str, Any]]:
        """The Ingresses of a stack with their hosts, paths and backends, as they are served."""


class Agent(Protocol):
    """Who keeps the pods of this host alive between runs, where that is this very process: the agent."""

    @property
    def services(self) -> Services:
        """Who keeps the Services."""

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

    def forget_workload(self, kind: str, name: str) -> None:
        """Told that nothing is left of a workload; its events go with it."""

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
