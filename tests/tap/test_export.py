"""The plan export: what it saves, what takes its place, and what it does not say by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from ynab_sandbox import serve
from ynab_sandbox.body import encode
from ynab_sandbox.export import document

from tests.support.catalogs import Catalog
from tests.support.model import QuickPipeline
from tests.support.pipeline import Tap
from tests.support.rows import assert_equal
from tests.support.runs import good
from tests.support.small import small_sandbox
from tests.support.worse import ShortExport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Pipeline, Row, State

EXPORT = r"/plans/[^/]{36}(\?|$)"


@pytest.fixture
def quick(sandbox: Sandbox, api_url: str) -> QuickPipeline:
    """The tap in this process, so that many runs take a moment."""
    return QuickPipeline({"access_token": sandbox.token, "api_url": api_url, "max_retry_time": 0})


def exported(budget: Budget) -> Row:
    found: Row = json.loads(b"".join(encode(document(budget, None))))
    return found


def paths(sandbox: Sandbox) -> list[str]:
    return [r.path.rsplit("/", 1)[-1] for r in sandbox.requests if r.path != "/v1/plans"]


def change_a_lot(budget: Budget) -> None:
    for kind in ("payees", "payee_locations", "transactions", "scheduled_transactions"):
        budget.delete(kind, budget.entities(kind)[-1]["id"])
        budget.add(kind)
    budget.edit("accounts", budget.entities("accounts")[0]["id"], note="changed")


# Where the export fails.


def test_the_lists_take_the_place_of_an_export_that_fails(
    quick: QuickPipeline, sandbox: Sandbox, budget: Budget
) -> None:
    """Not once, but whenever: nothing that happens between is missed, whichever way is next."""
    assert quick.sync()
    for fails in (True, False, True, True, False, False, True):
        change_a_lot(budget)
        if fails:
            sandbox.fail("503", path=EXPORT, times=4)
        assert quick.sync()
        sandbox.clear_faults()
        assert_equal(quick.database, sandbox)


def test_lists_that_were_read_once_are_read_by_delta_then(
    quick: QuickPipeline, sandbox: Sandbox
) -> None:
    quick.sync()
    for fails in (True, False):
        sandbox.fail("503", path=EXPORT, times=4)
        quick.sync()
        sandbox.clear_faults()
        if fails:
            quick.sync()
            sandbox.clear_requests()
    lists = [r for r in sandbox.requests if r.path.rsplit("/", 1)[-1] in {"accounts", "payees"}]
    assert len(lists) == 4
    assert {r.query.get("last_knowledge_of_server") for r in lists} == {"1000"}


@pytest.mark.parametrize("fault", ["404", "half-json", "garbage", "html", "reset", "cut"])
def test_other_faults_of_the_export(tap: Tap, sandbox: Sandbox, budget: Budget, fault: str) -> None:
    sandbox.fail(fault, path=budget.id + r"(\?|$)", times=2)
    finished = good(tap.run(max_retry_time=0))
    assert "Reading list by list" in finished.log
    assert len(finished.records("payees")) == sum(
        len(p.entities("payees")) for p in sandbox.budgets
    )
    assert finished.activated() >= {"payees", "transactions", "month_categories"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda export: export.pop("payee_locations"), id="a list is missing"),
        pytest.param(lambda export: export.update(accounts=None), id="a list is null"),
        pytest.param(
            lambda export: export["transactions"][0].update(subtransactions=[{"id": "a"}]),
            id="splits are nested",
        ),
        pytest.param(
            lambda export: export["transactions"][-1].update(tags=["a"], payees=[{"id": "a"}]),
            id="transactions hold payees",
        ),
    ],
)
def test_an_export_of_another_shape_is_not_read(
    tap: Tap, sandbox: Sandbox, budget: Budget, change: object
) -> None:
    export = exported(budget)
    change(export)  # type: ignore[operator]
    body = json.dumps({"data": {"plan": export, "server_knowledge": 1000}})
    sandbox.fail("status", status=200, body=body, path=budget.id + r"(\?|$)")
    finished = good(tap.run())
    assert "Reading list by list" in finished.log
    assert {r["id"] for r in finished.records("payee_locations")} == {
        r["id"] for p in sandbox.budgets for r in p.entities("payee_locations")
    }


@pytest.mark.parametrize("blanks", [None, 1])
@pytest.mark.parametrize("new_list", [[], [{"id": "a", "x": ["]", '"payees":[']}]])
def test_an_export_in_another_order_with_a_new_list_is_read(
    tap: Tap, sandbox: Sandbox, budget: Budget, new_list: list[Row], blanks: int | None
) -> None:
    export = exported(budget)
    export["transactions"][0]["memo"] = 'end ] of "payees":[ \\'
    ordered = {name: export[name] for name in sorted(export, reverse=True)}
    ordered = {"server_knowledge": 5, "plan": {**ordered, "new": new_list}}
    body = json.dumps({"data": ordered | {"server_knowledge": 1000}}, indent=blanks)
    sandbox.fail("status", status=200, body=body, path=budget.id + r"(\?|$)")
    finished = good(tap.run())
    assert "Reading list by list" not in finished.log
    for stream in ("payees", "categories", "months", "month_categories"):
        wanted = sum(len(p.entities(stream)) for p in sandbox.budgets)
        assert len(finished.records(stream)) == wanted, stream


def test_one_way_and_the_other_in_turns(
    quick: QuickPipeline, sandbox: Sandbox, budget: Budget
) -> None:
    for way in (False, True, False, True, True, False):
        quick.config["use_export"] = way
        assert quick.sync()
        assert_equal(quick.database, sandbox)
        change_a_lot(budget)


def test_amounts_as_text_come_from_the_list_that_has_them(
    tap: Tap, sandbox: Sandbox, budget: Budget
) -> None:
    catalog = Catalog(tap).column("accounts", "balance_formatted", selected=True)
    finished = good(tap.run(*catalog.arguments()))
    assert "accounts" in paths(sandbox)
    assert not {"payees", "categories", "months"} & set(paths(sandbox))
    texts = {row["id"]: row["balance_formatted"] for row in finished.records("accounts")}
    for account in budget.entities("accounts"):
        assert texts[account["id"]] == account["balance_formatted"]


# What it may not hold.


@pytest.fixture
def short(tmp_path: Path) -> Iterator[tuple[ShortExport, Tap]]:
    sandbox = ShortExport(today=small_sandbox().clock.today(), rate_limit=None)
    with serve(sandbox) as url:
        yield sandbox, Tap(tmp_path, {"access_token": sandbox.token, "api_url": url})


def assert_an_old_edit_arrives(short: tuple[ShortExport, Tap], state: State) -> None:
    sandbox, tap = short
    old = min(sandbox.budgets[0].entities("transactions"), key=lambda row: str(row["date"]))
    sandbox.budgets[0].edit("transactions", old["id"], memo="found the receipt")
    delta = good(tap.run(state=state))
    assert [row["memo"] for row in delta.records("transactions")] == ["found the receipt"]


def test_an_old_edit_arrives_although_the_export_does_not_go_back_so_far(
    short: tuple[ShortExport, Tap],
) -> None:
    _, tap = short
    assert_an_old_edit_arrives(short, good(tap.run()).state)


# Names.


def name_of(kind: str) -> str:
    return {"payees": "payee_name", "accounts": "account_name", "categories": "category_name"}[kind]


def in_use(budget: Budget, kind: str) -> str:
    column = name_of(kind).replace("_name", "_id")
    used = [row[column] for row in budget.entities("transactions")]
    known = {row["id"] for row in budget.entities(kind)}
    return str(next(identity for identity in used if identity in known))


@pytest.mark.parametrize("use_export", [True, False])
@pytest.mark.parametrize("kind", ["payees", "accounts", "categories"])
def test_a_new_name_arrives_in_the_transactions_that_have_it(
    tap: Tap, sandbox: Sandbox, budget: Budget, kind: str
) -> None:
    first = good(tap.run())
    renamed = in_use(budget, kind)
    budget.edit(kind, renamed, name="New name")
    sandbox.clear_requests()
    delta = good(tap.run(state=first.state))
    rows = delta.records("transactions")
    column = name_of(kind).replace("_name", "_id")
    wanted = {r["id"] for r in budget.entities("transactions") if r[column] == renamed}
    assert wanted <= {r["id"] for r in rows}
    assert {r[name_of(kind)] for r in rows if r[column] == renamed} == {"New name"}
    assert len(rows) < len(budget.entities("transactions"))
    everything = [r for r in sandbox.requests if "last_knowledge_of_server" not in r.query]
    assert [r.path for r in everything if r.path.endswith("/transactions")] == [
        f"/v1/plans/{budget.id}/transactions"
    ]

    sandbox.clear_requests()
    assert not good(tap.run(state=delta.state)).records("transactions")


def test_a_balance_that_changed_is_no_new_name(tap: Tap, sandbox: Sandbox, budget: Budget) -> None:
    first = good(tap.run())
    budget.add("transactions", amount=-1_000)
    budget.add("payees", name="Somebody new")
    sandbox.clear_requests()
    delta = good(tap.run(state=first.state))
    assert len(delta.records("transactions")) == 1
    assert paths(sandbox).count("transactions") == 1


def test_a_new_name_is_not_forgotten_where_it_could_not_be_put_right(
    quick: QuickPipeline, sandbox: Sandbox, budget: Budget
) -> None:
    quick.sync()
    budget.edit("payees", in_use(budget, "payees"), name="New name")
    sandbox.fail("503", path="transactions", times=20)
    assert not quick.sync()
    sandbox.clear_faults()
    for killed_at in (0.3, 0.6, 0.9):
        quick.sync(killed_at=killed_at)
    assert quick.sync()
    assert_equal(quick.database, sandbox)


def test_names_are_put_right_after_the_rows_were_deleted_or_changed(
    pipeline: Pipeline, sandbox: Sandbox, budget: Budget
) -> None:
    pipeline.sync()
    renamed = in_use(budget, "payees")
    mine = [r["id"] for r in budget.entities("transactions") if r["payee_id"] == renamed]
    budget.edit("payees", renamed, name="New name")
    budget.delete("transactions", mine[0])
    budget.add("transactions", amount=-1_000, payee_id=renamed)
    assert pipeline.sync().code == 0
    assert_equal(pipeline.database, sandbox)


# What is read in full is no substitute for what changed.


@pytest.mark.parametrize("since_date", ["2026-08-01", "1970-01-01"])
def test_what_was_deleted_before_another_since_date(
    quick: QuickPipeline, budget: Budget, since_date: str
) -> None:
    quick.config["since_date"] = "2026-10-01"
    quick.sync()
    last = budget.entities("transactions")[-1]["id"]
    assert last in quick.database.alive("transactions")
    budget.delete("transactions", last)
    quick.config["since_date"] = since_date
    assert quick.sync()
    assert last not in quick.database.alive("transactions")


def test_a_location_that_was_deleted_before_another_stream_joined(tap: Tap, budget: Budget) -> None:
    state = good(tap.run(*Catalog(tap).only("payees", "payee_locations").arguments())).state
    gone = budget.entities("payee_locations")[0]["id"]
    budget.delete("payee_locations", gone)
    later = Catalog(tap).only("accounts", "payee_locations").arguments()
    finished = good(tap.run(*later, state=state))
    rows = {row["id"]: row["deleted"] for row in finished.records("payee_locations")}
    assert rows.get(gone) or "payee_locations" in finished.activated()


def test_an_old_edit_arrives_where_transactions_joined_later(
    short: tuple[ShortExport, Tap],
) -> None:
    _, tap = short
    state = good(tap.run(*Catalog(tap).only("payees", "accounts").arguments())).state
    assert_an_old_edit_arrives(short, good(tap.run(state=state)).state)


def test_a_counter_that_goes_back_while_the_export_fails(
    quick: QuickPipeline, sandbox: Sandbox, budget: Budget
) -> None:
    sandbox.fail("503", path=EXPORT, times=1000)
    assert quick.sync()
    budget.rewind(900)
    month, category = (
        budget.entities("months")[-1]["month"],
        budget.entities("categories")[-1]["id"],
    )
    budget.edit("month_categories", (month, category), budgeted=123_000)
    assert quick.sync()
    assert_equal(quick.database, sandbox, old_names=True)
