# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reconciler: from what is wanted and what is, the operations that make the two equal. Calls nothing.

As little as possible is replaced: limits change in place, one container's own fields cost that container,
only what the sandbox is made of (ports, namespaces, names, init containers) costs the pod. Everything that can
fail without harm, pulling images and writing files, comes before the first running container is touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..._declaration import image_reference
from ..._declaration import spec as s
from ..._declaration.parse import native_place
from ..._errors import Fault, Refused
from ..admission import refuse, refuse_probes, refuse_removal, refuse_sandbox
from ..observed import LiveLimits, Observed, ObservedContainer, ObservedPod
from ..operations import (
    MISSING,
    AwaitCompletion,
    AwaitStarted,
    CreateContainer,
    CreatePod,
    Forget,
    Operation,
    Plan,
    PullImage,
    Record,
    RemoveContainer,
    RemovePod,
    ResumeContainer,
    RunPostStart,
    StartContainer,
    StartPod,
    UpdateLimits,
    UpdatePodLimits,
)
from ..placement import labels_of, refuse_placement
from ..rendering.limits import container_limits, differences, grown, pod_limits, weighed
from .causes import can_limit, container_cause, counts_as_restart, is_pod_over, is_sandbox_lost, replacement_cause
from .stops import STOPPABLE, stop_all, stop_of, stop_pod, with_grace_period
from .view import Desired, PodView
from .volumes import drop_undeclared_volumes, prepare_volumes


def plan_pod(
    state: str, view: PodView, absent_cause: str = "state is absent", grace_period_seconds: int | None = None
) -> Plan:
    """The plan for a pod in state started, stopped or absent. Raises Refused.

    A grace period replaces the declared one, in states stopped and absent.
    """
    desired, observed = view.desired, view.observed
    if state == "started":
        return plan_started(desired, observed)
    if state == "stopped":
        plan = plan_stopped(desired.pod.name, desired.all_applied, observed, desired.was_stopped)
    else:
        plan = plan_absent(desired.pod.name, desired.all_applied, view.is_known, observed, absent_cause)
    return with_grace_period(plan, grace_period_seconds)


def plan_started(desired: Desired, observed: Observed) -> Plan:
    """The plan for a running pod, or for the end of one that has failed for good.

    Raises Refused, with every reason, for what this host cannot take.
    """
    if desired.failure and desired.is_failed:
        pod = _our_pod(desired.pod.name, observed)
        return (
            Plan(tuple(stop_pod(desired.pod.name, desired.all_applied, pod, desired.failure.cause))) if pod else Plan()
        )
    pinned = frozenset(desired.pinned_images)
    node, place = desired.context.node, desired.place
    faults = refuse(desired.context, desired.allocatable, observed, pinned, place)
    if desired.recorded != desired.pod:
        # The applied pod is kept alive all the same, and reported as not ready.
        faults += [*refuse_probes(desired.pod, node), *_misplaced(desired)]
    cause = replacement_cause(desired, observed)
    if cause is not None:
        faults += refuse_sandbox(desired.pod, node, observed, place)
    if faults:
        raise Refused(faults)
    if observed.pod is not None and cause is None:
        changes = _change_containers(desired, observed, observed.pod)
    else:
        changes = _replace_pod(desired, observed, cause or MISSING)
    operations = [
        *_pulls(desired, observed, changes),
        *_record(desired, observed.pod),
        *prepare_volumes(desired, observed),
        *changes,
        *drop_undeclared_volumes(desired, observed),
        # Last, since until then some of the stopped containers may not have started.
        *([Record(desired.pod.name, "state is started")] if desired.was_stopped else []),
    ]
    return Plan(tuple(operations))


def _misplaced(desired: Desired) -> list[Fault]:
    """Why the pod is not for this host. What of a stack is for it has been judged already."""
    node, settings = desired.context.node, desired.context.settings
    if settings.stack:
        return []
    return refuse_placement(
        desired.pod, labels_of(node.hostname, node.machine, settings.host_labels), desired.place.spec
    )


def plan_stopped(name: str, recorded: s.PodSpec | None, observed: Observed, was_stopped: bool = False) -> Plan:
    """The plan for a pod that stays, with none of its containers running.

    ``was_stopped``: it is recorded as stopped on purpose already.
    """
    pod = _our_pod(name, observed)
    if pod is None:
        raise Refused([Fault("state", f"pod {name} does not exist, so it cannot be stopped; start it first")])
    cause = "state is stopped"
    operations: list[Operation] = [Record(name, cause, is_stopped=True)] if recorded and not was_stopped else []
    return Plan((*operations, *stop_pod(name, recorded, pod, cause)))


