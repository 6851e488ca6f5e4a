# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload from top to bottom, as lines for ``describe``. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from . import rows, view, workload_rows, workloads
from .description import Line, describe_template, moment, several
from .view import Document
from .workloads import spec_of, status_of


def describe(workload: Document, now: float) -> list[Line]:
    """Everything but the conditions, pods and events, which are tables."""
    return [
        *_head(workload, now),
        *_KINDS[workload["kind"]](workload, now),
        *_template(workload, workloads.template_of(workload)),
    ]


def _head(workload: Document, now: float) -> Iterator[Line]:
    metadata = workload["metadata"]
    yield Line("Name", view.name_of(workload))
    yield Line("Kind", workload["kind"])
    yield Line("Stack", workload["stack"])
    if workload.get("owner"):
        yield Line("Owner", rows.show_owner(workload))
    yield Line("Created", moment(metadata.get("creationTimestamp"), now))
    yield from several("Labels", [f"{key}={value}" for key, value in (metadata.get("labels") or {}).items()])
    annotations = (metadata.get("annotations") or {}).items()
    yield from several("Annotations", [f"{key}: {text}" for key, text in annotations])
    selector = workload_rows.show_selector(spec_of(workload).get("selector"))
    if selector:
        yield Line("Selector", selector)
    if workload.get("is_stopped"):
        yield Line("Stopped", "with its stack", style="yellow")
    for title in ("failure", "damage"):
        if workload.get(title):
            yield Line(title.capitalize(), workload[title], style="red")


# --- kinds -----------------------------------------------------------------------------------------------------------


def _deployment(workload: Document, now: float) -> Iterator[Line]:
    spec, status = spec_of(workload), status_of(workload)
    counts = (
        (workloads.replicas_of(workload), "desired"),
        (status.get("updatedReplicas", 0), "updated"),
        (status.get("replicas", 0), "total"),
        (status.get("availableReplicas", 0), "available"),
        (status.get("unavailableReplicas", 0), "unavailable"),
    )
    yield Line("Replicas", ", ".join(f"{count} {what}" for count, what in counts))
    strategy = spec.get("strategy") or {}
    bounds = {"maxSurge": "25%", "maxUnavailable": "25%", **(strategy.get("rollingUpdate") or {})}
    is_recreated = strategy.get("type") == "Recreate"
    rolling = f"RollingUpdate, {bounds['maxUnavailable']} max unavailable, {bounds['maxSurge']} max surge"
    yield Line("Strategy", "Recreate" if is_recreated else rolling)
    if spec.get("paused"):
        yield Line("Paused", "True", style="yellow")
    yield from _revision(workload)


def _replicas(workload: Document, now: float) -> Iterator[Line]:
    status = status_of(workload)
    current, wanted = status.get("replicas", 0), workloads.replicas_of(workload)
    yield Line("Replicas", f"{current} current, {wanted} desired, {status.get('readyReplicas', 0)} ready")


def _stateful_set(workload: Document, now: float) -> Iterator[Line]:
    yield from _replicas(workload, now)
    spec = spec_of(workload)
    update = spec.get("updateStrategy") or {}
    partition = (update.get("rollingUpdate") or {}).get("partition", 0)
    yield Line("Strategy", update.get("type", "RollingUpdate") + (f", partition {partition}" if partition else ""))
    yield Line("Order", spec.get("podManagementPolicy", "OrderedReady"))
    claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())]
    yield from several("Claims", claims)
    yield from _revision(workload)


def _daemon_set(workload: Document, now: float) -> Iterator[Line]:
    status = status_of(workload)
    counts = (
        ("desiredNumberScheduled", "desired"),
        ("currentNumberScheduled", "current"),
        ("updatedNumberScheduled", "updated"),
        ("numberAvailable", "available"),
    )
    yield Line("Pods", ", ".join(f"{status.get(field, 0)} {what}" for field, what in counts))
    yield from _revision(workload)


def _job(workload: Document, now: float) -> Iterator[Line]:
    spec, status = spec_of(workload), status_of(workload)
    yield Line("Status", workloads.job_status(workload))
    yield Line("Completions", f"{workloads.completions(workload)}, {spec.get('parallelism', 1)} at a time")
    yield Line("Backoff limit", str(spec.get("backoffLimit", 6)))
    if spec.get("activeDeadlineSeconds"):
        yield Line("Deadline", f"{spec['activeDeadlineSeconds']}s")
    yield Line("Started", moment(status.get("startTime"), now))
    ended = workloads.ended_at(workload)
    if ended:
        yield Line("Ended", moment(ended, now))
    yield Line("Duration", workload_rows.duration(workload, now))
    counts = ", ".join(f"{status.get(what, 0)} {what}" for what in ("active", "ready", "succeeded", "failed"))
    yield Line("Pods", counts)
    for title, field in (("Completed", "completedIndexes"), ("Failed", "failedIndexes")):
        if status.get(field):
            yield Line(f"{title} indexes", status[field])


def _cron_job(workload: Document, now: float) -> Iterator[Line]:
    spec, status = spec_of(workload), status_of(workload)
    zone = spec.get("timeZone")
    yield Line("Schedule", spec.get("schedule", "-") + (f" ({zone})" if zone else ""))
    yield Line("Concurrency", spec.get("concurrencyPolicy", "Allow"))
    is_suspended = bool(spec.get("suspend"))
    yield Line("Suspend", str(is_suspended), style="yellow" if is_suspended else "")
    if spec.get("startingDeadlineSeconds") is not None:
        yield Line("Deadline", f"{spec['startingDeadlineSeconds']}s to start")
    limits = (("successfulJobsHistoryLimit", 3, "successful"), ("failedJobsHistoryLimit", 1, "failed"))
    yield Line("History", ", ".join(f"{spec.get(field, default)} {what}" for field, default, what in limits))
    yield Line("Last schedule", moment(status.get("lastScheduleTime"), now))
    yield Line("Last success", moment(status.get("lastSuccessfulTime"), now))
    yield from several("Active jobs", [job["name"] for job in status.get("active", ())])


def _revision(workload: Document) -> Iterator[Line]:
    present = next((one for one in workload.get("revisions", ()) if one["is_current"]), None)
    if present:
        cause = f" ({present['change_cause']})" if present.get("change_cause") else ""
        yield Line("Revision", f"{present['number']}{cause}")


_KINDS: Mapping[str, Callable[[Document, float], Iterator[Line]]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "ReplicaSet": _replicas,
    "ReplicationController": _replicas,
    "Job": _job,
    "CronJob": _cron_job,
}


def describe_revision(workload: Document, revision: Document, now: float) -> list[Line]:
    """One revision of a workload, with its template."""
    return [
        Line("Revision", str(revision["number"])),
        Line("Hash", revision["hash"]),
        Line("Applied", moment(revision.get("applied_at"), now)),
        Line("Cause", revision.get("change_cause") or "-"),
        *_template(workload, revision["template"]),
    ]


def _template(workload: Document, template: Document) -> Iterator[Line]:
    pod = {"metadata": {"name": view.name_of(workload), **(template.get("metadata") or {})}, "spec": template["spec"]}
    yield Line("Template")
    yield from describe_template(pod)
