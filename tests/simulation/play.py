# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every simulation has: runs that begin and end, what is done to the host meanwhile, and the way to its rest.

Steps come one after the other, seconds apart, while the runs that they begin go on: so runs meet each other, kills, and
a Podman that lies. In the end all faults stop, and once the host has come to rest everything is held to account.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

from .declarations import SECRET, Options
from .scheduler import Process, Thread
from .simulated_host import SimulatedHost
from .simulated_podman import Faults, SimulatedContainer, SimulatedPod

REST_SECONDS = 1800.0
"""How long a host may take to come to rest: a back-off is five minutes at most, and may just have begun."""
RUN_SECONDS = 7200.0
WAIT_SECONDS = 60
"""What runs wait for at most: longer than all back-offs but the longest."""
_LOOK_SECONDS = 35.0
_MOST_RUNS = 2
"""How many runs on one object may go on at a time: more would only wait for each other."""
STRANGER = "stranger"

Step = Callable[[str], bool]
"""Something that happens; told of a pod that it may happen to, it tells whether it has happened."""


class Violation(Exception):
    """Something that must hold does not; the text says what, and when it was seen."""


class Declared(Protocol):
    """What a run declares, and whether it can ever become ready."""

    @property
    def options(self) -> Options: ...

    @property
    def is_good(self) -> bool: ...


@dataclass
class Client:
    """A run that was begun; ``result`` is None until it ends, and then what it answered or raised."""

    name: str
    """Of the pod or stack."""
    what: str
    version: Declared | None
    process: Process
    thread: Thread | None = None
    result: Options | PodwrightError | None = None
    is_alone: bool = True

    @property
    def is_over(self) -> bool:
        return self.thread is None or self.thread.is_over

    @property
    def has_failed(self) -> bool:
        return isinstance(self.result, PodwrightError)

    def __str__(self) -> str:
        return f"{self.what} on {self.name}{'' if self.is_alone else ' (not alone)'}"


@dataclass
class Wanted:
    """What a pod or stack is to be, as far as the runs have said by now.

    Unsure after runs side by side, or one that failed.
    """

    version: Declared | None = None
    state: str = "absent"
    is_sure: bool = True


