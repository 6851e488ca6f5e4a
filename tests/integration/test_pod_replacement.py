# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change replaces as little as it can: which field costs what, told by check mode and seen on real containers."""

from __future__ import annotations

import copy
import socket
from pathlib import Path

import pytest
from pod_runs import SLEEP, Options, PodRuns, container, plan, pod, server
from podman_host import BUSYBOX

from ansible_collections.podwright.pods.plugins.module_utils._reconcile import costs

pytestmark = pytest.mark.integration

OTHER_IMAGE = "localhost/test/other:1"


def base() -> Options:
    """A pod that takes every change below as a valid one."""
    main = container(
        resources={"limits": {"memory": "64Mi"}},
        volume_mounts=[{"name": "data", "mount_path": "/data"}],
        ports=[{"name": "http", "container_port": 8080}],
        env=[{"name": "SETTING", "value_from": {"config_map_key_ref": {"name": "settings", "key": "SETTING"}}}],
    )
    return pod(
        main,
        container("other"),
        init_containers=[container("init", "exit 0"), container("helper", restart_policy="Always")],
        volumes=[{"name": "data", "empty_dir": {}}, {"name": "unused", "empty_dir": {}}],
        config_maps=[{"name": "settings", "data": {"SETTING": "1"}}],
        secrets=[{"name": "login", "string_data": {"password": "sesame"}}],
    )


SECRET_ENV = [{"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}}]
PROBE = {"exec": {"command": ["true"]}}

# What is changed in the main container, and the fields that the plan names as the cause of a new one; none for what
# changes no container.
OF_A_CONTAINER: dict[str, tuple[Options, str]] = {
    "image": ({"image": OTHER_IMAGE}, "image"),
    "command": ({"command": ["sleep", "600"]}, "command"),
    "args": ({"args": ["x"]}, "args"),
    "working_dir": ({"working_dir": "/etc"}, "working_dir"),
    "env": ({"env": [{"name": "A", "value": "b"}]}, "env"),
    "env_from": ({"env_from": [{"config_map_ref": {"name": "settings"}}], "env": []}, ""),
    "secret env": ({"env": SECRET_ENV}, "env, secret env"),
    "volume_mounts": ({"volume_mounts": []}, "volume_mounts"),
    "security_context": ({"security_context": {"run_as_user": 1}}, "security_context"),
    "termination_message_path": ({"termination_message_path": "/tmp/end"}, "termination_message_path"),
    "stdin": ({"stdin": True}, "stdin"),
    "stdin_once": ({"stdin": True, "stdin_once": True}, "stdin, stdin_once"),
    "tty": ({"tty": True}, "tty"),
    "image_pull_policy": ({"image_pull_policy": "Never"}, ""),
    "ports": ({"ports": []}, ""),
    "resize_policy": ({"resize_policy": [{"resource_name": "cpu"}]}, ""),
    "startup_probe": ({"startup_probe": PROBE}, ""),
    "readiness_probe": ({"readiness_probe": PROBE}, ""),
    "liveness_probe": ({"liveness_probe": {"tcp_socket": {"port": 8080}}}, ""),
    "lifecycle": ({"lifecycle": {"pre_stop": PROBE}}, ""),
    "termination_message_policy": ({"termination_message_policy": "FallbackToLogsOnError"}, ""),
}


def remade(name: str, cause: str) -> list[str]:
    return [f"{verb} container web/{name}: {cause}" for verb in ("stop", "remove", "create", "start")]


def predicted(pods: PodRuns, options: Options) -> list[str]:
    return plan(pods.predict(options))


def test_fields_of_a_container(pods: PodRuns, tmp_path: Path) -> None:
    """Each change alone, in check mode: the container or nothing but the record."""
    (tmp_path / "Containerfile").write_text(f"FROM {BUSYBOX}\nLABEL other=yes\n")
    pods.host.podman("build", "-q", "-t", OTHER_IMAGE, str(tmp_path))
    pods.create(base())
    for field, (change, cause) in OF_A_CONTAINER.items():
        options = base()
        options["containers"][0].update(change)
        expected = remade("main", f"{cause} changed") if cause else []
        assert predicted(pods, options) == ["record pod web: containers changed", *expected], field


def test_every_field_of_a_container_is_in_the_table() -> None:
    rows = {name for row in costs.CONTAINER_FIELDS for name in (row.fields or (row.name,))}
    elsewhere = {"name", "resources", "restart_policy"}
    assert rows - elsewhere <= {*OF_A_CONTAINER, "env", "env_from"}


NEW_POD: dict[str, tuple[Options, str]] = {
    "hostname": ({"hostname": "other"}, "hostname"),
    "host_network": ({"host_network": True}, "host_network"),
    "host_pid": ({"host_pid": True}, "host_pid"),
    "host_ipc": ({"host_ipc": True}, "host_ipc"),
    "share_process_namespace": ({"share_process_namespace": True}, "share_process_namespace"),
    "host_aliases": ({"host_aliases": [{"ip": "192.0.2.1", "hostnames": ["a"]}]}, "host_aliases"),
    "dns_policy": ({"dns_policy": "Default"}, "dns_policy"),
    "dns_config": ({"dns_config": {"searches": ["example.org"]}}, "dns_config"),
    "networks": ({"networks": ["podman"]}, "networks"),
    "infra": ({"infra": {"name": "holder"}}, "infra"),
}
"""Changes of the pod that take a new sandbox."""

ON_LINUX = {
    "node_selector_terms": [
        {"match_expressions": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}]},
    ],
}
NO_CONTAINER: dict[str, Options] = {
    "labels": {"labels": {"app": "shop"}},
    "annotations": {"annotations": {"example.org/a": "b"}},
    "subdomain": {"subdomain": "sub"},
    "enable_service_links": {"enable_service_links": False},
    "termination_grace_period_seconds": {"termination_grace_period_seconds": 3},
    "active_deadline_seconds": {"active_deadline_seconds": 600},
    "min_ready_seconds": {"min_ready_seconds": 3},
    "log_size_max": {"log_size_max": "10Mi"},
    "node_selector": {"node_selector": {"kubernetes.io/hostname": socket.gethostname()}},
    "affinity": {"affinity": {"node_affinity": {"required_during_scheduling_ignored_during_execution": ON_LINUX}}},
    "image_pull_secrets": {"image_pull_secrets": [{"name": "registry"}]},
    "readiness_gates": {"readiness_gates": [{"condition_type": "example.org/gate"}]},
    "secrets": {"secrets": [{"name": "login", "string_data": {"password": "other"}}]},
    "config_maps": {"config_maps": [{"name": "settings", "data": {"SETTING": "1", "MORE": "2"}}]},
}
"""Changes of the pod that touch no container."""


