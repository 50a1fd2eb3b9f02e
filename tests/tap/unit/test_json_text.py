"""Text that a parser could not bear is refused, in little time, and all other text arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_ynab.errors import YNABError
from tap_ynab.json_text import DEEPEST, LONGEST, LONGEST_KEY, LONGEST_NUMBER, JSONText

MEBIBYTE = 1 << 20
#: Levels of a response down to a field of a row.
AROUND = 4


def taken(body: str | bytes, chunk: int = 1 << 18) -> bytes:
    text = body.encode() if isinstance(body, str) else body
    chunks = (text[at : at + chunk] for at in range(0, len(text), chunk))
    return b"".join(JSONText(3).blocks(chunks))


def of_field(text: str) -> str:
    """The body with a row of which one field is this text."""
    return f'{{"data": {{"rows": [{{"id": "a"}}, {{"id": "b", "new": {text}}}]}}}}'


def nested(levels: int, begin: str = "[", end: str = "]") -> str:
    return begin * levels + "0" + end * levels


def refused(body: str | bytes, why: str) -> None:
    with pytest.raises(YNABError, match=rf"^An answer with .*{why}.* is none of YNAB's\."):
        taken(body)


LISTS, OBJECTS = ("[", "]"), ('{"a": ', "}")
#: What is closed beside it, and brackets that are text, do not hide nesting.
BESIDE = ('[[], {"]": "]"}, ', "]")
IN_TEXT = ('{"]}": ["\\"]", ', "]}")


@pytest.mark.parametrize("brackets", [LISTS, OBJECTS, BESIDE, IN_TEXT])
@pytest.mark.parametrize("levels", [DEEPEST * 2, 20_000, 400_000])
def test_deep_nesting_is_refused(brackets: tuple[str, str], levels: int) -> None:
    refused(of_field(nested(levels, *brackets)), "levels of nesting")


@pytest.mark.parametrize("brackets", [LISTS, OBJECTS])
def test_nesting_to_the_limit_arrives(brackets: tuple[str, str]) -> None:
    body = of_field(nested(DEEPEST - AROUND, *brackets))
    assert taken(body) == body.encode()
    refused(of_field(nested(DEEPEST - AROUND + 1, *brackets)), "levels of nesting")


def test_brackets_in_texts_are_not_nesting() -> None:
    texts = ["[" * 500, "{[" * 500, '\\"[[' * 100, "\\\\", '"', "]" * 500]
    body = json.dumps({"data": {"rows": [{"id": text, text: [text]} for text in texts * 40]}})
    assert taken(body) == body.encode()


# Long things


@pytest.mark.parametrize(
    "unit", ["\\\\", '\\"', "\\u005c", "\\ud83d\\ude00", "u", "0", "[", "x", " ", "é"]
)
def test_a_long_text_is_refused_and_half_of_it_arrives(unit: str) -> None:
    size = len(unit.encode())
    body = of_field(f'"{unit * (MEBIBYTE // size)}"')
    assert taken(body) == body.encode()
    refused(of_field(f'"{unit * (16 * MEBIBYTE // size)}"'), "text of more than 2 MiB")


@pytest.mark.parametrize("unit", [" ", "\n", "1, ", "0.5,"])
def test_megabytes_without_a_text_are_refused(unit: str) -> None:
    refused("[" + unit * (4 * MEBIBYTE // len(unit)), "more than 2 MiB")


@pytest.mark.parametrize("value", ['{"a": ""}', '"ab"', '["a", 1]', '{"a": {"b": ["c"]}}'])
def test_a_row_of_megabytes_is_refused(value: str) -> None:
    values = ", ".join([value] * (4 * MEBIBYTE // len(value)))
    refused(of_field(f"[{values}]"), "row of more than 2 MiB")


@pytest.mark.parametrize("before", ['"x": {"item": [', '"x": {"item": {"list": ['])
def test_a_list_at_another_place_than_rows_is_not_read_as_one_row(before: str) -> None:
    values = ", ".join(['{"a": ""}'] * MEBIBYTE)
    refused(f'{{"data": {{{before}{values}', "row of more than 2 MiB")


def test_rows_together_may_be_longer() -> None:
    rows = [{"id": str(number), "memo": "some text", "parts": [{}]} for number in range(100_000)]
    body = json.dumps({"data": {"rows": rows}})
    assert len(body) > 2 * LONGEST
    assert taken(body) == body.encode()


@pytest.mark.parametrize("after", ["", " ", "\n\t "])
@pytest.mark.parametrize("size", [LONGEST_KEY + 1, MEBIBYTE])
def test_a_long_key_is_refused(after: str, size: int) -> None:
    refused(of_field(f'{{"{"k" * size}"{after}: 1}}'), "key of more than")


@pytest.mark.parametrize("text", ["k" * LONGEST_KEY, ": 1", '\\": ' * 200])
def test_other_keys_arrive(text: str) -> None:
    body = of_field(f'{{"{text}": ["{text * 5}", ": 1", "{text * 5}"]}}')
    assert taken(body) == body.encode()


@pytest.mark.parametrize("digits", [LONGEST_NUMBER + 1, 50_000])
@pytest.mark.parametrize("number", ["{}", "-{}", "0.{}", "[1, {}, 1]", "1e{}"])
def test_a_number_of_thousands_of_digits_is_refused(number: str, digits: int) -> None:
    """The parser in C would end the process."""
    refused(of_field(number.format("1" * digits)), "number of more than")


@pytest.mark.parametrize("text", [f'"{"1" * 9_000}"', "1" * LONGEST_NUMBER, f"0.{'1' * 4_000}"])
def test_other_digits_arrive(text: str) -> None:
    body = of_field(text)
    assert taken(body) == body.encode()


# Blocks

VALUES = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('\\"[]{}:,u0x\n'), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\[a', max_size=3), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(value=VALUES, block=st.integers(1, 40), chunk=st.integers(1, 40))
def test_text_arrives_as_it_is_and_no_block_ends_in_a_text(
    value: Any, block: int, chunk: int
) -> None:
    body = json.dumps({"data": {"rows": [value]}}).encode()
    chunks = (body[at : at + chunk] for at in range(0, len(body), chunk))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tap_ynab.json_text.BLOCK", block)
        blocks = list(JSONText(3).blocks(chunks))
    assert b"".join(blocks) == body
    for text in blocks:
        plain = text.replace(b"\\\\", b"").replace(b'\\"', b"")
        assert plain.count(b'"') % 2 == 0


@pytest.mark.parametrize("end", [1, 7, 20, 25, 31, 40])
def test_a_body_that_breaks_off_arrives_as_far_as_it_came(end: int) -> None:
    body = of_field('"' + "[" * 500)[:end].encode()
    assert taken(body, 3) == body
