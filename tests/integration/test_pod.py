# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole pod, from first to last: set, set again, changed, described, and declared as Kubernetes does it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from pod_runs import SLEEP, Options, PodRuns, container, plan, pod, server, tripwire
from podman_host import BUSYBOX

from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_info, pod_run

pytestmark = pytest.mark.integration


RUN = {"name": "run", "mount_path": "/run/shop"}


def shop() -> Options:
    """A pod with something of everything."""
    return pod(
        server(
            "web",
            env_from=[{"config_map_ref": {"name": "settings"}}],
            volume_mounts=[{"name": "site", "mount_path": "/site"}, RUN],
            resources={"limits": {"cpu": "200m", "memory": "32Mi"}},
            lifecycle={"pre_stop": {"exec": {"command": ["true"]}}},
        ),
        container("worker", env=[{"name": "LEVEL", "value": "1"}]),
        name="shop",
        labels={"app": "shop"},
        init_containers=[
            container("prepare", "echo ready > /run/shop/state", volume_mounts=[RUN]),
            container("log", restart_policy="Always"),
        ],
        volumes=[{"name": "site", "config_map": {"name": "settings"}}, {"name": "run", "empty_dir": {}}],
        config_maps=[{"name": "settings", "data": {"COLOR": "red"}}],
    )


def test_set_set_again_change(pods: PodRuns) -> None:
    options = shop()
    first = pods.apply(options, wait=True)
    assert plan(first) == [
        "record pod shop: it is not recorded yet",
        "write volume shop/site: it was not there",
        "prepare volume shop/run: it was not there",
        "create pod shop: it was not there",
        "start infra container of pod shop: it was not there",
        "create container shop/prepare: it was not there",
        "start container shop/prepare: it was not there",
        "await completion of init container shop/prepare: it was not there",
        "create container shop/log: it was not there",
        "start container shop/log: it was not there",
        "await start of sidecar shop/log: it was not there",
        "create container shop/web: it was not there",
        "start container shop/web: it was not there",
        "create container shop/worker: it was not there",
        "start container shop/worker: it was not there",
    ]
    assert pods.read("shop-web", "/run/shop/state") == "ready\n"
    assert pods.get("shop-worker", 8080, "/hostname") == "shop"
    pods.unchanged(options, wait=True)
    untouched = [pods.identity(name) for name in ("shop-infra", "shop-log", "shop-web")]
    options["containers"][1]["env"][0]["value"] = "2"
    pods.change(
        options,
        [
            "record pod shop: containers changed",
            "stop container shop/worker: env changed",
            "remove container shop/worker: env changed",
            "create container shop/worker: env changed",
            "start container shop/worker: env changed",
        ],
        wait=True,
    )
    assert pods.environment("shop-worker")["LEVEL"] == "2"
    assert [pods.identity(name) for name in ("shop-infra", "shop-log", "shop-web")] == untouched


def test_result(pods: PodRuns) -> None:
    result = pods.apply(shop(), wait=True)
    assert set(result) == {"changed", "actions", "warnings", "secrets", "pod", "diff"}
    document = result["pod"]
    assert (document["apiVersion"], document["kind"], document["metadata"]) == (
        "v1",
        "Pod",
        {"name": "shop", "labels": {"app": "shop"}},
    )
    assert document["spec"]["containers"][0]["volumeMounts"][0] == {"name": "site", "mountPath": "/site"}
    status = document["status"]
    assert (status["phase"], status["qosClass"]) == ("Running", "Burstable")
    assert {each["name"]: sorted(each["state"]) for each in status["containerStatuses"]} == {
        "web": ["running"],
        "worker": ["running"],
    }
    assert {each["name"]: sorted(each["state"]) for each in status["initContainerStatuses"]} == {
        "prepare": ["terminated"],
        "log": ["running"],
    }
    assert f"inet {status['podIP']}/" in pods.run_in("shop-web", "ip", "-4", "address")
    json.dumps(result)


def test_diff(pods: PodRuns) -> None:
    options = shop()
    first = pods.apply(options)
    assert first["diff"]["before"] == ""
    assert json.loads(first["diff"]["after"])["name"] == "shop"
    options["config_maps"][0]["data"]["COLOR"] = "blue"
    second = pods.apply(options)
    assert second["diff"]["before"] == first["diff"]["after"]
    assert second["diff"]["after"] == second["diff"]["before"].replace('"COLOR": "red"', '"COLOR": "blue"')
    assert second["diff"]["prepared"].splitlines() == second["actions"]
    last = pods.apply({"name": "shop", "state": "absent"})
    assert (last["diff"]["before"], last["diff"]["after"]) == (second["diff"]["after"], "")


