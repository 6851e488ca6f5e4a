# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a plan, operation by operation, and decides nothing.

Each kind of operation has one method; `Executor.run` looks it up in one table. An error leaves what was done so
far in place: the next plan starts from there.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import posixpath
import stat
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote

from .._declaration import spec as s
from .._declaration.quantity import Quantity
from .._errors import ContainerFailed, HostError, NotFound, PodmanError, PodwrightError, Timeout, is_out_of_space
from .._host import cgroup, held_paths, hooks, named_volumes
from .._host.container_output import last_lines, shown_log
from .._host.image_pull import pull
from .._host.observe import Sandbox, observe_image, observe_sandbox, tmpfs_volumes
from .._host.podman import Podman, keep_mounted
from .._host.probes import Target
from .._host.store import Applied, Record, Store, give_to_group
from .._reconcile import operations as op
from .._reconcile import render, start_program
from .._reconcile.costs import Context
from .._reconcile.limits import pod_limits, words_of_end
from .._reconcile.materials import (
    Environment,
    Facts,
    environment,
    files_digest,
    mount_points,
    nested_mounts,
    sub_path_of,
    tmpfs_volume,
    volume_files,
)
from .._reconcile.observed import (
    LABEL_CONTAINER,
    LABEL_POD,
    LABEL_VOLUME,
    ObservedImage,
    ObservedPod,
    read_ended,
    read_time,
)
from .._reconcile.pod_plan import remake
from .._reconcile.pod_step import Memory, restarts_due
from .._reconcile.probe_worker import CONTAINER_BACKOFF, Backoff, TerminationBudget
from .._reconcile.restart_policy import is_restarted
from .._reconcile.status import INIT_ERROR, End, end_of, from_kubernetes
from .wait import Waiter, Watch

KEPT_LOG_LINES = 500
KEPT_LOG_BYTES = 1 << 20
"""How much of the log of a container that is started again is kept of the run before."""
_STOP_WORKERS = 4
_API_GRACE_SECONDS = 30
# Independent of the run's own deadline: Podman goes on with a start that the run gives up.
_START_SECONDS = 120
_MONITOR_SECONDS = 20
"""How long what watches containers may outlive them."""
_NO_MONITOR = "timed out waiting for file"
"""Podman's words for a container that has ended without a monitor to record it."""
_UNSETTLED = ("device or resource busy", "container state improper", "could not be stopped", _NO_MONITOR)
"""Podman's words for a container that is just ending, or whose end it has not noticed: the next try succeeds."""
_POLL_SECONDS = (0.02, 0.25)


class OperationFailed(PodwrightError):
    """An operation of a plan failed; ``cause`` is the error, ``number`` its place in the plan (from 1)."""

    def __init__(self, number: int, operation: op.Operation, cause: PodwrightError) -> None:
        self.number = number
        self.operation = operation
        self.cause = cause
        super().__init__(str(cause))


