"""The two sides of a transfer: what happens to one happens to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ynab_sandbox.lines import categorise, lines_of
from ynab_sandbox.tables import new_fields

if TYPE_CHECKING:
    from ynab_sandbox.ledger import Change
    from ynab_sandbox.lines import NewId
    from ynab_sandbox.tables import Fields


def mirror(change: Change, new_id: NewId, transaction: Fields, but: str | None = None) -> None:
    """Makes the other sides of a transaction's transfers fit it, adding those that are missing.

    Args:
        change: the change this is part of.
        new_id: gives ids.
        transaction: an opened transaction.
        but: the id of a line whose other side fits already.
    """
    for line in lines_of(transaction):
        if line["id"] == but:
            continue
        target, other = line["transfer_account_id"], line["transfer_transaction_id"]
        if target not in change.tables["accounts"]:
            line["transfer_transaction_id"] = None
        elif other in change.tables["transactions"]:
            _move_side(change, transaction, line, other)
        elif (parent := find_parent(change, other)) is not None:
            _move_line(change, new_id, (transaction, line), parent)
        else:
            line["transfer_transaction_id"] = _add_side(change, new_id, transaction, line)


def _side(change: Change, transaction: Fields, line: Fields) -> Fields:
    account = change.find("accounts", transaction["account_id"]) or {}
    return {
        "account_id": line["transfer_account_id"],
        "date": transaction["date"],
        "amount": -line["amount"],
        "payee_id": account.get("transfer_payee_id"),
        "transfer_account_id": transaction["account_id"],
        "transfer_transaction_id": line["id"],
    }


def _add_side(change: Change, new_id: NewId, transaction: Fields, line: Fields) -> str:
    identity = new_id()
    side = new_fields("transactions", identity, **_side(change, transaction, line))
    side["cleared"], side["approved"] = transaction["cleared"], transaction["approved"]
    categorise(change, side)
    change.put("transactions", identity, side)
    change.post(side, 1)
    return identity


def _move_side(change: Change, transaction: Fields, line: Fields, other: str) -> None:
    side = change.open("transactions", other)
    change.post(side, -1)
    side.update(_side(change, transaction, line))
    categorise(change, side)
    change.post(side, 1)


def _move_line(change: Change, new_id: NewId, ours: tuple[Fields, Fields], parent: Fields) -> None:
    transaction, line = ours
    side = _side(change, transaction, line)
    parent = change.open("transactions", parent["id"])
    change.post(parent, -1)
    parent["subtransactions"] = tuple(dict(each) for each in parent["subtransactions"])
    for each in parent["subtransactions"]:
        if each["id"] == line["transfer_transaction_id"]:
            each.update({name: side[name] for name in each.keys() & side.keys()})
    parent["account_id"], parent["date"] = side["account_id"], side["date"]
    parent["amount"] = sum(each["amount"] for each in lines_of(parent))
    categorise(change, parent)
    change.post(parent, 1)
    mirror(change, new_id, parent, but=line["transfer_transaction_id"])


def find_parent(change: Change, line_id: str | None) -> Fields | None:
    """The transaction that has a subtransaction, or None.

    Args:
        change: the change this is part of.
        line_id: the subtransaction's id.
    """
    if line_id is None:
        return None
    for row in change.tables["transactions"].values():
        if any(line["id"] == line_id for line in row.fields["subtransactions"]):
            return row.fields
    return None


def bury(change: Change, other: str) -> None:
    """Deletes the other side of a transfer that is no more.

    A transaction gets a tombstone. A subtransaction stays, as spending without a category: its
    split must go on adding up.

    Args:
        change: the change this is part of.
        other: the id of a transaction or subtransaction.
    """
    if other in change.tables["transactions"]:
        side = change.open("transactions", other)
        change.post(side, -1)
        side["deleted"] = True
        return
    parent = find_parent(change, other)
    if parent is None or parent["deleted"]:
        return
    change.post(change.open("transactions", parent["id"]), -1)
    parent["subtransactions"] = tuple(dict(each) for each in parent["subtransactions"])
    for each in parent["subtransactions"]:
        if each["id"] == other:
            each["payee_id"] = None
            each["transfer_account_id"] = each["transfer_transaction_id"] = None
    categorise(change, parent)
    change.post(parent, 1)
