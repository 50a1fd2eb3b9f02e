"""The lines of a transaction: itself, or its subtransactions when it is split.

A split always adds up, payee and transfer account of a line always agree, and a line has a category
exactly where YNAB allows one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ynab_sandbox.tables import living, new_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from ynab_sandbox.ledger import Change
    from ynab_sandbox.tables import Fields

    NewId = Callable[[], str]


def lines_of(transaction: Fields) -> list[Fields]:
    """What counts in categories: the living subtransactions, or else the transaction itself.

    Args:
        transaction: a transaction.
    """
    return living(transaction["subtransactions"]) or [transaction]


def apply(change: Change, new_id: NewId, target: Fields, fields: Fields) -> None:
    """Sets fields of a transaction or scheduled transaction, all or nothing.

    Args:
        change: the change this is part of.
        new_id: gives ids.
        target: the opened transaction.
        fields: new values.

    Raises:
        ValueError: the split does not add up; nothing is set then.
    """
    draft = {**target, **fields}
    draft["subtransactions"] = tuple(dict(line) for line in target["subtransactions"])
    if "subtransactions" in fields:
        draft["subtransactions"] = new_lines(new_id, draft, fields["subtransactions"])
    elif living(draft["subtransactions"]):
        balance_split(draft)
    lines = living(draft["subtransactions"])
    if lines and sum(line["amount"] for line in lines) != draft["amount"]:
        message = "the amounts of the subtransactions do not add up to the transaction's"
        raise ValueError(message)
    point_at_payee(change, draft, fields, draft["account_id"])
    for line in draft["subtransactions"]:
        point_at_payee(change, line, line, draft["account_id"])
    categorise(change, draft)
    target.update(draft)


def new_lines(new_id: NewId, parent: Fields, wanted: list[Fields]) -> tuple[Fields, ...]:
    """The subtransactions after an edit: those not named any more stay, deleted.

    Args:
        new_id: gives ids.
        parent: the transaction or scheduled transaction.
        wanted: subtransactions; those with the id of an existing one edit it.
    """
    kind = "scheduled_subtransactions" if "date_next" in parent else "subtransactions"
    owner = "scheduled_transaction_id" if "date_next" in parent else "transaction_id"
    lines: dict[str, Fields] = {
        line["id"]: {**line, "deleted": True} for line in parent["subtransactions"]
    }
    for given in wanted:
        identity = given.get("id") or new_id()
        blank = new_fields(kind, identity, **{owner: parent["id"]})
        lines[identity] = {**lines.get(identity, blank), **given, "id": identity, "deleted": False}
    return tuple(lines.values())


def balance_split(draft: Fields) -> None:
    """Lets the last line that is no transfer take up a change of a split's amount.

    Args:
        draft: the transaction being edited.
    """
    lines = living(draft["subtransactions"])
    rest = draft["amount"] - sum(line["amount"] for line in lines)
    for line in reversed(lines):
        if line["transfer_account_id"] is None:
            line["amount"] += rest
            return


def point_at_payee(change: Change, line: Fields, given: Fields, account_id: str) -> None:
    """Makes payee and transfer account say the same.

    Args:
        change: the change this is part of.
        line: a transaction or subtransaction.
        given: what was set: a payee decides, else a transfer account.
        account_id: the account that the line is in.
    """
    if "payee_id" not in given and "transfer_account_id" not in given:
        return
    payee_id = given.get("payee_id")
    if payee_id is None and given.get("transfer_account_id") is not None:
        other = change.find("accounts", given["transfer_account_id"]) or {}
        line["payee_id"] = payee_id = other.get("transfer_payee_id")
    payee = change.find("payees", payee_id) or {}
    target = payee.get("transfer_account_id")
    # A payee that is gone cannot be asked: what was set stays. Nobody transfers to where they are.
    if payee or payee_id is None:
        line["transfer_account_id"] = target if target != account_id else None


def categorise(change: Change, draft: Fields) -> None:
    """Gives each line the category that YNAB allows it.

    Args:
        change: the change this is part of.
        draft: the transaction being edited.
    """
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
        if "transfer_transaction_id" in draft:  # scheduled ones have no other side yet
            draft["transfer_transaction_id"] = None
