# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds on a host that has come to rest: what is wanted is met, nothing is left over, no secret has got out.

Facts come from Podman's own API and from the kernel, and only what the agent itself says from the agent.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_process import AgentProcess
from pod_runs import cgroup_path, read_cgroup
from podman_host import PodmanHost
from random_declarations import Wanted

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError

SAMPLE_SECONDS = 0.1
BYSTANDER = "bystander"


class Violation(AssertionError):
    """Something that must hold did not."""


# --- what is wanted is met -------------------------------------------------------------------------------------------


def unmet(host: PodmanHost, agent: AgentProcess, wanted: Wanted, is_stopped: bool) -> str:
    """The first thing that is not as wanted, empty where all is."""
    listed = {name: item for name, item in host.containers().items() if item.get("PodName") == wanted.name}
    running = sorted(name for name, item in listed.items() if item["State"] == "running")
    if is_stopped:
        return f"{running} run, though the pod is stopped" if running else ""
    if sorted(listed) != sorted(wanted.members):
        return f"its containers are {sorted(listed)}, wanted are {sorted(wanted.members)}"
    lasting = {name: _main_process(host, f"{wanted.name}-{name}") for name in ("infra", *wanted.lasting)}
    for name, pid in lasting.items():
        if not pid:
            return f"{name} does not run"
        if name != "infra" and f"GENERATION={wanted.generation}" not in _environment(pid):
            return f"{name} is not of generation {wanted.generation}"
    return _unmet_inside(wanted, lasting["main"]) or _unready(agent, wanted.name)


def _unmet_inside(wanted: Wanted, pid: int) -> str:
    for path, content in wanted.files.items():
        found = _read(pid, path)
        if found != content:
            return f"/{path} holds {found!r}"
    if wanted.shape.has_limit:
        limit = read_cgroup(cgroup_path(pid))[0]
        if limit != wanted.memory_mib << 20:
            return f"its memory limit is {limit}"
    return ""


def _unready(agent: AgentProcess, name: str) -> str:
    try:
        status = agent.status(name)
    except PodwrightError as error:
        return f"the agent says: {error}"
    ready = next((c for c in status.get("conditions", ()) if c["type"] == "Ready"), {})
    return "" if ready.get("status") == "True" else f"the agent says of Ready: {ready}"


def _main_process(host: PodmanHost, name: str) -> int:
    """The first process of a container that runs by Podman's word and by the kernel's, its monitor's too; else 0."""
    state = host.inspect(name)["State"]
    pids = (int(state["Pid"]), int(state.get("ConmonPid") or 0))
    is_there = state["Status"] == "running" and all(pid and _lives(pid) for pid in pids)
    return pids[0] if is_there else 0


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def _environment(pid: int) -> set[str]:
    with contextlib.suppress(OSError):
        return set(Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0"))
    return set()


def variable(host: PodmanHost, container: str, name: str) -> str:
    """A variable of a container's first process."""
    found = (item for item in _environment(host.inspect(container)["State"]["Pid"]) if item.startswith(f"{name}="))
    return next(found, "").partition("=")[2]


def _read(pid: int, path: str) -> str | None:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/root/{path}").read_text()
    return None


def starts(host: PodmanHost) -> dict[str, tuple[Any, ...]]:
    """What changes when a container is made anew or started again."""
    return {name: (item["Id"], item["StartedAt"], item.get("Pid")) for name, item in host.containers().items()}


# --- nothing is left over --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Holdings:
    """What a host holds beside what was asked for."""

    containers: frozenset[str]
    pods: frozenset[str]
    volumes: frozenset[str]
    networks: frozenset[str]
    mounts: frozenset[str]
    monitors: int

    @classmethod
    def of(cls, host: PodmanHost) -> Holdings:
        with host.api() as api:
            pods = [item["Name"] for item in api.get("/pods/json").json() or []]
            volumes = [item["Name"] for item in api.get("/volumes/json").json() or []]
            networks = [item["name"] for item in api.get("/networks/json").json() or []]
        place = f"{host.directory}/"
        mounts = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
        monitors = [words for _pid, words in command_lines() if "conmon" in words[:60] and place in words]
        return cls(
            frozenset(host.containers()),
            frozenset(pods),
            frozenset(volumes),
            frozenset(networks),
            frozenset(mount for mount in mounts if mount.startswith(place)),
            len(monitors),
        )

    def beyond(self, other: Holdings, allowed_volumes: Collection[str]) -> str:
        """What is here and not in ``other``, in words."""
        found = []
        for name in ("containers", "pods", "volumes", "networks", "mounts"):
            extra = getattr(self, name) - getattr(other, name)
            extra -= set(allowed_volumes) if name == "volumes" else set()
            found += [f"{name} {sorted(extra)}"] if extra else []
        if self.monitors > other.monitors:
            found.append(f"{self.monitors - other.monitors} monitors")
        return "; ".join(found)


def temporaries(directory: Path) -> list[str]:
    """What was to be given its name once it was whole; a volume's files have links of that kind for good."""
    hidden = [path for path in directory.rglob(".*") if "files" not in path.relative_to(directory).parts]
    return sorted(str(path.relative_to(directory)) for path in hidden)


def process_figures(pid: int) -> tuple[int, int]:
    """How many threads and file descriptors a process has."""
    return len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))


