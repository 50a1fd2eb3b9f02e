"""A budget: its entities, its `server_knowledge`, and how they change."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ynab_sandbox.changes import Change
from ynab_sandbox.edits import add_entity, delete_entity, edit_entity, forget_entity
from ynab_sandbox.money import Formatter
from ynab_sandbox.sums import add_months, settle
from ynab_sandbox.tables import KINDS, Chance, Fields, Key, Row
from ynab_sandbox.views import Views

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import RLock

    from ynab_sandbox.clock import Clock
    from ynab_sandbox.home import Home

DATE_FORMAT: Fields = {"format": "YYYY-MM-DD"}


class Budget:
    """A budget: read it with `entities`, change it with `add`, `edit`, `delete`, `forget`.

    Every change raises `server_knowledge` by one, and all sums are right after it. A change that is
    refused, with a KeyError or ValueError, changes nothing. Amounts are milliunits.

    Attributes:
        server_knowledge: its counter; a changed entity keeps the number of its last change.
        had_scheduled: whether it ever had scheduled transactions; if not, the API says 404.2.
        revision: a number that grows with each change; `server_knowledge` may go back.
        month: the current month, as its first day.
    """

    def __init__(self, home: Home, clock: Clock, lock: RLock) -> None:
        """Make a budget of an invented household."""
        self.id = home.budget_id
        self.name = home.names.budget
        self.server_knowledge = home.size.knowledge
        self.currency_format: Fields | None = home.names.currency
        self.date_format: Fields | None = DATE_FORMAT
        self.had_scheduled = True
        self.revision = 0
        self.month = clock.month()
        self.last_modified_on = clock.timestamp()
        self.tables = home.tables
        self.special = home.special
        self._random = Chance(home.budget_id)
        self._clock = clock
        self._lock = lock

    def views(self, *, formatted: bool = True) -> Views:
        """Return the shapes of this budget's rows, with formatted amounts or without."""
        formatter = Formatter(self.currency_format) if formatted else None
        return Views(self.tables, self.special, self.month, formatter)

    def entities(self, kind: str, *, deleted: bool = False) -> list[Fields]:
        """Return all entities of a kind, with tombstones or without, as their list shows them.

        Month categories are those of the plan export, each with its `month`; category groups are
        without their categories.
        """
        with self._lock:
            rows = self.rows(kind, since=0 if deleted else None)
            views = self.views(formatted=kind != "month_categories")
            return [views.entity(kind, key, deleted=deleted) for key, _ in rows]

    def rows(self, kind: str, since: int | None = None) -> Iterator[tuple[Key, Row]]:
        """Yield the rows of a kind changed after a `server_knowledge`, or all that are alive."""
        table: list[tuple[Key, Row]] = list(self._table(kind).items())
        if kind in {"months", "month_categories"}:
            table.sort(key=lambda item: item[0])
        for key, row in table:
            if row.knowledge > since if since is not None else not row.fields["deleted"]:
                yield key, row

    def add(self, kind: str, /, **fields: object) -> str:
        """Add an entity and return its id; fields that are not given have defaults."""
        with self._change(kind) as change:
            entity_id = add_entity(change, kind, fields)
        self.had_scheduled |= kind == "scheduled_transactions"
        return entity_id

    def edit(self, kind: str, id_: Key, /, **fields: object) -> None:
        """Edit an entity; fields that YNAB does not have are kept as they are.

        The id of a month is its first day, that of a month category `month|category id`.
        """
        with self._change(kind) as change:
            edit_entity(change, kind, _key_of(kind, id_), fields)

    def delete(self, kind: str, id_: Key, /) -> None:
        """Delete an entity: deltas show its tombstone, full responses show nothing.

        Both sides of a transfer go together; an account takes its transactions, scheduled
        transactions and transfer payee with it; a group its categories; a category its months, and
        leaves its transactions uncategorized; a payee leaves its id behind.
        """
        with self._change(kind) as change:
            delete_entity(change, kind, _key_of(kind, id_))

    def forget(self, kind: str, id_: Key, /) -> None:
        """Remove an entity without a tombstone."""
        with self._change(kind) as change:
            forget_entity(change, kind, _key_of(kind, id_))

    def rewind(self, knowledge: int) -> None:
        """Set `server_knowledge` back, as after a restore on the server; entities stay."""
        with self._lock:
            if not 0 <= knowledge < self.server_knowledge:
                raise ValueError(f"{knowledge} is not below {self.server_knowledge}")
            self.server_knowledge = knowledge
            self.revision += 1
            for table in self.tables.values():
                for row in table.values():
                    row.knowledge = min(row.knowledge, knowledge)

    def roll_over(self) -> None:
        """Add the months that have begun; no category's knowledge changes by that."""
        month = self._clock.month()
        if month == self.month:
            return
        with self._change("months") as change:
            add_months(change, month)
            change.update("months", month)
        self.month = month

    @contextmanager
    def _change(self, kind: str) -> Iterator[Change]:
        self._table(kind)
        with self._lock:
            today = self._clock.today().isoformat()
            change = Change(self.tables, self.special, today, self.month, self._random.new_id)
            try:
                yield change
                settle(change)
            except BaseException:
                change.undo()
                raise
            self.server_knowledge += 1
            self.revision += 1
            change.commit(self.server_knowledge)
            self.last_modified_on = self._clock.timestamp()

    def _table(self, kind: str) -> dict[Key, Row]:
        if kind not in self.tables:
            raise KeyError(f"{kind} is none of {', '.join(KINDS)}")
        return self.tables[kind]


def _key_of(kind: str, id_: Key) -> Key:
    if kind != "month_categories":
        return id_
    month, category_id = id_.split("|") if isinstance(id_, str) else id_
    return (month, category_id)
