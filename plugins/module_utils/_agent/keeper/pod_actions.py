# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a keeper does to its Pod, in its turn: what the record declares is brought about, as by a run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Callable

from ..._declaration import spec as s
from ..._declaration.workloads.spec import AnyWorkload
from ..._host.observe import Snapshot, observe, observe_image
from ..._host.podman.client import Podman
from ..._host.state.records import Record
from ..._reconcile import operations as op
from ..._reconcile.context import Context, Settings
from ..._reconcile.pod import step as pod_step
from ..._reconcile.pod.plan import plan_stopped
from ..._reconcile.pod.step import Ending, is_pod_available
from ..._reconcile.pod.stops import stop_of
from ..._reconcile.rendering import materials as m
from ..._reconcile.workloads.steps import Event
from ..._runs.agent import Sight
from ..._runs.execute import Executor
from ..._runs.pod_run import Run
from ..._runs.request import Request
from ..._runs.run_failure import RunFailed
from ..._runs.wait import Watch
from .kept_watch import OwnWatch
from .turn import is_interrupted

if TYPE_CHECKING:
    from ..agent import Agent
    from .pod_keeper import PodKeeper

GATE_SECONDS = 3600
"""How long a gate may take in one go; then the keeper takes another turn."""
LAST_TURN_SECONDS = 60
"""How long the end of a pod with its host waits for a run that has the turn."""


class PodActions:
    """Acts on one Pod. For the thread of its keeper, save for `stop_all`."""

    def __init__(self, keeper: PodKeeper, agent: Agent) -> None:
        self.is_settled = False
        """Whether nothing was to be done when the Pod was last compared with its record."""
        self.dependency = ""
        """The Pod that has to come first, empty for none."""
        self._keeper = keeper
        self._agent = agent

    def is_due(self, record: Record) -> bool:
        """Whether there is something to do.

        Nothing of a stopped pod may run, even if a killed run left some of it.
        """
        step = self._keeper.prober.step
        if not self.is_settled:
            return True
        return not record.is_stopped and bool(step.endings or step.backing_off or step.restarts)

    def act(self, podman: Podman, record: Record) -> None:
        """Carry out what is due. Raises what is no failure of an operation."""
        self._keeper.recorder.tell_of_backing_off(self._keeper.prober.step.backing_off, self._keeper.observer.pod)
        self.dependency = ""
        if self._keeper.prober.step.endings and not record.is_stopped:
            for ending in self._keeper.prober.step.endings:
                self._end_container(podman, record, ending)
            self._keeper.observer.must_look = True
        elif self._keeper.retries.may_run and not (self.is_settled and not self._keeper.prober.step.restarts):
            is_up = self._keeper.observer.is_up or self._keeper.observer.has_failed or record.is_stopped
            self.dependency = "" if is_up else self._agent.dependencies.waits_for(self._keeper.name)
            if not self.dependency:
                if not is_up:
                    self._agent.dependencies.restore_networks(podman, record)
                self._reconcile(podman, record)

    def _reconcile(self, podman: Podman, record: Record) -> None:
        images = record.applied.images
        if record.is_stopped and self._keeper.observer.pod is None:
            self.is_settled = True
            return
        request = Request(
            name=self._keeper.name,
            state="stopped" if record.is_stopped else "started",
            pod=record.applied.pod,
            wait=False,
            wait_timeout_seconds=GATE_SECONDS,
            on_failure="",
            is_check=False,
            settings=record.settings,
        )
        run = Run(
            podman=podman,
            store=self._agent.store,
            request=request,
            correction=lambda observed: replace(observed, pod=self._keeper.observer.with_stuck(observed.pod, record)),
            agent=_OwnRun(self._keeper, self._agent, record),
            # Another container may have ended since the last observation.
            find_backing_off=lambda pod: frozenset(
                pod_step.restarts_due(self._keeper.prober.memory, pod, time.time())[0]
            ),
            # A restarted container has the image that was applied, whatever the name points to now.
            pinned_images={name: image for name, image in images.items() if observe_image(podman, image)},
            pause=self._keeper.pause,
        )
        if not run.plan:
            self.is_settled = True
            return
        # What broke since the last observation is gone by the next one.
        self._keeper.recorder.tell_of_broken(self._keeper.observer.pod, run.observed.pod)
        members = run.observed.pod.members if run.observed.pod else ()
        due = pod_step.restarts_due(self._keeper.prober.memory, run.observed.pod, time.time())[1]
        restarting = [found for found in members if found.name in due]
        try:
            run.execute()
            self._keeper.retries.ran()
        except RunFailed as error:
            if not is_interrupted(error):
                message = self._keeper.recorder.tell_of_failure(error)
                self._keeper.retries.run_failed(record, error, message)
        finally:
            self._keeper.observer.must_look, self.is_settled = True, False
            self._keeper.recorder.tell_of_hooks(run.executor)
            created = {item.container for item in run.done if isinstance(item, op.CreateContainer)}
            for found in restarting:
                if found.name in created:
                    self._keeper.prober.memory = self._keeper.prober.memory.restarted(found, time.time())

    def _end_container(self, podman: Podman, record: Record, ending: Ending) -> None:
        """End a container whose probe has failed, with its preStop hook; the restart policy decides what follows."""
        found = self._keeper.observer.pod.find(ending.container) if self._keeper.observer.pod else None
        if found is None:
            return
        self._keeper.recorder.event("Killing", f"Container {found.name} failed its {ending.kind} probe", found.name)
        stop = stop_of(self._keeper.name, record.applied.pod, found, f"its {ending.kind} probe failed")
        stop = replace(stop, grace_seconds=ending.grace_seconds, is_left_to_policy=True)
        executor = self._executor(podman, record)
        executor.run(op.Plan((stop,)))
        self._keeper.recorder.tell_of_hooks(executor, found.name)

    def verify(self, record: Record) -> None:
        """Write down that the pod was seen ready as it is declared, where no run waits to do so."""
        keeper, store = self._keeper, self._agent.store
        pod, observed = record.applied.pod, keeper.observer.pod
        is_news = not (record.is_verified or record.is_stopped or keeper.observer.has_failed)
        if (
            not (is_news and self.is_settled)
            or observed is None
            or not is_pod_available(pod, keeper.prober.step.available, observed)
        ):
            return
        with keeper.turn.if_free() as was_elsewhere:
            if was_elsewhere:
                keeper.begin_anew()
            elif was_elsewhere is not None and store.read_record(keeper.name) == record:
                store.write_record(keeper.name, record.verified(observed.image_ids))
                keeper.observer.must_look = True

    def stop_all(self, podman: Podman) -> None:
        """End all containers with their hooks, as before the host goes down; the record says that they are to run."""
        record = self._agent.store.read_record(self._keeper.name)
        if record is None or record.is_stopped:
            return
        with self._keeper.turn.claimed(LAST_TURN_SECONDS):
            observed = observe(podman, self._agent.store, self._keeper.name)
            if observed.pod is not None and observed.pod.is_ours:
                plan = plan_stopped(self._keeper.name, record.applied.pod, observed, was_stopped=True)
                self._executor(podman, record).run(plan)

    def _executor(self, podman: Podman, record: Record) -> Executor:
        store, node = self._agent.store, self._agent.node
        context = Context(record.applied.pod, m.Materials(), node, store.key(), record.settings)
        deadline = time.monotonic() + GATE_SECONDS
        return Executor(
            podman,
            store,
            context,
            m.Facts(),
            deadline,
            on_done=self._agent.done,
            pause=self._keeper.pause,
            services=self._agent.services,
        )


