"""Invented names and amounts in place of the real ones, so that a page can be shown to anybody.

`data` -> this -> `document`. Of an amount, only its sign stays: each is drawn at random, from a
range that is the same for everybody, so neither an amount nor the ratio of two can be computed
back. (To multiply all by a secret factor would not do: who knows one amount would know all.) Sums
are added up again from the new amounts. All are whole units of the currency, which real ones
rarely are.

Dates, currencies, the age of money, the percentages of goals and the numbers of rows stay.
"""

from __future__ import annotations

from functools import partial
from itertools import accumulate, groupby
from secrets import SystemRandom
from typing import TYPE_CHECKING, Any

from ynab_report.compact import changes_of, month_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Json = dict[str, Any]

_random = SystemRandom()
#: Thousandths in a unit of the currency.
_UNIT = 1000


def redact(data: Json) -> Json:
    """Return the data of the page with invented names and amounts.

    Args:
        data: The real data, as `data.arrange` returns it.
    """
    run = data["lastRun"]
    budgets = [_budget(budget, n) for n, budget in enumerate(data["budgets"], 1)]
    return {
        **data,
        "redacted": True,
        "lastRun": run and {**run, "errors": run["errors"] and "(an error)"},
        "budgets": budgets,
    }


def _budget(budget: Json, number: int) -> Json:
    months = budget["months"]
    spending = [_spending(rows) for rows in budget["spending"]]
    spent = [_by_category(rows) for rows in spending]
    income = [_draw(amount, 9000) for amount in months["income"]]
    accounts = [_account(row, n, budget) for n, row in enumerate(budget["accounts"], 1)]
    upcoming = [[*row[:-1], _draw(row[-1], 500)] for row in budget["upcoming"]]
    return {
        **budget,
        "name": f"Budget {number}",
        "accounts": accounts,
        "groups": _names("Group", budget["groups"]),
        "categories": [
            [f"Category {n}", group] for n, (_, group) in enumerate(budget["categories"], 1)
        ],
        "payees": _names("Payee", budget["payees"]),
        "months": {
            **months,
            "income": income,
            "expense": [sum(rows[2::3]) for rows in spending],
        },
        "spending": spending,
        "assigned": _assigned(budget["assigned"], spent),
        "netWorth": _net_worth(budget, accounts),
        "goals": [
            {
                **goal,
                "target": goal["target"] and _draw(goal["target"], 2000),
                "underFunded": goal["underFunded"] and _draw(goal["underFunded"], 300),
            }
            for goal in budget["goals"]
        ],
        "upcoming": upcoming,
        "forecast": [_forecast(ahead, accounts, upcoming) for ahead in budget["forecast"]],
        "largest": [_largest(row, months["first"], spending, income) for row in budget["largest"]],
        "syncError": budget["syncError"] and "(an error)",
    }


def _draw(amount: int, most: int) -> int:
    """Return a random amount of the same sign, of at most so many units; 0 stays 0."""
    return (amount > 0) * _any(most) - (amount < 0) * _any(most)


def _any(most: int) -> int:
    """Return a random amount from one unit up to `most` units."""
    return _UNIT * _random.randint(1, most)


def _names(kind: str, names: Sequence[str]) -> list[str]:
    return [f"{kind} {n}" for n in range(1, len(names) + 1)]


def _spending(rows: list[int]) -> list[int]:
    """Return a month's rows of category, payee and amount, with other amounts."""
    return _replaced(rows, 3, lambda row: [*row[:2], _draw(row[2], 300)])


def _by_category(rows: list[int]) -> dict[int, int]:
    """Return the sum of a month's spending in each category."""
    spent: dict[int, int] = {}
    for category, amount in zip(rows[::3], rows[2::3], strict=True):
        spent[category] = spent.get(category, 0) + amount
    return spent


