# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `podwright` makes of workloads: kubectl's columns and words, and how people call the kinds."""

from __future__ import annotations

from typing import Any

import pytest
from command_modules import module

NOW = 1_795_641_600.0
"""2026-11-25T21:20:00Z"""
AGO = {"2m": "2026-11-25T21:18:00Z", "40s": "2026-11-25T21:19:20Z", "70s": "2026-11-25T21:18:50Z"}

workloads, workload_rows, workload_description, session, acting, rows, view = map(
    module, ("workloads", "workload_rows", "workload_description", "session", "acting", "rows", "view")
)

Document = dict[str, Any]
TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "a", "image": "x:1", "env": [{"name": "A", "value": "b"}]}]},
}


def workload(kind: str, spec: Document | None = None, name: str = "web", **more: Any) -> Document:
    """A workload as the agent tells it; what is not named of it is its status."""
    ours = ("stack", "owner", "revisions", "is_stopped", "failure", "damage")
    told = {key: value for key, value in more.items() if key in ours}
    pods = {"template": TEMPLATE}
    nested = {"jobTemplate": {"spec": pods}} if kind == "CronJob" else pods
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "creationTimestamp": AGO["2m"]},
        "spec": {**nested, **(spec or {})},
        "stack": "shop",
        "revisions": [],
        "damage": "",
        **told,
        "status": {key: value for key, value in more.items() if key not in ours},
    }


def condition(kind: str, is_true: bool = True, reason: str = "", since: str = "40s") -> Document:
    return {"type": kind, "status": str(is_true), "reason": reason, "lastTransitionTime": AGO[since]}


# --- tables ----------------------------------------------------------------------------------------------------------

DEPLOYMENT = workload("Deployment", {"replicas": 3}, readyReplicas=2, updatedReplicas=3, availableReplicas=1)
ROWS = [
    (DEPLOYMENT, "web 2/3 3 1 2m"),
    # What a document does not say is Kubernetes' default.
    (workload("Deployment"), "web 0/1 0 0 2m"),
    (workload("StatefulSet", {"replicas": 2}, readyReplicas=2), "web 2/2 2m"),
    (
        workload("DaemonSet", desiredNumberScheduled=1, currentNumberScheduled=1, numberReady=1, numberAvailable=1),
        "web 1 1 1 0 1 - 2m",
    ),
    (workload("ReplicaSet", {"replicas": 2}, replicas=2, readyReplicas=1), "web 2 2 1 2m"),
    (workload("ReplicationController", replicas=1), "web 1 1 0 2m"),
    (workload("Job", {"completions": 3}, succeeded=1, startTime=AGO["70s"]), "web Running 1/3 70s 2m"),
    (workload("Job", {"completions": 1}), "web Running 0/1 - 2m"),
    (workload("Job", {"parallelism": 4}, startTime=AGO["70s"]), "web Running 0/1 of 4 70s 2m"),
    (workload("Job", succeeded=1), "web Running 1/1 - 2m"),
    (
        workload(
            "Job",
            {"completions": 1},
            succeeded=1,
            startTime=AGO["2m"],
            completionTime=AGO["40s"],
            conditions=[condition("SuccessCriteriaMet"), condition("Complete")],
        ),
        "web Complete 1/1 80s 2m",
    ),
    # How long it ran until it failed, and no longer.
    (
        workload("Job", {"completions": 1}, startTime=AGO["70s"], conditions=[condition("Failed")]),
        "web Failed 0/1 30s 2m",
    ),
    (workload("Job", {"completions": 1}, conditions=[condition("Suspended")]), "web Suspended 0/1 - 2m"),
    (
        workload("Job", {"completions": 1}, conditions=[condition("Suspended", is_true=False)]),
        "web Running 0/1 - 2m",
    ),
    (workload("CronJob", {"schedule": "5 4 * * *"}), "web 5 4 * * * - False 0 - 2m"),
    (
        workload(
            "CronJob",
            {"schedule": "@daily", "timeZone": "Europe/Berlin", "suspend": True},
            active=[{"kind": "Job", "name": "web-1"}],
            lastScheduleTime=AGO["40s"],
        ),
        "web @daily Europe/Berlin True 1 40s 2m",
    ),
]


@pytest.mark.parametrize(("document", "shown"), ROWS)
def test_columns_are_those_of_kubectl(document: Document, shown: str) -> None:
    row = workload_rows.of_workload(document, NOW)
    columns = workload_rows.LAYOUTS[document["kind"]][0].split()
    assert " ".join(row[column] for column in columns) == shown


