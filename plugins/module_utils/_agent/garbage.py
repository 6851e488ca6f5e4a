# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes Pods that have ended by themselves, if there are too many: Kubernetes' pod garbage collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._runs.pod_run import run_pod
from .keeper.pod_keeper import PodKeeper

if TYPE_CHECKING:
    from .agent import Agent

COLLECTING_SECONDS = 10
"""How often the Pods that have ended are counted."""


class GarbageCollector:
    """Keeps as many of them as the agent's ``terminated_pods`` says."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def keep_low(self) -> None:
        """Until the agent ends, in a thread of its own, for a removal takes as long as whoever has the pod's turn."""
        while not self._agent.has_ended.wait(COLLECTING_SECONDS):
            for keeper in self._garbage():
                self._collect(keeper)

    def _collect(self, keeper: PodKeeper) -> None:
        try:
            # The removals before this one may have taken a while.
            if keeper.has_ended:
                run_pod({"name": keeper.name, "state": "absent"}, False, agent=self._agent)
        except Exception as error:
            # A mistake of ours with one pod must not stop the others; the next round tries again.
            self._agent.events.add("FailedGarbageCollection", keeper.name, str(error), is_warning=True)

    def _garbage(self) -> list[PodKeeper]:
        """The oldest pods that have ended by themselves, as many as are too many."""
        ended = [keeper for keeper in self._agent.keepers() if keeper.has_ended]
        surplus = len(ended) - self._agent.terminated_pods if self._agent.terminated_pods > 0 else 0
        ended.sort(key=lambda keeper: str(keeper.view.status.get("startTime") or ""))
        return ended[: max(surplus, 0)]
