"""The streams, each one's own: where its rows are and what they need beyond what YNAB sends."""

from __future__ import annotations

import typing as t
from contextlib import closing
from datetime import date
from functools import cached_property, partial

from tap_ynab import schemas
from tap_ynab.delta import Shared
from tap_ynab.export import Export
from tap_ynab.fallback import MonthByMonth, by_date
from tap_ynab.incremental import ENDPOINT, EXPORT, DeltaStream, ExportedStream
from tap_ynab.money import MoneyStream
from tap_ynab.shape import is_date
from tap_ynab.splits import SplittableStream
from tap_ynab.sync import YNABStream

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_ynab.delta import Answer
    from tap_ynab.response import Response

#: YNAB's own word for all transactions there are.
EVERYTHING = "1970-01-01"
#: Later than any date.
NEVER = "9999-12-31"


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


class _NamedStream(DeltaStream):
    """A stream of what has a name that YNAB joins to transactions."""

    def all_rows(self, context: Context, answers: Sequence[Answer]) -> Iterator[Record]:
        """Rows of one budget, whose names may be new; those of exports are noted already."""
        for answer in answers:
            for row in self.rows(answer):
                if not isinstance(answer, Export):
                    self.ynab.names.note(context["budget_id"], row)
                yield row


class AccountsStream(_NamedStream):
    """Accounts with their balances."""

    name = "accounts"
    path = "/plans/{budget_id}/accounts"
    schema = schemas.ACCOUNTS


class _CategoriesAnswerStream(DeltaStream):
    """A stream of the answer that holds the category groups, each with its categories.

    It is asked for once a budget and run.
    """

    path = "/plans/{budget_id}/categories"
    collection = "category_groups"

    def endpoint(self, context: Context) -> Sequence[Answer]:
        """The answers for this stream and the other one."""
        # One stream may be here because of its twins, and the other because the export failed.
        shared, key = self.ynab.categories_answers, (context["budget_id"], self.reads_export)
        if key not in shared:
            readers = self.ynab.selected(_CategoriesAnswerStream)
            known = [s.known(context, ENDPOINT) for s in readers if s.reads_export == key[1]]
            answers = Shared(partial(self.changes, context), known)
            shared[key] = self.ynab.open.enter_context(closing(answers))
        return shared[key].since(self.known(context, ENDPOINT))

    def release(self, answers: Sequence[Answer]) -> None:
        """Keep the answers for the other stream."""


class CategoryGroupsStream(_CategoriesAnswerStream):
    """Groups of categories."""

    name = "category_groups"
    schema = schemas.CATEGORY_GROUPS

    def rows(self, answer: Answer) -> Iterator[Record]:
        """Groups without their categories."""
        for group in super().rows(answer):
            group.pop("categories", None)
            yield group


