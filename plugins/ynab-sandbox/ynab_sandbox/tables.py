"""The tables of a budget: one for each kind of entity, each row with its `server_knowledge`.

A row holds what YNAB stores. `views` adds names of other entities, formatted amounts and progress
of goals when a row is read.
"""

from __future__ import annotations

import random
import uuid
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

#: Amounts that the sandbox computes.
SUMS = {
    "accounts": ("balance", "cleared_balance", "uncleared_balance"),
    "months": ("income", "budgeted", "activity", "to_be_budgeted"),
}
CATEGORY_SUMS = ("budgeted", "activity", "balance")
AMOUNTS = {"amount", *SUMS["accounts"], *SUMS["months"], *CATEGORY_SUMS}
FLAGS = {"closed", "direct_import_linked", "direct_import_in_error", "hidden", "internal"}


def _fields(names: str, values: Fields | None = None) -> Fields:
    """Return fields: amounts are zero, flags false, the rest None, but for the given values."""
    usual = {**dict.fromkeys(AMOUNTS, 0), **dict.fromkeys(FLAGS, False)}
    return {**{name: usual.get(name) for name in names.split()}, **(values or {})}


#: Fields of a new entity, in the order in which responses show them. Amounts are milliunits.
DEFAULTS: dict[str, Fields] = {
    "accounts": _fields(
        "name type on_budget closed note balance cleared_balance uncleared_balance "
        "transfer_payee_id direct_import_linked direct_import_in_error last_reconciled_at "
        "debt_original_balance debt_interest_rates debt_minimum_payments debt_escrow_amounts",
        {"name": "New Account", "type": "checking", "on_budget": True},
    ),
    "category_groups": _fields("name hidden internal", {"name": "New Group"}),
    "categories": _fields(
        "category_group_id name hidden internal original_category_group_id note goal_type "
        "goal_needs_whole_amount goal_day goal_cadence goal_cadence_frequency "
        "goal_creation_month goal_target goal_target_month goal_target_date goal_snoozed_at",
        {"name": "New Category"},
    ),
    "payees": _fields("name transfer_account_id", {"name": "New Payee"}),
    "payee_locations": _fields("payee_id", {"latitude": "0.0", "longitude": "0.0"}),
    "transactions": _fields(
        "date amount memo cleared approved flag_color flag_name account_id payee_id "
        "category_id transfer_account_id transfer_transaction_id matched_transaction_id "
        "import_id import_payee_name import_payee_name_original debt_transaction_type",
        {"cleared": "uncleared", "approved": True, "subtransactions": ()},
    ),
    "subtransactions": _fields(
        "transaction_id amount memo payee_id category_id transfer_account_id "
        "transfer_transaction_id"
    ),
    "scheduled_transactions": _fields(
        "date_first date_next frequency amount memo flag_color flag_name account_id payee_id "
        "category_id transfer_account_id",
        {"frequency": "monthly", "subtransactions": ()},
    ),
    "scheduled_subtransactions": _fields(
        "scheduled_transaction_id amount memo payee_id category_id transfer_account_id"
    ),
    "months": _fields("month note income budgeted activity to_be_budgeted age_of_money"),
    "month_categories": _fields("budgeted activity balance"),
    "money_movements": _fields(
        "month moved_at note money_movement_group_id performed_by_user_id from_category_id "
        "to_category_id amount"
    ),
    "money_movement_groups": _fields("group_created_at month note performed_by_user_id"),
}

#: Fields that the sandbox computes; nobody can set them.
DERIVED = {
    "accounts": {*SUMS["accounts"]},
    "categories": {*CATEGORY_SUMS, "category_group_name"},
    "transactions": {"account_name", "payee_name", "category_name"},
    "months": {*SUMS["months"], "categories"},
    "month_categories": {"activity", "balance", "category_group_name", "month"},
}


@dataclass(frozen=True)
class Special:
    """Ids of the categories that YNAB itself makes; no list shows that of a split transaction."""

    inflow: str
    uncategorized: str
    split: str


class Chance(random.Random):
    """Chance that repeats itself: the same for the same seed."""

    def new_id(self) -> str:
        """Return a new id."""
        return str(uuid.UUID(int=self.getrandbits(128), version=4))


def new_fields(kind: str, entity_id: str | None = None, **fields: object) -> Fields:
    """Return the fields of a new entity: its defaults, then the given ones."""
    head = {} if entity_id is None else {"id": entity_id}
    return {**head, **DEFAULTS[kind], "deleted": False, **fields}


def living(lines: list[Fields] | tuple[Fields, ...]) -> list[Fields]:
    """Return the subtransactions that are not deleted."""
    return [line for line in lines if not line["deleted"]]


def lines_of(transaction: Fields) -> list[Fields]:
    """Return the lines that count in categories: subtransactions, or the transaction itself."""
    return living(transaction["subtransactions"]) or [transaction]
