"""An invented household, the same for the same seed and day: everything but its spending."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ynab_sandbox import intentions
from ynab_sandbox import names as words
from ynab_sandbox.clock import month_of, next_month
from ynab_sandbox.ledger import Change, Special
from ynab_sandbox.money import MILLIUNITS
from ynab_sandbox.spending import Spending
from ynab_sandbox.tables import KINDS, Fields, Row, Tables, living, new_fields

if TYPE_CHECKING:
    from ynab_sandbox.names import Names

#: The share of transactions in the recurring ones is about fifteen a month.
LEAST_A_MONTH = 20


@dataclass
class Household:
    """What a plan starts with.

    Attributes:
        plan_id: the plan's id.
        name: its name.
        knowledge: its counter; no entity has a higher one.
        currency_format: how amounts are written.
        tables: the entities.
        special: the categories that YNAB itself makes.
    """

    budget_id: str
    name: str
    knowledge: int
    currency_format: Fields | None
    tables: Tables
    special: Special


@dataclass(frozen=True)
class Size:
    """How much there is of a household.

    Attributes:
        years: how many years back it goes; fewer if there are few transactions.
        transactions: exactly how many.
        knowledge: the counter that the plan starts with.
    """

    years: int
    transactions: int
    knowledge: int = 1000


def invent(names: Names, size: Size, seed: object, today: date) -> Household:
    """Invents a household.

    Args:
        names: who lives in it.
        size: how much there is of it.
        seed: what makes it differ from others.
        today: the last day.
    """
    return Inventor(names, size, seed, today).household()


class Inventor:
    """Makes one household's entities, in the order in which they refer to each other."""

    def __init__(self, names: Names, size: Size, seed: object, today: date) -> None:
        """Takes the same as `invent`."""
        self.names = names
        self.size = size
        self.today = today
        self.random = random.Random(f"{seed}/{names.budget}")  # noqa: S311 - has to be repeatable
        self.tables: Tables = {kind: {} for kind in KINDS}
        self.accounts: dict[str, str] = {}
        self.categories: dict[str, str] = {}
        self.payees: dict[str, str] = {}
        self.user_id = self.new_id()
        count = min(size.years * 12, max(2, size.transactions // LEAST_A_MONTH))
        self.first = today.replace(day=1)
        for _ in range(count - 1):
            self.first = (self.first - timedelta(days=1)).replace(day=1)

    def new_id(self) -> str:
        """A new id."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def put(self, kind: str, **fields: object) -> str:
        """Adds an entity and returns its id."""
        identity = self.new_id()
        self.tables[kind][identity] = Row(new_fields(kind, identity, **fields), 0)
        return identity

    def household(self) -> Household:
        """Makes everything."""
        budget_id = self.new_id()
        self._payees()
        self._accounts()
        self._categories()
        special = Special(
            self.categories[words.INFLOW], self.categories[words.UNCATEGORIZED], self.new_id()
        )
        self._months()
        for fields in Spending(self, special).transactions():
            self.tables["transactions"][fields["id"]] = Row(fields, 0)
        self._settle(special)
        intentions.schedule(self, special)
        intentions.move_money(self)
        self._number()
        return Household(
            budget_id,
            self.names.budget,
            self.size.knowledge,
            self.names.currency,
            self.tables,
            special,
        )

    def _payees(self) -> None:
        shops = [shop[0] for shop in self.names.shops]
        bills = [bill[0] for bill in self.names.bills]
        for name in (words.STARTING_BALANCE, words.INTEREST, self.names.salary[0], *bills, *shops):
            self.payees[name] = self.put("payees", name=name)
        for name in shops[:3]:
            latitude = f"{self.random.uniform(35, 48):.6f}"
            longitude = f"{self.random.uniform(-120, 12):.6f}"
            self.put(
                "payee_locations",
                payee_id=self.payees[name],
                latitude=latitude,
                longitude=longitude,
            )

    def _accounts(self) -> None:
        for role, (name, kind) in self.names.accounts.items():
            payee = self.put("payees", name=f"Transfer : {name}")
            account = self.put(
                "accounts",
                name=name,
                type=kind,
                on_budget=role not in {"loan", "asset"},
                closed=role == "closed",
                transfer_payee_id=payee,
                direct_import_linked=role in {"checking", "card"},
                last_reconciled_at=f"{self.today - timedelta(days=30)}T08:15:30.000Z",
                **self._debt(role),
            )
            self.tables["payees"][payee].fields["transfer_account_id"] = account
            self.accounts[role] = account
        self.tables["accounts"][self.accounts["checking"]].fields["note"] = "Joint account 👫"

    def _debt(self, role: str) -> Fields:
        if role == "card":
            maps: Fields = {}
            return {
                "debt_interest_rates": maps,
                "debt_minimum_payments": maps,
                "debt_escrow_amounts": maps,
            }
        if role != "loan":
            return {}
        since = self.first.isoformat()
        return {
            "debt_interest_rates": {since: 3650},
            "debt_minimum_payments": {since: 1450 * MILLIUNITS},
            "debt_escrow_amounts": {since: 310 * MILLIUNITS},
        }

    def _categories(self) -> None:
        internal = self.put("category_groups", name=words.INTERNAL_GROUP, internal=True)
        for name in (words.INFLOW, words.UNCATEGORIZED):
            self._category(internal, name, {"internal": True})
        cards = self.put("category_groups", name=words.CARD_GROUP)
        self._category(cards, self.names.accounts["card"][0], {})
        for group, categories in self.names.groups.items():
            group_id = self.put("category_groups", name=group)
            for name, goal in categories.items():
                self._category(group_id, name, self._goal(goal))
        hidden = self.put("category_groups", name=words.HIDDEN_GROUP, hidden=True)
        self._category(hidden, "Old Gym", {"hidden": True, "note": "Cancelled"})

    def _category(self, group_id: str, name: str, fields: Fields) -> None:
        self.categories[name] = self.put(
            "categories", category_group_id=group_id, name=name, **fields
        )

    def _goal(self, goal: Fields) -> Fields:
        fields = {**goal}
        ahead, snoozed = fields.pop("year_ahead", False), fields.pop("snoozed", False)
        if fields:
            fields["goal_target"] *= MILLIUNITS
            fields["goal_creation_month"] = self.first.isoformat()
        if ahead:
            day = (self.today + timedelta(days=300)).isoformat()
            fields["goal_target_month"] = fields["goal_target_date"] = day
        if snoozed:
            fields["goal_snoozed_at"] = f"{self.today.replace(day=1)}T07:00:00Z"
        return fields

    def _months(self) -> None:
        month, last = self.first.isoformat(), self.today.replace(day=1).isoformat()
        while month <= last:
            note = "Summer trip 🏖" if month[5:7] == "07" else None
            age = self.random.randint(18, 60)
            fields = new_fields("months", month=month, note=note, age_of_money=age)
            self.tables["months"][month] = Row(fields, 0)
            for category_id in self.categories.values():
                amounts = new_fields("month_categories")
                self.tables["month_categories"][month, category_id] = Row(amounts, 0)
            month = next_month(month)

    def _settle(self, special: Special) -> None:
        today = self.today.isoformat()
        change = Change(self.tables, special, 0, today, month_of(today))
        for row in self.tables["transactions"].values():
            change.post(row.fields, 1)
        self._budget(change, special)
        change.close()

    def _budget(self, change: Change, special: Special) -> None:
        """Budgets for each month about what it took, and what is left for savings."""
        rows = self.tables["month_categories"]
        step = 5 * MILLIUNITS
        for month in self.tables["months"]:
            left = rows[str(month), special.inflow].fields["activity"]
            for key, row in rows.items():
                if key[0] == month and row.fields["activity"] < 0:
                    spent = -row.fields["activity"]
                    if key[1] not in {special.inflow, special.uncategorized}:
                        row.fields["budgeted"] = amount = -(-spent // step) * step
                        left -= amount
                change.resettle(key)
            if left > 0:
                key = (str(month), self.categories[self.names.savings])
                rows[key].fields["budgeted"] += left * 9 // 10

    def _number(self) -> None:
        """Spreads the plan's counter over the entities: later ones changed later."""
        for table in self.tables.values():
            for number, row in enumerate(table.values()):
                row.knowledge = 1 + number * (self.size.knowledge - 1) // len(table)
        for row in self.tables["transactions"].values():
            for line in living(row.fields["subtransactions"]):
                line["transaction_id"] = row.fields["id"]
