# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `podwright repair` makes of a damaged state directory: what other files tell, and no secret by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack import parse as stack_parse
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import pod_with_configuration
from ansible_collections.podwright.pods.plugins.module_utils._errors import DamagedState, HostError
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import Revision, StackStore
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Applied, Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.context import Settings
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import owner_of_secrets
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import Owned, StackRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.secrets import with_values
from ansible_collections.podwright.pods.plugins.module_utils._runs import repair

PASSWORD = {"name": "P", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}}
CONTAINERS = [{"name": "main", "image": "image", "env": [PASSWORD]}]
SECRETS = [{"name": "login", "generate": {"password": 24}, "rotate": {"password": 3}}]
STACK = stack_parse.parse_options(
    {
        "name": "shop",
        "pods": [{"name": "db", "containers": CONTAINERS}, {"name": "web", "containers": CONTAINERS}],
        "secrets": SECRETS,
    },
    (),
)
LONE = parse_options({"name": "lone", "containers": CONTAINERS, "secrets": SECRETS})


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A stack of two pods with a generated secret, and a pod of its own with another one, as runs leave them."""

    def refuse() -> None:
        raise HostError("no Podman here")

    monkeypatch.setenv("PODWRIGHT_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(repair.podman_service, "connect", refuse)
    made = Store()
    made.ensure()
    values = made.generate(owner_of_secrets("shop"), STACK.secrets)
    secrets = with_values(STACK.secrets, values)
    files = StackStore(made, "shop")
    files.write_revision(Revision(1, replace(STACK, pods=STACK.pods[:1]), 0, "me", "first"))
    files.write_revision(Revision(2, STACK, 0, "me", "second"))
    files.write(StackRecord(2, (1, 2), Owned(("db", "web"))))
    for pod in STACK.pods:
        full = pod_with_configuration(replace(STACK, secrets=secrets), pod)
        made.write_record(pod.name, Record(Applied(full), True, settings=Settings(stack="shop")))
    made.generate("lone", LONE.secrets)
    made.write_record("lone", Record(Applied(LONE), True))
    return made


def mend(name: str, is_check: bool = False, **options: Any) -> dict[str, Any]:
    return repair.run_repair({"name": name, **options}, is_check)


def kept_aside(path: Path) -> bytes:
    (aside,) = path.parent.glob(f"{path.name}.damaged-*")
    return aside.read_bytes()


def all_files(store: Store) -> dict[Path, bytes]:
    return {
        path: path.read_bytes() for path in store.directory.rglob("*") if path.is_file() and path.parent.name != "locks"
    }


@pytest.mark.parametrize("name", ["shop", "db", "web", "lone"])
def test_what_is_whole_is_left_alone(store: Store, name: str) -> None:
    before = all_files(store)
    assert mend(name, accept_new_secrets=True) == {"changed": False, "actions": [], "advice": [], "found": True}
    assert all_files(store) == before


def test_what_is_not_there_is_not_found(store: Store) -> None:
    assert not mend("nobody")["found"]


def test_check_mode_tells_and_does_nothing(store: Store) -> None:
    for path in (store.record_file("lone"), store.secrets_file("stack@shop"), StackStore(store, "shop").record_file):
        path.write_bytes(b"")
    before = all_files(store)
    for name in ("shop", "lone"):
        told = mend(name, True)
        assert told["changed"]
        assert any(line.startswith("move ") for line in told["actions"])
    assert all_files(store) == before


def test_a_pod_s_record_is_made_anew_as_its_stack_declares_it(store: Store) -> None:
    before = store.read_record("db")
    assert before
    store.record_file("db").write_bytes(b"[]")
    told = mend("db")
    assert told["advice"] == []
    after = store.read_record("db")
    assert after
    assert (after.applied.pod, after.settings.stack) == (before.applied.pod, "shop")
    assert not after.is_verified
    assert kept_aside(store.record_file("db")) == b"[]"
    assert not mend("db")["changed"]


def test_a_pod_of_no_stack_waits_for_its_next_run(store: Store) -> None:
    store.record_file("lone").write_bytes(b"{")
    told = mend("lone")
    assert "apply pod lone again" in told["advice"][0]
    assert store.read_record("lone") is None
    assert kept_aside(store.record_file("lone")) == b"{"


def test_a_stack_s_record_is_made_anew_from_its_revisions_and_pods(store: Store) -> None:
    files = StackStore(store, "shop")
    files.record_file.write_bytes(b"\xff\xfe")
    assert mend("shop")["advice"] == []
    assert files.read() == StackRecord(2, (2,), Owned(("db", "web")))
    assert kept_aside(files.record_file) == b"\xff\xfe"


def test_a_stack_s_record_and_that_of_a_pod(store: Store) -> None:
    """The stack first, which then tells of the pod; whether it was well is not known."""
    files = StackStore(store, "shop")
    files.record_file.write_bytes(b"")
    store.record_file("db").write_bytes(b"")
    told = mend("db")
    assert not told["changed"]
    assert f"the record of pod db can be mended once this is: {files.record_file}" in told["advice"][0]
    mend("shop")
    record = files.read()
    assert (record.current, record.all_good, set(record.owned.pods)) == (2, (), {"db", "web"})
    assert mend("db")["advice"] == []
    assert store.read_record("db")


def test_a_damaged_revision_is_no_longer_the_present_one(store: Store) -> None:
    files = StackStore(store, "shop")
    path = files.directory / "revisions" / "2.json"
    path.write_bytes(b"null")
    mend("shop")
    assert files.numbers() == (1,)
    assert files.read() == StackRecord(1, (1,), Owned(("db", "web")))
    assert kept_aside(path) == b"null"


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b""), Path.unlink])
def test_secrets_of_a_stack_come_back_from_the_records_of_its_pods(store: Store, damage: Any) -> None:
    owner = owner_of_secrets("shop")
    values = store.generate(owner, STACK.secrets)
    damage(store.secrets_file(owner))
    with pytest.raises(DamagedState):
        store.generate(owner, STACK.secrets, promised=STACK.secrets)
    told = mend("shop")
    assert told["advice"] == []
    assert store.generate(owner, STACK.secrets, promised=STACK.secrets) == values
    assert store.renewals(owner, STACK.secrets) == {}
    assert not any(value in line for line in told["actions"] for value in values["login"].values())


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b""), Path.unlink])
def test_secrets_that_nothing_tells_are_made_anew_only_when_told(store: Store, damage: Any) -> None:
    values, path = store.generate("lone", LONE.secrets), store.secrets_file("lone")
    damage(path)
    before = all_files(store)
    told = mend("lone")
    assert not told["changed"]
    assert "no new value is generated" in told["advice"][0]
    assert all_files(store) == before
    told = mend("lone", accept_new_secrets=True)
    assert "secret login: password is made anew" in told["actions"]
    assert told["advice"] == []
    assert store.generate("lone", LONE.secrets, promised=LONE.secrets) != values
    assert not mend("lone")["changed"]


def test_secrets_of_which_some_can_be_read_keep_those(store: Store) -> None:
    path = store.secrets_file("lone")
    path.write_text('{"login": {"user": "root"}}')
    mend("lone", accept_new_secrets=True)
    values = store.kept_values("lone")["login"]
    assert values["user"] == "root"
    assert len(values["password"]) == 24
