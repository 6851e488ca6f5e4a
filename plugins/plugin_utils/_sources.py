# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How numbers were written in the files that Ansible has read them from, as far as it remembers (2.19 and newer do)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from ..module_utils._declaration.place import WrittenNumber

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

_MAX_FILE_BYTES = 4 * 1024 * 1024
_PLAIN_SCALAR = re.compile(r"[-+0-9a-zA-Z_:]+")


class Sources:
    """The files of one task's values, each read once."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def number(self, value: int) -> int:
        """The number as it is, or with its text where that is another one than its digits."""
        plain = int(value)
        origin: Any = Origin.get_tag(value) if Origin is not None else None
        if origin is None or not origin.path or not origin.line_num or not origin.col_num:
            return plain
        lines = self._lines_of(str(origin.path))
        line = lines[origin.line_num - 1] if origin.line_num <= len(lines) else ""
        found = _PLAIN_SCALAR.match(line, origin.col_num - 1)
        text = found[0].rstrip(":") if found else ""
        # What stands there may be a template, or the file another one than was read.
        is_it = text not in ("", str(plain)) and _read(text) == plain
        return WrittenNumber.of(plain, text) if is_it else plain

    def _lines_of(self, path: str) -> list[str]:
        if path not in self._lines:
            self._lines[path] = _read_lines(Path(path))
        return self._lines[path]


def _read_lines(path: Path) -> list[str]:
    try:
        if not path.is_file() or path.stat().st_size > _MAX_FILE_BYTES:
            return []
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return None
