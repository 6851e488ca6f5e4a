# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``$(NAME)`` references in env values, commands and arguments.

Source: Kubernetes' expansion rules. One pass (what a value holds is not expanded again), ``$$`` is a literal ``$``,
an undefined or unclosed reference stays as written, and ``$NAME`` or ``${NAME}`` mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

OPERATOR = "$"
OPENER = "$("
CLOSER = ")"


def expand(text: str, lookup: Callable[[str], str | None]) -> str:
    """``text`` with every reference replaced; ``lookup`` gives a name's value, or None where it is undefined."""
    pieces = []
    for literal, name in _tokens(text):
        pieces.append(literal)
        if name is not None:
            value = lookup(name)
            pieces.append(f"{OPENER}{name}{CLOSER}" if value is None else value)
    return "".join(pieces)


def references(text: str) -> tuple[str, ...]:
    """The names ``expand`` looks up, each once, in the order of their first use."""
    return tuple(dict.fromkeys(name for _text, name in _tokens(text) if name is not None))


def _tokens(text: str) -> Iterator[tuple[str, str | None]]:
    """Pairs of literal text (escapes undone) and the name referred to after it, None after the last literal."""
    start = 0
    cursor = text.find(OPERATOR)
    last_closer = text.rfind(CLOSER)
    while cursor != -1:
        if text.startswith(OPERATOR, cursor + 1):
            yield text[start : cursor + 1], None
            start = cursor = cursor + 2
        elif text.startswith(OPENER, cursor) and cursor < last_closer:
            closer = text.index(CLOSER, cursor)
            yield text[start:cursor], text[cursor + len(OPENER) : closer]
            start = cursor = closer + 1
        else:
            cursor += 1
        cursor = text.find(OPERATOR, cursor)
    yield text[start:], None
