# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Job's own policies say of pods that have failed, and of indexes that have succeeded.

Source: Kubernetes 1.37, pkg/controller/job, pod_failure_policy.go and success_policy.go.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..._declaration.workloads import spec as w
from .facts import WorkloadPod


@dataclass(frozen=True)
class Verdict:
    """``action`` is Count where no rule says otherwise. ``message`` says which rule matched, and why."""

    action: str = "Count"
    message: str = ""


def judge_failure(policy: w.PodFailurePolicy | None, pod: WorkloadPod) -> Verdict:
    """What the failure of a pod counts for: the first rule that matches says."""
    for number, rule in enumerate(policy.rules if policy else ()):
        why = _match(rule, pod)
        if why:
            return Verdict(rule.action, f"{why} matching {rule.action} rule at index {number}")
    return Verdict()


def _match(rule: w.PodFailureRule, pod: WorkloadPod) -> str:
    if rule.on_exit_codes is not None:
        return _match_exit_codes(rule.on_exit_codes, pod)
    for pattern in rule.on_pod_conditions:
        if (pattern.type, pattern.status) in pod.conditions:
            return f"Pod {pod.name} has condition {pattern.type}"
    return ""


def _match_exit_codes(codes: w.ExitCodes, pod: WorkloadPod) -> str:
    """A container that has succeeded matches nothing, not even NotIn."""
    for name, code in sorted(pod.exit_codes.items()):
        is_asked = codes.container_name in (None, name)
        if is_asked and code != 0 and (code in codes.values) == (codes.operator == "In"):
            return f"Container {name} for pod {pod.name} failed with exit code {code}"
    return ""


def met_rule(policy: w.SuccessPolicy | None, completions: int, succeeded: frozenset[int]) -> int | None:
    """The number of the first rule that the indexes which have succeeded meet; None where there is none."""
    for number, rule in enumerate(policy.rules if policy else ()):
        intervals = None if rule.succeeded_indexes is None else w.indexes_of(rule.succeeded_indexes)
        if intervals is None and rule.succeeded_indexes is not None:
            continue
        chosen = {n for first, last in intervals or () for n in range(first, last + 1)}
        if rule.succeeded_indexes is None:
            chosen = set(range(completions))
        needed = len(chosen) if rule.succeeded_count is None else rule.succeeded_count
        if chosen and len(chosen & succeeded) >= needed:
            return number
    return None
