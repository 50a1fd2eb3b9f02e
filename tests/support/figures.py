"""Figures of the views, computed in Python from the sandbox's own entities, not with their SQL."""

from __future__ import annotations

import calendar
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.budget import Budget

    Row = dict[str, Any]
    Figures = dict[tuple[Any, ...], Any]

DAY = timedelta(days=1)
KINDS = {
    **dict.fromkeys(("checking", "savings", "cash"), "cash"),
    "creditCard": "credit",
    "mortgage": "loan",
    "otherAsset": "asset",
}
EVERY_DAYS = {"daily": 1, "weekly": 7, "everyOtherWeek": 14, "every4Weeks": 28}
EVERY_MONTHS = {
    "monthly": 1,
    "everyOtherMonth": 2,
    "every3Months": 3,
    "every4Months": 4,
    "twiceAYear": 6,
    "yearly": 12,
    "everyOtherYear": 24,
}


def units(milliunits: int) -> Decimal:
    return Decimal(milliunits).scaleb(-3)


def share(part: int, whole: int) -> Decimal | None:
    """Four digits of a quotient, rounded as PostgreSQL does."""
    if whole <= 0:
        return None
    return (Decimal(part) / whole).quantize(Decimal("1.0000"), ROUND_HALF_UP)


def month_of(day: date) -> date:
    return day.replace(day=1)


def length(day: date) -> int:
    """Days in the month."""
    return calendar.monthrange(day.year, day.month)[1]


