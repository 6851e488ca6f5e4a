# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of workloads that look at more than one field.

They are those of the API server's validation (Kubernetes 1.37, apps/v1 and batch/v1), plus what one host can keep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Callable

from .. import spec as s
from ..place import INVALID, Place, Style, shown, spell
from ..pod_rules import Configuration, check_pod, podman_names, published_ports
from . import spec as w

MAX_INDEXES = 100_000
"""Of an Indexed Job; more pods at a time, or more failed indexes, no status could tell of."""
MAX_PARALLELISM_OF_MANY = 10_000


@dataclass(frozen=True)
class WorkloadPlace:
    """Where the parts of a workload stand. ``spec`` has its own fields, ``job`` those of a Job.

    ``pod`` has the fields of Kubernetes' PodSpec, ``labels`` are those of the template.
    """

    name: Place
    spec: Place
    job: Place
    pod: Place
    labels: Place
    claims: Place


def check_workload(workload: w.AnyWorkload, place: WorkloadPlace, known: Configuration) -> None:
    """Notes a fault for each rule that the workload breaks."""
    template = w.template_of(workload)
    if template is INVALID:
        return
    check_pod(_with_claims(workload, template), place.pod, known)
    for rule in _RULES[workload.kind]:
        rule(workload, place)


def _with_claims(workload: Any, template: s.PodSpec) -> s.PodSpec:
    """The template with the volumes of a StatefulSet's claims, which take the place of its own of that name."""
    claims = workload.volume_claim_templates if isinstance(workload, w.StatefulSet) else ()
    if INVALID in (claims, template.volumes):
        return replace(template, volumes=INVALID)
    names = {claim.name for claim in claims}
    own = tuple(volume for volume in template.volumes if volume is INVALID or volume.name not in names)
    if not names:
        return template
    claimed = (s.Volume(c.name, persistent_volume_claim=s.PersistentVolumeClaimVolume(c.name)) for c in claims)
    return replace(template, volumes=(*own, *claimed))


def check_names(workloads: Sequence[tuple[w.AnyWorkload, Place]]) -> None:
    """Notes a fault for each workload that is called as another one of its kind."""
    seen: dict[tuple[str, str], Place] = {}
    for workload, at in workloads:
        if workload.name is INVALID:
            continue
        twin = seen.setdefault((workload.kind, workload.name), at)
        if twin is not at:
            at.fault(f"{shown(workload.name)} is already used by {twin.path}")


def check_pod_names(workloads: Sequence[tuple[w.AnyWorkload, Place]], pods: Sequence[s.PodSpec]) -> None:
    """Notes a fault for each StatefulSet of which a pod or container would be called in Podman as one of ``pods`` is.

    The pods of other kinds have a digest in their names, which no declared pod can know.
    """
    taken = {name: pod.name for pod in pods if pod.name is not INVALID for name, _part in podman_names(pod)}
    for workload, at in workloads:
        clash = _clash(workload, taken) if isinstance(workload, w.StatefulSet) else ""
        if clash:
            at.fault(f"one of its pods or containers would be called {clash} in Podman, as pod {taken[clash]} has it")


def _clash(workload: w.StatefulSet, taken: Mapping[str, str]) -> str:
    """The first of the names that are taken which the set needs for itself; empty if there is none."""
    if INVALID in (workload.name, workload.template, workload.replicas, workload.ordinals, workload.ordinals.start):
        return ""
    parts = [container.name for container in workload.template.all_containers if container.name is not INVALID]
    endings = "|".join(re.escape(part) for part in (*parts, "infra"))
    pattern = re.compile(rf"{re.escape(workload.name)}-(0|[1-9][0-9]*)(-({endings}))?")
    matches = ((name, pattern.fullmatch(name)) for name in sorted(taken))
    return next((name for name, match in matches if match and int(match[1]) in workload.ordinal_range), "")


# --- selectors and templates -----------------------------------------------------------------------------------------


