# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent under faults at random: processes killed, things removed by hand, Podman gone or hanging, a full disk, a

clock that jumps. Afterwards everything runs again, nothing was lost or doubled, and nothing is left over.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from agent_process import AgentProcess
from pod_runs import (
    SLEEP,
    Options,
    await_true,
    cgroup_path,
    container,
    pod,
    read_cgroup,
    server,
    write_memory_limit,
)
from podman_host import DEFAULT_NETWORK, PodmanHost
from test_agent import await_new_run, pulses, run_of

from ansible_collections.podwright.pods.plugins.module_utils._agent.probe_threads import PROBING_THREADS
from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
SEED = int(os.environ.get("PODWRIGHT_TEST_SEED", "1"))
STATE_MIB = 8
SETTLE_SECONDS = 420
"""The longest back-off of a container that was ended again and again, and a minute or two."""
PATIENCE_SECONDS = 30
"""How long a probe may take: on a busy machine too no container is ended that nothing was done to."""
MEMORY_BYTES = 64 << 20

log = logging.getLogger(__name__)


# --- what is kept ----------------------------------------------------------------------------------------------------

WRITER = """
trap 'exit 0' TERM
number=$(wc -l < /data/log 2>/dev/null || echo 0)
while :; do
  echo "$number" >> /data/log
  number=$((number + 1))
  sleep 0.2
done
"""
"""Counts on from where the container before it ended: two at a time, or a lost write, break the count."""


def exists(path: str) -> Options:
    return {"exec": {"command": ["test", "-e", path]}, "period_seconds": 5, "timeout_seconds": PATIENCE_SECONDS}


def answers(port: int, path: str) -> Options:
    return {"http_get": {"port": port, "path": path}, "period_seconds": 1, "timeout_seconds": PATIENCE_SECONDS}


