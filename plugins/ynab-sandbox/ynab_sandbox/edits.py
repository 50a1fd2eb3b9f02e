"""What an addition or edit of an entity brings with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ynab_sandbox.lines import apply, lines_of
from ynab_sandbox.tables import DEFAULTS, DERIVED, new_fields
from ynab_sandbox.transfers import bury, mirror

if TYPE_CHECKING:
    from ynab_sandbox.ledger import Change
    from ynab_sandbox.lines import NewId
    from ynab_sandbox.tables import Fields, Key


def edit(change: Change, new_id: NewId, kind: str, key: Key, fields: Fields) -> None:
    """Edits an entity.

    Args:
        change: the change this is part of.
        new_id: gives ids.
        kind: the entity's table.
        key: the entity's key.
        fields: new values; fields that YNAB does not have are kept as they are.

    Raises:
        KeyError: there is no such entity.
        ValueError: a field that cannot be set, or a split that does not add up.
    """
    _refuse_derived(kind, fields)
    target = change.open(kind, key)
    if kind == "transactions":
        _edit_transaction(change, new_id, target, fields)
    elif kind == "scheduled_transactions":
        apply(change, new_id, target, fields)
    elif kind == "accounts" and fields.get("on_budget", target["on_budget"]) != target["on_budget"]:
        message = "an account stays on or off budget: add another account"
        raise ValueError(message)
    else:
        target.update(fields)
        _follow_category(change, kind, key, fields)
    change.bump(kind, key)


def _refuse_derived(kind: str, fields: Fields) -> None:
    refused = sorted(fields.keys() & (DERIVED.get(kind, frozenset()) | {"id", "deleted"}))
    if refused:
        message = f"{kind}: {', '.join(refused)} cannot be set, the sandbox works it out"
        raise ValueError(message)


def _follow_category(change: Change, kind: str, key: Key, fields: Fields) -> None:
    if kind == "month_categories" and "budgeted" in fields:
        change.resettle(key)
    if kind == "categories" and any(name.startswith("goal_") for name in fields):
        # A goal asks from now on: months gone by keep their knowledge.
        for month_key in change.tables["month_categories"]:
            if month_key[1] == key and month_key[0] >= change.month:
                change.bump("month_categories", month_key)


def _edit_transaction(change: Change, new_id: NewId, target: Fields, fields: Fields) -> None:
    if "account_id" in fields and change.find("accounts", fields["account_id"]) is None:
        message = f"there is no account {fields['account_id']}"
        raise ValueError(message)
    sides = {line["transfer_transaction_id"] for line in lines_of(target)}
    change.post(target, -1)
    try:
        apply(change, new_id, target, fields)
    finally:
        change.post(target, 1)
    mirror(change, new_id, target)
    sides -= {line["transfer_transaction_id"] for line in lines_of(target)}
    for other in sorted(sides - {None}):
        bury(change, other)


def add(change: Change, new_id: NewId, kind: str, fields: Fields) -> str:
    """Adds an entity, with what YNAB adds along with it.

    Args:
        change: the change this is part of.
        new_id: gives ids.
        kind: the entity's table.
        fields: what differs from the defaults; `id` may be given.

    Returns:
        The id; for a month, its first day.

    Raises:
        ValueError: a field that cannot be set, a split that does not add up, or a kind whose
            entities come by themselves.
    """
    given = {name: value for name, value in fields.items() if name != "id"}
    if kind == "months":
        month = str(given.pop("month"))
        change.ensure_month(month)
        edit(change, new_id, kind, month, given)
        return month
    if kind not in DEFAULTS or kind == "month_categories" or kind.endswith("subtransactions"):
        message = f"{kind} cannot be added: they come with what they belong to"
        raise ValueError(message)
    _refuse_derived(kind, given)
    identity = str(fields.get("id") or new_id())
    if identity in change.tables[kind]:
        message = f"{kind} has {identity} already"
        raise ValueError(message)
    _put(change, new_id, kind, identity, given)
    return identity


def _put(change: Change, new_id: NewId, kind: str, identity: str, given: Fields) -> None:
    entity = new_fields(kind, identity)
    suggested = _suggest(change, kind, given)
    if kind in {"transactions", "scheduled_transactions"}:
        draft = {**entity, **suggested}
        if change.find("accounts", draft["account_id"]) is None:
            message = f"there is no account {draft['account_id']}"
            raise ValueError(message)
        apply(change, new_id, draft, {**suggested, **given})
        change.put(kind, identity, draft)
        if kind == "transactions":
            change.post(draft, 1)
            mirror(change, new_id, draft)
        return
    change.put(kind, identity, {**entity, **suggested, **given})
    if kind == "accounts" and given.get("transfer_payee_id") is None:
        _add_transfer_payee(change, new_id, identity)
    if kind == "categories":
        for month in list(change.tables["months"]):
            change.add_month_category(str(month), identity)


def _add_transfer_payee(change: Change, new_id: NewId, account_id: str) -> None:
    account = change.tables["accounts"][account_id].fields
    account["transfer_payee_id"] = payee_id = new_id()
    name = f"Transfer : {account['name']}"
    payee = new_fields("payees", payee_id, name=name, transfer_account_id=account_id)
    change.put("payees", payee_id, payee)


def _suggest(change: Change, kind: str, given: Fields) -> Fields:
    """What an entity that must refer to another one refers to when nobody says so."""
    day, month = change.today, change.month
    first = given.get("date_first", day)
    suggestions: dict[str, Fields] = {
        "categories": {"category_group_id": _first(change, "category_groups")},
        "payee_locations": {"payee_id": _first(change, "payees")},
        "transactions": {"account_id": _first(change, "accounts"), "date": day},
        "scheduled_transactions": {
            "account_id": _first(change, "accounts"),
            "date_first": first,
            "date_next": first,
        },
        "money_movements": {"month": month},
        "money_movement_groups": {"month": month, "group_created_at": f"{day}T12:00:00Z"},
    }
    return {**suggestions.get(kind, {}), **given}


def _first(change: Change, kind: str) -> Key | None:
    for key, row in change.tables[kind].items():
        if not row.fields["deleted"] and not row.fields.get("internal"):
            return key
    return None
