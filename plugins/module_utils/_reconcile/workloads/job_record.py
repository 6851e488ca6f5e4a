# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of a Job from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..backoff import JOB_POD_BACKOFF
from .steps import Conditions, is_true

COMPLETE = "Complete"
FAILED_CONDITION = "Failed"
FAILURE_TARGET = "FailureTarget"
SUCCESS_CRITERIA = "SuccessCriteriaMet"
SUSPENDED = "Suspended"


@dataclass(frozen=True)
class OpenPod:
    """A pod whose end is not counted yet. ``is_known``: it has been seen, so that it is lost where it is gone.

    ``is_dismissed``: the Job has ended it itself, so that its end counts as nothing.
    """

    name: str
    number: int
    index: int | None = None
    is_known: bool = False
    is_dismissed: bool = False


@dataclass(frozen=True)
class Failures:
    """``in_row`` since the last success, ``last_at`` when; with these the next pods wait."""

    in_row: int = 0
    last_at: float = 0

    def ready_at(self) -> float | None:
        """When the next pod may start. Source: Kubernetes' ``getRemainingTime``."""
        if not self.in_row:
            return None
        initial, most = JOB_POD_BACKOFF.initial_seconds, JOB_POD_BACKOFF.max_seconds
        return self.last_at + float(min(initial * 2.0 ** min(self.in_row - 1, 30), most))


@dataclass(frozen=True)
class JobRecord:
    """``digest`` is that of the definition it is of, ``handed_out`` the number of pods that were ever asked for.

    ``index_failures`` are the failures by index that count for its limit, ``index_waits`` those that the next pod of
    the index waits for. ``ended_at`` is when the Job was over.
    """

    digest: str = ""
    handed_out: int = 0
    open: tuple[OpenPod, ...] = ()
    succeeded: int = 0
    failed: int = 0
    failures: Failures = Failures()
    completed_indexes: frozenset[int] = frozenset()
    failed_indexes: frozenset[int] = frozenset()
    index_failures: Mapping[int, int] = field(default_factory=dict)
    index_waits: Mapping[int, Failures] = field(default_factory=dict)
    started_at: float | None = None
    ended_at: float | None = None
    conditions: Conditions = ()

    @property
    def is_over(self) -> bool:
        return is_true(self.conditions, COMPLETE) or is_true(self.conditions, FAILED_CONDITION)
