"""YNAB's own Python client, generated from its OpenAPI file, reads every response."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import ynab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ynab_sandbox import Sandbox


NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def client(url: str, sandbox: Sandbox) -> Iterator[ynab.ApiClient]:
    configuration = ynab.Configuration(host=url, access_token=sandbox.token)
    with ynab.ApiClient(configuration) as made:
        yield made
        # The client leaves its connections to the garbage collector.
        made.rest_client.pool_manager.clear()


@pytest.mark.parametrize("number", [0, 1])
def test_every_list_is_read(client: ynab.ApiClient, sandbox: Sandbox, number: int) -> None:
    budget = sandbox.budgets[number]
    since = date(1970, 1, 1)

    def count(kind: str) -> int:
        return len(budget.entities(kind))

    accounts = ynab.AccountsApi(client).get_accounts(budget.id).data.accounts
    groups = ynab.CategoriesApi(client).get_categories(budget.id).data.category_groups
    payees = ynab.PayeesApi(client).get_payees(budget.id).data.payees
    locations = ynab.PayeeLocationsApi(client).get_payee_locations(budget.id).data.payee_locations
    months = ynab.MonthsApi(client).get_plan_months(budget.id).data.months
    movements = ynab.MoneyMovementsApi(client)
    scheduled = ynab.ScheduledTransactionsApi(client).get_scheduled_transactions(budget.id)
    transactions = ynab.TransactionsApi(client).get_transactions(budget.id, since_date=since)

    assert len(accounts) == count("accounts")
    assert len(groups) == count("category_groups")
    assert sum(len(group.categories) for group in groups) == count("categories")
    assert len(payees) == count("payees")
    assert len(locations) == count("payee_locations")
    assert len(months) == count("months")
    assert len(transactions.data.transactions) == count("transactions")
    assert len(scheduled.data.scheduled_transactions) == count("scheduled_transactions")
    moved = movements.get_money_movements(budget.id).data.money_movements
    moved_groups = movements.get_money_movement_groups(budget.id).data.money_movement_groups
    assert len(moved) == count("money_movements")
    assert len(moved_groups) == count("money_movement_groups")


@pytest.mark.parametrize("number", [0, 1])
def test_every_single_entity_is_read(client: ynab.ApiClient, sandbox: Sandbox, number: int) -> None:
    budget = sandbox.budgets[number]
    some = {
        kind: budget.entities(kind)[0]["id"]
        for kind in ("accounts", "categories", "payees", "payee_locations")
    }
    category, payee = some["categories"], some["payees"]
    categories = ynab.CategoriesApi(client)
    locations = ynab.PayeeLocationsApi(client)

    assert ynab.AccountsApi(client).get_account_by_id(budget.id, some["accounts"])
    assert categories.get_category_by_id(budget.id, category)
    assert categories.get_month_category_by_id(budget.id, NOVEMBER, category)
    assert ynab.PayeesApi(client).get_payee_by_id(budget.id, payee)
    assert locations.get_payee_location_by_id(budget.id, some["payee_locations"])
    assert locations.get_payee_locations_by_payee(budget.id, payee)
    scheduled = ynab.ScheduledTransactionsApi(client)
    for entity in budget.entities("scheduled_transactions"):
        assert scheduled.get_scheduled_transaction_by_id(budget.id, entity["id"])
    movements = ynab.MoneyMovementsApi(client)
    assert movements.get_money_movements_by_month(budget.id, NOVEMBER).data.money_movements
    assert movements.get_money_movement_groups_by_month(budget.id, NOVEMBER).data
    month = ynab.MonthsApi(client).get_plan_month(budget.id, NOVEMBER).data.month
    assert len(month.categories) == len(budget.entities("categories"))


def test_transactions_of_account_category_payee_and_month(
    client: ynab.ApiClient, sandbox: Sandbox
) -> None:
    budget, since = sandbox.budgets[0], date(1970, 1, 1)
    transactions = ynab.TransactionsApi(client)
    split = next(each for each in budget.entities("transactions") if each["subtransactions"])
    line = split["subtransactions"][0]

    of_account = transactions.get_transactions_by_account(
        budget.id, split["account_id"], since_date=since
    )
    of_category = transactions.get_transactions_by_category(
        budget.id, line["category_id"], since_date=since
    )
    of_payee = transactions.get_transactions_by_payee(
        budget.id, split["payee_id"], since_date=since
    )
    of_month = transactions.get_transactions_by_month(budget.id, split["date"][:8] + "01")

    assert transactions.get_transaction_by_id(budget.id, split["id"]).data.transaction
    assert split["id"] in {each.id for each in of_account.data.transactions}
    assert split["id"] in {each.id for each in of_payee.data.transactions}
    assert split["id"] in {each.id for each in of_month.data.transactions}
    mine = next(each for each in of_category.data.transactions if each.id == line["id"])
    assert (mine.type, mine.parent_transaction_id) == ("subtransaction", split["id"])
    assert mine.amount == line["amount"]


@pytest.mark.parametrize("number", [0, 1])
def test_budgets_settings_user_and_export(
    client: ynab.ApiClient, sandbox: Sandbox, number: int
) -> None:
    budget = sandbox.budgets[number]
    budgets = ynab.PlansApi(client)

    listed = budgets.get_plans(include_accounts=True).data.plans[number]
    export: Any = budgets.get_plan_by_id(budget.id).data.plan

    assert str(ynab.UserApi(client).get_user().data.user.id) == sandbox.user_id
    assert str(listed.id) == budget.id
    assert len(listed.accounts or []) == len(export.accounts)
    assert budgets.get_plan_settings_by_id(budget.id).data.settings.currency_format
    assert len(export.transactions) == len(budget.entities("transactions"))
    assert sum(len(month.categories) for month in export.months) == len(
        budget.entities("month_categories")
    )


def test_deltas_are_read(client: ynab.ApiClient, sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    before = budget.server_knowledge
    gone = budget.entities("transactions")[0]["id"]
    budget.delete("transactions", gone)

    delta = ynab.PlansApi(client).get_plan_by_id(budget.id, last_knowledge_of_server=before).data

    assert [each.id for each in delta.plan.transactions or [] if each.deleted] == [gone]
    assert delta.server_knowledge == budget.server_knowledge
