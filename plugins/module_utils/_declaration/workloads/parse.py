# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads workloads: native options or Kubernetes documents in, objects of `spec` or every fault out.

Both spellings have the same fields (`fields`) and obey the same rules (`rules`).
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from dataclasses import dataclass, fields, replace
from dataclasses import field as dataclass_field
from typing import Any, cast

from ..._errors import Fault, InvalidInput
from .. import spec as s
from ..annotations import ANNOTATIONS, own_annotations, refuse_annotations
from ..claims import CLAIM_TEMPLATE, VOLUME_TEMPLATE, read_claim
from ..documents import DOCUMENTS, METADATA_IGNORED, Reading, read_documents
from ..fields.pod import METADATA_FIELDS, SPEC_FIELDS
from ..fields.schema import Field, Object, Sequence, Text
from ..persistent_volumes import Claimed, with_claimed, with_folders_of_set
from ..place import INVALID, Place, Style
from ..pod_rules import Configuration
from ..volume_spec import NamedVolume
from . import fields as tables
from . import spec as w
from .rules import WorkloadPlace, check_names, check_workload

_CLASSES: MappingT[str, Any] = {kind.kind: kind for kind in w.KINDS}
_HAS_CLAIMS = "StatefulSet"
_HAS_JOBS = "CronJob"


@dataclass(frozen=True)
class WorkloadAt:
    """A workload and where it stands."""

    workload: w.AnyWorkload
    place: WorkloadPlace
    shared: MappingT[str, Reading] = dataclass_field(default_factory=dict)
    """What annotations of its document say of the whole stack."""


# --- native options --------------------------------------------------------------------------------------------------


def _native(kind: str) -> Object:
    fields_ = (*_native_metadata(kind), *tables.SPECS[kind], *tables.OWN_FIELDS.get(kind, ()))
    return Object(dict, (*fields_, *_native_parts(kind)), unsupported=tables.KIND_UNSUPPORTED.get(kind, {}))


def _native_metadata(kind: str) -> tuple[Field, ...]:
    name, *rest = METADATA_FIELDS
    return (replace(name, type=Text(tables.NAME_CHECKS[kind])) if kind in tables.NAME_CHECKS else name, *rest)


def _native_parts(kind: str) -> tuple[Field, ...]:
    if kind == _HAS_JOBS:
        job = (
            *tables.TEMPLATE_METADATA.fields,
            *tables.SPECS["Job"],
            Field("template", tables.TEMPLATE, required=True),
        )
        return (Field("job_template", Object(dict, job, unsupported=tables.KIND_UNSUPPORTED["Job"]), required=True),)
    template = Field("template", tables.TEMPLATE, required=True)
    claims = Field("volume_claim_templates", Sequence(VOLUME_TEMPLATE, unique_by="name"), default=())
    return (template, claims) if kind == _HAS_CLAIMS else (template,)


WORKLOAD_FIELDS = tuple(Field(option, Sequence(_native(kind)), default=()) for option, kind in tables.OPTIONS.items())
"""The options of a stack that hold workloads."""


def native_workloads(values: MappingT[str, Any], at: Place) -> Iterator[WorkloadAt]:
    """The workloads among the values of `WORKLOAD_FIELDS`; ``at`` is where the options stand."""
    for option, kind in tables.OPTIONS.items():
        for number, given in enumerate(values[option]):
            if given is not INVALID:
                yield _native_workload(kind, given, at.key(option).index(number))


def _native_workload(kind: str, given: MappingT[str, Any], at: Place) -> WorkloadAt:
    refuse_annotations(given["annotations"], at.key("annotations"))
    outer = at.key("job_template") if kind == _HAS_JOBS else at
    template_at = outer.key("template")
    place = WorkloadPlace(
        at.key("name"), at, outer, template_at, template_at.key("labels"), at.key("volume_claim_templates")
    )
    inner = given["job_template"] if kind == _HAS_JOBS else given
    if inner is not INVALID and inner is not given:
        refuse_annotations(inner["annotations"], outer.key("annotations"))
    if inner is not INVALID and inner["template"] is not INVALID:
        refuse_annotations(inner["template"]["annotations"], template_at.key("annotations"))
    return WorkloadAt(_built(kind, given, has_label=True), place)


# --- documents -------------------------------------------------------------------------------------------------------


