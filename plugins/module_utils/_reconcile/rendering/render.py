# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From declarations to the bodies of libpod's create and update calls. Calls nothing.

Keys are those of libpod's SpecGenerator and PodSpecGenerator (Podman 4.3 to 5.x). Podman ignores keys it does
not know without a word, so only keys that 4.3 has are written here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..._declaration import resources
from ..._declaration import spec as s
from ..._declaration.expansion import expand
from ..._errors import ContainerFailed
from ..context import Context
from ..costs import container_digests, pod_digests
from ..effective import effective_security_context, host_ports, native_liveness
from ..observed import (
    LABEL_CONTAINER,
    LABEL_DIGESTS,
    LABEL_POD,
    LABEL_ROLE,
    LABEL_STACK,
    LiveLimits,
    Node,
    ObservedImage,
)
from ..restart_policy import podman_policy_of, policy_of
from . import limits, start_program
from .materials import Environment, names_secret

_CPU_PERIOD_US = 100_000
_NANOSECONDS = 1_000_000_000
_RESTART_ON_FAILURE = 3
_STOP_ON_FAILURE = 4


@dataclass(frozen=True)
class Mount:
    """One mount, resolved on the host: a path of the host, or a named Podman volume."""

    destination: str
    path: str = ""
    volume: str = ""
    read_only: bool = False
    propagation: str | None = None
    is_ours: bool = False
    """Whether the path is in our own state directory, which SELinux must be told about."""
    is_folder: bool = True
    """Whether it is mounted on a folder, or else on a file."""
    is_program: bool = False
    """Whether it is to be executed, also from a file system whose programs may not be."""


@dataclass(frozen=True)
class ContainerParts:
    """What a container is made from beside its declaration. Secret variables come by the start program, mounted."""

    image: ObservedImage
    environment: Environment
    mounts: Sequence[Mount]

    @property
    def start(self) -> list[str]:
        """The words before whatever is to have the secret variables."""
        return [start_program.COMMAND] if self.environment.secret else []


def pod_body(context: Context) -> dict[str, Any]:
    """The body of ``POST /pods/create``."""
    pod = context.pod
    body: dict[str, Any] = {
        "name": pod.name,
        "labels": {
            LABEL_POD: pod.name,
            LABEL_DIGESTS: json.dumps(pod_digests(context), sort_keys=True),
            **({LABEL_STACK: context.settings.stack} if context.settings.stack else {}),
        },
        "hostname": pod.hostname or pod.name,
        "infra_name": pod.infra_name,
        "exit_policy": "continue",
        "shared_namespaces": ["net", "ipc", "uts", *(["pid"] if pod.share_process_namespace else [])],
        "portmappings": [_port_mapping(port) for port in host_ports(pod)],
    }
    if pod.infra.image:
        body["infra_image"] = pod.infra.image
    if pod.infra.command:
        body["infra_command"] = list(pod.infra.command)
    if pod.host_network:
        body["netns"] = {"nsmode": "host"}
        body["shared_namespaces"] = [n for n in body["shared_namespaces"] if n not in ("net", "uts")]
    if pod.host_ipc:
        body["shared_namespaces"] = [n for n in body["shared_namespaces"] if n != "ipc"]
    if pod.networks:
        body["Networks"] = {name: {} for name in pod.networks}
        body["netns"] = {"nsmode": "bridge"}
    if pod.security_context and pod.security_context.sysctls:
        body["sysctl"] = {item.name: item.value for item in pod.security_context.sysctls}
    if pod.host_aliases:
        body["hostadd"] = [f"{name}:{alias.ip}" for alias in pod.host_aliases for name in alias.hostnames]
    body.update(_dns(pod))
    limit = linux_resources(limits.pod_limits(pod))
    if limit:
        body["resource_limits"] = limit
    return body


def _port_mapping(port: s.ContainerPort) -> dict[str, Any]:
    return {
        "host_ip": port.host_ip or "",
        "host_port": port.host_port,
        "container_port": port.container_port,
        "protocol": port.protocol.lower(),
    }


def _log_configuration(pod: s.PodSpec) -> dict[str, Any]:
    """A file for each container's log, whatever the host's default is: one that can be capped, and read in pieces."""
    size_bytes = pod.log_size_max.integer()
    return {"driver": "k8s-file", **({"size": size_bytes} if size_bytes else {})}


def _dns(pod: s.PodSpec) -> dict[str, Any]:
    config = pod.dns_config
    if not config or pod.host_network:
        return {}
    options = [f"{option.name}:{option.value}" if option.value else option.name for option in config.options]
    given = {
        "dns_server": list(config.nameservers),
        "dns_search": list(config.searches),
        "dns_option": options,
    }
    return {key: value for key, value in given.items() if value}


