# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent, asked for people: what it answers, and what goes wrong as one line that says what to do."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

PACKAGE = os.environ.get("PODWRIGHT_PACKAGE", "podwright")
"""The package that holds the collection's code on this host."""


def module(name: str) -> Any:
    """A module of the collection, imported when it is needed: most commands need but one of them."""
    return importlib.import_module(f"{PACKAGE}.{name}")


class Failure(Exception):
    """What a command ends with; the text is for people."""


class Agent:
    """The agent behind a socket; every call raises Failure."""

    def __init__(self, socket: str | None = None) -> None:
        self._socket = socket

    @cached_property
    def _client(self) -> Any:
        return module("_agent.client").AgentClient(Path(self._socket) if self._socket else None)

    def pods(self, is_brief: bool = False) -> list[dict[str, Any]]:
        """All pods; where it is brief as they were seen last, at once, and without what they use."""
        return list(self._ask("get", "/pods", kept=is_brief and 1))

    def pod(self, name: str) -> dict[str, Any]:
        found = self.find_pod(name)
        if found is None:
            raise Failure(f"there is no pod {name}")
        return found

    def find_pod(self, name: str) -> dict[str, Any] | None:
        return next(iter(self.run("run_pod_info", {"name": name})["pods"]), None)

    def stacks(self, name: str = "") -> list[dict[str, Any]]:
        return list(self.run("run_stack_info", {"name": name} if name else {})["stacks"])

    def stacks_of_pods(self) -> dict[str, str]:
        """The stack that each pod belongs to."""
        return {pod["metadata"]["name"]: pod["stack"] for pod in self.pods(is_brief=True) if pod["stack"]}

    def workloads(self, is_brief: bool = True) -> list[dict[str, Any]]:
        """Those of all stacks; where it is brief without what has brought their revisions."""
        return list(self._ask("get", "/workloads", brief=is_brief and 1))

    def services(self) -> list[dict[str, Any]]:
        """Those of all stacks."""
        return list(self._ask("get", "/services"))

    def ingresses(self) -> list[dict[str, Any]]:
        """Those of all stacks."""
        return list(self._ask("get", "/ingresses"))

    def health(self) -> dict[str, Any]:
        return dict(self._ask("get", "/health"))

    def events(self, pod: str = "") -> list[dict[str, Any]]:
        """Those so far, the latest last."""
        return list(self._events(pod=pod))

    def coming_events(self, pod: str, since: int) -> Iterator[dict[str, Any]]:
        """Those after number ``since``, for as long as the agent is there."""
        yield from self._events(pod=pod, since=since, follow=1)

    def _events(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        for line in self._stream("stream", "/events", **parameters):
            if line.strip():
                yield json.loads(line)

    def logs(self, pod: str, container: str, **parameters: Any) -> Iterator[bytes]:
        return self._stream("pieces", f"/pods/{pod}/{container}/logs", **parameters)

    def execute(self, pod: str, container: str, command: list[str], timeout_seconds: float) -> dict[str, Any]:
        body = {"command": command, "timeout_seconds": timeout_seconds}
        return dict(self._ask("post", f"/pods/{pod}/{container}/exec", body))

    def way_to_execute(self, pod: str, container: str) -> dict[str, Any]:
        """For the podman program: the ``container``, and the words before a command (``prefix``)."""
        return dict(self._ask("get", f"/pods/{pod}/{container}/exec"))

    def run(self, function: str, options: Mapping[str, Any], check: bool = False) -> dict[str, Any]:
        """A run of a module. What it tells holds no secret: the values that it names are masked."""
        return _without_secrets(dict(self._ask("run", function, options, check)))

    def _ask(self, method: str, *given: Any, **parameters: Any) -> Any:
        client = self._client
        try:
            return getattr(client, method)(*given, **parameters)
        except module("_errors").PodwrightError as error:
            raise Failure(told(error, client.path)) from error

    def _stream(self, method: str, path: str, **parameters: Any) -> Iterator[bytes]:
        client = self._client
        try:
            yield from getattr(client, method)(path, **parameters)
        except module("_errors").PodwrightError as error:
            raise Failure(told(error, client.path)) from error


def told(error: Exception, socket: Path | str = "") -> str:
    """What an error of the collection says to a person."""
    cause = error.__cause__
    if isinstance(cause, (FileNotFoundError, ConnectionRefusedError)):
        return f"no agent answers at {socket}; start it with: {_start_command()}"
    if isinstance(cause, PermissionError):
        return f"the agent at {socket} is not yours: ask as its user, or as root"
    faults = getattr(error, "faults", ())
    text = told_faults(faults) if faults else str(error)
    return str(module("_reconcile.secrecy").masked(text, getattr(error, "secrets", ())))


def _start_command() -> str:
    if not Path("/run/systemd/system").is_dir():
        return "podwrightd start"
    return "systemctl start podwrightd" if os.geteuid() == 0 else "systemctl --user start podwrightd"


def told_faults(faults: Any) -> str:
    lines = [f"  {fault}" for fault in faults]
    count = f"{len(lines)} faults" if len(lines) > 1 else "1 fault"
    return "\n".join([f"{count}; nothing was changed:", *lines])


def _without_secrets(result: dict[str, Any]) -> dict[str, Any]:
    secrets = result.pop("secrets", ())
    return dict(module("_reconcile.secrecy").masked_within(result, secrets)) if secrets else result
