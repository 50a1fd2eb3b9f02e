"""Which bookmarks are taken out of a state, by the tables that are there."""

from __future__ import annotations

from typing import Any

import pytest
from ynab_pipeline.bookmarks import without_lost

ALL = ["accounts", "budgets", "payees", "transactions"]
READ = {"replication_key": "server_knowledge", "replication_key_value": 7}


def catalog(*unselected: str) -> dict[str, Any]:
    """As Meltano writes it."""
    return {
        "streams": [
            {
                "tap_stream_id": stream,
                "metadata": [
                    {"breadcrumb": ["properties", "id"], "metadata": {"selected": False}},
                    {"breadcrumb": [], "metadata": {"selected": stream not in unselected}},
                ],
            }
            for stream in ALL
        ]
    }


def state(*streams: str) -> dict[str, Any]:
    """With bookmarks of these streams, each of one budget."""
    partitions = [{"context": {"budget_id": "b"}, **READ}]
    notes = {"budgets": {"requests": {"60": 1}}}
    return {"bookmarks": notes | {stream: {"partitions": partitions} for stream in streams}}


def tables(*others: str, **loaded: bool) -> dict[str, Any]:
    """Each of the loader's tables with whether it has rows, and other tables."""
    return {"schema": "ynab", "loaded": loaded, "others": list(others)}


WHOLE = state("accounts", "payees", "transactions")


@pytest.mark.parametrize(
    ("given", "found", "unselected", "gone", "line"),
    [
        (
            WHOLE,
            tables(accounts=True, payees=True, transactions=True),
            [],
            [],
            None,
        ),
        (
            WHOLE,
            tables(accounts=True, budgets=True, payees=True),
            [],
            ["transactions"],
            "schema ynab has no table transactions any more: their rows are read in full",
        ),
        (
            WHOLE,
            tables(budgets=True, syncs=True),
            [],
            ["accounts", "payees", "transactions"],
            "schema ynab has none of the tables of the last run: everything is read in full",
        ),
        (
            WHOLE,
            tables(accounts=False, budgets=True, payees=False, transactions=False),
            [],
            ["accounts", "payees", "transactions"],
            "all tables in schema ynab are empty: everything is read in full",
        ),
        # Some accounts have no payees, and an empty table is none that was emptied.
        (WHOLE, tables(accounts=True, payees=False, transactions=True), [], [], None),
        # Not selected, so it may be gone for good.
        (WHOLE, tables(accounts=True, payees=True), ["transactions"], [], None),
        # A view in its place, or a table of the loader's without its own columns.
        (WHOLE, tables("transactions", accounts=True, payees=True), [], [], None),
        # Loaded under another name.
        (WHOLE, tables(accounts=True, payees=True, spending=True), [], [], None),
        (
            WHOLE,
            tables(spending=True),
            [],
            ["accounts", "payees", "transactions"],
            "schema ynab has none of the tables of the last run: everything is read in full",
        ),
        # Never read: nothing is lost.
        (state(), tables(), [], [], None),
        ({}, tables(), [], [], None),
        (
            {"bookmarks": {"payees": {"partitions": [{"context": {"budget_id": "b"}}]}}},
            tables(),
            [],
            [],
            None,
        ),
    ],
)
def test_bookmarks_of_tables_that_are_gone(
    given: dict[str, Any],
    found: dict[str, Any],
    unselected: list[str],
    gone: list[str],
    line: str | None,
) -> None:
    kept, told = without_lost(given, found, catalog(*unselected))
    emptied: dict[str, Any] = {stream: {"partitions": []} for stream in gone}
    assert kept == (given if line is None else {"bookmarks": given["bookmarks"] | emptied})
    assert told == (line and f"database: {line}")
