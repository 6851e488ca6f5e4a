# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can become of a file that is kept: each damage by its name, with what does it to a path."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def _in_place(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "other JSON": lambda path: path.write_bytes(b"[]"),
    "no text": lambda path: path.write_bytes(b"\xff\xfe"),
    "folder": lambda path: _in_place(path, Path.mkdir),
    "pipe": lambda path: _in_place(path, os.mkfifo),
    "link": lambda path: _in_place(path, lambda place: place.symlink_to("nothing")),
}
