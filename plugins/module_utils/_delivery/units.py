# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units by which systemd runs the agent: what is in them, and whether they are as they are to be.

Sources: systemd.service(5), systemd.exec(5).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .._errors import DamagedState, HostError
from .._host import state_files

SERVICE = "podwrightd.service"
_MODE = 0o644
_SERVICE_TEXT = """\
# Ansible managed
[Unit]
Description=Keeps the Pods of podwright.pods alive
After=network-online.target
Wants=network-online.target
# To stop Pods, Podman asks systemd by the bus.
After=dbus.service
After=podwright-pods.target
Wants=podwright-pods.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
Restart=always
RestartSec=1
WatchdogSec=60
TimeoutStartSec=120
TimeoutStopSec={stop_timeout_seconds}
# The monitors of containers are in this unit's cgroup: only the agent itself is told to end, their number is that of
# the containers, and where one is killed for want of memory the agent goes on.
KillMode=process
TasksMax=infinity
OOMPolicy=continue
UMask=0077
# The agent's own words are those of `journalctl -t podwrightd`. By the unit's name Podman's are shown too, since
# containers are watched in its cgroup. What containers write goes to files.
SyslogIdentifier=podwrightd
# Hundreds of Pods have thousands of files open in the agent and in Podman's service. It is what systemd lets every
# process ask for, and Podman does so for itself and for containers.
LimitNOFILE=524288
# Memory that holds secrets is not written to disk, unless a process asks for that itself, as one in a container may.
LimitCORE=0:infinity
# All else that would harden this unit is handed down to every process (capabilities, system calls, devices, address
# families), or gives it mounts of its own (what is private, protected or read-only), where those of Podman and of sub
# paths are lost to the host. The containers of the Pods are among these processes, so nothing of it can be taken away.

[Install]
WantedBy={wanted_by}
"""
_PODS_TARGET_TEXT = """\
# Ansible managed
# When the host goes down, systemd would end containers together with the agent: no hooks, no order among Pods. This is
# between them, for it stops after the agent and before the containers. A restart of the agent concerns no container.
[Unit]
Description=Pods of podwright.pods
"""
_CONTAINERS_TEXT = """\
# Ansible managed
# All containers of Podman and their monitors, where systemd is its cgroup manager.
[Unit]
Before=podwright-pods.target
"""
_FIXED = {"podwright-pods.target": _PODS_TARGET_TEXT, "libpod-.scope.d/50-podwright.conf": _CONTAINERS_TEXT}
NAMES = (SERVICE, *_FIXED)


def directory() -> Path:
    """Where the units of this user are: for root those of the whole host."""
    return Path("/etc/systemd/system") if os.geteuid() == 0 else Path.home() / ".config/systemd/user"


def texts(program: Path, arguments: Sequence[str], stop_timeout_seconds: int) -> Mapping[str, str]:
    """What is in the units, by their paths below `directory`. ``arguments`` are those of the agent's ``run``."""
    service = _SERVICE_TEXT.format(
        command=" ".join((str(program), "run", *arguments)),
        stop_timeout_seconds=stop_timeout_seconds,
        wanted_by="multi-user.target" if os.geteuid() == 0 else "default.target",
    )
    return {**_FIXED, SERVICE: service}


def changes(wanted: Mapping[str, str]) -> dict[str, str]:
    """Of the units those that are other than they are to be, each with the text that it has now, empty for none.

    Raises HostError where somebody has put a link in the place of one, as ``systemctl mask`` does.
    """
    found: dict[str, str] = {}
    for name, text in wanted.items():
        path = directory() / name
        if path.is_symlink():
            remedy = "unmask it, or set agent_service_enabled to false"
            raise HostError(f"{path} is a link to {os.readlink(path)}, as of a unit that is masked: {remedy}")
        content = _content(path)
        if content != text.encode() or path.lstat().st_mode & 0o777 != _MODE:
            found[name] = (content or b"").decode(errors="replace")
    return found


def _content(path: Path) -> bytes | None:
    """What is in a unit; None where there is none, or something else in its place, which is then replaced."""
    try:
        return state_files.read(path)
    except DamagedState:
        return None


def write(name: str, text: str) -> None:
    """Write a unit whole, and the folder that it is in. Raises OSError."""
    path = directory() / name
    state_files.make_directory(path.parent, 0o755)
    state_files.write(path, text.encode(), _MODE)


def remove(is_check: bool) -> bool:
    """Remove the units; tells whether there were any."""
    found = [directory() / name for name in NAMES if (directory() / name).exists()]
    for path in found if not is_check else ():
        path.unlink()
        if path.parent != directory():
            with contextlib.suppress(OSError):
                # Somebody may have put files of his own there.
                path.parent.rmdir()
    return bool(found)


def is_ready() -> bool:
    """Whether systemd runs the agent, and starts it at boot."""
    is_root = os.geteuid() == 0
    scope = () if is_root else ("--user",)
    environment = os.environ if is_root else {**os.environ, "XDG_RUNTIME_DIR": f"/run/user/{os.geteuid()}"}
    try:
        return all(
            subprocess.run(
                ("systemctl", *scope, "--quiet", question, SERVICE),
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=60,
            ).returncode
            == 0
            for question in ("is-enabled", "is-active")
        )
    except (OSError, subprocess.SubprocessError):
        return False
