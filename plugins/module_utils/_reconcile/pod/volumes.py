# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of a Pod: what is prepared or written before its containers, and what goes that is no longer declared."""

from __future__ import annotations

from ..._declaration import spec as s
from ..observed import Observed
from ..operations import MISSING, CreateVolume, DropVolume, Operation, PrepareVolume, WriteFiles
from ..rendering.materials import files_digest, mount_points, tmpfs_volume, volume_files
from .view import Desired


def prepare_volumes(desired: Desired, observed: Observed) -> list[Operation]:
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


def drop_undeclared_volumes(desired: Desired, observed: Observed) -> list[Operation]:
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
