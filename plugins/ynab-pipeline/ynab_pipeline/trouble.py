"""Advice on errors of PostgreSQL, by their texts: libpq gives no codes for a connection."""

from __future__ import annotations

import re

_ADDRESS = "TARGET_POSTGRES_HOST and TARGET_POSTGRES_PORT"
_TLS = "TARGET_POSTGRES_SSL_MODE and TARGET_POSTGRES_SSL_CERTIFICATE_AUTHORITY"

#: The first that is found in an error applies.
_ADVICE = tuple(
    (re.compile(pattern, re.IGNORECASE), advice)
    for pattern, advice in (
        (
            r"password authentication failed|no password supplied|authentication failed for user",
            "check TARGET_POSTGRES_USER and TARGET_POSTGRES_PASSWORD",
        ),
        (
            r"role .* does not exist|role .* is not permitted to log in",
            "create that role with LOGIN, or set TARGET_POSTGRES_USER to one that exists",
        ),
        (
            r"database .* does not exist",
            "create it with CREATE DATABASE, or set TARGET_POSTGRES_DATABASE to one that exists",
        ),
        (
            r"requires a valid client certificate|pg_hba.conf .*no encryption",
            "the server wants TLS: set TARGET_POSTGRES_SSL_ENABLE, " + _TLS,
        ),
        (
            r"pg_hba.conf",
            "have the server admit this user from this machine in its pg_hba.conf",
        ),
        (
            r"does not support SSL|SSL is not enabled|received invalid response to SSL",
            "turn TLS on at the server, or leave TARGET_POSTGRES_SSL_ENABLE out",
        ),
        (
            r"server closed the connection|terminating connection|unexpected eof",
            "the connection was lost: see that the server runs, then run again",
        ),
        (
            r"certificate|SSL error|sslmode|sslrootcert",
            f"check {_TLS}, and that the certificate is for TARGET_POSTGRES_HOST",
        ),
        (
            r"authentication method requirement",
            "another program answers there: see that it is the server that you mean",
        ),
        (
            r"could not translate host name|failed to resolve host|name or service not known",
            "check TARGET_POSTGRES_HOST",
        ),
        (
            r"connection refused|no such file or directory",
            f"see that the server runs, and check {_ADDRESS}",
        ),
        (
            r"timeout expired|timed out|no route to host|unreachable",
            f"check {_ADDRESS}, and that no firewall is between",
        ),
        (
            r"too many clients|remaining connection slots|too many connections",
            "close other connections, or raise the limit of the server, the role or the database",
        ),
        (
            r"starting up|shutting down|in recovery mode|not accepting connections",
            "run again when the server is ready",
        ),
        (
            r"No space left on device|disk full|disk quota",
            "free space on the disk of the database, then run again",
        ),
        (
            r"read-only transaction",
            "it is a standby or read-only: use the primary server, and a role that may write",
        ),
        (
            r"permission denied|must be owner of",
            "have the owner of the database grant that to the role of TARGET_POSTGRES_USER",
        ),
        (
            r"canceling statement|deadlock detected|lock timeout|out of (?:shared )?memory",
            "run again",
        ),
    )
)
_BEFORE_REASON = re.compile(
    r"(?:connection (?:failed|is bad): )?(?:connection to server .*? failed: )?(?:[A-Z]+:  )?"
)


def advice(error: str) -> str | None:
    """Return what to do about an error, or None if that is not known."""
    return next((words for pattern, words in _ADVICE if pattern.search(error)), None)


def explained(error: str) -> str:
    """Return the first line of an error, with what to do about it."""
    line = _BEFORE_REASON.sub("", error.strip().split("\n", 1)[0], count=1)
    words = advice(error)
    return f"{line}: {words}" if words else line
