# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host has of the things that Podman and the modules stand on. Reads only, and needs nothing but Python."""

from __future__ import annotations

import importlib
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

CAPABILITY_BITS = {"NET_ADMIN": 12, "SYS_ADMIN": 21, "SYS_RESOURCE": 24}
CONTROLLERS_NEEDED = ("cpu", "memory", "pids")
APT_BINDINGS = Path("/usr/lib/python3/dist-packages/apt")
STORAGE_PATH = Path("/var/lib/containers")
AGENT_UNIT = "podwrightd.service"
_VERSION = re.compile(r"\d+(\.\d+)+")


def read_text(path: str) -> str:
    """The file's text, or an empty string where it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def run(*command: str, is_to_succeed: bool = True) -> str:
    """The standard output of a command, or an empty string where it is missing or, if it is to succeed, fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=is_to_succeed)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def missing_packages(names: list[str]) -> list[str]:
    """Those of the names that the distribution's package manager does not have installed."""
    if shutil.which("dpkg-query"):
        listed = run("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n")
        installed = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    else:
        # Of one that is not installed rpm says so in a sentence, and ends with an error.
        installed = set(run("rpm", "--query", "--queryformat=%{NAME}\\n", *names, is_to_succeed=False).splitlines())
    return [name for name in names if name not in installed]


def missing_capabilities() -> list[str]:
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", read_text("/proc/self/status"), re.MULTILINE)
    effective = int(found.group(1), 16) if found else 0
    return [name for name, bit in CAPABILITY_BITS.items() if not effective >> bit & 1]


def cgroup_layout() -> str:
    """``v2`` (unified), ``hybrid`` (v1 with a v2 mount beside it), ``v1`` or ``none``."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        return "v2"
    if (root / "unified" / "cgroup.procs").exists():
        return "hybrid"
    return "v1" if any((root / name).is_dir() for name in ("memory", "cpu", "pids")) else "none"


def cgroup_controllers() -> list[str]:
    unified = read_text("/sys/fs/cgroup/cgroup.controllers").split()
    version_one = [line.split()[2] for line in read_text("/proc/mounts").splitlines() if line.split()[2] == "cgroup"]
    if not version_one:
        return unified
    enabled = [line.split() for line in read_text("/proc/cgroups").splitlines() if not line.startswith("#")]
    return [fields[0] for fields in enabled if fields[3] == "1"]


def hard_limit(own: int, label: str) -> int:
    """The lower of our own hard limit and that of PID 1, whose services may run Podman; -1 is unlimited."""
    found = re.search(rf"^{label}\s+\S+\s+(\d+)", read_text("/proc/1/limits"), re.MULTILINE)
    limits = [limit for limit in (own, int(found.group(1)) if found else -1) if limit >= 0]
    return min(limits, default=-1)


def free_mib(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free // 1024**2


def filesystem_type(path: Path) -> str:
    """The type of the file system that holds the path, or would hold it."""
    while not path.exists():
        path = path.parent
    mounts = [line.split()[1:3] for line in read_text("/proc/mounts").splitlines()]
    holding = [(len(point), kind) for point, kind in mounts if path == Path(point) or Path(point) in path.parents]
    return max(holding, key=lambda mount: mount[0], default=(0, ""))[1]


def has_overlay() -> bool:
    """Whether the kernel has overlayfs, built in, loaded or as a module that it will load."""
    if "overlay" in read_text("/proc/filesystems"):
        return True
    return bool(run("modprobe", "--dry-run", "--verbose", "overlay"))


def nftables_inet() -> bool:
    """False where nft is there but the kernel knows no tables of the inet family, which netavark's rules are of."""
    if not shutil.which("nft"):
        return True
    checked = subprocess.run(["nft", "--check", "add table inet podwright_probe"], capture_output=True, check=False)
    return checked.returncode == 0


def subordinate_ids(user: str, uid: int, path: str) -> int:
    """How many subordinate ids the file grants the user, by name or by number."""
    rows = [line.split(":") for line in read_text(path).splitlines() if line.count(":") == 2]
    return sum(int(row[2]) for row in rows if row[0] in (user, str(uid)))


