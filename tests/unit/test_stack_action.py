# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module stack as a task of a real playbook: what it refuses on the control node, and what it then hands on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from playbook_runs import Playbook, Task, manifest, reaches_the_host

MODULE = "podwright.pods.stack"
SECRET = "XSECRETX"
POD = {"name": "web", "containers": [{"name": "a", "image": "localhost/busybox"}]}


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    return Playbook(tmp_path)


REFUSED: list[tuple[Task, list[str]]] = [
    ({"name": "s", "state": "present"}, ["state | 'present' is not one of started, stopped, rolled_back, absent"]),
    ({"state": "absent"}, ["name | is required"]),
    ({"name": "s", "revision": 1}, ["revision | is for state rolled_back only"]),
    (
        {"name": "A", "pods": [{"name": "db", "containers": [{"name": "a"}], "zz": 1}, 5], "wait_timeout": 0},
        [
            "wait_timeout | 0 is less than 1",
            "name | 'A' is not a name",
            "pods[0].zz | is not a known field",
            "pods[0].containers[0].image | is required",
            "pods[1] | expected a mapping, got 5",
        ],
    ),
    (
        {"name": "s", "pods": [POD, POD], "definition": manifest("web")},
        [
            "pods[1].name | 'web' is already used by pods[0].name",
            "metadata.name | 'web' is already used by pods[0].name",
        ],
    ),
    (
        {"name": "s", "pods": [{**POD, "config_maps": [{"name": "c"}], "secrets": [{"name": "s"}]}]},
        [
            "pods[0].config_maps | is not supported; give it beside the pods",
            "pods[0].secrets | is not supported; give it beside the pods",
        ],
    ),
    (
        {
            "name": "s",
            "pods": [POD],
            "depends_on": {"web": [{"pod": "db"}, {"pod": "web", "condition": "completed"}], "x": [{"pod": "web"}]},
        },
        [
            "depends_on.web[0].pod | no pod is called 'db'; declared are: web",
            "depends_on.web[1].condition | pod web never completes: its restart_policy is Always",
            "depends_on.x | no pod is called 'x'; declared are: web",
        ],
    ),
    (
        {"name": "s", "pods": [POD], "depends_on": {"web": [{"pod": "web"}]}},
        ["depends_on | the pods wait for one another: web -> web"],
    ),
    (
        {
            "name": "s",
            "pods": [
                {
                    "name": name,
                    "containers": [
                        {"name": container, "image": "x", "ports": [{"container_port": 80, "host_port": 80}]}
                    ],
                }
                for name, container in (("a", "b-c"), ("a-b", "c"))
            ],
        },
        [
            "pods[1].name | its container c would be called a-b-c in Podman, as container b-c of pod a is",
            "pods[1].containers[0].ports[0].host_port | 80/TCP is already used by pod a",
        ],
    ),
    (
        {"name": "s", "networks": [{"name": "n", "gateway": "10.0.0.1"}, {"name": "m", "subnet": "10.0.0.1/24"}]},
        ["networks[0].gateway | needs subnet", "networks[1].subnet | '10.0.0.1/24' is not a subnet"],
    ),
    (
        {"name": "s", "networks": [{"name": "n", "gateway": "10.1.0.1", "subnet": "10.0.0.0/24"}]},
        ["networks[0].gateway | 10.1.0.1 is not in 10.0.0.0/24"],
    ),
    (
        {"name": "s", "definition": ["kind: Deployment", "{"], "src": ["none.yml", "empty"]},
        [
            "definition[1] | something else is expected here",
            "src[0] | there is no 'none.yml' in files/",
            "empty | has no files that end with .yml, .yaml, .json",
        ],
    ),
    (
        {"name": "s", "definition": "kind: Gateway"},
        ["kind | 'Gateway' is not supported; give an Ingress to the module stack"],
    ),
    (
        {
            "name": "s",
            "definition": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "d"},
                "spec": {"volumeName": "x", "size": 1},
            },
        },
        [
            "spec.size | is not a known field",
        ],
    ),
]


def test_everything_that_is_wrong_is_told_before_a_host_is_touched(playbook: Playbook) -> None:
    (playbook.directory / "files/empty").mkdir()
    results = playbook.run([{MODULE: options} for options, _faults in REFUSED])
    for (options, expected), result in zip(REFUSED, results, strict=True):
        found = [(row["path"], row["reason"]) for row in result["faults"]]
        assert len(found) == len(expected), (options, found)
        for path, _separator, words in (row.partition(" | ") for row in expected):
            assert any(path == where and words in reason for where, reason in found), (path, words, found)
    assert not playbook.remote_files.exists()


@pytest.mark.long
def test_a_good_declaration_reaches_the_module_in_every_form(playbook: Playbook) -> None:
    playbook.write("files/all/1.yml", manifest("one"))
    playbook.write("files/all/2.yaml", manifest("two"))
    playbook.write("files/all/notes.txt", "not YAML: [")
    playbook.write("files/three.json", json.dumps(yaml.safe_load(manifest("three"))))
    forms: list[dict[str, Any]] = [
        {},
        {"pods": [POD]},
        {"definition": manifest("a") + "---\n" + manifest("b"), "pods": [POD]},
        {"src": "all"},
        {"src": ["all", "three.json"], "definition": yaml.safe_load(manifest("four"))},
        {"state": "absent"},
        {"state": "stopped"},
        {"state": "rolled_back", "revision": 1},
    ]
    tasks: list[Task] = [{MODULE: {"name": "s", **form}} for form in forms]
    tasks.append({MODULE: {"name": "s", "pods": [POD]}, "async": 30, "poll": 1})
    results = playbook.run(tasks)
    assert [reaches_the_host(result) for result in results] == [True] * len(tasks), playbook.output


