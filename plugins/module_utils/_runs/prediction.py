# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would do to a Pod: read the request, observe, plan. No container is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from .._declaration import spec as s
from .._errors import DamagedState
from .._host.observe import Snapshot, observe, read_node
from .._host.podman import service as podman_service
from .._host.podman.client import Podman
from .._host.state.records import Record
from .._host.store import Store
from .._reconcile import unkept
from .._reconcile.observed import Observed, ObservedPod
from .._reconcile.operations import Plan, rotation
from .._reconcile.pod.plan import plan_pod
from .._reconcile.pod.view import PodView
from .._reconcile.rendering import materials as m
from .._reconcile.status import Failure
from . import report
from .agent import Agent
from .desired import desire
from .request import Request


@dataclass
class Prediction:
    """What a run would do to one pod: what it found, and what it decided. Check mode is this, and no more."""

    podman: Podman
    store: Store
    request: Request
    correction: Callable[[Observed], Observed] = lambda observed: observed
    """Puts right what was observed: adds what other pods of a stack are about to take or to leave, say."""
    snapshot: Snapshot | None = None
    """What was seen of all pods of a stack at once."""
    is_planned_elsewhere: bool = False
    """Whether a stack's plan brings the plan of this pod, by `take`."""
    agent: Agent | None = None
    changes: Mapping[str, int] | None = None
    """The agent's, from before the snapshot."""
    find_backing_off: Callable[[ObservedPod | None], frozenset[str]] = lambda pod: frozenset()
    """Of a pod as it was just seen, the containers that have ended and are not to be started again yet."""
    pinned_images: Mapping[str, str] = field(default_factory=dict)
    renewed: Mapping[str, Mapping[str, str]] = field(init=False, repr=False)
    """New values of generated secrets, by secret and key."""
    kept_values: Mapping[str, Mapping[str, str]] = field(init=False, repr=False)
    """What was generated for the pod before."""

    def __post_init__(self) -> None:
        secrets = self.request.pod.secrets if self.request.pod else ()
        self.renewed = self.store.renewals(self.request.name, secrets, self.request.rotate)
        self.kept_values = self.store.kept_values(self.request.name) if self.renewed else {}
        if self.changes is None:
            self.changes = self.agent.changes() if self.agent else {}
        self._look()
        if not self.is_planned_elsewhere:
            self._decide()

    def _look(self) -> None:
        """See what there is."""
        node = self.snapshot.node if self.snapshot else read_node(self.podman.api_version)
        # What a host without Podman lacks yet it may be about to get, as in a prediction of its first playbook.
        can_probe_grpc = node.can_probe_grpc or isinstance(self.podman, podman_service.EmptyHost)
        self.node = replace(node, has_agent=self.agent is not None, can_probe_grpc=can_probe_grpc)
        self.record = self._read_record()
        recorded = self.record.applied.pod if self.record else None
        previous = self.record.previous.pod if self.record and self.record.previous else None
        pod = self.request.pod or recorded or s.PodSpec(self.request.name, ())
        images = {**self.request.images_expected(pod), **self.pinned_images}
        self.desired = replace(
            desire(self.store, pod, self.request, self.node, recorded, images, self.renewed),
            previous=previous,
            was_stopped=bool(self.record and self.record.is_stopped),
        )
        wanted = pod if self.request.state == "started" else None
        # The details are for the status, so that an unchanged pod is looked at once.
        details = not self.request.is_check and self.snapshot is None
        observed = observe(self.podman, self.store, self.request.name, wanted, details, self.snapshot)
        self.observed = self.correction(observed)
        self.desired = replace(
            self.desired,
            place=self.request.place,
            backing_off=self.find_backing_off(self.observed.pod),
            failure=self._failure(),
        )

    def _decide(self) -> None:
        plan, name = self._plan(), self.request.name
        declared = {secret.name: secret for secret in self.desired.pod.secrets}
        renewals = (
            rotation(name, name, declared[each], values, self.request.rotate) for each, values in self.renewed.items()
        )
        self._take(replace(plan, operations=(*renewals, *plan.operations)))

    def take(self, plan: Plan, observed: Observed, correction: Callable[[Observed], Observed]) -> None:
        """Use a plan from a stack's planner; ``correction`` is for the case that the pod is observed once more."""
        self.correction, self.observed = correction, observed
        self._take(plan)

    def _take(self, plan: Plan) -> None:
        self.plan = plan
        self.warnings = list(self._warnings(self.desired.pod))

    @property
    def view(self) -> PodView:
        """The observed facts, for a planner."""
        return PodView(self.desired, self.observed, self.store.knows(self.request.name))

    def _plan(self) -> Plan:
        request = self.request
        return plan_pod(request.state, self.view, request.absent_cause, request.grace_period_seconds)

    def _read_record(self) -> Record | None:
        """None for a damaged one too where the pod is to go: a removal takes what it finds."""
        try:
            return self.store.read_record(self.request.name)
        except DamagedState:
            if self.request.state != "absent":
                raise
            return None

    def _failure(self) -> Failure | None:
        if self.record is None or self.record.is_stopped or self.request.state != "started":
            return None
        return report.failure_of(self.store, self.record.applied.pod, self.observed.pod, self.node)

    def _warnings(self, pod: s.PodSpec) -> Iterator[str]:
        if isinstance(self.podman, podman_service.EmptyHost):
            # What a pod lacks for want of a part of Podman's is not known before Podman is.
            yield f"predicted for a host without pods, since {self.podman.reason}"
        elif self.request.state == "started":
            yield from unkept.warnings(self.desired.context, self.observed, self.plan)

    @property
    def secrets(self) -> tuple[str, ...]:
        return m.secret_values(self.desired.context.materials)

    def result(self) -> dict[str, Any]:
        """The result of check mode: the plan, and nothing else done."""
        recorded = self.desired.recorded
        return report.changes(
            self.plan,
            self.desired.pod if self.request.state == "started" else None,
            recorded,
            self.warnings,
            self.desired.context.materials,
            self.desired.context.key,
        )
