# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One whole host, prepared by site.yml over SSH and sudo as a user's is: its Pods, a cut network, boots."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts.container_hosts import ContainerHost, ContainerHosts
from hosts.recipes import RECIPES, REPOSITORY
from pod_runs import await_true, pod, server
from private_podman import temporary_directory

from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError

pytestmark = [pytest.mark.integration, pytest.mark.hosts]

PORT = 8080
ARCHIVE = "/var/tmp/busybox.tar"


@pytest.fixture(scope="module")
def hosts() -> Iterator[ContainerHosts]:
    with temporary_directory() as directory:
        hosts = ContainerHosts(directory / "hosts")
        try:
            yield hosts
        finally:
            hosts.remove()


@pytest.fixture(scope="module")
def machine(hosts: ContainerHosts) -> ContainerHost:
    """A host with a Pod that serves a page and may use 32 MiB of memory."""
    machine = hosts.up("debian12", RECIPES["debian12"], print)
    ansible(hosts, "ansible", "all", "-m", "copy", "-a", f"src={hosts.busybox} dest={ARCHIVE} mode=0644")
    web = server(ports=[{"container_port": 8080, "host_port": PORT}], resources={"limits": {"memory": "32Mi"}})
    images = [{"name": web["image"], "load": {"path": ARCHIVE}}]
    stacks = [{"name": "shop", "images": images, "pods": [pod(web, hostname="shop")]}]
    ansible(hosts, "ansible-playbook", "playbooks/site.yml", "-e", json.dumps({"podwright_stacks": stacks}))
    return machine


def ansible(hosts: ContainerHosts, program: str, *arguments: str) -> None:
    """Run a program of Ansible on the hosts as ``deploy``, who is no root but may use sudo."""
    path = Path(sys.executable).with_name(program)
    command = [path, "-i", hosts.inventory, "-e", "ansible_user=deploy", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def page(machine: ContainerHost) -> str:
    """What a visitor from elsewhere is shown; empty while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://{machine.address}:{PORT}/hostname", timeout=2) as answer:
            return str(answer.read().decode().strip())
    except OSError:
        return ""


def test_the_host_is_sound(machine: ContainerHost) -> None:
    assert machine.failed_units() == []
    assert machine.run("sudo --non-interactive id -un", user="deploy").stdout.strip() == "root"
    assert machine.run("systemctl is-active podwrightd.service").stdout.strip() == "active"


def test_a_pod_is_reached_from_outside(machine: ContainerHost) -> None:
    assert page(machine) == "shop"


def test_a_cut_network_harms_no_pod(machine: ContainerHost) -> None:
    started = machine.run("podman inspect --format '{{.State.StartedAt}}' web-main").stdout
    machine.disconnect()
    assert not machine.answers()
    assert page(machine) == ""
    machine.connect()
    assert page(machine) == "shop"
    assert machine.run("podman inspect --format '{{.State.StartedAt}}' web-main").stdout == started


def test_a_limit_of_memory_holds(machine: ContainerHost) -> None:
    """The kernel may end the container's own process rather than ours, so that it is started anew."""

    def kept(mib: int) -> str:
        script = f"head -c {mib}m /dev/zero | tail -c {mib}m | wc -c"
        return machine.run(f"podman exec web-main sh -c '{script}'", check=False).stdout.strip()

    assert kept(8) == str(8 * 1024**2)
    assert kept(64) != str(64 * 1024**2)


@pytest.mark.parametrize("way", ["reboot", "from inside", "power cut"])
def test_pods_come_up_after_a_boot(machine: ContainerHost, way: str) -> None:
    boot = machine.booted_at()
    if way == "reboot":
        machine.reboot()
    elif way == "from inside":
        machine.run("systemctl reboot", check=False)
        await_true(lambda: machine.booted_at() not in ("", boot), 30)
        machine.wait_until_up()
    else:
        machine.cut_power()
        machine.start()
    assert machine.booted_at() != boot
    await_true(lambda: page(machine) == "shop", 20)
    assert machine.failed_units() == []


def test_a_directory_too_deep_for_podman_is_refused() -> None:
    with pytest.raises(HostError, match="choose a shorter one"):
        ContainerHosts(Path("/tmp") / ("deep" * 12)).up("debian12", RECIPES["debian12"], print)
