# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What wakes the keepers: Podman's events as they come, and a list of all containers every few seconds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._errors import HostError, PodwrightError
from .._host.kernel import cgroup
from .._host.observe import has_process_as_told
from .._host.podman import service as podman_service
from .._host.podman.client import Podman
from .._reconcile.observed import LABEL_POD, LiveLimits
from .keeper.pod_keeper import PodKeeper
from .moments import Moments
from .systemd import notify_systemd

if TYPE_CHECKING:
    from .agent import Agent

_LOOKS_INSIDE = 3
"""Every how many comparisons a pod's limits and files are compared too, which takes longer."""
_SILENCE_SECONDS = 600
_HANGING_SECONDS = 20
# How many lists in a row a busy service may leave unanswered.
_BUSY_LOOKS = 6
# Exec probes alone make several of these each time.
_EXEC_EVENTS = frozenset({"exec", "exec_died", "exec_create", "exec_start", "health_status"})
# Events that change no container's state.
_IDLE_EVENTS = frozenset({"create", "init", "attach"})


@dataclass(frozen=True)
class _Inside:
    """A pod's limits by process and its files by volume, at the last comparison."""

    limits: Mapping[int, LiveLimits | None]
    files: Mapping[str, str]


class PodmanWatch:
    """Hears Podman's events, which are hints, and compares its lists, which are the truth. Each has a thread."""

    def __init__(self, agent: Agent, moments: Moments) -> None:
        self.podman_error = ""
        """Why Podman did not answer last, empty if it did."""
        self._agent = agent
        self._moments = moments
        self._lister: Podman | None = None
        self._prints: dict[str, Any] = {}
        self._prints_inside: dict[str, _Inside] = {}
        self._looks = 0
        self._pod_names: dict[str, str] = {}
        self._failed_looks = 0

    # --- events ------------------------------------------------------------------------------------------------------

    def follow_events(self) -> None:
        """Wake the keepers of Pods that Podman tells of, until the agent ends."""
        while not self._agent.has_ended.is_set():
            # The next list meets the same error, and reports it.
            with contextlib.suppress(PodwrightError), self._agent.connect() as podman:
                # Podman answers only with the first event.
                self._moments.listening_since = time.monotonic()
                for event in podman.stream("/events", {"stream": True}, None, None, "GET", _SILENCE_SECONDS):
                    self._wake(event)
            self._moments.listening_since = float("inf")
            self._agent.has_ended.wait(1)

    def _wake(self, event: Mapping[str, Any]) -> None:
        action = str(event.get("Action", "")).partition(":")[0]
        if action in _EXEC_EVENTS:
            return
        self._moments.noticed()
        if action in _IDLE_EVENTS:
            return
        attributes = (event.get("Actor") or {}).get("Attributes") or {}
        # An infra container has no label of ours.
        name = attributes.get(LABEL_POD) or self._pod_names.get(attributes.get("podId", ""), "")
        keeper = self._agent.known_keeper(name)
        if keeper:
            keeper.kick()

    # --- the list of all ---------------------------------------------------------------------------------------------

    def compare(self) -> bool:
        """Wake the keepers of pods whose containers or files are not what they were; begin those that are missing.

        Tells whether Podman has given its list.
        """
        begun_at = time.monotonic()
        try:
            listed = self._list()
        except (PodwrightError, OSError) as error:
            self._tell_of_podman(str(error))
            return False
        self._tell_of_podman("")
        for name in self._agent.known_pods():
            if not self._agent.store.knows(name):
                self._agent.let_go(name)
        containers: dict[str, list[Mapping[str, Any]]] = {}
        for item in listed:
            containers.setdefault(item.get("PodName") or "", []).append(item)
        self._pod_names = {item["Pod"]: item["PodName"] for item in listed if item.get("Pod")}
        before, self._prints = self._prints, {}
        inside_before, self._prints_inside = self._prints_inside, {}
        self._looks += 1
        for number, name in enumerate(self._agent.store.recorded_pods()):
            # An error with one pod must not stop the others.
            with self._agent.telling(name, "it cannot be compared with the last look"):
                keeper, found = self._agent.keeper_of(name), containers.get(name, [])
                now = self._prints[name] = sorted(map(_print_of, found))
                if before.get(name) != now:
                    self._moments.noticed()
                    keeper.kick()
                known = inside_before.get(name)
                if known and (number + self._looks) % _LOOKS_INSIDE:
                    self._prints_inside[name] = known
                else:
                    self._prints_inside[name] = self._compare_inside(keeper, found, known)
        self._moments.compared_at = begun_at
        return True

    def _compare_inside(self, keeper: PodKeeper, found: Sequence[Mapping[str, Any]], known: _Inside | None) -> _Inside:
        """Compare what Podman does not report: limits, and files of volumes."""
        pids = [int(item.get("Pid") or 0) for item in found]
        limits = {pid: cgroup.read_limits(pid) for pid in pids if pid}
        files = self._agent.store.files_digests(keeper.name)
        if known and any(known.limits.get(pid, limits[pid]) != limits[pid] for pid in limits):
            self._moments.noticed()
            keeper.kick()
        if "" in files.values() and not (known and known.files == files):
            keeper.changed()
        return _Inside(limits, files)

    def _list(self) -> list[Any]:
        """The list, by one lasting session: a new one costs more than the list."""
        if self._lister is None:
            self._lister = self._agent.connect()
        return self._lister.get("/containers/json", {"all": True}, _HANGING_SECONDS) or []

    # --- whether Podman answers --------------------------------------------------------------------------------------

    def _tell_of_podman(self, error: str) -> None:
        """Say so when Podman ceases to answer, and when it does again; restart a service that hangs."""
        had_error, self.podman_error = self.podman_error, error
        if error and not had_error:
            self._agent.events.add("PodmanUnresponsive", "", error, is_warning=True)
        self._failed_looks = self._failed_looks + 1 if error else 0
        # A restart aborts everything that the service does, so a busy one gets some time.
        if self._agent.service and (self._failed_looks >= _BUSY_LOOKS or (error and not self._service_answers())):
            # The list and the restart together may outlast systemd's watchdog.
            notify_systemd("WATCHDOG=1")
            # If that fails, the next list tries again.
            with contextlib.suppress(HostError, OSError):
                self._agent.service.restart()
            self._failed_looks = 0
        if had_error and not error:
            self._agent.events.add("PodmanRecovered", "", "Podman answers again")
            for keeper in self._agent.keepers():
                keeper.changed()

    def _service_answers(self) -> bool:
        """Whether the service answers for its version, which needs no lock of a container."""
        try:
            with Podman(podman_service.named_socket() or ""):
                return True
        except (PodwrightError, OSError):
            return False


def _print_of(listed: Mapping[str, Any]) -> tuple[Any, ...]:
    """A value that differs once a container has changed."""
    names, state, pid = str(listed.get("Names")), str(listed.get("State")), int(listed.get("Pid") or 0)
    started_at, exit_code = listed.get("StartedAt"), listed.get("ExitCode")
    return (listed["Id"], names, state, pid, started_at, exit_code, has_process_as_told(listed))
