# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration asks for that is not kept between runs, or not by this host: said, never left out silently.

Modules hand supervision to Podman when they end: its restart policy, and its health check for an exec liveness
probe. Each sentence starts with a fixed name, so that users can tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import render
from . import spec as s
from .fields import native_liveness, restart_policy
from .observed import Node, Observed
from .operations import Plan, UpdateLimits


def warnings(pod: s.PodSpec, node: Node, observed: Observed, plan: Plan) -> tuple[str, ...]:
    """The sentences for this pod on this host, in a stable order.

    What a declaration implies is said when it is applied, not again at every run that finds it unchanged.
    """
    sentences = _strangers(observed)
    if plan:
        sentences += [*_volumes(pod), *_limits(pod, node, plan), *_secrets(pod, node)]
    if plan and not node.has_keeper:
        sentences += [*_probes(pod, node), *_hooks(pod, node), *_deadline(pod)]
    return tuple(f"pod {pod.name}: {sentence}" for sentence in sentences)


def _strangers(observed: Observed) -> list[str]:
    return [
        f"stranger: container {stranger.podman_name} in the pod was not made by podwright.pods and is left alone"
        for stranger in (observed.pod.strangers if observed.pod else ())
    ]


def _deadline(pod: s.PodSpec) -> Iterator[str]:
    if pod.active_deadline_seconds is not None:
        yield "active-deadline: nothing ends the pod when its active_deadline_seconds are over, but the next run does"


def _probes(pod: s.PodSpec, node: Node) -> Iterator[str]:
    unkept = [
        f"{c.name} ({c.liveness_probe.kind})"
        for c in pod.all_containers
        if c.liveness_probe and not native_liveness(c, node)
    ]
    if unkept:
        need = "" if node.has_systemd else ", and Podman's health checks need systemd, which this host lacks"
        yield (
            f"liveness: the liveness probes of {', '.join(unkept)} are not run between runs: "
            f"Podman keeps exec probes only{need}; a container that ends is still restarted"
        )


def _hooks(pod: s.PodSpec, node: Node) -> Iterator[str]:
    hooked = [c.name for c in pod.all_containers if c.lifecycle and restart_policy(pod, c, node) != "no"]
    if hooked:
        yield (
            f"hooks: postStart and preStop of {', '.join(hooked)} run at every start and stop that a run makes, "
            "not when Podman restarts a container by itself"
        )


def _volumes(pod: s.PodSpec) -> Iterator[str]:
    unlimited = [v.name for v in pod.volumes if v.empty_dir and v.empty_dir.size_limit and not v.empty_dir.medium]
    if unlimited:
        yield (
            f"size-limit: the size limit of emptyDir {', '.join(unlimited)} is not enforced on disk; "
            "use medium Memory, or a volume on a file system of its own"
        )


def _limits(pod: s.PodSpec, node: Node, plan: Plan) -> Iterator[str]:
    if not node.can_limit and any(c.resources.limits for c in pod.all_containers):
        yield (
            "limits: limits are not enforced, since rootless Podman needs cgroup v2 with the controllers cpu and "
            "memory delegated to its user"
        )
    if any(render.oom_score_adj(pod, c, node) is None for c in pod.all_containers):
        yield "oom-score: this host may not lower OOM scores (CAP_SYS_RESOURCE), so the pod is not preferred to others"
    if node.podman_version < (5, 0) and any(isinstance(op, UpdateLimits) for op in plan.operations):
        yield (
            "resize: this Podman keeps the new limits only until a container restarts by itself; "
            "the next run sets them again"
        )


def _secrets(pod: s.PodSpec, node: Node) -> Iterator[str]:
    uses = any(source.secret_ref for c in pod.all_containers for source in c.env_from) or any(
        v.value_from and v.value_from.secret_key_ref for c in pod.all_containers for v in c.env
    )
    if uses and not node.secret_launcher:
        yield (
            "secret-env: podman inspect shows secret variables to root, since this host has no static busybox; "
            "install busybox-static, or mount the secrets as files"
        )
