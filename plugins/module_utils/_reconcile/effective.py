# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for a pod or container in the end, where several fields or the host have a say."""

from __future__ import annotations

from .._declaration import spec as s
from .observed import Node


def effective_security_context(pod: s.PodSpec, container: s.Container) -> s.SecurityContext:
    """The container's security context with what it leaves open taken from the pod's."""
    own = container.security_context or s.SecurityContext()
    pod_wide = pod.security_context or s.PodSecurityContext()
    shared = (
        "run_as_user",
        "run_as_group",
        "run_as_non_root",
        "seccomp_profile",
        "app_armor_profile",
        "se_linux_options",
    )
    values = {name: getattr(own, name) for name in s.SecurityContext.__dataclass_fields__}
    for name in shared:
        if values[name] is None:
            values[name] = getattr(pod_wide, name)
    return s.SecurityContext(**values)


def native_liveness(container: s.Container, node: Node) -> s.Probe | None:
    """The liveness probe that Podman can keep by itself: exec only, and its timers need systemd."""
    probe = container.liveness_probe
    return probe if probe and probe.exec and node.has_systemd and not node.has_agent else None


def host_ports(pod: s.PodSpec) -> tuple[s.ContainerPort, ...]:
    """The ports published on the host. On the host's own network every port is there already."""
    if pod.host_network:
        return ()
    return tuple(p for c in pod.all_containers for p in c.ports if p.host_port is not None)


def port_text(port: s.ContainerPort) -> str:
    """A host port as messages show it: ``127.0.0.1:80/tcp``."""
    return f"{port.host_ip}:" * bool(port.host_ip) + f"{port.host_port}/{port.protocol.lower()}"
