# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole run on a stack: observe, plan (`stack.plan`), execute, report.

Each pod goes through the same run as a pod on its own (`pod_run.Run`), with its plan taken from the stack's plan.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Callable

from ..._declaration import parse
from ..._declaration import spec as s
from ..._declaration.stack.spec import StackSpec, pod_with_configuration, reference
from ..._declaration.workloads.spec import AnyWorkload
from ..._errors import DamagedState, Fault, PodwrightError, Refused
from ..._host.observe import Snapshot, read_labels
from ..._host.observe_stack import observe_record, observe_stack
from ..._host.podman import service as podman_service
from ..._host.podman.client import Podman
from ..._host.stack_store import Revision, StackStore, claims_before, pods_recorded_for
from ..._host.state.generated import fresh_values
from ..._host.store import Store
from ..._host.workload_store import members_of, pods_made_for
from ..._reconcile import operations as op
from ..._reconcile.observed import Node
from ..._reconcile.operations import owner_of_secrets
from ..._reconcile.rendering import materials as m
from ..._reconcile.stack import placement
from ..._reconcile.stack.foresight import Foresight
from ..._reconcile.stack.observed import ObservedStack
from ..._reconcile.stack.plan import (
    awaited_condition,
    kept_members,
    leaving_pods,
    plan_stack,
    pods_to_observe,
    revision_to_go_back_to,
)
from ..._reconcile.stack.request import StackRequest, read_request
from ..._reconcile.stack.secrets import SettledSecrets, settle, with_values
from ..._reconcile.stack.steps import ConcludeStep, RolloutStep
from ..._reconcile.workloads.bounds import first_host_port
from ..._reconcile.workloads.foresight import Rounds
from ..agent import Agent
from ..hurry import Hurry
from ..ingresses import refuse_ingresses
from ..pod_run import Run, only_run
from ..prediction import Prediction
from ..request import ROLLBACK_SECONDS, Request
from ..run_failure import RunFailed
from ..services import refuse_services
from ..workloads.driver import WorkloadDriver
from ..workloads.host import WorkloadHost
from . import report as stack_report
from .execute import PodsFailed, StackExecutor
from .operations import SharedOperations


