# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of one Pod has failed, and when its keeper tries it again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from ..._host.state.records import Record
from ..._reconcile import operations as op
from ..._reconcile.backoff import IMAGE_PULL_BACKOFF, Attempts
from ..._reconcile.status import Waiting
from ..._runs.execute import OperationFailed
from ..._runs.run_failure import RunFailed

PULL_ERROR_SECONDS = 2
"""How long a status shows a failed pull (ErrImagePull) before it shows the back-off."""
ERR_IMAGE_PULL = "ErrImagePull"
IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
_WAITING_REASONS: Mapping[str, str] = {"": "FailedSync", "FailedPostStartHook": "PostStartHookError"}
"""Kubernetes' reasons for waiting containers that differ from the event's."""


class Retries:
    """The attempts of a keeper to act, which fail by mistakes, and its runs, which fail at an operation."""

    def __init__(self, pod: str) -> None:
        self.waiting: dict[str, Waiting] = {}
        """What containers wait for, by name, as the status says it."""
        self._pod = pod
        self._attempts = Attempts()
        self._backoff = IMAGE_PULL_BACKOFF
        self._run_at = 0.0
        self._unpulled = ""
        self._unpulled_at = 0.0

    def begin_anew(self) -> None:
        """Somebody else has changed the Pod: what was in the way may be gone."""
        self._attempts, self._backoff, self._run_at = Attempts(), IMAGE_PULL_BACKOFF, 0.0
        self.waiting = {}

    # --- attempts to act ---------------------------------------------------------------------------------------------

    @property
    def may_act(self) -> bool:
        return not self._attempts.is_held(time.monotonic())

    def acted(self) -> None:
        """Nothing was in the way."""
        self._attempts = Attempts()

    def could_not_act(self) -> None:
        """What went wrong was no failure of an operation."""
        self._attempts = self._attempts.failed(time.monotonic())

    # --- runs --------------------------------------------------------------------------------------------------------

    @property
    def may_run(self) -> bool:
        return time.monotonic() >= self._run_at

    def run_at_once(self) -> None:
        """Something else is to be brought about than what failed before."""
        self._run_at = 0.0

    def ran(self) -> None:
        """All operations were carried out."""
        self.waiting, self._backoff = {}, IMAGE_PULL_BACKOFF

    def run_failed(self, record: Record, error: RunFailed, message: str) -> None:
        """Try again later; a container that was ended for its hook is its restart policy's."""
        failed = error.__cause__.operation if isinstance(error.__cause__, OperationFailed) else None
        if isinstance(failed, op.PullImage):
            self._unpulled, self._unpulled_at = failed.image, time.monotonic()
            users = [c.name for c in record.applied.pod.all_containers if c.image == failed.image]
            self.waiting.update({name: Waiting(ERR_IMAGE_PULL, message) for name in users})
        elif error.container:
            reason = _WAITING_REASONS.get(error.reason, error.reason)
            self.waiting[error.container] = Waiting(reason, message)
        if not isinstance(failed, op.RunPostStart):
            self._retry_later()

    def _retry_later(self) -> None:
        """Try again at once after the first failure, then ever later, as with pulls."""
        now = time.monotonic()
        self._backoff = self._backoff.next(self._pod, now, now)
        self._run_at = now + self._backoff.delay_seconds(self._pod)

    def pulls_put_off(self) -> Iterator[tuple[str, str]]:
        """The containers, with what is to be said, whose pull has failed and is waited with from now on.

        Of a pull that has failed the status soon says so, as the kubelet's does.
        """
        if time.monotonic() < self._unpulled_at + PULL_ERROR_SECONDS:
            return
        for name, waiting in self.waiting.items():
            if waiting.reason == ERR_IMAGE_PULL:
                message = f'Back-off pulling image "{self._unpulled}"'
                self.waiting[name] = Waiting(IMAGE_PULL_BACK_OFF, f"{message}: {waiting.message}")
                yield name, message

    def waits(self) -> Iterator[float]:
        """In how many seconds something is to be tried again, or said otherwise."""
        now = time.monotonic()
        yield from (at - now for at in (self._run_at, self._attempts.held_until_seconds) if at > now)
        if any(waiting.reason == ERR_IMAGE_PULL for waiting in self.waiting.values()):
            yield self._unpulled_at + PULL_ERROR_SECONDS - now
