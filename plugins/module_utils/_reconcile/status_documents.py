# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod's status as Kubernetes writes it, and what can be read out of that again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from .._declaration.resources import Role
from .._declaration.spec import PodSpec
from .observed import read_time, strip_digest
from .status import Condition, ContainerState, ContainerStatus, PodStatus, Running, Terminated, Waiting

_CONTAINER_ID_PREFIX = "podman://"
_IMAGE_ID_PREFIX = "sha256:"


def to_kubernetes(status: PodStatus) -> dict[str, Any]:
    """The status as Kubernetes writes it: camelCase, RFC 3339 times of whole seconds in UTC, nothing that is empty."""
    return _filled(
        phase=status.phase,
        conditions=[_condition_document(condition) for condition in status.conditions],
        reason=status.reason,
        message=status.message,
        hostIP=status.host_ip,
        hostIPs=[{"ip": status.host_ip}] if status.host_ip else [],
        podIP=status.pod_ip,
        podIPs=[{"ip": status.pod_ip}] if status.pod_ip else [],
        qosClass=status.qos_class,
        startTime=show_time(status.start_time),
        initContainerStatuses=[_container_document(one) for one in status.init_container_statuses],
        containerStatuses=[_container_document(one) for one in status.container_statuses],
    )


def from_kubernetes(document: Mapping[str, Any], pod: PodSpec) -> PodStatus:
    """Read back what ``to_kubernetes`` wrote, to serve as ``previous``; containers no longer declared are left out."""
    return PodStatus(
        phase=document["phase"],
        conditions=tuple(_read_condition(item) for item in document.get("conditions", ())),
        container_statuses=_read_statuses(document.get("containerStatuses", ()), pod),
        init_container_statuses=_read_statuses(document.get("initContainerStatuses", ()), pod),
        pod_ip=document.get("podIP", ""),
        host_ip=document.get("hostIP", ""),
        qos_class=document.get("qosClass", "BestEffort"),
        start_time=read_time(document.get("startTime")),
        reason=document.get("reason", ""),
        message=document.get("message", ""),
    )


def _condition_document(condition: Condition) -> dict[str, Any]:
    return _filled(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message,
        lastTransitionTime=show_time(condition.last_transition_time),
    )


def _container_document(status: ContainerStatus) -> dict[str, Any]:
    image = _filled(
        imageID=status.image_id and _IMAGE_ID_PREFIX + status.image_id,
        containerID=status.container_id and _CONTAINER_ID_PREFIX + status.container_id,
    )
    return {
        "name": status.name,
        "state": _state_document(status.state),
        "lastState": _state_document(status.last_state) if status.last_state else {},
        "ready": status.ready,
        "started": status.started,
        "restartCount": status.restart_count,
        "image": status.image,
        **image,
    }


def _state_document(state: ContainerState) -> dict[str, Any]:
    if isinstance(state, Waiting):
        return {"waiting": _filled(reason=state.reason, message=state.message)}
    if isinstance(state, Running):
        return {"running": _filled(startedAt=show_time(state.started_at))}
    details = _filled(
        reason=state.reason,
        message=state.message,
        signal=state.signal,
        startedAt=show_time(state.started_at),
        finishedAt=show_time(state.finished_at),
        containerID=state.container_id and _CONTAINER_ID_PREFIX + state.container_id,
    )
    return {"terminated": {"exitCode": state.exit_code, **details}}


def _filled(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def show_time(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(int(moment), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_condition(item: Mapping[str, Any]) -> Condition:
    return Condition(
        item["type"],
        item["status"],
        item.get("reason", ""),
        item.get("message", ""),
        read_time(item.get("lastTransitionTime")),
    )


def _read_statuses(items: Sequence[Mapping[str, Any]], pod: PodSpec) -> tuple[ContainerStatus, ...]:
    declared = ((item, pod.find(item["name"])) for item in items)
    return tuple(_read_status(item, pod.role_of(found)) for item, found in declared if found)


def _read_status(item: Mapping[str, Any], role: Role) -> ContainerStatus:
    last = _read_state(item["lastState"]) if item.get("lastState") else None
    return ContainerStatus(
        name=item["name"],
        role=role,
        state=_read_state(item["state"]),
        last_state=last if isinstance(last, Terminated) else None,
        ready=item.get("ready", False),
        started=item.get("started", False),
        restart_count=item.get("restartCount", 0),
        image=item.get("image", ""),
        image_id=strip_digest(item.get("imageID", "")),
        container_id=_strip_scheme(item.get("containerID", "")),
    )


def _read_state(item: Mapping[str, Any]) -> ContainerState:
    if "running" in item:
        return Running(read_time(item["running"].get("startedAt")))
    if "terminated" not in item:
        waiting = item.get("waiting", {})
        return Waiting(waiting.get("reason", ""), waiting.get("message", ""))
    ended = item["terminated"]
    return Terminated(
        exit_code=ended["exitCode"],
        reason=ended.get("reason", ""),
        message=ended.get("message", ""),
        signal=ended.get("signal"),
        started_at=read_time(ended.get("startedAt")),
        finished_at=read_time(ended.get("finishedAt")),
        container_id=_strip_scheme(ended.get("containerID", "")),
    )


def _strip_scheme(container_id: str) -> str:
    return container_id.rpartition("://")[2]


def is_well(status: Mapping[str, Any]) -> bool:
    """Whether a status in Kubernetes' shape is that of a pod that is ready or has succeeded."""
    ready = (condition["status"] for condition in status.get("conditions", ()) if condition["type"] == "Ready")
    return status.get("phase") == "Succeeded" or "True" in ready
