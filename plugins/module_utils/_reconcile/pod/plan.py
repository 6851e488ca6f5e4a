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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._declaration import image_reference
from ..._declaration import spec as s
from ..._declaration.parse import PodPlace, native_place
from ..._errors import Fault, Refused
from .. import costs
from ..admission import refuse, refuse_placement, refuse_probes, refuse_removal, refuse_sandbox
from ..context import Context
from ..observed import LOST, STUCK, UNWATCHED, LiveLimits, Observed, ObservedContainer, ObservedPod
from ..operations import (
    INFRA,
    MISSING,
    AwaitCompletion,
    AwaitStarted,
    CreateContainer,
    CreatePod,
    CreateVolume,
    DropVolume,
    Forget,
    Operation,
    Plan,
    PrepareVolume,
    PullImage,
    Record,
    RemoveContainer,
    RemovePod,
    RunPostStart,
    StartContainer,
    StartPod,
    StopContainer,
    UpdateLimits,
    UpdatePodLimits,
    WriteFiles,
)
from ..probe_worker import termination_order
from ..rendering.limits import container_limits, differences, grown, pod_limits, weighed
from ..rendering.materials import Facts, files_digest, mount_points, tmpfs_volume, volume_files
from ..restart_policy import is_restarted
from ..status import Failure

STOPPABLE = ("running", "paused", "stopping", UNWATCHED, STUCK)
INFRA_GRACE_SECONDS = 10
BROKEN = {
    LOST: "its process is gone, though Podman says that it runs",
    UNWATCHED: "its monitor (conmon) is gone, so Podman would not see it end",
    STUCK: "its stop was given up",
}
"""Why a container is replaced that Podman reports wrongly, by its state."""


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
    held: frozenset[str] = frozenset()
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
    def known(self) -> s.PodSpec | None:
        return known(self.recorded, self.previous)


def known(recorded: s.PodSpec | None, previous: s.PodSpec | None) -> s.PodSpec | None:
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
        plan = plan_stopped(desired.pod.name, desired.known, observed, desired.was_stopped)
    else:
        plan = plan_absent(desired.pod.name, desired.known, view.is_known, observed, absent_cause)
    return with_grace_period(plan, grace_period_seconds)


def plan_started(desired: Desired, observed: Observed) -> Plan:
    """The plan for a running pod, or for the end of one that has failed for good.

    Raises Refused, with every reason, for what this host cannot take.
    """
    if desired.failure and desired.is_failed:
        pod = _our_pod(desired.pod.name, observed)
        return Plan(tuple(_stop_pod(desired.pod.name, desired.known, pod, desired.failure.cause))) if pod else Plan()
    pinned = frozenset(desired.pinned_images)
    node, place = desired.context.node, desired.place
    faults = refuse(desired.context, desired.allocatable, observed, pinned, place)
    if desired.recorded != desired.pod:
        # The applied pod is kept alive all the same, and reported as not ready.
        faults += [*refuse_probes(desired.pod, node), *refuse_placement(desired.pod, node, place)]
    cause = _replacement_cause(desired, observed)
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
        *_volumes(desired, observed),
        *changes,
        *_undeclared_volumes(desired, observed),
        # Last, since until then some of the stopped containers may not have started.
        *([Record(desired.pod.name, "state is started")] if desired.was_stopped else []),
    ]
    return Plan(tuple(operations))


def plan_stopped(name: str, recorded: s.PodSpec | None, observed: Observed, was_stopped: bool = False) -> Plan:
    """The plan for a pod that stays, with none of its containers running.

    ``was_stopped``: it is recorded as stopped on purpose already.
    """
    pod = _our_pod(name, observed)
    if pod is None:
        raise Refused([Fault("state", f"pod {name} does not exist, so it cannot be stopped; start it first")])
    cause = "state is stopped"
    operations: list[Operation] = [Record(name, cause, is_stopped=True)] if recorded and not was_stopped else []
    return Plan((*operations, *_stop_pod(name, recorded, pod, cause)))


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
        operations = [*_stop_all(name, recorded, pod, cause), RemovePod(name, cause, pod.id)]
    if pod is not None or is_known:
        operations.append(Forget(name, cause))
    return Plan(tuple(operations))


