# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept on the host of the workloads of a stack, below ``stacks/NAME/workloads``: records, and statuses.

A record is written before anything of it is carried out. It holds templates, and so may hold secret values. A status is
what was told last of a workload; the next step tells it anew.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._declaration.pod_rules import ANY_CONFIGURATION
from .._declaration.workloads import spec as w
from .._declaration.workloads.documents import to_options
from .._declaration.workloads.fields import OPTIONS
from .._declaration.workloads.parse import parse_workloads
from .._errors import DamagedState, HostError
from .._reconcile.context import Settings
from .._reconcile.rendering.materials import digest
from .._reconcile.workloads.records import RECORDS, read_record, to_plain
from .._reconcile.workloads.revisions import sure_beginning
from . import state_files
from .pod_files import remove_tree
from .state.records import UNFIT, Record, read_settings, refuse_newer, write_settings
from .store import Store

RECORD_VERSION = 1
_FILE = re.compile(rf"({'|'.join(RECORDS)})-(.+)\.json")
_OPTION_OF = {kind: option for option, kind in OPTIONS.items()}


Members = Mapping[str, Record]
"""The records of a workload's pods, by name."""


@dataclass(frozen=True)
class KeptWorkload:
    """What is kept of one workload from one step to the next.

    ``made`` is the declaration of a Job that a CronJob made at ``scheduled_at``; others are declared in the stack.
    ``settled`` is what `mark_of` gave for the declaration that it last was as it says.
    ``removed`` is the digest of a Job that is gone, so that it is not made again; its last pods may be going.
    """

    kind: str
    name: str
    record: Any
    settings: Settings = field(default_factory=Settings)
    """How its pods are applied."""
    is_stopped: bool = False
    settled: str = ""
    removed: str = ""
    made: w.Job | None = None
    made_by: str = ""
    scheduled_at: float = 0.0
    created_at: float = 0.0
    """When there was a record of it for the first time; 0 where that is not known."""


_PARSED: dict[str, tuple[bytes, KeptWorkload]] = {}
"""Of each file of a workload that was read its content, and what that says: a run asks several times."""


class WorkloadStore:
    """The records of the workloads of one stack. Reading makes nothing."""

    def __init__(self, store: Store, stack: str) -> None:
        self.directory = store.directory / "stacks" / stack / "workloads"

    def read(self, kind: str, name: str) -> KeptWorkload | None:
        """None where there is none. Raises DamagedState, or NewerState."""
        path = self._path(kind, name)
        remedy = "move it away: the workload's revisions are then forgotten, its pods are kept"
        content = state_files.read(path, remedy)
        if content is None:
            _PARSED.pop(str(path), None)
            return None
        known = _PARSED.get(str(path))
        if known is None or known[0] != content:
            known = _PARSED[str(path)] = (content, self._parse(kind, name, content, remedy))
        return known[1]

    def _parse(self, kind: str, name: str, content: bytes, remedy: str) -> KeptWorkload:
        path = self._path(kind, name)
        data = state_files.parse_object(path, content, remedy)
        try:
            refuse_newer(path, data["version"], RECORD_VERSION)
            made = data.get("made")
            return KeptWorkload(
                kind,
                name,
                read_record(kind, data["record"]),
                settings=read_settings(data.get("settings") or {}),
                is_stopped=bool(data.get("is_stopped")),
                settled=str(data.get("settled") or ""),
                removed=str(data.get("removed") or ""),
                made=_read_job(made) if made else None,
                made_by=str(data.get("made_by") or ""),
                scheduled_at=float(data.get("scheduled_at") or 0),
                created_at=float(data.get("created_at") or 0),
            )
        except UNFIT as error:
            raise DamagedState(path, f"it holds no record ({type(error).__name__}: {error})", remedy) from error

    def write(self, kept: KeptWorkload) -> None:
        data = {
            "version": RECORD_VERSION,
            "record": to_plain(kept.record),
            "settings": write_settings(kept.settings),
            "is_stopped": kept.is_stopped,
            "settled": kept.settled,
            "removed": kept.removed,
            "made": to_options(kept.made) if kept.made else None,
            "made_by": kept.made_by,
            "scheduled_at": kept.scheduled_at,
            "created_at": kept.created_at,
        }
        state_files.make_directory(self.directory)
        state_files.write_object(self._path(kept.kind, kept.name), data)

    def remove(self, kind: str, name: str) -> None:
        """Remove its record and its status. Does nothing where there is none."""
        remove_tree(self._path(kind, name))
        _PARSED.pop(str(self._path(kind, name)), None)
        self.remove_status(kind, name)

    def read_status(self, kind: str, name: str) -> dict[str, Any] | None:
        """The status that was written last, in Kubernetes' shape; None where there is none that can be read."""
        try:
            found = state_files.read_object(self._status_path(kind, name))
        except HostError:
            return None
        return None if found is None else found["status"]

    def write_status(self, kind: str, name: str, status: Mapping[str, Any]) -> None:
        """Write down a status that differs from the last one. Raises OSError."""
        if self.read_status(kind, name) != status:
            state_files.write_object(self._status_path(kind, name), {"status": status}, is_lasting=False)

    def remove_status(self, kind: str, name: str) -> None:
        """Does nothing where there is none."""
        remove_tree(self._status_path(kind, name))

    def names(self) -> Iterator[tuple[str, str]]:
        """Kind and name of each workload that a record is kept of."""
        try:
            found = sorted(path.name for path in self.directory.iterdir())
        except FileNotFoundError:
            return
        for match in filter(None, map(_FILE.fullmatch, found)):
            yield match[1], match[2]

    def _path(self, kind: str, name: str) -> Path:
        return self.directory / f"{kind}-{name}.json"

    def _status_path(self, kind: str, name: str) -> Path:
        return self.directory / f"status-{kind}-{name}.json"


def mark_of(store: Store, workload: w.AnyWorkload) -> str:
    """What tells the declaration of a workload from others, and hints at nothing that it holds."""
    return digest(to_options(workload), store.key())


def has_settled(store: Store, stack: str, workload: w.AnyWorkload) -> bool:
    """Whether all pods of a workload were seen as it is declared now. Raises DamagedState."""
    kept = WorkloadStore(store, stack).read(workload.kind, workload.name)
    return kept is not None and kept.settled == mark_of(store, workload)


def members_of(store: Store, stack: str, workload: str = "") -> dict[tuple[str, str], dict[str, Record]]:
    """The pods on record of each workload of a stack, by its kind and name. Damaged records are left to others.

    ``workload`` asks only for those of this name, which spares reading the records of most others.
    """
    found: dict[tuple[str, str], dict[str, Record]] = {}
    for name in store.recorded_pods(sure_beginning(workload)):
        with contextlib.suppress(DamagedState):
            record = store.read_record(name)
            owner = record.settings.owner if record else None
            if record and owner and record.settings.stack == stack:
                found.setdefault((owner.kind, owner.workload), {})[name] = record
    return found


def pods_made_for(store: Store, stack: str) -> dict[str, Record]:
    """The pods on record that the workloads of a stack have made; for one that has had none nothing is read."""
    if not WorkloadStore(store, stack).directory.is_dir():
        return {}
    return {name: record for group in members_of(store, stack).values() for name, record in group.items()}


def _read_job(options: dict[str, Any]) -> w.Job:
    (job,) = parse_workloads({_OPTION_OF["Job"]: [options]}, known=ANY_CONFIGURATION)
    if not isinstance(job, w.Job):
        raise TypeError("it is no Job")
    return job
