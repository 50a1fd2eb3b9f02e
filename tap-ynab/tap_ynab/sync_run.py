"""One run of the tap: what its streams share, and which partitions are done, failed or left.

A partition is one stream of one budget. Between `tap`, which starts the run, and `base`, whose
streams report here.
"""

from __future__ import annotations

import logging
import typing as t
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property, partial
from time import monotonic

from tap_ynab.account import Account
from tap_ynab.budget import BudgetReader, Reading
from tap_ynab.budget_api import BudgetAPI
from tap_ynab.client import YNABClient
from tap_ynab.errors import AccountError, IncompleteError, LimitError
from tap_ynab.feeds import ExportUse
from tap_ynab.rate_limit import HourlyLimit
from tap_ynab.report import Report
from tap_ynab.settings import listed
from tap_ynab.state import Bookmark, RunState, count

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_ynab.feeds import Feed
    from tap_ynab.response import Response
    from tap_ynab.state import Partitions

logger = logging.getLogger("tap_ynab")

PROGRESS_SECONDS = 10


@dataclass(frozen=True)
class SelectedStream:
    """A stream that the catalog selects.

    Attributes:
        name: Its name.
        feed: How it is read; None if it is not read budget by budget.
        is_incremental: Whether it continues from its bookmarks; not in a full refresh.
        wants_formatted: Whether columns are selected that the plan export lacks.
    """

    name: str
    feed: Feed | None
    is_incremental: bool
    wants_formatted: bool


