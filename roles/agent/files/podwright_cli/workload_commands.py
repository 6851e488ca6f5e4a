# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands for workloads: those that show them, and those that change them by a run on their stack."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import click

from . import rows, view, workload_description, workload_rows, workloads
from .acting import YES, confirm, run, show_changes
from .asking import Failure, module
from .screen import Row, Table
from .session import Commands, Session, pass_session, require_command, say, stack_names, targets, workload_names
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
from .workloads import Kind

_LOOK_SECONDS = 1
_STACK = click.option("--stack", metavar="NAME", shell_complete=stack_names, help="Its stack, where several have one.")
_TARGET = click.argument("target", metavar="KIND/NAME", nargs=-1, required=True, shell_complete=targets)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")


# --- get, describe ---------------------------------------------------------------------------------------------------


def get_command(kind: Kind) -> click.Command:
    """``get deployments`` and its like."""

    @click.command(kind.plural, help=f"Show {kind.name}s, all or those of these NAMEs.")
    @click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=workload_names(kind.name))
    @SELECTOR
    @output_option("wide", "yaml", "json", "name")
    @WATCH
    @pass_session
    def get(session: Session, names: tuple[str, ...], selector: str | None, output: str | None, watch: bool) -> int:
        if watch and output not in (None, "wide"):
            raise click.UsageError("-w shows tables only")
        is_met = selecting(selector)
        found, missing = _find(session, kind, names)
        found = [one for one in found if is_met(one)]
        if output in ("yaml", "json", "name"):
            documents = [workloads.as_document(one) for one in found]
            show_documents(documents, output, kind.title("").rstrip("/"), is_one=len(names) == 1)
            return missing
        table = Table(
            session.screen, workload_rows.layouts(kind.name, output == "wide"), "IMAGES", workload_rows.STYLES
        )
        shown = _rows(session, found)
        if shown:
            table.show(shown)
        elif not missing and not watch:
            say(f"no {kind.plural} found")
        for one in found:
            if one["damage"]:
                say(f"{kind.title(view.name_of(one))}: {one['damage']}")
        if watch:

            def find() -> list[Row]:
                present = session.agent.workloads()
                wanted = [one for one in present if one["kind"] == kind.name and is_met(one)]
                return _rows(session, [one for one in wanted if not names or view.name_of(one) in names])

            go_on_showing(table, find, shown)
        return missing

    return get


def _rows(session: Session, found: Sequence[view.Document]) -> list[Row]:
    return [workload_rows.of_workload(one, session.now) for one in found]


def _find(
    session: Session, kind: Kind, names: Sequence[str], stack: str | None = None, is_brief: bool = True
) -> tuple[list[dict[str, Any]], int]:
    """Those of a kind that are asked for, and 1 where one of them does not exist, which is said."""
    everything = [one for one in session.agent.workloads(is_brief) if one["kind"] == kind.name]
    everything = [one for one in everything if stack in (None, one["stack"])]
    known = {view.name_of(one) for one in everything}
    missing = [name for name in names if name not in known]
    for name in missing:
        say(f"podwright: there is no {kind.singular} {name}")
    return [one for one in everything if not names or view.name_of(one) in names], int(bool(missing))


@click.command("all")
@SELECTOR
@output_option("name")
@pass_session
def get_all(session: Session, selector: str | None, output: str | None) -> None:
    """Show pods and all workloads, a table for each kind."""
    is_met = selecting(selector)
    pods = [pod for pod in session.agent.pods(is_brief=True) if is_met(pod)]
    found = [one for one in session.agent.workloads() if is_met(one)]
    groups = [(kind, [one for one in found if one["kind"] == kind.name]) for kind in workloads.KINDS]
    titled = [(f"pod/{view.name_of(pod)}", rows.of_pod(pod, session.now)) for pod in pods]
    tables: list[tuple[Table, list[Row]]] = []
    if titled:
        tables.append((Table(session.screen, rows.PODS, styles=rows.STYLES), [{**row, "NAME": t} for t, row in titled]))
    for kind, group in groups:
        if group:
            table = Table(session.screen, workload_rows.layouts(kind.name, False), styles=workload_rows.STYLES)
            tables.append((table, [{**row, "NAME": kind.title(row["NAME"])} for row in _rows(session, group)]))
    if output:
        for _table, shown in tables:
            for row in shown:
                click.echo(row["NAME"])
        return
    for number, (table, shown) in enumerate(tables):
        if number:
            session.screen.write()
        table.show(shown)
    if not tables:
        say("nothing found")


def describe_command(kind: Kind) -> click.Command:
    """``describe deployment`` and its like."""

    @click.command(kind.singular, help=f"Show {kind.name}s with their template, conditions, pods and events.")
    @click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=workload_names(kind.name))
    @pass_session
    def describe(session: Session, names: tuple[str, ...]) -> int:
        found, missing = _find(session, kind, names, is_brief=False)
        pods = session.agent.pods(is_brief=True) if found else []
        for number, one in enumerate(found):
            if number:
                session.screen.write()
            _describe(session, one, pods)
        return missing

    return describe


