# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod may be told of itself: the fields and resources of Kubernetes' downward API, in variables and in files."""

from __future__ import annotations

import re
from typing import Any

from .. import spec as s
from ..place import INVALID, Place, shown
from ..quantity import Quantity
from .checks import dns_label
from .schema import Amount, Field, Object, Text

_FILE_ONLY = ("metadata.labels", "metadata.annotations")
_ENV_ONLY = (
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
DOWNWARD_FIELDS = ("metadata.name", "metadata.namespace", "metadata.uid", *_FILE_ONLY, *_ENV_ONLY)
_FIELD_KEY = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
RESOURCE_FIELDS = ("limits.cpu", "limits.memory", "requests.cpu", "requests.memory", "requests.ephemeral-storage")


def _check_field_reference(ref: s.FieldReference, at: Place) -> None:
    if ref.field_path is INVALID:
        return
    if ref.field_path not in DOWNWARD_FIELDS and not _FIELD_KEY.fullmatch(ref.field_path):
        at.key("field_path").fault(
            f"{shown(ref.field_path)} is not one of {', '.join(DOWNWARD_FIELDS)}, metadata.labels['KEY'], "
            "metadata.annotations['KEY']"
        )


def check_env_source(source: s.EnvSource, at: Place) -> None:
    if source.field_ref and source.field_ref.field_path in _FILE_ONLY:
        at.key("field_ref").key("field_path").fault(
            f"{source.field_ref.field_path} is only for files; name one key: {source.field_ref.field_path}['KEY']"
        )


def check_downward_file(item: s.DownwardApiFile, at: Place) -> None:
    if item.field_ref and item.field_ref.field_path in _ENV_ONLY:
        at.key("field_ref").key("field_path").fault(f"{item.field_ref.field_path} is only for environment variables")


FIELD_REF = Object(
    s.FieldReference,
    (
        Field("field_path", Text(), required=True),
        Field("api_version", Text(choices=("v1",)), default="v1"),
    ),
    check=_check_field_reference,
)


def _resource_field_reference(divisor: Any, **values: Any) -> s.ResourceFieldReference:
    """A divisor of zero is none, however it is written, as a server writes it into exported Pods."""
    return s.ResourceFieldReference(divisor=None if divisor == Quantity.parse("0") else divisor, **values)


RESOURCE_FIELD_REF = Object(
    _resource_field_reference,
    (
        Field("resource", Text(choices=RESOURCE_FIELDS), required=True),
        Field("container_name", Text(dns_label)),
        Field("divisor", Amount(), zero_is_unset=True),
    ),
)
