# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in a simulation, as its seed has it, and what must hold at every moment and in the end.

Steps come one after the other, seconds apart, while the runs that they begin go on: so runs meet each other, kills, and
a Podman that lies. In the end all faults stop, and once the host has come to rest everything is held to account.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import LABEL_DIGESTS
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run, stack_run

from . import shop
from .declarations import SECRET, Options, Version, new_version
from .scheduler import Process, Thread
from .shop import STACK, Shop, StackVersion
from .simulated_host import SimulatedHost
from .simulated_podman import Faults, SimulatedContainer, SimulatedPod

POD_NAMES = ("db", "web", "jobs")
ALL_PODS = (*POD_NAMES, *shop.PODS)
REST_SECONDS = 1800.0
"""How long a host may take to come to rest: a back-off is five minutes at most, and may just have begun."""
RUN_SECONDS = 7200.0
WAIT_SECONDS = 60
"""What runs wait for at most: longer than all back-offs but the longest."""
_LOOK_SECONDS = 35.0
_LOOP_SECONDS = 300.0
_LOOP_STARTS = 12
"""What a back-off of 10, 20, 40 ... s allows, twice over: a run may begin a pod anew meanwhile."""
_NOTICED_SECONDS = 5.0
"""How long what has just been recorded may go unnoticed by what had begun before."""
STRANGER = "stranger"


class Violation(Exception):
    """Something that must hold does not; the text says what, and when it was seen."""


@dataclass
class Client:
    """A run that was begun; ``result`` is None until it ends, and then what it answered or raised."""

    pod: str
    """Or the stack."""
    what: str
    version: Version | StackVersion | None
    process: Process
    thread: Thread | None = None
    result: Options | PodwrightError | None = None

    @property
    def is_over(self) -> bool:
        return self.thread is None or self.thread.is_over


@dataclass
class Wanted:
    """What a pod is to be, as far as the runs have said by now. Unsure after runs side by side, or one that failed."""

    version: Version | StackVersion | None = None
    state: str = "absent"
    is_sure: bool = True


