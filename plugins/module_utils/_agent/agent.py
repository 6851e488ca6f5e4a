# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent: one process per host, or per user, that keeps the pods alive between runs of Ansible.

Desired state is what the store has on record; Podman's events are hints to look, and a list of all containers, taken
every few seconds, is the truth. Each pod has a `PodKeeper` of its own; probes are run by threads that all pods share.
Modules hand their work to the agent by its socket (`server`), so that it is the only writer.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Callable

from .._declaration import spec as s
from .._declaration.stack_order import ordered
from .._declaration.stack_spec import Dependency, StackSpec
from .._delivery.release import Release
from .._errors import DamagedState, HostError, NewerState, PodwrightError
from .._host import cgroup, netns, state_files
from .._host import podman as podman_module
from .._host.observe import Snapshot, has_process_as_told, read_node
from .._host.podman import Podman
from .._host.stack_store import StackStore, stack_names
from .._host.store import Record, Store
from .._printable import one_line
from .._reconcile import operations as op
from .._reconcile.observed import LABEL_POD, LiveLimits, Node
from .._reconcile.probe_worker import SECOND_ATTEMPT_SECONDS, Attempts
from .._reconcile.status import is_well
from .._runs.pod_run import run_pod
from .._runs.run_failure import RunFailed
from .._runs.stack_run import create_network, verify_revision
from .._runs.wait import Watch
from . import client as agent_client
from .event_log import Event, EventLog
from .event_words import tell_of, tell_of_failure
from .kept_watch import KeptWatch
from .pod_keeper import PodKeeper
from .server import AgentServer
from .systemd import notify_systemd
from .thread_pool import ThreadPool
from .turn import Turn
from .unchanged_runs import UnchangedRuns
from .view import View

LIST_SECONDS = 10
"""How often the containers of all pods are compared with what they were."""
_LOOKS_INSIDE = 3
"""At every how many of these looks a pod's limits and files are compared as well, which take longer."""
TERMINATED_PODS = 12500
"""How many pods that have ended are kept, unless told otherwise. The controller manager's default."""
PROBING_THREADS = 16
_SILENCE_SECONDS = 600
_HANGING_SECONDS = 20
# How many looks in a row a service may fail to answer that answers otherwise.
_BUSY_LOOKS = 6
_HEARING_SECONDS = 1
"""How long Podman may take from being asked for its events to telling of each."""
_STOPPING_WORKERS = 8
_LASTING_SECONDS = 600
"""A thread that has lasted for so long before it failed has not failed several times in a row."""
# Exec probes alone make several of these each time.
_EXEC_EVENTS = frozenset({"exec", "exec_died", "exec_create", "exec_start", "health_status"})
# What says nothing of how a container stands.
_IDLE_EVENTS = frozenset({"create", "init", "attach"})


@dataclass(frozen=True)
class _Inside:
    """A pod's limits by process and its files by volume, as they were when they were compared last."""

    limits: Mapping[int, LiveLimits | None]
    files: Mapping[str, str]


