# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one container stands, from what Podman shows of it and what was known before.

Podman keeps one container per name, so what came before it (the last state, the count of restarts) is carried from one
status to the next. Source: Kubernetes 1.32 (kubelet ``kubelet_pods`` and ``prober``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from .._declaration.resources import Role
from .._declaration.spec import Container, RestartPolicy
from .observed import ENDING, LOST, STUCK, UNKNOWN_EXIT_CODE, UNWATCHED, ObservedContainer
from .restart_policy import should_restart, state_after
from .status import (
    CRASH_LOOP_BACK_OFF,
    RUN_CONTAINER_ERROR,
    STATUS_UNKNOWN,
    ContainerState,
    ContainerStatus,
    End,
    Running,
    Terminated,
    Waiting,
    ended_run,
)

# What Podman reports of a container that its runtime could not start, after the manner of `podman run`.
_CANNOT_RUN_CODES = range(125, 129)
_HIGHEST_SIGNAL = 64

ALIVE = ("running", "paused", "stopping", STUCK, ENDING)
"""The states in which the processes of a container exist, or their end is about to be told."""
GONE = ("unknown", "removing", LOST, UNWATCHED)
"""Those that say nothing of how it stands."""

Run = Optional[tuple[str, Optional[int]]]


@dataclass(frozen=True)
class ContainerContext:
    """What a container's status depends on besides what Podman shows of it.

    ``restart_policy`` is the one that holds for this container. ``initialized``: every init container is done;
    ``mains_started``: a main container has started in the present sandbox; ``over``: nothing is started any more.
    ``ready`` and ``started`` are what the probes say, None where none of them was asked. ``waiting`` says why the
    container could not be started so far, where Podman cannot know (ErrImagePull, CreateContainerConfigError).
    """

    pod_name: str
    role: Role = "app"
    restart_policy: RestartPolicy = "Always"
    initialized: bool = True
    mains_started: bool = False
    over: bool = False
    ready: bool | None = None
    started: bool | None = None
    waiting: Waiting | None = None
    termination_message: str = ""
    previous: ContainerStatus | None = None

    @property
    def creating(self) -> Waiting:
        return Waiting("ContainerCreating" if self.initialized else "PodInitializing")

    def backing_off(self, container_name: str) -> Waiting:
        return Waiting(
            CRASH_LOOP_BACK_OFF, f"back-off restarting failed container {container_name} in pod {self.pod_name}"
        )

    def restarts(self, run: Terminated) -> bool:
        """Whether the restart policy starts the container again after this run."""
        return should_restart(state_after(run.exit_code), self.restart_policy, self.over)


def last_known(previous: ContainerStatus | None, end: End | None, present_id: str) -> ContainerStatus | None:
    """The state before the present one: the status given last, unless a later container's end is known.

    ``present_id`` is that of the container that there is, empty for none.
    """
    if end is None or end.container_id == present_id:
        return previous
    run = _latest_run(previous) if previous else None
    if previous and run:
        container_id, started_at = run
        # The start is known to the second, and what comes in a container's place mostly starts within the same one.
        is_later = container_id != end.container_id and (started_at or 0) >= int(end.at)
        if container_id == present_id or is_later:
            return previous
    if previous is None or end.run is None:
        return None if end.run is None else _ended(ContainerStatus("", "app", end.run), end)
    return _ended(previous, end)


def _ended(status: ContainerStatus, end: End) -> ContainerStatus:
    state = end.run or status.state
    return replace(status, state=state, container_id=end.container_id, restart_count=end.restart_count)


def end_of(
    observed: ObservedContainer, message: str, now: float, previous: ContainerStatus | None, end: End | None
) -> End:
    """The end of a container that is about to be removed and to be followed by the same, from what was known before.

    ``previous`` and ``end`` as for `last_known`.
    """
    known = last_known(previous, end, observed.id)
    count = known.restart_count if known else 0
    if known and (_latest_run(known) or ("", None))[0] not in ("", observed.id):
        count += 1
    return End(observed.id, now, _terminated(observed, message), max(count, observed.restart_count or 0))


def container_status(
    container: Container, observed: ObservedContainer | None, context: ContainerContext
) -> ContainerStatus:
    """The container's status; ``observed`` None: Podman has no container of that name.

    A run that is over and will be followed by another is the last state of a container that waits. One that vanished
    while it ran counts as failed with 137, and as restarted.
    """
    present = observed if observed is not None and observed.state not in GONE else None
    seen = _state_in_podman(container, present, context) if present else _state_of_missing(context)
    restart_count, last_state = _history(seen, present, context.previous)
    state = seen
    is_meant = present is not None and present.stopped_by_run
    if isinstance(seen, Terminated) and context.restarts(seen) and not is_meant:
        state, last_state = context.waiting or context.backing_off(container.name), seen
    elif isinstance(seen, Waiting) and context.waiting and (present is None or present.state not in ALIVE):
        state = context.waiting
    started, ready = _probed(container, state, present, context)
    status = ContainerStatus(container.name, context.role, state, last_state, ready, started, restart_count)
    if present:
        image = present.image or container.image
        return replace(status, image=image, image_id=present.image_id, container_id=present.id)
    before = context.previous if isinstance(state, Terminated) else None
    if before:
        return replace(status, image=before.image, image_id=before.image_id, container_id=before.container_id)
    return replace(status, image=container.image)


def _state_in_podman(container: Container, observed: ObservedContainer, context: ContainerContext) -> ContainerState:
    if observed.has_exited:
        if context.role == "init" and observed.stopped_by_run and not context.over:
            # A stopped container's exit code says nothing about its work, which is still to be done.
            return context.creating
        return _terminated(observed, context.termination_message)
    if observed.state in ALIVE:
        hooked = container.lifecycle is not None and container.lifecycle.post_start is not None
        in_hook = hooked and not observed.post_start_done and not context.over
        return context.creating if in_hook else Running(observed.started_at)
    return Waiting(RUN_CONTAINER_ERROR, observed.error) if observed.error else context.creating


def _terminated(observed: ObservedContainer, message: str) -> Terminated:
    code, started_at, finished_at = observed.exit_code, observed.started_at, observed.finished_at
    if started_at is not None and finished_at is not None:
        # The two clocks of Podman and conmon can put the end of a short run before its start.
        finished_at = max(finished_at, started_at)
    return Terminated(
        exit_code=code,
        reason=_termination_reason(observed),
        message=message or observed.error,
        signal=code - 128 if 128 < code <= 128 + _HIGHEST_SIGNAL else None,
        started_at=started_at,
        finished_at=finished_at,
        container_id=observed.id,
    )


def _termination_reason(observed: ObservedContainer) -> str:
    if observed.oom_killed:
        return "OOMKilled"
    if observed.exit_code == 0:
        return "Completed"
    # A program may exit with these codes itself; then it had started, without an error.
    refused = bool(observed.error) or not observed.has_started
    return "ContainerCannotRun" if refused and observed.exit_code in _CANNOT_RUN_CODES else "Error"


def _state_of_missing(context: ContainerContext) -> ContainerState:
    previous = context.previous
    ended = ended_run(previous)
    if ended and not context.restarts(ended):
        return ended
    if context.role == "init" and context.mains_started:
        # Somebody removed it after its work was done: main containers start only then.
        return _infer_end(previous, 0, "Completed", "The container is gone; the pod has been initialized since")
    if previous and isinstance(previous.state, Running):
        lost = _lost(previous)
        return context.creating if context.restarts(lost) else lost
    return context.creating


def _lost(previous: ContainerStatus) -> Terminated:
    return _infer_end(
        previous, UNKNOWN_EXIT_CODE, STATUS_UNKNOWN, "The container was running and is gone; its end was not seen"
    )


def _infer_end(previous: ContainerStatus | None, exit_code: int, reason: str, message: str) -> Terminated:
    """The end of the run that ``previous`` shows, which nobody saw."""
    if previous is None:
        return Terminated(exit_code, reason, message)
    started_at = previous.state.started_at if isinstance(previous.state, Running) else None
    return Terminated(exit_code, reason, message, started_at=started_at, container_id=previous.container_id)


def run_of(state: ContainerState | None, container_id: str) -> Run:
    """What tells one run from another: the container's ID and the second of its start; None while it waits.

    Podman's list of containers and Kubernetes' times know whole seconds only.
    """
    if state is None or isinstance(state, Waiting):
        return None
    if isinstance(state, Terminated):
        container_id = state.container_id
    return container_id, None if state.started_at is None else int(state.started_at)


def _latest_run(status: ContainerStatus) -> Run:
    return run_of(status.state, status.container_id) or run_of(status.last_state, "")


def _history(
    seen: ContainerState, observed: ObservedContainer | None, previous: ContainerStatus | None
) -> tuple[int, Terminated | None]:
    """The count of restarts and the run before the present one.

    A restart counts when the new run begins, or at once when the end of the old one was not seen.
    """
    podman_count = (observed.restart_count if observed else None) or 0
    if previous is None:
        return podman_count, None
    run, latest = run_of(seen, observed.id if observed else ""), _latest_run(previous)
    ended_unseen = isinstance(seen, Terminated) and seen.reason == STATUS_UNKNOWN
    lost = isinstance(previous.state, Running) and (run != latest or ended_unseen)
    candidates = (_lost(previous) if lost else previous.state, previous.last_state)
    last = next((c for c in candidates if isinstance(c, Terminated) and run_of(c, "") != run), None)
    begun = run is not None and latest is not None and run != latest
    counted = last is not None and last.reason == STATUS_UNKNOWN
    restart_count = previous.restart_count + int(lost or (begun and not counted))
    # Without the agent Podman restarts containers itself, and counts restarts that no run observed.
    return max(restart_count, podman_count), last


def _probed(
    container: Container, state: ContainerState, observed: ObservedContainer | None, context: ContainerContext
) -> tuple[bool, bool]:
    """Whether it is started and whether it is ready; a regular init container is ready once it has completed."""
    if not isinstance(state, Running):
        completed = isinstance(state, Terminated) and state.exit_code == 0
        return False, context.role == "init" and completed
    started = container.startup_probe is None if context.started is None else context.started
    ready = container.readiness_probe is None if context.ready is None else context.ready
    frozen = observed is not None and observed.state in ("paused", ENDING)
    return started, started and ready and not frozen and context.role != "init"
