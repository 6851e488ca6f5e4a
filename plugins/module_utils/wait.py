# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one poll loop: look at the pod, run the probes that are due, until it is ready or cannot become so.

Probes run by the rules of the kubelet's workers (`lifecycle.ProbeWorker`). Between two counted attempts of a probe
that has not succeeded yet it is tried again, ever more slowly; such a try can only succeed, a failure of it does
not count. So a pod is seen ready when it is, and a startup probe still has all its time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Protocol

from . import lifecycle, probes
from . import spec as s
from .container_output import shown_log
from .errors import ContainerFailed, NotFound, PodFailed
from .observe import observe_pod
from .observed import ObservedContainer, ObservedPod, read_time
from .podman import Podman
from .status import final_failure, from_kubernetes
from .store import Store
from .supervisor import settings_of

STABLE_SECONDS = 1.0
"""How long a container without a readiness probe must have run to count as ready when it was just started."""

_POLL_SECONDS = 0.05
_FIRST_RETRY_SECONDS = 0.1
_CRASH_SECONDS = 30.0
_LOG_PAUSES_SECONDS = (0.2, 0.5)


@dataclass
class _Prober:
    """The workers of one container, and when the eager tries between the counted ones come."""

    startup: lifecycle.ProbeWorker | None
    readiness: lifecycle.ProbeWorker | None
    retry_at: float = 0.0
    retry_pause: float = _FIRST_RETRY_SECONDS
    message: str = ""
    run: str = ""
    run_started_at: float = 0.0


@dataclass
class _History:
    """What was seen of a container's restarts while waiting."""

    starts: set[str] = field(default_factory=set)
    first_exit_at: float | None = None


class Watch(Protocol):
    """Sees a pod become ready, as a `Waiter` does by looking itself."""

    started: dict[str, bool]
    ready: dict[str, bool]
    seen: ObservedPod | None
    status: Mapping[str, Any]
    """The pod's status where somebody else keeps it, which knows more than can be seen; else empty."""

    def await_ready(self, observed: ObservedPod | None = None) -> ObservedPod | None: ...

    def await_completed(self, observed: ObservedPod | None = None) -> ObservedPod | None: ...

    def look(self, observed: ObservedPod | None = None) -> ObservedPod | None: ...

    def messages(self) -> dict[str, str]: ...


