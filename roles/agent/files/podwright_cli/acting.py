# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that reach into pods, and those that change them."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import click

from . import rows, view, workloads
from .asking import Failure
from .screen import busy
from .session import (
    Commands,
    Session,
    chosen_container,
    chosen_pod,
    container_names,
    pass_session,
    pod_names,
    require_command,
    say,
    stack_names,
)

EXEC_SECONDS = 3600
"""How long a command may take for which the agent waits; the agent allows no more."""

_POD = click.argument("pod", metavar="POD|KIND/NAME", shell_complete=pod_names)
_CONTAINER = click.option(
    "-c",
    "--container",
    metavar="NAME",
    shell_complete=container_names,
    help="The container; by default the first one.",
)
YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
_GRACE = click.option(
    "--grace-period",
    "grace_period",
    metavar="SECONDS",
    type=click.IntRange(min=0),
    help="How long containers have to end, in place of what is declared; 0 ends them at once, without hooks.",
)
_NOW = click.option("--now", is_flag=True, help="The same as --grace-period=1.")


# --- logs and exec ---------------------------------------------------------------------------------------------------


@click.command()
@_POD
@_CONTAINER
@click.option("-f", "--follow", is_flag=True, help="Go on for as long as the container runs.")
@click.option("-p", "--previous", is_flag=True, help="Of the run before the present one.")
@click.option("--tail", metavar="N", type=click.IntRange(min=0), help="The last N lines only.")
@pass_session
def logs(session: Session, pod: str, container: str | None, follow: bool, previous: bool, tail: int | None) -> None:
    """Print the log of a container of a POD, as the container wrote it; deploy/web stands for one of its pods."""
    found = session.agent.pod(chosen_pod(session, pod))
    name = chosen_container(found, container)
    _check_for_log(found, name, previous)
    # As text: the client takes a 0 for nothing given.
    parameters = {"tail": None if tail is None else str(tail), "follow": follow and not previous, "previous": previous}
    if tail == 0 and not follow:
        return
    for piece in session.agent.logs(view.name_of(found), name, **parameters):
        sys.stdout.buffer.write(piece)
        if follow:
            sys.stdout.buffer.flush()


def _check_for_log(pod: view.Document, container: str, is_previous: bool) -> None:
    status = view.statuses_of(pod).get(container, {})
    waiting = (status.get("state") or {}).get("waiting")
    has_run = bool(status.get("containerID"))
    if is_previous and not status.get("restartCount"):
        raise Failure(f"container {container} of pod {view.name_of(pod)} has not been started again: no previous log")
    if not is_previous and waiting is not None and not has_run:
        why = waiting.get("reason") or "Waiting"
        raise Failure(f"container {container} of pod {view.name_of(pod)} has not started yet: {why}")


@click.command("exec")
@_POD
@click.argument("command", nargs=-1, required=True)
@_CONTAINER
@click.option("-i", "--stdin", is_flag=True, help="Hand on standard input.")
@click.option("-t", "--tty", is_flag=True, help="With a terminal.")
@pass_session
def execute(session: Session, pod: str, command: tuple[str, ...], container: str | None, stdin: bool, tty: bool) -> int:
    """Run a command in a container.

    As in: podwright exec web -- ls /etc; deploy/web stands for one of its pods. The exit code is that of the COMMAND.
    """
    pod = chosen_pod(session, pod)
    name = chosen_container(session.agent.pod(pod), container)
    if stdin or tty:
        flags = [flag for flag, is_given in (("-i", stdin), ("-t", tty)) if is_given]
        way = session.agent.way_to_execute(pod, name)
        return _execute_by_podman(flags, way["container"], [*way["prefix"], *command])
    done = session.agent.execute(pod, name, [*command], EXEC_SECONDS)
    sys.stdout.write(done["output"])
    sys.stdout.flush()
    if done["timed_out"]:
        raise Failure(f"ended, since it took longer than {EXEC_SECONDS} s; with -i there is no limit")
    return int(done["exit_code"])


