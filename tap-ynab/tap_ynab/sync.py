"""How streams are read: of the account, or budget by budget.

`client` brings the answers, `streams` says what each stream is, and the SDK writes the messages.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone
from fnmatch import fnmatch
from functools import cached_property

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_ynab.errors import NotFoundError, TransientError, YNABError
from tap_ynab.schemas import TWINS
from tap_ynab.shape import Shape

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import MetadataMapping

    from tap_ynab.delta import Answer
    from tap_ynab.response import Response
    from tap_ynab.tap import TapYNAB


class YNABStream(Stream):
    """A stream whose rows fit its schema, and which ends with ACTIVATE_VERSION if it was whole."""

    primary_keys = ("id",)

    #: `Shape` has made every value fit.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    #: The SDK would send the message before the rows, and once for each budget: a loader would
    #: then mark the rows of a budget that fails. `finalize_state_progress_markers` sends it.
    emit_activate_version_messages = False

    def __init__(self, tap: TapYNAB) -> None:
        """Join the tap; nothing is requested yet."""
        super().__init__(tap=tap)
        self.ynab = tap
        self.failed = False
        self.lacks_rows = False

    @property
    def metadata(self) -> MetadataMapping:
        """Selection as in the catalog; the twins of amounts only where they are asked for."""
        metadata = super().metadata
        for breadcrumb, entry in metadata.items():
            if breadcrumb and breadcrumb[-1].endswith(TWINS) and entry.selected_by_default is None:
                entry.selected_by_default = False
        return metadata

    @cached_property
    def shape(self) -> Shape:
        """What makes a record of a row."""
        columns = self.effective_schema["properties"]
        return Shape(columns, {name for name in columns if self.mask["properties", name]})

    @cached_property
    def is_whole(self) -> bool:
        """Whether this run reads every row there is, of every budget, and says so in each."""
        maps = (self.config.get("stream_maps") or {}).items()
        is_filtered = any(
            "__filter__" in change and fnmatch(self.name, change.get("__source__", alias))
            for alias, change in maps
            if isinstance(change, dict)
        )
        # The SDK writes no versions into batch files: all their rows would seem gone.
        is_all = self.ynab.account.is_whole and not self.ynab.progress.is_restricted
        return is_all and not is_filtered and not self.config.get("batch_config")

    @property
    def is_quiet(self) -> bool:
        """Whether the loader has had this stream before, so that no row means no message at all."""
        return False

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Records of one budget, or of the account."""
        # Only rows of a whole stream carry a version: to some loaders a row of a new version is
        # the first of a new table.
        self._stream_version = self.ynab.initialized_at if self.is_whole else None
        _ = self.is_quiet  # as it is before the first bookmark is set
        self._extracted = datetime.now(timezone.utc)
        shape = self.shape
        for row in self.read(context or {}):
            record = shape(row)
            if record["id"] is None:
                # Without its key a row would stop the loader, and with it all streams.
                self.lacks_rows = True
                self.ynab.progress.left_out(self.name, row)
            else:
                yield record

    def _write_record_message(self, record: Record) -> None:
        """Write a record, which `Shape` has left nothing to do for.

        The SDK would look each value up in the selection and in the schema once more, which takes
        longer than all else that happens to it.
        """
        for stream_map in self.stream_maps:
            if (mapped := stream_map.transform(record)) is not None:
                self.ynab.message_writer.write_record(
                    stream_map.stream_alias, mapped, self._stream_version, self._extracted
                )
        self.state_manager.is_flushed = False

    def _process_record(self, *_: object, **__: object) -> None:
        """Nothing: no stream has children."""

    def _increment_stream_state(self, *_: object, **__: object) -> None:
        """Nothing: no row moves a bookmark, `advance` does when all are out."""

    def read(self, context: Context) -> Iterable[Record]:
        """Rows as YNAB has them, with what the stream adds."""
        raise NotImplementedError

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """What the SDK calls when all has been read: rows that were not there are gone."""
        if not self.is_quiet:
            for stream_map in self.stream_maps:
                self.ynab.message_writer.announce(stream_map.stream_alias)
        if self._stream_version and not self.failed:
            self._write_activate_version_message(self._stream_version)
        super().finalize_state_progress_markers(state)


class BudgetStream(YNABStream):
    """A stream that each budget has of its own, read in full.

    Attributes:
        path: Address below the API's base; `{budget_id}` stands for the budget.
        collection: Where in the answer's `data` the rows are; the stream's name unless said.
    """

    path: str
    collection: str | None = None

    @property
    def partitions(self) -> list[dict[str, t.Any]]:
        """One for each budget of this run; bookmarks are kept for each."""
        is_due = self.ynab.progress.is_due
        return [{"budget_id": b} for b in self.ynab.account.budget_ids if is_due(self.name, b)]

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Records of one budget; if it fails, the run goes on with the next one."""
        if context is None:  # an account without budgets
            return
        run = self.ynab.progress
        try:
            run.check()
            yield from super().get_records(context)
            run.done(self.name, context["budget_id"])
        except (YNABError, TransientError) as error:
            # Its rows so far are out, but the bookmark must not follow them.
            self.get_context_state(context).pop("progress_markers", None)
            self.failed = True
            run.failed(self.name, context["budget_id"], error)

    def read(self, context: Context) -> Iterable[Record]:
        """Rows of one budget."""
        try:
            answers = self.answers(context)
        except NotFoundError:
            # So YNAB answers for a list that a budget never had.
            self.ynab.account.require(context["budget_id"])
            return
        try:
            budget_id = context["budget_id"]
            for row in self.all_rows(context, answers):
                row["budget_id"] = budget_id
                # Money movements have the flag or not; what has none is alive.
                row.setdefault("deleted", False)
                yield row
            self.advance(context, answers)
        finally:
            self.release(answers)

    def answers(self, context: Context) -> Sequence[Answer]:
        """What holds the rows, in the order in which they are to be written."""
        return [self.request(context)]

    def all_rows(self, context: Context, answers: Sequence[Answer]) -> Iterator[Record]:  # noqa: ARG002 for streams that need more
        """Rows in all answers."""
        for answer in answers:
            yield from self.rows(answer)

    def rows(self, answer: Answer) -> Iterable[Record]:
        """Rows in an answer."""
        return answer.rows(self.collection or self.name)

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """All rows of a budget are out."""

    def release(self, answers: Sequence[Answer]) -> None:
        """Close answers that nobody reads any more."""
        for answer in answers:
            answer.close()

    def request(
        self, context: Context, tries: int | None = None, **params: str | int | None
    ) -> Response:
        """Ask for one budget's rows; of a budget that has failed in this run, only once."""
        if self.ynab.progress.has_failed(context["budget_id"]):
            tries = 1
        return self.ynab.client.get(self.path.format_map(context), tries, **params)
