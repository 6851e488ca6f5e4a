# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has happened to pods, as Kubernetes' events: a repetition counts up, the oldest event goes first.

Each event is written down as it comes, as one more line of a file, so that an agent that is killed loses none; now and
then the file is rewritten with only those that are kept.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .._errors import HostError
from .._host import state_files
from .._printable import printable

CAPACITY = 1000
"""How many events are kept."""
MESSAGE_LENGTH = 1024
JOURNAL_LINES = 4 * CAPACITY
"""How many lines the file may have before `EventLog.save` rewrites it."""


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
    """The events of one host, for all threads of the agent, kept in a file of a JSON object a line.

    Call `save` now and then: it keeps the file short, and writes what a full disk refused before.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, on_new: Callable[[Event], None] = lambda event: None
    ) -> None:
        """``on_new`` is called with each event that repeats none; it must not call this log."""
        self._path = path
        self._clock = clock
        self._on_new = on_new
        self._events: dict[tuple[str, ...], Event] = {}
        # Above every number given out before, even if the file is lost or older than the last event.
        self._number = int(clock() * 1000)
        self._lines = 0
        self._is_whole = True
        """Whether the file tells all that is kept here."""
        self._changed = threading.Condition()
        self._load()
        self.save()

    def add(self, reason: str, pod: str, message: str, container: str = "", is_warning: bool = False) -> None:
        """Add an event, or count it if it repeats one."""
        kind, text, now = ("Warning" if is_warning else "Normal"), printable(message, MESSAGE_LENGTH), self._clock()
        key = (kind, reason, pod, container, text)
        with self._changed:
            self._number += 1
            known = self._events.get(key)
            fresh = Event(self._number, kind, reason, pod, container, text, 1, now, now)
            event = replace(known, number=self._number, count=known.count + 1, last_at=now) if known else fresh
            self._keep(event)
            self._append(asdict(event))
            if known is None:
                self._on_new(event)
            self._changed.notify_all()

    def list(self, pod: str = "", since: int = 0) -> tuple[Event, ...]:
        """The events of a pod, or all, with a greater number than ``since``; the latest last."""
        with self._changed:
            return tuple(e for e in self._events.values() if e.number > since and pod in ("", e.pod))

    def follow(self, pod: str = "", since: int = 0, pause_seconds: float = 15) -> Iterator[Event | None]:
        """The events of `list`, then each new one; None after each pause, so that the caller notices a dead reader."""
        while True:
            with self._changed:
                found = self._changed.wait_for(functools.partial(self.list, pod, since), pause_seconds)
            since = max([since, *(event.number for event in found)])
            yield from found or (None,)

    def forget(self, pod: str) -> None:
        """Drop the events of a pod that is gone."""
        with self._changed:
            self._drop(pod)
            self._append({"forget": pod})

    def save(self) -> None:
        """Rewrite the file if it is long or incomplete. A failure is made up for by the next call."""
        with self._changed:
            if self._is_whole and self._lines <= JOURNAL_LINES:
                return
            lines = [_line(asdict(event)) for event in self._events.values()]
            # A full disk must not end the agent: events are for people, and no decision depends on them.
            with contextlib.suppress(OSError):
                state_files.write(self._path, b"".join(lines), is_lasting=False)
                self._lines, self._is_whole = len(lines), True

    def _append(self, item: Mapping[str, Any]) -> None:
        """Append a line. It outlives this process; the kernel writes it to the disk in its own time."""
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                line = _line(item)
                self._is_whole = os.write(descriptor, line) == len(line) and self._is_whole
            finally:
                os.close(descriptor)
        except OSError:
            self._is_whole = False
        self._lines += 1

    def _drop(self, pod: str) -> None:
        self._events = {key: event for key, event in self._events.items() if event.pod != pod}

    def _load(self) -> None:
        content = b""
        try:
            content = state_files.read(self._path) or b""
            # A torn last line must not swallow the next one.
            self._is_whole = not content or content.endswith(b"\n")
        except HostError:
            # The next rewrite has them: no decision depends on events.
            self._is_whole = False
        for line in content.splitlines():
            self._lines += 1
            try:
                self._read(json.loads(line))
            except (ValueError, TypeError, AttributeError, RecursionError):
                self._is_whole = False

    def _read(self, item: Any) -> None:
        if isinstance(item, dict) and item.keys() == {"forget"}:
            self._drop(item["forget"])
            return
        event = Event(**item)
        self._number = max(self._number, event.number)
        self._keep(event)

    def _keep(self, event: Event) -> None:
        """Put the event last: the first is then the one that has been quiet for longest."""
        key = (event.type, event.reason, event.pod, event.container, event.message)
        self._events.pop(key, None)
        self._events[key] = event
        if len(self._events) > CAPACITY:
            del self._events[next(iter(self._events))]


def _line(item: Mapping[str, Any]) -> bytes:
    return json.dumps(item).encode() + b"\n"
