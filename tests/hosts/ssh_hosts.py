# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true of any test host: it is reached by SSH with its key, runs systemd, and has its place in an inventory."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError

SSH_OPTIONS = (
    # Hosts are made anew at addresses that others had: none of their keys is to be remembered, or asked about.
    "-oStrictHostKeyChecking=no",
    "-oUserKnownHostsFile=/dev/null",
    "-oGlobalKnownHostsFile=/dev/null",
    "-oIdentitiesOnly=yes",
    "-oBatchMode=yes",
    "-oLogLevel=ERROR",
)
QUICK, PATIENT = "-oConnectTimeout=5", "-oConnectTimeout=60"
"""For one who asks again and again, and for playbooks, on machines that may be busy."""
PYTHON = "/usr/bin/python3"


@dataclass(frozen=True)
class SshHost:
    """A host that sshd makes reachable for root and ``deploy``; ``key`` is the file of the private key."""

    name: str
    address: str
    key: Path
    port: int = 22

    groups: ClassVar[tuple[str, ...]] = ()
    """The groups of the inventory that such hosts are in."""

    def run(
        self, command: str, user: str = "root", check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command; HostError when ``check`` and it fails, TimeoutExpired after ``timeout`` seconds."""
        target = ("-i", str(self.key), "-p", str(self.port), f"{user}@{self.address}")
        done = subprocess.run(
            ["ssh", *SSH_OPTIONS, QUICK, *target, command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            raise HostError(f"{self.name}: {command}: {done.returncode}: {done.stderr or done.stdout}")
        return done

    def answers(self) -> bool:
        """Whether root can log in now."""
        try:
            return self.run("true", check=False, timeout=10).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def wait_until_up(self, timeout: float = 90) -> None:
        """Return once root can log in and systemd has started all there is to start; failed units are no fault here."""
        deadline = time.monotonic() + timeout
        while not self.answers():
            if time.monotonic() > deadline:
                raise HostError(f"{self.name}: no login at {self.address}:{self.port} within {timeout} s")
            time.sleep(0.2)
        # Exits with 1 when a unit has failed.
        state = self.run("systemctl is-system-running --wait", check=False, timeout=timeout).stdout.strip()
        if state not in ("running", "degraded"):
            raise HostError(f"{self.name}: systemd is {state or 'silent'}")

    def booted_at(self) -> str:
        """When its systemd was started: another text after each boot, empty while nobody can log in."""
        return self.run("systemctl show --property=UserspaceTimestampMonotonic --value", check=False).stdout.strip()

    def failed_units(self) -> list[str]:
        """The systemd units that failed there."""
        lines = self.run("systemctl list-units --failed --plain --no-legend").stdout.splitlines()
        return [line.split()[0] for line in lines]


def inventory(hosts: Iterable[SshHost]) -> dict[str, Any]:
    """An Ansible inventory of these hosts, as root; what it says of SSH is for them alone."""
    hosts = list(hosts)
    groups: dict[str, Any] = {}
    for host in hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    entries = {
        host.name: {
            "ansible_host": host.address,
            "ansible_port": host.port,
            "ansible_ssh_private_key_file": str(host.key),
        }
        for host in hosts
    }
    common = {
        "ansible_user": "root",
        "ansible_python_interpreter": PYTHON,
        "ansible_ssh_common_args": " ".join((*SSH_OPTIONS, PATIENT)),
    }
    return {"all": {"hosts": entries, "vars": common, "children": groups}}


def write_inventory(path: Path, hosts: Iterable[SshHost]) -> None:
    """Write the inventory of these hosts as YAML."""
    path.write_text("---\n" + yaml.safe_dump(inventory(hosts), sort_keys=False, width=1000))


def make_key(path: Path) -> None:
    """Make a key without a passphrase, ``path`` and ``path.pub``, where there is none."""
    if not path.exists():
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "podwright test hosts", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
