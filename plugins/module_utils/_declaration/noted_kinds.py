# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of Kubernetes documents that mean nothing on one host: what of each is not kept, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .fields.pod import NO_API
from .place import Place, shown

Document = Mapping[Any, Any]


@dataclass(frozen=True)
class NotedKind:
    """A kind by its group of the API (empty for the core). ``instead`` is what to do where it is refused."""

    group: str
    note: str
    instead: str


_LEAVE_OUT = "one host evicts nothing; leave it out"
_ACCESS = NotedKind("rbac.authorization.k8s.io", "there is no API server on a plain host to ask for anything", NO_API)

NOTED_KINDS: Mapping[str, NotedKind] = {
    "Namespace": NotedKind(
        "", "the objects of all stacks of a host share one namespace", "a host has one namespace; leave it out"
    ),
    "ServiceAccount": NotedKind("", "there is no API server on a plain host that the Pods could ask", NO_API),
    "Role": _ACCESS,
    "RoleBinding": _ACCESS,
    "ClusterRole": _ACCESS,
    "ClusterRoleBinding": _ACCESS,
    "HorizontalPodAutoscaler": NotedKind(
        "autoscaling",
        "the number of Pods stays as it is declared",
        "give each Pod by itself; their number stays as it is declared",
    ),
    "VerticalPodAutoscaler": NotedKind(
        "autoscaling.k8s.io", "requests and limits stay as they are declared", "give requests and limits in the Pods"
    ),
    "PodSecurityPolicy": NotedKind(
        "policy", "Pods have the security context that they declare", "give securityContext in the Pods"
    ),
    "PodDisruptionBudget": NotedKind("policy", "one host evicts nothing", _LEAVE_OUT),
    "PriorityClass": NotedKind("scheduling.k8s.io", "one host evicts nothing", _LEAVE_OUT),
    "NetworkPolicy": NotedKind(
        "networking.k8s.io",
        "it closes nothing that would be open here",
        "have Pods join networks of their own: by networks, or the annotation podwright.io/networks",
    ),
    "IngressClass": NotedKind(
        "networking.k8s.io",
        "one front serves the Ingresses of all classes",
        "one front serves all classes; leave it out",
    ),
    "ResourceQuota": NotedKind(
        "",
        "what Pods may take of the host is said by allocatable",
        "give what Pods may take of the host in allocatable",
    ),
    "LimitRange": NotedKind(
        "", "Pods have the requests and limits that they declare", "give requests and limits in the Pods"
    ),
    "StorageClass": NotedKind(
        "storage.k8s.io",
        "a claim is a named volume with the driver that its own annotation podwright.io/driver says, or volumes",
        "give a volume's driver in volumes, or in the annotation podwright.io/driver of its claim",
    ),
}
"""By kind; those that are not among them are refused."""

_CLOSED = (
    "what it would close stays open; have the Pods that are to reach one another join networks of their own: by "
    "networks, or the annotation podwright.io/networks"
)


def is_noted(document: Any) -> bool:
    """Whether a document is of one of these kinds, in whatever version."""
    if not isinstance(document, Mapping):
        return False
    kind, version = document.get("kind"), document.get("apiVersion")
    row = NOTED_KINDS.get(kind) if isinstance(kind, str) else None
    return row is not None and isinstance(version, str) and _group(version) == row.group


def note_document(document: Document, at: Place) -> None:
    """Notes what is not kept of a document of which `is_noted` is true; where there are no notes, that is a fault."""
    kind = document["kind"]
    row = NOTED_KINDS[kind]
    if at.notes is None:
        at.key("kind").fault(f"{shown(kind)} is not supported; {row.instead}")
        return
    closes = kind == "NetworkPolicy" and _closes(document.get("spec"))
    at.key("kind").note(f"the {kind} {_name(document)} is not kept: {_CLOSED if closes else row.note}", closes)


def _group(version: str) -> str:
    group, slash, _version = version.partition("/")
    return group if slash else ""


def _name(document: Document) -> str:
    metadata = document.get("metadata")
    return shown(metadata.get("name")) if isinstance(metadata, Mapping) else "without a name"


def _closes(spec: Any) -> bool:
    """Whether a NetworkPolicy allows less than all connections, in either of the directions that it is about.

    Source: the API of networking.k8s.io/v1. ``policyTypes`` has Ingress by default, and Egress where there are rules
    for it. An empty rule allows all; a rule that names peers or ports allows only these.
    """
    if not isinstance(spec, Mapping):
        return True
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return any({} not in (spec.get(kind.lower()) or ()) for kind in types if isinstance(kind, str))
