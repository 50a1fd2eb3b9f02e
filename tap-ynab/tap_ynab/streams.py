"""The streams: name, schema, feed, and the changes that each makes to a row.

A table of contents. `schemas` has the columns, `feeds` the ways to read a list.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from tap_ynab import schemas
from tap_ynab.base import YNABStream
from tap_ynab.errors import YNABError
from tap_ynab.feeds import (
    delta_list,
    export_list,
    full_list,
    shared_list,
    transaction_list,
    unexported_list,
)
from tap_ynab.records import is_date, is_id, objects

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Record

    from tap_ynab.sync_run import SyncRun


class BudgetsStream(YNABStream):
    """Budgets that the token sees, with their currency and date format as columns."""

    name = "budgets"
    schema = schemas.BUDGETS

    def rows_of_account(self) -> Iterable[Record]:
        """Return the budgets of the run."""
        return [dict(budget) for budget in self.run.account.budgets]

    def transform(self, row: Record) -> None:
        """Make columns of the fields in the formats."""
        leave_out_list(row, "accounts")
        currency, dates = take_object(row, "currency_format"), take_object(row, "date_format")
        row["date_format_string"] = dates.pop("format", None)
        row["currency_symbol"] = currency.pop("currency_symbol", None)
        for field in (
            "iso_code",
            "symbol_first",
            "decimal_digits",
            "decimal_separator",
            "group_separator",
        ):
            row[f"currency_{field}"] = currency.pop(field, None)
        rest = {"currency_format": currency, "date_format": dates}
        row.update({name: fields for name, fields in rest.items() if fields})


class AccountsStream(YNABStream):
    """Accounts with their balances."""

    name = "accounts"
    schema = schemas.ACCOUNTS
    feed = delta_list("accounts")


class CategoryGroupsStream(YNABStream):
    """Groups of categories."""

    name = "category_groups"
    schema = schemas.CATEGORY_GROUPS
    feed = shared_list("category_groups", "/categories", "category_groups")

    def transform(self, row: Record) -> None:
        """Leave the categories to their own stream."""
        leave_out_list(row, "categories")


class CategoriesStream(YNABStream):
    """Categories with the amounts of the current month (UTC)."""

    name = "categories"
    schema = schemas.CATEGORIES
    feed = shared_list(
        "categories", "/categories", "category_groups.item.categories", is_monthly=True
    )


class PayeesStream(YNABStream):
    """Payees; those of transfers stand for an account."""

    name = "payees"
    schema = schemas.PAYEES
    feed = delta_list("payees")


class PayeeLocationsStream(YNABStream):
    """Places where a payee was entered on a phone."""

    name = "payee_locations"
    schema = schemas.PAYEE_LOCATIONS
    feed = full_list("payee_locations")


class TransactionsStream(YNABStream):
    """Transactions since `since_date`, each with its subtransactions."""

    name = "transactions"
    schema = schemas.TRANSACTIONS
    feed = transaction_list("transactions", "subtransactions", is_dated=True)

    def transform(self, row: Record) -> None:
        """Add the type of the account, and whether the transaction is split."""
        delete_subtransactions(row)
        row["is_split"] = bool(row.get("subtransactions"))
        row["account_type"] = self.run.account.account_types.get(str(row.get("account_id")))


class ScheduledTransactionsStream(YNABStream):
    """Upcoming and recurring transactions."""

    name = "scheduled_transactions"
    schema = schemas.SCHEDULED_TRANSACTIONS
    feed = transaction_list("scheduled_transactions", "scheduled_subtransactions")

    def transform(self, row: Record) -> None:
        """Delete subtransactions with their transaction."""
        delete_subtransactions(row)


class MonthsStream(YNABStream):
    """Months with their income and the amounts assigned and spent."""

    name = "months"
    schema = schemas.MONTHS
    feed = delta_list("months")

    def transform(self, row: Record) -> None:
        """Add an id, and leave the categories to their own stream."""
        month = row.get("month")
        row["id"] = f"{row['budget_id']}|{month}" if is_date(month) else None
        leave_out_list(row, "categories")


def categories_of_month(month: Record) -> Iterator[Record]:
    """Yield the categories of a month, whose own id is the same in each month."""
    categories = month.get("categories")
    if not isinstance(categories, Iterable) or isinstance(categories, (str, dict)):
        return  # `MonthsStream` keeps it
    for category in categories:
        if not isinstance(category, dict):
            raise YNABError("YNAB's answer holds no object for a category of a month.")
        category["category_id"] = category.pop("id", None)
        category["month"] = month.get("month")
        if month.get("deleted") is True or category.get("deleted") is None:
            category["deleted"] = month.get("deleted") is True
        yield category


class MonthCategoriesStream(YNABStream):
    """Amounts of each category in each month."""

    name = "month_categories"
    schema = schemas.MONTH_CATEGORIES
    feed = export_list("months", unnest=categories_of_month)

    def transform(self, row: Record) -> None:
        """Add an id of budget, month and category."""
        month, category = row["month"], row["category_id"]
        is_key = is_date(month) and is_id(category)
        row["id"] = f"{row['budget_id']}|{month}|{category}" if is_key else None


class MoneyMovementsStream(YNABStream):
    """Money moved between categories, as far as YNAB keeps it."""

    name = "money_movements"
    schema = schemas.MONEY_MOVEMENTS
    feed = unexported_list("money_movements", created="moved_at")


class MoneyMovementGroupsStream(YNABStream):
    """Money movements that were made in one go."""

    name = "money_movement_groups"
    schema = schemas.MONEY_MOVEMENT_GROUPS
    feed = unexported_list("money_movement_groups", created="group_created_at")


class SyncsStream(YNABStream):
    """History of runs, failed ones included, with a row for each budget. It is written last."""

    name = "syncs"
    schema = schemas.SYNCS
    is_history = True

    def __init__(self, tap: Tap, run: SyncRun) -> None:
        """Have no rows until the run has ended."""
        super().__init__(tap, run)
        self.history: list[Record] = []

    def rows_of_account(self) -> Iterable[Record]:
        """Return the rows of the run that has ended."""
        return self.history

    def transform(self, row: Record) -> None:
        """Leave out the flag of YNAB's rows."""
        del row["deleted"]


def delete_subtransactions(row: Record) -> None:
    """Delete the subtransactions of a deleted transaction, whatever their own flag says."""
    if row.get("deleted") is True:
        for subtransaction in objects(row.get("subtransactions")):
            subtransaction["deleted"] = True


def take_object(row: Record, name: str) -> Record:
    """Remove and return an object; anything else goes to additional_properties."""
    return dict(row.pop(name)) if isinstance(row.get(name), dict) else {}


def leave_out_list(row: Record, name: str) -> None:
    """Remove a list that has a stream of its own; anything else goes to additional_properties."""
    if isinstance(row.get(name), list):
        del row[name]


STREAMS: tuple[type[YNABStream], ...] = (
    BudgetsStream,
    AccountsStream,
    CategoryGroupsStream,
    CategoriesStream,
    PayeesStream,
    PayeeLocationsStream,
    TransactionsStream,
    ScheduledTransactionsStream,
    MonthsStream,
    MonthCategoriesStream,
    MoneyMovementsStream,
    MoneyMovementGroupsStream,
    SyncsStream,
)
