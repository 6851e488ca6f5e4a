# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack -> Kubernetes documents, from which `stack.parse` reads an equal stack again.

What Kubernetes has no field for stands in annotations under ``podwright.io/``, each as JSON text. Any cluster takes the
documents and ignores these annotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .._errors import Fault, InvalidInput
from . import spec as s
from .document_parts import Document, annotations_of, claim, complete_pod_spec, v1_document
from .ingresses.parse import to_document as ingress_document
from .place import Style, spell
from .services.parse import to_document as service_document
from .stack.spec import StackSpec, reference
from .volume_spec import NamedVolume
from .workloads.documents import to_document
from .workloads.spec import AnyWorkload, template_of


def to_documents(stack: StackSpec, generated: Mapping[str, Mapping[str, str]] | None = None) -> list[Document]:
    """ConfigMaps, Secrets, claims, Pods, workloads, Services, Ingresses; of each kind in the order of the declaration.

    Claims that pods use and that no volume declares come after those of the volumes, in the order of their use. The
    stack must be one that the parser gave. Values of secrets are included: keep the result private. ``generated`` are
    values for keys that are to be generated, by secret and key. Raises InvalidInput when there are networks and no pod
    or workload whose document could tell them.
    """
    if stack.networks and not stack.pods and not stack.workloads:
        reason = "Kubernetes documents tell of networks beside a pod or workload only; declare one, or leave them out"
        raise InvalidInput([Fault("networks", reason)])
    return [
        *(v1_document("ConfigMap", item.name, _fields(item)) for item in stack.config_maps),
        *(_secret(_with_values(item, (generated or {}).get(item.name, {}))) for item in stack.secrets),
        *(claim(volume) for volume in stack.volumes),
        *(claim(NamedVolume(name), is_declared=False) for name in _undeclared_claims(stack)),
        *(_pod(stack, pod) for pod in stack.pods),
        *(_workload(stack, workload) for workload in stack.workloads),
        *map(service_document, stack.services),
        *map(ingress_document, stack.ingresses),
    ]


def stack_of(pod: s.PodSpec) -> StackSpec:
    """The stack of one pod that has its configuration with it."""
    alone = replace(pod, config_maps=(), secrets=())
    return StackSpec(pod.name, (alone,), config_maps=pod.config_maps, secrets=pod.secrets)


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
    return v1_document("Secret", item.name, _fields(item), own)


# --- claims ----------------------------------------------------------------------------------------------------------


def _undeclared_claims(stack: StackSpec) -> list[str]:
    pods = (*stack.pods, *map(template_of, stack.workloads))
    used = (volume.persistent_volume_claim for pod in pods for volume in pod.volumes)
    declared = {volume.name for volume in stack.volumes}
    names = dict.fromkeys(claim.claim_name for claim in used if claim)
    return [name for name in names if name not in declared]


# --- pods and workloads ----------------------------------------------------------------------------------------------


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
        document["metadata"]["annotations"] = {**pod.annotations, **annotations_of(own)}
    complete_pod_spec(document["spec"])
    return document


def _workload(stack: StackSpec, workload: AnyWorkload) -> Document:
    document, own = to_document(workload), {}
    if not stack.pods and workload is stack.workloads[0] and stack.networks:
        own["stack-networks"] = s.to_options(stack.networks)
    name = reference(workload.kind, workload.name)
    if name in stack.depends_on:
        own["depends-on"] = s.to_options(stack.depends_on[name])
    if own:
        metadata = document["metadata"]
        metadata["annotations"] = {**metadata.get("annotations", {}), **annotations_of(own)}
    return document
