# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod comes to in a few words, from its document as the agent tells it. Pure: no clock, no terminal.

The columns mean what they mean in kubectl.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .asking import module

Document = Mapping[str, Any]

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400


class Restarts(NamedTuple):
    """How often containers were started again, and when the last one of them had ended (seconds since the epoch)."""

    number: int
    last_at: float | None


class Summary(NamedTuple):
    """A pod in a line: STATUS, how many containers are ready of how many, and restarts."""

    status: str
    ready: int
    total: int
    restarts: Restarts


# --- a pod -----------------------------------------------------------------------------------------------------------


def name_of(pod: Document) -> str:
    return str(pod["metadata"]["name"])


def labels_of(pod: Document) -> Mapping[str, str]:
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return labels


def containers_of(pod: Document) -> list[Document]:
    """The declared containers in the order they start."""
    spec = pod.get("spec") or {}
    return [*spec.get("initContainers", ()), *spec.get("containers", ())]


def is_sidecar(container: Document) -> bool:
    return container.get("restartPolicy") == "Always"


def statuses_of(pod: Document) -> dict[str, Document]:
    """The status of each container, by name."""
    status = pod.get("status") or {}
    groups = (status.get(group, ()) for group in ("initContainerStatuses", "containerStatuses"))
    return {one["name"]: one for group in groups for one in group}


def condition_of(pod: Document, kind: str) -> Document:
    conditions = (pod.get("status") or {}).get("conditions", ())
    return next((condition for condition in conditions if condition["type"] == kind), {})


def fitness_for_a_look(pod: Document) -> tuple[bool, bool, str, str]:
    """What puts that pod of a workload first whose log tells most: it runs, is ready, and has been for longest.

    Source: kubectl's ``ByLogging``.
    """
    ready = condition_of(pod, "Ready")
    is_running = (pod.get("status") or {}).get("phase") == "Running"
    since = ready.get("lastTransitionTime") or ""
    return not is_running, ready.get("status") != "True", since, name_of(pod)


def summarize(pod: Document) -> Summary:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    inits, statuses = spec.get("initContainers", ()), statuses_of(pod)
    sidecars = [container["name"] for container in inits if is_sidecar(container)]
    mains = [statuses.get(container["name"], {}) for container in spec.get("containers", ())]
    reason = _initializing(inits, statuses)
    # A sidecar that starts again does not take a pod back to its beginning.
    is_initialized = not reason or condition_of(pod, "Initialized").get("status") == "True"
    counted = [statuses.get(name, {}) for name in sidecars]
    if is_initialized:
        reason = _of_mains(mains, str(status.get("reason") or status.get("phase") or "Unknown"), pod)
        counted += mains
    else:
        counted = [statuses.get(container["name"], {}) for container in inits]
    ready = sum(bool(one.get("ready")) for one in (statuses.get(name, {}) for name in sidecars))
    ready += sum(bool(one.get("ready") and "running" in one.get("state", {})) for one in mains)
    return Summary(reason, ready, len(sidecars) + len(mains), _restarts(counted))


def _initializing(inits: Sequence[Document], statuses: Mapping[str, Document]) -> str:
    """What the first init container that is not done yet does; empty when all are done."""
    for number, container in enumerate(inits):
        one = statuses.get(container["name"], {})
        state: Document = one.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        is_done = one.get("started") if is_sidecar(container) else ended is not None and ended["exitCode"] == 0
        if is_done:
            continue
        if ended is not None:
            return f"Init:{_end_of(ended)}"
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{number}/{len(inits)}"
    return ""


def _of_mains(mains: Sequence[Document], reason: str, pod: Document) -> str:
    """What keeps the first main container from running, or else what the pod as a whole is."""
    is_running = False
    for one in reversed(mains):
        state: Document = one.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = _end_of(ended)
        elif "running" in state and one.get("ready"):
            is_running = True
    if reason == "Completed" and is_running:
        return "Running" if condition_of(pod, "Ready").get("status") == "True" else "NotReady"
    return reason


def _end_of(ended: Document) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended['exitCode']}"


def _restarts(statuses: Sequence[Document]) -> Restarts:
    ends = [(one.get("lastState") or {}).get("terminated", {}).get("finishedAt") for one in statuses]
    known = [moment for moment in map(seconds_of, ends) if moment is not None]
    return Restarts(sum(one.get("restartCount", 0) for one in statuses), max(known, default=None))


def default_container(pod: Document) -> str:
    """The container that is meant where none is named: that of the pod's annotation, else the first main one."""
    mains = [container["name"] for container in pod["spec"].get("containers", ())]
    chosen = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container")
    return str(chosen if chosen in mains else next(iter(mains), ""))


