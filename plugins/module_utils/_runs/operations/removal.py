# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes pods and containers from Podman, and writes down before how each container ended."""

from __future__ import annotations

import contextlib
import time
from typing import Callable

from ..._errors import HostError, NotFound, PodmanError
from ..._host.podman.client import Podman
from ..._reconcile.container_status import end_of
from ..._reconcile.observed import read_ended
from ..._reconcile.status import End
from ..._reconcile.status_documents import from_kubernetes
from .execution import Execution, pauses

_MONITOR_SECONDS = 20
"""How long what watches containers may outlive them."""
NO_MONITOR = "timed out waiting for file"
"""Podman's words for a container that has ended without a monitor to record it."""
_UNSETTLED = ("device or resource busy", "container state improper", "could not be stopped", NO_MONITOR)
"""Podman's words for a container that is just ending, or whose end it has not noticed: the next try succeeds."""


def note_end(execution: Execution, container: str, container_id: str, is_restart: bool, podman: Podman) -> None:
    """Write down how a container ended before it is removed, since Podman forgets it then.

    If another declaration takes its place, write that alone: the new container is not a restart.
    """
    # A full disk is no reason to keep the container.
    with contextlib.suppress(NotFound, HostError, OSError):
        end = End(container_id, time.time())
        noted = _end_before_restart(execution, container, container_id, podman) if is_restart else end
        if noted:
            execution.store.mark_end(execution.pod.name, container, noted)


def _end_before_restart(execution: Execution, container: str, container_id: str, podman: Podman) -> End | None:
    """How the container ended; None if it has not."""
    pod, found = execution.pod.name, read_ended(container, podman.get(f"/containers/{container_id}/json"))
    if found is None:
        return None
    status, message = execution.store.read_status(pod), execution.store.termination_message(pod, container)
    previous = from_kubernetes(status, execution.pod).container(container) if status else None
    return end_of(found, message, time.time(), previous, execution.store.ends(pod).get(container))


def insist(remove: Callable[[], object]) -> None:
    """Remove a pod or container, if it is still there; retry while Podman has not noticed its end.

    Raises PodmanError if that takes too long, or for any other reason of Podman's.
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
    """Try to remove what may be gone already; returns Podman's words if it has not noticed an end."""
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
    """The Podman secrets of a pod or of one container, which our first release made.

    Names of pods hold dots, but no ``_``.
    """
    listed = (item["Spec"]["Name"] for item in podman.get("/secrets/json") or [])
    return [secret for secret in listed if secret.startswith("_".join(["podwright", *names, ""]))]
