"""Rows in batch files: a loader that is told of a file finds them in it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.bookmarks import complete
from tests.support.full import limit_of_files
from tests.support.pipeline import Pipeline
from tests.support.rows import STREAMS
from tests.support.runs import execute, good
from tests.support.small import small_sandbox

if TYPE_CHECKING:
    from ynab_sandbox import Sandbox

    from tests.support.pipeline import Database, Finished, Tap


@pytest.fixture
def sandbox() -> Sandbox:
    """A small one."""
    return small_sandbox()


@pytest.fixture
def batching(tap: Tap) -> Tap:
    """The tap, told to write files."""
    tap.config["batch_config"] = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": f"file://{tap.folder}"},
    }
    return tap


def files(finished: Finished, stream: str) -> list[Path]:
    """Files of a stream that the loader was told of."""
    told = [m for m in finished.messages if m["type"] == "BATCH" and m["stream"] == stream]
    return [Path(url.removeprefix("file://")) for message in told for url in message["manifest"]]


def ids(finished: Finished, stream: str) -> set[str]:
    """Ids of the records in them."""
    lines = [
        line
        for path in files(finished, stream)
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    return {json.loads(line)["id"] for line in lines}


def test_each_row_is_in_a_file(batching: Tap, sandbox: Sandbox) -> None:
    finished = good(batching.run())
    for budget in sandbox.budgets:
        assert {row["id"] for row in budget.entities("payees")} <= ids(finished, "payees")
    assert all(ids(finished, stream) for stream in STREAMS)


def test_a_file_that_cannot_be_finished_loses_no_rows(batching: Tap, database: Database) -> None:
    whole = good(batching.run())
    size = {name: max(p.stat().st_size for p in files(whole, name)) for name in STREAMS}
    largest = max(size, key=size.__getitem__)
    # The last byte fails, when all rows are read.
    cut = execute(*limit_of_files(size[largest] - 1), *batching.command())
    assert cut.code == 1
    assert not files(cut, largest)
    assert largest not in {stream for stream, _ in complete(cut.state)}

    pipeline = Pipeline(batching, database)
    pipeline.load(cut.stdout)
    again = good(batching.run(state=pipeline.state))
    assert ids(again, largest) == ids(whole, largest)
    pipeline.load(again.stdout)
    for stream in STREAMS:
        rows = database.query(f"select id from ynab.{stream}")  # noqa: S608 a name of ours
        assert {row["id"] for row in rows} == ids(whole, stream), stream
