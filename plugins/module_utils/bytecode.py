# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own code, compiled once per release and host instead of at every run.

Ansible ships code as text in an archive, and Python keeps nothing that it compiles out of an archive: an unchanged
run would spend more time on that than on its pod. This room is imported first and imports no other that is large.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import marshal
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile
from zipimport import zipimporter

from .state_directory import default_directory

_PACKAGE = __name__.rpartition(".")[0]
_KEPT_SECONDS = 24 * 3600
_UNCHECKED_HASH = (1).to_bytes(4, "little")
"""The flags of a .pyc file whose source is not looked at (PEP 552): its directory's name holds the digest of it."""


def use_kept() -> None:
    """Have this package's rooms imported from what was kept of this very code, where there is that. Writes nothing."""
    sources = _shipped_sources()
    if sources and _is_private(_kept_directory(sources)):
        sys.modules[_PACKAGE].__path__.insert(0, str(_kept_directory(sources)))


def keep() -> None:
    """Compile this code and keep it, unless it is kept already. The run goes on without where that fails."""
    sources = _shipped_sources()
    if sources and not _is_private(_kept_directory(sources)):
        with contextlib.suppress(OSError):
            _write(_kept_directory(sources), sources)


@functools.cache
def _shipped_sources() -> Mapping[str, bytes]:
    """The source of each room that Ansible shipped for this run; none where the collection is installed."""
    spec = sys.modules[__name__].__spec__
    if spec is None or not isinstance(spec.loader, zipimporter):
        return {}
    with ZipFile(spec.loader.archive) as archive:
        paths = [Path(name) for name in archive.namelist()]
        own = [path for path in paths if ".".join(path.parent.parts) == _PACKAGE and path.stem != "__init__"]
        return {path.stem: archive.read(str(path)) for path in sorted(own)}


def _kept_directory(sources: Mapping[str, bytes]) -> Path:
    """One directory per code and interpreter."""
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER)
    for name, source in sources.items():
        digest.update(f"{name}:{len(source)}:".encode() + source)
    return default_directory() / "bytecode" / digest.hexdigest()[:32]


def _is_private(directory: Path) -> bool:
    """Whether it is there and nobody else may put code into it."""
    try:
        found = directory.stat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _write(directory: Path, sources: Mapping[str, bytes]) -> None:
    directory.parent.mkdir(mode=0o700, exist_ok=True)
    for other in directory.parent.iterdir():
        # What another release may be importing at this moment is left alone.
        if time.time() - other.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".", dir=directory.parent))
    for name, source in sources.items():
        code = compile(source, f"{_PACKAGE}/{name}.py", "exec", dont_inherit=True)
        content = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
        (unfinished / f"{name}.pyc").write_bytes(content + marshal.dumps(code))
    try:
        unfinished.rename(directory)
    except OSError:
        # Another run was faster.
        shutil.rmtree(unfinished)
