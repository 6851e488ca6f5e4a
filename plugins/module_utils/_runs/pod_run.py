# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole run: read the request, observe, plan, execute, wait, tell. Modules hand their options to it.

Check mode is one line of this module: the plan is told and not executed.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from .._declaration import spec as s
from .._errors import DamagedState, PodwrightError
from .._host.observe import Snapshot, observe, observe_image, read_node
from .._host.podman import service as podman_service
from .._host.podman.client import Podman
from .._host.state.records import Record
from .._host.store import Store
from .._reconcile import unkept
from .._reconcile.observed import Observed, ObservedPod
from .._reconcile.operations import Operation, Plan, PullImage, RotateSecret, rotation
from .._reconcile.pod.plan import plan_pod, plan_started
from .._reconcile.pod.view import Desired, PodView
from .._reconcile.rendering import materials as m
from .._reconcile.status import Failure
from . import report
from .agent import Agent
from .desired import desire
from .execute import Executor, OperationFailed
from .hurry import Hurry
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
            return Run(podman, store, request, agent=agent).result()
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
class Run:
    """One run on one pod: what it found, what it decided, what it did."""

    podman: Podman
    store: Store
    request: Request
    correction: Callable[[Observed], Observed] = lambda observed: observed
    """Puts right what was observed: adds what other pods of a stack are about to take or to leave, say."""
    snapshot: Snapshot | None = None
    """What was seen of all pods of a stack at once."""
    is_planned_elsewhere: bool = False
    """Whether a stack's plan brings the plan of this pod, by `take`."""
    agent: Agent | None = None
    changes: Mapping[str, int] | None = None
    """The agent's, from before the snapshot."""
    find_backing_off: Callable[[ObservedPod | None], frozenset[str]] = lambda pod: frozenset()
    """Of a pod as it was just seen, the containers that have ended and are not to be started again yet."""
    pinned_images: Mapping[str, str] = field(default_factory=dict)
    pause: Callable[[float], None] = time.sleep
    done: list[Operation] = field(default_factory=list)
    executor: Executor = field(init=False)
    is_verified: bool = False
    """Whether the pod was seen ready after all was done."""
    renewed: Mapping[str, Mapping[str, str]] = field(init=False, repr=False)
    """New values of generated secrets, by secret and key."""
    kept_values: Mapping[str, Mapping[str, str]] = field(init=False, repr=False)
    """What was generated for the pod before."""

    def __post_init__(self) -> None:
        secrets = self.request.pod.secrets if self.request.pod else ()
        self.renewed = self.store.renewals(self.request.name, secrets, self.request.rotate)
        self.kept_values = self.store.kept_values(self.request.name) if self.renewed else {}
        if self.changes is None:
            self.changes = self.agent.changes() if self.agent else {}
        self._look()
        if not self.is_planned_elsewhere:
            self._decide()

    def _look(self) -> None:
        """See what there is."""
        node = self.snapshot.node if self.snapshot else read_node(self.podman.api_version)
        # What a host without Podman lacks yet it may be about to get, as in a prediction of its first playbook.
        can_probe_grpc = node.can_probe_grpc or isinstance(self.podman, podman_service.EmptyHost)
        self.node = replace(node, has_agent=self.agent is not None, can_probe_grpc=can_probe_grpc)
        self.record = self._read_record()
        recorded = self.record.applied.pod if self.record else None
        previous = self.record.previous.pod if self.record and self.record.previous else None
        pod = self.request.pod or recorded or s.PodSpec(self.request.name, ())
        images = {**self.request.images_expected(pod), **self.pinned_images}
        self.desired = replace(
            desire(self.store, pod, self.request, self.node, recorded, images, self.renewed),
            previous=previous,
            was_stopped=bool(self.record and self.record.is_stopped),
        )
        wanted = pod if self.request.state == "started" else None
        # The details are for the status, so that an unchanged pod is looked at once.
        details = not self.request.is_check and self.snapshot is None
        observed = observe(self.podman, self.store, self.request.name, wanted, details, self.snapshot)
        self.observed = self.correction(observed)
        self.desired = replace(
            self.desired,
            place=self.request.place,
            backing_off=self.find_backing_off(self.observed.pod),
            failure=self._failure(),
        )

    def _decide(self) -> None:
        plan, name = self._plan(), self.request.name
        declared = {secret.name: secret for secret in self.desired.pod.secrets}
        renewals = (
            rotation(name, name, declared[each], values, self.request.rotate) for each, values in self.renewed.items()
        )
        self._take(replace(plan, operations=(*renewals, *plan.operations)))

    def take(self, plan: Plan, observed: Observed, correction: Callable[[Observed], Observed]) -> None:
        """Use a plan from a stack's planner; ``correction`` is for the case that the pod is observed once more."""
        self.correction, self.observed = correction, observed
        self._take(plan)

    def _take(self, plan: Plan) -> None:
        self.plan = plan
        self.warnings = list(self._warnings(self.desired.pod))

    @property
    def view(self) -> PodView:
        """The observed facts, for a planner."""
        return PodView(self.desired, self.observed, self.store.knows(self.request.name))

    def _plan(self) -> Plan:
        request = self.request
        return plan_pod(request.state, self.view, request.absent_cause, request.grace_period_seconds)

    def _read_record(self) -> Record | None:
        """None for a damaged one too where the pod is to go: a removal takes what it finds."""
        try:
            return self.store.read_record(self.request.name)
        except DamagedState:
            if self.request.state != "absent":
                raise
            return None

    def _failure(self) -> Failure | None:
        if self.record is None or self.record.is_stopped or self.request.state != "started":
            return None
        return report.failure_of(self.store, self.record.applied.pod, self.observed.pod, self.node)

    def _warnings(self, pod: s.PodSpec) -> Iterator[str]:
        if isinstance(self.podman, podman_service.EmptyHost):
            # What a pod lacks for want of a part of Podman's is not known before Podman is.
            yield f"predicted for a host without pods, since {self.podman.reason}"
        elif self.request.state == "started":
            yield from unkept.warnings(self.desired.context, self.observed, self.plan)

    @property
    def secrets(self) -> tuple[str, ...]:
        return m.secret_values(self.desired.context.materials)

    def result(self) -> dict[str, Any]:
        """The result of check mode: the plan, and nothing else done."""
        recorded = self.desired.recorded
        return report.changes(
            self.plan,
            self.desired.pod if self.request.state == "started" else None,
            recorded,
            self.warnings,
            self.desired.context.materials,
            self.desired.context.key,
        )

    def carry_out(self) -> dict[str, Any]:
        """Execute the plan and wait; on failure go back to what ran before, where that is asked for and known."""
        self.execute()
        return self.finish()

    def execute(self) -> None:
        """Carry out the plan. Raises RunFailed."""
        self.executor = self._executor(self.desired)
        if self.agent and not self.plan:
            # Its keeper is not to be disturbed for nothing.
            return
        # Going back, which is part of telling, takes the pod's turn anew, and lets its keeper act while it waits.
        with self._telling_of_failures(), self._acting():
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

    def watch(self) -> Watch:
        """What looks at the pod from now on, after `execute`."""
        return self._readiness(self.executor, self.desired).watch()

    def status(self, watch: Watch) -> Mapping[str, Any]:
        """The pod's status in Kubernetes' shape, as of the watch's last look."""
        return self._status(self.executor, watch)

    def _acting(self) -> AbstractContextManager[None]:
        if self.agent is None:
            return contextlib.nullcontext()
        name, request = self.request.name, self.request
        hurry = Hurry(self.podman, self.store, [name], request.grace_period_seconds)
        return self.agent.acting(name, request.wait_timeout_seconds, hurry)

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
        is_proven = seen is not None and bool(self.record and self.record.is_verified)
        watch = readiness.reach(seen, is_proven, is_to_complete)
        self.is_verified = readiness.is_verified and desired.pod == self.desired.pod
        return watch

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
            with self._acting():
                executor.run(plan_started(desired, observe(self.podman, self.store, previous.pod.name, previous.pod)))
            self._settle(executor, desired)
        except PodwrightError as error:
            return f"The rollback failed as well: {error}"
        steps = "; ".join(str(operation) for operation in self.done[before:])
        return f"Rolled back to the state before, which is ready again ({steps or 'nothing had to be changed'})."
