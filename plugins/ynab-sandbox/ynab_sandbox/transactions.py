"""Consequences of an edit of a transaction: lines that add up, and the other side of transfers.

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
    draft = revise(change, fields, given)
    _write_sides(change, draft)
    change.put("transactions", draft["id"], draft)
    end_transfers(change, fields, draft)


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
    account = change.find("accounts", draft["account_id"]) or {}
    for line in lines_of(draft):
        if line["transfer_account_id"] not in change.tables["accounts"]:
            line["transfer_transaction_id"] = None
        elif line["id"] != but:
            side = _find(change, line["transfer_transaction_id"])
            if side is None:
                shared = {name: draft[name] for name in ("cleared", "approved")}
                side = new_fields("transactions", change.new_id(), **shared)
                line["transfer_transaction_id"] = side["id"]
            own = _line(side, line["transfer_transaction_id"])
            own["transfer_account_id"] = draft["account_id"]
            own["transfer_transaction_id"] = line["id"]
            own["payee_id"], own["amount"] = account.get("transfer_payee_id"), -line["amount"]
            side["account_id"], side["date"] = line["transfer_account_id"], draft["date"]
            side["amount"] = sum(each["amount"] for each in lines_of(side))
            _write_sides(change, side, but=own["id"])
            _put(change, side)


def end_transfers(change: Change, before: Fields, after: Fields | None = None) -> None:
    """Delete the other sides of transfers that are gone.

    A subtransaction stays, as spending without a category: its split must go on adding up.
    """
    for side_id in sorted(_sides(before) - (_sides(after) if after else set())):
        side = _find(change, side_id)
        if side is not None and side["id"] == side_id:
            _put(change, {**side, "deleted": True})
        elif side is not None and not side["deleted"]:
            gone = dict.fromkeys(("payee_id", "transfer_account_id", "transfer_transaction_id"))
            _line(side, side_id).update(gone)
            _put(change, side)


def _find(change: Change, line_id: str | None) -> Fields | None:
    """Return a copy of the transaction with this id, or with a subtransaction of this id."""
    if line_id is None:
        return None
    transactions = change.tables["transactions"]
    row = transactions.get(line_id) or transactions.get(change.parents.get(line_id, ""))
    return _copy(row.fields) if row else None


def _line(draft: Fields, line_id: str) -> Fields:
    lines: tuple[Fields, ...] = (draft, *draft["subtransactions"])
    return next(line for line in lines if line["id"] == line_id)


def _put(change: Change, draft: Fields) -> None:
    """Write a transaction with the categories that YNAB allows it, if it differs."""
    _categorize(change, draft)
    if draft != change.find("transactions", draft["id"]):
        change.put("transactions", draft["id"], draft)
