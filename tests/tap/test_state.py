"""What a state says has been read, and that the next run begins there."""

from __future__ import annotations

from base64 import b64encode
from copy import deepcopy
from hashlib import blake2b
from typing import TYPE_CHECKING

import pytest

from tests.support.bookmarks import bookmarks, complete, counters
from tests.support.rows import BUDGET_STREAMS, DELTA_STREAMS, FULL_STREAMS, STREAMS
from tests.support.runs import good, ids, of_budget
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Finished, Tap

#: What a bookmark holds beside the counters: the date, or month, that it is good for.
ALSO_IN_BOOKMARK = {
    "transactions": {"since_date", "export_is_partial"},
    "categories": {"month"},
}


def test_one_bookmark_for_each_stream_and_budget(first: Finished, sandbox: Sandbox) -> None:
    state = first.state
    assert state.keys() == {"bookmarks"}
    assert state["bookmarks"].keys() == {*STREAMS, "syncs"}
    # How many requests were sent, for the limit of an hour.
    assert state["bookmarks"]["budgets"].keys() == {"requests", "names"}
    found = bookmarks(state)
    for stream in BUDGET_STREAMS:
        assert state["bookmarks"][stream].keys() == {"partitions"}
        for budget in sandbox.budgets:
            bookmark = found[stream, budget.id]
            assert bookmark["context"] == {"budget_id": budget.id}
            if stream in FULL_STREAMS:
                assert bookmark.keys() <= {"context", "knowledge", "fingerprint"}
                continue
            assert bookmark.keys() == {
                "context",
                "replication_key",
                "replication_key_value",
                "knowledge",
                *ALSO_IN_BOOKMARK.get(stream, ()),
            }
            assert bookmark["replication_key"] == "server_knowledge"
            assert bookmark["replication_key_value"] == budget.server_knowledge
            assert set(bookmark["knowledge"].values()) == {budget.server_knowledge}
            asked_twice = stream in {"transactions", "scheduled_transactions"}
            assert set(bookmark["knowledge"]) == {"export", *(["endpoint"] * asked_twice)}
    assert len(found) == len(BUDGET_STREAMS) * len(sandbox.budgets)


def test_bookmarks_follow_the_counter_where_nothing_of_a_stream_changed(
    tap: Tap, first: Finished, budget: Budget, other: Budget
) -> None:
    budget.edit("payee_locations", budget.entities("payee_locations")[0]["id"], latitude="1.5")
    delta = good(tap.run(state=first.state))
    assert not [row for stream in DELTA_STREAMS for row in delta.records(stream)]
    assert [row["latitude"] for row in delta.records("payee_locations")] == ["1.5"]
    assert counters(delta, budget) == dict.fromkeys(DELTA_STREAMS, 1001)
    assert counters(delta, other) == dict.fromkeys(DELTA_STREAMS, 1000)


def test_a_row_carries_the_counter_at_which_it_was_read(
    tap: Tap, first: Finished, budget: Budget
) -> None:
    edited = budget.entities("payees")[0]["id"]
    budget.edit("payees", edited, name="Edited")
    delta = good(tap.run(state=first.state))
    assert {row["server_knowledge"] for row in first.records("payees")} == {1000}
    assert [(row["id"], row["server_knowledge"]) for row in delta.records("payees")] == [
        (edited, 1001)
    ]


def test_no_state_says_more_than_the_rows_before_it(tap: Tap, sandbox: Sandbox) -> None:
    """A state comes every 10,000 rows, thus also in the middle of a budget's transactions."""
    larger = small_sandbox(10_500)
    sandbox.budgets[:] = larger.budgets
    left = {
        (stream, budget.id): len(budget.entities(stream))
        for stream in BUDGET_STREAMS
        for budget in larger.budgets
    }
    in_the_middle = 0
    for message in good(tap.run()).messages:
        if message["type"] == "RECORD" and message["stream"] in BUDGET_STREAMS:
            left[message["stream"], message["record"]["budget_id"]] -= 1
        if message["type"] == "STATE":
            assert not [key for key in complete(message["value"]) if left[key]]
            in_the_middle += 0 < left["transactions", larger.budgets[0].id] < 10_500
    assert in_the_middle
    assert set(left.values()) == {0}


