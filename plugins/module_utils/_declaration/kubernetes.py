# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack -> Kubernetes v1 documents, from which `stack.parse` reads an equal stack again.

What Kubernetes has no field for stands in annotations under ``podwright.io/``, each as JSON text. Any cluster takes the
documents and ignores these annotations.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .._errors import Fault, InvalidInput
from . import spec as s
from .annotations import ANNOTATIONS
from .fields import checks
from .place import Style, spell
from .stack.spec import StackSpec
from .volume_spec import NamedVolume

ASSUMED_SIZE = "1Gi"
"""What a claim asks for when no size is declared: Kubernetes has none without."""

Document = dict[str, Any]


def to_documents(stack: StackSpec, generated: Mapping[str, Mapping[str, str]] | None = None) -> list[Document]:
    """ConfigMaps, Secrets, PersistentVolumeClaims and Pods, of each kind in the order of the declaration.

    Claims that pods use and that no volume declares come after those of the volumes, in the order of their use. The
    stack must be one that the parser gave. Values of secrets are included: keep the result private. ``generated`` are
    values for keys that are to be generated, by secret and key. Raises InvalidInput when there are networks and no pod
    whose document could tell them.
    """
    if stack.networks and not stack.pods:
        reason = "Kubernetes documents can tell of networks beside a pod only; declare a pod, or leave them out"
        raise InvalidInput([Fault("networks", reason)])
    return [
        *(_document("ConfigMap", item.name, _fields(item)) for item in stack.config_maps),
        *(_secret(_with_values(item, (generated or {}).get(item.name, {}))) for item in stack.secrets),
        *(claim(volume) for volume in stack.volumes),
        *(claim(NamedVolume(name), is_declared=False) for name in _undeclared_claims(stack)),
        *(_pod(stack, pod) for pod in stack.pods),
    ]


def stack_of(pod: s.PodSpec) -> StackSpec:
    """The stack of one pod that has its configuration with it."""
    alone = replace(pod, config_maps=(), secrets=())
    return StackSpec(pod.name, (alone,), config_maps=pod.config_maps, secrets=pod.secrets)


def _document(kind: str, name: str, fields: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> Document:
    metadata: Document = {"name": name}
    if own:
        metadata["annotations"] = _annotations(own)
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}


def _annotations(own: Mapping[str, Any]) -> dict[str, str]:
    return {ANNOTATIONS + name: json.dumps(value, ensure_ascii=False) for name, value in own.items()}


def _fields(item: s.ConfigMap | s.Secret) -> Document:
    """The fields of a ConfigMap or Secret document beside its metadata."""
    options = s.to_options(item)
    return {
        spell(name, Style.KUBERNETES): options[name] for name in options if name not in ("name", "generate", "rotate")
    }


def _with_values(item: s.Secret, values: Mapping[str, str]) -> s.Secret:
    given = {key: values[key] for key in item.generate if key in values}
    rest = {key: length for key, length in item.generate.items() if key not in given}
    rotate = {key: number for key, number in item.rotate.items() if key in rest}
    return replace(item, string_data={**item.string_data, **given}, generate=rest, rotate=rotate) if given else item


def _secret(item: s.Secret) -> Document:
    given = {"generate": item.generate, "rotate": item.rotate}
    own = {name: dict(sorted(keys.items())) for name, keys in given.items() if keys}
    return _document("Secret", item.name, _fields(item), own)


# --- claims ----------------------------------------------------------------------------------------------------------


def claim(volume: NamedVolume, is_declared: bool = True) -> Document:
    """The claim of a named volume."""
    name = claim_name(volume.name)
    own: Document = {} if name == volume.name else {"volume-name": volume.name}
    if not is_declared:
        own["declared"] = False
    storage = ASSUMED_SIZE if volume.size is None else volume.size.canonical()
    if volume.size is None:
        own["assumed-size"] = storage
    if volume.driver != "local":
        own["driver"] = volume.driver
    if volume.options:
        own["options"] = dict(sorted(volume.options.items()))
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
    return _document("PersistentVolumeClaim", name, {"spec": spec}, own)


def claim_name(volume: str) -> str:
    """What a claim of a Podman volume is called: as the volume, where Kubernetes allows that name.

    Else its letters and digits, with a digest that keeps it apart from other names of the same ones.
    """
    if checks.object_name(volume) is None:
        return volume
    plain = re.sub("[^a-z0-9]+", "-", volume.lower()).strip("-")
    return f"{plain[:200]}-{hashlib.sha256(volume.encode()).hexdigest()[:8]}"


def _undeclared_claims(stack: StackSpec) -> list[str]:
    used = (volume.persistent_volume_claim for pod in stack.pods for volume in pod.volumes)
    declared = {volume.name for volume in stack.volumes}
    names = dict.fromkeys(claim.claim_name for claim in used if claim)
    return [name for name in names if name not in declared]


# --- pods ------------------------------------------------------------------------------------------------------------


def _pod(stack: StackSpec, pod: s.PodSpec) -> Document:
    document = s.to_kubernetes(pod)
    own: Document = {}
    if pod is stack.pods[0] and stack.networks:
        own["stack-networks"] = s.to_options(stack.networks)
    if pod.networks:
        own["networks"] = list(pod.networks)
    if pod.name in stack.depends_on:
        own["depends-on"] = s.to_options(stack.depends_on[pod.name])
    if pod.infra != s.Infra():
        own["infra"] = s.to_options(pod.infra)
    if pod.log_size_max != s.DEFAULT_LOG_SIZE_MAX:
        own["log-size-max"] = pod.log_size_max.canonical()
    if pod.min_ready_seconds is not None:
        own["min-ready-seconds"] = pod.min_ready_seconds
    if own:
        document["metadata"]["annotations"] = {**pod.annotations, **_annotations(own)}
    complete_pod_spec(document["spec"])
    return document


def complete_pod_spec(spec: Document) -> None:
    """Names claims as Kubernetes can, and writes out the defaults of fields that it wants to have written out."""
    for source in (volume.get("persistentVolumeClaim") for volume in spec.get("volumes", ())):
        if source:
            source["claimName"] = claim_name(source["claimName"])
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        for policy in container.get("resizePolicy", ()):
            policy.setdefault("restartPolicy", "NotRequired")
        for handler in _handlers(container):
            for header in handler.get("httpGet", {}).get("httpHeaders", ()):
                header.setdefault("value", "")


def _handlers(container: Document) -> Iterator[Document]:
    """All probes and hooks of a container."""
    yield from (container[probe] for probe in ("startupProbe", "livenessProbe", "readinessProbe") if probe in container)
    yield from container.get("lifecycle", {}).values()
