# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is next for a pod that is kept alive: pure steps over what is seen of it and a clock that is handed in.

`ProbeWorker` and `Backoff` of `probe_worker` say when; this module joins those of all containers of one pod. It is what
the agent runs, and what the tables of its tests run against.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from ..._declaration import spec as s
from ..backoff import CONTAINER_BACKOFF, Backoff, container_backoff_key
from ..observed import ObservedContainer, ObservedPod
from ..probe_worker import (
    ContainerFacts,
    Outcome,
    PodFacts,
    ProbeKind,
    ProbeSettings,
    ProbeWorker,
    RunState,
    container_ready,
    container_started,
    grace_period_seconds,
)
from ..restart_policy import is_restarted, policy_of

KINDS: tuple[ProbeKind, ...] = ("startup", "liveness", "readiness")
MIN_READY_SECONDS = 1
"""How long a container without a probe that tells must have run to count as available, unless declared otherwise."""


@dataclass(frozen=True)
class DueProbe:
    """A probe to attempt now, for the run ``run`` of its container; it was due at ``due_at_seconds``. ``probe`` has
    numbers in place of named ports.
    """

    container: str
    kind: ProbeKind
    run: str
    probe: s.Probe
    due_at_seconds: float = 0.0
    is_extra: bool = False
    """Whether it is an extra attempt because a run waits: only its success counts."""


@dataclass(frozen=True)
class Ending:
    """A container to end since its probe has failed for good; its restart policy decides what follows."""

    container: str
    kind: ProbeKind
    grace_seconds: int


@dataclass(frozen=True)
class Memory:
    """A pod's state from one step to the next: its probe workers and its back-off.

    ``ready_since``: for each ready container its run, and since when it is ready. ``kinds`` are the probes that are
    made.
    """

    pod: s.PodSpec
    workers: Mapping[tuple[str, ProbeKind], ProbeWorker] = field(default_factory=dict)
    backoff: Backoff = CONTAINER_BACKOFF
    ready_since: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    kinds: tuple[ProbeKind, ...] = KINDS

    def declared(self, pod: s.PodSpec) -> Memory:
        """The state under another declaration: an unchanged probe goes on.

        A changed probe starts over, without the outcomes of the former one.
        """
        workers = {}
        for container in pod.all_containers:
            before = self.pod.find(container.name)
            for kind in self.kinds:
                probe = _asked(container, kind)
                if probe is not None:
                    worker = ProbeWorker(kind, settings_of(probe))
                    if before and _asked(before, kind) == probe:
                        worker = self.workers.get((container.name, kind), worker)
                    workers[container.name, kind] = worker
        return replace(self, pod=pod, workers=workers)

    def recorded(self, due: DueProbe, outcome: Outcome) -> Memory:
        """The state after an attempt. The outcome of another declaration's probe is dropped."""
        worker, container = self.workers.get((due.container, due.kind)), self.pod.find(due.container)
        if worker is None or container is None or (due.is_extra and outcome != "Success"):
            return self
        if _asked(container, due.kind) != due.probe:
            return self
        return replace(self, workers={**self.workers, (due.container, due.kind): worker.record(outcome, due.run)})

    def restarted(self, found: ObservedContainer, now_seconds: float) -> Memory:
        """The state after a restart of a container: its next back-off is longer."""
        ended = found.finished_at or now_seconds
        backoff = self.backoff.next(_backoff_key(self.pod, found), ended, now_seconds)
        return replace(self, backoff=backoff.collect_garbage(now_seconds))


@dataclass(frozen=True)
class Step:
    """What one look comes to. ``backing_off`` are the containers that wait for their restart, and until when.

    ``ready`` are those that Kubernetes calls so, ``available`` those that were so for as long as is asked for: what a
    run waits for. ``next_at_seconds`` is when to take the next step even if nothing changes, None for never;
    ``look_at_seconds`` when another look at the pod would show a container available that is ready.
    """

    memory: Memory
    started: Mapping[str, bool]
    ready: Mapping[str, bool]
    available: Mapping[str, bool]
    probes: tuple[DueProbe, ...] = ()
    endings: tuple[Ending, ...] = ()
    backing_off: Mapping[str, float] = field(default_factory=dict)
    restarts: tuple[str, ...] = ()
    next_at_seconds: float | None = None
    look_at_seconds: float | None = None


