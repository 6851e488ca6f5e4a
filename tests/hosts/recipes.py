# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test hosts are made of.

Every host has what the roles ``host`` and ``agent`` would install, so that a run downloads nothing. Its users root,
``deploy`` (sudo without a password) and ``app`` (subordinate ids, for rootless Pods) log in by one and the same key.
What Podman needs to run there is left to the role ``host``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.podwright.pods.plugins.module_utils._images.root_filesystem import IncludedFile, RootFilesystem

REPOSITORY = Path(__file__).resolve().parents[2]

AUTHORIZED_KEYS = "/etc/ssh/authorized_keys"
"""Where sshd looks for the public keys of all users; a host is given its own when it is made."""

SYSTEM = (
    "ca-certificates",
    "curl",
    "dbus",
    "iproute2",
    "kmod",
    "libpam-systemd",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
)
AGENT = ("python3-click", "python3-prometheus-client", "python3-rich", "python3-yaml")

# A mirror may lag behind its own dates; what comes from it is signed all the same.
APT_OPTIONS = ('Acquire::Check-Valid-Until "false"',)

# Where the kernel has controllers that the machine does not mount, systemd leaves empty directories and links for them
# in /sys/fs/cgroup. Podman takes them for controllers, and fails to make its groups there or to remove them.
CGROUPS_UNIT = """\
[Unit]
Description=Remove what is no cgroup controller from /sys/fs/cgroup
DefaultDependencies=no
ConditionVirtualization=container
ConditionPathExists=!/sys/fs/cgroup/cgroup.controllers

[Service]
Type=oneshot
ExecStart=mount -o remount,rw /sys/fs/cgroup
ExecStart=find /sys/fs/cgroup -mindepth 1 -maxdepth 1 ( -type l -or -type d -empty ) -delete
ExecStart=mount -o remount,ro /sys/fs/cgroup

[Install]
WantedBy=sysinit.target
"""

# systemd 252 on cgroups v1 in a container is not told that a user's manager has left an empty cgroup: at each shutdown
# it would kill what is no longer there and wait two minutes for it to go.
USER_MANAGER = """\
[Service]
SendSIGKILL=no
"""

FILES = (
    IncludedFile(
        "/etc/ssh/sshd_config.d/hosts.conf",
        f"AuthorizedKeysFile {AUTHORIZED_KEYS}\nPasswordAuthentication no\nUseDNS no\nMaxStartups 100\n",
    ),
    IncludedFile("/etc/sudoers.d/deploy", "deploy ALL=(ALL:ALL) NOPASSWD: ALL\n", "0440"),
    IncludedFile("/etc/systemd/system/cgroup-controllers.service", CGROUPS_UNIT),
    IncludedFile("/etc/systemd/system/user@.service.d/hosts.conf", USER_MANAGER),
)
COMMANDS = (
    "useradd --create-home --shell /bin/bash deploy",
    "useradd --create-home --shell /bin/bash app",
    "systemctl enable cgroup-controllers.service",
    # Nothing is to begin on its own while something is measured.
    "systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer",
    # Empty, not missing: each host gets its own at its first boot, without the presets of a first installation.
    "truncate --size 0 /etc/machine-id",
)


@dataclass(frozen=True)
class Recipe:
    """A kind of host: its name and its root file system."""

    name: str
    root: RootFilesystem
    has_kernel: bool = False
    """Whether it has a kernel of its own, and with it cgroups v2; else it is a container."""


def role_packages(system: str, wider: str = "Debian") -> tuple[str, ...]:
    """What the role ``host`` installs on a system, for rootless Pods as well; ``wider`` is its family."""
    variables: Mapping[str, Any] = yaml.safe_load((REPOSITORY / "roles/host/vars/main.yml").read_text())
    tables = (variables["host_packages_by_system"], variables["host_rootless_packages_by_system"])
    return tuple(name for table in tables for name in table.get(system, table[wider]))


def debian(name: str, suite: str, version: int, packages: tuple[str, ...] = (), **root: Any) -> Recipe:
    """A Debian release with ``packages`` beside the common ones; ``root`` are further fields of RootFilesystem."""
    included = {*SYSTEM, *AGENT, *role_packages(f"Debian-{version}"), *packages}
    fields = {"files": FILES, "apt_options": APT_OPTIONS, **root, "commands": (*COMMANDS, *root.get("commands", ()))}
    return Recipe(name, RootFilesystem(suite, tuple(sorted(included)), **fields))


# systemd 258 and later know no cgroups v1, which is all that a container gets on some machines. So the newest Podman
# comes with the stable release's systemd, and only with the libraries that it cannot do without.
FROM_FORKY = (
    "sed s/trixie/forky/g /etc/apt/sources.list > /etc/apt/sources.list.d/forky.list",
    "apt-get update",
    "apt-get install --yes --no-install-recommends"
    " podman/forky conmon/forky crun/forky runc/forky netavark/forky aardvark-dns/forky passt/forky",
    "rm /etc/apt/sources.list.d/forky.list",
)

# A kernel of its own finds its disk, its network and its modules; netavark's are the last ones. It has no nftables for
# the inet and ip families, so that programs which have iptables are given the legacy one.
MODULES = (
    *("ipv6", "overlay", "veth", "bridge", "ip_tables", "iptable_nat", "iptable_filter", "ip6_tables", "ip6table_nat"),
    *("xt_MASQUERADE", "xt_addrtype", "xt_comment", "xt_conntrack", "xt_mark", "xt_multiport", "xt_nat"),
)
FOR_KERNEL_FILES = (
    IncludedFile("/etc/fstab", "/dev/ubda / ext4 defaults 0 1\n"),
    IncludedFile("/etc/modules-load.d/podman.conf", "".join(f"{name}\n" for name in MODULES)),
)
FOR_KERNEL_COMMANDS = (
    "update-alternatives --set iptables /usr/sbin/iptables-legacy",
    "update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy",
    "systemctl enable systemd-networkd.service systemd-network-generator.service",
)


def with_kernel(recipe: Recipe) -> Recipe:
    """The same system for a kernel of its own."""
    files, commands = recipe.root.files + FOR_KERNEL_FILES, recipe.root.commands + FOR_KERNEL_COMMANDS
    return replace(recipe, root=replace(recipe.root, files=files, commands=commands), has_kernel=True)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        debian("debian12", "bookworm", 12),
        debian("debian13", "trixie", 13),
        debian("forky", "trixie", 13, commands=FROM_FORKY),
        with_kernel(debian("uml", "trixie", 13)),
    )
}
