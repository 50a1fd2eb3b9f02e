"""Intervals of cron as sets of numbers, moved earlier to make room for a random delay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from cronsim import CronSim, CronSimError

from ynab_pipeline.cron import NAMES
from ynab_pipeline.errors import UsageError

_DAY = 24 * 60
_HOURS = frozenset(range(24))
_DAYS = frozenset(range(1, 32))
_MONTHS = frozenset(range(1, 13))
_WEEKDAYS = frozenset(range(7))
#: Minutes by which a run begins earlier or later at most.
_SPREAD = 30


@dataclass(frozen=True)
class Times:
    """Times of day on certain days: each combination of an hour and a minute.

    Either days or weekdays are all there are, because schedulers do not agree about both together.
    """

    minutes: frozenset[int]
    hours: frozenset[int] = _HOURS
    days: frozenset[int] = _DAYS
    months: frozenset[int] = _MONTHS
    #: Sunday is 0.
    weekdays: frozenset[int] = _WEEKDAYS

    @property
    def every_hour(self) -> bool:
        """Tell if all hours are among them."""
        return self.hours == _HOURS

    @property
    def every_day(self) -> bool:
        """Tell if all days of the month are among them."""
        return self.days == _DAYS

    @property
    def every_month(self) -> bool:
        """Tell if all months are among them."""
        return self.months == _MONTHS

    @property
    def every_weekday(self) -> bool:
        """Tell if all weekdays are among them."""
        return self.weekdays == _WEEKDAYS


@dataclass(frozen=True)
class Recurrence:
    """Times at which a random delay begins, so that a run starts around those of the interval."""

    times: tuple[Times, ...]
    #: Minutes between these times and those of the interval; the longest delay is twice as long.
    spread: int


def recurrence(interval: str) -> Recurrence:
    """Translate an interval of meltano.yml.

    Args:
        interval: Five fields of cron, or a name of Meltano's.

    Raises:
        UsageError: If it is no interval, or cannot be expressed.
    """
    try:
        parsed = CronSim(NAMES.get(interval, interval), datetime.now())  # noqa: DTZ005 -- only its fields are used
    except CronSimError as error:
        raise UsageError(f"{interval!r} is no interval of cron: {error}") from error
    if len(interval.split()) == 6:  # noqa: PLR2004 -- cronsim also takes seconds
        raise UsageError(f"{interval!r} is no interval of cron: it needs five fields")
    if min(parsed.days) < 0 or not all(isinstance(day, int) for day in parsed.weekdays):
        raise UsageError(f"{interval!r} cannot be translated: only cronsim has L, W and #")
    minutes, hours, months = map(frozenset, (parsed.minutes, parsed.hours, parsed.months))
    days = frozenset(parsed.days)
    weekdays = frozenset(day % 7 for day in parsed.weekdays if isinstance(day, int))
    at = Times(minutes, hours, months=months)
    if days == _DAYS or weekdays == _WEEKDAYS:
        alternatives = [replace(at, days=days, weekdays=weekdays)]
    elif parsed.day_and:
        raise UsageError(
            f"{interval!r} cannot be translated: name the days of the month, or the weekdays"
        )
    else:  # on either
        alternatives = [replace(at, days=days), replace(at, weekdays=weekdays)]
    spread = min(_SPREAD, _shortest_gap(minutes, hours) // 2)
    return Recurrence(
        tuple(moved for times in alternatives for moved in _earlier(times, spread, interval)),
        spread,
    )


def _shortest_gap(minutes: frozenset[int], hours: frozenset[int]) -> int:
    starts = sorted(hour * 60 + minute for hour in hours for minute in minutes)
    return min(later - sooner for sooner, later in pairwise([*starts, starts[0] + _DAY]))


def _earlier(times: Times, by: int, interval: str) -> list[Times]:
    """Return times that are up to an hour earlier.

    Raises:
        UsageError: If some of them are on the day before, and that cannot be expressed.
    """
    in_hour = frozenset(minute - by for minute in times.minutes if minute >= by)
    hour_before = frozenset(minute - by + 60 for minute in times.minutes if minute < by)
    moved = [replace(times, minutes=in_hour)] if in_hour else []
    if not hour_before:
        return moved
    earlier = replace(times, minutes=hour_before, hours=frozenset(h - 1 for h in times.hours if h))
    is_any_day = times.every_day and times.every_month
    if is_any_day and times.every_weekday:
        hours = frozenset((hour - 1) % 24 for hour in times.hours)
        if moved and hours == times.hours:
            return [replace(times, minutes=in_hour | hour_before)]
        return [*moved, replace(earlier, hours=hours)]
    if earlier.hours:
        moved.append(earlier)
    if 0 in times.hours:
        if not is_any_day:
            raise UsageError(
                f"{interval!r} cannot be moved {by} minutes earlier, to the day before: "
                f"choose a time of 0:{by} or later"
            )
        weekdays = frozenset((day - 1) % 7 for day in times.weekdays)
        moved.append(replace(earlier, hours=frozenset({23}), weekdays=weekdays))
    return moved
