# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test hosts below one directory, of both kinds: containers, and kernels of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import ClassVar, Protocol

from .container_hosts import ContainerHosts
from .kernel_hosts import KernelHosts
from .recipes import Recipe
from .root_file_systems import Say
from .ssh_hosts import write_inventory


class Host(Protocol):
    """What can be done with any test host. Whatever switches it on returns once it is up."""

    groups: ClassVar[tuple[str, ...]]

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def key(self) -> Path: ...

    def run(
        self, command: str, user: str = "root", check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command there, by SSH."""

    def answers(self) -> bool:
        """Whether root can log in now."""

    def start(self) -> None:
        """Switch it on."""

    def stop(self) -> None:
        """Shut it down in order."""

    def reboot(self) -> None:
        """Shut it down in order and start it again."""

    def cut_power(self) -> None:
        """End everything that runs there at once."""

    def disconnect(self) -> None:
        """Cut it off the network."""

    def connect(self) -> None:
        """Undo ``disconnect``."""

    def remove(self) -> None:
        """Remove it, with all its data, without shutting it down."""


class Fleet:
    """All hosts below ``directory``, in one inventory."""

    def __init__(self, directory: Path) -> None:
        self._containers = ContainerHosts(directory)
        self._kernels = KernelHosts(directory)
        self.inventory = self._containers.inventory
        self.busybox = self._containers.busybox

    def up(self, name: str, recipe: Recipe, say: Say) -> Host:
        """The host of this name, which runs: the one that is there, if it was made by this recipe, else a new one."""
        host: Host = (self._kernels if recipe.has_kernel else self._containers).up(name, recipe, say)
        write_inventory(self.inventory, [*self._containers.hosts(), *self._kernels.hosts()])
        return host

    def hosts(self) -> list[Host]:
        """The hosts that are there, running or not."""
        return [*self._containers.hosts(), *self._kernels.hosts()]

    def remove(self) -> None:
        """Remove the hosts with all their data, and the directory."""
        self._kernels.remove()
        self._containers.remove()
