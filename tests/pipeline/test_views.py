"""The views are made before a report if they are not there as transform/views.sql has them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from ynab_pipeline import views
from ynab_pipeline.errors import PipelineError
from ynab_sandbox import serve

from tests.support.databases import copy_of, new_database
from tests.support.pipeline import PROJECT, Pipeline, Tap
from tests.support.small import small_sandbox
from tests.support.views import VIEWS, apply_views

if TYPE_CHECKING:
    from pathlib import Path

    from project_postgres import Server

    from tests.pipeline.conftest import Installation
    from tests.support.pipeline import Database

COMMENTED = "comment on view {0} is 'One'; comment on column {0}.one is 'The number one'"


@pytest.fixture(scope="module")
def loaded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Two small budgets without views. Tests do not change it."""
    account = small_sandbox()
    with serve(account) as url:
        tap = Tap(tmp_path_factory.mktemp("tap"), {"access_token": account.token, "api_url": url})
        pipeline = Pipeline(tap, new_database(server))
        assert pipeline.sync().code == 0
    return pipeline.database


@pytest.fixture
def database(loaded: Database, server: Server) -> Database:
    """A copy of the test's own."""
    return copy_of(loaded, server)


def make(database: Database, tables: str = "ynab", schema: str = "budget") -> bool:
    with psycopg.connect(database.url) as session:
        return views.make(session, VIEWS, tables, schema)


def described(database: Database, schema: str = "budget") -> list[dict[str, Any]]:
    """All columns of a schema, with their relations."""
    return database.query(
        "select relname, relkind, pg_get_viewdef(c.oid) as query, attname, "
        "atttypid::regtype::text as type, col_description(c.oid, attnum) as text "
        "from pg_class as c join pg_attribute on attrelid = c.oid "
        "where relnamespace = to_regnamespace(quote_ident(%s)) and attnum > 0 "
        "order by relname, attnum",
        schema,
    )


def refusal(database: Database, tables: str = "ynab") -> str:
    """The reason why the views are not made; nothing changes."""
    before = described(database)
    with pytest.raises(PipelineError) as error:
        make(database, tables)
    assert described(database) == before
    assert "\n" not in str(error.value)
    return str(error.value)


def test_they_are_made_once(database: Database) -> None:
    assert make(database)
    made = described(database)
    assert not make(database)
    apply_views(database)
    assert described(database) == made
    assert not make(database)


def test_of_several_at_once_one_makes_them(database: Database) -> None:
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(make, [database] * 4))
    assert sorted(made) == [False, False, False, True]


@pytest.mark.parametrize(
    "older",
    [
        "drop view budget.spending, budget.reconciliation",
        (
            "create table gone as table ynab.payees; drop table ynab.payees cascade;"
            "alter table gone set schema ynab; alter table ynab.gone rename to payees"
        ),
        "comment on column budget.entries.date is 'Day'",
        "alter view budget.entries rename column amount to sum",
        (
            "do $$ begin execute format('create or replace view budget.months as "
            "select *, 1 as more from (%s) as old', "
            "rtrim(pg_get_viewdef('budget.months'::regclass), ';')); end $$;"
            "comment on column budget.months.more is 'One'"
        ),
        "drop view budget.net_worth; create view budget.net_worth as select 1 as one;"
        + COMMENTED.format("budget.net_worth"),
    ],
)
def test_views_of_another_version_are_replaced(database: Database, older: str) -> None:
    make(database)
    made = described(database)
    database.execute(older)
    assert described(database) != made
    assert make(database)
    assert described(database) == made


@pytest.mark.parametrize(
    ("other", "whose"),
    [
        ("create table budget.accounts (id int)", "is not one of these views"),
        ("create view budget.accounts as select 1 as one", "is not one of these views"),
        (
            (
                "create schema ada; create table ada.accounts (one int);"
                "create view budget.accounts as table ada.accounts;"
                + COMMENTED.format("budget.accounts")
            ),
            "reads the schema ada, not ynab",
        ),
    ],
)
def test_what_is_not_ours_is_left_alone(database: Database, other: str, whose: str) -> None:
    database.execute(f"create schema budget; {other}")
    assert refusal(database) == (
        f"budget.accounts {whose}: set YNAB_BUDGET_SCHEMA to a schema of its own for the views"
    )


