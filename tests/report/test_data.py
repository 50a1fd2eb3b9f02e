"""The data in the file is what SQL on the views gives."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest

from tests.report.conftest import HOSTILE_BUDGET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pipeline import Database
    from tests.support.reports import Built

    Json = dict[str, Any]

BUDGETS = (
    *("Our Household", "Ferienwohnung", "Three decimals", "Yen", "Without a format"),
    *(HOSTILE_BUDGET, "Empty", "One day"),
)
EPOCH = date(1970, 1, 1)


def units(thousandths: int) -> Decimal:
    return Decimal(thousandths).scaleb(-3)


def day_of(number: int) -> date:
    return EPOCH + timedelta(days=number)


def month_of(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


@pytest.fixture(params=BUDGETS, ids=lambda name: name[:16])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def budget(report: Built, name: str) -> Json:
    return report.budget(name)


@dataclass
class Views:
    """The views' rows of one budget."""

    database: Database
    name: str

    def values(self, columns: str, rest: str) -> list[tuple[Any, ...]]:
        """Return the columns of a view's rows; `rest` begins with the view."""
        # S608: both are of the tests below
        rows = self.database.query(f"select {columns} from budget.{rest}", self.name)  # noqa: S608
        return [tuple(row.values()) for row in rows]


@pytest.fixture
def views(loaded: Database, name: str) -> Views:
    return Views(loaded, name)


def months(budget: Json) -> list[date]:
    first = budget["months"]["first"]
    return [month_of(first + n) for n in range(len(budget["months"]["income"]))]


def listed(budget: Json, what: str, width: int) -> Iterator[tuple[Any, ...]]:
    """Return the rows of a list by months, each with its month."""
    for month, numbers in zip(months(budget), budget[what], strict=True):
        for place in range(0, len(numbers), width):
            yield month, *numbers[place : place + width]


def test_every_budget_is_there(report: Built) -> None:
    assert Counter(budget["name"] for budget in report.data["budgets"]) == Counter(BUDGETS)


def test_months(budget: Json, views: Views) -> None:
    figures = budget["months"]
    shown = {
        (month, units(income), units(expense))
        for month, income, expense in zip(
            months(budget), figures["income"], figures["expense"], strict=True
        )
        if income or expense
    }
    where = "where budget_name = %s and (income, expense) <> (0, 0)"
    assert shown == set(views.values("month, income, expense", f"income_vs_expense {where}"))
    ages = dict(zip(months(budget), figures["age"], strict=True))
    wanted = views.values("month, age_of_money", "months where budget_name = %s")
    assert {month: age for month, age in ages.items() if age is not None} == {
        month: age for month, age in wanted if age is not None
    }


def test_net_worth(budget: Json, views: Views) -> None:
    worth = budget["netWorth"]
    shown = [
        (day_of(worth["first"] + n), units(assets), units(debts))
        for n, (assets, debts) in enumerate(
            zip(accumulate(worth["assets"]), accumulate(worth["debts"]), strict=True)
        )
    ]
    assert shown == views.values(
        "date, sum(assets) as assets, sum(debts) as debts",
        "net_worth where budget_name = %s group by date order by date",
    )
    ends = {
        (account["name"], month): units(end)
        for account in budget["accounts"]
        for month, end in zip(months(budget), accumulate(account["ends"]), strict=True)
        if end
    }
    wanted = views.values(
        "account_name, month, balance",
        "net_worth where budget_name = %s and is_month_end and balance <> 0",
    )
    assert ends == {(account, month): balance for account, month, balance in wanted}


def test_accounts(budget: Json, views: Views) -> None:
    shown = {
        (
            account["name"],
            account["kind"],
            units(account["balance"]),
            units(account["difference"]),
            account["agrees"],
            account["reconciled"] and day_of(account["reconciled"]),
        )
        for account in budget["accounts"]
    }
    columns = (
        "account_name, account_kind, balance, balance_difference, agrees, last_reconciled_at::date"
    )
    assert shown == set(views.values(columns, "reconciliation where budget_name = %s"))