def test_check_mode_leaves_no_trace(pods: PodRuns) -> None:
    predicted = pod_run.run_pod(shop(), True)
    assert predicted["changed"]
    assert not pods.host.state_directory.exists()
    assert pods.names() == []


# --- Kubernetes documents --------------------------------------------------------------------------------------------

KUBERNETES = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data: {{COLOR: red}}
---
apiVersion: v1
kind: Pod
metadata:
  name: shop
  labels: {{app: shop}}
  creationTimestamp: null
spec:
  terminationGracePeriodSeconds: 2
  initContainers:
    - name: prepare
      image: {BUSYBOX}
      command: [sh, -c, "echo ready > /run/shop/state"]
      volumeMounts: [{{name: run, mountPath: /run/shop}}]
    - name: log
      image: {BUSYBOX}
      command: [sh, -c, "{SLEEP}"]
      restartPolicy: Always
  containers:
    - name: web
      image: {BUSYBOX}
      command: [sh, -c, "httpd -h /etc -p 8080; {SLEEP}"]
      envFrom: [{{configMapRef: {{name: settings}}}}]
      readinessProbe: {{tcpSocket: {{port: 8080}}, periodSeconds: 1}}
      resources: {{limits: {{cpu: 0.2, memory: 32Mi}}}}
      lifecycle: {{preStop: {{exec: {{command: ["true"]}}}}}}
      volumeMounts:
        - {{name: site, mountPath: /site}}
        - {{name: run, mountPath: /run/shop}}
    - name: worker
      image: {BUSYBOX}
      command: [sh, -c, "{SLEEP}"]
      env: [{{name: LEVEL, value: "1"}}]
  volumes:
    - {{name: site, configMap: {{name: settings}}}}
    - {{name: run, emptyDir: {{}}}}
status: {{}}
"""


def test_the_tripwire_of_check_mode_is_one(pods: PodRuns) -> None:
    """Every run of these tests is predicted behind it; a real run trips over it at its first call."""
    with tripwire(), pytest.raises(AssertionError, match=r"check mode calls POST .*/pods/create"):
        pod_run.run_pod(pod(), False)


def test_kubernetes_document_is_the_same_pod(pods: PodRuns) -> None:
    documents = list(yaml.safe_load_all(KUBERNETES))
    pods.create(shop(), wait=True)
    pods.unchanged({"definition": documents}, wait=True)
    pods.apply({"definition": documents, "state": "absent"})
    assert pods.names() == []
    result = pods.create({"definition": documents}, wait=True)
    pods.unchanged(shop(), wait=True)
    # What it tells can be declared again.
    told = {key: value for key, value in result["pod"].items() if key != "status"}
    pods.unchanged({"definition": [documents[0], told]}, wait=True)


def test_a_name_that_begins_ids_of_other_pods(pods: PodRuns) -> None:
    """Podman also takes the beginning of an id for a name, and refuses it where it is not the only one."""
    first_digits: list[str] = []
    while len(first_digits) == len({*first_digits}):
        identity = pods.host.podman("pod", "create", "--infra=false", "--name", f"foreign-{len(first_digits)}")
        first_digits.append(identity[0])
    pods.create(pod(name=first_digits[-1]))
    assert f"{first_digits[-1]}-main" in pods.names()


# --- pod_info --------------------------------------------------------------------------------------------------------


def info(**options: Any) -> list[Options]:
    return list(pod_info.run_pod_info(options)["pods"])


def test_pod_info(pods: PodRuns) -> None:
    assert info() == []
    pods.apply(shop(), wait=True)
    pods.apply(pod(container(script="exit 3"), name="job", restart_policy="Never", labels={"app": "job"}))
    pods.await_state("job-main", "exited")
    pods.host.podman("pod", "create", "--name", "theirs")
    before = pods.host.mutations()
    assert [each["metadata"]["name"] for each in info()] == ["job", "shop"]
    assert [each["metadata"]["name"] for each in info(labels={"app": "shop"})] == ["shop"]
    assert info(name="theirs") == info(name="absent") == []
    job, shown = info()
    assert pods.host.mutations() == before
    assert job["status"]["phase"] == "Failed"
    ended = job["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (3, "Error")
    assert shown["status"]["phase"] == "Running"
    usage = shown["usage"]["web"]
    assert (usage["memory_limit_bytes"], usage["cpu_limit_millicores"]) == (32 << 20, 200)
    assert 0 < usage["memory_bytes"] < 32 << 20
    assert 0 <= usage["cpu_millicores"] <= 1000
