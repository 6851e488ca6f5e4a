# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of Services: each has one of its own on this host, which is recorded and outlasts restarts and boots.

They are of a range that meets neither a route of the host nor a network of Podman's when the first is given out.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import struct
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from .._errors import DamagedState, HostError
from . import state_files
from .kernel import local_addresses
from .podman.client import Podman

FILE = "service-addresses.json"
"""Where in the state directory they are recorded."""
_RANGES = ("10.198.0.0/16", "10.231.0.0/16", "10.77.0.0/16", "172.29.0.0/16", "192.168.231.0/24")
_REMEDY = "remove it: the Services then get other addresses"
_ROUTE_UP = 0x1


class ServiceAddresses:
    """The recorded addresses, by stack and Service."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[tuple[str, str], str]:
        """Those that are given out. Raises DamagedState."""
        return self._read()[1]

    def settle(self, services: Collection[tuple[str, str]], podman: Podman | None) -> dict[tuple[str, str], str]:
        """Give each of the Services its address, and take those of others away.

        ``podman`` is asked for its networks where the first address is given out. Raises HostError.
        """
        network, present = self._read()
        missing = [key for key in sorted(services) if key not in present]
        if missing and not network:
            network = free_range(podman)
        kept = {key: address for key, address in present.items() if key in services}
        for key in missing:
            kept[key] = _free_address(network, key, {*kept.values(), *present.values()})
        if kept != present:
            # The record first: an address that nobody knows of would stay.
            state_files.make_directory(self._path.parent)
            listed = [[*key, address] for key, address in sorted(kept.items())]
            state_files.write_object(self._path, {"range": network, "services": listed})
        for address in {*present.values()} - {*kept.values()}:
            local_addresses.take_address(address)
        for address in kept.values():
            local_addresses.set_address(address)
        return kept

    def _read(self) -> tuple[str, dict[tuple[str, str], str]]:
        data = state_files.read_object(self._path, _REMEDY)
        if data is None:
            return "", {}
        try:
            network = str(ipaddress.IPv4Network(data["range"]))
            given = {(str(s), str(n)): str(ipaddress.IPv4Address(a)) for s, n, a in data["services"]}
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedState(self._path, f"it holds no addresses ({error})", _REMEDY) from error
        return network, given


def free_range(podman: Podman | None) -> str:
    """The first of some private ranges that meets no route and no network. Raises HostError where each does."""
    taken = [*_routes(Path("/proc/net/route").read_text()), *_networks(podman)]
    for text in _RANGES:
        network = ipaddress.IPv4Network(text)
        if not any(network.overlaps(other) for other in taken):
            return text
    raise HostError(f"no range of addresses is free for Services: the host has routes to all of {', '.join(_RANGES)}")


def _routes(table: str) -> Iterable[ipaddress.IPv4Network]:
    """The networks that the host has routes to, but for the default route."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and int(fields[3], 16) & _ROUTE_UP and fields[7] != "00000000":
            address, mask = (socket.inet_ntoa(struct.pack("=I", int(fields[place], 16))) for place in (1, 7))
            yield ipaddress.IPv4Network(f"{address}/{mask}", strict=False)


def _networks(podman: Podman | None) -> Iterable[ipaddress.IPv4Network]:
    found: list[Mapping[str, object]] = podman.get("/networks/json") if podman else []
    for network in found:
        subnets = network.get("subnets") or ()
        for subnet in subnets if isinstance(subnets, list) else ():
            parsed = ipaddress.ip_network(subnet["subnet"], strict=False)
            if isinstance(parsed, ipaddress.IPv4Network):
                yield parsed


def _free_address(network: str, key: tuple[str, str], taken: Collection[str]) -> str:
    """An address by the names, so that it tends to be the same on all hosts; the next one where it is taken."""
    first, size = int(ipaddress.IPv4Network(network)[1]), ipaddress.IPv4Network(network).num_addresses - 2
    start = int.from_bytes(hashlib.sha256("/".join(key).encode()).digest()[:4], "big")
    for step in range(size):
        address = str(ipaddress.IPv4Address(first + (start + step) % size))
        if address not in taken and not local_addresses.is_local(address):
            return address
    raise HostError(f"no address of {network} is free for service {key[1]} of stack {key[0]}")
