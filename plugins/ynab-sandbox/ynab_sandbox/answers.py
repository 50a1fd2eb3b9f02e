"""What each GET path of API 1.86 answers, as data to be written out as JSON.

Lists may be generators, so that a large answer is written while it is made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ynab_sandbox import export
from ynab_sandbox.clock import Clock, month_of, year_before
from ynab_sandbox.errors import ApiError
from ynab_sandbox.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields


@dataclass(frozen=True)
class Question:
    """What is asked of a plan.

    Attributes:
        plan: the plan.
        clock: what time it is.
        query: the query parameters.
        part: ids in the path, by name.
    """

    budget: Budget
    clock: Clock
    query: Mapping[str, str]
    part: Mapping[str, str]

    @property
    def since(self) -> int | None:
        """The knowledge that the asker has, or None when everything is asked for."""
        given = self.query.get("last_knowledge_of_server")
        if given is None:
            return None
        if not re.fullmatch(r"\d{1,19}", given):
            raise ApiError("400", "last_knowledge_of_server is invalid")
        return int(given)

    @property
    def month(self) -> str:
        """The month in the path; `current` is a word for it."""
        given = self.part["month"]
        return self.clock.month() if given == "current" else day_of(given, "month")

    def with_knowledge(self, name: str, entities: object) -> Fields:
        """An answer that tells how far it goes.

        Args:
            name: what the entities are called.
            entities: the entities.
        """
        return {name: entities, "server_knowledge": self.budget.server_knowledge}


def day_of(text: str, name: str) -> str:
    """A day that was given.

    Args:
        text: what was given.
        name: the parameter's name.

    Raises:
        ApiError: it is no day.
    """
    try:
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ApiError("400", f"{name} is invalid")


def listing(kind: str) -> Callable[[Question], Fields]:
    """An answer with all, or all changed, entities of a kind.

    Args:
        kind: the kind, which is also what the answer calls them.
    """

    def answer(question: Question) -> Fields:
        budget, since, views = question.budget, question.since, question.budget.views
        deleted = since is not None
        if kind == "scheduled_transactions" and not budget.had_scheduled:
            raise ApiError("404.2")
        rows = budget.rows(kind, since)
        return question.with_knowledge(
            kind, (budget.shape(views, kind, key, row, deleted=deleted) for key, row in rows)
        )

    return answer


def without_delta(kind: str, *, knowledge: bool) -> Callable[[Question], Fields]:
    """An answer with all entities of a kind, or those of a month or payee.

    Args:
        kind: the kind.
        knowledge: whether the answer tells its knowledge.
    """

    def answer(question: Question) -> Fields:
        entities = question.budget.entities(kind)
        if "month" in question.part:
            entities = [each for each in entities if each["month"] == question.month]
        if "payee_id" in question.part:
            payee_id = existing(question, "payees", "payee_id")["id"]
            entities = [each for each in entities if each["payee_id"] == payee_id]
        return question.with_knowledge(kind, entities) if knowledge else {kind: entities}

    return answer


def existing(question: Question, kind: str, part: str) -> Fields:
    """The stored fields of an entity that the path names.

    Args:
        question: what is asked.
        kind: the entity's kind.
        part: the name of its id in the path.

    Raises:
        ApiError: there is no such entity, or not any more.
    """
    row = question.budget.tables[kind].get(question.part[part])
    if row is None or row.fields["deleted"]:
        raise ApiError("404.2")
    return row.fields


def single(kind: str, part: str, name: str) -> Callable[[Question], Fields]:
    """An answer with one entity.

    Args:
        kind: the entity's kind.
        part: the name of its id in the path.
        name: what the answer calls it.
    """

    def answer(question: Question) -> Fields:
        budget = question.budget
        key = existing(question, kind, part)["id"]
        row = budget.tables[kind][key]
        entity = budget.shape(budget.views, kind, key, row, deleted=False)
        if kind == "transactions":
            return question.with_knowledge(name, entity)
        return {name: entity}

    return answer


def settings(question: Question) -> Fields:
    """The plan's formats."""
    budget = question.budget
    return {
        "settings": {"date_format": budget.date_format, "currency_format": budget.currency_format}
    }


