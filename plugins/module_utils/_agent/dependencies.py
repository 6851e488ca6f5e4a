# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Pods of stacks wait for: other Pods before they come up or stop, and the networks of their stack."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .._declaration.stack.order import waves
from .._declaration.stack.spec import Condition, Dependency, StackSpec, reference
from .._errors import DamagedState
from .._host.podman import networks
from .._host.podman.client import Podman
from .._host.stack_store import StackStore, stack_names
from .._host.state.records import Record
from .._host.workload_store import WorkloadStore, members_of
from .._reconcile import operations as op
from .._reconcile.pod.step import is_pod_available
from .._reconcile.status_documents import is_well
from .._reconcile.workloads.job_record import COMPLETE
from .keeper.view import View

if TYPE_CHECKING:
    from .agent import Agent


class Dependencies:
    """Those of all Pods, as the present revisions of their stacks have them."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._networks = threading.Lock()

    def waits_for(self, pod: str) -> str:
        """The pod or workload that this one waits for by its stack's present revision, empty for none."""
        record = self._agent.store.read_record(pod)
        if record is None or not record.settings.stack:
            return ""
        stack = record.settings.stack
        for dependency in self._dependencies(stack).get(_name_of(pod, record), ()):
            if not self._is_met(stack, dependency):
                return dependency.on
        return ""

    def restore_networks(self, podman: Podman, record: Record) -> None:
        """Make those networks of the Pod anew that its stack had made and somebody has removed."""
        pod, stack = record.applied.pod, record.settings.stack
        if not (pod.networks and stack):
            return
        with self._networks:
            found = {network["name"] for network in podman.get("/networks/json") or []}
            for network in self._declared(stack).networks:
                if network.name in pod.networks and network.name not in found:
                    networks.create(podman, stack, network)
                    self._agent.done(op.CreateNetwork(pod.name, op.MISSING, network))

    def _dependencies(self, stack: str) -> Mapping[str, tuple[Dependency, ...]]:
        return self._declared(stack).depends_on

    def _declared(self, stack: str) -> StackSpec:
        """The stack's present revision; an empty one if none can be read. A pod of a damaged stack is kept all the
        same: only the order to start in is lost.
        """
        files = StackStore(self._agent.store, stack)
        try:
            record = files.read()
            return files.revision(record.current).stack if record.current else StackSpec(stack)
        except DamagedState as error:
            self._agent.events.add(error.reason, "", str(error), is_warning=True)
            return StackSpec(stack)

    def _is_met(self, stack: str, dependency: Dependency) -> bool:
        if dependency.pod is None:
            return self._is_workload_ready(stack, *dependency.on.split("/"))
        return self._is_pod(dependency.pod, dependency.condition)

    def _is_workload_ready(self, stack: str, kind: str, name: str) -> bool:
        """Whether all pods that it has are ready; a Job is complete, or gone."""
        if kind == "Job":
            status = WorkloadStore(self._agent.store, stack).read_status(kind, name) or {}
            conditions = {one["type"]: one["status"] for one in status.get("conditions", ())}
            return not status or conditions.get(COMPLETE) == "True"
        members = members_of(self._agent.store, stack, name).get((kind, name), {})
        return all(self._is_pod(member, "ready") for member in members)

    def _is_pod(self, name: str, condition: Condition) -> bool:
        if not self._agent.store.knows(name):
            return True
        keeper = self._agent.known_keeper(name)
        view = keeper.view if keeper else View()
        status = view.status
        if condition == "completed":
            return status.get("phase") == "Succeeded"
        if condition == "started":
            return status.get("phase") in ("Running", "Succeeded")
        if not is_well(status) or view.pod is None:
            return False
        # One that ends again and again is ready for moments.
        return status.get("phase") == "Succeeded" or is_pod_available(view.pod, view.available, view.observed)

    def stopping_order(self) -> list[list[str]]:
        """The Pods that are kept, in waves: each wave stops before the next, which the Pods of it depend on."""
        waits: dict[str, list[str]] = {keeper.name: [] for keeper in self._agent.keepers()}
        for stack in stack_names(self._agent.store):
            with self._agent.telling("", f"the order of stack {stack} is not known"):
                names = self._pods_by_name(stack)
                for name, dependencies in self._dependencies(stack).items():
                    others = [pod for one in dependencies for pod in names.get(one.on, [one.on]) if pod in waits]
                    for pod in names.get(name, [name]):
                        if pod in waits:
                            waits[pod] += others
        return waves(waits)[::-1]

    def _pods_by_name(self, stack: str) -> Mapping[str, Sequence[str]]:
        """The pods of each workload of a stack, by what dependencies call it."""
        members = members_of(self._agent.store, stack) if self._declared(stack).workloads else {}
        return {reference(kind, name): [*pods] for (kind, name), pods in members.items()}


def _name_of(pod: str, record: Record) -> str:
    """What dependencies call a pod: that of a workload by the name of this."""
    owner = record.settings.owner
    return reference(owner.kind, owner.workload) if owner else pod
