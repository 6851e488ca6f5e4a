# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's part of the module pod: reads the declaration and judges all of it before a host is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils import arguments, manifest, parse
from ..module_utils.errors import Fault, InvalidInput
from ..module_utils.schema import INVALID, Place, Style, Text, shown
from ..plugin_utils.shipping import ShippingAction

NATIVE_NAMES = arguments.POD_NAMES - arguments.HOST_NAMES
"""What a Kubernetes document says by itself, so that it cannot stand beside one."""


class ActionModule(ShippingAction):
    """Hands the module a declaration that is whole: no files left to read, nothing left to refuse."""

    def run_on_host(self, options: Mapping[str, Any], task_vars: Any) -> dict[str, Any]:
        try:
            declared = self._read(_plain(options))
        except InvalidInput as error:
            return _failure(error)
        return super().run_on_host(declared, task_vars)

    def _read(self, options: dict[str, Any]) -> dict[str, Any]:
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
            declared = _collect(faults, _read_options, rest, by_name)
        else:
            faults += _misplaced(rest, sources)
            host = {name: value for name, value in rest.items() if name not in NATIVE_NAMES}
            source = str(options["src"]) if sources == ["src"] else "definition"
            documents = _collect(faults, self._documents, options, source)
            if documents is not None:
                declared = _collect(faults, _read_documents, documents, source, host, by_name)
        if faults or declared is None:
            raise InvalidInput(faults)
        return {**run_options, **declared}

    def _documents(self, options: Mapping[str, Any], source: str) -> list[Any]:
        if options.get("definition") is not None:
            return manifest.read(options["definition"])
        at = Place("src", Style.NATIVE)
        name = Text(parse.not_empty).parse(options["src"], at)
        if at.faults:
            raise InvalidInput(at.faults)
        return manifest.read(manifest.decode(self._file_content(name, at), source), source)

    def _file_content(self, name: str, at: Place) -> bytes:
        """The content of a file of the role or beside the playbook, decrypted where Ansible Vault encrypted it."""
        try:
            path = self._find_needle("files", name)
        except AnsibleError:
            at.fault(f"there is no {shown(name)} in files/ of the role or playbook, nor beside them")
            raise InvalidInput(at.faults) from None
        if Path(path).is_dir():
            at.fault(f"{shown(name)} is a directory; give a file in it")
            raise InvalidInput(at.faults)
        try:
            return Path(self._loader.get_real_file(path)).read_bytes()
        except (AnsibleError, OSError) as error:
            at.fault(" ".join(str(error).split()))
            raise InvalidInput(at.faults) from None


def _read_options(options: dict[str, Any], by_name: bool) -> dict[str, Any]:
    """Native options as the module takes them; a pod that goes, or stops, needs its name alone."""
    if by_name:
        return {"name": parse.parse_name(options)}
    parse.parse_options(options)
    return options


def _read_documents(documents: list[Any], source: str, host: dict[str, Any], by_name: bool) -> dict[str, Any]:
    """Documents as the module takes them. Secrets go as the option that Ansible knows to hide, and come first in it."""
    if by_name:
        return {"name": parse.parse_document_name(documents, source)}
    parse.parse_documents(documents, host, source)
    secrets = [_secret_option(document) for document in documents if document["kind"] == "Secret"]
    others = [document for document in documents if document["kind"] != "Secret"]
    beside = {**host, "secrets": [*secrets, *(host.get("secrets") or [])]} if secrets else host
    return {**beside, "definition": others}


def _secret_option(document: Mapping[str, Any]) -> dict[str, Any]:
    fields = {"data": "data", "stringData": "string_data", "type": "type", "immutable": "immutable"}
    given = {option: document[name] for name, option in fields.items() if document.get(name) is not None}
    return {"name": document["metadata"]["name"], **given}


def _misplaced(options: Mapping[str, Any], sources: list[str]) -> list[Fault]:
    """Faults of what cannot stand beside a definition."""
    faults = [Fault("src", "cannot stand beside definition; leave one of them out")] if len(sources) > 1 else []
    beside = sorted(arguments.HOST_NAMES | arguments.RUN_NAMES)
    for name, value in options.items():
        if name in NATIVE_NAMES and value is not None:
            reason = f"cannot stand beside {sources[0]}, which says it; beside it go only {', '.join(beside)}"
            faults.append(Fault(name, reason))
    return faults


def _collect(faults: list[Fault], read: Callable[..., Any], *given: Any) -> Any:
    """What ``read`` gives, or None after its faults were added."""
    try:
        return read(*given)
    except InvalidInput as error:
        faults += error.faults
        return None


def _failure(error: InvalidInput) -> dict[str, Any]:
    count = len(error.faults)
    head = f"{count} {'fault' if count == 1 else 'faults'} in the declaration; nothing was changed:"
    return {
        "failed": True,
        "changed": False,
        "msg": "\n".join([head, *(f"  {fault}" for fault in error.faults)]),
        "faults": [{"path": fault.path, "reason": fault.reason} for fault in error.faults],
    }


def _plain(value: Any) -> Any:
    """A copy of a task's arguments in Python's own types."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    # A value encrypted in place, as Ansible before 2.19 has it, is no str until it is asked for one.
    return str(value) if hasattr(value, "__ENCRYPTED__") else value