def with_grace_period(plan: Plan, seconds: int | None) -> Plan:
    """The plan with a grace period for its stops in place of the declared one; 0 is at once, without hooks."""
    if seconds is None:
        return plan

    def hurried(operation: Operation) -> Operation:
        if not isinstance(operation, StopContainer):
            return operation
        longest = INFRA_GRACE_SECONDS if operation.container == INFRA else seconds
        minimum = min(seconds, operation.minimum_seconds)
        hook = operation.pre_stop if seconds else None
        return replace(operation, grace_seconds=min(seconds, longest), minimum_seconds=minimum, pre_stop=hook)

    return Plan(tuple(map(hurried, plan.operations)))


def plan_completed(desired: Desired, observed: Observed) -> Plan:
    """The plan for a pod that may just have done its work: then its sidecars end, the last declared first."""
    if observed.pod is None or not _is_over(desired, observed):
        return Plan()
    return Plan(tuple(_end_sidecars(desired, observed.pod)))


def _our_pod(name: str, observed: Observed) -> ObservedPod | None:
    if observed.pod and not observed.pod.is_ours:
        raise Refused([Fault("name", f"pod {name} was not made by podwright.pods, so it is left alone")])
    return observed.pod


# --- the sandbox ---------------------------------------------------------------------------------------------------


def _replacement_cause(desired: Desired, observed: Observed) -> str | None:
    """Why the pod needs a new sandbox; None when the one there serves."""
    pod = observed.pod
    if pod is None:
        return MISSING
    if desired.failure:
        return desired.failure.cause
    changed = costs.changed_fields(costs.pod_digests(desired.context), pod.digests)
    if changed:
        return f"{', '.join(changed)} changed"
    if not pod.infra_id:
        return "its infra container is gone"
    if pod.infra_is_running or not any(c.has_started for c in pod.containers) or _is_over(desired, observed):
        return None
    if pod.infra and pod.infra.is_broken:
        return f"its infra container is broken: {BROKEN[pod.infra.state]}"
    return "it was stopped" if desired.was_stopped else "its infra container is not running"


def _is_sandbox_lost(desired: Desired, pod: ObservedPod) -> bool:
    """Whether a sandbox that has to be replaced is what is declared."""
    is_meant = desired.failure is not None or desired.was_stopped
    return not is_meant and not costs.changed_fields(costs.pod_digests(desired.context), pod.digests)


def _is_over(desired: Desired, observed: Observed) -> bool:
    """Whether every main container has ended for good, as a finished job's have; such a pod is left as it is."""
    desired = replace(desired, held=frozenset())
    for container in desired.pod.containers:
        found = observed.pod.find(container.name) if observed.pod else None
        if found is None or not found.has_exited or _container_cause(desired, observed, container, found):
            return False
    return True


def _replace_pod(desired: Desired, observed: Observed, cause: str) -> list[Operation]:
    name = desired.pod.name
    operations: list[Operation] = []
    if observed.pod:
        operations += _stop_all(name, desired.known, observed.pod, cause)
        operations.append(RemovePod(name, cause, observed.pod.id, _is_sandbox_lost(desired, observed.pod)))
    operations += [CreatePod(name, cause), StartPod(name, cause)]
    for container in desired.pod.all_containers:
        operations += _bring_up(desired.pod, container, cause)
    return operations


def _stop_pod(name: str, spec: s.PodSpec | None, pod: ObservedPod, cause: str) -> list[Operation]:
    """Stop all containers, then the sandbox; a sandbox that strangers use stays as it is."""
    operations = _stop_all(name, spec, pod, cause)
    others_run = any(c.is_running for c in pod.strangers)
    # Also one that runs without a monitor.
    has_sandbox = pod.infra_is_running or any(c.is_infra and c.state in STOPPABLE for c in pod.containers)
    if has_sandbox and not others_run:
        last = 1 + max((op.batch for op in operations if isinstance(op, StopContainer)), default=0)
        operations.append(
            StopContainer(name, cause, INFRA, id=pod.infra_id, grace_seconds=INFRA_GRACE_SECONDS, batch=last)
        )
    return operations


