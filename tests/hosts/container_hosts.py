# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as containers: systemd, sshd and Podman in a container with a kernel that is the machine's.

All of it is below one directory: a Podman store with a network of its own, the hosts' key and their inventory. Images
are in the user's cache, and every such store reads them there.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from busybox_image import busybox_image
from private_podman import DEFAULT_NETWORK, remove_directory, store_environment, write_configuration

from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError

from .recipes import AUTHORIZED_KEYS, Recipe
from .root_file_systems import Say, cache_directory, digest, locked, root_file_system, stage
from .ssh_hosts import SshHost, make_key, write_inventory

IMAGE_PREFIX = "localhost/podwright-host/"
NAME_LABEL, IMAGE_LABEL, ADDRESS_LABEL = (f"io.podwright.test-host.{name}" for name in ("name", "image", "address"))
STOP_SECONDS = 120
"""What systemd may take to stop its units before it is killed."""

RUN_PATH_LENGTH = 50
"""Podman refuses a longer one that is an argument, as where the monitor of a container that has ended calls it."""

# Not podman's own mode for systemd: on cgroups v1 that mounts the machine's whole systemd hierarchy, and hosts would
# share their slices with each other.
RUN_OPTIONS = (
    "--privileged",
    "--cgroupns=private",
    "--systemd=false",
    "--tmpfs=/run:mode=0755,exec",
    "--tmpfs=/run/lock",
    "--tmpfs=/tmp:mode=1777,exec",
    "--stop-signal=SIGRTMIN+3",
    f"--stop-timeout={STOP_SECONDS}",
    # `reboot` inside ends the container.
    "--restart=always",
    "--pids-limit=-1",
    # Podman cannot lay overlays on those of the host's own file system.
    "--volume=/var/lib/containers",
    "--volume=/home",
)
# Devices, kernel settings and kernel file systems are the machine's: a host leaves them alone.
MASKED = (
    "systemd-udevd.service",
    "systemd-udevd-kernel.socket",
    "systemd-udevd-control.socket",
    "systemd-udev-trigger.service",
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "systemd-binfmt.service",
    "proc-sys-fs-binfmt_misc.automount",
    "dev-hugepages.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "getty.target",
    # Each watches directories, and a machine has few such watches (fs.inotify.max_user_instances).
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
)
# systemd reads its arguments as those of a kernel. The first three: cgroups v1, which 257 refuses without.
INIT = (
    "/sbin/init",
    "systemd.unified_cgroup_hierarchy=0",
    "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
    "systemd.legacy_systemd_cgroup_controller=1",
    *(f"systemd.mask={unit}" for unit in MASKED),
)