def plan_absent(
    name: str, recorded: s.PodSpec | None, is_known: bool, observed: Observed, cause: str = "state is absent"
) -> Plan:
    """The plan for a pod that is not there. Named volumes and generated secrets stay."""
    pod = _our_pod(name, observed)
    operations: list[Operation] = []
    if pod is not None:
        faults = refuse_removal(Observed(pod=pod), native_place())
        if faults:
            raise Refused(faults)
        operations = [*stop_all(name, recorded, pod, cause), RemovePod(name, cause, pod.id)]
    if pod is not None or is_known:
        operations.append(Forget(name, cause))
    return Plan(tuple(operations))


def plan_completed(desired: Desired, observed: Observed) -> Plan:
    """The plan for a pod that may just have done its work: then its sidecars end, the last declared first."""
    if observed.pod is None or not is_pod_over(desired, observed):
        return Plan()
    return Plan(tuple(_end_sidecars(desired, observed.pod)))


def _our_pod(name: str, observed: Observed) -> ObservedPod | None:
    if observed.pod and not observed.pod.is_ours:
        raise Refused([Fault("name", f"pod {name} was not made by podwright.pods, so it is left alone")])
    return observed.pod


# --- the sandbox ---------------------------------------------------------------------------------------------------


def _replace_pod(desired: Desired, observed: Observed, cause: str) -> list[Operation]:
    name = desired.pod.name
    operations: list[Operation] = []
    if observed.pod:
        operations += stop_all(name, desired.all_applied, observed.pod, cause)
        operations.append(RemovePod(name, cause, observed.pod.id, is_sandbox_lost(desired, observed.pod)))
    operations += [CreatePod(name, cause), StartPod(name, cause)]
    for container in desired.pod.all_containers:
        operations += _bring_up(desired.pod, container, cause)
    return operations


# --- containers ----------------------------------------------------------------------------------------------------


def _bring_up(pod: s.PodSpec, container: s.Container, cause: str) -> list[Operation]:
    """Create, start, postStart, and the gate before the next container."""
    name, role = pod.name, pod.role_of(container)
    operations: list[Operation] = [
        CreateContainer(name, cause, container.name),
        StartContainer(name, cause, container.name),
    ]
    if container.lifecycle and container.lifecycle.post_start:
        operations.append(RunPostStart(name, cause, container.name, container.lifecycle.post_start))
    if role == "init":
        operations.append(AwaitCompletion(name, cause, container.name))
    elif role == "sidecar":
        operations.append(AwaitStarted(name, cause, container.name))
    return operations


def remake(pod: s.PodSpec, container: s.Container, found: ObservedContainer | None, cause: str) -> list[Operation]:
    """What makes the same container once more, without the gate that it is behind; ``found`` None: it is gone."""
    operations = _end(pod.name, pod, found, cause, is_restart=True) if found else []
    operations += _bring_up(pod, container, cause)
    return [operation for operation in operations if not isinstance(operation, (AwaitCompletion, AwaitStarted))]


def _change_containers(desired: Desired, observed: Observed, pod: ObservedPod) -> list[Operation]:
    """The changes within a sandbox that stays."""
    operations: list[Operation] = []
    is_over = is_pod_over(desired, observed)
    if not pod.infra_is_running and not is_over:
        operations.append(StartPod(desired.pod.name, "it was not started"))
    operations += _grow_pod(desired, pod)
    for found in pod.members:
        declared = desired.pod.find(found.name)
        if declared is None:
            operations += _take_down(desired, found, "no longer declared")
        elif pod.find(found.name) is not found:
            is_restart = pod.find(found.name) is None and counts_as_restart(desired, observed, declared, found)
            operations += _take_down(desired, found, f"it is called {found.podman_name}", is_restart)
    is_initialized = any(c.has_started for c in pod.members if c.role == "app")
    for container in desired.pod.all_containers:
        present, role = pod.find(container.name), desired.pod.role_of(container)
        if is_over and role == "sidecar":
            continue
        if role != "init":
            changes = _change_container(desired, observed, container, present)
            is_gate = role == "sidecar" and not is_initialized and not any(isinstance(c, AwaitStarted) for c in changes)
            if is_gate:
                changes.append(AwaitStarted(desired.pod.name, "the pod is not initialized", container.name))
            operations += changes
        elif not is_initialized:
            operations += _initialize(desired, container, present)
    operations += _end_sidecars(desired, pod) if is_over else []
    operations += _shrink_pod(desired, pod)
    return operations


def _end_sidecars(desired: Desired, pod: ObservedPod) -> list[Operation]:
    return stop_all(desired.pod.name, desired.all_applied, pod, "every main container has ended")


def _take_down(desired: Desired, found: ObservedContainer, cause: str, is_restart: bool = False) -> list[Operation]:
    return _end(desired.pod.name, desired.all_applied, found, cause, is_restart)


def _end(
    pod: str, applied: s.PodSpec | None, found: ObservedContainer, cause: str, is_restart: bool
) -> list[Operation]:
    """Stop a container that has a process, and remove it. ``applied`` has its hook and its grace period."""
    operations: list[Operation] = [RemoveContainer(pod, cause, found.name, found.id, is_restart)]
    return [stop_of(pod, applied, found, cause), *operations] if found.state in STOPPABLE else operations


