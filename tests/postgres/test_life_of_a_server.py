"""A server is started, stopped, killed and started again, and its data is still there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from project_postgres import Server, ServerError

from tests.support import old_postgres

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def postmaster_pid(server: Server) -> int:
    """The process id that the server wrote down."""
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])


def ask(server: Server, query: str) -> object:
    """The first value of the first row."""
    with closing(psycopg.connect(server.url)) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def remember(server: Server, value: int) -> None:
    """Stores a value."""
    with psycopg.connect(server.url) as connection:
        connection.execute("create table if not exists kept (value bigint)")
        connection.execute("insert into kept values (%s)", [value])


def test_data_and_address_outlive_stop_kill_and_a_stale_pid_file(
    new_server: Callable[[], Server], tmp_path: Path
) -> None:
    server = new_server()
    assert not server.running
    server.stop()  # nothing to stop is no error
    # What a first start leaves that was killed on the way.
    (tmp_path / "postgres" / "data.new" / "base").mkdir(parents=True)
    url = server.start()
    remember(server, 1)

    server.stop()
    assert not server.running
    assert server.start() == url

    with closing(psycopg.connect(url)):
        os.kill(postmaster_pid(server), signal.SIGKILL)
        assert server.start() == url
    assert ask(server, "select sum(value) from kept") == 1

    # After a reboot the number in a left-over postmaster.pid may be any program's: here, ours.
    server.stop()
    pid_file = server.folder / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.folder}/data\n0\n{url}\n\n127.0.0.1\n\nready\n")
    assert not server.running
    server.stop()
    assert server.start() == url

    # Somebody else listens on our port by the next start.
    port = server.port
    server.stop()
    with socket.create_server(("127.0.0.1", port)):
        assert server.start() != url
        assert server.port != port
        assert ask(server, "select sum(value) from kept") == 1
    assert sorted(path.name for path in server.folder.iterdir()) == [
        "data",
        "lock",
        "password",
        "port",
        "server.log",
    ]


def test_starts_at_once_make_one_server(
    new_server: Callable[[], Server], command_path: Path
) -> None:
    server = new_server()
    words: list[str | Path] = [command_path, "start", "--dir", server.folder]
    starts = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    lines = [start.communicate(timeout=60)[0] for start in starts]
    assert [start.returncode for start in starts] == [0, 0, 0]
    assert all(f"127.0.0.1:{server.port}," in line for line in lines)
    assert ask(server, "select 1") == 1


def test_starting_a_running_server_changes_nothing(shared: Server) -> None:
    pid = postmaster_pid(shared)
    assert shared.running
    assert shared.start() == shared.url
    assert postmaster_pid(shared) == pid


def test_two_folders_are_two_servers(shared: Server, new_server: Callable[[], Server]) -> None:
    other = new_server()
    other.start()
    assert other.port != shared.port
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            other.url, password=psycopg.conninfo.conninfo_to_dict(shared.url)["password"]
        )

    # It does not start on settings that PostgreSQL does not understand, and says so.
    other.stop()
    assert shared.running
    with (other.folder / "data" / "postgresql.conf").open("a") as file:
        file.write("nonsense = on\n")
    with pytest.raises(ServerError, match=r"(?s)\"nonsense\".*\nthe server did not start") as error:
        other.start()
    assert str(error.value).endswith("server.log")
    assert not other.running


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("max_connections", "200"),  # some 14 loads at the same time, each of 13 tables
    ],
)
def test_settings(shared: Server, setting: str, value: str) -> None:
    assert ask(shared, f"show {setting}") == value


def test_text_is_unicode(shared: Server) -> None:
    assert ask(shared, "select upper('crème brûlée')") == "CRÈME BRÛLÉE"


def test_a_password_is_asked_for(shared: Server) -> None:
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(shared.url, password=password)
    assert (shared.folder / "password").stat().st_mode & 0o777 == 0o600


def test_a_server_that_never_ran_has_no_url(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with pytest.raises(ServerError, match="not running"):
        _ = server.url
    assert not list(tmp_path.iterdir())


def test_data_of_another_major_version(new_server: Callable[[], Server]) -> None:
    server = new_server()
    server.folder.mkdir()
    old_postgres.create(server.folder / "data")
    before = sorted(server.folder.rglob("*"))
    with pytest.raises(ServerError) as refusal:
        server.start()
    [line] = str(refusal.value).splitlines()
    version = old_postgres.VERSION
    assert line.startswith(f"{server.folder}/data is of PostgreSQL {version}, and PostgreSQL 18 ")
    assert "make a backup with it" in line
    assert set(server.folder.rglob("data/*")) <= set(before), "the data was touched"
