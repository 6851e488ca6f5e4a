# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a stack: the tables of its own fields, and the rules that look at more than one of its objects.

Pods, ConfigMaps and Secrets are read as those of a pod alone, workloads by `workloads`. Every fault of every object is
reported at once. What Kubernetes has no field for, documents say in annotations, which `kubernetes` writes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from dataclasses import dataclass, replace
from typing import Any, Callable, cast, get_args

from ..._errors import Fault, InvalidInput
from .. import parse
from .. import spec as s
from ..annotations import ANNOTATED_METADATA, ANNOTATIONS, own_annotations, refuse_annotations
from ..claims import CLAIM, VOLUME, Claim, read_claim
from ..documents import DOCUMENTS, Reading, assemble, config_object, join_objects, read_documents
from ..fields.checks import ip_address, pod_name, podman_name
from ..fields.config import check_config_map, check_secret
from ..fields.pod import HOST_FIELDS, METADATA_FIELDS, SPEC_FIELDS, SPEC_HARMLESS, SPEC_UNSUPPORTED
from ..fields.schema import Boolean, Field, Mapping, Object, Sequence, Text, Type
from ..ingresses.fields import INGRESS, INGRESS_DOCUMENT
from ..ingresses.parse import check_ingresses, document_ingresses, native_ingresses
from ..persistent_volumes import PERSISTENT_VOLUME, Claimed, bind, with_claimed
from ..place import INVALID, Note, Place, Style, shown, spell
from ..pod_rules import Configuration, check_pod, podman_names, ports_meet, published_ports
from ..services.fields import SERVICE, SERVICE_DOCUMENT
from ..services.parse import ServiceAt, check_services, document_services, host_port_places, native_services
from ..set_claims import ClaimsBefore, template_claims
from ..workloads.parse import (
    WORKLOAD_DOCUMENTS,
    WORKLOAD_FIELDS,
    WorkloadAt,
    check_workloads,
    document_workloads,
    native_workloads,
)
from ..workloads.rules import check_pod_names
from ..workloads.spec import KINDS, template_of
from .order import cycle
from .spec import Condition, Dependency, Network, StackSpec, reference

_OWN_HOST_FIELDS = ("infra", "networks", "log_size_max", "min_ready_seconds")
"""Those of `fields.pod.HOST_FIELDS` that each pod has for itself."""
_POD = Object(
    dict,
    (
        *METADATA_FIELDS,
        *SPEC_FIELDS,
        *(field for field in HOST_FIELDS if field.name in _OWN_HOST_FIELDS),
    ),
    unsupported={
        **SPEC_UNSUPPORTED,
        "config_maps": "give it beside the pods: the whole stack shares it",
        "secrets": "give it beside the pods: the whole stack shares it",
    },
    harmless=SPEC_HARMLESS,
)
_KIND_NAMES = tuple(kind.kind for kind in KINDS)


def _workload_reference(text: str) -> str | None:
    kind, slash, name = text.partition("/")
    if slash and kind in _KIND_NAMES:
        return pod_name(name)
    return f"{shown(text)} is not a kind and a name such as Deployment/web; kinds are: {', '.join(_KIND_NAMES)}"


def _check_dependency(dependency: Dependency, at: Place) -> None:
    if dependency.pod is None and dependency.workload is None:
        at.key("pod").fault("is required, or workload in its place")
    elif dependency.pod is not None and dependency.workload is not None:
        at.key("workload").fault("is given beside pod; make it an item of its own")
    elif dependency.workload is not None and dependency.condition == "started":
        at.key("condition").fault("is for pods: a workload is ready once it is as declared, a Job once it is complete")


_DEPENDENCY = Object(
    Dependency,
    (
        Field("pod", Text(pod_name)),
        Field("condition", Text(choices=get_args(Condition)), default="ready"),
        Field("workload", Text(_workload_reference)),
    ),
    check=_check_dependency,
)


def _subnet(text: str) -> str | None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return f"{shown(text)} is not a subnet such as 192.168.10.0/24"
    return None


def _check_network(network: Network, at: Place) -> None:
    if network.gateway and network.subnet is None:
        at.key("gateway").fault("needs subnet")
    elif network.gateway and network.subnet and _is_outside(network.gateway, network.subnet):
        at.key("gateway").fault(f"{network.gateway} is not in {network.subnet}")


