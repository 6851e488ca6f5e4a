# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each table shows: its columns, for terminals of all widths, and its rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import view
from .asking import module
from .screen import Row, Style
from .view import Document

# The columns that are shown where there is room for them, the best choice first. Lower case is a column in short.
PODS = (
    "NAME READY STATUS RESTARTS AGE",
    "NAME READY STATUS restarts AGE",
    "NAME READY STATUS AGE",
    "NAME READY STATUS",
    "NAME STATUS",
)
WIDE_PODS = (
    "NAME READY STATUS RESTARTS AGE IP NODE STACK OWNER QOS IMAGES",
    "NAME READY STATUS restarts AGE IP NODE STACK QOS IMAGES",
    "NAME READY STATUS restarts AGE IP STACK QOS IMAGES",
    "NAME READY STATUS AGE IP STACK IMAGES",
    "NAME READY STATUS IP IMAGES",
    "NAME STATUS IMAGES",
    *PODS,
)
STACKS = (
    "NAME STATUS READY REVISION AGE BY CAUSE",
    "NAME STATUS READY REVISION AGE CAUSE",
    "NAME STATUS READY REVISION AGE",
    "NAME STATUS READY REVISION",
    "NAME STATUS READY",
    "NAME STATUS",
)
EVENTS = (
    "LAST_SEEN TYPE REASON OBJECT MESSAGE",
    "last_seen TYPE REASON OBJECT MESSAGE",
    "last_seen REASON OBJECT MESSAGE",
    "last_seen REASON message",
    "last_seen message",
    "message",
)
EASE = 36
"""The width at which a message can be read with ease: others give way to it before it gets any narrower."""
USES = (
    "NAME CPU CPU_LIMIT MEMORY MEMORY_LIMIT",
    "NAME CPU MEMORY MEMORY_LIMIT",
    "NAME CPU MEMORY",
)
GENERATED = (
    "OWNER NAME KEY AGE DECLARED",
    "OWNER NAME KEY AGE",
    "OWNER NAME KEY",
)
CONDITIONS = ("TYPE STATUS SINCE REASON", "TYPE STATUS REASON", "TYPE STATUS")

ALMOST, NEARLY = 90, 75
"""Percent of a limit from which its use is shown in red, and in yellow."""


def of_pod(pod: Document, now: float, node: str = "", stacks: Mapping[str, str] | None = None) -> Row:
    summary, status = view.summarize(pod), pod.get("status") or {}
    count, last_at = summary.restarts
    ago = f" ({view.show_age(now - last_at)} ago)" if count and last_at else ""
    return {
        "NAME": view.name_of(pod),
        "READY": f"{summary.ready}/{summary.total}",
        "STATUS": summary.status,
        "RESTARTS": f"{count}{ago}",
        "restarts": str(count),
        "AGE": view.show_since(status.get("startTime"), now),
        "IP": status.get("podIP") or "-",
        "NODE": node,
        "STACK": (stacks or {}).get(view.name_of(pod), "-"),
        "OWNER": show_owner(pod),
        "QOS": status.get("qosClass") or "-",
        "IMAGES": ", ".join(dict.fromkeys(container["image"] for container in view.containers_of(pod))),
    }


def show_owner(pod: Document) -> str:
    """The workload that has made a pod: ``Deployment/web``."""
    owner = pod.get("owner")
    return f"{owner['kind']}/{owner['name']}" if owner else "-"


_TIMES = ("AGE", "RESTARTS", "DURATION", "LAST_SCHEDULE")


def gone(row: Row) -> Row:
    """The row of what is there no more."""
    return {column: text if column == "NAME" else "-" for column, text in row.items()} | {"STATUS": "Deleted"}


def without_time(row: Row) -> Row:
    """What of a row changes only when something happens to the pod or workload."""
    return {column: text for column, text in row.items() if column not in _TIMES}


