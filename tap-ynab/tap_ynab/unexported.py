"""Lists that the plan export lacks, and that YNAB only sends in full: money movements.

Between `budget_api`, which requests them, and `budget`, which decides when.
"""

from __future__ import annotations

import typing as t
from contextlib import ExitStack, closing
from hashlib import blake2b

from tap_ynab.errors import TransientError, YNABError
from tap_ynab.records import is_date_time

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Record

    from tap_ynab.budget_api import BudgetAPI
    from tap_ynab.feeds import Feed
    from tap_ynab.response import Response
    from tap_ynab.state import Bookmark

#: Bytes of the hash of ids.
SIZE = 9


class UnexportedLists:
    """The unexported lists of one budget, each requested once."""

    def __init__(self, api: BudgetAPI) -> None:
        """Request nothing yet."""
        self._api = api
        self._responses: dict[str, Response] = {}
        self._open = ExitStack()

    def close(self) -> None:
        """Close the responses."""
        self._open.close()

    def response(self, feed: Feed) -> Response:
        """Return the response with a list."""
        if feed.path not in self._responses:
            [response] = self._api.fetch_all(feed)
            self._responses[feed.path] = self._open.enter_context(closing(response))
        return self._responses[feed.path]

    def counter(self, feed: Feed) -> int | None:
        """Return YNAB's counter at the time of a list; None if the list can't be read."""
        try:
            return self.response(feed).server_knowledge
        except (YNABError, TransientError):
            return None

    def has_lost_rows(self, feed: Feed, bookmark: Bookmark) -> bool:
        """Tell if a list lacks rows that it had in the last run: they were deleted."""
        before = bookmark.fingerprint
        if not feed.created or before is None:
            return False
        try:
            rows = self.response(feed).rows(feed.rows)
            return before != fingerprint(rows, feed.created, until=before[0])
        except (YNABError, TransientError):
            return False  # reading the rows will raise it

    def remember(self, feed: Feed, bookmark: Bookmark) -> None:
        """Note which rows a list has."""
        bookmark.fingerprint = fingerprint(self.response(feed).rows(feed.rows), feed.created)


def fingerprint(rows: Iterable[Record], created: str, until: str | None = None) -> list[str]:
    """Return a fingerprint of the ids in a list, to tell later if one is missing.

    Args:
        rows: The rows.
        created: Column with the time at which a row was made.
        until: The last such time to look at; that of the newest row if None.

    Returns:
        The last time, and a hash of the ids of all rows until then.
    """
    last, total = until or "", 0
    for row in rows:
        created_at = row.get(created)
        time = created_at if is_date_time(created_at) else ""
        if until is None or time <= until:
            last = max(last, time)
            identity = str(row.get("id")).encode()
            # A sum, as the order does not matter and not all ids fit into memory.
            total += int.from_bytes(blake2b(identity, digest_size=SIZE).digest(), "big")
    return [last, f"{total % (1 << 8 * SIZE):0{2 * SIZE}x}"]
