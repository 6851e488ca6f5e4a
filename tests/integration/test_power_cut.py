# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A power cut after each step of what is written on a host: the disk as it is then, its journal replayed, and gone on.

The state stands on ext4 on a loop device. Its image, copied while it is mounted, is what a power cut leaves: nothing
reaches it by time (``commit``), only by being synced. No Podman is needed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.action import agent as agent_action
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack import parse as stack_parse
from ansible_collections.podwright.pods.plugins.module_utils._delivery import host_code
from ansible_collections.podwright.pods.plugins.module_utils._delivery import install as agent_install
from ansible_collections.podwright.pods.plugins.module_utils._host import state_files
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import Revision, StackStore
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Applied, Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import owner_of_secrets
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering.materials import File
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import Owned, StackRecord
from ansible_collections.podwright.pods.plugins.plugin_utils import _shipping as shipping

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
STEPS = ("fsync", "rename", "replace", "mkdir", "rmdir", "unlink", "link", "symlink")
IMAGE_BYTES = 48 << 20


def command(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Disk:
    """A file system of its own, and what a power cut leaves of it."""

    def __init__(self, directory: Path) -> None:
        self.image = directory / "disk.img"
        self.mounted = directory / "disk"
        self.after = directory / "after"
        self.cuts = 0
        for path in (self.mounted, self.after):
            path.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        command("mkfs.ext4", "-q", "-E", "lazy_itable_init=0", self.image)

    @contextlib.contextmanager
    def mount(self) -> Iterator[Path]:
        command("mount", "-o", "loop,commit=600", self.image, self.mounted)
        try:
            yield self.mounted
        finally:
            command("umount", "-l", self.mounted)

    @contextlib.contextmanager
    def cut(self) -> Iterator[Path]:
        """The file system after a power cut now."""
        # A new name each time: the loop device of the last one may linger, with what it has read of it.
        self.cuts += 1
        copy = self.image.with_name(f"cut-{self.cuts}.img")
        command("cp", "--sparse=always", self.image, copy)
        command("mount", "-o", "loop", copy, self.after)
        try:
            yield self.after
        finally:
            command("umount", "-l", self.after)
            copy.unlink()


class Steps:
    """Calls ``check`` after every ``each`` step that changes files, and at once with `now`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, check: Callable[[], None], each: int) -> None:
        self._check = check
        self._each = -(-each // 5) if IS_FULL else each
        self._count = 0
        self._is_checking = False
        for name in STEPS:
            monkeypatch.setattr(os, name, functools.partial(self._call, getattr(os, name)))

    def _call(self, step: Callable[..., Any], *args: Any, **options: Any) -> Any:
        result = step(*args, **options)
        self._count += 1
        if not self._is_checking and self._count % self._each == 0:
            self.now()
        return result

    def now(self) -> None:
        self._is_checking = True
        try:
            self._check()
        finally:
            self._is_checking = False


@pytest.fixture
def disk() -> Iterator[Disk]:
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists() or not shutil.which("mkfs.ext4"):
        pytest.skip("needs root, loop devices and mkfs.ext4")
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        yield Disk(Path(name))


# --- the state -------------------------------------------------------------------------------------------------------

SECRETS = [{"name": "login", "generate": {"password": 24}}]
POD = parse_options({"name": "db", "containers": [{"name": "main", "image": "image"}], "secrets": SECRETS})
STACK = stack_parse.parse_options(
    {"name": "shop", "pods": [{"name": "web", "containers": [{"name": "main", "image": "image"}]}], "secrets": SECRETS},
    (),
)


class Writer:
    """Writes what runs write, in their order; what it has been told to be done has to outlast a power cut."""

    def __init__(self, directory: Path) -> None:
        self.store = Store(directory / "state")
        self.files = StackStore(self.store, "shop")
        self.done: dict[str, Any] = {}

    def write(self) -> None:
        store, files = self.store, self.files
        store.ensure()
        self.done["key"] = store.key()
        self.done["db"] = store.generate("db", POD.secrets)
        with store.lock("db", 1):
            store.write_record("db", Record(Applied(POD)))
            self.done["record"] = Record(Applied(POD))
            store.write_files("db", "map", {"page": File(b"words" * 5000, 0o644)}, "0123", None)
            store.mark_post_start("db", "main", "abcd")
            store.write_status("db", {"phase": "Running"})
            del self.done["record"]
            store.write_record("db", Record(Applied(POD), True))
            self.done["record"] = Record(Applied(POD), True)
        owner = owner_of_secrets("shop")
        with store.lock(owner, 1):
            self.done["shop"] = store.generate(owner, STACK.secrets)
            for number in (1, 2):
                files.write_revision(Revision(number, replace(STACK), number))
                self.done["revision"] = number
                files.write(StackRecord(number, (), Owned(("web",))))
                self.done["current"] = number
        with store.lock("db", 1):
            del self.done["record"]
            store.forget("db")
            self.done["gone"] = True


def check_state(directory: Path, done: dict[str, Any]) -> None:
    """Nothing is damaged, nothing that was done is lost, and all of it can be done again."""
    writer = Writer(directory)
    store, files = writer.store, writer.files
    store.ensure()
    assert store.key() == done.get("key", store.key())
    record, stack = store.read_record("db"), files.read()
    if "record" in done:
        assert record == done["record"]
    if "gone" in done:
        assert record is None
    for owner, secrets in (("db", POD.secrets), (owner_of_secrets("shop"), STACK.secrets)):
        name = owner.rpartition("@")[2]
        if name in done:
            assert store.generate(owner, secrets, keep=False) == done[name]
    # What they tell of was there before them.
    store.generate("db", POD.secrets, keep=False, promised=record.applied.pod.secrets if record else ())
    assert stack.current >= done.get("current", 0)
    if stack.current:
        assert files.revision(stack.current).stack == STACK
        store.generate(owner_of_secrets("shop"), STACK.secrets, keep=False, promised=STACK.secrets)
    assert max(files.numbers(), default=0) >= done.get("revision", 0)
    assert all(files.revision(number) for number in files.numbers())
    if store.files_digests("db").get("map"):
        assert (store.files_dir("db", "map") / "page").read_bytes() == b"words" * 5000
    assert store.read_status("db") in (None, {"phase": "Running"})
    writer.write()
    assert store.recorded_pods() == ()


def test_state_after_a_power_cut(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    with disk.mount() as directory:
        writer = Writer(directory)

        def check() -> None:
            with disk.cut() as after:
                check_state(after, writer.done)

        steps = Steps(monkeypatch, check, each=4)
        writer.write()
        steps.now()
    assert disk.cuts > 12


@pytest.mark.parametrize("what", ["files", "folders"])
def test_what_is_not_synced_is_lost(disk: Disk, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """So that the other tests say something."""
    with disk.mount() as directory:
        store = Store(directory / "state")
        store.ensure()
        if what == "folders":
            monkeypatch.setattr(state_files, "sync_directory", lambda path: None)
        else:
            monkeypatch.setattr(os, "fsync", lambda descriptor: None)
        store.write_record("db", Record(Applied(POD)))
        with disk.cut() as after:
            assert Store(after / "state").read_record("db") is None


# --- code ------------------------------------------------------------------------------------------------------------


def test_kept_code_after_a_power_cut(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, digest = disk.image.with_name("podwright.zip"), shipping.digest()
    archive.write_bytes(shipping.archive_of(shipping.sources()))
    monkeypatch.setenv(host_code.VARIABLE, f"{digest}:{archive}")
    is_done = False
    with disk.mount() as directory:

        def check() -> None:
            with disk.cut() as after, monkeypatch.context() as changed:
                changed.setenv("PODWRIGHT_STATE_DIR", str(after / "state"))
                # Either whole or not there, and kept whole by the next task.
                assert host_code._kept(digest) or not is_done
                host_code.keep()
                kept = host_code._kept(digest)
                assert kept is not None
                assert len(kept[0]) == len(shipping.sources())

        monkeypatch.setenv("PODWRIGHT_STATE_DIR", str(directory / "state"))
        with monkeypatch.context() as changed:
            steps = Steps(changed, check, each=2)
            host_code.keep()
            is_done = True
            steps.now()


def test_installed_code_after_a_power_cut(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    files = agent_action._files()
    archive, digest = disk.image.with_name("podwright.zip"), host_code.digest_of(files)
    archive.write_bytes(shipping.archive_of(files))
    monkeypatch.setenv(host_code.VARIABLE, f"{shipping.digest()}:{archive}")
    monkeypatch.setattr(host_code, "keep", lambda: None)
    is_done = False

    def install(directory: Path) -> dict[str, Any]:
        with monkeypatch.context() as changed:
            changed.setattr(agent_install, "_places", lambda: (directory / "lib", directory / "bin"))
            return agent_install.install({"code": digest}, False)

    with disk.mount() as directory:

        def check() -> None:
            with disk.cut() as after:
                # Not the programs, which name the other place. Shortly before the end all of the code is there, too.
                assert not (install(after)["code_changed"] and is_done)
                assert not install(after)["changed"]
                done = subprocess.run([after / "bin/podwright", "--help"], capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr

        with monkeypatch.context() as changed:
            steps = Steps(changed, check, each=60)
            install(directory)
            is_done = True
            steps.now()
