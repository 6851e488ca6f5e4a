# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of the agent on disk: what is other than it is to be is told and written, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._delivery import units
from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError

WANTED = units.texts(Path("/usr/local/bin/podwrightd"), ["--terminated-pods=1"], 9)
SCOPES = "libpod-.scope.d/50-podwright.conf"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(units, "directory", lambda: tmp_path / "system")
    return tmp_path / "system"


def write_all() -> None:
    for name, text in WANTED.items():
        units.write(name, text)


def test_what_is_written_is_as_it_is_to_be(folder: Path) -> None:
    assert units.changes(WANTED) == dict.fromkeys(WANTED, "")
    write_all()
    assert units.changes(WANTED) == {}
    assert {path.stat().st_mode & 0o777 for path in (folder / name for name in WANTED)} == {0o644}
    assert "\nExecStart=/usr/local/bin/podwrightd run --terminated-pods=1\n" in (folder / units.SERVICE).read_text()


def test_a_change_is_told_with_what_was_there(folder: Path) -> None:
    write_all()
    (folder / SCOPES).write_text("[Unit]\n")
    (folder / units.SERVICE).chmod(0o666)
    assert units.changes(WANTED) == {SCOPES: "[Unit]\n", units.SERVICE: WANTED[units.SERVICE]}


def test_a_folder_in_the_place_of_a_unit_gives_way(folder: Path) -> None:
    (folder / units.SERVICE).mkdir(parents=True)
    assert units.SERVICE in units.changes(WANTED)
    write_all()
    assert units.changes(WANTED) == {}


def test_a_masked_unit_stays_masked(folder: Path) -> None:
    folder.mkdir()
    (folder / units.SERVICE).symlink_to("/dev/null")
    with pytest.raises(HostError, match="masked: unmask it, or set agent_service_enabled to false"):
        units.changes(WANTED)


def test_they_are_removed_and_nothing_of_others(folder: Path) -> None:
    assert not units.remove(False)
    write_all()
    theirs = folder / SCOPES
    theirs.with_name("99-own.conf").touch()
    (folder / "other.service").touch()
    assert units.remove(True)
    assert units.changes(WANTED) == {}
    assert units.remove(False)
    assert sorted(path.name for path in folder.rglob("*")) == ["99-own.conf", "libpod-.scope.d", "other.service"]
    theirs.with_name("99-own.conf").unlink()
    write_all()
    units.remove(False)
    assert [path.name for path in folder.iterdir()] == ["other.service"]
