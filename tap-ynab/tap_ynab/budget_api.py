"""Requests for one budget: addresses, dates, and how often each is tried.

Between `client`, which sends them, and `budget`, which decides what to request.
"""

from __future__ import annotations

import typing as t
from datetime import date

from tap_ynab.delta import fetch_delta
from tap_ynab.records import is_date
from tap_ynab.slices import MonthByMonth, by_date

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_ynab.feeds import Feed
    from tap_ynab.response import Response

#: `since_date` for all transactions there are.
BEGINNING = "1970-01-01"
#: Tries of a request that smaller ones can replace: each may take YNAB half a minute.
TRIES_IF_REPLACEABLE = 2


class BudgetAPI:
    """The API of one budget.

    Attributes:
        has_failed: Whether a request failed for good, so that nothing is tried twice any more.
    """

    def __init__(
        self, get: Callable[..., Response], budget: Mapping[str, t.Any], since_date: str
    ) -> None:
        """Request nothing yet.

        Args:
            get: Sends a GET request, as `YNABClient.get` does.
            budget: The budget, as YNAB lists it.
            since_date: Date of the oldest transactions that are wanted.
        """
        self.has_failed = False
        self._get = get
        self._budget = budget
        self._path = f"/plans/{budget['id']}"
        self._since_date = since_date

    def fetch_export(self, since: int | None) -> list[Response]:
        """Return what changed in the budget since a counter, or all of it."""
        return fetch_delta(lambda since: self._request("", since, is_replaceable=True), since)

    def fetch_delta(self, feed: Feed, since: int | None) -> list[Response]:
        """Return what changed in a list since a counter, or all of it."""
        dates = {"since_date": self._since_date} if feed.is_dated else {}
        return fetch_delta(lambda since: self._request(feed.path, since, dates=dates), since)

    def fetch_all(self, feed: Feed) -> list[Response]:
        """Return a list in full, in slices if YNAB can't answer at once."""
        if not feed.is_dated:
            return [self._request(feed.path)]
        first, last = (
            date.fromisoformat(found if found is not None and is_date(found) else BEGINNING)
            for found in (self._budget.get("first_month"), self._budget.get("last_month"))
        )

        def request(since: date, until: date | None) -> Response:
            end = until.isoformat() if until else None
            dates = {"since_date": since.isoformat(), "until_date": end}
            return self._request(feed.path, is_replaceable=True, dates=dates)

        since = date.fromisoformat(self._since_date)
        return by_date(request, since, None, first=first, last=last)

    def fetch_months(self, since: int | None) -> MonthByMonth:
        """Return the months that changed, one request each."""
        return MonthByMonth(self._send, f"{self._path}/months", since)

    def require_budget(self) -> None:
        """Make sure that the budget exists: YNAB answers 404 for a list that it never had.

        Raises:
            NotFoundError: The budget is gone.
        """
        self._get(f"{self._path}/settings").close()

    def _request(
        self,
        path: str,
        since: int | None = None,
        *,
        is_replaceable: bool = False,
        dates: Mapping[str, str | None] | None = None,
    ) -> Response:
        tries = TRIES_IF_REPLACEABLE if is_replaceable else None
        address = f"{self._path}{path}"
        return self._send(address, tries, last_knowledge_of_server=since, **dates or {})

    def _send(self, path: str, tries: int | None = None, **params: str | int | None) -> Response:
        return self._get(path, 1 if self.has_failed else tries, **params)
