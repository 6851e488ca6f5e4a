# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps one pod alive, in a thread of its own: what the kubelet's worker of a pod does.

Each turn looks at the pod where something may have changed, takes in what its probes have said, and acts: ends a
container whose probe has failed, and lets a run bring about what the pod's record declares, save for containers
that are not to be started again yet. What to do is `pod.step`'s and `pod.plan`'s to say.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from typing import TYPE_CHECKING

from ..._host.podman.client import Podman
from ..._host.state.records import Record
from ..._reconcile.backoff import SECOND_ATTEMPT_SECONDS, Attempts
from ..._reconcile.status import DEADLINE_EXCEEDED, DEADLINE_MESSAGE
from ..._runs import report
from ..._runs.prober import Prober
from .inbox import Inbox
from .pod_actions import PodActions
from .pod_observer import PodObserver
from .recorder import Recorder
from .retries import Retries
from .turn import Interrupted, Turn, is_interrupted
from .view import View, ends_at, view_of

if TYPE_CHECKING:
    from ..agent import Agent

DEPENDENCY_SECONDS = 1
TURN_SECONDS = 1
"""How often a keeper that has to act tries to take the turn from a run."""
SHORTEST_WAIT_SECONDS = 0.25
"""How soon at the earliest to look again, to see whether a container is still ready."""
GATE_LOOK_SECONDS = 0.5
"""How often a pod is looked at while its keeper waits at a gate."""
_FRESH_SECONDS = 30


