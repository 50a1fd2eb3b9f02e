"""What is kept between runs says how far each stream was read, and never more."""

from __future__ import annotations

import time
from base64 import b64encode
from copy import deepcopy
from hashlib import blake2b
from typing import Any

import pytest
from tap_ynab.errors import YNABError
from tap_ynab.feeds import (
    ENDPOINT,
    EXPORT,
    Batch,
    Feed,
    delta_list,
    full_list,
    shared_list,
    transaction_list,
)
from tap_ynab.renames import Names
from tap_ynab.state import Bookmark, RunState, intact

DELTA = delta_list("payees")
DATED = transaction_list("transactions", "subtransactions", is_dated=True)
MONTHLY = shared_list("categories", "/categories", "categories", is_monthly=True)
FULL = full_list("payee_locations")

SINCE = "2026-01-01"
MONTH = "2026-11-01"

State = dict[str, Any]


def bookmark(entry: State, feed: Feed = DELTA, *, is_kept: bool = True) -> Bookmark:
    label = "payees of Our Household"
    return Bookmark(entry, feed, label=label, since_date=SINCE, is_full_refresh=not is_kept)


def batch(source: str, counter: int | None, *, moves: bool = True) -> Batch:
    return Batch((), source, counter, MONTH, moves)


def read_to(counter: int, **knowledge: int) -> State:
    """The entry of a delta that was read to a counter."""
    return {
        "replication_key": "server_knowledge",
        "replication_key_value": counter,
        "knowledge": knowledge,
    }


# Where to continue


@pytest.mark.parametrize(
    ("feed", "entry", "export", "endpoint"),
    [
        (DELTA, {}, None, None),
        (DELTA, read_to(7, export=7), 7, 0),
        (DELTA, read_to(7, export=9, endpoint=7), 9, 7),
        (DELTA, {"replication_key_value": 7}, 0, 0),
        (DELTA, {"replication_key_value": 0}, 0, 0),
        (DELTA, {"knowledge": {"export": 7}}, None, None),
        (DATED, {**read_to(7, export=7), "since_date": SINCE}, 7, 0),
        (DATED, {**read_to(7, export=7), "since_date": "2025-01-01"}, None, None),
        (DATED, read_to(7, export=7), None, None),
        (MONTHLY, {**read_to(7, export=7), "month": "2026-10-01"}, 7, 0),
        (FULL, {}, None, None),
        (FULL, {"knowledge": {"endpoint": 7}}, None, 7),
        (FULL, {"knowledge": {"export": 0}}, 0, None),
    ],
)
def test_a_source_is_asked_since_what_it_has_told(
    feed: Feed, entry: State, export: int | None, endpoint: int | None
) -> None:
    """None stands for all rows; 0 for rows of the other source, so that deletions are missing."""
    found = bookmark(entry, feed)
    assert (found.since(EXPORT), found.since(ENDPOINT)) == (export, endpoint)


def test_another_date_of_oldest_rows_does_not_change_what_was_deleted_since() -> None:
    found = bookmark({**read_to(7, endpoint=7), "since_date": "2025-01-01"}, DATED)
    assert (found.since(ENDPOINT), found.since_with_other_date(ENDPOINT)) == (None, 7)


@pytest.mark.parametrize("feed", [DELTA, FULL])
def test_a_full_refresh_takes_no_notice_of_the_bookmark(feed: Feed) -> None:
    entry = read_to(7, export=7)
    found = bookmark(entry, feed, is_kept=False)
    assert found.since(EXPORT) is None
    found.commit([batch(EXPORT, 9)], 5)
    assert entry == read_to(7, export=7)


# Moving on


@pytest.mark.parametrize(
    ("feed", "batches", "entry"),
    [
        (DELTA, [batch(EXPORT, 7)], read_to(7, export=7)),
        (DELTA, [batch(ENDPOINT, 9), batch(ENDPOINT, 7)], read_to(7, endpoint=7)),
        (DELTA, [batch(ENDPOINT, 9), batch(EXPORT, 7)], read_to(7, endpoint=9, export=7)),
        (DELTA, [batch(ENDPOINT, 7), batch(ENDPOINT, 5, moves=False)], read_to(7, endpoint=7)),
        (DATED, [batch(ENDPOINT, 7)], {**read_to(7, endpoint=7), "since_date": SINCE}),
        (MONTHLY, [batch(EXPORT, 7)], {**read_to(7, export=7), "month": MONTH}),
        (FULL, [batch(ENDPOINT, 7)], {"knowledge": {"endpoint": 7}}),
        (FULL, [batch(ENDPOINT, None)], {"knowledge": {}}),
    ],
)
def test_a_bookmark_moves_to_the_lowest_counter_of_its_batches(
    feed: Feed, batches: list[Batch], entry: State
) -> None:
    found: State = {"renamed": ["p1"]}
    bookmark(found, feed).commit(batches, 1)
    assert found == entry


