# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes documents: the table of each kind that is read, what to give instead of others, and objects made of them.

What a cluster writes into exported documents is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from typing import Any

from .._errors import Fault
from . import foreign
from . import spec as s
from .fields.checks import object_name
from .fields.config import CONFIG_MAP, SECRET
from .fields.pod import METADATA_FIELDS, SPEC_FIELDS, SPEC_HARMLESS, SPEC_NOTED, SPEC_UNSUPPORTED
from .fields.schema import Field, Object, Text
from .noted_kinds import is_noted, note_document
from .place import INVALID, Note, Place, Style, shown, suggest

METADATA_IGNORED = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "managedFields",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)

METADATA = Object(dict, METADATA_FIELDS, ignored=METADATA_IGNORED)
SPEC = Object(
    dict,
    SPEC_FIELDS,
    unsupported=SPEC_UNSUPPORTED,
    harmless=SPEC_HARMLESS,
    noted=SPEC_NOTED,
)
API_VERSION = Field("api_version", Text(choices=("v1",)), required=True)
CONFIG_METADATA = Object(
    dict,
    (Field("name", Text(object_name), required=True),),
    ignored=METADATA_IGNORED | {"labels", "annotations"},
    secret=True,
)
_CONFIG_FIELDS = (API_VERSION, Field("kind", Text()), Field("metadata", CONFIG_METADATA, required=True))
_SECRET_FIELDS = tuple(field for field in SECRET.fields if field.name not in ("name", "generate", "rotate"))
DOCUMENTS = {
    "Pod": Object(
        dict,
        (
            API_VERSION,
            Field("kind", Text(choices=("Pod",)), required=True),
            Field("metadata", METADATA, required=True),
            Field("spec", SPEC, required=True),
        ),
        ignored=frozenset({"status"}),
    ),
    "ConfigMap": Object(dict, (*_CONFIG_FIELDS, *CONFIG_MAP.fields[1:])),
    "Secret": Object(dict, (*_CONFIG_FIELDS, *_SECRET_FIELDS), secret=True),
}
_OTHER_KINDS = {
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob"),
        "give it to the module stack, or its template as a Pod",
    ),
    "Service": "give it to the module stack, or publish ports with hostPort",
    "Ingress": "give it to the module stack with its Services, or publish ports with hostPort",
    "PersistentVolumeClaim": "named volumes are made when a pod claims them",
    "PersistentVolume": "named volumes are made when a pod claims them",
    "PodTemplate": "give its template as a Pod",
    "EndpointSlice": "give the addresses in hostAliases of the Pods",
    "RuntimeClass": "set the OCI runtime in the host's containers.conf",
    "Kustomization": "give the folder that it is in, which is built, or what kubectl kustomize makes of it",
    **dict.fromkeys(("Gateway", "HTTPRoute"), "give an Ingress to the module stack"),
}

UNNAMED = "definition"
"""What faults call documents that come from no file."""
Reading = tuple[Any, Place]
"""The values of one document (or what was built from them) and where it stands."""


def with_spec(read: SequenceT[Reading]) -> Iterator[Reading]:
    """Those whose metadata and spec could be read at all; of the others the faults are noted."""
    for values, at in read:
        if values is not INVALID and values["spec"] is not INVALID and values["metadata"] is not INVALID:
            yield values, at


def documents_in(definition: Any) -> list[Any]:
    """The documents of an option that holds one or a list of them, as they are; none where it is not given."""
    if definition is None:
        return []
    return list(definition) if isinstance(definition, (list, tuple)) else [definition]


def places_of(
    documents: SequenceT[Any], source: str | SequenceT[str], faults: list[Fault], notes: list[Note] | None = None
) -> list[Place]:
    """Where each document stands: paths start at its own fields where it is the only one and has no name of its own.

    ``source`` is what all of them are called together, or the name of each.
    """
    if len(documents) == 1 and (isinstance(source, str) or source[0] == UNNAMED):
        return [Place("", Style.KUBERNETES, faults, notes)]
    names = [f"{source}[{number}]" for number in range(len(documents))] if isinstance(source, str) else source
    return [Place(name, Style.KUBERNETES, faults, notes) for name in names]


