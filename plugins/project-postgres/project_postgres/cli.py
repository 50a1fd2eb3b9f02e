"""The command `project-postgres`."""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from project_postgres.errors import ServerError
from project_postgres.programs import libpq_variables, program
from project_postgres.server import READER, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

_FAILED = 1
_NOT_RUNNING = 3  # as pg_ctl status has it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line; the process's own if None.

    Returns:
        The exit status: 0, 1 for a failure, 3 if the server is not running.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command is not _psql:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    command: Callable[[Server, argparse.Namespace], int] = options.command
    options.rest = rest
    try:
        return command(Server(options.dir, options.database), options)
    except (ServerError, OSError) as error:
        *log, line = _explain(error).splitlines()
        print(*log, f"project-postgres: {line}", sep="\n", file=sys.stderr)
        return _FAILED


def _parser() -> argparse.ArgumentParser:
    folder = Path(os.environ.get("PROJECT_POSTGRES") or ".data/postgres")
    parser = argparse.ArgumentParser(
        prog="project-postgres",
        description="A PostgreSQL server from a wheel, kept in one folder.",
        parents=[_options(folder, "postgres")],
        allow_abbrev=False,
    )
    # After the command they have no defaults, which would win over what stands before it.
    after = _options(argparse.SUPPRESS, argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, text in (
        ("start", _start, "start the server unless it runs; creates the data folder on first use"),
        ("stop", _stop, "stop the server; the data stays"),
        ("status", _status, "say whether the server runs; exit status 3 if not"),
        ("url", _url, "print the URL of the running server's database, password included"),
        (
            "reader",
            _reader,
            (
                "print the URL of a role that can only read the running server's database; "
                "created on first use"
            ),
        ),
        ("psql", _psql, "run psql on the database; further arguments are psql's"),
    ):
        subparser = commands.add_parser(
            name, parents=[after], help=text, description=text, allow_abbrev=False
        )
        subparser.set_defaults(command=command)
        if command is _reader:
            _add_reader_options(subparser)
    return parser


def _add_reader_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME", default=READER, help=f"the role (default: {READER})"
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--schema",
        action="append",
        metavar="SCHEMA",
        default=[],
        help="a schema that it can read, created unless it exists; may be repeated (default: all)",
    )
    either.add_argument("--revoke", action="store_true", help="drop the role and end its sessions")


def _options(folder: Path | str, database: str) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--dir",
        type=Path,
        metavar="FOLDER",
        default=folder,
        help="the folder that holds everything (default: PROJECT_POSTGRES, or .data/postgres)",
    )
    options.add_argument(
        "--database",
        metavar="NAME",
        default=database,
        help="the database to create on start and to connect to (default: postgres)",
    )
    return options


def _start(server: Server, _: argparse.Namespace) -> int:
    state = "already running" if server.running else "started"
    server.start()
    print(f"{state}: {_describe(server)}")
    return 0


def _stop(server: Server, _: argparse.Namespace) -> int:
    state = "stopped" if server.running else "not running"
    server.stop()
    print(f"{state}: {server.folder}")
    return 0


def _status(server: Server, _: argparse.Namespace) -> int:
    if not server.running:
        print(f"not running: {server.folder}")
        return _NOT_RUNNING
    print(f"running: {_describe(server)}")
    return 0


def _url(server: Server, _: argparse.Namespace) -> int:
    if not server.running:
        return _missing(server)
    print(server.url)
    return 0


def _reader(server: Server, options: argparse.Namespace) -> int:
    if not server.running:
        return _missing(server)
    if options.revoke:
        state = "revoked" if server.revoke_reader(options.name) else "no such reader"
        print(f"{state}: {options.name}")
    else:
        print(server.reader(options.name, options.schema))
    return 0


def _psql(server: Server, options: argparse.Namespace) -> int:
    if server.running:
        arguments = options.rest
        _become_psql(server, arguments[1:] if arguments[:1] == ["--"] else arguments)
    return _missing(server)


def _become_psql(server: Server, arguments: list[str]) -> NoReturn:
    psql = program("psql")
    # In the environment, not in the arguments, which every user of the machine can list.
    callers = {name: os.environ[name] for name in os.environ.keys() - libpq_variables()}
    environment = callers | server.libpq_variables
    os.execve(psql, [psql, *arguments], environment)  # noqa: S606 -- no shell is wanted


def _missing(server: Server) -> int:
    print(f"not running: {server.folder} (project-postgres start)", file=sys.stderr)
    return _NOT_RUNNING


def _describe(server: Server) -> str:
    return f"PostgreSQL at 127.0.0.1:{server.port}, database {server.database}, in {server.folder}"


def _explain(error: ServerError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.strerror}: {os.fsdecode(error.filename)}"
    return str(error)
