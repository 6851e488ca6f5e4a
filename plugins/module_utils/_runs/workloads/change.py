# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of one workload that a person asks for: scaled, undone, paused, restarted, removed, a CronJob's Job made now.

What changes the declaration is a run on the stack with a declaration that differs in this workload, so that a revision
tells of it. Jobs that a CronJob makes are in no declaration: they have a record alone, which the agent goes by.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Callable

from ..._declaration import arguments
from ..._declaration.stack import parse as stack_parse
from ..._declaration.stack.options import to_options
from ..._declaration.stack.spec import StackSpec
from ..._declaration.workloads import spec as w
from ..._declaration.workloads.fields import CHANGE
from ..._errors import Fault, Refused
from ..._host.stack_store import StackStore
from ..._host.store import Store
from ..._host.workload_store import KeptWorkload, WorkloadStore
from ..._reconcile.context import Settings
from ..._reconcile.operations import owner_of_secrets
from ..._reconcile.stack.request import StackRequest
from ..._reconcile.status_documents import show_time
from ..._reconcile.workloads import kinds
from ..._reconcile.workloads.made_pods import job_made_by_hand
from ..agent import Agent
from ..stack import run as stack_run
from .host import materials_of
from .info import StackWorkload, present_stacks, workloads_of

RESTARTED_ANNOTATION = "kubectl.kubernetes.io/restartedAt"
"""What ``kubectl rollout restart`` writes into a template, so that it is another one."""

Options = Mapping[str, Any]