def test_no_state_forgets_what_was_read_before(
    tap: Tap, first: Finished, sandbox: Sandbox, budget: Budget
) -> None:
    """The loader may keep any of them as the last one."""
    before = bookmarks(first.state)
    budget.edit("accounts", budget.entities("accounts")[0]["id"], note="1001")
    sandbox.fail("404", path="/months$")
    delta = tap.run(state=first.state)
    states = [message["value"] for message in delta.messages if message["type"] == "STATE"]
    assert states
    for state in states:
        found = bookmarks(state)
        for stream in DELTA_STREAMS:
            for each in sandbox.budgets:
                key = (stream, each.id)
                assert found[key]["replication_key_value"] >= before[key]["replication_key_value"]


@pytest.mark.parametrize(
    ("before", "after"), [("1970-01-01", "2026-10-01"), ("2026-10-01", "2026-08-01")]
)
def test_another_since_date_has_all_transactions_read_again_and_nothing_else(
    tap: Tap, sandbox: Sandbox, budget: Budget, before: str, after: str
) -> None:
    state = good(tap.run(since_date=before)).state
    sandbox.clear_requests()
    changed = good(tap.run(state=state, since_date=after))
    wanted = {row["id"] for row in budget.entities("transactions") if row["date"] >= after}
    assert of_budget(changed, "transactions", budget) == wanted
    assert not changed.records("accounts")
    assert "transactions" not in changed.activated()
    assert not good(tap.run(state=changed.state, since_date=after)).records("transactions")


def old_names(budget: Budget) -> dict[str, str]:
    """Names as the state held them before they became one string."""

    def packed(text: str, size: int) -> str:
        return b64encode(blake2b(text.encode(), digest_size=size).digest()).decode()

    rows = (row for kind in ("accounts", "categories", "payees") for row in budget.entities(kind))
    return {packed(row["id"], 6): packed(row["name"], 3) for row in rows}


def test_a_state_of_an_earlier_version_continues_without_a_full_load(
    tap: Tap, first: Finished, sandbox: Sandbox, budget: Budget
) -> None:
    state = deepcopy(first.state)
    state["bookmarks"]["budgets"]["names"] = {each.id: old_names(each) for each in sandbox.budgets}
    for stream in ("money_movements", "money_movement_groups"):
        state["bookmarks"][stream] = {"digest": "0a1b", "partitions": []}
    payee = next(row["payee_id"] for row in budget.entities("transactions") if row["payee_id"])
    budget.edit("payees", payee, name="A new name")
    delta = good(tap.run(state=state))
    assert [row["id"] for row in delta.records("payees")] == [payee]
    assert {row["payee_id"] for row in delta.records("transactions")} == {payee}
    assert isinstance(delta.state["bookmarks"]["budgets"]["names"][budget.id], str)
    assert "digest" not in delta.state["bookmarks"]["money_movements"]
    # Money movements alone are read again.
    assert delta.activated() == {"budgets", "money_movements", "money_movement_groups"}


def test_the_state_of_a_large_household_fits_on_a_page(tap: Tap, budget: Budget) -> None:
    for number in range(1_000):
        budget.add("payees", name=f"Payee {number}")
    names = good(tap.run()).state["bookmarks"]["budgets"]["names"]
    assert len(names[budget.id]) < 10_000


@pytest.mark.parametrize("use_export", [True, False])
@pytest.mark.parametrize("kind", ["payees", "categories", "transactions"])
def test_deletions_arrive_if_one_budget_alone_is_read_in_full(
    tap: Tap, first: Finished, other: Budget, kind: str
) -> None:
    """As after a full refresh that was killed: no version marks the rows of the other budget."""
    state = deepcopy(first.state)
    for stream in DELTA_STREAMS:
        partitions = state["bookmarks"][stream]["partitions"]
        partitions[:] = [p for p in partitions if p["context"]["budget_id"] != other.id]
    gone = other.entities(kind)[-1]["id"]
    other.delete(kind, gone)
    finished = good(tap.run(state=state))
    assert kind not in finished.activated()
    assert {row["id"] for row in finished.records(kind) if row["deleted"]} == {gone}
    assert of_budget(finished, kind, other) == ids(other, kind) | {gone}
