# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook on a Podman of the tests' own, and what a visitor of the host sees afterwards."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from podman_host import PodmanHost

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Playbook:
    """A playbook, run again and again; ``output`` is all that the last run printed.

    The playbook hands on a module's result by writing it as JSON to the path in its variable ``result_path``.
    ``inventory`` is that of the run, by default this host alone with no variables.
    """

    ansible_playbook = Path(sys.executable).with_name("ansible-playbook")

    prefix: tuple[str, ...] = ()
    """Words before the command, such as those that run it in another namespace."""
    inventory: tuple[str, ...] = ("-i", "localhost,", "-c", "local")

    def __init__(self, host: PodmanHost, directory: Path, path: Path, **variables: Any) -> None:
        self.host = host
        self.directory = directory
        self.port = free_port()
        self.output = ""
        self._path = path
        self.variables = variables
        self._result = directory / "result.json"

    def play(self, *arguments: str, playbook: Path | None = None, **variables: Any) -> dict[str, Any]:
        """One run, which has to succeed; returns the result that the playbook handed on, if it did."""
        assert self.run(*arguments, playbook=playbook, **variables) == 0, self.output
        return dict(json.loads(self._result.read_text())) if self._result.exists() else {}

    def run(self, *arguments: str, playbook: Path | None = None, **variables: Any) -> int:
        """One run; returns its exit status."""
        self._result.unlink(missing_ok=True)
        given = {
            "ansible_python_interpreter": sys.executable,
            "result_path": str(self._result),
            **self.variables,
            **variables,
        }
        command = [*self.prefix, self.ansible_playbook, playbook or self._path, *self.inventory]
        done = subprocess.run(
            [*command, "-e", json.dumps(given), *arguments],
            cwd=REPOSITORY,
            env={**self.host.environment, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.output = done.stdout + done.stderr
        return done.returncode

    @property
    def recap(self) -> dict[str, int]:
        """How many tasks ended how, as Ansible counts them."""
        counts = re.findall(r"(ok|changed|unreachable|failed)=(\d+)", self.output.rpartition("PLAY RECAP")[2])
        return {name: int(number) for name, number in counts}

    def get(self, path: str = "/", port: int | None = None) -> tuple[int, str]:
        """Status and body of a page, as a visitor sees it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def page(self, path: str = "/", port: int | None = None) -> str:
        """The body of a page that is there."""
        status, body = self.get(path, port)
        assert status == 200, body
        return body

    def starts(self, containers: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
        """Id and start of these containers, or of all."""
        inspected = {name: self.host.inspect(name) for name in containers or self.host.containers()}
        return {name: (each["Id"], each["State"]["StartedAt"]) for name, each in inspected.items()}

    def volumes(self) -> list[str]:
        return self.host.podman("volume", "ls", "--quiet").split()
