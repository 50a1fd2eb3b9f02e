"""The plan export: all of a plan in one document, flat, without joined names and twins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields


def summary(budget: Budget) -> Fields:
    """A plan as the list of plans shows it.

    Args:
        budget: the plan.
    """
    months = sorted(str(key) for key, _ in budget.rows("months"))
    return {
        "id": budget.id,
        "name": budget.name,
        "last_modified_on": budget.last_modified_on,
        "first_month": months[0],
        "last_month": months[-1],
        "date_format": budget.date_format,
        "currency_format": budget.currency_format,
    }


def document(budget: Budget, since: int | None) -> Fields:
    """The export of a plan, or of what changed in it.

    Args:
        budget: the plan.
        since: a knowledge; None for everything.
    """
    views = budget.views
    plain = ("payees", "payee_locations", "category_groups")
    return {
        **summary(budget),
        **{kind: [row.fields for _, row in budget.rows(kind, since)] for kind in plain},
        "accounts": [
            views.account(row.fields, twins=False) for _, row in budget.rows("accounts", since)
        ],
        "categories": [
            views.category(row.fields, budget.month, twins=False)
            for _, row in budget.rows("categories", since)
        ],
        "months": _months(budget, since),
        "transactions": _heads(budget, "transactions", since),
        "subtransactions": _lines(budget, "transactions", since),
        "scheduled_transactions": _heads(budget, "scheduled_transactions", since),
        "scheduled_subtransactions": _lines(budget, "scheduled_transactions", since),
    }


def _months(budget: Budget, since: int | None) -> list[Fields]:
    """Months with their categories; in a delta only those that changed, in both lists."""
    views = budget.views
    inside: dict[str, list[Fields]] = {}
    for key, _ in budget.rows("month_categories", since):
        category = budget.tables["categories"][key[1]].fields
        if since is not None or not category["deleted"]:
            inside.setdefault(key[0], []).append(views.category(category, key[0], twins=False))
    changed = {key for key, _ in budget.rows("months", since)}
    return [
        {**views.month(row.fields, twins=False), "categories": inside.get(str(key), [])}
        for key, row in sorted(budget.tables["months"].items(), key=lambda item: str(item[0]))
        if key in changed or key in inside
    ]


def _heads(budget: Budget, kind: str, since: int | None) -> Iterator[Fields]:
    for _, row in budget.rows(kind, since):
        head = dict(row.fields)
        del head["subtransactions"]
        yield head


def _lines(budget: Budget, kind: str, since: int | None) -> Iterator[Fields]:
    views = budget.views
    for _, row in budget.rows(kind, since):
        for line in row.fields["subtransactions"]:
            if since is not None or not line["deleted"]:
                yield {**line, **views.names(line)}
