"""A command at a terminal, and a person who answers it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: Runs a command at a terminal of its own.
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
    """Exit code, and what a person sees who gives these answers, each after what is asked."""
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
        seen = b""
        for question, answer in answers:
            while not seen.decode(errors="replace").endswith(question):
                seen += process.stdout.read(1) or pytest.fail(seen.decode())
            process.stdin.write(f"{answer}\n".encode())
            process.stdin.flush()
        seen += process.stdout.read()
    return process.returncode, seen.decode()
