# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Podman that is data: its containers, processes and monitors, and the calls of its API that the collection makes.

It lies as the real one does: it says ``running`` of a process that is gone where the monitor went as well, and
``stopping`` for ever; it fails after the work was done; it hangs; its events come late, twice or never; its list may be
older than the last change. `Faults` says how often.

A container's program is its command's words, read by `Program`: what it does is known beforehand, so that the
simulation knows what is true of it.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ansible_collections.podwright.pods.plugins.module_utils._host.podman import client
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import LiveLimits

from .scheduler import Scheduler

API_VERSION = (4, 3, 1)
_FIRST_PID = 1000
_MONITOR_PIDS = 100_000
"""How far a monitor's process id is from that of its container's process."""


_LONGEST_UNTIL_REAPED_SECONDS = 2.0
_WAITS_FOR_MONITOR_SECONDS = 5.0


@dataclass(frozen=True)
class Program:
    """What a container does: words such as ``exit=1@3 ready=2 term=1 unhealthy=20``.

    ``exit=CODE@SECONDS``: it ends so long after its start. ``ready=SECONDS``: probes pass from then on, and never
    where it is ``ready=never``. ``unhealthy=SECONDS``: they fail from then on. ``term=SECONDS``: how long it takes to
    end when it is told to, ``term=never`` where only KILL helps.
    """

    exit_code: int = 0
    exit_after: float | None = None
    ready_after: float | None = 0.0
    unhealthy_after: float | None = None
    term_after: float | None = 0.1

    @staticmethod
    def read(words: list[str]) -> Program:
        given: dict[str, Any] = {}
        for word in words:
            name, _equals, value = word.partition("=")
            if name == "exit":
                code, _at, seconds = value.partition("@")
                given.update(exit_code=int(code), exit_after=float(seconds or 0))
            elif name in ("ready", "term"):
                given[f"{name}_after"] = None if value == "never" else float(value)
            elif name == "unhealthy":
                given["unhealthy_after"] = float(value)
        return Program(**given)


@dataclass
class Faults:
    """How often, from 0 to 1, a call or an event goes wrong; all 0 for a Podman that is well."""

    refuses: float = 0.0
    """A call does nothing and answers 500."""
    fails_afterwards: float = 0.0
    """A call answers 500 after its work was done."""
    hangs: float = 0.0
    """A call takes up to half a minute."""
    loses_events: float = 0.0
    doubles_events: float = 0.0
    delays_events: float = 0.0
    is_stale: float = 0.0
    """A list has not noticed who has ended since the one before; what calls have changed Podman knows at once."""


@dataclass
class SimulatedContainer:
    id: str
    name: str
    pod_id: str
    body: Mapping[str, Any]
    image: str
    image_id: str
    is_infra: bool = False
    said: str = "created"
    """What Podman says that its state is."""
    pid: int = 0
    has_process: bool = False
    has_monitor: bool = False
    exit_code: int = 0
    reaped_at: float = 0.0
    """When the kernel lets go of its process, which ended without a monitor, in monotonic seconds."""
    started_at: float = 0.0
    ended_at: float = 0.0
    started_by_clock: float = 0.0
    ended_by_clock: float = 0.0
    """The same by the wall clock as it was then, 0 for never: what Podman says for ever."""
    restarts: int = 0
    starts: int = 0
    limits: LiveLimits = field(default_factory=LiveLimits)
    program: Program = field(default_factory=Program)

    @property
    def monitor_pid(self) -> int:
        return self.pid + _MONITOR_PIDS if self.pid else 0

    @property
    def words(self) -> list[str]:
        """The words of its command that say what it does."""
        given = [*(self.body.get("entrypoint") or []), *(self.body.get("command") or [])]
        return [word for word in given if "=" in word]

    @property
    def labels(self) -> Mapping[str, str]:
        return self.body.get("labels") or {}


@dataclass
class SimulatedPod:
    id: str
    name: str
    labels: Mapping[str, str]
    created_at: float
    limits: LiveLimits = field(default_factory=LiveLimits)


