# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own code on a host: kept there compiled, so that a task only has to name it.

Ansible ships the code of a module with every task, after parsing all of it on the control node, and the host compiles
it anew each time. For code of this size that takes longer than an unchanged pod. So our modules carry this room
alone; the action plugins name the code by its digest, and send it as an archive when a host answers that it has not
kept it (`plugin_utils/shipping.py`).
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import marshal
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

from .state_directory import default_directory

VARIABLE = "PODWRIGHT_CODE"
"""The environment variable that names the code: its digest and, where it came along, ``:`` and the archive's path."""

IS_MISSING = "code_is_missing"
"""The key of a result that asks for the archive."""

COMPUTED_ROOM = "argument_specs"
"""A room of plain data, which is kept as it was computed: to compute it takes longer than to ask the agent."""

_PACKAGE = __name__.rpartition(".")[0]
_DIGEST = re.compile("[0-9a-f]{32}")
_KEPT_SECONDS = 24 * 3600
_OBJECTS_PER_COLLECTION = 50_000
_UNCHECKED_HASH = (1).to_bytes(4, "little")
"""The flags of a .pyc file whose source is not looked at (PEP 552): its directory's name holds the digest of it."""


def rooms(*names: str) -> tuple[ModuleType, ...]:
    """This package's rooms of these names, from what is kept, from the archive that came along, or as installed.

    Where the code that the task names is not on this host, the process ends with a result that asks for it. Writes
    nothing.
    """
    # To import makes many objects and no garbage, yet Python would look for some every few hundred of them.
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    digest, archive = named()
    if digest and not _is_private(_kept_directory(digest)) and not archive:
        # By hand, since the argument spec that an AnsibleModule needs is part of what is missing.
        answer = {"failed": True, "msg": "this host has not kept the collection's code", IS_MISSING: True}
        sys.stdout.write(json.dumps(answer))
        raise SystemExit(1)
    if digest:
        place = str(_kept_directory(digest)) if _is_private(_kept_directory(digest)) else archive
        sys.modules[_PACKAGE].__path__.insert(0, place)
    return tuple(importlib.import_module(f"{_PACKAGE}.{name}") for name in names)


def keep() -> None:
    """Compile the code that came along and keep it, unless it is kept already. The run goes on where that fails."""
    digest, archive = named()
    if archive and not _is_private(_kept_directory(digest)):
        with contextlib.suppress(OSError):
            _write(_kept_directory(digest), sources(archive))


def named() -> tuple[str, str]:
    """The digest of the code that the task names, and the path of the archive where it came along; empty for none."""
    digest, _separator, archive = os.environ.get(VARIABLE, "").partition(":")
    return digest, archive


def running() -> str:
    """The digest that names the code of this process: as the task does, or as it is installed; empty for neither."""
    installed = Path(__file__).resolve().parents[1].name
    return named()[0] or (installed if _DIGEST.fullmatch(installed) else "")


def sources(archive: str) -> dict[str, bytes]:
    """The rooms in an archive, by name. What is in its folders is something else."""
    with ZipFile(archive) as opened:
        return {Path(name).stem: opened.read(name) for name in opened.namelist() if "/" not in name}


def _kept_directory(digest: str) -> Path:
    """One directory per code and interpreter."""
    return default_directory() / "code" / f"{digest}-{sys.implementation.cache_tag}"


def _is_private(directory: Path) -> bool:
    """Whether it is there and nobody else may put code into it."""
    try:
        found = directory.stat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _write(directory: Path, sources: dict[str, bytes]) -> None:
    directory.parent.mkdir(mode=0o700, exist_ok=True)
    for other in directory.parent.iterdir():
        # What another release may be importing at this moment is left alone.
        if time.time() - other.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".", dir=directory.parent))
    for name, source in sources.items():
        if name == COMPUTED_ROOM:
            source = _computed_room()
        code = compile(source, f"{_PACKAGE}/{name}.py", "exec", dont_inherit=True)
        content = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
        (unfinished / f"{name}.pyc").write_bytes(content + marshal.dumps(code))
    try:
        unfinished.rename(directory)
    except OSError:
        # Another run was faster.
        shutil.rmtree(unfinished)


def _computed_room() -> bytes:
    room = importlib.import_module(f"{_PACKAGE}.{COMPUTED_ROOM}")
    return "\n".join(f"{name} = {getattr(room, name)!r}" for name in room.__all__).encode()
