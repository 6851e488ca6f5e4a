# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state directory, as a process that lives for long uses it, and as killed ones leave it."""

from __future__ import annotations

import gc
import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from damages import DAMAGES

from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack import parse as stack_parse
from ansible_collections.podwright.pods.plugins.module_utils._errors import Busy, DamagedState
from ansible_collections.podwright.pods.plugins.module_utils._host import state_files
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import (
    Revision,
    StackStore,
    owners_of_pods,
    stack_names,
)
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Applied, Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.context import Settings
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import owner_of_secrets
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering.materials import File, layout
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import Owned, StackRecord

POD = parse_options({"name": "web", "containers": [{"name": "main", "image": "image"}]})
SECRETS = parse_options(
    {
        "name": "db",
        "containers": [{"name": "main", "image": "image"}],
        "secrets": [{"name": "login", "generate": {"password": 24, "user": 8}}],
    }
).secrets


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
    (tmp_path / "stacks" / "shop" / "workloads").mkdir(parents=True)
    names = (
        ".events.jsonl.0123abcd",
        ".key.copy.0123abcd",
        "pods/web/.status.json.0123abcd",
        "secrets/.stack@shop.json.0123abcd",
        "stacks/shop/.record.json.0123abcd",
        "stacks/shop/workloads/.status-Job-a.json.0123abcd",
    )
    left = [tmp_path / name for name in names]
    for path in left:
        path.touch()
    with Store(tmp_path).lock("web", 0), Store(tmp_path).lock("stack@shop", 0):
        store.sweep_all()
    assert sorted(tmp_path.rglob(".*")) == sorted(left[2:])
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


# --- generated secrets -----------------------------------------------------------------------------------------------


def test_a_generated_value_stays(tmp_path: Path) -> None:
    store = kept(tmp_path)
    values = store.generate("db", SECRETS)
    assert {key: len(value) for key, value in values["login"].items()} == {"password": 24, "user": 8}
    assert store.generate("db", SECRETS, promised=SECRETS) == values == store.generated("db", SECRETS)


@pytest.mark.parametrize("promised", [(), SECRETS])
def test_damaged_values_are_never_made_anew(tmp_path: Path, promised: tuple[object, ...]) -> None:
    store = kept(tmp_path)
    values = store.generate("db", SECRETS)
    path = store.secrets_file("db")
    whole = path.read_bytes()
    for content in [
        b"",
        whole[:-9],
        whole[:3],
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"login": 5}',
        b'{"login": {"user": 5}}',
    ]:
        path.write_bytes(content)
        with pytest.raises(DamagedState, match=f"{path} is damaged.*no new value is generated") as caught:
            store.generate("db", SECRETS, promised=promised)  # type: ignore[arg-type]
        assert "podwright repair db --accept-new-secrets" in str(caught.value)
        assert not any(value in str(caught.value) for value in values["login"].values())
        assert path.read_bytes() == content
        # For what is to be hidden, where nothing is made.
        assert store.generated("db", SECRETS) in ({}, {"login": {}})
    path.write_bytes(whole)
    assert store.generate("db", SECRETS, promised=promised) == values  # type: ignore[arg-type]


def test_values_that_were_applied_and_are_gone_are_never_made_anew(tmp_path: Path) -> None:
    store = kept(tmp_path)
    values = store.generate("db", SECRETS)["login"]
    path = store.secrets_file("db")
    path.unlink()
    with pytest.raises(DamagedState, match=r"it is missing, and with it the values .* login/password, login/user"):
        store.generate("db", SECRETS, promised=SECRETS)
    path.write_text(json.dumps({"login": {"user": values["user"]}}))
    with pytest.raises(DamagedState, match="it lacks the values generated before for login/password"):
        store.generate("db", SECRETS, promised=SECRETS)
    # One more key is no loss.
    more = (replace(SECRETS[0], generate={**SECRETS[0].generate, "other": 10}),)
    path.write_text(json.dumps({"login": values}))
    assert set(store.generate("db", more, promised=SECRETS)["login"]) == {"password", "user", "other"}


