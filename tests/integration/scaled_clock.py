# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents whose clock is another one: it runs faster, from an instant of the test's choice, and goes on over kills."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ScaledClock:
    """``scale`` of its seconds are one of ours; ``first`` is what it shows at its begin, seconds since the epoch."""

    first: float
    scale: float
    began_at: float = field(default_factory=time.time)

    def time(self) -> float:
        return self.first + (time.time() - self.began_at) * self.scale

    @property
    def preamble(self) -> str:
        """Python that an agent's process runs first."""
        return (
            "import time\nreal_time = time.time\n"
            f"time.time = lambda: {self.first!r} + (real_time() - {self.began_at!r}) * {self.scale!r}\n"
        )
