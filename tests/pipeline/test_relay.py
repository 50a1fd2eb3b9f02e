"""What the loader logs of an error goes on without rows."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.pipeline import FAST_LOADER, PIPELINE_TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.pipeline import Database

Row = dict[str, Any]

SECRETS = ("Zahnarzt", "second line of it", "-987654", "Ada Lovelace")
ROW = {
    "id": "a",
    "memo": "Zahnarzt\nDETAIL: second line of it\nTraceback (most recent call last):\n{",
    "amount": -987654,
    "payee": "Ada Lovelace",
}
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
