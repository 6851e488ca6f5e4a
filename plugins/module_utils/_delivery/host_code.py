# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own code on a host: kept there compiled, so that a task only has to name it.

Ansible ships the code of a module with every task, after parsing all of it on the control node, and the host compiles
it anew each time. For code of this size that takes longer than an unchanged pod. So our modules carry this module
alone; the action plugins name the code by its digest, and send it as an archive when a host answers that it has not
kept it (`plugin_utils/_shipping.py`).

Code is believed only whole: an archive has the digest that the task names, and what is kept is one file that begins
with its own. Nobody else may be able to write that file, or to put another in its place.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import grp
import hashlib
import importlib
import importlib.machinery
import importlib.util
import json
import marshal
import os
import pwd
import re
import shutil
import stat
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Callable, NoReturn
from zipfile import BadZipFile, ZipFile

from .._host.state_directory import default_directory

VARIABLE = "PODWRIGHT_CODE"
"""The environment variable that names the code: its digest and, where it came along, ``:`` and the archive's path."""

IS_MISSING = "code_is_missing"
"""The key of a result that asks for the archive."""

FOLDER = "podwright"
"""Where the code is in an archive, and so the package that it is where the agent is installed."""

COMPUTED_MODULE = "_delivery/argument_specs.py"
"""A module of plain data, kept as computed: computing it takes longer than asking the agent."""

_PACKAGE = __name__.rsplit(".", 2)[0]
_DIGEST = re.compile("[0-9a-f]{32}")
_KEPT_SECONDS = 24 * 3600
_OBJECTS_PER_COLLECTION = 50_000


class CodeDamaged(Exception):
    """An archive is not what the task names."""


def modules(*names: str) -> tuple[ModuleType, ...]:
    """The collection's modules of these names, from what is kept, from the archive that came along, or as installed.

    Where the code that the task names is not on this host, or not whole, the process ends with a result that asks for
    it, or that says what is wrong with the archive. Writes nothing.
    """
    # To import makes many objects and no garbage, yet Python would look for some every few hundred of them.
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    digest, archive = named()
    if digest:
        vars(dataclasses)["exec"] = _methods.make
        finder: Any = _finder(digest, archive)
        sys.meta_path.insert(0, finder)
    return tuple(map(load, names))


def load(name: str) -> Any:
    """The collection's module of that name, such as ``_runs.pod_run``."""
    return importlib.import_module(f"{_PACKAGE}.{name}")


def keep() -> None:
    """Compile the code that came along and keep it, unless it is kept already. A failure does not stop the run."""
    digest, archive = named()
    if archive and _kept(digest) is None:
        with contextlib.suppress(OSError, CodeDamaged):
            _write(digest, sources(archive, digest))


def named() -> tuple[str, str]:
    """The digest of the code that the task names, and the path of the archive where it came along; empty for none."""
    digest, _separator, archive = os.environ.get(VARIABLE, "").partition(":")
    return digest, archive


def running() -> str:
    """The digest that names the code of this process: as the task does, or as it is installed; empty for neither."""
    installed = Path(__file__).resolve().parents[2].name
    return named()[0] or (installed if _DIGEST.fullmatch(installed) else "")


def digest_of(files: Mapping[str, bytes]) -> str:
    """Names files by what they are called and hold."""
    state = hashlib.sha256()
    for name, content in sorted(files.items()):
        state.update(f"{name}:{len(content)}:".encode() + content)
    return state.hexdigest()[:32]


def files_in(archive: str) -> dict[str, bytes]:
    """All that is in an archive. Raises CodeDamaged where it is none."""
    try:
        with ZipFile(archive) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except (OSError, BadZipFile, EOFError, ValueError) as error:
        raise CodeDamaged(f"{archive} cannot be read: {error}") from error


def sources(archive: str, digest: str) -> dict[str, bytes]:
    """The code in an archive, by the paths of its files. Raises CodeDamaged."""
    files = {name: content for name, content in files_in(archive).items() if name.startswith(f"{FOLDER}/")}
    if digest_of(files) != digest:
        raise CodeDamaged(f"{archive} is not the code that the task names: its digest is not {digest}")
    return {name.partition("/")[2]: content for name, content in files.items()}


# --- importing -------------------------------------------------------------------------------------------------------


class _Methods:
    """The methods of data classes, compiled. `dataclasses` writes them as text and would compile it for each task.

    That would take longer than all else of an import. The text names the code: one that is not kept is compiled.
    """

    def __init__(self) -> None:
        self.kept: Mapping[str, bytes] = {}
        self.compiled: dict[str, CodeType] = {}
        """Of the texts that were not kept."""

    def make(self, text: str, namespace: dict[str, Any], made: dict[str, Any]) -> None:
        """What `exec` does, in its place in `dataclasses`."""
        kept = self.kept.get(text)
        code: CodeType
        if kept is None:
            code = self.compiled[text] = compile(text, "<string>", "exec", dont_inherit=True)
        else:
            code = marshal.loads(kept)
        exec(code, namespace, made)  # noqa: S102