@pytest.mark.parametrize("kind", [kind.name for kind in workloads.KINDS])
def test_every_layout_has_its_cells(kind: str) -> None:
    row = workload_rows.of_workload(workload(kind), NOW)
    for is_wide in (False, True):
        for layout in workload_rows.layouts(kind, is_wide):
            assert {*layout.split()} <= {*row}
    assert (row["IMAGES"], row["CONTAINERS"], row["STACK"]) == ("x:1", "a", "shop")


SELECTORS = [
    (None, ""),
    ({}, ""),
    ({"matchLabels": {"app": "web", "tier": "front"}}, "app=web,tier=front"),
    ({"app": "web"}, "app=web"),
    (
        {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "a", "operator": "In", "values": ["x", "y"]},
                {"key": "b", "operator": "NotIn", "values": ["z"]},
                {"key": "c", "operator": "Exists"},
                {"key": "d", "operator": "DoesNotExist"},
            ],
        },
        "app=web,a in (x,y),b notin (z),c,!d",
    ),
    ({"matchExpressions": [{"key": "c", "operator": "Exists"}]}, "c"),
]


@pytest.mark.parametrize(("selector", "shown"), SELECTORS)
def test_selectors(selector: Document | None, shown: str) -> None:
    assert workload_rows.show_selector(selector) == shown


def test_colours() -> None:
    ready, status = workload_rows.STYLES["READY"], workload_rows.STYLES["STATUS"]
    assert (ready("2/2", {}), ready("1/2", {})) == ("", "yellow")
    assert (ready("2", {"DESIRED": "2"}), ready("1", {"DESIRED": "2"})) == ("", "yellow")
    assert [status(text, {}) for text in ("Running", "Complete", "Suspended", "Failed")] == [
        "green",
        "bright_black",
        "yellow",
        "red",
    ]


def test_history() -> None:
    revision = {"number": 3, "applied_at": AGO["2m"], "change_cause": "version 1.4"}
    row = workload_rows.of_revision(revision, NOW)
    assert [row[column] for column in workload_rows.HISTORY[0].split()] == ["3", "2m", "version 1.4"]
    assert workload_rows.of_revision({"number": 1}, NOW) == {"REVISION": "1", "AGE": "-", "CHANGE-CAUSE": "-"}


def test_the_template_of_a_revision() -> None:
    revision = {"number": 3, "hash": "bcd", "applied_at": AGO["2m"], "change_cause": "", "template": TEMPLATE}
    lines = workload_description.describe_revision(workload("Deployment"), revision, NOW)
    assert [line.key for line in lines[:4]] == ["Revision", "Hash", "Applied", "Cause"]
    assert "x:1" in "\n".join(line.text for line in lines)


def pod(name: str, phase: str, is_ready: bool, since: str) -> Document:
    ready = condition("Ready", is_ready, since=since)
    return {"metadata": {"name": name}, "status": {"phase": phase, "conditions": [ready]}}


def test_of_several_pods_the_one_that_serves_longest_is_looked_into() -> None:
    pods = [
        pod("over", "Succeeded", False, "2m"),
        pod("new", "Running", True, "40s"),
        pod("waiting", "Running", False, "2m"),
        pod("old", "Running", True, "2m"),
    ]
    assert [view.name_of(one) for one in sorted(pods, key=view.fitness_for_a_look)] == ["old", "new", "waiting", "over"]


# --- rollout status --------------------------------------------------------------------------------------------------


def deployed(*counts: int, wanted: int = 3, **more: Any) -> Document:
    """``counts`` are those of replicas, updated, and available ones."""
    names = ("replicas", "updatedReplicas", "availableReplicas")
    return workload("Deployment", {"replicas": wanted}, **dict(zip(names, counts, strict=False)), **more)


def set_of(spec: Document | None = None, **status: Any) -> Document:
    return workload("StatefulSet", {"replicas": 3, **(spec or {})}, **status)


def daemons(spec: Document | None = None, *counts: int) -> Document:
    names = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    return workload("DaemonSet", spec, **dict(zip(names, counts, strict=False)))


