# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kustomizations: folders whose documents are what ``kustomize`` makes of them, where it or kubectl is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .._errors import Fault, InvalidInput

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
BUILD_SECONDS = 120
"""How long a build may take: what it is made of may have to be fetched."""

_PROGRAMS = (("kustomize", "build"), ("kubectl", "kustomize"))
_MAX_SHOWN_CHARACTERS = 300


def is_kustomization(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES)


def build(folder: Path, label: str) -> bytes:
    """The documents of a kustomization, as YAML text. Raises InvalidInput, whose fault names ``label``."""
    command = next((words for words in _PROGRAMS if shutil.which(words[0])), None)
    if command is None:
        reason = (
            "is a kustomization, and neither kustomize nor kubectl is installed here to build it; "
            f"give what 'kubectl kustomize {label}' prints elsewhere"
        )
        raise InvalidInput([Fault(label, reason)])
    program = " ".join(command)
    try:
        done = subprocess.run(
            [*command, str(folder.resolve())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput([Fault(label, f"{program} has not built it within {BUILD_SECONDS} s")]) from None
    except OSError as error:
        raise InvalidInput([Fault(label, f"{program} cannot be run: {error.strerror}")]) from None
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        shown = "".join(character if character.isprintable() else "?" for character in said)
        raise InvalidInput([Fault(label, f"{program} cannot build it: {shown[-_MAX_SHOWN_CHARACTERS:]}")])
    return done.stdout
