# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent costs while it keeps many Pods, and what an unchanged stack costs where it is asked.

Each size of the stack is brought up through the agent; every container has a liveness and a readiness probe, each every
ten seconds. Each round begins with a playbook of one ``ping``, the floor, and runs the unchanged stack once. Then the
agent is left alone for a while, and what it uses of the processor and of memory is read from the kernel. The table goes
to standard output and into docs/benchmarks.md. Ends with 1 when a limit is not kept.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring import (
    FIRST,
    PING,
    PODWRIGHT,
    REPOSITORY,
    UNCHANGED,
    ansible_playbook,
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
from stacks import SHARES, StackBenchmark

SIZES = (10, 25, 50)
RATIO_LIMIT = 1.35
MEMORY_LIMIT = 60
"""MiB."""
CPU_LIMIT = 3
"""Percent of one processor."""
LATE_LIMIT = 1
"""Seconds."""
SETTLING_SECONDS = 15


@dataclass
class Kept:
    """A stack of so many Pods that the agent keeps."""

    pods: int
    first: float = 0.0
    ping: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    memory_mib: float = 0.0
    cpu_percent: float = 0.0
    probes_per_second: float = 0.0
    latest_seconds: float = 0.0

    def ping_ratios(self) -> list[float]:
        return [ours / ping for ours, ping in zip(self.unchanged, self.ping, strict=True)]


class AgentProcess:
    """The agent, installed as a package as the role does it, with a Podman service of its own."""

    def __init__(self, benchmark: AgentBenchmark) -> None:
        directory = benchmark.host.directory / "agent"
        if not directory.exists():
            shutil.copytree(REPOSITORY / "plugins" / "module_utils", directory / "podwright")
        self._socket_path = benchmark.host.state_directory / "agent.sock"
        command = "import sys; from podwright._agent import program; sys.exit(program.main(['run']))"
        self._process = subprocess.Popen(
            [sys.executable, "-c", command], env={**benchmark.environment, "PYTHONPATH": str(directory)}
        )
        while not self._socket_path.exists():
            if self._process.poll() is not None:
                raise SystemExit("the agent does not start")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        return self._process.pid

    def health(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self._socket_path))
        with contextlib.closing(connection):
            connection.request("GET", "/v1/health")
            health: dict[str, Any] = json.load(connection.getresponse())
            return health

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class AgentBenchmark(StackBenchmark):
    """Stacks that the agent keeps."""

    def measure_kept(self, pods: int, rounds: int, seconds: float) -> Kept:
        agent = AgentProcess(self)
        try:
            return self._measure_kept(agent, Kept(pods), rounds, seconds)
        finally:
            agent.stop()
            self.clear()

    def _measure_kept(self, agent: AgentProcess, kept: Kept, rounds: int, seconds: float) -> Kept:
        stack_file = self.host.directory / "stack.yml"
        variables = {"image": self.host.image, "shares": SHARES, "pods": kept.pods, "liveness": True}
        write_template("stack.yml.j2", variables, stack_file)
        command = ansible_playbook("podwright_stack.yml", {"stack_file": str(stack_file)})
        say(f"agent, stack of {kept.pods}: {FIRST}")
        kept.first = self._run_checked(PODWRIGHT, command, kept.pods, changes=True)
        # What the modules ask of it would count as its keeping.
        for number in range(1, rounds + 1):
            say(f"agent, stack of {kept.pods}: {UNCHANGED}, round {number} of {rounds}")
            kept.ping.append(self.run(ansible_playbook("ping.yml"))[0])
            kept.unchanged.append(self._run_checked(PODWRIGHT, command, kept.pods, changes=False))
        say(f"agent, stack of {kept.pods}: left alone")
        time.sleep(SETTLING_SECONDS)
        before, cpu, begin = agent.health(), cpu_seconds(agent.pid), time.monotonic()
        time.sleep(seconds)
        passed, after = time.monotonic() - begin, agent.health()
        kept.cpu_percent = 100 * (cpu_seconds(agent.pid) - cpu) / passed
        kept.memory_mib = resident_mib(agent.pid)
        kept.probes_per_second = (after["probes"] - before["probes"]) / passed
        kept.latest_seconds = after["probe_latest_seconds"]
        return kept


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def results_of(kept: Sequence[Kept]) -> str:
    rows = [
        [
            str(each.pods),
            f"{each.first:.2f}",
            spread(each.unchanged),
            f"{each.memory_mib:.0f}",
            f"{each.cpu_percent:.1f}",
            f"{each.probes_per_second:.0f}",
            f"{each.latest_seconds:.2f}",
        ]
        for each in kept
    ]
    head = ["pods", f"{FIRST}, s", f"{UNCHANGED}, s", "memory, MiB", "CPU, %", "probes a second", "latest probe, s"]
    most = kept[-1]
    limits = [
        limit_row(f"{UNCHANGED}, stack of {most.pods} : {PING}", most.ping_ratios(), RATIO_LIMIT),
        limit_row(f"resident memory with {most.pods} pods, MiB", [most.memory_mib], MEMORY_LIMIT, digits=0),
        limit_row(f"one processor with {most.pods} pods, %", [most.cpu_percent], CPU_LIMIT, digits=1),
        limit_row("latest probe, s", [max(each.latest_seconds for each in kept)], LATE_LIMIT),
    ]
    return "\n\n".join((table(head, rows), table(["the agent", "limit", "measured", "kept"], limits)))


def main() -> int:
    parser = options_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long the agent is left alone (default: 60)")
    options = parser.parse_args()
    benchmark = AgentBenchmark()
    try:
        benchmark.start()
        kept = [benchmark.measure_kept(pods, options.rounds, options.seconds) for pods in SIZES]
        method = f"{options.rounds} rounds of the {UNCHANGED}, then {options.seconds:g} s alone"
        results = "\n\n".join((facts(benchmark.host.podman, method), results_of(kept)))
    finally:
        benchmark.remove()
    print(results)
    write_page(options.page, "agent", results)
    most = kept[-1]
    is_all_kept = (
        is_kept(most.ping_ratios(), RATIO_LIMIT)
        and most.memory_mib <= MEMORY_LIMIT
        and most.cpu_percent <= CPU_LIMIT
        and all(each.latest_seconds <= LATE_LIMIT for each in kept)
    )
    return 0 if is_all_kept else 1


if __name__ == "__main__":
    sys.exit(main())
