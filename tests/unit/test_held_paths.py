# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths that others can change at any time: held, made, mounted and removed without going where they point."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError
from ansible_collections.podwright.pods.plugins.module_utils._host.kernel import held_paths
from ansible_collections.podwright.pods.plugins.module_utils._host.kernel.held_paths import (
    bind,
    by_descriptor,
    held,
    make_file,
    make_folders,
    mount_id,
    mounts_below,
    remove_tree,
    unmount_below,
)


def can_mount() -> bool:
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="only root can mount")


@pytest.fixture(params=[0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


# --- held ------------------------------------------------------------------------------------------------------------


def test_what_is_held_stays_what_it_was(tmp_path: Path) -> None:
    (tmp_path / "volume" / "part").mkdir(parents=True)
    (tmp_path / "volume" / "part" / "mine").touch()
    (tmp_path / "host").mkdir()
    with held(tmp_path / "volume", "part") as descriptor:
        (tmp_path / "volume" / "part").rename(tmp_path / "volume" / "away")
        (tmp_path / "volume" / "part").symlink_to(tmp_path / "host")
        assert os.listdir(by_descriptor(descriptor)) == ["mine"]


@pytest.mark.parametrize("sub_path", ["link", "link/inner", "folder/up", "folder/up/x", "dangling", "folder/../folder"])
def test_no_way_out_of_the_volume(tmp_path: Path, sub_path: str) -> None:
    volume = tmp_path / "volume"
    (volume / "folder").mkdir(parents=True)
    (volume / "link").symlink_to("/etc")
    (volume / "dangling").symlink_to("nowhere")
    (volume / "folder" / "up").symlink_to("../..")
    with pytest.raises(HostError, match="leave the volume"), held(volume, sub_path):
        pass
    assert sorted(os.listdir(volume)) == ["dangling", "folder", "link"]


def test_nothing_is_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="is a file"), held(tmp_path, "file/part"):
        pass
    with held(tmp_path, "file") as descriptor:
        assert stat.S_ISREG(os.fstat(descriptor).st_mode)


@pytest.mark.parametrize("volume_mode", [0o755, 0o777, 0o2775])
def test_what_is_missing_is_made_with_the_permissions_of_the_volume(
    tmp_path: Path, umask: int, volume_mode: int
) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(volume_mode)
    (volume / "there").mkdir(0o700)
    (volume / "there").chmod(0o700)
    with held(volume, "there/./a//b"):
        assert mode(volume / "there") == 0o700
        assert mode(volume / "there" / "a") == mode(volume / "there" / "a" / "b") == volume_mode
    with pytest.raises(FileNotFoundError), held(volume, "none", is_made=False):
        pass


def test_modes_of_what_is_made(tmp_path: Path, umask: int) -> None:
    (tmp_path / "there").mkdir(0o700)
    make_folders(tmp_path / "there" / "a" / "b", 0o755)
    assert [mode(tmp_path / path) for path in ("there", "there/a", "there/a/b")] == [0o700, 0o755, 0o755]
    make_file(tmp_path / "file", 0o644)
    assert mode(tmp_path / "file") == 0o644
    (tmp_path / "file").write_text("kept")
    make_file(tmp_path / "file", 0o600)
    assert mode(tmp_path / "file") == 0o644
    assert (tmp_path / "file").read_text() == "kept"


# --- removal ---------------------------------------------------------------------------------------------------------


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder" / "file").touch()
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "to-folder").symlink_to(outside)
    (tree / "a" / "b" / "to-file").symlink_to(outside / "folder" / "file")
    os.link(outside / "folder" / "file", tree / "hard")
    os.mkfifo(tree / "a" / "fifo")
    remove_tree(tree)
    assert not tree.exists()
    assert (outside / "folder" / "file").exists()
    (tmp_path / "link").symlink_to(outside)
    remove_tree(tmp_path / "link")
    remove_tree(tmp_path / "link")
    assert sorted(os.listdir(tmp_path)) == ["outside"]
    assert (outside / "folder" / "file").exists()


