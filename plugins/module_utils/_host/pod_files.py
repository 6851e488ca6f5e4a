# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the containers of a pod may own: given to a group of theirs, and removed."""

from __future__ import annotations

import os
from pathlib import Path

from .._errors import HostError
from .kernel import held_paths
from .podman.namespaces import run_in_podmans_namespaces


def give_to_group(path: Path, group: int, mode: int) -> None:
    """Make a file or directory a group's, as the pod's containers number it, with these permission bits.

    A user without root's rights may do so only within the user namespace of its containers.
    """

    def give() -> None:
        os.chown(path, -1, group)
        path.chmod(mode)

    try:
        run_in_podmans_namespaces(give)
    except OSError as error:
        raise HostError(f"{path} cannot be given to group {group} (fs_group): {error}") from error


def remove_tree(path: Path) -> None:
    """Remove a file, link or tree; a rootless pod's files can belong to ids that only its user namespace may touch.

    What is mounted in it is unmounted and stays. Raises HostError where that cannot be done.
    """
    try:
        held_paths.remove_tree(path)
    except PermissionError:
        if os.geteuid() == 0:
            raise
        run_in_podmans_namespaces(lambda: held_paths.remove_tree(path))
