# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root file systems of test hosts as tar archives: made once, and kept in the user's cache by what they are made of."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ansible_collections.podwright.pods.plugins.module_utils._images.root_filesystem import make_root_filesystem

from .recipes import Recipe

Say = Callable[[str], None]
"""Takes a line of progress that a person reads."""

DIGEST_CHARACTERS = 12


def root_file_system(recipe: Recipe, say: Say) -> Path:
    """The recipe's root file system as a tar archive, made where the cache has none (a minute or two, as root).

    An archive that exists is complete and never written to again. Processes that ask at the same time get the same
    one. HostError, with the last words of mmdebstrap, when it cannot be made.
    """
    archive = cache_directory() / f"{recipe.name}-{digest(recipe)}.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    with locked(archive.with_suffix(".lock"), lambda: say(f"{recipe.name}: another process makes it, waiting")):
        if not archive.exists():
            with stage(f"{recipe.name}: make the root file system of {recipe.root.suite}", say):
                make(recipe, archive)
    return archive


def make(recipe: Recipe, archive: Path) -> None:
    """Make the archive; a build that is killed leaves a directory that the next one begins by removing."""
    work = archive.with_suffix(".building")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    make_root_filesystem(recipe.root, "mmdebstrap", work).rename(archive)
    shutil.rmtree(work)


def cache_directory() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(caches).expanduser() / "podwright" / "hosts"


def digest(recipe: Recipe) -> str:
    """Changes with everything that the root file system is made of."""
    text = json.dumps(recipe.root, sort_keys=True, default=vars)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]


@contextlib.contextmanager
def locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a file, which the kernel takes from a process that dies."""
    with open(path, "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def stage(title: str, say: Say) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"{title} ...")
    began = time.monotonic()
    yield
    say(f"{title}: {time.monotonic() - began:.1f} s")
