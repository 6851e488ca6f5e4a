# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of modules: the changes of a plan, and a pod with its status and usage."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._declaration import resources
from .._declaration import spec as s
from .._errors import DamagedState
from .._host.kernel import cgroup
from .._host.podman.client import Podman
from .._host.podman.container_output import last_lines
from .._host.state.records import UNFIT, Record
from .._host.store import Store
from .._printable import printable
from .._reconcile.observed import Node, ObservedPod
from .._reconcile.operations import Plan
from .._reconcile.pod_status import Evidence, final_failure, pod_status
from .._reconcile.rendering import materials as m
from .._reconcile.status import Failure, PodStatus, Waiting
from .._reconcile.status_documents import from_kubernetes, to_kubernetes
from .._reconcile.status_words import explain

FALLBACK_LOG_LINES = 80
FALLBACK_LOG_BYTES = 2048


def changes(
    plan: Plan,
    pod: s.PodSpec | None,
    recorded: s.PodSpec | None,
    warnings: list[str],
    materials: m.Materials,
    key: bytes,
) -> dict[str, Any]:
    """What a plan means, as a module's result; ``secrets`` in it must be shown nowhere."""
    lines = plan.lines()
    result: dict[str, Any] = {
        "changed": bool(plan),
        "actions": lines,
        "warnings": warnings,
        "secrets": m.secret_values(materials),
        "pod": s.to_kubernetes(pod) if pod else {},
    }
    if plan:
        result["diff"] = {
            "before": shown_options(s.to_options(recorded) if recorded else None, key),
            "after": shown_options(s.to_options(pod) if pod else None, key),
            "prepared": "\n".join(lines) + "\n",
        }
    return result


def shown_options(options: dict[str, Any] | None, key: bytes) -> str:
    """A declaration as text for a diff; secret values show as digests, so that a change can be seen."""
    if options is None:
        return ""
    for secret in options.get("secrets", ()):
        for group in ("data", "string_data"):
            values = secret.get(group) or {}
            secret[group] = {name: f"(secret, digest {m.digest(value, key)})" for name, value in values.items()}
    return json.dumps(options, indent=2, sort_keys=True) + "\n"


def status(
    podman: Podman,
    store: Store,
    pod: s.PodSpec,
    observed: ObservedPod | None,
    ready: Mapping[str, bool],
    started: Mapping[str, bool],
    node: Node,
    pod_ip: str,
    waiting: Mapping[str, Waiting] | None = None,
) -> dict[str, Any]:
    """The pod's status in Kubernetes' shape; with ``explanation``, why it is not ready, in a line for people.

    ``ready`` and ``started`` are what the probes say, ``waiting`` why containers could not be started so far. When
    conditions changed, restart counts and last states come from the status written down last.
    """
    messages = _termination_messages(podman, store, pod, observed)
    found = pod_status(
        replace(
            _evidence(store, pod, observed, node),
            pod_ip=pod_ip,
            readiness=ready,
            started=started,
            waiting=waiting or {},
            termination_messages=messages,
        )
    )
    return {**to_kubernetes(found), "explanation": explain(found)}


def unseen(pod: s.PodSpec, node: Node) -> dict[str, Any]:
    """The status of a pod that is on record, and of which nothing has been seen yet."""
    found = pod_status(Evidence(pod, node, time.time()))
    return {**to_kubernetes(found), "explanation": explain(found)}


def failure_of(store: Store, pod: s.PodSpec, observed: ObservedPod | None, node: Node) -> Failure | None:
    """Why the pod has failed for good, or is to fail now; None where it has not."""
    is_finite = pod.restart_policy == "Never" and any(pod.role_of(c) == "init" for c in pod.init_containers)
    if pod.active_deadline_seconds is None and not is_finite:
        return None
    return final_failure(pod, pod_status(_evidence(store, pod, observed, node)))


def _evidence(store: Store, pod: s.PodSpec, observed: ObservedPod | None, node: Node) -> Evidence:
    """What is seen of a pod now, with what is kept of it from before."""
    record = _record(store, pod.name)
    return Evidence(
        pod,
        node,
        time.time(),
        observed,
        ends=store.ends(pod.name),
        previous=_status_before(store, pod),
        is_stopping=bool(record and record.is_stopped),
        begun_at=record.begun_at if record else 0,
    )


