# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, as ansible-inventory runs it, on a stack and a pod on its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pod_runs import Options, PodRuns, await_true, container, pod, server, words
from podman_host import BUSYBOX, PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]
WEB_LABELS = {"app.kubernetes.io/name": "shop", "tier": "front"}
ALONE_LABELS = {"tier": "front", "version": "2"}


class Inventory:
    """Configuration files for one Podman, and what Ansible makes of them."""

    def __init__(self, host: PodmanHost, directory: Path) -> None:
        self.host = host
        self.directory = directory

    def run(self, *command: str, name: str = "my.podwright.yml", options: Options, **environment: str) -> Any:
        """Run a program of Ansible with these options of the plugin; returns the finished process."""
        path = self.directory / name
        path.write_text(json.dumps({"plugin": "podwright.pods.pods", **options}))
        return subprocess.run(
            [Path(sys.executable).with_name(command[0]), "-i", path, *command[1:]],
            cwd=self.directory,
            env={
                **self.host.environment,
                "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / "collections"),
                "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
                "ANSIBLE_NOCOLOR": "1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def list(self, options: Options, **more: str) -> tuple[dict[str, Options], dict[str, set[str]]]:
        """The hosts with their variables, and the groups with their hosts."""
        done = self.run("ansible-inventory", "--list", options=options, **more)
        assert (done.returncode, done.stderr) == (0, "")
        # What is no template of the user's own is marked as such by Ansible 2.19 and later.
        told = json.loads(done.stdout, object_hook=lambda item: item.get("__ansible_unsafe", item))
        hosts = told.pop("_meta")["hostvars"]
        groups = {name: set(group["hosts"]) for name, group in told.items() if name != "all"}
        return hosts, groups

    def refuse(self, options: Options, **more: str) -> str:
        """Expect that no inventory comes of it; returns what Ansible says, on one line."""
        done = self.run("ansible-inventory", "--list", options=options, **more)
        assert done.returncode != 0
        assert not done.stdout
        return words(done.stderr)


@pytest.fixture
def inventory(in_host: PodmanHost, tmp_path: Path) -> Inventory:
    return Inventory(in_host, tmp_path)


def apply_pods(host: PodmanHost) -> None:
    """A stack of two pods, of which one has an init container and a sidecar, and one is not ready.

    Beside it a pod on its own that has failed, and a pod of someone else.
    """
    web = pod(
        server(),
        name="web",
        labels=WEB_LABELS,
        init_containers=[container("prepare", "exit 0"), container("log", restart_policy="Always")],
    )
    unready = {"exec": {"command": ["false"]}}
    worker = pod(container("worker", readiness_probe=unready), name="worker", labels={"tier": "back"})
    stack_run.run_stack({"name": "shop", "pods": [web, worker], "wait": False}, False)
    alone = pod(container(script="exit 3"), name="alone", labels=ALONE_LABELS, restart_policy="Never")
    pod_run.run_pod({**alone, "wait": False}, False)
    host.podman("wait", "alone-main")
    await_true(lambda: all(one["ready"] for one in PodRuns(host).status_of("web")["containerStatuses"]))
    host.podman("create", "--pod", "new:foreign", "--name", "foreign-main", BUSYBOX)


def address(host: PodmanHost, name: str) -> str:
    networks = host.inspect(f"{name}-infra")["NetworkSettings"]["Networks"].values()
    (found,) = (network["IPAddress"] for network in networks)
    return str(found)


def variables(host: PodmanHost, pod_name: str, container_name: str, **different: Any) -> Options:
    return {
        "ansible_connection": "containers.podman.podman",
        "ansible_host": f"{pod_name}-{container_name}",
        "podwright_pod": pod_name,
        "podwright_container": container_name,
        "podwright_role": "app",
        "podwright_stack": "shop",
        "podwright_phase": "Running",
        "podwright_ready": True,
        "podwright_labels": WEB_LABELS,
        "podwright_image": BUSYBOX,
        "podwright_pod_ip": address(host, pod_name),
        **different,
    }


def test_hosts_variables_groups_and_filters(inventory: Inventory) -> None:
    """One test, since the pods take longer to make than to list."""
    host = inventory.host
    apply_pods(host)
    before = host.mutations()
    see_all(inventory)
    see_one_stack(inventory)
    see_one_pod(inventory)
    assert host.mutations() == before


def see_all(inventory: Inventory) -> None:
    host = inventory.host
    hosts, groups = inventory.list({})
    assert hosts == {
        "web-log": variables(host, "web", "log", podwright_role="sidecar"),
        "web-main": variables(host, "web", "main"),
        "worker-worker": variables(host, "worker", "worker", podwright_ready=False, podwright_labels={"tier": "back"}),
        "alone-main": variables(
            host,
            "alone",
            "main",
            podwright_stack="",
            podwright_phase="Failed",
            podwright_ready=False,
            podwright_labels=ALONE_LABELS,
        ),
    }
    web = {"web-log", "web-main"}
    assert groups == {
        "stack_shop": {*web, "worker-worker"},
        "pod_web": web,
        "pod_worker": {"worker-worker"},
        "pod_alone": {"alone-main"},
        "phase_running": {*web, "worker-worker"},
        "phase_failed": {"alone-main"},
        "label_app_kubernetes_io_name_shop": web,
        "label_tier_front": {*web, "alone-main"},
        "label_tier_back": {"worker-worker"},
        "label_version_2": {"alone-main"},
    }
    # The same store with no socket to be found: a service for the run answers the same.
    assert inventory.list({}, CONTAINER_HOST="")[0] == hosts


def see_one_stack(inventory: Inventory) -> None:
    """With filters, and with groups and variables of one's own."""
    hosts, groups = inventory.list(
        {
            "stacks": ["shop", "other"],
            "labels": {"tier": "front"},
            "include_init": True,
            "connection": "ansible.builtin.local",
            "keyed_groups": [{"key": "podwright_role"}, {"key": "podwright_pod", "prefix": "of", "separator": "__"}],
            "leading_separator": False,
            "groups": {"never_run_again": "podwright_role == 'init'"},
            "compose": {"where": "podwright_pod ~ '/' ~ podwright_container", "missing": "nothing.there"},
        },
        name="podwright.yaml",
    )
    assert {name: (one["podwright_role"], one["where"]) for name, one in hosts.items()} == {
        "web-prepare": ("init", "web/prepare"),
        "web-log": ("sidecar", "web/log"),
        "web-main": ("app", "web/main"),
    }
    assert {one["ansible_connection"] for one in hosts.values()} == {"ansible.builtin.local"}
    assert hosts["web-prepare"]["podwright_ready"] is True
    added = {name: members for name, members in groups.items() if not re.match("stack|pod|phase|label", name)}
    assert added == {
        "init": {"web-prepare"},
        "sidecar": {"web-log"},
        "app": {"web-main"},
        "of__web": {"web-prepare", "web-log", "web-main"},
        "never_run_again": {"web-prepare"},
    }


def see_one_pod(inventory: Inventory) -> None:
    """By its labels; its hosts can be worked on."""
    done = inventory.run(
        *("ansible", "all", "-m", "raw", "-a", "echo {{ podwright_labels.version }} {{ ansible_host }}"),
        options={"labels": {"version": 2, "tier": "front"}, "connection": "ansible.builtin.local"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["alone-main | CHANGED | rc=0 >>", "2 alone-main", ""]
    assert "Could not set missing" in inventory.refuse({"strict": True, "compose": {"missing": "nothing.there"}})


def test_what_cannot_be_read_is_said(inventory: Inventory) -> None:
    said = inventory.refuse({"label": {"tier": "front"}, "labels": {"tier": True}})
    assert "label: is not an option of this plugin" in said
    assert "labels.tier: expected a string, got True; put it in quotes" in said
    assert "could not be verified by inventory plugin" in inventory.refuse({}, name="pods.yml")


def test_no_podman(inventory: Inventory) -> None:
    gone = inventory.directory / "gone.sock"
    said = inventory.refuse({}, CONTAINER_HOST=f"unix://{gone}")
    assert f"Podman did not answer GET /_ping at {gone}: No such file or directory" in said
    (inventory.directory / "podman.py").write_text('raise ImportError("there is none")\n')
    said = inventory.refuse({}, PYTHONPATH=str(inventory.directory))
    assert "podman-py cannot be imported by" in said
    assert "run the role podwright.pods.host on this host" in said
