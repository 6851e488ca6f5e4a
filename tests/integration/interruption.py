# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the engine that is killed: `python interruption.py OPTIONS.json NUMBER` ends itself by SIGKILL right after

the operation of that number. Without being killed it exits with 0.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.podwright.pods.plugins.module_utils import engine
from ansible_collections.podwright.pods.plugins.module_utils.operations import Operation


def arm(number: int) -> None:
    """Have the process killed once ``number`` operations are done."""
    make_executor = engine.Run._executor

    def make_armed_executor(run: engine.Run, *arguments: Any) -> Any:
        executor = make_executor(run, *arguments)
        executor.on_done = kill_after(number, executor.on_done, run)
        return executor

    engine.Run._executor = make_armed_executor  # type: ignore[method-assign]


def kill_after(number: int, on_done: Callable[[Operation], None], run: engine.Run) -> Callable[[Operation], None]:
    def count(operation: Operation) -> None:
        on_done(operation)
        if len(run.done) >= number:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


if __name__ == "__main__":
    arm(int(sys.argv[2]))
    engine.run_pod(json.loads(Path(sys.argv[1]).read_text()), False)