def _record(store: Store, pod: str) -> Record | None:
    """The record; None if there is none or it is damaged, which others report."""
    try:
        return store.read_record(pod)
    except DamagedState:
        return None


def _status_before(store: Store, pod: s.PodSpec) -> PodStatus | None:
    """The status written last; None if there is none of that form."""
    before = store.read_status(pod.name)
    try:
        return from_kubernetes(before, pod) if before else None
    except UNFIT:
        return None


def is_recorded(store: Store, pod: str) -> bool:
    """Whether there is a record of the pod, damaged or not."""
    try:
        return store.read_record(pod) is not None
    except DamagedState:
        return True


def damaged_status(error: DamagedState) -> dict[str, Any]:
    """What a status says of a pod whose record is damaged, in Kubernetes' words."""
    message = str(error)
    return {"phase": "Unknown", "reason": error.reason, "message": message, "explanation": message}


def _termination_messages(podman: Podman, store: Store, pod: s.PodSpec, observed: ObservedPod | None) -> dict[str, str]:
    """Each container's termination message, by its policy."""
    messages = {}
    for container in pod.all_containers:
        text = store.termination_message(pod.name, container.name)
        found = observed.find(container.name) if observed else None
        has_failed = found is not None and found.has_exited and found.exit_code != 0
        if not text and has_failed and container.termination_message_policy == "FallbackToLogsOnError":
            text = last_lines(podman, pod.podman_name(container.name), FALLBACK_LOG_LINES, FALLBACK_LOG_BYTES)
        messages[container.name] = printable(text)
    return messages


def found_pod(observed: ObservedPod) -> s.PodSpec:
    """The little that is known of a pod of ours without a record."""
    mains = tuple(s.Container(c.name, c.image) for c in observed.members if c.role == "app")
    sidecars = tuple(
        s.Container(c.name, c.image, restart_policy="Always" if c.role == "sidecar" else None)
        for c in observed.members
        if c.role != "app"
    )
    return s.PodSpec(observed.name, mains, sidecars)


def ports(pod: s.PodSpec) -> list[dict[str, Any]]:
    return [{"container": c.name, **s.to_options(port)} for c in pod.all_containers for port in c.ports]


def owner(record: Record | None) -> dict[str, Any]:
    """The workload that has made a pod, as ``owner``; nothing for a pod that is declared itself."""
    made_by = record.settings.owner if record else None
    return {"owner": {"kind": made_by.kind, "name": made_by.workload}} if made_by else {}


CpuSample = Mapping[str, "tuple[int, float]"]
"""CPU time in microseconds and when it was read (monotonic seconds), by running container."""


def sample_cpu(observed: ObservedPod) -> CpuSample:
    return {c.name: (cgroup.read_usage(c.pid)[1], time.monotonic()) for c in observed.members if c.pid}


def usage(observed: ObservedPod, before: CpuSample) -> dict[str, dict[str, Any]]:
    """Memory and CPU in use against the limits, by running container; CPU over the time since ``before``."""
    used = {}
    for found in (c for c in observed.members if c.name in before):
        memory_bytes, cpu_us = cgroup.read_usage(found.pid)
        earlier_us, at = before[found.name]
        limit = found.limits
        quota = limit.cpu_quota_us if limit else None
        used[found.name] = {
            "memory_bytes": memory_bytes,
            "memory_limit_bytes": limit.memory_bytes if limit else None,
            "cpu_millicores": round((cpu_us - earlier_us) / (time.monotonic() - at) / 1000),
            "cpu_limit_millicores": resources.cpu_millicores_from_quota(quota) if quota else None,
        }
    return used


def secrets_of(store: Store, pod: str) -> tuple[str, ...]:
    """The values of a recorded pod's secrets, which must be shown nowhere."""
    try:
        record = store.read_record(pod)
    except DamagedState:
        # What is told of such a pod is not what it declares: only what was generated for it is known.
        return tuple(value for secret in store.readable_values(pod).values() for value in secret.values())
    if record is None:
        return ()
    secrets = record.applied.pod.secrets
    generated = store.generated(pod, secrets)
    return m.secret_values(m.gather(record.applied.pod, generated))
