# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update after update, good ones and broken ones in turn: a good one never fails, and a broken one always does.

What a broken one leaves behind is what served before it, and no revision or record that says it was good. By the agent
and without it, on a quiet machine and on a busy one. PODWRIGHT_UPDATES says how many broken ones each case has.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from agent_process import AgentProcess
from pod_runs import SLEEP, Options, PodRuns, await_true, container, pod
from podman_host import PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import info as stack_info
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
PORT = 8080
SIDE_BY_SIDE = 5
"""How many pods are updated at once, each by a client of its own."""
BROKEN = int(os.environ.get("PODWRIGHT_UPDATES") or (200 if IS_FULL else SIDE_BY_SIDE))
BROKEN_SECONDS = 4
GOOD_SECONDS = 180

Apply = Callable[[Options], None]


# --- what is declared ------------------------------------------------------------------------------------------------


def server(generation: int, path: str = "") -> Options:
    """It answers with its generation; ready once it answers at ``path``, or without a probe where that is empty."""
    script = f"mkdir /tmp/www; echo {generation} >/tmp/www/index.html; httpd -h /tmp/www -p {PORT}; {SLEEP}"
    ready = {"http_get": {"port": PORT, "path": path}, "period_seconds": 1, "timeout_seconds": 30}
    return container(script=script, **({"readiness_probe": ready} if path else {}))


def crash(good: Options) -> Options:
    return {**good, "command": ["sh", "-c", "echo cannot open config; exit 1"]}


def crash_later(good: Options) -> Options:
    return {**good, "command": ["sh", "-c", "sleep 0.6; echo cannot open config; exit 1"]}


def page_is_gone(good: Options) -> Options:
    return {**good, "readiness_probe": {"http_get": {"port": PORT, "path": "/gone"}, "period_seconds": 1}}


def command_fails(good: Options) -> Options:
    return {**good, "readiness_probe": {"exec": {"command": ["false"]}, "period_seconds": 1, "timeout_seconds": 30}}


def no_image(good: Options) -> Options:
    return {**good, "image": "localhost/not-there:1"}


BREAKS: Mapping[str, tuple[str, Callable[[Options], Options]]] = {
    "it crashes": ("", crash),
    "it crashes a moment later": ("", crash_later),
    "its page is gone": ("/", page_is_gone),
    "its command fails": ("/", command_fails),
    "its image is not there": ("/", no_image),
}
"""What is broken by an update, and at which path the container before it is ready."""


@dataclass
class Updates:
    """The updates of one pod, which is a stack of its own where ``is_stack``. ``faults`` are what must not be."""

    runs: PodRuns
    apply: Apply
    name: str
    is_stack: bool
    generation: int = 0
    faults: list[str] = field(default_factory=list)

    def good(self, path: str) -> None:
        self.generation += 1
        error = self._try(server(self.generation, path), GOOD_SECONDS)
        if error:
            self.faults.append(f"{self.name}: a good update failed: {error}")

    def broken(self, title: str) -> None:
        path, break_ = BREAKS[title]
        self.good(path)
        before = self._verified()
        error = self._try(break_(server(self.generation, path)), BROKEN_SECONDS)
        if not error:
            self.faults.append(f"{self.name}: {title}, and it was taken for good")
        # Where going back took longer than it may, nothing is good for now.
        if self._verified() not in (before, False):
            self.faults.append(f"{self.name}: {title}, and it is recorded as good: {self._verified()}")
        self._see_that_it_serves(f"{title}; {error}")

    def _try(self, declared: Options, seconds: int) -> str:
        """What an update failed with, empty where it did not."""
        options: Options = pod(declared, name=self.name)
        if self.is_stack:
            options = {"name": self.name, "pods": [options]}
        try:
            self.apply({**options, "wait_timeout": seconds})
        except PodwrightError as error:
            return str(error)
        return ""

    def _see_that_it_serves(self, title: str) -> None:
        try:
            # Until its web server listens, a container that was made anew does not answer.
            await_true(self._answers, 60)
        except AssertionError:
            containers = {name: item["State"] for name, item in self.runs.host.containers().items()}
            self.faults.append(f"{self.name}: what was before it does not serve: {title}; {containers}")

    def _answers(self) -> bool:
        with contextlib.suppress(Exception):
            return self.runs.get(f"{self.name}-main", PORT).strip() == str(self.generation)
        return False

    def _verified(self) -> object:
        """What is on record as good: of a stack its good revision, of a pod its declaration."""
        if self.is_stack:
            (told,) = stack_info.run_stack_info({"name": self.name})["stacks"]
            return told["is_good"] and self._spec_of(told["revision"])
        record = json.loads((self.runs.host.state_directory / "pods" / self.name / "record.json").read_text())
        return record["is_verified"] and record["applied"]

    def _spec_of(self, revision: int) -> object:
        path = self.runs.host.state_directory / "stacks" / self.name / "revisions" / f"{revision}.json"
        return json.loads(path.read_text())["stack"]


# --- on a busy machine -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """Meanwhile every core has something else to do."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _core in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


MACHINES: Mapping[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "quiet": contextlib.nullcontext,
    "busy": busy_machine,
}


@contextlib.contextmanager
def by_agent(host: PodmanHost) -> Iterator[Apply]:
    process = AgentProcess(host)
    process.start()
    try:
        yield lambda options: (process.apply(options), None)[1]
    finally:
        process.stop()


@contextlib.contextmanager
def by_itself(host: PodmanHost) -> Iterator[Apply]:
    def apply(options: Options) -> None:
        (stack_run.run_stack if "pods" in options else pod_run.run_pod)(options, False)

    yield apply


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("way", [by_agent, by_itself], ids=["by the agent", "without it"])
def test_a_broken_update_always_fails_and_a_good_one_never_does(
    pods: PodRuns, way: Callable[[PodmanHost], contextlib.AbstractContextManager[Apply]], machine: str
) -> None:
    titles, turns = list(BREAKS), -(-BROKEN // SIDE_BY_SIDE)
    with MACHINES[machine](), way(pods.host) as apply, ThreadPoolExecutor(SIDE_BY_SIDE) as clients:
        updates = [Updates(pods, apply, f"u{number}", number % 2 == 1) for number in range(SIDE_BY_SIDE)]

        def work(number: int) -> None:
            for turn in range(turns):
                # Side by side all kinds of them, and each pod has another one each time.
                updates[number].broken(titles[(number + turn) % len(titles)])

        for done in [clients.submit(work, number) for number in range(SIDE_BY_SIDE)]:
            done.result()
    faults = [fault for one in updates for fault in one.faults]
    assert not faults, f"{len(faults)} faults in {BROKEN} broken and {BROKEN} good updates:\n" + "\n".join(faults)
