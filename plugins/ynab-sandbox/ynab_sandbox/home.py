"""An invented household in the making: its tables, and the ids of its entities by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ynab_sandbox.tables import KINDS, Chance, Fields, Row, Special, Tables, new_fields

if TYPE_CHECKING:
    from datetime import date

    from ynab_sandbox.names import Names

#: The least transactions a month; about fifteen of them recur each month.
LEAST_A_MONTH = 20


@dataclass(frozen=True)
class Size:
    """The years at most, the number of transactions, and the first value of the counter."""

    years: int
    transactions: int
    knowledge: int = 1000


class Home:
    """A household in the making; the same for the same names, size, seed and day."""

    special: Special

    def __init__(self, names: Names, size: Size, seed: object, today: date) -> None:
        """Start with empty tables."""
        self.names = names
        self.size = size
        self.today = today
        self.random = Chance(f"{seed}/{names.budget}")
        self.tables: Tables = {kind: {} for kind in KINDS}
        self.accounts: dict[str, str] = {}
        self.categories: dict[str, str] = {}
        self.payees: dict[str, str] = {}
        self.user_id = self.random.new_id()
        self.budget_id = self.random.new_id()
        self.first = today.replace(day=1)
        for _ in range(min(size.years * 12, max(2, size.transactions // LEAST_A_MONTH)) - 1):
            self.first = (self.first - timedelta(days=1)).replace(day=1)

    def put(self, kind: str, **fields: object) -> str:
        """Add an entity and return its id."""
        entity_id = self.random.new_id()
        self.tables[kind][entity_id] = Row(new_fields(kind, entity_id, **fields), 0)
        return entity_id

    def fields(self, kind: str, entity_id: str) -> Fields:
        """Return the fields of an entity."""
        return self.tables[kind][entity_id].fields
