"""The database of the active environment, for people: Meltano's commands `psql` and `database`.

In the loader's environment, as `python -m ynab_pipeline.access`.
"""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from psycopg.sql import Identifier

from ynab_pipeline import project
from ynab_pipeline.account import TOKEN
from ynab_pipeline.connection import VIEWS, connect_to, libpq_variables, parameters, schema
from ynab_pipeline.database import DATABASE, SWITCH, active_settings
from ynab_pipeline.destination import describe
from ynab_pipeline.errors import PipelineError, explain
from ynab_pipeline.libpq import program
from ynab_pipeline.log import say
from ynab_pipeline.programs import become

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_COMMANDS = {
    "status": "say whether the database can be reached, and which it is",
    "url": "print its URL, password included",
    "reader": "print the URL of a role that can only read it; --help has more",
    "start": "start the project's server",
    "stop": "stop it; the data stays",
}
_ANY_DATABASE = ("status", "url")
_RUNNING_SERVER = ("url", "reader")


def main(arguments: Sequence[str]) -> None:
    """Run a command.

    Args:
        arguments: Its name, and what follows.
    """
    try:
        if arguments[:1] == ["psql"]:
            _become_psql(arguments[1:])
        _run(arguments)
    except (PipelineError, OSError) as error:
        say(f"ynab-pipeline: {explain(error)}", "error")
        sys.exit(1)


def _run(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="target-postgres:database",
        description="The database of the active environment.",
        epilog="reader, start and stop are for the servers of the project.",
        add_help=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in _COMMANDS.items():
        commands.add_parser(name, help=text, add_help=False)
    if arguments[:1] in (["-h"], ["--help"]):
        print(parser.format_help(), end="")
        return
    command = parser.parse_known_args(arguments)[0].command
    asks_for_help = bool({"-h", "--help"} & set(arguments))
    is_tenant = project.tenant_name() is not None
    if is_tenant and command in _ANY_DATABASE and not asks_for_help:
        _tell(command)  # project-postgres knows the superuser alone
    elif asks_for_help or project.named_folder(SWITCH) is not None:
        if is_tenant and command == "reader" and "--revoke" not in arguments:
            schemas = schema(), os.environ.get(VIEWS, "")
            arguments = [*arguments, *(f"--schema={name}" for name in schemas if name)]
        if command in _RUNNING_SERVER and not asks_for_help:
            active_settings()  # starts it
        become("project-postgres", ["--database", DATABASE, *arguments])
    elif command not in _ANY_DATABASE:
        raise PipelineError(
            f"{command} is for the project's server, and this environment has a PostgreSQL of "
            "your own: choose --environment=local or demo"
        )
    else:
        _tell(command)


def _tell(command: str) -> None:
    print(_url(parameters(active_settings())) if command == "url" else f"running: {_status()}")


def _become_psql(arguments: Sequence[str]) -> NoReturn:
    """Become psql, which finds the tables without their schema."""
    if {"-?", "--help", "--version"} & set(arguments):
        psql = program("psql", uses_tls=False)
        os.execv(psql, [psql, *arguments])  # noqa: S606 -- no shell is wanted
    found = active_settings()
    # The loader's way to it, with its messages if there is none.
    with connect_to(found) as session:
        uses_tls = bool(session.pgconn.ssl_in_use)
    wanted = parameters(found)
    views = Identifier(os.environ.get(VIEWS) or "budget").as_string()
    path = f"{Identifier(schema()).as_string()},{views},public"
    for sign in ("\\", " "):
        path = path.replace(sign, f"\\{sign}")
    options = wanted.get("options") or os.environ.get("PGOPTIONS", "")
    wanted["options"] = f"{options} -c search_path={path}".strip()
    # In the environment, not in the arguments, which every user of the machine can list.
    os.environ.update(libpq_variables(wanted))
    os.environ.pop(TOKEN, None)
    if os.isatty(1):
        os.dup2(1, 2)  # Meltano would make lines of its log of what is written there
    psql = program("psql", uses_tls=uses_tls)
    os.execv(psql, [psql, *arguments])  # noqa: S606 -- no shell is wanted


def _url(wanted: Mapping[str, Any]) -> str:
    own = {name: quote(str(value), safe="") for name, value in wanted.items() if value}
    address = f"{own.pop('host', '')}:{own.pop('port', '')}".rstrip(":")
    user = f"{own.pop('user', '')}:{own.pop('password', '')}".rstrip(":")
    database = own.pop("dbname", "")
    rest = urlencode({name: wanted[name] for name in own}, quote_via=quote)
    return f"postgresql://{user}@{address}/{database}{'?' if rest else ''}{rest}"


def _status() -> str:
    found = active_settings()
    with connect_to(found) as session:
        version = session.execute("SHOW server_version").fetchone()
    return f"PostgreSQL {version[0] if version else ''}, database {describe(found)}"


if __name__ == "__main__":
    main(sys.argv[1:])
