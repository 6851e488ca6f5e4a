# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DaemonSets: one pod where this host is one of theirs, and its replacement in either order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from workload_model import START, Host

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads import daemon_set
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.facts import WorkloadPod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.revisions import template_digest
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.steps import (
    AddPod,
    WorkloadStep,
    status_document,
)

DaemonStep = WorkloadStep[daemon_set.DaemonSetRecord, daemon_set.DaemonSetStatus]
SURGE = w.DaemonSetStrategy("RollingUpdate", w.RollingUpdateOfDaemons(1, 0))
ON_DELETE = w.DaemonSetStrategy("OnDelete", None)


def declared(image: str = "v1", **fields: Any) -> w.DaemonSet:
    return w.DaemonSet("agent", template=s.PodSpec("agent", (s.Container("a", image),)), **fields)


def pod(letter: str, number: int = 0) -> WorkloadPod:
    """N is of the new revision and available, n not yet; O, o the same of the old; - is going, ! has failed."""
    revision = "new" if letter.lower() == "n" else "old"
    ready = START - 100 if letter.isupper() else None
    phase = "Failed" if letter == "!" else "Running"
    return WorkloadPod(f"{revision}-{number}", revision, number, phase, ready, is_ending=letter == "-")


def taken(wanted: w.DaemonSet, letters: str, is_here: bool = True) -> DaemonStep:
    pods = [pod(letter, number) for number, letter in enumerate(letters)]
    return daemon_set.step(wanted, "new", daemon_set.DaemonSetRecord(), pods, START, is_here)


@pytest.mark.parametrize(
    ("wanted", "letters", "is_here", "expected"),
    [
        (declared(), "", True, ["add"]),
        (declared(), "N", True, []),
        (declared(), "n", True, []),
        (declared(), "O", True, ["end old-0"]),
        (declared(), "o", True, ["end old-0"]),
        (declared(), "-", True, []),
        (declared(), "!", True, ["end old-0", "add"]),
        (declared(), "NN", True, ["end new-1"]),
        (declared(update_strategy=SURGE), "O", True, ["add"]),
        (declared(update_strategy=SURGE), "On", True, []),
        (declared(update_strategy=SURGE), "ON", True, ["end old-0"]),
        (declared(update_strategy=SURGE), "on", True, ["end old-0"]),
        (declared(update_strategy=SURGE), "o", True, ["add"]),
        (declared(update_strategy=SURGE), "-", True, []),
        (declared(update_strategy=ON_DELETE), "O", True, []),
        (declared(update_strategy=ON_DELETE), "", True, ["add"]),
        (declared(update_strategy=ON_DELETE), "-", True, []),
        (declared(), "NO", False, ["end new-0", "end old-1"]),
        (declared(), "-", False, []),
        (declared(), "", False, []),
    ],
)
def test_what_is_next(wanted: w.DaemonSet, letters: str, is_here: bool, expected: list[str]) -> None:
    operations = taken(wanted, letters, is_here).operations
    assert ["add" if isinstance(one, AddPod) else f"end {one.pod}" for one in operations] == expected


@pytest.mark.parametrize(
    ("letters", "is_here", "expected"),
    [
        ("N", True, (1, 1, 0, 1, 1, 0, 1)),
        ("On", True, (1, 1, 0, 1, 1, 0, 1)),
        ("o", True, (1, 1, 0, 0, 0, 1, 0)),
        ("", True, (0, 1, 0, 0, 0, 1, 0)),
        ("N", False, (0, 0, 1, 0, 0, 0, 0)),
    ],
)
def test_status_in_the_shape_of_kubernetes(letters: str, is_here: bool, expected: tuple[int, ...]) -> None:
    names = (
        "currentNumberScheduled",
        "desiredNumberScheduled",
        "numberMisscheduled",
        "numberReady",
        "numberAvailable",
        "numberUnavailable",
        "updatedNumberScheduled",
    )
    told = status_document(taken(declared(), letters, is_here).status)
    assert [condition["type"] for condition in told.pop("conditions")] == ["Progressing"]
    assert told == dict(zip(names, expected, strict=True))


@pytest.mark.parametrize("strategy", [w.DaemonSetStrategy(), SURGE])
@pytest.mark.parametrize("cut_after", [None, 0, 1, 2])
def test_an_update_comes_to_its_end_wherever_it_is_cut_off(
    strategy: w.DaemonSetStrategy, cut_after: int | None
) -> None:
    wanted = declared(update_strategy=strategy, min_ready_seconds=5)
    host = Host(daemon_set.DaemonSetRecord())

    def step(host: Host) -> DaemonStep:
        return daemon_set.step(wanted, template_digest(wanted), host.record, host.sequence(), host.now)

    def live(host: Host) -> None:
        for name in list(host.pods):
            host.set_ready(name)
        assert len(host.pods) <= (2 if strategy is SURGE else 1)

    host.settle(step, live)
    wanted = replace(wanted, template=declared("v2").template)
    for _step in range(4):
        host.take(step, cut_after)
        host.remove_all_ending()
    done = host.settle(step, live)
    assert [found.revision for found in host.sequence()] == [template_digest(wanted)]
    assert [one.number for one in done.record.revisions] == [1, 2]