_JOB_LABELS = frozenset(
    f"{prefix}{name}" for prefix in ("", "batch.kubernetes.io/") for name in ("controller-uid", "job-name")
)
"""What a cluster writes on a Job and its pods, to know them by."""


class _JobDocument(Object):
    """A Job. One that was exported is read as it was declared, without what the cluster has told it by."""

    def parse(self, value: object, at: Place) -> Any:
        metadata = value.get("metadata") if isinstance(value, MappingT) else None
        if isinstance(metadata, MappingT) and metadata.get("uid"):
            value = _as_declared(_without_job_labels(value))
        return super().parse(value, at)


def _as_declared(job: MappingT[str, Any]) -> MappingT[str, Any]:
    spec = job.get("spec")
    if not isinstance(spec, MappingT):
        return job
    kept = {name: item for name, item in spec.items() if name != "selector"}
    return {**job, "spec": {**kept, "template": _without_job_labels(spec.get("template"))}}


def _without_job_labels(item: Any) -> Any:
    """A copy of a document, or of the template of one, without the labels of `_JOB_LABELS`."""
    metadata = item.get("metadata") if isinstance(item, MappingT) else None
    labels = metadata.get("labels") if isinstance(metadata, MappingT) else None
    if not isinstance(metadata, MappingT) or not isinstance(labels, MappingT):
        return item
    kept = {key: value for key, value in labels.items() if key not in _JOB_LABELS}
    return {**item, "metadata": {**metadata, "labels": kept}}


def _document(kind: str) -> Object:
    metadata = Object(dict, _native_metadata(kind), ignored=METADATA_IGNORED)
    spec = Object(
        dict,
        (*_document_spec(kind), *_document_parts(kind)),
        unsupported=tables.KIND_UNSUPPORTED.get(kind, {}),
        harmless=tables.KIND_HARMLESS.get(kind, {}),
    )
    version = Field("api_version", Text(choices=(_CLASSES[kind].api_version,)), required=True)
    table = _JobDocument if kind == "Job" else Object
    return table(
        dict,
        (
            version,
            Field("kind", Text(choices=(kind,)), required=True),
            Field("metadata", metadata, required=True),
            Field("spec", spec, required=True),
        ),
        ignored=frozenset({"status"}),
    )


def _document_spec(kind: str) -> Iterator[Field]:
    """The fields of a kind; apps/v1 has no selector by default."""
    for field in tables.SPECS[kind]:
        is_required = field.name == "selector" and _CLASSES[kind].api_version == "apps/v1"
        yield replace(field, required=True) if is_required else field


def _document_parts(kind: str) -> tuple[Field, ...]:
    template = Field("template", tables.DOCUMENT_TEMPLATE, required=True)
    if kind == _HAS_JOBS:
        job = Object(
            dict,
            (*tables.SPECS["Job"], template),
            unsupported=tables.KIND_UNSUPPORTED["Job"],
            harmless=tables.KIND_HARMLESS["Job"],
        )
        parts = (Field("metadata", tables.TEMPLATE_METADATA), Field("spec", job, required=True))
        return (Field("job_template", Object(dict, parts), required=True),)
    claims = Field("volume_claim_templates", Sequence(CLAIM_TEMPLATE), default=())
    return (template, claims) if kind == _HAS_CLAIMS else (template,)


WORKLOAD_DOCUMENTS: MappingT[str, Object] = {kind: _document(kind) for kind in _CLASSES}
"""The kinds of documents that are workloads."""


def document_workloads(
    read: MappingT[str, SequenceT[Reading]], volumes: MappingT[str, Claimed], shared: SequenceT[Field] = ()
) -> Iterator[WorkloadAt]:
    """The workloads among documents that were read by `WORKLOAD_DOCUMENTS`.

    ``volumes`` are what claims stand for that are more than named volumes of their names. ``shared`` is what
    annotations of any of them may say of the whole stack.
    """
    for kind in WORKLOAD_DOCUMENTS:
        for values, at in read.get(kind, ()):
            if values is not INVALID:
                yield _document_workload(kind, values, at, volumes, shared)