def test_a_tree_as_deep_as_a_container_likes(tmp_path: Path) -> None:
    """Neither the depth of calls nor the number of open files bounds what can be removed."""
    tree = tmp_path / "tree"
    tree.mkdir()
    here = os.open(tree, os.O_RDONLY)
    for number in range(3000):
        name = f"{number}" + "x" * 200
        os.mkdir(name, dir_fd=here)
        os.close(os.open("file", os.O_CREAT, dir_fd=here))
        inner = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    before = len(os.listdir("/proc/self/fd"))
    remove_tree(tree)
    assert not tree.exists()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_wide_tree(tmp_path: Path) -> None:
    for number in range(1200):
        (tmp_path / "tree" / str(number)).mkdir(parents=True)
        (tmp_path / "tree" / f"f{number}").touch()
    remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


# --- mounts ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A folder whose mounts are shared, as all of a host with systemd are."""
    place = tmp_path / "a b\\c"
    place.mkdir()
    run("mount", "-t", "tmpfs", "none", place)
    run("mount", "--make-shared", place)
    yield place
    run("umount", "--recursive", place)


@needs_mounts
def test_a_mount_by_descriptor_is_of_what_was_held(shared: Path) -> None:
    (shared / "volume" / "part").mkdir(parents=True)
    (shared / "volume" / "part" / "mine").touch()
    (shared / "volume" / "file").write_text("word")
    (shared / "target").mkdir()
    (shared / "target-file").touch()
    with held(shared / "volume", "part") as descriptor:
        (shared / "volume" / "part").rename(shared / "volume" / "away")
        (shared / "volume" / "part").symlink_to("/etc")
        bind(descriptor, shared / "target")
    with held(shared / "volume", "file") as descriptor:
        (shared / "volume" / "file").unlink()
        (shared / "volume" / "file").symlink_to("/etc/passwd")
        with pytest.raises(OSError, match="No such file"):
            # One that has no name any more cannot be mounted, and nothing else is in its stead.
            bind(descriptor, shared / "target-file")
    assert os.listdir(shared / "target") == ["mine"]
    assert mounts_below(shared / "target") == [str(shared / "target")]
    unmount_below(shared / "target")
    assert mounts_below(shared / "target") == []
    assert os.listdir(shared / "volume" / "away") == ["mine"]


@needs_mounts
def test_what_is_mounted_in_a_tree_is_unmounted_and_stays(shared: Path) -> None:
    """A folder of the host, with a mount of its own below, mounted in a tree that goes: both stay as they are."""
    host = shared / "host"
    (host / "inner").mkdir(parents=True)
    (host / "file").touch()
    run("mount", "-t", "tmpfs", "none", host / "inner")
    (host / "inner" / "file").touch()
    (shared / "tree" / "deep" / "view").mkdir(parents=True)
    (shared / "tree" / "view-of-file").touch()
    (shared / "tree" / "twice").mkdir()
    run("mount", "--rbind", host, shared / "tree" / "deep" / "view")
    run("mount", "--bind", host / "file", shared / "tree" / "view-of-file")
    for _time in range(2):
        run("mount", "--bind", host, shared / "tree" / "twice")
    (shared / "view").touch()
    run("mount", "--bind", host / "file", shared / "view")
    for name in ("tree", "view"):
        remove_tree(shared / name)
        assert not (shared / name).exists()
    assert (host / "file").exists()
    assert (host / "inner" / "file").exists()
    assert mounts_below(host) == [str(host / "inner")]


@needs_mounts
def test_a_mount_that_comes_meanwhile_is_not_gone_into(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is of the same device, which its number does not tell."""
    (shared / "host").mkdir()
    (shared / "host" / "file").touch()
    (shared / "tree" / "view").mkdir(parents=True)
    assert (shared / "host").stat().st_dev == (shared / "tree").stat().st_dev
    unmount = held_paths.unmount_below

    def unmount_and_mount(path: Path) -> None:
        unmount(path)
        run("mount", "--bind", shared / "host", shared / "tree" / "view")

    monkeypatch.setattr(held_paths, "unmount_below", unmount_and_mount)
    with pytest.raises(HostError, match=r"/tree/view is a mount, so .*/tree stays: unmount it"):
        remove_tree(shared / "tree")
    assert (shared / "host" / "file").exists()
    monkeypatch.undo()
    remove_tree(shared / "tree")
    assert (shared / "host" / "file").exists()


@needs_mounts
def test_two_mounts_of_one_device_are_told_apart(shared: Path) -> None:
    (shared / "folder").mkdir()
    run("mount", "--bind", shared / "folder", shared / "folder")
    with held(shared, "") as outer, held(shared, "folder") as inner:
        assert os.fstat(outer).st_dev == os.fstat(inner).st_dev
        assert mount_id(outer) != mount_id(inner)
