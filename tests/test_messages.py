"""What the tap says, in which order, and what it asks YNAB for to know it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from catalogs import Catalog
from rows import BUDGET_STREAMS, STREAMS
from small import first_run, good, small_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline import Finished, Row, State, Tap
    from ynab_sandbox import Sandbox
    from ynab_sandbox.plan import Plan

FULL_STREAMS = {"budgets", "payee_locations", "money_movements", "money_movement_groups"}
DELTA_STREAMS = set(STREAMS) - FULL_STREAMS
#: What a bookmark holds beside the counters: the date, or month, that it is good for.
ALSO_IN_BOOKMARK = {
    "transactions": {"since_date", "export_is_partial"},
    "categories": {"month"},
}
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


@pytest.fixture
def sandbox() -> Sandbox:
    """Two budgets with little in them, at counter 1000."""
    return small_sandbox()


@pytest.fixture
def plan(sandbox: Sandbox) -> Plan:
    """The first budget."""
    return sandbox.plans[0]


@pytest.fixture
def other(sandbox: Sandbox) -> Plan:
    """The second budget."""
    return sandbox.plans[1]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A first run, which is the same for each test's account: nothing has happened yet."""
    return first_run(tmp_path_factory.mktemp("first"))


def bookmarks(state: State) -> dict[tuple[str, str], Row]:
    """Bookmarks by stream and budget."""
    found: dict[tuple[str, str], Row] = {}
    for stream, content in state["bookmarks"].items():
        for partition in content.get("partitions", ()):
            key = (stream, partition["context"]["budget_id"])
            assert key not in found
            found[key] = partition
    return found


def counters(finished: Finished, plan: Plan) -> dict[str, int]:
    """The counter of each stream's bookmark of a budget."""
    found = bookmarks(finished.state)
    return {stream: found[stream, plan.id]["replication_key_value"] for stream in DELTA_STREAMS}


def asked(sandbox: Sandbox) -> Counter[str]:
    """Addresses with their parameters, and how often they were asked for."""
    return Counter(
        request.path.removeprefix("/v1")
        + "".join(f" {name}={value}" for name, value in sorted(request.query.items()))
        for request in sandbox.requests
    )


def addresses(
    plan: Plan, *lists: str, known: int | None = None, since: str = BEGINNING
) -> set[str]:
    """Addresses of a budget's lists, as `asked` writes them."""
    found = set()
    for path in lists:
        is_delta = known is not None and path not in WITHOUT_DELTA
        counter = f" last_knowledge_of_server={known}" if is_delta else ""
        date = f" since_date={since}" if path == "/transactions" else ""
        found.add(f"/plans/{plan.id}{path}{counter}{date}")
    return found


def once(*found: Iterable[str]) -> Counter[str]:
    """The list of budgets, then each of these, once."""
    return Counter(["/plans include_accounts=true", *(each for some in found for each in some)])


def of_budget(finished: Finished, stream: str, plan: Plan) -> set[str]:
    return {row["id"] for row in finished.records(stream) if row["budget_id"] == plan.id}


def ids(plan: Plan, stream: str) -> set[str]:
    return {row["id"] for row in plan.entities(stream)}


# Schemas, rows and the end of a stream.


def test_a_schema_comes_before_its_rows_with_key_and_counter(first: Finished) -> None:
    announced: dict[str, Row] = {}
    for message in first.messages:
        if message["type"] == "SCHEMA":
            announced[message["stream"]] = message
        elif message["type"] == "RECORD":
            schema = announced[message["stream"]]["schema"]
            assert message["record"].keys() <= schema["properties"].keys()
    assert announced.keys() == set(STREAMS)
    for stream, message in announced.items():
        assert message["key_properties"] == ["id"]
        wanted = ["server_knowledge"] if stream in DELTA_STREAMS else []
        assert (message.get("bookmark_properties") or []) == wanted, stream
        assert message["schema"]["required"] == ["id"]


def test_ids_are_there_and_never_twice(first: Finished) -> None:
    for stream in STREAMS:
        rows = first.records(stream)
        assert rows
        assert len({row["id"] for row in rows}) == len(rows), stream


def test_months_and_their_categories_have_ids_of_their_own(first: Finished, plan: Plan) -> None:
    assert of_budget(first, "months", plan) == {
        f"{plan.id}|{row['month']}" for row in plan.entities("months")
    }
    assert of_budget(first, "month_categories", plan) == {
        f"{plan.id}|{row['month']}|{row['id']}" for row in plan.entities("month_categories")
    }


