# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes as the kernel has them, since Podman learns of a container's end from its monitor alone.

A monitor (conmon) is the parent of its container's first process, and has the container's id among its arguments. So
one look at the process and its parent tells that this very container is alive: a process id that another program has
got since has another parent.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

_ZOMBIES = frozenset({"Z", "X", "x"})
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Counted after the program's name, which may hold blanks and parentheses itself (proc(5)).
_STATE, _PARENT, _START = 0, 1, 19


@dataclass(frozen=True)
class Process:
    """One that lives. ``started_at`` is in seconds since the boot; 0, as the parent, where we may not see it."""

    parent: int = 0
    started_at: float = 0.0

    @property
    def age_seconds(self) -> float | None:
        """How long it has lived, whatever the clock is set to; None where we may not see it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.started_at if self.started_at else None


def find(pid: int) -> Process | None:
    """The process of that id, None where there is none or it has ended and only waits for its parent to notice."""
    if pid <= 0:
        return None
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return Process() if _is_hidden(pid) else None
    if len(words) <= _START or words[_STATE] in _ZOMBIES:
        return None
    return Process(int(words[_PARENT]), int(words[_START]) / _TICKS_PER_SECOND)


def _is_hidden(pid: int) -> bool:
    """Whether there is a process that /proc does not show to us (its mount option hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def is_monitor(pid: int, container_id: str) -> bool:
    """Whether the process watches the container of that id."""
    return pid > 0 and container_id.encode() in _read(f"/proc/{pid}/cmdline")


def is_in_cgroup_of(pid: int, container_id: str) -> bool:
    """Whether the process is one of the container of that id."""
    return container_id.encode() in _read(f"/proc/{pid}/cgroup")


def is_watched(pid: int, container_id: str) -> bool:
    """Whether the process lives, and the container's monitor is what it reports its end to."""
    process = find(pid)
    return process is not None and is_monitor(process.parent, container_id)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16)
    except OSError:
        return b""


@contextlib.contextmanager
def reaped(child: int) -> Iterator[None]:
    """Wait for a child process in the end; kill it first if what is done within fails."""
    try:
        yield
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
