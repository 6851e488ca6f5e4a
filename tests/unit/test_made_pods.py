# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What workloads add to their templates, and how a rollout is told before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from workload_model import START

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.volume_spec import NamedVolume
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import (
    daemon_set,
    deployment,
    job,
    stateful_set,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.facts import WorkloadPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.foresight import foresee, lines
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.job_record import JobRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.made_pods import job_of, pod_of
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.revisions import (
    Revision,
    template_digest,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import (
    AddJob,
    AddPod,
    WorkloadCondition,
    WorkloadStep,
)

TEMPLATE = s.PodSpec("web", (s.Container("a", "x"),), labels={"app": "web"})
ADD = AddPod("web-abc-0", "", "abc", 0)


@pytest.mark.parametrize(
    ("workload", "labels"),
    [
        (w.Deployment("web", template=TEMPLATE), {"pod-template-hash": "abc"}),
        (w.ReplicaSet("web", template=TEMPLATE), {"pod-template-hash": "abc"}),
        (w.ReplicationController("web", template=TEMPLATE), {}),
        (w.DaemonSet("web", template=TEMPLATE), {"controller-revision-hash": "abc"}),
        (w.Job("web", template=TEMPLATE), {"batch.kubernetes.io/job-name": "web", "job-name": "web"}),
    ],
)
def test_a_pod_is_its_template_with_a_name_and_labels(workload: w.PodWorkload, labels: dict[str, str]) -> None:
    assert pod_of(workload, TEMPLATE, ADD) == replace(TEMPLATE, name="web-abc-0", labels={"app": "web", **labels})


def test_pods_of_a_set_have_hostnames_and_claims_of_their_own() -> None:
    volumes = (s.Volume("data", empty_dir=s.EmptyDirVolume()), s.Volume("tmp", empty_dir=s.EmptyDirVolume()))
    wanted = w.StatefulSet("db", service_name="dbs", volume_claim_templates=(NamedVolume("data"),))
    template, operation = replace(TEMPLATE, volumes=volumes), AddPod("db-2", "", "abc", 2)
    pod = pod_of(wanted, template, operation)
    assert (pod.name, pod.hostname, pod.subdomain) == ("db-2", "db-2", "dbs")
    assert pod.labels == {
        "app": "web",
        "controller-revision-hash": "db-abc",
        "statefulset.kubernetes.io/pod-name": "db-2",
        "apps.kubernetes.io/pod-index": "2",
    }
    claim = s.Volume("data", persistent_volume_claim=s.PersistentVolumeClaimVolume("data-db-2"))
    assert pod.volumes == (volumes[1], claim)
    folder = s.HostPathVolume("/srv/db-2", "Directory")
    pod = pod_of(replace(wanted, claim_folders={"data-db-2": folder}), template, operation)
    assert pod.volumes == (volumes[1], s.Volume("data", host_path=folder))


def test_pods_of_an_indexed_job_know_their_index() -> None:
    own = s.EnvVar("JOB_COMPLETION_INDEX", "mine")
    template = replace(TEMPLATE, containers=(s.Container("a", "x"), s.Container("b", "x", env=(own,))))
    pod = pod_of(w.Job("pi", completion_mode="Indexed"), template, AddPod("pi-abc-3-7", "", "abc", 7, 3))
    assert pod.hostname == "pi-3"
    assert pod.labels["batch.kubernetes.io/job-completion-index"] == "3"
    assert pod.annotations == {"batch.kubernetes.io/job-completion-index": "3"}
    assert [container.env for container in pod.containers] == [(s.EnvVar("JOB_COMPLETION_INDEX", "3"),), (own,)]


def test_a_job_of_a_cron_job_knows_its_time() -> None:
    template = w.Job("backup", labels={"of": "jobs"}, annotations={"a": "b"}, template=TEMPLATE)
    made = job_of(w.CronJob("backup", job_template=template), AddJob("backup-24394200", "", "Job", 1463652000.0))
    assert (made.name, made.template.name, made.labels) == ("backup-24394200", "backup-24394200", {"of": "jobs"})
    assert made.annotations == {"a": "b", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2016-05-19T10:00:00Z"}


# --- foresight -------------------------------------------------------------------------------------------------------


def taker(module: Any, wanted: Any) -> Any:
    digest = template_digest(wanted)

    def take(record: Any, pods: Sequence[WorkloadPod], now: float) -> WorkloadStep[Any, Any]:
        found: WorkloadStep[Any, Any] = module.step(wanted, digest, record, pods, now)
        return found

    return take


def test_a_rollout_is_told_before_it_begins() -> None:
    strategy = w.DeploymentStrategy("RollingUpdate", w.RollingUpdate(1, 0))
    wanted = w.Deployment("web", template=TEMPLATE, replicas=2, strategy=strategy)
    first = foresee(taker(deployment, wanted), deployment.DeploymentRecord(), (), START)
    digest = template_digest(wanted)
    assert lines(first) == [
        f"#1 add pod web-{digest}-{number}: revision 1 has 0 pods, 2 wanted now" for number in range(2)
    ]
    pods = [WorkloadPod(f"web-old-{n}", "old", n, "Running", START - 100) for n in range(2)]
    record = deployment.DeploymentRecord((Revision(1, "old", TEMPLATE, 2),), replicas=2, surge=1)
    way = " gives way: 2 available at least, 3 pods at most"
    assert lines(foresee(taker(deployment, wanted), record, pods, START)) == [
        f"#1 add pod web-{digest}-0: revision 2 has 0 pods, 1 wanted now",
        f"#2 end pod web-old-1: revision 1{way}",
        f"#3 add pod web-{digest}-1: revision 2 has 1 pod, 2 wanted now",
        f"#4 end pod web-old-0: revision 1{way}",
    ]


def test_minimum_times_are_waited_for() -> None:
    wanted = w.StatefulSet("db", template=TEMPLATE, replicas=2, min_ready_seconds=30)
    rounds = foresee(taker(stateful_set, wanted), stateful_set.StatefulSetRecord(), (), START)
    assert [[operation.pod for operation in operations] for operations in rounds] == [["db-0"], ["db-1"]]


def test_a_job_is_told_to_its_end() -> None:
    wanted = w.Job("pi", template=replace(TEMPLATE, restart_policy="Never"), completions=5, parallelism=2)
    rounds = foresee(taker(job, wanted), JobRecord(), (), START, runs_to_end=True)
    assert [len(operations) for operations in rounds] == [2, 2, 1]


@pytest.mark.parametrize(
    ("seconds", "told"), [(None, ["add", "add"]), (0, ["add", "add", "remove"]), (60, ["add", "add"])]
)
def test_a_job_that_is_over_is_told_to_go_when_it_is_due(seconds: int | None, told: list[str]) -> None:
    never = replace(TEMPLATE, restart_policy="Never")
    wanted = w.Job("pi", template=never, completions=2, ttl_seconds_after_finished=seconds)
    rounds = foresee(taker(job, wanted), JobRecord(), (), START, runs_to_end=True)
    assert [operation.verb for operations in rounds for operation in operations] == told


@pytest.mark.parametrize(("elapsed", "told"), [(0.0, []), (59.0, []), (60.0, ["remove"]), (9999.0, ["remove"])])
def test_a_job_that_has_long_been_over_is_told_to_go_once(elapsed: float, told: list[str]) -> None:
    wanted = w.Job("pi", template=replace(TEMPLATE, restart_policy="Never"), ttl_seconds_after_finished=60)
    ended = WorkloadCondition("Complete", "True", "CompletionsReached")
    digest = template_digest(wanted)
    record = JobRecord(digest, 1, succeeded=1, started_at=START, ended_at=START, conditions=(ended,))
    pods = [WorkloadPod(f"pi-{digest}-0", digest, 0, "Succeeded")]
    rounds = foresee(taker(job, wanted), record, pods, START + elapsed, runs_to_end=True)
    assert [operation.verb for operations in rounds for operation in operations] == told


def test_nothing_to_do_is_nothing_to_tell() -> None:
    wanted = w.DaemonSet("agent", template=TEMPLATE)
    digest = template_digest(wanted)
    pods = [WorkloadPod(f"agent-{digest}-0", digest, 0, "Running", START - 100)]
    assert foresee(taker(daemon_set, wanted), daemon_set.DaemonSetRecord(), pods, START) == ()
