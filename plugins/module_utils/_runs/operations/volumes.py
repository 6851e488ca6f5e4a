# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out operations on volumes, and tells where each stands on the host."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..._declaration import spec as s
from ..._declaration.quantity import Quantity
from ..._host.kernel import held_paths
from ..._host.observe import tmpfs_volumes
from ..._host.pod_files import give_to_group
from ..._host.podman import named_volumes
from ..._host.podman.client import Podman
from ..._host.podman.program import keep_mounted
from ..._reconcile import operations as op
from ..._reconcile.observed import LABEL_POD, LABEL_VOLUME
from ..._reconcile.rendering.materials import files_digest, mount_points, tmpfs_volume, volume_files
from .execution import Execution


def create_volume(execution: Execution, operation: op.CreateVolume, podman: Podman) -> None:
    # Without a group of its own Podman gives a new volume to the user of the first container that mounts it.
    group = execution.pod.fs_group
    body = {
        "Name": operation.claim,
        "Labels": {LABEL_POD: operation.pod},
        "Options": {} if group is None else {"o": f"gid={group}"},
    }
    podman.post("/volumes/create", body=body)


def prepare_volume(execution: Execution, operation: op.PrepareVolume, podman: Podman) -> None:
    volume = execution.pod.volume(operation.volume)
    if volume.host_path:
        _make_host_path(volume.host_path)
    elif volume.empty_dir and volume.empty_dir.medium == "Memory":
        _prepare_tmpfs(execution, volume, volume.empty_dir.size_limit, podman)
    else:
        execution.store.make_empty_dir(operation.pod, operation.volume, execution.pod.fs_group)


def _prepare_tmpfs(execution: Execution, volume: s.Volume, size_limit: Quantity | None, podman: Podman) -> None:
    name = tmpfs_volume(execution.pod, volume)
    if name not in tmpfs_volumes(podman, execution.pod.name):
        _create_tmpfs(execution, volume, size_limit, podman)
    # Podman empties a tmpfs volume whenever no container uses it, as between two init containers.
    keep_mounted(name)


def _create_tmpfs(execution: Execution, volume: s.Volume, size_limit: Quantity | None, podman: Podman) -> None:
    options = ["mode=1777" if execution.pod.fs_group is None else f"mode=2777,gid={execution.pod.fs_group}"]
    if size_limit:
        # Podman takes ``size`` for a project quota, which few file systems have; the kernel knows blocks as well.
        options.append(f"nr_blocks={-(-size_limit.integer() // os.sysconf('SC_PAGE_SIZE'))}")
    body = {
        "Name": tmpfs_volume(execution.pod, volume),
        "Labels": {LABEL_POD: execution.pod.name, LABEL_VOLUME: volume.name},
        "Driver": "local",
        "Options": {"type": "tmpfs", "device": "tmpfs", "o": ",".join(options)},
    }
    podman.post("/volumes/create", body=body)


def write_files(execution: Execution, operation: op.WriteFiles, podman: Podman) -> None:
    volume = execution.pod.volume(operation.volume)
    files = volume_files(execution.pod, volume, execution.context.materials, execution.facts)
    points = mount_points(execution.pod, volume, execution.context.materials, execution.facts)
    digest = files_digest(files, execution.context.key, execution.pod.fs_group, points)
    execution.store.write_files(operation.pod, operation.volume, files, digest, execution.pod.fs_group, points)


def drop_volume(execution: Execution, operation: op.DropVolume, podman: Podman) -> None:
    if operation.kind == "tmpfs":
        named_volumes.remove(podman, operation.podman_name)
    elif operation.kind == "files":
        execution.store.drop_files(operation.pod, operation.volume)
    else:
        execution.store.drop_empty_dir(operation.pod, operation.volume)


def share_with_group(execution: Execution, container: s.Container) -> None:
    """Give the volumes that a container is about to write to the pod's fsGroup, as the kubelet does."""
    group = execution.pod.fs_group
    if group is None:
        return
    for volume in {mount.name: execution.pod.volume(mount.name) for mount in container.volume_mounts}.values():
        is_in_memory = volume.empty_dir and volume.empty_dir.medium == "Memory"
        if not (volume.persistent_volume_claim or volume.empty_dir) or is_in_memory:
            continue
        path = source_of(execution, volume, True)[1]
        if path and (path.stat().st_gid != group or not path.stat().st_mode & stat.S_ISGID):
            give_to_group(path, group, 0o2777 if volume.empty_dir else 0o2775)


def source_of(execution: Execution, volume: s.Volume, needs_path: bool) -> tuple[str, Path | None]:
    """A volume as the name of a Podman volume, or a path of the host."""
    if volume.host_path:
        return "", Path(volume.host_path.path)
    if volume.is_materialized:
        return "", execution.store.files_dir(execution.pod.name, volume.name)
    if volume.persistent_volume_claim:
        name = volume.persistent_volume_claim.claim_name
    elif volume.empty_dir and volume.empty_dir.medium == "Memory":
        name = tmpfs_volume(execution.pod, volume)
    else:
        return "", execution.store.empty_dir(execution.pod.name, volume.name)
    if not needs_path:
        return name, None
    return "", named_volumes.folder_of(execution.podman, name)


def _make_host_path(source: s.HostPathVolume) -> None:
    path = Path(source.path)
    if source.type == "FileOrCreate":
        held_paths.make_file(path, 0o644)
    else:
        held_paths.make_folders(path, 0o755)
