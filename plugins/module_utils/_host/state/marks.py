# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks: files of one word about a container or a volume, which can be found out anew where it is lost."""

from __future__ import annotations

import re
from pathlib import Path

from ..._errors import HostError
from .. import state_files

_FORMER_MARK = re.compile(b"[0-9a-f]+( [0-9a-f]+)?")
"""What earlier releases wrote as a mark: a container's id, or two digests."""


def read_mark(path: Path) -> str:
    """The mark in a file; empty if there is none or it is damaged, since a run can find it out again."""
    try:
        content = state_files.read(path) or b""
        if content.startswith(b"{"):
            return str(state_files.parse_object(path, content).get("word") or "")
        return content.decode() if _FORMER_MARK.fullmatch(content) else ""
    except HostError:
        return ""


def write_mark(path: Path, word: str) -> None:
    """Write the word, and make the folder for it. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state_files.write_object(path, {"word": word}, is_lasting=False)