@dataclass
class Expected:
    """What the views must show of one budget."""

    budget: Budget
    as_of: date

    def _names(self, kind: str) -> dict[str | None, Row]:
        return {row["id"]: row for row in self.budget.entities(kind, deleted=True)}

    @cached_property
    def accounts_by_id(self) -> dict[str | None, Row]:
        return self._names("accounts")

    @cached_property
    def categories_by_id(self) -> dict[str | None, Row]:
        return self._names("categories")

    @cached_property
    def payees_by_id(self) -> dict[str | None, Row]:
        return self._names("payees")

    @cached_property
    def lines(self) -> list[tuple[Row, Row]]:
        """Each transaction with each of its parts, or with itself."""
        return [
            (whole, line)
            for whole in self.budget.entities("transactions")
            for line in (whole["subtransactions"] or [whole])
        ]

    def category(self, category_id: str | None) -> Row | None:
        found = self.categories_by_id.get(category_id)
        if found is None:
            return None
        group = self._names("category_groups")[found["category_group_id"]]
        return {**found, "group": group["name"]}

    def kind(self, whole: Row, line: Row) -> str:
        """To the budget's own sums everything counts that has a category."""
        on_budget = self.accounts_by_id[whole["account_id"]]["on_budget"]
        if line["category_id"] == self.budget.special.inflow:
            return "income"
        if line["category_id"] is not None:
            return "spending"
        if line["transfer_account_id"]:
            return "transfer"
        return "spending" if on_budget else "tracking"

    def _payee(self, whole: Row, line: Row) -> str:
        found = self.payees_by_id.get(line["payee_id"] or whole["payee_id"])
        return found["name"] if found else "(no payee)"

    def _account(self, account_id: str | None) -> str | None:
        return self.accounts_by_id[account_id]["name"] if account_id else None

    def budgets(self) -> Figures:
        found, format_ = self.budget, self.budget.currency_format or {}
        months = [date.fromisoformat(row["month"]) for row in found.entities("months")]
        return {
            (found.name,): (
                *(
                    format_.get(name)
                    for name in (
                        "currency_symbol",
                        "symbol_first",
                        "decimal_digits",
                        "decimal_separator",
                        "group_separator",
                    )
                ),
                (found.date_format or {}).get("format"),
                min(months),
                max(months),
                self.as_of,
            )
        }

    def categories(self) -> Figures:
        """With those that are deleted."""
        kinds = {
            self.budget.special.inflow: "inflow",
            self.budget.special.uncategorized: "uncategorized",
        }
        groups = self._names("category_groups")
        found: Figures = {}
        for row in self.categories_by_id.values():
            group = groups[row["category_group_id"]]
            is_card = group["name"] == "Credit Card Payments"
            found[row["id"],] = (
                row["name"],
                group["name"],
                kinds.get(row["id"], "credit card payment" if is_card else "spending"),
                row["hidden"] or group["hidden"],
                row["deleted"],
            )
        return found

    def accounts(self) -> Figures:
        return {
            (row["name"],): (
                KINDS[row["type"]],
                row["on_budget"],
                row["closed"],
                units(row["balance"]),
                units(row["cleared_balance"]),
                units(row["uncleared_balance"]),
            )
            for row in self.budget.entities("accounts")
        }

    def entries(self) -> Figures:
        found = {}
        for whole, line in self.lines:
            category = self.category(line["category_id"])
            kind = self.kind(whole, line)
            found[line["id"],] = (
                whole["id"],
                line is not whole,
                date.fromisoformat(whole["date"]),
                month_of(date.fromisoformat(whole["date"])),
                self._account(whole["account_id"]),
                KINDS[self.accounts_by_id[whole["account_id"]]["type"]],
                self.accounts_by_id[whole["account_id"]]["on_budget"],
                line["payee_id"] or whole["payee_id"],
                self._payee(whole, line),
                category["name"] if category else "Uncategorized" if kind == "spending" else None,
                category and category["group"],
                kind,
                units(line["amount"]),
                line["memo"] or whole["memo"],
                whole["cleared"],
                whole["approved"],
                whole["flag_color"] or None,
                whole["flag_name"],
                self._account(line["transfer_account_id"]),
                line["transfer_transaction_id"],
            )
        return found

    def transfers(self) -> Figures:
        sides = {
            line["id"]: (whole, line) for whole, line in self.lines if line["transfer_account_id"]
        }
        found: Figures = {}
        for identity, (whole, line) in sides.items():
            if line["amount"] < 0:
                source, target = (
                    self.accounts_by_id[row["account_id"]]
                    for row in (whole, sides[line["transfer_transaction_id"]][0])
                )
                other = sides[line["transfer_transaction_id"]][1]
                category = self.category(line["category_id"] or other["category_id"])
                found[identity, other["id"]] = (
                    date.fromisoformat(whole["date"]),
                    source["name"],
                    target["name"],
                    units(-line["amount"]),
                    KINDS[source["type"]] == "cash" and KINDS[target["type"]] == "credit",
                    category and category["name"],
                )
        return found

    def net_worth(self) -> Figures:
        changes: defaultdict[str, Counter[date]] = defaultdict(Counter)
        for whole in self.budget.entities("transactions"):
            changes[whole["account_id"]][date.fromisoformat(whole["date"])] += whole["amount"]
        found: Figures = {}
        for account_id, by_day in changes.items():
            day, balance = min(by_day), 0
            while day <= self.as_of:
                balance += by_day[day]
                last = day == self.as_of or (day + DAY).day == 1
                account = self.accounts_by_id[account_id]
                found[account["name"], day] = (
                    units(balance),
                    units(max(0, balance)),
                    units(max(0, -balance)),
                    last,
                    month_of(day),
                    KINDS[account["type"]],
                    account["on_budget"],
                )
                day += DAY
        return found

    def budget_vs_actual(self) -> Figures:
        by_card: Counter[tuple[str, str]] = Counter()
        for whole, line in self.lines:
            if KINDS[self.accounts_by_id[whole["account_id"]]["type"]] == "credit":
                by_card[whole["date"][:7], line["category_id"]] -= line["amount"]
        found: Figures = {}
        for row in self.budget.entities("month_categories"):
            if row["id"] == self.budget.special.inflow:
                continue
            over = max(0, -row["balance"])
            credit = min(over, max(0, by_card[row["month"][:7], row["id"]]))
            category = self.category(row["id"])
            assert category
            found[date.fromisoformat(row["month"]), row["id"]] = (
                category["name"],
                category["group"],
                *(units(row[name]) for name in ("budgeted", "activity", "balance")),
                *(units(amount) for amount in (over, over - credit, credit)),
                row["goal_type"],
                *(
                    None if row[name] is None else units(row[name])
                    for name in (
                        "goal_target",
                        "goal_under_funded",
                        "goal_overall_funded",
                        "goal_overall_left",
                    )
                ),
                row["goal_percentage_complete"],
                row["goal_target_date"] and date.fromisoformat(row["goal_target_date"]),
            )
        return found

    def spending(self) -> Figures:
        found: Counter[tuple[date, str, str]] = Counter()
        for whole, line in self.lines:
            if self.kind(whole, line) == "spending":
                category = self.category(line["category_id"])
                name = category["name"] if category else "Uncategorized"
                month = month_of(date.fromisoformat(whole["date"]))
                found[month, name, self._payee(whole, line)] -= line["amount"]
        return {key: (units(amount),) for key, amount in found.items()}

    def payee_trends(self) -> Figures:
        found: defaultdict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0, 0])
        for whole, line in self.lines:
            kind = self.kind(whole, line)
            if kind in ("spending", "income"):
                key = (self._payee(whole, line), month_of(date.fromisoformat(whole["date"])))
                found[key][kind == "income"] += line["amount"]
                found[key][2] += 1
        return {key: (units(-out), units(came), n) for key, (out, came, n) in found.items()}

    def income_vs_expense(self) -> Figures:
        """As the budget itself has it."""
        return {
            (date.fromisoformat(row["month"]),): (
                units(row["income"]),
                units(-row["activity"]),
                units(row["income"] + row["activity"]),
                share(row["income"] + row["activity"], row["income"]),
                units(row["income"]),
                units(-row["activity"]),
                Decimal(0),
                Decimal(0),
            )
            for row in self.budget.entities("months")
        }

    def months(self) -> Figures:
        return {
            (date.fromisoformat(row["month"]),): (
                *(
                    units(row[name])
                    for name in ("to_be_budgeted", "income", "budgeted", "activity")
                ),
                row["age_of_money"],
                row["note"],
            )
            for row in self.budget.entities("months")
        }

    def money_moves(self) -> Figures:
        groups = self._names("money_movement_groups")
        return {
            (row["id"],): (
                date.fromisoformat(row["month"]),
                self.categories_by_id[row["from_category_id"]]["name"],
                self.categories_by_id[row["to_category_id"]]["name"],
                units(row["amount"]),
                row["note"] or groups[row["money_movement_group_id"]]["note"],
            )
            for row in self.budget.entities("money_movements")
        }

    def upcoming(self) -> Figures:
        found: Figures = {}
        for row in self.budget.entities("scheduled_transactions"):
            for number, day in enumerate(self._due(row), 1):
                category = self.category(row["category_id"])
                is_split = bool(row["subtransactions"])
                found[row["id"], day] = (
                    number,
                    row["frequency"],
                    self._account(row["account_id"]),
                    self._payee(row, row),
                    "Split" if is_split else category and category["name"],
                    category and category["group"],
                    units(row["amount"]),
                    row["memo"],
                    is_split,
                    self._account(row["transfer_account_id"]),
                )
        return found

    def _due(self, row: Row) -> Iterator[date]:
        first, day = (date.fromisoformat(row[name]) for name in ("date_first", "date_next"))
        start, end = day, self._horizon()
        while day <= end:
            if day == start or self._is_due(row["frequency"], first, start, day):
                yield day
            day += DAY

    @staticmethod
    def _is_due(frequency: str, first: date, start: date, day: date) -> bool:
        """Look at a single day after the next date."""
        if frequency in EVERY_DAYS:
            return (day - start).days % EVERY_DAYS[frequency] == 0

        def falls_on(number: int, other: date) -> bool:
            return other.day == number or (other.day == length(other) and number > other.day)

        if frequency == "twiceAMonth":
            for given in (first.day, start.day):
                pair = {given, given + 15 if given <= 15 else given - 15}
                if any(falls_on(number, start) for number in pair):
                    return any(falls_on(number, day) for number in pair)
        if frequency not in EVERY_MONTHS:
            return False
        months = (day.year - start.year) * 12 + day.month - start.month
        number = first.day if falls_on(first.day, start) else start.day
        return months > 0 and months % EVERY_MONTHS[frequency] == 0 and falls_on(number, day)

    def _horizon(self) -> date:
        """The same day of the next year."""
        year = self.as_of.year + 1
        last = calendar.monthrange(year, self.as_of.month)[1]
        return self.as_of.replace(year=year, day=min(self.as_of.day, last))

    def cash_flow_forecast(self) -> Figures:
        changes: defaultdict[str, Counter[date]] = defaultdict(Counter)
        for row in self.budget.entities("scheduled_transactions"):
            for due in self._due(row):
                day = max(due, self.as_of)
                changes[row["account_id"]][day] += row["amount"]
                for line in row["subtransactions"] or [row]:
                    if line["transfer_account_id"]:
                        changes[line["transfer_account_id"]][day] -= line["amount"]
        found: Figures = {}
        for account in self.budget.entities("accounts"):
            if account["closed"]:
                continue
            days = [self.as_of + DAY * n for n in range((self._horizon() - self.as_of).days + 1)]
            of_account = [changes[account["id"]][day] for day in days]
            balances = [account["balance"] + total for total in accumulate(of_account)]
            below = [
                day
                for day, balance in zip(days, balances, strict=True)
                if balance < 0 and KINDS[account["type"]] in ("cash", "asset")
            ]
            first = min(below, default=None)
            for day, change, balance in zip(days, of_account, balances, strict=True):
                found[account["name"], day] = (units(balance), units(change), first, day == first)
        return found

    def reconciliation(self) -> Figures:
        uncleared = Counter(
            whole["account_id"] for whole, _ in self.lines if whole["cleared"] == "uncleared"
        )
        found: Figures = {}
        for row in self.budget.entities("accounts"):
            last = row["last_reconciled_at"] and datetime.strptime(
                row["last_reconciled_at"], "%Y-%m-%dT%H:%M:%S.%f%z"
            ).replace(tzinfo=None)
            balances = [units(row["balance"])] * 2 + [Decimal(0)]
            cleared = [units(row["cleared_balance"])] * 2 + [Decimal(0)]
            days = last and (self.as_of - last.date()).days
            found[row["name"],] = (*balances, *cleared, uncleared[row["id"]], last, days, True)
        return found
