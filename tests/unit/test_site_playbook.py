# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml makes of an inventory before it reaches a host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from playbook_runs import CHECKOUT

NOTICES = {"name": "notices", "pods": []}
SHOW = {
    "hosts": "all",
    "gather_facts": False,
    "vars_files": [str(CHECKOUT / "playbooks/vars/stacks.yml")],
    "tasks": [
        {"ansible.builtin.debug": {"msg": "{{ inventory_hostname }}: {{ podwright_host_stack_names | join(' ') }}"}}
    ],
}


class Fleet:
    """Three hosts that are never reached: two shops and a mirror."""

    def __init__(self, directory: Path, **variables: Any) -> None:
        self.directory = directory
        shops = {
            "hosts": {"one": {}, "two": {"podwright_stacks_own": "{{ own }}", "own": ["backup"]}},
            "vars": {"podwright_stacks_shops": [NOTICES, "lamp"]},
        }
        inventory = {"all": {"vars": variables, "children": {"shops": shops, "mirrors": {"hosts": {"three": {}}}}}}
        (directory / "inventory.yml").write_text(yaml.safe_dump(inventory))

    def play(self, playbook: Path, *arguments: str, inventory: Path | None = None) -> tuple[int, str]:
        done = subprocess.run(
            [
                Path(sys.executable).with_name("ansible-playbook"),
                "-i",
                inventory or self.directory / "inventory.yml",
                playbook,
                *arguments,
            ],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "collections"),
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def look(self, *arguments: str) -> tuple[int, str]:
        """Run site.yml, without any of its tasks on hosts."""
        return self.play(CHECKOUT / "playbooks/site.yml", "--tags", "none", "--skip-tags", "host", *arguments)


def test_stacks_add_up(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, podwright_stacks=["web"], podwright_stacks_everywhere=[NOTICES])
    (tmp_path / "show.yml").write_text(yaml.safe_dump([SHOW]))
    status, output = fleet.play(tmp_path / "show.yml")
    assert status == 0, output
    for told in ("one: web lamp notices", "two: web backup lamp notices", "three: web notices"):
        assert f"msg: '{told}'" in output or f'"msg": "{told}"' in output


def test_two_stacks_of_one_name(tmp_path: Path) -> None:
    status, output = Fleet(tmp_path, podwright_stacks=[{"name": "notices", "state": "absent"}]).look()
    assert status != 0
    assert "Declared twice, and differently, in podwright_stacks, podwright_stacks_own" in output
    assert "notices" in output
    assert "Bring up the stacks" not in output


@pytest.mark.parametrize(
    ("given", "arguments", "batches"),
    [
        ({}, (), 1),
        ({"podwright_serial": 1}, (), 3),
        pytest.param({"podwright_serial": [1, "100%"]}, (), 2, marks=pytest.mark.long),
        pytest.param({}, ("-e", "podwright_serial=2"), 2, marks=pytest.mark.long),
    ],
    ids=["all at once", "by the inventory", "a list", "by the command line"],
)
def test_how_many_at_a_time(tmp_path: Path, given: dict[str, Any], arguments: tuple[str, ...], batches: int) -> None:
    status, output = Fleet(
        tmp_path, ansible_connection="local", ansible_python_interpreter=sys.executable, **given
    ).look(*arguments)
    assert status == 0, output
    assert output.count("PLAY [Bring up the stacks]") == batches


def test_the_example_of_a_fleet_shares_five_pods(tmp_path: Path) -> None:
    """Those of a group, whose names alone say who has how many."""
    deployments = "podwright_host_stacks | map(attribute='deployments', default=[]) | flatten"
    told = "{{ inventory_hostname }}: {{ " + deployments + " | map(attribute='replicas') | join(' ') }}."
    (tmp_path / "show.yml").write_text(yaml.safe_dump([{**SHOW, "tasks": [{"ansible.builtin.debug": {"msg": told}}]}]))
    status, output = Fleet(tmp_path).play(tmp_path / "show.yml", inventory=CHECKOUT / "inventory/fleet")
    assert status == 0, output
    shares = dict(re.findall(r"(\w+)\.example\.org: (\d*)\.", output))
    assert shares == {"mirror1": "", "shop1": "2", "shop2": "3"}
