"""Budgets are found by id, and shown by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from tap_ynab.account import Account, printable
from tap_ynab.errors import AccountError, NotFoundError

from tests.tap.unit.responses import of_data

if TYPE_CHECKING:
    from tap_ynab.client import YNABClient
    from tap_ynab.response import Response

BUDGETS: list[dict[str, Any]] = [
    {"id": "b1", "name": "Household", "accounts": [{"id": "a1", "type": "checking"}]},
    {"id": "b2", "name": "Club\x1b[31m\n", "accounts": [{"id": "a2", "type": "cash"}]},
    {"id": "b3", "name": "Household"},
]


def account(*wanted: str, budgets: list[dict[str, Any]] = BUDGETS) -> Account:
    def get(path: str, **params: str) -> Response:
        assert (path, params) == ("/plans", {"include_accounts": "true"})
        return of_data(plans=budgets)

    return Account(cast("YNABClient", SimpleNamespace(get=get)), wanted)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Our Household", "Our Household"),
        ("Zwölf 予算 'quoted' \\", "Zwölf 予算 'quoted' \\"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\x1b[31mred\x7f\0", r"\x1b[31mred\x7f\x00"),
        ("\u202eright to left\u2028", r"\u202eright to left\u2028"),
        (None, "None"),
        (5, "5"),
    ],
)
def test_text_for_the_log_is_one_line_without_control_characters(text: object, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        ((), ["Household (b1)", r"Club\x1b[31m\n", "Household (b3)"]),
        (("b2", "b1"), [r"Club\x1b[31m\n", "Household"]),
    ],
)
def test_a_budget_is_called_by_its_name_and_by_its_id_if_names_are_the_same(
    wanted: tuple[str, ...], labels: list[str]
) -> None:
    found = account(*wanted)
    assert list(map(found.label, found.budget_ids)) == labels


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [((), ["b1", "b2", "b3"]), (("b3", "b1"), ["b3", "b1"]), ((" B2\n",), ["b2"])],
)
def test_budgets_are_those_that_are_wanted_or_all(wanted: tuple[str, ...], ids: list[str]) -> None:
    found = account(*wanted)
    assert not found.is_known
    assert found.budget_ids == ids
    assert found.is_known
    assert found.has_all_budgets == (not wanted)
    assert [budget["id"] for budget in found.all_budgets] == ["b1", "b2", "b3"]


@pytest.mark.parametrize(
    ("budgets", "seen"),
    [(BUDGETS[1:], r"b2 \(Club\\x1b\[31m\\n\), b3 \(Household\)\."), ([], r"none\.")],
)
def test_an_unknown_budget_is_named_and_so_are_those_there_are(
    budgets: list[dict[str, Any]], seen: str
) -> None:
    with pytest.raises(AccountError, match=rf"no budget b8, b9\. It sees: {seen}$"):
        _ = account("b8", "B9", budgets=budgets).budgets


def test_an_account_without_budgets_is_not_whole() -> None:
    def get(_path: str, **_params: str) -> Response:
        raise NotFoundError("404.2")

    found = Account(cast("YNABClient", SimpleNamespace(get=get)), ())
    assert (found.budgets, found.has_all_budgets) == ([], False)


def test_types_of_accounts_of_the_budgets_that_are_read() -> None:
    assert account().account_types == {"a1": "checking", "a2": "cash"}
    assert account("b2").account_types == {"a2": "cash"}
