# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a container: probes, hooks, variables, ports, mounts and resources, and the rules within one."""

from __future__ import annotations

from collections.abc import Mapping as MappingT
from typing import Any, get_args

from .. import spec as s
from ..image_reference import PullPolicy
from ..place import INVALID, Place, has_faults, shown, spell
from ..quantity import Quantity
from ..resources import ResourceRequirements
from .checks import (
    PORT,
    SECONDS,
    TEXTS,
    absolute_path,
    config_key,
    dns_label,
    env_name,
    header_value,
    host_name,
    http_header,
    image,
    ip_address,
    mount_path,
    object_name,
    port_name,
    relative_path,
    whole_bytes,
)
from .downward import FIELD_REF, RESOURCE_FIELD_REF, check_env_source
from .schema import Amount, Boolean, Field, Integer, Object, PortReference, Sequence, Text
from .security import SECURITY_CONTEXT

MIN_MEMORY_BYTES = 4 * 1024 * 1024

_EXEC = Object(s.ExecAction, (Field("command", Sequence(Text(), minimum=1), required=True),))
_HEADER = Object(
    s.HttpHeader, (Field("name", Text(http_header), required=True), Field("value", Text(header_value), default=""))
)
_HTTP_GET = Object(
    s.HttpGetAction,
    (
        Field("port", PortReference(), required=True),
        Field("path", Text(header_value), default="/", zero_is_unset=True),
        Field("host", Text(host_name)),
        Field("scheme", Text(choices=get_args(s.Scheme)), default="HTTP"),
        Field("http_headers", Sequence(_HEADER), default=()),
    ),
)
_TCP_SOCKET = Object(s.TcpSocketAction, (Field("port", PortReference(), required=True), Field("host", Text(host_name))))
_GRPC = Object(s.GrpcAction, (Field("port", PORT, required=True), Field("service", Text(), default="")))
_SLEEP = Object(s.SleepAction, (Field("seconds", SECONDS, required=True),))

PROBE = Object(
    s.Probe,
    (
        Field("exec", _EXEC),
        Field("http_get", _HTTP_GET),
        Field("tcp_socket", _TCP_SOCKET),
        Field("grpc", _GRPC),
        Field("initial_delay_seconds", SECONDS, default=0),
        Field("period_seconds", Integer(minimum=1), default=10, zero_is_unset=True),
        Field("timeout_seconds", Integer(minimum=1), default=1, zero_is_unset=True),
        Field("success_threshold", Integer(minimum=1), default=1, zero_is_unset=True),
        Field("failure_threshold", Integer(minimum=1), default=3, zero_is_unset=True),
        Field("termination_grace_period_seconds", Integer(minimum=1)),
    ),
    one_of=("exec", "http_get", "tcp_socket", "grpc"),
    one_required=True,
)
HOOK = Object(
    s.Handler,
    (
        Field("exec", _EXEC),
        Field("http_get", _HTTP_GET),
        Field("tcp_socket", _TCP_SOCKET),
        Field("sleep", _SLEEP),
    ),
    one_of=("exec", "http_get", "tcp_socket", "sleep"),
    one_required=True,
)
_LIFECYCLE = Object(
    s.Lifecycle,
    (Field("post_start", HOOK), Field("pre_stop", HOOK)),
    unsupported={"stop_signal": "set STOPSIGNAL in the image"},
)

_KEY_REF = Object(
    s.KeyReference,
    (
        Field("name", Text(object_name), required=True),
        Field("key", Text(config_key), required=True),
        Field("optional", Boolean(), default=False),
    ),
)
_ENV_SOURCES = ("field_ref", "resource_field_ref", "config_map_key_ref", "secret_key_ref")
_ENV_SOURCE = Object(
    s.EnvSource,
    (
        Field("field_ref", FIELD_REF),
        Field("resource_field_ref", RESOURCE_FIELD_REF),
        Field("config_map_key_ref", _KEY_REF),
        Field("secret_key_ref", _KEY_REF),
    ),
    check=check_env_source,
    one_of=_ENV_SOURCES,
    one_required=True,
)


def _env_var(name: str, value: Any, value_from: Any) -> s.EnvVar:
    """An empty value beside a source is none, as the API server has it."""
    return s.EnvVar(name, None if value == "" and value_from is not None else value, value_from)


