"""What an edit of a transaction brings with it: lines that add up, and the other side of transfers.

A split always adds up. Payee and transfer account of a line always agree. A line has a category
exactly if YNAB allows one. Both sides of a transfer have the same date and opposite amounts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ynab_sandbox.tables import lines_of, living, new_fields

if TYPE_CHECKING:
    from ynab_sandbox.changes import Change
    from ynab_sandbox.tables import Fields


def write_transaction(change: Change, fields: Fields, given: Fields) -> None:
    """Write a transaction with new values, and make the other sides of its transfers fit."""
    sides = _sides(fields)
    draft = revise(change, fields, given)
    _write_sides(change, draft)
    change.put("transactions", draft["id"], draft)
    for side in sorted(sides - _sides(draft)):
        _end_transfer(change, side)


def delete_transaction(change: Change, fields: Fields) -> None:
    """Delete a transaction and the other sides of its transfers.

    Subtransactions keep their own `deleted`, as in YNAB.
    """
    change.update("transactions", fields["id"], deleted=True)
    for side in sorted(_sides(fields)):
        _end_transfer(change, side)


def uncategorize(change: Change, kind: str, fields: Fields, category_id: str) -> None:
    """Take a category away from a transaction or scheduled transaction that has it."""
    if not any(line["category_id"] == category_id for line in lines_of(fields)):
        return
    draft = _copy(fields)
    for line in lines_of(draft):
        if line["category_id"] == category_id:
            line["category_id"] = None
    _categorize(change, draft)
    change.put(kind, draft["id"], draft)


def revise(change: Change, fields: Fields, given: Fields) -> Fields:
    """Return a transaction or scheduled transaction with new values."""
    draft = {**_copy(fields), **given}
    if change.find("accounts", draft["account_id"]) is None and "account_id" in given:
        raise ValueError(f"there is no account {draft['account_id']}")
    if "subtransactions" in given:
        draft["subtransactions"] = _new_lines(change, fields, given["subtransactions"])
    else:
        _absorb_amount(draft)
    lines = living(draft["subtransactions"])
    if lines and sum(line["amount"] for line in lines) != draft["amount"]:
        raise ValueError("the amounts of the subtransactions do not add up to the transaction's")
    _agree_on_payee(change, draft, given, draft["account_id"])
    for line in draft["subtransactions"]:
        _agree_on_payee(change, line, line, draft["account_id"])
    _categorize(change, draft)
    return draft


def _copy(fields: Fields) -> Fields:
    return {**fields, "subtransactions": tuple(dict(line) for line in fields["subtransactions"])}


def _new_lines(change: Change, fields: Fields, wanted: list[Fields]) -> tuple[Fields, ...]:
    """Return the subtransactions after an edit: those that are not wanted stay, deleted."""
    kind, owner = "subtransactions", "transaction_id"
    if "date_next" in fields:
        kind, owner = "scheduled_subtransactions", "scheduled_transaction_id"
    lines: dict[str, Fields] = {
        line["id"]: {**line, "deleted": True} for line in fields["subtransactions"]
    }
    for given in wanted:
        line_id = given.get("id") or change.new_id()
        line = lines.get(line_id) or new_fields(kind, line_id, **{owner: fields["id"]})
        lines[line_id] = {**line, **given, "id": line_id, "deleted": False}
    return tuple(lines.values())


def _absorb_amount(draft: Fields) -> None:
    """Let the last line that is no transfer take up the new amount of a split."""
    lines = living(draft["subtransactions"])
    for line in reversed(lines):
        if line["transfer_account_id"] is None:
            line["amount"] += draft["amount"] - sum(each["amount"] for each in lines)
            return


def _agree_on_payee(change: Change, line: Fields, given: Fields, account_id: str) -> None:
    """Make payee and transfer account of a line agree: a given payee decides, else the account."""
    if "payee_id" not in given and "transfer_account_id" not in given:
        return
    payee_id = given.get("payee_id")
    if payee_id is None and given.get("transfer_account_id") is not None:
        other = change.find("accounts", given["transfer_account_id"]) or {}
        line["payee_id"] = payee_id = other.get("transfer_payee_id")
    payee = change.find("payees", payee_id) or {}
    target = payee.get("transfer_account_id")
    # A payee that does not exist decides nothing. An account has no transfers to itself.
    if payee or payee_id is None:
        line["transfer_account_id"] = target if target != account_id else None


def _categorize(change: Change, draft: Fields) -> None:
    """Give each line the category that YNAB allows it."""
    account = change.find("accounts", draft["account_id"]) or {"on_budget": True}
    for line in lines_of(draft):
        other = change.find("accounts", line["transfer_account_id"])
        if not account["on_budget"] or (other and other["on_budget"]):
            line["category_id"] = None
        elif line["category_id"] in {None, change.special.split}:
            line["category_id"] = change.special.uncategorized
    if living(draft["subtransactions"]):
        draft["category_id"] = change.special.split
        draft["transfer_account_id"] = None
        if "transfer_transaction_id" in draft:  # a scheduled transaction has no other side
            draft["transfer_transaction_id"] = None


# Transfers


def _sides(fields: Fields) -> set[str]:
    """Return the ids of the other sides of a transaction's transfers."""
    return {line["transfer_transaction_id"] for line in lines_of(fields)} - {None}


