# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a workload would go on if all went well: the steps to come, for check mode and for whoever asks beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Callable

from ..operations import Operation
from .facts import SUCCEEDED, WorkloadPod
from .steps import AddPod, EndPod, RemoveWorkload, WorkloadStep

TakeStep = Callable[[Any, Sequence[WorkloadPod], float], WorkloadStep[Any, Any]]
"""A step of a workload: of a record, of pods, at an instant."""
Rounds = tuple[tuple[Operation, ...], ...]


def foresee(
    take: TakeStep, record: Any, pods: Sequence[WorkloadPod], now: float, *, runs_to_end: bool = False, most: int = 1000
) -> Rounds:
    """The operations of each step until there is nothing more to do, or until ``most`` steps.

    It is taken that pods are ready as soon as they are made, gone as soon as they are ended, and, where it
    ``runs_to_end``, that they succeed. A Job that is over goes in its time, of which no more is told than is due.
    """
    began_at = now
    present = {pod.name: pod for pod in pods}
    rounds: list[tuple[Operation, ...]] = []
    for _number in range(most):
        step = take(record, list(present.values()), now)
        if any(isinstance(operation, RemoveWorkload) for operation in step.operations):
            return tuple([*rounds, step.operations] if now == began_at else rounds)
        further = _went_well(present, step.operations, now, runs_to_end)
        if step.operations:
            rounds.append(step.operations)
        elif further == present and step.record == record and step.look_at is None:
            break
        elif further == present and step.record == record and step.look_at is not None:
            now = max(step.look_at, now)
        record, present = step.record, further
    return tuple(rounds)


def _went_well(
    present: dict[str, WorkloadPod], operations: Sequence[Operation], now: float, runs_to_end: bool
) -> dict[str, WorkloadPod]:
    ended = {operation.pod for operation in operations if isinstance(operation, EndPod)}
    after = {name: pod for name, pod in present.items() if name not in ended and not pod.is_ending}
    if runs_to_end:
        after = {
            name: replace(pod, phase=SUCCEEDED, finished_at=now) if pod.is_active else pod
            for name, pod in after.items()
        }
    else:
        after = {name: _ready(pod, now) for name, pod in after.items()}
    for operation in operations:
        if isinstance(operation, AddPod):
            pod = WorkloadPod(
                operation.pod, operation.revision, operation.number, created_at=now, index=operation.index
            )
            after[pod.name] = pod if runs_to_end else _ready(pod, now)
    return after


def _ready(pod: WorkloadPod, now: float) -> WorkloadPod:
    is_waiting = pod.is_active and pod.ready_since is None
    return replace(pod, phase="Running", ready_since=now) if is_waiting else pod


def lines(rounds: Rounds) -> list[str]:
    """The rounds as a person reads them: what is done side by side has the same number."""
    return [f"#{number} {operation}" for number, operations in enumerate(rounds, 1) for operation in operations]