def _execute_by_podman(flags: Sequence[str], container: str, command: Sequence[str]) -> int:
    """Become the podman program, which knows terminals. Returns only where there is none."""
    program = shutil.which("podman")
    if program is None:
        raise Failure("-i and -t need the podman program, which is not on this host's PATH")
    sys.stderr.flush()
    os.execv(program, [program, "exec", *flags, container, *command])


# --- apply -----------------------------------------------------------------------------------------------------------


@click.command()
@click.option(
    "-f", "--file", "files", metavar="FILE|DIR|-", multiple=True, required=True, help="What to apply; may be repeated."
)
@click.option("--stack", metavar="NAME", shell_complete=stack_names, help="The stack, if the files do not name it.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--cause", metavar="TEXT", help="Why, for the revision's record.")
@click.option("--prune-all", is_flag=True, help="Remove all pods of the stack, if the files declare none.")
@click.option(
    "--host-label",
    "host_labels",
    metavar="KEY=VALUE",
    multiple=True,
    help="A label that this host has, for nodeSelector and nodeAffinity; may be repeated.",
)
@pass_session
def apply(
    session: Session,
    files: tuple[str, ...],
    stack: str | None,
    dry_run: bool,
    cause: str | None,
    prune_all: bool,
    host_labels: tuple[str, ...],
) -> None:
    """Have a stack as files declare it.

    They hold Kubernetes documents, or the options of the Ansible module podwright.pods.stack in YAML, or both; a folder
    may be a kustomization. What the stack made and the files no longer declare is removed; volumes stay.
    """
    from . import declarations

    notes: list[Any] = []
    options = declarations.read(files, stack or "", cause or "", prune_all, notes, host_labels)
    result = run(
        session, f"{'planning' if dry_run else 'applying'} stack {options['name']}", "run_stack", options, dry_run
    )
    show_changes(session, result)
    for warning in result.get("warnings", ()):
        say(f"warning: {warning}")
    for note in notes:
        say(f"{'warning' if note.is_warning else 'note'}: {note}")
    for text in result.get("notes", ()):
        say(f"note: {text}")
    session.screen.write(outcome(result, dry_run), style="bold")


def run(session: Session, what: str, function: str, options: dict[str, Any], is_check: bool = False) -> dict[str, Any]:
    """A run, which a person may not want to wait for."""
    try:
        with busy(what):
            return session.agent.run(function, options, is_check)
    except KeyboardInterrupt:
        say("the agent goes on with it; podwright get pods shows how far it has come")
        raise


def show_changes(session: Session, result: view.Document) -> None:
    styles = {"create": "green", "start": "green", "remove": "red", "stop": "red"}
    for line in result["actions"]:
        number, _blank, action = line.partition(" ")
        session.screen.write_pair(f"{number} ", action, hanging=3, style=styles.get(action.partition(" ")[0], ""))


def outcome(result: view.Document, is_dry_run: bool) -> str:
    """``stack shop, revision 3: pods 1 created, 2 unchanged; workloads 1 changed``."""
    stack = result["stack"]
    pods = _counts(item["result"] for item in result["objects"] if item["kind"] == "Pod")
    made = _counts(item["result"] for item in result["objects"] if item["kind"] in workloads.BY_NAME)
    parts = [f"pods {pods or 'none'}"] if pods or not made else []
    told = "; ".join([*parts, *([f"workloads {made}"] if made else [])])
    revision = f", revision {stack['revision']}" if stack.get("revision") else ""
    if not result["changed"]:
        return f"stack {stack['name']}{revision}: nothing to do"
    return f"stack {stack['name']}{revision}: {told}" + (" (dry run, nothing was done)" if is_dry_run else "")