def test_a_full_run_ends_each_stream_with_the_version_of_its_rows(first: Finished) -> None:
    for stream in STREAMS:
        own = [m for m in first.messages if m.get("stream") == stream and m["type"] != "SCHEMA"]
        *rows, end = own
        assert {row["type"] for row in rows} == {"RECORD"}, stream
        assert end["type"] == "ACTIVATE_VERSION"
        assert {row["version"] for row in rows} == {end["version"]}


def test_a_later_full_run_has_a_higher_version(tap: Tap, first: Finished) -> None:
    def versions(finished: Finished) -> set[int]:
        return {message["version"] for message in finished.messages if "version" in message}

    assert max(versions(first)) < min(versions(good(tap.run())))


def test_a_delta_run_ends_only_what_it_read_in_full(tap: Tap, first: Finished, plan: Plan) -> None:
    plan.edit("transactions", plan.entities("transactions")[0]["id"], memo="edited")
    delta = good(tap.run(state=first.state))
    # Payee locations come with what else changed.
    assert delta.activated() == FULL_STREAMS - {"payee_locations"}
    assert delta.records("transactions")
    assert not any("version" in m for m in delta.messages if m.get("stream") in DELTA_STREAMS)


def said(finished: Finished) -> set[str]:
    """Streams of which anything was said."""
    return {message["stream"] for message in finished.messages if "stream" in message}


def test_an_idle_run_says_nothing_but_which_budgets_there_are(tap: Tap, first: Finished) -> None:
    assert said(good(tap.run(state=first.state))) == {"budgets"}


def test_money_moved_is_written_whole_where_anything_happened(
    tap: Tap, first: Finished, sandbox: Sandbox, plan: Plan
) -> None:
    gone, edited = (row["id"] for row in plan.entities("money_movements")[:2])
    plan.forget("money_movements", gone)
    plan.edit("money_movements", edited, note="changed")
    delta = good(tap.run(state=first.state))
    assert delta.activated() == {"budgets", "money_movements", "money_movement_groups"}
    wanted = {row["id"] for each in sandbox.plans for row in each.entities("money_movements")}
    assert {row["id"] for row in delta.records("money_movements")} == wanted
    assert said(good(tap.run(state=delta.state))) == {"budgets"}


def test_money_moved_comes_again_after_a_budget_failed(
    tap: Tap, first: Finished, sandbox: Sandbox, plan: Plan, other: Plan
) -> None:
    moved = plan.add("money_movements", amount=1)
    sandbox.fail("404", path=f"{other.id}/money_movements$")
    failed = tap.run(state=first.state)
    assert failed.code == 1
    assert moved in of_budget(failed, "money_movements", plan)
    assert "money_movements" not in failed.activated()
    plan.forget("money_movements", moved)
    again = good(tap.run(state=failed.state))
    assert "money_movements" in again.activated()
    assert of_budget(again, "money_movements", plan) == ids(plan, "money_movements")


def test_money_moved_is_written_where_it_was_left_out_before(tap: Tap, first: Finished) -> None:
    filtered = {"money_movements": {"__filter__": "False"}}
    without = good(tap.run(state=first.state, stream_maps=filtered))
    assert "money_movements" not in without.activated()
    again = good(tap.run(state=without.state))
    assert "money_movements" in again.activated()
    assert len(again.records("money_movements")) == len(first.records("money_movements"))


def test_nothing_is_asked_for_after_the_end(tap: Tap, sandbox: Sandbox) -> None:
    sandbox.fail("401", path="/plans/", times=100)
    assert tap.run().code == 1
    assert len(sandbox.requests) == 2


def test_a_full_refresh_by_the_catalog_reads_and_ends_everything(
    tap: Tap, first: Finished, plan: Plan
) -> None:
    full = good(tap.run(*Catalog(tap).in_full(*STREAMS).arguments(), state=first.state))
    assert full.activated() == set(STREAMS)
    assert of_budget(full, "transactions", plan) == ids(plan, "transactions")


