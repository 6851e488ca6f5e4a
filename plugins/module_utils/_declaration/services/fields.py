# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of every field of a Service, and the rules within one.

Source: Kubernetes 1.37, the defaults and the validation of v1 Service.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, get_args

from ..annotations import LABEL_NAMED_METADATA
from ..documents import API_VERSION
from ..fields.checks import PORT, dns_label, label_key, label_value
from ..fields.schema import Boolean, Field, Integer, Mapping, Object, PortReference, Sequence, Text
from ..place import INVALID, Place, shown, spell
from .spec import (
    FIRST_NODE_PORT,
    LAST_NODE_PORT,
    NAMESPACE,
    Affinity,
    ClientIP,
    Service,
    ServicePort,
    ServiceType,
    SessionAffinityConfig,
)

_MAX_AFFINITY_SECONDS = 86400
_NO_UDP = "a Service carries TCP here; publish the port with hostPort (host_port) of a Pod"


def _words(choices: tuple[str, ...], others: dict[str, str]) -> Callable[[str], str | None]:
    """Some words; of those that mean something elsewhere it is said what to do instead."""

    def check(text: str) -> str | None:
        if text in others:
            return f"{shown(text)} is not supported; {others[text]}"
        return None if text in choices else f"{shown(text)} is not one of {', '.join(choices)}"

    return check


_TYPE = _words(
    get_args(ServiceType), {"ExternalName": "give the name in hostAliases (host_aliases) of the Pods, or in DNS"}
)
_PORT = Object(
    ServicePort,
    (
        Field("port", PORT, required=True),
        Field("name", Text(dns_label)),
        Field("target_port", PortReference(), zero_is_unset=True),
        Field("node_port", Integer(FIRST_NODE_PORT, LAST_NODE_PORT), zero_is_unset=True),
        Field("protocol", Text(_words(("TCP",), {"UDP": _NO_UDP, "SCTP": _NO_UDP})), default="TCP"),
        Field("app_protocol", Text(label_key)),
    ),
)
_HOST_PORT = Field("host_port", PORT)
_CLIENT_IP = Object(ClientIP, (Field("timeout_seconds", Integer(1, _MAX_AFFINITY_SECONDS), default=10800),))
_FIELDS = (
    Field("selector", Mapping(Text(label_value), label_key), required=True),
    Field("type", Text(_TYPE), default="ClusterIP"),
    Field("session_affinity", Text(choices=get_args(Affinity)), default="None"),
    Field(
        "session_affinity_config",
        Object(SessionAffinityConfig, (Field("client_ip", _CLIENT_IP, default=ClientIP()),)),
        default=SessionAffinityConfig(),
    ),
    Field("publish_not_ready_addresses", Boolean(), default=False),
)
DRAIN_SECONDS = Field("drain_seconds", Integer(minimum=0, maximum=3600), default=30)
_NAMESPACE = Field("namespace", Text(dns_label), default=NAMESPACE)
_ONE_HOST = "all Pods of a host's Service are on that host"
_OWN_ADDRESS = "a host's Service is reached at the host's own addresses"
_NOTED = {
    "external_traffic_policy": _ONE_HOST,
    "internal_traffic_policy": _ONE_HOST,
    "traffic_distribution": _ONE_HOST,
    "ip_families": _OWN_ADDRESS,
    "ip_family_policy": _OWN_ADDRESS,
    "load_balancer_ip": _OWN_ADDRESS,
    "load_balancer_class": "the host's own front takes the port",
    "allocate_load_balancer_node_ports": "only what is declared is listened for",
    "health_check_node_port": _ONE_HOST,
    "external_ips": _OWN_ADDRESS,
}
"""Those of `_UNSUPPORTED` that documents may say, since the Service is had as well without."""
_UNSUPPORTED = {
    **{name: f"{reason}; leave it out" for name, reason in _NOTED.items()},
    "external_name": "give the name in hostAliases (host_aliases) of the Pods, or in DNS",
    "load_balancer_source_ranges": "what it closes would stay open; close the port in the host's firewall",
}
_HARMLESS = {
    "external_traffic_policy": ("Cluster",),
    "internal_traffic_policy": ("Cluster",),
    "ip_families": (["IPv4"],),
    "ip_family_policy": ("SingleStack",),
    "allocate_load_balancer_node_ports": (True, False),
}


def check_service(service: Service, at: Place) -> None:
    """What holds between the fields of one Service."""
    if service.selector == {}:
        at.key("selector").fault("is empty; name the labels of the Pods that stand behind the Service")
    if service.is_headless and service.type not in ("ClusterIP", INVALID):
        at.key("type").fault(f"{service.type} needs a front, and {spell('cluster_ip', at.style)} None means none")
    ports_at = at.key("ports")
    if not service.ports and service.ports is not INVALID and not service.is_headless:
        ports_at.fault("is required")
    seen: dict[Any, Place] = {}
    for number, port in enumerate(service.ports):
        if port is INVALID:
            continue
        here = ports_at.index(number)
        if port.name is None and len(service.ports) > 1:
            here.key("name").fault("is required where there are several ports")
        for field in ("name", "port", "node_port"):
            value = getattr(port, field)
            twin = seen.setdefault((field, value), here.key(field)) if value is not None else here.key(field)
            if value is not INVALID and twin.path != here.key(field).path:
                here.key(field).fault(f"{shown(value)} is already used by {twin.path}")
        if port.node_port and service.type == "ClusterIP":
            here.key("node_port").fault("is for the types NodePort and LoadBalancer")


SERVICE = Object(
    Service,
    (
        Field("name", Text(dns_label), required=True),
        *_FIELDS,
        Field("cluster_ip", Text(choices=("None",))),
        Field("ports", Sequence(Object(ServicePort, (*_PORT.fields, _HOST_PORT)), form="[{port: 80}]"), default=()),
        DRAIN_SECONDS,
        _NAMESPACE,
    ),
    check=check_service,
    unsupported=_UNSUPPORTED,
)
"""A Service in native options."""
DOCUMENT_SPEC = Object(
    dict,
    (*_FIELDS, Field("cluster_ip", Text()), Field("ports", Sequence(_PORT), default=())),
    unsupported=_UNSUPPORTED,
    harmless=_HARMLESS,
    noted=_NOTED,
    # What a cluster has given it.
    ignored=frozenset({"clusterIPs"}),
)
_METADATA = replace(
    LABEL_NAMED_METADATA,
    fields=(*LABEL_NAMED_METADATA.fields, _NAMESPACE),
    ignored=LABEL_NAMED_METADATA.ignored - {"namespace"},
)
SERVICE_DOCUMENT = Object(
    dict,
    (
        API_VERSION,
        Field("kind", Text(choices=("Service",)), required=True),
        Field("metadata", _METADATA, required=True),
        Field("spec", DOCUMENT_SPEC, required=True),
    ),
    ignored=frozenset({"status"}),
)
