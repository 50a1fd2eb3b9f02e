"""The stream class of the tap: makes records of rows, and writes them through the SDK.

Between `sync_run`, whose readers bring the rows, and `writer`. SDK members that are not documented
for overriding are overridden here and in `command_line` alone; tests/tap/test_sdk.py notices if the
SDK drops one.
"""

from __future__ import annotations

import logging
import typing as t
from datetime import datetime, timezone
from fnmatch import fnmatch
from functools import cached_property

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_ynab.budget_api import BEGINNING
from tap_ynab.errors import TransientError, YNABError
from tap_ynab.feeds import ExportUse
from tap_ynab.records import LONGEST_ID, Shape
from tap_ynab.schemas import FORMATTED
from tap_ynab.sync_run import SelectedStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import MetadataMapping

    from tap_ynab.feeds import Batch, Feed
    from tap_ynab.sync_run import SyncRun
    from tap_ynab.writer import Writer

#: Rows after which it is time to look at the clock.
PROGRESS = 1000


class YNABStream(Stream):
    """A stream of each budget, or of the account if it has no feed.

    Attributes:
        name: Name of the stream and of its table.
        schema: JSON schema of its records.
        feed: How it is read from a budget.
        is_history: Whether rows of earlier runs stay, whatever this run brings.
    """

    feed: Feed | None = None
    is_history = False

    primary_keys = ("id",)

    #: `Shape` makes every value fit.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    #: The SDK would send the message before the rows, and once for each budget: a loader would
    #: then mark the rows of a budget that fails. `finalize_state_progress_markers` sends it.
    emit_activate_version_messages = False

    def __init__(self, tap: Tap, run: SyncRun) -> None:
        """Take the tap and the run that it shares with other streams; request nothing yet."""
        super().__init__(tap=tap)
        self.run = run
        self._writer = t.cast("Writer", tap.message_writer)
        if not tap.logger.isEnabledFor(logging.DEBUG):
            # The SDK's lines for each stream and partition; `Bookmark` logs one that says more.
            self.logger.setLevel(logging.WARNING)
        self._has_failed = False
        #: Budgets of which all rows are read, not only changes; None until that is decided.
        self._in_full: set[str] | None = None
        #: Budgets whose rows are written, with the batches and the number of rows.
        self._uncommitted: list[tuple[str, list[Batch], int]] = []
        self._is_unexported = self.feed is not None and self.feed.export is ExportUse.COUNTER
        if self.feed and self.feed.is_delta:
            self.replication_key = "server_knowledge"

    def rows_of_account(self) -> Iterable[Record]:
        """Return the rows of a stream without a feed."""
        return ()

    def transform(self, row: Record) -> None:
        """Change a row of YNAB's into one of the stream's, in place."""

    # The catalog

    @property
    def metadata(self) -> MetadataMapping:
        """Reading as in the catalog; formatted amounts only if they are asked for."""
        metadata = super().metadata
        for breadcrumb, entry in metadata.items():
            is_formatted = breadcrumb and breadcrumb[-1].endswith(FORMATTED)
            if is_formatted and entry.selected_by_default is None:
                entry.selected_by_default = False
        return metadata

    @property
    def selected_stream(self) -> SelectedStream:
        """The stream as the catalog selects it."""
        formatted = (name for name in self.schema["properties"] if name.endswith(FORMATTED))
        return SelectedStream(
            self.name,
            self.feed,
            is_incremental=self.replication_method == REPLICATION_INCREMENTAL,
            wants_formatted=any(self.mask["properties", name] for name in formatted),
        )

    # Which rows

    @property
    def partitions(self) -> list[dict[str, t.Any]] | None:
        """One for each budget that is due; the state keeps a bookmark for each."""
        if self.feed is None:
            return None
        budget_ids = self.run.account.budget_ids
        return [{"budget_id": one} for one in budget_ids if self.run.is_due(self.name, one)]

    @cached_property
    def _maps(self) -> list[t.Any]:
        """Stream maps for this stream."""
        maps = (self.config.get("stream_maps") or {}).items()
        return [
            change
            for alias, change in maps
            if fnmatch(
                self.name, change.get("__source__", alias) if type(change) is dict else alias
            )
        ]

    @cached_property
    def _may_mark_rows(self) -> bool:
        """True if the loader may mark rows as deleted that a run in full does not bring."""
        is_dated = self.feed is not None and self.feed.is_dated
        return (
            self.run.account.has_all_budgets
            and not self.run.is_restricted
            and not (is_dated and self.config["since_date"] != BEGINNING)
            and not any(
                isinstance(change, dict) and "__filter__" in change for change in self._maps
            )
            # The SDK writes no versions into batch files: all their rows would seem gone.
            and not self.config.get("batch_config")
        )

    @cached_property
    def _shape(self) -> Shape:
        columns = self.effective_schema["properties"]
        return Shape(columns, {name for name in columns if self.mask["properties", name]})

    # Records

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Return the records of one budget; if it fails, the run goes on with the next one."""
        self._extracted = datetime.now(timezone.utc)
        self._rows = 0
        if self.feed is None:
            return self._records_of_account()
        # Without a context, the account has no budgets.
        return self._records_of_budget(self.feed, context["budget_id"]) if context else iter(())

    def _records_of_account(self) -> Iterator[Record]:
        marks_rows = not self.is_history and self._may_mark_rows
        self._stream_version = self._initialized_at if marks_rows else None
        yield from self._records(self.rows_of_account(), {})

    def _records_of_budget(self, feed: Feed, budget_id: str) -> Iterator[Record]:
        try:
            self.run.check()
            if self._in_full is None:
                self._in_full = self.run.budgets_in_full(self.name, marks_rows=self._may_mark_rows)
            if feed.is_delta and budget_id in self._in_full:
                self.run.report.of(budget_id).is_full = True
            # Some loaders begin a new table with the first row of a new version (Singer's table
            # version), so only rows of a run that reads all of them have one.
            is_all = self._may_mark_rows and self._in_full == set(self.run.account.budget_ids)
            self._stream_version = self._initialized_at if is_all else None
            batches: list[Batch] = []
            if not self._is_unexported or budget_id in self._in_full:
                for batch in self.run.reader(budget_id).read(self.name):
                    added: Record = {"budget_id": budget_id}
                    if feed.is_delta:
                        added["server_knowledge"] = batch.server_knowledge
                    yield from self._records(batch.rows, added)
                    batches.append(batch)
            self._uncommitted.append((budget_id, batches, self._rows))
            if not self._is_unexported:
                self._commit()
            self.run.done(self.name, budget_id)
        except (YNABError, TransientError) as error:
            # Its rows so far are written, but the bookmark must not follow them.
            self._has_failed = True
            self.run.failed(self.name, budget_id, error, self._rows)

    def _records(self, rows: Iterable[Record], added: Record) -> Iterator[Record]:
        transform, shape = self.transform, self._shape
        for row in rows:
            row.update(added)
            # Money movements have the flag or not; what has none is alive.
            row.setdefault("deleted", False)
            transform(row)
            record = shape(row)
            identity = record["id"]
            if identity is None or len(identity) > LONGEST_ID:
                # Without its key a row would stop the loader, and with it all streams.
                self.run.left_out(self.name, added.get("budget_id"))
            else:
                self._rows += 1
                if not self._rows % PROGRESS:
                    self.run.log_progress(self.name, self._rows)
                yield record

    def _commit(self, *, has_marked_rows: bool = False) -> None:
        """Move the bookmarks of budgets whose rows are written.

        A list that the export lacks moves its bookmark at the end of the stream. It stays if the
        next run has to read all rows again: rows are gone and could not be marked as deleted this
        time, or a stream map may have left rows out.
        """
        can_mark_later = not has_marked_rows and (self._may_mark_rows or self.run.is_restricted)
        for budget_id, batches, rows in self._uncommitted:
            reader = self.run.reader(budget_id)
            must_read_again = (self._is_unexported and self._maps) or (
                can_mark_later and batches and reader.has_lost_rows(self.name)
            )
            before = reader.bookmark(self.name).value
            reader.commit(self.name, batches, rows)
            after = reader.bookmark(self.name).value
            self.run.report.of(budget_id).add_rows(self.name, rows, before, after)
            if must_read_again:
                reader.bookmark(self.name).reset()
        self._uncommitted.clear()

    # Overrides of SDK members that are not documented for it

    def _write_record_message(self, record: Record) -> None:
        """Write a record as it is: `Shape` has made it fit.

        The SDK would look each value up in the selection and in the schema once more, which takes
        longer than everything else that happens to it.
        """
        for stream_map in self.stream_maps:
            if (mapped := stream_map.transform(record)) is not None:
                self._writer.write_record(
                    stream_map.stream_alias, mapped, self._stream_version, self._extracted
                )
        self.state_manager.is_flushed = False

    def _process_record(self, *_: object, **__: object) -> None:
        """Do nothing: no stream has children."""

    def _increment_stream_state(self, *_: object, **__: object) -> None:
        """Do nothing: no row moves a bookmark, `Bookmark.commit` does once all are written."""

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """End the stream: have the loader mark rows that are gone, and move bookmarks."""
        if self.feed is None or self._in_full:
            for stream_map in self.stream_maps:
                self._writer.write_schema(stream_map.stream_alias)
        marks_rows = self._stream_version is not None and not self._has_failed
        if marks_rows:
            self._write_activate_version_message(self._initialized_at)
        self._commit(has_marked_rows=marks_rows)
        self._in_full = None
        super().finalize_state_progress_markers(state)