def test_fields_of_the_pod(pods: PodRuns) -> None:
    """Each change alone, in check mode."""
    pods.create(base())
    for field, (change, cause) in NEW_POD.items():
        lines = predicted(pods, {**base(), **change})
        assert lines[0] == f"record pod web: {field} changed"
        assert f"create pod web: {cause} changed" in lines, field
    for field, change in NO_CONTAINER.items():
        assert predicted(pods, {**base(), **change}) == [f"record pod web: {field} changed"], field
    sysctls = {"security_context": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}]}}
    assert "create pod web: sysctls changed" in predicted(pods, {**base(), **sysctls})
    groups = {"security_context": {"supplemental_groups": [7]}}
    assert predicted(pods, {**base(), **groups})[0] == "record pod web: security_context changed"
    # It is the containers', and the sandbox's only by way of an init container, which runs before all others in it.
    assert "create pod web: init_containers changed" in predicted(pods, {**base(), **groups})
    pods.apply({**base(), "init_containers": []})
    assert predicted(pods, {**base(), "init_containers": [], **groups}) == [
        "record pod web: security_context changed",
        *remade("main", "security_context changed"),
        *remade("other", "security_context changed"),
    ]


def test_every_field_of_the_pod_is_in_the_table() -> None:
    rows = {name for row in costs.POD_FIELDS for name in (row.fields or (row.name,))}
    elsewhere = {"name", "containers", "init_containers", "volumes", "resources", "restart_policy", "security_context"}
    assert rows - elsewhere <= {*NEW_POD, *NO_CONTAINER}


