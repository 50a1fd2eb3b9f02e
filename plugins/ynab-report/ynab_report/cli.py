"""The command `ynab-report`: database -> page -> file."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_report import database, files
from ynab_report.data import arrange
from ynab_report.document import document
from ynab_report.errors import ReportError
from ynab_report.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Hours without a sync after which `ynab-pipeline status` warns, and the page as well.
STALE_AFTER = "YNAB_PIPELINE_STALE_AFTER"
_DEFAULT_HOURS = 9.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the report.

    Args:
        arguments: The command line, that of the process unless given.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    # A redacted report does not replace the other, so that nobody shows that by mistake.
    name = "redacted.html" if options.redact else "budget.html"
    output = options.output or Path("output", name)
    os.umask(0o077)
    try:
        rows = database.read()
        data = arrange(rows, made_at=int(time.time()), stale_after=_stale_after())
        if options.redact:
            data = redact(data)
        files.write(output, document(data))
    except ReportError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"cannot write {output}: {error.strerror}")
    print(f"report: {output}")  # noqa: T201 -- what the command is for
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ynab-report",
        allow_abbrev=False,
        description="Makes one HTML file from the views of the schema budget.",
        epilog="The database is that of libpq's variables: PGHOST, PGPORT, PGUSER, PGPASSWORD, "
        "PGDATABASE. The schema is that of YNAB_BUDGET_SCHEMA, budget unless set.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    build = commands.add_parser("build", help="make the report", allow_abbrev=False)
    build.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the file to write (default: output/budget.html, or output/redacted.html)",
    )
    build.add_argument(
        "--redact",
        action="store_true",
        help="replace names and amounts by invented ones, for a bug report or a forum",
    )
    return parser


def _stale_after() -> float:
    text = os.environ.get(STALE_AFTER) or _DEFAULT_HOURS
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours < math.inf:
        raise ReportError(f"{STALE_AFTER} must be a number of hours above 0")
    return hours


def _fail(message: str) -> int:
    print(f"ynab-report: {message}", file=sys.stderr)  # noqa: T201 -- for the person who runs it
    return 1


if __name__ == "__main__":
    sys.exit(main())
