# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated secrets in the state directory: made once, rotated once for each higher number, listed, removed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.spec import Secret
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput
from ansible_collections.podwright.pods.plugins.module_utils._host.state.generated import Generated
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store

OWNER = "stack@shop"


def secret(**fields: object) -> Secret:
    return Secret("login", generate={"password": 12, "token": 20}, **fields)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.ensure()
    return store


def rotated(store: Store, declared: Secret) -> list[str]:
    """Rotate what is due as a run does, and return the keys."""
    due = store.renewals(OWNER, [declared])
    for name, values in due.items():
        store.renew(OWNER, name, values, declared.rotate)
    return sorted(key for values in due.values() for key in values)


def test_a_value_is_new_once_for_each_higher_number(store: Store) -> None:
    first = store.generate(OWNER, [secret()])["login"]
    assert rotated(store, secret()) == []
    assert rotated(store, secret(rotate={"password": 2})) == ["password"]
    second = store.generate(OWNER, [secret()])["login"]
    assert second["password"] != first["password"]
    assert len(second["password"]) == 12
    assert second["token"] == first["token"]
    for number in (2, 1, 0):
        assert rotated(store, secret(rotate={"password": number})) == []
    assert rotated(store, secret(rotate={"password": 3, "token": 1})) == ["password", "token"]


def test_the_first_value_is_that_of_the_number_that_is_declared(store: Store) -> None:
    store.generate(OWNER, [secret(rotate={"password": 5})])
    assert rotated(store, secret(rotate={"password": 5})) == []


def test_values_of_an_earlier_release_are_of_number_0(store: Store, tmp_path: Path) -> None:
    (tmp_path / "secrets" / f"{OWNER}.json").write_text(json.dumps({"login": {"password": "kept", "token": "too"}}))
    assert store.generate(OWNER, [secret()]) == {"login": {"password": "kept", "token": "too"}}
    assert store.list_generated() == (
        Generated(OWNER, "login", "password", 0, 0),
        Generated(OWNER, "login", "token", 0, 0),
    )
    assert rotated(store, secret(rotate={"password": 1})) == ["password"]


def test_what_is_asked_for_by_hand_is_new_and_keeps_its_number(store: Store) -> None:
    declared = secret(rotate={"password": 4})
    store.generate(OWNER, [declared])
    due = store.renewals(OWNER, [declared], [("login", "password")])
    assert [*due["login"]] == ["password"]
    store.renew(OWNER, "login", due["login"], declared.rotate)
    assert store.generate(OWNER, [declared])["login"]["password"] == due["login"]["password"]
    assert rotated(store, declared) == []
    assert [item.rotation for item in store.list_generated()] == [4, 0]


def test_the_values_before_can_be_put_back(store: Store) -> None:
    first = store.generate(OWNER, [secret()])
    before = store.kept_values(OWNER)
    assert rotated(store, secret(rotate={"token": 1})) == ["token"]
    store.keep_values(OWNER, before)
    assert store.generate(OWNER, [secret()]) == first
    assert rotated(store, secret(rotate={"token": 1})) == ["token"]


def test_the_list_holds_no_value(store: Store) -> None:
    before = int(time.time())
    values = store.generate(OWNER, [secret()])["login"]
    store.generate("web", [secret()])
    found = store.list_generated()
    assert [(item.owner, item.key) for item in found] == [
        (owner, key) for owner in (OWNER, "web") for key in ("password", "token")
    ]
    assert all(before <= item.made_at <= time.time() for item in found)
    assert not any(value in repr(found) for value in values.values())


def test_one_secret_or_all_can_be_removed(store: Store, tmp_path: Path) -> None:
    other = Secret("other", generate={"key": 9})
    store.generate(OWNER, [secret(), other])
    store.forget_generated(OWNER, "login")
    assert [item.secret for item in store.list_generated()] == ["other"]
    assert "login" not in (tmp_path / "secrets" / f"{OWNER}.json").read_text()
    store.generate(OWNER, [secret()])
    store.forget_generated(OWNER)
    assert store.list_generated() == ()
    assert not (tmp_path / "secrets" / f"{OWNER}.json").exists()
    store.generate(OWNER, [other])
    store.forget_generated(OWNER, "other")
    assert not (tmp_path / "secrets" / f"{OWNER}.json").exists()


def test_only_what_is_generated_can_be_rotated() -> None:
    options = {"name": "web", "containers": [{"name": "main", "image": "image"}]}
    given = {"name": "login", "string_data": {"user": "me"}, "generate": {"password": 12}, "rotate": {"user": 1}}
    with pytest.raises(InvalidInput) as caught:
        parse_options({**options, "secrets": [given]})
    assert "secrets[0].rotate.user: is not among the keys of generate" in str(caught.value)
    with pytest.raises(InvalidInput):
        parse_options({**options, "secrets": [{**given, "rotate": {"password": -1}}]})
    pod = parse_options({**options, "secrets": [{**given, "rotate": {"password": 7}}]})
    assert pod.secrets[0].rotate == {"password": 7}


def test_what_was_rotated_is_restored_beside_what_was_generated(store: Store) -> None:
    """A rollback keeps a value that the failed update generated: a database may already be encrypted with it."""
    first = store.generate(OWNER, [secret()])["login"]
    before = store.kept_values(OWNER)
    both = [secret(rotate={"password": 1}), Secret("other", generate={"key": 9})]
    added = store.generate(OWNER, both)["other"]
    assert rotated(store, both[0]) == ["password"]
    store.restore(OWNER, before, "login", ["password"])
    assert store.generate(OWNER, both) == {"login": first, "other": added}
    assert [*store.renewals(OWNER, both)] == ["login"]


def test_what_is_kept_is_told_with_what_a_pod_has(store: Store) -> None:
    store.generate("web", [secret()])
    kept = store.kept_secrets(OWNER, [secret()], ["db", "web"])
    assert kept.values == {}
    assert {key: former.pod for key, former in kept.former.items()} == {
        ("login", "password"): "web",
        ("login", "token"): "web",
    }
    values = store.generate(OWNER, [secret()], former_owners=["web"])
    assert {key: former.value for key, former in kept.former.items()} == {
        ("login", key): value for key, value in values["login"].items()
    }
    kept = store.kept_secrets(OWNER, [secret(rotate={"token": 3})], ["web"])
    assert (kept.values, kept.former) == (values, {})
    assert kept.rotations == {("login", "password"): 0, ("login", "token"): 0}
