# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place where input is judged: native options or Kubernetes documents in, a `PodSpec` or every fault out.

The rules are those of the Kubernetes API server's validation for v1 Pods (release 1.32), plus what one host
and Podman can keep. A field that is known to Kubernetes but not kept here is refused by name.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from dataclasses import dataclass, replace
from typing import Any, cast

from .._errors import Fault, InvalidInput
from . import foreign, image_reference
from . import spec as s
from .quantity import Quantity
from .resources import ContainerResources, ResourceRequirements, Role, pod_requests
from .schema import (
    INVALID,
    Amount,
    Boolean,
    Check,
    Field,
    FileMode,
    Integer,
    Mapping,
    Object,
    Place,
    PortReference,
    Sequence,
    Style,
    Text,
    shown,
    spell,
    suggest,
)

# --- checks of single values ------------------------------------------------------------------------------------


def _matches(pattern: str, limit: int, what: str) -> Check:
    compiled = re.compile(pattern)

    def check(text: str) -> str | None:
        if not text:
            return f"is empty; expected {what}"
        if len(text) > limit:
            return f"has {len(text)} characters, at most {limit} are allowed"
        return None if compiled.fullmatch(text) else f"{shown(text)} is not {what}"

    return check


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"

dns_label = _matches(_LABEL, 63, "a DNS label (lower-case letters, digits and '-', such as web-1)")
pod_name = _matches(
    rf"{_LABEL}(\.{_LABEL})*", s.POD_NAME_LIMIT, "a name (lower-case letters, digits, '-' and '.', such as web-1)"
)
object_name = _matches(rf"{_LABEL}(\.{_LABEL})*", 253, "a name (lower-case letters, digits, '-' and '.')")
podman_name = _matches(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", 253, "a Podman name (letters, digits, '_', '.' and '-')")
env_name = _matches(r"[-._a-zA-Z][-._a-zA-Z0-9]*", 4096, "the name of an environment variable")
config_key = _matches(
    r"(?!\.$|\.\.)[-._a-zA-Z0-9]+", 253, "a key (letters, digits, '-', '_' and '.', neither '.' nor starting with '..')"
)
search_domain = _matches(
    r"\.|[_A-Za-z0-9]([-_A-Za-z0-9.]*[A-Za-z0-9])?\.?", 253, "a search domain (letters, digits, '-' and '.')"
)
dns_option = _matches(r"[!-~]+", 253, "a resolver option such as ndots")
sysctl_name = _matches(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*", 253, "a sysctl name")


def port_name(text: str) -> str | None:
    """IANA service names: at most 15 characters, a letter among them, no double hyphen."""
    fine = re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", text) and len(text) <= 15
    if fine and "--" not in text and re.search("[a-z]", text):
        return None
    return f"{shown(text)} is not a port name (at most 15 lower-case letters, digits and '-', with a letter)"


def label_key(text: str) -> str | None:
    prefix, slash, name = text.rpartition("/")
    if slash and object_name(prefix):
        return f"the prefix {shown(prefix)} is not a DNS name"
    if len(name) > 63 or not re.fullmatch(_QUALIFIED, name):
        return f"{shown(name)} is not a label name (at most 63 letters, digits, '-', '_' and '.')"
    if prefix == "io.podwright" or text.startswith("io.podwright."):
        return "is reserved: io.podwright labels are written by this collection"
    return None


def label_value(text: str) -> str | None:
    if text == "" or (len(text) <= 63 and re.fullmatch(_QUALIFIED, text)):
        return None
    return f"{shown(text)} is not a label value (at most 63 letters, digits, '-', '_' and '.')"


def annotation_key(text: str) -> str | None:
    """As of labels, but of either case: the API server checks it in lower case."""
    return label_key(text.lower())


def ip_address(text: str) -> str | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return f"{shown(text)} is not an IP address"
    return None


def image(text: str) -> str | None:
    if text != text.strip():
        return "has white space around it"
    try:
        image_reference.parse(text)
    except ValueError as error:
        return str(error)
    return None


MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 3072
"""What Linux takes, 4096, without what stands before a path on the host or in the container."""


def _length(path: str) -> str | None:
    """Why a path is too long for Linux."""
    if any(len(step.encode()) > MAX_NAME_BYTES for step in path.split("/")):
        return f"has a name of more than {MAX_NAME_BYTES} bytes in it, which no file can have"
    size = len(path.encode())
    return f"has {size} bytes, at most {MAX_PATH_BYTES} are allowed" if size > MAX_PATH_BYTES else None


def absolute_path(text: str) -> str | None:
    if not text.startswith("/"):
        return f"{shown(text)} is not an absolute path"
    if ".." in text.split("/"):
        return f"{shown(text)} holds '..'"
    return _length(text)


def mount_path(text: str) -> str | None:
    if not text:
        return "is empty; give a path in the container"
    if ":" in text:
        return "holds ':', which a mount path cannot"
    if not text.strip("/."):
        return f"{shown(text)} would hide the whole image; give a path below it"
    return absolute_path(text if text.startswith("/") else f"/{text}")


def relative_path(text: str) -> str | None:
    if text.startswith("/"):
        return f"{shown(text)} is not a relative path"
    if ".." in text.split("/"):
        return f"{shown(text)} holds '..'"
    return _length(text)


def projected_path(text: str) -> str | None:
    if not text:
        return "is empty; give a relative path"
    if text.split("/")[0].startswith(".."):
        return f"{shown(text)} starts with '..'"
    if not text.startswith("/") and {"", "."} & set(text.split("/")):
        return f"{shown(text)} does not name a file; leave out '.' and doubled or trailing '/'"
    return relative_path(text)


def not_empty(text: str) -> str | None:
    return None if text else "is empty"


def http_header(text: str) -> str | None:
    return None if re.fullmatch(r"[-A-Za-z0-9!#$%&'*+.^_`|~]+", text) else f"{shown(text)} is not an HTTP header name"


def header_value(text: str) -> str | None:
    return "holds a line break" if re.search(r"[\r\n]", text) else None


def host_name(text: str) -> str | None:
    """A name or address to connect to and to put into a Host header."""
    if not text:
        return "is empty; leave it out for the pod itself"
    return None if re.fullmatch(r"[-_.:%A-Za-z0-9\[\]]+", text) else f"{shown(text)} is not a host name or IP address"


def base64_text(text: str) -> str | None:
    """Line breaks are skipped, as the API server does; everything else must be exact."""
    joined = text.replace("\r", "").replace("\n", "")
    if re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", joined):
        return None
    return "is not base64; use string_data (stringData) for plain text"


def capability(text: str) -> str | None:
    return None if re.fullmatch(r"[A-Za-z_]+", text) else f"{shown(text)} is not a capability such as NET_ADMIN"


# --- tables ------------------------------------------------------------------------------------------------------

PROTOCOLS = ("TCP", "UDP", "SCTP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
HOST_PATH_TYPES = (
    "",
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)
_FILE_ONLY = ("metadata.labels", "metadata.annotations")
_ENV_ONLY = (
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
DOWNWARD_FIELDS = ("metadata.name", "metadata.namespace", "metadata.uid", *_FILE_ONLY, *_ENV_ONLY)
_FIELD_KEY = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
MIN_MEMORY_BYTES = 4 * 1024 * 1024
RESOURCE_FIELDS = ("limits.cpu", "limits.memory", "requests.cpu", "requests.memory", "requests.ephemeral-storage")
SECONDS = Integer(minimum=0)
PORT = Integer(1, 65535)
IDENTITY = Integer(0, 2**31 - 1)
TEXTS = Sequence(Text())

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
        Field("scheme", Text(choices=("HTTP", "HTTPS")), default="HTTP"),
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


def _check_field_reference(ref: s.FieldReference, at: Place) -> None:
    if ref.field_path is INVALID:
        return
    if ref.field_path not in DOWNWARD_FIELDS and not _FIELD_KEY.fullmatch(ref.field_path):
        at.key("field_path").fault(
            f"{shown(ref.field_path)} is not one of {', '.join(DOWNWARD_FIELDS)}, metadata.labels['KEY'], "
            "metadata.annotations['KEY']"
        )


def check_env_source(source: s.EnvSource, at: Place) -> None:
    if source.field_ref and source.field_ref.field_path in _FILE_ONLY:
        at.key("field_ref").key("field_path").fault(
            f"{source.field_ref.field_path} is only for files; name one key: {source.field_ref.field_path}['KEY']"
        )


def check_downward_file(item: s.DownwardApiFile, at: Place) -> None:
    if item.field_ref and item.field_ref.field_path in _ENV_ONLY:
        at.key("field_ref").key("field_path").fault(f"{item.field_ref.field_path} is only for environment variables")


FIELD_REF = Object(
    s.FieldReference,
    (
        Field("field_path", Text(), required=True),
        Field("api_version", Text(choices=("v1",)), default="v1"),
    ),
    check=_check_field_reference,
)


def _resource_field_reference(divisor: Any, **values: Any) -> s.ResourceFieldReference:
    """A divisor of zero is none, however it is written, as a server writes it into exported Pods."""
    return s.ResourceFieldReference(divisor=None if divisor == Quantity.parse("0") else divisor, **values)


RESOURCE_FIELD_REF = Object(
    _resource_field_reference,
    (
        Field("resource", Text(choices=RESOURCE_FIELDS), required=True),
        Field("container_name", Text(dns_label)),
        Field("divisor", Amount(), zero_is_unset=True),
    ),
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
        Field("protocol", Text(choices=PROTOCOLS), default="TCP"),
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
        Field("mount_propagation", Text(choices=("None", "HostToContainer", "Bidirectional"))),
    ),
    check=_check_mount,
    unsupported={"recursive_read_only": "use read_only (readOnly)"},
    harmless={"recursive_read_only": ("Disabled",)},
)


def _amounts(cpu: Quantity | None, memory: Quantity | None) -> dict[str, Quantity]:
    given = (("cpu", cpu), ("memory", memory))
    return {name: amount for name, amount in given if amount is not None and amount is not INVALID}


def whole_bytes(quantity: Quantity) -> str | None:
    if quantity == quantity.round_up(0):
        return None
    return f"{quantity.canonical()} is not a whole number of bytes (m means thousandths; did you mean Mi?)"


# Podman's monitor writes as much at once, and counts in 64 bits.
_LOG_SIZES = (Quantity.parse("8Ki"), Quantity.parse("1Ei"))


def _log_size(quantity: Quantity) -> str | None:
    least, most = _LOG_SIZES
    if quantity != Quantity.parse("0") and not least <= quantity <= most:
        return f"{quantity.canonical()} is not between {least.canonical()} and {most.canonical()}; 0 is for no limit"
    return whole_bytes(quantity)


NO_DEVICES = (
    "devices are not scheduled on one host; mount them with host_path (hostPath) volumes into a privileged container"
)
_EXTENDED = "DOMAIN/NAME"
_OTHER_RESOURCES = {
    "ephemeral-storage": "Podman keeps no account of a container's disk use; use a volume with a quota of its own",
    "hugepages": "set hugepages on the host and mount them with a hostPath volume",
    _EXTENDED: NO_DEVICES,
}


class _Amounts(Object):
    """Amounts by resource, among whose names are a few whole families."""

    def _unsupported_name(self, key: str) -> str | None:
        family = "hugepages" if key.startswith("hugepages-") else _EXTENDED if "/" in key else None
        return family or super()._unsupported_name(key)


_AMOUNTS = _Amounts(
    _amounts,
    (Field("cpu", Amount()), Field("memory", Amount(whole_bytes))),
    unsupported=_OTHER_RESOURCES,
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
        Field("resource_name", Text(choices=("cpu", "memory")), required=True),
        Field("restart_policy", Text(choices=("NotRequired", "RestartContainer")), default="NotRequired"),
    ),
)
_PROFILE_FIELDS = (
    Field("type", Text(choices=("RuntimeDefault", "Unconfined", "Localhost")), required=True),
    Field("localhost_profile", Text(not_empty)),
)


def _check_profile(profile: s.SeccompProfile | s.AppArmorProfile, at: Place) -> None:
    if profile.type is INVALID:
        return
    name = spell("localhost_profile", at.style)
    if profile.type == "Localhost" and not profile.localhost_profile:
        at.fault(f"type Localhost needs {name}")
    if profile.type != "Localhost" and profile.localhost_profile:
        at.key("localhost_profile").fault("is only for type Localhost")


SECCOMP = Object(s.SeccompProfile, _PROFILE_FIELDS, check=_check_profile)
APPARMOR = Object(s.AppArmorProfile, _PROFILE_FIELDS, check=_check_profile)
SELINUX = Object(s.SELinuxOptions, tuple(Field(n, Text(not_empty)) for n in ("user", "role", "type", "level")))
_CAPABILITIES = Object(
    s.Capabilities,
    (Field("add", Sequence(Text(capability)), default=()), Field("drop", Sequence(Text(capability)), default=())),
)
WINDOWS = "Podman runs Linux containers only; leave it out"


def _check_privileges(context: s.SecurityContext, at: Place) -> None:
    if context.privileged and context.allow_privilege_escalation is False:
        at.key("allow_privilege_escalation").fault("cannot be false when privileged is true")
    if context.run_as_non_root and context.run_as_user == 0:
        at.key("run_as_user").fault(f"is 0 while {spell('run_as_non_root', at.style)} is true")


SECURITY_CONTEXT = Object(
    s.SecurityContext,
    (
        Field("run_as_user", IDENTITY),
        Field("run_as_group", IDENTITY),
        Field("run_as_non_root", Boolean()),
        Field("privileged", Boolean()),
        Field("read_only_root_filesystem", Boolean()),
        Field("allow_privilege_escalation", Boolean()),
        Field("capabilities", _CAPABILITIES),
        Field("seccomp_profile", SECCOMP),
        Field("app_armor_profile", APPARMOR),
        Field("se_linux_options", SELINUX),
    ),
    check=_check_privileges,
    unsupported={
        "proc_mount": "use privileged, or leave it at its default",
        "windows_options": WINDOWS,
    },
    harmless={"proc_mount": ("Default",)},
)

_CONTAINER_FIELDS = (
    Field("name", Text(dns_label), required=True),
    Field("image", Text(image), required=True),
    Field("image_pull_policy", Text(choices=PULL_POLICIES)),
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
    Field("termination_message_policy", Text(choices=("File", "FallbackToLogsOnError")), default="File"),
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


def has_faults(group: SequenceT[Any]) -> bool:
    """Whether a named item of the group is faulty, so that a name missing from it proves nothing."""
    return group is INVALID or any(item is INVALID or item.name is INVALID for item in group)


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


_KEY_TO_PATH = Object(
    s.KeyToPath,
    (
        Field("key", Text(config_key), required=True),
        Field("path", Text(projected_path), required=True),
        Field("mode", FileMode()),
    ),
)
_ITEMS = Field("items", Sequence(_KEY_TO_PATH, unique_by="path"), default=())
_DEFAULT_MODE = Field("default_mode", FileMode(), default=0o644)
_OPTIONAL = Field("optional", Boolean(), default=False)
_DOWNWARD_FILE = Object(
    s.DownwardApiFile,
    (
        Field("path", Text(projected_path), required=True),
        Field("field_ref", FIELD_REF),
        Field("resource_field_ref", RESOURCE_FIELD_REF),
        Field("mode", FileMode()),
    ),
    check=check_downward_file,
    one_of=("field_ref", "resource_field_ref"),
    one_required=True,
)
_DOWNWARD_ITEMS = Field("items", Sequence(_DOWNWARD_FILE, unique_by="path"), default=())
_PROJECTION = Object(s.KeyProjection, (Field("name", Text(object_name), required=True), _ITEMS, _OPTIONAL))
PROJECTION_SOURCES = ("config_map", "secret", "downward_api")
_VOLUME_PROJECTION = Object(
    s.VolumeProjection,
    (
        Field("config_map", _PROJECTION),
        Field("secret", _PROJECTION),
        Field("downward_api", Object(s.DownwardApiProjection, (_DOWNWARD_ITEMS,))),
    ),
    one_of=PROJECTION_SOURCES,
    one_required=True,
    unsupported={
        "service_account_token": "there is no API server on a plain host; give the token as a secret",
        "cluster_trust_bundle": "there is no API server on a plain host; give the certificates as a config map",
    },
)
_USE_NAMED = "use host_path (hostPath), or a named volume (persistent_volume_claim) made with the driver you need"
_OTHER_VOLUMES = (
    "aws_elastic_block_store azure_disk azure_file cephfs cinder csi fc flex_volume flocker "
    "gce_persistent_disk glusterfs iscsi nfs photon_persistent_disk portworx_volume quobyte rbd "
    "scale_io storageos vsphere_volume"
)
_VOLUME_SOURCES = tuple(name for name in s.Volume.__dataclass_fields__ if name != "name")


def _volume(**values: Any) -> s.Volume:
    """A volume without a source is an emptyDir, as the API server has it."""
    if all(values[source] is None for source in _VOLUME_SOURCES):
        values["empty_dir"] = s.EmptyDirVolume()
    return s.Volume(**values)


def _check_projected(volume: s.ProjectedVolume, at: Place) -> None:
    """No two sources may write the same file; doubles within one source have been noted already."""
    seen: dict[str, tuple[int, Place]] = {}
    for number, source in enumerate(volume.sources):
        kind = next((kind for kind in PROJECTION_SOURCES if getattr(source, kind)), "config_map")
        for index, item in enumerate(getattr(source, kind).items if getattr(source, kind) else ()):
            if item.path is INVALID:
                continue
            place = at.key("sources").index(number).key(kind).key("items").index(index).key("path")
            first, twin = seen.setdefault(item.path, (number, place))
            if first != number:
                place.fault(f"{shown(item.path)} is already used by {twin.path}")


VOLUME = Object(
    _volume,
    (
        Field("name", Text(dns_label), required=True),
        Field(
            "empty_dir",
            Object(
                s.EmptyDirVolume,
                (
                    Field("medium", Text(choices=("", "Memory")), default=""),
                    Field("size_limit", Amount(whole_bytes)),
                ),
            ),
        ),
        Field(
            "host_path",
            Object(
                s.HostPathVolume,
                (
                    Field("path", Text(absolute_path), required=True),
                    Field("type", Text(choices=HOST_PATH_TYPES), default=""),
                ),
            ),
        ),
        Field(
            "persistent_volume_claim",
            Object(
                s.PersistentVolumeClaimVolume,
                (
                    Field("claim_name", Text(podman_name), required=True),
                    Field("read_only", Boolean(), default=False),
                ),
            ),
        ),
        Field(
            "config_map",
            Object(
                s.ConfigMapVolume,
                (Field("name", Text(object_name), required=True), _ITEMS, _DEFAULT_MODE, _OPTIONAL),
            ),
        ),
        Field(
            "secret",
            Object(
                s.SecretVolume,
                (Field("secret_name", Text(object_name), required=True), _ITEMS, _DEFAULT_MODE, _OPTIONAL),
            ),
        ),
        Field("downward_api", Object(s.DownwardApiVolume, (_DOWNWARD_ITEMS, _DEFAULT_MODE))),
        Field(
            "projected",
            Object(
                s.ProjectedVolume,
                (Field("sources", Sequence(_VOLUME_PROJECTION), default=()), _DEFAULT_MODE),
                check=_check_projected,
            ),
        ),
    ),
    one_of=_VOLUME_SOURCES,
    unsupported={
        **dict.fromkeys(_OTHER_VOLUMES.split(), _USE_NAMED),
        "ephemeral": "use empty_dir (emptyDir), or a named volume (persistent_volume_claim)",
        "git_repo": "clone it with an init container into an emptyDir",
        "image": "copy its files with an init container of that image into an emptyDir",
    },
)
_HOST_ALIAS = Object(
    s.HostAlias,
    (Field("ip", Text(ip_address), required=True), Field("hostnames", Sequence(Text(object_name)), default=())),
)
_DNS_OPTION = Object(
    s.DnsOption,
    (
        Field("name", Text(dns_option), required=True),
        Field("value", Text(lambda text: dns_option(text) if text else None)),
    ),
)
_DNS_CONFIG = Object(
    s.DnsConfig,
    (
        Field("nameservers", Sequence(Text(ip_address), maximum=3), default=()),
        Field("searches", Sequence(Text(search_domain), maximum=32), default=()),
        Field("options", Sequence(_DNS_OPTION), default=()),
    ),
)
POD_SECURITY_CONTEXT = Object(
    s.PodSecurityContext,
    (
        Field("run_as_user", IDENTITY),
        Field("run_as_group", IDENTITY),
        Field("run_as_non_root", Boolean()),
        Field("fs_group", IDENTITY),
        Field("fs_group_change_policy", Text(choices=("Always", "OnRootMismatch"))),
        Field("supplemental_groups", Sequence(IDENTITY), default=()),
        Field(
            "sysctls",
            Sequence(
                Object(
                    s.Sysctl,
                    (Field("name", Text(sysctl_name), required=True), Field("value", Text(), required=True)),
                ),
                unique_by="name",
            ),
            default=(),
        ),
        Field("seccomp_profile", SECCOMP),
        Field("app_armor_profile", APPARMOR),
        Field("se_linux_options", SELINUX),
    ),
    unsupported={
        "supplemental_groups_policy": "leave it at its default (Merge)",
        "se_linux_change_policy": "leave it at its default",
        "windows_options": WINDOWS,
    },
    harmless={"supplemental_groups_policy": ("Merge",), "se_linux_change_policy": ("MountOption",)},
)
_INFRA = Object(
    s.Infra,
    (
        Field("image", Text(image)),
        Field("command", TEXTS, default=()),
        Field("name", Text(podman_name)),
    ),
)


def check_config_map(config: s.ConfigMap, at: Place) -> None:
    for key in config.binary_data:
        if key in config.data:
            at.key("binary_data").raw(key).fault(f"is in {spell('data', at.style)} too; leave one of them out")


CONFIG_MAP = Object(
    s.ConfigMap,
    (
        Field("name", Text(object_name), required=True),
        Field("data", Mapping(Text(), config_key), default={}),
        Field("binary_data", Mapping(Text(base64_text), config_key), default={}),
        Field("immutable", Boolean(), default=False),
    ),
    check=check_config_map,
)


def check_secret(secret: s.Secret, at: Place) -> None:
    for key in secret.generate:
        if key in secret.data or key in secret.string_data:
            at.key("generate").raw(key).fault("has a value too; leave it out of generate, or out of the data")
    for key in secret.rotate:
        if key not in secret.generate:
            at.key("rotate").raw(key).fault(
                "is not among the keys of generate, and only what is generated can be rotated"
            )


SECRET = Object(
    s.Secret,
    (
        Field("name", Text(object_name), required=True),
        Field("data", Mapping(Text(base64_text, secret=True), config_key, secret=True, no_log=True), default={}),
        Field("string_data", Mapping(Text(secret=True), config_key, secret=True, no_log=True), default={}),
        # Lengths are no secrets, but a value put here by mistake is one.
        Field("generate", Mapping(Integer(8, 1024, secret=True), config_key, secret=True), default={}),
        Field("rotate", Mapping(Integer(0, secret=True), config_key, secret=True), default={}),
        Field("type", Text(), default="Opaque"),
        Field("immutable", Boolean(), default=False),
    ),
    check=check_secret,
    secret=True,
)

_PLACEMENT = "place pods with the inventory: hosts, groups and --limit"
NO_API = "there is no API server on a plain host; leave it out"

_SYSTEM_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")
_NODE_LABELS = (*s.NODE_LABELS, *_SYSTEM_LABELS)


def _node_label(key: str) -> str | None:
    return None if key in _NODE_LABELS else f"is not supported; {_PLACEMENT}"


class _NodeSelector(Mapping):
    """What of itself a host has to be. That it runs Linux says nothing more."""

    def parse(self, value: object, at: Place) -> Any:
        selector = super().parse(value, at)
        if selector is INVALID:
            return selector
        for key in selector:
            if key in _SYSTEM_LABELS and selector[key] not in ("linux", INVALID):
                at.raw(key).fault(f"{shown(selector[key])} is not supported; {WINDOWS}")
        return {key: wanted for key, wanted in selector.items() if key not in _SYSTEM_LABELS}


SPEC_FIELDS = (
    Field("containers", Sequence(CONTAINER, "name", minimum=1, form="[{name: a, image: b}]"), required=True),
    Field("init_containers", Sequence(INIT_CONTAINER, unique_by="name"), default=()),
    Field("volumes", Sequence(VOLUME, "name", form="[{name: data, empty_dir: {}}]"), default=()),
    Field("restart_policy", Text(choices=RESTART_POLICIES), default="Always"),
    Field("termination_grace_period_seconds", SECONDS, default=30),
    Field("active_deadline_seconds", Integer(minimum=1)),
    Field("hostname", Text(dns_label)),
    Field("subdomain", Text(dns_label)),
    Field("host_network", Boolean(), default=False),
    Field("host_pid", Boolean(), default=False),
    Field("host_ipc", Boolean(), default=False),
    Field("share_process_namespace", Boolean(), default=False),
    Field("host_aliases", Sequence(_HOST_ALIAS), default=()),
    Field("dns_policy", Text(choices=DNS_POLICIES), default="ClusterFirst"),
    Field("dns_config", _DNS_CONFIG),
    Field("security_context", POD_SECURITY_CONTEXT),
    Field("resources", RESOURCES),
    Field("node_selector", _NodeSelector(Text(label_value), _node_label), default={}),
    Field(
        "readiness_gates",
        Sequence(Object(s.ReadinessGate, (Field("condition_type", Text(label_key), required=True),))),
        default=(),
    ),
)
METADATA_FIELDS = (
    Field("name", Text(pod_name), required=True),
    Field("labels", Mapping(Text(label_value), label_key), default={}),
    Field("annotations", Mapping(Text(), annotation_key), default={}),
)
HOST_FIELDS = (
    Field("infra", _INFRA, default=s.Infra()),
    Field("networks", Sequence(Text(podman_name), unique=True), default=()),
    Field("log_size_max", Amount(_log_size), default=s.DEFAULT_LOG_SIZE_MAX),
    Field("min_ready_seconds", Integer(minimum=0)),
    Field("config_maps", Sequence(CONFIG_MAP, unique_by="name"), default=()),
    Field("secrets", Sequence(SECRET, unique_by="name", secret=True), default=()),
)
"""What is given beside a Kubernetes document as well: it says how this host keeps the pod."""

SPEC_UNSUPPORTED = {
    "affinity": _PLACEMENT,
    "node_name": _PLACEMENT,
    "scheduler_name": _PLACEMENT,
    "scheduling_gates": _PLACEMENT,
    "tolerations": _PLACEMENT,
    "topology_spread_constraints": _PLACEMENT,
    "priority": "one host evicts nothing; give memory requests instead",
    "priority_class_name": "one host evicts nothing; give memory requests instead",
    "preemption_policy": "one host evicts nothing; give memory requests instead",
    "image_pull_secrets": "log in with podman login, or pull with the image module",
    "runtime_class_name": "set the OCI runtime in the host's containers.conf",
    "overhead": "it is added by runtime classes, which a plain host has not; leave it out",
    "service_account": NO_API,
    "service_account_name": NO_API,
    "ephemeral_containers": "use podman exec, or add a sidecar",
    "resource_claims": NO_DEVICES,
    "host_users": "run the pod with rootless Podman",
    "set_hostname_as_fqdn": "a plain host has no cluster domain; leave it out",
    "os": WINDOWS,
}
# What the API server fills in by itself, and what says no more than "a Linux host".
SPEC_HARMLESS: MappingT[str, tuple[object, ...]] = {
    "host_users": (True,),
    "os": ({"name": "linux"},),
    "preemption_policy": ("PreemptLowerPriority",),
    "priority": (0,),
    "scheduler_name": ("default-scheduler",),
    "service_account": ("default",),
    "service_account_name": ("default",),
    "set_hostname_as_fqdn": (False,),
    "tolerations": (
        [
            {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
        ],
    ),
}
_SPEC_IGNORED = frozenset({"automountServiceAccountToken", "enableServiceLinks"})
_METADATA_IGNORED = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "managedFields",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


class Configuration:
    """The ConfigMaps and Secrets that pods refer to, found by name in no time; faulty ones prove nothing."""

    def __init__(self, config_maps: Any, secrets: Any) -> None:
        self._config_maps = _by_name(config_maps)
        self._secrets = _by_name(secrets)

    def config_map(self, name: str) -> s.ConfigMap | None:
        return (self._config_maps or {}).get(name)

    def secret(self, name: str) -> s.Secret | None:
        return (self._secrets or {}).get(name)

    def keys(self, secret: bool, name: str) -> Any:
        """The keys of an object, None when there is none of that name; INVALID where nothing can be said of them."""
        group = self._secrets if secret else self._config_maps
        if name is INVALID or group is None:
            return INVALID
        found: Any = group.get(name)
        if found is None:
            return None
        parts = (found.data, found.string_data, found.generate) if secret else (found.data, found.binary_data)
        return INVALID if any(part is INVALID for part in parts) else {key for part in parts for key in part}


def _by_name(group: Any) -> dict[str, Any] | None:
    """Objects by name, the first of each; None where one of them is faulty, so that a missing name proves nothing."""
    return None if has_faults(group) else {item.name: item for item in reversed(group)}


def check_pod(pod: s.PodSpec, at: Place, known: Configuration | None = None) -> None:
    """The rules that look at more than one field; ``at`` is where the fields of Kubernetes' PodSpec stand.

    ``known`` is what the pod can refer to, by default what was given with it.
    """
    known = Configuration(pod.config_maps, pod.secrets) if known is None else known
    places = container_places(pod, at)
    for container, place in places:
        _check_mounts(pod, container, place)
        _check_references(pod, known, container, place)
        _check_sleep_hooks(pod, container, place)
    _check_names(pod, places)
    _check_host_ports(pod, at)
    _check_config_volumes(pod, known, at)
    _check_file_paths(pod, known, at)
    _check_sandbox(pod, at)
    _check_sysctls(pod, at)
    _check_pod_resources(pod, places, at)


def container_places(pod: s.PodSpec, at: Place) -> list[tuple[s.Container, Place]]:
    groups = (("init_containers", pod.init_containers), ("containers", pod.containers))
    return [(c, at.key(name).index(number)) for name, group in groups for number, c in enumerate(group)]


def podman_names(pod: s.PodSpec) -> Iterator[tuple[str, str]]:
    """Every name that a pod takes in Podman, where pods and containers share them, with what it is the name of.

    That is empty for the pod itself. Faulty parts are passed over.
    """
    yield pod.name, ""
    for container in pod.all_containers:
        if container.name is not INVALID:
            yield pod.podman_name(container.name), f"container {container.name}"
    if pod.infra is not INVALID and pod.infra.name is not INVALID:
        yield pod.infra_name, "infra container"


def _check_names(pod: s.PodSpec, places: SequenceT[tuple[s.Container, Place]]) -> None:
    seen: dict[str, Place] = {}
    for container, place in places:
        if container.name is INVALID:
            continue
        twin = seen.setdefault(container.name, place)
        if twin is not place and twin.path.rpartition("[")[0] != place.path.rpartition("[")[0]:
            place.key("name").fault(f"{container.name!r} is already used by {twin.key('name').path}")
        if pod.name is INVALID or pod.infra is INVALID or pod.infra.name is INVALID:
            continue
        if pod.podman_name(container.name) == pod.infra_name:
            place.key("name").fault(f"{container.name!r} would clash with the infra container's name {pod.infra_name}")
    if pod.infra and pod.infra.name and pod.infra.name == pod.name:
        Place("infra.name", Style.NATIVE, places[0][1].faults if places else []).fault(
            f"{shown(pod.infra.name)} is the name of the pod, and in Podman pods and containers share their names"
        )


def _check_mounts(pod: s.PodSpec, container: s.Container, at: Place) -> None:
    declared = [volume.name for volume in pod.volumes]
    context = container.security_context
    unprivileged = context is None or (context is not INVALID and context.privileged in (None, False))
    paths: dict[str, tuple[str, Place]] = {}
    for number, mount in enumerate(container.volume_mounts):
        place = at.key("volume_mounts").index(number)
        if mount.name is not INVALID and mount.name not in declared and not has_faults(pod.volumes):
            given = ", ".join(declared) or "none"
            place.key("name").fault(f"no volume is called {mount.name!r}; declared are: {given}")
        if mount.mount_propagation == "Bidirectional" and unprivileged:
            place.key("mount_propagation").fault("Bidirectional needs a privileged container")
        if mount.mount_path is INVALID:
            continue
        path, twin = paths.setdefault(_plain_path(mount.mount_path), (mount.mount_path, place))
        if path != mount.mount_path:
            place.key("mount_path").fault(f"{shown(mount.mount_path)} is already used by {twin.key('mount_path').path}")


def _plain_path(path: str) -> str:
    """An absolute path without what does not change its meaning."""
    return "/" + "/".join(step for step in path.split("/") if step not in ("", "."))


def _check_sleep_hooks(pod: s.PodSpec, container: s.Container, at: Place) -> None:
    grace = pod.termination_grace_period_seconds
    for kind in ("post_start", "pre_stop"):
        hook = getattr(container.lifecycle, kind) if container.lifecycle else None
        if hook and hook.sleep and hook.sleep.seconds > grace:
            name = spell("termination_grace_period_seconds", at.style)
            at.key("lifecycle").key(kind).key("sleep").key("seconds").fault(
                f"{hook.sleep.seconds} is more than the pod's {name}, {grace}"
            )


def _check_references(pod: s.PodSpec, known: Configuration, container: s.Container, at: Place) -> None:
    for number, source in enumerate(container.env_from):
        place = at.key("env_from").index(number)
        for name in ("config_map_ref", "secret_ref"):
            ref = getattr(source, name)
            if ref:
                here = place.key(name).key("name")
                keys = _check_object(known, name.startswith("secret"), ref.name, ref.optional, here)
                if name == "secret_ref" and keys:
                    _check_texts(known, ref.name, [key for key in keys if source.prefix or not key[0].isdigit()], here)
    for number, variable in enumerate(container.env):
        place = at.key("env").index(number).key("value_from")
        value_from = variable.value_from
        if value_from is None:
            continue
        for name in ("config_map_key_ref", "secret_key_ref"):
            key_ref = getattr(value_from, name)
            if key_ref:
                _check_key(known, name.startswith("secret"), key_ref, place.key(name))
        if value_from.resource_field_ref:
            _check_container_name(pod, value_from.resource_field_ref, place.key("resource_field_ref"))


def _check_container_name(pod: s.PodSpec, ref: s.ResourceFieldReference, at: Place) -> None:
    if ref.container_name and not pod.find(ref.container_name) and not has_faults(pod.all_containers):
        at.key("container_name").fault(f"no container is called {ref.container_name!r}")


def _check_object(known: Configuration, secret: bool, name: str, optional: bool, at: Place) -> Any:
    """The object's keys (see `Configuration.keys`); that it is missing is a fault unless the reference is optional."""
    keys = known.keys(secret, name)
    if keys is None and optional is False:
        what, option = ("secret", "secrets") if secret else ("config map", "config_maps")
        document = f" or as a {'Secret' if secret else 'ConfigMap'} document" if at.style is Style.KUBERNETES else ""
        at.fault(f"no {what} is called {name!r}; give it in {option}{document}, or set optional")
    return keys


def _check_key(known: Configuration, secret: bool, ref: s.KeyReference, at: Place) -> None:
    """A variable's key. Those among ``binaryData`` are for files only."""
    keys = _check_object(known, secret, ref.name, ref.optional, at.key("name"))
    config_map = None if secret else known.config_map(ref.name)
    if keys and config_map and ref.key in config_map.binary_data and ref.optional is False:
        data = spell("binary_data", at.style)
        at.key("key").fault(f"{ref.key!r} is among the {data} of {ref.name!r}, which is for files only")
        return
    _check_key_exists(keys, ref.name, ref.key, ref.optional, at.key("key"))
    if secret and keys and ref.key in keys:
        _check_texts(known, ref.name, [ref.key], at.key("key"))


def _check_texts(known: Configuration, name: str, keys: SequenceT[str], at: Place) -> None:
    """Values of a Secret that are to become variables, where a variable can hold them."""
    secret = known.secret(name)
    for key in sorted(keys) if secret else ():
        if not secret or key not in secret.data or key in secret.string_data:
            continue
        if secret.data[key] is not INVALID and not _is_text(base64.b64decode(secret.data[key])):
            at.fault(f"{key!r} of {name!r} holds a NUL or is not UTF-8, so it can be a file and no variable")


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _check_key_exists(keys: Any, name: str, key: str, optional: bool, at: Place) -> None:
    if keys is not None and key is not INVALID and key not in keys and optional is False:
        at.fault(f"{name!r} has no key {key!r}; it has: {', '.join(sorted(keys)) or 'none'}")


def _check_items(
    known: Configuration,
    secret: bool,
    name: str,
    items: SequenceT[s.KeyToPath],
    optional: bool,
    at: Place,
    name_at: Place,
) -> None:
    keys = _check_object(known, secret, name, optional, name_at)
    for number, item in enumerate(items):
        _check_key_exists(keys, name, item.key, optional, at.key("items").index(number).key("key"))


def _check_config_volumes(pod: s.PodSpec, known: Configuration, at: Place) -> None:
    for number, volume in enumerate(pod.volumes):
        place = at.key("volumes").index(number)
        if volume.config_map:
            here, config = place.key("config_map"), volume.config_map
            _check_items(known, False, config.name, config.items, config.optional, here, here.key("name"))
        if volume.secret:
            here, secret = place.key("secret"), volume.secret
            _check_items(known, True, secret.secret_name, secret.items, secret.optional, here, here.key("secret_name"))
        if volume.downward_api:
            _check_downward_items(pod, volume.downward_api.items, place.key("downward_api"))
        for index, source in enumerate(volume.projected.sources if volume.projected else ()):
            _check_projection(pod, known, source, place.key("projected").key("sources").index(index))


def _check_projection(pod: s.PodSpec, known: Configuration, source: s.VolumeProjection, at: Place) -> None:
    for name, projection in (("config_map", source.config_map), ("secret", source.secret)):
        if projection:
            here = at.key(name)
            _check_items(
                known, name == "secret", projection.name, projection.items, projection.optional, here, here.key("name")
            )
    if source.downward_api:
        _check_downward_items(pod, source.downward_api.items, at.key("downward_api"))


def _check_downward_items(pod: s.PodSpec, items: SequenceT[s.DownwardApiFile], at: Place) -> None:
    for number, item in enumerate(items):
        if not item.resource_field_ref:
            continue
        place = at.key("items").index(number).key("resource_field_ref")
        if not item.resource_field_ref.container_name:
            place.key("container_name").fault("is required in files")
        _check_container_name(pod, item.resource_field_ref, place)


def _check_file_paths(pod: s.PodSpec, known: Configuration, at: Place) -> None:
    """What is a file in a volume of files is no folder there."""
    for number, volume in enumerate(pod.volumes):
        if volume.is_materialized:
            files = [*_file_paths(known, volume, at.key("volumes").index(number))]
            folders: dict[str, Place] = {}
            for path, place in files:
                steps = path.split("/")
                for count in range(1, len(steps)):
                    folders.setdefault("/".join(steps[:count]), place)
            for path, place in files:
                if path in folders:
                    place.fault(
                        f"{shown(path)} is a file here and a folder in {folders[path].path}; rename one of them"
                    )


def _file_paths(known: Configuration, volume: s.Volume, at: Place) -> Iterator[tuple[str, Place]]:
    """The files of a volume, as far as they are known, each with where it is declared."""
    if volume.projected:
        for index, source in enumerate(volume.projected.sources):
            for kind in PROJECTION_SOURCES:
                part = getattr(source, kind)
                if part:
                    yield from _paths_of(known, kind, part, at.key("projected").key("sources").index(index).key(kind))
        return
    for kind in PROJECTION_SOURCES:
        part = getattr(volume, kind)
        if part:
            yield from _paths_of(known, kind, part, at.key(kind))


def _paths_of(known: Configuration, kind: str, source: Any, at: Place) -> Iterator[tuple[str, Place]]:
    items = source.items
    for number, item in enumerate(items):
        if item.path is not INVALID:
            yield item.path, at.key("items").index(number).key("path")
    if kind != "downward_api" and items == ():
        name = source.secret_name if isinstance(source, s.SecretVolume) else source.name
        yield from ((key, at) for key in sorted(known.keys(kind == "secret", name) or ()))


def published_ports(pod: s.PodSpec, at: Place) -> Iterator[tuple[Place, s.ContainerPort]]:
    """The ports that a pod takes of its host, each with its ``host_port`` and where that stands."""
    for container, place in container_places(pod, at):
        for number, port in enumerate(container.ports):
            here = place.key("ports").index(number)
            host_port = port.host_port or (port.container_port if pod.host_network else None)
            if host_port:
                yield here.key("host_port" if port.host_port else "container_port"), replace(port, host_port=host_port)


def _check_host_ports(pod: s.PodSpec, at: Place) -> None:
    taken: list[tuple[s.ContainerPort, Place]] = []
    for place, port in published_ports(pod, at):
        if pod.host_network and port.host_port != port.container_port:
            name = spell("container_port", at.style)
            place.fault(f"{port.host_port} must equal {name} {port.container_port}: the pod uses the host's network")
        twin = next((there for other, there in taken if ports_meet(port, other)), None)
        if twin:
            place.fault(f"{port.host_port}/{port.protocol} is already used by {twin.path}")
        taken.append((port, place))


_ANY_ADDRESS = frozenset({None, str(ipaddress.IPv4Address(0)), str(ipaddress.IPv6Address(0))})


def ports_meet(one: s.ContainerPort, other: s.ContainerPort) -> bool:
    """Whether two host ports would listen on the same address."""
    same_address = one.host_ip == other.host_ip or not _ANY_ADDRESS.isdisjoint((one.host_ip, other.host_ip))
    return one.host_port == other.host_port and one.protocol == other.protocol and same_address


def _check_sandbox(pod: s.PodSpec, at: Place) -> None:
    if pod.host_pid and pod.share_process_namespace:
        at.key("share_process_namespace").fault(f"cannot be true together with {spell('host_pid', at.style)}")
    if pod.host_network and pod.networks:
        Place("networks", Style.NATIVE, at.faults).fault(
            "a pod on the host's network joins no other; leave one of them out"
        )
    servers = pod.dns_config.nameservers if pod.dns_config is not None else ()
    if pod.dns_policy == "None" and servers is not INVALID and not servers:
        at.key("dns_config").key("nameservers").fault(f"is required when {spell('dns_policy', at.style)} is None")
    if pod.host_network and pod.host_aliases:
        at.key("host_aliases").fault("is not for pods on the host's network, which use the host's /etc/hosts")


_IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")


def _check_sysctls(pod: s.PodSpec, at: Place) -> None:
    for number, sysctl in enumerate(pod.security_context.sysctls if pod.security_context else ()):
        place = at.key("security_context").key("sysctls").index(number).key("name")
        if sysctl.name is INVALID:
            continue
        name = sysctl.name.replace("/", ".")
        if pod.host_network and name.startswith("net."):
            place.fault(f"{shown(sysctl.name)} would change the host: the pod uses the host's network")
        if pod.host_ipc and name.startswith(_IPC_SYSCTLS):
            place.fault(f"{shown(sysctl.name)} would change the host: the pod uses the host's IPC namespace")


def _check_pod_resources(pod: s.PodSpec, places: SequenceT[tuple[s.Container, Place]], at: Place) -> None:
    """Where the pod as a whole has requests and limits, its containers stay within them."""
    declared = pod.resources
    if not declared or any(container.resources is INVALID for container, _place in places):
        return
    for container, place in places:
        for name, limit in container.resources.limits.items():
            if name in declared.limits and limit > declared.limits[name]:
                pod_limit = declared.limits[name].canonical()
                place.key("resources").key("limits").raw(name).fault(
                    f"{limit.canonical()} is more than the pod's limit of {pod_limit}"
                )
    wanted = pod_requests([ContainerResources(c.resources, cast(Role, pod.role_of(c))) for c, _place in places])
    for name, request in wanted.items():
        allowed = declared.requests.get(name, declared.limits.get(name))
        if allowed is not None and request > allowed:
            kind = "requests" if name in declared.requests else "limits"
            at.key("resources").key(kind).raw(name).fault(
                f"{allowed.canonical()} is less than the {request.canonical()} that the containers request together"
            )


# --- entry points ----------------------------------------------------------------------------------------------------

POD_FIELDS = (*METADATA_FIELDS, *SPEC_FIELDS, *HOST_FIELDS)
"""Every native option that describes the pod."""

_NATIVE = Object(s.PodSpec, POD_FIELDS, unsupported=SPEC_UNSUPPORTED, harmless=SPEC_HARMLESS)
_HOST = Object(dict, HOST_FIELDS)
METADATA = Object(dict, METADATA_FIELDS, ignored=_METADATA_IGNORED)
_SPEC = Object(dict, SPEC_FIELDS, unsupported=SPEC_UNSUPPORTED, harmless=SPEC_HARMLESS, ignored=_SPEC_IGNORED)
API_VERSION = Field("api_version", Text(choices=("v1",)), required=True)
CONFIG_METADATA = Object(
    dict,
    (Field("name", Text(object_name), required=True),),
    ignored=_METADATA_IGNORED | {"labels", "annotations"},
    secret=True,
)
_CONFIG_FIELDS = (API_VERSION, Field("kind", Text()), Field("metadata", CONFIG_METADATA, required=True))
_SECRET_FIELDS = tuple(field for field in SECRET.fields if field.name not in ("name", "generate", "rotate"))
DOCUMENTS = {
    "Pod": Object(
        dict,
        (
            API_VERSION,
            Field("kind", Text(choices=("Pod",)), required=True),
            Field("metadata", METADATA, required=True),
            Field("spec", _SPEC, required=True),
        ),
        ignored=frozenset({"status"}),
    ),
    "ConfigMap": Object(dict, (*_CONFIG_FIELDS, *CONFIG_MAP.fields[1:])),
    "Secret": Object(dict, (*_CONFIG_FIELDS, *_SECRET_FIELDS), secret=True),
}
_OTHER_KINDS = {
    "Deployment": "give its template as a Pod",
    "ReplicaSet": "give its template as a Pod",
    "ReplicationController": "give its template as a Pod",
    "StatefulSet": "give its template as a Pod",
    "DaemonSet": "give its template as a Pod, and the hosts with the inventory",
    "Job": "give its template as a Pod with restartPolicy OnFailure or Never",
    "CronJob": "give the template as a Pod and run the playbook from a timer",
    "Service": "publish ports with hostPort",
    "Ingress": "publish ports with hostPort, and run a reverse proxy as a pod",
    "PersistentVolumeClaim": "named volumes are made when a pod claims them",
    "PersistentVolume": "named volumes are made when a pod claims them",
    "Namespace": "a host has one namespace; leave it out",
    "PodTemplate": "give its template as a Pod",
    "NetworkPolicy": "have Pods join networks of their own: by networks, or the annotation podwright.io/networks",
    "EndpointSlice": "give the addresses in hostAliases of the Pods",
    "StorageClass": "give a volume's driver in volumes, or in the annotation podwright.io/driver of its claim",
    "HorizontalPodAutoscaler": "give each Pod by itself; their number stays as it is declared",
    "PodDisruptionBudget": "one host evicts nothing; leave it out",
    "PriorityClass": "one host evicts nothing; leave it out",
    "RuntimeClass": "set the OCI runtime in the host's containers.conf",
    "LimitRange": "give requests and limits in the Pods",
    "ResourceQuota": "give what Pods may take of the host in allocatable",
    "Kustomization": "give the folder that it is in, which is built, or what kubectl kustomize makes of it",
    **dict.fromkeys(("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"), NO_API),
    **dict.fromkeys(
        ("IngressClass", "Gateway", "HTTPRoute"), "publish ports with hostPort, and run a reverse proxy as a pod"
    ),
}


@dataclass(frozen=True)
class PodPlace:
    """Where a pod is declared: its name, and the fields of Kubernetes' PodSpec. Their faults are unused."""

    name: Place
    spec: Place

    def container(self, pod: s.PodSpec, name: str) -> Place:
        """The place of one of the pod's containers."""
        return next(place for container, place in container_places(pod, self.spec) if container.name == name)


def native_place(path: str = "") -> PodPlace:
    """The place of a pod of native options, at their own or within others."""
    at = Place(path, Style.NATIVE)
    return PodPlace(at.key("name"), at)


def document_places(documents: SequenceT[Any], source: str | SequenceT[str] = "definition") -> dict[str, PodPlace]:
    """The places of the Pods among documents that the parser has taken, by their names; ``source`` as it was for it."""
    places = zip(documents, places_of(documents, source, []))
    pods = ((document, at) for document, at in places if isinstance(document, MappingT) and document["kind"] == "Pod")
    return {
        str(document["metadata"]["name"]): PodPlace(at.key("metadata").key("name"), at.key("spec"))
        for document, at in pods
    }


UNNAMED = "definition"
"""What faults call documents that come from no file."""
Reading = tuple[Any, Place]
"""The values of one document (or what was built from them) and where it stands."""


def parse_options(options: MappingT[str, Any]) -> s.PodSpec:
    """The pod that native (snake_case) options describe. Raises InvalidInput with every fault."""
    at = Place("", Style.NATIVE)
    pod = _NATIVE.parse(options, at)
    if pod is not INVALID:
        check_pod(pod, at)
    return _finish([pod], at.faults)


def parse_documents(
    documents: SequenceT[Any], options: MappingT[str, Any] | None = None, source: str = "definition"
) -> s.PodSpec:
    """The pod that Kubernetes documents describe: one v1 Pod, with the ConfigMaps and Secrets it uses.

    ``options`` are the native ones of `HOST_FIELDS` given beside them; ``source`` is what faults call the documents.
    Raises InvalidInput with every fault.
    """
    faults: list[Fault] = []
    here = Place("", Style.NATIVE, faults)
    host = _HOST.parse(options or {}, here) or dict.fromkeys((field.name for field in HOST_FIELDS), INVALID)
    read = read_documents(documents, source, faults)
    config_maps = [config_object(s.ConfigMap, values, at, check_config_map) for values, at in read["ConfigMap"]]
    secrets = [config_object(s.Secret, values, at, check_secret) for values, at in read["Secret"]]
    given = {
        **host,
        "config_maps": join_objects("config map", config_maps, host["config_maps"], here.key("config_maps")),
        "secrets": join_objects("secret", secrets, host["secrets"], here.key("secrets")),
    }
    pods = [assemble(values, given) for values, _place in read["Pod"]]
    for pod, (_values, at) in zip(pods, read["Pod"]):
        check_pod(pod, at.key("spec"))
    if len(pods) > 1 or not (pods or faults):
        faults.append(Fault(source, _count_reason(len(pods))))
    return _finish(pods, faults)


def parse_name(options: MappingT[str, Any]) -> str:
    """The name among native options: all that is needed to remove a pod. Raises InvalidInput."""
    at = Place("", Style.NATIVE)
    name = METADATA.read_field(METADATA_FIELDS[0], options, at)
    if at.faults:
        raise InvalidInput(at.faults)
    return str(name)


def parse_document_name(documents: SequenceT[Any], source: str = "definition") -> str:
    """The name of the one Pod among Kubernetes documents; nothing else in them is judged. Raises InvalidInput."""
    found = [
        (document, at)
        for document, at in zip(documents, places_of(documents, source, []))
        if isinstance(document, MappingT) and document.get("kind") == "Pod"
    ]
    if len(found) != 1:
        raise InvalidInput([Fault(source, _count_reason(len(found)))])
    document, at = found[0]
    metadata = document.get("metadata")
    try:
        return parse_name(metadata if isinstance(metadata, MappingT) else {})
    except InvalidInput as error:
        at = at.key("metadata")
        raise InvalidInput([Fault(at.key(fault.path).path, fault.reason) for fault in error.faults]) from None


def _count_reason(count: int) -> str:
    return f"holds {count} Pods; give one, and a task for each" if count else "holds no Pod; give one"


def places_of(documents: SequenceT[Any], source: str | SequenceT[str], faults: list[Fault]) -> list[Place]:
    """Where each document stands: paths start at its own fields where it is the only one and has no name of its own.

    ``source`` is what all of them are called together, or the name of each.
    """
    if len(documents) == 1 and (isinstance(source, str) or source[0] == UNNAMED):
        return [Place("", Style.KUBERNETES, faults)]
    names = [f"{source}[{number}]" for number in range(len(documents))] if isinstance(source, str) else source
    return [Place(name, Style.KUBERNETES, faults) for name in names]


def read_documents(
    documents: SequenceT[Any],
    source: str | SequenceT[str],
    faults: list[Fault],
    kinds: MappingT[str, Object] | None = None,
) -> dict[str, list[Reading]]:
    """The documents' values by kind (of ``kinds``, by default DOCUMENTS); faults of others are noted."""
    kinds = DOCUMENTS if kinds is None else kinds
    read: dict[str, list[Reading]] = {kind: [] for kind in kinds}
    for document, at in zip(documents, places_of(documents, source, faults)):
        kind = document.get("kind") if isinstance(document, MappingT) else None
        if kind == "Pod":
            document = _as_declared(document)
        if not isinstance(document, MappingT):
            here = Place(at.path or (source if isinstance(source, str) else source[0]), at.style, faults)
            here.fault("is not a mapping with apiVersion, kind and metadata")
        elif foreign.reason(document):
            here = Place(at.path or (source if isinstance(source, str) else source[0]), at.style, faults)
            here.fault(foreign.reason(document))
        elif not isinstance(kind, str) or suggest(kind, ("Pod",)):
            read["Pod"].append((kinds["Pod"].parse(document, at), at))
        elif kind in kinds:
            read[kind].append((kinds[kind].parse(document, at), at))
        else:
            hint = _OTHER_KINDS.get(kind) or f"give {', '.join(kinds)}" + suggest(kind, tuple(kinds))
            at.key("kind").fault(f"{shown(kind)} is not supported; {hint}")
    return read


_API_ACCESS = re.compile(r"kube-api-access-[a-z0-9]{5}")
"""The volume that an API server adds to Pods, with a token of their service account."""


def _as_declared(document: MappingT[str, Any]) -> MappingT[str, Any]:
    """An exported Pod without what a cluster has put into its spec: its node, and its access to the API server."""
    metadata, spec = document.get("metadata"), document.get("spec")
    if not isinstance(metadata, MappingT) or not isinstance(spec, MappingT) or not metadata.get("uid"):
        return document
    spec = {name: value for name, value in spec.items() if name != "nodeName"}
    if isinstance(spec.get("volumes"), (list, tuple)):
        spec["volumes"] = [volume for volume in spec["volumes"] if not _is_api_access(volume)]
    for group in ("initContainers", "containers"):
        if isinstance(spec.get(group), (list, tuple)):
            spec[group] = [_without_api_access(container) for container in spec[group]]
    return {**document, "spec": spec}


def _without_api_access(container: Any) -> Any:
    mounts = container.get("volumeMounts") if isinstance(container, MappingT) else None
    if not isinstance(mounts, (list, tuple)):
        return container
    return {**container, "volumeMounts": [mount for mount in mounts if not _is_api_access(mount)]}


def _is_api_access(item: Any) -> bool:
    name = item.get("name") if isinstance(item, MappingT) else None
    return isinstance(name, str) and _API_ACCESS.fullmatch(name) is not None


def config_object(build: Any, values: Any, at: Place, check: Any) -> Reading:
    """A ConfigMap or Secret from the values of its document, and where its name stands."""
    fields = {name: value for name, value in values.items() if name not in ("api_version", "kind", "metadata")}
    built = build(name=values["metadata"]["name"], **fields)
    check(built, at)
    return built, at.key("metadata").key("name")


def join_objects(what: str, read: SequenceT[Reading], given: Any, given_at: Place) -> Any:
    """Objects from documents and from native options together; INVALID where the options are."""
    named = [*read, *((item, given_at.index(number).key("name")) for number, item in enumerate(given))]
    seen: dict[str, Place] = {}
    for number, (item, at) in enumerate(named):
        twin = seen.setdefault(item.name, at) if item.name is not INVALID else at
        # Doubles among the options themselves have been noted already.
        if twin is not at and (number < len(read) or twin in [there for _item, there in read]):
            at.fault(f"the {what} {item.name!r} is already given by {twin.path}")
    return given if given is INVALID else tuple(item for item, _place in named)


def assemble(values: Any, given: MappingT[str, Any]) -> s.PodSpec:
    """The pod of one document; fields of a part that is no mapping are INVALID."""
    metadata = values["metadata"] or dict.fromkeys((field.name for field in METADATA_FIELDS), INVALID)
    fields = values["spec"] or dict.fromkeys((field.name for field in SPEC_FIELDS), INVALID)
    return s.PodSpec(**metadata, **fields, **given)


ALLOCATABLE = Object(
    dict, (Field("cpu", Amount()), Field("memory", Amount(whole_bytes)), Field("pods", Integer(minimum=0)))
)


def parse_allocatable(options: MappingT[str, Any]) -> dict[str, int]:
    """What a host may hold, where it differs from its capacity: cpu in millicores, memory in bytes, pods."""
    at = Place("allocatable", Style.NATIVE)
    values = ALLOCATABLE.parse(options, at)
    if at.faults:
        raise InvalidInput(at.faults)
    given = {name: value for name, value in values.items() if value is not None}
    units = {"cpu": Quantity.milli, "memory": Quantity.integer}
    return {name: units[name](value) if name in units else value for name, value in given.items()}


def _finish(pods: SequenceT[Any], faults: SequenceT[Fault]) -> s.PodSpec:
    if faults:
        raise InvalidInput(faults)
    pod: s.PodSpec = pods[0]
    return pod
