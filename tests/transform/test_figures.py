"""The views show what Python computes from the sandbox, after whatever happened to the budgets."""

# ruff: noqa: S608 -- the statements have names and ids of ours

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from ynab_sandbox import Sandbox
from ynab_sandbox.names import FREQUENCIES

from tests.support.currencies import KUWAIT, YEN
from tests.support.figures import Expected
from tests.support.views import apply_views

if TYPE_CHECKING:
    from tests.support.pipeline import Database, Pipeline

TODAY = date(2026, 11, 21)
#: Of each view the columns that identify a row, and those that are compared: all others but ids,
#: and names of the budget and its currency.
COMPARED = {
    "budgets": (
        "budget_name",
        (
            "currency_symbol, symbol_first, decimal_digits, decimal_separator, group_separator, "
            "date_format, first_month, last_month, as_of"
        ),
    ),
    "categories": (
        "category_id",
        "category_name, category_group_name, category_kind, is_hidden, is_deleted",
    ),
    "accounts": (
        "account_name",
        "account_kind, on_budget, closed, balance, cleared_balance, uncleared_balance",
    ),
    "entries": (
        "entry_id",
        (
            "transaction_id, is_part, date, month, account_name, account_kind, on_budget, "
            "payee_id, payee_name, category_name, category_group_name, kind, amount, memo, "
            "cleared, approved, flag_color, flag_name, transfer_account_name, transfer_entry_id"
        ),
    ),
    "transfers": (
        "from_entry_id, to_entry_id",
        "date, from_account_name, to_account_name, amount, is_credit_card_payment, category_name",
    ),
    "net_worth": (
        "account_name, date",
        "balance, assets, debts, is_month_end, month, account_kind, on_budget",
    ),
    "budget_vs_actual": (
        "month, category_id",
        (
            "category_name, category_group_name, assigned, activity, available, overspent, "
            "overspent_cash, overspent_credit, goal_type, goal_target, goal_under_funded, "
            "goal_overall_funded, goal_overall_left, goal_percentage_complete, goal_target_date"
        ),
    ),
    "spending": ("month, category_name, payee_name", "spent"),
    "payee_trends": ("payee_name, month", "spent, income, entries"),
    "income_vs_expense": (
        "month",
        (
            "income, expense, net, savings_rate, ynab_income, ynab_expense, income_difference, "
            "expense_difference"
        ),
    ),
    "months": ("month", "ready_to_assign, income, assigned, activity, age_of_money, note"),
    "money_moves": (
        "money_movement_id",
        "month, from_category_name, to_category_name, amount, note",
    ),
    "upcoming": (
        "scheduled_transaction_id, date",
        (
            "occurrence, frequency, account_name, payee_name, category_name, category_group_name, "
            "amount, memo, is_split, transfer_account_name"
        ),
    ),
    "cash_flow_forecast": (
        "account_name, date",
        "balance, change, first_below_zero, is_first_below_zero",
    ),
    "reconciliation": (
        "account_name",
        (
            "balance, entries_balance, balance_difference, cleared_balance, "
            "entries_cleared_balance, cleared_difference, uncleared_entries, last_reconciled_at, "
            "days_since_reconciled, agrees"
        ),
    ),
}


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(today=TODAY, transactions=400, rate_limit=None)


def sync(pipeline: Pipeline, sandbox: Sandbox, *, full: bool = False) -> None:
    """Load, on the day of the sandbox's clock."""
    assert pipeline.sync(full=full).code == 0
    today = sandbox.clock.today().isoformat()
    pipeline.database.execute(f"update ynab.syncs set finished_at = '{today} 12:00'")


