# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and faults by chance on one host, and what has to hold whenever it has come to rest.

An `Episode` is all that follows from one seed: the same declarations, changes and faults in the same order, aimed at
the same containers. What is not the same is how far each of them has come when the next one strikes.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import host_at_rest as rest
from agent_process import AgentProcess
from host_at_rest import BYSTANDER, Holdings, Violation, Watcher
from pod_runs import Options, cgroup_path, write_memory_limit
from podman_host import BUSYBOX, PodmanHost
from random_declarations import BREAKS, Wanted, changed, wanted_by_chance

from ansible_collections.podwright.pods.plugins.module_utils._agent import client as agent_client
from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError, PodwrightError
from playbooks import REPOSITORY

ROUNDS = 6
REST_SECONDS = 240
"""How long the host may take to come to rest: back-offs, a repair of files after half a minute, a busy machine."""
WELL_SECONDS = 180
RUN_SECONDS = 3 * WELL_SECONDS
"""By then a run has come to an end, be it by its own bound."""
BROKEN_SECONDS = 8
THREADS_ALLOWED = 10
FILES_ALLOWED = 14
"""How many more threads and files than a fresh one an agent may have that keeps nothing: those of its pools."""
JOURNAL_LINES = 40

MODULE = f"""
import json, sys
from {agent_client.__package__} import client
kind, options = json.load(sys.stdin)
client.through(kind)(options, False, False)
"""
"""A module's work: by the agent where one is there, else by itself."""


@dataclass(frozen=True)
class State:
    """What is wanted of a unit."""

    pods: tuple[Wanted, ...]
    is_there: bool = True
    is_stopped: bool = False


@dataclass
class Unit:
    """What is declared together: one pod, or the pods of a stack, each of which waits for the one before it."""

    name: str
    state: State
    is_stack: bool = False
    is_unsure: bool = False
    """Whether a run may have been cut off: only another run makes sure that the state is met."""
    revisions: list[tuple[Wanted, ...]] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        return self.state.is_there and not self.state.is_stopped

    def options(self, state: State) -> Options:
        if not state.is_there or state.is_stopped:
            return {"name": self.name, "state": "stopped" if state.is_there else "absent"}
        if not self.is_stack:
            return {**state.pods[0].options(), "wait_timeout": WELL_SECONDS}
        configuration = [pod.configuration() for pod in state.pods]
        return {
            "name": self.name,
            "pods": [pod.pod_options() for pod in state.pods],
            "config_maps": [item for found in configuration for item in found["config_maps"]],
            "secrets": [item for found in configuration for item in found["secrets"]],
            "depends_on": {b.name: [{"pod": a.name}] for a, b in zip(state.pods, state.pods[1:], strict=False)},
            "wait_timeout": WELL_SECONDS,
        }


@dataclass(frozen=True)
class Run:
    """A run on a unit: what it is given, and what is wanted once it is over."""

    title: str
    unit: Unit
    options: Options
    after: State
    is_to_fail: bool = False

    @property
    def function(self) -> str:
        return "run_stack" if self.unit.is_stack else "run_pod"

    def __str__(self) -> str:
        return f"{self.title} {self.unit.name}"


# --- what is done ----------------------------------------------------------------------------------------------------


def apply(unit: Unit, chance: random.Random) -> Run:
    """A declaration that is well: the first one, another one, or the same after a stop."""
    if not unit.state.is_there:
        fresh = tuple(wanted_by_chance(pod.name, chance) for pod in unit.state.pods)
        return _well("create", unit, State(fresh))
    if unit.state.is_stopped:
        return _well("start", unit, State(unit.state.pods))
    number = chance.randrange(len(unit.state.pods))
    pod, title = changed(unit.state.pods[number], chance)
    pods = (*unit.state.pods[:number], pod, *unit.state.pods[number + 1 :])
    return _well(f"change {title} of {pod.name} in", unit, State(pods))


