# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of a named volume, of a stack or of each Pod of a workload, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .quantity import Quantity


@dataclass(frozen=True)
class NamedVolume:
    """A Podman volume of the stack; ``size`` is what a claim asked for, which Podman does not enforce."""

    name: str
    size: Quantity | None = None
    driver: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)