def assert_views_equal(database: Database, sandbox: Sandbox) -> None:
    for view, (keys, values) in COMPARED.items():
        currency = "null" if view == "categories" else "currency"
        rows = database.query(
            f"select budget_id, {currency} as currency, {keys}, {values} from budget.{view}"
        )
        shown: defaultdict[str, dict[Any, Any]] = defaultdict(dict)
        for row in rows:
            key = tuple(row[name] for name in keys.split(", "))
            assert key not in shown[row["budget_id"]], (view, key)
            shown[row["budget_id"]][key] = tuple(row[name] for name in values.split(", "))
        for budget in sandbox.budgets:
            wanted = getattr(Expected(budget, sandbox.clock.today()), view)()
            own = shown[budget.id]
            assert own.keys() == wanted.keys(), (view, budget.name)
            assert wanted, view
            other = {key: (own[key], row) for key, row in wanted.items() if own[key] != row}
            assert not other, (view, budget.name, values, "(shown, wanted)", other)
            iso_code = (budget.currency_format or {}).get("iso_code")
            found = {row["currency"] for row in rows if row["budget_id"] == budget.id}
            assert found == {None if view == "categories" else iso_code}
        assert shown.keys() == {budget.id for budget in sandbox.budgets}, view


def happen(sandbox: Sandbox) -> None:
    """Edits, deletions and renames in all budgets."""
    for budget in sandbox.budgets:
        transactions = budget.entities("transactions")
        plain = [
            row
            for row in transactions
            if not row["subtransactions"] and not row["transfer_account_id"] and row["amount"] < 0
        ]
        split = next(row for row in transactions if row["subtransactions"])
        transfer = next(row for row in transactions if row["transfer_account_id"])
        categories = [row for row in budget.entities("categories") if not row["internal"]]
        budget.edit("transactions", plain[0]["id"], amount=-1234567, memo="edited")
        budget.edit("transactions", plain[1]["id"], amount=98765)  # a refund
        budget.edit("transactions", plain[2]["id"], payee_id=None)
        first, second, *_ = split["subtransactions"]
        parts = [
            {**first, "amount": split["amount"] - 1, "payee_id": plain[3]["payee_id"]},
            {"amount": 1, "category_id": second["category_id"]},
        ]
        budget.edit("transactions", split["id"], subtransactions=parts)
        budget.delete("transactions", transfer["id"])
        budget.delete("transactions", plain[4]["id"])
        budget.delete("categories", plain[5]["category_id"])
        budget.delete("payees", plain[6]["payee_id"])
        account = next(row for row in budget.entities("accounts") if row["type"] == "cash")
        budget.delete("accounts", account["id"])
        alive = next(row for row in reversed(categories) if row["id"] != plain[5]["category_id"])
        budget.edit("categories", alive["id"], name="Renamed 🎈")
        group = next(row for row in budget.entities("category_groups") if not row["internal"])
        budget.edit("category_groups", group["id"], name="Another group")
        payee = budget.entities("payees")[-1]
        budget.edit("payees", payee["id"], name="Renamed payee")
        budget.edit("accounts", budget.entities("accounts")[0]["id"], name="Renamed account")
        scheduled = budget.entities("scheduled_transactions")
        budget.delete("scheduled_transactions", scheduled[1]["id"])
        budget.edit("scheduled_transactions", scheduled[2]["id"], amount=-5_000_000)
        budget.edit("scheduled_transactions", scheduled[3]["id"], date_next="2026-11-01")


@pytest.mark.slow
def test_figures(pipeline: Pipeline, sandbox: Sandbox) -> None:
    database = pipeline.database
    sync(pipeline, sandbox)
    apply_views(database)
    assert_views_equal(database, sandbox)

    happen(sandbox)
    sandbox.add_budget("With three decimals", currency_format=KUWAIT)
    sandbox.add_budget("Without", currency_format=YEN)
    sandbox.add_budget("Without a format", currency_format=None, date_format=None)
    sync(pipeline, sandbox)
    assert_views_equal(database, sandbox)

    sandbox.advance_month()
    budget = sandbox.budgets[2]
    budget.add("transactions", amount=-1_234_567, date=sandbox.clock.today().isoformat())
    sync(pipeline, sandbox)
    assert_views_equal(database, sandbox)
    sums = database.query(
        "select sum(amount) from budget.entries where budget_id = %s and amount = -1234.567",
        budget.id,
    )
    assert [str(row["sum"]) for row in sums] == ["-1234.567"]

    # Without a tombstone
    for each in sandbox.budgets:
        gone = next(
            row
            for row in each.entities("transactions")
            if not row["transfer_account_id"] and not row["subtransactions"]
        )
        each.delete("transactions", gone["id"])
        each.forget("transactions", gone["id"])
    sandbox.remove_budget("Without")
    sync(pipeline, sandbox, full=True)
    apply_views(database)
    assert_views_equal(database, sandbox)