def _is_outside(address: str, subnet: str) -> bool:
    return ipaddress.ip_address(address) not in ipaddress.ip_network(subnet)


_NETWORK = Object(
    Network,
    (
        Field("name", Text(podman_name), required=True),
        Field("subnet", Text(_subnet)),
        Field("gateway", Text(ip_address)),
        Field("internal", Boolean(), default=False),
        Field("dns", Boolean(), default=True),
    ),
    check=_check_network,
)
_CONFIGURATION_FIELDS = tuple(field for field in HOST_FIELDS if field.name in ("config_maps", "secrets"))

STACK_FIELDS = (
    Field("name", Text(pod_name), required=True),
    Field("pods", Sequence(_POD), default=()),
    *WORKLOAD_FIELDS,
    Field("services", Sequence(SERVICE), default=()),
    Field("ingresses", Sequence(INGRESS), default=()),
    Field("depends_on", Mapping(Sequence(_DEPENDENCY, unique_by="pod")), default={}),
    *_CONFIGURATION_FIELDS,
    Field("volumes", Sequence(VOLUME, unique_by="name"), default=()),
    Field("networks", Sequence(_NETWORK, unique_by="name"), default=()),
)
"""Every option that describes the stack. Each may stand beside Kubernetes documents, which only add to it."""

_STACK = Object(dict, STACK_FIELDS)


_SECRET_FIELDS = tuple(
    replace(field, type=ANNOTATED_METADATA) if field.name == "metadata" else field
    for field in DOCUMENTS["Secret"].fields
)
_KINDS = {
    **DOCUMENTS,
    "Secret": replace(DOCUMENTS["Secret"], fields=_SECRET_FIELDS),
    "PersistentVolumeClaim": CLAIM,
    "PersistentVolume": PERSISTENT_VOLUME,
    **WORKLOAD_DOCUMENTS,
    "Service": SERVICE_DOCUMENT,
    "Ingress": INGRESS_DOCUMENT,
}


def _secret_annotations() -> dict[str, Type]:
    secrets = next(field.type for field in HOST_FIELDS if field.name == "secrets")
    secret = cast(Object, cast(Sequence, secrets).item)
    return {field.name: field.type for field in secret.fields if field.name in ("generate", "rotate")}


# Doubles are found among all networks of all documents.
_STACK_NETWORKS = Field("stack_networks", Sequence(_NETWORK), default=())
_DEPENDS_ON = Field("depends_on", Sequence(_DEPENDENCY, unique_by="pod"))
_POD_ANNOTATIONS: dict[str, Type] = {
    **{field.name.replace("_", "-"): field.type for field in HOST_FIELDS if field.name in _OWN_HOST_FIELDS},
    "depends-on": _DEPENDS_ON.type,
    "stack-networks": _STACK_NETWORKS.type,
}
_SECRET_ANNOTATIONS = _secret_annotations()
_OF_STACK = (_STACK_NETWORKS, _DEPENDS_ON)
"""What annotations of workloads say that is none of theirs alone."""


@dataclass(frozen=True)
class _PodAt:
    """A pod, where its name stands, and where the fields of Kubernetes' PodSpec stand.

    ``dependencies`` and ``networks`` (of the whole stack) are what the annotations of its document say.
    """

    pod: s.PodSpec
    name_at: Place
    spec_at: Place
    dependencies: Reading | None = None
    networks: Reading | None = None


