# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small host for the steps of workloads: pods that come, are ready, fail and go, a clock, and a record that outlasts

a step that was cut off. It does what operations say and nothing else; what happens to the pods is up to the test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import Operation
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.facts import WorkloadPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import (
    AddPod,
    EndPod,
    WorkloadStep,
)

START = 1_000_000.0
TakeStep = Callable[["Host"], WorkloadStep[Any, Any]]


@dataclass
class Host:
    """``done`` takes operations that are none on pods. ``log`` has all that was carried out."""

    record: Any
    now: float = START
    pods: dict[str, WorkloadPod] = field(default_factory=dict)
    log: list[Operation] = field(default_factory=list)
    done: Callable[[Operation], None] | None = None

    def sequence(self) -> list[WorkloadPod]:
        return list(self.pods.values())

    def carry_out(self, operation: Operation) -> None:
        """Idempotent, as the real ones are: what is there is not made twice, and what is gone is not ended."""
        self.log.append(operation)
        if isinstance(operation, AddPod):
            self.pods.setdefault(
                operation.pod,
                WorkloadPod(
                    operation.pod,
                    operation.revision,
                    operation.number,
                    created_at=self.now,
                    index=operation.index,
                ),
            )
        elif isinstance(operation, EndPod):
            if operation.pod in self.pods:
                self.pods[operation.pod] = replace(self.pods[operation.pod], is_ending=True)
        elif self.done:
            self.done(operation)

    def take(self, take_step: TakeStep, cut_after: int | None = None) -> WorkloadStep[Any, Any]:
        """Take a step and carry it out. ``cut_after``: so many writes happen, of which the first is the record."""
        step = take_step(self)
        if cut_after == 0:
            return step
        self.record = step.record
        for operation in step.operations[: None if cut_after is None else cut_after - 1]:
            self.carry_out(operation)
        return step

    # --- what happens to pods ---

    def change(self, name: str, **fields: Any) -> None:
        self.pods[name] = replace(self.pods[name], **fields)

    def set_ready(self, name: str) -> None:
        pod = self.pods[name]
        if pod.is_active and pod.ready_since is None:
            self.change(name, phase="Running", ready_since=self.now)

    def set_unready(self, name: str) -> None:
        self.change(name, ready_since=None)

    def finish(self, name: str, exit_code: int = 0, **fields: Any) -> None:
        """The pod's containers end for good."""
        if not self.pods[name].is_over:
            phase = "Failed" if exit_code else "Succeeded"
            codes = {"main": exit_code}
            self.change(name, phase=phase, ready_since=None, finished_at=self.now, exit_codes=codes, **fields)

    def remove(self, name: str) -> None:
        """What was to be ended is gone."""
        if self.pods[name].is_ending:
            del self.pods[name]

    def remove_all_ending(self) -> None:
        for name in [name for name, pod in self.pods.items() if pod.is_ending]:
            del self.pods[name]

    # --- to the end ---

    def settle(self, take_step: TakeStep, live: Callable[[Host], None], rounds: int = 400) -> WorkloadStep[Any, Any]:
        """Let time go by until a step does nothing, and nothing is to come: what is removed goes, and ``live`` happens.

        Fails where that does not come about within so many steps.
        """
        for _round in range(rounds):
            step = self.take(take_step)
            again = take_step(self) if not step.operations else step
            before = dict(self.pods)
            self.remove_all_ending()
            live(self)
            is_still = not step.operations and before == self.pods and again.record == step.record
            if is_still and step.look_at is None:
                return step
            if is_still and step.look_at is not None:
                self.now = max(step.look_at, self.now)
            else:
                self.now += 1
        raise AssertionError(f"no end after {rounds} steps: {self.sequence()}, last {self.log[-5:]}")


def pods_of(names: Sequence[str], revision: str, **fields: Any) -> dict[str, WorkloadPod]:
    """Pods by their names, numbered in that order."""
    return {name: WorkloadPod(name, revision, number, **fields) for number, name in enumerate(names)}
