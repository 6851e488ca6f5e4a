# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Pod as its keeper last saw it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._declaration import spec as s
from ..._host.state.records import Record
from ..._reconcile.observed import ObservedPod, read_time
from ..._runs.prober import Prober
from .pod_observer import PodObserver


@dataclass(frozen=True)
class View:
    """The pod as its keeper last saw it. ``failures`` are startup probes that have failed for good, by container."""

    looked_at: float = 0.0
    pod: s.PodSpec | None = None
    """The declaration that it is judged by."""
    observed: ObservedPod | None = None
    started: Mapping[str, bool] = field(default_factory=dict)
    ready: Mapping[str, bool] = field(default_factory=dict)
    available: Mapping[str, bool] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)


def view_of(observer: PodObserver, prober: Prober, status: Mapping[str, Any]) -> View:
    """What was seen last, with what the probes have said of it."""
    return View(
        looked_at=observer.looked_at,
        pod=prober.memory.pod,
        observed=observer.pod,
        started=prober.step.started,
        ready=prober.step.ready,
        available=prober.step.available,
        messages=dict(prober.messages),
        failures=dict(prober.failures),
        status=status,
    )


def ends_at(record: Record, status: Mapping[str, Any]) -> float:
    """When a pod that runs reaches its active deadline, in seconds since the epoch; infinity without one."""
    limit = record.applied.pod.active_deadline_seconds
    if limit is None:
        return math.inf
    return (read_time(status.get("startTime")) or record.begun_at or math.inf) + limit
