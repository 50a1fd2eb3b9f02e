"""The server: start, stop and address, with all that belongs to it in one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from project_postgres import port as tcp
from project_postgres import readers
from project_postgres.account import server_account
from project_postgres.cluster import DATABASE, USER, Cluster
from project_postgres.database import create_database
from project_postgres.errors import ServerError
from project_postgres.lock import FolderLock
from project_postgres.programs import server_environment, with_last_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The name of a reader that is given none.
READER = "reader"
_PATIENCE = 60.0  # seconds, as pg_ctl has
_PAUSE = 0.02

_SETTINGS = {
    "listen_addresses": tcp.HOST,
    # TCP only: a socket's path has at most 107 bytes, and many a project's path has more.
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Small, for one program that writes and a person who reads. What makes a commit durable is
    # left alone. A load has a connection for each of its tables, and several may be under way.
    "max_connections": "200",
    "shared_buffers": "64MB",
    "io_method": "sync",
    "min_wal_size": "32MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_checkpoints": "off",
    # The log is about the server. Errors of statements are the client's, and quote values of rows;
    # what else does so is the detail, the context and the statement of a message.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


class _Postmaster(NamedTuple):
    """The content of `postmaster.pid`."""

    pid: int
    port: int
    ready: bool


class Server:
    """A PostgreSQL server whose data, password, port and log are in one folder."""

    def __init__(self, folder: str | os.PathLike[str], database: str = DATABASE) -> None:
        """Name the server; nothing is created or started yet.

        Args:
            folder: The folder that holds everything.
            database: The database to create on start, and to connect to.
        """
        self.folder = Path(folder).absolute()
        self.database = database
        self._cluster = Cluster(self.folder)
        self._lock = FolderLock(self.folder / "lock")
        self._log = self.folder / "server.log"
        self._pid_file = self._cluster.data / "postmaster.pid"

    @property
    def running(self) -> bool:
        """True if the server accepts connections."""
        return self._ready() is not None

    @property
    def port(self) -> int:
        """The port on 127.0.0.1 that the running server listens on.

        Raises:
            ServerError: If it does not run.
        """
        postmaster = self._ready()
        if postmaster is None:
            raise ServerError(f"the server is not running ({self.folder}): project-postgres start")
        return postmaster.port

    @property
    def url(self) -> str:
        """The URL of the running server's database, password included.

        Raises:
            ServerError: If it does not run.
        """
        return _url(self.libpq_variables)

    @property
    def libpq_variables(self) -> dict[str, str]:
        """The PG* variables with which psql and its like reach the running server.

        Raises:
            ServerError: If it does not run.
        """
        return {
            "PGHOST": tcp.HOST,
            "PGPORT": str(self.port),
            "PGUSER": USER,
            "PGPASSWORD": self._cluster.password,
            "PGDATABASE": self.database,
            # A client proves with this that it knows the password without sending it, and has the
            # server prove the same. Whoever listens on a stopped server's port learns nothing.
            "PGREQUIREAUTH": "scram-sha-256",
        }

    def reader(self, name: str = READER, schemas: Sequence[str] = ()) -> str:
        """Return the URL of a role that can only read the database, created on first use.

        Args:
            name: The role.
            schemas: The schemas that it can read, which are created unless they exist. If there are
                none, it can read all of them, or those that it could read before.

        Raises:
            ServerError: If the server does not run, or the role was made for something else.
        """
        own = self.libpq_variables
        password = readers.create(name, schemas, folder=self.folder, connection=own)
        return _url({**own, "PGUSER": name, "PGPASSWORD": password})

    def revoke_reader(self, name: str = READER) -> bool:
        """Drop a reader and end its sessions.

        Returns:
            Whether it was there.

        Raises:
            ServerError: If the server does not run, or the role is not a reader.
        """
        return readers.revoke(name, folder=self.folder, connection=self._maintenance)

    def start(self) -> str:
        """Start the server unless it runs, and wait until its database accepts connections.

        Returns:
            The URL of its database.

        Raises:
            ServerError: If it does not start.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + _PATIENCE
        while not self.running:
            lock = self._lock.take()
            if lock is None:  # another start is under way, or the last processes of a server end
                self._pause(deadline, "has not become ready")
                continue
            try:
                port = self._launch(lock)
            finally:
                os.close(lock)
            self._await_ready(port, deadline)
        if self.database != DATABASE:
            create_database(self.database, folder=self.folder, connection=self._maintenance)
        return self.url

    def stop(self) -> None:
        """Stop the server, if it runs, in PostgreSQL's fast mode and wait for its end.

        Raises:
            ServerError: If it does not end.
        """
        deadline = time.monotonic() + _PATIENCE
        signalled = False
        while self._lock.held:
            # A number in postmaster.pid is trusted only while that server answers.
            postmaster = None if signalled else self._ready()
            if postmaster is not None:
                with suppress(ProcessLookupError):
                    os.kill(postmaster.pid, signal.SIGINT)
                signalled = True
            self._pause(deadline, "has not stopped")

    @property
    def _maintenance(self) -> dict[str, str]:
        return {**self.libpq_variables, "PGDATABASE": DATABASE}

    def _launch(self, lock: int) -> int:
        account = server_account()
        self._cluster.ensure(account, lock)
        # This process has the lock, so no server lives, and this file is left over.
        self._pid_file.unlink(missing_ok=True)
        port = tcp.choose(self.folder / "port")
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        data = account.data_argument(self._cluster.data)
        self._spawn([*account.command("postgres"), "-D", data, f"--port={port}", *settings], lock)
        return port

    def _spawn(self, command: list[str], lock: int) -> None:
        # Each start has a log of its own. A new file, since the old one may be another user's.
        self._log.unlink(missing_ok=True)
        with self._log.open("xb") as log:
            self._log.chmod(0o600)
            # The shell leaves the server to itself, so that it is no child of this process, and
            # ends. (pg_ctl does that too, but writes the paths into a shell command, which quotes
            # in them break.)
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cluster.data,
                env=server_environment(),
                pass_fds=(lock,),
                start_new_session=True,
                umask=0o077,
                check=True,
            )

    def _await_ready(self, port: int, deadline: float) -> None:
        while not self.running:
            if not self._lock.held:
                if tcp.free(port):
                    raise ServerError(
                        with_last_lines(
                            self._logged(), f"the server did not start; its log is {self._log}"
                        )
                    )
                return  # the port was taken since it was chosen: the caller tries another
            self._pause(deadline, "has not become ready")

    def _pause(self, deadline: float, what: str) -> None:
        if time.monotonic() > deadline:
            raise ServerError(
                with_last_lines(
                    self._logged(),
                    f"the server {what} within {_PATIENCE:.0f} seconds; its log is {self._log}",
                )
            )
        time.sleep(_PAUSE)

    def _logged(self) -> str:
        try:
            return self._log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def _ready(self) -> _Postmaster | None:
        if not self._lock.held:
            return None
        postmaster = self._postmaster()
        if postmaster is None or not postmaster.ready or not tcp.answers(postmaster.port):
            return None
        return postmaster

    def _postmaster(self) -> _Postmaster | None:
        # Its lines: pid, data folder, start time, port, socket folder, address, shared memory,
        # status. They are written one after another, so any of them may not be there yet.
        try:
            lines = self._pid_file.read_text(encoding="utf-8", errors="replace").splitlines()
            return _Postmaster(int(lines[0]), int(lines[3]), lines[7].strip() == "ready")
        except (FileNotFoundError, IndexError, ValueError):
            return None


def _url(variables: Mapping[str, str]) -> str:
    """Return the URL that says the same as PG* variables."""
    own = {name: quote(value, safe="") for name, value in variables.items()}
    return (
        f"postgresql://{own['PGUSER']}:{own['PGPASSWORD']}@{own['PGHOST']}:{own['PGPORT']}"
        f"/{own['PGDATABASE']}?require_auth={own['PGREQUIREAUTH']}"
    )
