# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest, the present and the newest ansible-core, each with the oldest and the newest Python on the host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from interpreters import find_interpreter
from podman_host import PodmanHost

from playbooks import HERE, REPOSITORY, Playbook, free_port

pytestmark = [pytest.mark.integration, pytest.mark.long]

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "podwright" / "versions"
ANSIBLE_CORES = {"2.16": "3.11", "2.17": "3.11", "2.18": "3.11", "2.20": "3.13", "2.21": "3.13"}
"""The lines of ansible-core beside the pinned one, each with a Python that it runs on."""
HOST_PYTHONS = ("3.9", "3.11", "3.13")


def environment(python: str, *packages: str) -> Path:
    """A virtual environment of that Python with these packages, made once for this user; skips where it cannot be."""
    found = find_interpreter(python)
    if found is None:
        pytest.skip(f"there is no Python {python} on this machine")
    directory = CACHE / "-".join([python, *packages]).replace("=", "").replace(".*", "")
    if not (directory / "complete").exists():
        subprocess.run([found, "-m", "venv", "--clear", directory], check=True)
        pip = [directory / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        (directory / "complete").touch()
    return directory / "bin"


class Versions(Playbook):
    """The playbook beside this file, with an ansible-core and a Python on the host."""

    def __init__(self, host: PodmanHost, directory: Path, python: str) -> None:
        self.python = environment(python, "podman==5.8.0") / "python"
        super().__init__(host, directory, HERE / "versions.yml", image=host.image)
        self.variables["ansible_python_interpreter"] = str(self.python)


@pytest.fixture(params=HOST_PYTHONS)
def versions(request: pytest.FixtureRequest, clean_host: PodmanHost, tmp_path: Path) -> Iterator[Versions]:
    return Versions(clean_host, tmp_path, request.param)


@pytest.fixture(params=["pinned", *ANSIBLE_CORES])
def ansible_core(request: pytest.FixtureRequest, versions: Versions) -> str:
    """The line of ansible-core that is used."""
    line = str(request.param)
    if line == "pinned":
        return line
    versions.ansible_playbook = environment(ANSIBLE_CORES[line], f"ansible-core=={line}.*") / "ansible-playbook"
    return line


def test_the_same_everywhere(versions: Versions, ansible_core: str) -> None:
    predicted = versions.play("--check", "--diff")
    assert versions.host.containers() == {}
    first = versions.play()
    assert ansible_core in (".".join(first["ansible"].split(".")[:2]), "pinned")
    assert first["actions"] == predicted["actions"] != []
    assert "DEPRECATION" not in versions.output
    (pod,) = first["pods"]
    assert (pod["status"]["phase"], pod["status"]["qosClass"]) == ("Running", "Burstable")
    before = versions.starts()
    assert versions.play()["actions"] == []
    assert versions.recap["changed"] == 0

    # The agent takes over, on the same Python.
    agent = AgentProcess(versions.host, python=str(versions.python))
    agent.start()
    try:
        versions.play()
        agent.await_ready("versions")
        taken_over = versions.starts()
        assert versions.play()["actions"] == []
        assert versions.starts() == taken_over
        changed = versions.play(memory="48Mi")
        assert changed["actions"][-1].endswith("resize container versions/web: memory changed")
        assert versions.starts() == taken_over
        versions.play(state="absent")
    finally:
        agent.stop()
    assert versions.host.containers() == {}
    assert taken_over.keys() == before.keys()


def test_the_roles_everywhere(versions: Versions, ansible_core: str) -> None:
    """Each expression of the roles is one that every ansible-core can read; a prediction renders all of them."""
    pods = [{"name": "own", "containers": [{"name": "main", "image": versions.host.image}]}]
    secrets = [{"name": "tokens", "string_data": {"TOKEN": "abc"}}]
    folder = {"name": "greeter", "templates": str(HERE / "templates/greeter"), "secrets": secrets}
    stacks = ["lamp", "web", {"name": "own", "pods": pods}, folder]
    greeter = {"greeter_image": versions.host.image, "greeter_greeting": "hello", "greeter_page": "<p>"}
    ports = {f"{name}_port": free_port() for name in ("lamp", "web", "greeter")}
    given = {"podwright_stacks": stacks, **greeter, **ports}
    assert versions.run("--check", playbook=REPOSITORY / "playbooks/site.yml", **given) == 0, versions.output
    assert "DEPRECATION" not in versions.output
