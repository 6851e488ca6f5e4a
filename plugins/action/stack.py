# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's part of the module stack: reads all its objects and judges them before a host is touched."""

from __future__ import annotations

import getpass
import socket
from typing import Any

from ..module_utils import arguments, manifest, stack_parse
from ..module_utils.errors import Fault, InvalidInput
from ..module_utils.schema import INVALID, Place, Style
from ..plugin_utils.declaring import DeclaringAction, collect, with_secrets_apart


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
            documents = collect(faults, self._documents, options)
            declared = None if documents is None else collect(faults, _read_stack, rest, documents)
        if run["revision"] not in (None, INVALID) and run["state"] != "rolled_back":
            faults.append(Fault("revision", "is for state rolled_back only"))
        if faults or declared is None:
            raise InvalidInput(faults)
        return {"applied_by": _who(), **run_options, **declared}

    def _documents(self, options: dict[str, Any]) -> list[Any]:
        """Those of ``definition`` and of every file and directory of ``src``, with all their faults."""
        faults: list[Fault] = []
        documents: list[Any] = []
        if options.get("definition") is not None:
            documents += collect(faults, manifest.read, options["definition"]) or []
        source = options.get("src")
        given = source if isinstance(source, list) else [] if source is None else [source]
        for number, item in enumerate(given):
            at = Place(f"src[{number}]" if isinstance(source, list) else "src", Style.NATIVE)
            documents += collect(faults, self.read_file, item, at, True) or []
        if faults:
            raise InvalidInput(faults)
        return documents


def _read_stack(options: dict[str, Any], documents: list[Any]) -> dict[str, Any]:
    """The stack as the module takes it: all Secrets as the option that Ansible knows to hide."""
    stack = stack_parse.parse_options(options, documents)
    return with_secrets_apart(documents, options, stack.secrets) if documents else options


def _who() -> str:
    """Who runs Ansible, for the revision's record."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
