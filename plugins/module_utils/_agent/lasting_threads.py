# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that last as long as the agent.

The process goes on when one of them fails: the others do not depend on it, and a new process would meet the same error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Callable

from .._reconcile.backoff import Attempts

_LASTING_SECONDS = 600
"""A thread that ran this long starts its back-off over."""


class LastingThreads:
    """What the agent does all the time, each in a thread; what fails is begun again, with a back-off."""

    def __init__(self, has_ended: threading.Event, tell: Callable[[str], None]) -> None:
        """``has_ended`` is set once the agent ends; ``tell`` is given a sentence for each failure."""
        self._has_ended = has_ended
        self._tell = tell
        self.errors: Mapping[str, Mapping[str, Any]] = {}
        """Of the threads that have failed: the last error, how often in a row, and when."""

    def begin(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=self.go_on, args=(name, work), name=name, daemon=True).start()

    def go_on(self, name: str, work: Callable[[], None]) -> None:
        """Do in this thread what lasts until the agent ends. If it ends sooner, tell why and do it again."""
        attempts = Attempts()
        while not self._has_ended.is_set():
            begun_at = time.monotonic()
            try:
                work()
                error = "it ended"
            except Exception as problem:
                error = f"{type(problem).__name__}: {problem}"
            if self._has_ended.is_set():
                return
            now = time.monotonic()
            attempts = (attempts if now - begun_at < _LASTING_SECONDS else Attempts()).failed(now)
            told = {"error": error, "failures": attempts.failures, "failed_at": time.time()}
            self.errors = {**self.errors, name: told}
            self._tell(f"the agent's thread {name} failed and starts again: {error}")
            self._has_ended.wait(attempts.held_until_seconds - now)
