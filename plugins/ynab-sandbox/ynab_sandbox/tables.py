"""Where a plan's entities are kept: one table per kind, each row with its knowledge.

A row holds what YNAB stores. Names of other entities, formatted amounts and the goals' progress are
not here: `views` adds them when a row is read.
"""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]
#: A plain id; a month's first day; or (month, category id) for a month category.
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


class Row:
    """An entity and the knowledge at which it last changed."""

    __slots__ = ("fields", "knowledge")

    def __init__(self, fields: Fields, knowledge: int) -> None:
        """Makes a row.

        Args:
            fields: what YNAB stores of the entity.
            knowledge: the plan's counter when the entity last changed.
        """
        self.fields = fields
        self.knowledge = knowledge


Tables = dict[str, dict[Key, Row]]

#: What an entity has when nobody says otherwise. Amounts are milliunits.
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

#: What the sandbox works out by itself, so that nobody can make it disagree with the rest.
DERIVED: dict[str, frozenset[str]] = {
    "accounts": frozenset({"balance", "cleared_balance", "uncleared_balance"}),
    "categories": frozenset({"budgeted", "activity", "balance", "category_group_name"}),
    "transactions": frozenset({"account_name", "payee_name", "category_name"}),
    "months": frozenset({"income", "budgeted", "activity", "to_be_budgeted", "categories"}),
    "month_categories": frozenset({"activity", "balance", "category_group_name", "month"}),
}


def new_fields(kind: str, identity: str | None = None, **fields: object) -> Fields:
    """The fields of a new entity: its defaults, then what is given.

    Args:
        kind: the name of a table, or `subtransactions`, `scheduled_subtransactions`.
        identity: its id; None for what has none (months, month categories).
        fields: what differs from the defaults.
    """
    head = {} if identity is None else {"id": identity}
    return {**head, **DEFAULTS[kind], "deleted": False, **fields}


def living(lines: list[Fields] | tuple[Fields, ...]) -> list[Fields]:
    """The lines of a split that are not deleted.

    Args:
        lines: subtransactions of one transaction.
    """
    return [line for line in lines if not line["deleted"]]
