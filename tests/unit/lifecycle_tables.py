# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of probes, back-off and restarts in data/, which hold for `probe_worker` and for what the agent runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent / "data"
PROBES, BACKOFF, SHOULD_RESTART, IMAGES = (
    json.loads((DATA / f"{name}.json").read_text())
    for name in ("probe_worker", "backoff", "should_restart", "image_pull_policy")
)

KINDS = ("liveness", "readiness", "startup")
START = 1_700_000_000.0

SETTINGS = {
    "initialDelaySeconds": "initial_delay_seconds",
    "timeoutSeconds": "timeout_seconds",
    "periodSeconds": "period_seconds",
    "successThreshold": "success_threshold",
    "failureThreshold": "failure_threshold",
}
"""A probe's fields, as Kubernetes spells them and as we do."""
LATEST_STATES = {
    "no_history": "none",
    "alive": "running",
    "succeed": "succeeded",
    "failed": "failed",
    "unknown": "unknown",
}

INITIAL_DELAYS = [pytest.param(row, id=row["probe_type"]) for row in PROBES["during_initial_delay"]]
ROUNDS = [pytest.param(row, id=row["name"]) for row in PROBES["do_probe"]]
SEQUENCES = [
    pytest.param(row, id=f"{number}-{row['name']}-{row['probe_type']}")
    for number, row in enumerate(PROBES["sequences"])
]
# Each with what expires a key, and how long it then has to be quiet.
EXPIRIES = [
    pytest.param(BACKOFF["has_expired"][0], None, 101, id=BACKOFF["has_expired"][0]["name"]),
    pytest.param(BACKOFF["has_expired"][1], 8, 9, id=BACKOFF["has_expired"][1]["name"]),
]
CRASH_LOOPS = [pytest.param(row, id=f"runs {row['run_seconds']} s") for row in BACKOFF["derived_crash_loop"]]


def restart_rows(**wanted: Any) -> list[Any]:
    """The rows of the table of restarts that have these values."""
    return [
        pytest.param(row, id=f"{row['latest_state']}-{row['policy']}-{'deleting' if row['deleting'] else 'kept'}")
        for row in SHOULD_RESTART["rows"]
        if all(row[name] == value for name, value in wanted.items())
    ]
