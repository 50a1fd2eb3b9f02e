"""Rows of the views arranged for the page: compact, and with nothing that the page does not show.

`database` -> this -> `document`; `redact` changes it on the way. Of each budget:

- A month is 12 * year + month - 1, a day is counted from 1970-01-01, an amount is in thousandths.
- Categories, payees, accounts are places in the lists of that name; -1 is none.
- `spending` and `plan` have a list for each month from `months.first` on, several numbers a row.

No id of YNAB's goes into the page.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ynab_report.database import EPOCH

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from ynab_report.database import Row, Rows

    Json = dict[str, Any]

_NONE = -1
#: How far ahead upcoming payments are listed, in days; their balance goes on for a year.
_AHEAD = 92


def arrange(rows: Rows, *, made_at: int, stale_after: float) -> Json:
    """Return what the page shows.

    Args:
        rows: Those of each query.
        made_at: When the page is made, in seconds since 1970.
        stale_after: Hours without a sync after which the page warns.
    """
    last_run = rows["runs"][0] if rows["runs"] else None
    of_budgets: defaultdict[str, Rows] = defaultdict(lambda: defaultdict(list))
    for name, of_query in rows.items():
        for row in of_query if name != "runs" else ():
            of_budgets[row["budget_id"]][name].append(row)
    return {
        "madeAt": made_at,
        "staleAfter": stale_after,
        "redacted": False,
        "lastRun": last_run
        and {
            "status": last_run["status"],
            "errors": last_run["errors"],
            "finishedAt": last_run["finished_at"],
        },
        "budgets": [_Budget(each).arrange() for each in _busiest_first(of_budgets, rows["budgets"])],
    }


def _busiest_first(of_budgets: Mapping[str, Rows], budgets: list[Row]) -> list[Rows]:
    ordered = [of_budgets[row["budget_id"]] for row in budgets]
    return sorted(ordered, key=lambda rows: len(rows["spending"]), reverse=True)


class _Places:
    """A list of things and the place of each in it."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[Hashable, int] = {}

    def of(self, key: Hashable, value: object) -> int:
        """Return the place of a thing, which is added unless it is there."""
        place = self._places.setdefault(key, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


class _Budget:
    """One budget's rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._groups = _Places()
        self._categories = _Places()
        self._payees = _Places()
        self._accounts = {row["account_id"]: n for n, row in enumerate(rows["accounts"])}

    def arrange(self) -> Json:
        (about,) = self._rows["budgets"]
        months = self._months(about)
        return {
            "name": about["budget_name"] or "(no name)",
            "currency": about["currency"],
            "format": _format(about),
            "asOf": about["as_of"],
            "netWorth": self._net_worth(),
            "accounts": self._of_accounts(months),
            "months": months,
            "spending": self._spending(months),
            "plan": self._plan(months),
            "goals": self._goals(),
            "upcoming": self._upcoming(about["as_of"]),
            "forecast": self._forecast(),
            "largest": self._largest(),
            "duplicates": self._duplicates(),
            "streams": [
                [row["stream"], row["last_status"], row["run_at"], row["success_at"]]
                for row in self._rows["streams"]
            ],
            "syncError": next(
                (row["last_error"] for row in self._rows["streams"] if row["last_error"]), None
            ),
            # Last, for the others fill them
            "groups": self._groups.values,
            "categories": self._categories.values,
            "payees": self._payees.values,
        }

    def _months(self, about: Row) -> Json:
        """Figures of each month from the first to the last that any query has."""
        dated = ("flows", "ages", "spending", "plan")
        found = {_month(row["month"]) for name in dated for row in self._rows[name]}
        found |= {_month(row["date"]) for row in self._rows["month_ends"]}
        found.add(_month(about["as_of"]))
        first, last = min(found), max(found)
        flows = {_month(row["month"]): row for row in self._rows["flows"]}
        ages = {_month(row["month"]): row["age_of_money"] for row in self._rows["ages"]}
        months = range(first, last + 1)
        return {
            "first": first,
            "income": [flows[m]["income"] if m in flows else 0 for m in months],
            "expense": [flows[m]["expense"] if m in flows else 0 for m in months],
            "age": [ages.get(m) for m in months],
        }

    def _net_worth(self) -> Json:
        """Assets and debts of each day, as changes from the day before."""
        days = self._rows["days"]
        return {
            "first": days[0]["date"] if days else None,
            "assets": _changes(_dense(days, "assets")),
            "debts": _changes(_dense(days, "debts")),
        }

    def _of_accounts(self, months: Json) -> list[Json]:
        ends: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for row in self._rows["month_ends"]:
            ends[row["account_id"]][_month(row["date"])] = row["balance"]
        count = len(months["income"])
        return [
            {
                "name": row["account_name"] or "(no name)",
                "kind": row["account_kind"],
                "onBudget": row["on_budget"],
                "closed": row["closed"],
                "balance": row["balance"],
                "ends": _changes(
                    [ends[row["account_id"]].get(months["first"] + n, 0) for n in range(count)]
                ),
                "difference": row["balance_difference"],
                "clearedDifference": row["cleared_difference"],
                "agrees": row["agrees"],
                "uncleared": row["uncleared_entries"],
                "reconciled": row["reconciled"],
            }
            for row in self._rows["accounts"]
        ]

    def _spending(self, months: Json) -> list[list[int]]:
        return _by_month(
            months,
            (
                (_month(row["month"]), (self._category(row), self._payee(row), row["spent"]))
                for row in self._rows["spending"]
            ),
        )

    def _plan(self, months: Json) -> list[list[int]]:
        return _by_month(
            months,
            (
                (
                    _month(row["month"]),
                    (
                        self._category(row),
                        row["assigned"],
                        row["activity"],
                        row["available"],
                        row["overspent_credit"] or 0,
                    ),
                )
                for row in self._rows["plan"]
                if row["category_kind"] != "credit card payment" or row["available"] < 0
            ),
        )

    def _goals(self) -> list[Json]:
        return [
            {
                "category": self._category(row),
                "type": row["goal_type"],
                "target": row["goal_target"],
                "day": row["goal_target_date"],
                "percent": row["goal_percentage_complete"],
                "underFunded": row["goal_under_funded"],
                "funded": row["goal_overall_funded"],
            }
            for row in self._rows["goals"]
        ]

    def _upcoming(self, as_of: int) -> list[list[int]]:
        return [
            [
                row["date"],
                self._payee(row),
                self._category(row),
                self._account(row["account_id"]),
                self._account(row["transfer_account_id"]),
                row["amount"],
            ]
            for row in self._rows["upcoming"]
            if row["date"] <= as_of + _AHEAD
        ]

    def _forecast(self) -> list[Json]:
        """Balances of the days ahead, as changes, of each account of cash on budget."""
        balances: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._rows["forecast"]:
            balances[row["account_id"]].append(row)
        return [
            {
                "account": self._account(account),
                "first": days[0]["date"],
                "balances": _changes([row["balance"] for row in days]),
            }
            for account, days in balances.items()
        ]

    def _largest(self) -> list[list[int]]:
        return [
            [
                row["date"],
                self._payee(row),
                self._category(row),
                self._account(row["account_id"]),
                row["amount"],
            ]
            for row in self._rows["largest"]
        ]

    def _duplicates(self) -> list[list[int]]:
        return [
            [
                self._payee(row),
                self._payees.of(row["likely_duplicate_of_id"], row["likely_duplicate_of_name"]),
                row["entries"],
            ]
            for row in self._rows["duplicates"]
        ]

    def _account(self, account_id: str | None) -> int:
        return self._accounts.get(account_id or "", _NONE)

    def _category(self, row: Row) -> int:
        if row["category_id"] is None and row["category_name"] is None:
            return _NONE
        group = self._groups.of(row["category_group_id"], row["category_group_name"] or "No group")
        name = row["category_name"] or "(no name)"
        return self._categories.of(row["category_id"], [name, group])

    def _payee(self, row: Row) -> int:
        return self._payees.of(row["payee_id"], row["payee_name"] or "(no name)")


def _format(about: Row) -> Json:
    """How the budget writes amounts; if YNAB does not say, in plain digits."""
    has_symbol = about["currency_symbol"] is not None
    digits = about["decimal_digits"]
    return {
        "symbol": about["currency_symbol"] if has_symbol else about["currency"] or "",
        "symbolFirst": about["symbol_first"] if about["symbol_first"] is not None else True,
        "digits": 2 if digits is None else digits,
        "decimal": about["decimal_separator"] or ".",
        "group": "," if about["group_separator"] is None else about["group_separator"],
    }


def _by_month(months: Json, rows: Iterable[tuple[int, tuple[int, ...]]]) -> list[list[int]]:
    lists: list[list[int]] = [[] for _ in months["income"]]
    for month, values in rows:
        lists[month - months["first"]].extend(values)
    return lists


def _dense(days: list[Row], name: str) -> list[int]:
    """Values of each day from the first on; a day without rows is 0."""
    if not days:
        return []
    first = days[0]["date"]
    values = [0] * (days[-1]["date"] - first + 1)
    for row in days:
        values[row["date"] - first] = row[name]
    return values


def _changes(values: list[int]) -> list[int]:
    """Return each value less the one before: short numbers, and many a 0."""
    return [now - before for before, now in zip([0, *values], values, strict=False)]


@lru_cache(maxsize=None)
def _month(day: int) -> int:
    of = date.fromordinal(day + EPOCH)
    return 12 * of.year + of.month - 1
