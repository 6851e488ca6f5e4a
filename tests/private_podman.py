# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Podman store of one's own: images, run state, locks and networks below one directory, apart from the machine's."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import re
import resource
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.podwright.pods.plugins.module_utils._host.kernel.sub_path_mounts import runtime_directory

PREFIX = "podwright-test-"
DEFAULT_NETWORK = "podman"

CONTAINERS_CONF = """\
[containers]
default_ulimits = [{ulimits}]

[engine]
{cures}
lock_type = "file"
events_logger = "file"
exit_command_delay = 2
tmp_dir = "{directory}/tmp"
static_dir = "{directory}/root/libpod"
volume_path = "{directory}/root/volumes"

[network]
network_config_dir = "{directory}/networks"
default_subnet_pools = [{{"base" = "10.{octet}.0.0/16", "size" = 24}}]
"""
# lock_type: the default is one shared memory segment for the whole machine, and the first run of a new Podman frees
# every lock in it, also those of another store. static_dir: the clean-up that conmon runs at a container's end is given
# --root, which makes Podman look for its database in <root>/libpod; anywhere else and no exit is ever recorded.

STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{directory}/root"
runroot = "{directory}/run"
"""


def write_configuration(directory: Path) -> None:
    """Write the configuration of a store that lives in ``directory``, with a subnet that nobody else has."""
    octet = free_second_octet()
    values = {
        "directory": directory,
        "octet": octet,
        "ulimits": ", ".join(f'"{name}={limit}:{limit}"' for name, limit in ulimits().items()),
        "cures": "\n".join(f'{name} = "{value}"' for name, value in cures().items()),
    }
    (directory / "containers.conf").write_text(CONTAINERS_CONF.format(**values))
    (directory / "storage.conf").write_text(STORAGE_CONF.format(**values))
    networks = directory / "networks"
    networks.mkdir()
    (networks / f"{DEFAULT_NETWORK}.json").write_text(json.dumps(default_network(octet)))
    # netavark calls the chains of a network by its name alone, so that stores side by side share those of the default
    # one: where one removes them another may be about to use them. So they take turns.
    (networks / "netavark.lock").symlink_to(Path(tempfile.gettempdir()) / f"podwright-netavark-{os.geteuid()}.lock")


def store_environment(directory: Path) -> dict[str, str]:
    """The variables that make the podman program use the store in ``directory``."""
    return {
        "CONTAINERS_CONF": str(directory / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
    }


def ulimits() -> dict[str, int]:
    """Limits that an unprivileged machine may hand to a container: never above its own hard limits."""
    pid_max = int(Path("/proc/sys/kernel/pid_max").read_text())
    names = {"nofile": (resource.RLIMIT_NOFILE, 1048576), "nproc": (resource.RLIMIT_NPROC, pid_max)}
    limits = {}
    for name, (number, ceiling) in names.items():
        hard = resource.getrlimit(number)[1]
        limits[name] = ceiling if hard == resource.RLIM_INFINITY else min(hard, ceiling)
    return limits


def cures() -> dict[str, str]:
    """What containers.conf needs where there is no systemd, or where both cgroup versions are mounted."""
    found = {}
    if not Path("/run/systemd/system").is_dir():
        found["cgroup_manager"] = "cgroupfs"
    hybrid = not Path("/sys/fs/cgroup/cgroup.controllers").exists()
    if hybrid and shutil.which("runc", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        found["runtime"] = "runc"
    return found


def free_second_octet() -> int:
    """A 10.N.0.0/16 that no route of the machine touches."""
    routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=True).stdout
    taken = {int(octet) for octet in re.findall(r"\b10\.(\d+)\.", routes)}
    return random.choice([octet for octet in range(100, 250) if octet not in taken])


def default_network(octet: int) -> dict[str, Any]:
    """Podman's default network with a bridge and a subnet of this host's own."""
    return {
        "name": DEFAULT_NETWORK,
        "id": secrets.token_hex(32),
        "driver": "bridge",
        "network_interface": "pw" + secrets.token_hex(4),
        "created": "2026-01-01T00:00:00Z",
        "subnets": [{"subnet": f"10.{octet}.0.0/24", "gateway": f"10.{octet}.0.1"}],
        "ipv6_enabled": False,
        "internal": False,
        "dns_enabled": False,
        "ipam_options": {"driver": "host-local"},
    }


def lock_directory(directory: Path) -> BinaryIO:
    """Hold the directory's lock for as long as this process lives; OSError when another process holds it."""
    lock = open(directory / "lock", "wb")  # noqa: SIM115
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


@contextlib.contextmanager
def temporary_directory() -> Iterator[Path]:
    """A directory for a store, locked, and removed afterwards: by a later run if this one is killed."""
    remove_abandoned()
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    with lock_directory(directory):
        try:
            yield directory
        finally:
            remove_directory(directory)


def remove_abandoned() -> None:
    """Remove what a killed test run left behind, containers included."""
    for found in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/lock"):
        directory = found.parent
        try:
            lock = lock_directory(directory)
        except OSError:
            continue
        with lock:
            environment = {**os.environ, **store_environment(directory)}
            for command in (["pod", "rm"], ["rm"]):
                subprocess.run(["podman", *command, "-fa", "-t0"], env=environment, capture_output=True, check=False)
            remove_directory(directory)


def remove_directory(directory: Path) -> None:
    """Unmount what is mounted below, and elsewhere for the state that is kept there, and delete the directory."""
    for place in (runtime_directory(directory / "state"), directory):
        unmount_below(place)
        shutil.rmtree(place, ignore_errors=True)


def unmount_below(directory: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if mount.startswith(f"{directory}/")]):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