WAITING, DONE, FAILED = (False, False), (True, False), (True, True)
TIMED_OUT = [condition("Progressing", is_true=False, reason="ProgressDeadlineExceeded")]
ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}
PARTITION = {"updateStrategy": {"rollingUpdate": {"partition": 1}}}
SAME = {"readyReplicas": 3, "updateRevision": "web-abc", "currentRevision": "web-abc"}
ROLLOUTS = [
    (deployed(), WAITING, "0 out of 3 new replicas have been updated"),
    (deployed(3, 1, 3), WAITING, "1 out of 3 new replicas have been updated"),
    (deployed(4, 3, 3), WAITING, "1 old replicas are pending termination"),
    (deployed(3, 3, 2), WAITING, "2 of 3 updated replicas are available"),
    (deployed(3, 3, 3), DONE, 'deployment "web" successfully rolled out'),
    (deployed(wanted=0), DONE, "successfully rolled out"),
    (deployed(3, 1, 3, conditions=TIMED_OUT), FAILED, "exceeded its progress deadline"),
    (deployed(3, 3, 3, failure="revision abc made no progress for 5 s"), FAILED, "made no progress for 5 s"),
    (deployed(3, 3, 3, is_stopped=True), FAILED, "stack shop is stopped"),
    (set_of(), WAITING, "Waiting for 3 pods to be ready"),
    (set_of(readyReplicas=1), WAITING, "Waiting for 2 pods to be ready"),
    (set_of(**{**SAME, "currentRevision": "web-old"}, updatedReplicas=2), WAITING, "2 pods at revision web-abc"),
    (set_of(**SAME), DONE, "rolling update complete 3 pods at revision web-abc"),
    (set_of(PARTITION, **SAME, updatedReplicas=1), WAITING, "1 out of 2 new pods have been updated"),
    (set_of(PARTITION, **SAME, updatedReplicas=2), DONE, "partitioned roll out complete: 2 new pods"),
    (set_of(ON_DELETE, **SAME), FAILED, "its strategy is OnDelete"),
    (daemons(), WAITING, "0 out of 1 new pods have been updated"),
    (daemons(None, 1, 1, 0), WAITING, "0 of 1 updated pods are available"),
    (daemons(None, 1, 1, 1), DONE, 'daemon set "web" successfully rolled out'),
    # This host is not one that is to have it.
    (daemons(None, 0, 0, 0), DONE, "successfully rolled out"),
    (daemons(ON_DELETE, 1, 1, 1), FAILED, "its strategy is OnDelete"),
]


@pytest.mark.parametrize(("document", "end", "text"), ROLLOUTS)
def test_how_far_a_rollout_has_come(document: Document, end: tuple[bool, bool], text: str) -> None:
    found = workloads.rollout_of(document)
    assert text in found.text
    assert (found.is_done, found.has_failed) == end


@pytest.mark.parametrize("kind", ["Job", "CronJob", "ReplicaSet", "ReplicationController"])
def test_kinds_without_rollouts(kind: str) -> None:
    with pytest.raises(ValueError, match=f"a {kind} has no rollouts"):
        workloads.rollout_of(workload(kind))


# --- how people call them --------------------------------------------------------------------------------------------

CALLED = [
    (["deploy/web"], "Deployment", ["web"]),
    (["deployment", "web"], "Deployment", ["web"]),
    (["Deployment/web"], "Deployment", ["web"]),
    (["deployments.apps/web"], "Deployment", ["web"]),
    (["sts/db", "statefulset/other"], "StatefulSet", ["db", "other"]),
    (["ds", "a", "b"], "DaemonSet", ["a", "b"]),
    (["rs/a"], "ReplicaSet", ["a"]),
    (["rc/a"], "ReplicationController", ["a"]),
    (["job/a"], "Job", ["a"]),
    (["cj/a"], "CronJob", ["a"]),
]


