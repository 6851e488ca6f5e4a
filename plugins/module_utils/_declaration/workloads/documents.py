# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads in the forms that `workloads` reads: native options and Kubernetes documents.

What Kubernetes has no field for stands in annotations under ``podwright.io/``, each as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .. import document_parts
from .. import spec as s
from ..annotations import ANNOTATIONS
from ..fields.schema import Field
from ..place import Style, spell
from ..volume_spec import NamedVolume
from . import fields as tables
from . import spec as w

Document = dict[str, Any]
_METADATA = ("name", "labels", "annotations")


def to_options(workload: w.AnyWorkload) -> Document:
    """The native options of a workload. Secret values are included: keep the result private."""
    options: Document = s.to_options(workload)
    outer = options.get("job_template", options)
    if outer is not options:
        outer.pop("name")
    outer["template"].pop("name")
    _write_out(_job_of(workload), outer, Style.NATIVE)
    return options


def to_document(workload: w.AnyWorkload) -> Document:
    """The Kubernetes document of a workload. Secret values are included: keep the result private."""
    fields: Document = s.to_document(workload)
    if isinstance(workload, w.CronJob):
        fields["jobTemplate"] = _job_template(workload.job_template, fields["jobTemplate"])
    else:
        _nest_template(workload, fields)
    own = _annotations(workload, tables.OWN_FIELDS.get(workload.kind, ()))
    for field in tables.OWN_FIELDS.get(workload.kind, ()):
        fields.pop(spell(field.name, Style.KUBERNETES), None)
    metadata = _metadata(fields, own)
    return {"apiVersion": workload.api_version, "kind": workload.kind, "metadata": metadata, "spec": fields}


def _job_template(job: w.Job, fields: Document) -> Document:
    _nest_template(job, fields)
    metadata = _metadata(fields, {})
    metadata.pop("name")
    return {"metadata": metadata, "spec": fields} if metadata else {"spec": fields}


def _nest_template(workload: w.PodWorkload, fields: Document) -> None:
    """Brings templates of pods and of claims into the form of a document, in place."""
    template = workload.template
    body = s.to_kubernetes(template)
    document_parts.complete_pod_spec(body["spec"])
    metadata = {name: value for name, value in body["metadata"].items() if name != "name"}
    own = _annotations(template, tables.TEMPLATE_HOST_FIELDS)
    if own:
        metadata["annotations"] = {**metadata.get("annotations", {}), **own}
    fields["template"] = {"metadata": metadata, "spec": body["spec"]} if metadata else {"spec": body["spec"]}
    if isinstance(workload, w.StatefulSet) and workload.volume_claim_templates:
        fields["volumeClaimTemplates"] = [_claim(claim) for claim in workload.volume_claim_templates]
    _write_out(workload, fields, Style.KUBERNETES)


def _claim(claim: NamedVolume) -> Document:
    return {name: part for name, part in document_parts.claim(claim).items() if name in ("metadata", "spec")}


def _metadata(fields: Document, own: Mapping[str, str]) -> Document:
    """Takes the metadata out of the fields and joins our own annotations to it."""
    metadata = {name: fields.pop(name) for name in _METADATA if name in fields}
    return {**metadata, "annotations": {**metadata.get("annotations", {}), **own}} if own else metadata


def _annotations(item: Any, own_fields: Sequence[Field]) -> dict[str, str]:
    """What the fields say that are not at their default, as annotations of our own."""
    values = {field.name: getattr(item, field.name) for field in own_fields}
    return {
        f"{ANNOTATIONS}{field.name.replace('_', '-')}": json.dumps(s.to_options(values[field.name]), ensure_ascii=False)
        for field in own_fields
        if values[field.name] != field.default
    }


def _job_of(workload: w.AnyWorkload) -> w.PodWorkload:
    return workload.job_template if isinstance(workload, w.CronJob) else workload


def _write_out(workload: w.PodWorkload, fields: Document, style: Style) -> None:
    """Writes out what has another default where it is not said: the counts of a Job, which depend on one another.

    And what Kubernetes wants to have said: the status of a condition.
    """
    if not isinstance(workload, w.Job):
        return
    for name in ("parallelism", "completions", "backoff_limit", "pod_replacement_policy"):
        value = getattr(workload, name)
        if value is not None:
            fields[spell(name, style)] = value
    for rule in fields.get("podFailurePolicy", {}).get("rules", ()):
        for pattern in rule.get("onPodConditions", ()):
            pattern.setdefault("status", "True")
