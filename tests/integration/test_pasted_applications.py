# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications as people write them, on real Podman: a sample of those that the unit tests plan.

They are as they stand but for what no test can have: their images, and folders outside of the test's own.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from image_registry import ImageRegistry
from pod_runs import SLEEP, Options, pod
from podman_host import BUSYBOX, PodmanHost
from stack_runs import StackRuns

from ansible_collections.podwright.pods.plugins.module_utils._declaration import manifest
from ansible_collections.podwright.pods.plugins.module_utils._runs.run_failure import RunFailed
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

pytestmark = pytest.mark.integration

APPLICATIONS = Path(__file__).parent.parent / "unit" / "data" / "applications"
ROUTED = ("Service", "Ingress")


def documents_of(folder: str) -> list[Options]:
    """The documents of an application, whose containers sleep."""
    files = sorted((APPLICATIONS / folder).iterdir())
    documents = [document for file in files for document in manifest.read(file.read_text(encoding="utf-8"), file.name)]
    return [_sleeping(document) for document in documents if document["kind"] not in ROUTED]


def _sleeping(value: Any) -> Any:
    if isinstance(value, list):
        return [_sleeping(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "image" in value:
        kept = {name: item for name, item in value.items() if name not in ("args", "livenessProbe", "readinessProbe")}
        return {**kept, "image": BUSYBOX, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", SLEEP]}
    return {name: _sleeping(item) for name, item in value.items()}


def options_of(folder: str, **more: Any) -> Options:
    return {"name": folder.replace("_", "-"), "definition": documents_of(folder), **more}


def pods_of(runs: StackRuns) -> list[str]:
    """The Pods, those of workloads by the name of their workload."""
    names = runs.host.podman("pod", "ls", "--format", "{{.Name}}").split()
    return sorted(re.sub(r"-[0-9a-z]{8}-\d+$", "", name) for name in names)


def test_a_folder_of_a_persistent_volume_is_what_its_pod_mounts(runs: StackRuns, tmp_path: Path) -> None:
    text = json.dumps(options_of("tutorial_volume")).replace("/mnt/data", str(tmp_path / "data"))
    runs.create(json.loads(text))
    (tmp_path / "data" / "index.html").write_text("hello\n")
    assert runs.host.podman("exec", "task-pod-task-container", "cat", "/usr/share/nginx/html/index.html") == "hello\n"
    assert runs.host.podman("volume", "ls", "--quiet") == ""


@pytest.mark.long
def test_what_kompose_writes_runs(runs: StackRuns) -> None:
    runs.create(options_of("kompose_queue"))
    assert pods_of(runs) == ["broker", "worker", "worker", "worker"]
    worker = next(name for name in runs.host.containers() if name.startswith("worker-") and name.endswith("-worker"))
    assert "CONCURRENCY=4" in runs.host.podman("exec", worker, "env")


@pytest.mark.long
def test_one_folder_is_for_a_fleet_of_which_this_is_a_host(runs: StackRuns) -> None:
    plain = options_of("tutorial_placement")
    stack_run.run_stack(plain, False)
    assert pods_of(runs) == ["everywhere"]
    stack_run.run_stack({**plain, "host_labels": {"disktype": "ssd"}}, False)
    assert pods_of(runs) == ["everywhere", "on-ssd"]


# --- images of a registry that asks who wants them -------------------------------------------------------------------


@pytest.fixture
def registry(in_host: PodmanHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageRegistry]:
    """A registry with a certificate that this Podman trusts."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words, *names], check=True, capture_output=True)
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + certificate.read_text())
    served = ImageRegistry("deploy", "hush-hush", both)
    monkeypatch.setitem(in_host.environment_without_service, "SSL_CERT_FILE", str(certificate))
    in_host.stop_service()
    in_host.start_service()
    yield served
    served.stop()
    monkeypatch.undo()
    in_host.stop_service()
    in_host.start_service()


def test_images_are_pulled_with_the_secrets_of_their_pod(
    runs: StackRuns, registry: ImageRegistry, tmp_path: Path
) -> None:
    image = registry.publish(runs.host, BUSYBOX, "team/private", "1", tmp_path)
    container = {"name": "main", "image": image, "command": ["sh", "-c", SLEEP]}
    private = pod(container, name="private", image_pull_secrets=[{"name": "other"}, {"name": "regcred"}])
    auths = {
        "other": {f"{registry.address}/team": {"username": "deploy", "password": "wrong"}},
        "regcred": {registry.address: {"auth": base64.b64encode(b"deploy:hush-hush").decode()}},
    }
    declared = {"name": "shop", "pods": [private], "wait": False}
    with pytest.raises(RunFailed, match="could not be pulled"):
        stack_run.run_stack(declared, False)
    secrets = [
        {"name": name, "string_data": {".dockerconfigjson": json.dumps({"auths": entries})}}
        for name, entries in auths.items()
    ]
    result = stack_run.run_stack({**declared, "secrets": secrets}, False)
    shown = json.dumps({name: item for name, item in result.items() if name != "secrets"})
    assert "hush-hush" not in shown
    assert "hush-hush" in result["secrets"]
    assert runs.host.inspect("private-main")["State"]["Status"] == "running"