def shop() -> Options:
    """Six pods, most of which wait for another, with what a pod can be made of."""
    data = {"name": "data", "persistent_volume_claim": {"claim_name": "shop-data"}}
    written = exists("/data/log")
    database = container(
        script=WRITER,
        liveness_probe=written,
        readiness_probe=written,
        volume_mounts=[{"name": "data", "mount_path": "/data"}],
        lifecycle={"pre_stop": {"exec": {"command": ["test", "-s", "/data/log"]}}},
    )
    site = {"name": "site", "mount_path": "/site"}
    token = {"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "tokens", "key": "made"}}}
    api = server(
        port=8080,
        root="/site",
        env=[token],
        liveness_probe=answers(8080, "/ready"),
        readiness_probe=answers(8080, "/ready"),
        volume_mounts=[site, {"name": "settings", "mount_path": "/settings"}],
    )
    prepare = container("prepare", "echo ready > /site/ready", volume_mounts=[site])
    shared = {"name": "shared", "mount_path": "/shared"}
    feed = container(
        "feed",
        f"date > /shared/news; {SLEEP}",
        restart_policy="Always",
        startup_probe=exists("/shared/news"),
        volume_mounts=[shared],
    )
    cache = container(
        script=f"echo warm > /cache/warm; {SLEEP}",
        readiness_probe=exists("/cache/warm"),
        resources={"limits": {"memory": f"{MEMORY_BYTES >> 20}Mi", "cpu": "500m"}},
        volume_mounts=[{"name": "cache", "mount_path": "/cache"}],
    )
    return {
        "name": "shop",
        "pods": [
            pod(database, name="db", volumes=[data]),
            pod(container(script="exit 0"), name="migrate", restart_policy="OnFailure"),
            pod(
                api,
                name="api",
                init_containers=[prepare],
                volumes=[
                    {"name": "site", "empty_dir": {}},
                    {"name": "settings", "config_map": {"name": "settings"}},
                ],
            ),
            pod(
                server("httpd", 8080, "/shared", volume_mounts=[shared]),
                container("puller", volume_mounts=[shared]),
                name="web",
                init_containers=[feed],
                volumes=[{"name": "shared", "empty_dir": {}}],
            ),
            pod(cache, name="cache", volumes=[{"name": "cache", "empty_dir": {"medium": "Memory"}}]),
            pod(
                server(liveness_probe=exists("/etc/passwd"), readiness_probe=answers(8080, "/passwd")),
                name="untouched",
            ),
        ],
        "depends_on": {
            "migrate": [{"pod": "db"}],
            "api": [{"pod": "db"}, {"pod": "migrate", "condition": "completed"}],
            "web": [{"pod": "api"}, {"pod": "cache", "condition": "started"}],
        },
        "config_maps": [{"name": "settings", "data": {"level": "high"}}],
        "secrets": [{"name": "tokens", "generate": {"made": 16}}],
        "volumes": [{"name": "shop-data"}],
    }


LONE: tuple[Options, ...] = (
    pod(
        container(script="trap 'exit 1' TERM; sleep 600 & wait", liveness_probe=exists("/bin/sh")),
        name="worker",
        restart_policy="OnFailure",
    ),
    pod(container(), name="fleeting", restart_policy="Never"),
    pod(container(script="exit 3"), name="failed", restart_policy="Never"),
    pod(container(script="sleep 0.3; exit 1"), name="crash"),
)
LASTING = ("db", "api", "web", "cache", "worker")
"""The pods that faults are aimed at, each of which is to come back."""
CONTAINERS = {
    "db": ("main",),
    "migrate": ("main",),
    "api": ("prepare", "main"),
    "web": ("feed", "httpd", "puller"),
    "cache": ("main",),
    "untouched": ("main",),
    "worker": ("main",),
    "fleeting": ("main",),
    "failed": ("main",),
    "crash": ("main",),
}


# --- processes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """What a process holds."""

    threads: int
    files: int
    memory_mib: int

    @classmethod
    def of(cls, pid: int) -> Figures:
        lines = (line.partition(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        status = {name: value for name, _separator, value in lines}
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return cls(int(status["Threads"]), files, int(status["VmRSS"].split()[0]) >> 10)


def processes() -> Iterator[tuple[int, int, str, list[str]]]:
    """Every process: its id, its parent's, its state and its command line."""
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (directory / "stat").read_text().rpartition(")")[2].split()[:2]
            words = (directory / "cmdline").read_bytes().decode(errors="replace").split("\0")
            yield int(directory.name), int(parent), state, words


def service_of(agent: AgentProcess) -> int:
    """The Podman service that the agent has started, 0 where there is none."""
    return next((pid for pid, parent, state, words in processes() if parent == agent.pid and "service" in words), 0)


class Clock:
    """What an agent takes for the time of day, set by a file; the machine's own clock stays as it is."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "clock"
        self.set(0)
        self.preamble = (
            "import pathlib, time\n"
            f"clock, file = time.time, pathlib.Path({str(self._file)!r})\n"
            "time.time = lambda: clock() + int(file.read_text())\n"
        )

    def set(self, offset_seconds: int) -> None:
        """Have it differ by so much from the machine's."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(offset_seconds))
        fresh.replace(self._file)


@contextlib.contextmanager
def full(directory: Path) -> Iterator[None]:
    """Meanwhile its file system has no room left."""
    filler = directory / "filler"
    try:
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        yield
    finally:
        filler.unlink()


# --- faults ----------------------------------------------------------------------------------------------------------


WEIGHTS = {
    "container_killed": 5,
    "infra_container_killed": 3,
    "container_removed": 4,
    "pod_removed": 2,
    "container_stopped": 3,
    "limits_changed": 2,
    "service_killed": 2,
    "service_hung": 1,
    "agent_killed": 2,
    "disk_full": 1,
    "clock_jumped": 1,
}
"""How often each fault comes, against the others; their methods are called so."""


@dataclass
class Faults:
    """Does damage, by chance. ``hits`` counts by pod what may have ended its containers.

    ``weights`` says how often what is done, 0 for never.
    """

    host: PodmanHost
    agent: AgentProcess
    clock: Clock
    hang_seconds: float
    chance: random.Random
    weights: dict[str, int] = field(default_factory=WEIGHTS.copy)
    done: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)

    def strike(self, name: str) -> None:
        log.info("fault %s: %s", name, getattr(self, name)())
        self.done[name] += 1

    def _target(self, pods: tuple[str, ...] = LASTING) -> tuple[str, str]:
        """A pod, and the Podman name of one of its containers that runs."""
        running = {name for name, item in self.host.containers().items() if item["State"] == "running"}
        chosen = self.chance.choice(pods)
        candidates = [f"{chosen}-{name}" for name in CONTAINERS[chosen]]
        return chosen, self.chance.choice([name for name in candidates if name in running] or candidates)

    def _kill(self, name: str) -> bool:
        """KILL the first process of a container, where it has one."""
        with contextlib.suppress(Exception):
            found = self.host.inspect(name)
            pid = int(found["State"]["Pid"])
            if pid and found["Id"] in Path(f"/proc/{pid}/cgroup").read_text():
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def container_killed(self) -> str:
        pod_name, name = self._target()
        self.hits[pod_name] += 1
        return f"{name} {self._kill(name)}"

    def infra_container_killed(self) -> str:
        pod_name, _name = self._target()
        self.hits[pod_name] += 1
        return f"{pod_name} {self._kill(f'{pod_name}-infra')}"

    def container_removed(self) -> str:
        pod_name, name = self._target()
        self.hits[pod_name] += 1
        self.host.podman("rm", "-f", "-t", "0", name, check=False)
        return name

    def pod_removed(self) -> str:
        pod_name, _name = self._target()
        self.hits[pod_name] += 1
        self.host.podman("pod", "rm", "-f", "-t", "0", pod_name, check=False)
        return pod_name

    def container_stopped(self) -> str:
        pod_name, name = self._target()
        self.hits[pod_name] += 1
        self.host.podman("stop", "-t", "2", name, check=False)
        return name

    def limits_changed(self) -> str:
        with contextlib.suppress(Exception):
            write_memory_limit(cgroup_path(self.host.inspect("cache-main")["State"]["Pid"]), 96 << 20)
            return "cache"
        return "nothing"

    def lasting_process_of_never_killed(self) -> str:
        """Under the restart policy Never that is its end."""
        self.hits["fleeting"] += 1
        # Podman may still be busy with the fault before.
        await_true(lambda: self._kill("fleeting-main"), 60)
        return "fleeting-main"

    def service_killed(self) -> str:
        pid = service_of(self.agent)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return str(pid)

    def service_hung(self) -> str:
        pid = service_of(self.agent)
        if pid:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(self.hang_seconds)
            # The agent may have ended it by then.
            if service_of(self.agent) == pid:
                os.kill(pid, signal.SIGCONT)
        return f"{pid} for {self.hang_seconds} s"

    def agent_killed(self) -> str:
        pid = self.agent.pid
        self.agent.kill()
        time.sleep(self.chance.uniform(0, 2))
        self.agent.start()
        return f"{pid}, now {self.agent.pid}"

    def disk_full(self) -> str:
        """With other faults meanwhile."""
        names = ("container_killed", "container_removed", "agent_killed")
        others = self.chance.choices(names, [self.weights[name] for name in names], k=2)
        with full(self.host.state_directory):
            for name in others:
                self.strike(name)
                time.sleep(self.chance.uniform(0.5, 3))
        return " and ".join(others)

    def clock_jumped(self) -> str:
        offset = self.chance.choice((-86400, -3600, -60, 60, 3600, 7 * 86400))
        self.clock.set(offset)
        try:
            time.sleep(self.chance.uniform(1, 4))
            self.strike("container_killed")
            time.sleep(self.chance.uniform(1, 4))
        finally:
            self.clock.set(0)
        return f"by {offset} s"


# --- the run ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(in_host: PodmanHost) -> Clock:
    return Clock(in_host.directory)


@pytest.fixture
def small_state(in_host: PodmanHost) -> Iterator[Path]:
    """The state directory on a file system of its own that is soon full."""
    directory = in_host.state_directory
    directory.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={STATE_MIB}m,mode=700", "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", directory], check=True)


@pytest.fixture
def own_agent(small_state: Path, clock: Clock, in_host: PodmanHost) -> Iterator[AgentProcess]:
    """An agent with a Podman service of its own, which it has to look after, and a clock that can be set."""
    process = AgentProcess(in_host, in_host.environment_without_service, preamble=clock.preamble)
    process.start()
    try:
        yield process
    finally:
        process.stop()


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(40, id="sample"),
        pytest.param(1800, id="full", marks=[pytest.mark.long, pytest.mark.skipif(not IS_FULL, reason="half an hour")]),
    ],
)
def test_faults_leave_no_trace(own_agent: AgentProcess, clock: Clock, seconds: int) -> None:
    agent, host = own_agent, own_agent.host
    agent.apply(shop())
    for options in LONE:
        agent.apply(options, wait=False)
    await_true(lambda: phase(agent, "failed") == "Failed")
    untouched, over = runs(host, "untouched"), {name: runs(host, name) for name in ("migrate", "failed")}
    token = told_token(host)
    time.sleep(3)
    before = figures(agent)
    log.info("at first %s", before)

    hang_seconds = 30 if seconds > 600 else 5
    faults = Faults(host, agent, clock, hang_seconds, random.Random(SEED))
    inflict(faults, seconds)
    log.info("seed %d, faults %s, hits %s", SEED, dict(faults.done), dict(faults.hits))

    took = settle(agent)
    log.info("all was well again after %.0f s", took)
    await_true(lambda: phase(agent, "fleeting") == "Failed")
    assert runs(host, "untouched") == untouched
    assert {name: runs(host, name) for name in over} == over
    assert {name: phase(agent, name) for name in ("migrate", "failed")} == {"migrate": "Succeeded", "failed": "Failed"}
    assert restarts(agent, "untouched") == restarts(agent, "migrate") == restarts(agent, "fleeting") == [0]
    for name in LASTING:
        assert all(count <= faults.hits[name] for count in restarts(agent, name)), name
        assert any(restarts(agent, name)) or not faults.hits[name], name
    assert told_token(host) == token
    assert read(host, "api-main", "settings/level") == "high"
    numbers = read(host, "db-main", "data/log").splitlines()
    assert numbers == [str(number) for number in range(len(numbers))]
    assert agent.apply(shop())["actions"] == []
    told = Counter(event["reason"] for event in agent.events())
    log.info("events %s", dict(told))
    assert not told["InternalError"], [event for event in agent.events() if event["reason"] == "InternalError"]

    after = figures(agent)
    log.info("in the end %s", after)
    assert_nothing_is_left(agent)
    for name, now in after.items():
        assert now.threads <= before[name].threads + 6, (before, after)
        # Any thread that probes may have come to hold a connection.
        assert now.files <= before[name].files + 10 + PROBING_THREADS, (before, after)
        assert now.memory_mib <= before[name].memory_mib * 1.5 + 20, (before, after)


