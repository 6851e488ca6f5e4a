# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter to_kubernetes: what the modules pod and stack are given, as Kubernetes documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils._declaration import annotations as own_annotations
from ..module_utils._declaration import arguments, kubernetes, manifest, parse
from ..module_utils._declaration.noted_kinds import is_noted
from ..module_utils._declaration.place import Place, Style, shown
from ..module_utils._declaration.stack import parse as stack_parse
from ..module_utils._declaration.stack.spec import StackSpec
from ..module_utils._errors import Fault, InvalidInput

_STACK_NAMES = frozenset(field.name for field in stack_parse.STACK_FIELDS) | {"definition"}
_ONLY_OF_STACKS = _STACK_NAMES - arguments.POD_NAMES
_ONLY_OF_PODS = arguments.POD_NAMES - _STACK_NAMES


def to_kubernetes(declaration: Any, generated: Any = None) -> list[dict[str, Any]]:
    """The documents of a pod or stack. Raises AnsibleFilterError with every fault of the declaration."""
    values = _plain(generated or {})
    if not isinstance(values, Mapping) or not all(isinstance(keys, Mapping) for keys in values.values()):
        raise AnsibleFilterError("generated: expected the values of each secret's keys, as in {tokens: {key: value}}")
    try:
        return _documents(_plain(declaration), values)
    except InvalidInput as error:
        raise AnsibleFilterError(_message(error)) from None


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"to_kubernetes": to_kubernetes}


def _documents(declaration: Any, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The documents. Those of kinds that mean nothing on a host do so to a cluster: they come first, as they are."""
    stack, beside = _read(declaration)
    return [*beside, *kubernetes.to_documents(stack, values)]


def _read(declaration: Any) -> tuple[StackSpec, list[dict[str, Any]]]:
    if not isinstance(declaration, Mapping):
        reason = f"expected a mapping with the options of a pod or of a stack, got {shown(declaration)}"
        raise InvalidInput([Fault("", reason)])
    options = {name: value for name, value in declaration.items() if value is not None}
    if options.get("src") is not None:
        raise InvalidInput([Fault("src", "a filter reads no files; give what is in them as definition")])
    if not options.keys() & (_STACK_NAMES | arguments.POD_NAMES) - {"name"}:
        raise InvalidInput([Fault("", "describes nothing; give the containers of a pod, or the pods of a stack")])
    if "containers" in options or (options.keys() & _ONLY_OF_PODS and not options.keys() & _ONLY_OF_STACKS):
        return _read_pod(options), []
    return _read_stack(options)


def _read_pod(options: dict[str, Any]) -> StackSpec:
    faults: list[Fault] = []
    annotations = options.get("annotations")
    if isinstance(annotations, Mapping):
        own_annotations.refuse_annotations(annotations, Place("annotations", Style.NATIVE, faults))
    try:
        pod = parse.parse_options(options)
    except InvalidInput as error:
        raise InvalidInput([*error.faults, *faults]) from None
    if faults:
        raise InvalidInput(faults)
    return kubernetes.stack_of(pod)


def _read_stack(options: dict[str, Any]) -> tuple[StackSpec, list[dict[str, Any]]]:
    """A stack, whose name is in no document, so that it may be missing; and the documents that no host keeps."""
    documents = manifest.read(options["definition"]) if "definition" in options else []
    described = {name: value for name, value in options.items() if name != "definition"}
    kept = [document for document in documents if not is_noted(document)]
    stack = stack_parse.parse_options({"name": "stack", **described}, kept)
    return stack, [document for document in documents if is_noted(document)]


def _message(error: InvalidInput) -> str:
    count = len(error.faults)
    head = f"{count} {'fault' if count == 1 else 'faults'} in the declaration:"
    return "\n".join([head, *(f"  {fault}" for fault in error.faults)])


def _plain(value: Any) -> Any:
    """A copy in Python's own mappings and lists. What is not defined says so; what was encrypted in place is text."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(type(value), "_fail_with_undefined_error"):
        # Ansible before 2.19 hands on what is not defined; its text is the error that says which variable that is.
        return str(value)
    return str(value) if hasattr(value, "__ENCRYPTED__") else value
