# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads as documents and as native options: both mean the same, and both are refused for the same faults.

The table of what is refused is data/malformed_workloads.yml: adding a case is adding an entry.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from test_malformed import assert_shown_well, mutated

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Place, Style
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import cron
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import fields as tables
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.documents import (
    to_document,
    to_options,
)
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.parse import parse_workloads
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.rules import (
    check_change,
    check_pod_names,
)
from ansible_collections.podwright.pods.plugins.module_utils._errors import Fault, InvalidInput

Document = dict[str, Any]
DATA = Path(__file__).parent / "data"
MALFORMED = yaml.safe_load((DATA / "malformed_workloads.yml").read_text(encoding="utf-8"))
DOCUMENTS: dict[str, Document] = MALFORMED["documents"]
OPTION_OF = {kind: option for option, kind in tables.OPTIONS.items()}


def faults_of(options: Mapping[str, Any], documents: list[Document]) -> list[Fault]:
    try:
        parse_workloads(options, documents)
    except InvalidInput as error:
        return list(error.faults)
    return []


# --- from documents to native options --------------------------------------------------------------------------------

# Free keys, which no style spells otherwise.
_FREE = ("labels", "annotations", "match_labels", "data")


def snake(name: str) -> str:
    return re.sub("(?<=[a-z])([A-Z])", lambda match: f"_{match[1].lower()}", name).replace("_i_d", "_id")


def native(value: Any, name: str = "") -> Any:
    """What a document says, with its fields as native options spell them."""
    if isinstance(value, Mapping) and name not in _FREE and not (name == "selector" and "app" in value):
        return {snake(key): native(item, snake(key)) for key, item in value.items()}
    return [native(item) for item in value] if isinstance(value, list) else value


def flat(part: Document) -> Document:
    """Metadata and spec beside one another."""
    return {**part.get("metadata", {}), **part.get("spec", {})}


def to_native(document: Document) -> Document:
    """A workload's document as the options that mean the same."""
    given = native({key: value for key, value in flat(document).items() if key not in ("labels", "annotations")})
    given.update({key: document["metadata"][key] for key in ("labels", "annotations") if key in document["metadata"]})
    if "job_template" in given:
        job = given["job_template"] = flat(given["job_template"])
        job["template"] = flat(job["template"])
    if "template" in given:
        given["template"] = flat(given["template"])
    if "volume_claim_templates" in given:
        given["volume_claim_templates"] = [_native_claim(claim) for claim in given["volume_claim_templates"]]
    return {OPTION_OF[document["kind"]]: [given]}


def _native_claim(claim: Document) -> Document:
    requests = claim["spec"].get("resources", {}).get("requests", {})
    return {"name": claim["metadata"]["name"], **({"size": requests["storage"]} if requests else {})}


def native_path(kind: str, path: str) -> str:
    """Where a fault stands among native options that stands at ``path`` in the document."""
    steps = path.replace("metadata.", "").replace("spec.", "")
    plain, bracket, key = steps.partition('["')
    return f"{OPTION_OF[kind]}[0]." + snake(plain) + bracket + key


def native_words(words: str) -> str:
    return re.sub(r"\b[a-z]+(?:[A-Z][a-z]+)+\b", lambda match: snake(match[0]), words)


# --- what is refused -------------------------------------------------------------------------------------------------


def steps_of(path: str) -> Iterator[str | int]:
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        yield name or int(index)


def altered(case: Mapping[str, Any]) -> Document:
    """The document of the case's kind with what the case sets and removes."""
    document: Any = copy.deepcopy(DOCUMENTS[case["kind"]])
    for path, value in {**case.get("set", {}), **dict.fromkeys(case.get("remove", ()))}.items():
        *above, last = steps_of(path)
        parent = document
        for step in above:
            parent = parent.setdefault(step, {}) if isinstance(step, str) else parent[step]
        if path in case.get("remove", ()):
            del parent[last]
        else:
            parent[last] = value
    return document