@pytest.mark.long
def test_podman_hangs(agent: AgentProcess) -> None:
    """Half a minute: the agent goes on, says so, and recovers; nothing that runs is touched."""
    host, service = agent.host, agent.host.service
    agent.apply(pod(server(liveness_probe=exists("/etc/passwd"))))
    before = run_of(host, "web-main")
    assert service is not None
    service.send_signal(signal.SIGSTOP)
    try:
        begin, has_told = time.monotonic(), False
        while not has_told or time.monotonic() - begin < 30:
            assert time.monotonic() - begin < 45
            asked_at = time.monotonic()
            has_told = bool(agent.client.get("/health", 5)["podman_error"])
            (kept,) = agent.client.get("/pods", 5, kept=1)
            assert kept["status"]["phase"] == "Running"
            assert time.monotonic() - asked_at < 3
            time.sleep(0.5)
    finally:
        service.send_signal(signal.SIGCONT)
    await_true(lambda: not agent.client.get("/health")["podman_error"], 40)
    assert {"PodmanUnresponsive", "PodmanRecovered"} <= {event["reason"] for event in agent.events()}
    assert run_of(host, "web-main") == before
    host.podman("kill", "web-main")
    await_new_run(host, "web-main", before, 20)
    agent.await_ready("web")
    assert restarts(agent, "web") == [1]


