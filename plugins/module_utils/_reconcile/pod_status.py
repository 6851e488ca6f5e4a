# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a pod stands: its phase and its conditions, from how its containers do.

A condition keeps the time of its last change from one status to the next. Source: Kubernetes 1.32 (kubelet
``kubelet_pods`` and ``status``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from .._declaration.spec import Container, PodSpec
from .container_status import ALIVE, GONE, ContainerContext, container_status, last_known, run_of
from .observed import Node, ObservedPod
from .rendering.limits import qos_class
from .restart_policy import policy_of
from .status import (
    CONTAINERS_READY,
    DEADLINE_EXCEEDED,
    DEADLINE_MESSAGE,
    FINAL_PHASES,
    INIT_ERROR,
    INITIALIZED,
    OWN_CONDITIONS,
    POD_SCHEDULED,
    READY,
    READY_TO_START,
    Condition,
    ContainerStatus,
    End,
    Failure,
    PodStatus,
    Running,
    Terminated,
    Waiting,
    ended_run,
    exit_code_of,
    has_failed,
    has_initialized,
    has_never_run,
)


def phase(
    pod: PodSpec, statuses: Sequence[ContainerStatus], *, terminal: bool = False, initialized: bool = False
) -> str:
    """The phase that the containers alone give; a container without a status counts as unknown.

    ``terminal``: the pod is being ended for good, whatever its restart policy. ``initialized``: a main container has
    started in the present sandbox, so that a sidecar that starts again does not make the pod Pending.
    """
    by_name = {status.name: status for status in statuses}
    inits = [by_name.get(c.name) for c in pod.init_containers if c.restart_policy != "Always"]
    sidecars = [by_name.get(c.name) for c in pod.sidecars]
    mains = [by_name.get(c.name) for c in pod.containers]
    lasting = sidecars + mains
    if pod.restart_policy == "Never" and any(has_failed(status) for status in inits):
        return "Failed"
    if any(_has_not_ended(status) for status in inits):
        return "Pending"
    if not initialized and any(_is_starting(status) for status in sidecars):
        return "Pending"
    if any(status is None or has_never_run(status) for status in lasting):
        return "Pending"
    if any(status is not None and isinstance(status.state, Running) for status in lasting):
        return "Running"
    return _phase_when_stopped(pod.restart_policy, [exit_code_of(status) for status in mains], terminal)


def _phase_when_stopped(restart_policy: str, exit_codes: Sequence[int | None], terminal: bool) -> str:
    """The phase once every main container has stopped and no sidecar runs; a sidecar's exit code has no say."""
    if not exit_codes:
        return "Pending"
    if restart_policy == "Always" and not terminal:
        return "Running"
    if not any(exit_codes):
        return "Succeeded"
    return "Failed" if terminal or restart_policy == "Never" else "Running"


def _has_not_ended(status: ContainerStatus | None) -> bool:
    return ended_run(status) is None


def _is_starting(sidecar: ContainerStatus | None) -> bool:
    return sidecar is not None and isinstance(sidecar.state, Running) and not sidecar.started


def final_failure(pod: PodSpec, status: PodStatus) -> Failure | None:
    """Why the pod has failed as a whole; None where it has not, or where its main containers have, one by one."""
    if status.reason == DEADLINE_EXCEEDED:
        return Failure(DEADLINE_EXCEEDED, DEADLINE_MESSAGE, "it was active for longer than its deadline")
    if status.phase != "Failed" or pod.restart_policy != "Never":
        return None
    failed = (one for one in status.init_container_statuses if one.role == "init" and has_failed(one))
    first = next(failed, None)
    if first is None:
        return None
    what = f"init container {first.name} exited with code {exit_code_of(first)}"
    return Failure(INIT_ERROR, f"{what}, which is final under restart policy Never", what)


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
    by_name = {status.name: status for status in statuses}
    names = [c.name for c in pod.sidecars + pod.containers]
    unknown = [name for name in names if name not in by_name]
    unready = [name for name in names if name in by_name and not by_name[name].ready]
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
    by_name = {status.name: status for status in statuses or ()}
    names = [c.name for c in pod.init_containers]
    unknown = [name for name in names if name not in by_name]
    incomplete = [name for name in names if name in by_name and not has_initialized(by_name[name])]
    if current_phase == "Succeeded" and not unknown:
        return Condition(INITIALIZED, "True", "PodCompleted")
    mains = (by_name.get(c.name) for c in pod.containers)
    # A sidecar that starts again does not undo the initialization.
    if any(status is not None and not has_never_run(status) for status in mains):
        return Condition(INITIALIZED, "True")
    message = _list_containers(unknown=unknown, incomplete=incomplete)
    if message:
        return Condition(INITIALIZED, "False", "ContainersNotInitialized", message)
    return Condition(INITIALIZED, "True")


def _list_containers(**names: Sequence[str]) -> str:
    """``containers with unready status: [a b]`` for each kind of fault that has names."""
    return ", ".join(f"containers with {kind} status: [{' '.join(some)}]" for kind, some in names.items() if some)


def _dated(condition: Condition, previous: Sequence[Condition], now: float) -> Condition:
    before = next((c for c in previous if c.type == condition.type), None)
    unchanged = before is not None and before.status == condition.status
    return replace(condition, last_transition_time=before.last_transition_time if before and unchanged else now)


def _truth(value: bool) -> str:
    return "True" if value else "False"


@dataclass(frozen=True)
class Evidence:
    """All that the status of a pod is made from; mappings go by container name, ``ends`` those of removed containers.

    ``now`` is in seconds since the epoch. ``readiness`` and ``started``: what the probes say; a container that is
    missing there and declares no such probe passes it once it runs, one that declares it does not. ``previous``: the
    status last given of this pod, None for a new one. ``waiting``: why a container could not be started so far.
    ``is_stopping``: the pod is stopped or being stopped on purpose. ``begun_at``: since when it is to run, in whole
    seconds; what it was before counts no more.
    """

    pod: PodSpec
    node: Node
    now: float
    observed: ObservedPod | None = None
    pod_ip: str = ""
    readiness: Mapping[str, bool] = field(default_factory=dict)
    started: Mapping[str, bool] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    termination_messages: Mapping[str, str] = field(default_factory=dict)
    ends: Mapping[str, End] = field(default_factory=dict)
    previous: PodStatus | None = None
    is_stopping: bool = False
    begun_at: float = 0

    @cached_property
    def mains_started(self) -> bool:
        """Whether a main container has started since the sandbox last did; a new one runs the init containers again."""
        if self.observed is None:
            return False
        infra = next((c for c in self.observed.containers if c.is_infra), None)
        # In whole seconds: Podman's list of containers knows no finer ones.
        since = int(infra.started_at) if infra and infra.started_at is not None else 0
        mains = (c for c in self.observed.members if c.role == "app")
        return any(c.started_at is not None and int(c.started_at) >= since for c in mains)


def pod_status(evidence: Evidence) -> PodStatus:
    """The pod's status now.

    A pod that has come to an end stays in its phase until one of its containers is started anew, which only a changed
    declaration does; then it begins again. Ask before a container that has ended is removed, or how it ended is lost.
    """
    pod, observed, previous = evidence.pod, evidence.observed, evidence.previous
    anew = _runs_begun_anew(pod, previous, observed)
    was_before = previous is not None and previous.start_time is not None and previous.start_time < evidence.begun_at
    final = previous if previous and previous.is_final and not anew and not was_before else None
    start_time = _start_time(previous, observed, anew, evidence.begun_at)
    inits, mains = _container_statuses(evidence, evidence.is_stopping)
    begun = tuple(_as_begun(status, observed) for status in mains)
    reached = phase(pod, inits + begun, terminal=evidence.is_stopping, initialized=evidence.mains_started)
    verdict = final or _verdict(pod, reached, _is_late(pod, start_time, evidence.now))
    if verdict.is_final:
        inits, mains = _container_statuses(evidence, True)
    ip = evidence.pod_ip or (evidence.node.ip if pod.host_network else "")
    return PodStatus(
        phase=verdict.phase,
        conditions=conditions(
            pod,
            inits + mains,
            verdict.phase,
            sandbox_ready=observed is not None and observed.infra_is_running and bool(ip or pod.host_network),
            previous=previous.conditions if previous else (),
            now=evidence.now,
        ),
        container_statuses=mains,
        init_container_statuses=inits,
        pod_ip=ip,
        host_ip=evidence.node.ip,
        qos_class=qos_class(pod),
        start_time=start_time,
        reason=verdict.reason,
        message=verdict.message,
    )


def _container_statuses(
    evidence: Evidence, is_over: bool
) -> tuple[tuple[ContainerStatus, ...], tuple[ContainerStatus, ...]]:
    """The statuses of the init containers and of the main containers, in declared order.

    ``is_over``: nothing is started any more.
    """
    pod, mains_started = evidence.pod, evidence.mains_started
    inits = _statuses_of(pod.init_containers, evidence, is_over, mains_started)
    initialized = mains_started or all(has_initialized(status) for status in inits)
    mains = _statuses_of(pod.containers, evidence, is_over, initialized)
    if all(isinstance(status.state, Terminated) for status in mains):
        # A sidecar that ends after the last main container is not started again.
        inits = _statuses_of(pod.init_containers, evidence, True, initialized)
    return inits, mains


def _statuses_of(
    containers: Sequence[Container], evidence: Evidence, is_over: bool, initialized: bool
) -> tuple[ContainerStatus, ...]:
    pod, statuses = evidence.pod, []
    for container in containers:
        name, role = container.name, pod.role_of(container)
        # One that was renamed goes on until it is made anew.
        observed = evidence.observed.find_renamed(name) if evidence.observed else None
        previous = evidence.previous.container(name) if evidence.previous else None
        context = ContainerContext(
            pod_name=pod.name,
            role=role,
            restart_policy=policy_of(pod, container),
            initialized=initialized,
            mains_started=evidence.mains_started,
            over=is_over,
            ready=evidence.readiness.get(name),
            started=evidence.started.get(name),
            waiting=evidence.waiting.get(name),
            termination_message=evidence.termination_messages.get(name, ""),
            previous=last_known(previous, evidence.ends.get(name), observed.id if observed else ""),
        )
        statuses.append(container_status(container, observed, context))
    return tuple(statuses)


def _runs_begun_anew(pod: PodSpec, previous: PodStatus | None, observed: ObservedPod | None) -> tuple[float, ...]:
    """When each run began that started after the pod had ended."""
    if previous is None or not previous.is_final or observed is None:
        return ()
    before = {run_of(status.state, status.container_id) for status in previous.all_statuses}
    declared = [c for c in observed.members if pod.find(c.name) and c.state not in GONE]
    return tuple(c.started_at for c in declared if c.started_at is not None and (c.id, int(c.started_at)) not in before)


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


def _as_begun(status: ContainerStatus, observed: ObservedPod | None) -> ContainerStatus:
    """For the phase, a new run counts from its start: while it is in its postStart hook the old one decides nothing."""
    present = observed.find(status.name) if observed else None
    in_hook = isinstance(status.state, Waiting) and present is not None and present.state in ALIVE
    return replace(status, state=Running(present.started_at)) if present and in_hook and status.last_state else status


def _verdict(pod: PodSpec, reached: str, late: bool) -> PodStatus:
    """The phase with its reason: one that its containers have brought to an end cannot exceed its deadline."""
    if not late or reached in FINAL_PHASES:
        return PodStatus(reached)
    return PodStatus("Failed", reason=DEADLINE_EXCEEDED, message=DEADLINE_MESSAGE)
