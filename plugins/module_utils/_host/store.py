# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept on the host: the door to the parts in `state`, with the host's key, leaving and sweeping.

Everything stands below one directory that only its owner can enter (0700), since records and files hold secret
values. `state_files` reads and writes it, so that a power cut or a damaged file costs as little as possible. Damage is
reported for the one Pod or stack that it belongs to.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from .._errors import Busy, DamagedState, HostError
from .._reconcile.operations import owner_of_secrets
from . import state_files
from .kernel.sub_path_mounts import SubPathMounts, runtime_directory
from .pod_files import remove_tree
from .state.container_files import START_FILES, ContainerFiles
from .state.generated import GeneratedSecrets
from .state.locks import PodLocks
from .state.volume_files import VolumeFiles
from .state_directory import default_directory

RESERVE = "reserve"
RESERVE_BYTES = 64 << 10
Print = tuple[str, int, int, int]
"""A file's path, inode, time of the last change in nanoseconds, and size."""
Prints = tuple[Print, ...]
_KEY_BYTES = 32


class Store(PodLocks, GeneratedSecrets, VolumeFiles, ContainerFiles):
    """The state directory: each part keeps one kind of things in it, and none writes those of another."""

    def __init__(self, directory: Path | None = None) -> None:
        super().__init__(directory or default_directory())
        self.sub_path_mounts = SubPathMounts(runtime_directory(self.directory))

    def key(self) -> bytes:
        """The host's key for digests; empty until `ensure` made one. Raises DamagedState where both copies are."""
        damage: DamagedState | None = None
        for path in self._key_files():
            try:
                found = _read_key(path)
            except DamagedState as error:
                damage = damage or error
                continue
            if found:
                return found
        if damage:
            raise damage
        return b""

    def ensure(self) -> None:
        """Make the directory and the key. A missing or damaged copy of the key is restored from the other one."""
        state_files.make_directory(self.directory)
        self.directory.chmod(0o700)
        for name in ("pods", "secrets", "locks"):
            state_files.make_directory(self.directory / name)
        if not self.key():
            self._make_key()
        key = self.key()
        for path in self._key_files():
            if not _is_key(path, key):
                # It can wait while the disk is full.
                with contextlib.suppress(OSError):
                    state_files.write_object(path, {"key": key.hex()})
        self._make_reserve()

    def _has_key(self) -> bool:
        try:
            return bool(self.key())
        except DamagedState:
            return False

    def _key_files(self) -> tuple[Path, Path]:
        return self.directory / "key", self.directory / "key.copy"

    def _make_reserve(self) -> None:
        """Reserve room for the record that a pod is stopped, which a full disk must not prevent."""
        path = self.directory / RESERVE
        if os.path.lexists(path):
            return
        # Only the reserve is missing then.
        with contextlib.suppress(OSError), open(path, "xb") as file:
            os.fchmod(file.fileno(), 0o600)
            try:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
            except OSError:
                path.unlink()
                raise

    def give_up_reserve(self) -> None:
        """Free the reserve; the next run that finds enough room makes it again."""
        with contextlib.suppress(OSError):
            (self.directory / RESERVE).unlink()

    def _make_key(self) -> None:
        """If two first runs race, both take the key of the first one."""
        made = self.directory / f".key.{secrets.token_hex(4)}"
        state_files.write_object(made, {"key": secrets.token_bytes(_KEY_BYTES).hex()})
        # The agent takes it for what a killed run left where another run was first.
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(made, self.directory / "key")
        made.unlink(missing_ok=True)
        state_files.sync_directory(self.directory)

    def prints(self, pods: Sequence[str]) -> Prints:
        """Values that differ as soon as any file was written that a run on these pods reads."""
        directories = [self.directory / name for name in ("secrets", "stacks")]
        directories += (self.directory / "stacks").glob("*")
        directories += [self._pod(pod) / name for pod in pods for name in ("", "digests", "empty")]
        directories += [Path(path) for pod in pods for path, *_names in os.walk(self._pod(pod) / "files")]
        return tuple(item for directory in directories for item in _prints_in(directory))

    def forget(self, pod: str) -> None:
        """Remove everything kept for the pod, except its generated secrets."""
        self.sub_path_mounts.release(pod)
        with contextlib.suppress(FileNotFoundError):
            # Renamed in one step first: the agent may be writing the pod's status.
            gone = self.directory / f".{pod}.{secrets.token_hex(4)}"
            self._pod(pod).rename(gone)
            # If a power cut brings it back, the next run that removes the pod removes it again.
            with contextlib.suppress(OSError):
                state_files.sync_directory(self.directory / "pods")
            try:
                remove_tree(gone)
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
                # A write that began before the renaming ended after it.
                remove_tree(gone)

    def sweep(self, pod: str, containers: Collection[str]) -> None:
        """Remove what a killed run left behind, as the pod's only writer; ``containers`` are those that stay known."""
        folder = self._pod(pod) / "containers"
        for name in _names(folder):
            if name not in containers:
                remove_tree(folder / name)
        self.sub_path_mounts.release_others(pod, containers)
        for path in self._temporaries(pod):
            # The pod's keeper writes its status at any time.
            if not path.name.startswith(".status.json"):
                remove_tree(path)

    def sweep_all(self) -> None:
        """Remove what killed processes left half done, of all pods that nobody is changing now. For the agent alone."""
        for path in self.directory.glob(".events.jsonl.*"):
            with contextlib.suppress(OSError):
                remove_tree(path)
        # Nobody needs what a first run was about to call the key, once there is one.
        for path in self.directory.glob(".key.*") if self._has_key() else ():
            with contextlib.suppress(OSError):
                remove_tree(path)
        gone = {path: path.name[1:].rpartition(".")[0] for path in self.directory.glob(".*.*") if path.is_dir()}
        for pod in {*self.recorded_pods(), *gone.values(), *self.sub_path_mounts.pods()}:
            with contextlib.suppress(Busy, HostError, OSError), self.lock(pod, 0):
                for path in [*self._temporaries(pod), *(path for path, name in gone.items() if name == pod)]:
                    remove_tree(path)
                if not self.knows(pod):
                    self.sub_path_mounts.release(pod)
        for folder in [*(self.directory / "stacks").glob("[!.]*")]:
            owner = owner_of_secrets(folder.name)
            with contextlib.suppress(Busy, HostError, OSError), self.lock(owner, 0):
                for path in [*folder.rglob(".*"), *self._temporary_secrets(owner)]:
                    remove_tree(path)
        for path in (self.directory / "locks").iterdir():
            if not path.name.startswith("."):
                # Those of objects that are gone go as they are released.
                with contextlib.suppress(HostError), self.lock_if_free(path.name):
                    continue
            elif not self._is_mark_held(path.name):
                remove_tree(path)

    def _temporaries(self, pod: str) -> Iterator[Path]:
        """Files and directories that were to be given their names once they were whole."""
        yield from self._temporary_secrets(pod)
        folder = self._pod(pod)
        containers = folder / "containers"
        own = [containers / name for name in _names(containers)]
        for place in (folder, folder / "digests", folder / "empty", *own, *(each / START_FILES for each in own)):
            yield from _hidden(place)

    def _temporary_secrets(self, owner: str) -> Iterator[Path]:
        return (path for path in _hidden(self.directory / "secrets") if path.name.startswith(f".{owner}.json."))


