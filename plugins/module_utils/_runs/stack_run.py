# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole stack in one run: one reading, one plan over all objects, one execution, one result for each object.

Each pod goes through the same run as a pod on its own (`pod_run.Run`); this module decides what there is to do beside
and around them: what they share, in which order they come, what goes, and which revision it makes.
"""

from __future__ import annotations

import contextlib
import functools
import queue
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from .._declaration import arguments, parse, stack_parse, stack_spec
from .._declaration import spec as s
from .._declaration.documents import UNNAMED, documents_in
from .._declaration.stack_order import cycle, ordered
from .._declaration.stack_spec import Dependency, StackSpec
from .._errors import DamagedState, Fault, HostError, InvalidInput, NotFound, PodwrightError, Refused
from .._host import named_volumes, podman_service
from .._host.observe import Snapshot, depends_on_networks, read_node
from .._host.podman import Podman
from .._host.stack_store import (
    Owned,
    Revision,
    StackRecord,
    StackStore,
    owner_of_secrets,
    owners_of_pods,
    pods_recorded_for,
    stack_names,
    with_good,
)
from .._host.store import Store
from .._reconcile import materials as m
from .._reconcile import operations as op
from .._reconcile.context import Settings
from .._reconcile.effective import host_ports
from .._reconcile.limits import requested
from .._reconcile.observed import LABEL_POD, LABEL_STACK, Node, Observed, Usage
from .._reconcile.status_documents import show_time
from . import report
from .agent import Keeper
from .hurry import Hurry
from .pod_info import describe
from .pod_run import Run, only_run, rotations
from .report import secrets_of
from .request import Request, read_settings
from .run_failure import RunFailed

_WORKERS = 4
_OWNER_PREFIX = "pod "


@dataclass(frozen=True)
class StackRequest:
    """What a task asks for. ``stack`` is None where the state needs none, or finds it among the revisions."""

    name: str
    state: str
    stack: StackSpec | None
    prune: bool = True
    prune_volumes: bool = False
    allow_empty: bool = False
    wait: bool = True
    wait_timeout_seconds: float = 300
    on_failure: str = "rollback"
    change_cause: str = ""
    applied_by: str = ""
    revision: int | None = None
    revision_history_limit: int = 10
    is_check: bool = False
    settings: Settings = field(default_factory=Settings)
    """Those of each of its pods."""
    expected_images: frozenset[str] = frozenset()
    """Those that check mode takes as being there."""
    grace_period_seconds: int | None = None
    """In place of the declared one, for pods that are to be stopped or to go."""
    places: Mapping[str, parse.PodPlace] = field(default_factory=dict)
    """Where its pods are declared, by their names."""
    rotate: tuple[tuple[str, str], ...] = ()
    """Generated secrets, by name and key, that are to get new values."""


def read_request(options: Mapping[str, Any], is_check: bool) -> StackRequest:
    """The request in a module's options. Raises InvalidInput with every fault."""
    run = arguments.judged(options, arguments.STACK_RUN)
    state, stack, places = run["state"], None, {}
    if state == "started":
        declared = {row.name: options.get(row.name) for row in stack_parse.STACK_FIELDS}
        documents, names = documents_in(options.get("definition")), run["definition_names"] or ()
        source: str | list[str] = list(names) if len(names) == len(documents) else UNNAMED
        stack = stack_parse.parse_options(declared, documents, source)
        places = stack_parse.pod_places(declared, documents, source)
    if run["revision"] is not None and state != "rolled_back":
        raise InvalidInput([Fault("revision", "is for state rolled_back only")])
    name = stack.name if stack else stack_parse.parse_name(options)
    return StackRequest(
        name=name,
        state=state,
        stack=stack,
        prune=run["prune"],
        prune_volumes=run["prune_volumes"],
        allow_empty=run["allow_empty"],
        wait=run["wait"],
        wait_timeout_seconds=run["wait_timeout"],
        on_failure=run["on_failure"],
        change_cause=run["change_cause"] or "",
        applied_by=run["applied_by"] or "",
        revision=run["revision"],
        revision_history_limit=run["revision_history_limit"],
        is_check=is_check,
        settings=read_settings({**options, "restart_on_change": run["restart_on_change"]}, name),
        expected_images=frozenset(run["expected_images"] or ()),
        grace_period_seconds=run["grace_period_seconds"],
        places=places,
    )


def run_stack(
    options: Mapping[str, Any], is_check: bool, is_diff: bool = False, keeper: Keeper | None = None
) -> dict[str, Any]:
    """Bring a stack to its declared state; the ``stack`` module's work."""
    return run_request(read_request(options, is_check), keeper)


def run_request(request: StackRequest, keeper: Keeper | None = None) -> dict[str, Any]:
    """Tell or carry out what is asked for."""
    store = Store()
    if request.is_check:
        with podman_service.connect_to_predict() as podman:
            return StackRun(podman, store, request, keeper).tell()
    store.ensure()
    with podman_service.connect() as podman, _locks(podman, store, request, keeper):
        return StackRun(podman, store, request, keeper).carry_out()


