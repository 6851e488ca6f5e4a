# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command of the test hosts: up, down, list."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError

from .fleet import Fleet
from .recipes import RECIPES, REPOSITORY, Recipe

DIRECTORY = REPOSITORY / "build" / "hosts"


def main() -> int:
    """Do what the command line asks for; the exit status."""
    asked = parser().parse_args()
    hosts = Fleet(asked.directory)
    try:
        if asked.command == "up":
            for name, recipe in asked.hosts:
                hosts.up(name, recipe, say)
            say(f"inventory: {hosts.inventory}")
        elif asked.command == "down":
            hosts.remove()
        else:
            for host in hosts.hosts():
                print(host.name, host.address, "up" if host.answers() else "down")
    except PodwrightError as error:
        say(str(error))
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python tests/hosts", description="Test hosts, as root.")
    whole.add_argument("--directory", type=Path, default=DIRECTORY, help="where they live (default: build/hosts)")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="have these hosts, running, and an inventory of all")
    up.add_argument("hosts", nargs="+", type=wanted, metavar="NAME[=RECIPE]", help=f"recipes: {', '.join(RECIPES)}")
    commands.add_parser("down", help="remove all hosts and their directory; root file systems stay in the cache")
    commands.add_parser("list", help="the hosts, their addresses, and whether they can be reached")
    return whole


def wanted(text: str) -> tuple[str, Recipe]:
    """A host's name and recipe, from ``NAME`` or ``NAME=RECIPE``."""
    name, separator, recipe = text.partition("=")
    found = RECIPES.get(recipe if separator else name)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text}: no such recipe; there are {', '.join(RECIPES)}")
    return name, found


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