def parse_options(
    options: MappingT[str, Any],
    documents: SequenceT[Any] = (),
    source: str | SequenceT[str] = "definition",
    notes: list[Note] | None = None,
    claims_before: Callable[[str], ClaimsBefore] | None = None,
) -> StackSpec:
    """The stack that options and Kubernetes documents describe together. Raises InvalidInput with every fault.

    ``source`` is what faults call the documents, or each of them. ``notes`` gets what documents say and no host keeps,
    which is a fault where it is None. ``claims_before`` tells what the claims of the stack of a name stand for by now;
    documents alone do not.
    """
    faults: list[Fault] = []
    at = Place("", Style.NATIVE, faults)
    values = _STACK.parse(options, at)
    read = read_documents(documents, source, faults, _KINDS, notes)
    claims = [read_claim(claim, place) for claim, place in read["PersistentVolumeClaim"]]
    templates = template_claims(read["StatefulSet"])
    is_asked = templates and claims_before and values["name"] is not INVALID
    before = claims_before(values["name"]) if is_asked and claims_before else {}
    claimed = bind(read["PersistentVolume"], claims, templates, before)
    pods = [*_native_pods(values["pods"], at.key("pods")), *_document_pods(read["Pod"], claimed)]
    workloads = _in_order([*native_workloads(values, at), *document_workloads(read, claimed, _OF_STACK)])
    services = [*native_services(values["services"], at.key("services")), *document_services(read["Service"])]
    ingresses = [*native_ingresses(values["ingresses"], at.key("ingresses")), *document_ingresses(read["Ingress"])]
    stack = StackSpec(
        name=values["name"],
        pods=tuple(given.pod for given in pods),
        depends_on=_depends_on(values["depends_on"], _annotated_dependencies(pods, workloads)),
        config_maps=_config_maps(read["ConfigMap"], values["config_maps"], at.key("config_maps")),
        secrets=_secrets(read["Secret"], values["secrets"], at.key("secrets")),
        volumes=_volumes(
            [one for one in claims if not _has_folder(one, claimed)], values["volumes"], at.key("volumes")
        ),
        networks=_networks(pods, workloads, values["networks"], at.key("networks")),
        workloads=tuple(given.workload for given in workloads),
        services=tuple(given.service for given in services),
        ingresses=tuple(given.ingress for given in ingresses),
    )
    known = Configuration(stack.config_maps, stack.secrets)
    for given in pods:
        check_pod(given.pod, given.spec_at, known)
    check_workloads(workloads, known)
    _check_names(pods)
    check_pod_names([(given.workload, given.place.name) for given in workloads], stack.pods)
    publishers = [*map(_pod_publisher, pods), *map(_workload_publisher, workloads)]
    _check_host_ports(publishers)
    check_services(services, [publisher.pod for publisher in publishers])
    _check_ports_of_services(services, publishers, stack.name)
    check_ingresses(ingresses, stack.services, stack.secrets)
    annotated_at = {name: place for name, (_given, place) in _annotated_dependencies(pods, workloads).items()}
    _check_dependencies(stack, annotated_at, at.key("depends_on"), is_sound=not faults)
    if faults:
        raise InvalidInput(faults)
    return stack


def pod_places(
    options: MappingT[str, Any], documents: SequenceT[Any] = (), source: str | SequenceT[str] = "definition"
) -> dict[str, parse.PodPlace]:
    """Where each pod of a stack stands that `parse_options` has taken, by its name."""
    native = {str(pod["name"]): parse.native_place(f"pods[{n}]") for n, pod in enumerate(options.get("pods") or ())}
    return {**native, **parse.document_places(documents, source)}


def parse_name(options: MappingT[str, Any]) -> str:
    """The stack's name alone: all that is needed to remove it, or to go back. Raises InvalidInput."""
    return parse.parse_name(options)


def _native_pods(read: Any, at: Place) -> Iterator[_PodAt]:
    for number, values in enumerate(read):
        if values is not INVALID:
            place = at.index(number)
            refuse_annotations(values["annotations"], place.key("annotations"))
            yield _PodAt(s.PodSpec(**values), place.key("name"), place)


def _document_pods(read: SequenceT[Reading], claimed: MappingT[str, Claimed]) -> Iterator[_PodAt]:
    for values, at in read:
        if values is not INVALID:
            yield _document_pod(values, at, claimed)


def _has_folder(claim: Claim, claimed: MappingT[str, Claimed]) -> bool:
    return claim.name in claimed and claimed[claim.name].folder is not None


def _document_pod(values: Any, at: Place, claimed: MappingT[str, Claimed]) -> _PodAt:
    """A pod as its document has it, with what its annotations say and what its claims stand for."""
    place = at.key("metadata").key("annotations")
    own = own_annotations(values["metadata"]["annotations"], _POD_ANNOTATIONS, place)
    host = {field.name: own.get(field.name.replace("_", "-"), field.default) for field in HOST_FIELDS}
    pod = assemble(values, host)
    if pod.host_network and host["networks"]:
        reason = "a pod on the host's network joins no other; leave one of them out"
        pod = replace(pod, networks=place.raw(f"{ANNOTATIONS}networks").fault(reason))
    if pod.annotations is not INVALID:
        kept = {key: text for key, text in pod.annotations.items() if not key.startswith(ANNOTATIONS)}
        pod = replace(pod, annotations=kept)
    parts = {name: getattr(pod, name) for name in ("volumes", "affinity", "containers", "init_containers")}
    pod = replace(pod, **with_claimed(parts, claimed))
    depends_on = (own["depends-on"], place.raw(f"{ANNOTATIONS}depends-on")) if "depends-on" in own else None
    networks = own.get("stack-networks", ()), place.raw(f"{ANNOTATIONS}stack-networks")
    return _PodAt(pod, at.key("metadata").key("name"), at.key("spec"), depends_on, networks)


