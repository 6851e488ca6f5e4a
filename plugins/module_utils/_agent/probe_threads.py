# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The threads that run the probes of all Pods."""

from __future__ import annotations

import functools
import threading
import time
from typing import TYPE_CHECKING, Callable

from .._host.kernel import netns
from .._host.podman.client import Podman
from .._reconcile.backoff import SECOND_ATTEMPT_SECONDS
from .._reconcile.pod.step import DueProbe
from .thread_pool import ThreadPool

if TYPE_CHECKING:
    from .agent import Agent

PROBING_THREADS = 16


class ProbeThreads:
    """Each with a session of its own with Podman, and in no network for good."""

    def __init__(self, agent: Agent) -> None:
        self.number = 0
        """How many probes there were."""
        self.latest_seconds = 0.0
        """The longest delay of a probe so far."""
        self._agent = agent
        self._sessions = threading.local()
        self._threads = ThreadPool(PROBING_THREADS, "probe")

    def close(self) -> None:
        """Begin no more."""
        self._threads.close()

    def submit(self, work: Callable[[Podman], None]) -> None:
        """Have it done by one of the threads, with the session of that thread."""
        self._threads.submit(functools.partial(self._probe, work))

    def _probe(self, work: Callable[[Podman], None]) -> None:
        """Make a probe. If it cannot start now, it starts later: a dropped probe would never come again."""
        session = None
        with self._agent.telling("", "probes have to wait"):
            session = self._session_of_thread()
        if session is not None:
            work(session)
        elif not self._agent.has_ended.wait(SECOND_ATTEMPT_SECONDS):
            self.submit(work)

    def _session_of_thread(self) -> Podman:
        session: Podman | None = getattr(self._sessions, "podman", None)
        if session is None:
            netns.travel_by_this_thread()
            session = self._sessions.podman = self._agent.connect()
        return session

    def note_probe(self, due: DueProbe) -> None:
        """Told of each probe as it begins. Those that a waiting run has made more often are due at no time."""
        if not due.is_extra:
            self.number += 1
            self.latest_seconds = max(self.latest_seconds, time.time() - due.due_at_seconds)
