"""After whatever happened in YNAB, the live rows in PostgreSQL are the account's live entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.rows import BUDGET_STREAMS, STREAMS, assert_equal
from tests.support.ways import both_ways

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Pipeline

pytestmark = both_ways


def oldest(sandbox: Sandbox) -> dict[str, object]:
    """A plain transaction from the household's first days, older than five years."""
    return next(
        row
        for row in sandbox.budgets[0].entities("transactions")
        if not row["subtransactions"] and not row["transfer_transaction_id"]
    )


def test_first_load_then_nothing_new(pipeline: Pipeline, sandbox: Sandbox) -> None:
    first = pipeline.sync()
    assert first.code == 0, first.log
    assert first.activated() == set(STREAMS)
    assert_equal(pipeline.database, sandbox)

    again = pipeline.sync()
    assert again.code == 0, again.log
    assert not again.records("transactions")
    assert_equal(pipeline.database, sandbox)


def test_a_first_load_reaches_back_to_the_first_transaction(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    pipeline.sync()
    rows = pipeline.database.query("select min(date)::text as first from ynab.transactions")
    assert rows == [{"first": oldest(sandbox)["date"]}]
    assert str(rows[0]["first"]) < "2021-11-21"


def test_an_edit_of_an_old_transaction_arrives_by_delta(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    pipeline.sync()
    old = str(oldest(sandbox)["id"])
    sandbox.budgets[0].edit("transactions", old, memo="found the receipt", amount=-123_450)
    delta = pipeline.sync()
    assert [(row["id"], row["memo"]) for row in delta.records("transactions")] == [
        (old, "found the receipt")
    ]
    assert_equal(pipeline.database, sandbox)


def test_edits_of_old_and_new_entities(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.sync()
    budget = sandbox.budgets[0]
    changes: dict[str, dict[str, object]] = {
        "accounts": {"note": "closed soon"},
        "category_groups": {"hidden": True},
        "categories": {"note": "for the bicycle"},
        "payee_locations": {"latitude": "48.2"},
        "transactions": {"memo": "later"},
        "scheduled_transactions": {"amount": -5_000},
        "months": {"note": "a good month"},
        "month_categories": {"budgeted": 77_000},
        "money_movements": {"note": "moved"},
        "money_movement_groups": {"note": "moved, too"},
    }
    for stream, change in changes.items():
        rows = budget.entities(stream)
        for row in (rows[0], rows[-1]):
            key = row["month"] if stream == "months" else row["id"]
            budget.edit(
                stream, (row["month"], key) if stream == "month_categories" else key, **change
            )
    added = budget.add("transactions", amount=-9_990, memo="new")
    result = pipeline.sync()
    assert result.code == 0, result.log
    assert added in {row["id"] for row in result.records("transactions")}
    assert_equal(pipeline.database, sandbox, old_names=True)


def test_names_that_were_joined_before_a_renaming_stay_until_a_full_refresh(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    pipeline.sync()
    budget = sandbox.budgets[0]
    payee = next(row["payee_id"] for row in budget.entities("transactions") if row["payee_id"])
    budget.edit("payees", payee, name="Renamed")
    pipeline.sync()
    assert pipeline.database.alive("payees")[payee]["name"] == "Renamed"
    assert_equal(pipeline.database, sandbox, old_names=True)
    pipeline.sync(full=True)
    assert_equal(pipeline.database, sandbox)


def test_deletions_of_each_kind(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.sync()
    budget = sandbox.budgets[0]
    gone = {}
    # YNAB has no way to delete a month. An account and a group take others along, so they go last.
    for stream in sorted(set(BUDGET_STREAMS) - {"months", "month_categories"}, reverse=True):
        gone[stream] = budget.entities(stream)[-1]["id"]
        budget.delete(stream, gone[stream])
    result = pipeline.sync()
    assert result.code == 0, result.log
    for stream, identity in gone.items():
        assert identity not in pipeline.database.alive(stream)
        assert pipeline.database.query(f"select id from ynab.{stream} where id = %s", identity)  # noqa: S608
    assert_equal(pipeline.database, sandbox, old_names=True)


def test_one_side_of_a_transfer_and_a_split_are_deleted_with_all_they_have(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    pipeline.sync()
    budget = sandbox.budgets[0]
    transfer = next(r for r in budget.entities("transactions") if r["transfer_transaction_id"])
    split = next(r for r in budget.entities("transactions") if r["subtransactions"])
    budget.delete("transactions", transfer["id"])
    budget.delete("transactions", split["id"])
    pipeline.sync()
    alive = pipeline.database.alive("transactions")
    assert not {transfer["id"], transfer["transfer_transaction_id"], split["id"]} & alive.keys()
    [row] = pipeline.database.query(
        "select subtransactions from ynab.transactions where id = %s", split["id"]
    )
    assert row["subtransactions"]
    assert all(part["deleted"] for part in row["subtransactions"])
    assert_equal(pipeline.database, sandbox, old_names=True)


def test_a_new_budget_and_a_full_refresh_after_deletions(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    pipeline.sync()
    budget = sandbox.budgets[0]
    sandbox.add_budget("Club", currency_format=None, date_format=None)
    delta = pipeline.sync()
    assert "transactions" not in delta.activated()
    assert_equal(pipeline.database, sandbox)

    for stream in ("transactions", "payees", "payee_locations", "scheduled_transactions"):
        budget.forget(stream, budget.entities(stream)[-1]["id"])
    sandbox.remove_budget(sandbox.budgets[1].id)
    full = pipeline.sync(full=True)
    assert full.activated() == set(STREAMS)
    assert_equal(pipeline.database, sandbox)


def test_a_months_turn_changes_amounts_that_nobody_edited(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    pipeline.sync()
    budget = sandbox.budgets[0]
    gone = budget.entities("categories")[-1]["id"]
    budget.delete("categories", gone)
    before = {row["id"]: row["activity"] for row in budget.entities("categories")}
    sandbox.advance_month()
    assert before != {row["id"]: row["activity"] for row in budget.entities("categories")}

    turned = pipeline.sync()
    assert turned.code == 0, turned.log
    assert gone not in pipeline.database.alive("categories")
    assert_equal(pipeline.database, sandbox, old_names=True)

    # In the same month no second time.
    sandbox.clear_requests()
    assert not pipeline.sync().records("categories")
    assert not [
        request
        for request in sandbox.requests
        if request.path.endswith("/categories") and "last_knowledge_of_server" not in request.query
    ]
