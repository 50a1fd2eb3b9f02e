"""A full list that lacks a row that it had before has another fingerprint."""

from __future__ import annotations

from typing import Any

import pytest
from tap_ynab.unexported import fingerprint

CREATED = "moved_at"
ROWS: list[dict[str, Any]] = [
    {"id": "m1", CREATED: "2026-11-01T08:00:00Z"},
    {"id": "m2", CREATED: "2026-11-01T08:00:00Z"},
    {"id": "m3", CREATED: "2026-11-02T08:00:00Z"},
    {"id": "m4", CREATED: None},
]
LATER: dict[str, Any] = {"id": "m5", CREATED: "2026-11-03T08:00:00Z"}


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        ROWS[::-1],
        [*ROWS, LATER],
        [LATER, *ROWS[::-1]],
        [{**row, "amount": 5} for row in ROWS],
    ],
)
def test_newer_rows_order_and_other_columns_do_not_matter(rows: list[dict[str, Any]]) -> None:
    before = fingerprint(ROWS, CREATED)
    assert before[0] == "2026-11-02T08:00:00Z"
    assert fingerprint(rows, CREATED, until=before[0]) == before


@pytest.mark.parametrize("lost", range(len(ROWS)))
@pytest.mark.parametrize("more", [[], [LATER]])
def test_a_row_that_is_lost_is_noticed(lost: int, more: list[dict[str, Any]]) -> None:
    before = fingerprint(ROWS, CREATED)
    rows = [row for number, row in enumerate(ROWS) if number != lost] + more
    assert fingerprint(rows, CREATED, until=before[0]) != before


def test_ids_are_not_mistaken_for_others_that_they_add_up_to() -> None:
    assert fingerprint([{"id": "ab"}, {"id": "c"}], CREATED) != fingerprint(
        [{"id": "a"}, {"id": "bc"}], CREATED
    )


def test_a_list_that_is_empty_or_was_so_has_lost_nothing() -> None:
    before = fingerprint([], CREATED)
    assert before[0] == ""
    assert fingerprint([LATER], CREATED, until=before[0]) == before
    assert fingerprint([], CREATED, until=before[0]) == before
