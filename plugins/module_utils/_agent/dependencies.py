# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Pods of stacks wait for: other Pods before they come up or stop, and the networks of their stack."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._declaration.stack.order import waves
from .._declaration.stack.spec import Dependency, StackSpec
from .._errors import DamagedState
from .._host.podman import networks
from .._host.podman.client import Podman
from .._host.stack_store import StackStore, stack_names
from .._host.state.records import Record
from .._reconcile import operations as op
from .._reconcile.pod.step import is_pod_available
from .._reconcile.status_documents import is_well
from .keeper.view import View

if TYPE_CHECKING:
    from .agent import Agent


class Dependencies:
    """Those of all Pods, as the present revisions of their stacks have them."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._networks = threading.Lock()

    def waits_for(self, pod: str) -> str:
        """The pod that this one waits for by its stack's present revision, empty for none."""
        record = self._agent.store.read_record(pod)
        if record is None or not record.settings.stack:
            return ""
        for dependency in self._dependencies(record.settings.stack).get(pod, ()):
            if not self._is_met(dependency):
                return dependency.pod
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

    def _is_met(self, dependency: Dependency) -> bool:
        if not self._agent.store.knows(dependency.pod):
            return True
        keeper = self._agent.known_keeper(dependency.pod)
        view = keeper.view if keeper else View()
        status = view.status
        if dependency.condition == "completed":
            return status.get("phase") == "Succeeded"
        if dependency.condition == "started":
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
                for pod, dependencies in self._dependencies(stack).items():
                    if pod in waits:
                        waits[pod] += [d.pod for d in dependencies if d.pod in waits]
        return waves(waits)[::-1]
