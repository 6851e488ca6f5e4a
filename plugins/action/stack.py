# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's part of the module stack: reads all its objects and judges them before a host is touched."""

from __future__ import annotations

from typing import Any

from ..module_utils._declaration import arguments, foreign, manifest
from ..module_utils._declaration.documents import UNNAMED
from ..module_utils._declaration.place import INVALID, Note, Place, Style
from ..module_utils._declaration.stack import parse as stack_parse
from ..module_utils._errors import Fault, InvalidInput, collect
from ..module_utils._host.declaration_files import applied_by, named
from ..plugin_utils._declaring import DeclaringAction, with_secrets_apart


class ActionModule(DeclaringAction):
    """Hands the module a whole stack."""

    def read(self, options: dict[str, Any]) -> dict[str, Any]:
        faults: list[Fault] = []
        run_options = {name: value for name, value in options.items() if name in arguments.STACK_RUN_NAMES}
        run = arguments.STACK_RUN.parse(run_options, Place("", Style.NATIVE, faults))
        rest = {name: value for name, value in options.items() if name not in (*run_options, *arguments.SOURCES)}
        if run["state"] in ("stopped", "rolled_back", "absent"):
            declared = collect(faults, lambda: {"name": stack_parse.parse_name(rest)})
        else:
            notes = arguments.notes_for(run)
            documents = collect(faults, self._documents, options, notes)
            declared = None if documents is None else collect(faults, _read_stack, rest, documents, notes)
            self.notes = notes or []
        if run["revision"] not in (None, INVALID) and run["state"] != "rolled_back":
            faults.append(Fault("revision", "is for state rolled_back only"))
        if faults or declared is None:
            raise InvalidInput(faults)
        return {"applied_by": applied_by(), **run_options, **declared}

    def _documents(self, options: dict[str, Any], notes: list[Note] | None) -> list[tuple[str, Any]]:
        """Those of ``definition`` and of all files of ``src``, each with what to call it; raises with all faults."""
        faults: list[Fault] = []
        documents: list[tuple[str, Any]] = []
        for name, item in _named_definition(options, faults):
            documents += named(collect(faults, manifest.read, item, name) or [], name)
        if options.get("definition_names"):
            # What was read from the files of a folder.
            documents = foreign.set_apart(documents, faults, notes, foreign.reason)
        source = options.get("src")
        given = source if isinstance(source, list) else [] if source is None else [source]
        for number, item in enumerate(given):
            at = Place(f"src[{number}]" if isinstance(source, list) else "src", Style.NATIVE)
            documents += collect(faults, self.read_files, item, at, True, notes) or []
        if faults:
            raise InvalidInput(faults)
        return documents


def _read_stack(options: dict[str, Any], named: list[tuple[str, Any]], notes: list[Note] | None) -> dict[str, Any]:
    """The stack as the module takes it: all Secrets as the option that Ansible knows to hide."""
    documents = [document for _name, document in named]
    stack = stack_parse.parse_options(options, documents, [name for name, _document in named], notes)
    if not documents:
        return options
    names = [name for name, document in named if document["kind"] != "Secret"]
    return {**with_secrets_apart(documents, options, stack.secrets), "definition_names": names}


def _named_definition(options: dict[str, Any], faults: list[Fault]) -> list[tuple[str, Any]]:
    """The definition, or each item of it with the name that it was given."""
    definition, names = options.get("definition"), options.get("definition_names")
    if definition is None:
        return []
    if not names:
        return [(UNNAMED, definition)]
    if not isinstance(definition, list) or not isinstance(names, list) or len(names) != len(definition):
        faults.append(Fault("definition_names", "is a list with a name for each item of definition"))
        return []
    return [(str(name), item) for name, item in zip(names, definition)]