#: First date, next date, frequency; and in the lines below, the dates until 2028-12-15. The third
#: monthly one was moved to the 28th.
DUE = """\
2027-12-20 2027-12-20 never
  2027-12-20
2027-12-20 2027-12-20 somethingNew
  2027-12-20
2027-08-31 2027-12-31 monthly
  2027-12-31 2028-01-31 2028-02-29 2028-03-31 2028-04-30 2028-05-31 2028-06-30 2028-07-31
  2028-08-31 2028-09-30 2028-10-31 2028-11-30
2027-01-30 2028-02-29 monthly
  2028-02-29 2028-03-30 2028-04-30 2028-05-30 2028-06-30 2028-07-30 2028-08-30 2028-09-30
  2028-10-30 2028-11-30
2027-01-31 2028-09-28 monthly
  2028-09-28 2028-10-28 2028-11-28
2027-10-31 2028-04-30 twiceAMonth
  2028-04-30 2028-05-16 2028-05-31 2028-06-16 2028-06-30 2028-07-16 2028-07-31 2028-08-16
  2028-08-31 2028-09-16 2028-09-30 2028-10-16 2028-10-31 2028-11-16 2028-11-30
2027-10-15 2028-02-29 twiceAMonth
  2028-02-29 2028-03-15 2028-03-30 2028-04-15 2028-04-30 2028-05-15 2028-05-30 2028-06-15
  2028-06-30 2028-07-15 2028-07-30 2028-08-15 2028-08-30 2028-09-15 2028-09-30 2028-10-15
  2028-10-30 2028-11-15 2028-11-30 2028-12-15
2027-10-31 2028-08-31 everyOtherMonth
  2028-08-31 2028-10-31
2027-11-30 2028-02-29 every3Months
  2028-02-29 2028-05-30 2028-08-30 2028-11-30
2027-10-31 2028-02-29 every4Months
  2028-02-29 2028-06-30 2028-10-31
2027-08-31 2028-02-29 twiceAYear
  2028-02-29 2028-08-31
2024-02-29 2027-02-28 yearly
  2027-02-28 2028-02-29
2023-12-01 2027-12-01 everyOtherYear
  2027-12-01
2024-02-29 2026-02-28 everyOtherYear
  2026-02-28 2028-02-29
2028-10-01 2028-11-20 every4Weeks
  2028-11-20
2028-10-01 2028-11-20 everyOtherWeek
  2028-11-20 2028-12-04
2028-10-01 2028-11-30 weekly
  2028-11-30 2028-12-07 2028-12-14
2028-10-01 2028-12-13 daily
  2028-12-13 2028-12-14 2028-12-15
2028-12-16 2028-12-16 daily
"""


