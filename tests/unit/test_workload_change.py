# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of one workload that a person asks for: what becomes of the declaration, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import Revision, StackStore
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._host.workload_store import KeptWorkload, WorkloadStore
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import StackRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.request import StackRequest
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import revisions as r
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.deployment import DeploymentRecord
from ansible_collections.podwright.pods.plugins.module_utils._runs.agent import Agent
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.workloads import change as workload_change

LABELS = {"app": "web"}
Change = Callable[..., StackRequest]


def stack_of(image: str = "x:2", name: str = "shop", **fields: Any) -> StackSpec:
    pods = {"labels": LABELS, "containers": [{"name": "a", "image": image}]}
    web = {"name": "web", "selector": {"match_labels": LABELS}, "template": pods, **fields}
    job = {"template": {"restart_policy": "Never", "containers": [{"name": "a", "image": "x"}]}}
    tick = {"name": "tick", "schedule": "@hourly", "job_template": job}
    return parse_options({"name": name, "deployments": [web], "cron_jobs": [tick], "jobs": [{"name": "once", **job}]})


def web_of(stack: StackSpec) -> w.Deployment:
    found = stack.workloads[0]
    assert isinstance(found, w.Deployment)
    return found


def keep(store: Store, stack: StackSpec, *former: StackSpec, is_stopped: bool = False) -> None:
    """A stack as of its first revision, whose Deployment has had other templates before."""
    files, templates = StackStore(store, stack.name), ()
    files.write_revision(Revision(1, stack, 0))
    files.write(StackRecord(1, (1,)))
    for spec in (*former, stack):
        templates = r.with_latest(templates, r.template_digest(web_of(spec)), web_of(spec).template)
    kept = KeptWorkload("Deployment", "web", DeploymentRecord(templates), is_stopped=is_stopped)
    WorkloadStore(store, stack.name).write(kept)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("PODWRIGHT_STATE_DIR", str(tmp_path))
    found = Store()
    found.ensure()
    return found


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Iterator[Change]:
    """Asks for a change; returns the run on the stack that it comes to."""
    asked: list[StackRequest] = []

    def take(request: StackRequest, agent: Agent | None, again: Callable[[], StackRequest]) -> dict[str, Any]:
        assert again() == request
        asked.append(request)
        return {}

    def ask(what: str, kind: str = "Deployment", name: str = "web", **options: Any) -> StackRequest:
        workload_change.run_workload_change({"change": what, "kind": kind, "name": name, **options})
        return asked.pop()

    monkeypatch.setattr(stack_run, "run_request", take)
    yield ask
    assert asked == []


def stack_in(request: StackRequest) -> StackSpec:
    assert request.stack is not None
    return request.stack


def test_one_workload_is_changed_and_nothing_else(store: Store, change: Change) -> None:
    keep(store, stack_of())
    request = change("scale", replicas=3, change_cause="podwright scale", applied_by="me@here")
    assert stack_in(request) == stack_of(replicas=3)
    assert (request.state, request.prune, request.on_failure) == ("started", False, "rollback")
    assert (request.change_cause, request.applied_by) == ("podwright scale", "me@here")
    assert stack_in(change("pause")) == stack_of(paused=True)
    gone = change("remove", "Job", "once")
    assert [one.name for one in stack_in(gone).workloads] == ["web", "tick"]
    assert gone.prune


def test_a_restart_is_another_template(store: Store, change: Change) -> None:
    keep(store, stack_of())
    web = web_of(stack_in(change("restart")))
    assert [*web.template.annotations] == ["kubectl.kubernetes.io/restartedAt"]
    assert replace(web, template=replace(web.template, annotations={})) == web_of(stack_of())


def test_undone_to_the_revision_before_or_to_one_by_number(store: Store, change: Change) -> None:
    keep(store, stack_of("x:3", replicas=2), stack_of("x:1"), stack_of("x:2"))
    assert stack_in(change("undo")) == stack_of("x:2", replicas=2)
    assert stack_in(change("undo", to_revision=1)) == stack_of("x:1", replicas=2)
    assert stack_in(change("undo", to_revision=3)) == stack_of("x:3", replicas=2)


