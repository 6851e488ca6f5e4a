# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place where input is judged: native options or Kubernetes documents in, a `PodSpec` or every fault out.

The rules are those of the Kubernetes API server's validation for v1 Pods (release 1.32), plus what one host
and Podman can keep. A field that is known to Kubernetes but not kept here is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from dataclasses import dataclass
from typing import Any

from .._errors import Fault, InvalidInput
from . import spec as s
from .documents import METADATA, assemble, config_object, join_objects, places_of, read_documents
from .fields.checks import whole_bytes
from .fields.config import check_config_map, check_secret
from .fields.pod import HOST_FIELDS, METADATA_FIELDS, POD_FIELDS, SPEC_HARMLESS, SPEC_UNSUPPORTED
from .fields.schema import Amount, Field, Integer, Object
from .place import INVALID, Note, Place, Style
from .pod_rules import check_pod, container_places
from .quantity import Quantity

_NATIVE = Object(s.PodSpec, POD_FIELDS, unsupported=SPEC_UNSUPPORTED, harmless=SPEC_HARMLESS)
_HOST = Object(dict, HOST_FIELDS)


@dataclass(frozen=True)
class PodPlace:
    """Where a pod is declared: its name, and the fields of Kubernetes' PodSpec. Their faults are unused."""

    name: Place
    spec: Place

    def container(self, pod: s.PodSpec, name: str) -> Place:
        """The place of one of the pod's containers."""
        return next(place for container, place in container_places(pod, self.spec) if container.name == name)


def native_place(path: str = "") -> PodPlace:
    """The place of a pod of native options, at their own or within others."""
    at = Place(path, Style.NATIVE)
    return PodPlace(at.key("name"), at)


def document_places(documents: SequenceT[Any], source: str | SequenceT[str] = "definition") -> dict[str, PodPlace]:
    """The places of the Pods among documents that the parser has taken, by their names; ``source`` as it was for it."""
    places = zip(documents, places_of(documents, source, []))
    pods = ((document, at) for document, at in places if isinstance(document, MappingT) and document["kind"] == "Pod")
    return {
        str(document["metadata"]["name"]): PodPlace(at.key("metadata").key("name"), at.key("spec"))
        for document, at in pods
    }


def parse_options(options: MappingT[str, Any]) -> s.PodSpec:
    """The pod that native (snake_case) options describe. Raises InvalidInput with every fault."""
    at = Place("", Style.NATIVE)
    pod = _NATIVE.parse(options, at)
    if pod is not INVALID:
        check_pod(pod, at)
    return _finish([pod], at.faults)


def parse_documents(
    documents: SequenceT[Any],
    options: MappingT[str, Any] | None = None,
    source: str = "definition",
    notes: list[Note] | None = None,
) -> s.PodSpec:
    """The pod that Kubernetes documents describe: one v1 Pod, with the ConfigMaps and Secrets it uses.

    ``options`` are the native ones of `HOST_FIELDS` given beside them; ``source`` is what faults call the documents.
    ``notes`` gets what they say and no host keeps, which is a fault where it is None.
    Raises InvalidInput with every fault.
    """
    faults: list[Fault] = []
    here = Place("", Style.NATIVE, faults)
    host = _HOST.parse(options or {}, here) or dict.fromkeys((field.name for field in HOST_FIELDS), INVALID)
    read = read_documents(documents, source, faults, notes=notes)
    config_maps = [config_object(s.ConfigMap, values, at, check_config_map) for values, at in read["ConfigMap"]]
    secrets = [config_object(s.Secret, values, at, check_secret) for values, at in read["Secret"]]
    given = {
        **host,
        "config_maps": join_objects("config map", config_maps, host["config_maps"], here.key("config_maps")),
        "secrets": join_objects("secret", secrets, host["secrets"], here.key("secrets")),
    }
    pods = [assemble(values, given) for values, _place in read["Pod"]]
    for pod, (_values, at) in zip(pods, read["Pod"]):
        check_pod(pod, at.key("spec"))
    if len(pods) > 1 or not (pods or faults):
        faults.append(Fault(source, _count_reason(len(pods))))
    return _finish(pods, faults)


def parse_name(options: MappingT[str, Any]) -> str:
    """The name among native options: all that is needed to remove a pod. Raises InvalidInput."""
    at = Place("", Style.NATIVE)
    name = METADATA.read_field(METADATA_FIELDS[0], options, at)
    if at.faults:
        raise InvalidInput(at.faults)
    return str(name)


def parse_document_name(documents: SequenceT[Any], source: str = "definition") -> str:
    """The name of the one Pod among Kubernetes documents; nothing else in them is judged. Raises InvalidInput."""
    found = [
        (document, at)
        for document, at in zip(documents, places_of(documents, source, []))
        if isinstance(document, MappingT) and document.get("kind") == "Pod"
    ]
    if len(found) != 1:
        raise InvalidInput([Fault(source, _count_reason(len(found)))])
    document, at = found[0]
    metadata = document.get("metadata")
    try:
        return parse_name(metadata if isinstance(metadata, MappingT) else {})
    except InvalidInput as error:
        at = at.key("metadata")
        raise InvalidInput([Fault(at.key(fault.path).path, fault.reason) for fault in error.faults]) from None


def _count_reason(count: int) -> str:
    return f"holds {count} Pods; give one, and a task for each" if count else "holds no Pod; give one"


ALLOCATABLE = Object(
    dict, (Field("cpu", Amount()), Field("memory", Amount(whole_bytes)), Field("pods", Integer(minimum=0)))
)


def parse_allocatable(options: MappingT[str, Any]) -> dict[str, int]:
    """What a host may hold, where it differs from its capacity: cpu in millicores, memory in bytes, pods."""
    at = Place("allocatable", Style.NATIVE)
    values = ALLOCATABLE.parse(options, at)
    if at.faults:
        raise InvalidInput(at.faults)
    given = {name: value for name, value in values.items() if value is not None}
    units = {"cpu": Quantity.milli, "memory": Quantity.integer}
    return {name: units[name](value) if name in units else value for name, value in given.items()}


def _finish(pods: SequenceT[Any], faults: SequenceT[Fault]) -> s.PodSpec:
    if faults:
        raise InvalidInput(faults)
    pod: s.PodSpec = pods[0]
    return pod
