# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What containers write, read with a bound: the ends of files, logs of the driver k8s-file, frames of a stream."""

from __future__ import annotations

import io
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._errors import NotFound
from ansible_collections.podwright.pods.plugins.module_utils._host.kernel import processes
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import container_output as output
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.client import (
    Podman,
    parent_command_line,
    read_frames,
)
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store

TIME = "2026-11-30T13:02:23.523083099+00:00"


class Host:
    """Stands for the Podman of one container, whose log is at a path."""

    def __init__(self, path: Path | None, driver: str = "k8s-file", pieces: tuple[bytes, ...] = ()) -> None:
        self.config = {"Type": driver, "Path": str(path or "")}
        self.state = "exited"
        self.pieces = pieces

    def get(self, path: str) -> Mapping[str, Any]:
        assert path == "/containers/web-main/json"
        if self.state == "gone":
            raise NotFound("gone", 404)
        return {"HostConfig": {"LogConfig": self.config}, "State": {"Status": self.state}}

    def log_stream(self, container: str, tail: int, *_more: Any) -> Iterator[bytes]:
        yield from self.pieces

    @property
    def podman(self) -> Podman:
        return cast(Podman, self)


def lines_of(*written: str) -> bytes:
    """A log file; each text is ``TAG TEXT``."""
    return "".join(f"{TIME} stdout {line}\n" for line in written).encode()


def last(path: Path, lines: int, limit_bytes: int = 1 << 20) -> str:
    return output.last_lines(Host(path).podman, "web-main", lines, limit_bytes)


def whole(path: Path, lines: int | None = None) -> bytes:
    return b"".join(output.log_stream(Host(path).podman, "web-main", lines, False))


# --- ends of files ---------------------------------------------------------------------------------------------------


def test_of_a_sparse_file_only_the_end_is_read(tmp_path: Path) -> None:
    """With an address space that could not hold it."""
    store = Store(tmp_path)
    path = store.termination_message_file("web", "main")
    os.truncate(path, 3 << 30)
    with open(path, "ab") as file:
        file.write(b"out of luck")
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), before[1]))
    try:
        assert store.termination_message("web", "main") == "out of luck"
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to("secret")
    for name in ("pipe", "link", "nothing", "."):
        assert output.read_end(tmp_path / name, 10) is None, name
    assert output.read_end(tmp_path / "secret", 3) == b"ret"


# --- the log file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(0, ""), (1, "three\n"), (2, "two is long\nthree\n"), (3, "one\ntwo is long\nthree\n"), (9, None), (None, None)],
)
def test_last_lines(tmp_path: Path, lines: int | None, expected: str | None) -> None:
    path = tmp_path / "ctr.log"
    path.write_bytes(lines_of("F ", "F one", "P two ", "P is ", "F long", "F three"))
    text = "\none\ntwo is long\nthree\n" if expected is None else expected
    assert whole(path, lines).decode() == text
    if lines is not None:
        assert last(path, lines) == text


def test_a_line_without_an_end_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "ctr.log"
    path.write_bytes(lines_of("F one", "P two", "P more"))
    assert last(path, 1) == "twomore"
    assert last(path, 2) == "one\ntwomore"


def test_what_the_monitor_is_writing_waits(tmp_path: Path) -> None:
    path = tmp_path / "ctr.log"
    path.write_bytes(lines_of("F one") + f"{TIME} stdout F tw".encode())
    assert whole(path) == b"one\n"


@given(
    written=st.lists(st.tuples(st.sampled_from("PF"), st.integers(0, 300)), max_size=40),
    lines=st.integers(0, 12),
    piece=st.integers(16, 400),
)
def test_lines_are_the_same_wherever_pieces_end(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[str, int]], lines: int, piece: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "ctr.log"
    path.write_bytes(lines_of(*(f"{tag} {chr(97 + number % 26) * size}" for number, (tag, size) in enumerate(written))))
    text = "".join(
        chr(97 + number % 26) * size + ("\n" if tag == "F" else "") for number, (tag, size) in enumerate(written)
    )
    expected = "".join(text.splitlines(keepends=True)[-lines:]) if lines else ""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(output, "PIECE_BYTES", piece)
        assert whole(path, lines).decode() == expected
        assert whole(path).decode() == text


