# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of secrets: a type that prints as stars, and the one place that masks them in texts.

Values shorter than `SHORTEST` are not masked: stars in place of each "a" would spoil every sentence and show where it
stood. A value that short keeps no secret.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "********"
SHORTEST = 4
"""The fewest characters that a value is looked for with."""
SHORTEST_LINE = 8
"""The same for each line of a value that has several: such as those of a key or a certificate."""


class Hidden:
    """The value of a secret. However it is printed, stars are; `reveal` is for where it is handed over."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, form: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere as it is")


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with stars in place of these values, whole and line by line, in every form that we or Podman write them
    in. Overlapping values are masked together.
    """
    return _masked(text, forms(secrets))


def masked_within(value: Any, secrets: Iterable[str]) -> Any:
    """The same in all strings of mappings and lists; keys of mappings are left as they are."""
    looked_for = forms(secrets)
    return _masked_within(value, looked_for) if looked_for else value


def forms(secrets: Iterable[str]) -> frozenset[str]:
    """Every text that gives one of these values away: itself, its lines, and both as JSON, Go and Base64 have them."""
    found: set[str] = set()
    for secret in secrets:
        if not is_looked_for(secret):
            continue
        lines = (line.strip() for line in secret.splitlines())
        for part in {secret, *(line for line in lines if len(line) >= SHORTEST_LINE)}:
            found |= {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
        found.add(base64.b64encode(secret.encode(errors="replace")).decode())
    return frozenset(found)


def is_looked_for(secret: str) -> bool:
    """Whether the value is long enough to be kept out of texts."""
    return len(secret) >= SHORTEST


def _masked_within(value: Any, looked_for: frozenset[str]) -> Any:
    if isinstance(value, str):
        return _masked(value, looked_for)
    if isinstance(value, Mapping):
        return {key: _masked_within(item, looked_for) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked_within(item, looked_for) for item in value]
    return value


def _masked(text: str, looked_for: frozenset[str]) -> str:
    pieces, at = [], 0
    for start, end in _joined(sorted(place for form in looked_for for place in _places(text, form))):
        pieces += [text[at:start], MASK]
        at = end
    return "".join([*pieces, text[at:]])


def _places(text: str, form: str) -> Iterable[tuple[int, int]]:
    """Where a form stands, also where it overlaps with itself."""
    at = text.find(form)
    while at != -1:
        yield at, at + len(form)
        at = text.find(form, at + 1)


def _joined(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted places, those that overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, end in places:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
