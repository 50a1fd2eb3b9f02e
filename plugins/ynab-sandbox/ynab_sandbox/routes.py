"""Which path is answered by what: every GET of API 1.86, also under its old name `budgets`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ynab_sandbox import answers as say
from ynab_sandbox import export
from ynab_sandbox.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ynab_sandbox.sandbox import Sandbox
    from ynab_sandbox.tables import Fields

OF_BUDGET = {
    "": say.whole_budget,
    "/settings": say.settings,
    "/accounts": say.listing("accounts"),
    "/accounts/{account_id}": say.single("accounts", "account_id", "account"),
    "/accounts/{account_id}/transactions": say.transactions,
    "/categories": say.categories,
    "/categories/{category_id}": say.single("categories", "category_id", "category"),
    "/categories/{category_id}/transactions": say.hybrids("category_id", "categories"),
    "/months": say.listing("months"),
    "/months/{month}": say.month,
    "/months/{month}/categories/{category_id}": say.month_category,
    "/months/{month}/transactions": say.transactions,
    "/months/{month}/money_movements": say.without_delta("money_movements", knowledge=True),
    "/months/{month}/money_movement_groups": say.without_delta(
        "money_movement_groups", knowledge=True
    ),
    "/money_movements": say.without_delta("money_movements", knowledge=True),
    "/money_movement_groups": say.without_delta("money_movement_groups", knowledge=True),
    "/payees": say.listing("payees"),
    "/payees/{payee_id}": say.single("payees", "payee_id", "payee"),
    "/payees/{payee_id}/payee_locations": say.without_delta("payee_locations", knowledge=False),
    "/payees/{payee_id}/transactions": say.hybrids("payee_id", "payees"),
    "/payee_locations": say.without_delta("payee_locations", knowledge=False),
    "/payee_locations/{location_id}": say.single(
        "payee_locations", "location_id", "payee_location"
    ),
    "/transactions": say.transactions,
    "/transactions/{transaction_id}": say.single("transactions", "transaction_id", "transaction"),
    "/scheduled_transactions": say.listing("scheduled_transactions"),
    "/scheduled_transactions/{scheduled_id}": say.single(
        "scheduled_transactions", "scheduled_id", "scheduled_transaction"
    ),
}

ROUTES = [
    (re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template)), answer)
    for template, answer in OF_BUDGET.items()
]


def answer(sandbox: Sandbox, path: str, query: Mapping[str, str]) -> Fields:
    """The document that a path answers.

    Args:
        sandbox: whose plans are asked about.
        path: the path below `/v1`.
        query: the query parameters.

    Raises:
        ApiError: the path or what it names does not exist, or a parameter is wrong.
    """
    if path == "/user":
        return {"data": {"user": {"id": sandbox.user_id}}}
    found = re.fullmatch(r"/(plan|budget)s(?:/([^/]+)(/.*)?)?", path)
    if found is None:
        raise ApiError("404.1")
    word, budget_id, rest = found.groups()
    if budget_id is None:
        return {"data": _budgets(sandbox, word, query)}
    for pattern, say_it in ROUTES:
        if match := pattern.fullmatch(rest or ""):
            budget = sandbox.find_budget(budget_id)
            data = say_it(say.Question(budget, sandbox.clock, query, match.groupdict()))
            # The old paths answer with the old word.
            return {"data": {word if key == "plan" else key: data[key] for key in data}}
    raise ApiError("404.1")


def _budgets(sandbox: Sandbox, word: str, query: Mapping[str, str]) -> Fields:
    budgets = [export.summary(budget) for budget in sandbox.budgets]
    if query.get("include_accounts", "").lower() == "true":
        for budget, shown in zip(sandbox.budgets, budgets, strict=True):
            shown["accounts"] = budget.entities("accounts")
    # There is no `default_plan`: a personal token knows none, and its schema has no null.
    return {f"{word}s": budgets}
