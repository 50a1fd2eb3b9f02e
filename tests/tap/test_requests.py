"""What the tap asks YNAB for: each list once, and no more than it needs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.bookmarks import bookmarks, counters
from tests.support.catalogs import Catalog
from tests.support.rows import DELTA_STREAMS, STREAMS
from tests.support.runs import good, ids, of_budget, streams_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Finished, Pipeline, Row, Tap

#: Below a budget's own address, each asked for once a run; the export is "", with all of them or,
#: where the lists are asked for, only for month_categories.
LISTS = (
    "/accounts",
    "/categories",
    "/payees",
    "/payee_locations",
    "/transactions",
    "/scheduled_transactions",
    "/months",
    "",
    "/money_movements",
    "/money_movement_groups",
)
MONEY_STREAMS = {"money_movements", "money_movement_groups"}
MONEY = ("/money_movements", "/money_movement_groups")
#: What takes the place of the lists in a first run.
FIRST = ("", "/transactions", "/scheduled_transactions", *MONEY)
WITHOUT_DELTA = {"/payee_locations", "/money_movements", "/money_movement_groups"}
BEGINNING = "1970-01-01"


def requested(sandbox: Sandbox) -> Counter[str]:
    """Addresses with their parameters, and how often they were asked for."""
    return Counter(
        request.path.removeprefix("/v1")
        + "".join(f" {name}={value}" for name, value in sorted(request.query.items()))
        for request in sandbox.requests
    )


def addresses(
    budget: Budget, *lists: str, known: int | None = None, since: str = BEGINNING
) -> set[str]:
    """Addresses of a budget's lists, as `requested` writes them."""
    found = set()
    for path in lists:
        is_delta = known is not None and path not in WITHOUT_DELTA
        counter = f" last_knowledge_of_server={known}" if is_delta else ""
        date = f" since_date={since}" if path == "/transactions" else ""
        found.add(f"/plans/{budget.id}{path}{counter}{date}")
    return found


def once(*found: Iterable[str]) -> Counter[str]:
    """The list of budgets, then each of these, once."""
    return Counter(["/plans include_accounts=true", *(each for some in found for each in some)])


@pytest.mark.parametrize(
    ("use_export", "lists", "idle_lists"),
    [(True, FIRST, ("",)), (False, LISTS, LISTS)],
    ids=["export", "endpoints"],
)
def test_requests_of_a_first_run_and_of_an_idle_one(
    tap: Tap, sandbox: Sandbox, lists: tuple[str, ...], idle_lists: tuple[str, ...]
) -> None:
    run = good(tap.run())
    assert sandbox.requests[0].path == "/v1/plans"
    assert requested(sandbox) == once(*(addresses(budget, *lists) for budget in sandbox.budgets))

    sandbox.clear_requests()
    idle = good(tap.run(state=run.state))
    assert sandbox.requests[0].path == "/v1/plans"
    assert requested(sandbox) == once(
        *(addresses(budget, *idle_lists, known=1000) for budget in sandbox.budgets)
    )
    assert not [row for stream in DELTA_STREAMS for row in idle.records(stream)]
    assert bookmarks(idle.state) == bookmarks(run.state)


@pytest.mark.parametrize(
    ("kind", "fields", "also"),
    [
        ("transactions", {"memo": "m"}, ["/transactions"]),
        ("scheduled_transactions", {"memo": "m"}, ["/scheduled_transactions"]),
        ("accounts", {"note": "n"}, []),
        ("months", {"note": "n"}, []),
        ("payees", {"name": "n"}, ["/transactions", "/scheduled_transactions"]),
    ],
)
def test_requests_where_something_changed(  # noqa: PLR0913 a table's columns
    tap: Tap, first: Finished, sandbox: Sandbox, *, kind: str, fields: Row, also: list[str]
) -> None:
    budget, other = sandbox.budgets
    entity = budget.entities(kind)[0]
    budget.edit(kind, entity["month" if kind == "months" else "id"], **fields)
    delta = good(
        tap.run(*Catalog(tap).only(*set(STREAMS) - MONEY_STREAMS).arguments(), state=first.state)
    )
    # Names are joined to all transactions, those are not asked for by delta.
    known = None if kind == "payees" else 1000
    assert requested(sandbox) == once(
        addresses(budget, "", known=1000),
        addresses(budget, *also, known=known),
        addresses(other, "", known=1000),
    )
    assert delta.records(kind)


@pytest.mark.parametrize("use_export", [True, False])
@pytest.mark.parametrize("knowledge", [0, 1001])
def test_a_counter_that_goes_back_has_the_budget_read_in_full(
    tap: Tap, sandbox: Sandbox, knowledge: int, *, use_export: bool
) -> None:
    budget, other = sandbox.budgets
    budget.edit("accounts", budget.entities("accounts")[0]["id"], note="1001")
    budget.edit("accounts", budget.entities("accounts")[0]["id"], note="1002")
    first = good(tap.run())
    budget.rewind(knowledge)
    sandbox.clear_requests()
    again = good(tap.run(state=first.state))
    for stream in ("accounts", "category_groups", "categories", "payees", "transactions"):
        assert of_budget(again, stream, budget) == ids(budget, stream), stream
        assert not of_budget(again, stream, other)
    assert len(of_budget(again, "month_categories", budget)) == len(
        budget.entities("month_categories")
    )
    assert counters(again, budget) == dict.fromkeys(DELTA_STREAMS, knowledge)
    assert counters(again, other) == dict.fromkeys(DELTA_STREAMS, 1000)
    lists = LISTS if not use_export else FIRST
    delta = [path for path in lists if path not in WITHOUT_DELTA]
    # The export has told that the counter went back before the others are asked.
    asked_for = delta if not use_export else [""]
    assert requested(sandbox) == once(
        addresses(budget, *asked_for, known=1002),
        # What was deleted is in deltas only.
        addresses(budget, *delta, known=0),
        addresses(budget, *delta),
        addresses(budget, *WITHOUT_DELTA.intersection(lists)),
        addresses(other, *(lists if not use_export else ("",)), known=1000),
    )


