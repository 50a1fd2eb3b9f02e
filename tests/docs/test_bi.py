"""docs/bi.md: roles that read the views alone, queries for other programs, and the examples."""

# ruff: noqa: S608 -- the statements have names of ours

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest
from project_postgres import Server
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from ynab_pipeline import views
from ynab_sandbox import Sandbox, serve

from tests.support.databases import copy_of, new_database
from tests.support.figures import Expected, month_of, units
from tests.support.pages import code_of, page
from tests.support.pipeline import PROJECT, Database, Pipeline, Tap
from tests.support.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BI = page("docs/bi.md")
EXAMPLES = PROJECT / "docs/examples"
PROGRAMS = Path(os.environ.get("LOADERS") or PROJECT / ".venv-loaders") / "bi/bin"
TODAY = date(2026, 11, 21)
FACTS = BI.table("fact", "`budgets`", "`accounts`", "`categories`")
DIMENSIONS = {"budgets": "budget_id", "accounts": "account_id", "categories": "category_id"}
#: Statements that make a role, and queries.
ROLE, *_ = QUERIES = BI.code("sql")
#: Has DuckDB take its extension from a package.
INSTALL = """
import duckdb, duckdb_extension_postgres_scanner as package, pathlib
(path,) = pathlib.Path(package.__file__).parent.rglob("*.duckdb_extension")
duckdb.execute(f"install '{path}'")
"""


class Loaded(NamedTuple):
    """What is in a database with views, and a role that reads these."""

    database: Database
    reader: Database
    expected: list[Expected]


@contextmanager
def reading(server: Server, database: Database) -> Iterator[Database]:
    """The same database for a reader of the schema `budget`."""
    folder, name = server.folder, f"bi_{uuid.uuid4().hex}"
    of_database = Server(folder, str(conninfo_to_dict(database.url)["dbname"]))
    try:
        yield Database(of_database.reader(name, ["budget"]))
    finally:
        of_database.revoke_reader(name)


def make(database: Database) -> bool:
    with psycopg.connect(database.url) as session:
        return views.make(session, VIEWS, "ynab", "budget")


