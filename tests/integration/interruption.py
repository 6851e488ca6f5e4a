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

from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import Operation
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack.operations import SharedOperations


def arm(number: int) -> None:
    """Have the process killed once ``number`` operations are done, by whichever pods."""
    make_executor, perform = pod_run.Run._executor, SharedOperations.perform
    done: list[Operation] = []

    def count(operation: Operation) -> None:
        done.append(operation)
        if len(done) >= number:
            os.kill(os.getpid(), signal.SIGKILL)

    def make_armed_executor(run: pod_run.Run, *arguments: Any) -> Any:
        executor = make_executor(run, *arguments)
        executor.on_done = both(executor.on_done, count)
        return executor

    pod_run.Run._executor = make_armed_executor  # type: ignore[method-assign]
    SharedOperations.perform = lambda shared, operation: (perform(shared, operation), count(operation))[0]  # type: ignore[method-assign]


def both(one: Callable[[Operation], None], other: Callable[[Operation], None]) -> Callable[[Operation], None]:
    def call(operation: Operation) -> None:
        one(operation)
        other(operation)

    return call


if __name__ == "__main__":
    arm(int(sys.argv[2]))
    declared = json.loads(Path(sys.argv[1]).read_text())
    (stack_run.run_stack if "pods" in declared else pod_run.run_pod)(declared, False)