def linux_resources(wanted: LiveLimits) -> dict[str, Any]:
    """Limits as OCI LinuxResources for creation; what is not limited is left out.

    Without ``swap`` Podman allows as much swap again as memory.
    """
    body: dict[str, Any] = {}
    cpu: dict[str, int] = {}
    if wanted.cpu_shares is not None:
        cpu["shares"] = wanted.cpu_shares
    if wanted.cpu_quota_us is not None:
        cpu.update(quota=wanted.cpu_quota_us, period=_CPU_PERIOD_US)
    if cpu:
        body["cpu"] = cpu
    if wanted.memory_bytes is not None:
        body["memory"] = {"limit": wanted.memory_bytes, "swap": wanted.memory_bytes}
    return body


def update_body(wanted: LiveLimits, lifts_quota: bool) -> dict[str, Any]:
    """Limits as the bare LinuxResources of ``POST /containers/N/update``; -1 lifts a limit.

    A quota that is none and stays none is left out: crun of Podman 4.3's time fails to write -1 (cgroups v1).
    """
    memory = wanted.memory_bytes if wanted.memory_bytes is not None else -1
    cpu = {"shares": wanted.cpu_shares or resources.MIN_CPU_SHARES}
    if wanted.cpu_quota_us is not None or lifts_quota:
        cpu.update(quota=-1 if wanted.cpu_quota_us is None else wanted.cpu_quota_us, period=_CPU_PERIOD_US)
    return {"cpu": cpu, "memory": {"limit": memory, "swap": memory}}


def container_body(context: Context, container: s.Container, parts: ContainerParts) -> dict[str, Any]:
    """The body of ``POST /containers/create``. Raises ContainerFailed for what only the image can tell."""
    pod, node = context.pod, context.node
    check_image(pod, container, parts.image)
    role = pod.role_of(container)
    entrypoint, command = _shown_command(container, parts)
    body: dict[str, Any] = {
        "name": pod.podman_name(container.name),
        "pod": pod.name,
        "image": parts.image.id,
        "raw_image_name": container.image,
        "entrypoint": entrypoint,
        "command": command,
        "env": dict(parts.environment.plain),
        "labels": {
            LABEL_POD: pod.name,
            LABEL_CONTAINER: container.name,
            LABEL_ROLE: role,
            LABEL_DIGESTS: json.dumps(container_digests(context, container), sort_keys=True),
        },
        "restart_policy": podman_policy_of(pod, container, node),
        "stop_timeout": pod.termination_grace_period_seconds,
        # Podman's monitors, and what those call, stay out of the pod's cgroup: its limits are for its own processes.
        "cgroups_mode": "no-conmon",
        "resource_limits": linux_resources(limits.container_limits(container)),
        "stdin": container.stdin,
        "terminal": container.tty,
        "log_configuration": _log_configuration(pod),
        **_mount_keys(parts.mounts, node),
        **_security_keys(pod, container, parts.image),
        **_namespace_keys(pod),
    }
    if container.working_dir:
        body["work_dir"] = container.working_dir
    probe = native_liveness(container, node)
    if probe:
        body.update(_health_keys(probe, policy_of(pod, container), parts.start))
    score = oom_score_adj(pod, container, node)
    if score is not None:
        body["oom_score_adj"] = score
    return body


def _shown_command(container: s.Container, parts: ContainerParts) -> tuple[list[str], list[str]]:
    """ENTRYPOINT and CMD as Podman is told them, which shows them."""
    entrypoint, args = command_words(container, parts.image, parts.environment)
    if not parts.start:
        return entrypoint, args
    # With secrets among its words the command is in the start program's file, and nowhere else.
    return parts.start, [] if shows_secret(container, parts.environment) else entrypoint + args


def command_words(container: s.Container, image: ObservedImage, variables: Environment) -> tuple[list[str], list[str]]:
    """ENTRYPOINT and CMD as Kubernetes combines them: a command alone drops the image's arguments as well."""
    command = [expand(word, variables.lookup) for word in container.command]
    args = [expand(word, variables.lookup) for word in container.args]
    if not args and not command:
        args = list(image.command)
    return command or list(image.entrypoint), args


def shows_secret(container: s.Container, variables: Environment) -> bool:
    """Whether the container's command names a secret variable."""
    return any(names_secret(word, variables) for word in (*container.command, *container.args))


def check_image(pod: s.PodSpec, container: s.Container, image: ObservedImage) -> None:
    """Raise ContainerFailed where the container cannot be made from this image: no command, runAsNonRoot and root."""
    if not (container.command or container.args or image.entrypoint or image.command):
        raise ContainerFailed(
            pod.name,
            container.name,
            "CreateContainerError",
            f"image {container.image} has no command of its own; give one in command or args",
        )
    context = effective_security_context(pod, container)
    if context.run_as_non_root:
        image_user = image.user.partition(":")[0]
        _refuse_root(pod, container, str(context.run_as_user) if context.run_as_user is not None else image_user)


def _mount_keys(mounts: Sequence[Mount], node: Node) -> dict[str, Any]:
    binds, volumes = [], []
    for mount in mounts:
        access = "ro" if mount.read_only else "rw"
        if mount.volume:
            options = [access] if mount.propagation is None else [access, _PROPAGATION[mount.propagation]]
            volumes.append({"Name": mount.volume, "Dest": mount.destination, "Options": options})
            continue
        options = ["rbind", access, _PROPAGATION[mount.propagation]]
        if mount.is_ours and node.has_selinux:
            options.append("z")
        if mount.is_program:
            options.append("exec")
        binds.append({"type": "bind", "source": mount.path, "destination": mount.destination, "options": options})
    return {"mounts": binds, "volumes": volumes}