def _document_workload(
    kind: str, values: Any, at: Place, volumes: MappingT[str, Claimed], shared: SequenceT[Field]
) -> WorkloadAt:
    metadata_at, spec_at = at.key("metadata"), at.key("spec")
    outer = spec_at.key("job_template").key("spec") if kind == _HAS_JOBS else spec_at
    template_at = outer.key("template")
    place = WorkloadPlace(
        metadata_at.key("name"),
        spec_at,
        outer,
        template_at.key("spec"),
        template_at.key("metadata").key("labels"),
        spec_at.key("volume_claim_templates"),
    )
    metadata = _or_invalid(values["metadata"], _native_metadata(kind))
    given = {**metadata, **_or_invalid(values["spec"], (*tables.SPECS[kind], *_document_parts(kind)))}
    _take_own(given, (*tables.OWN_FIELDS.get(kind, ()), *shared), metadata_at)
    _flatten(kind, given, spec_at, volumes)
    if kind == _HAS_CLAIMS:
        given = with_folders_of_set(given, volumes)
    annotations_at = metadata_at.key("annotations")
    of_stack = {
        field.name: (given[field.name], annotations_at.raw(ANNOTATIONS + field.name.replace("_", "-")))
        for field in shared
    }
    return WorkloadAt(_built(kind, given), place, of_stack)


def _flatten(kind: str, given: dict[str, Any], at: Place, volumes: MappingT[str, Claimed]) -> None:
    """Brings the templates of a document into the form of native options, in place."""
    if kind == _HAS_JOBS:
        job = given["job_template"]
        if job is not INVALID:
            job_spec = _or_invalid(job["spec"], (*tables.SPECS["Job"], Field("template", tables.TEMPLATE)))
            job_at = at.key("job_template")
            given["job_template"] = {**(job["metadata"] or _NO_METADATA), **job_spec}
            _take_own(given["job_template"], (), job_at.key("metadata"))
            _flatten("Job", given["job_template"], job_at.key("spec"), volumes)
        return
    template = given["template"]
    if template is not INVALID:
        given["template"] = _flat_template(template, at.key("template"), volumes)
    if kind == _HAS_CLAIMS and given["volume_claim_templates"] is not INVALID:
        claims_at = at.key("volume_claim_templates")
        claims = enumerate(given["volume_claim_templates"])
        given["volume_claim_templates"] = tuple(
            _claim(claim, claims_at.index(number)) for number, claim in claims if claim is not INVALID
        )


_NO_METADATA: MappingT[str, Any] = {"labels": {}, "annotations": {}}


def _flat_template(template: Any, at: Place, volumes: MappingT[str, Claimed]) -> dict[str, Any]:
    flat = {**(template["metadata"] or _NO_METADATA), **_or_invalid(template["spec"], SPEC_FIELDS)}
    _take_own(flat, tables.TEMPLATE_HOST_FIELDS, at.key("metadata"), flat["host_network"])
    return with_claimed(flat, volumes)


def _take_own(
    given: dict[str, Any], own_fields: SequenceT[Field], metadata_at: Place, host_network: bool = False
) -> None:
    """Moves what our own annotations say into fields, in place."""
    at = metadata_at.key("annotations")
    types = {field.name.replace("_", "-"): field.type for field in own_fields}
    own = own_annotations(given["annotations"], types, at)
    for field in own_fields:
        given[field.name] = own.get(field.name.replace("_", "-"), field.default)
    if host_network is True and given.get("networks"):
        reason = "a pod on the host's network joins no other; leave one of them out"
        given["networks"] = at.raw(f"{ANNOTATIONS}networks").fault(reason)
    if given["annotations"] is not INVALID:
        kept = {key: text for key, text in given["annotations"].items() if not key.startswith(ANNOTATIONS)}
        given["annotations"] = kept


def _claim(values: Any, at: Place) -> NamedVolume:
    """A claim template. Its name is that of a volume of the pods as well, whatever else an annotation says."""
    claim = read_claim(values, at)
    if claim.volume.name != claim.name:
        at.fault("each pod has a volume of its own; leave the name of one out")
    return replace(claim.volume, name=claim.name)


def _or_invalid(values: Any, table: SequenceT[Field]) -> dict[str, Any]:
    """The fields of a part, all of them INVALID where it is no mapping."""
    return dict(values) if values else dict.fromkeys((field.name for field in table), INVALID)


# --- from values to objects ------------------------------------------------------------------------------------------


