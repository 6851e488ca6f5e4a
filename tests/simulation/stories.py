# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulation has found once, told step by step: each story fails on the code before it was mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run

from .scheduler import Process
from .simulated_host import SimulatedHost
from .simulated_podman import SimulatedContainer

IMAGE = "app:1"
WAIT_SECONDS = 600.0


def pod(*words: str, **fields: Any) -> dict[str, Any]:
    """A pod of one container that does what these words say."""
    main = {"name": "main", "image": IMAGE, "command": [*words, "n=1"]}
    return {"name": "web", "containers": [main], "termination_grace_period_seconds": 5, **fields}


class Stage:
    """The host, and runs on it that are waited for."""

    def __init__(self, host: SimulatedHost) -> None:
        self.host = host
        host.podman.images[IMAGE] = "a" * 64

    def run(self, options: dict[str, Any]) -> dict[str, Any] | PodwrightError | None:
        """A run by the agent where there is one; what it answered or raised, None where it was killed."""
        results = self.begin(options)
        self.host.scheduler.wait(lambda: bool(results), WAIT_SECONDS)
        return results[0] if results else None

    def begin(self, options: dict[str, Any], process: Process | None = None) -> list[Any]:
        """Begin a run; its result is in the list once it is over."""
        results: list[Any] = []
        agent = self.host.agent if process is None and self.host.agent_is_up else None

        def work() -> None:
            try:
                results.append(pod_run.run_pod(options, False, agent=agent))
            except PodwrightError as error:
                results.append(error)

        runner = process or (self.host.agent_process if agent else None) or Process("run")
        self.host.scheduler.start("run", runner, work)
        return results

    def main(self) -> SimulatedContainer:
        found = self.host.podman.find("web-main")
        if found is None:
            raise AssertionError("web/main is not there")
        return found

    def lose(self, container: str) -> None:
        """Kill its process after its monitor, so that Podman learns of no end."""
        found = self.host.podman.find(container)
        if found is None:
            raise AssertionError(f"{container} is not there")
        self.host.podman.kill_monitor(found)
        self.host.podman.kill_process(found)

    def has_run(self) -> bool:
        found = self.host.podman.find("web-main")
        return found is not None and found.has_process

    def restarts(self) -> int:
        """How often web/main was restarted by its status."""
        return int((Store().read_status("web") or {})["containerStatuses"][0]["restartCount"])

    def await_that(self, holds: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
        if not self.host.scheduler.wait(holds, seconds):
            raise AssertionError(f"never came about: {what}")


def stop_that_was_killed(stage: Stage) -> None:
    """A run that stops a pod is killed right after it was recorded: the agent that begins ends what runs."""
    stage.run(pod("term=1"))
    process = Process("stop")
    stage.begin({"name": "web", "state": "stopped"}, process)
    stage.await_that(lambda: bool((record := Store().read_record("web")) and record.is_stopped), "the record")
    stage.host.scheduler.kill(process)
    stage.host.start_agent()
    stage.await_that(lambda: not stage.main().has_process, "the end of web/main")
    stage.host.scheduler.sleep(120)
    if stage.main().has_process:
        raise AssertionError("web/main was started again")


def container_whose_process_and_monitor_are_gone(stage: Stage) -> None:
    """Podman says that it runs; the agent makes it anew."""
    stage.host.start_agent()
    stage.host.scheduler.sleep(3)
    stage.run(pod())
    lost = stage.main()
    stage.host.podman.kill_monitor(lost)
    stage.host.podman.kill_process(lost)
    stage.await_that(
        lambda: (found := stage.host.podman.find("web-main")) is not None and found.id != lost.id and found.has_process,
        "another container",
    )


def update_to_what_ends_at_once(stage: Stage) -> None:
    """It runs for a moment, which is not to be taken for good."""
    stage.host.start_agent()
    stage.host.scheduler.sleep(3)
    stage.run(pod())
    result = stage.run(pod("exit=1@0.3"))
    if not isinstance(result, PodwrightError):
        raise AssertionError(f"the update was told as {result}")
    stage.await_that(lambda: stage.main().words == ["n=1"] and stage.main().has_process, "the container before")


def failing_step_with_rollback(stage: Stage) -> None:
    """An update that fails at one of its steps is taken back by the agent, which must not wait for itself."""
    stage.host.start_agent()
    stage.host.scheduler.sleep(3)
    stage.run(pod())
    broken = pod()
    broken["containers"][0]["image"] = "missing"
    result = stage.run(broken)
    if not isinstance(result, PodwrightError):
        raise AssertionError(f"the update was told as {result}")


def run_while_the_agent_begins(stage: Stage) -> None:
    """A run that was begun without the agent is the only writer until it is over."""
    init = {"name": "first", "image": IMAGE, "command": ["exit=0@8"]}
    results = stage.begin(pod(init_containers=[init]), Process("run"))
    stage.await_that(lambda: stage.host.podman.find("web-first") is not None, "the init container")
    stage.host.start_agent()
    stage.await_that(lambda: bool(results), "the end of the run")
    if isinstance(results[0], PodwrightError):
        raise AssertionError(f"the run failed: {results[0]}")
    first = stage.host.podman.find("web-first")
    if first is None or first.starts != 1:
        raise AssertionError("the init container was run again")


def container_renamed_by_a_stranger(stage: Stage) -> None:
    """It goes on until it is made anew, which is a restart as others are: the count never falls."""
    stage.host.start_agent()
    stage.host.scheduler.sleep(3)
    stage.run(pod())
    counts = [stage.restarts()]
    for _time in range(2):
        stage.main().name = "mine"
        stage.await_that(stage.has_run, "web-main")
        stage.host.scheduler.sleep(30)
        counts.append(stage.restarts())
        stage.host.podman.kill_process(stage.main())
        stage.host.scheduler.sleep(60)
        counts.append(stage.restarts())
    if counts != [0, 1, 2, 3, 4]:
        raise AssertionError(f"the counts of restarts were {counts}")


def update_within_a_second_and_lost(stage: Stage) -> None:
    """What came in a container's place within the second is counted when it is lost."""
    stage.host.start_agent()
    stage.host.scheduler.sleep(3)
    stage.run(pod())
    stage.run(pod("ready=0"))
    for expected in (1, 2):
        stage.host.scheduler.sleep(60)
        stage.host.podman.drop(stage.main())
        stage.await_that(stage.has_run, "web-main")
        stage.host.scheduler.sleep(60)
        if stage.restarts() != expected:
            raise AssertionError(f"after {expected} losses the count of restarts is {stage.restarts()}")


def init_container_lost_while_it_is_waited_for(stage: Stage) -> None:
    """Its process and its monitor are gone, so that Podman calls it running for ever: it is made anew."""
    stage.host.start_agent()
    stage.host.scheduler.sleep(3)
    init = {"name": "first", "image": IMAGE, "command": ["exit=0@8"]}
    results = stage.begin(pod(init_containers=[init]))
    stage.await_that(lambda: (found := stage.host.podman.find("web-first")) is not None and found.has_process, "it")
    stage.lose("web-first")
    stage.await_that(lambda: bool(results), "the end of the run")
    if isinstance(results[0], PodwrightError):
        raise AssertionError(f"the run failed: {results[0]}")
    if not stage.main().has_process:
        raise AssertionError("web/main does not run")


def sidecar_lost_while_it_is_waited_for(stage: Stage) -> None:
    """The same of a sidecar that has not started yet by its probe."""
    _hinder_helper(stage, lambda found: stage.lose(found.name))


def sidecar_unwatched_while_it_is_waited_for(stage: Stage) -> None:
    """Only its monitor is gone: it is made anew, and what waits for it comes."""
    _hinder_helper(stage, stage.host.podman.kill_monitor)


def sidecar_removed_while_it_is_waited_for(stage: Stage) -> None:
    """Somebody removes it by hand: it is made anew."""
    _hinder_helper(stage, stage.host.podman.drop)


def _hinder_helper(stage: Stage, hinder: Callable[[SimulatedContainer], None]) -> None:
    """Do this to a sidecar that has not started yet by its probe; the run has to come to a good end all the same."""
    stage.host.start_agent()
    stage.host.scheduler.sleep(3)
    probe = {"exec": {"command": ["ask"]}, "period_seconds": 1, "failure_threshold": 60}
    helper = {"name": "helper", "image": IMAGE, "command": ["ready=8"], "restart_policy": "Always"}
    results = stage.begin(pod(init_containers=[{**helper, "startup_probe": probe}]))
    stage.await_that(lambda: (found := stage.host.podman.find("web-helper")) is not None and found.has_process, "it")
    found = stage.host.podman.find("web-helper")
    if found is None:
        raise AssertionError("web/helper is not there")
    hinder(found)
    stage.await_that(lambda: bool(results), "the end of the run")
    if isinstance(results[0], PodwrightError):
        raise AssertionError(f"the run failed: {results[0]}")


def hook_while_the_sandbox_cannot_be_seen(stage: Stage) -> None:
    """The sandbox has ended, and Podman does not tell of it: a hook that runs in the container is run all the same."""
    hooked = pod()
    hooked["containers"][0]["lifecycle"] = {"pre_stop": {"exec": {"command": ["leave"]}}}
    stage.run(hooked)
    main, infra = stage.main(), stage.host.podman.find("web-infra")
    if infra is None:
        raise AssertionError("web has no sandbox")
    stage.host.podman.kill_process(infra)
    stage.host.podman.refused = {"/containers/web-infra/json"}
    stage.run({"name": "web", "state": "absent"})
    if (main.id, main.starts) not in stage.host.hooks:
        raise AssertionError("web/main is ended without its preStop")


STORIES: Mapping[str, Callable[[Stage], None]] = {
    story.__name__: story
    for story in (
        stop_that_was_killed,
        container_whose_process_and_monitor_are_gone,
        update_to_what_ends_at_once,
        failing_step_with_rollback,
        run_while_the_agent_begins,
        container_renamed_by_a_stranger,
        update_within_a_second_and_lost,
        init_container_lost_while_it_is_waited_for,
        sidecar_lost_while_it_is_waited_for,
        sidecar_unwatched_while_it_is_waited_for,
        sidecar_removed_while_it_is_waited_for,
        hook_while_the_sandbox_cannot_be_seen,
    )
}


def failures_of(host: SimulatedHost, story: str) -> list[str]:
    """What did not hold in a story, nothing where all of it did."""
    try:
        STORIES[story](Stage(host))
    except AssertionError as error:
        return [str(error)]
    return host.scheduler.errors
