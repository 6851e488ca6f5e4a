# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the collection's code and a task's options get to a host: the part that all action plugins share."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ansible import constants
from ansible.plugins.action import ActionBase

from ..module_utils._delivery import host_code

_CODE = Path(host_code.__file__).parents[1]


class ShippingAction(ActionBase):
    """Runs the module of its own name on a host, with the collection's code sent only where it is not kept."""

    _supports_async = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, **self.run_on_host(dict(self._task.args), task_vars)}

    def run_on_host(self, options: Mapping[str, Any], task_vars: Any) -> dict[str, Any]:
        """The module's result."""
        is_background = bool(self._task.async_val) and not self._connection.has_native_async
        # A job in the background has nobody to ask.
        if not is_background:
            answer = self._execute(digest(), options, task_vars)
            if not answer.get(host_code.IS_MISSING):
                return answer
        return self._execute(f"{digest()}:{self._send_archive()}", options, task_vars, is_background)

    def _execute(
        self, code: str, options: Mapping[str, Any], task_vars: Any, is_background: bool = False
    ) -> dict[str, Any]:
        """Run the module of this action's name with ``code`` named to it by an environment variable of the task."""
        module = self._task.resolved_action or self._task.action
        given = self._task.environment
        self._task.environment = [*(given or []), {host_code.VARIABLE: code}]
        try:
            with _without_garbage_collection():
                answer: dict[str, Any] = self._execute_module(
                    module, module_args=options, task_vars=task_vars, wrap_async=is_background
                )
        finally:
            self._task.environment = given
        return answer

    def archive(self) -> bytes:
        """What is sent to a host that lacks it."""
        return archive_of(sources())

    def _send_archive(self) -> str:
        """Put the code into the task's directory for temporary files on the host, and tell where it is."""
        shell = self._connection._shell
        if shell.tmpdir is None:
            self._make_tmp_path()
        path = shell.join_path(shell.tmpdir, "podwright.zip")
        self._transfer_data(path, self.archive())
        self._fixup_perms2((shell.tmpdir, path), execute=False)
        return str(path)

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """Whether the module goes to the host over the connection itself, and not as a file that holds its secrets.

        It does wherever it can. With privilege escalation the user's setting decides, for sudo may want a terminal.
        """
        if super()._is_pipelining_enabled(module_style, wrap_async):
            return True
        stays_a_file = wrap_async or constants.DEFAULT_KEEP_REMOTE_FILES or self._connection.become
        return module_style == "new" and bool(self._connection.has_pipelining) and not stays_a_file


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Ansible parses all the code that it sends; to look for garbage among the many objects takes longer than that.

    It is not looked for afterwards either: this process ends with the task.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@functools.cache
def sources() -> dict[str, bytes]:
    """The collection's code by the paths of its files in an archive."""
    found = sorted(_CODE.rglob("*.py"))
    return {f"{host_code.FOLDER}/{path.relative_to(_CODE)}": path.read_bytes() for path in found}


@functools.cache
def digest() -> str:
    """Names the code that hosts are to run."""
    return host_code.digest_of(sources())


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """Files as a zip archive that Python imports from."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    return buffer.getvalue()
