# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods, and a stack of two that wait for each other: what happens to them, as the seed has it, and what must hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import LABEL_DIGESTS
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

from . import shop
from .declarations import Version, new_version
from .play import Client, Play, Step, Wanted, loops
from .shop import STACK, Shop, StackVersion
from .simulated_podman import SimulatedContainer

POD_NAMES = ("db", "web", "jobs")
ALL_PODS = (*POD_NAMES, *shop.PODS)
_LOOP_SECONDS = 300.0
_LOOP_STARTS = 12
"""What a back-off of 10, 20, 40 ... s allows, twice over: a run may begin a pod anew meanwhile."""
_NOTICED_SECONDS = 5.0
"""How long what has just been recorded may go unnoticed by what had begun before."""


@dataclass
class Scenario(Play):
    """One simulation of pods and of a stack."""

    stacks = (STACK,)

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

    def pods(self) -> Collection[str]:
        return POD_NAMES

    def other_pods(self) -> Collection[str]:
        return shop.PODS

    def owns(self, pod: str) -> bool:
        return pod in ALL_PODS

    # --- steps ---------------------------------------------------------------------------------------------------

    @property
    def own_steps(self) -> tuple[tuple[int, Step], ...]:
        return (
            (8, self._apply_good),
            (4, self._apply_bad),
            (5, self._apply_again),
            (2, self._stop),
            (2, self._remove),
            (3, self._apply_good_stack),
            (2, self._apply_bad_stack),
            (2, self._apply_stack_again),
            (1, self._remove_stack),
        )

    def _apply_good(self, pod: str) -> bool:
        return self.begin(pod, "started", lambda: self._new_version(pod, is_good=True))

    def _apply_bad(self, pod: str) -> bool:
        return self.begin(pod, "started", lambda: self._new_version(pod, is_good=False))

    def _apply_again(self, pod: str) -> bool:
        versions = [version for version in self.made[pod] if version.is_good]
        again = versions and self.begin(pod, "started", lambda: self.host.scheduler.random.choice(versions[-2:]))
        return bool(again)

    def _stop(self, pod: str) -> bool:
        return self.begin(pod, "stopped", lambda: None)

    def _remove(self, pod: str) -> bool:
        return self.begin(pod, "absent", lambda: None)

    def _apply_good_stack(self, pod: str) -> bool:
        return self.begin(STACK, "started", lambda: self._new_stack(is_good=True))

    def _apply_bad_stack(self, pod: str) -> bool:
        return self.begin(STACK, "started", lambda: self._new_stack(is_good=False))

    def _apply_stack_again(self, pod: str) -> bool:
        versions = [version for version in self.shop.versions if version.is_good]
        again = versions and self.begin(STACK, "started", lambda: self.host.scheduler.random.choice(versions[-2:]))
        return bool(again)

    def _remove_stack(self, pod: str) -> bool:
        return self.begin(STACK, "absent", lambda: None)

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

    def hold_change(self, what: str, pod: str) -> None:
        if self._is_asked_for(pod):
            self.restarts.pop(pod, None)
        if what == "create pod" and pod == shop.WEB:
            self._hold_dependency()

    def note_power_cut(self) -> None:
        # What was written down of restarts may be gone.
        self.restarts.clear()

    def note_clock_set(self, seconds: float) -> None:
        # What ended before seems to be later than what follows.
        self.behind_until = max(self.behind_until, self.host.scheduler.now - seconds)

    def note_done(self, client: Client) -> None:
        if client.name == STACK:
            self.shop.note_done()

    def _hold_dependency(self) -> None:
        """What waits for a pod does not come up while that is on record as what can never be ready."""
        known_for = self.host.scheduler.now - self.recorded_at.get(shop.DB, 0.0)
        if known_for > _NOTICED_SECONDS and not self._is_good(shop.DB, Store()):
            self.accuse(f"{shop.WEB} comes up, and {shop.DB} can never be ready")

    def hold_start(self, found: SimulatedContainer) -> None:
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
                self.accuse(f"{found.name} starts before {init.name} is done")
        starts = self.starts.setdefault((found.name, tuple(found.words)), [])
        starts.append(self.host.scheduler.now)
        recent = [moment for moment in starts if moment > self.host.scheduler.now - _LOOP_SECONDS]
        if len(recent) > _LOOP_STARTS and found.program.exit_after is not None:
            self.accuse(f"{found.name} was started {len(recent)} times in {_LOOP_SECONDS:.0f} s")

    def hold_stop(self, found: SimulatedContainer) -> None:
        """What is ended on purpose has had its hook, or had no process when that was tried."""
        declared = self._declaration_of(found)
        if declared is None or not found.has_process or not found.has_monitor:
            return
        pod, container = declared
        record = Store().read_record(pod.name)
        recorded = record.applied.pod.find(container.name) if record else None
        # What was made from a declaration that is on record no more has left its hook with it.
        has_hook = _has_pre_stop(container) and (recorded is None or _has_pre_stop(recorded))
        # One that was killed while its hook ran Podman may just have started again.
        is_young = self.host.scheduler.now - found.started_at < _NOTICED_SECONDS
        runs = {(found.id, found.starts), (found.id, found.starts - int(is_young))}
        # One that ends by itself again and again was between two of its lives when it was seen.
        is_again = is_young and found.starts > 1 and found.program.exit_after is not None
        if has_hook and not is_again and not runs & self.host.tried_hooks:
            self.accuse(f"{found.name} is ended without its preStop")

    def hold_removal(self, found: SimulatedContainer) -> None:
        """What runs and is watched is stopped first; what had ended Podman may have started again by its policy."""
        is_up = found.said == "running" and found.has_process and found.has_monitor
        if is_up and not found.is_infra and found.body.get("restart_policy") == "no":
            self.accuse(f"{found.name} is removed while it runs")

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
        self.accuse(text)

    def judge_record(self, pod: str, record: Record) -> None:
        """A record that says of a declaration that it became ready."""
        self.recorded_at[pod] = self.host.scheduler.now
        bad = [version for version in self.made.get(pod, ()) if not version.is_good]
        if record.is_verified and any(version.is_that_of(record) for version in bad):
            self.accuse(f"the record of {pod} says of what can never be ready that it was")

    def judge_status(self, pod: str, status: Mapping[str, Any]) -> None:
        """A status that is written down: the count of restarts of what stays the same never falls."""
        if self.host.scheduler.now < self.behind_until or self._is_asked_for(pod):
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
            self.accuse(f"the restarts of {pod}-main were {known[1]} and are {count}")
        self.restarts[pod] = made_of, count

    def _is_asked_for(self, pod: str) -> bool:
        """Whether a run is at work on it: it may be becoming something else, or go."""
        owner = STACK if pod in shop.PODS else pod
        return any(client.name == owner and not client.is_over for client in self.clients)

    # --- the end -------------------------------------------------------------------------------------------------

    def hold_to_account(self) -> None:
        store = Store()
        for pod in ALL_PODS:
            self._hold_pod_to_account(store, pod)
        self._hold_stack_to_account(store)

    def _hold_pod_to_account(self, store: Store, pod: str) -> None:
        record, wanted = store.read_record(pod), self._wanted_of(pod)
        if wanted.is_sure:
            if wanted.state == "absent" and record is not None:
                self.fail(f"{pod} was removed and is on record")
            if (
                wanted.state == "started"
                and isinstance(wanted.version, Version)
                and not (record and wanted.version.is_that_of(record) and not record.is_stopped)
            ):
                self.fail(f"{pod} is not what the last run made it")
            if wanted.state == "stopped" and record and not record.is_stopped:
                self.fail(f"{pod} was stopped and is not")
        found = self.host.podman.pod_named(pod)
        if record is None:
            if found:
                self.fail(f"{pod} is on no record, and there")
            return
        if pod == shop.WEB and not self._is_good(shop.DB, store):
            # It waits for what can never be ready.
            return
        self.hold_containers(pod, record, found)
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
            self.fail(fault)
        wanted, current = self.wanted[STACK], self.shop.record().current
        if not wanted.is_sure:
            return
        if wanted.state == "absent" and current:
            self.fail(f"{STACK} was removed, and is on record")
        if isinstance(wanted.version, StackVersion):
            told = stack_run.run_stack({**wanted.version.options, "state": "started"}, True, agent=self.host.agent)
            if told["changed"]:
                self.fail(f"one more run on {STACK} would do: {told['actions']}")

    def _hold_unchanged(self, pod: str, record: Record) -> None:
        options = next((v.options for v in self.made[pod] if v.is_that_of(record)), None)
        if options is None:
            self.fail(f"{pod} is on record as nothing that was ever declared")
            return
        told = pod_run.run_pod({**options, "state": "started"}, True, agent=self.host.agent)
        if told["changed"] and not loops(record):
            self.fail(f"one more run on {pod} would do: {told['actions']}")

    def _hold_phase(self, pod: str, record: Record) -> None:
        phase = self.host.agent.keeper_of(pod).view.status.get("phase")
        if phase != "Running" and not loops(record):
            self.fail(f"{pod} runs, and its phase is {phase}")


def _has_pre_stop(container: s.Container) -> bool:
    return container.lifecycle is not None and container.lifecycle.pre_stop is not None
