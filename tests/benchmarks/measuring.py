# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks share: a private Podman, timed runs on it that are checked, and results as text on a page."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(REPOSITORY / part) for part in ("tests/integration", "tests", "collections")]

from podman_host import PodmanHost  # noqa: E402

PAGE = REPOSITORY / "docs" / "benchmarks.md"
RECAP = re.compile(r"^\S+\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
# A machine's settings that would slow down every Python program, unlike on the hosts of users.
UNWANTED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
PING, PODWRIGHT, PEER = "one `ping`", "podwright.pods", "containers.podman"
FIRST, UNCHANGED = "first run to Ready", "unchanged run"


class Benchmark:
    """Owns the private Podman that everything is measured on. A run that takes ``timeout`` seconds ends it all."""

    timeout = 120

    def __init__(self) -> None:
        self.host = PodmanHost()
        self.environment = ansible_environment(
            self.host.environment_without_service, HERE / "ansible.cfg", self.host.directory / "ansible"
        )

    def start(self) -> None:
        """Make the image. No service stays: each contestant reaches Podman by itself."""
        self.host.start()
        self.host.stop_service()

    def remove(self) -> None:
        self.clear()
        self.host.remove()

    def clear(self) -> None:
        """Take away all Pods with their volumes and secrets, and what podwright.pods knows of them."""
        self.host.podman("pod", "rm", "--all", "--force", "--time", "0")
        self.host.podman("volume", "rm", "--all", "--force")
        self.host.podman("secret", "rm", "--all")
        shutil.rmtree(self.host.state_directory, ignore_errors=True)

    def run(self, command: Sequence[str]) -> tuple[float, str]:
        """The seconds from start to end of a command, and its output; one that fails ends the benchmark."""
        return run_timed(command, self.environment, self.timeout)

    def starts(self) -> set[tuple[str, int]]:
        """The containers that run, each with its start: a restart makes another entry."""
        listed = json.loads(self.host.podman("ps", "--format", "json"))
        return {(each["Id"], each["StartedAt"]) for each in listed if not each["IsInfra"]}


def ansible_environment(environment: Mapping[str, str], configuration: Path, home: Path) -> dict[str, str]:
    """What Ansible is run with: its configuration, a home of its own, and nothing that would slow it down."""
    return {
        **{name: value for name, value in environment.items() if name not in UNWANTED},
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_NOCOLOR": "1",
    }


def run_timed(command: Sequence[str], environment: Mapping[str, str], timeout: float) -> tuple[float, str]:
    """The seconds from start to end of a command, and its output; one that fails ends the benchmark."""
    begin = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=timeout)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout


def ansible_playbook(name: str, variables: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The command line that runs a playbook of this directory."""
    command = (str(Path(sys.executable).parent / "ansible-playbook"), str(HERE / name))
    return command if variables is None else (*command, "--extra-vars", json.dumps(variables))


def check_recap(name: str, output: str, changes: bool, hosts: int = 1) -> None:
    """End the benchmark unless Ansible says that nothing failed on so many hosts, and that each changed, or none."""
    recap = RECAP.findall(output)
    has_faults = any((unreachable, failed) != ("0", "0") for _changed, unreachable, failed in recap)
    if len(recap) != hosts or has_faults or any((changed != "0") != changes for changed, *_faults in recap):
        asked = "change the host" if changes else "leave the host unchanged"
        raise SystemExit(f"{name} did not {asked}:\n{output}")


def write_template(name: str, variables: Mapping[str, Any], target: Path) -> None:
    """Fill in a template of this directory."""
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string((HERE / name).read_text())
    target.write_text(template.render(variables))


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(text, file=sys.stderr, flush=True)


def options_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default: 5)")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write the results into")
    return parser


# --- the results as text ----------------------------------------------------------------------------------------------


def is_kept(values: Sequence[float], limit: float) -> bool:
    return statistics.median(values) <= limit


def spread(values: Sequence[float] | None, digits: int = 2) -> str:
    """Median and range of what was measured."""
    if not values:
        return "-"
    middle, least, most = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least}-{most})"


def limit_row(name: str, values: Sequence[float], limit: float, digits: int = 2) -> list[str]:
    """The cells of a row that says whether a limit is kept."""
    return [name, f"at most {limit}", spread(values, digits), "yes" if is_kept(values, limit) else "NO"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def facts(podman: Callable[..., str], method: str) -> str:
    """When, how and on what was measured; ``podman`` runs that program."""
    host: dict[str, Any] = json.loads(podman("info", "--format", "json"))
    return "\n".join(
        (
            f"Measured on {datetime.datetime.now(datetime.UTC).date()}, {method}.",
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

    # Where the repository's own collections are on the path too, they come first.
    places = [Path(place) / "containers" / "podman" / "MANIFEST.json" for place in ansible_collections.__path__]
    manifest = next(place for place in places if place.exists())
    return str(json.loads(manifest.read_text())["collection_info"]["version"])


def write_page(page: Path, name: str, results: str) -> None:
    """Put the results between the page's markers of this name, in place of the former ones."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, _separator, rest = page.read_text().partition(begin)
    _results, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"{page} has no markers {begin} and {end}; the results were not written:\n{results}")
    page.write_text(f"{head}{begin}\n{results}\n{end}{tail}")
