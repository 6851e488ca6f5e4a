# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of events: what it counts, what it forgets, what outlives the agent, and what a reader in time sees."""

from __future__ import annotations

import itertools
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._agent.event_log import (
    CAPACITY,
    JOURNAL_LINES,
    MESSAGE_LENGTH,
    Event,
    EventLog,
)

START = 1_700_000_000.0
FIRST = int(START) * 1000 + 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def log(path: Path) -> EventLog:
    """A log on whose clock a second goes by with each event."""
    return EventLog(path, clock=itertools.count(START).__next__)


def make_long(log: EventLog) -> None:
    for _number in range(JOURNAL_LINES):
        log.add("Started", "other", "again")


def messages(events: Iterator[Event | None] | tuple[Event, ...]) -> list[str]:
    return [event.message for event in events if event]


# -- What is kept


def test_an_event_tells_what_it_was_told(log: EventLog) -> None:
    log.add("Started", "web", "container main started", "main")
    log.add("FailedSync", "shop", "no such image", is_warning=True)
    assert log.list() == (
        Event(FIRST, "Normal", "Started", "web", "main", "container main started", 1, START + 1, START + 1),
        Event(FIRST + 1, "Warning", "FailedSync", "shop", "", "no such image", 1, START + 2, START + 2),
    )


def test_the_same_again_is_counted_and_comes_last(log: EventLog) -> None:
    for message in ("one", "two", "one"):
        log.add("Unhealthy", "web", message, "main", is_warning=True)
    two, one = log.list()
    assert (two.message, two.count) == ("two", 1)
    assert (one.message, one.count, one.first_at, one.last_at) == ("one", 2, START + 1, START + 3)
    assert one.number > two.number


def test_what_differs_in_anything_is_another_event(log: EventLog) -> None:
    log.add("Killing", "web", "text", "main")
    log.add("Killed", "web", "text", "main")
    log.add("Killing", "shop", "text", "main")
    log.add("Killing", "web", "another text", "main")
    log.add("Killing", "web", "text", "other")
    log.add("Killing", "web", "text", "main", is_warning=True)
    assert [event.count for event in log.list()] == [1] * 6


def test_long_messages_are_cut(log: EventLog) -> None:
    for end in "ab":
        log.add("Unhealthy", "web", "x" * MESSAGE_LENGTH + end)
    (event,) = log.list()
    assert (event.message, event.count) == ("x" * (MESSAGE_LENGTH - 3) + "...", 2)


def test_the_quietest_is_forgotten_first(log: EventLog) -> None:
    for number in range(CAPACITY):
        log.add("Pulled", "web", str(number))
    log.add("Pulled", "web", "0")
    for number in range(CAPACITY, CAPACITY + 10):
        log.add("Pulled", "web", str(number))
    kept = messages(log.list())
    assert len(kept) == CAPACITY
    assert "0" in kept
    assert kept[0] == "11"


def test_list_by_pod_and_since(log: EventLog) -> None:
    for pod, message in (("web", "one"), ("shop", "two"), ("web", "three")):
        log.add("Started", pod, message)
    one, two, three = log.list()
    assert log.list("web") == (one, three)
    assert log.list(since=one.number) == (two, three)
    assert log.list("shop", two.number) == ()
    assert log.list("absent") == ()


def test_forget(log: EventLog) -> None:
    for pod, message in (("web", "one"), ("shop", "two"), ("web", "three")):
        log.add("Started", pod, message)
    log.forget("web")
    assert messages(log.list()) == ["two"]
    log.add("Started", "web", "one")
    assert [event.count for event in log.list("web")] == [1]


# -- What outlives the agent


def test_events_are_there_again_without_being_saved(log: EventLog, path: Path) -> None:
    """As after a kill, which leaves no time for anything."""
    for message in ("one", "two", "one"):
        log.add("Started", "web", message, "main")
    again = EventLog(path)
    assert again.list() == log.list()
    again.add("Started", "web", "two", "main")
    assert [(event.message, event.count) for event in again.list()] == [("one", 2), ("two", 2)]
    assert EventLog(path).list() == again.list()


