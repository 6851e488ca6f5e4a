# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step of a workload comes to: operations, the record to go on from, the status, and when to look again.

A step is pure. Who takes it writes the record first and carries out the operations afterwards. If that is cut off at
any point, the next step asks for the rest. A second step without a change in between asks for the same operations and
changes no record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

from ..._declaration.place import Style, spell
from ..operations import Operation
from ..status_documents import show_time

Record = TypeVar("Record")
Status = TypeVar("Status")


@dataclass(frozen=True)
class AddPod(Operation):
    """Make a pod of a template and keep it; there is none of its name. ``index`` is that of an Indexed Job."""

    revision: str = ""
    number: int = 0
    index: int | None = None
    verb = "add"


class EndPod(Operation):
    """Stop a pod with its grace period and remove all of it but named volumes."""

    verb = "end"


@dataclass(frozen=True)
class _OnWorkload(Operation):
    """``pod`` is the name of the workload."""

    kind: str

    @property
    def target(self) -> str:
        return f"{self.kind} {self.pod}"


@dataclass(frozen=True)
class UndoRollout(_OnWorkload):
    """Declare the template of an earlier revision again."""

    number: int
    verb = "undo"

    @property
    def target(self) -> str:
        return f"rollout of {self.kind} {self.pod}, to revision {self.number}"


@dataclass(frozen=True)
class StopWorkload(_OnWorkload):
    """Make no pods any more, until the workload is started again."""

    verb = "stop"


@dataclass(frozen=True)
class RemoveWorkload(_OnWorkload):
    """Remove a workload that has done its work, with its pods and its record."""

    verb = "remove"


@dataclass(frozen=True)
class AddJob(_OnWorkload):
    """Make a Job of a CronJob; there is none of its name. ``scheduled_at`` is when it was due."""

    scheduled_at: float
    verb = "add"


class RemoveClaim(Operation):
    """Remove the named volume of a StatefulSet's pod and its data, which was asked for. ``pod`` is the volume."""

    verb = "remove"

    @property
    def target(self) -> str:
        return f"named volume {self.pod}"


@dataclass(frozen=True)
class Event:
    """Something that has happened, told once. ``reason`` is Kubernetes' word where it has one."""

    reason: str
    message: str
    is_warning: bool = False


_DONE: Mapping[type[Operation], tuple[str, str]] = {
    AddPod: ("SuccessfulCreate", "Created pod: {}"),
    EndPod: ("SuccessfulDelete", "Deleted pod: {}"),
    AddJob: ("SuccessfulCreate", "Created job {}"),
    RemoveWorkload: ("SuccessfulDelete", "Deleted job {}"),
}


def event_of(operation: Operation) -> Event | None:
    """What is told of an operation that was carried out; None where that is nothing. The words are Kubernetes'."""
    reason, message = _DONE.get(type(operation), ("", ""))
    return Event(reason, f"{message.format(operation.pod)}: {operation.cause}") if reason else None


@dataclass(frozen=True)
class WorkloadCondition:
    """``status`` is True, False or Unknown, as text. Instants are seconds since the epoch."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_update_time: float | None = None
    last_transition_time: float | None = None


@dataclass(frozen=True)
class WorkloadStep(Generic[Record, Status]):
    """``look_at`` is when to take the next step even if nothing changes, None for never."""

    record: Record
    status: Status
    operations: tuple[Operation, ...] = ()
    look_at: float | None = None
    events: tuple[Event, ...] = ()


Conditions = tuple[WorkloadCondition, ...]


def find_condition(conditions: Conditions, type_name: str) -> WorkloadCondition | None:
    return next((one for one in conditions if one.type == type_name), None)


def is_true(conditions: Conditions, type_name: str) -> bool:
    found = find_condition(conditions, type_name)
    return found is not None and found.status == "True"


def with_condition(
    conditions: Conditions, wanted: WorkloadCondition, now: float, is_update: bool = False
) -> Conditions:
    """The conditions with one that is as wanted; its times move only where it says something else than before.

    ``is_update``: what it says has come about once more. Source: Kubernetes' ``SetDeploymentCondition``.
    """
    before = find_condition(conditions, wanted.type)
    if before and (before.status, before.reason) == (wanted.status, wanted.reason) and not is_update:
        return conditions
    since = before.last_transition_time if before and before.status == wanted.status else now
    dated = replace(wanted, last_update_time=now, last_transition_time=since)
    return (*(one for one in conditions if one.type != wanted.type), dated)


def earliest(*instants: float | None) -> float | None:
    """The first of the instants that are given."""
    return min((instant for instant in instants if instant is not None), default=None)


def status_document(status: Any) -> dict[str, Any]:
    """A status in Kubernetes' shape; ``_time`` ends the names of instants, and what is not known is left out."""
    values = ((field.name, getattr(status, field.name)) for field in fields(status))
    return {spell(name, Style.KUBERNETES): _shown(name, value) for name, value in values if value not in (None, "", ())}


def _shown(name: str, value: Any) -> Any:
    if name.endswith("_time"):
        return show_time(value)
    if is_dataclass(value):
        return status_document(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_shown("", item) for item in value]
    return value
