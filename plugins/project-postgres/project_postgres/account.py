"""The user that the server runs as: the caller, or `nobody` if the caller is root."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass

from project_postgres.errors import ServerError


@dataclass(frozen=True)
class Account:
    """An account of the operating system and the words that start a program under it."""

    uid: int
    gid: int
    prefix: tuple[str, ...]


def server_account() -> Account:
    """Return the account under which `initdb` and the server run.

    Raises:
        ServerError: If the caller is root and there is no way to change to `nobody`.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), ())
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ServerError(
            "PostgreSQL refuses to run as root, and setpriv (of util-linux), which would change to "
            "the user nobody, is not here: run this as an ordinary user"
        )
    return _nobody(setpriv)


def _nobody(setpriv: str) -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise ServerError(
            "PostgreSQL refuses to run as root, and there is no user nobody: run as another user"
        ) from None
    # Of root's capabilities the server keeps one, dac_override: it passes folders that only root
    # may enter, so that a checkout under /root works and no parent's permissions are changed. With
    # it the server can read and write what root can. That is no more than the caller has, and only
    # who knows the password can make use of it: the server listens on the loopback interface alone,
    # has no socket in a folder, and the password's file is root's. (dac_read_search would be
    # narrower, but containers do not have it.)
    # `no_setuid_fixup` makes it count in access(2) as well, by which PostgreSQL looks for its own
    # programs: they too may be in such a folder.
    prefix = (
        setpriv,
        "--securebits=+no_setuid_fixup",
        f"--reuid={entry.pw_uid}",
        f"--regid={entry.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--",
    )
    return Account(entry.pw_uid, entry.pw_gid, prefix)
