# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one poll loop: look at the pod, again and again, until it is ready or cannot become so.

`pod.step.step` alone decides who is ready. A `Waiter` drives the probes itself; for a pod that the agent keeps, its
keeper does (`kept_watch.KeptWatch`).
"""

from __future__ import annotations

import abc
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from .._declaration import spec as s
from .._errors import ContainerFailed, NotFound, PodFailed, PodmanError
from .._host import probes
from .._host.observe import observe_pod
from .._host.podman.client import Podman
from .._host.podman.container_output import shown_log
from .._host.store import Store
from .._reconcile import backoff
from .._reconcile.observed import ObservedContainer, ObservedPod, read_ended, read_time
from .._reconcile.pod.step import min_ready_seconds_of
from .._reconcile.pod_status import final_failure
from .._reconcile.rendering.limits import words_of_end
from .._reconcile.restart_policy import is_restarted
from .._reconcile.status_documents import from_kubernetes
from .prober import Prober

_POLL_SECONDS = (0.05, 0.5)
"""The shortest pause between two looks, and the longest."""
_CRASH_SECONDS = 30.0
_LOG_PAUSES_SECONDS = (0.2, 0.5)


@dataclass
class _History:
    """A container's restarts while a run waits."""

    starts: set[str] = field(default_factory=set)
    first_exit_at: float | None = None


