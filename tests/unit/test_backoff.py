# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long what has failed waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifecycle_tables import BACKOFF, CRASH_LOOPS, EXPIRIES, IMAGES, START

from ansible_collections.podwright.pods.plugins.module_utils._reconcile.backoff import (
    CONTAINER_BACKOFF,
    IMAGE_PULL_BACKOFF,
    JOB_POD_BACKOFF,
    Attempts,
    Backoff,
    container_backoff_key,
    image_pull_backoff_key,
)


def test_slow_backoff():
    row = BACKOFF["slow_backoff"]
    backoff = Backoff(row["initial"], row["max"])
    for tick, expected in enumerate(row["get_before_each_next"], start=1):
        assert backoff.delay_seconds("a") == expected
        backoff = backoff.next("a", START + tick, START + tick)
    assert backoff.reset("a").delay_seconds("a") == 0


def test_in_backoff_since_update():
    row = BACKOFF["in_backoff_since_update"]
    backoff = Backoff(row["initial"], row["max"])
    for tick in row["ticks"]:
        now = START + tick["tick"]
        assert backoff.is_in_backoff_since_update("a", now) is tick["in_backoff"], tick
        if tick["in_backoff"]:
            assert backoff.delay_seconds("a") == tick["value"], tick
        else:
            backoff = backoff.next("a", now, now)


def backoff_after_six_nexts():
    row = BACKOFF["high_water_mark"]
    backoff = Backoff(row["initial"], row["max"])
    for tick in range(1, 7):
        backoff = backoff.next("a", START + tick, START + tick)
    return backoff, row["max"], START + 6


def test_high_water_mark():
    backoff, maximum, now = backoff_after_six_nexts()
    assert backoff.is_in_backoff_since("a", now, now)
    assert backoff.next("a", now + 6, now + 6).delay_seconds("a") == maximum
    assert not backoff.is_in_backoff_since("a", now, now + 11)


def test_collect_garbage():
    backoff, maximum, now = backoff_after_six_nexts()
    assert "a" in backoff.collect_garbage(now + maximum + 1).entries
    assert not backoff.collect_garbage(now + 2 * (maximum + 1)).entries


@pytest.mark.parametrize(("row", "expire_after_seconds", "quiet_seconds"), EXPIRIES)
def test_has_expired(row, expire_after_seconds, quiet_seconds):
    backoff = Backoff(row["initial"], row["max"], expire_after_seconds).next("a", START, START)
    backoff = backoff.next("a", START + 5, START + 5)
    assert backoff.delay_seconds("a") >= row["after_5s_next_at_least"]
    now = START + 5 + quiet_seconds
    assert backoff.next("a", now, now).delay_seconds("a") == row[f"after_{quiet_seconds}s_more_next"]


def crash_loop_waits(run_seconds, restarts, backoff=CONTAINER_BACKOFF):
    waits, now = [], START
    for _turn in range(restarts):
        finished_at = now + run_seconds
        now = finished_at
        while backoff.is_in_backoff_since("a", finished_at, now):
            now += 1
        backoff = backoff.next("a", finished_at, now)
        waits.append(now - finished_at)
    return waits


@pytest.mark.parametrize("row", CRASH_LOOPS)
def test_crash_loop(row):
    expected = row["waits_before_restart_s"]
    assert crash_loop_waits(row["run_seconds"], len(expected)) == expected


@pytest.mark.parametrize(
    ("backoff", "row"),
    [
        pytest.param(CONTAINER_BACKOFF, BACKOFF["kubelet"]["container"], id="container"),
        pytest.param(IMAGE_PULL_BACKOFF, BACKOFF["kubelet"]["image_pull"], id="image pull"),
        pytest.param(JOB_POD_BACKOFF, BACKOFF["kubelet"]["job_pod_failure"], id="job pod"),
    ],
)
def test_backoff_constants(backoff, row):
    assert (backoff.initial_seconds, backoff.max_seconds) == (row["initial_s"], row["max_s"])
    reset_seconds = row.get("reset_after_s", 2 * row["max_s"])
    grown = backoff.next("a", START, START).next("a", START, START)
    assert grown.next("a", START + reset_seconds, START).delay_seconds("a") == 4 * row["initial_s"]
    assert grown.next("a", START + reset_seconds + 1, START).delay_seconds("a") == row["initial_s"]


def test_failing_image_pulls():
    row = next(row for row in IMAGES["pull_decisions"] if "reasons" in row)
    backoff, reasons = Backoff(initial_seconds=1, max_seconds=60), []
    for tick in range(1, len(row["reasons"]) + 1):
        now = START + tick
        if backoff.is_in_backoff_since_update("image", now):
            reasons.append("ImagePullBackOff")
        else:
            reasons.append("ErrImagePull")
            backoff = backoff.next("image", now, now)
    assert reasons == row["reasons"]


def test_wait_counts_from_the_event():
    backoff = CONTAINER_BACKOFF.next("a", START, START)
    assert backoff.wait_seconds("a", START + 5, START + 5) == 10
    assert backoff.wait_seconds("a", START + 5, START + 12) == 3
    assert backoff.wait_seconds("a", START + 5, START + 15) == 0
    assert backoff.wait_seconds("a", START + 5, START - 3600) == 10
    assert backoff.wait_seconds("b", START + 5, START + 5) == 0


def test_keys_tell_specs_and_images_apart():
    assert container_backoff_key("web", "php", "1") != container_backoff_key("web", "php", "2")
    assert image_pull_backoff_key("web", "a") != image_pull_backoff_key("db", "a")


def test_one_key_does_not_move_another():
    backoff = CONTAINER_BACKOFF.next("a", START, START).next("b", START, START).next("a", START, START)
    assert (backoff.delay_seconds("a"), backoff.delay_seconds("b")) == (20, 10)
    assert backoff.reset("a").delay_seconds("b") == 10
    assert not CONTAINER_BACKOFF.entries


@given(st.integers(0, 600))
def test_waits_never_shrink_while_it_keeps_failing(run_seconds):
    waits = crash_loop_waits(run_seconds, 8)
    assert waits == sorted(waits)
    assert waits[0] == 0
    assert waits[-1] == CONTAINER_BACKOFF.max_seconds


def test_attempts_come_ever_later() -> None:
    """At first almost at once, then 10, 20 ... 300 s after the one before, and from the start after a success."""
    attempts, now, pauses = Attempts(), 1000.0, []
    for _failure in range(9):
        assert not attempts.is_held(now)
        attempts = attempts.failed(now)
        assert attempts.is_held(now)
        pauses.append(attempts.held_until_seconds - now)
        now = attempts.held_until_seconds
    assert pauses == [1, 10, 20, 40, 80, 160, 300, 300, 300]
    assert Attempts(5000, 0).failed(0).held_until_seconds == 300
