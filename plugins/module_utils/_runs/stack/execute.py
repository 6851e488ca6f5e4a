# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a stack's plan: each step as soon as the steps that it waits for are done, pods in parallel."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

from ..._errors import PodwrightError
from ..._host.podman.client import Podman
from ..._reconcile import operations as op
from ..._reconcile.stack.steps import AwaitStep, ConcludeStep, PodStep, RolloutStep, SharedStep, StackPlan, Step
from ..agent import Sight
from ..pod_run import Run

_WORKERS = 4


class PodsFailed(PodwrightError):
    """Pods or workloads of a stack failed. ``errors`` are theirs; ``held_back`` names those that waited for them."""

    def __init__(self, errors: list[PodwrightError], held_back: list[str]) -> None:
        self.errors = errors
        waited = f"\nNot begun, since they wait for it: {', '.join(held_back)}." if held_back else ""
        super().__init__("\n".join(map(str, errors)) + waited)


class StackExecutor:
    """Carries out one plan: shared steps in the calling thread, each pod in a thread of its own."""

    def __init__(
        self,
        podman: Podman,
        runs: Mapping[str, Run],
        perform: Callable[[op.Operation], None],
        conclude: Callable[[ConcludeStep], None],
        roll: Callable[[RolloutStep, Callable[[op.Operation], None]], None],
    ) -> None:
        """``runs`` has the run of each pod, by its name; ``perform`` and ``conclude`` carry out shared steps.

        ``roll`` steps a workload until it is as declared, and tells of each operation that was carried out.
        """
        self._podman = podman
        self._runs = runs
        self._perform = perform
        self._conclude = conclude
        self._roll = roll
        self.done: list[op.Operation] = []
        """The operations that were carried out; those of a pod are added when its run ends."""
        self.sights: dict[str, Sight] = {}
        """The pods that workloads have made, as they were seen once they were what they are to be."""
        self._idle: queue.SimpleQueue[Podman] = queue.SimpleQueue()
        """Sessions with Podman that no thread has at present."""
        self._events: queue.Queue[tuple[Step, dict[str, Any] | PodwrightError | None]] = queue.Queue()

    def carry_out(self, plan: StackPlan) -> dict[str, dict[str, Any]]:
        """The result of each pod. After a failure it begins no step, waits for those that run, and raises the error.

        Pods that fail raise PodsFailed.
        """
        waiting, awaits = list(plan.steps), {step.pod: step for step in plan.steps if isinstance(step, AwaitStep)}
        finished: set[str] = set()
        told: dict[str, dict[str, Any]] = {}
        errors: list[PodwrightError] = []
        running = 0
        with self._closing(), ThreadPoolExecutor(max_workers=_WORKERS) as workers:
            while waiting or running:
                for step in _ready(waiting, finished) if not errors else ():
                    waiting.remove(step)
                    if isinstance(step, PodStep):
                        running += 1
                        workers.submit(self._work, step, awaits.get(step.pod))
                    elif isinstance(step, RolloutStep):
                        running += 1
                        workers.submit(self._roll_out, step)
                    elif not isinstance(step, AwaitStep):
                        self._do(step)
                        finished.add(step.name)
                if not running:
                    break
                done, value = self._events.get()
                if isinstance(value, PodwrightError):
                    errors.append(value)
                else:
                    finished.add(done.name)
                if value is not None:
                    running -= 1
                if isinstance(value, dict) and isinstance(done, (PodStep, AwaitStep)):
                    told[done.pod] = value
        if errors:
            held_back = [step.pod for step in waiting if isinstance(step, PodStep)]
            held_back += [f"{step.kind} {step.workload}" for step in waiting if isinstance(step, RolloutStep)]
            raise PodsFailed(errors, held_back)
        return told

    @contextlib.contextmanager
    def session(self) -> Iterator[Podman]:
        """A session with Podman for the calling thread; the next one has it afterwards, if nothing went wrong."""
        try:
            podman = self._idle.get_nowait()
        except queue.Empty:
            podman = self._podman.clone()
        try:
            yield podman
        except BaseException:
            podman.close()
            raise
        self._idle.put(podman)

    @contextlib.contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
        finally:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._idle.get_nowait().close()

    def _do(self, step: Step) -> None:
        if isinstance(step, SharedStep):
            self._perform(step.operation)
            self.done.append(step.operation)
        elif isinstance(step, ConcludeStep):
            self._conclude(step)

    def _work(self, step: PodStep, awaiting: AwaitStep | None) -> None:
        """Carry out a pod's step and its await step, in a thread and with a session of its own."""
        last: PodStep | AwaitStep = awaiting or step
        run = self._runs[step.pod]
        try:
            with self.session() as podman:
                run.podman = podman
                run.execute()
                if awaiting:
                    self._events.put((step, None))
                value: dict[str, Any] | PodwrightError = (
                    self._look_at(run)
                    if step.is_workloads and step.goal == "started"
                    else run.finish(awaiting is not None and awaiting.condition == "completed")
                )
        except PodwrightError as error:
            value = {"warnings": []} if step.is_workloads else error
        except Exception as error:
            # A bug in one pod's thread must not leave the others waiting for ever.
            value = PodwrightError(f"pod {step.pod}: {type(error).__name__}: {error}")
        self.done += run.done
        self._events.put((last, value))

    def _look_at(self, run: Run) -> dict[str, Any]:
        """What is told of a pod that a workload has made: it is waited for with its workload."""
        sight = self.sights[run.request.name] = run.look()
        return {"warnings": [*run.warnings, *run.executor.warnings], "pod": {"status": sight.status}}

    def _roll_out(self, step: RolloutStep) -> None:
        """Carry out a workload's step in a thread."""
        value: dict[str, Any] | PodwrightError = {}
        try:
            self._roll(step, self.done.append)
        except PodwrightError as error:
            value = error
        except Exception as error:
            value = PodwrightError(f"{step.kind} {step.workload}: {type(error).__name__}: {error}")
        self._events.put((step, value))


def _ready(waiting: list[Step], finished: set[str]) -> Iterator[Step]:
    """The steps that can begin. The caller takes each out of ``waiting`` and may finish it meanwhile."""
    while True:
        step = next((step for step in waiting if finished.issuperset(step.after)), None)
        if step is None:
            return
        yield step
