# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host has of Podman: its program, and the Python package podman."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from typing import Any

from ..._errors import HostError

FALLBACK_PYTHON = "/usr/local/lib/podwright/python"
"""Where the role ``host`` installs podman-py for every interpreter and user of the host."""

_PROGRESS_BARS = "rich.progress"

# Inherited, these would make the started service talk to another Podman, or to systemd in our name.
FOREIGN_VARIABLES = ("CONTAINER_HOST", "CONTAINER_CONNECTION", "CONTAINER_SSHKEY", "NOTIFY_SOCKET", "LISTEN_FDS")


def import_podman_py() -> Any:
    """Import podman-py from the interpreter, or else from where the role ``host`` puts it."""
    try:
        return _import_plainly()
    except ImportError:
        if FALLBACK_PYTHON not in sys.path:
            sys.path.append(FALLBACK_PYTHON)
            importlib.invalidate_caches()
    try:
        return _import_plainly()
    except ImportError as error:
        raise HostError(
            f"podman-py cannot be imported by {sys.executable} ({error}): run the role podwright.pods.host on this"
            f" host, or install the Python package podman (4.0 or newer) for that interpreter or into {FALLBACK_PYTHON}"
        ) from error


def _import_plainly() -> Any:
    """Import podman-py without rich, which it draws progress bars with where it is there: a quarter of the time."""
    if "podman" in sys.modules or _PROGRESS_BARS in sys.modules:
        return importlib.import_module("podman")
    sys.modules[_PROGRESS_BARS] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("podman")
    finally:
        # Another thread may have done so.
        sys.modules.pop(_PROGRESS_BARS, None)


def podman_program() -> str:
    """Return the path of the podman program."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/bin", "/usr/bin", "/bin"])
    program = shutil.which("podman", path=places)
    if program is None:
        raise HostError(
            "podman is not installed on this host: run the role podwright.pods.host,"
            " or install the distribution's package podman (4.3 or newer)"
        )
    return program


def keep_mounted(volume: str) -> None:
    """Mount a volume until it is removed, even while no container uses it. Podman's API has no call for that."""
    program = podman_program()
    command = [program, "volume", "mount", volume]
    if os.geteuid() != 0:
        command = [program, "unshare", *command]
    # With one of these set the program asks a service, which cannot do it either.
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise HostError(f"volume {volume} cannot be mounted: {done.stderr.strip()}")


def user_runtime_directory() -> str:
    return os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"


def service_environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    # A user that Ansible became has no login session, hence no XDG_RUNTIME_DIR, though the directory may be there.
    if os.geteuid() != 0 and os.access(user_runtime_directory(), os.W_OK):
        environment.setdefault("XDG_RUNTIME_DIR", user_runtime_directory())
    return environment
