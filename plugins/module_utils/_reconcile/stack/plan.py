# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner of stacks: from the declaration and the observed host to the steps that make the two equal. Pure.

`pod.plan` plans each pod. This module decides the rest: what the pods share, their order, what is removed, and the
revision. The order of the steps keeps a run that is killed safe: the values of secrets are kept before the revision
that needs them, the revision is recorded before anything is created, steps that can fail harmlessly come before the
first pod is changed, and networks, volumes and records are removed last.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..._declaration.stack.options import to_options
from ..._declaration.stack.order import cycle, ordered
from ..._declaration.stack.spec import StackSpec, claimed_volumes, reference, shared_volumes
from ..._declaration.workloads import spec as w
from ..._errors import Fault, Refused
from .. import operations as op
from ..context import Owner
from ..operations import owner_of_secrets
from ..pod.plan import plan_pod
from ..pod.view import PodView
from ..workloads.foresight import Rounds
from ..workloads.stateful_set import claims_of
from ..workloads.steps import StopWorkload
from .admission import place_fault, refuse_circle, refuse_stack
from .foresight import Foresight
from .observed import ObservedStack, SetClaims
from .record import Owned, StackRecord
from .request import StackRequest
from .secrets import SettledSecrets
from .steps import AwaitStep, ConcludeStep, Condition, PodGoal, PodStep, RolloutStep, SharedStep, StackPlan, Step


def plan_stack(
    request: StackRequest,
    stack: StackSpec,
    found: ObservedStack,
    secrets: SettledSecrets,
    views: Mapping[str, PodView],
    rollouts: Mapping[tuple[str, str], Rounds] | None = None,
) -> StackPlan:
    """The plan for a stack. Raises Refused, with every reason of the stack and of its pods.

    ``stack`` is the declaration: the one of the request, the revision to go back to, or the present one. ``secrets``
    come from `secrets.settle`. ``views`` has every pod that `pods_to_observe` names, in its order. ``rollouts``
    has what the steps of each declared workload come to, by its kind and name.
    """
    return _Planner(request, stack, found, secrets, views, rollouts or {}).plan()


def pods_to_observe(request: StackRequest, stack: StackSpec, found: ObservedStack) -> tuple[str, ...]:
    """The pods that are removed, then the declared ones. A pod that is to be stopped is left out if it is missing."""
    waits = {name: [dependency.on for dependency in group] for name, group in stack.depends_on.items()}
    wanted = ordered([pod.name for pod in stack.pods], waits)
    return (
        *leaving_pods(request, stack, found),
        *(name for name in wanted if request.state != "stopped" or name in found.pods),
        *(kept_members(stack, found) if request.is_to_run else ()),
    )


def kept_members(stack: StackSpec, found: ObservedStack) -> tuple[str, ...]:
    """The pods of those workloads that are still declared, and of the Jobs that their CronJobs have made."""
    declared = (name for name, owner in found.members.items() if _is_declared(stack, found, owner))
    return tuple(name for name in declared if name not in found.ending)


def _is_declared(stack: StackSpec, found: ObservedStack, owner: Owner) -> bool:
    declared = {(workload.kind, workload.name) for workload in stack.workloads}
    made_by = found.made_by.get(owner.workload, "") if owner.kind == "Job" else ""
    return (owner.kind, owner.workload) in declared or ("CronJob", made_by) in declared


def leaving_pods(request: StackRequest, stack: StackSpec, found: ObservedStack) -> tuple[str, ...]:
    """The pods that the stack owns and no longer declares, the last started first; stopped workloads keep no pods."""
    if request.state == "stopped":
        return tuple(reversed([*found.members]))
    if not request.prune and request.state != "absent":
        return ()
    name = request.name
    labelled = sorted(p.name for p in found.pods.values() if p.stack == name == found.owners.get(p.name, name))
    owned = dict.fromkeys((*found.record.owned.pods, *labelled, *found.members))
    kept = {pod.name for pod in stack.pods} | {*kept_members(stack, found)}
    return tuple(pod for pod in reversed([*owned]) if pod not in kept)


