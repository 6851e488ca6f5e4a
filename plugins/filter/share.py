# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter share: how many of the replicas of a group of hosts are one host's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError


def share(replicas: Any, host: Any, hosts: Any, of: Any = "") -> int:
    """The host's share; those of all hosts add up to ``replicas``, and no two differ by more than one.

    Each host has as many as the number divides by, and the first ones of an order one more. That order goes by a digest
    of each name alone (rendezvous hashing), so that no host that stays gets more when another one comes: what moves is
    the share of that host. Raises AnsibleFilterError for input of another kind.
    """
    count = _count(replicas)
    if isinstance(hosts, (str, bytes, Mapping)) or not hasattr(hosts, "__iter__"):
        raise AnsibleFilterError("share: expected the hosts as a list of names, as in groups['shops']")
    names = {str(name) for name in hosts}
    if str(host) not in names:
        known = ", ".join(sorted(names)) or "none"
        raise AnsibleFilterError(f"share: {host} is not among the hosts that share the replicas; these are: {known}")
    each, rest = divmod(count, len(names))
    first = sorted(names, key=lambda name: (_weight(name, str(of)), name))[:rest]
    return each + (str(host) in first)


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"share": share}


def _count(replicas: Any) -> int:
    text = str(replicas)
    if isinstance(replicas, bool) or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise AnsibleFilterError(f"share: expected the replicas of all hosts together as a number, got {text[:60]!r}")
    return int(text)


def _weight(name: str, of: str) -> bytes:
    return hashlib.sha256(f"{len(of)}:{of}{name}".encode()).digest()
