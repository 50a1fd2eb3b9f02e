"""Streams of what can be split, and is called by the names of other rows.

Between `incremental`, which knows what changed, and `streams`.
"""

from __future__ import annotations

import typing as t
from contextlib import ExitStack, suppress

from tap_ynab.errors import NotFoundError
from tap_ynab.export import Export
from tap_ynab.incremental import DeltaStream
from tap_ynab.names import refers

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_ynab.delta import Answer


class SplittableStream(DeltaStream):
    """A stream whose rows may be split into subtransactions, and have names of other rows.

    The export has neither, but tells whether there is anything to ask for.

    Attributes:
        parts: Where the export has the parts of splits.
    """

    parts: str
    has_twins = False  # that the export would lack: no row comes from there

    def answers(self, context: Context) -> Sequence[Answer]:
        """What the export says, without rows, and what the endpoint has if anything changed."""
        if not self.reads_export:
            return self.endpoint(context)
        said = self.ynab.exports.since(context, self.known(context))
        return [*said, *self.asked(context, said)]

    def asked(self, context: Context, said: Sequence[Export]) -> Sequence[Answer]:
        """What the endpoint has, where the export does not say that nothing changed."""
        if self.known(context) is None or not said:
            return self.endpoint(context)
        if len(said) > 1:  # YNAB's counter went back, or the export was never asked before
            return self.changes(context, 0)
        is_partial = self.get_context_state(context).get("export_is_partial")
        return self.endpoint(context) if is_partial or self.holds_any(said[0]) else ()

    def holds_any(self, export: Export) -> bool:
        """Whether there are rows of this stream, or parts of them, in an export."""
        return not export.changed.isdisjoint((self.name, self.parts))

    def all_rows(self, context: Context, answers: Sequence[Answer]) -> Iterator[Record]:
        """Rows that changed, and those that name what has another name now."""
        yield from super().all_rows(context, answers)
        renamed = self.get_context_state(context).get("renamed")
        if not renamed or self.known(context) is None:
            return
        with suppress(NotFoundError), ExitStack() as stack:
            for answer in self.everything(context):
                stack.callback(answer.close)
                yield from (row for row in self.rows(answer) if refers(row, renamed))

    def everything(self, context: Context) -> Sequence[Answer]:
        """All rows that the endpoint has."""
        return [self.request(context)]

    def rename(self, budget_id: str, identity: str) -> None:
        """Note that rows of a budget name what has another name now."""
        state = self.get_context_state({"budget_id": budget_id})
        if "replication_key_value" in state:
            state.setdefault("renamed", []).append(identity)

    def rows(self, answer: Answer) -> Iterator[Record]:
        """Rows; what is deleted is deleted with its parts, whatever their own flag says."""
        if isinstance(answer, Export):
            return
        for row in super().rows(answer):
            if row.get("deleted"):
                for part in row.get("subtransactions") or ():
                    if isinstance(part, dict):
                        part["deleted"] = True
            yield row

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Set the bookmark; all names are right."""
        super().advance(context, answers)
        self.get_context_state(context).pop("renamed", None)
