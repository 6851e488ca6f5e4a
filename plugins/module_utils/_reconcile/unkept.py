# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warns of what a declaration asks for and nobody keeps between runs, or not on this host.

Modules hand supervision to Podman when they end: its restart policy, and its health check for an exec liveness
probe. Each sentence starts with a fixed name, so that users can tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._declaration import spec as s
from .context import Context
from .effective import native_liveness
from .observed import Node, Observed
from .operations import Plan, UpdateLimits
from .pod.step import KINDS, is_grpc, probe_of
from .rendering import render
from .rendering.materials import Facts, environment
from .restart_policy import podman_policy_of


def warnings(context: Context, observed: Observed, plan: Plan) -> tuple[str, ...]:
    """The sentences for this pod on this host, in a stable order.

    A warning about the declaration comes when it is applied, and not with unchanged runs.
    """
    pod, node = context.pod, context.node
    sentences = _strangers(observed)
    if plan:
        sentences += [
            *_volumes(pod),
            *_limits(pod, node, plan),
            *_secrets(context),
            *_grpc(pod, node),
            *_pull_secrets(pod),
        ]
    if plan and not node.has_agent:
        sentences += [*_probes(pod, node), *_hooks(pod, node), *_deadline(pod)]
    return tuple(f"pod {pod.name}: {sentence}" for sentence in sentences)


def _pull_secrets(pod: s.PodSpec) -> Iterator[str]:
    there = {secret.name for secret in pod.secrets}
    missing = [reference.name for reference in pod.image_pull_secrets if reference.name not in there]
    if missing:
        yield (
            f"pull-secrets: images are pulled without {', '.join(missing)}, since no such secret is given; give it in "
            "secrets, with the key .dockerconfigjson, or leave it out"
        )


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


def _grpc(pod: s.PodSpec, node: Node) -> Iterator[str]:
    """Those that gate readiness are refused when they are declared (`admission`)."""
    if node.can_probe_grpc:
        return
    unmade = [f"{c.name} ({kind})" for c in pod.all_containers for kind in KINDS if is_grpc(probe_of(c, kind))]
    if unmade:
        yield (
            f"grpc: the grpc probes of {', '.join(unmade)} cannot be made, since this host's Python has no package h2: "
            "a liveness probe never ends its container, and a container is not ready before its startup and readiness "
            "probes have passed; install python3-h2 (Debian, Fedora) or h2 with pip"
        )


def _hooks(pod: s.PodSpec, node: Node) -> Iterator[str]:
    hooked = [c.name for c in pod.all_containers if c.lifecycle and podman_policy_of(pod, c, node) != "no"]
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
        yield "oom-score: this host may not lower OOM scores (CAP_SYS_RESOURCE), so the kernel may kill this pod first"
    if node.podman_version < (5, 0) and any(isinstance(op, UpdateLimits) for op in plan.operations):
        yield (
            "resize: this Podman keeps the new limits only until a container restarts by itself; "
            "the next run sets them again"
        )


def _secrets(context: Context) -> Iterator[str]:
    pod = context.pod
    shown = [
        container.name
        for container in pod.all_containers
        if render.shows_secret(container, environment(pod, container, context.materials, Facts()))
    ]
    if shown:
        yield (
            f"secret-args: the commands of {', '.join(shown)} name secret variables, so the values show in the host's "
            "list of processes for as long as these run; let the programs read them from their environment or a file"
        )
