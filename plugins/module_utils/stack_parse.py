# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a stack: the tables of its own fields, and the rules that look at more than one of its objects.

Pods, ConfigMaps and Secrets are read by the tables of `parse`. Every fault of every object is reported at once.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from dataclasses import replace
from typing import Any

from . import parse
from . import spec as s
from .errors import Fault, InvalidInput
from .schema import INVALID, Amount, Boolean, Field, Mapping, Object, Place, Sequence, Style, Text, shown, spell
from .stack_order import cycle
from .stack_spec import CONDITIONS, Dependency, NamedVolume, Network, StackSpec

_POD = Object(
    dict,
    (
        *parse.METADATA_FIELDS,
        *parse.SPEC_FIELDS,
        *(field for field in parse.HOST_FIELDS if field.name in ("infra", "networks")),
    ),
    unsupported={
        **parse.SPEC_UNSUPPORTED,
        "config_maps": "give it beside the pods: the whole stack shares it",
        "secrets": "give it beside the pods: the whole stack shares it",
    },
    harmless=parse.SPEC_HARMLESS,
)
_DEPENDENCY = Object(
    Dependency,
    (
        Field("pod", Text(parse.pod_name), required=True),
        Field("condition", Text(choices=CONDITIONS), default="ready"),
    ),
)
_VOLUME = Object(
    NamedVolume,
    (
        Field("name", Text(parse.podman_name), required=True),
        Field("size", Amount()),
        Field("driver", Text(), default="local"),
        Field("options", Mapping(Text()), default={}),
    ),
)


def _subnet(text: str) -> str | None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return f"{shown(text)} is not a subnet such as 192.168.10.0/24"
    return None


def _address(text: str) -> str | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return f"{shown(text)} is not an IP address"
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
        Field("name", Text(parse.podman_name), required=True),
        Field("subnet", Text(_subnet)),
        Field("gateway", Text(_address)),
        Field("internal", Boolean(), default=False),
        Field("dns", Boolean(), default=True),
    ),
    check=_check_network,
)
_CONFIGURATION_FIELDS = tuple(field for field in parse.HOST_FIELDS if field.name in ("config_maps", "secrets"))

STACK_FIELDS = (
    Field("name", Text(parse.pod_name), required=True),
    Field("pods", Sequence(_POD), default=()),
    Field("depends_on", Mapping(Sequence(_DEPENDENCY, unique_by="pod")), default={}),
    *_CONFIGURATION_FIELDS,
    Field("volumes", Sequence(_VOLUME, unique_by="name"), default=()),
    Field("networks", Sequence(_NETWORK, unique_by="name"), default=()),
)
"""Every option that describes the stack. Each may stand beside Kubernetes documents, which only add to it."""

_STACK = Object(dict, STACK_FIELDS)
_CLAIM = Object(
    dict,
    (
        parse.API_VERSION,
        Field("kind", Text()),
        Field("metadata", parse.CONFIG_METADATA, required=True),
        Field(
            "spec",
            Object(
                dict,
                (
                    Field("access_modes", Sequence(Text()), default=()),
                    Field("volume_mode", Text(choices=("Filesystem",)), default="Filesystem"),
                    Field("storage_class_name", Text()),
                    Field(
                        "resources",
                        Object(dict, (Field("requests", Object(dict, (Field("storage", Amount()),))),)),
                    ),
                ),
                unsupported={
                    "selector": "a claim is the Podman volume of its name",
                    "volume_name": "a claim is the Podman volume of its name",
                    "data_source": "fill the volume with an init container",
                    "data_source_ref": "fill the volume with an init container",
                },
            ),
            required=True,
        ),
    ),
    ignored=frozenset({"status"}),
)
_KINDS = {**parse.DOCUMENTS, "PersistentVolumeClaim": _CLAIM}

PodAt = "tuple[s.PodSpec, Place, Place]"
"""A pod, where its name stands, and where the fields of Kubernetes' PodSpec stand."""


def parse_options(options: MappingT[str, Any], documents: SequenceT[Any] = (), source: str = "definition") -> StackSpec:
    """The stack that options and Kubernetes documents describe together. Raises InvalidInput with every fault."""
    faults: list[Fault] = []
    at = Place("", Style.NATIVE, faults)
    values = _STACK.parse(options, at)
    read = parse.read_documents(documents, source, faults, _KINDS)
    pods = [*_native_pods(values["pods"], at.key("pods")), *_document_pods(read["Pod"])]
    stack = StackSpec(
        name=values["name"],
        pods=tuple(pod for pod, _name_at, _spec_at in pods),
        depends_on=values["depends_on"],
        config_maps=_configuration(s.ConfigMap, "config map", read["ConfigMap"], values, at.key("config_maps")),
        secrets=_configuration(s.Secret, "secret", read["Secret"], values, at.key("secrets")),
        volumes=_volumes(read["PersistentVolumeClaim"], values["volumes"], at.key("volumes")),
        networks=values["networks"],
    )
    for pod, _name_at, spec_at in pods:
        parse.check_pod(replace(pod, config_maps=stack.config_maps, secrets=stack.secrets), spec_at)
    _check_names(pods)
    _check_host_ports(pods)
    _check_dependencies(stack, at.key("depends_on"), is_sound=not faults)
    if faults:
        raise InvalidInput(faults)
    return stack


