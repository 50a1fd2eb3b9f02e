"""The list of what to run: the schedules of meltano.yml, and the command of each."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ynab_pipeline.cron import BY_HAND
from ynab_pipeline.errors import UsageError
from ynab_pipeline.timers.times import Recurrence, recurrence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Of the runs, in the project's folder, for a scheduler that keeps none.
LOG = ".meltano/schedule.log"


@dataclass(frozen=True)
class Entry:
    """A schedule and the command that runs it, in the project's folder."""

    schedule: str
    #: As in meltano.yml.
    interval: str
    recurrence: Recurrence
    command: tuple[str, ...]

    @property
    def delayed_command(self) -> tuple[str, ...]:
        """The command with a random delay, for a scheduler that has none."""
        delay = 2 * self.recurrence.spread
        return (*self.command, f"--jitter={delay}m") if delay else self.command


@dataclass(frozen=True)
class Installation:
    """All that a scheduler is to do for a project."""

    folder: Path
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """Prefix of the project's units, crontab lines and agents, unique to its folder."""
        return f"tap-ynab-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]}"


def installation(
    folder: Path,
    schedules: Mapping[str, str],
    options: Sequence[str] = (),
    options_of_run: Sequence[str] = (),
) -> Installation:
    """Return what to run for a project.

    Args:
        folder: The project.
        schedules: Intervals by the names of the schedules.
        options: Options of `ynab-pipeline` for each run.
        options_of_run: Options of its command `run`.

    Raises:
        UsageError: If a schedule cannot be expressed.
    """
    if not str(folder).isprintable() or "\\" in str(folder):
        raise UsageError(f"schedulers cannot express the folder {str(folder)!r}: rename it")
    program = Path(sys.executable).with_name("ynab-pipeline")
    entries = []
    for name, interval in schedules.items():
        if interval in BY_HAND:
            continue
        if not re.fullmatch(r"[\w-]+", name, re.ASCII):
            raise UsageError(
                f"schedule {name!r} of meltano.yml: a timer's name has letters, digits, - and _"
            )
        command = (str(program), *options, "run", name, *options_of_run)
        try:
            entries.append(Entry(name, interval, recurrence(interval), command))
        except UsageError as error:
            raise UsageError(f"schedule {name} of meltano.yml: {error}") from error
    return Installation(folder, tuple(entries))
