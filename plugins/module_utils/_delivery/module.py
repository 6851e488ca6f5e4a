# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module shares with Ansible: options in, a result or a failure out, secrets in neither."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._errors import PodwrightError, details_of
from .._reconcile import secrecy

Handler = Callable[[dict[str, Any], bool, bool], dict[str, Any]]
"""(options, check mode, diff mode) -> result. ``warnings`` and ``secrets`` in it are taken out and acted upon."""


class DiscreetModule(AnsibleModule):  # type: ignore[misc]
    """An AnsibleModule that keeps options out of the system log.

    Ansible logs every option of an invocation. Those marked no_log are masked, but a secret inside a free-form
    document, such as a Pod definition, is not; and ``AnsibleModule(no_log=True)`` does not help, since the control
    node's own setting for the task replaces it.
    """

    hidden_options: Sequence[str] = ()

    def log(self, msg: str, log_args: Mapping[str, Any] | None = None) -> None:
        super().log("Invoked")

    def exit_json(self, **kwargs: Any) -> None:
        super().exit_json(**self._told(kwargs))

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        told = self._told({"msg": msg, **kwargs})
        super().fail_json(told.pop("msg"), **told)

    def _told(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """What is told, without the values of secrets: Ansible, which masks them in any order, finds none any more."""
        told: dict[str, Any] = secrecy.masked_within({"invocation": self.shown_invocation(), **kwargs}, self.secrets)
        self.no_log_values = {value for value in self.secrets if secrecy.is_looked_for(value)}
        return told

    @property
    def secrets(self) -> list[str]:
        """The values that no output shows."""
        return [str(value) for value in self.no_log_values]

    def shown_invocation(self) -> dict[str, Any]:
        """Return the options for -vvv, without the values of those whose text may hold secrets."""
        shown = {
            name: "VALUE_NOT_SHOWN" if name in self.hidden_options and value is not None else value
            for name, value in self.params.items()
        }
        return {"module_args": shown}


def run_module(
    argument_spec: dict[str, Any],
    handle: Handler,
    hidden_options: Sequence[str] = (),
    **kwargs: Any,
) -> None:
    """Read the options, let ``handle`` do the work, and end the process with its result.

    A PodwrightError becomes a failure whose message is its text. ``hidden_options`` are shown by name only.
    ``kwargs`` are AnsibleModule's own (``mutually_exclusive``, ...).
    """
    kind = type("DiscreetModule", (DiscreetModule,), {"hidden_options": tuple(hidden_options)})
    module = kind(argument_spec=argument_spec, supports_check_mode=True, **kwargs)
    try:
        # Ansible's private attribute is the only way to learn of diff mode.
        result = handle(module.params, module.check_mode, module._diff)
        # The process is about to end: Python is not to look for garbage among all that was imported.
        gc.freeze()
    except PodwrightError as error:
        keep_secret(module, getattr(error, "secrets", ()))
        module.fail_json(str(error), changed=bool(getattr(error, "actions", ())), **details_of(error))
        return
    keep_secret(module, result.pop("secrets", ()))
    for warning in result.pop("warnings", ()):
        module.warn(secrecy.masked(warning, module.secrets))
    module.exit_json(**result)


def keep_secret(module: AnsibleModule, secrets: Sequence[str]) -> None:
    """Have Ansible mask these values wherever they stand in the result."""
    module.no_log_values.update(secret for secret in secrets if secret)
