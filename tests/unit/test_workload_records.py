# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of workloads outlast a process: as text and back they are what they were."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from pods import pod_specs

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.cron_job import CronJobRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.daemon_set import DaemonSetRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.deployment import DeploymentRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.job_record import (
    Failures,
    JobRecord,
    OpenPod,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.progress import (
    FailedRollout,
    Progress,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.records import (
    RECORDS,
    read_record,
    to_plain,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.replica_set import ReplicaSetRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.revisions import Revision
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.stateful_set import StatefulSetRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import WorkloadCondition

TEMPLATE = s.PodSpec("web", (s.Container("a", "x", command=("sleep", "9")),), labels={"app": "web"})
REVISIONS = (Revision(1, "abc", TEMPLATE, 2), Revision(3, "def", TEMPLATE))
CONDITIONS = (WorkloadCondition("Progressing", "True", "NewReplicaSetCreated", "made", 3.5, 2.0),)
ROLLOUT = (REVISIONS, Progress(1, 2, 3, 4), CONDITIONS, "abc", FailedRollout("def", 7.0, "no progress"))

FULL: dict[str, Any] = {
    "Deployment": DeploymentRecord(*ROLLOUT, replicas=3, surge=1),
    "ReplicaSet": ReplicaSetRecord(REVISIONS),
    "ReplicationController": ReplicaSetRecord(REVISIONS),
    "StatefulSet": StatefulSetRecord(*ROLLOUT, "abc", 3, ("data",), True),
    "DaemonSet": DaemonSetRecord(*ROLLOUT),
    "Job": JobRecord(
        "abc",
        7,
        (OpenPod("j-abc-0-6", 6, 0, is_known=True, is_dismissed=True), OpenPod("j-abc-1-5", 5)),
        1,
        3,
        Failures(2, 8.0),
        frozenset({3}),
        frozenset({1, 2}),
        {1: 2},
        {0: Failures(1, 2.0)},
        1.0,
        2.0,
        CONDITIONS,
    ),
    "CronJob": CronJobRecord(1.0, (2.0, 3.0), 4.0, 5.0),
}


def as_text_and_back(kind: str, record: Any) -> Any:
    return read_record(kind, json.loads(json.dumps(to_plain(record))))


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_comes_back(kind: str) -> None:
    record = FULL[kind]
    empty = RECORDS[kind]()
    # No field is at its default, so that one which is not kept is seen.
    assert [field.name for field in fields(record) if getattr(record, field.name) == getattr(empty, field.name)] == []
    assert as_text_and_back(kind, record) == record
    assert as_text_and_back(kind, empty) == empty


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_of_a_former_release_lacks_fields(kind: str) -> None:
    assert read_record(kind, {}) == RECORDS[kind]()
    assert read_record(kind, {"of_a_later_release": 1}) == RECORDS[kind]()


@settings(max_examples=12, deadline=None)
@given(pod_specs())
def test_templates_come_back(pod: s.PodSpec) -> None:
    infra = s.Infra(pod.infra.image, pod.infra.command)
    fields_ = {field.name: getattr(pod, field.name) for field in fields(pod)}
    template = s.PodSpec(**{**fields_, "infra": infra, "config_maps": (), "secrets": (), "min_ready_seconds": None})
    record = DaemonSetRecord((Revision(1, "abc", template),))
    assert as_text_and_back("DaemonSet", record) == record


def test_a_template_that_is_none_is_refused() -> None:
    plain = {"revisions": [{"number": 1, "digest": "abc", "template": {"containers": "x"}}]}
    with pytest.raises(InvalidInput, match=r"template\.containers"):
        read_record("DaemonSet", plain)
