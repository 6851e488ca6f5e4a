# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads as part of a stack: read beside its other objects, kept in its revisions, and written as options again.

What a workload alone can say is in test_workload_parse.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.podwright.pods.plugins.doc_fragments.workloads import ModuleDocFragment
from ansible_collections.podwright.pods.plugins.module_utils._declaration.kubernetes import to_documents
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.options import to_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.fields import OPTIONS
from ansible_collections.podwright.pods.plugins.module_utils._delivery.argument_specs import STACK_ARGUMENTS
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import Revision, StackStore
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store

DATA = Path(__file__).parent / "data"
DOCUMENTS: dict[str, Any] = yaml.safe_load((DATA / "malformed_workloads.yml").read_text(encoding="utf-8"))["documents"]
KINDS = list(OPTIONS.values())
POD = {"name": "proxy", "containers": [{"name": "a", "image": "x", "ports": [{"container_port": 1, "host_port": 80}]}]}


def template(*, port: int | None = None, **fields: Any) -> dict[str, Any]:
    ports = [] if port is None else [{"container_port": 1, "host_port": port}]
    return {"containers": [{"name": "a", "image": "x", "ports": ports}], **fields}


def faults_of(options: dict[str, Any], documents: tuple[Any, ...] = ()) -> list[str]:
    try:
        parse_options({"name": "s", **options}, documents)
    except InvalidInput as error:
        return [f"{fault.path} | {fault.reason}" for fault in error.faults]
    return []


def test_all_kinds_are_read_in_the_order_of_their_kinds() -> None:
    stack = parse_options({"name": "s"}, [*reversed(DOCUMENTS.values())])
    assert [workload.kind for workload in stack.workloads] == KINDS


def test_options_say_all_that_documents_have_said() -> None:
    stack = parse_options({"name": "s", "pods": [POD]}, [*DOCUMENTS.values()])
    options = to_options(stack)
    assert {*OPTIONS} < {*options}
    assert parse_options(options) == stack


def test_options_and_documents_stand_beside_one_another() -> None:
    job = {"name": "once", "template": template(restart_policy="Never")}
    stack = parse_options({"name": "s", "jobs": [job]}, [DOCUMENTS["Job"], DOCUMENTS["Deployment"]])
    assert [workload.name for workload in stack.workloads] == ["web", "once", "pi"]
    assert parse_options(to_options(stack)) == stack
    assert faults_of({"jobs": [{**job, "name": "pi"}]}, (DOCUMENTS["Job"],)) == [
        "metadata.name | 'pi' is already used by jobs[0].name"
    ]


def test_a_revision_holds_the_workloads(tmp_path: Path) -> None:
    stack = parse_options({"name": "s", "pods": [POD]}, [*DOCUMENTS.values()])
    files = StackStore(Store(tmp_path), "s")
    files.write_revision(Revision(1, stack, 0))
    assert files.revision(1).stack == stack


@pytest.mark.parametrize("option", OPTIONS)
def test_a_host_port_can_be_had_once_in_a_stack(option: str) -> None:
    ends = OPTIONS[option] in ("Job", "CronJob")
    pods = template(port=80, **({"restart_policy": "Never"} if ends else {}))
    one: dict[str, Any] = {"name": "w", "template": pods}
    path = "template"
    if option == "cron_jobs":
        one, path = {"name": "w", "schedule": "0 0 * * *", "job_template": {"template": pods}}, "job_template.template"
    assert faults_of({option: [one]}) == []
    assert faults_of({option: [one], "pods": [POD]}) == [
        f"{option}[0].{path}.containers[0].ports[0].host_port | 80/TCP is already used by pod proxy"
    ]
    front = {"name": "front", "template": template(port=80)}
    (fault,) = faults_of({"deployments": [front], option: [front, one] if option == "deployments" else [one]})
    assert fault.endswith("80/TCP is already used by the pods of Deployment front")


def test_a_pod_may_not_be_called_as_one_of_a_set() -> None:
    sets = [{"name": "db", "replicas": 2, "template": template()}]
    pods = [{"name": "db-1", "containers": [{"name": "a", "image": "x"}]}]
    assert faults_of({"stateful_sets": sets, "pods": pods}) == [
        "stateful_sets[0].name | one of its pods or containers would be called db-1 in Podman, as pod db-1 has it"
    ]


def test_a_template_may_use_what_the_stack_has_and_nothing_else() -> None:
    pods = template()
    pods["containers"][0]["env_from"] = [{"config_map_ref": {"name": "settings"}}]
    deployments = [{"name": "web", "template": pods}]
    assert faults_of({"deployments": deployments, "config_maps": [{"name": "settings", "data": {"A": "b"}}]}) == []
    (fault,) = faults_of({"deployments": deployments})
    assert fault.startswith("deployments[0].template.containers[0].env_from[0].config_map_ref.name | ")


