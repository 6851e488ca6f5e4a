# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations in files and folders: read in one way by playbooks and by the command."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .._declaration import foreign, manifest
from .._declaration.place import Note
from .._errors import Fault, InvalidInput, collect
from . import kustomization

SUFFIXES = (".yml", ".yaml", ".json")
"""What the names of the files end with that are read in a folder."""

Named = tuple[str, Any]
"""A document, after what faults call it."""


def applied_by() -> str:
    """Who hands a declaration in, for the revision's record: the user and the machine of this process."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def content_of(path: Path) -> bytes:
    """What is in a file. Raises InvalidInput."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([Fault(str(path), f"cannot be read: {error.strerror}")]) from None


class DeclarationFiles:
    """Reads documents, each with what faults call it: its source, and a number where there are several in it.

    ``content`` gives what is in a file. ``reason_against`` says why a document is no declaration, or nothing; in a
    folder such a one is passed over with one of the ``notes``, where there are any.
    """

    def __init__(
        self,
        content: Callable[[Path], bytes] = content_of,
        reason_against: Callable[[Any], str] = foreign.reason,
        notes: list[Note] | None = None,
    ) -> None:
        self._content = content
        self._notes = notes
        self._reason_against = reason_against

    def read(self, path: Path, label: str) -> list[Named]:
        """The documents of a file, of all files of a folder by name, or those that a kustomization is built into.

        Raises InvalidInput with every fault.
        """
        if not path.is_dir():
            return self._read_file(path, label)
        if kustomization.is_kustomization(path):
            return self.parse(kustomization.build(path, label), label)
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if not files:
            raise InvalidInput([Fault(label, f"has no files that end with {', '.join(SUFFIXES)}")])
        faults: list[Fault] = []
        documents: list[Named] = []
        for file in files:
            name = str(Path(label, file.name))
            documents += collect(faults, self._documents_in, self._content, file, name) or []
        documents = foreign.set_apart(documents, faults, self._notes, self._reason_in_folder)
        if faults:
            raise InvalidInput(faults)
        return documents

    def _read_file(self, file: Path, label: str) -> list[Named]:
        return self.parse(self._content(file), label)

    def _documents_in(self, content: Callable[[Path], bytes], file: Path, name: str) -> list[Named]:
        return named(manifest.read(manifest.decode(content(file), name), name), name)

    def _reason_in_folder(self, document: Any) -> str:
        return self._reason_against(document) if isinstance(document, dict) else "is no mapping, as documents are"

    def parse(self, content: bytes, label: str) -> list[Named]:
        """The documents in what a file, or standard input, holds. Raises InvalidInput with every fault."""
        documents = named(manifest.read(manifest.decode(content, label), label), label)
        reasons = ((name, self._reason_against(document)) for name, document in documents)
        faults = [Fault(name, reason) for name, reason in reasons if reason]
        if faults:
            raise InvalidInput(faults)
        return documents


def named(documents: Sequence[Any], label: str) -> list[Named]:
    """The documents of one source, each with what faults call it."""
    names = [label] if len(documents) == 1 else [f"{label}[{number}]" for number in range(len(documents))]
    return [*zip(names, documents)]
