# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept on the host: records of what was applied, files for volumes, generated secrets, locks.

Everything stands below one directory that only its owner can enter (0700), since records and files hold secret
values. How it is written and read, so that a power cut or a damaged file costs no more than it must, is
`state_files`' to say. What is damaged is told of the object that it belongs to, and hinders no other.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import string
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from .._declaration import spec as s
from .._declaration.checks import pod_name
from .._declaration.parse import parse_options
from .._errors import Busy, DamagedState, HostError, InvalidInput, NewerState
from .._reconcile import start_program
from .._reconcile.costs import RestartOnChange, Settings
from .._reconcile.limits import requested
from .._reconcile.materials import File, Layout, layout
from .._reconcile.operations import STACK_OWNER
from .._reconcile.probe_worker import poll_pause_seconds
from .._reconcile.status import End, Terminated
from . import held_paths, state_files
from .container_output import read_end
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
_LOCK_POLL_SECONDS = (0.1, 0.5)
"""The shortest pause between two attempts at a lock, and the longest."""
_LETTERS = string.ascii_letters + string.digits
_KEY_BYTES = 32
_LOG_BYTES = 2**20
_FORMER_MARK = re.compile(b"[0-9a-f]+( [0-9a-f]+)?")
"""What earlier releases wrote as a mark: a container's id, or two digests."""
_ABOUT = ""
"""What stands among the secrets for what is known of their values: no secret can be called so."""
_END = "end.json"
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

    def verified(self, images: Mapping[str, str]) -> Record:
        """The record once the pod was seen ready as it is declared, made from these images."""
        return replace(self, applied=Applied(self.applied.pod, images), is_verified=True, previous=None)

    @property
    def last_verified(self) -> Applied | None:
        return self.applied if self.is_verified else self.previous


_PARSED_RECORDS: dict[str, tuple[bytes, Record]] = {}
"""Of each file of a record that was read its content, and what that says."""


@dataclass(frozen=True)
class Generated:
    """What is told of a generated value: whose it is, when it was made (seconds since the epoch, 0 for not known),

    and for what number of ``rotate``.
    """

    owner: str
    secret: str = ""
    key: str = ""
    made_at: int = 0
    rotation: int = 0
    damage: str = ""
    """What is wrong with the owner's file, of which then nothing else is known."""


