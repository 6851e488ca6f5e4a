# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that counts how much of a directory of manifests is accepted, on small folders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import acceptance
import pytest

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: httpd, envFrom: [{configMapRef: {name: settings}}]}]
"""
SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {A: b}}\n"
GATEWAY = "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: web}, spec: {}}\n"
PINNED = (
    "{apiVersion: v1, kind: Pod, metadata: {name: NAME}, spec: {nodeName: n1, containers: [{name: a, image: x}]}}\n"
)
PLACED = "is not supported; place pods with the inventory: hosts, groups and --limit"


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    files = {
        "whole/web.yml": WEB,
        "whole/settings.yaml": SETTINGS,
        "whole/namespace.yml": "{apiVersion: v1, kind: Namespace, metadata: {name: whole}}\n",
        "whole/kustomization.yaml": "resources: [web.yml, settings.yaml]\n",
        "served/web.yml": f"{WEB}---\n{SETTINGS}---\n{GATEWAY}",
        "alone/web.yml": WEB,
        "pinned/one.yml": PINNED.replace("NAME", "one"),
        "pinned/two.json": '{"apiVersion": "v1", "kind": "List", "items": []}\n',
        "pinned/three.yml": PINNED.replace("NAME", "three"),
        "broken/web.yml": WEB,
        "broken/settings.yml": SETTINGS,
        "broken/chart.yml": "a: {{ .Values.a }}\n",
        "nothing/notes.yml": SETTINGS,
        ".hidden/web.yml": PINNED,
        "whole/read.me": "no manifest",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_templates_are_read_with_the_configuration_of_their_folder(manifests: Path) -> None:
    templates = acceptance.count(manifests).templates
    assert (templates.accepted, templates.total) == (3, 6)
    (first, second) = templates.reasons.most_common()
    assert first == (f"spec.nodeName: {PLACED}", 2)
    assert second[0].startswith("spec.template.spec.containers[].envFrom[].configMapRef.name: ")
    assert second[1] == 1


def test_folders_are_read_whole(manifests: Path) -> None:
    folders = acceptance.count(manifests).folders
    assert (folders.accepted, folders.total) == (1, 5)
    assert folders.reasons["kind: 'Gateway' is not supported; give an Ingress to the module stack"] == 1
    assert folders.reasons[f"spec.nodeName: {PLACED}"] == 1
    assert len(folders.reasons) == 4, folders.reasons


def test_names_and_numbers_make_no_other_reason() -> None:
    count = acceptance.Count()
    for number, name in enumerate(("one", "two")):
        fault = acceptance.Fault(f"a/b.yml[{number}].spec.volumes[{number}].name", f"'{name}' is one of {number}")
        count.add(acceptance.reasons_of([fault, fault]))
    assert count.reasons == {"spec.volumes[].name: ... is one of ...": 2}
    assert (count.accepted, count.total) == (0, 2)


def test_the_script_tells_the_most_frequent_reasons_first(manifests: Path) -> None:
    run = subprocess.run(
        [sys.executable, acceptance.__file__, str(manifests), "--top", "1"], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[:3] == [
        "pod templates: 3 of 6 accepted (50 %)",
        f"     2  spec.nodeName: {PLACED}",
        "folders with an application: 1 of 5 accepted (20 %)",
    ]
    assert len(run.stdout.splitlines()) == 4
