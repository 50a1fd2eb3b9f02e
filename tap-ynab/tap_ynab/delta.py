"""Requests for what changed since a bookmark.

YNAB counts the changes of a budget, but each address has a counter of its own: with that of another
one, changes would be skipped. Between `budget_api`, which builds the requests, and `budget`.
"""

from __future__ import annotations

import logging
import typing as t
from contextlib import ExitStack

from tap_ynab.errors import BadRequestError, YNABError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_ynab.response import Response

    #: Requests one address, with `last_knowledge_of_server` if it is not None.
    Request = Callable[[int | None], Response]

R = t.TypeVar("R", bound="Response")

logger = logging.getLogger("tap_ynab.delta")


def fetch_delta(request: Request, since: int | None) -> list[Response]:
    """Return the response with what changed since a counter, or with all rows if it is None.

    If `since` is 0, or newer than YNAB's counter, return two responses: the delta since 0, which
    has all deletions, and the list in full, which has none. A counter goes back if YNAB restores
    a budget.

    Raises:
        YNABError: YNAB refuses, or sends no server_knowledge.
    """
    try:
        response = request(since)
    except BadRequestError as error:
        if not since:
            raise
        logger.info("YNAB refuses the delta: %s. Reading all rows.", error)
        return _all(request(0), request)
    if response.server_knowledge is None:
        response.close()
        raise YNABError("YNAB's answer has no server_knowledge. Please report this.")
    if since is None or 0 < since <= response.server_knowledge:
        return [response]
    if since:
        logger.info("YNAB's counter went back to %d. Reading all rows.", response.server_knowledge)
        response.close()
        response = request(0)
    return _all(response, request)


def _all(deletions: Response, request: Request) -> list[Response]:
    try:
        return [deletions, request(None)]
    except BaseException:
        deletions.close()
        raise


class SharedDelta(t.Generic[R]):
    """Responses of one address that several streams read, each requested once.

    Streams with different bookmarks share the delta since the oldest one. A list in full can't
    replace a delta: it does not show what was deleted.
    """

    def __init__(
        self,
        request: Callable[[int | None], Sequence[R]],
        bookmarks: Sequence[int | None],
    ) -> None:
        """Request nothing yet.

        Args:
            request: Requests what changed since a counter.
            bookmarks: The counter of each stream that reads them.
        """
        self._request = request
        #: The oldest of the bookmarks; None if there is none.
        self.oldest = min((value for value in bookmarks if value is not None), default=None)
        self._responses: dict[int | None, Sequence[R]] = {}

    def since(self, bookmark: int | None) -> Sequence[R]:
        """Return the responses for a stream with this bookmark."""
        since = bookmark
        if bookmark is not None and self.oldest is not None:
            since = min(bookmark, self.oldest)
        if since not in self._responses:
            self._responses[since] = self._request(since)
        found = self._responses[since]
        # The counter may have gone back to between the bookmarks of two streams.
        went_back = bookmark and len(found) == 1 and (found[0].server_knowledge or 0) < bookmark
        return self.since(0) if went_back else found

    def close(self) -> None:
        """Close the responses."""
        with ExitStack() as stack:
            for responses in self._responses.values():
                for response in responses:
                    stack.callback(response.close)
