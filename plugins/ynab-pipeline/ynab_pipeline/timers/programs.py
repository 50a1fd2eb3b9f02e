"""Calls of systemctl, crontab and launchctl."""

from __future__ import annotations

import os
import subprocess

from ynab_pipeline.errors import PipelineError

#: Keeps bytes that are not UTF-8, as in a crontab, and line ends.
_ENCODING = ("utf-8", "surrogateescape")


def run(*command: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its messages in English.

    Raises:
        FileNotFoundError: If it is not installed.
    """
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C"},
        input=(stdin or "").encode(*_ENCODING),
        capture_output=True,
        check=False,
    )
    # Its messages are shown, also on terminals that refuse what is not UTF-8.
    messages = done.stderr.decode(errors="backslashreplace")
    return subprocess.CompletedProcess(
        command, done.returncode, done.stdout.decode(*_ENCODING), messages
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
        raise PipelineError(f"{command[0]} has refused: {reason(done)}")


def reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return why a program has failed, as one line; the first says why, others what to read."""
    return next(iter(done.stderr.strip().splitlines()), f"exit code {done.returncode}")
