"""One plan (a budget, in its old name): its entities, its knowledge, and how they change."""

from __future__ import annotations

import random
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ynab_sandbox import deletions, edits
from ynab_sandbox.ledger import Change
from ynab_sandbox.tables import KINDS, Fields, Key, Row
from ynab_sandbox.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ynab_sandbox.clock import Clock
    from ynab_sandbox.household import Household
    from ynab_sandbox.lock import Lock

DATE_FORMAT = {"format": "YYYY-MM-DD"}


class Budget:
    """A plan: read it by `entities`, change it by `add`, `edit`, `delete`, `forget`.

    Every change raises `server_knowledge` by one and leaves all sums right. Amounts are milliunits.

    Attributes:
        id: the plan's id.
        name: its name.
        server_knowledge: its counter, of which every changed entity keeps the number.
        currency_format: as the API shows it; may be None.
        date_format: likewise.
        had_scheduled: whether it ever had scheduled transactions; if not, the API says 404.2.
        revision: grows with everything that may alter an answer.
    """

    def __init__(self, household: Household, clock: Clock, lock: Lock) -> None:
        """Makes a plan.

        Args:
            household: the invented data.
            clock: what time it is.
            lock: held while the plan is read or changed.
        """
        self.id = household.budget_id
        self.name = household.name
        self.server_knowledge = household.knowledge
        self.currency_format = household.currency_format
        self.date_format: Fields | None = dict(DATE_FORMAT)
        self.had_scheduled = True
        self.revision = 0
        self.last_modified_on = clock.stamp()
        self.tables = household.tables
        self.special = household.special
        self._random = random.Random(household.budget_id)  # noqa: S311 - invented ids, no secrets
        self._clock = clock
        self._lock = lock
        self._month = clock.month()

    @property
    def month(self) -> str:
        """The plan's current month, as its first day."""
        return self._month

    @property
    def views(self) -> Views:
        """Shapes this plan's rows for an answer."""
        return Views(self.tables, self.special, self.currency_format)

    def new_id(self) -> str:
        """An id that no entity has yet."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def entities(self, kind: str, *, deleted: bool = False) -> list[Fields]:
        """Everything of a kind, each exactly as its list endpoint answers it.

        Month categories are those of the plan export, each with its `month`; category groups are
        without their categories.

        Args:
            kind: a stream's name, one of `KINDS`.
            deleted: whether with tombstones.

        Raises:
            KeyError: there is no such kind.
        """
        with self._lock:
            rows = self.rows(kind, since=0 if deleted else None)
            views = self.views
            return [self.shape(views, kind, key, row, deleted=deleted) for key, row in rows]

    def rows(self, kind: str, since: int | None = None) -> Iterator[tuple[Key, Row]]:
        """The rows of a kind: all living ones, or what changed, with tombstones.

        Args:
            kind: the table.
            since: a knowledge; None for all that is not deleted.
        """
        table: list[tuple[Key, Row]] = list(self.tables[kind].items())
        if kind in {"months", "month_categories"}:
            table.sort(key=lambda item: item[0])
        for key, row in table:
            if row.knowledge > since if since is not None else not row.fields["deleted"]:
                yield key, row

    def shape(self, views: Views, kind: str, key: Key, row: Row, *, deleted: bool) -> Fields:
        """An entity as an answer shows it.

        Args:
            views: this plan's views.
            kind: the entity's table.
            key: its key.
            row: the stored entity.
            deleted: whether deleted subtransactions show.
        """
        fields = row.fields
        if kind == "month_categories":
            category = self.tables["categories"][key[1]].fields
            return {"month": key[0], **views.category(category, key[0], twins=False)}
        if kind in {"transactions", "scheduled_transactions"}:
            return views.transaction(fields, tombstones=deleted)
        if kind == "categories":
            return views.category(fields, self.month)
        plain: dict[str, Callable[[Fields], Fields]] = {
            "accounts": views.account,
            "months": views.month,
            "money_movements": views.movement,
        }
        return plain.get(kind, dict)(fields)

    def add(self, kind: str, **fields: object) -> str:
        """Adds an entity; what is not said has a sensible default.

        Args:
            kind: a stream's name.
            fields: its fields, also ones that YNAB does not have.

        Returns:
            The new id; for a month, its first day.

        Raises:
            ValueError: a field that the sandbox works out itself, or a split that does not add up.
        """
        with self._change(kind) as change:
            if kind == "scheduled_transactions":
                self.had_scheduled = True
            return edits.add(change, self.new_id, kind, fields)

    def edit(self, kind: str, entity_id: Key, **fields: object) -> None:
        """Edits an entity and puts the sums right.

        Args:
            kind: a stream's name.
            entity_id: its id; a month's first day; (month, category id) or `month|category id`.
            fields: new values, also of fields that YNAB does not have.

        Raises:
            KeyError: there is no such entity.
            ValueError: a field that the sandbox works out itself, or a split that does not add up.
        """
        with self._change(kind) as change:
            edits.edit(change, self.new_id, kind, key_of(kind, entity_id), fields)

    def delete(self, kind: str, entity_id: Key) -> None:
        """Deletes an entity: deltas show its tombstone, full answers show nothing.

        The other side of a transfer goes too; an account takes its transactions, scheduled
        transactions and transfer payee with it; a group its categories; a category leaves its
        transactions uncategorized and takes its months; a payee leaves its id behind.

        Args:
            kind: a stream's name.
            entity_id: as for `edit`.

        Raises:
            KeyError: there is no such entity.
        """
        with self._change(kind) as change:
            deletions.delete(change, kind, key_of(kind, entity_id))

    def forget(self, kind: str, entity_id: Key) -> None:
        """Makes an entity vanish, without a tombstone.

        Args:
            kind: a stream's name.
            entity_id: as for `edit`.

        Raises:
            KeyError: there is no such entity.
        """
        with self._change(kind) as change:
            deletions.forget(change, kind, key_of(kind, entity_id))

    def rewind(self, knowledge: int) -> None:
        """Sets the counter back, as after a restore on the server; entities stay as they are.

        Args:
            knowledge: the new counter; what is above it is set to it.

        Raises:
            ValueError: the counter is not above that number.
        """
        with self._lock:
            if not 0 <= knowledge < self.server_knowledge:
                message = f"the counter is at {self.server_knowledge}: {knowledge} is not below it"
                raise ValueError(message)
            self.server_knowledge = knowledge
            self.revision += 1
            for table in self.tables.values():
                for row in table.values():
                    row.knowledge = min(row.knowledge, knowledge)

    def roll_over(self) -> None:
        """Adds the months that have begun; no category's knowledge changes by that."""
        if self._clock.month() == self._month:
            return
        with self._change("months") as change:
            change.ensure_month(self._clock.month())
            change.bump("months", self._clock.month())
        self._month = self._clock.month()

    @contextmanager
    def _change(self, kind: str) -> Iterator[Change]:
        if kind not in KINDS:
            message = f"{kind} is none of {', '.join(KINDS)}"
            raise KeyError(message)
        with self._lock:
            today = self._clock.today().isoformat()
            knowledge = self.server_knowledge + 1
            change = Change(self.tables, self.special, knowledge, today, self._month)
            try:
                yield change
            finally:
                # Sums are put right even when an edit is refused half way.
                self.server_knowledge += 1
                self.revision += 1
                change.close()
            self.last_modified_on = self._clock.stamp()


def key_of(kind: str, entity_id: Key) -> Key:
    """The key of a row, from what a person or a JSON document can say.

    Args:
        kind: the table.
        entity_id: an id, or for month categories a pair or `month|category id`.
    """
    if kind != "month_categories":
        return entity_id
    month, category_id = entity_id.split("|") if isinstance(entity_id, str) else entity_id
    return (month, category_id)
