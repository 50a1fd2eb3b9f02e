"""A new name is noticed, and so is each transaction that has the old one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_ynab.renames import Names, refers_to


def noted(names: Names, entities: dict[str, str]) -> list[str]:
    """Ids of those that have a new name."""
    return [i for i, name in entities.items() if names.has_new_name({"id": i, "name": name})]


@pytest.mark.parametrize(
    ("name", "has_new_name"),
    [("Baker", False), ("Bakery", True), ("baker", True), ("", True), (None, True)],
)
def test_a_name_is_new_if_there_was_another_one(name: str | None, has_new_name: bool) -> None:  # noqa: FBT001 a parameter
    names = Names()
    assert not names.has_new_name({"id": "p1", "name": "Baker"})
    assert names.has_new_name({"id": "p1", "name": name}) == has_new_name
    assert not names.has_new_name({"id": "p1", "name": name})
    assert not names.has_new_name({"id": "p2", "name": "Butcher"})


@settings(max_examples=50, deadline=None)
@given(
    entities=st.dictionaries(st.uuids().map(str), st.text(max_size=20), max_size=10),
    data=st.data(),
)
def test_packed_names_are_the_same_names(entities: dict[str, str], data: st.DataObject) -> None:
    names = Names()
    assert noted(names, entities) == []
    packed = names.pack()
    assert Names(packed).pack() == packed
    assert noted(Names(packed), entities) == []
    renamed = data.draw(st.sets(st.sampled_from(sorted(entities)))) if entities else set()
    found = noted(Names(packed), {i: f"{name}!" for i, name in entities.items() if i in renamed})
    assert set(found) == renamed


def test_a_thousand_names_are_a_few_kilobytes() -> None:
    names = Names()
    noted(names, {f"id {n}": f"name {n}" for n in range(1000)})
    assert len(names.pack()) == 8000


@pytest.mark.parametrize(
    ("row", "refers"),
    [
        ({"payee_id": "x"}, True),
        ({"category_id": "x"}, True),
        ({"account_id": "x"}, True),
        ({"id": "x", "payee_id": "y", "category_id": None}, False),
        ({"subtransactions": [{"payee_id": "y"}, {"category_id": "x"}]}, True),
        ({"subtransactions": [{"id": "x"}]}, False),
        ({"subtransactions": None}, False),
        ({"subtransactions": ["x", None]}, False),
        ({}, False),
    ],
)
def test_a_transaction_refers_to_an_entity_itself_or_in_a_part(
    row: dict[str, Any],
    refers: bool,  # noqa: FBT001 a parameter
) -> None:
    assert refers_to(row, ["x", "z"]) == refers
