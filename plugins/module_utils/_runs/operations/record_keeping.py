# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out operations on what is kept of a Pod: its record, its generated secrets, and the end of both."""

from __future__ import annotations

import time
from dataclasses import replace

from ..._errors import PodwrightError, is_out_of_space
from ..._host.observe import tmpfs_volumes
from ..._host.podman import named_volumes
from ..._host.podman.client import Podman
from ..._host.state.records import Applied, Record
from ..._reconcile import operations as op
from .execution import Execution
from .removal import secrets_of


def keep_record(execution: Execution, operation: op.Record, podman: Podman) -> None:
    before = execution.store.read_record(operation.pod)
    if before is None:
        record = Record(Applied(execution.pod))
    elif before.applied.pod == execution.pod:
        record = before
    else:
        record = Record(Applied(execution.pod), previous=before.last_verified, begun_at=before.begun_at)
    is_started = before is None or (before.is_stopped and not operation.is_stopped)
    if is_started or operation.is_begun_anew:
        record = replace(record, begun_at=int(time.time()))
    for container, container_id in operation.past:
        execution.store.mark_stop(operation.pod, container, container_id)
    record = replace(record, is_stopped=operation.is_stopped, settings=execution.context.settings)
    try:
        execution.store.write_record(operation.pod, record)
    except (PodwrightError, OSError) as error:
        if not (operation.is_stopped and is_out_of_space(error)):
            raise
        execution.store.give_up_reserve()
        execution.store.write_record(operation.pod, record)


def rotate_secret(execution: Execution, operation: op.RotateSecret, podman: Podman) -> None:
    declared = next(secret for secret in execution.pod.secrets if secret.name == operation.secret)
    execution.store.renew(operation.owner, operation.secret, operation.values, declared.rotate)


def forget(execution: Execution, operation: op.Forget, podman: Podman) -> None:
    # A mount of a volume's part keeps the volume in use.
    execution.store.sub_path_mounts.release(operation.pod)
    for volume in tmpfs_volumes(podman, operation.pod):
        named_volumes.remove(podman, volume)
    for secret in secrets_of(podman, operation.pod):
        podman.delete(f"/secrets/{secret}")
    execution.store.forget(operation.pod)