def _in_order(workloads: SequenceT[WorkloadAt]) -> list[WorkloadAt]:
    """Kind by kind, so that options and documents that say the same come to the same stack."""
    kinds = [kind.kind for kind in KINDS]
    return sorted(workloads, key=lambda given: kinds.index(given.workload.kind))


def _annotated_dependencies(pods: SequenceT[_PodAt], workloads: SequenceT[WorkloadAt]) -> dict[str, Reading]:
    """What annotations say of dependencies, by the pod or workload that they are of."""
    found = {one.pod.name: one.dependencies for one in pods if one.dependencies is not None}
    for one in workloads:
        reading = one.shared.get(_DEPENDS_ON.name)
        if reading and reading[0] is not None:
            found[reference(one.workload.kind, one.workload.name)] = reading
    return found


def _depends_on(given: Any, annotated: MappingT[str, Reading]) -> Any:
    """The dependencies of the options and of annotations together; INVALID where the options are."""
    if given is INVALID:
        return given
    joined = dict(given)
    for name, (dependencies, place) in annotated.items():
        if name in given:
            place.fault(f"depends_on says already what {shown(name)} depends on; leave one of them out")
        joined.setdefault(name, dependencies)
    return joined


def _config_maps(read: SequenceT[Reading], given: Any, at: Place) -> Any:
    objects = [config_object(s.ConfigMap, values, place, check_config_map) for values, place in read]
    return join_objects("config map", objects, given, at)


def _secrets(read: SequenceT[Reading], given: Any, at: Place) -> Any:
    return join_objects("secret", [_secret(values, place) for values, place in read], given, at)


def _secret(values: Any, at: Place) -> Reading:
    secret, name_at = config_object(s.Secret, values, at, check_secret)
    place = at.key("metadata").key("annotations")
    own = own_annotations(values["metadata"]["annotations"], _SECRET_ANNOTATIONS, place)
    generate, rotate = own.get("generate", {}), own.get("rotate", {})
    for key in sorted({*generate} & {*secret.data, *secret.string_data}):
        place.raw(f"{ANNOTATIONS}generate").raw(key).fault("has a value too; leave one of them out")
    for key in sorted({*rotate} - {*generate}):
        place.raw(f"{ANNOTATIONS}rotate").raw(key).fault("is not among the keys of generate")
    return replace(secret, generate=generate, rotate=rotate), name_at


def _volumes(claims: SequenceT[Claim], given: Any, at: Place) -> Any:
    declared = [(claim.volume, claim.name_at) for claim in claims if claim.is_declared]
    return join_objects("volume", declared, given, at)


def _networks(pods: SequenceT[_PodAt], workloads: SequenceT[WorkloadAt], given: Any, at: Place) -> Any:
    annotated = [one.networks for one in pods if one.networks]
    annotated += [one.shared[_STACK_NETWORKS.name] for one in workloads if one.shared]
    declared = [
        (network, networks_at.index(number).key("name"))
        for networks, networks_at in annotated
        for number, network in enumerate(networks)
    ]
    return join_objects("network", declared, given, at)


# --- rules between objects -------------------------------------------------------------------------------------------


