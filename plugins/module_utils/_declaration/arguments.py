# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules pod and stack, from the parser's tables: how a run goes, and what is to be.

Ansible checks their types for a module. Any other client of the agent may send anything.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingT
from typing import Any

from .._errors import Fault, InvalidInput
from .fields.checks import TEXTS, config_key, label_key, label_value, object_name, pod_name
from .fields.pod import HOST_FIELDS, POD_FIELDS
from .fields.schema import Boolean, Field, Integer, Mapping, Object, Text
from .parse import ALLOCATABLE
from .place import Note, Place, Style

STATES = ("started", "stopped", "absent")
_RESTART_ON_CHANGE = Object(
    dict, (Field("environment", Boolean(), default=True), Field("files", Boolean(), default=False))
)
RUN_FIELDS = (
    Field("state", Text(choices=STATES), default="started"),
    Field("wait", Boolean(), default=True),
    Field("wait_timeout", Integer(minimum=1), default=300),
    Field("on_failure", Text(choices=("rollback", "keep")), default="rollback"),
    Field("grace_period_seconds", Integer(minimum=0)),
    Field("restart_on_change", _RESTART_ON_CHANGE),
    Field("allocatable", ALLOCATABLE),
    Field("host_labels", Mapping(Text(label_value), label_key)),
    Field("expected_images", TEXTS),
    Field("unsupported", Text(choices=("note", "refuse")), default="note"),
)
"""How a run goes; none of it describes the pod, so all of it may stand beside a Kubernetes document."""

SOURCES = ("definition", "src")
"""Where a Kubernetes document comes from."""

POD_INFO = Object(dict, (Field("name", Text(pod_name)), Field("labels", Mapping(Text()))))
STACK_INFO = Object(dict, (Field("name", Text(pod_name)),))
GENERATED = Object(
    dict,
    (
        Field("kind", Text(choices=("stack", "pod"))),
        Field("owner", Text(pod_name)),
        Field("secret", Text(object_name)),
        Field("key", Text(config_key)),
        Field("wait_timeout", Integer(minimum=1), default=300),
    ),
)
"""Which generated secrets are meant."""
REPAIR = Object(dict, (Field("name", Text(pod_name)), Field("accept_new_secrets", Boolean(), default=False)))
RUN = Object(dict, RUN_FIELDS)
RUN_NAMES = frozenset(field.name for field in RUN_FIELDS)
HOST_NAMES = frozenset(field.name for field in HOST_FIELDS)
POD_NAMES = frozenset(field.name for field in POD_FIELDS)
STACK_STATES = ("started", "stopped", "rolled_back", "absent")
STACK_RUN_FIELDS = (
    Field("state", Text(choices=STACK_STATES), default="started"),
    Field("prune", Boolean(), default=True),
    Field("prune_volumes", Boolean(), default=False),
    Field("allow_empty", Boolean(), default=False),
    *(field for field in RUN_FIELDS if field.name != "state"),
    Field("change_cause", Text()),
    Field("applied_by", Text()),
    Field("revision", Integer(minimum=1)),
    Field("definition_names", TEXTS),
    Field("revision_history_limit", Integer(minimum=1), default=10),
)
"""How a run on a stack goes; none of it describes the stack."""

STACK_RUN = Object(dict, STACK_RUN_FIELDS)
STACK_RUN_NAMES = frozenset(field.name for field in STACK_RUN_FIELDS)


def notes_for(run: MappingT[str, Any]) -> list[Note] | None:
    """Where the parser puts what documents say and no host keeps; None where that is to be refused."""
    return None if run.get("unsupported") == "refuse" else []


def judged(options: MappingT[str, Any], kind: Object) -> dict[str, Any]:
    """Those of the options that ``kind`` has, with its defaults. Raises InvalidInput with every fault."""
    faults: list[Fault] = []
    values = kind.parse({field.name: options.get(field.name) for field in kind.fields}, Place("", Style.NATIVE, faults))
    if faults:
        raise InvalidInput(faults)
    return dict(values)
