# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd and the agent say to one another."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from pathlib import Path


def notify_systemd(state: str) -> None:
    """Tell systemd, where it is what runs the agent (sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.sendall(state.encode())


def host_goes_down() -> bool:
    """Whether systemd is ending all that runs on this host."""
    program = shutil.which("systemctl")
    if program is None or not Path("/run/systemd/system").is_dir():
        return False
    question = [program, "is-system-running"]
    try:
        done = subprocess.run(question, capture_output=True, text=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:
        # A host that is too busy to answer is most often going down.
        return True
    return done.stdout.strip() == "stopping"