def of_stack(stack: Document, now: float) -> Row:
    # Pods of Jobs come and go: whether they ended well is for the Jobs to tell.
    lasting = [pod for pod in stack["pods"] if (pod.get("owner") or {}).get("kind") != "Job"]
    summaries = [view.summarize(pod) for pod in lasting]
    current: Document = next((one for one in stack["revisions"] if one["number"] == stack["revision"]), {})
    ready = sum(summary.status == "Completed" or summary.ready == summary.total for summary in summaries)
    is_ready = ready == len(summaries) and bool(summaries or stack.get("workloads"))
    status = ("Ready" if is_ready else "NotReady") if stack["is_good"] else "Unverified"
    return {
        "NAME": stack["name"],
        "STATUS": "DamagedState" if stack.get("damage") else status,
        "READY": f"{ready}/{len(summaries)}",
        "REVISION": str(stack["revision"]),
        "AGE": view.show_since(current.get("applied_at"), now),
        "BY": current.get("applied_by") or "-",
        "CAUSE": current.get("change_cause") or "-",
    }


def of_generated(item: Document, now: float) -> Row:
    """One generated value, which itself is not told."""
    return {
        "OWNER": f"{item['kind']}/{item['owner']}",
        "NAME": item["secret"] or "(damaged)",
        "KEY": item["key"] or "-",
        "AGE": view.show_age(now - item["made_at"]) if item["made_at"] else "-",
        "DECLARED": "yes" if item["is_used"] else "no",
    }


def of_event(event: Document, now: float) -> Row:
    about = "/".join(filter(None, (event["pod"] or "host", event["container"])))
    return {
        "LAST_SEEN": view.show_repeated(event, now),
        "last_seen": view.show_age(now - event["last_at"]),
        "TYPE": event["type"],
        "REASON": event["reason"],
        "OBJECT": about,
        "MESSAGE": event["message"],
        "message": f"{about}: {event['message']}",
    }


def of_uses(pod: Document, is_by_container: bool) -> list[Row]:
    """A row for the pod, or one for each of its containers; none where nothing runs."""
    uses = view.uses_of(pod)
    if is_by_container:
        return [_of_use(f"{view.name_of(pod)}/{name}", use) for name, use in uses.items()]
    return [_of_use(view.name_of(pod), view.total([*uses.values()]))] if uses else []


def _of_use(name: str, use: view.Use) -> Row:
    cpu_limit = "-" if use.cpu_limit is None else f"{use.cpu_limit}m"
    memory_limit = "-" if use.memory_limit is None else module("_declaration.quantity").show_bytes(use.memory_limit)
    return {
        "NAME": name,
        "CPU": f"{use.cpu_millicores}m",
        "CPU_LIMIT": cpu_limit + _share(use.cpu_millicores, use.cpu_limit),
        "MEMORY": module("_declaration.quantity").show_bytes(use.memory_bytes),
        "MEMORY_LIMIT": memory_limit + _share(use.memory_bytes, use.memory_limit),
    }


def _share(used: int, limit: int | None) -> str:
    percent = view.share(used, limit)
    return "" if percent is None else f" ({percent}%)"


def of_conditions(pod: Document, now: float) -> list[Row]:
    return [
        {
            "TYPE": condition["type"],
            "STATUS": condition["status"],
            "SINCE": view.show_since(condition.get("lastTransitionTime"), now),
            "REASON": condition.get("reason") or "-",
        }
        for condition in (pod.get("status") or {}).get("conditions", ())
    ]


# --- colours ---------------------------------------------------------------------------------------------------------


def _style_of_limit(text: str, row: Row) -> str:
    """Of ``64Mi (91%)``."""
    percent = int(text.rpartition("(")[2].rstrip("%)")) if text.endswith("%)") else 0
    return "red" if percent >= ALMOST else "yellow" if percent >= NEARLY else ""


def _style_of_ready(text: str, row: Row) -> str:
    ready, _of, total = text.partition("/")
    return "" if ready == total or row["STATUS"] in ("Completed", "Succeeded", "Deleted") else "yellow"


STYLES: Mapping[str, Style] = {
    "READY": _style_of_ready,
    "STATUS": lambda text, row: view.style_of_status(text),
    "TYPE": lambda text, row: "yellow" if text == "Warning" else "",
    "MEMORY_LIMIT": _style_of_limit,
}
CONDITION_STYLES: Mapping[str, Style] = {"STATUS": lambda text, row: "" if text == "True" else "yellow"}


def as_list(items: Sequence[Document]) -> Document:
    """Several documents as the one that Kubernetes has for them."""
    return {"apiVersion": "v1", "kind": "List", "items": [*items]}
