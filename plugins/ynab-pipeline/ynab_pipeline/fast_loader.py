"""`target-postgres` with a faster start: msgspec, one statement per batch, an end on SIGTERM.

The same settings, tables, messages and state as the stock loader's.
"""

from __future__ import annotations

import gc
import signal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.contrib.msgspec import MsgSpecReader
from singer_sdk.helpers._typing import get_datelike_property_type
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

# Types are checked where the loader is not installed: it has an environment of its own.
from target_postgres.sinks import PostgresSink  # type: ignore[import-not-found]
from target_postgres.target import TargetPostgres  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from sqlalchemy import Connection, Table


class Sink(PostgresSink):  # type: ignore[misc]
    """The loader of one stream."""

    def upsert(
        self,
        from_table: Table,
        to_table: Table,
        schema: dict[str, Any],
        join_keys: Sequence[str],
        connection: Connection,
    ) -> None:
        """Merge a batch into its table in one statement.

        The stock loader inserts the rows that are new and then updates all of them, so each new row
        is written twice, once as dead space in the table.
        """
        if not join_keys or set(to_table.primary_key.columns.keys()) != set(join_keys):
            super().upsert(from_table, to_table, schema, join_keys, connection)
            return
        merge = insert(to_table).from_select(from_table.columns.keys(), select(from_table))
        new = {name: merge.excluded[name] for name in schema["properties"]}
        connection.execute(merge.on_conflict_do_update(index_elements=join_keys, set_=new))

    @cached_property
    def _datelike(self) -> set[str]:
        columns = self.schema["properties"].items()
        return {name for name, definition in columns if get_datelike_property_type(definition)}

    def _parse_timestamps_in_record(
        self, record: dict[str, Any], schema: dict[str, Any], treatment: object
    ) -> None:
        """Parse dates and times, in their columns only.

        The SDK looks at the type of the column for each value of each row.
        """
        if not record.keys() <= schema["properties"].keys():  # of which the SDK warns
            super()._parse_timestamps_in_record(record, schema, treatment)
            return
        datelike = {name: record[name] for name in self._datelike & record.keys()}
        super()._parse_timestamps_in_record(datelike, schema, treatment)
        record.update(datelike)


class Loader(TargetPostgres):  # type: ignore[misc]
    """The loader, with messages parsed by msgspec."""

    default_sink_class = Sink
    message_reader_class = MsgSpecReader

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End at once, without a state: what is not committed comes again with the next run.

        The stock loader loads what else it has read and ends with 0, as if that were all. In the
        middle of a load it has been seen to wait for itself for ever.
        """
        signal.signal(signum, signal.SIG_DFL)  # a second signal ends it whatever it does
        signal.default_int_handler(signum, frame)


def load(arguments: Sequence[str]) -> None:
    """Run the loader to its end.

    Args:
        arguments: Its command line.
    """
    # A batch is 10,000 rows, none of them garbage. By default Python would look through them for
    # garbage each time 700 objects were created.
    gc.set_threshold(100_000)
    Loader.cli(arguments)
