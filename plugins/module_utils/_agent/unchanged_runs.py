# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that had nothing to do, remembered by the agent, so that the same request is answered at once.

What a run does follows from its request and from what it sees. Where a run had nothing to do, and the same request
comes while all that it saw is as it was, there is nothing to do either, and the answer is the same. Looking again costs
far less than the run: Podman's events and the list report containers; images, volumes, networks, limits, files and the
host itself are looked at for each answer.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from .._declaration import spec as s
from .._errors import PodwrightError
from .._host.kernel import cgroup
from .._host.kernel.processes import is_watched
from .._host.observe import kind_of_path, observe_images, read_node
from .._host.store import Prints
from .._reconcile.observed import LiveLimits, Node, ObservedImage
from .._reconcile.status_documents import is_well

if TYPE_CHECKING:
    from .agent import Agent

CAPACITY = 64
"""How many answers are remembered; the least recently used one goes first."""


@dataclass(frozen=True)
class _Sighting:
    """Everything that a run on some pods depends on, at one moment."""

    moment: int
    node: Node
    images: Mapping[str, ObservedImage | None]
    volumes: Any
    networks: Any
    limits: tuple[LiveLimits | None, ...]
    sub_path_mounts: tuple[frozenset[tuple[str, int]] | None, ...]
    watched: tuple[bool, ...]
    """For each container, whether its process lives and its monitor would report its end."""
    host_paths: Mapping[str, str]
    prints: Prints
    statuses: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class _Remembered:
    pods: tuple[str, ...]
    sighting: _Sighting
    answer: dict[str, Any]


class UnchangedRuns:
    """What is remembered. Any thread may call it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._remembered: dict[bytes, _Remembered] = {}
        self._lock = threading.Lock()

    def answer(self, request: bytes, options: Mapping[str, Any], run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``run`` answers to a request, or did before. ``request`` are its bytes, or a digest of them."""
        with self._lock:
            known = self._remembered.pop(request, None)
        if known:
            if self._see(known.pods) == known.sighting:
                self._remember(request, known)
                return known.answer
            self._agent.moments.noticed()
        moment = self._agent.moments.present()
        answer = run()
        pods = _pods_in(answer)
        if moment is not None and not answer["changed"] and options.get("state") in (None, "started") and pods:
            sighting = self._see(pods)
            # The run may have missed what happened meanwhile.
            if sighting and sighting.moment == moment and _is_told(answer, sighting.statuses):
                self._remember(request, _Remembered(pods, sighting, answer))
        return answer

    def _remember(self, request: bytes, known: _Remembered) -> None:
        with self._lock:
            self._remembered[request] = known
            for oldest in list(self._remembered)[:-CAPACITY]:
                del self._remembered[oldest]

    def _see(self, pods: Sequence[str]) -> _Sighting | None:
        """Look at everything; None if something cannot be read: then the run itself reports it."""
        moment, store = self._agent.moments.present(), self._agent.store
        try:
            views = [view for view in map(self._agent.view_of, pods) if view]
            declared = [record.applied.pod for record in map(store.read_record, pods) if record]
            if moment is None or len(views) < len(pods) or len(declared) < len(pods):
                return None
            observed = [view.observed for view in views if view.observed]
            with self._agent.connect() as podman:
                return _Sighting(
                    moment=moment,
                    node=read_node(podman.api_version),
                    images=observe_images(podman, (c.image for pod in declared for c in pod.all_containers)),
                    volumes=podman.get("/volumes/json"),
                    networks=podman.get("/networks/json"),
                    limits=(
                        *(cgroup.read_path(pod.cgroup_path) for pod in observed if pod.cgroup_path),
                        *(cgroup.read_limits(c.pid) for pod in observed for c in pod.members if c.pid),
                    ),
                    sub_path_mounts=tuple(
                        store.sub_path_mounts.mounted(pod.name) for pod in declared if pod.has_sub_paths
                    ),
                    watched=tuple(is_watched(c.pid, c.id) for pod in observed for c in pod.containers if c.pid),
                    host_paths=_host_paths(declared),
                    prints=store.prints(pods),
                    statuses=tuple(view.status for view in views),
                )
        except (PodwrightError, OSError):
            return None


def _pods_in(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The pods that a run's answer is about, of a stack or the one."""
    if "objects" in answer:
        return tuple(item["name"] for item in answer["objects"] if item["kind"] == "Pod")
    return (answer["pod"]["metadata"]["name"],) if answer.get("pod") else ()


def _is_told(answer: Mapping[str, Any], statuses: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the pods are still ready, as the answer says."""
    told = [item.get("phase") for item in answer.get("objects", ()) if item["kind"] == "Pod"]
    phases = told or [answer["pod"].get("status", {}).get("phase")]
    agrees = all(phase in (None, status.get("phase")) for phase, status in zip(phases, statuses))
    status = answer.get("pod", {}).get("status")
    return agrees and status in (None, *statuses) and all(map(is_well, statuses))


def _host_paths(pods: Sequence[s.PodSpec]) -> dict[str, str]:
    paths = {volume.host_path.path for pod in pods for volume in pod.volumes if volume.host_path}
    return {path: kind_of_path(path) for path in sorted(paths)}