class SimulatedPodman:
    """The service's state, and what happens in it whoever asks."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.faults = Faults()
        self.refused: set[str] = set()
        """Paths whose every call does nothing and answers 500."""
        self.containers: dict[str, SimulatedContainer] = {}
        self.pods: dict[str, SimulatedPod] = {}
        self.volumes: dict[str, dict[str, Any]] = {}
        self.networks: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, bytes] = {}
        self.images: dict[str, str] = {}
        self.calls = 0
        self.on_change: Callable[[str, str], None] = lambda what, pod: None
        """Told of each call that changes something of a pod, before it does."""
        self.on_start: Callable[[SimulatedContainer], None] = lambda container: None
        self.on_stop: Callable[[SimulatedContainer], None] = lambda container: None
        self.on_remove: Callable[[SimulatedContainer], None] = lambda container: None
        """Told of each container that is asked to start, to stop, or to go, before it does."""
        self._numbers = itertools.count(1)
        self._pids = itertools.count(_FIRST_PID)
        self._listeners: list[list[Mapping[str, Any]]] = []
        self._listed: list[dict[str, Any]] = []

    # --- facts that only the simulation knows --------------------------------------------------------------------

    @property
    def now(self) -> float:
        """The wall clock of the host."""
        return self.scheduler.now + self.scheduler.wall_offset

    def find(self, name: str) -> SimulatedContainer | None:
        """The container of this name or id."""
        if name in self.containers:
            return self.containers[name]
        return next((c for c in self.containers.values() if c.name == name), None)

    def of_pod(self, pod_id: str) -> list[SimulatedContainer]:
        return [c for c in self.containers.values() if c.pod_id == pod_id]

    def pod_named(self, name: str) -> SimulatedPod | None:
        return next((pod for pod in self.pods.values() if name in (pod.name, pod.id)), None)

    def passes_probes(self, container: SimulatedContainer) -> bool:
        """Whether a probe made now passes."""
        program, age = container.program, self.scheduler.now - container.started_at
        if not container.has_process or program.ready_after is None or age < program.ready_after:
            return False
        return program.unhealthy_after is None or age < program.unhealthy_after

    # --- processes -----------------------------------------------------------------------------------------------

    def start(self, container: SimulatedContainer) -> None:
        container.said, container.pid = "running", next(self._pids)
        container.has_process = container.has_monitor = True
        container.started_at, container.ended_at = self.scheduler.now, 0.0
        container.started_by_clock, container.ended_by_clock = self.now, 0.0
        container.starts += 1
        run = container.starts
        if container.program.exit_after is not None:
            moment = self.scheduler.now + container.program.exit_after
            self.scheduler.at(moment, lambda: self._end_by_itself(container, run))
        self.tell("start", container)

    def _end_by_itself(self, container: SimulatedContainer, run: int) -> None:
        if container.has_process and container.starts == run and container.said == "running":
            self.end_process(container, container.program.exit_code)

    def end_process(self, container: SimulatedContainer, exit_code: int) -> None:
        """The process is over. Podman learns of it by the monitor, where there is one.

        Podman restarts by its policy what it was not told to stop.
        """
        was_told = container.said == "stopping"
        container.has_process = False
        if not container.has_monitor:
            # The host's first process reaps what has lost its parent, some time later.
            container.reaped_at = self.scheduler.now + self.scheduler.random.uniform(0, _LONGEST_UNTIL_REAPED_SECONDS)
            return
        container.has_monitor = False
        container.said, container.pid, container.exit_code = "exited", 0, exit_code
        self.note_end(container)
        self.tell("died", container)
        policy = container.body.get("restart_policy") or "no"
        if not was_told and (policy == "always" or (policy == "on-failure" and exit_code != 0)):
            run = container.starts
            self.scheduler.at(self.scheduler.now + 0.2, lambda: self._restart(container, run))

    def note_end(self, container: SimulatedContainer) -> None:
        """Podman knows of the end from now on."""
        container.ended_at, container.ended_by_clock = self.scheduler.now, self.now

    def _restart(self, container: SimulatedContainer, run: int) -> None:
        """By Podman's own restart policy, which nobody holds up."""
        if container.id in self.containers and container.said == "exited" and container.starts == run:
            container.restarts += 1
            self.start(container)

    def kill_process(self, container: SimulatedContainer) -> None:
        self.end_process(container, 137)

    def kill_monitor(self, container: SimulatedContainer) -> None:
        """The process goes on, and nobody will say how it ended."""
        container.has_monitor = False

    def end_as_told(self, container: SimulatedContainer) -> None:
        """Somebody stops it by hand."""
        container.said = "stopping"
        self.end_process(container, 0)

    def drop(self, container: SimulatedContainer) -> None:
        """It goes, and with it whatever ran in it."""
        container.has_process = container.has_monitor = False
        del self.containers[container.id]
        self.tell("remove", container)

    # --- events --------------------------------------------------------------------------------------------------

    def tell(self, action: str, container: SimulatedContainer) -> None:
        attributes = {**container.labels, "podId": container.pod_id, "name": container.name}
        event = {"Type": "container", "Action": action, "Actor": {"ID": container.id, "Attributes": attributes}}
        chance = self.scheduler.random.random
        if chance() < self.faults.loses_events:
            return
        for _time in range(2 if chance() < self.faults.doubles_events else 1):
            late = self.scheduler.random.uniform(0, 20) if chance() < self.faults.delays_events else 0.0
            moment = self.scheduler.now + late + self.scheduler.random.uniform(0, 0.25)
            self.scheduler.at(moment, lambda: [listener.append(event) for listener in self._listeners] and None)

    def follow(self) -> Iterator[Mapping[str, Any]]:
        listener: list[Mapping[str, Any]] = []
        self._listeners.append(listener)
        try:
            while True:
                self.scheduler.wait(lambda: bool(listener), None)
                while listener:
                    yield listener.pop(0)
        finally:
            self._listeners.remove(listener)

    def reboot(self) -> None:
        """Every process is gone; containers are what Podman finds of them after a boot."""
        for container in self.containers.values():
            if container.said in ("running", "stopping", "paused"):
                container.said, container.exit_code = "exited", 0
                self.note_end(container)
            container.pid, container.has_process, container.has_monitor = 0, False, False
        for volume in self.volumes.values():
            volume["MountCount"] = 0
        self._listeners.clear()

    def new_id(self) -> str:
        return f"{next(self._numbers):06x}".ljust(64, "0")

    # --- answers -------------------------------------------------------------------------------------------------

    def listed(self, container: SimulatedContainer) -> dict[str, Any]:
        pod = self.pods.get(container.pod_id)
        never = -62135596800
        return {
            "Id": container.id,
            "Names": [container.name],
            "Labels": dict(container.labels) or None,
            "State": container.said,
            "Image": container.image,
            "ImageID": container.image_id,
            "IsInfra": container.is_infra,
            "Pid": container.pid,
            "ExitCode": container.exit_code,
            "StartedAt": int(container.started_by_clock) or never,
            "ExitedAt": int(container.ended_by_clock) or never,
            "Pod": container.pod_id,
            "PodName": pod.name if pod else "",
            "Ports": None,
        }

    def inspected(self, container: SimulatedContainer) -> dict[str, Any]:
        zero = "0001-01-01T00:00:00Z"
        return {
            "Id": container.id,
            "Name": container.name,
            "RestartCount": container.restarts,
            "State": {
                "Status": container.said,
                "Pid": container.pid,
                "ConmonPid": container.monitor_pid,
                "ExitCode": container.exit_code,
                "OOMKilled": False,
                "Error": "",
                "StartedAt": container.started_by_clock or zero,
                "FinishedAt": container.ended_by_clock or zero,
            },
            "NetworkSettings": {"IPAddress": "192.0.2.9", "Networks": {}},
            "HostConfig": {"LogConfig": {"Type": "k8s-file", "Path": "/simulated/none.log"}},
            "Config": {"Env": [f"{k}={v}" for k, v in (container.body.get("env") or {}).items()]},
        }

    def list_containers(self, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = list(self.containers.values())
        if "pod" in filters:
            found = [c for c in found if c.pod_id in filters["pod"]]
        if "name" in filters:
            found = [c for c in found if any(re.search(pattern, c.name) for pattern in filters["name"])]
        fresh = [self.listed(container) for container in found]
        if filters:
            return fresh
        before, self._listed = {one["Id"]: one for one in self._listed}, fresh
        if self.scheduler.random.random() >= self.faults.is_stale:
            return fresh
        return [_unnoticed(before.get(one["Id"], one), one) for one in fresh]

    def describe_pod(self, pod: SimulatedPod) -> dict[str, Any]:
        members = self.of_pod(pod.id)
        return {
            "Id": pod.id,
            "Name": pod.name,
            "Labels": dict(pod.labels),
            "Created": int(pod.created_at),
            "CgroupPath": f"/pods/{pod.id}",
            "Containers": [{"Id": c.id, "Names": c.name, "Status": c.said} for c in members],
            "Status": "Running",
        }


def _unnoticed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """How a container is listed whose end was not noticed yet."""
    has_ended = (before["State"], now["State"]) == ("running", "exited") and before["StartedAt"] == now["StartedAt"]
    return before if has_ended else now


class SimulatedClient(client.Podman):
    """A session with the simulated service, for a thread."""

    def __init__(self, podman: SimulatedPodman) -> None:
        self.simulated = self._podman = podman
        self.api_version = API_VERSION
        self.socket_path = "/simulated/podman.sock"

    def close(self) -> None:
        """Nothing is open."""

    def clone(self) -> SimulatedClient:
        return SimulatedClient(self._podman)

    def get(self, path: str, params: Mapping[str, Any] | None = None, timeout_seconds: float = 60) -> Any:
        return self._call("GET", path, params, None, None, timeout_seconds)

    def post(
        self, path: str, params: Mapping[str, Any] | None = None, body: Any = None, timeout_seconds: float = 60
    ) -> Any:
        # What goes over a socket is another object than what was handed in.
        data = None if body is None else json.loads(json.dumps(body))
        return self._call("POST", path, params, data, None, timeout_seconds)

    def delete(self, path: str, params: Mapping[str, Any] | None = None, timeout_seconds: float = 60) -> Any:
        return self._call("DELETE", path, params, None, None, timeout_seconds)

    def upload(self, path: str, params: Mapping[str, Any] | None, stream: Any, timeout_seconds: float = 600) -> Any:
        return self._call("POST", path, params, stream, None, timeout_seconds)

    def stream(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        upload: Any = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        timeout_seconds: float = 600,
    ) -> Iterator[Any]:
        if path == "/events":
            yield from self._podman.follow()
            return
        name = str((params or {}).get("reference", ""))
        self._take_time(timeout_seconds)
        if name.endswith("missing"):
            yield {"error": "manifest unknown"}
            return
        image_id = self._podman.images.setdefault(name, f"{len(self._podman.images):064x}")
        yield {"id": image_id}

    def exec(
        self, container: str, command: Any, timeout_seconds: float, env: Mapping[str, str] | None = None
    ) -> client.ExecResult:
        self._take_time(timeout_seconds)
        found = self._container(container)
        return client.ExecResult(0 if self._podman.passes_probes(found) else 1, b"")

    def logs(self, container: str, tail: int = 50) -> str:
        self._take_time(60)
        return f"log of {self._container(container).name}\n"

    # --- the service -----------------------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 60,
    ) -> Any:
        podman, faults = self._podman, self._podman.faults
        podman.calls += 1
        self._take_time(timeout_seconds)
        chance = podman.scheduler.random.random
        if path in podman.refused or chance() < faults.refuses:
            client.raise_refusal(f"{method} {path}", 500, b'{"cause": "simulated refusal", "message": "no"}')
        words = [unquote(word) for word in path.strip("/").split("/")]
        answer = self._answer(method, words, params or {}, data)
        if method != "GET":
            # The answer is on its way while others go on.
            podman.scheduler.sleep(chance() * 0.02)
            if chance() < faults.fails_afterwards:
                client.raise_refusal(f"{method} {path}", 500, b'{"cause": "simulated late failure", "message": "no"}')
        return answer

    def _take_time(self, timeout_seconds: float) -> None:
        scheduler = self._podman.scheduler
        seconds = scheduler.random.uniform(0.001, 0.03)
        if scheduler.random.random() < self._podman.faults.hangs:
            seconds = scheduler.random.uniform(1, 30)
        scheduler.sleep(min(seconds, timeout_seconds))
        if seconds > timeout_seconds:
            raise client.PodmanError("Podman did not answer: timed out", 0, "timed out")

    def _answer(self, method: str, words: list[str], params: Mapping[str, Any], data: Any) -> Any:
        kind = words[0]
        if words[-1] == "json" and len(words) == 2:
            return self._list(kind, params)
        if words[-1] == "create":
            return self._create(kind, params, data)
        name = words[1]
        if words[-1] == "json":
            return self._inspect(kind, name)
        if method == "DELETE":
            return self._delete(kind, name, params)
        if words[-1] == "exists":
            self._container(name)
            return None
        return {"start": self._start, "stop": self._stop, "unpause": self._unpause, "update": self._update}[words[-1]](
            self._container(name), params, data
        )

    def _list(self, kind: str, params: Mapping[str, Any]) -> Any:
        podman = self._podman
        if kind == "pods":
            return [podman.describe_pod(pod) for pod in podman.pods.values()]
        if kind == "containers":
            found = podman.list_containers(params.get("filters") or {})
            return found if params.get("all") else [c for c in found if c["State"] == "running"]
        if kind == "secrets":
            return [{"Spec": {"Name": name}} for name in podman.secrets]
        return [dict(item) for item in (podman.volumes if kind == "volumes" else podman.networks).values()]

    def _inspect(self, kind: str, name: str) -> Any:
        podman = self._podman
        if kind == "containers":
            return podman.inspected(self._container(name))
        if kind == "pods":
            return podman.describe_pod(self._pod(name))
        if kind == "images":
            found = name if name in podman.images.values() else podman.images.get(name)
            if found is None:
                raise client.NotFound(f"{name}: image not known", 404, "image not known")
            return {"Id": found, "Config": {"Cmd": ["serve"], "Env": ["PATH=/bin"]}}
        if kind == "volumes" and name in podman.volumes:
            return dict(podman.volumes[name])
        raise client.NotFound(f"no such {kind}: {name}", 404, "no such volume")

    def _create(self, kind: str, params: Mapping[str, Any], data: Any) -> Any:
        podman = self._podman
        if kind == "containers":
            return self._create_container(data)
        if kind == "pods":
            return self._create_pod(data)
        if kind == "secrets":
            podman.secrets[str(params["name"])] = data
            return {"ID": params["name"]}
        place = podman.volumes if kind == "volumes" else podman.networks
        name = data.get("Name") or data["name"]
        if name in place:
            raise client.NameInUse(f"{name}: volume already exists", 500, "volume already exists")
        place[name] = {**data, "Name": name, "name": name, "MountCount": 0, "Mountpoint": f"/volumes/{name}"}
        return place[name]

    def _create_pod(self, body: Mapping[str, Any]) -> Any:
        podman, name = self._podman, body["name"]
        podman.on_change("create pod", name)
        if podman.pod_named(name) or podman.find(name):
            raise client.NameInUse(f"{name}: pod already exists", 409, "pod already exists")
        pod = SimulatedPod(podman.new_id(), name, body.get("labels") or {}, podman.now)
        podman.pods[pod.id] = pod
        infra = SimulatedContainer(podman.new_id(), body["infra_name"], pod.id, {}, "pause", "pause", is_infra=True)
        podman.containers[infra.id] = infra
        return {"Id": pod.id}

    def _create_container(self, body: Mapping[str, Any]) -> Any:
        podman, name = self._podman, body["name"]
        pod = self._pod(body["pod"])
        podman.on_change("create container", pod.name)
        if podman.find(name) or podman.pod_named(name):
            raise client.NameInUse(f"{name}: that name is already in use", 500, "that name is already in use")
        if body["image"] not in podman.images.values():
            raise client.NotFound(f"{body['image']}: image not known", 500, "image not known")
        made = SimulatedContainer(podman.new_id(), name, pod.id, body, body["raw_image_name"], body["image"])
        made.program = Program.read(made.words)
        made.limits = _limits_of(body.get("resource_limits") or {})
        podman.containers[made.id] = made
        podman.tell("create", made)
        return {"Id": made.id}

    def _delete(self, kind: str, name: str, params: Mapping[str, Any]) -> Any:
        podman = self._podman
        if kind == "containers":
            found = self._container(name)
            self._note(found, "remove container")
            # It waits until the process is let go of, and most often finds it gone then.
            if self._is_unreaped(found) and podman.scheduler.random.random() < 0.5:
                self._wait_in_vain(found)
            podman.on_remove(found)
            podman.drop(found)
        elif kind == "pods":
            self._delete_pod(self._pod(name))
        else:
            place: dict[str, Any] = getattr(podman, kind)
            if name not in place:
                raise client.NotFound(f"no such {kind}: {name}", 404, "no such volume")
            del place[name]
        return None

    def _delete_pod(self, pod: SimulatedPod) -> None:
        """Its containers first, and the infra container where no other is left. What goes wrong is told afterwards."""
        podman = self._podman
        podman.on_change("remove pod", pod.name)
        members = podman.of_pod(pod.id)
        unreaped = [member for member in members if self._is_unreaped(member)]
        for member in members:
            if member not in unreaped and not (member.is_infra and unreaped):
                podman.on_remove(member)
                podman.drop(member)
        if unreaped:
            self._wait_in_vain(*unreaped)
        del podman.pods[pod.id]

    def _is_unreaped(self, found: SimulatedContainer) -> bool:
        is_lost = found.said == "running" and not (found.has_process or found.has_monitor)
        return is_lost and self._podman.scheduler.now < found.reaped_at

    def _wait_in_vain(self, *ended: SimulatedContainer) -> None:
        """Podman sends a signal to what has ended, and waits for the word of a monitor that there is not."""
        self._podman.scheduler.sleep(_WAITS_FOR_MONITOR_SECONDS)
        for found in ended:
            found.said, found.pid = "stopped", 0
            self._podman.note_end(found)
        words = f"cannot remove container {ended[0].id} as it could not be stopped: timed out waiting for file"
        client.raise_refusal("remove", 500, json.dumps({"cause": "internal libpod error", "message": words}).encode())

    def _start(self, found: SimulatedContainer, params: Mapping[str, Any], data: Any) -> None:
        self._note(found, "start container")
        if found.said == "running":
            return
        if not found.is_infra:
            infra = [c for c in self._podman.of_pod(found.pod_id) if c.is_infra]
            if not any(c.has_process for c in infra):
                client.raise_refusal("start", 500, b'{"cause": "no such file: /proc/PID/ns/ipc", "message": "no"}')
        self._podman.on_start(found)
        self._podman.start(found)

    def _stop(self, found: SimulatedContainer, params: Mapping[str, Any], data: Any) -> None:
        self._note(found, "stop container")
        # A stop that was cut off leaves "stopping" behind, and the next one goes on with it.
        if not (found.said == "running" or (found.said == "stopping" and found.has_process)):
            return
        self._podman.on_stop(found)
        found.said = "stopping"
        timeout, takes = float(params.get("timeout", 10)), found.program.term_after
        run = found.starts
        self._podman.scheduler.sleep(timeout if takes is None else min(takes, timeout))
        if found.id in self._podman.containers and found.starts == run and found.said == "stopping":
            self._podman.end_process(found, 137 if takes is None or takes > timeout else 0)
        # Where its monitor is gone nobody says how it ended: Podman answers that it did, and the state stays.

    def _unpause(self, found: SimulatedContainer, params: Mapping[str, Any], data: Any) -> None:
        if found.said == "paused":
            found.said = "running"

    def _update(self, found: SimulatedContainer, params: Mapping[str, Any], data: Any) -> None:
        self._note(found, "update container")
        if found.said != "running":
            client.raise_refusal("update", 500, b'{"cause": "container is not running", "message": "no"}')
        found.limits = _limits_of(data)

    def _note(self, found: SimulatedContainer, what: str) -> None:
        pod = self._podman.pods.get(found.pod_id)
        if pod:
            self._podman.on_change(what, pod.name)

    def _container(self, name: str) -> SimulatedContainer:
        found = self._podman.find(name)
        if found is None:
            raise client.NotFound(f"no such container: {name}", 404, "no such container")
        return found

    def _pod(self, name: str) -> SimulatedPod:
        found = self._podman.pod_named(name)
        if found is None:
            raise client.NotFound(f"no such pod: {name}", 404, "no such pod")
        return found


def _limits_of(resources: Mapping[str, Any]) -> LiveLimits:
    memory, cpu = resources.get("memory") or {}, resources.get("cpu") or {}
    limit, quota = memory.get("limit"), cpu.get("quota")
    return LiveLimits(
        memory_bytes=None if limit in (None, -1) else limit,
        cpu_quota_us=None if quota in (None, -1) else quota,
        cpu_shares=cpu.get("shares"),
    )