class Store:
    """The state directory. Reading makes nothing, so that a check mode run leaves no trace."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or default_directory()
        self.sub_path_mounts = SubPathMounts(runtime_directory(self.directory))
        self._pods = self.directory / "pods"

    # --- the host's key, locks -------------------------------------------------------------------------------------

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
        """Make the directory and the key; where one of the key's copies is missing or damaged, out of the other."""
        state_files.make_directory(self.directory)
        self.directory.chmod(0o700)
        for name in ("pods", "secrets", "locks"):
            state_files.make_directory(self.directory / name)
        if not self.key():
            self._make_key()
        key = self.key()
        for path in self._key_files():
            if not _is_key(path, key):
                # A full disk can wait for it, and is in the way of nothing.
                with contextlib.suppress(OSError):
                    state_files.write_object(path, {"key": key.hex()})
        self._make_reserve()

    def _key_files(self) -> tuple[Path, Path]:
        return self.directory / "key", self.directory / "key.copy"

    def _make_reserve(self) -> None:
        """Set room aside for the word that a pod is stopped, which must not be lost on a full disk."""
        path = self.directory / RESERVE
        if os.path.lexists(path):
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
        state_files.write_object(made, {"key": secrets.token_bytes(_KEY_BYTES).hex()})
        with contextlib.suppress(FileExistsError):
            os.link(made, self.directory / "key")
        made.unlink()
        state_files.sync_directory(self.directory)

    @contextlib.contextmanager
    def lock(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None] = lambda: None
    ) -> Iterator[bool]:
        """Be the pod's only writer; tells whether another process has been since this one was last.

        The lock goes with its holder. Who waits for it leaves a mark, which goes with it as well, and calls
        ``while_waiting`` now and then. Raises Busy when another keeps it too long.
        """
        began_at, is_waiting = time.monotonic(), False
        with contextlib.ExitStack() as marks:
            while True:
                with self.lock_if_free(pod) as was_elsewhere:
                    if was_elsewhere is not None:
                        marks.close()
                        yield was_elsewhere
                        return
                waited_seconds = time.monotonic() - began_at
                if waited_seconds > timeout_seconds:
                    raise busy(pod, _holder(self.directory / "locks" / pod), timeout_seconds)
                if not is_waiting:
                    marks.enter_context(self._wanting(pod))
                    is_waiting = True
                while_waiting()
                time.sleep(poll_pause_seconds(waited_seconds, *_LOCK_POLL_SECONDS))

    @contextlib.contextmanager
    def lock_if_free(self, pod: str) -> Iterator[bool | None]:
        """Be the pod's only writer, as by `lock`, where there is no other now; None where there is.

        The file of the lock goes with the pod, or the stack.
        """
        path = self.directory / "locks" / pod
        with contextlib.ExitStack() as held:
            try:
                before = held.enter_context(state_files.lock_if_free(path))
            except OSError as error:
                raise HostError(f"the lock {path} cannot be taken: {error}") from error
            if before is None:
                yield None
                return
            try:
                yield before not in ("", str(os.getpid()))
            finally:
                self._drop_lock_of_none(path)

    def _drop_lock_of_none(self, path: Path) -> None:
        """As its holder, remove the lock of an object that there is not, or no more."""
        is_stack = path.name.startswith(STACK_OWNER)
        stack = self.directory / "stacks" / path.name[len(STACK_OWNER) :]
        if not (os.path.lexists(stack) if is_stack else self.knows(path.name)):
            # Where that fails, the next start of the agent takes it away.
            with contextlib.suppress(OSError):
                path.unlink()

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
        """The pod's record. Raises DamagedState, or NewerState when it was written by a newer release."""
        path, remedy = self.record_file(pod), _remedy_of_record(pod)
        content = state_files.read(path, remedy)
        if content is None:
            _PARSED_RECORDS.pop(str(path), None)
            return None
        known = _PARSED_RECORDS.get(str(path))
        if known is None or known[0] != content:
            # A run asks several times, and the agent's one after the other; parsing takes far longer than reading.
            known = _PARSED_RECORDS[str(path)] = (content, _parse_record(path, content, remedy))
        return known[1]

    def record_file(self, pod: str) -> Path:
        return self._pods.joinpath(pod, "record.json")

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
        state_files.make_directory(self._pod(pod))
        state_files.write_object(self.record_file(pod), data)

    def read_status(self, pod: str) -> dict[str, Any] | None:
        """The status document last written, with its transition times; None where there is none that can be read."""
        try:
            return state_files.read_object(self._pods.joinpath(pod, "status.json"))
        except HostError:
            return None

    def write_status(self, pod: str, status: Mapping[str, Any]) -> None:
        if self._pod(pod).is_dir() and self.read_status(pod) != status:
            with contextlib.suppress(FileNotFoundError):
                state_files.write_object(self._pods.joinpath(pod, "status.json"), status, is_lasting=False)

    def recorded_pods(self) -> tuple[str, ...]:
        """The pods that something is kept of. What else has come to stand beside them is passed over."""
        return folders_of_objects(self.directory / "pods")

    def recorded_requests(self, pod: str) -> tuple[int, int]:
        """What a recorded pod asked for: CPU in millicores, memory in bytes. Nothing where that cannot be read."""
        try:
            requests = (state_files.read_object(self.record_file(pod)) or {}).get("requests") or {}
            return int(requests.get("cpu_millicores", 0)), int(requests.get("memory_bytes", 0))
        except (HostError, AttributeError, TypeError, ValueError):
            return 0, 0

    def prints(self, pods: Sequence[str]) -> Prints:
        """What differs as soon as anything was written that a run on these pods goes by."""
        directories = [self.directory / name for name in ("secrets", "stacks")]
        directories += (self.directory / "stacks").glob("*")
        directories += [self._pod(pod) / name for pod in pods for name in ("", "digests", "empty")]
        directories += [Path(path) for pod in pods for path, *_names in os.walk(self._pod(pod) / "files")]
        return tuple(item for directory in directories for item in _prints_in(directory))

    def knows(self, pod: str) -> bool:
        """Whether anything is kept of the pod, damaged or not."""
        return os.path.lexists(self._pod(pod))

    def forget(self, pod: str) -> None:
        """Remove everything kept for the pod, except its generated secrets."""
        self.sub_path_mounts.release(pod)
        with contextlib.suppress(FileNotFoundError):
            # In one step first: the agent may be about to write how the pod is.
            gone = self.directory / f".{pod}.{secrets.token_hex(4)}"
            self._pod(pod).rename(gone)
            # What a power cut brings back goes with the next run that is to remove the pod.
            with contextlib.suppress(OSError):
                state_files.sync_directory(self.directory / "pods")
            try:
                remove_tree(gone)
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
                # A write that had begun before the renaming came through afterwards.
                remove_tree(gone)

    # --- generated secrets -----------------------------------------------------------------------------------------

    def generate(
        self,
        owner: str,
        declared: Sequence[s.Secret],
        keep: bool = True,
        former_owners: Sequence[str] = (),
        promised: Sequence[s.Secret] = (),
    ) -> dict[str, dict[str, str]]:
        """The generated values of these secrets, by secret and key. A missing one is made; once kept it never changes.

        ``owner`` is the pod, or `stack_owner` of the stack, whose secrets they are. What was generated for one of
        ``former_owners`` is taken over: a database keeps its password when its pod joins a stack. ``promised`` are the
        secrets as they were applied before: what was generated for them has to be there. Raises DamagedState where it
        is not, since a database would no longer be opened by what is made anew.
        """
        if not any(secret.generate for secret in declared):
            return {secret.name: {} for secret in declared}
        values = self._generated(owner)
        lost = (generated_keys(declared) & generated_keys(promised)) - _keys_in(values)
        if lost:
            raise self._lost(owner, lost)
        is_complete = True
        for secret in declared:
            for key, length in secret.generate.items():
                if key not in values.setdefault(secret.name, {}):
                    former = (self._former(name, secret.name, key) for name in former_owners)
                    value = next(filter(None, former), None) or _generate(length)
                    put_generated(values, secret.name, key, value, secret.rotate.get(key, 0))
                    is_complete = False
        if keep and not is_complete:
            # Kept before anything is made with it: it may become the only key to what a database writes.
            self.keep_values(owner, values)
        return {item.name: {key: values[item.name][key] for key in item.generate} for item in declared}

    def generated(self, owner: str, declared: Sequence[s.Secret]) -> dict[str, dict[str, str]]:
        """What is kept of the generated values of these secrets; nothing is made, and damage is passed over."""
        try:
            values = self._generated(owner)
        except HostError:
            return {}
        return {
            item.name: {key: values[item.name][key] for key in item.generate if key in values.get(item.name, {})}
            for item in declared
        }

    def renewals(
        self, owner: str, declared: Sequence[s.Secret], asked: Collection[tuple[str, str]] = ()
    ) -> dict[str, dict[str, str]]:
        """New values, by secret and key, for what is to be rotated: where a higher number than before is declared,

        and what is ``asked`` for by secret and key. Nothing is kept of them yet.
        """
        found: dict[str, dict[str, str]] = {}
        if not any(secret.generate for secret in declared):
            return found
        kept = self._generated(owner)
        for secret in declared:
            present = {key: length for key, length in secret.generate.items() if key in kept.get(secret.name, {})}
            due = {
                key: _generate(length)
                for key, length in present.items()
                if secret.rotate.get(key, 0) > _about(kept, secret.name, key)[1] or (secret.name, key) in asked
            }
            found.update({secret.name: due} if due else {})
        return found

    def renew(self, owner: str, secret: str, values: Mapping[str, str], rotate: Mapping[str, int]) -> None:
        """Keep new values of a secret; ``rotate`` are the numbers that are declared for its keys."""
        kept = self._generated(owner)
        for key, value in values.items():
            rotation = max(rotate.get(key, 0), _about(kept, secret, key)[1])
            put_generated(kept, secret, key, value, rotation)
        self.keep_values(owner, kept)

    def kept_values(self, owner: str) -> dict[str, dict[str, str]]:
        """All that is kept of an owner's generated secrets, to be given to `keep_values` again. Raises DamagedState."""
        return self._generated(owner)

    def readable_values(self, owner: str) -> dict[str, dict[str, str]]:
        """What `kept_values` gives, without what tells of them; nothing where that is damaged."""
        try:
            return {secret: dict(group) for secret, group in self._generated(owner).items() if secret != _ABOUT}
        except HostError:
            return {}

    def keep_values(self, owner: str, values: Mapping[str, Mapping[str, str]]) -> None:
        state_files.write_object(self.secrets_file(owner), dict(values))

    def list_generated(self) -> tuple[Generated, ...]:
        """What was generated on this host, by owner, secret and key: no values. Of what is damaged, the owner alone."""
        owners = sorted(path.name[: -len(".json")] for path in (self.directory / "secrets").glob("[!.]*.json"))
        return tuple(item for owner in owners for item in self._list_generated(owner))

    def _list_generated(self, owner: str) -> Iterator[Generated]:
        try:
            values = self._generated(owner)
        except HostError as error:
            yield Generated(owner, damage=str(error))
            return
        for secret in sorted({*values} - {_ABOUT}):
            for key in sorted(values[secret]):
                yield Generated(owner, secret, key, *_about(values, secret, key))

    def forget_generated(self, owner: str, secret: str = "") -> None:
        """Remove what was generated for an owner: all, or one secret. What it opens cannot be opened afterwards."""
        kept = dict(self._generated(owner)) if secret else {}
        kept.pop(secret, None)
        kept[_ABOUT] = {at: told for at, told in kept.get(_ABOUT, {}).items() if not at.startswith(f"{secret}/")}
        if any(name != _ABOUT for name in kept):
            self.keep_values(owner, kept)
        else:
            remove_tree(self.secrets_file(owner))

    def secrets_file(self, owner: str) -> Path:
        return self.directory / "secrets" / f"{owner}.json"

    def _generated(self, owner: str) -> dict[str, dict[str, str]]:
        path, remedy = self.secrets_file(owner), _remedy_of_secrets(owner)
        values = state_files.read_object(path, remedy)
        for group in (values or {}).values():
            if not isinstance(group, dict) or not all(isinstance(value, str) for value in group.values()):
                raise DamagedState(path, "it holds something else than values by secret and key", remedy)
        return values or {}

    def _former(self, owner: str, secret: str, key: str) -> str | None:
        """The value that was generated for another owner, None where it had none."""
        value = self._generated(owner).get(secret, {}).get(key)
        record = self.read_record(owner) if value is None else None
        if record and (secret, key) in generated_keys(record.applied.pod.secrets):
            raise self._lost(owner, {(secret, key)})
        return value

    def _lost(self, owner: str, keys: Collection[tuple[str, str]]) -> DamagedState:
        shown = ", ".join(f"{secret}/{key}" for secret, key in sorted(keys))
        path = self.secrets_file(owner)
        what = "it lacks" if path.exists() else "it is missing, and with it"
        return DamagedState(path, f"{what} the values generated before for {shown}", _remedy_of_secrets(owner))

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
            digest, _blank, state = _read_mark(digests / name).partition(" ")
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
        _write_mark(digest, f"{files_digest} {_tree_state(directory)}")

    def make_mount_point(self, pod: str, volume: str, path: str, is_folder: bool) -> None:
        """Make an empty folder or file for another mount in a volume that we write, unless there is what it takes.

        One of the volume's own files is mounted on as it is.
        """
        directory, digest = self.files_dir(pod, volume), self._pod(pod) / "digests" / volume
        place = directory / path
        if place.is_symlink() or (place.is_dir() if is_folder else place.is_file()):
            return
        words = _read_mark(digest).split(" ")
        is_whole = words[1:] == [_tree_state(directory)]
        remove_tree(place)
        if is_folder:
            held_paths.make_folders(place, 0o755)
        else:
            held_paths.make_file(place, 0o644)
        if is_whole:
            _write_mark(digest, f"{words[0]} {_tree_state(directory)}")

    def drop_empty_dir(self, pod: str, volume: str) -> None:
        remove_tree(self.empty_dir(pod, volume))

    def drop_files(self, pod: str, volume: str) -> None:
        """Remove a volume's files, and first their digest, so that it never vouches for half of them."""
        remove_tree(self._pod(pod) / "digests" / volume)
        remove_tree(self.files_dir(pod, volume))

    # --- containers ------------------------------------------------------------------------------------------------

    def termination_message_file(self, pod: str, container: str) -> Path:
        """An empty file for a new container's termination message."""
        path = self._container(pod, container, "termination-log")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The old file may still be mounted in a container that is going away: a new one, not an emptied one.
        remove_tree(path)
        path.touch()
        path.chmod(0o666)
        return path

    def termination_message(self, pod: str, container: str) -> str:
        """At most the last 4096 bytes that the container left."""
        content = read_end(self._container(pod, container, "termination-log"), TERMINATION_MESSAGE_BYTES) or b""
        # A container can make the file far longer than what it writes to it.
        return content.strip(b"\0").decode(errors="replace")

    def keep_log(self, pod: str, container: str, text: str) -> None:
        """Keep the last log lines of a container that is about to be removed."""
        directory = self._container(pod, container)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        state_files.write(directory / "previous.log", text.encode(), is_lasting=False)

    def kept_log(self, pod: str, container: str) -> str:
        """What the run before the present one wrote last."""
        path = self._container(pod, container) / "previous.log"
        return (read_end(path, _LOG_BYTES) or b"").decode(errors="replace")

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
        state_files.write(directory / start_program.PROGRAM, program, 0o555)
        state_files.write(directory / start_program.DATA, data, 0o444 if reader is None else 0o400)
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
        _write_mark(self._container(pod, container, "post-started"), container_id)

    def post_started(self, pod: str, container: str) -> str:
        """The id of the container in which postStart ran last."""
        return _read_mark(self._container(pod, container, "post-started"))

    def mark_stop(self, pod: str, container: str, container_id: str) -> None:
        """Write down that the container of that id is ended by us, and not by itself."""
        _write_mark(self._container(pod, container, "stopped"), container_id)

    def stopped(self, pod: str, container: str) -> str:
        """The id of the container that was ended by us last."""
        return _read_mark(self._container(pod, container, "stopped"))

    def mark_end(self, pod: str, container: str, end: End) -> None:
        """Write down how the container that is about to be removed has ended, or that what follows is no restart."""
        directory = self._container(pod, container)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        state_files.write_object(directory / _END, asdict(end), is_lasting=False)

    def ends(self, pod: str) -> dict[str, End]:
        """How the last of each container that was removed by us ended, as far as that is known."""
        ends = (
            (name, _read_end(self._container(pod, name, _END)))
            for name in _names(self._pods.joinpath(pod, "containers"))
        )
        return {name: end for name, end in ends if end}

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
            with contextlib.suppress(OSError):
                remove_tree(path)
        gone = {path: path.name[1:].rpartition(".")[0] for path in self.directory.glob(".*.*") if path.is_dir()}
        for pod in {*self.recorded_pods(), *gone.values(), *self.sub_path_mounts.pods()}:
            with contextlib.suppress(Busy, HostError, OSError), self.lock(pod, 0):
                for path in [*self._temporaries(pod), *(path for path, name in gone.items() if name == pod)]:
                    remove_tree(path)
                if not self.knows(pod):
                    self.sub_path_mounts.release(pod)
        for path in (self.directory / "locks").iterdir():
            if not path.name.startswith("."):
                # Those of objects that are gone go as they are released.
                with contextlib.suppress(HostError), self.lock_if_free(path.name):
                    continue
            elif not self._is_mark_held(path.name):
                remove_tree(path)

    def _temporaries(self, pod: str) -> Iterator[Path]:
        """Files and directories that were to be given their names once they were whole."""
        yield from (self.directory / "secrets").glob(f".{pod}.json.*")
        for place in ("", "digests", "empty", "containers/*", f"containers/*/{_START_FILES}"):
            yield from self._pod(pod).glob(f"{place}/.*" if place else ".*")

    def forget_container(self, pod: str, container: str) -> None:
        remove_tree(self._container(pod, container))

    def _pod(self, pod: str) -> Path:
        return self._pods.joinpath(pod)

    def _container(self, pod: str, container: str, *names: str) -> Path:
        """What is kept of a container, or one of these things in it."""
        # Joined at once: these paths are made at each look.
        return self._pods.joinpath(pod, "containers", container, *names)