class Watch(abc.ABC):
    """Waits for gates and readiness of one pod; ``deadline`` is in monotonic seconds."""

    crashes = 5
    """How many ends within half a minute a wait tolerates."""
    pause_factor = 1.0
    """How much longer its pauses may be than those of a wait that does not know when to look again."""

    def __init__(
        self, podman: Podman, pod: s.PodSpec, deadline: float, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """``pause`` waits so many seconds between two looks, and may raise to end the wait."""
        self._podman = podman
        self._pod = pod
        self._deadline = deadline
        self._sleep = pause
        self._began_at = time.monotonic()
        self._histories = {c.name: _History() for c in pod.all_containers}
        self.is_proven = False
        """Whether the pod was available before and nothing was done to it since: it need not prove that once more."""
        self.started: Mapping[str, bool] = {}
        self.ready: Mapping[str, bool] = {}
        self.available: Mapping[str, bool] = {}
        self.messages: Mapping[str, str] = {}
        """The last failing probe's words, by container."""
        self.failures: Mapping[str, str] = {}
        """The words of startup probes that have failed for good, by container."""
        self.status: Mapping[str, Any] = {}
        """The pod's status where somebody else keeps it, which knows more than can be seen; else empty."""
        self.seen: ObservedPod | None = None
        """The pod as it was looked at last."""
        self.is_current = True
        """Whether that look counts; else nothing but an earlier status is known."""

    @abc.abstractmethod
    def _see(self, observed: ObservedPod | None) -> None:
        """Take one observation. ``observed``: the pod, if it was just observed."""

    def changed(self) -> None:  # noqa: B027
        """The pod was changed: earlier observations no longer count."""

    def look(self, observed: ObservedPod | None = None) -> ObservedPod | None:
        """Observe the pod once. Raises ContainerFailed for what waiting cannot mend."""
        self._see(observed)
        for container in self._lasting:
            self._note_restarts(container, self.seen.find(container.name) if self.seen else None, time.time())
            if container.name in self.failures:
                message = f"its startup probe failed: {self.failures[container.name]}"
                raise self._failed(container, "StartupProbeFailed", message)
        return self.seen

    def await_started(
        self, container: s.Container, mend: Callable[[ObservedPod | None], bool] = lambda observed: False
    ) -> None:
        """Wait until a sidecar runs and its startup probe has passed. Raises ContainerFailed or Timeout.

        ``mend`` is called after each observation; it returns whether it did anything.
        """
        while True:
            observed = self.look()
            if self.started.get(container.name):
                return
            if mend(observed):
                self.changed()
            self._pause([container], observed)

    def await_ready(self, observed: ObservedPod | None = None) -> ObservedPod | None:
        """Wait until the pod is ready or, under a restart policy that lets it end, has succeeded.

        ``observed``: the pod as it was seen just now, where it was. Raises ContainerFailed for what will not come
        about by waiting, PodFailed for a pod that may run no longer, Timeout when the time is over.
        """
        while True:
            observed = self._look_for_good(observed)
            if self.is_ready():
                return observed
            self._pause(self._lasting, observed)
            observed = None

    def await_completed(self, observed: ObservedPod | None = None) -> ObservedPod | None:
        """Wait until every main container has ended with exit code 0. Raises as `await_ready` does."""
        while True:
            observed = self._look_for_good(observed)
            if all(self._is_done(container) for container in self._pod.containers):
                return observed
            self._pause(list(self._pod.containers), observed)
            observed = None

    def is_ready(self) -> bool:
        """Whether each container was available at the last look, or had done its work. Raises ContainerFailed."""
        return all(self._is_available(c) or self._is_done(c) for c in self._lasting)

    def _is_available(self, container: s.Container) -> bool:
        if self.available.get(container.name):
            return True
        has_probe = bool(container.readiness_probe or container.startup_probe)
        return self.is_proven and has_probe and self.ready.get(container.name, False)

    @property
    def _lasting(self) -> list[s.Container]:
        """The containers that run once the pod is initialized."""
        return [c for c in self._pod.all_containers if self._pod.role_of(c) != "init"]

    def _look_for_good(self, observed: ObservedPod | None) -> ObservedPod | None:
        """Observe once; raises PodFailed if the pod may run no longer."""
        observed = self.look(observed)
        if self.is_current and self.status.get("phase") == "Failed":
            failure = final_failure(self._pod, from_kubernetes(self.status, self._pod))
            if failure:
                raise PodFailed(self._pod.name, failure.reason, failure.message)
        return observed

    def _is_done(self, container: s.Container) -> bool:
        """Whether the container has ended as it was meant to; a failure for good is raised."""
        if self._pod.role_of(container) == "sidecar":
            return all(self._is_done(c) for c in self._pod.containers)
        found = self.seen.find(container.name) if self.seen else None
        if found is None or not found.has_exited:
            return False
        if is_restarted(self._pod, container, found.exit_code):
            return False
        if found.exit_code == 0:
            return True
        raise self._failed(container, "Error", self._end_of(container, found))

    def _note_restarts(self, container: s.Container, found: ObservedContainer | None, now: float) -> None:
        """Raise ContainerFailed once a container has crashed again and again for a good while."""
        history = self._histories[container.name]
        # A container that ends at once is never observed running.
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
            self._sleep(self._pause_seconds())
            return
        unready = [c for c in awaited if not self._is_available(c)] or awaited
        first = unready[0]
        names = ", ".join(c.name for c in unready)
        raise self._failed(
            first, "ContainersNotReady", f"containers with unready status: [{names}]; {self._why(first, observed)}"
        )

    def _pause_seconds(self) -> float:
        """How long until the next look: ever longer, but no longer than until something is due."""
        now, shortest = time.monotonic(), _POLL_SECONDS[0]
        pause = backoff.poll_pause_seconds((now - self._began_at) * self.pause_factor, *_POLL_SECONDS)
        due_at = self.due_at_seconds
        left = [self._deadline - now] + ([] if due_at is None else [due_at - time.time()])
        return max(min(pause, *left), shortest)

    @property
    def due_at_seconds(self) -> float | None:
        """When this watch has something to do itself (seconds since the epoch); None for nothing it knows of."""
        return None

    def _why(self, container: s.Container, observed: ObservedPod | None) -> str:
        name = container.name
        found, message = observed.find(name) if observed else None, self.messages.get(name, "")
        if found is None:
            return f"container {name} does not exist"
        if not found.is_running:
            ended = self._end_of(container, found)
            return f"container {name} {ended}" if found.has_exited else f"container {name} is {found.state}"
        starts = len(self._histories[name].starts)
        restarts = f", started {starts} times while waiting" if starts > 1 else ""
        if self.ready.get(name):
            return f"it has not been ready for {min_ready_seconds_of(self._pod, container)} s yet{restarts}"
        kind = "readiness" if self.started.get(name) else "startup"
        return f"its {kind} probe fails: {message}{restarts}" if message else f"it runs{restarts}"

    def _end_of(self, container: s.Container, found: ObservedContainer) -> str:
        """How a container has ended. Whether memory ran out only its inspection says, and not the list."""
        inspected = None
        with contextlib.suppress(PodmanError):
            inspected = read_ended(container.name, self._podman.get(f"/containers/{found.id}/json"))
        return words_of_end(container, found.exit_code, inspected.oom_killed if inspected else None)

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


class Waiter(Watch):
    """Observes a pod that no keeper has, and makes its startup and readiness probes.

    Liveness is left to whoever keeps the pod afterwards: Podman.
    """

    pause_factor = 2.5
    """Each of its looks is three calls to Podman, and it knows when the next one is due."""

    def __init__(
        self,
        podman: Podman,
        store: Store,
        pod: s.PodSpec,
        target: Callable[[s.Container], probes.Target],
        deadline: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(podman, pod, deadline, pause)
        self._store = store
        self._target = target
        self._starts: dict[str, float] = {}
        self._prober = Prober(
            submit=lambda attempt: attempt(podman),
            deliver=lambda take: take(),
            kinds=("startup", "readiness"),
        )
        self._prober.declare(pod)
        self.messages, self.failures = self._prober.messages, self._prober.failures

    def _see(self, observed: ObservedPod | None) -> None:
        self.seen = observed or observe_pod(self._podman, self._store, self._pod.name)
        exact = self._with_exact_starts(self.seen) if self.seen else None
        self._prober.hurry()
        step, started = self._prober.look(exact, "Running", self._target), None
        # Containers that just started are probed at once; slow probes do not delay the end of the wait.
        while self._prober.has_news and step.started != started:
            started, step = step.started, self._prober.look(exact, "Running", self._target)
        self.started, self.ready, self.available = step.started, step.ready, step.available

    @property
    def due_at_seconds(self) -> float | None:
        """Its next probe, or the moment at which a container will have been ready for long enough."""
        step, hurries_at = self._prober.step, self._prober.hurries_at
        extra_at = None if hurries_at is None else time.time() + hurries_at - time.monotonic()
        return min(
            (at for at in (step.next_at_seconds, step.look_at_seconds, extra_at) if at is not None), default=None
        )

    def _with_exact_starts(self, observed: ObservedPod) -> ObservedPod:
        """The list has whole seconds, so a young container is inspected for its exact start."""
        now = time.time()
        exact = [replace(c, started_at=self._started_at(c, now)) if c.is_running else c for c in observed.members]
        return replace(observed, containers=tuple(exact))

    def _started_at(self, found: ObservedContainer, now: float) -> float | None:
        container, listed = self._pod.find(found.name), found.started_at
        if container is None or listed is None:
            return listed
        declared = [probe for probe in (container.startup_probe, container.readiness_probe) if probe]
        young = max([min_ready_seconds_of(self._pod, container), *(probe.initial_delay_seconds for probe in declared)])
        if found.run not in self._starts and now - listed <= 2 + young:
            with contextlib.suppress(NotFound):
                state = self._podman.get(f"/containers/{found.id}/json")["State"]
                self._starts[found.run] = read_time(state.get("StartedAt")) or listed
        return self._starts.get(found.run, listed)
