# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole run on a Pod: what is predicted (`prediction`) is executed, waited for and told.

Modules hand their options to it. Check mode is one line of this module: the prediction is told.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from .._errors import ContainerFailed, PodwrightError
from .._host.observe import observe, observe_image
from .._host.podman import service as podman_service
from .._host.store import Store
from .._reconcile.observed import ObservedPod
from .._reconcile.operations import Operation, Plan, PullImage, RotateSecret
from .._reconcile.pod.plan import plan_started
from .._reconcile.pod.view import Desired
from . import report
from .agent import Agent, Sight
from .desired import desire
from .execute import Executor, OperationFailed
from .hurry import Hurry
from .prediction import Prediction
from .readiness import Readiness
from .request import ROLLBACK_SECONDS, Request, read_request
from .run_failure import RunFailed, explanation
from .wait import Watch


def run_pod(
    options: Mapping[str, Any], is_check: bool, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """Bring one pod to its declared state; the ``pod`` module's work."""
    return run_request(read_request(options, is_check), agent)


def run_request(request: Request, agent: Agent | None = None) -> dict[str, Any]:
    """Tell or carry out what is asked for."""
    store = Store()
    if request.is_check:
        with podman_service.connect_to_predict() as podman:
            return Prediction(podman, store, request, agent=agent).result()
    store.ensure()
    with podman_service.connect() as podman, contextlib.ExitStack() as locks:
        hurry = Hurry(podman, store, [request.name], request.grace_period_seconds)
        locks.enter_context(only_run(store, agent, request.name, request.wait_timeout_seconds, hurry))
        return Run(podman, store, request, agent=agent).carry_out()


def only_run(
    store: Store, agent: Agent | None, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]
) -> AbstractContextManager[object]:
    """Be the only run on a pod, from the first look to the last word; ``while_waiting`` is `Store.lock`'s. Raises Busy.

    Without the agent nobody else changes the pod meanwhile. A keeper of this very process does, between what the run
    does (see `Agent.acting`).
    """
    be_only = agent.reserved if agent else store.lock
    return be_only(pod, timeout_seconds, while_waiting)