def assert_faults(found: list[Fault], expected: list[tuple[str, str]]) -> None:
    left = list(found)
    for path, words in expected:
        match = next((fault for fault in left if fault.path == path and fault.reason.startswith(words)), None)
        assert match, f"no fault at {path} begins with {words!r} among {[str(fault) for fault in found]}"
        left.remove(match)
    assert left == []


def expected_of(case: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = case["faults"]
    return [(path.strip(), words.strip()) for path, _bar, words in (row.partition("|") for row in rows)]


def cases(style: str) -> list[Any]:
    rows = [row for row in MALFORMED["cases"] if row.get("only", style) == style]
    return [pytest.param(row, id=row["name"].replace(" ", "-")) for row in rows]


@pytest.mark.parametrize("case", cases("document"))
def test_refused_as_a_document(case: Mapping[str, Any]) -> None:
    assert_faults(faults_of({}, [altered(case)]), expected_of(case))


@pytest.mark.parametrize("case", cases("native"))
def test_refused_as_options(case: Mapping[str, Any]) -> None:
    expected = [(native_path(case["kind"], path), native_words(words)) for path, words in expected_of(case)]
    assert_faults(faults_of(to_native(altered(case)), []), expected)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_documents_themselves_are_taken_and_mean_what_the_options_do(kind: str) -> None:
    document = DOCUMENTS[kind]
    assert parse_workloads({}, [document]) == parse_workloads(to_native(document))


def test_every_fault_is_told_at_once() -> None:
    broken = [altered(case) for case in MALFORMED["cases"] if case.get("only") != "native"]
    assert len(faults_of({}, broken)) >= len(broken)


def test_names_are_those_of_a_kind() -> None:
    deployment, replica_set = DOCUMENTS["Deployment"], DOCUMENTS["ReplicaSet"]
    assert faults_of({}, [deployment, replica_set]) == []
    faults = faults_of(to_native(deployment), [deployment])
    assert faults == [Fault("metadata.name", "'web' is already used by deployments[0].name")]


@pytest.mark.parametrize(
    ("pod", "container", "clash"),
    [
        ("db-0", "a", "db-0"),
        ("db-2", "a", "db-2"),
        ("db-3", "a", ""),
        ("db-00", "a", ""),
        ("db", "0", "db-0"),
        ("db-1", "x", "db-1"),
        ("db-1-mysql", "x", "db-1-mysql"),
        ("db-1-other", "x", ""),
        ("db-2-infra", "x", "db-2-infra"),
        ("web", "a", ""),
    ],
)
def test_names_of_pods_that_a_set_needs(pod: str, container: str, clash: str) -> None:
    (wanted,) = parse_workloads({}, [DOCUMENTS["StatefulSet"]])
    at = Place("name", Style.NATIVE)
    check_pod_names([(wanted, at)], [s.PodSpec(pod, (s.Container(container, "x"),))])
    named = f"one of its pods or containers would be called {clash} in Podman, as pod {pod} has it"
    assert [fault.reason for fault in at.faults] == ([named] if clash else [])


# --- Kubernetes' own schema ------------------------------------------------------------------------------------------

SCHEMAS = files("kubernetes_validate") / "kubernetes-json-schema" / "v1.37.0-local-strict"


def schema(name: str) -> Document:
    return dict(json.loads((SCHEMAS / name).read_text(encoding="utf-8")))


DEFINITIONS = schema("_definitions.json")["$defs"]
# What pods and metadata can say is gone through with those of Pods.
NOT_OF_WORKLOADS = ("PodSpec", "ObjectMeta")


def skeletons(node: Document, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The path of every field of a workload's schema, and the least value that has a field there."""
    name = node.get("$ref", "").rpartition("/")[2]
    if name and name not in seen and name.rpartition(".")[2] not in NOT_OF_WORKLOADS:
        yield from skeletons(DEFINITIONS[name], (*seen, name))
    for field, child in node.get("properties", {}).items():
        yield field, {field: "x"}
        yield from ((f"{field}.{path}", {field: value}) for path, value in skeletons(child, seen))
    if "items" in node:
        yield from ((f"[0].{path}", [value]) for path, value in skeletons(node["items"], seen))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_no_field_of_kubernetes_is_unknown(kind: str) -> None:
    version = DOCUMENTS[kind]["apiVersion"].replace("/", "-")
    fields = dict(skeletons(schema(f"{kind.lower()}-{version}.json")))
    assert len(fields) > 15
    unknown = {
        f"{fault.path}: {fault.reason}"
        for value in fields.values()
        for fault in faults_of({}, [{**value, "kind": kind}])
        if "is not a known field" in fault.reason or re.fullmatch(r"is not supported(; )?", fault.reason)
    }
    assert unknown == set()


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_documents_of_ours_are_documents_of_kubernetes(kind: str) -> None:
    document = to_document(parse_workloads({}, [DOCUMENTS[kind]])[0])
    kubernetes_validate.validate(document, "1.37", strict=True)


# --- defaults --------------------------------------------------------------------------------------------------------


def job(**fields: Any) -> w.Job:
    template = {"restart_policy": "Never", "containers": [{"name": "a", "image": "x"}]}
    (found,) = parse_workloads({"jobs": [{"name": "j", "template": template, **fields}]})
    assert isinstance(found, w.Job)
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"parallelism": 1, "completions": 1, "backoff_limit": 6, "pod_replacement_policy": "TerminatingOrFailed"}),
        ({"parallelism": 3}, {"parallelism": 3, "completions": None}),
        ({"completions": 3}, {"parallelism": 1, "completions": 3}),
        ({"parallelism": 0}, {"parallelism": 0, "completions": None}),
        (
            {"completions": 2, "completion_mode": "Indexed", "backoff_limit_per_index": 0},
            {"backoff_limit": 2147483647, "backoff_limit_per_index": 0},
        ),
        (
            {
                "pod_failure_policy": {
                    "rules": [{"action": "Count", "on_pod_conditions": [{"type": "DisruptionTarget"}]}]
                }
            },
            {"pod_replacement_policy": "Failed"},
        ),
    ],
)
def test_defaults_of_jobs(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Source: Kubernetes' pkg/apis/batch/v1/defaults.go (SetDefaults_Job)."""
    found = job(**fields)
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_workload_of_three_lines() -> None:
    (found,) = parse_workloads(
        {"deployments": [{"name": "web", "template": {"containers": [{"name": "httpd", "image": "httpd"}]}}]}
    )
    assert isinstance(found, w.Deployment)
    assert found.template.labels == {"app": "web"}
    assert found.selector == w.Selector({"app": "web"})
    assert found.strategy.rolling_update == w.RollingUpdate("25%", "25%")
    assert (found.replicas, found.revision_history_limit, found.progress_deadline_seconds) == (1, 10, 600)


def test_what_a_cluster_has_written_into_a_job_is_left_out() -> None:
    labels = {
        "batch.kubernetes.io/controller-uid": "a",
        "batch.kubernetes.io/job-name": "pi",
        "controller-uid": "a",
        "job-name": "pi",
    }
    exported = copy.deepcopy(DOCUMENTS["Job"])
    exported["metadata"].update(uid="a", labels=labels, creationTimestamp="2026-11-30T12:00:00Z")
    exported["spec"].update(selector={"matchLabels": {"batch.kubernetes.io/controller-uid": "a"}}, manualSelector=False)
    exported["spec"]["template"]["metadata"] = {"creationTimestamp": None, "labels": labels}
    exported["status"] = {"succeeded": 1}
    assert parse_workloads({}, [exported]) == parse_workloads({}, [DOCUMENTS["Job"]])


EXPORTED_POD = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
}
EXPORTED_SPECS: dict[str, Document] = {
    "Deployment": {"progressDeadlineSeconds": 600, "revisionHistoryLimit": 10},
    "ReplicaSet": {"replicas": 1},
    "ReplicationController": {"replicas": 1},
    "StatefulSet": {
        "podManagementPolicy": "OrderedReady",
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    },
    "DaemonSet": {
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
    },
}


