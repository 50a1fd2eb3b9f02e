"""Calls of the programs that schedulers are told with."""

from __future__ import annotations

import os
import subprocess

from ynab_pipeline.errors import PipelineError


def run(*command: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its messages in English.

    Raises:
        FileNotFoundError: If it is not installed.
    """
    return subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C"},
        input=stdin or "",
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


def succeeds(*command: str) -> bool:
    """Tell if a program is installed and ends with 0."""
    try:
        return run(*command).returncode == 0
    except FileNotFoundError:
        return False


def call(*command: str, stdin: str | None = None) -> None:
    """Run a program that must succeed.

    Raises:
        PipelineError: If it does not.
    """
    done = run(*command, stdin=stdin)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise PipelineError(f"{command[0]} has refused: {reason}")
