# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes pods and containers from Podman, and writes down before how each container ended."""

from __future__ import annotations

import contextlib
import time
from typing import Callable

from .._errors import HostError, NotFound, PodmanError
from .._host.podman import Podman
from .._reconcile.observed import read_ended
from .._reconcile.status import End, end_of, from_kubernetes
from .execution import Execution, pauses

_MONITOR_SECONDS = 20
"""How long what watches containers may outlive them."""
NO_MONITOR = "timed out waiting for file"
"""What Podman says of a container that it has ended, and whose end there was nobody to write down."""
_UNSETTLED = ("device or resource busy", "container state improper", "could not be stopped", NO_MONITOR)
"""What Podman says of a container that is ending, or whose end nobody told it of: the next try finds it so."""


def note_end(execution: Execution, container: str, container_id: str, is_restart: bool, podman: Podman) -> None:
    """Write down how a container ended that is about to be removed, for then Podman knows nothing of it any more.

    Of one whose place another takes, no more than that: that one is no restart of it.
    """
    # Where there is no room for it, that is no reason to keep the container.
    with contextlib.suppress(NotFound, HostError, OSError):
        end = End(container_id, time.time())
        noted = _end_before_restart(execution, container, container_id, podman) if is_restart else end
        if noted:
            execution.store.mark_end(execution.pod.name, container, noted)


def _end_before_restart(execution: Execution, container: str, container_id: str, podman: Podman) -> End | None:
    """How it ended, None for one that has not."""
    pod, found = execution.pod.name, read_ended(container, podman.get(f"/containers/{container_id}/json"))
    if found is None:
        return None
    status, message = execution.store.read_status(pod), execution.store.termination_message(pod, container)
    previous = from_kubernetes(status, execution.pod).container(container) if status else None
    return end_of(found, message, time.time(), previous, execution.store.ends(pod).get(container))


def insist(remove: Callable[[], object]) -> None:
    """Remove a pod or container, which may be gone already, again and again while Podman has not come to know its end.

    Raises PodmanError where that takes too long, or for what is in the way otherwise.
    """
    deadline = time.monotonic() + _MONITOR_SECONDS
    for pause in pauses():
        unsettled = _try(remove)
        if unsettled is None:
            return
        if time.monotonic() > deadline:
            raise unsettled
        time.sleep(pause)


def _try(remove: Callable[[], object]) -> PodmanError | None:
    """Remove what may be gone already; what Podman says where it has not come to know of an end."""
    try:
        remove()
    except NotFound:
        return None
    except PodmanError as error:
        if not any(words in str(error) for words in _UNSETTLED):
            raise
        return error
    return None


def secrets_of(podman: Podman, *names: str) -> list[str]:
    """A pod's, or one container's, Podman secrets, which the first of our releases made.

    Names of pods hold dots, but no ``_``.
    """
    listed = (item["Spec"]["Name"] for item in podman.get("/secrets/json") or [])
    return [secret for secret in listed if secret.startswith("_".join(["podwright", *names, ""]))]
