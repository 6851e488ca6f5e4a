# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables by which containers find Services that are there when they are made. Pure.

Source: Kubernetes' documentation of Services, "Environment variables"; the kubelet's order and names (1.32).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..._declaration.services.spec import Service


def service_variables(services: Iterable[Service], addresses: Mapping[str, str]) -> dict[str, str]:
    """Those of the Services that have an address and a port; ``addresses`` by their names."""
    found: dict[str, str] = {}
    for service in sorted(services, key=lambda one: one.name):
        address = addresses.get(service.name)
        if address and service.ports:
            found.update(_variables_of(service, address))
    return found


def _variables_of(service: Service, address: str) -> Iterator[tuple[str, str]]:
    name, first = _variable(service.name), service.ports[0]
    yield f"{name}_SERVICE_HOST", address
    yield f"{name}_SERVICE_PORT", str(first.port)
    for port in service.ports:
        if port.name:
            yield f"{name}_SERVICE_PORT_{_variable(port.name)}", str(port.port)
    # As Docker's links had them.
    yield f"{name}_PORT", _url(address, first.port, first.protocol)
    for port in service.ports:
        prefix = f"{name}_PORT_{port.port}_{port.protocol.upper()}"
        yield prefix, _url(address, port.port, port.protocol)
        yield f"{prefix}_PROTO", port.protocol.lower()
        yield f"{prefix}_PORT", str(port.port)
        yield f"{prefix}_ADDR", address


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _url(address: str, port: int, protocol: str) -> str:
    return f"{protocol.lower()}://{address}:{port}"
