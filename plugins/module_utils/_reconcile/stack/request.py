# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of a stack, and how it is read from a module's options. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ..._declaration import arguments, parse
from ..._declaration.documents import UNNAMED, documents_in
from ..._declaration.set_claims import ClaimsBefore
from ..._declaration.stack import parse as stack_parse
from ..._declaration.stack.spec import StackSpec
from ..._errors import Fault, InvalidInput
from ..context import Settings, read_settings
from .secrets import Values


@dataclass(frozen=True)
class StackRequest:
    """What a task asks for. ``stack`` is None where the state needs none, or finds it among the revisions."""

    name: str
    state: str
    stack: StackSpec | None
    prune: bool = True
    prune_volumes: bool = False
    allow_empty: bool = False
    wait: bool = True
    wait_timeout_seconds: float = 300
    on_failure: str = "rollback"
    change_cause: str = ""
    applied_by: str = ""
    revision: int | None = None
    revision_history_limit: int = 10
    is_check: bool = False
    settings: Settings = field(default_factory=Settings)
    """Those of each of its pods."""
    expected_images: frozenset[str] = frozenset()
    """Those that check mode takes as being there."""
    grace_period_seconds: int | None = None
    """In place of the declared one, for pods that are to be stopped or to go."""
    places: Mapping[str, parse.PodPlace] = field(default_factory=dict)
    """Where its pods are declared, by their names."""
    rotate: tuple[tuple[str, str], ...] = ()
    """Generated secrets, by name and key, that are to get new values."""
    back_to: int = 0
    """The number of ``stack`` if a failed run goes back to it; 0 for any other run."""
    restore: Values = field(default_factory=dict, repr=False)
    """With ``back_to``: the values, by secret and key, that the failed run has rotated."""
    before_rotation: Values = field(default_factory=dict, repr=False)
    """With ``back_to``: what `Store.kept_values` returned before the failed run rotated any value."""

    @property
    def is_to_run(self) -> bool:
        """Whether the request wants the pods to run."""
        return self.state in ("started", "rolled_back")

    @property
    def absent_cause(self) -> str:
        """The cause of removals."""
        return "no longer declared" if self.is_to_run else f"state is {self.state}"


def read_request(
    options: Mapping[str, Any], is_check: bool, claims_before: Callable[[str], ClaimsBefore] | None = None
) -> StackRequest:
    """The request in a module's options. Raises InvalidInput with every fault.

    ``claims_before`` tells what the claims of the stack of a name stand for by now.
    """
    run = arguments.judged(options, arguments.STACK_RUN)
    state, stack, places = run["state"], None, {}
    if state == "started":
        declared = {row.name: options.get(row.name) for row in stack_parse.STACK_FIELDS}
        documents, names = documents_in(options.get("definition")), run["definition_names"] or ()
        source: str | list[str] = list(names) if len(names) == len(documents) else UNNAMED
        stack = stack_parse.parse_options(declared, documents, source, arguments.notes_for(run), claims_before)
        places = stack_parse.pod_places(declared, documents, source)
    if run["revision"] is not None and state != "rolled_back":
        raise InvalidInput([Fault("revision", "is for state rolled_back only")])
    name = stack.name if stack else stack_parse.parse_name(options)
    return StackRequest(
        name=name,
        state=state,
        stack=stack,
        prune=run["prune"],
        prune_volumes=run["prune_volumes"],
        allow_empty=run["allow_empty"],
        wait=run["wait"],
        wait_timeout_seconds=run["wait_timeout"],
        on_failure=run["on_failure"],
        change_cause=run["change_cause"] or "",
        applied_by=run["applied_by"] or "",
        revision=run["revision"],
        revision_history_limit=run["revision_history_limit"],
        is_check=is_check,
        settings=read_settings({**options, "restart_on_change": run["restart_on_change"]}, name),
        expected_images=frozenset(run["expected_images"] or ()),
        grace_period_seconds=run["grace_period_seconds"],
        places=places,
    )
