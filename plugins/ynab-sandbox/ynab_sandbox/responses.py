"""Responses to the GET paths of API 1.86, as documents whose lists may be generators."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ynab_sandbox.clock import Clock, month_of, year_before
from ynab_sandbox.errors import ApiError
from ynab_sandbox.export import document, summary, with_categories
from ynab_sandbox.tables import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields, Key


def respond(
    budgets: Sequence[Budget], clock: Clock, path: str, parameters: Mapping[str, str]
) -> Fields:
    """Return the data of the response to a path below `/v1`, or raise an `ApiError`."""
    found = re.fullmatch(r"/(plan|budget)s(?:/([^/]+)(/.*)?)?", path)
    if found is None:
        raise ApiError("404.1")
    word, budget_id, rest = found.groups()
    if budget_id is None:
        return {f"{word}s": _summaries(budgets, parameters)}
    for pattern, response in ROUTES:
        if match := pattern.fullmatch(rest or ""):
            data = response(Query(_find(budgets, budget_id), clock, parameters, match.groupdict()))
            # The old paths, with the word budgets, have the old key.
            return {word if key == "plan" else key: value for key, value in data.items()}
    raise ApiError("404.1")


def _summaries(budgets: Sequence[Budget], parameters: Mapping[str, str]) -> list[Fields]:
    # There is no `default_plan`: a personal token has none, and its schema allows no null.
    summaries = [summary(budget) for budget in budgets]
    if parameters.get("include_accounts", "").lower() == "true":
        for budget, shown in zip(budgets, summaries, strict=True):
            shown["accounts"] = budget.entities("accounts")
    return summaries


def _find(budgets: Sequence[Budget], budget_id: str) -> Budget:
    if budget_id == "last-used" and budgets:
        return max(budgets, key=lambda budget: budget.last_modified_on)
    for budget in budgets:
        if budget.id == budget_id.lower():
            return budget
    raise ApiError("404.2")


@dataclass(frozen=True)
class Query:
    """A request for something in a budget, with query parameters and ids of the path by name."""

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
        if not re.fullmatch(r"-?\d{1,19}", given):
            raise ApiError("400", "last_knowledge_of_server is invalid")
        return int(given)

    @property
    def month(self) -> str:
        """The month in the path."""
        given = self.path["month"]
        return self.clock.month() if given == "current" else _day(given, "month")

    def entity(self, kind: str, parameter: str) -> Fields:
        """Return the stored fields of the entity with an id in the path."""
        row = self.budget.tables[kind].get(self.path[parameter])
        if row is None or row.fields["deleted"]:
            raise ApiError("404.2")
        return row.fields

    def with_knowledge(self, name: str, entities: object) -> Fields:
        """Return a document with the budget's `server_knowledge`."""
        return {name: entities, "server_knowledge": self.budget.server_knowledge}


def _list(kind: str, *, is_delta: bool = True) -> Callable[[Query], Fields]:
    def response(query: Query) -> Fields:
        budget, views = query.budget, query.budget.views()
        if kind == "scheduled_transactions" and not budget.had_scheduled:
            raise ApiError("404.2")
        since = query.since if is_delta else None
        wanted: Fields = {"month": query.month} if "month" in query.path else {}
        if "payee_id" in query.path:
            wanted["payee_id"] = query.entity("payees", "payee_id")["id"]
        entities = (
            views.entity(kind, key, deleted=since is not None)
            for key, row in budget.rows(kind, since)
            if all(row.fields[name] == value for name, value in wanted.items())
        )
        if kind == "payee_locations":
            return {kind: entities}
        return query.with_knowledge(kind, entities)

    return response


def _single(kind: str) -> Callable[[Query], Fields]:
    name = "category" if kind == "categories" else kind.removesuffix("s")

    def response(query: Query) -> Fields:
        key = query.entity(kind, f"{name}_id")["id"]
        entity = query.budget.views().entity(kind, key)
        return query.with_knowledge(name, entity) if kind == "transactions" else {name: entity}

    return response


def _settings(query: Query) -> Fields:
    names = ("date_format", "currency_format")
    return {"settings": {name: getattr(query.budget, name) for name in names}}


def _categories(query: Query) -> Fields:
    """Return categories by group; in a delta only those that changed, and their groups."""
    budget, views = query.budget, query.budget.views()
    inside: dict[Key, list[Fields]] = {}
    for key, row in budget.rows("categories", query.since):
        group = inside.setdefault(row.fields["category_group_id"], [])
        group.append(views.entity("categories", key))
    groups = with_categories(budget, views, "category_groups", query.since, inside)
    return query.with_knowledge("category_groups", groups)


