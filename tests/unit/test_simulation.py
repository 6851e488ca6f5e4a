# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulation as a sample; ``python tests/simulation`` plays more seeds, or one again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SIMULATION = Path(__file__).resolve().parents[1] / "simulation"
STORIES = [
    "stop_that_was_killed",
    "container_whose_process_and_monitor_are_gone",
    "update_to_what_ends_at_once",
    "failing_step_with_rollback",
    "run_while_the_agent_begins",
    "container_renamed_by_a_stranger",
    "update_within_a_second_and_lost",
    "init_container_lost_while_it_is_waited_for",
    "sidecar_lost_while_it_is_waited_for",
    "sidecar_unwatched_while_it_is_waited_for",
    "sidecar_removed_while_it_is_waited_for",
    "hook_while_the_sandbox_cannot_be_seen",
]
IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))


def simulate(*arguments: str) -> str:
    """What the simulation prints, in a process of its own: it takes the place of the clock and the disk."""
    command = [sys.executable, str(SIMULATION), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_was_found_once_is_not_found_again() -> None:
    assert simulate("--story", "all").splitlines() == [f"story {story}: holds" for story in STORIES]


def test_seeds() -> None:
    """In full for ten minutes on all processors, else for as long as a sample may take."""
    if IS_FULL:
        told = simulate("--seeds", "0-9999", "--steps", "200", "--seconds", "600", "--jobs", str(os.cpu_count() or 1))
    else:
        told = simulate("--seeds", "0-199", "--steps", "100", "--seconds", "15")
    assert_played(told)


def test_seeds_of_rollouts() -> None:
    """In full 500 of them."""
    if IS_FULL:
        told = simulate("--kind", "rollouts", "--seeds", "0-499", "--steps", "60", "--jobs", str(os.cpu_count() or 1))
    else:
        told = simulate("--kind", "rollouts", "--seeds", "0-99", "--steps", "60", "--seconds", "10")
    assert_played(told)


def assert_played(told: str) -> None:
    """Each process has a line, and none of them a failure."""
    ends = [line for line in told.splitlines() if " seeds of " in line]
    assert ends
    assert all(line.endswith(" 0 failed") and not line.startswith("0 seeds") for line in ends), told


def test_each_mistake_can_still_be_made() -> None:
    """Each replaces something by its name; where that has gone elsewhere, nothing would be found."""
    script = f"""
import sys
sys.path[:0] = {[str(SIMULATION.parent), str(SIMULATION.parents[1] / "collections")]!r}
from simulation import clock
clock.install()
from simulation.planted import FAULTS
for plant in FAULTS.values():
    plant()
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.long
def test_each_mistake_is_found(tmp_path: Path) -> None:
    simulate("--table", str(tmp_path / "table.md"), "--jobs", str(os.cpu_count() or 1))


def test_a_seed_is_played_the_same_again() -> None:
    first, second = (simulate("--seeds", "3", "--steps", "40", "--log").splitlines()[:-1] for _time in range(2))
    assert first == second
    assert len(first) > 20
