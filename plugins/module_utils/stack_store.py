# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept on the host of a stack: what it owns, and its revisions.

It stands in the state directory, below ``stacks/NAME``. Every file is there whole or not at all, and a revision is
there before anything of it is carried out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import spec as s
from .errors import HostError
from .stack_parse import parse_options
from .stack_spec import StackSpec
from .store import Store, read_bytes, refuse_newer, remove_tree, write_atomically

RECORD_VERSION = 1


def owner_of_secrets(stack: str) -> str:
    """Whose the generated secrets of a stack are: no pod can be called so."""
    return f"stack@{stack}"


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


class StackStore:
    """The part of the state directory that is one stack's. Reading makes nothing."""

    def __init__(self, store: Store, name: str) -> None:
        self.directory = store.directory / "stacks" / name

    def read(self) -> StackRecord:
        """The stack's record, an empty one where there is none; HostError when it cannot be read."""
        content = read_bytes(self.directory / "record.json")
        if content is None:
            return StackRecord()
        data = _load(self.directory / "record.json", content)
        owned = Owned(**{name: tuple(items) for name, items in data["owned"].items()})
        return StackRecord(int(data["current"]), tuple(data["all_good"]), owned)

    def write(self, record: StackRecord) -> None:
        owned = {name: list(getattr(record.owned, name)) for name in ("pods", "volumes", "networks")}
        data = {"version": RECORD_VERSION, "current": record.current, "all_good": list(record.all_good), "owned": owned}
        self._write("record.json", data)

    def numbers(self) -> tuple[int, ...]:
        """The revisions that are kept, the oldest first."""
        return tuple(sorted(int(path.stem) for path in self.directory.glob("revisions/[0-9]*.json")))

    def revision(self, number: int) -> Revision:
        """HostError when it is not kept, or cannot be read."""
        path = self._revision(number)
        content = read_bytes(path)
        if content is None:
            kept = ", ".join(map(str, self.numbers())) or "none"
            raise HostError(f"revision {number} of stack {self.directory.name} is not kept here; kept are: {kept}")
        data = _load(path, content)
        told = {name: data[name] for name in ("applied_at", "applied_by", "change_cause")}
        return Revision(number, parse_options(data["stack"]), **told)

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
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, json.dumps(data, indent=1, sort_keys=True).encode())


def owners_of_pods(store: Store) -> dict[str, str]:
    """The stack that each pod of a stack belongs to."""
    return {pod: name for name in stack_names(store) for pod in StackStore(store, name).read().owned.pods}


def stack_names(store: Store) -> tuple[str, ...]:
    """The stacks of this host."""
    directory = store.directory / "stacks"
    return tuple(sorted(path.name for path in directory.iterdir())) if directory.is_dir() else ()


def _load(path: Path, content: bytes) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(content)
        version = data["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(f"{path} cannot be read ({error}); move it away to have the stack recorded anew") from error
    refuse_newer(path, version, RECORD_VERSION)
    return data