def test_spending(budget: Json, views: Views) -> None:
    shown = Counter(
        (month, budget["categories"][category][0], budget["payees"][payee], units(spent))
        for month, category, payee, spent in listed(budget, "spending", 3)
    )
    columns = "month, coalesce(category_name, '(no name)'), payee_name, spent"
    wanted = Counter(views.values(columns, "spending where budget_name = %s and spent <> 0"))
    assert shown == wanted
    groups = {name: budget["groups"][group] for name, group in budget["categories"]}
    for category, group in views.values(
        "distinct category_name, category_group_name", "spending where budget_name = %s"
    ):
        assert groups[category] in {group, "No group"}


def test_assigned(budget: Json, views: Views) -> None:
    shown = Counter(
        (month, budget["categories"][category][0], *map(units, amounts))
        for month, category, *amounts in listed(budget, "assigned", 5)
    )
    wanted = views.values(
        "month, category_name, assigned, activity, available, overspent_credit",
        "budget_vs_actual where budget_name = %s and (assigned, activity, available) <> (0, 0, 0) "
        "and (category_kind <> 'credit card payment' or available < 0)",
    )
    assert shown == Counter(wanted)


def test_goals(budget: Json, views: Views) -> None:
    shown = [
        (budget["categories"][goal["category"]][0], goal["percent"], goal["target"])
        for goal in budget["goals"]
    ]
    wanted = views.values(
        "category_name, goal_percentage_complete, (goal_target * 1000)::bigint",
        "budget_vs_actual as v join budget.budgets using (budget_id) "
        "where v.budget_name = %s and month = date_trunc('month', as_of) "
        "and goal_type is not null and not is_hidden",
    )
    assert Counter(shown) == Counter(wanted)


def test_what_is_coming(budget: Json, views: Views) -> None:
    shown = Counter(
        (day_of(day), budget["payees"][payee], budget["accounts"][account]["name"], units(amount))
        for day, payee, _, account, _, amount in budget["upcoming"]
    )
    wanted = views.values(
        "date, payee_name, account_name, amount",
        "upcoming as u join budget.budgets using (budget_id) "
        "where u.budget_name = %s and date <= as_of + 92",
    )
    assert shown == Counter(wanted)
    forecast = {
        (budget["accounts"][ahead["account"]]["name"], day_of(ahead["first"] + n)): units(balance)
        for ahead in budget["forecast"]
        for n, balance in enumerate(accumulate(ahead["balances"]))
    }
    balances = views.values(
        "account_name, date, balance",
        "cash_flow_forecast where budget_name = %s and account_kind = 'cash' and on_budget",
    )
    assert forecast == {(account, day): balance for account, day, balance in balances}


def test_the_largest_of_any_period_are_there(budget: Json, views: Views) -> None:
    wanted = views.values(
        "date, amount",
        "entries where budget_name = %s and (kind = 'spending' or kind = 'income' and amount > 0)",
    )
    shown = [(day_of(row[0]), units(row[-1])) for row in budget["largest"]]
    starts = sorted({day.replace(day=1) for day, _ in wanted})[-14:]
    for sign in (1, -1):
        for start in starts:
            of_period = defaultdict(list)
            for which, rows in (("shown", shown), ("wanted", wanted)):
                amounts = (amount for day, amount in rows if day >= start and sign * amount > 0)
                of_period[which] = sorted(amounts, key=abs, reverse=True)[:10]
            assert of_period["shown"] == of_period["wanted"]


def test_likely_duplicates(report: Built) -> None:
    budget = report.budget("Our Household")
    shown = [
        (budget["payees"][payee], budget["payees"][original], entries)
        for payee, original, entries in budget["duplicates"]
    ]
    assert shown == [("SHELL #4711", "Shell", 1)]
