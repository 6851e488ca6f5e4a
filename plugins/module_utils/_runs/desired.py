# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A declaration with all that it is planned by: values, facts and the record."""

from __future__ import annotations

from collections.abc import Mapping

from .._declaration import spec as s
from .._declaration.quantity import Quantity
from .._host.store import Store
from .._reconcile.context import Context
from .._reconcile.observed import Node
from .._reconcile.pod.view import Desired
from .._reconcile.rendering import materials as m
from .request import Request

_DIGITS_OF_UID = (8, 4, 4, 4, 12)


def desire(
    store: Store,
    pod: s.PodSpec,
    request: Request,
    node: Node,
    recorded: s.PodSpec | None,
    pinned_images: Mapping[str, str] | None = None,
    renewed: Mapping[str, Mapping[str, str]] | None = None,
) -> Desired:
    """``renewed`` are new values of generated secrets, which are not kept yet."""
    promised = recorded.secrets if recorded else ()
    if request.state == "started":
        kept = store.generate(pod.name, pod.secrets, not request.is_check, promised=promised)
    else:
        # For what is to be hidden; a stop or a removal must not depend on it.
        kept = store.generated(pod.name, pod.secrets)
    generated = {name: {**values, **(renewed or {}).get(name, {})} for name, values in kept.items()}
    key, allocatable = store.key(), request.settings.allocatable
    context = Context(pod, m.gather(pod, generated), node, key, request.settings)
    facts = m.Facts(
        host_ip=node.ip,
        node_name=node.hostname,
        pod_uid=pod_uid(pod.name, key),
        allocatable={
            "cpu": Quantity.parse(f"{allocatable.get('cpu', node.cpu_millicores)}m"),
            "memory": Quantity.parse(allocatable.get("memory", node.memory_bytes)),
        },
    )
    return Desired(context, recorded, facts, allocatable, pinned_images or {})


def pod_uid(pod: str, key: bytes) -> str:
    """A UID in Kubernetes' form that stays the pod's own on this host."""
    digits = "".join(m.digest([pod, number], key) for number in range(3))
    parts, start = [], 0
    for length in _DIGITS_OF_UID:
        parts.append(digits[start : start + length])
        start += length
    return "-".join(parts)
