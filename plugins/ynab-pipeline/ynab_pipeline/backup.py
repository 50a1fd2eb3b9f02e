"""The command `ynab-pipeline backup`: tables, views and bookmarks of one moment, in one file."""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from ynab_pipeline import archive, meltano
from ynab_pipeline.account import TOKEN
from ynab_pipeline.errors import PipelineError
from ynab_pipeline.project import SUFFIX
from ynab_pipeline.relay import without_values
from ynab_pipeline.trouble import explained
from ynab_pipeline.turns import wait_for_turn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_ERROR = "error: "


@dataclass(frozen=True)
class Database:
    """The database of the active environment, as `libpq` describes it."""

    root: str
    environment: str
    suffix: str
    account: dict[str, Any]
    place: str
    version: int
    tables: str
    views: str | None
    #: All schemas, and whether there is anything in each.
    schemas: dict[str, bool]
    #: Tables and views elsewhere that use those of this account.
    dependants: list[str]
    variables: dict[str, str]
    psql: str
    pg_dump: str
    pg_restore: str

    @property
    def own_schemas(self) -> list[str]:
        """The schemas of this account that are there."""
        return [name for name in (self.tables, self.views) if name in self.schemas]

    def program_environment(self) -> dict[str, str]:
        """Return the environment in which PostgreSQL's programs reach it."""
        own = {name: os.environ[name] for name in os.environ if not name.startswith("PG")}
        own.pop(TOKEN, None)
        return {**own, **self.variables, "LC_ALL": "C"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `backup`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to write")


def run(options: argparse.Namespace) -> int:
    """Write a backup, and return the exit code."""
    path: Path = options.file.absolute()
    if path.exists():
        raise PipelineError(f"{path} exists already: choose another name, or remove it")
    if not path.parent.is_dir():
        raise PipelineError(f"there is no folder {path.parent}: make it first")
    database = find(options.environment)
    if not database.schemas.get(database.tables):
        raise PipelineError(
            f"there is nothing to back up: database {database.place} has no table in schema "
            f"{database.tables}"
        )
    from ynab_pipeline.states import StateStore  # noqa: PLC0415 -- slow: it imports Meltano

    with turn(database):
        made = datetime.now(timezone.utc)
        states = StateStore(database.environment, database.suffix).read()
        content = {
            "made": made.isoformat(timespec="seconds"),
            "environment": database.environment,
            "account": database.account,
            "tables": database.tables,
            "views": database.views,
            "schemas": database.own_schemas,
            "version": database.version,
            "states": states,
        }
        with archive.writing(path, content) as file:
            _dump(database, file)
    print(
        f"{path}: {path.stat().st_size / 1e6:,.1f} MB, database {database.place}, schemas "
        f"{' and '.join(database.own_schemas)}, with their bookmarks"
    )
    others = [
        name
        for name, has_tables in database.schemas.items()
        if has_tables and name not in database.own_schemas
    ]
    if others:
        print(f"Not in it: schemas {', '.join(others)}")
    return 0


def find(environment: str | None) -> Database:
    """Return the database of an environment; a project's server is started.

    Raises:
        PipelineError: If it cannot be reached.
    """
    line = meltano.command_line(
        environment, "--log-level=warning", "invoke", "target-postgres:libpq"
    )
    process = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if process.returncode:
        raise PipelineError("the database cannot be reached; the line above says why")
    return Database(**json.loads(process.stdout))


@contextmanager
def turn(database: Database) -> Iterator[None]:
    """Have no run of this tenant read or write meanwhile: wait for one that does."""
    os.environ["MELTANO_PROJECT_ROOT"] = database.root
    os.environ["MELTANO_ENVIRONMENT"] = database.environment
    os.environ[SUFFIX] = database.suffix
    with ExitStack() as locks:
        for name in ("tap", "target"):
            lock = wait_for_turn(name, "A sync is running, waiting for it to end ...")
            if lock is not None:
                locks.callback(os.close, lock)
        yield


def failure(text: str, what: str) -> PipelineError:
    """Return the error of a program of PostgreSQL's in one line, without values of rows."""
    lines = [line for line in text.splitlines() if _ERROR in line.lower()] or text.splitlines()
    line = lines[0] if lines else "it was ended"
    at = line.lower().find(_ERROR)
    reason = without_values(line[at + len(_ERROR) :] if at >= 0 else line)
    return PipelineError(f"{what}: {explained(reason)}")


def _dump(database: Database, file: IO[bytes]) -> None:
    # Quoted, for they are patterns.
    names = [name.replace('"', '""') for name in database.own_schemas]
    with (
        TemporaryFile() as errors,
        subprocess.Popen(
            [
                database.pg_dump,
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                *(f'--schema="{name}"' for name in names),
            ],
            env=database.program_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        copyfileobj(cast("IO[bytes]", process.stdout), file, 1 << 20)
        if process.wait():
            errors.seek(0)
            text = errors.read().decode(errors="replace")
            raise failure(text, "the database could not be dumped, and no file was written")
