# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps one pod alive, in a thread of its own: what the kubelet's worker of a pod does.

Each turn looks at the pod where something may have changed, takes in what its probes have said, and acts: ends a
container whose probe has failed, and lets the engine bring about what the pod's record declares, save for containers
that are not to be started again yet. What to do is `pod_step`'s and `pod_plan`'s to say.
"""

from __future__ import annotations

import contextlib
import functools
import math
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable

from .._declaration import spec as s
from .._errors import PodmanError, PodwrightError
from .._host import probes
from .._host.observe import Sandbox, Snapshot, observe, observe_image, observe_sandbox
from .._host.podman import Podman
from .._host.store import Record
from .._reconcile import materials as m
from .._reconcile import operations as op
from .._reconcile import pod_step
from .._reconcile.costs import Context
from .._reconcile.observed import ENDING, STUCK, ObservedPod, read_time
from .._reconcile.pod_plan import BROKEN, plan_stopped, stop_of
from .._reconcile.pod_step import DueProbe, Ending, Step, is_pod_available
from .._reconcile.probe_worker import IMAGE_PULL_BACKOFF, SECOND_ATTEMPT_SECONDS, Attempts
from .._reconcile.secrecy import masked
from .._reconcile.status import DEADLINE_EXCEEDED, DEADLINE_MESSAGE, STATUS_UNKNOWN, Waiting
from .._runs import report
from .._runs.execute import Executor, OperationFailed
from .._runs.execution import target_of
from .._runs.pod_run import Run
from .._runs.prober import Prober
from .._runs.report import secrets_of
from .._runs.request import Request
from .._runs.run_failure import RunFailed
from .._runs.wait import Watch
from .event_words import tell_of_failure
from .kept_watch import OwnWatch
from .turn import Interrupted, Turn, is_interrupted
from .view import View

if TYPE_CHECKING:
    from .agent import Agent

GATE_SECONDS = 3600
"""How long an init container or a sidecar's startup may take in one go; then it is begun anew."""
LOOK_SECONDS = 300
"""How often a pod is looked at when nothing is heard of it. The agent compares its list of all far more often."""
ENDING_SECONDS = 1
"""How soon to look again at a container whose process is gone, and which Podman has not been told of."""
STOPPING_SECONDS = 10
"""How long a container may outlive its grace period while Podman says that it stops, and how often it is looked at."""
DEPENDENCY_SECONDS = 1
TURN_SECONDS = 1
"""How often a keeper that has to act asks whether it is its turn, while a run has it."""
LAST_TURN_SECONDS = 60
"""How long a pod that is to end with its host waits for a run that has its turn."""
SHORTEST_WAIT_SECONDS = 0.25
"""How soon at the earliest to look again, to see whether a container is still ready."""
GATE_LOOK_SECONDS = 0.5
"""How often a pod is looked at while its keeper waits at a gate."""
PULL_ERROR_SECONDS = 2
"""How long a status says that a pull has failed, before it says that the next one is waited for."""
ERR_IMAGE_PULL = "ErrImagePull"
IMAGE_PULL_BACK_OFF = "ImagePullBackOff"
_WAITING_REASONS: Mapping[str, str] = {"": "FailedSync", "FailedPostStartHook": "PostStartHookError"}
"""What a container waits for, where Kubernetes calls it otherwise than the event."""
_FRESH_SECONDS = 30


