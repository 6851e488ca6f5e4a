# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of Kubernetes documents that Pods, templates and stacks share: claims, and what a spec of Pods has to say."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .annotations import ANNOTATIONS
from .fields import checks
from .volume_spec import NamedVolume

ASSUMED_SIZE = "1Gi"
"""What a claim asks for when no size is declared: Kubernetes has none without."""

Document = dict[str, Any]


def v1_document(kind: str, name: str, fields: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> Document:
    """A document of version v1; ``own`` is what annotations of our own say."""
    metadata: Document = {"name": name}
    if own:
        metadata["annotations"] = annotations_of(own)
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}


def annotations_of(own: Mapping[str, Any]) -> dict[str, str]:
    """Annotations of our own, by their names without what these begin with."""
    return {ANNOTATIONS + name: json.dumps(value, ensure_ascii=False) for name, value in own.items()}


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
    return v1_document("PersistentVolumeClaim", name, {"spec": spec}, own)


def claim_name(volume: str) -> str:
    """What a claim of a Podman volume is called: as the volume, where Kubernetes allows that name.

    Else its letters and digits, with a digest that keeps it apart from other names of the same ones.
    """
    if checks.object_name(volume) is None:
        return volume
    plain = re.sub("[^a-z0-9]+", "-", volume.lower()).strip("-")
    return f"{plain[:200]}-{hashlib.sha256(volume.encode()).hexdigest()[:8]}"


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
