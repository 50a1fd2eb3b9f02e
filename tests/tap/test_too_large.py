"""What YNAB can't answer in one go comes in parts, and nothing between them is missed."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
from ynab_sandbox import Sandbox, serve

from tests.support.pipeline import Pipeline, Tap
from tests.support.rows import assert_equal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ynab_sandbox.sandbox import Answer

    from tests.support.pipeline import Database


def test_an_export_that_takes_too_long_gives_way_to_the_months(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    budget = sandbox.budgets[0]
    sandbox.fail("503", path=f"plans/{budget.id}([?]|$)", times=1000)
    first = pipeline.sync()
    assert first.code == 0, first.log
    assert_equal(pipeline.database, sandbox)

    category = budget.entities("categories")[-1]["id"]
    month = budget.entities("months")[-3]["month"]
    budget.edit("month_categories", (month, category), budgeted=123_000)
    sandbox.clear_requests()
    assert pipeline.sync().code == 0
    assert len([r for r in sandbox.requests if re.search("/months/", r.path)]) == 3
    assert_equal(pipeline.database, sandbox)

    sandbox.clear_faults()
    budget.edit("month_categories", (month, category), budgeted=124_000)
    assert pipeline.sync().code == 0
    assert_equal(pipeline.database, sandbox)


def test_transactions_that_take_too_long_come_in_slices(
    pipeline: Pipeline, sandbox: Sandbox
) -> None:
    budget = sandbox.budgets[0]
    # The whole, and the first half of it, are too much for YNAB.
    sandbox.fail("503", path=f"{budget.id}/transactions", times=4)
    first = pipeline.sync()
    assert first.code == 0, first.log
    requested = [r for r in sandbox.requests if r.path.endswith(f"{budget.id}/transactions")]
    assert len([r for r in requested if r.status == 200]) == 3
    assert all("since_date" in r.query for r in requested)
    assert_equal(pipeline.database, sandbox)

    old = budget.entities("transactions")[0]["id"]
    budget.delete("transactions", old)
    sandbox.clear_requests()
    assert pipeline.sync().code == 0
    assert not [r for r in sandbox.requests if "until_date" in r.query]
    assert old not in pipeline.database.alive("transactions")


class Busy(Sandbox):
    """A sandbox in which something happens after the first answer to a request."""

    def after(self, path: str, happens: Callable[[], object], answers: int = 1) -> None:
        self._path = path
        self._happens = [happens] + [list] * (answers - 1)

    def answer(self, path: str, query: Mapping[str, str], token: str | None) -> Answer:
        given = super().answer(path, query, token)
        if given.status == 200 and re.search(self._path, path) and self._happens:
            self._happens.pop()()
        return given


@pytest.fixture
def busy(tmp_path: Path, database: Database) -> Iterator[tuple[Busy, Pipeline]]:
    sandbox = Busy(today=date(2026, 11, 21), rate_limit=None)
    with serve(sandbox) as url:
        tap = Tap(tmp_path, {"access_token": sandbox.token, "api_url": url})
        yield sandbox, Pipeline(tap, database)


def test_what_is_deleted_between_two_slices_comes_with_the_next_delta(
    busy: tuple[Busy, Pipeline],
) -> None:
    sandbox, pipeline = busy
    budget = sandbox.budgets[0]
    first = min(budget.entities("transactions"), key=lambda row: str(row["date"]))["id"]
    # The sandbox makes an answer also where a fault takes its place.
    sandbox.after(
        f"{budget.id}/transactions", lambda: budget.delete("transactions", first), answers=3
    )
    sandbox.fail("503", path=f"{budget.id}/transactions", times=2)
    pipeline.sync()
    assert first in pipeline.database.alive("transactions")
    pipeline.sync()
    assert_equal(pipeline.database, sandbox)


def test_what_is_deleted_between_the_answers_of_a_months_turn_comes_with_the_next_delta(
    busy: tuple[Busy, Pipeline],
) -> None:
    sandbox, pipeline = busy
    budget = sandbox.budgets[0]
    last = budget.entities("categories")[-1]["id"]
    sandbox.after("never", list)
    pipeline.sync()
    sandbox.advance_month()
    sandbox.after(f"{budget.id}/categories", lambda: budget.delete("categories", last))
    pipeline.sync()
    pipeline.sync()
    assert_equal(pipeline.database, sandbox, old_names=True)
