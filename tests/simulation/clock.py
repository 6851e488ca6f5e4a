# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock and the disk of the simulation, in the place of the process's own.

To be installed before the collection is imported, since defaults of its functions hold on to ``time.sleep`` and the
like. Outside a simulation all of it is as ever.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import stat
import time
from collections.abc import Callable
from typing import Any

from .scheduler import Scheduler

MONOTONIC_SECONDS = 10_000.0
"""What the monotonic clock shows when a simulation begins."""


class _Present:
    """What simulation there is now, None for none."""

    scheduler: Scheduler | None = None
    disk: Disk | None = None


def begin(scheduler: Scheduler, disk: Disk) -> None:
    _Present.scheduler, _Present.disk = scheduler, disk


def end() -> None:
    _Present.scheduler = _Present.disk = None


class Disk:
    """What of the files has reached the disk: after a power cut the rest may be gone.

    A file that was given its name and not synced comes back empty; a name that was given in a folder that was not
    synced afterwards may still be that of the file before.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._synced: set[tuple[int, int]] = set()
        self._renamed: list[tuple[str, bytes | None, tuple[int, int]]] = []
        """Names that were given in folders that were not synced since: the path, what was there before, the folder."""

    def renamed(self, target: str, before: bytes | None) -> None:
        self._renamed.append((target, before, _identity(os.stat(os.path.dirname(target)))))

    def synced(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        here = _identity(found)
        self._synced.add(here)
        if stat.S_ISDIR(found.st_mode):
            self._renamed = [item for item in self._renamed if item[2] != here]

    def cut_power(self) -> None:
        """Lose what was not synced: of the names the latest ones, as many as the seed has it."""
        for target, _before, _folder in self._renamed:
            if os.path.isfile(target) and not os.path.islink(target) and _identity(os.stat(target)) not in self._synced:
                os.truncate(target, 0)
        lost = self._scheduler.random.randint(0, len(self._renamed))
        for target, before, _folder in reversed(self._renamed[len(self._renamed) - lost :]):
            if os.path.isfile(target):
                _REAL["unlink"](target)
            if before is not None and os.path.isdir(os.path.dirname(target)):
                with open(target, "wb") as file:
                    file.write(before)
        self._renamed = []


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


_REAL: dict[str, Callable[..., Any]] = {
    name: getattr(os, name) for name in ("mkdir", "unlink", "rename", "replace", "link", "symlink", "rmdir", "fsync")
}
_REAL_TIME: dict[str, Callable[..., Any]] = {
    name: getattr(time, name) for name in ("time", "monotonic", "sleep", "clock_gettime")
}
_SWITCH_CHANCE = 0.2


def install() -> None:
    """Put all of it in place, once for the process."""
    dataclasses.dataclass = _dataclass
    dataclasses.replace = _replace_fields
    setattr(time, "time", _time)  # noqa: B010
    setattr(time, "monotonic", _monotonic)  # noqa: B010
    setattr(time, "time_ns", lambda: int(_time() * 1e9))  # noqa: B010
    setattr(time, "sleep", _sleep)  # noqa: B010
    setattr(time, "clock_gettime", _clock_gettime)  # noqa: B010
    for name in ("mkdir", "unlink", "rename", "link", "symlink", "rmdir"):
        setattr(os, name, _effect(name))
    for name in ("token_hex", "token_bytes"):
        setattr(secrets, name, _token(name))
    secrets.choice = _choice
    os.replace = _replace
    os.fsync = _fsync
    os.getpid = _getpid


_REAL_DATACLASS = dataclasses.dataclass


def _dataclass(cls: Any = None, /, *, frozen: bool = False, **options: Any) -> Any:
    """``dataclass``, whose frozen ones are made three times faster: nothing keeps them from being changed.

    That nobody does so mypy sees to.
    """
    more = {"unsafe_hash": True} if frozen and options.get("eq", True) else {}
    return _REAL_DATACLASS(cls, **{**options, **more})


_REAL_REPLACE = dataclasses.replace
_FIELDS: dict[type, tuple[str, ...]] = {}
"""The fields of each class that is copied by them; none for one that makes more of them."""


def _replace_fields(instance: Any, /, **changes: Any) -> Any:
    """``dataclasses.replace``, which goes round the checks of what it is given: mypy makes them."""
    cls = type(instance)
    names = _FIELDS.get(cls)
    if names is None:
        fields = dataclasses.fields(cls)
        is_plain = not hasattr(cls, "__post_init__") and all(field.init for field in fields)
        names = _FIELDS[cls] = tuple(field.name for field in fields) if is_plain else ()
    if not names:
        return _REAL_REPLACE(instance, **changes)
    made, held = object.__new__(cls), vars(instance)
    vars(made).update({name: held[name] for name in names}, **changes)
    return made


def real_monotonic() -> float:
    """The process's own monotonic clock."""
    return float(_REAL_TIME["monotonic"]())