def test_a_stack_that_takes_a_pod_over_takes_its_values_or_none(tmp_path: Path) -> None:
    store = kept(tmp_path)
    owner = owner_of_secrets("shop")
    store.write_record("db", Record(Applied(replace(POD, name="db", secrets=SECRETS))))
    values = store.generate("db", SECRETS)
    assert store.generate(owner, SECRETS, former_owners=["db", "web"]) == values
    for damage in (lambda path: path.write_bytes(b""), Path.unlink):
        store.secrets_file(owner).unlink(missing_ok=True)
        damage(store.secrets_file("db"))
        with pytest.raises(DamagedState, match=r"secrets/db\.json is damaged"):
            store.generate(owner, SECRETS, former_owners=["db", "web"])
        assert not store.secrets_file(owner).exists()


# --- damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A directory for many writes, none of which has to reach a disk."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as name:
        yield Path(name)


def populated(directory: Path) -> Store:
    """Two pods and a stack of one of them, with a file of every kind that there is."""
    store = kept(directory)
    mounted = parse_options({"name": "shop-db", "containers": [{"name": "main", "image": "image"}]})
    store.write_record("shop-db", Record(Applied(mounted), settings=Settings(stack="shop")))
    for pod in ("web", "shop-db"):
        store.write_status(pod, {"phase": "Running"})
        store.write_files(pod, "map", {"page": File(b"words", 0o644)}, "0123", None)
        store.mark_stop(pod, "main", "id")
        store.mark_post_start(pod, "main", "id")
        store.keep_log(pod, "main", "lines")
        store.termination_message_file(pod, "main").write_text("words")
        store.write_start_files(pod, "main", b"program", b"data")
        with store.lock(pod, 0):
            pass
    store.generate("web", SECRETS)
    store.generate(owner_of_secrets("shop"), SECRETS)
    files = StackStore(store, "shop")
    stack = stack_parse.parse_options(
        {"name": "shop", "pods": [{"name": "shop-db", "containers": [{"name": "main", "image": "image"}]}]}, ()
    )
    files.write_revision(Revision(1, stack, 0))
    files.write(StackRecord(1, (1,), Owned(("shop-db",))))
    (directory / "stacks" / "stray").touch()
    (directory / "pods" / "stray").touch()
    (directory / "pods" / "Not_A_Name").mkdir()
    (directory / "stacks" / "shop" / "revisions" / "1 (copy).json").touch()
    return store


def files_of(directory: Path) -> list[str]:
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file() and not path.is_symlink()
    )


_FILES_OF_A_CONTAINER = ("environment/data", "environment/start", "post-started", "previous.log", "stopped")
_FILES_OF_A_POD = (
    *(f"containers/main/{name}" for name in (*_FILES_OF_A_CONTAINER, "termination-log")),
    *("digests/map", "record.json", "status.json"),
)
ALL_FILES = (
    *("key", "key.copy", "locks/shop-db", "locks/web", "reserve"),
    *(f"pods/{pod}/{name}" for pod in ("shop-db", "web") for name in _FILES_OF_A_POD),
    *("secrets/stack@shop.json", "secrets/web.json", "stacks/shop/record.json", "stacks/shop/revisions/1.json"),
)
TELLING = {
    "record.json": lambda store, path: store.read_record(path.parent.name),
    "web.json": lambda store, path: store.generate("web", SECRETS),
    "stack@shop.json": lambda store, path: store.generate("stack@shop", SECRETS),
    "1.json": lambda store, path: StackStore(store, "shop").revision(1),
}
"""What tells of its damage; what is not among them is found out or written anew."""


def test_all_files_are_looked_at(tmp_path: Path) -> None:
    populated(tmp_path)
    found = [
        name for name in files_of(tmp_path) if "stray" not in name and "copy)" not in name and "/files/" not in name
    ]
    assert found == sorted(ALL_FILES)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ALL_FILES)
def test_a_damaged_file_concerns_its_own_object_alone(memory_path: Path, name: str, damage: str) -> None:
    store = populated(memory_path)
    key = store.key()
    whole = (memory_path / name).read_bytes()
    DAMAGES[damage](memory_path / name)
    store = Store(memory_path)
    store.ensure()
    assert store.key() == key
    pods, path = {"web", "shop-db"}, memory_path / name
    assert set(store.recorded_pods()) == pods
    assert stack_names(store) == ("shop",)
    assert owners_of_pods(store) == {"shop-db": "shop"}
    is_stacks = name.startswith("stacks/") and path.name == "record.json"
    telling = _read_stack if is_stacks else TELLING.get(path.name)
    if telling:
        with pytest.raises(DamagedState, match=f"{path} is damaged: .*; .*podwright repair"):
            telling(store, path)
    for pod in pods - {path.parent.name}:
        record = store.read_record(pod)
        assert record
        assert record.applied.pod.name == pod
    for pod in pods:
        _read_and_write(store, pod)
    assert len(store.prints(["web", "shop-db"])) > 10
    store.sweep_all()
    store.forget("web")
    store.forget("shop-db")
    assert store.recorded_pods() == ()
    if telling:
        assert path.parent.name in pods or not path.is_file() or path.read_bytes() != whole


