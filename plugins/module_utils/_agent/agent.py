# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent: one process per host, or per user, that keeps the pods alive between runs of Ansible.

The records in the store are the desired state. Podman's events are hints to look; a list of all containers, every few
seconds, is the truth. Each pod has a `PodKeeper` of its own; probes are run by threads that all pods share.
Modules hand their work to the agent by its socket (`server`), so that it is the only writer.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Callable

from .._declaration import spec as s
from .._declaration.workloads.spec import AnyWorkload
from .._delivery.release import Release
from .._errors import HostError, PodwrightError
from .._host.observe import Snapshot, read_node
from .._host.podman import service as podman_service
from .._host.podman.client import Podman
from .._host.stack_store import stack_names, verify_revision
from .._host.state.records import Applied, Record
from .._host.store import Store
from .._printable import one_line
from .._reconcile import operations as op
from .._reconcile.context import Settings
from .._reconcile.observed import Node
from .._reconcile.workloads.steps import Event as WorkloadEvent
from .._runs.agent import Sight
from .._runs.run_failure import RunFailed
from .._runs.wait import Watch
from . import client as agent_client
from . import moments
from .claim import alone, refuse_newer_state
from .dependencies import Dependencies
from .event_log import Event, EventLog
from .event_words import tell_of, tell_of_failure
from .garbage import GarbageCollector
from .keeper.kept_watch import KeptWatch
from .keeper.pod_keeper import PodKeeper
from .keeper.turn import Turn
from .keeper.view import View
from .lasting_threads import LastingThreads
from .moments import Moments
from .podman_watch import PodmanWatch
from .probe_threads import ProbeThreads
from .server import AgentServer
from .service_controller import ServiceController
from .systemd import notify_systemd
from .unchanged_runs import UnchangedRuns
from .workload_controller import WorkloadController

TERMINATED_PODS = 12500
"""How many pods that have ended are kept by default, as Kubernetes' controller manager does."""
INGRESS_PORTS = (80, 443)
"""Where Ingresses are served by default, for HTTP and for HTTPS."""
_NODE_SECONDS = 600
"""How long the facts of the host are believed."""
_STOPPING_WORKERS = 8


