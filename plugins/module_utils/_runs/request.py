# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks for of one Pod, read from the options of its module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._declaration import arguments, parse
from .._declaration import spec as s
from .._declaration.documents import documents_in
from .._declaration.fields import checks
from .._declaration.fields import pod as pod_fields
from .._declaration.place import Note
from .._errors import Fault, InvalidInput
from .._reconcile.context import Settings, read_settings

_DEADLINE_MARGIN_SECONDS = 2

ROLLBACK_SECONDS = 60.0
"""How long what was ready before may at least take to be so again, however short the wait for what is new."""


@dataclass(frozen=True)
class Request:
    """What a task asks for. ``wait_timeout_seconds`` bounds the lock, the gates and the wait for readiness.

    ``on_failure`` is empty for a pod of a stack, whose failures are not made up for pod by pod.
    """

    name: str
    state: str
    pod: s.PodSpec | None
    wait: bool
    wait_timeout_seconds: float
    on_failure: str
    is_check: bool
    settings: Settings = field(default_factory=Settings)
    expected_images: frozenset[str] = frozenset()
    """Those that check mode takes as being there."""
    place: parse.PodPlace = field(default_factory=parse.native_place)
    """Where the pod is declared."""
    absent_cause: str = "state is absent"
    """Why the pod is to go, where it is."""
    grace_period_seconds: int | None = None
    """In place of the declared one, where the pod is to be stopped or to go."""
    rotate: tuple[tuple[str, str], ...] = ()
    """Generated secrets, by name and key, that are to get new values."""

    def images_expected(self, pod: s.PodSpec) -> dict[str, str]:
        """By container, the images that check mode need not pull: a task before makes them, whatever their ids."""
        expected = self.expected_images if self.is_check else frozenset()
        return {container.name: "" for container in pod.all_containers if container.image in expected}

    def timeout_seconds(self, pod: s.PodSpec) -> float:
        """How long to wait for the Pod: no longer than it may be active, so that its keeper can end it."""
        limit, timeout = pod.active_deadline_seconds, self.wait_timeout_seconds
        return timeout if limit is None else min(timeout, limit + _DEADLINE_MARGIN_SECONDS)


def read_request(options: Mapping[str, Any], is_check: bool) -> Request:
    """The request in a module's options. Raises InvalidInput with every fault."""
    run = arguments.judged(options, arguments.RUN)
    name = options.get("name") or _name_in(options.get("definition"))
    pod = _declared(options, arguments.notes_for(run)) if run["state"] == "started" else None
    if pod is None and (reason := checks.pod_name(name) if isinstance(name, str) else "is required, as text"):
        raise InvalidInput([Fault("name", reason)])
    if pod is not None and run["grace_period_seconds"] is not None:
        raise InvalidInput([Fault("grace_period_seconds", "is for the states stopped and absent only")])
    return Request(
        name=pod.name if pod else str(name),
        state=run["state"],
        pod=pod,
        wait=run["wait"],
        wait_timeout_seconds=run["wait_timeout"],
        on_failure=run["on_failure"],
        is_check=is_check,
        settings=read_settings({**options, "restart_on_change": run["restart_on_change"]}),
        expected_images=frozenset(run["expected_images"] or ()),
        grace_period_seconds=run["grace_period_seconds"],
        place=_place(options),
    )


def _declared(options: Mapping[str, Any], notes: list[Note] | None) -> s.PodSpec:
    definition = options.get("definition")
    if definition is None:
        return parse.parse_options({row.name: options.get(row.name) for row in pod_fields.POD_FIELDS})
    return parse.parse_documents(
        documents_in(definition), {row.name: options.get(row.name) for row in pod_fields.HOST_FIELDS}, notes=notes
    )


def _place(options: Mapping[str, Any]) -> parse.PodPlace:
    definition = options.get("definition")
    if definition is None or (options.get("state") or "started") != "started":
        return parse.native_place()
    (place,) = parse.document_places(documents_in(definition)).values()
    return place


def _name_in(definition: Any) -> str | None:
    """The name of the Pod among Kubernetes documents."""
    for document in documents_in(definition):
        if isinstance(document, Mapping) and document.get("kind") == "Pod":
            metadata = document.get("metadata")
            name = metadata.get("name") if isinstance(metadata, Mapping) else None
            return name if isinstance(name, str) else None
    return None
