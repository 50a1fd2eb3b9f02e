"""The user that the server runs as: the caller, or `nobody` if the caller is root."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project_postgres import shared_programs
from project_postgres.errors import ServerError
from project_postgres.programs import program

if TYPE_CHECKING:
    from pathlib import Path

# Capabilities are gone, and no program that it executes gives it any.
_POWERLESS = (
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--ambient-caps=-all",
    "--no-new-privs",
)


@dataclass(frozen=True)
class Account:
    """An account of the operating system, and how PostgreSQL's programs are run under it."""

    uid: int
    gid: int

    def command(self, name: str) -> list[str]:
        """Return the words that start one of PostgreSQL's programs."""
        return [program(name)]

    def data_argument(self, folder: Path) -> str:
        """Return the data folder as a program is told it that is started inside that folder."""
        return str(folder)


@dataclass(frozen=True)
class _Nobody(Account):
    setpriv: str

    def command(self, name: str) -> list[str]:
        user = (f"--reuid={self.uid}", f"--regid={self.gid}")
        return [self.setpriv, *user, *_POWERLESS, "--", shared_programs.program(name)]

    def data_argument(self, folder: Path) -> str:  # noqa: ARG002 -- not by its name
        # The folder may be below one that only root may enter. This link leads straight to where
        # root started the program, whatever is above, and PostgreSQL stays there.
        return "/proc/self/cwd"


def server_account() -> Account:
    """Return the account under which `initdb` and the server run.

    Raises:
        ServerError: If the caller is root and there is no way to change to `nobody`.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServerError(
            "PostgreSQL refuses to run as root, and setpriv (of util-linux), which would change to "
            "the user nobody, is not here: run this as an ordinary user"
        )
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise ServerError(
            "PostgreSQL refuses to run as root, and there is no user nobody: run as another user"
        ) from None
    return _Nobody(entry.pw_uid, entry.pw_gid, setpriv)
