# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads Services: native options or Kubernetes documents in, objects of `spec` or every fault out. And back."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from dataclasses import dataclass, replace
from typing import Any

from .. import spec as s
from ..annotations import ANNOTATIONS, own_annotations
from ..document_parts import Document, v1_document
from ..documents import Reading, with_spec
from ..fields.checks import PORT
from ..fields.schema import Mapping, Type
from ..place import INVALID, Place, shown
from .fields import DRAIN_SECONDS, check_service
from .spec import NAMESPACE, Service

_ANNOTATIONS: dict[str, Type] = {"drain-seconds": DRAIN_SECONDS.type, "host-ports": Mapping(PORT)}


@dataclass(frozen=True)
class ServiceAt:
    """A Service, where its name stands, and where its fields do."""

    service: Service
    name_at: Place
    fields_at: Place


def native_services(given: Any, at: Place) -> Iterator[ServiceAt]:
    """The Services among native options, which stand at ``at``."""
    for number, service in enumerate(given):
        if service is not INVALID:
            place = at.index(number)
            yield ServiceAt(service, place.key("name"), place)


def document_services(read: SequenceT[Reading]) -> Iterator[ServiceAt]:
    """The Services of documents."""
    return (_document_service(values, at) for values, at in with_spec(read))


def _document_service(values: Any, at: Place) -> ServiceAt:
    annotations_at, spec_at = at.key("metadata").key("annotations"), at.key("spec")
    own = own_annotations(values["metadata"]["annotations"], _ANNOTATIONS, annotations_at)
    fields = dict(values["spec"])
    # An address that a cluster has chosen says nothing here.
    fields["cluster_ip"] = "None" if fields["cluster_ip"] == "None" else None
    drain_seconds = own.get("drain-seconds", DRAIN_SECONDS.default)
    named = {field: values["metadata"][field] for field in ("name", "namespace")}
    service = Service(**named, drain_seconds=drain_seconds, **fields)
    host_ports = own.get("host-ports", {})
    if host_ports is not INVALID and service.ports is not INVALID:
        known = {str(port.port): number for number, port in enumerate(service.ports) if port is not INVALID}
        for key in host_ports:
            if key not in known:
                annotations_at.raw(f"{ANNOTATIONS}host-ports").raw(key).fault("is no port of the Service")
        ports = (
            replace(port, host_port=host_ports.get(str(port.port))) if port is not INVALID else port
            for port in service.ports
        )
        service = replace(service, ports=tuple(ports))
    check_service(service, spec_at)
    return ServiceAt(service, at.key("metadata").key("name"), spec_at)


def to_document(service: Service) -> Document:
    """A Service as a document that `document_services` reads back to an equal one."""
    own: Document = {}
    if service.drain_seconds != DRAIN_SECONDS.default:
        own["drain-seconds"] = service.drain_seconds
    host_ports = {str(port.port): port.host_port for port in service.ports if port.host_port}
    if host_ports:
        own["host-ports"] = host_ports
    plain = replace(
        service,
        drain_seconds=DRAIN_SECONDS.default,
        ports=tuple(replace(port, host_port=None) for port in service.ports),
    )
    spec = {name: value for name, value in s.to_document(plain).items() if name not in ("name", "namespace")}
    document = v1_document("Service", service.name, {"spec": spec}, own)
    if service.namespace != NAMESPACE:
        document["metadata"]["namespace"] = service.namespace
    return document


# --- rules between objects -------------------------------------------------------------------------------------------


def check_services(services: SequenceT[ServiceAt], pods: SequenceT[s.PodSpec]) -> None:
    """Notes a fault for names that are used twice, and for ports that no pod behind a Service has.

    ``pods`` are those of the stack, and the templates of its workloads.
    """
    seen: dict[str, Place] = {}
    for given in services:
        name = given.service.name
        if name is INVALID:
            continue
        twin = seen.setdefault(name, given.name_at)
        if twin is not given.name_at:
            given.name_at.fault(f"the service {name!r} is already given by {twin.path}")
        _check_targets(given, pods)


def _check_targets(given: ServiceAt, pods: SequenceT[s.PodSpec]) -> None:
    service = given.service
    if any(pod.labels is INVALID or pod.containers is INVALID for pod in pods) or service.selector is INVALID:
        return
    selected = [pod for pod in pods if service.selects(pod.labels)]
    if not selected:
        labels = ", ".join(f"{key}: {value}" for key, value in service.selector.items())
        given.fields_at.key("selector").fault(f"no pod of the stack has the labels {labels}")
        return
    names = {name for pod in selected for name in port_names(pod)}
    for number, port in enumerate(service.ports):
        if port is not INVALID and isinstance(port.target, str) and port.target not in names:
            known = ", ".join(sorted(names)) or "none"
            reason = f"no pod behind the service has a port named {shown(port.target)}; named are: {known}"
            given.fields_at.key("ports").index(number).key("target_port").fault(reason)


def port_names(pod: s.PodSpec) -> MappingT[str, int]:
    """The named TCP ports of a pod."""
    containers = (container for container in pod.all_containers if container is not INVALID)
    ports = (port for container in containers for port in container.ports if port is not INVALID)
    return {port.name: port.container_port for port in ports if port.name and port.protocol == "TCP"}


def host_port_places(given: ServiceAt, stack: str) -> Iterator[tuple[Place, int]]:
    """The ports of the host that a Service takes, and where each is declared."""
    for port, number in given.service.host_ports(stack):
        here = given.fields_at.key("ports").index(given.service.ports.index(port))
        field = {port.host_port: "host_port", port.node_port: "node_port"}.get(number, "port")
        yield here.key(field), number
