# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives workloads: takes the steps of one and carries them out, again and again, for a run or for the agent.

A step is pure (`_reconcile.workloads`). Its record is written before anything of it is carried out, and the name of a
pod is its lock: a driver that is killed at any point is followed by one that asks for the rest.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from ..._declaration import spec as s
from ..._declaration.workloads import cron
from ..._declaration.workloads import spec as w
from ..._errors import PodwrightError, WorkloadFailed
from ..._host.podman import named_volumes
from ..._host.podman.client import Podman
from ..._host.podman.container_output import shown_log
from ..._host.workload_store import KeptWorkload, Members, mark_of, members_of
from ..._reconcile import operations as op
from ..._reconcile.workloads import kinds
from ..._reconcile.workloads.cron_job import CronJobJob
from ..._reconcile.workloads.cron_times import due_times
from ..._reconcile.workloads.facts import PENDING, SUCCEEDED, WorkloadPod
from ..._reconcile.workloads.foresight import Rounds, foresee
from ..._reconcile.workloads.job_record import COMPLETE
from ..._reconcile.workloads.made_pods import job_of, pod_of
from ..._reconcile.workloads.steps import (
    AddJob,
    AddPod,
    EndPod,
    RemoveClaim,
    RemoveWorkload,
    WorkloadStep,
    is_true,
    status_document,
)
from ..run_failure import indented
from .host import WorkloadHost, has_keyed_materials
from .pods import WorkloadPods

_LOOK_SECONDS = 0.3
"""How long between two steps of a run, where nothing ends meanwhile."""


