# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What documents say and no host keeps is passed over with one note, or refused where that is asked for.

The table is data/kubernetes_noted.yml: adding a case is adding an entry.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from test_kubernetes_refused import POD, Document, with_value

from ansible_collections.podwright.pods.plugins.filter.to_kubernetes import to_kubernetes
from ansible_collections.podwright.pods.plugins.module_utils._declaration import parse
from ansible_collections.podwright.pods.plugins.module_utils._declaration.arguments import notes_for
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Note
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput
from ansible_collections.podwright.pods.plugins.plugin_utils._declaring import with_notes

TABLE = yaml.safe_load((Path(__file__).parent / "data" / "kubernetes_noted.yml").read_text(encoding="utf-8"))


def document_of(case: dict[str, Any]) -> Document:
    spec = {"spec": case["spec"]} if "spec" in case else {}
    return {"apiVersion": case["apiVersion"], "kind": case["kind"], "metadata": {"name": "shop"}, **spec}


def deployment(pod: Document) -> Document:
    """A Deployment of Pods like this one."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def notes_of(*documents: Document) -> list[Note]:
    """The notes of the parser of stacks, which has to accept all of it."""
    notes: list[Note] = []
    parse_options({"name": "stack"}, documents, notes=notes)
    return notes


def faults_of(*documents: Document) -> list[str]:
    try:
        parse_options({"name": "stack"}, documents)
    except InvalidInput as error:
        return [str(fault) for fault in error.faults]
    return []


def cases(group: str) -> list[Any]:
    rows = TABLE[group]
    return [pytest.param(row, id=str(row.get("at") or row.get("name") or row["kind"])) for row in rows]


@pytest.mark.parametrize("case", cases("kinds"))
def test_a_kind_that_means_nothing_here_is_one_note(case: dict[str, Any]) -> None:
    document = document_of(case)
    (note,) = notes_of(document, POD)
    assert (note.path, note.is_warning) == ("definition[0].kind", False)
    assert note.reason.startswith(f"the {case['kind']} 'shop' is not kept: ")
    assert case["note"] in note.reason
    (fault,) = faults_of(document, POD)
    assert fault.startswith(f"definition[0].kind: '{case['kind']}' is not supported; ")
    assert case["instead"] in fault


@pytest.mark.parametrize("case", cases("kinds"))
def test_it_may_stand_beside_a_pod_alone_too(case: dict[str, Any]) -> None:
    notes: list[Note] = []
    pod = parse.parse_documents([POD, document_of(case)], notes=notes)
    assert pod == parse.parse_documents([POD])
    assert [note.path for note in notes] == ["definition[1].kind"]
    with pytest.raises(InvalidInput):
        parse.parse_documents([POD, document_of(case)])


@pytest.mark.parametrize("case", cases("strangers"))
def test_a_kind_of_another_group_is_not_known(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        notes_of(document_of(case), POD)
    (fault,) = caught.value.faults
    assert fault.reason.startswith(f"{case['kind']!r} is not supported; give Pod, ConfigMap, Secret")


@pytest.mark.parametrize("case", cases("policies"))
def test_a_policy_that_would_have_closed_something_is_a_warning(case: dict[str, Any]) -> None:
    (note,) = notes_of(document_of({"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", **case}), POD)
    assert note.is_warning is case["closes"]
    assert ("stays open" in note.reason) is case["closes"]


@pytest.mark.parametrize("case", cases("fields"))
@pytest.mark.parametrize("prefix", ["", "spec.template."])
def test_a_field_that_a_pod_runs_as_well_without_is_a_note(prefix: str, case: dict[str, Any]) -> None:
    pod = with_value(POD, case["at"], case["value"])
    document, plain = (deployment(pod), deployment(POD)) if prefix else (pod, POD)
    notes: list[Note] = []
    stack = parse_options({"name": "stack"}, [document], notes=notes)
    assert stack == parse_options({"name": "stack"}, [plain])
    (note,) = notes
    assert note.path == prefix + case["at"]
    assert note.reason.startswith("is not kept: ")
    assert case["note"] in note.reason
    assert not note.is_warning
    (fault,) = faults_of(document)
    assert fault.startswith(f"{prefix}{case['at']}: is not supported; ")


@pytest.mark.parametrize("case", cases("silent"))
def test_what_asks_for_nothing_is_no_note(case: dict[str, Any]) -> None:
    assert notes_of(with_value(POD, case["at"], case["value"])) == []


def test_native_options_are_for_what_is_kept() -> None:
    pod = {"name": "web", "containers": [{"name": "a", "image": "x"}], "tolerations": [{"operator": "Exists"}]}
    notes: list[Note] = []
    with pytest.raises(InvalidInput, match=r"pods\[0\].tolerations: is not supported; "):
        parse_options({"name": "stack", "pods": [pod]}, [POD], notes=notes)
    assert notes == []


def test_a_run_says_whether_to_note_or_to_refuse() -> None:
    assert (notes_for({"unsupported": "note"}), notes_for({}), notes_for({"unsupported": "refuse"})) == ([], [], None)


@pytest.mark.parametrize("changed", [True, False])
def test_a_result_has_the_notes_and_warns_of_what_was_applied(changed: bool) -> None:
    quiet, loud = Note("a", "is not kept"), Note("b", "stays open", is_warning=True)
    result = with_notes({"changed": changed, "warnings": ["w"]}, [quiet, loud])
    assert result["notes"] == ["a: is not kept", "b: stays open"]
    assert result["warnings"] == (["w", "b: stays open"] if changed else ["w"])
    assert with_notes({"failed": True}, [quiet]) == {"failed": True}
    assert with_notes({"changed": True}, []) == {"changed": True}


def test_a_cluster_gets_what_a_host_does_not_keep() -> None:
    kinds = [document_of(case) for case in TABLE["kinds"]]
    assert to_kubernetes({"definition": [POD, *kinds]})[: len(kinds)] == kinds
    assert [one["kind"] for one in to_kubernetes({"definition": [POD, *kinds]})[len(kinds) :]] == ["Pod"]