def test_views_of_ones_own_stay(database: Database) -> None:
    make(database)
    own = "create view budget.mine as select entry_id, amount as one from budget.entries"
    database.execute(f"{own}; comment on column budget.entries.date is 'Day'")
    assert make(database)
    kept = described(database)
    assert len([row for row in kept if row["relname"] == "mine"]) == 2
    # It would be dropped with a view that can't be replaced.
    database.execute(
        "drop view budget.net_worth; create view budget.net_worth as select 1 as one;"
        + COMMENTED.format("budget.net_worth")
    )
    assert "view budget.mine depends on view budget.entries" in refusal(database)


def test_views_that_somebody_reads(database: Database) -> None:
    """They are not waited for without an end, as other readers would wait, too."""
    make(database)
    made = described(database)
    database.execute("comment on column budget.entries.date is 'Day'")
    with (
        psycopg.connect(database.url) as reader,
        psycopg.connect(database.url, options="-c lock_timeout=100") as session,
    ):
        reader.execute("select from budget.accounts")
        with pytest.raises(PipelineError, match="keeps them or their tables locked"):
            views.make(session, VIEWS, "ynab", "budget")
    with psycopg.connect(database.url) as session:
        assert views.make(session, VIEWS, "ynab", "budget")
        assert session.execute("show lock_timeout").fetchall() == [("30s",)]
    assert described(database) == made


def test_schemas_of_a_tenant(database: Database) -> None:
    make(database)
    made = described(database)
    tables, schema = 'it\'s "ynab".', 'of "ada"'
    database.execute("""alter schema ynab rename to "it's ""ynab""." """)
    assert make(database, tables, schema)
    assert not make(database, tables, schema)
    assert len(described(database, schema)) == len(made)
    # PostgreSQL has followed the new name: it is still the same account.
    assert not make(database, tables)


def test_nothing_to_make_them_of(database: Database) -> None:
    assert refusal(database, "other") == (
        "there are no budgets in the schema other yet: run .venv/bin/meltano run sync"
    )
    database.execute("alter table ynab.payees drop column name")
    assert refusal(database) == (
        "column p.name does not exist, and the views need all streams and columns: "
        "run .venv/bin/meltano run sync"
    )


# The command


@pytest.mark.parametrize(
    ("suffix", "folder"),
    [("", ""), ("ada", "ada/"), ("../a/../..", "%2E.%2Fa%2F..%2F../"), ("ada.2", "ada.2/")],
)
def test_the_command(
    installation: Installation, database: Database, tmp_path: Path, suffix: str, folder: str
) -> None:
    (tmp_path / "transform").symlink_to(PROJECT / "transform")
    prepared = {
        "TARGET_POSTGRES_SSH_TUNNEL_ENABLE": "",
        "TARGET_POSTGRES_SQLALCHEMY_URL": database.loader_config["sqlalchemy_url"],
        "YNAB_PERSONAL_ACCESS_TOKEN": "secret",
        "MELTANO_RUN_STATE_ID_SUFFIX": suffix,
    }
    started = installation.started("budget_report", "build", **prepared)
    output = f"{tmp_path}/output/{folder}budget.html"
    assert started.arguments == ["build", "--output", output]
    found = conninfo_to_dict(database.url)
    for variable, name in (
        ("PGHOST", "host"),
        ("PGPORT", "port"),
        ("PGUSER", "user"),
        ("PGPASSWORD", "password"),
        ("PGDATABASE", "dbname"),
    ):
        assert started.environment[variable] == str(found[name])
    assert started.environment["YNAB_BUDGET_SCHEMA"] == "budget"
    assert "YNAB_PERSONAL_ACCESS_TOKEN" not in started.environment
    assert started.umask == 0o077
    assert not make(database)

    redacted = installation.started("budget_report", "build", "--redact", **prepared)
    assert redacted.arguments[-1] == output.replace("budget.html", "redacted.html")
    own = installation.started("budget_report", "build", "--output=mine.html", **prepared)
    assert own.arguments == ["build", "--output=mine.html"]
    refused = installation.run(
        "budget_report", "build", **prepared, TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="ada"
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(
        "ynab-pipeline-report: the tables are in the schema ada, so the views need one of their own"
    )
    assert "secret" not in refused.stderr
