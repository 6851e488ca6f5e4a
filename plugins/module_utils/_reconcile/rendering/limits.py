# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared resources as kernel limits, and whether the kernel has them as declared.

On cgroup v2 the runtime turns shares into a weight, by a formula that changed (crun 1.23, runc 1.3.2): either
weight counts as what was asked for.
"""

from __future__ import annotations

from dataclasses import replace

from ..._declaration import resources
from ..._declaration import spec as s
from ..._declaration.quantity import show_bytes
from ..observed import LiveLimits

KILLED = 128 + 9
"""The exit code of what was killed: by the kernel for want of memory, or by anybody else."""
_LARGEST_PAGE_BYTES = 64 * 1024
"""No page of Linux is larger on any processor."""


def container_limits(container: s.Container) -> LiveLimits:
    """What a container's cgroup is to be set to."""
    effective = container.resources.effective()
    return LiveLimits(
        memory_bytes=resources.memory_bytes(effective.limits) or None,
        cpu_quota_us=resources.cpu_quota_us(resources.cpu_millicores(effective.limits)) or None,
        cpu_shares=resources.cpu_shares(resources.cpu_millicores(effective.requests)),
    )


def words_of_end(container: s.Container, exit_code: int, is_out_of_memory: bool | None) -> str:
    """``exited with code 1``; of one that was killed with what is known of its memory limit.

    ``is_out_of_memory`` is what Podman read from the cgroup. None and False prove nothing: the kernel may have killed
    another process than the container's first, which then ended by itself.
    """
    words, limit = f"exited with code {exit_code}", container_limits(container).memory_bytes
    if is_out_of_memory:
        return f"{words}: killed at its memory limit{f' of {show_bytes(limit)}' if limit else ''}"
    if exit_code == KILLED and limit:
        return f"{words}: killed, perhaps at its memory limit of {show_bytes(limit)}"
    return words


def by_role(pod: s.PodSpec) -> list[resources.ContainerResources]:
    """The containers as the sums over a pod take them, in declared order."""
    return [resources.ContainerResources(c.resources, pod.role_of(c)) for c in pod.all_containers]


def pod_limits(pod: s.PodSpec) -> LiveLimits:
    """What the pod's own cgroup is to be set to."""
    cgroup = resources.pod_cgroup(by_role(pod), pod_level=pod.resources)
    return LiveLimits(memory_bytes=cgroup.memory_bytes, cpu_quota_us=cgroup.cpu_quota_us, cpu_shares=cgroup.cpu_shares)


def requested(pod: s.PodSpec) -> tuple[int, int]:
    """What the pod asks of its host: CPU in millicores and memory in bytes."""
    amounts = resources.pod_requests(by_role(pod))
    if pod.resources:
        amounts.update(resources.pod_level_requirements(by_role(pod), pod.resources).requests)
    return resources.cpu_millicores(amounts), resources.memory_bytes(amounts)


def qos_class(pod: s.PodSpec) -> resources.QosClass:
    return resources.qos_class(by_role(pod), pod.resources)


def differences(wanted: LiveLimits, found: LiveLimits) -> list[str]:
    """The resources (``cpu``, ``memory``) in which the kernel's limits are not the wanted ones."""
    result = []
    if wanted.cpu_quota_us != found.cpu_quota_us or not _same_shares(wanted, found):
        result.append("cpu")
    if not _same_memory(wanted.memory_bytes, found.memory_bytes):
        result.append("memory")
    return result


def _same_memory(wanted_bytes: int | None, found_bytes: int | None) -> bool:
    """The kernel keeps a limit in whole pages, rounded down."""
    if wanted_bytes is None or found_bytes is None:
        return wanted_bytes is found_bytes
    return 0 <= wanted_bytes - found_bytes < _LARGEST_PAGE_BYTES


def _same_shares(wanted: LiveLimits, found: LiveLimits) -> bool:
    if wanted.cpu_shares is None:
        return True
    if found.cpu_weight is not None:
        linear = resources.cpu_weight_linear(wanted.cpu_shares)
        return found.cpu_weight in (linear, resources.cpu_weight_quadratic(wanted.cpu_shares))
    return found.cpu_shares is None or found.cpu_shares == wanted.cpu_shares


def grown(found: LiveLimits, wanted: LiveLimits) -> LiveLimits:
    """The larger of both in each respect; no limit is larger than any."""
    return replace(
        found,
        memory_bytes=_larger(found.memory_bytes, wanted.memory_bytes),
        cpu_quota_us=_larger(found.cpu_quota_us, wanted.cpu_quota_us),
        cpu_shares=max(wanted.cpu_shares or 0, found.cpu_shares or 0) or None,
        cpu_weight=None,
    )


def weighed(wanted: LiveLimits, found: LiveLimits, shares_before: int | None) -> LiveLimits:
    """The wanted limits, with a weight if ``found`` has one, by the formula that made it of ``shares_before``."""
    if found.cpu_weight is None or wanted.cpu_shares is None:
        return wanted
    is_linear = found.cpu_weight == resources.cpu_weight_linear(shares_before or 2)
    formula = resources.cpu_weight_linear if is_linear else resources.cpu_weight_quadratic
    return replace(wanted, cpu_weight=formula(wanted.cpu_shares))


def _larger(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
