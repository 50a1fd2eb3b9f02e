"""Agents of launchd on macOS: a property list for each schedule."""

from __future__ import annotations

import os
import plistlib
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_pipeline.timers import programs
from ynab_pipeline.timers.entries import LOG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ynab_pipeline.timers.entries import Entry, Installation
    from ynab_pipeline.timers.times import Times

TITLE = "launchd agents"


def is_available() -> bool:
    """Tell if this is macOS."""
    return sys.platform == "darwin"


def present(installation: Installation) -> dict[str, str]:
    """Return the project's property lists, by their paths."""
    return {
        str(path): path.read_text(encoding="utf-8")
        for path in sorted(_folder().glob(f"{installation.name}.*.plist"))
    }


def wanted(installation: Installation) -> dict[str, str]:
    """Return the property lists that run the schedules, by their paths."""
    return {
        str(_folder() / f"{_label(installation, entry)}.plist"): _agent(installation, entry)
        for entry in installation.entries
    }


def change(
    installation: Installation,  # noqa: ARG001 -- as of the other schedulers
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> list[str]:
    """Write and remove property lists, and have launchd load and unload them.

    Returns:
        Lines that tell what else to know.

    Raises:
        PipelineError: If launchd refuses it.
    """
    domain = f"gui/{os.getuid()}"
    for path in before:
        if before[path] != after.get(path):
            programs.run("launchctl", "bootout", domain, path)  # fails if it is not loaded
            Path(path).unlink()
    for path, text in after.items():
        if before.get(path) != text:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, encoding="utf-8")
            programs.call("launchctl", "bootstrap", domain, path)
    return [f"Their log: {LOG}"] if after else []


def _agent(installation: Installation, entry: Entry) -> str:
    log = str(installation.folder / LOG)
    agent = {
        "Label": _label(installation, entry),
        "ProgramArguments": list(entry.delayed_command),
        "WorkingDirectory": str(installation.folder),
        "StartCalendarInterval": [one for times in entry.recurrence.times for one in starts(times)],
        "StandardOutPath": log,
        "StandardErrorPath": log,
        # A run may start the project's PostgreSQL server, which outlives it.
        "AbandonProcessGroup": True,
    }
    return plistlib.dumps(agent).decode()


def starts(times: Times) -> Iterator[dict[str, int]]:
    """Yield each start; what is left out is every one."""
    restricted = {
        "Minute": times.minutes,
        **({} if times.every_hour else {"Hour": times.hours}),
        **({} if times.every_day else {"Day": times.days}),
        **({} if times.every_month else {"Month": times.months}),
        **({} if times.every_weekday else {"Weekday": times.weekdays}),
    }
    for numbers in product(*map(sorted, restricted.values())):
        yield dict(zip(restricted, numbers, strict=True))


def _label(installation: Installation, entry: Entry) -> str:
    return f"{installation.name}.{entry.schedule}"


def _folder() -> Path:
    return Path.home() / "Library/LaunchAgents"
