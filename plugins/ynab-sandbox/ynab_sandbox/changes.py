"""A change of a budget's tables: all of its rows are written, or none."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ynab_sandbox.tables import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from ynab_sandbox.tables import Fields, Key, Special, Tables


@dataclass
class Change:
    """A change in progress: the rows that are written in it get a new `server_knowledge`.

    Stored fields are never modified in place: a row is written as a whole, so that the change knows
    what it was before. A row that would stay the same must not be written.
    """

    tables: Tables
    special: Special
    today: str
    month: str
    new_id: Callable[[], str]
    _before: defaultdict[str, dict[Key, Row | None]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def find(self, kind: str, key: Key | None) -> Fields | None:
        """Return the fields of a row, or None if there is no such row."""
        row = self.tables[kind].get(key) if key is not None else None
        return row.fields if row else None

    def get(self, kind: str, key: Key) -> Fields:
        """Return the fields of a row."""
        fields = self.find(kind, key)
        if fields is None:
            raise KeyError(f"{kind}: there is no {key}")
        return fields

    def put(self, kind: str, key: Key, fields: Fields) -> None:
        """Write a row."""
        before = self._remember(kind, key)
        self.tables[kind][key] = Row(fields, before.knowledge if before else 0)

    def update(self, kind: str, key: Key, /, **fields: object) -> None:
        """Write an existing row with some new fields, or none to count it as changed."""
        self.put(kind, key, {**self.get(kind, key), **fields})

    def remove(self, kind: str, key: Key) -> None:
        """Remove a row without a tombstone."""
        self._remember(kind, key)
        del self.tables[kind][key]

    def before(self, kind: str) -> dict[Key, Fields | None]:
        """Return the rows of a kind that were written, as they were before; None for new ones."""
        return {key: row.fields if row else None for key, row in self._before[kind].items()}

    @cached_property
    def parents(self) -> dict[str, str]:
        """Ids of split transactions by the ids of their subtransactions."""
        return {
            line["id"]: row.fields["id"]
            for row in self.tables["transactions"].values()
            for line in row.fields["subtransactions"]
        }

    def commit(self, knowledge: int) -> None:
        """Give the rows that were written a new `server_knowledge`."""
        for kind, rows in self._before.items():
            for key in rows.keys() & self.tables[kind].keys():
                self.tables[kind][key].knowledge = knowledge

    def undo(self) -> None:
        """Put all rows back as they were before."""
        for kind, rows in self._before.items():
            for key, before in rows.items():
                if before is not None:
                    self.tables[kind][key] = before
                else:
                    self.tables[kind].pop(key, None)

    def _remember(self, kind: str, key: Key) -> Row | None:
        row = self.tables[kind].get(key)
        self._before[kind].setdefault(key, row)
        return row
