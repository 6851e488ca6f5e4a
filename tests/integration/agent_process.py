# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as a process of its own on the tests' Podman, and the ways to ask it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pod_runs import PATIENCE_SECONDS, Options, await_true
from podman_host import PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._agent import client as agent_client
from playbooks import REPOSITORY

PROGRAM = f"import sys; from {agent_client.__package__} import program; sys.exit(program.main(['run', *sys.argv[1:]]))"


class AgentProcess:
    """Started by `start`, and ended by `stop` or `kill`; what it keeps stays in its host."""

    def __init__(
        self,
        host: PodmanHost,
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        python: str = sys.executable,
        preamble: str = "",
    ) -> None:
        """By default it uses the service of the host; ``environment`` may have it start one of its own.

        ``options`` are the program's; ``preamble`` is Python that its process runs first.
        """
        self._options = options
        self.host = host
        self._python = python
        self._environment = host.environment if environment is None else environment
        self._program = preamble + PROGRAM
        self.client = agent_client.AgentClient(agent_client.socket_path(host.state_directory))
        self.log_path = host.directory / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns once it answers."""
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-c", self._program, *self._options],
                env={**self._environment, "PYTHONPATH": str(REPOSITORY / "collections")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, "the agent does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return bool(self.client.get("/health")["pid"] == self.pid)
        except agent_client.HostError:
            return False

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit status."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(number)
        return process.wait(60)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def log(self) -> str:
        return self.log_path.read_text()

    # --- asking it ---------------------------------------------------------------------------------------------------

    def apply(self, options: Options, check: bool = False, **more: Any) -> dict[str, Any]:
        """A run of the module pod, or of stack where there are pods among the options, by the agent."""
        run = "run_stack" if "pods" in options or "depends_on" in options else "run_pod"
        result: dict[str, Any] = self.client.post("/run", {"run": run, "options": {**options, **more}, "check": check})
        return result

    def status(self, pod: str) -> dict[str, Any]:
        status: dict[str, Any] = self.client.get(f"/pods/{pod}")["status"]
        return status

    def container(self, pod: str, container: str = "main") -> dict[str, Any]:
        """The status of one container."""
        groups = (self.status(pod).get(group, ()) for group in ("initContainerStatuses", "containerStatuses"))
        return next(one for group in groups for one in group if one["name"] == container)

    def events(self, pod: str = "") -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.client.stream("/events", pod=pod)]

    def reasons(self, pod: str, container: str = "main") -> list[str]:
        return [event["reason"] for event in self.events(pod) if event["container"] == container]

    def is_ready(self, pod: str) -> bool:
        conditions = {c["type"]: c["status"] for c in self.status(pod)["conditions"]}
        return conditions["Ready"] == "True"

    def await_ready(self, pod: str, is_ready: bool = True, timeout_seconds: float = PATIENCE_SECONDS) -> None:
        await_true(lambda: self.is_ready(pod) is is_ready, timeout_seconds)