def _well(title: str, unit: Unit, after: State) -> Run:
    return Run(title, unit, unit.options(after), after)


def break_(unit: Unit, chance: random.Random) -> Run:
    """A declaration that does not come up, and is taken back."""
    if not unit.is_running:
        return apply(unit, chance)
    title = chance.choice(list(BREAKS))
    options = {**unit.options(unit.state), "wait_timeout": BROKEN_SECONDS}
    if unit.is_stack:
        last = dict(options["pods"][-1])
        BREAKS[title](last)
        options["pods"] = [*options["pods"][:-1], last]
    else:
        BREAKS[title](options)
    return Run(f"break ({title})", unit, options, unit.state, is_to_fail=True)


def stop(unit: Unit, chance: random.Random) -> Run:
    if not unit.is_running:
        return apply(unit, chance)
    return _well("stop", unit, replace(unit.state, is_stopped=True))


def remove(unit: Unit, chance: random.Random) -> Run:
    if not unit.state.is_there:
        return apply(unit, chance)
    return _well("remove", unit, replace(unit.state, is_there=False, is_stopped=False))


def roll_back(unit: Unit, chance: random.Random) -> Run:
    """To the revision before, where there is one."""
    if not unit.is_running or not unit.is_stack or len(unit.revisions) < 2:
        return apply(unit, chance)
    options = {"name": unit.name, "state": "rolled_back", "wait_timeout": WELL_SECONDS}
    return Run("roll back", unit, options, State(unit.revisions[-2]))


RUNS: Mapping[Callable[[Unit, random.Random], Run], int] = {apply: 10, break_: 5, stop: 2, remove: 2, roll_back: 3}
"""How often each kind of run comes, against the others."""


# --- faults ----------------------------------------------------------------------------------------------------------


