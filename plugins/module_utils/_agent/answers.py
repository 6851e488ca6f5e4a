# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent's API answers: its routes, and what each of them reads or does."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Callable

from .._declaration import spec
from .._declaration.fields import checks
from .._delivery import host_code
from .._delivery.release import Release, misunderstanding
from .._errors import DamagedState, PodwrightError
from .._host.observe import read_node
from .._host.podman.container_output import log_stream
from .._host.state.records import Record
from .._runs import kinds, report
from .._runs.pod_info import run_pod_info
from .._runs.workloads.info import describe_all
from . import client as agent_client
from . import metrics as figures
from .keeper.view import View

if TYPE_CHECKING:
    from .agent import Agent

PAUSE_SECONDS = 5
"""How often a follower of events gets an empty line, so that the agent notices one that is gone."""
EXEC_SECONDS = 3600


class BadRequest(PodwrightError):
    """A request that the agent refuses; ``status`` is HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class Asked:
    """A request that has arrived in full. ``reader`` is its connection, for answers that last until it is closed."""

    pod: str
    container: str
    parameters: Mapping[str, str]
    body: Mapping[str, Any]
    reader: socket.socket


@dataclass(frozen=True)
class Route:
    """One call of the API. In ``path`` stand POD and CONTAINER for names."""

    method: str
    path: str
    answer: Callable[[Answers, Asked], Any]
    """Its result is told as JSON, or is bytes with their type, or lines as they come. May raise PodwrightError."""
    only_reads: bool = True
    lasting: str = ""
    """Which kind of lasting request it is, empty for a short one."""
    can_follow: bool = False
    """Whether it lasts, as the kind ``follow``, where its parameter of that name is set."""

    def names(self, method: str, parts: Sequence[str]) -> dict[str, str] | None:
        """The names in a path that is this route's, None for another's."""
        words = self.path.split("/")
        if method != self.method or len(words) != len(parts):
            return None
        pairs = [*zip(words, parts)]
        if any(word != part for word, part in pairs if not word.isupper()):
            return None
        return {word.lower(): part for word, part in pairs if word.isupper()}

    def kind(self, parameters: Mapping[str, str]) -> str:
        """Which kind of lasting request one with these parameters is, empty for a short one."""
        return "follow" if self.can_follow and parameters.get("follow") else self.lasting


def find(method: str, parts: Sequence[str]) -> tuple[Route, Mapping[str, str]]:
    """The route of a path below the version, and the names in it. Raises BadRequest for a path that is none's."""
    for route in ROUTES:
        names = route.names(method, parts)
        if names is not None:
            return route, names
    raise BadRequest(f"there is nothing at /{'/'.join(parts)} for {method}", 404)