def _stop_all(name: str, spec: s.PodSpec | None, pod: ObservedPod, cause: str) -> list[Operation]:
    """What still runs of a pod, in the order in which it ends (see `termination_order`)."""
    running = {c.id: c for c in pod.members if c.state in STOPPABLE}
    order = {c.name: number for number, c in enumerate(spec.init_containers)} if spec else {}
    sidecars = sorted(
        (c for c in running.values() if c.role == "sidecar"), key=lambda c: (order.get(c.name, 0), c.started_at or 0)
    )
    others = (c for c in running.values() if c.role != "sidecar")
    waves = termination_order([(c.id, c.role) for c in (*others, *sidecars)])
    return [stop_of(name, spec, running[one], cause, batch) for batch, wave in enumerate(waves) for one in wave]


def stop_of(name: str, spec: s.PodSpec | None, found: ObservedContainer, cause: str, batch: int = 0) -> StopContainer:
    """How a container of a pod is ended: with the hook and the grace period that ``spec`` has for it."""
    container = spec.find(found.name) if spec else None
    has_process = found.is_running or found.state == UNWATCHED
    hook = container.lifecycle.pre_stop if container and container.lifecycle and has_process else None
    if container and hook:
        hook = s.numbered(hook, container)
    grace = spec.termination_grace_period_seconds if spec else s.PodSpec.termination_grace_period_seconds
    return StopContainer(name, cause, found.name, id=found.id, grace_seconds=grace, batch=batch, pre_stop=hook)


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


def remake(pod: s.PodSpec, container: s.Container, container_id: str, cause: str) -> list[Operation]:
    """What starts a container again that has ended, without the gate that it is behind."""
    operations: list[Operation] = [RemoveContainer(pod.name, cause, container.name, container_id, is_restart=True)]
    operations += _bring_up(pod, container, cause)
    return [operation for operation in operations if not isinstance(operation, (AwaitCompletion, AwaitStarted))]


def _change_containers(desired: Desired, observed: Observed, pod: ObservedPod) -> list[Operation]:
    """The changes within a sandbox that stays."""
    operations: list[Operation] = []
    is_over = _is_over(desired, observed)
    if not pod.infra_is_running and not is_over:
        operations.append(StartPod(desired.pod.name, "it was not started"))
    operations += _grow_pod(desired, pod)
    for found in pod.members:
        declared = desired.pod.find(found.name)
        if declared is None:
            operations += _take_down(desired, found, "no longer declared")
        elif pod.find(found.name) is not found:
            is_restart = pod.find(found.name) is None and _is_restart(desired, observed, declared, found)
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
    return _stop_all(desired.pod.name, desired.known, pod, "every main container has ended")


def _take_down(desired: Desired, found: ObservedContainer, cause: str, is_restart: bool = False) -> list[Operation]:
    operations: list[Operation] = []
    if found.state in STOPPABLE:
        operations.append(stop_of(desired.pod.name, desired.known, found, cause))
    operations.append(RemoveContainer(desired.pod.name, cause, found.name, found.id, is_restart))
    return operations


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


def _is_restart(desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer) -> bool:
    """Whether what comes in a container's place is the same once more, and counts as its restart."""
    return not found.stopped_by_run and _change_cause(desired, observed, container, found) is None


def _change_container(
    desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer | None
) -> list[Operation]:
    if found is None:
        return _bring_up(desired.pod, container, MISSING)
    cause = _container_cause(desired, observed, container, found)
    if cause:
        is_restart = _is_restart(desired, observed, container, found)
        return [*_take_down(desired, found, cause, is_restart), *_bring_up(desired.pod, container, cause)]
    operations: list[Operation] = []
    hook = container.lifecycle.post_start if container.lifecycle else None
    if hook and found.is_running and not found.post_start_done:
        operations.append(RunPostStart(desired.pod.name, "it has not run yet", container.name, hook))
    wanted = container_limits(container)
    changed = differences(wanted, found.limits) if found.is_running and found.limits and _can_limit(desired) else []
    if changed:
        cause = f"{' and '.join(changed)} changed"
        operations.append(UpdateLimits(desired.pod.name, cause, container.name, found.id, wanted))
    return operations


def _container_cause(
    desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer
) -> str | None:
    """Why the container has to be replaced; None if it serves."""
    return _change_cause(desired, observed, container, found) or _restart_cause(desired, observed, container, found)


