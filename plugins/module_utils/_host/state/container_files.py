# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of each container: messages and logs, the files it starts with, how it ended, marks."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict
from pathlib import Path

from ..._errors import HostError
from ..._reconcile.rendering import start_program
from ..._reconcile.status import End, Terminated
from .. import state_files
from ..pod_files import remove_tree
from ..podman.container_output import read_end
from .folders import StateFolders, names_in
from .marks import read_mark, write_mark
from .records import UNFIT

TERMINATION_MESSAGE_BYTES = 4096
_LOG_BYTES = 2**20
START_FILES = "environment"
_END = "end.json"
_START_SCRIPT = "start"
"""The folder with which our first release started containers; these use it until they change."""


class ContainerFiles(StateFolders):
    """The folders ``containers/CONTAINER`` of a pod."""

    def termination_message_file(self, pod: str, container: str) -> Path:
        """An empty file for a new container's termination message."""
        path = self._container(pod, container, "termination-log")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The old file may still be mounted in a container that is going away: a new one, not an emptied one.
        remove_tree(path)
        path.touch()
        path.chmod(0o666)
        return path

    def termination_message(self, pod: str, container: str) -> str:
        """At most the last 4096 bytes that the container left."""
        content = read_end(self._container(pod, container, "termination-log"), TERMINATION_MESSAGE_BYTES) or b""
        # A container can make the file sparse and huge.
        return content.strip(b"\0").decode(errors="replace")

    def keep_log(self, pod: str, container: str, text: str) -> None:
        """Keep the last log lines of a container that is about to be removed."""
        directory = self._container(pod, container)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        state_files.write(directory / "previous.log", text.encode(), is_lasting=False)

    def kept_log(self, pod: str, container: str) -> str:
        """The last log lines of the run before the present one."""
        path = self._container(pod, container) / "previous.log"
        return (read_end(path, _LOG_BYTES) or b"").decode(errors="replace")

    def write_start_files(
        self, pod: str, container: str, program: bytes, data: bytes, reader: int | None = None
    ) -> Path:
        """The directory that hands secret variables to a container that is about to be made: a program and its data.

        ``reader`` is the only user of the container who may read them; with None every one within it may.
        """
        self.remove_start_files(pod, container)
        directory = self._container(pod, container) / START_FILES
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o755)
        state_files.write(directory / start_program.PROGRAM, program, 0o555)
        state_files.write(directory / start_program.DATA, data, 0o444 if reader is None else 0o400)
        if reader:
            os.chown(directory / start_program.DATA, reader, -1)
        return directory

    def exec_prefix(self, pod: str, container: str) -> tuple[str, ...]:
        """The words before a command that is to have the container's secret variables as well."""
        directory = self._container(pod, container)
        if (directory / START_FILES / start_program.DATA).exists():
            return (start_program.COMMAND,)
        if (directory / _START_SCRIPT / "start").exists():
            return (f"{start_program.DIRECTORY}/busybox", "sh", f"{start_program.DIRECTORY}/start")
        return ()

    def remove_start_files(self, pod: str, container: str) -> None:
        for name in (START_FILES, _START_SCRIPT):
            remove_tree(self._container(pod, container) / name)

    def mark_post_start(self, pod: str, container: str, container_id: str) -> None:
        """Write down that postStart has run in the container of that id."""
        write_mark(self._container(pod, container, "post-started"), container_id)

    def post_started(self, pod: str, container: str) -> str:
        """The id of the container in which postStart ran last."""
        return read_mark(self._container(pod, container, "post-started"))

    def mark_stop(self, pod: str, container: str, container_id: str) -> None:
        """Write down that we end the container of that id."""
        write_mark(self._container(pod, container, "stopped"), container_id)

    def forget_stop(self, pod: str, container: str) -> None:
        """Take it back."""
        remove_tree(self._container(pod, container, "stopped"))

    def stopped(self, pod: str, container: str) -> str:
        """The id of the container that was ended by us last."""
        return read_mark(self._container(pod, container, "stopped"))

    def mark_end(self, pod: str, container: str, end: End) -> None:
        """Write down how a container ended before it is removed, or that the next one is no restart."""
        directory = self._container(pod, container)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        state_files.write_object(directory / _END, asdict(end), is_lasting=False)

    def ends(self, pod: str) -> dict[str, End]:
        """How the last container of each name ended that we removed, as far as we know."""
        ends = (
            (name, _read_end(self._container(pod, name, _END)))
            for name in names_in(self._pods.joinpath(pod, "containers"))
        )
        return {name: end for name, end in ends if end}

    def forget_container(self, pod: str, container: str) -> None:
        remove_tree(self._container(pod, container))


def _read_end(path: Path) -> End | None:
    """The end of a container; None if it is unknown or damaged, since only history depends on it."""
    with contextlib.suppress(HostError, *UNFIT):
        data = state_files.read_object(path)
        return End(**{**data, "run": Terminated(**data["run"]) if data["run"] else None}) if data else None
    return None
