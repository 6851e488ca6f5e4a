# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that applies stacks to a cluster, with a directory in the place of one."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from playbook_runs import CHECKOUT, manifest

KUBERNETES = "1.33"
SHOP = {
    "name": "shop",
    "pods": [
        {
            "name": "web",
            "containers": [
                {
                    "name": "web",
                    "image": "registry.example.com/shop:1.4",
                    "env_from": [{"secret_ref": {"name": "tokens"}}],
                    "volume_mounts": [{"name": "data", "mount_path": "/data"}],
                }
            ],
            "volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": "shop-data"}}],
        }
    ],
    "deployments": [
        {
            "name": "front",
            "replicas": 2,
            "template": {"containers": [{"name": "a", "image": "example.com/a:1"}]},
        }
    ],
    "config_maps": [{"name": "words", "data": {"word": "hello"}}],
    "secrets": [
        {"name": "tokens", "string_data": {"given": "kept"}, "generate": {"made": 12, "other": 20}},
        {"name": "plain", "string_data": {"key": "value"}},
    ],
}


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {word: hello}\n"


class Cluster:
    """What the playbook has made, by namespace and by kind and name; ``output`` is what its last run printed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.output = ""

    def play(self, stacks: list[Any] | None, *arguments: str, hosts: str = "one,", **variables: Any) -> int:
        """``stacks`` None are those of the inventory ``hosts``."""
        given = {**variables, **({} if stacks is None else {"podwright_stacks": stacks})}
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *("-i", hosts, "-c", "local", CHECKOUT / "playbooks/kubernetes.yml"),
                *("-e", json.dumps(given), *arguments),
            ],
            env={
                **os.environ,
                "TEST_CLUSTER": str(self.directory),
                "ANSIBLE_COLLECTIONS_PATH": f"{CHECKOUT / 'collections'}:{CHECKOUT / 'tests/unit/data/cluster'}",
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        self.output = done.stdout + done.stderr
        return done.returncode

    def objects(self, namespace: str = "") -> dict[str, Any]:
        return {path.stem: json.loads(path.read_text()) for path in (self.directory / namespace).glob("*.json")}


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def test_a_stack_on_a_cluster(cluster: Cluster) -> None:
    assert cluster.play([SHOP], "-vvv", "--diff") == 0, cluster.output
    objects = cluster.objects("shop")
    names = {"ConfigMap-words", "Secret-tokens", "Secret-plain", "PersistentVolumeClaim-shop-data", "Pod-web"}
    assert objects.keys() == {*names, "Deployment-front"}
    assert cluster.objects().keys() == {"Namespace-shop"}
    for document in objects.values():
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    values = {key: base64.b64decode(text).decode() for key, text in objects["Secret-tokens"]["data"].items()}
    assert (values["given"], len(values["made"]), len(values["other"])) == ("kept", 12, 20)
    assert "podwright.io/generate" not in json.dumps(objects)
    assert not [value for value in values.values() if value in cluster.output and value != "kept"]
    # What was generated stays.
    assert cluster.play([SHOP]) == 0, cluster.output
    assert cluster.objects("shop") == objects
    assert cluster.play([SHOP], podwright_cluster_state="absent") == 0, cluster.output
    assert cluster.objects("shop").keys() == {"PersistentVolumeClaim-shop-data"}


@pytest.mark.long
def test_the_lamp_pod_on_a_cluster(cluster: Cluster) -> None:
    assert cluster.play(["lamp"], lamp_layout="official") == 0, cluster.output
    objects = cluster.objects("lamp")
    for document in objects.values():
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    assert objects["Secret-passwords"]["data"].keys() == {"root_password", "app_password", "backup_password"}
    containers = {container["name"]: container for container in objects["Pod-lamp"]["spec"]["containers"]}
    assert list(containers) == ["db", "php", "web"]
    # There 127.0.0.1 is the node's own address for the kubelet.
    assert all("exec" in containers[name]["livenessProbe"] for name in ("db", "php"))


@pytest.mark.parametrize(
    ("example", "kinds"),
    [
        (
            "wordpress",
            {"Deployment", "StatefulSet", "CronJob", "Service", "ConfigMap", "Secret", "PersistentVolumeClaim"},
        ),
        pytest.param("batch", {"Job", "CronJob", "ConfigMap", "PersistentVolumeClaim"}, marks=pytest.mark.long),
    ],
)
def test_the_examples_on_a_cluster(cluster: Cluster, example: str, kinds: set[str]) -> None:
    assert cluster.play(None, "-e", f"@{CHECKOUT / 'playbooks/examples' / example}.yml") == 0, cluster.output
    objects = cluster.objects(example)
    for document in objects.values():
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    assert {document["kind"] for document in objects.values()} == kinds


@pytest.mark.long
def test_the_inventory_of_this_machine(cluster: Cluster) -> None:
    """Its images have names that go by the distribution, which nothing else asks for."""
    assert cluster.play(None, hosts=str(CHECKOUT / "inventory/localhost.yml")) == 0, cluster.output
    images = [item["image"] for item in cluster.objects("lamp")["Pod-lamp"]["spec"]["containers"]]
    assert all(re.fullmatch(r"localhost/lamp-[a-z]+:[a-z]+", image) for image in images), images


@pytest.mark.long
def test_a_host_that_is_not_there(cluster: Cluster, tmp_path: Path) -> None:
    """The cluster is reached from the control node, so that the host itself need not be."""
    host = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(json.dumps({"all": {"hosts": {"far": host}}}))
    assert cluster.play([SHOP], hosts=str(inventory)) == 0, cluster.output
    assert "Pod-web" in cluster.objects("shop")


KUSTOMIZE = """#!/bin/sh
[ "$1" = build ] || exit 2
for file in base overlay; do cat "$2/../$file/objects" || exit 1; done
"""
"""A program in the place of kustomize, whose work is its own: it makes of an overlay what is not in its folder."""


def test_a_kustomization_on_a_cluster(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "kustomize").write_text(KUSTOMIZE)
    (programs / "kustomize").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    for name, text in (("base", manifest("built")), ("overlay", f"---\n{CONFIG_MAP}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "objects").write_text(text)
    (tmp_path / "overlay/kustomization.yaml").write_text("resources: [../base]\n")
    stack = {"name": "shop", "templates": str(tmp_path / "overlay")}
    assert cluster.play([stack]) == 0, cluster.output
    assert cluster.objects("shop").keys() == {"Pod-built", "ConfigMap-words"}
    assert cluster.play([stack], podwright_cluster_state="absent") == 0, cluster.output
    assert cluster.objects("shop") == {}
    (tmp_path / "base/objects").unlink()
    assert cluster.play([stack]) != 0
    assert "overlay: kustomize build cannot build it: cat:" in cluster.output


def test_one_host_has_to_be_named(cluster: Cluster) -> None:
    assert cluster.play([SHOP], hosts="one,two") != 0
    assert "A cluster takes the stacks of one host, and these are 2; name it by --limit." in cluster.output
    assert cluster.play([SHOP], "--limit", "two", hosts="one,two") == 0, cluster.output
