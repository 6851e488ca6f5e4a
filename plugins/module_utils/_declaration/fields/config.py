# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of ConfigMaps and Secrets."""

from __future__ import annotations

from .. import spec as s
from ..place import Place, spell
from .checks import base64_text, config_key, object_name
from .schema import Boolean, Field, Integer, Mapping, Object, Text


def check_config_map(config: s.ConfigMap, at: Place) -> None:
    for key in config.binary_data:
        if key in config.data:
            at.key("binary_data").raw(key).fault(f"is in {spell('data', at.style)} too; leave one of them out")


CONFIG_MAP = Object(
    s.ConfigMap,
    (
        Field("name", Text(object_name), required=True),
        Field("data", Mapping(Text(), config_key), default={}),
        Field("binary_data", Mapping(Text(base64_text), config_key), default={}),
        Field("immutable", Boolean(), default=False),
    ),
    check=check_config_map,
)


def check_secret(secret: s.Secret, at: Place) -> None:
    for key in secret.generate:
        if key in secret.data or key in secret.string_data:
            at.key("generate").raw(key).fault("has a value too; leave it out of generate, or out of the data")
    for key in secret.rotate:
        if key not in secret.generate:
            at.key("rotate").raw(key).fault(
                "is not among the keys of generate, and only what is generated can be rotated"
            )


SECRET = Object(
    s.Secret,
    (
        Field("name", Text(object_name), required=True),
        Field("data", Mapping(Text(base64_text, secret=True), config_key, secret=True, no_log=True), default={}),
        Field("string_data", Mapping(Text(secret=True), config_key, secret=True, no_log=True), default={}),
        # Lengths are no secrets, but a value put here by mistake is one.
        Field("generate", Mapping(Integer(8, 1024, secret=True), config_key, secret=True), default={}),
        Field("rotate", Mapping(Integer(0, secret=True), config_key, secret=True), default={}),
        Field("type", Text(), default="Opaque"),
        Field("immutable", Boolean(), default=False),
    ),
    check=check_secret,
    secret=True,
)
