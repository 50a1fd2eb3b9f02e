"""A PostgreSQL of another major version, which the wheel of the project's server brings as well."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from project_postgres import port, programs
from project_postgres.account import server_account

from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 16
PASSWORD = "old-passw0rd"  # noqa: S105 opens nothing


def create(data: Path) -> None:
    """Create a data folder, in a folder that exists."""
    account = server_account()
    data.mkdir(mode=0o700)
    os.chown(data, account.uid, account.gid)
    subprocess.run(
        [
            *(*_command("initdb"), f"--pgdata={account.data_argument(data)}"),
            *("--username=ada", "--auth=trust", "--encoding=UTF8", "--locale=C"),
        ],
        cwd=data,
        env=programs.server_environment(),
        capture_output=True,
        check=True,
    )


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Run a server with the database `money` of the user `ada`, and yield its port."""
    data = folder / "old-data"
    create(data)
    account = server_account()
    number = free_port()
    options = (f"--port={number}", f"--listen_addresses={port.HOST}", "--unix_socket_directories=")
    with subprocess.Popen(
        [*_command("postgres"), "-D", account.data_argument(data), *options],
        cwd=data,
        env=programs.server_environment(),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as server:
        try:
            assert server.stderr
            next(line for line in server.stderr if "ready to accept connections" in line)
            subprocess.run(
                [programs.program("psql"), "--command=CREATE DATABASE money"],
                env={
                    **programs.server_environment(),
                    "PGHOST": port.HOST,
                    "PGPORT": str(number),
                    "PGUSER": "ada",
                    "PGDATABASE": "postgres",
                },
                capture_output=True,
                check=True,
            )
            yield number
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=60)


def _command(name: str) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "_INSTALLATION", "pginstall")  # of 16; the project's is of 18
        return server_account().command(name)
