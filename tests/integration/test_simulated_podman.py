# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Podman of the simulation is held to the real one: the same calls on both, with answers and states compared."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from pod_runs import await_true
from podman_host import PodmanHost
from simulation.scheduler import Scheduler
from simulation.simulated_podman import SimulatedClient, SimulatedPodman

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodmanError
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.client import Podman
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.service import connect

pytestmark = pytest.mark.integration


class Side(Protocol):
    """One of the two Podmans, with what is done to its processes."""

    podman: Podman

    def program(self, words: list[str]) -> list[str]:
        """The command of a container that does what these words say."""

    def image(self) -> str:
        """The id of the image that containers are made from."""

    def kill(self, container: str, is_awaited: bool = True) -> None:
        """Kill the container's process, and wait until the kernel has let go of it."""

    def kill_monitor(self, container: str) -> None: ...

    def begin_to_stop(self, container: str) -> None:
        """Have Podman begin to stop a container, and die over it."""

    def settle(self) -> None:
        """Wait until what was done has shown."""


@dataclass
class RealSide:
    host: PodmanHost
    podman: Podman
    scripts: dict[str, str] = field(
        default_factory=lambda: {
            "n=0": "trap 'exit 0' TERM; sleep 600 & wait",
            "term=never": "trap '' TERM; while :; do sleep 1; done",
            "exit=3@0": "exit 3",
            "exit=0@0": "exit 0",
        }
    )

    def program(self, words: list[str]) -> list[str]:
        return ["sh", "-c", self.scripts[words[0]]]

    def image(self) -> str:
        return str(self.podman.get(f"/images/{self.host.image}/json")["Id"])

    def kill(self, container: str, is_awaited: bool = True) -> None:
        pid = int(self.host.inspect(container)["State"]["Pid"])
        os.kill(pid, signal.SIGKILL)
        # Where its monitor is gone it stays as a zombie until the host's first process comes to reap it.
        for _look in range(1200 if is_awaited else 0):
            if not os.path.exists(f"/proc/{pid}"):
                return
            time.sleep(0.05)

    def kill_monitor(self, container: str) -> None:
        os.kill(int(self.host.inspect(container)["State"]["ConmonPid"]), signal.SIGKILL)

    def begin_to_stop(self, container: str) -> None:
        command = ["podman", "stop", "--time", "60", container]
        with subprocess.Popen(
            command, env=self.host.environment_without_service, stdout=subprocess.DEVNULL
        ) as stopping:
            await_true(lambda: self.host.inspect(container)["State"]["Status"] == "stopping")
            stopping.kill()

    def settle(self) -> None:
        """Until two looks in a row, a while apart, show the same."""
        before: Any = None
        for _look in range(40):
            now = {name: item["State"] for name, item in self.host.containers().items()}
            if now == before and "stopped" not in now.values():
                return
            before = now
            time.sleep(0.5)


@dataclass
class SimulatedSide:
    podman: SimulatedClient

    def program(self, words: list[str]) -> list[str]:
        return words

    def image(self) -> str:
        return str(self.podman.get("/images/app:1/json")["Id"])

    def kill(self, container: str, is_awaited: bool = True) -> None:
        state = self.podman.simulated
        found = state.find(container)
        assert found is not None
        state.kill_process(found)
        if is_awaited:
            self.settle()

    def kill_monitor(self, container: str) -> None:
        state = self.podman.simulated
        found = state.find(container)
        assert found is not None
        state.kill_monitor(found)

    def begin_to_stop(self, container: str) -> None:
        found = self.podman.simulated.find(container)
        assert found is not None
        found.said = "stopping"

    def settle(self) -> None:
        self.podman.simulated.scheduler.sleep(5)


@pytest.fixture
def sides(in_host: PodmanHost) -> Iterator[tuple[RealSide, SimulatedSide]]:
    simulated = SimulatedPodman(Scheduler(1))
    simulated.images["app:1"] = "a" * 64
    with connect() as podman:
        yield RealSide(in_host, podman), SimulatedSide(SimulatedClient(simulated))


