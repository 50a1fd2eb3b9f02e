"""The plan export: a whole budget in one document, flat, without names and formatted amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields

LISTS = ("payees", "payee_locations", "category_groups", "accounts", "categories")


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
    lists: Fields = {kind: _entities(budget, kind, since) for kind in LISTS}
    lists["months"] = _months(budget, since)
    for of in ("", "scheduled_"):
        lists[f"{of}transactions"] = _transactions(budget, f"{of}transactions", since)
        lists[f"{of}subtransactions"] = _subtransactions(budget, f"{of}transactions", since)
    return {**summary(budget), **lists}


def _entities(budget: Budget, kind: str, since: int | None) -> Iterator[Fields]:
    views, month = budget.views, budget.month
    for _, row in budget.rows(kind, since):
        yield views.entity(kind, row.fields, month, formatted=False)


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
        {
            **views.entity("months", row.fields, budget.month, formatted=False),
            "categories": inside.get(str(key), []),
        }
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
