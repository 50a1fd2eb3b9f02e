"""Which payee, category or account has another name now, because YNAB does not say it.

YNAB joins names to transactions when they are read, and does not send those again whose payee was
renamed. `streams` and `export` report the names that they meet.
"""

from __future__ import annotations

import typing as t
from base64 import b64encode
from hashlib import blake2b

if t.TYPE_CHECKING:
    from collections.abc import Callable, Container

    from singer_sdk.helpers.types import Record

#: Lists of what has a name that is joined.
NAMED = ("accounts", "categories", "payees")
#: What refers to them.
REFERENCES = ("account_id", "category_id", "payee_id")


class Names:
    """The names of each budget as they were last seen.

    Kept in Meltano's state as hashes, short ones: a household has thousands. One in 16 million
    renamings goes unnoticed.
    """

    def __init__(
        self, seen: dict[str, dict[str, str]], renamed: Callable[[str, str], None]
    ) -> None:
        """Begin with what earlier runs have seen.

        Args:
            seen: Hash of the name by hash of the id, by budget; changed in place.
            renamed: Called with the ids of a budget, and of what is called differently now.
        """
        self._seen = seen
        self._renamed = renamed

    def note(self, budget_id: str, row: Record) -> None:
        """Look at a row that has a name."""
        names = self._seen.setdefault(budget_id, {})
        key, name = _hash(row.get("id"), 6), _hash(row.get("name"), 3)
        if names.get(key, name) != name:
            self._renamed(budget_id, row["id"])
        names[key] = name

    def forget(self, budget_id: str) -> None:
        """A budget is gone."""
        self._seen.pop(budget_id, None)


def refers(row: Record, ids: Container[str]) -> bool:
    """Whether a transaction, or a part of it, has one of these ids."""
    parts = [row, *(part for part in row.get("subtransactions") or () if isinstance(part, dict))]
    return any(part.get(name) in ids for part in parts for name in REFERENCES)


def _hash(value: object, size: int) -> str:
    return b64encode(blake2b(str(value).encode(), digest_size=size).digest()).decode()
