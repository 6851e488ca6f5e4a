# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role stack on real Podman: an application from variables and templates, alone and as an inventory names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from podman_host import PodmanHost

from playbooks import HERE, REPOSITORY, Playbook

TEARDOWN = REPOSITORY / "playbooks/teardown.yml"
VOLUME = "greeter-data"
TOKEN = "Gv8mXq2LrT5w"

pytestmark = pytest.mark.integration


class Greeter(Playbook):
    """The stack of the templates beside this file."""

    def __init__(self, host: PodmanHost, directory: Path) -> None:
        super().__init__(
            host,
            directory,
            HERE / "stack_role.yml",
            greeter_image=host.image,
            greeter_greeting="hello",
            greeter_page="{everyone}: <1.10>",
            greeter_token=TOKEN,
        )
        self.variables["greeter_port"] = self.port

    def environment_of(self, container: str) -> list[str]:
        pid = self.host.inspect(container)["State"]["Pid"]
        return Path(f"/proc/{pid}/environ").read_text().split("\0")


@pytest.fixture
def greeter(clean_host: PodmanHost, tmp_path: Path) -> Iterator[Greeter]:
    return Greeter(clean_host, tmp_path)


def test_from_variables_and_templates(greeter: Greeter) -> None:
    first = greeter.play("-vvv", "--diff")
    assert (first["changed"], greeter.recap["changed"]) == (True, 1)
    assert [note.partition(" is not kept")[0] for note in first["notes"]] == [
        "namespace.yml.kind: the Namespace 'greeter'"
    ]
    assert TOKEN not in greeter.output
    assert f"TOKEN={TOKEN}" in greeter.environment_of("greeter-clerk")
    assert greeter.page() == "hello\n"
    # What is no template is left alone, and what is one stays text.
    assert "WORDS={{ not_rendered }}" in greeter.environment_of("reader-reader")
    assert (greeter.page("/page.html"), greeter.page("/plain")) == ("{everyone}: <1.10>", "1.10")

    before = greeter.starts()
    assert greeter.play()["actions"] == []
    assert greeter.recap["changed"] == 0
    assert greeter.starts() == before

    predicted = greeter.play("--check", "--diff", greeter_greeting="good bye")
    assert greeter.starts() == before
    done = greeter.play("--diff", greeter_greeting="good bye")
    assert done["actions"] == predicted["actions"] != []
    assert done["diff"] == predicted["diff"]
    after = greeter.starts()
    assert {name for name in before if before[name] != after[name]} == {"greeter-web"}
    assert greeter.page() == "good bye\n"

    greeter.play(stack_state="rolled_back")
    assert greeter.page() == "hello\n"

    predicted = greeter.play("--check", stack_state="absent")
    assert greeter.play(stack_state="absent")["actions"] == predicted["actions"] != []
    assert (greeter.starts(), greeter.volumes()) == ({}, [VOLUME])


@pytest.mark.long
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
    assert greeter.recap["changed"] == 0

    here = {"podwright_become": False, "podwright_stacks": stacks}
    greeter.play("--check", "--diff", playbook=TEARDOWN, podwright_delete_data=True, **here)
    assert greeter.recap["changed"] == 1
    assert greeter.page() == "hello\n"
    greeter.play("-vvv", playbook=TEARDOWN, podwright_delete_data=True, **here)
    assert TOKEN not in greeter.output
    assert (greeter.starts(), greeter.volumes()) == ({}, [])


def test_a_kustomization(greeter: Greeter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a program in the place of kustomize, whose work is its own: it names the Pod that is not in the folder."""
    folders = {name: tmp_path / name for name in ("bin", "base", "overlay")}
    for folder in folders.values():
        folder.mkdir()
    program = folders["bin"] / "kustomize"
    program.write_text('#!/bin/sh\n[ "$1" = build ] && sed s/NAME/built/ "$2/../base/pod"\n')
    program.chmod(0o755)
    (folders["overlay"] / "Kustomization").write_text("resources: [../base]\n")
    container = {"name": "a", "image": greeter.host.image, "command": ["sleep", "600"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "NAME"}, "spec": {"containers": [container]}}
    (folders["base"] / "pod").write_text(yaml.safe_dump(pod))
    monkeypatch.setitem(greeter.host.environment, "PATH", f"{folders['bin']}:{greeter.host.environment['PATH']}")
    stacks = [{"name": "greeter", "templates": str(folders["overlay"]), "grace_period_seconds": 1}]
    assert greeter.play("--check", podwright_stacks=stacks)["actions"]
    greeter.play(podwright_stacks=stacks)
    assert {*greeter.starts()} == {"built-infra", "built-a"}
    (folders["base"] / "pod").write_text("metadata: {name: x}\nkind: Deploy\n")
    assert greeter.run(podwright_stacks=stacks) != 0
    assert "overlay.kind: 'Deploy' is not" in greeter.output
    program.write_text("#!/bin/sh\necho 'no such resource' >&2\nexit 1\n")
    assert greeter.run(podwright_stacks=stacks) != 0
    assert "overlay: kustomize build cannot build it: no such resource" in greeter.output


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
