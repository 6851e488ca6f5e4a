# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets that were generated on this host: listed without values, rotated, removed.

They belong to a stack, or to a pod on its own. In the options ``kind`` is stack or pod (where it is left out, a stack
is looked for first), ``owner`` its name, ``secret`` the name of the secret, ``key`` one of its keys (else all of them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._declaration import arguments
from .._errors import Fault, HostError, InvalidInput, Refused
from .._host.stack_store import StackStore
from .._host.state.generated import Generated
from .._host.store import Store
from .._reconcile.context import Settings
from .._reconcile.operations import STACK_OWNER, owner_of_secrets, show_owner
from .._reconcile.stack.request import StackRequest
from . import pod_run, request
from .agent import Agent
from .stack import run as stack_run


def run_secret_info(
    options: Mapping[str, Any], is_check: bool = False, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """What was generated, for all or for one ``owner``; ``is_used`` tells whether it is still declared."""
    store, options = Store(), arguments.judged(options, arguments.GENERATED)
    owner = _owner(store, options) if options["owner"] else ""
    found = [item for item in store.list_generated() if owner in ("", item.owner)]
    return {"changed": False, "generated": [_told(store, item) for item in found]}


def run_secret_rotation(
    options: Mapping[str, Any], is_check: bool = False, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """New values for a secret; a run on its stack or pod replaces the containers that use it.

    Raises InvalidInput where there is no such value, and Refused where nothing runs that could take the new one.
    """
    store, options = Store(), arguments.judged(options, arguments.GENERATED)
    owner = _owner(store, options)
    asked = tuple((item.secret, item.key) for item in _wanted(store, owner, options))
    seconds = float(options["wait_timeout"])
    if owner.startswith(STACK_OWNER):
        return stack_run.run_request(_stack_request(store, owner, asked, seconds, is_check), agent)
    return pod_run.run_request(_pod_request(store, owner, asked, seconds, is_check), agent)


def run_secret_removal(
    options: Mapping[str, Any], is_check: bool = False, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """Remove a secret's values, or all of an owner's. Raises Refused for what is still declared."""
    store, options = Store(), arguments.judged(options, arguments.GENERATED)
    owner = _owner(store, options)
    wanted = _wanted(store, owner, options)
    used = sorted({item.secret for item in wanted if _is_used(store, item)})
    if used:
        reason = f"{show_owner(owner)} declares {', '.join(used)}; take it out of the declaration, or remove the {{}}"
        raise Refused([Fault("secret", reason.format(show_owner(owner).partition(" ")[0]))])
    if not is_check:
        with store.lock(owner, float(options["wait_timeout"])):
            store.forget_generated(owner, options["secret"] or "")
    return {"changed": True, "generated": [_told(store, item) for item in wanted]}


def _owner(store: Store, options: Mapping[str, Any]) -> str:
    name, kind = options["owner"], options["kind"]
    if not name:
        raise InvalidInput([Fault("owner", "is required")])
    stack = owner_of_secrets(name)
    owners = {item.owner for item in store.list_generated()}
    is_stack = kind == "stack" or (not kind and stack in owners)
    owner = stack if is_stack else name
    if owner not in owners:
        known = ", ".join(map(show_owner, sorted(owners))) or "nothing"
        what = show_owner(owner) if kind else f"{name} (stack or pod)"
        raise InvalidInput([Fault("owner", f"nothing was generated for {what}; it was for {known}")])
    return owner


def _wanted(store: Store, owner: str, options: Mapping[str, Any]) -> list[Generated]:
    """The values that are asked for. Raises InvalidInput where there is none."""
    secret, key = options["secret"] or "", options["key"] or ""
    found = [item for item in store.list_generated() if item.owner == owner]
    for item in found:
        if item.damage:
            raise HostError(item.damage)
    wanted = [item for item in found if secret in ("", item.secret) and key in ("", item.key)]
    if not wanted:
        known = ", ".join(f"{item.secret}/{item.key}" for item in found)
        raise InvalidInput(
            [Fault("secret", f"{show_owner(owner)} has no generated {secret}/{key or '*'}; it has {known}")]
        )
    return wanted


def _told(store: Store, item: Generated) -> dict[str, Any]:
    kind, name = show_owner(item.owner).split(" ", 1)
    return {
        "kind": kind,
        "owner": name,
        "secret": item.secret,
        "key": item.key,
        "made_at": item.made_at,
        "rotation": item.rotation,
        "is_used": bool(item.damage) or _is_used(store, item),
        "damage": item.damage,
    }


def _is_used(store: Store, item: Generated) -> bool:
    """Whether the record declares it; True if the record cannot be read."""
    try:
        return any(item.key in secret.generate for secret in _declared(store, item.owner) if secret.name == item.secret)
    except HostError:
        return True


def _declared(store: Store, owner: str) -> Any:
    """The secrets of a stack or pod as it was applied last."""
    if not owner.startswith(STACK_OWNER):
        record = store.read_record(owner)
        return record.applied.pod.secrets if record else ()
    files = StackStore(store, owner[len(STACK_OWNER) :])
    current = files.read().current
    return files.revision(current).stack.secrets if current else ()


def _stack_request(
    store: Store, owner: str, asked: tuple[tuple[str, str], ...], wait_timeout_seconds: float, is_check: bool
) -> StackRequest:
    name = owner[len(STACK_OWNER) :]
    files = StackStore(store, name)
    record = files.read()
    if not record.current:
        raise Refused([Fault("owner", f"there is no stack {name} any more; its secrets can be removed")])
    pods = [found for found in map(store.read_record, record.owned.pods) if found]
    if any(pod.is_stopped for pod in pods):
        raise Refused([Fault("owner", f"stack {name} is stopped; start it first")])
    return StackRequest(
        name=name,
        state="started",
        stack=files.revision(record.current).stack,
        prune=False,
        wait_timeout_seconds=wait_timeout_seconds,
        is_check=is_check,
        settings=pods[0].settings if pods else Settings(stack=name),
        rotate=asked,
    )


def _pod_request(
    store: Store, name: str, asked: tuple[tuple[str, str], ...], wait_timeout_seconds: float, is_check: bool
) -> request.Request:
    record = store.read_record(name)
    if record is None:
        raise Refused([Fault("owner", f"there is no pod {name} any more; its secrets can be removed")])
    if record.is_stopped:
        raise Refused([Fault("owner", f"pod {name} is stopped; start it first")])
    return request.Request(
        name=name,
        state="started",
        pod=record.applied.pod,
        wait=True,
        wait_timeout_seconds=wait_timeout_seconds,
        on_failure="rollback",
        is_check=is_check,
        settings=record.settings,
        rotate=asked,
    )
