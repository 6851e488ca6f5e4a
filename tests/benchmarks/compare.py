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

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "integration"))

from podman_host import PodmanHost  # noqa: E402

PAGE = REPOSITORY / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
RECAP = re.compile(r"^localhost\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
# A machine's settings that would slow down every Python program, unlike on the hosts of users.
UNWANTED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
FIRST, UNCHANGED = "first run to Ready", "unchanged run"


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


PING, PODWRIGHT, PEER, KUBE_PLAY = "one `ping`", "podwright.pods", "containers.podman", "podman kube play"
LIMITS = (
    Limit(1.6, (PODWRIGHT, UNCHANGED), (PING, UNCHANGED)),
    Limit(0.3, (PODWRIGHT, UNCHANGED), (PEER, UNCHANGED)),
    Limit(0.6, (PODWRIGHT, FIRST), (PEER, FIRST)),
)


class Benchmark:
    """Owns the private Podman and what was measured on it: ``seconds[contestant, phase]`` by round."""

    def __init__(self) -> None:
        self.host = PodmanHost()
        self.http_port, self.echo_port = free_ports(2)
        self.seconds: dict[tuple[str, str], list[float]] = {}
        self.restarts: dict[str, int] = {}
        self._pod_file = self.host.directory / "pod.yml"
        self._environment = {
            **{name: value for name, value in self.host.environment_without_service.items() if name not in UNWANTED},
            "ANSIBLE_CONFIG": str(HERE / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.host.directory / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
        }

    def start(self) -> None:
        """Make the image and the Pod's document. No service stays: each contestant reaches Podman by itself."""
        self.host.start()
        self.host.stop_service()
        template = Environment(undefined=StrictUndefined, autoescape=False).from_string(
            (HERE / "pod.yml.j2").read_text()
        )
        self._pod_file.write_text(template.render(self._variables()))

    def _variables(self) -> dict[str, Any]:
        return {
            "image": self.host.image,
            "pod_file": str(self._pod_file),
            "http_port": self.http_port,
            "echo_port": self.echo_port,
        }

    def remove(self) -> None:
        self.clear()
        self.host.remove()

    def clear(self) -> None:
        """Take away the Pod with its volumes, and what podwright.pods knows of it."""
        self.host.podman("pod", "rm", "--all", "--force", "--time", "0")
        self.host.podman("volume", "rm", "--all", "--force")
        shutil.rmtree(self.host.state_directory, ignore_errors=True)

    def contestants(self) -> list[Contestant]:
        def playbook(name: str) -> tuple[str, ...]:
            return (*ansible_playbook(name), "--extra-vars", json.dumps(self._variables()))

        ours, theirs = playbook("podwright.yml"), playbook("containers_podman.yml")
        play = (str(HERE / "kube_play.sh"), str(self._pod_file), str(self.http_port), str(self.echo_port))
        return [
            Contestant(PODWRIGHT, ours, ours),
            Contestant(PEER, theirs, theirs),
            Contestant(KUBE_PLAY, play, (*play, "--replace"), has_recap=False),
        ]

    def measure(self, rounds: int, say: Callable[[str], None]) -> None:
        """One round to warm up and ``rounds`` that count; each begins with another contestant."""
        contestants = self.contestants()
        for number in range(rounds + 1):
            say(f"round {number} of {rounds}" if number else "warm-up")
            if number == 1:
                self.seconds.clear()
            self._note(PING, UNCHANGED, self._run(ansible_playbook("ping.yml"))[0])
            turn = number % len(contestants)
            for contestant in contestants[turn:] + contestants[:turn]:
                self._measure_one(contestant)
                self.clear()

    def _measure_one(self, contestant: Contestant) -> None:
        seconds, output = self._run(contestant.first)
        self._check(contestant, output, changes=True)
        self._note(contestant.name, FIRST, seconds)
        before = self._starts()
        seconds, output = self._run(contestant.unchanged)
        self._check(contestant, output, changes=False)
        self._note(contestant.name, UNCHANGED, seconds)
        self.restarts[contestant.name] = len(before - self._starts())

    def _note(self, name: str, phase: str, seconds: float) -> None:
        self.seconds.setdefault((name, phase), []).append(seconds)

    def _run(self, command: Sequence[str]) -> tuple[float, str]:
        begin = time.perf_counter()
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, timeout=120)
        seconds = time.perf_counter() - begin
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return seconds, done.stdout

    def _check(self, contestant: Contestant, output: str, changes: bool) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/healthz", timeout=5) as answer:
            answer.read()
        with socket.create_connection(("127.0.0.1", self.echo_port), timeout=5) as connection:
            connection.sendall(b"x")
            if connection.recv(1) != b"x":
                raise SystemExit(f"{contestant.name} reported an end, but the echo server does not answer")
        if not contestant.has_recap:
            return
        recap = RECAP.search(output)
        if recap is None or recap[2] != "0" or recap[3] != "0" or (recap[1] != "0") != changes:
            asked = "change the host" if changes else "leave the host unchanged"
            raise SystemExit(f"{contestant.name} did not {asked}:\n{output}")

    def _starts(self) -> set[tuple[str, int]]:
        """The containers that run, each with its start: a restart makes another entry."""
        listed = json.loads(self.host.podman("ps", "--format", "json"))
        return {(each["Id"], each["StartedAt"]) for each in listed if not each["IsInfra"]}


def ansible_playbook(name: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).parent / "ansible-playbook"), str(HERE / name))


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _turn in range(count)]
        for probe in probes:
            probe.bind(("", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


# --- the results as text ----------------------------------------------------------------------------------------------


def pair_ratios(seconds: dict[tuple[str, str], list[float]], limit: Limit) -> list[float]:
    return [ours / other for ours, other in zip(seconds[limit.measured], seconds[limit.reference], strict=True)]


def is_kept(seconds: dict[tuple[str, str], list[float]], limit: Limit) -> bool:
    return statistics.median(pair_ratios(seconds, limit)) <= limit.ratio


def spread(values: Sequence[float] | None, unit: str = "") -> str:
    """Median and range of what was measured."""
    if not values:
        return "-"
    return f"{statistics.median(values):.2f}{unit} ({min(values):.2f}-{max(values):.2f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def time_table(benchmark: Benchmark) -> str:
    rows = []
    for name in (PING, PODWRIGHT, PEER, KUBE_PLAY):
        measured = [spread(benchmark.seconds.get((name, phase))) for phase in (FIRST, UNCHANGED)]
        rows.append([name, *measured, str(benchmark.restarts.get(name, "-"))])
    return table(["", f"{FIRST}, s", f"{UNCHANGED}, s", "containers it restarts"], rows)


def limit_table(benchmark: Benchmark) -> str:
    rows = [
        [
            f"{limit.measured[0]}, {limit.measured[1]} : {limit.reference[0]}",
            f"at most {limit.ratio}",
            spread(pair_ratios(benchmark.seconds, limit)),
            "yes" if is_kept(benchmark.seconds, limit) else "NO",
        ]
        for limit in LIMITS
    ]
    return table(["time ratio", "limit", "measured", "kept"], rows)


def facts(benchmark: Benchmark, rounds: int) -> str:
    host: dict[str, Any] = json.loads(benchmark.host.podman("info", "--format", "json"))
    today = datetime.datetime.now(datetime.UTC).date()
    return "\n".join(
        (
            f"Measured on {today}, {rounds} rounds after one to warm up; median and range, ratios round by round.",
            f"{os.cpu_count()} CPUs ({platform.machine()}), Linux {platform.release().split('-')[0]}, "
            f"cgroup {host['host']['cgroupVersion']}, {host['host']['ociRuntime']['name']}; "
            f"Podman {host['version']['Version']}, ansible-core {version('ansible-core')}, "
            f"Python {platform.python_version()}, podman-py {version('podman')}, "
            f"containers.podman {peer_version()}.",
        )
    )


def peer_version() -> str:
    """The release of containers.podman that Ansible's community package brings."""
    import ansible_collections

    manifest = Path(next(iter(ansible_collections.__path__))) / "containers" / "podman" / "MANIFEST.json"
    return str(json.loads(manifest.read_text())["collection_info"]["version"])


def write_page(page: Path, results: str) -> None:
    """Put the results between the page's markers, in place of the former ones."""
    head, _separator, rest = page.read_text().partition(BEGIN)
    _results, found, tail = rest.partition(END)
    if not found:
        raise SystemExit(f"{page} has no markers {BEGIN} and {END}; the results were not written:\n{results}")
    page.write_text(f"{head}{BEGIN}\n{results}\n{END}{tail}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: 5)")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write the results into")
    options = parser.parse_args()
    benchmark = Benchmark()
    try:
        benchmark.start()
        benchmark.measure(options.rounds, lambda text: print(text, file=sys.stderr, flush=True))
        results = "\n\n".join((facts(benchmark, options.rounds), time_table(benchmark), limit_table(benchmark)))
    finally:
        benchmark.remove()
    print(results)
    write_page(options.page, results)
    return 0 if all(is_kept(benchmark.seconds, limit) for limit in LIMITS) else 1


if __name__ == "__main__":
    sys.exit(main())