@pytest.mark.parametrize(("words", "kind", "names"), CALLED)
def test_targets(words: list[str], kind: str, names: list[str]) -> None:
    found, told = workloads.read_target(words)
    assert (found.name, told) == (kind, names)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "which workload"),
        (["web"], "give a kind and a name, as in deploy/web; kinds are deploy, sts"),
        (["pod/web"], "give a kind and a name"),
        (["deploy"], "give a name"),
        (["deploy/"], "give a name"),
        (["deploy/web", "sts/db"], "one kind at a time"),
        (["deploy/web", "db"], "one kind at a time"),
    ],
)
def test_targets_that_say_too_little(words: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        workloads.read_target(words)


@pytest.mark.parametrize(
    ("word", "about"),
    [("web", "web"), ("pod/web", "web"), ("deploy/web", "Deployment/web"), ("Job/a", "Job/a"), ("", "")],
)
def test_what_events_are_of(word: str, about: str) -> None:
    assert workloads.event_object(word) == about


def test_titles_are_those_of_kubectl() -> None:
    titles = [kind.title("a") for kind in workloads.KINDS]
    assert titles == [
        "deployment.apps/a",
        "statefulset.apps/a",
        "daemonset.apps/a",
        "replicaset.apps/a",
        "replicationcontroller/a",
        "job.batch/a",
        "cronjob.batch/a",
    ]
    assert [workloads.read_target([title])[0] for title in titles] == [*workloads.KINDS]


# --- documents, describe, outcomes -----------------------------------------------------------------------------------


def test_a_document_has_what_is_kubernetes_own() -> None:
    document = workloads.as_document(workload("Job", owner={"kind": "CronJob", "name": "tick"}, succeeded=1))
    assert [*document] == ["apiVersion", "kind", "metadata", "spec", "status"]
    (owner,) = document["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("CronJob", "tick")
    assert "ownerReferences" not in workloads.as_document(workload("Job"))["metadata"]


DESCRIBED = [
    (
        workload(
            "Deployment",
            {"replicas": 3, "paused": True, "selector": {"matchLabels": {"app": "web"}}},
            replicas=4,
            updatedReplicas=2,
            availableReplicas=3,
            unavailableReplicas=1,
            revisions=[{"number": 2, "is_current": True, "change_cause": "version 1.4"}],
            failure="revision abc made no progress for 5 s",
        ),
        [
            "Kind: Deployment",
            "Stack: shop",
            "Created: 2026-11-25T21:18:00Z (2m ago)",
            "Selector: app=web",
            "Replicas: 3 desired, 2 updated, 4 total, 3 available, 1 unavailable",
            "Strategy: RollingUpdate, 25% max unavailable, 25% max surge",
            "Paused: True",
            "Revision: 2 (version 1.4)",
            "Failure: revision abc made no progress for 5 s",
            "Labels: app=web",
            "Image: x:1",
            "Env: A=b",
        ],
    ),
    (workload("Deployment", {"strategy": {"type": "Recreate"}}, is_stopped=True), ["Strategy: Recreate", "Stopped: "]),
    (
        workload("StatefulSet", {"replicas": 2, **PARTITION, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}),
        ["Replicas: 0 current, 2 desired, 0 ready", "Strategy: RollingUpdate, partition 1", "Claims: data"],
    ),
    (workload("DaemonSet", desiredNumberScheduled=1), ["Pods: 1 desired, 0 current, 0 updated, 0 available"]),
    (workload("ReplicaSet", replicas=1), ["Replicas: 1 current, 1 desired, 0 ready"]),
    (
        workload(
            "Job",
            {"completions": 3, "parallelism": 2, "activeDeadlineSeconds": 60},
            succeeded=1,
            startTime=AGO["70s"],
            completedIndexes="0,2",
            owner={"kind": "CronJob", "name": "tick"},
        ),
        [
            "Owner: CronJob/tick",
            "Status: Running",
            "Completions: 1/3, 2 at a time",
            "Backoff limit: 6",
            "Deadline: 60s",
            "Duration: 70s",
            "Pods: 0 active, 0 ready, 1 succeeded, 0 failed",
            "Completed indexes: 0,2",
        ],
    ),
    (
        workload(
            "CronJob",
            {"schedule": "@daily", "timeZone": "Europe/Berlin"},
            active=[{"name": "web-1"}, {"name": "web-2"}],
        ),
        [
            "Schedule: @daily (Europe/Berlin)",
            "Concurrency: Allow",
            "Suspend: False",
            "History: 3 successful, 1 failed",
            "Active jobs: web-1",
            ": web-2",
            "Image: x:1",
        ],
    ),
]


@pytest.mark.parametrize(("document", "expected"), DESCRIBED)
def test_descriptions(document: Document, expected: list[str]) -> None:
    text = [f"{line.key}: {line.text}" for line in workload_description.describe(document, NOW)]
    for line in expected:
        assert any(each.startswith(line) for each in text), (line, text)
    # A template says nothing of how containers are.
    assert not [line for line in text if line.startswith(("State:", "Ready:", "Podman:"))]


def test_outcomes_count_pods_and_workloads() -> None:
    def told(*objects: tuple[str, str]) -> str:
        result = {
            "changed": True,
            "stack": {"name": "shop", "revision": 2},
            "objects": [{"kind": kind, "result": result} for kind, result in objects],
        }
        return str(acting.outcome(result, False))

    assert told(("Pod", "created"), ("Pod", "created"), ("Secret", "created")) == (
        "stack shop, revision 2: pods 2 created"
    )
    assert told(("Pod", "unchanged"), ("Deployment", "changed"), ("Job", "created")) == (
        "stack shop, revision 2: pods 1 unchanged; workloads 1 changed, 1 created"
    )
    assert told(("Deployment", "created")) == "stack shop, revision 2: workloads 1 created"
    assert told() == "stack shop, revision 2: pods none"


def test_a_stack_is_ready_whatever_became_of_the_pods_of_its_jobs() -> None:
    failed = {
        "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "m", "image": "x"}]},
        "status": {"phase": "Failed"},
        "owner": {"kind": "Job", "name": "a"},
    }
    stack = {"name": "shop", "revision": 1, "is_good": True, "revisions": [], "pods": [failed], "workloads": [{}]}
    row = rows.of_stack(stack, NOW)
    assert (row["STATUS"], row["READY"]) == ("Ready", "0/0")
