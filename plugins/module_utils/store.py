# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept on the host: records of what was applied, files for volumes, generated secrets, locks.

Everything stands below one directory that only its owner can enter (0700), since records and files hold secret
values. Each write is atomic: it is there whole or not at all, also when the writer is killed.
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
import string
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Callable

from . import held_paths, start_program
from . import spec as s
from .container_output import read_end
from .errors import Busy, HostError, NewerState
from .fields import RestartOnChange, Settings
from .limits import requested
from .materials import File, Layout, layout
from .parse import parse_options
from .podman_namespaces import run_in_podmans_namespaces
from .state_directory import default_directory
from .sub_path_mounts import SubPathMounts, runtime_directory

RECORD_VERSION = 2
"""Of the first version ``begun_at`` is not known."""
TERMINATION_MESSAGE_BYTES = 4096
RESERVE = "reserve"
RESERVE_BYTES = 64 << 10
Print = tuple[str, int, int, int]
"""Of a file: its path, inode, time of the last change in nanoseconds, and size."""
Prints = tuple[Print, ...]
_LETTERS = string.ascii_letters + string.digits
_LOCK_POLL_SECONDS = 0.1
_START_FILES = "environment"
_START_SCRIPT = "start"
"""What a container was begun with that the first of our releases made: it goes on until the container changes."""


@dataclass(frozen=True)
class Applied:
    """A declaration that was applied, with the image each container was made from."""

    pod: s.PodSpec
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """The last declaration applied to a pod.

    ``is_verified``: it became ready. Until then ``previous`` is the last one that did, to go back to.
    ``is_stopped``: the pod was stopped on purpose since. ``begun_at``: when it was to run for the first time, or again
    after it was stopped or had failed for good, in whole seconds since the epoch.
    """

    applied: Applied
    is_verified: bool = False
    previous: Applied | None = None
    is_stopped: bool = False
    settings: Settings = field(default_factory=Settings)
    begun_at: float = 0

    @property
    def last_verified(self) -> Applied | None:
        return self.applied if self.is_verified else self.previous


