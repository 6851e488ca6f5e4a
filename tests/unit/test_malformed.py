# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused, with every fault of it at once; and that nothing makes the parser do anything but that.

The tables are data/malformed_native.yml and data/malformed_kubernetes.yml: adding a case is adding an entry.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pods import pod_specs

from ansible_collections.podwright.pods.plugins.module_utils._declaration import manifest
from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.fields.pod import HOST_FIELDS
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import (
    parse_allocatable,
    parse_document_name,
    parse_documents,
    parse_name,
    parse_options,
)
from ansible_collections.podwright.pods.plugins.module_utils._errors import Fault, InvalidInput

DATA = Path(__file__).parent / "data"
SECRET = "XSECRETX"


def cases(kind: str) -> list[Any]:
    rows = yaml.safe_load((DATA / f"malformed_{kind}.yml").read_text(encoding="utf-8"))
    return [pytest.param(row, id=row["name"].replace(" ", "-")) for row in rows]


def faults_of(parse: Callable[..., Any], *given: Any) -> tuple[Fault, ...]:
    """The faults that the parser finds, none if it accepts; any other exception is a failure of the test."""
    try:
        parse(*given)
    except InvalidInput as error:
        return error.faults
    return ()


def read_text(text: str, options: Mapping[str, Any] | None = None) -> s.PodSpec:
    return parse_documents(manifest.read(text), options)


def assert_faults(found: tuple[Fault, ...], expected: list[str]) -> None:
    """Each expected ``path | words`` is one of the faults found, and there are no others."""
    left = list(found)
    for row in expected:
        path, _separator, words = row.partition(" | ")
        match = next((fault for fault in left if fault.path == path and words in fault.reason), None)
        assert match, f"{row}\nis not among:\n" + "\n".join(f"{fault.path} | {fault.reason}" for fault in left)
        left.remove(match)
    assert not left, "not expected:\n" + "\n".join(f"{fault.path} | {fault.reason}" for fault in left)


def assert_shown_well(faults: tuple[Fault, ...]) -> None:
    """Faults are one short printable line each, and no secret stands in them."""
    for fault in faults:
        assert str(fault).isprintable(), ascii(str(fault))
        assert 0 < len(fault.reason) <= 600
        assert len(fault.path) < 400
        assert "INVALID" not in str(fault)
        assert SECRET not in str(fault)


@pytest.mark.parametrize("case", cases("native"))
def test_native_options_are_refused(case: dict[str, Any]) -> None:
    found = faults_of(parse_options, yaml.safe_load(case["given"]))
    assert_faults(found, case["faults"])
    assert_shown_well(found)


@pytest.mark.parametrize("case", cases("kubernetes"))
def test_manifests_are_refused(case: dict[str, Any]) -> None:
    found = faults_of(read_text, case["given"], case.get("options"))
    assert_faults(found, case["faults"])
    assert_shown_well(found)


def test_there_are_enough_cases() -> None:
    names = [case.values[0]["name"] for kind in ("native", "kubernetes") for case in cases(kind)]
    assert len(names) >= 150
    assert len(set(names)) == len(names) or len(names) - len(set(names)) < 20


# --- what a definition can be besides text ---------------------------------------------------------------------------

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "a", "image": "x"}]},
}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (5, ["definition | is not a mapping"]),
        ([], ["definition | holds no Pod"]),
        ([None], ["definition | holds no Pod"]),
        ([[POD]], ["definition | is not a mapping"]),
        (["", "# nothing"], ["definition | holds no Pod"]),
        (["a: [", POD], ["definition[0] | something else is expected here"]),
        ([POD, yaml.safe_dump(POD)], ["definition | holds 2 Pods"]),
        ({"kind": "List", "items": [POD, 5]}, ["definition[1] | is not a mapping"]),
        ({"kind": "List"}, ["definition.items | expected a list"]),
    ],
)
def test_definitions_that_are_refused(definition: Any, expected: list[str]) -> None:
    assert_faults(faults_of(lambda: parse_documents(manifest.read(definition))), expected)


def test_lists_within_lists_are_bounded() -> None:
    definition: Any = POD
    for _turn in range(100):
        definition = {"kind": "List", "items": [definition]}
    assert_faults(faults_of(manifest.read, definition), ["definition | holds more than 64 Lists within one another"])


def test_a_file_that_is_no_text_says_where() -> None:
    found = faults_of(manifest.decode, b"kind: Pod\nname: \xff\n", "pod.yml")
    assert_faults(found, ["pod.yml | line 2: is not UTF-8 text"])