def whole_budget(question: Question) -> Fields:
    """The plan export."""
    return question.with_knowledge("plan", export.document(question.budget, question.since))


def categories(question: Question) -> Fields:
    """Categories by group; in a delta only what changed, and the groups it is in."""
    budget, views = question.budget, question.budget.views
    inside: dict[str, list[Fields]] = {}
    for _, row in budget.rows("categories", question.since):
        group_id = row.fields["category_group_id"]
        inside.setdefault(group_id, []).append(views.category(row.fields, budget.month))
    changed = {key for key, _ in budget.rows("category_groups", question.since)}
    groups = [
        {**row.fields, "categories": inside.get(str(key), [])}
        for key, row in budget.tables["category_groups"].items()
        if key in changed or key in inside
    ]
    return question.with_knowledge("category_groups", groups)


def month_category(question: Question) -> Fields:
    """A category in a month."""
    fields = existing(question, "categories", "category_id")
    if question.month not in question.budget.tables["months"]:
        raise ApiError("404.2")
    return {"category": question.budget.views.category(fields, question.month)}


def month(question: Question) -> Fields:
    """A month with all its categories."""
    budget, views = question.budget, question.budget.views
    row = budget.tables["months"].get(question.month)
    if row is None or row.fields["deleted"]:
        raise ApiError("404.2")
    within = [views.category(each.fields, question.month) for _, each in budget.rows("categories")]
    return {"month": {**views.month(row.fields), "categories": within}}


def transactions(question: Question) -> Fields:
    """Transactions, of the plan, an account or a month."""
    views = question.budget.views
    deleted = question.since is not None
    chosen = (views.transaction(each, tombstones=deleted) for each in wanted(question))
    return question.with_knowledge("transactions", chosen)


def hybrids(column: str, kind: str) -> Callable[[Question], Fields]:
    """Transactions and subtransactions of a category or payee.

    Args:
        column: `category_id` or `payee_id`.
        kind: the table that it refers to.
    """

    def answer(question: Question) -> Fields:
        views, key = question.budget.views, existing(question, kind, column)["id"]
        chosen = [view for each in wanted(question) for view in views.hybrids(each, column, key)]
        return question.with_knowledge("transactions", chosen)

    return answer


def wanted(question: Question) -> Iterator[Fields]:
    """The transactions that path and query parameters ask for.

    Without `since_date` only a year is answered, **in deltas too**: an older transaction that
    changed is left out although the answer's knowledge is past it. So does YNAB.

    Args:
        question: what is asked.

    Raises:
        ApiError: a parameter is wrong, or the account does not exist.
    """
    query = question.query
    first = year_before(question.clock.today())
    if "month" in question.part:
        first = "0001-01-01"
    if "since_date" in query:
        first = day_of(query["since_date"], "since_date")
    last = day_of(query["until_date"], "until_date") if "until_date" in query else "9999-12-31"
    only = query.get("type")
    if only not in {None, "uncategorized", "unapproved"}:
        raise ApiError("400", "type is invalid")
    account = None
    if "account_id" in question.part:
        account = existing(question, "accounts", "account_id")["id"]
    within = question.month if "month" in question.part else None
    return _filter(question, (first, last), (only, account, within))


def _filter(
    question: Question, days: tuple[str, str], also: tuple[str | None, str | None, str | None]
) -> Iterator[Fields]:
    only, account, within = also
    uncategorized = question.budget.special.uncategorized
    for _, row in question.budget.rows("transactions", question.since):
        fields = row.fields
        if not days[0] <= fields["date"] <= days[1]:
            continue
        if account is not None and fields["account_id"] != account:
            continue
        if within is not None and month_of(fields["date"]) != within:
            continue
        if only == "unapproved" and fields["approved"]:
            continue
        if only == "uncategorized" and all(
            line["category_id"] != uncategorized for line in lines_of(fields)
        ):
            continue
        yield fields
