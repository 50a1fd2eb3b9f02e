"""`target-postgres`, where it can be had faster, and stops when it is told to."""

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
    """What loads a stream."""

    def upsert(
        self,
        from_table: Table,
        to_table: Table,
        schema: dict[str, Any],
        join_keys: Sequence[str],
        connection: Connection,
    ) -> None:
        """Merges a batch into its table in one statement.

        The loader itself inserts the rows that are new, and then updates all of them: each is
        written twice, once as dead space in the table.
        """
        if not join_keys or set(to_table.primary_key.columns.keys()) != set(join_keys):
            super().upsert(from_table, to_table, schema, join_keys, connection)
            return
        merge = insert(to_table).from_select(from_table.columns.keys(), select(from_table))
        new = {name: merge.excluded[name] for name in schema["properties"]}
        connection.execute(merge.on_conflict_do_update(index_elements=join_keys, set_=new))

    @cached_property
    def _moments(self) -> set[str]:
        columns = self.schema["properties"].items()
        return {name for name, definition in columns if get_datelike_property_type(definition)}

    def _parse_timestamps_in_record(
        self, record: dict[str, Any], schema: dict[str, Any], treatment: object
    ) -> None:
        """Parses dates and times.

        The SDK asks of each value of each row whether its column is of these.
        """
        if not record.keys() <= schema["properties"].keys():  # of which the SDK warns
            super()._parse_timestamps_in_record(record, schema, treatment)
            return
        moments = {name: record[name] for name in self._moments & record.keys()}
        super()._parse_timestamps_in_record(moments, schema, treatment)
        record.update(moments)


class Loader(TargetPostgres):  # type: ignore[misc]
    """The loader, which parses messages with msgspec."""

    default_sink_class = Sink
    message_reader_class = MsgSpecReader

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Ends at once, without a state: what is not committed comes again in the next run.

        The loader itself would load what else it has read, and end with 0 as if that were all. In
        the middle of a load it has been seen to wait for itself instead, for ever.
        """
        signal.signal(signum, signal.SIG_DFL)  # told once more, it ends whatever it does
        signal.default_int_handler(signum, frame)


def load(arguments: Sequence[str]) -> None:
    """Runs the loader to its end.

    Args:
        arguments: Its command line.
    """
    # A batch is 10,000 rows that are no garbage. By default Python would look through them for
    # some again each time 700 objects were made.
    gc.set_threshold(100_000)
    Loader.cli(arguments)
