"""The plan export without its transactions holds all other rows, and tells what changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_ynab.errors import YNABError
from tap_ynab.export import FLAT, LISTS, Export
from tap_ynab.feeds import ExportUse
from tap_ynab.json_text import BLOCK
from tap_ynab.renames import NAMED
from tap_ynab.streams import STREAMS

from tests.tap.unit.responses import NOW, closed_later, is_closed, of_text

#: Text that looks like the lists of an export, but is the note of an account.
LIKE_KEYS = '"transactions": [ ], "months": [{"date": "1901-01-01"}], \\"payees": ["\\'
ROWS: dict[str, list[dict[str, Any]]] = {
    **{name: [{"id": f"{name} {n}", "parts": [n]} for n in range(2)] for name in LISTS},
    "accounts": [{"id": "a", "note": LIKE_KEYS, 'my "transactions': [1], "rates": {"1": [1]}}],
}
FLAT_ROWS: dict[str, list[dict[str, Any]]] = {
    "transactions": [
        {"id": "t1", "date": "2026-03-04", "memo": LIKE_KEYS},
        {"id": "t2", "date": "2019-12-31", "memo": '"date": "1902-02-02" ]'},
        {"id": "t3", "date": "2026-03-05"},
    ],
    "subtransactions": [{"id": "s1", "date": "1903-01-01"}],
    "scheduled_transactions": [{"id": "st1", "date": "1904-01-01"}],
    "scheduled_subtransactions": [{"id": "ss1"}],
}
NO_FLAT_ROWS: dict[str, list[dict[str, Any]]] = {name: [] for name in sorted(FLAT)}
PLAN: dict[str, Any] = {"id": "b", "name": "[Household]", **ROWS, **FLAT_ROWS}


def text_of(plan: dict[str, Any], **spacing: Any) -> str:
    return json.dumps({"data": {"plan": plan, "server_knowledge": 7}}, **spacing)


def export_of(text: str) -> Export:
    response = of_text(text)
    response.check()
    return closed_later(Export(response, is_full=True))


def assert_cut(export: Export) -> None:
    for name, rows in ROWS.items():
        assert list(export.rows(f"plan.{name}")) == rows
    for name in FLAT:
        assert list(export.rows(f"plan.{name}")) == []


def test_only_transactions_are_cut_out() -> None:
    export = export_of(text_of(PLAN))
    assert_cut(export)
    assert (export.server_knowledge, export.date, export.is_full) == (7, NOW, True)
    assert export.changed == FLAT
    assert export.oldest == "2019-12-31"


@settings(max_examples=60, deadline=None)
@given(
    order=st.permutations(sorted(ROWS | FLAT_ROWS)),
    indent=st.none() | st.integers(0, 3),
    colon=st.sampled_from([":", " : ", "\n:\t"]),
    comma=st.sampled_from([",", " ,\n "]),
)
def test_order_of_keys_and_white_space_do_not_matter(
    order: list[str], indent: int | None, colon: str, comma: str
) -> None:
    plan = {"id": "b", "name": "[Household]", **{name: PLAN[name] for name in order}}
    export = export_of(text_of(plan, indent=indent, separators=(comma, colon)))
    assert_cut(export)
    assert (export.changed, export.oldest) == (FLAT, "2019-12-31")


def test_text_may_be_escaped_or_not() -> None:
    plan = {**PLAN, "name": "Zwölf Boxkämpfer"}
    assert_cut(export_of(text_of(plan, ensure_ascii=False)))


@pytest.mark.parametrize("name", sorted(FLAT))
def test_a_flat_list_with_rows_has_changed_and_no_other(name: str) -> None:
    plan = {**PLAN, **NO_FLAT_ROWS, name: FLAT_ROWS[name]}
    assert export_of(text_of(plan)).changed == {name}
    assert export_of(text_of(plan, indent=1)).changed == {name}


def test_nothing_changed_if_all_flat_lists_are_empty() -> None:
    export = export_of(text_of({**PLAN, **NO_FLAT_ROWS}))
    assert_cut(export)
    assert (export.changed, export.oldest) == (set(), None)


def test_an_empty_list_with_white_space_has_no_oldest_date() -> None:
    text = text_of({**PLAN, **NO_FLAT_ROWS}).replace("[]", "[ ]")
    assert export_of(text).oldest is None


@pytest.mark.parametrize("inside", range(0, 25, 3))
def test_dates_are_found_wherever_a_block_ends(inside: int) -> None:
    """The first block of the list ends with so many bytes of the oldest date."""
    filling = {"id": "t0", "date": "2026-01-01", "memo": "x" * 90}
    before = [filling] * (BLOCK // len(json.dumps(filling)) - 50)
    start = json.dumps([*before, {"memo": "", "date": "2001-02-03"}])[1:]
    padding = "x" * (BLOCK - inside - start.index('"date": "2001'))
    assert padding
    oldest = {"memo": padding, "date": "2001-02-03"}
    export = export_of(text_of({"transactions": [*before, oldest, *before], **ROWS}))
    assert export.oldest == "2001-02-03"
    assert export.size < BLOCK
    assert list(export.rows("plan.payees")) == ROWS["payees"]


@pytest.mark.parametrize("missing", [["payees"], ["accounts", "months"]])
def test_a_missing_list_is_an_error_that_names_it(missing: list[str]) -> None:
    plan = {name: rows for name, rows in PLAN.items() if name not in missing}
    with pytest.raises(YNABError, match=f"has no {' and no '.join(missing)}"):
        export_of(text_of(plan))


@pytest.mark.parametrize(
    "plan",
    [
        # YNAB might nest its lists one day, ...
        {**PLAN, "accounts": [{"id": "a", "transactions": [{"id": "t"}], "note": ""}]},
        # ... or put brackets between them.
        {**NO_FLAT_ROWS, "note": "one] two", **ROWS},
    ],
)
def test_what_cannot_be_cut_is_an_error_rather_than_wrong_rows(plan: dict[str, Any]) -> None:
    with pytest.raises(YNABError):
        export_of(text_of(plan))


def test_the_response_may_be_closed_and_the_export_closes_itself() -> None:
    response = of_text(text_of(PLAN))
    export = closed_later(Export(response, is_full=False))
    response.close()
    assert_cut(export)
    assert not export.is_full
    export.close()
    assert is_closed(export)


def test_the_export_keeps_the_lists_that_streams_read_and_cuts_the_others_out() -> None:
    feeds = [stream.feed for stream in STREAMS if stream.feed]
    read = {name for f in feeds if f.export is ExportUse.ROWS for name in f.export_lists}
    noted = {name for f in feeds if f.export is ExportUse.CHANGES for name in f.export_lists}
    assert read | set(NAMED) == LISTS, "tap_ynab.export.LISTS"
    assert noted == FLAT, "tap_ynab.export.FLAT"
