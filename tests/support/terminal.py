"""Runs commands that ask questions, at a terminal."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: Program that runs a command at a terminal of its own.
TERMINAL = """
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
"""


def at_a_terminal(
    command: Sequence[str],
    answers: Sequence[tuple[str, str]],
    *,
    folder: Path,
    environment: Mapping[str, str],
) -> tuple[int, str]:
    """Run a command at a terminal, and type these answers.

    Args:
        command: the program and its arguments.
        answers: pairs of a question and the answer to it; the end of a question will do.
        folder: the working directory.
        environment: all variables of the command.

    Returns:
        The exit code and all that the terminal shows.
    """
    with subprocess.Popen(
        [sys.executable, "-c", TERMINAL, *command],
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdin
        assert process.stdout
        shown = b""
        for question, answer in answers:
            new = b""
            while not new.endswith(question.encode()):
                byte = process.stdout.read(1)
                if not byte:
                    pytest.fail(f"{question!r} was not asked: {(shown + new).decode()}")
                new += byte
            process.stdin.write(f"{answer}\n".encode())
            process.stdin.flush()
            shown += new
        shown += process.stdout.read()
    return process.returncode, shown.decode()