def _month_category(query: Query) -> Fields:
    fields = query.entity("categories", "category_id")
    if query.month not in query.budget.tables["months"]:
        raise ApiError("404.2")
    return {"category": query.budget.views().category(fields["id"], query.month)}


def _month(query: Query) -> Fields:
    budget, views, month = query.budget, query.budget.views(), query.month
    row = budget.tables["months"].get(month)
    if row is None or row.fields["deleted"]:
        raise ApiError("404.2")
    within = [views.category(key, month) for key, _ in budget.rows("categories")]
    return {"month": {**views.entity("months", month), "categories": within}}


def _transactions(query: Query) -> Fields:
    views, is_delta = query.budget.views(), query.since is not None
    chosen = (views.transaction(each, deleted=is_delta) for each in _chosen(query))
    return query.with_knowledge("transactions", chosen)


def _hybrids(kind: str, column: str) -> Callable[[Query], Fields]:
    def response(query: Query) -> Fields:
        views, key = query.budget.views(), query.entity(kind, column)["id"]
        hybrids = [view for each in _chosen(query) for view in views.hybrids(each, column, key)]
        return query.with_knowledge("transactions", hybrids)

    return response


def _chosen(query: Query) -> Iterator[Fields]:
    """Return the transactions that path and parameters choose.

    Without `since_date` it is those of one year, in deltas too: an older transaction that changed
    is left out although `server_knowledge` is past the change. So does YNAB.
    """
    path, given = query.path, query.parameters
    account_id = query.entity("accounts", "account_id")["id"] if "account_id" in path else None
    month = query.month if "month" in path else None
    earliest = "0001-01-01" if month else year_before(query.clock.today())
    first = _day(given.get("since_date", earliest), "since_date")
    last = _day(given.get("until_date", "9999-12-31"), "until_date")
    is_of_type = _type_of(query)
    return (
        row.fields
        for _, row in query.budget.rows("transactions", query.since)
        if first <= row.fields["date"] <= last
        and account_id in {None, row.fields["account_id"]}
        and month in {None, month_of(row.fields["date"])}
        and is_of_type(row.fields)
    )


def _type_of(query: Query) -> Callable[[Fields], bool]:
    """Return whether transactions are of the type that the parameter `type` asks for."""
    none, wanted = query.budget.special.uncategorized, query.parameters.get("type")
    if wanted is None:
        return lambda _: True
    if wanted == "unapproved":
        return lambda fields: not fields["approved"]
    if wanted == "uncategorized":
        return lambda fields: none in (line["category_id"] for line in lines_of(fields))
    raise ApiError("400", "type is invalid")


def _day(text: str, name: str) -> str:
    """Return a day that was given, `YYYY-MM-DD`."""
    with suppress(ValueError):
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text).isoformat()
    raise ApiError("400", f"{name} is invalid")


#: Responses by path below a budget.
RESPONSES: dict[str, Callable[[Query], Fields]] = {
    "": lambda query: query.with_knowledge("plan", document(query.budget, query.since)),
    "/settings": _settings,
    "/accounts": _list("accounts"),
    "/accounts/{account_id}": _single("accounts"),
    "/accounts/{account_id}/transactions": _transactions,
    "/categories": _categories,
    "/categories/{category_id}": _single("categories"),
    "/categories/{category_id}/transactions": _hybrids("categories", "category_id"),
    "/months": _list("months"),
    "/months/{month}": _month,
    "/months/{month}/categories/{category_id}": _month_category,
    "/months/{month}/transactions": _transactions,
    "/months/{month}/money_movements": _list("money_movements", is_delta=False),
    "/months/{month}/money_movement_groups": _list("money_movement_groups", is_delta=False),
    "/money_movements": _list("money_movements", is_delta=False),
    "/money_movement_groups": _list("money_movement_groups", is_delta=False),
    "/payees": _list("payees"),
    "/payees/{payee_id}": _single("payees"),
    "/payees/{payee_id}/payee_locations": _list("payee_locations", is_delta=False),
    "/payees/{payee_id}/transactions": _hybrids("payees", "payee_id"),
    "/payee_locations": _list("payee_locations", is_delta=False),
    "/payee_locations/{payee_location_id}": _single("payee_locations"),
    "/transactions": _transactions,
    "/transactions/{transaction_id}": _single("transactions"),
    "/scheduled_transactions": _list("scheduled_transactions"),
    "/scheduled_transactions/{scheduled_transaction_id}": _single("scheduled_transactions"),
}
ROUTES = [
    (re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template)), response)
    for template, response in RESPONSES.items()
]
