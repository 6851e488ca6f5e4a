# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields table: for every field of a pod, what changing it costs and what of it is compared.

A field that a container (or the pod's sandbox) is made from has a digest, written on the Podman object as a
label. What differs names the cause of a replacement; a field at its default has no digest, so a field that a
later release adds changes nothing on pods that do not use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Callable

from .._declaration import spec as s
from .context import Context
from .effective import effective_security_context, host_ports, native_liveness
from .rendering.materials import Environment, Facts, digest, environment, files_digest, volume_files
from .restart_policy import podman_policy_of


class Cost(Enum):
    """What a changed field costs."""

    NOTHING = "nothing"
    """Kept in the record; takes effect from there."""
    UPDATE = "update in place"
    CONTAINER = "new container"
    POD = "new pod"


ContainerValue = Callable[[Context, s.Container], Any]
PodValue = Callable[[Context], Any]


@dataclass(frozen=True)
class ContainerField:
    """``fields`` are the declared fields this row speaks for; ``value`` is falsy at the default."""

    name: str
    cost: Cost
    value: ContainerValue | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class PodField:
    name: str
    cost: Cost
    value: PodValue | None = None
    fields: tuple[str, ...] = ()


def _plain_env(context: Context, container: s.Container) -> Any:
    return _environment(context, container).plain


def _secret_env(context: Context, container: s.Container) -> Any:
    # Into the keyed digest, which tells nothing of the values.
    return {name: hidden.reveal() for name, hidden in _environment(context, container).secret.items()}


def _environment(context: Context, container: s.Container) -> Environment:
    """The container's variables; without referenced values if a change of these costs nothing."""
    pod, materials = context.pod, context.materials
    if not context.settings.restart_on_change.environment:
        pod = replace(pod, config_maps=tuple(replace(c, data=dict.fromkeys(c.data, "")) for c in pod.config_maps))
        blank = {name: dict.fromkeys(content, b"") for name, content in materials.secrets.items()}
        materials = replace(materials, secrets=blank)
    return environment(pod, container, materials, Facts())


def _mounts(context: Context, container: s.Container) -> Any:
    return [[s.to_options(mount), _source(context, mount)] for mount in container.volume_mounts]


def _source(context: Context, mount: s.VolumeMount) -> Any:
    """What a mount depends on of its volume; the content of files that we write counts only if the settings say so."""
    volume = context.pod.volume(mount.name)
    if not volume.is_materialized:
        return s.to_options(volume)
    if not context.settings.restart_on_change.files:
        return "files"
    return files_digest(volume_files(context.pod, volume, context.materials, Facts()), context.key)


def _security(context: Context, container: s.Container) -> Any:
    pod = context.pod.security_context or s.PodSecurityContext()
    shared = {
        name: s.to_options(getattr(pod, name)) for name in ("fs_group", "supplemental_groups") if getattr(pod, name)
    }
    own = s.to_options(effective_security_context(context.pod, container))
    return {**shared, **own}


def _health(context: Context, container: s.Container) -> Any:
    probe = native_liveness(container, context.node)
    return s.to_options(probe) if probe else None


def _given(name: str) -> ContainerValue:
    default = s.Container.__dataclass_fields__[name].default

    def value(context: Context, container: s.Container) -> Any:
        given = getattr(container, name)
        return None if given == default else s.to_options(given)

    return value


CONTAINER_FIELDS: tuple[ContainerField, ...] = (
    ContainerField("image", Cost.CONTAINER, _given("image")),
    ContainerField("command", Cost.CONTAINER, _given("command")),
    ContainerField("args", Cost.CONTAINER, _given("args")),
    ContainerField("working_dir", Cost.CONTAINER, _given("working_dir")),
    ContainerField("env", Cost.CONTAINER, _plain_env, ("env", "env_from")),
    ContainerField("secret env", Cost.CONTAINER, _secret_env, ("env", "env_from")),
    ContainerField("volume_mounts", Cost.CONTAINER, _mounts),
    ContainerField("security_context", Cost.CONTAINER, _security),
    ContainerField("termination_message_path", Cost.CONTAINER, _given("termination_message_path")),
    ContainerField("stdin", Cost.CONTAINER, _given("stdin")),
    ContainerField("stdin_once", Cost.CONTAINER, _given("stdin_once")),
    ContainerField("tty", Cost.CONTAINER, _given("tty")),
    ContainerField("restart_policy", Cost.CONTAINER, lambda context, c: podman_policy_of(context.pod, c, context.node)),
    ContainerField("health check", Cost.CONTAINER, _health, ("liveness_probe",)),
    ContainerField("resources", Cost.UPDATE),
    ContainerField("name", Cost.NOTHING),
    ContainerField("image_pull_policy", Cost.NOTHING),
    ContainerField("ports", Cost.NOTHING),
    ContainerField("resize_policy", Cost.NOTHING),
    ContainerField("startup_probe", Cost.NOTHING),
    ContainerField("readiness_probe", Cost.NOTHING),
    ContainerField("lifecycle", Cost.NOTHING),
    ContainerField("termination_message_policy", Cost.NOTHING),
)
"""Every field of a container. Host ports among ``ports`` belong to the sandbox (`POD_FIELDS`)."""


def _host_ports(context: Context) -> Any:
    keys = ((p.host_ip or "", p.host_port, p.container_port, p.protocol) for p in host_ports(context.pod))
    return sorted(keys, key=str)


def _init_containers(context: Context) -> Any:
    plain_init = (c for c in context.pod.init_containers if context.pod.role_of(c) == "init")
    return {c.name: container_digests(context, c) for c in plain_init}


def _pod_given(name: str) -> PodValue:
    row = s.PodSpec.__dataclass_fields__[name]

    def value(context: Context) -> Any:
        given = getattr(context.pod, name)
        return None if given == row.default else s.to_options(given)

    return value


def _sysctls(context: Context) -> Any:
    security = context.pod.security_context
    return s.to_options(security.sysctls) if security else None


POD_FIELDS: tuple[PodField, ...] = (
    PodField("host ports", Cost.POD, _host_ports, ("containers",)),
    PodField("hostname", Cost.POD, _pod_given("hostname")),
    PodField("host_network", Cost.POD, _pod_given("host_network")),
    PodField("host_pid", Cost.POD, _pod_given("host_pid")),
    PodField("host_ipc", Cost.POD, _pod_given("host_ipc")),
    PodField("share_process_namespace", Cost.POD, _pod_given("share_process_namespace")),
    PodField("host_aliases", Cost.POD, _pod_given("host_aliases")),
    PodField("dns_policy", Cost.POD, _pod_given("dns_policy")),
    PodField("dns_config", Cost.POD, _pod_given("dns_config")),
    PodField("sysctls", Cost.POD, _sysctls, ("security_context",)),
    PodField("networks", Cost.POD, _pod_given("networks")),
    PodField("infra", Cost.POD, _pod_given("infra")),
    PodField("init_containers", Cost.POD, _init_containers),
    PodField("resources", Cost.UPDATE),
    PodField("containers", Cost.CONTAINER),
    PodField("volumes", Cost.CONTAINER),
    PodField("restart_policy", Cost.CONTAINER),
    PodField("security_context", Cost.CONTAINER),
    PodField("name", Cost.NOTHING),
    PodField("labels", Cost.NOTHING),
    PodField("annotations", Cost.NOTHING),
    PodField("subdomain", Cost.NOTHING),
    # Nor does a Service that comes make those anew that are there, as in Kubernetes.
    PodField("enable_service_links", Cost.NOTHING),
    PodField("termination_grace_period_seconds", Cost.NOTHING),
    PodField("active_deadline_seconds", Cost.NOTHING),
    PodField("readiness_gates", Cost.NOTHING),
    PodField("log_size_max", Cost.NOTHING),
    PodField("min_ready_seconds", Cost.NOTHING),
    PodField("node_selector", Cost.NOTHING),
    PodField("affinity", Cost.NOTHING),
    PodField("image_pull_secrets", Cost.NOTHING),
    PodField("config_maps", Cost.NOTHING),
    PodField("secrets", Cost.NOTHING),
)
"""Every field of a pod. Fields that cost a container are compared on the containers (`CONTAINER_FIELDS`).

Init containers cost the pod, since they run before all others in a sandbox.
"""


def container_digests(context: Context, container: s.Container) -> dict[str, str]:
    """The digests that a container made from this declaration carries."""
    values = ((row.name, row.value(context, container)) for row in CONTAINER_FIELDS if row.value)
    return {name: digest(value, context.key) for name, value in values if value}


def pod_digests(context: Context) -> dict[str, str]:
    """The digests that a sandbox made from this declaration carries."""
    values = ((row.name, row.value(context)) for row in POD_FIELDS if row.value)
    return {name: digest(value, context.key) for name, value in values if value}


def changed_fields(wanted: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the fields whose digests differ."""
    return tuple(sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name)))