@pytest.mark.parametrize("how_many", [1, 2])
def test_a_run_of_chosen_budgets_ends_nothing(tap: Tap, sandbox: Sandbox, how_many: int) -> None:
    chosen = sandbox.plans[:how_many]
    finished = good(tap.run(budget_ids=[plan.id for plan in chosen]))
    assert not finished.activated()
    assert not any("version" in message for message in finished.messages)
    assert {row["id"] for row in finished.records("budgets")} == {plan.id for plan in chosen}
    for stream in BUDGET_STREAMS:
        budgets = {row["budget_id"] for row in finished.records(stream)}
        assert budgets == {plan.id for plan in chosen}, stream


def test_a_date_that_leaves_transactions_out_ends_all_but_those(tap: Tap, plan: Plan) -> None:
    finished = good(tap.run(since_date="2026-11-01"))
    assert finished.activated() == set(STREAMS) - {"transactions"}
    wanted = {r["id"] for r in plan.entities("transactions") if r["date"] >= "2026-11-01"}
    assert of_budget(finished, "transactions", plan) == wanted
    assert wanted != ids(plan, "transactions")


def test_an_account_without_budgets_is_no_reason_to_mark_rows(
    tap: Tap, first: Finished, sandbox: Sandbox
) -> None:
    for plan in list(sandbox.plans):
        sandbox.remove_plan(plan.id)
    for finished in (good(tap.run()), good(tap.run(state=first.state))):
        assert not finished.activated()
        assert not [m for m in finished.messages if m["type"] == "RECORD"]


@pytest.mark.parametrize("use_export", [False])
@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("path", ["/payees", "/payee_locations"])
def test_a_budget_that_fails_ends_nothing_and_leaves_the_other_its_rows(
    tap: Tap, sandbox: Sandbox, path: str, failing: int
) -> None:
    stream = path.removeprefix("/")
    broken, whole = sandbox.plans[failing], sandbox.plans[1 - failing]
    sandbox.fail("404", path=f"{broken.id}{path}$")
    finished = tap.run()
    assert finished.code == 1
    assert broken.id in finished.log.splitlines()[-1]
    assert "Traceback" not in finished.log
    assert stream not in finished.activated()
    assert of_budget(finished, stream, whole) == ids(whole, stream)
    assert not of_budget(finished, stream, broken)
    assert of_budget(finished, "transactions", broken) == ids(broken, "transactions")
    found = bookmarks(finished.state)
    if stream in DELTA_STREAMS:
        assert found[stream, whole.id]["replication_key_value"] == 1000
        assert "replication_key_value" not in found.get((stream, broken.id), {})
    assert found["transactions", broken.id]["replication_key_value"] == 1000

    # The next run reads what was missed, and nothing else again.
    again = good(tap.run(state=finished.state))
    assert of_budget(again, stream, broken) == ids(broken, stream)
    assert not again.records("transactions")


@pytest.mark.parametrize("use_export", [False])
def test_a_refusal_of_one_list_ends_the_run_with_what_was_read_before(
    tap: Tap, sandbox: Sandbox, plan: Plan, other: Plan
) -> None:
    sandbox.fail("403", path=f"{other.id}/payees$")
    finished = tap.run()
    assert finished.code == 1
    assert "Traceback" not in finished.log
    assert "payees" not in finished.activated()
    assert of_budget(finished, "payees", plan) == ids(plan, "payees")
    found = bookmarks(finished.state)
    assert found["payees", plan.id]["replication_key_value"] == 1000
    assert "replication_key_value" not in found.get(("payees", other.id), {})

    again = good(tap.run(state=finished.state))
    assert of_budget(again, "payees", other) == ids(other, "payees")
    assert not of_budget(again, "payees", plan)


# Bookmarks.


def test_one_bookmark_for_each_stream_and_budget(first: Finished, sandbox: Sandbox) -> None:
    state = first.state
    assert state.keys() == {"bookmarks"}
    assert state["bookmarks"].keys() == set(STREAMS)
    # How many requests were sent, for the limit of an hour.
    assert state["bookmarks"]["budgets"].keys() == {"requests", "names"}
    found = bookmarks(state)
    for stream in BUDGET_STREAMS:
        assert state["bookmarks"][stream].keys() <= {"partitions", "digest"}
        for plan in sandbox.plans:
            bookmark = found[stream, plan.id]
            assert bookmark["context"] == {"budget_id": plan.id}
            if stream in FULL_STREAMS:
                assert bookmark.keys() <= {"context", "knowledge"}
                continue
            assert bookmark.keys() == {
                "context",
                "replication_key",
                "replication_key_value",
                "knowledge",
                *ALSO_IN_BOOKMARK.get(stream, ()),
            }
            assert bookmark["replication_key"] == "server_knowledge"
            assert bookmark["replication_key_value"] == plan.server_knowledge
            assert set(bookmark["knowledge"].values()) == {plan.server_knowledge}
            asked_twice = stream in {"transactions", "scheduled_transactions"}
            assert set(bookmark["knowledge"]) == {"export", *(["endpoint"] * asked_twice)}
    assert len(found) == len(BUDGET_STREAMS) * len(sandbox.plans)


