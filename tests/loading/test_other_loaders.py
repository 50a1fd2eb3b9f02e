"""Other Singer tools read what the tap writes, and every row lands.

They need versions of packages that ours exclude, so each has an environment of its own, made by
`make .venv-loaders/installed` from the versions in `tests/loaders`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.pipeline import PROJECT
from tests.support.rows import STREAMS
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Database, Finished, Row, Tap

VENVS = Path(os.environ.get("LOADERS") or PROJECT / ".venv-loaders")


@pytest.fixture
def sandbox() -> Sandbox:
    """A small one."""
    return small_sandbox()


@pytest.fixture
def runs(installed: Callable[[str], str], tap: Tap, sandbox: Sandbox) -> tuple[Finished, Finished]:
    """A first run and, after edits, a deletion and an odd value, one that has only these."""
    installed(str(VENVS / "installed"))
    budget = sandbox.budgets[0]
    first = tap.run()
    rows = budget.entities("transactions")
    budget.edit("transactions", rows[0]["id"], memo="a\x00b \\ 😀 \"'", new={"a": [1]})
    budget.delete("transactions", rows[-1]["id"])
    budget.add("payees", id="new", name="New")
    delta = tap.run(state=first.state)
    assert (first.code, delta.code) == (0, 0), first.log + delta.log
    assert delta.records("transactions")
    return first, delta


def execute(venv: str, command: str, *arguments: str, messages: str, folder: Path) -> str:
    """Run a tool on what the tap has written; what it says on stdout."""
    executable = VENVS / venv / "bin" / command
    process = subprocess.run(
        [str(executable), *arguments],
        input=messages,
        env={"PATH": os.defpath, "PGTZ": "UTC"},
        cwd=folder,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=120,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return process.stdout


def ids(*finished: Finished, stream: str) -> set[str]:
    """Ids of all rows of a stream, of which there must be some."""
    found = {row["id"] for each in finished for row in each.records(stream)}
    assert found
    return found


def load(venv: str, command: str, finished: Finished, config: Row, folder: Path) -> None:
    """Have a loader take what a run has written; it ends with the run's state."""
    path = folder / "target.json"
    path.write_text(json.dumps(config))
    output = execute(venv, command, "--config", str(path), messages=finished.stdout, folder=folder)
    assert json.loads(output.splitlines()[-1]) == finished.state


def test_singer_check_tap(runs: tuple[Finished, Finished], tmp_path: Path) -> None:
    for finished in runs:
        printed = execute(
            "singer-tools", "singer-check-tap", messages=finished.stdout, folder=tmp_path
        )
        count = sum(message["type"] == "RECORD" for message in finished.messages)
        assert "The output is valid" in printed
        assert str(count) in printed.replace(",", "")


def test_target_jsonl(runs: tuple[Finished, Finished], tmp_path: Path) -> None:
    config = {"destination_path": str(tmp_path), "do_timestamp_file": False}
    for finished in runs:
        load("target-jsonl", "target-jsonl", finished, config, tmp_path)
    for stream in STREAMS:
        lines = (tmp_path / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines()
        stored = [json.loads(line) for line in lines]
        assert stored == [row for finished in runs for row in finished.records(stream)]


def test_pipelinewise_target_postgres(
    runs: tuple[Finished, Finished], database: Database, tmp_path: Path
) -> None:
    url = urlsplit(database.url)
    config = {
        "host": url.hostname,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.path.strip("/"),
        "default_target_schema": "ynab",
        "add_metadata_columns": True,
    }
    for number, finished in enumerate(runs, start=1):
        load("pipelinewise-target-postgres", "target-postgres", finished, config, tmp_path)
        for stream in STREAMS:
            stored = database.query(f"select id from ynab.{stream}")  # noqa: S608 a name of ours
            assert len(stored) == len({row["id"] for row in stored})
            assert {row["id"] for row in stored} == ids(*runs[:number], stream=stream), stream

    sent = {row["id"]: row for finished in runs for row in finished.records("transactions")}
    columns = "id, date::text, amount, memo, deleted, server_knowledge, subtransactions"
    for row in database.query(f"select {columns} from ynab.transactions"):  # noqa: S608 as above
        assert row == {name: sent[row["id"]][name] for name in row}
    [changed] = database.query(
        "select additional_properties from ynab.transactions where memo like 'a%%b%%😀%%'"
    )
    assert changed["additional_properties"] == {"new": {"a": [1]}}
