"""Runs of one stream or one budget, as docs/schedules.md shows them, harm nothing else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bookmarks import bookmarks
from tests.support.meltano_project import MELTANO, Project, project_of
from tests.support.pages import page
from tests.support.rows import DELTA_STREAMS, assert_equal
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ynab_sandbox import Sandbox

SHOWN = {row[0]: row[1] for row in page("docs/schedules.md").table("to sync", "command")}


@pytest.fixture
def account() -> Sandbox:
    return small_sandbox()


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path, account: Sandbox) -> Iterator[Project]:
    """A project into which the account is loaded."""
    installed(MELTANO)
    with project_of(account, tmp_path) as project:
        sync(project, SHOWN["what changed"])
        yield project


def sync(project: Project, shown: str, **ids: str) -> None:
    """Run a command of the table."""
    command = shown.strip("`")
    for name, value in ids.items():
        command = command.replace(name, value)
    variables = dict(re.findall(r"(\w+)='?(.*?)'? (?=\.venv|[A-Z])", command))
    arguments = command.partition(".venv/bin/meltano ")[2].split()
    finished = project.run(*arguments, **variables)
    assert finished.returncode == 0, finished.stderr


def counters(project: Project) -> dict[tuple[str, str], int]:
    """Bookmarks of streams with deltas."""
    shown = project.run("state", "get", "local:tap-ynab-to-target-postgres").stdout
    state: dict[str, Any] = json.loads(shown)
    return {
        key: bookmark["replication_key_value"]
        for key, bookmark in bookmarks(state.get("singer_state", state)).items()
        if key[0] in DELTA_STREAMS
    }


def test_one_stream_one_budget_and_all_rows_again(project: Project, account: Sandbox) -> None:
    database = project.database(".data/postgres")
    before = counters(project)
    budget, other = account.budgets
    for each in (budget, other):
        for kind in ("payees", "accounts"):
            each.edit(kind, each.entities(kind)[0]["id"], name=f"Edited {kind}")

    sync(project, SHOWN["one stream"])
    after = counters(project)
    assert {
        stream
        for stream, budget_id in after
        if after[stream, budget_id] != before[stream, budget_id]
    } == {"payees"}

    sync(project, SHOWN["one budget"], YOUR_ID=other.id)
    names = [row["name"] for row in database.alive("accounts").values()]
    assert names.count("Edited accounts") == 1
    assert all(
        (counter > 1000) == (budget_id == other.id or stream == "payees")
        for (stream, budget_id), counter in counters(project).items()
    )

    moved = counters(project)
    database.execute("update ynab.payees set name = 'Wrong'")
    sync(project, SHOWN["all rows of one stream"])
    assert "Wrong" not in {row["name"] for row in database.alive("payees").values()}
    assert counters(project) == moved

    sync(project, SHOWN["what changed"])
    assert_equal(database, account)
