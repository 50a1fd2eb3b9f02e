"""Smaller requests instead of one that YNAB, which gives up after 30 seconds, can't answer.

Between `budget_api`, which builds the requests, and `client`.
"""

from __future__ import annotations

import logging
import typing as t
from contextlib import ExitStack, closing
from datetime import date, timedelta

from tap_ynab.delta import fetch_delta
from tap_ynab.errors import TransientError, YNABError
from tap_ynab.records import is_date

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_ynab.response import Response

logger = logging.getLogger("tap_ynab.slices")

SHORTEST_SLICE = timedelta(days=31)


def by_date(
    request: Callable[[date, date | None], Response],
    since: date,
    until: date | None,
    *,
    first: date,
    last: date,
) -> list[Response]:
    """Return responses that hold all transactions, halving the dates until YNAB answers.

    Args:
        request: Requests the transactions between two dates.
        since: The first date.
        until: The last date; None for no end.
        first: Date of the first month of the budget; older transactions are rare.
        last: Date of the last month of the budget; newer transactions are rare.

    Raises:
        TransientError: Not even a month's transactions come.
    """
    try:
        return [request(since, until)]
    except TransientError as error:
        begin, end = max(since, first), until or last
        if end - begin < SHORTEST_SLICE:
            raise
        middle = begin + (end - begin) / 2
        logger.warning("%s. Requesting the dates until %s, then the rest.", error, middle)
    earlier = by_date(request, since, middle, first=first, last=last)
    with ExitStack() as stack:
        for response in earlier:
            stack.callback(response.close)
        later = by_date(request, middle + timedelta(days=1), until, first=first, last=last)
        stack.pop_all()
    return earlier + later


class MonthByMonth:
    """The categories of each month, one request a month, instead of the plan export.

    Starts at the first month that changed: a balance carries over into all months after it.

    Attributes:
        server_knowledge: Counter of the list of months, for the next request of that list.
        month: First day of the server's current month (UTC).
    """

    def __init__(self, get: Callable[..., Response], path: str, since: int | None) -> None:
        """Request the months that changed.

        Args:
            get: Sends a GET request.
            path: Address of the list of months.
            since: Counter of the last such list; None for all months.
        """
        self._get = get
        self._path = path
        responses = fetch_delta(lambda since: get(path, last_knowledge_of_server=since), since)
        with ExitStack() as stack:
            for response in responses:
                stack.callback(response.close)
            self.server_knowledge = min(each.server_knowledge or 0 for each in responses)
            self.month = responses[0].month
            months = (month for each in responses for month in _months(each))
            self._first = min(months, default=None)

    def rows(self) -> Iterator[Record]:
        """Yield months with their categories, each to be read before the next."""
        if self._first is None:
            return
        with closing(self._get(self._path)) as response:
            months = sorted(set(_months(response)))
        for month in months:
            if month >= self._first:
                with closing(self._get(f"{self._path}/{month}")) as response:
                    yield {"month": month, "categories": response.rows("month.categories")}


def _months(response: Response) -> Iterator[str]:
    for row in response.rows("months"):
        if not is_date(month := row.get("month")) or not month.endswith("-01"):
            raise YNABError("YNAB's list of months holds one without its date. Check api_url.")
        yield month