def test_text_too_long_to_read_is_refused() -> None:
    found = faults_of(manifest.read, "a" * (manifest.MAX_CHARACTERS + 1))
    assert_faults(found, ["definition | at most 4194304 are read"])


def test_long_values_are_shown_short() -> None:
    long = "A" * 100_000
    options = {"name": long, "containers": [{"name": "a", "image": long, "ports": [{"name": long, long: long}]}]}
    found = faults_of(parse_options, {**options, "labels": {long: long}, "restart_policy": long})
    assert len(found) >= 6
    assert_shown_well(found)


_ITEM = "- name: a\n  image: x\n  env: [{name: A, value: b}]\n"


@pytest.mark.parametrize(
    "text",
    [
        "a:\n" + 14_000 * _ITEM + "  b: [\n",
        "a:\n" + 14_000 * _ITEM + "no colon\n",
        "a:\n" + 14_000 * _ITEM + "b: !tag x\n",
        "a: 'b\n" + 14_000 * _ITEM,
        1_000_000 * "[",
        400_000 * "- ",
        125_000 * '{"a":1}' + "{",
        200_000 * "---\n\ufeff" + "a: [",
        250_000 * "- x\n",
    ],
    ids=["bracket", "colon", "tag", "quote", "brackets", "dashes", "json", "marks", "items"],
)
def test_broken_text_is_refused_in_no_time(text: str) -> None:
    """One fault, of the processor's time a second at most for a megabyte."""
    started = time.process_time()
    found = faults_of(manifest.parse, text)
    assert time.process_time() - started < 2
    assert len(found) == 1
    assert found[0].reason.startswith("line ")


@pytest.mark.parametrize("escape", ['"\\U00110000"', '"\\UFFFFFFFF"', '"\\ud800"', '"\\x1"', '"\\q"'])
@pytest.mark.parametrize("has_libyaml", [True, False])
def test_escapes_of_no_character_are_refused(escape: str, has_libyaml: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_libyaml:
        monkeypatch.delattr(yaml, "CSafeLoader")
    found = faults_of(lambda: parse_documents(manifest.read(f"a: 1\nb: {escape}")))
    assert [fault.reason.partition(", ")[0] for fault in found] == ["line 2"]
    assert_shown_well(found)


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([], ["definition | holds no Pod"]),
        ([POD, POD], ["definition | holds 2 Pods"]),
        ([{"kind": "Secret"}, 5], ["definition | holds no Pod"]),
        ([{"kind": "Pod"}], ["metadata.name | is required"]),
        ([{"kind": "Pod", "metadata": []}], ["metadata.name | is required"]),
        ([{"kind": "Pod", "metadata": {"name": "A B"}}, {}], ["definition[0].metadata.name | 'A B' is not a name"]),
    ],
)
def test_names_of_documents_that_are_refused(documents: list[Any], expected: list[str]) -> None:
    assert_faults(faults_of(parse_document_name, documents), expected)


def test_a_name_is_all_that_removing_takes() -> None:
    assert parse_name({"name": "web", "containers": 5}) == "web"
    assert parse_document_name([{"kind": "Pod", "metadata": {"name": "web"}, "spec": 5}, {"kind": "Job"}]) == "web"
    assert_faults(faults_of(parse_name, {"name": ["web"]}), ["name | expected a string, got a list"])


def test_allocatable_is_judged() -> None:
    assert parse_allocatable({"cpu": "1.5", "memory": "1Gi", "pods": "10"}) == {
        "cpu": 1500,
        "memory": 1 << 30,
        "pods": 10,
    }
    found = faults_of(parse_allocatable, {"cpu": "much", "memory": "1.5", "pods": -1, "disk": "1Gi"})
    assert [fault.path for fault in found] == [
        "allocatable.disk",
        "allocatable.cpu",
        "allocatable.memory",
        "allocatable.pods",
    ]


# --- anything at all -------------------------------------------------------------------------------------------------

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**4299, 10**4310)
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.binary(max_size=5)
    | st.sampled_from(["", "..", "/", "a", "Always", "0", "-1", "1Gi", "\0", "\ud800", "\x1b[2J", "²", "Pod", "a\nb"])
)
_KEYS = st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.dates() | st.tuples(st.text())
anything = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) within a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _replace(draw: Any, parent: Any, key: Any) -> None:
    parent[key] = draw(anything)


def _remove(draw: Any, parent: Any, key: Any) -> None:
    del parent[key]


def _wrap(draw: Any, parent: Any, key: Any) -> None:
    parent[key] = draw(st.sampled_from([[parent[key]], {"a": parent[key]}, [parent[key], parent[key]]]))


