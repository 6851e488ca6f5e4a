# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of volumes: one row in `VOLUME` for each type, and what to use instead of those that no host has."""

from __future__ import annotations

from typing import Any, get_args

from .. import spec as s
from ..place import INVALID, Place, shown
from .checks import config_key, dns_label, host_path, object_name, podman_name, projected_path, whole_bytes
from .downward import FIELD_REF, RESOURCE_FIELD_REF, check_downward_file
from .schema import Amount, Boolean, Field, FileMode, Object, Sequence, Text

_KEY_TO_PATH = Object(
    s.KeyToPath,
    (
        Field("key", Text(config_key), required=True),
        Field("path", Text(projected_path), required=True),
        Field("mode", FileMode()),
    ),
)
_ITEMS = Field("items", Sequence(_KEY_TO_PATH, unique_by="path"), default=())
_DEFAULT_MODE = Field("default_mode", FileMode(), default=0o644)
_OPTIONAL = Field("optional", Boolean(), default=False)
_DOWNWARD_FILE = Object(
    s.DownwardApiFile,
    (
        Field("path", Text(projected_path), required=True),
        Field("field_ref", FIELD_REF),
        Field("resource_field_ref", RESOURCE_FIELD_REF),
        Field("mode", FileMode()),
    ),
    check=check_downward_file,
    one_of=("field_ref", "resource_field_ref"),
    one_required=True,
)
_DOWNWARD_ITEMS = Field("items", Sequence(_DOWNWARD_FILE, unique_by="path"), default=())
_PROJECTION = Object(s.KeyProjection, (Field("name", Text(object_name), required=True), _ITEMS, _OPTIONAL))
PROJECTION_SOURCES = ("config_map", "secret", "downward_api")
_VOLUME_PROJECTION = Object(
    s.VolumeProjection,
    (
        Field("config_map", _PROJECTION),
        Field("secret", _PROJECTION),
        Field("downward_api", Object(s.DownwardApiProjection, (_DOWNWARD_ITEMS,))),
    ),
    one_of=PROJECTION_SOURCES,
    one_required=True,
    unsupported={
        "service_account_token": "there is no API server on a plain host; give the token as a secret",
        "cluster_trust_bundle": "there is no API server on a plain host; give the certificates as a config map",
    },
)
_USE_NAMED = "use host_path (hostPath), or a named volume (persistent_volume_claim) made with the driver you need"
_OTHER_VOLUMES = (
    "aws_elastic_block_store azure_disk azure_file cephfs cinder csi fc flex_volume flocker "
    "gce_persistent_disk glusterfs iscsi nfs photon_persistent_disk portworx_volume quobyte rbd "
    "scale_io storageos vsphere_volume"
)
HOST_PATH = Object(
    s.HostPathVolume,
    (
        Field("path", Text(host_path), required=True),
        Field("type", Text(choices=get_args(s.HostPathType)), default=""),
    ),
)
_VOLUME_SOURCES = tuple(name for name in s.Volume.__dataclass_fields__ if name != "name")


def _volume(**values: Any) -> s.Volume:
    """A volume without a source is an emptyDir, as the API server has it."""
    if all(values[source] is None for source in _VOLUME_SOURCES):
        values["empty_dir"] = s.EmptyDirVolume()
    return s.Volume(**values)


def _check_projected(volume: s.ProjectedVolume, at: Place) -> None:
    """No two sources may write the same file; doubles within one source have been noted already."""
    seen: dict[str, tuple[int, Place]] = {}
    for number, source in enumerate(volume.sources):
        kind = next((kind for kind in PROJECTION_SOURCES if getattr(source, kind)), "config_map")
        for index, item in enumerate(getattr(source, kind).items if getattr(source, kind) else ()):
            if item.path is INVALID:
                continue
            place = at.key("sources").index(number).key(kind).key("items").index(index).key("path")
            first, twin = seen.setdefault(item.path, (number, place))
            if first != number:
                place.fault(f"{shown(item.path)} is already used by {twin.path}")


VOLUME = Object(
    _volume,
    (
        Field("name", Text(dns_label), required=True),
        Field(
            "empty_dir",
            Object(
                s.EmptyDirVolume,
                (
                    Field("medium", Text(choices=get_args(s.Medium)), default=""),
                    Field("size_limit", Amount(whole_bytes)),
                ),
            ),
        ),
        Field("host_path", HOST_PATH),
        Field(
            "persistent_volume_claim",
            Object(
                s.PersistentVolumeClaimVolume,
                (
                    Field("claim_name", Text(podman_name), required=True),
                    Field("read_only", Boolean(), default=False),
                ),
            ),
        ),
        Field(
            "config_map",
            Object(
                s.ConfigMapVolume,
                (Field("name", Text(object_name), required=True), _ITEMS, _DEFAULT_MODE, _OPTIONAL),
            ),
        ),
        Field(
            "secret",
            Object(
                s.SecretVolume,
                (Field("secret_name", Text(object_name), required=True), _ITEMS, _DEFAULT_MODE, _OPTIONAL),
            ),
        ),
        Field("downward_api", Object(s.DownwardApiVolume, (_DOWNWARD_ITEMS, _DEFAULT_MODE))),
        Field(
            "projected",
            Object(
                s.ProjectedVolume,
                (Field("sources", Sequence(_VOLUME_PROJECTION), default=()), _DEFAULT_MODE),
                check=_check_projected,
            ),
        ),
    ),
    one_of=_VOLUME_SOURCES,
    unsupported={
        **dict.fromkeys(_OTHER_VOLUMES.split(), _USE_NAMED),
        "ephemeral": "use empty_dir (emptyDir), or a named volume (persistent_volume_claim)",
        "git_repo": "clone it with an init container into an emptyDir",
        "image": "copy its files with an init container of that image into an emptyDir",
    },
)
