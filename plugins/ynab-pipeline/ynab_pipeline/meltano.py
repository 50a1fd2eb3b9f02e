"""Commands of the Meltano that is installed beside `ynab-pipeline`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

#: The file that Meltano reads in place of .env, if any: the same for all that this process runs.
env_file: str | None = None


def command_line(environment: str | None, *arguments: str) -> list[str]:
    """Return a command line of Meltano.

    Args:
        environment: The environment of Meltano; if None, the one that Meltano chooses.
        arguments: What follows.

    Raises:
        PipelineError: If Meltano is not installed.
    """
    program = Path(sys.executable).with_name("meltano")
    if not program.exists():
        raise PipelineError(f"Meltano is not installed beside {sys.executable}: run make install")
    return [str(program), *options(environment), *arguments]


def options(environment: str | None) -> list[str]:
    """Return the options that choose environment and settings, of Meltano and of `ynab-pipeline`.

    Args:
        environment: The environment of Meltano; if None, the one that Meltano chooses.
    """
    chosen = {"--environment": environment, "--env-file": env_file}
    return [f"{name}={value}" for name, value in chosen.items() if value is not None]


def become_command(name: str, arguments: Sequence[str], environment: str | None) -> NoReturn:
    """Replace this process by a command of the plugin `target-postgres`.

    Args:
        name: The command, as in meltano.yml. It runs in the loader's environment.
        arguments: Its arguments.
        environment: The environment of Meltano; if None, the one that Meltano chooses.

    Raises:
        PipelineError: If Meltano is not installed.
    """
    line = command_line(environment, "invoke", f"target-postgres:{name}", *arguments)
    os.execv(line[0], line)  # noqa: S606 -- no shell is wanted