def _check_selector(workload: Any, place: WorkloadPlace) -> None:
    at = place.spec.key("selector")
    given = workload.selector
    if isinstance(workload, w.ReplicationController):
        selector, are_sound = w.Selector(given), given is not INVALID
    else:
        selector, are_sound = given, given is not INVALID and _check_requirements(given, at)
    labels = workload.template.labels
    if not are_sound or INVALID in (labels, selector.match_labels, *labels.values(), *selector.match_labels.values()):
        return
    if not selector.match_labels and not selector.match_expressions:
        at.fault("is empty; name labels of the template")
    elif not selector.matches(labels):
        at.fault(f"does not select the pods of the template, whose labels are at {place.labels.path}")


def _check_requirements(selector: w.Selector, at: Place) -> bool:
    """Whether the expressions of a selector can be judged; notes the faults of those that cannot hold."""
    if selector.match_labels is INVALID or selector.match_expressions is INVALID:
        return False
    are_sound = True
    for number, requirement in enumerate(selector.match_expressions):
        if requirement is INVALID or INVALID in (requirement.operator, requirement.key, requirement.values):
            are_sound = False
            continue
        needs_values = requirement.operator in ("In", "NotIn")
        if needs_values != bool(requirement.values):
            reason = "needs at least one for" if needs_values else "has to be empty for"
            at.key("match_expressions").index(number).key("values").fault(f"{reason} {requirement.operator}")
            are_sound = False
    return are_sound


def _check_lasting(workload: Any, place: WorkloadPlace) -> None:
    """Pods that are kept for good run for good."""
    template, at = workload.template, place.pod
    if template.restart_policy not in ("Always", INVALID):
        at.key("restart_policy").fault(
            f"{template.restart_policy} is for pods that end, in a Job; of a {workload.kind} it is Always"
        )
    if template.active_deadline_seconds is not None:
        at.key("active_deadline_seconds").fault(f"would end the pods that a {workload.kind} is to keep; leave it out")


def _check_host_ports(workload: Any, place: WorkloadPlace) -> None:
    """A host has each of its ports once."""
    if workload.replicas is INVALID or workload.replicas < 2:
        return
    for at, port in published_ports(workload.template, place.pod):
        if port.host_port is not INVALID:
            at.fault(
                f"only one of the {workload.replicas} pods can have port {port.host_port} of this host; "
                f"give {spell('replicas', place.spec.style)} 1, or put a Service before the pods"
            )


# --- updates ---------------------------------------------------------------------------------------------------------


def _is_zero(count: w.IntOrPercent) -> bool:
    return count in (0, "0%")


def _check_rolling_update(workload: w.Deployment, place: WorkloadPlace) -> None:
    update = workload.strategy.rolling_update
    if update and _is_zero(update.max_surge) and _is_zero(update.max_unavailable):
        at = place.spec.key("strategy").key("rolling_update")
        surge = spell("max_surge", at.style)
        at.key("max_unavailable").fault(f"is 0, and so is {surge}: no pod could be replaced; set one of them above 0")


def _check_deadline(workload: w.Deployment, place: WorkloadPlace) -> None:
    if workload.progress_deadline_seconds <= workload.min_ready_seconds:
        name = spell("min_ready_seconds", place.spec.style)
        place.spec.key("progress_deadline_seconds").fault(
            f"{workload.progress_deadline_seconds} is not more than {name}, {workload.min_ready_seconds}"
        )


def _check_set_update(workload: w.StatefulSet, place: WorkloadPlace) -> None:
    update = workload.update_strategy.rolling_update
    if update and _is_zero(update.max_unavailable):
        at = place.spec.key("update_strategy").key("rolling_update").key("max_unavailable")
        at.fault("is 0: no pod could be replaced; set it to 1 or more")


