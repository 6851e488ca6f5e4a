# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a host keeps the collection's state."""

from __future__ import annotations

import os
from pathlib import Path


def default_directory() -> Path:
    """Where the state stands: PODWRIGHT_STATE_DIR, else by user."""
    given = os.environ.get("PODWRIGHT_STATE_DIR")
    if given:
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/podwright")
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "podwright"
