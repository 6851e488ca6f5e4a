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
import functools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timezone, tzinfo
from typing import Any, Callable
from zoneinfo import ZoneInfo

from .._declaration import spec as s
from .._declaration.stack.spec import StackSpec, pod_with_configuration
from .._declaration.workloads import cron
from .._declaration.workloads import spec as w
from .._errors import ContainerFailed, NotFound, PodwrightError, WorkloadFailed
from .._host.podman import named_volumes
from .._host.podman.client import Podman
from .._host.podman.container_output import shown_log
from .._host.state.records import Record
from .._host.store import Store
from .._host.workload_store import KeptWorkload, Members, WorkloadStore, mark_of, members_of
from .._reconcile import operations as op
from .._reconcile.context import Owner, Settings
from .._reconcile.probe_worker import Attempts
from .._reconcile.rendering.materials import digest
from .._reconcile.workloads import kinds
from .._reconcile.workloads.cron_job import CronJobJob
from .._reconcile.workloads.cron_times import due_times
from .._reconcile.workloads.facts import PENDING, SUCCEEDED, WorkloadPod
from .._reconcile.workloads.foresight import Rounds, foresee
from .._reconcile.workloads.job_record import COMPLETE
from .._reconcile.workloads.made_pods import job_of, pod_of
from .._reconcile.workloads.sightings import sighted
from .._reconcile.workloads.steps import (
    AddJob,
    AddPod,
    EndPod,
    Event,
    RemoveClaim,
    RemoveWorkload,
    WorkloadStep,
    event_of,
    is_true,
    status_document,
)
from .agent import Agent
from .pod_run import Run, only_run
from .request import Request
from .run_failure import indented
from .wait import Watch

_LOOK_SECONDS = 0.3
"""How long between two steps of a run, where nothing ends meanwhile."""


@dataclass(frozen=True)
class WorkloadHost:
    """What the drivers of a stack's workloads share. ``secrets`` are those of the stack with their values.

    ``reserved`` are pods that whoever drives has reserved already.
    """

    podman: Podman
    store: Store
    stack: StackSpec
    secrets: tuple[s.Secret, ...] = field(repr=False)
    settings: Settings
    wait_timeout_seconds: float
    agent: Agent | None = None
    reserved: frozenset[str] = frozenset()

    @property
    def files(self) -> WorkloadStore:
        return WorkloadStore(self.store, self.stack.name)

    def tell(self, workload: w.AnyWorkload, event: Event) -> None:
        if self.agent:
            self.agent.tell_of_workload(workload, event)

    def complete(self, pod: s.PodSpec) -> s.PodSpec:
        """The pod with the ConfigMaps and Secrets that it refers to."""
        return pod_with_configuration(replace(self.stack, secrets=self.secrets), pod)

    def materials(self, workload: w.AnyWorkload) -> str:
        return materials_of(self.store, self.stack, workload, self.settings)


def materials_of(store: Store, stack: StackSpec, workload: w.AnyWorkload, settings: Settings) -> str:
    """A digest of what a template refers to whose change replaces containers: another one is a rollout.

    Of generated values it has how often they were rotated, so that it is known before they are made.
    """
    restarts = settings.restart_on_change
    if isinstance(workload, w.CronJob) or not (restarts.environment or restarts.files):
        return ""
    template = w.template_of(workload)
    if not restarts.files:
        template = replace(template, volumes=())
    elif not restarts.environment:
        template = replace(template, containers=(), init_containers=())
    pod = pod_with_configuration(stack, template)
    used = [*(s.to_options(item) for item in pod.config_maps), *(_hidden(store, item) for item in pod.secrets)]
    return digest(used, b"") if used else ""


def _hidden(store: Store, secret: s.Secret) -> dict[str, Any]:
    """A Secret as it is declared, with digests by the host's own key in place of its values."""
    options = s.to_options(secret)
    values = {name: digest(options[name], store.key()) for name in ("data", "string_data") if options.get(name)}
    return {**options, **values}


@dataclass
class _Job:
    """What is being done to a pod right now."""

    operation: op.Operation
    future: Future[None]


