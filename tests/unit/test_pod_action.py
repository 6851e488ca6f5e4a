# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pod as a task of a real playbook: what it refuses on the control node, and what it then hands on.

Every malformed input of the tables is a task of one playbook. Its host is this machine, reached over a local
connection whose directory for remote files stays empty: nothing was ever sent there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from playbook_runs import Playbook, Task, manifest, reaches_the_host

from ansible_collections.podwright.pods.plugins.module_utils._errors import Fault

DATA = Path(__file__).parent / "data"
SECRET = "XSECRETX"
MODULE = "podwright.pods.pod"
MANIFEST = manifest("web")


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    return Playbook(tmp_path)


def cases(kind: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.safe_load((DATA / f"malformed_{kind}.yml").read_text(encoding="utf-8"))
    return [row for row in rows if not row.get("only_parser")]


def check(result: dict[str, Any], expected: Sequence[str], source: str = "definition") -> str:
    """What is not as expected about a refusal; empty if all is."""
    if not result["failed"] or result["changed"]:
        return "it did not fail"
    left = [Fault(row["path"], row["reason"]) for row in result.get("faults", ())]
    text = "\n".join(["", *(f"  {fault}" for fault in left)])
    count = f"{len(left)} fault{'' if len(left) == 1 else 's'} in the declaration; nothing was changed:"
    if result["msg"] != count + text:
        return f"its message is {result['msg']!r}"
    for row in expected:
        path, _separator, words = row.partition(" | ")
        path, words = path.replace("definition", source), words.replace("definition[", f"{source}[")
        match = next((fault for fault in left if fault.path == path and words in fault.reason), None)
        if match is None:
            return f"{row} is not among: {text}"
        left.remove(match)
    return f"not expected: {left}" if left else ""


def malformed_tasks(playbook: Playbook) -> Iterator[tuple[dict[str, Any], Task, str]]:
    """Every case with a task that has it, and what faults call the place it comes from."""
    for row in cases("native"):
        yield row, yaml.safe_load(row["given"]) or {}, "definition"
    for number, row in enumerate(cases("kubernetes")):
        beside = row.get("options", {})
        name = playbook.write(f"files/{number}.yml", row["given"]).removeprefix("files/")
        yield row, {"src": name, **beside}, name
        # In the text of a playbook, these would be taken for a template, and for no YAML.
        if "{{" not in row["given"] and "\a" not in row["given"]:
            yield row, {"definition": row["given"], **beside}, "definition"


def test_everything_malformed_is_refused_and_the_host_is_untouched(playbook: Playbook) -> None:
    rows = list(malformed_tasks(playbook))
    # So that what no host keeps is refused as well.
    results = playbook.run([{MODULE: {**options, "unsupported": "refuse"}} for _row, options, _source in rows])
    problems = [
        f"{row['name']}: {problem}"
        for (row, _options, source), result in zip(rows, results, strict=True)
        if (problem := check(result, row["faults"], source))
    ]
    assert not problems, "\n".join(problems)
    assert len({row["given"] for row, _options, _source in rows}) >= 150
    assert not playbook.remote_files.exists()


RUN_OPTIONS: list[tuple[Task, list[str]]] = [
    ({"state": "present", "name": "web"}, ["state | 'present' is not one of started, stopped, absent"]),
    ({"state": "abstent", "name": "web"}, ["state | did you mean absent?"]),
    ({"state": "absent"}, ["name | is required"]),
    ({"state": "absent", "name": "A B"}, ["name | 'A B' is not a name"]),
    ({"state": "stopped"}, ["name | is required", "containers | is required"]),
    (
        {"state": "stopped", "name": "web", "containers": [{"name": "a"}]},
        ["containers[0].image | is required"],
    ),
    (
        {"wait": "perhaps", "wait_timeout": 0, "on_failure": "ignore", "allocatable": {"cpu": "x", "disk": "1Gi"}},
        [
            "wait | expected true or false, got 'perhaps'",
            "wait_timeout | 0 is less than 1",
            "on_failure | 'ignore' is not one of rollback, keep",
            "allocatable.disk | is not a known field",
            "allocatable.cpu | is not a quantity",
            "name | is required",
            "containers | is required",
        ],
    ),
    (
        {"definition": MANIFEST, "src": "nowhere.yml", "name": "web", "containers": [], "zz": 1, "wait_timeout": "5m"},
        [
            "wait_timeout | expected a whole number, got '5m'",
            "src | cannot stand beside definition",
            "name | cannot stand beside definition, which says it",
            "containers | cannot stand beside definition",
            "zz | is not a known field",
        ],
    ),
    ({"src": "nowhere.yml"}, ["src | there is no 'nowhere.yml' in files/"]),
    ({"src": "nowhere.yml", "state": "absent"}, ["src | there is no 'nowhere.yml' in files/"]),
    ({"src": ""}, ["src | is empty"]),
    ({"src": ["a.yml"]}, ["src | expected a string, got a list"]),
    ({"src": "../files", "labels": {}}, ["labels | cannot stand beside src", "src | directory"]),
    ({"definition": "kind: Job", "state": "absent"}, ["definition | holds no Pod"]),
    ({"definition": {"kind": "Pod", "metadata": {}}, "state": "absent"}, ["metadata.name | is required"]),
    ({"definition": "{kind: Pod", "state": "absent"}, ["definition | something else is expected"]),
]


def test_options_of_the_run_are_refused_with_those_of_the_pod(playbook: Playbook) -> None:
    results = playbook.run([{MODULE: options} for options, _faults in RUN_OPTIONS])
    problems = [
        f"{options}: {problem}"
        for (options, expected), result in zip(RUN_OPTIONS, results, strict=True)
        if (problem := check(result, expected))
    ]
    assert not problems, "\n".join(problems)
    assert not playbook.remote_files.exists()


def test_files_are_found_where_ansible_looks_for_them_and_decrypted(playbook: Playbook) -> None:
    password = playbook.write("password", "open sesame\n")
    playbook.write("files/beside.yml", MANIFEST)
    playbook.write("here.yml", MANIFEST)
    playbook.write("files/vaulted.yml", MANIFEST)
    playbook.write("files/latin.yml", "")
    (playbook.directory / "files/latin.yml").write_bytes(b"kind: \xe9\n")
    playbook.write("roles/own/files/of_role.yml", MANIFEST)
    role = [{"name": "A task of a role", MODULE: {"src": "of_role.yml"}, "register": "of_role", "ignore_errors": True}]
    playbook.write("roles/own/tasks/main.yml", yaml.safe_dump(role))
    vault = Path(sys.executable).with_name("ansible-vault")
    subprocess.run(
        [str(vault), "encrypt", "--vault-password-file", password, "files/vaulted.yml"],
        cwd=playbook.directory,
        env=playbook.environment(),
        check=True,
        capture_output=True,
    )
    absolute = str(playbook.directory / "here.yml")
    sources = ["beside.yml", "here.yml", "files/beside.yml", absolute, "vaulted.yml", "latin.yml"]
    tasks: list[Task] = [{MODULE: {"src": source, "state": "started"}} for source in sources]
    tasks.append({"ansible.builtin.set_fact": {"seen": "{{ of_role }}"}})
    results = playbook.run(tasks, "--vault-password-file", password, roles=["own"])
    assert [reaches_the_host(result) for result in results[:5]] == [True] * 5, playbook.output
    assert not check(results[5], ["latin.yml | line 1: is not UTF-8 text"])
    assert reaches_the_host(results[6]["ansible_facts"]["seen"] | {"failed": True})
    refused = playbook.run([{MODULE: {"src": "vaulted.yml"}}])
    assert not check(refused[0], ["src | ecrypt"])


def test_a_good_declaration_reaches_the_module_in_every_form(playbook: Playbook) -> None:
    mapping = yaml.safe_load(MANIFEST)
    native = {"name": "web", "containers": [{"name": "a", "image": "localhost/busybox"}]}
    forms: list[Task] = [
        native,
        {"definition": MANIFEST},
        {"definition": mapping},
        {"definition": [mapping]},
        {"definition": [MANIFEST, "---\n"], "infra": {"name": "own"}},
        {"definition": {"apiVersion": "v1", "kind": "List", "items": [mapping]}},
        {"definition": "{{ lookup('ansible.builtin.file', 'pod.yml') }}"},
        {"definition": MANIFEST, "state": "absent"},
        {"definition": "apiVersion: v2\nkind: Pod\nmetadata: {name: web}\nspec: 5", "state": "absent"},
        {"name": "web", "state": "absent"},
        {"name": "web", "state": "stopped", "wait": False},
    ]
    playbook.write("files/pod.yml", MANIFEST)
    tasks: list[Task] = [{MODULE: form} for form in forms]
    tasks.append({MODULE: native, "async": 30, "poll": 1})
    results = playbook.run(tasks)
    assert [reaches_the_host(result) for result in results] == [True] * len(tasks), playbook.output


def test_no_secret_is_shown_however_much_is_asked_for(playbook: Playbook) -> None:
    """Neither by what was given to the module, nor by what went wrong with it, nor by what is refused."""
    playbook.write("vars.yml", yaml.safe_dump({"word": SECRET, "encoded": "WFNFQ1JFVFg="}))
    reference = {"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "s", "key": "k"}}}
    native = {"name": "web", "containers": [{"name": "a", "image": "localhost/busybox", "env": [reference]}]}
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    playbook.write("files/pod.yml", MANIFEST + "---\n" + yaml.safe_dump({**document, "stringData": {"k": SECRET}}))
    secrets: list[Any] = [
        [{"name": "s", "string_data": {"k": "{{ word }} native"}}],
        [{"name": "s", "string_data": {"k": True, "l": ["{{ word }}"]}, "data": {"m": "{{ word }}!"}}],
        [{"name": "s", "string_data": "{{ word }}", "generate": {"k": "{{ word }}"}}],
        ["{{ word }}"],
    ]
    tasks: list[Task] = [{MODULE: {**native, "secrets": given}} for given in secrets]
    tasks += [
        {MODULE: {"definition": [yaml.safe_load(MANIFEST), {**document, "stringData": {"k": "{{ word }}"}}]}},
        {MODULE: {"definition": MANIFEST + "---\n" + yaml.safe_dump({**document, "data": {"k": "{{ encoded }}"}})}},
        {MODULE: {"definition": MANIFEST + "---\nkind: Secret\nstringData: {k: {{ word }}, k: @{{ word }}}"}},
        {MODULE: {"src": "pod.yml"}},
    ]
    for mode in ("--diff", "--check"):
        results = playbook.run(tasks, "-vvv", mode, "--extra-vars", "@vars.yml")
        reached = [reaches_the_host(result) for result in results]
        assert reached == [True, False, False, False, True, True, False, True], playbook.output
        assert SECRET not in playbook.output
        assert "WFNFQ1JFVFg" not in playbook.output
        assert SECRET not in json.dumps(results)
