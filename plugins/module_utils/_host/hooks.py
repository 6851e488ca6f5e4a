# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifecycle hooks: one run of a postStart or preStop handler; when and with how much time is the caller's to decide.

Source: Kubernetes 1.32 (kubelet ``lifecycle``).
"""

from __future__ import annotations

import time

from .._declaration import spec
from .._errors import NotFound, PodmanError
from .podman.client import Podman
from .probes import Outcome, Target, perform

_LOOK_SECONDS = 1.0


def run(hook: spec.Handler, target: Target, podman: Podman, timeout_seconds: float) -> Outcome:
    """Run the handler to its end, ``timeout_seconds`` at most, and return Success or Failure; nothing is raised.

    As in Kubernetes: a hook is tried once; any answer to httpGet will do, whatever its status; an error of ours fails
    the hook as well. tcpSocket, which the kubelet no longer runs, is a connect. The message of a Failure is for
    FailedPostStartHook and FailedPreStopHook.
    """
    if hook.sleep is not None:
        return _sleep(hook.sleep.seconds, timeout_seconds, target, podman)
    outcome = perform(hook, "lifecycle", timeout_seconds, target, podman)
    return Outcome("Success" if outcome.passed else "Failure", outcome.message)


def _sleep(seconds: float, timeout_seconds: float, target: Target, podman: Podman) -> Outcome:
    """Wait the seconds, or until the container has ended."""
    ends_at = time.monotonic() + min(seconds, timeout_seconds)
    while (left := ends_at - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_SECONDS))
        if left > _LOOK_SECONDS and not _is_running(target, podman):
            return Outcome("Success", "the container has ended meanwhile")
    if seconds > timeout_seconds:
        return Outcome("Failure", f"sleep: {timeout_seconds:g} s of {seconds:g} s were left")
    return Outcome("Success", f"slept {seconds:g} s")


def _is_running(target: Target, podman: Podman) -> bool:
    try:
        return bool(podman.get(f"/containers/{target.container_id}/json")["State"]["Running"])
    except NotFound:
        return False
    except PodmanError:
        return True