class Answers:
    """One agent's."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def way_to_execute(self, asked: Asked) -> dict[str, Any]:
        name = self._podman_name(asked.pod, asked.container)
        return {"container": name, "prefix": self._agent.store.exec_prefix(asked.pod, asked.container)}

    def pods(self, asked: Asked) -> list[dict[str, Any]]:
        return self._kept_pods() if asked.parameters.get("kept") else self._pods({})

    def pod(self, asked: Asked) -> dict[str, Any]:
        found = self._pods({"name": asked.pod}) if _is_plain(asked.pod) else []
        if not found:
            raise BadRequest(f"there is no pod {asked.pod}", 404)
        return found[0]

    def workloads(self, asked: Asked) -> list[dict[str, Any]]:
        return describe_all(self._agent.store, is_brief=bool(asked.parameters.get("brief")))

    def services(self, asked: Asked) -> list[dict[str, Any]]:
        return list(self._agent.services.describe())

    def ingresses(self, asked: Asked) -> list[dict[str, Any]]:
        return list(self._agent.services.describe_ingresses())

    def metrics(self, asked: Asked) -> tuple[bytes, str]:
        return figures.exposition(self._agent), figures.CONTENT_TYPE

    def run(self, asked: Asked) -> dict[str, Any]:
        body = asked.body
        kind, options = body.get("run"), body.get("options")
        if not (isinstance(kind, str) and kind in kinds.KINDS and isinstance(options, dict)):
            raise BadRequest(f"run is one of {', '.join(kinds.KINDS)}, and options is an object")
        _refuse_other_release(body.get("release"))
        is_check, is_diff = bool(body.get("check")), bool(body.get("diff"))
        request = json.dumps([kind, options, is_check, is_diff], sort_keys=True).encode()
        work = functools.partial(kinds.run, kind, options, is_check, is_diff, agent=self._agent)
        return self._agent.unchanged_runs.answer(hashlib.sha256(request).digest(), options, work)

    def _pods(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        pods: list[dict[str, Any]] = run_pod_info(options, agent=self._agent)["pods"]
        return pods

    def _kept_pods(self) -> list[dict[str, Any]]:
        """The pods as their keepers observed them last, without a call to Podman and without their usage."""
        kept = {keeper.name: keeper.view for keeper in self._agent.keepers()}
        pods = (self._kept_pod(name, kept[name]) for name in sorted(kept))
        return [pod for pod in pods if pod is not None]

    def _kept_pod(self, name: str, view: View) -> dict[str, Any] | None:
        try:
            record = self._agent.store.read_record(name)
        except DamagedState as error:
            document, status = spec.to_kubernetes(spec.PodSpec(name, ())), report.damaged_status(error)
            return {**document, "stack": "", "status": {**view.status, **status}, "probe_messages": {}}
        if record is None:
            return None
        return {
            **spec.to_kubernetes(record.applied.pod),
            "stack": record.settings.stack,
            **report.owner(record),
            "status": dict(view.status or self._status_before(record)),
            "probe_messages": dict(view.messages),
        }

    def _status_before(self, record: Record) -> Mapping[str, Any]:
        """The status written down last, for a pod that its keeper has not observed yet."""
        pod = record.applied.pod
        return self._agent.store.read_status(pod.name) or report.unseen(pod, read_node(()))

    def health(self, asked: Asked) -> dict[str, Any]:
        return {
            "api_version": agent_client.API_VERSION,
            **asdict(Release(code=host_code.running())),
            "pid": os.getpid(),
            "started_at": self._agent.started_at,
            "uptime_seconds": time.time() - self._agent.started_at,
            "pods": len(self._agent.keepers()),
            "terminated_pods": self._agent.terminated_pods,
            "ingress_ports": list(self._agent.ingress_ports),
            "podman_error": self._agent.podman_watch.podman_error,
            "thread_errors": self._agent.threads.errors,
            "probes": self._agent.probe_threads.number,
            "probe_latest_seconds": self._agent.probe_threads.latest_seconds,
            "threads": threading.active_count(),
        }

    def events(self, asked: Asked) -> Iterator[bytes]:
        parameters = asked.parameters
        pod, since = parameters.get("pod", ""), _whole(parameters, "since") or 0
        events = self._agent.events
        found = events.follow(pod, since, PAUSE_SECONDS) if parameters.get("follow") else iter(events.list(pod, since))
        return (json.dumps(asdict(event)).encode() + b"\n" if event else b"\n" for event in found)

    def logs(self, asked: Asked) -> Iterator[bytes]:
        pod, container, parameters = asked.pod, asked.container, asked.parameters
        name, tail = self._podman_name(pod, container), _whole(parameters, "tail")
        if parameters.get("previous"):
            lines = self._agent.store.kept_log(pod, container).splitlines(keepends=True)
            return iter([line.encode() for line in lines[0 if tail is None else max(len(lines) - tail, 0) :]])
        with self._agent.connect() as podman:
            podman.get(f"/containers/{name}/exists")
        return self._log_lines(name, tail, asked.reader if parameters.get("follow") else None)

    def _log_lines(self, name: str, tail: int | None, follower: socket.socket | None) -> Iterator[bytes]:
        with self._agent.connect() as podman:
            yield from log_stream(podman, name, tail, follower is not None, follower)

    def execute(self, asked: Asked) -> dict[str, Any]:
        pod, container, body = asked.pod, asked.container, asked.body
        command = body.get("command")
        if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
            raise BadRequest("command is a list of words")
        seconds = body.get("timeout_seconds", 60)
        if not isinstance(seconds, (int, float)) or not seconds > 0:
            raise BadRequest("timeout_seconds is a number above 0")
        name = self._podman_name(pod, container)
        words = [*self._agent.store.exec_prefix(pod, container), *command]
        with self._agent.connect() as podman:
            done = podman.exec(name, words, min(seconds, EXEC_SECONDS))
        output = done.output.decode(errors="replace")
        return {"exit_code": done.exit_code, "output": output, "timed_out": done.timed_out}

    def _podman_name(self, pod: str, container: str) -> str:
        record = self._agent.store.read_record(pod) if _is_plain(pod) else None
        if record is None or record.applied.pod.find(container) is None:
            raise BadRequest(f"there is no container {container} in a pod {pod}", 404)
        return record.applied.pod.podman_name(container)


ROUTES = (
    Route("POST", "run", Answers.run, only_reads=False, lasting="run"),
    Route("GET", "pods", Answers.pods),
    Route("GET", "pods/POD", Answers.pod),
    Route("GET", "workloads", Answers.workloads),
    Route("GET", "services", Answers.services),
    Route("GET", "ingresses", Answers.ingresses),
    Route("GET", "pods/POD/CONTAINER/logs", Answers.logs, can_follow=True),
    Route("GET", "pods/POD/CONTAINER/exec", Answers.way_to_execute),
    Route("POST", "pods/POD/CONTAINER/exec", Answers.execute, only_reads=False, lasting="exec"),
    Route("GET", "events", Answers.events, can_follow=True),
    Route("GET", "health", Answers.health),
    Route("GET", "metrics", Answers.metrics),
)
"""All of the API. A run may be of a kind that only reads; see `kinds`."""


def _refuse_other_release(told: Any) -> None:
    """Raise BadRequest if the options come from a release that this one does not understand."""
    if told is None:
        return
    if not isinstance(told, dict) or not all(isinstance(told.get(name), str) for name in ("version", "code")):
        raise BadRequest("release is an object with a version and a code")
    try:
        reason = misunderstanding(Release(told["version"], told["code"]), Release(code=host_code.running()))
    except ValueError as error:
        raise BadRequest(f"release.version: {error}") from None
    if reason:
        raise BadRequest(reason, 409)


def _is_plain(name: str) -> bool:
    """Whether a pod can have the name: it is no path that leads elsewhere."""
    return checks.pod_name(name) is None


def _whole(parameters: Mapping[str, str], name: str) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", text):
        raise BadRequest(f"{name} is a whole number")
    return int(text)