def kill(pid: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def pid_of(host: PodmanHost, name: str, kind: str = "Pid") -> int:
    """A container's first process or its monitor (``ConmonPid``); 0 for none, or where the container is not there."""
    with contextlib.suppress(Exception):
        found = host.inspect(name)
        pid = int(found["State"].get(kind) or 0)
        own = Path(f"/proc/{pid}/cgroup" if kind == "Pid" else f"/proc/{pid}/cmdline").read_text()
        return pid if found["Id"] in own else 0
    return 0


@dataclass(frozen=True)
class Aim:
    """What a fault is aimed at."""

    host: PodmanHost
    pod: Wanted
    container: str

    @property
    def name(self) -> str:
        return f"{self.pod.name}-{self.container}"

    @property
    def infra(self) -> str:
        return f"{self.pod.name}-infra"

    def podman(self, *arguments: str) -> None:
        self.host.podman(*arguments, check=False)


def process_killed(aim: Aim) -> None:
    kill(pid_of(aim.host, aim.name))


def infra_killed(aim: Aim) -> None:
    kill(pid_of(aim.host, aim.infra))


def monitor_killed(aim: Aim) -> None:
    kill(pid_of(aim.host, aim.name, "ConmonPid"))


def monitor_and_process_killed(aim: Aim) -> None:
    process = pid_of(aim.host, aim.name)
    monitor_killed(aim)
    kill(process)


def infra_monitor_and_process_killed(aim: Aim) -> None:
    monitor_and_process_killed(replace(aim, container="infra"))


def removed(aim: Aim) -> None:
    aim.podman("rm", "--force", "--time", "0", aim.name)


def pod_removed(aim: Aim) -> None:
    aim.podman("pod", "rm", "--force", "--time", "0", aim.pod.name)


def stopped(aim: Aim) -> None:
    aim.podman("stop", "--time", "1", aim.name)


def pod_stopped(aim: Aim) -> None:
    aim.podman("pod", "stop", "--time", "1", aim.pod.name)


def paused(aim: Aim) -> None:
    with contextlib.suppress(Exception), aim.host.api() as api:
        api.post(f"/containers/{aim.name}/pause")


def renamed(aim: Aim) -> None:
    aim.podman("rename", aim.name, f"{aim.name}-of-mine")


def files_removed(aim: Aim) -> None:
    for path in aim.host.state_directory.glob(f"pods/{aim.pod.name}/files/*/..data/*"):
        path.unlink()


def limit_changed(aim: Aim) -> None:
    pid = pid_of(aim.host, f"{aim.pod.name}-main")
    if pid and aim.pod.shape.has_limit:
        with contextlib.suppress(OSError):
            write_memory_limit(cgroup_path(pid), 128 << 20)


FAULTS: Mapping[Callable[[Aim], None], int] = {
    process_killed: 6,
    infra_killed: 4,
    monitor_killed: 3,
    monitor_and_process_killed: 3,
    infra_monitor_and_process_killed: 2,
    removed: 4,
    pod_removed: 2,
    stopped: 3,
    pod_stopped: 2,
    paused: 3,
    renamed: 2,
    files_removed: 2,
    limit_changed: 2,
}
"""How often each fault comes, against the others."""


# --- one seed --------------------------------------------------------------------------------------------------------


class Episode:
    """All that follows from a seed, on a host that is empty before and afterwards."""

    def __init__(self, host: PodmanHost, seed: int, replay: str) -> None:
        """``replay`` is the command that does the same again."""
        self.host = host
        self.seed = seed
        self.replay = replay
        self.chance = random.Random(seed)
        self.agent = AgentProcess(host)
        self.watcher = Watcher(host)
        self.journal: list[str] = []
        self._begun_at = time.monotonic()
        self._marks: dict[str, str] = {}
        self._made: dict[str, str] = {}
        # The shape of a pod is chosen when it is created.
        names = [("one",), ("two",), ("pile-a", "pile-b")]
        self.units = [
            Unit(group[0].partition("-")[0], State(tuple(wanted_by_chance(n, self.chance) for n in group), False))
            for group in names
        ]
        self.units[-1].is_stack = True

    def note(self, text: str) -> None:
        self.journal.append(f"{time.monotonic() - self._begun_at:7.2f} s  {text}")

    # --- the whole ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Raises Violation with what came before it, and with the command that does the same again."""
        self.watcher.start()
        try:
            self._prepare()
            for number in range(ROUNDS):
                scene = self._create if number == 0 else self._choose(SCENES)
                self.note(f"round {number}: {scene.__name__.strip('_')}")
                scene(self) if number else scene()
                self._settle()
            self._finish()
        except (Violation, PodwrightError, RuntimeError, AssertionError, OSError) as error:
            last = "\n  ".join(self.journal[-JOURNAL_LINES:])
            text = f"{type(error).__name__}: {error}\nBefore it:\n  {last}\nThe same again: {self.replay}"
            raise Violation(text) from error
        finally:
            self.watcher.end()
            self.agent.stop()

    def _choose(self, weights: Mapping[Callable[..., object], int]) -> Callable[..., Any]:
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def _prepare(self) -> None:
        volume = ("--volume", f"{BYSTANDER}-data:/data")
        self.host.podman("run", "--detach", "--name", BYSTANDER, *volume, BUSYBOX, "sleep", "86400")
        self.agent.start()
        self.before = Holdings.of(self.host)
        self.bystander = rest.starts(self.host)[BYSTANDER]
        self.figures = rest.process_figures(self.agent.pid)

    def _create(self) -> None:
        self._do([apply(unit, self.chance) for unit in self.units])

    # --- scenes ------------------------------------------------------------------------------------------------------

    def _some_runs(self) -> list[Run]:
        units = self.chance.sample(self.units, self.chance.randint(1, 3))
        return [self._choose(RUNS)(unit, self.chance) for unit in units]

    def _some_faults(self) -> list[tuple[float, Callable[[], None]]]:
        """What strikes, and how long after the one before it (seconds)."""
        found = []
        running = [unit for unit in self.units if unit.is_running]
        for _time in range(self.chance.randint(1, 2)):
            pause = self.chance.uniform(0, 1.5)
            if self.chance.random() < 0.15 or not running:
                found.append((pause, self._choose({self._kill_agent: 2, self._kill_service: 1})))
                continue
            pod = self.chance.choice(self.chance.choice(running).state.pods)
            fault, aim = self._choose(FAULTS), Aim(self.host, pod, self.chance.choice(pod.lasting))
            found.append((pause, self._striking(fault, aim)))
        return found

    def _striking(self, fault: Callable[[Aim], None], aim: Aim) -> Callable[[], None]:
        def strike() -> None:
            self.note(f"fault: {fault.__name__} {aim.name}")
            fault(aim)

        return strike

    def _kill_agent(self) -> None:
        self.note("fault: the agent is killed")
        self.agent.kill()
        self.agent.start()

    def _kill_service(self) -> None:
        self.note("fault: Podman's service is killed")
        if self.host.service is not None:
            self.host.service.kill()
            self.host.service.wait()
        self.host.stop_service()
        self.host.start_service()

    def _strike(self, faults: Sequence[tuple[float, Callable[[], None]]]) -> None:
        for pause, strike in faults:
            time.sleep(pause)
            strike()

    def quiet(self) -> None:
        """Runs side by side, and nothing else: each has to end as it is meant to."""
        self._do(self._some_runs())

    def faults(self) -> None:
        """Nobody runs anything: the agent alone puts it right."""
        self._strike(self._some_faults())

    def faults_in_runs(self) -> None:
        runs, faults = self._some_runs(), self._some_faults()
        self._do(runs, is_sure=False, meanwhile=lambda: self._strike(faults))

    def rivals(self) -> None:
        """Two clients want the same pods otherwise; the last word is said afterwards."""
        unit = self.chance.choice(self.units)
        one, other = apply(unit, self.chance), apply(unit, self.chance)
        self._do([one, other], is_sure=False)

    def killed_module(self) -> None:
        """A module's process is killed in the middle; with the agent it is the agent that goes on."""
        run = self._choose(RUNS)(self.chance.choice(self.units), self.chance)
        seconds = self.chance.uniform(0.3, 2.5)
        self._do([run], is_sure=False, way=lambda run: self._by_module(run, seconds))

    def without_agent(self) -> None:
        """The agent is away for a while, and modules do the work themselves; one of them may be killed."""
        is_killed, seconds = self.chance.random() < 0.4, self.chance.uniform(0.5, 3)
        runs, faults = self._some_runs(), self._some_faults()
        faults = [item for item in faults if item[1] not in (self._kill_agent, self._kill_service)]
        self.note("the agent goes away")
        self.agent.stop()
        self._do(runs, is_sure=not is_killed, way=lambda run: self._by_module(run, seconds if is_killed else None))
        self._strike(faults)
        self.agent.start()
        self.note("the agent is back")

    def agent_comes_meanwhile(self) -> None:
        """The agent begins while modules do the work themselves: it leaves their pods alone until they are done."""
        runs, seconds = self._some_runs(), self.chance.uniform(0.3, 3)

        def come() -> None:
            time.sleep(seconds)
            self.agent.start()
            self.note("the agent is back")

        self.note("the agent goes away")
        self.agent.stop()
        self._do(runs, meanwhile=come, way=lambda run: self._by_module(run, None))

    # --- runs --------------------------------------------------------------------------------------------------------

    def _do(
        self,
        runs: Sequence[Run],
        is_sure: bool = True,
        meanwhile: Callable[[], None] = lambda: None,
        way: Callable[[Run], None] | None = None,
    ) -> None:
        """Do all of them at once. ``is_sure``: each has to end as it is meant to."""
        tokens = [pod.token for run in runs for pod in run.after.pods]
        self.watcher.add_secrets(tokens)
        self.watcher.changing(pod.name for run in runs for pod in (*run.unit.state.pods, *run.after.pods))
        with ThreadPoolExecutor(len(runs)) as clients:
            results = [clients.submit(self._outcome, run, way or self._by_agent) for run in runs]
            meanwhile()
            outcomes = [result.result() for result in results]
        for run, outcome in zip(runs, outcomes, strict=True):
            if is_sure and bool(outcome) is not run.is_to_fail:
                raise Violation(f"{run}: {'failed: ' + outcome if outcome else 'was taken for good'}")
            self._take(run, is_sure)

    def _take(self, run: Run, is_sure: bool) -> None:
        unit = run.unit
        unit.state, unit.is_unsure = run.after, not is_sure
        if not run.after.is_there:
            unit.revisions = []
            gone = {f"{name}-scratch" for name in _names(run.after)}
            self._marks = {key: mark for key, mark in self._marks.items() if key not in gone}
        elif not run.is_to_fail and unit.revisions[-1:] != [run.after.pods]:
            unit.revisions = [*unit.revisions, run.after.pods] if is_sure else [run.after.pods]

    def _outcome(self, run: Run, way: Callable[[Run], None]) -> str:
        """What it failed with, empty where it did not."""
        self.note(f"begin: {run}")
        try:
            way(run)
        except PodwrightError as error:
            self.note(f"failed: {run}: {str(error)[:200]!r}")
            return str(error)
        self.note(f"done: {run}")
        return ""

    def _by_agent(self, run: Run) -> None:
        body = {"run": run.function, "options": run.options, "check": False}
        try:
            self.agent.client.post("/run", body, timeout_seconds=RUN_SECONDS)
        except HostError as error:
            # Of one that was killed the end is heard of at once.
            if "timed out" in str(error):
                raise Violation(f"{run} does not come to an end") from error
            raise

    def _by_module(self, run: Run, seconds: float | None) -> None:
        """By a process of its own, which is killed after so many seconds where it is not done by then."""
        request = [run.function, run.options]
        environment = {**self.host.environment, "PYTHONPATH": str(REPOSITORY / "collections")}
        with subprocess.Popen(
            [sys.executable, "-c", MODULE], env=environment, stdin=-1, stdout=-1, stderr=-1, text=True
        ) as process:
            try:
                _output, errors = process.communicate(json.dumps(request), seconds)
            except subprocess.TimeoutExpired:
                self.note(f"the module is killed: {run}")
                process.kill()
                _output, errors = process.communicate()
        if process.returncode:
            raise PodwrightError(f"exit status {process.returncode}: {errors[-1500:]}")

    # --- at rest -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Make sure of what is unsure, wait until all is met, and see that everything holds."""
        for unit in self.units:
            if unit.is_unsure:
                self._make_sure(unit)
        for unit in self.units:
            told = rest.await_empty(lambda unit=unit: self._unmet(unit), REST_SECONDS)
            if told:
                raise Violation(f"{unit.name} is not as it is wanted: {told}")
        self.watcher.at_rest()
        self.note("all is as wanted")
        self._see_that_nothing_is_to_be_done()
        self._see_that_data_stays()
        self._see_that_secrets_are_kept()
        if self.watcher.violations:
            raise Violation(self.watcher.violations[0])
        if rest.starts(self.host).get(BYSTANDER) != self.bystander:
            raise Violation("a container that is not ours was touched")

    def _make_sure(self, unit: Unit) -> None:
        states = [unit.state]
        if unit.state.is_stopped:
            states.insert(0, replace(unit.state, is_stopped=False))
        for state in states:
            self._do([Run("make sure of", unit, unit.options(state), state)])

    def _unmet(self, unit: Unit) -> str:
        names = _names(unit.state)
        if not unit.state.is_there:
            left = [name for name, item in self.host.containers().items() if item.get("PodName") in names]
            kept = [name for name in names if (self.host.state_directory / "pods" / name).exists()]
            return f"{left or kept} are left" if left or kept else ""
        try:
            told = (rest.unmet(self.host, self.agent, pod, unit.state.is_stopped) for pod in unit.state.pods)
            return next((f"{pod.name}: {text}" for pod, text in zip(unit.state.pods, told, strict=False) if text), "")
        except OSError as error:
            # A container has gone while it was looked at.
            return str(error)

    def _see_that_nothing_is_to_be_done(self) -> None:
        before = rest.starts(self.host)
        for unit in self.units:
            run = Run("again", unit, unit.options(unit.state), unit.state)
            result = self.agent.client.post("/run", {"run": run.function, "options": run.options, "check": False})
            if result["changed"] or result["actions"]:
                raise Violation(f"a second run on {unit.name} changes {result['actions']}")
        now = rest.starts(self.host)
        if now != before:
            touched = [name for name in {*now, *before} if now.get(name) != before.get(name)]
            raise Violation(f"second runs touched {touched}")

    def _see_that_data_stays(self) -> None:
        """What was written in volumes, and values that were generated."""
        for pod in (pod for unit in self.units if unit.is_running for pod in unit.state.pods):
            root = Path(f"/proc/{pid_of(self.host, f'{pod.name}-main')}/root")
            for place in pod.places:
                self._see_mark(f"{pod.name}-{place}", root / place / "mark")
            if pod.shape.has_generated:
                made = rest.variable(self.host, f"{pod.name}-main", "MADE")
                if not made or self._made.setdefault(pod.name, made) != made:
                    raise Violation(f"{pod.name}: a generated secret was {self._made.get(pod.name)!r} and is {made!r}")

    def _see_mark(self, key: str, path: Path) -> None:
        if key not in self._marks:
            self._marks[key] = f"{key} {len(self.journal)}"
            path.write_text(self._marks[key])
        elif not path.exists() or path.read_text() != self._marks[key]:
            raise Violation(f"what was written in {key} is gone")

    def _see_that_secrets_are_kept(self) -> None:
        self.watcher.add_secrets(rest.generated(self.host))
        secrets = self.watcher.secrets
        for title, text in rest.told_by(self.host, self.agent):
            found = next((secret for secret in secrets if secret in text), None)
            if found:
                at = text.index(found)
                raise Violation(f"a secret is in {title}: ...{text[max(at - 200, 0) : at + 60]!r}")

    def _finish(self) -> None:
        """All goes, and nothing is left over."""
        self.note("the end: all goes")
        runs = [remove(unit, self.chance) for unit in self.units if unit.state.is_there]
        if runs:
            self._do(runs)
        claims = {f"{name}-data" for unit in self.units for name in _names(unit.state)}
        told = rest.await_empty(lambda: Holdings.of(self.host).beyond(self.before, claims), 60)
        if told:
            raise Violation(f"left over: {told}")
        told = rest.await_empty(lambda: rest.temporaries(self.host.state_directory), 30)
        if told:
            raise Violation(f"left over in the state directory: {told}")
        told = rest.await_empty(self._surplus, 60)
        if told:
            raise Violation(told)
        self.note(f"the agent had {self.figures} threads and files, and has {rest.process_figures(self.agent.pid)}")

    def _surplus(self) -> str:
        threads, files = rest.process_figures(self.agent.pid)
        is_well = threads <= self.figures[0] + THREADS_ALLOWED and files <= self.figures[1] + FILES_ALLOWED
        return "" if is_well else f"the agent has {threads} threads and {files} files, a fresh one {self.figures}"


SCENES: Mapping[Callable[[Episode], None], int] = {
    Episode.quiet: 5,
    Episode.faults: 5,
    Episode.faults_in_runs: 5,
    Episode.rivals: 2,
    Episode.killed_module: 2,
    Episode.without_agent: 3,
    Episode.agent_comes_meanwhile: 3,
}
"""How often each kind of round comes, against the others."""


def _names(state: State) -> list[str]:
    return [pod.name for pod in state.pods]


def clear(host: PodmanHost) -> None:
    """Empty the host for the next episode."""
    host.clean()
    shutil.rmtree(host.state_directory, ignore_errors=True)
