# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state directory, as a process that lives for long uses it, and as killed ones leave it."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from ansible_collections.podwright.pods.plugins.module_utils.materials import File, layout
from ansible_collections.podwright.pods.plugins.module_utils.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils.store import Applied, Record, Store

POD = parse_options({"name": "web", "containers": [{"name": "main", "image": "image"}]})


def kept(directory: Path) -> Store:
    """A state directory with the record of one pod."""
    store = Store(directory)
    store.ensure()
    store.write_record("web", Record(Applied(POD)))
    return store


def test_a_pod_that_is_gone_takes_up_no_memory(tmp_path: Path) -> None:
    store = kept(tmp_path)
    record = store.read_record("web")
    assert record is not None
    reference = weakref.ref(record)
    del record
    # By another process, or another part of this one.
    Store(tmp_path).forget("web")
    assert store.read_record("web") is None
    gc.collect()
    assert reference() is None


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    """But not what is a pod's that somebody is changing."""
    store = kept(tmp_path)
    (tmp_path / ".gone.0123abcd").mkdir()
    left = [tmp_path / name for name in (".events.jsonl.0123abcd", "pods/web/.status.json.0123abcd")]
    for path in left:
        path.touch()
    with Store(tmp_path).lock("web", 0):
        store.sweep_all()
    assert list(tmp_path.rglob(".*")) == left[1:]
    store.sweep_all()
    assert not list(tmp_path.rglob(".*"))
    assert store.read_record("web") == Record(Applied(POD))


@pytest.mark.parametrize(
    ("points", "folders", "places", "links"),
    [
        ([], [], [], {"a": "..data/a", "conf": "..data/conf"}),
        (["b"], [], ["b"], {"a": "..data/a", "conf": "..data/conf"}),
        (["b/c", "b/d/e"], ["b", "b/d"], ["b/c", "b/d/e"], {"a": "..data/a", "conf": "..data/conf"}),
        (
            ["conf/z"],
            ["conf"],
            ["conf/z"],
            {"a": "..data/a", "conf/x": "../..data/conf/x", "conf/d": "../..data/conf/d"},
        ),
        (
            ["conf/d/z"],
            ["conf", "conf/d"],
            ["conf/d/z"],
            {"a": "..data/a", "conf/x": "../..data/conf/x", "conf/d/y": "../../..data/conf/d/y"},
        ),
        # It covers files: whoever does not mount it sees them.
        (["conf"], ["conf"], [], {"a": "..data/a", "conf/x": "../..data/conf/x", "conf/d": "../..data/conf/d"}),
        # On a file, and below one.
        (["a", "conf/x/z"], [], [], {"a": "..data/a", "conf": "..data/conf"}),
    ],
)
def test_where_files_and_mount_points_show(
    points: list[str], folders: list[str], places: list[str], links: dict[str, str]
) -> None:
    shown = layout(["a", "conf/x", "conf/d/y"], points)
    assert (sorted(shown.folders), sorted(shown.places), dict(shown.links)) == (folders, places, links)


def content_of(directory: Path) -> dict[str, str]:
    """What one sees in a volume: files with their content, and empty folders."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if not name.startswith(".."):
            found[name] = path.read_text() if path.is_file() else "/"
    for name in list(found):
        # A link to a folder is not gone into.
        if (directory / name).is_symlink() and (directory / name).is_dir():
            found.update({f"{name}/{inner.name}": inner.read_text() for inner in (directory / name).iterdir()})
    return found


def test_mount_points_outlast_what_is_written(tmp_path: Path) -> None:
    """And go when nothing is mounted there any more; what vouches for the files does so with them."""
    store = kept(tmp_path)
    directory = store.files_dir("web", "site")

    def write(files: dict[str, str], *points: str) -> None:
        made = {path: File(text.encode(), 0o644) for path, text in files.items()}
        store.write_files("web", "site", made, f"digest {files} {points}".replace(" ", ""), None, points)

    def is_whole() -> bool:
        return bool(store.files_digests("web")["site"])

    write({"a": "1", "conf/x": "1"}, "conf/z", "file", "a")
    for path, is_folder in (("conf/z", True), ("file", False), ("a", False)):
        store.make_mount_point("web", "site", path, is_folder)
    assert is_whole()
    assert content_of(directory) == {"a": "1", "conf": "/", "conf/x": "1", "conf/z": "/", "file": ""}
    inodes = [(directory / path).stat().st_ino for path in ("conf/z", "file")]
    write({"a": "2", "conf/y": "2"}, "conf/z", "file", "a")
    assert is_whole()
    assert content_of(directory) == {"a": "2", "conf": "/", "conf/y": "2", "conf/z": "/", "file": ""}
    assert [(directory / path).stat().st_ino for path in ("conf/z", "file")] == inodes
    # Another kind of mount.
    store.make_mount_point("web", "site", "file", True)
    assert (directory / "file").is_dir()
    assert is_whole()
    (directory / "stray").touch()
    store.make_mount_point("web", "site", "file", False)
    assert not is_whole()
    write({"a": "3", "conf/x": "3"})
    assert content_of(directory) == {"a": "3", "conf": "/", "conf/x": "3"}
    assert (directory / "conf").is_symlink()