def rootless_user(name: str) -> dict[str, Any]:
    import pwd

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return {"name": name, "exists": False}
    return {
        "name": name,
        "exists": True,
        "uid": entry.pw_uid,
        "subuid": subordinate_ids(name, entry.pw_uid, "/etc/subuid"),
        "subgid": subordinate_ids(name, entry.pw_uid, "/etc/subgid"),
        "lingers": Path("/var/lib/systemd/linger", name).exists(),
        "has_agent": Path(entry.pw_dir, ".config/systemd/user", AGENT_UNIT).exists(),
    }


def podman_py_version(directory: str) -> str:
    """The version of the podman-py that the modules will get, or an empty string."""
    sys.path.append(directory)
    try:
        importlib.import_module("podman.client")
        return str(importlib.import_module("podman.version").__version__)
    except Exception:
        return ""


def podman() -> tuple[str, bool]:
    """Podman's version, empty where there is none, and whether it can read its configuration and storage."""
    found = _VERSION.search(run("podman", "info", "--format", "{{.Version.Version}}"))
    if found:
        return found.group(0), True
    found = _VERSION.search(run("podman", "--version"))
    return found.group(0) if found else "", False


def described(path: str) -> dict[str, Any]:
    """A file as it is: whether it exists, its text, its owner and its mode as ``0644``."""
    try:
        seen = os.lstat(path)
    except OSError:
        return {"exists": False, "text": "", "uid": -1, "mode": ""}
    text = read_text(path) if stat.S_ISREG(seen.st_mode) else ""
    return {"exists": True, "text": text, "uid": seen.st_uid, "mode": f"{stat.S_IMODE(seen.st_mode):04o}"}


def are_ready(*units: str) -> bool:
    """Whether systemd starts the units at boot and, where they are sockets, has them listen now."""
    sockets = [unit for unit in units if unit.endswith(".socket")]
    return all(
        subprocess.run(["systemctl", "--quiet", question, unit], capture_output=True, check=False).returncode == 0
        for question, asked in (("is-enabled", units), ("is-active", sockets))
        for unit in asked
    )


def read(packages: list[str], users: list[str], files: list[str], podman_py_directory: str) -> dict[str, Any]:
    """All of it. ``packages`` are names to look for, ``users`` those of rootless users, ``files`` are paths.

    ``podman_py_directory`` is where podman-py may be, besides where the interpreter looks.
    """
    kernel = re.match(r"\d+\.\d+", os.uname().release)
    version, answers = podman()
    return {
        "interpreter": sys.executable,
        "is_root": os.geteuid() == 0,
        "kernel": kernel.group(0) if kernel else "0",
        "systemd": Path("/run/systemd/system").is_dir(),
        "services_ready": bool(shutil.which("systemctl")) and are_ready("podman.socket", "podman-restart.service"),
        "cgroup": cgroup_layout(),
        "controllers_missing": [name for name in CONTROLLERS_NEEDED if name not in cgroup_controllers()],
        "capabilities_missing": missing_capabilities(),
        "nofile_hard": hard_limit(resource.getrlimit(resource.RLIMIT_NOFILE)[1], "Max open files"),
        "nproc_hard": hard_limit(resource.getrlimit(resource.RLIMIT_NPROC)[1], "Max processes"),
        "pid_max": int(read_text("/proc/sys/kernel/pid_max") or 32768),
        "user_namespaces": int(read_text("/proc/sys/user/max_user_namespaces") or 0),
        "storage_free_mib": free_mib(STORAGE_PATH),
        "storage_filesystem": filesystem_type(STORAGE_PATH),
        "storage_configured": Path("/etc/containers/storage.conf").exists(),
        "overlay": has_overlay(),
        "nftables_inet": nftables_inet(),
        "packages_missing": missing_packages(packages),
        "apt_bindings": APT_BINDINGS.is_dir(),
        "podman": version,
        "podman_answers": answers,
        "podman_py": podman_py_version(podman_py_directory),
        "tun": os.path.exists("/dev/net/tun") and os.stat("/dev/net/tun").st_mode & 0o666 == 0o666,
        "has_agent": Path("/etc/systemd/system", AGENT_UNIT).exists(),
        "rootless_users": [rootless_user(name) for name in users],
        "files": {path: described(path) for path in files},
    }
