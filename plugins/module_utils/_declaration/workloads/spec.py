# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of the workloads that keep Pods, as frozen data.

Names and defaults are those of Kubernetes 1.37 (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/),
in snake_case. ``template`` and ``job_template`` bear the name of the workload; the pods and Jobs made from them have
names of their own. `workloads` makes these objects from input.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Union

from ..spec import HostPathVolume, PodSpec
from ..volume_spec import NamedVolume

IntOrPercent = Union[int, str]
"""A number of pods, or a share such as ``25%`` of those that are wanted."""

SelectorOperator = Literal["In", "NotIn", "Exists", "DoesNotExist"]
PodManagementPolicy = Literal["OrderedReady", "Parallel"]
RetentionPolicy = Literal["Retain", "Delete"]
CompletionMode = Literal["NonIndexed", "Indexed"]
PodReplacementPolicy = Literal["TerminatingOrFailed", "Failed"]
FailureAction = Literal["FailJob", "FailIndex", "Ignore", "Count"]
ConcurrencyPolicy = Literal["Allow", "Forbid", "Replace"]
CatchUp = Literal["latest", "all", "none"]

DEFAULT_BACKOFF_LIMIT = 6
UNLIMITED = 2**31 - 1
"""The default of a Job's backoffLimit where each index has a limit of its own."""


@dataclass(frozen=True)
class Requirement:
    """One expression of a selector. ``values`` are for In and NotIn only."""

    key: str
    operator: SelectorOperator
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selector:
    """Which labels the pods of a workload have. All of it has to hold."""

    match_labels: Mapping[str, str] = field(default_factory=dict)
    match_expressions: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        given = all(labels.get(key) == value for key, value in self.match_labels.items())
        return given and all(_holds(requirement, labels) for requirement in self.match_expressions)


def _holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    if requirement.operator == "In":
        return value is not None and value in requirement.values
    if requirement.operator == "NotIn":
        return value is None or value not in requirement.values
    return (value is not None) == (requirement.operator == "Exists")


@dataclass(frozen=True)
class Workload:
    """What all kinds have in common."""

    kind: ClassVar[str] = ""
    api_version: ClassVar[str] = "apps/v1"

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PodWorkload(Workload):
    """A workload that makes its pods itself."""

    template: PodSpec = field(default_factory=lambda: PodSpec("", ()))


# --- Deployment, ReplicaSet, ReplicationController -------------------------------------------------------------------


@dataclass(frozen=True)
class RollingUpdate:
    """How many pods there may be more, and how many fewer, while a Deployment is brought up to date."""

    max_surge: IntOrPercent = "25%"
    max_unavailable: IntOrPercent = "25%"


@dataclass(frozen=True)
class DeploymentStrategy:
    """``rolling_update`` is None for Recreate only."""

    type: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    rolling_update: RollingUpdate | None = RollingUpdate()


@dataclass(frozen=True)
class Deployment(PodWorkload):
    """``shares_volumes``: two pods may have the claimed volumes of the template at a time, so that none has to end

    before its successor starts. Kubernetes has no such field: documents say it by an annotation.
    """

    kind = "Deployment"

    selector: Selector = Selector()
    replicas: int = 1
    strategy: DeploymentStrategy = DeploymentStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int = 10
    progress_deadline_seconds: int = 600
    paused: bool = False
    shares_volumes: bool = False


@dataclass(frozen=True)
class ReplicaSet(PodWorkload):
    kind = "ReplicaSet"

    selector: Selector = Selector()
    replicas: int = 1
    min_ready_seconds: int = 0


@dataclass(frozen=True)
class ReplicationController(PodWorkload):
    """Its selector knows labels only, and is by default the template's."""

    kind = "ReplicationController"
    api_version = "v1"

    selector: Mapping[str, str] = field(default_factory=dict)
    replicas: int = 1
    min_ready_seconds: int = 0


# --- StatefulSet -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RollingUpdateOfSet:
    """``partition``: pods below this ordinal keep the revision that they have."""

    partition: int = 0
    max_unavailable: IntOrPercent = 1


@dataclass(frozen=True)
class StatefulSetStrategy:
    """``rolling_update`` is None for OnDelete only."""

    type: Literal["RollingUpdate", "OnDelete"] = "RollingUpdate"
    rolling_update: RollingUpdateOfSet | None = RollingUpdateOfSet()


@dataclass(frozen=True)
class Ordinals:
    """The number of the first pod."""

    start: int = 0


@dataclass(frozen=True)
class ClaimRetention:
    """What becomes of the claims once the set is removed, or has fewer pods: Retain or Delete."""

    when_deleted: RetentionPolicy = "Retain"
    when_scaled: RetentionPolicy = "Retain"


@dataclass(frozen=True)
class StatefulSet(PodWorkload):
    """``progress_deadline_seconds`` begin after ``min_ready_seconds``.

    ``claim_folders`` are the folders of the host that claims stand for, by their names; the others are named volumes.
    Kubernetes has PersistentVolumes for it: documents say it by these, or by an annotation.
    """

    kind = "StatefulSet"

    selector: Selector = Selector()
    replicas: int = 1
    service_name: str | None = None
    ordinals: Ordinals = Ordinals()
    pod_management_policy: PodManagementPolicy = "OrderedReady"
    update_strategy: StatefulSetStrategy = StatefulSetStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int = 10
    volume_claim_templates: tuple[NamedVolume, ...] = ()
    persistent_volume_claim_retention_policy: ClaimRetention = ClaimRetention()
    progress_deadline_seconds: int = 600
    claim_folders: Mapping[str, HostPathVolume] = field(default_factory=dict)

    @property
    def ordinal_range(self) -> range:
        """The numbers of its pods."""
        return range(self.ordinals.start, self.ordinals.start + self.replicas)

    def pod_name(self, ordinal: int) -> str:
        return f"{self.name}-{ordinal}"

    def claim_name(self, template: str, ordinal: int) -> str:
        """The claim of one pod for a claim template, and the named volume that it is without a folder."""
        return f"{template}-{self.name}-{ordinal}"

    def ordinal_of(self, template: str, claim: str) -> int | None:
        """The number of the pod that has a claim of a template, whether or not it is wanted; None for another's."""
        match = re.fullmatch(r".*-(0|[1-9][0-9]{0,8})", claim, re.ASCII)
        return int(match[1]) if match and claim == self.claim_name(template, int(match[1])) else None


