# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: the program, and the commands that show what there is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from . import description, rows, view, workloads
from .acting import apply, delete, execute, logs, repair
from .asking import Failure
from .generated import list_secrets, secrets
from .ingresses import describe_ingresses, get_ingresses
from .screen import Row, Table
from .services import describe_services, get_endpoints, get_services
from .session import Commands, Session, pass_session, pod_names, require_command, say, stack_names
from .showing import (
    SELECTOR,
    WATCH,
    go_on_showing,
    output_option,
    selecting,
    show_conditions,
    show_documents,
    show_events,
    write_line,
)
from .workload_commands import OF_EACH_KIND, create, get_all, rollout, scale

RECENT_SECONDS = 600
"""How long `health` tells of a thread of the agent's that has failed."""

_NAMES = click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=pod_names)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--socket", metavar="PATH", help="The agent's socket; by default that of this user's agent.")
@click.pass_context
def program(ctx: click.Context, socket: str | None) -> None:
    """The pods of this host: see them, reach into them, change them.

    Everything is asked of podwrightd, the agent that keeps the pods.
    """
    ctx.obj = Session(socket)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for command in (logs, execute, secrets, apply, delete, repair, rollout, scale, create):
    program.add_command(command)


# --- get -------------------------------------------------------------------------------------------------------------


@program.group(cls=Commands, invoke_without_command=True)
@click.pass_context
def get(ctx: click.Context) -> None:
    """Show pods, workloads, services, ingresses, stacks or events."""
    require_command(ctx)


@get.command("pods")
@_NAMES
@SELECTOR
@output_option("wide", "yaml", "json", "name")
@WATCH
@pass_session
def get_pods(session: Session, names: tuple[str, ...], selector: str | None, output: str | None, watch: bool) -> int:
    """Show pods, all or those of these NAMEs."""
    if watch and output not in (None, "wide"):
        raise click.UsageError("-w shows tables only")
    pods, missing = _found_pods(session, names, selector, is_brief=output in (None, "wide", "name"))
    if output in ("yaml", "json", "name"):
        show_documents(pods, output, "pod", is_one=len(names) == 1)
        return missing
    layouts = rows.WIDE_PODS if output == "wide" else rows.PODS
    table = Table(session.screen, layouts, "IMAGES", rows.STYLES)
    shown = _pod_rows(session, pods, output == "wide")
    if shown:
        table.show(shown)
    elif not missing and not watch:
        say("no pods found")
    if watch:
        is_met = selecting(selector)

        def find() -> list[Row]:
            found = session.agent.pods(is_brief=True)
            wanted = [pod for pod in found if is_met(pod) and (not names or view.name_of(pod) in names)]
            return _pod_rows(session, wanted, output == "wide")

        go_on_showing(table, find, shown)
    return missing


def _found_pods(
    session: Session, names: Sequence[str], selector: str | None, is_brief: bool = False
) -> tuple[list[dict[str, Any]], int]:
    """The pods that are asked for, and 1 where one of them does not exist, which is said."""
    is_met = selecting(selector)
    if not names:
        return [pod for pod in session.agent.pods(is_brief) if is_met(pod)], 0
    # All at once, where there are several: the agent takes no longer over them than over one.
    is_one = len(names) == 1 and not is_brief
    pods = [pod for pod in [session.agent.find_pod(names[0])] if pod] if is_one else session.agent.pods(is_brief)
    found = {view.name_of(pod): pod for pod in pods}
    missing = [name for name in names if name not in found]
    for name in missing:
        say(f"podwright: there is no pod {name}")
    return [found[name] for name in names if name in found and is_met(found[name])], int(bool(missing))


def _pod_rows(session: Session, pods: Sequence[view.Document], is_wide: bool) -> list[Row]:
    stacks = session.agent.stacks_of_pods() if is_wide else {}
    return [rows.of_pod(pod, session.now, os.uname().nodename, stacks) for pod in pods]


@get.command("stacks")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=stack_names)
@output_option("yaml", "json", "name")
@pass_session
def get_stacks(session: Session, names: tuple[str, ...], output: str | None) -> int:
    """Show stacks: their revisions, and how many of their pods are ready."""
    stacks = session.agent.stacks()
    missing = [name for name in names if not any(stack["name"] == name for stack in stacks)]
    for name in missing:
        say(f"podwright: there is no stack {name}")
    stacks = [stack for stack in stacks if not names or stack["name"] in names]
    if output:
        show_documents(stacks, output, "stack", is_one=len(names) == 1)
    elif stacks:
        table = Table(session.screen, rows.STACKS, "CAUSE", rows.STYLES)
        table.show([rows.of_stack(stack, session.now) for stack in stacks])
    elif not missing:
        say("no stacks found")
    return int(bool(missing))


# --- events ----------------------------------------------------------------------------------------------------------


@program.command()
@click.argument("about", metavar="[POD|KIND/NAME]", required=False, default="", shell_complete=pod_names)
@output_option("yaml", "json")
@WATCH
@pass_session
def events(session: Session, about: str, output: str | None, watch: bool) -> None:
    """Show what has happened to pods and workloads.

    To all, or to this one, as in: podwright events deploy/web; the latest last.
    """
    if watch and output:
        raise click.UsageError("-w shows tables only")
    about = workloads.event_object(about)
    found = session.agent.events(about)
    if output:
        show_documents(found, output, "event", is_one=False)
        return
    table = Table(session.screen, rows.EVENTS, "MESSAGE", rows.STYLES, ease=rows.EASE)
    if found:
        table.show([rows.of_event(event, session.now) for event in found])
    elif not watch:
        say("no events found")
    if watch:
        for event in session.agent.coming_events(about, max((event["number"] for event in found), default=0)):
            table.show([rows.of_event(event, session.now)])
        raise Failure("the agent has ended")