@dataclass
class WorkloadDriver:
    """Drives one workload. Only one thread may call it."""

    host: WorkloadHost
    workload: w.AnyWorkload
    pods: WorkloadPods = field(init=False)
    step: WorkloadStep[Any, Any] | None = None
    """The last step that was taken."""
    _last_aim: tuple[tuple[w.AnyWorkload, Any, str], kinds.Wanted] | None = None
    _culprit: dict[str, str] = field(default_factory=dict)
    """The pod that keeps it from what is declared: ``pod``, ``container``, ``logs``, and ``why``."""

    def __post_init__(self) -> None:
        self.pods = WorkloadPods(self.host, self.workload)

    def use(self, podman: Podman) -> None:
        """Go on with another session."""
        self.host = self.pods.host = replace(self.host, podman=podman)

    def kept(self) -> KeptWorkload:
        """What is kept of the workload. Raises DamagedState."""
        return self.found() or self._unkept()

    def found(self) -> KeptWorkload | None:
        """The same before anything stands in for it: None where there is nothing. Raises DamagedState."""
        return self.host.files.read(self.workload.kind, self.workload.name)

    def _unkept(self) -> KeptWorkload:
        """What is kept of it at first."""
        workload = self.workload
        return KeptWorkload(workload.kind, workload.name, kinds.first_record(workload), created_at=time.time())

    def _aim(self, record: Any) -> kinds.Wanted:
        made_of = self.workload, record, self.host.materials(self.workload)
        if self._last_aim is None or self._last_aim[0] != made_of:
            # A run asks several times, and digests take their time.
            self._last_aim = made_of, kinds.wanted(*made_of)
        return self._last_aim[1]

    # --- beforehand ----------------------------------------------------------------------------------------------

    def foresee(self, members: Members) -> Rounds:
        """What its steps come to if all goes well, by what was last told of its pods. Changes nothing."""
        kept = self.kept()
        record = kinds.tried_again(kept.record)
        aim = self._aim(record)
        if _is_gone(kept, aim) or self.workload.kind == "CronJob":
            return ()
        pods = [self.pods.told(name, member) for name, member in members.items()]
        seen = [pod for pod in pods if pod]
        claims, room, first = {*self._claims()}, self._room(aim, seen), len(pods)

        def take(record: Any, pods: Sequence[WorkloadPod], now: float) -> WorkloadStep[Any, Any]:
            left = None if room is None else max(room + first - len(pods), 0)
            step = kinds.take(aim, record, pods, now, kinds.Surroundings(claims=frozenset(claims), room=left))
            claims.difference_update(one.pod for one in step.operations if isinstance(one, RemoveClaim))
            return step

        return foresee(take, record, seen, time.time(), runs_to_end=self.workload.kind == "Job")

    def present_revision(self) -> str:
        """The digest of the present template: of its pods only the files of their volumes can differ."""
        return self._aim(self.kept().record).digest

    def has_keyed_names(self) -> bool:
        """Whether the names of its pods have in them what only the host's own key makes of Secrets."""
        return has_keyed_materials(self.host.stack, self.workload, self.host.settings)

    def first_pod(self, rounds: Rounds) -> s.PodSpec | None:
        """The first pod that is to be made of its present template, with all that it refers to; None for none."""
        aim = self._aim(kinds.tried_again(self.kept().record))
        for operation in (operation for operations in rounds for operation in operations):
            if isinstance(operation, AddPod) and operation.revision in (aim.digest, ""):
                return self.host.complete(pod_of(aim.workload, w.template_of(aim.workload), operation))  # type: ignore[arg-type]
        return None

    def stop(self) -> None:
        """Make no pods any more, until it is run again. Only the status of what has ended is told meanwhile."""
        kept = self.kept()
        self.host.files.write(replace(kept, record=kinds.stopped(kept.record), is_stopped=True))
        if not getattr(kept.record, "is_over", False):
            self.host.files.remove_status(kept.kind, kept.name)

    # --- one step ----------------------------------------------------------------------------------------------------

    def advance(self, members: Members, found: KeptWorkload | None) -> bool:
        """Take one step and begin to carry it out. Returns whether it was taken: not all pods may be seen yet.

        ``members`` are the pods on record, read after `WorkloadPods.note_ends` or `finish`: what has ended since then
        is as if it were being done still, so that no pod is missed, and none seen that is gone. ``found`` is what is
        kept of the workload.
        """
        kept = found or self._unkept()
        aim = self._aim(kept.record)
        if _is_gone(kept, aim):
            self._clear_away(kept, members)
            return True
        pods = self.pods.seen(members)
        if pods is None:
            return False
        step = kinds.take(aim, kept.record, pods, time.time(), self._surroundings(aim, pods))
        after = replace(kept, record=step.record, settings=self.host.settings, removed="", is_stopped=False)
        outcome = kinds.outcome(self.workload, step)
        if not step.operations and outcome.is_there:
            after = replace(after, settled=mark_of(self.host.store, self.workload))
        if after != found:
            self.host.files.write(after)
        self.host.files.write_status(kept.kind, kept.name, status_document(step.status))
        self.step = step
        if outcome.failure:
            # Its pod may be ended by this very step.
            self._note_culprit(pods)
        for event in step.events:
            self.host.tell(self.workload, event)
        for operation in step.operations:
            self._carry_out(operation, aim, step.record)
        self.pods.retry(members)
        self.pods.forget_others({*members, *(operation.pod for operation in step.operations)})
        return True

    def _claims(self) -> frozenset[str]:
        """The named volumes that there are, where those of pods that are no longer wanted are to go."""
        workload = self.workload
        if not isinstance(workload, w.StatefulSet):
            return frozenset()
        is_kept = workload.persistent_volume_claim_retention_policy.when_scaled == "Retain"
        return frozenset() if is_kept else named_volumes.claims(self.host.podman)

    def _room(self, aim: kinds.Wanted, pods: Sequence[WorkloadPod]) -> int | None:
        """How many more pods of a Deployment the host can hold; nothing else makes more than it keeps.

        It is not asked, which means to read what all pods of the host request, where nothing is to be made.
        """
        workload = self.workload
        if not isinstance(workload, w.Deployment):
            return None
        are_all_there = len(pods) == workload.replicas and all(
            pod.is_active and pod.revision == aim.digest for pod in pods
        )
        return None if are_all_there else self.host.room(workload.template)

    def _surroundings(self, aim: kinds.Wanted, pods: Sequence[WorkloadPod]) -> kinds.Surroundings:
        """For a CronJob its Jobs and its times, for a StatefulSet its claims, for a Deployment the room."""
        if not isinstance(self.workload, w.CronJob):
            return kinds.Surroundings(claims=self._claims(), room=self._room(aim, pods))
        kept = (self.host.files.read(kind, name) for kind, name in self.host.files.names() if kind == "Job")
        jobs = tuple(_made_job(one) for one in kept if one and one.made_by == self.workload.name)
        zone = local_zone() if self.workload.time_zone is None else ZoneInfo(self.workload.time_zone)
        return kinds.Surroundings(jobs=jobs, due=due_times(cron.parse(self.workload.schedule), zone))

    def _clear_away(self, kept: KeptWorkload, members: Members) -> None:
        """End the last pods of a Job that is gone; of one that a CronJob has made nothing is kept."""
        self.step = None
        for name in members:
            self.pods.end(EndPod(name, "its Job is gone"))
        if kept.made and not members and not self.pods.are_busy:
            self.host.files.remove(kept.kind, kept.name)
            if self.host.agent:
                self.host.agent.forget_workload(kept.kind, kept.name)

    def outcome(self) -> kinds.Outcome:
        """How far the workload has come, as of the last step."""
        if self.step is None:
            kept = self.kept()
            return kinds.Outcome(bool(kept.removed), missing="its pods have not been seen yet")
        found = kinds.outcome(self.workload, self.step)
        if found.is_there or found.failure or not self.pods.failures:
            return found
        return replace(found, missing=f"{found.missing}; {next(iter(self.pods.failures.values()))}")

    def run(self, is_to_wait: bool, timeout_seconds: float) -> None:
        """Step until the workload is as declared, or has ended well. Raises WorkloadFailed.

        ``timeout_seconds`` is for how long nothing may come about. An update that fails is waited for until the pods
        of the revision before are back.
        """
        since = time.monotonic()
        failure, progress = "", (0, 0)
        kept = self.kept()
        again = kinds.tried_again(kept.record)
        if again != kept.record:
            self.host.files.write(replace(kept, record=again))
        try:
            while True:
                self.pods.note_ends()
                was_taken = self.advance(self._members(), self.found())
                found = self.outcome()
                failure = failure or found.failure
                is_settled = was_taken and not self.pods.are_busy and not self._is_moving
                if is_settled and found.is_there:
                    return
                if failure and ((is_settled and found.is_back) or not self._is_coming_back()):
                    raise self._failed("RolloutFailed", failure)
                if is_settled and not is_to_wait:
                    return
                progress, before = max(progress, self._progress()), progress
                since = time.monotonic() if progress != before else since
                if time.monotonic() - since > timeout_seconds:
                    if self.host.agent and found.is_under_way:
                        # It takes its time, and goes on without this run.
                        return
                    self._note_culprit(self.pods.seen(self._members()))
                    if failure:
                        raise self._failed("RolloutFailed", f"{failure}, which has not come about: {found.missing}")
                    raise self._failed("Timeout", f"nothing came about for {timeout_seconds:g} s: {found.missing}")
                self.pods.pause(_LOOK_SECONDS)
        finally:
            self.pods.finish()

    @property
    def is_busy(self) -> bool:
        """Whether something was begun that has not ended."""
        return bool(self.pods.are_busy or self.pods.failures)

    def _members(self) -> Members:
        key = self.workload.kind, self.workload.name
        return members_of(self.host.store, self.host.stack.name, self.workload.name).get(key, {})

    @property
    def _is_moving(self) -> bool:
        """Whether the last step asked for something."""
        return bool(self.step and self.step.operations)

    def _is_coming_back(self) -> bool:
        return bool(self.step and kinds.is_going_back(self.step.record))

    def _progress(self) -> tuple[int, int]:
        """How far it has come: what was done, and how many pods are available or have succeeded."""
        status = self.step.status if self.step else None
        counts = (getattr(status, name, 0) for name in ("available_replicas", "number_available", "succeeded"))
        return self.pods.number_done, sum(counts)

    def _note_culprit(self, pods: Sequence[WorkloadPod] | None) -> None:
        """Remember a pod that is not ready, with the last lines of its log: the newest of those that have begun."""
        unready = [pod for pod in pods or () if not pod.is_ready and not pod.is_ending and pod.phase != SUCCEEDED]
        if self._culprit or not unready:
            return
        pod = max(unready, key=lambda one: (one.phase != PENDING, one.created_at)).name
        status = self.pods.statuses.get(pod) or {}
        groups = (status.get("initContainerStatuses") or (), status.get("containerStatuses") or ())
        names = [str(item["name"]) for group in groups for item in group if not item.get("ready")]
        container, logs = names[0] if names else "", ""
        with contextlib.suppress(PodwrightError):
            logs = shown_log(self.host.podman, s.PodSpec(pod, ()).podman_name(container)) if container else ""
        why = self.pods.failures.get(pod) or str(status.get("explanation") or "")
        self._culprit = {"pod": pod, "container": container, "logs": logs, "why": why}

    def _failed(self, reason: str, message: str) -> WorkloadFailed:
        told = dict(self._culprit)
        why = told.pop("why", "")
        lines = [f"{message}; pod {told['pod']}: {why}" if why else message]
        if told.get("logs"):
            lines.append(f"Last log lines of {told['pod']}/{told['container']}:\n{indented(told['logs'])}")
        return WorkloadFailed(self.workload.kind, self.workload.name, reason, "\n".join(lines), **told)

    # --- carrying out ------------------------------------------------------------------------------------------------

    def _carry_out(self, operation: op.Operation, aim: kinds.Wanted, record: Any) -> None:
        if isinstance(operation, AddPod):
            template = aim.template(record, operation.revision)
            pod = self.host.complete(pod_of(aim.workload, template, operation))  # type: ignore[arg-type]
            self.pods.add(operation, pod)
        elif isinstance(operation, EndPod):
            self.pods.end(operation)
        elif isinstance(operation, RemoveClaim):
            self.pods.remove_claim(operation)
        elif isinstance(operation, RemoveWorkload):
            self._remove(operation)
            self.pods.tell_done(operation)
        elif isinstance(operation, AddJob) and isinstance(aim.workload, w.CronJob):
            self._add_job(aim.workload, operation)
            self.pods.tell_done(operation)

    def _remove(self, operation: RemoveWorkload) -> None:
        """Note that a Job is gone; its pods are ended by its own driver."""
        kept = self.host.files.read(operation.kind, operation.pod)
        job = kept.made if kept and kept.made else self.workload
        if kept:
            digest_ = kinds.wanted(job, kept.record, self.host.materials(job)).digest
            self.host.files.write(replace(kept, removed=digest_))

    def _add_job(self, cron_job: w.CronJob, operation: AddJob) -> None:
        """Its file is the lock: a Job that has one is not made again."""
        job = job_of(cron_job, operation)
        if self.host.files.read(job.kind, job.name) is None:
            record, settings = kinds.first_record(job), self.host.settings
            kept = KeptWorkload(job.kind, job.name, record, settings, made=job, made_by=cron_job.name)
            self.host.files.write(replace(kept, scheduled_at=operation.scheduled_at, created_at=time.time()))


def _is_gone(kept: KeptWorkload, aim: kinds.Wanted) -> bool:
    """Whether it is a Job that was removed: one that a CronJob has made for good, another until it is declared anew."""
    return bool(kept.removed) and (kept.made is not None or kept.removed == aim.digest)


def _made_job(kept: KeptWorkload) -> CronJobJob:
    return CronJobJob(
        kept.name,
        kept.scheduled_at,
        ended_at=kept.record.ended_at,
        has_succeeded=is_true(kept.record.conditions, COMPLETE),
        is_ending=bool(kept.removed),
    )


def local_zone() -> tzinfo:
    """The host's time zone with its rules; UTC where it has none."""
    with contextlib.suppress(OSError, ValueError), open("/etc/localtime", "rb") as file:
        return ZoneInfo.from_file(file)
    return timezone.utc
