# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same Pod by podwright.pods, containers.podman and ``podman kube play``, timed side by side.

Each round brings the Pod up from nothing with every contestant, runs each once more with nothing changed, and takes the
Pod away in between. All share one machine, one image and one private Podman. Before a time counts it is checked
that the Pod answers, and that an unchanged run says that it changed nothing. The table goes to standard output and
into docs/benchmarks.md. Ends with 1 when a limit is not kept.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import urllib.request
from dataclasses import dataclass
from typing import Any

from measuring import (
    FIRST,
    HERE,
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

KUBE_PLAY = "podman kube play"


@dataclass(frozen=True)
class Contestant:
    """One way to the same Pod. ``first`` and ``unchanged`` are command lines; ``has_recap``: of ansible-playbook."""

    name: str
    first: tuple[str, ...]
    unchanged: tuple[str, ...]
    has_recap: bool = True


@dataclass(frozen=True)
class Limit:
    """At most ``ratio`` times what ``reference`` takes, each pair measured within one round."""

    ratio: float
    measured: tuple[str, str]
    reference: tuple[str, str]


LIMITS = (
    Limit(1.6, (PODWRIGHT, UNCHANGED), (PING, UNCHANGED)),
    Limit(0.3, (PODWRIGHT, UNCHANGED), (PEER, UNCHANGED)),
    Limit(0.6, (PODWRIGHT, FIRST), (PEER, FIRST)),
)


class PodBenchmark(Benchmark):
    """One Pod by every contestant; ``seconds[contestant, phase]`` by round."""

    def __init__(self) -> None:
        super().__init__()
        self.http_port, self.echo_port = free_ports(2)
        self.seconds: dict[tuple[str, str], list[float]] = {}
        self.restarts: dict[str, int] = {}
        self._pod_file = self.host.directory / "pod.yml"

    def start(self) -> None:
        """Make the image and the Pod's document."""
        super().start()
        write_template("pod.yml.j2", self._variables(), self._pod_file)

    def _variables(self) -> dict[str, Any]:
        return {
            "image": self.host.image,
            "pod_file": str(self._pod_file),
            "http_port": self.http_port,
            "echo_port": self.echo_port,
        }

    def contestants(self) -> list[Contestant]:
        ours = ansible_playbook("podwright.yml", self._variables())
        theirs = ansible_playbook("containers_podman.yml", self._variables())
        play = (str(HERE / "kube_play.sh"), str(self._pod_file), str(self.http_port), str(self.echo_port))
        return [
            Contestant(PODWRIGHT, ours, ours),
            Contestant(PEER, theirs, theirs),
            Contestant(KUBE_PLAY, play, (*play, "--replace"), has_recap=False),
        ]

    def measure(self, rounds: int) -> None:
        """One round to warm up and ``rounds`` that count; each begins with another contestant."""
        contestants = self.contestants()
        for number in range(rounds + 1):
            say(f"round {number} of {rounds}" if number else "warm-up")
            if number == 1:
                self.seconds.clear()
            self._note(PING, UNCHANGED, self.run(ansible_playbook("ping.yml"))[0])
            turn = number % len(contestants)
            for contestant in contestants[turn:] + contestants[:turn]:
                self._measure_one(contestant)
                self.clear()

    def _measure_one(self, contestant: Contestant) -> None:
        seconds, output = self.run(contestant.first)
        self._check(contestant, output, changes=True)
        self._note(contestant.name, FIRST, seconds)
        before = self.starts()
        seconds, output = self.run(contestant.unchanged)
        self._check(contestant, output, changes=False)
        self._note(contestant.name, UNCHANGED, seconds)
        self.restarts[contestant.name] = len(before - self.starts())

    def _note(self, name: str, phase: str, seconds: float) -> None:
        self.seconds.setdefault((name, phase), []).append(seconds)

    def _check(self, contestant: Contestant, output: str, changes: bool) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/healthz", timeout=5) as answer:
            answer.read()
        with socket.create_connection(("127.0.0.1", self.echo_port), timeout=5) as connection:
            connection.sendall(b"x")
            if connection.recv(1) != b"x":
                raise SystemExit(f"{contestant.name} reported an end, but the echo server does not answer")
        if contestant.has_recap:
            check_recap(contestant.name, output, changes)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _turn in range(count)]
        for probe in probes:
            probe.bind(("", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


# --- the results as text ----------------------------------------------------------------------------------------------


def pair_ratios(seconds: dict[tuple[str, str], list[float]], limit: Limit) -> list[float]:
    return [ours / other for ours, other in zip(seconds[limit.measured], seconds[limit.reference], strict=True)]


def time_table(benchmark: PodBenchmark) -> str:
    rows = []
    for name in (PING, PODWRIGHT, PEER, KUBE_PLAY):
        measured = [spread(benchmark.seconds.get((name, phase))) for phase in (FIRST, UNCHANGED)]
        rows.append([name, *measured, str(benchmark.restarts.get(name, "-"))])
    return table(["", f"{FIRST}, s", f"{UNCHANGED}, s", "containers it restarts"], rows)


def limit_table(benchmark: PodBenchmark) -> str:
    rows = [
        limit_row(
            f"{limit.measured[0]}, {limit.measured[1]} : {limit.reference[0]}",
            pair_ratios(benchmark.seconds, limit),
            limit.ratio,
        )
        for limit in LIMITS
    ]
    return table(["time ratio", "limit", "measured", "kept"], rows)


def main() -> int:
    options = options_parser(__doc__).parse_args()
    benchmark = PodBenchmark()
    try:
        benchmark.start()
        benchmark.measure(options.rounds)
        method = f"{options.rounds} rounds after one to warm up; median and range, ratios round by round"
        results = "\n\n".join((facts(benchmark.host.podman, method), time_table(benchmark), limit_table(benchmark)))
    finally:
        benchmark.remove()
    print(results)
    write_page(options.page, "results", results)
    return 0 if all(is_kept(pair_ratios(benchmark.seconds, limit), limit.ratio) for limit in LIMITS) else 1


if __name__ == "__main__":
    sys.exit(main())
