# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stack of Deployments costs that is as declared, by a run alone and through the agent, and what that uses.

The Deployments have two Pods each, with a liveness and a readiness probe. They are brought up once for each of the two,
and run again with nothing changed in several rounds, each after a playbook of one ``ping``, the floor. Then the agent
is left alone for a while, and what it uses is read from the kernel. The table goes to standard output and into
docs/benchmarks.md. Ends with 1 when a limit is not kept.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent import SETTLING_SECONDS, AgentBenchmark, AgentProcess, cpu_seconds, resident_mib
from measuring import (
    FIRST,
    PING,
    UNCHANGED,
    ansible_playbook,
    check_recap,
    facts,
    is_kept,
    limit_row,
    options_parser,
    say,
    spread,
    table,
    write_page,
    write_template,
)

REPLICAS = 2
RATIO_LIMITS = {"a run alone": 2.2, "through the agent": 1.35}
CPU_LIMIT = 3
"""Percent of one processor."""
MEMORY_LIMIT = 70
"""MiB."""


@dataclass
class Unchanged:
    """What the Deployments took one way: seconds of the first run, and by round of ``ping`` and unchanged run."""

    name: str
    first: float = 0.0
    ping: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [ours / ping for ours, ping in zip(self.unchanged, self.ping, strict=True)]


@dataclass
class Alone:
    """What the agent uses while nobody asks it."""

    cpu_percent: float
    memory_mib: float


class WorkloadBenchmark(AgentBenchmark):
    """Many Deployments, by a run alone and by the agent."""

    def measure(self, name: str, deployments: int, rounds: int) -> Unchanged:
        stack_file = self.host.directory / "deployments.yml"
        variables = {"image": self.host.image, "deployments": deployments, "replicas": REPLICAS}
        write_template("deployments.yml.j2", variables, stack_file)
        command = ansible_playbook("podwright_stack.yml", {"stack_file": str(stack_file)})
        say(f"{name}, {deployments} Deployments: {FIRST}")
        measured = Unchanged(name, self._run_all(name, command, deployments, changes=True))
        for number in range(1, rounds + 1):
            say(f"{name}, {deployments} Deployments: {UNCHANGED}, round {number} of {rounds}")
            measured.ping.append(self.run(ansible_playbook("ping.yml"))[0])
            measured.unchanged.append(self._run_all(name, command, deployments, changes=False))
        return measured

    def _run_all(self, name: str, command: Sequence[str], deployments: int, changes: bool) -> float:
        seconds, output = self.run(command)
        check_recap(name, output, changes)
        running = len(self.starts())
        if running != deployments * REPLICAS:
            raise SystemExit(f"{name} reported an end, but {running} containers run for {deployments}:\n{output}")
        return seconds

    def leave_alone(self, agent: AgentProcess, seconds: float) -> Alone:
        say("the agent: left alone")
        time.sleep(SETTLING_SECONDS)
        used, begin = cpu_seconds(agent.pid), time.monotonic()
        time.sleep(seconds)
        percent = 100 * (cpu_seconds(agent.pid) - used) / (time.monotonic() - begin)
        return Alone(percent, resident_mib(agent.pid))


def limit_rows(measured: Sequence[Unchanged], alone: Alone, deployments: int) -> list[list[str]]:
    ratios = [limit_row(f"{one.name} : {PING}", one.ratios, RATIO_LIMITS[one.name]) for one in measured]
    what = f"with {deployments} x {REPLICAS} Pods"
    return [
        *ratios,
        limit_row(f"the agent {what}, % of a processor", [alone.cpu_percent], CPU_LIMIT, digits=1),
        limit_row(f"the agent {what}, resident MiB", [alone.memory_mib], MEMORY_LIMIT, digits=0),
    ]


def main() -> int:
    parser = options_parser(__doc__)
    parser.add_argument("--deployments", type=int, default=50, help="how many there are (default: 50)")
    parser.add_argument("--seconds", type=float, default=60, help="how long the agent is left alone (default: 60)")
    options = parser.parse_args()
    benchmark = WorkloadBenchmark()
    try:
        benchmark.start()
        alone_name, kept_name = RATIO_LIMITS
        measured = [benchmark.measure(alone_name, options.deployments, options.rounds)]
        benchmark.clear()
        agent = AgentProcess(benchmark)
        try:
            measured.append(benchmark.measure(kept_name, options.deployments, options.rounds))
            alone = benchmark.leave_alone(agent, options.seconds)
        finally:
            agent.stop()
        rows = [[one.name, f"{one.first:.2f}", spread(one.unchanged), spread(one.ping)] for one in measured]
        times = table([f"{options.deployments} Deployments", f"{FIRST}, s", f"{UNCHANGED}, s", f"{PING}, s"], rows)
        limits = table([UNCHANGED, "limit", "measured", "kept"], limit_rows(measured, alone, options.deployments))
        method = f"{options.rounds} rounds of the {UNCHANGED}, then {options.seconds:g} s alone"
        results = "\n\n".join((facts(benchmark.host.podman, method), times, limits))
    finally:
        benchmark.remove()
    print(results)
    write_page(options.page, "workloads", results)
    is_all_kept = all(is_kept(one.ratios, RATIO_LIMITS[one.name]) for one in measured)
    return 0 if is_all_kept and alone.cpu_percent <= CPU_LIMIT and alone.memory_mib <= MEMORY_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