@dataclass
class WorkloadDriver:
    """Drives one workload. Only one thread may call it."""

    host: WorkloadHost
    workload: w.AnyWorkload
    on_done: Callable[[op.Operation], None] = lambda operation: None
    """Told of each operation that was carried out."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why pods could not be made or ended so far, by their names."""
    step: WorkloadStep[Any, Any] | None = None
    """The last step that was taken."""
    _busy: dict[str, _Job] = field(default_factory=dict)
    _attempts: dict[str, Attempts] = field(default_factory=dict)
    _number_done: int = 0
    _statuses: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The statuses that its pods were seen with last."""
    _culprit: dict[str, str] = field(default_factory=dict)
    _watches: dict[str, tuple[Run, Watch]] = field(default_factory=dict)

    # --- looking -----------------------------------------------------------------------------------------------------

    def kept(self) -> KeptWorkload:
        """What is kept of the workload. Raises DamagedState."""
        workload = self.workload
        found = self.host.files.read(workload.kind, workload.name)
        return found or KeptWorkload(workload.kind, workload.name, kinds.first_record(workload), created_at=time.time())

    def pods(self, members: Members) -> list[WorkloadPod] | None:
        """The workload's pods; None while the keeper of one has not looked at it yet."""
        found = []
        for name, record in members.items():
            pod = self._pod(name, record)
            if pod is None:
                return None
            found.append(pod)
        coming = (item.operation for item in self._busy.values())
        for operation in coming:
            if isinstance(operation, AddPod) and operation.pod not in members:
                owner = self._owner(operation)
                found.append(sighted(operation.pod, owner, time.time(), {}, is_available=False))
        return found

    def _pod(self, name: str, record: Record) -> WorkloadPod | None:
        owner = record.settings.owner
        if owner is None:
            return None
        busy = self._busy.get(name)
        if busy and isinstance(busy.operation, EndPod):
            return sighted(name, owner, record.begun_at, {}, is_available=False, is_ending=True)
        if self.host.agent:
            sight = self.host.agent.sight(name)
            if sight is None:
                return None
            self._statuses[name] = sight.status
            return sighted(name, owner, record.begun_at, sight.status, is_available=sight.is_available)
        return self._own_sight(name, record, owner)

    def _own_sight(self, name: str, record: Record, owner: Owner) -> WorkloadPod:
        """A pod that no keeper looks at. What is not as it was made is mended first, in a thread."""
        watched = self._watches.get(name)
        if watched is None:
            self._begin(_Mend(name, "to look at it"), self._mend_named(name))
            return sighted(name, owner, record.begun_at, {}, is_available=False)
        run, watch = watched
        with contextlib.suppress(ContainerFailed):
            watch.look()
        is_available = False
        with contextlib.suppress(ContainerFailed):
            is_available = watch.is_ready()
        status = self._statuses[name] = run.status(watch)
        return sighted(name, owner, record.begun_at, status, is_available=is_available)

    # --- beforehand ----------------------------------------------------------------------------------------------

    def foresee(self, members: Members) -> Rounds:
        """What its steps come to if all goes well, by what was last told of its pods. Changes nothing."""
        kept = self.kept()
        record = kinds.tried_again(self.workload, kept.record)
        aim = kinds.wanted(self.workload, record, self.host.materials(self.workload))
        if _is_gone(kept, aim) or self.workload.kind == "CronJob":
            return ()
        pods = [self._told(name, member) for name, member in members.items()]
        claims = {*self._claims()}

        def take(record: Any, pods: Sequence[WorkloadPod], now: float) -> WorkloadStep[Any, Any]:
            step = kinds.take(aim, record, pods, now, kinds.Surroundings(claims=frozenset(claims)))
            claims.difference_update(one.pod for one in step.operations if isinstance(one, RemoveClaim))
            return step

        return foresee(take, record, [pod for pod in pods if pod], time.time(), runs_to_end=self.workload.kind == "Job")

    def is_present(self, owner: Owner) -> bool:
        """Whether a pod is of the present template, so that only the files of its volumes can differ."""
        aim = kinds.wanted(self.workload, self.kept().record, self.host.materials(self.workload))
        return owner.revision == aim.digest

    def first_pod(self, rounds: Rounds) -> s.PodSpec | None:
        """The first pod that is to be made of its present template, with all that it refers to; None for none."""
        kept = self.kept()
        aim = kinds.wanted(
            self.workload, kinds.tried_again(self.workload, kept.record), self.host.materials(self.workload)
        )
        for operation in (operation for operations in rounds for operation in operations):
            if isinstance(operation, AddPod) and operation.revision in (aim.digest, ""):
                return self.host.complete(pod_of(aim.workload, w.template_of(aim.workload), operation))  # type: ignore[arg-type]
        return None

    def _told(self, name: str, record: Record) -> WorkloadPod | None:
        owner, status = record.settings.owner, self.host.store.read_status(name) or {}
        return sighted(name, owner, record.begun_at, status, is_available=True) if owner else None

    def stop(self) -> None:
        """Make no pods any more, until it is run again. Only the status of what has ended is told meanwhile."""
        kept = self.kept()
        self.host.files.write(replace(kept, record=kinds.stopped(kept.record), is_stopped=True))
        if not getattr(kept.record, "is_over", False):
            self.host.files.remove_status(kept.kind, kept.name)

    def take_over(self, run: Run) -> None:
        """Go on looking at a pod that a run was just carried out on."""
        run.podman = self.host.podman
        self._watches[run.request.name] = run, run.watch()

    # --- one step ----------------------------------------------------------------------------------------------------

    def advance(self, members: Members) -> bool:
        """Take one step and begin to carry it out. Returns whether it was taken: not all pods may be seen yet.

        ``members`` are the pods on record, read after `note_ends` or `finish`: what has ended since then is as if it
        were being done still, so that no pod is missed, and none seen that is gone.
        """
        kept = self.kept()
        aim = kinds.wanted(self.workload, kept.record, self.host.materials(self.workload))
        if _is_gone(kept, aim):
            self._clear_away(kept, members)
            return True
        pods = self.pods(members)
        if pods is None:
            return False
        step = kinds.take(aim, kept.record, pods, time.time(), self._surroundings())
        after = replace(kept, record=step.record, settings=self.host.settings, removed="", is_stopped=False)
        if not step.operations and kinds.outcome(self.workload, step).is_there:
            after = replace(after, settled=mark_of(self.host.store, self.workload))
        if after != kept or not self.host.files.read(kept.kind, kept.name):
            self.host.files.write(after)
        self.host.files.write_status(kept.kind, kept.name, status_document(step.status))
        self.step = step
        if self.outcome().failure:
            # Its pod may be ended by this very step.
            self._note_culprit(pods)
        for event in step.events:
            self.host.tell(self.workload, event)
        for operation in step.operations:
            self._carry_out(operation, aim, step.record)
        self._retry(members)
        self._forget({*members, *self._busy, *(operation.pod for operation in step.operations)})
        return True

    def _forget(self, present: set[str]) -> None:
        """Drop what is known of pods that nobody wants any more, failures among it."""
        for known in (self.failures, self._attempts, self._statuses, self._watches):
            for name in {*known} - present:
                known.pop(name, None)

    def _claims(self) -> frozenset[str]:
        """The named volumes that there are, where those of pods that are no longer wanted are to go."""
        workload = self.workload
        if not isinstance(workload, w.StatefulSet):
            return frozenset()
        is_kept = workload.persistent_volume_claim_retention_policy.when_scaled == "Retain"
        return frozenset() if is_kept else named_volumes.names(self.host.podman)

    def _surroundings(self) -> kinds.Surroundings:
        """For a CronJob the Jobs that it has made, and its times on this host; for a StatefulSet its claims."""
        if not isinstance(self.workload, w.CronJob):
            return kinds.Surroundings(claims=self._claims())
        kept = (self.host.files.read(kind, name) for kind, name in self.host.files.names() if kind == "Job")
        jobs = tuple(_made_job(one) for one in kept if one and one.made_by == self.workload.name)
        zone = local_zone() if self.workload.time_zone is None else ZoneInfo(self.workload.time_zone)
        return kinds.Surroundings(jobs=jobs, due=due_times(cron.parse(self.workload.schedule), zone))

    def _clear_away(self, kept: KeptWorkload, members: Members) -> None:
        """End the last pods of a Job that is gone; of one that a CronJob has made nothing is kept."""
        self.step = None
        for name in members:
            operation = EndPod(name, "its Job is gone")
            self._begin(operation, functools.partial(self._end, name=name, cause=operation.cause))
        if kept.made and not members and not self._busy:
            self.host.files.remove(kept.kind, kept.name)

    def outcome(self) -> kinds.Outcome:
        """How far the workload has come, as of the last step."""
        if self.step is None:
            kept = self.kept()
            return kinds.Outcome(bool(kept.removed), missing="its pods have not been seen yet")
        found = kinds.outcome(self.workload, self.step)
        if found.is_there or found.failure or not self.failures:
            return found
        return replace(found, missing=f"{found.missing}; {next(iter(self.failures.values()))}")

    def run(self, is_to_wait: bool, timeout_seconds: float) -> None:
        """Step until the workload is as declared, or has ended well. Raises WorkloadFailed.

        ``timeout_seconds`` is for how long nothing may come about. An update that fails is waited for until the pods
        of the revision before are back.
        """
        since = time.monotonic()
        files, failure, progress = self.host.files, "", (0, 0)
        again = kinds.tried_again(self.workload, self.kept().record)
        if again != self.kept().record:
            files.write(replace(self.kept(), record=again))
        try:
            while True:
                self.note_ends()
                was_taken = self.advance(members_of(self.host.store, self.host.stack.name).get(self._key, {}))
                found = self.outcome()
                failure = failure or found.failure
                is_settled = was_taken and not self._busy and not self._is_moving
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
                    self._note_culprit(self.pods(members_of(self.host.store, self.host.stack.name).get(self._key, {})))
                    if failure:
                        raise self._failed("RolloutFailed", f"{failure}, which has not come about: {found.missing}")
                    raise self._failed("Timeout", f"nothing came about for {timeout_seconds:g} s: {found.missing}")
                self._pause()
        finally:
            self.finish()

    @property
    def is_busy(self) -> bool:
        """Whether something was begun that has not ended."""
        return bool(self._busy or self.failures)

    @property
    def _key(self) -> tuple[str, str]:
        return self.workload.kind, self.workload.name

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
        return self._number_done, sum(counts)

    def _note_culprit(self, pods: Sequence[WorkloadPod] | None) -> None:
        """Remember a pod that is not ready, with the last lines of its log: the newest of those that have begun."""
        unready = [pod for pod in pods or () if not pod.is_ready and not pod.is_ending and pod.phase != SUCCEEDED]
        if self._culprit or not unready:
            return
        pod = max(unready, key=lambda one: (one.phase != PENDING, one.created_at)).name
        status = self._statuses.get(pod) or {}
        groups = (status.get("initContainerStatuses") or (), status.get("containerStatuses") or ())
        names = [str(item["name"]) for group in groups for item in group if not item.get("ready")]
        container, logs = names[0] if names else "", ""
        with contextlib.suppress(PodwrightError):
            logs = shown_log(self.host.podman, f"{pod}-{container}") if container else ""
        why = self.failures.get(pod) or str(status.get("explanation") or "")
        self._culprit = {"pod": pod, "container": container, "logs": logs, "why": why}

    def _failed(self, reason: str, message: str) -> WorkloadFailed:
        told = dict(self._culprit)
        why = told.pop("why", "")
        lines = [f"{message}; pod {told['pod']}: {why}" if why else message]
        if told.get("logs"):
            lines.append(f"Last log lines of {told['pod']}/{told['container']}:\n{indented(told['logs'])}")
        return WorkloadFailed(self.workload.kind, self.workload.name, reason, "\n".join(lines), **told)

    def _pause(self) -> None:
        """Until something that was begun has ended, or for as long as a look may wait."""
        end = time.monotonic() + _LOOK_SECONDS
        while time.monotonic() < end:
            if any(item.future.done() for item in self._busy.values()):
                return
            time.sleep(0.05)

    def finish(self) -> None:
        """Wait for what was begun."""
        for item in list(self._busy.values()):
            with contextlib.suppress(Exception):
                item.future.result()
        self.note_ends()

    # --- carrying out ------------------------------------------------------------------------------------------------

    def _carry_out(self, operation: op.Operation, aim: kinds.Wanted, record: Any) -> None:
        if isinstance(operation, AddPod):
            template = aim.template(record, operation.revision)
            pod = self.host.complete(pod_of(aim.workload, template, operation))  # type: ignore[arg-type]
            self._begin(operation, lambda podman: self._add(podman, pod, operation))
        elif isinstance(operation, EndPod):
            self._begin(operation, functools.partial(self._end, name=operation.pod, cause=operation.cause))
        elif isinstance(operation, RemoveClaim):
            self._begin(operation, lambda podman: _remove_claim(podman, operation.pod))
        elif isinstance(operation, RemoveWorkload):
            self._remove(operation)
            self._tell_done(operation)
        elif isinstance(operation, AddJob) and isinstance(aim.workload, w.CronJob):
            self._add_job(aim.workload, operation)
            self._tell_done(operation)

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

    def _begin(self, operation: op.Operation, work: Callable[[Podman], None]) -> None:
        """Do it in a thread, unless something is being done to the pod already, or its next attempt has to wait."""
        name, attempts = operation.pod, self._attempts.get(operation.pod)
        if name in self._busy or (attempts and attempts.is_held(time.monotonic())):
            return
        self._busy[name] = _Job(operation, _submit(functools.partial(self._work, work)))

    def _work(self, work: Callable[[Podman], None]) -> None:
        with self.host.podman.clone() as podman:
            work(podman)

    def note_ends(self) -> None:
        """Take note of what was begun and has ended."""
        for name, item in [(name, item) for name, item in self._busy.items() if item.future.done()]:
            del self._busy[name]
            error = item.future.exception()
            if error is None:
                self._attempts.pop(name, None)
                self.failures.pop(name, None)
                if not isinstance(item.operation, _Mend):
                    self._number_done += 1
                    self._tell_done(item.operation)
                continue
            self._attempts[name] = self._attempts.get(name, Attempts()).failed(time.monotonic())
            message = str(error) if isinstance(error, PodwrightError) else f"{type(error).__name__}: {error}"
            if self.failures.get(name) != message:
                self.failures[name] = message
                verb = item.operation.verb or "see"
                event = Event("FailedSync", f"cannot {verb} pod {name}: {message}", is_warning=True)
                self.host.tell(self.workload, event)

    def _tell_done(self, operation: op.Operation) -> None:
        self.on_done(operation)
        event = event_of(operation)
        if event:
            self.host.tell(self.workload, event)

    def _retry(self, members: Members) -> None:
        """Try again what has failed halfway: the pod is on record, and so no step asks for it any more."""
        for name in [name for name in self.failures if name in members and name not in self._busy]:
            self._begin(_Mend(name, "its last attempt failed"), self._mend_named(name))

    def _mend_named(self, name: str) -> Callable[[Podman], None]:
        return lambda podman: self._mend_one(podman, name)

    def _mend_one(self, podman: Podman, name: str) -> None:
        """Bring a pod to what its record says."""
        record = self.host.store.read_record(name)
        if record:
            self._apply(podman, record.applied.pod, record.settings)

    def _add(self, podman: Podman, pod: s.PodSpec, operation: AddPod) -> None:
        """A keeper makes the pod from its record, and tries again by itself; without one it is made here."""
        settings = replace(self.host.settings, owner=self._owner(operation))
        if self.host.agent:
            with self._alone(pod.name):
                self.host.agent.keep(pod, settings)
        else:
            self._apply(podman, pod, settings)

    def _apply(self, podman: Podman, pod: s.PodSpec, settings: Settings) -> None:
        request = self._request(pod.name, "started", pod, settings)
        with self._alone(pod.name):
            run = Run(podman, self.host.store, request, agent=self.host.agent)
            run.execute()
        # From here on the driver's own thread looks at it.
        run.podman = self.host.podman
        self._watches[pod.name] = run, run.watch()

    def _end(self, podman: Podman, name: str, cause: str) -> None:
        self._watches.pop(name, None)
        with self._alone(name):
            request = replace(self._request(name, "absent", None, self.host.settings), absent_cause=cause)
            Run(podman, self.host.store, request, agent=self.host.agent).carry_out()

    @contextlib.contextmanager
    def _alone(self, pod: str) -> Iterator[None]:
        host = self.host
        if pod in host.reserved:
            yield
            return
        with only_run(host.store, host.agent, pod, host.wait_timeout_seconds, lambda: None):
            yield

    def _request(self, name: str, state: str, pod: s.PodSpec | None, settings: Settings) -> Request:
        return Request(
            name=name,
            state=state,
            pod=pod,
            wait=False,
            wait_timeout_seconds=self.host.wait_timeout_seconds,
            on_failure="",
            is_check=False,
            settings=settings,
        )

    def _owner(self, operation: AddPod) -> Owner:
        workload = self.workload
        return Owner(workload.kind, workload.name, operation.revision, operation.number, operation.index)


@dataclass(frozen=True)
class _Mend(op.Operation):
    """Bring a pod to what its record says; no operation that a user sees."""

    verb = "mend"


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


def _submit(work: Callable[[], None]) -> Future[None]:
    """Do it in a thread of its own: what it waits for may be another pod of the same workload."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, daemon=True).start()
    return future


def _remove_claim(podman: Podman, volume: str) -> None:
    with contextlib.suppress(NotFound):
        named_volumes.remove(podman, volume)
