# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs and CronJobs on real Podman, counted by what their pods write down themselves."""

from __future__ import annotations

import datetime
import os
import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from agent_process import AgentProcess
from pod_runs import Options, await_true, container
from podman_host import PodmanHost
from scaled_clock import ScaledClock
from stack_runs import StackRuns

from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._runs.run_failure import RunFailed

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))


def noted(what: str, name: str) -> str:
    """A shell's words that write down when something was, in seconds since the machine has come up."""
    return f"read up rest < /proc/uptime; echo {what} $up >> /log/{name}"


def template(script: str, directory: Path) -> Options:
    """A pod that runs a script once, with a folder of the host at /log."""
    directory.mkdir(exist_ok=True)
    directory.chmod(0o777)
    mount = {"name": "log", "mount_path": "/log"}
    return {
        "containers": [container(script=script, volume_mounts=[mount])],
        "volumes": [{"name": "log", "host_path": {"path": str(directory)}}],
        "restart_policy": "Never",
        "termination_grace_period_seconds": 1,
    }


def stack(**fields: Any) -> Options:
    return {"name": "shop", "pods": [], **fields}


def lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def run_stack(agent: AgentProcess, options: Options, **more: Any) -> Options:
    sent = {"run": "run_stack", "options": {**options, **more}, "check": False}
    result: Options = agent.client.post("/run", sent)
    return result


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parallelism", "limit"),
    [pytest.param(1, 1, marks=pytest.mark.long), (3, 2), pytest.param(10, 3, marks=pytest.mark.long)],
)
def test_no_more_pods_fail_than_the_limit_and_those_beside(
    runs: StackRuns, tmp_path: Path, parallelism: int, limit: int
) -> None:
    """Each pod fails, after a time of its own. Kubernetes' issues 70251, 60735, 92245, 62382."""
    log = tmp_path / "log"
    script = f"{noted('start', 'ends')}; sleep 0.$((RANDOM % 10)); {noted('end', 'ends')}; exit 1"
    job = {"name": "sum", "template": template(script, log), "parallelism": parallelism, "completions": 20}
    with pytest.raises(RunFailed, match="Job sum: BackoffLimitExceeded"):
        runs.apply(stack(jobs=[{**job, "backoff_limit": limit}]), on_failure="keep")
    (found,) = [item for item in runs.info()["workloads"] if item["kind"] == "Job"]
    assert limit < found["status"]["failed"] <= limit + parallelism
    begun = starts(log)
    assert limit < begun <= limit + parallelism
    # Nothing begins afterwards.
    time.sleep(1)
    assert starts(log) == begun


def starts(log: Path) -> int:
    return [what for what, _up in lines(log / "ends")].count("start")


def test_each_index_succeeds_once_and_the_job_goes_in_its_time(agent: AgentProcess, tmp_path: Path) -> None:
    log = tmp_path / "log"
    # The third index fails the first time.
    script = (
        "index=$JOB_COMPLETION_INDEX; [ $index != 2 ] || [ -e /log/tried ] || { touch /log/tried; exit 1; }; "
        "echo $index $HOSTNAME >> /log/done"
    )
    job = {"name": "sum", "template": template(script, log), "completion_mode": "Indexed", "completions": 4}
    declared = stack(jobs=[{**job, "parallelism": 4, "ttl_seconds_after_finished": 4, "backoff_limit": 2}])
    told = run_stack(agent, declared)
    (one,) = [item for item in told["objects"] if item["kind"] == "Job"]
    assert (one["status"]["completedIndexes"], one["status"]["failed"]) == ("0-3", 1)
    assert sorted(lines(log / "done")) == [[str(index), f"sum-{index}"] for index in range(4)]
    await_true(lambda: agent.client.get("/workloads") == [])
    await_true(lambda: agent.host.podman("pod", "ls", "--quiet") == "")
    assert run_stack(agent, declared)["actions"] == []