def awaited_condition(request: StackRequest, stack: StackSpec, pod: str) -> Condition:
    """What a run waits for after it has changed a pod; pods that depend on it count as well.

    The pods of workloads are waited for by these: some may be about to give way to others since they are not ready.
    """
    if stack.find(pod) is None:
        return "seen"
    conditions = {one.condition for group in stack.depends_on.values() for one in group if one.pod == pod}
    if "completed" in conditions:
        return "completed"
    return "ready" if request.wait or conditions else "seen"


def revision_to_go_back_to(request: StackRequest, record: StackRecord) -> int:
    """The revision that the request names, else the last good one before the present one. Raises Refused."""
    number = request.revision or record.good_before
    if not number:
        raise Refused([Fault("state", f"stack {request.name} has no earlier good revision to go back to")])
    return number


@dataclass(frozen=True)
class _Planner:
    request: StackRequest
    stack: StackSpec
    found: ObservedStack
    secrets: SettledSecrets
    views: Mapping[str, PodView]
    rollouts: Mapping[tuple[str, str], Rounds]

    def plan(self) -> StackPlan:
        faults = refuse_stack(self.request, self.stack, self.found, self._leaving)
        plans = {name: self._plan_pod(name, faults) for name in self.views}
        faults += refuse_circle(self._circle)
        if faults:
            raise Refused(faults)
        steps = self._first()
        steps += self._stopping_workloads()
        is_stop = self.request.state == "stopped"
        ending = (*self._leaving, *(self._order[::-1] if is_stop else ()))
        steps += self._ending(ending, plans, _ends(steps))
        if not is_stop:
            after = _ends(steps)
            steps += _sorted([*self._starting(plans, after), *self._rolling(after)])
        steps += _in_sequence(self._last(), _ends(steps))
        if self.request.is_to_run:
            steps.append(self._conclusion(_ends(steps)))
        return StackPlan(tuple(steps), self._number)

    def _plan_pod(self, name: str, faults: list[Fault]) -> op.Plan:
        """A pod's own plan; if it is refused, the reasons are added to ``faults``, unless a workload has made it."""
        cause, grace_period_seconds = self.request.absent_cause, self.request.grace_period_seconds
        try:
            return plan_pod(self._goal(name), self._view(name), cause, grace_period_seconds)
        except Refused as error:
            if self._is_workloads(name):
                return op.Plan()
            faults += [place_fault(self.request, name, fault) for fault in error.faults]
            return op.Plan()

    @functools.cached_property
    def _leaving(self) -> tuple[str, ...]:
        return leaving_pods(self.request, self.stack, self.found)

    @functools.cached_property
    def _foresight(self) -> Foresight:
        return Foresight(self.stack, self.found, self._leaving)

    @functools.cached_property
    def _waits(self) -> dict[str, list[str]]:
        """What each pod and workload waits for: its dependencies, and pods that give up a host port that it needs."""
        givers = {name: self._givers(name) for name in self._wanted}
        references = [reference(workload.kind, workload.name) for workload in self.stack.workloads]
        return {
            name: [*(one.on for one in self.stack.dependencies_of(name)), *givers.get(name, ())]
            for name in (*self._wanted, *references)
        }

    @property
    def _wanted(self) -> tuple[str, ...]:
        return tuple(name for name in self.views if name not in self._leaving)

    def _givers(self, name: str) -> tuple[str, ...]:
        return self._foresight.givers(name, self.views[name].observed)

    @functools.cached_property
    def _circle(self) -> tuple[str, ...]:
        return cycle(self._waits)

    @functools.cached_property
    def _order(self) -> tuple[str, ...]:
        """The declared pods in the order in which they start."""
        return ordered(self._wanted, self._waits)

    def _goal(self, name: str) -> PodGoal:
        if name in self._leaving:
            return "absent"
        return "stopped" if self.request.state == "stopped" else "started"

    def _is_workloads(self, name: str) -> bool:
        return self._goal(name) == "started" and self.stack.find(name) is None

    def _view(self, name: str) -> PodView:
        view = self.views[name]
        return replace(view, observed=self._foresight.of(name, view.observed))

    # --- the revision ------------------------------------------------------------------------------------------------

    @property
    def _is_new_revision(self) -> bool:
        return self.request.is_to_run and not self.request.back_to and self.found.before != self.stack

    @property
    def _number(self) -> int:
        if self._is_new_revision:
            return max((*self.found.revisions, self.found.record.current, 0)) + 1
        return self.request.back_to or self.found.record.current

    def _revision(self) -> Iterable[op.Operation]:
        """The operation that records what this run is about, for the next one if this one is killed."""
        name, number, record = self.request.name, self._number, self._record_meanwhile
        if self._is_new_revision:
            yield op.RecordRevision(name, self._revision_cause(), number, record, self._change_cause())
        elif self.request.back_to:
            yield op.ReturnToRevision(name, f"revision {self.found.record.current} has failed", number, record)

    def _revision_cause(self) -> str:
        if self.found.before is None:
            return "it is not recorded yet"
        before, after = to_options(self.found.before), to_options(self.stack)
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return f"{', '.join(changed)} changed"

    def _change_cause(self) -> str:
        if self.request.state != "rolled_back" or self.request.change_cause:
            return self.request.change_cause
        return f"rolled back to revision {revision_to_go_back_to(self.request, self.found.record)}"

    @property
    def _record_meanwhile(self) -> StackRecord:
        """The record until the end of the run: the stack still owns what the run removes."""
        record = self.found.record
        owned = self._owned_at_the_end.joined(record.owned) if self._is_new_revision else record.owned
        return replace(record, current=self._number, owned=owned)

    @property
    def _owned_at_the_end(self) -> Owned:
        """The stack owns a volume or network only if it was missing before; pruned objects are owned no more."""
        owned, request = self.found.record.owned, self.request
        volumes = [v for v in claimed_volumes(self.stack) if v in owned.volumes or v not in self.found.volumes]
        declared = [network.name for network in self.stack.networks]
        networks = [name for name in declared if name in owned.networks or name not in self.found.networks]
        left = Owned(
            () if request.prune else owned.pods,
            () if request.prune_volumes else (*owned.volumes, *(self._left_claims if request.prune else ())),
            () if request.prune else owned.networks,
        )
        pods = tuple(name for name in self._order if self.stack.find(name))
        return Owned(pods, tuple(volumes), tuple(networks)).joined(left)

    def _conclusion(self, after: tuple[str, ...]) -> ConcludeStep:
        name = f"conclude revision {self._number} of stack {self.request.name}"
        return ConcludeStep(name, after, self._number, self._owned_at_the_end, self.request.revision_history_limit)

    # --- what the pods share -----------------------------------------------------------------------------------------

    def _first(self) -> list[Step]:
        """The steps before all pods: first the values of secrets, then the revision, then all else.

        The next run refuses a revision whose secrets are missing, so the values come first.
        """
        if not self.request.is_to_run:
            return []
        name, networks, volumes = self.request.name, self.found.networks, self.found.volumes
        kept = _side_by_side((*self._restored(), *self.secrets.made), ())
        recorded = _side_by_side(self._revision(), _ends(kept))
        rest: list[op.Operation] = [
            *self.secrets.rotated,
            *(op.CreateNetwork(name, op.MISSING, n) for n in self.stack.networks if n.name not in networks),
            *(op.CreateSharedVolume(name, op.MISSING, v) for v in shared_volumes(self.stack) if v.name not in volumes),
        ]
        return [*kept, *recorded, *_side_by_side(rest, _ends([*kept, *recorded]))]

    def _restored(self) -> Iterable[op.Operation]:
        for secret, values in self.request.restore.items():
            cause = f"revision {self.found.record.current} has failed"
            yield op.RestoreSecret(self.request.name, cause, secret, values, owner_of_secrets(self.request.name))

    def _last(self) -> list[op.Operation]:
        """The removals after all pods, which may have used these objects until then."""
        name, cause, owned = self.request.name, self.request.absent_cause, self.found.record.owned
        is_absent = self.request.state == "absent"
        last: list[op.Operation] = []
        if self.request.state != "stopped" and (self.request.prune or is_absent):
            kept = {network.name for network in self.stack.networks}
            going = [n for n in owned.networks if n in self.found.networks and n not in kept]
            last += [op.RemoveNetwork(name, cause, network) for network in going]
            last += [op.RemoveVolume(name, because, volume) for volume, because in self._volumes_to_go.items()]
        if is_absent and self.request.prune_volumes:
            # The data that they opened is gone as well.
            owners = [one for one in (owner_of_secrets(name), *self._leaving) if one in self.found.owners_of_secrets]
            last += [op.RemoveSecrets(name, "state is absent, and prune_volumes is set", one) for one in owners]
        if is_absent and (self.found.is_damaged or self.found.record != self._remains or self.found.revisions):
            last.append(op.ForgetStack(name, "state is absent", self._remains))
        return last

    @functools.cached_property
    def _volumes_to_go(self) -> dict[str, str]:
        """By volume why it is removed. Data goes where the task says so, or the StatefulSet that it was made for."""
        cause = self.request.absent_cause
        going: dict[str, str] = {}
        if self.request.prune_volumes:
            because = f"{cause}, and prune_volumes is set"
            going = dict.fromkeys((*self.found.record.owned.volumes, *self._left_claims), because)
        for claims in self._leaving_claims:
            if claims.are_deleted:
                going.update(dict.fromkeys(claims.volumes, f"{cause}, and whenDeleted is Delete"))
        kept = {*claimed_volumes(self.stack), *self._declared_claims}
        return {volume: why for volume, why in going.items() if volume in self.found.volumes and volume not in kept}

    @property
    def _leaving_claims(self) -> list[SetClaims]:
        """Those of the StatefulSets that are declared no more."""
        declared = {workload.name for workload in self.stack.workloads if workload.kind == "StatefulSet"}
        return [claims for name, claims in self.found.claims.items() if name not in declared]

    @property
    def _left_claims(self) -> tuple[str, ...]:
        """The claims that stay behind: from now on they are volumes of the stack as others."""
        return tuple(volume for claims in self._leaving_claims if not claims.are_deleted for volume in claims.volumes)

    @property
    def _declared_claims(self) -> Iterable[str]:
        for workload in self.stack.workloads:
            if isinstance(workload, w.StatefulSet):
                templates = [template.name for template in workload.volume_claim_templates]
                yield from (claim for claim, _number in claims_of(workload.name, templates, self.found.volumes))

    @property
    def _remains(self) -> StackRecord:
        """The record of a removed stack: it still owns the volumes that were kept, so a later run can remove them."""
        volumes = (*self.found.record.owned.volumes, *self._left_claims)
        return StackRecord(owned=Owned(volumes=() if self.request.prune_volumes else tuple(dict.fromkeys(volumes))))

    # --- the pods ----------------------------------------------------------------------------------------------------

    def _starting(self, plans: Mapping[str, op.Plan], after: tuple[str, ...]) -> list[Step]:
        """Two steps for each declared pod, to apply it and to await its condition, after the pods that it waits for.

        Those that workloads have made are only looked at.
        """
        conditions = {name: awaited_condition(self.request, self.stack, name) for name in self._order}
        steps: list[Step] = []
        for name in self._order:
            waits = [*self._dependencies(name), *map(_applying, self._givers(name))]
            steps.append(self._step(_applying(name), tuple(dict.fromkeys(waits)) or after, name, plans))
            if not self._is_workloads(name):
                steps.append(AwaitStep(_awaiting(name, conditions[name]), (_applying(name),), name, conditions[name]))
        return steps

    def _dependencies(self, name: str) -> Iterable[str]:
        """The steps that a pod or workload waits for since it depends on what they bring about."""
        for one in self.stack.dependencies_of(name):
            if one.pod is None:
                yield _rolling_out(*one.on.split("/"))
            elif one.condition == "started":
                yield _applying(one.pod)
            else:
                yield _awaiting(one.pod, awaited_condition(self.request, self.stack, one.pod))

    def _rolling(self, after: tuple[str, ...]) -> list[Step]:
        """A step for each declared workload, once the pods that it has are as they were made."""
        steps: list[Step] = []
        for kind, name in self.rollouts:
            own = [pod for pod, owner in self.found.members.items() if (owner.kind, owner.workload) == (kind, name)]
            waits = [
                *(_applying(pod) for pod in own if pod in self._wanted),
                *self._dependencies(reference(kind, name)),
            ]
            rounds = self.rollouts[kind, name]
            steps.append(RolloutStep(_rolling_out(kind, name), tuple(waits) or after, kind, name, rounds))
        return steps

    def _stopping_workloads(self) -> list[Step]:
        """Before its pods go, so that nobody makes others."""
        if self.request.state != "stopped":
            return []
        keys = [(workload.kind, workload.name) for workload in self.stack.workloads]
        operations = [StopWorkload(name, "state is stopped", kind) for kind, name in keys]
        return _side_by_side((one for one in operations if (one.kind, one.pod) not in self.found.stopped), ())

    def _ending(self, names: Iterable[str], plans: Mapping[str, op.Plan], after: tuple[str, ...]) -> list[Step]:
        """The pods that are stopped or removed: those of workloads side by side, the others one after another.

        Pods of workloads go first, those that others wait for when these are gone.
        """
        waits = (self.found.before or self.stack).depends_on.values()
        awaited = {one.workload for group in waits for one in group}
        owners = {name: self.found.members.get(name) for name in names}
        last = [name for name, one in owners.items() if one and reference(one.kind, one.workload) in awaited]
        first = [name for name, one in owners.items() if one and name not in last]
        steps = [self._end(name, after, plans) for name in first]
        for name in (name for name, one in owners.items() if one is None):
            steps.append(self._end(name, _ends(steps) or after, plans))
        after = _ends(steps) or after
        return [*steps, *(self._end(name, after, plans) for name in last)]

    def _end(self, name: str, after: tuple[str, ...], plans: Mapping[str, op.Plan]) -> Step:
        verb = "remove" if self._goal(name) == "absent" else "stop"
        return self._step(f"{verb} pod {name}", after, name, plans)

    def _step(self, name: str, after: tuple[str, ...], pod: str, plans: Mapping[str, op.Plan]) -> PodStep:
        return PodStep(name, after, pod, self._goal(pod), plans[pod], self._view(pod), self._is_workloads(pod))


def _applying(pod: str) -> str:
    return f"apply pod {pod}"


def _awaiting(pod: str, condition: Condition) -> str:
    return f"look at pod {pod}" if condition == "seen" else f"await pod {pod}: {condition}"


def _rolling_out(kind: str, workload: str) -> str:
    return f"roll out {kind} {workload}"


def _sorted(steps: list[Step]) -> list[Step]:
    """Each after those that it waits for, else as they are."""
    by_name = {step.name: step for step in steps}
    return [by_name[name] for name in ordered([*by_name], {step.name: step.after for step in steps})]


def _side_by_side(operations: Iterable[op.Operation], after: tuple[str, ...]) -> list[Step]:
    return [SharedStep(f"{item.verb} {item.target}", after, item) for item in operations]


def _in_sequence(operations: Iterable[op.Operation], after: tuple[str, ...]) -> list[Step]:
    steps: list[Step] = []
    for operation in operations:
        steps += _side_by_side([operation], _ends(steps) or after)
    return steps


def _ends(steps: Iterable[Step]) -> tuple[str, ...]:
    """The names of the steps that no other step waits for."""
    steps = tuple(steps)
    awaited = {name for step in steps for name in step.after}
    return tuple(step.name for step in steps if step.name not in awaited)
