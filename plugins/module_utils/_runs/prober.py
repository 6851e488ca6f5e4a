# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one driver of a pod's probes, for runs and for the agent: makes those that are due, and takes in what they say.

`pod.step` decides what is due and what follows from an outcome. While a run waits for the pod, pending probes get
extra attempts between the regular ones, ever more slowly. Only a success of these counts: so a pod is seen ready at
once, and a startup probe keeps all its time.
"""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import Callable

from .._declaration import spec as s
from .._host import probes
from .._host.podman.client import Podman
from .._reconcile.observed import ObservedPod
from .._reconcile.pod import step as pod_step
from .._reconcile.pod.step import KINDS, DueProbe, Memory, Step
from .._reconcile.probe_worker import PROBER_ATTEMPTS, Outcome, ProbeKind

HURRY_SECONDS = 2
"""How long one call of `hurry` lasts, and the longest pause between two extra attempts."""
_FIRST_PAUSE_SECONDS = 0.1
_IDLE_PAUSE_SECONDS = 0.25


class Prober:
    """Probes one pod. All but `hurry` is for one thread; the attempts may be made by others."""

    def __init__(
        self,
        submit: Callable[[Callable[[Podman], None]], object],
        deliver: Callable[[Callable[[], bool]], object],
        tell: Callable[[DueProbe, probes.Outcome], None] = lambda due, outcome: None,
        begun: Callable[[DueProbe], None] = lambda due: None,
        is_over: Callable[[], bool] = lambda: False,
        mask: Callable[[str], str] = lambda text: text,
        kinds: tuple[ProbeKind, ...] = KINDS,
    ) -> None:
        """``submit`` makes an attempt, in this thread or another. ``deliver`` passes its result to this thread: calling
        that result returns whether it is news. ``tell`` is called with each outcome that is not just another pass. Once
        ``is_over`` no attempt is repeated. ``begun`` is told of each probe as it begins, by the thread that makes it.
        ``mask`` takes secrets out of what a probe says.
        """
        self._submit = submit
        self._deliver = deliver
        self._tell = tell
        self._begun = begun
        self._is_over = is_over
        self._mask = mask
        self.memory = Memory(s.PodSpec("", ()), kinds=kinds)
        self.step = Step(self.memory, {}, {}, {})
        self.messages: dict[str, str] = {}
        """The last failing probe's words, by container."""
        self.failures: dict[str, str] = {}
        """The words of startup probes that have failed for good, by container."""
        self._under_way: set[tuple[str, ProbeKind, s.Probe]] = set()
        self._hurried_until = 0.0
        self._extra_at = 0.0
        self._extra_pause = _FIRST_PAUSE_SECONDS

    def declare(self, pod: s.PodSpec) -> None:
        """Go by another declaration from now on."""
        self.memory = self.memory.declared(pod)
        self.messages, self.failures = {}, {}

    def look(
        self,
        observed: ObservedPod | None,
        phase: str,
        target: Callable[[s.Container], probes.Target],
        has_failed: bool = False,
    ) -> Step:
        """Take in an observation of the pod and start the probes that are due; see `pod.step.step`."""
        self.step = pod_step.step(self.memory, observed, phase, time.time(), has_failed)
        self.memory = self.step.memory
        for due in (*self.step.probes, *self._extra_probes(observed)):
            self._begin(due, target)
        return self.step

    @property
    def has_news(self) -> bool:
        """Whether a probe has said something since the last look."""
        return self.memory is not self.step.memory

    def hurry(self) -> bool:
        """A run waits for the pod. Any thread may call this; returns whether none waited before."""
        now = time.monotonic()
        is_new, self._hurried_until = now >= self._hurried_until, now + HURRY_SECONDS
        if is_new:
            self._extra_at, self._extra_pause = 0.0, _FIRST_PAUSE_SECONDS
        return is_new

    @property
    def hurries_at(self) -> float | None:
        """When to look again for a waiting run, in monotonic seconds; None if none waits."""
        return self._extra_at if time.monotonic() < self._hurried_until else None

    def _extra_probes(self, observed: ObservedPod | None) -> tuple[DueProbe, ...]:
        now = time.monotonic()
        if now >= self._hurried_until or now < self._extra_at:
            return ()
        extra = pod_step.extra_probes(self.memory, self.step, observed, time.time())
        self._extra_at = now + (self._extra_pause if extra else _IDLE_PAUSE_SECONDS)
        self._extra_pause = min(self._extra_pause * 1.5, HURRY_SECONDS) if extra else _FIRST_PAUSE_SECONDS
        return extra

    # --- attempts ----------------------------------------------------------------------------------------------------

    def _begin(self, due: DueProbe, target: Callable[[s.Container], probes.Target]) -> None:
        """Start a probe, unless an earlier attempt of the same probe is still running."""
        container, key = self.memory.pod.find(due.container), _key(due)
        if container is None or key in self._under_way:
            return
        reached = target(container)
        self._under_way.add(key)
        self._submit(functools.partial(self._attempt, due, reached))

    def _attempt(self, due: DueProbe, target: probes.Target, podman: Podman) -> None:
        """Make the attempt, in its own thread. One that cannot be made is repeated at once, then dropped."""
        outcome = probes.Outcome("Unknown", "not tried")
        self._begun(due)
        try:
            for _attempt in range(PROBER_ATTEMPTS):
                outcome = probes.check(due.probe, due.probe.timeout_seconds, target, podman)
                if outcome.result != "Unknown" or self._is_over():
                    break
        finally:
            if self._is_as_ever(due, outcome):
                self._under_way.discard(_key(due))
            else:
                self._deliver(functools.partial(self._take, due, outcome))

    def _is_as_ever(self, due: DueProbe, outcome: probes.Outcome) -> bool:
        """Whether this is just another pass of a passing probe, from which nothing follows."""
        worker = self.memory.workers.get((due.container, due.kind))
        told = (worker.container_id, worker.result, worker.last_outcome) if worker else ()
        return not due.is_extra and outcome.result == "Success" and told == (due.run, "Success", "Success")

    def _take(self, due: DueProbe, outcome: probes.Outcome) -> bool:
        """Take in an outcome; returns whether it is news."""
        key = (due.container, due.kind)
        self._under_way.discard(_key(due))
        outcome = replace(outcome, message=self._mask(outcome.message))
        result: Outcome = "Success" if outcome.result == "Warning" else outcome.result
        before, self.memory = self.memory, self.memory.recorded(due, result)
        self._note_message(due, outcome)
        self._tell(due, outcome)
        old, new = before.workers.get(key), self.memory.workers.get(key)
        return old is None or new is None or (old.result, old.ends_container) != (new.result, new.ends_container)

    def _note_message(self, due: DueProbe, outcome: probes.Outcome) -> None:
        if outcome.passed:
            self.messages.pop(due.container, None)
            return
        self.messages[due.container] = outcome.message
        worker = self.memory.workers.get((due.container, due.kind))
        if due.kind == "startup" and worker and worker.ends_container and worker.container_id == due.run:
            self.failures[due.container] = outcome.message


def _key(due: DueProbe) -> tuple[str, ProbeKind, s.Probe]:
    return due.container, due.kind, due.probe