class Agent:
    """What the keepers of all pods share, and the threads that wake them. ``run`` returns when it is told to end."""

    def __init__(self, store: Store | None = None, terminated_pods: int = TERMINATED_PODS) -> None:
        """``terminated_pods`` that have ended are kept, and of more the oldest go; 0 for as many as there are."""
        self.store = store or Store()
        self.terminated_pods = terminated_pods
        self.started_at = time.time()
        self.events: EventLog
        self.podman_error = ""
        self.probes = 0
        self.probe_latest_seconds = 0.0
        """How late the latest probe of all began."""
        self._keepers: dict[str, PodKeeper] = {}
        self._keepers_lock = threading.Lock()
        self._networks = threading.Lock()
        self._turns: dict[str, Turn] = {}
        self._ended = threading.Event()
        self.is_stopping_pods = False
        self._sessions = threading.local()
        self._lister: Podman | None = None
        self._prints: dict[str, Any] = {}
        self._prints_inside: dict[str, _Inside] = {}
        self._looks = 0
        self._pod_names: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._happened = 0
        """Another number after each thing that was done here or that Podman has told of."""
        self._changes: dict[str, int] = {}
        self._listening_since = float("inf")
        self._compared_at = 0.0
        self._snapshots = threading.Lock()
        self._snapshot: tuple[int, float, Snapshot] | None = None
        self._node: tuple[float, Node] | None = None
        self.unchanged_runs = UnchangedRuns(self)
        self._service: podman_module.PodmanService | None = None
        self._failed_looks = 0
        self._probers = ThreadPool(PROBING_THREADS, "probe")
        self._told: dict[tuple[str, str], str] = {}
        """What went wrong when a pod was looked at last, by pod and by what was done."""
        self.thread_errors: Mapping[str, Mapping[str, Any]] = {}
        """By thread of the agent's own that has failed: why last, how often in a row, and when."""

    # --- the life of the process -------------------------------------------------------------------------------------

    def run(self) -> None:
        """Keep the pods until `end`.

        Raises HostError where another agent does so already, where Podman is missing, or where a newer release has
        been at work.
        """
        self.store.ensure()
        self._refuse_newer_state()
        with self._alone(), self._podman_service():
            self.events = EventLog(self.store.directory / "events.jsonl", on_new=_say_event)
            with self._telling("", "what killed processes left behind cannot be removed"):
                self.store.sweep_all()
            server = AgentServer(agent_client.socket_path(self.store.directory), self)
            try:
                for name, work in (
                    ("api", server.serve),
                    ("events", self._follow_events),
                    ("garbage", self._keep_garbage_low),
                ):
                    threading.Thread(target=self._go_on, args=(name, work), name=name, daemon=True).start()
                for name in self.store.recorded_pods():
                    self.keeper_of(name)
                notify_systemd("READY=1")
                version, number = Release().version, len(self.store.recorded_pods())
                say(f"{version} keeps the pods of {self.store.directory}: {number} are there")
                while not self._ended.wait(LIST_SECONDS):
                    with self._telling("", "the pods cannot be compared with what they were"):
                        self._compare()
                    self.events.save()
                    if self._service:
                        self._service.trim_log()
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
        """Have `run` return. Containers go on running unless they are to stop, as before the host goes down."""
        self.is_stopping_pods = self.is_stopping_pods or is_to_stop_pods
        self._ended.set()

    def _go_on(self, name: str, work: Callable[[], None]) -> None:
        """Do work that is to last until the agent ends. What ends it sooner is told, and it is begun anew.

        The process goes on: what the others do does not depend on it, and a new process would meet with the same error.
        """
        attempts = Attempts()
        while not self._ended.is_set():
            begun_at = time.monotonic()
            try:
                work()
                error = "it came to an end"
            except Exception as problem:
                error = f"{type(problem).__name__}: {problem}"
            if self._ended.is_set():
                return
            now = time.monotonic()
            attempts = (attempts if now - begun_at < _LASTING_SECONDS else Attempts()).failed(now)
            told = {"error": error, "failures": attempts.failures, "failed_at": time.time()}
            self.thread_errors = {**self.thread_errors, name: told}
            message = f"the agent's thread {name} failed and is begun anew: {error}"
            self.events.add("AgentThreadFailed", "", message, is_warning=True)
            self._ended.wait(attempts.held_until_seconds - now)

    @contextlib.contextmanager
    def _telling(self, pod: str, what: str) -> Iterator[None]:
        """Whatever goes wrong with a pod, or with all of them, is an event, once for as long as it is the same."""
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
    def _alone(self) -> Iterator[None]:
        path = self.store.directory / "agent.lock"
        with contextlib.ExitStack() as held:
            try:
                before = held.enter_context(state_files.lock_if_free(path))
            except OSError as error:
                raise HostError(f"the agent's lock {path} cannot be taken: {error}") from error
            if before is None:
                raise HostError(f"another agent keeps the pods of {self.store.directory} already")
            yield

    def _refuse_newer_state(self) -> None:
        """An agent that was put in the place of a newer one must not go by half of what that one has written down."""
        for name in self.store.recorded_pods():
            _refuse_if_newer(functools.partial(self.store.read_record, name))
        for name in stack_names(self.store):
            _refuse_if_newer(StackStore(self.store, name).read)

    @contextlib.contextmanager
    def _podman_service(self) -> Iterator[None]:
        """A Podman service of the agent's own, unless its environment names one."""
        if podman_module.named_socket():
            yield
            return
        with podman_module.PodmanService() as service:
            self._service = service
            os.environ["CONTAINER_HOST"] = f"unix://{service.socket_path}"
            yield

    def _end_keepers(self) -> None:
        self._probers.close()
        with self._keepers_lock:
            keepers = list(self._keepers.values())
        for keeper in keepers:
            keeper.end()
        for keeper in keepers:
            keeper.join(10)

    # --- for the keepers ---------------------------------------------------------------------------------------------

    @property
    def node(self) -> Node:
        now = time.monotonic()
        if self._node is None or now - self._node[0] > _SILENCE_SECONDS:
            with self.connect() as podman:
                self._node = now, replace(read_node(podman.api_version), has_keeper=True)
        return self._node[1]

    def connect(self) -> Podman:
        path = podman_module.named_socket()
        if path is None:
            raise HostError("the agent has no Podman service")
        return Podman(path, self._node[1].podman_version if self._node else ())

    def probe(self, work: Callable[[Podman], None]) -> None:
        self._probers.submit(functools.partial(self._probe, work))

    def _probe(self, work: Callable[[Podman], None]) -> None:
        """What cannot be begun now is begun later: a probe that was left out here would never be made again."""
        session = None
        with self._telling("", "probes have to wait"):
            session = self._session_of_thread()
        if session is not None:
            work(session)
        elif not self._ended.wait(SECOND_ATTEMPT_SECONDS):
            self.probe(work)

    def _session_of_thread(self) -> Podman:
        session: Podman | None = getattr(self._sessions, "podman", None)
        if session is None:
            netns.travel_by_this_thread()
            session = self._sessions.podman = self.connect()
        return session

    def probed(self, late_seconds: float) -> None:
        self.probes += 1
        self.probe_latest_seconds = max(self.probe_latest_seconds, late_seconds)

    def waits_for(self, pod: str) -> str:
        """The pod of its stack that has to come first, as the stack's present revision has it."""
        record = self.store.read_record(pod)
        if record is None or not record.settings.stack:
            return ""
        for dependency in self._dependencies(record.settings.stack).get(pod, ()):
            if not self._is_met(dependency):
                return dependency.pod
        return ""

    def restore_networks(self, podman: Podman, record: Record) -> None:
        pod, stack = record.applied.pod, record.settings.stack
        if not (pod.networks and stack):
            return
        with self._networks:
            found = {network["name"] for network in podman.get("/networks/json") or []}
            for network in self._declared(stack).networks:
                if network.name in pod.networks and network.name not in found:
                    create_network(podman, stack, network)
                    self.done(op.CreateNetwork(pod.name, op.MISSING, network))

    def _dependencies(self, stack: str) -> Mapping[str, tuple[Dependency, ...]]:
        return self._declared(stack).depends_on

    def _declared(self, stack: str) -> StackSpec:
        """The stack's present revision, an empty one where there is none that can be read.

        A pod is kept all the same: what is damaged of its stack is no more than the order to start in.
        """
        files = StackStore(self.store, stack)
        try:
            record = files.read()
            return files.revision(record.current).stack if record.current else StackSpec(stack)
        except DamagedState as error:
            self.events.add(error.reason, "", str(error), is_warning=True)
            return StackSpec(stack)

    def _is_met(self, dependency: Dependency) -> bool:
        if not self.store.knows(dependency.pod):
            return True
        keeper = self._keepers.get(dependency.pod)
        status = keeper.view.status if keeper else {}
        if dependency.condition == "completed":
            return status.get("phase") == "Succeeded"
        if dependency.condition == "started":
            return status.get("phase") in ("Running", "Succeeded")
        return is_well(status)

    # --- for runs (engine.Keeper) ------------------------------------------------------------------------------------

    def reserved(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]
    ) -> contextlib.AbstractContextManager[None]:
        return self._turn_of(pod).reserved(timeout_seconds, while_waiting)

    @contextlib.contextmanager
    def acting(self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]) -> Iterator[None]:
        try:
            with self._turn_of(pod).claimed(timeout_seconds, while_waiting) as was_elsewhere:
                if was_elsewhere:
                    self._note_change(pod)
                yield
        finally:
            self.acted(pod)
            if self.store.knows(pod):
                self.keeper_of(pod).changed()
            else:
                self._let_go(pod)
                self.events.forget(pod)

    def done(self, operation: op.Operation) -> None:
        self._note_change(operation.pod)
        tell_of(operation, self.events)
        if isinstance(operation, op.Record):
            # From now on there is a pod to be seen. Its keeper only watches until it is its turn to act.
            self.keeper_of(operation.pod).kick()
        elif isinstance(operation, op.Forget):
            self._let_go(operation.pod)

    def acted(self, pod: str) -> None:
        self._note_change(pod)

    def _note_change(self, pod: str) -> None:
        # Podman tells of it a moment later.
        self._happened = next(self._numbers)
        self._changes[pod] = self._changes.get(pod, 0) + 1

    def backing_off(self, pod: str, container: str) -> None:
        self.events.add("BackOff", pod, f"Back-off restarting failed container {container}", container, is_warning=True)

    def failed(self, pod: str, error: RunFailed) -> None:
        tell_of_failure(pod, error, self.events)

    def changes(self) -> Mapping[str, int]:
        return dict(self._changes)

    def snapshot(self, podman: Podman) -> Snapshot:
        with self._snapshots:
            happened, now = self._happened, time.monotonic()
            kept = self._snapshot
            if self.moment() is None or kept is None or kept[0] != happened or now - kept[1] > LIST_SECONDS:
                self._snapshot = kept = (happened, now, Snapshot(podman))
            return kept[2]

    def moment(self) -> int | None:
        """Another number after each thing that has happened to a container; None while that cannot be known.

        Podman tells of everything since a list that was taken while it was listened to, and that is not old.
        """
        is_sure = self._listening_since + _HEARING_SECONDS < self._compared_at > time.monotonic() - 2 * LIST_SECONDS
        return self._happened if is_sure else None

    def _turn_of(self, pod: str) -> Turn:
        return self._turns.setdefault(pod, Turn(self.store, pod))

    def watch(self, podman: Podman, pod: s.PodSpec, deadline: float) -> Watch:
        return KeptWatch(podman, pod, self.keeper_of(pod.name), deadline)

    def keeper_of(self, name: str) -> PodKeeper:
        """The pod's keeper, begun where there is none."""
        with self._keepers_lock:
            keeper = self._keepers.get(name)
            if keeper is None or not keeper.is_alive:
                keeper = self._keepers[name] = PodKeeper(name, self, self._turn_of(name))
                # Where there is no thread to be had, it is begun anew at the next look at all pods.
                with self._telling(name, "its keeper cannot be begun"):
                    keeper.start()
            return keeper

    def _let_go(self, name: str) -> None:
        """There is no such pod any more: what is known of it must not be taken for another's of that name."""
        with self._keepers_lock:
            keeper = self._keepers.pop(name, None)
        if keeper:
            keeper.end()

    def noticed(self) -> None:
        """Go by no earlier snapshot: something was seen to have changed."""
        self._happened = next(self._numbers)

    def view_of(self, pod: str) -> View | None:
        """The pod as its keeper saw it last, None where nobody keeps it."""
        keeper = self._keepers.get(pod)
        return keeper.view if keeper and keeper.is_alive else None

    def keepers(self) -> list[PodKeeper]:
        """Those of all pods that there are."""
        with self._keepers_lock:
            keepers = list(self._keepers.values())
        return [keeper for keeper in keepers if keeper.is_alive and self.store.knows(keeper.name)]

    # --- what wakes the keepers --------------------------------------------------------------------------------------

    def _follow_events(self) -> None:
        while not self._ended.is_set():
            # What goes wrong the list tells a little later, and says what is wrong with Podman.
            with contextlib.suppress(PodwrightError), self.connect() as podman:
                # Podman does not answer before there is an event to tell of.
                self._listening_since = time.monotonic()
                for event in podman.stream("/events", {"stream": True}, None, None, "GET", _SILENCE_SECONDS):
                    self._wake(event)
            self._listening_since = float("inf")
            self._ended.wait(1)

    def _wake(self, event: Mapping[str, Any]) -> None:
        action = str(event.get("Action", "")).partition(":")[0]
        if action in _EXEC_EVENTS:
            return
        self._happened = next(self._numbers)
        if action in _IDLE_EVENTS:
            return
        attributes = (event.get("Actor") or {}).get("Attributes") or {}
        # An infra container has no label of ours.
        name = attributes.get(LABEL_POD) or self._pod_names.get(attributes.get("podId", ""), "")
        keeper = self._keepers.get(name)
        if keeper:
            keeper.kick()

    def _compare(self) -> None:
        """Wake the keepers of pods whose containers or files are not what they were; begin those that are missing."""
        begun_at = time.monotonic()
        try:
            listed = self._list()
        except (PodwrightError, OSError) as error:
            self._tell_of_podman(str(error))
            return
        self._tell_of_podman("")
        for name in [*self._keepers]:
            if not self.store.knows(name):
                self._let_go(name)
        containers: dict[str, list[Mapping[str, Any]]] = {}
        for item in listed:
            containers.setdefault(item.get("PodName") or "", []).append(item)
        self._pod_names = {item["Pod"]: item["PodName"] for item in listed if item.get("Pod")}
        before, self._prints = self._prints, {}
        inside_before, self._prints_inside = self._prints_inside, {}
        self._looks += 1
        for number, name in enumerate(self.store.recorded_pods()):
            # One pod's fault is no other pod's.
            with self._telling(name, "it cannot be compared with what it was"):
                keeper, found = self.keeper_of(name), containers.get(name, [])
                now = self._prints[name] = sorted(map(_print_of, found))
                if before.get(name) != now:
                    self.noticed()
                    keeper.kick()
                known = inside_before.get(name)
                if known and (number + self._looks) % _LOOKS_INSIDE:
                    self._prints_inside[name] = known
                else:
                    self._prints_inside[name] = self._compare_inside(keeper, found, known)
        self._compared_at = begun_at
        self._verify_revisions()

    def _verify_revisions(self) -> None:
        """A revision that no run has waited for is good once its pods were seen ready."""
        for stack in stack_names(self.store):
            # A run on it sees to that itself, and says what cannot be read.
            with contextlib.suppress(PodwrightError, OSError):
                verify_revision(self.store, stack)

    def _compare_inside(self, keeper: PodKeeper, found: Sequence[Mapping[str, Any]], known: _Inside | None) -> _Inside:
        """Compare what Podman tells nothing of and what takes longest: limits, and files of volumes."""
        pids = [int(item.get("Pid") or 0) for item in found]
        limits = {pid: cgroup.read_limits(pid) for pid in pids if pid}
        files = self.store.files_digests(keeper.name)
        if known and any(known.limits.get(pid, limits[pid]) != limits[pid] for pid in limits):
            self.noticed()
            keeper.kick()
        if "" in files.values() and not (known and known.files == files):
            keeper.changed()
        return _Inside(limits, files)

    def _list(self) -> list[Any]:
        """By one session for good, since one costs more to make than the list."""
        if self._lister is None:
            self._lister = self.connect()
        return self._lister.get("/containers/json", {"all": True}, _HANGING_SECONDS) or []

    def _tell_of_podman(self, error: str) -> None:
        had_error, self.podman_error = self.podman_error, error
        if error and not had_error:
            self.events.add("PodmanUnresponsive", "", error, is_warning=True)
        self._failed_looks = self._failed_looks + 1 if error else 0
        # A restart cuts off all that the service does: one that is merely busy is left alone for a while.
        if self._service and (self._failed_looks >= _BUSY_LOOKS or (error and not self._service_answers())):
            # The look and the restart may take longer together than systemd waits for a word.
            notify_systemd("WATCHDOG=1")
            # Where that fails it is tried again after the next look.
            with contextlib.suppress(HostError, OSError):
                self._service.restart()
            self._failed_looks = 0
        if had_error and not error:
            self.events.add("PodmanRecovered", "", "Podman answers again")
            for keeper in self.keepers():
                keeper.changed()

    def _service_answers(self) -> bool:
        """Whether the service says of what version it is, for which it waits for no container."""
        try:
            with Podman(podman_module.named_socket() or ""):
                return True
        except (PodwrightError, OSError):
            return False

    # --- garbage -----------------------------------------------------------------------------------------------------

    def _keep_garbage_low(self) -> None:
        """In a thread of its own, for a removal takes as long as whoever has the pod's turn."""
        while not self._ended.wait(LIST_SECONDS):
            for keeper in self._garbage():
                self._collect(keeper)

    def _collect(self, keeper: PodKeeper) -> None:
        try:
            # Others that were collected before it may have taken their time.
            if keeper.has_ended:
                run_pod({"name": keeper.name, "state": "absent"}, False, keeper=self)
        except Exception as error:
            # A mistake of ours in one pod must not leave the others; it is tried again after the next look.
            self.events.add("FailedGarbageCollection", keeper.name, str(error), is_warning=True)

    def _garbage(self) -> list[PodKeeper]:
        """Pods that have ended by themselves, where there are too many of them: the oldest ones."""
        ended = [keeper for keeper in self.keepers() if keeper.has_ended]
        surplus = len(ended) - self.terminated_pods if self.terminated_pods > 0 else 0
        ended.sort(key=lambda keeper: str(keeper.view.status.get("startTime") or ""))
        return ended[: max(surplus, 0)]

    # --- before the host goes down -----------------------------------------------------------------------------------

    def _stop_pods(self) -> None:
        """Pods that others depend on last; those that do not depend on one another side by side."""
        waits: dict[str, list[str]] = {keeper.name: [] for keeper in self.keepers()}
        for stack in stack_names(self.store):
            with self._telling("", f"the order of stack {stack} is not known"):
                for pod, dependencies in self._dependencies(stack).items():
                    if pod in waits:
                        waits[pod] += [d.pod for d in dependencies if d.pod in waits]
        for wave in _waves(waits):
            with ThreadPoolExecutor(_STOPPING_WORKERS) as workers:
                for name in wave:
                    workers.submit(self._stop_pod, name)

    def _stop_pod(self, name: str) -> None:
        with self._telling(name, "it cannot be ended before the host"), self.connect() as podman:
            self._keepers[name].stop_pod(podman)


