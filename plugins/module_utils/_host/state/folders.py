# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of the state directory: ``pods/POD`` with ``containers/CONTAINER`` in it, and others beside it."""

from __future__ import annotations

import os
from pathlib import Path

from ..._declaration.fields.checks import pod_name
from ..._errors import DamagedState


class StateFolders:
    """The state directory and the folders in it. Reading makes nothing, so that a check mode run leaves no trace."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._pods = directory / "pods"

    def knows(self, pod: str) -> bool:
        """Whether anything is kept of the pod, damaged or not."""
        return os.path.lexists(self._pod(pod))

    def _pod(self, pod: str) -> Path:
        return self._pods.joinpath(pod)

    def _container(self, pod: str, container: str, *names: str) -> Path:
        """What is kept of a container, or one of these things in it."""
        # Joined at once: these paths are made at each look.
        return self._pods.joinpath(pod, "containers", container, *names)


def folders_of_objects(directory: Path, beginning: str = "") -> tuple[str, ...]:
    """The names of the objects that have a folder in a directory, as far as they begin so."""
    try:
        with os.scandir(directory) as entries:
            named = (entry for entry in entries if entry.name.startswith(beginning))
            found = [entry.name for entry in named if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DamagedState(directory, f"it cannot be read ({error.strerror})", "restore it, or move it away") from error
    return tuple(sorted(name for name in found if pod_name(name) is None))


def names_in(directory: Path) -> list[str]:
    """What is in a folder, without temporary files; nothing where it cannot be read."""
    try:
        return [name for name in os.listdir(directory) if not name.startswith(".")]
    except OSError:
        return []