def read_documents(
    documents: SequenceT[Any],
    source: str | SequenceT[str],
    faults: list[Fault],
    kinds: MappingT[str, Object] | None = None,
    notes: list[Note] | None = None,
) -> dict[str, list[Reading]]:
    """The documents' values by kind (of ``kinds``, by default DOCUMENTS); faults of others are noted.

    ``notes`` gets what is said and not kept, which is a fault where it is None.
    """
    kinds = DOCUMENTS if kinds is None else kinds
    read: dict[str, list[Reading]] = {kind: [] for kind in kinds}
    for document, at in zip(documents, places_of(documents, source, faults, notes)):
        kind = document.get("kind") if isinstance(document, MappingT) else None
        if kind == "Pod":
            document = _as_declared(document)
        if not isinstance(document, MappingT):
            here = Place(at.path or (source if isinstance(source, str) else source[0]), at.style, faults)
            here.fault("is not a mapping with apiVersion, kind and metadata")
        elif foreign.reason(document):
            here = Place(at.path or (source if isinstance(source, str) else source[0]), at.style, faults)
            here.fault(foreign.reason(document))
        elif not isinstance(kind, str) or suggest(kind, ("Pod",)):
            read["Pod"].append((kinds["Pod"].parse(document, at), at))
        elif kind in kinds:
            read[kind].append((kinds[kind].parse(document, at), at))
        elif is_noted(document):
            note_document(document, at)
        else:
            hint = _OTHER_KINDS.get(kind) or f"give {', '.join(kinds)}" + suggest(kind, tuple(kinds))
            at.key("kind").fault(f"{shown(kind)} is not supported; {hint}")
    return read


_API_ACCESS = re.compile(r"kube-api-access-[a-z0-9]{5}")
"""The volume that an API server adds to Pods, with a token of their service account."""


def _as_declared(document: MappingT[str, Any]) -> MappingT[str, Any]:
    """An exported Pod without what a cluster has put into its spec: its node, and its access to the API server."""
    metadata, spec = document.get("metadata"), document.get("spec")
    if not isinstance(metadata, MappingT) or not isinstance(spec, MappingT) or not metadata.get("uid"):
        return document
    spec = {name: value for name, value in spec.items() if name != "nodeName"}
    if isinstance(spec.get("volumes"), (list, tuple)):
        spec["volumes"] = [volume for volume in spec["volumes"] if not _is_api_access(volume)]
    for group in ("initContainers", "containers"):
        if isinstance(spec.get(group), (list, tuple)):
            spec[group] = [_without_api_access(container) for container in spec[group]]
    return {**document, "spec": spec}


def _without_api_access(container: Any) -> Any:
    mounts = container.get("volumeMounts") if isinstance(container, MappingT) else None
    if not isinstance(mounts, (list, tuple)):
        return container
    return {**container, "volumeMounts": [mount for mount in mounts if not _is_api_access(mount)]}


def _is_api_access(item: Any) -> bool:
    name = item.get("name") if isinstance(item, MappingT) else None
    return isinstance(name, str) and _API_ACCESS.fullmatch(name) is not None


def config_object(build: Any, values: Any, at: Place, check: Any) -> Reading:
    """A ConfigMap or Secret from the values of its document, and where its name stands."""
    fields = {name: value for name, value in values.items() if name not in ("api_version", "kind", "metadata")}
    built = build(name=values["metadata"]["name"], **fields)
    check(built, at)
    return built, at.key("metadata").key("name")


def join_objects(what: str, read: SequenceT[Reading], given: Any, given_at: Place) -> Any:
    """Objects from documents and from native options together; INVALID where the options are."""
    named = [*read, *((item, given_at.index(number).key("name")) for number, item in enumerate(given))]
    seen: dict[str, Place] = {}
    for number, (item, at) in enumerate(named):
        twin = seen.setdefault(item.name, at) if item.name is not INVALID else at
        # Doubles among the options themselves have been noted already.
        if twin is not at and (number < len(read) or twin in [there for _item, there in read]):
            at.fault(f"the {what} {item.name!r} is already given by {twin.path}")
    return given if given is INVALID else tuple(item for item, _place in named)


def assemble(values: Any, given: MappingT[str, Any]) -> s.PodSpec:
    """The pod of one document; fields of a part that is no mapping are INVALID."""
    metadata = values["metadata"] or dict.fromkeys((field.name for field in METADATA_FIELDS), INVALID)
    fields = values["spec"] or dict.fromkeys((field.name for field in SPEC_FIELDS), INVALID)
    return s.PodSpec(**metadata, **fields, **given)
