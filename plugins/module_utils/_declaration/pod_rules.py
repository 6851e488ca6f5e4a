# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a pod that look at more than one of its fields."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterator
from collections.abc import Sequence as SequenceT
from dataclasses import replace
from typing import Any

from . import pull_secrets
from . import spec as s
from .fields.volume import PROJECTION_SOURCES
from .place import INVALID, Place, Style, has_faults, shown, spell
from .resources import ContainerResources, pod_requests


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


ANY_CONFIGURATION = Configuration(INVALID, INVALID)
"""For what was judged once and is read again alone: nothing that it refers to is missing."""


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
    _check_pull_secrets(pod, known, at)
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


def _check_pull_secrets(pod: s.PodSpec, known: Configuration, at: Place) -> None:
    """Those that are there hold credentials; images are pulled without those that are not, as by the kubelet.

    A run warns of these (`unkept`); documents, of which nobody has seen that a host lacks something, get a note.
    """
    for number, reference in enumerate(pod.image_pull_secrets):
        place = at.key("image_pull_secrets").index(number).key("name")
        keys = known.keys(True, reference.name)
        if keys is INVALID:
            continue
        if keys is None and at.style is Style.NATIVE:
            continue
        if keys is None:
            place.tell(
                f"no secret is called {reference.name!r}, so that images are pulled without it; give it in secrets, "
                f"with the key {pull_secrets.KEYS[0]}, or leave it out"
            )
        elif pull_secrets.KEYS[0] not in keys and pull_secrets.KEYS[1] not in keys:
            place.fault(
                f"{reference.name!r} has no key {pull_secrets.KEYS[0]}, which has the credentials of registries"
            )
        else:
            _check_credentials(known.secret(reference.name), place)


def _check_credentials(secret: s.Secret | None, at: Place) -> None:
    for key in pull_secrets.KEYS:
        text, encoded = (part.get(key) for part in (secret.string_data, secret.data)) if secret else (None, None)
        if text is None and isinstance(encoded, str):
            text = base64.b64decode(encoded).decode(errors="replace")
        if isinstance(text, str):
            try:
                pull_secrets.registries_in(key, text)
            except ValueError as error:
                at.fault(f"{key} of {secret.name if secret else ''!r} {error}")


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
    wanted = pod_requests([ContainerResources(c.resources, pod.role_of(c)) for c, _place in places])
    for name, request in wanted.items():
        allowed = declared.requests.get(name, declared.limits.get(name))
        if allowed is not None and request > allowed:
            kind = "requests" if name in declared.requests else "limits"
            at.key("resources").key(kind).raw(name).fault(
                f"{allowed.canonical()} is less than the {request.canonical()} that the containers request together"
            )
