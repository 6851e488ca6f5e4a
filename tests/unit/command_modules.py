# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `podwright` as it is imported on a host, with the code of this checkout behind it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

FILES = Path(__file__).resolve().parents[2] / "roles" / "agent" / "files"
PACKAGE = "ansible_collections.podwright.pods.plugins.module_utils"


def module(name: str) -> Any:
    """A file of the command."""
    if str(FILES) not in sys.path:
        sys.path.insert(0, str(FILES))
    found = importlib.import_module(f"podwright_cli.{name}")
    importlib.import_module("podwright_cli.asking").PACKAGE = PACKAGE
    return found
