# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of pods that are folders of the state directory: emptyDir, and those whose files we write."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ..._reconcile.rendering.materials import File, Layout, layout
from .. import state_files
from ..kernel import held_paths
from ..pod_files import give_to_group, remove_tree
from .folders import StateFolders, names_in
from .marks import read_mark, write_mark


class VolumeFiles(StateFolders):
    """Volumes below ``empty`` and ``files`` of a pod's folder; ``digests`` vouch for the files that we write."""

    def empty_dir(self, pod: str, volume: str) -> Path:
        return self._pod(pod) / "empty" / volume

    def files_dir(self, pod: str, volume: str) -> Path:
        return self._pod(pod) / "files" / volume

    def empty_dirs(self, pod: str) -> frozenset[str]:
        return frozenset(names_in(self._pod(pod) / "empty"))

    def files_digests(self, pod: str) -> dict[str, str]:
        """Digest of the files last written, by volume; empty if they may be incomplete or changed."""
        digests, files = self._pod(pod) / "digests", self._pod(pod) / "files"
        found = {}
        for name in sorted({*names_in(digests), *names_in(files)}):
            digest, _blank, state = read_mark(digests / name).partition(" ")
            # A record of an earlier release has no state.
            found[name] = digest if state in ("", _tree_state(files / name)) else ""
        return found

    def make_empty_dir(self, pod: str, volume: str, group: int | None) -> None:
        """World-writable, as Kubernetes makes it; nobody but the pod reaches it. ``group``: the pod's fsGroup."""
        path = self.empty_dir(pod, volume)
        made = path.with_name(f".{volume}")
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.chmod(0o777)
        if group is not None:
            give_to_group(made, group, 0o2777)
        made.replace(path)

    def write_files(
        self,
        pod: str,
        volume: str,
        files: Mapping[str, File],
        files_digest: str,
        group: int | None,
        points: Sequence[str] = (),
    ) -> None:
        """Put a volume's files in place so that a reader sees all the old ones or all the new ones.

        The visible names are links through ``..data``, one link that is swapped, as the kubelet does it. What stands at
        ``points`` of other mounts (`make_mount_point`) stays.
        """
        directory, digest = self.files_dir(pod, volume), self._pod(pod) / "digests" / volume
        # The digest goes first and comes back last, so that it never vouches for half of the files.
        remove_tree(digest)
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        directory.chmod(0o755)
        revision = directory / f"..{time.time_ns()}"
        revision.mkdir(mode=0o755)
        for path, item in files.items():
            _write_volume_file(revision, path, item, group)
        revision.chmod(0o755)
        state_files.sync_tree(revision)
        _link_atomically(directory / "..data", revision.name)
        shown = layout(files, points)
        _show_files(directory, shown)
        _drop_others(directory, {*shown.folders, *shown.places, *shown.links, "..data", revision.name}, shown.folders)
        state_files.sync_directory(directory)
        write_mark(digest, f"{files_digest} {_tree_state(directory)}")

    def make_mount_point(self, pod: str, volume: str, path: str, is_folder: bool) -> None:
        """Make an empty folder or file as mount point in a volume that we write, unless it exists. One of the volume's
        own files serves as it is.
        """
        directory, digest = self.files_dir(pod, volume), self._pod(pod) / "digests" / volume
        place = directory / path
        if place.is_symlink() or (place.is_dir() if is_folder else place.is_file()):
            return
        words = read_mark(digest).split(" ")
        is_whole = words[1:] == [_tree_state(directory)]
        remove_tree(place)
        if is_folder:
            held_paths.make_folders(place, 0o755)
        else:
            held_paths.make_file(place, 0o644)
        if is_whole:
            write_mark(digest, f"{words[0]} {_tree_state(directory)}")

    def drop_empty_dir(self, pod: str, volume: str) -> None:
        remove_tree(self.empty_dir(pod, volume))

    def drop_files(self, pod: str, volume: str) -> None:
        """Remove a volume's files, and first their digest, so that it never vouches for half of them."""
        remove_tree(self._pod(pod) / "digests" / volume)
        remove_tree(self.files_dir(pod, volume))


def _tree_state(directory: Path) -> str:
    """A digest that changes once a file below ``directory`` was written, added, removed, or given other permissions."""
    found = []
    for path, names, files in os.walk(directory):
        inner = path[len(str(directory)) + 1 :]
        # A run is replacing the files, and their state changes.
        with contextlib.suppress(FileNotFoundError):
            for name in (*names, *files):
                entry = f"{path}/{name}"
                seen = os.lstat(entry)
                where = os.readlink(entry) if stat.S_ISLNK(seen.st_mode) else ""
                # The size and time of a directory or link say nothing that its entries and its target do not.
                written = (seen.st_size, seen.st_mtime_ns) if stat.S_ISREG(seen.st_mode) else ()
                found.append((f"{inner}/{name}" if inner else name, seen.st_mode, where, *written))
    return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()[:16]


def _link_atomically(path: Path, target: str) -> None:
    temporary = path.with_name(f"..link.{secrets.token_hex(4)}")
    temporary.symlink_to(target)
    temporary.replace(path)


def _show_files(directory: Path, shown: Layout) -> None:
    for name in sorted(shown.folders):
        if (directory / name).is_symlink() or not (directory / name).is_dir():
            remove_tree(directory / name)
        held_paths.make_folders(directory / name, 0o755)
    for name, target in shown.links.items():
        path = directory / name
        if not path.is_symlink() or os.readlink(path) != target:
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            _link_atomically(path, target)


def _drop_others(directory: Path, known: Collection[str], folders: Collection[str], above: str = "") -> None:
    """Remove all of a volume's files but ``known``; ``folders`` may hold others below them."""
    for entry in list(directory.iterdir()):
        name = f"{above}{entry.name}"
        if name not in known:
            remove_tree(entry)
        elif name in folders:
            _drop_others(entry, known, folders, f"{name}/")


def _write_volume_file(root: Path, path: str, item: File, group: int | None) -> None:
    target = root / path
    for parent in reversed(list(target.relative_to(root).parents)[:-1]):
        (root / parent).mkdir(mode=0o755, exist_ok=True)
        (root / parent).chmod(0o755)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(item.content)
        os.fchmod(file.fileno(), item.mode)
    if group is not None:
        give_to_group(target, group, item.mode | stat.S_IRGRP)
