# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the drivers of a stack's workloads share, and what a template refers to beside itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..._declaration import spec as s
from ..._declaration.stack.spec import StackSpec, pod_with_configuration
from ..._declaration.workloads import spec as w
from ..._host.podman.client import Podman
from ..._host.store import Store
from ..._host.workload_store import WorkloadStore
from ..._reconcile.context import Settings
from ..._reconcile.observed import Node
from ..._reconcile.rendering.limits import requested
from ..._reconcile.rendering.materials import digest
from ..._reconcile.workloads.steps import Event
from ..agent import Agent


@dataclass(frozen=True)
class WorkloadHost:
    """What the drivers of a stack's workloads share. ``secrets`` are those of the stack with their values.

    ``reserved`` are pods that whoever drives has reserved already.
    """

    podman: Podman
    store: Store
    stack: StackSpec
    secrets: tuple[s.Secret, ...] = field(repr=False)
    settings: Settings
    wait_timeout_seconds: float
    agent: Agent | None = None
    reserved: frozenset[str] = frozenset()
    node: Node | None = None
    """None where nothing is known of what the host can hold."""

    @property
    def files(self) -> WorkloadStore:
        return WorkloadStore(self.store, self.stack.name)

    def tell(self, workload: w.AnyWorkload, event: Event) -> None:
        if self.agent:
            self.agent.tell_of_workload(workload, event)

    def complete(self, pod: s.PodSpec) -> s.PodSpec:
        """The pod with the ConfigMaps and Secrets that it refers to."""
        return pod_with_configuration(replace(self.stack, secrets=self.secrets), pod)

    def room(self, template: s.PodSpec) -> int | None:
        """How many more pods of a template the host can hold; None for any number."""
        if self.node is None:
            return None
        pods, allocatable = self.store.recorded_pods(), self.settings.allocatable
        rooms = [allocatable.get("pods", self.node.max_pods) - len(pods)]
        cpu, memory = requested(template)
        used = [self.store.recorded_requests(pod) for pod in pods] if cpu or memory else []
        if cpu:
            rooms.append((allocatable.get("cpu", self.node.cpu_millicores) - sum(one for one, _other in used)) // cpu)
        if memory:
            free = allocatable.get("memory", self.node.memory_bytes) - sum(other for _one, other in used)
            rooms.append(free // memory)
        return max(min(rooms), 0)

    def materials(self, workload: w.AnyWorkload) -> str:
        return materials_of(self.store, self.stack, workload, self.settings)


def materials_of(store: Store, stack: StackSpec, workload: w.AnyWorkload, settings: Settings) -> str:
    """A digest of what a template refers to whose change replaces containers: another one is a rollout.

    Of generated values it has how often they were rotated, so that it is known before they are made.
    """
    pod = _with_materials(stack, workload, settings)
    used = [*(s.to_options(item) for item in pod.config_maps), *(_hidden(store, item) for item in pod.secrets)]
    return digest(used, b"") if used else ""


def has_keyed_materials(stack: StackSpec, workload: w.AnyWorkload, settings: Settings) -> bool:
    """Whether `materials_of` has the host's key in it; a StatefulSet's Pods are called by their numbers alone."""
    pod = _with_materials(stack, workload, settings)
    return workload.kind != "StatefulSet" and any(item.data or item.string_data for item in pod.secrets)


def _with_materials(stack: StackSpec, workload: w.AnyWorkload, settings: Settings) -> s.PodSpec:
    """The template with those ConfigMaps and Secrets whose change replaces containers."""
    restarts = settings.restart_on_change
    # What images are pulled with changes no container.
    template = replace(w.template_of(workload), image_pull_secrets=())
    if not restarts.files:
        template = replace(template, volumes=())
    if not restarts.environment:
        template = replace(template, containers=(), init_containers=())
    if isinstance(workload, w.CronJob):
        return s.PodSpec(template.name, ())
    return pod_with_configuration(stack, template)


def _hidden(store: Store, secret: s.Secret) -> dict[str, Any]:
    """A Secret as it is declared, with digests by the host's own key in place of its values."""
    options = s.to_options(secret)
    values = {name: digest(options[name], store.key()) for name in ("data", "string_data") if options.get(name)}
    return {**options, **values}
