"""The command `embedded-postgres-target`: what Meltano runs as the loader's executable.

It sees to the database, says on one line which one the run works on, and is `target-postgres` then.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from embedded_postgres import files
from embedded_postgres.cli import default_folder, explain
from embedded_postgres.destination import describe, settings
from embedded_postgres.errors import ServerError
from embedded_postgres.programs import libpq_variables
from embedded_postgres.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SWITCH = "EMBEDDED_POSTGRES"
_INFORMATION = {"--about", "--version", "--help"}


def main() -> None:
    """Prepares the database and runs the loader, with the command line it was given."""
    # Meltano's configuration file and what the loader writes are for their owner alone.
    os.umask(0o077)
    arguments = sys.argv[1:]
    try:
        if not _INFORMATION.intersection(arguments):
            arguments += _prepare(arguments)
        load = _loader()
    except (ServerError, OSError) as error:
        sys.exit(explain(error))
    # Date-times come in UTC, and the loader stores them in the time zone of its session.
    os.environ["PGTZ"] = "UTC"
    load(arguments)


def _prepare(arguments: list[str]) -> list[str]:
    """Sees to the database, and returns what that adds to the command line."""
    if root := os.environ.get("MELTANO_PROJECT_ROOT"):
        _wait_for_turn(Path(root, ".meltano"))
    if os.environ.get(_SWITCH):
        return _use_embedded(arguments)
    _say(describe(settings(arguments)))
    return []


def _wait_for_turn(folder: Path) -> None:
    """Waits until no other loader of the project and environment writes, then keeps others waiting.

    The turn begins with the first line to load: a loader whose tap still waits for its own turn
    does not hold up the one that the tap waits for.
    """
    select.select([sys.stdin], [], [])
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{os.environ.get('MELTANO_ENVIRONMENT', '')}-target.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say("another run writes to it, waiting for that to end")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    # It stays open, and so locked, for as long as this process lives, however it ends.


def _use_embedded(arguments: list[str]) -> list[str]:
    server = Server(default_folder())
    server.start()
    # The last file wins over those before it, and the URL over host, port, user, database and TLS.
    # Not `--config ENV`: with that the loader also reads the project's .env, which wins over
    # everything, so a run meant for this server could end on the one that .env names.
    override = server.folder / "target-postgres.json"
    url = server.url.replace("postgresql:", "postgresql+psycopg:", 1)
    files.write(override, json.dumps({"sqlalchemy_url": url, "ssh_tunnel": {"enable": False}}))
    added = ["--config", str(override)]
    _say(f"{describe(settings([*arguments, *added]))} (embedded PostgreSQL in {server.folder})")
    # PGHOSTADDR, PGSSLMODE and their like would still apply to the URL.
    for name in libpq_variables():
        del os.environ[name]
    return added


def _say(line: str) -> None:
    sys.stderr.write(f"database: {line}\n")


def _loader() -> Callable[[Sequence[str]], None]:
    # Here, because this takes longer than all else, and what is wrong shows sooner without.
    try:
        from embedded_postgres.loader import load  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ServerError(
            f"{error.name} is not installed: pip install 'embedded-postgres[loader]'"
        ) from error
    return load
