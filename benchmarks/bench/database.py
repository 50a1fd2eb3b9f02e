"""A PostgreSQL server for one benchmark, with a database for each of those that it compares."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.programs import Program


class Databases:
    """The server's databases."""

    def __init__(self, loader: Program, folder: Path) -> None:
        """Knows where the server is.

        Args:
            loader: where the server is installed.
            folder: where it keeps its data.
        """
        self._program = loader.command("project-postgres")
        self._folder = str(folder)

    def call(self, *arguments: str) -> str:
        """Has the server's command do something.

        Args:
            arguments: such as `start`.
        """
        first, *others = arguments
        return subprocess.run(
            [self._program, first, "--dir", self._folder, *others],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.strip()

    def anew(self, name: str) -> str:
        """The URL of an empty database.

        Args:
            name: its name; one that is there is removed.
        """
        if self.query("postgres", f"select 1 from pg_database where datname = '{name}'"):  # noqa: S608 - our own names
            self.query("postgres", f"drop database {name}")
        self.query("postgres", f"create database {name}")
        return self.call("url").rpartition("/")[0] + "/" + name

    def hurry_autovacuum(self) -> None:
        """Has autovacuum look each second rather than each minute, so that nobody has to wait."""
        self.query("postgres", "alter system set autovacuum_naptime = 1")
        self.query("postgres", "select pg_reload_conf()")

    def query(self, name: str, sql: str) -> list[list[str]]:
        """Rows that a statement has, each value as text.

        Args:
            name: of the database.
            sql: the statement.
        """
        quiet = ["-v", "ON_ERROR_STOP=1", "-X", "-q", "-A", "-t"]
        output = self.call("psql", *quiet, "-d", name, "-c", sql)
        return [line.split("|") for line in output.splitlines()]


@contextmanager
def databases(loader: Program, folder: Path) -> Iterator[Databases]:
    """A server of its own, while the context lasts.

    Args:
        loader: where the server is installed.
        folder: where it keeps its data.
    """
    server = Databases(loader, folder)
    server.call("start")
    try:
        yield server
    finally:
        server.call("stop")
