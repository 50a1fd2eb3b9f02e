"""The stock programs, `tap-ynab` and `target-postgres`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

_PR_SET_PDEATHSIG = 1
#: Options with which both answer a question and neither reads nor writes.
INFORMATION = frozenset({"--about", "--help", "--version"})


def has_option(arguments: Sequence[str], names: frozenset[str]) -> bool:
    """Tell whether one of these options is on a command line, with or without a value."""
    return any(argument.partition("=")[0] in names for argument in arguments)


def values_of(option: str, arguments: Sequence[str]) -> list[str]:
    """Return the values that an option has on a command line."""
    found: list[str] = []
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == option:
            found += [value] if equals else arguments[position + 1 : position + 2]
    return found


def end_with_parent() -> None:
    """Have the system kill this process when the one that started it ends, however that happens.

    So does the program that it becomes, which may be waiting for YNAB's hourly limit and keep the
    next run waiting. On Linux only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def become(program: str, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by a program.

    Args:
        program: The program, preferably the one installed beside this one.
        arguments: Its command line.

    Raises:
        PipelineError: If it is not installed.
    """
    beside = Path(sys.executable).with_name(program)
    command = str(beside) if beside.exists() else program
    try:
        os.execvp(command, [program, *arguments])  # noqa: S606 -- no shell is wanted
    except FileNotFoundError:
        raise PipelineError(f"{program} is not installed beside {sys.executable}") from None
