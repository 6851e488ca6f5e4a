# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths below folders that a container can write: opened once, and then used by descriptor alone.

A container can put a link, a mount or another folder anywhere in its folder at any moment. So each path is opened step
by step without following links, and everything after that uses the open descriptor. Nothing here removes what is
mounted from elsewhere. Modes are what is asked for, whatever the umask.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from ..._errors import HostError

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2

_LINK_FREE = os.O_NOFOLLOW | os.O_CLOEXEC
_PERMISSIONS = 0o2777
"""What a new folder takes over from its volume: the permissions, and the group's inheritance."""
_DEPTH = 64
"""How many folders are open at a time while a tree is removed; what lies deeper is moved up first."""
_BATCH = 1000
_UNMOUNT_ROUNDS = 100
_REFILLS = 1000
"""How many times a folder may fill up again while it is removed."""
_ESCAPE = re.compile(rb"\\([0-7]{3})")

_libc = ctypes.CDLL(None, use_errno=True)


# --- held ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def held(base: Path, sub_path: str, is_made: bool = True) -> Iterator[int]:
    """What stands at ``base/sub_path``, as an open descriptor (O_PATH); only ``base`` itself may lead through links.

    Missing folders are made where ``is_made``, with the permissions of ``base``, as the kubelet makes them. Raises
    HostError where a step is a link or leads out of ``base``, FileNotFoundError where there is nothing.
    """
    here = os.open(base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mode = os.fstat(here).st_mode & _PERMISSIONS
        for step in [step for step in sub_path.split("/") if step not in ("", ".")]:
            inner = _step(here, step, base / sub_path, mode if is_made else None)
            os.close(here)
            here = inner
        yield here
    finally:
        os.close(here)


def _step(folder: int, step: str, path: Path, mode: int | None) -> int:
    """One step down; with a ``mode`` a folder is made where there is nothing."""
    if step == "..":
        raise HostError(f"{path} holds '..', which could leave the volume")
    is_new = False
    try:
        inner = os.open(step, os.O_PATH | _LINK_FREE, dir_fd=folder)
    except NotADirectoryError as error:
        raise HostError(f"{path}: what is before {step} is a file, so nothing can be below it") from error
    except FileNotFoundError:
        if mode is None:
            raise
        is_new = _makes_folder(folder, step)
        inner = os.open(step, os.O_PATH | _LINK_FREE, dir_fd=folder)
    try:
        found = os.fstat(inner)
        if stat.S_ISLNK(found.st_mode):
            raise HostError(f"{path} leads through a symbolic link ({step}), which could leave the volume")
        if is_new and mode is not None and stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            os.chmod(by_descriptor(inner), mode)
    except BaseException:
        os.close(inner)
        raise
    return inner


def _makes_folder(folder: int, name: str) -> bool:
    """Make a folder that nobody else can enter yet, unless something stands there by now; returns whether it did."""
    try:
        os.mkdir(name, 0o700, dir_fd=folder)
    except FileExistsError:
        return False
    return True


def by_descriptor(descriptor: int) -> str:
    """The path that leads to the open file of a descriptor of this process, whatever its name is by now."""
    return f"/proc/self/fd/{descriptor}"


def is_folder(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


def make_folders(path: Path, mode: int) -> None:
    """Make a folder, and those that lead to it, all of exactly this mode; what is there stays as it is."""
    if path.is_dir():
        return
    make_folders(path.parent, mode)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(_step(folder, path.name, path, mode))
    finally:
        os.close(folder)


def make_file(path: Path, mode: int) -> None:
    """Make an empty file of exactly this mode, unless something stands there."""
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _LINK_FREE, 0o600)
        try:
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)


# --- mounts ----------------------------------------------------------------------------------------------------------


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2); OSError where the kernel refuses."""
    words = [os.fsencode(word) for word in (source, target, kind, options)]
    if _libc.mount(words[0], words[1], words[2] or None, ctypes.c_ulong(flags), words[3] or None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot be mounted: {os.strerror(number)}", target)


def bind(descriptor: int, target: Path) -> None:
    """Mount what is held at ``target``, which is ours, with all that is mounted below it."""
    mount(by_descriptor(descriptor), str(target), flags=MS_BIND | MS_REC)


def mount_id(descriptor: int) -> int:
    """The kernel's number of the mount that what is held lies in. Two mounts of one device have two."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as lines:
        return int(next(line for line in lines if line.startswith("mnt_id:")).split()[1])


def mounts_below(path: Path, pid: str = "self") -> list[str]:
    """The mount points at ``path`` and below it, as process ``pid`` sees them, covered ones as well."""
    top = f"{os.path.realpath(path.parent)}/{path.name}"
    with open(f"/proc/{pid}/mountinfo", "rb") as lines:
        points = [_unescaped(line.split(b" ", 5)[4]) for line in lines]
    return [point for point in points if point == top or point.startswith(f"{top}/")]


