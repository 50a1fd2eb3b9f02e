"""The rows of a response are those of its body, in whatever chunks it comes."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tap_ynab.errors import TransientError, YNABError
from tap_ynab.response import Response

from tests.tap.unit.responses import closed_later, is_closed, of_data, of_text

GROUPS = {
    "category_groups": [
        {"id": "g1", "categories": [{"id": "c1"}, {"id": "c2"}]},
        {"id": "g2", "categories": []},
        {"id": "g3", "categories": [{"id": "c3"}]},
    ]
}
NESTED = "category_groups.item.categories"


# Rows


@pytest.mark.parametrize(
    ("data", "path", "ids"),
    [
        ({"accounts": [{"id": "a"}, {"id": "b"}]}, "accounts", ["a", "b"]),
        ({"payees": [{"id": "p"}], "accounts": [{"id": "a"}]}, "accounts", ["a"]),
        ({"plan": {"accounts": [{"id": "a"}]}}, "plan.accounts", ["a"]),
        (GROUPS, "category_groups", ["g1", "g2", "g3"]),
        (GROUPS, NESTED, ["c1", "c2", "c3"]),
        ({"accounts": []}, "accounts", []),
        ({"category_groups": []}, NESTED, []),
        ({"category_groups": [{"categories": []}]}, NESTED, []),
    ],
)
def test_rows_are_those_of_the_list(data: dict[str, Any], path: str, ids: list[str]) -> None:
    assert [row["id"] for row in of_data(**data).rows(path)] == ids


@pytest.mark.parametrize("data", [{}, {"accounts": None}, {"accounts": {}}, {"payees": []}])
def test_a_missing_list_is_an_error_that_names_it(data: dict[str, Any]) -> None:
    with pytest.raises(YNABError, match=r"no list of accounts\. Check api_url"):
        list(of_data(**data).rows("accounts"))
    with pytest.raises(YNABError, match=r"no list of category_groups\."):
        list(of_data(**data).rows(NESTED))


def test_rows_are_read_again_from_the_beginning() -> None:
    response = of_data(accounts=[{"id": "a"}, {"id": "b"}])
    assert next(response.rows("accounts")) == {"id": "a"}
    assert list(response.rows("accounts")) == [{"id": "a"}, {"id": "b"}]


def test_numbers_are_exact() -> None:
    [row] = of_text('{"data": {"rows": [{"a": 9007199254740993, "b": 0.1, "c": 1e2}]}}').rows(
        "rows"
    )
    assert row == {"a": 9007199254740993, "b": Decimal("0.1"), "c": Decimal(100)}
    assert [type(value) for value in row.values()] == [int, Decimal, Decimal]


@pytest.mark.parametrize("rest", ["", ', {"id"', "] }", ', {"id": "\xff"}]}}', ", nonsense]}}"])
def test_rows_before_broken_json_come_and_then_an_error(rest: str) -> None:
    found = []
    with pytest.raises(YNABError, match="not JSON throughout"):  # noqa: PT012 rows come first
        for row in of_text(f'{{"data": {{"rows": [{{"id": "a"}}{rest}'.encode("latin-1")).rows(
            "rows"
        ):
            found.append(row)  # noqa: PERF402 the ones before the error
    assert found == [{"id": "a"}]


@pytest.mark.parametrize("row", [None, 5, "a", True, [], [{}], 0.5])
@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("accounts", lambda rows: {"accounts": rows}),
        (NESTED, lambda rows: {"category_groups": [{"categories": rows}]}),
    ],
)
def test_a_row_that_is_no_object_is_an_error_after_the_rows_before_it(
    row: object, path: str, data: Any
) -> None:
    rows = of_data(**data([{"id": "a"}, row, {"id": "b"}])).rows(path)
    assert next(rows) == {"id": "a"}
    with pytest.raises(YNABError, match=f"no object for a row of {path}. Check api_url"):
        next(rows)


@pytest.mark.parametrize("number", ["1e9999999999999999999", "-1e-9999999999999999999999"])
def test_a_number_that_python_cannot_hold_is_an_error(number: str) -> None:
    response = of_text(f'{{"data": {{"rows": [{{"a": {number}}}]}}}}')
    with pytest.raises(YNABError, match="not JSON"):
        list(response.rows("rows"))
    with pytest.raises(TransientError):
        response.check()


def test_a_number_with_a_large_exponent_is_not_written_out() -> None:
    [row] = of_text('{"data": {"rows": [{"a": 1e999999999}]}}').rows("rows")
    assert row == {"a": Decimal("1e999999999")}


@pytest.mark.parametrize(
    ("day", "month"),
    [((2026, 11, 30, 23, 59), "2026-11-01"), ((2027, 1, 1, 0, 0), "2027-01-01")],
)
def test_the_month_is_that_of_the_servers_clock(day: tuple[int, ...], month: str) -> None:
    date = datetime(*day, tzinfo=timezone.utc)  # type: ignore[misc,arg-type]
    assert closed_later(Response([], date)).month == month


# Text


def clean(text: str) -> str:
    """Text without U+0000, and with U+FFFD for each half of a character."""
    utf_16 = text.encode("utf-16-le", "surrogatepass")
    return utf_16.decode("utf-16-le", "replace").replace("\0", "")


def arrived(text: str, block: int = 1 << 18) -> str:
    body = json.dumps({"data": {"rows": [{"text": text}]}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tap_ynab.json_text.BLOCK", block)
        [row] = of_text(body, chunk=block).rows("rows")
    return str(row["text"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\0b", "ab"),
        ("\0\0", ""),
        ("\\u0000", "\\u0000"),
        ("\\\0u0000", "\\u0000"),
        ("\\\\ud83d", "\\\\ud83d"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("other half \ude00", "other half \ufffd"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        ("\U0001f600", "\U0001f600"),
        ('quote " tab \t \b\f é', 'quote " tab \t \b\f é'),
    ],
)
def test_text_comes_without_what_postgresql_refuses(text: str, expected: str) -> None:
    assert clean(text) == expected
    assert {arrived(text, block) for block in range(1, 40)} == {expected}


PIECES = ["\0", "\\", "u", "0000", "\ud83d", "\ude00", "\U0001f600", '"', "d83d", "dE00", "\n", "x"]


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12), block=st.integers(1, 30))
@example(pieces=["\\"] * 9 + ["u", "0000"], block=7)
def test_blocks_of_any_size_give_the_same_text(pieces: list[str], block: int) -> None:
    text = "".join(pieces)
    assert arrived(text, block) == clean(text)


def test_escapes_in_capitals_are_the_same_escapes() -> None:
    [row] = of_text(r'{"data": {"rows": [{"a": "\uD83D\uDE00 \uD83D \uDE00"}]}}').rows("rows")
    assert row == {"a": "\U0001f600 \ufffd \ufffd"}


# The whole body


@pytest.mark.parametrize(
    ("body", "knowledge"),
    [
        ('{"data": {"accounts": [], "server_knowledge": 7}}', 7),
        ('{"data":{"server_knowledge":0}}', 0),
        ('{"data" : { "server_knowledge" : 12 } } \n', 12),
        ('{"data": {"server_knowledge": 7, "accounts": [{"id": 1}]}}', 7),
        ('{"data": {"server_knowledge": 7}, "other": {"server_knowledge": 8}, "x": 1}', 7),
        ('{"data": {"accounts": []}}', None),
        ('{"data": {"server_knowledge": null}}', None),
        ('{"data": {"note": "\\"server_knowledge\\": 7}}"}}', None),
        ('{"data": {"a \\"server_knowledge": 7}}', None),
        ("[]", None),
    ],
)
def test_the_counter_of_a_whole_body_is_noted(body: str, knowledge: int | None) -> None:
    response = of_text(body)
    response.check()
    assert response.server_knowledge == knowledge


@pytest.mark.parametrize("value", ['"7"', "7.5", "true"])
def test_a_counter_that_is_no_integer_is_none(value: str) -> None:
    response = of_text(f'{{"data": {{"server_knowledge": {value}}}}}')
    response.check()
    assert response.server_knowledge is None


def test_a_body_that_breaks_off_anywhere_may_be_requested_again() -> None:
    body = '{"data": {"rows": [{"a": "\\"server_knowledge\\": 7}}"}], "server_knowledge": 7}}'
    for end in range(len(body)):
        with pytest.raises(TransientError):
            of_text(body[:end]).check()


@pytest.mark.parametrize("body", ["<html>", '{"data": {}} {}', '{"data": {}', "{'data': 1}"])
def test_a_body_that_is_no_json_may_be_requested_again(body: str) -> None:
    with pytest.raises(TransientError):
        of_text(body).check()


def test_a_body_larger_than_any_budget_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_ynab.response.MAX_BODY", 1 << 20)
    assert of_text(b" " * (1 << 20)).size == 1 << 20
    with pytest.raises(YNABError, match="more than 1 MiB"):
        of_text(b" " * ((1 << 20) + 1))


def test_a_closed_response_has_no_rows_any_more() -> None:
    response = of_data(rows=[])
    assert not is_closed(response)
    response.close()
    assert is_closed(response)


def test_text_of_thousands_of_digits_is_text() -> None:
    assert list(of_data(rows=[{"memo": "1" * 9_000}]).rows("rows")) == [{"memo": "1" * 9_000}]


@pytest.mark.parametrize("value", [10**30, -1])
def test_a_counter_that_no_column_takes_is_none(value: int) -> None:
    response = of_text(f'{{"data": {{"server_knowledge": {value}}}}}')
    response.check()
    assert response.server_knowledge is None
