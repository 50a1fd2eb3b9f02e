"""The data of the page on one budget: short, and with nothing that the page does not show.

`database` -> `data` -> this -> `document`. No id of YNAB's goes into the page.

- A month is the number 12 * year + month - 1, a day is counted from 1970-01-01, an amount is in
  thousandths of the currency.
- A category, payee or account is its index in the list of that name; -1 means none.
- `spending` and `assigned`, the assigned amounts, have a flat list of rows for each month from
  `months.first` on. `_spending` and `_assigned` say what the numbers of a row are.
- Balances of days and of months are lists of differences to the one before.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ynab_report.compact import IndexedList, by_month, changes_of, daily, month_of

if TYPE_CHECKING:
    from ynab_report.database import Row, Rows

    Json = dict[str, Any]

_NONE = -1
#: YNAB's own group, whose name people never see.
_INTERNAL = "Internal Master Category"
#: How far ahead upcoming payments are listed, in days; their balance goes on for a year.
_AHEAD = 92


class Budget:
    """The rows of one budget, and the lists of names that its data refers to."""

    def __init__(self, rows: Rows) -> None:
        """Take the rows of one budget, by query."""
        self._rows = rows
        self._groups = IndexedList()
        self._categories = IndexedList()
        self._payees = IndexedList()
        self._accounts = {row["account_id"]: n for n, row in enumerate(rows["accounts"])}

    def arrange(self) -> Json:
        """Return the data of the page on the budget."""
        (about,) = self._rows["budgets"]
        months = self._months(about)
        return {
            "name": about["budget_name"] or "(no name)",
            "currency": about["currency"],
            "format": _format(about),
            "asOf": about["as_of"],
            "netWorth": self._net_worth(),
            "accounts": self._account_list(months),
            "months": months,
            "spending": self._spending(months),
            "assigned": self._assigned(months),
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
            # At the end, because the parts above add names to them
            "groups": self._groups.values,
            "categories": self._categories.values,
            "payees": self._payees.values,
        }

    def _months(self, about: Row) -> Json:
        """Return figures of each month from the first to the last that any query has."""
        dated = ("flows", "ages", "spending", "assigned")
        found = {month_of(row["month"]) for name in dated for row in self._rows[name]}
        found |= {month_of(row["date"]) for row in self._rows["month_ends"]}
        found.add(month_of(about["as_of"]))
        first, last = min(found), max(found)
        flows = {month_of(row["month"]): row for row in self._rows["flows"]}
        ages = {month_of(row["month"]): row["age_of_money"] for row in self._rows["ages"]}
        months = range(first, last + 1)
        return {
            "first": first,
            "income": [flows[m]["income"] if m in flows else 0 for m in months],
            "expense": [flows[m]["expense"] if m in flows else 0 for m in months],
            "age": [ages.get(m) for m in months],
        }

    def _net_worth(self) -> Json:
        """Return assets and debts of each day, as differences to the day before."""
        days = self._rows["days"]
        return {
            "first": days[0]["date"] if days else None,
            "assets": changes_of(daily(days, "assets")),
            "debts": changes_of(daily(days, "debts")),
        }

    def _account_list(self, months: Json) -> list[Json]:
        """Return accounts with their balances at month ends, and their reconciliation."""
        ends: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for row in self._rows["month_ends"]:
            ends[row["account_id"]][month_of(row["date"])] = row["balance"]
        count = len(months["income"])
        return [
            {
                "name": row["account_name"] or "(no name)",
                "kind": row["account_kind"],
                "onBudget": row["on_budget"],
                "closed": row["closed"],
                "balance": row["balance"],
                "ends": changes_of(
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
        """Return rows of category, payee and amount for each month."""
        return by_month(
            months,
            (
                (month_of(row["month"]), (self._category(row), self._payee(row), row["spent"]))
                for row in self._rows["spending"]
            ),
        )

    def _assigned(self, months: Json) -> list[list[int]]:
        """Return rows of category, assigned, activity, available and overspent credit by month.

        Credit card payments are left out, unless less than nothing is available for the card.
        """
        return by_month(
            months,
            (
                (
                    month_of(row["month"]),
                    (
                        self._category(row),
                        row["assigned"],
                        row["activity"],
                        row["available"],
                        row["overspent_credit"] or 0,
                    ),
                )
                for row in self._rows["assigned"]
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
        """Return projected balances of cash accounts on budget, as differences from day to day."""
        balances: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._rows["forecast"]:
            balances[row["account_id"]].append(row)
        return [
            {
                "account": self._account(account),
                "first": days[0]["date"],
                "balances": changes_of([row["balance"] for row in days]),
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
                self._payees.index_of(
                    row["likely_duplicate_of_id"], row["likely_duplicate_of_name"]
                ),
                row["entries"],
            ]
            for row in self._rows["duplicates"]
        ]

    def _account(self, account_id: str | None) -> int:
        return self._accounts.get(account_id or "", _NONE)

    def _category(self, row: Row) -> int:
        if row["category_id"] is None and row["category_name"] is None:
            return _NONE
        name = row["category_group_name"]
        if name is None or name == _INTERNAL:
            name = "No group"
        group = self._groups.index_of(row["category_group_id"], name)
        name = row["category_name"] or "(no name)"
        return self._categories.index_of(row["category_id"], [name, group])

    def _payee(self, row: Row) -> int:
        return self._payees.index_of(row["payee_id"], row["payee_name"] or "(no name)")


def _format(about: Row) -> Json:
    """Return how the budget writes amounts; if YNAB does not say, as in 1,234.56."""
    has_symbol = about["currency_symbol"] is not None
    digits = about["decimal_digits"]
    return {
        "symbol": about["currency_symbol"] if has_symbol else about["currency"] or "",
        "symbolFirst": about["symbol_first"] if about["symbol_first"] is not None else True,
        "digits": 2 if digits is None else digits,
        "decimal": about["decimal_separator"] or ".",
        "group": "," if about["group_separator"] is None else about["group_separator"],
    }
