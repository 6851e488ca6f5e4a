# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What containers are given: environment variables and the files of configMap, secret, downwardAPI volumes.

The rules are those of the kubelet (1.32): envFrom first and in order, then env; a later name wins; ``$(NAME)``
sees what stands before it. A value that holds secret material, also by reference, is kept apart as secret.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._declaration import pull_secrets
from ..._declaration import spec as s
from ..._declaration.expansion import expand, references
from ..._declaration.quantity import Quantity
from ..._printable import printable
from ..secrecy import Hidden

_FIELD_KEY = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_ONE = Quantity.parse("1")


@dataclass(frozen=True)
class Facts:
    """What is known of the pod only on its host. The defaults are names in place of values, so that digests can be made
    before the pod has an address.
    """

    pod_ip: str = "status.podIP"
    host_ip: str = "status.hostIP"
    node_name: str = "spec.nodeName"
    pod_uid: str = "metadata.uid"
    allocatable: Mapping[str, Quantity] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    """The variables of Services. A name that the container gives a value itself has that value."""


@dataclass(frozen=True)
class Materials:
    """The content of every ConfigMap and Secret given with the pod, generated values included."""

    config_maps: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Environment:
    """A container's variables; ``secret`` holds those with secret material."""

    plain: Mapping[str, str]
    secret: Mapping[str, Hidden] = field(default_factory=dict)

    def lookup(self, name: str) -> str | None:
        """The value of a variable, secret or plain."""
        hidden = self.secret.get(name)
        return hidden.reveal() if hidden else self.plain.get(name)


@dataclass(frozen=True)
class File:
    """One file of a volume. ``mode`` holds permission bits."""

    content: bytes = field(repr=False)
    mode: int
    is_secret: bool = False


def gather(pod: s.PodSpec, generated: Mapping[str, Mapping[str, str]]) -> Materials:
    """Decode what was given; ``generated`` has, by secret and key, the values made on this host."""
    config_maps = {item.name: {**_decode(item.binary_data), **_encode(item.data)} for item in pod.config_maps}
    secrets = {
        item.name: {**_encode(generated.get(item.name, {})), **_decode(item.data), **_encode(item.string_data)}
        for item in pod.secrets
    }
    return Materials(config_maps, secrets)


def _decode(data: Mapping[str, str]) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in data.items()}


def _encode(data: Mapping[str, str]) -> dict[str, bytes]:
    return {key: value.encode() for key, value in data.items()}


def environment(pod: s.PodSpec, container: s.Container, materials: Materials, facts: Facts) -> Environment:
    """The container's variables, as the kubelet makes them."""
    plain: dict[str, str] = dict(facts.services)
    secret: dict[str, Hidden] = {}

    def put(name: str, value: str, is_secret: bool) -> None:
        plain.pop(name, None)
        secret.pop(name, None)
        if is_secret:
            secret[name] = Hidden(value)
        else:
            plain[name] = value

    for source in container.env_from:
        is_secret = source.secret_ref is not None
        for key, text in sorted(_source_texts(pod, source, materials).items()):
            if _ENV_NAME.fullmatch(source.prefix + key):
                put(source.prefix + key, text, is_secret)
    for variable in container.env:
        if variable.value_from is None:
            text = variable.value or ""
            so_far = Environment(plain, secret)
            put(variable.name, expand(text, so_far.lookup), names_secret(text, so_far))
            continue
        value = _value_from(pod, container, variable.value_from, materials, facts)
        if value is not None:
            put(variable.name, value, variable.value_from.secret_key_ref is not None)
    return Environment(plain, secret)


def names_secret(text: str, variables: Environment) -> bool:
    """Whether ``$(NAME)`` in the text stands for a secret variable."""
    return any(name in variables.secret for name in references(text))


def _source_texts(pod: s.PodSpec, source: s.EnvFromSource, materials: Materials) -> Mapping[str, str]:
    if source.secret_ref:
        return _secret_texts(materials, source.secret_ref.name)
    return _config_texts(pod, source.config_map_ref.name) if source.config_map_ref else {}


def _config_texts(pod: s.PodSpec, name: str) -> Mapping[str, str]:
    """The keys of a ConfigMap that can be variables: binaryData is for files only."""
    return next((item.data for item in pod.config_maps if item.name == name), {})


def _secret_texts(materials: Materials, name: str) -> Mapping[str, str]:
    return {key: content.decode(errors="replace") for key, content in materials.secrets.get(name, {}).items()}


def _value_from(
    pod: s.PodSpec, container: s.Container, source: s.EnvSource, materials: Materials, facts: Facts
) -> str | None:
    """The value of a reference; None where an optional key is missing, which leaves the variable unset."""
    if source.field_ref:
        return field_value(pod, source.field_ref.field_path, facts)
    if source.resource_field_ref:
        return resource_value(pod, container, source.resource_field_ref, facts)
    if source.secret_key_ref:
        return _secret_texts(materials, source.secret_key_ref.name).get(source.secret_key_ref.key)
    if source.config_map_key_ref:
        return _config_texts(pod, source.config_map_key_ref.name).get(source.config_map_key_ref.key)
    return None


