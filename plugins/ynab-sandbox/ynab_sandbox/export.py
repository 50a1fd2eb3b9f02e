"""The plan export: a whole budget in one document, flat, without names and formatted amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields


def summary(budget: Budget) -> Fields:
    """Return a budget as the list of budgets shows it."""
    months = [str(key) for key, _ in budget.rows("months")]
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
    """Return the export of a budget."""
    views = budget.views
    plain = ("payees", "payee_locations", "category_groups")
    return {
        **summary(budget),
        **{kind: [row.fields for _, row in budget.rows(kind, since)] for kind in plain},
        "accounts": [
            views.account(row.fields, formatted=False) for _, row in budget.rows("accounts", since)
        ],
        "categories": [
            views.category(row.fields, budget.month, formatted=False)
            for _, row in budget.rows("categories", since)
        ],
        "months": _months(budget, since),
        "transactions": _transactions(budget, "transactions", since),
        "subtransactions": _subtransactions(budget, "transactions", since),
        "scheduled_transactions": _transactions(budget, "scheduled_transactions", since),
        "scheduled_subtransactions": _subtransactions(budget, "scheduled_transactions", since),
    }


def _months(budget: Budget, since: int | None) -> list[Fields]:
    """Return the months with their categories; in a delta, both lists have what changed."""
    views = budget.views
    inside: dict[str, list[Fields]] = {}
    for key, _ in budget.rows("month_categories", since):
        category = budget.tables["categories"][key[1]].fields
        if since is not None or not category["deleted"]:
            view = views.category(category, key[0], formatted=False)
            inside.setdefault(key[0], []).append(view)
    changed = {key for key, _ in budget.rows("months", since)}
    return [
        {**views.month(row.fields, formatted=False), "categories": inside.get(str(key), [])}
        for key, row in sorted(budget.tables["months"].items(), key=lambda item: str(item[0]))
        if key in changed or key in inside
    ]


def _transactions(budget: Budget, kind: str, since: int | None) -> Iterator[Fields]:
    for _, row in budget.rows(kind, since):
        fields = dict(row.fields)
        del fields["subtransactions"]
        yield fields


def _subtransactions(budget: Budget, kind: str, since: int | None) -> Iterator[Fields]:
    views = budget.views
    for _, row in budget.rows(kind, since):
        for line in row.fields["subtransactions"]:
            if since is not None or not line["deleted"]:
                yield {**line, **views.names(line)}
