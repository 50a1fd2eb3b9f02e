"""JSON schemas of the streams.

Fields have the names and meanings of YNAB's API 1.86 (https://api.ynab.com). Amounts are
milliunits: 1,000 are one unit of the budget's currency. Only `id` is required and enums are plain
strings, because one value that a column refuses would stop every stream.
"""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th

#: Endings of columns that repeat an amount for people; in the catalog, but not selected.
FORMATTED = ("_formatted", "_currency")

#: A list stored as one JSON value. With `items`, loaders would make an SQL array of it.
JSON_LIST = th.CustomType({"type": ["array", "null"]})
#: Amounts or rates in force from a date on.
BY_DATE = th.ObjectType(additional_properties=th.IntegerType)

ID = th.Property(
    "id", th.StringType, required=True, description="YNAB's id; text, not always a UUID"
)
BUDGET_ID = th.Property("budget_id", th.StringType, description="Budget that the row belongs to")
NAME = th.Property("name", th.StringType)
NOTE = th.Property("note", th.StringType)
MEMO = th.Property("memo", th.StringType)
MONTH = th.Property("month", th.DateType, description="First day of the month")
FLAGS = (
    th.Property("flag_color", th.StringType, description="May be empty text as well as null"),
    th.Property("flag_name", th.StringType),
)
SUBTRANSACTIONS = th.Property(
    "subtransactions", JSON_LIST, description="Parts of a split, each with its category"
)
DELETED = th.Property("deleted", th.BooleanType, description="Deleted in YNAB; the row stays")
KNOWLEDGE = th.Property(
    "server_knowledge", th.IntegerType, description="YNAB's counter when the row was read"
)
REST = th.Property(
    "additional_properties",
    th.ObjectType(additional_properties=True),
    description="What YNAB sent beyond the columns above, or what did not fit into them",
)


def milliunits(name: str, description: str | None = None) -> tuple[th.Property[t.Any], ...]:
    """Return an amount in milliunits, and the same as formatted text and in currency units."""
    return (
        th.Property(name, th.IntegerType, description=description),
        th.Property(f"{name}_formatted", th.StringType),
        th.Property(f"{name}_currency", th.NumberType),
    )


def references(*names: str) -> tuple[th.Property[t.Any], ...]:
    """Return ids of other rows, and names that YNAB joins to them."""
    return tuple(th.Property(name, th.StringType) for name in names)


def schema(*properties: th.Property[t.Any]) -> dict[str, t.Any]:
    """Return the JSON schema of a stream that is read in full each time."""
    return th.PropertiesList(ID, *properties, REST).to_dict()


def delta_schema(*properties: th.Property[t.Any]) -> dict[str, t.Any]:
    """Return the JSON schema of a stream with deltas."""
    return schema(*properties, KNOWLEDGE)


BUDGETS = schema(
    NAME,
    th.Property("last_modified_on", th.DateTimeType, description="By web and mobile apps only"),
    th.Property("first_month", th.DateType),
    th.Property("last_month", th.DateType),
    th.Property("date_format_string", th.StringType),
    th.Property("currency_iso_code", th.StringType),
    th.Property("currency_symbol", th.StringType),
    th.Property("currency_symbol_first", th.BooleanType),
    th.Property("currency_decimal_digits", th.IntegerType),
    th.Property("currency_decimal_separator", th.StringType),
    th.Property("currency_group_separator", th.StringType),
    DELETED,
)

ACCOUNTS = delta_schema(
    BUDGET_ID,
    NAME,
    th.Property("type", th.StringType),
    th.Property("on_budget", th.BooleanType),
    th.Property("closed", th.BooleanType),
    NOTE,
    *milliunits("balance", "Cleared and uncleared"),
    *milliunits("cleared_balance"),
    *milliunits("uncleared_balance"),
    th.Property("transfer_payee_id", th.StringType, description="Payee to use for transfers here"),
    th.Property("direct_import_linked", th.BooleanType),
    th.Property("direct_import_in_error", th.BooleanType),
    th.Property("last_reconciled_at", th.DateTimeType),
    th.Property("debt_original_balance", th.IntegerType),
    th.Property("debt_interest_rates", BY_DATE),
    th.Property("debt_minimum_payments", BY_DATE),
    th.Property("debt_escrow_amounts", BY_DATE),
    DELETED,
)

CATEGORY_GROUPS = delta_schema(
    BUDGET_ID,
    NAME,
    th.Property("hidden", th.BooleanType),
    th.Property("internal", th.BooleanType),
    th.Property("note", th.StringType, description="YNAB no longer sends it"),
    DELETED,
)

