# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``apply`` reads: Kubernetes documents and the native options of a stack, from files, folders or standard input.

It is judged here, so that nothing is asked of the agent before all is sound, and so that faults can name the file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .asking import Failure, module, told_faults

STANDARD_INPUT = "-"


def read(
    sources: tuple[str, ...],
    stack: str = "",
    cause: str = "",
    allow_empty: bool = False,
    notes: list[Any] | None = None,
    host_labels: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The options of a run on a stack. Raises Failure with every fault, each with its file and its path in it.

    ``notes`` gets what the files say and no host keeps. Each of ``host_labels`` is a KEY=VALUE.
    """
    errors = module("_errors")
    faults: list[Any] = []
    documents: list[tuple[str, Any]] = []
    options: dict[str, Any] = {}
    native_in = ""
    for source in sources:
        for name, document in errors.collect(faults, _documents, source, notes) or ():
            if not _is_native(document):
                documents.append((name, document))
            elif native_in:
                faults.append(errors.Fault(name, f"options of a stack stand in {native_in} already"))
            else:
                native_in, options = name, dict(document)
    if faults:
        raise Failure(told_faults(faults))
    if not (documents or options or allow_empty):
        raise Failure(
            f"{', '.join(sources)} declares nothing; to remove all pods of a stack give --prune-all, "
            "or use podwright delete"
        )
    options = {**options, **({"name": stack} if stack else {})}
    if host_labels:
        labels = options.get("host_labels")
        options["host_labels"] = {**(labels if isinstance(labels, dict) else {}), **dict(map(_label, host_labels))}
    if not options.get("name"):
        raise Failure("which stack is it to be? give its name with --stack, or as name in the native options")
    faults = _judge(options, documents, native_in, [] if notes is None else notes)
    if faults:
        raise Failure(told_faults(faults))
    given = {**({"change_cause": cause} if cause else {}), **({"allow_empty": True} if allow_empty else {})}
    return {
        "applied_by": module("_host.declaration_files").applied_by(),
        **options,
        **given,
        "definition": [document for _name, document in documents],
        "definition_names": [name for name, _document in documents],
    }


def _label(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise Failure(f"--host-label {text}: give KEY=VALUE")
    return key, value


def _is_native(document: Any) -> bool:
    """Whether a document holds options of a stack, and is not of another kind that merely has no ``kind`` itself."""
    if not isinstance(document, dict) or "kind" in document or "apiVersion" in document:
        return False
    fields = {field.name for field in module("_declaration.stack.parse").STACK_FIELDS}
    known = fields | module("_declaration.arguments").STACK_RUN_NAMES
    foreign = module("_declaration.foreign")
    # Many a file has a name that is none of a stack's.
    is_one = {*document} == {"name"} or not (known - {"name"}).isdisjoint(document)
    return is_one and not (foreign.is_compose_file(document) or foreign.is_workflow(document))


def _judge(options: dict[str, Any], documents: list[tuple[str, Any]], native_in: str, notes: list[Any]) -> list[Any]:
    """The faults of all of it, each with the file that it stands in where there is more than one."""
    errors, arguments, place = module("_errors"), module("_declaration.arguments"), module("_declaration.place")
    faults: list[Any] = []
    run_options = {name: value for name, value in options.items() if name in arguments.STACK_RUN_NAMES}
    declared = {name: value for name, value in options.items() if name not in run_options}
    names = [name for name, _document in documents]
    arguments.STACK_RUN.parse(run_options, place.Place("", place.Style.NATIVE, faults))
    if run_options.get("state", "started") != "started":
        faults.append(errors.Fault("state", "is started, for a stack that is applied; podwright delete removes one"))
    judge = module("_declaration.stack.parse").parse_options
    taken = None if arguments.notes_for(run_options) is None else notes
    if taken is None:
        faults += [errors.Fault(note.path, note.reason) for note in notes]
        notes.clear()
    errors.collect(faults, judge, declared, [document for _name, document in documents], names, taken)
    if not native_in or not names:
        return faults
    return [
        fault if fault.path.startswith(tuple(names)) else errors.Fault(f"{native_in}: {fault.path}", fault.reason)
        for fault in faults
    ]


def _documents(source: str, notes: list[Any] | None) -> list[tuple[str, Any]]:
    """Those of a file, a folder or standard input, each with what faults call it."""
    if source.startswith(("http://", "https://")):
        raise Failure(
            f"{source} is an address, and files are read; curl -fsSL {source} | podwright apply -f - reads it"
        )
    files = module("_host.declaration_files").DeclarationFiles(reason_against=_reason_against, notes=notes)
    if source == STANDARD_INPUT:
        return list(files.parse(sys.stdin.buffer.read(), "standard input"))
    return list(files.read(Path(source), str(Path(source))))


def _reason_against(document: Any) -> str:
    """Why a document declares nothing; empty where it does, or only fails to."""
    is_judged = isinstance(document, dict) and not _is_native(document)
    return str(module("_declaration.foreign").reason(document)) if is_judged else ""
