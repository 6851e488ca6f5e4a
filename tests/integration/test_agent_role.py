# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role agent on a host without systemd: installed, run, brought up to date, taken away."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pod_runs import pod, server
from podman_host import PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._agent import client as agent_client
from ansible_collections.podwright.pods.plugins.module_utils._agent import program
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from playbooks import HERE, Playbook

pytestmark = pytest.mark.integration


class Installation(Playbook):
    """A machine whose /usr/local is empty to begin with, and gone afterwards: a mount namespace of its own."""

    def __init__(self, host: PodmanHost, directory: Path, holder: int) -> None:
        super().__init__(host, directory, HERE / "agent_role.yml", shop_pods=[pod(server())])
        self.prefix = ("nsenter", "--target", str(holder), "--mount")
        self.place = Path(f"/proc/{holder}/root/usr/local")
        self.client = agent_client.AgentClient(agent_client.socket_path(host.state_directory))

    @property
    def agent_pid(self) -> int:
        return program.running_agent(Store(self.host.state_directory))

    def program(self, *words: str) -> str:
        command = [*self.prefix, "/usr/local/bin/podwrightd", *words]
        return subprocess.run(
            command, env=self.host.environment, capture_output=True, text=True, check=False
        ).stdout.strip()


@pytest.fixture
def machine(clean_host: PodmanHost, tmp_path: Path) -> Iterator[Installation]:
    hold = "mount -t tmpfs tmpfs /usr/local && echo ready && exec sleep 3600"
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", hold]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            made = Installation(clean_host, tmp_path, holder.pid)
            yield made
            made.program("stop")
        finally:
            holder.kill()


def make_current_another(machine: Installation) -> None:
    """As after an update of the collection: the code that is installed is another than that of the collection."""
    current = machine.place / "lib/podwright/agent/current"
    shutil.move(current.parent / current.readlink(), current.parent / "0123")
    current.unlink()
    current.symlink_to("0123")


def test_an_agent_is_made_replaced_and_taken_away(machine: Installation) -> None:
    told = machine.play()
    pid = machine.agent_pid
    assert pid > 0
    assert machine.client.get("/health")["pods"] == 1
    assert told["changed"]
    assert machine.host.inspect("web-main")["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert machine.program("status") == f"podwrightd runs (process {pid})"
    before = machine.starts()

    told = machine.play()
    assert (machine.recap["changed"], told["actions"]) == (0, [])
    assert machine.agent_pid == pid

    # Other code: the agent is another, and no container notices.
    make_current_another(machine)
    machine.play()
    assert machine.agent_pid not in (0, pid)
    assert not (machine.place / "lib/podwright/agent/0123").exists()
    assert machine.starts() == before

    # Taken away, its pods go on; the stack's next run hands them to Podman.
    told = machine.play(agent_state="absent")
    assert machine.agent_pid == 0
    assert not (machine.place / "bin/podwrightd").exists()
    assert any("Podman restarts it from now on" in line for line in told["actions"])
    assert machine.host.inspect("web-main")["HostConfig"]["RestartPolicy"]["Name"] == "always"


@pytest.mark.long
def test_check_mode_and_other_options(machine: Installation) -> None:
    machine.play("--check", shop_pods=[pod(server())])
    assert (machine.agent_pid, list(machine.place.iterdir())) == (0, [])
    machine.play()
    pid, before = machine.agent_pid, machine.starts()

    # Another option: the agent is another, and no container notices.
    machine.play(agent_terminated_pods=7)
    assert machine.recap["changed"] == 1
    assert machine.agent_pid not in (0, pid)
    pid = machine.agent_pid
    assert machine.client.get("/health")["terminated_pods"] == 7
    assert machine.program("start", "--terminated-pods=7") == "podwrightd runs already"
    machine.play(agent_terminated_pods=7)
    assert (machine.recap["changed"], machine.agent_pid) == (0, pid)
    machine.play()
    pid = machine.agent_pid
    assert machine.starts() == before

    make_current_another(machine)
    machine.play("--check")
    assert machine.recap["changed"] == 1
    assert machine.agent_pid == pid
    machine.play("--check", agent_state="absent")
    assert machine.agent_pid == pid
    machine.play(agent_state="absent")
    told = machine.play(agent_state="absent")
    assert (machine.recap["changed"], told["actions"]) == (0, [])
