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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .._declaration import spec as s
from .._declaration.stack_parse import parse_options
from .._declaration.stack_spec import StackSpec
from .._errors import DamagedState, HostError
from .._reconcile.operations import STACK_OWNER
from . import state_files
from .pod_files import remove_tree
from .state.folders import folders_of_objects
from .state.records import UNFIT, refuse_newer
from .store import Store

RECORD_VERSION = 1
_REVISION_FILE = re.compile(r"([0-9]{1,9})\.json")


def owner_of_secrets(stack: str) -> str:
    """Whose the generated secrets of a stack are: no pod can be called so."""
    return f"{STACK_OWNER}{stack}"


@dataclass(frozen=True)
class Revision:
    """A declaration as it was applied: when (seconds since the epoch), by whom, and why."""

    number: int
    stack: StackSpec
    applied_at: float
    applied_by: str = ""
    change_cause: str = ""


@dataclass(frozen=True)
class Owned:
    """What the stack has made, and takes away once it is no longer declared. ``pods`` are in the order they start."""

    pods: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    def joined(self, other: Owned) -> Owned:
        """What either of the two owns."""
        pairs = {name: (*getattr(self, name), *getattr(other, name)) for name in ("pods", "volumes", "networks")}
        return Owned(**{name: tuple(dict.fromkeys(names)) for name, names in pairs.items()})


@dataclass(frozen=True)
class StackRecord:
    """``current`` is the revision that was applied last (0 is none), ``all_good`` are those that became ready."""

    current: int = 0
    all_good: tuple[int, ...] = ()
    owned: Owned = field(default_factory=Owned)

    @property
    def good(self) -> int:
        """The last one that became ready, 0 for none."""
        return self.all_good[-1] if self.all_good else 0

    @property
    def good_before(self) -> int:
        """The last good one before the present one, 0 for none."""
        return next((number for number in reversed(self.all_good) if number != self.current), 0)


def with_good(record: StackRecord, number: int) -> StackRecord:
    """The record once a revision was seen ready."""
    return replace(record, all_good=(*(good for good in record.all_good if good != number), number))


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
            "stack": s.to_options(revision.stack),
            "applied_at": revision.applied_at,
            "applied_by": revision.applied_by,
            "change_cause": revision.change_cause,
        }
        self._write(f"revisions/{revision.number}.json", data)

    def keep_revisions(self, count: int, needed: Sequence[int]) -> None:
        """Remove the oldest revisions beyond ``count``, but none that is ``needed``."""
        for number in self.numbers()[:-count]:
            if number not in needed:
                remove_tree(self._revision(number))

    def forget(self) -> None:
        remove_tree(self.directory)

    def _revision(self, number: int) -> Path:
        return self.directory / "revisions" / f"{number}.json"

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        path = self.directory / name
        state_files.make_directory(path.parent)
        state_files.write_object(path, data)


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
