# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many pods there may be more, and how many fewer, while a workload is brought up to date."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..._declaration import spec as s
from ..._declaration.workloads import spec as w
from ..effective import host_ports, port_text


@dataclass(frozen=True)
class Bounds:
    """In pods. ``reason`` says why they are other than declared."""

    surge: int
    unavailable: int
    reason: str = ""


def scaled(value: w.IntOrPercent, total: int, round_up: bool) -> int:
    """A number, or a share of ``total``. Raises ValueError for other text."""
    if isinstance(value, int):
        return value
    if not value.endswith("%") or not value[:-1].isdigit():
        raise ValueError(f"{value!r} is neither a number nor a share")
    share = int(value[:-1]) * total
    return math.ceil(share / 100) if round_up else share // 100


def resolve(surge: w.IntOrPercent, unavailable: w.IntOrPercent, replicas: int) -> Bounds:
    """The bounds in pods; where both come to none, one pod may be unavailable, for else nothing could be replaced.

    Source: Kubernetes' ``ResolveFenceposts``.
    """
    bounds = Bounds(scaled(surge, replicas, round_up=True), scaled(unavailable, replicas, round_up=False))
    return bounds if bounds.surge or bounds.unavailable else Bounds(0, 1)


def deployment_bounds(wanted: w.Deployment, existing: int = 0, room: int | None = None) -> Bounds:
    """The bounds of a Deployment on one host.

    ``existing`` are the pods that there are, being removed or not, ``room`` how many more the host can hold, None for
    any number.
    """
    update = wanted.strategy.rolling_update
    if update is None:
        return Bounds(0, wanted.replicas)
    bounds = resolve(update.max_surge, update.max_unavailable, wanted.replicas)
    bounds = Bounds(bounds.surge, min(bounds.unavailable, wanted.replicas))
    reason = exclusive_reason(wanted)
    if reason:
        return Bounds(0, max(bounds.unavailable, 1), reason)
    if room is None:
        return bounds
    surge = min(max(existing + room - wanted.replicas, 0), bounds.surge)
    if surge == bounds.surge:
        return bounds
    unavailable = bounds.unavailable or (0 if surge else 1)
    return Bounds(surge, unavailable, "this host has no room for more pods at a time")


def exclusive_reason(wanted: w.Deployment) -> str:
    """Why two pods of the template cannot be there at a time; empty where they can."""
    port = first_host_port(wanted.template)
    if port:
        return f"host port {port} can be had once"
    claim = _written_claim(wanted.template)
    if claim and wanted.replicas == 1 and not wanted.shares_volumes:
        return f"volume {claim} is for one pod at a time"
    return ""


def first_host_port(template: s.PodSpec) -> str:
    """A port of the host that the template's pods take, as messages show it; empty where they take none."""
    if template.host_network:
        ports = [port for container in template.all_containers for port in container.ports]
        return f"{ports[0].container_port}/{ports[0].protocol.lower()}" if ports else ""
    published = host_ports(template)
    return port_text(published[0]) if published else ""


def _written_claim(template: s.PodSpec) -> str:
    claims = (volume.persistent_volume_claim for volume in template.volumes)
    return next((claim.claim_name for claim in claims if claim and not claim.read_only), "")
