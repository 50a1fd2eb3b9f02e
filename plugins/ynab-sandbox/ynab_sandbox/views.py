"""Shapes of entities in responses: stored fields, joined names, amounts of a month, formatted ones.

Names are joined when an entity is read. So a renamed payee does not change the knowledge of its
transactions, and deltas do not resend them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ynab_sandbox.money import clamp
from ynab_sandbox.tables import CATEGORY_SUMS, SUMS, living

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.money import Formatter
    from ynab_sandbox.tables import Fields, Key, Special, Tables

GOAL_SUMS = ("goal_target", "goal_under_funded", "goal_overall_funded", "goal_overall_left")
GOAL_PROGRESS = ("goal_percentage_complete", "goal_months_to_budget", *GOAL_SUMS[1:])


@dataclass(frozen=True)
class Views:
    """Shapes of one budget's rows, with the amounts of a month; without a formatter, plain ones."""

    tables: Tables
    special: Special
    month: str
    formatter: Formatter | None

    def entity(self, kind: str, key: Key, *, deleted: bool = False) -> Fields:
        """Return an entity, with its deleted subtransactions or without."""
        fields = self.tables[kind][key].fields
        if kind in {"transactions", "scheduled_transactions"}:
            return self.transaction(fields, deleted=deleted)
        if kind == "categories":
            return self.category(key, self.month)
        if kind == "month_categories":
            return {"month": key[0], **self.category(key[1], key[0])}
        if kind == "money_movements":
            return self._formatted(dict(fields), ("amount",))
        view, sums = dict(fields), SUMS.get(kind, ())
        clamp(view, sums)
        return self._formatted(view, sums)

    def category(self, category_id: Key, month: str) -> Fields:
        """Return a category with its amounts in a month."""
        fields = self.tables["categories"][category_id].fields
        row = self.tables["month_categories"].get((month, fields["id"]))
        amounts = row.fields if row else dict.fromkeys(CATEGORY_SUMS, 0)
        group_name = self._name("category_groups", fields["category_group_id"])
        view = {**fields, "category_group_name": group_name, **amounts}
        view["deleted"] = fields["deleted"] or amounts.get("deleted", False)
        clamp(view, CATEGORY_SUMS)
        for name, value in goal_progress(view).items():
            view.setdefault(name, value)
        return self._formatted(view, CATEGORY_SUMS + GOAL_SUMS)

    def transaction(self, fields: Fields, *, deleted: bool) -> Fields:
        """Return a transaction or scheduled transaction with its subtransactions."""
        view = self.line(fields)
        if lines := fields["subtransactions"]:
            shown = lines if deleted else living(lines)
            view["subtransactions"] = [self.line(line) for line in shown]
        return view

    def line(self, fields: Fields) -> Fields:
        """Return a transaction or subtransaction by itself, with the names of its ids."""
        category_id = fields["category_id"]
        is_split = category_id == self.special.split
        view = {
            **fields,
            "payee_name": self._name("payees", fields["payee_id"]),
            "category_name": "Split" if is_split else self._name("categories", category_id),
        }
        if "account_id" in fields:
            view["account_name"] = self._name("accounts", fields["account_id"]) or ""
        return self._formatted(view, ("amount",))

    def hybrids(self, fields: Fields, column: str, value: str) -> Iterator[Fields]:
        """Yield the parts of a transaction that belong to a category or payee."""
        whole = {"type": "transaction", "parent_transaction_id": None}
        part = {"type": "subtransaction", "parent_transaction_id": fields["id"]}
        lines = ({**line, **part} for line in living(fields["subtransactions"]))
        for own in ({**fields, **whole}, *lines):
            if own[column] == value:
                view = self.line({**fields, **own})
                view["category_name"] = view["category_name"] or "Uncategorized"
                view["deleted"] = fields["deleted"] or view["deleted"]
                for name in ("subtransactions", "transaction_id"):
                    view.pop(name, None)
                yield view

    def _name(self, kind: str, key: str | None) -> str | None:
        row = self.tables[kind].get(key) if key is not None else None
        return row.fields["name"] if row else None

    def _formatted(self, view: Fields, names: tuple[str, ...]) -> Fields:
        if self.formatter:
            self.formatter.add_formatted(view, names)
        return view


def goal_progress(category: Fields) -> Fields:
    """Return the progress of a category's goal: its target against what is available."""
    target = category["goal_target"]
    if category["goal_type"] is None or not isinstance(target, int):
        return dict.fromkeys(GOAL_PROGRESS)
    funded = max(0, min(target, category["balance"]))
    left = target - funded
    percentage = 100 * funded // target if target > 0 else 100
    return dict(zip(GOAL_PROGRESS, (percentage, 1, left, funded, left), strict=True))
