# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which restart policy holds for a container in its pod, and whether a run of it is followed by another.

Source: Kubernetes 1.32 (kubelet ``ShouldContainerBeRestarted``; restartable init containers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .._declaration import spec as s
from .._declaration.spec import RestartPolicy
from .observed import Node

LatestState = Literal["none", "created", "running", "succeeded", "failed", "unknown"]
PodmanRestartPolicy = Literal["no", "on-failure", "always"]

_NAMES_IN_PODMAN: Mapping[RestartPolicy, PodmanRestartPolicy] = {
    "Always": "always",
    "OnFailure": "on-failure",
    "Never": "no",
}


def policy_of(pod: s.PodSpec, container: s.Container) -> RestartPolicy:
    """The restart policy that holds for one of the pod's containers.

    A sidecar always runs. An init container that has completed is done; one that failed is tried again, unless the
    pod's policy is Never.
    """
    role = pod.role_of(container)
    if role == "sidecar":
        return "Always"
    if role == "init" and pod.restart_policy == "Always":
        return "OnFailure"
    return pod.restart_policy


def podman_policy_of(pod: s.PodSpec, container: s.Container, node: Node) -> PodmanRestartPolicy:
    """What Podman is to do by itself: nothing with init containers, which we retry, or where the agent restarts."""
    if pod.role_of(container) == "init" or node.has_agent:
        return "no"
    return _NAMES_IN_PODMAN[policy_of(pod, container)]


def is_restarted(pod: s.PodSpec, container: s.Container, exit_code: int | None) -> bool:
    """Whether a run that ended so is followed by another; back-off is asked about separately."""
    return should_restart(state_after(exit_code), policy_of(pod, container), deleting=False)


def state_after(exit_code: int | None) -> LatestState:
    """How a run stands that has ended; one whose exit code nobody knows has failed."""
    return "succeeded" if exit_code == 0 else "failed"


def should_restart(latest_state: LatestState, restart_policy: RestartPolicy, deleting: bool) -> bool:
    """Whether a container is to be started, given how its latest run stands; back-off is asked about separately.

    ``none``: it never ran. Unknown and created count as not done, whatever the policy. ``restart_policy`` is what
    `policy_of` has.
    """
    if deleting or latest_state == "running":
        return False
    if latest_state in ("none", "created", "unknown"):
        return True
    return restart_policy == "Always" or (restart_policy == "OnFailure" and latest_state == "failed")
