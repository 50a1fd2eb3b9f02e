"""The fast loader: what it replaces, and tables it did not create."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.pipeline import FAST_LOADER, LOADER_PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.pipeline import Database

#: Prints what the classes define that the loader's do not have.
STRAY = """
from ynab_pipeline.fast_loader import Loader, Sink
ours = {"_datelike"}
for kind in (Loader, Sink):
    for name in vars(kind):
        if name not in ours and not any(hasattr(base, name) for base in kind.__bases__):
            print(kind.__name__, name)
"""


def test_what_it_replaces_is_still_there(installed: Callable[[str], str]) -> None:
    python = installed(str(LOADER_PROGRAMS / "python"))
    found = subprocess.run([python, "-c", STRAY], capture_output=True, check=True, text=True)
    assert found.stdout == ""


@pytest.mark.parametrize("key", ["primary key", ""])
def test_a_table_that_was_there_before(database: Database, tmp_path: Path, key: str) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("create schema ynab")
        connection.execute(f'create table ynab.payees (id text {key}, "Name" text, mine text)')
        connection.execute(
            "insert into ynab.payees values ('old', 'Old', 'a'), ('other', 'Other', null)"
        )
    schema = {name: {"type": ["string", "null"]} for name in ("id", "Name", "note")}
    rows = [
        {"id": "old", "Name": "Newer", "note": "1"},
        {"id": "new", "Name": "Replaced", "note": "2"},
        {"id": "new", "Name": "New", "note": None},
    ]
    messages = [
        {
            "type": "SCHEMA",
            "stream": "payees",
            "schema": {"properties": schema},
            "key_properties": ["id"],
        },
        *({"type": "RECORD", "stream": "payees", "record": row} for row in rows),
    ]
    config = tmp_path / "loader.json"
    config.write_text(json.dumps(database.loader_config))
    subprocess.run(
        [FAST_LOADER.command, "--config", config],
        env={"PATH": os.defpath, **FAST_LOADER.environment},
        input="\n".join(map(json.dumps, messages)),
        check=True,
        text=True,
    )
    found = database.query('select id, "Name", note, mine from ynab.payees order by id')
    assert [tuple(row.values()) for row in found] == [
        ("new", "New", None, None),
        ("old", "Newer", "1", "a"),
        ("other", "Other", None, None),
    ]