def test_a_source_that_was_not_asked_keeps_its_counter() -> None:
    entry = read_to(7, export=7, endpoint=5)
    bookmark(entry).commit([batch(EXPORT, 9)], 1)
    assert entry == read_to(9, export=9, endpoint=5)


@pytest.mark.parametrize("feed", [DELTA, DATED, MONTHLY, FULL])
def test_the_next_run_continues_where_this_one_ended(feed: Feed) -> None:
    entry: State = {}
    for counter in (7, 7, 9):
        found = bookmark(entry, feed)
        found.commit([batch(EXPORT, counter), batch(ENDPOINT, counter + 1)], 0)
        assert (found.since(EXPORT), found.since(ENDPOINT)) == (counter, counter + 1)


@pytest.mark.parametrize("feed", [DELTA, DATED, MONTHLY, FULL])
def test_without_a_response_nothing_moves(feed: Feed) -> None:
    entry = {**read_to(7, export=7), "renamed": ["p1"], "month": "2026-10-01", "since_date": "x"}
    before = deepcopy(entry)
    bookmark(entry, feed).commit([], 0)
    assert entry == before


@pytest.mark.parametrize(
    ("feed", "entry", "rows", "line"),
    [
        (DELTA, {}, 1200, "1,200 rows, server_knowledge none -> 9"),
        (DELTA, read_to(7), 1, "1 row, server_knowledge 7 -> 9"),
        (FULL, {}, 3, "3 rows"),
    ],
)
def test_a_commit_is_one_line_of_the_log(
    caplog: pytest.LogCaptureFixture, feed: Feed, entry: State, rows: int, line: str
) -> None:
    caplog.set_level("INFO")
    bookmark(entry, feed).commit([batch(EXPORT, 9)], rows)
    bookmark(entry, feed).commit([batch(EXPORT, 10)], 0)
    assert caplog.messages == [f"payees of Our Household: {line}"]


@pytest.mark.parametrize(("feed", "stays"), [(DELTA, ", server_knowledge stays 7"), (FULL, "")])
def test_why_a_bookmark_stays_is_one_line_of_the_log(
    caplog: pytest.LogCaptureFixture, feed: Feed, stays: str
) -> None:
    caplog.set_level("INFO")
    entry = read_to(7, export=7)
    bookmark(entry, feed).log_failure(2, YNABError("/payees: 503"))
    assert caplog.messages == [f"payees of Our Household: incomplete, 2 rows{stays}: /payees: 503"]
    assert entry == read_to(7, export=7)


@pytest.mark.parametrize(("feed", "since"), [(DELTA, 0), (FULL, None)])
def test_a_bookmark_that_is_reset_has_all_rows_read_and_some_taken_for_lost(
    feed: Feed, since: int | None
) -> None:
    found = bookmark({**read_to(7, export=7), "fingerprint": ["2026", "abc"]}, feed)
    found.reset()
    assert found.since(EXPORT) == since
    assert found.fingerprint == ["", ""]


# The run


def test_each_stream_of_each_budget_has_an_entry_of_its_own() -> None:
    state: State = {}
    run = RunState(state)
    for stream, budget_id in [("payees", "b1"), ("payees", "b2"), ("accounts", "b1")]:
        run.entry(stream, budget_id)["of"] = f"{stream} {budget_id}"
    assert run.entry("payees", "b2") is run.entry("payees", "b2")
    assert state == {
        "bookmarks": {
            "payees": {
                "partitions": [
                    {"context": {"budget_id": "b1"}, "of": "payees b1"},
                    {"context": {"budget_id": "b2"}, "of": "payees b2"},
                ]
            },
            "accounts": {"partitions": [{"context": {"budget_id": "b1"}, "of": "accounts b1"}]},
        }
    }


def test_a_new_name_is_noted_for_transactions_that_were_read_before() -> None:
    run = RunState({})
    read, other = run.entry("transactions", "b1"), run.entry("transactions", "b2")
    unread, payees = run.entry("scheduled_transactions", "b1"), run.entry("payees", "b1")
    for entry in (read, other, payees):
        entry.update(read_to(7))
    run.rename("b1", "p1")
    run.rename("b1", "a1")
    assert bookmark(read).renamed == ["p1", "a1"]
    assert [bookmark(entry).renamed for entry in (other, unread, payees)] == [[], [], []]


