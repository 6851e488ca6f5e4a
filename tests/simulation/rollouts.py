# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stack of one Deployment: its spec changes at any moment, its pods crash, the agent is killed; its bounds hold.

A pod counts as available here where its process is well. Who drives the rollout learns of an end a moment later, and
of a lie of Podman's later still: so one that was available so recently counts as well, and one that is so since a
moment does not count yet.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack import parse as stack_parse
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.spec import Deployment
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import StackStore
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import Record
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._host.workload_store import members_of
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.bounds import deployment_bounds
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

from .declarations import Options
from .play import Play, Step, Wanted
from .simulated_podman import SimulatedContainer, SimulatedPod

STACK = "front"
DEPLOYMENT = "web"
_SOON_SECONDS = 5.0
_LATE_SECONDS = 60.0
"""How long an end may go unnoticed, by a Podman that is well and by one that is not."""
_DEADLINE_SECONDS = 30


@dataclass(frozen=True)
class DeploymentVersion:
    """A declaration of the stack, and whether its pods can ever become ready."""

    options: Options
    is_good: bool

    @functools.cached_property
    def deployment(self) -> Deployment:
        (found,) = stack_parse.parse_options(self.options).workloads
        if not isinstance(found, Deployment):
            raise TypeError(f"{found.kind} is no Deployment")
        return found

    @property
    def words(self) -> list[str]:
        return [*self.deployment.template.containers[0].command]

    @property
    def most(self) -> int:
        """How many pods there may be at a time."""
        return self.deployment.replicas + deployment_bounds(self.deployment).surge

    @property
    def least(self) -> int:
        """How many are to be available at any time."""
        return self.deployment.replicas - deployment_bounds(self.deployment).unavailable

    def __str__(self) -> str:
        return f"{self.words} x{self.deployment.replicas} {self.least}..{self.most}"