def _time() -> float:
    scheduler = _Present.scheduler
    return float(_REAL_TIME["time"]()) if scheduler is None else scheduler.now + scheduler.wall_offset


def _monotonic() -> float:
    scheduler = _Present.scheduler
    return float(_REAL_TIME["monotonic"]()) if scheduler is None else scheduler.now + MONOTONIC_SECONDS


def _clock_gettime(clock: int) -> float:
    return float(_REAL_TIME["clock_gettime"](clock)) if _Present.scheduler is None else _monotonic()


def _sleep(seconds: float) -> None:
    scheduler = _Present.scheduler
    if scheduler is None:
        _REAL_TIME["sleep"](seconds)
    else:
        scheduler.sleep(seconds)


def _token(name: str) -> Callable[..., Any]:
    """What is secret is decided by the seed as well."""
    real = getattr(secrets, name)

    def make(size: int = 32) -> Any:
        if _Present.scheduler is None:
            return real(size)
        content = _Present.scheduler.random.randbytes(size)
        return content.hex() if name == "token_hex" else content

    return make


_REAL_CHOICE = secrets.choice


def _choice(items: Any) -> Any:
    return _REAL_CHOICE(items) if _Present.scheduler is None else _Present.scheduler.random.choice(items)


_REAL_GETPID = os.getpid


def _getpid() -> int:
    return _REAL_GETPID() if _Present.scheduler is None else _Present.scheduler.pid


def _effect(name: str) -> Callable[..., Any]:
    """A call that changes files: none of a process that is dead, and a place for others to go on."""
    real = _REAL[name]

    def call(*args: Any, **kwargs: Any) -> Any:
        _let_others_go_on()
        result = real(*args, **kwargs)
        if _Present.scheduler is not None and not kwargs:
            for path in args[:2]:
                _note_change_in(path)
        return result

    return call


def _note_change_in(path: Any) -> None:
    """The folder of a path was changed just now, by the simulated clock: the kernel writes down its own."""
    scheduler = _Present.scheduler
    if scheduler is not None and isinstance(path, (str, os.PathLike)):
        moment = int(_time() * 1e9) + next(scheduler.changes)
        with contextlib.suppress(OSError):
            os.utime(os.path.dirname(path), ns=(moment, moment))


def _let_others_go_on() -> None:
    scheduler = _Present.scheduler
    if scheduler is not None:
        scheduler.raise_if_dead()
        if scheduler.random.random() < _SWITCH_CHANCE:
            scheduler.switch()


def _replace(source: Any, target: Any, **kwargs: Any) -> None:
    _let_others_go_on()
    disk = _Present.disk
    if disk is None or kwargs or not stat.S_ISREG(os.lstat(source).st_mode):
        _REAL["replace"](source, target, **kwargs)
        return
    before = _content_of(target)
    _REAL["replace"](source, target)
    _note_change_in(target)
    disk.renamed(os.fspath(target), before)


def _content_of(path: Any) -> bytes | None:
    """What a regular file holds, None for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        return os.read(descriptor, found.st_size) if stat.S_ISREG(found.st_mode) else None
    finally:
        os.close(descriptor)


def _fsync(descriptor: Any) -> None:
    if _Present.disk is None:
        _REAL["fsync"](descriptor)
        return
    _let_others_go_on()
    _Present.disk.synced(descriptor if isinstance(descriptor, int) else descriptor.fileno())
