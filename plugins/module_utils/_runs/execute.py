# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a plan, operation by operation, and decides nothing.

Each kind of operation has one function, in a module of its family; `Executor.run` looks it up in one table. Gates wait
here, since what they wait for may have to be started again. An error leaves what was done so far in place: the next
plan starts from there.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from .._declaration import spec as s
from .._declaration.pull_secrets import Credentials, credentials_for
from .._errors import HostError, ImageError, PodwrightError, Timeout, is_out_of_space
from .._host.observe import is_lost
from .._host.podman.client import Podman
from .._host.podman.image_pull import pull
from .._reconcile import operations as op
from .._reconcile.backoff import CONTAINER_BACKOFF, Backoff
from .._reconcile.observed import ObservedContainer, ObservedPod, read_ended
from .._reconcile.pod.causes import in_vain
from .._reconcile.pod.plan import remake
from .._reconcile.pod.step import Memory, restarts_due
from .._reconcile.rendering.limits import words_of_end
from .._reconcile.restart_policy import is_restarted
from .._reconcile.status import INIT_ERROR
from .operations import containers, record_keeping, sandbox, volumes
from .operations.execution import Execution, pauses
from .wait import Waiter

_STOP_WORKERS = 4


class OperationFailed(PodwrightError):
    """An operation of a plan failed; ``cause`` is the error, ``number`` its place in the plan (from 1)."""

    def __init__(self, number: int, operation: op.Operation, cause: PodwrightError) -> None:
        self.number = number
        self.operation = operation
        self.cause = cause
        super().__init__(str(cause))


@dataclass
class Executor(Execution):
    """Carries out plans on one Pod."""

    _backoff: Backoff = CONTAINER_BACKOFF
    _unwritten: list[tuple[int, op.Operation]] = field(default_factory=list)
    """Records of a stop that a full disk refused, with their numbers in the plan. They are tried again at the end."""

    def run(self, plan: op.Plan, number: int = 1) -> None:
        """Carry out the plan, counting from ``number``. Raises OperationFailed at the first operation that fails."""
        for group in _batches(plan.operations):
            self._run_group(number, group)
            number += len(group)
        for kept_back, operation in self._unwritten:
            # If the disk is still full, the run fails with this alone left undone.
            self._run_one(kept_back, operation, self.podman)
        self._unwritten = []

    def _run_group(self, number: int, group: Sequence[op.Operation]) -> None:
        if self.services and not self.has_left and any(map(_ends_in_time, group)):
            self.has_left = True
            self.services.leave(self.pod.name, self.pause)
        if len(group) == 1:
            self._run_one(number, group[0], self.podman)
            return
        with ThreadPoolExecutor(max_workers=_STOP_WORKERS) as workers:
            jobs = [workers.submit(self._run_in_thread, number + i, item) for i, item in enumerate(group)]
        for job in jobs:
            job.result()

    def _run_in_thread(self, number: int, operation: op.Operation) -> None:
        with self.podman.clone() as podman:
            self._run_one(number, operation, podman)

    def _run_one(self, number: int, operation: op.Operation, podman: Podman) -> None:
        try:
            self._perform(operation, podman)
        except (PodwrightError, OSError) as error:
            if (
                is_out_of_space(error)
                and isinstance(operation, op.Record)
                and operation.is_stopped
                and not self._unwritten
            ):
                # The pod is stopped all the same: its own data may be what fills the disk.
                self._unwritten.append((number, operation))
                return
            cause = error if isinstance(error, PodwrightError) else HostError(str(error))
            raise OperationFailed(number, operation, cause) from error
        self.on_done(operation)

    def _perform(self, operation: op.Operation, podman: Podman) -> None:
        _PERFORMERS[type(operation)](self, operation, podman)

    # --- gates -----------------------------------------------------------------------------------------------------

    def _await_completion(self, operation: op.AwaitCompletion, podman: Podman) -> None:
        """Raises ContainerFailed when the init container failed for good, Timeout when the time is over."""
        container = self.declared(operation.container)
        backoff, key = CONTAINER_BACKOFF, container.name
        while True:
            found = self._await_exit(container, podman)
            if found.exit_code == 0:
                return
            ended = words_of_end(container, found.exit_code, found.oom_killed)
            logs = self.logs(container)
            if not is_restarted(self.pod, container, found.exit_code):
                raise self.failed(container, INIT_ERROR, ended, logs)
            finished_at = found.finished_at or time.time()
            delay = backoff.wait_seconds(key, finished_at, time.time())
            backoff = backoff.next(key, finished_at, time.time())
            if time.monotonic() + delay > self.deadline:
                raise self.failed(container, "Init:CrashLoopBackOff", f"{ended} until the time was over", logs)
            if delay > 0:
                self.on_back_off(container.name)
            self.pause(delay)
            container_id = podman.get(f"/containers/{self.podman_name(container)}/json")["Id"]
            self._restart(container, replace(found, id=container_id), f"it exited with {found.exit_code}", podman)

    def _restart(self, container: s.Container, found: ObservedContainer | None, cause: str, podman: Podman) -> None:
        """Start the same container once more while later containers wait at its gate; ``found`` None: it is gone."""
        for operation in remake(self.pod, container, found, cause):
            self._perform(operation, podman)
            self.on_done(operation)

    def _await_exit(self, container: s.Container, podman: Podman) -> ObservedContainer:
        """The container once it has ended, whether Podman knows of it or not."""
        for pause in pauses():
            inspected = podman.get(f"/containers/{self.podman_name(container)}/json")
            found = read_ended(container.name, inspected, is_lost(podman, inspected))
            if found is not None:
                return found
            if time.monotonic() > self.deadline:
                raise Timeout(
                    f"{self.pod.name}/{container.name}: the init container has not completed in time; its last log "
                    f"lines: {self.logs(container) or '(none)'}"
                )
            self.pause(pause)
        raise AssertionError("the pauses never end")

    def _await_started(self, operation: op.AwaitStarted, podman: Podman) -> None:
        watch = self.watch(self.deadline) if self.watch else None
        watch = watch or Waiter(podman, self.store, self.pod, self.target, self.deadline, self.pause)
        container = self.declared(operation.container)
        watch.await_started(container, functools.partial(self._mend_sidecars, podman, container))

    def _mend_sidecars(self, podman: Podman, last: s.Container, observed: ObservedPod | None) -> bool:
        """Start sidecars up to the last one again that have ended, with the back-off between, where Podman does not.

        One that would never be started by waiting is made anew at once: whoever made it so, nobody else would see it.
        """
        if observed is None:
            raise HostError(f"pod {self.pod.name} was removed while its containers started")
        begun = self.pod.init_containers[: self.pod.init_containers.index(last) + 1]
        sidecars = [(one, observed.find(one.name)) for one in begun if self.pod.role_of(one) == "sidecar"]
        mended = [(one, found, in_vain(found)) for one, found in sidecars if in_vain(found)]
        for container, found, cause in mended:
            self._restart(container, found, cause, podman)
        return self._restart_due(podman, observed) or bool(mended)

    def _restart_due(self, podman: Podman, observed: ObservedPod) -> bool:
        if not self.context.node.has_agent:
            return False
        memory, has_restarted = Memory(self.pod, backoff=self._backoff), False
        for name in restarts_due(memory, observed, time.time())[1]:
            found = observed.find(name)
            if found is not None and found.role == "sidecar":
                cause = f"it is not running (exit code {found.exit_code})"
                self._restart(self.declared(name), found, cause, podman)
                self._backoff = memory.restarted(found, time.time()).backoff
                has_restarted = True
        return has_restarted


