# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services and their endpoints as tables, whose columns are kubectl's, and one of them in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from .description import Line
from .screen import Row, Table
from .session import Session, pass_session, say
from .showing import output_option, show_documents, show_events, write_line

Service = Mapping[str, Any]
_SERVICES = ("NAME TYPE CLUSTER-IP PORTS ENDPOINTS STACK", "NAME TYPE CLUSTER-IP PORTS", "NAME PORTS")
_ENDPOINTS = ("NAME ENDPOINTS STACK", "NAME ENDPOINTS")
_PODS = ("POD ADDRESS READY SESSIONS TOTAL ERRORS", "POD READY SESSIONS ERRORS", "POD READY")
_NAMES = click.argument("names", metavar="[NAME]...", nargs=-1)


def of_service(service: Service) -> Row:
    """The row of a table of Services."""
    pods = {one["pod"]: one["ready"] for port in service["ports"] for one in port["endpoints"]}
    return {
        "NAME": service["name"],
        "TYPE": service["type"],
        "CLUSTER-IP": service["address"] or "None",
        "PORTS": ",".join(map(show_port, service["ports"])) or "-",
        "ENDPOINTS": f"{sum(pods.values())}/{len(pods)}",
        "STACK": service["stack"],
    }


def show_port(port: Mapping[str, Any]) -> str:
    """``80:8080/TCP``: its number, and the ports of the host where it is to be had."""
    return ":".join(map(str, (port["port"], *port["host_ports"]))) + "/TCP"


def of_endpoints(service: Service) -> Row:
    """The row of a table of endpoints: those that take connections."""
    ready = (one for port in service["ports"] for one in port["endpoints"] if one["ready"])
    addresses = dict.fromkeys(f"{one['address']}:{one['port']}" for one in ready)
    return {"NAME": service["name"], "ENDPOINTS": ",".join(addresses) or "<none>", "STACK": service["stack"]}


def describe(service: Service) -> Iterator[Line]:
    """All but the endpoints, which are a table for each port."""
    selector = ",".join(f"{key}={value}" for key, value in service["selector"].items())
    yield Line("Name", service["name"])
    yield Line("Stack", service["stack"])
    yield Line("Selector", selector)
    yield Line("Type", service["type"])
    yield Line("IP", service["address"] or "None")


def of_endpoint(one: Mapping[str, Any]) -> Row:
    return {
        "POD": one["pod"],
        "ADDRESS": f"{one['address']}:{one['port']}",
        "READY": "True" if one["ready"] else "False",
        "SESSIONS": str(one["sessions"]),
        "TOTAL": str(one["sessions_total"]),
        "ERRORS": str(one["errors"]),
    }


def _found(session: Session, names: Sequence[str]) -> tuple[list[dict[str, Any]], int]:
    """The Services that are asked for, and 1 where one of them does not exist, which is said."""
    services = session.agent.services()
    missing = [name for name in names if not any(one["name"] == name for one in services)]
    for name in missing:
        say(f"podwright: there is no service {name}")
    return [one for one in services if not names or one["name"] in names], int(bool(missing))


def _show(
    session: Session, names: Sequence[str], output: str | None, layouts: Sequence[str], row: Callable[[Service], Row]
) -> int:
    services, missing = _found(session, names)
    if output:
        show_documents(services, output, "service", is_one=len(names) == 1)
    elif services:
        Table(session.screen, layouts, layouts[0].split()[-2]).show([row(one) for one in services])
    elif not missing:
        say("no services found")
    return missing


@click.command("services")
@_NAMES
@output_option("yaml", "json", "name")
@pass_session
def get_services(session: Session, names: tuple[str, ...], output: str | None) -> int:
    """Show Services: their addresses and ports, and how many of their pods take connections."""
    return _show(session, names, output, _SERVICES, of_service)


@click.command("endpoints")
@_NAMES
@output_option("yaml", "json", "name")
@pass_session
def get_endpoints(session: Session, names: tuple[str, ...], output: str | None) -> int:
    """Show the addresses of the pods that take the connections of Services."""
    return _show(session, names, output, _ENDPOINTS, of_endpoints)


@click.command("services")
@_NAMES
@pass_session
def describe_services(session: Session, names: tuple[str, ...]) -> int:
    """Show all of Services: each pod behind them, its sessions and errors."""
    services, missing = _found(session, names)
    for number, service in enumerate(services):
        if number:
            session.screen.write()
        for line in describe(service):
            write_line(session, line)
        for port in service["ports"]:
            write_line(session, Line("Port", f"{show_port(port)} {port['protocol']}"))
            if port["endpoints"]:
                Table(session.screen, _PODS, indent=2).show([of_endpoint(one) for one in port["endpoints"]])
        show_events(session, f"Service/{service['name']}")
    return missing
