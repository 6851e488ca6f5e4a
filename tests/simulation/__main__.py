# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python tests/simulation --seeds 0-99``: play so many seeds, or one again with everything that happened."""

from __future__ import annotations

import argparse
import gc
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

if os.environ.get("PYTHONHASHSEED") != "0":
    # The order of sets is part of what a seed decides.
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "collections")]

from simulation import clock  # noqa: E402

clock.install()

from simulation.planted import FAULTS  # noqa: E402
from simulation.scenario import outcome_of  # noqa: E402
from simulation.simulated_host import SimulatedHost  # noqa: E402
from simulation.stories import STORIES, failures_of  # noqa: E402

BASE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main() -> int:
    """Returns 1 where something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-19", help="FIRST-LAST, or one number")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long; 0 for all seeds")
    parser.add_argument("--log", action="store_true", help="print all that happened")
    parser.add_argument("--keep-going", action="store_true", help="go on after a seed that failed")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the seeds")
    parser.add_argument("--story", choices=["all", *STORIES], help="tell a story in the place of seeds")
    parser.add_argument("--plant", choices=[*FAULTS], help="make a mistake on purpose, to see that it is found")
    parser.add_argument("--table", type=Path, help="plant each of them, and write down what was found")
    parser.add_argument("--job", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.table:
        return _write_table(options.table)
    if options.plant:
        FAULTS[options.plant]()
    if options.story:
        return max(_tell(name) for name in (STORIES if options.story == "all" else [options.story]))
    if options.jobs > 1 and "--job" not in sys.argv:
        return _play_side_by_side(options.jobs)
    first, _dash, last = options.seeds.partition("-")
    seeds = range(int(first) + options.job, int(last or first) + 1, options.jobs)
    began_at = clock.real_monotonic()
    failed = played = 0
    # What a simulation leaves behind goes with it, all at once; what is there before it stays.
    gc.disable()
    gc.collect()
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="podwright-simulation-", dir=BASE) as directory:
        for seed in seeds:
            if options.seconds and clock.real_monotonic() - began_at > options.seconds:
                break
            verdict, log = play(seed, options.steps, Path(directory) / "host")
            played += 1
            if options.log:
                print("\n".join(log))
            if verdict:
                failed += 1
                print(f"seed {seed}: {verdict}")
                print(f"  to play it again: python tests/simulation --seeds {seed} --steps {options.steps} --log")
                if not options.keep_going:
                    break
            gc.collect()
    seconds = clock.real_monotonic() - began_at
    print(f"{played} seeds of {options.steps} steps in {seconds:.1f} s, {failed} failed", flush=True)
    return 1 if failed else 0


def play(seed: int, steps: int, directory: Path) -> tuple[str, list[str]]:
    """Play one seed; what did not hold, empty for nothing, and the log."""
    with SimulatedHost(seed, directory) as host:
        return outcome_of(host, steps)


def _tell(story: str) -> int:
    base = tempfile.TemporaryDirectory(prefix="podwright-simulation-", dir=BASE)
    with base as directory, SimulatedHost(1, Path(directory) / "host") as host:
        failures = failures_of(host, story)
    print(f"story {story}: {'; '.join(failures) or 'holds'}", flush=True)
    return 1 if failures else 0


def _write_table(path: Path) -> int:
    """Plant each mistake in a process of its own; 1 where one was not found."""
    rows, missed = [], 0
    for fault in FAULTS:
        command = [
            sys.executable,
            sys.argv[0],
            "--plant",
            fault,
            "--seeds",
            "0-999",
            "--seconds",
            "90",
            "--steps",
            "100",
        ]
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        found = re.search(r"^seed (\d+): at [\d.]+ s: (.*)$", told, re.MULTILINE)
        ended = re.search(r"steps in ([\d.]+) s", told)
        missed += found is None
        seed, words = found.groups() if found else ("", "not found")
        rows.append(f"| {fault} | {seed} | {words.replace('|', ' ')} | {ended[1] if ended else ''} |")
        print(rows[-1], flush=True)
    path.write_text("\n".join([*_TABLE_HEAD, *rows, ""]), encoding="utf-8")
    return 1 if missed else 0


_TABLE_HEAD = (
    "# What the simulation finds",
    "",
    "`python tests/simulation --table docs/simulation.md` makes these mistakes (`tests/simulation/planted.py`) one by",
    "one, and plays seeds of 100 steps from 0 on until one finds it. Seconds are those of the whole run.",
    "",
    "| planted | seed | what was seen | s |",
    "|---|---|---|---|",
)


def _play_side_by_side(jobs: int) -> int:
    commands = [[sys.executable, *sys.orig_argv[1:], "--job", str(number)] for number in range(jobs)]
    processes = [subprocess.Popen(command) for command in commands]
    return max(process.wait() for process in processes)


sys.exit(main())