def step(
    memory: Memory, observed: ObservedPod | None, phase: str, now_seconds: float, has_failed: bool = False
) -> Step:
    """Take in what is seen of the pod, ``phase`` included, and decide what is next.

    ``has_failed``: the pod has failed for good, whatever its containers do, and nothing is to be done but to end them.
    """
    pod = memory.pod
    if has_failed:
        none = {container.name: False for container in pod.all_containers if pod.role_of(container) != "init"}
        return Step(memory, none, none, none)
    workers = dict(memory.workers)
    started: dict[str, bool] = {}
    ready: dict[str, bool] = {}
    available: dict[str, bool] = {}
    ready_since: dict[str, tuple[str, float]] = {}
    probes: list[DueProbe] = []
    if observed and any(found.is_running for found in observed.members):
        # A pod can run again after it has ended, and the phase is that of the look before.
        phase = "Running"
    for container in pod.all_containers:
        found = observed.find(container.name) if observed else None
        if pod.role_of(container) == "init":
            continue
        facts = _facts(pod, container, found)
        for kind in KINDS:
            worker = workers.get((container.name, kind))
            if worker is not None:
                due_at = worker.due_at_seconds
                worker, is_due = worker.observe(PodFacts(phase), facts, now_seconds)
                workers[container.name, kind] = worker
                probe = _asked(container, kind) if is_due else None
                if facts is not None and probe is not None:
                    probes.append(DueProbe(container.name, kind, facts.container_id, probe, due_at or now_seconds))
            if kind == "startup" and facts is not None:
                facts = replace(facts, started=container_started(facts, worker))
        started[container.name] = facts is not None and facts.started
        readiness = workers.get((container.name, "readiness"))
        ready[container.name] = facts is not None and container_ready(facts, readiness)
        available[container.name] = False
        if observed and found and ready[container.name]:
            since = _ready_since(memory, container, found, observed.seen_at, now_seconds)
            ready_since[container.name] = found.run, since
            available[container.name] = _is_available(pod, container, found, observed.seen_at - since)
    looks = [
        ready_since[name][1] + min_ready_seconds_of(pod, container)
        for name, container in ((c.name, c) for c in pod.all_containers)
        if ready.get(name) and not available[name]
    ]
    backing_off, restarts = restarts_due(memory, observed, now_seconds)
    due = [worker.due_at_seconds for worker in workers.values() if worker.due_at_seconds is not None]
    return Step(
        memory=replace(memory, workers=workers, ready_since=ready_since),
        started=started,
        ready=ready,
        available=available,
        probes=tuple(probes),
        endings=tuple(_endings(pod, workers, observed)),
        backing_off=backing_off,
        restarts=restarts,
        next_at_seconds=min([*due, *backing_off.values()], default=None),
        look_at_seconds=min(looks, default=None),
    )


def is_pod_available(pod: s.PodSpec, available: Mapping[str, bool], observed: ObservedPod | None) -> bool:
    """Whether each lasting container is available or has done its work: such a declaration is good."""
    lasting = (c for c in pod.all_containers if pod.role_of(c) != "init")
    return all(available.get(c.name) or has_succeeded(pod, c, observed) for c in lasting)


def has_succeeded(pod: s.PodSpec, container: s.Container, observed: ObservedPod | None) -> bool:
    """Whether a container has done its work for good; a sidecar's is done with that of all main containers."""
    if pod.role_of(container) == "sidecar":
        return all(has_succeeded(pod, main, observed) for main in pod.containers)
    found = observed.find(container.name) if observed else None
    if found is None or not found.has_exited or found.stopped_by_run or found.exit_code != 0:
        return False
    return not is_restarted(pod, container, found.exit_code)


def min_ready_seconds_of(pod: s.PodSpec, container: s.Container) -> int:
    """How long a container must have been ready to count as available."""
    if pod.min_ready_seconds is not None:
        return pod.min_ready_seconds
    return 0 if _has_readiness(container) else MIN_READY_SECONDS


def _has_readiness(container: s.Container) -> bool:
    """Whether a probe decides when the container is ready; else only time does."""
    return bool(container.readiness_probe or container.startup_probe)


def _ready_since(
    memory: Memory, container: s.Container, found: ObservedContainer, seen_at: float, now_seconds: float
) -> float:
    """Since when this run of the container is ready."""
    run, since = memory.ready_since.get(container.name, ("", 0.0))
    if run == found.run:
        # After the clock was set back it must not wait for that time again.
        return min(since, now_seconds)
    began_at = None if _has_readiness(container) else _began_at(found, seen_at, now_seconds)
    return now_seconds if began_at is None else began_at


def _began_at(found: ObservedContainer, seen_at: float, now_seconds: float) -> float | None:
    """The latest time at which a run began, by Podman and by the kernel, which starts the process first."""
    by_kernel = None if found.process_age_seconds is None else seen_at - found.process_age_seconds
    told = found.started_at
    if told is None or told > now_seconds:
        # The clock was set back since.
        return by_kernel
    # A list of containers knows whole seconds only.
    latest = told + 1 if float(told).is_integer() else told
    return latest if by_kernel is None else max(latest, by_kernel)


