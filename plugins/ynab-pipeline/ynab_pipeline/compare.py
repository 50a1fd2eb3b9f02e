"""Comparison of what the tap reads with the tables, as `verify` and `preview` run it.

Runs in the loader's environment, as a command of Meltano's plugin `target-postgres`. `checking`
starts it and gives it the messages of the tap. `reading` and `comparison` find what differs,
`report` and `repair` do something about it.
"""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import argparse
import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any

import psycopg

from ynab_pipeline import connection as database
from ynab_pipeline import project, report
from ynab_pipeline.account import TOKEN
from ynab_pipeline.checking import DRIFT, TROUBLE
from ynab_pipeline.comparison import DIFFERENT, EXTRA, MISSING, Comparison
from ynab_pipeline.destination import describe
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.log import say
from ynab_pipeline.reading import budget_names, read
from ynab_pipeline.relay import without_values
from ynab_pipeline.repair import repair
from ynab_pipeline.trouble import explained
from ynab_pipeline.turns import wait_for_turn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ynab_pipeline.comparison import Result

    Connection = psycopg.Connection[Any]

#: Rows of each stream and kind to show unless all are wanted.
_SHOWN = 10


def main() -> int:
    """Compare what comes on standard input, and return the exit code."""
    options = _parser().parse_args()
    os.environ.pop(TOKEN, None)  # of no use here, nor to the loader
    try:
        project.make_private([])
        with database.connect(read_only=True) as connection:
            return _run(connection, options)
    except (PipelineError, OSError) as error:
        say(f"ynab-pipeline: {explain(error)}", "error")
    except psycopg.Error as error:
        say(f"ynab-pipeline: database: {explained(without_values(str(error)))}", "error")
    except KeyboardInterrupt:
        pass
    return TROUBLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Compare the tap's messages with the tables.")
    parser.add_argument("--preview", action="store_true", help="say what a sync would do")
    parser.add_argument("--all", action="store_true", help="name all rows that differ")
    parser.add_argument("--values", action="store_true", help="show the values that differ")
    parser.add_argument("--repair", action="store_true", help="load the rows that differ")
    parser.add_argument("--chosen", default="", help="options of commands to give as advice")
    return parser


def _run(connection: Connection, options: argparse.Namespace) -> int:
    schema = database.schema()
    environment, suffix = project.tenant()
    comparison = Comparison(connection, schema, is_delta=options.preview)
    # The account is worth reading now: there is a database to compare it with.
    ready = {
        "meltano": str(project.meltano_folder() or "."),
        "environment": environment,
        "suffix": suffix,
        "tables": comparison.tables() if options.preview else {},
    }
    print(json.dumps(ready), flush=True)
    select.select([sys.stdin], [], [])
    wait_for_turn("target", "database: a run writes to it, waiting for that to end")
    streams = read(connection, sys.stdin.buffer)
    names = budget_names(connection, streams)
    if not names:
        raise PipelineError("the token sees no budget, so there is nothing to compare")
    info = connection.info
    tables = {"host": info.host, "port": info.port, "database": info.dbname}
    _print(report.heading(names.values(), describe({**tables, "default_target_schema": schema})))
    results = comparison.compare(streams)
    if options.preview:
        _print(report.changes(results, names))
        return 0
    _print(report.counts(results))
    for result in results:
        _print_rows(comparison, result, options)
    print(report.verdict(results))
    if _are_equal(results):
        return 0
    if not options.repair:
        _print(report.advice(comparison.last_sync(), options.chosen or project.option()))
        return DRIFT
    print("\nLoading what differs ...", flush=True)
    repair(connection, comparison, results)
    results = comparison.compare(streams)
    if not _are_equal(results):
        _print(report.counts(results))
    print(report.verdict(results))
    return 0 if _are_equal(results) else DRIFT


def _are_equal(results: Iterable[Result]) -> bool:
    return all(result.is_equal for result in results)


def _print_rows(comparison: Comparison, result: Result, options: argparse.Namespace) -> None:
    for kind in (MISSING, EXTRA, DIFFERENT):
        if result.count(kind):
            rows = comparison.differences(
                result.stream,
                kind,
                limit=None if options.all else _SHOWN,
                with_values=options.values and kind == DIFFERENT,
            )
            _print(report.rows(result, kind, rows))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


if __name__ == "__main__":
    sys.exit(main())
