# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection on a host with cgroups v2 and systemd as cgroup manager, by SSH: limits, and a reboot of the host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from busybox_image import BUSYBOX
from hosts.fleet import Fleet
from hosts.kernel_hosts import KernelHost
from hosts.recipes import RECIPES, REPOSITORY
from pod_runs import container, pod
from private_podman import temporary_directory

pytestmark = [pytest.mark.integration, pytest.mark.long]

MARKS = "/srv/marks"
ARCHIVE = "/var/tmp/busybox.tar"


def marking(name: str, port: int, limits: dict[str, str], **fields: Any) -> dict[str, Any]:
    """A container that notes when its preStop hook began and when it was told to end, which is two seconds later."""

    def mark(event: str) -> str:
        return f"date +%s >> {MARKS}/{name}-{event}"

    script = f"trap '{mark('term')}; exit 0' TERM; httpd -h /etc -p {port}; sleep 100000 & wait"
    return container(
        script=script,
        readiness_probe={"tcp_socket": {"port": port}, "period_seconds": 1},
        lifecycle={"pre_stop": {"exec": {"command": ["sh", "-c", f"{mark('hook')}; sleep 2"]}}},
        volume_mounts=[{"name": "marks", "mount_path": MARKS}],
        resources={"limits": limits},
        **fields,
    )


def shop(web_limits: dict[str, str]) -> dict[str, Any]:
    """A stack of two pods, of which web depends on db."""
    volumes = [{"name": "marks", "host_path": {"path": MARKS, "type": "DirectoryOrCreate"}}]
    more: dict[str, Any] = {"volumes": volumes, "termination_grace_period_seconds": 30}
    ports = [{"container_port": 8080, "host_port": 8080}]
    return {
        "name": "shop",
        "images": [{"name": BUSYBOX, "load": {"path": ARCHIVE}}],
        "depends_on": {"web": [{"pod": "db"}]},
        "pods": [
            pod(marking("db", 5432, {"memory": "64Mi", "cpu": "500m"}), name="db", **more),
            pod(marking("web", 8080, web_limits, ports=ports), name="web", **more),
        ],
    }


class Site:
    """playbooks/site.yml on one host."""

    def __init__(self, fleet: Fleet, host: KernelHost) -> None:
        self.host = host
        self._inventory = fleet.inventory
        self._run("ansible", "uml", "-m", "copy", "-a", f"src={fleet.busybox} dest={ARCHIVE} mode=0644")

    def apply(self, web_limits: dict[str, str]) -> str:
        """Bring up the stack; all that the run printed."""
        return self._run(
            "ansible-playbook", "playbooks/site.yml", "-e", json.dumps({"podwright_stacks": [shop(web_limits)]})
        )

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [Path(sys.executable).with_name(program), "-i", self._inventory, *arguments],
            env={**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def limits(self, pod: str, container: str) -> tuple[str, str]:
        """memory.max and cpu.max of a container, as its kernel has them."""
        pid = self.host.run(f"podman inspect --format '{{{{.State.Pid}}}}' {pod}-{container}").stdout.strip()
        path = self.host.run(f"cat /proc/{pid}/cgroup").stdout.strip().removeprefix("0::")
        memory, cpu = self.host.run(f"cd /sys/fs/cgroup{path} && cat memory.max cpu.max").stdout.splitlines()
        return memory, cpu

    def pod_limits(self, pod: str) -> tuple[str, str]:
        """The same of the pod's own cgroup."""
        path = self.host.run(f"podman pod inspect --format '{{{{.CgroupPath}}}}' {pod}").stdout.strip()
        memory, cpu = self.host.run(f"cd /sys/fs/cgroup/{path} && cat memory.max cpu.max").stdout.splitlines()
        return memory, cpu

    def containers(self) -> set[str]:
        return set(self.host.run("podman ps --quiet --no-trunc").stdout.split())

    def marks(self) -> dict[str, list[int]]:
        """When hooks began and containers were told to end, in seconds."""
        lines = self.host.run(f"cd {MARKS} && grep --with-filename . *", check=False).stdout.splitlines()
        found: dict[str, list[int]] = {}
        for line in lines:
            name, _colon, second = line.partition(":")
            found.setdefault(name, []).append(int(second))
        return found

    def await_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            listed = self.host.run("podwright get pods", check=False, timeout=120).stdout
            if listed.count("Running") == 2 and listed.count("1/1") == 2:
                return
            assert time.monotonic() < deadline, listed
            time.sleep(2)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with temporary_directory() as directory:
        fleet = Fleet(directory / "hosts")
        try:
            host = fleet.up("uml", RECIPES["uml"], print)
            assert isinstance(host, KernelHost)
            yield Site(fleet, host)
        finally:
            fleet.remove()


def test_limits_and_a_reboot(site: Site) -> None:
    assert site.host.run("stat --file-system --format %T /sys/fs/cgroup").stdout.strip() == "cgroup2fs"
    small, large = {"memory": "96Mi", "cpu": "250m"}, {"memory": "128Mi", "cpu": "300m"}
    site.apply(small)
    assert site.host.run("podman info --format '{{.Host.CgroupManager}}'").stdout.strip() == "systemd"
    assert site.limits("db", "main") == site.pod_limits("db") == (str(64 * 2**20), "50000 100000")
    assert site.limits("web", "main") == site.pod_limits("web") == (str(96 * 2**20), "25000 100000")

    # New limits are set in place, and last: systemd sets what it knows of anew when it reads its units again.
    running = site.containers()
    site.apply(large)
    assert site.containers() == running
    site.host.run("systemctl daemon-reload")
    assert site.limits("web", "main") == site.pod_limits("web") == (str(128 * 2**20), "30000 100000")
    assert site.marks() == {}

    # Each pod has its hook, and the one that the other depends on ends last.
    site.host.reboot()
    site.await_ready(120)
    marks = site.marks()
    assert sorted(marks) == ["db-hook", "db-term", "web-hook", "web-term"]
    assert all(len(times) == 1 for times in marks.values())
    for name in ("web", "db"):
        assert marks[f"{name}-term"][0] - marks[f"{name}-hook"][0] >= 2
    assert marks["web-term"] <= marks["db-hook"]
    assert "changed=0 " in site.apply(large)
