# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a Pod's sandbox or one of its containers has to be replaced; None where it serves."""

from __future__ import annotations

from dataclasses import replace

from ..._declaration import spec as s
from .. import costs
from ..context import Context
from ..observed import LOST, STUCK, UNWATCHED, Observed, ObservedContainer, ObservedPod
from ..operations import MISSING
from ..rendering.limits import container_limits, differences
from ..restart_policy import is_restarted
from .view import Desired

PAUSED = "it is paused"
BROKEN = {
    LOST: "its process is gone, though Podman says that it runs",
    UNWATCHED: "its monitor (conmon) is gone, so Podman would not see it end",
    STUCK: "its stop was given up",
}
"""Why a container is replaced that Podman reports wrongly, by its state."""


def replacement_cause(desired: Desired, observed: Observed) -> str | None:
    """Why the pod needs a new sandbox; None when the one there serves."""
    pod = observed.pod
    if pod is None:
        return MISSING
    if desired.failure:
        return desired.failure.cause
    changed = costs.changed_fields(costs.pod_digests(desired.context), pod.digests)
    if changed:
        return f"{', '.join(changed)} changed"
    if not pod.infra_id:
        return "its infra container is gone"
    if pod.infra_is_running or not any(c.has_started for c in pod.containers) or is_pod_over(desired, observed):
        return None
    if pod.infra and pod.infra.is_broken:
        return f"its infra container is broken: {BROKEN[pod.infra.state]}"
    return "it was stopped" if desired.was_stopped else "its infra container is not running"


def is_sandbox_lost(desired: Desired, pod: ObservedPod) -> bool:
    """Whether a sandbox that has to be replaced is what is declared."""
    is_meant = desired.failure is not None or desired.was_stopped
    return not is_meant and not costs.changed_fields(costs.pod_digests(desired.context), pod.digests)


def is_pod_over(desired: Desired, observed: Observed) -> bool:
    """Whether every main container has ended for good, as a finished job's have; such a pod is left as it is."""
    desired = replace(desired, backing_off=frozenset())
    for container in desired.pod.containers:
        found = observed.pod.find(container.name) if observed.pod else None
        if found is None or not found.has_exited or container_cause(desired, observed, container, found):
            return False
    return True


def counts_as_restart(desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer) -> bool:
    """Whether what comes in a container's place is the same once more, and counts as its restart."""
    was_ended = found.stopped_by_run and found.has_exited
    return not was_ended and _change_cause(desired, observed, container, found) is None


def container_cause(
    desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer
) -> str | None:
    """Why the container has to be replaced; None if it serves."""
    return _change_cause(desired, observed, container, found) or _restart_cause(desired, observed, container, found)


def _change_cause(desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer) -> str | None:
    """Why another container has to come in its place; None if it is as declared."""
    role = desired.pod.role_of(container)
    if found.role != role:
        return f"it was {found.role} and is now {role}"
    changed = costs.changed_fields(costs.container_digests(desired.context, container), found.digests)
    if changed:
        return _restarter_cause(desired.context, container, found) or f"{', '.join(changed)} changed"
    image = observed.images.get(container.image)
    wanted_image = desired.pinned_images.get(container.name) or (image.id if image else "")
    if wanted_image and wanted_image != found.image_id:
        return f"{container.image} is another image now"
    return None


def _restart_cause(
    desired: Desired, observed: Observed, container: s.Container, found: ObservedContainer
) -> str | None:
    """Why the same container has to be made again; None if it goes on, or has ended for good."""
    if found.is_broken:
        return BROKEN[found.state]
    if found.state == "stopping" and not desired.context.node.has_agent:
        # Without a keeper nobody would deal with it if that stop is given up.
        return "it is being stopped"
    if found.state == "paused":
        return PAUSED
    if not found.has_started:
        return "it was not started"
    if found.has_exited and found.stopped_by_run:
        return "it was stopped"
    is_backing_off = container.name in desired.backing_off
    if found.has_exited and not is_backing_off and is_restarted(desired.pod, container, found.exit_code):
        return f"it is not running (exit code {found.exit_code})"
    return _sub_path_cause(desired.pod, observed, container, found) or _resize_cause(desired, container, found)


def _sub_path_cause(pod: s.PodSpec, observed: Observed, container: s.Container, found: ObservedContainer) -> str | None:
    """Why missing mounts of sub paths need a new container: Podman could not start this one again."""
    if observed.sub_path_mounts is None or not found.is_running:
        return None
    mounts = observed.sub_path_mounts
    missing = [n for n in pod.held_sub_paths(container) if (container.name, n) not in mounts]
    return f"the sub path of {container.volume_mounts[missing[0]].mount_path} is no longer mounted" if missing else None


def _restarter_cause(context: Context, container: s.Container, found: ObservedContainer) -> str | None:
    """The cause if only the restarter has changed: the agent in place of Podman, or the reverse."""
    node = context.node
    other = replace(context, node=replace(node, has_agent=not node.has_agent))
    if costs.changed_fields(costs.container_digests(other, container), found.digests):
        return None
    return "the agent restarts it from now on" if node.has_agent else "Podman restarts it from now on"


def in_vain(found: ObservedContainer | None) -> str:
    """Why a container that was started will not come to run by waiting; empty where it may."""
    if found is None:
        return MISSING
    if found.is_broken:
        return BROKEN[found.state]
    return PAUSED if found.state == "paused" else ""


def can_limit(desired: Desired) -> bool:
    """Whether limits can be set here. If not, the observed ones are those of the process that started the pod."""
    return desired.context.node.can_limit


def _resize_cause(desired: Desired, container: s.Container, found: ObservedContainer) -> str | None:
    """Why a change of limits takes a new container: the resize policy says so, or the cgroup is out of reach."""
    if not (found.is_running and can_limit(desired)):
        return None
    if found.limits is None:
        before = desired.recorded.find(container.name) if desired.recorded else None
        return "resources changed" if before and before.resources != container.resources else None
    differing = differences(container_limits(container), found.limits)
    restarting_names = {p.resource_name for p in container.resize_policy if p.restart_policy == "RestartContainer"}
    restarting = [name for name in differing if name in restarting_names]
    return f"{', '.join(restarting)} changed, and its resize policy is RestartContainer" if restarting else None
