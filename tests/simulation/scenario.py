# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in a simulation, as its seed has it, and what must hold at every moment and in the end.

Steps come one after the other, seconds apart, while the runs that they begin go on: so runs meet each other, kills, and
a Podman that lies. In the end all faults stop, and once the host has come to rest everything is held to account.
"""

from __future__ import annotations

import fcntl
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run

from .scheduler import Process, Thread
from .simulated_host import FAILING_COMMAND, SimulatedHost
from .simulated_podman import Faults, SimulatedContainer, SimulatedPod

Options = dict[str, Any]
POD_NAMES = ("db", "web", "jobs")
SECRET = "the-secret-value"
REST_SECONDS = 1800.0
"""How long a host may take to come to rest: a back-off is five minutes at most, and may just have begun."""
RUN_SECONDS = 7200.0
_LOOK_SECONDS = 35.0
_LOOP_SECONDS = 300.0
_LOOP_STARTS = 12
"""What a back-off of 10, 20, 40 ... s allows, twice over: a run may begin a pod anew meanwhile."""
STRANGER = "stranger"


class Violation(Exception):
    """Something that must hold does not; the text says what, and when it was seen."""


@dataclass(frozen=True)
class Version:
    """A declaration of a pod, and whether it can ever become ready."""

    options: Options
    is_good: bool

    @functools.cached_property
    def spec(self) -> s.PodSpec:
        return parse_options(self.options)


@dataclass
class Client:
    """A run that was begun; ``result`` is None until it ends, and then what it answered or raised."""

    pod: str
    what: str
    version: Version | None
    process: Process
    thread: Thread | None = None
    result: Options | PodwrightError | None = None

    @property
    def is_over(self) -> bool:
        return self.thread is None or self.thread.is_over


@dataclass
class Wanted:
    """What a pod is to be, as far as the runs have said by now. Unsure after runs side by side, or one that failed."""

    version: Version | None = None
    state: str = "absent"
    is_sure: bool = True


@dataclass
class Scenario:
    """One simulation of ``steps`` steps."""

    host: SimulatedHost
    steps: int
    log: list[str] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    wanted: dict[str, Wanted] = field(default_factory=lambda: {name: Wanted() for name in POD_NAMES})
    made: dict[str, list[Version]] = field(default_factory=lambda: {name: [] for name in POD_NAMES})
    starts: dict[tuple[str, tuple[str, ...]], list[float]] = field(default_factory=dict)
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
            for number in range(self.steps):
                host.scheduler.sleep(chance.choice((0.0, 0.0, 0.05, 0.3, 1.0, 4.0)))
                self._take_in()
                self._step(number)
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

    def _step(self, number: int) -> None:
        chance = self.host.scheduler.random
        steps: tuple[tuple[int, Callable[[str], None]], ...] = (
            (10, self._apply_good),
            (4, self._apply_bad),
            (6, self._apply_again),
            (2, self._stop),
            (2, self._remove),
            (6, self._kill_process),
            (3, self._kill_monitor),
            (3, self._kill_monitor_and_process),
            (3, self._remove_by_hand),
            (2, self._kill_client),
            (3, self._kill_agent),
            (2, self._end_agent),
            (5, self._start_agent),
            (1, self._cut_power),
            (1, self._set_clock),
            (4, self._set_faults),
            (8, lambda pod: None),
        )
        weights = [weight for weight, _step in steps]
        chosen = chance.choices([step for _weight, step in steps], weights)[0]
        chosen(chance.choice(POD_NAMES))

    def _apply_good(self, pod: str) -> None:
        self._begin(pod, "started", self._new_version(pod, is_good=True))

    def _apply_bad(self, pod: str) -> None:
        self._begin(pod, "started", self._new_version(pod, is_good=False))

    def _apply_again(self, pod: str) -> None:
        versions = [version for version in self.made[pod] if version.is_good]
        if versions:
            self._begin(pod, "started", self.host.scheduler.random.choice(versions[-2:]))

    def _stop(self, pod: str) -> None:
        self._begin(pod, "stopped", None)

    def _remove(self, pod: str) -> None:
        self._begin(pod, "absent", None)

    def _kill_process(self, pod: str) -> None:
        for found in self._choose_container(pod):
            self._say(f"kill -9 of the process of {found.name}")
            self.host.podman.kill_process(found)

    def _kill_monitor(self, pod: str) -> None:
        for found in self._choose_container(pod):
            self._say(f"kill -9 of the monitor of {found.name}")
            self.host.podman.kill_monitor(found)

    def _kill_monitor_and_process(self, pod: str) -> None:
        for found in self._choose_container(pod):
            self._say(f"kill -9 of the monitor and the process of {found.name}")
            self.host.podman.kill_monitor(found)
            self.host.podman.kill_process(found)

    def _remove_by_hand(self, pod: str) -> None:
        for found in self._choose_container(pod):
            if not found.is_infra:
                self._say(f"podman rm -f {found.name}")
                found.has_process = found.has_monitor = False
                del self.host.podman.containers[found.id]
                self.host.podman.tell("remove", found)

    def _kill_client(self, pod: str) -> None:
        for client in self.clients:
            if not client.is_over and client.process is not self.host.agent_process:
                self._say(f"kill -9 of the run {client.what} {client.pod}")
                self.host.scheduler.kill(client.process)
                break

    def _kill_agent(self, pod: str) -> None:
        if self.host.agent_is_up:
            self._say("kill -9 of the agent")
            self.host.kill_agent()

    def _end_agent(self, pod: str) -> None:
        if self.host.agent_is_up:
            self._say("the agent ends")
            self.host.end_agent()

    def _start_agent(self, pod: str) -> None:
        if not self.host.agent_is_up:
            self._say("the agent starts")
            self.host.start_agent()

    def _cut_power(self, pod: str) -> None:
        self._say("the power is cut")
        clients = [client.process for client in self.clients if not client.is_over]
        self.host.cut_power(clients)
        for wanted in self.wanted.values():
            # What a run had said good-bye with may be gone from the disk, or not be there yet.
            wanted.is_sure = False
        self._start_agent(pod)

    def _set_clock(self, pod: str) -> None:
        seconds = self.host.scheduler.random.choice((-3600.0, -5.0, 5.0, 3600.0))
        self._say(f"the clock is set by {seconds:+.0f} s")
        self.host.scheduler.wall_offset += seconds

    def _set_faults(self, pod: str) -> None:
        chance, names = self.host.scheduler.random, [*Faults.__dataclass_fields__]
        rates = {name: chance.choice((0.02, 0.1)) for name in chance.sample(names, 2)} if chance.random() < 0.6 else {}
        self._say(f"Podman's faults: {rates or 'none'}")
        self.host.podman.faults = Faults(**rates)

    def _choose_container(self, pod: str) -> list[SimulatedContainer]:
        found = self.host.podman.pod_named(pod)
        running = [c for c in self.host.podman.of_pod(found.id) if c.has_process] if found else []
        return [self.host.scheduler.random.choice(running)] if running else []

    # --- runs ----------------------------------------------------------------------------------------------------

    def _begin(self, pod: str, state: str, version: Version | None) -> None:
        """Begin a run, in the agent where there is one and else as a process of its own."""
        host = self.host
        has_agent = host.agent_is_up and hasattr(host.agent, "events")
        if not has_agent and host.agent_is_up:
            return
        process = host.agent_process if has_agent and host.agent_process else Process(f"run {self.numbers}")
        keeper = host.agent if has_agent else None
        self.numbers += 1
        what = f"{state} {version.options['containers'][0]['command'] if version else ''}"
        client = Client(pod, what, version, process)
        wanted = self.wanted[pod]
        # Of two runs at once either may be the last.
        others = [other for other in self.clients if other.pod == pod and not other.is_over]
        wanted.is_sure = not others
        wanted.version, wanted.state = version, state
        for other in others:
            other.what += " (not alone)"
        options = {**(version.options if version else {}), "name": pod, "state": state, "wait_timeout": 120}
        self._say(f"run {what} on {pod} {'by the agent' if keeper else 'without the agent'}")

        def work() -> None:
            try:
                client.result = pod_run.run_pod(options, False, keeper=keeper)
            except PodwrightError as error:
                client.result = error

        client.thread = host.scheduler.start(f"run {pod}", process, work)
        self.clients.append(client)

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

    def _has_failed(self, client: Client) -> bool:
        return isinstance(client.result, PodwrightError)

    def _with_failing_probe(self, pod: str) -> Version | None:
        """The last declaration that can become ready, but for its readiness probe, which asks what fails."""
        good = next((version for version in reversed(self.made[pod]) if version.is_good), None)
        if good is None or "readiness_probe" not in good.options["containers"][0]:
            return None
        main, *others = good.options["containers"]
        probe = {**main["readiness_probe"], "exec": {"command": [FAILING_COMMAND]}}
        return Version({**good.options, "containers": [{**main, "readiness_probe": probe}, *others]}, False)

    def _new_version(self, pod: str, is_good: bool) -> Version:
        """Another declaration for a pod, of a kind that the seed chooses."""
        chance = self.host.scheduler.random
        self.numbers += 1
        changed = None if is_good or chance.random() < 0.5 else self._with_failing_probe(pod)
        if changed:
            self.made[pod].append(changed)
            return changed
        probe = {"exec": {"command": ["ask"]}, "period_seconds": chance.choice((1, 2, 5)), "failure_threshold": 3}
        main: Options = {"name": "main", "image": chance.choice(("app:1", "app:2"))}
        words = [f"n={self.numbers}"]
        has_probe = chance.random() < 0.6
        if has_probe:
            main["readiness_probe"] = probe
        if is_good:
            words += [f"ready={chance.choice((0, 1, 4))}"] if has_probe else []
        else:
            words += ["ready=never"] if has_probe else []
            words += [f"exit=1@{chance.choice((0, 0.3))}"] if not has_probe or chance.random() < 0.5 else []
        if chance.random() < 0.3:
            words.append(f"term={chance.choice(('0', '2', 'never'))}")
        if chance.random() < 0.3:
            main["lifecycle"] = {
                "pre_stop": {"exec": {"command": ["bye"]}},
                "post_start": {"exec": {"command": ["hi"]}},
            }
        if chance.random() < 0.3:
            main["env"] = [{"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "keys", "key": "password"}}}]
        containers = [{**main, "command": words}]
        if chance.random() < 0.4:
            containers.append({"name": "side", "image": "app:1", "command": ["n=0"]})
        options: Options = {"name": pod, "containers": containers, "termination_grace_period_seconds": 5}
        inits: list[Options] = []
        if chance.random() < 0.3:
            inits.append({"name": "first", "image": "app:1", "command": ["exit=0@1"]})
        if chance.random() < 0.2:
            inits.append({"name": "helper", "image": "app:1", "command": ["n=1"], "restart_policy": "Always"})
        if inits:
            options["init_containers"] = inits
        if "env" in main:
            options["secrets"] = [{"name": "keys", "string_data": {"password": SECRET}}]
        if chance.random() < 0.3:
            options["volumes"] = [{"name": "data", "empty_dir": {}}]
            containers[0]["volume_mounts"] = [{"name": "data", "mount_path": "/data"}]
        version = Version(options, is_good)
        self.made[pod].append(version)
        return version

    # --- what must hold at every moment --------------------------------------------------------------------------

    def _hold_one_writer(self, what: str, pod: str) -> None:
        """Whoever changes a pod holds its lock."""
        if pod not in POD_NAMES:
            self.host.scheduler.errors.append(f"{what} of {pod}, which is a stranger's")
            return
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
        if has_hook and (found.id, found.starts) not in self.host.hooks:
            self._accuse(f"{found.name} is ended without its preStop")

    def _hold_removal(self, found: SimulatedContainer) -> None:
        """What runs and is watched is stopped first; what had ended Podman may have started again by its policy."""
        is_up = found.said == "running" and found.has_process and found.has_monitor
        if is_up and not found.is_infra and found.body.get("restart_policy") == "no":
            self._accuse(f"{found.name} is removed while it runs")

    def _declaration_of(self, found: SimulatedContainer) -> tuple[s.PodSpec, s.Container] | None:
        """The declaration that a container was made from, by the words of its command."""
        pod_name = next((name for name in POD_NAMES if found.name.startswith(f"{name}-")), "")
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
        bad = [version for version in self.made.get(pod, ()) if not version.is_good]
        if record.is_verified and any(version.spec == record.applied.pod for version in bad):
            self.host.scheduler.errors.append(f"the record of {pod} says of what can never be ready that it was")

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
        for pod in POD_NAMES:
            self._hold_pod_to_account(store, pod)
        self._hold_leaks(store)
        self._hold_secrets()
        stranger = self.host.podman.find(STRANGER)
        if stranger is None:
            self._fail("a stranger's container was touched")

    def _hold_pod_to_account(self, store: Store, pod: str) -> None:
        record, wanted = store.read_record(pod), self.wanted[pod]
        if wanted.is_sure:
            if wanted.state == "absent" and record is not None:
                self._fail(f"{pod} was removed and is on record")
            if (
                wanted.state == "started"
                and wanted.version
                and not (record and record.applied.pod == wanted.version.spec and not record.is_stopped)
            ):
                self._fail(f"{pod} is not what the last run made it")
            if wanted.state == "stopped" and record and not record.is_stopped:
                self._fail(f"{pod} was stopped and is not")
        found = self.host.podman.pod_named(pod)
        if record is None:
            if found:
                self._fail(f"{pod} is on no record, and there")
            return
        self._hold_to_record(pod, record, found)
        if not record.is_stopped:
            self._hold_unchanged(pod, record)

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
        options = next((v.options for v in self.made[pod] if v.spec == record.applied.pod), None)
        if options is None:
            self._fail(f"{pod} is on record as nothing that was ever declared")
            return
        loops = any(word.startswith("exit=") for c in options["containers"] for word in c["command"])
        told = pod_run.run_pod({**options, "state": "started"}, True, keeper=self.host.agent)
        if told["changed"] and not loops:
            self._fail(f"one more run on {pod} would do: {told['actions']}")
        phase = self.host.agent.keeper_of(pod).view.status.get("phase")
        if phase != "Running" and not loops:
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
    """Have each record judged as it is written."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._real = Store.write_record

    def __enter__(self) -> None:
        real, scenario = self._real, self._scenario

        def write(store: Store, pod: str, record: Record) -> None:
            scenario.judge_record(pod, record)
            real(store, pod, record)

        Store.write_record = write  # type: ignore[method-assign]

    def __exit__(self, *_error: object) -> None:
        Store.write_record = self._real  # type: ignore[method-assign]


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
