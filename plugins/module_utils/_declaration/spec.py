# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted: a Kubernetes v1 Pod as frozen data.

Names and defaults are those of Kubernetes 1.32 (https://kubernetes.io/docs/reference/kubernetes-api/),
in snake_case. Optional fields that were not given are None; lists are tuples. `parse` makes these
objects from input, `to_options` gives them back in the form `parse` reads.

One file, though a long one: it is read from a probe up to the pod like the reference that it follows, and holds no more
than data and what follows from it alone.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

from .affinity import Affinity
from .image_reference import PullPolicy
from .place import Style, spell
from .quantity import Quantity
from .resources import ResourceRequirements, Role

RestartPolicy = Literal["Always", "OnFailure", "Never"]
DnsPolicy = Literal["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]
Scheme = Literal["HTTP", "HTTPS"]
Protocol = Literal["TCP", "UDP", "SCTP"]
MountPropagation = Literal["None", "HostToContainer", "Bidirectional"]
TerminationMessagePolicy = Literal["File", "FallbackToLogsOnError"]
ResizableResource = Literal["cpu", "memory"]
ResizeRestartPolicy = Literal["NotRequired", "RestartContainer"]
ProfileType = Literal["RuntimeDefault", "Unconfined", "Localhost"]
FsGroupChangePolicy = Literal["Always", "OnRootMismatch"]
Medium = Literal["", "Memory"]
HostPathType = Literal[
    "", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"
]

POD_NAME_LIMIT = 63


@dataclass(frozen=True)
class ExecAction:
    """A command run in the container; exit code 0 is success."""

    command: tuple[str, ...]


@dataclass(frozen=True)
class HttpHeader:
    """A header of an HTTP request."""

    name: str
    value: str = ""


@dataclass(frozen=True)
class HttpGetAction:
    """An HTTP GET, by default to the pod itself; ``port`` is a number or the name of one."""

    port: int | str
    path: str = "/"
    host: str | None = None
    scheme: Scheme = "HTTP"
    http_headers: tuple[HttpHeader, ...] = ()


@dataclass(frozen=True)
class TcpSocketAction:
    """A TCP connection, by default to the pod itself."""

    port: int | str
    host: str | None = None


@dataclass(frozen=True)
class GrpcAction:
    """A call of gRPC's health service."""

    port: int
    service: str = ""


@dataclass(frozen=True)
class SleepAction:
    """Waiting, in hooks only."""

    seconds: int


@dataclass(frozen=True)
class Handler:
    """What a probe or a hook does: exactly one of the actions is set (grpc in probes, sleep in hooks only)."""

    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    grpc: GrpcAction | None = None
    sleep: SleepAction | None = None

    @property
    def kind(self) -> str:
        """Kubernetes' name of the action, for messages."""
        names = {"exec": "exec", "http_get": "httpGet", "tcp_socket": "tcpSocket", "grpc": "grpc", "sleep": "sleep"}
        return next(shown for name, shown in names.items() if getattr(self, name) is not None)


@dataclass(frozen=True)
class Probe(Handler):
    """A handler that is asked again and again; times are in seconds."""

    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None


@dataclass(frozen=True)
class Lifecycle:
    """The hooks of a container."""

    post_start: Handler | None = None
    pre_stop: Handler | None = None


@dataclass(frozen=True)
class KeyReference:
    """A key of a ConfigMap or Secret."""

    name: str
    key: str
    optional: bool = False


@dataclass(frozen=True)
class FieldReference:
    """A field of the pod, by its path."""

    field_path: str
    api_version: str = "v1"


@dataclass(frozen=True)
class ResourceFieldReference:
    """A request or limit of a container, in units of ``divisor``."""

    resource: str
    container_name: str | None = None
    divisor: Quantity | None = None


@dataclass(frozen=True)
class EnvSource:
    """Where a variable has its value from: exactly one is set."""

    field_ref: FieldReference | None = None
    resource_field_ref: ResourceFieldReference | None = None
    config_map_key_ref: KeyReference | None = None
    secret_key_ref: KeyReference | None = None


@dataclass(frozen=True)
class EnvVar:
    """A variable, with a value or a source of one."""

    name: str
    value: str | None = None
    value_from: EnvSource | None = None


@dataclass(frozen=True)
class ObjectReference:
    """A ConfigMap or Secret, by name."""

    name: str
    optional: bool = False


@dataclass(frozen=True)
class EnvFromSource:
    """All keys of a ConfigMap or Secret as variables."""

    prefix: str = ""
    config_map_ref: ObjectReference | None = None
    secret_ref: ObjectReference | None = None


@dataclass(frozen=True)
class ContainerPort:
    """A port that the container listens on; ``host_port`` publishes it."""

    container_port: int
    name: str | None = None
    host_port: int | None = None
    host_ip: str | None = None
    protocol: Protocol = "TCP"


@dataclass(frozen=True)
class VolumeMount:
    """Where a volume, or a part of it, is mounted."""

    name: str
    mount_path: str
    sub_path: str | None = None
    sub_path_expr: str | None = None
    read_only: bool = False
    mount_propagation: MountPropagation | None = None


@dataclass(frozen=True)
class ResizePolicy:
    """Whether a change of a resource restarts the container."""

    resource_name: ResizableResource
    restart_policy: ResizeRestartPolicy = "NotRequired"


@dataclass(frozen=True)
class Capabilities:
    """What the container is given and denied, by names without CAP_."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeccompProfile:
    """The filter of system calls."""

    type: ProfileType
    localhost_profile: str | None = None


@dataclass(frozen=True)
class AppArmorProfile:
    """The AppArmor profile."""

    type: ProfileType
    localhost_profile: str | None = None


@dataclass(frozen=True)
class SELinuxOptions:
    """The SELinux label."""

    user: str | None = None
    role: str | None = None
    type: str | None = None
    level: str | None = None


@dataclass(frozen=True)
class SecurityContext:
    """A container's rights; what is None is the pod's, or Podman's default."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    privileged: bool | None = None
    read_only_root_filesystem: bool | None = None
    allow_privilege_escalation: bool | None = None
    capabilities: Capabilities | None = None
    seccomp_profile: SeccompProfile | None = None
    app_armor_profile: AppArmorProfile | None = None
    se_linux_options: SELinuxOptions | None = None


@dataclass(frozen=True)
class Sysctl:
    """A kernel parameter of the sandbox."""

    name: str
    value: str


@dataclass(frozen=True)
class PodSecurityContext:
    """The rights of all containers, and the groups that their volumes belong to."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    fs_group: int | None = None
    fs_group_change_policy: FsGroupChangePolicy | None = None
    supplemental_groups: tuple[int, ...] = ()
    sysctls: tuple[Sysctl, ...] = ()
    seccomp_profile: SeccompProfile | None = None
    app_armor_profile: AppArmorProfile | None = None
    se_linux_options: SELinuxOptions | None = None


@dataclass(frozen=True)
class Container:
    """One container. ``restart_policy`` is set (to Always) only on an init container that is a sidecar."""

    name: str
    image: str
    image_pull_policy: PullPolicy | None = None
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str | None = None
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: ResourceRequirements = field(default_factory=ResourceRequirements)
    resize_policy: tuple[ResizePolicy, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    startup_probe: Probe | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext | None = None
    termination_message_path: str = "/dev/termination-log"
    termination_message_policy: TerminationMessagePolicy = "File"
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    restart_policy: Literal["Always"] | None = None


@dataclass(frozen=True)
class EmptyDirVolume:
    """A directory that lives as long as the pod; in memory with medium Memory."""

    medium: Medium = ""
    size_limit: Quantity | None = None


@dataclass(frozen=True)
class HostPathVolume:
    """A path of the host."""

    path: str
    type: HostPathType = ""


@dataclass(frozen=True)
class PersistentVolumeClaimVolume:
    """A named Podman volume, made when missing and never removed with the pod."""

    claim_name: str
    read_only: bool = False


@dataclass(frozen=True)
class KeyToPath:
    """A key as a file."""

    key: str
    path: str
    mode: int | None = None


@dataclass(frozen=True)
class ConfigMapVolume:
    """The keys of a ConfigMap as files."""

    name: str
    items: tuple[KeyToPath, ...] = ()
    default_mode: int = 0o644
    optional: bool = False


@dataclass(frozen=True)
class SecretVolume:
    """The keys of a Secret as files."""

    secret_name: str
    items: tuple[KeyToPath, ...] = ()
    default_mode: int = 0o644
    optional: bool = False


@dataclass(frozen=True)
class DownwardApiFile:
    """A field or resource as a file."""

    path: str
    field_ref: FieldReference | None = None
    resource_field_ref: ResourceFieldReference | None = None
    mode: int | None = None


@dataclass(frozen=True)
class DownwardApiVolume:
    """Fields and resources as files."""

    items: tuple[DownwardApiFile, ...] = ()
    default_mode: int = 0o644


@dataclass(frozen=True)
class KeyProjection:
    """A ConfigMap or Secret as a source of a projected volume."""

    name: str
    items: tuple[KeyToPath, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class DownwardApiProjection:
    """Fields and resources as a source of a projected volume."""

    items: tuple[DownwardApiFile, ...] = ()


@dataclass(frozen=True)
class VolumeProjection:
    """One source of a projected volume: exactly one is set."""

    config_map: KeyProjection | None = None
    secret: KeyProjection | None = None
    downward_api: DownwardApiProjection | None = None


@dataclass(frozen=True)
class ProjectedVolume:
    """Several sources in one directory."""

    sources: tuple[VolumeProjection, ...] = ()
    default_mode: int = 0o644


@dataclass(frozen=True)
class Volume:
    """Exactly one of the sources is set."""

    name: str
    empty_dir: EmptyDirVolume | None = None
    host_path: HostPathVolume | None = None
    persistent_volume_claim: PersistentVolumeClaimVolume | None = None
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None
    downward_api: DownwardApiVolume | None = None
    projected: ProjectedVolume | None = None

    @property
    def is_materialized(self) -> bool:
        """Whether its content is files that we write: configMap, secret, downwardAPI, projected."""
        return any((self.config_map, self.secret, self.downward_api, self.projected))

    @property
    def config_map_names(self) -> frozenset[str]:
        """The ConfigMaps that its files are made from."""
        projections = self.projected.sources if self.projected else ()
        sources = (self.config_map, *(projection.config_map for projection in projections))
        return frozenset(source.name for source in sources if source)

    @property
    def secret_names(self) -> frozenset[str]:
        """The Secrets that its files are made from."""
        own = {self.secret.secret_name} if self.secret else set()
        projections = self.projected.sources if self.projected else ()
        return frozenset(own | {projection.secret.name for projection in projections if projection.secret})


@dataclass(frozen=True)
class HostAlias:
    """Names for an address in the containers' /etc/hosts."""

    ip: str
    hostnames: tuple[str, ...] = ()


@dataclass(frozen=True)
class DnsOption:
    """A line of options in resolv.conf."""

    name: str
    value: str | None = None


@dataclass(frozen=True)
class DnsConfig:
    """What resolv.conf says."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[DnsOption, ...] = ()


@dataclass(frozen=True)
class ReadinessGate:
    """A condition that others set, and without which the pod is not Ready."""

    condition_type: str


@dataclass(frozen=True)
class LocalObjectReference:
    """The name of an object beside the pod."""

    name: str


@dataclass(frozen=True)
class Infra:
    """The infra (pause) container; None leaves Podman's own."""

    image: str | None = None
    command: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class ConfigMap:
    """Configuration by key; ``binary_data`` is base64 and for files only."""

    name: str
    data: Mapping[str, str] = field(default_factory=dict)
    binary_data: Mapping[str, str] = field(default_factory=dict)
    immutable: bool = False


@dataclass(frozen=True)
class Secret:
    """``string_data`` wins over ``data`` (base64). ``generate``: keys and lengths of values made once on the host.

    ``rotate``: a number by generated key; a higher number than before makes a new value.
    """

    name: str
    data: Mapping[str, str] = field(default_factory=dict, repr=False)
    string_data: Mapping[str, str] = field(default_factory=dict, repr=False)
    generate: Mapping[str, int] = field(default_factory=dict)
    rotate: Mapping[str, int] = field(default_factory=dict)
    type: str = "Opaque"
    immutable: bool = False


DEFAULT_LOG_SIZE_MAX = Quantity.parse("50Mi")
"""The size at which a container's log starts over, in bytes; 0 for no limit."""


@dataclass(frozen=True)
class PodSpec:
    """One Pod with the configuration objects that were given along with it."""

    name: str
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    restart_policy: RestartPolicy = "Always"
    termination_grace_period_seconds: int = 30
    active_deadline_seconds: int | None = None
    hostname: str | None = None
    subdomain: str | None = None
    enable_service_links: bool = True
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    share_process_namespace: bool = False
    host_aliases: tuple[HostAlias, ...] = ()
    dns_policy: DnsPolicy = "ClusterFirst"
    dns_config: DnsConfig | None = None
    security_context: PodSecurityContext | None = None
    resources: ResourceRequirements | None = None
    readiness_gates: tuple[ReadinessGate, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    affinity: Affinity | None = None
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    networks: tuple[str, ...] = ()
    infra: Infra = Infra()
    log_size_max: Quantity = DEFAULT_LOG_SIZE_MAX
    min_ready_seconds: int | None = None
    """How long its containers must have been ready; None for what `pod.step.min_ready_seconds_of` has by default."""
    config_maps: tuple[ConfigMap, ...] = ()
    secrets: tuple[Secret, ...] = ()

    @property
    def sidecars(self) -> tuple[Container, ...]:
        """Init containers that run on (restartPolicy Always), in order."""
        return tuple(c for c in self.init_containers if c.restart_policy == "Always")

    @property
    def all_containers(self) -> tuple[Container, ...]:
        """Init containers and sidecars in order, then the main containers."""
        return self.init_containers + self.containers

    @property
    def fs_group(self) -> int | None:
        """The group that volumes of the pod's own belong to."""
        return self.security_context.fs_group if self.security_context else None

    @property
    def infra_name(self) -> str:
        return self.infra.name or f"{self.name}-infra"

    def role_of(self, container: Container) -> Role:
        if container in self.containers:
            return "app"
        return "sidecar" if container.restart_policy == "Always" else "init"

    def find(self, name: str) -> Container | None:
        return next((c for c in self.all_containers if c.name == name), None)

    def volume(self, name: str) -> Volume:
        return next(v for v in self.volumes if v.name == name)

    def held_sub_paths(self, container: Container) -> tuple[int, ...]:
        """The numbers of the container's mounts of a part of a volume that containers can write."""
        mounts = enumerate(container.volume_mounts)
        parts = ((n, mount) for n, mount in mounts if mount.sub_path or mount.sub_path_expr)
        return tuple(n for n, mount in parts if not self.volume(mount.name).is_materialized)

    @property
    def has_sub_paths(self) -> bool:
        return any(self.held_sub_paths(container) for container in self.all_containers)

    def podman_name(self, container: str) -> str:
        """The container's name in Podman."""
        return f"{self.name}-{container}"


_Action = TypeVar("_Action", bound=Handler)


def numbered(handler: _Action, container: Container) -> _Action:
    """The probe or hook with the number of a port that it names: another declaration may have another of the name."""
    ports: dict[int | str, int] = {port.name: port.container_port for port in container.ports if port.name}
    http_get, tcp_socket = handler.http_get, handler.tcp_socket
    if http_get:
        return replace(handler, http_get=replace(http_get, port=ports.get(http_get.port, http_get.port)))
    if tcp_socket:
        return replace(handler, tcp_socket=replace(tcp_socket, port=ports.get(tcp_socket.port, tcp_socket.port)))
    return handler


def to_options(value: Any) -> Any:
    """The plain form of a spec (mappings, lists, text, numbers) that the parser reads back to an equal spec.

    Fields that hold their default are left out. Secret values are included: keep the result private.
    """
    return _plain(value, Style.NATIVE)


def to_document(value: Any) -> Any:
    """The plain form of a spec as Kubernetes spells its fields; those that hold their default are left out."""
    return _plain(value, Style.KUBERNETES)


def to_kubernetes(pod: PodSpec) -> dict[str, Any]:
    """The pod as a Kubernetes v1 Pod document, without what stands beside it (infra, networks, configuration, ...)."""
    options = _plain(pod, Style.KUBERNETES)
    beside = ("infra", "networks", "logSizeMax", "minReadySeconds", "configMaps", "secrets")
    metadata = {name: options.pop(name) for name in ("name", "labels", "annotations") if options.get(name)}
    body = {name: item for name, item in options.items() if name not in (*beside, "labels", "annotations")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body}


@functools.cache
def _rows(kind: Any, style: Style) -> tuple[tuple[str, str, Any], ...]:
    """Name, spelling and default of each field of a class; the defaults are for comparison only."""
    return tuple(
        (row.name, spell(row.name, style), row.default if row.default_factory is MISSING else row.default_factory())
        for row in fields(kind)
    )


_PLAIN_TYPES = frozenset({str, int, bool, float, type(None)})


def _plain(value: Any, style: Style) -> Any:
    if type(value) in _PLAIN_TYPES:
        return value
    if isinstance(value, Quantity):
        return value.canonical()
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((name, getattr(value, attribute), default) for attribute, name, default in _rows(type(value), style))
        return {name: _plain(item, style) for name, item, default in pairs if item is not None and item != default}
    if isinstance(value, Mapping):
        return {key: _plain(item, style) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item, style) for item in value]
    return value
