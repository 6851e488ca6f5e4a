# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has happened so far, counted: whoever looked at the host knows by it whether that still holds."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping

from .._host.observe import Snapshot
from .._host.podman.client import Podman

LIST_SECONDS = 10
"""How often the containers of all Pods are compared with what they were."""
_HEARING_SECONDS = 1
"""How long Podman may take to report an event."""


class Moments:
    """Counts our operations, Podman's events, and what a comparison has found changed. Any thread may call it."""

    def __init__(self) -> None:
        self.listening_since = float("inf")
        """Since when Podman's events are heard (monotonic seconds)."""
        self.compared_at = 0.0
        """When the last comparison of all Pods began (monotonic seconds)."""
        self._numbers = itertools.count(1)
        self._happened = 0
        self._changes: dict[str, int] = {}
        self._snapshots = threading.Lock()
        self._snapshot: tuple[int, float, Snapshot] | None = None

    def noticed(self) -> None:
        """Drop the earlier snapshot: something has changed."""
        self._happened = next(self._numbers)

    def note_change(self, pod: str) -> None:
        """Count an operation on a Pod, of which Podman tells a moment later."""
        self.noticed()
        self._changes[pod] = self._changes.get(pod, 0) + 1

    def changes(self) -> Mapping[str, int]:
        """How many operations were carried out on each Pod, by whomever."""
        return dict(self._changes)

    def present(self) -> int | None:
        """The number of the last thing that has happened to a container; None while that cannot be known.

        Podman tells of everything since a list that was taken while it was listened to, and that is not old.
        """
        is_sure = self.listening_since + _HEARING_SECONDS < self.compared_at > time.monotonic() - 2 * LIST_SECONDS
        return self._happened if is_sure else None

    def snapshot(self, podman: Podman) -> Snapshot:
        """The host as it is now: an earlier snapshot serves if nothing has happened since."""
        with self._snapshots:
            happened, now = self._happened, time.monotonic()
            kept = self._snapshot
            if self.present() is None or kept is None or kept[0] != happened or now - kept[1] > LIST_SECONDS:
                self._snapshot = kept = (happened, now, Snapshot(podman))
            return kept[2]
