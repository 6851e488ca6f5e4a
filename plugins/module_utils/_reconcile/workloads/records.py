# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of workloads in a plain form, as state files hold them, and back.

Fields that a later release adds have their defaults when a record is read that lacks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Callable, TypeVar

from ..._declaration import spec as s
from ..._declaration.workloads.parse import read_template, template_options
from .cron_job import CronJobRecord
from .daemon_set import DaemonSetRecord
from .deployment import DeploymentRecord
from .job_record import Failures, JobRecord, OpenPod
from .progress import FailedRollout, Progress
from .replica_set import ReplicaSetRecord
from .revisions import Revision
from .stateful_set import StatefulSetRecord
from .steps import WorkloadCondition

Read = Callable[[Any], Any]
RecordType = TypeVar("RecordType")

RECORDS: Mapping[str, type[Any]] = {
    "Deployment": DeploymentRecord,
    "ReplicaSet": ReplicaSetRecord,
    "ReplicationController": ReplicaSetRecord,
    "StatefulSet": StatefulSetRecord,
    "DaemonSet": DaemonSetRecord,
    "Job": JobRecord,
    "CronJob": CronJobRecord,
}
"""What is kept of each kind from one step to the next."""


def to_plain(value: Any) -> Any:
    """A record as mappings, lists, text and numbers. Secret values of templates are included: keep it private."""
    if isinstance(value, s.PodSpec):
        return template_options(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return [to_plain(item) for item in value] if isinstance(value, tuple) else value


def read_record(kind: str, plain: Mapping[str, Any]) -> Any:
    """The record of a workload from its plain form. Raises KeyError, TypeError or ValueError for another one."""
    return _read(RECORDS[kind], plain)


def _read(build: type[RecordType], plain: Mapping[str, Any]) -> RecordType:
    readers = _READERS.get(build, {})
    known = {field.name for field in fields(build)}  # type: ignore[arg-type]
    return build(**{name: readers.get(name, _as_it_is)(item) for name, item in plain.items() if name in known})


def _as_it_is(value: Any) -> Any:
    return value


def _one(build: type[Any]) -> Read:
    def read(plain: Any) -> Any:
        return None if plain is None else _read(build, plain)

    return read


def _many(build: type[Any]) -> Read:
    def read(plain: Any) -> Any:
        return tuple(_read(build, item) for item in plain)

    return read


def _by_index(read_item: Read) -> Read:
    def read(plain: Any) -> Any:
        return {int(index): read_item(item) for index, item in plain.items()}

    return read


_ROLLOUT: Mapping[str, Read] = {
    "revisions": _many(Revision),
    "progress": _one(Progress),
    "conditions": _many(WorkloadCondition),
    "failed": _one(FailedRollout),
}
_READERS: Mapping[type[Any], Mapping[str, Read]] = {
    Revision: {"template": read_template},
    DeploymentRecord: _ROLLOUT,
    ReplicaSetRecord: {"revisions": _many(Revision)},
    StatefulSetRecord: {**_ROLLOUT, "claim_templates": tuple},
    DaemonSetRecord: _ROLLOUT,
    JobRecord: {
        "open": _many(OpenPod),
        "failures": _one(Failures),
        "completed_indexes": frozenset,
        "failed_indexes": frozenset,
        "index_failures": _by_index(_as_it_is),
        "index_waits": _by_index(_one(Failures)),
        "conditions": _many(WorkloadCondition),
    },
    CronJobRecord: {"decided": tuple},
}
"""How the fields are read that are more than text and numbers."""