def test_when_scheduled_transactions_are_due(pipeline: Pipeline, sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    sandbox.advance((date(2027, 12, 15) - TODAY) / timedelta(seconds=1))
    wanted = {
        budget.add(
            "scheduled_transactions",
            date_first=first,
            date_next=following,
            frequency=frequency,
            amount=-1000,
        ): dates.split()
        for first, following, frequency, dates in re.findall(
            r"(?m)^(\S+) (\S+) (\S+)\n((?:  .*\n)*)", DUE
        )
    }
    assert {line.split()[-1] for line in DUE.splitlines()} >= {*FREQUENCIES}
    sync(pipeline, sandbox)
    apply_views(pipeline.database)
    shown: defaultdict[str, list[str]] = defaultdict(list)
    for row in pipeline.database.query(
        "select scheduled_transaction_id as id, date from budget.upcoming order by date"
    ):
        shown[row["id"]].append(row["date"].isoformat())
    assert {identity: shown[identity] for identity in wanted} == wanted


def test_a_payee_that_is_there_twice(pipeline: Pipeline, sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    names = {row["name"]: row["id"] for row in budget.entities("payees")}
    other_names = ("SHELL #4711", "b&h photo.", "本屋 Books 2")
    twins = [budget.add("payees", name=name) for name in other_names]
    for number, payee in enumerate([*twins, budget.add("payees", name="Shelly")]):
        budget.add("transactions", payee_id=payee, amount=-1000 - number)
    for name in ("Loan 1", "Loan 2"):  # payees of transfers are accounts
        loan = budget.add("accounts", name=name, type="personalLoan", on_budget=False)
        budget.add("transactions", transfer_account_id=loan, amount=-1000)
    sync(pipeline, sandbox)
    apply_views(pipeline.database)
    names_shown = pipeline.database.query("select distinct payee_name as name from budget.spending")
    assert {"Transfer : Loan 1", "Transfer : Loan 2"} <= {row["name"] for row in names_shown}
    rows = pipeline.database.query(
        "select distinct payee_id, likely_duplicate_of_id as other from budget.payee_trends "
        "where likely_duplicate_of_id is not null"
    )
    assert {row["payee_id"]: row["other"] for row in rows} == dict(
        zip(twins, (names[n] for n in ("Shell", "B&amp;H Photo", "本屋 Books")), strict=True)
    )


def test_differences_are_shown(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """YNAB may differ from its own transactions: a view says so and loses no row."""
    sync(pipeline, sandbox)
    database = pipeline.database
    apply_views(database)
    budget = sandbox.budgets[0]
    account = budget.entities("accounts")[0]
    transfer = database.query(
        "select * from budget.transfers where from_account_id = %s", account["id"]
    )[0]
    database.execute(f"""
      update ynab.accounts set balance = balance + 1, cleared_balance = cleared_balance - 5
      where id = '{account["id"]}';
      delete from ynab.transactions where id = '{transfer["to_entry_id"]}';
      update ynab.months set income = income + 2 where id = '{budget.id}|2026-11-01';
    """)
    (row,) = database.query("select * from budget.reconciliation where balance_difference = 0.001")
    assert (row["account_id"], row["agrees"]) == (account["id"], False)
    assert str(row["cleared_difference"]) == "-0.005"
    (row,) = database.query("select * from budget.income_vs_expense where income_difference <> 0")
    assert str(row["income_difference"]) == "-0.002"
    (row,) = database.query("select * from budget.transfers where to_entry_id is null")
    assert {**transfer, "to_entry_id": None} == row


#: As YNAB has them, today and in old budgets; the last one is to come.
KINDS_OF_TYPES = """\
cash: checking savings cash payPal merchantAccount
credit: creditCard lineOfCredit
loan: mortgage autoLoan studentLoan personalLoan medicalDebt otherDebt otherLiability
asset: otherAsset investmentAccount somethingNew
"""


def test_kinds_of_accounts(pipeline: Pipeline, sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    wanted = {
        budget.add("accounts", name=type_, on_budget=kind in ("cash", "credit")): kind
        for kind, types in (line.split(": ") for line in KINDS_OF_TYPES.splitlines())
        for type_ in types.split()
    }
    sync(pipeline, sandbox)
    database = pipeline.database
    database.execute("update ynab.accounts set type = name where name !~ ' '")
    apply_views(database)
    rows = database.query("select account_id, account_kind from budget.accounts")
    shown = {row["account_id"]: row["account_kind"] for row in rows}
    assert {account: shown[account] for account in wanted} == wanted


def test_what_has_no_category(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """It is in no list, and counts like what is in Uncategorized."""
    sync(pipeline, sandbox)
    database = pipeline.database
    apply_views(database)
    (entry,) = database.query(
        "select * from budget.entries where kind = 'spending' and not is_part "
        "and transfer_account_id is null order by date desc limit 1"
    )
    moved = database.query("select * from budget.money_moves order by moved_at")[-1]
    database.execute(f"""
      update ynab.transactions set category_id = null where id = '{entry["entry_id"]}';
      update ynab.money_movements set from_category_id = null
      where id = '{moved["money_movement_id"]}';
    """)
    none = {"category_id": None, "category_group_id": None, "category_group_name": None}
    (now,) = database.query("select * from budget.entries where entry_id = %s", entry["entry_id"])
    assert now == {**entry, **none, "category_name": "Uncategorized"}
    (spent,) = database.query("select * from budget.spending where category_id is null")
    assert (spent["category_name"], spent["spent"]) == ("Uncategorized", -entry["amount"])
    (source,) = database.query(
        "select from_category_name as name from budget.money_moves where from_category_id is null"
    )
    assert source["name"] == "Ready to Assign"


def test_odd_splits(pipeline: Pipeline, sandbox: Sandbox) -> None:
    """A deleted part does not count, and the other side of a part may name the whole split."""
    sync(pipeline, sandbox)
    database = pipeline.database
    apply_views(database)
    queries = [f"select * from budget.{view} order by 1, 4" for view in ("entries", "transfers")]
    before = [database.query(query) for query in queries]
    database.execute("""
      update ynab.transactions as side set transfer_transaction_id = split.id
      from ynab.transactions as split, jsonb_array_elements(split.subtransactions) as part
      where split.is_split and part ->> 'transfer_transaction_id' = side.id;
      update ynab.transactions set subtransactions = subtransactions
        || jsonb_set(jsonb_set(subtransactions -> 0, '{id}', '"x"'), '{deleted}', 'true')
      where is_split;
    """)
    after = [database.query(query) for query in queries]
    for row in (*before[0], *after[0]):
        del row["transfer_entry_id"]
    assert len([row for row in after[0] if row["is_part"]]) > 10
    assert after == before


def test_the_history_of_runs(pipeline: Pipeline, sandbox: Sandbox) -> None:
    assert pipeline.sync().code == 0
    budget, other = sandbox.budgets
    budget.edit("payees", budget.entities("payees")[0]["id"], name="Edited")
    sandbox.fail(500, path=f"plans/{other.id}", times=1000)
    assert pipeline.sync(max_retry_time=0).code != 0
    database = pipeline.database
    apply_views(database)

    full, delta = database.query("select * from budget.sync_runs order by started_at")
    assert (full["status"], full["mode"], full["budgets"]) == ("succeeded", "full", 2)
    assert full["errors"] is None
    assert (delta["status"], delta["mode"], delta["failed_budgets"]) == ("failed", "delta", 1)
    assert delta["errors"].startswith(f"{other.name}: ")
    rows = database.query("select sum(rows) as rows from ynab.syncs")
    assert full["rows"] + delta["rows"] == rows[0]["rows"]

    states = {
        (row["budget_name"], row["stream"]): row
        for row in database.query("select * from budget.sync_state")
    }
    payees = states[budget.name, "payees"]
    assert (payees["last_status"], payees["last_run_at"]) == (
        "succeeded",
        payees["last_success_at"],
    )
    assert payees["server_knowledge"] == budget.server_knowledge
    assert payees["total_rows"] == len(budget.entities("payees")) + payees["last_rows"]
    assert states[other.name, "payees"]["last_success_at"] < payees["last_success_at"]
    assert 0 <= payees["hours_since_success"] < 1