def _check_daemon_update(workload: w.DaemonSet, place: WorkloadPlace) -> None:
    update = workload.update_strategy.rolling_update
    if not update:
        return
    at = place.spec.key("update_strategy").key("rolling_update")
    surge, unavailable = spell("max_surge", at.style), spell("max_unavailable", at.style)
    has_surge, has_unavailable = not _is_zero(update.max_surge), not _is_zero(update.max_unavailable)
    if INVALID in (update.max_surge, update.max_unavailable):
        return
    if has_surge and has_unavailable:
        at.key("max_surge").fault(f"a host has one pod of a DaemonSet: give {unavailable} 0 with it, or leave it out")
    elif not has_surge and not has_unavailable:
        at.key("max_unavailable").fault(f"is 0, and so is {surge}: no pod could be replaced; set one of them above 0")
    elif has_surge:
        for port_at, port in published_ports(workload.template, place.pod):
            port_at.fault(f"port {port.host_port} of this host can be had once: with {surge} two pods would want it")


def _check_claims(workload: w.StatefulSet, place: WorkloadPlace) -> None:
    """No two claims have one name; those of native options are told apart by their table."""
    seen: dict[str, Place] = {}
    claims = enumerate(workload.volume_claim_templates) if place.claims.style is Style.KUBERNETES else ()
    for number, claim in claims:
        at = place.claims.index(number).key("metadata").key("name")
        twin = at if claim.name is INVALID else seen.setdefault(claim.name, at)
        if twin is not at:
            at.fault(f"{shown(claim.name)} is already used by {twin.path}")


def _check_claim_folders(workload: w.StatefulSet, place: WorkloadPlace) -> None:
    """Each folder is of one claim, and the claims of a template are all folders or all named volumes."""
    ordinals = workload.ordinals
    if INVALID in (workload.name, workload.replicas, ordinals, ordinals.start, workload.volume_claim_templates):
        return
    folders, at = workload.claim_folders, place.spec.key("claim_folders")
    names = [template.name for template in workload.volume_claim_templates]
    users: dict[str, str] = {}
    for claim, folder in folders.items():
        if all(workload.ordinal_of(name, claim) is None for name in names):
            known = workload.claim_name(names[0], ordinals.start) if names else ""
            at.raw(claim).fault(f"is no claim of its pods; they are called {known} and so on" if known else _NO_CLAIMS)
        user = claim if folder is INVALID else users.setdefault(folder.path, claim)
        if user != claim:
            at.raw(claim).key("path").fault(f"is the folder of {user} already; give each claim one of its own")
    for number, name in enumerate(names):
        missing = next((n for n in workload.ordinal_range if workload.claim_name(name, n) not in folders), None)
        if missing is not None and any(workload.ordinal_of(name, claim) is not None for claim in folders):
            place.claims.index(number).fault(
                f"{workload.claim_name(name, missing)} has no folder, and others of its claims have; "
                f"{_GIVE_FOLDER[place.claims.style]}"
            )


_NO_CLAIMS = "has no claim: there are no volume_claim_templates"
_GIVE_FOLDER = {
    Style.NATIVE: "give it one in claim_folders, or declare a PersistentVolume that fits it",
    Style.KUBERNETES: "declare a PersistentVolume that fits it",
}


def _check_set_name(workload: w.StatefulSet, place: WorkloadPlace) -> None:
    """The names of the pods are those of hosts too."""
    if INVALID in (workload.name, workload.replicas, workload.ordinals, workload.ordinals.start):
        return
    longest = workload.pod_name(max(workload.ordinal_range, default=workload.ordinals.start))
    if len(longest) > s.POD_NAME_LIMIT:
        place.name.fault(f"its pod {longest} would have more than {s.POD_NAME_LIMIT} characters; give a shorter one")


# --- Jobs ------------------------------------------------------------------------------------------------------------


def _job_of(workload: Any) -> Any:
    return workload.job_template if isinstance(workload, w.CronJob) else workload


def _check_job_pods(workload: Any, place: WorkloadPlace) -> None:
    template = _job_of(workload).template
    if template.restart_policy == "Always":
        place.pod.key("restart_policy").fault("is Always; the pods of a Job end, so give OnFailure or Never")


