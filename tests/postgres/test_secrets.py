"""A server keeps rows out of its log, and the caller's environment out of its own."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from project_postgres import Server

ROW = "Rent for 4711"
#: The server's own, and what a shell adds to it.
ENVIRONMENT = {"LC_ALL", "PATH", "TZ", "PWD", "OLDPWD", "SHLVL", "_"}
FAILING = [
    f"table {ROW.replace(' ', '_')}",
    f"select '{ROW}'::int",
    f"do $$ begin raise exception '{ROW}'; end $$",
]
# Over there, a copy that is killed halfway; its process is the shell's parent.
KILLED = f"copy kept from program 'echo {ROW}; kill -9 $PPID'"
COPIES = [f"{ROW}\t2\n", f"{ROW} 2\tx\n", f"{ROW} 2\t\\N\n", f"{ROW}\n"]


def fail_to_copy(connection: psycopg.Connection[object], row: str) -> None:
    """Copies a row that the table does not take."""
    with connection.cursor() as cursor, cursor.copy("copy kept from stdin") as copy:
        copy.write(row)


def fail_halfway(connection: psycopg.Connection[object], other: psycopg.Connection[object]) -> None:
    """Copies a row by a session that another one ends."""
    pid = connection.info.backend_pid
    with connection.cursor() as cursor, cursor.copy("copy kept from stdin") as copy:
        copy.write(f"another {ROW}\t2\n{ROW}")
        other.execute("select pg_terminate_backend(%s, 10000)", [pid])


def test_the_log_holds_no_rows(new_server: Callable[[], Server]) -> None:
    server = new_server()
    url = server.start()
    with (
        closing(psycopg.connect(url, autocommit=True)) as first,
        closing(psycopg.connect(url, autocommit=True)) as second,
    ):
        first.execute("create table kept (id text unique, amount int not null)")
        first.execute("insert into kept values (%s, 1)", [ROW])
        for statement in FAILING:
            with pytest.raises(psycopg.Error):
                first.execute(statement.encode())
        for values in ((ROW, 2), ("x", None), ("x", ROW)):
            with pytest.raises(psycopg.Error):
                first.execute("insert into kept values (%s, %s::text::int)", values)
        for row in COPIES:
            with pytest.raises(psycopg.Error):
                fail_to_copy(first, row)
        with pytest.raises(psycopg.Error):
            fail_halfway(first, second)
        with pytest.raises(psycopg.Error):
            second.execute(KILLED.encode())
        log = server.folder / "server.log"
        await_recovery(url, log)
    for word in (ROW, "kept", "ERROR", "DETAIL", "CONTEXT", "STATEMENT"):
        assert word not in log.read_text()


def await_recovery(url: str, log: Path) -> None:
    """Waits, since PostgreSQL 18.4 does not end if it is stopped in the middle of a recovery."""
    while "terminated by signal 9" not in log.read_text():
        pass
    while True:
        with suppress(psycopg.OperationalError):
            psycopg.connect(url).close()
            return


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_the_server_inherits_nothing_of_the_callers_environment(
    new_server: Callable[[], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("YNAB_PERSONAL_ACCESS_TOKEN", "PGPASSWORD", "HOME"):
        monkeypatch.setenv(name, ROW)
    server = new_server()
    server.start()
    pid = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
    environment = Path("/proc", pid, "environ").read_text()
    assert ROW not in environment
    names = {line.partition("=")[0] for line in environment.split("\0") if line}
    assert names
    assert names <= ENVIRONMENT
