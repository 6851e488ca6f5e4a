# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the place of the collection's own functions and classes."""

from __future__ import annotations

from typing import Any


def put(stand_in: Any, name: str, *places: Any) -> None:
    """Put it in the place of what has this name in modules and classes, each of which looks it up there by itself.

    Raises AttributeError if one has nothing of that name: the stand-in would replace nothing, and nobody would notice.
    """
    for place in places:
        getattr(place, name)
        setattr(place, name, stand_in)