def _hoist(draw: Any, parent: Any, key: Any) -> None:
    """Puts what is within in the place of what it is in."""
    inner = parent[key]
    inner = list(inner.values()) if isinstance(inner, dict) else inner
    if isinstance(inner, list) and inner:
        parent[key] = draw(st.sampled_from(inner))


def _rename(draw: Any, parent: Any, key: Any) -> None:
    if isinstance(parent, dict):
        value = parent.pop(key)
        camel = "".join(part.capitalize() if number else part for number, part in enumerate(str(key).split("_")))
        parent[draw(st.sampled_from([f"{key}s", str(key)[:-1], camel, str(key).upper()]) | _KEYS)] = value


def _duplicate(draw: Any, parent: Any, key: Any) -> None:
    if isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))


@st.composite
def mutated(draw: Any, value: Any) -> Any:
    """A copy of a valid declaration with a few things wrong in it."""
    value = copy.deepcopy(value)
    for _turn in range(draw(st.integers(1, 4))):
        places = list(_places(value))
        if places:
            mutate = draw(st.sampled_from([_replace, _remove, _wrap, _hoist, _rename, _duplicate]))
            mutate(draw, *draw(st.sampled_from(places)))
    return value


def _with_marked_secrets(pod: s.PodSpec) -> dict[str, Any]:
    """The pod's options, every secret value in them marked as one."""
    options: dict[str, Any] = s.to_options(pod)
    for secret in options.get("secrets", ()):
        secret["string_data"] = {key: SECRET + value for key, value in secret.get("string_data", {}).items()}
        # Not base64, so that it is a fault of its own.
        secret["data"] = dict.fromkeys(secret.get("data", {}), f"{SECRET}!")
    return options


def _documents(options: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The same as Kubernetes documents and the options beside them."""
    host_names = {field.name for field in HOST_FIELDS}
    host = {name: value for name, value in options.items() if name in host_names}
    plain = parse_options({name: value for name, value in options.items() if name != "secrets"})
    secrets = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": secret["name"]},
            "stringData": secret["string_data"],
            "data": secret["data"],
        }
        for secret in host.pop("secrets", ())
    ]
    return [s.to_kubernetes(plain), *secrets], host


@given(pod_specs(), st.data())
def test_mutated_options_are_refused_or_read(pod: s.PodSpec, data: st.DataObject) -> None:
    options = data.draw(mutated(_with_marked_secrets(pod)))
    assume(isinstance(options, dict))
    assert_shown_well(faults_of(parse_options, options))


@given(pod_specs(), st.data())
def test_mutated_documents_are_refused_or_read(pod: s.PodSpec, data: st.DataObject) -> None:
    plain = s.to_options(pod)
    plain.pop("volumes", None)
    for container in (*plain["containers"], *plain.get("init_containers", ())):
        for name in ("env", "env_from", "volume_mounts"):
            container.pop(name, None)
    marked = _with_marked_secrets(pod)
    documents, host = _documents({**plain, **({"secrets": marked["secrets"]} if "secrets" in marked else {})})
    given_documents, given_host = data.draw(mutated([documents, host]).filter(lambda pair: len(pair) == 2))
    assume(isinstance(given_host, dict))
    assert_shown_well(faults_of(lambda: parse_documents(manifest.read(given_documents), given_host)))


@given(anything)
@example({"kind": ["Pod"]})
@example([{"kind": {"a": "b"}}])
def test_anything_at_all_is_refused_or_read(value: Any) -> None:
    assert faults_of(parse_options, value)
    if not isinstance(value, str):
        assert faults_of(lambda: parse_documents(manifest.read(value)))
    for name in ("metadata", "spec", "apiVersion"):
        assert faults_of(parse_documents, [{**POD, name: value, "zz": 1}])
    for name in (field.name for field in HOST_FIELDS):
        assert_shown_well(faults_of(parse_documents, [POD], {name: value}))


@given(st.text(max_size=60) | st.text(alphabet="ab:-[]{}&*!|>'\"%@`#?,<= \n\t", max_size=60))
def test_any_text_is_refused_or_read(text: str) -> None:
    assert faults_of(read_text, text)


@given(pod_specs(), st.data())
def test_damaged_text_is_refused_or_read(pod: s.PodSpec, data: st.DataObject) -> None:
    text = yaml.safe_dump(s.to_kubernetes(pod))
    for _turn in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 5))
        text = text[:start] + data.draw(st.text(alphabet="ab:-[]{}&*!|>'\"\n\t ", max_size=4)) + text[end:]
    assert_shown_well(faults_of(read_text, text))
