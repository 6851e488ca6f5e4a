# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events and the status of one Pod, as its keeper writes them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..._errors import PodmanError, PodwrightError
from ..._host import probes
from ..._reconcile.observed import ObservedPod
from ..._reconcile.pod.causes import BROKEN
from ..._reconcile.pod.step import DueProbe
from ..._reconcile.secrecy import masked
from ..._reconcile.status import STATUS_UNKNOWN
from ..._runs.execute import Executor
from ..._runs.report import secrets_of
from ..._runs.run_failure import RunFailed
from ..event_words import tell_of_failure
from .retries import IMAGE_PULL_BACK_OFF

if TYPE_CHECKING:
    from ..agent import Agent


class Recorder:
    """Writes without the values of the Pod's secrets, and nothing once the keeper has ended."""

    def __init__(self, agent: Agent, pod: str) -> None:
        self.has_ended = threading.Event()
        """Set by `end`, for all that goes on only while the Pod is kept."""
        self._agent = agent
        self._pod = pod
        self._writing = threading.Lock()
        """Held to write what others may read, and to end that: no word comes of a pod that is gone."""
        self._secrets: tuple[str, ...] = ()
        self._backing_off: set[str] = set()

    def end(self) -> None:
        """Nothing is written from now on."""
        with self._writing:
            self.has_ended.set()

    def event(self, reason: str, message: str, container: str = "", is_warning: bool = False) -> None:
        """Add an event of the Pod, unless its keeper has ended."""
        told = self.masked(message)
        with self._writing:
            if not self.has_ended.is_set():
                self._agent.events.add(reason, self._pod, told, container, is_warning)

    def masked(self, text: str) -> str:
        """The text without the pod's secrets, which a container may print."""
        with contextlib.suppress(PodwrightError, OSError):
            self._secrets = secrets_of(self._agent.store, self._pod)
        return masked(text, self._secrets)

    def write_status(self, status: Mapping[str, Any]) -> bool:
        """Write the status; returns whether that worked. A full disk does not stop the keeping."""
        try:
            with self._writing:
                if not self.has_ended.is_set():
                    self._agent.store.write_status(self._pod, status)
        except OSError as error:
            self.event("StatusNotWritten", str(error), is_warning=True)
            return False
        return True

    def tell_of_error(self, error: Exception) -> None:
        """Whatever went wrong in a turn; a mistake of ours by its type."""
        is_known = isinstance(error, (PodwrightError, OSError))
        reason = "PodmanError" if isinstance(error, PodmanError) else "FailedSync" if is_known else "InternalError"
        self.event(reason, str(error) if is_known else f"{type(error).__name__}: {error}", is_warning=True)

    def tell_of_probe(self, due: DueProbe, outcome: probes.Outcome) -> None:
        """What a probe said that did not pass, save for those that a waiting run has made more often."""
        if outcome.result == "Success" or due.is_extra:
            return
        self.event(
            {"Failure": "Unhealthy", "Warning": "ProbeWarning", "Unknown": "ProbeError"}[outcome.result],
            f"{due.kind.capitalize()} probe {'warning' if outcome.passed else 'failed'}: {outcome.message}",
            due.container,
            is_warning=True,
        )

    def tell_of_broken(self, before: ObservedPod | None, pod: ObservedPod | None) -> None:
        """One event for each container that Podman reports wrongly."""
        known = {(c.id, c.state) for c in before.containers} if before else set()
        for found in pod.containers if pod else ():
            if found.is_broken and (found.id, found.state) not in known:
                whose = "The infra container" if found.is_infra else f"Container {found.name}"
                message = f"{whose} is broken: {BROKEN[found.state]}"
                self.event(STATUS_UNKNOWN, message, found.name, is_warning=True)

    def tell_of_hooks(self, executor: Executor, container: str = "") -> None:
        """The preStop hooks that failed in an execution."""
        for warning in executor.warnings:
            self.event("FailedPreStopHook", warning, container, is_warning=True)

    def tell_of_backing_off(self, waiting: Iterable[str], pod: ObservedPod | None) -> None:
        """The containers that wait for their next start: once for each run that has ended."""
        for name in waiting:
            found = pod.find(name) if pod else None
            if found and found.run not in self._backing_off:
                self._backing_off.add(found.run)
                self._agent.backing_off(self._pod, name)
        self._backing_off &= {c.run for c in pod.members} if pod else set()

    def tell_of_pulls(self, put_off: Iterable[tuple[str, str]]) -> None:
        """The containers whose image cannot be pulled for now, each with what is said of it."""
        for name, message in put_off:
            self.event("BackOff", message, name)
            self.event("Failed", f"Error: {IMAGE_PULL_BACK_OFF}", name, is_warning=True)

    def tell_of_failure(self, error: RunFailed) -> str:
        """A run of the keeper that failed; returns what was said of it."""
        return tell_of_failure(self._pod, error, self._agent.events)
