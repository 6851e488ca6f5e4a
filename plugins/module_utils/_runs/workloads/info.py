# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of the workloads of a stack, each as its Kubernetes document. Asks nothing of Podman."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..._declaration.stack.spec import StackSpec
from ..._declaration.workloads import spec as w
from ..._declaration.workloads.documents import to_document
from ..._errors import DamagedState, HostError
from ..._host.stack_store import Revision, StackStore, stack_names
from ..._host.store import Store
from ..._host.workload_store import KeptWorkload, WorkloadStore
from ..._reconcile.context import Settings
from ..._reconcile.status_documents import show_time
from ..._reconcile.workloads.progress import FailedRollout
from ..._reconcile.workloads.revisions import Revisions, template_digest
from .host import materials_of


@dataclass(frozen=True)
class StackWorkload:
    """A workload of a stack: one that it declares, or a Job that one of its CronJobs has made.

    ``kept`` is None before the first step. ``damage`` says what of it cannot be read, and what to do.
    """

    stack: str
    workload: w.AnyWorkload
    kept: KeptWorkload | None = None
    damage: str = ""

    @property
    def revisions(self) -> Revisions:
        """Its templates; a Job or CronJob keeps none."""
        return getattr(self.kept.record, "revisions", ()) if self.kept else ()


def workloads_of(store: Store, stack: StackSpec) -> list[StackWorkload]:
    """The workloads that a stack declares, then the Jobs that its CronJobs have made; without those that are gone."""
    files = WorkloadStore(store, stack.name)
    found = [_declared(files, stack.name, workload) for workload in stack.workloads]
    for key in files.names():
        # One that cannot be read is told of where it is declared; a Job that a CronJob made cannot be told from others.
        with contextlib.suppress(DamagedState):
            kept = files.read(*key)
            if kept and kept.made and kept.made_by in stack.cron_jobs:
                found.append(StackWorkload(stack.name, kept.made, kept))
    return [one for one in found if not (one.kept and one.kept.removed)]


def _declared(files: WorkloadStore, stack: str, workload: w.AnyWorkload) -> StackWorkload:
    try:
        return StackWorkload(stack, workload, files.read(workload.kind, workload.name))
    except DamagedState as error:
        return StackWorkload(stack, workload, damage=str(error))


def present_stacks(store: Store) -> Iterator[StackSpec]:
    """The stacks of this host as of their present revisions; those whose files are damaged are left out."""
    for name in stack_names(store):
        files = StackStore(store, name)
        with contextlib.suppress(HostError):
            number = files.read().current
            if number:
                yield files.revision(number).stack


def describe_all(store: Store, is_brief: bool = False) -> list[dict[str, Any]]:
    """The workloads of all stacks as `describe_workloads` tells them."""
    return [told for stack in present_stacks(store) for told in describe_workloads(store, stack, is_brief)]


def describe_workloads(store: Store, stack: StackSpec, is_brief: bool = False) -> list[dict[str, Any]]:
    """Each workload of a stack as its Kubernetes document; beside that its stack, its owner and its revisions.

    Where it is brief, nothing is told of what has brought these revisions: the stack's own are then not read.
    """
    files, causes = WorkloadStore(store, stack.name), None if is_brief else _Causes(store, stack.name)
    return [_describe(files, one, causes) for one in workloads_of(store, stack)]


def _describe(files: WorkloadStore, one: StackWorkload, causes: _Causes | None) -> dict[str, Any]:
    workload, kept = one.workload, one.kept
    document = to_document(workload)
    if kept and kept.created_at:
        document["metadata"]["creationTimestamp"] = show_time(kept.created_at)
    told = {
        **document,
        "name": workload.name,
        "stack": one.stack,
        "status": files.read_status(workload.kind, workload.name) or {},
        "is_stopped": bool(kept and kept.is_stopped),
        "failure": _failure(kept),
        "revisions": [_describe_revision(one, number, causes) for number in range(len(one.revisions))],
        "damage": one.damage,
    }
    return {**told, "owner": {"kind": "CronJob", "name": kept.made_by}} if kept and kept.made_by else told


def _failure(kept: KeptWorkload | None) -> str:
    """Why an update has gone back by itself; empty where none has."""
    failed = getattr(kept.record, "failed", None) if kept else None
    return failed.message if isinstance(failed, FailedRollout) else ""


def _describe_revision(one: StackWorkload, position: int, causes: _Causes | None) -> dict[str, Any]:
    revision = one.revisions[position]
    is_current = position == len(one.revisions) - 1
    told = {"number": revision.number, "hash": revision.digest, "is_current": is_current}
    if causes is None:
        return told
    found = causes.of(one, revision.digest)
    return {
        **told,
        "template": to_document(replace(one.workload, template=revision.template))["spec"]["template"],  # type: ignore[arg-type]
        "applied_at": show_time(found.applied_at or None) if found else None,
        "change_cause": found.change_cause if found else "",
    }


class _Causes:
    """Which revision of a stack has brought a revision of one of its workloads. They are read when they are needed."""

    def __init__(self, store: Store, stack: str) -> None:
        self._store = store
        self._files = StackStore(store, stack)
        self._read: list[Revision] | None = None

    def of(self, one: StackWorkload, digest: str) -> Revision | None:
        """The latest revision of the stack in which the workload's template became that of the digest."""
        settings = one.kept.settings if one.kept else Settings()
        found, before = None, ""
        for revision in self._revisions():
            present = self._digest(revision.stack, one.workload, settings)
            if present == digest != before:
                found = revision
            before = present
        return found

    def _digest(self, stack: StackSpec, like: w.AnyWorkload, settings: Settings) -> str:
        for workload in stack.workloads:
            if (workload.kind, workload.name) == (like.kind, like.name):
                return template_digest(workload, materials_of(self._store, stack, workload, settings))
        return ""

    def _revisions(self) -> list[Revision]:
        if self._read is None:
            self._read = []
            for number in self._files.numbers():
                with contextlib.suppress(HostError):
                    self._read.append(self._files.revision(number))
        return self._read
