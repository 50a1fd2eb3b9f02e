"""The loader as the project starts it: what it replaces, and tables it did not make."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from pipeline import LOADER

if TYPE_CHECKING:
    from pipeline import Database

#: Prints what our classes define that the loader's do not have.
STRAY = """
from embedded_postgres.loader import Loader, Sink
ours = {"_moments"}
for kind in (Loader, Sink):
    for name in vars(kind):
        if name not in ours and not any(hasattr(base, name) for base in kind.__bases__):
            print(kind.__name__, name)
"""


def test_what_it_replaces_is_still_there() -> None:
    python = Path(LOADER).with_name("python")
    found = subprocess.run([python, "-c", STRAY], capture_output=True, check=True, text=True)
    assert found.stdout == ""


def test_a_table_without_a_key_takes_rows_too(database: Database, tmp_path: Path) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute("create schema ynab")
        connection.execute("create table ynab.payees (id text, name text)")
        connection.execute("insert into ynab.payees values ('old', 'Old'), ('other', 'Other')")
    schema = {"properties": {"id": {"type": "string"}, "name": {"type": "string"}}}
    messages = [
        {"type": "SCHEMA", "stream": "payees", "schema": schema, "key_properties": ["id"]},
        {"type": "RECORD", "stream": "payees", "record": {"id": "old", "name": "New"}},
        {"type": "RECORD", "stream": "payees", "record": {"id": "new", "name": "Newer"}},
    ]
    config = tmp_path / "loader.json"
    config.write_text(json.dumps(database.loader_config))
    subprocess.run(
        [LOADER, "--config", config],
        env={"PATH": os.defpath},
        input="\n".join(map(json.dumps, messages)),
        check=True,
        text=True,
    )
    rows = database.query("select id, name from ynab.payees")
    assert {row["id"]: row["name"] for row in rows} == {
        "old": "New",
        "other": "Other",
        "new": "Newer",
    }
    assert len(rows) == 3