@pytest.mark.parametrize("kind", EXPORTED_SPECS)
def test_what_a_cluster_has_written_into_workloads_changes_nothing(kind: str) -> None:
    exported = copy.deepcopy(DOCUMENTS[kind])
    exported["metadata"].update(uid="a", resourceVersion="1", generation=2, namespace="default", managedFields=[{}])
    exported["spec"].update(EXPORTED_SPECS[kind])
    exported["spec"]["template"]["metadata"]["creationTimestamp"] = None
    exported["spec"]["template"]["spec"].update(EXPORTED_POD)
    for claim in exported["spec"].get("volumeClaimTemplates", ()):
        claim.update(apiVersion="v1", kind="PersistentVolumeClaim", status={"phase": "Pending"})
        claim["metadata"]["creationTimestamp"] = None
        claim["spec"]["volumeMode"] = "Filesystem"
    exported["status"] = {"replicas": 1}
    assert parse_workloads({}, [exported]) == parse_workloads({}, [DOCUMENTS[kind]])


# --- there and back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_comes_back_as_it_was(kind: str) -> None:
    workload = parse_workloads({}, [DOCUMENTS[kind]])
    assert parse_workloads({}, [to_document(workload[0])]) == workload
    assert parse_workloads({OPTION_OF[kind]: [to_options(workload[0])]}) == workload


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("deployments", {"shares_volumes": True}),
        ("stateful_sets", {"progress_deadline_seconds": 60}),
        ("daemon_sets", {"progress_deadline_seconds": 60}),
        ("cron_jobs", {"catch_up": "all", "schedule": "@daily"}),
    ],
)
def test_what_kubernetes_has_no_field_for_is_an_annotation(kind: str, own: dict[str, Any]) -> None:
    template = {
        "containers": [{"name": "a", "image": "x"}],
        "networks": ["front"],
        "log_size_max": "1Mi",
        "infra": {"image": "pause"},
    }
    inner = {"template": template}
    if kind == "cron_jobs":
        template["restart_policy"] = "Never"
        inner = {"job_template": {"labels": {"of": "jobs"}, "template": template}}
    workload = parse_workloads({kind: [{"name": "n", **inner, **own}]})
    document = to_document(workload[0])
    assert parse_workloads({}, [document]) == workload
    assert any(key.startswith("podwright.io/") for key in document["metadata"]["annotations"])


