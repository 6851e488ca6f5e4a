# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod's status as the controller of its workload takes it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..context import Owner
from ..observed import read_time
from ..status import READY
from .facts import WorkloadPod


def sighted(
    name: str, owner: Owner, begun_at: float, status: Mapping[str, Any], *, is_available: bool, is_ending: bool = False
) -> WorkloadPod:
    """The pod by its status in Kubernetes' shape, an empty one where nothing of it was seen.

    ``is_available``: whether each of its containers has been ready for as long as the pod's declaration asks for. Only
    then is it ready for its workload.
    """
    conditions = {item["type"]: item for item in status.get("conditions") or ()}
    ready = conditions.get(READY, {})
    is_ready = ready.get("status") == "True" and is_available
    return WorkloadPod(
        name,
        owner.revision,
        owner.number,
        phase=str(status.get("phase") or "Pending"),
        ready_since=(read_time(ready.get("lastTransitionTime")) or begun_at) if is_ready else None,
        is_ending=is_ending,
        created_at=begun_at,
        finished_at=max((end for end in _ends(status) if end is not None), default=None),
        restarts=sum(int(item.get("restartCount") or 0) for item in _containers(status)),
        exit_codes=dict(_exit_codes(status)),
        conditions=frozenset((name_, str(item.get("status"))) for name_, item in conditions.items()),
        index=owner.index,
    )


def _containers(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for group in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(group) or ()


def _terminated(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for item in _containers(status):
        state = (item.get("state") or {}).get("terminated")
        if state:
            yield str(item.get("name")), state


def _ends(status: Mapping[str, Any]) -> Iterator[float | None]:
    return (read_time(state.get("finishedAt")) for _name, state in _terminated(status))


def _exit_codes(status: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    return ((name, int(state.get("exitCode") or 0)) for name, state in _terminated(status))
