# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases of modules and agents understand one another, and what is said where they do not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.podwright.pods.plugins.module_utils._delivery.release import VERSION, Release, misunderstanding

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_code_says_what_galaxy_says() -> None:
    assert yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"] == VERSION


@pytest.mark.parametrize(
    ("module", "agent"),
    [("1.2.0", "1.2.0"), ("1.2.9", "1.2.0"), ("1.2.0", "1.2.10"), ("1.2.0-rc1", "1.2.0"), ("0.1.0", "0.1.3")],
)
def test_one_major_and_minor_version_is_understood(module: str, agent: str) -> None:
    assert misunderstanding(Release(module, "a" * 32), Release(agent, "b" * 32)) == ""


@pytest.mark.parametrize(("module", "agent"), [("0.2.0", "0.1.9"), ("1.0.0", "0.9.0"), ("0.10.0", "0.9.0")])
def test_a_newer_module_asks_for_another_agent(module: str, agent: str) -> None:
    assert misunderstanding(Release(module, "0123456789abcdef"), Release(agent)) == (
        f"the agent of this host is podwright.pods {agent}, this module is {module} (code 0123456789ab): "
        "run the role podwright.pods.agent, which brings the agent up to date"
    )


@pytest.mark.parametrize(("module", "agent"), [("0.1.9", "0.2.0"), ("0.9.0", "1.0.0"), ("0.9.0", "0.10.0")])
def test_an_older_module_asks_for_another_collection(module: str, agent: str) -> None:
    assert misunderstanding(Release(module), Release(agent, "0123456789abcdef")) == (
        f"the agent of this host is podwright.pods {agent} (code 0123456789ab), this module is {module}: "
        f"update the collection on the control node to {agent}"
    )


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "1.2.x", "1.2.3.4", "\u0661.2.3", "9" * 5000 + ".0.0"])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(ValueError, match="is not a version such as"):
        misunderstanding(Release(version), Release())
