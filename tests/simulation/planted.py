# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes that are made on purpose, to see that the simulation finds them: each undoes one thing that code does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._agent import dependencies, podman_watch
from ansible_collections.podwright.pods.plugins.module_utils._agent.keeper import (
    pod_actions,
    pod_observer,
    retries,
)
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._host import observe, state_files
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile import operations as op
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod import plan as pod_plan
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod import step as pod_step
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod import stops
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering import materials
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import deployment
from ansible_collections.podwright.pods.plugins.module_utils._runs import execute, wait
from ansible_collections.podwright.pods.plugins.module_utils._runs.operations import containers

from . import clock
from .stand_ins import put


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """In the place of what does something."""


@contextlib.contextmanager
def _no_lock(store: Store, pod: str) -> Iterator[bool]:
    yield False


def _forget_the_lock() -> None:
    put(_no_lock, "lock_if_free", Store)


def _believe_podman() -> None:
    put(lambda podman, listed: None, "_kernel_word", observe)


def _take_a_moment_for_good() -> None:
    put(lambda pod, container: 0, "min_ready_seconds_of", pod_step, wait)


def _go_by_the_probe_before() -> None:
    def declared(memory: pod_step.Memory, pod: Any) -> pod_step.Memory:
        fresh = real(memory, pod).workers
        return replace(memory, pod=pod, workers={key: memory.workers.get(key, fresh[key]) for key in fresh})

    real = pod_step.Memory.declared
    put(declared, "declared", pod_step.Memory)


def _sync_no_file() -> None:
    put(_nothing, "synced", clock.Disk)


def _sync_no_folder() -> None:
    put(_nothing, "sync_directory", state_files)


def _skip_pre_stop() -> None:
    real = stops.stop_of
    put(lambda *args, **named: replace(real(*args, **named), pre_stop=None), "stop_of", pod_plan, stops, pod_actions)


def _leave_out(operation: type[op.Operation]) -> Callable[[], None]:
    def plant() -> None:
        execute._PERFORMERS[operation] = _nothing

    return plant


def _hold_no_restart_back() -> None:
    real = pod_step.restarts_due

    def restarts_due(memory: Any, observed: Any, now: float) -> Any:
        held, due = real(memory, observed, now)
        return {}, (*due, *held)

    put(restarts_due, "restarts_due", pod_step)


def _never_compare() -> None:
    put(_nothing, "compare", podman_watch.PodmanWatch)
    put(10**9, "LOOK_SECONDS", pod_observer)
    put(_nothing, "_wake", podman_watch.PodmanWatch)


def _tell_podman_secrets() -> None:
    real = materials.environment

    def environment(*args: Any) -> materials.Environment:
        found = real(*args)
        return materials.Environment(
            {**found.plain, **{name: _revealed(found.secret[name]) for name in found.secret}}, {}
        )

    put(environment, "environment", containers)


def _revealed(value: Any) -> str:
    return value.reveal() if hasattr(value, "reveal") else str(value)


def _call_it_ready_unseen() -> None:
    put(lambda *args: True, "is_pod_available", pod_actions, dependencies)
    put(lambda watch: True, "is_ready", wait.Watch)


def _forget_nothing() -> None:
    put(_nothing, "forget", Store)


def _forget_that_it_was_stopped() -> None:
    real = Store.write_record
    put(lambda store, pod, record: real(store, pod, replace(record, is_stopped=False)), "write_record", Store)


def _keep_what_is_not_declared() -> None:
    real = pod_plan._take_down

    def take_down(desired: Any, found: Any, cause: str, *rest: Any, **named: Any) -> list[op.Operation]:
        return [] if cause == "no longer declared" else real(desired, found, cause, *rest, **named)

    put(take_down, "_take_down", pod_plan)


def _never_try_again() -> None:
    def later(failed: Any) -> None:
        failed._run_at = 10.0**9

    put(later, "_retry_later", retries.Retries)


def _leave_temporary_files() -> None:
    put(_nothing, "sweep_all", Store)
    put(_nothing, "sweep", Store)


def _write_in_place() -> None:
    """The one writer writes over what is there, so that a power cut leaves half of it."""

    def write(path: Path, content: bytes, mode: int = 0o600, is_lasting: bool = True) -> None:
        temporary = path.with_name(f".{path.name}.planted")
        temporary.write_bytes(content)
        temporary.replace(path)

    put(write, "write", state_files)


def _wait_for_no_other_pod() -> None:
    StackSpec.depends_on = property(lambda stack: {}, lambda stack, given: vars(stack).update(depends_on=given))


def _count_no_restart_of_the_renamed() -> None:
    """As it was once: what is made anew under its name has a history of its own."""
    put(lambda *args: False, "counts_as_restart", pod_plan)


def _ask_for_one_less() -> None:
    """A Deployment leaves one pod less available than it may."""
    deployment._View.least_available = property(lambda view: view.wanted.replicas - view.bounds.unavailable - 1)  # type: ignore[assignment]


def _allow_one_more() -> None:
    """A Deployment makes one pod more than it may."""
    deployment._View.most = property(lambda view: view.wanted.replicas + view.bounds.surge + 1)  # type: ignore[assignment]


ROLLOUT_FAULTS: Mapping[str, Callable[[], None]] = {
    "one pod too few stays available": _ask_for_one_less,
    "one pod too many is made": _allow_one_more,
}
"""Those that the simulation of rollouts is to find."""

FAULTS: Mapping[str, Callable[[], None]] = {
    "no run or keeper takes a Pod's lock": _forget_the_lock,
    "Podman is believed over the kernel": _believe_podman,
    "a container counts as available at once": _take_a_moment_for_good,
    "what the former probe said holds for the new one": _go_by_the_probe_before,
    "no file is synced": _sync_no_file,
    "no folder is synced": _sync_no_folder,
    "files are renamed before they are synced": _write_in_place,
    "preStop is skipped": _skip_pre_stop,
    "postStart is skipped": _leave_out(op.RunPostStart),
    "init containers are not waited for": _leave_out(op.AwaitCompletion),
    "a removal is told and not done": _leave_out(op.RemoveContainer),
    "a stop is told and not done": _leave_out(op.StopContainer),
    "a restart waits for no back-off": _hold_no_restart_back,
    "nothing that Podman does is noticed": _never_compare,
    "secret variables are told to Podman": _tell_podman_secrets,
    "what was not seen ready is called ready": _call_it_ready_unseen,
    "a Pod that is removed stays on record": _forget_nothing,
    "that a Pod was stopped is not written down": _forget_that_it_was_stopped,
    "a container that is no longer declared stays": _keep_what_is_not_declared,
    "what has failed is never tried again": _never_try_again,
    "temporary files of killed runs stay": _leave_temporary_files,
    "a pod of a stack waits for no other": _wait_for_no_other_pod,
    "what is made anew after a fault counts its restarts from 0": _count_no_restart_of_the_renamed,
    **ROLLOUT_FAULTS,
}
