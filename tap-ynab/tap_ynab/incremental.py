"""How streams are read of which YNAB tells what changed, from the export or from their endpoints.

Between `sync`, which knows budgets, and `streams`.
"""

from __future__ import annotations

import typing as t
from functools import cached_property

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_ynab import delta
from tap_ynab.export import Export
from tap_ynab.schemas import TWINS
from tap_ynab.sync import BudgetStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_ynab.delta import Answer

#: What a stream's knowledge is of: YNAB counts for each address by itself.
EXPORT, ENDPOINT = "export", "endpoint"


class ExportedStream(BudgetStream):
    """A stream that is in the plan export as well, from which it is read if that saves requests.

    Its partitions keep, as `knowledge`, up to where each of the two was read.
    """

    @cached_property
    def is_whole(self) -> bool:
        """Whether this run reads every row there is, of every budget, and says so in each."""
        return super().is_whole and all(map(self.reads_all, self.partitions))

    @cached_property
    def is_quiet(self) -> bool:
        """Where there is a bookmark for each budget."""
        ids = self.ynab.account.budget_ids
        return all(self.known({"budget_id": one}) is not None for one in ids)

    def reads_all(self, context: Context) -> bool:
        """Whether this run reads every row of a budget."""
        return self.known(context) is None

    @cached_property
    def has_twins(self) -> bool:
        """Whether the catalog wants what the export does not have."""
        twins = (name for name in self.schema["properties"] if name.endswith(TWINS))
        return any(self.mask["properties", name] for name in twins)

    @property
    def reads_export(self) -> bool:
        """Whether the rows come from the export."""
        return self.ynab.prefers_export and not self.has_twins

    def known(self, context: Context, source: str = EXPORT) -> int | None:
        """Knowledge to ask with; None where all rows are to be read."""
        knowledge = self.get_context_state(context).get("knowledge")
        value = knowledge.get(source) if isinstance(knowledge, dict) else None
        return value if type(value) is int else None

    def answers(self, context: Context) -> Sequence[Answer]:
        """What the export has, or else the stream's own endpoint."""
        exports = self.ynab.exports.since(context, self.known(context)) if self.reads_export else ()
        return exports or self.endpoint(context)

    def endpoint(self, context: Context) -> Sequence[Answer]:
        """What the endpoint has."""
        return super().answers(context)

    def rows(self, answer: Answer) -> Iterable[Record]:
        """Rows in an answer."""
        if isinstance(answer, Export):
            return answer.rows(f"plan.{self.name}")
        return super().rows(answer)

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Note how far each source was read.

        Only here, with all rows out; and also where there were none. Of several answers the
        lowest knowledge counts: what happens between them has to come next time.
        """
        for answer in sorted(answers, key=knowledge_of, reverse=True):
            if answer.server_knowledge is not None:
                knowledge = self.get_context_state(context).setdefault("knowledge", {})
                source = EXPORT if isinstance(answer, Export) else ENDPOINT
                knowledge[source] = answer.server_knowledge

    def release(self, answers: Sequence[Answer]) -> None:
        """Close what other streams don't read."""
        super().release([answer for answer in answers if not isinstance(answer, Export)])


class DeltaStream(ExportedStream):
    """A stream of which YNAB tells what has changed since a `server_knowledge`."""

    replication_key = "server_knowledge"

    def known(self, context: Context, source: str = EXPORT) -> int | None:
        """Knowledge to ask with; None where all rows are to be read.

        0 where there are rows, but from the other source: what was deleted since is still to come.
        """
        bookmark = self.get_context_state(context).get("replication_key_value")
        if self.replication_method != REPLICATION_INCREMENTAL or type(bookmark) is not int:
            return None
        return super().known(context, source) or 0

    def read(self, context: Context) -> Iterable[Record]:
        """Rows of one budget that changed."""
        # Here the SDK notes progress, and would warn of each budget that it can't resume halfway.
        self.get_context_state(context)["progress_markers"] = {}
        yield from super().read(context)

    def endpoint(self, context: Context) -> Sequence[Answer]:
        """What changed at the endpoint since it was last read."""
        return self.changes(context, self.known(context, ENDPOINT))

    def changes(self, context: Context, known: int | None) -> Sequence[Answer]:
        """What changed at the endpoint."""
        return delta.changes(
            lambda known: self.request(context, last_knowledge_of_server=known), known
        )

    def rows(self, answer: Answer) -> Iterator[Record]:
        """Rows in an answer, with the knowledge at which they were read."""
        knowledge = answer.server_knowledge
        for row in super().rows(answer):
            row["server_knowledge"] = knowledge
            yield row

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Set the bookmark, which is final when the SDK ends the partition."""
        if self.replication_method == REPLICATION_INCREMENTAL:
            super().advance(context, answers)
            self.get_context_state(context)["progress_markers"] = {
                "replication_key": self.replication_key,
                "replication_key_value": min(map(knowledge_of, answers)),
            }


def knowledge_of(answer: Answer) -> int:
    """How far an answer goes."""
    return answer.server_knowledge or 0
