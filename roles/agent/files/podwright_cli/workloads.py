# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of workloads: how people call them, and what their statuses come to. Pure: no clock, no terminal.

Columns and messages mean what they mean in kubectl.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Document = Mapping[str, Any]


class Kind(NamedTuple):
    """``words`` are what it can be called; the first one is the plural, the second the singular."""

    name: str
    group: str
    words: tuple[str, ...]

    @property
    def plural(self) -> str:
        return self.words[0]

    @property
    def singular(self) -> str:
        return self.words[1]

    def title(self, name: str) -> str:
        """A workload as kubectl calls it: ``deployment.apps/web``."""
        return f"{self.singular}{self.group and '.'}{self.group}/{name}"


KINDS = (
    Kind("Deployment", "apps", ("deployments", "deployment", "deploy")),
    Kind("StatefulSet", "apps", ("statefulsets", "statefulset", "sts")),
    Kind("DaemonSet", "apps", ("daemonsets", "daemonset", "ds")),
    Kind("ReplicaSet", "apps", ("replicasets", "replicaset", "rs")),
    Kind("ReplicationController", "", ("replicationcontrollers", "replicationcontroller", "rc")),
    Kind("Job", "batch", ("jobs", "job")),
    Kind("CronJob", "batch", ("cronjobs", "cronjob", "cj")),
)
BY_NAME = {kind.name: kind for kind in KINDS}
SHORT = {word: kind.plural for kind in KINDS for word in kind.words[2:]}
"""What is short for what."""


def find_kind(word: str) -> Kind | None:
    """The kind that is called so: ``deploy``, ``deployments``, ``Deployment`` or ``deployment.apps``."""
    plain = word.partition(".")[0].lower()
    return next((kind for kind in KINDS if plain in kind.words), None)


def read_target(words: Sequence[str]) -> tuple[Kind, list[str]]:
    """The kind and the names of ``deploy/web`` or ``deploy web``. Raises ValueError with what is wrong."""
    example = "as in deploy/web"
    if not words:
        raise ValueError(f"which workload? give its kind and name, {example}")
    word, slash, _name = words[0].partition("/")
    kind = find_kind(word)
    if kind is None:
        raise ValueError(f"{words[0]}: give a kind and a name, {example}; kinds are {', '.join(_words_of_kinds())}")
    if not slash:
        names = [*words[1:]]
    else:
        parts = [each.partition("/") for each in words]
        if any(find_kind(first) != kind for first, _slash, _last in parts):
            raise ValueError("ask for one kind at a time")
        names = [last for _first, _slash, last in parts]
    if not names or not all(names):
        raise ValueError(f"{words[0]}: give a name, {example}")
    return kind, names


def _words_of_kinds() -> list[str]:
    return [kind.words[-1] for kind in KINDS]


def event_object(word: str) -> str:
    """What events are told of: a pod by its name, a workload as ``Deployment/web``."""
    first, slash, name = word.partition("/")
    kind = find_kind(first) if slash else None
    if kind:
        return f"{kind.name}/{name}"
    return name if first in ("pod", "pods", "po") and slash else word


def short_title(workload: Document) -> str:
    """``deployment/web``, as a person types it."""
    return f"{BY_NAME[workload['kind']].singular}/{workload['metadata']['name']}"


# --- what a status comes to ------------------------------------------------------------------------------------------


def spec_of(workload: Document) -> Document:
    spec: Document = workload.get("spec") or {}
    return spec


def status_of(workload: Document) -> Document:
    status: Document = workload.get("status") or {}
    return status


def template_of(workload: Document) -> Document:
    """The template of its pods; of a CronJob, of those of its Jobs."""
    spec = spec_of(workload)
    template: Document = spec.get("jobTemplate", {}).get("spec", spec).get("template") or {}
    return template


def replicas_of(workload: Document) -> int:
    return int(spec_of(workload).get("replicas", 1))


def condition_of(workload: Document, kind: str) -> Document:
    conditions = status_of(workload).get("conditions", ())
    return next((condition for condition in conditions if condition["type"] == kind), {})


def is_true(workload: Document, kind: str) -> bool:
    return condition_of(workload, kind).get("status") == "True"


_JOB_STATUSES = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)
"""The conditions of a Job, the weightiest first, and the STATUS that each of them means."""


def job_status(job: Document) -> str:
    return next((status for kind, status in _JOB_STATUSES if is_true(job, kind)), "Running")