def _read_stack(store: Store, path: Path) -> object:
    return StackStore(store, path.parent.name).read()


def _read_and_write(store: Store, pod: str) -> None:
    """What runs and keepers do with the state of any pod, damaged or not."""
    assert store.recorded_requests(pod) == (0, 0)
    assert store.read_status(pod) in (None, {"phase": "Running"})
    assert store.files_digests(pod).keys() == {"map"}
    assert store.files_digests(pod)["map"] in ("", "0123")
    assert store.stopped(pod, "main") in ("", "id")
    assert store.post_started(pod, "main") in ("", "id")
    assert isinstance(store.kept_log(pod, "main"), str)
    assert isinstance(store.termination_message(pod, "main"), str)
    with store.lock(pod, 0):
        store.write_status(pod, {"phase": "Pending"})
        store.mark_stop(pod, "main", "new")
        store.mark_post_start(pod, "main", "new")
        store.keep_log(pod, "main", "new")
        store.write_files(pod, "map", {"page": File(b"new", 0o644)}, "4567", None)
        store.write_start_files(pod, "main", b"other", b"other")
        assert store.termination_message_file(pod, "main").is_file()
    assert store.read_status(pod) == {"phase": "Pending"}
    assert store.stopped(pod, "main") == store.post_started(pod, "main") == store.kept_log(pod, "main") == "new"
    assert store.files_digests(pod) == {"map": "4567"}


def test_marks_of_earlier_releases_are_read(tmp_path: Path) -> None:
    store = populated(tmp_path)
    for mark in ("stopped", "post-started"):
        (tmp_path / "pods/web/containers/main" / mark).write_text("0123abcd")
    assert store.stopped("web", "main") == store.post_started("web", "main") == "0123abcd"


def test_the_key_of_an_earlier_release_stays(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "key").write_bytes(bytes(range(32)))
    store = Store(tmp_path)
    store.ensure()
    assert store.key() == bytes(range(32))
    (tmp_path / "key").unlink()
    assert Store(tmp_path).key() == bytes(range(32))


def test_without_any_good_copy_of_the_key_none_is_made(tmp_path: Path) -> None:
    store = kept(tmp_path)
    for name in ("key", "key.copy"):
        (tmp_path / name).write_bytes(b"")
    for ask in (store.key, store.ensure):
        with pytest.raises(DamagedState, match="key is damaged: it is empty; restore it"):
            ask()


# --- locks -----------------------------------------------------------------------------------------------------------


def test_the_lock_of_what_is_gone_goes(tmp_path: Path) -> None:
    store = kept(tmp_path)
    files = StackStore(store, "shop")
    files.write(StackRecord(1))
    with store.lock("web", 0), store.lock("stack@shop", 0), store.lock("never-made", 0), store.lock("gone", 0):
        pass
    assert {path.name for path in (tmp_path / "locks").iterdir()} == {"web", "stack@shop"}
    with store.lock("web", 0), store.lock("stack@shop", 0):
        store.forget("web")
        files.forget(StackRecord())
        with pytest.raises(Busy, match=r"changing pod web \(process"), store.lock("web", 0):
            pass
        with pytest.raises(Busy, match=r"changing stack shop \(process"), store.lock("stack@shop", 0):
            pass
    assert not list((tmp_path / "locks").iterdir())
    # As killed processes, and those of earlier releases, leave them.
    (tmp_path / "locks" / "stack@old").touch()
    (tmp_path / "locks" / "old").touch()
    store.sweep_all()
    assert not list((tmp_path / "locks").iterdir())


def test_a_state_directory_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    store = kept(tmp_path / "deep" / "state")
    shutil.rmtree(tmp_path / "deep")
    store.ensure()
    store.write_record("web", Record(Applied(POD)))
    assert state_files.read_object(store.record_file("web"))