@dataclass
class Run(Prediction):
    """One run on one pod: what it decided, and what it did."""

    pause: Callable[[float], None] = time.sleep
    done: list[Operation] = field(default_factory=list)
    executor: Executor = field(init=False)
    is_verified: bool = False
    """Whether the pod was seen ready after all was done."""

    def carry_out(self) -> dict[str, Any]:
        """Execute the plan and wait; on failure go back to what ran before, where that is asked for and known."""
        self.execute()
        return self.finish()

    def execute(self) -> None:
        """Carry out the plan. Raises RunFailed."""
        self.executor = self._executor(self.desired)
        if not self.plan and self.observed.pod:
            self.executor.infra_pid = self.observed.pod.infra_pid
        if self.agent and not self.plan:
            # Its keeper is not to be disturbed for nothing.
            return
        # Going back, which is part of telling, takes the pod's turn anew, and lets its keeper act while it waits.
        with self._telling_of_failures(), self._acting(self.request.wait_timeout_seconds):
            self._look_again_if_changed()
            self._sweep()
            self.executor.run(self.plan)
            self._follow_pulls(self.executor)
            self._keep_settings()

    def _look_again_if_changed(self) -> None:
        """Until it was this run's turn, the pod's keeper may have put right what the plan would."""
        name = self.request.name
        if self.agent and self.changes is not None and self.agent.changes().get(name) != self.changes.get(name):
            self.snapshot = None
            self._look()
            self._decide()
            self.executor = self._executor(self.desired)

    def finish(self, is_to_complete: bool = False) -> dict[str, Any]:
        """Wait for what was executed, and tell. Raises RunFailed.

        ``is_to_complete``: until every main container has ended well, and not only until the pod is ready.
        """
        with self._telling_of_failures():
            seen = None if self.plan else self.observed.pod
            waiter = self._settle(self.executor, self.desired, seen, is_to_complete)
        result = self.result()
        result["warnings"] = [*self.warnings, *self.executor.warnings]
        if waiter is not None:
            result["pod"]["status"] = self._status(self.executor, waiter)
        return result

    def look(self) -> Sight:
        """See how the pod is after `execute`, without waiting for anything."""
        watch = self.watch()
        seen = None if self.plan else self.observed.pod
        watch.is_proven = seen is not None and self._was_verified
        return self.sight(watch, seen)

    def watch(self) -> Watch:
        """What looks at the pod from now on, after `execute`."""
        return self._readiness(self.executor, self.desired).watch()

    def sight(self, watch: Watch, seen: ObservedPod | None = None) -> Sight:
        """The pod by one more look of the watch; ``seen``: as it was observed just now, where it was."""
        is_available = False
        with contextlib.suppress(ContainerFailed):
            watch.look(seen)
        with contextlib.suppress(ContainerFailed):
            is_available = watch.is_ready()
        return Sight(self._status(self.executor, watch), is_available)

    def _acting(self, timeout_seconds: float) -> AbstractContextManager[None]:
        if self.agent is None:
            return contextlib.nullcontext()
        name, request = self.request.name, self.request
        hurry = Hurry(self.podman, self.store, [name], request.grace_period_seconds)
        return self.agent.acting(name, timeout_seconds, hurry)

    def _keep_settings(self) -> None:
        """Whoever keeps the pod alive goes by them."""
        record = self.store.read_record(self.request.name)
        if record and self.request.state == "started" and record.settings != self.request.settings:
            self.store.write_record(self.request.name, replace(record, settings=self.request.settings))

    @contextlib.contextmanager
    def _telling_of_failures(self) -> Iterator[None]:
        try:
            yield
        except PodwrightError as error:
            raise self._give_up(error) from error

    def _follow_pulls(self, executor: Executor) -> None:
        """Replace the containers that were to stay as they are, but whose image a pull has changed."""
        before = self.observed.images
        pulled = {item.image for item in self.plan.operations if isinstance(item, PullImage) and before.get(item.image)}
        if all(observe_image(self.podman, name) == before[name] for name in pulled):
            return
        self.observed = observe(self.podman, self.store, self.request.name, self.desired.pod)
        self.desired = replace(self.desired, recorded=self.desired.pod, failure=None)
        more = self._plan()
        executor.run(more, len(self.plan.operations) + 1)
        self.plan = Plan((*self.plan.operations, *more.operations))

    def _sweep(self) -> None:
        declared, found = self.desired.pod.all_containers, self.observed.pod
        names = {c.name for c in declared} | {c.name for c in (found.members if found else ())}
        self.store.sweep(self.request.name, names)

    def _executor(self, desired: Desired) -> Executor:
        return Executor(
            podman=self.podman,
            store=self.store,
            context=desired.context,
            facts=desired.facts,
            deadline=time.monotonic() + self.request.timeout_seconds(desired.pod),
            on_done=self._note,
            pinned_images=dict(desired.pinned_images),
            pause=self.pause,
            watch=functools.partial(self.agent.watch, self.podman, desired.pod) if self.agent else None,
            on_back_off=self._note_back_off,
            services=self.agent.services if self.agent else None,
        )

    def _note(self, operation: Operation) -> None:
        self.done.append(operation)
        if self.agent:
            self.agent.done(operation)

    def _note_back_off(self, container: str) -> None:
        if self.agent:
            self.agent.backing_off(self.request.name, container)

    def _settle(
        self,
        executor: Executor,
        desired: Desired,
        seen: ObservedPod | None = None,
        is_to_complete: bool = False,
    ) -> Watch | None:
        """Wait for readiness. ``seen``: the pod, if nothing was done to it since; then the record's word counts."""
        if self.request.state != "started":
            return None
        readiness = self._readiness(executor, desired)
        watch = readiness.reach(seen, seen is not None and self._was_verified, is_to_complete)
        self.is_verified = readiness.is_verified and desired.pod == self.desired.pod
        return watch

    @property
    def _was_verified(self) -> bool:
        return bool(self.record and self.record.is_verified)

    def _readiness(self, executor: Executor, desired: Desired) -> Readiness:
        return Readiness(self.podman, self.store, self.request, executor, desired, self.agent)

    def _status(self, executor: Executor, waiter: Watch) -> Mapping[str, Any]:
        if waiter.status:
            return waiter.status
        pod = executor.pod
        is_fresh = waiter.seen is self.observed.pod and self._has_details()
        observed = waiter.seen if is_fresh else observe(self.podman, self.store, pod.name, details=True).pod
        has_sandbox = observed is not None and observed.infra_is_running
        ip = executor.sandbox().ip if has_sandbox else ""
        status = report.status(self.podman, self.store, pod, observed, waiter.ready, waiter.started, self.node, ip)
        self.store.write_status(pod.name, status)
        return status

    def _has_details(self) -> bool:
        """Whether all was asked of the containers that a status tells; of one that runs a list says enough."""
        members = self.observed.pod.members if self.observed.pod else ()
        return self.snapshot is None or all(c.is_running or c.role == "init" for c in members)

    # --- failure ---------------------------------------------------------------------------------------------------

    def _give_up(self, error: PodwrightError) -> RunFailed:
        cause = error.cause if isinstance(error, OperationFailed) else error
        done = [str(operation) for operation in self.done]
        lines = explanation(self.request.name, error, done)
        if self.request.state == "started" and self.request.on_failure and done and not self.desired.is_failed:
            lines.append(self._go_back())
        failure = RunFailed("\n".join(lines), cause, done, self.secrets)
        failure.__cause__ = error
        if self.agent and isinstance(error, OperationFailed):
            self.agent.failed(self.request.name, failure)
        return failure

    def _go_back(self) -> str:
        """Apply what was last seen ready once more; tells how that went."""
        if self.request.on_failure != "rollback":
            return "It is left as it is (on_failure is keep)."
        previous = self.record.last_verified if self.record else None
        if previous is None:
            return "It is left as it is: no earlier state was ready, so there is nothing to go back to."
        images = {name: image for name, image in previous.images.items() if observe_image(self.podman, image)}
        before = len(self.done)
        for operation in (each for each in self.done if isinstance(each, RotateSecret)):
            self.store.restore(self.request.name, self.kept_values, operation.secret, operation.values)
        try:
            desired = desire(self.store, previous.pod, self.request, self.node, self.desired.pod, images)
            executor = self._executor(desired)
            executor.deadline = max(executor.deadline, time.monotonic() + ROLLBACK_SECONDS)
            # The pod's keeper may be about to start again what has just failed.
            with self._acting(max(self.request.wait_timeout_seconds, ROLLBACK_SECONDS)):
                executor.run(plan_started(desired, observe(self.podman, self.store, previous.pod.name, previous.pod)))
            self._settle(executor, desired)
        except PodwrightError as error:
            return f"The rollback failed as well: {error}"
        steps = "; ".join(str(operation) for operation in self.done[before:])
        return f"Rolled back to the state before, which is ready again ({steps or 'nothing had to be changed'})."
