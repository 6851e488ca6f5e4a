# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have a keeper take in, in its own thread."""

from __future__ import annotations

import contextlib
import queue
import time
from typing import Callable


class Inbox:
    """Messages are calls, which tell whether they say something new. Any thread may put one."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Callable[[], bool]] = queue.SimpleQueue()

    def put(self, message: Callable[[], bool]) -> None:
        """Have the keeper call it."""
        self._messages.put(message)

    def take_all(self) -> None:
        """Take in what is there."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._messages.get_nowait()()

    def take_one(self, seconds: float) -> None:
        """Take in one message, for which it is waited so long at most."""
        with contextlib.suppress(queue.Empty):
            self._messages.get(timeout=max(seconds, 0))()

    def await_news(self, until: float) -> None:
        """Wait until something new is said, or until then (monotonic seconds), and take in all that is there."""
        with contextlib.suppress(queue.Empty):
            # A result without news is no reason for a turn.
            while not self._messages.get(timeout=max(until - time.monotonic(), 0))():
                pass
        self.take_all()
