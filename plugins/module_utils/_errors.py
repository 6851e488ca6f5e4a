# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error tree. Every error that reaches a user is one of these, and its text says what, where and what to do."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ._printable import printable


class PodwrightError(Exception):
    """The base of all errors raised on purpose; ``str()`` is the message shown to the user.

    It may quote containers, with escapes for all that a terminal would obey.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input: where (``containers[1].image``) and why."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class InvalidInput(PodwrightError):
    """The declaration is wrong. Carries every fault found, not only the first; nothing has been touched."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


def collect(faults: list[Fault], read: Callable[..., Any], *given: Any) -> Any:
    """What ``read`` gives, or None after the faults of its InvalidInput were added."""
    try:
        return read(*given)
    except InvalidInput as error:
        faults += error.faults
        return None


class Refused(PodwrightError):
    """The host cannot take the declaration as it is now (port, name, capacity); nothing has been touched."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class HostError(PodwrightError):
    """The host lacks something that we need (Podman, podman-py, a kernel feature)."""


class NewerState(HostError):
    """The state on this host was written by a newer release, whose records this one may misread."""


class DamagedState(HostError):
    """A file below the state directory is not as it was written. Only its own Pod or stack is affected.

    ``path`` is the file, ``damage`` what is wrong with it, ``remedy`` what to do.
    """

    reason = "DamagedState"

    def __init__(self, path: object, damage: str, remedy: str) -> None:
        self.path = str(path)
        self.damage = damage
        self.remedy = remedy
        super().__init__(f"{path} is damaged: {damage}; {remedy}")


class Busy(PodwrightError):
    """Another run holds the pod's lock."""


class PodmanError(PodwrightError):
    """Podman refused a call.

    ``status`` is the HTTP status (0 when Podman did not answer), ``cause`` Podman's own words.
    """

    def __init__(self, message: str, status: int = 0, cause: str = "") -> None:
        self.status = status
        self.cause = cause
        super().__init__(message)


class NotFound(PodmanError):
    """What was asked for does not exist in Podman."""


class NameInUse(PodmanError):
    """Podman knows another object by that name."""


class ImageError(PodwrightError):
    """An image could not be had; ``reason`` is Kubernetes' word (ErrImagePull, ErrImageNeverPull, InvalidImageName)."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}: {message}")


class ContainerFailed(PodwrightError):
    """A container, hook or probe did not do what the plan needs of it.

    ``pod`` and ``container`` name it, ``reason`` is Kubernetes' word, ``logs`` its last lines.
    """

    def __init__(self, pod: str, container: str, reason: str, message: str, logs: str = "") -> None:
        self.pod = pod
        self.container = container
        self.reason = reason
        self.logs = printable(logs)
        super().__init__(f"{pod}/{container}: {reason}: {message}")


class PodFailed(PodwrightError):
    """A pod has failed for good, and none of its containers is to blame; ``reason`` is Kubernetes' word."""

    def __init__(self, pod: str, reason: str, message: str) -> None:
        self.pod = pod
        self.reason = reason
        super().__init__(f"{pod}: {reason}: {message}")


class WorkloadFailed(PodwrightError):
    """A workload that does not become what is declared. ``reason`` is Kubernetes' word where it has one.

    ``pod`` and ``container`` are those that kept it from that, where one did, ``logs`` the container's last lines.
    """

    def __init__(
        self, kind: str, name: str, reason: str, message: str, pod: str = "", container: str = "", logs: str = ""
    ) -> None:
        self.reason = reason
        self.pod = pod
        self.container = container
        self.logs = printable(logs)
        super().__init__(f"{kind} {name}: {message}")


class Timeout(PodwrightError):
    """What a run waited for did not happen in time."""


_DETAILS = ("pod", "container", "reason", "logs", "actions")


def is_out_of_space(error: BaseException | None) -> bool:
    """Whether a full disk or a used-up quota is behind an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__
    return False


def details_of(error: PodwrightError) -> dict[str, Any]:
    """An error's details beside its message, for programs."""
    details = {name: getattr(error, name) for name in _DETAILS if getattr(error, name, None)}
    faults = getattr(error, "faults", None)
    if faults:
        details["faults"] = [{"path": fault.path, "reason": fault.reason} for fault in faults]
    return details
