"""Smaller requests hold the same rows as the one that YNAB can't answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_ynab.errors import TransientError, YNABError
from tap_ynab.slices import MonthByMonth, by_date

from tests.tap.unit.responses import is_closed, of_data

if TYPE_CHECKING:
    from tap_ynab.response import Response

DAY = timedelta(days=1)
FIRST, LAST = date(2019, 3, 1), date(2026, 11, 1)


@dataclass
class Slow:
    """Answers for so many days at once; an open end counts as the last date."""

    days: int
    first: date = FIRST
    last: date = LAST
    refused: date | None = None
    requested: int = 0
    answered: list[tuple[date, date | None, Response]] = field(default_factory=list)

    def request(self, since: date, until: date | None) -> Response:
        self.requested += 1
        end = until or self.last
        if (end - max(since, self.first)).days > self.days or (
            self.refused and since <= self.refused <= end
        ):
            raise TransientError("504")
        response = of_data(transactions=[])
        self.answered.append((since, until, response))
        return response

    def read(self, since: date) -> list[Response]:
        return by_date(self.request, since, None, first=self.first, last=self.last)


@settings(max_examples=60, deadline=None)
@given(
    days=st.sampled_from([31, 32, 45, 400, 4000]),
    since=st.dates(date(1970, 1, 1), date(2030, 1, 1)),
    first=st.dates(date(2000, 1, 1), date(2026, 1, 1)),
    length=st.integers(0, 4000),
)
def test_slices_hold_each_day_once(days: int, since: date, first: date, length: int) -> None:
    slow = Slow(days, first, first + timedelta(days=length))
    responses = slow.read(since)
    assert [response for _, _, response in slow.answered] == responses
    assert slow.answered[0][0] == since
    assert slow.answered[-1][1] is None
    for (_, until, _), (following, _, _) in pairwise(slow.answered):
        assert until is not None
        assert following == until + DAY


def test_one_request_is_enough_if_ynab_answers() -> None:
    slow = Slow(days=10_000)
    assert len(slow.read(date(1970, 1, 1))) == slow.requested == 1


def test_years_without_transactions_take_no_requests() -> None:
    """The dates are halved between the first and the last month of the budget."""
    slow = Slow(days=1500)
    slow.read(date(1970, 1, 1))
    assert slow.requested == 3
    middle = FIRST + (LAST - FIRST) / 2
    assert [(since, until) for since, until, _ in slow.answered] == [
        (date(1970, 1, 1), middle),
        (middle + DAY, None),
    ]


def test_a_month_that_does_not_come_is_an_error_and_nothing_stays_open() -> None:
    slow = Slow(days=400, refused=date(2026, 10, 15))
    with pytest.raises(TransientError, match="504"):
        slow.read(FIRST)
    assert slow.answered
    assert all(is_closed(response) for _, _, response in slow.answered)


# Month by month

MONTHS = ["2026-09-01", "2026-10-01", "2026-11-01", "2026-12-01"]


@dataclass
class Months:
    """The list of months, of which some changed, and each month."""

    changed: list[str]
    counter: int = 10
    requested: list[tuple[str, int | None]] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def get(self, path: str, last_knowledge_of_server: int | None = None) -> Response:
        self.requested.append((path, last_knowledge_of_server))
        if path == "/months":
            months = MONTHS if last_knowledge_of_server is None else self.changed
            # YNAB's order is not that of time.
            rows = [{"month": month} for month in reversed(months)]
            data: dict[str, Any] = {"months": rows, "server_knowledge": self.counter}
        else:
            data = {"month": {"month": path.removeprefix("/months/"), "categories": [{"id": "c"}]}}
        self.responses.append(of_data(**data))
        return self.responses[-1]


@pytest.mark.parametrize(
    ("since", "changed", "read"),
    [
        (None, [], MONTHS),
        (7, ["2026-11-01"], MONTHS[2:]),
        (7, ["2026-12-01", "2026-10-01"], MONTHS[1:]),
        (7, ["2026-08-01"], MONTHS),
        (7, [], []),
        # Never asked before, and a counter that went back.
        (0, [], MONTHS),
        (12, [], MONTHS),
    ],
)
def test_months_are_read_from_the_first_that_changed(
    since: int | None, changed: list[str], read: list[str]
) -> None:
    source = Months(changed)
    months = MonthByMonth(source.get, "/months", since)
    rows = [(row["month"], list(row["categories"])) for row in months.rows()]
    assert rows == [(month, [{"id": "c"}]) for month in read]
    assert [path for path, _ in source.requested if path != "/months"] == [
        f"/months/{m}" for m in read
    ]
    assert (months.server_knowledge, months.month) == (10, "2026-11-01")
    assert all(map(is_closed, source.responses))


def test_months_that_do_not_come_are_an_error_and_nothing_stays_open() -> None:
    response = of_data(server_knowledge=10)
    with pytest.raises(YNABError, match="no list of months"):
        MonthByMonth(lambda _path, **_params: response, "/months", None)
    assert is_closed(response)


def test_a_month_without_its_object_is_an_error() -> None:
    def get(path: str, last_knowledge_of_server: int | None = None) -> Response:
        assert last_knowledge_of_server is None
        rows = [{"month": month} for month in MONTHS]
        return of_data(months=rows, server_knowledge=10) if path == "/months" else of_data()

    months = MonthByMonth(get, "/months", None)
    rows = months.rows()
    first = next(rows)
    with pytest.raises(YNABError, match=r"no list of month\.categories"):
        list(first["categories"])


@pytest.mark.parametrize("month", [None, 5, "current", "../../user", "2026-11-02", "2026-13-01"])
def test_a_month_that_is_no_month_is_an_error_and_nothing_stays_open(month: object) -> None:
    response = of_data(months=[{"month": "2026-11-01"}, {"month": month}], server_knowledge=10)
    with pytest.raises(YNABError, match="without its date"):
        MonthByMonth(lambda _path, **_params: response, "/months", None)
    assert is_closed(response)
