"""Servers in folders of their own, and the command as it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from project_postgres import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def command_path() -> Path:
    """The installed command."""
    return Path(sys.executable).with_name("project-postgres")


@pytest.fixture
def command(command_path: Path) -> Command:
    """The installed command, run to its end."""

    def run(
        *arguments: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command_path, *arguments],
            env=env,
            cwd=cwd,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def project(postgresql: type[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose server runs; tests do not stop it."""
    root = tmp_path_factory.mktemp("project")
    server = postgresql(root / ".data" / "postgres")
    server.start()
    yield root
    server.stop()


@pytest.fixture
def shared(project: Path) -> Server:
    """The server of that folder."""
    return Server(project / ".data" / "postgres")


@pytest.fixture
def new_server(postgresql: type[Server], tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """Servers that are not started yet; they are stopped afterwards."""
    servers: list[Server] = []

    def make(name: str = "postgres") -> Server:
        servers.append(postgresql(tmp_path / name))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()