_PROPAGATION = {None: "rprivate", "None": "rprivate", "HostToContainer": "rslave", "Bidirectional": "rshared"}


def _namespace_keys(pod: s.PodSpec) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    if pod.host_pid:
        keys["pidns"] = {"nsmode": "host"}
    if pod.host_ipc:
        keys["ipcns"] = {"nsmode": "host"}
    if pod.host_network:
        keys["netns"] = {"nsmode": "host"}
    return keys


def _security_keys(pod: s.PodSpec, container: s.Container, image: ObservedImage) -> dict[str, Any]:
    context = effective_security_context(pod, container)
    keys: dict[str, Any] = {}
    user = _user(context, image)
    if user:
        keys["user"] = user
    pod_wide = pod.security_context or s.PodSecurityContext()
    groups = [*pod_wide.supplemental_groups, *([pod_wide.fs_group] if pod_wide.fs_group is not None else [])]
    if groups:
        keys["groups"] = [str(group) for group in groups]
    if context.privileged:
        keys["privileged"] = True
    if context.read_only_root_filesystem:
        keys["read_only_filesystem"] = True
    if context.allow_privilege_escalation is False:
        keys["no_new_privileges"] = True
    if context.capabilities:
        keys["cap_add"] = _capabilities(context.capabilities.add)
        keys["cap_drop"] = _capabilities(context.capabilities.drop)
    keys.update(_profile_keys(context))
    return keys


def _capabilities(names: Sequence[str]) -> list[str]:
    plain = [name.upper() for name in names]
    return [name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}" for name in plain]


def _profile_keys(context: s.SecurityContext) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    if context.seccomp_profile and context.seccomp_profile.type != "RuntimeDefault":
        keys["seccomp_profile_path"] = context.seccomp_profile.localhost_profile or "unconfined"
    if context.app_armor_profile and context.app_armor_profile.type != "RuntimeDefault":
        keys["apparmor_profile"] = context.app_armor_profile.localhost_profile or "unconfined"
    if context.se_linux_options:
        options = context.se_linux_options
        pairs = (("user", options.user), ("role", options.role), ("type", options.type), ("level", options.level))
        keys["selinux_opts"] = [f"{name}:{value}" for name, value in pairs if value]
    return keys


def _user(context: s.SecurityContext, image: ObservedImage) -> str:
    """``uid:gid`` for Podman, empty for the image's own user."""
    image_user, _separator, image_group = image.user.partition(":")
    user = str(context.run_as_user) if context.run_as_user is not None else image_user
    if context.run_as_group is not None:
        return f"{user or '0'}:{context.run_as_group}"
    if context.run_as_user is not None:
        return user
    return f"{image_user}:{image_group}" if image_group else image_user


def starting_user(pod: s.PodSpec, container: s.Container, image: ObservedImage) -> int | None:
    """The number of the user that the container starts as; None where only its image can tell."""
    user = _user(effective_security_context(pod, container), image).partition(":")[0]
    return 0 if user in ("", "root") else int(user) if user.isdecimal() else None


def _refuse_root(pod: s.PodSpec, container: s.Container, user: str) -> None:
    if user.isdigit() and int(user) != 0:
        return
    if user and not user.isdigit():
        reason = f"runAsNonRoot is set and the image's user {user!r} is not a number; set run_as_user"
    else:
        reason = "runAsNonRoot is set and the container would run as root; set run_as_user, or USER in the image"
    raise ContainerFailed(pod.name, container.name, "CreateContainerConfigError", reason)


def _health_keys(probe: s.Probe, policy: s.RestartPolicy, start: Sequence[str]) -> dict[str, Any]:
    """An exec liveness probe as Podman's health check, so that it is kept between runs."""
    on_failure = _RESTART_ON_FAILURE if policy != "Never" else _STOP_ON_FAILURE
    return {
        "healthconfig": {
            "Test": ["CMD", *start, *(probe.exec.command if probe.exec else ())],
            "Interval": probe.period_seconds * _NANOSECONDS,
            "Timeout": probe.timeout_seconds * _NANOSECONDS,
            "StartPeriod": probe.initial_delay_seconds * _NANOSECONDS,
            "Retries": probe.failure_threshold,
        },
        "health_check_on_failure_action": on_failure,
    }


def oom_score_adj(pod: s.PodSpec, container: s.Container, node: Node) -> int | None:
    """The kubelet's score; None where the host may not set it (lowering takes CAP_SYS_RESOURCE)."""
    apps = [resources.memory_bytes(c.resources.effective().requests) for c in pod.containers]
    score = resources.oom_score_adj(
        limits.qos_class(pod),
        resources.memory_bytes(container.resources.effective().requests),
        node.memory_bytes,
        apps if pod.role_of(container) == "sidecar" else (),
    )
    return score if score >= 0 or node.can_lower_oom_score else None
