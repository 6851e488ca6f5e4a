# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Podman of the tests' own: real, complete, and apart from the machine's.

Everything lives under one temporary directory: image store, run state, locks, networks, socket and the state
directory of the collection. Two hosts (two pytest runs) on one machine share nothing but the kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import podman
from busybox_image import BUSYBOX, busybox_archive
from private_podman import (
    DEFAULT_NETWORK,
    PREFIX,
    lock_directory,
    remove_abandoned,
    remove_directory,
    store_environment,
    unmount_below,
    write_configuration,
)

from ansible_collections.podwright.pods.plugins.module_utils._host.kernel.sub_path_mounts import runtime_directory


class PodmanHost:
    """Owns a private Podman: its roots, its service and everything created in it.

    ``environment`` makes any subprocess (Podman, a module, Ansible) use this host through its socket;
    ``environment_without_service`` makes it use the same store with no socket to be found.
    """

    image = BUSYBOX

    def __init__(self) -> None:
        remove_abandoned()
        self.directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = lock_directory(self.directory)
        self.socket_path = self.directory / "podman.sock"
        self.state_directory = self.directory / "state"
        self.mount_directory = runtime_directory(self.state_directory)
        self.service: subprocess.Popen[bytes] | None = None
        write_configuration(self.directory)
        (self.directory / "auth.json").write_text("{}")
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

    def reboot(self) -> None:
        """Lose power and come up again: every process and mount is gone, and what Podman keeps for one boot."""
        inspected = [self.inspect(name) for name in self.containers()]
        self.stop_service()
        for found in inspected:
            for pid in (found["State"].get("ConmonPid"), found["State"]["Pid"]):
                if pid:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        networks = [found["NetworkSettings"].get("SandboxKey") or "" for found in inspected]
        for path in filter(None, networks):
            subprocess.run(["umount", "--lazy", path], check=False, capture_output=True)
            Path(path).unlink(missing_ok=True)
        unmount_below(self.directory)
        unmount_below(self.mount_directory)
        shutil.rmtree(self.mount_directory, ignore_errors=True)
        for place in ("run", "tmp"):
            for path in (self.directory / place).iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.start_service()

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

    def pause(self, *containers: str) -> None:
        """Freeze running containers, each of them again until it is frozen.

        runc gives up with "unable to freeze" when a cgroup v1 does not freeze within a thousand looks, as happens on a
        busy machine; its maintainers leave trying again to the caller (opencontainers/runc, pull request 4388).
        """
        deadline = time.monotonic() + 30
        with self.api() as api:
            for container in containers:
                answer = api.post(f"/containers/{container}/pause")
                while not answer.ok and time.monotonic() < deadline:
                    time.sleep(0.1)
                    answer = api.post(f"/containers/{container}/pause")
                if not answer.ok:
                    raise RuntimeError(f"{container} cannot be paused: {answer.text}")

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

    def generated(self, owner: str) -> list[str]:
        """The values of the secrets that were generated for a pod, or for ``stack@NAME``."""
        content = json.loads((self.state_directory / "secrets" / f"{owner}.json").read_text())
        # Beside them there is the file's checksum, and in a group without a name how old they are.
        groups = [keys for name, keys in content.items() if name not in ("#sha256", "")]
        return [value for keys in groups for value in keys.values()]

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
        return sorted([*lines, *self._files()])

    def _files(self) -> Iterator[str]:
        for path in self.state_directory.rglob("*"):
            # Containers write in a volume whenever they like; only the folders that lie there may be ours.
            in_volume = re.match(r"pods/[^/]+/empty/[^/]+", str(path.relative_to(self.state_directory)))
            if not in_volume:
                yield f"file {path} {path.lstat().st_mtime_ns}"
            elif path.is_dir():
                yield f"folder {path}"

    def clean(self) -> None:
        """Remove what tests made: pods, containers, volumes, secrets, networks, images, state; the base stays."""
        with self.api() as api:
            self._clean_pods(api)
            for volume in api.get("/volumes/json").json() or []:
                api.delete(f"/volumes/{volume['Name']}", params={"force": "true"})
            for secret in api.get("/secrets/json").json() or []:
                api.delete(f"/secrets/{secret['ID']}")
            for network in api.get("/networks/json").json() or []:
                if network["name"] != DEFAULT_NETWORK:
                    api.delete(f"/networks/{network['name']}", params={"force": "true"})
            for image in api.get("/images/json", params={"all": "true"}).json() or []:
                self._clean_image(api, image)
        unmount_below(self.mount_directory)
        for directory in (self.state_directory, self.mount_directory):
            shutil.rmtree(directory, ignore_errors=True)

    def _clean_pods(self, api: Any) -> None:
        """Podman refuses a removal now and then, such as while a process of the container is about to end."""
        for _attempt in range(10):
            for pod in api.get("/pods/json").json() or []:
                # The grace period of a removed pod is that of its containers; without this each costs ten seconds.
                api.post(f"/pods/{pod['Id']}/kill", params={"signal": "KILL"})
                api.delete(f"/pods/{pod['Id']}", params={"force": "true"})
            for container in api.get("/containers/json", params={"all": "true"}).json():
                api.delete(f"/containers/{container['Id']}", params={"force": "true", "timeout": 0, "v": "true"})
            left = [*(api.get("/pods/json").json() or []), *api.get("/containers/json", params={"all": "true"}).json()]
            if not left:
                return
            time.sleep(1)
        raise AssertionError(f"Podman does not remove {left}")

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

    def _import_busybox(self) -> None:
        changes = ("--change", "ENV PATH=/bin", "--change", 'CMD ["sh"]')
        self.podman("import", "--quiet", *changes, "-", BUSYBOX, input=busybox_archive())


def listens(path: Path) -> bool:
    """Whether a process accepts connections on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
