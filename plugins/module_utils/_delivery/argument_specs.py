# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs of the modules, computed from the parser's tables; a host keeps them as computed (`host_code`).

Defaults of the pod's own fields are not repeated in the argument spec: the parser gives them, to documents as well.
"""

from __future__ import annotations

from typing import Any

from .._declaration.arguments import RUN_FIELDS, STACK_RUN_FIELDS
from .._declaration.fields.pod import POD_FIELDS
from .._declaration.stack.parse import STACK_FIELDS
from .._declaration.workloads.fields import OPTIONS as WORKLOADS

__all__ = (
    "AGENT_ARGUMENTS",
    "HIDDEN",
    "POD_ARGUMENTS",
    "POD_INFO_ARGUMENTS",
    "STACK_ARGUMENTS",
    "STACK_INFO_ARGUMENTS",
)

HIDDEN = ("definition", "secrets")
"""Options that hold secrets, or that free text may bring some into, so that no output shows their values."""


def _pod_arguments() -> dict[str, Any]:
    arguments = {field.name: field.argument() for field in (*POD_FIELDS, *RUN_FIELDS)}
    for field in POD_FIELDS:
        # A removal needs the name alone, and a definition has its own name: the parser says what is missing.
        arguments[field.name].pop("required", None)
    for field in RUN_FIELDS:
        if field.default is not None:
            arguments[field.name]["default"] = field.default
    arguments["definition"] = {"type": "raw"}
    arguments["src"] = {"type": "path"}
    return arguments


def _stack_arguments() -> dict[str, Any]:
    arguments = {field.name: field.argument() for field in (*STACK_FIELDS, *STACK_RUN_FIELDS)}
    for field in STACK_RUN_FIELDS:
        if field.default is not None:
            arguments[field.name]["default"] = field.default
    # What a pod can say is documented with the module pod; the parser judges it.
    arguments["pods"].pop("options")
    for option in WORKLOADS:
        outer = arguments[option]["options"]
        outer.get("job_template", {"options": outer})["options"]["template"].pop("options")
    arguments["definition"] = {"type": "raw"}
    arguments["src"] = {"type": "raw"}
    return arguments


POD_ARGUMENTS = _pod_arguments()
STACK_ARGUMENTS = _stack_arguments()
AGENT_ARGUMENTS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "code": {"type": "str"},
    "service": {
        "type": "dict",
        "options": {
            "arguments": {"type": "list", "elements": "str", "default": []},
            "stop_timeout_seconds": {"type": "int", "default": 300},
        },
    },
}
STACK_INFO_ARGUMENTS: dict[str, Any] = {"name": {"type": "str"}}
POD_INFO_ARGUMENTS: dict[str, Any] = {"name": {"type": "str"}, "labels": {"type": "dict"}}
