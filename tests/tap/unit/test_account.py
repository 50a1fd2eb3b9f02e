"""Budgets are found by id, and shown by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from tap_ynab.account import Account
from tap_ynab.errors import AccountError, NotFoundError, YNABError

from tests.tap.unit.responses import of_data

if TYPE_CHECKING:
    from tap_ynab.client import YNABClient
    from tap_ynab.response import Response

BUDGETS: list[dict[str, Any]] = [
    {"id": "b1", "name": "Household", "accounts": [{"id": "a1", "type": "checking"}]},
    {"id": "b2", "name": "Club", "accounts": [{"id": "a2", "type": "cash"}]},
    {"id": "b3", "name": "Household"},
]


def account(*wanted: str, budgets: list[dict[str, Any]] = BUDGETS) -> Account:
    def get(path: str, **params: str) -> Response:
        assert (path, params) == ("/plans", {"include_accounts": "true"})
        return of_data(plans=budgets)

    return Account(cast("YNABClient", SimpleNamespace(get=get)), wanted)


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        ((), ["Household (b1)", "Club", "Household (b3)"]),
        (("b2", "b1"), ["Club", "Household"]),
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
    [(BUDGETS[1:], r"b2 \(Club\), b3 \(Household\)\."), ([], r"none\.")],
)
def test_an_unknown_budget_is_named_and_so_are_those_there_are(
    budgets: list[dict[str, Any]], seen: str
) -> None:
    with pytest.raises(AccountError, match=rf"no budget b8, b9\. It sees: {seen}$"):
        _ = account("b8", "B9", budgets=budgets).budgets


def test_what_is_no_id_of_a_budget_is_not_repeated() -> None:
    with pytest.raises(
        AccountError, match=r"sees no budget that is no id, b8\. It sees: "
    ) as error:
        _ = account("s3cr3t-t0ken", "b8").budgets
    assert "t0ken" not in str(error.value)


@pytest.mark.parametrize("budget", [5, "b1", None, []])
def test_a_list_of_what_is_no_budget_is_an_error(budget: Any) -> None:
    with pytest.raises(YNABError, match="no object for a row of plans"):
        _ = account(budgets=[*BUDGETS, budget]).budgets


@pytest.mark.parametrize("accounts", [5, "a", {}, [5], [None], [{}], [{"id": []}], [{"id": "a9"}]])
def test_accounts_without_types_have_none(accounts: Any) -> None:
    found = account(budgets=[*BUDGETS, {"id": "b4", "name": None, "accounts": accounts}])
    types = found.account_types
    assert {name: types.get(name) for name in ("a1", "a2", "a9")} == {
        "a1": "checking",
        "a2": "cash",
        "a9": None,
    }


@pytest.mark.parametrize("budget_id", [None, 5, "", "x" * 101, "../b1", "b1?x", "bü", {}, ["b1"]])
def test_a_budget_that_no_request_could_name_is_not_read(budget_id: object) -> None:
    odd = {"name": "Odd", "accounts": [{"id": "a9", "type": "cash"}]}
    for budgets in ([*BUDGETS, {**odd, "id": budget_id}], [odd, *BUDGETS]):
        found = account(budgets=budgets)
        assert found.budget_ids == ["b1", "b2", "b3"]
        assert "a9" not in found.account_types
        assert (found.has_unreadable_budgets, found.has_all_budgets) == (True, False)
    assert not account().has_unreadable_budgets


def test_a_budget_that_is_listed_twice_is_read_once() -> None:
    assert account(budgets=[*BUDGETS, BUDGETS[0]]).budget_ids == ["b1", "b2", "b3"]


def test_a_budget_is_called_by_the_beginning_of_a_long_name() -> None:
    found = account(budgets=[{"id": "b1", "name": "x" * 1000}, {"id": "b2"}])
    assert found.label("b1") == "x" * 100 + "..."
    assert found.label("b2") == "None"


@pytest.mark.parametrize(
    ("number", "new", "why"), [(1001, 0, "more than 1000 budgets"), (900, 800, "more than 2 MiB")]
)
def test_a_list_of_budgets_that_memory_could_not_bear_is_refused(
    number: int, new: int, why: str
) -> None:
    budgets = [{"id": f"b{each}", "new": [{}] * new} for each in range(number)]
    with pytest.raises(AccountError, match=f"^A list .*{why}.* is none of YNAB's"):
        _ = account(budgets=budgets).budgets
    assert len(account(budgets=budgets[:500]).budget_ids) == 500


def test_an_account_without_budgets_is_not_whole() -> None:
    def get(_path: str, **_params: str) -> Response:
        raise NotFoundError("404.2")

    found = Account(cast("YNABClient", SimpleNamespace(get=get)), ())
    assert (found.budgets, found.has_all_budgets) == ([], False)


def test_types_of_accounts_of_the_budgets_that_are_read() -> None:
    assert account().account_types == {"a1": "checking", "a2": "cash"}
    assert account("b2").account_types == {"a2": "cash"}
