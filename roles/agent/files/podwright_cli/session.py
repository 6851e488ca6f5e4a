# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all commands stand on: the agent and the screen of this call, groups of commands, names for the shell."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click

from . import view, workloads
from .asking import Agent, Failure, module
from .screen import Screen


@dataclass
class Session:
    """One call of the command."""

    socket: str | None

    @cached_property
    def agent(self) -> Agent:
        return Agent(self.socket)

    @cached_property
    def screen(self) -> Screen:
        return Screen()

    @property
    def now(self) -> float:
        return time.time()


pass_session: Callable[..., Any] = click.make_pass_decorator(Session)


class Commands(click.Group):
    """Commands that may also be called as kubectl has them in short, and in the singular or plural."""

    _SHORT = {  # noqa: RUF012
        "po": "pods",
        "ev": "events",
        "svc": "services",
        "ep": "endpoints",
        "ing": "ingresses",
        "ingress": "ingresses",
        **workloads.SHORT,
    }

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """``deploy/web`` is ``deploy web``."""
        kind, slash, name = args[0].partition("/")
        if not (slash and ctx.parent):
            return super().resolve_command(ctx, args)
        command, others = self.get_command(ctx, kind), [_without_kind(self, ctx, kind, word) for word in args[1:]]
        return super().resolve_command(ctx, [kind, name, *others] if command else args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        cmd_name = cmd_name.partition(".")[0]
        name = self._SHORT.get(cmd_name, cmd_name)
        spellings = (name, f"{name}s", name[:-1] if name.endswith("s") else name)
        return next(filter(None, (super(Commands, self).get_command(ctx, spelling) for spelling in spellings)), None)


def _without_kind(group: Commands, ctx: click.Context, kind: str, word: str) -> str:
    """``web`` of ``deploy/web``. Raises UsageError for another kind's."""
    other, slash, name = word.partition("/")
    command = group.get_command(ctx, other) if slash else None
    if command is None:
        return word
    if command is not group.get_command(ctx, kind):
        raise click.UsageError(f"{word} is of another kind than the first one: ask for one kind at a time", ctx)
    return name


def require_command(ctx: click.Context) -> None:
    """Raise UsageError where a group is called without one of its commands."""
    if ctx.invoked_subcommand is None and isinstance(ctx.command, click.Group):
        raise click.UsageError(f"{ctx.command_path} takes one of {', '.join(ctx.command.list_commands(ctx))}", ctx)


def pod_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The pods whose names begin so, for the shell."""
    return _beginning(incomplete, lambda agent: [view.name_of(pod) for pod in agent.pods(is_brief=True)], ctx)


def stack_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return _beginning(incomplete, lambda agent: [stack["name"] for stack in agent.stacks()], ctx)


def workload_names(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """For the shell: the workloads of a kind."""

    def names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        return _beginning(incomplete, lambda agent: _named(agent, kind), ctx)

    return names


def _named(agent: Agent, kind: str) -> list[str]:
    return [view.name_of(one) for one in agent.workloads() if one["kind"] == kind]


def targets(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """``deployment/web`` and its like that begin so, for the shell."""
    return _beginning(incomplete, lambda agent: [workloads.short_title(one) for one in agent.workloads()], ctx)


def container_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The containers of the pod that stands on the line already."""
    word = str(ctx.params.get("pod") or "")

    def names(agent: Agent) -> list[str]:
        pod = word if "/" not in word else view.name_of(_candidates(agent, word)[0])
        return [container["name"] for container in view.containers_of(agent.pod(pod))]

    return _beginning(incomplete, names, ctx)


def chosen_pod(session: Session, word: str) -> str:
    """The pod that ``web``, ``pod/web`` or ``deploy/web`` stands for: of a workload's the one that serves longest.

    Where there are several it is said which one was taken.
    """
    if "/" not in word:
        return word
    found = _candidates(session.agent, word)
    if len(found) > 1:
        say(f"found {len(found)} pods, using pod/{view.name_of(found[0])}")
    return view.name_of(found[0])


def _candidates(agent: Agent, word: str) -> list[dict[str, Any]]:
    """The pods of ``deploy/web``, the best one first, or the one of ``pod/web``. Raises Failure where there is none."""
    first, _slash, name = word.partition("/")
    if first in ("pod", "pods", "po"):
        return [agent.pod(name)]
    try:
        kind, _names = workloads.read_target([word])
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    owner = {"kind": kind.name, "name": name}
    found = [pod for pod in agent.pods(is_brief=True) if pod.get("owner") == owner]
    if not found:
        present = [one for one in agent.workloads() if (one["kind"], view.name_of(one)) == (kind.name, name)]
        raise Failure(f"{kind.singular} {name} has no pods" if present else f"there is no {kind.singular} {name}")
    return sorted(found, key=view.fitness_for_a_look)


def _beginning(incomplete: str, ask: Callable[[Agent], Sequence[str]], ctx: click.Context) -> list[str]:
    try:
        names = ask(Agent(ctx.find_root().params.get("socket")))
    except Failure:
        return []
    return [name for name in names if name.startswith(incomplete)]


def say(text: str) -> None:
    """To the person, beside the output."""
    sys.stderr.write(module("_printable").printable(f"{text}\n"))


def chosen_container(pod: view.Document, name: str | None) -> str:
    """The container that is named, or else the default one, which is said where there are several."""
    known = [container["name"] for container in view.containers_of(pod)]
    if name:
        if name not in known:
            raise Failure(f"pod {view.name_of(pod)} has no container {name}, but {view.listed_containers(pod)}")
        return name
    default = view.default_container(pod)
    if len(known) > 1:
        say(f"container {default}, out of {view.listed_containers(pod)}; -c chooses another one")
    return default