def _change_cause(desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer) -> str | None:
    """Why another container has to come in its place; None if it is as declared."""
    role = desired.pod.role_of(container)
    if found.role != role:
        return f"it was {found.role} and is now {role}"
    changed = costs.changed_fields(costs.container_digests(desired.context, container), found.digests)
    if changed:
        return _keeper_cause(desired.context, container, found) or f"{', '.join(changed)} changed"
    image = observed.images.get(container.image)
    wanted_image = desired.pinned_images.get(container.name) or (image.id if image else "")
    if wanted_image and wanted_image != found.image_id:
        return f"{container.image} is another image now"
    return None


def _restart_cause(
    desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer
) -> str | None:
    """Why the same container has to be made again; None if it goes on, or has ended for good."""
    if found.is_broken:
        return BROKEN[found.state]
    if found.state == "stopping" and not desired.context.node.has_keeper:
        # Without a keeper nobody would deal with it if that stop is given up.
        return "it is being stopped"
    if found.state == "paused":
        return "it is paused"
    if not found.has_started:
        return "it was not started"
    if found.has_exited and found.stopped_by_run:
        return "it was stopped"
    is_held = container.name in desired.held
    if found.has_exited and not is_held and is_restarted(desired.pod, container, found.exit_code):
        return f"it is not running (exit code {found.exit_code})"
    return _sub_path_cause(desired.pod, observed, container, found) or _resize_cause(desired, container, found)


def _sub_path_cause(pod: s.PodSpec, observed: Observed, container: s.Container, found: ObservedContainer) -> str | None:
    """Why missing mounts of sub paths need a new container: Podman could not start this one again."""
    if observed.sub_path_mounts is None or not found.is_running:
        return None
    mounts = observed.sub_path_mounts
    missing = [n for n in pod.held_sub_paths(container) if (container.name, n) not in mounts]
    return f"the sub path of {container.volume_mounts[missing[0]].mount_path} is no longer mounted" if missing else None


def _keeper_cause(context: Context, container: s.Container, found: ObservedContainer) -> str | None:
    """The cause if only the restarter has changed: the agent in place of Podman, or the reverse."""
    node = context.node
    other = replace(context, node=replace(node, has_keeper=not node.has_keeper))
    if costs.changed_fields(costs.container_digests(other, container), found.digests):
        return None
    return "the agent restarts it from now on" if node.has_keeper else "Podman restarts it from now on"


# --- limits --------------------------------------------------------------------------------------------------------


def _can_limit(desired: Desired) -> bool:
    """Whether limits can be set here. If not, the observed ones are those of the process that started the pod."""
    return desired.context.node.can_limit


def _resize_cause(desired: Desired, container: s.Container, found: ObservedContainer) -> str | None:
    """Why a change of limits takes a new container: the resize policy says so, or the cgroup is out of reach."""
    if not (found.is_running and _can_limit(desired)):
        return None
    if found.limits is None:
        before = desired.recorded.find(container.name) if desired.recorded else None
        return "resources changed" if before and before.resources != container.resources else None
    differing = differences(container_limits(container), found.limits)
    restarting_names = {p.resource_name for p in container.resize_policy if p.restart_policy == "RestartContainer"}
    restarting = [name for name in differing if name in restarting_names]
    return f"{', '.join(restarting)} changed, and its resize policy is RestartContainer" if restarting else None


def _grow_pod(desired: Desired, pod: ObservedPod) -> list[Operation]:
    """The pod's cgroup takes the larger of the old and the new limits while its containers change."""
    if pod.limits is None or not _can_limit(desired):
        return []
    target = grown(pod.limits, pod_limits(desired.pod))
    if not differences(target, pod.limits):
        return []
    return [_update_pod_limits(desired, pod.limits, "its containers are about to grow", target)]


def _shrink_pod(desired: Desired, pod: ObservedPod) -> list[Operation]:
    if pod.limits is None or not _can_limit(desired):
        return []
    wanted = pod_limits(desired.pod)
    if not differences(wanted, grown(pod.limits, wanted)):
        return []
    return [_update_pod_limits(desired, pod.limits, "the sum of its limits is less", wanted)]


