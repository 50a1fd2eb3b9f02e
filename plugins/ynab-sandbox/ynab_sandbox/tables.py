"""The tables of a budget: one for each kind of entity, each row with its `server_knowledge`.

A row holds what YNAB stores. `views` adds names of other entities, formatted amounts and progress
of goals when a row is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Fields = dict[str, Any]
#: An id; the first day of a month; (month, category id) for a month category.
Key = str | tuple[str, str]

KINDS = (
    "accounts",
    "category_groups",
    "categories",
    "payees",
    "payee_locations",
    "transactions",
    "scheduled_transactions",
    "months",
    "month_categories",
    "money_movements",
    "money_movement_groups",
)


@dataclass
class Row:
    """An entity and the `server_knowledge` at which it last changed."""

    __slots__ = ("fields", "knowledge")
    fields: Fields
    knowledge: int


Tables = dict[str, dict[Key, Row]]

#: Fields of a new entity, in the order in which responses show them. Amounts are milliunits.
DEFAULTS: dict[str, Fields] = {
    "accounts": {
        "name": "New Account",
        "type": "checking",
        "on_budget": True,
        "closed": False,
        "note": None,
        "balance": 0,
        "cleared_balance": 0,
        "uncleared_balance": 0,
        "transfer_payee_id": None,
        "direct_import_linked": False,
        "direct_import_in_error": False,
        "last_reconciled_at": None,
        "debt_original_balance": None,
        "debt_interest_rates": None,
        "debt_minimum_payments": None,
        "debt_escrow_amounts": None,
    },
    "category_groups": {"name": "New Group", "hidden": False, "internal": False},
    "categories": {
        "category_group_id": None,
        "name": "New Category",
        "hidden": False,
        "internal": False,
        "original_category_group_id": None,
        "note": None,
        "goal_type": None,
        "goal_needs_whole_amount": None,
        "goal_day": None,
        "goal_cadence": None,
        "goal_cadence_frequency": None,
        "goal_creation_month": None,
        "goal_target": None,
        "goal_target_month": None,
        "goal_target_date": None,
        "goal_snoozed_at": None,
    },
    "payees": {"name": "New Payee", "transfer_account_id": None},
    "payee_locations": {
        "payee_id": None,
        "latitude": "0.0",
        "longitude": "0.0",
    },
    "transactions": {
        "date": None,
        "amount": 0,
        "memo": None,
        "cleared": "uncleared",
        "approved": True,
        "flag_color": None,
        "flag_name": None,
        "account_id": None,
        "payee_id": None,
        "category_id": None,
        "transfer_account_id": None,
        "transfer_transaction_id": None,
        "matched_transaction_id": None,
        "import_id": None,
        "import_payee_name": None,
        "import_payee_name_original": None,
        "debt_transaction_type": None,
        "subtransactions": (),
    },
    "subtransactions": {
        "transaction_id": None,
        "amount": 0,
        "memo": None,
        "payee_id": None,
        "category_id": None,
        "transfer_account_id": None,
        "transfer_transaction_id": None,
    },
    "scheduled_transactions": {
        "date_first": None,
        "date_next": None,
        "frequency": "monthly",
        "amount": 0,
        "memo": None,
        "flag_color": None,
        "flag_name": None,
        "account_id": None,
        "payee_id": None,
        "category_id": None,
        "transfer_account_id": None,
        "subtransactions": (),
    },
    "scheduled_subtransactions": {
        "scheduled_transaction_id": None,
        "amount": 0,
        "memo": None,
        "payee_id": None,
        "category_id": None,
        "transfer_account_id": None,
    },
    "months": {
        "month": None,
        "note": None,
        "income": 0,
        "budgeted": 0,
        "activity": 0,
        "to_be_budgeted": 0,
        "age_of_money": None,
    },
    "month_categories": {"budgeted": 0, "activity": 0, "balance": 0},
    "money_movements": {
        "month": None,
        "moved_at": None,
        "note": None,
        "money_movement_group_id": None,
        "performed_by_user_id": None,
        "from_category_id": None,
        "to_category_id": None,
        "amount": 0,
    },
    "money_movement_groups": {
        "group_created_at": None,
        "month": None,
        "note": None,
        "performed_by_user_id": None,
    },
}

#: Fields that the sandbox computes; nobody can set them.
DERIVED: dict[str, frozenset[str]] = {
    "accounts": frozenset({"balance", "cleared_balance", "uncleared_balance"}),
    "categories": frozenset({"budgeted", "activity", "balance", "category_group_name"}),
    "transactions": frozenset({"account_name", "payee_name", "category_name"}),
    "months": frozenset({"income", "budgeted", "activity", "to_be_budgeted", "categories"}),
    "month_categories": frozenset({"activity", "balance", "category_group_name", "month"}),
}


@dataclass(frozen=True)
class Special:
    """Ids of the categories that YNAB itself makes.

    Attributes:
        inflow: "Inflow: Ready to Assign".
        uncategorized: the category of transactions without a category.
        split: the category of a split transaction, which no list of categories has.
    """

    inflow: str
    uncategorized: str
    split: str


def new_fields(kind: str, entity_id: str | None = None, **fields: object) -> Fields:
    """Return the fields of a new entity: its defaults, then the given ones.

    Args:
        kind: a key of `DEFAULTS`.
        entity_id: its id; None for months and month categories, which have none.
        fields: fields that differ from the defaults.
    """
    head = {} if entity_id is None else {"id": entity_id}
    return {**head, **DEFAULTS[kind], "deleted": False, **fields}


def living(lines: list[Fields] | tuple[Fields, ...]) -> list[Fields]:
    """Return the subtransactions that are not deleted."""
    return [line for line in lines if not line["deleted"]]


def lines_of(transaction: Fields) -> list[Fields]:
    """Return the lines that count in categories: subtransactions, or the transaction itself."""
    return living(transaction["subtransactions"]) or [transaction]