def test_bookmarks_follow_the_counter_where_nothing_of_a_stream_changed(
    tap: Tap, first: Finished, plan: Plan, other: Plan
) -> None:
    plan.edit("payee_locations", plan.entities("payee_locations")[0]["id"], latitude="1.5")
    delta = good(tap.run(state=first.state))
    assert not [row for stream in DELTA_STREAMS for row in delta.records(stream)]
    assert [row["latitude"] for row in delta.records("payee_locations")] == ["1.5"]
    assert counters(delta, plan) == dict.fromkeys(DELTA_STREAMS, 1001)
    assert counters(delta, other) == dict.fromkeys(DELTA_STREAMS, 1000)


def test_a_row_carries_the_counter_at_which_it_was_read(
    tap: Tap, first: Finished, plan: Plan
) -> None:
    edited = plan.entities("payees")[0]["id"]
    plan.edit("payees", edited, name="Edited")
    delta = good(tap.run(state=first.state))
    assert {row["server_knowledge"] for row in first.records("payees")} == {1000}
    assert [(row["id"], row["server_knowledge"]) for row in delta.records("payees")] == [
        (edited, 1001)
    ]


def test_no_state_says_more_than_the_rows_before_it(tap: Tap, sandbox: Sandbox) -> None:
    """A state comes every 10,000 rows, thus also in the middle of a budget's transactions."""
    larger = small_sandbox(10_500)
    sandbox.plans[:] = larger.plans
    left = {
        (stream, plan.id): len(plan.entities(stream))
        for stream in BUDGET_STREAMS
        for plan in larger.plans
    }
    in_the_middle = 0
    for message in good(tap.run()).messages:
        if message["type"] == "RECORD" and message["stream"] != "budgets":
            left[message["stream"], message["record"]["budget_id"]] -= 1
        if message["type"] == "STATE":
            done = {
                key
                for key, bookmark in bookmarks(message["value"]).items()
                if "replication_key_value" in bookmark
            }
            assert not [key for key in done if left[key]]
            in_the_middle += 0 < left["transactions", larger.plans[0].id] < 10_500
    assert in_the_middle
    assert set(left.values()) == {0}


def test_no_state_forgets_what_was_read_before(
    tap: Tap, first: Finished, sandbox: Sandbox, plan: Plan
) -> None:
    """The loader may keep any of them as the last one."""
    before = bookmarks(first.state)
    plan.edit("accounts", plan.entities("accounts")[0]["id"], note="1001")
    sandbox.fail("404", path="/months$")
    delta = tap.run(state=first.state)
    states = [message["value"] for message in delta.messages if message["type"] == "STATE"]
    assert states
    for state in states:
        found = bookmarks(state)
        for stream in DELTA_STREAMS:
            for budget in sandbox.plans:
                key = (stream, budget.id)
                assert found[key]["replication_key_value"] >= before[key]["replication_key_value"]


