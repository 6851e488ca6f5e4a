# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One snapshot of a stack: its record, and the facts of the host that its plan is made from. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._declaration.stack.spec import StackSpec
from .._errors import DamagedState, HostError
from .._reconcile.observed import LABEL_POD, LABEL_STACK, Usage
from .._reconcile.operations import owner_of_secrets
from .._reconcile.stack.observed import ObservedNetwork, ObservedStack, ObservedVolume, PresentPod, SetClaims
from .._reconcile.stack.record import Owned, StackRecord
from .._reconcile.stack.secrets import KeptSecrets
from .._reconcile.workloads.stateful_set import claims_of
from .observe import Snapshot, depends_on_networks
from .podman import named_volumes
from .podman.client import Podman
from .stack_store import StackStore, owners_of_pods, pods_recorded_for
from .store import Store
from .workload_store import KeptWorkload, WorkloadStore, pods_made_for


def observe_stack(
    podman: Podman, store: Store, known: ObservedStack, stack: StackSpec, state: str, snapshot: Snapshot
) -> ObservedStack:
    """The facts for the declaration ``stack``; ``known`` is what `observe_record` returned.

    Raises DamagedState if generated secrets are lost that the stack needs.
    """
    name = stack.name
    pods = {pod.name: pod for pod in _present_pods(snapshot)}
    made = pods_made_for(store, name)
    members = {pod: record.settings.owner for pod, record in made.items() if record.settings.owner}
    kept = _kept_workloads(store, name, state)
    candidates = {owner_of_secrets(name), *known.record.owned.pods, *pods}
    return ObservedStack(
        record=known.record,
        is_damaged=known.is_damaged,
        before=known.before,
        revisions=StackStore(store, name).numbers(),
        owners=owners_of_pods(store),
        pods=pods,
        requests={pod: Usage(*store.recorded_requests(pod), 1) for pod in pods if stack.find(pod) is None},
        members=members,
        ending=frozenset(pod for pod in members if made[pod].is_stopped),
        made_by={one.name: one.made_by for one in kept if one.made_by},
        stopped=frozenset((one.kind, one.name) for one in kept if one.is_stopped),
        claims=_set_claims(podman, kept),
        networks=_networks(podman, stack, known.record),
        volumes={
            volume: ObservedVolume(volume, driver, options)
            for volume, (driver, options) in snapshot.volumes.made_with.items()
        },
        secrets=_secrets(store, stack, known.before, state),
        owners_of_secrets=frozenset(owner for owner in candidates if store.secrets_file(owner).exists()),
    )


def observe_record(podman: Podman, store: Store, name: str, state: str) -> ObservedStack:
    """The record of a stack and its present revision. Raises DamagedState or HostError if they cannot be read.

    With state absent it raises neither: the pods, volumes and networks that name the stack take the record's place.
    """
    files = StackStore(store, name)
    try:
        record, is_damaged = files.read(), False
    except DamagedState:
        if state != "absent":
            raise
        owned = Owned(pods_recorded_for(store, name)).joined(labelled(podman, name))
        record, is_damaged = StackRecord(owned=owned), True
    try:
        before = files.revision(record.current).stack if record.current else None
    except HostError:
        if state != "absent":
            raise
        before = None
    return ObservedStack(record=record, is_damaged=is_damaged, before=before)


def labelled(podman: Podman, stack: str) -> Owned:
    """The volumes and networks whose labels name a stack."""
    volumes = ((item["Name"], item.get("Labels") or {}) for item in podman.get("/volumes/json") or [])
    networks = ((item["name"], item.get("labels") or {}) for item in podman.get("/networks/json") or [])
    names = (tuple(name for name, labels in group if labels.get(LABEL_STACK) == stack) for group in (volumes, networks))
    return Owned((), *names)


def _kept_workloads(store: Store, name: str, state: str) -> list[KeptWorkload]:
    """What is kept of the stack's workloads; a removal takes no notice of what is damaged."""
    files = WorkloadStore(store, name)
    found = (_kept_workload(files, kind, workload, state) for kind, workload in files.names())
    return [kept for kept in found if kept]


def _kept_workload(files: WorkloadStore, kind: str, name: str, state: str) -> KeptWorkload | None:
    try:
        return files.read(kind, name)
    except DamagedState:
        if state != "absent":
            raise
        return None


def _present_pods(snapshot: Snapshot) -> list[PresentPod]:
    return [_present_pod(snapshot, name, pod) for name, pod in snapshot.pods.items() if LABEL_POD in _labels(pod)]


def _present_pod(snapshot: Snapshot, name: str, pod: Mapping[str, Any]) -> PresentPod:
    names = (each for item in snapshot.containers(pod["Id"]) for each in item.get("Names") or [])
    return PresentPod(name, _labels(pod).get(LABEL_STACK, ""), tuple(names))


def _labels(pod: Mapping[str, Any]) -> Mapping[str, str]:
    return pod.get("Labels") or {}


def _set_claims(podman: Podman, kept: list[KeptWorkload]) -> dict[str, SetClaims]:
    sets = [one for one in kept if one.kind == "StatefulSet" and one.record.claim_templates]
    claims = named_volumes.claims(podman) if sets else frozenset()
    return {
        one.name: SetClaims(
            tuple(volume for volume, _number in claims_of(one.name, one.record.claim_templates, claims)),
            one.record.deletes_claims,
        )
        for one in sets
    }


def _networks(podman: Podman, stack: StackSpec, record: StackRecord) -> dict[str, ObservedNetwork]:
    if not (stack.networks or record.owned.networks or any(map(depends_on_networks, stack.pods))):
        return {}
    return {item["name"]: _network(item) for item in podman.get("/networks/json") or []}


def _network(item: Mapping[str, Any]) -> ObservedNetwork:
    subnets = tuple(str(subnet.get("subnet")) for subnet in item.get("subnets") or [])
    return ObservedNetwork(item["name"], bool(item.get("ipv6_enabled")), bool(item.get("internal")), subnets)


def _secrets(store: Store, stack: StackSpec, before: StackSpec | None, state: str) -> KeptSecrets:
    owner = owner_of_secrets(stack.name)
    if state in ("stopped", "absent"):
        # Only to mask them in output: a stop must not depend on them.
        return KeptSecrets(store.generated(owner, stack.secrets))
    pods = [pod.name for pod in stack.pods]
    return store.kept_secrets(owner, stack.secrets, pods, before.secrets if before else ())
