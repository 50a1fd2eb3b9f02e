"""Whatever is added, edited and deleted: balances, activities and months add up."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ynab_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from ynab_sandbox import Budget

TODAY = date(2026, 11, 21)
READY = "Inflow: Ready to Assign"


def lines(transaction: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in transaction["subtransactions"] if not each["deleted"]] or [transaction]


def check(budget: Budget) -> None:
    """Compute all sums again, from the transactions alone."""
    transactions = budget.entities("transactions")
    accounts = {each["id"]: each for each in budget.entities("accounts")}
    check_accounts(transactions, accounts)
    check_transfers(transactions)
    check_months(budget, transactions, accounts)


def check_accounts(transactions: list[Any], accounts: dict[str, Any]) -> None:
    cleared: Counter[str] = Counter()
    uncleared: Counter[str] = Counter()
    for each in transactions:
        side = uncleared if each["cleared"] == "uncleared" else cleared
        side[each["account_id"]] += each["amount"]
    for key, account in accounts.items():
        assert account["cleared_balance"] == cleared[key]
        assert account["uncleared_balance"] == uncleared[key]
        assert account["balance"] == cleared[key] + uncleared[key]


def check_transfers(transactions: list[Any]) -> None:
    sides = {
        line["id"]: (parent, line)
        for parent in transactions
        for line in (parent, *parent["subtransactions"])
    }
    for parent in transactions:
        assert sum(line["amount"] for line in lines(parent)) == parent["amount"]
        for line in lines(parent):
            if line["transfer_transaction_id"] is not None:
                other_parent, other = sides[line["transfer_transaction_id"]]
                assert other["transfer_transaction_id"] == line["id"]
                assert other["amount"] == -line["amount"]
                assert other_parent["date"] == parent["date"]
                assert other_parent["account_id"] == line["transfer_account_id"]
                assert other["transfer_account_id"] == parent["account_id"]


def check_months(budget: Budget, transactions: list[Any], accounts: dict[str, Any]) -> None:
    activity: Counter[tuple[str, str]] = Counter()
    for each in transactions:
        if accounts[each["account_id"]]["on_budget"]:
            for line in lines(each):
                activity[f"{each['date'][:7]}-01", line["category_id"]] += line["amount"]
    balances: Counter[str] = Counter()
    ready = 0
    rows = budget.entities("month_categories")
    for month in budget.entities("months"):
        within = [row for row in rows if row["month"] == month["month"]]
        for row in within:
            assert row["activity"] == activity[row["month"], row["id"]]
            balances[row["id"]] += row["budgeted"] + row["activity"]
            assert row["balance"] == balances[row["id"]]
        spent = [row for row in within if row["name"] != READY]
        income = sum(row["activity"] for row in within if row["name"] == READY)
        assert month["income"] == income
        assert month["activity"] == sum(row["activity"] for row in spent)
        assert month["budgeted"] == sum(row["budgeted"] for row in spent)
        ready += income - month["budgeted"]
        assert month["to_be_budgeted"] == ready
    check_current(budget, rows)


def check_current(budget: Budget, rows: list[Any]) -> None:
    current = {row["id"]: row for row in rows if row["month"] == budget.month}
    for category in budget.entities("categories"):
        for name in ("budgeted", "activity", "balance"):
            assert category[name] == current[category["id"]][name]


@pytest.mark.parametrize("transactions", [10, 100, 3600])
def test_invented_budgets_add_up(transactions: int) -> None:
    sandbox = Sandbox(today=TODAY, transactions=transactions)

    for budget in sandbox.budgets:
        check(budget)
    assert len(sandbox.budgets[0].entities("transactions")) == transactions
    assert max(each["date"] for each in sandbox.budgets[0].entities("transactions")) <= "2026-11-21"


def test_a_category_s_last_months_are_not_negative_by_much() -> None:
    budget = Sandbox(today=TODAY).budgets[0]

    assert all(month["to_be_budgeted"] > 0 for month in budget.entities("months"))
    assert all(
        each["balance"] >= 0 for each in budget.entities("accounts") if each["type"] == "cash"
    )


ACTIONS = (
    *("amount", "date", "account", "category", "payee", "cleared", "split", "unsplit", "transfer"),
    *("add", "delete", "budget", "payees", "categories", "accounts", "rollover"),
)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
        st.integers(-(10**9), 10**9),
    ),
    min_size=1,
    max_size=12,
)


@given(EDITS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_sums_stay_right_after_random_edits(edits: list[tuple[str, int, int, int]]) -> None:
    sandbox = Sandbox(today=TODAY, transactions=60, rate_limit=None)
    for action, first, second, amount in edits:
        if action == "rollover":
            sandbox.advance_month()
        else:
            change(sandbox.budgets[0], action, (first, second), amount)
    check(sandbox.budgets[0])


def change(budget: Budget, action: str, chosen: tuple[int, int], amount: int) -> None:
    def pick(kind: str, number: int = chosen[1]) -> dict[str, Any]:
        some = [each for each in budget.entities(kind) if not each.get("internal")]
        return some[number % len(some)]

    if action in {"payees", "categories", "accounts"}:
        # Seldom, and never the last one.
        if chosen[0] % 3 == 0 and len(budget.entities(action)) > 3:
            budget.delete(action, pick(action)["id"])
    elif action == "budget":
        budget.edit("month_categories", (budget.month, pick("categories")["id"]), budgeted=amount)
    elif action == "add" or not budget.entities("transactions"):
        day = (TODAY - timedelta(days=chosen[1] % 700)).isoformat()
        budget.add("transactions", account_id=pick("accounts")["id"], amount=amount, date=day)
    elif action == "delete":
        budget.delete("transactions", pick("transactions", chosen[0])["id"])
    else:
        target = pick("transactions", chosen[0])["id"]
        budget.edit("transactions", target, **edited(action, pick, chosen[1], amount))


def edited(
    action: str, pick: Callable[[str], dict[str, Any]], second: int, amount: int
) -> dict[str, Any]:
    transfer = pick("accounts")["transfer_payee_id"]
    lines = [
        {"amount": amount + 10, "category_id": pick("categories")["id"]},
        {"amount": amount - 10, "payee_id": transfer},
    ]
    values: dict[str, dict[str, Any]] = {
        "amount": {"amount": amount},
        "date": {"date": (TODAY - timedelta(days=second % 700)).isoformat()},
        "account": {"account_id": pick("accounts")["id"]},
        "cleared": {"cleared": ("cleared", "uncleared", "reconciled")[second % 3]},
        "unsplit": {"subtransactions": []},
        "transfer": {"payee_id": transfer},
        "payee": {"payee_id": pick("payees")["id"]},
        "category": {"category_id": pick("categories")["id"]},
        "split": {"amount": amount * 2, "subtransactions": lines},
    }
    return values[action]


def test_a_refused_edit_changes_nothing(sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    before = budget.entities("transactions")
    knowledge = budget.server_knowledge

    for wrong in (
        {"subtransactions": [{"amount": 1}]},
        {"account_id": "nowhere"},
        {"payee_name": "x"},
        {"deleted": True},
    ):
        with pytest.raises(ValueError, match=r"."):
            budget.edit("transactions", before[3]["id"], **wrong)

    assert budget.entities("transactions") == before
    assert budget.server_knowledge == knowledge
    check(budget)
