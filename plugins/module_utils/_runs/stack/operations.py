# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out what is for no Pod of a stack alone: its record, revisions, secrets, networks and volumes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..._declaration.stack.spec import StackSpec
from ..._errors import NotFound
from ..._host.podman import named_volumes, networks
from ..._host.podman.client import Podman
from ..._host.stack_store import Revision, StackStore
from ..._host.store import Store
from ..._host.workload_store import WorkloadStore
from ..._reconcile import operations as op
from ..._reconcile.stack.observed import ObservedStack
from ..._reconcile.stack.record import StackRecord, with_good
from ..._reconcile.stack.request import StackRequest
from ..._reconcile.stack.steps import ConcludeStep
from ..._reconcile.workloads.steps import StopWorkload
from ..agent import Agent
from ..services import forget_services
from ..workloads.driver import WorkloadDriver


@dataclass
class SharedOperations:
    """Those of one run on one stack, in the order of its plan. ``drivers`` are by kind and name of their workloads."""

    podman: Podman
    store: Store
    request: StackRequest
    stack: StackSpec
    found: ObservedStack
    drivers: Mapping[tuple[str, str], WorkloadDriver]
    agent: Agent | None
    record: StackRecord = field(init=False)
    """As it is in the state directory now."""
    is_concluding: bool = False
    """Whether all is done but the last write of the record."""

    def __post_init__(self) -> None:
        self.record = self.found.record
        self.files = StackStore(self.store, self.request.name)
        self.workload_files = WorkloadStore(self.store, self.request.name)

    def perform(self, operation: op.Operation) -> None:
        """Carry out one operation. Raises what it raises, PodwrightError among that."""
        name = self.request.name
        if isinstance(operation, op.RecordRevision):
            cause, applied_by = operation.change_cause, self.request.applied_by
            self.files.write_revision(Revision(operation.number, self.stack, time.time(), applied_by, cause))
            self._write(operation.record)
        elif isinstance(operation, op.ReturnToRevision):
            self._write(operation.record)
        elif isinstance(operation, (op.GenerateSecret, op.RotateSecret)):
            declared = next(secret for secret in self.stack.secrets if secret.name == operation.secret)
            self.store.renew(operation.owner, operation.secret, operation.values, declared.rotate)
        elif isinstance(operation, op.RestoreSecret):
            self.store.restore(operation.owner, self.request.before_rotation, operation.secret, operation.values)
        elif isinstance(operation, op.RemoveSecrets):
            self.store.forget_generated(operation.owner)
        elif isinstance(operation, op.ForgetStack):
            self._forget_stack(operation)
        elif isinstance(operation, op.CreateNetwork):
            networks.create(self.podman, name, operation.network)
        elif isinstance(operation, op.CreateSharedVolume):
            named_volumes.create(self.podman, name, operation.volume)
        elif isinstance(operation, op.RemoveNetwork):
            networks.remove(self.podman, operation.name)
        elif isinstance(operation, op.RemoveVolume):
            with contextlib.suppress(NotFound):
                named_volumes.remove(self.podman, operation.name)
        elif isinstance(operation, StopWorkload):
            self.drivers[operation.kind, operation.pod].stop()
        if self.agent and isinstance(operation, op.RotateSecret):
            self.agent.done(operation)

    def conclude(self, step: ConcludeStep, is_good: bool) -> None:
        """Let the record own what is left. ``is_good``: all has come to be as declared, and was seen so."""
        if self.agent and self.stack.services:
            # Its pods have given up by now the ports that they published.
            self.agent.services.serve()
        self.is_concluding = True
        record = replace(self.record, current=step.number, owned=step.owned)
        if is_good:
            record = with_good(record, step.number)
        cron_jobs = self.stack.cron_jobs
        for kind, name in [*self.workload_files.names()] if self.request.prune else ():
            if (kind, name) not in self.drivers and self.found.made_by.get(name, "") not in cron_jobs:
                self.workload_files.remove(kind, name)
                self._forget_workload(kind, name)
        needed = (step.number, record.good_before)
        self.record = self.files.conclude(record, step.history_limit, needed)

    def _write(self, record: StackRecord) -> None:
        if record != self.record:
            self.files.write(record)
        self.record = record

    def _forget_stack(self, operation: op.ForgetStack) -> None:
        gone = [*self.workload_files.names()]
        self.files.forget(operation.remains)
        for kind, workload in gone:
            self._forget_workload(kind, workload)
        if self.agent:
            self.agent.services.serve()
        else:
            forget_services(self.store, self.request.name)

    def _forget_workload(self, kind: str, name: str) -> None:
        if self.agent:
            self.agent.forget_workload(kind, name)
