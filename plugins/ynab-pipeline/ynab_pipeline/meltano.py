"""Commands of the Meltano that is installed beside `ynab-pipeline`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def start_command(name: str, environment: str | None, *arguments: str) -> subprocess.Popen[str]:
    """Start a command of the plugin `target-postgres` that answers with one JSON object.

    Args:
        name: The command, as in meltano.yml.
        environment: The environment of Meltano; if None, the one that Meltano chooses.
        arguments: Its arguments.

    Raises:
        PipelineError: If Meltano is not installed.
    """
    return subprocess.Popen(
        command_line(environment, "invoke", f"target-postgres:{name}", *arguments),
        env={**os.environ, "MELTANO_CLI_LOG_FORMAT": "json"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def answer(process: subprocess.Popen[str], request: str = "") -> dict[str, Any]:
    """Return the answer of a command.

    Args:
        process: The command.
        request: Its standard input.

    Raises:
        PipelineError: If it, or Meltano, could not answer.
    """
    with process:
        stdout, stderr = process.communicate(request)
    found = _parsed(stdout)
    if not found:
        raise PipelineError(_error(stderr.splitlines()))
    if "error" in found:
        raise PipelineError(found["error"])
    return found


def _error(log: list[str]) -> str:
    """Return the error of Meltano in its log, as one line."""
    entries = [_parsed(line) for line in log]
    logged = [entry["event"] for entry in entries if entry.get("level") in {"error", "critical"}]
    # Of its command line.
    printed = [line.removeprefix("Error: ") for line in log if line.startswith("Error: ")]
    errors = logged + printed + log[-1:] + ["no word of why"]
    return f"Meltano has failed: {errors[0]}"


def _parsed(text: str) -> dict[str, Any]:
    """Return a JSON object, empty if it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
