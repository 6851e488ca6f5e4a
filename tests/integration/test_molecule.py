# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Molecule scenarios in extensions/molecule, each with hosts of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from playbooks import REPOSITORY

SHORT = {"default": "forky"}
"""What `make test` runs, and on which of its hosts: the one in all groups, with the newest Podman."""
IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
SCENARIOS = sorted(path.parent.name for path in (REPOSITORY / "extensions/molecule").glob("*/molecule.yml"))


@pytest.mark.integration
@pytest.mark.parametrize(
    "scenario", [pytest.param(name, marks=[] if name in SHORT else pytest.mark.long) for name in SCENARIOS]
)
def test_scenario(scenario: str) -> None:
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        # Where Molecule keeps what is a scenario's own.
        "ANSIBLE_HOME": str(REPOSITORY / "build/molecule"),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
        **({} if IS_FULL or scenario not in SHORT else {"PODWRIGHT_HOSTS": SHORT[scenario]}),
    }
    done = subprocess.run(
        [tools / "molecule", "test", "--scenario-name", scenario],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