def _initialize(desired: Desired, container: s.Container, found: ObservedContainer | None) -> list[Operation]:
    """An init container of a sandbox that has not come as far as its main containers."""
    if found is None:
        return _bring_up(desired.pod, container, MISSING)
    if found.is_running:
        return [AwaitCompletion(desired.pod.name, "it has not completed", container.name)]
    if found.has_exited and found.exit_code == 0 and not found.stopped_by_run:
        return []
    # An interrupted run may have created it, with other limits than are declared now.
    cause = f"it exited with {found.exit_code}" if found.has_started else "it was not started"
    if found.stopped_by_run:
        cause = "it was stopped"
    return [*_take_down(desired, found, cause, not found.stopped_by_run), *_bring_up(desired.pod, container, cause)]


def _change_container(
    desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer | None
) -> list[Operation]:
    if found is None:
        return _bring_up(desired.pod, container, MISSING)
    cause = container_cause(desired, observed, container, found)
    if cause:
        is_restart = counts_as_restart(desired, observed, container, found)
        return [*_take_down(desired, found, cause, is_restart), *_bring_up(desired.pod, container, cause)]
    operations: list[Operation] = []
    if found.state == "running" and found.stopped_by_run:
        # Its own end, when that comes, must not count as one on purpose.
        operations.append(ResumeContainer(desired.pod.name, "its stop was cut off", container.name))
    hook = container.lifecycle.post_start if container.lifecycle else None
    if hook and found.is_running and not found.post_start_done:
        operations.append(RunPostStart(desired.pod.name, "it has not run yet", container.name, hook))
    wanted = container_limits(container)
    changed = differences(wanted, found.limits) if found.is_running and found.limits and can_limit(desired) else []
    if changed:
        cause = f"{' and '.join(changed)} changed"
        operations.append(UpdateLimits(desired.pod.name, cause, container.name, found.id, wanted))
    return operations


# --- limits --------------------------------------------------------------------------------------------------------


def _grow_pod(desired: Desired, pod: ObservedPod) -> list[Operation]:
    """The pod's cgroup takes the larger of the old and the new limits while its containers change."""
    if pod.limits is None or not can_limit(desired):
        return []
    target = grown(pod.limits, pod_limits(desired.pod))
    if not differences(target, pod.limits):
        return []
    return [_update_pod_limits(desired, pod.limits, "its containers are about to grow", target)]


def _shrink_pod(desired: Desired, pod: ObservedPod) -> list[Operation]:
    if pod.limits is None or not can_limit(desired):
        return []
    wanted = pod_limits(desired.pod)
    if not differences(wanted, grown(pod.limits, wanted)):
        return []
    return [_update_pod_limits(desired, pod.limits, "the sum of its limits is less", wanted)]


def _update_pod_limits(desired: Desired, found: LiveLimits, cause: str, wanted: LiveLimits) -> Operation:
    shares_before = pod_limits(desired.recorded).cpu_shares if desired.recorded else None
    return UpdatePodLimits(desired.pod.name, cause, weighed(wanted, found, shares_before))


# --- images, record ------------------------------------------------------------------------------------------------


def _pulls(desired: Desired, observed: Observed, changes: Sequence[Operation]) -> list[Operation]:
    """Each image that a container about to be made needs pulled, once."""
    made = {op.container for op in changes if isinstance(op, CreateContainer)}
    causes: dict[str, str] = {}
    for container in desired.pod.all_containers:
        if container.name not in made or container.name in desired.pinned_images:
            continue
        policy = container.image_pull_policy or image_reference.default_pull_policy(container.image)
        present = observed.images.get(container.image) is not None
        if image_reference.pull_action(policy, present) == "pull":
            causes.setdefault(container.image, "pull policy is Always" if present else "not on this host")
    return [PullImage(desired.pod.name, cause, image) for image, cause in causes.items()]


def _record(desired: Desired, pod: ObservedPod | None) -> list[Operation]:
    """Record the declaration before anything changes, so that an interrupted run leaves its intent."""
    name = desired.pod.name
    if desired.recorded is None:
        return [Record(name, "it is not recorded yet")]
    if desired.recorded == desired.pod:
        return []
    before, after = s.to_options(desired.recorded), s.to_options(desired.pod)
    changed = sorted(field for field in {*before, *after} if before.get(field) != after.get(field))
    cause = f"{', '.join(changed)} changed"
    if not changed:
        return []
    is_anew = desired.failure is not None
    past = tuple((c.name, c.id) for c in pod.members if c.role == "init" and c.has_exited) if pod and is_anew else ()
    return [Record(name, cause, is_stopped=desired.was_stopped, is_begun_anew=is_anew, past=past)]
