# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a pod is not ready, in a line for people."""

from __future__ import annotations

from .status import (
    CRASH_LOOP_BACK_OFF,
    INITIALIZED,
    READY,
    READY_TO_START,
    ContainerStatus,
    PodStatus,
    Terminated,
    Waiting,
    has_failed,
    has_initialized,
)

_MESSAGE_LENGTH = 240


def explain(status: PodStatus) -> str:
    """Why the pod is not ready, in one line; empty if it is ready.

    For example ``containers with unready status: [php]; php: CrashLoopBackOff, last exit 1 (Error), 4 restarts``.
    """
    ready = status.condition(READY)
    if ready and ready.status == "True":
        return ""
    parts = [_headline(status), *(_describe(one) for one in _culprits(status))]
    return "; ".join(part for part in parts if part)


def _headline(status: PodStatus) -> str:
    if status.phase not in ("Pending", "Running"):
        why = ": ".join(filter(None, (status.reason, _one_line(status.message))))
        return f"the pod is {status.phase}" + (f" ({why})" if why else "")
    sandbox, initialized, ready = (status.condition(name) for name in (READY_TO_START, INITIALIZED, READY))
    blamed = initialized if initialized and initialized.status != "True" else ready
    parts = ["the infra container does not run, or has no IP address"] if sandbox and sandbox.status != "True" else []
    if blamed:
        parts.append(blamed.message or blamed.reason)
    return "; ".join(parts) or f"the pod is {status.phase}"


def _culprits(status: PodStatus) -> list[ContainerStatus]:
    """The containers that keep the pod from being ready; while it initializes, the others only wait for them."""
    if status.is_final:
        return [one for one in status.all_statuses if one.role != "sidecar" and has_failed(one)]
    initialized = status.condition(INITIALIZED)
    if initialized is None or initialized.status == "True":
        return [one for one in status.all_statuses if one.role != "init" and not one.ready]
    incomplete = [one for one in status.init_container_statuses if not has_initialized(one)]
    own = [one for one in incomplete if one.state != Waiting("PodInitializing") or one.last_state]
    return own or incomplete


def _describe(status: ContainerStatus) -> str:
    parts = [_describe_state(status)]
    if status.last_state and not isinstance(status.state, Terminated):
        parts.append(f"last {_describe_exit(status.last_state)}")
    if status.restart_count:
        parts.append(f"{status.restart_count} restart" + ("s" if status.restart_count > 1 else ""))
    return f"{status.name}: " + ", ".join(parts)


def _describe_state(status: ContainerStatus) -> str:
    state = status.state
    if isinstance(state, Terminated):
        return f"Terminated, {_describe_exit(state)}"
    if isinstance(state, Waiting):
        reason = state.reason or "Waiting"
        # The message says nothing but that it backs off.
        told = "" if reason == CRASH_LOOP_BACK_OFF else _one_line(state.message)
        return f"{reason}: {told}" if told else reason
    if status.role == "init":
        return "Running"
    return "Running, not ready" if status.started else "Running, startup probe not passed"


def _describe_exit(run: Terminated) -> str:
    why = ": ".join(filter(None, (run.reason, _one_line(run.message))))
    return f"exit {run.exit_code}" + (f" ({why})" if why else "")


def _one_line(text: str) -> str:
    """The text without line breaks; of a long one the end, where programs say what went wrong."""
    words = " ".join(text.split())
    return words if len(words) <= _MESSAGE_LENGTH else "..." + words[3 - _MESSAGE_LENGTH :]
