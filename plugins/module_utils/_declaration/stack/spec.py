# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of a whole stack: its Pods and workloads, and what they share, as frozen data.

`parse` makes these objects from input, `options` gives them back in the form it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .. import spec as s
from ..ingresses.spec import Ingress
from ..services.spec import Service
from ..volume_spec import NamedVolume
from ..workloads.spec import AnyWorkload

Condition = Literal["started", "ready", "completed"]


@dataclass(frozen=True)
class Dependency:
    """What has to be true of another pod before a pod is changed: its containers started, it is ready, or has ended.

    Or of a ``workload``, such as ``Deployment/web``: it is as declared, or a Job is complete.
    """

    pod: str | None = None
    condition: Condition = "ready"
    workload: str | None = None

    @property
    def on(self) -> str:
        """The pod or workload, as `StackSpec.depends_on` names them."""
        return self.pod or self.workload or ""


@dataclass(frozen=True)
class Network:
    """A bridge network of the stack."""

    name: str
    subnet: str | None = None
    gateway: str | None = None
    internal: bool = False
    dns: bool = True


@dataclass(frozen=True)
class StackSpec:
    """Everything that is declared. The pods come without configuration: `pod_with_configuration` adds what one uses.

    ``workloads`` are in the order of their kinds (`workloads.spec.KINDS`), those of a kind as they were declared.
    ``depends_on`` has what waits for others by its name, that of a workload as `reference` gives it.
    """

    name: str
    pods: tuple[s.PodSpec, ...] = ()
    depends_on: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)
    config_maps: tuple[s.ConfigMap, ...] = ()
    secrets: tuple[s.Secret, ...] = ()
    volumes: tuple[NamedVolume, ...] = ()
    networks: tuple[Network, ...] = ()
    workloads: tuple[AnyWorkload, ...] = ()
    services: tuple[Service, ...] = ()
    ingresses: tuple[Ingress, ...] = ()

    def find(self, name: str) -> s.PodSpec | None:
        return next((pod for pod in self.pods if pod.name == name), None)

    def dependencies_of(self, name: str) -> tuple[Dependency, ...]:
        return self.depends_on.get(name, ())

    @property
    def cron_jobs(self) -> frozenset[str]:
        return frozenset(workload.name for workload in self.workloads if workload.kind == "CronJob")


def reference(kind: str, name: str) -> str:
    """What a workload is called where pods are meant as well: ``Deployment/web``."""
    return f"{kind}/{name}"


def pod_with_configuration(stack: StackSpec, pod: s.PodSpec) -> s.PodSpec:
    """The pod with those of the stack's ConfigMaps and Secrets that it refers to."""
    config_maps, secrets = referenced(pod)
    return replace(
        pod,
        config_maps=tuple(item for item in stack.config_maps if item.name in config_maps),
        secrets=tuple(item for item in stack.secrets if item.name in secrets),
    )


def referenced(pod: s.PodSpec) -> tuple[set[str], set[str]]:
    """The names of the ConfigMaps and of the Secrets that a pod refers to."""
    config_maps: set[str] = set()
    secrets = {reference.name for reference in pod.image_pull_secrets}
    for container in pod.all_containers:
        for source in container.env_from:
            config_maps |= {source.config_map_ref.name} if source.config_map_ref else set()
            secrets |= {source.secret_ref.name} if source.secret_ref else set()
        for value_from in (variable.value_from for variable in container.env if variable.value_from):
            config_maps |= {value_from.config_map_key_ref.name} if value_from.config_map_key_ref else set()
            secrets |= {value_from.secret_key_ref.name} if value_from.secret_key_ref else set()
    for volume in pod.volumes:
        config_maps |= volume.config_map_names
        secrets |= volume.secret_names
    return config_maps, secrets


def claimed_volumes(stack: StackSpec) -> tuple[str, ...]:
    """The named volumes that a stack declares or claims."""
    names = (*(volume.name for volume in stack.volumes), *(claim for _pod, claim in _claims(stack)))
    return tuple(dict.fromkeys(names))


def shared_volumes(stack: StackSpec) -> tuple[NamedVolume, ...]:
    """The named volumes that the stack creates: the declared ones, and those that several pods claim.

    A volume that only one pod claims is created by that pod. As there, the first pod's fsGroup owns the files.
    """
    declared = {volume.name for volume in stack.volumes}
    pods: dict[str, dict[str, s.PodSpec]] = {}
    for pod, claim in _claims(stack):
        pods.setdefault(claim, {})[pod.name] = pod
    shared = {claim: users for claim, users in pods.items() if len(users) > 1 and claim not in declared}
    return (*stack.volumes, *(_claimed_together(claim, [*users.values()]) for claim, users in shared.items()))


def _claimed_together(claim: str, pods: Sequence[s.PodSpec]) -> NamedVolume:
    group = next((pod.fs_group for pod in pods if pod.fs_group is not None), None)
    return NamedVolume(claim, options={} if group is None else {"o": f"gid={group}"})


def _claims(stack: StackSpec) -> Iterator[tuple[s.PodSpec, str]]:
    for pod in stack.pods:
        claims = (volume.persistent_volume_claim for volume in pod.volumes)
        yield from ((pod, claim.claim_name) for claim in claims if claim)
