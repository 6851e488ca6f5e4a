# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of the host that a Pod would publish and someone else holds, and who that is."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._declaration import spec as s
from .._errors import PodmanError
from .._reconcile.effective import host_ports, port_text
from .._reconcile.observed import PortHolder
from .podman.client import Podman


def taken_ports(podman: Podman, desired: s.PodSpec, own: set[tuple[int, str]]) -> dict[str, PortHolder]:
    """The ports the pod would publish that someone else holds."""
    taken: dict[str, PortHolder] = {}
    for port in host_ports(desired):
        key = (port.host_port, port.protocol.lower())
        if key not in own and not _can_bind(port):
            taken[port_text(port)] = _port_holder(podman, key)
    return taken


def published(containers: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
    """A pod's own ports: its infra container holds them."""
    return {key for item in containers if item.get("IsInfra") for key in _port_keys(item)}


def _port_keys(listed: Mapping[str, Any]) -> Sequence[tuple[int, str]]:
    ports = listed.get("Ports") or []
    return [
        (int(port["host_port"]) + offset, protocol)
        for port in ports
        for offset in range(int(port.get("range") or 1))
        for protocol in str(port.get("protocol") or "tcp").split(",")
    ]


def _can_bind(port: s.ContainerPort) -> bool:
    """Whether the address is free, found by binding it for a moment. SCTP counts as free."""
    kinds = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
    if port.protocol not in kinds:
        return True
    family = socket.AF_INET6 if ":" in (port.host_ip or "") else socket.AF_INET
    with socket.socket(family, kinds[port.protocol]) as attempt:
        if port.protocol == "TCP":
            # A connection that just ended does not keep a server from listening.
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((port.host_ip or "", port.host_port))
        except OSError as error:
            return error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL)
    return True


def _port_holder(podman: Podman, key: tuple[int | None, str]) -> PortHolder:
    with contextlib.suppress(PodmanError):
        for item in podman.get("/containers/json"):
            if key in _port_keys(item):
                pod = item.get("PodName")
                name = (item.get("Names") or ["?"])[0]
                return PortHolder("pod", pod) if pod else PortHolder("container", name)
    return PortHolder("process", _listening_process(key[0]) if key[1] == "tcp" else "")


def _listening_process(port: int | None) -> str:
    """The number and name of the program that listens on a TCP port of this host; empty where we may not see it."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for directory in Path("/proc").glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            if any(os.readlink(entry) in inodes for entry in directory.iterdir()):
                pid = directory.parent.name
                return f"{pid} ({(directory.parent / 'comm').read_text(errors='replace').strip()})"
    return ""


def _listening_inodes(port: int | None) -> Iterable[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                    yield words[9]