def _pods_of(store: Store, stack: str) -> tuple[str, ...]:
    """Those that the stack owns by its record or, where that is damaged, by theirs."""
    try:
        return StackStore(store, stack).read().owned.pods
    except DamagedState:
        return pods_recorded_for(store, stack)


def labelled(podman: Podman, stack: str) -> Owned:
    """The volumes and networks that say that a stack made them."""
    volumes = ((item["Name"], item.get("Labels") or {}) for item in podman.get("/volumes/json") or [])
    networks = ((item["name"], item.get("labels") or {}) for item in podman.get("/networks/json") or [])
    names = (tuple(name for name, labels in group if labels.get(LABEL_STACK) == stack) for group in (volumes, networks))
    return Owned((), *names)


@contextlib.contextmanager
def _locks(podman: Podman, store: Store, request: StackRequest, keeper: Keeper | None) -> Iterator[None]:
    """Be the only run on the stack and on all its pods, also those to go; taken in one order by every run."""
    with contextlib.ExitStack() as held:
        owned = _pods_of(store, request.name)
        hurry = Hurry(podman, store, owned, request.grace_period_seconds)
        held.enter_context(store.lock(owner_of_secrets(request.name), request.wait_timeout_seconds, hurry))
        owned = _pods_of(store, request.name)
        declared = [pod.name for pod in request.stack.pods] if request.stack else []
        for pod in sorted({*owned, *declared}):
            held.enter_context(only_run(store, keeper, pod, request.wait_timeout_seconds, hurry))
        yield