class Store:
    """The state directory. Reading makes nothing, so that a check mode run leaves no trace."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or default_directory()
        self.sub_path_mounts = SubPathMounts(runtime_directory(self.directory))
        self._records: dict[str, tuple[bytes, Record]] = {}

    # --- the host's key, locks -------------------------------------------------------------------------------------

    def key(self) -> bytes:
        """The host's key for digests; empty until `ensure` made one."""
        return read_bytes(self.directory / "key") or b""

    def ensure(self) -> None:
        """Make the directory and the key."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        for name in ("pods", "secrets", "locks"):
            (self.directory / name).mkdir(mode=0o700, exist_ok=True)
        if not self.key():
            self._make_key()
        self._make_reserve()

    def _make_reserve(self) -> None:
        """Set room aside for the word that a pod is stopped, which must not be lost on a full disk."""
        path = self.directory / RESERVE
        if path.exists():
            return
        # Without it nothing is worse than on any other disk.
        with contextlib.suppress(OSError), open(path, "xb") as file:
            os.fchmod(file.fileno(), 0o600)
            try:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
            except OSError:
                path.unlink()
                raise

    def give_up_reserve(self) -> None:
        """Give the room back to the disk; the next run that finds enough of it sets some aside again."""
        with contextlib.suppress(OSError):
            (self.directory / RESERVE).unlink()

    def _make_key(self) -> None:
        """Of two first runs at the same time both take the key of the one that was first."""
        made = self.directory / f".key.{secrets.token_hex(4)}"
        write_atomically(made, secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            os.link(made, self.directory / "key")
        made.unlink()

    @contextlib.contextmanager
    def lock(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None] = lambda: None
    ) -> Iterator[bool]:
        """Be the pod's only writer; tells whether another process has been since this one was last.

        The lock goes with its holder. Who waits for it leaves a mark, which goes with it as well, and calls
        ``while_waiting`` now and then. Raises Busy when another keeps it too long.
        """
        deadline, is_waiting = time.monotonic() + timeout_seconds, False
        with contextlib.ExitStack() as marks:
            while True:
                with self.lock_if_free(pod) as was_elsewhere:
                    if was_elsewhere is not None:
                        marks.close()
                        yield was_elsewhere
                        return
                if time.monotonic() > deadline:
                    raise busy(pod, _holder(self.directory / "locks" / pod), timeout_seconds)
                if not is_waiting:
                    marks.enter_context(self._wanting(pod))
                    is_waiting = True
                while_waiting()
                time.sleep(_LOCK_POLL_SECONDS)

    @contextlib.contextmanager
    def lock_if_free(self, pod: str) -> Iterator[bool | None]:
        """Be the pod's only writer, as by `lock`, where there is no other now; None where there is."""
        with open(self.directory / "locks" / pod, "r+", opener=made) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            before = lock.read()
            tell_holder(lock)
            yield before not in ("", str(os.getpid()))

    def is_lock_wanted(self, pod: str) -> bool:
        """Whether somebody waits for the lock of a pod."""
        marks = (name for name in os.listdir(self.directory / "locks") if name.startswith(f".{pod}."))
        return any(map(self._is_mark_held, (name for name in marks if name.rpartition(".")[0] == f".{pod}")))

    def _is_mark_held(self, name: str) -> bool:
        """Whether who made the mark is there still."""
        with contextlib.suppress(OSError), open(self.directory / "locks" / name, "rb") as mark:
            try:
                fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextlib.contextmanager
    def _wanting(self, pod: str) -> Iterator[None]:
        """Have it seen meanwhile that the lock of a pod is waited for; on a full disk it is waited for unseen."""
        path = self.directory / "locks" / f".{pod}.{secrets.token_hex(4)}"
        with contextlib.ExitStack() as held:
            held.callback(path.unlink, missing_ok=True)
            with contextlib.suppress(OSError):
                fcntl.flock(held.enter_context(open(path, "xb")), fcntl.LOCK_EX)
            yield

    # --- records ---------------------------------------------------------------------------------------------------

    def read_record(self, pod: str) -> Record | None:
        """The pod's record; HostError when it was written by a newer release or by other hands."""
        path = self._pod(pod) / "record.json"
        content = read_bytes(path)
        if content is None:
            self._records.pop(pod, None)
            return None
        known = self._records.get(pod)
        if known is None or known[0] != content:
            # A run asks several times, and parsing takes far longer than reading.
            known = self._records[pod] = (content, _parse_record(path, content))
        return known[1]

    def write_record(self, pod: str, record: Record) -> None:
        cpu_millicores, memory_bytes = requested(record.applied.pod)
        data = {
            "version": RECORD_VERSION,
            "applied": _write_applied(record.applied),
            "is_verified": record.is_verified,
            "is_stopped": record.is_stopped,
            "previous": _write_applied(record.previous) if record.previous else None,
            "settings": _write_settings(record.settings),
            "begun_at": record.begun_at,
            "requests": {"cpu_millicores": cpu_millicores, "memory_bytes": memory_bytes},
        }
        self._pod(pod).mkdir(mode=0o700, exist_ok=True)
        write_atomically(self._pod(pod) / "record.json", json.dumps(data, indent=1, sort_keys=True).encode())

    def read_status(self, pod: str) -> dict[str, Any] | None:
        """The status document last written, with its transition times; None where there is none that can be read."""
        try:
            status = json.loads(read_bytes(self._pod(pod) / "status.json") or b"null")
        except ValueError:
            return None
        return status if isinstance(status, dict) else None

    def write_status(self, pod: str, status: Mapping[str, Any]) -> None:
        if self._pod(pod).is_dir() and self.read_status(pod) != status:
            with contextlib.suppress(FileNotFoundError):
                write_atomically(self._pod(pod) / "status.json", json.dumps(status, sort_keys=True).encode())

    def recorded_pods(self) -> tuple[str, ...]:
        pods = self.directory / "pods"
        return tuple(sorted(path.name for path in pods.iterdir())) if pods.is_dir() else ()

    def recorded_requests(self, pod: str) -> tuple[int, int]:
        """What a recorded pod asked for: CPU in millicores, memory in bytes."""
        content = read_bytes(self._pod(pod) / "record.json")
        try:
            requests = json.loads(content or b"{}").get("requests", {})
        except ValueError:
            requests = {}
        return int(requests.get("cpu_millicores", 0)), int(requests.get("memory_bytes", 0))

    def prints(self, pods: Sequence[str]) -> Prints:
        """What differs as soon as anything was written that a run on these pods goes by."""
        directories = [self.directory / name for name in ("secrets", "stacks")]
        directories += (self.directory / "stacks").glob("*")
        directories += [self._pod(pod) / name for pod in pods for name in ("", "digests", "empty")]
        directories += [Path(path) for pod in pods for path, *_names in os.walk(self._pod(pod) / "files")]
        return tuple(item for directory in directories for item in _prints_in(directory))

    def knows(self, pod: str) -> bool:
        return self._pod(pod).exists()

    def forget(self, pod: str) -> None:
        """Remove everything kept for the pod, except its generated secrets."""
        self.sub_path_mounts.release(pod)
        with contextlib.suppress(FileNotFoundError):
            # In one step first: the agent may be about to write how the pod is.
            gone = self.directory / f".{pod}.{secrets.token_hex(4)}"
            self._pod(pod).rename(gone)
            try:
                remove_tree(gone)
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
                # A write that had begun before the renaming came through afterwards.
                remove_tree(gone)

    # --- generated secrets -----------------------------------------------------------------------------------------

    def generate(
        self, owner: str, declared: Sequence[s.Secret], keep: bool = True, former_owners: Sequence[str] = ()
    ) -> dict[str, dict[str, str]]:
        """The generated values of these secrets, by secret and key. A missing one is made; once kept it never changes.

        ``owner`` is the pod, or `stack_owner` of the stack, whose secrets they are. What was generated for one of
        ``former_owners`` is taken over: a database keeps its password when its pod joins a stack.
        """
        path = self.directory / "secrets" / f"{owner}.json"
        values = self._generated(owner)
        is_complete = True
        for secret in declared:
            for key, length in secret.generate.items():
                if key not in values.setdefault(secret.name, {}):
                    former = (self._generated(name).get(secret.name, {}).get(key) for name in former_owners)
                    values[secret.name][key] = next(filter(None, former), None) or _generate(length)
                    is_complete = False
        if keep and not is_complete:
            write_atomically(path, json.dumps(values, indent=1, sort_keys=True).encode())
        return {item.name: {key: values[item.name][key] for key in item.generate} for item in declared}

    def _generated(self, owner: str) -> dict[str, dict[str, str]]:
        content = read_bytes(self.directory / "secrets" / f"{owner}.json")
        values: dict[str, dict[str, str]] = json.loads(content) if content else {}
        return values

    # --- volumes ---------------------------------------------------------------------------------------------------

    def empty_dir(self, pod: str, volume: str) -> Path:
        return self._pod(pod) / "empty" / volume

    def files_dir(self, pod: str, volume: str) -> Path:
        return self._pod(pod) / "files" / volume

    def empty_dirs(self, pod: str) -> frozenset[str]:
        return frozenset(_names(self._pod(pod) / "empty"))

    def files_digests(self, pod: str) -> dict[str, str]:
        """Digest of the files last written, by volume; empty where they are not known to be whole and as written."""
        digests, files = self._pod(pod) / "digests", self._pod(pod) / "files"
        found = {}
        for name in sorted({*_names(digests), *_names(files)}):
            digest, _blank, state = (read_bytes(digests / name) or b"").decode().partition(" ")
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
        # Gone first and written last, it never vouches for files that a killed run put in place halfway.
        digest.unlink(missing_ok=True)
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        directory.chmod(0o755)
        revision = directory / f"..{time.time_ns()}"
        revision.mkdir(mode=0o755)
        for path, item in files.items():
            _write_volume_file(revision, path, item, group)
        revision.chmod(0o755)
        _link_atomically(directory / "..data", revision.name)
        shown = layout(files, points)
        _show_files(directory, shown)
        _drop_others(directory, {*shown.folders, *shown.places, *shown.links, "..data", revision.name}, shown.folders)
        digest.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomically(digest, f"{files_digest} {_tree_state(directory)}".encode())

    def make_mount_point(self, pod: str, volume: str, path: str, is_folder: bool) -> None:
        """Make an empty folder or file for another mount in a volume that we write, unless there is what it takes.

        One of the volume's own files is mounted on as it is.
        """
        directory, digest = self.files_dir(pod, volume), self._pod(pod) / "digests" / volume
        place = directory / path
        if place.is_symlink() or (place.is_dir() if is_folder else place.is_file()):
            return
        words = (read_bytes(digest) or b"").decode().split(" ")
        is_whole = words[1:] == [_tree_state(directory)]
        remove_tree(place)
        if is_folder:
            held_paths.make_folders(place, 0o755)
        else:
            held_paths.make_file(place, 0o644)
        if is_whole:
            write_atomically(digest, f"{words[0]} {_tree_state(directory)}".encode())

    def drop_empty_dir(self, pod: str, volume: str) -> None:
        remove_tree(self.empty_dir(pod, volume))

    def drop_files(self, pod: str, volume: str) -> None:
        """Remove a volume's files, and first their digest, so that it never vouches for half of them."""
        remove_tree(self._pod(pod) / "digests" / volume)
        remove_tree(self.files_dir(pod, volume))

    # --- containers ------------------------------------------------------------------------------------------------

    def termination_message_file(self, pod: str, container: str) -> Path:
        """An empty file for a new container's termination message."""
        path = self._container(pod, container) / "termination-log"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The old file may still be mounted in a container that is going away: a new one, not an emptied one.
        path.unlink(missing_ok=True)
        path.touch()
        path.chmod(0o666)
        return path

    def termination_message(self, pod: str, container: str) -> str:
        """At most the last 4096 bytes that the container left."""
        content = read_end(self._container(pod, container) / "termination-log", TERMINATION_MESSAGE_BYTES) or b""
        # A container can make the file far longer than what it writes to it.
        return content.strip(b"\0").decode(errors="replace")

    def keep_log(self, pod: str, container: str, text: str) -> None:
        """Keep the last log lines of a container that is about to be removed."""
        directory = self._container(pod, container)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(directory / "previous.log", text.encode())

    def kept_log(self, pod: str, container: str) -> str:
        """What the run before the present one wrote last."""
        return (read_bytes(self._container(pod, container) / "previous.log") or b"").decode(errors="replace")

    def write_start_files(
        self, pod: str, container: str, program: bytes, data: bytes, reader: int | None = None
    ) -> Path:
        """The directory that hands secret variables to a container that is about to be made: a program and its data.

        ``reader`` is the only user of the container who may read them; with None every one within it may.
        """
        self.remove_start_files(pod, container)
        directory = self._container(pod, container) / _START_FILES
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o755)
        write_atomically(directory / start_program.PROGRAM, program, 0o555)
        write_atomically(directory / start_program.DATA, data, 0o444 if reader is None else 0o400)
        if reader:
            os.chown(directory / start_program.DATA, reader, -1)
        return directory

    def exec_prefix(self, pod: str, container: str) -> tuple[str, ...]:
        """The words before a command that is to have the container's secret variables as well."""
        directory = self._container(pod, container)
        if (directory / _START_FILES / start_program.DATA).exists():
            return (start_program.COMMAND,)
        if (directory / _START_SCRIPT / "start").exists():
            return (f"{start_program.DIRECTORY}/busybox", "sh", f"{start_program.DIRECTORY}/start")
        return ()

    def remove_start_files(self, pod: str, container: str) -> None:
        for name in (_START_FILES, _START_SCRIPT):
            remove_tree(self._container(pod, container) / name)

    def mark_post_start(self, pod: str, container: str, container_id: str) -> None:
        """Write down that postStart has run in the container of that id."""
        self._mark(pod, container, "post-started", container_id)

    def post_started(self, pod: str, container: str) -> str:
        """The id of the container in which postStart ran last."""
        return (read_bytes(self._container(pod, container) / "post-started") or b"").decode()

    def mark_stop(self, pod: str, container: str, container_id: str) -> None:
        """Write down that the container of that id is ended by us, and not by itself."""
        self._mark(pod, container, "stopped", container_id)

    def stopped(self, pod: str, container: str) -> str:
        """The id of the container that was ended by us last."""
        return (read_bytes(self._container(pod, container) / "stopped") or b"").decode()

    def _mark(self, pod: str, container: str, mark: str, container_id: str) -> None:
        directory = self._container(pod, container)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(directory / mark, container_id.encode())

    def sweep(self, pod: str, containers: Collection[str]) -> None:
        """Remove what a killed run left behind, as the pod's only writer; ``containers`` are those that stay known."""
        for path in (self._pod(pod) / "containers").glob("*"):
            if path.name not in containers:
                remove_tree(path)
        self.sub_path_mounts.release_others(pod, containers)
        for path in self._temporaries(pod):
            # The pod's keeper writes its status at any time.
            if not path.name.startswith(".status.json"):
                remove_tree(path)

    def sweep_all(self) -> None:
        """Remove what killed processes left half done, of all pods that nobody is changing now. For the agent alone."""
        for path in self.directory.glob(".events.jsonl.*"):
            path.unlink()
        gone = {path: path.name[1:].rpartition(".")[0] for path in self.directory.glob(".*.*") if path.is_dir()}
        for pod in {*self.recorded_pods(), *gone.values(), *self.sub_path_mounts.pods()}:
            with contextlib.suppress(Busy, OSError), self.lock(pod, 0):
                for path in [*self._temporaries(pod), *(path for path, name in gone.items() if name == pod)]:
                    remove_tree(path)
                if not self.knows(pod):
                    self.sub_path_mounts.release(pod)

    def _temporaries(self, pod: str) -> Iterator[Path]:
        """Files and directories that were to be given their names once they were whole."""
        yield from (self.directory / "secrets").glob(f".{pod}.json.*")
        for place in ("", "digests", "empty", "containers/*", f"containers/*/{_START_FILES}"):
            yield from self._pod(pod).glob(f"{place}/.*" if place else ".*")

    def forget_container(self, pod: str, container: str) -> None:
        remove_tree(self._container(pod, container))

    def _pod(self, pod: str) -> Path:
        return self.directory / "pods" / pod

    def _container(self, pod: str, container: str) -> Path:
        return self._pod(pod) / "containers" / container


