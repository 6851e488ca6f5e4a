# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as the controller of Services: the proxy's endpoints follow the pods, and a pod leaves before it ends."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable

from .._declaration.spec import PodSpec
from .._declaration.stack.spec import StackSpec
from .._errors import HostError, PodwrightError
from .._host import proxy, service_addresses
from .._host.podman.client import Podman
from .._host.proxy import Proxy
from .._host.service_addresses import ServiceAddresses
from .._host.stack_store import StackStore, stack_names
from .._reconcile.ingresses import description
from .._reconcile.ingresses.entrance import Entrance, entrance_of, fronts_behind
from .._reconcile.operations import Operation
from .._reconcile.services.configuration import Traffic, total
from .._reconcile.services.endpoints import DeleteServer, DrainServer, OnServer, ReadyServer
from .._reconcile.services.fronts import Front, PodStanding, fronts_of
from .._reconcile.services.names import named
from .._reconcile.services.variables import service_variables
from .keeper.view import View
from .service_names import ServiceNames

if TYPE_CHECKING:
    from .agent import Agent

LOOK_SECONDS = 2
"""How often the proxy is looked at without news."""
_BEAT_SECONDS = 0.2
"""How soon it is noticed that the proxy has died. It costs a look into /proc."""
_PAUSE_SECONDS = 0.05
_SHOWN_REASONS: Mapping[type[Operation], tuple[str, str]] = {
    ReadyServer: ("EndpointReady", "Pod {pod} takes connections of port {port}: {cause}"),
    DrainServer: ("EndpointDrains", "Pod {pod} takes no more connections of port {port}: {cause}"),
    DeleteServer: ("EndpointRemoved", "Pod {pod} is no endpoint of port {port} any more: {cause}"),
}