class StackRun:
    """One run on one stack: what it found, what it decided, what it did. Raises Refused, with every reason."""

    def __init__(
        self,
        podman: Podman,
        store: Store,
        request: StackRequest,
        keeper: Keeper | None = None,
        record: StackRecord | None = None,
    ) -> None:
        """``record`` takes the place of the one that is kept, when the run carries on what another one began."""
        self.podman = podman
        self.store = store
        self.request = request
        self.keeper = keeper
        self.files = StackStore(store, request.name)
        self.is_damaged = False
        """Whether the stack is removed without a record of it that can be read."""
        self.record = record or self._read_record()
        self.before = self._read_before()
        self.stack = self._wanted()
        self.owner_of_secrets = owner_of_secrets(request.name)
        is_to_run = request.state in ("started", "rolled_back")
        self.renewed = store.renewals(self.owner_of_secrets, self.stack.secrets, request.rotate) if is_to_run else {}
        self.kept_values = store.kept_values(self.owner_of_secrets) if self.renewed else {}
        self.changes = keeper.changes() if keeper else {}
        self.snapshot = keeper.snapshot(podman) if keeper else Snapshot(podman)
        needs_networks = (
            self.stack.networks or self.record.owned.networks or any(map(depends_on_networks, self.stack.pods))
        )
        listed = (podman.get("/networks/json") or []) if needs_networks else []
        self.networks: dict[str, Mapping[str, Any]] = {item["name"]: item for item in listed}
        self.present = self._pods_present()
        self.owners = owners_of_pods(store)
        self.port_givers: dict[str, list[str]] = {}
        """By pod, those of the stack that hold host ports which it is to have, and which they are to give up."""
        self._awaited = {d.pod for group in self.stack.depends_on.values() for d in group}
        self.order = ordered([pod.name for pod in self.stack.pods], self._waits_for())
        self.leaving = self._leaving()
        self.runs: dict[str, Run] = {}
        self.removals: dict[str, Run] = {}
        self.done: list[op.Operation] = []
        self._look()
        self.order = ordered(self.order, self._waits_for())
        self.first, self.last = self._shared()

    # --- what is wanted ----------------------------------------------------------------------------------------------

    def _read_record(self) -> StackRecord:
        """Where the stack is to go and its record is damaged, what pods, volumes and networks themselves say."""
        try:
            return self.files.read()
        except DamagedState:
            if self.request.state != "absent":
                raise
        self.is_damaged = True
        owned = Owned(pods_recorded_for(self.store, self.request.name))
        return StackRecord(owned=owned.joined(labelled(self.podman, self.request.name)))

    def _read_before(self) -> StackSpec | None:
        """The present revision, None where there is none, or where a damaged one is to go."""
        try:
            return self.files.revision(self.record.current).stack if self.record.current else None
        except HostError:
            if self.request.state != "absent":
                raise
            return None

    def _wanted(self) -> StackSpec:
        request = self.request
        if request.stack is not None:
            return request.stack
        if request.state == "stopped":
            return self.before or StackSpec(request.name)
        if request.state == "rolled_back":
            return self.files.revision(self._revision_to_go_back_to()).stack
        return StackSpec(request.name)

    def _revision_to_go_back_to(self) -> int:
        """The one that was asked for, else the last good one before the present one."""
        if self.request.revision is not None:
            return self.request.revision
        if not self.record.good_before:
            raise Refused([Fault("state", f"stack {self.request.name} has no earlier good revision to go back to")])
        return self.record.good_before

    def _pods_present(self) -> dict[str, str]:
        """The pods of ours on this host, with the stack that their label names."""
        labels = {name: pod.get("Labels") or {} for name, pod in self.snapshot.pods.items()}
        return {name: given.get(LABEL_STACK, "") for name, given in labels.items() if LABEL_POD in given}

    def _leaving(self) -> tuple[str, ...]:
        """What the stack made and no longer declares, the last started first."""
        if not self.request.prune and self.request.state != "absent":
            return ()
        name = self.request.name
        labelled = sorted(pod for pod, stack in self.present.items() if stack == name == self.owners.get(pod, name))
        owned = dict.fromkeys((*self.record.owned.pods, *labelled))
        return tuple(pod for pod in reversed([*owned]) if self.stack.find(pod) is None)

    # --- the plan ----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Observe and plan every pod; raises Refused with the reasons of all of them."""
        faults = [*self._emptied(), *self._owned_by_others(), *self._made_otherwise()]
        state = "stopped" if self.request.state == "stopped" else "started"
        for name in self.leaving:
            faults += self._plan_pod(self.removals, self._pod_request(name, "absent", None))
        for pod in self._pods_with_values():
            if state == "stopped" and pod.name not in self.present:
                continue
            faults += self._plan_pod(self.runs, self._pod_request(pod.name, state, pod if state == "started" else None))
        circle = cycle(self._waits_for())
        if circle:
            reason = f"host ports go round among {', '.join(circle[:-1])}; free one of them in a run of its own"
            faults.append(Fault("pods", reason))
        if faults:
            raise Refused(faults)

    def _waits_for(self) -> dict[str, list[str]]:
        """What each pod waits for: what it depends on, and those that are to give up a port that it is to have."""
        waits = {name: [dependency.pod for dependency in group] for name, group in self.stack.depends_on.items()}
        for name, givers in self.port_givers.items():
            waits[name] = [*waits.get(name, ()), *givers]
        return waits

    def _emptied(self) -> Iterator[Fault]:
        """A declaration without pods removes none that are there unless that is said: a file may just be empty."""
        request = self.request
        if request.state == "started" and self.leaving and not self.stack.pods and not request.allow_empty:
            present = ", ".join(sorted(self.leaving))
            yield Fault(
                "pods",
                f"the declaration has none, and stack {request.name} has {present}, which would all be removed; if "
                "that is meant, set allow_empty (podwright apply --prune-all), or state to absent",
            )

    def _owned_by_others(self) -> list[Fault]:
        return [
            Fault(
                self._path_of_name(pod.name),
                f"the pod {pod.name} belongs to stack {self.owners[pod.name]}; remove it there, or choose another name",
            )
            for pod in self.stack.pods
            if self.owners.get(pod.name, self.request.name) != self.request.name
        ]

    def _path_of_name(self, pod: str) -> str:
        place = self.request.places.get(pod)
        return place.name.path if place else pod

    def _made_otherwise(self) -> Iterator[Fault]:
        """Networks and volumes that are there with other settings: Podman can change neither."""
        remedy = "Podman cannot change it: give it another name, or remove it by hand"
        for number, network in enumerate(self.stack.networks):
            found = self.networks.get(network.name)
            subnets = [item.get("subnet") for item in (found or {}).get("subnets") or []]
            if found and bool(found.get("internal")) != network.internal:
                yield Fault(
                    f"networks[{number}].internal", f"network {network.name} is there with another one; {remedy}"
                )
            if found and network.subnet and network.subnet not in subnets:
                shown = ", ".join(map(str, subnets)) or "none"
                yield Fault(f"networks[{number}].subnet", f"network {network.name} is there with {shown}; {remedy}")
        for number, volume in enumerate(self.stack.volumes):
            driver, options = self.snapshot.volumes.made_with.get(volume.name, (volume.driver, volume.options))
            if driver != volume.driver or (volume.options and dict(options) != dict(volume.options)):
                place = f"volumes[{number}].{'driver' if driver != volume.driver else 'options'}"
                yield Fault(place, f"volume {volume.name} is there with another one; {remedy}")

    @functools.cached_property
    def _secrets_with_values(self) -> tuple[s.Secret, ...]:
        keep = not self.request.is_check
        pods = [pod.name for pod in self.stack.pods]
        owner, promised = self.owner_of_secrets, self.before.secrets if self.before else ()
        if self.request.state == "stopped":
            # For what is to be hidden; a stop must not depend on it.
            kept = self.store.generated(owner, self.stack.secrets)
        else:
            kept = self.store.generate(owner, self.stack.secrets, keep, pods, promised)
        generated = {name: {**values, **self.renewed.get(name, {})} for name, values in kept.items()}
        return with_values(self.stack.secrets, generated)

    def _pods_with_values(self) -> tuple[s.PodSpec, ...]:
        """The pods in the order they come, each with the configuration it uses; generated secrets are the stack's."""
        stack = replace(self.stack, secrets=self._secrets_with_values)
        pods = (stack.find(name) for name in self.order)
        return tuple(stack_spec.pod_with_configuration(stack, pod) for pod in pods if pod)

    def _pod_request(self, name: str, state: str, pod: s.PodSpec | None) -> Request:
        return Request(
            name=name,
            state=state,
            pod=pod,
            wait=self.request.wait or name in self._awaited,
            wait_timeout_seconds=self.request.wait_timeout_seconds,
            on_failure="",
            is_check=self.request.is_check,
            settings=self.request.settings,
            expected_images=self.request.expected_images,
            grace_period_seconds=self.request.grace_period_seconds,
            place=self.request.places.get(name, parse.native_place()),
            absent_cause=self._cause_of_leaving(),
        )

    def _cause_of_leaving(self) -> str:
        return "state is absent" if self.request.state == "absent" else "no longer declared"

    def _plan_pod(self, runs: dict[str, Run], request: Request) -> list[Fault]:
        try:
            foresee = functools.partial(self._foresee, request.name)
            runs[request.name] = Run(
                self.podman, self.store, request, foresee, self.snapshot, self.keeper, self.changes
            )
        except Refused as error:
            if request.name in self.request.places:
                return list(error.faults)
            return [Fault(_below(request.name, fault.path), fault.reason) for fault in error.faults]
        return []

    @functools.cached_property
    def _used_by_all(self) -> Usage:
        """What all pods of ours will have asked for: those of the stack, and those that it has nothing to do with."""
        others = [pod for pod in self.present if self.stack.find(pod) is None and pod not in self.leaving]
        requests = [*map(self.store.recorded_requests, others), *map(requested, self.stack.pods)]
        return Usage(sum(cpu for cpu, _memory in requests), sum(memory for _cpu, memory in requests), len(requests))

    def _foresee(self, name: str, observed: Observed) -> Observed:
        """What a pod will find: the ports of those that leave are free, and those of the stack take their share."""
        taken = {
            port: owner for port, owner in observed.taken_ports.items() if not self._is_given_up(name, port, owner)
        }
        own = self.stack.find(name)
        cpu_millicores, memory_bytes = requested(own) if own else (0, 0)
        used = self._used_by_all
        usage = Usage(used.cpu_millicores - cpu_millicores, used.memory_bytes - memory_bytes, used.pods - 1)
        # These are made before any pod is.
        volumes = observed.volumes | {volume.name for volume in self.stack.volumes}
        foreign = {key: owner for key, owner in observed.foreign_names.items() if key not in self._names_to_go}
        return replace(
            observed,
            taken_ports=taken,
            usage=usage,
            volumes=volumes,
            foreign_names=foreign,
            networks=self._networks_to_be,
        )

    @functools.cached_property
    def _networks_to_be(self) -> dict[str, bool] | None:
        """The networks that there are once those of the stack are made, each with whether it has IPv6."""
        if not self.networks:
            return None
        present = {name: bool(item.get("ipv6_enabled")) for name, item in self.networks.items()}
        return {**{network.name: ":" in (network.subnet or "") for network in self.stack.networks}, **present}

    @functools.cached_property
    def _names_to_go(self) -> frozenset[str]:
        """What is free in Podman once all that leaves has left, which is before anything comes."""
        ids = [self.snapshot.pods[name]["Id"] for name in self.leaving if name in self.snapshot.pods]
        containers = (item for pod_id in ids for item in self.snapshot.containers(pod_id))
        return frozenset({*self.leaving, *(name for item in containers for name in item.get("Names") or [])})

    def _is_given_up(self, name: str, port: str, owner: str) -> bool:
        """Whether the holder of a port leaves, or is a pod of the stack that no longer declares it: it goes first."""
        if not owner.startswith(_OWNER_PREFIX):
            return False
        holder = owner[len(_OWNER_PREFIX) :]
        pod = self.stack.find(holder)
        if pod is None:
            return holder in self.leaving
        kept = {f"{item.host_port}/{item.protocol.lower()}" for item in host_ports(pod)}
        if holder == name or port.rpartition(":")[2] in kept:
            return False
        self.port_givers.setdefault(name, []).append(holder)
        return True

    def _shared(self) -> tuple[list[op.Operation], list[op.Operation]]:
        """What comes before the pods, and what goes after them."""
        name = self.request.name
        volumes, networks = self.snapshot.volumes.names, self.networks
        first: list[op.Operation] = []
        if self.request.state in ("started", "rolled_back"):
            first = [
                *([op.RecordRevision(name, self._revision_cause(), self.number)] if self.is_new_revision else []),
                *self._rotations(),
                *(op.CreateNetwork(name, op.MISSING, n) for n in self.stack.networks if n.name not in networks),
                *(op.CreateSharedVolume(name, op.MISSING, v) for v in self.stack.volumes if v.name not in volumes),
            ]
        last: list[op.Operation] = []
        if self.request.state != "stopped" and (self.request.prune or self.request.state == "absent"):
            cause = self._cause_of_leaving()
            kept = {network.name for network in self.stack.networks}
            last = [
                op.RemoveNetwork(name, cause, network)
                for network in self.record.owned.networks
                if network in networks and network not in kept
            ]
            if self.request.prune_volumes:
                last += [
                    op.RemoveVolume(name, f"{cause}, and prune_volumes is set", volume)
                    for volume in self.record.owned.volumes
                    if volume in volumes and volume not in _volumes_of(self.stack)
                ]
        if self.request.state == "absent" and self.request.prune_volumes:
            # What they open is gone, or was never kept.
            cause = "state is absent, and prune_volumes is set"
            last += [op.RemoveSecrets(name, cause, owner) for owner in self._owners_of_secrets()]
        if self.request.state == "absent" and (self.is_damaged or self.record != self._what_remains()):
            last.append(op.ForgetStack(name, "state is absent"))
        return first, last

    def _rotations(self) -> Iterator[op.Operation]:
        name, owner = self.request.name, self.owner_of_secrets
        return rotations(name, owner, self.renewed, self.stack.secrets, self.request.rotate)

    def _owners_of_secrets(self) -> list[str]:
        """The stack and those of its pods for which something was generated, be it before they joined it."""
        return [owner for owner in (self.owner_of_secrets, *self.leaving) if self.store.secrets_file(owner).exists()]

    def _what_remains(self) -> StackRecord:
        """The record of a stack that is gone: volumes that were kept are still its own, to be removed when asked to."""
        volumes = () if self.request.prune_volumes else self.record.owned.volumes
        return StackRecord(owned=Owned(volumes=volumes))

    def _revision_cause(self) -> str:
        if self.before is None:
            return "it is not recorded yet"
        before, after = s.to_options(self.before), s.to_options(self.stack)
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        return f"{', '.join(changed)} changed"

    @property
    def number(self) -> int:
        """The revision that the stack has when all is done."""
        if not self.is_new_revision:
            return self.record.current
        return max((*self.files.numbers(), self.record.current, 0)) + 1

    @property
    def plan(self) -> op.Plan:
        """Everything, in the order in which it is told; independent pods are carried out side by side."""
        pods = [*self.removals.values(), *(self.runs[name] for name in self._run_order())]
        operations = (operation for run in pods for operation in run.plan.operations)
        return op.Plan((*self.first, *operations, *self.last))

    def _run_order(self) -> tuple[str, ...]:
        """Pods start in the order of their dependencies and stop in the reverse one."""
        names = tuple(name for name in self.order if name in self.runs)
        return names[::-1] if self.request.state == "stopped" else names

    @property
    def is_new_revision(self) -> bool:
        return self.request.state in ("started", "rolled_back") and self.before != self.stack

    # --- telling -----------------------------------------------------------------------------------------------------

    def tell(self) -> dict[str, Any]:
        """What the plan means, as the module's result; ``secrets`` in it must be shown nowhere."""
        plan = self.plan
        result: dict[str, Any] = {
            "changed": bool(plan),
            "actions": plan.lines(),
            "objects": self._objects(),
            # One that the host is the reason for is said of every pod.
            "warnings": [*dict.fromkeys(warning for run in self.runs.values() for warning in run.warnings)],
            "secrets": self._secrets(),
            "stack": {"name": self.request.name, "revision": self.record.current},
        }
        if result["changed"]:
            key = self.store.key()
            after = None if self.request.state == "absent" else self.stack
            result["diff"] = {
                "before": report.shown_options(s.to_options(self.before) if self.before else None, key),
                "after": report.shown_options(s.to_options(after) if after else None, key),
                "prepared": "\n".join([*plan.lines(), ""]),
            }
        return result

    def _secrets(self) -> tuple[str, ...]:
        values = {value for run in (*self.runs.values(), *self.removals.values()) for value in run.secrets}
        gathered = m.secret_values(m.gather(s.PodSpec("", (), secrets=self._secrets_with_values), {}))
        return tuple(sorted(values | {*gathered}))

    def _objects(self) -> list[dict[str, Any]]:
        """One line for each object: what becomes of it."""
        pods: list[dict[str, Any]] = []
        for name, run in [*self.removals.items(), *((name, self.runs[name]) for name in self._run_order())]:
            actions = [str(operation) for operation in run.plan.operations]
            pods.append({"kind": "Pod", "name": name, "result": self._result_of(run), "actions": actions})
        before = self.before or StackSpec(self.request.name)
        after = StackSpec(self.request.name) if self.request.state == "absent" else self.stack
        groups = (("ConfigMap", "config_maps"), ("Secret", "secrets"), ("Volume", "volumes"), ("Network", "networks"))
        return pods + [
            {"kind": kind, "name": name, "result": result}
            for kind, group in groups
            for name, result in _compared(getattr(before, group), getattr(after, group), self._outlives(kind))
        ]

    def _outlives(self, kind: str) -> bool:
        return kind == "Volume" and not self.request.prune_volumes

    def _result_of(self, run: Run) -> str:
        if run.request.state == "absent":
            return "removed"
        if not run.plan:
            return "unchanged"
        if run.request.state == "stopped":
            return "stopped"
        return "changed" if run.observed.pod else "created"

    # --- carrying out ------------------------------------------------------------------------------------------------

    def carry_out(self) -> dict[str, Any]:
        """Execute, wait, and write down what came of it; on failure go back to the last good revision, if asked to."""
        number = self.number
        try:
            told = self._execute()
        except PodwrightError as error:
            raise self._give_up(error) from error
        result = self.tell()
        self._end(number)
        result["warnings"] = [warning for pod in told.values() for warning in pod["warnings"]]
        for item in result["objects"]:
            status = told.get(item["name"], {}).get("pod", {}).get("status") if item["kind"] == "Pod" else None
            if status:
                item["phase"] = status["phase"]
        result["stack"]["revision"] = number
        return result

    def _record_revision(self, number: int) -> None:
        cause = self.request.change_cause
        if self.request.state == "rolled_back" and not cause:
            cause = f"rolled back to revision {self._revision_to_go_back_to()}"
        self.files.write_revision(Revision(number, self.stack, time.time(), self.request.applied_by, cause))
        self._write(replace(self.record, current=number, owned=self._owned().joined(self.record.owned)))

    def _owned(self) -> Owned:
        """What the stack owns once all is done: volumes only if they were not there before it."""
        there = self.snapshot.volumes.names
        before = self.record.owned.volumes
        made = (volume for volume in _volumes_of(self.stack) if volume in before or volume not in there)
        left = () if self.request.prune_volumes else before
        owned = self.record.owned.networks
        kept = [n.name for n in self.stack.networks if n.name in owned or n.name not in self.networks]
        return Owned(self._owned_pods(), tuple(dict.fromkeys((*made, *left))), tuple(kept))

    def _owned_pods(self) -> tuple[str, ...]:
        left = () if self.request.prune else self.record.owned.pods
        return tuple(dict.fromkeys((*self.order, *left)))

    def _end(self, number: int) -> None:
        """All is done: what is no longer declared is no longer owned. The revision is good if all was seen ready."""
        if self.request.state in ("absent", "stopped"):
            return
        owned = self.record.owned
        volumes = tuple(v for v in owned.volumes if not self.request.prune_volumes or v in _volumes_of(self.stack))
        networks = tuple(n for n in owned.networks if not self.request.prune or self._declares_network(n))
        all_good = self.record.all_good
        if all(run.is_verified for run in self.runs.values()):
            all_good = with_good(self.record, number).all_good
        self._write(StackRecord(number, all_good, Owned(self._owned_pods(), volumes, networks)))
        self.files.keep_revisions(self.request.revision_history_limit, (number, self.record.good_before))
        kept = self.files.numbers()
        self._write(replace(self.record, all_good=tuple(good for good in all_good if good in kept)))

    def _declares_network(self, name: str) -> bool:
        return any(network.name == name for network in self.stack.networks)

    def _write(self, record: StackRecord) -> None:
        if record != self.record:
            self.files.write(record)
        self.record = record

    def _execute(self) -> dict[str, dict[str, Any]]:
        """Carry out all of it; the result of each pod. Raises what failed first, or StackFailed for pods."""
        for operation in self.first:
            self._perform(operation)
        told = {name: self._carry_out_pod(run, False) for name, run in self.removals.items()}
        if self.request.state == "stopped":
            told.update((name, self._carry_out_pod(self.runs[name], False)) for name in self._run_order())
        else:
            told.update(_SideBySide(self).carry_out())
        for operation in self.last:
            self._perform(operation)
        return told

    def _carry_out_pod(self, run: Run, is_awaited_to_complete: bool) -> dict[str, Any]:
        try:
            run.execute()
            return run.finish(is_awaited_to_complete)
        finally:
            self.done += run.done

    def _perform(self, operation: op.Operation) -> None:
        if isinstance(operation, op.RecordRevision):
            self._record_revision(operation.number)
        elif isinstance(operation, op.RotateSecret):
            declared = next(secret for secret in self.stack.secrets if secret.name == operation.secret)
            self.store.renew(operation.owner, operation.secret, operation.values, declared.rotate)
            if self.keeper:
                self.keeper.done(operation)
        elif isinstance(operation, op.RemoveSecrets):
            self.store.forget_generated(operation.owner)
        elif isinstance(operation, op.ForgetStack):
            remains = self._what_remains()
            self.files.forget()
            if remains != StackRecord():
                self.files.write(remains)
        elif isinstance(operation, op.CreateNetwork):
            create_network(self.podman, self.request.name, operation.network)
        elif isinstance(operation, op.CreateSharedVolume):
            volume = operation.volume
            labels = {LABEL_STACK: self.request.name}
            body = {"Name": volume.name, "Driver": volume.driver, "Options": dict(volume.options), "Labels": labels}
            self.podman.post("/volumes/create", body=body)
        elif isinstance(operation, op.RemoveNetwork):
            with contextlib.suppress(NotFound):
                self.podman.delete(f"/networks/{quote(operation.name)}")
        elif isinstance(operation, op.RemoveVolume):
            with contextlib.suppress(NotFound):
                named_volumes.remove(self.podman, operation.name)
        self.done.append(operation)

    # --- failure -----------------------------------------------------------------------------------------------------

    def _give_up(self, error: PodwrightError) -> RunFailed:
        lines = [str(error)]
        done = [str(operation) for operation in self.done]
        if self.request.state in ("started", "rolled_back") and done and self.request.on_failure:
            lines.append(self._go_back())
        first = error.errors[0] if isinstance(error, PodsFailed) else error
        return RunFailed("\n".join(lines), first, done, self._secrets())

    def _go_back(self) -> str:
        if self.request.on_failure != "rollback":
            return "It is left as it is (on_failure is keep)."
        if not self.record.good:
            return "It is left as it is: no earlier revision was ready, so there is nothing to go back to."
        good = self.files.revision(self.record.good)
        has_rotated = any(isinstance(operation, op.RotateSecret) for operation in self.done)
        if has_rotated:
            self.store.keep_values(self.owner_of_secrets, self.kept_values)
        if good.stack == self.stack and not has_rotated:
            return f"It is left as it is: what was applied is revision {good.number}, the last good one."
        request = replace(self.request, state="started", stack=good.stack, on_failure="", prune=True, rotate=())
        try:
            run = StackRun(self.podman, self.store, request, self.keeper, replace(self.record, current=good.number))
            run.files.write(run.record)
            run.carry_out()
        except PodwrightError as error:
            return f"Going back to revision {good.number} failed as well: {error}"
        return f"Rolled back to revision {good.number}, which is ready again."