def _update_pod_limits(desired: Desired, found: LiveLimits, cause: str, wanted: LiveLimits) -> Operation:
    shares_before = pod_limits(desired.recorded).cpu_shares if desired.recorded else None
    return UpdatePodLimits(desired.pod.name, cause, weighed(wanted, found, shares_before))


# --- images, volumes, record ---------------------------------------------------------------------------------------


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


def _volumes(desired: Desired, observed: Observed) -> list[Operation]:
    operations: list[Operation] = []
    sources: set[str] = set()
    for volume in desired.pod.volumes:
        source = _shared_source(volume)
        if source not in sources:
            operations += _volume(desired, observed, volume)
        sources |= {source} if source else set()
    return operations


def _shared_source(volume: s.Volume) -> str:
    """The thing on the host that several volumes may share and that is made once; empty for any other volume."""
    if volume.persistent_volume_claim:
        return f"claim {volume.persistent_volume_claim.claim_name}"
    return f"path {volume.host_path.path}" if volume.host_path else ""


def _volume(desired: Desired, observed: Observed, volume: s.Volume) -> list[Operation]:
    name = desired.pod.name
    if volume.persistent_volume_claim:
        claim = volume.persistent_volume_claim.claim_name
        return [] if claim in observed.volumes else [CreateVolume(name, MISSING, volume.name, claim)]
    if volume.is_materialized:
        files = volume_files(desired.pod, volume, desired.context.materials, desired.facts)
        points = mount_points(desired.pod, volume, desired.context.materials, desired.facts)
        wanted = files_digest(files, desired.context.key, desired.pod.fs_group, points)
        found = observed.files.get(volume.name)
        cause = MISSING if found is None else "content changed"
        return [] if wanted == found else [WriteFiles(name, cause, volume.name)]
    if volume.empty_dir and volume.empty_dir.medium == "Memory":
        podman_name = tmpfs_volume(desired.pod, volume)
        is_held = podman_name in observed.tmpfs_volumes and podman_name not in observed.unmounted
        cause = "it is not mounted" if podman_name in observed.unmounted else MISSING
        return [] if is_held else [PrepareVolume(name, cause, volume.name)]
    if volume.empty_dir:
        return [] if volume.name in observed.directories else [PrepareVolume(name, MISSING, volume.name)]
    path = volume.host_path.path if volume.host_path else ""
    is_missing = observed.host_paths.get(path) == "missing"
    return [PrepareVolume(name, f"{path} was not there", volume.name)] if is_missing else []


def _undeclared_volumes(desired: Desired, observed: Observed) -> list[Operation]:
    name, cause, volumes = desired.pod.name, "no longer declared", desired.pod.volumes
    in_memory = {tmpfs_volume(desired.pod, v) for v in volumes if v.empty_dir and v.empty_dir.medium == "Memory"}
    on_disk = {v.name for v in volumes if v.empty_dir and v.empty_dir.medium != "Memory"}
    written = {v.name for v in volumes if v.is_materialized}
    return [
        *(DropVolume(name, cause, v, "directory") for v in sorted(observed.directories - on_disk)),
        *(DropVolume(name, cause, v, "files") for v in sorted({*observed.files} - written)),
        *(
            DropVolume(name, cause, v, "tmpfs", podman_name)
            for podman_name, v in sorted(observed.tmpfs_volumes.items())
            if podman_name not in in_memory
        ),
    ]


def _record(desired: Desired, pod: ObservedPod | None) -> list[Operation]:
    """Record the declaration before anything changes, so that an interrupted run leaves its intent."""
    name = desired.pod.name
    if desired.recorded is None:
        return [Record(name, "it is not recorded yet")]
    before, after = s.to_options(desired.recorded), s.to_options(desired.pod)
    changed = sorted(field for field in {*before, *after} if before.get(field) != after.get(field))
    cause = f"{', '.join(changed)} changed"
    if not changed:
        return []
    is_anew = desired.failure is not None
    past = tuple((c.name, c.id) for c in pod.members if c.role == "init" and c.has_exited) if pod and is_anew else ()
    return [Record(name, cause, is_stopped=desired.was_stopped, is_begun_anew=is_anew, past=past)]
