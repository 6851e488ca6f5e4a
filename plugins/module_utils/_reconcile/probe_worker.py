# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to probe and how to stop: pure steps over observed facts and a clock that is handed in.

All instants are seconds on one clock, the caller's, shared with the containers' start and finish times. Nothing here
changes in place: every step returns the new state.
Source: Kubernetes 1.32 (kubelet ``prober`` and ``kuberuntime``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from .._declaration.spec import RestartPolicy

ProbeKind = Literal["liveness", "readiness", "startup"]
Outcome = Literal["Success", "Failure", "Unknown"]
RunState = Literal["waiting", "running", "terminated"]

# What a probe is taken to say before it has run.
INITIAL_RESULTS: Mapping[ProbeKind, Outcome] = {"liveness": "Success", "readiness": "Failure", "startup": "Unknown"}
# How often a prober that cannot run at all is tried before the attempt is dropped as Unknown.
PROBER_ATTEMPTS = 3
MINIMUM_STOP_SECONDS = 2
DEFAULT_GRACE_PERIOD_SECONDS = 30

_FINAL_PHASES = ("Succeeded", "Failed")


# -- Probes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProbeSettings:
    """When a probe runs and how many equal outcomes in a row count; the defaults are Kubernetes'."""

    initial_delay_seconds: float = 0
    period_seconds: float = 10
    timeout_seconds: float = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    beat_seconds: float = 0
    """From the second attempt on, fall on multiples of this, so that many probes fall together; 0 for as they come."""


@dataclass(frozen=True)
class PodFacts:
    """What a probe worker needs to know of the pod."""

    phase: str
    deleting: bool = False


@dataclass(frozen=True)
class ContainerFacts:
    """What a probe worker needs to know of its container.

    ``container_id`` names one run of it: where a container can be started again under the same ID, make the start part
    of it. ``started_at_seconds`` matters while it runs. ``started``: the startup probe has passed, or there is none.
    ``restart_policy``: the one that holds for this container (Always for a sidecar).
    """

    container_id: str
    state: RunState
    started_at_seconds: float = 0
    started: bool = False
    restart_policy: RestartPolicy = "Always"


class ProbeStep(NamedTuple):
    """The worker after an observation, and whether the probe is to run now."""

    worker: ProbeWorker
    probe: bool


@dataclass(frozen=True)
class ProbeWorker:
    """One probe of one container, over all the containers that come and go under that name.

    The supervisor calls ``observe`` when the facts change or ``due_at_seconds`` has come; if told to probe it runs the
    handler and hands the outcome to ``record``. ``result`` is what the probe says of ``container_id``, None before
    there was a container.
    """

    kind: ProbeKind
    settings: ProbeSettings = ProbeSettings()
    container_id: str = ""
    result: Outcome | None = None
    last_outcome: Outcome | None = None
    outcome_run: int = 0
    on_hold: bool = False
    stopped: bool = False
    due_at_seconds: float | None = None

    @property
    def ends_container(self) -> bool:
        """Whether this probe has failed for good, so that its container must be ended (never for readiness)."""
        return self.on_hold and self.result == "Failure"

    def observe(self, pod: PodFacts | None, container: ContainerFacts | None, now_seconds: float) -> ProbeStep:
        """Take in the facts (None: not known yet); decides whether to probe now and when to look again.

        After it ``due_at_seconds`` is the next instant to observe, None where only a change of the facts matters;
        ``stopped`` means the worker has nothing left to do.
        """
        if pod is None:
            return ProbeStep(self, False)
        if pod.phase in _FINAL_PHASES:
            return ProbeStep(replace(self, stopped=True, due_at_seconds=None), False)
        if container is None or not container.container_id:
            return ProbeStep(replace(self, due_at_seconds=None), False)
        worker = self._adopt(container.container_id)
        if worker.on_hold or worker.stopped:
            return ProbeStep(worker, False)
        idle = worker._idle(pod, container)
        return ProbeStep(idle, False) if idle is not None else worker._schedule(container, now_seconds)

    def record(self, outcome: Outcome, container_id: str) -> ProbeWorker:
        """Count an outcome of the probe run against ``container_id``.

        Dropped: Unknown (the prober could not run, which says nothing of the container), and what comes too late, for
        a container that is gone or a worker that is on hold or stopped.
        """
        if outcome == "Unknown" or self.on_hold or self.stopped or container_id != self.container_id:
            return self
        run = self.outcome_run + 1 if outcome == self.last_outcome else 1
        counted = replace(self, last_outcome=outcome, outcome_run=run)
        threshold = self.settings.success_threshold if outcome == "Success" else self.settings.failure_threshold
        if run < threshold:
            return counted
        # A startup probe is over once it has decided; a failed liveness probe waits for the container's successor.
        if self.kind == "startup" or (self.kind == "liveness" and outcome == "Failure"):
            return replace(counted, result=outcome, outcome_run=0, on_hold=True, due_at_seconds=None)
        return replace(counted, result=outcome)

    def _adopt(self, container_id: str) -> ProbeWorker:
        """Start over for a new container."""
        if container_id == self.container_id:
            return self
        return ProbeWorker(self.kind, self.settings, container_id, INITIAL_RESULTS[self.kind])

    def _idle(self, pod: PodFacts, container: ContainerFacts) -> ProbeWorker | None:
        """The worker if there is nothing to probe now; None if there is."""
        waiting = replace(self, due_at_seconds=None)
        if container.state != "running":
            over = container.state == "terminated" and container.restart_policy == "Never"
            return replace(waiting, result="Failure", stopped=over)
        if pod.deleting and self.kind != "readiness":
            # A last Success keeps the shutdown quiet.
            return replace(waiting, result="Success", stopped=True)
        if container.started == (self.kind == "startup"):
            return waiting
        return None

    def _schedule(self, container: ContainerFacts, now_seconds: float) -> ProbeStep:
        """Probe at the initial delay after the start, then every period; a late call never makes up for missed ones."""
        settings = self.settings
        first = container.started_at_seconds + settings.initial_delay_seconds
        due = first if self.due_at_seconds is None else self.due_at_seconds
        # After the clock was set back the probe must not wait for it to catch up.
        due = min(due, now_seconds + max(settings.initial_delay_seconds, settings.period_seconds))
        if now_seconds < due:
            return ProbeStep(replace(self, due_at_seconds=due), False)
        following = due + ((now_seconds - due) // settings.period_seconds + 1) * settings.period_seconds
        on_beat = following // settings.beat_seconds * settings.beat_seconds if settings.beat_seconds else following
        return ProbeStep(replace(self, due_at_seconds=on_beat if on_beat > now_seconds else following), True)


def container_started(container: ContainerFacts, startup: ProbeWorker | None) -> bool:
    """Kubernetes' ``started``: running, and its startup probe, if it has one, has passed."""
    return container.state == "running" and _passed(container, startup)


def container_ready(container: ContainerFacts, readiness: ProbeWorker | None) -> bool:
    """Kubernetes' ``ready``: started, and its readiness probe, if it has one, says Success."""
    return container.state == "running" and container.started and _passed(container, readiness)


def _passed(container: ContainerFacts, worker: ProbeWorker | None) -> bool:
    return worker is None or (worker.container_id == container.container_id and worker.result == "Success")


# -- Restarts ---------------------------------------------------------------------------------------------------------


# -- Termination ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TerminationBudget:
    """The grace period of one container's end; its preStop hook and the wait for its turn both count against it."""

    grace_period_seconds: int
    began_at_seconds: float
    minimum_stop_seconds: int = MINIMUM_STOP_SECONDS
    """Less only where whoever ends it has asked for less."""

    def hook_seconds(self, now_seconds: float) -> float:
        """How long preStop may run; at 0 it is not run."""
        return max(self.grace_period_seconds - self._elapsed_seconds(now_seconds), 0)

    def stop_seconds(self, now_seconds: float) -> int:
        """The time between the stop signal and KILL: what is left, 2 s at least; 0 is KILL alone."""
        return max(self.grace_period_seconds - int(self._elapsed_seconds(now_seconds)), self.minimum_stop_seconds)

    def _elapsed_seconds(self, now_seconds: float) -> float:
        return max(now_seconds - self.began_at_seconds, 0)


def grace_period_seconds(
    pod_seconds: int | None = None, deletion_seconds: int | None = None, probe_seconds: int | None = None
) -> int:
    """The grace period that holds: the deletion's own, else the failed probe's, else the pod's, else 30."""
    for seconds in (deletion_seconds, probe_seconds, pod_seconds):
        if seconds is not None:
            return seconds
    return DEFAULT_GRACE_PERIOD_SECONDS


def termination_order(containers: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The waves in which a pod's running containers get their stop signal, each once the one before has ended.

    ``containers`` as (name, role) in declared order, init containers and sidecars first. The apps, and an init
    container that still runs, go together; then the sidecars one by one, the last declared first. preStop hooks wait
    for no wave: all start when the pod's termination does.
    """
    first = tuple(name for name, role in containers if role != "sidecar")
    sidecars = [name for name, role in containers if role == "sidecar"]
    return ((first,) if first else ()) + tuple((name,) for name in reversed(sidecars))
