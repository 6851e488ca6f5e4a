# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mounts that a container is made with."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from ..._declaration import spec as s
from ..._errors import HostError
from ..._reconcile.observed import ObservedImage
from ..._reconcile.rendering import render, start_program
from ..._reconcile.rendering.materials import Environment, nested_mounts, sub_path_of
from .execution import Execution
from .volumes import source_of


def mounts_of(execution: Execution, container: s.Container, variables: Environment) -> list[render.Mount]:
    """Those of the container's own volume_mounts. Raises ContainerFailed for a sub_path_expr without its variables."""
    execution.store.sub_path_mounts.release(execution.pod.name, container.name)
    return [_mount(execution, container, number, variables) for number in range(len(container.volume_mounts))]


def _mount(execution: Execution, container: s.Container, number: int, variables: Environment) -> render.Mount:
    mount = container.volume_mounts[number]
    volume = execution.pod.volume(mount.name)
    try:
        sub_path = sub_path_of(mount, variables)
    except ValueError as error:
        raise execution.failed(container, "CreateContainerConfigError", f"sub_path_expr {error}") from error
    is_folder = True
    is_held = number in execution.pod.held_sub_paths(container)
    named, path = source_of(execution, volume, is_held)
    if path and volume.is_materialized:
        # Nobody but us writes there. The links are our own, and followed at each start: the files of today may be
        # gone by then.
        path = path / sub_path
        is_folder = path.is_dir()
    elif path and is_held:
        path, is_folder = execution.store.sub_path_mounts.mount(
            execution.pod.name, container.name, number, path, sub_path
        )
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


def make_mount_points(
    execution: Execution, container: s.Container, variables: Environment, mounts: Sequence[render.Mount]
) -> None:
    """Make the mount points below volumes that are mounted read-only: the runtime cannot."""
    kinds = {posixpath.normpath(mount.destination): mount.is_folder for mount in mounts}
    for nested in nested_mounts(execution.pod, container, variables):
        execution.store.make_mount_point(execution.pod.name, nested.volume, nested.path, kinds[nested.destination])


def termination_mount(execution: Execution, container: s.Container) -> render.Mount:
    """The file that the container leaves its last word in."""
    path = execution.store.termination_message_file(execution.pod.name, container.name)
    return render.Mount(container.termination_message_path, path=str(path), is_ours=True, is_folder=False)


def start_mounts(
    execution: Execution, container: s.Container, image: ObservedImage, variables: Environment
) -> Sequence[render.Mount]:
    """The start program with the secret variables as its data, where there are any."""
    if not variables.secret:
        execution.store.remove_start_files(execution.pod.name, container.name)
        return ()
    program = start_program.program(execution.context.node.machine)
    if program is None:
        raise HostError(f"there is no start program for {execution.context.node.machine}")
    words: list[str] = []
    if render.shows_secret(container, variables):
        entrypoint, args = render.command_words(container, image, variables)
        words = entrypoint + args
    data = start_program.data(variables.secret, words)
    reader = _reader(execution, container, image)
    directory = execution.store.write_start_files(execution.pod.name, container.name, program, data, reader)
    path = str(directory)
    return (render.Mount(start_program.DIRECTORY, path, read_only=True, is_ours=True, is_program=True),)


def _reader(execution: Execution, container: s.Container, image: ObservedImage) -> int | None:
    """The user that the container starts as, by the host's number, where that is known beforehand."""
    user = render.starting_user(execution.pod, container, image)
    pid = execution.sandbox().network_pid
    if user is None or pid is None or (user != 0 and execution.context.node.is_rootless):
        return None
    mapped = Path(f"/proc/{pid}/uid_map").read_text().split()
    return user if execution.context.node.is_rootless or mapped[:2] == ["0", "0"] else None
