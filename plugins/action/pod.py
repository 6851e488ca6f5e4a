# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's part of the module pod: reads the declaration and judges all of it before a host is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..module_utils._declaration import arguments, manifest, parse
from ..module_utils._declaration.place import INVALID, Note, Place, Style
from ..module_utils._errors import Fault, InvalidInput, collect
from ..plugin_utils._declaring import DeclaringAction, with_secrets_apart

NATIVE_NAMES = arguments.POD_NAMES - arguments.HOST_NAMES
"""What a Kubernetes document says by itself, so that it cannot stand beside one."""


class ActionModule(DeclaringAction):
    """Hands the module a whole Pod."""

    def read(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options for the module; raises InvalidInput with every fault of the task."""
        faults: list[Fault] = []
        run_options = {name: value for name, value in options.items() if name in arguments.RUN_NAMES}
        run = arguments.RUN.parse(run_options, Place("", Style.NATIVE, faults))
        sources = [name for name in arguments.SOURCES if options.get(name) is not None]
        rest = {name: value for name, value in options.items() if name not in (*run_options, *arguments.SOURCES)}
        may_be_named = run["state"] is INVALID or run["state"] == "stopped"
        by_name = run["state"] == "absent" or (may_be_named and not sources and set(rest) == {"name"})
        declared: dict[str, Any] | None = None
        if not sources:
            declared = collect(faults, _read_options, rest, by_name)
        else:
            faults += _misplaced(rest, sources)
            host = {name: value for name, value in rest.items() if name not in NATIVE_NAMES}
            source = str(options["src"]) if sources == ["src"] else "definition"
            documents, notes = collect(faults, self._documents, options), arguments.notes_for(run)
            if documents is not None:
                declared = collect(faults, _read_documents, documents, source, host, by_name, notes)
            self.notes = notes or []
        if faults or declared is None:
            raise InvalidInput(faults)
        return {**run_options, **declared}

    def _documents(self, options: Mapping[str, Any]) -> list[Any]:
        if options.get("definition") is not None:
            return manifest.read(options["definition"])
        return self.read_file(options["src"], Place("src", Style.NATIVE))


def _read_options(options: dict[str, Any], by_name: bool) -> dict[str, Any]:
    """Native options as the module takes them; a pod that goes, or stops, needs its name alone."""
    if by_name:
        return {"name": parse.parse_name(options)}
    parse.parse_options(options)
    return options


def _read_documents(
    documents: list[Any], source: str, host: dict[str, Any], by_name: bool, notes: list[Note] | None
) -> dict[str, Any]:
    """Documents as the module takes them. Secrets go as the option that Ansible knows to hide, and come first in it."""
    if by_name:
        return {"name": parse.parse_document_name(documents, source)}
    pod = parse.parse_documents(documents, host, source, notes)
    return with_secrets_apart(documents, host, pod.secrets)


def _misplaced(options: Mapping[str, Any], sources: list[str]) -> list[Fault]:
    """Faults of what cannot stand beside a definition."""
    faults = [Fault("src", "cannot stand beside definition; leave one of them out")] if len(sources) > 1 else []
    beside = sorted(arguments.HOST_NAMES | arguments.RUN_NAMES)
    for name, value in options.items():
        if name in NATIVE_NAMES and value is not None:
            reason = f"cannot stand beside {sources[0]}, which says it; beside it go only {', '.join(beside)}"
            faults.append(Fault(name, reason))
    return faults
