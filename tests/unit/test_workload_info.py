# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What results and `stack_info` tell of workloads, from what is kept of them on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import Revision, StackStore
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._host.workload_store import KeptWorkload, WorkloadStore
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.observed import ObservedStack
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import StackRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.request import StackRequest
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.steps import (
    RolloutStep,
    SharedStep,
    StackPlan,
    Step,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import revisions as r
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.deployment import DeploymentRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.job_record import JobRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import AddPod, StopWorkload
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import report as stack_report
from ansible_collections.podwright.pods.plugins.module_utils._runs.workloads.info import (
    describe_all,
    describe_workloads,
)

STATUS = {"replicas": 2, "conditions": [{"type": "Available", "status": "True"}]}
LABELS = {"app": "web"}


def stack_of(image: str = "x:1", **fields: Any) -> StackSpec:
    pods = {"labels": LABELS, "containers": [{"name": "a", "image": image}]}
    web = {"name": "web", "selector": {"match_labels": LABELS}, "template": pods}
    job = {"template": {"restart_policy": "Never", "containers": [{"name": "a", "image": "x"}]}}
    tick = {"name": "tick", "schedule": "@hourly", "job_template": job}
    return parse_options({"name": "shop", "deployments": [web], "cron_jobs": [tick], **fields})


def deployment_of(stack: StackSpec) -> w.Deployment:
    found = next(one for one in stack.workloads if one.kind == "Deployment")
    assert isinstance(found, w.Deployment)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path)
    found.ensure()
    return found


def revise(store: Store, *stacks: tuple[StackSpec, str]) -> None:
    """Keep revisions of a stack, each with its cause, and the templates of its Deployment."""
    files, templates = StackStore(store, "shop"), ()
    for number, (stack, cause) in enumerate(stacks, 1):
        files.write_revision(Revision(number, stack, 60.0 * number, "", cause))
        web = deployment_of(stack)
        templates = r.with_latest(templates, r.template_digest(web), web.template)
    files.write(StackRecord(len(stacks)))
    kept = KeptWorkload("Deployment", "web", DeploymentRecord(templates), created_at=60)
    WorkloadStore(store, "shop").write(kept)


# --- statuses on disk ------------------------------------------------------------------------------------------------


def test_a_status_is_kept_beside_the_record_and_goes_with_it(store: Store) -> None:
    files = WorkloadStore(store, "shop")
    files.write(KeptWorkload("Deployment", "web", DeploymentRecord()))
    assert files.read_status("Deployment", "web") is None
    files.write_status("Deployment", "web", STATUS)
    assert files.read_status("Deployment", "web") == STATUS
    assert [*files.names()] == [("Deployment", "web")]
    files.remove("Deployment", "web")
    assert files.read_status("Deployment", "web") is None
    assert [*files.directory.iterdir()] == []


def test_a_status_that_says_the_same_is_not_written_again(store: Store) -> None:
    files = WorkloadStore(store, "shop")
    files.write(KeptWorkload("Deployment", "web", DeploymentRecord()))
    files.write_status("Deployment", "web", {})
    (path,) = files.directory.glob("status-*")
    first = path.stat().st_ino
    files.write_status("Deployment", "web", {})
    assert path.stat().st_ino == first
    path.write_text("{")
    assert files.read_status("Deployment", "web") is None
    files.write_status("Deployment", "web", STATUS)
    assert files.read_status("Deployment", "web") == STATUS


# --- stack_info ------------------------------------------------------------------------------------------------------


def test_a_workload_is_its_document_with_its_status(store: Store) -> None:
    revise(store, (stack_of(), "first"))
    WorkloadStore(store, "shop").write_status("Deployment", "web", STATUS)
    web, tick = describe_all(store)
    assert (web["kind"], web["name"], web["stack"], web["status"]) == ("Deployment", "web", "shop", STATUS)
    assert web["apiVersion"] == "apps/v1"
    assert web["metadata"] == {"name": "web", "creationTimestamp": "1970-01-01T00:01:00Z"}
    assert web["spec"]["selector"] == {"matchLabels": LABELS}
    assert (tick["kind"], tick["status"], tick["revisions"]) == ("CronJob", {}, [])


