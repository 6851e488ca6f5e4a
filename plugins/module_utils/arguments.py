# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module pod, for Ansible's argument spec and for the action plugin: both from the parser's tables.

Defaults of the pod's own fields are not repeated in the argument spec: the parser gives them, to documents as well.
"""

from __future__ import annotations

from typing import Any

from .parse import ALLOCATABLE, HOST_FIELDS, POD_FIELDS
from .schema import Boolean, Field, Integer, Object, Text

STATES = ("started", "stopped", "absent")
RUN_FIELDS = (
    Field("state", Text(choices=STATES), default="started"),
    Field("wait", Boolean(), default=True),
    Field("wait_timeout", Integer(minimum=1), default=300),
    Field("on_failure", Text(choices=("rollback", "keep")), default="rollback"),
    Field("allocatable", ALLOCATABLE),
)
"""How a run goes; none of it describes the pod, so all of it may stand beside a Kubernetes document."""

SOURCES = ("definition", "src")
"""Where a Kubernetes document comes from."""

RUN = Object(dict, RUN_FIELDS)
RUN_NAMES = frozenset(field.name for field in RUN_FIELDS)
HOST_NAMES = frozenset(field.name for field in HOST_FIELDS)
POD_NAMES = frozenset(field.name for field in POD_FIELDS)
HIDDEN = ("definition",)
"""Options that free text may bring secrets into, so that no output shows their values."""


def _pod_arguments() -> dict[str, Any]:
    arguments = {field.name: field.argument() for field in (*POD_FIELDS, *RUN_FIELDS)}
    for field in POD_FIELDS:
        # Removing a pod takes its name alone, and a definition brings its own: the parser says what is missing.
        arguments[field.name].pop("required", None)
    for field in RUN_FIELDS:
        if field.default is not None:
            arguments[field.name]["default"] = field.default
    arguments["definition"] = {"type": "raw"}
    arguments["src"] = {"type": "path"}
    return arguments


POD_ARGUMENTS = _pod_arguments()
POD_INFO_ARGUMENTS: dict[str, Any] = {"name": {"type": "str"}, "labels": {"type": "dict"}}