@pytest.mark.parametrize("use_export", [True, False])
@pytest.mark.parametrize("knowledge", [0, 1001])
def test_a_counter_that_goes_back_has_the_budget_read_in_full(
    tap: Tap, sandbox: Sandbox, knowledge: int, *, use_export: bool
) -> None:
    plan, other = sandbox.plans
    plan.edit("accounts", plan.entities("accounts")[0]["id"], note="1001")
    plan.edit("accounts", plan.entities("accounts")[0]["id"], note="1002")
    first = good(tap.run())
    plan.rewind(knowledge)
    sandbox.clear_requests()
    again = good(tap.run(state=first.state))
    for stream in ("accounts", "category_groups", "categories", "payees", "transactions"):
        assert of_budget(again, stream, plan) == ids(plan, stream), stream
        assert not of_budget(again, stream, other)
    assert len(of_budget(again, "month_categories", plan)) == len(plan.entities("month_categories"))
    assert counters(again, plan) == dict.fromkeys(DELTA_STREAMS, knowledge)
    assert counters(again, other) == dict.fromkeys(DELTA_STREAMS, 1000)
    lists = LISTS if not use_export else FIRST
    delta = [path for path in lists if path not in WITHOUT_DELTA]
    # The export has told that the counter went back before the others are asked.
    asked_for = delta if not use_export else [""]
    assert asked(sandbox) == once(
        addresses(plan, *asked_for, known=1002),
        # What was deleted is in deltas only.
        addresses(plan, *delta, known=0),
        addresses(plan, *delta),
        addresses(plan, *WITHOUT_DELTA.intersection(lists)),
        addresses(other, *(lists if not use_export else ("", *MONEY)), known=1000),
    )


# Requests.


