# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PersistentVolumes of documents: folders of the host, and the claims that are bound to them.

A claim is bound as by Kubernetes' controller of volumes: to the volume that it names, or that names it, or else to the
smallest one of its class, modes and labels that is large enough. What has it then mounts the folder. Other claims are
named volumes of Podman. Claims of volumeClaimTemplates have a binding for each Pod, which is kept from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import spec as s
from .affinity import Affinity, NodeAffinity, NodeSelector, NodeSelectorTerm
from .claims import Claim
from .documents import API_VERSION, METADATA_IGNORED, Reading
from .fields.affinity import NODE_SELECTOR
from .fields.checks import host_path, object_name
from .fields.schema import Amount, Field, Object, Text
from .fields.schema import Mapping as MappingType
from .fields.schema import Sequence as SequenceType
from .fields.volume import HOST_PATH
from .place import INVALID, Place
from .set_claims import ClaimsBefore, TemplateClaims, in_turn
from .workloads import spec as w

_USE_FOLDER = (
    "give a folder of the host as hostPath or local, or leave the volume out: its claim is then a named volume"
)
_OTHER_SOURCES = (
    "aws_elastic_block_store azure_disk azure_file cephfs cinder csi fc flex_volume flocker gce_persistent_disk "
    "glusterfs iscsi nfs photon_persistent_disk portworx_volume quobyte rbd scale_io storageos vsphere_volume"
)
_SPEC = Object(
    dict,
    (
        Field("capacity", Object(dict, (Field("storage", Amount()),))),
        Field("access_modes", SequenceType(Text()), default=()),
        Field("storage_class_name", Text(), default=""),
        Field("volume_mode", Text(choices=("Filesystem",)), default="Filesystem"),
        Field("persistent_volume_reclaim_policy", Text(choices=("Retain", "Recycle", "Delete")), default="Retain"),
        Field(
            "claim_ref",
            Object(
                dict,
                (Field("name", Text(object_name), required=True),),
                ignored=frozenset({"apiVersion", "kind", "namespace", "resourceVersion", "uid", "fieldPath"}),
            ),
        ),
        Field("host_path", HOST_PATH),
        Field(
            "local",
            Object(dict, (Field("path", Text(host_path), required=True),), ignored=frozenset({"fsType"})),
        ),
        Field("node_affinity", Object(dict, (Field("required", NODE_SELECTOR),))),
    ),
    one_of=("host_path", "local"),
    unsupported=dict.fromkeys(_OTHER_SOURCES.split(), _USE_FOLDER),
    ignored=frozenset({"mountOptions", "volumeAttributesClassName"}),
)
PERSISTENT_VOLUME = Object(
    dict,
    (
        API_VERSION,
        Field("kind", Text()),
        Field(
            "metadata",
            Object(
                dict,
                (Field("name", Text(object_name), required=True), Field("labels", MappingType(Text()), default={})),
                ignored=METADATA_IGNORED | {"annotations"},
            ),
            required=True,
        ),
        Field("spec", _SPEC, required=True),
    ),
    ignored=frozenset({"status"}),
)


@dataclass(frozen=True)
class Claimed:
    """What a claim of documents stands for: a named volume of Podman, or a folder of the host.

    ``hosts`` are those that have the folder, where its volume says so.
    """

    volume: str = ""
    folder: s.HostPathVolume | None = None
    hosts: NodeSelector | None = None

    @property
    def path(self) -> str:
        return self.folder.path if self.folder else ""