def test_no_secret_is_shown_however_much_is_asked_for(playbook: Playbook) -> None:
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "{{ word }}"}}
    tasks: list[Task] = [
        {MODULE: {"name": "s", "pods": [POD], "secrets": [{"name": "s", "string_data": {"k": "{{ word }} native"}}]}},
        {MODULE: {"name": "s", "pods": [POD], "definition": document}},
        {MODULE: {"name": "s", "secrets": [{"name": "s", "string_data": {"k": ["{{ word }}"]}}]}},
    ]
    playbook.write("vars.yml", yaml.safe_dump({"word": SECRET}))
    for mode in ("--diff", "--check"):
        results = playbook.run(tasks, "-vvv", mode, "--extra-vars", "@vars.yml")
        assert [reaches_the_host(result) for result in results] == [True, True, False], playbook.output
        assert SECRET not in playbook.output
        assert SECRET not in json.dumps(results)


def test_the_group_holds_what_has_the_options_of_a_run(playbook: Playbook) -> None:
    """The others, which would refuse them, are not in it."""
    group = {"module_defaults": {"group/podwright.pods.podwright": {"on_failure": "never"}}}
    modules: dict[str, Task] = {
        MODULE: {"name": "s"},
        "podwright.pods.pod": POD,
        "podwright.pods.stack_info": {},
        "podwright.pods.pod_info": {},
    }
    results = playbook.run([{name: options, **group} for name, options in modules.items()])
    told = dict(zip(modules, (result["msg"] for result in results), strict=True))
    for name in (MODULE, "podwright.pods.pod"):
        assert "on_failure: 'never' is not one of rollback, keep" in told[name]
    for name in ("podwright.pods.stack_info", "podwright.pods.pod_info"):
        assert "Unsupported parameters" not in told[name]


NUMBERS = """\
env:
  - {name: A, value: 0123}
  - {name: B, value: 12:30:45}
  - {name: C, value: 1.10}
  - {name: D, value: 8080}
  - {name: E, value: "0123"}
"""


def test_numbers_that_yaml_reads_as_others_are_not_taken_for_text(playbook: Playbook) -> None:
    playbook.write("vars.yml", NUMBERS)
    container = {"name": "a", "image": "x", "env": "{{ env }}"}
    (result,) = playbook.run(
        [{MODULE: {"name": "s", "pods": [{"name": "web", "containers": [container]}]}}], "--extra-vars", "@vars.yml"
    )
    assert [(row["path"][-12:], row["reason"].partition(";")[0]) for row in result["faults"]] == [
        ("env[0].value", "is written as '0123', which YAML reads as 83"),
        ("env[1].value", "is written as '12:30:45', which YAML reads as 45045"),
        ("env[2].value", "expected a string, got 1.1, and how it was written is not known"),
    ]


def test_a_folder_is_read_as_a_kustomization_and_what_else_is_in_one_is_named(playbook: Playbook) -> None:
    """With a program in the place of kustomize, for its work is its own."""
    program = playbook.directory / "bin/kustomize"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n[ $1 = build ] && [ -f $2/pod.yml ] && sed s/NAME/built/ $2/pod.yml\n")
    program.chmod(0o755)
    playbook.write("files/base/kustomization.yaml", "resources: [pod.yml]\n")
    playbook.write("files/base/pod.yml", manifest("NAME"))
    playbook.write("files/mixed/pod.yml", manifest("web"))
    playbook.write("files/mixed/compose.yml", "services: {web: {image: x}}\n")
    playbook.write("files/mixed/values.yaml", "image: {tag: x}\nreplicas: 1\n")
    playbook.write("files/unrendered/pod.yml", manifest("web"))
    playbook.write("files/unrendered/templates.yml", "a: {{ .Values.a }}\n")
    tasks: list[Task] = [
        {MODULE: {"name": "s", "src": "base"}, "environment": {}},
        {MODULE: {"name": "s", "src": "mixed"}},
        {MODULE: {"name": "s", "src": "mixed", "unsupported": "refuse"}},
        {MODULE: {"name": "s", "src": "unrendered"}},
        {MODULE: {"name": "s", "src": "https://example.org/pod.yml"}},
        {MODULE: {"name": "s", "definition": ["a: [", "kind: Job"], "definition_names": ["a.yml", "b.yml"]}},
        {MODULE: {"name": "s", "definition": manifest("A"), "definition_names": ["a.yml", "b.yml"]}},
        {MODULE: {"name": "s", "definition": [manifest("A")], "definition_names": ["a.yml"]}},
    ]
    built, mixed, *refused = playbook.run(tasks, path=str(program.parent))
    assert reaches_the_host(built), built
    assert reaches_the_host(mixed), mixed
    told = [[f"{row['path']} | {row['reason']}" for row in result["faults"]] for result in refused]
    assert [len(faults) for faults in told] == [2, 1, 1, 1, 1, 1], told
    assert told[0][0].startswith("mixed/compose.yml | is a Compose file")
    assert told[0][1].startswith("mixed/values.yaml | has no kind")
    assert told[1][0].startswith("unrendered/templates.yml | line 1, column 5")
    assert told[2][0].startswith("src | is an address")
    assert told[3][0].startswith("a.yml | line 2")
    assert told[4][0].startswith("definition_names | is a list with a name for each item")
    assert told[5][0].startswith("a.yml.metadata.name | 'A' is not a name")
