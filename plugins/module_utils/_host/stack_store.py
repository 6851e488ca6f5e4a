# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept on the host of a stack: what it owns, and its revisions.

It stands in the state directory, below ``stacks/NAME``. A revision is there before anything of it is carried out, and
outlasts a power cut from then on.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .._declaration.set_claims import ClaimsBefore, claims_of_sets
from .._declaration.stack.options import to_options
from .._declaration.stack.parse import parse_options
from .._declaration.stack.spec import StackSpec, pod_with_configuration
from .._errors import DamagedState, HostError
from .._reconcile.operations import owner_of_secrets
from .._reconcile.stack.record import Owned, StackRecord, with_good
from .._reconcile.stack.secrets import with_values
from . import state_files
from .pod_files import remove_tree
from .state.folders import folders_of_objects
from .state.records import UNFIT, refuse_newer
from .store import Store
from .workload_store import has_settled

RECORD_VERSION = 1
_REVISION_FILE = re.compile(r"([0-9]{1,9})\.json")


@dataclass(frozen=True)
class Revision:
    """A declaration as it was applied: when (seconds since the epoch), by whom, and why."""

    number: int
    stack: StackSpec
    applied_at: float
    applied_by: str = ""
    change_cause: str = ""


class StackStore:
    """The part of the state directory that is one stack's. Reading makes nothing."""

    def __init__(self, store: Store, name: str) -> None:
        self.directory = store.directory / "stacks" / name

    def read(self) -> StackRecord:
        """The stack's record, an empty one where there is none. Raises DamagedState, or NewerState."""
        path, remedy = self.record_file, _remedy_of_record(self.directory.name)
        data = state_files.read_object(path, remedy)
        if data is None:
            return StackRecord()
        try:
            refuse_newer(path, data["version"], RECORD_VERSION)
            owned = Owned(**{name: _names(items) for name, items in data["owned"].items()})
            return StackRecord(int(data["current"]), tuple(map(int, data["all_good"])), owned)
        except UNFIT as error:
            raise DamagedState(path, f"it holds no record ({type(error).__name__}: {error})", remedy) from error

    @property
    def record_file(self) -> Path:
        return self.directory / "record.json"

    def write(self, record: StackRecord) -> None:
        owned = {name: list(getattr(record.owned, name)) for name in ("pods", "volumes", "networks")}
        data = {"version": RECORD_VERSION, "current": record.current, "all_good": list(record.all_good), "owned": owned}
        self._write("record.json", data)

    def numbers(self) -> tuple[int, ...]:
        """The revisions that are kept, the oldest first."""
        found = (_REVISION_FILE.fullmatch(path.name) for path in self.directory.glob("revisions/*"))
        return tuple(sorted(int(match[1]) for match in found if match))

    def revision(self, number: int) -> Revision:
        """HostError when it is not kept. Raises DamagedState, or NewerState."""
        path, remedy = self._revision(number), _remedy_of_revision(self.directory.name, number)
        data = state_files.read_object(path, remedy)
        if data is None:
            kept = ", ".join(map(str, self.numbers())) or "none"
            raise HostError(f"revision {number} of stack {self.directory.name} is not kept here; kept are: {kept}")
        try:
            refuse_newer(path, data["version"], RECORD_VERSION)
            told = {name: data[name] for name in ("applied_at", "applied_by", "change_cause")}
            return Revision(number, parse_options(data["stack"]), **told)
        except UNFIT as error:
            raise DamagedState(path, f"it holds no revision ({type(error).__name__}: {error})", remedy) from error

    def write_revision(self, revision: Revision) -> None:
        data = {
            "version": RECORD_VERSION,
            "stack": to_options(revision.stack),
            "applied_at": revision.applied_at,
            "applied_by": revision.applied_by,
            "change_cause": revision.change_cause,
        }
        self._write(f"revisions/{revision.number}.json", data)

    def conclude(self, record: StackRecord, count: int, needed: Sequence[int]) -> StackRecord:
        """Write the record, and remove the oldest revisions beyond ``count``, except the ``needed`` ones.

        Returns the record as written: removed revisions are no longer among the good ones.
        """
        numbers = self.numbers()
        old = [number for number in numbers[:-count] if number not in needed]
        kept = tuple(good for good in record.all_good if good in numbers and good not in old)
        record = replace(record, all_good=kept)
        if record != self.read():
            self.write(record)
        for number in old:
            remove_tree(self._revision(number))
        return record

    def forget(self, remains: StackRecord) -> None:
        """Remove the stack's files; ``remains`` is written as its record, unless it is empty."""
        if remains == StackRecord():
            remove_tree(self.directory)
            return
        self.write(remains)
        for path in self.directory.iterdir():
            if path != self.record_file:
                remove_tree(path)

    def _revision(self, number: int) -> Path:
        return self.directory / "revisions" / f"{number}.json"

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        path = self.directory / name
        state_files.make_directory(path.parent)
        state_files.write_object(path, data)


def claims_before(store: Store, name: str) -> ClaimsBefore:
    """What the claims of a stack's StatefulSets stand for, by the revision that was applied last."""
    files = StackStore(store, name)
    current = files.read().current
    return claims_of_sets(files.revision(current).stack.workloads) if current else {}


def verify_revision(store: Store, name: str) -> bool:
    """Write down that a stack's present revision is good, once its pods and workloads were seen as it declares them.

    So one becomes good that no run has waited for. Tells whether that was written, which it is not while a run is on
    the stack.
    """
    files = StackStore(store, name)
    if files.read().current == files.read().good:
        return False
    with store.lock_if_free(owner_of_secrets(name)) as was_elsewhere:
        record = files.read()
        if was_elsewhere is None or not record.current or record.current == record.good:
            return False
        stack = files.revision(record.current).stack
        generated = store.generated(owner_of_secrets(name), stack.secrets)
        stack = replace(stack, secrets=with_values(stack.secrets, generated))
        for declared in stack.pods:
            found = store.read_record(declared.name)
            pod = pod_with_configuration(stack, declared)
            if found is None or found.is_stopped or not found.is_verified or found.applied.pod != pod:
                return False
        if not all(has_settled(store, name, workload) for workload in stack.workloads):
            return False
        files.write(with_good(record, record.current))
    return True


def owners_of_pods(store: Store) -> dict[str, str]:
    """The stack that each pod of a stack belongs to. Where a stack's record is damaged, its pods' own records tell."""
    owners: dict[str, str] = {}
    for name in stack_names(store):
        try:
            owned = StackStore(store, name).read().owned.pods
        except DamagedState:
            owned = pods_recorded_for(store, name)
        owners.update((pod, name) for pod in owned)
    return owners


def pods_recorded_for(store: Store, stack: str) -> tuple[str, ...]:
    """The pods whose own records say that they belong to a stack."""
    found = []
    for pod in store.recorded_pods():
        with contextlib.suppress(HostError):
            record = store.read_record(pod)
            if record and record.settings.stack == stack:
                found.append(pod)
    return tuple(found)


def stack_names(store: Store) -> tuple[str, ...]:
    """The stacks of this host. What else has come to stand beside them is passed over."""
    return folders_of_objects(store.directory / "stacks")


def _names(items: Any) -> tuple[str, ...]:
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise TypeError("owned holds something else than names")
    return tuple(items)


def _remedy_of_record(stack: str) -> str:
    return f"podwright repair {stack} mends what can be, or move it away to have the stack recorded anew"


def _remedy_of_revision(stack: str, number: int) -> str:
    return f"podwright repair {stack} moves it away; the stack cannot go back to revision {number} any more"
