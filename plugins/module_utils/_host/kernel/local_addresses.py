# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that this host has for itself, on its loopback interface: set and taken away by netlink.

Source: the manual pages netlink(7) and rtnetlink(7).
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct

from ..._errors import HostError

_NEW_ADDRESS, _DELETE_ADDRESS = 20, 21
_REQUEST, _ACKNOWLEDGE, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x200, 0x400
_LOCAL, _ADDRESS = 2, 1
_ERROR = 2
_ANSWER_BYTES = 65536


def set_address(address: str) -> None:
    """Give the host an IPv4 address. Does nothing where it has it. Raises HostError."""
    _change(_NEW_ADDRESS, _CREATE | _EXCLUSIVE, address, errno.EEXIST)


def take_address(address: str) -> None:
    """Take such an address away. Does nothing where the host does not have it. Raises HostError."""
    _change(_DELETE_ADDRESS, 0, address, errno.EADDRNOTAVAIL)


def is_local(address: str) -> bool:
    """Whether the host has the address already."""
    with socket.socket() as attempt:
        try:
            attempt.bind((address, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def _change(kind: int, flags: int, address: str, is_so_already: int) -> None:
    packed = ipaddress.IPv4Address(address).packed
    attributes = b"".join(struct.pack("=HH4s", 8, name, packed) for name in (_LOCAL, _ADDRESS))
    body = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, socket.if_nametoindex("lo")) + attributes
    header = struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | _ACKNOWLEDGE | flags, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
            link.settimeout(5)
            link.bind((0, 0))
            link.send(header + body)
            answer = link.recv(_ANSWER_BYTES)
    except OSError as error:
        raise HostError(f"the address {address} cannot be changed on lo: {error}") from error
    if struct.unpack_from("=H", answer, 4)[0] == _ERROR:
        number = -struct.unpack_from("=i", answer, 16)[0]
        if number not in (0, is_so_already):
            raise HostError(f"the address {address} cannot be changed on lo: {os.strerror(number)}")
