"""One change of a plan: rows are opened, sums put right, and what changed gets the new knowledge.

Account balances are the sums of their transactions. A month category's activity is the sum of the
lines (a transaction, or its subtransactions) in accounts that are on budget; its balance is the
balance of the month before, plus what was budgeted, plus the activity.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ynab_sandbox.clock import month_of, next_month
from ynab_sandbox.tables import Row, living, new_fields

if TYPE_CHECKING:
    from ynab_sandbox.tables import Fields, Key, Tables


@dataclass(frozen=True)
class Special:
    """The categories that YNAB itself makes.

    Attributes:
        inflow: "Inflow: Ready to Assign".
        uncategorized: where transactions without a category count.
        split: what a split carries as its category: no such category is listed.
    """

    inflow: str
    uncategorized: str
    split: str


class Change:
    """A change in progress: everything it alters ends up with one and the same knowledge."""

    def __init__(
        self, tables: Tables, special: Special, knowledge: int, today: str, month: str
    ) -> None:
        """Begins a change.

        Args:
            tables: the plan's entities.
            special: the plan's own categories.
            knowledge: the number that changed rows get.
            today: the current day, `YYYY-MM-DD`.
            month: the plan's current month: amounts in it are those of the categories.
        """
        self.tables = tables
        self.special = special
        self._knowledge = knowledge
        self.today = today
        self.month = month
        self._before: dict[tuple[str, Key], Fields] = {}
        self._unsettled: set[Key] = set()

    def find(self, kind: str, key: Key | None) -> Fields | None:
        """A row's fields, only to be read, or None when there is no such row.

        Args:
            kind: the table.
            key: the row's key.
        """
        row = self.tables[kind].get(key) if key is not None else None
        return row.fields if row else None

    def open(self, kind: str, key: Key) -> Fields:
        """A row's fields, to be changed; the row counts as changed if they differ at the end.

        Args:
            kind: the table.
            key: the row's key.

        Raises:
            KeyError: there is no such row.
        """
        fields = self.tables[kind][key].fields
        if (kind, key) not in self._before:
            self._before[kind, key] = dict(fields)
        return fields

    def put(self, kind: str, key: Key, fields: Fields) -> Fields:
        """Adds a row.

        Args:
            kind: the table.
            key: the row's key.
            fields: the entity.
        """
        self.tables[kind][key] = Row(fields, self._knowledge)
        return fields

    def bump(self, kind: str, key: Key) -> None:
        """Marks a row as changed, whether or not anything in it differs.

        Args:
            kind: the table.
            key: the row's key.
        """
        self.tables[kind][key].knowledge = self._knowledge

    def post(self, transaction: Fields, sign: int) -> None:
        """Counts a transaction in (sign 1) or out (sign -1) of its account and categories.

        Args:
            transaction: the transaction; a deleted one counts nowhere.
            sign: 1 or -1.
        """
        account_id = transaction["account_id"]
        if transaction["deleted"] or account_id not in self.tables["accounts"]:
            return
        account = self.open("accounts", account_id)
        amount = sign * transaction["amount"]
        pending = transaction["cleared"] == "uncleared"
        account["balance"] += amount
        account["uncleared_balance" if pending else "cleared_balance"] += amount
        if account["on_budget"]:
            self._post_lines(transaction, sign)

    def _post_lines(self, transaction: Fields, sign: int) -> None:
        month = month_of(transaction["date"])
        self.ensure_month(month)
        for line in living(transaction["subtransactions"]) or (transaction,):
            key = (month, line["category_id"])
            if key in self.tables["month_categories"]:
                self.open("month_categories", key)["activity"] += sign * line["amount"]
                self._unsettled.add(key)

    def resettle(self, key: Key) -> None:
        """Has the balances that follow from a month category worked out anew.

        Args:
            key: month and category id.
        """
        self._unsettled.add(key)

    def ensure_month(self, month: str) -> None:
        """Adds the months that are missing between the plan's months and this one, with it.

        Args:
            month: the first day of a month.
        """
        months = self.tables["months"]
        if month in months:
            return
        known = sorted(str(key) for key in months) or [month]
        start, end = min(month, known[0]), max(month, known[-1])
        while start <= end:
            if start not in months:
                self._add_month(start)
            start = next_month(start)

    def _add_month(self, month: str) -> None:
        self.put("months", month, new_fields("months", month=month))
        for category in self.tables["categories"].values():
            if not category.fields["deleted"]:
                self.add_month_category(month, category.fields["id"])

    def add_month_category(self, month: str, category_id: str) -> None:
        """Adds what a category has in a month: nothing but what the month before left.

        Args:
            month: the first day of a month.
            category_id: the category.
        """
        key = (month, category_id)
        self.put("month_categories", key, new_fields("month_categories"))
        self._unsettled.add(key)

    def close(self) -> None:
        """Puts the sums right and gives all that differs the change's knowledge."""
        if self._unsettled:
            self._settle_balances({key[1] for key in self._unsettled})
            self._settle_months()
        for (kind, key), before in self._before.items():
            row = self.tables[kind].get(key)
            if row and row.fields != before:
                row.knowledge = self._knowledge
                if kind == "month_categories" and key[0] == self.month:
                    self._bump_category(key[1])

    def _bump_category(self, category_id: str) -> None:
        if category_id in self.tables["categories"]:
            self.bump("categories", category_id)

    def _settle_balances(self, category_ids: set[str]) -> None:
        rows = self.tables["month_categories"]
        months = sorted(str(month) for month in self.tables["months"])
        for category_id in category_ids:
            balance = 0
            for month in months:
                row = rows.get((month, category_id))
                if row is None:
                    continue
                balance += row.fields["budgeted"] + row.fields["activity"]
                if row.fields["balance"] != balance:
                    self.open("month_categories", (month, category_id))["balance"] = balance

    def _settle_months(self) -> None:
        sums: defaultdict[str, Fields] = defaultdict(
            lambda: {"income": 0, "budgeted": 0, "activity": 0}
        )
        for key, row in self.tables["month_categories"].items():
            if row.fields["deleted"]:
                continue
            month = sums[key[0]]
            if key[1] == self.special.inflow:
                month["income"] += row.fields["activity"]
            else:
                month["budgeted"] += row.fields["budgeted"]
                month["activity"] += row.fields["activity"]
        ready = 0
        for key in sorted(str(month) for month in self.tables["months"]):
            month = sums[key]
            ready += month["income"] - month["budgeted"]
            month["to_be_budgeted"] = ready
            fields = self.tables["months"][key].fields
            if any(fields[name] != amount for name, amount in month.items()):
                self.open("months", key).update(month)