def make(name: str, *words: str, policy: str = "no") -> Callable[[Side], Any]:
    def act(side: Side) -> Any:
        body = {
            "name": f"web-{name}",
            "pod": "web",
            "image": side.image(),
            "raw_image_name": "app:1",
            "entrypoint": side.program([*words]),
            "restart_policy": policy,
            "labels": {"io.podwright.container": name},
        }
        return side.podman.post("/containers/create", body=body)

    return act


def make_pod(side: Side) -> Any:
    body = {"name": "web", "infra_name": "web-infra", "labels": {"mine": "yes"}, "exit_policy": "continue"}
    return side.podman.post("/pods/create", body=body)


def call(method: str, path: str, **params: Any) -> Callable[[Side], Any]:
    return lambda side: getattr(side.podman, method)(path, params)


def kill(container: str) -> Callable[[Side], Any]:
    return lambda side: side.kill(container)


def kill_monitor(container: str) -> Callable[[Side], Any]:
    return lambda side: side.kill_monitor(container)


def begin_to_stop(container: str) -> Callable[[Side], Any]:
    return lambda side: side.begin_to_stop(container)


UP = (make_pod, call("post", "/containers/web-infra/start"))
STORIES: dict[str, tuple[Callable[[Side], Any], ...]] = {
    "a container's life": (
        *UP,
        make("main", "n=0"),
        call("post", "/containers/web-main/start"),
        call("post", "/containers/web-main/start"),
        call("post", "/containers/web-main/stop", timeout=5),
        call("post", "/containers/web-main/stop", timeout=5),
        call("delete", "/containers/web-main", force=True),
        call("delete", "/containers/web-main", force=True),
    ),
    "names that are taken": (*UP, make_pod, make("main", "n=0"), make("main", "n=0")),
    "what is not there": (
        call("get", "/pods/web/json"),
        call("get", "/containers/web-main/json"),
        call("get", "/images/no-such:1/json"),
        call("get", "/volumes/none/json"),
        call("delete", "/pods/web", force=True),
        call("delete", "/volumes/none"),
        call("delete", "/networks/none"),
        call("post", "/containers/web-main/start"),
    ),
    "a start in a pod that is not started": (make_pod, make("main", "n=0"), call("get", "/containers/web-main/json")),
    "ends by itself": (
        *UP,
        make("good", "exit=0@0"),
        make("bad", "exit=3@0"),
        call("post", "/containers/web-good/start"),
        call("post", "/containers/web-bad/start"),
    ),
    "restarted by Podman, but not where it was told to stop": (
        *UP,
        make("main", "n=0", policy="always"),
        call("post", "/containers/web-main/start"),
        kill("web-main"),
        call("post", "/containers/web-main/stop", timeout=5),
    ),
    "does not listen to TERM": (
        *UP,
        make("main", "term=never"),
        call("post", "/containers/web-main/start"),
        call("post", "/containers/web-main/stop", timeout=1),
    ),
    "a stop that was cut off is gone on with": (
        *UP,
        make("main", "term=never"),
        call("post", "/containers/web-main/start"),
        begin_to_stop("web-main"),
        call("post", "/containers/web-main/stop", timeout=1),
    ),
    "the process is killed": (*UP, make("main", "n=0"), call("post", "/containers/web-main/start"), kill("web-main")),
    "the monitor is killed": (
        *UP,
        make("main", "n=0"),
        call("post", "/containers/web-main/start"),
        kill_monitor("web-main"),
    ),
    "the monitor is killed, and then the process": (
        *UP,
        make("main", "n=0"),
        call("post", "/containers/web-main/start"),
        kill_monitor("web-main"),
        kill("web-main"),
        call("delete", "/containers/web-main", force=True),
        call("delete", "/containers/web-main", force=True),
    ),
    "what has lost its monitor is removed": (
        *UP,
        make("main", "n=0"),
        call("post", "/containers/web-main/start"),
        kill_monitor("web-main"),
        call("delete", "/containers/web-main", force=True),
        call("delete", "/containers/web-main", force=True),
    ),
    "what has lost its monitor is stopped": (
        *UP,
        make("main", "n=0"),
        call("post", "/containers/web-main/start"),
        kill_monitor("web-main"),
        call("post", "/containers/web-main/stop", timeout=2),
        call("delete", "/containers/web-main", force=True),
        call("delete", "/containers/web-main", force=True),
    ),
    "a pod with a container that has lost its monitor is removed": (
        *UP,
        make("main", "n=0"),
        call("post", "/containers/web-main/start"),
        kill_monitor("web-main"),
        kill("web-main"),
        call("delete", "/pods/web", force=True),
        call("delete", "/pods/web", force=True),
    ),
    "the infra container has lost its monitor and its process": (
        *UP,
        make("main", "n=0"),
        kill_monitor("web-infra"),
        kill("web-infra"),
        call("post", "/containers/web-main/start"),
        call("delete", "/pods/web", force=True),
        call("delete", "/pods/web", force=True),
    ),
    "a pod is removed with all that runs": (
        *UP,
        make("main", "n=0"),
        call("post", "/containers/web-main/start"),
        call("delete", "/pods/web", force=True),
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_both_tell_the_same(sides: tuple[RealSide, SimulatedSide], story: str) -> None:
    real, simulated = ([answer_of(side, step) for step in STORIES[story]] for side in sides)
    assert simulated == real


@pytest.mark.parametrize("lost", ["web-main", "web-infra"])
def test_a_pod_is_removed_while_a_process_of_it_is_a_zombie(sides: tuple[RealSide, SimulatedSide], lost: str) -> None:
    """The first call fails where nobody has reaped it by then, which is the host's to say; the next one does not."""

    def kill_unawaited(side: Side) -> None:
        side.kill(lost, is_awaited=False)

    def story_of(side: Side, strike: Callable[[Side], None]) -> list[dict[str, Any]]:
        for step in (*UP, make("main", "n=0"), call("post", "/containers/web-main/start"), kill_monitor(lost), strike):
            step(side)
        return [answer_of(side, call("delete", "/pods/web", force=True)) for _time in range(2)]

    real, simulated = sides
    possible = [story_of(simulated, strike) for strike in (kill(lost), kill_unawaited)]
    assert [story[0]["ended"] for story in possible] == ["ok", "PodmanError"]
    assert story_of(real, kill_unawaited) in possible


def answer_of(side: Side, step: Callable[[Side], Any]) -> dict[str, Any]:
    """How a call ended, and what there is once it has shown."""
    try:
        step(side)
        ended = "ok"
    except PodmanError as error:
        ended = type(error).__name__
    side.settle()
    listed = side.podman.get("/containers/json", {"all": True})
    return {
        "ended": ended,
        "pods": [(pod["Name"], (pod.get("Labels") or {}).get("mine")) for pod in side.podman.get("/pods/json") or []],
        "containers": sorted(map(_seen, listed), key=lambda item: str(item["name"])),
    }


def _seen(listed: dict[str, Any]) -> dict[str, Any]:
    """What the collection reads of a container in the list."""
    state = listed["State"]
    return {
        "name": listed["Names"][0],
        "state": state,
        "exit_code": listed["ExitCode"] if state == "exited" else None,
        "has_pid": bool(listed["Pid"]) if state == "running" else None,
        "is_infra": bool(listed.get("IsInfra")),
        "pod": listed.get("PodName"),
        "has_started": listed["StartedAt"] > 0,
        "labels": (listed.get("Labels") or {}).get("io.podwright.container"),
    }
