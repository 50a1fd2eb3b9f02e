"""A program of the project, run as a child: its lines go to Dagster's log as they come."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestrate import project

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import Logger

#: A line of Meltano's log.
_LINE = re.compile(r"\S+Z \[(?P<level>\w+) *\] (?P<source>\S+) +(?P<text>.*)")
#: Begins a line of dbt's.
_TIME = re.compile(r"\d\d:\d\d:\d\d +")
_LEVELS = {"warning": logging.WARNING, "error": logging.ERROR, "critical": logging.CRITICAL}
#: Seconds that a program has to end; `ynab-pipeline run` itself gives Meltano 20.
STOP_LIMIT = 30


def run(command: Sequence[str], log: Logger) -> tuple[int, list[str]]:
    """Run a program to its end.

    If Dagster ends the run meanwhile, so does the program.

    Args:
        command: Its command line; the program is a path in the project.
        log: Gets each line, without the time, which it has itself.

    Returns:
        The exit code, and the lines.
    """
    lines: list[str] = []

    def take(line: str) -> None:
        found = _LINE.match(line)
        text = (found["text"] if found else _TIME.sub("", line, count=1)).strip()
        if text:
            lines.append(text)
            level = _LEVELS.get(found["level"], logging.INFO) if found else logging.INFO
            log.log(level, f"{found['source']}: {text}" if found else text)

    with subprocess.Popen(
        command,
        cwd=project.ROOT,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # Ctrl-C in Dagster's terminal reaches it through here
    ) as child:
        try:
            for line in child.stdout or ():
                take(line)
            return child.wait(), lines
        finally:
            if child.poll() is None:  # Dagster has interrupted this
                _signal(child, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    rest, _ = child.communicate(timeout=STOP_LIMIT)
                    for line in rest.splitlines():
                        take(line)
            _signal(child, signal.SIGKILL)  # also what has outlived it


def _signal(child: subprocess.Popen[str], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # all have ended; macOS refuses zombies
        os.killpg(child.pid, number)
