# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run failed, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from .._errors import PodwrightError
from .execute import OperationFailed


class RunFailed(PodwrightError):
    """A run failed. What it carries is told beside the message; ``secrets`` must be shown nowhere."""

    def __init__(self, message: str, cause: PodwrightError, actions: list[str], secrets: tuple[str, ...]) -> None:
        self.actions = actions
        self.secrets = secrets
        self.pod = getattr(cause, "pod", "")
        self.container = getattr(cause, "container", "")
        self.reason = getattr(cause, "reason", "")
        self.logs = getattr(cause, "logs", "")
        super().__init__(message)


def explanation(pod: str, error: PodwrightError, done: Sequence[str]) -> list[str]:
    """The lines that say what failed of a run on a Pod, what to do about it, and what was ``done`` before."""
    cause = error.cause if isinstance(error, OperationFailed) else error
    lines = [_headline(error)]
    logs = getattr(cause, "logs", "")
    if logs:
        lines.append(f"Last log lines of {pod}/{getattr(cause, 'container', '')}:\n{indented(logs)}")
    advice = _advice_on(getattr(cause, "reason", ""), str(cause))
    if advice:
        lines.append(advice)
    # A first operation that failed may have got halfway, so that only a run without any left the host as it was.
    has_begun = done or isinstance(error, OperationFailed)
    lines.append(f"Done before: {'; '.join(done) or 'nothing'}." if has_begun else "Nothing was changed.")
    return lines


def _headline(error: PodwrightError) -> str:
    if isinstance(error, OperationFailed):
        return f"#{error.number} {error.operation.verb} {error.operation.target} failed: {error}"
    return str(error)


_ADVICE = {
    "ErrImagePull": "Load the image with podwright.pods.image, or correct its name.",
    "RunContainerError": "Check command and args: the program must exist in the image and be executable.",
    "ContainersNotReady": "See the container's log and probe; raise wait_timeout if it only needs longer.",
    "DeadlineExceeded": "It stays so until its declaration changes, or it is stopped and started again.",
    "Init:Error": "It stays so until its declaration changes, or it is stopped and started again.",
    "StartupProbeFailed": "Raise failure_threshold or period_seconds of its startup_probe if it only needs longer.",
    "CrashLoopBackOff": "The container's process ends again and again: see its log, command and configuration.",
}


def _advice_on(reason: str, message: str) -> str | None:
    if reason == "RunContainerError" and "read-only file system" in message:
        return "A mount stands below one that is read_only, which has no place for it: make that place in the volume."
    return _ADVICE.get(reason)


def indented(text: str) -> str:
    """Text as a quotation under a line that says what it is."""
    return "\n".join(f"    {line}" for line in text.splitlines())