def _names(folder: Path) -> list[str]:
    """What is in a folder; nothing where it is none. For folders that are looked at in every run: glob is slow."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _hidden(folder: Path) -> list[Path]:
    return [folder / name for name in _names(folder) if name.startswith(".")]


def _read_key(path: Path) -> bytes:
    """Empty where there is none. Raises DamagedState."""
    remedy = "restore it from a backup, or remove key and key.copy: the next run then replaces every container"
    content = state_files.read(path, remedy)
    if content is None:
        return b""
    if len(content) == _KEY_BYTES:
        # That of an earlier release.
        return content
    key = state_files.parse_object(path, content, remedy).get("key")
    try:
        found = bytes.fromhex(key or "")
    except (TypeError, ValueError):
        found = b""
    if len(found) != _KEY_BYTES:
        raise DamagedState(path, "it holds no key", remedy)
    return found


def _is_key(path: Path, key: bytes) -> bool:
    try:
        return _read_key(path) == key
    except DamagedState:
        return False


def _prints_in(directory: Path) -> list[Print]:
    try:
        with os.scandir(directory) as entries:
            found = ((entry.path, entry.stat(follow_symlinks=False)) for entry in entries)
            return sorted((path, seen.st_ino, seen.st_mtime_ns, seen.st_size) for path, seen in found)
    except OSError:
        return []
