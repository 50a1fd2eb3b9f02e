"""Shapes of entities in responses: stored fields, joined names, amounts of a month, formatted ones.

Names are joined when an entity is read. So a renamed payee does not change the knowledge of its
transactions, and deltas do not resend them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ynab_sandbox.money import Formatter, clamp
from ynab_sandbox.tables import living

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.tables import Fields, Special, Tables

SUMS = {
    "accounts": ("balance", "cleared_balance", "uncleared_balance"),
    "months": ("income", "budgeted", "activity", "to_be_budgeted"),
    "money_movements": ("amount",),
}
CATEGORY_SUMS = ("budgeted", "activity", "balance")
GOAL_SUMS = ("goal_target", "goal_under_funded", "goal_overall_funded", "goal_overall_left")
GOAL_PROGRESS = (
    "goal_percentage_complete",
    "goal_months_to_budget",
    "goal_under_funded",
    "goal_overall_funded",
    "goal_overall_left",
)


class Views:
    """Shapes of one budget's rows."""

    def __init__(self, tables: Tables, special: Special, currency: Fields | None) -> None:
        """Take the budget's tables, special categories and currency format."""
        self._tables = tables
        self._special = special
        self._money = Formatter(currency)

    def entity(
        self,
        kind: str,
        fields: Fields,
        month: str,
        *,
        deleted: bool = False,
        formatted: bool = True,
    ) -> Fields:
        """Return an entity, a category with the amounts of a month.

        Args:
            kind: one of `KINDS`.
            fields: its stored fields.
            month: the month.
            deleted: whether to include deleted subtransactions.
            formatted: whether to add formatted amounts, which the export lacks.
        """
        if kind in {"transactions", "scheduled_transactions"}:
            return self.transaction(fields, deleted=deleted)
        if kind == "categories":
            return self.category(fields, month, formatted=formatted)
        view, sums = dict(fields), SUMS.get(kind, ())
        if kind != "money_movements":
            clamp(view, sums)
        if formatted:
            self._money.add_formatted(view, sums)
        return view

    def category(self, fields: Fields, month: str, *, formatted: bool = True) -> Fields:
        """Return a category with its amounts in a month."""
        row = self._tables["month_categories"].get((month, fields["id"]))
        amounts = row.fields if row else dict.fromkeys(CATEGORY_SUMS, 0)
        group = self._tables["category_groups"].get(fields["category_group_id"])
        view = {**fields, "category_group_name": group.fields["name"] if group else None}
        view.update(amounts)
        view["deleted"] = fields["deleted"] or amounts.get("deleted", False)
        clamp(view, CATEGORY_SUMS)
        for name, value in goal_progress(view).items():
            view.setdefault(name, value)
        if formatted:
            self._money.add_formatted(view, CATEGORY_SUMS + GOAL_SUMS)
        return view

    def transaction(self, fields: Fields, *, deleted: bool) -> Fields:
        """Return a transaction or scheduled transaction with its subtransactions."""
        view = self.line(fields)
        if lines := fields["subtransactions"]:
            shown = lines if deleted else living(lines)
            view["subtransactions"] = [self.line(line) for line in shown]
        return view

    def line(self, fields: Fields) -> Fields:
        """Return a transaction or subtransaction by itself."""
        view = {**fields, **self.names(fields)}
        self._money.add_formatted(view, ("amount",))
        return view

    def names(self, fields: Fields) -> Fields:
        """Return the names that belong to the ids of a transaction or subtransaction."""
        category_id = fields["category_id"]
        is_split = category_id == self._special.split
        names = {
            "payee_name": self._name("payees", fields["payee_id"]),
            "category_name": "Split" if is_split else self._name("categories", category_id),
        }
        if "account_id" in fields:
            names["account_name"] = self._name("accounts", fields["account_id"]) or ""
        return names

    def hybrids(self, fields: Fields, column: str, value: str) -> Iterator[Fields]:
        """Yield the parts of a transaction that belong to a category or payee."""
        if fields[column] == value:
            yield self._hybrid(fields, {"type": "transaction", "parent_transaction_id": None})
        for line in living(fields["subtransactions"]):
            if line[column] == value:
                own = {"type": "subtransaction", "parent_transaction_id": fields["id"]}
                yield self._hybrid(fields, {**line, **own})

    def _hybrid(self, fields: Fields, own: Fields) -> Fields:
        view = self.line({**fields, **own})
        view["category_name"] = view["category_name"] or "Uncategorized"
        view["deleted"] = fields["deleted"] or view["deleted"]
        for name in ("subtransactions", "transaction_id"):
            view.pop(name, None)
        return view

    def _name(self, kind: str, key: str | None) -> str | None:
        row = self._tables[kind].get(key) if key is not None else None
        return row.fields["name"] if row else None


def goal_progress(category: Fields) -> Fields:
    """Return the progress of a category's goal: its target against what is available."""
    target = category["goal_target"]
    if category["goal_type"] is None or not isinstance(target, int):
        return dict.fromkeys(GOAL_PROGRESS)
    funded = max(0, min(target, category["balance"]))
    left = target - funded
    return {
        "goal_percentage_complete": 100 * funded // target if target > 0 else 100,
        "goal_months_to_budget": 1,
        "goal_under_funded": left,
        "goal_overall_funded": funded,
        "goal_overall_left": left,
    }
