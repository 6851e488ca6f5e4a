# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a keeper sees of its Pod, and when it looks again."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..._declaration import spec as s
from ..._host import probes
from ..._host.observe import Sandbox, observe, observe_sandbox
from ..._host.podman.client import Podman
from ..._host.state.records import Record
from ..._reconcile.observed import ENDING, STUCK, ObservedPod
from ..._runs.operations.execution import target_of

if TYPE_CHECKING:
    from ..agent import Agent

LOOK_SECONDS = 300
"""How often a pod is observed without news. The agent compares the list of all pods far more often."""
ENDING_SECONDS = 1
"""How soon to look again at a container whose process is gone while Podman does not know yet."""
STOPPING_SECONDS = 10
"""How long a container may outlive its grace period while Podman says that it stops, and how often it is looked at."""


class PodObserver:
    """One Pod as it was looked at last. For the thread of its keeper."""

    def __init__(self, agent: Agent, name: str) -> None:
        self.pod: ObservedPod | None = None
        """None where Podman has none of that name."""
        self.must_look = True
        self.look_at = 0.0
        """When to look again by itself, in monotonic seconds."""
        self.looked_at = 0.0
        self.has_failed = False
        """Whether the Pod has failed for good; then it stays so until it is begun anew."""
        self._agent = agent
        self._name = name
        self._stopping_since: dict[str, float] = {}
        self._targets: dict[str, probes.Target] = {}
        self._sandboxes: tuple[str, Sandbox] | None = None

    @property
    def is_due(self) -> bool:
        """Whether the Pod may not be what it was when it was looked at last."""
        return self.must_look or time.monotonic() >= self.look_at

    def look_within(self, seconds: float) -> None:
        """Look again so many seconds from now at the latest."""
        self.look_at = min(self.look_at, time.monotonic() + seconds)

    def look(self, podman: Podman, record: Record) -> bool:
        """Observe the Pod; tells whether it is not what it was."""
        self.must_look = False
        self._targets = {}
        before = self.pod
        looked_at = time.monotonic()
        self.pod = self.with_stuck(observe(podman, self._agent.store, self._name, details=True).pod, record)
        self.look_at = looked_at + LOOK_SECONDS
        if self.pod and any(c.state == ENDING for c in self.pod.containers):
            # The monitor that was about to report the end may itself end first.
            self.look_at = looked_at + ENDING_SECONDS
        if self._stopping_since:
            self.look_at = min(self.look_at, looked_at + STOPPING_SECONDS)
        self.looked_at = looked_at
        return self.pod != before

    def with_stuck(self, pod: ObservedPod | None, record: Record) -> ObservedPod | None:
        """The pod, with containers marked as stuck whose stop was begun and never finished."""
        now, known = time.monotonic(), self._stopping_since
        stopping = [c.id for c in pod.containers if c.state == "stopping"] if pod else []
        self._stopping_since = {found: known.get(found, now) for found in stopping}
        grace = record.applied.pod.termination_grace_period_seconds
        stuck = {found for found, since in self._stopping_since.items() if now - since > grace + STOPPING_SECONDS}
        if pod is None or not stuck:
            return pod
        return replace(pod, containers=tuple(replace(c, state=STUCK) if c.id in stuck else c for c in pod.containers))

    def target(self, podman: Podman, pod: s.PodSpec, container: s.Container) -> probes.Target:
        """How probes reach a container, by the last observation."""
        if container.name not in self._targets:
            self._targets[container.name] = target_of(self._agent.store, pod, container, self.sandbox(podman, pod))
        return self._targets[container.name]

    def sandbox(self, podman: Podman, pod: s.PodSpec) -> Sandbox:
        """How the pod is reached, asked for once per run of its infra container."""
        observed = self.pod
        infra = next((c.run for c in observed.containers if c.is_infra), "") if observed else ""
        if self._sandboxes is None or self._sandboxes[0] != infra:
            self._sandboxes = (infra, observe_sandbox(podman, pod, self._agent.node))
        return self._sandboxes[1]

    @property
    def is_up(self) -> bool:
        """Whether a main container has started in the present sandbox, so that the pod no longer waits for others."""
        pod = self.pod
        return pod is not None and pod.infra_is_running and any(c.has_started for c in pod.members if c.role == "app")
