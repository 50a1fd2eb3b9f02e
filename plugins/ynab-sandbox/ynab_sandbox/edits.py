"""Additions, edits and deletions, with their consequences for other entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ynab_sandbox.sums import add_month_category, add_months
from ynab_sandbox.tables import DERIVED, new_fields
from ynab_sandbox.transactions import end_transfers, revise, uncategorize, write_transaction

if TYPE_CHECKING:
    from ynab_sandbox.changes import Change
    from ynab_sandbox.tables import Fields, Key


def add_entity(change: Change, kind: str, fields: Fields) -> str:
    """Add an entity, with what YNAB adds along with it, and return its id."""
    given = {name: value for name, value in fields.items() if name != "id"}
    if kind == "months":
        if "month" not in given:
            raise ValueError("a month is added by its first day: month is needed")
        month = str(given.pop("month"))
        add_months(change, month)
        edit_entity(change, kind, month, given)
        return month
    if kind == "month_categories":
        raise ValueError("month_categories come with their month or category")
    _refuse_derived(kind, given)
    entity_id = str(fields.get("id") or change.new_id())
    if entity_id in change.tables[kind]:
        raise ValueError(f"{kind} has {entity_id} already")
    given = {**_references(change, kind, given), **given}
    _write(change, kind, entity_id, new_fields(kind, entity_id), given)
    if kind == "accounts" and given.get("transfer_payee_id") is None:
        _add_transfer_payee(change, entity_id)
    if kind == "categories":
        for key in change.tables["months"]:
            add_month_category(change, str(key), entity_id)
    return entity_id


def edit_entity(change: Change, kind: str, key: Key, fields: Fields) -> None:
    """Edit an entity; fields that YNAB does not have are kept as they are."""
    _refuse_derived(kind, fields)
    before = change.get(kind, key)
    if kind == "accounts" and fields.get("on_budget", before["on_budget"]) != before["on_budget"]:
        raise ValueError("an account stays on or off budget: add another account")
    _write(change, kind, key, before, fields)
    if kind == "categories" and any(name.startswith("goal_") for name in fields):
        # A goal counts from now on: past months keep their knowledge.
        for month_key in _months_of(change, str(key)):
            if month_key[0] >= change.month:
                change.update("month_categories", month_key)


def delete_entity(change: Change, kind: str, key: Key) -> None:
    """Delete an entity and what belongs to it: tombstones stay, which only deltas show."""
    fields = change.get(kind, key)
    if fields["deleted"]:
        return
    if kind == "transactions":
        end_transfers(change, fields)
    elif kind == "accounts":
        _delete_contents_of_account(change, str(key))
    elif kind == "category_groups":
        for category_key in _referring(change, "categories", "category_group_id", key):
            delete_entity(change, "categories", category_key)
    elif kind == "categories":
        _delete_contents_of_category(change, str(key))
    change.update(kind, key, deleted=True)


def forget_entity(change: Change, kind: str, key: Key) -> None:
    """Remove an entity, and what only exists in it, without a tombstone."""
    change.get(kind, key)
    if kind == "category_groups":
        for category_key in _referring(change, "categories", "category_group_id", key):
            forget_entity(change, "categories", category_key)
    if kind == "categories":
        for month_key in _months_of(change, str(key)):
            change.remove("month_categories", month_key)
    change.remove(kind, key)


def _write(change: Change, kind: str, key: Key, before: Fields, given: Fields) -> None:
    if kind == "transactions":
        write_transaction(change, before, given)
    elif kind == "scheduled_transactions":
        change.put(kind, key, revise(change, before, given))
    else:
        change.put(kind, key, {**before, **given})


def _refuse_derived(kind: str, fields: Fields) -> None:
    refused = sorted(fields.keys() & (DERIVED.get(kind, set()) | {"id", "deleted"}))
    if refused:
        raise ValueError(f"{kind}: {', '.join(refused)} cannot be set, the sandbox computes it")


def _references(change: Change, kind: str, given: Fields) -> Fields:
    """Return defaults for the fields that must refer to another entity or to a day."""
    day, noon = given.get("date_first", change.today), f"{change.today}T12:00:00Z"
    account = {"account_id": _first(change, "accounts")}
    defaults: dict[str, Fields] = {
        "categories": {"category_group_id": _first(change, "category_groups")},
        "payee_locations": {"payee_id": _first(change, "payees")},
        "transactions": {**account, "date": change.today},
        "scheduled_transactions": {**account, "date_first": day, "date_next": day},
        "money_movements": {"month": change.month},
        "money_movement_groups": {"month": change.month, "group_created_at": noon},
    }
    return defaults.get(kind, {})


def _first(change: Change, kind: str) -> Key | None:
    rows = change.tables[kind].items()
    alive = (key for key, row in rows if not row.fields["deleted"])
    return next((key for key in alive if not change.get(kind, key).get("internal")), None)


def _add_transfer_payee(change: Change, account_id: str) -> None:
    payee_id = change.new_id()
    name = f"Transfer : {change.get('accounts', account_id)['name']}"
    payee = new_fields("payees", payee_id, name=name, transfer_account_id=account_id)
    change.put("payees", payee_id, payee)
    change.update("accounts", account_id, transfer_payee_id=payee_id)


def _delete_contents_of_account(change: Change, account_id: str) -> None:
    for kind, column in (
        ("transactions", "account_id"),
        ("scheduled_transactions", "account_id"),
        ("scheduled_transactions", "transfer_account_id"),
        ("payees", "transfer_account_id"),
    ):
        for key in _referring(change, kind, column, account_id):
            delete_entity(change, kind, key)


def _delete_contents_of_category(change: Change, category_id: str) -> None:
    for kind in ("transactions", "scheduled_transactions"):
        for row in list(change.tables[kind].values()):
            if not row.fields["deleted"]:
                uncategorize(change, kind, row.fields, category_id)
    for month_key in _months_of(change, category_id):
        change.update("month_categories", month_key, deleted=True)


def _referring(change: Change, kind: str, column: str, value: Key) -> list[Key]:
    return [key for key, row in change.tables[kind].items() if row.fields[column] == value]


def _months_of(change: Change, category_id: str) -> list[tuple[str, str]]:
    keys = change.tables["month_categories"]
    return [(key[0], key[1]) for key in keys if key[1] == category_id]
