# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a pod stands: the shapes of its status, of its containers' and of their ends.

All instants are seconds since the epoch. `pod_status` and `container_status` make a status, `status_documents` writes
it as Kubernetes does, `status_words` for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from .._declaration.resources import QosClass, Role

PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
FINAL_PHASES = ("Succeeded", "Failed")

POD_SCHEDULED = "PodScheduled"
READY_TO_START = "PodReadyToStartContainers"
INITIALIZED = "Initialized"
CONTAINERS_READY = "ContainersReady"
READY = "Ready"
OWN_CONDITIONS = (READY_TO_START, INITIALIZED, READY, CONTAINERS_READY, POD_SCHEDULED)

CRASH_LOOP_BACK_OFF = "CrashLoopBackOff"
INIT_ERROR = "Init:Error"
"""What kubectl calls the status of a pod whose init container has failed."""
RUN_CONTAINER_ERROR = "RunContainerError"
STATUS_UNKNOWN = "ContainerStatusUnknown"
DEADLINE_EXCEEDED = "DeadlineExceeded"
DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"
"""The kubelet's words."""


@dataclass(frozen=True)
class Waiting:
    """Not running, and to be started."""

    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Running:
    started_at: float | None = None


@dataclass(frozen=True)
class Terminated:
    """One run that is over; ``container_id`` and ``started_at`` tell it from the other runs of the container."""

    exit_code: int
    reason: str = ""
    message: str = ""
    signal: int | None = None
    started_at: float | None = None
    finished_at: float | None = None
    container_id: str = ""


@dataclass(frozen=True)
class End:
    """How a container ended that we then removed, since Podman has forgotten it.

    ``run`` is None if another declaration takes its place: the new container begins its own history. ``restart_count``
    is that of the container that ended, ``at`` when it was removed, in seconds since the epoch.
    """

    container_id: str
    at: float
    run: Terminated | None = None
    restart_count: int = 0


ContainerState = Union[Waiting, Running, Terminated]


@dataclass(frozen=True)
class ContainerStatus:
    """One container as Kubernetes shows it; IDs are bare, ``last_state`` is the run before the present one."""

    name: str
    role: Role
    state: ContainerState
    last_state: Terminated | None = None
    ready: bool = False
    started: bool = False
    restart_count: int = 0
    image: str = ""
    image_id: str = ""
    container_id: str = ""


@dataclass(frozen=True)
class Condition:
    """``status`` is True, False or Unknown, as text."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: float | None = None


@dataclass(frozen=True)
class PodStatus:
    """``reason`` and ``message`` say why the pod is in its phase where the containers do not (DeadlineExceeded)."""

    phase: str
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    pod_ip: str = ""
    host_ip: str = ""
    qos_class: QosClass = "BestEffort"
    start_time: float | None = None
    reason: str = ""
    message: str = ""

    @property
    def all_statuses(self) -> tuple[ContainerStatus, ...]:
        return self.init_container_statuses + self.container_statuses

    @property
    def is_final(self) -> bool:
        return self.phase in FINAL_PHASES

    def condition(self, type_name: str) -> Condition | None:
        return next((c for c in self.conditions if c.type == type_name), None)

    def container(self, name: str) -> ContainerStatus | None:
        return next((s for s in self.all_statuses if s.name == name), None)


@dataclass(frozen=True)
class Failure:
    """Why a pod has failed for good: only another declaration, or a start after a stop, starts it over.

    ``message`` says what its status and errors do, ``cause`` why what is left of it ends, in a few words.
    """

    reason: str
    message: str
    cause: str


def ended_run(status: ContainerStatus | None) -> Terminated | None:
    """The run that ended last, of a terminated container or of one in back-off."""
    if status is None or isinstance(status.state, Running):
        return None
    return status.state if isinstance(status.state, Terminated) else status.last_state


def exit_code_of(status: ContainerStatus | None) -> int | None:
    """How the run ended that `ended_run` finds; None where there is none."""
    run = ended_run(status)
    return run.exit_code if run else None


def has_failed(status: ContainerStatus | None) -> bool:
    """Whether the container's run ended with an error, and no other runs since."""
    return bool(exit_code_of(status))


def has_never_run(status: ContainerStatus) -> bool:
    """Whether no run of the container is known, neither the present one nor one before."""
    return isinstance(status.state, Waiting) and status.last_state is None


def has_initialized(status: ContainerStatus) -> bool:
    """Whether an init container lets the next one start."""
    return status.started if status.role == "sidecar" else status.ready
