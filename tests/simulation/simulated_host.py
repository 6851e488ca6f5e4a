# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of the simulation: the collection's own code, with everything that it reaches simulated, and its processes."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.podwright.pods.plugins import module_utils
from ansible_collections.podwright.pods.plugins.module_utils._agent import agent as agent_module
from ansible_collections.podwright.pods.plugins.module_utils._agent import podman_watch, unchanged_runs
from ansible_collections.podwright.pods.plugins.module_utils._host import hooks, observe, probes
from ansible_collections.podwright.pods.plugins.module_utils._host import store as host_store
from ansible_collections.podwright.pods.plugins.module_utils._host.kernel import cgroup, held_paths, processes
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import service as podman_service
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import LiveLimits, Node
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_info, prediction
from ansible_collections.podwright.pods.plugins.module_utils._runs.operations import mounts, volumes
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import info as stack_info

from . import clock, primitives
from .scheduler import Killed, Process, Scheduler
from .simulated_podman import API_VERSION, SimulatedClient, SimulatedContainer, SimulatedPodman
from .stand_ins import put

NODE = Node(
    hostname="simulated",
    cpu_millicores=64_000,
    memory_bytes=1 << 40,
    max_pods=110,
    podman_version=API_VERSION,
    cgroup_version=1,
    is_rootless=False,
    has_systemd=False,
    can_lower_oom_score=True,
    ip="192.0.2.1",
)
FAILING_COMMAND = "ask-in-vain"
"""The command of a probe that never passes, whatever the container does."""
_MODULES = tuple(
    importlib.import_module(item.name)
    for item in pkgutil.walk_packages(module_utils.__path__, f"{module_utils.__name__}.")
    if not item.name.endswith((".module", ".argument_specs"))
)


class _Server:
    """Stands for the agent's API: runs are handed to the agent by a call."""

    def __init__(self, path: Path, agent: Any) -> None:
        self._ended = False
        self._agent = agent

    def serve(self) -> None:
        _present().served_agent = self._agent
        _present().scheduler.wait(lambda: self._ended, None)

    def close(self) -> None:
        self._ended = True


class _PresentHost:
    host: SimulatedHost | None = None


def _present() -> SimulatedHost:
    host = _PresentHost.host
    if host is None:
        raise RuntimeError("there is no simulation")
    return host


class SimulatedHost:
    """One host. ``directory`` is emptied at the beginning; use as a context."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.scheduler = Scheduler(seed)
        self.podman = SimulatedPodman(self.scheduler)
        self.disk = clock.Disk(self.scheduler)
        self.directory = directory
        self.agent: Any = None
        self.agent_process: Process | None = None
        self.served_agent: Any = None
        """The last agent whose API has answered."""
        self.hooks: set[tuple[str, int]] = set()
        """The runs of containers that had a hook: the container's id, and which of its starts it was."""
        self.tried_hooks: set[tuple[str, int]] = set()
        """Those where one was to run, whatever became of it."""

    def __enter__(self) -> SimulatedHost:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        os.environ["PODWRIGHT_STATE_DIR"] = str(self.directory / "state")
        os.environ["CONTAINER_HOST"] = "unix:///simulated/podman.sock"
        _PresentHost.host = self
        _replace_modules(self.scheduler)
        clock.begin(self.scheduler, self.disk)
        return self

    def __exit__(self, *_error: object) -> None:
        # Whoever had the turn when it came to an end, from now on it is the driver's. That gets a process of its own:
        # threads of a run that it began are killed with the others.
        driver = self.scheduler.current = self.scheduler.threads[0]
        driver.process = Process("driver")
        for thread in self.scheduler.threads[1:]:
            self.scheduler.kill(thread.process)
        # Each unwinds at its next turn; one that swallows it again and again is left behind.
        for _turn in range(1000):
            if len(self.scheduler.threads) == 1:
                break
            self.scheduler.switch()
        clock.end()
        _PresentHost.host = None

    # --- processes -----------------------------------------------------------------------------------------------

    def start_agent(self) -> None:
        """Begin the agent, as a process of its own."""
        process = Process("agent")
        agent = agent_module.Agent(Store())
        self.agent, self.agent_process = agent, process
        self.scheduler.start("agent", process, agent.run)

    @property
    def agent_is_up(self) -> bool:
        process = self.agent_process
        return process is not None and not process.is_dead and self.scheduler.is_running(process)

    @property
    def agent_answers(self) -> bool:
        """Whether it has put in order what it found, and takes runs."""
        return self.agent_is_up and self.served_agent is self.agent

    def kill_agent(self) -> None:
        if self.agent_process:
            self.scheduler.kill(self.agent_process)
            self._await_end(self.agent_process)

    def end_agent(self) -> None:
        """As SIGTERM does. Its threads that are daemons go with it."""
        if self.agent and self.agent_process:
            process = self.agent_process
            self.agent.end()
            main = next((t for t in self.scheduler.threads if t.name == "agent" and t.process is process), None)
            if main:
                self.scheduler.wait(lambda: main.is_over, 600)
            self.scheduler.kill(process)
            self._await_end(process)

    def cut_power(self, clients: list[Process]) -> None:
        """All processes are gone, and what was not on disk."""
        for process in [*clients, *([self.agent_process] if self.agent_process else [])]:
            self.scheduler.kill(process)
            self._await_end(process)
        self.podman.reboot()
        self.disk.cut_power()

    def _await_end(self, process: Process) -> None:
        self.scheduler.wait(lambda: not self.scheduler.is_running(process), None)

    # --- what the kernel says ------------------------------------------------------------------------------------

    def with_pid(self, pid: int) -> SimulatedContainer | None:
        return next((c for c in self.podman.containers.values() if pid and c.pid == pid and c.has_process), None)

    def find_process(self, pid: int) -> processes.Process | None:
        """One that has lost its monitor is a child of the host's first process."""
        found = self.with_pid(pid)
        if found is None:
            return None
        parent = found.monitor_pid if found.has_monitor else 1
        return processes.Process(parent, found.started_at + clock.MONOTONIC_SECONDS)

    def is_monitor(self, pid: int, container_id: str) -> bool:
        found = self.podman.containers.get(container_id)
        return found is not None and found.has_monitor and found.monitor_pid == pid

    def is_process_of(self, pid: int, container_id: str) -> bool:
        found = self.with_pid(pid)
        return found is not None and found.id == container_id

    def read_limits(self, pid: int) -> LiveLimits | None:
        found = self.with_pid(pid)
        return found.limits if found else None

    def read_path(self, path: str) -> LiveLimits | None:
        pod = self.podman.pods.get(path.rpartition("/")[2])
        return pod.limits if pod else None

    def write_path(self, path: str, limits: LiveLimits) -> None:
        self.scheduler.raise_if_dead()
        pod = self.podman.pods.get(path.rpartition("/")[2])
        if pod:
            shares = pod.limits.cpu_shares if limits.cpu_shares is None else limits.cpu_shares
            pod.limits = LiveLimits(limits.memory_bytes, limits.cpu_quota_us, shares)

    # --- probes and hooks ----------------------------------------------------------------------------------------

    def perform(self, handler: Any, purpose: str, timeout: float, target: Any, session: Any) -> probes.Outcome:
        """A handler of a probe or a hook, on a simulated container."""
        self.scheduler.sleep(self.scheduler.random.uniform(0.001, 0.05))
        found = self.podman.find(target.container_id)
        if found and purpose == "lifecycle":
            self.tried_hooks.add((found.id, found.starts))
        if found is None or not found.has_process:
            return probes.Outcome("Failure", "simulated: nothing listens")
        if purpose == "lifecycle":
            self.hooks.add((found.id, found.starts))
            return probes.Outcome("Success", "")
        asks_in_vain = handler.exec is not None and FAILING_COMMAND in handler.exec.command
        is_well = self.podman.passes_probes(found) and not asks_in_vain
        return probes.Outcome("Success", "") if is_well else probes.Outcome("Failure", "simulated: not yet")


