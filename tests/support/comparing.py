"""The comparison that `verify` and `preview` run, on messages of the tap, without Meltano."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from tests.support.environment import CLOCK
from tests.support.pipeline import LOADER_PROGRAMS, Finished

if TYPE_CHECKING:
    from tests.support.pipeline import Database, Row

#: The line that follows what a tap that has succeeded has written.
END = '{"type": "END"}\n'
EQUAL, DRIFT, TROUBLE = 0, 10, 2
Numbers = list[int]


@dataclass
class Compared:
    """What a comparison has printed, and its exit code."""

    code: int
    report: str
    log: str

    @property
    def counts(self) -> dict[str, Numbers]:
        """Numbers of rows that are equal, missing, extra and different, by stream."""
        lines = re.findall(
            r"(?m)^(\w+) +(\d[\d,]*) +(\d[\d,]*) +(\d[\d,]*) +(\d[\d,]*)$", self.report
        )
        return {name: [int(n.replace(",", "")) for n in numbers] for name, *numbers in lines}

    @property
    def drift(self) -> dict[str, Numbers]:
        """Numbers of rows that are missing, extra and different, where there are any."""
        return {name: wrong for name, [_, *wrong] in self.counts.items() if any(wrong)}


def compare(
    database: Database, messages: str | Finished, *arguments: str, **environment: str
) -> Compared:
    """Compare what a run of the tap has read with the tables."""
    if isinstance(messages, Finished):
        messages = messages.stdout + END * (messages.code == 0)
    process = subprocess.run(
        [LOADER_PROGRAMS / "python", "-m", "ynab_pipeline.compare", *arguments],
        input=messages,
        env={
            "PATH": os.defpath,
            **CLOCK,
            "TARGET_POSTGRES_SQLALCHEMY_URL": str(database.loader_config["sqlalchemy_url"]),
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "ynab",
            "TARGET_POSTGRES_USE_COPY": "true",
            "TARGET_POSTGRES_VALIDATE_RECORDS": "false",
            **environment,
        },
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=300,
    )
    ready, _, report = process.stdout.partition("\n")
    assert not ready or json.loads(ready)["meltano"]
    return Compared(process.returncode, report, process.stderr)


def everything(database: Database) -> Row:
    """All that is in a database: what there is, and all rows of the tables."""
    with psycopg.connect(database.url) as connection:
        # Temporary tables are dropped after their session has ended.
        relations = connection.execute(
            "select relnamespace::regnamespace::text, relname, relkind from pg_class "
            "where relnamespace::regnamespace::text not like '%temp%' order by 1, 2"
        ).fetchall()
        # PostgreSQL keeps an empty schema for temporary tables of later sessions.
        schemas = connection.execute(
            "select nspname from pg_namespace where nspname not like '%temp%' order by 1"
        ).fetchall()
        rows = {
            name: connection.execute(
                sql.SQL("select t::text, xmin::text, ctid::text from {} as t order by ctid").format(
                    sql.Identifier(schema, name)
                )
            ).fetchall()
            for schema, name, kind in relations
            if schema == "ynab" and kind == "r"
        }
    return {"relations": relations, "schemas": schemas, "rows": rows}