class PodsFailed(PodwrightError):
    """Pods of a stack failed; ``errors`` are theirs, and ``held_back`` the pods that were waiting for them."""

    def __init__(self, errors: list[PodwrightError], held_back: list[str]) -> None:
        self.errors = errors
        waited = f"\nNot begun, since they wait for it: {', '.join(held_back)}." if held_back else ""
        super().__init__("\n".join(map(str, errors)) + waited)


class _SideBySide:
    """Carries out the pods of a stack, each as soon as what it waits for has come about."""

    def __init__(self, stack: StackRun) -> None:
        self._stack = stack
        self._reached: dict[str, set[str]] = {name: set() for name in stack.runs}
        self._events: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        self._awaited_to_complete = {
            dependency.pod
            for group in stack.stack.depends_on.values()
            for dependency in group
            if dependency.condition == "completed"
        }

    def carry_out(self) -> dict[str, dict[str, Any]]:
        """The result of each pod. Raises PodsFailed once nothing more can be done."""
        waiting = list(self._stack._run_order())
        told: dict[str, dict[str, Any]] = {}
        errors: list[PodwrightError] = []
        running = 0
        with ThreadPoolExecutor(max_workers=_WORKERS) as workers:
            while waiting or running:
                for name in [name for name in waiting if not errors and self._may_begin(name)]:
                    waiting.remove(name)
                    running += 1
                    workers.submit(self._work, name)
                if not running:
                    break
                name, event, value = self._events.get()
                if event in ("failed", "finished"):
                    running -= 1
                if event == "failed":
                    errors.append(value)
                elif event == "finished":
                    told[name] = value
                    self._reached[name] |= {"ready", "completed"}
                else:
                    self._reached[name].add(event)
        if errors:
            raise PodsFailed(errors, waiting)
        return told

    def _may_begin(self, name: str) -> bool:
        dependencies = [
            *self._stack.stack.dependencies_of(name),
            *(Dependency(giver, "started") for giver in self._stack.port_givers.get(name, ())),
        ]
        return all(dependency.condition in self._reached.get(dependency.pod, ()) for dependency in dependencies)

    def _work(self, name: str) -> None:
        """In a thread of its own, with a session of its own."""
        run = self._stack.runs[name]
        try:
            with self._stack.podman.clone() as podman:
                run.podman = podman
                run.execute()
                self._events.put((name, "started", None))
                self._events.put((name, "finished", run.finish(name in self._awaited_to_complete)))
        except PodwrightError as error:
            self._events.put((name, "failed", error))
        except Exception as error:
            # A mistake of ours in one pod's thread must not leave the others waiting for it for ever.
            self._events.put((name, "failed", PodwrightError(f"pod {name}: {type(error).__name__}: {error}")))
        finally:
            self._stack.done += run.done


