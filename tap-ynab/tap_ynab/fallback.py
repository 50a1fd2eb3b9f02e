"""What is asked instead where YNAB, which gives up after 30 seconds, does not manage an answer.

Between `client`, which asks, and the two streams whose answers can be that large.
"""

from __future__ import annotations

import logging
import typing as t
from contextlib import ExitStack, closing
from datetime import date, timedelta

from tap_ynab.delta import changes
from tap_ynab.errors import TransientError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.helpers.types import Record

    from tap_ynab.client import YNABClient
    from tap_ynab.response import Response

logger = logging.getLogger("tap-ynab.fallback")

#: How often to try the large request: with half a minute each, more would only cost the hour.
TRIES = 2
SHORTEST_SLICE = timedelta(days=31)


def by_date(
    ask: Callable[..., Response], since: date, until: date | None, *, first: date, last: date
) -> list[Response]:
    """Answers that hold the transactions of some time, halved until YNAB manages each.

    Args:
        ask: Asks for the transactions between `since_date` and `until_date`.
        since: The first day.
        until: The last day; None for all that is later.
        first: A day before which there are hardly any.
        last: A day after which there are hardly any.

    Raises:
        TransientError: Not even a month's transactions come.
    """
    try:
        dates = {"since_date": since.isoformat(), "until_date": until and until.isoformat()}
        return [ask(tries=TRIES, **dates)]
    except TransientError as error:
        begin, end = max(since, first), until or last
        if end - begin < SHORTEST_SLICE:
            raise
        middle = begin + (end - begin) / 2
        logger.warning("%s. Asking for the dates until %s, then for those after.", error, middle)
    earlier = by_date(ask, since, middle, first=first, last=last)
    with ExitStack() as stack:
        for response in earlier:
            stack.callback(response.close)
        later = by_date(ask, middle + timedelta(days=1), until, first=first, last=last)
        stack.pop_all()
    return earlier + later


class MonthByMonth:
    """The categories of each month, one request a month, in the place of the plan export.

    Of months from the first one that changed on: a balance carries over into all that follow.

    Attributes:
        server_knowledge: That of the list of months, which only the next such list may be asked
            with.
    """

    def __init__(self, client: YNABClient, budget_id: str, known: int | None) -> None:
        """Ask which months changed.

        Args:
            client: Asks.
            budget_id: The budget.
            known: Knowledge of the last such list, or None for all months.
        """
        self._client = client
        self._path = f"/plans/{budget_id}/months"
        answers = changes(lambda n: client.get(self._path, last_knowledge_of_server=n), known)
        with ExitStack() as stack:
            for answer in answers:
                stack.callback(answer.close)
            self.server_knowledge = min(answer.server_knowledge or 0 for answer in answers)
            self.month = answers[0].month
            months = [row["month"] for answer in answers for row in answer.rows("months")]
            self._first = min(months, default=None)

    def rows(self, path: str) -> Iterator[Record]:  # noqa: ARG002 there is one list
        """Months with their categories."""
        if self._first is None:
            return
        with closing(self._client.get(self._path)) as response:
            months = sorted(row["month"] for row in response.rows("months"))
        for month in months:
            if month >= self._first:
                with closing(self._client.get(f"{self._path}/{month}")) as response:
                    yield response.object("month")

    def close(self) -> None:
        """Nothing is kept."""
