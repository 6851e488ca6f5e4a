# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of Pods: the work of the module pod_info."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from .._declaration import arguments
from .._declaration import spec as s
from .._errors import ContainerFailed, DamagedState
from .._host.observe import observe, observe_sandbox, read_node
from .._host.podman import service as podman_service
from .._host.podman.client import Podman
from .._host.store import Store
from .._reconcile.context import Context
from .._reconcile.observed import LABEL_POD, Node, ObservedPod
from .._reconcile.rendering import materials as m
from . import report
from .agent import Agent
from .desired import pod_uid
from .execute import Executor
from .report import secrets_of
from .wait import Waiter, Watch

_SAMPLE_SECONDS = 0.2


def run_pod_info(
    options: Mapping[str, Any], is_check: bool = False, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """What there is: one pod, those whose labels match, or all that are ours; the ``pod_info`` module's work."""
    store, options = Store(), arguments.judged(options, arguments.POD_INFO)
    with podman_service.connect() as podman:
        node = read_node(podman.api_version)
        wanted = options.get("labels") or {}
        kept = store.recorded_pods() if agent else ()
        names = [options["name"]] if options.get("name") else sorted({*_our_pods(podman), *kept})
        pods = describe(podman, store, node, names, agent)
    return {
        "changed": False,
        "pods": [pod for pod in pods if wanted.items() <= (pod["metadata"].get("labels") or {}).items()],
        "secrets": sorted({secret for name in names for secret in secrets_of(store, name)}),
    }


def _our_pods(podman: Podman) -> list[str]:
    listed = podman.get("/pods/json", {"filters": {"label": [LABEL_POD]}}) or []
    return sorted(pod["Name"] for pod in listed)


def describe(
    podman: Podman, store: Store, node: Node, names: Sequence[str], agent: Agent | None = None
) -> list[dict[str, Any]]:
    """The pods of ours among these as ``pod_info`` tells them. What they use is sampled over one and the same time.

    One that is kept may be without its sandbox for a while, or as long as it waits for another.
    """
    told: list[tuple[dict[str, Any], ObservedPod | None, report.CpuSample]] = []
    for name in names:
        observed = observe(podman, store, name, details=True).pod
        is_kept = observed is None and agent is not None and report.is_recorded(store, name)
        if is_kept or (observed is not None and observed.is_ours):
            before = report.sample_cpu(observed) if observed else {}
            told.append((_describe(podman, store, node, name, observed, agent), observed, before))
    if any(before for _document, _observed, before in told):
        time.sleep(_SAMPLE_SECONDS)
    return [
        {**document, "usage": report.usage(observed, before) if observed else {}} for document, observed, before in told
    ]


def _describe(
    podman: Podman, store: Store, node: Node, name: str, observed: ObservedPod | None, agent: Agent | None
) -> dict[str, Any]:
    found = report.found_pod(observed) if observed else s.PodSpec(name, ())
    try:
        record = store.read_record(name)
    except DamagedState as error:
        return _describe_damaged(podman, store, node, found, observed, error)
    pod = record.applied.pod if record else found
    context = Context(pod, m.Materials(), node, store.key())
    executor = Executor(podman, store, context, m.Facts(), deadline=time.monotonic())
    now = time.monotonic()
    waiter: Watch = agent.watch(podman, pod, now) if agent else Waiter(podman, store, pod, executor.target, now)
    ip = ""
    if observed and observed.infra_is_running:
        ip = observe_sandbox(podman, pod, node).ip
    if agent or ip:
        _look_quietly(waiter)
    document = s.to_kubernetes(pod)
    document["metadata"]["uid"] = pod_uid(name, store.key())
    document["status"] = waiter.status or report.status(
        podman, store, pod, observed, waiter.ready, waiter.started, node, ip
    )
    document["probe_messages"] = dict(waiter.messages)
    document["ports"] = report.ports(pod)
    return {**document, **report.owner(record)}


def _describe_damaged(
    podman: Podman, store: Store, node: Node, pod: s.PodSpec, observed: ObservedPod | None, error: DamagedState
) -> dict[str, Any]:
    """A pod of which only Podman can tell: what is declared of it, and so whether it is well, is not known."""
    status = report.status(podman, store, pod, observed, {}, {}, node, "")
    document = s.to_kubernetes(pod)
    return {**document, "status": {**status, **report.damaged_status(error)}, "probe_messages": {}, "ports": []}


def _look_quietly(waiter: Watch) -> None:
    """Run the probes once; what has failed for good shows in the status."""
    try:
        waiter.look()
    except ContainerFailed:
        return
