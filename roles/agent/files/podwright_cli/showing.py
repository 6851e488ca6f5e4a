# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands that show something have in common: options, documents, tables that go on, lines and events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from . import description, rows, view
from .screen import Row, Table
from .session import Session

_Command = TypeVar("_Command", bound=Callable[..., Any])

WATCH_SECONDS = 2
"""How often that is asked for which is watched."""
_KEY_WIDTH = 14
_NARROW = 60

SELECTOR = click.option("-l", "--selector", metavar="KEY=VALUE", help="Only those with these labels: a=b,c!=d,e,!f.")
WATCH = click.option("-w", "--watch", is_flag=True, help="Go on showing what changes.")


def output_option(*choices: str) -> Callable[[_Command], _Command]:
    return click.option("-o", "--output", type=click.Choice(choices), help="How to show it, if not as a table.")


def selecting(selector: str | None) -> Callable[[view.Document], bool]:
    """Tells whether labels are as a selector asks. Raises UsageError where that cannot be read."""
    try:
        view.matches({}, selector or "")
    except ValueError as error:
        raise click.UsageError(f"-l: {error}") from None
    return lambda pod: view.matches(view.labels_of(pod), selector or "")


def go_on_showing(table: Table, find: Callable[[], Sequence[Row]], shown: Sequence[Row]) -> None:
    """A row for each thing that is not what it was; until the person has seen enough."""
    known = {row["NAME"]: row for row in shown}
    while True:
        time.sleep(WATCH_SECONDS)
        found = {row["NAME"]: row for row in find()}
        changed = [
            row
            for name, row in found.items()
            if name not in known or rows.without_time(row) != rows.without_time(known[name])
        ]
        gone = [rows.gone(row) for name, row in known.items() if name not in found]
        if changed or gone:
            table.show([*changed, *gone])
        known = found


def show_documents(documents: Sequence[dict[str, Any]], output: str, kind: str, is_one: bool) -> None:
    if output == "name":
        for document in documents:
            click.echo(f"{kind}/{document.get('name') or view.name_of(document)}")
        return
    if is_one and not documents:
        return
    told = documents[0] if is_one else rows.as_list(documents)
    if output == "json":
        click.echo(json.dumps(told, indent=2))
        return
    import yaml

    click.echo(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), nl=False)


def write_line(session: Session, line: description.Line) -> None:
    """A key with its text beside it; where the terminal is narrow, with little indentation below it."""
    screen, indent = session.screen, 2 * line.depth
    width = 1 if screen.is_narrower_than(_NARROW) else _KEY_WIDTH
    key = f"{line.key}:" if line.key else ""
    hanging = width + 1 if width > 1 else 2
    if not line.text:
        screen.write(key, indent, style="bold")
    elif key or width > 1:
        screen.write_pair(key.ljust(width) + " ", line.text, indent, hanging, line.style)
    else:
        screen.write_pair("", line.text, indent + hanging, hanging, line.style)


def show_conditions(session: Session, document: view.Document) -> None:
    """Those of a pod or workload, where it has any."""
    conditions = rows.of_conditions(document, session.now)
    if conditions:
        session.screen.write("Conditions:", style="bold")
        Table(session.screen, rows.CONDITIONS, styles=rows.CONDITION_STYLES, indent=2).show(conditions)


def show_events(session: Session, about: str) -> None:
    """Those of a pod, by its name, or of a workload, as ``Deployment/web``."""
    found = session.agent.events(about)
    session.screen.write("Events:" if found else "Events: none", style="bold")
    if found:
        table = Table(session.screen, rows.EVENTS, "MESSAGE", rows.STYLES, ease=rows.EASE, indent=2)
        table.show([rows.of_event(event, session.now) for event in found])