def _describe(session: Session, workload: view.Document, pods: Sequence[view.Document]) -> None:
    for line in workload_description.describe(workload, session.now):
        write_line(session, line)
    show_conditions(session, workload)
    owner, stack = {"kind": workload["kind"], "name": view.name_of(workload)}, workload["stack"]
    own = [pod for pod in pods if pod.get("owner") == owner and pod.get("stack") == stack]
    if own:
        session.screen.write("Pods:", style="bold")
        table = Table(session.screen, rows.PODS, styles=rows.STYLES, indent=2)
        table.show([rows.of_pod(pod, session.now) for pod in own])
    show_events(session, f"{workload['kind']}/{view.name_of(workload)}")


# --- rollout ---------------------------------------------------------------------------------------------------------


@click.group(cls=Commands, invoke_without_command=True)
@click.pass_context
def rollout(ctx: click.Context) -> None:
    """See how rollouts go, and undo, pause, resume or begin them."""
    require_command(ctx)


@rollout.command()
@_TARGET
@_STACK
@click.option("--watch/--no-watch", "-w", default=True, help="Wait until it has come to an end; the default.")
@click.option(
    "--timeout", metavar="SECONDS", type=click.IntRange(min=0), default=0, help="Wait no longer; 0: for ever."
)
@pass_session
def status(session: Session, target: tuple[str, ...], stack: str | None, watch: bool, timeout: int) -> int:
    """Show how far the rollout of a workload has come. The exit code is 1 where it has failed."""
    kind, name = _one(target)
    began, last = time.monotonic(), ""
    while True:
        try:
            found = workloads.rollout_of(_existing(session, kind, name, stack))
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        if found.text != last:
            session.screen.write(found.text, style="red" if found.has_failed else "green" if found.is_done else "")
            sys.stdout.flush()
        last = found.text
        if found.is_done or not watch:
            return int(found.has_failed)
        if timeout and time.monotonic() - began > timeout:
            raise Failure(f"the rollout has not come to an end within {timeout} s")
        time.sleep(_LOOK_SECONDS)


@rollout.command()
@_TARGET
@_STACK
@click.option(
    "--revision", metavar="N", type=click.IntRange(min=0), default=0, help="The template of this one; 0: all."
)
@pass_session
def history(session: Session, target: tuple[str, ...], stack: str | None, revision: int) -> None:
    """Show the revisions of a workload and what brought them, or the template of one."""
    kind, name = _one(target)
    found = _existing(session, kind, name, stack, is_brief=False)
    if not found["revisions"]:
        raise Failure(f"{kind.singular} {name} has no revisions")
    if revision:
        _show_revision(session, kind, found, revision)
        return
    table = Table(session.screen, workload_rows.HISTORY, "CHANGE-CAUSE")
    table.show([workload_rows.of_revision(one, session.now) for one in found["revisions"]])


def _show_revision(session: Session, kind: Kind, workload: view.Document, number: int) -> None:
    found = next((one for one in workload["revisions"] if one["number"] == number), None)
    if found is None:
        known = ", ".join(str(one["number"]) for one in workload["revisions"])
        raise Failure(f"{kind.singular} {view.name_of(workload)} has no revision {number}; there is: {known}")
    for line in workload_description.describe_revision(workload, found, session.now):
        write_line(session, line)


@rollout.command()
@_TARGET
@_STACK
@click.option("--to-revision", metavar="N", type=click.IntRange(min=0), default=0, help="To this one; 0: the last one.")
@_DRY_RUN
@pass_session
def undo(session: Session, target: tuple[str, ...], stack: str | None, to_revision: int, dry_run: bool) -> None:
    """Declare the template of an earlier revision again, and wait until it is rolled out."""
    _change(session, _one(target), stack, "undo", "rolled back", dry_run, to_revision=to_revision)


@rollout.command()
@_TARGET
@_STACK
@pass_session
def pause(session: Session, target: tuple[str, ...], stack: str | None) -> None:
    """Let a Deployment roll out no new template until it is resumed."""
    _change(session, _one(target), stack, "pause", "paused")


@rollout.command()
@_TARGET
@_STACK
@pass_session
def resume(session: Session, target: tuple[str, ...], stack: str | None) -> None:
    """Go on with the rollout of a Deployment that was paused, and wait for it."""
    _change(session, _one(target), stack, "resume", "resumed")


@rollout.command()
@_TARGET
@_STACK
@_DRY_RUN
@pass_session
def restart(session: Session, target: tuple[str, ...], stack: str | None, dry_run: bool) -> None:
    """Make all pods of a workload anew, within its bounds, and wait until they are available."""
    _change(session, _one(target), stack, "restart", "restarted", dry_run)


# --- scale, create, delete -------------------------------------------------------------------------------------------


