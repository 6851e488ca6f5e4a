# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with a kernel of their own, by User-Mode Linux: cgroups v2 on any machine, and reboots that are real ones.

They are five to eight times slower than the machine. Each has its directory, with a disk that holds what it changed of
the recipe's (copy-on-write), its console's log, and a network device that leads to the machine alone.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from private_podman import free_second_octet

from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError

from .recipes import AUTHORIZED_KEYS, Recipe
from .root_file_systems import Say, cache_directory, digest, locked, root_file_system, stage
from .ssh_hosts import SshHost, make_key

PROGRAM = "linux.uml"
LAUNCHER = Path(__file__).with_name("launch_kernel.sh")
WHOLE_XSTATE = Path(__file__).with_name("whole_xstate.c")
MODULES = Path("/usr/lib/uml/modules")
MEMORY = "2G"
DISK_SIZE = "8G"
BOOT_SECONDS = 240
STOP_SECONDS = 180
"""What systemd may take to stop its units before the kernel is killed."""
INTERFACE = "vec0"


@dataclass(frozen=True)
class KernelHost(SshHost):
    """A host that is a process of this machine. What starts it returns once it is up."""

    directory: Path = field(kw_only=True)
    disk: Path = field(kw_only=True)
    """The disk of its recipe, which is never written to."""
    gateway: str = field(kw_only=True)
    device: str = field(kw_only=True)
    """The machine's end of its network."""

    groups: ClassVar[tuple[str, ...]] = ("cgroup_v2",)

    def start(self) -> None:
        """Switch it on."""
        if self._process():
            return
        self._make_device()
        # The name by which it is called again at a reboot is that of the launcher.
        with open(self.directory / "console.log", "ab") as console:
            process = subprocess.Popen(
                [LAUNCHER, *self._arguments()],
                # Sockets of the kernel are made here, by relative paths: absolute ones may be too long for them.
                cwd=self.directory,
                env={"PATH": os.environ["PATH"], "LD_PRELOAD": str(whole_xstate())},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        (self.directory / "pid").write_text(str(process.pid))
        try:
            self.wait_until_up(BOOT_SECONDS)
        except HostError as error:
            last = (self.directory / "console.log").read_text(errors="replace").splitlines()[-10:]
            raise HostError("\n".join([f"{error}; its console says last:", *last])) from error

    def stop(self) -> None:
        """Shut it down in order: its units are stopped."""
        if self._process():
            self._go_down("poweroff")
            self._await(lambda: not self._process(), STOP_SECONDS, "does not end")
        self.cut_power()

    def reboot(self) -> None:
        """Have it reboot by itself: the kernel starts anew in the same process."""
        before = self.boot_id()
        self._go_down("reboot")
        self._await(lambda: self._booted_since(before), STOP_SECONDS + BOOT_SECONDS, "does not come back")
        self.wait_until_up(BOOT_SECONDS)

    def _go_down(self, how: str) -> None:
        # The connection may end with the network before the command does.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.run(f"systemctl {how}", check=False)

    def boot_id(self) -> str:
        """Changes with each boot."""
        return self.run("cat /proc/sys/kernel/random/boot_id").stdout.strip()

    def cut_power(self) -> None:
        """End everything that runs there at once; ``start`` brings it back."""
        pid = self._process()
        if pid:
            # The guest's processes are processes of this group, and without their kernel they would run on this
            # machine's: all are to go in one stroke.
            os.killpg(pid, signal.SIGKILL)
            self._await(lambda: not self._process(), 10, "cannot be killed")
        (self.directory / "pid").unlink(missing_ok=True)

    def disconnect(self) -> None:
        """Cut it off the network; what runs there goes on."""
        ip("link", "set", self.device, "down")

    def connect(self) -> None:
        """Undo ``disconnect``."""
        ip("link", "set", self.device, "up")
        self.wait_until_up(BOOT_SECONDS)

    def remove(self) -> None:
        """Remove it, with all its data, without shutting it down."""
        self.cut_power()
        with contextlib.suppress(HostError):
            ip("link", "delete", self.device)
        shutil.rmtree(self.directory)

    def _arguments(self) -> list[str]:
        key = self.key.with_suffix(".pub").read_text().strip()
        credential = f"f {AUTHORIZED_KEYS} 0644 root root - {key}".encode()
        return [
            f"umid={self.name}",
            "uml_dir=.",
            f"mem={MEMORY}",
            f"ubd0=disk.cow,{self.disk}",
            "root=/dev/ubda",
            "rw",
            f"{INTERFACE}:transport=tap,ifname={self.device},depth=128",
            "con=null",
            "con0=null,fd:1",
            "TERM=dumb",
            # What follows is for systemd.
            f"systemd.hostname={self.name}",
            f"ip={self.address}::{self.gateway}:255.255.255.252::{INTERFACE}:off",
            f"systemd.set_credential_binary=tmpfiles.extra:{base64.b64encode(credential).decode()}",
        ]

    def _make_device(self) -> None:
        if not Path(f"/sys/class/net/{self.device}").exists():
            ip("tuntap", "add", "dev", self.device, "mode", "tap")
            ip("address", "add", f"{self.gateway}/30", "dev", self.device)
            # The guest drops what is larger than a packet, and TCP would make it.
            ip("link", "set", "dev", self.device, "gso_max_segs", "1")
        ip("link", "set", self.device, "up")

    def _process(self) -> int:
        """The process that is its kernel, 0 for none."""
        try:
            pid = int((self.directory / "pid").read_text())
            os.waitpid(pid, os.WNOHANG)
        except FileNotFoundError:
            return 0
        except ChildProcessError:
            pass  # Another process has started it.
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if f"umid={self.name}".encode() in words and Path(f"/proc/{pid}/cwd").resolve() == self.directory:
                return pid
        return 0

    def _booted_since(self, before: str) -> bool:
        with contextlib.suppress(HostError, subprocess.TimeoutExpired):
            return self.boot_id() != before
        return False

    def _await(self, is_so: Callable[[], bool], seconds: float, fault: str) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise HostError(f"{self.name}: {fault} within {seconds:.0f} s")
            time.sleep(0.5)


class KernelHosts:
    """The hosts of this kind below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve() / "kernels"
        self.key = directory.resolve() / "key"

    def up(self, name: str, recipe: Recipe, say: Say) -> KernelHost:
        """The host of this name, which runs: the one that is there, if it was made by this recipe, else a new one."""
        disk = disk_image(recipe, say)
        self.directory.mkdir(parents=True, exist_ok=True)
        make_key(self.key)
        with locked(self.directory / "changes.lock", lambda: say(f"{name}: another process changes hosts, waiting")):
            host = next((host for host in self.hosts() if host.name == name), None)
            if host and host.disk != disk:
                host.remove()
                host = None
            if host is None:
                host = self._create(name, disk)
            if not host.answers():
                with stage(f"{name}: boot", say):
                    host.start()
        for unit in host.failed_units():
            say(f"{name}: {unit} failed")
        return host

    def hosts(self) -> list[KernelHost]:
        """The hosts that are there, running or not, by name."""
        return [self._host(path.parent) for path in sorted(self.directory.glob("*/host.json"))]

    def remove(self) -> None:
        """Remove the hosts with all their data."""
        for host in self.hosts():
            host.remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _create(self, name: str, disk: Path) -> KernelHost:
        subnet = f"10.{free_second_octet()}.0"
        facts = {
            "address": f"{subnet}.2",
            "gateway": f"{subnet}.1",
            "device": f"pwk{secrets.token_hex(4)}",
            "disk": str(disk),
        }
        directory = self.directory / name
        directory.mkdir()
        (directory / "host.json").write_text(json.dumps(facts))
        return self._host(directory)

    def _host(self, directory: Path) -> KernelHost:
        facts = json.loads((directory / "host.json").read_text())
        return KernelHost(
            directory.name,
            facts["address"],
            self.key,
            directory=directory,
            disk=Path(facts["disk"]),
            gateway=facts["gateway"],
            device=facts["device"],
        )


def disk_image(recipe: Recipe, say: Say) -> Path:
    """The recipe's root file system and the kernel's modules as a disk, made where the cache has none.

    A disk that exists is complete and never written to again. HostError when it cannot be made.
    """
    releases = sorted(path.name for path in MODULES.glob("*"))
    if not releases or not shutil.which(PROGRAM):
        raise HostError("User-Mode Linux is not installed (Debian's package user-mode-linux)")
    image = cache_directory() / f"{recipe.name}-{digest(recipe)}-{releases[-1]}.ext4"
    if image.exists():
        return image
    archive = root_file_system(recipe, say)
    with locked(image.with_suffix(".lock"), lambda: say(f"{recipe.name}: another process makes it, waiting")):
        if not image.exists():
            with stage(f"{recipe.name}: make the disk", say):
                make_disk(archive, image)
    return image


def make_disk(archive: Path, image: Path) -> None:
    """Make the disk; a build that is killed leaves a directory that the next one begins by removing."""
    work = image.with_suffix(".building")
    shutil.rmtree(work, ignore_errors=True)
    root, disk = work / "root", work / "disk"
    root.mkdir(parents=True)
    execute("tar", "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", archive)
    shutil.copytree(MODULES, root / "usr/lib/modules", dirs_exist_ok=True)
    execute("truncate", "--size", DISK_SIZE, disk)
    execute("mke2fs", "-q", "-t", "ext4", "-m", "0", "-d", root, disk)
    disk.rename(image)
    shutil.rmtree(work)


def whole_xstate() -> Path:
    """The library that `whole_xstate.c` is the source of, made where the cache has none."""
    source = WHOLE_XSTATE.read_bytes()
    library = cache_directory() / f"whole_xstate-{hashlib.sha256(source).hexdigest()[:12]}.so"
    if not library.exists():
        made = library.with_suffix(f".{os.getpid()}")
        execute("cc", "-shared", "-fPIC", "-O2", "-o", made, WHOLE_XSTATE)
        made.rename(library)
    return library


def ip(*arguments: str) -> None:
    execute("ip", *arguments)


def execute(*command: str | Path) -> None:
    """Run a program; HostError, with what it said, when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HostError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