def _built(kind: str, given: MappingT[str, Any], has_label: bool = False) -> w.AnyWorkload:
    """The workload; ``has_label``: pods that nobody has given labels get one."""
    values = dict(given)
    name = values["name"]
    if kind == _HAS_JOBS:
        values["job_template"] = _job(name, values["job_template"])
    elif kind == "Job":
        return cast(w.Job, _job(name, values))
    else:
        values["template"] = _template(name, values["template"], has_label)
        values["selector"] = _selector(kind, values.get("selector"), values["template"])
    return cast(w.AnyWorkload, _CLASSES[kind](**_known(kind, values)))


def _known(kind: str, values: MappingT[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(_CLASSES[kind])}
    return {name: value for name, value in values.items() if name in names}


def _job(name: Any, given: Any) -> Any:
    """A Job with the defaults that depend on one another (Kubernetes: SetDefaults_Job)."""
    if given is INVALID:
        return INVALID
    values = {**given, "name": name, "template": _template(name, given["template"])}
    if values["parallelism"] is None and values["completions"] is None:
        values["completions"] = 1
    if values["parallelism"] is None:
        values["parallelism"] = 1
    if values["backoff_limit"] is None:
        has_own = values["backoff_limit_per_index"] is not None
        values["backoff_limit"] = w.UNLIMITED if has_own else w.DEFAULT_BACKOFF_LIMIT
    if values["pod_replacement_policy"] is None:
        values["pod_replacement_policy"] = "TerminatingOrFailed" if values["pod_failure_policy"] is None else "Failed"
    return w.Job(**_known("Job", values))


def _template(name: Any, given: Any, has_label: bool = False) -> Any:
    """The pods of a workload under its own name; ones that nobody has given labels get one to be selected by.

    Source: ``kubectl create deployment``.
    """
    if given is INVALID:
        return INVALID
    labels = {"app": name} if has_label and given["labels"] == {} and name is not INVALID else given["labels"]
    return s.PodSpec(**{**given, "name": name, "labels": labels})


def _selector(kind: str, given: Any, template: Any) -> Any:
    """The selector, by default all labels of the template."""
    if given is not None:
        return given
    labels = template.labels
    if kind == "ReplicationController" or labels is INVALID:
        return labels
    return w.Selector(dict(labels))


# --- templates alone -------------------------------------------------------------------------------------------------


def template_options(template: s.PodSpec) -> dict[str, Any]:
    """A template in the form that `read_template` reads. Secret values are included: keep the result private."""
    return dict(s.to_options(template))


def read_template(options: MappingT[str, Any]) -> s.PodSpec:
    """A template that was part of a workload once. Raises InvalidInput where one of its fields is none.

    What it refers to is not looked at: that may have changed since.
    """
    faults: list[Fault] = []
    name, fields_ = options.get("name", ""), {key: value for key, value in options.items() if key != "name"}
    values = tables.TEMPLATE.parse(fields_, Place("template", Style.NATIVE, faults))
    if faults:
        raise InvalidInput(faults)
    return s.PodSpec(**{**values, "name": name})


# --- entry points ----------------------------------------------------------------------------------------------------

_OPTIONS = Object(dict, WORKLOAD_FIELDS)


def parse_workloads(
    options: MappingT[str, Any],
    documents: SequenceT[Any] = (),
    source: str | SequenceT[str] = "definition",
    known: Configuration | None = None,
) -> tuple[w.AnyWorkload, ...]:
    """The workloads of options and documents that hold nothing else. Raises InvalidInput with every fault.

    ``known`` are the ConfigMaps and Secrets that their pods can refer to.
    """
    faults: list[Fault] = []
    at = Place("", Style.NATIVE, faults)
    values = _OPTIONS.parse(options, at)
    read = read_documents(documents, source, faults, {"Pod": DOCUMENTS["Pod"], **WORKLOAD_DOCUMENTS})
    found = [*native_workloads(values, at), *document_workloads(read, {})]
    check_workloads(found, known or Configuration((), ()))
    if faults:
        raise InvalidInput(faults)
    return tuple(one.workload for one in found)


def check_workloads(found: SequenceT[WorkloadAt], known: Configuration) -> None:
    """Notes a fault for each rule that a workload breaks, alone or beside the others."""
    for one in found:
        check_workload(one.workload, one.place, known)
    check_names([(one.workload, one.place.name) for one in found])
