"""What the tap says of each stream: schema, rows, and an end that says which rows still are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import Catalog
from tests.support.rows import BUDGET_STREAMS, DELTA_STREAMS, STREAMS
from tests.support.runs import good, ids, of_budget, rows_of_ynab, streams_in

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox
    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Finished, Row, Tap


def test_a_schema_comes_before_its_rows_with_key_and_counter(first: Finished) -> None:
    announced: dict[str, Row] = {}
    for message in first.messages:
        if message["type"] == "SCHEMA":
            announced[message["stream"]] = message
        elif message["type"] == "RECORD":
            schema = announced[message["stream"]]["schema"]
            assert message["record"].keys() <= schema["properties"].keys()
    assert announced.keys() == {*STREAMS, "syncs"}
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


def test_months_and_their_categories_have_ids_of_their_own(first: Finished, budget: Budget) -> None:
    assert of_budget(first, "months", budget) == {
        f"{budget.id}|{row['month']}" for row in budget.entities("months")
    }
    assert of_budget(first, "month_categories", budget) == {
        f"{budget.id}|{row['month']}|{row['id']}" for row in budget.entities("month_categories")
    }


def test_a_transaction_has_the_type_of_its_account_though_accounts_are_not_read(
    tap: Tap, budget: Budget
) -> None:
    types = {account["id"]: account["type"] for account in budget.entities("accounts")}
    finished = good(tap.run(*Catalog(tap).only("transactions").arguments()))
    rows = [row for row in finished.records("transactions") if row["budget_id"] == budget.id]
    assert rows
    assert all(row["account_type"] == types[row["account_id"]] for row in rows)


@pytest.mark.parametrize("stream", ["transactions", "scheduled_transactions"])
def test_parts_of_a_deleted_split_are_deleted(
    tap: Tap, first: Finished, budget: Budget, stream: str
) -> None:
    split = next(row for row in budget.entities(stream) if row["subtransactions"])
    budget.delete(stream, split["id"])
    [row] = [r for r in good(tap.run(state=first.state)).records(stream) if r["id"] == split["id"]]
    assert row["deleted"] is True
    assert [part["id"] for part in row["subtransactions"]] == [
        part["id"] for part in split["subtransactions"]
    ]
    assert {part["deleted"] for part in row["subtransactions"]} == {True}


def test_a_part_taken_out_of_a_split_is_deleted_alone(
    tap: Tap, first: Finished, budget: Budget
) -> None:
    split = next(r for r in budget.entities("transactions") if len(r["subtransactions"]) > 1)
    kept = [
        {"amount": split["amount"], "category_id": split["subtransactions"][0]["category_id"]},
        {"amount": 0, "category_id": split["subtransactions"][1]["category_id"]},
    ]
    budget.edit("transactions", split["id"], subtransactions=kept)
    rows = good(tap.run(state=first.state)).records("transactions")
    [row] = [each for each in rows if each["id"] == split["id"]]
    assert row["deleted"] is False
    flags = {part["id"]: part["deleted"] for part in row["subtransactions"]}
    assert all(flags[part["id"]] for part in split["subtransactions"])
    assert list(flags.values()).count(False) == 2


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


def test_a_delta_run_ends_only_what_it_read_in_full(
    tap: Tap, first: Finished, budget: Budget
) -> None:
    budget.edit("transactions", budget.entities("transactions")[0]["id"], memo="edited")
    delta = good(tap.run(state=first.state))
    # Payee locations come with what else changed, money movements of a budget that changed alone.
    assert delta.activated() == {"budgets"}
    assert of_budget(delta, "money_movements", budget) == ids(budget, "money_movements")
    assert delta.records("transactions")
    assert not any("version" in m for m in delta.messages if m.get("stream") in DELTA_STREAMS)


def test_an_idle_run_says_nothing_but_which_budgets_there_are(tap: Tap, first: Finished) -> None:
    assert streams_in(good(tap.run(state=first.state))) == {"budgets"}


def test_money_movements_of_all_budgets_are_written_if_one_is_gone(
    tap: Tap, first: Finished, sandbox: Sandbox, budget: Budget
) -> None:
    gone, edited = (row["id"] for row in budget.entities("money_movements")[:2])
    budget.forget("money_movements", gone)
    budget.edit("money_movements", edited, note="changed")
    delta = good(tap.run(state=first.state))
    assert delta.activated() == {"budgets", "money_movements"}
    wanted = {row["id"] for each in sandbox.budgets for row in each.entities("money_movements")}
    assert {row["id"] for row in delta.records("money_movements")} == wanted
    assert streams_in(good(tap.run(state=delta.state))) == {"budgets"}


def test_money_moved_is_written_where_it_was_left_out_before(tap: Tap, first: Finished) -> None:
    filtered = {"money_movements": {"__filter__": "False"}}
    without = good(tap.run(state=first.state, stream_maps=filtered))
    assert "money_movements" not in without.activated()
    again = good(tap.run(state=without.state))
    assert "money_movements" in again.activated()
    assert len(again.records("money_movements")) == len(first.records("money_movements"))


def test_a_full_refresh_by_the_catalog_reads_and_ends_everything(
    tap: Tap, first: Finished, budget: Budget
) -> None:
    full = good(tap.run(*Catalog(tap).in_full(*STREAMS).arguments(), state=first.state))
    assert full.activated() == set(STREAMS)
    assert of_budget(full, "transactions", budget) == ids(budget, "transactions")


@pytest.mark.parametrize("how_many", [1, 2])
def test_a_run_of_chosen_budgets_ends_nothing(tap: Tap, sandbox: Sandbox, how_many: int) -> None:
    chosen = sandbox.budgets[:how_many]
    finished = good(tap.run(budget_ids=[budget.id for budget in chosen]))
    assert not finished.activated()
    assert not any("version" in message for message in finished.messages)
    assert {row["id"] for row in finished.records("budgets")} == {budget.id for budget in chosen}
    for stream in BUDGET_STREAMS:
        budgets = {row["budget_id"] for row in finished.records(stream)}
        assert budgets == {budget.id for budget in chosen}, stream


def test_a_date_that_leaves_transactions_out_ends_all_but_those(tap: Tap, budget: Budget) -> None:
    finished = good(tap.run(since_date="2026-11-01"))
    assert finished.activated() == set(STREAMS) - {"transactions"}
    wanted = {r["id"] for r in budget.entities("transactions") if r["date"] >= "2026-11-01"}
    assert of_budget(finished, "transactions", budget) == wanted
    assert wanted != ids(budget, "transactions")


def test_an_account_without_budgets_is_no_reason_to_mark_rows(
    tap: Tap, first: Finished, sandbox: Sandbox
) -> None:
    for budget in list(sandbox.budgets):
        sandbox.remove_budget(budget.id)
    for finished in (good(tap.run()), good(tap.run(state=first.state))):
        assert not finished.activated()
        assert not rows_of_ynab(finished)


def test_the_log_has_one_line_for_each_stream_and_budget_with_rows(
    tap: Tap, first: Finished, budget: Budget, other: Budget
) -> None:
    budget.edit("payees", budget.entities("payees")[0]["id"], name="Edited")
    log = good(tap.run(state=first.state)).log
    lines = [line.rpartition(" | ")[2] for line in log.splitlines()]
    assert f"payees of {budget.name}: 1 row, server_knowledge 1000 -> 1001" in lines
    assert f"of {other.name}:" not in log
    assert ": 0 rows" not in log
    assert re.fullmatch(r"Synced 2 budgets: \d+ rows, \d requests, \d+\.\d s", lines[-1])
    whole = good(tap.run()).log
    for stream in BUDGET_STREAMS:
        for each in (budget, other):
            [line] = [line for line in whole.splitlines() if f"| {stream} of {each.name}: " in line]
            counter = "1001" if each is budget else "1000"
            moved = f", server_knowledge none -> {counter}"
            assert line.endswith(moved) == (stream in DELTA_STREAMS)
    assert budget.id not in log + whole


def test_the_lines_of_the_sdk_appear_at_level_debug(tap: Tap) -> None:
    arguments = Catalog(tap).only("payees").arguments()
    tap.environment["TAP_YNAB_LOGLEVEL"] = "DEBUG"
    log = good(tap.run(*arguments)).log
    assert "METRIC: " in log
    assert "Starting incremental sync of 'payees'" in log


def test_control_characters_in_a_name_make_no_line_of_their_own(
    tap: Tap, budget: Budget, sandbox: Sandbox
) -> None:
    budget.name = "Ours\n2026-01-01 | ERROR | \x1b[31mforged"
    log = good(tap.run()).log
    assert sandbox.budgets[0].name not in log
    assert "accounts of Ours\\n2026-01-01 | ERROR | \\x1b[31mforged: 7 rows" in log
