"""How entities look in an answer: stored fields, joined names, amounts of the month, and twins.

Names are looked up when an entity is read. So a renamed payee does not change the knowledge of its
transactions, and a delta goes on without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ynab_sandbox.money import Formatter, fit
from ynab_sandbox.tables import living

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.ledger import Special
    from ynab_sandbox.tables import Fields, Tables

BALANCES = ("balance", "cleared_balance", "uncleared_balance")
CATEGORY_SUMS = ("budgeted", "activity", "balance")
GOAL_SUMS = ("goal_target", "goal_under_funded", "goal_overall_funded", "goal_overall_left")
MONTH_SUMS = ("income", "budgeted", "activity", "to_be_budgeted")
GOAL_PROGRESS = (
    "goal_percentage_complete",
    "goal_months_to_budget",
    "goal_under_funded",
    "goal_overall_funded",
    "goal_overall_left",
)


class Views:
    """Shapes one plan's rows, as they are now."""

    def __init__(self, tables: Tables, special: Special, currency: Fields | None) -> None:
        """Takes what is to be shown.

        Args:
            tables: the plan's entities.
            special: the plan's own categories.
            currency: the plan's currency format.
        """
        self._tables = tables
        self._special = special
        self._money = Formatter(currency)

    def account(self, fields: Fields, *, twins: bool = True) -> Fields:
        """An account.

        Args:
            fields: the stored fields.
            twins: whether with formatted amounts; the plan export is without.
        """
        view = dict(fields)
        fit(view, BALANCES)
        if twins:
            self._money.twins(view, BALANCES)
        return view

    def category(self, fields: Fields, month: str, *, twins: bool = True) -> Fields:
        """A category with the amounts of a month.

        Args:
            fields: the category's stored fields.
            month: the month's first day.
            twins: whether with formatted amounts; the plan export is without.
        """
        row = self._tables["month_categories"].get((month, fields["id"]))
        amounts = row.fields if row else dict.fromkeys(CATEGORY_SUMS, 0)
        group = self._tables["category_groups"].get(fields["category_group_id"])
        view = {**fields, "category_group_name": group.fields["name"] if group else None}
        view.update(amounts)
        view["deleted"] = fields["deleted"] or amounts.get("deleted", False)
        fit(view, CATEGORY_SUMS)
        for name, value in progress(view).items():
            view.setdefault(name, value)
        if twins:
            self._money.twins(view, CATEGORY_SUMS + GOAL_SUMS)
        return view

    def month(self, fields: Fields, *, twins: bool = True) -> Fields:
        """A month's summary.

        Args:
            fields: the stored fields.
            twins: whether with formatted amounts; the plan export is without.
        """
        view = dict(fields)
        fit(view, MONTH_SUMS)
        if twins:
            self._money.twins(view, MONTH_SUMS)
        return view

    def movement(self, fields: Fields) -> Fields:
        """A money movement.

        Args:
            fields: the stored fields.
        """
        view = dict(fields)
        self._money.twins(view, ("amount",))
        return view

    def transaction(self, fields: Fields, *, tombstones: bool) -> Fields:
        """A transaction or scheduled transaction with its subtransactions.

        Args:
            fields: the stored fields.
            tombstones: whether deleted subtransactions show, as they do in deltas.
        """
        view = self.line(fields)
        lines = fields["subtransactions"]
        if lines:
            shown = lines if tombstones else living(lines)
            view["subtransactions"] = [self.line(line) for line in shown]
        return view

    def line(self, fields: Fields) -> Fields:
        """A transaction or subtransaction by itself, with names and twins.

        Args:
            fields: the stored fields.
        """
        view = {**fields, **self.names(fields)}
        self._money.twins(view, ("amount",))
        return view

    def names(self, fields: Fields) -> Fields:
        """The names that go with the ids of a transaction or subtransaction.

        Args:
            fields: the stored fields.
        """
        category_id = fields["category_id"]
        split = category_id == self._special.split
        names = {
            "payee_name": self._name("payees", fields["payee_id"]),
            "category_name": "Split" if split else self._name("categories", category_id),
        }
        if "account_id" in fields:
            names["account_name"] = self._name("accounts", fields["account_id"]) or ""
        return names

    def _name(self, kind: str, key: str | None) -> str | None:
        row = self._tables[kind].get(key) if key is not None else None
        return row.fields["name"] if row else None

    def hybrids(self, fields: Fields, column: str, wanted: str) -> Iterator[Fields]:
        """The lines of a transaction that belong to a category or payee.

        Args:
            fields: a transaction's stored fields.
            column: `category_id` or `payee_id`.
            wanted: the category or payee.
        """
        lines = living(fields["subtransactions"])
        if fields[column] == wanted:
            yield self._hybrid(fields, {"type": "transaction", "parent_transaction_id": None})
        for line in lines:
            if line[column] == wanted:
                own = {"type": "subtransaction", "parent_transaction_id": fields["id"]}
                yield self._hybrid(fields, {**line, **own})

    def _hybrid(self, fields: Fields, own: Fields) -> Fields:
        view = self.line({**fields, **own})
        view["category_name"] = view["category_name"] or "Uncategorized"
        view["deleted"] = fields["deleted"] or view["deleted"]
        for name in ("subtransactions", "transaction_id"):
            view.pop(name, None)
        return view


def progress(category: Fields) -> Fields:
    """How far a category's goal is, by simple arithmetic: target against what is available.

    Args:
        category: a category with the amounts of a month.
    """
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
