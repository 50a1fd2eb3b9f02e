"""Requests are counted, and none is sent beyond those that an hour allows."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_ynab.errors import LimitError
from tap_ynab.rate_limit import HOUR, HourlyLimit

from tests.tap.unit.clock import START, moved_clock

if TYPE_CHECKING:
    from tests.tap.unit.clock import Clock


def limit(sent: dict[str, int], allowed: int = 200, *, waits: bool = True) -> HourlyLimit:
    return HourlyLimit(allowed, waits=waits, sent=sent, before_wait=lambda: None)


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ({}, 0),
        ({-60: 199}, 0),
        ({-60: 200}, 3600),
        ({-3600: 200}, 60),
        ({-3600: 100, -60: 100}, 60),
        ({-60: 100, -3600: 100}, 60),
        ({-3600: 1, -1800: 198, -60: 1}, 60),
        ({-3600: 1, -60: 249}, 3600),
        ({-3660: 200}, 0),
        ({-86400: 200, -60: 199}, 0),
        ({86400: 200}, 3660),
    ],
)
def test_the_next_request_waits_until_enough_of_them_are_an_hour_old(
    clock: Clock, sent: dict[int, int], seconds: int
) -> None:
    """Requests by minute, in seconds from now, of which 200 are allowed."""
    limit({str(START + minute): number for minute, number in sent.items()}).take()
    assert clock.now == START + seconds


def test_requests_are_counted_by_the_minute_in_the_state(clock: Clock) -> None:
    sent = {str(START - 3660): 5, str(START - 60): 1}
    hourly = limit(sent)
    for _ in range(3):
        hourly.take()
        clock.now += 25
    hourly.take()
    assert sent == {str(START - 60): 1, str(START): 3, str(START + 60): 1}


@settings(max_examples=50, deadline=None)
@given(allowed=st.integers(1, 4), gaps=st.lists(st.integers(0, 2400), min_size=1, max_size=15))
def test_no_hour_ever_has_more_requests_than_allowed(allowed: int, gaps: list[int]) -> None:
    times = []
    with moved_clock() as clock:
        hourly = limit({}, allowed)
        for gap in gaps:
            clock.now += gap
            hourly.take()
            times.append(clock.now)
    assert all(later - earlier >= HOUR for earlier, later in zip(times, times[allowed:]))  # noqa: B905 one is shorter
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_a_run_that_is_not_to_wait_ends_with_the_time_to_run_again(clock: Clock) -> None:
    sent = {str(START - 60): 200}
    with pytest.raises(
        LimitError, match=r"200 requests in the last hour.*run again after \d\d:\d\d"
    ):
        limit(sent, waits=False).take()
    assert sent == {str(START - 60): 200}
    assert not clock.waits


def test_a_wait_is_announced_and_shown_every_minute(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    announced: list[float] = []
    hourly = HourlyLimit(1, waits=True, sent={}, before_wait=lambda: announced.append(clock.now))
    hourly.wait(150, "YNAB answers 429")
    assert announced == [START]
    assert clock.waits == [60, 60, 30]
    assert [
        re.findall(r"YNAB answers 429.*, (\d+) minutes left", line) for line in caplog.messages
    ] == [
        ["3"],
        ["2"],
        ["1"],
    ]