class Waiter:
    """Waits for gates and readiness of one pod; ``deadline`` is in monotonic seconds."""

    crashes = 5
    """How often a container may end within half a minute and be waited for still."""

    def __init__(
        self,
        podman: Podman,
        store: Store,
        pod: s.PodSpec,
        target: Callable[[s.Container], probes.Target],
        deadline: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``pause`` waits so many seconds between two looks, and may raise to end the wait."""
        self._podman = podman
        self._sleep = pause
        self._store = store
        self._pod = pod
        self._target = target
        self._deadline = deadline
        self._probers = {c.name: _prober(c) for c in pod.all_containers}
        self._histories = {c.name: _History() for c in pod.all_containers}
        self.started: dict[str, bool] = {}
        self.ready: dict[str, bool] = {}
        self.status: Mapping[str, Any] = {}
        self.seen: ObservedPod | None = None
        """The pod as it was looked at last."""

    def await_started(self, container: s.Container) -> None:
        """Wait until a sidecar runs and its startup probe has passed. Raises ContainerFailed or Timeout."""
        while True:
            observed = observe_pod(self._podman, self._store, self._pod.name)
            found = observed.find(container.name) if observed else None
            if self._look_at(container, found) or self.started.get(container.name):
                return
            self._pause([container], observed)

    def await_ready(self, observed: ObservedPod | None = None) -> ObservedPod | None:
        """Wait until the pod is ready or, under a restart policy that lets it end, has succeeded.

        ``observed``: the pod as it was seen just now, where it was. Raises ContainerFailed for what will not come
        about by waiting, PodFailed for a pod that may run no longer, Timeout when the time is over.
        """
        awaited = [c for c in self._pod.all_containers if self._pod.role_of(c) != "init"]
        while True:
            observed = self._look_for_good(observed)
            if all(self.ready.get(c.name) or self._is_done(c, observed) for c in awaited):
                return observed
            self._pause(awaited, observed)
            observed = None

    def await_completed(self, observed: ObservedPod | None = None) -> ObservedPod | None:
        """Wait until every main container has ended with exit code 0. Raises as `await_ready` does."""
        while True:
            observed = self._look_for_good(observed)
            if all(self._is_done(container, observed) for container in self._pod.containers):
                return observed
            self._pause(list(self._pod.containers), observed)
            observed = None

    def look(self, observed: ObservedPod | None = None) -> ObservedPod | None:
        """One look at the pod: run what probes are due and note who has started and is ready."""
        observed = observed or observe_pod(self._podman, self._store, self._pod.name)
        self.seen = observed
        for container in self._pod.all_containers:
            if self._pod.role_of(container) != "init":
                self._look_at(container, observed.find(container.name) if observed else None)
        return observed

    def _look_for_good(self, observed: ObservedPod | None) -> ObservedPod | None:
        """One look; PodFailed where waiting will not help, since the pod may run no longer."""
        observed = self.look(observed)
        if self.status.get("phase") == "Failed":
            failure = final_failure(self._pod, from_kubernetes(self.status, self._pod))
            if failure:
                raise PodFailed(self._pod.name, failure.reason, failure.message)
        return observed

    def messages(self) -> dict[str, str]:
        """The last failing probe's words, by container."""
        return {name: prober.message for name, prober in self._probers.items() if prober.message}

    def _is_done(self, container: s.Container, observed: ObservedPod | None) -> bool:
        """Whether the container has ended as it was meant to; a failure for good is raised."""
        if self._pod.role_of(container) == "sidecar":
            return all(self._is_done(c, observed) for c in self._pod.containers)
        found = observed.find(container.name) if observed else None
        if found is None or not found.has_exited:
            return False
        latest = "succeeded" if found.exit_code == 0 else "failed"
        if lifecycle.should_restart(latest, self._pod.restart_policy, False):  # type: ignore[arg-type]
            return False
        if found.exit_code == 0:
            return True
        raise self._failed(container, "Error", f"exited with code {found.exit_code}")

    def _look_at(self, container: s.Container, found: ObservedContainer | None) -> bool:
        """Bring one container's workers up to date; tells whether it is ready."""
        prober, now = self._probers[container.name], time.time()
        self._note_restarts(container, found, now)
        facts = self._facts(prober, found, now)
        pod_facts = lifecycle.PodFacts("Running")
        if prober.startup:
            prober.startup = self._step(container, prober, prober.startup, pod_facts, facts, now)
            if prober.startup.ends_container:
                raise self._failed(container, "StartupProbeFailed", f"its startup probe failed: {prober.message}")
        started = facts is not None and lifecycle.container_started(facts, prober.startup)
        if facts is not None:
            facts = lifecycle.ContainerFacts(facts.container_id, facts.state, facts.started_at_seconds, started)
        if prober.readiness and started:
            prober.readiness = self._step(container, prober, prober.readiness, pod_facts, facts, now)
        self.started[container.name] = started
        self.ready[container.name] = (
            facts is not None
            and lifecycle.container_ready(facts, prober.readiness)
            and self._is_stable(container, found, facts)
        )
        return self.ready[container.name]

    def _facts(self, prober: _Prober, found: ObservedContainer | None, now: float) -> lifecycle.ContainerFacts | None:
        """One run of the container: Podman starts it again under the same id, so the process is part of it."""
        if found is None:
            return None
        run = found.run
        if run != prober.run:
            prober.run, prober.run_started_at = run, self._started_at(prober, found, now)
        state: lifecycle.RunState = "running" if found.is_running else ("terminated" if found.has_exited else "waiting")
        return lifecycle.ContainerFacts(run, state, prober.run_started_at)

    def _started_at(self, prober: _Prober, found: ObservedContainer, now: float) -> float:
        """When the run started. The list of containers tells whole seconds, so a young one is asked about itself."""
        workers = [worker for worker in (prober.startup, prober.readiness) if worker]
        delays = [worker.settings.initial_delay_seconds for worker in workers]
        listed = found.started_at or 0.0
        if not found.is_running or now - listed > 1 + max([STABLE_SECONDS, *delays]):
            return listed
        with contextlib.suppress(NotFound):
            state = self._podman.get(f"/containers/{found.id}/json")["State"]
            return read_time(state.get("StartedAt")) or listed
        return listed

    def _is_stable(
        self, container: s.Container, found: ObservedContainer | None, facts: lifecycle.ContainerFacts
    ) -> bool:
        """A process that ends at once is seen running for a moment; without a probe only time tells.

        Podman may tell of it a good while longer than the kernel.
        """
        if container.readiness_probe or container.startup_probe or found is None:
            return True
        return is_stable_since(facts.started_at_seconds, time.time()) and Path(f"/proc/{found.pid}").exists()

    def _step(
        self,
        container: s.Container,
        prober: _Prober,
        worker: lifecycle.ProbeWorker,
        pod_facts: lifecycle.PodFacts,
        facts: lifecycle.ContainerFacts | None,
        now: float,
    ) -> lifecycle.ProbeWorker:
        worker, counts = worker.observe(pod_facts, facts, now)
        is_running = facts is not None and facts.state == "running"
        eager = (
            not counts and is_running and worker.result != "Success" and not worker.on_hold and now >= prober.retry_at
        )
        delay_is_over = facts is not None and now >= facts.started_at_seconds + worker.settings.initial_delay_seconds
        if not counts and not (eager and delay_is_over):
            return worker
        declared = container.startup_probe if worker.kind == "startup" else container.readiness_probe
        if declared is None or facts is None:
            return worker
        outcome = probes.check(declared, declared.timeout_seconds, self._target(container), self._podman)
        result: lifecycle.Outcome = "Success" if outcome.result == "Warning" else outcome.result
        prober.message = "" if result == "Success" else outcome.message
        prober.retry_at = time.time() + prober.retry_pause
        prober.retry_pause = min(prober.retry_pause * 1.5, float(declared.period_seconds))
        if counts or result == "Success":
            worker = worker.record(result, facts.container_id)
        return worker

    def _note_restarts(self, container: s.Container, found: ObservedContainer | None, now: float) -> None:
        """Raise ContainerFailed once a container has crashed again and again for a good while."""
        history = self._histories[container.name]
        # One that ends at once is never seen running.
        if found is None or not (found.is_running or found.has_exited):
            return
        history.starts.add(found.run)
        if len(history.starts) < 2:
            return
        history.first_exit_at = history.first_exit_at or now
        if len(history.starts) > self.crashes and now - history.first_exit_at > _CRASH_SECONDS:
            raise self._failed(
                container,
                "CrashLoopBackOff",
                f"ended {len(history.starts)} times in {now - history.first_exit_at:.0f} s",
            )

    def _pause(self, awaited: list[s.Container], observed: ObservedPod | None) -> None:
        if time.monotonic() < self._deadline:
            self._sleep(_POLL_SECONDS)
            return
        unready = [c for c in awaited if not self.ready.get(c.name)]
        first = unready[0]
        names = ", ".join(c.name for c in unready)
        raise self._failed(
            first, "ContainersNotReady", f"containers with unready status: [{names}]; {self._why(first, observed)}"
        )

    def _why(self, container: s.Container, observed: ObservedPod | None) -> str:
        found = observed.find(container.name) if observed else None
        message = self._probers[container.name].message
        if found is None:
            return f"container {container.name} does not exist"
        if not found.is_running:
            return f"container {container.name} is {found.state} (exit code {found.exit_code})"
        starts = len(self._histories[container.name].starts)
        restarts = f", started {starts} times while waiting" if starts > 1 else ""
        kind = "readiness" if self.started.get(container.name) else "startup"
        return f"its {kind} probe fails: {message}{restarts}" if message else f"it runs{restarts}"

    def _failed(self, container: s.Container, reason: str, message: str) -> ContainerFailed:
        return ContainerFailed(self._pod.name, container.name, reason, message, self._last_lines(container))

    def _last_lines(self, container: s.Container) -> str:
        """The end of the container's log. Of one that has just ended the monitor may write it a moment later."""
        logs = ""
        for pause in (0.0, *_LOG_PAUSES_SECONDS):
            time.sleep(pause)
            logs = shown_log(self._podman, self._pod.podman_name(container.name))
            if logs:
                break
        return logs


def is_stable_since(started_at: float, now: float) -> bool:
    """Whether a container has run for long enough. A start in the future is one before the clock was set back."""
    return not 0 <= now - started_at < STABLE_SECONDS


def _prober(container: s.Container) -> _Prober:
    startup, readiness = container.startup_probe, container.readiness_probe
    return _Prober(
        lifecycle.ProbeWorker("startup", settings_of(startup)) if startup else None,
        lifecycle.ProbeWorker("readiness", settings_of(readiness)) if readiness else None,
    )