@pytest.mark.long
def test_an_own_service_that_hangs_is_ended_and_another_begun(own_agent: AgentProcess) -> None:
    own_agent.apply(pod(server()))
    before, hanging = run_of(own_agent.host, "web-main"), service_of(own_agent)
    os.kill(hanging, signal.SIGSTOP)
    await_true(lambda: service_of(own_agent) not in (0, hanging), 80)
    await_true(lambda: not own_agent.client.get("/health")["podman_error"], 40)
    own_agent.await_ready("web")
    assert run_of(own_agent.host, "web-main") == before
    assert hanging not in zombies(own_agent)


@pytest.mark.long
def test_an_own_service_that_is_merely_busy_is_left_alone(own_agent: AgentProcess) -> None:
    """All containers are locked, as while something slow is done to each, and no list of them comes in time."""
    host = own_agent.host
    own_agent.apply(pod(server()))
    before, busy = run_of(host, "web-main"), service_of(own_agent)
    with contextlib.ExitStack() as held:
        for path in (host.directory / "tmp" / "locks").iterdir():
            fcntl.lockf(held.enter_context(open(path, "r+b")), fcntl.LOCK_EX)
        await_true(lambda: bool(own_agent.client.get("/health")["podman_error"]), 60)
    await_true(lambda: not own_agent.client.get("/health")["podman_error"], 60)
    own_agent.await_ready("web")
    assert service_of(own_agent) == busy
    assert run_of(host, "web-main") == before