@dataclass
class Play:
    """One simulation of ``steps`` steps; a kind of them says what is declared, and what must hold."""

    stacks: ClassVar[Collection[str]] = ()
    """The names that are those of stacks."""

    host: SimulatedHost
    steps: int
    log: list[str] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    numbers: int = 0

    # --- what a kind of simulation says --------------------------------------------------------------------------

    @property
    def own_steps(self) -> tuple[tuple[int, Step], ...]:
        """What may happen beside faults, each with its weight."""
        raise NotImplementedError

    def pods(self) -> Collection[str]:
        """The pods that runs are on, and that something may be done to by hand."""
        raise NotImplementedError

    def other_pods(self) -> Collection[str]:
        """More pods that something may be done to by hand."""
        return ()

    def owns(self, pod: str) -> bool:
        """Whether a pod is one of ours."""
        raise NotImplementedError

    def hold_change(self, what: str, pod: str) -> None:
        """Judge a call to Podman that is about to change a pod of ours."""

    def hold_start(self, found: SimulatedContainer) -> None:
        """Judge a container that is about to start."""

    def hold_stop(self, found: SimulatedContainer) -> None:
        """Judge a container that is asked to stop."""

    def hold_removal(self, found: SimulatedContainer) -> None:
        """Judge a container that is about to be removed."""

    def judge_record(self, pod: str, record: Record) -> None:
        """Judge the record of a pod that is about to be written."""

    def judge_status(self, pod: str, status: Mapping[str, Any]) -> None:
        """Judge the status of a pod that is about to be written."""

    def note_done(self, client: Client) -> None:
        """A run has said ok of a declaration that can be ready."""

    def note_power_cut(self) -> None:
        """What was not on disk is gone."""

    def hold_to_account(self) -> None:
        """Judge the host at rest. Raises Violation."""
        raise NotImplementedError

    # --- the whole -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Carry it out. Raises Violation."""
        host, chance = self.host, self.host.scheduler.random
        for image in ("app:1", "app:2"):
            host.podman.images[image] = f"{image[-1]}".rjust(64, "a")
        self._place_stranger()
        host.podman.on_change = self._hold_one_writer
        host.podman.on_start, host.podman.on_stop = self.hold_start, self.hold_stop
        host.podman.on_remove = self.hold_removal
        with _Watching(self):
            if chance.random() < 0.8:
                host.start_agent()
            for _number in range(self.steps):
                host.scheduler.sleep(chance.choice((0.0, 0.0, 0.05, 0.3, 1.0, 4.0)))
                self._take_in()
                self._step()
                self._raise_errors()
            self._come_to_rest()

    def say(self, text: str) -> None:
        self.log.append(f"{self.host.scheduler.now:10.3f} {text}")

    def fail(self, text: str) -> None:
        raise Violation(text)

    def accuse(self, text: str) -> None:
        """What was seen within a thread of the collection; the simulation ends with it."""
        self.host.scheduler.errors.append(text)

    def _raise_errors(self) -> None:
        if self.host.scheduler.errors:
            self.fail("\n".join(self.host.scheduler.errors))

    # --- steps ---------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        """One thing that happens to the host: what finds nothing to happen to is no step, and another one is drawn."""
        chance, pods = self.host.scheduler.random, [*self.pods()] or [""]
        steps = (*self.own_steps, *self._faults)
        weights, chosen = [weight for weight, _step in steps], [step for _weight, step in steps]
        while not chance.choices(chosen, weights)[0](chance.choice(pods)):
            pass

    @property
    def _faults(self) -> tuple[tuple[int, Step], ...]:
        return (
            (8, self._kill_process),
            (4, self._kill_monitor),
            (4, self._kill_monitor_and_process),
            (5, self._remove_by_hand),
            (3, self._stop_by_hand),
            (3, self._rename_by_hand),
            (3, self._kill_client),
            (3, self._kill_agent),
            (2, self._end_agent),
            (5, self._start_agent),
            (1, self._cut_power),
            (1, self._set_clock),
            (5, self._set_faults),
        )

    def _kill_process(self, pod: str) -> bool:
        return self._strike("kill -9 of the process of", pod, self.host.podman.kill_process)

    def _kill_monitor(self, pod: str) -> bool:
        return self._strike("kill -9 of the monitor of", pod, self.host.podman.kill_monitor)

    def _kill_monitor_and_process(self, pod: str) -> bool:
        def kill(found: SimulatedContainer) -> None:
            self.host.podman.kill_monitor(found)
            self.host.podman.kill_process(found)

        return self._strike("kill -9 of the monitor and the process of", pod, kill)

    def _remove_by_hand(self, pod: str) -> bool:
        return self._strike("podman rm -f", pod, self.host.podman.drop, with_infra=False)

    def _stop_by_hand(self, pod: str) -> bool:
        return self._strike("podman stop", pod, self.host.podman.end_as_told)

    def _rename_by_hand(self, pod: str) -> bool:
        def rename(found: SimulatedContainer) -> None:
            self.numbers += 1
            found.name = f"{found.name}-of-mine-{self.numbers}"
            self.host.podman.tell("rename", found)

        return self._strike("podman rename", pod, rename, with_infra=False)

    def _kill_client(self, pod: str) -> bool:
        for client in self.clients:
            if not client.is_over and client.process is not self.host.agent_process:
                self.say(f"kill -9 of the run {client}")
                self.host.scheduler.kill(client.process)
                return True
        return False

    def _kill_agent(self, pod: str) -> bool:
        if not self.host.agent_is_up:
            return False
        self.say("kill -9 of the agent")
        self.host.kill_agent()
        return True

    def _end_agent(self, pod: str) -> bool:
        if not self.host.agent_is_up:
            return False
        self.say("the agent ends")
        self.host.end_agent()
        return True

    def _start_agent(self, pod: str) -> bool:
        if self.host.agent_is_up:
            return False
        self.say("the agent starts")
        self.host.start_agent()
        return True

    def _cut_power(self, pod: str) -> bool:
        self.say("the power is cut")
        clients = [client.process for client in self.clients if not client.is_over]
        self.host.cut_power(clients)
        for wanted in self.wanted.values():
            # What a run had said good-bye with may be gone from the disk, or not be there yet.
            wanted.is_sure = False
        self.note_power_cut()
        self._start_agent(pod)
        return True

    def _set_clock(self, pod: str) -> bool:
        seconds = self.host.scheduler.random.choice((-3600.0, -5.0, 5.0, 3600.0))
        self.say(f"the clock is set by {seconds:+.0f} s")
        self.host.scheduler.wall_offset += seconds
        self.note_clock_set(seconds)
        return True

    def note_clock_set(self, seconds: float) -> None:
        """The clock was set ahead by so many seconds."""

    def _set_faults(self, pod: str) -> bool:
        chance, names = self.host.scheduler.random, [*Faults.__dataclass_fields__]
        rates = {name: chance.choice((0.02, 0.1)) for name in chance.sample(names, 2)} if chance.random() < 0.6 else {}
        if self.host.podman.faults == Faults(**rates):
            return False
        self.say(f"Podman's faults: {rates or 'none'}")
        self.host.podman.faults = Faults(**rates)
        return True

    def _strike(self, what: str, pod: str, act: Callable[[SimulatedContainer], None], with_infra: bool = True) -> bool:
        """Do it to a container that runs of a pod, or of others, where there is one."""
        pods = (pod, *(self.other_pods() if self.host.scheduler.random.random() < 0.3 else ()))
        running = [found for pod in pods for found in self._running(pod) if with_infra or not found.is_infra]
        if not running:
            return False
        found = self.host.scheduler.random.choice(running)
        self.say(f"{what} {found.name}")
        act(found)
        return True

    def _running(self, pod: str) -> list[SimulatedContainer]:
        found = self.host.podman.pod_named(pod)
        return [c for c in self.host.podman.of_pod(found.id) if c.has_process] if found else []

    # --- runs ----------------------------------------------------------------------------------------------------

    def begin(self, name: str, state: str, choose: Callable[[], Declared | None]) -> bool:
        """Begin a run, in the agent where there is one and else as a process of its own; not while that begins."""
        host = self.host
        has_agent = host.agent_answers
        others = [other for other in self.clients if other.name == name and not other.is_over]
        if (not has_agent and host.agent_is_up) or len(others) >= _MOST_RUNS:
            return False
        version = choose()
        process = host.agent_process if has_agent and host.agent_process else Process(f"run {self.numbers}")
        agent = host.agent if has_agent else None
        self.numbers += 1
        client = Client(name, f"{state} {version or ''}".strip(), version, process)
        # Of two runs at once either may be the last.
        self.wanted[name] = Wanted(version, state, is_sure=not others)
        for other in others:
            other.is_alone = False
        options = {**(version.options if version else {}), "name": name, "state": state, "wait_timeout": WAIT_SECONDS}
        run = stack_run.run_stack if name in self.stacks else pod_run.run_pod
        self.say(f"run {client} {'by the agent' if agent else 'without the agent'}")

        def work() -> None:
            try:
                client.result = run(options, False, agent=agent)
            except PodwrightError as error:
                client.result = error

        client.thread = host.scheduler.start(f"run {name}", process, work)
        self.clients.append(client)
        return True

    def _take_in(self) -> None:
        """Judge the runs that have ended."""
        for client in [client for client in self.clients if client.is_over]:
            self.clients.remove(client)
            wanted = self.wanted[client.name]
            told = "was killed" if client.result is None else "failed" if client.has_failed else "is ok"
            self.say(f"run {client} {told}: {str(client.result)[:160]}")
            if client.has_failed or client.result is None or not client.is_alone:
                wanted.is_sure = False
            elif client.version and not client.version.is_good:
                self.fail(f"a run on {client.name} said ok of what can never be ready: {client.what}")
            elif client.version:
                self.note_done(client)

    # --- what must hold at every moment --------------------------------------------------------------------------

    def _hold_one_writer(self, what: str, pod: str) -> None:
        """Whoever changes a pod holds its lock."""
        if not self.owns(pod):
            self.accuse(f"{what} of {pod}, which is a stranger's")
            return
        self.hold_change(what, pod)
        path = self.host.directory / "state" / "locks" / pod
        if not path.exists():
            self.accuse(f"{what} of {pod} without a lock")
            return
        with open(path) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return
        self.accuse(f"{what} of {pod} by {self.host.scheduler.current.name} while nobody held its lock")

    # --- the end -------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        host = self.host
        host.podman.faults = Faults()
        if not host.agent_is_up:
            self._start_agent("")
        self.say("all faults stop")
        host.scheduler.wait(lambda: all(client.is_over for client in self.clients), RUN_SECONDS)
        late = [str(client) for client in self.clients if not client.is_over]
        if late:
            self.fail(f"runs do not end: {late}")
        self._take_in()
        self._raise_errors()
        ends_at = host.scheduler.now + REST_SECONDS
        while True:
            host.scheduler.sleep(_LOOK_SECONDS)
            self._raise_errors()
            if not host.agent_is_up:
                self.fail("the agent has ended")
            try:
                self._hold_all_to_account()
            except Violation:
                if host.scheduler.now > ends_at:
                    raise
            else:
                break

    def _hold_all_to_account(self) -> None:
        self.hold_to_account()
        self._hold_leaks(Store())
        self._hold_secrets()
        stranger = self.host.podman.find(STRANGER)
        if stranger is None:
            self.fail("a stranger's container was touched")

    def hold_containers(self, pod: str, record: Record, found: SimulatedPod | None) -> None:
        """Judge the containers of a pod by its record. Raises Violation."""
        members = self.host.podman.of_pod(found.id) if found else []
        by_name = {c.name: c for c in members}
        if record.is_stopped:
            if any(c.has_process for c in members):
                self.fail(f"{pod} is stopped, and runs")
            return
        for container in record.applied.pod.all_containers:
            if record.applied.pod.role_of(container) == "init":
                continue
            there = by_name.get(f"{pod}-{container.name}")
            if there is None:
                self.fail(f"{pod}/{container.name} is not there")
            elif [*container.command] != there.words:
                self.fail(f"{pod}/{container.name} is of another declaration")
            elif not there.has_process and there.program.exit_after is None:
                self.fail(f"{pod}/{container.name} does not run (Podman says {there.said})")
            elif (
                there.has_process
                and container.lifecycle is not None
                and container.lifecycle.post_start is not None
                and (there.id, there.starts) not in self.host.hooks
            ):
                self.fail(f"{pod}/{container.name} runs without its postStart")
        names = {f"{pod}-{c.name}" for c in record.applied.pod.all_containers} | {f"{pod}-infra"}
        if by_name.keys() - names:
            self.fail(f"{pod} has left-over containers {sorted(by_name.keys() - names)}")

    def _hold_leaks(self, store: Store) -> None:
        recorded = set(store.recorded_pods())
        keepers = {keeper.name for keeper in self.host.agent.keepers()}
        if keepers != recorded:
            self.fail(f"pods {sorted(recorded)} have the keepers {sorted(keepers)}")
        unknown = {pod.name for pod in self.host.podman.pods.values() if self.owns(pod.name)} - recorded
        if unknown:
            self.fail(f"pods {sorted(unknown)} are on no record, and there")
        threads = [thread.name for thread in self.host.scheduler.threads]
        for name in set(threads):
            if name.startswith("pod ") and threads.count(name) > 1:
                self.fail(f"{threads.count(name)} threads keep {name}")
        state = self.host.directory / "state"
        left = [path for path in _walk(state) if path.name.startswith(".") and not path.name.startswith("..")]
        left = [path for path in left if path.parent.name != "locks"]
        if left:
            self.fail(f"left behind: {[str(path.relative_to(state)) for path in left]}")

    def _hold_secrets(self) -> None:
        podman = self.host.podman
        shown = json.dumps(
            [
                [podman.inspected(c) for c in podman.containers.values()],
                [c.body.get("labels") for c in podman.containers.values()],
                [event.message for event in self.host.agent.events.list()],
                [keeper.view.status for keeper in self.host.agent.keepers()],
            ],
            default=str,
        )
        if SECRET in shown:
            self.fail("a secret is told")

    def _place_stranger(self) -> None:
        podman = self.host.podman
        pod = SimulatedPod(podman.new_id(), "strangers", {}, podman.now)
        podman.pods[pod.id] = pod
        made = SimulatedContainer(podman.new_id(), STRANGER, pod.id, {}, "app:1", podman.images["app:1"])
        podman.containers[made.id] = made
        podman.start(made)


class _Watching:
    """Have each record and each status judged as it is written."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._real = Store.write_record, Store.write_status

    def __enter__(self) -> None:
        (real_record, real_status), play = self._real, self._play

        def write_record(store: Store, pod: str, record: Record) -> None:
            play.judge_record(pod, record)
            real_record(store, pod, record)

        def write_status(store: Store, pod: str, status: Mapping[str, Any]) -> None:
            play.judge_status(pod, status)
            real_status(store, pod, status)

        Store.write_record, Store.write_status = write_record, write_status  # type: ignore[method-assign]

    def __exit__(self, *_error: object) -> None:
        Store.write_record, Store.write_status = self._real  # type: ignore[method-assign]


def _walk(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*")) if directory.is_dir() else []


def loops(record: Record) -> bool:
    """Whether a container of the pod ends again and again."""
    return any(word.startswith("exit=") for c in record.applied.pod.all_containers for word in c.command)


def outcome_of(play: Play) -> str:
    """Carry out a simulation; what it was found guilty of, empty for nothing."""
    try:
        play.run()
    except (Violation, PodwrightError) as violation:
        return f"at {play.host.scheduler.now:.3f} s: {violation}".replace(str(play.host.directory), "HOST")
    return ""
