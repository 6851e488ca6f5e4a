# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schedule of a CronJob: five fields, or one of the names such as ``@daily``.

The grammar is Kubernetes' own (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/): lists, ranges and
steps of numbers, names of months and days, ``*`` and ``?``. Where both days are given, either of them counts.

It is read here and not by croniter, which pallets-eco keeps: a schedule is judged before anything is touched, on every
control node and host, and would need croniter, python-dateutil and pytz on each. Its grammar is another one as well
(six fields, ``L``, ``#``, ``H``, 7 for Sunday), and so are its times where clocks change. What is read here is held to
the tables of github.com/robfig/cron, which Kubernetes uses, clock changes in both directions among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class _Bounds:
    what: str
    first: int
    last: int
    names: Mapping[str, int]


def _numbered(names: str, first: int) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), first)}


_FIELDS = (
    _Bounds("minute", 0, 59, {}),
    _Bounds("hour", 0, 23, {}),
    _Bounds("day of the month", 1, 31, {}),
    _Bounds("month", 1, 12, _numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1)),
    _Bounds("day of the week", 0, 6, _numbered("sun mon tue wed thu fri sat", 0)),
)
_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DAYS_OF_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Schedule:
    """When a CronJob is due, as numbers. ``weekdays`` begin with Sunday, which is 0."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_any_day: bool
    """Whether one of the two days is left open, so that the other one decides alone."""

    def has_day(self, month: int, day: int, weekday: int) -> bool:
        """Whether it is due on a day of the month that is this day of the week."""
        by_day, by_weekday = day in self.days, weekday in self.weekdays
        is_due = by_day and by_weekday if self.is_any_day else by_day or by_weekday
        return month in self.months and is_due


def parse(text: str) -> Schedule:
    """Read a schedule. Raises ValueError that says what is wrong with it."""
    if re.match(r"(CRON_)?TZ=", text):
        raise ValueError("has a time zone in it; give that in a field of its own")
    if text.startswith("@every"):
        raise ValueError("@every counts from each start of the agent; write steps such as */5 * * * *")
    if text.startswith("@") and text not in _NAMED:
        raise ValueError(f"{text!r} is not one of {', '.join(_NAMED)}")
    fields = _NAMED.get(text, text).split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"has {len(fields)} fields; give minute, hour, day of the month, month and day of the week")
    numbers = [_numbers(field, bounds) for field, bounds in zip(fields, _FIELDS)]
    is_any_day = any(_is_open(fields[position]) for position in (2, 4))
    schedule = Schedule(
        tuple(sorted(numbers[0])), tuple(sorted(numbers[1])), numbers[2], numbers[3], numbers[4], is_any_day
    )
    if not _ever_comes(schedule):
        raise ValueError("never comes: none of its months has such a day")
    return schedule


def _is_open(field: str) -> bool:
    """Whether a field says nothing: with a step of more than one it does."""
    return any(re.fullmatch(r"[*?](-.*)?(/1)?", part) for part in field.split(","))


def _numbers(field: str, bounds: _Bounds) -> frozenset[int]:
    return frozenset(number for part in field.split(",") for number in _part(part, bounds))


def _part(part: str, bounds: _Bounds) -> range:
    """The numbers of ``5``, ``1-5``, ``*/2``, ``10/5`` (from 10 on) or ``1-10/3``."""
    numbers, slash, step_text = part.partition("/")
    step = _number(step_text, {}, part, bounds) if slash else 1
    if numbers in ("*", "?"):
        first, last = bounds.first, bounds.last
    else:
        first_text, dash, last_text = numbers.partition("-")
        first = _number(first_text, bounds.names, part, bounds)
        last = _number(last_text, bounds.names, part, bounds) if dash else bounds.last if slash else first
    if not bounds.first <= first <= bounds.last or not bounds.first <= last <= bounds.last:
        raise ValueError(f"{part!r} is not between {bounds.first} and {bounds.last}, as a {bounds.what} is")
    if first > last:
        raise ValueError(f"{part!r} ends before it begins, as {bounds.what}")
    if step == 0:
        raise ValueError(f"{part!r} has a step of 0, as {bounds.what}")
    return range(first, last + 1, step)


def _number(text: str, names: Mapping[str, int], part: str, bounds: _Bounds) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError(f"{part!r} is not a {bounds.what}")
    return int(text)


def _ever_comes(schedule: Schedule) -> bool:
    """Whether a month has one of the days; a day of the week comes in each."""
    has_day = any(day <= _DAYS_OF_MONTHS[month - 1] for month in schedule.months for day in schedule.days)
    return has_day or not schedule.is_any_day
