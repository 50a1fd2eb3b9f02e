"""The file: for its owner alone, small, self-contained, whole or not there; and its errors."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.report.conftest import HOSTILE, HOSTILE_BUDGET
from tests.support.databases import copy_of, new_database
from tests.support.environment import BARE
from tests.support.pipeline import PROJECT
from tests.support.reports import REPORT, build

if TYPE_CHECKING:
    from pathlib import Path

    from project_postgres import Server

    from tests.support.pipeline import Database
    from tests.support.reports import Built

MEGABYTES = 1_000_000


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_for_its_owner_alone(loaded: Database, tmp_path: Path) -> None:
    (tmp_path / "output").mkdir(mode=0o755)
    (tmp_path / "output/budget.html").write_text("what was there before")
    (tmp_path / "output/budget.html").chmod(0o644)
    built = build(loaded, tmp_path)
    assert (built.code, built.stdout) == (0, "report: output/budget.html\n")
    assert mode(built.path) == 0o600
    assert [path.name for path in built.path.parent.iterdir()] == ["budget.html"]

    assert build(loaded, tmp_path, "--output", "new/deep/page.html").code == 0
    assert mode(tmp_path / "new/deep/page.html") == 0o600
    assert mode(tmp_path / "new/deep") == mode(tmp_path / "new") == 0o700


@pytest.mark.parametrize("name", ["budget.html", "redacted.html", "ada/budget.html"])
def test_git_ignores_it(name: str) -> None:
    git = str(shutil.which("git"))
    found = subprocess.run([git, "check-ignore", "-q", f"output/{name}"], cwd=PROJECT, check=False)
    assert found.returncode == 0


def test_a_file_that_cannot_be_written(loaded: Database, tmp_path: Path) -> None:
    (tmp_path / "output").write_text("no folder")
    built = build(loaded, tmp_path)
    assert built.code == 1
    assert built.stderr == "ynab-report: cannot write output/budget.html: File exists\n"
    (tmp_path / "folder").mkdir()
    built = build(loaded, tmp_path, "--output", "folder")
    assert built.code == 1
    assert built.stderr == "ynab-report: cannot write folder: Is a directory\n"


def test_everything_comes_with_the_file(report: Built) -> None:
    page = report.text
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert found
    policy = dict(part.split(" ", 1) for part in found[1].split("; "))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in found[1]
    assert "http" not in found[1]
    parts = {
        "script-src": re.findall(r"<script>(.*?)</script>", page, re.DOTALL),
        "style-src": re.findall(r"<style>(.*?)</style>", page, re.DOTALL),
    }
    for source, texts in parts.items():
        hashes = [
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in texts
        ]
        assert policy[source].split() == hashes
    assert [len(texts) for texts in parts.values()] == [2, 1]
    assert not re.search(r"<(?:link|img|iframe|object|embed|base)\b|<script [^>]*src", page)


def test_no_id_of_ynab_is_in_it(report: Built, loaded: Database) -> None:
    page = report.text
    for table in ("budgets", "accounts", "categories", "payees", "transactions"):
        rows = loaded.query(f"select id from ynab.{table}")  # noqa: S608 -- names of tables
        assert not [row["id"] for row in rows if row["id"] in page]


def test_names_arrive_as_they_are(report: Built) -> None:
    budget = report.budget(HOSTILE_BUDGET)
    names = {account["name"] for account in budget["accounts"]}
    assert names >= set(HOSTILE[: len(names)])
    assert names | set(budget["payees"]) >= {*HOSTILE}
    # The data could end the script in no way that HTML knows.
    data = report.text.partition('id="data">')[2].partition("</script>")[0]
    assert not set(data) & set("<>&\u2028\u2029")


#: 150 transactions a month for fifteen years, at 400 payees, and 60 categories in each month.
FIFTEEN_YEARS = """
create temp table household as select id as budget_id from ynab.budgets where name = %s;
create temp table days as
  select n, date '2026-11-21' - (n * 5479 / 27000)::integer as date
  from generate_series(0, 26999) as n;

insert into ynab.payees
select made.*
from household join ynab.payees as t using (budget_id), generate_series(0, 399) as n,
  jsonb_populate_record(null::ynab.payees, to_jsonb(t) || jsonb_build_object(
    'id', 'payee-' || n, 'name', 'Somebody in the town, No. ' || n)) as made
where t.name = 'Shell';

insert into ynab.categories
select made.*
from household join ynab.categories as t using (budget_id), generate_series(0, 59) as n,
  jsonb_populate_record(null::ynab.categories, to_jsonb(t) || jsonb_build_object(
    'id', 'category-' || n, 'name', 'Something for the house, No. ' || n)) as made