_ENV = Object(
    _env_var,
    (
        Field("name", Text(env_name), required=True),
        Field("value", Text()),
        Field("value_from", _ENV_SOURCE),
    ),
    one_of=("value", "value_from"),
)
_OBJECT_REF = Object(
    s.ObjectReference,
    (Field("name", Text(object_name), required=True), Field("optional", Boolean(), default=False)),
)
_ENV_FROM = Object(
    s.EnvFromSource,
    (
        Field("prefix", Text(lambda t: env_name(t) if t else None), default=""),
        Field("config_map_ref", _OBJECT_REF),
        Field("secret_ref", _OBJECT_REF),
    ),
    one_of=("config_map_ref", "secret_ref"),
    one_required=True,
)
_PORT = Object(
    s.ContainerPort,
    (
        Field("container_port", PORT, required=True),
        Field("name", Text(port_name)),
        Field("host_port", PORT, zero_is_unset=True),
        Field("host_ip", Text(ip_address)),
        Field("protocol", Text(choices=get_args(s.Protocol)), default="TCP"),
    ),
)


def _check_mount(mount: s.VolumeMount, at: Place) -> None:
    if mount.sub_path and mount.sub_path_expr:
        at.fault(f"has {spell('sub_path', at.style)} and {spell('sub_path_expr', at.style)}; give only one of them")


class _MountPath(Text):
    """A path in the container; a relative one is below its root, as the kubelet has it."""

    def parse(self, value: object, at: Place) -> Any:
        path = super().parse(value, at)
        return path if path is INVALID or path.startswith("/") else f"/{path}"


_MOUNT = Object(
    s.VolumeMount,
    (
        Field("name", Text(dns_label), required=True),
        Field("mount_path", _MountPath(mount_path), required=True),
        Field("sub_path", Text(relative_path)),
        Field("sub_path_expr", Text(relative_path)),
        Field("read_only", Boolean(), default=False),
        Field("mount_propagation", Text(choices=get_args(s.MountPropagation))),
    ),
    check=_check_mount,
    unsupported={"recursive_read_only": "use read_only (readOnly)"},
    harmless={"recursive_read_only": ("Disabled",)},
)


def _amounts(cpu: Quantity | None, memory: Quantity | None) -> dict[str, Quantity]:
    given = (("cpu", cpu), ("memory", memory))
    return {name: amount for name, amount in given if amount is not None and amount is not INVALID}


NO_DEVICES = (
    "devices are not scheduled on one host; mount them with host_path (hostPath) volumes into a privileged container"
)
_EXTENDED = "DOMAIN/NAME"
_OTHER_RESOURCES = {
    "ephemeral-storage": "Podman keeps no account of a container's disk use; use a volume with a quota of its own",
    "hugepages": "set hugepages on the host and mount them with a hostPath volume",
    _EXTENDED: NO_DEVICES,
}
_NOTED_RESOURCES = {"ephemeral-storage": "Podman keeps no account of a container's disk use"}


class _Amounts(Object):
    """Amounts by resource, among whose names are a few whole families."""

    def _unsupported_name(self, key: str) -> str | None:
        family = "hugepages" if key.startswith("hugepages-") else _EXTENDED if "/" in key else None
        return family or super()._unsupported_name(key)


_AMOUNTS = _Amounts(
    _amounts,
    (Field("cpu", Amount()), Field("memory", Amount(whole_bytes))),
    unsupported=_OTHER_RESOURCES,
    noted=_NOTED_RESOURCES,
)


def _resources(requests: MappingT[str, Quantity], limits: MappingT[str, Quantity]) -> ResourceRequirements:
    return ResourceRequirements(requests, limits)


def _check_resources(resources: ResourceRequirements, at: Place) -> None:
    for name, limit in resources.limits.items():
        request = resources.requests.get(name)
        if request is not None and request > limit:
            at.key("requests").raw(name).fault(f"{request.canonical()} is more than the limit of {limit.canonical()}")
    memory = resources.limits.get("memory")
    if memory is not None and 0 < memory.integer() < MIN_MEMORY_BYTES:
        reason = f"{memory.canonical()} is too small to start a container; give 4Mi or more"
        at.key("limits").raw("memory").fault(reason)


RESOURCES = Object(
    _resources,
    (Field("requests", _AMOUNTS, default={}), Field("limits", _AMOUNTS, default={})),
    check=_check_resources,
    unsupported={"claims": NO_DEVICES},
)
_RESIZE_POLICY = Object(
    s.ResizePolicy,
    (
        Field("resource_name", Text(choices=get_args(s.ResizableResource)), required=True),
        Field("restart_policy", Text(choices=get_args(s.ResizeRestartPolicy)), default="NotRequired"),
    ),
)

