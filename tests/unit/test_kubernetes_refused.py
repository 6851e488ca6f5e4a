# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubernetes has and a plain host has not is refused by its name, with what to use instead.

The table is data/kubernetes_refused.yml: adding a case is adding an entry. Beside it Kubernetes' own schema is gone
through, so that no field of a kind that is taken meets with "is not a known field".
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._errors import Fault, InvalidInput

TABLE = yaml.safe_load((Path(__file__).parent / "data" / "kubernetes_refused.yml").read_text(encoding="utf-8"))
SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema" / "v1.32.0-local-strict"

Document = dict[str, Any]

CONFIG: Document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
POD: Document = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "a", "image": "x"}], "volumes": [{"name": "data"}]},
}
CLAIM: Document = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def faults_of(*documents: Document) -> tuple[Fault, ...]:
    """The faults that the parser of stacks finds, none if it accepts."""
    try:
        parse_options({"name": "stack"}, documents)
    except InvalidInput as error:
        return error.faults
    return ()


def with_value(document: Document, path: str, value: Any) -> Document:
    """A copy of the document with a value at a path such as ``spec.containers[0].resources["example.org/x"]``."""
    document = copy.deepcopy(document)
    *steps, last = re.findall(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)', path)
    parent: Any = document
    for quoted, index, name in steps:
        parent = parent[int(index)] if index else parent.setdefault(quoted or name, {})
    parent["".join(last)] = value
    return document


def cases(group: str) -> list[Any]:
    return [pytest.param(row, id=row.get("kind") or row["at"]) for row in TABLE[group]]


def assert_refused(found: tuple[Fault, ...], path: str, instead: str) -> None:
    """There is this one fault, which says what to use instead."""
    assert [fault.path for fault in found] == [path], found
    assert "is not supported; " in found[0].reason
    assert instead in found[0].reason


@pytest.mark.parametrize("case", cases("kinds"))
def test_kinds_are_refused(case: dict[str, Any]) -> None:
    document = {"apiVersion": case["apiVersion"], "kind": case["kind"], "metadata": {"name": "web"}, "spec": {}}
    found = faults_of(document, POD)
    assert_refused(found, "definition[0].kind", case["instead"])
    assert repr(case["kind"]) in found[0].reason
    assert [fault.path for fault in faults_of(document)] == ["kind"]


@pytest.mark.parametrize("case", cases("fields"))
def test_fields_of_pods_are_refused(case: dict[str, Any]) -> None:
    found = faults_of(CONFIG, with_value(POD, case["at"], case["value"]))
    assert_refused(found, f"definition[1].{case['at']}", case["instead"])


@pytest.mark.parametrize("case", cases("claim_fields"))
def test_fields_of_claims_are_refused(case: dict[str, Any]) -> None:
    found = faults_of(with_value(CLAIM, case["at"], case["value"]), POD)
    assert_refused(found, f"definition[0].{case['at']}", case["instead"])


@pytest.mark.parametrize("case", cases("harmless"))
def test_what_asks_for_nothing_is_taken(case: dict[str, Any]) -> None:
    assert faults_of(with_value(POD, case["at"], case["value"])) == ()


# --- Kubernetes' own schema ------------------------------------------------------------------------------------------


def schema(name: str) -> Document:
    return dict(json.loads((SCHEMAS / name).read_text(encoding="utf-8")))


DEFINITIONS = schema("_definitions.json")["$defs"]


def skeletons(node: Document, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The path of every field of a schema, and the least value that has a field there."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from skeletons(DEFINITIONS[name], (*seen, name))
    for name, child in node.get("properties", {}).items():
        yield name, {name: "x"}
        yield from ((f"{name}.{path}", {name: value}) for path, value in skeletons(child, seen))
    if "items" in node:
        yield from ((f"[0].{path}", [value]) for path, value in skeletons(node["items"], seen))


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        *((kind, "v1") for kind in ("Pod", "ConfigMap", "Secret", "PersistentVolumeClaim", "Service")),
        ("Ingress", "networking-v1"),
    ],
)
def test_no_field_of_kubernetes_is_unknown(kind: str, version: str) -> None:
    fields = dict(skeletons(schema(f"{kind.lower()}-{version}.json")))
    assert len(fields) > 20
    unknown = {
        f"{fault.path}: {fault.reason}"
        for value in fields.values()
        for fault in faults_of({**value, "kind": kind})
        if "is not a known field" in fault.reason or re.fullmatch(r"is not supported(; )?", fault.reason)
    }
    assert unknown == set()
