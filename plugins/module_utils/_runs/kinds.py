# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs that a module, the agent's API or its command can ask for, by name. Imports one of them only to run it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agent import Agent


@dataclass(frozen=True)
class Kind:
    """Where the function of that name is, and whether it leaves everything as it is."""

    module: str
    only_reads: bool = False


KINDS: Mapping[str, Kind] = {
    "run_pod": Kind("pod_run"),
    "run_pod_info": Kind("pod_info", only_reads=True),
    "run_stack": Kind("stack.run"),
    "run_stack_info": Kind("stack.info", only_reads=True),
    "run_secret_info": Kind("generated_secrets", only_reads=True),
    "run_secret_rotation": Kind("generated_secrets"),
    "run_secret_removal": Kind("generated_secrets"),
    "run_workload_change": Kind("workloads.change"),
    "run_repair": Kind("repair"),
}


def run(
    kind: str, options: Mapping[str, Any], is_check: bool, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """The result of a run, as its module returns it. ``agent`` is the agent, where this process is one.

    Raises KeyError for an unknown kind, and what the run raises: PodwrightError.
    """
    result: dict[str, Any] = getattr(_module(kind), kind)(options, is_check, is_diff, agent=agent)
    return result


def load() -> None:
    """Import all of them now: while the agent runs, a newer release may take the place of its files."""
    for kind in KINDS:
        _module(kind)


def _module(kind: str) -> ModuleType:
    return importlib.import_module(f".{KINDS[kind].module}", __package__)
