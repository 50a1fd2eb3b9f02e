"""Comparison of the account's rows with the tables, in PostgreSQL.

PostgreSQL itself makes values of the columns' types out of the rows that the tap has read, and
compares them with `is distinct from`. So memory stays flat here, and the loader is checked, too: it
has no part in this.

Between `reading`, which has the rows, and `report`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import DataError, sql
from psycopg.rows import class_row

from ynab_pipeline.errors import PipelineError
from ynab_pipeline.reading import BUDGETS, create
from ynab_pipeline.relay import without_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import psycopg

    from ynab_pipeline.reading import Stream

    Json = dict[str, Any]

EQUAL, MISSING, EXTRA, DIFFERENT = KINDS = ("equal", "missing", "extra", "different")
#: Differs by design: YNAB's counter at the time when a row was read.
_COUNTER = "server_knowledge"
#: Set by the loader in a row that was not in the account.
MARK = "_sdc_deleted_at"
_JSON = {"json", "jsonb"}
_IS_ALIVE = sql.SQL("record.message #> '{record,deleted}' is distinct from 'true'")
#: Set by the loader: when the tap read the row, in UTC.
_READ_AT = "_sdc_extracted_at"
#: The tap's default of `since_date`, with which it reads all transactions.
_BEGINNING = "1970-01-01"


class Difference(NamedTuple):
    """A row that is not the same in the account and in its table.

    Attributes:
        id: Its id.
        columns: The columns in which it differs.
        stored: The row in the table, if it was asked for.
        read: The row in the account, likewise.
    """

    id: str
    columns: list[str]
    stored: Json | None
    read: Json | None


@dataclass
class Result:
    """The rows of a stream that are equal or not.

    Attributes:
        stream: The stream.
        absent: Columns that its table lacks; None without a table.
        counts: Number of rows by budget and kind.
    """

    stream: Stream
    absent: list[str] | None
    counts: dict[tuple[str | None, str], int] = field(default_factory=dict)

    def count(self, *kinds: str) -> int:
        """Return the number of rows of these kinds."""
        return sum(rows for (_, kind), rows in self.counts.items() if kind in kinds)

    @property
    def is_equal(self) -> bool:
        """True if the table has all rows and columns of the account, and no others."""
        return self.absent == [] and not self.count(MISSING, EXTRA, DIFFERENT)


class Comparison:
    """Streams beside the tables of a schema."""

    def __init__(
        self, connection: psycopg.Connection[Any], schema: str, *, is_delta: bool = False
    ) -> None:
        """Make a temporary table for what will be found.

        Args:
            connection: A connection that does not write, but to its temporary tables.
            schema: The schema of the tables.
            is_delta: Whether only what changed was read, so that a row that is not among what was
                read is as it was, unless the stream is whole.
        """
        self._connection = connection
        self._schema = schema
        self._is_delta = is_delta
        create(
            connection,
            sql.SQL(
                "create temporary table differences "
                "(stream text, id text, kind text, columns text[])"
            ),
        )

    def compare(self, streams: Sequence[Stream]) -> list[Result]:
        """Compare streams with their tables; what was found before is forgotten."""
        self._connection.execute("delete from pg_temp.differences")
        results = [self._compare(stream) for stream in streams]
        self._connection.commit()
        return results

    def differences(
        self, stream: Stream, kind: str, *, limit: int | None, with_values: bool
    ) -> Iterator[Difference]:
        """Yield the rows of a kind that were found.

        Args:
            stream: The stream.
            kind: The kind.
            limit: How many at most; None for all.
            with_values: Whether to look up the rows themselves.
        """
        rows = (
            "to_jsonb(stored) as stored, read.message -> 'record' as read "
            "from pg_temp.differences as found left join {read} as read using (id) "
            "left join {table} as stored on stored.id = found.id"
        )
        ids = "null::jsonb as stored, null::jsonb as read from pg_temp.differences as found"
        query = sql.SQL(
            f"select found.id, found.columns, {rows if with_values else ids} "
            "where found.stream = {stream} and found.kind = {kind} order by found.id limit {limit}"
        ).format(
            read=stream.rows,
            table=self.table(stream),
            stream=sql.Literal(stream.name),
            kind=sql.Literal(kind),
            limit=sql.Literal(limit),
        )
        cursor = self._connection.cursor("differences", row_factory=class_row(Difference))
        with cursor:
            yield from cursor.execute(query)

    def messages(self, stream: Stream) -> Iterator[bytes]:
        """Yield the RECORD messages of rows that were found and that the account has."""
        query = sql.SQL(
            "select message::text from {read} where id in "
            "(select id from pg_temp.differences where stream = {stream})"
        ).format(read=stream.rows, stream=sql.Literal(stream.name))
        with self._connection.cursor("messages") as cursor:
            for (message,) in cursor.execute(query):
                yield f"{message}\n".encode()

    def tables(self) -> dict[str, bool]:
        """Return the tables of the schema, and whether they have rows."""
        names = sql.SQL("select tablename from pg_tables where schemaname = {schema}").format(
            schema=sql.Literal(self._schema)
        )
        found: dict[str, bool] = {}
        for (name,) in self._connection.execute(names).fetchall():
            table = sql.Identifier(self._schema, name)
            query = sql.SQL("select 1 from {table} limit 1").format(table=table)
            found[name] = self._connection.execute(query).fetchone() is not None
        self._connection.commit()
        return found

    def last_sync(self) -> datetime | None:
        """Return when budgets, which every sync writes, were last read; None if no table says."""
        table = sql.Identifier(self._schema, BUDGETS)
        if _READ_AT not in self._types(table):
            return None
        query = sql.SQL("select max({read_at}) from {table}")
        found = self._connection.execute(
            query.format(read_at=sql.Identifier(_READ_AT), table=table)
        ).fetchone()
        return found[0] if found else None

    def table(self, stream: Stream) -> sql.Identifier:
        """Return the table of a stream."""
        return sql.Identifier(self._schema, stream.name)

    def _compare(self, stream: Stream) -> Result:
        types = self._types(self.table(stream))
        if types and "id" not in types:
            raise PipelineError(f"{self._schema}.{stream.name} has no column id")
        names = [name for name in stream.columns if name not in {"id", _COUNTER}]
        absent = [name for name in names if name not in types] if types else None
        query = self._both(stream, names, types) if types else _all_missing(stream)
        counts = sql.SQL(
            "with found as ({query}), noted as (insert into pg_temp.differences "
            "select {stream}, id, kind, columns from found where kind <> 'equal') "
            "select budget_id, kind, count(*) from found where kind is not null group by 1, 2"
        ).format(query=query, stream=sql.Literal(stream.name))
        try:
            found = self._connection.execute(counts).fetchall()
        except DataError as error:
            raise PipelineError(
                f"a column of {self._schema}.{stream.name} has another type than the loader gave "
                f"it: {without_values(str(error))}"
            ) from error
        return Result(stream, absent, {(budget, kind): rows for budget, kind, rows in found})

    def _types(self, table: sql.Identifier) -> dict[str, str]:
        """Return the types of a table's columns, none if there is no such table."""
        query = sql.SQL(
            "select attname, atttypid::regtype::text from pg_attribute "
            "where attrelid = to_regclass({table}) and attnum > 0 and not attisdropped"
        ).format(table=sql.Literal(table.as_string(self._connection)))
        return dict(self._connection.execute(query).fetchall())

    def _both(self, stream: Stream, names: list[str], types: dict[str, str]) -> sql.Composed:
        """Return a query for the rows of the account and of the table, each with its kind."""
        compared = [name for name in names if name in types]
        aliases = {name: sql.Identifier(f"column {n}") for n, name in enumerate(compared)}
        changed = [
            sql.SQL(
                "case when account.{alias} is distinct from stored.{alias} then {name} end"
            ).format(alias=alias, name=sql.Literal(name))
            for name, alias in aliases.items()
        ] + [
            sql.SQL(
                "case when account.message #> {path} is distinct from 'null' then {name} end"
            ).format(path=sql.Literal(["record", name]), name=sql.Literal(name))
            for name in names
            if name not in types
        ]
        alive = [
            sql.SQL(condition)
            for name, condition in (("deleted", "deleted is not true"), (MARK, f"{MARK} is null"))
            if name in types
        ]
        budget = "id" if stream.name == BUDGETS else "budget_id"
        return sql.SQL(
            """
            select
              coalesce(account.id, stored.id) as id,
              coalesce(account.budget_id, stored.budget_id) as budget_id,
              case
                when stored.id is null then case when account.is_alive then 'missing' end
                when account.id is null then case when stored.is_in_scope then 'extra' end
                when not account.is_alive then 'extra'
                when changed.columns <> '{{}}' then 'different'
                else 'equal'
              end as kind,
              case when account.id = stored.id then changed.columns else '{{}}' end as columns
            from (
              select
                record.id, record.message, {is_alive} as is_alive, {read_budget} as budget_id
                {read_columns}
              from {rows} as record
              cross join lateral
                jsonb_populate_record(null::{table}, record.message -> 'record') as fitting
            ) as account
            {join} join (
              select id::text, {in_scope} as is_in_scope, {stored_budget} as budget_id
                {stored_columns}
              from {table} where {alive}
            ) as stored on account.id = stored.id
            cross join lateral (
              select array_remove(array[{changed}]::text[], null) as columns
            ) as changed
            """
        ).format(
            is_alive=_IS_ALIVE,
            read_budget=_budget(budget),
            read_columns=_columns(aliases, types, read=True),
            rows=stream.rows,
            table=self.table(stream),
            join=sql.SQL("left" if self._is_delta and not stream.is_whole else "full"),
            in_scope=_scope(stream, budget, types),
            stored_budget=sql.Identifier(budget) if budget in types else sql.SQL("null::text"),
            stored_columns=_columns(aliases, types, read=False),
            alive=sql.SQL(" and ").join([sql.SQL("true"), *alive]),
            changed=sql.SQL(", ").join(changed),
        )


