"""Responses to each GET path of API 1.86, as documents whose lists may be generators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ynab_sandbox.clock import Clock, month_of, year_before
from ynab_sandbox.errors import ApiError
from ynab_sandbox.export import document
from ynab_sandbox.tables import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields


@dataclass(frozen=True)
class Query:
    """A request for something in a budget.

    Attributes:
        budget: the budget.
        clock: the sandbox's clock.
        parameters: the query parameters.
        path: ids in the path, by name.
    """

    budget: Budget
    clock: Clock
    parameters: Mapping[str, str]
    path: Mapping[str, str]

    @property
    def since(self) -> int | None:
        """The `last_knowledge_of_server`; None for everything."""
        given = self.parameters.get("last_knowledge_of_server")
        if given is None:
            return None
        if not re.fullmatch(r"\d{1,19}", given):
            raise ApiError("400", "last_knowledge_of_server is invalid")
        return int(given)

    @property
    def month(self) -> str:
        """The month in the path."""
        given = self.path["month"]
        return self.clock.month() if given == "current" else _day(given, "month")

    def entity(self, kind: str, parameter: str) -> Fields:
        """Return the stored fields of the entity with an id in the path.

        Raises:
            ApiError: it does not exist, or is deleted.
        """
        row = self.budget.tables[kind].get(self.path[parameter])
        if row is None or row.fields["deleted"]:
            raise ApiError("404.2")
        return row.fields

    def with_knowledge(self, name: str, entities: object) -> Fields:
        """Return a document with the budget's `server_knowledge`."""
        return {name: entities, "server_knowledge": self.budget.server_knowledge}


def delta_list(kind: str) -> Callable[[Query], Fields]:
    """Return the response with all entities of a kind, or those that changed."""

    def respond(query: Query) -> Fields:
        budget, since, views = query.budget, query.since, query.budget.views
        if kind == "scheduled_transactions" and not budget.had_scheduled:
            raise ApiError("404.2")
        entities = (
            budget.shape(views, kind, key, row, deleted=since is not None)
            for key, row in budget.rows(kind, since)
        )
        return query.with_knowledge(kind, entities)

    return respond


def full_list(kind: str, *, knowledge: bool = True) -> Callable[[Query], Fields]:
    """Return the response with all entities of a kind, or those of a month or payee.

    Args:
        kind: the kind, one without deltas.
        knowledge: whether the response has a `server_knowledge`.
    """

    def respond(query: Query) -> Fields:
        entities = query.budget.entities(kind)
        if "month" in query.path:
            entities = [each for each in entities if each["month"] == query.month]
        if "payee_id" in query.path:
            payee_id = query.entity("payees", "payee_id")["id"]
            entities = [each for each in entities if each["payee_id"] == payee_id]
        return query.with_knowledge(kind, entities) if knowledge else {kind: entities}

    return respond


def single(kind: str, parameter: str, name: str) -> Callable[[Query], Fields]:
    """Return the response with one entity, by the parameter of the path that has its id."""

    def respond(query: Query) -> Fields:
        budget = query.budget
        key = query.entity(kind, parameter)["id"]
        entity = budget.shape(budget.views, kind, key, budget.tables[kind][key], deleted=False)
        return query.with_knowledge(name, entity) if kind == "transactions" else {name: entity}

    return respond


def settings(query: Query) -> Fields:
    """Return the budget's formats."""
    budget = query.budget
    formats = {"date_format": budget.date_format, "currency_format": budget.currency_format}
    return {"settings": formats}


def export(query: Query) -> Fields:
    """Return the plan export."""
    return query.with_knowledge("plan", document(query.budget, query.since))


def categories(query: Query) -> Fields:
    """Return categories by group; in a delta only those that changed, and their groups."""
    budget, views = query.budget, query.budget.views
    inside: dict[str, list[Fields]] = {}
    for _, row in budget.rows("categories", query.since):
        group_id = row.fields["category_group_id"]
        inside.setdefault(group_id, []).append(views.category(row.fields, budget.month))
    changed = {key for key, _ in budget.rows("category_groups", query.since)}
    groups = [
        {**row.fields, "categories": inside.get(str(key), [])}
        for key, row in budget.tables["category_groups"].items()
        if key in changed or key in inside
    ]
    return query.with_knowledge("category_groups", groups)


def month_category(query: Query) -> Fields:
    """Return a category with its amounts in a month."""
    fields = query.entity("categories", "category_id")
    if query.month not in query.budget.tables["months"]:
        raise ApiError("404.2")
    return {"category": query.budget.views.category(fields, query.month)}


def month(query: Query) -> Fields:
    """Return a month with all its categories."""
    budget, views = query.budget, query.budget.views
    row = budget.tables["months"].get(query.month)
    if row is None or row.fields["deleted"]:
        raise ApiError("404.2")
    within = [views.category(each.fields, query.month) for _, each in budget.rows("categories")]
    return {"month": {**views.month(row.fields), "categories": within}}


def transactions(query: Query) -> Fields:
    """Return the transactions of the budget, an account or a month."""
    views, is_delta = query.budget.views, query.since is not None
    chosen = (views.transaction(each, deleted=is_delta) for each in _transactions(query))
    return query.with_knowledge("transactions", chosen)


def hybrid_transactions(kind: str, column: str) -> Callable[[Query], Fields]:
    """Return the response with the transactions and subtransactions of a category or payee."""

    def respond(query: Query) -> Fields:
        views, key = query.budget.views, query.entity(kind, column)["id"]
        hybrids = [
            view for each in _transactions(query) for view in views.hybrids(each, column, key)
        ]
        return query.with_knowledge("transactions", hybrids)

    return respond


def _transactions(query: Query) -> Iterator[Fields]:
    """Return the transactions that path and parameters choose.

    Without `since_date` it is those of one year, in deltas too: an older transaction that changed
    is left out although `server_knowledge` is past the change. So does YNAB.
    """
    given = query.parameters
    first = "0001-01-01" if "month" in query.path else year_before(query.clock.today())
    if "since_date" in given:
        first = _day(given["since_date"], "since_date")
    last = _day(given["until_date"], "until_date") if "until_date" in given else "9999-12-31"
    only = given.get("type")
    if only not in {None, "uncategorized", "unapproved"}:
        raise ApiError("400", "type is invalid")
    account_id = (
        query.entity("accounts", "account_id")["id"] if "account_id" in query.path else None
    )
    within = query.month if "month" in query.path else None

    def is_chosen(fields: Fields) -> bool:
        return (
            first <= fields["date"] <= last
            and account_id in {None, fields["account_id"]}
            and within in {None, month_of(fields["date"])}
            and not (only == "unapproved" and fields["approved"])
            and not (only == "uncategorized" and not _is_uncategorized(query.budget, fields))
        )

    return (
        row.fields
        for _, row in query.budget.rows("transactions", query.since)
        if is_chosen(row.fields)
    )


def _is_uncategorized(budget: Budget, fields: Fields) -> bool:
    return any(line["category_id"] == budget.special.uncategorized for line in lines_of(fields))


def _day(text: str, name: str) -> str:
    """Return a day that was given, `YYYY-MM-DD`.

    Raises:
        ApiError: it is no day.
    """
    try:
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ApiError("400", f"{name} is invalid")
