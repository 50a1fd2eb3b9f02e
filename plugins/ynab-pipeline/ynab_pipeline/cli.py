"""The command `ynab-pipeline`, for people and monitors.

It is installed beside Meltano. What needs the database runs in the loader's environment, as a
command of Meltano's plugin `target-postgres`, which gets the settings of the active environment.
"""

# ruff: noqa: T201 -- a command prints

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ynab_pipeline import backup, checking, meltano, notify, restore, run, schedule, status
from ynab_pipeline.errors import PipelineError, UsageError, explain
from ynab_pipeline.tenants import command as tenants
from ynab_pipeline.tenants import overview
from ynab_pipeline.timers import command as timers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FAILED = 1
_WRONG_USAGE = 2
_INTERRUPTED = 130


@dataclass(frozen=True)
class Command:
    """A command of `ynab-pipeline`."""

    help: str
    #: Returns the exit code. Of its options, `environment` is None for Meltano's own choice, and
    #: `arguments` is the command line after the command's name.
    run: Callable[[argparse.Namespace], int]
    add_options: Callable[[argparse.ArgumentParser], object] = lambda _: None
    #: Whether `run` reads all of its arguments itself.
    takes_all: bool = False


def in_loader(name: str) -> Callable[[argparse.Namespace], int]:
    """Return a command that is a command of the plugin `target-postgres` in meltano.yml."""
    return lambda options: meltano.become_command(name, options.arguments, options.environment)


def show_status(options: argparse.Namespace) -> int:
    """Run `status`, for the active environment or for all tenants, and return the exit code."""
    return overview.run(options) if options.tenants else status.run(options)


COMMANDS: dict[str, Command] = {
    "run": Command(
        "run a job or a schedule of meltano.yml, as a scheduler does", run.run, run.add_options
    ),
    "schedule": Command(
        "run the schedules of meltano.yml until it is ended", schedule.run, schedule.add_options
    ),
    "timers": Command(
        "show, install or remove timers of this machine that run the schedules",
        timers.run,
        timers.add_options,
    ),
    "notify": Command("send a message, to try the URLs of YNAB_PIPELINE_NOTIFY", notify.run),
    "status": Command(
        "tell when each budget was last synced, what failed and when the next run is due",
        show_status,
        status.add_options,
    ),
    "preview": Command("say what a sync would do, and do nothing", checking.preview),
    "verify": Command(
        "compare the tables with the account, row by row", checking.verify, checking.add_options
    ),
    "psql": Command(
        "open the database; all arguments are psql's", in_loader("psql"), takes_all=True
    ),
    "backup": Command(
        "write tables, views and bookmarks into a file", backup.run, backup.add_options
    ),
    "restore": Command(
        "have tables, views and bookmarks as a backup has them", restore.run, restore.add_options
    ),
    "tenants": Command(
        "add, list or remove accounts that are kept apart", tenants.run, tenants.add_options
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line; the process's own if None.

    Returns:
        The exit code of the command; 1 for an error or Ctrl-D, 2 for wrong usage, 130 after Ctrl-C.
    """
    anywhere = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS
    )
    anywhere.add_argument(
        "--environment",
        metavar="NAME",
        help="environment of Meltano: demo, local or prod (default: that of .env, else demo)",
    )
    anywhere.add_argument(
        "--env-file", metavar="FILE", help="file with settings (default: .env in the project)"
    )
    # Taken out, for they are no arguments of the command.
    chosen, rest = anywhere.parse_known_args(arguments)
    takes_all = bool(rest) and rest[0] in COMMANDS and COMMANDS[rest[0]].takes_all
    options = _parser(anywhere).parse_args(rest[:1] if takes_all else rest)
    options.environment = getattr(chosen, "environment", None)
    options.arguments = rest[1:]
    meltano.env_file = getattr(chosen, "env_file", None)
    try:
        return COMMANDS[options.command].run(options)
    except (PipelineError, OSError) as error:
        print(f"ynab-pipeline: {explain(error)}", file=sys.stderr)
        return _WRONG_USAGE if isinstance(error, UsageError) else _FAILED
    except EOFError:  # Ctrl-D at a question; nothing is done before one
        print("\nNothing is done.", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parser(anywhere: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ynab-pipeline",
        description="Run tap-ynab's jobs, watch them, and look after what they have loaded.",
        epilog="`ynab-pipeline COMMAND --help` has the options of a command.",
        parents=[anywhere],
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.add_options(
            commands.add_parser(
                name,
                parents=[anywhere],
                help=command.help,
                description=command.help,
                allow_abbrev=False,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
