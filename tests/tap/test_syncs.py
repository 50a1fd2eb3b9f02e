"""The stream `syncs`: what remains of each run, whatever became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tests.support.catalogs import Catalog
from tests.support.rows import BUDGET_STREAMS, DELTA_STREAMS
from tests.support.runs import good

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Finished, Row, Tap


def syncs(finished: Finished) -> dict[str | None, Row]:
    """The run's rows by budget, which are the last of its messages but the state."""
    kinds = [(m["type"], m.get("stream")) for m in finished.messages]
    written = [kind for kind in kinds if kind == ("RECORD", "syncs")]
    end = [kind for kind in kinds if kind[0] != "STATE"][-len(written) :]
    assert end == written
    assert not [kind for kind in kinds if kind == ("ACTIVATE_VERSION", "syncs")]
    if None not in {row["budget_id"] for row in finished.records("syncs")}:
        # Loaders take a state for the rows before it.
        assert kinds[-1] == ("STATE", None)
    rows = {row["budget_id"]: row for row in finished.records("syncs")}
    for budget_id, row in rows.items():
        assert row["id"] == f"{row['started_at']}|{budget_id or ''}"
        began, ended = (
            datetime.fromisoformat(row[f"{which}_at"]) for which in ("started", "finished")
        )
        assert began <= ended
        assert row["rows"] == sum(stream["rows"] for stream in row["streams"].values())
    return rows


def test_a_first_run_an_idle_one_and_one_with_a_change(
    tap: Tap, sandbox: Sandbox, budget: Budget, other: Budget
) -> None:
    first = good(tap.run())
    rows = syncs(first)
    assert rows.keys() == {budget.id, other.id}
    for each in (budget, other):
        row = rows[each.id]
        assert (row["budget_name"], row["mode"], row["status"]) == (each.name, "full", "succeeded")
        assert row["error"] is None
        assert row["streams"].keys() == set(BUDGET_STREAMS)
        for stream, done in row["streams"].items():
            assert done["rows"] == len(
                [r for r in first.records(stream) if r["budget_id"] == each.id]
            )
            to = 1000 if stream in DELTA_STREAMS else None
            assert (done["from"], done["to"]) == (None, to)
    assert sum(row["requests"] for row in rows.values()) == len(sandbox.requests) - 1

    idle = syncs(good(tap.run(state=first.state)))
    assert {(row["mode"], row["rows"], row["requests"]) for row in idle.values()} == {
        ("delta", 0, 1)
    }
    budget.edit("payees", budget.entities("payees")[0]["id"], name="Edited")
    changed = syncs(good(tap.run(state=first.state)))
    assert changed[budget.id]["streams"]["payees"] == {"rows": 1, "from": 1000, "to": 1001}
    assert changed[other.id]["rows"] == 0


def test_a_list_that_fails(tap: Tap, sandbox: Sandbox, budget: Budget, other: Budget) -> None:
    sandbox.fail("404", path=f"{budget.id}/money_movements$")
    finished = tap.run()
    assert finished.code == 1
    rows = syncs(finished)
    assert rows[budget.id]["status"] == "failed"
    assert rows[budget.id]["error"].startswith("could not read money_movements (404 ")
    assert "payees" in rows[budget.id]["streams"]
    assert (rows[other.id]["status"], rows[other.id]["error"]) == ("succeeded", None)


def test_a_token_that_is_refused(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.set_token(sandbox.token, "401")
    finished = tap.run()
    assert finished.code == 1
    [row] = syncs(finished).values()
    assert (row["budget_id"], row["status"]) == (None, "failed")
    assert "does not accept the token" in row["error"]
    assert sandbox.token not in finished.stdout


def test_the_hourly_limit(tap: Tap, budget: Budget, other: Budget) -> None:
    finished = tap.run(requests_per_hour=6, wait_for_limit=False)
    assert finished.code == 1
    rows = syncs(finished)
    statuses = {row["status"] for row in rows.values()}
    assert "incomplete" in statuses
    assert "failed" not in statuses
    again = syncs(good(tap.run(state=finished.state)))
    assert {row["status"] for row in again.values()} == {"succeeded"}
    assert rows.keys() == again.keys() == {budget.id, other.id}


def test_runs_before_stay_whatever_is_read_in_full(tap: Tap, first: Finished) -> None:
    catalog = Catalog(tap).in_full(*BUDGET_STREAMS, "budgets", "syncs")
    full = good(tap.run(*catalog.arguments(), state=first.state))
    assert "budgets" in full.activated()
    assert {row["mode"] for row in syncs(full).values()} == {"full"}


def test_a_run_that_does_not_want_them(tap: Tap) -> None:
    finished = good(tap.run(*Catalog(tap).only("payees").arguments()))
    assert not finished.records("syncs")
