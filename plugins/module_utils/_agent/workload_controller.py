# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as the controller of workloads: it steps each workload of each stack when something has happened to it.

A run on a stack has the stack's lock and steps its workloads itself; until it is done, they are left to it.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._declaration.stack.spec import StackSpec
from .._declaration.workloads import spec as w
from .._host.podman.client import Podman
from .._host.stack_store import StackStore, stack_names
from .._host.workload_store import KeptWorkload, Members, WorkloadStore, members_of
from .._reconcile.operations import owner_of_secrets
from .._reconcile.stack.secrets import with_values
from .._runs.workloads.driver import WorkloadDriver
from .._runs.workloads.host import WorkloadHost

if TYPE_CHECKING:
    from .agent import Agent

_WORKERS = 4
_LOOK_SECONDS = 0.5
_AT_LEAST_EVERY_SECONDS = 30
_TIMEOUT_SECONDS = 300
"""For how long a pod that somebody else changes is waited for."""


@dataclass
class _Stack:
    """A stack with workloads, as of its present revision, and what it looked like at the last step."""

    number: int
    spec: StackSpec
    drivers: dict[tuple[str, str], WorkloadDriver] = field(default_factory=dict)
    pods: tuple[str, ...] = ()
    sights: Hashable = None
    look_at: float = 0
    is_busy: bool = False
    written_at: int = 0
    """When what is kept of its workloads was written last, by the clock of files."""


class WorkloadController:
    """Steps the workloads of all stacks; those of one stack wait for each other, those of another for none."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._stacks: dict[str, _Stack] = {}
        self._steps: dict[str, Future[None]] = {}
        """The steps that are being carried out, by stack."""

    def control(self) -> None:
        """Until the agent ends."""
        with ThreadPoolExecutor(_WORKERS, "workloads") as workers:
            while not self._agent.has_ended.wait(_LOOK_SECONDS):
                names = () if self._agent.is_stopping_pods else stack_names(self._agent.store)
                for name in names:
                    with self._agent.telling(f"stack {name}", "its workloads cannot be stepped"):
                        if self._is_idle(name) and self._is_due(name):
                            self._steps[name] = workers.submit(self._look_after, name)

    def _is_idle(self, name: str) -> bool:
        """Whether no step of the stack is being carried out. Raises what the last one has raised."""
        step = self._steps.get(name)
        if step is None or not step.done():
            return step is None
        del self._steps[name]
        step.result()
        return True

    def _is_due(self, name: str) -> bool:
        """Whether anything has happened to the stack's pods, or something is to be done by now."""
        written_at = self._written_at(name)
        if not written_at:
            self._stacks.pop(name, None)
            return False
        stack = self._present(name)
        if stack is None:
            return False
        is_told = written_at == stack.written_at and self._sights(stack) == stack.sights
        return stack.is_busy or time.time() >= stack.look_at or not is_told

    def _written_at(self, name: str) -> int:
        """When a Job was added or removed by hand, or a step was taken; 0 for a stack that never had workloads."""
        try:
            return WorkloadStore(self._agent.store, name).directory.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _look_after(self, name: str) -> None:
        """Take a step, unless a run has the stack."""
        with self._agent.store.lock_if_free(owner_of_secrets(name)) as was_elsewhere:
            stack = self._present(name) if was_elsewhere is not None else None
            if stack:
                with self._agent.connect() as podman:
                    self._step(podman, stack)

    def _present(self, name: str) -> _Stack | None:
        files = StackStore(self._agent.store, name)
        number = files.read().current
        known = self._stacks.get(name)
        if not number:
            return None
        if known is None or known.number != number:
            known = self._stacks[name] = _Stack(number, files.revision(number).stack)
        return known

    def _sights(self, stack: _Stack) -> Hashable:
        """What changes as soon as one of its pods does."""
        changes = self._agent.changes()
        return tuple((name, changes.get(name), _Same(self._status(name))) for name in stack.pods)

    def _status(self, pod: str) -> Any:
        view = self._agent.view_of(pod)
        return view.status if view else None

    def _step(self, podman: Podman, stack: _Stack) -> None:
        members = members_of(self._agent.store, stack.spec.name)
        stack.pods = tuple(sorted(pod for group in members.values() for pod in group))
        stack.sights, stack.written_at = self._sights(stack), self._written_at(stack.spec.name)
        stack.is_busy, stack.look_at = False, time.time() + _AT_LEAST_EVERY_SECONDS
        keys = set()
        for workload, kept in self._workloads(stack.spec):
            key = workload.kind, workload.name
            keys.add(key)
            # One that cannot be stepped is in the way of no other.
            with self._agent.telling("/".join(key), "it cannot be stepped"):
                self._advance(stack, self._driver(podman, stack, workload, kept), members.get(key, {}), kept)
        for driver in stack.drivers.values():
            # Nobody else may have the stack before its pods are what the records of its workloads say.
            driver.pods.finish()
        stack.written_at = self._written_at(stack.spec.name)
        # Jobs of CronJobs come and go.
        stack.drivers = {key: driver for key, driver in stack.drivers.items() if key in keys}

    def _advance(self, stack: _Stack, driver: WorkloadDriver, members: Members, kept: KeptWorkload) -> None:
        was_taken = driver.advance(members, kept)
        is_moving = bool(driver.step and driver.step.operations)
        stack.is_busy = stack.is_busy or driver.is_busy or is_moving or not was_taken
        if driver.step and driver.step.look_at is not None:
            stack.look_at = min(stack.look_at, driver.step.look_at)

    def _workloads(self, spec: StackSpec) -> Iterator[tuple[w.AnyWorkload, KeptWorkload]]:
        """The declared workloads that a run has begun, then the Jobs that their CronJobs have made; no stopped ones.

        Those that are made meanwhile are among them: each record is read when it is the turn of its workload.
        """
        files = WorkloadStore(self._agent.store, spec.name)
        declared = {(workload.kind, workload.name): workload for workload in spec.workloads}
        cron_jobs = set()
        for key, workload in declared.items():
            kept = self._kept(files, key)
            if kept:
                cron_jobs |= {workload.name} if workload.kind == "CronJob" else set()
                yield workload, kept
        for key in [*files.names()] if cron_jobs else ():
            kept = self._kept(files, key) if key[0] == "Job" and key not in declared else None
            if kept and kept.made and kept.made_by in cron_jobs:
                yield kept.made, kept

    def _kept(self, files: WorkloadStore, key: tuple[str, str]) -> KeptWorkload | None:
        """What is kept of a workload that is not stopped; one whose file is damaged is told of and left alone."""
        with self._agent.telling("/".join(key), "its record cannot be read"):
            kept = files.read(*key)
            return None if kept and kept.is_stopped else kept
        return None

    def _driver(self, podman: Podman, stack: _Stack, workload: w.AnyWorkload, kept: KeptWorkload) -> WorkloadDriver:
        key = workload.kind, workload.name
        known = stack.drivers.get(key)
        store, spec = self._agent.store, stack.spec
        values: Mapping[str, Mapping[str, str]] = store.generated(owner_of_secrets(spec.name), spec.secrets)
        secrets = with_values(spec.secrets, values)
        if known is None or known.host.secrets != secrets or known.host.settings != kept.settings:
            agent = self._agent
            host = WorkloadHost(podman, store, spec, secrets, kept.settings, _TIMEOUT_SECONDS, agent, node=agent.node)
            known = stack.drivers[key] = WorkloadDriver(host, workload)
        known.use(podman)
        return known


@dataclass(frozen=True, eq=False)
class _Same:
    """Equal to another one of the very same object."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)
