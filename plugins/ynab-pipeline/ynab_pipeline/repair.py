"""Repair of tables that are not as the account, by the stock loader.

After `comparison`, which has found the differences and has the messages of the tap.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

from psycopg import sql

from ynab_pipeline.comparison import DIFFERENT, EQUAL, EXTRA, MARK
from ynab_pipeline.database import active_settings, choose_database
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.files import pipe_of
from ynab_pipeline.reading import BUDGETS
from ynab_pipeline.relay import without_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import IO

    import psycopg

    from ynab_pipeline.comparison import Comparison, Result
    from ynab_pipeline.reading import Stream

#: Kinds of rows that the account and the table have.
_SHARED = (EQUAL, DIFFERENT)


def repair(
    connection: psycopg.Connection[Any], comparison: Comparison, results: Sequence[Result]
) -> None:
    """Load the rows that differ, and mark those that the account lacks.

    They are marked if a full refresh would have the loader mark them: not with `budget_ids`.

    Args:
        connection: The connection of the comparison.
        comparison: The comparison.
        results: What it has found.

    Raises:
        PipelineError: If the tables are of another account, or the loader fails.
    """
    for result in results:
        if result.stream.name == BUDGETS and result.count(EXTRA) and not result.count(*_SHARED):
            raise PipelineError(
                "nothing is repaired, for the tables have none of the account's budgets: they are "
                "of another account"
            )
    streams = [result.stream for result in results if not result.is_equal]
    settings = _settings()
    connection.commit()  # else the loader would wait for a table that lacks a column
    _load(
        settings,
        chain.from_iterable(
            chain([stream.schema], comparison.messages(stream)) for stream in streams
        ),
    )
    connection.commit()
    connection.read_only = False
    for stream in streams:
        if stream.is_whole:
            table = comparison.table(stream)
            connection.execute(_removal(stream, table, is_hard=bool(settings.get("hard_delete"))))
    connection.commit()
    connection.read_only = True


def _removal(stream: Stream, table: sql.Identifier, *, is_hard: bool) -> sql.Composed:
    """Return the statement for rows of a table that YNAB no longer has."""
    act = "delete from {table}" if is_hard else "update {table} set {mark} = current_timestamp"
    gone = (
        " where id in (select id from pg_temp.differences where stream = {stream} and kind = {kind}"
        " except select id from {rows})"
    )
    return sql.SQL(act + gone).format(
        table=table,
        mark=sql.Identifier(MARK),
        stream=sql.Literal(stream.name),
        kind=sql.Literal(EXTRA),
        rows=stream.rows,
    )


def _settings() -> dict[str, Any]:
    """Return the loader's settings, which Meltano has put into environment variables."""
    # Both are slow to import. The loader has an environment of its own.
    from singer_sdk.configuration._dict_config import parse_environment_config  # noqa: PLC0415
    from target_postgres.target import (  # type: ignore[import-not-found]  # noqa: PLC0415
        TargetPostgres,
    )

    # With `--config=ENV` the loader would read the project's .env, too, which wins over everything.
    return parse_environment_config(
        TargetPostgres.config_jsonschema, "TARGET_POSTGRES_", dotenv_path=os.devnull
    )


def _load(settings: dict[str, Any], messages: Iterable[bytes]) -> None:
    """Have the stock loader load messages into the database of the active environment."""
    added = choose_database(active_settings())
    with subprocess.Popen(
        [Path(sys.executable).with_name("target-postgres"), "--config", pipe_of(settings), *added],
        env={**os.environ, "PGTZ": "UTC"},  # as `target` does
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        close_fds=False,  # of the pipe with its settings
    ) as loader:
        relay = Thread(target=_relay, args=[loader.stderr])
        relay.start()
        # If it fails, its log says why.
        with suppress(BrokenPipeError), cast("IO[bytes]", loader.stdin) as stdin:
            stdin.writelines(messages)
        relay.join()
    if loader.returncode:
        raise PipelineError("the loader has failed, so the tables are not repaired; run it again")


def _relay(log: IO[bytes]) -> None:
    for line in without_rows(each.decode(errors="backslashreplace") for each in log):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
