"""What the loader logs of an error goes on without rows."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.pipeline import FAST_LOADER, PIPELINE_TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from project_postgres import Server

    from tests.pipeline.conftest import Installation
    from tests.support.pipeline import Database

Row = dict[str, Any]

SECRETS = ("Zahnarzt", "second line of it", "-987654", "Ada Lovelace")
ROW = {
    "id": "a",
    "memo": "Zahnarzt\nDETAIL: second line of it\nTraceback (most recent call last):\n{",
    "amount": -987654,
    "payee": "Ada Lovelace",
}
#: PostgreSQL's words, from a table whose disk cannot be filled.
FULL_DISK = """
create function ynab.full_disk() returns trigger language plpgsql as $$
begin
    raise exception using errcode = 'disk_full', hint = 'Check free disk space.',
        message = 'could not extend file "base/5/16384": No space left on device';
end $$;
create trigger full_disk before insert or update on ynab.s
for each row execute function ynab.full_disk();
"""
#: How Meltano has programs of the SDK log.
STRUCTURED = {
    "version": 1,
    "formatters": {"json": {"()": "singer_sdk.logging.StructuredFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}


def messages(row: Row) -> str:
    """A stream of one row."""
    types = {"id": "string", "memo": "string", "amount": "integer", "payee": "string"}
    schema = {"properties": {name: {"type": kind} for name, kind in types.items()}}
    return "\n".join(
        json.dumps(message)
        for message in (
            {"type": "SCHEMA", "stream": "s", "schema": schema, "key_properties": ["id"]},
            {"type": "RECORD", "stream": "s", "record": row},
        )
    )


def load(
    folder: Path, database: Database, lines: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    config = folder / "loader.json"
    config.write_text(json.dumps(database.loader_config))
    return subprocess.run(
        [PIPELINE_TARGET, "--config", config],
        env={"PATH": os.defpath, **environment},
        input=lines,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("loader", "structured", "constraint", "amount", "reason"),
    [
        ({}, True, "check (amount > 0)", -987654, 'violates check constraint "s_amount_check"'),
        ({}, True, "unique (memo)", -987654, 'violates unique constraint "s_memo_key"'),
        ({}, True, "", "-987654 Zahnarzt", "invalid input syntax for type bigint: ..."),
        ({}, False, "check (amount > 0)", -987654, 'violates check constraint "s_amount_check"'),
        ({}, False, "", "-987654 Zahnarzt", "invalid input syntax for type bigint: ..."),
        (FAST_LOADER.environment, True, "unique (memo)", -987654, "violates unique constraint"),
    ],
)
def test_a_load_that_fails_logs_no_row(  # noqa: PLR0913, PLR0917 the cases
    database: Database,
    tmp_path: Path,
    loader: dict[str, str],
    structured: bool,  # noqa: FBT001 a parameter of pytest's
    constraint: str,
    amount: object,
    reason: str,
) -> None:
    first = load(tmp_path, database, messages({**ROW, "id": "b", "amount": 1}))
    assert first.returncode == 0, first.stderr
    if constraint:
        with psycopg.connect(database.url) as connection:
            connection.execute(f"alter table ynab.s add {constraint}".encode())
    environment = dict(loader)
    if structured:
        log_config = tmp_path / "log.json"
        log_config.write_text(json.dumps(STRUCTURED))
        environment["SINGER_SDK_LOG_CONFIG"] = str(log_config)
    failed = load(tmp_path, database, messages(ROW | {"amount": amount}), **environment)
    assert failed.returncode == 1
    assert not [secret for secret in SECRETS if secret in failed.stderr], failed.stderr
    assert reason in failed.stderr.replace('\\"', '"')
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("loader", [{}, FAST_LOADER.environment], ids=["stock", "fast"])
@pytest.mark.parametrize("structured", [True, False])
def test_a_full_disk_in_the_middle_of_a_load(
    database: Database,
    tmp_path: Path,
    loader: dict[str, str],
    structured: bool,  # noqa: FBT001 a parameter of pytest's
) -> None:
    first = load(tmp_path, database, messages({**ROW, "amount": 1}))
    assert first.returncode == 0, first.stderr
    with psycopg.connect(database.url) as connection:
        connection.execute(FULL_DISK)
    environment = dict(loader)
    if structured:
        log_config = tmp_path / "log.json"
        log_config.write_text(json.dumps(STRUCTURED))
        environment["SINGER_SDK_LOG_CONFIG"] = str(log_config)
    failed = load(tmp_path, database, messages(ROW), **environment)
    assert failed.returncode == 1
    assert (
        'could not extend file "base/5/16384": No space left on device: '
        "free space on the disk of the database, then run again"
    ) in failed.stderr.replace('\\"', '"')
    # Without Meltano's logging each exception of the traceback has a line.
    assert not structured or failed.stderr.count("No space left") == 1


def test_a_server_that_stops_in_the_middle_of_a_load(
    database: Database, server: Server, tmp_path: Path
) -> None:
    config, log_config = tmp_path / "loader.json", tmp_path / "log.json"
    config.write_text(json.dumps(database.loader_config))
    log_config.write_text(json.dumps(STRUCTURED))
    with subprocess.Popen(
        [PIPELINE_TARGET, "--config", config],
        env={"PATH": os.defpath, "SINGER_SDK_LOG_CONFIG": str(log_config)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as loader:
        assert loader.stdin
        assert loader.stderr
        loader.stdin.write(messages(ROW) + "\n")
        loader.stdin.flush()
        # The check is over, and the stock loader has begun.
        assert next(line for line in loader.stderr if "Skipping parse" in line)
        server.stop()
        loader.stdin.close()
        lines = [json.loads(line) for line in loader.stderr]
    server.start()
    assert loader.returncode == 1
    errors = [line["message"] for line in lines if line["level"] == "error"]
    assert len(errors) == 1
    # It may still be shutting down.
    assert re.search(r": (see that the server runs|run again when the server is ready)", errors[0])


def test_progress_while_batches_are_loaded(installation: Installation) -> None:
    metric = {
        "metric": "batch_processing_time",
        "tags": {"stream": "transactions", "status": "succeeded"},
    }
    line = json.dumps({"level": "info", "message": "METRIC", "metric_info": metric})
    script = f"#!/bin/sh\nfor batch in 1 2 3; do echo '{line}' >&2; done\n"
    installation.program("target-postgres").write_text(script)
    said = installation.run("target", "--about").stderr.splitlines()
    assert [each for each in said if each != line] == [
        "transactions: more than 10,000 rows loaded so far",
        "transactions: more than 20,000 rows loaded so far",
    ]
