# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as plain data: what each operation of a plan does to what is observed, without Podman.

Each step insists on what the real operation needs (a container is created in a pod that runs, from an image that
is there, within the limits of the pod's cgroup), so that a plan in the wrong order fails here as it would there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import PodPlace, native_place
from ansible_collections.podwright.pods.plugins.module_utils._reconcile import costs
from ansible_collections.podwright.pods.plugins.module_utils._reconcile import operations as op
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.context import Context
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import (
    LiveLimits,
    Node,
    Observed,
    ObservedContainer,
    ObservedImage,
    ObservedPod,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod.plan import (
    plan_absent,
    plan_started,
    plan_stopped,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod.view import Desired, all_applied
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering import limits, materials
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering.materials import tmpfs_volume
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.status import Failure

KEY = b"the model's key"
NODE = Node(
    hostname="node",
    cpu_millicores=4000,
    memory_bytes=8 << 30,
    max_pods=110,
    podman_version=(4, 3, 1),
    cgroup_version=1,
    is_rootless=False,
    has_systemd=False,
    can_lower_oom_score=True,
    ip="192.0.2.1",
)


def image_id(name: str, revision: int = 1) -> str:
    return f"image of {name}, revision {revision}"


def context_of(pod: s.PodSpec, node: Node = NODE) -> Context:
    generated = {secret.name: {key: "x" * size for key, size in secret.generate.items()} for secret in pod.secrets}
    return Context(pod, materials.gather(pod, generated), node, KEY)


@dataclass(frozen=True)
class Host:
    """What there is of one pod; ``images`` are those that were pulled or loaded, a registry has all others."""

    observed: Observed = field(default_factory=Observed)
    recorded: s.PodSpec | None = None
    is_verified: bool = False
    previous: s.PodSpec | None = None
    """What was last seen ready, until what is recorded is."""
    is_stopped: bool = False
    """Whether the record says that the pod was stopped on purpose."""
    failure: Failure | None = None
    """Why the pod, as it is recorded, has failed for good."""
    node: Node = NODE
    place: PodPlace = field(default_factory=native_place)
    """Where the pod is declared."""
    pinned_images: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each container was made with, by its id."""
    next_id: int = 1

    @property
    def pod(self) -> ObservedPod:
        assert self.observed.pod is not None, "there is no pod"
        return self.observed.pod

    def find(self, name: str) -> ObservedContainer:
        found = self.pod.find(name)
        assert found is not None, f"there is no container {name}"
        return found

    def see(self, **facts: Any) -> Host:
        return replace(self, observed=replace(self.observed, **facts))

    def see_pod(self, **facts: Any) -> Host:
        return self.see(pod=replace(self.pod, **facts))

    def see_container(self, name: str, **facts: Any) -> Host:
        changed = replace(self.find(name), **facts)
        return self.see_pod(containers=tuple(changed if c.name == name else c for c in self.pod.containers))

    def without_container(self, name: str) -> Host:
        return self.see_pod(containers=tuple(c for c in self.pod.containers if c.name != name))

    # --- plans -----------------------------------------------------------------------------------------------------

    def look(self, pod: s.PodSpec) -> Host:
        """The same host as a snapshot made for ``pod`` shows it: with an answer for each image it names."""
        answers = {c.image: self.observed.images.get(c.image) for c in pod.all_containers}
        paths = {v.host_path.path: "missing" for v in pod.volumes if v.host_path}
        return self.see(images={**answers, **self.observed.images}, host_paths={**paths, **self.observed.host_paths})

    def desire(self, pod: s.PodSpec, allocatable: Mapping[str, int] | None = None) -> Desired:
        return Desired(
            context_of(pod, self.node),
            self.recorded,
            allocatable=allocatable or {},
            pinned_images=self.pinned_images,
            was_stopped=self.is_stopped,
            previous=self.previous,
            failure=self.failure,
            place=self.place,
        )

    def plan(self, pod: s.PodSpec, allocatable: Mapping[str, int] | None = None) -> op.Plan:
        return plan_started(self.desire(pod, allocatable), self.look(pod).observed)

    def plan_stopped(self, name: str) -> op.Plan:
        return plan_stopped(name, all_applied(self.recorded, self.previous), self.observed, self.is_stopped)

    def plan_absent(self, name: str) -> op.Plan:
        return plan_absent(name, all_applied(self.recorded, self.previous), self.recorded is not None, self.observed)

    # --- execution -------------------------------------------------------------------------------------------------

    def run(self, pod: s.PodSpec, operations: Iterable[op.Operation]) -> Host:
        """The host after the operations; AssertionError at one that could not be carried out."""
        *_earlier, last = self.steps(pod, operations)
        return last

    def steps(self, pod: s.PodSpec, operations: Iterable[op.Operation]) -> Iterator[Host]:
        """The host before the first operation and after each one."""
        host = self.look(pod)
        yield host
        for operation in operations:
            host = _STEPS[type(operation)](host, context_of(pod, self.node), operation)
            yield host

    def apply(self, pod: s.PodSpec) -> Host:
        """The host after a whole run, which ends with the pod seen ready."""
        host = self.run(pod, self.plan(pod).operations)
        return replace(host, is_verified=True, previous=None)

    def made_id(self) -> tuple[Host, str]:
        return replace(self, next_id=self.next_id + 1), f"id{self.next_id}"


def normalise(host: Host) -> Any:
    """What tells whether two hosts are alike: everything but ids, times and what is of no more account."""
    pod = host.observed.pod
    containers = pod.containers if pod else ()
    ids = {c.id: c.podman_name for c in containers}
    return (
        host.recorded,
        host.is_stopped,
        pod and replace(pod, id="", infra_id=ids.get(pod.infra_id, ""), created_at=None, containers=()),
        sorted(
            (
                replace(
                    c,
                    id="",
                    started_at=c.started_at and 1.0,
                    finished_at=None,
                    limits=c.limits if c.is_running else None,
                    image_id="" if c.role == "init" else c.image_id,
                    post_start_done=c.post_start_done and _has_hook(host.recorded, c.name),
                )
                for c in containers
            ),
            key=lambda c: c.podman_name,
        ),
        host.observed.volumes,
        dict(host.observed.files),
        host.observed.directories,
        dict(host.observed.tmpfs_volumes),
        host.observed.unmounted,
    )


def _has_hook(pod: s.PodSpec | None, name: str) -> bool:
    container = pod.find(name) if pod else None
    return bool(container and container.lifecycle and container.lifecycle.post_start)


# --- what the operations do ----------------------------------------------------------------------------------------


def _pull(host: Host, context: Context, operation: op.PullImage) -> Host:
    before = host.observed.images.get(operation.image)
    pulled = before or ObservedImage(image_id(operation.image), command=("serve",))
    return host.see(images={**host.observed.images, operation.image: pulled})


def _create_volume(host: Host, context: Context, operation: op.CreateVolume) -> Host:
    assert operation.claim not in host.observed.volumes
    return host.see(volumes=host.observed.volumes | {operation.claim})


def _prepare_volume(host: Host, context: Context, operation: op.PrepareVolume) -> Host:
    volume = context.pod.volume(operation.volume)
    if volume.host_path:
        kind = "file" if volume.host_path.type == "FileOrCreate" else "directory"
        return host.see(host_paths={**host.observed.host_paths, volume.host_path.path: kind})
    if volume.empty_dir and volume.empty_dir.medium == "Memory":
        name = tmpfs_volume(context.pod, volume)
        assert name not in host.observed.tmpfs_volumes or name in host.observed.unmounted
        made = {**host.observed.tmpfs_volumes, name: volume.name}
        return host.see(tmpfs_volumes=made, unmounted=host.observed.unmounted - {name})
    return host.see(directories=host.observed.directories | {volume.name})


def _write_files(host: Host, context: Context, operation: op.WriteFiles) -> Host:
    volume = context.pod.volume(operation.volume)
    files = materials.volume_files(context.pod, volume, context.materials, materials.Facts())
    digest = materials.files_digest(files, KEY, context.pod.fs_group)
    return host.see(files={**host.observed.files, volume.name: digest})


def _drop_volume(host: Host, context: Context, operation: op.DropVolume) -> Host:
    if operation.kind == "tmpfs":
        users = [c.name for c in host.pod.members if operation.podman_name in host.mounts[c.id]]
        assert not users, "Podman refuses to remove a volume in use"
        kept = {k: v for k, v in host.observed.tmpfs_volumes.items() if k != operation.podman_name}
        return host.see(tmpfs_volumes=kept, unmounted=host.observed.unmounted - {operation.podman_name})
    if operation.kind == "files":
        return host.see(files={k: v for k, v in host.observed.files.items() if k != operation.volume})
    return host.see(directories=host.observed.directories - {operation.volume})


def _create_pod(host: Host, context: Context, operation: op.CreatePod) -> Host:
    assert host.observed.pod is None, "Podman refuses a second pod of the name"
    pod = context.pod
    host, pod_id = host.made_id()
    host, infra_id = host.made_id()
    infra = ObservedContainer(infra_id, pod.infra_name, "", "", "created", "pause", "pause", is_infra=True)
    made = ObservedPod(pod_id, pod.name, True, costs.pod_digests(context), infra_id, 0, 1.0, (infra,), None)
    return host.see(pod=made)


def _start_pod(host: Host, context: Context, operation: op.StartPod) -> Host:
    assert host.pod.infra_id, "there is no infra container to start"
    infra, *others = (c for c in host.pod.containers if c.is_infra)
    assert not others
    running = replace(infra, state="running", pid=1, started_at=1.0)
    containers = tuple(running if c.is_infra else c for c in host.pod.containers)
    return host.see_pod(containers=containers, infra_pid=1, limits=limits.pod_limits(context.pod))


def _remove_pod(host: Host, context: Context, operation: op.RemovePod) -> Host:
    assert operation.id == host.pod.id
    assert not any(c.is_running for c in host.pod.members), "what runs is stopped first, hooks and all"
    return host.see(pod=None)


def _create_container(host: Host, context: Context, operation: op.CreateContainer) -> Host:
    container = context.pod.find(operation.container)
    assert container is not None
    assert host.pod.infra_is_running, "a container is created in a pod that runs"
    assert host.pod.find(container.name) is None, "Podman refuses a second container of the name"
    pinned = host.pinned_images.get(container.name)
    image = ObservedImage(pinned) if pinned else host.observed.images[container.image]
    assert image is not None, f"{container.image} is not on the host"
    mounted = tuple(_mounted(host, context.pod, mount) for mount in container.volume_mounts)
    wanted = limits.container_limits(container)
    _insist_on_room(host.pod, wanted)
    host, made_id = host.made_id()
    made = ObservedContainer(
        made_id,
        context.pod.podman_name(container.name),
        container.name,
        context.pod.role_of(container),
        "created",
        container.image,
        image.id,
        costs.container_digests(context, container),
        limits=wanted,
    )
    host = replace(host, mounts={**host.mounts, made_id: mounted})
    return host.see_pod(containers=(*host.pod.containers, made))


def _mounted(host: Host, pod: s.PodSpec, mount: s.VolumeMount) -> str:
    """What of the host a mount stands on, which has to be there before the container."""
    volume = pod.volume(mount.name)
    if volume.persistent_volume_claim:
        assert volume.persistent_volume_claim.claim_name in host.observed.volumes
    elif volume.is_materialized:
        assert volume.name in host.observed.files
    elif volume.host_path:
        assert host.observed.host_paths[volume.host_path.path] != "missing"
    elif volume.empty_dir and volume.empty_dir.medium == "Memory":
        assert tmpfs_volume(pod, volume) in host.observed.tmpfs_volumes
        return tmpfs_volume(pod, volume)
    else:
        assert volume.name in host.observed.directories
    return volume.name


def _insist_on_room(pod: ObservedPod, wanted: LiveLimits) -> None:
    """No container may be given more than its pod: the kernel refuses it, or kills in the wrong place."""
    whole = pod.limits or LiveLimits()
    for part, limit in ((wanted.memory_bytes, whole.memory_bytes), (wanted.cpu_quota_us, whole.cpu_quota_us)):
        assert part is None or limit is None or part <= limit, f"{part} is more than the pod's {limit}"


def _start_container(host: Host, context: Context, operation: op.StartContainer) -> Host:
    found = host.find(operation.container)
    assert found.state == "created"
    assert host.pod.infra_is_running
    _insist_on_order(host, context.pod, operation.container)
    return host.see_container(found.name, state="running", pid=1, started_at=1.0)


def _insist_on_order(host: Host, pod: s.PodSpec, name: str) -> None:
    """Init containers before it have completed, sidecars before it run; those of a pod that is up are history."""
    if any(c.has_started for c in host.pod.members if c.role == "app"):
        return
    for container in itertools.takewhile(lambda c: c.name != name, pod.init_containers):
        found = host.find(container.name)
        if pod.role_of(container) == "init":
            assert found.has_exited, f"{container.name} has not completed"
            assert found.exit_code == 0
        else:
            assert found.is_running, f"sidecar {container.name} does not run"


def _run_post_start(host: Host, context: Context, operation: op.RunPostStart) -> Host:
    assert host.find(operation.container).is_running
    return host.see_container(operation.container, post_start_done=True)


def _resume_container(host: Host, context: Context, operation: op.ResumeContainer) -> Host:
    assert host.find(operation.container).is_running
    return host.see_container(operation.container, stopped_by_run=False)


def _await_completion(host: Host, context: Context, operation: op.AwaitCompletion) -> Host:
    assert host.find(operation.container).has_started, "what never started never completes"
    return host.see_container(operation.container, state="exited", pid=0, exit_code=0)


def _await_started(host: Host, context: Context, operation: op.AwaitStarted) -> Host:
    assert host.find(operation.container).is_running
    return host


def _stop_container(host: Host, context: Context, operation: op.StopContainer) -> Host:
    if operation.id == host.pod.infra_id:
        infra = next(c for c in host.pod.containers if c.is_infra)
        ended = replace(infra, state="exited", pid=0)
        containers = tuple(ended if c.is_infra else c for c in host.pod.containers)
        return host.see_pod(containers=containers, infra_pid=0, limits=None)
    found = host.find(operation.container)
    assert found.id == operation.id
    return host.see_container(found.name, state="exited", pid=0, exit_code=0, stopped_by_run=True)


def _remove_container(host: Host, context: Context, operation: op.RemoveContainer) -> Host:
    found = host.find(operation.container)
    assert found.id == operation.id
    assert not found.is_running, "what runs is stopped first, hooks and all"
    return host.without_container(found.name)


def _update_limits(host: Host, context: Context, operation: op.UpdateLimits) -> Host:
    found = host.find(operation.container)
    assert (found.id, found.is_running) == (operation.id, True)
    _insist_on_room(host.pod, operation.limits)
    return host.see_container(found.name, limits=operation.limits)


def _update_pod_limits(host: Host, context: Context, operation: op.UpdatePodLimits) -> Host:
    updated = host.see_pod(limits=operation.limits)
    for found in updated.pod.members:
        if found.is_running:
            _insist_on_room(updated.pod, found.limits or LiveLimits())
    return updated


def _record(host: Host, context: Context, operation: op.Record) -> Host:
    failure = None if operation.is_begun_anew else host.failure
    host = replace(host, is_stopped=operation.is_stopped, failure=failure)
    if host.recorded == context.pod:
        return host
    last_verified = host.recorded if host.is_verified else host.previous
    return replace(host, recorded=context.pod, is_verified=False, previous=last_verified)


def _forget(host: Host, context: Context, operation: op.Forget) -> Host:
    assert host.observed.pod is None
    forgotten = replace(host, recorded=None, previous=None, is_stopped=False)
    return forgotten.see(files={}, directories=frozenset(), tmpfs_volumes={})


_STEPS = {
    op.PullImage: _pull,
    op.CreateVolume: _create_volume,
    op.PrepareVolume: _prepare_volume,
    op.DropVolume: _drop_volume,
    op.WriteFiles: _write_files,
    op.CreatePod: _create_pod,
    op.StartPod: _start_pod,
    op.RemovePod: _remove_pod,
    op.CreateContainer: _create_container,
    op.StartContainer: _start_container,
    op.RunPostStart: _run_post_start,
    op.ResumeContainer: _resume_container,
    op.AwaitCompletion: _await_completion,
    op.AwaitStarted: _await_started,
    op.StopContainer: _stop_container,
    op.RemoveContainer: _remove_container,
    op.UpdateLimits: _update_limits,
    op.UpdatePodLimits: _update_pod_limits,
    op.Record: _record,
    op.Forget: _forget,
}
