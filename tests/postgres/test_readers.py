"""Roles for other programs: they read one database and do nothing else."""

from __future__ import annotations

import os
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from project_postgres import Server, ServerError
from psycopg import sql

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Command = Callable[..., subprocess.CompletedProcess[str]]

ODD = """it's "a" reader/../%41 \\ $HOME"""
LATER = (
    "create schema later; create table later.kept (value int); insert into later.kept values (2)"
)


@pytest.fixture
def server(shared: Server) -> Iterator[Server]:
    """The shared server with a database of this test's own."""
    server = Server(shared.folder, f"readers {uuid.uuid4()}")
    server.start()
    yield server
    with closing(psycopg.connect(shared.url, autocommit=True)) as connection:
        connection.execute(
            sql.SQL("drop database {} (force)").format(sql.Identifier(server.database))
        )
    for name in ("reader", "other", ODD):
        server.revoke_reader(name)


def do(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Rows of the last statement."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def fill(server: Server) -> None:
    """Makes a schema with a table and a view in it."""
    do(
        server.url,
        "create schema ynab; create table ynab.budgets (value int);"
        "insert into ynab.budgets values (1); create view ynab.names as table ynab.budgets;"
        "create schema private; create table private.notes (value int)",
    )


def test_one_command_makes_it_and_shows_it_again(command: Command, server: Server) -> None:
    arguments = ("--dir", server.folder, "--database", server.database, "reader")
    made = command(*arguments)
    assert made.returncode == 0, made.stderr
    url = made.stdout.strip()
    assert command(*arguments).stdout == made.stdout
    assert urlsplit(url).username == "reader"
    assert urlsplit(url).password != urlsplit(server.url).password
    assert do(url, "select current_user, current_database()") == [("reader", server.database)]
    assert (server.folder / "reader.reader").stat().st_mode & 0o777 == 0o600

    with closing(psycopg.connect(url)) as session:
        revoked = command(*arguments, "--revoke")
        assert (revoked.returncode, revoked.stdout) == (0, "revoked: reader\n")
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        do(url, "select 1")
    assert not (server.folder / "reader.reader").exists()
    again = command(*arguments, "--revoke")
    assert (again.returncode, again.stdout) == (0, "no such reader: reader\n")


def test_it_reads_what_is_there_and_what_is_created_later(server: Server) -> None:
    fill(server)
    url = server.reader()
    do(server.url, LATER)
    for table, value in (("ynab.budgets", 1), ("ynab.names", 1), ("later.kept", 2)):
        assert do(url, f"table {table}") == [(value,)]


@pytest.mark.parametrize(
    "statement",
    [
        "insert into ynab.budgets values (2)",
        "delete from ynab.budgets",
        "truncate ynab.budgets",
        "drop table ynab.budgets",
        "create table ynab.mine (value int)",
        "create table public.mine (value int)",
        "create temp table mine (value int)",
        "create schema mine",
        "create role mine",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "table pg_authid",
        "select pg_read_file('PG_VERSION')",
        "select pg_ls_dir('.')",
        "copy ynab.budgets from '/etc/hostname'",
        "copy (select 1) to program 'cat'",
        "copy ynab.budgets from program 'echo 1'",
        "set role postgres",
        "alter role reader superuser",
    ],
)
def test_it_does_nothing_else(server: Server, statement: str) -> None:
    fill(server)
    with closing(psycopg.connect(server.reader(), autocommit=True)) as connection:
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
        # That is a default, which it may change: the rights alone have to do.
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_it_reads_one_database(server: Server, shared: Server) -> None:
    url = server.reader()
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(url, dbname=database)
    with pytest.raises(ServerError, match="was made for another database or other schemas"):
        shared.reader()
    # A database that is created later is no exception.
    later = Server(shared.folder, f"later {uuid.uuid4()}")
    later.start()
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url, dbname=later.database)


def test_it_may_be_limited_to_schemas(command: Command, server: Server) -> None:
    fill(server)
    arguments = ("--dir", server.folder, "--database", server.database, "reader", ODD)
    schemas = ("--schema", "later", "--schema", '"odd" schema')
    made = command(*arguments, *schemas)
    assert made.returncode == 0, made.stderr
    url = made.stdout.strip()
    do(server.url, LATER.replace("create schema", "create schema if not exists"))
    do(server.url, 'create table """odd"" schema".kept (value int)')
    # Shown again it is the same role with the same rights.
    assert command(*arguments).stdout == command(*arguments, *schemas).stdout == made.stdout
    assert do(url, "select current_user") == [(ODD,)]
    assert do(url, "table later.kept") == [(2,)]
    assert do(url, 'table """odd"" schema".kept') == []
    for table in ("ynab.budgets", "ynab.names", "private.notes"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            do(url, f"table {table}")

    # Its rights change neither way without a word.
    refused = command(*arguments, "--schema", "ynab")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"project-postgres: the reader {ODD} was made for another database or other schemas: "
        "choose another name, or revoke it first\n"
    )
    assert command(*arguments, "--revoke").returncode == 0
    assert do(server.url, "table later.kept") == [(2,)]
    wide = server.reader()
    with pytest.raises(ServerError, match="other schemas"):
        server.reader(schemas=["later"])
    assert do(wide, "table ynab.budgets") == [(1,)]


def test_what_was_removed_by_hand_is_made_anew(server: Server) -> None:
    fill(server)
    url = server.reader()
    do(server.url, "drop owned by reader; drop role reader")
    assert server.reader() == url
    assert do(url, "table ynab.budgets") == [(1,)]

    (server.folder / "reader.reader").unlink()
    renewed = server.reader()
    assert renewed != url
    assert do(renewed, "table ynab.budgets") == [(1,)]

    do(renewed, "set transaction_read_only = off; alter role reader password 'own'")
    assert server.reader() == renewed
    assert do(renewed, "table ynab.budgets") == [(1,)]


def test_it_outlives_a_restart_but_not_its_database(new_server: Callable[[], Server]) -> None:
    server = new_server()
    server = Server(server.folder, "money")
    server.start()
    fill(server)
    url = server.reader()
    server.stop()
    server.start()
    assert do(url, "table ynab.budgets") == [(1,)]

    do(Server(server.folder).url, "drop database money")
    server.start()
    fill(server)
    assert server.reader() == url
    assert do(url, "table ynab.budgets") == [(1,)]


@pytest.mark.parametrize("name", ["postgres", "by_hand"])
def test_a_role_of_another_kind_is_left_alone(server: Server, name: str) -> None:
    do(server.url, "drop role if exists by_hand; create role by_hand")
    for change in (server.reader, server.revoke_reader):
        with pytest.raises(ServerError, match=f"the role {name} is no reader"):
            change(name)
    roles = dict(do(server.url, "select rolname, rolsuper from pg_roles"))
    assert roles[name] == (name == "postgres")
    assert not (server.folder / f"reader.{name}").exists()


@pytest.mark.parametrize("name", ["", "é" * 32, os.fsdecode(b"\xff"), "pg_mine"])
def test_a_name_that_cannot_be_a_role(command: Command, server: Server, name: str) -> None:
    refused = command("reader", name, "--dir", server.folder)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("project-postgres: ")
    assert "Traceback" not in refused.stderr


def test_a_server_that_does_not_run_has_none(command: Command, tmp_path: Path) -> None:
    for arguments in ((), ("--revoke",)):
        finished = command("reader", *arguments, "--dir", tmp_path / "none")
        assert finished.returncode == 3
        assert "project-postgres start" in finished.stderr
    assert command("reader", "--revoke", "--schema", "ynab").returncode == 2