def test_a_clock_set_back_holds_nothing_up(own_agent: AgentProcess, clock: Clock) -> None:
    """Neither a run that waits for a container without probes, nor a restart that has to wait."""
    own_agent.apply(pod())
    clock.set(-3600)
    assert own_agent.apply(pod(), wait_timeout=10)["actions"] == []
    for _time in range(2):
        before = run_of(own_agent.host, "web-main")
        own_agent.host.podman("kill", "web-main")
        await_new_run(own_agent.host, "web-main", before, 30)


def test_on_a_full_disk_pods_are_kept(own_agent: AgentProcess) -> None:
    """Restarts and all; what is to outlast the agent is written once there is room."""
    host = own_agent.host
    own_agent.apply(pod(server()))
    with full(host.state_directory):
        for _time in range(2):
            before = run_of(host, "web-main")
            host.podman("kill", "web-main")
            await_new_run(host, "web-main", before, 20)
        own_agent.await_ready("web")
        assert "StatusNotWritten" in own_agent.reasons("web", "")
    status = host.state_directory / "pods" / "web" / "status.json"
    await_true(lambda: host.inspect("web-main")["Id"] in status.read_text(), 20)
    assert not temporaries(host.state_directory)


def with_files(name: str) -> Options:
    """A pod with a volume of files."""
    site = {"name": "site", "config_map": {"name": "site"}}
    mount = {"name": "site", "mount_path": "/site"}
    maps = [{"name": "site", "data": {"page": "declared"}}]
    return pod(container(volume_mounts=[mount]), name=name, volumes=[site], config_maps=maps)