def test_a_document_names_no_pod() -> None:
    template = to_document(parse_workloads({}, [DOCUMENTS["StatefulSet"]])[0])["spec"]["template"]
    assert "name" not in template["metadata"]
    assert "name" not in template["spec"]


# --- what cannot change ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "change", "expected"),
    [
        ("Deployment", {"spec.replicas": 5, "spec.template.spec.hostname": "w"}, []),
        (
            "Deployment",
            {"spec.selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}},
            ["selector"],
        ),
        ("StatefulSet", {"spec.serviceName": "other"}, ["service_name"]),
        ("StatefulSet", {"spec.podManagementPolicy": "Parallel"}, ["pod_management_policy"]),
        (
            "StatefulSet",
            {"spec.volumeClaimTemplates[0].spec.resources.requests.storage": "2Gi"},
            ["volume_claim_templates"],
        ),
        ("StatefulSet", {"spec.replicas": 1, "spec.updateStrategy": {"type": "OnDelete"}}, []),
        ("Job", {"spec.parallelism": 3, "spec.completions": 1, "spec.backoffLimit": 1}, []),
        ("Job", {"spec.template.spec.containers[0].image": "perl:5"}, ["template"]),
        ("Job", {"spec.completions": 4}, ["completions"]),
        ("CronJob", {"spec.schedule": "@daily", "spec.jobTemplate.spec.backoffLimit": 1}, []),
    ],
)
def test_what_cannot_change(kind: str, change: dict[str, Any], expected: list[str]) -> None:
    """Source: Kubernetes' pkg/apis/apps/validation and pkg/apis/batch/validation (Validate...Update)."""
    (before,) = parse_workloads({}, [DOCUMENTS[kind]])
    (wanted,) = parse_workloads({}, [altered({"kind": kind, "set": change})])
    at = Place("x", Style.NATIVE)
    check_change(before, wanted, at)
    assert [fault.path for fault in at.faults] == [f"x.{name}" for name in expected]
    after = Place("x", Style.NATIVE)
    check_change(before, wanted, after, has_ended=True)
    assert after.faults == []


