"""Reads one budget: from its plan export if that saves requests, or else list by list.

Between `budget_api`, which sends requests, and `base`, which makes records of the rows. This module
decides what to request, according to the feed of each stream.
"""

from __future__ import annotations

import logging
import typing as t
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass

from tap_ynab.delta import SharedDelta
from tap_ynab.errors import AccountError, NotFoundError, TransientError, YNABError
from tap_ynab.export import Export
from tap_ynab.feeds import ENDPOINT, EXPORT, Batch, ExportUse
from tap_ynab.records import is_date, is_id
from tap_ynab.renames import NAMED, Names, refers_to
from tap_ynab.unexported import UnexportedLists

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Record

    from tap_ynab.budget_api import BudgetAPI
    from tap_ynab.feeds import Feed
    from tap_ynab.response import Response
    from tap_ynab.state import Bookmark, RunState

logger = logging.getLogger("tap_ynab.budget")

#: Later than any date.
NEVER = "9999-12-31"


@dataclass
class Reading:
    """A stream to read from the budget.

    Attributes:
        feed: How it is read.
        bookmark: How far it was read.
        in_export: Whether the export is read for this stream.
        wants_deletions: Whether to read deletions, too, if all rows are read.
    """

    feed: Feed
    bookmark: Bookmark
    in_export: bool
    wants_deletions: bool = False

    def since(self, source: str) -> int | None:
        """Return the server_knowledge to send: None for all rows, 0 for all deletions as well."""
        since = self.bookmark.since(source)
        return 0 if since is None and self.wants_deletions and self.feed.is_delta else since


