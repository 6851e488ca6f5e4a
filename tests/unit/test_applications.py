# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small applications as people write them: each is taken as it stands, and planned for a host that has nothing yet.

They are folders of data/applications, in the forms of kompose, of Helm, of kustomize, of tutorials, of exports and of
what is written by hand. Adding an application is adding a folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import acceptance
import pytest
from stack_model import NAME, StackHost

from ansible_collections.podwright.pods.plugins.module_utils._declaration.kubernetes import to_documents
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Note
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.spec import KINDS, template_of
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput
from ansible_collections.podwright.pods.plugins.module_utils._host.declaration_files import DeclarationFiles
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.placement import labels_of
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.placement import placed
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.request import StackRequest

APPLICATIONS = Path(__file__).parent / "data" / "applications"
FOLDERS = sorted(folder.name for folder in APPLICATIONS.iterdir())
LABELS = labels_of("node", "x86_64", {})
ELSEWHERE = {"tutorial_placement": ["on-ssd", "with-affinity"]}
GIVEN: dict[str, dict[str, Any]] = {
    "configured_elsewhere": {
        "config_maps": [{"name": "portal-settings", "data": {"LANGUAGE": "en"}}],
        "secrets": [{"name": "portal-credentials", "string_data": {"PASSWORD": "not-a-secret"}}],
    },
    "helm_starter": {
        "secrets": [{"name": "starter-tls", "string_data": {"tls.crt": "a certificate", "tls.key": "its key"}}],
    },
}
"""What the caller gives beside the files."""


@dataclass(frozen=True)
class Application:
    """What was read of a folder: its documents with their names, the stack, and what is noted."""

    documents: list[Any]
    stack: StackSpec
    notes: list[Note]

    def count(self, *kinds: str) -> int:
        return sum(document["kind"] in kinds for document in self.documents)


def read(folder: str) -> Application:
    documents, faults = acceptance.read_folder(APPLICATIONS / folder)
    assert faults == []
    return _parsed(folder, documents)


def _parsed(folder: str, named: list[tuple[str, Any]]) -> Application:
    notes: list[Note] = []
    documents = [document for _name, document in named]
    stack = parse_options({"name": NAME, **GIVEN.get(folder, {})}, documents, [name for name, _one in named], notes)
    return Application(documents, stack, notes)


def test_there_are_applications_of_every_kind() -> None:
    assert len(FOLDERS) >= 40
    counted = {kind.kind: sum(read(folder).count(kind.kind) for folder in FOLDERS) for kind in KINDS}
    assert all(counted.values()), counted


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_application_is_taken_as_it_stands(folder: str) -> None:
    application = read(folder)
    stack = application.stack
    assert len(stack.pods) == application.count("Pod")
    assert len(stack.workloads) == application.count(*(kind.kind for kind in KINDS))
    assert (len(stack.services), len(stack.ingresses)) == (application.count("Service"), application.count("Ingress"))
    assert stack.pods or stack.workloads
    # What is noted is no more than it has to be: nothing of a container, and each kind once.
    assert len({(note.path, note.reason) for note in application.notes}) == len(application.notes)
    # It goes to a cluster again as it is here.
    again = parse_options({"name": NAME}, to_documents(stack), notes=[])
    assert again == stack


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_application_is_planned(folder: str) -> None:
    stack = read(folder).stack
    request, elsewhere = placed(StackRequest(NAME, "started", stack), LABELS)
    assert [one.name for one in elsewhere] == ELSEWHERE.get(folder, [])
    assert request.stack is not None
    plan = StackHost().want(request.stack).plan
    assert [step.pod for step in plan.pods()] == [pod.name for pod in request.stack.pods]
    rollouts = {(step.kind, step.workload) for step in plan.rollouts()}
    assert rollouts == {(one.kind, one.name) for one in request.stack.workloads}


def test_what_is_made_elsewhere_is_told_with_what_to_do() -> None:
    documents, _faults = acceptance.read_folder(APPLICATIONS / "configured_elsewhere")
    with pytest.raises(InvalidInput) as caught:
        parse_options({"name": NAME}, [document for _name, document in documents], ["app.yaml"], [])
    at = "app.yaml.spec.template.spec.containers[0].envFrom"
    assert [(fault.path, fault.reason.partition(",")[0]) for fault in caught.value.faults] == [
        (
            f"{at}[0].configMapRef.name",
            "no config map is called 'portal-settings'; give it in config_maps or as a ConfigMap document",
        ),
        (
            f"{at}[1].secretRef.name",
            "no secret is called 'portal-credentials'; give it in secrets or as a Secret document",
        ),
    ]


def test_a_claim_of_the_class_of_a_folder_has_the_folder() -> None:
    task, database = read("tutorial_volume").stack, read("local_storage").stack
    (volume,), (data,) = task.pods[0].volumes, template_of(database.workloads[0]).volumes
    assert (volume.host_path, data.host_path) == (
        type(volume.host_path)("/mnt/data", "DirectoryOrCreate"),
        type(data.host_path)("/mnt/disks/ssd1", "Directory"),
    )
    assert task.volumes == database.volumes == ()


def test_a_folder_of_a_repository_has_more_than_manifests() -> None:
    notes: list[Note] = []
    documents = DeclarationFiles(notes=notes).read(APPLICATIONS / "repository_with_more", "deploy")
    assert [name for name, _document in documents] == ["deploy/deploy.yaml"]
    names = ("docker-compose.yml", "pipeline.yml", "values.yaml", "workflow.yaml")
    assert [note.path for note in notes] == [f"deploy/{name}" for name in names]
