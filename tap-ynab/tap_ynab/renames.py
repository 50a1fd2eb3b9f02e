"""Payees, categories and accounts with a new name.

YNAB joins names to transactions when they are read, and does not send a transaction again because
its payee was renamed. So `budget` compares every name with that of the last run.
"""

from __future__ import annotations

import typing as t
from base64 import b64decode, b64encode
from hashlib import blake2b

from tap_ynab.records import objects

if t.TYPE_CHECKING:
    from collections.abc import Container

    from singer_sdk.helpers.types import Record

#: Lists of entities with names, and the columns of transactions that refer to them.
NAMED = {"accounts": "account_id", "categories": "category_id", "payees": "payee_id"}
#: Bytes of the fingerprints of an id and of a name. One in 16 million new names has the fingerprint
#: of the old one and goes unnoticed; two ids with the same one cost a request now and then.
ID, NAME = 3, 3
#: Names of a budget that are noted: memory and state hold them.
MOST_NAMES = 100_000


class Names:
    """The names of one budget, as they were last read.

    The state keeps a fingerprint of each, all in one string: a household has a thousand, and the
    state is written again and again.
    """

    def __init__(self, packed: str = "") -> None:
        """Begin with the names of the last run."""
        content = b64decode(packed)
        entries = (content[at : at + ID + NAME] for at in range(0, len(content), ID + NAME))
        self._names = {entry[:ID]: entry[ID:] for entry in entries}

    def has_new_name(self, row: Record) -> bool:
        """Note the name of an entity, and tell if it had another one before."""
        identity = blake2b(str(row.get("id")).encode(), digest_size=6).digest()[:ID]
        name = blake2b(str(row.get("name")).encode(), digest_size=NAME).digest()
        before = self._names.get(identity, name)
        if identity in self._names or len(self._names) < MOST_NAMES:
            self._names[identity] = name
        return before != name

    def pack(self) -> str:
        """Return the names for the state."""
        return b64encode(b"".join(map(bytes.__add__, self._names, self._names.values()))).decode()


def upgrade_names(names: dict[str, str]) -> str:
    """Return the names of an earlier version of the state, which had an entry for each."""
    entries = (b64decode(key)[:ID] + b64decode(name) for key, name in names.items())
    return b64encode(b"".join(entries)).decode()


def refers_to(row: Record, ids: Container[str]) -> bool:
    """Tell if a transaction, or a subtransaction of it, refers to one of these ids."""
    rows = [row, *objects(row.get("subtransactions"))]
    found = (each.get(column) for each in rows for column in NAMED.values())
    return any(isinstance(value, str) and value in ids for value in found)
