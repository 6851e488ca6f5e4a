# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that others wrote, such as containers, made fit to be shown: nothing in it is obeyed by a terminal."""

from __future__ import annotations

import unicodedata

_KEPT = frozenset("\n\t\u200c\u200d")
"""Line ends and tabs, and the joiners that scripts and emoji are written with."""


def printable(text: str, limit: int | None = None) -> str:
    """``text`` with escapes (``\\x1b``) for all but what is seen, line ends and tabs; ``limit`` characters at most.

    The carriage return of a line that a terminal has ended is left out.
    """
    if not text.isprintable():
        text = "".join(map(_shown, text.replace("\r\n", "\n")))
    return text if limit is None or len(text) <= limit else text[: max(limit - 3, 0)] + "..."


def one_line(text: str) -> str:
    """The same on one line."""
    return printable(text).replace("\n", " ").replace("\t", " ")


def _shown(letter: str) -> str:
    # Blanks of other widths are no more than blanks.
    if letter.isprintable() or letter in _KEPT or unicodedata.category(letter) == "Zs":
        return letter
    return letter.encode("unicode_escape").decode("ascii")