def with_values(secrets: tuple[s.Secret, ...], generated: Mapping[str, Mapping[str, str]]) -> tuple[s.Secret, ...]:
    """A stack's secrets with the values that were generated for them."""
    return tuple(
        replace(item, string_data={**generated.get(item.name, {}), **item.string_data}, generate={}, rotate={})
        for item in secrets
    )


def verify_revision(store: Store, name: str) -> bool:
    """Write down that a stack's present revision is good, once each of its pods was seen ready as it declares them.

    So one becomes good that no run has waited for. Tells whether that was written, which it is not while a run is on
    the stack.
    """
    files = StackStore(store, name)
    if files.read().current == files.read().good:
        return False
    with store.lock_if_free(owner_of_secrets(name)) as was_elsewhere:
        record = files.read()
        if was_elsewhere is None or not record.current or record.current == record.good:
            return False
        stack = files.revision(record.current).stack
        generated = store.generated(owner_of_secrets(name), stack.secrets)
        stack = replace(stack, secrets=with_values(stack.secrets, generated))
        for declared in stack.pods:
            found = store.read_record(declared.name)
            pod = stack_spec.pod_with_configuration(stack, declared)
            if found is None or found.is_stopped or not found.is_verified or found.applied.pod != pod:
                return False
        files.write(with_good(record, record.current))
    return True


