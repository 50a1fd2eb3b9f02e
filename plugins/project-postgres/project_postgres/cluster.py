"""The database cluster: the data folder and its superuser's password."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from project_postgres import files
from project_postgres.errors import ServerError
from project_postgres.programs import major_version, run, server_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project_postgres.account import Account

USER = "postgres"
#: The database that every new cluster has.
DATABASE = "postgres"
_LONGEST_PATH = 1000  # bytes; PostgreSQL's own limit, MAXPGPATH, is 1024 with what it appends


class Cluster:
    """The files of the server inside its folder."""

    def __init__(self, folder: Path) -> None:
        """Name the files; nothing is created yet.

        Args:
            folder: The folder that holds everything.
        """
        self._folder = folder
        self.data = folder / "data"
        # Created here and moved to its place once complete: a run that is killed on the way leaves
        # nothing that looks like a cluster.
        self._draft = folder / "data.new"
        self._password = folder / "password"

    @property
    def password(self) -> str:
        """The superuser's password.

        Raises:
            ServerError: If its file is gone.
        """
        try:
            return self._password.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise ServerError(
                f"{self._password} is missing: put it back, or remove {self._folder} and with it "
                "the data, to begin anew"
            ) from None

    def ensure(self, account: Account, lock: int) -> None:
        """Create the cluster on first use.

        Args:
            account: Its owner.
            lock: Descriptor of the folder's lock. PostgreSQL's programs hold it too, so that the
                folder stays locked while they work even if this process is killed.

        Raises:
            ServerError: If it cannot be created, or belongs to another user.
        """
        length = len(os.fsencode(self._draft))
        if length > _LONGEST_PATH:
            raise ServerError(
                f"the folder's path is too long for PostgreSQL ({length} bytes): {self._folder}"
            )
        if not self.data.exists():
            self._create(account, lock)
        owner = self.data.stat().st_uid
        if owner != account.uid:
            raise ServerError(
                f"{self.data} belongs to the user with id {owner}, and the server would run as "
                f"{account.uid}: run this as the user who started it first, or use another folder"
            )
        self._check_version()

    def _check_version(self) -> None:
        """Refuse data of another major version, which no other version can read."""
        try:
            found = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return  # the server says what is missing
        if found != (installed := major_version()):
            raise ServerError(
                f"{self.data} is of PostgreSQL {found}, and PostgreSQL {installed} is installed, "
                f"which cannot read it: install the version of before, make a backup with it, move "
                f"{self.data} away, and restore the backup with this version"
            )

    def _create(self, account: Account, lock: int) -> None:
        if self._draft.exists():
            shutil.rmtree(self._draft)
        self._draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self._draft, account.uid, account.gid)
        password = f"{secrets.token_hex(16)}\n"
        files.write(self._password, password)
        with _pipe(password, account) as pipe:
            run(
                self._initdb(account, pipe),
                failure=f"PostgreSQL's database files could not be created in {self._folder}",
                environment=server_environment(),
                folder=self._draft,
                keep_open=[lock, pipe],
            )
        self._draft.rename(self.data)

    def _initdb(self, account: Account, password: int) -> list[str]:
        return [
            *account.command("initdb"),
            f"--pgdata={account.data_argument(self._draft)}",
            f"--username={USER}",
            f"--pwfile=/dev/fd/{password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # PostgreSQL's own C.UTF-8: the same order and case on every machine, whatever locales
            # the operating system has.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            # Shared memory as files in the data folder, not in /dev/shm.
            "--set=dynamic_shared_memory_type=mmap",
        ]


@contextmanager
def _pipe(text: str, account: Account) -> Iterator[int]:
    """Descriptor from which a program of an account can read a text that fits into a pipe."""
    reading, writing = os.pipe()
    try:
        os.write(writing, text.encode())
        os.close(writing)
        if os.geteuid() == 0:
            os.fchown(reading, account.uid, account.gid)  # opened by its path, it is a file
        yield reading
    finally:
        os.close(reading)