@contextlib.contextmanager
def _connect(path: str | None = None) -> Iterator[SimulatedClient]:
    yield SimulatedClient(_present().podman)


def _replace_modules(scheduler: Scheduler) -> None:
    """Put what is simulated in the place of what the collection's modules reach."""
    stand_ins: Mapping[str, Any] = {
        "threading": primitives.threading_module(scheduler),
        "queue": primitives.queue_module(scheduler),
        "ThreadPoolExecutor": primitives.executor_class(scheduler),
        "Future": primitives.future_class(scheduler),
    }
    for module in _MODULES:
        for name, stand_in in stand_ins.items():
            if hasattr(module, name):
                setattr(module, name, stand_in)
    replacements: Mapping[Any, Mapping[str, Any]] = {
        podman_service: {"connect": _connect, "connect_to_predict": _connect},
        agent_module: {
            "Podman": lambda path, version=(): SimulatedClient(_present().podman),
            "AgentServer": _Server,
            "read_node": lambda version: NODE,
            "notify_systemd": lambda state: None,
            "say": lambda *words: None,
        },
        podman_watch: {
            "Podman": lambda path, version=(): SimulatedClient(_present().podman),
            "notify_systemd": lambda state: None,
        },
        prediction: {"read_node": lambda version: NODE},
        pod_info: {"read_node": lambda version: NODE},
        stack_info: {"read_node": lambda version: NODE},
        unchanged_runs: {"read_node": lambda version: NODE},
        observe: {"read_node": lambda version: NODE},
        # What of the real host's mounts and folders there is belongs to no simulation.
        held_paths: {"mounts_below": lambda path, pid="self": []},
        host_store: {"runtime_directory": lambda state: state / "run"},
        volumes: {"keep_mounted": _keep_mounted},
        mounts: {"_reader": lambda execution, container, image: None},
        probes: {"perform": lambda *args: _present().perform(*args)},
        hooks: {"perform": lambda *args: _present().perform(*args)},
        cgroup: {
            "version": lambda: 1,
            "path_of": _path_of,
            "read_limits": lambda pid: _present().read_limits(pid),
            "read_path": lambda path: _present().read_path(path),
            "write_path": lambda path, limits: _present().write_path(path, limits),
            "lift_cpu_quota": lambda pid: None,
            "read_usage": lambda pid: (0, 0),
        },
        processes: {
            "find": lambda pid: _present().find_process(pid),
            "is_monitor": lambda pid, container_id: _present().is_monitor(pid, container_id),
            "is_in_cgroup_of": lambda pid, container_id: _present().is_process_of(pid, container_id),
        },
    }
    for module, names in replacements.items():
        for name, stand_in in names.items():
            put(stand_in, name, module)


def _keep_mounted(volume: str) -> None:
    _present().podman.volumes[volume]["MountCount"] = 1


def _path_of(pid: int, controller: str = "memory") -> str:
    found = _present().with_pid(pid)
    return f"/pods/{found.pod_id}/{found.id}" if found else ""


__all__ = ["FAILING_COMMAND", "Killed", "SimulatedHost"]