@pytest.mark.parametrize("lagging", ["transactions", "categories"])
@pytest.mark.parametrize("use_export", [True, False])
def test_a_counter_that_goes_back_while_a_stream_lags_behind(
    pipeline: Pipeline, budget: Budget, lagging: str
) -> None:
    tap = pipeline.tap
    catalog = Catalog(tap)
    names = ["payees", "category_groups", "categories", "transactions"]
    first = good(tap.run(*catalog.only(*names).arguments()))
    budget.rewind(7)
    budget.add(lagging, id="new")
    # What the others know after this is less than what the one does, and yet newer.
    others = catalog.only(*(name for name in names if name != lagging))
    between = good(tap.run(*others.arguments(), state=first.state))
    again = good(tap.run(*catalog.only(*names).arguments(), state=between.state))
    assert "new" in of_budget(again, lagging, budget)
    for finished in (first, between, again):
        pipeline.load(finished.stdout)
    assert "new" in pipeline.database.alive(lagging)


def test_every_request_for_transactions_says_since_when(
    tap: Tap, sandbox: Sandbox, budget: Budget
) -> None:
    arguments = Catalog(tap).only("transactions").arguments()
    state = good(tap.run(*arguments)).state
    state = good(tap.run(*arguments, state=state)).state
    state = good(tap.run(*arguments, state=state, since_date="2026-10-01")).state
    state = good(tap.run(*arguments, state=state, since_date="2026-10-01")).state
    budget.edit("payee_locations", budget.entities("payee_locations")[0]["id"], latitude="1")
    budget.rewind(7)
    good(tap.run(*arguments, state=state, since_date="2026-10-01"))
    requests = [r for r in sandbox.requests if r.path == f"/v1/plans/{budget.id}/transactions"]
    assert [(r.query["since_date"], r.query.get("last_knowledge_of_server")) for r in requests] == [
        (BEGINNING, None),
        (BEGINNING, "1000"),
        ("2026-10-01", "1000"),  # what was deleted is in deltas only
        ("2026-10-01", None),
        ("2026-10-01", "1000"),
        ("2026-10-01", "1000"),
        ("2026-10-01", "0"),
        ("2026-10-01", None),
    ]
    assert not [r for r in sandbox.requests if "until_date" in r.query or "type" in r.query]


ALONE = {
    "budgets": (),
    "accounts": ("/accounts",),
    "category_groups": ("/categories",),
    "categories": ("/categories",),
    "transactions": ("/transactions",),
    "month_categories": ("",),
    "money_movements": ("/money_movements",),
}


@pytest.mark.parametrize("stream", ALONE)
def test_a_stream_alone_asks_only_for_what_it_needs(
    tap: Tap, sandbox: Sandbox, stream: str
) -> None:
    arguments = Catalog(tap).only(stream).arguments()
    assert not sandbox.requests, "discovery needs no account"
    finished = good(tap.run(*arguments))
    assert requested(sandbox) == once(
        *(addresses(budget, *ALONE[stream]) for budget in sandbox.budgets)
    )
    assert streams_in(finished) == finished.activated() == {stream}
    assert finished.records(stream)


@pytest.mark.parametrize(
    ("first", "second"), [("categories", "category_groups"), ("category_groups", "categories")]
)
def test_groups_and_categories_catch_up_when_one_joins_later(
    tap: Tap, sandbox: Sandbox, budget: Budget, first: str, second: str
) -> None:
    catalog = Catalog(tap)
    state = good(tap.run(*catalog.only(first).arguments())).state
    sandbox.clear_requests()
    both = good(tap.run(*catalog.only(first, second).arguments(), state=state))
    assert of_budget(both, second, budget) == ids(budget, second)
    # For the first one the changes, and for the second all there is.
    assert requested(sandbox) == once(
        *(
            addresses(each, "/categories", known=known)
            for each in sandbox.budgets
            for known in (1000, None)
        )
    )
    group = budget.entities("category_groups")[0]
    budget.edit("category_groups", group["id"], name="Edited")
    delta = good(tap.run(*catalog.arguments(), state=both.state))
    assert [row["name"] for row in delta.records("category_groups")] == ["Edited"]


def test_nothing_is_asked_for_after_the_end(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.fail("401", path="/plans/", times=100)
    assert tap.run().code == 1
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize("kind", ["payees", "money_movements"])
def test_a_budget_costs_one_request_if_only_another_one_changed(
    tap: Tap, first: Finished, sandbox: Sandbox, *, kind: str
) -> None:
    """Money movements are requested only for the budget whose counter moved."""
    budget, idle = sandbox.budgets
    budget.edit(kind, budget.entities(kind)[0]["id"], note="edited")
    good(tap.run(state=first.state))
    of_idle = {path: n for path, n in requested(sandbox).items() if idle.id in path}
    assert of_idle == dict.fromkeys(addresses(idle, "", known=1000), 1)
    assert requested(sandbox) >= once(addresses(budget, "", *MONEY, known=1000))
