"""One account with budgets of every kind, loaded once, and its report."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from ynab_sandbox import Sandbox, serve

from tests.support.currencies import KUWAIT, YEN
from tests.support.databases import new_database
from tests.support.pipeline import Pipeline, Tap
from tests.support.reports import Built, build
from tests.support.views import apply_views

if TYPE_CHECKING:
    from project_postgres import Server

    from tests.support.pipeline import Database

TODAY = date(2026, 11, 21)
#: When all was synced. The page judges by the reader's clock, which tests set.
SYNCED = "2026-11-21 12:00"
#: Names that break a page which is not careful.
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<!-- <script>",
    "\u202e\u05e9\u05dc\u05d5\u05dd\u2067 \u0623\u0647\u0644\u0627",
    "👩‍👩‍👧‍👦 & \"quotes\" 'and' `more` \\u0041 %script% %data% \u2028",
    "Verylongnamewithoutanyspaceinit" * 12,
)
HOSTILE_BUDGET = "</title></script><b>Hostile & Söhne"
_EMPTY = "".join(
    f"delete from ynab.{table} where budget_id = '{{0}}';"  # noqa: S608 -- names of tables
    for table in (
        *("accounts", "categories", "category_groups", "payees", "transactions", "months"),
        *("month_categories", "scheduled_transactions"),
    )
)
_ONE_DAY = """
delete from ynab.transactions where budget_id = '{0}' and date <> '{1}';
delete from ynab.months where budget_id = '{0}' and month < date_trunc('month', date '{1}');
delete from ynab.month_categories
  where budget_id = '{0}' and month < date_trunc('month', date '{1}');
delete from ynab.scheduled_transactions where budget_id = '{0}';
"""


@pytest.fixture(scope="session")
def account() -> Sandbox:
    """A household, a holiday flat, and budgets that are odd in one way each."""
    sandbox = Sandbox(today=TODAY, transactions=400, rate_limit=None)
    sandbox.add_budget("Three decimals", currency_format=KUWAIT)
    sandbox.add_budget("Yen", currency_format=YEN)
    sandbox.add_budget("Without a format", currency_format=None, date_format=None)
    hostile = sandbox.add_budget(HOSTILE_BUDGET)
    for kind in ("accounts", "category_groups", "categories", "payees"):
        rows = [row for row in hostile.entities(kind) if not row.get("internal")]
        for name, row in zip(HOSTILE, rows, strict=False):
            hostile.edit(kind, row["id"], name=name)
    sandbox.add_budget("Empty")
    one_day = sandbox.add_budget("One day")
    one_day.add("transactions", date=TODAY.isoformat(), amount=-12_340)
    household = sandbox.budgets[0]
    twin = household.add("payees", name="SHELL #4711")
    household.add("transactions", payee_id=twin, amount=-1000)
    return sandbox


@pytest.fixture(scope="session")
def loaded(account: Sandbox, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """All of it in a database, with the views."""
    database = new_database(server)
    folder = tmp_path_factory.mktemp("tap")
    with serve(account, port=0) as url:
        tap = Tap(folder, {"access_token": account.token, "api_url": url})
        assert Pipeline(tap, database).sync().code == 0
    names = {budget.name: budget.id for budget in account.budgets}
    statements = f"""
      update ynab.syncs set started_at = '{SYNCED}', finished_at = '{SYNCED}';
      {_EMPTY.format(names["Empty"])}
      {_ONE_DAY.format(names["One day"], TODAY)}
    """  # noqa: S608 -- ids and days of this file
    database.execute(statements)
    apply_views(database)
    return database


@pytest.fixture(scope="session")
def report(loaded: Database, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The report of all budgets."""
    built = build(loaded, tmp_path_factory.mktemp("report"))
    assert (built.code, built.stderr) == (0, "")
    return built
