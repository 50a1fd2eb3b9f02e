"""The streams, each one's own: where its rows are and what they need beyond what YNAB sends."""

from __future__ import annotations

import logging
import typing as t
from datetime import date
from functools import cached_property, partial

from tap_ynab import schemas
from tap_ynab.errors import TransientError
from tap_ynab.fallback import TRIES, MonthByMonth, by_date
from tap_ynab.shape import is_date
from tap_ynab.sync import BudgetStream, DeltaStream, YNABStream

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_ynab.response import Response
    from tap_ynab.sync import Answer

#: YNAB's own word for all transactions there are.
EVERYTHING = "1970-01-01"


class BudgetsStream(YNABStream):
    """Budgets that the token sees, which YNAB now calls plans; their formats as columns."""

    name = "budgets"
    schema = schemas.BUDGETS

    def read(self, context: Context) -> Iterator[Record]:  # noqa: ARG002 of the account, not of a budget
        """Budgets of this run."""
        for plan in self.ynab.account.budgets:
            budget = {**plan, "deleted": False}
            budget.pop("accounts", None)
            currency = dict(budget.pop("currency_format", None) or {})
            dates = dict(budget.pop("date_format", None) or {})
            budget["date_format_string"] = dates.pop("format", None)
            budget["currency_symbol"] = currency.pop("currency_symbol", None)
            for part in (
                "iso_code",
                "symbol_first",
                "decimal_digits",
                "decimal_separator",
                "group_separator",
            ):
                budget[f"currency_{part}"] = currency.pop(part, None)
            yield {**budget, "currency_format": currency or None, "date_format": dates or None}


class AccountsStream(DeltaStream):
    """Accounts with their balances."""

    name = "accounts"
    path = "/plans/{budget_id}/accounts"
    schema = schemas.ACCOUNTS


class _CategoriesAnswerStream(DeltaStream):
    """A stream of the answer that holds the category groups, each with its categories.

    It is asked for once a budget and run. Its amounts are those of the current month in UTC, so
    that at a month's turn they all change while nothing was edited and a delta holds none of
    them. Then all are read too, after the delta, which alone holds what was deleted.
    """

    path = "/plans/{budget_id}/categories"
    collection = "category_groups"

    def answers(self, context: Context) -> Sequence[Answer]:
        """The answers for this stream and the other one."""
        budget_id, shared = context["budget_id"], self.ynab.shared_answers
        if budget_id not in shared:
            shared[budget_id] = self._ask(context)
        return shared[budget_id]

    def release(self, context: Context, answers: Sequence[Answer]) -> None:
        """Keep the answers for the other stream, if it is still to come."""
        if self is self._sharers[-1]:
            super().release(context, answers)

    @cached_property
    def _sharers(self) -> list[_CategoriesAnswerStream]:
        """The selected streams of this answer, in the order in which they are read."""
        streams = self.ynab.streams.values()
        return [s for s in streams if isinstance(s, _CategoriesAnswerStream) and s.selected]

    def _ask(self, context: Context) -> Sequence[Answer]:
        known = [stream.known(context) for stream in self._sharers]
        months = {stream.get_context_state(context).get("month") for stream in self._sharers}
        oldest = min((value for value in known if value is not None), default=None)
        changes = self.changes(context, None if None in known else oldest)
        if None in known or len(changes) > 1 or months == {changes[0].month}:
            return changes
        return [*changes, self.request(context)]

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Set the bookmark, and the month whose amounts the rows have."""
        super().advance(context, answers)
        self.get_context_state(context)["month"] = answers[0].month


class CategoryGroupsStream(_CategoriesAnswerStream):
    """Groups of categories."""

    name = "category_groups"
    schema = schemas.CATEGORY_GROUPS

    def rows(self, response: Answer) -> Iterator[Record]:
        """Groups without their categories."""
        for group in super().rows(response):
            group.pop("categories", None)
            yield group


class CategoriesStream(_CategoriesAnswerStream):
    """Categories with the amounts of the current month in UTC."""

    name = "categories"
    schema = schemas.CATEGORIES

    def rows(self, response: Answer) -> Iterator[Record]:
        """Categories of all groups; of a delta's groups only those that changed."""
        for group in super().rows(response):
            for category in group.get("categories") or ():
                category["server_knowledge"] = group["server_knowledge"]
                yield category


class PayeesStream(DeltaStream):
    """Payees; those of transfers stand for an account."""

    name = "payees"
    path = "/plans/{budget_id}/payees"
    schema = schemas.PAYEES


class PayeeLocationsStream(BudgetStream):
    """Where a payee was entered on a phone."""

    name = "payee_locations"
    path = "/plans/{budget_id}/payee_locations"
    schema = schemas.PAYEE_LOCATIONS


class _SplittableStream(DeltaStream):
    """A stream whose rows may be split into subtransactions, which are always sent whole."""

    def rows(self, response: Answer) -> Iterator[Record]:
        """Rows; what is deleted is deleted with its parts, whatever their own flag says."""
        for row in super().rows(response):
            if row.get("deleted"):
                for part in row.get("subtransactions") or ():
                    if isinstance(part, dict):
                        part["deleted"] = True
            yield row


