"""How far a run has come: what is done, what failed, and what the next run should begin with.

`sync` reports here, budget by budget and stream by stream.
"""

from __future__ import annotations

import logging
import typing as t

from tap_ynab.errors import AccountError, LimitError, YNABError

if t.TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger("tap-ynab")

#: Streams and their budgets, as in the state of a run that did not get to them.
Parts = dict[str, list[str]]


class Progress:
    """The parts of one run, a part being one stream of one budget."""

    def __init__(self) -> None:
        """Begin a run.

        Attributes:
            is_restricted: Whether the run was ever restricted to some of its parts, so that no
                stream of it is read in one go.
        """
        self._done: set[tuple[str, str]] = set()
        self._only: set[tuple[str, str]] | None = None
        self.is_restricted = False
        self._failures: list[str] = []
        self._end: AccountError | None = None

    def only(self, parts: Parts | None) -> None:
        """Restrict what is due to these parts; with None, again to all that is not done."""
        self._only = None
        if parts is not None:
            self.is_restricted = True
            self._only = {(name, one) for name, budgets in parts.items() for one in budgets}

    def is_due(self, stream: str, budget_id: str) -> bool:
        """Whether a part is to be read now."""
        part = (stream, budget_id)
        return part not in self._done and (self._only is None or part in self._only)

    def check(self) -> None:
        """Make sure that the next part is worth trying.

        Raises:
            AccountError: What ended the run.
        """
        if self._end:
            raise self._end

    def done(self, stream: str, budget_id: str) -> None:
        """A part is read, and its rows are written."""
        self._done.add((stream, budget_id))

    def failed(self, stream: str, budget_id: str, error: Exception) -> None:
        """A part could not be read; where no other one can be either, the rest is left."""
        if isinstance(error, AccountError):
            self._end = error
            return
        logger.error("Budget %s, %s: %s", budget_id, stream, error)
        self._failures.append(f"{stream} of {budget_id}")

    def left_out(self, stream: str, row: dict[str, t.Any]) -> None:
        """A row can't be written; the rest of its part can."""
        logger.error(
            "%s: a row without an id is left out, of budget %s", stream, row.get("budget_id")
        )
        self._failures.append(f"a row of {stream}")

    def has_failed(self, budget_id: str) -> bool:
        """Whether a part of the budget could not be read."""
        return any(failure.endswith(budget_id) for failure in self._failures)

    def left(self, streams: Iterable[str], budgets: Iterable[str]) -> Parts:
        """The parts that are still due."""
        budgets = list(budgets)
        left = {name: [one for one in budgets if self.is_due(name, one)] for name in streams}
        return {name: parts for name, parts in left.items() if parts}

    @property
    def hit_the_limit(self) -> bool:
        """Whether the run ended because it was not to wait for YNAB's next hour."""
        return isinstance(self._end, LimitError)

    def conclude(self) -> None:
        """End the run.

        Raises:
            YNABError: Not all was read.
        """
        self.check()
        if self._failures:
            raise YNABError(
                f"Could not read {', '.join(self._failures)}. All else is done; see the errors "
                "above, and run again."
            )
