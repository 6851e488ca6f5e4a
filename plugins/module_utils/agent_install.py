# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the agent on a host: the rooms of this very collection as a package that needs no Ansible, and its programs.

Each code has a directory named by its digest, and the link ``current`` points to the one in use, so that an agent that
runs is never left with half of another release.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import pwd
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from . import host_code, state_files
from .errors import DamagedState, HostError

PACKAGE = "podwright"
_PROGRAMS = {"podwrightd": f"{PACKAGE}.agent", "podwright": "podwright_cli"}
_PROGRAM = """#!{interpreter}
\"\"\"Made by podwright.pods. {name} --help says what it does.\"\"\"
import sys

sys.path.insert(0, "{directory}")

from {module} import main

sys.exit(main())
"""


def install(options: Mapping[str, Any], is_check: bool, is_diff: bool = False) -> dict[str, Any]:
    """Have the code that the task names in place, or no code at all; the module ``agent``'s work."""
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
        return {**result, "changed": bool(found), "exists": bool(found) and is_check}
    wanted, (_digest, archive) = options.get("code"), host_code.named()
    if not wanted:
        raise HostError("the action plugin of this module names the code to install; run it as a task of Ansible")
    if _current(place) != wanted:
        result["changed"] = True
        if not is_check and not archive:
            return {"failed": True, "msg": "this host has another agent", host_code.IS_MISSING: True}
        if not is_check:
            _write(place, wanted, archive)
    result["code_changed"] = result["changed"]
    for name, module in _PROGRAMS.items():
        text = _PROGRAM.format(interpreter=sys.executable, name=name, directory=place / "current", module=module)
        if _content(programs / name) != text.encode():
            result["changed"] = True
            if not is_check:
                programs.mkdir(mode=0o755, parents=True, exist_ok=True)
                state_files.write(programs / name, text.encode(), 0o755)
    if not is_check:
        host_code.keep()
    lacking = [name for name in ("click", "rich", "yaml", "prometheus_client") if not importlib.util.find_spec(name)]
    return {**result, "lacking": lacking}


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
    """That of a program; None for anything that is none, which is then written."""
    try:
        return state_files.read(path)
    except DamagedState:
        return None


def _write(place: Path, digest: str, archive: str) -> None:
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = place / f".{secrets.token_hex(4)}"
    with ZipFile(archive) as opened:
        for name in opened.namelist():
            path = unfinished / (name if "/" in name else f"{PACKAGE}/{name}")
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            path.write_bytes(opened.read(name))
    (unfinished / PACKAGE / "__init__.py").touch()
    compileall.compile_dir(str(unfinished), quiet=2)
    if (place / digest).exists():
        shutil.rmtree(place / digest)
    unfinished.rename(place / digest)
    link = place / f".{secrets.token_hex(4)}"
    link.symlink_to(digest)
    link.replace(place / "current")
    for other in place.iterdir():
        if other.name not in ("current", digest):
            shutil.rmtree(other, ignore_errors=True)