@dataclass
class Executor:
    """One execution: the pod as declared, and until when (monotonic seconds) starts and gates may take.

    ``on_done`` is told of each operation that was carried out.
    """

    podman: Podman
    store: Store
    context: Context
    facts: Facts
    deadline: float
    on_done: Callable[[op.Operation], None] = lambda operation: None
    pause: Callable[[float], None] = time.sleep
    """Waits so many seconds while a gate is closed; may raise a PodwrightError to end the execution."""
    on_back_off: Callable[[str], None] = lambda container: None
    """Told of an init container that has failed and waits for its next attempt."""
    watch: Callable[[float], Watch] | None = None
    """Waits for the pod's gates by its keeper's view until a deadline; None where nobody keeps the pod."""
    warnings: list[str] = field(default_factory=list)
    _backoff: Backoff = CONTAINER_BACKOFF
    _sandbox: Sandbox | None = None
    _images: dict[str, ObservedImage] = field(default_factory=dict)
    pinned_images: dict[str, str] = field(default_factory=dict)
    _unwritten: list[tuple[int, op.Operation]] = field(default_factory=list)
    """Records of a stop that a full disk refused, with their numbers in the plan. They are tried again at the end."""

    @property
    def pod(self) -> s.PodSpec:
        return self.context.pod

    def run(self, plan: op.Plan, number: int = 1) -> None:
        """Carry out the plan, counting from ``number``. Raises OperationFailed at the first operation that fails."""
        for group in _batches(plan.operations):
            self._run_group(number, group)
            number += len(group)
        for kept_back, operation in self._unwritten:
            # If the disk is still full, the run fails with this alone left undone.
            self._run_one(kept_back, operation, self.podman)
        self._unwritten = []

    def _run_group(self, number: int, group: Sequence[op.Operation]) -> None:
        if len(group) == 1:
            self._run_one(number, group[0], self.podman)
            return
        with ThreadPoolExecutor(max_workers=_STOP_WORKERS) as workers:
            jobs = [workers.submit(self._run_in_thread, number + i, item) for i, item in enumerate(group)]
        for job in jobs:
            job.result()

    def _run_in_thread(self, number: int, operation: op.Operation) -> None:
        with self.podman.clone() as podman:
            self._run_one(number, operation, podman)

    def _run_one(self, number: int, operation: op.Operation, podman: Podman) -> None:
        try:
            _PERFORMERS[type(operation)](self, operation, podman)
        except (PodwrightError, OSError) as error:
            if (
                is_out_of_space(error)
                and isinstance(operation, op.Record)
                and operation.is_stopped
                and not self._unwritten
            ):
                # The pod is stopped all the same: its own data may be what fills the disk.
                self._unwritten.append((number, operation))
                return
            cause = error if isinstance(error, PodwrightError) else HostError(str(error))
            raise OperationFailed(number, operation, cause) from error
        self.on_done(operation)

    # --- images, volumes, record -----------------------------------------------------------------------------------

    def _pull(self, operation: op.PullImage, podman: Podman) -> None:
        pull(podman, operation.image, {})
        self._images.pop(operation.image, None)

    def _create_volume(self, operation: op.CreateVolume, podman: Podman) -> None:
        # Without a group of its own Podman gives a new volume to the user of the first container that mounts it.
        group = self.pod.fs_group
        body = {
            "Name": operation.claim,
            "Labels": {LABEL_POD: operation.pod},
            "Options": {} if group is None else {"o": f"gid={group}"},
        }
        podman.post("/volumes/create", body=body)

    def _prepare_volume(self, operation: op.PrepareVolume, podman: Podman) -> None:
        volume = self.pod.volume(operation.volume)
        if volume.host_path:
            _make_host_path(volume.host_path)
        elif volume.empty_dir and volume.empty_dir.medium == "Memory":
            self._prepare_tmpfs(volume, volume.empty_dir.size_limit, podman)
        else:
            self.store.make_empty_dir(operation.pod, operation.volume, self.pod.fs_group)

    def _prepare_tmpfs(self, volume: s.Volume, size_limit: Quantity | None, podman: Podman) -> None:
        name = tmpfs_volume(self.pod, volume)
        if name not in tmpfs_volumes(podman, self.pod.name):
            self._create_tmpfs(volume, size_limit, podman)
        # Podman empties a tmpfs volume whenever no container uses it, as between two init containers.
        keep_mounted(name)

    def _create_tmpfs(self, volume: s.Volume, size_limit: Quantity | None, podman: Podman) -> None:
        options = ["mode=1777" if self.pod.fs_group is None else f"mode=2777,gid={self.pod.fs_group}"]
        if size_limit:
            # Podman takes ``size`` for a project quota, which few file systems have; the kernel knows blocks as well.
            options.append(f"nr_blocks={-(-size_limit.integer() // os.sysconf('SC_PAGE_SIZE'))}")
        body = {
            "Name": tmpfs_volume(self.pod, volume),
            "Labels": {LABEL_POD: self.pod.name, LABEL_VOLUME: volume.name},
            "Driver": "local",
            "Options": {"type": "tmpfs", "device": "tmpfs", "o": ",".join(options)},
        }
        podman.post("/volumes/create", body=body)

    def _write_files(self, operation: op.WriteFiles, podman: Podman) -> None:
        volume = self.pod.volume(operation.volume)
        files = volume_files(self.pod, volume, self.context.materials, self.facts)
        points = mount_points(self.pod, volume, self.context.materials, self.facts)
        digest = files_digest(files, self.context.key, self.pod.fs_group, points)
        self.store.write_files(operation.pod, operation.volume, files, digest, self.pod.fs_group, points)

    def _drop_volume(self, operation: op.DropVolume, podman: Podman) -> None:
        if operation.kind == "tmpfs":
            named_volumes.remove(podman, operation.podman_name)
        elif operation.kind == "files":
            self.store.drop_files(operation.pod, operation.volume)
        else:
            self.store.drop_empty_dir(operation.pod, operation.volume)

    def _record(self, operation: op.Record, podman: Podman) -> None:
        before = self.store.read_record(operation.pod)
        if before is None:
            record = Record(Applied(self.pod))
        elif before.applied.pod == self.pod:
            record = before
        else:
            record = Record(Applied(self.pod), previous=before.last_verified, begun_at=before.begun_at)
        is_started = before is None or (before.is_stopped and not operation.is_stopped)
        if is_started or operation.is_begun_anew:
            record = replace(record, begun_at=int(time.time()))
        for container, container_id in operation.past:
            self.store.mark_stop(operation.pod, container, container_id)
        record = replace(record, is_stopped=operation.is_stopped, settings=self.context.settings)
        try:
            self.store.write_record(operation.pod, record)
        except (PodwrightError, OSError) as error:
            if not (operation.is_stopped and is_out_of_space(error)):
                raise
            self.store.give_up_reserve()
            self.store.write_record(operation.pod, record)

    def _rotate_secret(self, operation: op.RotateSecret, podman: Podman) -> None:
        declared = next(secret for secret in self.pod.secrets if secret.name == operation.secret)
        self.store.renew(operation.owner, operation.secret, operation.values, declared.rotate)

    def _forget(self, operation: op.Forget, podman: Podman) -> None:
        # A mount of a volume's part keeps the volume in use.
        self.store.sub_path_mounts.release(operation.pod)
        for volume in tmpfs_volumes(podman, operation.pod):
            named_volumes.remove(podman, volume)
        for secret in _secrets_of(podman, operation.pod):
            podman.delete(f"/secrets/{secret}")
        self.store.forget(operation.pod)

    # --- the sandbox -----------------------------------------------------------------------------------------------

    def _create_pod(self, operation: op.CreatePod, podman: Podman) -> None:
        podman.post("/pods/create", body=render.pod_body(self.context))

    def _start_pod(self, operation: op.StartPod, podman: Podman) -> None:
        # Podman's helpers for the infra container run in the pod's cgroup: a small limit of CPU or memory would slow
        # them down for minutes, along with everything that waits for Podman's lock on the container.
        path = self._cgroup_path(operation.pod, podman)
        cgroup.lift(path)
        podman.post(f"/containers/{self.pod.infra_name}/start", timeout_seconds=_START_SECONDS)
        wanted = pod_limits(self.pod)
        if path and self.context.node.can_limit and (wanted.memory_bytes or wanted.cpu_quota_us):
            cgroup.write_path(path, wanted)
        self._sandbox = None

    def _remove_pod(self, operation: op.RemovePod, podman: Podman) -> None:
        self._note_ends(operation, podman)

        def remove() -> None:
            cgroup.lift(self._cgroup_path(operation.id, podman))
            podman.delete(f"/pods/{operation.id}", {"force": True}, timeout_seconds=120)

        _insist(remove)
        self.store.sub_path_mounts.release(operation.pod)

    def _note_ends(self, operation: op.RemovePod, podman: Podman) -> None:
        listed = podman.get("/containers/json", {"all": True, "filters": {"pod": [operation.id]}}) or []
        for item in listed:
            name = (item.get("Labels") or {}).get(LABEL_CONTAINER, "")
            if self.pod.find(name):
                self._note_end(name, item["Id"], operation.is_restart, podman)

    def _update_pod_limits(self, operation: op.UpdatePodLimits, podman: Podman) -> None:
        path = self._cgroup_path(operation.pod, podman)
        cgroup.write_path(path, operation.limits)

    def _cgroup_path(self, pod: str, podman: Podman) -> str:
        inspected = podman.get(f"/pods/{quote(pod)}/json")
        return str((inspected[0] if isinstance(inspected, list) else inspected).get("CgroupPath") or "")

    # --- containers ------------------------------------------------------------------------------------------------

    def _create_container(self, operation: op.CreateContainer, podman: Podman) -> None:
        container = self._declared(operation.container)
        image = self._image(container)
        variables = environment(self.pod, container, self.context.materials, self._facts_in_sandbox())
        self._share_with_group(container)
        mounts = [*self._mounts(container, variables), self._termination_mount(container)]
        self._make_mount_points(container, variables, mounts)
        parts = render.ContainerParts(image, variables, [*mounts, *self._start_mounts(container, image, variables)])
        try:
            podman.post("/containers/create", body=render.container_body(self.context, container, parts))
        except NotFound as error:
            raise self._failed(container, "CreateContainerError", error.cause) from error

    def _declared(self, name: str) -> s.Container:
        container = self.pod.find(name)
        if container is None:
            raise HostError(f"{self.pod.name}/{name} is not declared")
        return container

    def _image(self, container: s.Container) -> ObservedImage:
        name = self.pinned_images.get(container.name, container.image)
        if name not in self._images:
            found = observe_image(self.podman, name)
            if found is None:
                raise self._failed(container, "ErrImagePull", f"image {container.image} is not on this host")
            self._images[name] = found
        return self._images[name]

    def _failed(self, container: s.Container, reason: str, message: str, logs: str = "") -> ContainerFailed:
        return ContainerFailed(self.pod.name, container.name, reason, message, logs)

    def sandbox(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = observe_sandbox(self.podman, self.pod, self.context.node)
        return self._sandbox

    def _facts_in_sandbox(self) -> Facts:
        return Facts(
            pod_ip=self.sandbox().ip,
            host_ip=self.facts.host_ip,
            node_name=self.facts.node_name,
            pod_uid=self.facts.pod_uid,
            allocatable=self.facts.allocatable,
        )

    def _share_with_group(self, container: s.Container) -> None:
        """Give the volumes that a container is about to write to the pod's fsGroup, as the kubelet does."""
        group = self.pod.fs_group
        if group is None:
            return
        for volume in {mount.name: self.pod.volume(mount.name) for mount in container.volume_mounts}.values():
            is_in_memory = volume.empty_dir and volume.empty_dir.medium == "Memory"
            if not (volume.persistent_volume_claim or volume.empty_dir) or is_in_memory:
                continue
            path = self._source(volume, True)[1]
            if path and (path.stat().st_gid != group or not path.stat().st_mode & stat.S_ISGID):
                give_to_group(path, group, 0o2777 if volume.empty_dir else 0o2775)

    def _mounts(self, container: s.Container, variables: Environment) -> list[render.Mount]:
        self.store.sub_path_mounts.release(self.pod.name, container.name)
        return [self._mount(container, number, variables) for number in range(len(container.volume_mounts))]

    def _mount(self, container: s.Container, number: int, variables: Environment) -> render.Mount:
        mount = container.volume_mounts[number]
        volume = self.pod.volume(mount.name)
        try:
            sub_path = sub_path_of(mount, variables)
        except ValueError as error:
            raise self._failed(container, "CreateContainerConfigError", f"sub_path_expr {error}") from error
        is_folder = True
        is_held = number in self.pod.held_sub_paths(container)
        named, path = self._source(volume, is_held)
        if path and volume.is_materialized:
            # Nobody but us writes there. The links are our own, and followed at each start: the files of today may be
            # gone by then.
            path = path / sub_path
            is_folder = path.is_dir()
        elif path and is_held:
            path, is_folder = self.store.sub_path_mounts.mount(self.pod.name, container.name, number, path, sub_path)
        elif path and volume.host_path:
            is_folder = path.is_dir()
        claim = volume.persistent_volume_claim
        return render.Mount(
            destination=mount.mount_path,
            path=str(path or ""),
            volume=named,
            read_only=mount.read_only or volume.is_materialized or bool(claim and claim.read_only),
            propagation=mount.mount_propagation,
            is_ours=volume.host_path is None,
            is_folder=is_folder,
        )

    def _make_mount_points(
        self, container: s.Container, variables: Environment, mounts: Sequence[render.Mount]
    ) -> None:
        """Make the mount points below volumes that are mounted read-only: the runtime cannot."""
        kinds = {posixpath.normpath(mount.destination): mount.is_folder for mount in mounts}
        for nested in nested_mounts(self.pod, container, variables):
            self.store.make_mount_point(self.pod.name, nested.volume, nested.path, kinds[nested.destination])

    def _source(self, volume: s.Volume, needs_path: bool) -> tuple[str, Path | None]:
        """A volume as the name of a Podman volume, or a path of the host."""
        if volume.host_path:
            return "", Path(volume.host_path.path)
        if volume.is_materialized:
            return "", self.store.files_dir(self.pod.name, volume.name)
        if volume.persistent_volume_claim:
            name = volume.persistent_volume_claim.claim_name
        elif volume.empty_dir and volume.empty_dir.medium == "Memory":
            name = tmpfs_volume(self.pod, volume)
        else:
            return "", self.store.empty_dir(self.pod.name, volume.name)
        if not needs_path:
            return name, None
        return "", named_volumes.folder_of(self.podman, name)

    def _termination_mount(self, container: s.Container) -> render.Mount:
        path = self.store.termination_message_file(self.pod.name, container.name)
        return render.Mount(container.termination_message_path, path=str(path), is_ours=True, is_folder=False)

    def _start_mounts(
        self, container: s.Container, image: ObservedImage, variables: Environment
    ) -> Sequence[render.Mount]:
        """The start program with the secret variables as its data, where there are any."""
        if not variables.secret:
            self.store.remove_start_files(self.pod.name, container.name)
            return ()
        program = start_program.program(self.context.node.machine)
        if program is None:
            raise HostError(f"there is no start program for {self.context.node.machine}")
        words: list[str] = []
        if render.shows_secret(container, variables):
            entrypoint, args = render.command_words(container, image, variables)
            words = entrypoint + args
        data = start_program.data(variables.secret, words)
        reader = self._reader(container, image)
        directory = self.store.write_start_files(self.pod.name, container.name, program, data, reader)
        path = str(directory)
        return (render.Mount(start_program.DIRECTORY, path, read_only=True, is_ours=True, is_program=True),)

    def _reader(self, container: s.Container, image: ObservedImage) -> int | None:
        """The user that the container starts as, by the host's number, where that is known beforehand."""
        user = render.starting_user(self.pod, container, image)
        pid = self.sandbox().network_pid
        if user is None or pid is None or (user != 0 and self.context.node.is_rootless):
            return None
        mapped = Path(f"/proc/{pid}/uid_map").read_text().split()
        return user if self.context.node.is_rootless or mapped[:2] == ["0", "0"] else None

    def _start_container(self, operation: op.StartContainer, podman: Podman) -> None:
        container = self._declared(operation.container)
        try:
            podman.post(f"/containers/{self._podman_name(container)}/start", timeout_seconds=_START_SECONDS)
        except PodmanError as error:
            if not error.status:
                raise
            text = str(error).partition("): ")[2] or str(error)
            raise self._failed(container, "RunContainerError", text, self._logs(container)) from error

    def _podman_name(self, container: s.Container) -> str:
        return self.pod.podman_name(container.name)

    def _logs(self, container: s.Container) -> str:
        return shown_log(self.podman, self._podman_name(container))

    def _remaining(self) -> float:
        return max(self.deadline - time.monotonic(), 1.0)

    def target(self, container: s.Container) -> Target:
        """How probes and hooks reach the container."""
        return target_of(self.store, self.pod, container, self.sandbox())

    def _run_post_start(self, operation: op.RunPostStart, podman: Podman) -> None:
        container = self._declared(operation.container)
        outcome = hooks.run(operation.hook, self.target(container), podman, self._remaining())
        if outcome.result not in ("Success", "Warning"):
            logs = self._logs(container)
            self._end(self._podman_name(container), TerminationBudget(self._grace(), time.monotonic()), podman)
            raise self._failed(container, "FailedPostStartHook", outcome.message, logs)
        container_id = podman.get(f"/containers/{self._podman_name(container)}/json")["Id"]
        self.store.mark_post_start(self.pod.name, container.name, container_id)

    def _grace(self) -> int:
        return self.pod.termination_grace_period_seconds

    def _stop_container(self, operation: op.StopContainer, podman: Podman) -> None:
        budget = TerminationBudget(operation.grace_seconds, time.monotonic(), operation.minimum_seconds)
        # A container that is no longer declared keeps its hook; the plan has replaced port names by numbers.
        container = self.pod.find(operation.container) or s.Container(operation.container, "")
        if container.image and not operation.is_left_to_policy:
            self._mark_stop(operation)
        seconds = round(budget.hook_seconds(time.monotonic()), 1)
        if operation.pre_stop and seconds > 0:
            try:
                outcome = hooks.run(operation.pre_stop, self.target(container), podman, seconds)
                failure = "" if outcome.result in ("Success", "Warning") else outcome.message
            except PodwrightError as error:
                failure = str(error)
            if failure:
                self.warnings.append(f"preStop hook of {operation.pod}/{operation.container} failed: {failure}")
        if operation.container == op.INFRA and not container.image:
            with contextlib.suppress(NotFound):
                cgroup.lift(self._cgroup_path(operation.pod, podman))
        self._end(operation.id, budget, podman)

    def _mark_stop(self, operation: op.StopContainer) -> None:
        """Record that this run stops the container. A full disk only warns: the container may be what fills it."""
        try:
            self.store.mark_stop(operation.pod, operation.container, operation.id)
        except (PodwrightError, OSError) as error:
            name = f"{operation.pod}/{operation.container}"
            self.warnings.append(f"{name} is ended by this run, which could not be written down: {error}")

    def _end(self, container_id: str, budget: TerminationBudget, podman: Podman) -> None:
        seconds = budget.stop_seconds(time.monotonic())

        def stop() -> None:
            podman.post(f"/containers/{container_id}/stop", {"timeout": seconds}, None, seconds + _API_GRACE_SECONDS)

        with contextlib.suppress(NotFound):
            try:
                stop()
            except PodmanError as error:
                if "paused" in str(error):
                    podman.post(f"/containers/{container_id}/unpause")
                    stop()
                elif _NO_MONITOR not in str(error):
                    raise

    def _remove_container(self, operation: op.RemoveContainer, podman: Podman) -> None:
        if self.context.node.has_keeper and self.pod.find(operation.container):
            # Where there is no room for it, the container is started again without.
            with contextlib.suppress(OSError):
                log = last_lines(podman, operation.id, KEPT_LOG_LINES, KEPT_LOG_BYTES)
                self.store.keep_log(operation.pod, operation.container, log)
        self._note_end(operation.container, operation.id, operation.is_restart, podman)
        # Anonymous volumes are part of the container's writable layer; named ones stay.
        removal = {"force": True, "volumes": True}
        _insist(lambda: podman.delete(f"/containers/{operation.id}", removal, timeout_seconds=120))
        self.store.sub_path_mounts.release(operation.pod, operation.container)
        for secret in _secrets_of(podman, operation.pod, operation.container):
            podman.delete(f"/secrets/{secret}")
        if self.pod.find(operation.container) is None:
            self.store.forget_container(operation.pod, operation.container)

    def _note_end(self, container: str, container_id: str, is_restart: bool, podman: Podman) -> None:
        """Write down how a container ended before it is removed, since Podman forgets it then.

        If another declaration takes its place, write that alone: the new container is not a restart.
        """
        # A full disk is no reason to keep the container.
        with contextlib.suppress(NotFound, HostError, OSError):
            end = End(container_id, time.time())
            noted = self._end_before_restart(container, container_id, podman) if is_restart else end
            if noted:
                self.store.mark_end(self.pod.name, container, noted)

    def _end_before_restart(self, container: str, container_id: str, podman: Podman) -> End | None:
        """How the container ended; None if it has not."""
        pod, found = self.pod.name, read_ended(container, podman.get(f"/containers/{container_id}/json"))
        if found is None:
            return None
        status, message = self.store.read_status(pod), self.store.termination_message(pod, container)
        previous = from_kubernetes(status, self.pod).container(container) if status else None
        return end_of(found, message, time.time(), previous, self.store.ends(pod).get(container))

    def _update_limits(self, operation: op.UpdateLimits, podman: Podman) -> None:
        wanted, pid = operation.limits, int(podman.get(f"/containers/{operation.id}/json")["State"]["Pid"])
        present = cgroup.read_limits(pid)
        lifts_quota = wanted.cpu_quota_us is None and not (present and present.cpu_quota_us is None)
        if lifts_quota and self.context.node.podman_version < (5, 0) and cgroup.version() == 1:
            # Some runtimes cannot do this (see `update_body`), and this Podman keeps it no longer than that.
            cgroup.lift_cpu_quota(pid)
            lifts_quota = False
        podman.post(f"/containers/{operation.id}/update", body=render.update_body(wanted, lifts_quota))

    # --- gates -----------------------------------------------------------------------------------------------------

    def _await_completion(self, operation: op.AwaitCompletion, podman: Podman) -> None:
        """Raises ContainerFailed when the init container failed for good, Timeout when the time is over."""
        container = self._declared(operation.container)
        backoff, key = CONTAINER_BACKOFF, container.name
        while True:
            exit_code, finished_at, is_out_of_memory = self._await_exit(container, podman)
            ended = words_of_end(container, exit_code, is_out_of_memory)
            if exit_code == 0:
                return
            logs = self._logs(container)
            if not is_restarted(self.pod, container, exit_code):
                raise self._failed(container, INIT_ERROR, ended, logs)
            delay = backoff.wait_seconds(key, finished_at, time.time())
            backoff = backoff.next(key, finished_at, time.time())
            if time.monotonic() + delay > self.deadline:
                raise self._failed(container, "Init:CrashLoopBackOff", f"{ended} until the time was over", logs)
            if delay > 0:
                self.on_back_off(container.name)
            self.pause(delay)
            container_id = podman.get(f"/containers/{self._podman_name(container)}/json")["Id"]
            self._restart(container, container_id, f"it exited with {exit_code}", podman)

    def _restart(self, container: s.Container, container_id: str, cause: str, podman: Podman) -> None:
        """Start the same container once more while later containers wait at its gate."""
        for operation in remake(self.pod, container, container_id, cause):
            _PERFORMERS[type(operation)](self, operation, podman)
            self.on_done(operation)

    def _await_exit(self, container: s.Container, podman: Podman) -> tuple[int, float, bool]:
        """Wait for the container's end: exit code, time (epoch seconds), and whether memory ran out."""
        for pause in _pauses():
            state = podman.get(f"/containers/{self._podman_name(container)}/json")["State"]
            if str(state["Status"]).lower() in ("exited", "stopped"):
                ended_at = read_time(state.get("FinishedAt")) or time.time()
                return int(state["ExitCode"]), ended_at, bool(state.get("OOMKilled"))
            if time.monotonic() > self.deadline:
                raise Timeout(
                    f"{self.pod.name}/{container.name}: the init container has not completed in time; its last log "
                    f"lines: {self._logs(container) or '(none)'}"
                )
            self.pause(pause)
        raise AssertionError("the pauses never end")

    def _await_started(self, operation: op.AwaitStarted, podman: Podman) -> None:
        watch = self.watch(self.deadline) if self.watch else None
        watch = watch or Waiter(podman, self.store, self.pod, self.target, self.deadline, self.pause)
        watch.await_started(self._declared(operation.container), functools.partial(self._restart_ended, podman))

    def _restart_ended(self, podman: Podman, observed: ObservedPod | None) -> bool:
        """Start sidecars again that have ended, with the back-off between, where Podman does not do so by itself."""
        if observed is None or not self.context.node.has_keeper:
            return False
        memory, has_restarted = Memory(self.pod, backoff=self._backoff), False
        for name in restarts_due(memory, observed, time.time())[1]:
            found = observed.find(name)
            if found is not None and found.role == "sidecar":
                cause = f"it is not running (exit code {found.exit_code})"
                self._restart(self._declared(name), found.id, cause, podman)
                self._backoff = memory.restarted(found, time.time()).backoff
                has_restarted = True
        return has_restarted


def target_of(store: Store, pod: s.PodSpec, container: s.Container, sandbox: Sandbox) -> Target:
    """How probes and hooks reach a container of a pod with this sandbox."""
    return Target(
        container_id=pod.podman_name(container.name),
        pod_ip=sandbox.ip,
        network_pid=sandbox.network_pid,
        ports={port.name: port.container_port for port in container.ports if port.name},
        exec_prefix=store.exec_prefix(pod.name, container.name),
    )


def _batches(steps: Sequence[op.Operation]) -> Iterator[list[op.Operation]]:
    """Operations one by one, except that the stops of one batch go together."""

    def key(item: tuple[int, op.Operation]) -> tuple[str, int]:
        number, operation = item
        return ("batch", operation.batch) if isinstance(operation, op.StopContainer) else ("single", number)

    for _key, group in itertools.groupby(enumerate(steps), key):
        yield [operation for _number, operation in group]


def _insist(remove: Callable[[], object]) -> None:
    """Remove a pod or container, if it is still there; retry while Podman has not noticed its end.

    Raises PodmanError if that takes too long, or for any other reason of Podman's.
    """
    deadline = time.monotonic() + _MONITOR_SECONDS
    for pause in _pauses():
        unsettled = _try(remove)
        if unsettled is None:
            return
        if time.monotonic() > deadline:
            raise unsettled
        time.sleep(pause)


def _try(remove: Callable[[], object]) -> PodmanError | None:
    """Try to remove what may be gone already; returns Podman's words if it has not noticed an end."""
    try:
        remove()
    except NotFound:
        return None
    except PodmanError as error:
        if not any(words in str(error) for words in _UNSETTLED):
            raise
        return error
    return None


def _pauses() -> Iterator[float]:
    pause, longest = _POLL_SECONDS
    while True:
        yield pause
        pause = min(pause * 1.5, longest)


def _secrets_of(podman: Podman, *names: str) -> list[str]:
    """The Podman secrets of a pod or of one container, which our first release made.

    Names of pods hold dots, but no ``_``.
    """
    listed = (item["Spec"]["Name"] for item in podman.get("/secrets/json") or [])
    return [secret for secret in listed if secret.startswith("_".join(["podwright", *names, ""]))]


def _make_host_path(source: s.HostPathVolume) -> None:
    path = Path(source.path)
    if source.type == "FileOrCreate":
        held_paths.make_file(path, 0o644)
    else:
        held_paths.make_folders(path, 0o755)


_PERFORMERS: dict[type, Callable[[Executor, Any, Podman], None]] = {
    op.PullImage: Executor._pull,
    op.CreateVolume: Executor._create_volume,
    op.PrepareVolume: Executor._prepare_volume,
    op.WriteFiles: Executor._write_files,
    op.DropVolume: Executor._drop_volume,
    op.CreatePod: Executor._create_pod,
    op.StartPod: Executor._start_pod,
    op.RemovePod: Executor._remove_pod,
    op.UpdatePodLimits: Executor._update_pod_limits,
    op.CreateContainer: Executor._create_container,
    op.StartContainer: Executor._start_container,
    op.RunPostStart: Executor._run_post_start,
    op.AwaitCompletion: Executor._await_completion,
    op.AwaitStarted: Executor._await_started,
    op.StopContainer: Executor._stop_container,
    op.RemoveContainer: Executor._remove_container,
    op.UpdateLimits: Executor._update_limits,
    op.Record: Executor._record,
    op.RotateSecret: Executor._rotate_secret,
    op.Forget: Executor._forget,
}
