# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control node's part of the module agent: names the code and the command, and sends them where others are."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils._delivery import host_code
from ..plugin_utils import _shipping

COMMAND = Path(host_code.__file__).parents[3] / "roles" / "agent" / "files" / "podwright_cli"


class ActionModule(_shipping.ShippingAction):
    """Hands the module the collection's own code, and that of the command for people."""

    def run_on_host(self, options: Mapping[str, Any], task_vars: Any) -> dict[str, Any]:
        return super().run_on_host({**options, "code": host_code.digest_of(_files())}, task_vars)

    def archive(self) -> bytes:
        return _shipping.archive_of(_files())


@functools.cache
def _files() -> dict[str, bytes]:
    command = {f"{COMMAND.name}/{path.name}": path.read_bytes() for path in sorted(COMMAND.glob("*.py"))}
    return {**_shipping.sources(), **command}