def _write_sides(change: Change, draft: Fields, but: str | None = None) -> None:
    """Make the other sides of a transaction's transfers fit, but for the line that fits already."""
    for line in lines_of(draft):
        target, other = line["transfer_account_id"], line["transfer_transaction_id"]
        if line["id"] == but:
            continue
        if target not in change.tables["accounts"]:
            line["transfer_transaction_id"] = None
        elif (side := change.find("transactions", other)) is not None:
            _put_side(change, {**side, **_mirrored(change, draft, line)})
        elif other in change.parents:
            _move_parent(change, draft, line)
        else:
            line["transfer_transaction_id"] = side_id = change.new_id()
            shared = {name: draft[name] for name in ("cleared", "approved")}
            mirrored = _mirrored(change, draft, line)
            _put_side(change, new_fields("transactions", side_id, **shared, **mirrored))


def _mirrored(change: Change, draft: Fields, line: Fields) -> Fields:
    """Return the fields of the other side that follow from this one."""
    account = change.find("accounts", draft["account_id"]) or {}
    return {
        "account_id": line["transfer_account_id"],
        "date": draft["date"],
        "amount": -line["amount"],
        "payee_id": account.get("transfer_payee_id"),
        "transfer_account_id": draft["account_id"],
        "transfer_transaction_id": line["id"],
    }


def _put_side(change: Change, side: Fields) -> None:
    _categorize(change, side)
    if side != change.find("transactions", side["id"]):
        change.put("transactions", side["id"], side)


def _move_parent(change: Change, draft: Fields, line: Fields) -> None:
    """Make the split fit whose subtransaction is the other side of a line."""
    line_id, mirrored = line["transfer_transaction_id"], _mirrored(change, draft, line)
    parent = _copy(change.get("transactions", change.parents[line_id]))
    (own,) = (each for each in parent["subtransactions"] if each["id"] == line_id)
    own.update({name: mirrored[name] for name in own.keys() & mirrored.keys()})
    parent.update(account_id=mirrored["account_id"], date=mirrored["date"])
    parent["amount"] = sum(each["amount"] for each in lines_of(parent))
    _write_sides(change, parent, but=line_id)
    _put_side(change, parent)


def _end_transfer(change: Change, side_id: str) -> None:
    """Delete the other side of a transfer that is gone.

    A subtransaction stays, as spending without a category: its split must go on adding up.
    """
    side = change.find("transactions", side_id)
    if side is not None:
        _put_side(change, {**side, "deleted": True})
        return
    parent = change.find("transactions", change.parents.get(side_id))
    if parent is not None and not parent["deleted"]:
        draft = _copy(parent)
        (own,) = (line for line in draft["subtransactions"] if line["id"] == side_id)
        own.update(payee_id=None, transfer_account_id=None, transfer_transaction_id=None)
        _put_side(change, draft)