def _generate(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _character in range(length))


def generated_keys(declared: Sequence[s.Secret]) -> frozenset[tuple[str, str]]:
    """What is generated of these secrets, by secret and key."""
    return frozenset((secret.name, key) for secret in declared for key in secret.generate)


def _keys_in(values: Mapping[str, Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((secret, key) for secret, group in values.items() for key in group)


def folders_of_objects(directory: Path) -> tuple[str, ...]:
    """The names of the objects that have a folder in a directory."""
    try:
        with os.scandir(directory) as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DamagedState(directory, f"it cannot be read ({error.strerror})", "restore it, or move it away") from error
    return tuple(sorted(name for name in found if pod_name(name) is None))


def put_generated(kept: dict[str, dict[str, str]], secret: str, key: str, value: str, rotation: int) -> None:
    """Put a value, made now for that number of ``rotate``, among those that are to be kept."""
    kept.setdefault(secret, {})[key] = value
    kept.setdefault(_ABOUT, {})[f"{secret}/{key}"] = f"{int(time.time())} {rotation}"


def _about(kept: Mapping[str, Mapping[str, str]], secret: str, key: str) -> tuple[int, int]:
    """When a value was made, in seconds since the epoch, and for what number of ``rotate``; 0 for what is not known."""
    made_at, _blank, rotation = kept.get(_ABOUT, {}).get(f"{secret}/{key}", "0 0").partition(" ")
    return int(made_at), int(rotation)


def _holder(path: Path) -> str:
    return (read_end(path, 20) or b"").decode(errors="replace").strip() or "unknown"


def busy(name: str, holder: object, timeout_seconds: float) -> Busy:
    """What a run fails of that another one keeps off; ``holder`` is the process of that one."""
    what = f"stack {name[len(STACK_OWNER) :]}" if name.startswith(STACK_OWNER) else f"pod {name}"
    return Busy(
        f"another run is changing {what} (process {holder}) and did not finish within {timeout_seconds:.0f} s; "
        "wait for it, or raise wait_timeout"
    )


def _remedy_of_record(pod: str) -> str:
    return f"podwright repair {pod} mends what can be, or move it away to have the pod recorded anew at the next run"


def _remedy_of_secrets(owner: str) -> str:
    name = owner[len(STACK_OWNER) :] if owner.startswith(STACK_OWNER) else owner
    return (
        "nothing is generated anew, for data may depend on what was: restore the file, give the values themselves "
        f"(string_data in place of generate), or have new ones made by podwright repair {name} --accept-new-secrets"
    )


def _read_key(path: Path) -> bytes:
    """Empty where there is none. Raises DamagedState."""
    remedy = "restore it; without it a new key, and so every container anew, is made once key and key.copy are away"
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


def _read_mark(path: Path) -> str:
    """The word in a file; empty where there is none or it is damaged, since what it says can be found out anew."""
    try:
        content = state_files.read(path) or b""
        if content.startswith(b"{"):
            return str(state_files.parse_object(path, content).get("word") or "")
        return content.decode() if _FORMER_MARK.fullmatch(content) else ""
    except HostError:
        return ""


def _write_mark(path: Path, word: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state_files.write_object(path, {"word": word}, is_lasting=False)


def _read_end(path: Path) -> End | None:
    """The end of a container; None where it is not known, or damaged, for it tells of the past alone."""
    with contextlib.suppress(HostError, *UNFIT):
        data = state_files.read_object(path)
        return End(**{**data, "run": Terminated(**data["run"]) if data["run"] else None}) if data else None
    return None


UNFIT = (ValueError, LookupError, TypeError, AttributeError, RecursionError, InvalidInput)
"""What reading raises of data that is not of the form it should have."""


def _parse_record(path: Path, content: bytes, remedy: str) -> Record:
    data = state_files.parse_object(path, content, remedy)
    try:
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
    except UNFIT as error:
        raise DamagedState(path, f"it holds no record ({type(error).__name__}: {error})", remedy) from error


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
    except OSError:
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
    except OSError:
        return []


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