def run_workload_change(
    options: Options, is_check: bool = False, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """Carry out one ``change`` of the workload ``kind`` ``name``; what a run on its stack returns.

    Raises Refused where there is no such workload, or where the change is none of its kind's, and what the run raises.
    """
    store, options = Store(), arguments.judged(options, CHANGE)
    found = _find(store, options)
    if options["change"] == "create_job":
        return _create_job(store, found, options, is_check, agent)
    if found.kept and found.kept.made:
        return _change_made_job(store, found, options, is_check)
    request = _request(store, found, options, is_check)
    return stack_run.run_request(request, agent, lambda: _request(store, _find(store, options), options, is_check))


def _find(store: Store, options: Options) -> StackWorkload:
    kind, name, stack = options["kind"], options["name"], options["stack"]
    present = [one for one in present_stacks(store) if stack in (None, one.name)]
    everything = [one for spec in present for one in workloads_of(store, spec)]
    found = [one for one in everything if (one.workload.kind, one.workload.name) == (kind, name)]
    if not found:
        known = ", ".join(sorted(one.workload.name for one in everything if one.workload.kind == kind)) or "none"
        where = f"stack {stack}" if stack else "any stack"
        raise Refused([Fault("name", f"there is no {kind} {name} in {where}; there is: {known}")])
    if len(found) > 1:
        stacks = " and ".join(one.stack for one in found)
        raise Refused([Fault("stack", f"there is a {kind} {name} in the stacks {stacks}: name one of them")])
    if found[0].damage:
        raise Refused([Fault("name", found[0].damage)])
    return found[0]


# --- changes of the declaration --------------------------------------------------------------------------------------


def _request(store: Store, found: StackWorkload, options: Options, is_check: bool) -> StackRequest:
    """The run on the stack as it is by now, with the workload changed."""
    if found.kept and found.kept.is_stopped:
        raise Refused([Fault("name", f"stack {found.stack} is stopped; start it first")])
    files = StackStore(store, found.stack)
    before = files.revision(files.read().current).stack
    return StackRequest(
        name=found.stack,
        state="started",
        stack=_changed(before, found, options),
        prune=options["change"] == "remove",
        allow_empty=True,
        wait=options["wait"],
        wait_timeout_seconds=options["wait_timeout"],
        change_cause=options["change_cause"] or "",
        applied_by=options["applied_by"] or "",
        is_check=is_check,
        settings=found.kept.settings if found.kept else Settings(stack=found.stack),
    )


def _changed(before: StackSpec, found: StackWorkload, options: Options) -> StackSpec:
    """The declaration with the workload changed. Raises InvalidInput where the rules of stacks are against it."""
    after = None if options["change"] == "remove" else _CHANGES[options["change"]](found, options)
    others = (after if one == found.workload else one for one in before.workloads)
    changed = replace(before, workloads=tuple(one for one in others if one))
    return stack_parse.parse_options(to_options(changed))


def _scaled(found: StackWorkload, options: Options) -> w.AnyWorkload:
    workload = found.workload
    if not isinstance(workload, (w.Deployment, w.ReplicaSet, w.ReplicationController, w.StatefulSet)):
        raise Refused([Fault("kind", f"a {workload.kind} has no number of replicas")])
    if options["replicas"] is None:
        raise Refused([Fault("replicas", "is required")])
    return replace(workload, replicas=options["replicas"])


def _undone(found: StackWorkload, options: Options) -> w.AnyWorkload:
    """With the template of an earlier revision; that before the present one, unless one is named."""
    workload = _with_rollouts(found)
    if isinstance(workload, w.Deployment) and workload.paused:
        raise Refused([Fault("change", f"{workload.kind} {workload.name} is paused; resume it first")])
    number = options["to_revision"]
    if number:
        chosen = [revision for revision in found.revisions if revision.number == number]
    else:
        chosen = [revision for revision in found.revisions if revision.template != workload.template]
    if not chosen:
        known = ", ".join(str(revision.number) for revision in found.revisions) or "none"
        wanted = f"no revision {number}" if number else "no earlier revision"
        raise Refused([Fault("to_revision", f"{workload.kind} {workload.name} has {wanted}; there is: {known}")])
    return replace(workload, template=chosen[-1].template)


def _paused(found: StackWorkload, options: Options) -> w.AnyWorkload:
    return _held(found, is_paused=True)


def _resumed(found: StackWorkload, options: Options) -> w.AnyWorkload:
    return _held(found, is_paused=False)


def _held(found: StackWorkload, is_paused: bool) -> w.AnyWorkload:
    workload = found.workload
    if not isinstance(workload, w.Deployment):
        raise Refused([Fault("kind", f"only a Deployment can be paused and resumed, and no {workload.kind}")])
    if workload.paused == is_paused:
        raise Refused([Fault("change", f"Deployment {workload.name} is {'' if is_paused else 'not '}paused already")])
    return replace(workload, paused=is_paused)


def _restarted(found: StackWorkload, options: Options) -> w.AnyWorkload:
    workload = _with_rollouts(found)
    if isinstance(workload, w.Deployment) and workload.paused:
        raise Refused([Fault("change", f"{workload.kind} {workload.name} is paused; resume it first")])
    annotations = {**workload.template.annotations, RESTARTED_ANNOTATION: show_time(time.time()) or ""}
    return replace(workload, template=replace(workload.template, annotations=annotations))


def _with_rollouts(found: StackWorkload) -> w.Deployment | w.StatefulSet | w.DaemonSet:
    workload = found.workload
    if not isinstance(workload, (w.Deployment, w.StatefulSet, w.DaemonSet)):
        raise Refused([Fault("kind", f"a {workload.kind} has no rollouts")])
    return workload


_CHANGES: Mapping[str, Callable[[StackWorkload, Options], w.AnyWorkload]] = {
    "scale": _scaled,
    "undo": _undone,
    "pause": _paused,
    "resume": _resumed,
    "restart": _restarted,
}


# --- Jobs of CronJobs ------------------------------------------------------------------------------------------------


def _create_job(
    store: Store, found: StackWorkload, options: Options, is_check: bool, agent: Agent | None
) -> dict[str, Any]:
    """Keep the record of a Job; the agent makes its pods, and counts it among those of the CronJob."""
    cron_job, name = found.workload, options["job"]
    if not isinstance(cron_job, w.CronJob):
        raise Refused([Fault("kind", f"Jobs are made from a CronJob, and not from a {cron_job.kind}")])
    if not name:
        raise Refused([Fault("job", "is required")])
    if agent is None:
        raise Refused([Fault("job", "Jobs of CronJobs are run by the agent, which this host does not have")])
    files, now = WorkloadStore(store, found.stack), time.time()
    with store.lock(owner_of_secrets(found.stack), options["wait_timeout"]):
        found = _find(store, options)
        declared = {one.workload.name for one in _present(store, found.stack) if one.workload.kind == "Job"}
        if name in declared or files.read("Job", name):
            raise Refused([Fault("job", f"there is a Job {name} in stack {found.stack} already; choose another name")])
        job = job_made_by_hand(cron_job, name)
        settings = found.kept.settings if found.kept else Settings(stack=found.stack)
        record = kinds.first_record(job)
        made = KeptWorkload("Job", name, record, settings, made=job, made_by=cron_job.name, scheduled_at=now)
        if not is_check:
            files.write(replace(made, created_at=now))
    return _told(found, "Job", name, "created", f"add Job {name}: made from CronJob {cron_job.name} by hand")


def _present(store: Store, stack: str) -> list[StackWorkload]:
    return [one for spec in present_stacks(store) if spec.name == stack for one in workloads_of(store, spec)]


def _change_made_job(store: Store, found: StackWorkload, options: Options, is_check: bool) -> dict[str, Any]:
    """Note that a Job is gone that a CronJob has made; the agent ends its pods and forgets it."""
    if options["change"] != "remove":
        owner = f"CronJob {found.kept.made_by}" if found.kept else "a CronJob"
        raise Refused([Fault("change", f"Job {found.workload.name} was made by {owner}: it can only be removed")])
    with store.lock(owner_of_secrets(found.stack), options["wait_timeout"]):
        found = _find(store, options)
        files = StackStore(store, found.stack)
        stack = files.revision(files.read().current).stack
        if found.kept and not is_check:
            materials = materials_of(store, stack, found.workload, found.kept.settings)
            gone = kinds.wanted(found.workload, found.kept.record, materials).digest
            WorkloadStore(store, found.stack).write(replace(found.kept, removed=gone))
    name = found.workload.name
    return _told(found, "Job", name, "removed", f"remove Job {name}: asked for")


def _told(found: StackWorkload, kind: str, name: str, result: str, action: str) -> dict[str, Any]:
    """As a run on the stack tells it; there is no new revision of it."""
    return {
        "changed": True,
        "actions": [f"#1 {action}"],
        "objects": [{"kind": kind, "name": name, "result": result, "actions": [action]}],
        "stack": {"name": found.stack},
        "warnings": [],
        "secrets": (),
    }
