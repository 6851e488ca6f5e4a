# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real playbooks on this machine, over a local connection, with no Podman behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]

Task = dict[str, Any]


def manifest(name: str) -> str:
    """The least Pod, as YAML text."""
    return f"""\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  containers:
  - {{name: a, image: localhost/busybox}}
"""


class Playbook:
    """A directory with a playbook, and everything that Ansible writes when it runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.remote_files = directory / "remote"
        self.output = ""
        (directory / "files").mkdir()

    def run(
        self, tasks: Sequence[Task], *arguments: str, roles: Sequence[str] = (), path: str = ""
    ) -> list[dict[str, Any]]:
        """The result of every task, all of which may fail. ``path``: where programs are looked for first."""
        results = self.directory / "results.json"
        registered = [
            {"name": f"Task {number}", "register": f"result_{number}", "ignore_errors": True, **task}
            for number, task in enumerate(tasks)
        ]
        names = ", ".join(f"result_{number}" for number in range(len(tasks)))
        keep = {"ansible.builtin.copy": {"dest": str(results), "content": f"{{{{ [{names}] | to_json }}}}"}}
        # What the copy sends does not count.
        keep["vars"] = {"ansible_remote_tmp": str(self.directory / "copy")}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "connection": "local",
            "roles": list(roles),
            "tasks": [*registered, {"name": "Keep the results", **keep}],
        }
        (self.directory / "playbook.yml").write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbook.yml", *arguments]
        environment = self.environment()
        environment["PATH"] = ":".join(filter(None, (path, environment.get("PATH"))))
        done = subprocess.run(command, cwd=self.directory, env=environment, capture_output=True, text=True, check=False)
        self.output = done.stdout + done.stderr
        assert results.exists(), self.output
        return json.loads(results.read_text(encoding="utf-8"))

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "collections"),
            "ANSIBLE_REMOTE_TMP": str(self.remote_files),
            "ANSIBLE_ASYNC_DIR": str(self.directory / "jobs"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "PODWRIGHT_STATE_DIR": str(self.directory / "state"),
            # No Podman is there: what gets as far as the host ends with that.
            "CONTAINER_HOST": f"unix://{self.directory}/no.sock",
        }

    def write(self, name: str, text: str) -> str:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name


def reaches_the_host(result: dict[str, Any]) -> bool:
    """Whether the declaration was found good, so that the module ran (and found no Podman)."""
    return bool(result["failed"]) and "faults" not in result and "no.sock" in result["msg"]
