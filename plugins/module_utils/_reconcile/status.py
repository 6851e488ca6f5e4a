# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a pod stands: container states, phase and conditions, from what Podman shows and what was known before.

All instants are seconds since the epoch. Podman keeps one container per name, so what came before it (the last state,
the count of restarts, when a condition changed) is carried from one status to the next.
Source: Kubernetes 1.32 (kubelet ``kubelet_pods``, ``status`` and ``prober``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, Optional, Union

from .._declaration.resources import QosClass, Role
from .._declaration.spec import Container, PodSpec, RestartPolicy
from .limits import qos_class
from .observed import ENDING, LOST, STUCK, UNWATCHED, Node, ObservedContainer, ObservedPod, read_time, strip_digest
from .restart_policy import policy_of, should_restart, state_after

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

# What Podman reports of a container that its runtime could not start, after the manner of `podman run`.
_CANNOT_RUN_CODES = range(125, 129)
_HIGHEST_SIGNAL = 64
_UNKNOWN_EXIT_CODE = 137
# The states in which the processes of a container exist, or their end is about to be told, and those that say nothing
# of how it stands.
_ALIVE = ("running", "paused", "stopping", STUCK, ENDING)
_GONE = ("unknown", "removing", LOST, UNWATCHED)


# -- The shapes -------------------------------------------------------------------------------------------------------


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
    """How a container ended that was then removed by us, since Podman knows nothing of it any more.

    ``run`` is None where another one comes in its place: that one has a history of its own. ``restart_count`` is that
    of the container that ended, ``at`` when it was removed, in seconds since the epoch.
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


# -- The phase --------------------------------------------------------------------------------------------------------


def phase(
    pod: PodSpec, statuses: Sequence[ContainerStatus], *, terminal: bool = False, initialized: bool = False
) -> str:
    """The phase that the containers alone give; a container without a status counts as unknown.

    ``terminal``: the pod is being ended for good, whatever its restart policy. ``initialized``: a main container has
    started in the present sandbox, so that a sidecar that starts again does not make the pod Pending.
    """
    known = {status.name: status for status in statuses}
    inits = [known.get(c.name) for c in pod.init_containers if c.restart_policy != "Always"]
    sidecars = [known.get(c.name) for c in pod.sidecars]
    mains = [known.get(c.name) for c in pod.containers]
    lasting = sidecars + mains
    if pod.restart_policy == "Never" and any(_has_failed(status) for status in inits):
        return "Failed"
    if any(_has_not_ended(status) for status in inits):
        return "Pending"
    if not initialized and any(_is_starting(status) for status in sidecars):
        return "Pending"
    if any(status is None or _has_never_run(status) for status in lasting):
        return "Pending"
    if any(status is not None and isinstance(status.state, Running) for status in lasting):
        return "Running"
    return _phase_when_stopped(pod.restart_policy, [_exit_code(status) for status in mains], terminal)


def _phase_when_stopped(restart_policy: str, exit_codes: Sequence[int | None], terminal: bool) -> str:
    """The phase once every main container has stopped and no sidecar runs; a sidecar's exit code has no say."""
    if not exit_codes:
        return "Pending"
    if restart_policy == "Always" and not terminal:
        return "Running"
    if not any(exit_codes):
        return "Succeeded"
    return "Failed" if terminal or restart_policy == "Never" else "Running"


def _ended_run(status: ContainerStatus | None) -> Terminated | None:
    """The run that has ended with no other running since: that of a terminated container or of one in back-off."""
    if status is None or isinstance(status.state, Running):
        return None
    return status.state if isinstance(status.state, Terminated) else status.last_state


def _exit_code(status: ContainerStatus | None) -> int | None:
    run = _ended_run(status)
    return run.exit_code if run else None


def _has_failed(status: ContainerStatus | None) -> bool:
    return bool(_exit_code(status))


def _has_not_ended(status: ContainerStatus | None) -> bool:
    return _ended_run(status) is None


def _has_never_run(status: ContainerStatus) -> bool:
    return isinstance(status.state, Waiting) and status.last_state is None


def _is_starting(sidecar: ContainerStatus | None) -> bool:
    return sidecar is not None and isinstance(sidecar.state, Running) and not sidecar.started


@dataclass(frozen=True)
class Failure:
    """Why a pod has failed for good: only another declaration begins it anew, or a start after a stop.

    ``message`` says what its status and errors do, ``cause`` why what is left of it ends, in a few words.
    """

    reason: str
    message: str
    cause: str


def final_failure(pod: PodSpec, status: PodStatus) -> Failure | None:
    """Why the pod has failed as a whole; None where it has not, or where its main containers have, one by one."""
    if status.reason == DEADLINE_EXCEEDED:
        return Failure(DEADLINE_EXCEEDED, DEADLINE_MESSAGE, "it was active for longer than its deadline")
    if status.phase != "Failed" or pod.restart_policy != "Never":
        return None
    failed = (one for one in status.init_container_statuses if one.role == "init" and _has_failed(one))
    first = next(failed, None)
    if first is None:
        return None
    what = f"init container {first.name} exited with code {_exit_code(first)}"
    return Failure(INIT_ERROR, f"{what}, which is final under restart policy Never", what)


# -- Conditions -------------------------------------------------------------------------------------------------------


def conditions(
    pod: PodSpec,
    statuses: Sequence[ContainerStatus] | None,
    current_phase: str,
    *,
    sandbox_ready: bool,
    previous: Sequence[Condition] = (),
    now: float,
) -> tuple[Condition, ...]:
    """The pod's conditions, in the kubelet's order; ``statuses`` None: nothing is known of the containers.

    Conditions in ``previous`` that are not ours stay: the readiness gates look at them. A condition whose status is
    as it was keeps its transition time.
    """
    foreign = tuple(c for c in previous if c.type not in OWN_CONDITIONS)
    containers_ready = _containers_ready(pod, statuses, current_phase)
    own = (
        Condition(READY_TO_START, _truth(sandbox_ready)),
        _initialized(pod, statuses, current_phase),
        _ready(pod, containers_ready, foreign),
        containers_ready,
        Condition(POD_SCHEDULED, "True"),
    )
    return foreign + tuple(_dated(condition, previous, now) for condition in own)


def _containers_ready(pod: PodSpec, statuses: Sequence[ContainerStatus] | None, current_phase: str) -> Condition:
    if statuses is None:
        return Condition(CONTAINERS_READY, "False", "UnknownContainerStatuses")
    known = {status.name: status for status in statuses}
    names = [c.name for c in pod.sidecars + pod.containers]
    unknown = [name for name in names if name not in known]
    unready = [name for name in names if name in known and not known[name].ready]
    if current_phase == "Failed":
        return Condition(CONTAINERS_READY, "False", "PodFailed")
    if current_phase == "Succeeded" and not unknown:
        return Condition(CONTAINERS_READY, "False", "PodCompleted")
    message = _list_containers(unknown=unknown, unready=unready)
    if message:
        return Condition(CONTAINERS_READY, "False", "ContainersNotReady", message)
    return Condition(CONTAINERS_READY, "True")


def _ready(pod: PodSpec, containers_ready: Condition, gates: Sequence[Condition]) -> Condition:
    if containers_ready.status != "True":
        return replace(containers_ready, type=READY)
    given = {condition.type: condition.status for condition in gates}
    faults = []
    for gate in (gate.condition_type for gate in pod.readiness_gates):
        if gate not in given:
            faults.append(f'corresponding condition of pod readiness gate "{gate}" does not exist.')
        elif given[gate] != "True":
            faults.append(f'the status of pod readiness gate "{gate}" is not "True", but {given[gate]}')
    if faults:
        return Condition(READY, "False", "ReadinessGatesNotReady", ", ".join(faults))
    return Condition(READY, "True")


def _initialized(pod: PodSpec, statuses: Sequence[ContainerStatus] | None, current_phase: str) -> Condition:
    if statuses is None and pod.init_containers:
        return Condition(INITIALIZED, "False", "UnknownContainerStatuses")
    known = {status.name: status for status in statuses or ()}
    names = [c.name for c in pod.init_containers]
    unknown = [name for name in names if name not in known]
    incomplete = [name for name in names if name in known and not _has_initialized(known[name])]
    if current_phase == "Succeeded" and not unknown:
        return Condition(INITIALIZED, "True", "PodCompleted")
    mains = (known.get(c.name) for c in pod.containers)
    # A sidecar that starts again does not undo the initialization.
    if any(status is not None and not _has_never_run(status) for status in mains):
        return Condition(INITIALIZED, "True")
    message = _list_containers(unknown=unknown, incomplete=incomplete)
    if message:
        return Condition(INITIALIZED, "False", "ContainersNotInitialized", message)
    return Condition(INITIALIZED, "True")


def _has_initialized(status: ContainerStatus) -> bool:
    """Whether an init container lets the next one start."""
    return status.started if status.role == "sidecar" else status.ready


def _list_containers(**names: Sequence[str]) -> str:
    """``containers with unready status: [a b]`` for each kind of fault that has names."""
    return ", ".join(f"containers with {kind} status: [{' '.join(some)}]" for kind, some in names.items() if some)


def _dated(condition: Condition, previous: Sequence[Condition], now: float) -> Condition:
    before = next((c for c in previous if c.type == condition.type), None)
    unchanged = before is not None and before.status == condition.status
    return replace(condition, last_transition_time=before.last_transition_time if before and unchanged else now)


def _truth(value: bool) -> str:
    return "True" if value else "False"


# -- One container ----------------------------------------------------------------------------------------------------


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
    """What there was before what is seen now: the status given last, unless the end of a later container is known.

    ``present_id`` is that of the container that there is, empty for none.
    """
    if end is None or end.container_id == present_id:
        return previous
    run = _latest_run(previous) if previous else None
    if previous and run:
        container_id, started_at = run
        is_later = container_id != end.container_id and (started_at or 0) > end.at
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
    present = observed if observed is not None and observed.state not in _GONE else None
    seen = _state_in_podman(container, present, context) if present else _state_of_missing(context)
    restart_count, last_state = _history(seen, present, context.previous)
    state = seen
    is_meant = present is not None and present.stopped_by_run
    if isinstance(seen, Terminated) and context.restarts(seen) and not is_meant:
        state, last_state = context.waiting or context.backing_off(container.name), seen
    elif isinstance(seen, Waiting) and context.waiting and (present is None or present.state not in _ALIVE):
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
            # How it ended says nothing of its work, which is yet to be done.
            return context.creating
        return _terminated(observed, context.termination_message)
    if observed.state in _ALIVE:
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
    # A program may exit with these codes of its own; then it had been started, and without an error.
    refused = bool(observed.error) or not observed.has_started
    return "ContainerCannotRun" if refused and observed.exit_code in _CANNOT_RUN_CODES else "Error"


def _state_of_missing(context: ContainerContext) -> ContainerState:
    previous = context.previous
    ended = _ended_run(previous)
    if ended and not context.restarts(ended):
        return ended
    if context.role == "init" and context.mains_started:
        # Someone removed it after its work was done: the main containers start no sooner.
        return _infer_end(previous, 0, "Completed", "The container is gone; the pod has been initialized since")
    if previous and isinstance(previous.state, Running):
        lost = _lost(previous)
        return context.creating if context.restarts(lost) else lost
    return context.creating


def _lost(previous: ContainerStatus) -> Terminated:
    return _infer_end(
        previous, _UNKNOWN_EXIT_CODE, STATUS_UNKNOWN, "The container was running and is gone; its end was not seen"
    )


def _infer_end(previous: ContainerStatus | None, exit_code: int, reason: str, message: str) -> Terminated:
    """The end of the run that ``previous`` shows, which nobody saw."""
    if previous is None:
        return Terminated(exit_code, reason, message)
    started_at = previous.state.started_at if isinstance(previous.state, Running) else None
    return Terminated(exit_code, reason, message, started_at=started_at, container_id=previous.container_id)


Run = Optional[tuple[str, Optional[int]]]


def _run_of(state: ContainerState | None, container_id: str) -> Run:
    """What tells one run from another: the container's ID and the second of its start; None while it waits.

    Podman's list of containers and Kubernetes' times know whole seconds only.
    """
    if state is None or isinstance(state, Waiting):
        return None
    if isinstance(state, Terminated):
        container_id = state.container_id
    return container_id, None if state.started_at is None else int(state.started_at)


def _latest_run(status: ContainerStatus) -> Run:
    return _run_of(status.state, status.container_id) or _run_of(status.last_state, "")


def _history(
    seen: ContainerState, observed: ObservedContainer | None, previous: ContainerStatus | None
) -> tuple[int, Terminated | None]:
    """The count of restarts and the run before the present one.

    A restart counts when the new run begins, or at once when the end of the old one was not seen.
    """
    podman_count = (observed.restart_count if observed else None) or 0
    if previous is None:
        return podman_count, None
    run, latest = _run_of(seen, observed.id if observed else ""), _latest_run(previous)
    ended_unseen = isinstance(seen, Terminated) and seen.reason == STATUS_UNKNOWN
    lost = isinstance(previous.state, Running) and (run != latest or ended_unseen)
    candidates = (_lost(previous) if lost else previous.state, previous.last_state)
    last = next((c for c in candidates if isinstance(c, Terminated) and _run_of(c, "") != run), None)
    begun = run is not None and latest is not None and run != latest
    counted = last is not None and last.reason == STATUS_UNKNOWN
    restart_count = previous.restart_count + int(lost or (begun and not counted))
    # Podman restarts containers too, where it was asked to, and counts those that nobody looked at.
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


# -- The pod ----------------------------------------------------------------------------------------------------------


def pod_status(
    pod: PodSpec,
    observed: ObservedPod | None,
    readiness: Mapping[str, bool],
    started: Mapping[str, bool],
    node: Node,
    pod_ip: str,
    previous: PodStatus | None,
    now: float,
    termination_messages: Mapping[str, str],
    *,
    waiting: Mapping[str, Waiting] | None = None,
    stopping: bool = False,
    begun_at: float = 0,
    ends: Mapping[str, End] | None = None,
) -> PodStatus:
    """The pod's status now; the mappings go by container name, ``ends`` those of containers that are gone.

    ``readiness`` and ``started``: what the probes say; a container that is missing there and declares no such probe
    passes it once it runs, one that declares it does not. ``previous``: the status last given of this pod, None for a
    pod made anew. ``waiting``: why a container could not be started so far. ``stopping``: the pod is stopped or being
    stopped on purpose. ``begun_at``: since when the pod is to run, in whole seconds; what it was before counts no more.

    A pod that has come to an end stays in its phase until one of its containers is started anew, which only a changed
    declaration does; then it begins again. Ask before a container that has ended is removed, or how it ended is lost.
    """
    anew = _runs_begun_anew(pod, previous, observed)
    was_before = previous is not None and previous.start_time is not None and previous.start_time < begun_at
    final = previous if previous and previous.is_final and not anew and not was_before else None
    start_time = _start_time(previous, observed, anew, begun_at)
    late = _is_late(pod, start_time, now)
    evidence = _Evidence(
        readiness=readiness,
        started=started,
        termination_messages=termination_messages,
        waiting=waiting or {},
        observed=observed,
        previous=previous,
        mains_started=_has_active_main(observed),
        over=stopping,
        ends=ends or {},
    )
    inits, mains = _container_statuses(pod, evidence)
    begun = tuple(_as_begun(status, observed) for status in mains)
    reached = phase(pod, inits + begun, terminal=stopping, initialized=evidence.mains_started)
    verdict = final or _verdict(pod, reached, late)
    if verdict.is_final:
        inits, mains = _container_statuses(pod, replace(evidence, over=True))
    ip = pod_ip or (node.ip if pod.host_network else "")
    sandbox_ready = observed is not None and observed.infra_is_running and bool(ip or pod.host_network)
    before = previous.conditions if previous else ()
    return PodStatus(
        phase=verdict.phase,
        conditions=conditions(pod, inits + mains, verdict.phase, sandbox_ready=sandbox_ready, previous=before, now=now),
        container_statuses=mains,
        init_container_statuses=inits,
        pod_ip=ip,
        host_ip=node.ip,
        qos_class=qos_class(pod),
        start_time=start_time,
        reason=verdict.reason,
        message=verdict.message,
    )


@dataclass(frozen=True)
class _Evidence:
    """What the statuses of a pod's containers are made from."""

    readiness: Mapping[str, bool]
    started: Mapping[str, bool]
    termination_messages: Mapping[str, str]
    waiting: Mapping[str, Waiting]
    observed: ObservedPod | None
    previous: PodStatus | None
    mains_started: bool
    over: bool
    ends: Mapping[str, End]


def _container_statuses(
    pod: PodSpec, evidence: _Evidence
) -> tuple[tuple[ContainerStatus, ...], tuple[ContainerStatus, ...]]:
    """The statuses of the init containers and of the main containers, in declared order."""
    inits = _statuses_of(pod, pod.init_containers, evidence, evidence.mains_started)
    initialized = evidence.mains_started or all(_has_initialized(status) for status in inits)
    mains = _statuses_of(pod, pod.containers, evidence, initialized)
    if all(isinstance(status.state, Terminated) for status in mains):
        # A sidecar that ends after the last main container is not started again.
        inits = _statuses_of(pod, pod.init_containers, replace(evidence, over=True), initialized)
    return inits, mains


def _statuses_of(
    pod: PodSpec, containers: Sequence[Container], evidence: _Evidence, initialized: bool
) -> tuple[ContainerStatus, ...]:
    statuses = []
    for container in containers:
        name, role = container.name, pod.role_of(container)
        observed = evidence.observed.find(name) if evidence.observed else None
        previous = evidence.previous.container(name) if evidence.previous else None
        context = ContainerContext(
            pod_name=pod.name,
            role=role,
            restart_policy=policy_of(pod, container),
            initialized=initialized,
            mains_started=evidence.mains_started,
            over=evidence.over,
            ready=evidence.readiness.get(name),
            started=evidence.started.get(name),
            waiting=evidence.waiting.get(name),
            termination_message=evidence.termination_messages.get(name, ""),
            previous=last_known(previous, evidence.ends.get(name), observed.id if observed else ""),
        )
        statuses.append(container_status(container, observed, context))
    return tuple(statuses)


def _runs_begun_anew(pod: PodSpec, previous: PodStatus | None, observed: ObservedPod | None) -> tuple[float, ...]:
    """When the runs began that a pod which had come to an end did not have then."""
    if previous is None or not previous.is_final or observed is None:
        return ()
    known = {_run_of(status.state, status.container_id) for status in previous.all_statuses}
    declared = [c for c in observed.members if pod.find(c.name) and c.state not in _GONE]
    return tuple(c.started_at for c in declared if c.started_at is not None and (c.id, int(c.started_at)) not in known)


def _start_time(
    previous: PodStatus | None, observed: ObservedPod | None, anew: Sequence[float], begun_at: float
) -> float | None:
    first = min(anew, default=previous.start_time if previous else None)
    if first is None and observed:
        first = observed.created_at
    return None if first is None else max(first, begun_at)


def _is_late(pod: PodSpec, start_time: float | None, now: float) -> bool:
    limit = pod.active_deadline_seconds
    return limit is not None and start_time is not None and now - start_time >= limit


def _has_active_main(observed: ObservedPod | None) -> bool:
    """Whether a main container has started since the sandbox last did; a new sandbox runs the init containers again."""
    if observed is None:
        return False
    infra = next((c for c in observed.containers if c.is_infra), None)
    # In whole seconds: Podman's list of containers knows no finer ones.
    since = int(infra.started_at) if infra and infra.started_at is not None else 0
    mains = (c for c in observed.members if c.role == "app")
    return any(c.started_at is not None and int(c.started_at) >= since for c in mains)


def _as_begun(status: ContainerStatus, observed: ObservedPod | None) -> ContainerStatus:
    """For the phase, a new run counts from its start: while it is in its postStart hook the old one decides nothing."""
    present = observed.find(status.name) if observed else None
    in_hook = isinstance(status.state, Waiting) and present is not None and present.state in _ALIVE
    return replace(status, state=Running(present.started_at)) if present and in_hook and status.last_state else status


def _verdict(pod: PodSpec, reached: str, late: bool) -> PodStatus:
    """The phase with its reason: one that its containers have brought to an end cannot exceed its deadline."""
    if not late or reached in FINAL_PHASES:
        return PodStatus(reached)
    return PodStatus("Failed", reason=DEADLINE_EXCEEDED, message=DEADLINE_MESSAGE)


# -- Kubernetes' shape ------------------------------------------------------------------------------------------------

_CONTAINER_ID_PREFIX = "podman://"
_IMAGE_ID_PREFIX = "sha256:"


def to_kubernetes(status: PodStatus) -> dict[str, Any]:
    """The status as Kubernetes writes it: camelCase, RFC 3339 times of whole seconds in UTC, nothing that is empty."""
    return _filled(
        phase=status.phase,
        conditions=[_condition_document(condition) for condition in status.conditions],
        reason=status.reason,
        message=status.message,
        hostIP=status.host_ip,
        hostIPs=[{"ip": status.host_ip}] if status.host_ip else [],
        podIP=status.pod_ip,
        podIPs=[{"ip": status.pod_ip}] if status.pod_ip else [],
        qosClass=status.qos_class,
        startTime=show_time(status.start_time),
        initContainerStatuses=[_container_document(one) for one in status.init_container_statuses],
        containerStatuses=[_container_document(one) for one in status.container_statuses],
    )


def from_kubernetes(document: Mapping[str, Any], pod: PodSpec) -> PodStatus:
    """Read back what ``to_kubernetes`` wrote, to serve as ``previous``; containers no longer declared are left out."""
    return PodStatus(
        phase=document["phase"],
        conditions=tuple(_read_condition(item) for item in document.get("conditions", ())),
        container_statuses=_read_statuses(document.get("containerStatuses", ()), pod),
        init_container_statuses=_read_statuses(document.get("initContainerStatuses", ()), pod),
        pod_ip=document.get("podIP", ""),
        host_ip=document.get("hostIP", ""),
        qos_class=document.get("qosClass", "BestEffort"),
        start_time=read_time(document.get("startTime")),
        reason=document.get("reason", ""),
        message=document.get("message", ""),
    )


def _condition_document(condition: Condition) -> dict[str, Any]:
    return _filled(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message,
        lastTransitionTime=show_time(condition.last_transition_time),
    )


def _container_document(status: ContainerStatus) -> dict[str, Any]:
    image = _filled(
        imageID=status.image_id and _IMAGE_ID_PREFIX + status.image_id,
        containerID=status.container_id and _CONTAINER_ID_PREFIX + status.container_id,
    )
    return {
        "name": status.name,
        "state": _state_document(status.state),
        "lastState": _state_document(status.last_state) if status.last_state else {},
        "ready": status.ready,
        "started": status.started,
        "restartCount": status.restart_count,
        "image": status.image,
        **image,
    }


def _state_document(state: ContainerState) -> dict[str, Any]:
    if isinstance(state, Waiting):
        return {"waiting": _filled(reason=state.reason, message=state.message)}
    if isinstance(state, Running):
        return {"running": _filled(startedAt=show_time(state.started_at))}
    details = _filled(
        reason=state.reason,
        message=state.message,
        signal=state.signal,
        startedAt=show_time(state.started_at),
        finishedAt=show_time(state.finished_at),
        containerID=state.container_id and _CONTAINER_ID_PREFIX + state.container_id,
    )
    return {"terminated": {"exitCode": state.exit_code, **details}}


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def show_time(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(int(moment), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_condition(item: Mapping[str, Any]) -> Condition:
    return Condition(
        item["type"],
        item["status"],
        item.get("reason", ""),
        item.get("message", ""),
        read_time(item.get("lastTransitionTime")),
    )


def _read_statuses(items: Sequence[Mapping[str, Any]], pod: PodSpec) -> tuple[ContainerStatus, ...]:
    declared = ((item, pod.find(item["name"])) for item in items)
    return tuple(_read_status(item, pod.role_of(found)) for item, found in declared if found)


def _read_status(item: Mapping[str, Any], role: Role) -> ContainerStatus:
    last = _read_state(item["lastState"]) if item.get("lastState") else None
    return ContainerStatus(
        name=item["name"],
        role=role,
        state=_read_state(item["state"]),
        last_state=last if isinstance(last, Terminated) else None,
        ready=item.get("ready", False),
        started=item.get("started", False),
        restart_count=item.get("restartCount", 0),
        image=item.get("image", ""),
        image_id=strip_digest(item.get("imageID", "")),
        container_id=_strip_scheme(item.get("containerID", "")),
    )


def _read_state(item: Mapping[str, Any]) -> ContainerState:
    if "running" in item:
        return Running(read_time(item["running"].get("startedAt")))
    if "terminated" not in item:
        waiting = item.get("waiting", {})
        return Waiting(waiting.get("reason", ""), waiting.get("message", ""))
    ended = item["terminated"]
    return Terminated(
        exit_code=ended["exitCode"],
        reason=ended.get("reason", ""),
        message=ended.get("message", ""),
        signal=ended.get("signal"),
        started_at=read_time(ended.get("startedAt")),
        finished_at=read_time(ended.get("finishedAt")),
        container_id=_strip_scheme(ended.get("containerID", "")),
    )


def _strip_scheme(container_id: str) -> str:
    return container_id.rpartition("://")[2]


# -- For people -------------------------------------------------------------------------------------------------------

_MESSAGE_LENGTH = 240


def explain(status: PodStatus) -> str:
    """Why the pod is not ready, in one line; empty if it is ready.

    For example ``containers with unready status: [php]; php: CrashLoopBackOff, last exit 1 (Error), 4 restarts``.
    """
    ready = status.condition(READY)
    if ready and ready.status == "True":
        return ""
    parts = [_headline(status), *(_describe(one) for one in _culprits(status))]
    return "; ".join(part for part in parts if part)


def _headline(status: PodStatus) -> str:
    if status.phase not in ("Pending", "Running"):
        why = ": ".join(filter(None, (status.reason, _one_line(status.message))))
        return f"the pod is {status.phase}" + (f" ({why})" if why else "")
    sandbox, initialized, ready = (status.condition(name) for name in (READY_TO_START, INITIALIZED, READY))
    blamed = initialized if initialized and initialized.status != "True" else ready
    parts = ["the infra container does not run, or has no IP address"] if sandbox and sandbox.status != "True" else []
    if blamed:
        parts.append(blamed.message or blamed.reason)
    return "; ".join(parts) or f"the pod is {status.phase}"


def _culprits(status: PodStatus) -> list[ContainerStatus]:
    """The containers that keep the pod from being ready; while it initializes, the others only wait for them."""
    if status.is_final:
        return [one for one in status.all_statuses if one.role != "sidecar" and _has_failed(one)]
    initialized = status.condition(INITIALIZED)
    if initialized is None or initialized.status == "True":
        return [one for one in status.all_statuses if one.role != "init" and not one.ready]
    incomplete = [one for one in status.init_container_statuses if not _has_initialized(one)]
    own = [one for one in incomplete if one.state != Waiting("PodInitializing") or one.last_state]
    return own or incomplete


def _describe(status: ContainerStatus) -> str:
    parts = [_describe_state(status)]
    if status.last_state and not isinstance(status.state, Terminated):
        parts.append(f"last {_describe_exit(status.last_state)}")
    if status.restart_count:
        parts.append(f"{status.restart_count} restart" + ("s" if status.restart_count > 1 else ""))
    return f"{status.name}: " + ", ".join(parts)


def _describe_state(status: ContainerStatus) -> str:
    state = status.state
    if isinstance(state, Terminated):
        return f"Terminated, {_describe_exit(state)}"
    if isinstance(state, Waiting):
        reason = state.reason or "Waiting"
        # That it backs off is all that this message says.
        told = "" if reason == CRASH_LOOP_BACK_OFF else _one_line(state.message)
        return f"{reason}: {told}" if told else reason
    if status.role == "init":
        return "Running"
    return "Running, not ready" if status.started else "Running, startup probe not passed"


def _describe_exit(run: Terminated) -> str:
    why = ": ".join(filter(None, (run.reason, _one_line(run.message))))
    return f"exit {run.exit_code}" + (f" ({why})" if why else "")


def _one_line(text: str) -> str:
    """The text without line breaks; of a long one the end, where programs say what went wrong."""
    words = " ".join(text.split())
    return words if len(words) <= _MESSAGE_LENGTH else "..." + words[3 - _MESSAGE_LENGTH :]


def is_well(status: Mapping[str, Any]) -> bool:
    """Whether a status in Kubernetes' shape is that of a pod which is ready, or has done what it was there for."""
    ready = (condition["status"] for condition in status.get("conditions", ()) if condition["type"] == "Ready")
    return status.get("phase") == "Succeeded" or "True" in ready
