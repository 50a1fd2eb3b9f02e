"""A redacted report: nothing that is real, and the page still hangs together."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.reports import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.pipeline import Database
    from tests.support.reports import Built

    Json = dict[str, Any]

UNIT = 1000
#: Columns of amounts, in the views that the report reads.
AMOUNTS = {
    "accounts": "balance, cleared_balance, uncleared_balance",
    "entries": "amount",
    "net_worth": "balance",
    "spending": "spent",
    "income_vs_expense": "income, expense, net",
    "budget_vs_actual": "assigned, activity, available, goal_target, goal_under_funded",
    "upcoming": "amount",
    "cash_flow_forecast": "balance",
}
#: Columns of names and other text of the owner's.
NAMES = {
    "budgets": "budget_name",
    "accounts": "account_name, note",
    "categories": "category_name, category_group_name",
    "entries": "payee_name, memo",
    "upcoming": "payee_name, memo",
}
#: Lists of changes in the page's data.
CHANGES = {"assets", "debts", "ends", "balances"}
#: Names that everybody has, or that are a part of any page.
COMMON = {"", "(no payee)"}


@pytest.fixture(scope="module")
def redacted(loaded: Database, tmp_path_factory: pytest.TempPathFactory) -> Built:
    built = build(loaded, tmp_path_factory.mktemp("redacted"), "--redact")
    assert (built.code, built.stderr) == (0, "")
    return built


def values(database: Database, columns: dict[str, str]) -> set[Any]:
    found: set[Any] = set()
    for view, names in columns.items():
        for row in database.query(f"select distinct {names} from budget.{view}"):  # noqa: S608 -- above
            found.update(value for value in row.values() if value is not None)
    return found


def data_text(built: Built) -> str:
    return built.text.partition('id="data">')[2].partition("</script>")[0]


def test_no_name_is_left(redacted: Built, report: Built, loaded: Database) -> None:
    names = values(loaded, NAMES) - COMMON
    assert len(names) > 50
    page = data_text(redacted)
    assert not [name for name in names if str(name) in page]
    # They would be found.
    assert sum(f'"{name}"' in data_text(report) for name in names) > 30


def numbers(data: Any) -> Iterator[int]:
    """Return all numbers in the budgets, without signs; of changes, what they lead to as well."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from numbers(value)
            if name in CHANGES:
                yield from map(abs, accumulate(value))
    elif isinstance(data, list):
        for value in data:
            yield from numbers(value)
    elif isinstance(data, int):
        yield abs(data)


def test_no_amount_is_left(redacted: Built, report: Built, loaded: Database) -> None:
    """All amounts are whole units of the currency, so none is one of the real ones with cents."""
    amounts = {abs(int(amount * UNIT)) for amount in values(loaded, AMOUNTS)}
    with_cents = {amount for amount in amounts if amount % UNIT and amount > 100 * UNIT}
    assert len(with_cents) > 500
    assert not with_cents & set(numbers(redacted.data["budgets"]))
    assert len(with_cents & set(numbers(report.data["budgets"]))) > 400
    texts = {f"{amount / UNIT:.2f}" for amount in with_cents}
    assert not texts & set(re.findall(r"\d+\.\d\d\b", data_text(redacted)))


def test_each_time_they_are_others(redacted: Built, loaded: Database, tmp_path: Any) -> None:
    """So neither is computed from the real ones: no factor leads from one to the other."""
    (tmp_path / "output").mkdir()
    (tmp_path / "output/budget.html").write_text("the real one")
    again = build(loaded, tmp_path, "--redact").budget("Budget 1")
    assert (tmp_path / "output/budget.html").read_text() == "the real one"
    first = redacted.budget("Budget 1")
    pairs = list(zip(first["months"]["income"], again["months"]["income"], strict=True))
    assert len({round(one / other, 3) for one, other in pairs if other}) > 10


def test_the_page_hangs_together(redacted: Built, report: Built) -> None:
    for budget, real in zip(redacted.data["budgets"], report.data["budgets"], strict=True):
        months = budget["months"]
        for name in ("asOf", "format", "streams"):
            assert budget[name] == real[name]
        for rows, expense in zip(budget["spending"], months["expense"], strict=True):
            assert sum(rows[2::3]) == expense
        if all(account["agrees"] for account in budget["accounts"]):
            worth = sum(budget["netWorth"]["assets"]) - sum(budget["netWorth"]["debts"])
            assert worth == sum(account["balance"] for account in budget["accounts"])
        for ahead in budget["forecast"]:
            balance = budget["accounts"][ahead["account"]]["balance"]
            due = [row for row in budget["upcoming"] if row[0] <= ahead["first"]]
            if not due:
                assert ahead["balances"][0] == balance
        over = [[available < 0 for available in rows[3::5]] for rows in budget["assigned"]]
        assert over == [[available < 0 for available in rows[3::5]] for rows in real["assigned"]]
