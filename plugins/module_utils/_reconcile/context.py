# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a pod is applied, beside what is declared of it, and what its digests are made over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._declaration import spec as s
from .._declaration.parse import parse_allocatable
from .observed import Node
from .rendering.materials import Materials


@dataclass(frozen=True)
class RestartOnChange:
    """Whether a changed value of a ConfigMap or Secret replaces the containers that use it, by how it reaches them."""

    environment: bool = True
    files: bool = False


@dataclass(frozen=True)
class Owner:
    """The workload that has made a pod, and which of its pods it is.

    ``revision`` is the digest of the template, ``number`` the one at the end of the pod's name, ``index`` the one of an
    Indexed Job.
    """

    kind: str
    workload: str
    revision: str
    number: int = 0
    index: int | None = None


@dataclass(frozen=True)
class Settings:
    """How a pod is applied, beside its declaration. The record keeps it for the agent."""

    restart_on_change: RestartOnChange = RestartOnChange()
    stack: str = ""
    """The pod's stack, empty for none. It is part of no digest, so that another stack may take the pod over."""
    allocatable: Mapping[str, int] = field(default_factory=dict)
    """Overrides of what the host can hold: cpu (millicores), memory (bytes), pods."""
    host_labels: Mapping[str, str] = field(default_factory=dict)
    """Those that the host has beside its own, for what says which hosts it is for."""
    owner: Owner | None = None
    """The workload whose pod it is; None for a pod that is declared itself."""


def read_settings(options: Mapping[str, Any], stack: str = "") -> Settings:
    """How pods are to be applied, from the options of a module. Raises InvalidInput."""
    given = options.get("restart_on_change") or {}
    restarts = RestartOnChange(**{way: bool(value) for way, value in given.items() if value is not None})
    return Settings(
        restarts, stack, parse_allocatable(options.get("allocatable") or {}), dict(options.get("host_labels") or {})
    )


@dataclass(frozen=True)
class Context:
    """What the digests are made over. ``key`` is the host's own, so that digests give no hint of secrets."""

    pod: s.PodSpec
    materials: Materials
    node: Node
    key: bytes
    settings: Settings = field(default_factory=Settings)
