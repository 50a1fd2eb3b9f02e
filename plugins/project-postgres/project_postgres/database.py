"""SQL on a running server: the database that it is started for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project_postgres.programs import program, run, server_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The lock is for two starts at once: one creates the database, the other finds it.
_CREATE_UNLESS_THERE = r"""
SELECT pg_advisory_lock(1) \g /dev/null
SELECT format('CREATE DATABASE %I', :'name'),
       format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', :'name')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
"""


def create_database(name: str, *, folder: Path, connection: Mapping[str, str]) -> None:
    """Create a database on a running server unless it exists.

    Args:
        name: The database.
        folder: The server's folder.
        connection: PG* variables that lead to another database of the server.

    Raises:
        ServerError: If it cannot be created.
    """
    execute(
        _CREATE_UNLESS_THERE,
        {"name": name},
        connection=connection,
        failure=f"the database {name} could not be created in {folder}",
    )


def execute(
    statements: str,
    values: Mapping[str, str],
    *,
    connection: Mapping[str, str],
    failure: str,
) -> str:
    r"""Execute SQL and return its rows, one to a line.

    Args:
        statements: The SQL, with psql's `:'name'`, `:"name"` and `\gexec`.
        values: What the names stand for; nothing secret, since others can list it.
        connection: PG* variables that lead to the database.
        failure: The message for an error.

    Raises:
        ServerError: If there is an error, which ends it.
    """
    options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    return run(
        [program("psql"), *options, *(f"--set={name}={value}" for name, value in values.items())],
        environment={**server_environment(), **connection},
        statements=statements,
        failure=failure,
    )