def _all_missing(stream: Stream) -> sql.Composed:
    """Return a query for the rows of a stream without a table."""
    budget = "id" if stream.name == BUDGETS else "budget_id"
    return sql.SQL(
        "select record.id, {budget} as budget_id, case when {is_alive} then 'missing' end as kind, "
        "array[]::text[] as columns from {rows} as record"
    ).format(budget=_budget(budget), is_alive=_IS_ALIVE, rows=stream.rows)


def _budget(column: str) -> sql.Composed:
    return sql.SQL("record.message #>> {path}").format(path=sql.Literal(["record", column]))


def _columns(
    aliases: Mapping[str, sql.Identifier], types: Mapping[str, str], *, read: bool
) -> sql.Composed:
    """Return the columns to compare under their aliases, each after a comma.

    Args:
        aliases: The aliases by the names of the columns.
        types: The types of the table's columns.
        read: Whether they are those of the rows that were read, not those of the table.
    """
    listed: list[sql.Composable] = []
    for name, alias in aliases.items():
        value = sql.SQL("fitting.{name}" if read else "{name}").format(name=sql.Identifier(name))
        if types[name] in _JSON:
            # The loader stores the JSON value null if there is no object or list.
            value = sql.SQL("nullif({value}::jsonb, 'null')").format(value=value)
        elif read and types[name].startswith("timestamp"):
            # The loader cuts off what is less than a microsecond, which PostgreSQL would round.
            value = sql.SQL(
                "regexp_replace(record.message #>> {path}, '([.][0-9]{{6}})[0-9]+', '\\1')::{kind}"
            ).format(path=sql.Literal(["record", name]), kind=sql.SQL(types[name]))
        listed.append(sql.SQL(", {value} as {alias}").format(value=value, alias=alias))
    return sql.Composed(listed)


def _scope(stream: Stream, budget: str, types: Mapping[str, str]) -> sql.Composable:
    """Return the condition for a stored row to be one that was read, if the account has it."""
    if stream.is_whole:
        return sql.SQL("true")
    if budget not in types:
        return sql.SQL("false")
    condition = sql.SQL("coalesce({budget} = any({ids}::text[]), false)").format(
        budget=sql.Identifier(budget), ids=sql.Literal(list(stream.budget_ids))
    )
    if stream.since_date in {None, _BEGINNING} or "date" not in types:
        return condition
    return condition + sql.SQL(" and date >= {since}").format(since=sql.Literal(stream.since_date))
