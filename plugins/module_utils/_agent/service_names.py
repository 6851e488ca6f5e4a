# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as the one that tells Pods the names of Services, by their /etc/hosts."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._host import hosts_file
from .._host.podman.client import Podman
from .._reconcile.services.names import Named, host_lines, with_lines

if TYPE_CHECKING:
    from .agent import Agent

_FAILED = "it cannot be told the names of Services"


class ServiceNames:
    """Keeps the names of Services in the files of all Pods. Any thread may call it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = threading.Lock()
        self._present: tuple[Named, ...] = ()
        self._lines: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}
        """What these are for the Pods of each stack, computed once."""
        self._files: dict[str, tuple[str, Path | None]] = {}
        """By pod: its infra container, and the file of that; None for one without."""
        self._written: dict[str, tuple[Any, ...]] = {}
        """By pod: what its file was given, and how that was left."""

    def settle(self, present: Sequence[Named]) -> None:
        """Bring the files of all Pods that run up to these names."""
        with self._lock, contextlib.ExitStack() as sessions:
            podman: Podman | None = None
            if tuple(present) != self._present:
                self._present, self._lines = tuple(present), {}
            running = {}
            for keeper in self._agent.keepers():
                observed = keeper.view.observed
                if observed is not None and observed.infra_is_running:
                    running[keeper.name] = observed.infra_id
            self._forget({*self._files} - {*running})
            for pod, infra in running.items() if present or self._written else ():
                with self._agent.telling(pod, _FAILED):
                    if self._files.get(pod, ("",))[0] != infra:
                        podman = podman or sessions.enter_context(self._agent.connect())
                        self._find(pod, infra, podman)
                    self._write(pod)
            if not present:
                self._forget({*self._files})

    def introduce(self, pod: str, podman: Podman) -> None:
        """Tell a Pod whose infra container has just started, before the first of the others does."""
        with self._lock, self._agent.telling(pod, _FAILED):
            if self._present:
                record = self._agent.store.read_record(pod)
                self._find(pod, record.applied.pod.infra_name if record else "", podman)
                self._write(pod)

    def _find(self, pod: str, infra: str, podman: Podman) -> None:
        told = podman.get(f"/containers/{infra}/json")
        # Podman's own copy, also for a Pod on the host's network.
        path = Path(told.get("HostsPath") or "/")
        self._files[pod] = told["Id"], path if told["Id"] in path.parts else None
        self._written.pop(pod, None)

    def _write(self, pod: str) -> None:
        path = self._files[pod][1]
        if path is None:
            return
        record = self._agent.store.read_record(pod)
        stack = record.settings.stack if record else ""
        if stack not in self._lines:
            self._lines[stack] = host_lines(stack, self._present)
        lines = self._lines[stack]
        with contextlib.suppress(FileNotFoundError):
            if self._written.get(pod) == (lines, *_state(path)):
                return
            hosts_file.update(path, lambda text: with_lines(text, lines))
            self._written[pod] = (lines, *_state(path))

    def _forget(self, pods: set[str]) -> None:
        for pod in pods:
            self._files.pop(pod, None)
            self._written.pop(pod, None)


def _state(path: Path) -> tuple[int, int, int]:
    found = os.lstat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns
