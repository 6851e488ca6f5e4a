# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has happened to pods, after the manner of Kubernetes: the same thing again counts, the oldest is forgotten."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .store import read_bytes, write_atomically

CAPACITY = 1000
"""How many events are kept."""
MESSAGE_LENGTH = 1024


@dataclass(frozen=True)
class Event:
    """``type`` is Normal or Warning, ``count`` how often it came; instants are seconds since the epoch.

    ``number`` grows with every event and every repetition, so that a reader can ask for what came since, also of an
    agent that was started anew.
    """

    number: int
    type: str
    reason: str
    pod: str
    container: str
    message: str
    count: int
    first_at: float
    last_at: float


class EventLog:
    """The events of one host, for all threads of the agent; kept in a file when `save` is called."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._events: dict[tuple[str, ...], Event] = {}
        # Ahead of all that was ever given out, even if the file is lost or older than the last of them.
        self._number = int(clock() * 1000)
        self._is_saved = True
        self._changed = threading.Condition()
        self._load()

    def add(self, reason: str, pod: str, message: str, container: str = "", is_warning: bool = False) -> None:
        """Note an event; one like it that is kept already is counted."""
        kind, text, now = ("Warning" if is_warning else "Normal"), message[:MESSAGE_LENGTH], self._clock()
        key = (kind, reason, pod, container, text)
        with self._changed:
            self._number += 1
            known = self._events.pop(key, None)
            fresh = Event(self._number, kind, reason, pod, container, text, 1, now, now)
            repeated = replace(known, number=self._number, count=known.count + 1, last_at=now) if known else fresh
            # At the end: the first one is the one that has been quiet for longest.
            self._events[key] = repeated
            if len(self._events) > CAPACITY:
                del self._events[next(iter(self._events))]
            self._is_saved = False
            self._changed.notify_all()

    def list(self, pod: str = "", since: int = 0) -> tuple[Event, ...]:
        """The events of a pod, or all, with a greater number than ``since``; the latest last."""
        with self._changed:
            return tuple(e for e in self._events.values() if e.number > since and pod in ("", e.pod))

    def follow(self, pod: str = "", since: int = 0, pause_seconds: float = 15) -> Iterator[Event | None]:
        """What `list` gives and then each event as it comes; None after a pause, so that a dead reader is noticed."""
        while True:
            with self._changed:
                found = self._changed.wait_for(functools.partial(self.list, pod, since), pause_seconds)
            since = max([since, *(event.number for event in found)])
            yield from found or (None,)

    def forget(self, pod: str) -> None:
        """Drop the events of a pod that is gone."""
        with self._changed:
            self._events = {key: event for key, event in self._events.items() if event.pod != pod}
            self._is_saved = False

    def save(self) -> None:
        """Write the events down, if there are others than those that are; where that fails, the next time."""
        with self._changed:
            if self._is_saved:
                return
            self._is_saved = True
            events = [asdict(event) for event in self._events.values()]
        try:
            write_atomically(self._path, json.dumps(events).encode())
        except OSError:
            # A full disk must not end the agent: events are for people, nothing is decided by them.
            self._is_saved = False

    def _load(self) -> None:
        # For the same reason what cannot be read is passed over.
        with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
            for item in json.loads(read_bytes(self._path) or b"[]"):
                event = Event(**item)
                self._number = max(self._number, event.number)
                self._events[event.type, event.reason, event.pod, event.container, event.message] = event