class ServiceController:
    """Keeps the fronts of the Services of all stacks. Any thread may call it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.proxy = Proxy(agent.store.directory / proxy.FOLDER)
        self._addresses = ServiceAddresses(agent.store.directory / service_addresses.FILE)
        self._names = ServiceNames(agent)
        self._lock = threading.RLock()
        self._woken = threading.Event()
        self._begun = threading.Event()
        """Set once there is a keeper for each pod: before that one without would be taken for a pod that is gone."""
        self._stacks: dict[str, tuple[int, StackSpec | None]] = {}
        """The stacks by name, each with when its record was written; None for one without Services."""
        self._surveyed: dict[str, int] = {}
        """The stacks as of the last survey, each with when its record was written."""
        self._leaving: dict[str, float | None] = {}
        """The pods that are about to end; since when (monotonic seconds) what is seen of one counts again."""
        self._fronts: tuple[Front, ...] = ()
        self._entrance = entrance_of((), *agent.ingress_ports)

    # --- the thread --------------------------------------------------------------------------------------------------

    def control(self) -> None:
        """Until the agent ends."""
        self._begun.set()
        while not self._agent.has_ended.is_set():
            self._woken.clear()
            with self._agent.telling("", "the Services cannot be served"):
                self.settle()
            self._await_news()
            self._agent.has_ended.wait(_PAUSE_SECONDS)

    def _await_news(self) -> None:
        """Until it is time to look, at the latest; until the proxy's process is gone."""
        look_at = time.monotonic() + LOOK_SECONDS
        while not self._woken.wait(_BEAT_SECONDS) and time.monotonic() < look_at:
            if self.proxy.is_there and not self.proxy.is_running:
                return

    def wake(self) -> None:
        """Look now: something may have changed."""
        self._woken.set()

    # --- what is served ----------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Make the proxy serve what the stacks declare, by the pods that are ready. Raises HostError.

        Does nothing before the thread has begun, which settles first of all.
        """
        if not self._begun.is_set():
            return
        with self._lock:
            self._fronts, self._entrance = self._survey()
            opened = self._entrance if self._entrance.routes else None
            for operation in self.proxy.settle(self._fronts, opened) if self._fronts or self.proxy.is_there else ():
                self._tell(operation)

    def _survey(self) -> tuple[tuple[Front, ...], Entrance]:
        """What is to be served now. Services get their addresses by it, and pods their names."""
        self._surveyed = self._written()
        stacks = [stack for stack in map(self._present, stack_names(self._agent.store)) if stack]
        self._stacks = {name: known for name, known in self._stacks.items() if self._has_record(name)}
        if not stacks and not self.proxy.is_there:
            self._names.settle(())
            return (), entrance_of((), *self._agent.ingress_ports)
        pods, addresses = self._pods(), self._addresses_of(stacks)
        found = [(stack, pods.get(stack.name, ()), addresses.get(stack.name, {})) for stack in stacks]
        self._names.settle([one for item in found for one in named(*item)])
        fronts = (front for item in found for front in (*fronts_of(*item), *fronts_behind(*item[:2])))
        return tuple(fronts), entrance_of(stacks, *self._agent.ingress_ports)

    def _survey_what_is_new(self) -> None:
        """Survey again where a stack was recorded since: its Services get their addresses by it."""
        if self._written() != self._surveyed:
            self._survey()

    def serve(self) -> None:
        """`settle`, and try at once what could not be had a moment ago. Raises HostError."""
        with self._lock:
            self.proxy.forget_refusal()
            self.settle()

    def introduce(self, pod: str, podman: Podman) -> None:
        """Tell a pod the names of Services, among them those of a stack that has just been recorded.

        What cannot be done is told as an event: the pod starts all the same. Of the stacks that were there before, what
        the last look has seen is enough: whatever happens to a pod brings another one.
        """
        with self._agent.telling("", "the names of Services cannot be told"), self._lock:
            self._survey_what_is_new()
        self._names.introduce(pod, podman)

    def variables(self, stack: str) -> Mapping[str, str]:
        """What containers of a stack that are made now find its Services by, as `introduce` finds their names."""
        with self._agent.telling("", "the variables of Services cannot be told"), self._lock:
            self._survey_what_is_new()
            _written, present = self._stacks.get(stack, (0, None))
            if present:
                given = {name: address for (owner, name), address in self._addresses.read().items() if owner == stack}
                return service_variables(present.services, given)
        return {}

    def fronts(self) -> Sequence[Front]:
        """What is served, as of the last look."""
        return self._fronts

    def entrance(self) -> Entrance:
        """The entrance of the Ingresses, as of the last look."""
        return self._entrance

    def told(self, stack: str) -> list[dict[str, Any]]:
        """The Services of a stack, as `describe` tells them."""
        return [service for service in self.describe() if service["stack"] == stack]

    def told_ingresses(self, stack: str) -> list[dict[str, Any]]:
        """The Ingresses of a stack, as `describe_ingresses` tells them."""
        return [ingress for ingress in self.describe_ingresses() if ingress["stack"] == stack]

    def _addresses_of(self, stacks: Sequence[StackSpec]) -> dict[str, dict[str, str]]:
        wanted = {(stack.name, one.name) for stack in stacks for one in stack.services if not one.is_headless}
        podman = None
        with contextlib.ExitStack() as sessions:
            if wanted - self._addresses.read().keys():
                podman = sessions.enter_context(self._agent.connect())
            given = self._addresses.settle(wanted, podman)
        found: dict[str, dict[str, str]] = {}
        for (stack, service), address in given.items():
            found.setdefault(stack, {})[service] = address
        return found

    def _has_record(self, name: str) -> bool:
        return StackStore(self._agent.store, name).record_file.exists()

    def _written(self) -> dict[str, int]:
        """When the record of each stack was written, in nanoseconds since the epoch."""
        found: dict[str, int] = {}
        for name in stack_names(self._agent.store):
            with contextlib.suppress(FileNotFoundError):
                found[name] = StackStore(self._agent.store, name).record_file.stat().st_mtime_ns
        return found

    def _present(self, name: str) -> StackSpec | None:
        """A stack with Services, as of its present revision; what it was where its files are damaged."""
        files = StackStore(self._agent.store, name)
        with contextlib.suppress(FileNotFoundError):
            written_at = files.record_file.stat().st_mtime_ns
            known = self._stacks.get(name)
            if known is None or known[0] != written_at:
                with self._agent.telling(f"stack {name}", "its Services cannot be read"):
                    number = files.read().current
                    stack = files.revision(number).stack if number else None
                    self._stacks[name] = written_at, stack if stack and stack.services else None
            return self._stacks[name][1] if name in self._stacks else None
        return None

    def _tell(self, operation: Operation) -> None:
        """An event of the Service: it outlasts the pod's own."""
        reason, message = _SHOWN_REASONS.get(type(operation), ("", ""))
        if isinstance(operation, OnServer) and reason:
            stack, service, port, *ingress = operation.front.split(":")
            if ingress and any(front.name == f"{stack}:{service}:{port}" for front in self._fronts):
                # It is told of the Service.
                return
            text = message.format(pod=operation.pod, port=port, cause=operation.cause)
            self._agent.events.add(reason, event_object(service), text)

    # --- the pods ----------------------------------------------------------------------------------------------------

    def _pods(self) -> dict[str, list[PodStanding]]:
        """The pods of each stack as their keepers see them."""
        found: dict[str, list[PodStanding]] = {}
        keepers = self._agent.keepers()
        for pod in self._leaving.keys() - {keeper.name for keeper in keepers}:
            self._leaving.pop(pod, None)
        for keeper in keepers:
            with contextlib.suppress(PodwrightError):
                record = keeper.record or self._agent.store.read_record(keeper.name)
                if record and record.settings.stack in self._stacks:
                    standing = self._standing(keeper.name, record.applied.pod, keeper.view)
                    found.setdefault(record.settings.stack, []).append(standing)
        return found

    def _standing(self, name: str, pod: PodSpec, view: View) -> PodStanding:
        is_leaving = name in self._leaving
        since = self._leaving.get(name)
        if since is not None and view.looked_at > since:
            del self._leaving[name]
            is_leaving = False
        status = view.status or self._agent.store.read_status(name) or {}
        is_over = status.get("phase") in ("Succeeded", "Failed")
        address = "" if is_over else str(status.get("podIP") or "")
        return PodStanding(pod, address, self._is_ready(name, view), is_leaving)

    def _is_ready(self, name: str, view: View) -> bool | None:
        """Whether the pod takes connections; None before that can be known, as while an agent has just begun."""
        if view.pod is None or not view.status or view.observed is None:
            return None if not view.looked_at else False
        sight = self._agent.sight(name)
        conditions = {item["type"]: item["status"] for item in view.status.get("conditions", ())}
        if sight is not None and sight.is_available and conditions.get("Ready") == "True":
            return True
        lasting = [one for one in view.pod.all_containers if view.pod.role_of(one) != "init"]
        found = [view.observed.find(one.name) for one in lasting]
        are_running = all(one is not None and one.is_running for one in found)
        # No probe has said anything yet.
        return None if are_running and not view.messages else False

    # --- leaving -----------------------------------------------------------------------------------------------------

    def leave(self, pod: str, pause: Callable[[float], None]) -> None:
        """Take a pod out of the fronts before it ends, and wait for its sessions, for as long as its Services say.

        What cannot be done is told as an event: a pod ends all the same. ``pause`` may raise to end the wait.
        """
        try:
            if self.proxy.is_there and not self._fronts:
                self._begun.wait(LOOK_SECONDS)
                self.settle()
            with self._lock:
                self._leaving[pod] = None
                seconds = self._drain_seconds(pod)
                if not seconds:
                    return
                self.settle()
            self._drain(pod, seconds, pause)
        except (HostError, OSError) as error:
            message = f"It could not be taken out of its Services: {error}"
            self._agent.events.add("FailedDrain", pod, message, is_warning=True)

    def returned(self, pod: str) -> None:
        """Told when nobody acts on the pod any more: what its keeper sees from now on counts."""
        with self._lock:
            if pod in self._leaving:
                self._leaving[pod] = time.monotonic()
        self.wake()

    def _drain_seconds(self, pod: str) -> dict[str, int]:
        """For how long each Service that the pod stands behind has it wait, by the names of their fronts."""
        stacks = {name: stack for name, (_at, stack) in self._stacks.items() if stack}
        return {
            front.name: next(one.drain_seconds for one in stacks[front.stack].services if one.name == front.service)
            for front in self._fronts
            if front.stack in stacks and any(server.pod == pod for server in front.servers)
        }

    def _drain(self, pod: str, seconds: dict[str, int], pause: Callable[[float], None]) -> None:
        begun_at = time.monotonic()
        most = left = self.proxy.sessions(pod)
        while left and time.monotonic() < begun_at + max(seconds.values()):
            pause(_PAUSE_SECONDS)
            left = self.proxy.sessions(pod)
        count = "1 session was" if most == 1 else f"{most} sessions were"
        message = f"Pod {pod} left: {count} waited for, for {time.monotonic() - begun_at:.1f} s"
        message = f"{message}; {left} of them cut off" if left else message
        for service in dict.fromkeys(front.split(":")[1] for front in seconds):
            self._agent.events.add("Drained", event_object(service), message, is_warning=bool(left))

    # --- telling -----------------------------------------------------------------------------------------------------

    def describe(self) -> Iterator[dict[str, Any]]:
        """Each Service with its fronts and their endpoints."""
        traffic = self.proxy.traffic()
        with self._lock:
            fronts, stacks = self._fronts, [stack for _at, stack in self._stacks.values() if stack]
        addresses = self._addresses.read()
        for stack in stacks:
            for service in stack.services:
                all_own = [front for front in fronts if (front.stack, front.service) == (stack.name, service.name)]
                own = [front for front in all_own if not front.ingress]
                yield {
                    "name": service.name,
                    "stack": stack.name,
                    "type": service.type,
                    "address": addresses.get((stack.name, service.name), ""),
                    "selector": dict(service.selector),
                    "ports": [_describe(front, all_own, traffic) for front in own],
                }

    def describe_ingresses(self) -> Iterator[dict[str, Any]]:
        """Each Ingress with its hosts, paths and backends."""
        with self._lock:
            fronts, entrance = self._fronts, self._entrance
            stacks = [stack for _at, stack in self._stacks.values() if stack]
        for stack in stacks:
            for ingress in stack.ingresses:
                yield description.describe(stack, ingress, entrance, fronts)


def event_object(service: str) -> str:
    """What events of a Service are about."""
    return f"Service/{service}"


def _describe(front: Front, fronts: Sequence[Front], traffic: Mapping[tuple[str, str], Traffic]) -> dict[str, Any]:
    """One port, with what comes to its pods by Ingresses among ``fronts`` as well."""
    names = [one.name for one in fronts if one.port == front.port]
    endpoints = []
    for server in front.servers:
        found = total(traffic.get((name, server.name), Traffic()) for name in names)
        endpoints.append(
            {
                "pod": server.pod,
                "address": server.address,
                "port": server.port,
                "ready": bool(server.is_ready),
                "sessions": found.sessions,
                "sessions_total": found.sessions_total,
                "errors": found.errors,
            }
        )
    return {
        "port": front.port,
        "protocol": "HTTP" if front.is_http else "TCP",
        "host_ports": [port for address, port in front.binds if address == "*"],
        "endpoints": endpoints,
    }