def listed_containers(pod: Document) -> str:
    """``app, log (init)``: the main ones first."""
    inits = [f"{container['name']} (init)" for container in pod["spec"].get("initContainers", ())]
    return ", ".join([*(container["name"] for container in pod["spec"].get("containers", ())), *inits])


def matches(labels: Mapping[str, str], selector: str) -> bool:
    """Whether labels are as ``app=web,tier!=db,owner,!old`` asks. Raises ValueError where that cannot be read."""
    met = [_matches(labels, part.strip()) for part in selector.split(",") if part.strip()]
    return all(met)


def _matches(labels: Mapping[str, str], part: str) -> bool:
    key, operator, value = part.replace("==", "=").partition("=")
    is_negated = key.endswith("!") if operator else key.startswith("!")
    key = key.strip("! ")
    if not key or " " in key:
        raise ValueError(f"{part} is none of key=value, key!=value, key and !key")
    found = labels.get(key) == value.strip() if operator else key in labels
    return found is not is_negated


# --- use and limits --------------------------------------------------------------------------------------------------


class Use(NamedTuple):
    """What is used of what may be; a limit is None where there is none."""

    cpu_millicores: int
    cpu_limit: int | None
    memory_bytes: int
    memory_limit: int | None


def uses_of(pod: Document) -> dict[str, Use]:
    """By running container."""
    return {
        name: Use(
            used["cpu_millicores"], used["cpu_limit_millicores"], used["memory_bytes"], used["memory_limit_bytes"]
        )
        for name, used in (pod.get("usage") or {}).items()
    }


def total(uses: Sequence[Use]) -> Use:
    """Of containers together: they have a limit only if each of them has one."""
    cpus, memories = [use.cpu_limit for use in uses], [use.memory_limit for use in uses]
    return Use(
        sum(use.cpu_millicores for use in uses),
        None if None in cpus else sum(limit or 0 for limit in cpus),
        sum(use.memory_bytes for use in uses),
        None if None in memories else sum(limit or 0 for limit in memories),
    )


def share(used: int, limit: int | None) -> int | None:
    """In percent."""
    return round(100 * used / limit) if limit else None


# --- time ------------------------------------------------------------------------------------------------------------


def seconds_of(moment: str | None) -> float | None:
    """Seconds since the epoch of a time as Kubernetes writes it."""
    return float(calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))) if moment else None


def show_age(seconds: float) -> str:
    """``12s``, ``3m5s``, ``47m``, ``5h12m``, ``31h``, ``6d4h``, ``99d``: two figures where the second one matters."""
    whole = max(int(seconds), 0)
    for below, large, small, unit, finer in _AGES:
        if whole < below:
            rest = whole % large // small if small else 0
            return f"{whole // large}{unit}" + (f"{rest}{finer}" if rest else "")
    return f"{whole // _YEAR}y"


_AGES = (
    (2 * _MINUTE, 1, 0, "s", ""),
    (10 * _MINUTE, _MINUTE, 1, "m", "s"),
    (3 * _HOUR, _MINUTE, 0, "m", ""),
    (8 * _HOUR, _HOUR, _MINUTE, "h", "m"),
    (2 * _DAY, _HOUR, 0, "h", ""),
    (8 * _DAY, _DAY, _HOUR, "d", "h"),
    (2 * _YEAR, _DAY, 0, "d", ""),
    (8 * _YEAR, _YEAR, _DAY, "y", "d"),
)


def show_since(moment: str | None, now: float) -> str:
    """The age of a time as Kubernetes writes it."""
    since = seconds_of(moment)
    return "-" if since is None else show_age(now - since)


def show_repeated(event: Document, now: float) -> str:
    """When an event came, and how often: ``12s (x4 over 5m)``."""
    latest = show_age(now - event["last_at"])
    return latest if event["count"] < 2 else f"{latest} (x{event['count']} over {show_age(now - event['first_at'])})"


# --- text ------------------------------------------------------------------------------------------------------------


def plain(text: object) -> str:
    """On one line and without what a terminal would obey: names and messages are what others wrote."""
    return str(module("_printable").one_line(str(text)))


_STYLES = {
    "green": ("Running", "Ready"),
    "bright_black": ("Completed", "Succeeded", "Deleted"),
    "yellow": ("Pending", "ContainerCreating", "PodInitializing", "NotReady"),
}


def style_of_status(status: str) -> str:
    """The colour that STATUS is shown in."""
    if status.startswith("Init:") and status[5:6].isdigit():
        return "yellow"
    return next((style for style, some in _STYLES.items() if status in some), "red")
