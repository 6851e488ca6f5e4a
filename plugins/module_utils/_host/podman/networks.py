# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Podman's networks: create and remove those of a stack."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote

from ..._declaration.stack.spec import Network
from ..._errors import NotFound
from ..._reconcile.observed import LABEL_STACK
from .client import Podman


def create(podman: Podman, stack: str, network: Network) -> None:
    """Create a network of a stack."""
    body: dict[str, Any] = {
        "name": network.name,
        "driver": "bridge",
        "dns_enabled": network.dns,
        "internal": network.internal,
        "labels": {LABEL_STACK: stack},
    }
    if network.subnet:
        gateway = {"gateway": network.gateway} if network.gateway else {}
        body["subnets"] = [{"subnet": network.subnet, **gateway}]
    podman.post("/networks/create", body=body)


def remove(podman: Podman, name: str) -> None:
    """Remove a network, if it still exists."""
    with contextlib.suppress(NotFound):
        podman.delete(f"/networks/{quote(name)}")