def test_budgets_that_are_gone_are_forgotten_and_reported_once() -> None:
    state: State = {}
    run = RunState(state)
    for budget_id in ("b3", "b1", "b2"):
        run.entry("payees", budget_id)
        run.entry("accounts", budget_id)
        run.names[budget_id] = "names"
    run.requests["60"] = 1
    assert run.forget_other_budgets(["b2", "new"]) == ["b1", "b3"]
    assert run.forget_other_budgets(["b2", "new"]) == []
    [partition] = state["bookmarks"]["payees"]["partitions"]
    assert partition == {"context": {"budget_id": "b2"}}
    assert (run.names, run.requests) == ({"b2": "names"}, {"60": 1})


def test_parts_that_are_left_are_kept_until_there_are_none() -> None:
    state: State = {}
    assert RunState(state).left == {}
    RunState(state).left = {"payees": ["b1"]}
    assert RunState(state).left == {"payees": ["b1"]}
    RunState(state).left = {}
    assert state == {"bookmarks": {"budgets": {}}}


def hashed(text: str, size: int) -> str:
    return b64encode(blake2b(text.encode(), digest_size=size).digest()).decode()


def test_a_state_with_an_entry_for_each_name_is_brought_up_to_date() -> None:
    rows = [{"id": f"p{n}", "name": f"Payee {n}"} for n in range(30)]
    old = {hashed(row["id"], 6): hashed(row["name"], 3) for row in rows}
    partitions = [{"context": {"budget_id": "b1"}, **read_to(7, export=7)}]
    state: State = {
        "bookmarks": {
            "budgets": {"names": {"b1": old}, "requests": {"60": 1}},
            "payees": {"partitions": partitions, "digest": "of an earlier version"},
        }
    }
    loaded = intact(state)
    packed = RunState(loaded).names["b1"]
    names, renamed = Names(packed), Names(packed)
    assert not [row for row in rows if names.has_new_name(row)]
    assert all(renamed.has_new_name({**row, "name": "Another"}) for row in rows)
    assert RunState(loaded).requests == {"60": 1}
    assert loaded["bookmarks"]["payees"] == {"partitions": partitions}


# A state that is loaded

NAMES = b64encode(b"123456").decode()


def partition(budget_id: str = "b1", **keys: Any) -> State:
    return {"context": {"budget_id": budget_id}, **read_to(7, export=7), **keys}


def of_stream(stream: str, *partitions: Any, **notes: Any) -> State:
    budgets = {"requests": {"60": 1}, "names": {"b1": NAMES}, **notes}
    return {"bookmarks": {"budgets": budgets, stream: {"partitions": [*partitions]}}}


def bookmarks_of(state: State, stream: str) -> list[str]:
    """Budgets of which the loaded state has a bookmark."""
    found = intact(state)["bookmarks"].get(stream, {}).get("partitions", [])
    return [each["context"]["budget_id"] for each in found]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"knowledge": {}},
        {"knowledge": {"export": 7, "endpoint": 2**63 - 1}},
        {"month": "2026-11-01", "since_date": "1970-01-01", "export_is_partial": True},
        {"renamed": ["p1"], "fingerprint": ["2026", "abc"]},
    ],
)
def test_a_state_of_this_version_stays_as_it_is(
    caplog: pytest.LogCaptureFixture, keys: State
) -> None:
    state = of_stream("transactions", partition(**keys), left={"payees": ["b1"]})
    assert intact(deepcopy(state)) == state
    assert not caplog.messages


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}, {"bookmarks": {"budgets": {}}}])
def test_an_empty_state_is_not_damaged(caplog: pytest.LogCaptureFixture, state: State) -> None:
    assert not any(intact(state)["bookmarks"].values())
    assert not caplog.messages