class TransactionsStream(_SplittableStream):
    """Transactions since `since_date`, splits with their parts in one row."""

    name = "transactions"
    path = "/plans/{budget_id}/transactions"
    schema = schemas.TRANSACTIONS

    @cached_property
    def is_whole(self) -> bool:
        """Not where `since_date` leaves some out."""
        return self.config["since_date"] == EVERYTHING and super().is_whole

    def request(
        self, context: Context, tries: int | None = None, **params: str | int | None
    ) -> Response:
        """Ask with an explicit date: without it YNAB leaves out, also of deltas, older ones."""
        return super().request(
            context, tries, **{"since_date": self.config["since_date"], **params}
        )

    def answers(self, context: Context) -> Sequence[Answer]:
        """What changed since the last run, or all, in slices where YNAB can't do it at once."""
        if (known := self.known(context)) is not None:
            return self.changes(context, known)
        [budget] = [b for b in self.ynab.account.budgets if b["id"] == context["budget_id"]]
        since = date.fromisoformat(self.config["since_date"])
        first, last = (
            date.fromisoformat(budget[month] if is_date(budget.get(month)) else EVERYTHING)
            for month in ("first_month", "last_month")
        )
        return by_date(partial(self.request, context), since, None, first=first, last=last)

    def known(self, context: Context) -> int | None:
        """None also where another `since_date` has let other rows in."""
        state = self.get_context_state(context)
        is_same = state.get("since_date") == self.config["since_date"]
        return super().known(context) if is_same else None

    def rows(self, response: Answer) -> Iterator[Record]:
        """Transactions with the type of their account."""
        for row in super().rows(response):
            row["is_split"] = bool(row.get("subtransactions"))
            row["account_type"] = self.ynab.account.account_types.get(str(row.get("account_id")))
            yield row

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Set the bookmark, and the date that it holds for."""
        super().advance(context, answers)
        self.get_context_state(context)["since_date"] = self.config["since_date"]


class ScheduledTransactionsStream(_SplittableStream):
    """Upcoming and recurring transactions."""

    name = "scheduled_transactions"
    path = "/plans/{budget_id}/scheduled_transactions"
    schema = schemas.SCHEDULED_TRANSACTIONS


class MonthsStream(DeltaStream):
    """Months with what came in, was assigned and was spent."""

    name = "months"
    path = "/plans/{budget_id}/months"
    schema = schemas.MONTHS

    def read(self, context: Context) -> Iterator[Record]:
        """Months, with an id of their own: YNAB gives them none."""
        for row in super().read(context):
            row["id"] = f"{row['budget_id']}|{row['month']}"
            yield row


class MonthCategoriesStream(DeltaStream):
    """Each category in each month, from the export: nothing else has all months at once."""

    name = "month_categories"
    path = "/plans/{budget_id}"
    collection = "plan.months"
    schema = schemas.MONTH_CATEGORIES

    def answers(self, context: Context) -> Sequence[Answer]:
        """The export, or each month that changed where YNAB can't do the export."""
        try:
            return self.changes(context, self.known(context), TRIES)
        except TransientError as error:
            self.log("%s. Asking for each month.", error, level=logging.WARNING)
            known = self.get_context_state(context).get("months_knowledge")
            return [MonthByMonth(self.ynab.client, context["budget_id"], known)]

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Set the bookmark, or that of the list of months: each endpoint counts for itself."""
        if isinstance(answers[0], MonthByMonth):
            state = self.get_context_state(context)
            state["months_knowledge"] = answers[0].server_knowledge
            state.pop("progress_markers", None)
        else:
            super().advance(context, answers)

    def rows(self, response: Answer) -> Iterator[Record]:
        """Categories of all months; of a delta's months only those that changed."""
        for month in super().rows(response):
            for category in month.get("categories") or ():
                category["category_id"] = category["id"]
                category["month"] = month["month"]
                category["deleted"] = category.get("deleted") or month.get("deleted")
                category["server_knowledge"] = month["server_knowledge"]
                yield category

    def read(self, context: Context) -> Iterator[Record]:
        """Rows, with an id of their own: the category's is the same in each month."""
        for row in super().read(context):
            row["id"] = f"{row['budget_id']}|{row['month']}|{row['category_id']}"
            yield row


class MoneyMovementsStream(BudgetStream):
    """Money moved between categories, as far as YNAB keeps it."""

    name = "money_movements"
    path = "/plans/{budget_id}/money_movements"
    schema = schemas.MONEY_MOVEMENTS


class MoneyMovementGroupsStream(BudgetStream):
    """Money movements that were made in one go."""

    name = "money_movement_groups"
    path = "/plans/{budget_id}/money_movement_groups"
    schema = schemas.MONEY_MOVEMENT_GROUPS
