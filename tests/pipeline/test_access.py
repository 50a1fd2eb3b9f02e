"""psql and `database`, on the database of the active environment."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.meltano_project import MELTANO, Project
from tests.support.pipeline import LOADER_PROGRAMS, PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.pipeline import Database

COMMAND = str(PROJECT / ".venv/bin/ynab-pipeline")
WHERE = "select current_database(), current_setting('search_path')"


@pytest.fixture
def project(installed: Callable[[str], str], tmp_path: Path) -> Iterator[Project]:
    """A project in which nothing runs; what it starts is stopped."""
    installed(MELTANO)
    with ExitStack() as stack:
        project = Project(tmp_path)
        stack.callback(project.stop)
        yield project


def of_prod(database: Database, **settings: str) -> dict[str, str]:
    """What Meltano sets for a PostgreSQL of one's own."""
    found = conninfo_to_dict(database.url)
    return {
        "TARGET_POSTGRES_HOST": str(found["host"]),
        "TARGET_POSTGRES_PORT": str(found["port"]),
        "TARGET_POSTGRES_USER": str(found["user"]),
        "TARGET_POSTGRES_PASSWORD": str(found["password"]),
        "TARGET_POSTGRES_DATABASE": str(found["dbname"]),
        **settings,
    }


def access(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as Meltano runs it."""
    return subprocess.run(
        [LOADER_PROGRAMS / "python", "-m", "ynab_pipeline.access", *arguments],
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_each_environment_has_its_own_database(project: Project, database: Database) -> None:
    prod = of_prod(database, TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="ada")
    name = prod["TARGET_POSTGRES_DATABASE"]
    for environment, variables, where in (
        ("demo", {}, 'ynab|"ynab","budget",public\n'),
        ("prod", prod, f'{name}|"ada","budget",public\n'),
    ):
        psql = project.execute(
            COMMAND, f"--environment={environment}", "psql", "-Atc", WHERE, **variables
        )
        assert (psql.returncode, psql.stdout, psql.stderr) == (0, where, "")
        url = project.run(
            f"--environment={environment}", "invoke", "target-postgres:database", "url", **variables
        )
        assert (url.returncode, url.stderr) == (0, "")
        with psycopg.connect(url.stdout.strip()) as connection:
            assert connection.info.dbname == where.partition("|")[0]
            port = connection.info.port
        status = project.run(
            f"--environment={environment}",
            "invoke",
            "target-postgres:database",
            "status",
            **variables,
        )
        assert (status.returncode, status.stderr) == (0, "")
        assert status.stdout.startswith("running: PostgreSQL ")
        assert f":{port}" in status.stdout


def test_ctrl_c_cancels_a_query_and_not_the_session(project: Project) -> None:
    environment = project.variables(TERM="dumb", PSQL_HISTORY=os.devnull, PAGER="cat")
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(project.folder)
        line = [COMMAND, "--environment=demo", "psql", "--no-psqlrc"]
        os.execve(COMMAND, line, environment)  # noqa: S606 none is wanted
    shown = ""

    def await_(text: str) -> None:
        nonlocal shown
        while text not in shown:
            shown += os.read(terminal, 10_000).decode()

    await_("ynab=#")
    os.write(
        terminal,
        b"do $$ begin raise notice '%', 'as' || 'leep'; perform pg_sleep(60); end $$;\n",
    )
    await_("NOTICE:  asleep")
    os.write(terminal, b"\x03")
    await_("canceling statement due to user request")
    os.write(terminal, b"select 'still ' || 'here';\n\\q\n")
    await_("still here")
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    # No line of Meltano's is in between.
    assert "[info" not in shown


def test_an_error_of_a_query_is_shown_without_a_terminal(project: Project) -> None:
    psql = project.execute(COMMAND, "--environment=demo", "psql", "-c", "select nothing")
    assert psql.returncode == 1
    assert 'column "nothing" does not exist' in psql.stderr


@pytest.mark.parametrize("command", ["start", "stop", "reader"])
def test_a_server_of_ones_own_is_left_alone(installed: Callable[[str], str], command: str) -> None:
    installed(str(LOADER_PROGRAMS))
    refused = access(command, TARGET_POSTGRES_HOST="db.example.invalid")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"ynab-pipeline: {command} is for the project's server, and ")


def test_a_database_that_cannot_be_reached(database: Database) -> None:
    for command in ("psql", "status"):
        refused = access(command, **of_prod(database, TARGET_POSTGRES_PORT="1"))
        assert (refused.returncode, refused.stdout) == (1, "")
        [line] = refused.stderr.splitlines()
        assert "Connection refused: see that the server runs" in line


def test_a_url_has_all_settings_and_odd_characters(tmp_path: Path) -> None:
    certificate = tmp_path / "ca & co.crt"
    certificate.touch()
    url = access(
        "url",
        TARGET_POSTGRES_HOST="db.example.invalid",
        TARGET_POSTGRES_USER="a@b",
        TARGET_POSTGRES_PASSWORD="p:/?#%",  # noqa: S106 opens nothing
        TARGET_POSTGRES_DATABASE="my money",
        TARGET_POSTGRES_SSL_ENABLE="true",
        TARGET_POSTGRES_SSL_CERTIFICATE_AUTHORITY=str(certificate),
    )
    assert conninfo_to_dict(url.stdout.strip()) == {
        "host": "db.example.invalid",
        "user": "a@b",
        "password": "p:/?#%",
        "dbname": "my money",
        "sslmode": "verify-full",
        "sslrootcert": str(certificate),
    }