def _assigned(rows_of_months: list[list[int]], spent: list[dict[int, int]]) -> list[list[int]]:
    """Return other assigned amounts, which fit the spending; overspent categories stay so."""
    before: dict[int, int] = {}  # available in each category in the month before

    def replaced(spent: dict[int, int], row: list[int]) -> list[int]:
        category, _, _, available, credit = row
        activity = -spent.get(category, 0)
        left = _draw(available, 600)
        assigned = left - max(before.get(category, 0), 0) - activity
        before[category] = left
        return [category, assigned, activity, left, min(-left, _any(600)) if credit else 0]

    return [
        _replaced(rows, 5, partial(replaced, of_month))
        for rows, of_month in zip(rows_of_months, spent, strict=True)
    ]


def _account(account: Json, number: int, budget: Json) -> Json:
    """Return an account with other balances, which change in the same months as the real ones."""
    ends, end = [], 0
    for real, change in zip(accumulate(account["ends"]), account["ends"], strict=True):
        if change:
            has_other_sign = real * end <= 0
            moved = _UNIT * round(end * _random.uniform(0.93, 1.08) / _UNIT)
            end = _draw(real, 20_000) if has_other_sign else moved
        ends.append(end)
    last = month_of(budget["asOf"]) - budget["months"]["first"]
    return {
        **account,
        "name": f"Account {number}",
        "balance": ends[last] if any(ends) else _draw(account["balance"], 20_000),
        "ends": changes_of(ends),
        "difference": _draw(account["difference"], 100),
        "clearedDifference": _draw(account["clearedDifference"], 100),
    }


def _net_worth(budget: Json, accounts: list[Json]) -> Json:
    """Return other assets and debts of each day; at month ends, they are those of the accounts."""
    real = budget["netWorth"]
    ends = list(zip(*(accumulate(account["ends"]) for account in accounts), strict=True))
    first = budget["months"]["first"]

    def series(changes: list[int], sign: int) -> list[int]:
        days = [month_of(real["first"] + n) - first for n in range(len(changes))]
        values, before = [], 0
        for month, of_month in groupby(zip(days, changes, strict=True), key=lambda day: day[0]):
            moving = list(accumulate(bool(change) for _, change in of_month))
            target = sum(max(sign * end, 0) for end in ends[month])
            way = (target - before) // _UNIT
            values += [before + _UNIT * (way * moved // max(moving[-1], 1)) for moved in moving]
            values[-1] = before = target
        return changes_of(values)

    return {**real, "assets": series(real["assets"], 1), "debts": series(real["debts"], -1)}


def _forecast(ahead: Json, accounts: list[Json], upcoming: list[list[int]]) -> Json:
    """Return other projected balances of an account, changed by the payments that are due."""
    due: dict[int, int] = {}
    for day, _, _, account, transfer, amount in upcoming:
        place = max(day - ahead["first"], 0)
        if account == ahead["account"]:
            due[place] = due.get(place, 0) + amount
        if transfer == ahead["account"]:
            due[place] = due.get(place, 0) - amount
    _, *real = ahead["balances"]
    changes = [due.get(n, _draw(change, 500)) for n, change in enumerate(real, 1)]
    return {**ahead, "balances": [accounts[ahead["account"]]["balance"] + due.get(0, 0), *changes]}


def _largest(row: list[int], first: int, spending: list[list[int]], income: list[int]) -> list[int]:
    """Return a transaction of no more than was spent on its payee, or earned, in the month."""
    day, payee, category, account, amount = row
    month = month_of(day) - first
    rows = spending[month]
    most = income[month]
    if amount < 0:
        of_payee = zip(rows[::3], rows[1::3], rows[2::3], strict=True)
        most = next((s for c, p, s in of_payee if (c, p) == (category, payee)), 0)
    return [day, payee, category, account, _draw(amount, max(most // _UNIT, 1))]


def _replaced(rows: list[int], width: int, replace: Callable[[list[int]], list[int]]) -> list[int]:
    """Return a flat list of rows, each of them replaced by a function."""
    starts = range(0, len(rows), width)
    return [value for n in starts for value in replace(rows[n : n + width])]