class SyncRun:
    """A run, with the account that it reads and the state that it leaves."""

    def __init__(
        self,
        config: Mapping[str, t.Any],
        state: dict[str, t.Any],
        selected: Callable[[], list[SelectedStream]],
    ) -> None:
        """Prepare a run; nothing is requested yet.

        Args:
            config: The tap's settings.
            state: The tap's state, changed in place.
            selected: Returns the selected streams, once the catalog is known.
        """
        self.config = config
        self.state = RunState(state)
        self._selected = selected
        self.report = Report()
        self._progress_at = monotonic()
        self._readers: dict[str, BudgetReader] = {}
        self._open = ExitStack()
        self._done: set[tuple[str, str]] = set()
        self._only: set[tuple[str, str]] | None = None
        #: Streams that could not be read, by budget and error.
        self._errors: dict[str, dict[str, list[str]]] = {}
        self._end: AccountError | None = None
        #: Whether the run was ever restricted to some partitions: no stream is read in one go.
        self.is_restricted = False

    def close(self) -> None:
        """Close all responses."""
        self._open.close()

    # The account

    @cached_property
    def client(self) -> YNABClient:
        """Connection to YNAB."""
        return YNABClient(
            api_url=self.config["api_url"],
            access_token=str(self.config["access_token"]).strip(),
            user_agent=self.config.get("user_agent"),
            request_timeout=float(self.config["request_timeout"]),
            max_retry_time=float(self.config["max_retry_time"]),
            limit=HourlyLimit(
                self.config["requests_per_hour"],
                waits=self.config["wait_for_limit"],
                sent=self.state.requests,
                before_wait=self.note_left_partitions,
            ),
        )

    @cached_property
    def account(self) -> Account:
        """The budgets that the token sees."""
        return Account(self.client, listed(self.config.get("budget_ids")))

    def reader(self, budget_id: str) -> BudgetReader:
        """Return the reader of a budget, the same for all streams."""
        if budget_id not in self._readers:
            budget = self.account.budget(budget_id)
            reader = BudgetReader(
                budget_id,
                BudgetAPI(partial(self._get, budget_id), budget, self.config["since_date"]),
                {
                    each.name: self._reading(each, each.feed, budget_id)
                    for each in self._selected()
                    if each.feed
                },
                self.state,
            )
            self._readers[budget_id] = self._open.enter_context(closing(reader))
        return self._readers[budget_id]

    def _get(
        self, budget_id: str, path: str, tries: int | None = None, **params: str | int | None
    ) -> Response:
        before = self.client.requests
        try:
            return self.client.get(path, tries, **params)
        finally:
            self.report.of(budget_id).requests += self.client.requests - before

    def _reading(self, stream: SelectedStream, feed: Feed, budget_id: str) -> Reading:
        bookmark = Bookmark(
            self.state.entry(stream.name, budget_id),
            feed,
            label=f"{stream.name} of {self.account.label(budget_id)}",
            since_date=self.config["since_date"],
            is_full_refresh=feed.is_delta and not stream.is_incremental,
        )
        return Reading(feed, bookmark, stream.name in self._in_export)

    @cached_property
    def _in_export(self) -> set[str]:
        """Names of the streams that read the plan export: if that takes fewer requests."""
        feeds = {each.name: each.feed for each in self._selected() if each.feed}
        formatted = {each.name for each in self._selected() if each.wants_formatted}
        has_rows = {
            name
            for name, feed in feeds.items()
            if feed.export is ExportUse.CHANGES
            or (feed.export is ExportUse.ROWS and name not in formatted)
        }
        needing = {name for name, feed in feeds.items() if feed.is_only_in_export}
        saves_requests = len({feeds[name].path for name in has_rows}) > 1
        if not (self.config["use_export"] and saves_requests):
            return needing
        counters = {name for name, feed in feeds.items() if feed.export is ExportUse.COUNTER}
        return has_rows | counters | needing

    def budgets_in_full(self, stream: str, *, marks_rows: bool) -> set[str]:
        """Return the budgets of which this run reads all rows of a stream, not only changes.

        Args:
            stream: Its name.
            marks_rows: Whether to read all budgets if one has lost rows: only a version of all
                rows has the loader mark those that are gone.
        """
        due = [one for one in self.account.budget_ids if self.is_due(stream, one)]
        found = {one for one in due if self.reader(one).reads_in_full(stream)}
        if found and not self.is_restricted and len(found) < len(self.account.budget_ids):
            # No version of all rows will have the loader mark those that were deleted before, as
            # is needed after a full refresh that was killed.
            for one in found:
                self.reader(one).want_deletions(stream)
        has_lost_rows = any(self.reader(one).has_lost_rows(stream) for one in found)
        return set(due) if marks_rows and has_lost_rows else found

    def forget_vanished_budgets(self) -> None:
        """Report, once, budgets that were synced before and that the token sees no longer."""
        if not self.account.all_budgets:
            return
        seen = [budget["id"] for budget in self.account.all_budgets]
        for budget_id in self.state.forget_other_budgets(seen):
            logger.warning(
                "Budget %s is no longer in this account. Its rows stay as they are until a full "
                "refresh marks them.",
                budget_id,
            )

    # Partitions

    def restrict(self, partitions: Partitions | None) -> None:
        """Restrict the run to these partitions; with None, to all that are not done."""
        self._only = None
        if partitions is not None:
            self.is_restricted = True
            self._only = {(name, one) for name, budgets in partitions.items() for one in budgets}

    def is_due(self, stream: str, budget_id: str) -> bool:
        """Tell if a partition is to be read now."""
        partition = (stream, budget_id)
        return partition not in self._done and (self._only is None or partition in self._only)

    def check(self) -> None:
        """Make sure that the next partition is worth a try.

        Raises:
            AccountError: The error that ended the run.
        """
        if self._end:
            raise self._end

    def done(self, stream: str, budget_id: str) -> None:
        """Note that a partition is read and its rows are written."""
        self._done.add((stream, budget_id))

    def failed(self, stream: str, budget_id: str, error: Exception, rows: int) -> None:
        """Note that a partition could not be read; the run ends if no other could be read."""
        if isinstance(error, AccountError):
            self._end = error
            return
        reader = self.reader(budget_id)
        reader.api.has_failed = True
        reader.bookmark(stream).log_failure(rows, error)
        self._note_error(budget_id, stream, _without_address(str(error).rstrip(".")))

    def log_progress(self, stream: str, rows: int) -> None:
        """Log rows that are read so far, if there was no line of the kind for ten seconds."""
        if monotonic() < self._progress_at + PROGRESS_SECONDS:
            return
        self._progress_at = monotonic()
        logger.info("%s: %s read so far", stream, count(rows), extra={"progress": True})

    def left_out(self, stream: str, budget_id: str | None) -> None:
        """Note that a row has no id, so that it can't be written."""
        self._note_error(budget_id or "", stream, "a row without an id was left out")

    def _note_error(self, budget_id: str, stream: str, error: str) -> None:
        streams = self._errors.setdefault(budget_id, {}).setdefault(error, [])
        if stream not in streams:
            streams.append(stream)

    def note_left_partitions(self) -> None:
        """Have the next run begin with the partitions that this one may not get to."""
        if self.account.is_known:  # else the wait is for the very first request
            due = {
                each.name: [one for one in self.account.budget_ids if self.is_due(each.name, one)]
                for each in self._selected()
                if each.feed
            }
            self.state.left = {name: budget_ids for name, budget_ids in due.items() if budget_ids}

    @property
    def hit_the_limit(self) -> bool:
        """True if the run ended because it is not to wait for the hourly limit."""
        return isinstance(self._end, LimitError)

    def conclude(self) -> None:
        """End the run.

        Raises:
            AccountError: The error that ended it early.
            IncompleteError: Some partitions could not be read.
        """
        self.check()
        lines = []
        for budget_id in self._errors:
            budget = f"Budget {self.account.label(budget_id)}" if budget_id else "Account"
            lines.append(
                f"{budget}: could not read {self._reasons(budget_id)}. Everything else is "
                "written; run again for the rest."
            )
        if lines:
            raise IncompleteError(lines)

    def _reasons(self, budget_id: str) -> str:
        errors = self._errors.get(budget_id, {})
        return "; ".join(f"{', '.join(streams)} ({error})" for error, streams in errors.items())

    def history(self, end: Exception | None = None) -> list[dict[str, t.Any]]:
        """Return the rows of the stream `syncs`: one for each budget.

        Args:
            end: The error that ended the run before any budget was read.
        """
        if end or not self.account.budgets:
            status, error = ("failed", str(end)) if end else ("succeeded", None)
            return [self.report.row(None, None, status, error)]
        return [self._history_of(budget) for budget in self.account.budget_ids]

    def _history_of(self, budget_id: str) -> dict[str, t.Any]:
        reasons = [f"could not read {found}"] if (found := self._reasons(budget_id)) else []
        if self._end and any(
            each.feed and self.is_due(each.name, budget_id) for each in self._selected()
        ):
            reasons.append(str(self._end))
        status = "failed" if reasons else "succeeded"
        if reasons and self.hit_the_limit and not found:
            status = "incomplete"
        name = self.account.label(budget_id)
        return self.report.row(budget_id, name, status, "; ".join(reasons) or None)

    def log_summary(self) -> None:
        """Log the run in a line."""
        statuses = [row["status"] for row in self.history()]
        logger.info(
            "%s",
            self.report.summary(
                statuses.count("succeeded"), self.account.budget_ids, self.client.requests
            ),
            extra={"summary": True},
        )


def _without_address(error: str) -> str:
    """Return `503 Service Unavailable` of `/payees: 503 Service Unavailable`."""
    return error.partition(": ")[2] if error.startswith(("/", "plan export: ")) else error
