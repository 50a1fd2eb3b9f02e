"""What a person can choose: streams, columns, and how they are mapped."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import Catalog
from tests.support.rows import STREAMS
from tests.support.runs import good, streams_in

if TYPE_CHECKING:
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Finished, Row, Tap

FORMATTED = ("_formatted", "_currency")


def schema(finished: Finished, stream: str) -> Row:
    """The columns of a stream as announced."""
    [message] = [
        message
        for message in finished.messages
        if message["type"] == "SCHEMA" and message["stream"] == stream
    ]
    properties: Row = message["schema"]["properties"]
    return properties


def flat(row: Row) -> Row:
    """The columns of a row that hold plain values."""
    return {
        name: value
        for name, value in row.items()
        if "__" not in name and not isinstance(value, dict | list) and name != "subtransactions"
    }


# Streams and columns.


def test_streams_that_are_not_selected_are_not_there(tap: Tap) -> None:
    finished = good(tap.run(*Catalog(tap).only("payees", "months").arguments()))
    assert streams_in(finished) == {"payees", "months"}


def test_columns_that_are_not_selected_are_not_there(tap: Tap, budget: Budget) -> None:
    budget.edit("transactions", budget.entities("transactions")[0]["id"], new_field="later")
    catalog = Catalog(tap).only("transactions")
    for name in ("memo", "subtransactions", "additional_properties", "server_knowledge", "id"):
        catalog.column("transactions", name, selected=False)
    finished = good(tap.run(*catalog.arguments()))
    columns = schema(finished, "transactions").keys()
    rows = finished.records("transactions")
    assert {row.keys() == columns for row in rows} == {True}
    assert not columns & {"memo", "subtransactions", "additional_properties"}
    # Without the key there is no row, without the counter no bookmark.
    assert {"id", "server_knowledge", "amount", "is_split"} <= columns
    assert any(row["is_split"] for row in rows)


def test_twins_do_not_come_by_themselves(first: Finished) -> None:
    for stream in STREAMS:
        assert not [name for name in schema(first, stream) if name.endswith(FORMATTED)]
        assert not [name for name in first.records(stream)[0] if name.endswith(FORMATTED)]


def test_twins_come_where_they_are_selected(tap: Tap, budget: Budget) -> None:
    catalog = Catalog(tap).only("transactions", "accounts")
    catalog.column("transactions", "amount_formatted", selected=True)
    catalog.column("transactions", "amount_currency", selected=True)
    catalog.column("accounts", "balance_formatted", selected=True)
    chosen = good(tap.run(*catalog.arguments()))
    wanted = {row["id"]: row for row in budget.entities("transactions")}
    rows = [row for row in chosen.records("transactions") if row["id"] in wanted]
    assert len(rows) == len(wanted)
    for row in rows:
        assert row["amount_formatted"] == wanted[row["id"]]["amount_formatted"]
        assert row["amount_currency"] == pytest.approx(wanted[row["id"]]["amount_currency"])
        assert row["amount_currency"] == pytest.approx(row["amount"] / 1000)
    assert all(row["balance_formatted"] for row in chosen.records("accounts"))
    assert not [name for name in schema(chosen, "accounts") if name.endswith("_currency")]


def test_a_catalog_from_before_a_column_and_a_stream_were_added(tap: Tap, budget: Budget) -> None:
    catalog = Catalog(tap)
    entry = catalog.streams["transactions"]
    del entry["schema"]["properties"]["memo"]
    entry["metadata"] = [e for e in entry["metadata"] if "memo" not in e["breadcrumb"]]
    catalog.content["streams"].remove(catalog.streams["months"])
    finished = good(tap.run(*catalog.arguments()))
    assert "memo" not in schema(finished, "transactions")
    rows = [row for row in finished.records("transactions") if row["budget_id"] == budget.id]
    assert len(rows) == len(budget.entities("transactions"))
    assert streams_in(finished) == set(STREAMS) - {"months"}


def test_a_column_that_the_catalog_does_not_know_yet_is_kept(tap: Tap, budget: Budget) -> None:
    catalog = Catalog(tap).only("transactions")
    entry = catalog.streams["transactions"]
    del entry["schema"]["properties"]["memo"]
    entry["metadata"] = [e for e in entry["metadata"] if "memo" not in e["breadcrumb"]]
    budget.edit("transactions", budget.entities("transactions")[0]["id"], memo="kept")
    finished = good(tap.run(*catalog.arguments()))
    [row] = [
        row
        for row in finished.records("transactions")
        if "kept" in str(row["additional_properties"])
    ]
    assert row["additional_properties"] == {"memo": "kept"}


def test_every_row_again_where_the_catalog_says_so(
    tap: Tap, first: Finished, budget: Budget
) -> None:
    arguments = Catalog(tap).in_full("payees").arguments()
    finished = good(tap.run(*arguments, state=first.state))
    rows = [row for row in finished.records("payees") if row["budget_id"] == budget.id]
    assert len(rows) == len(budget.entities("payees"))
    assert not finished.records("accounts")
    assert "payees" in finished.activated()
    assert "accounts" not in finished.activated()


# Stream maps and flattening.


def test_stream_maps_rename_hash_and_drop_columns(tap: Tap, budget: Budget) -> None:
    maps = {
        "payees": {"title": "name", "name": None, "digest": "md5(record['id'])"},
        "months": None,
    }
    finished = good(tap.run(stream_maps=maps))
    wanted = {row["id"]: row["name"] for row in budget.entities("payees")}
    rows = {row["id"]: row for row in finished.records("payees") if row["budget_id"] == budget.id}
    assert {identity: row["title"] for identity, row in rows.items()} == wanted
    assert "name" not in schema(finished, "payees")
    assert not any("name" in row for row in rows.values())
    for identity, row in rows.items():
        assert row["digest"] == hashlib.md5(identity.encode()).hexdigest()  # noqa: S324 no secret
    assert "months" not in streams_in(finished)
    assert "payees" in finished.activated()


def test_a_stream_under_another_name(tap: Tap, budget: Budget) -> None:
    finished = good(tap.run(stream_maps={"payees": {"__alias__": "shops"}}))
    assert len(finished.records("shops")) > len(budget.entities("payees"))
    assert "payees" not in streams_in(finished)
    assert "shops" in finished.activated()
    state = finished.state
    budget.edit("payees", budget.entities("payees")[0]["id"], name="Edited")
    delta = good(tap.run(state=state, stream_maps={"payees": {"__alias__": "shops"}}))
    assert [row["name"] for row in delta.records("shops")] == ["Edited"]


def test_a_filter_lets_rows_through_and_marks_no_others(tap: Tap, budget: Budget) -> None:
    maps = {"payees": {"__filter__": "bool(record['transfer_account_id'])"}}
    finished = good(tap.run(stream_maps=maps))
    wanted = [row["id"] for row in budget.entities("payees") if row["transfer_account_id"]]
    rows = [row["id"] for row in finished.records("payees") if row["budget_id"] == budget.id]
    assert rows == wanted
    assert finished.activated() == set(STREAMS) - {"payees"}


def test_a_filtered_copy_of_a_stream_marks_no_others(tap: Tap, budget: Budget) -> None:
    copy = {"__source__": "payees", "__filter__": "bool(record['transfer_account_id'])"}
    finished = good(tap.run(stream_maps={"transfer_payees": copy}))
    wanted = [row["id"] for row in budget.entities("payees") if row["transfer_account_id"]]
    rows = [row["id"] for row in finished.records("transfer_payees")]
    assert [identity for identity in rows if identity in wanted] == wanted
    assert len(finished.records("payees")) > len(rows)
    assert "transfer_payees" not in finished.activated()


@pytest.mark.xfail(
    strict=True,
    reason="the SDK's flattening leaves objects of unknown keys out of the schema: "
    "additional_properties and the debt_* maps are lost",
)
def test_flattening_loses_nothing(tap: Tap, budget: Budget) -> None:
    loan = next(row for row in budget.entities("accounts") if row["debt_interest_rates"])
    budget.edit("accounts", loan["id"], new_field={"a": 1})
    finished = good(tap.run(flattening_enabled=True, flattening_max_depth=2))
    for stream in STREAMS:
        for row in finished.records(stream):
            assert row.keys() <= schema(finished, stream).keys(), stream
    [row] = [row for row in finished.records("accounts") if row["id"] == loan["id"]]
    flat = json.dumps({name: str(value) for name, value in row.items()})
    assert "new_field" in flat
    assert next(iter(loan["debt_interest_rates"])) in flat


def test_flattening_leaves_plain_columns_as_they_are(tap: Tap, first: Finished) -> None:
    finished = good(tap.run(flattening_enabled=True, flattening_max_depth=2))
    for stream in STREAMS:
        usual = [flat(row) for row in first.records(stream)]
        assert [flat(row) for row in finished.records(stream)] == usual
