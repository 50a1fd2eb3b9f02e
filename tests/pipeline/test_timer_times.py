"""Intervals of cron as systemd, cron and launchd get them: the same times, half an hour earlier."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim
from ynab_pipeline.errors import UsageError
from ynab_pipeline.timers import crontab, launchd, systemd
from ynab_pipeline.timers.times import Recurrence, recurrence

#: A Saturday, in a month before a shorter one.
START = datetime(2026, 10, 24, 12)  # noqa: DTZ001 -- as cron has it
MANY = 40
INTERVALS = {
    "0 */4 * * *": 30,
    "0 3 * * *": 30,
    "45 3 * * *": 30,
    "15,45 6-22/4 * * *": 15,
    "0 * * * *": 30,
    "*/15 * * * *": 7,
    "* * * * *": 0,
    "0 0 * * *": 30,
    "10,50 0,12 * * *": 20,
    "0 0 * * 1": 30,
    "0 0,6 * * MON-FRI": 30,
    "0 5 * * 0,7": 30,
    "0 6 1,15 * *": 30,
    "30 0 31 * *": 30,
    "0 9 1 JAN,JUL *": 30,
    "0 9 */10 * *": 30,
    "0 9 1 * 1": 30,  # on either
}


def test_names_of_meltano() -> None:
    names = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0"}
    assert {n: recurrence(n) for n in names} == {n: recurrence(i) for n, i in names.items()}


def wanted(interval: str, spread: int) -> list[datetime]:
    """The first times of an interval, moved earlier."""
    by = timedelta(minutes=spread)
    times = CronSim(interval, START + by)
    return [time - by for time in islice(times, MANY)]


def first(expressions: list[str]) -> list[datetime]:
    """The first times of any of these."""
    times = {time for one in expressions for time in islice(CronSim(one, START), MANY)}
    return sorted(times)[:MANY]


def test_all_of_the_spreads() -> None:
    assert {i: recurrence(i).spread for i in INTERVALS} == INTERVALS


@pytest.mark.parametrize("interval", INTERVALS)
def test_times_of_cron(interval: str) -> None:
    found = recurrence(interval)
    lines = [crontab.fields(times) for times in found.times]
    assert first(lines) == wanted(interval, found.spread)


@pytest.mark.parametrize("interval", INTERVALS)
def test_times_of_launchd(interval: str) -> None:
    found = recurrence(interval)
    names = ("Minute", "Hour", "Day", "Month", "Weekday")
    lines = [
        " ".join(str(start.get(name, "*")) for name in names)
        for times in found.times
        for start in launchd.starts(times)
    ]
    assert first(lines) == wanted(interval, found.spread)


@pytest.mark.parametrize("interval", INTERVALS)
def test_times_of_systemd(interval: str) -> None:
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("systemd-analyze is missing: what systemd makes of OnCalendar is not tested")
    found = recurrence(interval)
    assert elapses(program, found) == wanted(interval, found.spread)


def elapses(program: str, found: Recurrence) -> list[datetime]:
    """The first times as systemd reads them."""
    done = subprocess.run(
        [
            program,
            "calendar",
            f"--iterations={MANY}",
            f"--base-time={START}",
            *map(systemd.calendar, found.times),
        ],
        env={"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    times = re.findall(r"(?:Next elapse|Iter(?:ation|\.) #\d+): \w+ ([\d-]+ [\d:]+)", done.stdout)
    return sorted({datetime.fromisoformat(time) for time in times})[:MANY]


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ("often", "no interval of cron"),
        ("0 25 * * *", "no interval of cron: Bad hour"),
        ("30 0 3 * * *", "it needs five fields"),
        ("0 3 L * *", "only cronsim has L, W and #"),
        ("0 3 * * 1#2", "only cronsim has L, W and #"),
        ("0 3 */2 * 1", "name the days of the month, or the weekdays"),
        ("0 0 1 * *", "choose a time of 0:30 or later"),
        ("0 0 * 1 *", "choose a time of 0:30 or later"),
    ],
)
def test_what_cannot_be_translated(interval: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)) as error:
        recurrence(interval)
    assert repr(interval) in str(error.value)