DAMAGES = {"bytes": "digests/site", "folder": "digests/site", "record": "record.json", "status": "status.json"}
"""By name of the pod that is hurt: what is broken of it."""


def test_one_pods_damage_is_that_pods_event(agent: AgentProcess) -> None:
    """Told now and then and not all the time, where it cannot be made good; the agent and all other pods go on."""
    for name in (*DAMAGES, "well"):
        agent.apply(with_files(name))
    agent.stop()
    for name, path in DAMAGES.items():
        broken = agent.host.state_directory / "pods" / name / path
        if name in ("bytes", "record"):
            broken.write_bytes(b"\xff\xfe")
        else:
            broken.unlink()
            broken.mkdir()
    agent.start()
    pid, before = agent.pid, run_of(agent.host, "well-main")
    await_true(lambda: complaints(agent, "record") > 0, 30)
    # Until after the second look at all pods, which comes after ten seconds.
    time.sleep(12)
    counts = {name: complaints(agent, name) for name in DAMAGES}
    assert max(counts.values()) <= 6, (counts, agent.events())
    assert complaints(agent, "well") == 0, pulses(agent, "FailedSync", "well")
    agent.host.podman("kill", "well-main")
    await_new_run(agent.host, "well-main", before, 20)
    assert agent.client.get("/health")["pid"] == pid


def complaints(agent: AgentProcess, pod_name: str) -> int:
    """How often it was told that the pod cannot be looked at."""
    return sum(e["count"] for e in agent.events(pod_name) if e["reason"] in ("FailedSync", "InternalError"))


def test_what_killed_processes_left_half_done_is_swept(agent: AgentProcess) -> None:
    agent.apply(pod())
    agent.kill()
    state = agent.host.state_directory
    (state / ".gone.0123abcd").mkdir()
    for name in ("pods/web/.status.json.0123abcd", ".events.jsonl.0123abcd", ".gone.0123abcd/record.json"):
        (state / name).write_text("{")
    agent.start()
    assert not temporaries(state)
    assert agent.apply(pod())["actions"] == []


def inflict(faults: Faults, seconds: float) -> None:
    """One fault after another, each kind at least once; the second half spares the agent, so that it grows old."""
    begin, names = time.monotonic(), list(WEIGHTS)
    first = faults.chance.sample(names, len(names))
    while (passed := time.monotonic() - begin) < seconds or first:
        if passed > seconds / 2:
            faults.weights["agent_killed"] = 0
        faults.strike(first.pop() if first else faults.chance.choices(names, [*faults.weights.values()])[0])
        time.sleep(faults.chance.uniform(0, 4))
        assert faults.agent.client.get("/health", 5)["pid"] == faults.agent.pid
    faults.strike("lasting_process_of_never_killed")


def settle(agent: AgentProcess) -> float:
    """Wait until what is to run does so; returns how long that took."""
    begin = time.monotonic()
    waited = (*LASTING, "untouched")
    while unready := [name for name in waited if not is_ready(agent, name)]:
        assert time.monotonic() - begin < SETTLE_SECONDS, [agent.status(name) for name in unready]
        time.sleep(0.5)
    names = {f"{name}-{one}" for name, members in CONTAINERS.items() for one in ("infra", *members)}
    await_true(lambda: set(agent.host.containers()) == names, 30)
    await_true(lambda: memory_limit(agent.host) == MEMORY_BYTES, 30)
    return time.monotonic() - begin