class PodKeeper:
    """One pod's keeper. All but its thread may call `kick`, `changed`, `view`, `has_ended`, `fresh_view` and `end`."""

    def __init__(self, name: str, agent: Agent, turn: Turn) -> None:
        """``turn`` is for whoever wants to change the pod, the keeper among them."""
        self.name = name
        self._turn_to_act = turn
        self.view = View()
        self._agent = agent
        self._inbox: queue.SimpleQueue[Callable[[], bool]] = queue.SimpleQueue()
        self._turned = threading.Condition()
        self._ended = threading.Event()
        self._writing = threading.Lock()
        """Held to write what others may read, and to end that: no word comes of a pod that is gone."""
        self._thread = threading.Thread(target=self._keep, name=f"pod {name}", daemon=True)
        self._record: Record | None = None
        self._prober = Prober(
            submit=agent.probe_threads.submit,
            deliver=self._inbox.put,
            tell=self._tell_of_probe,
            begun=self._note_probe,
            is_over=self._ended.is_set,
            mask=self._masked,
        )
        self._observed: ObservedPod | None = None
        self._secrets: tuple[str, ...] = ()
        self._waiting: dict[str, Waiting] = {}
        self._targets: dict[str, probes.Target] = {}
        self._must_look = True
        self._is_settled = False
        self._is_written = True
        self._turns = Attempts()
        self._acts = Attempts()
        self._retry = IMAGE_PULL_BACKOFF
        self._retry_at = 0.0
        self._look_at = 0.0
        self._looked_at = 0.0
        self._stopping_since: dict[str, float] = {}
        self._dependency = ""
        self._has_to_wait = False
        """Whether it could not act, since it was somebody else's turn."""
        self._backing_off: set[str] = set()
        self._has_failed = False
        self._unpulled = ""
        self._unpulled_at = 0.0
        self._sandboxes: tuple[str, Sandbox] | None = None

    @property
    def _step(self) -> Step:
        """What the last look came to."""
        return self._prober.step

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Have the thread end; what it is doing is given up at the next gate. Nothing of it is written from now on."""
        with self._writing:
            self._ended.set()
        self.kick()

    def join(self, timeout_seconds: float) -> None:
        self._thread.join(timeout_seconds)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

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
        self._must_look = True
        return True

    def changed(self) -> None:
        """Somebody else has changed the pod: what was in the way may be gone."""
        self._inbox.put(self._begin_anew)

    def _begin_anew(self) -> bool:
        self._must_look, self._is_settled = True, False
        self._turns = self._acts = Attempts()
        self._retry, self._retry_at = IMAGE_PULL_BACKOFF, 0.0
        self._waiting = {}
        self._prober.failures.clear()
        return True

    def see_at_gate(self, podman: Podman, record: Record) -> View:
        """The pod as it is now, for the thread of this keeper itself while it carries out a plan."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._inbox.get_nowait()()
        self._prober.hurry()
        self._look_at = min(self._look_at, self._looked_at + GATE_LOOK_SECONDS)
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
        """Whether another view is to be expected soon."""
        return self.is_alive and not self._turns.is_held(time.monotonic() + SECOND_ATTEMPT_SECONDS)

    # --- the thread --------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Turn after turn, until there is no pod."""
        try:
            while not self._ended.is_set():
                try:
                    with self._agent.connect() as podman:
                        self._keep_by(podman)
                    break
                except Exception as error:
                    # There is no session to be had, or the one there was has failed.
                    self._put_off(error)
                    self._await_next()
        finally:
            with self._turned:
                self._turned.notify_all()

    def _keep_by(self, podman: Podman) -> None:
        """Turns by one session; what goes wrong in one is an event, and another turn comes later."""
        while not self._ended.is_set():
            try:
                if not self._turn(podman):
                    return
                self._turns = Attempts()
            except Exception as error:
                # A mistake of ours too must not leave the pod without a keeper.
                self._put_off(error)
            self._await_next()

    def _put_off(self, error: Exception) -> None:
        """Say why there was no turn. The next one waits, whatever happens meanwhile, save for a run on the pod."""
        self._tell_of_error(error)
        self._must_look, self._turns = True, self._turns.failed(time.monotonic())
        with self._turned:
            self._turned.notify_all()

    def _turn(self, podman: Podman) -> bool:
        """One turn; tells whether there still is a pod to keep."""
        # Who writes another record says so.
        is_new = self._must_look or self._record is None
        record = self._agent.store.read_record(self.name) if is_new else self._record
        if record is None:
            return False
        if self._record is None or record.applied.pod != self._record.applied.pod:
            self._prober.declare(record.applied.pod)
            self._is_settled = False
        self._record = record
        self._see(podman, record)
        self._has_to_wait = False
        if self._has_to_act(record):
            self._act_in_turn(podman, record)
        self._verify(record)
        return True

    def _see(self, podman: Podman, record: Record) -> None:
        """Look where something may have changed, have probes made that are due, and let others see how it stands."""
        if self._must_look or time.monotonic() >= self._look_at:
            self._look(podman, record)
        self._note_failure(record)
        self._note_pull_back_off()
        reach = functools.partial(self._target, podman, record.applied.pod)
        step = self._prober.look(self._observed, self._phase(), reach, self._has_failed)
        if step.look_at_seconds is not None:
            wait = max(step.look_at_seconds - time.time(), SHORTEST_WAIT_SECONDS)
            self._look_at = min(self._look_at, time.monotonic() + wait)
        self._tell(podman, record)

    def _verify(self, record: Record) -> None:
        """Write down that the pod was seen ready as it is declared, where no run waits to do so."""
        pod, observed = record.applied.pod, self._observed
        is_new = not (record.is_verified or record.is_stopped) and self._is_settled and not self._has_failed
        if not is_new or observed is None or not is_pod_available(pod, self._step.available, observed):
            return
        store = self._agent.store
        with self._turn_to_act.if_free() as was_elsewhere:
            if was_elsewhere:
                self._begin_anew()
            elif was_elsewhere is not None and store.read_record(self.name) == record:
                store.write_record(self.name, record.verified(observed.image_ids))
                self._must_look = True

    def _look(self, podman: Podman, record: Record) -> None:
        self._must_look = False
        self._targets = {}
        before = self._observed
        looked_at = time.monotonic()
        self._observed = self._with_stuck(observe(podman, self._agent.store, self.name, details=True).pod)
        self._look_at = looked_at + LOOK_SECONDS
        if self._observed != before:
            self._is_settled = False
            self._tell_of_broken(before)
        if self._observed and any(c.state == ENDING for c in self._observed.containers):
            # Whatever was about to tell of its end may itself come to an end before it does.
            self._look_at = looked_at + ENDING_SECONDS
        if self._stopping_since:
            self._look_at = min(self._look_at, looked_at + STOPPING_SECONDS)
        self._looked_at = looked_at

    def _with_stuck(self, pod: ObservedPod | None) -> ObservedPod | None:
        """The pod with word of containers whose stop somebody has begun and nobody has brought to its end."""
        now, known = time.monotonic(), self._stopping_since
        stopping = [c.id for c in pod.containers if c.state == "stopping"] if pod else []
        self._stopping_since = {found: known.get(found, now) for found in stopping}
        grace = self._record.applied.pod.termination_grace_period_seconds if self._record else 0
        stuck = {found for found, since in self._stopping_since.items() if now - since > grace + STOPPING_SECONDS}
        if pod is None or not stuck:
            return pod
        return replace(pod, containers=tuple(replace(c, state=STUCK) if c.id in stuck else c for c in pod.containers))

    def _note_failure(self, record: Record) -> None:
        """A pod that has failed for good stays so until it is begun anew."""
        store, pod = self._agent.store, record.applied.pod
        failure = None if record.is_stopped else report.failure_of(store, pod, self._observed, self._agent.node)
        had_failed, self._has_failed = self._has_failed, failure is not None
        if failure and not had_failed:
            self._is_settled, self._retry_at = False, 0.0
            was_known = (store.read_status(self.name) or {}).get("reason") == DEADLINE_EXCEEDED
            # Whoever ran an init container has told of its failure.
            if failure.reason == DEADLINE_EXCEEDED and not was_known:
                self._event(DEADLINE_EXCEEDED, DEADLINE_MESSAGE)

    def _ends_at(self) -> float:
        """When (seconds since the epoch) the pod will have been active for longer than it may."""
        record = self._record
        limit = record.applied.pod.active_deadline_seconds if record else None
        if record is None or limit is None or self._has_failed or record.is_stopped:
            return math.inf
        return (read_time(self.view.status.get("startTime")) or record.begun_at or math.inf) + limit

    def _phase(self) -> str:
        return str(self.view.status.get("phase") or "Pending")

    def _tell(self, podman: Podman, record: Record) -> None:
        """Write the status down where something in it may have changed, and let others see it."""
        view = self.view
        is_same = (
            self._is_written
            and view.observed == self._observed
            and view.started == self._step.started
            and view.ready == self._step.ready
            and view.status
        )
        self._show(view.status)
        if not is_same or self._waiting or record.applied.pod.active_deadline_seconds is not None:
            pod, observed, node = record.applied.pod, self._observed, self._agent.node
            ip = self._sandbox(podman, pod).ip if observed and observed.infra_is_running else ""
            status = report.status(
                podman, self._agent.store, pod, observed, self._step.ready, self._step.started, node, ip, self._waiting
            )
            self._show(status)
            self._is_written = self._write(status)
        with self._turned:
            self._turned.notify_all()

    def _write(self, status: Mapping[str, Any]) -> bool:
        """Write the status down; tells whether that was done. The pod is kept all the same, as on a full disk."""
        try:
            with self._writing:
                if not self._ended.is_set():
                    self._agent.store.write_status(self.name, status)
        except OSError as error:
            self._event("StatusNotWritten", str(error), is_warning=True)
            return False
        return True

    def _show(self, status: Mapping[str, Any]) -> None:
        self.view = View(
            looked_at=self._looked_at,
            pod=self._prober.memory.pod,
            observed=self._observed,
            started=self._step.started,
            ready=self._step.ready,
            available=self._step.available,
            messages=dict(self._prober.messages),
            failures=dict(self._prober.failures),
            status=status,
        )

    def hurry(self) -> None:
        """Somebody waits for the pod: have probes that it has still to pass tried more often for a moment."""
        if self._prober.hurry():
            self._inbox.put(lambda: True)

    # --- probes ------------------------------------------------------------------------------------------------------

    def _target(self, podman: Podman, pod: s.PodSpec, container: s.Container) -> probes.Target:
        """How a container's probes reach it, as it was looked at last."""
        if container.name not in self._targets:
            self._targets[container.name] = target_of(self._agent.store, pod, container, self._sandbox(podman, pod))
        return self._targets[container.name]

    def _note_probe(self, due: DueProbe) -> None:
        if not due.is_extra:
            self._agent.probe_threads.probed(time.time() - due.due_at_seconds)

    def _tell_of_probe(self, due: DueProbe, outcome: probes.Outcome) -> None:
        if outcome.result == "Success" or due.is_extra:
            return
        self._event(
            {"Failure": "Unhealthy", "Warning": "ProbeWarning", "Unknown": "ProbeError"}[outcome.result],
            f"{due.kind.capitalize()} probe {'warning' if outcome.passed else 'failed'}: {outcome.message}",
            due.container,
            is_warning=True,
        )

    def _sandbox(self, podman: Podman, pod: s.PodSpec) -> Sandbox:
        """How the pod is reached, asked for once in the life of its infra container."""
        observed = self._observed
        infra = next((c.run for c in observed.containers if c.is_infra), "") if observed else ""
        if self._sandboxes is None or self._sandboxes[0] != infra:
            self._sandboxes = (infra, observe_sandbox(podman, pod, self._agent.node))
        return self._sandboxes[1]

    # --- acting ------------------------------------------------------------------------------------------------------

    def _has_to_act(self, record: Record) -> bool:
        """Of a pod that was stopped nothing is to run, also where a run was killed before it had ended all of it."""
        is_due = not self._is_settled
        if not record.is_stopped:
            is_due = bool(is_due or self._step.endings or self._step.held or self._step.restarts)
        return is_due and not self._acts.is_held(time.monotonic())

    def _act_in_turn(self, podman: Podman, record: Record) -> None:
        """Act where it is this keeper's turn. Who had it since the pod was looked at may have changed or removed it."""
        with self._turn_to_act.if_free() as was_elsewhere:
            self._has_to_wait = was_elsewhere is None
            if was_elsewhere:
                self._begin_anew()
            elif was_elsewhere is not None and self._agent.store.read_record(self.name) != record:
                self._must_look = True
            elif was_elsewhere is not None and not self._agent.is_stopping_pods:
                self._try_to_act(podman, record)

    def _try_to_act(self, podman: Podman, record: Record) -> None:
        """Act; what is in the way is an event, and it is tried again later. Probes go on meanwhile."""
        try:
            self._act(podman, record)
            self._acts = Attempts()
        except Exception as error:
            self._must_look = True
            if not is_interrupted(error):
                self._tell_of_error(error)
                self._acts = self._acts.failed(time.monotonic())
        finally:
            self._agent.acted(self.name)

    def _act(self, podman: Podman, record: Record) -> None:
        """Bring about what is due."""
        self._tell_of_backing_off()
        self._dependency = ""
        if self._step.endings and not record.is_stopped:
            for ending in self._step.endings:
                self._end_container(podman, record, ending)
            self._must_look = True
        elif time.monotonic() >= self._retry_at and not (self._is_settled and not self._step.restarts):
            is_up = self._is_up() or self._has_failed or record.is_stopped
            self._dependency = "" if is_up else self._agent.dependencies.waits_for(self.name)
            if not self._dependency:
                if not is_up:
                    self._agent.dependencies.restore_networks(podman, record)
                self._reconcile(podman, record)

    def _is_up(self) -> bool:
        """Whether a main container has been started in the present sandbox, so that the pod's turn has come before."""
        pod = self._observed
        return pod is not None and pod.infra_is_running and any(c.has_started for c in pod.members if c.role == "app")

    def _reconcile(self, podman: Podman, record: Record) -> None:
        images = record.applied.images
        if record.is_stopped and self._observed is None:
            self._is_settled = True
            return
        request = Request(
            name=self.name,
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
            adjust=lambda observed: replace(observed, pod=self._with_stuck(observed.pod)),
            keeper=_Self(self, self._agent, record),
            # Since the keeper's own look one more may have ended.
            hold=lambda pod: frozenset(pod_step.restarts_due(self._prober.memory, pod, time.time())[0]),
            # A container that starts again is the one that was applied, whatever its image's name points to by now.
            pinned_images={name: image for name, image in images.items() if observe_image(podman, image)},
            pause=self.pause,
        )
        if not run.plan:
            self._is_settled = True
            return
        members = run.observed.pod.members if run.observed.pod else ()
        due = pod_step.restarts_due(self._prober.memory, run.observed.pod, time.time())[1]
        restarting = [found for found in members if found.name in due]
        try:
            run.execute()
            self._waiting, self._retry = {}, IMAGE_PULL_BACKOFF
        except RunFailed as error:
            if not is_interrupted(error):
                self._fail(record, error)
        finally:
            self._must_look, self._is_settled = True, False
            self._tell_of_hooks(run.executor)
            created = {item.container for item in run.done if isinstance(item, op.CreateContainer)}
            for found in restarting:
                if found.name in created:
                    self._prober.memory = self._prober.memory.restarted(found, time.time())

    def _fail(self, record: Record, error: RunFailed) -> None:
        """Say what failed, and try again later; a container that was ended for its hook is its restart policy's."""
        message = tell_of_failure(self.name, error, self._agent.events)
        failed = error.__cause__.operation if isinstance(error.__cause__, OperationFailed) else None
        if isinstance(failed, op.PullImage):
            self._unpulled, self._unpulled_at = failed.image, time.monotonic()
            users = [c.name for c in record.applied.pod.all_containers if c.image == failed.image]
            self._waiting.update({name: Waiting(ERR_IMAGE_PULL, message) for name in users})
        elif error.container:
            reason = _WAITING_REASONS.get(error.reason, error.reason)
            self._waiting[error.container] = Waiting(reason, message)
        if not isinstance(failed, op.RunPostStart):
            self._retry_later()

    def _note_pull_back_off(self) -> None:
        """Of a pull that has failed the status soon says that it is waited with, as the kubelet's does."""
        if time.monotonic() < self._unpulled_at + PULL_ERROR_SECONDS:
            return
        for name, waiting in self._waiting.items():
            if waiting.reason == ERR_IMAGE_PULL:
                message = f'Back-off pulling image "{self._unpulled}"'
                self._waiting[name] = Waiting(IMAGE_PULL_BACK_OFF, f"{message}: {waiting.message}")
                self._event("BackOff", message, name)
                self._event("Failed", f"Error: {IMAGE_PULL_BACK_OFF}", name, is_warning=True)

    def _retry_later(self) -> None:
        """The first time at once, then ever later, as with images that cannot be pulled."""
        now = time.monotonic()
        self._retry = self._retry.next(self.name, now, now)
        self._retry_at = now + self._retry.delay_seconds(self.name)

    def _end_container(self, podman: Podman, record: Record, ending: Ending) -> None:
        """preStop, and the end of a container whose probe has failed; the restart policy decides what follows."""
        found = self._observed.find(ending.container) if self._observed else None
        if found is None:
            return
        self._event("Killing", f"Container {found.name} failed its {ending.kind} probe", found.name)
        stop = stop_of(self.name, record.applied.pod, found, f"its {ending.kind} probe failed")
        stop = replace(stop, grace_seconds=ending.grace_seconds, is_left_to_policy=True)
        executor = self._executor(podman, record)
        executor.run(op.Plan((stop,)))
        self._tell_of_hooks(executor, found.name)

    def stop_pod(self, podman: Podman) -> None:
        """End all containers with their hooks, as before the host goes down; the record says that they are to run."""
        record = self._agent.store.read_record(self.name)
        if record is None or record.is_stopped:
            return
        with self._turn_to_act.claimed(LAST_TURN_SECONDS):
            observed = observe(podman, self._agent.store, self.name)
            if observed.pod is not None and observed.pod.is_ours:
                plan = plan_stopped(self.name, record.applied.pod, observed, was_stopped=True)
                self._executor(podman, record).run(plan)

    def _executor(self, podman: Podman, record: Record) -> Executor:
        store, node = self._agent.store, self._agent.node
        context = Context(record.applied.pod, m.Materials(), node, store.key(), record.settings)
        deadline = time.monotonic() + GATE_SECONDS
        return Executor(podman, store, context, m.Facts(), deadline, on_done=self._agent.done, pause=self.pause)

    def pause(self, seconds: float) -> None:
        """Wait at a gate, unless somebody else wants to change the pod, or its time is over."""
        ends_at = time.monotonic() + seconds
        while True:
            if self._ended.is_set() or self._turn_to_act.is_wanted or time.time() >= self._ends_at():
                raise Interrupted("given up for a change of the pod")
            left = ends_at - time.monotonic()
            if left <= 0:
                return
            self._ended.wait(min(left, 0.2))

    # --- events ------------------------------------------------------------------------------------------------------

    def _tell_of_error(self, error: Exception) -> None:
        is_known = isinstance(error, (PodwrightError, OSError))
        reason = "PodmanError" if isinstance(error, PodmanError) else "FailedSync" if is_known else "InternalError"
        self._event(reason, str(error) if is_known else f"{type(error).__name__}: {error}", is_warning=True)

    def _event(self, reason: str, message: str, container: str = "", is_warning: bool = False) -> None:
        told = self._masked(message)
        with self._writing:
            if not self._ended.is_set():
                self._agent.events.add(reason, self.name, told, container, is_warning)

    def _masked(self, text: str) -> str:
        """Without the values of the pod's secrets, which what a container says may hold."""
        with contextlib.suppress(PodwrightError, OSError):
            self._secrets = secrets_of(self._agent.store, self.name)
        return masked(text, self._secrets)

    def _tell_of_broken(self, before: ObservedPod | None) -> None:
        """Once for each container that Podman cannot tell the truth of any more."""
        known = {(c.id, c.state) for c in before.containers} if before else set()
        for found in self._observed.containers if self._observed else ():
            if found.is_broken and (found.id, found.state) not in known:
                whose = "The infra container" if found.is_infra else f"Container {found.name}"
                message = f"{whose} is broken: {BROKEN[found.state]}"
                self._event(STATUS_UNKNOWN, message, found.name, is_warning=True)

    def _tell_of_hooks(self, executor: Executor, container: str = "") -> None:
        for warning in executor.warnings:
            self._event("FailedPreStopHook", warning, container, is_warning=True)

    def _tell_of_backing_off(self) -> None:
        """Once for each run that has ended."""
        for name in self._step.held:
            found = self._observed.find(name) if self._observed else None
            if found and found.run not in self._backing_off:
                self._backing_off.add(found.run)
                self._agent.backing_off(self.name, name)
        runs = {c.run for c in self._observed.members} if self._observed else set()
        self._backing_off &= runs

    # --- waiting for the next turn -----------------------------------------------------------------------------------

    def _await_next(self) -> None:
        while self._turns.is_held(time.monotonic()) and not self._ended.is_set():
            with contextlib.suppress(queue.Empty):
                self._inbox.get(timeout=max(self._turns.held_until_seconds - time.monotonic(), 0))()
        if not self._turns.failures:
            self._await_reason()

    def _await_reason(self) -> None:
        now, monotonic = time.time(), time.monotonic()
        waits = [self._look_at - monotonic]
        if self._step.next_at_seconds is not None:
            waits.append(self._step.next_at_seconds - now)
        if self._ends_at() > now:
            waits.append(self._ends_at() - now)
        waits += [at - monotonic for at in (self._retry_at, self._acts.held_until_seconds) if at > monotonic]
        if any(waiting.reason == ERR_IMAGE_PULL for waiting in self._waiting.values()):
            waits.append(self._unpulled_at + PULL_ERROR_SECONDS - monotonic)
        if self._dependency:
            waits.append(DEPENDENCY_SECONDS)
        if self._has_to_wait:
            waits.append(TURN_SECONDS)
        if self._prober.hurries_at is not None:
            waits.append(self._prober.hurries_at - monotonic)
        if self._must_look:
            waits.append(0)
        ends_at, is_quiet = monotonic + max(min(waits), 0.01), True
        with contextlib.suppress(queue.Empty):
            # What says nothing new is no reason for a turn.
            while is_quiet:
                is_quiet = not self._inbox.get(timeout=max(ends_at - time.monotonic(), 0))()
            while True:
                self._inbox.get_nowait()()


class _Self:
    """The keeper of a run that the keeper itself makes: it need not make sure that it is alone."""

    def __init__(self, keeper: PodKeeper, agent: Agent, record: Record) -> None:
        self._keeper = keeper
        self._agent = agent
        self._record = record

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

    def failed(self, pod: str, error: RunFailed) -> None:
        """The keeper says it, unless it gave the run up by itself."""

    def changes(self) -> Mapping[str, int]:
        return {}

    def snapshot(self, podman: Podman) -> Snapshot:
        return Snapshot(podman)

    def watch(self, podman: Podman, pod: s.PodSpec, deadline: float) -> Watch:
        return OwnWatch(podman, pod, deadline, self._keeper, self._record)
