# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of things that wait for one another. Calls nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence


def cycle(waits_for: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A circle of names, each waiting for the next, the first one repeated at its end; empty where there is none."""
    return _walk(waits_for, waits_for, [])


def ordered(names: Sequence[str], waits_for: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names in an order in which each follows those that it waits for, else as given.

    Names that are waited for and not given are passed over. There must be no cycle.
    """
    result: list[str] = []
    _walk(names, waits_for, result)
    given = {*names}
    return tuple(name for name in result if name in given)


def waves(waits_for: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """All names, those first that wait for none; each wave waits for earlier ones only. To stop, go backwards.

    What is waited for is among the names. There must be no cycle.
    """
    depth: dict[str, int] = {}
    for name in ordered(list(waits_for), waits_for):
        depth[name] = 1 + max((depth[other] for other in waits_for[name]), default=0)
    return [[name for name in depth if depth[name] == level] for level in sorted({*depth.values()})]


def _walk(names: Iterable[str], waits_for: Mapping[str, Sequence[str]], result: list[str]) -> tuple[str, ...]:
    """Puts names into ``result``, each after those that it waits for; ends with the first circle, if there is one.

    It keeps its own stack, since a chain may be longer than Python's limit of recursion.
    """
    done: set[str] = set()
    for first in names:
        path: dict[str, Iterator[str]] = {} if first in done else {first: iter(waits_for.get(first, ()))}
        while path:
            name = next(reversed(path))
            other = next(path[name], None)
            if other is None:
                del path[name]
                done.add(name)
                result.append(name)
            elif other in path:
                steps = [*path]
                return (*steps[steps.index(other) :], other)
            elif other not in done:
                path[other] = iter(waits_for.get(other, ()))
    return ()
