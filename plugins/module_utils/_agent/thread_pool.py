# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads for many short pieces of work that may each block, such as probes.

An executor of the standard library hands every piece to another thread as long as it has one. Here the same thread
goes on while it keeps up, which under Python's global lock costs half, and others help where it does not.
"""

from __future__ import annotations

import collections
import threading
import time
from typing import Callable

PATIENCE_SECONDS = 0.05
"""How long a piece of work waits for a busy thread before another one takes it."""


class _Worker:
    """An idle thread of the pool."""

    def __init__(self) -> None:
        self.woken = threading.Lock()
        self.woken.acquire()
        self.is_watcher = False


class ThreadPool:
    """Runs work in the order in which it comes, by few threads while they keep up and by ``most`` (two or more) else.

    While work is left, one more thread watches, and takes it once it has waited too long.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._work: collections.deque[tuple[float, Callable[[], None]]] = collections.deque()
        self._idle: list[_Worker] = []
        self._threads = 0
        self._active = 0
        self._has_watcher = False
        self._is_closed = False

    def submit(self, work: Callable[[], None]) -> None:
        """Run the work in one of the threads. An exception ends that thread, and another replaces it."""
        with self._lock:
            if not self._is_closed:
                self._work.append((time.monotonic(), work))
                self._see_to_work()

    def close(self) -> None:
        """Drop what has not begun; each thread ends after its present work."""
        with self._lock:
            self._is_closed = True
            self._work.clear()
            while self._idle:
                self._idle.pop().woken.release()

    def _see_to_work(self) -> None:
        if not self._work:
            return
        if not self._active:
            self._rouse(is_watcher=False)
        elif not self._has_watcher and (self._idle or self._threads < self._most):
            self._rouse(is_watcher=True)

    def _rouse(self, is_watcher: bool) -> None:
        """Wake the thread that worked last, whose caches are warm, or start one."""
        worker = self._idle.pop() if self._idle else self._begin()
        if worker is None:
            return
        worker.is_watcher = is_watcher
        self._has_watcher = self._has_watcher or is_watcher
        self._active += not is_watcher
        worker.woken.release()

    def _begin(self) -> _Worker | None:
        """Start another thread. If the system has none left, the next piece of work tries again."""
        worker = _Worker()
        try:
            threading.Thread(target=self._serve, args=(worker,), name=self._name, daemon=True).start()
        except RuntimeError:
            return None
        self._threads += 1
        return worker

    def _serve(self, worker: _Worker) -> None:
        while True:
            worker.woken.acquire()
            if worker.is_watcher:
                self._watch()
            try:
                while (work := self._next()) is not None:
                    work()
            except BaseException:
                self._leave()
                raise
            with self._lock:
                self._active -= 1
                if self._is_closed:
                    return
                self._idle.append(worker)
                # Work may have come meanwhile.
                self._see_to_work()

    def _watch(self) -> None:
        """Wait until work is late or none is left; then work."""
        while True:
            with self._lock:
                left = self._work[0][0] + PATIENCE_SECONDS - time.monotonic() if self._work and self._active else 0
                if left <= 0:
                    self._has_watcher = False
                    self._active += 1
                    return
            time.sleep(left)

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if not self._work:
                return None
            _since, work = self._work.popleft()
            self._see_to_work()
            return work

    def _leave(self) -> None:
        with self._lock:
            self._active -= 1
            self._threads -= 1
            self._see_to_work()