get.add_command(events, "events")
get.add_command(list_secrets, "secrets")


# --- describe --------------------------------------------------------------------------------------------------------


@program.group(cls=Commands, invoke_without_command=True)
@click.pass_context
def describe(ctx: click.Context) -> None:
    """Show one thing from top to bottom."""
    require_command(ctx)


@describe.command("pod")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=pod_names)
@pass_session
def describe_pod(session: Session, names: tuple[str, ...]) -> int:
    """Show pods with their containers, conditions, volumes and events."""
    pods, missing = _found_pods(session, names, None)
    stacks = session.agent.stacks_of_pods() if pods else {}
    for number, pod in enumerate(pods):
        if number:
            session.screen.write()
        _describe_pod(session, pod, stacks.get(view.name_of(pod), ""))
    return missing


def _describe_pod(session: Session, pod: view.Document, stack: str) -> None:
    for line in description.describe(pod, stack, os.uname().nodename, session.now):
        write_line(session, line)
    show_conditions(session, pod)
    show_events(session, view.name_of(pod))


for kind in workloads.KINDS:
    for group in (get, describe, delete):
        group.add_command(OF_EACH_KIND[str(group.name)](kind))
get.add_command(get_all)
get.add_command(get_services)
get.add_command(get_endpoints)
get.add_command(get_ingresses)
describe.add_command(describe_services)
describe.add_command(describe_ingresses)


# --- top, health, completion -----------------------------------------------------------------------------------------


@program.group(cls=Commands, invoke_without_command=True)
@click.pass_context
def top(ctx: click.Context) -> int:
    """Show what pods use of CPU and memory.

    Against their limits; all that run, or pods by name: podwright top pods web.
    """
    return int(ctx.invoke(top_pods)) if ctx.invoked_subcommand is None else 0


@top.command("pods")
@_NAMES
@SELECTOR
@click.option("--containers", is_flag=True, help="A row for each container.")
@pass_session
def top_pods(
    session: Session, names: tuple[str, ...] = (), selector: str | None = None, containers: bool = False
) -> int:
    """Show what pods use of CPU and memory, against their limits."""
    pods, missing = _found_pods(session, names, selector)
    found = [row for pod in pods for row in rows.of_uses(pod, containers)]
    if found:
        Table(session.screen, rows.USES, styles=rows.STYLES).show(found)
    elif not missing:
        say("no pods that run")
    return missing


@program.command()
@pass_session
def health(session: Session) -> int:
    """Show how the agent is.

    The exit code is 1 where Podman does not answer it, or a part of it has failed lately.
    """
    found, screen = session.agent.health(), session.screen
    error = str(found["podman_error"])
    since = view.show_age(found["uptime_seconds"])
    screen.write_pair("Agent:  ", f"process {found['pid']}, up for {since}, API version {found['api_version']}")
    screen.write_pair("Pods:   ", f"{found['pods']} kept")
    screen.write_pair("Podman: ", error or "answers", hanging=8, style="red" if error else "green")
    recent = [told for told in map(_show_thread_error, found["thread_errors"].items()) if told]
    for told in recent:
        screen.write_pair("Thread: ", told, hanging=8, style="red")
    return int(bool(error or recent))


def _show_thread_error(item: tuple[str, dict[str, Any]]) -> str:
    """What a thread of the agent's own failed of, empty where that is long ago."""
    name, failed = item
    age_seconds = time.time() - failed["failed_at"]
    if age_seconds > RECENT_SECONDS:
        return ""
    since = f"{view.show_age(age_seconds)} ago, {failed['failures']} times in a row"
    return f"{name} failed {since}, and was begun anew: {failed['error']}"


@program.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what completes words in a shell.

    For bash: eval "$(podwright completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise Failure(f"this version of click knows nothing of {shell}")
    click.echo(kind(program, {}, "podwright", "_PODWRIGHT_COMPLETE").source())


# --- the program -----------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code: 1 for what went wrong, 2 for what was asked in a wrong way."""
    try:
        result = program.main(None if arguments is None else [*arguments], prog_name="podwright", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        place = error.ctx.command_path if error.ctx else "podwright"
        say(f"podwright: {' '.join(error.format_message().split()).rstrip('.')} (see {place} --help)")
        return 2
    except click.ClickException as error:
        say(f"podwright: {error.format_message()}")
        return 1
    except click.Abort as abort:
        is_interrupted = isinstance(abort.__cause__ or abort.__context__, KeyboardInterrupt)
        if not is_interrupted:
            say("podwright: nothing was changed")
        return 130 if is_interrupted else 1
    except Failure as error:
        say(f"podwright: {error}")
        return 1
    except BrokenPipeError:
        # Whoever read has had enough; Python is not to complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except ConnectionError:
        say("podwright: the agent has ended")
        return 1
    except OSError as error:
        say(f"podwright: {error}")
        return 1
    return result if isinstance(result, int) else 0
