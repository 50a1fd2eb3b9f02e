"""What `ynab-pipeline status` makes of the table `syncs` and of Meltano's run history."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from ynab_pipeline.freshness import (
    DIED,
    FAILED,
    RUNNING,
    SUCCEEDED,
    Report,
    Run,
    Scheduled,
    Sync,
    assess,
)
from ynab_pipeline.status_page import document, page, span
from ynab_pipeline.syncs import read

from tests.support.databases import new_database
from tests.support.pages import page as page_of_documents

if TYPE_CHECKING:
    from project_postgres import Server

    from tests.support.pipeline import Database

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
STALE_AFTER = timedelta(hours=9)
HOME, HOLIDAY = ("1", "Our Household"), ("2", "Ferienwohnung")
NOBODY = (None, None)
#: As the loader makes it.
TABLE = """
create schema {schema};
create table {schema}.syncs (
  id text primary key, budget_id text, budget_name text, started_at timestamp,
  finished_at timestamp, mode text, status text, error text, requests bigint, rows bigint,
  streams jsonb, _sdc_deleted_at timestamp
)
"""
INSERT = """
insert into {schema}.syncs (id, budget_id, budget_name, started_at, finished_at, mode, status,
  error, rows) values (%s, %s, %s, %s, %s, 'delta', %s, %s, %s)
"""


class History:
    """The table `syncs` and Meltano's runs, filled run by run."""

    def __init__(self, database: Database) -> None:
        """Have the table, and nothing in it, in a schema of its own."""
        self.schema = f"s{uuid.uuid4().hex}"
        self.runs: list[Run] = []
        self._database = database
        self._execute(TABLE)

    def _execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(self._database.url) as connection:
            connection.execute(statement.format(schema=self.schema).encode(), values)

    def sync(self, hours: float, *budgets: Any, rows: int = 3, **errors: str) -> None:
        """Have a run some hours ago write its rows.

        Args:
            hours: How long ago.
            budgets: Those of the run; the time and the rows are the same for all.
            rows: Their number.
            errors: By id of a budget, with an underscore before; those without have succeeded.
        """
        for budget, name in budgets:
            error = errors.get(f"_{budget}")
            status = "failed" if error else SUCCEEDED
            if error == "limit":
                status = "incomplete"
            at = NOW - timedelta(hours=hours)
            start = (at - timedelta(seconds=5)).replace(tzinfo=None)
            values = (f"{start}|{budget}", budget, name, start, at.replace(tzinfo=None))
            self._execute(INSERT, *values, status, error, rows)

    def set_rows(self, budget: str, rows: int) -> None:
        self._execute("update {schema}.syncs set rows = %s where budget_id = %s", rows, budget)

    def run(self, hours: float, state: str, job: str = "sync", error: str | None = None) -> None:
        """Have Meltano know of a run that took a minute."""
        ended = NOW - timedelta(hours=hours)
        run = Run(job, state, ended - timedelta(minutes=1), ended, error)
        self.runs = sorted([*self.runs, run], key=lambda each: each.started_at, reverse=True)

    def report(self) -> Report:
        with psycopg.connect(self._database.url) as connection:
            rows = read(connection, self.schema, NOW)
        return assess([Sync(**row) for row in rows], self.runs, NOW, STALE_AFTER)

    def page(self, *schedule: Scheduled) -> list[str]:
        """The lines for a person."""
        text = page(self.report(), schedule, NOW, STALE_AFTER, PLACE)
        assert max(map(len, text.splitlines())) <= 80
        return text.splitlines()

    def document(self, *schedule: Scheduled) -> dict[str, Any]:
        return document(self.report(), schedule, NOW, STALE_AFTER, PLACE)


PLACE = {"environment": "local", "schema": "ynab"}


@pytest.fixture(scope="module")
def database(server: Server) -> Database:
    """One for all tests here."""
    return new_database(server)


@pytest.fixture
def history(database: Database) -> History:
    """Nothing in it yet."""
    return History(database)


def states(report: Report) -> dict[str, str]:
    return {budget.name: budget.state for budget in report.budgets}


def test_all_is_fresh(history: History) -> None:
    history.sync(4, HOME, HOLIDAY, rows=3_841)
    history.run(4, SUCCEEDED)
    history.sync(1 / 60, HOME, HOLIDAY, rows=0)
    history.run(1 / 60, SUCCEEDED)
    assert history.page() == [
        "Environment local, schema ynab: fresh",
        "  budget         last success  rows  state",
        "  Ferienwohnung  1 min ago        0  fresh",
        "  Our Household  1 min ago        0  fresh",
    ]
    assert history.document() == {
        "state": "fresh",
        "checked_at": "2026-11-21T12:00:00+00:00",
        "environment": "local",
        "schema": "ynab",
        "stale_after_hours": 9,
        "budgets": [
            {
                "id": budget,
                "name": name,
                "state": "fresh",
                "last_success_at": "2026-11-21T11:59:00+00:00",
                "age_seconds": 60,
                "last_run_at": "2026-11-21T11:59:00+00:00",
                "last_run": "succeeded",
                "mode": "delta",
                "rows": 0,
                "last_error": None,
                "last_error_at": None,
                "next_run_at": None,
            }
            for budget, name in (HOLIDAY, HOME)
        ],
        "account_error": None,
        "failed_runs": [],
        "running": [],
        "next_runs": [],
    }