@pytest.fixture(scope="module")
def loaded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Two budgets with views. Tests do not change them."""
    account = Sandbox(today=TODAY, transactions=400, rate_limit=None)
    with serve(account) as url:
        tap = Tap(tmp_path_factory.mktemp("tap"), {"access_token": account.token, "api_url": url})
        pipeline = Pipeline(tap, new_database(server))
        assert pipeline.sync().code == 0
    database = pipeline.database
    database.execute(f"update ynab.syncs set finished_at = '{TODAY} 12:00'")
    make(database)
    with reading(server, database) as reader:
        yield Loaded(database, reader, [Expected(budget, TODAY) for budget in account.budgets])


def ask(loaded: Loaded, query: str, budget: str = "") -> list[dict[str, Any]]:
    """Run a query as the program in whose section it is."""
    for there, replacement in (
        ("{{budget}}", "'" + budget.replace("'", "''") + "'"),  # Metabase
        ("$__timeFilter(date)", "date BETWEEN '2020-01-01T00:00:00Z' AND '2040-01-01T00:00:00Z'"),
    ):
        query = query.replace(there, replacement)
    rows = loaded.reader.query(query)
    assert rows
    return rows


def currency(expected: Expected) -> str:
    assert expected.budget.currency_format
    return str(expected.budget.currency_format["iso_code"])


# The schema


def test_columns_have_plain_types(loaded: Loaded) -> None:
    rows = loaded.reader.query(
        "select distinct data_type from information_schema.columns where table_schema = 'budget'"
    )
    assert {row["data_type"] for row in rows} == {
        "bigint",
        "boolean",
        "date",
        "integer",
        "numeric",
        "text",
        "timestamp without time zone",
    }


def test_each_view_is_a_dimension_or_a_fact(loaded: Loaded) -> None:
    rows = loaded.reader.query(
        "select table_name from information_schema.views where table_schema = 'budget'"
    )
    facts = {code_of(fact) for fact, *_ in FACTS}
    assert {row["table_name"] for row in rows} == {*facts, *DIMENSIONS, "sync_runs"}


@pytest.mark.parametrize(("dimension", "key"), DIMENSIONS.items())
def test_a_dimension_has_one_row_for_each_key(loaded: Loaded, dimension: str, key: str) -> None:
    (row,) = loaded.reader.query(
        f"select count(*), count(distinct {key}) as keys from budget.{dimension}"
    )
    assert row["count"] == row["keys"] > 0


@pytest.mark.parametrize("row", FACTS, ids=lambda row: code_of(row[0]))
def test_what_joins_facts_and_dimensions(loaded: Loaded, row: tuple[str, ...]) -> None:
    fact, *keys = row
    columns = loaded.reader.query(
        "select column_name as name from information_schema.columns "
        "where table_schema = 'budget' and table_name = %s and column_name ~ %s",
        code_of(fact),
        "(budget|account|category)_id$",
    )
    joined = [re.findall(r"`(\w+)`", cell) for cell in keys]
    assert sorted(name for names in joined for name in names) == sorted(
        column["name"] for column in columns
    )
    for (dimension, key), names in zip(DIMENSIONS.items(), joined, strict=True):
        for name in names:
            assert name.endswith(key)
            lost = loaded.reader.query(
                f"select f.{name} from budget.{code_of(fact)} as f "
                f"left join budget.{dimension} as d on d.{key} = f.{name} "
                f"where f.{name} is not null and d.{key} is null"
            )
            assert lost == []


# Roles


def denied(reader: Database, statement: str) -> bool:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.query(f"set transaction read write; {statement}")
    return True


def assert_reads_views_alone(reader: Database, owner: Database) -> None:
    """Whenever the views were made."""
    assert make(owner)
    assert reader.query("select * from budget.net_worth limit 1")
    owner.execute(
        "drop view budget.net_worth; create view budget.net_worth as select 1 as one;"
        "comment on view budget.net_worth is 'One'; comment on column budget.net_worth.one is '1'"
    )
    assert make(owner)  # all are dropped for this
    for fact, *_ in FACTS:
        assert reader.query(f"select * from budget.{code_of(fact)} limit 1")
    for statement in (
        "table ynab.transactions",
        "table ynab.syncs",
        "create table budget.mine (id int)",
        "create or replace view budget.entries as select 1",
        "drop view budget.entries",
    ):
        assert denied(reader, statement)


def test_a_reader_reads_the_views_alone(loaded: Loaded, server: Server) -> None:
    """Also one that was made before them."""
    database = copy_of(loaded.database, server)
    database.execute("drop schema budget cascade")
    with reading(server, database) as reader:
        assert_reads_views_alone(reader, database)


def test_a_reader_in_a_server_of_ones_own(loaded: Loaded, server: Server) -> None:
    """The statements of the page, and a loader that is no superuser."""
    database = copy_of(loaded.database, server)
    loader, name = (f"bi_{uuid.uuid4().hex}" for _ in range(2))
    of_server = conninfo_to_dict(database.url)
    database.execute(f"""
      drop schema budget cascade;
      create role {loader} login password 'secret';
      grant usage on schema ynab to {loader};
      grant select on all tables in schema ynab to {loader};
    """)
    statements = re.sub(r"\bmetabase\b", name, ROLE).replace("PASSWORD", "secret")
    for place, own in (("database", of_server["dbname"]), ("role|authorization", loader)):
        statements = re.sub(rf"\b({place}) ynab\b", rf"\1 {own}", statements)
    assert "ynab" not in statements
    database.execute(statements)
    try:
        owner, reader = (
            Database(make_conninfo(database.url, user=role, password="secret"))  # noqa: S106
            for role in (loader, name)
        )
        assert_reads_views_alone(reader, owner)
    finally:
        for role in (name, loader):
            database.execute(f"drop owned by {role} cascade; drop role {role}")


def test_the_fields_that_programs_have(loaded: Loaded) -> None:
    """Without what else is in the URL."""
    url = urlsplit(loaded.reader.url)
    with psycopg.connect(
        host=url.hostname,
        port=url.port,
        dbname=url.path.strip("/"),
        user=url.username,
        password=url.password,
        sslmode="disable",
    ) as connection:
        assert connection.execute("select from budget.entries").rowcount > 0


# Queries


def test_metabase(loaded: Loaded) -> None:
    assert BI.text.index(QUERIES[1]) > BI.text.index("## Metabase")
    for expected in loaded.expected:
        spent: Counter[str | None] = Counter()
        for whole, line in expected.lines:
            if expected.kind(whole, line) == "spending" and whole["date"] >= "2025-12":
                category = expected.category(line["category_id"])
                spent[category["group"] if category else None] -= line["amount"]
        rows = ask(loaded, QUERIES[1], expected.budget.name)
        assert {row["category_group_name"]: row["spent"] for row in rows} == {
            group: units(amount) for group, amount in spent.items()
        }
        assert {row["currency"] for row in rows} == {currency(expected)}

        rows = ask(loaded, QUERIES[2], expected.budget.name)
        figures = expected.budget_vs_actual()
        this_month = [row for (month, _), row in figures.items() if month == month_of(TODAY)]
        wanted = [(group, name, *amounts[:3]) for name, group, *amounts in this_month]
        shown = [
            (
                row["category_group_name"],
                row["category_name"],
                row["assigned"],
                -row["spent"],
                row["available"],
            )
            for row in rows
        ]
        assert sorted(shown) == sorted(wanted)
        overspent = [row["overspent_cash"] + row["overspent_credit"] for row in rows]
        assert overspent == sorted(overspent, reverse=True)

        rows = ask(loaded, QUERIES[3], expected.budget.name)
        assert [(row["month"], row["income"], row["expense"], row["net"]) for row in rows] == [
            (month, *amounts[:3]) for (month,), amounts in expected.income_vs_expense().items()
        ]


def test_grafana(loaded: Loaded) -> None:
    assert BI.text.index(QUERIES[4]) > BI.text.index("## Grafana")
    worth: dict[tuple[str, date], Decimal] = {}
    forecast: dict[tuple[str, date], Decimal] = {}
    for expected in loaded.expected:
        name = expected.budget.name
        by_day: defaultdict[date, Decimal] = defaultdict(Decimal)
        for (_, day), (balance, *_) in expected.net_worth().items():
            by_day[day] += balance
        worth |= {(name, day): balance for day, balance in by_day.items()}
        cash = {row[0] for row, (kind, *_) in expected.accounts().items() if kind == "cash"}
        forecast |= {
            (f"{name}: {account}", day): balance
            for (account, day), (balance, *_) in expected.cash_flow_forecast().items()
            if account in cash
        }
    for query, wanted in ((QUERIES[4], worth), (QUERIES[5], forecast)):
        rows = ask(loaded, query)
        assert {(row["metric"], row["time"].date()): row["value"] for row in rows} == wanted
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    hours = {row["metric"]: row["value"] for row in ask(loaded, QUERIES[6])}
    assert hours.keys() == {expected.budget.name for expected in loaded.expected}
    assert len(set(hours.values())) == 1


def test_power_bi(loaded: Loaded) -> None:
    assert BI.text.index(QUERIES[7]) > BI.text.index("## Power BI")
    assert len(QUERIES) == 8
    ends = [
        (balance, day)
        for expected in loaded.expected
        for (_, day), (balance, _, _, is_end, *_) in expected.net_worth().items()
        if is_end
    ]
    rows = ask(loaded, QUERIES[7])
    assert sorted((row["balance"], row["date"]) for row in rows) == sorted(ends)


# Programs


def run(name: str, loaded: Loaded, folder: Path) -> list[list[str]]:
    """Run a program with the URL as its input, and return the words that it prints."""
    assert f"docs/examples/{name}" in BI.text
    finished = subprocess.run(
        [PROGRAMS / "python", EXAMPLES / name],
        input=f"{loaded.reader.url}\n",
        env={"PATH": os.defpath, "HOME": str(folder)},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return [line.split("\t") for line in finished.stdout.splitlines()]


def test_pandas(loaded: Loaded, installed: Callable[[str], str], tmp_path: Path) -> None:
    installed(str(PROGRAMS.parent))
    names, _, *months = [line for (line,) in run("net_worth.py", loaded, tmp_path)]
    worth: defaultdict[date, dict[str, Decimal]] = defaultdict(dict)
    for expected in loaded.expected:
        budget = expected.budget
        assert f"{budget.name}, {currency(expected)}" in names
        for (_, day), (balance, _, _, is_end, *_) in expected.net_worth().items():
            if is_end:
                month = worth[month_of(day)]
                month[budget.id] = month.get(budget.id, Decimal()) + balance
    columns = sorted(expected.budget.id for expected in loaded.expected)
    assert [line.split() for line in months] == [
        [str(month), *(str(balances.get(column, "NaN")) for column in columns)]
        for month, balances in sorted(worth.items())
    ]


def test_duckdb(loaded: Loaded, installed: Callable[[str], str], tmp_path: Path) -> None:
    installed(str(PROGRAMS.parent))
    # So that DuckDB finds what it would download
    subprocess.run(
        [PROGRAMS / "python", "-c", INSTALL], env={"HOME": str(tmp_path)}, check=True, timeout=60
    )
    head, *rows = run("spending.py", loaded, tmp_path)
    assert head == ["budget_name", "currency", "year", "category_group", "spent"]
    spent: Counter[tuple[str, ...]] = Counter()
    for expected in loaded.expected:
        budget = expected.budget
        for whole, line in expected.lines:
            if expected.kind(whole, line) == "spending":
                category = expected.category(line["category_id"])
                group = category["group"] if category else "None"
                year = whole["date"][:4]
                spent[budget.name, currency(expected), year, group] -= line["amount"]
    assert {tuple(row) for row in rows} == {(*key, f"{units(n):.3f}") for key, n in spent.items()}