def completions(job: Document) -> str:
    """How many pods have succeeded of those that have to: ``1/3``; of a work queue ``0/1 of 4``."""
    succeeded, spec = status_of(job).get("succeeded", 0), spec_of(job)
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism", 1)
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def ended_at(job: Document) -> str | None:
    """When a Job was over, as Kubernetes writes times."""
    failed = condition_of(job, "Failed")
    ended = failed.get("lastTransitionTime") if failed.get("status") == "True" else None
    return status_of(job).get("completionTime") or ended


# --- how far a rollout has come --------------------------------------------------------------------------------------


class Rollout(NamedTuple):
    """How far it has come, in words. ``is_done``: there is nothing to wait for, for better or worse."""

    text: str
    is_done: bool = False
    has_failed: bool = False


def rollout_of(workload: Document) -> Rollout:
    """Raises ValueError for a kind that has none."""
    if workload["kind"] not in _ROLLOUTS:
        raise ValueError(f"a {workload['kind']} has no rollouts")
    if workload.get("is_stopped"):
        return Rollout(f"stack {workload['stack']} is stopped", is_done=True, has_failed=True)
    if workload.get("failure"):
        return Rollout(str(workload["failure"]), is_done=True, has_failed=True)
    if condition_of(workload, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        what, name = _ROLLOUT_WORDS[workload["kind"]], workload["metadata"]["name"]
        return Rollout(f'{what} "{name}" exceeded its progress deadline', is_done=True, has_failed=True)
    return _ROLLOUTS[workload["kind"]](workload)


_ROLLOUT_WORDS = {"Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemon set"}


def _of_deployment(workload: Document) -> Rollout:
    name, status, wanted = workload["metadata"]["name"], status_of(workload), replicas_of(workload)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    old = status.get("replicas", 0) - updated
    if updated < wanted:
        return Rollout(f"{waiting}{updated} out of {wanted} new replicas have been updated...")
    if old > 0:
        return Rollout(f"{waiting}{old} old replicas are pending termination...")
    if available < updated:
        return Rollout(f"{waiting}{available} of {updated} updated replicas are available...")
    return Rollout(f'deployment "{name}" successfully rolled out', is_done=True)


def _of_stateful_set(workload: Document) -> Rollout:
    status, wanted = status_of(workload), replicas_of(workload)
    update = spec_of(workload).get("updateStrategy") or {}
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    revision = status.get("updateRevision", "")
    if update.get("type") == "OnDelete":
        text = "its strategy is OnDelete: pods are made anew when somebody removes them"
        return Rollout(text, is_done=True, has_failed=True)
    if not status or ready < wanted:
        return Rollout(f"Waiting for {wanted - ready} pods to be ready...")
    partition = (update.get("rollingUpdate") or {}).get("partition", 0)
    if partition:
        new = max(wanted - partition, 0)
        if updated < new:
            text = f"Waiting for partitioned roll out to finish: {updated} out of {new} new pods have been updated..."
            return Rollout(text)
        return Rollout(f"partitioned roll out complete: {updated} new pods have been updated...", is_done=True)
    if status.get("currentRevision") != revision:
        return Rollout(f"waiting for statefulset rolling update to complete {updated} pods at revision {revision}...")
    return Rollout(f"statefulset rolling update complete {wanted} pods at revision {revision}...", is_done=True)


def _of_daemon_set(workload: Document) -> Rollout:
    name, status = workload["metadata"]["name"], status_of(workload)
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    wanted, updated = status.get("desiredNumberScheduled", 1), status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    if (spec_of(workload).get("updateStrategy") or {}).get("type") == "OnDelete":
        text = "its strategy is OnDelete: its pod is made anew when somebody removes it"
        return Rollout(text, is_done=True, has_failed=True)
    if updated < wanted:
        return Rollout(f"{waiting}{updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return Rollout(f"{waiting}{available} of {wanted} updated pods are available...")
    return Rollout(f'daemon set "{name}" successfully rolled out', is_done=True)


_ROLLOUTS: Mapping[str, Callable[[Document], Rollout]] = {
    "Deployment": _of_deployment,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
}


def as_document(workload: Document) -> dict[str, Any]:
    """What of it is Kubernetes' own; who has made it stands where Kubernetes has that."""
    metadata = {**workload["metadata"]}
    owner = workload.get("owner")
    if owner:
        reference = {"apiVersion": "batch/v1", "kind": owner["kind"], "name": owner["name"], "controller": True}
        metadata["ownerReferences"] = [reference]
    kept = {key: workload[key] for key in ("apiVersion", "kind", "spec", "status") if key in workload}
    return {"apiVersion": kept["apiVersion"], "kind": kept["kind"], "metadata": metadata, **kept}