def test_one_container_changes_and_the_others_stay(pods: PodRuns, tmp_path: Path) -> None:
    """Image, command and environment of one: ids, start times and processes of the others are what they were."""
    (tmp_path / "Containerfile").write_text(f"FROM {BUSYBOX}\nLABEL other=yes\n")
    pods.host.podman("build", "-q", "-t", OTHER_IMAGE, str(tmp_path))
    options = pod(server("front", 8080), server("app", 8081), server("db", 8082))
    pods.create(options, wait=True)
    others = [pods.identity(name) for name in ("web-infra", "web-front", "web-db")]
    app = options["containers"][1]
    for change, cause in (
        ({"image": OTHER_IMAGE}, "image changed"),
        ({"command": ["sh", "-c", f"httpd -h /bin -p 8081; {SLEEP}"]}, "command changed"),
        ({"env": [{"name": "A", "value": "b"}]}, "env changed"),
    ):
        before = pods.identity("web-app")
        app.update(change)
        pods.change(options, ["record pod web: containers changed", *remade("app", cause)], wait=True)
        assert pods.identity("web-app")[0] != before[0]
        assert [pods.identity(name) for name in ("web-infra", "web-front", "web-db")] == others


def test_containers_come_and_go(pods: PodRuns) -> None:
    one, two, three = container("one"), container("two"), container("three")
    pods.create(pod(one, two))
    before = pods.identity("web-two")
    pods.change(
        pod(two, three),
        [
            "record pod web: containers changed",
            "stop container web/one: no longer declared",
            "remove container web/one: no longer declared",
            "create container web/three: it was not there",
            "start container web/three: it was not there",
        ],
    )
    # The order of the containers is no matter.
    pods.change(pod(three, two), ["record pod web: containers changed"])
    assert pods.identity("web-two") == before


def test_container_changes_its_role(pods: PodRuns) -> None:
    helper = container("helper")
    pods.create(pod(container(), helper))
    result = pods.apply(pod(container(), init_containers=[{**helper, "restart_policy": "Always"}]))
    assert "create container web/helper: it was app and is now sidecar" in plan(result)
    assert pods.host.inspect("web-helper")["Config"]["Labels"]["io.podwright.role"] == "sidecar"


def test_new_port_keeps_the_data(pods: PodRuns) -> None:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("", 0))
        second.bind(("", 0))
        numbers = first.getsockname()[1], second.getsockname()[1]
    volumes = [{"name": "data", "persistent_volume_claim": {"claim_name": "data"}}]
    mounts = [{"name": "data", "mount_path": "/data"}]

    def publishing(port: int) -> Options:
        ports = [{"container_port": 8080, "host_port": port}]
        return pod(server(root="/data", volume_mounts=mounts, ports=ports), volumes=volumes)

    pods.create(publishing(numbers[0]), wait=True)
    (pods.root("web-main") / "data" / "row").write_text("kept")
    result = pods.apply(publishing(numbers[1]), wait=True)
    cause = "host ports changed"
    assert plan(result) == [
        "record pod web: containers changed",
        f"stop container web/main: {cause}",
        f"remove pod web: {cause}",
        f"create pod web: {cause}",
        f"start infra container of pod web: {cause}",
        f"create container web/main: {cause}",
        f"start container web/main: {cause}",
    ]
    assert pods.get("web-main", 8080, "/row") == "kept"
    pods.unchanged(publishing(numbers[1]), wait=True)


def test_defaults_written_out_are_no_change(pods: PodRuns) -> None:
    options = pod(container(ports=[{"container_port": 80}]))
    pods.create(options)
    before = pods.identity("web-main")
    spelled = copy.deepcopy(options)
    spelled.update(
        restart_policy="Always",
        hostname=None,
        host_network=False,
        dns_policy="ClusterFirst",
        init_containers=[],
        volumes=[],
        labels={},
        infra={},
    )
    spelled["containers"][0].update(
        args=[],
        env=[],
        tty=False,
        resources={},
        termination_message_path="/dev/termination-log",
        image_pull_policy=None,
    )
    spelled["containers"][0]["ports"][0]["protocol"] = "TCP"
    pods.unchanged(spelled)
    assert pods.identity("web-main") == before
