# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the agent on a host: the code of this very collection as a package that needs no Ansible, and its programs.

Each code has a directory named by its digest, and the link ``current`` points to the one in use, so that an agent that
runs is never left with half of another release. A manifest beside it has the digest of each of its files, compiled ones
too: the programs start nothing that is not whole, and an installation replaces it.
"""

from __future__ import annotations

import compileall
import hashlib
import importlib.util
import os
import pwd
import py_compile
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._errors import DamagedState, HostError
from .._host import state_files
from . import host_code, units

_PROGRAMS = {"podwrightd": f"{host_code.FOLDER}._agent.program", "podwright": "podwright_cli"}
_MANIFEST = "manifest.json"
_PROGRAM = """#!{interpreter}
\"\"\"Made by podwright.pods. {name} --help says what it does.\"\"\"
import hashlib
import json
import os
import sys

directory = os.path.realpath("{directory}")


def is_whole():
    try:
        with open(f"{{directory}}/{manifest}", "rb") as file:
            files = json.load(file)["files"]
        for name, digest in files.items():
            with open(f"{{directory}}/{{name}}", "rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != digest:
                    return False
        return True
    except (OSError, LookupError, TypeError, ValueError, AttributeError):
        return False


if not is_whole():
    sys.exit("{name}: the code in {directory} is damaged or missing; run the role podwright.pods.agent to have it anew")
sys.path.insert(0, directory)

from {module} import main

sys.exit(main())
"""


def install(options: Mapping[str, Any], is_check: bool, is_diff: bool = False) -> dict[str, Any]:
    """Install the code that the task names, or remove all code; the module ``agent``'s work."""
    place, programs = _places()
    result: dict[str, Any] = {
        "changed": False,
        "directory": str(place / "current"),
        "programs": str(programs),
        "uid": os.geteuid(),
        "home": pwd.getpwuid(os.geteuid()).pw_dir,
        "systemd": Path("/run/systemd/system").is_dir(),
    }
    if options.get("state") == "absent":
        found = [path for path in (place, *(programs / name for name in _PROGRAMS)) if path.exists()]
        for path in found if not is_check else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        had_units = units.remove(is_check)
        return {**result, "changed": bool(found) or had_units, "exists": bool(found) and is_check}
    wanted, (_digest, archive) = options.get("code"), host_code.named()
    if not wanted:
        raise HostError("the action plugin of this module names the code to install; run it as a task of Ansible")
    if _current(place) != wanted or not _is_whole(place / wanted, wanted):
        result["changed"] = True
        if not is_check and not archive:
            return {"failed": True, "msg": "this host has another agent", host_code.IS_MISSING: True}
        if not is_check:
            _write(place, wanted, archive)
    result["code_changed"] = result["changed"]
    for name, module in _PROGRAMS.items():
        text = _program(name, module, place / "current")
        if _content(programs / name) != text.encode():
            result["changed"] = True
            if not is_check:
                state_files.make_directory(programs, 0o755)
                state_files.write(programs / name, text.encode(), 0o755)
    if options.get("service") and result["systemd"]:
        result.update(_install_units(programs, options["service"], is_check, is_diff))
        result["changed"] = result["changed"] or result["service_changed"]
    if not is_check:
        host_code.keep()
    lacking = [name for name in ("click", "rich", "yaml", "prometheus_client") if not importlib.util.find_spec(name)]
    return {**result, "lacking": lacking}


def _install_units(programs: Path, service: Mapping[str, Any], is_check: bool, is_diff: bool) -> dict[str, Any]:
    """Have the units as they are to be; tells whether they were, and whether systemd runs the agent."""
    wanted = units.texts(programs / "podwrightd", service["arguments"], service["stop_timeout_seconds"])
    changes = units.changes(wanted)
    for name in changes if not is_check else ():
        units.write(name, wanted[name])
    told: dict[str, Any] = {"service_changed": bool(changes), "service_ready": units.is_ready()}
    if is_diff and changes:
        told["diff"] = [
            {"before": before, "after": wanted[name], "before_header": name, "after_header": name}
            for name, before in changes.items()
        ]
    return told


def _places() -> tuple[Path, Path]:
    """Where agents and programs of this user are: for root those of the whole host."""
    home = Path("/usr/local") if os.geteuid() == 0 else Path.home() / ".local"
    return home / "lib" / "podwright" / "agent", home / "bin"


def _current(place: Path) -> str:
    """The digest of the code in use, empty for none."""
    try:
        return Path(os.readlink(place / "current")).name
    except OSError:
        return ""


def _content(path: Path) -> bytes | None:
    """The text of a program; None where something else stands in its place, which is then replaced."""
    try:
        return state_files.read(path)
    except DamagedState:
        return None


def _program(name: str, module: str, directory: Path) -> str:
    return _PROGRAM.format(
        interpreter=sys.executable, name=name, module=module, directory=directory, manifest=_MANIFEST
    )


def _is_whole(directory: Path, digest: str) -> bool:
    """Whether the installed code is the one of that digest, and compiled as it was."""
    try:
        manifest = state_files.read_object(directory / _MANIFEST) or {}
        names, files = manifest["names"], manifest["files"]
        contents = {name: (directory / name).read_bytes() for name in files}
        told = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        return told == files and host_code.digest_of({name: contents[name] for name in names}) == digest
    except (HostError, OSError, LookupError, TypeError, AttributeError):
        return False


def _write(place: Path, digest: str, archive: str) -> None:
    try:
        files = host_code.files_in(archive)
    except host_code.CodeDamaged as error:
        raise HostError(f"the agent's code did not arrive: {error}; run the task again") from error
    if host_code.digest_of(files) != digest:
        raise HostError(f"{archive} is not the agent's code that the task names ({digest}); run the task again")
    state_files.make_directory(place, 0o755)
    unfinished = place / f".{secrets.token_hex(4)}"
    _fill(unfinished, files)
    if (place / digest).exists():
        # A damaged one.
        shutil.rmtree(place / digest)
    unfinished.rename(place / digest)
    link = place / f".{secrets.token_hex(4)}"
    link.symlink_to(digest)
    link.replace(place / "current")
    state_files.sync_directory(place)
    for other in place.iterdir():
        if other.name not in ("current", digest):
            shutil.rmtree(other, ignore_errors=True)


def _fill(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write the package with its compiled files and their manifest, so that all of it outlasts a power cut."""
    for name, content in {**files, f"{host_code.FOLDER}/__init__.py": b""}.items():
        path = directory / name
        state_files.make_directory(path.parent, 0o755)
        path.write_bytes(content)
    # Python checks no source again: the manifest covers both.
    compileall.compile_dir(str(directory), quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    found = sorted(path for path in directory.rglob("*") if path.is_file())
    digests = {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    for path in directory.rglob("*"):
        # Whatever the umask of the task: users call the command too.
        path.chmod(0o755 if path.is_dir() else 0o644)
    state_files.sync_tree(directory)
    state_files.write_object(directory / _MANIFEST, {"names": sorted(files), "files": digests}, 0o644)
