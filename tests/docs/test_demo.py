"""README is short, and shows what `make demo` prints on the day of the test account."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import requests
from ynab_pipeline.freshness import Sync, assess
from ynab_pipeline.status_page import page as page_of
from ynab_pipeline.syncs import read as syncs_of

from tests.support.described import output, read
from tests.support.pages import page
from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

    Json = dict[str, Any]

README = page("README.md")


def shown(command: str) -> list[str]:
    """Lines that README shows below a command, without those that stand for omissions."""
    (block,) = [code for code in README.code("console") if code.startswith(f"$ {command}\n")]
    return [line for line in block.splitlines()[1:] if line not in ("", "...")]


def printed_by_make() -> set[str]:
    """Arguments of `echo` in the Makefile."""
    return set(re.findall(r'\becho "([^"]*)"', read("Makefile")))


def test_readme_has_at_most_200_lines() -> None:
    assert len(README.text.splitlines()) <= 200


def summary(log: str) -> str:
    """What the Makefile takes out of a run's log."""
    (line,) = re.findall(r"Synced .* s", log)
    return str(line)


def timeless(line: str) -> str:
    """Return a line without what depends on how fast the machine is."""
    return re.sub(r"[\d.]+ s\b", "n s", line.rstrip())


def status_page(pipeline: Pipeline) -> list[str]:
    """The page of `ynab-pipeline status`, 11 seconds after the run."""
    with psycopg.connect(pipeline.database.url) as connection:
        rows = syncs_of(connection, "ynab", datetime.now(timezone.utc))
    syncs = [Sync(**row) for row in rows]
    now = max(sync.finished_at for sync in syncs) + timedelta(seconds=11)
    report = assess(syncs, [], now, timedelta(hours=9))
    place = {"environment": "demo", "schema": "ynab"}
    return page_of(report, [], now, timedelta(hours=9), place).splitlines()


def test_what_make_demo_prints(
    pipeline: Pipeline, api_url: str, server: Any, plugins: dict[str, Json]
) -> None:
    assert plugins["target-postgres"]["commands"]["psql"]["args"] == "-m ynab_pipeline.access psql"
    command = [str(Path(sys.executable).with_name("project-postgres")), "psql"]
    command += ["--dir", str(server.folder), pipeline.database.url]

    def ask(*files: str) -> list[str]:
        names = [word for file in files for word in ("-f", PROJECT / "demo" / file)]
        return output(*command, *names).splitlines()

    first = pipeline.sync()
    printed = [summary(first.log), *ask("loaded.sql")]
    live = requests.post(f"{api_url.removesuffix('/v1')}/sandbox/live", json={}, timeout=10)
    day = live.json()["data"]
    second = pipeline.sync()
    assert (first.code, second.code) == (0, 0)
    printed += [*day, summary(second.log), *ask("delta.sql", "summary.sql")]
    printed = [timeless(line) for line in printed + status_page(pipeline)]
    assert max(map(len, printed)) <= 80

    *lines, report = [timeless(line) for line in shown("make demo")]
    # tests/pipeline/test_meltano.py has it made.
    assert report == "report: .../output/budget.html"
    recipe = read("Makefile").partition("\ndemo: ")[2].partition("\n\n")[0]
    assert recipe.endswith("invoke report:build")
    assert set(lines) <= {*printed, *printed_by_make()}
    assert set(day) <= set(lines)
    from_tables = [line for line in lines if line in printed]
    assert len(from_tables) > len(day)
    assert from_tables == [line for line in printed if line in from_tables]

    assert pipeline.sync().code == 0
    assert ask("loaded.sql") == ["Nothing changed since the last sync.", ""]


def test_what_make_test_prints_first() -> None:
    assert shown("make test")[0] in printed_by_make()