class PodKeeper:
    """One pod's keeper. All but its thread may call `kick`, `changed`, `view`, `has_ended`, `fresh_view` and `end`."""

    def __init__(self, name: str, agent: Agent, turn: Turn) -> None:
        """``turn`` is for whoever wants to change the pod, the keeper among them."""
        self.name = name
        self.turn = turn
        self.view = View()
        self.recorder = Recorder(agent, name)
        """What is told of the pod."""
        self.observer = PodObserver(agent, name)
        """What was seen of it."""
        self.retries = Retries(name)
        """What has failed, and is tried again."""
        self.actions = PodActions(self, agent)
        """What is done to it."""
        self._agent = agent
        self._inbox = Inbox()
        self._turned = threading.Condition()
        self._ended = self.recorder.has_ended
        self._thread = threading.Thread(target=self._keep, name=f"pod {name}", daemon=True)
        self._record: Record | None = None
        self.prober = Prober(
            submit=agent.probe_threads.submit,
            deliver=self._inbox.put,
            tell=self.recorder.tell_of_probe,
            begun=agent.probe_threads.note_probe,
            is_over=self._ended.is_set,
            mask=self.recorder.masked,
        )
        self._turns = Attempts()
        self._has_to_wait = False
        """Whether it could not act, since it was somebody else's turn."""
        self._is_written = True
        """Whether the last status could be written down."""

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """End the thread; it stops at the next gate, and writes nothing from now on."""
        self.recorder.end()
        self.kick()

    def join(self, timeout_seconds: float) -> None:
        self._thread.join(timeout_seconds)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def record(self) -> Record | None:
        """What is on record of the pod as of the last turn; None before the first."""
        return self._record

    @property
    def has_ended(self) -> bool:
        """Whether the pod has come to its end, and was not stopped on purpose."""
        record = self._record
        is_over = self.view.status.get("phase") in ("Succeeded", "Failed")
        return record is not None and not record.is_stopped and is_over

    def kick(self) -> None:
        """Look at the pod now: something may have changed."""
        self._inbox.put(self.note_change)

    def note_change(self) -> bool:
        self.observer.must_look = True
        return True

    def changed(self) -> None:
        """Somebody else has changed the pod: what was in the way may be gone."""
        self._inbox.put(self.begin_anew)

    def begin_anew(self) -> bool:
        """Forget what was seen and what has failed. For the thread of the keeper itself."""
        self.observer.must_look, self.actions.is_settled = True, False
        self._turns = Attempts()
        self.retries.begin_anew()
        self.prober.failures.clear()
        return True

    def see_at_gate(self, podman: Podman, record: Record) -> View:
        """The pod as it is now, for the thread of this keeper itself while it carries out a plan."""
        self._inbox.take_all()
        self.prober.hurry()
        self.observer.look_at = min(self.observer.look_at, self.observer.looked_at + GATE_LOOK_SECONDS)
        self._see(podman, record)
        return self.view

    def fresh_view(self, since: float) -> View:
        """The pod as it was seen after ``since`` (monotonic seconds), or the last view where none comes in time."""
        with self._turned:
            if self.view.looked_at <= since:
                self.kick()
                self._turned.wait_for(lambda: self.view.looked_at > since or not self._is_at_work, _FRESH_SECONDS)
            return self.view

    @property
    def _is_at_work(self) -> bool:
        """Whether another view will come soon."""
        return self.is_alive and not self._turns.is_held(time.monotonic() + SECOND_ATTEMPT_SECONDS)

    # --- the thread --------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Take turn after turn until the pod is gone."""
        try:
            while not self._ended.is_set():
                try:
                    with self._agent.connect() as podman:
                        self._keep_by(podman)
                    break
                except Exception as error:
                    # No session could be made, or the last one has failed.
                    self._put_off(error)
                    self._await_next()
        finally:
            with self._turned:
                self._turned.notify_all()

    def _keep_by(self, podman: Podman) -> None:
        """Take turns with one session. An error in a turn is an event, and another turn follows later."""
        while not self._ended.is_set():
            try:
                if not self._turn(podman):
                    return
                self._turns = Attempts()
            except Exception as error:
                # Even after a mistake of ours the pod keeps its keeper.
                self._put_off(error)
            self._await_next()

    def _put_off(self, error: Exception) -> None:
        """Report why the turn failed. The next one waits, unless a run changes the pod."""
        self.recorder.tell_of_error(error)
        self.observer.must_look, self._turns = True, self._turns.failed(time.monotonic())
        with self._turned:
            self._turned.notify_all()

    def _turn(self, podman: Podman) -> bool:
        """Take one turn; returns whether the pod still exists."""
        # A writer of another record calls `changed`.
        is_new = self.observer.must_look or self._record is None
        record = self._agent.store.read_record(self.name) if is_new else self._record
        if record is None:
            return False
        if self._record is None or record.applied.pod != self._record.applied.pod:
            self.prober.declare(record.applied.pod)
            self.actions.is_settled = False
        self._record = record
        self._see(podman, record)
        self._has_to_wait = False
        if self.actions.is_due(record) and self.retries.may_act:
            self._act_in_turn(podman, record)
        self.actions.verify(record)
        return True

    def _see(self, podman: Podman, record: Record) -> None:
        """Observe the pod if something may have changed, start due probes, and publish the view."""
        if self.observer.is_due:
            self._look(podman, record)
        self._note_failure(record)
        self.recorder.tell_of_pulls(self.retries.pulls_put_off())
        reach = functools.partial(self.observer.target, podman, record.applied.pod)
        phase = str(self.view.status.get("phase") or "Pending")
        step = self.prober.look(self.observer.pod, phase, reach, self.observer.has_failed)
        if step.look_at_seconds is not None:
            self.observer.look_within(max(step.look_at_seconds - time.time(), SHORTEST_WAIT_SECONDS))
        self._tell(podman, record)

    def _look(self, podman: Podman, record: Record) -> None:
        before = self.observer.pod
        if self.observer.look(podman, record):
            self.actions.is_settled = False
            self.recorder.tell_of_broken(before, self.observer.pod)

    def _note_failure(self, record: Record) -> None:
        """Note that a pod has failed for good; it stays so until it starts over."""
        store, pod = self._agent.store, record.applied.pod
        failure = None if record.is_stopped else report.failure_of(store, pod, self.observer.pod, self._agent.node)
        had_failed, self.observer.has_failed = self.observer.has_failed, failure is not None
        if failure and not had_failed:
            self.actions.is_settled = False
            self.retries.run_at_once()
            # A status of this keeper may be a moment ahead of this; what an agent before it wrote was told by that one.
            is_first = not self.view.status
            was_known = is_first and (store.read_status(self.name) or {}).get("reason") == DEADLINE_EXCEEDED
            # Whoever ran the init container has reported its failure.
            if failure.reason == DEADLINE_EXCEEDED and not was_known:
                self.recorder.event(DEADLINE_EXCEEDED, DEADLINE_MESSAGE)

    def _ends_at(self) -> float:
        """When the pod's active deadline ends it; infinity where it does not."""
        record = self._record
        if record is None or record.is_stopped or self.observer.has_failed:
            return math.inf
        return ends_at(record, self.view.status)

    def _tell(self, podman: Podman, record: Record) -> None:
        """Write the status if it may have changed, and publish it."""
        view, step = self.view, self.prober.step
        is_same = (
            self._is_written
            and view.observed == self.observer.pod
            and view.started == step.started
            and view.ready == step.ready
            and view.status
        )
        self.view = view_of(self.observer, self.prober, view.status)
        if not is_same or self.retries.waiting or record.applied.pod.active_deadline_seconds is not None:
            pod, observed, node = record.applied.pod, self.observer.pod, self._agent.node
            ip = self.observer.sandbox(podman, pod).ip if observed and observed.infra_is_running else ""
            status = report.status(
                podman, self._agent.store, pod, observed, step.ready, step.started, node, ip, self.retries.waiting
            )
            self.view = view_of(self.observer, self.prober, status)
            self._is_written = self.recorder.write_status(status)
            self._agent.services.wake()
        with self._turned:
            self._turned.notify_all()

    def hurry(self) -> None:
        """A run waits for the pod: make extra attempts of pending probes for a moment."""
        if self.prober.hurry():
            self._inbox.put(lambda: True)

    # --- acting ------------------------------------------------------------------------------------------------------

    def _act_in_turn(self, podman: Podman, record: Record) -> None:
        """Act if this keeper gets the turn. Its last holder may have changed or removed the pod."""
        with self.turn.if_free() as was_elsewhere:
            self._has_to_wait = was_elsewhere is None
            if was_elsewhere:
                self.begin_anew()
            elif was_elsewhere is not None and self._agent.store.read_record(self.name) != record:
                self.observer.must_look = True
            elif was_elsewhere is not None and not self._agent.is_stopping_pods:
                self._try_to_act(podman, record)

    def _try_to_act(self, podman: Podman, record: Record) -> None:
        """Act. An error is an event, and a later turn tries again; probes go on meanwhile."""
        try:
            self.actions.act(podman, record)
            self.retries.acted()
        except Exception as error:
            self.observer.must_look = True
            if not is_interrupted(error):
                self.recorder.tell_of_error(error)
                self.retries.could_not_act()
        finally:
            self._agent.acted(self.name)

    def pause(self, seconds: float) -> None:
        """Wait at a gate; raises Interrupted if somebody claims the turn, or the pod or the agent ends."""
        ends_at = time.monotonic() + seconds
        while True:
            if self._ended.is_set() or self.turn.is_wanted or time.time() >= self._ends_at():
                raise Interrupted("given up for a change of the pod")
            left = ends_at - time.monotonic()
            if left <= 0:
                return
            self._ended.wait(min(left, 0.2))

    # --- waiting for the next turn -----------------------------------------------------------------------------------

    def _await_next(self) -> None:
        while self._turns.is_held(time.monotonic()) and not self._ended.is_set():
            self._inbox.take_one(self._turns.held_until_seconds - time.monotonic())
        if not self._turns.failures:
            self._await_reason()

    def _await_reason(self) -> None:
        now, monotonic = time.time(), time.monotonic()
        waits = [self.observer.look_at - monotonic]
        if self.prober.step.next_at_seconds is not None:
            waits.append(self.prober.step.next_at_seconds - now)
        if self._ends_at() > now:
            waits.append(self._ends_at() - now)
        waits += self.retries.waits()
        if self.actions.dependency:
            waits.append(DEPENDENCY_SECONDS)
        if self._has_to_wait:
            waits.append(TURN_SECONDS)
        if self.prober.hurries_at is not None:
            waits.append(self.prober.hurries_at - monotonic)
        if self.observer.must_look:
            waits.append(0)
        self._inbox.await_news(monotonic + max(min(waits), 0.01))
