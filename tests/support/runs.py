"""Runs of the tap, and what they said."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.support import fork_server
from tests.support.environment import BARE
from tests.support.pipeline import TAP, Finished

if TYPE_CHECKING:
    from pathlib import Path

    from ynab_sandbox.budget import Budget

    from tests.support.pipeline import Row


def run(*arguments: str, folder: Path, **environment: str) -> Finished:
    """The tap with nothing but these arguments and variables."""
    return Finished(*fork_server.run([TAP, *arguments], folder, BARE | environment))


def execute(
    *command: str, folder: Path | None = None, stdin: str = "", **environment: str
) -> Finished:
    """A command in a process of its own, likewise."""
    process = subprocess.run(
        command,
        env=BARE | environment,
        cwd=folder,
        input=stdin,
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=60,
    )
    return Finished(process.returncode, process.stdout, process.stderr)


def good(finished: Finished) -> Finished:
    """A run that succeeded."""
    assert finished.code == 0, finished.log
    return finished


def failed(finished: Finished) -> str:
    """The last line of a run that failed, and said so without a traceback."""
    assert finished.code == 1, finished.log
    assert "Traceback" not in finished.log
    return finished.log.strip().splitlines()[-1]


def streams_in(finished: Finished) -> set[str]:
    """Streams of YNAB's that messages were about."""
    return {message["stream"] for message in finished.messages if "stream" in message} - {"syncs"}


def rows_of_ynab(finished: Finished) -> list[Row]:
    """Messages with rows, without the history of runs."""
    return [
        message
        for message in finished.messages
        if message["type"] == "RECORD" and message["stream"] != "syncs"
    ]


def of_budget(finished: Finished, stream: str, budget: Budget) -> set[str]:
    """Ids of a budget's records."""
    return {row["id"] for row in finished.records(stream) if row["budget_id"] == budget.id}


def ids(budget: Budget, stream: str) -> set[str]:
    """Ids of what the budget has, to compare them with."""
    return {row["id"] for row in budget.entities(stream)}