def test_there_is_no_table(database: Database) -> None:
    with psycopg.connect(database.url) as connection:
        assert read(connection, "not there", NOW) == []


def test_nothing_was_ever_synced(history: History) -> None:
    assert history.page() == ["Environment local, schema ynab: no sync yet"]
    assert history.report().state == "never"
    history.run(0, RUNNING)
    assert history.report().state == "never"
    assert history.page()[1:] == ["sync is under way, for 1 min"]


@pytest.mark.parametrize(("hours", "state"), [(8.9, "fresh"), (9.1, "stale")])
def test_a_success_grows_old(history: History, hours: float, state: str) -> None:
    history.sync(hours, HOME)
    assert history.report().state == state
    assert states(history.report()) == {"Our Household": state}


def test_the_verdict_on_an_old_success(history: History) -> None:
    history.sync(72, HOME)
    assert history.page()[0].endswith(": stale, a last success is older than 9 h")
    assert history.page()[2] == "  Our Household  3 days ago       3  stale"


def test_one_budget_fails(history: History) -> None:
    history.sync(4, HOME, HOLIDAY)
    history.sync(0, HOME, HOLIDAY, rows=0, _2="could not read payees (503 Service Unavailable)")
    history.run(0, FAILED, error="Extractor failed")
    assert history.page() == [
        "Environment local, schema ynab: failed",
        "  budget         last success  rows  state",
        "  Ferienwohnung  4 h ago          0  failed 0 s ago",
        "  Our Household  0 s ago          0  fresh",
        "Ferienwohnung: could not read payees (503 Service Unavailable)",
    ]
    failed = history.document()["budgets"][0]
    assert failed["last_error"] == "could not read payees (503 Service Unavailable)"
    assert failed["last_error_at"] == "2026-11-21T12:00:00+00:00"


def test_a_failure_is_over_with_the_next_success(history: History) -> None:
    history.sync(4, HOME, _1="503")
    history.run(4, FAILED, error="Extractor failed")
    history.sync(0, HOME)
    history.run(0, SUCCEEDED)
    assert history.report().state == "fresh"
    assert "503" not in "".join(history.page())
    assert history.document()["budgets"][0]["last_error"] == "503"


def test_a_clock_that_was_a_year_ahead_hides_no_failure(history: History) -> None:
    history.sync(-365 * 24, HOME)
    assert history.report().state == "never"
    history.sync(4, HOME)
    assert history.report().state == "fresh"
    history.sync(0, HOME, _1="503")
    assert history.report().state == "failed"


def test_a_budget_that_has_never_succeeded(history: History) -> None:
    history.sync(0, HOME, _1="503")
    assert history.report().state == "failed"
    assert history.page()[2] == "  Our Household  never            3  failed 0 s ago"
    assert history.document()["budgets"][0]["age_seconds"] is None


def test_the_account_refuses_the_token(history: History) -> None:
    history.sync(4, HOME)
    history.sync(0, NOBODY, _None="YNAB does not accept the token")
    history.run(0, FAILED, error="Extractor failed")
    assert history.report().state == "failed"
    assert states(history.report()) == {"Our Household": "fresh"}
    assert history.page()[3:] == ["The run of 0 s ago failed: YNAB does not accept the token"]
    assert history.document()["account_error"] == "YNAB does not accept the token"


def test_the_token_works_again(history: History) -> None:
    history.sync(4, NOBODY, _None="YNAB does not accept the token")
    history.run(4, FAILED, error="Extractor failed")
    history.sync(0, HOME)
    history.run(0, SUCCEEDED)
    assert history.report().state == "fresh"


def test_an_account_that_was_never_reached(history: History) -> None:
    history.sync(0, NOBODY, _None="YNAB does not accept the token")
    assert history.report().state == "failed"


@pytest.mark.parametrize(("hours", "state"), [(0, "fresh"), (10, "stale")])
def test_an_account_without_budgets(history: History, hours: float, state: str) -> None:
    history.sync(hours, NOBODY, rows=0)
    assert history.report().state == state


def test_a_budget_that_the_account_no_longer_has(history: History) -> None:
    history.sync(30, HOME, HOLIDAY)
    history.sync(0, HOME)
    assert states(history.report()) == {"Our Household": "fresh", "Ferienwohnung": "left"}
    assert history.report().state == "fresh"
    assert history.page()[3] == "  Ferienwohnung  30 h ago         3  not in the last run"


def test_a_run_of_one_budget_hides_no_failure_of_another(history: History) -> None:
    history.sync(4, HOME, HOLIDAY, _2="503")
    history.sync(0, HOME)
    assert states(history.report()) == {"Our Household": "fresh", "Ferienwohnung": "failed"}
    assert history.report().state == "failed"


