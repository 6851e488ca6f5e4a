# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run costs on a fleet that is as it should be: many hosts over SSH, each with a stack that its agent keeps.

The hosts are containers of this machine (tests/hosts), reached as the repository's ansible.cfg has it, with a fork for
each. Each round begins with a playbook of one ``ping``, the floor, and runs the task of the unchanged stack and
playbooks/site.yml. Before a time counts it is checked that nothing was changed on any host. The table goes to standard
output and into docs/benchmarks.md. Ends with 1 when a limit is not kept.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from measuring import (
    FIRST,
    PING,
    REPOSITORY,
    UNCHANGED,
    ansible_environment,
    ansible_playbook,
    check_recap,
    facts,
    is_kept,
    limit_row,
    options_parser,
    run_timed,
    say,
    spread,
    table,
    write_page,
    write_template,
)

# isort: split
# What measuring says where to find.
from busybox_image import BUSYBOX
from hosts.container_hosts import ContainerHost, ContainerHosts
from hosts.recipes import RECIPES

HOSTS, PODS = 10, 3
RECIPE = "debian13"
RATIO_LIMIT = 1.5
TIMEOUT_SECONDS = 1800
STACK, SITE = "the stack's task", "playbooks/site.yml"


@dataclass
class Measured:
    """What the unchanged runs of one playbook took, by round: seconds from start to end, and of the processors.

    The processors' are those of Ansible alone, without what it costs the hosts.
    """

    name: str
    command: Sequence[str]
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)

    def ratios(self, floor: Measured) -> list[float]:
        """By round, how many times the ``floor`` it takes."""
        return [ours / ping for ours, ping in zip(self.seconds, floor.seconds, strict=True)]


class Fleet:
    """So many hosts below a temporary directory, with a stack on each."""

    def __init__(self, size: int, pods: int) -> None:
        self.size = size
        self.directory = Path(tempfile.mkdtemp(prefix="podwright-fleet-"))
        self._hosts = ContainerHosts(self.directory / "hosts")
        self._environment = ansible_environment(os.environ, REPOSITORY / "ansible.cfg", self.directory / "ansible")
        templates = self.directory / "templates"
        templates.mkdir()
        self._stack_file = templates / "stack.yml"
        variables = {"image": BUSYBOX, "shares": pods, "pods": pods, "liveness": True}
        write_template("stack.yml.j2", variables, self._stack_file)
        self._variables = self.directory / "stacks.yml"
        stack = {
            "name": "many",
            "templates": str(templates),
            "images": [{"name": BUSYBOX, "load": {"path": "/var/lib/busybox.tar"}}],
        }
        self._variables.write_text(yaml.safe_dump({"all": {"vars": {"podwright_stacks": [stack]}}}))

    def start(self) -> None:
        """Have the hosts, each with the archive of the image."""
        for number in range(1, self.size + 1):
            self._hosts.up(f"host{number}", RECIPES[RECIPE], say)
        for host in self._hosts.hosts():
            host.store.podman("cp", str(self._hosts.busybox), f"{host.name}:/var/lib/busybox.tar")

    def remove(self) -> None:
        self._hosts.remove()
        shutil.rmtree(self.directory)

    def hosts(self) -> list[ContainerHost]:
        return self._hosts.hosts()

    def playbook(self, path: str, **variables: str) -> tuple[str, ...]:
        """The command line that runs a playbook on all hosts at once."""
        inventories = (f"--inventory={self._hosts.inventory}", f"--inventory={self._variables}")
        return (*ansible_playbook(path, variables), *inventories, f"--forks={self.size}")

    def contestants(self) -> tuple[Measured, Measured, Measured]:
        """The floor, the task of a stack, and all that ``make site`` does."""
        return (
            Measured(PING, self.playbook("ping.yml")),
            Measured(STACK, self.playbook("podwright_stack.yml", stack_file=str(self._stack_file))),
            Measured(SITE, self.site()),
        )

    def site(self) -> tuple[str, ...]:
        return self.playbook(str(REPOSITORY / "playbooks" / "site.yml"))

    def bring_up(self) -> float:
        """From hosts with nothing to stacks that are Ready; the seconds."""
        seconds, output = run_timed(self.site(), self._environment, TIMEOUT_SECONDS)
        check_recap(SITE, output, changes=True, hosts=self.size)
        return seconds

    def measure(self, measured: Measured) -> None:
        """One unchanged run."""
        before = processor_seconds()
        seconds, output = run_timed(measured.command, self._environment, TIMEOUT_SECONDS)
        check_recap(measured.name, output, changes=False, hosts=self.size)
        measured.seconds.append(seconds)
        measured.processor_seconds.append(processor_seconds() - before)


def processor_seconds() -> float:
    """What all processes that this one has started and seen end have used, in user and kernel mode."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def results_of(measured: Sequence[Measured]) -> str:
    floor, stack, site = measured
    rows = [[each.name, spread(each.seconds), spread(each.processor_seconds)] for each in measured]
    limits = [
        limit_row(f"{STACK} : {PING}", stack.ratios(floor), RATIO_LIMIT),
        [f"{SITE} : {PING}", "-", spread(site.ratios(floor)), "-"],
    ]
    times = table([UNCHANGED, "from start to end, s", "Ansible's processor time, s"], rows)
    return "\n\n".join((times, table(["time ratio", "limit", "measured", "kept"], limits)))


def main() -> int:
    parser = options_parser(__doc__)
    parser.add_argument("--hosts", type=int, default=HOSTS, help=f"how many (default: {HOSTS})")
    parser.add_argument("--pods", type=int, default=PODS, help=f"Pods of each host's stack (default: {PODS})")
    options = parser.parse_args()
    fleet = Fleet(options.hosts, options.pods)
    try:
        fleet.start()
        say(f"fleet: {FIRST}")
        first = fleet.bring_up()
        method = (
            f"{options.hosts} hosts with {options.pods} pods each, {options.rounds} rounds after one to warm up; "
            f"{SITE} took {first:.0f} s from hosts without anything"
        )
        circumstances = facts(fleet.hosts()[0].store.podman, method)
        measured = fleet.contestants()
        for number in range(options.rounds + 1):
            # The first one opens the connections, and is what later ones are remembered by.
            say(f"fleet: {UNCHANGED}, round {number} of {options.rounds}")
            for each in measured:
                fleet.measure(each)
        for each in measured:
            del each.seconds[0], each.processor_seconds[0]
        results = "\n\n".join((circumstances, results_of(measured)))
    finally:
        fleet.remove()
    print(results)
    write_page(options.page, "fleet", results)
    floor, stack, _site = measured
    return 0 if is_kept(stack.ratios(floor), RATIO_LIMIT) else 1


if __name__ == "__main__":
    sys.exit(main())