def test_undone_where_a_broken_update_has_gone_back_by_itself(store: Store, change: Change) -> None:
    """The declaration still has the broken template; its pods have the one before, as the latest revision."""
    keep(store, stack_of("broken"), stack_of("good"))
    templates: r.Revisions = ()
    for spec in (stack_of("good"), stack_of("broken"), stack_of("good")):
        templates = r.with_latest(templates, r.template_digest(web_of(spec)), web_of(spec).template)
    WorkloadStore(store, "shop").write(KeptWorkload("Deployment", "web", DeploymentRecord(templates)))
    assert stack_in(change("undo")) == stack_of("good")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"change": "scale", "name": "wbe", "replicas": 1}, "there is no Deployment wbe in any stack; there is: web"),
    ({"change": "scale", "stack": "other", "replicas": 1}, "no Deployment web in stack other; there is: none"),
    ({"change": "scale", "kind": "CronJob", "name": "tick", "replicas": 1}, "a CronJob has no number of replicas"),
    ({"change": "scale"}, "replicas: is required"),
    ({"change": "undo"}, "Deployment web has no earlier revision; there is: 1"),
    ({"change": "undo", "to_revision": 7}, "Deployment web has no revision 7; there is: 1"),
    ({"change": "undo", "kind": "Job", "name": "once"}, "a Job has no rollouts"),
    ({"change": "resume"}, "Deployment web is not paused already"),
    ({"change": "pause", "kind": "Job", "name": "once"}, "only a Deployment can be paused"),
    ({"change": "restart", "kind": "Job", "name": "once"}, "a Job has no rollouts"),
    ({"change": "create_job", "job": "now"}, "Jobs are made from a CronJob, and not from a Deployment"),
    ({"change": "create_job", "kind": "CronJob", "name": "tick"}, "job: is required"),
    ({"change": "create_job", "kind": "CronJob", "name": "tick", "job": "now"}, "this host does not have"),
]


@pytest.mark.parametrize(("options", "reason"), REFUSED)
def test_refused(store: Store, change: Change, options: dict[str, Any], reason: str) -> None:
    keep(store, stack_of())
    with pytest.raises(Refused) as caught:
        change(options["change"], **{name: value for name, value in options.items() if name != "change"})
    assert reason in str(caught.value)


def test_refused_while_it_is_paused_or_stopped_or_in_two_stacks(store: Store, change: Change) -> None:
    keep(store, stack_of(paused=True), stack_of("x:1", paused=True))
    for what in ("undo", "restart", "pause"):
        with pytest.raises(Refused, match="is paused"):
            change(what)
    keep(store, stack_of(), is_stopped=True)
    with pytest.raises(Refused, match="stack shop is stopped; start it first"):
        change("scale", replicas=2)
    keep(store, stack_of(name="other"))
    with pytest.raises(Refused, match="in the stacks other and shop: name one of them"):
        change("scale", replicas=2)
    assert stack_in(change("scale", replicas=2, stack="other")) == stack_of(name="other", replicas=2)


def test_what_breaks_the_rules_of_stacks_is_refused(store: Store, change: Change) -> None:
    keep(store, stack_of())
    with pytest.raises(InvalidInput, match="replicas"):
        change("scale", replicas=-1)


def test_a_job_of_a_cron_job_is_made_and_removed(store: Store, change: Change) -> None:
    keep(store, stack_of())
    files, agent = WorkloadStore(store, "shop"), Mock()
    asked = {"change": "create_job", "kind": "CronJob", "name": "tick", "job": "now"}
    assert workload_change.run_workload_change(asked, True, agent=agent)["changed"]
    assert files.read("Job", "now") is None
    told = workload_change.run_workload_change(asked, agent=agent)
    assert told["actions"] == ["#1 add Job now: made from CronJob tick by hand"]
    kept = files.read("Job", "now")
    assert kept is not None
    assert kept.made is not None
    assert (kept.made.name, kept.made_by) == ("now", "tick")
    assert kept.made.annotations == {"cronjob.kubernetes.io/instantiate": "manual"}
    for name in ("now", "once"):
        with pytest.raises(Refused, match=f"there is a Job {name} in stack shop already"):
            workload_change.run_workload_change({**asked, "job": name}, agent=agent)
    with pytest.raises(Refused, match="Job now was made by CronJob tick: it can only be removed"):
        change("scale", "Job", "now", replicas=1)
    removed = {"change": "remove", "kind": "Job", "name": "now"}
    workload_change.run_workload_change(removed, True, agent=agent)
    assert files.read("Job", "now") == kept
    workload_change.run_workload_change(removed, agent=agent)
    gone = files.read("Job", "now")
    assert gone is not None
    assert gone.removed == r.template_digest(kept.made)
    with pytest.raises(Refused, match="there is no Job now"):
        workload_change.run_workload_change(removed, agent=agent)
