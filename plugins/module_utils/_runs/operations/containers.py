# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out operations on containers: making, starting, resizing, ending and removing one."""

from __future__ import annotations

import contextlib
import time

from ..._declaration import spec as s
from ..._errors import NotFound, PodmanError, PodwrightError
from ..._host import hooks
from ..._host.kernel import cgroup
from ..._host.podman.client import Podman
from ..._host.podman.container_output import last_lines
from ..._reconcile import operations as op
from ..._reconcile.probe_worker import TerminationBudget
from ..._reconcile.rendering import render
from ..._reconcile.rendering.materials import environment
from .execution import START_SECONDS, Execution
from .mounts import make_mount_points, mounts_of, start_mounts, termination_mount
from .removal import NO_MONITOR, insist, note_end, secrets_of
from .sandbox import cgroup_path
from .volumes import share_with_group

KEPT_LOG_LINES = 500
KEPT_LOG_BYTES = 1 << 20
"""How much of the log of a container that is started again is kept of the run before."""
_API_GRACE_SECONDS = 30


def create_container(execution: Execution, operation: op.CreateContainer, podman: Podman) -> None:
    container = execution.declared(operation.container)
    image = execution.image(container)
    variables = environment(execution.pod, container, execution.context.materials, execution.facts_in_sandbox())
    share_with_group(execution, container)
    mounts = [*mounts_of(execution, container, variables), termination_mount(execution, container)]
    make_mount_points(execution, container, variables, mounts)
    parts = render.ContainerParts(image, variables, [*mounts, *start_mounts(execution, container, image, variables)])
    try:
        podman.post("/containers/create", body=render.container_body(execution.context, container, parts))
    except NotFound as error:
        raise execution.failed(container, "CreateContainerError", error.cause) from error


def start_container(execution: Execution, operation: op.StartContainer, podman: Podman) -> None:
    container = execution.declared(operation.container)
    try:
        podman.post(f"/containers/{execution.podman_name(container)}/start", timeout_seconds=START_SECONDS)
    except PodmanError as error:
        if not error.status:
            raise
        text = str(error).partition("): ")[2] or str(error)
        raise execution.failed(container, "RunContainerError", text, execution.logs(container)) from error


def run_post_start(execution: Execution, operation: op.RunPostStart, podman: Podman) -> None:
    container = execution.declared(operation.container)
    target = execution.hook_target(container, operation.hook)
    outcome = hooks.run(operation.hook, target, podman, execution.remaining_seconds())
    if outcome.result not in ("Success", "Warning"):
        logs = execution.logs(container)
        budget = TerminationBudget(execution.pod.termination_grace_period_seconds, time.monotonic())
        _end(execution.podman_name(container), budget, podman)
        raise execution.failed(container, "FailedPostStartHook", outcome.message, logs)
    container_id = podman.get(f"/containers/{execution.podman_name(container)}/json")["Id"]
    execution.store.mark_post_start(execution.pod.name, container.name, container_id)


def resume_container(execution: Execution, operation: op.ResumeContainer, podman: Podman) -> None:
    execution.store.forget_stop(operation.pod, operation.container)


def stop_container(execution: Execution, operation: op.StopContainer, podman: Podman) -> None:
    budget = TerminationBudget(operation.grace_seconds, time.monotonic(), operation.minimum_seconds)
    # A container that is no longer declared keeps its hook; the plan has replaced port names by numbers.
    container = execution.pod.find(operation.container) or s.Container(operation.container, "")
    if container.image and not operation.is_left_to_policy:
        _mark_stop(execution, operation)
    seconds = round(budget.hook_seconds(time.monotonic()), 1)
    if operation.pre_stop and seconds > 0:
        try:
            target = execution.hook_target(container, operation.pre_stop)
            outcome = hooks.run(operation.pre_stop, target, podman, seconds)
            failure = "" if outcome.result in ("Success", "Warning") else outcome.message
        except PodwrightError as error:
            failure = str(error)
        if failure:
            execution.warnings.append(f"preStop hook of {operation.pod}/{operation.container} failed: {failure}")
    if operation.container == op.INFRA and not container.image:
        with contextlib.suppress(NotFound):
            cgroup.lift(cgroup_path(operation.pod, podman))
    _end(operation.id, budget, podman)


def _mark_stop(execution: Execution, operation: op.StopContainer) -> None:
    """Record that this run stops the container. A full disk only warns: the container may be what fills it."""
    try:
        execution.store.mark_stop(operation.pod, operation.container, operation.id)
    except (PodwrightError, OSError) as error:
        name = f"{operation.pod}/{operation.container}"
        execution.warnings.append(f"{name} is ended by this run, which could not be written down: {error}")


def _end(container_id: str, budget: TerminationBudget, podman: Podman) -> None:
    seconds = budget.stop_seconds(time.monotonic())

    def stop() -> None:
        podman.post(f"/containers/{container_id}/stop", {"timeout": seconds}, None, seconds + _API_GRACE_SECONDS)

    with contextlib.suppress(NotFound):
        try:
            stop()
        except PodmanError as error:
            if "paused" in str(error):
                podman.post(f"/containers/{container_id}/unpause")
                stop()
            elif NO_MONITOR not in str(error):
                raise


def remove_container(execution: Execution, operation: op.RemoveContainer, podman: Podman) -> None:
    if execution.context.node.has_agent and execution.pod.find(operation.container):
        # Where there is no room for it, the container is started again without.
        with contextlib.suppress(OSError):
            log = last_lines(podman, operation.id, KEPT_LOG_LINES, KEPT_LOG_BYTES)
            execution.store.keep_log(operation.pod, operation.container, log)
    note_end(execution, operation.container, operation.id, operation.is_restart, podman)
    # Anonymous volumes are part of the container's writable layer; named ones stay.
    removal = {"force": True, "volumes": True}
    insist(lambda: podman.delete(f"/containers/{operation.id}", removal, timeout_seconds=120))
    execution.store.sub_path_mounts.release(operation.pod, operation.container)
    for secret in secrets_of(podman, operation.pod, operation.container):
        podman.delete(f"/secrets/{secret}")
    if execution.pod.find(operation.container) is None:
        execution.store.forget_container(operation.pod, operation.container)


def update_limits(execution: Execution, operation: op.UpdateLimits, podman: Podman) -> None:
    wanted, pid = operation.limits, int(podman.get(f"/containers/{operation.id}/json")["State"]["Pid"])
    present = cgroup.read_limits(pid)
    lifts_quota = wanted.cpu_quota_us is None and not (present and present.cpu_quota_us is None)
    if lifts_quota and execution.context.node.podman_version < (5, 0) and cgroup.version() == 1:
        # Some runtimes cannot do this (see `update_body`), and this Podman keeps it no longer than that.
        cgroup.lift_cpu_quota(pid)
        lifts_quota = False
    podman.post(f"/containers/{operation.id}/update", body=render.update_body(wanted, lifts_quota))
