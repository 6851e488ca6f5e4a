# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks: what is kept of a pod or a stack has one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from ..._errors import Busy, HostError
from ..._reconcile.backoff import poll_pause_seconds
from ..._reconcile.operations import STACK_OWNER
from .. import state_files
from ..podman.container_output import read_end
from .folders import StateFolders

_LOCK_POLL_SECONDS = (0.1, 0.5)
"""The shortest pause between two attempts at a lock, and the longest."""


class PodLocks(StateFolders):
    """The locks of pods and stacks, files below ``locks``, with marks of who waits for one."""

    @contextlib.contextmanager
    def lock(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None] = lambda: None
    ) -> Iterator[bool]:
        """Be the pod's only writer; yields whether another process was, since this one was last.

        The kernel frees the lock when its holder ends. A process that waits leaves a mark, which ends with that
        process, and calls ``while_waiting`` now and then. Raises Busy if the holder takes too long.
        """
        began_at, is_waiting = time.monotonic(), False
        with contextlib.ExitStack() as marks:
            while True:
                with self.lock_if_free(pod) as was_elsewhere:
                    if was_elsewhere is not None:
                        marks.close()
                        yield was_elsewhere
                        return
                waited_seconds = time.monotonic() - began_at
                if waited_seconds > timeout_seconds:
                    raise busy(pod, _holder(self.directory / "locks" / pod), timeout_seconds)
                if not is_waiting:
                    marks.enter_context(self._wanting(pod))
                    is_waiting = True
                while_waiting()
                time.sleep(poll_pause_seconds(waited_seconds, *_LOCK_POLL_SECONDS))

    @contextlib.contextmanager
    def lock_if_free(self, pod: str) -> Iterator[bool | None]:
        """Be the pod's only writer, as by `lock`, if there is no other now; else yields None. The file of the lock goes
        with the pod, or the stack.
        """
        path = self.directory / "locks" / pod
        with contextlib.ExitStack() as locks:
            try:
                before = locks.enter_context(state_files.lock_if_free(path))
            except OSError as error:
                raise HostError(f"the lock {path} cannot be taken: {error}") from error
            if before is None:
                yield None
                return
            try:
                yield before not in ("", str(os.getpid()))
            finally:
                self._drop_lock_of_none(path)

    def _drop_lock_of_none(self, path: Path) -> None:
        """As its holder, remove the lock of an object that does not exist, or no longer."""
        is_stack = path.name.startswith(STACK_OWNER)
        stack = self.directory / "stacks" / path.name[len(STACK_OWNER) :]
        if not (os.path.lexists(stack) if is_stack else self.knows(path.name)):
            # If that fails, the next start of the agent removes it.
            with contextlib.suppress(OSError):
                path.unlink()

    def is_lock_wanted(self, pod: str) -> bool:
        """Whether somebody waits for the lock of a pod."""
        marks = (name for name in os.listdir(self.directory / "locks") if name.startswith(f".{pod}."))
        return any(map(self._is_mark_held, (name for name in marks if name.rpartition(".")[0] == f".{pod}")))

    def _is_mark_held(self, name: str) -> bool:
        """Whether the process that made the mark still waits."""
        with contextlib.suppress(OSError), open(self.directory / "locks" / name, "rb") as mark:
            try:
                fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextlib.contextmanager
    def _wanting(self, pod: str) -> Iterator[None]:
        """Within it, mark that this process waits for a pod's lock. On a full disk it waits without a mark."""
        path = self.directory / "locks" / f".{pod}.{secrets.token_hex(4)}"
        with contextlib.ExitStack() as locks:
            locks.callback(path.unlink, missing_ok=True)
            with contextlib.suppress(OSError):
                fcntl.flock(locks.enter_context(open(path, "xb")), fcntl.LOCK_EX)
            yield


def _holder(path: Path) -> str:
    return (read_end(path, 20) or b"").decode(errors="replace").strip() or "unknown"


def busy(name: str, holder: object, timeout_seconds: float) -> Busy:
    """The error of a run that another one keeps waiting; ``holder`` is the other one's process."""
    what = f"stack {name[len(STACK_OWNER) :]}" if name.startswith(STACK_OWNER) else f"pod {name}"
    return Busy(
        f"another run is changing {what} (process {holder}) and did not finish within {timeout_seconds:.0f} s; "
        "wait for it, or raise wait_timeout"
    )
