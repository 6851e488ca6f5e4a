# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a Pod's affinity. What it would rather have, and what it says of other Pods, one host cannot choose."""

from __future__ import annotations

import re
from typing import Any, get_args

from .. import affinity as a
from ..place import INVALID, Place, shown
from .checks import label_key, label_value
from .schema import Field, Object, Sequence, Text

_LEAVE_OUT = "the Pods of a plain host are all on it; leave it out"
_ON_ONE_HOST = "the Pods of a plain host are all on it"


def _check_requirement(requirement: a.NodeRequirement, at: Place) -> None:
    operator, values = requirement.operator, requirement.values
    if operator is INVALID or values is INVALID:
        return
    place = at.key("values")
    if operator in ("In", "NotIn") and not values:
        place.fault(f"is required with {operator}")
    elif operator in ("Exists", "DoesNotExist") and values:
        place.fault(f"is not for {operator}; leave it out")
    elif operator in ("Gt", "Lt") and not (len(values) == 1 and re.fullmatch(r"[+-]?[0-9]{1,18}", str(values[0]))):
        place.fault(f"is one whole number with {operator}")


def _check_field(requirement: a.NodeRequirement, at: Place) -> None:
    if requirement.operator not in ("In", "NotIn", INVALID):
        at.key("operator").fault(f"{shown(requirement.operator)} is not for fields; give In or NotIn")
    _check_requirement(requirement, at)


_OPERATOR = Field("operator", Text(choices=get_args(a.NodeOperator)), required=True)
_VALUES = Field("values", Sequence(Text(label_value)), default=())
_EXPRESSION = Object(
    a.NodeRequirement, (Field("key", Text(label_key), required=True), _OPERATOR, _VALUES), check=_check_requirement
)
_FIELD = Object(
    a.NodeRequirement,
    (Field("key", Text(choices=("metadata.name",)), required=True), _OPERATOR, _VALUES),
    check=_check_field,
)
_TERM = Object(
    a.NodeSelectorTerm,
    (
        Field("match_expressions", Sequence(_EXPRESSION), default=()),
        Field("match_fields", Sequence(_FIELD), default=()),
    ),
)
NODE_SELECTOR = Object(a.NodeSelector, (Field("node_selector_terms", Sequence(_TERM, minimum=1), required=True),))
_REQUIRED = "required_during_scheduling_ignored_during_execution"
_PREFERRED = "preferred_during_scheduling_ignored_during_execution"


def _node_affinity(**values: Any) -> a.NodeAffinity | None:
    """None where nothing is required, which is all that holds here."""
    return None if values[_REQUIRED] is None else a.NodeAffinity(**values)


def _affinity(node_affinity: Any) -> a.Affinity | None:
    return None if node_affinity is None else a.Affinity(node_affinity)


_NODE_AFFINITY = Object(
    _node_affinity,
    (Field(_REQUIRED, NODE_SELECTOR),),
    unsupported={_PREFERRED: "one host has no choice among hosts; leave it out"},
    noted={_PREFERRED: "one host has no choice among hosts"},
)
AFFINITY = Object(
    _affinity,
    (Field("node_affinity", _NODE_AFFINITY),),
    unsupported={"pod_affinity": _LEAVE_OUT, "pod_anti_affinity": _LEAVE_OUT},
    noted={"pod_affinity": _ON_ONE_HOST, "pod_anti_affinity": _ON_ONE_HOST},
)