def _unescaped(word: bytes) -> str:
    return os.fsdecode(_ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), word))


def unmount_below(path: Path, is_itself_left: bool = False) -> None:
    """Unmount what is mounted at ``path`` and below it. What it is a view of stays as it is, mounts included.

    ``is_itself_left``: only what is below.
    Raises HostError with the first mount that cannot be unmounted.
    """
    for _round in range(_UNMOUNT_ROUNDS):
        points = _unwanted(path, is_itself_left)
        if not points:
            return
        # First make all of them private: unmounting a shared mount would unmount it for others too.
        for point in sorted(set(points)):
            _at_mount(path, point, _make_private)
        for point in sorted(set(points), key=lambda point: point.count("/"), reverse=True):
            _at_mount(path, point, _detach)
    points = _unwanted(path, is_itself_left)
    if points:
        raise HostError(f"{points[0]} cannot be unmounted, so {path} stays: unmount it and run this again")


def _unwanted(path: Path, is_itself_left: bool) -> list[str]:
    return [point for point in mounts_below(path) if point != os.path.realpath(path) or not is_itself_left]


def _at_mount(path: Path, point: str, act: Callable[[str], None]) -> None:
    """Call ``act`` on the uppermost mount at a place below ``path``, reached without following links."""
    base = Path(os.path.realpath(path.parent))
    try:
        with held(base, os.path.relpath(point, base), is_made=False) as descriptor:
            act(by_descriptor(descriptor))
    except FileNotFoundError:
        return
    except OSError as error:
        # EINVAL: somebody else was faster, or it lies under another mount, which goes first.
        if error.errno != errno.EINVAL:
            raise HostError(f"{point} cannot be unmounted, so {path} stays: {error.strerror}") from error


def _make_private(target: str) -> None:
    mount("", target, flags=MS_REC | MS_PRIVATE)


def _detach(target: str) -> None:
    if _libc.umount2(os.fsencode(target), MNT_DETACH) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


# --- removal ---------------------------------------------------------------------------------------------------------


def remove_tree(path: Path) -> None:
    """Remove a file, link or tree, if it is there. Mounts in it are unmounted first, and never gone into.

    ``path`` itself is in a folder that only we can write. Raises HostError for a mount that cannot be unmounted.
    """
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            _unlink(path)
            return
    except FileNotFoundError:
        return
    unmount_below(path)
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _LINK_FREE)
    try:
        _empty(top, path)
    finally:
        os.close(top)
    path.rmdir()


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        # Something is mounted on it.
        unmount_below(path)
        path.unlink()


@dataclass
class _Folder:
    """A folder that is being emptied, ``name`` in the one above it; ``inner`` are folders found in it."""

    descriptor: int
    name: str
    inner: list[str] = field(default_factory=list)


def _empty(top: int, path: Path) -> None:
    own_mount, refills = mount_id(top), 0
    folders = [_Folder(top, "")]
    try:
        while True:
            folder = folders[-1]
            folder.inner = folder.inner or _unlink_files(folder.descriptor)
            if folder.inner:
                _go_down(folders, folder.inner.pop(), own_mount, path)
            elif len(folders) == 1:
                return
            else:
                folders.pop()
                os.close(folder.descriptor)
                refills += not _is_removed(folder.name, folders[-1].descriptor)
                if refills > _REFILLS:
                    raise HostError(f"{path} cannot be removed: something keeps writing to it; end that first")
    finally:
        for folder in folders[1:]:
            os.close(folder.descriptor)


def _go_down(folders: list[_Folder], name: str, own_mount: int, path: Path) -> None:
    """Enter a folder; if it is too deep to keep all its parents open, move it near the top first."""
    above = folders[-1].descriptor
    with contextlib.suppress(FileNotFoundError):
        if len(folders) > _DEPTH:
            moved = f".{secrets.token_hex(8)}"
            os.rename(name, moved, src_dir_fd=above, dst_dir_fd=folders[0].descriptor)
            return
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _LINK_FREE, dir_fd=above)
        if mount_id(inner) != own_mount:
            where = os.readlink(by_descriptor(inner))
            os.close(inner)
            raise HostError(f"{where} is a mount, so {path} stays: unmount it and run this again")
        folders.append(_Folder(inner, name))


def _unlink_files(folder: int) -> list[str]:
    """Unlink all that is no folder; returns folders, not always all of them."""
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found.append(entry.name)
                if len(found) == _BATCH:
                    break
                continue
            with contextlib.suppress(FileNotFoundError):
                os.unlink(entry.name, dir_fd=folder)
    return found


def _is_removed(name: str, folder: int) -> bool:
    """Remove an empty folder; returns False if somebody has written to it meanwhile."""
    try:
        os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True