@click.command()
@_TARGET
@click.option("--replicas", metavar="N", type=click.IntRange(min=0), required=True, help="How many pods it is to have.")
@_STACK
@_DRY_RUN
@pass_session
def scale(session: Session, target: tuple[str, ...], replicas: int, stack: str | None, dry_run: bool) -> None:
    """Give a workload another number of pods, and wait until they are available.

    As in: podwright scale deploy/web --replicas 3. The stack's next run from its files takes their number again.
    """
    _change(session, _one(target), stack, "scale", "scaled", dry_run, replicas=replicas)


@click.group(cls=Commands, invoke_without_command=True)
@click.pass_context
def create(ctx: click.Context) -> None:
    """Make a Job now of a CronJob."""
    require_command(ctx)


@create.command("job")
@click.argument("name")
@click.option(
    "--from", "source", metavar="cronjob/NAME", required=True, shell_complete=targets, help="Of which CronJob."
)
@_STACK
@pass_session
def create_job(session: Session, name: str, source: str, stack: str | None) -> None:
    """Run what a CronJob runs, now, as a Job of this NAME. It is kept and removed as the CronJob's own are."""
    kind, cron_job = _one((source,))
    if kind.name != "CronJob":
        raise click.UsageError(f"--from {source}: Jobs are made from a CronJob, as in cronjob/backup")
    options = _options(kind, cron_job, stack, "create_job", job=name)
    run(session, f"making job {name}", "run_workload_change", options)
    session.screen.write(f"{workloads.BY_NAME['Job'].title(name)} created", style="bold")


def delete_command(kind: Kind) -> click.Command:
    """``delete deployment`` and its like."""

    @click.command(kind.singular, help=f"Take {kind.name}s out of their stacks, with their pods. Volumes stay.")
    @click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=workload_names(kind.name))
    @_STACK
    @YES
    @pass_session
    def delete(session: Session, names: tuple[str, ...], stack: str | None, yes: bool) -> int:
        found, missing = _find(session, kind, names, stack)
        for name in {*names} & {view.name_of(one) for one in found}:
            # Of one that several stacks have, one is to be named.
            _existing(session, kind, name, stack)
        for one in found:
            name, owner = view.name_of(one), one.get("owner")
            options = _options(kind, name, one["stack"], "remove")
            if not yes:
                show_changes(session, session.agent.run("run_workload_change", options, check=True))
            if not owner:
                say(f"stack {one['stack']} makes {kind.singular} {name} again when it is applied from files with it")
            confirm(f"Remove {kind.singular} {name}?", yes)
            result = run(session, f"removing {kind.singular} {name}", "run_workload_change", options)
            if yes:
                show_changes(session, result)
            session.screen.write(f"{kind.title(name)} deleted", style="bold")
        return missing

    return delete


def _change(
    session: Session,
    target: tuple[Kind, str],
    stack: str | None,
    change: str,
    done: str,
    is_dry_run: bool = False,
    **more: Any,
) -> None:
    """A run on the stack with one workload changed, which records a revision."""
    kind, name = target
    what = f"{'planning' if is_dry_run else 'changing'} {kind.singular} {name}"
    options = _options(kind, name, stack, change, **more)
    result = run(session, what, "run_workload_change", options, is_dry_run)
    show_changes(session, result)
    for warning in result.get("warnings", ()):
        say(f"warning: {warning}")
    told = f"{done} (stack {result['stack']['name']}, revision {result['stack']['revision']})"
    if is_dry_run:
        told = f"would be {done} (dry run, nothing was done)"
    if not result["changed"]:
        told = "has nothing to do"
    session.screen.write(f"{kind.title(name)} {told}", style="bold")


def _options(kind: Kind, name: str, stack: str | None, change: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind.name,
        "name": name,
        "stack": stack,
        "change": change,
        "change_cause": shlex.join(["podwright", *sys.argv[1:]]),
        "applied_by": module("_host.declaration_files").applied_by(),
        **more,
    }


def _one(target: Sequence[str]) -> tuple[Kind, str]:
    """The kind and name of one workload. Raises UsageError."""
    try:
        kind, names = workloads.read_target(target)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if len(names) > 1:
        raise click.UsageError(f"one workload at a time, and not {', '.join(names)}")
    return kind, names[0]


def _existing(
    session: Session, kind: Kind, name: str, stack: str | None = None, is_brief: bool = True
) -> dict[str, Any]:
    """The workload. Raises Failure where there is none, or where several stacks have one."""
    everything = session.agent.workloads(is_brief)
    found = [one for one in everything if (one["kind"], view.name_of(one)) == (kind.name, name)]
    found = [one for one in found if stack in (None, one["stack"])]
    if not found:
        raise Failure(f"there is no {kind.singular} {name}" + (f" in stack {stack}" if stack else ""))
    if len(found) > 1:
        stacks = ", ".join(one["stack"] for one in found)
        raise Failure(f"{kind.singular} {name} is in several stacks ({stacks}): name one with --stack")
    return found[0]


Factory = Callable[[Kind], click.Command]
OF_EACH_KIND: dict[str, Factory] = {"get": get_command, "describe": describe_command, "delete": delete_command}
"""By the group that a command is part of: what makes it for a kind."""
