# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What documents say in annotations of our own, since Kubernetes has no field for it. `kubernetes` writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from dataclasses import replace
from typing import Any

from .documents import CONFIG_METADATA
from .fields.checks import dns_label
from .fields.schema import Field, Object, Text, Type
from .place import INVALID, Place, suggest

ANNOTATIONS = "podwright.io/"
"""What the names of the annotations that are ours begin with. Their values are JSON text."""


class _Anything(Type):
    """Annotations as they are: `own_annotations` reads those of our own and leaves the others unread."""

    def parse(self, value: object, at: Place) -> Any:
        return value if isinstance(value, MappingT) else {}


ANNOTATED_METADATA = replace(
    CONFIG_METADATA,
    fields=(*CONFIG_METADATA.fields, Field("annotations", _Anything(), default={})),
    ignored=CONFIG_METADATA.ignored - {"annotations"},
)
LABEL_NAMED_METADATA = Object(
    dict,
    (Field("name", Text(dns_label), required=True), ANNOTATED_METADATA.fields[-1]),
    ignored=ANNOTATED_METADATA.ignored,
)
"""The same for what is called by a DNS label and keeps no secret: its faults tell what was given."""


def refuse_annotations(annotations: MappingT[Any, Any], at: Place) -> None:
    """Notes a fault for each annotation that only documents have, since options say the same in fields of their own."""
    for key in annotations:
        if isinstance(key, str) and key.startswith(ANNOTATIONS):
            at.raw(key).fault("is reserved: in Kubernetes documents it stands for what has an option of its own here")


def own_annotations(annotations: Any, types: MappingT[str, Type], at: Place) -> dict[str, Any]:
    """What our own annotations say, by their names without what these begin with."""
    read = {}
    for key, text in annotations.items():
        if not isinstance(key, str) or not key.startswith(ANNOTATIONS):
            continue
        name = key[len(ANNOTATIONS) :]
        if text is INVALID:
            read[name] = text
        elif name in types:
            read[name] = _from_json(text, types[name], at.raw(key))
        elif re.fullmatch(r"[-\w]+", name):
            at.raw(key).fault("is not a known annotation" + suggest(name, tuple(types)))
        else:
            # Not shown: {name:VALUE} is a key without a value, since there is no space after its colon.
            at.fault(f"has an annotation under {ANNOTATIONS} that is not known; known are: {', '.join(types)}")
    return read


def _from_json(given: Any, kind: Type, at: Place) -> Any:
    text = Text(secret=True).parse(given, at)
    if text is INVALID:
        return text
    try:
        value = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return at.fault(f"is not JSON text from character {error.pos + 1} on")
    except (ValueError, RecursionError):
        return at.fault("is not JSON text with keys that are given once and numbers that are finite")
    return kind.parse(value, at)


def _without_doubles(pairs: SequenceT[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


def _refuse_constant(name: str) -> Any:
    raise ValueError