def bind(
    volumes: Sequence[Reading],
    claims: Sequence[Claim],
    templates: Sequence[TemplateClaims] = (),
    before: ClaimsBefore | None = None,
) -> dict[str, Claimed]:
    """The claims that stand for something else than the named volume of their name, by their names.

    Those of ``templates`` come after the others, and what they stood for ``before``, they stand for again. Notes a
    volume that no claim is bound to: what counts on its folder gets another one. A template whose class has volumes,
    none of which is left for it, is a fault: its Pods would begin without what is in them.
    """
    before = before or {}
    free = [(values, at) for values, at in volumes if values and values["metadata"] and _has_folder(values, at)]
    classes = {values["spec"]["storage_class_name"] for values, _at in free} - {""}
    bound: dict[str, Claimed] = {claim.name: Claimed(claim.volume.name) for claim in claims if _is_renamed(claim)}
    bindable = [group for group in templates if None not in group.of_before(before).values()]
    for group in bindable:
        bound.update(_bound_again(group.of_before(before), free))
    own = {claim.name for claim in claims}
    of_pods = (claim for claim in in_turn(bindable, len(volumes) + len(before)) if claim.name not in own)
    stay = {name for name, folder in before.items() if folder is None}
    waiting = [claim for claim in (*claims, *of_pods) if claim.name not in stay]
    for fits in (_is_named, _is_fitting):
        for claim in (claim for claim in waiting if claim.name not in bound or not bound[claim.name].folder):
            fitting = [one for one in free if fits(one[0], claim)]
            if fitting:
                chosen = min(fitting, key=_order)
                free.remove(chosen)
                bound[claim.name] = _claimed(chosen[0])
    _tell_unbound(free)
    for group in bindable:
        has_folder = any(one.folder and group.is_one(name) for name, one in bound.items())
        if not has_folder and group.owner.replicas and group.template.wanted.storage_class_name in classes:
            group.at.fault(
                f"no PersistentVolume of the class {group.template.wanted.storage_class_name!r} is left that fits; "
                f"declare one for each Pod, large enough and with its accessModes and labels, or one with the claimRef "
                f"{group.claim(group.owner.ordinals.start).name!r}; without storageClassName they are named volumes"
            )
    return bound


def _bound_again(folders: ClaimsBefore, free: list[Reading]) -> dict[str, Claimed]:
    """What claims stand for that had these folders before, whose volumes are no longer free."""
    bound = {}
    for name, folder in folders.items():
        volume = next((one for one in free if folder and _claimed(one[0]).path == folder.path), None)
        if volume:
            free.remove(volume)
        bound[name] = Claimed(folder=folder, hosts=_claimed(volume[0]).hosts if volume else None)
    return bound


def _order(volume: Reading) -> Any:
    """The smallest comes first, and of several the first by name."""
    capacity = _capacity(volume[0])
    return capacity is None, capacity or 0, volume[0]["metadata"]["name"]


def _tell_unbound(free: Sequence[Reading]) -> None:
    for values, at in free:
        name = values["metadata"]["name"]
        at.key("kind").tell(
            f"no claim is bound to the PersistentVolume {name!r}, and its folder is not used; a claim is bound by "
            "volumeName, or by its storageClassName, accessModes and size",
            is_warning=True,
        )


def _has_folder(values: Any, at: Place) -> bool:
    spec = values["spec"]
    if not spec:
        return False
    if spec["host_path"] or spec["local"]:
        return True
    spec_at = at.key("spec")
    if not any(fault.path.startswith(spec_at.path) for fault in at.faults):
        spec_at.fault(f"has neither hostPath nor local; {_USE_FOLDER}")
    return False


def _is_renamed(claim: Claim) -> bool:
    return claim.name != claim.volume.name


def _is_named(values: Any, claim: Claim) -> bool:
    """Whether the claim names the volume, or the volume the claim."""
    reference = values["spec"]["claim_ref"]
    names_claim = bool(reference) and reference["name"] == claim.name
    return names_claim or (reference is None and claim.wanted.volume_name == values["metadata"]["name"])


def _is_fitting(values: Any, claim: Claim) -> bool:
    spec, wanted = values["spec"], claim.wanted
    if spec["claim_ref"] is not None or wanted.volume_name:
        return False
    capacity, size = _capacity(values), claim.volume.size
    return bool(
        spec["storage_class_name"] == wanted.storage_class_name
        and {*wanted.access_modes} <= {*spec["access_modes"]}
        and (size is None or capacity is None or not capacity < size)
        and wanted.labels.items() <= values["metadata"]["labels"].items()
    )


def _capacity(values: Any) -> Any:
    return values["spec"]["capacity"] and values["spec"]["capacity"]["storage"]


