# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release of the collection this code is, and which others it understands.

A module and the agent that it hands its work to may come from different releases. Those of one major and minor
version understand one another; of any others neither guesses what the other means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VERSION = "0.1.0"
"""The version in galaxy.yml, which hosts do not have."""
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.\d{1,6}(?:[-+].*)?", re.ASCII | re.DOTALL)
_SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Release:
    """``version`` as in galaxy.yml; ``code`` is the digest that names the code on a host, empty where it has none."""

    version: str = VERSION
    code: str = ""

    @property
    def level(self) -> tuple[int, int]:
        """Its major and minor version; ValueError for what is no version."""
        match = _VERSION.fullmatch(self.version)
        if match is None:
            raise ValueError(f"{self.version!r} is not a version such as {VERSION}")
        return int(match[1]), int(match[2])

    def __str__(self) -> str:
        return f"{self.version} (code {self.code[:_SHOWN_DIGITS]})" if self.code else self.version


def misunderstanding(module: Release, agent: Release) -> str:
    """Why an agent must not do the work of a module of this release, and what to do about it; empty where it may.

    ValueError for what is no version.
    """
    if module.level == agent.level:
        return ""
    remedy = (
        "run the role podwright.pods.agent, which brings the agent up to date"
        if module.level > agent.level
        else f"update the collection on the control node to {agent.version}"
    )
    return f"the agent of this host is podwright.pods {agent}, this module is {module}: {remedy}"
