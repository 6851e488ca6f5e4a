# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Pod came up as declared: waiting until it is ready, or has done its work, and writing down that it was."""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import PodFailed
from .._host.observe import observe
from .._host.podman.client import Podman
from .._host.state.records import Applied, Record
from .._host.store import Store
from .._reconcile.observed import ObservedPod
from .._reconcile.pod.plan import plan_completed
from .._reconcile.pod.view import Desired
from .agent import Agent
from .execute import Executor
from .request import Request
from .wait import Waiter, Watch


@dataclass
class Readiness:
    """The wait of one run for one declaration of its pod."""

    podman: Podman
    store: Store
    request: Request
    executor: Executor
    desired: Desired
    agent: Agent | None = None
    is_verified: bool = False
    """Whether the pod was seen ready."""

    def reach(self, seen: ObservedPod | None, is_proven: bool, is_to_complete: bool) -> Watch:
        """Wait as the request says, and write down that the pod was ready. Raises PodFailed and what a wait raises.

        ``seen``: the pod, if nothing was done to it since; ``is_proven``: it was seen ready before.
        ``is_to_complete``: until every main container has ended well.
        """
        watch = self.watch()
        watch.is_proven = is_proven
        if not self.request.wait:
            watch.look(seen)
            return watch
        failure = self.desired.failure
        if failure and self.desired.is_failed:
            raise PodFailed(self.request.name, failure.reason, failure.message)
        try:
            observed = watch.await_completed(seen) if is_to_complete else watch.await_ready(seen)
        finally:
            self._end_sidecars()
        self._verify(observed)
        return watch

    def watch(self) -> Watch:
        """What sees whether the pod is ready."""
        pod, executor = self.desired.pod, self.executor
        if self.agent:
            return self.agent.watch(self.podman, pod, executor.deadline)
        return Waiter(self.podman, self.store, pod, executor.target, executor.deadline)

    def _end_sidecars(self) -> None:
        """Sidecars end with the main containers, where those can end for good; the agent sees to that by itself."""
        pod = self.desired.pod
        if not self.agent and pod.sidecars and pod.restart_policy != "Always":
            self.executor.run(plan_completed(self.desired, observe(self.podman, self.store, pod.name, pod)))

    def _verify(self, observed: ObservedPod | None) -> None:
        """Write down that the pod was seen ready as it is declared now."""
        self.is_verified = True
        pod, images = self.desired.pod, observed.image_ids if observed else {}
        before = self.store.read_record(pod.name)
        begun_at = before.begun_at if before else 0
        record = Record(Applied(pod, images), True, settings=self.request.settings, begun_at=begun_at)
        # By now another process may have changed or removed the pod.
        if before and before.applied.pod == pod and before != record:
            self.store.write_record(pod.name, record)