_CATEGORY = (
    *references("category_group_id", "category_group_name"),
    NAME,
    th.Property("hidden", th.BooleanType),
    th.Property("internal", th.BooleanType),
    th.Property("original_category_group_id", th.StringType, description="No longer used by YNAB"),
    NOTE,
    *milliunits("budgeted", "Assigned in the month"),
    *milliunits("activity", "Spent and received in the month"),
    *milliunits("balance", "Available at the end of the month"),
    th.Property("goal_type", th.StringType, description="TB, TBD, MF, NEED, DEBT"),
    th.Property("goal_needs_whole_amount", th.BooleanType),
    th.Property("goal_day", th.IntegerType),
    th.Property("goal_cadence", th.IntegerType),
    th.Property("goal_cadence_frequency", th.IntegerType),
    th.Property("goal_creation_month", th.DateType),
    *milliunits("goal_target"),
    th.Property("goal_target_month", th.DateType, description="Use goal_target_date instead"),
    th.Property("goal_target_date", th.DateType),
    th.Property("goal_percentage_complete", th.IntegerType),
    th.Property("goal_months_to_budget", th.IntegerType),
    *milliunits("goal_under_funded"),
    *milliunits("goal_overall_funded"),
    *milliunits("goal_overall_left"),
    th.Property("goal_snoozed_at", th.DateTimeType),
    DELETED,
)

CATEGORIES = delta_schema(BUDGET_ID, *_CATEGORY)

PAYEES = delta_schema(
    BUDGET_ID,
    NAME,
    th.Property("transfer_account_id", th.StringType, description="Account that it stands for"),
    DELETED,
)

PAYEE_LOCATIONS = schema(
    BUDGET_ID,
    *references("payee_id"),
    th.Property("latitude", th.StringType),
    th.Property("longitude", th.StringType),
    DELETED,
)

TRANSACTIONS = delta_schema(
    BUDGET_ID,
    th.Property("date", th.DateType),
    *milliunits("amount"),
    MEMO,
    th.Property("cleared", th.StringType, description="cleared, uncleared, reconciled"),
    th.Property("approved", th.BooleanType),
    *FLAGS,
    *references("account_id", "account_name"),
    th.Property("account_type", th.StringType, description="Joined by the tap"),
    *references("payee_id", "payee_name", "category_id", "category_name"),
    *references("transfer_account_id"),
    th.Property(
        "transfer_transaction_id",
        th.StringType,
        description="Other side of a transfer; may be a subtransaction",
    ),
    *references("matched_transaction_id"),
    th.Property("import_id", th.StringType, description="Unique in its account only"),
    th.Property("import_payee_name", th.StringType),
    th.Property("import_payee_name_original", th.StringType),
    th.Property("debt_transaction_type", th.StringType),
    th.Property("is_split", th.BooleanType, description="Has subtransactions"),
    SUBTRANSACTIONS,
    DELETED,
)

SCHEDULED_TRANSACTIONS = delta_schema(
    BUDGET_ID,
    th.Property("date_first", th.DateType),
    th.Property("date_next", th.DateType),
    th.Property("frequency", th.StringType),
    *milliunits("amount"),
    MEMO,
    *FLAGS,
    *references("account_id", "account_name", "payee_id", "payee_name"),
    *references("category_id", "category_name", "transfer_account_id"),
    SUBTRANSACTIONS,
    DELETED,
)

MONTHS = delta_schema(
    BUDGET_ID,
    MONTH,
    NOTE,
    *milliunits("income", "Received into Ready to Assign"),
    *milliunits("budgeted", "Assigned to categories"),
    *milliunits("activity", "All but what went into Ready to Assign"),
    *milliunits("to_be_budgeted", "Ready to Assign"),
    th.Property("age_of_money", th.IntegerType, description="Days"),
    DELETED,
)

MONTH_CATEGORIES = delta_schema(BUDGET_ID, MONTH, *references("category_id"), *_CATEGORY)

MONEY_MOVEMENTS = schema(
    BUDGET_ID,
    MONTH,
    th.Property("moved_at", th.DateTimeType),
    NOTE,
    *references("money_movement_group_id", "performed_by_user_id"),
    *references("from_category_id", "to_category_id"),
    *milliunits("amount"),
    DELETED,
)

MONEY_MOVEMENT_GROUPS = schema(
    BUDGET_ID,
    th.Property("group_created_at", th.DateTimeType),
    MONTH,
    NOTE,
    *references("performed_by_user_id"),
    DELETED,
)

SYNCS = schema(
    th.Property(
        "budget_id", th.StringType, description="Budget; null if the budgets could not be listed"
    ),
    th.Property("budget_name", th.StringType),
    th.Property("started_at", th.DateTimeType, description="The same for all budgets of a run"),
    th.Property("finished_at", th.DateTimeType),
    th.Property("mode", th.StringType, description="`full` or `delta`"),
    th.Property(
        "status",
        th.StringType,
        description="`succeeded`, `failed`, or `incomplete`: the hourly limit has left some of it "
        "for the next run",
    ),
    th.Property("error", th.StringType, description="What went wrong, and what to do"),
    th.Property("requests", th.IntegerType, description="Requests for the budget, with retries"),
    th.Property("rows", th.IntegerType, description="Rows that were read"),
    th.Property(
        "streams",
        th.ObjectType(additional_properties=True),
        description="For each stream: `rows`, and its bookmark before (`from`) and after (`to`)",
    ),
)
