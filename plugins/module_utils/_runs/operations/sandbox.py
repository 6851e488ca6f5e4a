# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out operations on a Pod's sandbox: its Podman pod, with the infra container and the cgroup."""

from __future__ import annotations

from urllib.parse import quote

from ..._host.kernel import cgroup
from ..._host.podman.client import Podman
from ..._reconcile import operations as op
from ..._reconcile.observed import LABEL_CONTAINER
from ..._reconcile.rendering import render
from ..._reconcile.rendering.limits import pod_limits
from .execution import START_SECONDS, Execution
from .removal import insist, note_end


def create_pod(execution: Execution, operation: op.CreatePod, podman: Podman) -> None:
    podman.post("/pods/create", body=render.pod_body(execution.context))


def start_pod(execution: Execution, operation: op.StartPod, podman: Podman) -> None:
    # Podman's helpers for the infra container run in the pod's cgroup: a small limit of CPU or memory would slow
    # them down for minutes, along with everything that waits for Podman's lock on the container.
    path = cgroup_path(operation.pod, podman)
    cgroup.lift(path)
    podman.post(f"/containers/{execution.pod.infra_name}/start", timeout_seconds=START_SECONDS)
    wanted = pod_limits(execution.pod)
    if path and execution.context.node.can_limit and (wanted.memory_bytes or wanted.cpu_quota_us):
        cgroup.write_path(path, wanted)
    execution.forget_sandbox()
    if execution.services:
        execution.services.introduce(operation.pod, podman)


def remove_pod(execution: Execution, operation: op.RemovePod, podman: Podman) -> None:
    _note_ends(execution, operation, podman)

    def remove() -> None:
        cgroup.lift(cgroup_path(operation.id, podman))
        podman.delete(f"/pods/{operation.id}", {"force": True}, timeout_seconds=120)

    insist(remove)
    execution.store.sub_path_mounts.release(operation.pod)


def _note_ends(execution: Execution, operation: op.RemovePod, podman: Podman) -> None:
    listed = podman.get("/containers/json", {"all": True, "filters": {"pod": [operation.id]}}) or []
    for item in listed:
        name = (item.get("Labels") or {}).get(LABEL_CONTAINER, "")
        if execution.pod.find(name):
            note_end(execution, name, item["Id"], operation.is_restart, podman)


def update_pod_limits(execution: Execution, operation: op.UpdatePodLimits, podman: Podman) -> None:
    cgroup.write_path(cgroup_path(operation.pod, podman), operation.limits)


def cgroup_path(pod: str, podman: Podman) -> str:
    """The cgroup of a Podman pod, by its name or id; empty where Podman tells of none."""
    inspected = podman.get(f"/pods/{quote(pod)}/json")
    return str((inspected[0] if isinstance(inspected, list) else inspected).get("CgroupPath") or "")
