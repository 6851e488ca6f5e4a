"""Where this machine's Python interpreters are, those of pyenv as well."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")


def find_interpreter(version: str) -> Path | None:
    """The newest interpreter of a version such as ``3.9``; None where there is none."""
    # pyenv's shims answer only for the versions selected in it.
    directories = (path for path in os.environ["PATH"].split(os.pathsep) if path != str(PYENV / "shims"))
    kept = sorted(PYENV.glob(f"versions/{version}.*/bin/python{version}"))[-1:]
    found = shutil.which(f"python{version}", path=os.pathsep.join(directories))
    return next(iter(kept), Path(found) if found else None)
