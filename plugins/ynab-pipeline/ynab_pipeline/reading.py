"""The rows of the account, as the tap reads them, in temporary tables of a session.

PostgreSQL removes them when the session ends, however it ends, so that nothing is left of them.
Between `compare`, which has the messages of the tap, and `comparison`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import sql

from ynab_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg

#: The stream about runs of the tap, which is not about the account.
_RUNS = "syncs"
#: The stream without bookmarks, in which a row is a budget.
BUDGETS = "budgets"
_BLOCK = 1 << 18  # bytes


class _Record(msgspec.Struct):
    id: str


class _Message(msgspec.Struct):
    type: str
    stream: str = ""
    record: _Record | None = None


class _Located(msgspec.Struct):
    budget_id: str


class _Partition(msgspec.Struct):
    context: _Located
    since_date: str | None = None


class _Bookmarks(msgspec.Struct):
    partitions: list[_Partition] = []


class _State(msgspec.Struct):
    bookmarks: dict[str, _Bookmarks] = {}


class _StateMessage(msgspec.Struct):
    value: _State


class _Schema(msgspec.Struct):
    properties: dict[str, Any]


class _SchemaMessage(msgspec.Struct):
    schema: _Schema


@dataclass
class Stream:
    """A stream that the tap has read.

    Attributes:
        name: Name of the stream and of its table.
        schema: Its SCHEMA message.
        columns: Its columns.
        rows: The temporary table with the RECORD messages, by `id`.
        is_whole: Whether a row that is not among them is gone: the stream ended with
            ACTIVATE_VERSION.
        budget_ids: Budgets that were read; none for a stream that a stream map made.
        since_date: The setting with which they were read, if the stream has dates.
    """

    name: str
    schema: bytes
    columns: list[str]
    rows: sql.Identifier
    is_whole: bool = False
    budget_ids: tuple[str, ...] = ()
    since_date: str | None = None


def read(connection: psycopg.Connection[Any], messages: Iterable[bytes]) -> list[Stream]:
    """Take the messages of the tap until the line END.

    Args:
        connection: A connection that does not write, but to its temporary tables.
        messages: The lines.

    Raises:
        PipelineError: If that line does not come: the tap has failed.
    """
    streams: dict[str, Stream] = {}
    for name, rows in groupby(_records(messages, streams), itemgetter(0)):
        _make_table(connection, streams[name])
        copy = sql.SQL("copy {} from stdin").format(streams[name].rows)
        with connection.cursor().copy(copy) as copying:
            for block in _blocks(row for _, row in rows):
                copying.write(block)
        connection.commit()
    for stream in streams.values():
        _make_table(connection, stream)
        _keep_last(connection, stream)
    return list(streams.values())


def budget_names(connection: psycopg.Connection[Any], streams: Sequence[Stream]) -> dict[str, str]:
    """Return the names of the budgets that were read, by id; ids if the names are not selected."""
    names = {one: one for stream in streams for one in stream.budget_ids}
    for stream in streams:
        if stream.name == BUDGETS:
            query = "select id, message #>> '{{record,name}}' from {rows} order by number"
            found = connection.execute(sql.SQL(query).format(rows=stream.rows)).fetchall()
            names = {one: name or one for one, name in found}
    connection.commit()
    return names


def create(connection: psycopg.Connection[Any], statement: sql.SQL | sql.Composed) -> None:
    """Create a temporary table, which counts as writing: rows of it do not."""
    connection.commit()
    connection.read_only = False
    connection.execute(statement)
    connection.commit()
    connection.read_only = True


def _make_table(connection: psycopg.Connection[Any], stream: Stream) -> None:
    columns = "create temporary table if not exists {} (number bigint, id text, message jsonb)"
    create(connection, sql.SQL(columns).format(stream.rows))


def _keep_last(connection: psycopg.Connection[Any], stream: Stream) -> None:
    """Of several versions of a row, keep the last one, as the loader does."""
    connection.execute(
        sql.SQL(
            "delete from {rows} as old "
            "using (select id, max(number) from {rows} group by id having count(*) > 1) as last "
            "where old.id = last.id and old.number < last.max"
        ).format(rows=stream.rows)
    )
    connection.execute(sql.SQL("analyze {rows}").format(rows=stream.rows))
    connection.commit()


def _records(messages: Iterable[bytes], streams: dict[str, Stream]) -> Iterator[tuple[str, bytes]]:
    """Yield stream and row of each RECORD, and note the streams."""
    decoder = msgspec.json.Decoder(_Message)
    for number, line in enumerate(messages):
        message = decoder.decode(line)
        if message.type == "END":
            return
        if message.type == "STATE":
            _note_state(line, streams)
        elif message.stream == _RUNS:
            continue
        elif message.type == "SCHEMA":
            columns = msgspec.json.decode(line, type=_SchemaMessage).schema.properties
            table = sql.Identifier("pg_temp", f"account_{len(streams)}")
            streams.setdefault(message.stream, Stream(message.stream, line, list(columns), table))
        elif message.type == "ACTIVATE_VERSION":
            streams[message.stream].is_whole = True
        elif message.type == "RECORD" and message.record:
            identity = _escaped(message.record.id.encode())
            row = b"%d\t%s\t%s\n" % (number, identity, _escaped(line.rstrip(b"\n")))
            yield message.stream, row
    raise PipelineError(
        "nothing is compared, for the account was not read to its end; the lines above say why"
    )


def _note_state(line: bytes, streams: dict[str, Stream]) -> None:
    bookmarks = msgspec.json.decode(line, type=_StateMessage).value.bookmarks
    all_budgets: dict[str, None] = {}
    for name, bookmark in bookmarks.items():
        budget_ids = [each.context.budget_id for each in bookmark.partitions]
        all_budgets |= dict.fromkeys(budget_ids)
        if stream := streams.get(name):
            stream.budget_ids = tuple(budget_ids)
            dates = {each.since_date for each in bookmark.partitions if each.since_date}
            stream.since_date = min(dates, default=None)
    if BUDGETS in streams:
        streams[BUDGETS].budget_ids = tuple(all_budgets)


def _escaped(text: bytes) -> bytes:
    """Return text as COPY has it. In a message of one line only a backslash needs it."""
    text = text.replace(b"\\", b"\\\\")
    return text.replace(b"\t", b"\\t").replace(b"\n", b"\\n").replace(b"\r", b"\\r")


def _blocks(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Yield rows together, for a call of COPY takes as long as many of them."""
    block = bytearray()
    for row in rows:
        block += row
        if len(block) >= _BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)
