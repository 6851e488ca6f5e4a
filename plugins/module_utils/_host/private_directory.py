# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories for one run. If the run is killed, the next one removes them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .._errors import HostError
from .kernel.held_paths import remove_tree

_MARK = ".in-use"


@contextlib.contextmanager
def private_directory(prefix: str, base: str) -> Iterator[Path]:
    """Make a directory below ``base`` that only this user can read, and remove it afterwards.

    What killed runs of the same ``prefix`` left there is removed first. Raises OSError where none can be made.
    """
    remove_abandoned(prefix, base)
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    try:
        with locked(directory):
            (directory / _MARK).touch()
            yield directory
    finally:
        _remove(directory)


def remove_abandoned(prefix: str, base: str) -> None:
    # The mark is made under the lock: a directory without one may be that of a run that is just starting.
    for mark in Path(base).glob(f"{prefix}*/{_MARK}"):
        with contextlib.suppress(OSError):
            if mark.parent.stat().st_uid == os.geteuid():
                with locked(mark.parent):
                    _remove(mark.parent)


def _remove(directory: Path) -> None:
    """Remove as much as possible; a later run removes the rest. Mounts in it stay as they are."""
    with contextlib.suppress(OSError, HostError):
        remove_tree(directory)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold a directory's lock, which ends with this process; BlockingIOError when another process holds it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
