# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that run one at a time, on a clock of their own, in an order that a seed decides.

Each thread is a greenlet. It gives the turn up where it sleeps, waits, or calls `switch`; the seed says who is next.
Where nobody can go on, the clock moves to the next moment that somebody waits for. So an hour takes as long as what
happens in it, and the same seed always gives the same order.
"""

from __future__ import annotations

import heapq
import itertools
import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import greenlet

EPOCH_SECONDS = 1_800_000_000.0
"""When every simulation begins, in seconds since the epoch."""


class Killed(BaseException):
    """Unwinds a thread whose process was killed. Nothing it still does has an effect outside the process."""


class Stuck(Exception):
    """Nobody can go on, and nobody waits for a moment to come."""


@dataclass
class Process:
    """What is killed as one: threads, and what they do to files and to Podman."""

    name: str
    is_dead: bool = False
    pid: int = 0
    """Its number, from the first time that it asks for it."""


@dataclass(eq=False)
class Thread:
    """One thread of the simulation. ``is_awake`` says whether what it waits for has come about."""

    name: str
    process: Process
    flow: Any = None
    """Its greenlet."""
    is_awake: Callable[[], bool] | None = None
    deadline: float | None = None
    is_over: bool = False


class Scheduler:
    """The turn, the clock, and the seed's choices."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.wall_offset = EPOCH_SECONDS
        """What the wall clock is ahead of the monotonic one: a clock that is set changes it."""
        self.errors: list[str] = []
        """What threads have ended by, other than by their own end."""
        self.switches = 0
        self.changes = itertools.count()
        """A number for each change of a folder."""
        self._pids = itertools.count(1)
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._driver = Thread("driver", Process("driver"), greenlet.getcurrent())
        self.threads: list[Thread] = [self._driver]
        self.current = self._driver

    # --- what threads do -----------------------------------------------------------------------------------------

    def start(self, name: str, process: Process, work: Callable[[], object]) -> Thread:
        """Begin a thread; it has its first turn some time later."""
        thread = Thread(name, process, deadline=self.now)
        thread.flow = greenlet.greenlet(lambda *_result: self._run(thread, work), self._driver.flow)
        self.threads.append(thread)
        return thread

    def switch(self) -> None:
        """Let another thread have its turn, or go on: as the seed has it."""
        self.wait(None, 0.0)

    def sleep(self, seconds: float) -> None:
        self.wait(None, seconds)

    def wait(self, is_awake: Callable[[], bool] | None, seconds: float | None) -> bool:
        """Wait until ``is_awake`` says so, for so many seconds at most; tells whether it does.

        Raises Killed where the thread's process was killed.
        """
        thread = self.current
        self.raise_if_dead()
        thread.is_awake = is_awake
        thread.deadline = None if seconds is None else self.now + max(seconds, 0.0)
        self._pass_turn(thread)
        self.raise_if_dead()
        return is_awake is None or is_awake()

    def raise_if_dead(self) -> None:
        if self.current.process.is_dead:
            raise Killed

    @property
    def pid(self) -> int:
        """The number of the present thread's process."""
        process = self.current.process
        process.pid = process.pid or next(self._pids)
        return process.pid

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Have something happen at a moment (monotonic seconds), whoever has the turn then."""
        heapq.heappush(self._timers, (moment, next(self._numbers), action))

    def kill(self, process: Process) -> None:
        """End a process at once: its threads unwind, without effect."""
        process.is_dead = True

    def is_running(self, process: Process) -> bool:
        """Whether a thread of the process has not ended."""
        return any(thread.process is process for thread in self.threads)

    # --- the turn ------------------------------------------------------------------------------------------------

    def _run(self, thread: Thread, work: Callable[[], object]) -> None:
        try:
            if not thread.process.is_dead:
                work()
        except (Killed, SystemExit):
            pass
        except BaseException:
            if not thread.process.is_dead:
                self.errors.append(f"thread {thread.name} ended by:\n{traceback.format_exc()}")
        finally:
            thread.is_over = True
            self.threads.remove(thread)
            # A greenlet that ends goes on in its parent.
            thread.flow.parent = self._next().flow

    def _pass_turn(self, thread: Thread) -> None:
        following = self._next()
        if following is not thread:
            following.flow.switch()

    def _next(self) -> Thread:
        self.switches += 1
        while True:
            self._ring()
            now = self.now
            ready = [
                thread
                for thread in self.threads
                if ((deadline := thread.deadline) is not None and deadline <= now)
                or thread.process.is_dead
                or ((is_awake := thread.is_awake) is not None and is_awake())
            ]
            if ready:
                chosen = ready[0] if len(ready) == 1 else self.random.choice(ready)
                self.current = chosen
                return chosen
            moments = [thread.deadline for thread in self.threads if thread.deadline is not None]
            if self._timers:
                moments.append(self._timers[0][0])
            if not moments:
                # The driver is told, for nobody else can say it.
                self._driver.deadline = self.now
                self.errors.append("nobody can go on: " + ", ".join(sorted(thread.name for thread in self.threads)))
                continue
            self.now = max(self.now, min(moments))

    def _ring(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            heapq.heappop(self._timers)[2]()
