"""`project-postgres` as a person uses it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from project_postgres import Server

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
        f"running: PostgreSQL at 127.0.0.1:{shared.port}, database postgres, in {shared.folder}"
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
    assert finished.stdout == "postgres|postgres|UTC\n", finished.stderr


@pytest.mark.parametrize("environment", [{}, POISON], ids=["empty", "poisoned"])
def test_a_path_may_be_odd_and_the_environment_too(
    command: Command, new_server: Callable[[str], Server], environment: dict[str, str]
) -> None:
    server = new_server(f'it\'s "a" $HOME `id` \\ crème 💶/{"long" * 50}/postgres')
    arguments = ("--dir", server.folder)
    started = command("start", *arguments, env=environment)
    assert started.returncode == 0, started.stderr
    query = ("psql", *arguments, "-XAtc", "select pg_read_file('PG_VERSION')")
    version = (server.folder / "data" / "PG_VERSION").read_text()
    assert command(*query, env=environment).stdout.strip() == version.strip()
    assert command("stop", *arguments, env=environment).stdout == f"stopped: {server.folder}\n"


def test_a_path_that_postgresql_cannot_take_is_refused(command: Command, tmp_path: Path) -> None:
    folder = Path(tmp_path, *["long" * 50] * 5)
    finished = command("start", "--dir", folder)
    assert finished.returncode == 1
    assert finished.stderr.startswith("project-postgres: the folder's path is too long")


def test_the_folder_is_named_by_a_variable_or_below_the_current_one(
    command: Command, project: Path, shared: Server, tmp_path: Path
) -> None:
    named = {"PROJECT_POSTGRES": str(shared.folder)}
    assert command("url", env=named, cwd=tmp_path).stdout == f"{shared.url}\n"
    assert command("url", env={}, cwd=project).stdout == f"{shared.url}\n"
    elsewhere = command("url", "--dir", "elsewhere", env=named, cwd=tmp_path)
    assert f"not running: {tmp_path}/elsewhere" in elsewhere.stderr


def test_a_database_is_created_on_start_and_found_by_the_next(
    command: Command, shared: Server
) -> None:
    name = """it's "a" $HOME/%20 database"""
    folder = ("--dir", str(shared.folder))
    query = "select current_database()"
    for _ in range(2):
        started = command("--database", name, "start", *folder)
        assert f"database {name}, in" in started.stdout, started.stderr
        printed = command("psql", *folder, "--database", name, "-XAtc", query)
        assert printed.stdout == f"{name}\n", printed.stderr
    url = command(*folder, "--database", name, "url").stdout.strip()
    with psycopg.connect(url) as connection:
        assert connection.execute(query.encode()).fetchone() == (name,)


def test_starts_at_once_create_one_database(command_path: Path, shared: Server) -> None:
    words: list[str | Path] = [
        command_path,
        "start",
        "--dir",
        shared.folder,
        "--database",
        "at once",
    ]
    starts = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [start.wait(timeout=60) for start in starts] == [0] * 4


def test_a_database_that_cannot_be_created_is_told(command: Command, shared: Server) -> None:
    finished = command("start", "--dir", shared.folder, "--database", "")
    assert finished.returncode == 1
    assert "ERROR" in finished.stderr
    assert finished.stderr.splitlines()[-1].startswith("project-postgres: the database ")


def test_a_folder_that_cannot_be_made_is_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finished = command("start", "--dir", tmp_path / "file" / "postgres")
    assert finished.returncode == 1
    assert finished.stderr == f"project-postgres: Not a directory: {tmp_path}/file/postgres\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_line(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir(mode=0o500)
    finished = command("start", "--dir", folder)
    assert finished.returncode == 1
    assert finished.stderr == f"project-postgres: Permission denied: {folder}/lock\n"


def test_a_mistake_in_the_command_line_is_told(command: Command) -> None:
    finished = command("start", "--drop")
    assert finished.returncode == 2
    assert "unrecognized arguments: --drop" in finished.stderr
