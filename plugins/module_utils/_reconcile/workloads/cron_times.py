# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instants at which a schedule is due in a time zone.

Where clocks go back, a time that comes twice is due twice; where they go forward, a time that is left out is not due.
Source: Kubernetes 1.37, which has it from github.com/robfig/cron.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Callable

from ..._declaration.workloads.cron import Schedule

_DAY = timedelta(days=1)
_MOST_DAYS = 9 * 366
"""29 February may be eight years away."""
_SUNDAY_FIRST = 7

Due = Callable[[float], Iterator[float]]
"""The instants at which something is due after a given one, in order, in seconds since the epoch."""


def due_times(schedule: Schedule, zone: tzinfo) -> Due:
    """When the schedule is due in the zone. The zone is handed in, since reading one is not for pure code."""

    def after(instant: float) -> Iterator[float]:
        local = datetime.fromtimestamp(instant, zone)
        day, first_hour = local.date(), local.hour
        for _number in range(_MOST_DAYS):
            if schedule.has_day(day.month, day.day, day.isoweekday() % _SUNDAY_FIRST):
                hours = (hour for hour in schedule.hours if hour >= first_hour)
                yield from (at for hour in hours for at in _in_hour(schedule, day, hour, zone) if at > instant)
            day, first_hour = day + _DAY, 0

    return after


def _in_hour(schedule: Schedule, day: date, hour: int, zone: tzinfo) -> Iterator[float]:
    """The instants of an hour of the clock, in order. It may come once, twice or never, as a whole or in part."""
    for is_second in (False, True):
        for minute in schedule.minutes:
            wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            instant = wall.timestamp()
            if is_second:
                later = wall.replace(fold=1).timestamp()
                if later > instant and _is_shown(later, wall, zone):
                    yield later
            elif _is_shown(instant, wall, zone):
                yield instant


def _is_shown(instant: float, wall: datetime, zone: tzinfo) -> bool:
    """Whether the clock shows this time then, and not one beside a gap that it skips."""
    shown = datetime.fromtimestamp(instant, zone)
    return (shown.hour, shown.minute) == (wall.hour, wall.minute)