def test_a_line_of_any_length_costs_no_more_than_its_end(tmp_path: Path) -> None:
    path = tmp_path / "ctr.log"
    with open(path, "wb") as file:
        piece = lines_of("P " + "x" * 8192)
        for _number in range(4000):
            file.write(piece)
        file.write(lines_of("F the end"))
    read = 0
    pread = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        nonlocal read
        found = pread(descriptor, size, offset)
        read += len(found)
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "pread", counted)
        text = last(path, 20, 2048)
    assert len(text) == 2048
    assert text.endswith("xthe end\n")
    assert read < 100_000
    assert max(map(len, output.log_stream(Host(path).podman, "web-main", None, False))) <= 3 * output.PIECE_BYTES


def test_without_a_log_there_are_no_lines(tmp_path: Path) -> None:
    assert last(tmp_path / "none", 5) == ""
    assert whole(tmp_path / "none") == b""
    host = Host(tmp_path / "none")
    host.state = "gone"
    assert output.last_lines(host.podman, "web-main", 5, 100) == ""
    with pytest.raises(NotFound):
        list(output.log_stream(host.podman, "web-main", 5, False))


def test_another_driver_is_asked_of_the_service(tmp_path: Path) -> None:
    host = Host(None, "journald", (b"a" * 5000, b"b" * 5000 + b"\n"))
    assert output.last_lines(host.podman, "web-main", 5, 5003) == "aa" + "b" * 5000 + "\n"


# --- following -------------------------------------------------------------------------------------------------------


def test_a_log_is_followed_into_the_file_that_takes_its_place(tmp_path: Path) -> None:
    path, host = tmp_path / "ctr.log", Host(tmp_path / "ctr.log")
    path.write_bytes(lines_of("F old", "F one"))
    host.state = "running"
    followed = output.log_stream(host.podman, "web-main", 1, True)
    assert next(followed) == b"one\n"
    with open(path, "ab") as file:
        file.write(lines_of("F two"))
    fresh = tmp_path / "fresh"
    fresh.write_bytes(lines_of("F three"))
    fresh.replace(path)
    assert next(followed) == b"two\n"
    assert next(followed) == b"three\n"
    with open(path, "ab") as file:
        file.write(lines_of("P last words"))
    host.state = "exited"
    assert list(followed) == [b"last words"]


def test_following_ends_with_its_reader(tmp_path: Path) -> None:
    path, host = tmp_path / "ctr.log", Host(tmp_path / "ctr.log")
    host.state = "running"
    ours, theirs = socket.socketpair()
    found: list[bytes] = []
    follower = threading.Thread(
        target=lambda: found.extend(output.log_stream(host.podman, "web-main", None, True, ours)), daemon=True
    )
    with ours, theirs:
        follower.start()
        path.write_bytes(lines_of("F at last"))
        while not found:
            assert follower.is_alive()
        theirs.close()
        follower.join(20)
        assert not follower.is_alive()
    assert found == [b"at last\n"]


# --- frames ----------------------------------------------------------------------------------------------------------


def test_a_frame_is_taken_in_pieces_however_long_it_says_it_is() -> None:
    content = struct.pack(">BxxxI", 1, 4_000_000_000) + b"x" * 200_000
    pieces = list(read_frames(io.BytesIO(content)))
    assert b"".join(pieces) == b"x" * 200_000
    assert max(map(len, pieces)) == output.PIECE_BYTES
    both = struct.pack(">BxxxI", 1, 2) + b"ab" + struct.pack(">BxxxI", 2, 0) + struct.pack(">BxxxI", 2, 1) + b"c"
    assert list(read_frames(io.BytesIO(both))) == [b"ab", b"c"]


def test_a_process_may_be_called_what_is_no_text() -> None:
    program = "open('/proc/self/comm', 'wb').write(b'\\xff) 1 1'); print(flush=True); input()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert parent_command_line(process.pid) == Path("/proc/self/cmdline").read_bytes()
        assert processes.find(process.pid) is not None
        process.kill()
