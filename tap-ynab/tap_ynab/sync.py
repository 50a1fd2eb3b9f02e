"""How streams are read: budget by budget, changes since the last time, or in full.

`client` brings the answers, `streams` says what each stream is, and the SDK writes the messages.
"""

from __future__ import annotations

import typing as t
from functools import cached_property

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_ynab.errors import (
    BadRequestError,
    NotFoundError,
    TransientError,
    YNABError,
)
from tap_ynab.schemas import TWINS
from tap_ynab.shape import Shape

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import MetadataMapping

    from tap_ynab.response import Response
    from tap_ynab.tap import TapYNAB


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
        return Shape(self.schema, self.effective_schema["properties"])

    @cached_property
    def is_whole(self) -> bool:
        """Whether this run reads every row there is, of every budget, and says so in each."""
        maps = (self.config.get("stream_maps") or {}).items()
        is_filtered = any(
            "__filter__" in change and change.get("__source__", alias) == self.name
            for alias, change in maps
            if isinstance(change, dict)
        )
        # The SDK writes no versions into batch files: all their rows would seem gone.
        is_all = self.ynab.account.is_whole and not self.ynab.progress.is_restricted
        return is_all and not is_filtered and not self.config.get("batch_config")

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Records of one budget, or of the account."""
        # Only rows of a whole stream carry a version: to some loaders a row of a new version is
        # the first of a new table.
        self._stream_version = self.ynab.initialized_at if self.is_whole else None
        for row in self.read(context or {}):
            record = self.shape(row)
            if record["id"] is None:
                # Without its key a row would stop the loader, and with it all streams.
                self.ynab.progress.left_out(self.name, row)
            else:
                yield record

    def read(self, context: Context) -> Iterable[Record]:
        """Rows as YNAB has them, with what the stream adds."""
        raise NotImplementedError

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """What the SDK calls when all has been read: rows that were not there are gone."""
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

    def read(self, context: Context) -> Iterator[Record]:
        """Rows of one budget."""
        try:
            answers = self.answers(context)
        except NotFoundError:
            # So YNAB answers for a list that a budget never had.
            self.ynab.account.require(context["budget_id"])
            return
        try:
            for response in answers:
                for row in self.rows(response):
                    row["budget_id"] = context["budget_id"]
                    # Money movements have the flag or not; what has none is alive.
                    row.setdefault("deleted", False)
                    yield row
            self.advance(context, answers)
        finally:
            self.release(context, answers)

    def release(self, context: Context, answers: Sequence[Answer]) -> None:  # noqa: ARG002 for streams that share
        """Close answers that nobody reads any more."""
        for response in answers:
            response.close()

    def answers(self, context: Context) -> Sequence[Answer]:
        """What holds the rows, in the order in which they are to be written."""
        return [self.request(context)]

    def rows(self, response: Answer) -> Iterable[Record]:
        """Rows in an answer."""
        return response.rows(self.collection or self.name)

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """All rows of a budget are out."""

    def request(
        self, context: Context, tries: int | None = None, **params: str | int | None
    ) -> Response:
        """Ask for one budget's rows; of a budget that has failed in this run, only once."""
        if self.ynab.progress.has_failed(context["budget_id"]):
            tries = 1
        return self.ynab.client.get(self.path.format_map(context), tries, **params)


class DeltaStream(BudgetStream):
    """A stream of which YNAB tells what has changed since a `server_knowledge`."""

    replication_key = "server_knowledge"

    @cached_property
    def is_whole(self) -> bool:
        """Whether this run reads every row there is, of every budget, and says so in each."""
        return super().is_whole and all(
            self.known(partition) is None for partition in self.partitions
        )

    def known(self, context: Context) -> int | None:
        """Knowledge that the last run ended with; None where all rows are to be read."""
        value = self.get_context_state(context).get("replication_key_value")
        is_incremental = self.replication_method == REPLICATION_INCREMENTAL
        return value if is_incremental and type(value) is int else None

    def read(self, context: Context) -> Iterator[Record]:
        """Rows of one budget that changed."""
        # Here the SDK notes progress, and would warn of each budget that it can't resume halfway.
        self.get_context_state(context)["progress_markers"] = {}
        yield from super().read(context)

    def answers(self, context: Context) -> Sequence[Answer]:
        """What changed since the last run."""
        return self.changes(context, self.known(context))

    def rows(self, response: Answer) -> Iterator[Record]:
        """Rows in an answer, with the knowledge at which they were read."""
        for row in super().rows(response):
            row["server_knowledge"] = response.server_knowledge
            yield row

    def changes(
        self, context: Context, known: int | None, tries: int | None = None
    ) -> list[Response]:
        """Ask for what changed since `known`, or for all where YNAB's counter has gone back."""
        try:
            response = self.request(context, tries, last_knowledge_of_server=known)
        except BadRequestError as error:
            if known is None:
                raise
            self.log("YNAB refuses what it is asked for: %s. Reading all rows.", error)
            return [self.request(context)]
        if response.server_knowledge is None:
            raise YNABError("YNAB's answer has no server_knowledge. Please report this.")
        if known is None or response.server_knowledge >= known:
            return [response]
        self.log("YNAB's counter went back to %d. Reading all rows.", response.server_knowledge)
        response.close()
        # What was deleted is in deltas only, and since 0 that is all that ever was.
        return [self.request(context, last_knowledge_of_server=0), self.request(context)]

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Set the bookmark, which is final when the SDK ends the partition.

        Only here, with all rows out; and also where there were none. Of several answers the
        lowest knowledge counts: what happens between them has to come next time.
        """
        if self.replication_method == REPLICATION_INCREMENTAL:
            self.get_context_state(context)["progress_markers"] = {
                "replication_key": self.replication_key,
                "replication_key_value": min(answer.server_knowledge or 0 for answer in answers),
            }