def test_what_of_a_job_under_way_may_change() -> None:
    indexed = {"spec.completionMode": "Indexed", "spec.completions": 3, "spec.parallelism": 3}
    (before,) = parse_workloads({}, [altered({"kind": "Job", "set": indexed})])
    wider = {**indexed, "spec.completions": 5, "spec.parallelism": 5}
    (elastic,) = parse_workloads({}, [altered({"kind": "Job", "set": wider})])
    (lopsided,) = parse_workloads({}, [altered({"kind": "Job", "set": {**wider, "spec.parallelism": 3}})])
    at = Place("", Style.NATIVE)
    check_change(before, elastic, at)
    assert at.faults == []
    check_change(before, lopsided, at)
    assert [fault.path for fault in at.faults] == ["completions"]


# --- schedules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5,10-12 0 1 jan ?", ((5, 10, 11, 12), (0,), {1}, {1}, set(range(7)))),
        ("*/20 8-18/5 */10 1-12/6 mon-FRI", ((0, 20, 40), (8, 13, 18), {1, 11, 21, 31}, {1, 7}, {1, 2, 3, 4, 5})),
        ("10/25 * * * 0", ((10, 35), tuple(range(24)), set(range(1, 32)), set(range(1, 13)), {0})),
        ("@weekly", ((0,), (0,), set(range(1, 32)), set(range(1, 13)), {0})),
    ],
)
def test_schedules(text: str, expected: tuple[Any, ...]) -> None:
    found = cron.parse(text)
    assert (found.minutes, found.hours, {*found.days}, {*found.months}, {*found.weekdays}) == expected


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("0 0 13 * fri", (11, 13, 0), True),
        ("0 0 13 * fri", (11, 6, 5), True),
        ("0 0 13 * fri", (11, 6, 4), False),
        ("0 0 13 * *", (11, 6, 5), False),
        ("0 0 * * fri", (11, 13, 0), False),
        ("0 0 */2 * fri", (11, 6, 5), True),
        ("0 0 ? * fri", (11, 13, 4), False),
    ],
)
def test_either_of_two_days_counts(text: str, day: tuple[int, int, int], expected: bool) -> None:
    assert cron.parse(text).has_day(*day) is expected


@pytest.mark.parametrize(
    ("indexes", "text"),
    [
        ((), ""),
        ((0,), "0"),
        ((0, 1), "0,1"),
        ((0, 1, 2), "0-2"),
        ((1, 3, 4, 5, 7), "1,3-5,7"),
        ((0, 1, 3, 4), "0,1,3,4"),
    ],
)
def test_lists_of_indexes(indexes: tuple[int, ...], text: str) -> None:
    assert w.indexes_text(frozenset(indexes)) == text
    intervals = w.indexes_of(text)
    assert intervals is not None
    assert {index for first, last in intervals for index in range(first, last + 1)} == {*indexes}


# --- anything at all -------------------------------------------------------------------------------------------------

RICH_JOB = altered(
    {
        "kind": "Job",
        "set": {
            "spec.completionMode": "Indexed",
            "spec.completions": 3,
            "spec.backoffLimitPerIndex": 1,
            "spec.maxFailedIndexes": 2,
            "spec.podFailurePolicy": {
                "rules": [
                    {"action": "FailIndex", "onExitCodes": {"containerName": "pi", "operator": "In", "values": [1, 2]}},
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
                ]
            },
            "spec.successPolicy": {"rules": [{"succeededIndexes": "0,2", "succeededCount": 1}]},
        },
    }
)
WHOLE = [*DOCUMENTS.values(), RICH_JOB]


@given(st.sampled_from(WHOLE), st.data())
def test_mutated_documents_are_refused_or_read(document: Document, data: st.DataObject) -> None:
    assert_shown_well(tuple(faults_of({}, [data.draw(mutated(document))])))


@given(st.sampled_from(WHOLE), st.data())
def test_mutated_options_are_refused_or_read(document: Document, data: st.DataObject) -> None:
    options = data.draw(mutated(to_native(document)))
    assume(isinstance(options, dict))
    assert_shown_well(tuple(faults_of(options, [])))
