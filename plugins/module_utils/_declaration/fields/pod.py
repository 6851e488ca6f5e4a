# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a pod: its metadata, Kubernetes' PodSpec, and what says how this host keeps it."""

from __future__ import annotations

from collections.abc import Mapping as MappingT
from typing import Any, get_args

from .. import spec as s
from ..place import INVALID, Place
from ..quantity import Quantity
from .affinity import AFFINITY
from .checks import (
    SECONDS,
    TEXTS,
    annotation_key,
    dns_label,
    dns_option,
    image,
    ip_address,
    label_key,
    label_value,
    object_name,
    pod_name,
    podman_name,
    search_domain,
    whole_bytes,
)
from .config import CONFIG_MAP, SECRET
from .container import CONTAINER, INIT_CONTAINER, NO_DEVICES, RESOURCES
from .schema import Amount, Boolean, Field, Integer, Mapping, Object, Sequence, Text
from .security import POD_SECURITY_CONTEXT, WINDOWS
from .volume import VOLUME

# Podman's monitor writes as much at once, and counts in 64 bits.
_LOG_SIZES = (Quantity.parse("8Ki"), Quantity.parse("1Ei"))


def _log_size(quantity: Quantity) -> str | None:
    least, most = _LOG_SIZES
    if quantity != Quantity.parse("0") and not least <= quantity <= most:
        return f"{quantity.canonical()} is not between {least.canonical()} and {most.canonical()}; 0 is for no limit"
    return whole_bytes(quantity)


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

_INFRA = Object(
    s.Infra,
    (
        Field("image", Text(image)),
        Field("command", TEXTS, default=()),
        Field("name", Text(podman_name)),
    ),
)

_PLACEMENT = "place pods with the inventory: hosts, groups and --limit"
NO_API = "there is no API server on a plain host; leave it out"

_SYSTEM_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")


class _NodeSelector(Mapping):
    """What of itself a host has to be. That it runs Linux says nothing more."""

    def parse(self, value: object, at: Place) -> Any:
        selector = super().parse(value, at)
        if selector is INVALID:
            return selector
        says_nothing = dict.fromkeys(_SYSTEM_LABELS, "linux").items()
        return {key: wanted for key, wanted in selector.items() if (key, wanted) not in says_nothing}


SPEC_FIELDS = (
    Field("containers", Sequence(CONTAINER, "name", minimum=1, form="[{name: a, image: b}]"), required=True),
    Field("init_containers", Sequence(INIT_CONTAINER, unique_by="name"), default=()),
    Field("volumes", Sequence(VOLUME, "name", form="[{name: data, empty_dir: {}}]"), default=()),
    Field("restart_policy", Text(choices=get_args(s.RestartPolicy)), default="Always"),
    Field("termination_grace_period_seconds", SECONDS, default=30),
    Field("active_deadline_seconds", Integer(minimum=1)),
    Field("hostname", Text(dns_label)),
    Field("subdomain", Text(dns_label)),
    Field("enable_service_links", Boolean(), default=True),
    Field("host_network", Boolean(), default=False),
    Field("host_pid", Boolean(), default=False),
    Field("host_ipc", Boolean(), default=False),
    Field("share_process_namespace", Boolean(), default=False),
    Field("host_aliases", Sequence(_HOST_ALIAS), default=()),
    Field("dns_policy", Text(choices=get_args(s.DnsPolicy)), default="ClusterFirst"),
    Field("dns_config", _DNS_CONFIG),
    Field("security_context", POD_SECURITY_CONTEXT),
    Field("resources", RESOURCES),
    Field("node_selector", _NodeSelector(Text(label_value), label_key), default={}),
    Field("affinity", AFFINITY),
    Field(
        "image_pull_secrets",
        Sequence(Object(s.LocalObjectReference, (Field("name", Text(object_name), required=True),)), unique_by="name"),
        default=(),
    ),
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
    "node_name": _PLACEMENT,
    "scheduler_name": _PLACEMENT,
    "scheduling_gates": _PLACEMENT,
    "tolerations": _PLACEMENT,
    "topology_spread_constraints": _PLACEMENT,
    "priority": "one host evicts nothing; give memory requests instead",
    "priority_class_name": "one host evicts nothing; give memory requests instead",
    "preemption_policy": "one host evicts nothing; give memory requests instead",
    "runtime_class_name": "set the OCI runtime in the host's containers.conf",
    "overhead": "it is added by runtime classes, which a plain host has not; leave it out",
    "automount_service_account_token": NO_API,
    "service_account": NO_API,
    "service_account_name": NO_API,
    "ephemeral_containers": "use podman exec, or add a sidecar",
    "resource_claims": NO_DEVICES,
    "host_users": "run the pod with rootless Podman",
    "set_hostname_as_fqdn": "a plain host has no cluster domain; leave it out",
    "os": WINDOWS,
}
_NO_EVICTION = "one host evicts nothing"
_NO_TOKEN = "there is no API server on a plain host that the Pod could ask"
SPEC_NOTED = {
    "automount_service_account_token": _NO_TOKEN,
    "preemption_policy": _NO_EVICTION,
    "priority": _NO_EVICTION,
    "priority_class_name": _NO_EVICTION,
    "service_account": _NO_TOKEN,
    "service_account_name": _NO_TOKEN,
    "tolerations": "a plain host has no taints",
    "topology_spread_constraints": "the Pods of a plain host are all on it",
}
"""Those of `SPEC_UNSUPPORTED` that documents may say, since a Pod runs as well without."""
# What the API server fills in by itself, and what says no more than "a Linux host".
SPEC_HARMLESS: MappingT[str, tuple[object, ...]] = {
    "automount_service_account_token": (False,),
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

POD_FIELDS = (*METADATA_FIELDS, *SPEC_FIELDS, *HOST_FIELDS)
"""Every native option that describes the pod."""
