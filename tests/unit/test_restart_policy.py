# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which restart policy holds for a container of a pod, by tables and by the kubelet's own rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from host_model import NODE, context_of
from lifecycle_tables import LATEST_STATES, restart_rows

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import ObservedImage
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering import render
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering.materials import Environment
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.restart_policy import (
    is_restarted,
    podman_policy_of,
    policy_of,
    should_restart,
)

LIVENESS = s.Probe(exec=s.ExecAction(("true",)))
CONTAINERS = {
    "init": s.Container("init", "i"),
    "sidecar": s.Container("sidecar", "i", restart_policy="Always", liveness_probe=LIVENESS),
    "app": s.Container("app", "i", liveness_probe=LIVENESS),
}
# The pod's policy, a container's role, the policy that holds, what Podman is told, and after which ends it runs again.
ROWS = [
    ("Always", "init", "OnFailure", "no", {1}),
    ("Always", "sidecar", "Always", "always", {0, 1}),
    ("Always", "app", "Always", "always", {0, 1}),
    ("OnFailure", "init", "OnFailure", "no", {1}),
    ("OnFailure", "sidecar", "Always", "always", {0, 1}),
    ("OnFailure", "app", "OnFailure", "on-failure", {1}),
    ("Never", "init", "Never", "no", set()),
    ("Never", "sidecar", "Always", "always", {0, 1}),
    ("Never", "app", "Never", "no", set()),
]


def pod_with(policy: Any) -> s.PodSpec:
    inits = (CONTAINERS["init"], CONTAINERS["sidecar"])
    return s.PodSpec("web", (CONTAINERS["app"],), inits, restart_policy=policy)


@pytest.mark.parametrize(("pod_policy", "role", "policy", "podman_policy", "followed"), ROWS)
def test_the_policy_that_holds(pod_policy: str, role: str, policy: str, podman_policy: str, followed: set[int]) -> None:
    pod, container = pod_with(pod_policy), CONTAINERS[role]
    assert policy_of(pod, container) == policy
    assert podman_policy_of(pod, container, NODE) == podman_policy
    assert podman_policy_of(pod, container, replace(NODE, has_agent=True)) == "no"
    assert {code for code in (0, 1) if is_restarted(pod, container, code)} == followed


def test_an_end_that_nobody_knows_is_a_failure() -> None:
    assert is_restarted(pod_with("OnFailure"), CONTAINERS["app"], None)
    assert not is_restarted(pod_with("Never"), CONTAINERS["app"], None)


@pytest.mark.parametrize(
    ("pod_policy", "role", "action"),
    [
        ("Always", "app", "restart"),
        ("OnFailure", "app", "restart"),
        ("Never", "app", "stop"),
        ("Never", "sidecar", "restart"),
    ],
)
def test_what_podman_does_once_a_liveness_probe_has_failed(pod_policy: str, role: str, action: str) -> None:
    context = replace(context_of(pod_with(pod_policy)), node=replace(NODE, has_systemd=True))
    parts = render.ContainerParts(ObservedImage("1", command=("run",)), Environment({}), ())
    body = render.container_body(context, CONTAINERS[role], parts)
    actions = {render._RESTART_ON_FAILURE: "restart", render._STOP_ON_FAILURE: "stop"}
    assert actions[body["health_check_on_failure_action"]] == action


@pytest.mark.parametrize("row", restart_rows())
def test_should_restart(row: dict[str, Any]) -> None:
    latest_state = LATEST_STATES[row["latest_state"]]
    assert should_restart(latest_state, row["policy"], row["deleting"]) is row["restart"]


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_a_container_only_created_is_started(policy: Any) -> None:
    assert should_restart("created", policy, deleting=False)
    assert not should_restart("created", policy, deleting=True)