@pytest.mark.parametrize(
    ("use_export", "lists", "idle_lists"),
    [(True, FIRST, ("", *MONEY)), (False, LISTS, LISTS)],
    ids=["export", "endpoints"],
)
def test_requests_of_a_first_run_and_of_an_idle_one(
    tap: Tap, sandbox: Sandbox, lists: tuple[str, ...], idle_lists: tuple[str, ...]
) -> None:
    run = good(tap.run())
    assert sandbox.requests[0].path == "/v1/plans"
    assert asked(sandbox) == once(*(addresses(plan, *lists) for plan in sandbox.plans))

    sandbox.clear_requests()
    idle = good(tap.run(state=run.state))
    assert sandbox.requests[0].path == "/v1/plans"
    assert asked(sandbox) == once(
        *(addresses(plan, *idle_lists, known=1000) for plan in sandbox.plans)
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
    plan, other = sandbox.plans
    entity = plan.entities(kind)[0]
    plan.edit(kind, entity["month" if kind == "months" else "id"], **fields)
    delta = good(
        tap.run(*Catalog(tap).only(*set(STREAMS) - MONEY_STREAMS).arguments(), state=first.state)
    )
    # Names are joined to all transactions, those are not asked for by delta.
    known = None if kind == "payees" else 1000
    assert asked(sandbox) == once(
        addresses(plan, "", known=1000),
        addresses(plan, *also, known=known),
        addresses(other, "", known=1000),
    )
    assert delta.records(kind)


def test_every_request_for_transactions_says_since_when(
    tap: Tap, sandbox: Sandbox, plan: Plan
) -> None:
    arguments = Catalog(tap).only("transactions").arguments()
    state = good(tap.run(*arguments)).state
    state = good(tap.run(*arguments, state=state)).state
    state = good(tap.run(*arguments, state=state, since_date="2026-10-01")).state
    state = good(tap.run(*arguments, state=state, since_date="2026-10-01")).state
    plan.edit("payee_locations", plan.entities("payee_locations")[0]["id"], latitude="1")
    plan.rewind(7)
    good(tap.run(*arguments, state=state, since_date="2026-10-01"))
    requests = [r for r in sandbox.requests if r.path == f"/v1/plans/{plan.id}/transactions"]
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


@pytest.mark.parametrize(
    ("before", "after"), [(BEGINNING, "2026-10-01"), ("2026-10-01", "2026-08-01")]
)
def test_another_since_date_has_all_transactions_read_again_and_nothing_else(
    tap: Tap, sandbox: Sandbox, plan: Plan, before: str, after: str
) -> None:
    state = good(tap.run(since_date=before)).state
    sandbox.clear_requests()
    changed = good(tap.run(state=state, since_date=after))
    wanted = {row["id"] for row in plan.entities("transactions") if row["date"] >= after}
    assert of_budget(changed, "transactions", plan) == wanted
    assert not changed.records("accounts")
    assert "transactions" not in changed.activated()
    assert not good(tap.run(state=changed.state, since_date=after)).records("transactions")


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
    assert asked(sandbox) == once(*(addresses(plan, *ALONE[stream]) for plan in sandbox.plans))
    said = {message["stream"] for message in finished.messages if "stream" in message}
    assert said == finished.activated() == {stream}
    assert finished.records(stream)


def test_a_transaction_has_the_type_of_its_account_though_accounts_are_not_read(
    tap: Tap, plan: Plan
) -> None:
    types = {account["id"]: account["type"] for account in plan.entities("accounts")}
    finished = good(tap.run(*Catalog(tap).only("transactions").arguments()))
    rows = [row for row in finished.records("transactions") if row["budget_id"] == plan.id]
    assert rows
    assert all(row["account_type"] == types[row["account_id"]] for row in rows)


@pytest.mark.parametrize(
    ("first", "second"), [("categories", "category_groups"), ("category_groups", "categories")]
)
def test_groups_and_categories_catch_up_when_one_joins_later(
    tap: Tap, sandbox: Sandbox, plan: Plan, first: str, second: str
) -> None:
    catalog = Catalog(tap)
    state = good(tap.run(*catalog.only(first).arguments())).state
    sandbox.clear_requests()
    both = good(tap.run(*catalog.only(first, second).arguments(), state=state))
    assert of_budget(both, second, plan) == ids(plan, second)
    # For the first one the changes, and for the second all there is.
    assert asked(sandbox) == once(
        *(
            addresses(each, "/categories", known=known)
            for each in sandbox.plans
            for known in (1000, None)
        )
    )
    group = plan.entities("category_groups")[0]
    plan.edit("category_groups", group["id"], name="Edited")
    delta = good(tap.run(*catalog.arguments(), state=both.state))
    assert [row["name"] for row in delta.records("category_groups")] == ["Edited"]


# What has a turn of its own.


@pytest.mark.parametrize("stream", ["transactions", "scheduled_transactions"])
def test_parts_of_a_deleted_split_are_deleted(
    tap: Tap, first: Finished, plan: Plan, stream: str
) -> None:
    split = next(row for row in plan.entities(stream) if row["subtransactions"])
    plan.delete(stream, split["id"])
    [row] = [r for r in good(tap.run(state=first.state)).records(stream) if r["id"] == split["id"]]
    assert row["deleted"] is True
    assert [part["id"] for part in row["subtransactions"]] == [
        part["id"] for part in split["subtransactions"]
    ]
    assert {part["deleted"] for part in row["subtransactions"]} == {True}


def test_a_part_taken_out_of_a_split_is_deleted_alone(
    tap: Tap, first: Finished, plan: Plan
) -> None:
    split = next(r for r in plan.entities("transactions") if len(r["subtransactions"]) > 1)
    kept = [
        {"amount": split["amount"], "category_id": split["subtransactions"][0]["category_id"]},
        {"amount": 0, "category_id": split["subtransactions"][1]["category_id"]},
    ]
    plan.edit("transactions", split["id"], subtransactions=kept)
    rows = good(tap.run(state=first.state)).records("transactions")
    [row] = [each for each in rows if each["id"] == split["id"]]
    assert row["deleted"] is False
    flags = {part["id"]: part["deleted"] for part in row["subtransactions"]}
    assert all(flags[part["id"]] for part in split["subtransactions"])
    assert list(flags.values()).count(False) == 2


@pytest.mark.parametrize("use_export", [True, False])
def test_a_budget_that_never_had_scheduled_transactions(tap: Tap, plan: Plan, other: Plan) -> None:
    for row in plan.entities("scheduled_transactions"):
        plan.forget("scheduled_transactions", row["id"])
    plan.had_scheduled = False
    without = good(tap.run())
    assert not of_budget(without, "scheduled_transactions", plan)
    assert of_budget(without, "scheduled_transactions", other) == ids(
        other, "scheduled_transactions"
    )

    plan.had_scheduled = True
    added = plan.add("scheduled_transactions")
    later = good(tap.run(state=without.state))
    assert of_budget(later, "scheduled_transactions", plan) == {added}
    assert not of_budget(later, "scheduled_transactions", other)


@pytest.mark.parametrize("use_export", [False])
def test_a_budget_that_is_gone_during_the_run_is_no_empty_one(
    tap: Tap, sandbox: Sandbox, other: Plan
) -> None:
    gone = json.dumps({"error": {"id": "404.2", "name": "x", "detail": "Resource not found"}})
    for path in (f"{other.id}/scheduled_transactions", f"{other.id}/settings"):
        sandbox.fail("status", status=404, body=gone, path=path)
    finished = tap.run()
    assert finished.code == 1
    assert other.id in finished.log.splitlines()[-1]
    assert "scheduled_transactions" not in finished.activated()