def field_value(pod: s.PodSpec, path: str, facts: Facts) -> str:
    """The value of a ``fieldRef``; whole maps come as lines ``key="value"``, sorted."""
    keyed = _FIELD_KEY.fullmatch(path)
    if keyed:
        return (pod.labels if keyed[1] == "labels" else pod.annotations).get(keyed[2], "")
    if path in ("metadata.labels", "metadata.annotations"):
        items = pod.labels if path == "metadata.labels" else pod.annotations
        return "".join(f"{key}={json.dumps(value)}\n" for key, value in sorted(items.items()))
    return {
        "metadata.name": pod.name,
        "metadata.namespace": "default",
        "metadata.uid": facts.pod_uid,
        "spec.nodeName": facts.node_name,
        "spec.serviceAccountName": "default",
        "status.hostIP": facts.host_ip,
        "status.hostIPs": facts.host_ip,
        "status.podIP": facts.pod_ip,
        "status.podIPs": facts.pod_ip,
    }[path]


def resource_value(pod: s.PodSpec, container: s.Container, reference: s.ResourceFieldReference, facts: Facts) -> str:
    """A request or limit in units of the divisor, rounded up; what is not limited can take all of the host."""
    owner = (pod.find(reference.container_name) if reference.container_name else None) or container
    kind, _separator, name = reference.resource.partition(".")
    resources = owner.resources.effective()
    amount = (resources.limits if kind == "limits" else resources.requests).get(name)
    if amount is None:
        amount = facts.allocatable.get(name, Quantity.parse("0")) if kind == "limits" else Quantity.parse("0")
    divisor = reference.divisor or _ONE
    return str(-(-amount.value // divisor.value))


def volume_files(pod: s.PodSpec, volume: s.Volume, materials: Materials, facts: Facts) -> dict[str, File]:
    """The files of a volume that we write, by relative path."""
    return dict(_volume_items(pod, volume, materials, facts))


def _volume_items(pod: s.PodSpec, volume: s.Volume, materials: Materials, facts: Facts) -> Iterator[tuple[str, File]]:
    if volume.config_map:
        config = volume.config_map
        yield from _keyed(materials.config_maps.get(config.name, {}), config.items, config.default_mode, False)
    elif volume.secret:
        secret = volume.secret
        yield from _keyed(materials.secrets.get(secret.secret_name, {}), secret.items, secret.default_mode, True)
    elif volume.downward_api:
        yield from _downward(pod, volume.downward_api.items, volume.downward_api.default_mode, facts)
    elif volume.projected:
        for source in volume.projected.sources:
            yield from _projected(pod, source, volume.projected.default_mode, materials, facts)


def _projected(
    pod: s.PodSpec, source: s.VolumeProjection, mode: int, materials: Materials, facts: Facts
) -> Iterator[tuple[str, File]]:
    if source.config_map:
        content = materials.config_maps.get(source.config_map.name, {})
        yield from _keyed(content, source.config_map.items, mode, False)
    elif source.secret:
        content = materials.secrets.get(source.secret.name, {})
        yield from _keyed(content, source.secret.items, mode, True)
    elif source.downward_api:
        yield from _downward(pod, source.downward_api.items, mode, facts)


def _keyed(
    content: Mapping[str, bytes], items: Sequence[s.KeyToPath], mode: int, is_secret: bool
) -> Iterator[tuple[str, File]]:
    if not items:
        for key, value in content.items():
            yield key, File(value, mode, is_secret)
    for item in items:
        if item.key in content:
            yield item.path, File(content[item.key], mode if item.mode is None else item.mode, is_secret)


def _downward(
    pod: s.PodSpec, items: Sequence[s.DownwardApiFile], mode: int, facts: Facts
) -> Iterator[tuple[str, File]]:
    for item in items:
        text = ""
        if item.field_ref:
            text = field_value(pod, item.field_ref.field_path, facts)
        elif item.resource_field_ref:
            text = resource_value(pod, pod.containers[0], item.resource_field_ref, facts)
        yield item.path, File(text.encode(), mode if item.mode is None else item.mode)


def sub_path_of(mount: s.VolumeMount, variables: Environment) -> str:
    """The part of its volume that a mount is of, empty for the whole. Raises ValueError where it is none.

    ``variables`` are those of the container. Their values, which may be secret, are no part of what the error says.
    """
    if not mount.sub_path_expr:
        return mount.sub_path or ""
    unset = [name for name in references(mount.sub_path_expr) if variables.lookup(name) is None]
    if unset:
        raise ValueError(f"{mount.sub_path_expr} names the variable {unset[0]}, which the container does not have")
    path = expand(mount.sub_path_expr, variables.lookup)
    if path.startswith("/"):
        raise ValueError(f"{mount.sub_path_expr} stands for a path that is not relative, which would leave the volume")
    if ".." in path.split("/"):
        raise ValueError(f"{mount.sub_path_expr} stands for a path that holds '..', which could leave the volume")
    if "\0" in path:
        raise ValueError(f"{mount.sub_path_expr} stands for a path that holds a NUL character")
    return path


@dataclass(frozen=True)
class NestedMount:
    """A mount that stands below one of a volume that we write; ``path`` is relative to the volume."""

    volume: str
    path: str
    destination: str


def nested_mounts(pod: s.PodSpec, container: s.Container, variables: Environment) -> Iterator[NestedMount]:
    """The container's mounts, its termination message among them, that need a place in a volume that we write."""
    tops = {posixpath.normpath(mount.mount_path): mount for mount in container.volume_mounts}
    for destination in [*tops, posixpath.normpath(container.termination_message_path)]:
        above = max(
            (top for top in tops if destination.startswith(f"{top.rstrip('/')}/") and top != destination), default=""
        )
        if above and pod.volume(tops[above].name).is_materialized:
            with contextlib.suppress(ValueError):
                inner = posixpath.join(sub_path_of(tops[above], variables), posixpath.relpath(destination, above))
                yield NestedMount(tops[above].name, posixpath.normpath(inner), destination)


def mount_points(pod: s.PodSpec, volume: s.Volume, materials: Materials, facts: Facts) -> tuple[str, ...]:
    """Where other mounts of the pod's containers stand in a volume that we write: relative paths, sorted."""
    points = {
        nested.path
        for container in pod.all_containers
        for nested in nested_mounts(pod, container, environment(pod, container, materials, facts))
        if nested.volume == volume.name
    }
    return tuple(sorted(points))


@dataclass(frozen=True)
class Layout:
    """How the files of a volume show. All paths are relative to it.

    ``links`` lead to the files, and are the same for each revision of them. ``folders`` are real, since mounts stand in
    them, which have to outlast a revision. ``places`` are where these mounts stand.
    """

    folders: frozenset[str]
    places: frozenset[str]
    links: Mapping[str, str]


def layout(files: Collection[str], points: Collection[str]) -> Layout:
    """Where the files and the mount points of a volume show. A mount on a file itself, or below one, has no place."""
    points = [point for point in points if not {*_prefixes(point)} & {*files}]
    above_files = {prefix for path in files for prefix in _prefixes(path)[:-1]}
    folders = {prefix for point in points for prefix in _prefixes(point)[:-1]} | ({*points} & above_files)
    tops = {next(prefix for prefix in _prefixes(path) if prefix not in folders) for path in files}
    links = {top: f"{'../' * top.count('/')}..data/{top}" for top in tops}
    return Layout(frozenset(folders), frozenset({*points} - folders), links)


def _prefixes(path: str) -> list[str]:
    """``a/b/c`` to ``a``, ``a/b`` and ``a/b/c``."""
    steps = path.split("/")
    return ["/".join(steps[:number]) for number in range(1, len(steps) + 1)]


def tmpfs_volume(pod: s.PodSpec, volume: s.Volume) -> str:
    """The name of the Podman volume that stands for an emptyDir of medium Memory.

    What it is made with is part of the name, so that another size is another volume; neither pods' nor volumes'
    names hold ``_``, so that two pods never share one.
    """
    size_limit = volume.empty_dir.size_limit if volume.empty_dir else None
    made_with = [size_limit.canonical() if size_limit else "", pod.fs_group]
    return f"{pod.name}_{volume.name}_tmpfs-{digest(made_with, b'')}"


def files_digest(files: Mapping[str, File], key: bytes, group: int | None = None, points: Sequence[str] = ()) -> str:
    """Tells whether a volume's files, their ``group`` or the mount ``points`` among them changed.

    Keyed: it gives no hint of a secret's value.
    """
    state = hmac.new(key, digestmod=hashlib.sha256)
    if group is not None:
        state.update(json.dumps(group).encode())
    if points:
        state.update(json.dumps(points).encode())
    for path, item in sorted(files.items()):
        state.update(json.dumps([path, item.mode, len(item.content)]).encode())
        state.update(item.content)
    return state.hexdigest()[:16]


def digest(value: Any, key: bytes) -> str:
    """A short keyed digest of plain data."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:12]


def _credentials(materials: Materials) -> Iterator[str]:
    """What secrets that images are pulled with have within them."""
    for items in materials.secrets.values():
        for key in pull_secrets.KEYS:
            with contextlib.suppress(KeyError, ValueError):
                for _registry, credentials in pull_secrets.registries_in(key, items[key].decode()):
                    yield credentials.password
                    yield base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()


def secret_values(materials: Materials) -> tuple[str, ...]:
    """Every secret value as text, for code that must not print one."""
    values = [value.decode(errors="replace") for items in materials.secrets.values() for value in items.values()]
    values += _credentials(materials)
    # Printed text has escapes in it, so a secret is also looked for with its escapes.
    return tuple(sorted({form for value in values if value for form in (value, printable(value))}))
