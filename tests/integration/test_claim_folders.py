# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PersistentVolumes for the claims of a StatefulSet, on real Podman: each Pod writes into a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from pod_runs import SLEEP, await_true
from podman_host import BUSYBOX

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError

pytestmark = pytest.mark.integration

Document = dict[str, Any]
CLASS = {"accessModes": ["ReadWriteOnce"], "storageClassName": "manual"}


def volume(folder: Path) -> Document:
    spec = {**CLASS, "capacity": {"storage": "1Gi"}, "hostPath": {"path": str(folder)}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": folder.name}, "spec": spec}


def stateful_set(replicas: int) -> Document:
    container = {"name": "main", "image": BUSYBOX, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    container["command"] = ["sh", "-c", f"hostname >> /data/name; {SLEEP}"]
    claim = {"metadata": {"name": "data"}, "spec": {**CLASS, "resources": {"requests": {"storage": "1Mi"}}}}
    labels = {"app": "db"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }
    selector = {"matchLabels": labels}
    spec = {"replicas": replicas, "selector": selector, "template": template, "volumeClaimTemplates": [claim]}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec}


def test_pods_keep_their_folders_whatever_volumes_come(agent: AgentProcess, tmp_path: Path) -> None:
    def run(replicas: int, *names: str) -> Document:
        documents = [*(volume(tmp_path / name) for name in names), stateful_set(replicas)]
        options = {"name": "shop", "definition": documents}
        result: Document = agent.client.post("/run", {"run": "run_stack", "options": options, "check": False})
        return result

    def written() -> dict[str, list[str]]:
        return {path.parent.name: path.read_text().split() for path in tmp_path.glob("*/name")}

    with pytest.raises(PodwrightError, match="data-db-1 has no folder"):
        run(2, "m")
    run(2, "m", "n")
    await_true(lambda: written() == {"m": ["db-0"], "n": ["db-1"]})
    assert run(2, "m", "n")["actions"] == []
    # One that comes first by its name is for another Pod.
    run(0, "a", "m", "n")
    run(3, "a", "m", "n")
    await_true(lambda: written() == {"m": ["db-0", "db-0"], "n": ["db-1", "db-1"], "a": ["db-2"]})
    assert agent.host.podman("volume", "ls", "--quiet") == ""
