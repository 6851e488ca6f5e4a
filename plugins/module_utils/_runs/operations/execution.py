# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operations of one plan share while they are carried out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable

from ..._declaration import spec as s
from ..._errors import ContainerFailed, HostError
from ..._host.observe import Sandbox, observe_image, observe_sandbox
from ..._host.podman.client import Podman
from ..._host.podman.container_output import shown_log
from ..._host.probes import Target
from ..._host.store import Store
from ..._reconcile import operations as op
from ..._reconcile.context import Context
from ..._reconcile.observed import ObservedImage
from ..._reconcile.rendering.materials import Facts
from ..wait import Watch

if TYPE_CHECKING:
    from ..agent import Services

# Independent of the run's own deadline: Podman goes on with a start that the run gives up.
START_SECONDS = 120
_POLL_SECONDS = (0.02, 0.25)


@dataclass
class Execution:
    """The Pod as declared, what is known of its host, and until when (monotonic seconds) starts and gates may take.

    ``on_done`` is told of each operation that was carried out.
    """

    podman: Podman
    store: Store
    context: Context
    facts: Facts
    deadline: float
    on_done: Callable[[op.Operation], None] = lambda operation: None
    pause: Callable[[float], None] = time.sleep
    """Waits so many seconds while a gate is closed; may raise a PodwrightError to end the execution."""
    on_back_off: Callable[[str], None] = lambda container: None
    """Told of an init container that has failed and waits for its next attempt."""
    services: Services | None = None
    """Takes the pod out of its Services before the first of its containers is ended, and tells it of them when it comes
    up; None where nobody keeps any."""
    has_left: bool = False
    watch: Callable[[float], Watch] | None = None
    """Waits for the pod's gates by its keeper's view until a deadline; None where nobody keeps the pod."""
    infra_pid: int = 0
    """The process of the infra container, as it was just seen; 0 where it was not."""
    warnings: list[str] = field(default_factory=list)
    _sandbox: Sandbox | None = None
    _images: dict[str, ObservedImage] = field(default_factory=dict)
    pinned_images: dict[str, str] = field(default_factory=dict)

    @property
    def pod(self) -> s.PodSpec:
        return self.context.pod

    def declared(self, name: str) -> s.Container:
        """The declaration of a container. Raises HostError for one that the Pod does not have."""
        container = self.pod.find(name)
        if container is None:
            raise HostError(f"{self.pod.name}/{name} is not declared")
        return container

    def image(self, container: s.Container) -> ObservedImage:
        """The image that the container is made from. Raises ContainerFailed where it is not on this host."""
        name = self.pinned_images.get(container.name, container.image)
        if name not in self._images:
            found = observe_image(self.podman, name)
            if found is None:
                raise self.failed(container, "ErrImagePull", f"image {container.image} is not on this host")
            self._images[name] = found
        return self._images[name]

    def forget_image(self, name: str) -> None:
        """Look at the image anew: it was just pulled."""
        self._images.pop(name, None)

    def failed(self, container: s.Container, reason: str, message: str, logs: str = "") -> ContainerFailed:
        """The error that says so, to be raised."""
        return ContainerFailed(self.pod.name, container.name, reason, message, logs)

    def sandbox(self) -> Sandbox:
        """How the Pod is reached, asked for once."""
        if self._sandbox is None:
            self._sandbox = observe_sandbox(self.podman, self.pod, self.context.node, self.infra_pid)
        return self._sandbox

    def forget_sandbox(self) -> None:
        """Look at the sandbox anew: it was just started."""
        self._sandbox, self.infra_pid = None, 0

    def facts_in_sandbox(self) -> Facts:
        """The facts of the run with the address that the Pod has got meanwhile, and the Services that there are."""
        stack = self.context.settings.stack if self.pod.enable_service_links else ""
        return Facts(
            pod_ip=self.sandbox().ip,
            host_ip=self.facts.host_ip,
            node_name=self.facts.node_name,
            pod_uid=self.facts.pod_uid,
            allocatable=self.facts.allocatable,
            services=self.services.variables(stack) if self.services and stack else {},
        )

    def podman_name(self, container: s.Container) -> str:
        return self.pod.podman_name(container.name)

    def logs(self, container: s.Container) -> str:
        """The last lines of the container's log, as they may be shown."""
        return shown_log(self.podman, self.podman_name(container))

    def remaining_seconds(self) -> float:
        return max(self.deadline - time.monotonic(), 1.0)

    def target(self, container: s.Container) -> Target:
        """How probes and hooks reach the container."""
        return target_of(self.store, self.pod, container, self.sandbox())

    def hook_target(self, container: s.Container, hook: s.Handler) -> Target:
        """How a hook reaches the container. One that needs no network is not lost where the sandbox cannot be seen."""
        needs_network = hook.exec is None and hook.sleep is None
        sandbox = self.sandbox() if needs_network else Sandbox("", None)
        return target_of(self.store, self.pod, container, sandbox)


def target_of(store: Store, pod: s.PodSpec, container: s.Container, sandbox: Sandbox) -> Target:
    """How probes and hooks reach a container of a pod with this sandbox."""
    return Target(
        container_id=pod.podman_name(container.name),
        pod_ip=sandbox.ip,
        network_pid=sandbox.network_pid,
        ports={port.name: port.container_port for port in container.ports if port.name},
        exec_prefix=store.exec_prefix(pod.name, container.name),
    )


def pauses() -> Iterator[float]:
    """How long to wait between looks (seconds), ever longer up to a limit, without an end."""
    pause, longest = _POLL_SECONDS
    while True:
        yield pause
        pause = min(pause * 1.5, longest)
