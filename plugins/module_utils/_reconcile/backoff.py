# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long to wait before what has failed is tried again: containers, pulls, Jobs' pods, and what keeps them.

All instants are seconds on one clock, the caller's. Nothing here changes in place: every step returns the new state.
Source: Kubernetes 1.32 (client-go ``flowcontrol.Backoff``, the kubelet's and the Job controller's delays).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class BackoffEntry:
    """The delay a key has come to, and when it did."""

    delay_seconds: float
    updated_at_seconds: float


@dataclass(frozen=True)
class Backoff:
    """Delays per key that double from ``initial_seconds`` to ``max_seconds``.

    A key starts over once ``expire_after_seconds`` (twice the maximum unless given) have gone by between its last
    update and the next event.
    """

    initial_seconds: float
    max_seconds: float
    expire_after_seconds: float | None = None
    entries: Mapping[str, BackoffEntry] = field(default_factory=dict)

    def delay_seconds(self, key: str) -> float:
        """The delay the key has come to, expired or not; 0 for a key never seen."""
        entry = self.entries.get(key)
        return entry.delay_seconds if entry else 0

    def next(self, key: str, event_at_seconds: float, now_seconds: float) -> Backoff:
        """Move the key on to its next delay, after an event (a container's end, a failed pull) was acted on now."""
        entry = self._live(key, event_at_seconds)
        delay = min(entry.delay_seconds * 2, self.max_seconds) if entry else self.initial_seconds
        return replace(self, entries={**self.entries, key: BackoffEntry(delay, now_seconds)})

    def reset(self, key: str) -> Backoff:
        """Forget the key."""
        return replace(self, entries={name: entry for name, entry in self.entries.items() if name != key})

    def collect_garbage(self, now_seconds: float) -> Backoff:
        """Forget every key that has expired."""
        live = {key: entry for key, entry in self.entries.items() if self._live(key, now_seconds)}
        return replace(self, entries=live)

    def is_in_backoff_since(self, key: str, event_at_seconds: float, now_seconds: float) -> bool:
        """Whether the delay counted from the event is still running (container restarts: from ``finishedAt``)."""
        return self.wait_seconds(key, event_at_seconds, now_seconds) > 0

    def is_in_backoff_since_update(self, key: str, now_seconds: float) -> bool:
        """Whether the delay counted from the last ``next`` is still running (image pulls)."""
        entry = self._live(key, now_seconds)
        return entry is not None and now_seconds - entry.updated_at_seconds < entry.delay_seconds

    def wait_seconds(self, key: str, event_at_seconds: float, now_seconds: float) -> float:
        """How long to wait still, counted from the event; 0 to act now and then call ``next``."""
        entry = self._live(key, event_at_seconds)
        if entry is None:
            return 0
        return min(max(entry.delay_seconds - (now_seconds - event_at_seconds), 0), entry.delay_seconds)

    def _live(self, key: str, event_at_seconds: float) -> BackoffEntry | None:
        """The key's entry unless it had expired by the event."""
        entry = self.entries.get(key)
        limit = 2 * self.max_seconds if self.expire_after_seconds is None else self.expire_after_seconds
        return entry if entry and event_at_seconds - entry.updated_at_seconds <= limit else None


@dataclass(frozen=True)
class Attempts:
    """How many times in a row something failed, and when to try it next.

    The second attempt comes almost at once, the others 10, 20, 40 ... 300 s after the one before.
    """

    failures: int = 0
    held_until_seconds: float = 0

    def failed(self, now_seconds: float) -> Attempts:
        """One more attempt has failed."""
        later = CONTAINER_BACKOFF.initial_seconds * 2 ** min(max(self.failures - 1, 0), 10)
        delay = min(later, CONTAINER_BACKOFF.max_seconds) if self.failures else SECOND_ATTEMPT_SECONDS
        return Attempts(self.failures + 1, now_seconds + delay)

    def is_held(self, now_seconds: float) -> bool:
        """Whether the next attempt has still to wait."""
        return now_seconds < self.held_until_seconds


def poll_pause_seconds(waited_seconds: float, shortest_seconds: float, longest_seconds: float) -> float:
    """How long to pause before the next look at what has been waited for so long already.

    A fiftieth of that, so that a long wait costs a host little and is hardly longer for it.
    """
    return min(max(waited_seconds / 50, shortest_seconds), longest_seconds)


SECOND_ATTEMPT_SECONDS = 1
"""How long to wait after the first failure: time for somebody else's half-done work to end."""


# The kubelet's and the Job controller's; start from these.
CONTAINER_BACKOFF = Backoff(initial_seconds=10, max_seconds=300)


IMAGE_PULL_BACKOFF = Backoff(initial_seconds=10, max_seconds=300)


JOB_POD_BACKOFF = Backoff(initial_seconds=10, max_seconds=600)


def container_backoff_key(pod: str, container: str, spec_digest: str) -> str:
    """The key of a container's restarts; with the digest of its spec in it a changed container starts over."""
    return f"{pod}/{container}/{spec_digest}"


def image_pull_backoff_key(pod: str, image: str) -> str:
    """The key of an image's pulls for one pod."""
    return f"{pod}_{image}"
