# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a stack: its revision, the good revisions, and what it owns. Frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


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