def command_lines() -> Iterator[tuple[int, str]]:
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (directory / "cmdline").read_bytes().replace(b"\0", b" ")
            yield int(directory.name), words.decode(errors="replace")


# --- secrets ---------------------------------------------------------------------------------------------------------


def generated(host: PodmanHost) -> set[str]:
    """The values that were generated on the host."""
    owners = [path.stem for path in (host.state_directory / "secrets").glob("*.json")]
    return {value for owner in owners for value in host.generated(owner) if len(value) >= 16}


def spelled(secrets: Iterable[str]) -> set[str]:
    """Secrets as they are and in base64, which is no secrecy."""
    plain = set(secrets)
    return plain | {base64.b64encode(value.encode()).decode().rstrip("=") for value in plain}


def told_by(host: PodmanHost, agent: AgentProcess) -> Iterator[tuple[str, str]]:
    """Everything that people and programs get to see of a host: what it is, and its text."""
    with host.api() as api:
        for kind in ("containers", "pods"):
            for item in api.get(f"/{kind}/json", params={"all": "true"}).json() or []:
                name = item.get("Names") or item.get("Name")
                yield f"podman inspect of {name}", api.get(f"/{kind}/{item['Id']}/json").text
        for kind in ("volumes", "networks", "secrets"):
            yield f"podman's {kind}", api.get(f"/{kind}/json").text
    yield "podman events", host.podman("events", "--stream=false", "--format", "json", check=False)
    yield "the agent's events", json.dumps(agent.events())
    yield "the agent's pods", json.dumps(agent.client.get("/pods"))
    for path in (agent.log_path, host.directory / "service.log", host.state_directory / "events.jsonl"):
        yield str(path), path.read_text(errors="replace") if path.exists() else ""
    for path in host.state_directory.glob("pods/*/status.json"):
        yield str(path), path.read_text()


# --- what is watched all the time ------------------------------------------------------------------------------------


class Watcher(threading.Thread):
    """Looks again and again at what only shows for a moment: command lines of processes, counts of restarts."""

    def __init__(self, host: PodmanHost) -> None:
        super().__init__(name="watcher", daemon=True)
        self._host = host
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._secrets: set[str] = set()
        self._counts: dict[str, dict[str, int]] = {}
        self._muted: set[str] = set()
        self.violations: list[str] = []

    def add_secrets(self, secrets: Iterable[str]) -> None:
        with self._lock:
            self._secrets |= spelled(secrets)

    @property
    def secrets(self) -> set[str]:
        with self._lock:
            return set(self._secrets)

    def changing(self, pods: Iterable[str]) -> None:
        """From now on these pods' containers may go, or become others, which have counts of their own."""
        with self._lock:
            self._muted |= set(pods)

    def at_rest(self) -> None:
        """Nothing changes any more but by faults."""
        with self._lock:
            self._counts = {name: known for name, known in self._counts.items() if name not in self._muted}
            self._muted = set()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            with self._lock:
                self._look_at_processes()
                self._look_at_counts()

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _look_at_processes(self) -> None:
        for _pid, words in command_lines():
            if any(secret in words for secret in self._secrets):
                self.violations.append(f"a secret is on a command line: {words[:300]}")

    def _look_at_counts(self) -> None:
        for path in self._host.state_directory.glob("pods/*/status.json"):
            name = path.parent.name
            try:
                status = json.loads(path.read_text())
            except (OSError, ValueError):
                continue
            groups = (status.get(group) or () for group in ("initContainerStatuses", "containerStatuses"))
            now = {one["name"]: one["restartCount"] for group in groups for one in group}
            known = self._counts.get(name, {})
            fell = {one: (known[one], count) for one, count in now.items() if count < known.get(one, 0)}
            if name in self._muted:
                continue
            if fell:
                self.violations.append(f"counts of restarts of {name} fell: {fell}")
            self._counts[name] = now


def await_empty(condition: Callable[[], object], timeout_seconds: float) -> str:
    """Ask until nothing is told any more; returns what was told last, empty where all is well in time."""
    deadline = time.monotonic() + timeout_seconds
    while told := condition():
        if time.monotonic() > deadline:
            return str(told)
        time.sleep(0.1)
    return ""
