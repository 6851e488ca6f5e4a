# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written is read again or told as damaged, whatever has become of it; nothing in its place is followed."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._errors import DamagedState, HostError
from ansible_collections.podwright.pods.plugins.module_utils._host import state_files

DATA: dict[str, Any] = {"version": 2, "name": "web", "images": {"main": "é"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.json"


def test_what_was_written_is_read(path: Path) -> None:
    state_files.write_object(path, DATA)
    assert state_files.read_object(path) == DATA
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["record.json"]


def test_it_stays_json_for_others(path: Path) -> None:
    state_files.write_object(path, DATA)
    read = json.loads(path.read_text())
    assert read.pop(state_files.CHECKSUM)
    assert read == DATA


def test_what_earlier_releases_wrote_is_read(path: Path) -> None:
    path.write_text(json.dumps(DATA, indent=1, sort_keys=True))
    assert state_files.read_object(path) == DATA
    path.write_text(json.dumps(DATA))
    assert state_files.read_object(path) == DATA


def test_what_a_person_wrote_without_the_checksum_is_read(path: Path) -> None:
    state_files.write_object(path, DATA)
    first, _newline, rest = path.read_text().partition("\n")
    assert state_files.CHECKSUM in first
    path.write_text("{" + rest.replace("web", "shop"))
    assert state_files.read_object(path) == {**DATA, "name": "shop"}
    # As `jq` and the like write it.
    state_files.write_object(path, DATA)
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "shop"}, indent=2))
    assert state_files.read_object(path) == {**DATA, "name": "shop"}


def test_every_cut_and_every_changed_byte_is_seen(path: Path) -> None:
    state_files.write_object(path, DATA)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedState, match="is damaged"):
            state_files.read_object(path)
    # Before them stands the name of the checksum itself.
    for position in range(len(state_files.CHECKSUM) + 6, len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(DamagedState, match="is damaged"):
            state_files.read_object(path)


@pytest.mark.parametrize(
    "content", [b"[]", b"null", b"5", b'"text"', b"\xff\xfe", b"\x00" * 4096, b"[" * 100_000, b"{"]
)
def test_what_is_no_object_is_damage(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DamagedState, match=f"{path} is damaged: .*; restore it"):
        state_files.read_object(path, "restore it")


def test_utf_16_is_no_text_of_ours(path: Path) -> None:
    path.write_bytes(json.dumps(DATA).encode("utf-16"))
    with pytest.raises(DamagedState):
        state_files.read_object(path)


def test_what_stands_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    makers = {
        "a folder": path.mkdir,
        "a pipe": lambda: os.mkfifo(path),
        "a link": lambda: path.symlink_to(tmp_path / "other"),
    }
    (tmp_path / "other").write_text(json.dumps(DATA))
    for what, make in makers.items():
        make()
        with pytest.raises(DamagedState, match=f"there is {what} in its place"):
            state_files.read_object(path)
        state_files.write_object(path, DATA)
        assert state_files.read_object(path) == DATA
        path.unlink()


def test_a_file_in_place_of_a_folder_is_damage(path: Path) -> None:
    path.touch()
    with pytest.raises(DamagedState, match="Not a directory"):
        state_files.read(path / "record.json")


def test_a_file_beyond_its_bound_is_not_read(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(2**40)
    with pytest.raises(DamagedState, match="1099511627776 bytes are more"):
        state_files.read_object(path)


def test_no_free_descriptor_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That passes, and what says so must not have the file moved away."""
    state_files.write_object(path, DATA)

    def fail(*args: Any) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(HostError, match=f"{path} cannot be read now: Too many open files") as caught:
        state_files.read_object(path)
    assert not isinstance(caught.value, DamagedState)


def test_a_write_that_fails_leaves_the_old_one_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state_files.write_object(path, DATA)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        state_files.write_object(path, {"version": 3})
    assert state_files.read_object(path) == DATA
    assert [entry.name for entry in path.parent.iterdir()] == ["record.json"]


def test_nothing_is_lost_by_what_is_put_aside(path: Path) -> None:
    kept = []
    for number in range(3):
        path.write_text(str(number))
        kept.append(state_files.put_aside(path))
    assert [aside.read_text() for aside in kept] == ["0", "1", "2"]
    assert not path.exists()
    assert all(aside.name.startswith("record.json.damaged-2") for aside in kept)


# --- locks -----------------------------------------------------------------------------------------------------------


def test_a_lock_is_held_by_one(path: Path) -> None:
    with state_files.lock_if_free(path) as first, state_files.lock_if_free(path) as second:
        assert (first, second) == ("", None)
    with state_files.lock_if_free(path) as third:
        assert third == path.read_text() == str(os.getpid())


def test_a_lock_whose_file_was_removed_holds_nobody_up(path: Path) -> None:
    """Who had opened the old one takes the new one, and so never beside another."""
    inside, most, left = 0, 0, 2000
    counting = threading.Lock()

    def work() -> None:
        nonlocal inside, most, left
        while left > 0:
            with state_files.lock_if_free(path) as before:
                if before is None:
                    continue
                with counting:
                    inside, left = inside + 1, left - 1
                    most = max(most, inside)
                with counting:
                    inside -= 1
                path.unlink()

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not path.exists()


def test_what_stands_in_the_place_of_a_lock_is_put_aside(path: Path) -> None:
    path.mkdir()
    with state_files.lock_if_free(path) as before:
        assert before == ""
        assert path.is_file()
    assert len(list(path.parent.iterdir())) == 2


def test_a_log_that_is_long_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as log:
        log.write(b"x" * state_files.LOG_BYTES)
        log.flush()
        state_files.trim_log(path)
        assert path.stat().st_size == state_files.LOG_BYTES
        log.write(b"y")
        log.flush()
        state_files.trim_log(path)
        log.write(b"last words")
    assert path.read_bytes() == b"last words"
    state_files.trim_log(tmp_path / "none")