def test_no_run_can_list_the_budgets(history: History) -> None:
    """So that it cannot tell which there are."""
    history.sync(30, HOME)
    history.sync(0, NOBODY, _None="YNAB does not answer")
    assert states(history.report()) == {"Our Household": "stale"}


@pytest.mark.parametrize(("hours", "state"), [(4, "fresh"), (10, "stale")])
def test_the_hourly_limit_leaves_some_for_the_next_run(
    history: History, hours: float, state: str
) -> None:
    history.sync(hours, HOME)
    history.sync(0, HOME, _1="limit")
    history.run(0, FAILED, error="Extractor failed")
    assert history.report().state == state
    assert history.page()[2].endswith(f"  {state}, incomplete 0 s ago")


def test_a_first_load_that_the_hourly_limit_interrupts(history: History) -> None:
    history.sync(0, HOME, _1="limit")
    assert history.report().state == "stale"


def test_runs_without_the_stream_syncs(history: History) -> None:
    history.run(1, SUCCEEDED)
    assert history.report().state == "never"
    assert history.page()[1:] == [
        "Meltano's last run has succeeded, but the table syncs has no row of it: select",
        "  the stream syncs.",
    ]


def test_the_loader_fails_so_that_no_row_comes(history: History) -> None:
    history.sync(4, HOME)
    history.run(4, SUCCEEDED)
    history.run(0, FAILED, error="Loader failed")
    assert history.report().state == "failed"
    assert history.page()[3:] == ["sync failed 0 s ago: Loader failed. logs/meltano.log has more."]
    assert history.document()["failed_runs"] == [
        {
            "job": "sync",
            "state": "failed",
            "started_at": "2026-11-21T11:59:00+00:00",
            "last_sign_at": "2026-11-21T12:00:00+00:00",
            "error": "Loader failed",
        }
    ]


def test_a_run_dies_without_a_word(history: History) -> None:
    history.sync(4, HOME)
    history.run(4, SUCCEEDED)
    history.run(1, DIED)
    assert history.report().state == "failed"
    assert history.page()[3:] == [
        "sync died 1 h ago without a word: it was killed, or the machine stopped. The",
        "  next run goes on from there.",
    ]
    history.run(0, RUNNING)
    assert history.report().state == "failed"
    history.runs = history.runs[1:]
    history.sync(0, HOME)
    history.run(0, SUCCEEDED)
    assert history.report().state == "fresh"


def test_a_job_has_failed_until_it_succeeds(history: History) -> None:
    history.run(5, FAILED, "reconcile", "Loader failed")
    history.sync(1, HOME)
    history.run(1, SUCCEEDED)
    assert history.report().state == "failed"
    history.run(0, SUCCEEDED, "reconcile")
    assert history.report().state == "fresh"


def test_while_a_run_is_under_way(history: History) -> None:
    history.sync(4, HOME)
    history.run(4, SUCCEEDED)
    history.run(0, RUNNING)
    assert history.report().state == "fresh"
    assert history.page()[3:] == ["sync is under way, for 1 min"]
    assert [run["job"] for run in history.document()["running"]] == ["sync"]


def test_the_example_of_the_documents(history: History) -> None:
    history.sync(4 + 2 / 60, HOME, HOLIDAY)
    history.sync(
        2 / 60, HOME, HOLIDAY, _2="could not read payees (503 Service Unavailable)", rows=3
    )
    history.set_rows("2", 0)
    (block,) = page_of_documents("docs/status.md").code("console")
    later = [Scheduled("sync", NOW + timedelta(hours=4))]
    assert history.page(*later) == block.splitlines()[1:]


def test_the_next_run_is_on_another_day(history: History) -> None:
    at = Scheduled("reconcile", NOW + timedelta(hours=15))
    assert history.page(at)[-1] == (
        "Next run by the schedule: reconcile at 2026-11-22 03:00, in 15 h"
    )
    document = history.document(at)
    assert document["next_runs"] == [{"job": "reconcile", "at": "2026-11-22T03:00:00+00:00"}]


def test_fields_in_the_documents(history: History) -> None:
    history.sync(4, HOME, _1="503")
    history.run(0, DIED)
    text = page_of_documents("docs/status.md").text
    found = history.document()
    for fields in (found, found["budgets"][0], found["failed_runs"][0]):
        for name in fields:
            assert f"`{name}`" in text


def test_texts_from_elsewhere_control_no_terminal(history: History) -> None:
    name = "Home \x1b[31m\n" + "and more " * 20
    history.sync(0, ("1", name), _1="\x1b]0;title\x07 failed\n" + "again " * 40)
    text = "\n".join(history.page())
    assert "\x1b" not in text
    assert "\x07" not in text
    assert history.page()[2].startswith("  Home \N{REPLACEMENT CHARACTER}[31m")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3600 * 2 + 61, "2 h 1 min"),
        (3600 * 47, "47 h"),
        (3600 * 48, "2 days"),
    ],
)
def test_spans_of_time(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words
