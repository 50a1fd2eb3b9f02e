"""The command `ynab-pipeline status`: for a person, a monitor and a container's health check."""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ynab_pipeline import meltano
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.freshness import FRESH, STALE_AFTER, Sync, assess
from ynab_pipeline.status_page import document, page

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from ynab_pipeline.freshness import Run, Scheduled

#: Two syncs in a row are missing, of those every four hours.
STALE_HOURS = 9.0
_MAXIMUM = 24 * 365 * 100

#: Exit codes, with 0 for fresh.
OLD, UNKNOWN = 1, 2

EXIT_CODES = """\
exit codes:
  0  every budget is fresh
  1  the last run of a budget or job failed, a budget's last success is older
     than YNAB_PIPELINE_STALE_AFTER (hours, 9 unless set), or there is none yet
  2  it cannot be known, such as when the database is down
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for a monitor")
    parser.add_argument("--tenants", action="store_true", help="of all tenants, a line for each")
    parser.epilog = EXIT_CODES


def run(options: argparse.Namespace) -> int:
    """Print how fresh the tables are, and return the exit code."""
    try:
        found = look(options.environment)
    except PipelineError as error:
        return show_unknown(error, as_json=options.json)
    print(json.dumps(document(**found), indent=2) if options.json else page(**found))
    return 0 if found["report"].state == FRESH else OLD


def show_unknown(error: PipelineError, *, as_json: bool) -> int:
    """Print why it cannot be known how fresh the tables are, and return the exit code.

    Args:
        error: The reason.
        as_json: Whether to print a JSON object, else a line on standard error.
    """
    if as_json:
        print(json.dumps({"state": "unknown", "error": str(error)}))
    else:
        print(f"ynab-pipeline: {error}", file=sys.stderr)
    return UNKNOWN


def look(environment: str | None, limit: float | None = None) -> dict[str, Any]:
    """Return how fresh the tables are, as arguments of `page`.

    Args:
        environment: The environment of Meltano; if None, the one that Meltano chooses.
        limit: Seconds that Meltano and the database have to answer.

    Raises:
        PipelineError: If it cannot be known.
    """
    process = meltano.start_command("syncs", environment)
    # Meltano takes half a second to import: meanwhile, in this process too.
    from ynab_pipeline.history import History  # noqa: PLC0415

    answer, history = meltano.answer(process, limit=limit), History()
    return judge(answer, history.runs(answer["environment"], answer["suffix"]), history.schedule())


def judge(
    answer: Mapping[str, Any], runs: Iterable[Run], schedule: Iterable[Scheduled]
) -> dict[str, Any]:
    """Return how fresh the tables are, as arguments of `page`.

    Args:
        answer: The answer of `syncs`.
        runs: Meltano's runs, as `assess` takes them.
        schedule: The next runs.

    Raises:
        PipelineError: If it cannot be known.
    """
    stale_after = hours(answer["stale_after"])
    now = datetime.now(timezone.utc)
    syncs = [
        Sync(
            **{
                **row,
                "started_at": datetime.fromisoformat(row["started_at"]),
                "finished_at": datetime.fromisoformat(row["finished_at"]),
            }
        )
        for row in answer["syncs"]
    ]
    return {
        "report": assess(syncs, runs, now, stale_after),
        "schedule": sorted(schedule, key=lambda scheduled: scheduled.at),
        "now": now,
        "stale_after": stale_after,
        "place": {key: answer[key] for key in ("environment", "schema")},
    }


def hours(value: str) -> timedelta:
    """Return the age at which a success is no longer fresh.

    Args:
        value: The variable YNAB_PIPELINE_STALE_AFTER, empty if it is not set.

    Raises:
        PipelineError: If that is no number of hours.
    """
    try:
        number = float(value or STALE_HOURS)
    except ValueError:
        number = 0
    if not 0 < number <= _MAXIMUM:
        raise PipelineError(
            f"{STALE_AFTER} is {value!r}: a number of hours is expected, such as {STALE_HOURS:g}"
        )
    return timedelta(hours=number)