class Store:
    """A private Podman below ``directory``, made where there is none; it outlives this process."""

    def __init__(self, directory: Path, image_store: Path | None = None) -> None:
        self.directory = directory.resolve()
        if len(f"{self.directory}/run") > RUN_PATH_LENGTH:
            raise HostError(f"{directory}: the path is too long for the run state of Podman; choose a shorter one")
        self.environment = {**os.environ, **store_environment(self.directory)}
        if not (self.directory / "networks").exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            write_configuration(self.directory)
            if image_store:
                with open(self.directory / "storage.conf", "a") as configuration:
                    configuration.write(f'\n[storage.options]\nadditionalimagestores = ["{image_store}/root"]\n')
        self._forget_former_boot()

    def podman(self, *arguments: str, check: bool = True) -> str:
        """Run the podman program in this store and return its standard output."""
        done = subprocess.run(
            ["podman", *arguments], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if check and done.returncode != 0:
            raise HostError(f"podman {arguments[0]}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def subnet(self) -> ipaddress.IPv4Network:
        """The addresses of this store's containers."""
        network = json.loads((self.directory / "networks" / f"{DEFAULT_NETWORK}.json").read_text())
        return ipaddress.IPv4Network(network["subnets"][0]["subnet"])

    def _forget_former_boot(self) -> None:
        """Drop the run state when the machine was booted since: on tmpfs, where it usually is, it would be gone."""
        boot, known = Path("/proc/sys/kernel/random/boot_id").read_text(), self.directory / "boot_id"
        if known.exists() and known.read_text() != boot:
            for name in ("run", "tmp"):
                shutil.rmtree(self.directory / name, ignore_errors=True)
        known.write_text(boot)


@dataclass(frozen=True)
class ContainerHost(SshHost):
    """A host that is a container of ``store``. What starts it returns once it is up."""

    store: Store = field(kw_only=True)
    image: str = field(kw_only=True)

    def start(self) -> None:
        """Switch it on."""
        self.store.podman("start", self.name)
        self.wait_until_up()

    def stop(self) -> None:
        """Shut it down in order: its units are stopped."""
        self.store.podman("stop", self.name)

    def reboot(self) -> None:
        """Shut it down in order and start it again."""
        self.stop()
        self.start()

    def cut_power(self) -> None:
        """End everything that runs there at once; ``start`` brings it back."""
        # The restart policy would start it again by itself.
        self.store.podman("stop", "--time=0", self.name)

    def disconnect(self) -> None:
        """Cut it off the network; what runs there goes on."""
        self.store.podman("network", "disconnect", DEFAULT_NETWORK, self.name)

    def connect(self) -> None:
        """Undo ``disconnect``: the same address, and login works again."""
        self.store.podman("network", "connect", f"--ip={self.address}", DEFAULT_NETWORK, self.name)
        self.wait_until_up()

    def remove(self) -> None:
        """Remove it, with all its data, without shutting it down."""
        self.store.podman("rm", "--force", "--time=0", "--volumes", self.name)


class ContainerHosts:
    """The hosts below one directory; another directory's hosts share nothing with them but the kernel and images."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.key = self.directory / "key"
        self.inventory = self.directory / "inventory.yml"
        self.busybox = self.directory / "busybox.tar"

    def up(self, name: str, recipe: Recipe, say: Say) -> ContainerHost:
        """The host of this name, which runs: the one that is there, if it was made by this recipe, else a new one."""
        store, image = self._open(), host_image(recipe, say)
        with locked(self.directory / "changes.lock", lambda: say(f"{name}: another process changes hosts, waiting")):
            host = next((host for host in self.hosts() if host.name == name), None)
            if host and host.image != image:
                host.remove()
                host = None
            if host is None:
                host = self._create(store, name, image)
            if not host.answers():
                with stage(f"{name}: boot", say):
                    host.cut_power()
                    host.start()
            write_inventory(self.inventory, self.hosts())
        for unit in host.failed_units():
            say(f"{name}: {unit} failed")
        return host

    def hosts(self) -> list[ContainerHost]:
        """The hosts that are there, running or not, by name."""
        if not self.directory.exists():
            return []
        store = self._open()
        found = [each["Labels"] for each in json.loads(store.podman("ps", "--all", "--format=json"))]
        return [self._host(store, labels) for labels in sorted(found, key=lambda labels: labels[NAME_LABEL])]

    def remove(self) -> None:
        """Remove the hosts with all their data, and the directory."""
        if self.directory.exists():
            for host in self.hosts():
                host.remove()
            remove_directory(self.directory)

    def _open(self) -> Store:
        store = Store(self.directory, image_store())
        make_key(self.key)
        if not self.busybox.exists():
            self.busybox.write_bytes(busybox_image())
        return store

    def _create(self, store: Store, name: str, image: str) -> ContainerHost:
        address = self._free_address(store)
        labels = {NAME_LABEL: name, IMAGE_LABEL: image, ADDRESS_LABEL: address}
        options = [f"--name={name}", f"--hostname={name}", f"--ip={address}"]
        options += [f"--label={label}={value}" for label, value in labels.items()]
        store.podman("create", *RUN_OPTIONS, *options, image, *INIT)
        store.podman("cp", f"{self.key}.pub", f"{name}:{AUTHORIZED_KEYS}")
        return self._host(store, labels)

    def _host(self, store: Store, labels: Mapping[str, str]) -> ContainerHost:
        return ContainerHost(
            labels[NAME_LABEL], labels[ADDRESS_LABEL], self.key, store=store, image=labels[IMAGE_LABEL]
        )

    def _free_address(self, store: Store) -> str:
        taken = {host.address for host in self.hosts()}
        # The first one is the machine's.
        return next(address for address in map(str, list(store.subnet().hosts())[1:]) if address not in taken)


def image_store() -> Path:
    """The directory of the store that has the images of hosts, in the user's cache."""
    return cache_directory() / "images"


def host_image(recipe: Recipe, say: Say) -> str:
    """The name of the recipe's image in the image store, where it is made if it is not there yet."""
    image = f"{IMAGE_PREFIX}{recipe.name}:{digest(recipe)}"
    archive = root_file_system(recipe, say)
    with locked(cache_directory() / "images.lock", lambda: say("another process imports an image, waiting")):
        store = Store(image_store())
        if image not in store.podman("images", "--format={{.Repository}}:{{.Tag}}").split():
            with stage(f"{recipe.name}: import the image", say):
                store.podman("import", "--quiet", str(archive), image)
    return image