def test_the_file_is_private(log: EventLog, path: Path) -> None:
    log.add("Started", "web", "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_is_written_anew_when_it_has_grown_long(log: EventLog, path: Path) -> None:
    log.save()
    assert not path.exists()
    for _number in range(JOURNAL_LINES):
        log.add("Started", "web", "one")
    log.save()
    assert len(path.read_bytes().splitlines()) == JOURNAL_LINES
    log.add("Started", "web", "two")
    log.save()
    assert len(path.read_bytes().splitlines()) == 2
    assert EventLog(path).list() == log.list()


def test_no_more_is_read_than_is_kept(log: EventLog, path: Path) -> None:
    for number in range(CAPACITY + 10):
        log.add("Started", "web", str(number))
    assert EventLog(path).list() == log.list()


@pytest.mark.parametrize("is_saved", [True, False])
def test_what_is_forgotten_stays_forgotten(log: EventLog, path: Path, is_saved: bool) -> None:
    log.add("Started", "web", "one")
    log.add("Started", "shop", "two")
    log.forget("web")
    if is_saved:
        make_long(log)
        log.save()
    assert messages(EventLog(path).list("web")) == []
    assert "two" in messages(EventLog(path).list())
    log.add("Started", "web", "three")
    assert messages(EventLog(path).list("web")) == ["three"]


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_reader_misses_nothing_when_the_agent_starts_anew(path: Path, is_saved: bool) -> None:
    """Neither where what it read last is forgotten nor where it never came to be written down."""
    log = EventLog(path, clock=lambda: START)
    for message in ("one", "two"):
        log.add("Started", "web", message)
    (*_others, last) = log.list()
    if is_saved:
        log.forget("web")
    else:
        path.unlink()
    again = EventLog(path, clock=lambda: START + 1)
    again.add("Started", "web", "three")
    assert messages(again.list("web", last.number)) == ["three"]


def test_numbers_grow_on_when_the_clock_is_set_back(log: EventLog, path: Path) -> None:
    log.add("Started", "web", "one")
    again = EventLog(path, clock=lambda: 5.0)
    again.add("Started", "web", "two")
    assert [event.number for event in again.list()] == [FIRST, FIRST + 1]


def line(item: Any) -> bytes:
    return json.dumps(item).encode() + b"\n"


KNOWN = asdict(Event(7, "Normal", "Started", "web", "main", "text", 1, 1.0, 1.0))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"5",
        b'"text"',
        b"{",
        b'[{"number": 1',
        b'{"number": 1}',
        b"[1, 2]",
        b"[{}]",
        b"[" * 100_000,
        line({**KNOWN, "more": 1}),
        line({**KNOWN, "number": "7"}),
        line({**KNOWN, "number": None}),
        line({**KNOWN, "pod": ["web"]}),
    ],
)
def test_a_file_that_cannot_be_read_is_passed_over(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    log = EventLog(path)
    assert log.list() == ()
    log.add("Started", "web", "one")
    assert messages(EventLog(path).list()) == ["one"]


def test_what_can_be_read_of_a_file_is_kept(path: Path) -> None:
    other = {**KNOWN, "message": "other"}
    path.write_bytes(line(KNOWN) + line({**KNOWN, "number": "8"}) + line(other) + line(KNOWN)[:20])
    log = EventLog(path)
    assert log.list() == (Event(**KNOWN), Event(**other))
    log.add("Started", "web", "one")
    assert EventLog(path).list() == log.list()


def test_what_could_not_be_written_is_written_later(log: EventLog, path: Path) -> None:
    away = path.parent.with_name("away")
    path.parent.rename(away)
    log.add("Started", "web", "one")
    assert EventLog(path).list() == ()
    log.save()
    away.rename(path.parent)
    log.add("Started", "web", "two")
    log.save()
    assert EventLog(path).list() == log.list()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("elsewhere")])
def test_what_stands_in_the_place_of_the_file_is_in_nobody_s_way(path: Path, make: Callable[[Path], object]) -> None:
    make(path)
    log = EventLog(path)
    log.add("Started", "web", "one")
    assert EventLog(path).list() == log.list() != ()
    assert not (path.parent / "elsewhere").exists()


# -- Followed


def test_follow_begins_with_what_is_there(log: EventLog) -> None:
    for pod, message in (("web", "one"), ("shop", "two"), ("web", "three")):
        log.add("Started", pod, message)
    first = log.list()[0].number
    assert messages(itertools.islice(log.follow(), 3)) == ["one", "two", "three"]
    assert messages(itertools.islice(log.follow("web", first), 1)) == ["three"]


def test_follow_tells_that_nothing_comes(log: EventLog) -> None:
    log.add("Started", "web", "one")
    found = log.follow(pause_seconds=0.01)
    assert [event is None for event in itertools.islice(found, 3)] == [False, True, True]


def test_events_of_other_pods_are_nothing_that_comes(log: EventLog) -> None:
    """A reader of one pod is not woken for each event of the others."""
    found = log.follow("web", pause_seconds=0.5)
    others = threading.Thread(target=lambda: [log.add("Started", "shop", str(number)) for number in range(100)])
    others.start()
    assert next(found) is None
    others.join()
    log.add("Started", "web", "one")
    assert messages(itertools.islice(found, 1)) == ["one"]


@pytest.mark.parametrize("pod", ["", "pod-3"])
def test_readers_see_all_of_many_writers_in_order(path: Path, pod: str) -> None:
    """Fewer events than are kept, so that a slow reader may not lose any either."""
    writers, each, readers = 8, 100, 3
    log = EventLog(path)
    wanted = each if pod else writers * each
    seen: list[list[Event]] = [[] for _reader in range(readers)]

    def write(writer: int) -> None:
        for number in range(each):
            log.add("Started", f"pod-{writer}", str(number))

    def read(mine: list[Event]) -> None:
        mine.extend(itertools.islice(filter(None, log.follow(pod, pause_seconds=0.01)), wanted))

    threads = [threading.Thread(target=read, args=(mine,), daemon=True) for mine in seen]
    threads += [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    for mine in seen:
        numbers = [event.number for event in mine]
        assert numbers == sorted(set(numbers))
        assert mine == list(log.list(pod))
    assert EventLog(path).list() == log.list()


def test_a_repetition_is_seen_again(log: EventLog) -> None:
    found = log.follow()
    for count in range(1, 4):
        log.add("BackOff", "web", "text")
        event = next(found)
        assert event is not None
        assert event.count == count


def test_who_asks_is_told_of_what_is_new(tmp_path: Path) -> None:
    told: list[str] = []
    log = EventLog(tmp_path / "events", on_new=lambda event: told.append(event.message))
    for message in ("one", "one", "two"):
        log.add("Killing", "web", message)
    assert told == ["one", "two"]
