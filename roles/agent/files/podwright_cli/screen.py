# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and lines on standard output: fitted to a terminal, whole and plain where there is none."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from .view import plain

GAP = 3
NARROW_GAP = 2
ELASTIC_MINIMUM = 18
"""The least that a column takes which can be broken in lines, before others give way to it."""
NAME_MINIMUM = 8

Row = Mapping[str, str]
"""Cells by column. Upper case is how a column is told in full, lower case how it is told in short; both have the same
header."""
Style = Callable[[str, Row], str]
"""From the text of a cell, and its row, to the colour of the cell; empty for none."""


class Screen:
    """Where the output goes. ``width`` is None where lines may be as long as they are."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdout.isatty()
        self.width = shutil.get_terminal_size().columns if self.is_terminal else None
        self.has_colour = self.is_terminal and may_colour()

    def write(self, text: str = "", indent: int = 0, hanging: int = 0, style: str = "") -> None:
        """One line, or as many as it takes; ``hanging`` is how much further in the others begin."""
        for line in self._lines(text, indent, hanging):
            sys.stdout.write(self._styled(line, style) + "\n")

    def write_pair(self, key: str, text: str, indent: int = 0, hanging: int = 0, style: str = "") -> None:
        """A key, and a text beside it in a style of its own."""
        first, *others = self._lines(key + text, indent, hanging)
        end = indent + len(key)
        sys.stdout.write(self._styled(first[:end], "bold") + self._styled(first[end:], style) + "\n")
        for line in others:
            sys.stdout.write(self._styled(line, style) + "\n")

    def _lines(self, text: str, indent: int, hanging: int) -> list[str]:
        first = " " * indent + plain(text)
        if self.width is None or len(first) <= self.width:
            return [first.rstrip()]
        # Never so far in that nothing but indentation is left.
        margins = " " * min(indent, self.width // 2), " " * min(indent + hanging, self.width // 2)
        return textwrap.wrap(
            plain(text), self.width, initial_indent=margins[0], subsequent_indent=margins[1], break_on_hyphens=False
        )

    def _styled(self, text: str, style: str) -> str:
        if not (self.has_colour and style and text):
            return text
        import click

        return click.style(text, bold=True) if style == "bold" else click.style(text, fg=style)

    def is_narrower_than(self, columns: int) -> bool:
        return self.width is not None and self.width < columns


class Table:
    """Rows under headers, of which more can be added: columns then keep their places.

    ``layouts`` are the columns to choose from, the best choice first; the first one that fits is taken. ``elastic`` is
    the column that is broken in lines; a layout that leaves it less than ``ease`` is taken only where all of them do.
    ``styles`` colour cells by column.
    """

    def __init__(
        self,
        screen: Screen,
        layouts: Sequence[str],
        elastic: str = "",
        styles: Mapping[str, Style] | None = None,
        ease: int = 0,
        indent: int = 0,
    ) -> None:
        self._screen = screen
        self._layouts = [layout.split() for layout in layouts]
        self._elastic = {elastic, elastic.lower()}
        self._ease = ease
        self._styles = styles or {}
        self._indent = indent
        self._columns: list[str] = []
        self._widths: dict[str, int] = {}
        self._gap = GAP
        self._has_headers = False

    def show(self, rows: Sequence[Row]) -> None:
        """Show rows, under their headers where none were shown before."""
        cells = [{column: plain(text) for column, text in row.items()} for row in rows]
        self._fit(cells)
        for line in self._rendered(cells):
            sys.stdout.write(_TRAILING.sub(r"\1", f"{' ' * self._indent}{line}") + "\n")
        self._has_headers = True
        sys.stdout.flush()

    def _fit(self, rows: Sequence[Row]) -> None:
        """Choose columns for the first rows; what comes later may make columns wider where there is room."""
        layouts, gaps = ([self._columns], (self._gap,)) if self._columns else (self._layouts, (GAP, NARROW_GAP))
        room = None if self._screen.width is None else self._screen.width - self._indent
        # On a narrow terminal half of it is for what is elastic.
        ease = max(min(self._ease, (room or 0) // 2), ELASTIC_MINIMUM)
        for least, columns, gap in itertools.product((ease, ELASTIC_MINIMUM), layouts, gaps):
            self._columns, self._gap = columns, gap
            natural = {column: self._natural(column, rows) for column in columns}
            if room is None:
                self._widths = natural
                return
            left = room - gap * (len(columns) - 1)
            self._widths = self._fitted(natural, left, least)
            if sum(self._widths.values()) <= left:
                return
        self._squeeze(left)

    def _natural(self, column: str, rows: Sequence[Row]) -> int:
        from rich.cells import cell_len

        known = max(len(_header(column)), self._widths.get(column, 0))
        return max((known, *(cell_len(row[column]) for row in rows)))

    def _fitted(self, natural: dict[str, int], room: int, least: int) -> dict[str, int]:
        """The widths with what is elastic taking what is left, but no less than ``least``."""
        elastic = next((column for column in natural if column in self._elastic), None)
        if elastic is None:
            return natural
        left = room - sum(natural.values()) + natural[elastic]
        return {**natural, elastic: min(natural[elastic], max(left, least))}

    def _squeeze(self, room: int) -> None:
        """Nothing fits: the widest column is broken in lines, however narrow it gets."""
        while sum(self._widths.values()) > room:
            widest = max(self._widths, key=lambda column: self._widths[column])
            self._widths[widest] = max(self._widths[widest] - (sum(self._widths.values()) - room), NAME_MINIMUM)
            if all(width <= NAME_MINIMUM for width in self._widths.values()):
                return

    def _rendered(self, rows: Sequence[Row]) -> list[str]:
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        padding, has_headers = (0, self._gap, 0, 0), not self._has_headers
        table = RichTable(box=None, padding=padding, pad_edge=False, show_header=has_headers, header_style="")
        for column in self._columns:
            header = Text(_header(column), style="bold" if self._screen.has_colour else "")
            table.add_column(header, width=self._widths[column], overflow="fold")
        for row in rows:
            table.add_row(*(Text(row[column], style=self._style_of(column, row)) for column in self._columns))
        # rich is to measure nothing and to leave nothing out: the columns are as wide as they are to be.
        width = sum(self._widths.values()) + self._gap * len(self._columns)
        console = Console(
            width=width,
            height=100,
            force_terminal=self._screen.has_colour,
            color_system="standard" if self._screen.has_colour else None,
            legacy_windows=False,
        )
        with console.capture() as captured:
            console.print(table)
        return captured.get().splitlines()

    def _style_of(self, column: str, row: Row) -> str:
        style = self._styles.get(column.upper())
        return style(row[column], row) if style else ""


_TRAILING = re.compile(r" +(\x1b\[0m)?$")


def _header(column: str) -> str:
    return column.upper().replace("_", " ")


def may_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") != "dumb"


@contextlib.contextmanager
def busy(text: str) -> Iterator[Any]:
    """Say on the terminal that something takes its time; nothing where standard error is none."""
    if not sys.stderr.isatty() or not may_colour():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status(plain(text)) as status:
        yield status
