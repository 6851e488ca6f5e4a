# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events that operations and failed runs are, in Kubernetes' words."""

from __future__ import annotations

from collections.abc import Mapping

from .._reconcile import operations as op
from .._reconcile.secrecy import masked
from .._runs.execute import OperationFailed
from .._runs.run_failure import RunFailed
from .event_log import EventLog

EVENTS: Mapping[type, tuple[str, str]] = {
    op.PullImage: ("Pulled", 'Successfully pulled image "{image}"'),
    op.CreateNetwork: ("NetworkCreated", "Created network {network.name}"),
    op.CreatePod: ("SandboxCreated", "Created the sandbox"),
    op.RemovePod: ("SandboxRemoved", "Removed the sandbox: {cause}"),
    op.CreateContainer: ("Created", "Created container {container}"),
    op.StartContainer: ("Started", "Started container {container}"),
    op.StopContainer: ("Killing", "Stopped container {container}: {cause}"),
    op.RemoveContainer: ("Removed", "Removed container {container}: {cause}"),
    op.UpdateLimits: ("Resized", "Resized container {container}: {cause}"),
    op.UpdatePodLimits: ("Resized", "Resized the Pod: {cause}"),
    op.RotateSecret: ("SecretRotated", "Made new values for secret {secret}: {cause}"),
    op.WriteFiles: ("VolumeWritten", "Wrote the files of volume {volume}: {cause}"),
}
"""Kubernetes' reason and a sentence for each operation. An operation without a row is no event."""


def tell_of(operation: op.Operation, events: EventLog) -> None:
    """Add an operation's event, if it has one."""
    reason, words = EVENTS.get(type(operation), ("", ""))
    if reason:
        message = words.format_map(vars(operation))
        events.add(reason, operation.pod, message, getattr(operation, "container", ""))


def tell_of_failure(pod: str, error: RunFailed, events: EventLog) -> str:
    """Add the event of a failed run, and return its message without the values of secrets."""
    cause = error.__cause__
    words = str(error)
    if isinstance(cause, OperationFailed):
        words = f"Failed to {cause.operation.verb} {cause.operation.target}: {cause}"
    message = masked(words, error.secrets).partition("\n")[0]
    events.add(error.reason or "FailedSync", pod, message, error.container, is_warning=True)
    return message
