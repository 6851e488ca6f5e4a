# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits as the kernel has them, read from and written to the cgroup file systems, v1 and v2."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable
from pathlib import Path

from ..._errors import HostError
from ..._reconcile.observed import LiveLimits

ROOT = Path("/sys/fs/cgroup")
_PERIOD_US = 100_000
_LONGEST_FILE_BYTES = 1 << 16
# cgroup v1 has no word for unlimited: it shows the largest number of whole pages.
_UNLIMITED_BYTES = 1 << 62


@functools.cache
def version() -> int:
    """2 on the unified hierarchy, else 1."""
    return 2 if (ROOT / "cgroup.controllers").exists() else 1


def path_of(pid: int, controller: str = "memory") -> str:
    """A process's path below the hierarchy; on v1 that of the ``controller``. Empty where there is none."""
    try:
        lines = _text(f"/proc/{pid}/cgroup").splitlines()
    except OSError:
        return ""
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        if (version() == 2 and controllers == "") or controller in controllers.split(","):
            return path
    return ""


def are_delegated(controllers: Iterable[str]) -> bool:
    """Whether the controllers are delegated to this process's user; never on v1."""
    with contextlib.suppress(OSError):
        path = ROOT / path_of(os.getpid()).lstrip("/")
        return version() == 2 and set(controllers) <= set((path / "cgroup.controllers").read_text().split())
    return False


def read_limits(pid: int) -> LiveLimits | None:
    """The limits of a process's cgroup; None where they cannot be read (no controller, or no right to)."""
    path = path_of(pid)
    return read_path(path) if path and path != "/" else None


def read_path(path: str) -> LiveLimits | None:
    """The limits of the cgroup at ``path`` below the hierarchy."""
    try:
        return _read_v2(f"{ROOT}/{path.lstrip('/')}") if version() == 2 else _read_v1(path.lstrip("/"))
    except (OSError, ValueError):
        return None


def _read_v2(directory: str) -> LiveLimits:
    memory = _text(f"{directory}/memory.max")
    quota, _separator, period = _text(f"{directory}/cpu.max").partition(" ")
    return LiveLimits(
        memory_bytes=None if memory == "max" else int(memory),
        cpu_quota_us=None if quota == "max" else int(quota) * _PERIOD_US // int(period),
        cpu_weight=int(_text(f"{directory}/cpu.weight")),
    )


def _read_v1(path: str) -> LiveLimits:
    memory = int(_text(f"{ROOT}/memory/{path}/memory.limit_in_bytes"))
    quota = int(_text(f"{ROOT}/cpu/{path}/cpu.cfs_quota_us"))
    period = int(_text(f"{ROOT}/cpu/{path}/cpu.cfs_period_us"))
    return LiveLimits(
        memory_bytes=None if memory >= _UNLIMITED_BYTES else memory,
        cpu_quota_us=None if quota <= 0 else quota * _PERIOD_US // period,
        cpu_shares=int(_text(f"{ROOT}/cpu/{path}/cpu.shares")),
    )


def write_path(path: str, limits: LiveLimits) -> None:
    """Set the limits of the cgroup at ``path``; of the CPU the weight on v2, the shares on v1, where they are given.

    HostError if refused.
    """
    relative = path.lstrip("/")
    try:
        if version() == 2:
            _write_v2(ROOT / relative, limits)
        else:
            _write_v1(relative, limits)
    except OSError as error:
        raise HostError(f"the kernel refused new limits of {path}: {error}") from error


def _write_v2(directory: Path, limits: LiveLimits) -> None:
    (directory / "memory.max").write_text("max" if limits.memory_bytes is None else str(limits.memory_bytes))
    quota = "max" if limits.cpu_quota_us is None else str(limits.cpu_quota_us)
    (directory / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
    if limits.cpu_weight is not None:
        (directory / "cpu.weight").write_text(str(limits.cpu_weight))


def _write_v1(path: str, limits: LiveLimits) -> None:
    memory = ROOT / "memory" / path
    limit = "-1" if limits.memory_bytes is None else str(limits.memory_bytes)
    # Memory with swap may never be below memory alone, so the order depends on the direction.
    names = ["memory.memsw.limit_in_bytes", "memory.limit_in_bytes"]
    now = int(_text(memory / "memory.limit_in_bytes"))
    if limits.memory_bytes is not None and limits.memory_bytes < now:
        names.reverse()
    for name in names:
        if (memory / name).exists():
            (memory / name).write_text(limit)
    cpu = ROOT / "cpu" / path
    (cpu / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
    (cpu / "cpu.cfs_quota_us").write_text("-1" if limits.cpu_quota_us is None else str(limits.cpu_quota_us))
    if limits.cpu_shares is not None:
        (cpu / "cpu.shares").write_text(str(limits.cpu_shares))


def lift(path: str) -> None:
    """Remove the limits of CPU and memory of the cgroup at ``path``, if it exists and this user may write it."""
    if path:
        with contextlib.suppress(HostError):
            write_path(path, LiveLimits())


def lift_cpu_quota(pid: int) -> None:
    """Let a process's cgroup (v1) use as much of the processors as there is. HostError if refused."""
    path = path_of(pid, "cpu").lstrip("/")
    try:
        (ROOT / "cpu" / path / "cpu.cfs_quota_us").write_text("-1")
    except OSError as error:
        raise HostError(f"the kernel refused to lift the CPU quota of {path}: {error}") from error


def read_usage(pid: int) -> tuple[int, int]:
    """What a process's cgroup uses: memory in bytes without reclaimable cache, CPU time in microseconds."""
    try:
        if version() == 2:
            directory = ROOT / path_of(pid).lstrip("/")
            memory = int(_text(directory / "memory.current")) - _stat(directory / "memory.stat", "inactive_file")
            return max(memory, 0), _stat(directory / "cpu.stat", "usage_usec")
        memory_path = ROOT / "memory" / path_of(pid).lstrip("/")
        used = int(_text(memory_path / "memory.usage_in_bytes"))
        cached = _stat(memory_path / "memory.stat", "total_inactive_file")
        accounting = ROOT / "cpuacct" / path_of(pid, "cpuacct").lstrip("/")
        return max(used - cached, 0), int(_text(accounting / "cpuacct.usage")) // 1000
    except (OSError, ValueError):
        return 0, 0


def _stat(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _separator, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _text(path: str | Path) -> str:
    # The agent reads some hundred of these every few seconds, and a Path's layers cost more than the kernel.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _LONGEST_FILE_BYTES).decode().strip()
    finally:
        os.close(descriptor)
