# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The claims of documents: named Podman volumes of a stack, by the names that Kubernetes has for them."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingT
from dataclasses import dataclass, field, replace
from typing import Any

from .annotations import ANNOTATED_METADATA, ANNOTATIONS, LABEL_NAMED_METADATA, own_annotations
from .documents import API_VERSION
from .fields.checks import dns_label, podman_name
from .fields.schema import Amount, Boolean, Field, Mapping, Object, Sequence, Text, Type
from .place import Place
from .volume_spec import NamedVolume

VOLUME = Object(
    NamedVolume,
    (
        Field("name", Text(podman_name), required=True),
        Field("size", Amount()),
        Field("driver", Text(), default="local"),
        Field("options", Mapping(Text()), default={}),
    ),
)
"""A named volume in native options."""
_NAME, *_VOLUME_FIELDS = VOLUME.fields
VOLUME_TEMPLATE = Object(NamedVolume, (replace(_NAME, type=Text(dns_label)), *_VOLUME_FIELDS))
"""A volume that each pod of a workload has for itself. Its mounts say the name, so that it is one of theirs."""

_BOUND_VOLUME = re.compile(r"pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What a cluster calls a volume that it made for a claim. It says nothing here; what a user has chosen does."""


_STORAGE = Object(dict, (Field("storage", Amount()),))
CLAIM = Object(
    dict,
    (
        API_VERSION,
        Field("kind", Text()),
        Field("metadata", ANNOTATED_METADATA, required=True),
        Field(
            "spec",
            Object(
                dict,
                (
                    Field("access_modes", Sequence(Text()), default=()),
                    Field("volume_mode", Text(choices=("Filesystem",)), default="Filesystem"),
                    Field("storage_class_name", Text(), default=""),
                    Field(
                        "selector",
                        Object(
                            dict,
                            (Field("match_labels", Mapping(Text()), default={}),),
                            ignored=frozenset({"matchExpressions"}),
                        ),
                    ),
                    Field("volume_name", Text(podman_name)),
                    Field(
                        "resources",
                        Object(
                            dict,
                            (Field("requests", _STORAGE), Field("limits", _STORAGE)),
                        ),
                    ),
                ),
                unsupported={
                    "volume_attributes_class_name": (
                        "give the volume's options in volumes, or in the annotation podwright.io/options"
                    ),
                    "data_source": "fill the volume with an init container",
                    "data_source_ref": "fill the volume with an init container",
                },
            ),
            required=True,
        ),
    ),
    ignored=frozenset({"status"}),
)
CLAIM_TEMPLATE = Object(
    dict,
    (
        replace(API_VERSION, required=False),
        Field("kind", Text(choices=("PersistentVolumeClaim",))),
        Field("metadata", LABEL_NAMED_METADATA, required=True),
        CLAIM.fields[-1],
    ),
    ignored=CLAIM.ignored,
)
"""A claim that each pod of a workload has for itself, in a document."""
_CLAIM_ANNOTATIONS: dict[str, Type] = {
    "volume-name": Text(podman_name),
    "declared": Boolean(),
    "assumed-size": Amount(),
    "driver": Text(),
    "options": Mapping(Text()),
}


@dataclass(frozen=True)
class WantedVolume:
    """What a claim says of the PersistentVolume that it is to be bound to."""

    volume_name: str = ""
    storage_class_name: str = ""
    access_modes: tuple[str, ...] = ()
    labels: MappingT[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A claim of a document: its name there, the volume that it stands for, and where its name stands."""

    name: str
    volume: NamedVolume
    name_at: Place
    is_declared: bool = True
    wanted: WantedVolume = WantedVolume()


def read_claim(values: Any, at: Place) -> Claim:
    """A claim. The size that was assumed for want of one is none, unless the request has been changed since."""
    place = at.key("metadata").key("annotations")
    own = own_annotations(values["metadata"]["annotations"], _CLAIM_ANNOTATIONS, place)
    requests = values["spec"]["resources"] and values["spec"]["resources"]["requests"]
    size = requests["storage"] if requests else None
    if size is not None and own.get("assumed-size") == size:
        size = None
    name, chosen = values["metadata"]["name"], values["spec"]["volume_name"]
    is_chosen = isinstance(chosen, str) and not _BOUND_VOLUME.fullmatch(chosen)
    volume_name = own.get("volume-name", chosen if is_chosen else name)
    volume = NamedVolume(volume_name, size, own.get("driver", "local"), own.get("options", {}))
    is_declared = own.get("declared", True) is not False
    if not is_declared and (volume.size is not None or volume.driver != "local" or volume.options):
        place.raw(f"{ANNOTATIONS}declared").fault("is false, but the size, driver or options declare it; leave it out")
    return Claim(name, volume, at.key("metadata").key("name"), is_declared, _wanted(values["spec"]))


def _wanted(spec: Any) -> WantedVolume:
    labels = spec["selector"]["match_labels"] if spec["selector"] else {}
    return WantedVolume(spec["volume_name"] or "", spec["storage_class_name"], spec["access_modes"], labels)
