"""What changed since a bookmark, asked of one address of YNAB; each counts for itself.

Between `client`, which asks, and `sync` and `export`, which say what for.
"""

from __future__ import annotations

import logging
import typing as t
from contextlib import ExitStack

from tap_ynab.errors import BadRequestError, YNABError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Record

    from tap_ynab.response import Response

    #: Asks one address, with what is known of it.
    Ask = Callable[[int | None], Response]

logger = logging.getLogger("tap-ynab.delta")


class Answer(t.Protocol):
    """What brings rows of a budget: a response, or several that stand for one."""

    @property
    def server_knowledge(self) -> int | None:
        """YNAB's counter when it was made."""

    @property
    def month(self) -> str:
        """First day of the month, in UTC, when it was made."""

    def rows(self, path: str) -> Iterator[Record]:
        """Objects of the list at `path`."""

    def close(self) -> None:
        """It is read."""


A = t.TypeVar("A", bound=Answer)


def changes(ask: Ask, known: int | None) -> list[Response]:
    """What changed since `known`, or all with None.

    With 0, which stands for no knowledge of this address, and where YNAB's counter has gone back:
    all that was deleted, and all that is there. Only deltas hold what was deleted, and since 0
    that is all that ever was.

    Raises:
        YNABError: YNAB refuses, or does not say how far its answer goes.
    """
    try:
        response = ask(known)
    except BadRequestError as error:
        if not known:
            raise
        logger.info("YNAB refuses what it is asked for: %s. Reading all rows.", error)
        return _all(ask(0), ask)
    if response.server_knowledge is None:
        response.close()
        raise YNABError("YNAB's answer has no server_knowledge. Please report this.")
    if known is None or 0 < known <= response.server_knowledge:
        return [response]
    if known:
        logger.info("YNAB's counter went back to %d. Reading all rows.", response.server_knowledge)
        response.close()
        response = ask(0)
    return _all(response, ask)


def _all(deleted: Response, ask: Ask) -> list[Response]:
    """What was ever deleted, and what is there."""
    try:
        return [deleted, ask(None)]
    except BaseException:
        deleted.close()
        raise


class Shared(t.Generic[A]):
    """Answers of one address that several streams read: each is asked for once, when needed.

    Streams whose bookmarks differ read what changed since the oldest one. What is read in full is
    no substitute: it does not show what was deleted.
    """

    def __init__(
        self, ask: Callable[[int | None], Sequence[A]], known: Iterable[int | None]
    ) -> None:
        """Ask for nothing yet.

        Args:
            ask: Brings what changed since some knowledge.
            known: What each of the streams knows.
        """
        self._ask = ask
        self._oldest = min((value for value in known if value is not None), default=None)
        self._answers: dict[int | None, Sequence[A]] = {}

    def since(self, known: int | None) -> Sequence[A]:
        """Answers for a stream that knows this."""
        point = known
        if known is not None and self._oldest is not None:
            point = min(known, self._oldest)
        if point not in self._answers:
            self._answers[point] = self._ask(point)
        found = self._answers[point]
        # The oldest is not: another stream has read all since YNAB's counter went back.
        is_back = known and len(found) == 1 and (found[0].server_knowledge or 0) < known
        return self.since(0) if is_back else found

    def close(self) -> None:
        """No stream reads them any more."""
        with ExitStack() as stack:
            for answers in self._answers.values():
                for answer in answers:
                    stack.callback(answer.close)
