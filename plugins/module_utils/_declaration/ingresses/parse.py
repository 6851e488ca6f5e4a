# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads Ingresses: native options or Kubernetes documents in, objects of `spec` or every fault out. And back."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as SequenceT
from dataclasses import dataclass, replace
from typing import Any

from .. import spec as s
from ..annotations import own_annotations
from ..document_parts import Document
from ..documents import Reading, with_spec
from ..place import INVALID, Place, has_faults, shown
from ..services.spec import Service
from .fields import SETTINGS, check_ingress, read_settings, written_settings
from .spec import CERTIFICATE, KEY, Ingress, IngressBackend, IngressService, Tls, match_of, rule_in_words


@dataclass(frozen=True)
class IngressAt:
    """An Ingress, where its name stands, and where its fields do."""

    ingress: Ingress
    name_at: Place
    fields_at: Place

    def backends(self) -> Iterator[tuple[IngressBackend, Place]]:
        """Its backends that could be read, each with its place."""
        ingress, at = self.ingress, self.fields_at
        if ingress.default_backend:
            yield ingress.default_backend, at.key("default_backend")
        for number, rule in enumerate(ingress.rules):
            paths_at = at.key("rules").index(number).key("http").key("paths")
            for count, path in enumerate(rule.paths):
                if path.backend:
                    yield path.backend, paths_at.index(count).key("backend")

    def matches(self) -> Iterator[tuple[tuple[str, str, str], Place]]:
        """The host and path of each of its rules, as what nobody else may have."""
        ingress, at = self.ingress, self.fields_at
        for number, rule in enumerate(ingress.rules):
            here = at.key("rules").index(number)
            for count, path in enumerate(rule.paths):
                if rule.host is not INVALID and path.path and path.path_type:
                    place = here.key("http").key("paths").index(count).key("path")
                    yield (rule.host or "", *match_of(ingress, path)), place
        hosts = (ingress.hosts or (None,)) if ingress.default_backend and ingress.rules is not INVALID else ()
        for host in hosts:
            if host is not INVALID:
                yield (host or "", "default", ""), at.key("default_backend")


def native_ingresses(given: Any, at: Place) -> Iterator[IngressAt]:
    """The Ingresses among native options, which stand at ``at``."""
    for number, ingress in enumerate(given):
        if ingress is not INVALID:
            place = at.index(number)
            yield IngressAt(ingress, place.key("name"), place)


def document_ingresses(read: SequenceT[Reading]) -> Iterator[IngressAt]:
    """The Ingresses of documents."""
    return (_document_ingress(values, at) for values, at in with_spec(read))


def _document_ingress(values: Any, at: Place) -> IngressAt:
    annotations, annotations_at = values["metadata"]["annotations"], at.key("metadata").key("annotations")
    own_annotations(annotations, {}, annotations_at)
    settings = read_settings(annotations, annotations_at)
    ingress, spec_at = Ingress(name=values["metadata"]["name"], **values["spec"], **settings), at.key("spec")
    if ingress.ingress_class_name:
        spec_at.key("ingress_class_name").note("one front serves the Ingresses of all classes here")
    check_ingress(ingress, spec_at)
    return IngressAt(ingress, at.key("metadata").key("name"), spec_at)


def to_document(ingress: Ingress) -> Document:
    """An Ingress as a document that `document_ingresses` reads back to an equal one."""
    metadata: Document = {"name": ingress.name}
    annotations = written_settings(ingress)
    if annotations:
        metadata["annotations"] = annotations
    plain = s.to_document(replace(ingress, **{field.name: field.default for field in SETTINGS}))
    spec = {name: value for name, value in plain.items() if name != "name"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


# --- rules between objects -------------------------------------------------------------------------------------------


def check_ingresses(
    ingresses: SequenceT[IngressAt], services: SequenceT[Service], secrets: SequenceT[s.Secret]
) -> None:
    """Notes a fault for names and rules that are used twice, and for Services and Secrets that are not there so."""
    names: dict[str, Place] = {}
    rules: dict[tuple[str, str, str], Place] = {}
    certificates: dict[str, tuple[str, Place]] = {}
    for given in ingresses:
        name = given.ingress.name
        if name is not INVALID and names.setdefault(name, given.name_at) is not given.name_at:
            given.name_at.fault(f"the ingress {name!r} is already given by {names[name].path}")
        for rule, place in given.matches():
            twin = rules.setdefault(rule, place)
            if twin is not place:
                place.fault(f"{rule_in_words(*rule)} is already led elsewhere by {twin.path}")
        for backend, place in given.backends():
            if not has_faults(services) and backend.service:
                _check_service(backend.service, services, place.key("service"))
        for number, tls in enumerate(given.ingress.tls):
            if tls is not INVALID:
                _check_tls(given.ingress, tls, given.fields_at.key("tls").index(number), secrets, certificates)


def _check_service(wanted: IngressService, services: SequenceT[Service], at: Place) -> None:
    service = next((one for one in services if one.name == wanted.name), None)
    if service is None and wanted.name is not INVALID:
        known = ", ".join(one.name for one in services) or "none"
        at.key("name").fault(f"no service of the stack is called {shown(wanted.name)}; declared are: {known}")
    if service is None or not wanted.port or (not service.ports and service.ports is INVALID):
        return
    field = "number" if wanted.port.number is not None else "name"
    given = getattr(wanted.port, field)
    ports = {getattr(port, "port" if field == "number" else "name") for port in service.ports}
    if given not in (INVALID, None) and INVALID not in ports and given not in ports:
        known = ", ".join(f"{port.port} ({port.name})" if port.name else str(port.port) for port in service.ports)
        reason = f"the service {wanted.name} has no port {shown(given)}; it has: {known or 'none'}"
        at.key("port").key(field).fault(reason)


def _check_tls(
    ingress: Ingress, tls: Tls, at: Place, secrets: SequenceT[s.Secret], certificates: dict[str, tuple[str, Place]]
) -> None:
    name, name_at = tls.secret_name, at.key("secret_name")
    if name is INVALID:
        return
    for host in ingress.tls_hosts(tls) if tls.hosts is not INVALID and ingress.rules is not INVALID else ():
        if host is INVALID:
            continue
        other, twin = certificates.setdefault(host or "", (name, name_at))
        if other != name:
            name_at.fault(f"{host or 'every host'} has the certificate of the secret {other} by {twin.path}")
    secret = next((one for one in secrets if one.name == name), None)
    if has_faults(secrets):
        return
    if secret is None:
        name_at.fault(f"no secret is called {shown(name)}; give it in secrets or as a Secret document")
        return
    for key in (CERTIFICATE, KEY):
        if key in secret.generate:
            name_at.fault(f"{key} of the secret {name} is generated, and no certificate is")
        elif key not in secret.data and key not in secret.string_data:
            name_at.fault(f"the secret {name} has no {key}; a certificate is {CERTIFICATE}, and its key {KEY}")
