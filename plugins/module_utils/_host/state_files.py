# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only reader and the only writer of what is kept below the state directory.

A write is whole or absent, even after a power cut: a file of its own in the same folder, synced,
renamed, and the folder synced. What is read has a bound, is a regular file and no link, and is what was written: the
first member of each JSON object is the SHA-256 of all that follows it. Files of earlier releases have no such member,
and are read without it. Anything else is `DamagedState`, of that one file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .._errors import DamagedState, HostError

FILE_BYTES = 64 * 2**20
"""No file of ours is larger: a ConfigMap holds 1 MiB, and a revision some dozens of them."""
CHECKSUM = "#sha256"
"""The member with the checksum. No other member has this name: Kubernetes allows no such key."""
_PREFIX = b'{"%s": "' % CHECKSUM.encode()
_SEPARATOR = b'",\n'
_HEX_LENGTH = 64
_DATA_BEGIN = len(_PREFIX) + _HEX_LENGTH + len(_SEPARATOR)
_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN})
"""Errors that prove nothing about the file: the next attempt may succeed."""
_HOLDER_BYTES = 20


# --- reading ---------------------------------------------------------------------------------------------------------


def read(path: Path, remedy: str = "remove it", limit_bytes: int = FILE_BYTES) -> bytes | None:
    """The content of a regular file, None where there is none. Raises DamagedState with ``remedy``, or HostError."""
    try:
        # A fifo in its place would block for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error, remedy) from error
    try:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise DamagedState(path, f"there is a {_kind(seen.st_mode)} in its place", remedy)
        if seen.st_size > limit_bytes:
            raise DamagedState(path, f"its {seen.st_size} bytes are more than the {limit_bytes} it can have", remedy)
        # A local file is read at once. Our files never grow: they are replaced.
        return os.read(descriptor, seen.st_size)
    except OSError as error:
        raise _unreadable(path, error, remedy) from error
    finally:
        os.close(descriptor)


def read_object(path: Path, remedy: str = "remove it") -> dict[str, Any] | None:
    """The JSON object in a file, without its checksum; None where there is no file. Raises as `read` does."""
    content = read(path, remedy)
    return None if content is None else parse_object(path, content, remedy)


def parse_object(path: Path, content: bytes, remedy: str = "remove it") -> dict[str, Any]:
    """The JSON object that a file of this content holds. Raises DamagedState."""
    if not content:
        raise DamagedState(path, "it is empty", remedy)
    if content.startswith(_PREFIX) and content[_DATA_BEGIN - len(_SEPARATOR) : _DATA_BEGIN] == _SEPARATOR:
        told, content = content[len(_PREFIX) :][:_HEX_LENGTH], b"{" + content[_DATA_BEGIN:]
        if hashlib.sha256(content).hexdigest().encode() != told:
            edited = f"for one that was edited by hand, take its first line ({CHECKSUM}) away"
            raise DamagedState(path, "it is not as it was written", f"{remedy}; {edited}")
    try:
        # json takes bytes for UTF-16 too.
        data = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise DamagedState(path, f"it holds no JSON ({error})", remedy) from error
    if not isinstance(data, dict):
        raise DamagedState(path, f"it holds no JSON object but {_shown(data)}", remedy)
    data.pop(CHECKSUM, None)
    return data


def _unreadable(path: Path, error: OSError, remedy: str) -> HostError:
    if error.errno in _PASSING:
        return HostError(f"{path} cannot be read now: {error.strerror}")
    if error.errno == errno.ELOOP:
        return DamagedState(path, "there is a link in its place", remedy)
    return DamagedState(path, f"it cannot be read ({error.strerror})", remedy)


def _kind(mode: int) -> str:
    tests = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((name for test, name in tests if test(mode)), "device")


def _shown(value: Any) -> str:
    """The error without the text that it quotes, which may be a secret."""
    return {list: "a list", str: "a text", type(None): "null", bool: "a truth value"}.get(type(value), "a number")


# --- writing ---------------------------------------------------------------------------------------------------------


def write(path: Path, content: bytes, mode: int = 0o600, is_lasting: bool = True) -> None:
    """Put a file in place whole. Raises OSError, and then the old file is unchanged.

    ``is_lasting`` False skips the sync of its folder: after a power cut the old file may be back.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        try:
            temporary.replace(path)
        except IsADirectoryError:
            put_aside(path)
            temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if is_lasting:
        sync_directory(path.parent)


def write_object(path: Path, data: Mapping[str, Any], mode: int = 0o600, is_lasting: bool = True) -> None:
    """`write` a JSON object of at least one member, with its checksum."""
    content = json.dumps(data, sort_keys=True).encode()
    told = hashlib.sha256(content).hexdigest().encode()
    write(path, _PREFIX + told + _SEPARATOR + content[1:], mode, is_lasting)


def sync_directory(path: Path) -> None:
    """Make creations, renames and removals in a folder outlast a power cut. Raises OSError."""
    _sync(path, os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """Make a file's content outlast a power cut. Raises OSError."""
    _sync(path, os.O_NOFOLLOW)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    """`sync_file` each regular file below a folder, and `sync_directory` each folder. Raises OSError."""
    for folder, _names, files in os.walk(path, topdown=False):
        for name in files:
            if not os.path.islink(f"{folder}/{name}"):
                sync_file(Path(folder, name))
        sync_directory(Path(folder))


def make_directory(path: Path, mode: int = 0o700) -> None:
    """Make a folder that outlasts a power cut, and those above it that are missing. Raises OSError."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_directory(path.parent, mode)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode)
        path.chmod(mode)
        sync_directory(path.parent)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "there is something else than a folder", str(path))


LOG_BYTES = 1 << 20


def trim_log(path: Path) -> None:
    """Empty a log once it has more than `LOG_BYTES`: whoever appends to it goes on at its beginning."""
    with contextlib.suppress(OSError):
        if path.stat().st_size > LOG_BYTES:
            os.truncate(path, 0)


def put_aside(path: Path) -> Path:
    """Rename what is at ``path`` to a free name beside it, so that nothing is lost, and return that name."""
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    while os.path.lexists(aside):
        aside = aside.with_name(f"{aside.name}-{secrets.token_hex(2)}")
    path.rename(aside)
    sync_directory(path.parent)
    return aside


# --- locks -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def lock_if_free(path: Path) -> Iterator[str | None]:
    """Hold a lock that goes with its holder; the process that held it last, empty for none. None where it is held now.

    Only its holder may remove its file. A process that opened a removed file locks the one in its place. Raises
    OSError.
    """
    while True:
        descriptor = _open_lock(path)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            if _is_at(descriptor, path):
                before = os.pread(descriptor, _HOLDER_BYTES, 0).decode(errors="replace").strip()
                # For people. It overwrites the last holder's line, so that it fits on a full disk.
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, os.pwrite(descriptor, str(os.getpid()).encode(), 0))
                yield before
                return
        finally:
            os.close(descriptor)


def _open_lock(path: Path) -> int:
    """Open the lock's file. Anything else in its place is put aside: nobody can hold it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.ELOOP, errno.ENXIO):
            raise
    with contextlib.suppress(FileNotFoundError):
        put_aside(path)
    return os.open(path, flags, 0o600)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        there, held = os.stat(path, follow_symlinks=False), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