# --- DaemonSet -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RollingUpdateOfDaemons:
    max_surge: IntOrPercent = 0
    max_unavailable: IntOrPercent = 1


@dataclass(frozen=True)
class DaemonSetStrategy:
    """``rolling_update`` is None for OnDelete only."""

    type: Literal["RollingUpdate", "OnDelete"] = "RollingUpdate"
    rolling_update: RollingUpdateOfDaemons | None = RollingUpdateOfDaemons()


@dataclass(frozen=True)
class DaemonSet(PodWorkload):
    """One pod on each host that its stack is applied to. The deadline is that of a StatefulSet."""

    kind = "DaemonSet"

    selector: Selector = Selector()
    update_strategy: DaemonSetStrategy = DaemonSetStrategy()
    min_ready_seconds: int = 0
    revision_history_limit: int = 10
    progress_deadline_seconds: int = 600


# --- Job, CronJob ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExitCodes:
    """A pod that has failed matches by the exit code of a container; without a name, by that of any."""

    operator: Literal["In", "NotIn"]
    values: tuple[int, ...]
    container_name: str | None = None


@dataclass(frozen=True)
class PodConditionPattern:
    """A pod that has failed matches by one of its conditions."""

    type: str
    status: str = "True"


@dataclass(frozen=True)
class PodFailureRule:
    """Exactly one of ``on_exit_codes`` and ``on_pod_conditions`` is set."""

    action: FailureAction
    on_exit_codes: ExitCodes | None = None
    on_pod_conditions: tuple[PodConditionPattern, ...] = ()


@dataclass(frozen=True)
class PodFailurePolicy:
    """The first rule that matches decides."""

    rules: tuple[PodFailureRule, ...] = ()


@dataclass(frozen=True)
class SuccessRule:
    """Which indexes (``0,2-4``; None for all), and how many of them (None for each), have to succeed."""

    succeeded_indexes: str | None = None
    succeeded_count: int | None = None


@dataclass(frozen=True)
class SuccessPolicy:
    """The Job succeeds as soon as one rule is met."""

    rules: tuple[SuccessRule, ...] = ()


@dataclass(frozen=True)
class Job(PodWorkload):
    """``completions`` None: a work queue, done once a pod has succeeded and all have ended."""

    kind = "Job"
    api_version = "batch/v1"

    parallelism: int = 1
    completions: int | None = 1
    completion_mode: CompletionMode = "NonIndexed"
    backoff_limit: int = DEFAULT_BACKOFF_LIMIT
    backoff_limit_per_index: int | None = None
    max_failed_indexes: int | None = None
    active_deadline_seconds: int | None = None
    ttl_seconds_after_finished: int | None = None
    suspend: bool = False
    pod_failure_policy: PodFailurePolicy | None = None
    success_policy: SuccessPolicy | None = None
    pod_replacement_policy: PodReplacementPolicy = "TerminatingOrFailed"

    @property
    def is_indexed(self) -> bool:
        return self.completion_mode == "Indexed"


@dataclass(frozen=True)
class CronJob(Workload):
    """``catch_up``: which of the times that were missed within ``starting_deadline_seconds`` are made up for.

    Kubernetes knows the latest only: documents say another choice by an annotation.
    """

    kind = "CronJob"
    api_version = "batch/v1"

    schedule: str = ""
    job_template: Job = field(default_factory=lambda: Job(""))
    time_zone: str | None = None
    concurrency_policy: ConcurrencyPolicy = "Allow"
    starting_deadline_seconds: int | None = None
    suspend: bool = False
    successful_jobs_history_limit: int = 3
    failed_jobs_history_limit: int = 1
    catch_up: CatchUp = "latest"


AnyWorkload = Union[Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet, Job, CronJob]
KINDS: tuple[type[AnyWorkload], ...] = (
    Deployment,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
)


def template_of(workload: AnyWorkload) -> PodSpec:
    """The pods of a workload; of a CronJob, those of its Jobs."""
    return workload.job_template.template if isinstance(workload, CronJob) else workload.template


def indexes_of(text: str) -> tuple[tuple[int, int], ...] | None:
    """The intervals of ``0,2-4``, in order and without overlap; None for text of another form.

    Source: Kubernetes' Job API, ``succeededIndexes``.
    """
    intervals: list[tuple[int, int]] = []
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        if not _is_index(first) or (dash and not _is_index(last)):
            return None
        interval = (int(first), int(last) if dash else int(first))
        if interval[0] > interval[1] or (intervals and interval[0] <= intervals[-1][1]):
            return None
        intervals.append(interval)
    return tuple(intervals)


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def indexes_text(indexes: frozenset[int]) -> str:
    """Indexes as Kubernetes writes them: ``0,2-4``; two neighbours are ``0,1``."""
    parts: list[str] = []
    numbers = sorted(indexes)
    start = 0
    for position, number in enumerate(numbers):
        if position + 1 < len(numbers) and numbers[position + 1] == number + 1:
            continue
        first = numbers[start]
        start = position + 1
        parts.append(str(number) if first == number else f"{first}{',' if first + 1 == number else '-'}{number}")
    return ",".join(parts)
