# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of workloads on the host: it comes back as it was, and what is damaged is told and touched by nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_workload_records import FULL

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.documents import to_options
from ansible_collections.podwright.pods.plugins.module_utils._errors import DamagedState, NewerState
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import StackStore
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Applied, Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._host.workload_store import (
    KeptWorkload,
    WorkloadStore,
    members_of,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.context import Owner, RestartOnChange, Settings
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import Owned, StackRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.made_pods import job_of
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.records import RECORDS
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import AddJob

TEMPLATE = s.PodSpec("tick", (s.Container("a", "x", env=(s.EnvVar("A", "b"),)),), restart_policy="OnFailure")
SETTINGS = Settings(RestartOnChange(environment=True, files=True), "shop", {"cpu": 500})


def files_of(tmp_path: Path) -> WorkloadStore:
    return WorkloadStore(Store(tmp_path), "shop")


@pytest.mark.parametrize("kind", RECORDS)
def test_what_is_kept_comes_back(tmp_path: Path, kind: str) -> None:
    kept = KeptWorkload(kind, "web", FULL[kind], SETTINGS, is_stopped=True, removed="abc")
    files = files_of(tmp_path)
    assert files.read(kind, "web") is None
    assert not files.directory.exists()
    files.write(kept)
    assert files_of(tmp_path).read(kind, "web") == kept
    first = KeptWorkload(kind, "web", RECORDS[kind]())
    files.write(first)
    assert files.read(kind, "web") == first
    assert [*files.names()] == [(kind, "web")]
    files.remove(kind, "web")
    files.remove(kind, "web")
    assert [*files.names()] == []


def test_a_job_that_was_made_comes_back_with_all_that_it_has(tmp_path: Path) -> None:
    policy = w.PodFailurePolicy((w.PodFailureRule("FailJob", w.ExitCodes("In", (3,))),))
    job = w.Job("tick", {"app": "tick"}, {"a": "b"}, TEMPLATE, 2, 3, "Indexed", ttl_seconds_after_finished=9)
    # What the stack has beside it is not in its record.
    refers = replace(TEMPLATE, volumes=(s.Volume("words", config_map=s.ConfigMapVolume("words")),))
    job = replace(
        job,
        template=replace(refers, restart_policy="Never"),
        pod_failure_policy=policy,
        pod_replacement_policy="Failed",
    )
    cron_job = w.CronJob("tick.tock-1", schedule="* * * * *", job_template=job)
    made = job_of(cron_job, AddJob("tick.tock-1-29000000", "", "Job", 1_740_000_000.0))
    kept = KeptWorkload("Job", made.name, FULL["Job"], SETTINGS, made=made, made_by=cron_job.name)
    kept = replace(kept, scheduled_at=1_740_000_000.0)
    files = files_of(tmp_path)
    files.write(kept)
    assert files.read("Job", made.name) == kept
    assert to_options(made) != to_options(job)


def test_names_are_told_from_kinds_whatever_they_hold(tmp_path: Path) -> None:
    files = files_of(tmp_path)
    keys = [(kind, name) for kind in RECORDS for name in ("a", "a-b", "a.b", "a.json", "Job-a".lower(), "json")]
    for kind, name in keys:
        files.write(KeptWorkload(kind, name, RECORDS[kind]()))
    for stray in (".Job-a.json.0123abcd", "Job-.json", "Pod-a.json", "Job-a.json.bak", "job-a.json", "xJob-a.json"):
        (files.directory / stray).touch()
    assert sorted(files.names()) == sorted(keys)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"version": 1}', b'{"version": 1, "record": 5}'])
def test_what_is_damaged_is_told_with_a_way_out(tmp_path: Path, content: bytes) -> None:
    files = files_of(tmp_path)
    files.write(KeptWorkload("Deployment", "web", FULL["Deployment"]))
    path = files.directory / "Deployment-web.json"
    path.write_bytes(content)
    with pytest.raises(DamagedState, match=r"Deployment-web.json is damaged.*move it away: the workload's revisions"):
        files.read("Deployment", "web")
    assert path.read_bytes() == content


def edited(path: Path, **fields: Any) -> None:
    """A file as somebody edits it by hand, without its checksum."""
    data = json.loads(path.read_bytes())
    data.pop("#sha256")
    path.write_text(json.dumps({**data, **fields}))


@pytest.mark.parametrize(
    "fields",
    [
        {"record": {"revisions": 5}},
        {"record": {"revisions": [{"number": 1}]}},
        {"settings": {"owner": {"kind": "Job"}}},
        {"made": {"name": "x"}},
        {"made": [1]},
        {"scheduled_at": "soon"},
    ],
)
def test_what_was_edited_into_another_form_is_damaged(tmp_path: Path, fields: dict[str, Any]) -> None:
    files = files_of(tmp_path)
    files.write(KeptWorkload("Deployment", "web", FULL["Deployment"]))
    edited(files.directory / "Deployment-web.json")
    assert files.read("Deployment", "web") == KeptWorkload("Deployment", "web", FULL["Deployment"])
    edited_again = files.directory / "Deployment-web.json"
    edited_again.write_text(json.dumps({**json.loads(edited_again.read_text()), **fields}))
    with pytest.raises(DamagedState):
        files.read("Deployment", "web")


def test_a_later_release_is_left_alone(tmp_path: Path) -> None:
    files = files_of(tmp_path)
    files.write(KeptWorkload("Job", "web", FULL["Job"]))
    edited(files.directory / "Job-web.json", version=2)
    with pytest.raises(NewerState):
        files.read("Job", "web")


def test_members_are_the_pods_of_the_stack_that_a_workload_has_made(tmp_path: Path) -> None:
    store = Store(tmp_path)
    owners = {"web-abc-0": Owner("Deployment", "web", "abc"), "web-abc-1": Owner("Deployment", "web", "abc", 1)}
    owners["web-0"] = Owner("StatefulSet", "web", "def")
    for name, owner in owners.items():
        pod = replace(TEMPLATE, name=name)
        store.write_record(name, Record(Applied(pod), settings=Settings(stack="shop", owner=owner)))
    alone, other = Settings(stack="shop"), Settings(stack="others", owner=owners["web-0"])
    for name, settings in (("alone", alone), ("other", other)):
        store.write_record(name, Record(Applied(replace(TEMPLATE, name=name)), settings=settings))
    found = members_of(store, "shop")
    assert {key: sorted(pods) for key, pods in found.items()} == {
        ("Deployment", "web"): ["web-abc-0", "web-abc-1"],
        ("StatefulSet", "web"): ["web-0"],
    }
    assert found["Deployment", "web"]["web-abc-1"].settings.owner == owners["web-abc-1"]
    assert members_of(store, "shop", "web") == found
    assert members_of(store, "shop", "we") == found, "others may be read as well"
    assert members_of(store, "shop", "alone") == {}
    (tmp_path / "pods" / "web-0" / "record.json").write_text("{")
    assert ("StatefulSet", "web") not in members_of(store, "shop")


def test_with_the_stack_goes_what_is_kept_of_its_workloads(tmp_path: Path) -> None:
    store = Store(tmp_path)
    files = files_of(tmp_path)
    files.write(KeptWorkload("Job", "web", FULL["Job"]))
    StackStore(store, "shop").forget(StackRecord(owned=Owned(volumes=("data",))))
    assert not files.directory.exists()
