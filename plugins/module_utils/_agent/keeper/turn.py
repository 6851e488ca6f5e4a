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
"""How often a thread that waits for the turn calls ``while_waiting``."""


class Turn:
    """The right to change a pod: one run, or the pod's keeper, has it at a time on this host.

    Within this process it is a mutex, and among processes the store's lock of the pod. They are taken in this order and
    held together, so that the holder of the lock never waits for the mutex. A run without an agent has the lock from
    its first look to its last word. A run by the agent has the turn only while it acts, for the keeper acts while that
    run waits for the pod; other runs by the agent are kept off by `reserved`, which comes before the turn.

    A run claims the turn here, and marks it for other processes beside the lock. The keeper takes it only if it is free
    and unclaimed, and gives it up at the next gate once somebody claims it. So no run, in whatever process, waits for
    an init container of the keeper's.
    """

    def __init__(self, store: Store, pod: str, note_change: Callable[[], None] = lambda: None) -> None:
        """``note_change`` is called by whoever learns first that another process has had the turn: nobody else does."""
        self._store = store
        self._pod = pod
        self._note_change = note_change
        self._reserved = threading.Lock()
        self._mutex = threading.Lock()
        self._claims = 0
        self._counting = threading.Lock()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for the turn: its holder gives it up at the next gate."""
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
        """Take the turn as soon as it is free; yields whether another process may have changed the pod meanwhile.

        Raises Busy.
        """
        self._count(1)
        try:
            self._await(self._mutex, timeout_seconds, while_waiting)
        finally:
            self._count(-1)
        try:
            with self._store.lock(self._pod, timeout_seconds, while_waiting) as was_elsewhere:
                if was_elsewhere:
                    self._note_change()
                yield was_elsewhere
        finally:
            self._mutex.release()

    @contextlib.contextmanager
    def if_free(self) -> Iterator[bool | None]:
        """Take the turn if it is free and unclaimed; yields None if it is not, else what `claimed` yields."""
        is_ours = self._mutex.acquire(blocking=False)
        try:
            if not is_ours or self.is_wanted:
                yield None
                return
            with self._store.lock_if_free(self._pod) as was_elsewhere:
                if was_elsewhere:
                    self._note_change()
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
    """Ends an execution: somebody else wants to change the pod, or the agent ends."""


def is_interrupted(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Interrupted):
            return True
        cause = cause.__cause__
    return False
