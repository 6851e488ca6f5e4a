# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ingress as results tell it: its hosts, paths, backends and the pods that take requests. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._declaration.ingresses.spec import Ingress, IngressService
from ..._declaration.stack.spec import StackSpec
from ..services.fronts import Front
from .entrance import Entrance, port_behind


def describe(stack: StackSpec, ingress: Ingress, entrance: Entrance, fronts: Sequence[Front]) -> dict[str, Any]:
    """One Ingress; ``*`` is for all hosts. Nothing of a Secret but its name is told."""
    own = [front for front in fronts if (front.stack, front.ingress) == (stack.name, ingress.name)]

    def backend(wanted: IngressService) -> dict[str, Any]:
        service, port = port_behind(stack, wanted)
        behind = [front for front in own if (front.service, front.port) == (service.name, port.port)]
        servers = (server for front in behind for server in front.servers)
        ready = [f"{server.address}:{server.port}" for server in servers if server.is_ready]
        return {"service": service.name, "port": port.port, "endpoints": ready}

    default = ingress.default_backend
    return {
        "name": ingress.name,
        "stack": stack.name,
        "class": ingress.ingress_class_name or "",
        "hosts": [host or "*" for host in ingress.hosts or (None,)],
        "ports": [entrance.http_port, *([entrance.https_port] if ingress.tls else [])],
        "rules": [
            {"host": rule.host or "*", "path": path.path, "path_type": path.path_type, **backend(path.backend.service)}
            for rule in ingress.rules
            for path in rule.paths
        ],
        "default_backend": backend(default.service) if default else None,
        "tls": [
            {"secret_name": tls.secret_name, "hosts": [host or "*" for host in ingress.tls_hosts(tls)]}
            for tls in ingress.tls
        ],
    }
