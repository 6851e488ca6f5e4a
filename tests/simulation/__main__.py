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
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

if os.environ.get("PYTHONHASHSEED") != "0":
    # The order of sets is part of what a seed decides.
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "collections")]

from simulation import clock  # noqa: E402

clock.install()

from simulation.planted import FAULTS, ROLLOUT_FAULTS  # noqa: E402
from simulation.play import outcome_of  # noqa: E402
from simulation.rollouts import Rollouts  # noqa: E402
from simulation.scenario import Scenario  # noqa: E402
from simulation.simulated_host import SimulatedHost  # noqa: E402
from simulation.stories import STORIES, failures_of  # noqa: E402

BASE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


KINDS = {"pods": Scenario, "rollouts": Rollouts}


def main() -> int:
    """Returns 1 where something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-19", help="FIRST-LAST, or one number")
    parser.add_argument("--kind", choices=[*KINDS], default="pods", help="what is simulated")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long; 0 for all seeds")
    parser.add_argument(
        "--cpu-seconds", type=float, default=0, help="stop after so much of a processor; 0 for no limit"
    )
    parser.add_argument("--log", action="store_true", help="print all that happened")
    parser.add_argument("--keep-going", action="store_true", help="go on after a seed that failed")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the seeds")
    parser.add_argument("--story", choices=["all", *STORIES], help="tell a story in the place of seeds")
    parser.add_argument("--plant", choices=[*FAULTS], help="make a mistake on purpose, to see that it is found")
    parser.add_argument(
        "--table", type=Path, help="plant each of them, in so many processes, and write down what was found"
    )
    parser.add_argument("--job", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.table:
        return _write_table(options.table, options.jobs)
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
            if options.cpu_seconds and time.process_time() > options.cpu_seconds:
                break
            verdict, log = play(options.kind, seed, options.steps, Path(directory) / "host")
            played += 1
            if options.log:
                print("\n".join(log))
            if verdict:
                failed += 1
                print(f"seed {seed}: {verdict}")
                again = f"--kind {options.kind} --seeds {seed} --steps {options.steps} --log"
                print(f"  to play it again: python tests/simulation {again}")
                if not options.keep_going:
                    break
            gc.collect()
    seconds = clock.real_monotonic() - began_at
    cpu = f"{time.process_time():.1f} s of a processor"
    print(f"{played} seeds of {options.steps} steps in {seconds:.1f} s ({cpu}), {failed} failed", flush=True)
    return 1 if failed else 0


def play(kind: str, seed: int, steps: int, directory: Path) -> tuple[str, list[str]]:
    """Play one seed; what did not hold, empty for nothing, and the log."""
    with SimulatedHost(seed, directory) as host:
        scenario = KINDS[kind](host, steps)
        return outcome_of(scenario), scenario.log


def _tell(story: str) -> int:
    base = tempfile.TemporaryDirectory(prefix="podwright-simulation-", dir=BASE)
    with base as directory, SimulatedHost(1, Path(directory) / "host") as host:
        failures = failures_of(host, story)
    print(f"story {story}: {'; '.join(failures) or 'holds'}", flush=True)
    return 1 if failures else 0


def _write_table(path: Path, jobs: int) -> int:
    """Plant each mistake in a process of its own; 1 where one was not found."""
    with ThreadPoolExecutor(jobs) as processes:
        found = list(processes.map(_row_of, FAULTS))
    missed, spent = sum(not row.seed for row in found), sum(row.seconds for row in found)
    end = f"{len(found) - missed} of {len(found)} were found, in {spent:.0f} seconds of a processor."
    path.write_text("\n".join([*_TABLE_HEAD, *map(str, found), "", end, ""]), encoding="utf-8")
    return 1 if missed else 0


@dataclass(frozen=True)
class _Row:
    """What became of a mistake; ``seed`` is empty where none found it."""

    fault: str
    seed: str
    seen: str
    seconds: float

    def __str__(self) -> str:
        return f"| {self.fault} | {self.seed} | {self.seen.replace('|', ' ')} | {self.seconds:.1f} |"


def _row_of(fault: str) -> _Row:
    limits = ["--seeds", "0-999", "--steps", str(_TABLE_STEPS), "--cpu-seconds", str(_TABLE_SECONDS)]
    kind = "rollouts" if fault in ROLLOUT_FAULTS else "pods"
    command = [sys.executable, sys.argv[0], "--kind", kind, "--plant", fault, *limits]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    spent = re.search(r"\(([\d.]+) s of a processor\)", done.stdout)
    if spent is None:
        # It says how long it took unless it broke down itself.
        raise SystemExit(f"{fault}: the simulation ended by itself:\n{done.stderr}")
    found = re.search(r"^seed (\d+): at [\d.]+ s: (.*)$", done.stdout, re.MULTILINE)
    seed, seen = found.groups() if found else ("", "not found")
    row = _Row(fault, seed, seen, float(spent[1]))
    print(row, flush=True)
    return row


_TABLE_STEPS = 100
_TABLE_SECONDS = 180
_TABLE_HEAD = (
    "# What the simulation finds",
    "",
    "`.venv/bin/python tests/simulation --table docs/simulation.md` has made these mistakes on purpose, one by one",
    f"(`tests/simulation/planted.py`), and has played seeds of {_TABLE_STEPS} steps from 0 on until one found it.",
    "Seconds are those of a processor, the start of Python and the reading of all code among them.",
    "",
    "| planted | seed | what was seen | s |",
    "|---|---|---|---|",
)


def _play_side_by_side(jobs: int) -> int:
    commands = [[sys.executable, *sys.orig_argv[1:], "--job", str(number)] for number in range(jobs)]
    processes = [subprocess.Popen(command) for command in commands]
    return max(process.wait() for process in processes)


sys.exit(main())
