"""The last runs by the table `syncs`, as JSON; in the loader's environment.

A command of Meltano's plugin `target-postgres`, for `ynab-pipeline status`.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ynab_pipeline import project
from ynab_pipeline.connection import connect, schema
from ynab_pipeline.database import SWITCH
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.freshness import AHEAD, STALE_AFTER

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]

_LAST_OF_EACH_STATUS = """
select distinct on (budget_id, status)
  budget_id, budget_name, started_at, finished_at, mode, status, error, rows
from {table} where started_at < %s order by budget_id, status, started_at desc
"""


def read(connection: psycopg.Connection[Any], schema: str, now: datetime) -> list[Row]:
    """Return the last row of each budget and status, with times in UTC.

    Args:
        connection: A connection to the database.
        schema: The schema with the tables, which need not be there.
        now: The time.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select to_regclass(format('%%I.syncs', %s::text)) as found", (schema,))
        table = cursor.fetchone()
        if table is None or table["found"] is None:
            return []
        query = sql.SQL(_LAST_OF_EACH_STATUS).format(table=sql.Identifier(schema, "syncs"))
        # The loader's columns have no time zone, and it writes UTC.
        latest = (now + AHEAD).astimezone(timezone.utc).replace(tzinfo=None)
        rows = cursor.execute(query, (latest,)).fetchall()
    return [
        {
            name: value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def tell(answer: Row, connect: Callable[[], psycopg.Connection[Any]]) -> Row:
    """Return an answer with the rows of its schema, or with what went wrong.

    Args:
        answer: The answer so far, with the `schema`.
        connect: Makes the connection.
    """
    folder = project.named_folder(SWITCH)
    if folder and not folder.exists():
        return {**answer, "syncs": []}  # the server is made by the first run
    try:
        with connect() as connection:
            now = datetime.now(timezone.utc)
            return {**answer, "syncs": read(connection, answer["schema"], now)}
    except (PipelineError, OSError) as error:
        return {**answer, "error": explain(error)}
    except psycopg.Error as error:
        return {**answer, "error": str(error).partition("\n")[0]}


def main() -> None:
    """Print the rows and the settings of the active environment, or what went wrong."""
    environment, suffix = project.tenant()
    answer = {
        "environment": environment,
        "suffix": suffix,
        "stale_after": os.environ.get(STALE_AFTER, ""),
        "schema": schema(),
    }
    found = tell(answer, lambda: connect(read_only=True))
    json.dump(found, sys.stdout, default=datetime.isoformat)


if __name__ == "__main__":
    main()
