# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container writes, read with a bound: the ends of files, and its log.

Podman's service reads a line of a log whole, which may be as long as a container likes. The log is therefore read from
its file (Podman's driver k8s-file), piece by piece. Only that of a container with another log driver is asked of the
service. A line of the file is ``TIME STREAM TAG TEXT``; the tag is P where the next line goes on with the text, as the
monitor writes it for each 8 KiB of a longer one, or where a line is not complete yet.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..._errors import NotFound, PodwrightError
from .client import PIECE_BYTES, Podman

SHOWN_LINES = 20
SHOWN_BYTES = 8 << 10
"""How much of a log a failure shows, at most."""
SCAN_BYTES = 1 << 30
"""How far back the beginning of the last lines is looked for."""
ANSWER_SECONDS = 20
"""How long a log that is asked of the service may take, where only its end is wanted."""
SERVICE_LINES = 100_000
"""How many lines are asked of the service, which has no answer to what is too many."""
_HEADER_BYTES = 96
_TEXT_BYTES = 8 << 10
"""How much of a longer line the monitor writes as one of the file."""
_LONGEST_LINE_BYTES = 128 << 10
_FILE_DRIVERS = ("k8s-file", "json-file")
_PAUSE_MILLISECONDS = 200
_LOOK_SECONDS = 1.0
_ENDED = ("exited", "stopped", "removing")


def read_end(path: Path, limit_bytes: int) -> bytes | None:
    """The last bytes of a file that a container may write; None if there is no regular file."""
    try:
        descriptor = _open(path)
    except OSError:
        return None
    try:
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, limit_bytes, max(size - limit_bytes, 0))
    finally:
        os.close(descriptor)


def last_lines(podman: Podman, container: str, lines: int, limit_bytes: int) -> str:
    """The last lines that a container wrote to standard output and error, and of these the last bytes.

    Empty if they cannot be read: they explain another error, and must not hide it.
    """
    try:
        path = _log_path(podman, container)
        if path is None:
            content = _last_of_service(podman, container, lines, limit_bytes)
        else:
            content = _last_of_file(path, lines, limit_bytes)
    except (PodwrightError, OSError):
        return ""
    return content.decode(errors="replace")


def shown_log(podman: Podman, container: str) -> str:
    """As much of the end of a log as a failure shows."""
    return last_lines(podman, container, SHOWN_LINES, SHOWN_BYTES).strip()


def log_stream(
    podman: Podman, container: str, lines: int | None, is_followed: bool, reader: socket.socket | None = None
) -> Iterator[bytes]:
    """A container's log, or its last ``lines``, piece by piece; with ``is_followed`` as it is written, until it ends.

    It also ends once the other end of ``reader`` is closed. Raises NotFound where there is no such container.
    """
    path = _log_path(podman, container)
    if path is None:
        asked = SERVICE_LINES if lines is None else lines
        yield from podman.log_stream(container, asked, is_followed, reader)
    elif is_followed:
        yield from _follow(podman, container, path, lines, reader)
    else:
        with contextlib.suppress(FileNotFoundError), _opened(path) as descriptor:
            size = os.fstat(descriptor).st_size
            begin = 0 if lines is None else _begin_of_lines(descriptor, size, lines, SCAN_BYTES)
            yield from _Reader(descriptor, begin).read(size)


def _log_path(podman: Podman, container: str) -> Path | None:
    """The file of a container's log; None where it has another driver."""
    inspected: Mapping[str, Any] = podman.get(f"/containers/{quote(container)}/json")
    config = (inspected.get("HostConfig") or {}).get("LogConfig") or {}
    path = config.get("Path")
    return Path(path) if path and config.get("Type") in _FILE_DRIVERS else None


# --- the service -----------------------------------------------------------------------------------------------------


def _last_of_service(podman: Podman, container: str, lines: int, limit_bytes: int) -> bytes:
    kept, ends_at = bytearray(), time.monotonic() + ANSWER_SECONDS
    with contextlib.closing(podman.log_stream(container, lines, False, None, ANSWER_SECONDS)) as pieces:
        for piece in pieces:
            kept += piece
            del kept[:-limit_bytes]
            if time.monotonic() > ends_at:
                break
    return bytes(kept)


# --- the file --------------------------------------------------------------------------------------------------------


