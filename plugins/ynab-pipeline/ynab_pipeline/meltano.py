"""Commands of the Meltano that is installed beside `ynab-pipeline`."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ynab_pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

#: An error in Meltano's log that is no JSON yet, as for a broken meltano.yml: all of its lines.
_ERROR = re.compile(
    r"^\S+Z \[(?:error|critical) *\] \S+ +(.+(?:\n(?!\S+Z \[|.*Traceback|$).*)*)",
    re.MULTILINE,
)
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


def chosen(environment: str | None) -> str:
    """Return these options for a command that is shown to people, each with a space before it.

    Args:
        environment: The environment of Meltano; if None, the one that Meltano chooses.
    """
    return "".join(f" {shlex.quote(option)}" for option in options(environment))


def project(environment: str | None = None) -> Any:
    """Return Meltano's own view of the project, found from the current folder upwards.

    Args:
        environment: The environment to activate, if any.

    Raises:
        PipelineError: If Meltano cannot read it.
    """
    # Slow to import. Types are checked where Meltano is not installed.
    import structlog  # type: ignore[import-not-found]  # noqa: PLC0415
    from meltano.core.project import Project  # type: ignore[import-not-found]  # noqa: PLC0415

    # Meltano's CLI would configure it; unconfigured, it prints debug lines to stdout.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        found = Project.find(dotenv_file=Path(env_file) if env_file else None)
        found.meltano  # noqa: B018 -- reads the project's file, which may be broken
        if environment is not None:
            found.activate_environment(environment)
    except Exception as error:  # Meltano has no class of its own for most of what is wrong
        line = " ".join(str(error).split())  # in YAML, the place is in the last one of several
        raise PipelineError(f"Meltano cannot read the project: {line}") from error
    return found


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
        env={**os.environ, "MELTANO_CLI_LOG_FORMAT": "json", "NO_COLOR": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def answer(
    process: subprocess.Popen[str], request: str = "", limit: float | None = None
) -> dict[str, Any]:
    """Return the answer of a command.

    Args:
        process: The command.
        request: Its standard input.
        limit: Seconds that it has to answer.

    Raises:
        PipelineError: If it, or Meltano, could not answer.
    """
    with process:
        try:
            stdout, stderr = process.communicate(request, limit)
        except subprocess.TimeoutExpired:
            process.kill()
            raise PipelineError(f"no answer within {limit:g} seconds") from None
    found = _parsed(stdout)
    if not found:
        raise PipelineError(_error(stderr))
    if "error" in found:
        raise PipelineError(found["error"])
    return found


def _error(log: str) -> str:
    """Return the error of Meltano in its log, as one line."""
    lines = [line for line in log.splitlines() if line.strip()]
    entries = [_parsed(line) for line in lines]
    logged = [entry["event"] for entry in entries if entry.get("level") in {"error", "critical"}]
    logged += _ERROR.findall(log)
    # Of its command line.
    printed = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    errors = [*logged, *printed, *lines[-1:], "no word of why"]
    return f"Meltano has failed: {' '.join(errors[0].split())}"


def _parsed(text: str) -> dict[str, Any]:
    """Return a JSON object, empty if it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
