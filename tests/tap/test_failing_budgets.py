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
    from ynab_sandbox.plan import Plan

    from tests.support.pipeline import Finished, Tap


@pytest.mark.parametrize("use_export", [False])
@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("path", ["/payees", "/payee_locations"])
def test_a_budget_that_fails_ends_nothing_and_leaves_the_other_its_rows(
    tap: Tap, sandbox: Sandbox, path: str, failing: int
) -> None:
    stream = path.removeprefix("/")
    broken, whole = sandbox.plans[failing], sandbox.plans[1 - failing]
    sandbox.fail("404", path=f"{broken.id}{path}$")
    finished = tap.run()
    assert finished.code == 1
    assert broken.id in finished.log.splitlines()[-1]
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
    tap: Tap, sandbox: Sandbox, plan: Plan, other: Plan
) -> None:
    sandbox.fail("403", path=f"{other.id}/payees$")
    finished = tap.run()
    failed(finished)
    assert "payees" not in finished.activated()
    assert of_budget(finished, "payees", plan) == ids(plan, "payees")
    found = bookmarks(finished.state)
    assert found["payees", plan.id]["replication_key_value"] == 1000
    assert "replication_key_value" not in found.get(("payees", other.id), {})

    again = good(tap.run(state=finished.state))
    assert of_budget(again, "payees", other) == ids(other, "payees")
    assert not of_budget(again, "payees", plan)


def test_money_moved_comes_again_after_a_budget_failed(
    tap: Tap, first: Finished, sandbox: Sandbox, plan: Plan, other: Plan
) -> None:
    moved = plan.add("money_movements", amount=1)
    sandbox.fail("404", path=f"{other.id}/money_movements$")
    failed = tap.run(state=first.state)
    assert failed.code == 1
    assert moved in of_budget(failed, "money_movements", plan)
    assert "money_movements" not in failed.activated()
    plan.forget("money_movements", moved)
    again = good(tap.run(state=failed.state))
    assert "money_movements" in again.activated()
    assert of_budget(again, "money_movements", plan) == ids(plan, "money_movements")


@pytest.mark.parametrize("use_export", [False])
def test_a_budget_that_is_gone_during_the_run_is_no_empty_one(
    tap: Tap, sandbox: Sandbox, other: Plan
) -> None:
    gone = json.dumps({"error": {"id": "404.2", "name": "x", "detail": "Resource not found"}})
    for path in (f"{other.id}/scheduled_transactions", f"{other.id}/settings"):
        sandbox.fail("status", status=404, body=gone, path=path)
    finished = tap.run()
    assert finished.code == 1
    assert other.id in finished.log.splitlines()[-1]
    assert "scheduled_transactions" not in finished.activated()


@pytest.mark.parametrize("use_export", [True, False])
def test_a_budget_that_never_had_scheduled_transactions(tap: Tap, plan: Plan, other: Plan) -> None:
    for row in plan.entities("scheduled_transactions"):
        plan.forget("scheduled_transactions", row["id"])
    plan.had_scheduled = False
    without = good(tap.run())
    assert not of_budget(without, "scheduled_transactions", plan)
    assert of_budget(without, "scheduled_transactions", other) == ids(
        other, "scheduled_transactions"
    )

    plan.had_scheduled = True
    added = plan.add("scheduled_transactions")
    later = good(tap.run(state=without.state))
    assert of_budget(later, "scheduled_transactions", plan) == {added}
    assert not of_budget(later, "scheduled_transactions", other)
