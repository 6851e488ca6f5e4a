# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a Pod may be on, as it says by its affinity: frozen data, in the terms of Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NodeOperator = Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]


@dataclass(frozen=True)
class NodeRequirement:
    """What one label of a host has to be."""

    key: str
    operator: NodeOperator
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeSelectorTerm:
    """Requirements that have to be met together; one without any is met by no host."""

    match_expressions: tuple[NodeRequirement, ...] = ()
    match_fields: tuple[NodeRequirement, ...] = ()
    """Of the host itself: ``metadata.name`` is its host name."""


@dataclass(frozen=True)
class NodeSelector:
    """Terms of which one has to be met."""

    node_selector_terms: tuple[NodeSelectorTerm, ...]


@dataclass(frozen=True)
class NodeAffinity:
    required_during_scheduling_ignored_during_execution: NodeSelector


@dataclass(frozen=True)
class Affinity:
    node_affinity: NodeAffinity