def _refuse_if_newer(read: Callable[[], Any]) -> None:
    """What cannot be read for another reason is passed over: its keeper says so, and the others are kept."""
    try:
        read()
    except NewerState:
        raise
    except Exception:
        return


def _waves(waits: Mapping[str, list[str]]) -> list[list[str]]:
    """The pods in the order in which they stop: each wave depends on no later one."""
    depth: dict[str, int] = {}
    for name in ordered(list(waits), waits):
        depth[name] = 1 + max((depth[other] for other in waits[name]), default=0)
    return [[name for name in depth if depth[name] == level] for level in sorted({*depth.values()}, reverse=True)]


def _print_of(listed: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells whether a container is what it was."""
    names, state, pid = str(listed.get("Names")), str(listed.get("State")), int(listed.get("Pid") or 0)
    started_at, exit_code = listed.get("StartedAt"), listed.get("ExitCode")
    return (listed["Id"], names, state, pid, started_at, exit_code, has_process_as_told(listed))


def say(text: str) -> None:
    """A word of the agent itself, for the journal (``journalctl -t podwrightd``), or its log where there is none."""
    # Where nobody takes it, nothing is lost but the word.
    with contextlib.suppress(OSError):
        sys.stderr.write(f"podwrightd: {one_line(text)}\n")
        sys.stderr.flush()


def _say_event(event: Event) -> None:
    """What goes wrong with the agent or with Podman, and mistakes of ours; what pods do is for ``podwright events``."""
    if not event.pod or event.reason == "InternalError":
        say(": ".join(filter(None, (event.reason, event.pod, event.message))))


# --- the program podwrightd ------------------------------------------------------------------------------------------