def _is_available(pod: s.PodSpec, container: s.Container, found: ObservedContainer, ready_seconds: float) -> bool:
    """Whether a container that is ready has been so for long enough when it was seen last."""
    wanted, age = min_ready_seconds_of(pod, container), found.process_age_seconds
    return wanted == 0 or (ready_seconds >= wanted and (age is None or age >= wanted))


def extra_probes(memory: Memory, step_: Step, observed: ObservedPod | None, now_seconds: float) -> tuple[DueProbe, ...]:
    """Extra attempts, before they are due, of the probes that keep containers from being ready."""
    due = {(probe.container, probe.kind) for probe in step_.probes}
    extra = []
    for container in memory.pod.all_containers:
        found = observed.find(container.name) if observed else None
        kind: ProbeKind = "readiness" if step_.started.get(container.name) else "startup"
        worker = memory.workers.get((container.name, kind))
        if found is None or not found.is_running or worker is None or (container.name, kind) in due:
            continue
        delay_is_over = now_seconds >= (found.started_at or 0) + worker.settings.initial_delay_seconds
        if worker.result != "Success" and not worker.on_hold and not worker.stopped and delay_is_over:
            probe = _asked(container, kind)
            extra += [DueProbe(container.name, kind, found.run, probe, now_seconds, is_extra=True)] if probe else []
    return tuple(extra)


def probe_of(container: s.Container, kind: ProbeKind) -> s.Probe | None:
    return cast("s.Probe | None", getattr(container, f"{kind}_probe"))


def is_grpc(probe: s.Probe | None) -> bool:
    return probe is not None and probe.grpc is not None


def _asked(container: s.Container, kind: ProbeKind) -> s.Probe | None:
    """A container's probe without what follows from its outcome (the grace period)."""
    probe = probe_of(container, kind)
    return replace(s.numbered(probe, container), termination_grace_period_seconds=None) if probe else None


def beat_of(period_seconds: float) -> float:
    """The largest power of two that is a fifth of the period at most.

    So the network probes of all pods fall together, whatever their periods, and an idle host works for a moment now and
    then instead of all the time. No probe is later than its period allows.
    """
    return float(2.0 ** math.floor(math.log2(period_seconds / 5)))


def settings_of(probe: s.Probe) -> ProbeSettings:
    return ProbeSettings(
        initial_delay_seconds=probe.initial_delay_seconds,
        period_seconds=probe.period_seconds,
        timeout_seconds=probe.timeout_seconds,
        success_threshold=probe.success_threshold,
        failure_threshold=probe.failure_threshold,
        # exec probes cost far more, and are better spread.
        beat_seconds=0 if probe.exec else beat_of(probe.period_seconds),
    )


def _facts(pod: s.PodSpec, container: s.Container, found: ObservedContainer | None) -> ContainerFacts | None:
    if found is None:
        return None
    state: RunState = "running" if found.is_running else ("terminated" if found.has_exited else "waiting")
    return ContainerFacts(
        container_id=found.run,
        state=state,
        started_at_seconds=found.started_at or 0,
        restart_policy=policy_of(pod, container),
    )


def restarts_due(
    memory: Memory, observed: ObservedPod | None, now_seconds: float
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The containers to restart: those in back-off with its end, and those that are due."""
    backing_off: dict[str, float] = {}
    restarts: list[str] = []
    for container in memory.pod.all_containers:
        found = observed.find(container.name) if observed else None
        if found is None or not found.has_exited or found.stopped_by_run or memory.pod.role_of(container) == "init":
            continue
        if is_restarted(memory.pod, container, found.exit_code):
            ended = found.finished_at or now_seconds
            wait = memory.backoff.wait_seconds(_backoff_key(memory.pod, found), ended, now_seconds)
            # An end in the future means that the clock was set back; it would wait for that time again.
            if wait > 0 and ended <= now_seconds:
                backing_off[container.name] = now_seconds + wait
            else:
                restarts.append(container.name)
    return backing_off, tuple(restarts)


def _backoff_key(pod: s.PodSpec, found: ObservedContainer) -> str:
    return container_backoff_key(pod.name, found.name, " ".join(f"{k}={v}" for k, v in sorted(found.digests.items())))


def _endings(
    pod: s.PodSpec, workers: Mapping[tuple[str, ProbeKind], ProbeWorker], observed: ObservedPod | None
) -> list[Ending]:
    endings: dict[str, Ending] = {}
    for (name, kind), worker in workers.items():
        container, found = pod.find(name), observed.find(name) if observed else None
        if container is None or found is None or not found.is_running:
            continue
        if worker.ends_container and worker.container_id == found.run:
            probe = probe_of(container, kind)
            own = probe.termination_grace_period_seconds if probe else None
            grace = grace_period_seconds(pod.termination_grace_period_seconds, probe_seconds=own)
            endings.setdefault(name, Ending(name, kind, grace))
    return list(endings.values())