def assert_nothing_is_left(agent: AgentProcess) -> None:
    """Beside what belongs to the pods."""
    host = agent.host
    assert sorted(host.podman("pod", "ls", "--format", "{{.Name}}").split()) == sorted(CONTAINERS)
    volumes = host.podman("volume", "ls", "--format", "{{.Name}}").split()
    assert len(volumes) == 2
    assert "shop-data" in volumes
    assert host.podman("network", "ls", "--format", "{{.Name}}").split() == [DEFAULT_NETWORK]
    await_true(lambda: not temporaries(host.state_directory), 10)
    await_true(lambda: len(interfaces(host)) == len(running_infras(host)), 10)
    # An exec probe that is just being made has its session and the monitor of it, for two seconds.
    await_true(lambda: max(exec_sessions(host).values()) <= 10, 10)
    await_true(lambda: len(monitors(host)) <= 30, 10)
    # An exec session's monitor is one for as long as its command takes.
    ended = zombies(agent)
    await_true(lambda: not ended & zombies(agent), 30)


# --- facts -----------------------------------------------------------------------------------------------------------


def runs(host: PodmanHost, pod_name: str) -> list[tuple[str, str]]:
    """The id and start of each of a pod's containers."""
    inspected = [host.inspect(f"{pod_name}-{name}") for name in ("infra", *CONTAINERS[pod_name])]
    return [(found["Id"], found["State"]["StartedAt"]) for found in inspected]


def phase(agent: AgentProcess, pod_name: str) -> str:
    return str(agent.status(pod_name)["phase"])


def is_ready(agent: AgentProcess, pod_name: str) -> bool:
    try:
        return agent.is_ready(pod_name)
    except PodwrightError:
        # A service has just been restarted, or there is no pod for the moment.
        return False


def restarts(agent: AgentProcess, pod_name: str) -> list[int]:
    return [int(one["restartCount"]) for one in agent.status(pod_name)["containerStatuses"]]


def read(host: PodmanHost, name: str, path: str) -> str:
    return Path(f"/proc/{host.inspect(name)['State']['Pid']}/root/{path}").read_text()


def told_token(host: PodmanHost) -> str:
    """The secret variable as the server has it."""
    raw = Path(f"/proc/{host.inspect('api-main')['State']['Pid']}/environ").read_text()
    return next(item for item in raw.split("\0") if item.startswith("TOKEN="))


def memory_limit(host: PodmanHost) -> int | None:
    return read_cgroup(cgroup_path(host.inspect("cache-main")["State"]["Pid"]))[0]


def family(agent: AgentProcess) -> tuple[int, int]:
    return agent.pid, service_of(agent)


def figures(agent: AgentProcess) -> dict[str, Figures]:
    return dict(zip(("agent", "service"), map(Figures.of, family(agent)), strict=True))


def zombies(agent: AgentProcess) -> set[int]:
    """Processes of the agent and of its service that have ended, and that nobody has asked about."""
    parents = family(agent)
    return {pid for pid, parent, state, _words in processes() if state == "Z" and parent in parents}


def temporaries(directory: Path) -> list[Path]:
    """What was to be given its name once it was whole; a volume's files have links of that kind for good."""
    hidden = (path for path in directory.rglob(".*") if "files" not in path.relative_to(directory).parts)
    return [path for path in hidden if path.name != ".."]


def running_infras(host: PodmanHost) -> list[str]:
    return [name for name, item in host.containers().items() if item["IsInfra"] and item["State"] == "running"]


def interfaces(host: PodmanHost) -> list[str]:
    """Those of pods on the bridge of the host's network."""
    bridge = json.loads((host.directory / "networks" / f"{DEFAULT_NETWORK}.json").read_text())["network_interface"]
    ports = Path(f"/sys/class/net/{bridge}/brif")
    return [port.name for port in ports.iterdir()] if ports.is_dir() else []


def exec_sessions(host: PodmanHost) -> dict[str, int]:
    return {name: len(host.inspect(name).get("ExecIDs") or ()) for name in host.containers()}


def monitors(host: PodmanHost) -> list[int]:
    """The processes that watch over exec sessions."""
    place = str(host.directory)
    return [
        pid
        for pid, _parent, _state, words in processes()
        if "--exec-process-spec" in words and any(place in word for word in words)
    ]