def test_a_revision_tells_what_has_brought_it(store: Store) -> None:
    # The third changes no template, the fourth goes back to that of the first, which then is the latest.
    scaled = replace(deployment_of(stack_of("x:2")), replicas=3)
    third = replace(stack_of("x:2"), workloads=(scaled, stack_of().workloads[-1]))
    revise(store, (stack_of(), "first"), (stack_of("x:2"), "second"), (third, "scaled"), (stack_of(), "back"))
    web, _tick = describe_workloads(store, stack_of())
    told = [(one["number"], one["change_cause"], one["applied_at"], one["is_current"]) for one in web["revisions"]]
    assert told == [(2, "second", "1970-01-01T00:02:00Z", False), (3, "back", "1970-01-01T00:04:00Z", True)]
    brief, _tick = describe_workloads(store, stack_of(), is_brief=True)
    assert [one["number"] for one in brief["revisions"]] == [2, 3]
    assert "change_cause" not in brief["revisions"][0]


def test_jobs_of_cron_jobs_are_told_until_they_are_gone(store: Store) -> None:
    revise(store, (stack_of(), ""))
    files = WorkloadStore(store, "shop")
    made = replace(next(one.job_template for one in stack_of().workloads if isinstance(one, w.CronJob)), name="tick-1")
    kept = KeptWorkload("Job", "tick-1", JobRecord(), made=made, made_by="tick", scheduled_at=60)
    files.write(kept)
    *_declared, job = describe_workloads(store, stack_of())
    assert (job["name"], job["owner"]) == ("tick-1", {"kind": "CronJob", "name": "tick"})
    files.write(replace(kept, removed="abc"))
    assert [one["name"] for one in describe_workloads(store, stack_of())] == ["web", "tick"]


def test_a_damaged_record_is_told_of_its_workload_alone(store: Store) -> None:
    revise(store, (stack_of(), ""))
    (WorkloadStore(store, "shop").directory / "Deployment-web.json").write_text("{")
    web, tick = describe_workloads(store, stack_of())
    assert "Deployment-web.json" in web["damage"]
    assert tick["damage"] == ""


# --- the result of a run ---------------------------------------------------------------------------------------------


def objects(
    before: StackSpec | None, after: StackSpec, *steps: Step, state: str = "started", prune: bool = True
) -> dict[str, Any]:
    """What became of the workloads, by name."""
    request = StackRequest("shop", state, after, prune=prune)
    found = ObservedStack(StackRecord(1), before=before)
    told = stack_report.changes(StackPlan(steps, 1), request, after, found, b"", {("Deployment", "web"): STATUS})
    return {item["name"]: item for item in told["objects"]}


ADDED = RolloutStep("roll out", (), "Deployment", "web", ((AddPod("web-abc-0", "0 pods, 1 wanted"),),))
NOTHING = RolloutStep("roll out", (), "Deployment", "web", ())
STOPPED = SharedStep("stop", (), StopWorkload("web", "state is stopped", "Deployment"))
RESULTS = [
    ("created", None, stack_of(), {"steps": [ADDED]}),
    ("changed", stack_of(), stack_of("x:2"), {"steps": [ADDED]}),
    ("changed", stack_of(), stack_of(), {"steps": [ADDED]}),
    ("changed", stack_of(), stack_of("x:2"), {"steps": [NOTHING]}),
    ("unchanged", stack_of(), stack_of(), {"steps": [NOTHING]}),
    ("removed", stack_of(), stack_of(deployments=[]), {}),
    ("removed", stack_of(), stack_of(), {"state": "absent"}),
    ("kept", stack_of(), stack_of(deployments=[]), {"prune": False}),
    ("stopped", stack_of(), stack_of(), {"steps": [STOPPED], "state": "stopped"}),
    ("unchanged", stack_of(), stack_of(), {"state": "stopped"}),
]


@pytest.mark.parametrize(("result", "before", "after", "more"), RESULTS)
def test_what_became_of_a_workload(
    result: str, before: StackSpec | None, after: StackSpec, more: dict[str, Any]
) -> None:
    steps = more.get("steps", ())
    web = objects(before, after, *steps, **{name: value for name, value in more.items() if name != "steps"})["web"]
    assert (web["kind"], web["result"]) == ("Deployment", result)
    assert web.get("status") == (None if result in ("removed", "kept") else STATUS)
    assert web["actions"] == (["add pod web-abc-0: 0 pods, 1 wanted"] if ADDED in steps else [])
