"""The database in the cluster that a server is started for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project_postgres.programs import program, run, server_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The lock is for two starts at once: one creates the database, the other finds it.
_CREATE_UNLESS_THERE = r"""
SELECT pg_advisory_lock(1) \g /dev/null
SELECT format('CREATE DATABASE %I', :'name')
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
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--set=name={name}"]
    run(
        [program("psql"), *options],
        environment={**server_environment(), **connection},
        statements=_CREATE_UNLESS_THERE,
        failure=f"the database {name} could not be created in {folder}",
    )
