"""The plan export: all of a plan in one document, flat, without joined names and twins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox.plan import Plan
    from ynab_sandbox.tables import Fields


def summary(plan: Plan) -> Fields:
    """A plan as the list of plans shows it.

    Args:
        plan: the plan.
    """
    months = sorted(str(key) for key, _ in plan.rows("months"))
    return {
        "id": plan.id,
        "name": plan.name,
        "last_modified_on": plan.last_modified_on,
        "first_month": months[0],
        "last_month": months[-1],
        "date_format": plan.date_format,
        "currency_format": plan.currency_format,
    }


def document(plan: Plan, since: int | None) -> Fields:
    """The export of a plan, or of what changed in it.

    Args:
        plan: the plan.
        since: a knowledge; None for everything.
    """
    views = plan.views
    plain = ("payees", "payee_locations", "category_groups")
    return {
        **summary(plan),
        **{kind: [row.fields for _, row in plan.rows(kind, since)] for kind in plain},
        "accounts": [
            views.account(row.fields, twins=False) for _, row in plan.rows("accounts", since)
        ],
        "categories": [
            views.category(row.fields, plan.month, twins=False)
            for _, row in plan.rows("categories", since)
        ],
        "months": _months(plan, since),
        "transactions": _heads(plan, "transactions", since),
        "subtransactions": _lines(plan, "transactions", since),
        "scheduled_transactions": _heads(plan, "scheduled_transactions", since),
        "scheduled_subtransactions": _lines(plan, "scheduled_transactions", since),
    }


def _months(plan: Plan, since: int | None) -> list[Fields]:
    """Months with their categories; in a delta only those that changed, in both lists."""
    views = plan.views
    inside: dict[str, list[Fields]] = {}
    for key, _ in plan.rows("month_categories", since):
        category = plan.tables["categories"][key[1]].fields
        if since is not None or not category["deleted"]:
            inside.setdefault(key[0], []).append(views.category(category, key[0], twins=False))
    changed = {key for key, _ in plan.rows("months", since)}
    return [
        {**views.month(row.fields, twins=False), "categories": inside.get(str(key), [])}
        for key, row in sorted(plan.tables["months"].items(), key=lambda item: str(item[0]))
        if key in changed or key in inside
    ]


def _heads(plan: Plan, kind: str, since: int | None) -> Iterator[Fields]:
    for _, row in plan.rows(kind, since):
        head = dict(row.fields)
        del head["subtransactions"]
        yield head


def _lines(plan: Plan, kind: str, since: int | None) -> Iterator[Fields]:
    views = plan.views
    for _, row in plan.rows(kind, since):
        for line in row.fields["subtransactions"]:
            if since is not None or not line["deleted"]:
                yield {**line, **views.names(line)}
