# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python tests/hosts --help`."""

from __future__ import annotations

import sys
from pathlib import Path

# The package and the collection's own code, wherever this is run from.
TESTS = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(TESTS), str(TESTS.parent / "collections")]

from hosts.command import main  # noqa: E402

sys.exit(main())
