# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ingresses as a table, whose columns are kubectl's, and one of them in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from .description import Line
from .screen import Row, Table
from .session import Session, pass_session, say
from .showing import output_option, show_documents, write_line

Ingress = Mapping[str, Any]
_INGRESSES = ("NAME CLASS HOSTS ADDRESS PORTS STACK", "NAME HOSTS PORTS", "NAME HOSTS")
_RULES = ("HOST PATH TYPE BACKEND ENDPOINTS", "HOST PATH BACKEND", "PATH BACKEND")
_NAMES = click.argument("names", metavar="[NAME]...", nargs=-1)


def of_ingress(ingress: Ingress) -> Row:
    """The row of a table of Ingresses. They are served at all addresses of the host."""
    return {
        "NAME": ingress["name"],
        "CLASS": ingress["class"] or "<none>",
        "HOSTS": ",".join(ingress["hosts"]),
        "ADDRESS": "*",
        "PORTS": ",".join(map(str, ingress["ports"])),
        "STACK": ingress["stack"],
    }


def of_rule(rule: Mapping[str, Any]) -> Row:
    return {
        "HOST": rule["host"],
        "PATH": rule["path"],
        "TYPE": rule["path_type"],
        "BACKEND": show_backend(rule),
        "ENDPOINTS": ",".join(rule["endpoints"]) or "<none>",
    }


def show_backend(backend: Mapping[str, Any]) -> str:
    """``web:80``: a Service and the number of its port."""
    return f"{backend['service']}:{backend['port']}"


def describe(ingress: Ingress) -> Iterator[Line]:
    """All but the rules, which are a table."""
    default = ingress["default_backend"]
    endpoints = ",".join(default["endpoints"]) or "<none>" if default else ""
    yield Line("Name", ingress["name"])
    yield Line("Stack", ingress["stack"])
    yield Line("Class", ingress["class"] or "<none>")
    yield Line("Ports", ",".join(map(str, ingress["ports"])))
    yield Line("Default", f"{show_backend(default)} ({endpoints})" if default else "<none>")
    for tls in ingress["tls"]:
        yield Line("TLS", f"{tls['secret_name']} terminates {','.join(tls['hosts'])}")


def _found(session: Session, names: Sequence[str]) -> tuple[list[dict[str, Any]], int]:
    """The Ingresses that are asked for, and 1 where one of them does not exist, which is said."""
    ingresses = session.agent.ingresses()
    missing = [name for name in names if not any(one["name"] == name for one in ingresses)]
    for name in missing:
        say(f"podwright: there is no ingress {name}")
    return [one for one in ingresses if not names or one["name"] in names], int(bool(missing))


@click.command("ingresses")
@_NAMES
@output_option("yaml", "json", "name")
@pass_session
def get_ingresses(session: Session, names: tuple[str, ...], output: str | None) -> int:
    """Show Ingresses: the hosts that they are for, and the ports of this host where they are served."""
    ingresses, missing = _found(session, names)
    if output:
        show_documents(ingresses, output, "ingress", is_one=len(names) == 1)
    elif ingresses:
        Table(session.screen, _INGRESSES, "HOSTS").show([of_ingress(one) for one in ingresses])
    elif not missing:
        say("no ingresses found")
    return missing


@click.command("ingresses")
@_NAMES
@pass_session
def describe_ingresses(session: Session, names: tuple[str, ...]) -> int:
    """Show all of Ingresses: each path, and the pods that take its requests."""
    ingresses, missing = _found(session, names)
    for number, ingress in enumerate(ingresses):
        if number:
            session.screen.write()
        for line in describe(ingress):
            write_line(session, line)
        session.screen.write("Rules:" if ingress["rules"] else "Rules: none", style="bold")
        if ingress["rules"]:
            Table(session.screen, _RULES, indent=2).show([of_rule(rule) for rule in ingress["rules"]])
    return missing