def _open(path: Path) -> int:
    """Open it for reading. A link is not followed, and what is no regular file, such as a pipe, is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return descriptor


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = _open(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _last_of_file(path: Path, lines: int, limit_bytes: int) -> bytes:
    kept = bytearray()
    with contextlib.suppress(FileNotFoundError), _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        # Beside the text each line holds its time and stream; the first of them is reached as a whole.
        reach = limit_bytes + (lines + limit_bytes // _TEXT_BYTES) * _HEADER_BYTES + 2 * _TEXT_BYTES
        begin = _begin_of_lines(descriptor, size, lines, reach)
        for piece in _Reader(descriptor, begin).read(size):
            kept += piece
            del kept[:-limit_bytes]
    return bytes(kept)


def _begin_of_lines(descriptor: int, size: int, lines: int, reach: int) -> int:
    """Where the last lines of a log of ``size`` bytes begin, but no more than ``reach`` bytes back."""
    if lines <= 0:
        return size
    begin, found = size, 0
    for start, is_full in _starts(descriptor, size, reach):
        # One that is full is the end of a line; the last one is so, full or not.
        found += 1 if is_full or not found else 0
        if found > lines:
            break
        begin = start
    return begin


def _starts(descriptor: int, size: int, reach: int) -> Iterator[tuple[int, bool]]:
    """Where the lines of a log file begin, and whether each is full; the last one first, ``reach`` bytes back."""
    at, floor = size, max(size - reach, 0)
    while at > floor:
        at, end = max(at - PIECE_BYTES, floor), at
        # The piece that was read before may hold the rest of this line.
        piece = os.pread(descriptor, end - at + _HEADER_BYTES, at)
        newline = end - at
        while (newline := piece.rfind(b"\n", 0, newline)) >= 0:
            if at + newline + 1 < size:
                yield at + newline + 1, _split(piece[newline + 1 : newline + 1 + _HEADER_BYTES])[0]
    if not floor and size:
        yield 0, _split(os.pread(descriptor, _HEADER_BYTES, 0))[0]


def _split(line: bytes) -> tuple[bool, bytes]:
    """Whether a line of the file ends one of the container's, and its text."""
    words = line.split(b" ", 3)
    # What is none of a monitor's lines is shown as it is.
    return (words[2][:1] != b"P", words[3]) if len(words) == 4 and words[2][:1] in b"PF" else (True, line)


class _Reader:
    """Reads a log file on from an offset: the text alone, in pieces."""

    def __init__(self, descriptor: int, offset: int) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self._rest = b""

    def read(self, until: int | None = None) -> Iterator[bytes]:
        """The text written so far, or up to an offset. An incomplete line waits for the next call."""
        while True:
            wanted = PIECE_BYTES if until is None else min(PIECE_BYTES, until - self.offset)
            piece = os.pread(self.descriptor, wanted, self.offset) if wanted > 0 else b""
            if not piece:
                break
            self.offset += len(piece)
            *lines, self._rest = (self._rest + piece).split(b"\n")
            if len(self._rest) > _LONGEST_LINE_BYTES:
                # No monitor writes so long a line.
                lines, self._rest = [*lines, self._rest], b""
            texts = map(_split, lines)
            yield b"".join(text + b"\n" if is_full else text for is_full, text in texts)


# --- following -------------------------------------------------------------------------------------------------------


def _follow(
    podman: Podman, container: str, path: Path, lines: int | None, reader: socket.socket | None
) -> Iterator[bytes]:
    """The log as it grows. When the monitor caps it with a new file, reading goes on at the start of that one."""
    hangups, is_over, look_at = select.poll(), False, 0.0
    if reader is not None:
        hangups.register(reader, 0)
    with contextlib.ExitStack() as stack:
        source: _Reader | None = None
        while True:
            now = time.monotonic()
            if now >= look_at:
                # What it wrote last is in the file before Podman tells of its end.
                is_over, look_at = _has_ended(podman, container), now + _LOOK_SECONDS
            if source is None:
                source = _reader_of(stack, path, lines)
                lines = None if source else lines
            if source is not None:
                yield from source.read()
                if _is_replaced(path, source.descriptor):
                    # The rest of the old file first: it was complete before the new one appeared.
                    yield from source.read()
                    stack.close()
                    source = None
                    continue
            if is_over or hangups.poll(_PAUSE_MILLISECONDS):
                return


def _reader_of(stack: contextlib.ExitStack, path: Path, lines: int | None) -> _Reader | None:
    """A reader of the log, from its last lines on where not from its beginning; None before there is one."""
    try:
        descriptor = stack.enter_context(_opened(path))
    except FileNotFoundError:
        return None
    size = os.fstat(descriptor).st_size
    return _Reader(descriptor, 0 if lines is None else _begin_of_lines(descriptor, size, lines, SCAN_BYTES))


def _is_replaced(path: Path, descriptor: int) -> bool:
    try:
        found = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        # Gone with its container.
        return False
    held = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) != (held.st_dev, held.st_ino)


def _has_ended(podman: Podman, container: str) -> bool:
    try:
        state = podman.get(f"/containers/{quote(container)}/json")["State"]
    except NotFound:
        return True
    return str(state.get("Status")).lower() in _ENDED