_methods = _Methods()


class _Loader(importlib.machinery.SourcelessFileLoader):
    """Loads a module from memory, so that the checked bytes are the ones that run."""

    def __init__(self, name: str, path: str, read: Callable[[], CodeType]) -> None:
        super().__init__(name, path)
        self._read = read

    def get_code(self, fullname: str) -> CodeType:
        return self._read()


class _Finder:
    """Finds the collection's modules and packages among what was read; ``place`` is where from, for people."""

    def __init__(self, place: str, code: Mapping[str, bytes], read: Callable[[str, bytes], CodeType]) -> None:
        self._place = place
        self._code = code
        self._read = read

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        package, _dot, inside = fullname.partition(f"{_PACKAGE}.")
        path_inside = inside.replace(".", "/")
        names = (f"{path_inside}/__init__.py", f"{path_inside}.py")
        name = next((name for name in names if name in self._code), None)
        if package or name is None:
            return None
        place = f"{self._place}/{name}"
        loader = _Loader(fullname, place, lambda: self._read(name, self._code[name]))
        return importlib.util.spec_from_file_location(fullname, place, loader=loader)


def _finder(digest: str, archive: str) -> _Finder:
    kept = _kept(digest)
    if kept is not None:
        modules_kept, _methods.kept = kept
        return _Finder(str(_kept_file(digest)), modules_kept, lambda _name, code: marshal.loads(code))
    if not archive:
        _answer("this host has not kept the collection's code", {IS_MISSING: True})
    try:
        return _Finder(archive, sources(archive, digest), _compile)
    except CodeDamaged as error:
        _answer(f"the collection's code did not arrive: {error}; run the task again", {})


def _answer(message: str, told: Mapping[str, Any]) -> NoReturn:
    """End the process with a result, without AnsibleModule: its argument spec is part of the missing code."""
    sys.stdout.write(json.dumps({"failed": True, "msg": message, **told}))
    raise SystemExit(1)


@functools.cache
def _compile(name: str, source: bytes) -> CodeType:
    """Once in a process: what it was imported from is what it keeps."""
    code: CodeType = compile(source, f"{_PACKAGE}/{name}", "exec", dont_inherit=True)
    return code


# --- what is kept ----------------------------------------------------------------------------------------------------


def _kept_file(digest: str) -> Path:
    """One file per code and interpreter: the digest of the rest; modules by their paths, and methods by their texts."""
    return default_directory().absolute() / "code" / f"{digest}-{sys.implementation.cache_tag}.modules"


def _kept(digest: str) -> tuple[dict[str, bytes], dict[str, bytes]] | None:
    """The modules and methods that are kept; None where they are not, not whole, or where others may write."""
    path = _kept_file(digest)
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or not is_ours_alone(path):
            return None
        told, _newline, content = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return marshal.loads(content) if told == _checksum(digest, content) else None


def _checksum(digest: str, content: bytes) -> bytes:
    return hashlib.sha256(importlib.util.MAGIC_NUMBER + digest.encode() + content).hexdigest().encode()


def is_ours_alone(path: Path) -> bool:
    """Whether only this user and root can write or replace what is at the path."""
    real = path.resolve()
    return all(_is_closed(place.stat()) for place in {path, real, *path.parents, *real.parents})


def _is_closed(seen: os.stat_result) -> bool:
    if seen.st_uid not in (0, os.geteuid()):
        return False
    if stat.S_ISDIR(seen.st_mode) and seen.st_mode & stat.S_ISVTX:
        # As /tmp is: what is ours in it, others can neither remove nor rename.
        return True
    is_open_to_group = seen.st_mode & stat.S_IWGRP and not _is_group_of_one(seen.st_gid)
    return not seen.st_mode & stat.S_IWOTH and not is_open_to_group


def _is_group_of_one(gid: int) -> bool:
    """Whether a group is the one that many distributions make for each user: of this user's name, without others."""
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return user.pw_gid == gid and group.gr_name == user.pw_name and not set(group.gr_mem) - {user.pw_name}


def _write(digest: str, sources: Mapping[str, bytes]) -> None:
    files = load("_host.state_files")
    path = _kept_file(digest)
    files.make_directory(path.parent)
    for other in path.parent.iterdir():
        # Another release may be importing newer files at this moment.
        if time.time() - other.lstat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    computed = {**sources, COMPUTED_MODULE: _computed_module()}
    compiled = {name: marshal.dumps(_compile(name, source)) for name, source in computed.items()}
    content = marshal.dumps((compiled, _methods_of_all_runs()))
    files.write(path, _checksum(digest, content) + b"\n" + content)


def _methods_of_all_runs() -> dict[str, bytes]:
    load("_runs.kinds").load()
    return {text: marshal.dumps(code) for text, code in _methods.compiled.items()}


def _computed_module() -> bytes:
    module = load("_delivery.argument_specs")
    return "\n".join(f"{name} = {getattr(module, name)!r}" for name in module.__all__).encode()
