# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order things come that wait for one another. Calls nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def cycle(waits_for: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A circle of names, each waiting for the next, the first one repeated at its end; empty where there is none."""
    done: set[str] = set()

    def search(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in path:
            return (*path[path.index(name) :], name)
        if name in done:
            return ()
        for other in waits_for.get(name, ()):
            found = search(other, (*path, name))
            if found:
                return found
        done.add(name)
        return ()

    for name in waits_for:
        found = search(name, ())
        if found:
            return found
    return ()


def ordered(names: Sequence[str], waits_for: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names so that each comes after those that it waits for, else as they were given.

    Names that are waited for and not given are passed over. There must be no cycle.
    """
    result: list[str] = []

    def put(name: str) -> None:
        if name in result or name not in names:
            return
        for other in waits_for.get(name, ()):
            put(other)
        result.append(name)

    for name in names:
        put(name)
    return tuple(result)