def _counts(results: Iterable[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in Counter(results).items())


# --- delete ----------------------------------------------------------------------------------------------------------


@click.group(cls=Commands, invoke_without_command=True)
@click.pass_context
def delete(ctx: click.Context) -> None:
    """Remove pods, workloads or a stack."""
    require_command(ctx)


@delete.command("pod")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=pod_names)
@YES
@_GRACE
@_NOW
@pass_session
def delete_pods(session: Session, names: tuple[str, ...], yes: bool, grace_period: int | None, now: bool) -> int:
    """Remove pods for good. Named volumes stay."""
    grace = _grace_period(grace_period, now)
    for pod in (pod for pod in session.agent.pods(is_brief=True) if view.name_of(pod) in names):
        if pod.get("owner"):
            say(f"pod {view.name_of(pod)} belongs to {rows.show_owner(pod)}, which makes one in its place")
        elif pod["stack"]:
            say(f"pod {view.name_of(pod)} belongs to stack {pod['stack']}, which makes it again when it is applied")
    confirm(f"Remove {_count(names, 'pod')} {', '.join(names)}?", yes)
    missing = 0
    for name in names:
        result = run(session, f"removing pod {name}", "run_pod", {"name": name, "state": "absent", **grace})
        if result["changed"]:
            session.screen.write(f"pod {name} removed")
        else:
            missing = 1
            say(f"podwright: there is no pod {name}")
    return missing


@delete.command("stack")
@click.argument("name", shell_complete=stack_names)
@YES
@click.option("--volumes", is_flag=True, help="Its volumes too, with their data, and its secrets.")
@_GRACE
@_NOW
@pass_session
def delete_stack(session: Session, name: str, yes: bool, volumes: bool, grace_period: int | None, now: bool) -> int:
    """Remove a stack: its pods, networks and revisions. Volumes and generated secrets stay, unless asked for."""
    options = {"name": name, "state": "absent", "prune_volumes": volumes, **_grace_period(grace_period, now)}
    planned = session.agent.run("run_stack", options, check=True)
    if not planned["changed"]:
        raise Failure(f"there is no stack {name}")
    if not yes:
        show_changes(session, planned)
    confirm(f"Remove stack {name}{', AND ALL DATA in its volumes, and its secrets' if volumes else ''}?", yes)
    result = run(session, f"removing stack {name}", "run_stack", options)
    if yes:
        show_changes(session, result)
    session.screen.write(f"stack {name} removed", style="bold")
    return 0


def _grace_period(seconds: int | None, is_now: bool) -> dict[str, int]:
    """The option of a run that ends pods. Raises UsageError where it is told twice."""
    if is_now and seconds is not None:
        raise click.UsageError("--now is a grace period of 1 second; leave one of them out")
    told = 1 if is_now else seconds
    return {} if told is None else {"grace_period_seconds": told}


# --- repair ----------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("name", shell_complete=pod_names)
@click.option(
    "--accept-new-secrets",
    is_flag=True,
    help="Make generated secrets anew that cannot be had any more. A database does not know them.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@YES
@pass_session
def repair(session: Session, name: str, accept_new_secrets: bool, dry_run: bool, yes: bool) -> int:
    """Mend what is damaged on disk of a pod or stack.

    What other files tell is made anew, the rest is moved aside; nothing is thrown away. Generated secrets are restored
    from the records of pods. Where these have none, what to do is said, and the exit code is 1.
    """
    options = {"name": name, "accept_new_secrets": accept_new_secrets}
    if accept_new_secrets and not dry_run:
        confirm(f"Make secrets of {name} anew that cannot be had any more? What they open knows the old ones.", yes)
    result = run(session, f"mending {name}", "run_repair", options, dry_run)
    if not result["found"]:
        raise Failure(f"there is no pod or stack {name}")
    for line in result["actions"]:
        session.screen.write(line)
    for line in result["advice"]:
        say(f"podwright: {line}")
    if not result["actions"] and not result["advice"]:
        session.screen.write(f"{name}: nothing is damaged")
    return 1 if result["advice"] else 0


def confirm(question: str, is_sure: bool) -> None:
    """Ask, where there is somebody to ask. Raises click.Abort for a no."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("give --yes: there is no terminal to ask")
    sys.stdout.flush()
    click.confirm(question, abort=True, err=True)


def _count(items: Sequence[Any], what: str) -> str:
    return what if len(items) == 1 else f"{what}s"
