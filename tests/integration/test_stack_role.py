# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role stack on real Podman: an application from variables and templates, alone and as an inventory names it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from podman_host import PodmanHost

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PLAYBOOK = HERE / "stack_role.yml"
TEARDOWN = REPOSITORY / "playbooks/teardown.yml"
VOLUME = "greeter-data"
TOKEN = "Gv8mXq2LrT5w"

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Greeter:
    """The stack of the templates beside this file, by ansible-playbook; ``output`` is all that a run printed."""

    def __init__(self, host: PodmanHost, directory: Path) -> None:
        self.host = host
        self.port = free_port()
        self.output = ""
        self._result = directory / "result.json"

    def play(self, *arguments: str, playbook: Path = PLAYBOOK, **variables: Any) -> dict[str, Any]:
        """One run, which has to succeed; returns the stack module's result, where the playbook hands it on."""
        assert self.run(*arguments, playbook=playbook, **variables) == 0, self.output
        return dict(json.loads(self._result.read_text())) if self._result.exists() else {}

    def run(self, *arguments: str, playbook: Path = PLAYBOOK, **variables: Any) -> int:
        self._result.unlink(missing_ok=True)
        given = {
            "ansible_python_interpreter": sys.executable,
            "result_path": str(self._result),
            "greeter_image": self.host.image,
            "greeter_port": self.port,
            "greeter_greeting": "hello",
            "greeter_page": "{everyone}: <1.10>",
            "greeter_token": TOKEN,
            **variables,
        }
        program = Path(sys.executable).with_name("ansible-playbook")
        done = subprocess.run(
            [program, playbook, "-i", "localhost,", "-c", "local", "-e", json.dumps(given), *arguments],
            cwd=REPOSITORY,
            env={**self.host.environment, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.output = done.stdout + done.stderr
        return done.returncode

    @property
    def changed(self) -> int:
        """The number of tasks that changed something, as Ansible counts them."""
        return int(re.findall(r"changed=(\d+)", self.output)[-1])

    def get(self, path: str = "/") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def starts(self) -> dict[str, tuple[str, str]]:
        """Id and start of every container."""
        inspected = {name: self.host.inspect(name) for name in self.host.containers()}
        return {name: (each["Id"], each["State"]["StartedAt"]) for name, each in inspected.items()}

    def environment_of(self, container: str) -> list[str]:
        pid = self.host.inspect(container)["State"]["Pid"]
        return Path(f"/proc/{pid}/environ").read_text().split("\0")

    def volumes(self) -> list[str]:
        return self.host.podman("volume", "ls", "--quiet").split()


@pytest.fixture
def greeter(clean_host: PodmanHost, tmp_path: Path) -> Iterator[Greeter]:
    return Greeter(clean_host, tmp_path)


def test_from_variables_and_templates(greeter: Greeter) -> None:
    first = greeter.play("-vvv", "--diff")
    assert (first["changed"], greeter.changed) == (True, 1)
    assert TOKEN not in greeter.output
    assert f"TOKEN={TOKEN}" in greeter.environment_of("greeter-clerk")
    assert greeter.get() == "hello\n"
    # What is no template is left alone, and what is one stays text.
    assert "WORDS={{ not_rendered }}" in greeter.environment_of("reader-reader")
    assert (greeter.get("/page.html"), greeter.get("/plain")) == ("{everyone}: <1.10>", "1.10")

    before = greeter.starts()
    assert greeter.play()["actions"] == []
    assert greeter.changed == 0
    assert greeter.starts() == before

    predicted = greeter.play("--check", "--diff", greeter_greeting="good bye")
    assert greeter.starts() == before
    done = greeter.play("--diff", greeter_greeting="good bye")
    assert done["actions"] == predicted["actions"] != []
    assert done["diff"] == predicted["diff"]
    after = greeter.starts()
    assert {name for name in before if before[name] != after[name]} == {"greeter-web"}
    assert greeter.get() == "good bye\n"

    greeter.play(stack_state="rolled_back")
    assert greeter.get() == "hello\n"

    predicted = greeter.play("--check", stack_state="absent")
    assert greeter.play(stack_state="absent")["actions"] == predicted["actions"] != []
    assert (greeter.starts(), greeter.volumes()) == ({}, [VOLUME])


def test_a_mapping_of_the_inventory(greeter: Greeter) -> None:
    """Brought up and taken away as the playbooks do it."""
    stack = {"name": "greeter", "templates": str(HERE / "templates/greeter"), "on_failure": "keep"}
    tokens = {"name": "tokens", "string_data": {"TOKEN": TOKEN}}
    stacks = [{**stack, "secrets": [tokens], "check_urls": [f"http://127.0.0.1:{greeter.port}/page.html"]}]
    assert greeter.run(podwright_stacks=[{**stack, "pod": []}]) != 0
    assert "The stack greeter has keys that are not known: pod." in greeter.output
    assert greeter.play("-vvv", podwright_stacks=stacks)["changed"]
    assert TOKEN not in greeter.output
    assert greeter.play(podwright_stacks=stacks)["actions"] == []
    assert greeter.changed == 0

    here = {"podwright_become": False, "podwright_stacks": stacks}
    greeter.play("--check", "--diff", playbook=TEARDOWN, podwright_delete_data=True, **here)
    assert greeter.changed == 1
    assert greeter.get() == "hello\n"
    greeter.play("-vvv", playbook=TEARDOWN, podwright_delete_data=True, **here)
    assert TOKEN not in greeter.output
    assert (greeter.starts(), greeter.volumes()) == ({}, [])


def test_no_templates_where_some_are_named(greeter: Greeter) -> None:
    assert greeter.run("--check", podwright_stacks=[{"name": "greeter", "templates": "greeters"}]) != 0
    assert "greeters is no folder in templates/" in greeter.output


def test_a_mapping_has_the_variables_of_the_role() -> None:
    """What a mapping leaves out is as the role has it."""
    role = REPOSITORY / "roles/stack"
    options = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    block = yaml.safe_load((REPOSITORY / "playbooks/tasks/stack.yml").read_text())[1]
    assert block["block"][1]["vars"].keys() == options.keys()
    own = {f"stack_{key}": value for key, value in block["vars"]["podwright_stack_defaults"].items()}
    own.pop("stack_prune_volumes")
    declared = {name: option["default"] for name, option in options.items() if "default" in option}
    assert own == declared == yaml.safe_load((role / "defaults/main.yml").read_text())