def _check_job_counts(workload: Any, place: WorkloadPlace) -> None:
    job, at = _job_of(workload), place.job
    if job.is_indexed and job.completions is None:
        at.key("completions").fault("is required when the pods are Indexed")
    if job.is_indexed and job.completions is not None:
        _check_sizes(job, at)
    for name, needed in (("backoff_limit_per_index", "Indexed"), ("success_policy", "Indexed")):
        if getattr(job, name) is not None and not job.is_indexed and job.completion_mode is not INVALID:
            at.key(name).fault(f"is for Jobs whose {spell('completion_mode', at.style)} is {needed}")
    if job.max_failed_indexes is not None and job.backoff_limit_per_index is None:
        at.key("max_failed_indexes").fault(f"needs {spell('backoff_limit_per_index', at.style)}")
    if job.max_failed_indexes is not None and job.completions is not None and job.max_failed_indexes > job.completions:
        at.key("max_failed_indexes").fault(
            f"{job.max_failed_indexes} is more than {spell('completions', at.style)}, {job.completions}"
        )


def _check_sizes(job: w.Job, at: Place) -> None:
    if job.parallelism > MAX_INDEXES:
        at.key("parallelism").fault(f"{job.parallelism} is more than {MAX_INDEXES} for Indexed pods")
    if job.completions is not None and job.completions > MAX_INDEXES and job.parallelism > MAX_PARALLELISM_OF_MANY:
        at.key("parallelism").fault(
            f"{job.parallelism} is more than {MAX_PARALLELISM_OF_MANY}, which is the most for {job.completions} indexes"
        )
    largest = f"-{max((job.completions or 0) - 1, 0)}"
    if job.name is not INVALID and len(job.name) + len(largest) > s.POD_NAME_LIMIT:
        at.key("completions").fault(
            f"the hostname {job.name}{largest} would have more than {s.POD_NAME_LIMIT} characters; give a shorter name"
        )


def _check_failure_policy(workload: Any, place: WorkloadPlace) -> None:
    job = _job_of(workload)
    policy, at = job.pod_failure_policy, place.job.key("pod_failure_policy")
    if not policy:
        return
    if job.template.restart_policy == "OnFailure":
        at.fault(f"needs pods with {spell('restart_policy', at.style)} Never")
    if job.pod_replacement_policy == "TerminatingOrFailed":
        place.job.key("pod_replacement_policy").fault(
            f"can only be Failed beside {spell('pod_failure_policy', at.style)}"
        )
    for number, rule in enumerate(policy.rules):
        if rule is not INVALID:
            _check_failure_rule(job, rule, at.key("rules").index(number))


def _check_failure_rule(job: w.Job, rule: w.PodFailureRule, at: Place) -> None:
    given = [name for name in ("on_exit_codes", "on_pod_conditions") if getattr(rule, name) not in (None, ())]
    if len(given) != 1:
        names = [spell(name, at.style) for name in ("on_exit_codes", "on_pod_conditions")]
        at.fault(f"has {' and '.join(names)}; give only one of them" if given else f"needs one of {', '.join(names)}")
    if rule.action == "FailIndex" and job.backoff_limit_per_index is None:
        at.key("action").fault(f"FailIndex needs {spell('backoff_limit_per_index', at.style)}")
    if rule.on_exit_codes:
        _check_exit_codes(job, rule.on_exit_codes, at.key("on_exit_codes"))


def _check_exit_codes(job: w.Job, codes: w.ExitCodes, at: Place) -> None:
    values_at = at.key("values")
    if codes.operator == "In" and 0 in codes.values and codes.values is not INVALID:
        values_at.fault("0 is no failure, so it cannot be among those of In")
    numbers = [value for value in codes.values if value is not INVALID]
    if numbers != sorted(set(numbers)):
        values_at.fault("has to be in order, each code once")
    name, template = codes.container_name, job.template
    if name is None or name is INVALID or template.containers is INVALID or template.init_containers is INVALID:
        return
    containers = [c.name for c in (*template.containers, *template.init_containers) if c is not INVALID]
    if name not in containers and INVALID not in containers:
        at.key("container_name").fault(f"no container is called {name!r}; declared are: {', '.join(containers)}")