def create_network(podman: Podman, stack: str, network: stack_spec.Network) -> None:
    """Make a network of a stack."""
    body: dict[str, Any] = {
        "name": network.name,
        "driver": "bridge",
        "dns_enabled": network.dns,
        "internal": network.internal,
        "labels": {LABEL_STACK: stack},
    }
    if network.subnet:
        gateway = {"gateway": network.gateway} if network.gateway else {}
        body["subnets"] = [{"subnet": network.subnet, **gateway}]
    podman.post("/networks/create", body=body)


def _volumes_of(stack: StackSpec) -> tuple[str, ...]:
    """The named volumes that a stack declares or claims."""
    claims = (v.persistent_volume_claim for pod in stack.pods for v in pod.volumes)
    names = (*(volume.name for volume in stack.volumes), *(claim.claim_name for claim in claims if claim))
    return tuple(dict.fromkeys(names))


def _below(pod: str, path: str) -> str:
    """The path of a pod's fault, within its stack."""
    return path if path.partition("/")[0] == pod else f"{pod}.{path}"


def _compared(before: Any, after: Any, outlives: bool) -> Iterator[tuple[str, str]]:
    old, new = {item.name: item for item in before}, {item.name: item for item in after}
    for name, item in new.items():
        yield name, "created" if name not in old else "unchanged" if old[name] == item else "changed"
    for name in old:
        if name not in new:
            yield name, "kept" if outlives else "removed"


