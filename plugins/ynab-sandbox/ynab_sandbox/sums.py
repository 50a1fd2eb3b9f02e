"""Derived amounts: recomputed after a change, written if they differ.

The balance of an account is the sum of its transactions. The activity of a category in a month is
the sum of its lines; its balance is that of the month before, plus what was budgeted, plus the
activity. The totals of a month are sums over its categories.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ynab_sandbox.clock import month_of, next_month
from ynab_sandbox.tables import lines_of, new_fields

if TYPE_CHECKING:
    from ynab_sandbox.changes import Change
    from ynab_sandbox.tables import Fields, Key

    #: Differences by kind, key and column.
    Sums = defaultdict[tuple[str, Key, str], int]


def settle(change: Change) -> None:
    """Recompute the amounts that depend on the rows of a change."""
    differences: Sums = defaultdict(int)
    for key, before in change.before("transactions").items():
        _count(before, -1, differences)
        _count(change.find("transactions", key), 1, differences)
    _write_differences(change, differences)
    if written := change.before("month_categories"):
        _write_category_balances(change, {key[1] for key in written})
        _write_months(change)
        # Categories show the amounts of the current month: they count as changed with these.
        for key in change.before("month_categories"):
            if key[0] == change.month and change.find("categories", key[1]):
                change.update("categories", key[1])


def add_months(change: Change, month: str) -> None:
    """Add a month and those that are missing between it and the budget's months."""
    months = change.tables["months"]
    if month in months:
        return
    existing = sorted(str(key) for key in months) or [month]
    start, end = min(month, existing[0]), max(month, existing[-1])
    while start <= end:
        if start not in months:
            change.put("months", start, new_fields("months", month=start))
            for category in change.tables["categories"].values():
                if not category.fields["deleted"]:
                    add_month_category(change, start, category.fields["id"])
        start = next_month(start)


def add_month_category(change: Change, month: str, category_id: str) -> None:
    """Add the amounts of a category in a month."""
    change.put("month_categories", (month, category_id), new_fields("month_categories"))


def _count(transaction: Fields | None, sign: int, differences: Sums) -> None:
    """Add a transaction to the differences, or subtract it if the sign is -1."""
    if transaction is None or transaction["deleted"]:
        return
    column = "cleared_balance" if transaction["cleared"] != "uncleared" else "uncleared_balance"
    for name in ("balance", column):
        differences["accounts", transaction["account_id"], name] += sign * transaction["amount"]
    month = month_of(transaction["date"])
    for line in lines_of(transaction):
        key = (month, line["category_id"])
        differences["month_categories", key, "activity"] += sign * line["amount"]


def _write_differences(change: Change, differences: Sums) -> None:
    for month in sorted({key[0] for kind, key, _ in differences if kind == "month_categories"}):
        add_months(change, month)
    for (kind, key, column), amount in differences.items():
        row = change.find(kind, key)
        if row and amount:
            change.update(kind, key, **{column: row[column] + amount})


def _write_category_balances(change: Change, category_ids: set[str]) -> None:
    months = sorted(str(month) for month in change.tables["months"])
    for category_id in category_ids:
        balance = 0
        for month in months:
            row = change.find("month_categories", (month, category_id))
            if row is None:
                continue
            balance += row["budgeted"] + row["activity"]
            if row["balance"] != balance:
                change.update("month_categories", (month, category_id), balance=balance)


def _write_months(change: Change) -> None:
    totals: defaultdict[str, Fields] = defaultdict(
        lambda: {"income": 0, "budgeted": 0, "activity": 0}
    )
    for key, row in change.tables["month_categories"].items():
        if row.fields["deleted"]:
            continue
        total = totals[key[0]]
        if key[1] == change.special.inflow:
            total["income"] += row.fields["activity"]
        else:
            total["budgeted"] += row.fields["budgeted"]
            total["activity"] += row.fields["activity"]
    to_be_budgeted = 0
    for month in sorted(str(key) for key in change.tables["months"]):
        total = totals[month]
        to_be_budgeted += total["income"] - total["budgeted"]
        total["to_be_budgeted"] = to_be_budgeted
        before = change.get("months", month)
        if before != {**before, **total}:
            change.update("months", month, **total)
