"""Accounts are due at the time of a schedule or soon after it, and not all at once."""

from __future__ import annotations

import pytest

from orchestrate.spread import is_due, spread

SPREAD = {
    "0 */4 * * *": "0,5,10,15,20,25 */4 * * *",
    "34 3 * * *": "34,39,44,49,54,59 3 * * *",
    # Minutes of the next hour would need another hour, perhaps another day.
    "35 3 * * *": "35,40,45,50,55 3 * * *",
    "45 23 * * 0": "45,50,55 23 * * 0",
    "59 3 * * *": "59 3 * * *",
}
ACCOUNTS = [f"account_{number}" for number in range(600)]


@pytest.mark.parametrize("interval", SPREAD)
def test_minutes(interval: str) -> None:
    assert spread(interval) == SPREAD[interval]


@pytest.mark.parametrize("interval", SPREAD)
def test_each_account_is_due_once_and_in_each_minute_one_is(interval: str) -> None:
    minutes = map(int, spread(interval).split()[0].split(","))
    due = [[name for name in ACCOUNTS if is_due(name, interval, minute)] for minute in minutes]
    assert all(due)
    assert sorted(name for names in due for name in names) == sorted(ACCOUNTS)


@pytest.mark.parametrize("interval", ["*/5 * * * *", "15,45 * * * *"])
def test_an_interval_with_several_minutes_is_not_spread(interval: str) -> None:
    assert spread(interval) == interval
    assert all(is_due(account, interval, 15) for account in ACCOUNTS)
