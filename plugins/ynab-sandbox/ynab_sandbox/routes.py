"""Paths of API 1.86 and their responses; `budgets` is the old word for `plans`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ynab_sandbox.errors import ApiError
from ynab_sandbox.export import summary
from ynab_sandbox.responses import (
    Query,
    categories,
    delta_list,
    export,
    full_list,
    hybrid_transactions,
    month,
    month_category,
    settings,
    single,
    transactions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ynab_sandbox.budget import Budget
    from ynab_sandbox.clock import Clock
    from ynab_sandbox.tables import Fields

#: Responses by path below a budget.
RESPONSES = {
    "": export,
    "/settings": settings,
    "/accounts": delta_list("accounts"),
    "/accounts/{account_id}": single("accounts", "account_id", "account"),
    "/accounts/{account_id}/transactions": transactions,
    "/categories": categories,
    "/categories/{category_id}": single("categories", "category_id", "category"),
    "/categories/{category_id}/transactions": hybrid_transactions("categories", "category_id"),
    "/months": delta_list("months"),
    "/months/{month}": month,
    "/months/{month}/categories/{category_id}": month_category,
    "/months/{month}/transactions": transactions,
    "/months/{month}/money_movements": full_list("money_movements"),
    "/months/{month}/money_movement_groups": full_list("money_movement_groups"),
    "/money_movements": full_list("money_movements"),
    "/money_movement_groups": full_list("money_movement_groups"),
    "/payees": delta_list("payees"),
    "/payees/{payee_id}": single("payees", "payee_id", "payee"),
    "/payees/{payee_id}/payee_locations": full_list("payee_locations", knowledge=False),
    "/payees/{payee_id}/transactions": hybrid_transactions("payees", "payee_id"),
    "/payee_locations": full_list("payee_locations", knowledge=False),
    "/payee_locations/{location_id}": single("payee_locations", "location_id", "payee_location"),
    "/transactions": transactions,
    "/transactions/{transaction_id}": single("transactions", "transaction_id", "transaction"),
    "/scheduled_transactions": delta_list("scheduled_transactions"),
    "/scheduled_transactions/{scheduled_id}": single(
        "scheduled_transactions", "scheduled_id", "scheduled_transaction"
    ),
}
ROUTES = [
    (re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template)), respond)
    for template, respond in RESPONSES.items()
]


def respond(
    budgets: Sequence[Budget], clock: Clock, path: str, parameters: Mapping[str, str]
) -> Fields:
    """Return the data of the response to a GET.

    Args:
        budgets: the account's budgets.
        clock: the sandbox's clock.
        path: the path below `/v1`.
        parameters: the query parameters.

    Raises:
        ApiError: the path or something in it does not exist, or a parameter is wrong.
    """
    found = re.fullmatch(r"/(plan|budget)s(?:/([^/]+)(/.*)?)?", path)
    if found is None:
        raise ApiError("404.1")
    word, budget_id, rest = found.groups()
    if budget_id is None:
        return {f"{word}s": _summaries(budgets, parameters)}
    for pattern, response in ROUTES:
        if match := pattern.fullmatch(rest or ""):
            query = Query(find(budgets, budget_id), clock, parameters, match.groupdict())
            data = response(query)
            # The old paths have the old key.
            return {word if key == "plan" else key: value for key, value in data.items()}
    raise ApiError("404.1")


def find(budgets: Sequence[Budget], budget_id: str) -> Budget:
    """Return a budget by its id, or the one changed last for `last-used`.

    Raises:
        ApiError: there is no such budget.
    """
    if budget_id == "last-used" and budgets:
        return max(budgets, key=lambda budget: budget.last_modified_on)
    for budget in budgets:
        if budget.id == budget_id.lower():
            return budget
    raise ApiError("404.2")


def _summaries(budgets: Sequence[Budget], parameters: Mapping[str, str]) -> list[Fields]:
    # There is no `default_plan`: a personal token has none, and its schema allows no null.
    summaries = [summary(budget) for budget in budgets]
    if parameters.get("include_accounts", "").lower() == "true":
        for budget, shown in zip(budgets, summaries, strict=True):
            shown["accounts"] = budget.entities("accounts")
    return summaries
