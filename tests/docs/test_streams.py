"""README and docs/streams.md list the streams, columns and relations that the catalog has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.pages import code_of, page

if TYPE_CHECKING:
    Json = dict[str, Any]

README = page("README.md")
TAP_README = page("tap-ynab/README.md")
STREAMS = page("docs/streams.md")


@pytest.fixture
def columns(catalog: dict[str, Json]) -> set[str]:
    """Every column as `stream.column`."""
    return {
        f"{name}.{column}"
        for name, stream in catalog.items()
        for column in stream["schema"]["properties"]
    }


def test_the_table_of_tables(catalog: dict[str, Json]) -> None:
    rows = README.table("table", "one row for each")
    assert [code_of(name) for name, _ in rows] == [
        code_of(row[0]) for row in STREAMS.table("stream", "key", "replication", "read from")
    ]
    assert {code_of(name) for name, _ in rows} == catalog.keys()
    assert all(meaning for _, meaning in rows)


def test_the_table_of_streams(catalog: dict[str, Json]) -> None:
    words = {"INCREMENTAL": "incremental", "FULL_TABLE": "full table"}
    wanted = [
        (
            f"`{name}`",
            ", ".join(f"`{key}`" for key in stream["key_properties"]),
            words[stream["replication_method"]],
        )
        for name, stream in catalog.items()
    ]
    shown = STREAMS.table("stream", "key", "replication", "read from")
    assert sorted(row[:3] for row in shown) == sorted(wanted)
    assert all(row[3] for row in shown)


def test_incremental_streams_have_the_replication_key_that_the_documents_name(
    catalog: dict[str, Json],
) -> None:
    for stream in catalog.values():
        is_incremental = stream["replication_method"] == "INCREMENTAL"
        assert stream.get("replication_key") == ("server_knowledge" if is_incremental else None)
        assert ("server_knowledge" in stream["schema"]["properties"]) == is_incremental
    for document in (STREAMS, TAP_README):
        assert "have `server_knowledge` as replication key" in document.text


def test_columns_that_the_tap_adds(catalog: dict[str, Json], columns: set[str]) -> None:
    shown = {
        name
        for cell, _ in STREAMS.table("column", "holds")
        for name in re.findall(r"`([^`*]+)`", cell)
    }
    in_one_stream = {name for name in shown if "." in name}
    assert in_one_stream <= columns
    incremental = {n for n, s in catalog.items() if s["replication_method"] == "INCREMENTAL"}
    assert {f"{name}.server_knowledge" for name in incremental} <= columns
    assert {f"{name}.additional_properties" for name in catalog} <= columns
    assert shown - in_one_stream == {"budget_id", "server_knowledge", "additional_properties"}


def test_relations_are_between_columns_and_streams_that_exist(
    catalog: dict[str, Json], columns: set[str]
) -> None:
    (every, budgets), *relations = STREAMS.table("column", "points to")
    assert (every, budgets) == ("`budget_id` of every table", "`budgets`")
    assert {name for name in catalog if f"{name}.budget_id" not in columns} == {"budgets"}
    shown = [code_of(column) for cell, _ in relations for column in cell.split(", ")]
    assert set(shown) <= columns
    assert len(shown) == len(set(shown))
    assert {code_of(table) for _, table in relations} <= catalog.keys()
    # None is missing, except ids of things that the tap has no stream for.
    elsewhere = ("import_id", "performed_by_user_id", "original_category_group_id", ".budget_id")
    ids = {column for column in columns if column.endswith("_id")}
    missing = {column for column in ids - set(shown) if not column.endswith(elsewhere)}
    assert missing <= {"month_categories.category_group_id"}