def parse_name(options: MappingT[str, Any]) -> str:
    """The stack's name alone: all that is needed to remove it, or to go back. Raises InvalidInput."""
    return parse.parse_name(options)


def _native_pods(read: Any, at: Place) -> Iterator[Any]:
    for number, values in enumerate(read):
        if values is not INVALID:
            place = at.index(number)
            yield s.PodSpec(**values), place.key("name"), place


def _document_pods(read: SequenceT[parse.Reading]) -> Iterator[Any]:
    host = {"infra": s.Infra(), "networks": (), "config_maps": (), "secrets": ()}
    for values, at in read:
        if values is not INVALID:
            yield parse.assemble(values, host), at.key("metadata").key("name"), at.key("spec")


def _configuration(build: Any, what: str, read: SequenceT[parse.Reading], values: MappingT[str, Any], at: Place) -> Any:
    check = parse.check_config_map if build is s.ConfigMap else parse.check_secret
    objects = [parse.config_object(build, item, place, check) for item, place in read]
    return parse.join_objects(what, objects, values[at.path], at)


def _volumes(read: SequenceT[parse.Reading], given: Any, at: Place) -> Any:
    claims = []
    for values, place in read:
        requests = values["spec"]["resources"] and values["spec"]["resources"]["requests"]
        size = requests["storage"] if requests else None
        claims.append((NamedVolume(values["metadata"]["name"], size), place.key("metadata").key("name")))
    return parse.join_objects("volume", claims, given, at)


# --- rules between objects -------------------------------------------------------------------------------------------


def _check_names(pods: SequenceT[Any]) -> None:
    """No two pods of one name, and no two containers that would be called the same in Podman."""
    seen: dict[str, Place] = {}
    for pod, name_at, _spec_at in pods:
        if pod.name is INVALID:
            continue
        twin = seen.setdefault(pod.name, name_at)
        if twin is not name_at:
            name_at.fault(f"{shown(pod.name)} is already used by {twin.path}")
    names: dict[str, tuple[str, str]] = {}
    for pod, name_at, _spec_at in pods:
        if pod.name is INVALID or seen.get(pod.name) is not name_at:
            continue
        for container in pod.all_containers:
            if container.name is INVALID:
                continue
            owner = names.setdefault(pod.podman_name(container.name), (pod.name, container.name))
            if owner[0] != pod.name:
                name_at.fault(
                    f"its container {container.name} would be called {pod.podman_name(container.name)} in Podman, "
                    f"as {owner[1]} of pod {owner[0]} is"
                )


def _check_host_ports(pods: SequenceT[Any]) -> None:
    taken: list[tuple[s.PodSpec, s.ContainerPort]] = []
    for pod, _name_at, spec_at in pods:
        own = list(parse.published_ports(pod, spec_at))
        for place, port in own:
            other = next((p for p, used in taken if parse.ports_meet(port, used)), None)
            if other is not None:
                place.fault(f"{port.host_port}/{port.protocol} is already used by pod {other.name}")
        taken += [(pod, port) for _place, port in own]


def _check_dependencies(stack: StackSpec, at: Place, is_sound: bool) -> None:
    if not is_sound or not isinstance(stack.depends_on, dict):
        return
    declared = ", ".join(pod.name for pod in stack.pods) or "none"
    for name, dependencies in stack.depends_on.items():
        if stack.find(name) is None:
            at.raw(name).fault(f"no pod is called {shown(name)}; declared are: {declared}")
        for number, dependency in enumerate(dependencies):
            place = at.raw(name).index(number)
            other = stack.find(dependency.pod)
            if other is None:
                place.key("pod").fault(f"no pod is called {shown(dependency.pod)}; declared are: {declared}")
            elif dependency.condition == "completed" and other.restart_policy == "Always":
                policy = spell("restart_policy", at.style)
                place.key("condition").fault(f"pod {other.name} never completes: its {policy} is Always")
    if at.faults:
        return
    found = cycle({name: [d.pod for d in group] for name, group in stack.depends_on.items()})
    if found:
        at.fault(f"the pods wait for one another: {' -> '.join(found)}")
