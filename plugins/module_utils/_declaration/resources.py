# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and limits: what a pod asks for, its QoS class, and the cgroup numbers they become.

Source: Kubernetes 1.32 (kubelet ``cm`` and ``qos``, component-helpers ``resource``). Requests a declaration leaves out
default to its limits; every function here applies that itself, so it does not matter whether the caller already has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from .quantity import Quantity

CPU = "cpu"
MEMORY = "memory"

MIN_CPU_SHARES = 2
MAX_CPU_SHARES = 262144
CPU_SHARES_PER_CORE = 1024
CPU_PERIOD_US = 100_000
MIN_CPU_QUOTA_US = 1000
MAX_CPU_WEIGHT = 10_000

GUARANTEED_OOM_SCORE_ADJ = -997
BEST_EFFORT_OOM_SCORE_ADJ = 1000

Role = Literal["init", "sidecar", "app"]
QosClass = Literal["Guaranteed", "Burstable", "BestEffort"]
Amounts = Mapping[str, Quantity]

_ZERO = Quantity(Fraction(0))


@dataclass(frozen=True)
class ResourceRequirements:
    """What one container (or pod) requests and is limited to, by resource name (``cpu``, ``memory``)."""

    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)

    def effective(self) -> ResourceRequirements:
        """The same with each request that is left out set to its limit; applying it twice changes nothing."""
        return ResourceRequirements({**self.limits, **self.requests}, self.limits)


@dataclass(frozen=True)
class ContainerResources:
    """One container's part in its pod's sums; ``role`` is init, sidecar or app."""

    requirements: ResourceRequirements
    role: Role = "app"


@dataclass(frozen=True)
class PodCgroup:
    """What the pod's own cgroup is set to; None leaves that limit off."""

    cpu_shares: int
    cpu_quota_us: int | None = None
    cpu_period_us: int | None = None
    memory_bytes: int | None = None


# -- CPU in cgroup terms ----------------------------------------------------------------------------------------------


