# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a Pod by what its keeper sees."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..._declaration import spec as s
from ..._host.podman.client import Podman
from ..._host.state.records import Record
from ..._reconcile.observed import ObservedPod
from ..._runs.wait import Watch
from .view import View

if TYPE_CHECKING:
    from .pod_keeper import PodKeeper


class _ViewWatch(Watch):
    """Waits for a pod by its keeper's views; the keeper probes and restarts meanwhile."""

    # With the back-off between them, these ends take more than half a minute.
    crashes = 2

    def _take(self, view: View, counts: bool) -> None:
        """Take in a view. One that does not ``count`` has no say in the wait."""
        self.is_current, self.status = counts, view.status
        shown = view if counts else View()
        self.seen, self.started, self.ready = shown.observed, shown.started, shown.ready
        self.available, self.messages, self.failures = shown.available, shown.messages, shown.failures


class KeptWatch(_ViewWatch):
    """Waits for a pod by asking its keeper.

    Views from before this watch was made do not count, nor views of another declaration.
    """

    def __init__(self, podman: Podman, pod: s.PodSpec, keeper: PodKeeper, deadline: float) -> None:
        super().__init__(podman, pod, deadline)
        self._keeper = keeper
        self._since = time.monotonic()
        self._judged_by: s.PodSpec | None = None

    def changed(self) -> None:
        self._since = time.monotonic()

    def _see(self, observed: ObservedPod | None) -> None:
        """``observed``: nothing was done to the pod, so an earlier view counts while the same containers run."""
        self._keeper.hurry()
        view = self._keeper.view
        if observed is None or not (self._is_of_this(view) and _runs(view.observed) == _runs(observed)):
            view = self._keeper.fresh_view(self._since)
            observed = None
        is_new = observed is not None or view.looked_at > self._since
        self._take(view, is_new and self._is_of_this(view))

    def _is_of_this(self, view: View) -> bool:
        """Whether a view belongs to the declaration of this wait."""
        if view.pod is None:
            return False
        # A declaration read from its record may write the same amount in another way.
        if view.pod is not self._judged_by and (view.pod == self._pod or self._is_written_as(view.pod)):
            self._judged_by = view.pod
        return view.pod is self._judged_by

    def _is_written_as(self, pod: s.PodSpec) -> bool:
        return bool(s.to_options(pod) == s.to_options(self._pod))


class OwnWatch(_ViewWatch):
    """Waits at a gate of the keeper's own plan, in its thread, and goes on keeping the pod."""

    def __init__(self, podman: Podman, pod: s.PodSpec, deadline: float, keeper: PodKeeper, record: Record) -> None:
        super().__init__(podman, pod, deadline, keeper.pause)
        self._keeper = keeper
        self._record = record
        self.changed()

    def changed(self) -> None:
        self._keeper.note_change()

    def _see(self, observed: ObservedPod | None) -> None:
        self._take(self._keeper.see_at_gate(self._podman, self._record), counts=True)


def _runs(pod: ObservedPod | None) -> frozenset[str]:
    """The runs of a pod's containers; the id and state of one that has ended."""
    members = pod.members if pod else ()
    return frozenset(c.run if c.is_running else f"{c.id} {c.state}" for c in members)
