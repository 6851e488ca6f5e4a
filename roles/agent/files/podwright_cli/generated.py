# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands for secrets that were generated on this host. Values are never shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from . import rows
from .acting import confirm, outcome, run, show_changes
from .screen import Table
from .session import Commands, Session, pass_session, require_command, say, stack_names

_OF_POD = click.option("--pod", "is_pod", is_flag=True, help="OWNER is a pod on its own, and no stack.")
_YES: Callable[..., Any] = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@click.group("secrets", cls=Commands, invoke_without_command=True)
@click.pass_context
def secrets(ctx: click.Context) -> None:
    """List, rotate or remove secrets that were generated here."""
    require_command(ctx)


@secrets.command("list")
@click.argument("owner", required=False, default="", shell_complete=stack_names)
@_OF_POD
@click.option("-o", "--output", type=click.Choice(["json"]), help="How to show it, if not as a table.")
@pass_session
def list_secrets(session: Session, owner: str, is_pod: bool, output: str | None) -> None:
    """Show what was generated, and when; of all, or of an OWNER: a stack, or a pod on its own."""
    found = session.agent.run("run_secret_info", _options(owner, is_pod))["generated"]
    if output:
        click.echo(json.dumps(found, indent=2))
    elif found:
        Table(session.screen, rows.GENERATED, styles=rows.STYLES).show(
            [rows.of_generated(item, session.now) for item in found]
        )
    else:
        say("nothing was generated on this host")


@secrets.command()
@click.argument("place", metavar="OWNER/NAME")
@click.argument("key", required=False, default="")
@_OF_POD
@_YES
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@pass_session
def rotate(session: Session, place: str, key: str, is_pod: bool, yes: bool, dry_run: bool) -> None:
    """Make new values for a secret, and restart what uses it.

    For one KEY, or all of them. Where that does not become ready, the old values are put back. A program that keeps a
    password in its data, as databases do, has to be told of the new one by itself.
    """
    owner, secret = _split(place)
    options = {**_options(owner, is_pod), "secret": secret, "key": key or None}
    if dry_run or not yes:
        show_changes(session, session.agent.run("run_secret_rotation", options, check=True))
    if dry_run:
        return
    confirm(f"Make new values for {place}{f' ({key})' if key else ''}?", yes)
    result = run(session, f"rotating {place}", "run_secret_rotation", options)
    if yes:
        show_changes(session, result)
    if "stack" in result:
        session.screen.write(outcome(result, False), style="bold")
    else:
        session.screen.write(f"secret {place} rotated", style="bold")


@secrets.command()
@click.argument("place", metavar="OWNER[/NAME]")
@_OF_POD
@_YES
@pass_session
def remove(session: Session, place: str, is_pod: bool, yes: bool) -> None:
    """Remove what was generated and is no longer declared: all of an OWNER's, or one secret."""
    owner, secret = place, ""
    if "/" in place:
        owner, secret = _split(place)
    options = {**_options(owner, is_pod), "secret": secret or None}
    found = session.agent.run("run_secret_removal", options, check=True)["generated"]
    names = ", ".join(sorted({f"{item['owner']}/{item['secret']}" for item in found}))
    confirm(f"Remove the values of {names}? Data that they open cannot be opened afterwards.", yes)
    run(session, f"removing {place}", "run_secret_removal", options)
    session.screen.write(f"{names} removed", style="bold")


def _options(owner: str, is_pod: bool) -> dict[str, Any]:
    return {"owner": owner or None, "kind": "pod" if is_pod else None}


def _split(place: str) -> tuple[str, str]:
    owner, separator, secret = place.partition("/")
    if not (owner and separator and secret):
        raise click.UsageError(f"{place}: give OWNER/NAME, as in shop/database; podwright secrets list shows them")
    return owner, secret