def run_stack(
    options: Mapping[str, Any], is_check: bool, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """Bring a stack to its declared state, as far as it is for this host; the ``stack`` module's work."""
    request = read_request(options, is_check, functools.partial(claims_before, Store()))
    request, elsewhere = placement.placed(request, read_labels(request.settings.host_labels))
    return placement.told(run_request(request, agent), elsewhere)


def run_request(
    request: StackRequest, agent: Agent | None = None, again: Callable[[], StackRequest] | None = None
) -> dict[str, Any]:
    """Tell or carry out what is asked for.

    ``again`` makes the request anew once nobody else changes the stack, for one that was made from what was there.
    """
    store = Store()
    if request.is_check:
        with podman_service.connect_to_predict() as podman:
            return StackRun(podman, store, request, agent).result()
    store.ensure()
    with podman_service.connect() as podman, _locks(podman, store, request, agent) as reserved:
        return StackRun(podman, store, again() if again else request, agent, reserved).carry_out()


def _pods_of(store: Store, stack: str) -> tuple[str, ...]:
    """Those that the stack owns by its record or, where that is damaged, by theirs."""
    try:
        return StackStore(store, stack).read().owned.pods
    except DamagedState:
        return pods_recorded_for(store, stack)


@contextlib.contextmanager
def _locks(podman: Podman, store: Store, request: StackRequest, agent: Agent | None) -> Iterator[frozenset[str]]:
    """Be the only run on the stack and on all its pods, also those to go; taken in one order by every run."""
    with contextlib.ExitStack() as locks:
        owned = _pods_of(store, request.name)
        hurry = Hurry(podman, store, owned, request.grace_period_seconds)
        locks.enter_context(store.lock(owner_of_secrets(request.name), request.wait_timeout_seconds, hurry))
        owned = (*_pods_of(store, request.name), *pods_made_for(store, request.name))
        declared = [pod.name for pod in request.stack.pods] if request.stack else []
        pods = frozenset((*owned, *declared))
        locks.enter_context(_only_run_on(pods, store, agent, request.wait_timeout_seconds, hurry))
        yield pods


@contextlib.contextmanager
def _only_run_on(
    pods: Collection[str], store: Store, agent: Agent | None, timeout_seconds: float, hurry: Hurry
) -> Iterator[None]:
    """Be the only run on these pods, taken in the order in which every run takes them."""
    with contextlib.ExitStack() as locks:
        for pod in sorted(pods):
            locks.enter_context(only_run(store, agent, pod, timeout_seconds, hurry))
        yield


class StackRun:
    """One run on one stack: the observed facts, the plan, what was done. Raises Refused, with every reason."""

    def __init__(
        self,
        podman: Podman,
        store: Store,
        request: StackRequest,
        agent: Agent | None = None,
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        """``reserved`` are the pods that nobody else changes meanwhile."""
        self.podman = podman
        self.reserved = reserved
        self.store = store
        self.request = request
        self.agent = agent
        self.owner = owner_of_secrets(request.name)
        found = observe_record(podman, store, request.name, request.state)
        self.stack = self._wanted(found)
        changes = agent.changes() if agent else {}
        snapshot = agent.snapshot(podman) if agent else Snapshot(podman)
        self.found = observe_stack(podman, store, found, self.stack, request.state, snapshot)
        self.secrets = self._settle_secrets()
        self.kept_values = store.kept_values(self.owner) if self.secrets.rotated else {}
        self.drivers = {(one.kind, one.name): self._driver(one, snapshot.node) for one in self.stack.workloads}
        rollouts = self._foresee_rollouts(snapshot) if request.is_to_run else {}
        self.runs = self._observe_pods(snapshot, changes)
        views = {name: run.view for name, run in self.runs.items()}
        self.plan = plan_stack(request, self.stack, self.found, self.secrets, views, rollouts)
        self._hand_out()
        self.shared = SharedOperations(podman, store, request, self.stack, self.found, self.drivers, agent)
        self.executor = StackExecutor(podman, self.runs, self.shared.perform, self._conclude, self._roll)
        self.rolled_out: set[tuple[str, str]] = set()
        """Kind and name of the workloads that came to be as declared."""

    # --- observing ---------------------------------------------------------------------------------------------------

    def _wanted(self, found: ObservedStack) -> StackSpec:
        request = self.request
        if request.stack is not None:
            return request.stack
        if request.state == "rolled_back":
            return StackStore(self.store, request.name).revision(revision_to_go_back_to(request, found.record)).stack
        present = found.before if request.state == "stopped" else None
        return present or StackSpec(request.name)

    def _settle_secrets(self) -> SettledSecrets:
        request, declared, kept = self.request, self.stack.secrets, self.found.secrets
        if not request.is_to_run:
            return SettledSecrets(kept.values)
        kept = replace(kept, values={name: {**v, **request.restore.get(name, {})} for name, v in kept.values.items()})
        return settle(request.name, self.owner, declared, kept, fresh_values(declared), request.rotate)

    def _observe_pods(self, snapshot: Snapshot, changes: Mapping[str, int]) -> dict[str, Run]:
        """A run for each pod of the plan, which has observed its pod."""
        wanted = {pod.name: pod for pod in self._pods_with_values()}
        leaving = leaving_pods(self.request, self.stack, self.found)
        runs: dict[str, Run] = {}
        for name in pods_to_observe(self.request, self.stack, self.found):
            goal = "absent" if name in leaving else "stopped" if self.request.state == "stopped" else "started"
            request = self._pod_request(name, goal, wanted[name] if goal == "started" else None)
            runs[name] = Run(
                self.podman,
                self.store,
                request,
                snapshot=snapshot,
                agent=self.agent,
                changes=changes,
                is_planned_elsewhere=True,
            )
        return runs

    def _pods_with_values(self) -> Iterator[s.PodSpec]:
        """The pods, each with the ConfigMaps and Secrets that it uses and their generated values."""
        stack = replace(self.stack, secrets=self._secrets_with_values)
        yield from (pod_with_configuration(stack, pod) for pod in stack.pods)
        members = kept_members(self.stack, self.found)
        revisions = {key: driver.present_revision() for key, driver in self.drivers.items()} if members else {}
        for name in members:
            record, owner = self.store.read_record(name), self.found.members[name]
            if record and revisions.get((owner.kind, owner.workload)) == owner.revision:
                yield pod_with_configuration(stack, record.applied.pod)
            elif record:
                yield record.applied.pod

    # --- workloads ---------------------------------------------------------------------------------------------------

    def _driver(self, workload: AnyWorkload, node: Node) -> WorkloadDriver:
        host = WorkloadHost(
            self.podman,
            self.store,
            self.stack,
            self._secrets_with_values,
            self.request.settings,
            self.request.wait_timeout_seconds,
            self.agent,
            self.reserved,
            node,
        )
        return WorkloadDriver(host, workload)

    def _foresee_rollouts(self, snapshot: Snapshot) -> dict[tuple[str, str], Rounds]:
        """What the steps of each workload come to. Raises Refused for what nobody would keep."""
        if self.agent is None and self.stack.cron_jobs:
            reason = "its times are kept by the agent, which this host does not have: apply the role agent first"
            raise Refused([Fault(f"CronJob {name}", reason) for name in sorted(self.stack.cron_jobs)])
        self._refuse_services()
        members = members_of(self.store, self.request.name) if self.drivers else {}
        rollouts = {key: driver.foresee(members.get(key, {})) for key, driver in self.drivers.items()}
        faults = [fault for key, rounds in rollouts.items() for fault in self._refuse_pods(key, rounds, snapshot)]
        if faults:
            raise Refused(faults)
        return rollouts

    def _refuse_services(self) -> None:
        own_pods = (*self.found.record.owned.pods, *self.found.members)
        given = (self.podman, self.store, self.stack, own_pods)
        faults = refuse_services(*given, self.agent, self.request.is_check)
        if self.agent:
            faults += refuse_ingresses(*given, self.agent)
        if faults:
            raise Refused(faults)

    def _refuse_pods(self, key: tuple[str, str], rounds: Rounds, snapshot: Snapshot) -> list[Fault]:
        """Why this host cannot have the pods that a workload is to get; told by the first of them."""
        pod = self.drivers[key].first_pod(rounds)
        if pod is None or first_host_port(pod):
            # A host port may be held by the very pod that gives way.
            return []
        request = replace(self._pod_request(pod.name, "started", pod), is_check=True)
        try:
            Prediction(self.podman, self.store, request, snapshot=snapshot, agent=self.agent)
        except Refused as error:
            return [Fault(f"{key[0]} {key[1]}: {fault.path}", fault.reason) for fault in error.faults]
        return []

    def _roll(self, step: RolloutStep, note: Callable[[op.Operation], None]) -> None:
        driver = self.drivers[step.kind, step.workload]
        driver.pods.on_done = note
        # A session with Podman is for one thread.
        with self.executor.session() as podman:
            driver.host = replace(driver.host, podman=podman)
            for name, owner in self.found.members.items():
                sight = self.executor.sights.get(name)
                if not self.agent and sight and (owner.kind, owner.workload) == (step.kind, step.workload):
                    driver.pods.take_over(self.runs[name], sight)
            is_awaited = reference(step.kind, step.workload) in {
                one.workload for group in self.stack.depends_on.values() for one in group
            }
            is_to_wait = self.request.wait or self.agent is None or is_awaited
            driver.run(is_to_wait, self.request.wait_timeout_seconds)
        if driver.outcome().is_there:
            self.rolled_out.add((step.kind, step.workload))

    @property
    def _secrets_with_values(self) -> tuple[s.Secret, ...]:
        return with_values(self.stack.secrets, self.secrets.values)

    def _pod_request(self, name: str, goal: str, pod: s.PodSpec | None) -> Request:
        return Request(
            name=name,
            state=goal,
            pod=pod,
            wait=awaited_condition(self.request, self.stack, name) != "seen",
            wait_timeout_seconds=self.request.wait_timeout_seconds,
            on_failure="",
            is_check=self.request.is_check,
            settings=replace(self.request.settings, owner=self.found.members.get(name)),
            expected_images=self.request.expected_images,
            grace_period_seconds=self.request.grace_period_seconds,
            place=self.request.places.get(name, parse.native_place()),
            absent_cause=self.request.absent_cause,
        )

    def _hand_out(self) -> None:
        """Give each pod's run its part of the plan."""
        foresight = Foresight(self.stack, self.found, leaving_pods(self.request, self.stack, self.found))
        for step in self.plan.pods():
            correction = functools.partial(foresight.of, step.pod)
            self.runs[step.pod].take(step.plan, step.view.observed, correction)

    # --- telling -----------------------------------------------------------------------------------------------------

    def result(self) -> dict[str, Any]:
        """The module's result: the plan, or after the run what was done. ``secrets`` in it must never be shown."""
        plan = self.plan.with_plans({name: run.plan for name, run in self.runs.items()})
        remaining = (self.runs[step.pod] for step in plan.pods() if step.goal != "absent")
        return {
            **stack_report.changes(plan, self.request, self.stack, self.found, self.store.key(), self._statuses()),
            # A warning about the host comes with every pod.
            "warnings": [*dict.fromkeys(warning for run in remaining for warning in run.warnings), *self._unforeseen()],
            "secrets": self._secrets(),
        }

    def _unforeseen(self) -> list[str]:
        """What check mode cannot tell yet: names with a digest in them that needs the key of a prepared host."""
        if not self.request.is_check or self.store.key():
            return []
        names = [f"{kind} {name}" for (kind, name), driver in self.drivers.items() if driver.has_keyed_names()]
        reason = "have in them a digest of Secrets by a key that this host gets with its first run"
        return [f"the Pods of {' and '.join(names)} will be called otherwise: their names {reason}"] if names else []

    def _statuses(self) -> stack_report.Statuses:
        told = {(kind, name): self.shared.workload_files.read_status(kind, name) for kind, name in self.drivers}
        return {key: status for key, status in told.items() if status}

    def _secrets(self) -> tuple[str, ...]:
        values = {value for run in self.runs.values() for value in run.secrets}
        gathered = m.secret_values(m.gather(s.PodSpec("", (), secrets=self._secrets_with_values), {}))
        return tuple(sorted(values | {*gathered}))

    # --- carrying out ------------------------------------------------------------------------------------------------

    def carry_out(self) -> dict[str, Any]:
        """Execute and wait. After a failure go back to the last good revision, if the request says so."""
        try:
            told = self.executor.carry_out(self.plan)
        except PodwrightError as error:
            if self.shared.is_concluding:
                raise
            raise self._give_up(error) from error
        result = self.result()
        result["warnings"] = [warning for pod in told.values() for warning in pod["warnings"]]
        for item in result["objects"]:
            status = told.get(item["name"], {}).get("pod", {}).get("status") if item["kind"] == "Pod" else None
            if status:
                item["phase"] = status["phase"]
        result["stack"]["revision"] = self.plan.number
        result["stack"]["services"] = self.agent.services.told(self.request.name) if self.agent else []
        result["stack"]["ingresses"] = self.agent.services.told_ingresses(self.request.name) if self.agent else []
        return result

    def _conclude(self, step: ConcludeStep) -> None:
        wanted = (pod.name for pod in self.stack.pods)
        is_good = all(self.runs[name].is_verified for name in wanted) and self.rolled_out >= self.drivers.keys()
        self.shared.conclude(step, is_good)

    # --- failure -----------------------------------------------------------------------------------------------------

    def _give_up(self, error: PodwrightError) -> RunFailed:
        lines = [str(error)]
        done = [str(operation) for operation in self.executor.done]
        if self.request.is_to_run and done and self.request.on_failure:
            lines.append(self._go_back())
        first = error.errors[0] if isinstance(error, PodsFailed) else error
        return RunFailed("\n".join(lines), first, done, self._secrets())

    def _go_back(self) -> str:
        if self.request.on_failure != "rollback":
            return "It is left as it is (on_failure is keep)."
        number = self.shared.record.good
        if not number:
            return "It is left as it is: no earlier revision was ready, so there is nothing to go back to."
        good = self.shared.files.revision(number)
        rotated = [operation for operation in self.executor.done if isinstance(operation, op.RotateSecret)]
        if good.stack == self.stack and not rotated:
            return f"It is left as it is: what was applied is revision {good.number}, the last good one."
        try:
            with self._joined() as reserved:
                StackRun(self.podman, self.store, self._way_back(good, rotated), self.agent, reserved).carry_out()
        except PodwrightError as error:
            return f"Going back to revision {good.number} failed as well: {error}"
        return f"Rolled back to revision {good.number}, which is ready again."

    @contextlib.contextmanager
    def _joined(self) -> Iterator[frozenset[str]]:
        """Reserve as well the pods that the workloads of this run have made; nobody else has the stack meanwhile."""
        made = frozenset(pods_made_for(self.store, self.request.name)) - self.reserved
        hurry = Hurry(self.podman, self.store, tuple(made), self.request.grace_period_seconds)
        with _only_run_on(made, self.store, self.agent, ROLLBACK_SECONDS, hurry):
            yield self.reserved | made

    def _way_back(self, good: Revision, rotated: list[op.RotateSecret]) -> StackRequest:
        """The request for the last good revision, with the secrets as they were when this run began."""
        return replace(
            self.request,
            state="started",
            stack=good.stack,
            on_failure="",
            wait_timeout_seconds=max(self.request.wait_timeout_seconds, ROLLBACK_SECONDS),
            prune=True,
            rotate=(),
            back_to=good.number,
            restore={each.secret: {key: self.kept_values[each.secret][key] for key in each.values} for each in rotated},
            before_rotation=self.kept_values,
        )
