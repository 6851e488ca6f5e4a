# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent needs before it may keep the pods of a state directory: to be alone, and to understand all of it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Callable

from .._errors import HostError, NewerState
from .._host import state_files
from .._host.stack_store import StackStore, stack_names
from .._host.store import Store


@contextlib.contextmanager
def alone(store: Store) -> Iterator[None]:
    """Be the only agent of the state directory. Raises HostError where another one is at work."""
    path = store.directory / "agent.lock"
    with contextlib.ExitStack() as locks:
        try:
            before = locks.enter_context(state_files.lock_if_free(path))
        except OSError as error:
            raise HostError(f"the agent's lock {path} cannot be taken: {error}") from error
        if before is None:
            raise HostError(f"another agent keeps the pods of {store.directory} already")
        yield


def refuse_newer_state(store: Store) -> None:
    """Raises NewerState for that of a newer release, since this one would understand only half of it."""
    for name in store.recorded_pods():
        _refuse_if_newer(functools.partial(store.read_record, name))
    for name in stack_names(store):
        _refuse_if_newer(StackStore(store, name).read)


def _refuse_if_newer(read: Callable[[], Any]) -> None:
    """Raise only NewerState. Any other error is left to the pod's keeper."""
    try:
        read()
    except NewerState:
        raise
    except Exception:
        return
