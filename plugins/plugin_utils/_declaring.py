# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations on the control node: read from options and files, and judged whole before a host is touched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils._declaration import spec as s
from ..module_utils._declaration.fields import checks
from ..module_utils._declaration.fields.schema import Text
from ..module_utils._declaration.place import Note, Place, shown
from ..module_utils._errors import Fault, InvalidInput
from ..module_utils._host.declaration_files import DeclarationFiles
from ._shipping import ShippingAction
from ._sources import Sources


class DeclaringAction(ShippingAction):
    """Hands the module a declaration that is whole: no files left to read, nothing left to refuse.

    ``notes`` are what its documents say and no host keeps.
    """

    notes: Sequence[Note] = ()

    def run_on_host(self, options: Mapping[str, Any], task_vars: Any) -> dict[str, Any]:
        try:
            declared = self.read(_plain(options, Sources()))
        except InvalidInput as error:
            return failure(error)
        return with_notes(super().run_on_host(_plain(declared), task_vars), self.notes)

    def read(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options for the module; raises InvalidInput with every fault of the task."""
        raise NotImplementedError

    def read_file(self, given: Any, at: Place) -> list[Any]:
        """The documents of a file of the role or beside the playbook, decrypted where Ansible Vault encrypted it."""
        return [document for _name, document in self.read_files(given, at, may_be_directory=False)]

    def read_files(
        self, given: Any, at: Place, may_be_directory: bool = True, notes: list[Note] | None = None
    ) -> list[tuple[str, Any]]:
        """The documents of a file or directory, each with what to call it (see `DeclarationFiles`)."""
        name = Text(checks.not_empty).parse(given, at)
        if at.faults:
            raise InvalidInput(at.faults)
        if re.match(r"https?://", name):
            at.fault("is an address, and declarations are read from files; get it first, as by ansible.builtin.get_url")
            raise InvalidInput(at.faults)
        try:
            path = Path(self._find_needle("files", name))
        except AnsibleError:
            at.fault(f"there is no {shown(name)} in files/ of the role or playbook, nor beside them")
            raise InvalidInput(at.faults) from None
        if path.is_dir() and not may_be_directory:
            at.fault(f"{shown(name)} is a directory; give a file in it")
            raise InvalidInput(at.faults)
        files = DeclarationFiles(lambda file: self._content(file, at.path), notes=notes)
        return files.read(path, str(name).rstrip("/"))

    def _content(self, file: Path, path: str) -> bytes:
        try:
            return Path(self._loader.get_real_file(str(file))).read_bytes()
        except (AnsibleError, OSError) as error:
            raise InvalidInput([Fault(path, " ".join(str(error).split()))]) from None


def with_secrets_apart(documents: list[Any], options: dict[str, Any], secrets: tuple[s.Secret, ...]) -> dict[str, Any]:
    """Documents as a module takes them: all ``secrets`` that were read as the option that Ansible knows to hide."""
    others = [document for document in documents if document["kind"] != "Secret"]
    return {**options, **({"secrets": s.to_options(secrets)} if secrets else {}), "definition": others}


def with_notes(result: dict[str, Any], notes: Sequence[Note]) -> dict[str, Any]:
    """The result with the notes. Those that are warnings come as such with what changes something."""
    if not notes or result.get("failed"):
        return result
    warnings = [str(note) for note in notes if note.is_warning and result.get("changed")]
    joined = {"warnings": [*result.get("warnings", ()), *warnings]} if warnings else {}
    return {**result, **joined, "notes": [*map(str, notes), *result.get("notes", ())]}


def failure(error: InvalidInput) -> dict[str, Any]:
    """The result of a task that was refused before a host was touched."""
    count = len(error.faults)
    head = f"{count} {'fault' if count == 1 else 'faults'} in the declaration; nothing was changed:"
    return {
        "failed": True,
        "changed": False,
        "msg": "\n".join([head, *(f"  {fault}" for fault in error.faults)]),
        "faults": [{"path": fault.path, "reason": fault.reason} for fault in error.faults],
    }


def _plain(value: Any, sources: Sources | None = None) -> Any:
    """A copy of a task's arguments in Python's own types; with ``sources``, numbers know how they were written."""
    if isinstance(value, Mapping):
        return {key: _plain(item, sources) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, sources) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return sources.number(value) if sources else int(value)
    # A value encrypted in place, as Ansible before 2.19 has it, is no str until it is asked for one.
    return str(value) if hasattr(value, "__ENCRYPTED__") else value