def cpu_shares(cpu_millicores: int) -> int:
    """cgroup v1 ``cpu.shares`` of a CPU request; 2 (the least there is) for none."""
    return min(max(cpu_millicores * CPU_SHARES_PER_CORE // 1000, MIN_CPU_SHARES), MAX_CPU_SHARES)


def cpu_millicores_from_shares(shares: int) -> int:
    """The request that gave these shares, 0 where none was made.

    2 shares read as 2m, not as the 0 that also gives them: no caller can tell them apart.
    """
    return -(-shares * 1000 // CPU_SHARES_PER_CORE) if shares >= MIN_CPU_SHARES else 0


def cpu_quota_us(cpu_millicores: int, period_us: int = CPU_PERIOD_US) -> int:
    """CFS quota of a CPU limit in microseconds per period; 0 for no limit, else at least 1000 as the kernel asks."""
    return max(cpu_millicores * period_us // 1000, MIN_CPU_QUOTA_US) if cpu_millicores > 0 else 0


def cpu_millicores_from_quota(quota_us: int, period_us: int = CPU_PERIOD_US) -> int:
    """The limit that gave this quota, 0 where there is none (a quota of -1 or 0)."""
    return quota_us * 1000 // period_us if quota_us > 0 and period_us > 0 else 0


def cpu_weight_linear(shares: int) -> int:
    """cgroup v2 ``cpu.weight`` as crun before 1.23 and runc before 1.3.2 derive it from shares (1024 -> 39)."""
    bounded = min(max(shares, MIN_CPU_SHARES), MAX_CPU_SHARES)
    return 1 + (bounded - MIN_CPU_SHARES) * (MAX_CPU_WEIGHT - 1) // (MAX_CPU_SHARES - MIN_CPU_SHARES)


def cpu_weight_quadratic(shares: int) -> int:
    """cgroup v2 ``cpu.weight`` as crun from 1.23 and runc from 1.3.2 derive it from shares (1024 -> 100)."""
    if shares <= MIN_CPU_SHARES:
        return 1
    if shares >= MAX_CPU_SHARES:
        return MAX_CPU_WEIGHT
    octaves = math.log2(shares)
    return math.ceil(10 ** ((octaves * octaves + 125 * octaves) / 612 - 7 / 34))


# -- One container ----------------------------------------------------------------------------------------------------


def cpu_millicores(amounts: Amounts) -> int:
    """The CPU among these amounts in millicores, rounded up; 0 if there is none."""
    return amounts.get(CPU, _ZERO).milli()


def memory_bytes(amounts: Amounts) -> int:
    """The memory among these amounts in bytes, rounded up; 0 if there is none."""
    return amounts.get(MEMORY, _ZERO).integer()


# -- The whole pod ----------------------------------------------------------------------------------------------------


def pod_requests(containers: Sequence[ContainerResources], overhead: Amounts | None = None) -> dict[str, Quantity]:
    """What the pod asks of its host: the larger of running (apps and sidecars) and of the hungriest moment of init.

    ``containers`` in declared order; a sidecar counts beside the init containers declared after it.
    """
    total = _peak([(c.requirements.effective().requests, c.role) for c in containers])
    return _sum([total, overhead or {}])


def pod_limits(containers: Sequence[ContainerResources], overhead: Amounts | None = None) -> dict[str, Quantity]:
    """The pod's limits by the same rule, only for the resources that every container (init too) limits.

    One container without a limit leaves the pod without one. ``overhead`` widens a limit, it makes none.
    """
    total = _peak([(c.requirements.limits, c.role) for c in containers])
    limited = {
        name: quantity
        for name, quantity in total.items()
        if all(c.requirements.limits.get(name, _ZERO) > _ZERO for c in containers)
    }
    return _sum([limited, {name: q for name, q in (overhead or {}).items() if name in limited}])


def pod_cgroup(
    containers: Sequence[ContainerResources],
    overhead: Amounts | None = None,
    pod_level: ResourceRequirements | None = None,
) -> PodCgroup:
    """The pod's cgroup; pod-level requests and limits, where given, win over the containers' sums."""
    requests = pod_requests(containers, overhead)
    limits = pod_limits(containers, overhead)
    if pod_level is not None:
        declared = pod_level_requirements(containers, pod_level)
        requests.update(declared.requests)
        limits.update(declared.limits)
    quota_us = cpu_quota_us(cpu_millicores(limits))
    return PodCgroup(
        cpu_shares=cpu_shares(cpu_millicores(requests)),
        cpu_quota_us=quota_us or None,
        cpu_period_us=CPU_PERIOD_US if quota_us else None,
        memory_bytes=memory_bytes(limits) or None,
    )


def pod_level_requirements(
    containers: Sequence[ContainerResources], pod_level: ResourceRequirements
) -> ResourceRequirements:
    """Pod-level requirements with the requests left out set to the containers' sum, or else to the pod's limit."""
    if not pod_level.limits:
        return pod_level
    return ResourceRequirements(
        {**pod_level.limits, **pod_requests(containers), **pod_level.requests}, pod_level.limits
    )


def qos_class(containers: Sequence[ContainerResources], pod_level: ResourceRequirements | None = None) -> QosClass:
    """The pod's QoS class, from CPU and memory alone; a zero counts as not given, init containers count.

    Where ``pod_level`` is given it alone decides.
    """
    if pod_level is not None:
        effective = [pod_level_requirements(containers, pod_level)]
    else:
        effective = [container.requirements.effective() for container in containers]
    requests = [_positive_compute(requirements.requests) for requirements in effective]
    limits = [_positive_compute(requirements.limits) for requirements in effective]
    if not any(requests) and not any(limits):
        return "BestEffort"
    everything_limited = all(len(limit) == 2 for limit in limits)
    return "Guaranteed" if everything_limited and _sum(requests) == _sum(limits) else "Burstable"


def oom_score_adj(
    qos: QosClass, memory_request_bytes: int, memory_capacity_bytes: int, app_memory_request_bytes: Sequence[int] = ()
) -> int:
    """A container's ``oom_score_adj``: the more of the host it asked for, the later it is killed.

    ``app_memory_request_bytes``: for a sidecar the requests of the pod's apps, so that it does not go before them.
    """
    if qos == "Guaranteed":
        return GUARANTEED_OOM_SCORE_ADJ
    if qos == "BestEffort":
        return BEST_EFFORT_OOM_SCORE_ADJ
    request = max(memory_request_bytes, min(app_memory_request_bytes, default=0))
    score = 1000 - 1000 * request // memory_capacity_bytes
    # Burstable stays between the two other classes.
    return min(max(score, 1000 + GUARANTEED_OOM_SCORE_ADJ), BEST_EFFORT_OOM_SCORE_ADJ - 1)


def _positive_compute(amounts: Amounts) -> dict[str, Quantity]:
    return {name: amounts[name] for name in (CPU, MEMORY) if amounts.get(name, _ZERO) > _ZERO}


def _peak(declared: Sequence[tuple[Amounts, Role]]) -> dict[str, Quantity]:
    """max(apps + sidecars, each init container + the sidecars declared before it), per resource."""
    sidecars: dict[str, Quantity] = {}
    peaks: list[dict[str, Quantity]] = []
    for amounts, role in declared:
        if role == "sidecar":
            sidecars = _sum([sidecars, amounts])
        elif role == "init":
            peaks.append(_sum([sidecars, amounts]))
    running = _sum([sidecars, *(amounts for amounts, role in declared if role == "app")])
    result: dict[str, Quantity] = {}
    for amounts in [running, *peaks]:
        for name, quantity in amounts.items():
            result[name] = max(result.get(name, quantity), quantity)
    return result


def _sum(parts: Iterable[Amounts]) -> dict[str, Quantity]:
    total: dict[str, Quantity] = {}
    for amounts in parts:
        for name, quantity in amounts.items():
            total[name] = total[name] + quantity if name in total else quantity
    return total
