"""`preview` tells what the next sync will do, and does nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.comparing import EQUAL, TROUBLE, compare, everything
from tests.support.rows import BUDGET_STREAMS, STREAMS
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Pipeline, Row

#: Rows that are added, changed and deleted, by stream.
Changes = dict[str, list[int]]


@pytest.fixture
def sandbox() -> Sandbox:
    """Two small budgets."""
    return small_sandbox()


def previewed(pipeline: Pipeline) -> dict[str, Changes]:
    """What a preview tells, by the name of the budget. It changes nothing in the database."""
    before = everything(pipeline.database)
    compared = compare(pipeline.database, pipeline.tap.run(state=pipeline.state), "--preview")
    assert compared.code == EQUAL, compared
    assert everything(pipeline.database) == before
    found: dict[str, Changes] = {}
    budget = ""
    heading, *lines = compared.report.splitlines()[3:]
    assert heading.split() == ["add", "change", "delete"]
    for line in lines:
        if stream := re.fullmatch(r"  (\w+)((?: +[\d,]+)+)", line):
            found[budget][stream[1]] = [int(n.replace(",", "")) for n in stream[2].split()]
        else:
            budget = line.removesuffix(": nothing")
            found[budget] = {}
    return found


def alive(pipeline: Pipeline) -> dict[str, dict[str, Row]]:
    """Rows of each stream by their ids, without what each run writes anew."""
    return {
        stream: {
            identity: {n: v for n, v in row.items() if n[:4] != "_sdc" and n != "server_knowledge"}
            for identity, row in pipeline.database.alive(stream).items()
        }
        for stream in STREAMS
    }


def synced(pipeline: Pipeline) -> dict[str, Changes]:
    """What a sync does, by the name of the budget."""
    before = alive(pipeline)
    assert pipeline.sync().code == 0
    after = alive(pipeline)
    names = {one: row["name"] for one, row in {**before["budgets"], **after["budgets"]}.items()}
    gone = before["budgets"].keys() - after["budgets"].keys()
    found: dict[str, Changes] = {one if one in gone else name: {} for one, name in names.items()}
    for stream in STREAMS:
        old, new = before[stream], after[stream]
        for identity in old.keys() | new.keys():
            kind = [
                identity not in old,
                identity in old and identity in new and old[identity] != new[identity],
                identity not in new,
            ]
            row = {**old, **new}[identity]
            budget = identity if stream == "budgets" else row["budget_id"]
            name = budget if budget in gone else names[budget]
            numbers = found[name].get(stream, [0, 0, 0])
            numbers = [n + k for n, k in zip(numbers, kind, strict=True)]
            if any(numbers):
                found[name][stream] = numbers
    return found


def test_nothing_new(pipeline: Pipeline) -> None:
    pipeline.sync()
    assert previewed(pipeline) == {"Our Household": {}, "Ferienwohnung": {}}


def test_edits_and_deletions_in_each_stream(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.sync()
    budget, other = sandbox.budgets
    for stream in set(BUDGET_STREAMS) - {"months", "month_categories", "category_groups"}:
        rows = budget.entities(stream)
        budget.edit(stream, rows[0]["id"], new_field="new")
        if stream not in {"accounts", "categories"}:
            budget.delete(stream, rows[-1]["id"])
    month = other.entities("month_categories")[0]
    other.edit("month_categories", (month["month"], month["id"]), budgeted=1)
    other.edit("months", month["month"], note="n")
    budget.add("transactions", amount=-1)
    budget.add("payees")
    wanted = previewed(pipeline)
    assert wanted["Our Household"].keys() >= set(BUDGET_STREAMS) - {"category_groups"}
    assert wanted["Our Household"]["transactions"][0] == 1
    assert wanted["Our Household"]["transactions"][2] == 1
    assert previewed(pipeline) == wanted
    assert synced(pipeline) == wanted
    assert previewed(pipeline) == {"Our Household": {}, "Ferienwohnung": {}}


def test_a_budget_that_is_new_and_one_that_is_gone(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.sync()
    gone = sandbox.budgets[1].id
    sandbox.add_budget("Club")
    sandbox.remove_budget(gone)
    wanted = previewed(pipeline)
    assert wanted[gone] == {"budgets": [0, 0, 1]}
    assert wanted["Club"]["budgets"] == [1, 0, 0]
    assert wanted["Our Household"] == {}
    assert synced(pipeline) == wanted


def test_a_new_month(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.sync()
    sandbox.advance_month()
    wanted = previewed(pipeline)
    assert wanted["Our Household"]["categories"][1]
    assert synced(pipeline) == wanted


def test_a_first_load(pipeline: Pipeline, sandbox: Sandbox) -> None:
    wanted = previewed(pipeline)
    transactions = len(sandbox.budgets[0].entities("transactions"))
    assert wanted["Our Household"]["transactions"] == [transactions, 0, 0]
    assert wanted["Our Household"].keys() == set(STREAMS)


def test_names_can_not_control_a_terminal(pipeline: Pipeline, sandbox: Sandbox) -> None:
    sandbox.add_budget("Red\x1b[31m\nalert")
    assert "Red\\x1b[31m\\nalert" in previewed(pipeline)


def test_an_account_that_was_not_read_to_its_end(pipeline: Pipeline, sandbox: Sandbox) -> None:
    pipeline.sync()
    sandbox.set_token(sandbox.token, "401")
    read = pipeline.tap.run(state=pipeline.state)
    assert read.code == 1
    compared = compare(pipeline.database, read, "--preview")
    assert (compared.code, compared.report) == (TROUBLE, "")