def test_what_has_ended_does_not_run_again_with_the_agent(in_host: PodmanHost, tmp_path: Path) -> None:
    """Whatever parts of a second lie between the pod's record and its start."""
    log, clock = tmp_path / "log", ScaledClock(time.time() + 86400.9, 1)
    agent = AgentProcess(in_host, preamble=clock.preamble)
    agent.start()
    try:
        job = {"name": "once", "template": template("echo $HOSTNAME >> /log/runs", log)}
        run_stack(agent, stack(jobs=[job]))
        agent.kill()
        agent.start()
        (pod,) = in_host.podman("pod", "ls", "--format", "{{.Name}}").split()
        await_true(lambda: agent.status(pod).get("phase") == "Succeeded")
        time.sleep(2)
        assert agent.status(pod)["phase"] == "Succeeded"
        agent.kill()
        # Its end is cut off once nothing is left of it in Podman.
        store = Store(in_host.state_directory)
        record = store.read_record(pod)
        assert record is not None
        store.write_record(pod, replace(record, is_stopped=True))
        in_host.podman("pod", "rm", "--force", pod)
        agent.start()
        await_true(lambda: not store.knows(pod))
        assert run_stack(agent, stack(jobs=[job]))["actions"] == []
    finally:
        agent.stop()
    assert lines(log / "runs") == [[pod]]


# --- times -----------------------------------------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")


class Change(NamedTuple):
    """A change of summer time in Berlin. ``at`` is when the clocks are set, in UTC; ``hours`` those around it."""

    at: datetime.datetime
    hours: str


CHANGES = {
    "spring": Change(datetime.datetime(2035, 3, 25, 1, tzinfo=datetime.UTC), "1,3"),
    "autumn": Change(datetime.datetime(2035, 10, 28, 1, tzinfo=datetime.UTC), "2"),
}


class Slots:
    """An agent with a fast clock, killed now and then while its CronJobs have their times.

    ``each`` has a Job each minute, whatever comes between; ``alone`` has some that take longer than a minute, and never
    two at a time.
    """

    def __init__(self, host: PodmanHost, directory: Path, change: Change, count: int, seconds_each: float) -> None:
        self.count, self.seconds_each = count, seconds_each
        self.first = int(change.at.timestamp()) // 60 - count // 2
        """The number of the first minute, since 1970."""
        self.clock = ScaledClock(self.first * 60 - 75, 60 / seconds_each)
        self.log = directory / "log"
        alone = f"{noted('start', 'alone')}; sleep {1.4 * seconds_each}; {noted('end', 'alone')}"
        common = {"schedule": f"* {change.hours} * * *", "time_zone": BERLIN.key}
        self.declared = stack(
            cron_jobs=[
                {
                    **common,
                    "name": "each",
                    "catch_up": "all",
                    "job_template": {"template": template("echo $HOSTNAME >> /log/each", self.log)},
                },
                {
                    **common,
                    "name": "alone",
                    "concurrency_policy": "Forbid",
                    "job_template": {"template": template(alone, self.log)},
                },
            ]
        )
        self.agent = AgentProcess(host, preamble=self.clock.preamble)

    def play(self, chance: random.Random) -> int:
        """Until all times have come; returns how often the agent was killed."""
        kills, end = 0, (self.first + self.count) * 60
        while self.clock.time() < end:
            time.sleep(min(chance.uniform(1, 12), max((end - self.clock.time()) / self.clock.scale, 0.1)))
            if self.clock.time() < end:
                self.agent.kill()
                kills += 1
                self.agent.start()
        return kills

    def minutes(self) -> list[int]:
        """Those whose Job has run, as the names of their pods tell them."""
        return [int(name.split("-")[1]) for (name,) in lines(self.log / "each")]


@pytest.mark.parametrize("season", [pytest.param("spring"), pytest.param("autumn", marks=pytest.mark.long)])
def test_each_minute_around_a_change_of_summer_time_has_its_job_once(
    in_host: PodmanHost, tmp_path: Path, season: str
) -> None:
    count, seconds_each = (60, 6.0) if IS_FULL else (4, 4.0)
    seed = random.randrange(10**6)
    slots = Slots(in_host, tmp_path, CHANGES[season], count, seconds_each)
    slots.agent.start()
    try:
        run_stack(slots.agent, slots.declared)
        kills = slots.play(random.Random(seed))
        wanted = range(slots.first, slots.first + count)
        # A busy machine is behind.
        await_true(lambda: {*wanted} <= {*slots.minutes()}, 600)
        run_stack(slots.agent, stack(cron_jobs=[]), allow_empty=True)
    finally:
        slots.agent.kill()
    counts = Counter(slots.minutes())
    assert {minute: counts[minute] for minute in wanted} == dict.fromkeys(wanted, 1), f"seed {seed}"
    assert kills >= (20 if IS_FULL else 1)
    told = [what for what, _up in lines(slots.log / "alone")]
    assert told[:1] == ["start"]
    # One that runs when its CronJob goes does not end by itself.
    assert told == [("start", "end")[number % 2] for number in range(len(told))], f"seed {seed}"