class _OwnRun:
    """The agent of a run that the keeper itself makes: it need not make sure that it is alone."""

    def __init__(self, keeper: PodKeeper, agent: Agent, record: Record) -> None:
        self._keeper = keeper
        self._agent = agent
        self._record = record
        self.services = agent.services

    def done(self, operation: op.Operation) -> None:
        self._agent.done(operation)

    def reserved(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]
    ) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def acting(
        self, pod: str, timeout_seconds: float, while_waiting: Callable[[], None]
    ) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def backing_off(self, pod: str, container: str) -> None:
        self._agent.backing_off(pod, container)

    def tell_of_workload(self, workload: AnyWorkload, event: Event) -> None:
        self._agent.tell_of_workload(workload, event)

    def forget_workload(self, kind: str, name: str) -> None:
        self._agent.forget_workload(kind, name)

    def failed(self, pod: str, error: RunFailed) -> None:
        """The keeper reports it, unless it ended the run itself."""

    def changes(self) -> Mapping[str, int]:
        return {}

    def snapshot(self, podman: Podman) -> Snapshot:
        return Snapshot(podman)

    def watch(self, podman: Podman, pod: s.PodSpec, deadline: float) -> Watch:
        return OwnWatch(podman, pod, deadline, self._keeper, self._record)

    def keep(self, pod: s.PodSpec, settings: Settings) -> None:
        self._agent.keep(pod, settings)

    def sight(self, pod: str) -> Sight | None:
        return self._agent.sight(pod)