_CONTAINER_FIELDS = (
    Field("name", Text(dns_label), required=True),
    Field("image", Text(image), required=True),
    Field("image_pull_policy", Text(choices=get_args(PullPolicy))),
    Field("command", TEXTS, default=()),
    Field("args", TEXTS, default=()),
    Field("working_dir", Text(absolute_path)),
    Field("env", Sequence(_ENV, form='[{name: NAME, value: "text"}]'), default=()),
    Field("env_from", Sequence(_ENV_FROM), default=()),
    Field("ports", Sequence(_PORT, form="[{container_port: 80, host_port: 8080}]"), default=()),
    Field("resources", RESOURCES, default=ResourceRequirements({}, {})),
    Field("resize_policy", Sequence(_RESIZE_POLICY, unique_by="resource_name"), default=()),
    Field("volume_mounts", Sequence(_MOUNT, "mount_path", form="[{name: data, mount_path: /data}]"), default=()),
    Field("startup_probe", PROBE),
    Field("liveness_probe", PROBE),
    Field("readiness_probe", PROBE),
    Field("lifecycle", _LIFECYCLE),
    Field("security_context", SECURITY_CONTEXT),
    Field("termination_message_path", Text(absolute_path), default="/dev/termination-log"),
    Field("termination_message_policy", Text(choices=get_args(s.TerminationMessagePolicy)), default="File"),
    Field("stdin", Boolean(), default=False),
    Field("stdin_once", Boolean(), default=False),
    Field("tty", Boolean(), default=False),
)
_CONTAINER_UNSUPPORTED = {
    "volume_devices": "mount the device with a host_path (hostPath) volume of type BlockDevice",
    "restart_policy_rules": "use the pod's own restart policy",
}


def _check_container(container: s.Container, at: Place) -> None:
    _check_ports(container, at)
    for kind in ("startup_probe", "liveness_probe", "readiness_probe"):
        probe = getattr(container, kind)
        if probe:
            _check_probe(kind, probe, container, at.key(kind))
    if container.lifecycle:
        for kind in ("post_start", "pre_stop"):
            hook = getattr(container.lifecycle, kind)
            if hook:
                _check_port_reference(hook, container, at.key("lifecycle").key(kind))


def _check_ports(container: s.Container, at: Place) -> None:
    names: dict[str, int] = {}
    for number, port in enumerate(container.ports):
        if port.name and port.name in names:
            twin = at.key("ports").index(names[port.name]).key("name").path
            at.key("ports").index(number).key("name").fault(f"{port.name!r} is already used by {twin}")
        if port.name:
            names.setdefault(port.name, number)


def _check_probe(kind: str, probe: s.Probe, container: s.Container, at: Place) -> None:
    if kind != "readiness_probe" and probe.success_threshold != 1:
        at.key("success_threshold").fault(f"must be 1 for a {kind.split('_')[0]} probe")
    if kind == "readiness_probe" and probe.termination_grace_period_seconds is not None:
        at.key("termination_grace_period_seconds").fault("is not for readiness probes, which end nothing")
    _check_port_reference(probe, container, at)


def _check_port_reference(handler: s.Handler, container: s.Container, at: Place) -> None:
    action = handler.http_get or handler.tcp_socket
    names = [port.name for port in container.ports]
    if not action or isinstance(action.port, int) or INVALID is action.port or has_faults(container.ports):
        return
    if action.port not in names:
        name = "http_get" if handler.http_get else "tcp_socket"
        at.key(name).key("port").fault(f"{shown(action.port)} is not the name of one of the container's ports")


def _check_init_container(container: s.Container, at: Place) -> None:
    _check_container(container, at)
    if container.restart_policy == "Always" or container.restart_policy is INVALID:
        return
    hint = f"is only for sidecars; give {spell('restart_policy', at.style)}: Always, or move it to another container"
    for kind in ("startup_probe", "liveness_probe", "readiness_probe", "lifecycle"):
        if getattr(container, kind) is not None:
            at.key(kind).fault(hint)


CONTAINER = Object(
    s.Container,
    _CONTAINER_FIELDS,
    check=_check_container,
    unsupported={
        **_CONTAINER_UNSUPPORTED,
        "restart_policy": "it belongs to the pod; only init containers (sidecars) have their own",
    },
)
INIT_CONTAINER = Object(
    s.Container,
    (*_CONTAINER_FIELDS, Field("restart_policy", Text(choices=("Always",)))),
    check=_check_init_container,
    unsupported=_CONTAINER_UNSUPPORTED,
)
