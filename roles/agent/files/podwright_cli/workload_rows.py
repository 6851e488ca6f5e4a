# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tables of workloads show: the columns of each kind, which are kubectl's, and its rows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import rows, view, workloads
from .screen import Row, Style
from .view import Document
from .workloads import spec_of, status_of

_REPLICAS = ("NAME DESIRED CURRENT READY AGE", "NAME DESIRED CURRENT READY", "NAME DESIRED READY", "NAME READY")
# The columns that are shown where there is room for them, the best choice first.
LAYOUTS: Mapping[str, tuple[str, ...]] = {
    "Deployment": (
        "NAME READY UP-TO-DATE AVAILABLE AGE",
        "NAME READY UP-TO-DATE AVAILABLE",
        "NAME READY AVAILABLE",
        "NAME READY",
    ),
    "StatefulSet": ("NAME READY AGE", "NAME READY"),
    "DaemonSet": (
        "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE_SELECTOR AGE",
        "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE AGE",
        *_REPLICAS,
    ),
    "ReplicaSet": _REPLICAS,
    "ReplicationController": _REPLICAS,
    "Job": (
        "NAME STATUS COMPLETIONS DURATION AGE",
        "NAME STATUS COMPLETIONS AGE",
        "NAME STATUS COMPLETIONS",
        "NAME STATUS",
    ),
    "CronJob": (
        "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST_SCHEDULE AGE",
        "NAME SCHEDULE SUSPEND ACTIVE LAST_SCHEDULE",
        "NAME SCHEDULE ACTIVE LAST_SCHEDULE",
        "NAME SCHEDULE",
    ),
}
HISTORY = ("REVISION AGE CHANGE-CAUSE", "REVISION CHANGE-CAUSE")


def layouts(kind: str, is_wide: bool) -> tuple[str, ...]:
    plain = LAYOUTS[kind]
    if not is_wide:
        return plain
    return (f"{plain[0]} STACK OWNER CONTAINERS IMAGES SELECTOR", f"{plain[0]} STACK IMAGES", *plain)


def of_workload(workload: Document, now: float) -> Row:
    template = workloads.template_of(workload)
    containers = (template.get("spec") or {}).get("containers", ())
    return {
        "NAME": view.name_of(workload),
        "AGE": view.show_since(workload["metadata"].get("creationTimestamp"), now),
        "STACK": workload["stack"],
        "OWNER": rows.show_owner(workload),
        "CONTAINERS": ",".join(container["name"] for container in containers),
        "IMAGES": ",".join(container["image"] for container in containers),
        "SELECTOR": show_selector(spec_of(workload).get("selector")) or "-",
        **_ROWS[workload["kind"]](workload, now),
    }


def show_selector(selector: Document | None) -> str:
    """``app=web,tier in (a,b)``; a ReplicationController's has labels alone."""
    if not selector:
        return ""
    labels = selector.get("matchLabels", {} if "matchExpressions" in selector else selector)
    parts = [f"{key}={value}" for key, value in labels.items()]
    return ",".join([*parts, *(_requirement(one) for one in selector.get("matchExpressions", ()))])


def _requirement(one: Document) -> str:
    key, values = str(one["key"]), ",".join(one.get("values", ()))
    shown: dict[str, str] = {
        "Exists": key,
        "DoesNotExist": f"!{key}",
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
    }
    return shown[str(one["operator"])]


def _of_deployment(workload: Document, now: float) -> Row:
    status = status_of(workload)
    return {
        **_of_stateful_set(workload, now),
        "UP-TO-DATE": str(status.get("updatedReplicas", 0)),
        "AVAILABLE": str(status.get("availableReplicas", 0)),
    }


def _of_stateful_set(workload: Document, now: float) -> Row:
    return {"READY": f"{status_of(workload).get('readyReplicas', 0)}/{workloads.replicas_of(workload)}"}


def _of_replicas(workload: Document, now: float) -> Row:
    status = status_of(workload)
    return {
        "DESIRED": str(workloads.replicas_of(workload)),
        "CURRENT": str(status.get("replicas", 0)),
        "READY": str(status.get("readyReplicas", 0)),
    }


def _of_daemon_set(workload: Document, now: float) -> Row:
    status = status_of(workload)
    selector = (workloads.template_of(workload).get("spec") or {}).get("nodeSelector") or {}
    return {
        "DESIRED": str(status.get("desiredNumberScheduled", 0)),
        "CURRENT": str(status.get("currentNumberScheduled", 0)),
        "READY": str(status.get("numberReady", 0)),
        "UP-TO-DATE": str(status.get("updatedNumberScheduled", 0)),
        "AVAILABLE": str(status.get("numberAvailable", 0)),
        "NODE_SELECTOR": show_selector(selector) or "-",
    }


def _of_job(workload: Document, now: float) -> Row:
    return {
        "STATUS": workloads.job_status(workload),
        "COMPLETIONS": workloads.completions(workload),
        "DURATION": duration(workload, now),
    }


def duration(job: Document, now: float) -> str:
    """How long a Job has run, or did."""
    began, ended = view.seconds_of(status_of(job).get("startTime")), view.seconds_of(workloads.ended_at(job))
    return "-" if began is None else view.show_age((now if ended is None else ended) - began)


def _of_cron_job(workload: Document, now: float) -> Row:
    spec, status = spec_of(workload), status_of(workload)
    return {
        "SCHEDULE": spec.get("schedule", "-"),
        "TIMEZONE": spec.get("timeZone") or "-",
        "SUSPEND": str(bool(spec.get("suspend"))),
        "ACTIVE": str(len(status.get("active", ()))),
        "LAST_SCHEDULE": view.show_since(status.get("lastScheduleTime"), now),
    }


_ROWS: Mapping[str, Callable[[Document, float], Row]] = {
    "Deployment": _of_deployment,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
    "ReplicaSet": _of_replicas,
    "ReplicationController": _of_replicas,
    "Job": _of_job,
    "CronJob": _of_cron_job,
}


def of_revision(revision: Document, now: float) -> Row:
    return {
        "REVISION": str(revision["number"]),
        "AGE": view.show_since(revision.get("applied_at"), now),
        "CHANGE-CAUSE": revision.get("change_cause") or "-",
    }


# --- colours ---------------------------------------------------------------------------------------------------------

_STATUS_STYLES = {"Complete": "bright_black", "Running": "green", "Suspended": "yellow"}


def _style_of_ready(text: str, row: Row) -> str:
    ready, slash, wanted = text.partition("/")
    return "" if ready == (wanted if slash else row["DESIRED"]) else "yellow"


STYLES: Mapping[str, Style] = {
    "READY": _style_of_ready,
    "STATUS": lambda text, row: _STATUS_STYLES.get(text, "red"),
}
