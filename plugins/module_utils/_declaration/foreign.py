# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files among declarations that declare nothing: what they seem to be, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._errors import Fault
from .place import Note

Document = Mapping[Any, Any]

_LEAVE_OUT = "take it out of the folder, or name the files that are to be read"
_OBJECT_KEYS = frozenset({"apiVersion", "metadata", "spec", "data", "stringData"})
_KUSTOMIZATION_KEYS = frozenset(
    {"resources", "bases", "patches", "patchesStrategicMerge", "configMapGenerator", "secretGenerator", "namePrefix"}
)
_PIPELINE_KEYS = frozenset({"stages", "script", "before_script", "include", "steps", "pipeline"})


def reason(document: Any) -> str:
    """Why a document without a kind is no declaration; empty if it has a kind, or only lacks one."""
    if not isinstance(document, Mapping) or document.get("kind") is not None:
        return ""
    return next((words for is_met, words in _KINDS if is_met(document)), "")


def set_apart(
    documents: Sequence[tuple[str, Any]],
    faults: list[Fault],
    notes: list[Note] | None,
    reason_against: Callable[[Any], str],
) -> list[tuple[str, Any]]:
    """Those of a folder's documents, each with its name, that may declare something.

    ``reason_against`` says why one is no declaration, or nothing. Such a one is passed over with a note where there
    are ``notes`` and something else is declared; else it is a fault. So are native options, which are meant.
    """
    reasons = [(name, document, reason_against(document)) for name, document in documents]
    kept = [(name, document) for name, document, why in reasons if not why]
    for name, document, why in reasons:
        if why and (notes is None or not kept or (isinstance(document, Mapping) and _is_native(document))):
            faults.append(Fault(name, why))
        elif why and notes is not None:
            notes.append(Note(name, f"is passed over: it {why.partition(';')[0]}"))
    return kept


def is_compose_file(document: Document) -> bool:
    return isinstance(document.get("services"), Mapping) and "spec" not in document


def _is_kustomization(document: Document) -> bool:
    return "metadata" not in document and not _KUSTOMIZATION_KEYS.isdisjoint(document)


def _is_chart(document: Document) -> bool:
    return {"apiVersion", "name", "version"} <= {*document} and "metadata" not in document


def is_workflow(document: Document) -> bool:
    return "jobs" in document and not {"on", True}.isdisjoint(document)


def _is_pipeline(document: Document) -> bool:
    return _is_no_object(document) and not _PIPELINE_KEYS.isdisjoint(document)


def _is_native(document: Document) -> bool:
    return _is_no_object(document) and "containers" in document


def _is_no_object(document: Document) -> bool:
    return bool(document) and _OBJECT_KEYS.isdisjoint(document)


_KINDS: tuple[tuple[Callable[[Document], bool], str], ...] = (
    (
        is_compose_file,
        f"is a Compose file, and no Kubernetes document; give its services as containers of Pods, or {_LEAVE_OUT}",
    ),
    (
        _is_kustomization,
        "is a kustomization, which is built where the folder that it is in is given; give that folder, or what "
        "kubectl kustomize makes of it",
    ),
    (_is_chart, "is the Chart.yaml of a Helm chart; give what helm template makes of the chart"),
    (is_workflow, f"is a workflow of a CI, and no Kubernetes document; {_LEAVE_OUT}"),
    (_is_native, "holds the native options of a pod; give them as options of the task, or as pods of a stack"),
    (_is_pipeline, f"is a pipeline of a CI, and no Kubernetes document; {_LEAVE_OUT}"),
    (
        _is_no_object,
        "has no kind, so that it is no Kubernetes document; values of a Helm chart go to helm template, and what it "
        f"makes comes here; else {_LEAVE_OUT}",
    ),
)
