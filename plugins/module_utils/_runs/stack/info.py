# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stacks of this host for the module `stack_info`: their revisions, what they own, and their pods' status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._declaration import arguments
from ..._declaration.stack.spec import StackSpec
from ..._errors import DamagedState
from ..._host.observe import read_node
from ..._host.podman import service as podman_service
from ..._host.podman.client import Podman
from ..._host.stack_store import Revision, StackStore, pods_recorded_for, stack_names
from ..._host.store import Store
from ..._host.workload_store import members_of
from ..._reconcile.observed import Node
from ..._reconcile.stack.record import Owned, StackRecord
from ..._reconcile.status_documents import show_time
from ..agent import Agent
from ..pod_info import describe
from ..report import secrets_of
from ..workloads.info import describe_workloads


def run_stack_info(
    options: Mapping[str, Any], is_check: bool = False, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """What there is of one stack, or of all; the ``stack_info`` module's work."""
    store, name = Store(), arguments.judged(options, arguments.STACK_INFO)["name"]
    names = [name] if name else stack_names(store)
    with podman_service.connect() as podman:
        node = read_node(podman.api_version)
        told = [_describe(podman, store, node, name, agent) for name in names]
    stacks = [stack for stack in told if stack]
    pods = sorted({pod["metadata"]["name"] for stack in stacks for pod in stack["pods"]})
    secrets = sorted({secret for pod in pods for secret in secrets_of(store, pod)})
    return {"changed": False, "stacks": stacks, "secrets": secrets}


def _describe(podman: Podman, store: Store, node: Node, name: str, agent: Agent | None) -> dict[str, Any] | None:
    files = StackStore(store, name)
    damage = ""
    try:
        record = files.read()
    except DamagedState as error:
        damage = str(error)
        record = StackRecord(max(files.numbers(), default=0), owned=Owned(pods_recorded_for(store, name)))
    if not record.current and not damage:
        return None
    members = members_of(store, name)
    pods = dict.fromkeys((*record.owned.pods, *(pod for group in members.values() for pod in group)))
    return {
        "name": name,
        "revision": record.current,
        "is_good": record.current == record.good and not damage,
        "damage": damage,
        "revisions": [_describe_revision(files, number, record) for number in files.numbers()],
        "pods": describe(podman, store, node, [*pods], agent),
        "workloads": _describe_workloads(files, store, record.current),
        "services": agent.services.told(name) if agent else [],
        "ingresses": agent.services.told_ingresses(name) if agent else [],
        "volumes": list(record.owned.volumes),
        "networks": list(record.owned.networks),
    }


def _describe_workloads(files: StackStore, store: Store, number: int) -> list[dict[str, Any]]:
    """Those of the present revision; none where that is damaged, which its own entry tells."""
    try:
        return describe_workloads(store, files.revision(number).stack) if number else []
    except DamagedState:
        return []


def _describe_revision(files: StackStore, number: int, record: StackRecord) -> dict[str, Any]:
    try:
        revision, damage = files.revision(number), ""
    except DamagedState as error:
        revision, damage = Revision(number, StackSpec(files.directory.name), 0), str(error)
    return {
        "number": number,
        "applied_at": show_time(revision.applied_at or None),
        "applied_by": revision.applied_by,
        "change_cause": revision.change_cause,
        "is_good": number in record.all_good and not damage,
        "damage": damage,
    }
