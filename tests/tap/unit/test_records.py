"""A row becomes a record that fits its schema, and nothing of it is lost."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_ynab.records import REST, Shape, is_date, is_id, storable

COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"type": ["string"]},
    "day": {"type": ["string", "null"], "format": "date"},
    "moment": {"type": ["string", "null"], "format": "date-time"},
    "amount": {"type": ["integer", "null"]},
    "value": {"type": ["number", "null"]},
    "flag": {"type": ["boolean", "null"]},
    "object": {"type": ["object", "null"]},
    "list": {"type": ["array", "null"]},
    REST: {"type": ["object", "null"]},
}
EMPTY = dict.fromkeys(COLUMNS)


# Values


@pytest.mark.parametrize(
    "value", [None, True, 0, "", "text", 1.5, [], {}, [None, {"a": [Decimal("1.5")]}], 10**4000]
)
def test_what_postgresql_can_store_stays_as_it_is(value: Any) -> None:
    assert storable(value) == value


@pytest.mark.parametrize("number", ["1E+1000", "-1E+1000", "1E-1000", "12.5E+99999"])
def test_a_number_that_overflows_becomes_text(number: str) -> None:
    assert storable({"a": [Decimal(number)]}) == {"a": [str(Decimal(number))]}
    assert storable(Decimal("1E+999")) == Decimal("1E+999")


@pytest.mark.parametrize("number", ["0E-20000", "1." + "1" * 20_000])
def test_a_number_with_too_many_digits_after_the_point_becomes_text(number: str) -> None:
    # PostgreSQL: value overflows numeric format
    assert isinstance(storable(Decimal(number)), str)


@pytest.mark.parametrize(
    ("value", "fits"),
    [("1", True), ("", True), ("x" * 500, True), ("x" * 501, False), (1, False), (None, False)],
)
def test_an_id_is_text_that_an_index_can_hold(value: object, fits: bool) -> None:  # noqa: FBT001 a parameter
    assert is_id(value) == fits


@pytest.mark.parametrize("value", ["2024-02-29", "0001-01-01", "9999-12-31"])
def test_a_date_is_one_of_the_calendar(value: str) -> None:
    assert is_date(value)


@pytest.mark.parametrize(
    "value",
    [
        *("2023-02-29", "0000-01-01", "2024-1-1", "20240101", "2024-W01-1", "٢٠٢٤-01-01"),
        *("2024-01-01T00:00:00Z", "2024-01-01\n", " 2024-01-01", "", "today"),
        *(None, 20240101, ["2024-01-01"]),
    ],
)
def test_all_else_is_no_date(value: object) -> None:
    assert not is_date(value)


# Rows


@pytest.mark.parametrize(
    "fitting",
    [
        {"day": "2024-02-29"},
        {"moment": "2024-01-01T10:00:00Z"},
        {"moment": "2024-01-01T10:00:00.123456Z"},
        {"amount": 2**63 - 1},
        {"amount": -(2**63)},
        {"value": Decimal("1.25")},
        {"value": 3},
        {"flag": False},
        {"object": {"a": [1, None]}},
        {"object": {}},
        {"list": [{"a": 1}]},
        {"list": []},
    ],
)
def test_a_value_that_fits_its_column_stays(fitting: dict[str, Any]) -> None:
    assert Shape(COLUMNS, COLUMNS)({"id": "1", **fitting}) == {**EMPTY, "id": "1", **fitting}


@pytest.mark.parametrize(
    "misfit",
    [
        {"day": "2023-02-29"},
        {"day": 20240101},
        {"moment": "yesterday"},
        {"moment": "2024-01-01T10:00:00"},
        {"moment": "0001-01-01T00:00:00+05:00"},
        {"amount": 2**63},
        {"amount": Decimal("0.5")},
        {"amount": True},
        {"amount": "12"},
        {"value": False},
        {"flag": 1},
        {"object": [1]},
        {"list": "a"},
        {"id": 5},
        {"new": {"deep": [None]}},
        {REST: "of YNAB"},
    ],
)
def test_a_value_that_its_column_cannot_take_goes_to_the_rest(misfit: dict[str, Any]) -> None:
    record = Shape(COLUMNS, COLUMNS)({"id": "1", **misfit})
    assert record == {**EMPTY, "id": None if "id" in misfit else "1", REST: misfit}


def test_a_number_that_overflows_its_column_goes_to_the_rest() -> None:
    record = Shape(COLUMNS, COLUMNS)({"id": "1", "value": Decimal("1E+200000")})
    assert record[REST] == {"value": "1E+200000"}


def test_a_moment_that_postgresql_cannot_read_goes_to_the_rest() -> None:
    moment = "2024-01-01T00Z"
    assert Shape(COLUMNS, COLUMNS)({"id": "1", "moment": moment})[REST] == {"moment": moment}


def test_a_moment_with_an_offset_is_written_in_utc() -> None:
    record = Shape(COLUMNS, COLUMNS)({"id": "1", "moment": "2024-01-01T00:30:00+02:00"})
    assert record["moment"] == "2023-12-31T22:30:00+00:00"


def test_new_fields_without_a_value_leave_nothing_behind() -> None:
    assert Shape(COLUMNS, COLUMNS)({"id": "1", "new": None, REST: None}) == {**EMPTY, "id": "1"}


def test_columns_that_are_not_selected_are_left_out() -> None:
    row = {"id": "1", "day": "2024-01-01", "moment": "yesterday", "amount": None, "new": 5}
    assert Shape(COLUMNS, {"id", "amount", "value", REST})(dict(row)) == {
        "id": "1",
        "amount": None,
        "value": None,
        REST: {"new": 5},
    }
    assert Shape(COLUMNS, {"id", "amount"})({**row, "amount": "12"}) == {"id": "1", "amount": None}


def test_a_column_that_is_not_selected_is_left_out_whatever_its_value() -> None:
    assert Shape(COLUMNS, {"id", REST})({"id": "1", "day": 20240101})[REST] is None


def test_rows_with_ever_new_fields_do_not_fill_the_memory() -> None:
    shape = Shape(COLUMNS, COLUMNS)
    tracemalloc.start()
    try:
        for number in range(300):
            row = {f"{number} {field}": field for field in range(1_000)}
            assert shape({"id": "1", **row})[REST] == row
        assert tracemalloc.get_traced_memory()[0] < 1 << 20
    finally:
        tracemalloc.stop()


def test_each_row_is_looked_at_though_rows_are_alike() -> None:
    shape = Shape(COLUMNS, COLUMNS)
    days = ["2024-02-29", "2023-02-29", "2024-02-28"]
    records = [shape({"id": "1", "day": day}) for day in days]
    assert [record["day"] for record in records] == ["2024-02-29", None, "2024-02-28"]
    assert [record[REST] for record in records] == [None, {"day": "2023-02-29"}, None]


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([Decimal("0.5"), Decimal("-12.50"), Decimal("1E+999")])
    | st.text(max_size=5)
    | st.dates().map(str)
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
)
VALUES = (
    SCALARS
    | st.lists(SCALARS, max_size=2)
    | st.dictionaries(st.text(max_size=3), SCALARS | st.lists(SCALARS, max_size=2), max_size=2)
)
ROWS = st.dictionaries(st.sampled_from([*COLUMNS, "new", "newer"]), VALUES)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(ROWS, max_size=4))
def test_no_row_is_refused_and_no_value_is_lost(rows: list[dict[str, Any]]) -> None:
    shape = Shape(COLUMNS, COLUMNS)
    for row in rows:
        record = shape(dict(row))
        assert record.keys() == COLUMNS.keys()
        rest = record[REST] or {}
        assert rest.keys() <= row.keys()
        for name, value in row.items():
            if value is None:
                assert name not in rest
            else:
                kept = rest if name in rest or name == REST else record
                assert kept[name] == storable(value)
