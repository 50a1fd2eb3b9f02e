"""What one budget lacks costs the other nothing, and is not taken for empty."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.bookmarks import bookmarks
from tests.support.rows import DELTA_STREAMS
from tests.support.runs import failed, good, ids, of_budget

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Finished, Tap


@pytest.mark.parametrize("use_export", [False])
@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("path", ["/payees", "/payee_locations"])
def test_a_budget_that_fails_ends_nothing_and_leaves_the_other_its_rows(
    tap: Tap, sandbox: Sandbox, path: str, failing: int
) -> None:
    stream = path.removeprefix("/")
    broken, whole = sandbox.budgets[failing], sandbox.budgets[1 - failing]
    sandbox.fail("404", path=f"{broken.id}{path}$")
    finished = tap.run()
    assert finished.code == 1
    assert broken.name in finished.log.splitlines()[-1]
    assert "Traceback" not in finished.log
    assert stream not in finished.activated()
    assert of_budget(finished, stream, whole) == ids(whole, stream)
    assert not of_budget(finished, stream, broken)
    assert of_budget(finished, "transactions", broken) == ids(broken, "transactions")
    found = bookmarks(finished.state)
    if stream in DELTA_STREAMS:
        assert found[stream, whole.id]["replication_key_value"] == 1000
        assert "replication_key_value" not in found.get((stream, broken.id), {})
    assert found["transactions", broken.id]["replication_key_value"] == 1000

    # The next run reads what was missed, and nothing else again.
    again = good(tap.run(state=finished.state))
    assert of_budget(again, stream, broken) == ids(broken, stream)
    assert not again.records("transactions")


@pytest.mark.parametrize("use_export", [False])
def test_a_refusal_of_one_list_ends_the_run_with_what_was_read_before(
    tap: Tap, sandbox: Sandbox, budget: Budget, other: Budget
) -> None:
    sandbox.fail("403", path=f"{other.id}/payees$")
    finished = tap.run()
    failed(finished)
    assert "payees" not in finished.activated()
    assert of_budget(finished, "payees", budget) == ids(budget, "payees")
    found = bookmarks(finished.state)
    assert found["payees", budget.id]["replication_key_value"] == 1000
    assert "replication_key_value" not in found.get(("payees", other.id), {})

    again = good(tap.run(state=finished.state))
    assert of_budget(again, "payees", other) == ids(other, "payees")
    assert not of_budget(again, "payees", budget)


def test_money_moved_comes_again_after_a_budget_failed(
    tap: Tap, first: Finished, sandbox: Sandbox, budget: Budget, other: Budget
) -> None:
    moved = budget.add("money_movements", amount=1)
    other.add("money_movements", amount=1)
    sandbox.fail("404", path=f"{other.id}/money_movements$", times=2)
    failed = tap.run(state=first.state)
    assert failed.code == 1
    assert moved in of_budget(failed, "money_movements", budget)
    assert "money_movements" not in failed.activated()
    sandbox.clear_faults()
    budget.forget("money_movements", moved)
    again = good(tap.run(state=failed.state))
    assert "money_movements" in again.activated()
    assert of_budget(again, "money_movements", budget) == ids(budget, "money_movements")


@pytest.mark.parametrize("use_export", [False])
def test_a_budget_that_is_gone_during_the_run_is_no_empty_one(
    tap: Tap, sandbox: Sandbox, other: Budget
) -> None:
    gone = json.dumps({"error": {"id": "404.2", "name": "x", "detail": "Resource not found"}})
    for path in (f"{other.id}/scheduled_transactions", f"{other.id}/settings"):
        sandbox.fail("status", status=404, body=gone, path=path)
    finished = tap.run()
    assert finished.code == 1
    assert other.name in finished.log.splitlines()[-1]
    assert "scheduled_transactions" not in finished.activated()


@pytest.mark.parametrize("use_export", [True, False])
def test_a_budget_that_never_had_scheduled_transactions(
    tap: Tap, budget: Budget, other: Budget
) -> None:
    for row in budget.entities("scheduled_transactions"):
        budget.forget("scheduled_transactions", row["id"])
    budget.had_scheduled = False
    without = good(tap.run())
    assert not of_budget(without, "scheduled_transactions", budget)
    assert of_budget(without, "scheduled_transactions", other) == ids(
        other, "scheduled_transactions"
    )

    budget.had_scheduled = True
    added = budget.add("scheduled_transactions")
    later = good(tap.run(state=without.state))
    assert of_budget(later, "scheduled_transactions", budget) == {added}
    assert not of_budget(later, "scheduled_transactions", other)
