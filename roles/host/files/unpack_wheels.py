# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpacks every pure-Python wheel of a directory into another one, which is replaced as a whole.

Arguments: the directory of wheels, the directory to make. A reader sees the old one or the new one, never half of it.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path


def unpack(wheels: Path, target: Path) -> None:
    fresh = target.with_name(target.name + ".new")
    former = target.with_name(target.name + ".old")
    os.umask(0o022)
    for leftover in (fresh, former):
        shutil.rmtree(leftover, ignore_errors=True)
    for wheel in sorted(wheels.glob("*.whl")):
        zipfile.ZipFile(wheel).extractall(fresh)
    if target.exists():
        target.rename(former)
    fresh.rename(target)
    shutil.rmtree(former, ignore_errors=True)


unpack(Path(sys.argv[1]), Path(sys.argv[2]))
