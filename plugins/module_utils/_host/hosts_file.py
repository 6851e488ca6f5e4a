# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The /etc/hosts of a Pod: one file of Podman's, which all its containers have mounted and may write to.

Podman writes it anew with each sandbox. At the start and the end of a container it takes it apart into addresses and
names, changes those of that container, and leaves out what else stands there, as comments.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Callable

from .._errors import HostError

_LIMIT_BYTES = 1024 * 1024
"""A container may write into its own file whatever it likes."""


def update(path: Path, change: Callable[[str], str]) -> bool:
    """Write what ``change`` makes of the content, and tell whether that is new.

    Written in place, since a mount shows the file and not its name. It is at no moment empty for those that read it.
    Raises HostError, and FileNotFoundError where the Pod is gone.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _update(descriptor, path, change)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error}") from error


def _update(descriptor: int, path: Path, change: Callable[[str], str]) -> bool:
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        raise HostError(f"{path} is no file")
    if state.st_size > _LIMIT_BYTES:
        raise HostError(f"{path} has {state.st_size} bytes: a container has filled its /etc/hosts; it is left as it is")
    present = os.pread(descriptor, _LIMIT_BYTES, 0)
    wanted = change(present.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    if wanted == present:
        return False
    written = 0
    while written < len(wanted):
        written += os.pwrite(descriptor, wanted[written:], written)
    os.ftruncate(descriptor, len(wanted))
    return True
