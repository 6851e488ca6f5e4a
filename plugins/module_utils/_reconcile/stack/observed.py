# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observed facts of a stack, as frozen data: all that its plan is made from, save for its pods' own facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..._declaration.stack.spec import StackSpec
from ..context import Owner
from ..observed import Usage
from .record import StackRecord
from .secrets import KeptSecrets


@dataclass(frozen=True)
class ObservedNetwork:
    name: str
    has_ipv6: bool = False
    is_internal: bool = False
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObservedVolume:
    name: str
    driver: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PresentPod:
    """A pod of ours in Podman: the stack that its label names, and the names of its containers."""

    name: str
    stack: str = ""
    containers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SetClaims:
    """The claims of the pods that a StatefulSet has had; ``are_deleted``: they go once it is removed."""

    volumes: tuple[str, ...]
    are_deleted: bool = False


@dataclass(frozen=True)
class ObservedStack:
    """All that a stack's plan is made from, save for the facts of its pods (`PodView`)."""

    record: StackRecord = field(default_factory=StackRecord)
    is_damaged: bool = False
    """Whether the stack is removed although its record cannot be read."""
    before: StackSpec | None = None
    """The present revision; None if there is none, or if the stack is removed and its revision is damaged."""
    revisions: tuple[int, ...] = ()
    """The numbers of the revisions that are kept, the oldest first."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """By pod, the stack that owns it, as the records of all stacks on this host say."""
    pods: Mapping[str, PresentPod] = field(default_factory=dict)
    """All pods of ours on this host."""
    requests: Mapping[str, Usage] = field(default_factory=dict)
    """The requests of those of our pods that this stack does not declare."""
    members: Mapping[str, Owner] = field(default_factory=dict)
    """The pods on record that workloads of the stack have made, each with what it is to its workload."""
    ending: frozenset[str] = frozenset()
    """Those of them whose end was cut off."""
    made_by: Mapping[str, str] = field(default_factory=dict)
    """The CronJob that made each Job, by the Job's name."""
    stopped: frozenset[tuple[str, str]] = frozenset()
    """Kind and name of the workloads that were stopped."""
    claims: Mapping[str, SetClaims] = field(default_factory=dict)
    """By the name of each StatefulSet that the stack has or had."""
    networks: Mapping[str, ObservedNetwork] = field(default_factory=dict)
    """Podman's networks; empty if neither the stack nor its pods depend on networks."""
    volumes: Mapping[str, ObservedVolume] = field(default_factory=dict)
    """The named volumes of Podman."""
    secrets: KeptSecrets = field(default_factory=KeptSecrets)
    """The generated values of the declared secrets."""
    owners_of_secrets: frozenset[str] = frozenset()
    """The owners of generated secrets among the stack (by `owner_of_secrets`) and our pods."""