where t.name = 'Groceries';

insert into ynab.transactions
select made.*
from days,
  (
    select t.* from household join ynab.transactions as t using (budget_id)
    where t.payee_name = 'Shell' and not t.is_split limit 1
  ) as t,
  jsonb_populate_record(null::ynab.transactions, to_jsonb(t) || jsonb_build_object(
    'id', 'transaction-' || n, 'date', days.date, 'amount', -10 * (n % 9973),
    'payee_id', 'payee-' || n * 7 % 400, 'category_id', 'category-' || n * 11 % 60)) as made;

insert into ynab.month_categories
select made.*
from (select distinct date_trunc('month', date)::date as month from days) as each,
  generate_series(0, 59) as n,
  (select t.* from household join ynab.month_categories as t using (budget_id) limit 1) as t,
  jsonb_populate_record(null::ynab.month_categories, to_jsonb(t) || jsonb_build_object(
    'id', 'month-category-' || each.month || n, 'month', each.month,
    'category_id', 'category-' || n, 'budgeted', 123450 + n * 1230,
    'activity', -120000 - n * 990, 'balance', 98760 + n * 870)) as made;
analyze;
"""


def test_fifteen_years_stay_under_two_megabytes(
    loaded: Database, server: Server, tmp_path: Path
) -> None:
    database = copy_of(loaded, server)
    database.execute(FIFTEEN_YEARS.replace("%s", "'Our Household'"))
    (counted,) = database.query("select count(*) as rows from budget.spending")
    assert counted["rows"] > 20_000
    built = build(database, tmp_path)
    assert (built.code, built.stderr) == (0, "")
    assert built.path.stat().st_size < 2 * MEGABYTES


@pytest.mark.parametrize("variable", ["PGHOST", "PGPASSWORD", "PGDATABASE"])
def test_a_database_that_cannot_be_reached(loaded: Database, tmp_path: Path, variable: str) -> None:
    wrong = {"PGHOST": str(tmp_path), "PGPASSWORD": "wr0ng", "PGDATABASE": "another"}[variable]
    built = build(loaded, tmp_path, **{variable: wrong})
    assert built.code == 1
    assert re.fullmatch(r"ynab-report: cannot read the database: .+\n", built.stderr)
    assert "wr0ng" not in built.stderr
    assert not (tmp_path / "output").exists()


def test_views_that_are_missing(server: Server, tmp_path: Path) -> None:
    database = new_database(server)
    for _ in range(2):
        built = build(database, tmp_path)
        assert built.code == 1
        assert built.stderr == (
            "ynab-report: the schema budget lacks views; make them first: "
            ".venv/bin/meltano invoke target-postgres:psql -f transform/views.sql\n"
        )
        database.execute("create schema if not exists budget")
    database.execute("create view budget.budgets as select 1 as one")
    built = build(database, tmp_path)
    assert built.code == 1
    assert 'of another version (column "budget_id" does not exist)' in built.stderr
    built = build(database, tmp_path, YNAB_BUDGET_SCHEMA="anna's")
    assert "the schema anna's lacks views" in built.stderr


def test_another_schema(loaded: Database, server: Server, tmp_path: Path) -> None:
    database = copy_of(loaded, server)
    database.execute('alter schema budget rename to "Anna\'s budget"')
    assert build(database, tmp_path).code == 1
    built = build(database, tmp_path, YNAB_BUDGET_SCHEMA="Anna's budget")
    assert (built.code, built.stderr) == (0, "")


def test_an_account_without_budgets(loaded: Database, server: Server, tmp_path: Path) -> None:
    database = copy_of(loaded, server)
    database.execute("delete from ynab.budgets")
    built = build(database, tmp_path)
    assert (built.code, built.data["budgets"]) == (0, [])


@pytest.mark.parametrize("hours", ["soon", "-1", "nan"])
def test_hours_that_are_none(loaded: Database, tmp_path: Path, hours: str) -> None:
    built = build(loaded, tmp_path, YNAB_PIPELINE_STALE_AFTER=hours)
    assert built.code == 1
    message = "YNAB_PIPELINE_STALE_AFTER must be a number of hours above 0"
    assert built.stderr == f"ynab-report: {message}\n"


@pytest.mark.parametrize("arguments", [["bild"], ["build", "--redac"], ["build", "--out=x"]])
def test_wrong_usage(arguments: list[str]) -> None:
    """An option is not abbreviated: `ynab-pipeline-report` would not see it."""
    finished = subprocess.run(
        [REPORT, *arguments], env=BARE, capture_output=True, check=False, encoding="utf-8"
    )
    assert finished.returncode == 2
    assert "usage: ynab-report" in finished.stderr