@dataclass
class Scenario:
    """One simulation of ``steps`` steps."""

    host: SimulatedHost
    steps: int
    log: list[str] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    wanted: dict[str, Wanted] = field(default_factory=lambda: {name: Wanted() for name in (*POD_NAMES, STACK)})
    made: dict[str, list[Version]] = field(default_factory=lambda: {name: [] for name in ALL_PODS})
    shop: Shop = field(default_factory=Shop)
    starts: dict[tuple[str, tuple[str, ...]], list[float]] = field(default_factory=dict)
    restarts: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Of each pod the digests of what its main container was made from, and how often that was told as restarted."""
    recorded_at: dict[str, float] = field(default_factory=dict)
    """When a record of each pod was written last."""
    behind_until: float = 0.0
    """Until when (monotonic seconds) the clock shows times that it has shown before."""
    numbers: int = 0

    # --- the whole -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Carry it out. Raises Violation."""
        host, chance = self.host, self.host.scheduler.random
        for image in ("app:1", "app:2"):
            host.podman.images[image] = f"{image[-1]}".rjust(64, "a")
        self._place_stranger()
        host.podman.on_change = self._hold_one_writer
        host.podman.on_start, host.podman.on_stop = self._hold_start, self._hold_stop
        host.podman.on_remove = self._hold_removal
        with _Watching(self):
            if chance.random() < 0.8:
                host.start_agent()
            for _number in range(self.steps):
                host.scheduler.sleep(chance.choice((0.0, 0.0, 0.05, 0.3, 1.0, 4.0)))
                self._take_in()
                self._step()
                self._raise_errors()
            self._come_to_rest()

    def _say(self, text: str) -> None:
        self.log.append(f"{self.host.scheduler.now:10.3f} {text}")

    def _fail(self, text: str) -> None:
        raise Violation(text)

    def _raise_errors(self) -> None:
        if self.host.scheduler.errors:
            self._fail("\n".join(self.host.scheduler.errors))

    # --- steps ---------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        """One thing that happens to the host: what finds nothing to happen to is no step, and another one is drawn."""
        chance = self.host.scheduler.random
        steps: tuple[tuple[int, Callable[[str], bool]], ...] = (
            (8, self._apply_good),
            (4, self._apply_bad),
            (5, self._apply_again),
            (2, self._stop),
            (2, self._remove),
            (3, self._apply_good_stack),
            (2, self._apply_bad_stack),
            (2, self._apply_stack_again),
            (1, self._remove_stack),
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
        weights, chosen = [weight for weight, _step in steps], [step for _weight, step in steps]
        while not chance.choices(chosen, weights)[0](chance.choice(POD_NAMES)):
            pass

    def _apply_good(self, pod: str) -> bool:
        return self._begin(pod, "started", lambda: self._new_version(pod, is_good=True))

    def _apply_bad(self, pod: str) -> bool:
        return self._begin(pod, "started", lambda: self._new_version(pod, is_good=False))

    def _apply_again(self, pod: str) -> bool:
        versions = [version for version in self.made[pod] if version.is_good]
        again = versions and self._begin(pod, "started", lambda: self.host.scheduler.random.choice(versions[-2:]))
        return bool(again)

    def _stop(self, pod: str) -> bool:
        return self._begin(pod, "stopped", lambda: None)

    def _remove(self, pod: str) -> bool:
        return self._begin(pod, "absent", lambda: None)

    def _apply_good_stack(self, pod: str) -> bool:
        return self._begin(STACK, "started", lambda: self._new_stack(is_good=True))

    def _apply_bad_stack(self, pod: str) -> bool:
        return self._begin(STACK, "started", lambda: self._new_stack(is_good=False))

    def _apply_stack_again(self, pod: str) -> bool:
        versions = [version for version in self.shop.versions if version.is_good]
        again = versions and self._begin(STACK, "started", lambda: self.host.scheduler.random.choice(versions[-2:]))
        return bool(again)

    def _remove_stack(self, pod: str) -> bool:
        return self._begin(STACK, "absent", lambda: None)

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
                self._say(f"kill -9 of the run {client.what} {client.pod}")
                self.host.scheduler.kill(client.process)
                return True
        return False

    def _kill_agent(self, pod: str) -> bool:
        if not self.host.agent_is_up:
            return False
        self._say("kill -9 of the agent")
        self.host.kill_agent()
        return True

    def _end_agent(self, pod: str) -> bool:
        if not self.host.agent_is_up:
            return False
        self._say("the agent ends")
        self.host.end_agent()
        return True

    def _start_agent(self, pod: str) -> bool:
        if self.host.agent_is_up:
            return False
        self._say("the agent starts")
        self.host.start_agent()
        return True

    def _cut_power(self, pod: str) -> bool:
        self._say("the power is cut")
        clients = [client.process for client in self.clients if not client.is_over]
        self.host.cut_power(clients)
        for wanted in self.wanted.values():
            # What a run had said good-bye with may be gone from the disk, or not be there yet.
            wanted.is_sure = False
        # As may be what was written down of restarts.
        self.restarts.clear()
        self._start_agent(pod)
        return True

    def _set_clock(self, pod: str) -> bool:
        seconds = self.host.scheduler.random.choice((-3600.0, -5.0, 5.0, 3600.0))
        self._say(f"the clock is set by {seconds:+.0f} s")
        self.host.scheduler.wall_offset += seconds
        # What ended before seems to be later than what follows.
        self.behind_until = max(self.behind_until, self.host.scheduler.now - seconds)
        return True

    def _set_faults(self, pod: str) -> bool:
        chance, names = self.host.scheduler.random, [*Faults.__dataclass_fields__]
        rates = {name: chance.choice((0.02, 0.1)) for name in chance.sample(names, 2)} if chance.random() < 0.6 else {}
        if self.host.podman.faults == Faults(**rates):
            return False
        self._say(f"Podman's faults: {rates or 'none'}")
        self.host.podman.faults = Faults(**rates)
        return True

    def _strike(self, what: str, pod: str, act: Callable[[SimulatedContainer], None], with_infra: bool = True) -> bool:
        """Do it to a container that runs of a pod, or of the stack, where there is one."""
        pods = (pod, *(shop.PODS if self.host.scheduler.random.random() < 0.3 else ()))
        running = [found for pod in pods for found in self._running(pod) if with_infra or not found.is_infra]
        if not running:
            return False
        found = self.host.scheduler.random.choice(running)
        self._say(f"{what} {found.name}")
        act(found)
        return True

    def _running(self, pod: str) -> list[SimulatedContainer]:
        found = self.host.podman.pod_named(pod)
        return [c for c in self.host.podman.of_pod(found.id) if c.has_process] if found else []

    # --- runs ----------------------------------------------------------------------------------------------------

    def _begin(self, pod: str, state: str, choose: Callable[[], Version | StackVersion | None]) -> bool:
        """Begin a run, in the agent where there is one and else as a process of its own; not while that begins."""
        host = self.host
        has_agent = host.agent_is_up and hasattr(host.agent, "events")
        if not has_agent and host.agent_is_up:
            return False
        version = choose()
        process = host.agent_process if has_agent and host.agent_process else Process(f"run {self.numbers}")
        agent = host.agent if has_agent else None
        self.numbers += 1
        what = f"{state} {version or ''}"
        client = Client(pod, what, version, process)
        wanted = self.wanted[pod]
        # Of two runs at once either may be the last.
        others = [other for other in self.clients if other.pod == pod and not other.is_over]
        wanted.is_sure = not others
        wanted.version, wanted.state = version, state
        for other in others:
            other.what += " (not alone)"
        options = {**(version.options if version else {}), "name": pod, "state": state, "wait_timeout": WAIT_SECONDS}
        run = stack_run.run_stack if pod == STACK else pod_run.run_pod
        self._say(f"run {what} on {pod} {'by the agent' if agent else 'without the agent'}")

        def work() -> None:
            try:
                client.result = run(options, False, agent=agent)
            except PodwrightError as error:
                client.result = error

        client.thread = host.scheduler.start(f"run {pod}", process, work)
        self.clients.append(client)
        return True

    def _take_in(self) -> None:
        """Judge the runs that have ended."""
        for client in [client for client in self.clients if client.is_over]:
            self.clients.remove(client)
            wanted = self.wanted[client.pod]
            told = "was killed" if client.result is None else "failed" if self._has_failed(client) else "is ok"
            self._say(f"run {client.what} on {client.pod} {told}: {str(client.result)[:160]}")
            if self._has_failed(client) or client.result is None or "not alone" in client.what:
                wanted.is_sure = False
            elif client.version and not client.version.is_good:
                self._fail(f"a run on {client.pod} said ok of what can never be ready: {client.what}")
            elif client.pod == STACK and client.version:
                self.shop.note_done()

    def _has_failed(self, client: Client) -> bool:
        return isinstance(client.result, PodwrightError)

    def _new_version(self, pod: str, is_good: bool) -> Version:
        self.numbers += 1
        version = new_version(self.host.scheduler.random, pod, self.numbers, self.made[pod], is_good)
        self.made[pod].append(version)
        return version

    def _new_stack(self, is_good: bool) -> StackVersion:
        self.numbers += 1
        version = self.shop.new_version(self.host.scheduler.random, self.numbers, is_good)
        for name, pod in version.pods.items():
            self.made[name].append(pod)
        return version

    # --- what must hold at every moment --------------------------------------------------------------------------

    def _hold_one_writer(self, what: str, pod: str) -> None:
        """Whoever changes a pod holds its lock."""
        if pod not in ALL_PODS:
            self.host.scheduler.errors.append(f"{what} of {pod}, which is a stranger's")
            return
        if what == "create pod" and pod == shop.WEB:
            self._hold_dependency()
        path = self.host.directory / "state" / "locks" / pod
        if not path.exists():
            self.host.scheduler.errors.append(f"{what} of {pod} without a lock")
            return
        with open(path) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return
        thread = self.host.scheduler.current
        self.host.scheduler.errors.append(f"{what} of {pod} by {thread.name} while nobody held its lock")

    def _hold_dependency(self) -> None:
        """What waits for a pod does not come up while that is on record as what can never be ready."""
        known_for = self.host.scheduler.now - self.recorded_at.get(shop.DB, 0.0)
        if known_for > _NOTICED_SECONDS and not self._is_good(shop.DB, Store()):
            self._accuse(f"{shop.WEB} comes up, and {shop.DB} can never be ready")

    def _hold_start(self, found: SimulatedContainer) -> None:
        """Init containers have ended well before a main container starts, and a container that loops waits longer."""
        declared = self._declaration_of(found)
        if declared is None:
            return
        pod, container = declared
        members = {c.name: c for c in self.host.podman.of_pod(found.pod_id)}
        for init in pod.init_containers if pod.role_of(container) == "app" else ():
            there = members.get(f"{pod.name}-{init.name}")
            is_sidecar = pod.role_of(init) == "sidecar"
            # One that is not there was removed by hand.
            if there is not None and not (there.starts if is_sidecar else there.ended_at):
                self._accuse(f"{found.name} starts before {init.name} is done")
        starts = self.starts.setdefault((found.name, tuple(found.words)), [])
        starts.append(self.host.scheduler.now)
        recent = [moment for moment in starts if moment > self.host.scheduler.now - _LOOP_SECONDS]
        if len(recent) > _LOOP_STARTS and found.program.exit_after is not None:
            self._accuse(f"{found.name} was started {len(recent)} times in {_LOOP_SECONDS:.0f} s")

    def _hold_stop(self, found: SimulatedContainer) -> None:
        """What is ended on purpose has had its hook."""
        declared = self._declaration_of(found)
        if declared is None or not found.has_process or not found.has_monitor:
            return
        _pod, container = declared
        has_hook = container.lifecycle is not None and container.lifecycle.pre_stop is not None
        # One that was killed while its hook ran Podman may just have started again.
        is_young = self.host.scheduler.now - found.started_at < _NOTICED_SECONDS
        runs = {(found.id, found.starts), (found.id, found.starts - int(is_young))}
        if has_hook and not runs & self.host.hooks:
            self._accuse(f"{found.name} is ended without its preStop")

    def _hold_removal(self, found: SimulatedContainer) -> None:
        """What runs and is watched is stopped first; what had ended Podman may have started again by its policy."""
        is_up = found.said == "running" and found.has_process and found.has_monitor
        if is_up and not found.is_infra and found.body.get("restart_policy") == "no":
            self._accuse(f"{found.name} is removed while it runs")

    def _declaration_of(self, found: SimulatedContainer) -> tuple[s.PodSpec, s.Container] | None:
        """The declaration that a container was made from, by the words of its command."""
        pod_name = next((name for name in ALL_PODS if found.name.startswith(f"{name}-")), "")
        for version in reversed(self.made.get(pod_name, [])):
            container = version.spec.find(found.name[len(pod_name) + 1 :])
            mains = version.spec.containers[0].command
            main = self.host.podman.find(f"{pod_name}-main")
            if container and [*container.command] == found.words and main and [*mains] == main.words:
                return version.spec, container
        return None

    def _accuse(self, text: str) -> None:
        self.host.scheduler.errors.append(text)

    def judge_record(self, pod: str, record: Record) -> None:
        """A record that says of a declaration that it became ready."""
        self.recorded_at[pod] = self.host.scheduler.now
        bad = [version for version in self.made.get(pod, ()) if not version.is_good]
        if record.is_verified and any(version.is_that_of(record) for version in bad):
            self.host.scheduler.errors.append(f"the record of {pod} says of what can never be ready that it was")

    def judge_status(self, pod: str, status: Mapping[str, Any]) -> None:
        """A status that is written down: the count of restarts of what stays the same never falls."""
        is_behind = self.host.scheduler.now < self.behind_until
        owner = STACK if pod in shop.PODS else pod
        if is_behind or any(client.pod == owner and not client.is_over for client in self.clients):
            # It may be becoming something else, or go.
            self.restarts.pop(pod, None)
            return
        told = next(item for item in status["containerStatuses"] if item["name"] == "main")
        found = self.host.podman.containers.get(told.get("containerID", "").removeprefix("podman://"))
        if found is None:
            return
        if Store().stopped(pod, "main") == found.id:
            # What comes after a stop on purpose has a history of its own.
            self.restarts.pop(pod, None)
            return
        made_of, count = found.labels.get(LABEL_DIGESTS, ""), told["restartCount"]
        known = self.restarts.get(pod)
        if known and known[0] == made_of and count < known[1]:
            self._accuse(f"the restarts of {pod}-main were {known[1]} and are {count}")
        self.restarts[pod] = made_of, count

    # --- the end -------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> None:
        host = self.host
        host.podman.faults = Faults()
        if not host.agent_is_up:
            self._start_agent("")
        self._say("all faults stop")
        host.scheduler.wait(lambda: all(client.is_over for client in self.clients), RUN_SECONDS)
        late = [client.what for client in self.clients if not client.is_over]
        if late:
            self._fail(f"runs do not end: {late}")
        self._take_in()
        self._raise_errors()
        ends_at = host.scheduler.now + REST_SECONDS
        while True:
            host.scheduler.sleep(_LOOK_SECONDS)
            self._raise_errors()
            if not host.agent_is_up:
                self._fail("the agent has ended")
            try:
                self._hold_to_account()
            except Violation:
                if host.scheduler.now > ends_at:
                    raise
            else:
                break

    def _hold_to_account(self) -> None:
        store = Store()
        for pod in ALL_PODS:
            self._hold_pod_to_account(store, pod)
        self._hold_stack_to_account(store)
        self._hold_leaks(store)
        self._hold_secrets()
        stranger = self.host.podman.find(STRANGER)
        if stranger is None:
            self._fail("a stranger's container was touched")

    def _hold_pod_to_account(self, store: Store, pod: str) -> None:
        record, wanted = store.read_record(pod), self._wanted_of(pod)
        if wanted.is_sure:
            if wanted.state == "absent" and record is not None:
                self._fail(f"{pod} was removed and is on record")
            if (
                wanted.state == "started"
                and isinstance(wanted.version, Version)
                and not (record and wanted.version.is_that_of(record) and not record.is_stopped)
            ):
                self._fail(f"{pod} is not what the last run made it")
            if wanted.state == "stopped" and record and not record.is_stopped:
                self._fail(f"{pod} was stopped and is not")
        found = self.host.podman.pod_named(pod)
        if record is None:
            if found:
                self._fail(f"{pod} is on no record, and there")
            return
        if pod == shop.WEB and not self._is_good(shop.DB, store):
            # It waits for what can never be ready.
            return
        self._hold_to_record(pod, record, found)
        if not record.is_stopped:
            self._hold_phase(pod, record)
            if pod in POD_NAMES:
                self._hold_unchanged(pod, record)

    def _is_good(self, pod: str, store: Store) -> bool:
        record = store.read_record(pod)
        return record is None or any(v.is_good for v in self.made[pod] if v.is_that_of(record))

    def _wanted_of(self, pod: str) -> Wanted:
        """What a pod is to be, also by the last word on its stack: one that is no longer declared is to be gone."""
        if pod in POD_NAMES:
            return self.wanted[pod]
        wanted = self.wanted[STACK]
        version = wanted.version.pods.get(pod) if isinstance(wanted.version, StackVersion) else None
        return Wanted(version, wanted.state if version else "absent", wanted.is_sure)

    def _hold_stack_to_account(self, store: Store) -> None:
        fault = self.shop.faults(set(self.host.podman.volumes))
        if fault:
            self._fail(fault)
        wanted, current = self.wanted[STACK], self.shop.record().current
        if not wanted.is_sure:
            return
        if wanted.state == "absent" and current:
            self._fail(f"{STACK} was removed, and is on record")
        if isinstance(wanted.version, StackVersion):
            told = stack_run.run_stack({**wanted.version.options, "state": "started"}, True, agent=self.host.agent)
            if told["changed"]:
                self._fail(f"one more run on {STACK} would do: {told['actions']}")

    def _hold_to_record(self, pod: str, record: Record, found: SimulatedPod | None) -> None:
        members = self.host.podman.of_pod(found.id) if found else []
        by_name = {c.name: c for c in members}
        if record.is_stopped:
            if any(c.has_process for c in members):
                self._fail(f"{pod} is stopped, and runs")
            return
        for container in record.applied.pod.all_containers:
            if record.applied.pod.role_of(container) == "init":
                continue
            there = by_name.get(f"{pod}-{container.name}")
            if there is None:
                self._fail(f"{pod}/{container.name} is not there")
            elif [*container.command] != there.words:
                self._fail(f"{pod}/{container.name} is of another declaration")
            elif not there.has_process and there.program.exit_after is None:
                self._fail(f"{pod}/{container.name} does not run (Podman says {there.said})")
            elif there.has_process and _has_post_start(container) and (there.id, there.starts) not in self.host.hooks:
                self._fail(f"{pod}/{container.name} runs without its postStart")
        names = {f"{pod}-{c.name}" for c in record.applied.pod.all_containers} | {f"{pod}-infra"}
        if by_name.keys() - names:
            self._fail(f"{pod} has left-over containers {sorted(by_name.keys() - names)}")

    def _hold_unchanged(self, pod: str, record: Record) -> None:
        options = next((v.options for v in self.made[pod] if v.is_that_of(record)), None)
        if options is None:
            self._fail(f"{pod} is on record as nothing that was ever declared")
            return
        told = pod_run.run_pod({**options, "state": "started"}, True, agent=self.host.agent)
        if told["changed"] and not _loops(record):
            self._fail(f"one more run on {pod} would do: {told['actions']}")

    def _hold_phase(self, pod: str, record: Record) -> None:
        phase = self.host.agent.keeper_of(pod).view.status.get("phase")
        if phase != "Running" and not _loops(record):
            self._fail(f"{pod} runs, and its phase is {phase}")

    def _hold_leaks(self, store: Store) -> None:
        recorded = set(store.recorded_pods())
        keepers = {keeper.name for keeper in self.host.agent.keepers()}
        if keepers != recorded:
            self._fail(f"pods {sorted(recorded)} have the keepers {sorted(keepers)}")
        threads = [thread.name for thread in self.host.scheduler.threads]
        for name in set(threads):
            if name.startswith("pod ") and threads.count(name) > 1:
                self._fail(f"{threads.count(name)} threads keep {name}")
        state = self.host.directory / "state"
        left = [path for path in _walk(state) if path.name.startswith(".") and not path.name.startswith("..")]
        left = [path for path in left if path.parent.name != "locks"]
        if left:
            self._fail(f"left behind: {[str(path.relative_to(state)) for path in left]}")

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
            self._fail("a secret is told")

    def _place_stranger(self) -> None:
        podman = self.host.podman
        pod = SimulatedPod(podman.new_id(), "strangers", {}, podman.now)
        podman.pods[pod.id] = pod
        made = SimulatedContainer(podman.new_id(), STRANGER, pod.id, {}, "app:1", podman.images["app:1"])
        podman.containers[made.id] = made
        podman.start(made)


class _Watching:
    """Have each record and each status judged as it is written."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._real = Store.write_record, Store.write_status

    def __enter__(self) -> None:
        (real_record, real_status), scenario = self._real, self._scenario

        def write_record(store: Store, pod: str, record: Record) -> None:
            scenario.judge_record(pod, record)
            real_record(store, pod, record)

        def write_status(store: Store, pod: str, status: Mapping[str, Any]) -> None:
            scenario.judge_status(pod, status)
            real_status(store, pod, status)

        Store.write_record, Store.write_status = write_record, write_status  # type: ignore[method-assign]

    def __exit__(self, *_error: object) -> None:
        Store.write_record, Store.write_status = self._real  # type: ignore[method-assign]


def _loops(record: Record) -> bool:
    """Whether a container of the pod ends again and again."""
    return any(word.startswith("exit=") for c in record.applied.pod.all_containers for word in c.command)


def _has_post_start(container: s.Container) -> bool:
    return container.lifecycle is not None and container.lifecycle.post_start is not None


def _walk(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*")) if directory.is_dir() else []


def outcome_of(host: SimulatedHost, steps: int) -> tuple[str, list[str]]:
    """Carry out a scenario; what it was found guilty of, empty for nothing, and its log."""
    scenario = Scenario(host, steps)
    try:
        scenario.run()
    except (Violation, PodwrightError) as violation:
        return f"at {host.scheduler.now:.3f} s: {violation}".replace(str(host.directory), "HOST"), scenario.log
    return "", scenario.log