class CategoriesStream(_CategoriesAnswerStream, _NamedStream):
    """Categories with the amounts of the current month in UTC.

    At a month's turn they all change while nothing was edited, and a delta holds none of them.
    Then all are read too, after the delta, which alone holds what was deleted.
    """

    name = "categories"
    schema = schemas.CATEGORIES

    def all_rows(self, context: Context, answers: Sequence[Answer]) -> Iterator[Record]:
        """Categories that changed, or all in a new month."""
        yield from super().all_rows(context, answers)
        month = self.get_context_state(context).get("month")
        if self.known(context) is not None and month != answers[0].month:
            with closing(self.request(context)) as everything:
                yield from self.rows(everything)

    def rows(self, answer: Answer) -> Iterator[Record]:
        """Categories; in the endpoint's answer they are inside their groups."""
        for row in super().rows(answer):
            if isinstance(answer, Export):
                yield row
                continue
            for category in row.get("categories") or ():
                category["server_knowledge"] = row["server_knowledge"]
                yield category

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Set the bookmark, and the month whose amounts the rows have."""
        super().advance(context, answers)
        self.get_context_state(context)["month"] = answers[0].month


class PayeesStream(_NamedStream):
    """Payees; those of transfers stand for an account."""

    name = "payees"
    path = "/plans/{budget_id}/payees"
    schema = schemas.PAYEES


class PayeeLocationsStream(ExportedStream):
    """Where a payee was entered on a phone."""

    name = "payee_locations"
    path = "/plans/{budget_id}/payee_locations"
    schema = schemas.PAYEE_LOCATIONS

    def known(self, context: Context, source: str = EXPORT) -> int | None:
        """Knowledge to ask with; None where all else is read in full too, as by `reconcile`."""
        others = (stream for stream in self.ynab.export_readers if stream is not self)
        is_delta = any(stream.known(context) is not None for stream in others)
        return super().known(context, source) if is_delta and self.reads_export else None

    def reads_all(self, context: Context) -> bool:
        """Also where the export fails: the list that takes its place is always whole."""
        known = self.known(context)
        return known is None or not self.ynab.exports.since(context, known)


class TransactionsStream(SplittableStream):
    """Transactions since `since_date`, splits with their parts in one row."""

    name = "transactions"
    path = "/plans/{budget_id}/transactions"
    parts = "subtransactions"
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

    def endpoint(self, context: Context) -> Sequence[Answer]:
        """What changed since the last run, or all; both with another `since_date`."""
        if self.known(context) is not None:
            return super().endpoint(context)
        before = super().known(context, ENDPOINT)
        # Only deltas hold what was deleted.
        changes = [] if before is None else self.changes(context, before)
        return [*changes, *self.everything(context)]

    def everything(self, context: Context) -> Sequence[Answer]:
        """All rows, in slices where YNAB can't do it at once."""
        [budget] = [b for b in self.ynab.account.budgets if b["id"] == context["budget_id"]]
        since = date.fromisoformat(self.config["since_date"])
        first, last = (
            date.fromisoformat(budget[month] if is_date(budget.get(month)) else EVERYTHING)
            for month in ("first_month", "last_month")
        )
        return by_date(partial(self.request, context), since, None, first=first, last=last)

    def known(self, context: Context, source: str = EXPORT) -> int | None:
        """None also where another `since_date` has let other rows in."""
        state = self.get_context_state(context)
        is_same = state.get("since_date") == self.config["since_date"]
        return super().known(context, source) if is_same else None

    def all_rows(self, context: Context, answers: Sequence[Answer]) -> Iterator[Record]:
        """Rows that changed, or all; then also whether the export goes back as far as they do.

        It is said to, but so were transactions that are asked for without a date.
        """
        export = answers[0]
        if not isinstance(export, Export) or not export.is_whole:
            yield from super().all_rows(context, answers)
            return
        oldest = NEVER
        for row in super().all_rows(context, answers):
            oldest = min(oldest, str(row.get("date")))
            yield row
        self.get_context_state(context)["export_is_partial"] = oldest < (export.oldest or NEVER)

    def rows(self, answer: Answer) -> Iterator[Record]:
        """Transactions with the type of their account."""
        types = self.ynab.account.account_types
        for row in super().rows(answer):
            row["is_split"] = bool(row.get("subtransactions"))
            row["account_type"] = types.get(str(row.get("account_id")))
            yield row

    def advance(self, context: Context, answers: Sequence[Answer]) -> None:
        """Set the bookmark, and the date that it holds for."""
        super().advance(context, answers)
        self.get_context_state(context)["since_date"] = self.config["since_date"]


class ScheduledTransactionsStream(SplittableStream):
    """Upcoming and recurring transactions."""

    name = "scheduled_transactions"
    path = "/plans/{budget_id}/scheduled_transactions"
    parts = "scheduled_subtransactions"
    schema = schemas.SCHEDULED_TRANSACTIONS

    def asked(self, context: Context, said: Sequence[Export]) -> Sequence[Answer]:
        """Nothing where there are none: YNAB may not know the list of a budget without any."""
        if said and said[0].is_whole and not self.holds_any(said[0]):
            return ()
        return super().asked(context, said)


class MonthsStream(DeltaStream):
    """Months with what came in, was assigned and was spent."""

    name = "months"
    path = "/plans/{budget_id}/months"
    schema = schemas.MONTHS

    def read(self, context: Context) -> Iterator[Record]:
        """Months, with an id of their own: YNAB gives them none."""
        for row in super().read(context):
            row["id"] = f"{row['budget_id']}|{row['month']}"
            # The export has them inside; they are a stream of their own.
            row.pop("categories", None)
            yield row


class MonthCategoriesStream(DeltaStream):
    """Each category in each month, from the export: nothing else has all months at once."""

    name = "month_categories"
    path = "/plans/{budget_id}"
    schema = schemas.MONTH_CATEGORIES

    #: There is no list of them elsewhere.
    reads_export = True

    def endpoint(self, context: Context) -> Sequence[Answer]:
        """Each month that changed, where YNAB can't do the export."""
        known = self.known(context, ENDPOINT)
        return [MonthByMonth(self.ynab.client, context["budget_id"], known)]

    def rows(self, answer: Answer) -> Iterator[Record]:
        """Categories of all months; of a delta's months only those that changed."""
        for month in answer.rows("plan.months"):
            for category in month.get("categories") or ():
                category["category_id"] = category["id"]
                category["month"] = month["month"]
                category["deleted"] = category.get("deleted") or month.get("deleted")
                category["server_knowledge"] = answer.server_knowledge
                yield category

    def read(self, context: Context) -> Iterator[Record]:
        """Rows, with an id of their own: the category's is the same in each month."""
        for row in super().read(context):
            row["id"] = f"{row['budget_id']}|{row['month']}|{row['category_id']}"
            yield row


class MoneyMovementsStream(MoneyStream):
    """Money moved between categories."""

    name = "money_movements"
    path = "/plans/{budget_id}/money_movements"
    schema = schemas.MONEY_MOVEMENTS


class MoneyMovementGroupsStream(MoneyStream):
    """Money movements that were made in one go."""

    name = "money_movement_groups"
    path = "/plans/{budget_id}/money_movement_groups"
    schema = schemas.MONEY_MOVEMENT_GROUPS