def _generate(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _character in range(length))


def _holder(path: Path) -> str:
    return path.read_text().strip() or "unknown"


def busy(pod: str, holder: object, timeout_seconds: float) -> Busy:
    """What a run fails of that another one keeps off; ``holder`` is the process of that one."""
    return Busy(
        f"another run is changing pod {pod} (process {holder}) and did not finish within {timeout_seconds:.0f} s; "
        "wait for it, or raise wait_timeout"
    )


def _parse_record(path: Path, content: bytes) -> Record:
    try:
        data = json.loads(content)
        refuse_newer(path, data["version"], RECORD_VERSION)
        previous = _read_applied(data["previous"]) if data.get("previous") else None
        return Record(
            applied=_read_applied(data["applied"]),
            is_verified=bool(data["is_verified"]),
            previous=previous,
            is_stopped=bool(data.get("is_stopped")),
            settings=_read_settings(data.get("settings") or {}),
            begun_at=float(data.get("begun_at") or 0),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(
            f"{path} cannot be read ({error}); move it away to have the pod recorded anew at the next run"
        ) from error


def refuse_newer(path: Path, version: int, known: int) -> None:
    """Raise NewerState for a record of a later version than the one that is known."""
    if version > known:
        raise NewerState(
            f"{path} was written by a newer podwright.pods (record version {version}, this one reads "
            f"{known}); update the collection on the control node"
        )


def _read_applied(data: Mapping[str, Any]) -> Applied:
    return Applied(parse_options(data["pod"]), dict(data["images"]))


def _write_applied(applied: Applied) -> dict[str, Any]:
    return {"pod": s.to_options(applied.pod), "images": dict(applied.images)}


def _read_settings(data: Mapping[str, Any]) -> Settings:
    restarts = RestartOnChange(**(data.get("restart_on_change") or {}))
    return Settings(restarts, data.get("stack") or "", dict(data.get("allocatable") or {}))


def _write_settings(settings: Settings) -> dict[str, Any]:
    restarts = settings.restart_on_change
    return {
        "restart_on_change": {"environment": restarts.environment, "files": restarts.files},
        "stack": settings.stack,
        "allocatable": dict(settings.allocatable),
    }


def _prints_in(directory: Path) -> list[Print]:
    try:
        with os.scandir(directory) as entries:
            found = ((entry.path, entry.stat(follow_symlinks=False)) for entry in entries)
            return sorted((path, seen.st_ino, seen.st_mtime_ns, seen.st_size) for path, seen in found)
    except FileNotFoundError:
        return []


def _tree_state(directory: Path) -> str:
    """Another word once a file below ``directory`` was written, added, removed, or given other permissions."""
    found = []
    for path, names, files in os.walk(directory):
        inner = path[len(str(directory)) + 1 :]
        # What goes meanwhile is replaced by a run, whose state is another.
        with contextlib.suppress(FileNotFoundError):
            for name in (*names, *files):
                entry = f"{path}/{name}"
                seen = os.lstat(entry)
                where = os.readlink(entry) if stat.S_ISLNK(seen.st_mode) else ""
                # The size and time of a directory or link say nothing that its entries and its target do not.
                written = (seen.st_size, seen.st_mtime_ns) if stat.S_ISREG(seen.st_mode) else ()
                found.append((f"{inner}/{name}" if inner else name, seen.st_mode, where, *written))
    return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()[:16]


def _names(directory: Path) -> list[str]:
    try:
        return [name for name in os.listdir(directory) if not name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def read_bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def made(path: str, flags: int) -> int:
    """Open a file for reading and writing anywhere in it, and make it where it is missing."""
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)


def tell_holder(lock: IO[str]) -> None:
    """Write down whose lock it is, for people. In the place of the last holder, so that a full disk can take it."""
    with contextlib.suppress(OSError):
        os.ftruncate(lock.fileno(), os.pwrite(lock.fileno(), str(os.getpid()).encode(), 0))


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
    """Remove what is not known of a volume's files; ``folders`` may hold more of both."""
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


def give_to_group(path: Path, group: int, mode: int) -> None:
    """Make a file or directory a group's, as the pod's containers number it, with these permission bits.

    A user without root's rights may do so only within the user namespace of its containers.
    """

    def give() -> None:
        os.chown(path, -1, group)
        path.chmod(mode)

    try:
        run_in_podmans_namespaces(give)
    except OSError as error:
        raise HostError(f"{path} cannot be given to group {group} (fs_group): {error}") from error


def remove_tree(path: Path) -> None:
    """Remove a file, link or tree; a rootless pod's files can belong to ids that only its user namespace may touch.

    What is mounted in it is unmounted and stays. Raises HostError where that cannot be done.
    """
    try:
        held_paths.remove_tree(path)
    except PermissionError:
        if os.geteuid() == 0:
            raise
        run_in_podmans_namespaces(lambda: held_paths.remove_tree(path))