@pytest.mark.parametrize(
    "keys",
    [
        {"replication_key_value": "7"},
        {"replication_key_value": True},
        {"replication_key_value": 7.5},
        {"replication_key_value": -1},
        {"replication_key_value": 2**63},
        {"replication_key_value": 2**70},
        {"replication_key_value": None},
        {"replication_key": 5},
        {"knowledge": None},
        {"knowledge": [7]},
        {"knowledge": {"export": "7"}},
        {"knowledge": {"export": None}},
        {"knowledge": {"export": float("nan")}},
        {"knowledge": {"elsewhere": 7}},
        {"month": 5},
        {"since_date": ["1970-01-01"]},
        {"export_is_partial": 0},
        {"renamed": "p1"},
        {"renamed": [None]},
        {"renamed": ["\ud800"]},
        {"fingerprint": []},
        {"fingerprint": ["2026"]},
        {"context": {}},
        {"context": None},
        {"context": {"budget_id": 5}},
        {"context": {"budget_id": "\ud800"}},
    ],
)
def test_a_damaged_bookmark_is_as_none(caplog: pytest.LogCaptureFixture, keys: State) -> None:
    state = of_stream("payees", partition("b2"), {**partition(), **keys}, left={"payees": ["b2"]})
    assert bookmarks_of(state, "payees") == ["b2"]
    assert caplog.messages == ["The state is damaged. Reading in full: payees."]
    # A run that begins with what was left would not learn what was deleted.
    assert RunState(intact(state)).left == {}


@pytest.mark.parametrize("damaged", [None, 5, "text", [], [5], {"partitions": {}}])
def test_a_damaged_stream_has_no_bookmarks(
    caplog: pytest.LogCaptureFixture, damaged: object
) -> None:
    state = of_stream("payees", partition())
    state["bookmarks"]["accounts"] = damaged
    assert bookmarks_of(state, "accounts") == []
    assert bookmarks_of(state, "payees") == ["b1"]
    assert "The state is damaged. Reading in full: accounts." in caplog.messages


@pytest.mark.parametrize("damaged", [None, 5, "text", []])
def test_damaged_bookmarks_are_none(caplog: pytest.LogCaptureFixture, damaged: object) -> None:
    assert not any(intact({"bookmarks": damaged})["bookmarks"]["budgets"])
    assert caplog.messages == ["The state is damaged. Reading in full: all streams."]


def test_of_two_bookmarks_of_a_budget_none_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    state = of_stream("payees", partition("b1"), partition("b2"), partition("b1"))
    assert bookmarks_of(state, "payees") == ["b2"]
    assert caplog.messages


@pytest.mark.parametrize(
    "names",
    [
        *(None, 5, [], "text", {"b1": None}, {"b1": 5}, {"b1": ""}, {"b1": []}),
        *({"b1": "?"}, {"b1": "MTIz"}, {"b1": NAMES[:-1]}, {"b1": "\ud800"}, {"b1": {"?": "x"}}),
        *({"b1": {"MTIzNDU2": 5}}, {"b1": {}}),
    ],
)
@pytest.mark.parametrize("stream", ["transactions", "scheduled_transactions"])
def test_with_damaged_names_transactions_are_read_in_full(
    caplog: pytest.LogCaptureFixture, stream: str, names: object
) -> None:
    """A new name would go unnoticed."""
    state = of_stream(stream, partition(), names=names)
    state["bookmarks"]["payees"] = {"partitions": [partition()]}
    assert bookmarks_of(state, stream) == []
    assert bookmarks_of(state, "payees") == ["b1"]
    assert RunState(intact(state)).names == {}
    assert f"The state is damaged. Reading in full: {stream}." in caplog.messages


def test_without_names_nothing_is_damaged(caplog: pytest.LogCaptureFixture) -> None:
    """As if no names were ever read."""
    state = of_stream("transactions", partition())
    del state["bookmarks"]["budgets"]["names"]
    assert bookmarks_of(state, "transactions") == ["b1"]
    assert not caplog.messages


@pytest.mark.parametrize("left", [None, 5, [], {"payees": "b1"}, {"payees": [5]}, {"payees": None}])
def test_what_was_left_is_read_anyway(left: object) -> None:
    state = of_stream("payees", partition(), left=left)
    assert RunState(intact(state)).left == {}
    assert bookmarks_of(state, "payees") == ["b1"]


def test_requests_that_can_not_have_been_sent_are_not_counted() -> None:
    now = int(time.time())
    soon = {str(now + 60): 5, str(now + 86_400): 5, "9" * 12: 5, "9" * 5000: 5}
    odd = {"": 5, "-60": 5, "1e3": 5, "\u0663": 5, "60": -1, "120": "5", "180": None}
    state = of_stream("payees", requests={str(now - 60): 5, **soon, **odd})
    assert RunState(intact(state)).requests == {str(now - 60): 5}
    assert RunState(intact(of_stream("payees", requests=[5]))).requests == {}


def test_unknown_keys_are_left_out() -> None:
    state = of_stream("payees", partition(progress_markers=5, starting_replication_value=7))
    state["bookmarks"]["payees"]["digest"] = "of an earlier version"
    assert intact({**state, "currently_syncing": 5}) == of_stream("payees", partition())
