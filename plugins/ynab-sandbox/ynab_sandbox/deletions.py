"""What a deletion brings with it: tombstones for what belongs to it, and sums without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ynab_sandbox.lines import categorise, lines_of
from ynab_sandbox.transfers import bury

if TYPE_CHECKING:
    from ynab_sandbox.ledger import Change
    from ynab_sandbox.tables import Fields, Key


def delete(change: Change, kind: str, key: Key) -> None:
    """Deletes an entity: it stays as a tombstone, which only deltas show.

    Args:
        change: the change this is part of.
        kind: the entity's table.
        key: the entity's key.

    Raises:
        KeyError: there is no such entity.
    """
    fields = change.open(kind, key)
    if kind == "transactions":
        _delete_transaction(change, fields)
    elif kind == "accounts":
        _delete_account(change, str(key))
    elif kind == "category_groups":
        _delete_group(change, str(key))
    elif kind == "categories":
        _delete_category(change, str(key))
    elif kind == "month_categories":
        change.resettle(key)
    fields["deleted"] = True
    change.bump(kind, key)


def forget(change: Change, kind: str, key: Key) -> None:
    """Makes an entity vanish without a tombstone; nothing that refers to it changes, sums do.

    Args:
        change: the change this is part of.
        kind: the entity's table.
        key: the entity's key.

    Raises:
        KeyError: there is no such entity.
    """
    fields = change.open(kind, key)
    if kind == "transactions":
        change.post(fields, -1)
    elif kind == "categories":
        for month_key in _months_of(change, str(key)):
            change.resettle(month_key)
            del change.tables["month_categories"][month_key]
    elif kind == "month_categories":
        change.resettle(key)
    del change.tables[kind][key]


def _delete_transaction(change: Change, fields: Fields) -> None:
    # The subtransactions keep their own flags, as YNAB leaves them.
    change.post(fields, -1)
    fields["deleted"] = True
    for line in lines_of(fields):
        if line["transfer_transaction_id"] is not None:
            bury(change, line["transfer_transaction_id"])


def _delete_account(change: Change, account_id: str) -> None:
    for kind in ("transactions", "scheduled_transactions"):
        for key, row in list(change.tables[kind].items()):
            fields = row.fields
            ends = {fields["account_id"]}
            if kind == "scheduled_transactions":
                ends.add(fields["transfer_account_id"])
            if account_id in ends and not fields["deleted"]:
                delete(change, kind, key)
    for key, row in change.tables["payees"].items():
        if row.fields["transfer_account_id"] == account_id:
            change.open("payees", key)["deleted"] = True


def _delete_group(change: Change, group_id: str) -> None:
    for key, row in list(change.tables["categories"].items()):
        if row.fields["category_group_id"] == group_id and not row.fields["deleted"]:
            delete(change, "categories", key)


def _delete_category(change: Change, category_id: str) -> None:
    for row in list(change.tables["transactions"].values()):
        used = any(line["category_id"] == category_id for line in lines_of(row.fields))
        if used and not row.fields["deleted"]:
            fields = change.open("transactions", row.fields["id"])
            change.post(fields, -1)
            _uncategorise(change, fields, category_id)
            change.post(fields, 1)
    for row in change.tables["scheduled_transactions"].values():
        if any(line["category_id"] == category_id for line in lines_of(row.fields)):
            fields = change.open("scheduled_transactions", row.fields["id"])
            _uncategorise(change, fields, category_id)
    for month_key in _months_of(change, category_id):
        change.open("month_categories", month_key)["deleted"] = True
        change.resettle(month_key)


def _uncategorise(change: Change, fields: Fields, category_id: str) -> None:
    fields["subtransactions"] = tuple(dict(line) for line in fields["subtransactions"])
    for line in lines_of(fields):
        if line["category_id"] == category_id:
            line["category_id"] = None
    categorise(change, fields)


def _months_of(change: Change, category_id: str) -> list[tuple[str, str]]:
    keys = change.tables["month_categories"]
    return [(key[0], key[1]) for key in keys if key[1] == category_id]