def test_a_claim_of_another_name_is_the_same_volume_in_a_template() -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"volumeName": "fast-disk", "resources": {"requests": {"storage": "1Gi"}}},
    }
    pods = DOCUMENTS["Deployment"]["spec"]["template"]
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {**DOCUMENTS["Deployment"]["spec"], "template": {**pods, "spec": {**pods["spec"], "volumes": volumes}}}
    stack = parse_options({"name": "s"}, [{**DOCUMENTS["Deployment"], "spec": spec}, claim])
    assert to_options(stack)["deployments"][0]["template"]["volumes"] == [
        {"name": "data", "persistent_volume_claim": {"claim_name": "fast-disk"}}
    ]


# --- what the module says of them ------------------------------------------------------------------------------------


def differences(documented: dict[str, Any], options: dict[str, Any], path: str = "") -> list[str]:
    """Where the documentation of options and their argument spec say different things."""
    found = [f"{path}{name}" for name in sorted(documented.keys() ^ options.keys())]
    for name in documented.keys() & options.keys():
        row, option = documented[name], options[name]
        said = ("type", "elements", "choices", "required", "default")
        found += [f"{path}{name}: {key}" for key in said if row.get(key) != option.get(key)]
        found += differences(row.get("suboptions", {}), option.get("options", {}), f"{path}{name}.")
    return found


def test_the_documentation_has_each_field_of_each_kind() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert {*documented} == {*OPTIONS}
    assert differences(documented, {name: STACK_ARGUMENTS[name] for name in OPTIONS}) == []


def test_the_role_hands_on_each_kind() -> None:
    role = Path(__file__).parents[2] / "roles/stack"
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    cluster = yaml.safe_load((role / "vars/main.yml").read_text(encoding="utf-8"))["stack_cluster_declaration"]
    tasks = yaml.safe_load((role / "tasks/stack.yml").read_text(encoding="utf-8"))
    task = next(task["podwright.pods.stack"] for task in tasks if "podwright.pods.stack" in task)
    for option in OPTIONS:
        name = f"stack_{option}"
        assert specs["main"]["options"][name]["elements"] == "dict"
        assert task[option] == f"{{{{ {name} if stack_state == 'started' else omit }}}}"
        assert cluster[option] == f"{{{{ {name} }}}}"


# --- what waits for what ----------------------------------------------------------------------------------------------

WEB = {"name": "web", "template": template()}
ONCE = {"name": "once", "template": template(restart_policy="Never")}


def waiting(depends_on: dict[str, Any]) -> dict[str, Any]:
    return {"pods": [POD], "deployments": [WEB], "jobs": [ONCE], "depends_on": depends_on}


def test_pods_and_workloads_wait_for_one_another() -> None:
    options = waiting(
        {
            "proxy": [{"workload": "Deployment/web"}],
            "Deployment/web": [{"workload": "Job/once", "condition": "completed"}],
        }
    )
    stack = parse_options({"name": "s", **options})
    assert parse_options(to_options(stack)) == stack
    documents = to_documents(stack)
    assert parse_options({"name": "s"}, documents) == stack
    (web,) = [document for document in documents if document["kind"] == "Deployment"]
    told = web["metadata"]["annotations"]["podwright.io/depends-on"]
    assert json.loads(told) == [{"condition": "completed", "workload": "Job/once"}]


@pytest.mark.parametrize(
    ("depends_on", "fault"),
    [
        ({"proxy": [{}]}, "depends_on.proxy[0].pod | is required, or workload in its place"),
        (
            {"proxy": [{"pod": "proxy", "workload": "Deployment/web"}]},
            "depends_on.proxy[0].workload | is given beside pod; make it an item of its own",
        ),
        (
            {"proxy": [{"workload": "Deployment/wbe"}]},
            "depends_on.proxy[0].workload | no workload is called 'Deployment/wbe'; declared are: Deployment/web, Job",
        ),
        (
            {"proxy": [{"workload": "deploy/web"}]},
            "depends_on.proxy[0].workload | 'deploy/web' is not a kind and a name",
        ),
        (
            {"proxy": [{"workload": "Deployment/web", "condition": "completed"}]},
            "depends_on.proxy[0].condition | Deployment/web never completes: only a Job does",
        ),
        (
            {"proxy": [{"workload": "Deployment/web", "condition": "started"}]},
            "depends_on.proxy[0].condition | is for pods",
        ),
        (
            {"Deployment/x": [{"pod": "proxy"}]},
            "depends_on[\"Deployment/x\"] | no workload is called 'Deployment/x'; declared are: proxy, Deployment/web",
        ),
        (
            {"proxy": [{"workload": "Deployment/web"}], "Deployment/web": [{"pod": "proxy"}]},
            "depends_on | the pods wait for one another: proxy -> Deployment/web -> proxy",
        ),
    ],
)
def test_what_cannot_be_waited_for_is_refused(depends_on: dict[str, Any], fault: str) -> None:
    (told,) = faults_of(waiting(depends_on))
    assert told.startswith(fault), told