def _check_names(pods: SequenceT[_PodAt]) -> None:
    """No two pods of one name, and no two pods or containers that would be called the same in Podman."""
    seen: dict[str, Place] = {}
    for pod, name_at in ((given.pod, given.name_at) for given in pods):
        if pod.name is INVALID:
            continue
        twin = seen.setdefault(pod.name, name_at)
        if twin is not name_at:
            name_at.fault(f"{shown(pod.name)} is already used by {twin.path}")
    names: dict[str, tuple[str, str]] = {}
    for pod, name_at in ((given.pod, given.name_at) for given in pods):
        if pod.name is INVALID or seen.get(pod.name) is not name_at:
            continue
        for name, part in podman_names(pod):
            owner, other = names.setdefault(name, (pod.name, part))
            if owner != pod.name:
                what = f"its {part} would be called" if part else "it is called"
                twin_part = f"{other} of pod {owner}" if other else f"pod {owner}"
                name_at.fault(f"{what} {name} in Podman, as {twin_part} is; rename one of them")


@dataclass(frozen=True)
class _Publisher:
    """Pods that publish ports, what faults call them, and where the fields of Kubernetes' PodSpec stand."""

    words: str
    pod: s.PodSpec
    spec_at: Place


def _pod_publisher(given: _PodAt) -> _Publisher:
    return _Publisher(f"pod {given.pod.name}", given.pod, given.spec_at)


def _workload_publisher(given: WorkloadAt) -> _Publisher:
    workload = given.workload
    return _Publisher(f"the pods of {workload.kind} {workload.name}", template_of(workload), given.place.pod)


def _check_host_ports(publishers: SequenceT[_Publisher]) -> None:
    taken: dict[tuple[int | None, str], list[tuple[_Publisher, s.ContainerPort]]] = {}
    for publisher in publishers:
        own = list(published_ports(publisher.pod, publisher.spec_at))
        for place, port in own:
            others = taken.get((port.host_port, port.protocol), ())
            other = next((one for one, used in others if ports_meet(port, used)), None)
            if other is not None:
                place.fault(f"{port.host_port}/{port.protocol} is already used by {other.words}")
        for _place, port in own:
            taken.setdefault((port.host_port, port.protocol), []).append((publisher, port))


def _check_ports_of_services(services: SequenceT[ServiceAt], publishers: SequenceT[_Publisher], stack: str) -> None:
    """A port of the host that a Service takes is taken at all addresses."""
    taken = {
        port.host_port: publisher.words
        for publisher in publishers
        for _place, port in published_ports(publisher.pod, publisher.spec_at)
        if port.protocol == "TCP"
    }
    for given in services if stack is not INVALID else ():
        if given.service.ports is INVALID or any(port is INVALID for port in given.service.ports):
            continue
        for place, number in host_port_places(given, stack):
            if number in taken:
                place.fault(f"{number}/TCP of the host is already used by {taken[number]}")
            taken.setdefault(number, f"service {given.service.name}")


def _check_dependencies(stack: StackSpec, annotated: MappingT[str, Place], at: Place, is_sound: bool) -> None:
    if not is_sound or not isinstance(stack.depends_on, dict):
        return
    pods = {pod.name: pod for pod in stack.pods}
    references = {reference(workload.kind, workload.name) for workload in stack.workloads}
    for name, dependencies in stack.depends_on.items():
        if name not in pods and name not in references:
            at.raw(name).fault(_unknown(name, [*pods, *sorted(references)] if "/" in name else pods))
        for number, dependency in enumerate(dependencies):
            place = annotated.get(name, at.raw(name)).index(number)
            other = pods.get(dependency.pod or "")
            if dependency.workload is not None:
                _check_workload_dependency(dependency, references, place)
            elif other is None:
                place.key("pod").fault(_unknown(dependency.on, pods))
            elif dependency.condition == "completed" and other.restart_policy == "Always":
                policy = spell("restart_policy", place.style)
                place.key("condition").fault(f"pod {other.name} never completes: its {policy} is Always")
    if at.faults:
        return
    found = cycle({name: [dependency.on for dependency in group] for name, group in stack.depends_on.items()})
    if found:
        annotated.get(found[0], at).fault(f"the pods wait for one another: {' -> '.join(found)}")


def _unknown(name: str, known: Iterable[str]) -> str:
    what = "workload" if "/" in name else "pod"
    return f"no {what} is called {shown(name)}; declared are: {', '.join(known) or 'none'}"


def _check_workload_dependency(dependency: Dependency, known: Iterable[str], at: Place) -> None:
    if dependency.on not in known:
        at.key("workload").fault(_unknown(dependency.on, sorted(known)))
    elif dependency.condition == "completed" and not dependency.on.startswith("Job/"):
        at.key("condition").fault(f"{dependency.on} never completes: only a Job does")
