# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Podman of the tests' own: real, complete, and apart from the machine's.

Everything lives under one temporary directory: image store, run state, locks, networks, socket and the state
directory of the collection. Two hosts (two pytest runs) on one machine share nothing but the kernel.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import random
import re
import resource
import secrets
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import podman

PREFIX = "podwright-test-"
BUSYBOX = "localhost/podwright-test/busybox:1"
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


class PodmanHost:
    """Owns a private Podman: its roots, its service and everything created in it.

    ``environment`` makes any subprocess (Podman, a module, Ansible) use this host through its socket;
    ``environment_without_service`` makes it use the same store with no socket to be found.
    """

    image = BUSYBOX

    def __init__(self) -> None:
        remove_abandoned_hosts()
        self.directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = lock_directory(self.directory)
        self.socket_path = self.directory / "podman.sock"
        self.state_directory = self.directory / "state"
        self.containers_conf = self.directory / "containers.conf"
        self.storage_conf = self.directory / "storage.conf"
        self.service: subprocess.Popen[bytes] | None = None
        self._write_configuration()
        self.environment_without_service = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CONTAINER")},
            **store_environment(self.directory),
            "REGISTRY_AUTH_FILE": str(self.directory / "auth.json"),
            "PODWRIGHT_STATE_DIR": str(self.state_directory),
        }
        self.environment = {**self.environment_without_service, "CONTAINER_HOST": f"unix://{self.socket_path}"}

    def start(self) -> None:
        """Make the busybox image and start the service."""
        self._import_busybox()
        self.start_service()

    def start_service(self) -> None:
        """Start the API service; returns once it listens."""
        address = f"unix://{self.socket_path}"
        with open(self.directory / "service.log", "ab") as log:
            self.service = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "podman", "system", "service", "--time=0", address],
                cwd=self.directory,
                env=self.environment_without_service,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 20
        while not listens(self.socket_path):
            if self.service.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("podman system service: " + (self.directory / "service.log").read_text())
            time.sleep(0.005)

    def stop_service(self) -> None:
        """End the API service; containers go on running."""
        if self.service is not None:
            self.service.terminate()
            try:
                self.service.wait(10)
            except subprocess.TimeoutExpired:
                self.service.kill()
                self.service.wait()
            self.service = None
        self.socket_path.unlink(missing_ok=True)

    def podman(self, *arguments: str, check: bool = True, input: bytes | None = None) -> str:  # noqa: A002
        """Run the podman program in this host's store and return its standard output."""
        done = subprocess.run(
            ["podman", *arguments],
            env=self.environment_without_service,
            input=input,
            capture_output=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"podman {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode()

    @contextlib.contextmanager
    def api(self) -> Iterator[Any]:
        """Podman-py's session: an access to Podman that is independent of the code under test."""
        with podman.PodmanClient(base_url=f"unix://{self.socket_path}", version="4.0.0") as client:
            yield client.api

    def inspect(self, container: str) -> dict[str, Any]:
        """One container as Podman tells it."""
        with self.api() as api:
            response = api.get(f"/containers/{container}/json")
            response.raise_for_status()
            return dict(response.json())

    def containers(self) -> dict[str, dict[str, Any]]:
        """Every container of the host by name, as in the list call."""
        with self.api() as api:
            return {each["Names"][0]: each for each in api.get("/containers/json", params={"all": "true"}).json()}

    def mutations(self) -> Sequence[str]:
        """What the host holds, as lines that are equal exactly when nothing was changed: a tripwire for check mode."""
        with self.api() as api:
            held = {
                "container": [
                    # Podman shows a container that has just ended as stopped until its clean-up is done.
                    (each["Id"], each["State"].replace("stopped", "exited"), each["StartedAt"])
                    for each in api.get("/containers/json", params={"all": "true"}).json()
                ],
                "pod": [(each["Id"], each["Status"]) for each in api.get("/pods/json").json() or []],
                "image": [(each["Id"], each.get("Names")) for each in api.get("/images/json").json() or []],
                "volume": [each["Name"] for each in api.get("/volumes/json").json() or []],
                "secret": [each["ID"] for each in api.get("/secrets/json").json() or []],
                "network": [each["name"] for each in api.get("/networks/json").json() or []],
            }
        lines = [f"{kind} {each}" for kind, group in held.items() for each in group]
        files = [f"file {path} {path.stat().st_mtime_ns}" for path in self.state_directory.rglob("*")]
        return sorted(lines + files)

    def clean(self) -> None:
        """Remove what tests made: pods, containers, volumes, secrets, networks, images, state; the base stays."""
        with self.api() as api:
            for pod in api.get("/pods/json").json() or []:
                # The grace period of a removed pod is that of its containers; without this each costs ten seconds.
                api.post(f"/pods/{pod['Id']}/kill", params={"signal": "KILL"})
                api.delete(f"/pods/{pod['Id']}", params={"force": "true"})
            for container in api.get("/containers/json", params={"all": "true"}).json():
                api.delete(f"/containers/{container['Id']}", params={"force": "true", "timeout": 0, "v": "true"})
            for volume in api.get("/volumes/json").json() or []:
                api.delete(f"/volumes/{volume['Name']}", params={"force": "true"})
            for secret in api.get("/secrets/json").json() or []:
                api.delete(f"/secrets/{secret['ID']}")
            for network in api.get("/networks/json").json() or []:
                if network["name"] != DEFAULT_NETWORK:
                    api.delete(f"/networks/{network['name']}", params={"force": "true"})
            for image in api.get("/images/json", params={"all": "true"}).json() or []:
                self._clean_image(api, image)
        shutil.rmtree(self.state_directory, ignore_errors=True)

    def _clean_image(self, api: Any, image: dict[str, Any]) -> None:
        names = image.get("Names") or []
        if any("podman-pause" in name for name in names):
            return
        if self.image not in names:
            api.delete(f"/images/{image['Id']}", params={"force": "true"})
        for name in names:
            if self.image in names and name != self.image:
                api.delete(f"/images/{name}")

    def remove(self) -> None:
        """Remove the host without a trace."""
        if self.service is not None and self.service.poll() is None:
            with contextlib.suppress(Exception):
                self.clean()
        self.stop_service()
        remove_directory(self.directory)
        self._lock.close()

    def _write_configuration(self) -> None:
        octet = free_second_octet()
        values = {
            "directory": self.directory,
            "octet": octet,
            "ulimits": ", ".join(f'"{name}={limit}:{limit}"' for name, limit in ulimits().items()),
            "cures": "\n".join(f'{name} = "{value}"' for name, value in cures().items()),
        }
        self.containers_conf.write_text(CONTAINERS_CONF.format(**values))
        self.storage_conf.write_text(STORAGE_CONF.format(**values))
        (self.directory / "auth.json").write_text("{}")
        networks = self.directory / "networks"
        networks.mkdir()
        (networks / f"{DEFAULT_NETWORK}.json").write_text(json.dumps(default_network(octet)))

    def _import_busybox(self) -> None:
        changes = ("--change", "ENV PATH=/bin", "--change", 'CMD ["sh"]')
        self.podman("import", "--quiet", *changes, "-", BUSYBOX, input=busybox_archive())


def store_environment(directory: Path) -> dict[str, str]:
    return {
        "CONTAINERS_CONF": str(directory / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
    }


def listens(path: Path) -> bool:
    """Whether a process accepts connections on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


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


def busybox_archive(program: Path = Path("/bin/busybox")) -> bytes:
    """A root file system of one static busybox and its links, as a tar archive."""
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for directory in ("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var", "www"):
            add_entry(archive, directory, mode=0o1777 if directory == "tmp" else 0o755, kind=tarfile.DIRTYPE)
        add_entry(archive, "bin/busybox", data=program.read_bytes(), mode=0o755)
        for applet in applets:
            if applet != "busybox":
                add_entry(archive, f"bin/{applet}", kind=tarfile.SYMTYPE, target="busybox")
        add_entry(archive, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        add_entry(archive, "etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    return buffer.getvalue()


def add_entry(
    archive: tarfile.TarFile,
    name: str,
    data: bytes = b"",
    mode: int = 0o644,
    kind: bytes = tarfile.REGTYPE,
    target: str = "",
) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.linkname = kind, mode, len(data), target
    archive.addfile(entry, io.BytesIO(data))


def lock_directory(directory: Path) -> BinaryIO:
    """Hold the directory's lock for as long as this process lives; OSError when another process holds it."""
    lock = open(directory / "lock", "wb")  # noqa: SIM115
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def remove_abandoned_hosts() -> None:
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
    """Unmount what is mounted below and delete the directory."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if mount.startswith(f"{directory}/")]):
        subprocess.run(["umount", "--lazy", mount], check=False)
    shutil.rmtree(directory, ignore_errors=True)