def _claimed(values: Any) -> Claimed:
    spec = values["spec"]
    hosts = spec["node_affinity"]["required"] if spec["node_affinity"] else None
    if spec["local"]:
        return Claimed(folder=s.HostPathVolume(spec["local"]["path"], "Directory"), hosts=hosts)
    # Without a type nothing is asked of the folder, and runtimes of clusters make it.
    return Claimed(folder=replace(spec["host_path"], type=spec["host_path"].type or "DirectoryOrCreate"), hosts=hosts)


def with_claimed(fields: Mapping[str, Any], claimed: Mapping[str, Claimed]) -> dict[str, Any]:
    """The fields of a pod with the folders and names of volumes that its claims stand for."""
    volumes = fields["volumes"]
    if not claimed or volumes is INVALID:
        return dict(fields)
    used = [(volume, _of(volume, claimed)) for volume in volumes]
    read_only = {v.name for v, one in used if one and one.folder and v.persistent_volume_claim.read_only}
    hosts = [one.hosts for _volume, one in used if one and one.hosts]
    return {
        **fields,
        "volumes": tuple(_volume(volume, one) if one else volume for volume, one in used),
        "affinity": _only_on(fields["affinity"], hosts),
        **{name: _reading_only(fields[name], read_only) for name in ("containers", "init_containers") if read_only},
    }


def with_folders_of_set(fields: Mapping[str, Any], claimed: Mapping[str, Claimed]) -> dict[str, Any]:
    """The fields of a StatefulSet with the folders of its Pods' claims; they are where those are that are wanted."""
    name, templates, ordinals = fields["name"], fields["volume_claim_templates"], fields["ordinals"]
    if INVALID in (name, templates, fields["replicas"], ordinals, ordinals.start, fields["claim_folders"]):
        return dict(fields)
    owner = w.StatefulSet(name, replicas=fields["replicas"], ordinals=ordinals)
    numbers = {
        (claim, owner.ordinal_of(template.name, claim)): one
        for template in templates
        for claim, one in claimed.items()
        if one.folder and owner.ordinal_of(template.name, claim) is not None
    }
    folders = {claim: one.folder for (claim, _number), one in numbers.items()}
    hosts = [one.hosts for (_claim, number), one in numbers.items() if one.hosts and number in owner.ordinal_range]
    template = fields["template"]
    if template is not INVALID:
        different = [selector for n, selector in enumerate(hosts) if selector not in hosts[:n]]
        template = {**template, "affinity": _only_on(template["affinity"], different)}
    return {**fields, "template": template, "claim_folders": {**fields["claim_folders"], **folders}}


def _of(volume: Any, claimed: Mapping[str, Claimed]) -> Claimed | None:
    claim = volume.persistent_volume_claim
    return claimed.get(claim.claim_name) if claim else None


def _volume(volume: s.Volume, claimed: Claimed) -> s.Volume:
    claim = volume.persistent_volume_claim
    if claimed.folder or claim is None:
        return s.Volume(volume.name, host_path=claimed.folder)
    return replace(volume, persistent_volume_claim=replace(claim, claim_name=claimed.volume))


def _reading_only(containers: Any, volumes: set[str]) -> Any:
    """The containers, which only read these volumes."""
    if containers is INVALID:
        return containers
    return tuple(
        container
        if container is INVALID or container.volume_mounts is INVALID
        else replace(
            container,
            volume_mounts=tuple(
                mount if mount is INVALID or mount.name not in volumes else replace(mount, read_only=True)
                for mount in container.volume_mounts
            ),
        )
        for container in containers
    )


def _only_on(affinity: Any, hosts: Iterable[NodeSelector]) -> Any:
    """The affinity, on hosts that meet all of these as well: each of its terms with each of theirs."""
    for selector in hosts:
        if selector is INVALID or affinity is INVALID:
            continue
        given = affinity.node_affinity.required_during_scheduling_ignored_during_execution if affinity else None
        terms = tuple(
            NodeSelectorTerm(
                (*one.match_expressions, *other.match_expressions), (*one.match_fields, *other.match_fields)
            )
            for one in (given.node_selector_terms if given else (NodeSelectorTerm(),))
            for other in selector.node_selector_terms
        )
        affinity = Affinity(NodeAffinity(NodeSelector(terms)))
    return affinity