class BudgetReader:
    """The streams of one budget, each read once in a run.

    Attributes:
        api: Sends its requests.
    """

    def __init__(
        self,
        budget_id: str,
        api: BudgetAPI,
        readings: Mapping[str, Reading],
        state: RunState,
    ) -> None:
        """Prepare to read; nothing is requested yet.

        Args:
            budget_id: The budget.
            api: Sends its requests.
            readings: The selected streams by name.
            state: Keeps the names of payees, categories and accounts.
        """
        self.api = api
        self._id = budget_id
        self._readings = readings
        self._state = state
        self._names = Names(state.names.get(budget_id, ""))
        self._is_delta_run = any(
            each.feed.is_delta and each.bookmark.since(EXPORT) is not None
            for each in readings.values()
        )
        self._export: SharedDelta[Export] | None = None
        self._export_fails = False
        self._lists: dict[str, SharedDelta[Response]] = {}
        self._open = ExitStack()
        self._unexported = self._open.enter_context(closing(UnexportedLists(api)))

    def close(self) -> None:
        """Close all responses."""
        self._open.close()

    def reads_in_full(self, name: str) -> bool:
        """Tell if `read` brings all rows of a stream, not just what changed."""
        reading = self._readings[name]
        if reading.feed.export is ExportUse.COUNTER:
            return not self._is_delta_run or self._budget_changed(reading)
        if reading.feed.is_delta:
            return reading.bookmark.since(EXPORT) is None
        return self._since(reading) is None or not self._exports(reading)

    def read(self, name: str) -> Iterator[Batch]:
        """Yield the rows of a stream, by response.

        Raises:
            YNABError: They can't be read.
            TransientError: YNAB did not answer.
        """
        reading = self._readings[name]
        feed, bookmark = reading.feed, reading.bookmark
        was_read = bookmark.since(EXPORT) is not None
        exports = self._exports(reading)
        if feed.export is ExportUse.COUNTER:
            batches = self._read_unexported(feed, exports)
        elif feed.export is ExportUse.ROWS and exports:
            batches = (self._of_export(feed, export) for export in exports)
        elif feed.is_only_in_export:
            batches = self._read_months(reading)
        else:
            batches = self._read_list(reading, exports)
        month = bookmark.month
        for number, batch in enumerate(batches):
            month = batch.month if number == 0 else month
            yield batch
        if was_read and feed.is_monthly and month != bookmark.month:
            yield from self._read_again(feed)
        if was_read and feed.export is ExportUse.CHANGES and bookmark.renamed:
            with suppress(NotFoundError):
                yield from self._read_again(feed, referring_to={*bookmark.renamed})

    def has_lost_rows(self, name: str) -> bool:
        """Tell if a list lacks rows that it had in the last run: they were deleted."""
        reading = self._readings[name]
        return self._unexported.has_lost_rows(reading.feed, reading.bookmark)

    def commit(self, name: str, batches: Sequence[Batch], rows: int) -> None:
        """Move the bookmark of a stream past batches whose rows are all written."""
        reading = self._readings[name]
        if reading.feed.created and batches:
            self._unexported.remember(reading.feed, reading.bookmark)
        reading.bookmark.commit(batches, rows)

    def want_deletions(self, name: str) -> None:
        """Read a stream with all its deletions, if all its rows are read."""
        self._readings[name].wants_deletions = True

    def bookmark(self, name: str) -> Bookmark:
        """Return the bookmark of a stream."""
        return self._readings[name].bookmark

    # The export

    def _since(self, reading: Reading) -> int | None:
        """Return the counter to ask the export with; None for all rows."""
        return reading.since(EXPORT) if reading.feed.is_delta or self._is_delta_run else None

    def _exports(self, reading: Reading) -> Sequence[Export]:
        """Return the export since a stream's bookmark, or nothing if it is not used or fails.

        There are two if deletions are read as well: all changes since 0, then the whole budget.
        """
        if not reading.in_export or self._export_fails:
            return ()
        if self._export is None:
            readers = [
                self._since(each)
                for each in self._readings.values()
                if each.in_export
                and each.feed.export is not ExportUse.COUNTER
                # Those that want deletions read the export twice; the others need not.
                and not each.wants_deletions
            ]
            shared = SharedDelta(self._request_export, readers)
            self._export = self._open.enter_context(closing(shared))
        is_counter = reading.feed.export is ExportUse.COUNTER
        try:
            return self._export.since(self._export.oldest if is_counter else self._since(reading))
        except AccountError:
            raise
        except (YNABError, TransientError) as error:
            why = str(error).rstrip(".")
            logger.warning("%s. Reading list by list, which takes more requests.", why)
            self._export_fails = True
            return ()

    def _request_export(self, since: int | None) -> list[Export]:
        exports: list[Export] = []
        with ExitStack() as responses, ExitStack() as close_on_failure:
            found = self.api.fetch_export(since)
            for response in [responses.enter_context(closing(each)) for each in found]:
                # Of two, the first has the changes since 0 and the second the whole budget.
                export = Export(response, is_full=since is None or bool(exports))
                exports.append(close_on_failure.enter_context(closing(export)))
                for name in NAMED:
                    self._note_names(export.rows(f"plan.{name}"))
            close_on_failure.pop_all()
        self._state.names[self._id] = self._names.pack()
        return exports

    def _of_export(self, feed: Feed, export: Export) -> Batch:
        [name] = feed.export_lists
        rows = _unnested(export.rows(f"plan.{name}"), feed)
        return Batch(rows, EXPORT, export.server_knowledge, export.month)

    # Lists of their own

    def _read_list(self, reading: Reading, exports: Sequence[Export]) -> Iterator[Batch]:
        """Yield what changed in a list, then an empty batch for the counter of each export."""
        feed = reading.feed
        try:
            responses = self._responses(reading, exports)
        except NotFoundError:
            self.api.require_budget()
            return
        with ExitStack() as stack:
            if feed.path not in self._lists:
                for response in responses:
                    stack.callback(response.close)
            for response in responses:
                rows = self._rows_of(feed, response)
                if feed.is_dated and exports and exports[-1].is_full:
                    rows = _noting_oldest(rows, exports[-1], reading.bookmark)
                yield Batch(rows, ENDPOINT, response.server_knowledge, response.month)
        yield from (_without_rows(export) for export in exports)

    def _read_months(self, reading: Reading) -> Iterator[Batch]:
        """Yield what changed, one request a month: without the export, no list has these rows."""
        feed = reading.feed
        months = self.api.fetch_months(reading.since(ENDPOINT))
        yield Batch(_unnested(months.rows(), feed), ENDPOINT, months.server_knowledge, months.month)

    def _responses(self, reading: Reading, exports: Sequence[Export]) -> Sequence[Response]:
        """Return the responses of a list; none if the export tells that nothing changed."""
        feed, bookmark = reading.feed, reading.bookmark
        since = reading.since(ENDPOINT)
        if exports:
            is_changed = not exports[0].changed.isdisjoint(feed.export_lists)
            if since is None:
                # YNAB may answer 404 for a list without rows. But an export without transactions
                # does not prove that there are none: it might leave out old ones.
                if not is_changed and not feed.is_dated:
                    return ()
            elif len(exports) > 1:  # the counter went back, or was never asked for
                since = 0
            elif not is_changed and not bookmark.export_is_partial:
                return ()
        if not feed.is_delta:
            return self.api.fetch_all(feed)
        if since is None and feed.is_dated:
            # The setting `since_date` is another one. Read the delta of the old one first, because
            # a list in full has no deletions.
            before = bookmark.since_with_other_date(ENDPOINT)
            deletions = [] if before is None else self.api.fetch_delta(feed, before)
            return [*deletions, *self.api.fetch_all(feed)]
        sharing = [
            each
            for each in self._readings.values()
            if each.feed.path == feed.path and (self._export_fails or not each.in_export)
        ]
        if len(sharing) == 1:
            return self.api.fetch_delta(feed, since)
        if feed.path not in self._lists:
            counters = [each.bookmark.since(ENDPOINT) for each in sharing]
            shared = SharedDelta(lambda since: self.api.fetch_delta(feed, since), counters)
            self._lists[feed.path] = self._open.enter_context(closing(shared))
        return self._lists[feed.path].since(since)

    def _read_again(
        self, feed: Feed, *, referring_to: Collection[str] | None = None
    ) -> Iterator[Batch]:
        """Yield all rows, or those that refer to some ids; the bookmark stays."""
        for response in self.api.fetch_all(feed):
            with closing(response):
                rows = self._rows_of(feed, response)
                if referring_to is not None:
                    rows = (row for row in rows if refers_to(row, referring_to))
                knowledge = response.server_knowledge
                yield Batch(rows, ENDPOINT, knowledge, response.month, moves_bookmark=False)

    def _rows_of(self, feed: Feed, response: Response) -> Iterable[Record]:
        rows: Iterable[Record] = response.rows(feed.rows)
        return self._noted(rows) if feed.export_lists[0] in NAMED else rows

    def _noted(self, rows: Iterable[Record]) -> Iterator[Record]:
        for row in rows:
            self._note_names((row,))
            yield row
        self._state.names[self._id] = self._names.pack()

    def _note_names(self, rows: Iterable[Record]) -> None:
        for row in rows:
            if self._names.has_new_name(row) and is_id(row.get("id")):
                self._state.rename(self._id, row["id"])

    # Full lists that are not in the export

    def _read_unexported(self, feed: Feed, exports: Sequence[Export]) -> Iterator[Batch]:
        try:
            response = self._unexported.response(feed)
        except NotFoundError:
            self.api.require_budget()
            return
        rows = response.rows(feed.rows)
        yield Batch(rows, ENDPOINT, response.server_knowledge, response.month)
        yield from (_without_rows(export) for export in exports)

    def _budget_changed(self, reading: Reading) -> bool:
        """Tell if anything in the budget changed since a full list was last read."""
        if exports := self._exports(reading):
            return exports[-1].server_knowledge != reading.bookmark.since(EXPORT)
        counter = self._unexported.counter(reading.feed)
        return counter is None or counter != reading.bookmark.since(ENDPOINT)


def _unnested(rows: Iterable[Record], feed: Feed) -> Iterable[Record]:
    return (row for each in rows for row in feed.unnest(each)) if feed.unnest else rows


def _without_rows(export: Export) -> Batch:
    return Batch((), EXPORT, export.server_knowledge, export.month)


def _noting_oldest(rows: Iterable[Record], export: Export, bookmark: Bookmark) -> Iterator[Record]:
    """Yield all transactions, and note in the bookmark if the export lacks old ones.

    YNAB does not document if it does, and the list itself once began to leave out old ones.
    """
    oldest = NEVER
    for row in rows:
        oldest = min(oldest, date if is_date(date := row.get("date")) else NEVER)
        yield row
    bookmark.export_is_partial = oldest < (export.oldest or NEVER)