class Agent:
    """What the keepers of all pods share, and the threads that wake them. ``run`` returns after `end`."""

    def __init__(
        self,
        store: Store | None = None,
        terminated_pods: int = TERMINATED_PODS,
        ingress_ports: tuple[int, int] = INGRESS_PORTS,
    ) -> None:
        """``terminated_pods``: how many pods that have ended are kept; older ones are removed. 0 keeps all.

        ``ingress_ports`` are where Ingresses are served, for HTTP and for HTTPS.
        """
        self.store = store or Store()
        self.terminated_pods = terminated_pods
        self.ingress_ports = ingress_ports
        self.started_at = time.time()
        self.events: EventLog
        self.is_stopping_pods = False
        """Whether all pods are being ended for good: then none is repaired."""
        self.has_ended = threading.Event()
        self.service: podman_service.PodmanService | None = None
        """The Podman service of the agent's own, if it has one."""
        self.moments = Moments()
        self.podman_watch = PodmanWatch(self, self.moments)
        self.probe_threads = ProbeThreads(self)
        self.dependencies = Dependencies(self)
        self.unchanged_runs = UnchangedRuns(self)
        self.threads = LastingThreads(self.has_ended, self._tell_of_thread)
        self._garbage = GarbageCollector(self)
        self._workloads = WorkloadController(self)
        self.services = ServiceController(self)
        self._keepers: dict[str, PodKeeper] = {}
        self._keepers_lock = threading.Lock()
        self._turns: dict[str, Turn] = {}
        self._node: tuple[float, Node] | None = None
        self._told: dict[tuple[str, str], str] = {}
        """The last error of each pod, by pod and by what failed."""

    # --- the life of the process -------------------------------------------------------------------------------------

    def run(self) -> None:
        """Keep the pods until `end`.

        Raises HostError if another agent keeps them already, if Podman is missing, or if a newer release has been at
        work.
        """
        self.store.ensure()
        refuse_newer_state(self.store)
        with alone(self.store), self._podman_service():
            self.events = EventLog(self.store.directory / "events.jsonl", on_new=_say_event)
            with self.telling("", "files of killed processes cannot be removed"):
                self.store.sweep_all()
            server = AgentServer(agent_client.socket_path(self.store.directory), self)
            try:
                for name, work in (
                    ("api", server.serve),
                    ("events", self.podman_watch.follow_events),
                    ("garbage", self._garbage.keep_low),
                    ("workloads", self._workloads.control),
                ):
                    self.threads.begin(name, work)
                for name in self.store.recorded_pods():
                    self.keeper_of(name)
                # A pod without a keeper would be taken for one that is gone.
                self.threads.begin("services", self.services.control)
                notify_systemd("READY=1")
                version, number = Release().version, len(self.store.recorded_pods())
                say(f"{version} keeps the pods of {self.store.directory}: {number} are there")
                while not self.has_ended.wait(moments.LIST_SECONDS):
                    with self.telling("", "the pods cannot be compared with the last look"):
                        if self.podman_watch.compare():
                            self._verify_revisions()
                    self.events.save()
                    if self.service:
                        self.service.trim_log()
                    notify_systemd("WATCHDOG=1")
            finally:
                notify_systemd("STOPPING=1")
                say("ends, and all pods with it" if self.is_stopping_pods else "ends; containers go on")
                server.close()
                if self.is_stopping_pods:
                    self._stop_pods()
                self._end_keepers()
                self.events.save()

    def end(self, is_to_stop_pods: bool = False) -> None:
        """Make `run` return. Containers go on, unless they are to stop, as before the host goes down."""
        self.is_stopping_pods = self.is_stopping_pods or is_to_stop_pods
        self.has_ended.set()

    def _verify_revisions(self) -> None:
        """Mark a revision good that no run has waited for, once its pods are ready."""
        for stack in stack_names(self.store):
            # A run on the stack does this itself, and reports what cannot be read.
            with contextlib.suppress(PodwrightError, OSError):
                verify_revision(self.store, stack)

    def _tell_of_thread(self, message: str) -> None:
        self.events.add("AgentThreadFailed", "", message, is_warning=True)

    @contextlib.contextmanager
    def telling(self, pod: str, what: str) -> Iterator[None]:
        """Report each error of a pod, or of all of them, as an event; the same error only once."""
        try:
            yield
            self._told.pop((pod, what), None)
        except Exception as error:
            is_known = isinstance(error, (PodwrightError, OSError))
            message = f"{what}: {error if is_known else f'{type(error).__name__}: {error}'}"
            if self._told.get((pod, what)) != message:
                self._told[pod, what] = message
                self.events.add("FailedSync" if is_known else "InternalError", pod, message, is_warning=True)

    @contextlib.contextmanager
    def _podman_service(self) -> Iterator[None]:
        """A Podman service of the agent's own, unless its environment names one."""
        if podman_service.named_socket():
            yield
            return
        with podman_service.PodmanService() as service:
            self.service = service
            os.environ["CONTAINER_HOST"] = f"unix://{service.socket_path}"
            yield

    def _end_keepers(self) -> None:
        self.probe_threads.close()
        with self._keepers_lock:
            keepers = list(self._keepers.values())
        for keeper in keepers:
            keeper.end()
        for keeper in keepers:
            keeper.join(10)

    # --- for the keepers ---------------------------------------------------------------------------------------------

    @property
    def node(self) -> Node:
        """The facts of the host."""
        now = time.monotonic()
        if self._node is None or now - self._node[0] > _NODE_SECONDS:
            with self.connect() as podman:
                self._node = now, replace(read_node(podman.api_version), has_agent=True)
        return self._node[1]

    def connect(self) -> Podman:
        """A session with Podman for the calling thread. Raises HostError, PodmanError."""
        path = podman_service.named_socket()
        if path is None:
            raise HostError("the agent has no Podman service")
        return Podman(path, self._node[1].podman_version if self._node else ())

    # --- for runs ----------------------------------------------------------------------------------------------------

    def reserved(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]
    ) -> contextlib.AbstractContextManager[None]:
        return self._turn_of(pod).reserved(timeout_seconds, while_waiting)

    @contextlib.contextmanager
    def acting(self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]) -> Iterator[None]:
        try:
            with self._turn_of(pod).claimed(timeout_seconds, while_waiting):
                yield
        finally:
            self.acted(pod)
            if self.store.knows(pod):
                self.keeper_of(pod).changed()
            else:
                self.let_go(pod)
                self.events.forget(pod)

    def done(self, operation: op.Operation) -> None:
        self.moments.note_change(operation.pod)
        tell_of(operation, self.events)
        if isinstance(operation, op.Record):
            # The pod exists from now on. Its keeper watches only, until it has the turn.
            self.keeper_of(operation.pod).kick()
        elif isinstance(operation, op.Forget):
            self.let_go(operation.pod)

    def acted(self, pod: str) -> None:
        """Told when somebody has tried to change the pod. What has failed may have changed it, too."""
        self.moments.note_change(pod)
        self.services.returned(pod)

    def backing_off(self, pod: str, container: str) -> None:
        self.events.add("BackOff", pod, f"Back-off restarting failed container {container}", container, is_warning=True)

    def tell_of_workload(self, workload: AnyWorkload, event: WorkloadEvent) -> None:
        about = f"{workload.kind}/{workload.name}"
        self.events.add(event.reason, about, event.message, is_warning=event.is_warning)

    def forget_workload(self, kind: str, name: str) -> None:
        self.events.forget(f"{kind}/{name}")

    def failed(self, pod: str, error: RunFailed) -> None:
        tell_of_failure(pod, error, self.events)

    def changes(self) -> Mapping[str, int]:
        return self.moments.changes()

    def snapshot(self, podman: Podman) -> Snapshot:
        return self.moments.snapshot(podman)

    def watch(self, podman: Podman, pod: s.PodSpec, deadline: float) -> Watch:
        return KeptWatch(podman, pod, self.keeper_of(pod.name), deadline)

    def keep(self, pod: s.PodSpec, settings: Settings) -> None:
        if self.store.read_record(pod.name) is None:
            # Statuses tell whole seconds: with more, one that has ended would be of an earlier pod.
            record = Record(Applied(pod), settings=settings, begun_at=int(time.time()))
            self.store.write_record(pod.name, record)
            self.moments.note_change(pod.name)
        self.keeper_of(pod.name).kick()

    def sight(self, pod: str) -> Sight | None:
        view = self.keeper_of(pod).view
        if view.pod is None or not view.status:
            return None
        lasting = (container for container in view.pod.all_containers if view.pod.role_of(container) != "init")
        return Sight(view.status, all(view.available.get(container.name, False) for container in lasting))

    # --- the keepers -------------------------------------------------------------------------------------------------

    def _turn_of(self, pod: str) -> Turn:
        return self._turns.setdefault(pod, Turn(self.store, pod, lambda: self.moments.note_change(pod)))

    def keeper_of(self, name: str) -> PodKeeper:
        """The pod's keeper, begun where there is none."""
        with self._keepers_lock:
            keeper = self._keepers.get(name)
            if keeper is None or not keeper.is_alive:
                keeper = self._keepers[name] = PodKeeper(name, self, self._turn_of(name))
                # If the system has no thread left, the next comparison of all pods starts it.
                with self.telling(name, "its keeper cannot start"):
                    keeper.start()
            return keeper

    def let_go(self, name: str) -> None:
        """Forget a pod that is gone, so that nothing of it is taken for a later pod of the same name."""
        with self._keepers_lock:
            keeper = self._keepers.pop(name, None)
        if keeper:
            keeper.end()

    def known_pods(self) -> list[str]:
        """The names that there are keepers of, whether or not there still is such a pod."""
        return [*self._keepers]

    def known_keeper(self, name: str) -> PodKeeper | None:
        """The keeper of that name, alive or not; none is begun."""
        return self._keepers.get(name)

    def view_of(self, pod: str) -> View | None:
        """The pod as its keeper saw it last, None where nobody keeps it."""
        keeper = self._keepers.get(pod)
        return keeper.view if keeper and keeper.is_alive else None

    def keepers(self) -> list[PodKeeper]:
        """Those of all pods that there are."""
        with self._keepers_lock:
            keepers = list(self._keepers.values())
        return [keeper for keeper in keepers if keeper.is_alive and self.store.knows(keeper.name)]

    # --- before the host goes down -----------------------------------------------------------------------------------

    def _stop_pods(self) -> None:
        """Stop all pods, those that others depend on last, independent ones side by side."""
        for wave in self.dependencies.stopping_order():
            with ThreadPoolExecutor(_STOPPING_WORKERS) as workers:
                for name in wave:
                    workers.submit(self._stop_pod, name)

    def _stop_pod(self, name: str) -> None:
        with self.telling(name, "it cannot be ended before the host"), self.connect() as podman:
            self._keepers[name].actions.stop_all(podman)


def say(text: str) -> None:
    """A word of the agent itself, for the journal (``journalctl -t podwrightd``), or its log where there is none."""
    # If nobody reads it, only the message is lost.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"podwrightd: {one_line(text)}\n")
        sys.stderr.flush()


def _say_event(event: Event) -> None:
    """Log errors of the agent and of Podman, and mistakes of ours. What pods do is for ``podwright events``."""
    if not event.pod or event.reason == "InternalError":
        say(": ".join(filter(None, (event.reason, event.pod, event.message))))
