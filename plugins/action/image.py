# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's part of the module image: says which option was meant where one is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._declaration.place import Place, Style, suggest
from ..module_utils._errors import InvalidInput
from ..modules.image import ARGUMENT_SPEC
from ..plugin_utils._declaring import failure


class ActionModule(ActionBase):
    """Runs the module, unless an option of it is not known."""

    _supports_async = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        at = Place("", Style.NATIVE)
        _refuse_unknown(self._task.args, ARGUMENT_SPEC, at)
        if at.faults:
            return {**result, **failure(InvalidInput(at.faults))}
        is_background = bool(self._task.async_val) and not self._connection.has_native_async
        module = self._task.resolved_action or self._task.action
        done: dict[str, Any] = self._execute_module(module, task_vars=task_vars, wrap_async=is_background)
        return {**result, **done}


def _refuse_unknown(options: Mapping[str, Any], known: Mapping[str, Any], at: Place) -> None:
    """Note a fault for each option that is none; values are the module's to judge."""
    for name, value in options.items():
        place = at.raw(str(name))
        if name not in known:
            place.fault("is not a known option" + suggest(str(name), tuple(known)))
            continue
        below = known[name].get("options")
        if below and isinstance(value, Mapping):
            _refuse_unknown(value, below, place)
        for number, item in enumerate(value if below and isinstance(value, list) else ()):
            if isinstance(item, Mapping):
                _refuse_unknown(item, below, place.index(number))