# --- stack_info ------------------------------------------------------------------------------------------------------


def run_stack_info(
    options: Mapping[str, Any], is_check: bool = False, is_diff: bool = False, keeper: Keeper | None = None
) -> dict[str, Any]:
    """What there is of one stack, or of all; the ``stack_info`` module's work."""
    store, name = Store(), arguments.judged(options, arguments.STACK_INFO)["name"]
    names = [name] if name else stack_names(store)
    with podman_service.connect() as podman:
        node = read_node(podman.api_version)
        told = [_describe(podman, store, node, name, keeper) for name in names]
    stacks = [stack for stack in told if stack]
    pods = sorted({pod["metadata"]["name"] for stack in stacks for pod in stack["pods"]})
    secrets = sorted({secret for pod in pods for secret in secrets_of(store, pod)})
    return {"changed": False, "stacks": stacks, "secrets": secrets}


def _describe(podman: Podman, store: Store, node: Node, name: str, keeper: Keeper | None) -> dict[str, Any] | None:
    files = StackStore(store, name)
    damage = ""
    try:
        record = files.read()
    except DamagedState as error:
        damage = str(error)
        record = StackRecord(max(files.numbers(), default=0), owned=Owned(pods_recorded_for(store, name)))
    if not record.current and not damage:
        return None
    return {
        "name": name,
        "revision": record.current,
        "is_good": record.current == record.good and not damage,
        "damage": damage,
        "revisions": [_describe_revision(files, number, record) for number in files.numbers()],
        "pods": describe(podman, store, node, record.owned.pods, keeper),
        "volumes": list(record.owned.volumes),
        "networks": list(record.owned.networks),
    }


def _describe_revision(files: StackStore, number: int, record: StackRecord) -> dict[str, Any]:
    try:
        revision, damage = files.revision(number), ""
    except DamagedState as error:
        revision, damage = Revision(number, StackSpec(files.directory.name), 0), str(error)
    return {
        "number": number,
        "applied_at": show_time(revision.applied_at or None),
        "applied_by": revision.applied_by,
        "change_cause": revision.change_cause,
        "is_good": number in record.all_good and not damage,
        "damage": damage,
    }