@dataclass
class Rollouts(Play):
    """One simulation of a Deployment."""

    stacks = (STACK,)

    wanted: dict[str, Wanted] = field(default_factory=lambda: {STACK: Wanted()})
    versions: list[DeploymentVersion] = field(default_factory=list)
    declared_at: list[tuple[float, DeploymentVersion | None]] = field(default_factory=list)
    """Since when each declaration may be the one that somebody goes by."""
    available_at: dict[str, float] = field(default_factory=dict)
    """When each container was seen well last."""
    available_since: dict[str, float] = field(default_factory=dict)
    """Since when each container is well."""
    new: set[str] = field(default_factory=set)
    """Pods that were put on record, and have not been made yet."""
    faulty_at: float = -_LATE_SECONDS
    """When Podman was not well last."""

    def pods(self) -> Collection[str]:
        return [pod.name for pod in self._present()]

    def owns(self, pod: str) -> bool:
        return pod.startswith(f"{DEPLOYMENT}-")

    def _present(self) -> list[SimulatedPod]:
        return [pod for pod in self.host.podman.pods.values() if self.owns(pod.name)]

    # --- steps ---------------------------------------------------------------------------------------------------

    @property
    def own_steps(self) -> tuple[tuple[int, Step], ...]:
        return (
            (10, self._apply_good),
            (5, self._apply_bad),
            (6, self._scale),
            (4, self._apply_again),
            (1, self._remove),
            (6, self._let_be),
        )

    def _apply_good(self, pod: str) -> bool:
        return self._declare(lambda: self._new_version(is_good=True))

    def _apply_bad(self, pod: str) -> bool:
        return self._declare(lambda: self._new_version(is_good=False))

    def _scale(self, pod: str) -> bool:
        last = next((version for version in reversed(self.versions) if version.is_good), None)
        return last is not None and self._declare(lambda: self._scaled(last))

    def _apply_again(self, pod: str) -> bool:
        good = [version for version in self.versions if version.is_good]
        return bool(good) and self._declare(lambda: self.host.scheduler.random.choice(good[-3:]))

    def _remove(self, pod: str) -> bool:
        return self.begin(STACK, "absent", lambda: self._note(None))

    def _let_be(self, pod: str) -> bool:
        """Nothing happens for a while, so that a rollout gets on."""
        seconds = self.host.scheduler.random.choice((8.0, 15.0, 40.0))
        self.say(f"nothing for {seconds:g} s")
        self.host.scheduler.sleep(seconds)
        return True

    def _declare(self, choose: Any) -> bool:
        return self.begin(STACK, "started", lambda: self._note(choose()))

    def _note(self, version: DeploymentVersion | None) -> DeploymentVersion | None:
        self.declared_at.append((self.host.scheduler.now, version))
        return version

    def _new_version(self, is_good: bool) -> DeploymentVersion:
        chance = self.host.scheduler.random
        self.numbers += 1
        words, bad = [f"n={self.numbers}"], ("exit=1@0", "exit=1@0.3", "ready=never")
        words.append(f"ready={chance.choice((0, 1, 4))}" if is_good else chance.choice(bad))
        main: Options = {"name": "main", "image": chance.choice(("app:1", "app:2")), "command": words}
        if words[-1].startswith("ready"):
            main["readiness_probe"] = {"exec": {"command": ["ask"]}, "period_seconds": 1, "failure_threshold": 2}
        template = {"labels": {"app": DEPLOYMENT}, "containers": [main], "termination_grace_period_seconds": 5}
        surge, unavailable = chance.choice(((1, 0), (0, 1), (2, 1), ("50%", "25%"), (1, 1)))
        deployment = {
            "name": DEPLOYMENT,
            "replicas": chance.choice((1, 2, 3, 4)),
            "progress_deadline_seconds": _DEADLINE_SECONDS,
            "strategy": {"rolling_update": {"max_surge": surge, "max_unavailable": unavailable}},
            "template": template,
        }
        return self._made({"name": STACK, "deployments": [deployment]}, is_good)

    def _scaled(self, last: DeploymentVersion) -> DeploymentVersion:
        (deployment,) = last.options["deployments"]
        number = self.host.scheduler.random.choice((0, 1, 2, 3, 5))
        return self._made({**last.options, "deployments": [{**deployment, "replicas": number}]}, True)

    def _made(self, options: Options, is_good: bool) -> DeploymentVersion:
        version = DeploymentVersion(options, is_good)
        self.versions.append(version)
        return version

    # --- what must hold at every moment --------------------------------------------------------------------------

    def _current(self) -> list[DeploymentVersion]:
        """The declarations that somebody may go by now: the last one, what it came after a moment ago, and so on."""
        since = self.host.scheduler.now - self._unnoticed_seconds()
        under_way = {id(client.version) for client in self.clients if not client.is_over}
        old = [at for at, _version in self.declared_at if at <= since]
        first = old[-1] if old else 0.0
        asked = [v for at, v in self.declared_at if v is not None and (at >= first or id(v) in under_way)]
        # A run that fails goes back to an earlier one.
        recorded = self._recorded()
        return [*asked, recorded] if recorded else asked

    def _recorded(self) -> DeploymentVersion | None:
        """The declaration that is on record."""
        files = StackStore(Store(), STACK)
        current = files.read().current
        declared = files.revision(current).stack.workloads if current else ()
        return next((version for version in self.versions if version.deployment in declared), None)

    def _unnoticed_seconds(self) -> float:
        faults = self.host.podman.faults
        if faults.hangs or faults.loses_events or faults.delays_events:
            self.faulty_at = self.host.scheduler.now
        is_faulty = self.host.scheduler.now - self.faulty_at < _LATE_SECONDS
        return _LATE_SECONDS if is_faulty else _SOON_SECONDS

    def judge_record(self, pod: str, record: Record) -> None:
        if Store().read_record(pod) is None:
            self.new.add(pod)

    def hold_change(self, what: str, pod: str) -> None:
        self._look()
        if what != "create pod" or pod not in self.new:
            # One that is mended takes no more room than it had.
            return
        self.new.discard(pod)
        number, most = len(self._present()) + 1, max((version.most for version in self._current()), default=0)
        if self._current() and number > most:
            self.accuse(f"{pod} is made as number {number} of at most {most}")

    def hold_stop(self, found: SimulatedContainer) -> None:
        """A pod that is ended on purpose while it is available leaves as many available as are asked for.

        One that somebody has hurt is none, and what is stopped to be made anew in its pod is not ended.
        """
        self._look()
        members = self.host.podman.of_pod(found.pod_id)
        named = {f"{self._pod_of(found)}-{name}" for name in ("infra", "main")}
        is_whole = {c.name for c in members} == named and all(c.has_process and c.has_monitor for c in members)
        record = Store().read_record(self._pod_of(found))
        is_ended = record is not None and record.is_stopped
        is_known = self.host.scheduler.now - self.available_since.get(found.name, math.inf) > self._unnoticed_seconds()
        if found.is_infra or not is_whole or not is_ended or not is_known:
            return
        others = [name for name in self._recently_well() if name != found.name]
        least = min((version.least for version in self._current()), default=0)
        removed = any(version is None for _at, version in self.declared_at[-2:])
        if not removed and len(others) < least:
            self.accuse(f"{found.name} is ended, and leaves {len(others)} available of at least {least}")

    def _look(self) -> None:
        now = self.host.scheduler.now
        for found in self.host.podman.containers.values():
            if self._is_well(found):
                self.available_at[found.name] = now
                self.available_since.setdefault(found.name, now)
            else:
                self.available_since.pop(found.name, None)

    def _is_well(self, found: SimulatedContainer) -> bool:
        if found.is_infra or not self.owns(found.name) or not found.has_process:
            return False
        has_probe = any(word.startswith("ready") for word in found.words)
        return self.host.podman.passes_probes(found) if has_probe else found.program.exit_after is None

    def _recently_well(self) -> list[str]:
        since = self.host.scheduler.now - self._unnoticed_seconds()
        return [name for name, at in self.available_at.items() if at >= since]

    def _pod_of(self, found: SimulatedContainer) -> str:
        pod = self.host.podman.pods.get(found.pod_id)
        return pod.name if pod else ""

    # --- the end -------------------------------------------------------------------------------------------------

    def hold_to_account(self) -> None:
        store, wanted = Store(), self.wanted[STACK]
        record = StackStore(store, STACK).read()
        members = members_of(store, STACK).get(("Deployment", DEPLOYMENT), {})
        if wanted.is_sure and wanted.state == "absent" and (members or record.current):
            self.fail(f"{STACK} was removed, and has {sorted(members)}")
        for name, kept in members.items():
            self.hold_containers(name, kept, self.host.podman.pod_named(name))
        strays = {pod.name for pod in self._present()} - {*members}
        if strays:
            self.fail(f"{sorted(strays)} are there, and nobody's")
        if not record.current:
            return
        version = self._recorded()
        if version is None or (not version.is_good and not any(one.is_good for one in self.versions)):
            return
        if version.is_good and len(members) != version.deployment.replicas:
            self.fail(f"{DEPLOYMENT} has {len(members)} pods of {version.deployment.replicas}")
        if wanted.is_sure and isinstance(wanted.version, DeploymentVersion) and wanted.version.is_good:
            self._hold_version(wanted.version)

    def _hold_version(self, version: DeploymentVersion) -> None:
        """The last word, which nobody contradicted, is what runs."""
        for found in self.host.podman.containers.values():
            if self.owns(found.name) and not found.is_infra and found.words != version.words:
                self.fail(f"{found.name} is of another declaration: {found.words} and not {version.words}")
        told = stack_run.run_stack({**version.options, "state": "started"}, True, agent=self.host.agent)
        if told["changed"]:
            self.fail(f"one more run on {STACK} would do: {told['actions']}")
