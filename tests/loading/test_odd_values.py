"""Whatever YNAB sends, its row arrives in PostgreSQL, with all of it that can be stored."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
from ynab_sandbox import serve

from tests.support.catalogs import Catalog
from tests.support.comparing import END, EQUAL, compare
from tests.support.databases import new_database
from tests.support.drops import serve_in_drops
from tests.support.odd import (
    DATED_ID,
    FITTING,
    HALVES,
    LARGEST,
    MISFITS,
    NEW_FIELDS,
    NEW_VALUES,
    SMALLEST,
    TEXTS,
    TOO_LARGE,
    UNSTORABLE,
    additional,
    serve_rows,
)
from tests.support.pipeline import FAST_LOADER, STOCK_LOADER, Pipeline, Tap
from tests.support.rows import BUDGET_STREAMS
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from project_postgres import Server
    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Database, Row


def key_of(stream: str, row: Row) -> str:
    """How the sandbox calls an entity."""
    if stream == "month_categories":
        return f"{row['month']}|{row['id']}"
    return str(row["month"] if stream == "months" else row["id"])


def id_of(stream: str, budget: Budget, row: Row) -> str:
    """How the tables call it."""
    key = key_of(stream, row)
    return f"{budget.id}|{key}" if stream in {"months", "month_categories"} else key


def first(budget: Budget, stream: str) -> Row:
    return budget.entities(stream)[0]


def second(budget: Budget, stream: str) -> Row:
    return budget.entities(stream)[1]


@pytest.fixture(scope="module")
def account() -> Sandbox:
    """What all tests share that only look: odd in the first budget, misfits in the second."""
    sandbox = small_sandbox()
    budget, other = sandbox.budgets
    for stream in BUDGET_STREAMS:
        budget.edit(stream, key_of(stream, first(budget, stream)), **NEW_FIELDS, new_nothing=None)
    for stream, values in NEW_VALUES.items():
        budget.edit(stream, second(budget, stream)["id"], **values)
    for name, text in {**TEXTS, **{repr(text): text for text in UNSTORABLE}}.items():
        budget.add("payees", id=f"text {name}", name=text)
        new = {f"key {text}"[:100]: {"nested": [text]}}
        budget.add("transactions", id=f"text {name}", memo=text, **new)
    budget.add("transactions", id=DATED_ID, amount=-1)
    serve_rows(sandbox, other, **MISFITS)
    sandbox.add_budget("No formats", currency_format=None, date_format=None)
    return sandbox


@pytest.fixture(scope="module")
def extracted(account: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tap, str]:
    """The tap, and what it makes of the odd account."""
    with serve(account) as url:
        tap = Tap(tmp_path_factory.mktemp("odd"), {"access_token": account.token, "api_url": url})
        finished = tap.run()
    assert finished.code == 0, finished.log
    return tap, finished.stdout


@pytest.fixture(scope="module", params=[STOCK_LOADER, FAST_LOADER], ids=["stock", "fast"])
def loaded(extracted: tuple[Tap, str], server: Server, request: pytest.FixtureRequest) -> Database:
    """That in PostgreSQL, loaded by each loader."""
    tap, messages = extracted
    pipeline = Pipeline(tap, new_database(server), request.param)
    pipeline.load(messages)
    return pipeline.database


@pytest.fixture
def sandbox() -> Sandbox:
    """For tests that have an account of their own: one small budget."""
    sandbox = small_sandbox()
    sandbox.remove_budget(sandbox.budgets[1].id)
    return sandbox


def test_verify_finds_all_of_it_equal(extracted: tuple[Tap, str], loaded: Database) -> None:
    _, messages = extracted
    compared = compare(loaded, messages + END)
    assert compared.code == EQUAL, compared


@pytest.mark.parametrize("stream", BUDGET_STREAMS)
def test_fields_that_are_new(account: Sandbox, loaded: Database, stream: str) -> None:
    budget = account.budgets[0]
    row = loaded.alive(stream)[id_of(stream, budget, first(budget, stream))]
    assert additional(row) == NEW_FIELDS
    assert row["_sdc_deleted_at"] is None


@pytest.mark.parametrize("stream", BUDGET_STREAMS)
def test_rows_without_new_fields_have_nothing_beside(
    account: Sandbox, loaded: Database, stream: str
) -> None:
    budget = account.budgets[2]
    rows = [row for row in loaded.alive(stream).values() if row["budget_id"] == budget.id]
    assert len(rows) == len(budget.entities(stream))
    assert not [row for row in rows if additional(row)]


@pytest.mark.parametrize("stream", NEW_VALUES)
def test_values_that_are_new(account: Sandbox, loaded: Database, stream: str) -> None:
    row = loaded.alive(stream)[second(account.budgets[0], stream)["id"]]
    assert {name: row[name] for name in NEW_VALUES[stream]} == NEW_VALUES[stream]
    assert not additional(row)


def test_no_formats(account: Sandbox, loaded: Database) -> None:
    rows = loaded.alive("budgets")
    row, usual = rows[account.budgets[2].id], rows[account.budgets[0].id]
    columns = [name for name in row if name.startswith(("currency_", "date_format_"))]
    assert len(columns) == 7
    assert [name for name in columns if row[name] is not None] == []
    assert [name for name in columns if usual[name] is None] == []


def test_an_id_with_a_date(loaded: Database) -> None:
    assert loaded.alive("transactions")[DATED_ID]["amount"] == -1


@pytest.mark.parametrize("name", TEXTS)
def test_text_arrives_as_it_is(loaded: Database, name: str) -> None:
    text = TEXTS[name]
    assert loaded.alive("payees")[f"text {name}"]["name"] == text
    row = loaded.alive("transactions")[f"text {name}"]
    assert row["memo"] == text
    assert additional(row) == {f"key {text}"[:100]: {"nested": [text]}}


@pytest.mark.parametrize("text", UNSTORABLE)
def test_text_arrives_without_what_postgresql_cannot_store(loaded: Database, text: str) -> None:
    left, name = UNSTORABLE[text], f"text {text!r}"
    assert loaded.alive("payees")[name]["name"] == left
    row = loaded.alive("transactions")[name]
    assert row["memo"] == left
    assert additional(row) == {f"key {left}": {"nested": [left]}}


@pytest.mark.parametrize(
    ("stream", "row"),
    [
        pytest.param(stream, row, id=f"{stream}: {row.get('id', 'month')}")
        for stream, rows in MISFITS.items()
        for row in rows
        if row.get("id") not in FITTING
    ],
)
def test_what_fits_no_column_is_kept_beside_it(
    account: Sandbox, loaded: Database, stream: str, row: Row
) -> None:
    stored = loaded.alive(stream)[id_of(stream, account.budgets[1], row)]
    sent = {name: value for name, value in row.items() if name not in {"id", "month", "income"}}
    assert additional(stored) == sent
    assert {stored[name] for name in sent} <= {None}


def test_the_extremes_that_columns_take(loaded: Database) -> None:
    rows = loaded.alive("transactions")
    assert rows["largest"]["amount"] == LARGEST
    assert rows["smallest"]["amount"] == SMALLEST
    assert rows["first of all"]["date"] == date(1, 1, 1)
    assert rows["last of all"]["date"] == date(9999, 12, 31)
    assert rows["parts"]["subtransactions"] == [{"amount": TOO_LARGE, "memo": "ab", "new": [1]}]
    assert not [name for name in FITTING if additional(rows[name])]
    [month] = [row for row in loaded.alive("months").values() if row["income"] == LARGEST]
    assert month["month"] == date(2026, 10, 1)


def test_new_fields_of_budgets(pipeline: Pipeline, sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    listed = {
        "id": budget.id,
        "name": "a\x00b",
        "last_modified_on": "2026-11-21T09:08:07.654Z",
        "date_format": {"format": "DD.MM.YYYY", "new": 1},
        "currency_format": {"iso_code": "EUR", "decimal_digits": "two", "new": [None]},
        "accounts": budget.entities("accounts"),
        "new_text": "later",
    }
    body = json.dumps({"data": {"plans": [listed], "default_plan": None}})
    sandbox.fail("status", status=200, body=body, path=r"/plans\?")
    finished = pipeline.sync()
    assert finished.code == 0, finished.log
    [row] = pipeline.database.query("select * from ynab.budgets")
    assert (row["name"], row["date_format_string"]) == ("ab", "DD.MM.YYYY")
    assert row["last_modified_on"] == datetime(2026, 11, 21, 9, 8, 7, 654_000)  # noqa: DTZ001 UTC, as stored
    assert (row["currency_iso_code"], row["currency_symbol_first"]) == ("EUR", None)
    assert additional(row) == {
        "new_text": "later",
        "currency_decimal_digits": "two",
        "currency_format": {"new": [None]},
        "date_format": {"new": 1},
    }


def test_odd_values_arrive_by_delta_too(pipeline: Pipeline, sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    state = pipeline.tap.run().state
    edited = first(budget, "transactions")["id"]
    budget.edit("transactions", edited, memo="a\x00b\ud83d", flag_color="", new={"\x00": "\x00"})
    budget.edit("accounts", first(budget, "accounts")["id"], last_reconciled_at="never")
    pipeline.state = state
    assert pipeline.sync().code == 0
    [row] = [r for r in pipeline.database.alive("transactions").values() if r["id"] == edited]
    assert (row["memo"], row["flag_color"], additional(row)) == ("ab\ufffd", "", {"new": {"": ""}})
    [account] = pipeline.database.alive("accounts").values()
    assert additional(account) == {"last_reconciled_at": "never"}


@pytest.mark.parametrize("text", HALVES)
def test_halves_of_pairs(tap: Tap, sandbox: Sandbox, text: str) -> None:
    sandbox.budgets[0].add("payees", id="half", name=text)
    finished = tap.run()
    assert finished.code == 0, finished.log
    [row] = [row for row in finished.records("payees") if row["id"] == "half"]
    assert row["name"] == HALVES[text]


def test_an_answer_in_pieces_smaller_than_an_escape(tap: Tap, sandbox: Sandbox) -> None:
    for number in range(8):
        sandbox.budgets[0].add("payees", id=f"nul {number}", name="x" * number + "\x00")
    with serve_in_drops(sandbox) as url:
        finished = tap.run(*Catalog(tap).only("payees").arguments(), api_url=url)
    assert finished.code == 0, finished.log
    names = {row["id"]: row["name"] for row in finished.records("payees")}
    assert [names[f"nul {number}"] for number in range(8)] == ["x" * n for n in range(8)]


@pytest.mark.parametrize("name", ["first_month", "last_month"])
def test_a_first_or_last_month_that_is_none(tap: Tap, sandbox: Sandbox, name: str) -> None:
    budget = sandbox.budgets[0]
    listed = {"id": budget.id, "name": "A", name: "soon", "accounts": []}
    body = json.dumps({"data": {"plans": [listed]}})
    sandbox.fail("status", status=200, body=body, path=r"/plans\?")
    finished = tap.run()
    assert finished.code == 0, finished.log
    assert finished.records("budgets")[0]["additional_properties"] == {name: "soon"}
    assert finished.records("transactions")


def test_parts_of_another_kind_in_a_deleted_split(tap: Tap, sandbox: Sandbox) -> None:
    parts = [None, 5, "x", {"id": "a", "deleted": False}]
    rows: list[Row] = [
        {"id": "parts", "deleted": True, "subtransactions": parts},
        {"id": "text", "deleted": True, "subtransactions": "x"},
        {"id": "usual"},
    ]
    serve_rows(sandbox, sandbox.budgets[0], transactions=rows)
    finished = tap.run()
    assert finished.code == 0, finished.log
    assert [row["id"] for row in finished.records("transactions")] == ["parts", "text", "usual"]


@pytest.mark.parametrize("identity", [None, 5])
def test_a_row_without_an_id_does_not_stop_the_others(
    pipeline: Pipeline, sandbox: Sandbox, identity: object
) -> None:
    rows: list[Row] = [{"id": identity, "name": "nobody"}, {"id": "a", "name": "somebody"}]
    serve_rows(sandbox, sandbox.budgets[0], payees=rows)
    pipeline.sync()
    assert "a" in pipeline.database.alive("payees")
    assert pipeline.database.alive("transactions")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-11-01T10:00:00+05:30", datetime(2026, 11, 1, 4, 30)),  # noqa: DTZ001
        ("2026-11-01T00:00:00+23:59", datetime(2026, 10, 31, 0, 1)),  # noqa: DTZ001
    ],
)
def test_a_moment_of_another_zone_is_stored_in_utc(
    pipeline: Pipeline, sandbox: Sandbox, sent: str, stored: datetime
) -> None:
    serve_rows(sandbox, sandbox.budgets[0], accounts=[{"id": "a", "last_reconciled_at": sent}])
    pipeline.sync()
    assert pipeline.database.alive("accounts")["a"]["last_reconciled_at"] == stored


@pytest.mark.parametrize("sent", ["2026-W01-1", "20260101xx"])
def test_what_python_takes_for_a_date_but_ynab_never_writes(
    tap: Tap, sandbox: Sandbox, sent: str
) -> None:
    serve_rows(sandbox, sandbox.budgets[0], transactions=[{"id": "a", "date": sent}])
    [row] = tap.run().records("transactions")
    assert (row["date"], row["additional_properties"]) == (None, {"date": sent})


@pytest.mark.parametrize("use_export", [False])
def test_unknown_fields_that_are_nested_deeply(pipeline: Pipeline, sandbox: Sandbox) -> None:
    budget = sandbox.budgets[0]
    nested = f"{'[' * 90}{']' * 90}"
    deep = json.dumps(budget.entities("payees")[0])[:-1] + f', "deep": {nested}}}'
    body = f'{{"data": {{"payees": [{deep}], "server_knowledge": 1000}}}}'
    sandbox.fail("status", status=200, body=body, path=rf"{budget.id}/payees")
    finished = pipeline.sync()
    assert finished.code == 0, finished.log[-3000:]
    kept = pipeline.database.alive("payees")[str(budget.entities("payees")[0]["id"])]
    assert kept["additional_properties"] == {"deep": json.loads(nested)}
