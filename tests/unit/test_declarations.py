# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command reads for ``podwright apply``, and what it says of what it cannot read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_modules import module

POD = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: x}]}}"


def read(*sources: Path | str, **more: Any) -> dict[str, Any]:
    return dict(module("declarations").read(tuple(map(str, sources)), "s", **more))


def refusal(*sources: Path | str) -> str:
    with pytest.raises(module("asking").Failure) as caught:
        read(*sources)
    return str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n"])
def test_nothing_is_declared_by_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "empty.yml"
    path.write_text(text)
    assert refusal(path).startswith(f"{path} declares nothing; to remove all pods of a stack give --prune-all")
    given = read(path, allow_empty=True)
    assert (given["definition"], given["allow_empty"]) == ([], True)


def test_each_file_that_is_none_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {a: {image: x}}\nvolumes: {}\nnetworks: {}\n")
    (tmp_path / "kustomize.yml").write_text("resources: [pod.yml]\n")
    (tmp_path / "ci.yml").write_text("stages: [a]\n")
    (tmp_path / "build.yml").write_text("name: build\non: push\njobs: {a: {steps: []}}\n")
    (tmp_path / "pod.yml").write_text(POD)
    (tmp_path / "broken.yml").write_text("a: [\n")
    (tmp_path / "options.yml").write_text("change_cause: why\n")
    lines = refusal(tmp_path).splitlines()
    assert lines[0] == "5 faults; nothing was changed:"
    starts = [
        "broken.yml: line 2",
        "build.yml: is a workflow of a CI",
        "ci.yml: is a pipeline of a CI",
        "compose.yml: is a Compose file",
        "kustomize.yml: is a kustomization",
    ]
    assert all(line.startswith(f"  {tmp_path}/{start}") for line, start in zip(lines[1:], starts, strict=True)), lines


def test_files_beside_manifests_that_declare_nothing_are_passed_over_with_a_note(tmp_path: Path) -> None:
    others = {
        "docker-compose.yml": "services: {a: {image: x}}\n",
        "package.json": '{"name": "shop", "version": "1.0.0", "scripts": {}}\n',
        "playbook.yml": "- hosts: all\n  tasks: []\n",
        "values.yaml": "image: {tag: x}\n---\nreplicas: 1\n",
    }
    for name, text in others.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "pod.yml").write_text(POD)
    notes: list[Any] = []
    assert read(tmp_path, notes=notes)["definition_names"] == [str(tmp_path / "pod.yml")]
    assert [str(note).removeprefix(f"{tmp_path}/") for note in notes] == [
        "docker-compose.yml: is passed over: it is a Compose file, and no Kubernetes document",
        "package.json: is passed over: it has no kind, so that it is no Kubernetes document",
        "playbook.yml: is passed over: it is no mapping, as documents are",
        "values.yaml[0]: is passed over: it has no kind, so that it is no Kubernetes document",
        "values.yaml[1]: is passed over: it has no kind, so that it is no Kubernetes document",
    ]
    # A file that is given by its own name is meant, and so is one that is given alone.
    assert "docker-compose.yml: is a Compose file" in refusal(tmp_path / "pod.yml", tmp_path / "docker-compose.yml")
    (tmp_path / "options.yml").write_text("unsupported: refuse\n")
    assert "values.yaml[1]: has no kind" in refusal(tmp_path)
    with pytest.raises(module("asking").Failure, match=r"values\.yaml\[1\]: is passed over"):
        read(tmp_path, notes=[])
    (tmp_path / "options.yml").unlink()
    (tmp_path / "pod.yml").unlink()
    with pytest.raises(module("asking").Failure, match="5 faults; nothing was changed"):
        read(tmp_path, notes=[])


def test_faults_name_the_file_that_is_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text(POD.replace("name: web", "name: WEB"))
    assert f"{path}.metadata.name: 'WEB' is not a name" in refusal(path)
    path.write_text(POD)
    assert read(path)["definition_names"] == [str(path)]


def test_notes_are_told_apart_from_faults(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text(f"{POD}\n---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: web}}}}\n")
    notes: list[Any] = []
    assert len(read(path, notes=notes)["definition"]) == 2
    assert [note.path for note in notes] == [f"{path}[1].kind"]
    (tmp_path / "options.yml").write_text("unsupported: refuse\n")
    assert f"{path}[1].kind: 'Namespace' is not supported" in refusal(tmp_path)


def test_an_address_is_no_file() -> None:
    assert "curl -fsSL https://example.org/pod.yml | podwright apply -f -" in refusal("https://example.org/pod.yml")


def test_a_kustomization_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With programs in the place of kustomize and kubectl, for their work is their own."""
    folder, programs = tmp_path / "shop", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (folder / "kustomization.yaml").write_text("resources: [pod.yml]\n")
    (folder / "pod.yml").write_text(POD)
    monkeypatch.setenv("PATH", str(programs))
    assert "neither kustomize nor kubectl is installed here" in refusal(folder)
    kubectl = programs / "kubectl"
    kubectl.write_text('#!/bin/sh\n[ "$1" = kustomize ] || exit 1\nread -r text < "$2/pod.yml" || echo "$text"\n')
    kubectl.chmod(0o755)
    assert read(folder)["definition"][0]["metadata"] == {"name": "web"}
    kustomize = programs / "kustomize"
    kustomize.write_text("#!/bin/sh\necho 'no such\033[2J resource' >&2\nexit 1\n")
    kustomize.chmod(0o755)
    assert "shop: kustomize build cannot build it: no such?[2J resource" in refusal(folder)
