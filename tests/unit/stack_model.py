# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a stack as plain data: what each step of a stack's plan does, without Podman or files.

Its pods are those of `host_model`. Each step insists on what the real one needs (a network is there before a pod that
joins it, a value is kept before anything is made with it), and on what must never be (two pods with one port, a value
that is made anew), so that a plan in the wrong order fails here as it would there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import stack_rollouts
from host_model import Host, normalise

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import (
    StackSpec,
    claimed_volumes,
    pod_with_configuration,
)
from ansible_collections.podwright.pods.plugins.module_utils._host.workload_store import KeptWorkload
from ansible_collections.podwright.pods.plugins.module_utils._reconcile import operations as op
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.context import Owner
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.effective import host_ports, port_text
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import PortHolder, Usage
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import owner_of_secrets
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod.view import PodView
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering.limits import requested
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.observed import (
    ObservedNetwork,
    ObservedStack,
    ObservedVolume,
    PresentPod,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.plan import (
    leaving_pods,
    plan_stack,
    pods_to_observe,
    revision_to_go_back_to,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import StackRecord, with_good
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.request import StackRequest
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.secrets import (
    Former,
    KeptSecrets,
    SettledSecrets,
    settle,
    with_values,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.steps import (
    AwaitStep,
    ConcludeStep,
    PodStep,
    RolloutStep,
    SharedStep,
    StackPlan,
    Step,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import StopWorkload

NAME = "shop"
Keys = Mapping[tuple[str, str, str], str]
"""By owner, secret and key: a value, which ends in the number of its making."""


@dataclass(frozen=True)
class Wanted:
    """A run with all that its plan is made from, and the plan."""

    request: StackRequest
    stack: StackSpec
    secrets: SettledSecrets
    plan: StackPlan
    made: Mapping[str, s.PodSpec] = field(default_factory=dict)
    """The pods that workloads have made, as they are on record."""

    @property
    def stack_with_values(self) -> StackSpec:
        return replace(self.stack, secrets=with_values(self.stack.secrets, self.secrets.values))

    def pod(self, name: str) -> s.PodSpec:
        """A pod that is wanted, as it is applied; of another one what its removal needs, which is its name."""
        found = self.stack.find(name)
        if found:
            return pod_with_configuration(self.stack_with_values, found)
        return self.made.get(name, s.PodSpec(name, ()))


@dataclass(frozen=True)
class StackHost:
    """What there is; ``revisions`` are by number, ``labels`` name the stack of each pod that Podman has."""

    record: StackRecord = field(default_factory=StackRecord)
    is_damaged: bool = False
    revisions: Mapping[int, StackSpec] = field(default_factory=dict)
    pods: Mapping[str, Host] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The host ports that each pod was made with."""
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The networks that each pod was made with."""
    networks: Mapping[str, ObservedNetwork] = field(default_factory=dict)
    volumes: Mapping[str, ObservedVolume] = field(default_factory=dict)
    generated: Keys = field(default_factory=dict)
    rotations: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    """The stacks of pods of others."""
    members: Mapping[str, Owner] = field(default_factory=dict)
    """The pods on record that workloads have made."""
    kept: Mapping[tuple[str, str], KeptWorkload] = field(default_factory=dict)
    """What is kept of workloads, by kind and name."""
    under_way: Mapping[str, stack_rollouts.UnderWay] = field(default_factory=dict)
    """What a run is just doing to the pods of workloads; with the run that is forgotten."""

    # --- looking -----------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Host:
        host = self.pods.get(name, Host())
        return host.see(volumes=frozenset(self.volumes))

    @property
    def before(self) -> StackSpec | None:
        return self.revisions[self.record.current] if self.record.current else None

    def observe(self, stack: StackSpec, state: str) -> ObservedStack:
        present = {name: host for name, host in self.pods.items() if host.observed.pod}
        pods = {
            name: PresentPod(name, self.labels.get(name, ""), tuple(c.podman_name for c in host.pod.containers))
            for name, host in present.items()
        }
        requests = {
            name: Usage(*requested(host.recorded or s.PodSpec(name, ())), 1)
            for name, host in present.items()
            if stack.find(name) is None
        }
        return ObservedStack(
            record=self.record,
            is_damaged=self.is_damaged,
            before=self.before,
            revisions=tuple(sorted(self.revisions)),
            owners={**dict.fromkeys(self.record.owned.pods, NAME), **self.owners},
            pods=pods,
            requests=requests,
            members=self.members,
            made_by={one.name: one.made_by for one in self.kept.values() if one.made_by},
            stopped=frozenset(key for key, one in self.kept.items() if one.is_stopped),
            networks=self.networks,
            volumes=self.volumes,
            secrets=self._kept(stack, state in ("started", "rolled_back")),
            owners_of_secrets=frozenset(owner for owner, _secret, _key in self.generated),
        )

    def _kept(self, stack: StackSpec, is_to_run: bool) -> KeptSecrets:
        owner, keys = owner_of_secrets(NAME), [(item.name, key) for item in stack.secrets for key in item.generate]
        promised = [(item.name, key) for item in (self.before.secrets if self.before else ()) for key in item.generate]
        present = [key for key in keys if (owner, *key) in self.generated]
        if is_to_run:
            assert not {*keys} & {*promised} - {*present}, "what was generated before is lost"
        former = {
            key: Former(pod.name, self.generated[pod.name, *key])
            for key in keys
            for pod in reversed(stack.pods)
            if key not in present and (pod.name, *key) in self.generated
        }
        return KeptSecrets(
            {name: {k: self.generated[owner, s, k] for s, k in present if s == name} for name, _key in present},
            {key: self.rotations[owner, *key] for key in present},
            former,
        )

    def _fresh(self, stack: StackSpec) -> dict[tuple[str, str], str]:
        """New values, told apart by how often one was made: the same whichever way a run comes to need them."""
        owner = owner_of_secrets(NAME)
        keys = [(item.name, key) for item in stack.secrets for key in item.generate]
        made = {key: self.generated.get((owner, *key), "value of it no. 0") for key in keys}
        return {key: f"value of it no. {int(value.rpartition(' ')[2]) + 1}" for key, value in made.items()}

    def _taken_ports(self, pod: s.PodSpec) -> dict[str, PortHolder]:
        return {
            port_text(port): PortHolder("pod", other)
            for port in host_ports(pod)
            for other, held in self.ports.items()
            if other != pod.name and port_text(port) in held and self.pods[other].pod.infra_is_running
        }

    # --- planning ----------------------------------------------------------------------------------------------------

    def want(self, stack: StackSpec | None, **options: Any) -> Wanted:
        """A run with its plan. Raises Refused."""
        request = StackRequest(**{"name": NAME, "state": "started", "stack": stack, **options})
        if stack is None:
            stack = StackSpec(NAME)
            if request.state == "stopped":
                stack = self.before or stack
            elif request.state == "rolled_back":
                stack = self.revisions[revision_to_go_back_to(request, self.record)]
        found = self.observe(stack, request.state)
        secrets = SettledSecrets(found.secrets.values)
        if request.is_to_run:
            kept = {name: {**values, **request.restore.get(name, {})} for name, values in found.secrets.values.items()}
            found = replace(found, secrets=replace(found.secrets, values=kept))
            owner = owner_of_secrets(NAME)
            secrets = settle(NAME, owner, stack.secrets, found.secrets, self._fresh(stack), request.rotate)
        made = {name: recorded for name in self.members if (recorded := self.find(name).recorded)}
        wanted = Wanted(request, stack, secrets, StackPlan((), 0), made)
        leaving = leaving_pods(request, stack, found)
        views = {
            name: self._view(name, wanted, is_to_start=request.is_to_run and name not in leaving)
            for name in pods_to_observe(request, stack, found)
        }
        rollouts = stack_rollouts.foreseen(self, stack) if request.is_to_run else {}
        return replace(wanted, plan=plan_stack(request, stack, found, secrets, views, rollouts))

    def _view(self, name: str, wanted: Wanted, is_to_start: bool) -> PodView:
        host = self.find(name)
        host = replace(host, place=wanted.request.places.get(name, host.place))
        pod = wanted.pod(name) if is_to_start else host.recorded or s.PodSpec(name, ())
        if is_to_start:
            host = host.look(pod).see(taken_ports=self._taken_ports(pod))
        return PodView(host.desire(pod), host.observed, host.recorded is not None)

    # --- carrying out ------------------------------------------------------------------------------------------------

    def apply(self, stack: StackSpec | None, **options: Any) -> StackHost:
        """The host after a whole run, in the order in which it is told."""
        *_earlier, last = self.steps(self.want(stack, **options))
        return last

    def steps(self, wanted: Wanted, chance: random.Random | None = None) -> Iterator[StackHost]:
        """The host before the first operation and after each one; side by side is what may be, where ``chance`` is."""
        yield self
        host, waiting, finished = replace(self, under_way={}), list(wanted.plan.steps), set[str]()
        begun: list[tuple[Step, Iterator[Any]]] = []
        while waiting or begun:
            for step in [step for step in waiting if finished.issuperset(step.after)]:
                waiting.remove(step)
                begun.append((step, iter(step.operations)))
            step, operations = chance.choice(begun) if chance else begun[0]
            further = host.after_next_of(wanted, step, operations, chance)
            if further is None:
                begun.remove((step, operations))
                finished.add(step.name)
            host = further or host.finish(wanted, step)
            yield host

    def after_next_of(
        self, wanted: Wanted, step: Step, operations: Iterator[Any], chance: random.Random | None
    ) -> StackHost | None:
        """The host after the next thing that a step does; None where nothing is left of it."""
        if isinstance(step, RolloutStep):
            return stack_rollouts.after_next_move(self, wanted, step, chance)
        operation = next(operations, None)
        return self.carry_out(wanted, step, operation) if operation else None

    def carry_out(self, wanted: Wanted, step: Step, operation: op.Operation) -> StackHost:
        if isinstance(step, SharedStep):
            return _SHARED[type(operation)](self, wanted, operation)
        assert isinstance(step, PodStep)
        host = self.insist(wanted, step, operation)
        pod = wanted.pod(step.pod) if step.goal == "started" else host.find(step.pod).recorded
        return host.with_pod(pod or s.PodSpec(step.pod, ()), operation)

    def begin(self, pod: str, one: stack_rollouts.UnderWay | None) -> StackHost:
        """The host once something is being done to a pod of a workload; None once nothing is."""
        rest = _without(self.under_way, pod)
        return replace(self, under_way={**rest, pod: one} if one else rest)

    def with_pod(self, pod: s.PodSpec, operation: op.Operation) -> StackHost:
        """The host after an operation on a pod that is to be as it says."""
        changed = self.find(pod.name).run(pod, [operation])
        made = {name: ObservedVolume(name) for name in changed.observed.volumes - self.volumes.keys()}
        host = replace(self, pods={**self.pods, pod.name: changed}, volumes={**self.volumes, **made})
        return host.note(pod, operation)

    def insist(self, wanted: Wanted, step: PodStep, operation: op.Operation) -> StackHost:
        """What has to be true before anything is done to a pod."""
        for dependency in wanted.stack.dependencies_of(step.pod) if step.goal == "started" else ():
            if dependency.pod is None:
                assert stack_rollouts.is_as_declared(self, wanted, dependency.on), f"{step.pod} has to wait"
                continue
            other = self.pods[dependency.pod]
            assert other.recorded == wanted.pod(dependency.pod), f"{dependency.pod} is not as {step.pod} needs it"
            assert dependency.condition == "started" or other.is_verified, f"{dependency.pod} was not seen ready"
        if step.goal == "started":
            assert self.before == wanted.stack, "what a pod is brought to is on record first"
            for secret, values in wanted.secrets.values.items():
                kept = {k: self.generated.get((owner_of_secrets(NAME), secret, k)) for k in values}
                assert kept == values, "values are kept before anything is made with them"
        if isinstance(operation, op.CreatePod):
            assert {*wanted.pod(step.pod).networks} <= self.networks.keys(), "a network is there before its pods"
        if isinstance(operation, op.StartPod):
            held = {
                port for name, ports in self.ports.items() if name != step.pod and self.runs(name) for port in ports
            }
            assert not held & {port_text(port) for port in host_ports(wanted.pod(step.pod))}, "a port is had once"
        return self

    def runs(self, pod: str) -> bool:
        found = self.pods[pod].observed.pod
        return bool(found and found.infra_is_running)

    def note(self, pod: s.PodSpec, operation: op.Operation) -> StackHost:
        """What the sandbox of a pod was made with, until it is gone; and that its workload has it no more."""
        name = pod.name
        if isinstance(operation, op.CreatePod):
            ports = {**self.ports, name: frozenset(port_text(port) for port in host_ports(pod))}
            joined = {**self.joined, name: pod.networks}
            return replace(self, ports=ports, joined=joined, labels={**self.labels, name: NAME})
        if isinstance(operation, op.RemovePod):
            return replace(self, ports=_without(self.ports, name), joined=_without(self.joined, name))
        if isinstance(operation, op.Forget):
            return replace(self, members=_without(self.members, name))
        return self

    def finish(self, wanted: Wanted, step: Step) -> StackHost:
        """What comes about once a step is over."""
        if isinstance(step, AwaitStep) and step.condition != "seen":
            seen = replace(self.pods[step.pod], is_verified=True, previous=None)
            return replace(self, pods={**self.pods, step.pod: seen})
        if not isinstance(step, ConcludeStep):
            return self
        record = replace(self.record, current=step.number, owned=step.owned)
        if all(self.pods[pod.name].is_verified for pod in wanted.stack.pods):
            record = with_good(record, step.number)
        old = {*sorted(self.revisions)[: -step.history_limit]} - {step.number, record.good_before}
        kept = {number: stack for number, stack in self.revisions.items() if number not in old}
        record = replace(record, all_good=tuple(number for number in record.all_good if number in kept))
        return replace(self, record=record, revisions=kept, kept=stack_rollouts.forgotten(self, wanted))


def _without(mapping: Mapping[Any, Any], *keys: Any) -> dict[Any, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def comparable(host: StackHost, is_whole: bool = True) -> Any:
    """What tells whether two hosts are alike; ``is_whole``: with all that depends on the way that led there."""
    pods = {name: normalise(pod.see(volumes=frozenset())) for name, pod in host.pods.items() if pod != Host()}
    empty = normalise(Host())
    end = ({name: pod for name, pod in pods.items() if pod != empty}, sorted(host.networks))
    end = (*end, host.kept)
    if not is_whole:
        return (*end, {*host.record.owned.pods}, {*host.record.owned.networks}, host.before)
    owned = host.record.owned
    record = (host.record.current, host.record.all_good, {*owned.pods}, {*owned.volumes}, {*owned.networks})
    return (*end, record, host.revisions, sorted(host.volumes), host.generated, host.rotations)


# --- what the operations on what is shared do ------------------------------------------------------------------------


def _record_revision(host: StackHost, wanted: Wanted, operation: op.RecordRevision) -> StackHost:
    assert operation.number not in host.revisions, "a revision is written once"
    for secret in wanted.stack.secrets:
        for key in secret.generate:
            assert (owner_of_secrets(NAME), secret.name, key) in host.generated, "it promises what there is not"
    revisions = {**host.revisions, operation.number: wanted.stack}
    return replace(host, revisions=revisions, record=operation.record)


def _return_to_revision(host: StackHost, wanted: Wanted, operation: op.ReturnToRevision) -> StackHost:
    assert operation.number in host.revisions
    assert operation.number in host.record.all_good
    return replace(host, record=operation.record)


def _generate_secret(host: StackHost, wanted: Wanted, operation: op.GenerateSecret) -> StackHost:
    for key in operation.values:
        assert (operation.owner, operation.secret, key) not in host.generated, "what is kept is not made anew"
    return _keep(host, wanted, operation)


def _adopt_secret(host: StackHost, wanted: Wanted, operation: op.AdoptSecret) -> StackHost:
    for key, value in operation.values.items():
        values = [
            kept for (_owner, secret, k), kept in host.generated.items() if (secret, k) == (operation.secret, key)
        ]
        assert value in values, "what is taken over is a pod's"
    return _generate_secret(host, wanted, operation)


def _rotate_secret(host: StackHost, wanted: Wanted, operation: op.RotateSecret) -> StackHost:
    for key in operation.values:
        assert (operation.owner, operation.secret, key) in host.generated, "there is something to rotate"
    return _keep(host, wanted, operation)


def _keep(host: StackHost, wanted: Wanted, operation: Any) -> StackHost:
    (secret,) = (secret for secret in wanted.stack.secrets if secret.name == operation.secret)
    kept, numbers = dict(host.generated), dict(host.rotations)
    for key, value in operation.values.items():
        at = (operation.owner, secret.name, key)
        kept[at], numbers[at] = value, max(secret.rotate.get(key, 0), numbers.get(at, 0))
    return replace(host, generated=kept, rotations=numbers)


def _restore_secret(host: StackHost, wanted: Wanted, operation: op.RestoreSecret) -> StackHost:
    """``before_rotation`` of the request are the numbers here, as text."""
    kept, numbers = dict(host.generated), dict(host.rotations)
    for key, value in operation.values.items():
        at = (operation.owner, operation.secret, key)
        kept[at], numbers[at] = value, int(wanted.request.before_rotation[operation.secret][key])
    return replace(host, generated=kept, rotations=numbers)


def is_new(wanted: Wanted) -> bool:
    """Whether a run records a revision: else it makes again what was there before the stack, and is gone."""
    return any(isinstance(operation, op.RecordRevision) for operation in wanted.plan.operations)


def _create_network(host: StackHost, wanted: Wanted, operation: op.CreateNetwork) -> StackHost:
    network = operation.network
    assert network.name not in host.networks, "Podman refuses a second network of the name"
    assert network.name in host.record.owned.networks or not is_new(wanted), "what is made is on record before"
    made = ObservedNetwork(network.name, False, network.internal, (network.subnet,) if network.subnet else ())
    return replace(host, networks={**host.networks, network.name: made})


def _create_shared_volume(host: StackHost, wanted: Wanted, operation: op.CreateSharedVolume) -> StackHost:
    volume = operation.volume
    assert volume.name not in host.volumes, "Podman refuses a second volume of the name"
    assert volume.name in host.record.owned.volumes or not is_new(wanted), "what is made is on record before"
    made = ObservedVolume(volume.name, volume.driver, volume.options)
    return replace(host, volumes={**host.volumes, volume.name: made})


def _remove_network(host: StackHost, wanted: Wanted, operation: op.RemoveNetwork) -> StackHost:
    users = [pod for pod, networks in host.joined.items() if operation.name in networks]
    assert not users, f"Podman refuses to remove a network in use, by {users}"
    return replace(host, networks=_without(host.networks, operation.name))


def _remove_volume(host: StackHost, wanted: Wanted, operation: op.RemoveVolume) -> StackHost:
    assert wanted.request.prune_volumes, "data stays unless that is asked for"
    assert operation.name not in claimed_volumes(wanted.stack), "what is declared stays"
    return replace(host, volumes=_without(host.volumes, operation.name))


def _remove_secrets(host: StackHost, wanted: Wanted, operation: op.RemoveSecrets) -> StackHost:
    assert wanted.request.prune_volumes, "what data may be encrypted with stays unless that is asked for"
    going = [key for key in host.generated if key[0] == operation.owner]
    assert going
    return replace(host, generated=_without(host.generated, *going), rotations=_without(host.rotations, *going))


def _forget_stack(host: StackHost, wanted: Wanted, operation: op.ForgetStack) -> StackHost:
    assert not any(pod.observed.pod for name, pod in host.pods.items() if name in host.record.owned.pods)
    return replace(host, record=operation.remains, revisions={}, is_damaged=False, kept={})


def _stop_workload(host: StackHost, wanted: Wanted, operation: StopWorkload) -> StackHost:
    key = operation.kind, operation.pod
    (workload,) = (one for one in wanted.stack.workloads if (one.kind, one.name) == key)
    kept = replace(stack_rollouts.kept_of(host, workload), is_stopped=True)
    return replace(host, kept={**host.kept, key: kept})


_SHARED: dict[type[op.Operation], Any] = {
    op.RecordRevision: _record_revision,
    op.ReturnToRevision: _return_to_revision,
    op.GenerateSecret: _generate_secret,
    op.AdoptSecret: _adopt_secret,
    op.RotateSecret: _rotate_secret,
    op.RestoreSecret: _restore_secret,
    op.CreateNetwork: _create_network,
    op.CreateSharedVolume: _create_shared_volume,
    op.RemoveNetwork: _remove_network,
    op.RemoveVolume: _remove_volume,
    op.RemoveSecrets: _remove_secrets,
    op.ForgetStack: _forget_stack,
    StopWorkload: _stop_workload,
}
