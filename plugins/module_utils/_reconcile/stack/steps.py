# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a stack as a graph: steps that wait for one another. Each is one operation, or one pod with its own plan.

Each kind of step is a class. Another thing that makes pods, such as a workload, gets a class here, a function in
`plan` that plans it, and a branch in `_runs.stack.execute` that carries it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .. import operations as op
from ..pod.view import PodView
from ..workloads.foresight import Rounds
from .record import Owned

PodGoal = Literal["started", "stopped", "absent"]
Condition = Literal["seen", "ready", "completed"]
"""What a run waits for: one look at the pod, that it is ready, or that all its main containers ended well."""


@dataclass(frozen=True)
class Step:
    """One node of the graph. ``name`` is unique within the plan, ``after`` names the steps that it waits for."""

    name: str
    after: tuple[str, ...]

    @property
    def operations(self) -> tuple[op.Operation, ...]:
        """The operations that the user sees."""
        return ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class SharedStep(Step):
    """One operation on an object that the pods of the stack share, or on the stack's record."""

    operation: op.Operation

    @property
    def operations(self) -> tuple[op.Operation, ...]:
        return (self.operation,)

    def __str__(self) -> str:
        return str(self.operation)


@dataclass(frozen=True)
class PodStep(Step):
    """One pod with its own plan, which may be empty."""

    pod: str
    goal: PodGoal
    plan: op.Plan
    view: PodView = field(repr=False, compare=False)
    """The pod as the run will find it; the plan is made from this."""
    is_workloads: bool = False
    """Whether a workload has made it, which makes do without it: then its failure is none of the run."""

    @property
    def operations(self) -> tuple[op.Operation, ...]:
        return self.plan.operations

    def __str__(self) -> str:
        count = len(self.plan.operations)
        return f"{self.name}: {count} operation{'s' if count > 1 else ''}" if count else f"{self.name}: nothing to do"


@dataclass(frozen=True)
class RolloutStep(Step):
    """Step a workload until it is as declared. ``rounds`` are what its steps come to if all goes well."""

    kind: str
    workload: str
    rounds: Rounds

    @property
    def operations(self) -> tuple[op.Operation, ...]:
        return tuple(operation for operations in self.rounds for operation in operations)


@dataclass(frozen=True)
class AwaitStep(Step):
    """Wait until a pod that was applied reaches a condition."""

    pod: str
    condition: Condition


@dataclass(frozen=True)
class ConcludeStep(Step):
    """Record what the stack owns now, and the revision as good if all pods were seen ready; remove old revisions."""

    number: int
    owned: Owned
    history_limit: int


@dataclass(frozen=True)
class StackPlan:
    """The steps in the order in which the user sees them: each comes after those that it waits for."""

    steps: tuple[Step, ...]
    number: int
    """The revision of the stack at the end of the run."""

    @property
    def operations(self) -> tuple[op.Operation, ...]:
        return tuple(operation for step in self.steps for operation in step.operations)

    def __bool__(self) -> bool:
        return any(step.operations for step in self.steps)

    def lines(self) -> list[str]:
        """The operations as a person reads them, in one list; pods that do not depend on each other run in parallel."""
        return op.Plan(self.operations).lines()

    def graph(self) -> list[str]:
        """The steps with the numbers of those that they wait for: ``#3 create network shop: ... (after #1)``."""
        numbers = {step.name: number for number, step in enumerate(self.steps, 1)}
        return [f"#{numbers[step.name]} {step}{_shown(step, numbers)}" for step in self.steps]

    def rollouts(self) -> Iterator[RolloutStep]:
        """The steps of workloads, in the order of the plan."""
        return (step for step in self.steps if isinstance(step, RolloutStep))

    def pods(self) -> Iterator[PodStep]:
        """The steps of pods, in the order of the plan."""
        return (step for step in self.steps if isinstance(step, PodStep))

    def with_plans(self, plans: Mapping[str, op.Plan]) -> StackPlan:
        """The same plan with other plans for pods, by their names: a run may have done more than was planned."""
        steps = (
            replace(step, plan=plans[step.pod]) if isinstance(step, PodStep) and step.pod in plans else step
            for step in self.steps
        )
        return replace(self, steps=tuple(steps))


def _shown(step: Step, numbers: Mapping[str, int]) -> str:
    return f" (after {' '.join(f'#{number}' for number in sorted(numbers[name] for name in step.after))})" * bool(
        step.after
    )
