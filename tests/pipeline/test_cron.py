"""When schedules are due: weekdays, missed times, and clocks that are set."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from ynab_pipeline.cron import first, following

ZONE = ZoneInfo("Europe/Berlin")
EVERY_4_HOURS = "0 */4 * * *"
#: A Saturday.
NOW = datetime(2026, 11, 21, 13, 30, tzinfo=ZONE)


def at(day: int, hour: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("cron", "time"),
    [
        (EVERY_4_HOURS, at(21, 16)),
        ("0 3 * * *", at(22, 3)),
        # As in a crontab, not as in APScheduler, where 0 is Monday.
        ("0 3 * * 0", at(22, 3)),
        ("0 3 * * 7", at(22, 3)),
        ("0 3 * * 1", at(23, 3)),
        ("0 3 * * 1-5", at(23, 3)),
        ("0 3 * * sat", at(28, 3)),
    ],
)
def test_next_time(cron: str, time: datetime | None) -> None:
    assert following(cron, None, NOW) == time


def test_clocks_that_change_in_spring_and_autumn() -> None:
    """A time that is left out comes an hour later, and one that comes twice counts once."""
    daily = "30 2 * * *"
    spring = following(daily, None, at(29, 0, month=3))
    assert spring is not None
    assert spring.astimezone(ZoneInfo("UTC")).hour == 1
    autumn = at(25, 0, month=10)
    once = following(daily, None, autumn)
    assert once is not None
    assert following(daily, once, once) == once + timedelta(days=1)


def test_an_hour_that_comes_twice() -> None:
    time, hours = at(25, 1, month=10), []
    for _ in range(3):
        found = following("0 * * * *", time, time)
        assert found is not None
        hours.append((found.astimezone(ZoneInfo("UTC")).hour, found.hour))
        time = found
    assert hours == [(0, 2), (1, 2), (2, 3)]


def test_a_clock_that_goes_back() -> None:
    # A little: the time that has come does not come again.
    assert following(EVERY_4_HOURS, at(21, 16), at(21, 15)) == at(21, 20)
    # By years: nothing waits for them.
    assert following(EVERY_4_HOURS, at(21, 16).replace(year=2038), NOW) == at(21, 16)


@pytest.mark.parametrize(
    ("last_start", "time"),
    [
        (None, at(21, 16)),
        (at(21, 12), at(21, 16)),
        # Missed once, or often.
        (at(21, 11), at(21, 12)),
        (at(1, 11), at(1, 12)),
        # By a clock that was wrong.
        (at(21, 16).replace(year=2038), at(21, 16)),
    ],
)
def test_first_time(last_start: datetime | None, time: datetime) -> None:
    assert first(EVERY_4_HOURS, last_start, NOW) == time
