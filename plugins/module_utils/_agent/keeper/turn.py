# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn it is to change a Pod."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import Callable

from ..._errors import PodwrightError
from ..._host.state.locks import busy
from ..._host.store import Store

WAITING_SECONDS = 0.2
"""How often who waits for a turn is asked what to do meanwhile."""


class Turn:
    """Whose turn it is to change a pod: that of one run, or of the pod's keeper, of all that there are on this host.

    Within this process it is a mutex, and among processes the store's lock of the pod: taken in this order and held
    together, so that who has the lock never waits for the mutex. A run without an agent has the lock from its first
    look to its last word. A run by the agent has the turn only while it acts, for the keeper acts while that run waits
    for the pod; other runs by the agent are kept off by `reserved`, which comes before the turn.

    Who wants the turn says so: by a claim here, and to other processes by a mark beside the lock. The keeper takes it
    only where it is free and nobody wants it, and gives it up at the next gate when somebody does. So a run waits for
    no init container of the keeper's, in whatever process it is.
    """

    def __init__(self, store: Store, pod: str) -> None:
        self._store = store
        self._pod = pod
        self._reserved = threading.Lock()
        self._mutex = threading.Lock()
        self._claims = 0
        self._counting = threading.Lock()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for the turn: who has it is to give it up at the next gate."""
        return self._claims > 0 or self._store.is_lock_wanted(self._pod)

    @contextlib.contextmanager
    def reserved(self, timeout_seconds: float, while_waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Be the only run by this process on the pod; its keeper goes on. Raises Busy.

        ``while_waiting`` is called now and then until it is, here and in `claimed`.
        """
        self._await(self._reserved, timeout_seconds, while_waiting)
        try:
            yield
        finally:
            self._reserved.release()

    @contextlib.contextmanager
    def claimed(self, timeout_seconds: float, while_waiting: Callable[[], None] = lambda: None) -> Iterator[bool]:
        """Have the turn as soon as it is free; tells whether another process may have changed the pod since it was

        this one's. Raises Busy.
        """
        self._count(1)
        try:
            self._await(self._mutex, timeout_seconds, while_waiting)
        finally:
            self._count(-1)
        try:
            with self._store.lock(self._pod, timeout_seconds, while_waiting) as was_elsewhere:
                yield was_elsewhere
        finally:
            self._mutex.release()

    @contextlib.contextmanager
    def if_free(self) -> Iterator[bool | None]:
        """Have the turn where it is free and nobody wants it: None where it is not, else as `claimed` tells."""
        is_ours = self._mutex.acquire(blocking=False)
        try:
            if not is_ours or self.is_wanted:
                yield None
                return
            with self._store.lock_if_free(self._pod) as was_elsewhere:
                yield was_elsewhere
        finally:
            if is_ours:
                self._mutex.release()

    def _await(self, lock: threading.Lock, timeout_seconds: float, while_waiting: Callable[[], None]) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not lock.acquire(timeout=min(timeout_seconds, WAITING_SECONDS)):
            if time.monotonic() > deadline:
                raise busy(self._pod, os.getpid(), timeout_seconds)
            while_waiting()

    def _count(self, number: int) -> None:
        with self._counting:
            self._claims += number


class Interrupted(PodwrightError):
    """An execution is given up, since somebody else wants to change the pod, or the agent ends."""


def is_interrupted(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Interrupted):
            return True
        cause = cause.__cause__
    return False