def _ends_in_time(operation: op.Operation) -> bool:
    """Whether it ends a container, and not at once whatever it does."""
    return isinstance(operation, op.StopContainer) and operation.grace_seconds > 0


def _batches(steps: Sequence[op.Operation]) -> Iterator[list[op.Operation]]:
    """Operations one by one, except that the stops of one batch go together."""

    def key(item: tuple[int, op.Operation]) -> tuple[str, int]:
        number, operation = item
        return ("batch", operation.batch) if isinstance(operation, op.StopContainer) else ("single", number)

    for _key, group in itertools.groupby(enumerate(steps), key):
        yield [operation for _number, operation in group]


def _pull(execution: Execution, operation: op.PullImage, podman: Podman) -> None:
    """Ask for the image as each of those whom the pod may ask as; without any, as this host does by itself."""
    names = {reference.name for reference in execution.pod.image_pull_secrets}
    held = {name: items for name, items in execution.context.materials.secrets.items() if name in names}
    *others, last = credentials_for(operation.image, held) or (None,)
    for one in others:
        with contextlib.suppress(ImageError):
            pull(podman, operation.image, _as(one))
            break
    else:
        pull(podman, operation.image, _as(last))
    execution.forget_image(operation.image)


def _as(credentials: Credentials | None) -> dict[str, str]:
    return {"username": credentials.username, "password": credentials.password} if credentials else {}


_PERFORMERS: dict[type, Callable[[Any, Any, Podman], None]] = {
    op.PullImage: _pull,
    op.CreateVolume: volumes.create_volume,
    op.PrepareVolume: volumes.prepare_volume,
    op.WriteFiles: volumes.write_files,
    op.DropVolume: volumes.drop_volume,
    op.CreatePod: sandbox.create_pod,
    op.StartPod: sandbox.start_pod,
    op.RemovePod: sandbox.remove_pod,
    op.UpdatePodLimits: sandbox.update_pod_limits,
    op.CreateContainer: containers.create_container,
    op.StartContainer: containers.start_container,
    op.RunPostStart: containers.run_post_start,
    op.ResumeContainer: containers.resume_container,
    op.AwaitCompletion: Executor._await_completion,
    op.AwaitStarted: Executor._await_started,
    op.StopContainer: containers.stop_container,
    op.RemoveContainer: containers.remove_container,
    op.UpdateLimits: containers.update_limits,
    op.Record: record_keeping.keep_record,
    op.RotateSecret: record_keeping.rotate_secret,
    op.Forget: record_keeping.forget,
}