def _check_success_policy(workload: Any, place: WorkloadPlace) -> None:
    job = _job_of(workload)
    rules = enumerate(job.success_policy.rules) if job.success_policy else ()
    for number, rule in rules:
        if rule is not INVALID:
            _check_success_rule(job, rule, place.job.key("success_policy").key("rules").index(number))


def _check_success_rule(job: w.Job, rule: w.SuccessRule, at: Place) -> None:
    if rule.succeeded_indexes is None and rule.succeeded_count is None:
        at.fault(f"needs {spell('succeeded_indexes', at.style)} or {spell('succeeded_count', at.style)}")
    if job.completions is None or INVALID in (rule.succeeded_indexes, job.completions):
        return
    intervals = None if rule.succeeded_indexes is None else w.indexes_of(rule.succeeded_indexes)
    if intervals and intervals[-1][1] >= job.completions:
        at.key("succeeded_indexes").fault(f"{intervals[-1][1]} is not one of the {job.completions} indexes")
    selected = job.completions if intervals is None else sum(last - first + 1 for first, last in intervals)
    if rule.succeeded_count is not None and rule.succeeded_count > selected:
        at.key("succeeded_count").fault(f"{rule.succeeded_count} is more than the {selected} indexes to choose from")


Rule = Callable[[Any, WorkloadPlace], None]
_KEPT: tuple[Rule, ...] = (_check_selector, _check_lasting)
_JOB: tuple[Rule, ...] = (_check_job_pods, _check_job_counts, _check_failure_policy, _check_success_policy)
_RULES: dict[str, tuple[Rule, ...]] = {
    "Deployment": (*_KEPT, _check_host_ports, _check_rolling_update, _check_deadline),
    "ReplicaSet": (*_KEPT, _check_host_ports),
    "ReplicationController": (*_KEPT, _check_host_ports),
    "StatefulSet": (*_KEPT, _check_host_ports, _check_set_update, _check_claims, _check_claim_folders, _check_set_name),
    "DaemonSet": (*_KEPT, _check_daemon_update),
    "Job": _JOB,
    "CronJob": _JOB,
}

# --- what cannot change ----------------------------------------------------------------------------------------------

_REPLACE = "cannot change; remove the {kind} first, or give it another name"
IMMUTABLE: dict[str, tuple[str, ...]] = {
    "Deployment": ("selector",),
    "ReplicaSet": ("selector",),
    "ReplicationController": (),
    "StatefulSet": ("selector", "service_name", "pod_management_policy", "volume_claim_templates"),
    "DaemonSet": ("selector",),
    "Job": (
        "completions",
        "completion_mode",
        "backoff_limit_per_index",
        "pod_failure_policy",
        "success_policy",
        "template",
    ),
    "CronJob": (),
}
"""The fields that stay as they were applied first. Of a Job that has ended all may change, for then it is a new one."""


def check_change(before: w.AnyWorkload, wanted: w.AnyWorkload, at: Place, has_ended: bool = False) -> None:
    """Notes a fault for each field that was changed and cannot; ``at`` is where the workload's own fields stand.

    ``has_ended``: the workload is a Job that is over.
    """
    if has_ended:
        return
    for name in IMMUTABLE[wanted.kind]:
        if getattr(before, name) != getattr(wanted, name) and not _may_change(before, wanted, name):
            at.key(name).fault(_REPLACE.format(kind=wanted.kind))


def _may_change(before: Any, wanted: Any, name: str) -> bool:
    """What of a Job may change that is under way: pods of one that is suspended, and an elastic number of indexes.

    Source: Kubernetes' documentation of Jobs, "Mutable Scheduling Directives" and "Elastic Indexed Jobs".
    """
    if not isinstance(wanted, w.Job):
        return False
    if name == "template":
        return bool(before.suspend)
    is_elastic = wanted.is_indexed and wanted.completions == wanted.parallelism
    return name == "completions" and is_elastic and before.completions == before.parallelism
