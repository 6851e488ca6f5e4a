# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks of many Pods by one task of podwright.pods, and the same Pods by loops of containers.podman.

Each size of the stack is brought up from nothing, run again with nothing changed in several rounds, and taken away.
Each round begins with a playbook of one ``ping``, the floor. containers.podman has one round, since it takes minutes.
Before a time counts it is checked that all containers run, and that an unchanged run says that it changed nothing and
has restarted none. The table goes to standard output and into docs/benchmarks.md. Ends with 1 when a limit is not kept.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from measuring import (
    FIRST,
    PEER,
    PING,
    PODWRIGHT,
    UNCHANGED,
    Benchmark,
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

SIZES = (1, 10, 25, 50)
CONTAINERS_PER_POD = 2
SHARES = 10
"""How many ConfigMaps there are, and how many Secrets."""
RATIO_LIMIT = 2.2
POD_LIMIT = 0.015
"""Milliseconds."""


@dataclass
class Measured:
    """What so many Pods took one contestant: seconds of the first run, and by round of ``ping`` and unchanged run."""

    name: str
    pods: int
    first: float
    unchanged: list[float] = field(default_factory=list)
    ping: list[float] = field(default_factory=list)

    def ping_ratios(self) -> list[float]:
        """By round, how many times a ``ping`` the unchanged run takes."""
        return [ours / ping for ours, ping in zip(self.unchanged, self.ping, strict=True)]

    def milliseconds_per_pod(self) -> list[float]:
        """By round, each Pod's part of what the unchanged run takes beyond a ``ping``."""
        return [1000 * (ours - ping) / self.pods for ours, ping in zip(self.unchanged, self.ping, strict=True)]


class StackBenchmark(Benchmark):
    """Many Pods by each contestant."""

    timeout = 1800

    def start(self) -> None:
        """Make the image, and the directories that stand for ConfigMaps and Secrets with containers.podman."""
        super().start()
        for number in range(SHARES):
            for name, content in (("settings", {"healthz": "ready"}), ("keys", {"TOKEN": f"token-{number}"})):
                directory = self.host.directory / f"{name}-{number}"
                directory.mkdir()
                for key, text in content.items():
                    (directory / key).write_text(text)

    def measure_stack(self, pods: int, rounds: int) -> Measured:
        """podwright.pods, from nothing to nothing."""
        stack_file = self.host.directory / "stack.yml"
        write_template("stack.yml.j2", {"image": self.host.image, "shares": SHARES, "pods": pods}, stack_file)
        command = ansible_playbook("podwright_stack.yml", {"stack_file": str(stack_file)})
        return self._measure(PODWRIGHT, command, pods, rounds)

    def measure_peer(self, pods: int) -> Measured:
        """One round of containers.podman, from nothing to nothing."""
        variables = {
            "image": self.host.image,
            "directory": str(self.host.directory),
            "shares": SHARES,
            "pods": pods,
        }
        return self._measure(PEER, ansible_playbook("containers_podman_stack.yml", variables), pods, 1)

    def _measure(self, name: str, command: Sequence[str], pods: int, rounds: int) -> Measured:
        say(f"{name}, stack of {pods}: {FIRST}")
        measured = Measured(name, pods, self._run_checked(name, command, pods, changes=True))
        for number in range(1, rounds + 1):
            say(f"{name}, stack of {pods}: {UNCHANGED}, round {number} of {rounds}")
            measured.ping.append(self.run(ansible_playbook("ping.yml"))[0])
            before = self.starts()
            measured.unchanged.append(self._run_checked(name, command, pods, changes=False))
            if self.starts() != before:
                raise SystemExit(f"{name} said that it changed nothing, but not all containers are those from before")
        self.clear()
        return measured

    def _run_checked(self, name: str, command: Sequence[str], pods: int, changes: bool) -> float:
        seconds, output = self.run(command)
        check_recap(name, output, changes)
        running = len(self.starts())
        if running != pods * CONTAINERS_PER_POD:
            raise SystemExit(f"{name} reported an end, but {running} containers run for {pods} pods:\n{output}")
        return seconds


def pod_costs(stacks: Sequence[Measured]) -> list[float]:
    """By round, the milliseconds that one more Pod costs the unchanged run: least squares over the sizes."""
    sizes = [stack.pods for stack in stacks]
    rounds = zip(*(stack.unchanged for stack in stacks), strict=True)
    return [1000 * statistics.linear_regression(sizes, seconds).slope for seconds in rounds]


def pod_ratios(stacks: Sequence[Measured], peer: Measured) -> list[float]:
    """By round, what one more Pod costs of what each Pod costs the peer, on the same machine in the same hour."""
    floor = statistics.median(peer.milliseconds_per_pod())
    return [milliseconds / floor for milliseconds in pod_costs(stacks)]


# --- the results as text ----------------------------------------------------------------------------------------------


def time_table(stacks: Sequence[Measured], peer: Measured) -> str:
    pings = [seconds for measured in (*stacks, peer) for seconds in measured.ping]
    rows = [
        [measured.name, str(measured.pods), f"{measured.first:.2f}", spread(measured.unchanged)]
        for measured in (*stacks, peer)
    ]
    return table(["", "pods", f"{FIRST}, s", f"{UNCHANGED}, s"], [[PING, "-", "-", spread(pings)], *rows])


def limit_table(stacks: Sequence[Measured], peer: Measured) -> str:
    most = stacks[-1]
    rows = [
        limit_row(f"{PODWRIGHT}, stack of {most.pods} : {PING}", most.ping_ratios(), RATIO_LIMIT),
        limit_row(
            f"{PODWRIGHT}, each additional pod : {PEER}, each pod", pod_ratios(stacks, peer), POD_LIMIT, digits=4
        ),
        [f"{PODWRIGHT}, each additional pod, ms", "-", spread(pod_costs(stacks), digits=1), "-"],
        [f"{PEER}, each of {peer.pods} pods, ms", "-", spread(peer.milliseconds_per_pod(), digits=1), "-"],
    ]
    return table([UNCHANGED, "limit", "measured", "kept"], rows)


def sizes_option(text: str) -> list[int]:
    """``1,10,25``, in rising order; a line through them takes two."""
    sizes = sorted({int(size) for size in text.split(",")})
    if len(sizes) < 2 or sizes[0] < 1:
        raise argparse.ArgumentTypeError("has to name at least two sizes of one pod or more")
    return sizes


def read_options() -> argparse.Namespace:
    parser = options_parser(__doc__)
    given = ",".join(map(str, SIZES))
    parser.add_argument("--sizes", type=sizes_option, default=given, help=f"pods of each stack (default: {given})")
    parser.add_argument("--peer-pods", type=int, help=f"pods with {PEER} (default: those of the largest stack)")
    options = parser.parse_args()
    if options.peer_pods is None:
        options.peer_pods = options.sizes[-1]
    if options.rounds < 1 or options.peer_pods < 1:
        parser.error("there is nothing to measure with less than one round or pod")
    return options


def main() -> int:
    options = read_options()
    sizes: list[int] = options.sizes
    benchmark = StackBenchmark()
    try:
        benchmark.start()
        say("warm-up")
        benchmark.measure_stack(sizes[0], 1)
        stacks = [benchmark.measure_stack(pods, options.rounds) for pods in sizes]
        peer = benchmark.measure_peer(options.peer_pods)
        method = f"{options.rounds} rounds of the {UNCHANGED}, one of {PEER}; median and range, round by round"
        results = "\n\n".join(
            (facts(benchmark.host.podman, method), time_table(stacks, peer), limit_table(stacks, peer))
        )
    finally:
        benchmark.remove()
    print(results)
    write_page(options.page, "stacks", results)
    are_kept = is_kept(stacks[-1].ping_ratios(), RATIO_LIMIT) and is_kept(pod_ratios(stacks, peer), POD_LIMIT)
    return 0 if are_kept else 1


if __name__ == "__main__":
    sys.exit(main())
