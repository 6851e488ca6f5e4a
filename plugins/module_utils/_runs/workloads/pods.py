# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of one workload: how they are seen, and how they are made and ended, each in a thread of its own.

A step of the workload asks for pods by their names. What is being done to a pod is not begun a second time, and what
has failed waits for its next attempt.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from ..._declaration import spec as s
from ..._declaration.workloads import spec as w
from ..._errors import NotFound, PodwrightError
from ..._host.podman import named_volumes
from ..._host.podman.client import Podman
from ..._host.state.records import Record
from ..._host.workload_store import Members
from ..._reconcile import operations as op
from ..._reconcile.backoff import Attempts
from ..._reconcile.context import Owner, Settings
from ..._reconcile.workloads.facts import WorkloadPod
from ..._reconcile.workloads.sightings import sighted
from ..._reconcile.workloads.steps import AddPod, EndPod, Event, RemoveClaim, event_of
from ..agent import Sight
from ..pod_run import Run, only_run
from ..request import Request
from ..wait import Watch
from .host import WorkloadHost


@dataclass
class _Job:
    """What is being done to a pod right now."""

    operation: op.Operation
    future: Future[None]


@dataclass
class WorkloadPods:
    """The pods of a workload. Only one thread may call it."""

    host: WorkloadHost
    workload: w.AnyWorkload
    on_done: Callable[[op.Operation], None] = lambda operation: None
    """Told of each operation that was carried out."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why pods could not be made or ended so far, by their names."""
    statuses: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The statuses that they were seen with last."""
    number_done: int = 0
    _busy: dict[str, _Job] = field(default_factory=dict)
    _attempts: dict[str, Attempts] = field(default_factory=dict)
    _watches: dict[str, tuple[Run, Watch]] = field(default_factory=dict)
    _sights: dict[str, Sight] = field(default_factory=dict)
    """What a run has just seen of pods that it handed over; each serves one step."""

    # --- looking -----------------------------------------------------------------------------------------------------

    def seen(self, members: Members) -> list[WorkloadPod] | None:
        """They as they stand; None while the keeper of one has not looked at it yet."""
        found = []
        for name, record in members.items():
            pod = self._pod(name, record)
            if pod is None:
                return None
            found.append(pod)
        coming = (item.operation for item in self._busy.values())
        for operation in coming:
            if isinstance(operation, AddPod) and operation.pod not in members:
                owner = self._owner(operation)
                found.append(sighted(operation.pod, owner, time.time(), {}, is_available=False))
        return found

    def _pod(self, name: str, record: Record) -> WorkloadPod | None:
        owner = record.settings.owner
        if owner is None:
            return None
        if record.is_stopped:
            # It was being ended, and that was cut off; a pod of a workload is not stopped otherwise.
            self.end(EndPod(name, "its end was cut off"))
        busy = self._busy.get(name)
        if record.is_stopped or (busy and isinstance(busy.operation, EndPod)):
            return sighted(name, owner, record.begun_at, {}, is_available=False, is_ending=True)
        if self.host.agent:
            sight = self.host.agent.sight(name)
            if sight is None:
                return None
            self.statuses[name] = sight.status
            return sighted(name, owner, record.begun_at, sight.status, is_available=sight.is_available)
        return self._own_sight(name, record, owner)

    def _own_sight(self, name: str, record: Record, owner: Owner) -> WorkloadPod:
        """A pod that no keeper looks at. What is not as it was made is mended first, in a thread."""
        watched = self._watches.get(name)
        if watched is None:
            self._begin(_Mend(name, "to look at it"), self._mend_named(name))
            return sighted(name, owner, record.begun_at, {}, is_available=False)
        run, watch = watched
        sight = self._sights.pop(name, None) or run.sight(watch)
        self.statuses[name] = sight.status
        return sighted(name, owner, record.begun_at, sight.status, is_available=sight.is_available)

    def told(self, name: str, record: Record) -> WorkloadPod | None:
        """One as its status was told last, for a prediction."""
        owner, status = record.settings.owner, self.host.store.read_status(name) or {}
        return sighted(name, owner, record.begun_at, status, is_available=True) if owner else None

    def take_over(self, run: Run, sight: Sight) -> None:
        """Go on looking at a pod that a run was just carried out on; ``sight`` is what it saw afterwards."""
        run.podman = self.host.podman
        self._watches[run.request.name] = run, run.watch()
        self._sights[run.request.name] = sight

    # --- what is being done ------------------------------------------------------------------------------------------

    @property
    def are_busy(self) -> bool:
        """Whether something is being done to one."""
        return bool(self._busy)

    def _begin(self, operation: op.Operation, work: Callable[[Podman], None]) -> None:
        """Do it in a thread, unless something is being done to the pod already, or its next attempt has to wait."""
        name, attempts = operation.pod, self._attempts.get(operation.pod)
        if name in self._busy or (attempts and attempts.is_held(time.monotonic())):
            return
        self._busy[name] = _Job(operation, _submit(functools.partial(self._work, work)))

    def _work(self, work: Callable[[Podman], None]) -> None:
        with self.host.podman.clone() as podman:
            work(podman)

    def note_ends(self) -> None:
        """Take note of what was begun and has ended."""
        for name, item in [(name, item) for name, item in self._busy.items() if item.future.done()]:
            del self._busy[name]
            error = item.future.exception()
            if error is None:
                self._attempts.pop(name, None)
                self.failures.pop(name, None)
                if not isinstance(item.operation, _Mend):
                    self.number_done += 1
                    self.tell_done(item.operation)
                continue
            self._attempts[name] = self._attempts.get(name, Attempts()).failed(time.monotonic())
            message = str(error) if isinstance(error, PodwrightError) else f"{type(error).__name__}: {error}"
            if self.failures.get(name) != message:
                self.failures[name] = message
                verb = item.operation.verb or "see"
                event = Event("FailedSync", f"cannot {verb} pod {name}: {message}", is_warning=True)
                self.host.tell(self.workload, event)

    def tell_done(self, operation: op.Operation) -> None:
        """Tell of an operation that was carried out."""
        self.on_done(operation)
        event = event_of(operation)
        if event:
            self.host.tell(self.workload, event)

    def finish(self) -> None:
        """Wait for what was begun."""
        for item in list(self._busy.values()):
            with contextlib.suppress(Exception):
                item.future.result()
        self.note_ends()

    def pause(self, seconds: float) -> None:
        """Until something that was begun has ended, or for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(item.future.done() for item in self._busy.values()):
                return
            time.sleep(0.05)

    def forget_others(self, present: set[str]) -> None:
        """Drop what is known of pods that nobody wants any more, failures among it; ``present`` are the others."""
        present = {*present, *self._busy}
        for known in (self.failures, self._attempts, self.statuses, self._watches, self._sights):
            for name in {*known} - present:
                known.pop(name, None)

    # --- making and ending -------------------------------------------------------------------------------------------

    def add(self, operation: AddPod, pod: s.PodSpec) -> None:
        """Begin to make a pod."""
        self._begin(operation, lambda podman: self._add(podman, pod, operation))

    def end(self, operation: EndPod) -> None:
        """Begin to end a pod."""
        self._begin(operation, functools.partial(self._end, name=operation.pod, cause=operation.cause))

    def remove_claim(self, operation: RemoveClaim) -> None:
        """Begin to remove the named volume of a pod that is not wanted any more."""
        self._begin(operation, lambda podman: _remove_claim(podman, operation.pod))

    def retry(self, members: Members) -> None:
        """Try again what has failed halfway: the pod is on record, and so no step asks for it any more."""
        for name in [name for name in self.failures if name in members and name not in self._busy]:
            self._begin(_Mend(name, "its last attempt failed"), self._mend_named(name))

    def _mend_named(self, name: str) -> Callable[[Podman], None]:
        return lambda podman: self._mend_one(podman, name)

    def _mend_one(self, podman: Podman, name: str) -> None:
        """Bring a pod to what its record says."""
        record = self.host.store.read_record(name)
        if record:
            self._apply(podman, record.applied.pod, record.settings)

    def _add(self, podman: Podman, pod: s.PodSpec, operation: AddPod) -> None:
        """A keeper makes the pod from its record, and tries again by itself; without one it is made here."""
        settings = replace(self.host.settings, owner=self._owner(operation))
        if self.host.agent:
            with self._alone(pod.name):
                self.host.agent.keep(pod, settings)
        else:
            self._apply(podman, pod, settings)

    def _apply(self, podman: Podman, pod: s.PodSpec, settings: Settings) -> None:
        request = self._request(pod.name, "started", pod, settings)
        with self._alone(pod.name):
            run = Run(podman, self.host.store, request, agent=self.host.agent)
            run.execute()
        # From here on the driver's own thread looks at it.
        run.podman = self.host.podman
        self._watches[pod.name] = run, run.watch()

    def _end(self, podman: Podman, name: str, cause: str) -> None:
        self._watches.pop(name, None)
        with self._alone(name):
            self._note_end(name)
            request = replace(self._request(name, "absent", None, self.host.settings), absent_cause=cause)
            Run(podman, self.host.store, request, agent=self.host.agent).carry_out()

    def _note_end(self, name: str) -> None:
        """From here on it is not to run: where its end is cut off halfway, nobody makes what is gone of it again."""
        record = self.host.store.read_record(name)
        if record and not record.is_stopped:
            self.host.store.write_record(name, replace(record, is_stopped=True))

    @contextlib.contextmanager
    def _alone(self, pod: str) -> Iterator[None]:
        host = self.host
        if pod in host.reserved:
            yield
            return
        with only_run(host.store, host.agent, pod, host.wait_timeout_seconds, lambda: None):
            yield

    def _request(self, name: str, state: str, pod: s.PodSpec | None, settings: Settings) -> Request:
        return Request(
            name=name,
            state=state,
            pod=pod,
            wait=False,
            wait_timeout_seconds=self.host.wait_timeout_seconds,
            on_failure="",
            is_check=False,
            settings=settings,
        )

    def _owner(self, operation: AddPod) -> Owner:
        workload = self.workload
        return Owner(workload.kind, workload.name, operation.revision, operation.number, operation.index)


@dataclass(frozen=True)
class _Mend(op.Operation):
    """Bring a pod to what its record says; no operation that a user sees."""

    verb = "mend"


def _submit(work: Callable[[], None]) -> Future[None]:
    """Do it in a thread of its own: what it waits for may be another pod of the same workload."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, daemon=True).start()
    return future


def _remove_claim(podman: Podman, volume: str) -> None:
    with contextlib.suppress(NotFound):
        named_volumes.remove(podman, volume)
