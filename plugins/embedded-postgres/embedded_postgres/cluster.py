"""The database cluster: the data folder, its superuser's password and its one database."""

from __future__ import annotations

import os
import secrets
import shutil
from typing import TYPE_CHECKING

from embedded_postgres import files
from embedded_postgres.errors import ServerError
from embedded_postgres.programs import program, run

if TYPE_CHECKING:
    from pathlib import Path

    from embedded_postgres.account import Account

USER = "postgres"
DATABASE = "ynab"
_LONGEST_PATH = 1000  # bytes; PostgreSQL's own limit, MAXPGPATH, is 1024 with what it appends


class Cluster:
    """The files of the server inside its folder."""

    def __init__(self, folder: Path) -> None:
        """Names the files; nothing is made yet.

        Args:
            folder: The folder that holds everything.
        """
        self._folder = folder
        self.data = folder / "data"
        # Made here and moved to its place once complete: a run that is killed on the way leaves
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
        """Makes the cluster on first use.

        Args:
            account: Who is to own it.
            lock: Descriptor of the folder's lock.

        Raises:
            ServerError: If it cannot be made, or belongs to somebody else.
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

    def _create(self, account: Account, lock: int) -> None:
        if self._draft.exists():
            shutil.rmtree(self._draft)
        self._draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self._draft, account.uid, account.gid)
        files.write(self._password, f"{secrets.token_hex(16)}\n")
        run([*account.prefix, *self._initdb()], folder=self._folder, lock=lock)
        run(
            [*account.prefix, *_single_user(self._draft)],
            folder=self._folder,
            lock=lock,
            statements=f"CREATE DATABASE {DATABASE}\n",
        )
        self._draft.rename(self.data)

    def _initdb(self) -> list[str]:
        return [
            program("initdb"),
            f"--pgdata={self._draft}",
            f"--username={USER}",
            f"--pwfile={self._password}",
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


def _single_user(data: Path) -> list[str]:
    # PostgreSQL's single-user mode needs no port and no password.
    return [program("postgres"), "--single", "-D", str(data), "-c", "exit_on_error=true", USER]
