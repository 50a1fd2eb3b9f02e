"""The plan export: a whole budget in one document, flat, without names and formatted amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.tables import Fields, Key
    from ynab_sandbox.views import Views

LISTS = ("payees", "payee_locations", "category_groups", "accounts", "categories")


def summary(budget: Budget) -> Fields:
    """Return a budget as the list of budgets shows it."""
    months = [key for key, _ in budget.rows("months")]
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
    views = budget.views(formatted=False)
    lists: Fields = {kind: _entities(budget, views, kind, since) for kind in LISTS}
    inside: dict[Key, list[Fields]] = {}
    for key, _ in budget.rows("month_categories", since):
        if since is not None or not budget.tables["categories"][key[1]].fields["deleted"]:
            inside.setdefault(key[0], []).append(views.category(key[1], key[0]))
    lists["months"] = with_categories(budget, views, "months", since, inside)
    for of in ("", "scheduled_"):
        lists[f"{of}transactions"] = _transactions(budget, f"{of}transactions", since)
        lists[f"{of}subtransactions"] = _subtransactions(budget, views, f"{of}transactions", since)
    return {**summary(budget), **lists}


def with_categories(
    budget: Budget, views: Views, kind: str, since: int | None, inside: dict[Key, list[Fields]]
) -> list[Fields]:
    """Return the entities that changed or have categories inside, each with these."""
    changed = {key for key, _ in budget.rows(kind, since)} | inside.keys()
    return [
        {**views.entity(kind, key), "categories": inside.get(key, [])}
        for key, _ in budget.rows(kind, since=-1)
        if key in changed
    ]


def _entities(budget: Budget, views: Views, kind: str, since: int | None) -> Iterator[Fields]:
    return (views.entity(kind, key) for key, _ in budget.rows(kind, since))


def _transactions(budget: Budget, kind: str, since: int | None) -> Iterator[Fields]:
    for _, row in budget.rows(kind, since):
        fields = dict(row.fields)
        del fields["subtransactions"]
        yield fields


def _subtransactions(
    budget: Budget, views: Views, kind: str, since: int | None
) -> Iterator[Fields]:
    for _, row in budget.rows(kind, since):
        for line in row.fields["subtransactions"]:
            if since is not None or not line["deleted"]:
                yield views.line(line)
