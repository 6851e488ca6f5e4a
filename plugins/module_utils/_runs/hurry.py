# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run with a grace period of its own hurries the end of pods while another run has them.

Podman lets a container be stopped while an earlier call still waits for it to stop, and the earlier call then returns.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from .._errors import PodwrightError
from .._host.observe import observe_pod
from .._host.podman.client import Podman
from .._host.store import Store
from .._reconcile.observed import ObservedContainer

_LOOK_SECONDS = 0.5
_KILL_SECONDS = 30


class Hurry:
    """To be called again and again while a pod's lock is waited for; without a grace period it does nothing."""

    def __init__(self, podman: Podman, store: Store, pods: Sequence[str], grace_seconds: int | None) -> None:
        self._podman = podman
        self._store = store
        self._pods = pods
        self._is_wanted = grace_seconds is not None
        self._look_at = time.monotonic() + (grace_seconds or 0)

    def __call__(self) -> None:
        """Kill each container that is being stopped, once this run's grace period is over."""
        if not self._is_wanted or time.monotonic() < self._look_at:
            return
        # The other run meets the same error, and reports it.
        with contextlib.suppress(PodwrightError, OSError):
            for name in self._pods:
                self._hurry(name)
        self._look_at = time.monotonic() + _LOOK_SECONDS

    def _hurry(self, name: str) -> None:
        pod = observe_pod(self._podman, self._store, name)
        for found in pod.members if pod and pod.is_ours else ():
            if is_ending(found):
                self._podman.post(f"/containers/{found.id}/stop", {"timeout": 0}, None, _KILL_SECONDS)


def is_ending(found: ObservedContainer) -> bool:
    """Whether a container is being stopped by a run, which waits for it or for its preStop hook."""
    return found.state == "stopping" or (found.is_running and found.stopped_by_run)
